//! `/s/TOKEN`: the one button that confirms and starts, claims a result, or has a mail sent again.

use askama::Template;
use audience::{Contact, Person};
use axum::extract::{Path, State};
use axum::response::Response;
use base::address::EmailAddress;
use base::db::{DbError, Tx};
use base::encode;
use base::http::{Chrome, FormBody, Refusal, Visit, see_other};

use super::{Arrival, Door, Shared, notices, review, signup};
use crate::mail;
use crate::model::{self, Details, State as Stage};
use crate::quiz::Quiz;
use crate::store::{self, Sitting};

#[derive(Template)]
#[template(path = "start.html")]
pub(super) struct StartPage<'a> {
    chrome: Chrome,
    token: &'a str,
    quiz: &'a Quiz,
    is_claim: bool,
    /// What was shown has changed since.
    has_changed: bool,
    address: &'a str,
    /// Name, role, organisation and telephone number, as far as the form gave them.
    given: Vec<&'a str>,
    wordings: Vec<&'a str>,
    digest: String,
}

/// What the link opens at present.
pub(super) async fn arrive_page(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let mut reader = visit.house.db.reader().await?;
    let arrival = Arrival::by(&mut reader, &visit, &token).await?;
    let quiz = shared.quiz(&arrival.sitting.quiz)?;
    match arrival.door(visit.now_ms) {
        Door::Questions => {
            let answers = store::answers(&mut reader, &arrival.sitting.id).await?;
            let page =
                model::next_page(quiz, &answers).map_or("review".to_owned(), |n| n.to_string());
            Ok(see_other(&format!("/s/{token}/{page}")))
        }
        Door::Start(details) | Door::Claim(details) => {
            let contact = audience::contact(&mut reader, &details.contact_id).await?;
            let contact = contact.ok_or(Refusal::DeadLink)?;
            let is_claim = arrival.sitting.state != Stage::Invited;
            visit.show(&start_page(&visit, &token, quiz, &contact, details, is_claim, false))
        }
        Door::Finished => {
            visit.show(&notices::finished(&visit, &token, quiz, arrival.signup.is_some()))
        }
        Door::Expired => visit.show(&notices::expired(&visit, &token)),
        Door::Replaced => visit.show(&notices::replaced(&visit, quiz)),
    }
}

pub(super) fn start_page<'a>(
    visit: &'a Visit,
    token: &'a str,
    quiz: &'a Quiz,
    contact: &'a Contact,
    details: &'a Details,
    is_claim: bool,
    has_changed: bool,
) -> StartPage<'a> {
    let purposes = &visit.house.site.purposes;
    let wordings = details.purposes.iter().filter_map(|id| purposes.get(id));
    StartPage {
        chrome: visit.chrome(if is_claim { "Your result is ready" } else { "Ready when you are" }),
        token,
        quiz,
        is_claim,
        has_changed,
        address: &contact.address,
        given: given(details),
        wordings: wordings.map(|purpose| purpose.wording.as_str()).collect(),
        digest: digest(visit, details),
    }
}

/// What the form said of the person. Anybody can fill it in with anybody's address, so the page shows it.
fn given(details: &Details) -> Vec<&str> {
    let Details { name, role, organisation, phone, .. } = details;
    let said = [name, role, organisation, phone].map(String::as_str);
    said.into_iter().filter(|text| !text.is_empty()).collect()
}

/// What the button confirms, in short: pressing it on an older page must not confirm something newer.
fn digest(visit: &Visit, details: &Details) -> String {
    let purposes = &visit.house.site.purposes;
    let versions = details
        .purposes
        .iter()
        .filter_map(|id| Some(format!("{id} {}", purposes.get(id)?.version)));
    let (contact, given) = (&details.contact_id, given(details).join("\n"));
    let told = format!("{contact} {}\n{given}", versions.collect::<Vec<_>>().join(" "));
    encode::sha256_hex(told.as_bytes())[..16].to_owned()
}

/// The button: confirms and starts, claims a result, or has a mail sent again. Pressing it twice does what once does.
pub(super) async fn press(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path(token): Path<String>,
    form: FormBody,
) -> Result<Response, Refusal> {
    let mut tx = visit.house.db.begin().await?;
    let arrival = Arrival::by(&mut tx, &visit, &token).await?;
    let quiz = shared.quiz(&arrival.sitting.quiz)?;
    let here = format!("/s/{token}");
    let location = match (arrival.door(visit.now_ms), form.get("go")) {
        // After the first press the link is as good as new; the second leads to the same place.
        (Door::Expired | Door::Start(_) | Door::Claim(_), "again") => {
            let signup_id = arrival.signup.as_ref().map_or("", |signup| signup.id.as_str());
            signup::mail_again(&shared, &mut tx, &visit, signup_id).await?;
            format!("/quiz/{}/sent/{signup_id}", quiz.slug)
        }
        (Door::Finished, "report") => {
            report_again(&mut tx, &visit, &arrival.sitting).await?;
            here
        }
        (Door::Start(details) | Door::Claim(details), _)
            if form.get("confirms") != digest(&visit, details) =>
        {
            let contact = audience::contact(&mut tx, &details.contact_id).await?;
            let contact = contact.ok_or(Refusal::DeadLink)?;
            let is_claim = arrival.sitting.state != Stage::Invited;
            return visit
                .show_faults(&start_page(&visit, &token, quiz, &contact, details, is_claim, true));
        }
        (Door::Start(details), _) => {
            hold(&mut tx, details).await?;
            if store::start(&mut tx, &arrival.sitting.id, visit.now_ms).await? {
                confirm(&mut tx, &visit, &arrival, details).await?;
            }
            here
        }
        (Door::Claim(details), _) => {
            hold(&mut tx, details).await?;
            if store::claim(&mut tx, &arrival.sitting.id, &details.contact_id, visit.now_ms).await?
            {
                confirm(&mut tx, &visit, &arrival, details).await?;
                review::finish_now(
                    &mut tx,
                    &visit,
                    quiz,
                    &arrival.sitting,
                    Some(&details.contact_id),
                )
                .await?;
            }
            mail::report_path(&visit.house, &arrival.sitting)
        }
        (Door::Finished, "start") => review::fresh_report(&arrival, &visit).unwrap_or(here),
        _ => here,
    };
    tx.commit().await?;
    visit.house.mail_queued.notify_one();
    Ok(see_other(&location))
}

/// Holds the person's row before any of their sittings, as an erasure does that may be under way.
async fn hold(tx: &mut Tx, details: &Details) -> Result<(), Refusal> {
    let is_there = audience::lock(tx, &details.contact_id).await?;
    if is_there { Ok(()) } else { Err(Refusal::DeadLink) }
}

/// Puts on record that the person pressed the button in their own inbox.
async fn confirm(
    tx: &mut Tx,
    visit: &Visit,
    arrival: &Arrival,
    details: &Details,
) -> Result<(), DbError> {
    let Some(contact) = audience::contact(tx, &details.contact_id).await? else { return Ok(()) };
    let person = Person {
        name: details.name.clone(),
        address: EmailAddress { address: contact.address, key: contact.address_key },
        organisation: details.organisation.clone(),
        role: details.role.clone(),
        phone: details.phone.clone(),
    };
    let message_id = arrival.signup.as_ref().and_then(|signup| signup.message_id.as_deref());
    let (purposes, form_url) = (&details.purposes, &details.form_url);
    audience::confirm(tx, visit, &contact.id, &person, purposes, form_url, message_id).await
}

/// Mails the link of a finished sitting's report to its owner once more.
async fn report_again(tx: &mut Tx, visit: &Visit, sitting: &Sitting) -> Result<(), DbError> {
    let Some(contact_id) = &sitting.contact_id else { return Ok(()) };
    match audience::hold(tx, &visit.house, contact_id).await? {
        Some(contact) if audience::take_share(tx, visit, &contact, mail::RESULT).await? => {
            mail::queue_result(tx, visit, &sitting.id, &contact).await
        }
        _ => Ok(()),
    }
}
