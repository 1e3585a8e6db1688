//! `/quiz/SLUG`: what the quiz is, the form that asks for the link, and the page that says where to look.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base::db::{DbError, Tx};
use base::http::{
    Chrome, Filled, FormBody, FormErrors, Once, Refusal, SUBMIT_ID_GAP, Visit, once, see_other,
};
use base::keys::Use;
use base::site::Gate;

use super::details::{DetailsForm, Sent, new_sitting, sign_up};
use super::{Assessment, Shared};
use crate::mail;
use crate::model::{self, Typed};
use crate::quiz::Quiz;
use crate::store;

/// Characters of a sign-up's id, a UUID as text.
const SIGNUP_ID_CHARS: usize = 36;

#[derive(Template)]
#[template(path = "quiz.html")]
pub(super) struct QuizPage<'a> {
    pub(super) chrome: Chrome,
    pub(super) quiz: &'a Quiz,
    /// Nothing where the quiz begins at once.
    pub(super) form: Option<DetailsForm>,
    /// What is wrong with the form.
    pub(super) errors: FormErrors,
    pub(super) submit_id: String,
}

#[derive(Template)]
#[template(path = "sent.html")]
pub(super) struct SentPage<'a> {
    chrome: Chrome,
    asks_first: bool,
    sender: &'a str,
    subject: &'static str,
    slug: &'a str,
}

/// What the quiz is, and its form: the same for everybody but for the submit id.
pub(super) async fn quiz_page(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let quiz = shared.quiz(&slug)?;
    let kept = &quiz.pages[usize::from(visit.mailbox)];
    let page = match kept.get() {
        Some(page) => page,
        None => {
            let page = page_with_gap(&visit, quiz).render()?;
            let page = Filled::new(&page)?;
            kept.get_or_init(|| page)
        }
    };
    Ok(page.answer(&headers, &visit.submit_id(&form_name(quiz))))
}

fn page_with_gap<'a>(visit: &Visit, quiz: &'a Quiz) -> QuizPage<'a> {
    let mut page = page_of(visit, quiz, Typed::default(), FormErrors::default());
    let submit_id = match &mut page.form {
        Some(form) => &mut form.submit_id,
        None => &mut page.submit_id,
    };
    SUBMIT_ID_GAP.clone_into(submit_id);
    page
}

/// The form, sent: asks for the link, or begins at once.
pub(super) async fn send(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path(slug): Path<String>,
    form: FormBody,
) -> Result<Response, Refusal> {
    let quiz = shared.quiz(&slug)?;
    if quiz.site.gate != Gate::First {
        return begin(&visit, quiz, &form).await;
    }
    match sign_up(&visit, quiz, &form, &form_name(quiz), None).await? {
        Sent::To(response) => Ok(response),
        Sent::Faulty(typed, errors) => visit.show_faults(&page_of(&visit, quiz, typed, errors)),
        Sent::TooMany(typed, retry_after_s) => {
            let page = page_of(&visit, quiz, typed, FormErrors::too_many());
            visit.show_too_many(&page, retry_after_s)
        }
    }
}

/// Begins a sitting that belongs to nobody yet.
async fn begin(visit: &Visit, quiz: &Quiz, form: &FormBody) -> Result<Response, Refusal> {
    let faulty = |message: &str| {
        let mut errors = FormErrors::default();
        errors.add("begin", message);
        let submit_id = form.get("submit_id").to_owned();
        let typed = Typed { submit_id, ..Typed::default() };
        visit.show_faults(&page_of(visit, quiz, typed, errors))
    };
    if form.unknown_field(&["submit_id"], &[]).is_some() {
        return faulty("The form held a field that is not ours. Send it again");
    }
    let submit = match visit.check_submit(&form_name(quiz), form.get("submit_id")) {
        Ok(submit) => submit,
        Err(fault) => return faulty(fault.message()),
    };
    visit.take_budget()?;
    let chance = &visit.house.chance;
    let id = chance.id(visit.now_ms);
    let mut tx = visit.house.db.begin().await?;
    // The outcome is the sitting, not its link: no table holds a usable link.
    let id = match once(&mut tx, &submit, &form.hash, &id, visit.now_ms).await? {
        Once::Again(earlier) => earlier,
        Once::First => {
            let (start_nonce, report_nonce) = (chance.nonce(), chance.nonce());
            let new = new_sitting(quiz, &id, &start_nonce, &report_nonce);
            store::begin_unlinked(&mut tx, &new, visit.now_ms).await?;
            id
        }
    };
    let sitting = store::sitting(&mut tx, &id).await?;
    tx.commit().await?;
    let sitting = sitting.ok_or(Refusal::DeadLink)?;
    let token = visit.house.keys.token(Use::Start, &sitting.id, &sitting.start_nonce);
    Ok(see_other(&format!("/s/{token}")))
}

/// "Check your inbox": the same for everybody, whatever the id.
pub(super) async fn sent_page(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path((slug, _)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let quiz = shared.quiz(&slug)?;
    visit.show(&sent(&visit, quiz, model::asks_first(quiz.site.gate)))
}

pub(super) fn sent<'a>(visit: &'a Visit, quiz: &'a Quiz, asks_first: bool) -> SentPage<'a> {
    SentPage {
        chrome: visit.chrome("Check your inbox"),
        asks_first,
        sender: &visit.house.mail_from,
        subject: mail::confirm_subject(asks_first),
        slug: &quiz.slug,
    }
}

/// "Send it again": the same answer for everybody; a mail goes if its time has come.
pub(super) async fn send_again(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let quiz = shared.quiz(&slug)?;
    visit.take_budget()?;
    // Whatever stands there is looked up and led back to, so it is made to look like an id first.
    let id = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-');
    let id: String = id.take(SIGNUP_ID_CHARS).collect();
    let mut tx = visit.house.db.begin().await?;
    mail_again(&shared, &mut tx, &visit, &id).await?;
    tx.commit().await?;
    visit.house.mail_queued.notify_one();
    Ok(see_other(&format!("/quiz/{}/sent/{id}", quiz.slug)))
}

/// Queues the mail of a sign-up once more, if its person is still there and the address may be asked. For every other id the
/// same is written, for somebody made up, and undone: the time tells no more than the answer.
pub(super) async fn mail_again(
    shared: &Assessment,
    tx: &mut Tx,
    visit: &Visit,
    signup_id: &str,
) -> Result<(), DbError> {
    let known = store::signup(tx, signup_id).await?;
    // Before anything else is held: an erasure that may be under way holds the contact first, too.
    audience::lock(tx, known.and_then(|signup| signup.contact_id).as_deref().unwrap_or("")).await?;
    tx.mark().await?;
    let signup = store::hold_signup(tx, signup_id, visit.now_ms).await?;
    tx.mark().await?;
    let contact = audience::contact(tx, signup.contact_id.as_deref().unwrap_or("")).await?;
    let person = contact.as_ref().map_or_else(|| nobody(&signup.id), same_person);
    // Admitted afresh, because the address may have come to be one that must not be written to.
    let admitted = audience::admit(tx, visit, &person, mail::CONFIRM).await?;
    let is_wanted = contact.is_some() && shared.quizzes.get(&signup.quiz).is_some();
    // Taken only by what is wanted.
    let goes = is_wanted && admitted.take_share(visit);
    let message_id = visit.house.chance.id(visit.now_ms);
    store::renew(tx, &signup.id, &message_id, visit.now_ms).await?;
    let message = mail::confirmation(visit, &message_id, &signup.id, &admitted.contact);
    base::mail::queue(tx, &message, visit.now_ms).await?;
    tx.settle(goes).await?;
    // What stays in any case is the note that the mail was asked for, if there is a sign-up to note it of.
    tx.settle(!signup.quiz.is_empty()).await
}

/// Somebody made up, for the work that is undone.
fn nobody(id: &str) -> audience::Person {
    let (address, key) = (id.to_owned(), id.to_owned());
    audience::Person::at(base::address::EmailAddress { address, key })
}

/// A contact as the person they are on record as.
fn same_person(contact: &audience::Contact) -> audience::Person {
    let (address, key) = (contact.address.clone(), contact.address_key.clone());
    audience::Person {
        name: contact.name.clone(),
        address: base::address::EmailAddress { address, key },
        organisation: contact.organisation.clone(),
        role: contact.role.clone(),
        phone: contact.phone.clone(),
    }
}

fn form_name(quiz: &Quiz) -> String {
    format!("quiz:{}", quiz.slug)
}

pub(super) fn page_of<'a>(
    visit: &Visit,
    quiz: &'a Quiz,
    typed: Typed,
    errors: FormErrors,
) -> QuizPage<'a> {
    let name = form_name(quiz);
    let action = format!("/quiz/{}", quiz.slug);
    // Not the path as it was asked for, which may be spelt in many ways: this page is kept for everybody.
    let chrome = Chrome::new(&visit.house, &quiz.site.title, &action, visit.mailbox)
        .public(&visit.house, &quiz.site.standfirst);
    let (form, submit_id) = match quiz.site.gate {
        Gate::First => {
            let form = DetailsForm::new(visit, quiz, action, &name, typed, errors.clone());
            (Some(form), String::new())
        }
        _ => (None, visit.submit_id_again(&name, &typed.submit_id)),
    };
    QuizPage { chrome: chrome.with_errors(!errors.is_empty()), quiz, form, errors, submit_id }
}
