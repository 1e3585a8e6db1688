//! Whom we may write to, and what they agreed to: contacts, the consent ledger, preferences, export and erasure.
//!
//! A sign-up *admits* a contact as pending and *requests* consents; only the person's own POST from a mailed link *confirms*
//! them. Every step is an entry in a ledger whose entries are chained by hash, contact by contact. Leaving is as easy as
//! coming: `/u/` stops mail, `/p/` shows everything that may be done with an address, copies it out, and erases it.

mod archive;
mod ledger;
mod mail;
mod model;
mod pages;
mod samples;
mod store;

use std::sync::Arc;

use base::clock::{DAY_MS, MINUTE_MS};
use base::db::{DbError, Queries, Reader, Tx};
use base::house::House;
use base::http::Visit;
use base::keys::Use;
use futures_util::future::BoxFuture;

pub use ledger::{Entry, Event, verify as verify_ledger};
pub use mail::templates;
pub use model::{Admitted, Contact, Person, State};
pub use pages::routes;
pub use samples::{contact as sample_contact, samples};
pub use store::{STATEMENTS, by_state, lock, suppress};

/// An address gets at most one mail of a kind that somebody else may have asked for in this time.
const ASK_PAUSE_MS: i64 = 10 * MINUTE_MS;
/// And at most this many a day.
const ASKS_DAILY_MAX: i64 = 3;
/// A contact who never confirmed is forgotten after this long.
pub const UNCONFIRMED_KEPT_MS: i64 = 14 * DAY_MS;

/// The purpose whose consent lets answers stay, unlinked, after an erasure.
const RESEARCH: &str = "research";

/// A file of somebody's export: an array of records becomes a table too.
#[derive(Clone, Debug)]
pub struct Export {
    /// Its name without ending.
    pub file: String,
    /// What is in it.
    pub json: serde_json::Value,
}

/// Copies out what a capability holds about a contact.
pub type ExportFn =
    for<'a> fn(&'a mut Reader, &'a Contact) -> BoxFuture<'a, Result<Vec<Export>, DbError>>;

/// Erases what a capability holds about a contact; the flag says whether answers may stay, unlinked, for research.
pub type EraseFn =
    for<'a> fn(&'a mut Tx, &'a House, &'a Contact, bool) -> BoxFuture<'a, Result<(), DbError>>;

/// Whether a capability holds something for which it needs a contact who never confirmed.
pub type KeepsFn = for<'a> fn(&'a mut Reader, &'a Contact) -> BoxFuture<'a, Result<bool, DbError>>;

/// What another capability holds about a person.
#[derive(Clone, Copy, Debug)]
pub struct Holding {
    /// Copies it out.
    pub export: ExportFn,
    /// Erases it.
    pub erase: EraseFn,
    /// Whether there is something that lasts longer than an unconfirmed contact.
    pub keeps: KeepsFn,
}

/// The contact of a person's address, made pending if it is new. The name and other details of a contact who is already there
/// stay as they are until somebody confirms from their inbox.
///
/// The work is the same for every address: a suppressed one is written too, and said to be. The caller marks before, with
/// [`Tx::mark`], and undoes it, with [`Tx::settle`], after the rest of the work that is to take the same time. `kind` is that of
/// the mail that [`Admitted::take_share`] takes.
///
/// # Errors
/// If the database fails.
pub async fn admit(
    tx: &mut Tx,
    visit: &Visit,
    person: &Person,
    kind: &str,
) -> Result<Admitted, DbError> {
    let key = &person.address.key;
    let hash = visit.house.keys.address_hash(key);
    let id = visit.house.chance.id(visit.now_ms);
    let nonce = visit.house.chance.nonce();
    store::admit(tx, &id, &nonce, person, visit.now_ms).await?;
    let admitted = store::known(tx, key, &hash, kind, asks_since_ms(visit)).await?;
    Ok(Admitted { is_new: admitted.contact.id == id, ..admitted })
}

impl Admitted {
    /// The same, from a form whose trap may have been filled in.
    #[must_use]
    pub fn trapped(self, is_trapped: bool) -> Self {
        Self { is_trapped, ..self }
    }

    /// Whether what is written for it may stand: not if the address must not be written to, nor if a trap was filled in.
    #[must_use]
    pub fn stands(&self) -> bool {
        !self.is_suppressed && !self.is_trapped
    }

    /// Takes one of the mails that the address may be sent, of the kind that was named when it was admitted; false if none is
    /// left. A yes is counted, so the mail must be queued: what sends nothing must use up nobody's share.
    #[must_use]
    pub fn take_share(&self, visit: &Visit) -> bool {
        self.stands() && take_share_of(visit, &self.contact, self.n_asked, self.asked_ms)
    }
}

/// Puts on record that consents were asked for, in the words that stood beside the boxes.
///
/// # Errors
/// If the database fails.
pub async fn request(
    tx: &mut Tx,
    visit: &Visit,
    admitted: &Admitted,
    purposes: &[String],
    form_url: &str,
    message_id: Option<&str>,
) -> Result<(), DbError> {
    let mut ledger = ledger::Ledger::of_admitted(admitted);
    for purpose in purposes {
        ledger.append(tx, visit, Event::Requested, purpose, form_url, message_id).await?;
        let id = visit.house.chance.id(visit.now_ms);
        let nonce = visit.house.chance.nonce();
        store::request(tx, &id, &admitted.contact.id, purpose, &nonce, visit.now_ms).await?;
    }
    Ok(())
}

/// Takes one of the mails of a kind that anybody can ask for and that a contact may be sent; false if none is left. A yes is
/// counted: the mail must be queued.
///
/// # Errors
/// If the database fails.
pub async fn take_share(
    on: &mut impl Queries,
    visit: &Visit,
    contact: &Contact,
    kind: &str,
) -> Result<bool, DbError> {
    let (n_today, last_ms) =
        base::mail::sent_since(on, &contact.id, kind, asks_since_ms(visit)).await?;
    Ok(take_share_of(visit, contact, n_today, last_ms))
}

/// Since when the mails to an address count.
fn asks_since_ms(visit: &Visit) -> i64 {
    visit.now_ms - DAY_MS
}

/// Takes one mail more for an address that had `n_today` of a kind, the last at `last_ms`, if it may have one.
fn take_share_of(visit: &Visit, contact: &Contact, n_today: i64, last_ms: i64) -> bool {
    let house = &visit.house;
    if !house.budgets.on() {
        return true;
    }
    if n_today >= ASKS_DAILY_MAX || visit.now_ms - last_ms < ASK_PAUSE_MS {
        return false;
    }
    let inbox = house.keys.address_hash(&base::address::inbox(&contact.address_key));
    house.budgets.take_letter(inbox, visit.now_ms)
}

/// The person pressed the button in their own inbox: the contact is confirmed, with the details that came with the request,
/// and so is each purpose. Doing it again changes nothing.
///
/// # Errors
/// If the database fails.
pub async fn confirm(
    tx: &mut Tx,
    visit: &Visit,
    contact_id: &str,
    person: &Person,
    purposes: &[String],
    form_url: &str,
    message_id: Option<&str>,
) -> Result<(), DbError> {
    store::confirm(tx, contact_id, person, visit.now_ms).await?;
    agree(tx, visit, contact_id, purposes, form_url, message_id).await
}

/// Confirms purposes that are not confirmed yet.
async fn agree(
    tx: &mut Tx,
    visit: &Visit,
    contact_id: &str,
    purposes: &[String],
    form_url: &str,
    message_id: Option<&str>,
) -> Result<(), DbError> {
    let mut ledger = ledger::Ledger::of(tx, contact_id).await?;
    for purpose in purposes {
        let id = visit.house.chance.id(visit.now_ms);
        let nonce = visit.house.chance.nonce();
        if store::agree(tx, &id, contact_id, purpose, &nonce, visit.now_ms).await? {
            ledger.append(tx, visit, Event::Confirmed, purpose, form_url, message_id).await?;
        }
    }
    Ok(())
}

/// Withdraws purposes that are requested or confirmed.
async fn withdraw(
    tx: &mut Tx,
    visit: &Visit,
    contact_id: &str,
    purposes: &[String],
    form_url: &str,
) -> Result<(), DbError> {
    let mut ledger = ledger::Ledger::of(tx, contact_id).await?;
    for purpose in purposes {
        if store::withdraw(tx, contact_id, purpose, visit.now_ms).await? {
            ledger.append(tx, visit, Event::Withdrawn, purpose, form_url, None).await?;
        }
    }
    Ok(())
}

/// A contact by id.
///
/// # Errors
/// If the database fails.
pub async fn contact(on: &mut impl Queries, id: &str) -> Result<Option<Contact>, DbError> {
    store::by_id(on, id).await
}

/// The contact whom a mail that is due goes to; nothing if they are gone or their address must not be written to by now.
///
/// # Errors
/// If the database fails.
pub async fn recipient(
    on: &mut impl Queries,
    house: &House,
    id: &str,
) -> Result<Option<Contact>, DbError> {
    let Some(contact) = store::by_id(on, id).await? else { return Ok(None) };
    let hash = house.keys.address_hash(&contact.address_key);
    Ok(if store::is_suppressed(on, &hash).await? { None } else { Some(contact) })
}

/// As [`recipient`], with the contact's row held until the transaction ends, so that what is decided about them is decided once.
///
/// # Errors
/// If the database fails.
pub async fn hold(tx: &mut Tx, house: &House, id: &str) -> Result<Option<Contact>, DbError> {
    store::lock(tx, id).await?;
    recipient(tx, house, id).await
}

/// Whether a contact has confirmed a purpose and not withdrawn it.
///
/// # Errors
/// If the database fails.
pub async fn agrees(
    on: &mut impl Queries,
    contact_id: &str,
    purpose: &str,
) -> Result<bool, DbError> {
    let subscriptions = store::subscriptions(on, contact_id).await?;
    Ok(subscriptions.iter().any(|s| s.purpose == purpose && s.state == "confirmed"))
}

/// The link at the foot of a service mail: "no more mail".
#[must_use]
pub fn unsubscribe_url(house: &House, contact: &Contact) -> String {
    house.link(Use::Unsubscribe, &contact.id, &contact.nonce)
}

/// The link to a contact's preferences.
#[must_use]
pub fn preferences_url(house: &House, contact: &Contact) -> String {
    house.link(Use::Preferences, &contact.id, &contact.nonce)
}

/// Forgets contacts who never confirmed, [`UNCONFIRMED_KEPT_MS`] after they were last written to, with all that is held about
/// them. Whoever has something that lasts longer (an enquiry) stays with it, or they could not copy it out or erase it any
/// more. Harmless to run twice.
///
/// # Errors
/// If the database fails.
pub async fn retain(house: &House, holdings: &[Holding]) -> Result<u64, DbError> {
    let before_ms = house.clock.now_ms() - UNCONFIRMED_KEPT_MS;
    let silent = store::silent(&mut house.db.reader().await?, before_ms, "").await?;
    let mut n_forgotten = 0;
    for contact in silent {
        if !is_kept(&mut house.db.reader().await?, &contact, holdings).await? {
            let mut tx = house.db.begin().await?;
            n_forgotten += forget(&mut tx, house, &contact, holdings, before_ms).await?;
            tx.commit().await?;
        }
    }
    Ok(n_forgotten)
}

async fn is_kept(
    reader: &mut Reader,
    contact: &Contact,
    holdings: &[Holding],
) -> Result<bool, DbError> {
    for holding in holdings {
        if (holding.keeps)(reader, contact).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Forgets one contact, unless they were written to or confirmed in the meantime; gives how many were forgotten.
async fn forget(
    tx: &mut Tx,
    house: &House,
    contact: &Contact,
    holdings: &[Holding],
    before_ms: i64,
) -> Result<u64, DbError> {
    store::lock(tx, &contact.id).await?;
    if store::silent(tx, before_ms, &contact.id).await?.is_empty() {
        return Ok(0);
    }
    for holding in holdings {
        (holding.erase)(tx, house, contact, false).await?;
    }
    store::forget(tx, &contact.id).await
}

/// Erases a contact everywhere, leaving a receipt with the head of their ledger. Answers stay for research, unlinked, if the
/// person agrees to that and `may_keep` is true.
async fn erase(
    tx: &mut Tx,
    house: &House,
    contact: &Contact,
    holdings: &[Holding],
    erasure_id: &str,
    may_keep: bool,
) -> Result<(), DbError> {
    store::lock(tx, &contact.id).await?;
    let keeps_research = may_keep && agrees(tx, &contact.id, RESEARCH).await?;
    let ledger = ledger::Ledger::of(tx, &contact.id).await?;
    for holding in holdings {
        (holding.erase)(tx, house, contact, keeps_research).await?;
    }
    let hash = house.keys.address_hash(&contact.address_key);
    let chain = (ledger.n_entries(), ledger.head());
    store::erase(tx, erasure_id, &contact.id, &hash, chain, house.clock.now_ms()).await
}

/// Erases once more whoever was erased before and is here again from an older backup; gives how many. A person who signed
/// up afresh after their erasure stays. Nothing stays for research: the consents came from the backup too, and may have been
/// withdrawn after it. Run at every start: without erasures it costs one query.
///
/// # Errors
/// If the database fails.
pub async fn redo_erasures(house: &House, holdings: &[Holding]) -> Result<usize, DbError> {
    let mut reader = house.db.reader().await?;
    let erased: std::collections::HashMap<String, i64> =
        store::erasures(&mut reader).await?.into_iter().collect();
    if erased.is_empty() {
        return Ok(0);
    }
    let contacts = store::by_state(&mut reader, "").await?;
    drop(reader);
    let is_back = |contact: &&Contact| {
        let hash = house.keys.address_hash(&contact.address_key);
        erased.get(&hash).is_some_and(|&erased_ms| contact.created_ms < erased_ms)
    };
    let back: Vec<&Contact> = contacts.iter().filter(is_back).collect();
    for contact in &back {
        let erasure_id = house.chance.id(house.clock.now_ms());
        let mut tx = house.db.begin().await?;
        erase(&mut tx, house, contact, holdings, &erasure_id, false).await?;
        tx.commit().await?;
    }
    Ok(back.len())
}

/// What the pages of this capability share.
#[derive(Clone)]
struct Audience {
    house: Arc<House>,
    holdings: Arc<Vec<Holding>>,
}

impl axum::extract::FromRef<Audience> for Arc<House> {
    fn from_ref(audience: &Audience) -> Self {
        Arc::clone(&audience.house)
    }
}
