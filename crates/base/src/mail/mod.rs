//! Mail: queued with the write that asks for it, written when it is sent, sent by a job, never twice on purpose.

mod job;
mod letter;
mod mailbox;
mod store;
mod transport;

pub use job::{deliver_due, run as run_job};
pub use letter::{Letter, LetterError};
pub use mailbox::STATEMENTS as MAILBOX_STATEMENTS;
pub use mailbox::{Item as MailboxItem, items as mailbox_items, one as mailbox_item};
pub use store::{
    NewMessage, Row, STATEMENTS, by_state, cancel_of_contact, count_by_state, forget,
    forget_contact, queue, queue_if, retry, sent_since,
};
pub use transport::{Failure, Transport};

use std::collections::HashMap;

use futures_util::future::BoxFuture;

use crate::db::DbError;
use crate::house::House;

/// A queued mail, to be written now.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The message's id, part of its Message-ID.
    pub id: String,
    /// Its kind, which names its template.
    pub kind: String,
    /// The contact it goes to, if it goes to one.
    pub contact_id: Option<String>,
    /// The address it goes to.
    pub to_address: String,
    /// What its template needs, as JSON.
    pub params: serde_json::Value,
}

impl Outgoing {
    /// A parameter that is text; empty if it is missing.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).and_then(serde_json::Value::as_str).unwrap_or("")
    }
}

/// What became of writing a mail.
#[derive(Clone, Debug)]
pub enum Written {
    /// A letter to send.
    Letter(Letter),
    /// Its reason has gone (the person was erased, the sitting is over): cancel it.
    Unwanted(&'static str),
}

/// Why a mail could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The database failed; try again.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The template failed; trying again will not help.
    #[error("the mail could not be written: {0}")]
    Template(String),
}

impl From<askama::Error> for WriteError {
    fn from(error: askama::Error) -> Self {
        Self::Template(error.to_string())
    }
}

impl From<LetterError> for WriteError {
    fn from(error: LetterError) -> Self {
        Self::Template(error.to_string())
    }
}

/// Writes one kind of mail.
pub type Writer = for<'a> fn(&'a House, &'a Outgoing) -> BoxFuture<'a, Result<Written, WriteError>>;

/// How each kind of mail is written, by kind.
#[derive(Clone, Debug, Default)]
pub struct Templates(pub HashMap<&'static str, Writer>);
