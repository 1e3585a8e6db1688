//! A scanner opens every link of every mail, twice, in each of the ways in which scanners do it: nothing changes.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use base::clock::MINUTE_MS;
use base::mail::MailboxItem;

use crate::app::{TestApp, field, location};
use crate::persons::{orderly, path};

const ADA: &str = "ada@example.org";

/// How mail programs, link scanners and browsers announce that nobody has pressed anything.
const MANNERS: [&[(&str, &str)]; 4] = [
    &[],
    &[("purpose", "prefetch")],
    &[("sec-purpose", "prefetch;prerender"), ("sec-fetch-site", "none")],
    &[("x-moz", "prefetch"), ("user-agent", "Mozilla/5.0 (compatible; LinkScanner/1.0)")],
];

/// Every address in a mail: in its text, its HTML and its headers.
fn links(mail: &MailboxItem) -> BTreeSet<String> {
    let all = [&mail.body_text, &mail.body_html, &mail.headers];
    let words = all.into_iter().flat_map(|part| part.split(['"', '<', '>', ' ', '\r', '\n']));
    words.filter(|word| word.starts_with("http://127.0.0.1:8080/")).map(path).collect()
}

/// Where the links of a page lead on this site.
fn onward(html: &str) -> BTreeSet<String> {
    let hrefs = html.split("href=\"").skip(1).filter_map(|rest| rest.split(['"', '#']).next());
    let hrefs = hrefs.map(|href| href.trim_start_matches("http://127.0.0.1:8080").to_owned());
    hrefs.filter(|href| href.starts_with('/') && !href.starts_with("/assets/")).collect()
}

/// Opens every link of every mail in every manner, and whatever the pages then shown link to, twice over.
async fn scan(app: &TestApp) {
    let mails = app.mails().await;
    let mailed: BTreeSet<String> = mails.iter().flat_map(links).collect();
    let before = app.records().await;
    for _ in 0..2 {
        let mut further = BTreeSet::new();
        for link in &mailed {
            for method in ["GET", "HEAD"] {
                for manner in MANNERS {
                    let (response, page) = app.send(method, link, manner, "").await;
                    let status = response.status();
                    assert!([StatusCode::OK, StatusCode::SEE_OTHER].contains(&status), "{link}");
                    assert!(response.headers().get("set-cookie").is_none());
                    further.extend(onward(&page));
                    if status == StatusCode::SEE_OTHER {
                        further.insert(location(&response));
                    }
                }
            }
        }
        for link in further.difference(&mailed) {
            let (response, _) = app.get(link).await;
            assert!(response.status().is_success(), "{link}: {}", response.status());
        }
    }
    assert_eq!(app.records().await, before);
}

/// The kinds of the mails that were queued.
async fn kinds(app: &TestApp) -> BTreeSet<String> {
    let mut reader = app.house.db.reader().await.unwrap();
    let rows = base::mail::by_state(&mut reader, "").await.unwrap();
    rows.into_iter().map(|row| row.kind).collect()
}

async fn writes_to_us(app: &TestApp, topic: &str) {
    let (_, page) = app.get("/contact").await;
    app.house.clock.advance(11 * MINUTE_MS);
    let submit_id = field(&page, "submit_id");
    let fields = [
        ("submit_id", submit_id.as_str()),
        ("name", "Ada"),
        ("email", ADA),
        ("topic", topic),
        ("message", "Hello"),
    ];
    location(&app.post("/contact", &fields).await.0);
}

#[tokio::test]
async fn no_link_of_any_kind_of_mail_changes_anything() {
    let app = TestApp::start().await;
    let newsletter = [("purpose.newsletter", "yes"), ("purpose.research", "yes")];
    app.sign_up("Ada", ADA, &newsletter).await;
    scan(&app).await;
    let link = app.mailed(ADA, "/s/").await;
    app.press(&link).await;
    scan(&app).await;
    app.answer_all(&link, orderly).await;
    scan(&app).await;
    app.finish(&link).await;
    writes_to_us(&app, "general").await;
    writes_to_us(&app, "complaint").await;
    let (_, page) = app.get("/preferences").await;
    app.house.clock.advance(3_000);
    let submit_id = field(&page, "submit_id");
    app.post("/preferences", &[("submit_id", &submit_id), ("email", ADA)]).await;
    let known: BTreeSet<String> =
        app.house.templates.0.keys().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(kinds(&app).await, known, "every kind of mail that the product can write");
    scan(&app).await;
    let unsubscribe = app.mailed(ADA, "/u/").await;
    location(&app.post(&unsubscribe, &[]).await.0);
    scan(&app).await;
}

#[tokio::test]
async fn no_link_to_an_unclaimed_result_claims_it() {
    for gate in ["last", "none"] {
        let edits = [("gate = \"first\"", format!("gate = \"{gate}\""))];
        let app = TestApp::start_with(&edits.each_ref().map(|(a, b)| (*a, b.as_str()))).await;
        let link = app.begin_at_once().await;
        app.answer_all(&link, orderly).await;
        let led_to = app.finish(&link).await;
        let details = if gate == "last" { led_to } else { format!("{led_to}/mail") };
        app.give_details(&details, "mistyped@example.org").await;
        app.give_details(&details, ADA).await;
        scan(&app).await;
        let mailed = app.mailed(ADA, "/s/").await;
        app.press(&mailed).await;
        scan(&app).await;
    }
}

#[tokio::test]
async fn a_link_that_ran_out_is_not_renewed_by_opening_it() {
    let app = TestApp::start().await;
    app.sign_up("Ada", ADA, &[]).await;
    app.house.clock.advance(8 * base::clock::DAY_MS);
    assert!(app.get(&app.mailed(ADA, "/s/").await).await.1.contains("This link has run out"));
    scan(&app).await;
}
