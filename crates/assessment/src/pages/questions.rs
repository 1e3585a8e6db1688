//! `/s/TOKEN/PAGE`: a page of questions, and the answers saved from it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base::db::Queries;
use base::http::{Chrome, FormBody, FormErrors, Refusal, Visit, see_other};
use instrument::{Item, Point, Voice};

use super::{Arrival, Assessment, Door, Shared};
use crate::model::{self, Go};
use crate::quiz::{self, Quiz};
use crate::scoring::Answers;
use crate::store;

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
pub(super) async fn under_way<'a>(
    shared: &'a Assessment,
    on: &mut impl Queries,
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
        Err(elsewhere) => {
            tx.commit().await?;
            return Ok(elsewhere);
        }
    };
    let n_page = page_number(quiz, &page)?;
    let (given, mut errors) = model::read_answers(quiz, &form);
    if form.unknown_field(&["go", "save", "blank", "submit_id"], &["a."]).is_some() {
        errors.add("", "The form held a field that is not ours. The answers are saved");
    }
    if !store::save(&mut tx, &arrival.sitting.id, &given, visit.now_ms).await? {
        tx.commit().await?;
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
