//! The pages that belong to no capability: assets, health, the built-in mailbox.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::clock;
use crate::house::House;
use crate::http::{Cache, Chrome, Refusal, RefusalPage, Visit};
use crate::mail::{self, Letter};
use crate::samples::{NOW_MS, Sample, SampleError, Shown};

/// The mailbox's HTML frame may style itself, and nothing else.
const FRAME_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";

/// Routes of the house itself.
pub fn routes(house: Arc<House>) -> Router {
    Router::new()
        .route("/assets/{file}", get(asset))
        .route(house.assets.card.path(), get(card))
        .route("/mailbox", get(mailbox))
        .route("/mailbox/{id}", get(mailbox_message))
        .route("/mailbox/{id}/frame", get(mailbox_frame))
        .with_state(Arc::clone(&house))
        .merge(health(house))
}

/// Whether the process lives (`/healthz`), and whether it takes new work (`/readyz`).
pub fn health(house: Arc<House>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(house)
}

async fn asset(
    State(house): State<Arc<House>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let stored = house.assets.get(&format!("/assets/{file}")).ok_or(Refusal::NotFound)?;
    Ok(stored.answer(&headers))
}

/// Ready means: the records can be written, no write failed within the last seconds, and nobody has told the program to stop.
async fn ready(State(house): State<Arc<House>>) -> Response {
    if house.stopping.load(Ordering::SeqCst) {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    if house.db.has_failed_lately() {
        return (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response();
    }
    let writable = async { house.db.begin().await?.commit().await };
    match writable.await {
        Ok(()) => "ready\n".into_response(),
        Err(e) => {
            tracing::error!("Not ready: {e}");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
        }
    }
}

/// The site's card; articles serve their own.
async fn card(State(house): State<Arc<House>>, headers: HeaderMap) -> Result<Response, Refusal> {
    house.assets.card.answer(&headers).await
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct MailboxPage {
    chrome: Chrome,
    items: Vec<mail::MailboxItem>,
}

#[derive(Template)]
#[template(path = "mailbox_message.html")]
struct MessagePage {
    chrome: Chrome,
    item: mail::MailboxItem,
    from: String,
    at: String,
    letter: LetterParts,
}

/// A mail as `letter_parts.html` shows it.
pub(crate) struct LetterParts {
    pub(crate) subject: String,
    /// The plain body in pieces, each with whether it is a link.
    pub(crate) pieces: Vec<(String, bool)>,
    /// Address of its HTML.
    pub(crate) frame: String,
}

impl LetterParts {
    /// The mail whose HTML body is at `frame`; addresses that stand on a line of their own become links.
    pub(crate) fn new(subject: &str, text: &str, frame: String) -> Self {
        let is_link = |line: &str| line.starts_with("http://") || line.starts_with("https://");
        let pieces = text.split_inclusive('\n').map(|line| (line.to_owned(), is_link(line)));
        Self { subject: subject.to_owned(), pieces: pieces.collect(), frame }
    }
}

async fn mailbox(visit: Visit) -> Result<Response, Refusal> {
    let chrome = mailbox_chrome(&visit, "Mailbox")?;
    let items = mail::mailbox_items(&mut visit.house.db.reader().await?).await?;
    visit.show(&MailboxPage { chrome, items })
}

async fn mailbox_message(visit: Visit, Path(id): Path<String>) -> Result<Response, Refusal> {
    mailbox_chrome(&visit, "Message")?;
    let item = mail::mailbox_item(&mut visit.house.db.reader().await?, &id).await?;
    let item = item.ok_or(Refusal::NotFound)?;
    let frame = format!("/mailbox/{}/frame", item.message_id);
    visit.show(&MessagePage::new(visit.chrome(&item.subject), item, frame))
}

async fn mailbox_frame(visit: Visit, Path(id): Path<String>) -> Result<Response, Refusal> {
    mailbox_chrome(&visit, "Message")?;
    let item = mail::mailbox_item(&mut visit.house.db.reader().await?, &id).await?;
    Ok(framed(&item.ok_or(Refusal::NotFound)?.body_html))
}

fn mailbox_chrome(visit: &Visit, title: &str) -> Result<Chrome, Refusal> {
    if visit.mailbox { Ok(visit.chrome(title)) } else { Err(Refusal::NotFound) }
}

/// The HTML body of a mail, for a frame on a page of ours; its links open in the whole window.
pub(crate) fn framed(html: &str) -> Response {
    let html = html.replace("<a ", "<a target=\"_top\" ");
    let mut response = axum::response::Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert("content-security-policy", HeaderValue::from_static(FRAME_POLICY));
    headers.insert("x-frame-options", HeaderValue::from_static("SAMEORIGIN"));
    Cache::Private.set(headers);
    response
}

impl MailboxPage {
    fn at(&self, at_ms: &i64) -> String {
        clock::in_words_to_the_minute(*at_ms)
    }
}

impl MessagePage {
    fn new(chrome: Chrome, item: mail::MailboxItem, frame: String) -> Self {
        let from = item.headers.lines().find_map(|line| line.strip_prefix("From: "));
        let from = from.unwrap_or_default().to_owned();
        let at = clock::in_words_to_the_minute(item.at_ms);
        let letter = LetterParts::new(&item.subject, &item.body_text, frame);
        Self { chrome, from, at, letter, item }
    }
}

/// The pages of the house in every state.
#[must_use]
pub fn samples() -> Vec<Sample> {
    let sample = |name, render| Sample { group: "house", name, render };
    vec![
        sample("not-found", |house| refusal(house, &Refusal::NotFound)),
        sample("dead-link", |house| refusal(house, &Refusal::DeadLink)),
        sample("wrong-method", |house| refusal(house, &Refusal::WrongMethod)),
        sample("cross-site", |house| refusal(house, &Refusal::CrossSite)),
        sample("wrong-type", |house| refusal(house, &Refusal::WrongType)),
        sample("too-large", |house| refusal(house, &Refusal::TooLarge)),
        sample("unreadable", |house| refusal(house, &Refusal::Unreadable)),
        sample("too-many", |house| refusal(house, &Refusal::TooMany { retry_after_s: 900 })),
        sample("broken", |house| refusal(house, &Refusal::broken("a sample"))),
        sample("mailbox-empty", |house| {
            let chrome = Chrome::new(house, "Mailbox", "/mailbox", true);
            Shown::page(&MailboxPage { chrome, items: Vec::new() })
        }),
        sample("mailbox", |house| {
            let chrome = Chrome::new(house, "Mailbox", "/mailbox", true);
            Shown::page(&MailboxPage {
                chrome,
                items: vec![sample_mail(house), sample_mail(house)],
            })
        }),
        sample("mailbox-message", |house| {
            let item = sample_mail(house);
            let chrome = Chrome::new(house, &item.subject, "/mailbox/sample", true);
            let frame = String::from("/dev/pages/house/letter/frame");
            Shown::page(&MessagePage::new(chrome, item, frame))
        }),
        sample("letter", |house| Ok(Shown::letter(sample_letter(house)?))),
    ]
}

fn refusal(house: &House, refusal: &Refusal) -> Result<Shown, SampleError> {
    let reference = matches!(refusal, Refusal::Broken(_)).then(|| String::from("8F3A01C2"));
    Shown::page(&RefusalPage::new(house, refusal, "/sample", true, reference))
}

fn sample_letter(house: &House) -> Result<Letter, SampleError> {
    let file = format!(
        "Subject: A letter with everything in it\n\nHello Ada,\n\nThis is a paragraph. It is followed by the one button.\n\n\
         [Open the page]({url}/privacy)\n\nAda Byron wrote:\n\n> Somebody else’s words\n> on two lines.\n\n\
         --\nYou get this because it is a sample.\n[Stop these mails]({url}/cookies)\n",
        url = house.public_url
    );
    Ok(Letter::from_file(&file, &house.site.look.accent)?)
}

fn sample_mail(house: &House) -> mail::MailboxItem {
    let letter = sample_letter(house);
    mail::MailboxItem {
        message_id: String::from("sample"),
        to_address: String::from("ada@example.org"),
        subject: String::from("A letter with everything in it"),
        headers: format!("From: {}\r\nTo: ada@example.org\r\n", house.mail_from),
        body_text: letter.map(|letter| letter.text).unwrap_or_default(),
        body_html: String::new(),
        at_ms: NOW_MS,
    }
}
