//! The consent ledger: append-only, one chain a contact. Each entry's hash covers the entry and the hash before it, so that
//! nobody can change, drop or reorder an entry without breaking every hash after it.

use base::db::{DbError, Queries, Tx};
use base::encode;
use base::http::Visit;
use serde::Serialize;

use crate::model::Admitted;
use crate::store;

/// What happened to a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A box was ticked in a form that anybody could have sent.
    Requested,
    /// The person confirmed it from their own inbox or preferences.
    Confirmed,
    /// The person took it back.
    Withdrawn,
}

impl Event {
    fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Confirmed => "confirmed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// One entry, as stored and as exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, base::db::FromRow)]
pub struct Entry {
    /// Place in the contact's chain, from 1.
    pub n_entry: i64,
    /// What the consent is for.
    pub purpose: String,
    /// `requested`, `confirmed` or `withdrawn`.
    pub event: String,
    /// The exact words.
    pub wording: String,
    /// Their version.
    pub wording_version: String,
    /// Their language.
    pub locale: String,
    /// The page of the form.
    pub form_url: String,
    /// The network that the form came from, shortened.
    pub ip: String,
    /// The mail that carried the confirmation link, if there was one.
    pub message_id: Option<String>,
    /// UTC milliseconds.
    pub at_ms: i64,
    /// The hash before this one.
    pub previous_hash: String,
    /// SHA-256 over everything above.
    pub hash: String,
}

impl Entry {
    /// SHA-256 over every field, each led by its length, and the hash before.
    fn computed_hash(&self) -> String {
        let at_ms = self.at_ms.to_string();
        let n_entry = self.n_entry.to_string();
        let message_id = self.message_id.as_deref().unwrap_or("");
        let mut bytes = Vec::new();
        for field in [
            n_entry.as_str(),
            &self.purpose,
            &self.event,
            &self.wording,
            &self.wording_version,
            &self.locale,
            &self.form_url,
            &self.ip,
            message_id,
            &at_ms,
            &self.previous_hash,
        ] {
            bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
            bytes.extend_from_slice(field.as_bytes());
        }
        encode::sha256_hex(&bytes)
    }
}

/// What a contact's chain starts from.
fn genesis(contact_id: &str) -> String {
    encode::sha256_hex(format!("consent ledger of {contact_id}").as_bytes())
}

/// The end of a contact's chain, to append to.
pub(crate) struct Ledger {
    contact_id: String,
    n_entries: i64,
    head: String,
}

impl Ledger {
    /// Reads the end of the chain. The contact's row must be held by this transaction: by [`store::lock`], or because it was just
    /// written.
    pub(crate) async fn of(on: &mut impl Queries, contact_id: &str) -> Result<Self, DbError> {
        let (n_entries, head) =
            store::ledger_head(on, contact_id).await?.unwrap_or_else(|| (0, genesis(contact_id)));
        Ok(Self { contact_id: contact_id.to_owned(), n_entries, head })
    }

    /// The end of the chain of a contact who was just admitted, and so is locked.
    pub(crate) fn of_admitted(admitted: &Admitted) -> Self {
        let contact_id = admitted.contact.id.clone();
        let head = match admitted.n_entries {
            0 => genesis(&contact_id),
            _ => admitted.head.clone(),
        };
        Self { contact_id, n_entries: admitted.n_entries, head }
    }

    /// Entries so far.
    pub(crate) fn n_entries(&self) -> i64 {
        self.n_entries
    }

    /// The hash that the next entry will carry on from.
    pub(crate) fn head(&self) -> &str {
        &self.head
    }

    pub(crate) async fn append(
        &mut self,
        tx: &mut Tx,
        visit: &Visit,
        event: Event,
        purpose: &str,
        form_url: &str,
        message_id: Option<&str>,
    ) -> Result<(), DbError> {
        let words = visit.house.site.purposes.get(purpose);
        let mut entry = Entry {
            n_entry: self.n_entries + 1,
            purpose: purpose.to_owned(),
            event: event.as_str().to_owned(),
            wording: words.map(|p| p.wording.clone()).unwrap_or_default(),
            wording_version: words.map(|p| p.version.clone()).unwrap_or_default(),
            locale: String::from("en-GB"),
            form_url: form_url.to_owned(),
            ip: visit.truncated_ip(),
            message_id: message_id.map(str::to_owned),
            at_ms: visit.now_ms,
            previous_hash: self.head.clone(),
            hash: String::new(),
        };
        entry.hash = entry.computed_hash();
        store::append(tx, &self.contact_id, &entry).await?;
        self.n_entries = entry.n_entry;
        self.head = entry.hash;
        Ok(())
    }
}

/// Whether `entries` are a contact's whole, unchanged chain up to some point.
///
/// # Errors
/// The place of the first entry that does not fit.
pub fn verify(contact_id: &str, entries: &[Entry]) -> Result<(), i64> {
    let mut head = genesis(contact_id);
    for (at, entry) in (1..).zip(entries) {
        let fits = entry.n_entry == at
            && entry.previous_hash == head
            && entry.hash == entry.computed_hash();
        if !fits {
            return Err(at);
        }
        head.clone_from(&entry.hash);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> Vec<Entry> {
        let mut head = genesis("c1");
        let events = ["requested", "confirmed", "withdrawn"];
        let entries = (1..).zip(events).map(|(n_entry, event)| {
            let mut entry = Entry {
                n_entry,
                purpose: "newsletter".into(),
                event: event.into(),
                wording: "Please write to me.".into(),
                wording_version: "1".into(),
                locale: "en-GB".into(),
                form_url: "https://www.example.org/quiz/leader-type".into(),
                ip: "192.0.2.0/24".into(),
                message_id: None,
                at_ms: 1_000 + n_entry,
                previous_hash: head.clone(),
                hash: String::new(),
            };
            entry.hash = entry.computed_hash();
            head.clone_from(&entry.hash);
            entry
        });
        entries.collect()
    }

    #[test]
    fn a_whole_chain_proves_itself() {
        assert_eq!(verify("c1", &chain()), Ok(()));
        assert_eq!(verify("c1", &[]), Ok(()));
    }

    #[test]
    fn a_changed_dropped_moved_or_foreign_entry_is_found() {
        let mut changed = chain();
        changed[1].wording = "Please ring me.".into();
        assert_eq!(verify("c1", &changed), Err(2));
        let mut dropped = chain();
        dropped.remove(0);
        assert_eq!(verify("c1", &dropped), Err(1));
        let mut moved = chain();
        moved.swap(1, 2);
        assert_eq!(verify("c1", &moved), Err(2));
        assert_eq!(verify("c2", &chain()), Err(1));
    }
}
