//! The audience's SQL.

use base::db::{DbError, Queries, Tx};
use base::{execute, fetch, later};

use crate::ledger::Entry;
use crate::model::{Admitted, Contact, Person, Subscription};

base::statements! {
    SUPPRESSED = "SELECT address_hash FROM suppression WHERE address_hash = $1";
    SUPPRESS = "INSERT INTO suppression (address_hash, reason, created_ms) VALUES ($1, $2, $3) ON CONFLICT (address_hash) DO NOTHING";
    ADMIT = "INSERT INTO contact (id, address, address_key, name, organisation, role, phone, state, nonce, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9) ON CONFLICT (address_key) DO UPDATE SET address_key = excluded.address_key, state = contact.state, created_ms = contact.created_ms, turned = NOT contact.turned";
    KNOWN = "SELECT id, address, address_key, name, organisation, role, phone, state, nonce, created_ms, confirmed_ms, EXISTS (SELECT 1 FROM suppression WHERE address_hash = $2) AS is_suppressed, (SELECT count(*) FROM message WHERE contact_id = contact.id AND kind = $3 AND message.created_ms > $4) AS n_asked, coalesce((SELECT max(message.created_ms) FROM message WHERE contact_id = contact.id AND kind = $3 AND message.created_ms > $4), 0) AS asked_ms, coalesce((SELECT max(n_entry) FROM consent WHERE contact_id = contact.id), 0) AS n_entries, coalesce((SELECT hash FROM consent WHERE contact_id = contact.id ORDER BY n_entry DESC LIMIT 1), '') AS head FROM contact WHERE address_key = $1";
    BY_ID = "SELECT id, address, address_key, name, organisation, role, phone, state, nonce, created_ms, confirmed_ms FROM contact WHERE id = $1";
    BY_STATE = "SELECT id, address, address_key, name, organisation, role, phone, state, nonce, created_ms, confirmed_ms FROM contact WHERE $1 = '' OR state = $1 ORDER BY created_ms, id";
    LOCK = "UPDATE contact SET state = state WHERE id = $1";
    CONFIRM = "UPDATE contact SET state = 'confirmed', confirmed_ms = coalesce(confirmed_ms, $6), name = $2, organisation = CASE WHEN $3 = '' THEN organisation ELSE $3 END, role = CASE WHEN $4 = '' THEN role ELSE $4 END, phone = CASE WHEN $5 = '' THEN phone ELSE $5 END WHERE id = $1";
    REQUEST = "INSERT INTO subscription (id, contact_id, purpose, state, nonce, changed_ms) VALUES ($1, $2, $3, 'requested', $4, $5) ON CONFLICT (contact_id, purpose) DO UPDATE SET purpose = excluded.purpose, state = CASE WHEN subscription.state = 'withdrawn' THEN 'requested' ELSE subscription.state END, changed_ms = CASE WHEN subscription.state = 'withdrawn' THEN excluded.changed_ms ELSE subscription.changed_ms END, turned = NOT subscription.turned";
    AGREE = "INSERT INTO subscription (id, contact_id, purpose, state, nonce, changed_ms) VALUES ($1, $2, $3, 'confirmed', $4, $5) ON CONFLICT (contact_id, purpose) DO UPDATE SET state = 'confirmed', changed_ms = excluded.changed_ms WHERE subscription.state <> 'confirmed'";
    WITHDRAW = "UPDATE subscription SET state = 'withdrawn', changed_ms = $3 WHERE contact_id = $1 AND purpose = $2 AND state <> 'withdrawn'";
    SUBSCRIPTIONS = "SELECT contact_id, purpose, state, nonce, changed_ms FROM subscription WHERE contact_id = $1 ORDER BY purpose";
    SUBSCRIPTION = "SELECT contact_id, purpose, state, nonce, changed_ms FROM subscription WHERE id = $1";
    LEDGER_HEAD = "SELECT n_entry, hash FROM consent WHERE contact_id = $1 ORDER BY n_entry DESC LIMIT 1";
    LEDGER = "SELECT n_entry, purpose, event, wording, wording_version, locale, form_url, ip, message_id, at_ms, previous_hash, hash FROM consent WHERE contact_id = $1 ORDER BY n_entry";
    APPEND = "INSERT INTO consent (contact_id, n_entry, purpose, event, wording, wording_version, locale, form_url, ip, message_id, at_ms, previous_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    MESSAGES = "SELECT id, kind, to_address, state, n_attempts, due_ms, last_error, created_ms, sent_ms FROM message WHERE contact_id = $1 ORDER BY created_ms, id";
    ERASURE = "INSERT INTO erasure (id, address_hash, n_entries, ledger_head, erased_ms) VALUES ($1, $2, $3, $4, $5)";
    ERASURES = "SELECT address_hash, max(erased_ms) FROM erasure GROUP BY address_hash";
    FORGET_SIGNUPS = "DELETE FROM signup WHERE contact_id = $1";
    FORGET = "DELETE FROM contact WHERE id = $1";
    SILENT = "SELECT id, address, address_key, name, organisation, role, phone, state, nonce, created_ms, confirmed_ms FROM contact WHERE state = 'pending' AND created_ms < $1 AND ($2 = '' OR id = $2) AND NOT EXISTS (SELECT 1 FROM message WHERE message.contact_id = contact.id AND message.created_ms >= $1) ORDER BY created_ms, id";
}

pub(crate) async fn is_suppressed(on: &mut impl Queries, hash: &str) -> Result<bool, DbError> {
    let row = fetch!(fetch_optional => (String,), on, SUPPRESSED, hash)?;
    Ok(row.is_some())
}

/// Never write to an address again: a bounce or a complaint. `reason` is one of these two words.
///
/// # Errors
/// If the database fails.
pub async fn suppress(tx: &mut Tx, hash: &str, reason: &str, now_ms: i64) -> Result<(), DbError> {
    execute!(tx, SUPPRESS, hash, reason, now_ms).map(|_| ())
}

/// Makes a pending contact unless the address has one. Either way the row and every entry of its indexes is written: what a
/// statement does must not depend on whether it finds a row, here and in [`request`].
pub(crate) async fn admit(
    tx: &mut Tx,
    id: &str,
    nonce: &str,
    person: &Person,
    now_ms: i64,
) -> Result<(), DbError> {
    let Person { name, address, organisation, role, phone } = person;
    let (address, key) = (&address.address, &address.key);
    later!(tx, ADMIT, id, address, key, name, organisation, role, phone, nonce, now_ms)
}

/// The contact of an address, with what decides whether it may be written to; `kind` and `since_ms` say which mails count.
pub(crate) async fn known(
    tx: &mut Tx,
    address_key: &str,
    hash: &str,
    kind: &str,
    since_ms: i64,
) -> Result<Admitted, DbError> {
    fetch!(fetch_one => Admitted, tx, KNOWN, address_key, hash, kind, since_ms)
}

pub(crate) async fn by_id(on: &mut impl Queries, id: &str) -> Result<Option<Contact>, DbError> {
    fetch!(fetch_optional => Contact, on, BY_ID, id)
}

/// Every contact, or those in `state`, oldest first.
///
/// # Errors
/// If the database fails.
pub async fn by_state(on: &mut impl Queries, state: &str) -> Result<Vec<Contact>, DbError> {
    fetch!(fetch_all => Contact, on, BY_STATE, state)
}

/// Holds a contact's row until the transaction ends, so that its ledger has one writer; false if it is gone. Whatever changes
/// rows of a person takes this one first: PostgreSQL stops one of two that take the same rows in different orders.
///
/// # Errors
/// If the database fails.
pub async fn lock(tx: &mut Tx, contact_id: &str) -> Result<bool, DbError> {
    execute!(tx, LOCK, contact_id).map(|n| n == 1)
}

pub(crate) async fn confirm(
    tx: &mut Tx,
    contact_id: &str,
    person: &Person,
    now_ms: i64,
) -> Result<(), DbError> {
    let Person { name, organisation, role, phone, .. } = person;
    execute!(tx, CONFIRM, contact_id, name, organisation, role, phone, now_ms).map(|_| ())
}

pub(crate) async fn request(
    tx: &mut Tx,
    id: &str,
    contact_id: &str,
    purpose: &str,
    nonce: &str,
    now_ms: i64,
) -> Result<(), DbError> {
    later!(tx, REQUEST, id, contact_id, purpose, nonce, now_ms)
}

/// True if the purpose was not confirmed before.
pub(crate) async fn agree(
    tx: &mut Tx,
    id: &str,
    contact_id: &str,
    purpose: &str,
    nonce: &str,
    now_ms: i64,
) -> Result<bool, DbError> {
    execute!(tx, AGREE, id, contact_id, purpose, nonce, now_ms).map(|n| n == 1)
}

/// True if there was something to withdraw.
pub(crate) async fn withdraw(
    tx: &mut Tx,
    contact_id: &str,
    purpose: &str,
    now_ms: i64,
) -> Result<bool, DbError> {
    execute!(tx, WITHDRAW, contact_id, purpose, now_ms).map(|n| n == 1)
}

pub(crate) async fn subscriptions(
    on: &mut impl Queries,
    contact_id: &str,
) -> Result<Vec<Subscription>, DbError> {
    fetch!(fetch_all => Subscription, on, SUBSCRIPTIONS, contact_id)
}

pub(crate) async fn subscription(
    on: &mut impl Queries,
    id: &str,
) -> Result<Option<Subscription>, DbError> {
    fetch!(fetch_optional => Subscription, on, SUBSCRIPTION, id)
}

pub(crate) async fn ledger_head(
    on: &mut impl Queries,
    contact_id: &str,
) -> Result<Option<(i64, String)>, DbError> {
    fetch!(fetch_optional => (i64, String), on, LEDGER_HEAD, contact_id)
}

pub(crate) async fn ledger(on: &mut impl Queries, contact_id: &str) -> Result<Vec<Entry>, DbError> {
    fetch!(fetch_all => Entry, on, LEDGER, contact_id)
}

pub(crate) async fn append(tx: &mut Tx, contact_id: &str, e: &Entry) -> Result<(), DbError> {
    later!(
        tx,
        APPEND,
        contact_id,
        e.n_entry,
        &e.purpose,
        &e.event,
        &e.wording,
        &e.wording_version,
        &e.locale,
        &e.form_url,
        &e.ip,
        &e.message_id,
        e.at_ms,
        &e.previous_hash,
        &e.hash
    )
}

pub(crate) async fn messages(
    on: &mut impl Queries,
    contact_id: &str,
) -> Result<Vec<base::mail::Row>, DbError> {
    fetch!(fetch_all => base::mail::Row, on, MESSAGES, contact_id)
}

/// Deletes a contact with everything that hangs on it, leaving the receipt.
pub(crate) async fn erase(
    tx: &mut Tx,
    erasure_id: &str,
    contact_id: &str,
    address_hash: &str,
    (n_entries, head): (i64, &str),
    now_ms: i64,
) -> Result<(), DbError> {
    execute!(tx, ERASURE, erasure_id, address_hash, n_entries, head, now_ms)?;
    forget(tx, contact_id).await.map(|_| ())
}

/// Deletes a contact with mails, sign-ups and consents.
pub(crate) async fn forget(tx: &mut Tx, contact_id: &str) -> Result<u64, DbError> {
    base::mail::forget_contact(tx, contact_id).await?;
    execute!(tx, FORGET_SIGNUPS, contact_id)?;
    execute!(tx, FORGET, contact_id)
}

/// When each erased address, known by its hash, was erased last.
pub(crate) async fn erasures(on: &mut impl Queries) -> Result<Vec<(String, i64)>, DbError> {
    fetch!(fetch_all => (String, i64), on, ERASURES)
}

/// Contacts (or the one with this id) who never confirmed and have been sent nothing since `before_ms`.
pub(crate) async fn silent(
    on: &mut impl Queries,
    before_ms: i64,
    id: &str,
) -> Result<Vec<Contact>, DbError> {
    fetch!(fetch_all => Contact, on, SILENT, before_ms, id)
}
