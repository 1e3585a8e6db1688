//! The guard around every route: cross-site refusals, error pages, security headers.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::{self, CONTENT_TYPE, HOST, HeaderName, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::page::{Cache, Chrome, html};
use super::visit::is_local;
use super::{Incident, Refusal};
use crate::house::House;

/// A request that takes longer than this is given up.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The one policy of every page: nothing from anywhere else, no inline script or style.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; font-src 'self'; manifest-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'; object-src 'none'";

/// What no page may use of the browser.
const PERMISSIONS_POLICY: &str = "camera=(), geolocation=(), microphone=(), browsing-topics=()";

/// Headers that every answer carries unless the page set its own.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 8] = [
    // Redirects and answers without a page lead to private links, too.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    (HeaderName::from_static("permissions-policy"), HeaderValue::from_static(PERMISSIONS_POLICY)),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

#[derive(Template)]
#[template(path = "refusal.html")]
pub(crate) struct RefusalPage {
    chrome: Chrome,
    happened: &'static str,
    next: &'static str,
    reference: Option<String>,
}

impl RefusalPage {
    /// The page of a refusal, as shown at `path`.
    pub(crate) fn new(
        house: &House,
        refusal: &Refusal,
        path: &str,
        mailbox: bool,
        reference: Option<String>,
    ) -> Self {
        let (title, happened, next) = refusal.words();
        Self { chrome: Chrome::new(house, title, path, mailbox), happened, next, reference }
    }
}

/// Refuses forms from other sites, turns refusals into pages, and sets the security headers.
pub async fn guard(State(house): State<Arc<House>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mailbox = house.mailbox && is_local(request.version(), request.headers());
    let is_allowed = request.method() != Method::POST
        || is_one_click(&path)
        || is_same_site(request.headers(), &house.public_url);
    let mut response = if path.contains("%00") {
        // PostgreSQL takes no NUL in a text, and no address of ours has one.
        refused(Refusal::NotFound)
    } else if is_allowed {
        match tokio::time::timeout(REQUEST_TIMEOUT, answered(&house, request, next)).await {
            Ok(response) => response,
            Err(_) => refused(Refusal::broken("the request took longer than 30 seconds")),
        }
    } else {
        refused(Refusal::CrossSite)
    };
    if let Some(refusal) = refusal_of(&mut response) {
        response = page_of(&house, &refusal, &path, mailbox, &response);
    }
    secure(&house, response.headers_mut());
    response
}

/// The page's answer. A form is turned down only once that on which it rests is durable: another form may have written it a
/// moment ago. (A form that was acted on has waited for its own commit.)
async fn answered(house: &House, request: Request, next: Next) -> Response {
    let is_form = request.method() == Method::POST;
    let response = next.run(request).await;
    if is_form && response.status().is_client_error() {
        match house.db.settled().await {
            Ok(()) => {}
            Err(e) => return refused(Refusal::from(e)),
        }
    }
    response
}

fn refused(refusal: Refusal) -> Response {
    axum::response::IntoResponse::into_response(refusal)
}

/// The mail client's own POST (RFC 8058) may come from anywhere; its page reads the body and then checks the rest itself.
fn is_one_click(path: &str) -> bool {
    path.starts_with("/u/")
}

/// Whether a form was sent from our own pages, or by a client that does not say.
#[must_use]
pub fn is_same_site(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |value: &HeaderValue| value.to_str().unwrap_or("?").to_owned();
    if let Some(site) = headers.get("sec-fetch-site").map(text) {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(ORIGIN).map(text).filter(|origin| origin != "null") else {
        return true;
    };
    let host = headers.get(HOST).map(text).unwrap_or_default();
    origin == public_url || origin.split_once("://").is_some_and(|(_, authority)| authority == host)
}

/// The refusal behind an answer: ours, or what the router says by status alone.
fn refusal_of(response: &mut Response) -> Option<Refusal> {
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        return Some(refusal);
    }
    let is_page = response.headers().get(CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes().starts_with(b"text/html") || kind.as_bytes().starts_with(b"application/")
    });
    match response.status() {
        _ if is_page => None,
        StatusCode::NOT_FOUND => Some(Refusal::NotFound),
        StatusCode::METHOD_NOT_ALLOWED => Some(Refusal::WrongMethod),
        StatusCode::BAD_REQUEST => Some(Refusal::NotFound),
        StatusCode::INTERNAL_SERVER_ERROR => Some(Refusal::broken("a handler panicked")),
        _ => None,
    }
}

fn page_of(
    house: &House,
    refusal: &Refusal,
    path: &str,
    mailbox: bool,
    bare: &Response,
) -> Response {
    let reference = match refusal {
        Refusal::Broken(Incident { cause }) => {
            let reference = crate::encode::hex(&house.chance.bytes::<4>()).to_uppercase();
            tracing::error!(reference, "Answered with reference {reference}: {cause}");
            Some(reference)
        }
        _ => None,
    };
    let page = RefusalPage::new(house, refusal, path, mailbox, reference);
    let mut response = html(refusal.status(), Cache::Private, &page)
        .unwrap_or_else(|_| Response::new(axum::body::Body::from(refusal.words().0)));
    for name in ["allow", "retry-after"] {
        if let Some(value) = bare.headers().get(name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

fn secure(house: &House, headers: &mut HeaderMap) {
    // Room for all at once, instead of growing twice.
    headers.reserve(SECURITY_HEADERS.len() + 1);
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(value);
    }
    if house.public_url.starts_with("https://") {
        let hsts = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert("strict-transport-security", hsts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&'static str, &str)], expect: bool) {
        let headers = pairs.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect();
        assert_eq!(is_same_site(&headers, "https://www.example.org"), expect, "{pairs:?}");
    }

    #[test]
    fn forms_from_other_sites_are_refused_and_text_browsers_are_not() {
        check(&[], true);
        check(&[("origin", "null")], true);
        check(&[("origin", "https://www.example.org")], true);
        check(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")], true);
        check(&[("origin", "https://evil.example")], false);
        check(&[("sec-fetch-site", "same-origin"), ("origin", "null")], true);
        check(&[("sec-fetch-site", "none")], true);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "same-site"), ("origin", "https://www.example.org")], false);
    }
}
