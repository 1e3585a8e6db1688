//! A day as front matter gives it and as pages say it.

use jiff::civil::Date;
use serde::Deserialize;

/// A calendar day, in nobody's time zone.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "toml::value::Datetime")]
pub struct Day(Date);

impl Day {
    /// The day of a moment, in UTC.
    #[must_use]
    pub fn of(at_ms: i64) -> Self {
        let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
        Self(jiff::tz::Offset::UTC.to_datetime(at).date())
    }

    /// "3 November 2026".
    #[must_use]
    pub fn in_words(self) -> String {
        self.0.strftime("%-d %B %Y").to_string()
    }

    /// Its first moment, in UTC, as RFC 3339 writes it.
    #[must_use]
    pub fn rfc_3339(self) -> String {
        format!("{}T00:00:00Z", self.0)
    }
}

impl std::fmt::Display for Day {
    /// "2026-11-03".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<toml::value::Datetime> for Day {
    type Error = String;

    fn try_from(written: toml::value::Datetime) -> Result<Self, String> {
        let text = written.to_string();
        let is_day = written.time.is_none() && written.offset.is_none();
        let day = if is_day { text.parse().ok() } else { None };
        day.map(Self).ok_or_else(|| format!("{text} is not a day. Write one such as 2026-11-03."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Front {
        day: Day,
    }

    #[test]
    fn a_day_is_written_for_people_and_for_machines() {
        let day = toml::from_str::<Front>("day = 2026-11-03").unwrap().day;
        assert_eq!(day.in_words(), "3 November 2026");
        assert_eq!(day.to_string(), "2026-11-03");
        assert_eq!(day.rfc_3339(), "2026-11-03T00:00:00Z");
        assert!(day < Day::of(1_795_507_500_000));
        assert_eq!(Day::of(1_795_507_500_000).to_string(), "2026-11-24");
    }

    #[test]
    fn a_moment_is_not_a_day() {
        let fault = toml::from_str::<Front>("day = 2026-11-03T10:00:00Z").unwrap_err();
        assert!(fault.to_string().contains("Write one such as 2026-11-03."), "{fault}");
    }
}
