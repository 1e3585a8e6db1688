//! `/u/`: stop mail. `/p/`: preferences, export, erase. `/preferences`: ask for the link.
//!
//! A GET shows and never changes anything: a mail scanner that opens every link leaves everybody as they were.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base::address::EmailAddress;
use base::db::{DbError, Tx};
use base::house::House;
use base::http::{
    BODY_BYTES_MAX, Cache, Chrome, FormBody, FormErrors, Once, Refusal, SEND, Submit, Visit,
    is_same_site, led_to, once, see_other,
};
use base::keys::Use;
use base::mail::NewMessage;
use http_body_util::{BodyExt as _, Limited};
use std::sync::Arc;

use crate::archive::{self, ArchiveError};
use crate::mail::PREFERENCES;
use crate::model::{Contact, Person, Subscription, is_receipt, receipt};
use crate::{Audience, Holding, admit, agree, store, withdraw};

/// Routes of this capability; `holdings` is what the others hold about a person.
pub fn routes(house: Arc<House>, holdings: Vec<Holding>) -> Router {
    Router::new()
        .route("/u/{token}", get(unsubscribe_page).post(unsubscribe))
        .route("/u/{token}/done", get(unsubscribed_page))
        .route("/p/{token}", get(preferences_page).post(save_preferences))
        .route("/p/{token}/saved", get(preferences_saved_page))
        .route("/p/{token}/export", get(export_page).post(export))
        .route("/p/{token}/erase", get(erase_page).post(erase))
        .route("/erased/{receipt}", get(erased_page))
        .route("/preferences", get(ask_page).post(ask))
        .route("/preferences/sent", get(asked_page))
        .with_state(Audience { house, holdings: Arc::new(holdings) })
}

// Stopping mail.

/// What a link to stop mail speaks of.
enum Stop {
    /// Every optional purpose of a contact: the link of a service mail.
    All(Contact, Vec<Subscription>),
    /// One purpose.
    One(Subscription),
}

async fn stop_of(visit: &Visit, text: &str) -> Result<Stop, Refusal> {
    let token = visit.token(text)?;
    let proves = |nonce: &str| visit.house.keys.proves(Use::Unsubscribe, &token, nonce);
    let mut reader = visit.house.db.reader().await?;
    if let Some(contact) = store::by_id(&mut reader, &token.row_id).await?
        && proves(&contact.nonce)
    {
        let subscriptions = store::subscriptions(&mut reader, &contact.id).await?;
        return Ok(Stop::All(contact, subscriptions));
    }
    match store::subscription(&mut reader, &token.row_id).await? {
        Some(subscription) if proves(&subscription.nonce) => Ok(Stop::One(subscription)),
        _ => Err(Refusal::DeadLink),
    }
}

#[derive(Template)]
#[template(path = "unsubscribe.html")]
pub(crate) struct UnsubscribePage {
    pub(crate) chrome: Chrome,
    pub(crate) token: String,
    pub(crate) what: Vec<String>,
    pub(crate) is_confirmed: bool,
    pub(crate) is_one: bool,
}

impl UnsubscribePage {
    /// What the page is headed: it asks only where there is something to stop.
    pub(crate) fn title(what: &[String], is_confirmed: bool, is_one: bool) -> &'static str {
        match (what.is_empty(), is_one, is_confirmed) {
            (true, true, _) => "This mail has stopped",
            (true, false, true) => "There is nothing to stop",
            _ => "Stop this mail?",
        }
    }
}

async fn unsubscribe_page(visit: Visit, Path(token): Path<String>) -> Result<Response, Refusal> {
    let stop = stop_of(&visit, &token).await?;
    let (what, is_confirmed, is_one) = match &stop {
        Stop::All(contact, subscriptions) => {
            (labels(&visit, &live(subscriptions)), contact.is_confirmed(), false)
        }
        Stop::One(subscription) => {
            (labels(&visit, &live(std::slice::from_ref(subscription))), true, true)
        }
    };
    let chrome = visit.chrome(UnsubscribePage::title(&what, is_confirmed, is_one));
    visit.show(&UnsubscribePage { chrome, token, what, is_confirmed, is_one })
}

/// The button of the page, and the mail client's own POST (RFC 8058), which is answered 200 with or without a proof. Only the
/// latter may come from another site, so the guard leaves the check to this page, which has read the body.
async fn unsubscribe(
    visit: Visit,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let is_same_site = is_same_site(request.headers(), &visit.house.public_url);
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await;
    let body = body.map_err(|_| Refusal::TooLarge)?.to_bytes();
    let is_one_click = is_one_click(&body);
    if !is_one_click && !is_same_site {
        return Err(Refusal::CrossSite);
    }
    let stop = match stop_of(&visit, &token).await {
        Ok(stop) => stop,
        Err(Refusal::DeadLink) if is_one_click => return Ok(stopped()),
        Err(refusal) => return Err(refusal),
    };
    let (contact_id, purposes) = match &stop {
        Stop::All(contact, subscriptions) => (&contact.id, live(subscriptions)),
        Stop::One(one) => (&one.contact_id, live(std::slice::from_ref(one))),
    };
    let mut tx = visit.house.db.begin().await?;
    // Somebody who was erased this moment has nothing left to stop.
    if store::lock(&mut tx, contact_id).await? {
        let form_url = format!("{}/u/", visit.house.public_url);
        withdraw(&mut tx, &visit, contact_id, &purposes, &form_url).await?;
    }
    tx.commit().await?;
    if is_one_click { Ok(stopped()) } else { Ok(see_other(&format!("/u/{token}/done"))) }
}

/// RFC 8058 section 3.2: the body is the pair, as a form of either encoding.
fn is_one_click(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.contains("List-Unsubscribe") && text.contains("One-Click")
}

fn stopped() -> Response {
    (StatusCode::OK, "stopped\n").into_response()
}

#[derive(Template)]
#[template(path = "unsubscribed.html")]
pub(crate) struct UnsubscribedPage {
    pub(crate) chrome: Chrome,
    pub(crate) is_all: bool,
    pub(crate) purpose: String,
    /// Whether there may be something to turn on again.
    pub(crate) is_confirmed: bool,
}

async fn unsubscribed_page(visit: Visit, Path(token): Path<String>) -> Result<Response, Refusal> {
    let stop = stop_of(&visit, &token).await?;
    let (is_all, purpose, is_confirmed) = match &stop {
        Stop::All(contact, _) => (true, String::new(), contact.is_confirmed()),
        Stop::One(one) => (false, label(&visit, &one.purpose), true),
    };
    let chrome = visit.chrome("Done");
    visit.show(&UnsubscribedPage { chrome, is_all, purpose, is_confirmed })
}

/// The purposes that can still be withdrawn.
fn live(subscriptions: &[Subscription]) -> Vec<String> {
    let live = subscriptions.iter().filter(|s| s.state != "withdrawn");
    live.map(|s| s.purpose.clone()).collect()
}

fn labels(visit: &Visit, purposes: &[String]) -> Vec<String> {
    purposes.iter().map(|purpose| label(visit, purpose)).collect()
}

fn label(visit: &Visit, purpose: &str) -> String {
    let known = visit.house.site.purposes.get(purpose);
    known.map_or_else(|| purpose.to_owned(), |p| p.label.clone())
}

// Preferences.

async fn contact_of(visit: &Visit, text: &str) -> Result<Contact, Refusal> {
    let token = visit.token(text)?;
    let contact = store::by_id(&mut visit.house.db.reader().await?, &token.row_id).await?;
    let is_proved = |c: &Contact| visit.house.keys.proves(Use::Preferences, &token, &c.nonce);
    contact.filter(is_proved).ok_or(Refusal::DeadLink)
}

pub(crate) struct Choice {
    pub(crate) id: String,
    pub(crate) wording: String,
    pub(crate) summary: String,
    pub(crate) is_on: bool,
}

#[derive(Template)]
#[template(path = "preferences.html")]
pub(crate) struct PreferencesPage {
    pub(crate) chrome: Chrome,
    pub(crate) token: String,
    pub(crate) address: String,
    pub(crate) submit_id: String,
    pub(crate) choices: Vec<Choice>,
    pub(crate) is_saved: bool,
    pub(crate) errors: FormErrors,
}

async fn preferences_page(visit: Visit, Path(token): Path<String>) -> Result<Response, Refusal> {
    let contact = contact_of(&visit, &token).await?;
    let page = preferences(&visit, token, &contact, false, FormErrors::default()).await?;
    visit.show(&page)
}

async fn preferences_saved_page(
    visit: Visit,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let contact = contact_of(&visit, &token).await?;
    visit.show(&preferences(&visit, token, &contact, true, FormErrors::default()).await?)
}

async fn preferences(
    visit: &Visit,
    token: String,
    contact: &Contact,
    is_saved: bool,
    errors: FormErrors,
) -> Result<PreferencesPage, Refusal> {
    let subscriptions =
        store::subscriptions(&mut visit.house.db.reader().await?, &contact.id).await?;
    let is_on = |id: &str| subscriptions.iter().any(|s| s.purpose == id && s.state == "confirmed");
    let purposes = visit.house.site.purposes.iter();
    let choices = purposes.map(|(id, purpose)| Choice {
        id: id.clone(),
        wording: purpose.wording.clone(),
        summary: purpose.summary.clone(),
        is_on: is_on(id),
    });
    Ok(PreferencesPage {
        chrome: visit.chrome("Your preferences").with_errors(!errors.is_empty()),
        submit_id: visit.submit_id("preferences"),
        choices: choices.collect(),
        address: contact.address.clone(),
        token,
        is_saved,
        errors,
    })
}

async fn save_preferences(
    visit: Visit,
    Path(token): Path<String>,
    form: FormBody,
) -> Result<Response, Refusal> {
    let contact = contact_of(&visit, &token).await?;
    let ticked = |id: &str| form.get(&format!("purpose.{id}")) == "yes";
    let submit = match checked(&visit, "preferences", &form, &["purpose."]) {
        Ok(submit) => submit,
        Err(errors) => {
            let mut page = preferences(&visit, token, &contact, false, errors).await?;
            page.choices.iter_mut().for_each(|choice| choice.is_on = ticked(&choice.id));
            return visit.show_faults(&page);
        }
    };
    let saved = format!("/p/{token}/saved");
    let (on, off): (Vec<String>, Vec<String>) =
        visit.house.site.purposes.keys().cloned().partition(|id| ticked(id));
    let mut tx = visit.house.db.begin().await?;
    // The outcome on record is a word, not the address: no table holds a usable link.
    if once(&mut tx, &submit, &form.hash, "saved", visit.now_ms).await? == Once::First {
        if !store::lock(&mut tx, &contact.id).await? {
            return Err(Refusal::DeadLink);
        }
        let form_url = format!("{}/p/", visit.house.public_url);
        agree(&mut tx, &visit, &contact.id, &on, &form_url, None).await?;
        withdraw(&mut tx, &visit, &contact.id, &off, &form_url).await?;
    }
    tx.commit().await?;
    Ok(see_other(&saved))
}

/// The submit id of a form without typed fields, or what is wrong with the form.
fn checked(
    visit: &Visit,
    name: &str,
    form: &FormBody,
    prefixes: &[&str],
) -> Result<Submit, FormErrors> {
    let mut errors = FormErrors::default();
    if let Some(field) = form.unknown_field(&["submit_id"], prefixes) {
        errors.add(
            "main",
            format!("This form has no field \"{field}\". Please send it again from this page."),
        );
    }
    // These forms may be sent at once: there is nothing to type in them.
    let submit = Submit::check(&visit.house.keys, name, form.get("submit_id"), visit.now_ms);
    match submit {
        Ok(submit) if errors.is_empty() => Ok(submit),
        Ok(_) => Err(errors),
        Err(fault) => {
            errors.add("main", fault.message());
            Err(errors)
        }
    }
}

// A copy of everything.

#[derive(Template)]
#[template(path = "export.html")]
pub(crate) struct ExportPage {
    pub(crate) chrome: Chrome,
    pub(crate) token: String,
    pub(crate) address: String,
}

async fn export_page(visit: Visit, Path(token): Path<String>) -> Result<Response, Refusal> {
    let contact = contact_of(&visit, &token).await?;
    let chrome = visit.chrome("Get a copy of your data");
    visit.show(&ExportPage { chrome, token, address: contact.address })
}

async fn export(
    State(audience): State<Audience>,
    visit: Visit,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let contact = contact_of(&visit, &token).await?;
    let mut reader = visit.house.db.reader().await?;
    let made = archive::make(&mut reader, &contact, &audience.holdings).await;
    let archive = made.map_err(|e| match e {
        ArchiveError::Db(e) => Refusal::from(e),
        ArchiveError::Writing(what) => Refusal::broken(format_args!("making an archive: {what}")),
    })?;
    let mut response = Body::from(archive).into_response();
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/zip"));
    let disposition = HeaderValue::from_static("attachment; filename=\"everything-about-me.zip\"");
    headers.insert("content-disposition", disposition);
    Cache::Private.set(headers);
    Ok(response)
}

// Erasure.

#[derive(Template)]
#[template(path = "erase.html")]
pub(crate) struct ErasePage {
    pub(crate) chrome: Chrome,
    pub(crate) token: String,
    pub(crate) address: String,
    pub(crate) keeps_research: bool,
    pub(crate) submit_id: String,
    pub(crate) errors: FormErrors,
}

async fn erase_page(visit: Visit, Path(token): Path<String>) -> Result<Response, Refusal> {
    let contact = contact_of(&visit, &token).await?;
    visit.show(&erasing(&visit, token, &contact, FormErrors::default()).await?)
}

async fn erasing(
    visit: &Visit,
    token: String,
    contact: &Contact,
    errors: FormErrors,
) -> Result<ErasePage, Refusal> {
    let mut reader = visit.house.db.reader().await?;
    Ok(ErasePage {
        chrome: visit.chrome("Erase everything about you").with_errors(!errors.is_empty()),
        submit_id: visit.submit_id("erase"),
        keeps_research: crate::agrees(&mut reader, &contact.id, crate::RESEARCH).await?,
        address: contact.address.clone(),
        token,
        errors,
    })
}

async fn erase(
    State(audience): State<Audience>,
    visit: Visit,
    Path(token): Path<String>,
    form: FormBody,
) -> Result<Response, Refusal> {
    let contact = match contact_of(&visit, &token).await {
        Ok(contact) => contact,
        // A second click finds nobody any more, and is led to where the first one went. Asked only now: what the first one
        // wrote is seen together with what it took away.
        Err(refusal) => {
            let mut reader = visit.house.db.reader().await?;
            let done = led_to(&mut reader, form.get("submit_id"), &form.hash).await?;
            return done.map(|done| see_other(&done)).ok_or(refusal);
        }
    };
    let submit = match checked(&visit, "erase", &form, &[]) {
        Ok(submit) => submit,
        Err(errors) => {
            return visit.show_faults(&erasing(&visit, token, &contact, errors).await?);
        }
    };
    let erasure_id = visit.house.chance.id(visit.now_ms);
    let mut led = format!("/erased/{}", receipt(&erasure_id));
    let mut tx = visit.house.db.begin().await?;
    match once(&mut tx, &submit, &form.hash, &led, visit.now_ms).await? {
        Once::Again(done) => led = done,
        Once::First => {
            let (house, holdings) = (&visit.house, &audience.holdings);
            crate::erase(&mut tx, house, &contact, holdings, &erasure_id, true).await?;
        }
    }
    tx.commit().await?;
    Ok(see_other(&led))
}

#[derive(Template)]
#[template(path = "erased.html")]
pub(crate) struct ErasedPage {
    pub(crate) chrome: Chrome,
    pub(crate) receipt: String,
}

async fn erased_page(visit: Visit, Path(receipt): Path<String>) -> Result<Response, Refusal> {
    if !is_receipt(&receipt) {
        return Err(Refusal::NotFound);
    }
    let chrome = visit.chrome("Erased");
    visit.show(&ErasedPage { chrome, receipt })
}

// Asking for the link.

#[derive(Template)]
#[template(path = "ask.html")]
pub(crate) struct AskPage {
    pub(crate) chrome: Chrome,
    pub(crate) submit_id: String,
    pub(crate) email: String,
    pub(crate) errors: FormErrors,
}

#[derive(Template)]
#[template(path = "asked.html")]
pub(crate) struct AskedPage {
    pub(crate) chrome: Chrome,
    pub(crate) sender: String,
}

pub(crate) const ASK_TITLE: &str = "See, copy or erase what we hold about you";

async fn ask_page(visit: Visit) -> Result<Response, Refusal> {
    let chrome = visit.chrome(ASK_TITLE);
    let submit_id = visit.submit_id(PREFERENCES);
    visit.show(&AskPage { chrome, submit_id, email: String::new(), errors: FormErrors::default() })
}

/// The answer is the same whether or not we know the address; only its inbox tells.
async fn ask(visit: Visit, form: FormBody) -> Result<Response, Refusal> {
    let mut errors = FormErrors::default();
    if let Some(field) = form.unknown_field(&["submit_id", "email"], &[]) {
        errors.add(
            SEND,
            format!("This form has no field \"{field}\". Please send it again from this page."),
        );
    }
    let address = EmailAddress::parse(form.get("email"));
    if let Err(what) = &address {
        errors.add("email", *what);
    }
    let submit = visit.check_submit(PREFERENCES, form.get("submit_id"));
    if let (Err(fault), true) = (&submit, errors.is_empty()) {
        errors.add(SEND, fault.message());
    }
    let (Ok(address), Ok(submit), true) = (address, submit, errors.is_empty()) else {
        return visit.show_faults(&ask_again(&visit, &form, errors));
    };
    match record(&visit, &submit, &form.hash, address).await {
        Err(Refusal::TooMany { retry_after_s }) => {
            visit.show_too_many(&ask_again(&visit, &form, FormErrors::too_many()), retry_after_s)
        }
        recorded => recorded.map(|()| see_other("/preferences/sent")),
    }
}

/// One transaction: the submission and the mail.
async fn record(
    visit: &Visit,
    submit: &Submit,
    body_hash: &str,
    address: EmailAddress,
) -> Result<(), Refusal> {
    let mut tx = visit.house.db.begin().await?;
    if once(&mut tx, submit, body_hash, "/preferences/sent", visit.now_ms).await? == Once::First {
        // Only a new form counts: a second click is free.
        visit.take_budget()?;
        mail_preferences(&mut tx, visit, address).await?;
    }
    tx.commit().await?;
    visit.house.mail_queued.notify_one();
    Ok(())
}

fn ask_again(visit: &Visit, form: &FormBody, errors: FormErrors) -> AskPage {
    let chrome = visit.chrome(ASK_TITLE).with_errors(true);
    let submit_id = visit.submit_id_again(PREFERENCES, form.get("submit_id"));
    AskPage { chrome, submit_id, email: form.get("email").to_owned(), errors }
}

/// Mails the link to an address that has a contact and may be written to. For any other the same is written and undone, so
/// that the time tells no more than the answer.
async fn mail_preferences(
    tx: &mut Tx,
    visit: &Visit,
    address: EmailAddress,
) -> Result<(), DbError> {
    tx.mark().await?;
    let admitted = admit(tx, visit, &Person::at(address), PREFERENCES).await?;
    let message = NewMessage {
        id: &visit.house.chance.id(visit.now_ms),
        kind: PREFERENCES,
        contact_id: Some(&admitted.contact.id),
        to_address: &admitted.contact.address,
        params: serde_json::json!({}),
    };
    base::mail::queue(tx, &message, visit.now_ms).await?;
    // Taken only by what is sent.
    let goes = !admitted.is_new && admitted.take_share(visit);
    tx.settle(goes).await
}

async fn asked_page(visit: Visit) -> Result<Response, Refusal> {
    let chrome = visit.chrome("Look in your inbox");
    let sender = visit.house.mail_from.clone();
    visit.show(&AskedPage { chrome, sender })
}
