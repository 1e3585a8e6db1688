//! Every page and mail in every sample state, for the eye (`/dev/pages`) and for tests.
//!
//! A capability registers its samples; the composition gathers them. They are open only while the built-in mailbox is,
//! which means: to a developer on this machine.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::house::House;
use crate::http::{Cache, Chrome, Refusal, Visit};
use crate::mail::Letter;
use crate::pages::{LetterParts, framed};

/// 24 November 2026, 08:05 UTC: when samples are looked at.
pub const NOW_MS: i64 = 1_795_507_500_000;
/// The id of whatever a sample shows.
pub const ID: &str = "019ab4f0-5c00-7000-8000-00251a5afc92";
/// What stands for the token or nonce of a link in samples.
pub const TOKEN: &str = "sample";

/// Why a sample could not be made.
pub type SampleError = Box<dyn std::error::Error + Send + Sync>;

/// A page or mail in one state.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The capability it belongs to.
    pub group: &'static str,
    /// The page and its state, as an address may hold it: `quiz-error`.
    pub name: &'static str,
    /// Makes it from sample data; it reads and writes no record, and gives the same every time.
    pub render: fn(&Arc<House>) -> Result<Shown, SampleError>,
}

/// What a sample gives.
#[derive(Clone, Debug)]
pub enum Shown {
    /// A whole page.
    Page(String),
    /// A mail.
    Letter(Box<Letter>),
}

impl Shown {
    /// A page from its template.
    ///
    /// # Errors
    /// If the template fails.
    pub fn page(page: &impl Template) -> Result<Self, SampleError> {
        Ok(Self::Page(page.render()?))
    }

    /// A mail.
    #[must_use]
    pub fn letter(letter: Letter) -> Self {
        Self::Letter(Box::new(letter))
    }
}

/// The gallery: a list at `/dev/pages`, and each sample below it.
pub fn routes(house: Arc<House>, samples: Vec<Sample>) -> Router {
    let gallery = Gallery { house, samples: samples.into() };
    Router::new()
        .route("/dev/pages", get(list))
        .route("/dev/pages/{group}/{name}", get(show))
        .route("/dev/pages/{group}/{name}/frame", get(frame))
        .with_state(gallery)
}

#[derive(Clone)]
struct Gallery {
    house: Arc<House>,
    samples: Arc<[Sample]>,
}

impl axum::extract::FromRef<Gallery> for Arc<House> {
    fn from_ref(gallery: &Gallery) -> Self {
        Arc::clone(&gallery.house)
    }
}

impl Gallery {
    fn shown(&self, visit: &Visit, group: &str, name: &str) -> Result<Shown, Refusal> {
        let is_it = |sample: &&Sample| sample.group == group && sample.name == name;
        let sample = self.samples.iter().find(is_it).filter(|_| visit.mailbox);
        let sample = sample.ok_or(Refusal::NotFound)?;
        (sample.render)(&self.house).map_err(Refusal::broken)
    }
}

#[derive(Template)]
#[template(path = "samples.html")]
struct GalleryPage {
    chrome: Chrome,
    groups: Vec<(&'static str, Vec<&'static str>)>,
}

#[derive(Template)]
#[template(path = "samples_letter.html")]
struct LetterPage {
    chrome: Chrome,
    letter: LetterParts,
}

async fn list(visit: Visit, State(gallery): State<Gallery>) -> Result<Response, Refusal> {
    if !visit.mailbox {
        return Err(Refusal::NotFound);
    }
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for sample in gallery.samples.iter() {
        match groups.iter_mut().find(|(group, _)| *group == sample.group) {
            Some((_, names)) => names.push(sample.name),
            None => groups.push((sample.group, vec![sample.name])),
        }
    }
    visit.show(&GalleryPage { chrome: visit.chrome("Every page and mail"), groups })
}

async fn show(
    visit: Visit,
    State(gallery): State<Gallery>,
    Path((group, name)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    match gallery.shown(&visit, &group, &name)? {
        Shown::Page(html) => {
            let mut response = axum::response::Html(html).into_response();
            Cache::Private.set(response.headers_mut());
            Ok(response)
        }
        Shown::Letter(letter) => {
            let frame = format!("/dev/pages/{group}/{name}/frame");
            let parts = LetterParts::new(&letter.subject, &letter.text, frame);
            visit.show(&LetterPage { chrome: visit.chrome(&letter.subject), letter: parts })
        }
    }
}

async fn frame(
    visit: Visit,
    State(gallery): State<Gallery>,
    Path((group, name)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    match gallery.shown(&visit, &group, &name)? {
        Shown::Letter(letter) => Ok(framed(&letter.html)),
        Shown::Page(_) => Err(Refusal::NotFound),
    }
}
