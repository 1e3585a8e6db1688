//! The built-in mailbox: where mails land on a machine without a mail server.

use super::{Letter, Outgoing};
use crate::db::{DbError, Queries, Tx};

/// Mails shown at once, newest first.
const ITEMS_MAX: i64 = 200;

crate::statements! {
    PUT = "INSERT INTO mailbox (message_id, to_address, subject, headers, body_text, body_html, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (message_id) DO NOTHING";
    ITEMS = "SELECT message_id, to_address, subject, headers, body_text, body_html, at_ms FROM mailbox ORDER BY at_ms DESC, message_id DESC LIMIT $1";
    ONE = "SELECT message_id, to_address, subject, headers, body_text, body_html, at_ms FROM mailbox WHERE message_id = $1";
}

/// A mail in the mailbox.
#[derive(Clone, Debug, crate::db::FromRow)]
pub struct Item {
    /// The message's id.
    pub message_id: String,
    /// Whom it was for.
    pub to_address: String,
    /// Its subject.
    pub subject: String,
    /// Its header lines.
    pub headers: String,
    /// Its plain body.
    pub body_text: String,
    /// Its HTML body.
    pub body_html: String,
    /// When it came, UTC milliseconds.
    pub at_ms: i64,
}

pub(super) async fn put(
    tx: &mut Tx,
    outgoing: &Outgoing,
    letter: &Letter,
    headers: &str,
    now_ms: i64,
) -> Result<(), DbError> {
    let Letter { subject, text, html, .. } = letter;
    crate::execute!(
        tx,
        PUT,
        &outgoing.id,
        &outgoing.to_address,
        subject,
        headers,
        text,
        html,
        now_ms
    )
    .map(|_| ())
}

/// The newest mails.
///
/// # Errors
/// If the database fails.
pub async fn items(on: &mut impl Queries) -> Result<Vec<Item>, DbError> {
    crate::fetch!(fetch_all => Item, on, ITEMS, ITEMS_MAX)
}

/// One mail.
///
/// # Errors
/// If the database fails.
pub async fn one(on: &mut impl Queries, message_id: &str) -> Result<Option<Item>, DbError> {
    crate::fetch!(fetch_optional => Item, on, ONE, message_id)
}
