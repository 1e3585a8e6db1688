//! The job that sends. It may run twice for one mail (a crash between the server's `250` and our commit): the Message-ID is the
//! same, so a mail client shows one. It never loses one: a mail stays due until an attempt is on record.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::store::{self, Claimed, Settled};
use super::{Letter, Outgoing, Transport, WriteError, Written, mailbox, transport};
use crate::clock::{DAY_MS, MINUTE_MS};
use crate::db::DbError;
use crate::house::House;
use crate::mail::Failure;

/// Mails sent side by side.
const BATCH_MAX: i64 = 16;
/// The first retry; doubled each time.
const RETRY_FIRST_MS: i64 = 5 * MINUTE_MS;
/// The longest pause between two attempts.
const RETRY_PAUSE_MAX_MS: i64 = 6 * 60 * MINUTE_MS;
/// A mail is given up after this long (RFC 5321 4.5.4.1).
const GIVE_UP_AFTER_MS: i64 = 4 * DAY_MS;
/// How long the job sleeps when nobody rings and nothing is due: another node may have queued.
const POLL_PAUSE: Duration = Duration::from_secs(20);

/// Sends until told to stop: when rung, when something is due, and now and then.
pub async fn run(
    house: Arc<House>,
    transport: Transport,
    mut stop: tokio::sync::watch::Receiver<bool>,
) {
    if house.db.engine() == "SQLite"
        && let Err(e) = free_leases(&house).await
    {
        tracing::error!("The mails of an earlier run could not be freed: {e}");
    }
    while !*stop.borrow() {
        match deliver_due(&house, &transport).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(e) => tracing::error!("The mail job failed and will try again: {e}"),
        }
        let pause = pause(&house).await;
        tokio::select! {
            () = house.mail_queued.notified() => {}
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Sends what is due now, at most one batch; gives the number of mails taken up.
///
/// # Errors
/// If the database fails.
pub async fn deliver_due(house: &House, transport: &Transport) -> Result<usize, DbError> {
    let now_ms = house.clock.now_ms();
    let mut reader = house.db.reader().await?;
    if store::next_due_ms(&mut reader).await?.is_none_or(|due_ms| due_ms > now_ms) {
        return Ok(0);
    }
    drop(reader);
    let mut tx = house.db.begin().await?;
    let claimed = store::claim(&mut tx, now_ms, BATCH_MAX).await?;
    tx.commit().await?;
    let attempts = claimed.iter().map(|one| deliver(house, transport, one));
    for outcome in join_all(attempts).await {
        outcome?;
    }
    Ok(claimed.len())
}

async fn free_leases(house: &House) -> Result<(), DbError> {
    let mut tx = house.db.begin().await?;
    store::unlease(&mut tx, house.clock.now_ms()).await?;
    tx.commit().await
}

async fn pause(house: &House) -> Duration {
    let Ok(mut reader) = house.db.reader().await else { return POLL_PAUSE };
    let due_ms = store::next_due_ms(&mut reader).await.ok().flatten();
    let wait_ms = due_ms.map_or(i64::MAX, |due_ms| (due_ms - house.clock.now_ms()).max(50));
    POLL_PAUSE.min(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(u64::MAX)))
}

/// One attempt: write, compose, hand over, put on record.
async fn deliver(house: &House, transport: &Transport, claimed: &Claimed) -> Result<(), DbError> {
    let outgoing = Outgoing {
        id: claimed.id.clone(),
        kind: claimed.kind.clone(),
        contact_id: claimed.contact_id.clone(),
        to_address: claimed.to_address.clone(),
        params: serde_json::from_str(&claimed.params).unwrap_or_default(),
    };
    let attempt = attempt(house, transport, claimed, &outgoing).await;
    let now_ms = house.clock.now_ms();
    let mut tx = house.db.begin().await?;
    let settled = match &attempt {
        Attempt::Sent { letter, headers, reply } => {
            if matches!(transport, Transport::Mailbox) {
                mailbox::put(&mut tx, &outgoing, letter, headers, now_ms).await?;
            }
            Settled { state: "sent", outcome: "sent", detail: reply, due_ms: now_ms }
        }
        Attempt::Unwanted(reason) => {
            Settled { state: "cancelled", outcome: "failed", detail: reason, due_ms: now_ms }
        }
        Attempt::Failed(Failure::Permanent(reason)) => {
            Settled { state: "failed", outcome: "failed", detail: reason, due_ms: now_ms }
        }
        Attempt::Failed(Failure::Transient(reason)) => match retry_at_ms(claimed, now_ms) {
            Some(due_ms) => Settled { state: "queued", outcome: "retry", detail: reason, due_ms },
            None => Settled { state: "failed", outcome: "failed", detail: reason, due_ms: now_ms },
        },
    };
    store::settle(&mut tx, claimed, &settled, now_ms).await?;
    tx.commit().await?;
    if settled.outcome != "sent" {
        let (id, state) = (&claimed.id, settled.state);
        tracing::warn!(message.id = %id, state, "Mail {id} is {state}; see `bellwether list messages`");
    }
    Ok(())
}

enum Attempt {
    Sent { letter: Box<Letter>, headers: String, reply: String },
    Unwanted(&'static str),
    Failed(Failure),
}

async fn attempt(
    house: &House,
    transport: &Transport,
    claimed: &Claimed,
    outgoing: &Outgoing,
) -> Attempt {
    let Some(writer) = house.templates.0.get(outgoing.kind.as_str()) else {
        let what = format!("this version knows no mail of kind {}", outgoing.kind);
        return Attempt::Failed(Failure::Permanent(what));
    };
    let letter = match writer(house, outgoing).await {
        Ok(Written::Letter(letter)) => letter,
        Ok(Written::Unwanted(reason)) => return Attempt::Unwanted(reason),
        Err(WriteError::Db(e)) => return Attempt::Failed(Failure::Transient(e.to_string())),
        Err(e) => return Attempt::Failed(Failure::Permanent(e.to_string())),
    };
    let message = match transport::compose(house, outgoing, &letter, claimed.created_ms) {
        Ok(message) => message,
        Err(what) => return Attempt::Failed(Failure::Permanent(what)),
    };
    let headers = message.headers().to_string();
    match transport.send(message).await {
        Ok(reply) => Attempt::Sent { letter: Box::new(letter), headers, reply },
        Err(failure) => Attempt::Failed(failure),
    }
}

/// When to try again, or nothing if it is time to give up.
fn retry_at_ms(claimed: &Claimed, now_ms: i64) -> Option<i64> {
    let doublings = u32::try_from(claimed.n_attempts - 1).unwrap_or(0).min(10);
    let pause_ms = (RETRY_FIRST_MS << doublings).min(RETRY_PAUSE_MAX_MS);
    (now_ms + pause_ms - claimed.created_ms < GIVE_UP_AFTER_MS).then_some(now_ms + pause_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_until_a_mail_is_given_up_after_four_days() {
        let mut claimed = Claimed {
            id: String::new(),
            kind: String::new(),
            contact_id: None,
            to_address: String::new(),
            params: String::new(),
            n_attempts: 1,
            created_ms: 0,
        };
        assert_eq!(retry_at_ms(&claimed, 0), Some(5 * MINUTE_MS));
        claimed.n_attempts = 3;
        assert_eq!(retry_at_ms(&claimed, 100), Some(100 + 20 * MINUTE_MS));
        claimed.n_attempts = 30;
        assert_eq!(retry_at_ms(&claimed, 0), Some(RETRY_PAUSE_MAX_MS));
        assert_eq!(retry_at_ms(&claimed, GIVE_UP_AFTER_MS), None);
    }
}
