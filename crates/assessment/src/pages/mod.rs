//! Pages and handlers: signing up, the questions, the report.

mod details;
mod notices;
mod questions;
mod report;
mod review;
mod samples;
mod signup;
mod start;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use base::db::Queries;
use base::house::House;
use base::http::{Refusal, Visit};
use base::keys::Use;
use publishing::Publication;

use crate::model::{Details, LINK_LIFE_MS, State};
use crate::quiz::{Quiz, Quizzes};
use crate::store::{self, Signup, Sitting};

pub use samples::samples;

/// What the pages share.
#[derive(Debug)]
struct Assessment {
    house: Arc<House>,
    quizzes: Quizzes,
    publication: Arc<Publication>,
}

#[derive(Clone)]
struct Shared(Arc<Assessment>);

impl axum::extract::FromRef<Shared> for Arc<House> {
    fn from_ref(shared: &Shared) -> Self {
        Arc::clone(&shared.0.house)
    }
}

/// Routes of this capability.
pub fn routes(house: Arc<House>, quizzes: Quizzes, publication: Arc<Publication>) -> Router {
    Router::new()
        .route("/quiz/{slug}", get(signup::quiz_page).post(signup::send))
        .route("/quiz/{slug}/sample", get(report::sample_page))
        .route("/quiz/{slug}/sent/{id}", get(signup::sent_page).post(signup::send_again))
        .route("/s/{token}", get(start::arrive_page).post(start::press))
        .route("/s/{token}/review", get(review::review_page))
        .route("/s/{token}/finish", post(review::finish))
        .route("/s/{token}/details", get(details::page).post(details::send))
        .route("/s/{token}/{page}", get(questions::question_page).post(questions::answer))
        .route("/r/hidden", get(report::hidden_page))
        .route("/r/deleted", get(report::deleted_page))
        .route("/r/{token}", get(report::page).post(report::change))
        .route("/r/{token}/delete", get(report::delete_page).post(report::delete))
        .route("/r/{token}/mail", get(details::mail_page).post(details::mail_send))
        .with_state(Shared(Arc::new(Assessment { house, quizzes, publication })))
}

impl Assessment {
    fn quiz(&self, slug: &str) -> Result<&Arc<Quiz>, Refusal> {
        self.quizzes.get(slug).ok_or(Refusal::NotFound)
    }
}

/// Who came by a `/s/` link, and to which sitting.
#[derive(Debug)]
struct Arrival {
    sitting: Sitting,
    /// The sign-up whose mail carried the link; nothing if the link proves no address.
    signup: Option<Signup>,
}

/// What a `/s/` link opens at present.
#[derive(Debug, PartialEq, Eq)]
enum Door<'a> {
    /// The button that confirms and starts.
    Start(&'a Details),
    /// The button that confirms and shows the result.
    Claim(&'a Details),
    /// The questions.
    Questions,
    /// Nothing more to answer.
    Finished,
    /// The link has run out before it was used.
    Expired,
    /// A later form gave the result to another address.
    Replaced,
}

impl Arrival {
    /// The sitting behind a link.
    async fn by(on: &mut impl Queries, visit: &Visit, text: &str) -> Result<Self, Refusal> {
        let token = visit.token(text)?;
        let proves = |nonce: &str| visit.house.keys.proves(Use::Start, &token, nonce);
        if let Some(sitting) = store::sitting(on, &token.row_id).await? {
            let is_proved = proves(&sitting.start_nonce);
            return if is_proved {
                Ok(Self { sitting, signup: None })
            } else {
                Err(Refusal::DeadLink)
            };
        }
        let signup = store::signup(on, &token.row_id).await?.ok_or(Refusal::DeadLink)?;
        let sitting_id = signup.sitting_id.as_deref().unwrap_or("");
        let sitting = store::sitting(on, sitting_id).await?;
        let sitting = sitting.filter(|s| proves(&s.start_nonce)).ok_or(Refusal::DeadLink)?;
        if signup.contact_id.is_none() {
            return Err(Refusal::DeadLink);
        }
        Ok(Self { sitting, signup: Some(signup) })
    }

    fn door(&self, now_ms: i64) -> Door<'_> {
        let sitting = &self.sitting;
        let Some(signup) = &self.signup else {
            let is_open = sitting.contact_id.is_none() && sitting.state == State::Started;
            return if is_open { Door::Questions } else { Door::Finished };
        };
        let is_owner = sitting.contact_id.is_some() && sitting.contact_id == signup.contact_id;
        match (&sitting.details, sitting.state) {
            (_, State::Started) if is_owner => Door::Questions,
            (_, State::Finished) if is_owner => Door::Finished,
            (Some(details), state) if Some(&details.contact_id) == signup.contact_id.as_ref() => {
                let is_late = now_ms - signup.created_ms > LINK_LIFE_MS;
                match state {
                    _ if is_late => Door::Expired,
                    State::Invited => Door::Start(details),
                    State::Started | State::Finished => Door::Claim(details),
                }
            }
            _ => Door::Replaced,
        }
    }
}
