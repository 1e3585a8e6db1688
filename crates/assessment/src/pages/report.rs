//! `/r/TOKEN`: the report, and what may be done with its page and link.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use base::clock;
use base::db::Tx;
use base::encode;
use base::http::{Chrome, FormBody, Once, Refusal, Submit, Visit, led_to, once, see_other};
use base::keys::{Token, Use};
use publishing::Day;

use super::{Assessment, Shared, notices};
use crate::chart::{Bar, MapChart};
use crate::mail;
use crate::model;
use crate::quiz::Quiz;
use crate::report::{Words, about, hundredths, percent};
use crate::scoring::{Answers, Profile};
use crate::store::{self, Sitting};

/// What the controls at the foot of a report need.
pub(super) struct Controls {
    pub(super) token: String,
    pub(super) submit_id: String,
    /// Whether somebody's address is tied to it, so that it can be hidden and come back by mail.
    pub(super) is_claimed: bool,
}

#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct ReportPage<'a> {
    chrome: Chrome,
    date: String,
    quiz: &'a Quiz,
    profile: &'a Profile,
    /// Nothing if there are not enough answers.
    scored: Option<Scored<'a>>,
    /// Nothing on a sample.
    pub(super) controls: Option<Controls>,
    /// Something the page has to say first.
    notice: Option<&'static str>,
    n_answered: String,
    n_lapses: usize,
}

impl ReportPage<'_> {
    /// A parameter as tables show it: with a decimal, and a minus that is no hyphen.
    fn parameter(value: &f64) -> String {
        format!("{value:?}").replace('-', "−")
    }
}

struct Scored<'a> {
    words: Words<'a>,
    map: MapChart,
    levels: Vec<LevelView>,
    facts: Option<String>,
    cuts_note: &'a str,
    rule: u32,
    ellipse: u32,
}

struct LevelView {
    class: &'static str,
    name: String,
    /// "to manage".
    verb: &'static str,
    /// "about 67", of a hundred chances.
    about: String,
    share: String,
    low: String,
    high: String,
    bar: Bar,
}

/// The report behind a link.
pub(super) struct Opened {
    pub(super) token: String,
    pub(super) sitting: Sitting,
    pub(super) profile: Profile,
}

async fn open(visit: &Visit, text: String) -> Result<Opened, Refusal> {
    let token = visit.token(&text)?;
    let mut reader = visit.house.db.reader().await?;
    let sitting = store::sitting(&mut reader, &token.row_id).await?;
    let sitting = sitting.filter(|s| proves(visit, &token, s)).ok_or(Refusal::DeadLink)?;
    let profile = store::profile(&mut reader, &sitting.id).await?.ok_or(Refusal::DeadLink)?;
    Ok(Opened { token: text, sitting, profile })
}

fn proves(visit: &Visit, token: &Token, sitting: &Sitting) -> bool {
    visit.house.keys.proves(Use::Report, token, &sitting.report_nonce)
}

fn form_name(sitting_id: &str) -> String {
    format!("report:{sitting_id}")
}

/// The report, or the page that says that it is hidden.
pub(super) async fn page(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let opened = open(&visit, token).await?;
    if opened.sitting.report_hidden {
        let submit_id = visit.submit_id(&form_name(&opened.sitting.id));
        return visit.show(&notices::hidden(&visit, &opened.token, submit_id));
    }
    let quiz = shared.quiz(&opened.sitting.quiz)?;
    visit.show(&view(&shared, &visit, quiz, &opened, None))
}

pub(super) fn view<'a>(
    shared: &'a Assessment,
    visit: &'a Visit,
    quiz: &'a Quiz,
    opened: &'a Opened,
    notice: Option<&'static str>,
) -> ReportPage<'a> {
    let sitting = &opened.sitting;
    let controls = Controls {
        token: opened.token.clone(),
        submit_id: visit.submit_id(&form_name(&sitting.id)),
        is_claimed: sitting.contact_id.is_some(),
    };
    let date = clock::in_words(sitting.finished_ms.unwrap_or(sitting.created_ms));
    let title = format!("Your report, {date}");
    let mut page = report(shared, visit, quiz, &opened.profile, &sitting.level, title);
    page.controls = Some(controls);
    page.notice = notice;
    page
}

pub(super) fn report<'a>(
    shared: &'a Assessment,
    visit: &'a Visit,
    quiz: &'a Quiz,
    profile: &'a Profile,
    level: &str,
    title: String,
) -> ReportPage<'a> {
    let n_answered: usize = profile.counts.iter().map(|count| count.answered).sum();
    ReportPage {
        chrome: visit.chrome(&title),
        date: title,
        quiz,
        profile,
        scored: scored(shared, visit, quiz, profile, level),
        controls: None,
        notice: None,
        n_answered: model::in_words(n_answered),
        n_lapses: profile.items.iter().filter(|item| item.is_lapse).count(),
    }
}

fn scored<'a>(
    shared: &'a Assessment,
    visit: &Visit,
    quiz: &'a Quiz,
    profile: &'a Profile,
    level: &str,
) -> Option<Scored<'a>> {
    let scores = profile.scores.as_ref()?;
    let words = Words::new(&quiz.instrument, &shared.publication, profile, level)?;
    let map = quiz.instrument.map();
    let names = [("managing", "manage"), ("leading", "lead")];
    let levels =
        names.iter().zip(&scores.levels).enumerate().map(|(at, ((class, verb), level))| {
            let axis = if map.x().approach.index() == at { map.x() } else { map.y() };
            LevelView {
                class,
                name: axis.name.clone(),
                verb,
                about: about(level.share),
                share: hundredths(level.share),
                low: hundredths(level.low),
                high: hundredths(level.high),
                bar: Bar::new(class, &axis.name, level),
            }
        });
    let facts = words.fit.as_ref().map(|fit| {
        let front = &fit.programme.front;
        let when = match fit.programme.starts(Day::of(visit.now_ms)).first() {
            Some(day) => format!("The next begins on {}.", day.in_words()),
            None => front.next_dates_note.clone(),
        };
        format!("{}. {when}", front.duration.trim_end_matches('.'))
    });
    Some(Scored {
        map: MapChart::new(&quiz.instrument, scores),
        levels: levels.collect(),
        facts,
        cuts_note: map.cuts_note(),
        rule: percent(map.named_at_least()),
        ellipse: percent(profile.ellipse),
        words,
    })
}

/// Rotate, hide, reveal; deleting asks once more. Pressing a button twice leads to the same place.
pub(super) async fn change(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path(text): Path<String>,
    form: FormBody,
) -> Result<Response, Refusal> {
    let token = visit.token(&text)?;
    let mut tx = visit.house.db.begin().await?;
    let sitting = store::sitting(&mut tx, &token.row_id).await?;
    let Some(sitting) = sitting.filter(|s| proves(&visit, &token, s)) else {
        return pressed_before(tx, &visit, &token, &form).await;
    };
    match form.get("do") {
        "reveal" if sitting.report_hidden => {
            return reveal(tx, &visit, &sitting, &text, &form).await;
        }
        "delete" => return Ok(see_other(&format!("/r/{text}/delete"))),
        "rotate" | "hide" => {}
        _ => return Ok(see_other(&format!("/r/{text}"))),
    }
    let name = form_name(&sitting.id);
    let Ok(submit) = Submit::check(&visit.house.keys, &name, form.get("submit_id"), visit.now_ms)
    else {
        drop(tx);
        let quiz = shared.quiz(&sitting.quiz)?;
        let opened = open(&visit, text).await?;
        return visit.show_faults(&view(&shared, &visit, quiz, &opened, Some(STALE)));
    };
    let wish = form.get("do").to_owned();
    if once(&mut tx, &submit, &form.hash, &wish, visit.now_ms).await? == Once::First {
        match wish.as_str() {
            "rotate" => store::rotate(&mut tx, &sitting.id, &visit.house.chance.nonce()).await?,
            _ => store::set_hidden(&mut tx, &sitting.id, true).await?,
        }
    }
    let sitting = store::sitting(&mut tx, &token.row_id).await?.ok_or(Refusal::DeadLink)?;
    tx.commit().await?;
    Ok(see_other(&mail::report_path(&visit.house, &sitting)))
}

pub(super) const STALE: &str =
    "This page had been open too long, so nothing was changed. Press the button again.";

/// A button of a page whose link has stopped: if this very press stopped it, where it led then.
async fn pressed_before(
    mut tx: Tx,
    visit: &Visit,
    token: &Token,
    form: &FormBody,
) -> Result<Response, Refusal> {
    let name = form_name(&token.row_id);
    let submit = Submit::check(&visit.house.keys, &name, form.get("submit_id"), visit.now_ms);
    let submit = submit.map_err(|_| Refusal::DeadLink)?;
    let led_to = led_to(&mut tx, &submit.id, &form.hash).await?.ok_or(Refusal::DeadLink)?;
    let location = match led_to.as_str() {
        "delete" => String::from("/r/deleted"),
        "reveal" => String::from("/r/hidden"),
        _ => {
            let sitting = store::sitting(&mut tx, &token.row_id).await?;
            mail::report_path(&visit.house, &sitting.ok_or(Refusal::DeadLink)?)
        }
    };
    tx.commit().await?;
    Ok(see_other(&location))
}

/// Opens a hidden report again under a new link that only its owner gets.
async fn reveal(
    mut tx: Tx,
    visit: &Visit,
    sitting: &Sitting,
    text: &str,
    form: &FormBody,
) -> Result<Response, Refusal> {
    let name = form_name(&sitting.id);
    let Ok(submit) = Submit::check(&visit.house.keys, &name, form.get("submit_id"), visit.now_ms)
    else {
        return visit.show_faults(&notices::hidden(visit, text, visit.submit_id(&name)));
    };
    if once(&mut tx, &submit, &form.hash, "reveal", visit.now_ms).await? != Once::First {
        tx.commit().await?;
        return Ok(see_other("/r/hidden"));
    }
    let owner = match &sitting.contact_id {
        Some(id) => audience::hold(&mut tx, &visit.house, id).await?,
        None => None,
    };
    // What comes to nothing is not put on record as done, so that the same page works when its time has come.
    if let Some(owner) = owner
        && audience::take_share(&mut tx, visit, &owner, mail::RESULT).await?
    {
        store::rotate(&mut tx, &sitting.id, &visit.house.chance.nonce()).await?;
        store::set_hidden(&mut tx, &sitting.id, false).await?;
        mail::queue_result(&mut tx, visit, &sitting.id, &owner).await?;
        tx.commit().await?;
        visit.house.mail_queued.notify_one();
    }
    Ok(see_other("/r/hidden"))
}

#[derive(Template)]
#[template(path = "delete.html")]
pub(super) struct DeletePage {
    pub(super) chrome: Chrome,
    pub(super) token: String,
    pub(super) submit_id: String,
}

/// "Are you sure?"
pub(super) async fn delete_page(
    visit: Visit,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let opened = open(&visit, token).await?;
    visit.show(&DeletePage {
        chrome: visit.chrome("Delete this result?"),
        submit_id: visit.submit_id(&form_name(&opened.sitting.id)),
        token: opened.token,
    })
}

/// Deletes the sitting with its answers and scores.
pub(super) async fn delete(
    visit: Visit,
    Path(text): Path<String>,
    form: FormBody,
) -> Result<Response, Refusal> {
    let token = visit.token(&text)?;
    let mut tx = visit.house.db.begin().await?;
    let sitting = store::sitting(&mut tx, &token.row_id).await?;
    let Some(sitting) = sitting.filter(|s| proves(&visit, &token, s)) else {
        return pressed_before(tx, &visit, &token, &form).await;
    };
    let name = form_name(&sitting.id);
    let Ok(submit) = Submit::check(&visit.house.keys, &name, form.get("submit_id"), visit.now_ms)
    else {
        return Ok(see_other(&format!("/r/{text}/delete")));
    };
    if once(&mut tx, &submit, &form.hash, "delete", visit.now_ms).await? == Once::First {
        store::delete(&mut tx, &sitting.id).await?;
    }
    tx.commit().await?;
    Ok(see_other("/r/deleted"))
}

/// Where a deletion leads.
pub(super) async fn deleted_page(visit: Visit) -> Result<Response, Refusal> {
    visit.show(&notices::deleted(&visit))
}

/// Where asking for a new link leads.
pub(super) async fn hidden_page(visit: Visit) -> Result<Response, Refusal> {
    visit.show(&notices::on_its_way(&visit))
}

/// A report on made-up answers, so that people see what they would get.
pub(super) async fn sample_page(
    State(Shared(shared)): State<Shared>,
    visit: Visit,
    Path(slug): Path<String>,
) -> Result<Response, Refusal> {
    let quiz = shared.quiz(&slug)?;
    let profile = quiz.scorer.score(&quiz.instrument, &quiz.form, &sample_answers(quiz));
    let title = String::from("A sample report");
    visit.show(&report(&shared, &visit, quiz, &profile, "", title))
}

/// Made-up answers: each item answered towards its approach's side, a little unevenly, the same at every visit.
pub(super) fn sample_answers(quiz: &Quiz) -> Answers {
    let answer = |item: &std::sync::Arc<instrument::Item>| {
        let rating = item.as_rating()?;
        let points = rating.scale().points();
        let digit = encode::sha256_hex(rating.id().as_str().as_bytes()).bytes().next().unwrap_or(0);
        let is_high = rating.approach() == instrument::Approach::Management;
        let top = points.len() - 1;
        let towards = match (is_high, digit % 3) {
            (true, 0) => top,
            (true, _) => top.saturating_sub(1),
            (false, 0) => top / 2 + 1,
            (false, _) => top / 2,
        };
        let place = match rating.key() {
            instrument::Key::Forward => towards,
            instrument::Key::Reverse => top - towards.min(top),
        };
        Some((rating.id().to_string(), points.get(place)?.value))
    };
    quiz.form.items().iter().filter_map(answer).collect()
}
