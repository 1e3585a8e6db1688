//! Contacts and persons: types and decisions, nothing else.

use base::address::EmailAddress;

/// Somebody as a form describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// How they would like to be greeted.
    pub name: String,
    /// Where mail reaches them.
    pub address: EmailAddress,
    /// Empty if not asked or not said.
    pub organisation: String,
    /// Empty if not asked or not said.
    pub role: String,
    /// Empty if not asked or not said.
    pub phone: String,
}

impl Person {
    /// Somebody of whom nothing but an address is known.
    #[must_use]
    pub fn at(address: EmailAddress) -> Self {
        let [name, organisation, role, phone] = [const { String::new() }; 4];
        Self { name, address, organisation, role, phone }
    }
}

/// Whether a contact has ever answered from their own inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not yet: only the mail they asked for may go there.
    Pending,
    /// Yes.
    Confirmed,
}

/// A person we may write to.
#[derive(Clone, Debug, base::db::FromRow)]
pub struct Contact {
    /// Id.
    pub id: String,
    /// Where mail goes.
    pub address: String,
    /// What two spellings of the address have in common.
    pub address_key: String,
    /// How to greet them.
    pub name: String,
    /// Organisation, or empty.
    pub organisation: String,
    /// Role, or empty.
    pub role: String,
    /// Telephone number, or empty.
    pub phone: String,
    /// `pending` or `confirmed`, as stored; see [`Contact::state`].
    pub state: String,
    /// Makes the links to stop mail and to preferences, and unmakes them when it changes.
    pub nonce: String,
    /// UTC milliseconds.
    pub created_ms: i64,
    /// UTC milliseconds.
    pub confirmed_ms: Option<i64>,
}

impl Contact {
    /// Whether they have answered from their own inbox.
    #[must_use]
    pub fn state(&self) -> State {
        if self.state == "confirmed" { State::Confirmed } else { State::Pending }
    }

    /// Whether they have answered from their own inbox.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.state() == State::Confirmed
    }
}

/// The contact of an address that somebody gave.
#[derive(Clone, Debug, base::db::FromRow)]
pub struct Admitted {
    /// The contact.
    #[sqlx(flatten)]
    pub contact: Contact,
    /// Whether the address had none before.
    #[sqlx(skip)]
    pub is_new: bool,
    /// Whether the address must not be written to.
    pub(crate) is_suppressed: bool,
    /// Whether the form that gave it had its trap filled in.
    #[sqlx(skip)]
    pub(crate) is_trapped: bool,
    /// Mails of the kind that was asked about, within the last day.
    pub(crate) n_asked: i64,
    /// When the last of them was queued; 0 if there is none.
    pub(crate) asked_ms: i64,
    /// Entries of the consent ledger.
    pub(crate) n_entries: i64,
    /// The hash of the last of them, or empty.
    pub(crate) head: String,
}

/// A contact's present state for a purpose.
#[derive(Clone, Debug, base::db::FromRow)]
pub struct Subscription {
    /// Whose.
    pub contact_id: String,
    /// For what.
    pub purpose: String,
    /// `requested`, `confirmed` or `withdrawn`.
    pub state: String,
    /// Makes the link that stops this purpose.
    pub nonce: String,
    /// UTC milliseconds.
    pub changed_ms: i64,
}

/// The short form of an erasure's id, for a person to keep: `E-7Q2M-41KD`.
#[must_use]
pub fn receipt(erasure_id: &str) -> String {
    let digits: String = erasure_id.chars().filter(char::is_ascii_hexdigit).collect();
    let tail = digits[digits.len().saturating_sub(8)..].to_uppercase();
    let (one, two) = tail.split_at(tail.len().min(4));
    format!("E-{one}-{two}")
}

/// Whether a text could be such a short form.
#[must_use]
pub fn is_receipt(text: &str) -> bool {
    text.len() == 11
        && text.starts_with("E-")
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
}
