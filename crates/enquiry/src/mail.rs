//! The two mails of an enquiry. Each is queued with the enquiry's id only and written from its row when it is sent, so that an
//! erased enquiry leaves nothing in the outbox.

use askama::Template;
use audience::Contact;
use base::clock::{self, DAY_MS};
use base::house::House;
use base::mail::{Letter, Outgoing, WriteError, Writer, Written};
use base::words::{greeting, without_web_addresses};
use futures_util::future::BoxFuture;

use crate::model::{Enquiry, Topic, quoted, reference};
use crate::store;

/// The kind of the mail to the provider.
pub(crate) const TO_PROVIDER: &str = "enquiry-provider";

/// The kind of the receipt.
pub(crate) const RECEIPT: &str = "enquiry-receipt";

/// UK law asks for the acknowledgement of a complaint within this time (Data Protection Act 2018, section 164A).
const ACKNOWLEDGE_WITHIN_MS: i64 = 30 * DAY_MS;

/// How this capability's mails are written.
#[must_use]
pub fn templates() -> Vec<(&'static str, Writer)> {
    vec![(TO_PROVIDER, write_to_provider), (RECEIPT, write_receipt)]
}

#[derive(Template)]
#[template(path = "enquiry-provider.txt")]
struct ToProvider<'a> {
    enquiry: &'a Enquiry,
    reference: String,
    at: String,
    topic: &'a str,
    programme: &'a str,
    message: String,
    profile: String,
    promise: &'a str,
    /// Whether a receipt went to the person.
    has_receipt: bool,
    /// When a complaint must be acknowledged.
    acknowledge_by: String,
}

fn write_to_provider<'a>(
    house: &'a House,
    outgoing: &'a Outgoing,
) -> BoxFuture<'a, Result<Written, WriteError>> {
    Box::pin(async move {
        let mut reader = house.db.reader().await?;
        let Some(enquiry) = store::by_id(&mut reader, outgoing.param("enquiry")).await? else {
            return Ok(Written::Unwanted("the enquiry was erased"));
        };
        let has_receipt = outgoing.params["receipt"] == true;
        let letter = to_provider(house, &enquiry, outgoing.param("programme"), has_receipt)?;
        Ok(Written::Letter(letter))
    })
}

/// The letter to the provider, answered to the person.
pub(crate) fn to_provider(
    house: &House,
    enquiry: &Enquiry,
    programme: &str,
    has_receipt: bool,
) -> Result<Letter, WriteError> {
    let file = ToProvider {
        reference: reference(&enquiry.id),
        at: clock::in_words_to_the_minute(enquiry.created_ms),
        topic: Topic::parse(&enquiry.topic).map_or("", Topic::label),
        programme,
        message: quoted(&enquiry.message),
        profile: quoted(&enquiry.profile),
        promise: &house.site.contact.reply_promise,
        has_receipt,
        acknowledge_by: clock::in_words(enquiry.created_ms + ACKNOWLEDGE_WITHIN_MS),
        enquiry,
    };
    Ok(house.letter(&file)?.with_reply_to(enquiry.address.clone()))
}

#[derive(Template)]
#[template(path = "enquiry-receipt.txt")]
struct Receipt<'a> {
    reference: String,
    greeting: String,
    on: String,
    is_complaint: bool,
    message: String,
    has_profile: bool,
    promise: &'a str,
    provider: &'a base::site::Provider,
    site: &'a str,
    preferences: String,
    unsubscribe: String,
}

fn write_receipt<'a>(
    house: &'a House,
    outgoing: &'a Outgoing,
) -> BoxFuture<'a, Result<Written, WriteError>> {
    Box::pin(async move {
        let mut reader = house.db.reader().await?;
        let contact_id = outgoing.contact_id.as_deref().unwrap_or_default();
        let contact = audience::recipient(&mut reader, house, contact_id).await?;
        let enquiry = store::by_id(&mut reader, outgoing.param("enquiry")).await?;
        let (Some(contact), Some(enquiry)) = (contact, enquiry) else {
            let what = "the enquiry was erased, or its address must not be written to";
            return Ok(Written::Unwanted(what));
        };
        Ok(Written::Letter(receipt(house, &enquiry, &contact)?))
    })
}

/// The receipt, answered to the provider.
pub(crate) fn receipt(
    house: &House,
    enquiry: &Enquiry,
    contact: &Contact,
) -> Result<Letter, WriteError> {
    let provider = &house.site.provider;
    let unsubscribe = audience::unsubscribe_url(house, contact);
    let file = Receipt {
        reference: reference(&enquiry.id),
        greeting: greeting(&enquiry.name),
        on: clock::in_words(enquiry.created_ms),
        is_complaint: enquiry.is_complaint(),
        message: quoted(&without_web_addresses(&enquiry.message)),
        has_profile: !enquiry.profile.is_empty(),
        promise: &house.site.contact.reply_promise,
        provider,
        site: house.host(),
        preferences: audience::preferences_url(house, contact),
        unsubscribe: unsubscribe.clone(),
    };
    Ok(house.letter(&file)?.with_unsubscribe(unsubscribe).with_reply_to(provider.email.clone()))
}
