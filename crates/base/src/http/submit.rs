//! Submit ids: one form as rendered is one record, however often it is sent.
//!
//! A form carries 96 random bits and the time of its rendering, signed together with the form's name. The same id with the
//! same body leads to where it led before; with another body (Back, correct, send again) it is a new submission.

use subtle::ConstantTimeEq as _;

use crate::chance::Chance;
use crate::clock::{HOUR_MS, SECOND_MS};
use crate::db::{DbError, Tx};
use crate::encode;
use crate::keys::Keys;

/// A person needs at least this long for a form; a script does not.
pub const FORM_TIME_MIN_MS: i64 = 2 * SECOND_MS;
/// A form may lie open this long (WCAG 2.2, 2.2.1 asks for 20 hours).
const FORM_TIME_MAX_MS: i64 = 48 * HOUR_MS;
const RANDOM_BYTES: usize = 12;
const MAC_BYTES: usize = 16;

/// A submit id that this instance made for this form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submit {
    /// Its text, as sent.
    pub id: String,
    /// When the form was rendered.
    pub rendered_ms: i64,
}

/// Why a submit id will not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmitFault {
    /// Not made by this instance for this form.
    Foreign,
    /// The form lay open too long.
    Stale,
    /// Sent sooner than a person could.
    TooFast,
}

impl SubmitFault {
    /// What to say beside the form.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Foreign | Self::Stale => {
                "This form had been open too long, or came from somewhere else. Please send it again."
            }
            Self::TooFast => {
                "That was quicker than we expect of a person. Please check it and send it again."
            }
        }
    }
}

/// A fresh submit id for `form`.
#[must_use]
pub fn issue(keys: &Keys, chance: &Chance, form: &str, now_ms: i64) -> String {
    let mut bytes = Vec::with_capacity(RANDOM_BYTES + 8 + MAC_BYTES);
    bytes.extend_from_slice(&chance.bytes::<RANDOM_BYTES>());
    bytes.extend_from_slice(&now_ms.to_be_bytes());
    let mac = keys.mac(&[b"submit", form.as_bytes(), &bytes]);
    bytes.extend_from_slice(&mac[..MAC_BYTES]);
    encode::base64url(&bytes)
}

impl Submit {
    /// Checks a submit id that came with `form`.
    ///
    /// # Errors
    /// Why it will not do. A form sent too fast is checked by [`Submit::check_time`].
    pub fn check(keys: &Keys, form: &str, id: &str, now_ms: i64) -> Result<Self, SubmitFault> {
        let bytes = encode::from_base64url(id).ok_or(SubmitFault::Foreign)?;
        if bytes.len() != RANDOM_BYTES + 8 + MAC_BYTES {
            return Err(SubmitFault::Foreign);
        }
        let (signed, given) = bytes.split_at(RANDOM_BYTES + 8);
        let mac = keys.mac(&[b"submit", form.as_bytes(), signed]);
        if !bool::from(mac[..MAC_BYTES].ct_eq(given)) {
            return Err(SubmitFault::Foreign);
        }
        let mut time = [0; 8];
        time.copy_from_slice(&signed[RANDOM_BYTES..]);
        let rendered_ms = i64::from_be_bytes(time);
        if now_ms - rendered_ms > FORM_TIME_MAX_MS {
            return Err(SubmitFault::Stale);
        }
        Ok(Self { id: id.to_owned(), rendered_ms })
    }

    /// Whether a person could have filled the form in by `now_ms`.
    ///
    /// # Errors
    /// [`SubmitFault::TooFast`] if not.
    pub fn check_time(&self, now_ms: i64) -> Result<(), SubmitFault> {
        if now_ms - self.rendered_ms < FORM_TIME_MIN_MS {
            Err(SubmitFault::TooFast)
        } else {
            Ok(())
        }
    }
}

crate::statements! {
    CLAIM = "INSERT INTO submission (submit_id, body_hash, outcome, created_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (submit_id, body_hash) DO NOTHING";
    FORGET = "DELETE FROM submission WHERE created_ms < $1";
    OUTCOME = "SELECT outcome FROM submission WHERE submit_id = $1 AND body_hash = $2";
}

/// Whether a submission is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once {
    /// It is: act on it.
    First,
    /// It was acted on before and led here.
    Again(String),
}

/// Takes the submission (`submit`, `body_hash`) for this transaction, which will lead to `outcome`.
///
/// # Errors
/// If the database fails.
pub async fn once(
    tx: &mut Tx,
    submit: &Submit,
    body_hash: &str,
    outcome: &str,
    now_ms: i64,
) -> Result<Once, DbError> {
    if crate::execute!(tx, CLAIM, &submit.id, body_hash, outcome, now_ms)? == 1 {
        return Ok(Once::First);
    }
    let (led_to,) = crate::fetch!(fetch_one => (String,), tx, OUTCOME, &submit.id, body_hash)?;
    Ok(Once::Again(led_to))
}

/// Where the submission (`id`, `body_hash`) led when it was acted on, if it was.
///
/// # Errors
/// If the database fails.
pub async fn led_to(
    on: &mut impl crate::db::Queries,
    id: &str,
    body_hash: &str,
) -> Result<Option<String>, DbError> {
    let row = crate::fetch!(fetch_optional => (String,), on, OUTCOME, id, body_hash)?;
    Ok(row.map(|(outcome,)| outcome))
}

/// Forgets submissions whose form could not be sent again anyhow. Harmless to run twice.
///
/// # Errors
/// If the database fails.
pub async fn forget_old(tx: &mut Tx, now_ms: i64) -> Result<u64, DbError> {
    crate::execute!(tx, FORGET, now_ms - FORM_TIME_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submit_id_is_bound_to_its_form_instance_and_time() {
        let keys = Keys::from_bytes([1; 32]);
        let id = issue(&keys, &Chance::from_seed(1), "quiz", 1_000);
        let submit = Submit::check(&keys, "quiz", &id, 2_000).unwrap();
        assert_eq!(submit.check_time(2_000), Err(SubmitFault::TooFast));
        assert_eq!(submit.check_time(3_000), Ok(()));
        assert_eq!(Submit::check(&keys, "contact", &id, 2_000), Err(SubmitFault::Foreign));
        assert_eq!(
            Submit::check(&Keys::from_bytes([2; 32]), "quiz", &id, 2_000),
            Err(SubmitFault::Foreign)
        );
        let late_ms = 1_001 + FORM_TIME_MAX_MS;
        assert_eq!(Submit::check(&keys, "quiz", &id, late_ms), Err(SubmitFault::Stale));
        for text in ["", "zzz", &id[1..], &format!("{id}A")] {
            assert_eq!(Submit::check(&keys, "quiz", text, 2_000), Err(SubmitFault::Foreign));
        }
    }
}
