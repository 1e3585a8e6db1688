//! The pages that belong to no capability: assets, health, the built-in mailbox.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::clock;
use crate::house::House;
use crate::http::{Cache, Chrome, Refusal, Visit};
use crate::mail;

/// The mailbox's HTML frame may style itself, and nothing else.
const FRAME_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";

/// Routes of the house itself.
pub fn routes(house: Arc<House>) -> Router {
    Router::new()
        .route("/assets/{file}", get(asset))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/mailbox", get(mailbox))
        .route("/mailbox/{id}", get(mailbox_message))
        .route("/mailbox/{id}/frame", get(mailbox_frame))
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

/// Ready means: the records can be written.
async fn ready(State(house): State<Arc<House>>) -> Response {
    let writable = async { house.db.begin().await?.commit().await };
    match writable.await {
        Ok(()) => "ready\n".into_response(),
        Err(e) => {
            tracing::error!("Not ready: {e}");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
        }
    }
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
    /// The plain body in pieces, each with whether it is a link.
    pieces: Vec<(String, bool)>,
}

async fn mailbox(visit: Visit) -> Result<Response, Refusal> {
    let chrome = mailbox_chrome(&visit, "Mailbox")?;
    let items = mail::mailbox_items(&mut visit.house.db.reader().await?).await?;
    visit.show(&MailboxPage { chrome, items })
}

async fn mailbox_message(visit: Visit, Path(id): Path<String>) -> Result<Response, Refusal> {
    let chrome = mailbox_chrome(&visit, "Message")?;
    let item = mail::mailbox_item(&mut visit.house.db.reader().await?, &id).await?;
    let item = item.ok_or(Refusal::NotFound)?;
    let pieces = pieces(&item.body_text);
    visit.show(&MessagePage { chrome, item, pieces })
}

async fn mailbox_frame(visit: Visit, Path(id): Path<String>) -> Result<Response, Refusal> {
    mailbox_chrome(&visit, "Message")?;
    let item = mail::mailbox_item(&mut visit.house.db.reader().await?, &id).await?;
    let html = item.ok_or(Refusal::NotFound)?.body_html.replace("<a ", "<a target=\"_top\" ");
    let mut response = axum::response::Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert("content-security-policy", HeaderValue::from_static(FRAME_POLICY));
    headers.insert("x-frame-options", HeaderValue::from_static("SAMEORIGIN"));
    Cache::Private.set(headers);
    Ok(response)
}

fn mailbox_chrome(visit: &Visit, title: &str) -> Result<Chrome, Refusal> {
    if visit.mailbox { Ok(visit.chrome(title)) } else { Err(Refusal::NotFound) }
}

/// Splits a plain body so that the addresses in it can be links.
fn pieces(text: &str) -> Vec<(String, bool)> {
    text.split_inclusive('\n')
        .map(|line| (line.to_owned(), line.starts_with("http://") || line.starts_with("https://")))
        .collect()
}

impl MailboxPage {
    fn at(&self, at_ms: &i64) -> String {
        clock::in_words_to_the_minute(*at_ms)
    }
}
