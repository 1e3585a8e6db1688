//! The outbox's SQL.

use crate::clock::MINUTE_MS;
use crate::db::{DbError, Queries, Tx};

/// A sender that dies holds a mail this long before another may try it: longer than any SMTP time-out adds up to.
pub(super) const LEASE_MS: i64 = 15 * MINUTE_MS;

crate::statements! {
    QUEUE = "INSERT INTO message (id, kind, contact_id, to_address, params, state, n_attempts, due_ms, created_ms) VALUES ($1, $2, $3, $4, $5, 'queued', 0, $6, $6)";
    CLAIM = sqlite "UPDATE message SET state = 'sending', n_attempts = n_attempts + 1, due_ms = $2 WHERE id IN (SELECT id FROM message WHERE state IN ('queued', 'sending') AND due_ms <= $1 ORDER BY due_ms LIMIT $3) RETURNING id, kind, contact_id, to_address, params, n_attempts, created_ms",
        postgres "UPDATE message SET state = 'sending', n_attempts = n_attempts + 1, due_ms = $2 WHERE id IN (SELECT id FROM message WHERE state IN ('queued', 'sending') AND due_ms <= $1 ORDER BY due_ms LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING id, kind, contact_id, to_address, params, n_attempts, created_ms";
    NEXT_DUE = "SELECT min(due_ms) FROM message WHERE state IN ('queued', 'sending')";
    SETTLE = "UPDATE message SET state = $2, due_ms = $3, last_error = $4, sent_ms = $5 WHERE id = $1 AND state = 'sending'";
    ATTEMPT = "INSERT INTO delivery (message_id, n_attempt, at_ms, outcome, detail) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (message_id, n_attempt) DO NOTHING";
    UNLEASE = "UPDATE message SET due_ms = $1 WHERE state = 'sending' AND due_ms > $1";
    RETRY = "UPDATE message SET state = 'queued', due_ms = $2, last_error = NULL WHERE id = $1 AND state IN ('failed', 'cancelled', 'queued')";
    COUNT_BY_STATE = "SELECT state, count(*) FROM message GROUP BY state";
    BY_STATE = "SELECT id, kind, to_address, state, n_attempts, due_ms, last_error, created_ms, sent_ms FROM message WHERE $1 = '' OR state = $1 ORDER BY created_ms, id";
    CANCEL_OF_CONTACT = "UPDATE message SET state = 'cancelled', last_error = $3 WHERE contact_id = $1 AND kind = $2 AND state IN ('queued', 'sending')";
    FORGET = "DELETE FROM message WHERE id = $1";
    FORGET_CONTACT = "DELETE FROM message WHERE contact_id = $1";
    SENT_SINCE = "SELECT count(*), coalesce(max(created_ms), 0) FROM message WHERE contact_id = $1 AND kind = $2 AND created_ms > $3";
}

/// A mail to queue.
#[derive(Clone, Debug)]
pub struct NewMessage<'a> {
    /// A fresh id.
    pub id: &'a str,
    /// Names the template.
    pub kind: &'static str,
    /// The contact it goes to, if it goes to one.
    pub contact_id: Option<&'a str>,
    /// Where it goes.
    pub to_address: &'a str,
    /// What the template needs.
    pub params: serde_json::Value,
}

/// A mail as `list messages` shows it.
#[derive(Clone, Debug, crate::db::FromRow)]
pub struct Row {
    /// Id.
    pub id: String,
    /// Kind.
    pub kind: String,
    /// Where it goes.
    pub to_address: String,
    /// `queued`, `sending`, `sent`, `failed` or `cancelled`.
    pub state: String,
    /// Attempts so far.
    pub n_attempts: i64,
    /// When it is tried next, UTC milliseconds.
    pub due_ms: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was queued.
    pub created_ms: i64,
    /// When the server took it.
    pub sent_ms: Option<i64>,
}

#[derive(Clone, Debug, crate::db::FromRow)]
pub(super) struct Claimed {
    pub id: String,
    pub kind: String,
    pub contact_id: Option<String>,
    pub to_address: String,
    pub params: String,
    pub n_attempts: i64,
    pub created_ms: i64,
}

/// Queues a mail in the transaction that asks for it; ring `house.mail_queued` after the commit.
///
/// # Errors
/// If the database fails.
pub async fn queue(tx: &mut Tx, message: &NewMessage<'_>, now_ms: i64) -> Result<(), DbError> {
    let NewMessage { id, kind, contact_id, to_address, params } = message;
    crate::later!(tx, QUEUE, id, kind, contact_id, to_address, params.to_string(), now_ms)
}

/// Queues a mail that may turn out not to be wanted: the same work either way, so that its time does not tell.
///
/// # Errors
/// If the database fails.
pub async fn queue_if(
    tx: &mut Tx,
    is_wanted: bool,
    message: &NewMessage<'_>,
    now_ms: i64,
) -> Result<(), DbError> {
    tx.mark().await?;
    queue(tx, message, now_ms).await?;
    tx.settle(is_wanted).await
}

/// Takes up to `n_max` mails that are due, for one lease.
pub(super) async fn claim(tx: &mut Tx, now_ms: i64, n_max: i64) -> Result<Vec<Claimed>, DbError> {
    crate::fetch!(fetch_all => Claimed, tx, CLAIM, now_ms, now_ms + LEASE_MS, n_max)
}

/// When the next mail is due, if any waits.
pub(super) async fn next_due_ms(on: &mut impl Queries) -> Result<Option<i64>, DbError> {
    crate::fetch!(fetch_one => (Option<i64>,), on, NEXT_DUE).map(|(due_ms,)| due_ms)
}

/// What became of an attempt.
pub(super) struct Settled<'a> {
    pub state: &'static str,
    pub outcome: &'static str,
    pub detail: &'a str,
    pub due_ms: i64,
}

pub(super) async fn settle(
    tx: &mut Tx,
    claimed: &Claimed,
    settled: &Settled<'_>,
    now_ms: i64,
) -> Result<(), DbError> {
    let Settled { state, outcome, detail, due_ms } = *settled;
    let error = (outcome != "sent").then_some(detail);
    let sent_ms = (outcome == "sent").then_some(now_ms);
    let changed = crate::execute!(tx, SETTLE, &claimed.id, state, due_ms, error, sent_ms)?;
    if changed == 1 {
        let n_attempt = claimed.n_attempts;
        crate::execute!(tx, ATTEMPT, &claimed.id, n_attempt, now_ms, outcome, detail)?;
    }
    Ok(())
}

/// Frees the leases of a process that died: on SQLite, where only one process sends, at start.
pub(super) async fn unlease(tx: &mut Tx, now_ms: i64) -> Result<u64, DbError> {
    crate::execute!(tx, UNLEASE, now_ms)
}

/// Queues a mail that had failed once more; false if there is no such mail or it needs no retry.
///
/// # Errors
/// If the database fails.
pub async fn retry(tx: &mut Tx, id: &str, now_ms: i64) -> Result<bool, DbError> {
    crate::execute!(tx, RETRY, id, now_ms).map(|n| n == 1)
}

/// Every mail, or those in `state`, oldest first.
///
/// # Errors
/// If the database fails.
pub async fn by_state(on: &mut impl Queries, state: &str) -> Result<Vec<Row>, DbError> {
    crate::fetch!(fetch_all => Row, on, BY_STATE, state)
}

/// How many mails are in each state; a state without mails is left out.
///
/// # Errors
/// If the database fails.
pub async fn count_by_state(on: &mut impl Queries) -> Result<Vec<(String, i64)>, DbError> {
    crate::fetch!(fetch_all => (String, i64), on, COUNT_BY_STATE)
}

/// Cancels a contact's waiting mails of a kind, with the reason.
///
/// # Errors
/// If the database fails.
pub async fn cancel_of_contact(
    tx: &mut Tx,
    contact_id: &str,
    kind: &str,
    reason: &str,
) -> Result<u64, DbError> {
    crate::execute!(tx, CANCEL_OF_CONTACT, contact_id, kind, reason)
}

/// Deletes one mail, sent or not.
///
/// # Errors
/// If the database fails.
pub async fn forget(tx: &mut Tx, id: &str) -> Result<u64, DbError> {
    crate::execute!(tx, FORGET, id)
}

/// Deletes every mail to a contact, sent or not.
///
/// # Errors
/// If the database fails.
pub async fn forget_contact(tx: &mut Tx, contact_id: &str) -> Result<u64, DbError> {
    crate::execute!(tx, FORGET_CONTACT, contact_id)
}

/// How many mails of a kind were queued for a contact after `since_ms`, and when the last was (0 if none).
///
/// # Errors
/// If the database fails.
pub async fn sent_since(
    on: &mut impl Queries,
    contact_id: &str,
    kind: &str,
    since_ms: i64,
) -> Result<(i64, i64), DbError> {
    crate::fetch!(fetch_one => (i64, i64), on, SENT_SINCE, contact_id, kind, since_ms)
}
