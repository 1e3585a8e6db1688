//! `/s/TOKEN`: the button that confirms, the questions, the review, the end.

use std::sync::Arc;

use askama::Template;
use audience::{Contact, Person};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base::address::EmailAddress;
use base::clock::HOUR_MS;
use base::db::{DbError, Tx};
use base::encode;
use base::http::{Chrome, FormBody, FormErrors, Refusal, Visit, see_other};
use instrument::{Item, Point, Voice};

use super::{Arrival, Assessment, Door, Shared, notices, signup};
use crate::mail;
use crate::model::{self, Details, Go, State as Stage};
use crate::quiz::{self, Quiz};
use crate::scoring::Answers;
use crate::store::{self, Sitting};

/// Pressing the last button again leads to the report for this long; after that only the report's own link does.
const SECOND_PRESS_MS: i64 = HOUR_MS;

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
            if store::start(&mut tx, &arrival.sitting.id, visit.now_ms).await? {
                confirm(&mut tx, &visit, &arrival, details).await?;
            }
            here
        }
        (Door::Claim(details), _) => {
            if store::claim(&mut tx, &arrival.sitting.id, &details.contact_id, visit.now_ms).await?
            {
                confirm(&mut tx, &visit, &arrival, details).await?;
                finish_now(&mut tx, &visit, quiz, &arrival.sitting, Some(&details.contact_id))
                    .await?;
            }
            mail::report_path(&visit.house, &arrival.sitting)
        }
        (Door::Finished, "start") => fresh_report(&arrival, &visit).unwrap_or(here),
        _ => here,
    };
    tx.commit().await?;
    visit.house.mail_queued.notify_one();
    Ok(see_other(&location))
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
    let Some(contact) = audience::contact(tx, contact_id).await? else { return Ok(()) };
    let contact = audience::admit(tx, visit, &signup::same_person(&contact)).await?;
    match contact {
        Some(contact) if audience::may_ask(tx, visit, &contact, mail::RESULT).await? => {
            mail::queue_result(tx, visit, &sitting.id, &contact).await
        }
        _ => Ok(()),
    }
}

/// One question as the page shows it.
struct Question<'a> {
    n: usize,
    id: &'a str,
    statement: &'a str,
    points: &'a [Point],
    chosen: Option<i64>,
}

#[derive(Template)]
#[template(path = "questions.html")]
pub(super) struct QuestionsPage<'a> {
    chrome: Chrome,
    token: &'a str,
    quiz: &'a Quiz,
    stem: &'a str,
    n_page: usize,
    first: usize,
    last: usize,
    questions: Vec<Question<'a>>,
    errors: FormErrors,
    /// Words on questions left open; then pressing Next again leaves them so.
    blank: Option<(String, String)>,
    is_complete: bool,
}

impl QuestionsPage<'_> {
    fn is_chosen(&self, question: &Question<'_>, value: &i64) -> bool {
        question.chosen == Some(*value)
    }
}

/// A sitting under way, and its quiz; or where to go instead.
async fn under_way<'a>(
    shared: &'a Assessment,
    on: &mut impl base::db::Queries,
    visit: &Visit,
    token: &str,
) -> Result<Result<(Arrival, &'a Arc<Quiz>), Response>, Refusal> {
    let arrival = Arrival::by(on, visit, token).await?;
    let quiz = shared.quiz(&arrival.sitting.quiz)?;
    Ok(match arrival.door(visit.now_ms) {
        Door::Questions => Ok((arrival, quiz)),
        _ => Err(see_other(&format!("/s/{token}"))),
    })
}

#[derive(serde::Deserialize)]
pub(super) struct Shown {
    /// Present when Next was pressed with questions left open.
    blank: Option<String>,
}

/// A page of questions, with the answers given so far.
pub(super) async fn question_page(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path((token, page)): Path<(String, String)>,
    Query(shown): Query<Shown>,
) -> Result<Response, Refusal> {
    let mut reader = visit.house.db.reader().await?;
    let (arrival, quiz) = match under_way(&shared, &mut reader, &visit, &token).await? {
        Ok(found) => found,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let n_page = page_number(quiz, &page)?;
    let answers = store::answers(&mut reader, &arrival.sitting.id).await?;
    let n_blank = model::n_blank(quiz, n_page, &answers);
    let blank = (shown.blank.is_some() && n_blank > 0).then(|| blank_words(quiz, n_blank));
    visit.show(&questions(&visit, &token, quiz, n_page, &answers, blank, FormErrors::default()))
}

fn page_number(quiz: &Quiz, page: &str) -> Result<usize, Refusal> {
    let n_page = page.parse().map_err(|_| Refusal::NotFound)?;
    if (1..=quiz.n_pages()).contains(&n_page) { Ok(n_page) } else { Err(Refusal::NotFound) }
}

/// "Two questions on this page have no answer."
pub(super) fn blank_words(quiz: &Quiz, n_blank: usize) -> (String, String) {
    // The approach that needs the larger share speaks for both; in the starter form they are alike.
    let counts = instrument::Approach::BOTH
        .map(|approach| (quiz.form.answers_needed(approach), quiz.form.n_ratings(approach)));
    let (needed, asked) = counts[0].max(counts[1]);
    let (what, them) = match n_blank {
        1 => ("question on this page has", "it"),
        _ => ("questions on this page have", "them"),
    };
    (
        format!("{} {what} no answer.", model::in_words(n_blank)),
        format!(
            "Answer {them} if you can, or press Next again to leave {them} open. At least {needed} of {asked} answers on \
             each side are needed for a result."
        ),
    )
}

pub(super) fn questions<'a>(
    visit: &Visit,
    token: &'a str,
    quiz: &'a Quiz,
    n_page: usize,
    answers: &Answers,
    blank: Option<(String, String)>,
    errors: FormErrors,
) -> QuestionsPage<'a> {
    let before = (n_page - 1) * quiz.form.page_size();
    let items = quiz.page(n_page);
    let question = |(at, item): (usize, &'a Arc<Item>)| Question {
        n: before + at + 1,
        id: item.id().as_str(),
        statement: quiz::statement(item),
        points: quiz::points(item),
        chosen: answers.get(item.id().as_str()).copied(),
    };
    QuestionsPage {
        chrome: visit.chrome(&quiz.site.title).with_errors(!errors.is_empty()),
        token,
        quiz,
        stem: quiz.instrument.stem(Voice::Own),
        n_page,
        first: before + 1,
        last: before + items.len(),
        questions: items.iter().enumerate().map(question).collect(),
        errors,
        blank,
        is_complete: model::next_page(quiz, answers).is_none(),
    }
}

/// Saves answers: a whole page with a button, or one by the script (answered 204).
pub(super) async fn answer(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path((token, page)): Path<(String, String)>,
    form: FormBody,
) -> Result<Response, Refusal> {
    let mut tx = visit.house.db.begin().await?;
    let (arrival, quiz) = match under_way(&shared, &mut tx, &visit, &token).await? {
        Ok(found) => found,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let n_page = page_number(quiz, &page)?;
    let (given, mut errors) = model::read_answers(quiz, &form);
    if form.unknown_field(&["go", "save", "blank", "submit_id"], &["a."]).is_some() {
        errors.add("", "The form held a field that is not ours. The answers are saved");
    }
    if !store::save(&mut tx, &arrival.sitting.id, &given, visit.now_ms).await? {
        return Ok(see_other(&format!("/s/{token}")));
    }
    let answers = store::answers(&mut tx, &arrival.sitting.id).await?;
    tx.commit().await?;
    if !errors.is_empty() {
        point_at_first_question(&mut errors, quiz, n_page);
        return visit.show_faults(&questions(&visit, &token, quiz, n_page, &answers, None, errors));
    }
    if form.has("save") {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let has_blank = model::n_blank(quiz, n_page, &answers) > 0 && !form.has("blank");
    let next = match Go::from_word(form.get("go")) {
        Go::Back if n_page > 1 => format!("{}#last", n_page - 1),
        Go::Back => String::from("1"),
        Go::Review => String::from("review"),
        Go::Next if has_blank => format!("{n_page}?blank=1"),
        Go::Next if n_page < quiz.n_pages() => (n_page + 1).to_string(),
        Go::Next => String::from("review"),
    };
    Ok(see_other(&format!("/s/{token}/{next}")))
}

/// Faults that belong to no question lead to the page's first.
fn point_at_first_question(errors: &mut FormErrors, quiz: &Quiz, n_page: usize) {
    let on_page =
        |field: &str| quiz.page(n_page).iter().any(|item| format!("q-{}", item.id()) == field);
    let first = quiz.page(n_page).first().map_or(String::new(), |item| format!("q-{}", item.id()));
    for error in &mut errors.0 {
        if !on_page(&error.field) {
            error.field.clone_from(&first);
        }
    }
}

/// A line of the review.
struct Given<'a> {
    id: &'a str,
    n_page: usize,
    statement: &'a str,
    label: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "review.html")]
pub(super) struct ReviewPage<'a> {
    chrome: Chrome,
    token: &'a str,
    standfirst: String,
    /// What is worth a second look, kindly.
    notes: Vec<String>,
    given: Vec<Given<'a>>,
    /// What happens after the button.
    after: String,
}

/// All answers, before they are fixed.
pub(super) async fn review_page(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let mut reader = visit.house.db.reader().await?;
    let (arrival, quiz) = match under_way(&shared, &mut reader, &visit, &token).await? {
        Ok(found) => found,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let answers = store::answers(&mut reader, &arrival.sitting.id).await?;
    let contact = match &arrival.sitting.contact_id {
        Some(id) => audience::contact(&mut reader, id).await?,
        None => None,
    };
    visit.show(&review(&visit, &token, quiz, &answers, contact.as_ref(), &arrival.sitting.gate))
}

pub(super) fn review<'a>(
    visit: &Visit,
    token: &'a str,
    quiz: &'a Quiz,
    answers: &Answers,
    contact: Option<&Contact>,
    gate: &str,
) -> ReviewPage<'a> {
    let line = |(at, item): (usize, &'a Arc<Item>)| {
        let value = answers.get(item.id().as_str());
        let point = quiz::points(item).iter().find(|point| Some(&point.value) == value);
        Given {
            id: item.id().as_str(),
            n_page: quiz.page_of(at),
            statement: quiz::statement(item),
            label: point.map(|point| point.label.as_str()),
        }
    };
    let given: Vec<Given<'a>> = quiz.form.items().iter().enumerate().map(line).collect();
    let n_open = given.iter().filter(|line| line.label.is_none()).count();
    let after = match (contact, gate) {
        (Some(contact), _) => {
            format!("Your result is shown at once and sent to {}.", contact.address)
        }
        (None, "last") => String::from("Then you say where your result should go."),
        (None, _) => String::from("Your result is shown at once."),
    };
    ReviewPage {
        chrome: visit.chrome("Look over your answers"),
        token,
        standfirst: standfirst(given.len(), n_open),
        notes: notes(quiz, answers),
        given,
        after,
    }
}

fn standfirst(n_items: usize, n_open: usize) -> String {
    match n_open {
        0 => format!("All {n_items} answered."),
        1 => format!(
            "{} of {n_items} answered. One is open; that is fine, or you can answer it now.",
            n_items - 1
        ),
        _ => format!(
            "{} of {n_items} answered. {} are open; you can answer them now.",
            n_items - n_open,
            model::in_words(n_open)
        ),
    }
}

fn notes(quiz: &Quiz, answers: &Answers) -> Vec<String> {
    let mut notes = Vec::new();
    let profile = quiz.scorer.score(&quiz.instrument, &quiz.form, answers);
    for (name, count) in ["managing", "leading"].iter().zip(profile.counts) {
        if count.answered < count.needed {
            notes.push(format!(
                "A result needs at least {} of the {} answers on {name}; you have given {}. You can still finish, and the \
                 report will say that there are not enough.",
                count.needed, count.asked, count.answered
            ));
        }
    }
    if model::is_straight_line(answers) {
        notes.push(String::from(
            "You gave every statement the same answer. Some of them tell of a lapse, so the same answer means the \
             opposite there. If that is how it is, leave it; if not, this is the moment to change it.",
        ));
    }
    notes
}

/// The last button: fixes the answers and makes the report.
pub(super) async fn finish(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path(token): Path<String>,
    form: FormBody,
) -> Result<Response, Refusal> {
    let mut tx = visit.house.db.begin().await?;
    let arrival = Arrival::by(&mut tx, &visit, &token).await?;
    let (sitting, quiz) = (&arrival.sitting, shared.quiz(&arrival.sitting.quiz)?);
    let is_open = arrival.door(visit.now_ms) == Door::Questions;
    if is_open && Go::from_word(form.get("go")) == Go::Back {
        return Ok(see_other(&format!("/s/{token}/{}#last", quiz.n_pages())));
    }
    if is_open && sitting.contact_id.is_none() && sitting.gate == "last" {
        return Ok(see_other(&format!("/s/{token}/details")));
    }
    if is_open {
        finish_now(&mut tx, &visit, quiz, sitting, sitting.contact_id.as_deref()).await?;
        tx.commit().await?;
        visit.house.mail_queued.notify_one();
        return Ok(see_other(&mail::report_path(&visit.house, sitting)));
    }
    let report = fresh_report(&arrival, &visit);
    Ok(see_other(&report.unwrap_or_else(|| format!("/s/{token}"))))
}

/// Where the last button leads when it is pressed again: to the report, while that is new, unless it is hidden or has come
/// to belong to somebody whose inbox this link was not in.
fn fresh_report(arrival: &Arrival, visit: &Visit) -> Option<String> {
    let sitting = &arrival.sitting;
    let made_ms = sitting.finished_ms.max(sitting.claimed_ms)?;
    let is_fresh = visit.now_ms - made_ms < SECOND_PRESS_MS && !sitting.report_hidden;
    let may_see = arrival.signup.is_some() || sitting.contact_id.is_none();
    let opens = is_fresh && may_see && arrival.door(visit.now_ms) == Door::Finished;
    opens.then(|| mail::report_path(&visit.house, sitting))
}

/// Scores a sitting under way, keeps its profile and queues the result mail; nothing if it was finished before.
async fn finish_now(
    tx: &mut Tx,
    visit: &Visit,
    quiz: &Quiz,
    sitting: &Sitting,
    contact_id: Option<&str>,
) -> Result<(), DbError> {
    let hash = quiz.instrument.content_hash();
    if store::finish(tx, &sitting.id, hash, visit.now_ms).await? {
        let answers = store::answers(tx, &sitting.id).await?;
        let profile = quiz.scorer.score(&quiz.instrument, &quiz.form, &answers);
        store::add_profile(tx, &sitting.id, &profile, visit.now_ms).await?;
    } else if sitting.state == Stage::Started {
        // Somebody else finished it between our look and our write; their mail is queued.
        return Ok(());
    }
    let Some(contact_id) = contact_id else { return Ok(()) };
    match audience::contact(tx, contact_id).await? {
        Some(contact) => mail::queue_result(tx, visit, &sitting.id, &contact).await,
        None => Ok(()),
    }
}
