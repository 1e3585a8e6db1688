//! The form that asks who somebody is: before the questions, after them, or to have a report mailed.

use askama::Template;
use audience::{Admitted, Person};
use axum::extract::{Path, State};
use axum::response::Response;
use base::db::{DbError, Tx};
use base::http::{Chrome, FormBody, FormErrors, Once, Refusal, SEND, Visit, once, see_other};
use base::keys::Use;

use super::{Arrival, Door, Shared};
use crate::mail;
use crate::model::{self, Details, SignUp, Typed};
use crate::quiz::Quiz;
use crate::store::{self, NewSitting, Signup, Sitting};

/// The fields, their values and faults, as the templates need them.
pub(super) struct DetailsForm {
    /// Where it posts.
    pub action: String,
    /// The one that came with what was typed, or a fresh one.
    pub submit_id: String,
    /// What was typed.
    pub typed: Typed,
    /// What is wrong with it.
    pub errors: FormErrors,
    /// Id and label of each level; empty if the quiz does not ask.
    pub levels: Vec<(String, String)>,
    /// Whether to ask for the organisation.
    pub asks_organisation: bool,
    /// Whether to ask for the role.
    pub asks_role: bool,
    /// Whether to ask for a telephone number.
    pub asks_phone: bool,
    /// Id and wording of each optional purpose.
    pub purposes: Vec<(String, String)>,
}

impl DetailsForm {
    /// The form of `quiz` that posts to `action`, whose submit ids are made for `name`.
    pub fn new(
        visit: &Visit,
        quiz: &Quiz,
        action: String,
        name: &str,
        typed: Typed,
        errors: FormErrors,
    ) -> Self {
        let (site, asked) = (&visit.house.site, &quiz.site);
        let levels = site.levels.iter().filter(|_| asked.ask_level);
        let wording = |id: &String| Some((id.clone(), site.purposes.get(id)?.wording.clone()));
        Self {
            action,
            submit_id: visit.submit_id_again(name, &typed.submit_id),
            typed,
            errors,
            levels: levels.map(|level| (level.id.clone(), level.label.clone())).collect(),
            asks_organisation: asked.ask_organisation,
            asks_role: asked.ask_role,
            asks_phone: asked.ask_phone,
            purposes: asked.purposes.iter().filter_map(wording).collect(),
        }
    }
}

/// What became of a details form.
pub(super) enum Sent {
    /// It was acknowledged (now or before): where to go.
    To(Response),
    /// It has faults.
    Faulty(Typed, FormErrors),
    /// The network's budget is used up; seconds until it may work again.
    TooMany(Typed, u32),
}

/// Acts on a details form once. For every address the answer is the same; what differs is in the mail.
pub(super) async fn sign_up(
    visit: &Visit,
    quiz: &Quiz,
    form: &FormBody,
    name: &str,
    claims: Option<&Sitting>,
) -> Result<Sent, Refusal> {
    let typed = Typed::from_form(form);
    let mut errors = FormErrors::default();
    if form.unknown_field(&model::known_fields(&quiz.site), &["purpose."]).is_some() {
        errors.add(
            SEND,
            "The form held a field that is not ours. Check what you typed and send it again",
        );
    }
    let sign_up = typed.check(&visit.house.site, &quiz.site, &mut errors);
    let submit = visit.check_submit(name, form.get("submit_id"));
    let (Some(sign_up), Ok(submit)) = (sign_up, &submit) else {
        if let (true, Err(fault)) = (errors.is_empty(), submit) {
            errors.add(SEND, fault.message());
        }
        return Ok(Sent::Faulty(typed, errors));
    };
    let signup_id = visit.house.chance.id(visit.now_ms);
    let location = format!("/quiz/{}/sent/{signup_id}", quiz.slug);
    let mut tx = visit.house.db.begin().await?;
    let location = match once(&mut tx, submit, &form.hash, &location, visit.now_ms).await? {
        Once::Again(led_to) => led_to,
        Once::First => {
            // Only a new form counts: a second click is free.
            if let Err(Refusal::TooMany { retry_after_s }) = visit.take_budget() {
                return Ok(Sent::TooMany(typed, retry_after_s));
            }
            let is_trapped = !form.get("website").is_empty();
            admit(&mut tx, visit, quiz, &sign_up, is_trapped, claims, signup_id).await?;
            location
        }
    };
    tx.commit().await?;
    visit.house.mail_queued.notify_one();
    Ok(Sent::To(see_other(&location)))
}

/// Writes what a sign-up asks for. For a suppressed address, or from a form whose trap was filled in, the same is written and
/// undone, so that its time tells nothing; what stays is the bare sign-up. So is the mail to an address that had one lately.
async fn admit(
    tx: &mut Tx,
    visit: &Visit,
    quiz: &Quiz,
    sign_up: &SignUp,
    is_trapped: bool,
    claims: Option<&Sitting>,
    signup_id: String,
) -> Result<(), DbError> {
    let bare = Signup {
        id: signup_id,
        quiz: quiz.slug.clone(),
        contact_id: None,
        sitting_id: claims.map(|sitting| sitting.id.clone()),
        message_id: None,
        created_ms: visit.now_ms,
    };
    tx.mark().await?;
    let admitted = audience::admit(tx, visit, &person(sign_up), mail::CONFIRM).await?;
    let admitted = admitted.trapped(is_trapped);
    let signup = ask(tx, visit, quiz, sign_up, claims, &admitted, &bare).await?;
    let stands = admitted.stands();
    tx.settle(stands).await?;
    store::add_signup(tx, if stands { &signup } else { &bare }).await
}

/// Writes the invitation or claim, the consents and the mail of a sign-up; gives the sign-up as it then is.
async fn ask(
    tx: &mut Tx,
    visit: &Visit,
    quiz: &Quiz,
    sign_up: &SignUp,
    claims: Option<&Sitting>,
    admitted: &Admitted,
    bare: &Signup,
) -> Result<Signup, DbError> {
    let contact = &admitted.contact;
    let form_url = format!("{}{}", visit.house.public_url, form_path(quiz, claims));
    let details = Details {
        contact_id: contact.id.clone(),
        name: sign_up.name.clone(),
        organisation: sign_up.organisation.clone(),
        role: sign_up.role.clone(),
        phone: sign_up.phone.clone(),
        purposes: sign_up.purposes.clone(),
        form_url: form_url.clone(),
    };
    match claims {
        Some(sitting) => store::set_details(tx, &sitting.id, &details, &sign_up.level).await?,
        None => invite(tx, visit, quiz, &details, &sign_up.level).await?,
    }
    let (id, goes) = (visit.house.chance.id(visit.now_ms), admitted.take_share(visit));
    let message_id = goes.then(|| id.clone());
    let purposes = &sign_up.purposes;
    audience::request(tx, visit, admitted, purposes, &form_url, message_id.as_deref()).await?;
    let message = mail::confirmation(visit, &id, &bare.id, contact);
    base::mail::queue_if(tx, goes, &message, visit.now_ms).await?;
    Ok(Signup { contact_id: Some(contact.id.clone()), message_id, ..bare.clone() })
}

/// Where the form stood, without the private part of its address.
fn form_path(quiz: &Quiz, claims: Option<&Sitting>) -> String {
    match claims {
        None => format!("/quiz/{}", quiz.slug),
        Some(_) => format!("/quiz/{}/details", quiz.slug),
    }
}

async fn invite(
    tx: &mut Tx,
    visit: &Visit,
    quiz: &Quiz,
    details: &Details,
    level: &str,
) -> Result<(), DbError> {
    let chance = &visit.house.chance;
    let (id, start_nonce, report_nonce) = (chance.id(visit.now_ms), chance.nonce(), chance.nonce());
    let new = new_sitting(quiz, &id, &start_nonce, &report_nonce);
    store::invite(tx, &new, details, level, visit.now_ms).await
}

/// A sitting of `quiz` to be made.
pub(super) fn new_sitting<'a>(
    quiz: &'a Quiz,
    id: &'a str,
    start_nonce: &'a str,
    report_nonce: &'a str,
) -> NewSitting<'a> {
    NewSitting {
        id,
        quiz: &quiz.slug,
        instrument_id: quiz.instrument.id().as_str(),
        instrument_hash: quiz.instrument.content_hash(),
        form_id: quiz.form.id().as_str(),
        gate: quiz.site.gate.as_str(),
        start_nonce,
        report_nonce,
    }
}

fn person(sign_up: &SignUp) -> Person {
    Person {
        name: sign_up.name.clone(),
        address: sign_up.address.clone(),
        organisation: sign_up.organisation.clone(),
        role: sign_up.role.clone(),
        phone: sign_up.phone.clone(),
    }
}

#[derive(Template)]
#[template(path = "details.html")]
pub(super) struct DetailsPage {
    chrome: Chrome,
    standfirst: &'static str,
    /// An address was given before, whether or not it may be written to.
    is_sent: bool,
    form: DetailsForm,
    button: &'static str,
}

pub(super) const AFTER_QUESTIONS: &str =
    "Your answers are saved. Say where your result should go; a link to it comes by mail.";
pub(super) const AFTER_REPORT: &str = "We send a link to your report to the address you give. Until somebody opens it from there, \
     nothing is tied to the address.";

/// After the last question of a quiz that asks last: who are you?
pub(super) async fn page(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let Some(sitting) = asks_last(&visit, &token).await? else {
        return Ok(see_other(&format!("/s/{token}")));
    };
    let quiz = shared.quiz(&sitting.quiz)?;
    let action = format!("/s/{token}/details");
    let name = format!("details:{}", sitting.id);
    let form =
        DetailsForm::new(&visit, quiz, action, &name, Typed::default(), FormErrors::default());
    let is_sent = store::has_signup(&mut visit.house.db.reader().await?, &sitting.id).await?;
    visit.show(&details_page(&visit, form, AFTER_QUESTIONS, is_sent))
}

/// The same form, sent.
pub(super) async fn send(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path(token): Path<String>,
    form: FormBody,
) -> Result<Response, Refusal> {
    let Some(sitting) = asks_last(&visit, &token).await? else {
        return Ok(see_other(&format!("/s/{token}")));
    };
    let quiz = shared.quiz(&sitting.quiz)?;
    answer(&visit, quiz, &form, &sitting, format!("/s/{token}/details"), AFTER_QUESTIONS).await
}

/// "Mail it to me", from a report that belongs to nobody.
pub(super) async fn mail_page(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let sitting = unclaimed_report(&visit, &token).await?;
    let quiz = shared.quiz(&sitting.quiz)?;
    let name = format!("details:{}", sitting.id);
    let action = format!("/r/{token}/mail");
    let form =
        DetailsForm::new(&visit, quiz, action, &name, Typed::default(), FormErrors::default());
    let is_sent = store::has_signup(&mut visit.house.db.reader().await?, &sitting.id).await?;
    visit.show(&details_page(&visit, form, AFTER_REPORT, is_sent))
}

/// The same form, sent.
pub(super) async fn mail_send(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path(token): Path<String>,
    form: FormBody,
) -> Result<Response, Refusal> {
    let sitting = unclaimed_report(&visit, &token).await?;
    let quiz = shared.quiz(&sitting.quiz)?;
    answer(&visit, quiz, &form, &sitting, format!("/r/{token}/mail"), AFTER_REPORT).await
}

async fn answer(
    visit: &Visit,
    quiz: &Quiz,
    form: &FormBody,
    sitting: &Sitting,
    action: String,
    standfirst: &'static str,
) -> Result<Response, Refusal> {
    let name = format!("details:{}", sitting.id);
    let is_sent = store::has_signup(&mut visit.house.db.reader().await?, &sitting.id).await?;
    match sign_up(visit, quiz, form, &name, Some(sitting)).await? {
        Sent::To(response) => Ok(response),
        Sent::Faulty(typed, errors) => {
            let form = DetailsForm::new(visit, quiz, action, &name, typed, errors);
            visit.show_faults(&details_page(visit, form, standfirst, is_sent))
        }
        Sent::TooMany(typed, retry_after_s) => {
            let errors = FormErrors::too_many();
            let form = DetailsForm::new(visit, quiz, action, &name, typed, errors);
            let page = details_page(visit, form, standfirst, is_sent);
            visit.show_too_many(&page, retry_after_s)
        }
    }
}

pub(super) fn details_page(
    visit: &Visit,
    form: DetailsForm,
    standfirst: &'static str,
    is_sent: bool,
) -> DetailsPage {
    let chrome = visit.chrome("Where should your result go?").with_errors(!form.errors.is_empty());
    DetailsPage { chrome, standfirst, is_sent, form, button: "Send me my result" }
}

/// The sitting of a browser that has come to the details, if its quiz asks for them last.
async fn asks_last(visit: &Visit, token: &str) -> Result<Option<Sitting>, Refusal> {
    let arrival = Arrival::by(&mut visit.house.db.reader().await?, visit, token).await?;
    let is_open = arrival.signup.is_none() && arrival.door(visit.now_ms) == Door::Questions;
    Ok(Some(arrival.sitting).filter(|sitting| is_open && sitting.gate == "last"))
}

async fn unclaimed_report(visit: &Visit, text: &str) -> Result<Sitting, Refusal> {
    let token = visit.token(text)?;
    let sitting = store::sitting(&mut visit.house.db.reader().await?, &token.row_id).await?;
    let opens = |s: &Sitting| {
        visit.house.keys.proves(Use::Report, &token, &s.report_nonce) && s.contact_id.is_none()
    };
    sitting.filter(opens).ok_or(Refusal::DeadLink)
}
