//! `/s/TOKEN/review` and `/s/TOKEN/finish`: all answers before they are fixed, and the end.

use std::sync::Arc;

use askama::Template;
use audience::Contact;
use axum::extract::{Path, State};
use axum::response::Response;
use base::clock::HOUR_MS;
use base::db::{DbError, Tx};
use base::http::{Chrome, FormBody, Refusal, Visit, see_other};
use instrument::Item;

use super::questions::under_way;
use super::{Arrival, Door, Shared};
use crate::mail;
use crate::model::{self, Go, State as Stage};
use crate::quiz::{self, Quiz};
use crate::scoring::Answers;
use crate::store::{self, Sitting};

/// Pressing the last button again leads to the report for this long; after that only the report's own link does.
const SECOND_PRESS_MS: i64 = HOUR_MS;

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
    let location = if !is_open {
        fresh_report(&arrival, &visit).unwrap_or_else(|| format!("/s/{token}"))
    } else if Go::from_word(form.get("go")) == Go::Back {
        format!("/s/{token}/{}#last", quiz.n_pages())
    } else if sitting.contact_id.is_none() && sitting.gate == "last" {
        format!("/s/{token}/details")
    } else {
        finish_now(&mut tx, &visit, quiz, sitting, sitting.contact_id.as_deref()).await?;
        mail::report_path(&visit.house, sitting)
    };
    tx.commit().await?;
    visit.house.mail_queued.notify_one();
    Ok(see_other(&location))
}

/// Where the last button leads when it is pressed again: to the report, while that is new, unless it is hidden or has come
/// to belong to somebody whose inbox this link was not in.
pub(super) fn fresh_report(arrival: &Arrival, visit: &Visit) -> Option<String> {
    let sitting = &arrival.sitting;
    let made_ms = sitting.finished_ms.max(sitting.claimed_ms)?;
    let is_fresh = visit.now_ms - made_ms < SECOND_PRESS_MS && !sitting.report_hidden;
    let may_see = arrival.signup.is_some() || sitting.contact_id.is_none();
    let opens = is_fresh && may_see && arrival.door(visit.now_ms) == Door::Finished;
    opens.then(|| mail::report_path(&visit.house, sitting))
}

/// Scores a sitting under way, keeps its profile and queues the result mail; nothing if it was finished before.
pub(super) async fn finish_now(
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
