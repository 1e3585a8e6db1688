//! Time as an argument: nothing else in the program asks the system what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Milliseconds of a second, for the arithmetic of limits.
pub const SECOND_MS: i64 = 1_000;
/// Milliseconds of a minute.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds of a day of 24 hours.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A source of the present, in UTC milliseconds since 1970.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that a test moves by hand.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `now_ms` until it is moved.
    #[must_use]
    pub fn manual(now_ms: i64) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(now_ms)))
    }

    /// UTC milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::System => system_now_ms(),
            Self::Manual(at_ms) => at_ms.load(Ordering::SeqCst),
        }
    }

    /// Moves a manual clock forward by `by_ms`; the system's clock moves by itself.
    pub fn advance(&self, by_ms: i64) {
        if let Self::Manual(at_ms) = self {
            at_ms.fetch_add(by_ms, Ordering::SeqCst);
        }
    }
}

/// A moment as people read it, "24 November 2026", in UTC.
#[must_use]
pub fn in_words(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms)
        .map_or_else(|_| String::from("an unknown date"), |at| at.strftime("%-d %B %Y").to_string())
}

/// A moment with its time of day, "24 November 2026, 08:05 UTC".
#[must_use]
pub fn in_words_to_the_minute(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(
        |_| String::from("an unknown time"),
        |at| at.strftime("%-d %B %Y, %H:%M UTC").to_string(),
    )
}

/// A moment as RFC 3339 writes it, in UTC.
#[must_use]
pub fn rfc_3339(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| String::new(), |at| at.to_string())
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
fn system_now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let clock = Clock::manual(1_000);
        assert_eq!(clock.now_ms(), clock.now_ms());
        clock.advance(HOUR_MS);
        assert_eq!(clock.now_ms(), 1_000 + HOUR_MS);
    }

    #[test]
    fn moments_are_written_for_people_and_for_machines() {
        let at_ms = 1_795_507_500_000;
        assert_eq!(in_words(at_ms), "24 November 2026");
        assert_eq!(in_words_to_the_minute(at_ms), "24 November 2026, 08:05 UTC");
        assert_eq!(rfc_3339(at_ms), "2026-11-24T08:05:00Z");
    }
}
