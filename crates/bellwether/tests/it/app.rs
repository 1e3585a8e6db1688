//! The product as tests see it: the real router, a database of its own, a clock and a generator that repeat.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use base::chance::Chance;
use base::clock::Clock;
use base::config::Config;
use base::house::House;
use base::http::Visit;
use base::mail::{MailboxItem, Transport};
use base::site::Source;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::scratch::Scratch;

/// 24 November 2026, 08:05 UTC: when every test begins.
const BEGINS_MS: i64 = 1_795_507_500_000;

/// The product, started for one test.
pub struct TestApp {
    pub house: Arc<House>,
    router: Router,
    scratch: Scratch,
}

impl TestApp {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same on a starter site whose `site.toml` was edited: each text on the left replaced by the one on its right.
    pub async fn start_with(edits: &[(&str, &str)]) -> Self {
        let scratch = Scratch::new().await;
        let data = scratch.data().display().to_string();
        let mut flags = BTreeMap::from([("data".to_owned(), data)]);
        if !edits.is_empty() {
            let site = scratch.data().join("site");
            Source::copy_starter_to(&site).unwrap();
            let mut text = std::fs::read_to_string(site.join("site.toml")).unwrap();
            for (from, to) in edits {
                assert!(text.contains(from), "{from}");
                text = text.replace(from, to);
            }
            std::fs::write(site.join("site.toml"), text).unwrap();
            flags.insert("site".to_owned(), site.display().to_string());
        }
        flags.extend(scratch.url().map(|url| ("database-url".to_owned(), url)));
        let none = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
        let config = Config::read(&flags, &|_| None, &none).unwrap();
        let url = String::from("http://127.0.0.1:8080");
        let clock = Clock::manual(BEGINS_MS);
        let house =
            bellwether::open_house(&config, url, clock, Chance::from_seed(1)).await.unwrap();
        Self { router: bellwether::router(&house).unwrap(), house, scratch }
    }

    /// The files of the data directory.
    pub fn files(&self) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(self.scratch.data()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.is_file()).collect()
    }

    /// Sends one request; gives the answer and its body.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (Response<Body>, String) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (response, bytes) =
            self.answer(request.body(Body::from(body.to_owned())).unwrap()).await;
        (response, String::from_utf8(bytes).unwrap())
    }

    /// Sends an empty request; gives the answer and its body as bytes.
    pub async fn send_for_bytes(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (Response<Body>, Vec<u8>) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request.body(Body::empty()).unwrap()).await
    }

    /// The router itself.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        self.scratch.data()
    }

    /// Sends a request as it is; gives the answer and its body.
    pub async fn answer(&self, request: Request<Body>) -> (Response<Body>, Vec<u8>) {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        (Response::from_parts(parts, Body::empty()), bytes)
    }

    /// Opens a page as a browser on this machine does.
    pub async fn get(&self, path: &str) -> (Response<Body>, String) {
        self.send("GET", path, &[("host", "127.0.0.1:8080")], "").await
    }

    /// Sends a form as a browser does: fields are URL-encoded here.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> (Response<Body>, String) {
        let headers = [
            ("host", "127.0.0.1:8080"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.send("POST", path, &headers, &encode(fields)).await
    }

    /// A visit from a reader's browser, for what a test has to arrange behind the pages.
    pub fn visit(&self) -> Visit {
        Visit {
            house: Arc::clone(&self.house),
            now_ms: self.house.clock.now_ms(),
            ip: "192.0.2.7".parse().unwrap(),
            mailbox: true,
            path: String::from("/"),
        }
    }

    /// Sends every mail that is due and gives the mailbox, oldest first.
    pub async fn mails(&self) -> Vec<MailboxItem> {
        while base::mail::deliver_due(&self.house, &Transport::Mailbox).await.unwrap() > 0 {}
        let mut reader = self.house.db.reader().await.unwrap();
        let mut items = base::mail::mailbox_items(&mut reader).await.unwrap();
        items.reverse();
        items
    }
}

/// URL-encodes a form's fields.
pub fn encode(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        let bytes = text.bytes().map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        });
        bytes.collect::<String>()
    };
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The value of the first hidden or text field of that name in a page.
pub fn field(html: &str, name: &str) -> String {
    let input = html.split("<input").find(|input| input.contains(&format!("name=\"{name}\"")));
    let value = input.and_then(|input| input.split("value=\"").nth(1));
    value.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}

/// Where a redirect after a form leads.
pub fn location(response: &Response<Body>) -> String {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    response.headers()["location"].to_str().unwrap().to_owned()
}

#[test]
fn the_helpers_read_what_a_browser_reads() {
    let html =
        "<input id=\"a\" name=\"submit_id\" value=\"x1\"><input name=\"name\" value=\"Ada\">";
    assert_eq!(field(html, "name"), "Ada");
    assert_eq!(encode(&[("a b", "\u{f6}&")]), "a%20b=%C3%B6%26");
    let redirect = Response::builder().status(303).header("location", "/sent/1");
    assert_eq!(location(&redirect.body(Body::empty()).unwrap()), "/sent/1");
}
