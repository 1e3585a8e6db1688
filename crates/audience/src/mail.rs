//! The mail that leads to one's preferences, for somebody who has lost every other.

use askama::Template;
use base::house::House;
use base::mail::{Letter, Outgoing, WriteError, Writer, Written};
use base::words::greeting;
use futures_util::future::BoxFuture;

use crate::{Contact, preferences_url, recipient, unsubscribe_url};

/// The kind of the mail.
pub(crate) const PREFERENCES: &str = "preferences";

/// How this capability's mails are written.
#[must_use]
pub fn templates() -> Vec<(&'static str, Writer)> {
    vec![(PREFERENCES, preferences)]
}

#[derive(Template)]
#[template(path = "preferences.txt", escape = "none")]
struct PreferencesLetter<'a> {
    greeting: String,
    provider: &'a base::site::Provider,
    preferences: String,
    unsubscribe: String,
}

fn preferences<'a>(
    house: &'a House,
    outgoing: &'a Outgoing,
) -> BoxFuture<'a, Result<Written, WriteError>> {
    Box::pin(async move {
        let id = outgoing.contact_id.as_deref().unwrap_or("");
        let contact = recipient(&mut house.db.reader().await?, house, id).await?;
        let Some(contact) = contact else {
            return Ok(Written::Unwanted("the contact is gone, or must not be written to"));
        };
        Ok(Written::Letter(letter(house, &contact)?))
    })
}

/// The letter with a contact's link to their preferences.
pub(crate) fn letter(house: &House, contact: &Contact) -> Result<Letter, WriteError> {
    let unsubscribe = unsubscribe_url(house, contact);
    let file = PreferencesLetter {
        greeting: greeting(&contact.name),
        provider: &house.site.provider,
        preferences: preferences_url(house, contact),
        unsubscribe: unsubscribe.clone(),
    };
    Ok(house.letter(&file)?.with_unsubscribe(unsubscribe))
}
