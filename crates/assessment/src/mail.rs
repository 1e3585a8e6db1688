//! The two mails of the journey: the link to begin (or to claim a result), and the link to the report.

use askama::Template;
use audience::Contact;
use base::clock;
use base::db::{DbError, Tx};
use base::house::House;
use base::http::Visit;
use base::keys::Use;
use base::mail::{Letter, NewMessage, Outgoing, WriteError, Writer, Written};
use base::words::greeting;
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::store::{self, Signup, Sitting};

/// The mail that asks for the confirmation.
pub(crate) const CONFIRM: &str = "confirm";
/// The mail with the link to the report.
pub(crate) const RESULT: &str = "result";

/// How this capability's mails are written.
#[must_use]
pub fn templates() -> Vec<(&'static str, Writer)> {
    vec![(CONFIRM, confirm), (RESULT, result)]
}

/// The subject of the confirmation mail, so that the page can name it.
pub(crate) fn confirm_subject(asks_first: bool) -> &'static str {
    if asks_first { "Your link to the quiz" } else { "Your link to your result" }
}

/// The confirmation mail of a sign-up.
pub(crate) fn confirmation<'a>(
    visit: &Visit,
    message_id: &'a str,
    signup_id: &str,
    contact: &'a Contact,
) -> NewMessage<'a> {
    NewMessage {
        id: message_id,
        kind: CONFIRM,
        contact_id: Some(&contact.id),
        to_address: &contact.address,
        params: json!({ "signup": signup_id, "at_ms": visit.now_ms }),
    }
}

/// Queues the mail with the link to a sitting's report.
pub(crate) async fn queue_result(
    tx: &mut Tx,
    visit: &Visit,
    sitting_id: &str,
    contact: &Contact,
) -> Result<(), DbError> {
    let id = visit.house.chance.id(visit.now_ms);
    let message = NewMessage {
        id: &id,
        kind: RESULT,
        contact_id: Some(&contact.id),
        to_address: &contact.address,
        params: json!({ "sitting": sitting_id }),
    };
    base::mail::queue(tx, &message, visit.now_ms).await
}

#[derive(Template)]
#[template(path = "confirm.txt", escape = "none")]
struct ConfirmLetter<'a> {
    subject: &'static str,
    provider: &'a base::site::Provider,
    greeting: String,
    title: &'a str,
    minutes: u32,
    asks_first: bool,
    host: &'a str,
    asked: String,
    start: String,
    unsubscribe: &'a str,
}

fn confirm<'a>(
    house: &'a House,
    outgoing: &'a Outgoing,
) -> BoxFuture<'a, Result<Written, WriteError>> {
    Box::pin(async move {
        let mut reader = house.db.reader().await?;
        let Some(signup) = store::signup(&mut reader, outgoing.param("signup")).await? else {
            return Ok(Written::Unwanted("the sign-up is gone"));
        };
        let Signup { sitting_id: Some(sitting_id), contact_id: Some(contact_id), .. } = &signup
        else {
            return Ok(Written::Unwanted("the person of the sign-up is gone"));
        };
        let sitting = store::sitting(&mut reader, sitting_id).await?;
        let contact = audience::recipient(&mut reader, house, contact_id).await?;
        let (Some(sitting), Some(contact)) = (sitting, contact) else {
            let what = "the sitting of the sign-up is gone, or its address must not be written to";
            return Ok(Written::Unwanted(what));
        };
        let Some(quiz) = house.site.quizzes.get(&signup.quiz) else {
            return Ok(Written::Unwanted("the quiz is no longer offered"));
        };
        let asked_ms = outgoing.params.get("at_ms").and_then(serde_json::Value::as_i64);
        let asked_ms = asked_ms.unwrap_or(signup.created_ms);
        confirm_letter(house, quiz, &signup, &sitting, &contact, asked_ms).map(Written::Letter)
    })
}

/// The letter that asks for the confirmation, as of `asked_ms`.
pub(crate) fn confirm_letter(
    house: &House,
    quiz: &base::site::Quiz,
    signup: &Signup,
    sitting: &Sitting,
    contact: &Contact,
    asked_ms: i64,
) -> Result<Letter, WriteError> {
    let asks_first = sitting.gate == "first";
    let unsubscribe = audience::unsubscribe_url(house, contact);
    let file = ConfirmLetter {
        subject: confirm_subject(asks_first),
        provider: &house.site.provider,
        greeting: greeting(sitting.details.as_ref().map_or(&contact.name, |details| &details.name)),
        title: &quiz.title,
        minutes: quiz.minutes,
        asks_first,
        host: house.host(),
        asked: clock::in_words(asked_ms),
        start: start_url(house, signup, sitting),
        unsubscribe: &unsubscribe,
    };
    Ok(house.letter(&file)?.with_unsubscribe(unsubscribe.clone()))
}

#[derive(Template)]
#[template(path = "result.txt", escape = "none")]
struct ResultLetter<'a> {
    provider: &'a base::site::Provider,
    greeting: String,
    finished: String,
    report: String,
    preferences: String,
    unsubscribe: &'a str,
}

fn result<'a>(
    house: &'a House,
    outgoing: &'a Outgoing,
) -> BoxFuture<'a, Result<Written, WriteError>> {
    Box::pin(async move {
        let mut reader = house.db.reader().await?;
        let sitting = store::sitting(&mut reader, outgoing.param("sitting")).await?;
        let contact_id = outgoing.contact_id.as_deref().unwrap_or("");
        let contact = audience::recipient(&mut reader, house, contact_id).await?;
        let (Some(sitting), Some(contact)) = (sitting, contact) else {
            let what = "the result is gone, or its address must not be written to";
            return Ok(Written::Unwanted(what));
        };
        if sitting.contact_id.as_deref() != Some(contact_id) || sitting.report_hidden {
            return Ok(Written::Unwanted("the result was hidden"));
        }
        result_letter(house, &sitting, &contact).map(Written::Letter)
    })
}

/// The letter with the link to a sitting's report.
pub(crate) fn result_letter(
    house: &House,
    sitting: &Sitting,
    contact: &Contact,
) -> Result<Letter, WriteError> {
    let unsubscribe = audience::unsubscribe_url(house, contact);
    let file = ResultLetter {
        provider: &house.site.provider,
        greeting: greeting(&contact.name),
        finished: clock::in_words(sitting.finished_ms.unwrap_or(sitting.created_ms)),
        report: report_url(house, sitting),
        preferences: audience::preferences_url(house, contact),
        unsubscribe: &unsubscribe,
    };
    Ok(house.letter(&file)?.with_unsubscribe(unsubscribe.clone()))
}

/// The mailed link of a sign-up: whoever has it owns the address.
pub(crate) fn start_url(house: &House, signup: &Signup, sitting: &Sitting) -> String {
    house.link(Use::Start, &signup.id, &sitting.start_nonce)
}

/// The private link to a report.
pub(crate) fn report_url(house: &House, sitting: &Sitting) -> String {
    house.link(Use::Report, &sitting.id, &sitting.report_nonce)
}

/// The same without the host, for redirects.
pub(crate) fn report_path(house: &House, sitting: &Sitting) -> String {
    format!("/r/{}", house.keys.token(Use::Report, &sitting.id, &sitting.report_nonce))
}
