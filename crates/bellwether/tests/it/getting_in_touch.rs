//! Ada gets in touch; so do a machine, somebody in a hurry, and somebody who clicks twice.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use base::clock::{DAY_MS, HOUR_MS, MINUTE_MS};
use base::mail::MailboxItem;
use enquiry::Enquiry;

use crate::app::{TestApp, field, location};
use crate::persons::orderly;

const PROVIDER: &str = "hello@your-organisation.example";
const ADA: &str = "ada@example.org";

/// Opens the form and takes as long over it as a person does.
async fn opens(app: &TestApp, path: &str) -> String {
    let (response, html) = app.get(path).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    app.house.clock.advance(5_000);
    html
}

/// Ada's form, with `changes` made to it; a field may be added.
fn fields<'a>(html: &str, changes: &[(&'a str, &'a str)]) -> Vec<(String, String)> {
    let own = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let mut fields: Vec<(String, String)> = own(&[
        ("name", "Ada Byron"),
        ("email", ADA),
        ("phone", ""),
        ("organisation", ""),
        ("topic", "general"),
        ("programme", ""),
        ("message", "Is six half-days enough?\r\n\r\nWe have two new supervisors."),
        ("website", ""),
    ]);
    fields.push(("submit_id".to_owned(), field(html, "submit_id")));
    for (name, value) in changes {
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => (*value).clone_into(old),
            None => fields.push(((*name).to_owned(), (*value).to_owned())),
        }
    }
    fields
}

async fn sends(app: &TestApp, fields: &[(String, String)]) -> (Response<Body>, String) {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    app.post("/contact", &fields).await
}

/// Opens the form, fills it in with `changes`, sends it.
async fn writes(app: &TestApp, changes: &[(&str, &str)]) -> (Response<Body>, String) {
    let html = opens(app, "/contact").await;
    sends(app, &fields(&html, changes)).await
}

async fn enquiries(app: &TestApp) -> Vec<Enquiry> {
    let mut reader = app.house.db.reader().await.unwrap();
    enquiry::by_state(&mut reader, "").await.unwrap()
}

async fn mails_to(app: &TestApp, address: &str) -> Vec<MailboxItem> {
    let mut mails = app.mails().await;
    mails.retain(|mail| mail.to_address == address);
    mails
}

/// The form came back with a fault at `field`, its words kept, and nothing was stored.
async fn check_refused(app: &TestApp, changes: &[(&str, &str)], at: &str) {
    let (response, html) = writes(app, changes).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{changes:?}");
    assert!(html.contains("<title>Error: "), "{changes:?}");
    assert!(html.contains("role=\"alert\""));
    assert!(html.contains(&format!("<a href=\"#{at}\">")), "{changes:?}: {html}");
    assert!(html.contains(&format!("id=\"{at}\"")), "the summary links to a field that is there");
    if at != "message" && !changes.iter().any(|(name, _)| *name == "message") {
        assert!(html.contains("two new supervisors"), "words are kept: {changes:?}");
    }
    assert_eq!(enquiries(app).await, []);
}

#[tokio::test]
async fn a_message_is_kept_and_reaches_the_provider() {
    let app = TestApp::start().await;
    let (response, _) = writes(&app, &[("phone", "01632 960 002"), ("organisation", "Löw")]).await;
    let sent = location(&response);
    assert!(sent.starts_with("/contact/sent/"), "{sent}");
    let (response, html) = app.get(&sent).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(html.contains("Your message is with us"));

    let stored = enquiries(&app).await;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].message, "Is six half-days enough?\n\nWe have two new supervisors.");
    assert_eq!((stored[0].state.as_str(), stored[0].topic.as_str()), ("new", "general"));
    let reference = enquiry::reference(&stored[0].id);
    assert!(html.contains(&reference));

    let mails = mails_to(&app, PROVIDER).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject, format!("Enquiry {reference} from Ada Byron"));
    assert!(mails[0].headers.contains("Reply-To: ada@example.org"), "{}", mails[0].headers);
    let text = &mails[0].body_text;
    assert!(
        text.contains("> Is six half-days enough?\n>\n> We have two new supervisors."),
        "{text}"
    );
    assert!(text.contains("Telephone: 01632 960 002.") && text.contains("Organisation: Löw."));
    assert!(text.contains("Quiz result: not attached."));
}

#[tokio::test]
async fn from_a_programme_the_form_knows_which_one() {
    let app = TestApp::start().await;
    let (_, page) = app.get("/programmes/first-ninety-days").await;
    assert!(page.contains("href=\"/contact?programme=first-ninety-days\""));
    let html = opens(&app, "/contact?programme=first-ninety-days").await;
    assert!(html.contains("<option value=\"programme\" selected>"));
    assert!(html.contains("<option value=\"first-ninety-days\" selected>"));
    let asked = [("topic", "programme"), ("programme", "first-ninety-days")];
    location(&sends(&app, &fields(&html, &asked)).await.0);
    assert_eq!(enquiries(&app).await[0].programme, "first-ninety-days");
    let text = &mails_to(&app, PROVIDER).await[0].body_text;
    assert!(text.contains("About: A programme (The first ninety days)."), "{text}");
    let html = opens(&app, "/contact?programme=%22%3E%3Cscript%3E").await;
    assert!(!html.contains("<script>"), "an unknown programme is left out");
}

#[tokio::test]
async fn every_fault_is_named_beside_its_field_and_nothing_is_lost() {
    let app = TestApp::start().await;
    check_refused(&app, &[("name", "")], "name").await;
    check_refused(&app, &[("name", "Ada\r\nBcc: x@example.org")], "name").await;
    check_refused(&app, &[("name", &"x".repeat(10_000))], "name").await;
    check_refused(&app, &[("email", "ada@")], "email").await;
    check_refused(&app, &[("email", "ada@example.org\r\nBcc: x@example.org")], "email").await;
    check_refused(&app, &[("email", &format!("{}@example.org", "a".repeat(10_000)))], "email")
        .await;
    check_refused(&app, &[("phone", &"1".repeat(41))], "phone").await;
    check_refused(&app, &[("organisation", "a\nb")], "organisation").await;
    check_refused(&app, &[("topic", "rubbish")], "topic").await;
    check_refused(&app, &[("programme", "rubbish")], "programme").await;
    check_refused(&app, &[("message", " \r\n ")], "message").await;
    check_refused(&app, &[("message", &"x".repeat(5_001))], "message").await;
    check_refused(&app, &[("message", "a\u{1b}[2J")], "message").await;
    check_refused(&app, &[("attach", "yes")], "message").await;
    check_refused(&app, &[("colour", "blue")], "send").await;
    check_refused(&app, &[("submit_id", "foreign")], "send").await;
    check_refused(&app, &[("submit_id", "")], "send").await;
    assert!(app.mails().await.is_empty());
}

#[tokio::test]
async fn what_is_typed_is_never_read_as_markup() {
    let app = TestApp::start().await;
    let evil = "</textarea><script>alert(1)</script>\"><img src=x>";
    let (_, html) = writes(&app, &[("message", evil), ("email", evil), ("phone", evil)]).await;
    assert!(!html.contains("<script>alert") && !html.contains("<img src=x>"));
    location(&writes(&app, &[("message", evil), ("organisation", evil)]).await.0);
    let mail = &mails_to(&app, PROVIDER).await[0];
    assert!(!mail.body_html.contains("<script>") && !mail.body_html.contains("<img"));
}

#[tokio::test]
async fn addresses_that_are_unusual_but_right_are_taken() {
    let app = TestApp::start().await;
    location(&writes(&app, &[("email", "ada@b\u{fc}cher.example")]).await.0);
    location(&writes(&app, &[("email", "\"ada love\"@example.org")]).await.0);
    let mails = mails_to(&app, PROVIDER).await;
    assert!(mails[0].headers.contains("Reply-To: ada@xn--bcher-kva.example"));
    assert!(
        mails[1].headers.contains("Reply-To: \"ada love\"@example.org"),
        "{}",
        mails[1].headers
    );
}

#[tokio::test]
async fn unreadable_oversized_and_foreign_bodies_are_refused_in_words() {
    let app = TestApp::start().await;
    let html = opens(&app, "/contact").await;
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let id = format!("submit_id={}", field(&html, "submit_id"));
    for (body, status) in [
        (format!("{id}&name=a%00b"), StatusCode::UNPROCESSABLE_ENTITY),
        (format!("{id}&name=%FF"), StatusCode::UNPROCESSABLE_ENTITY),
        (format!("{id}&message={}", "x".repeat(70_000)), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let (response, page) = app.send("POST", "/contact", &[kind], &body).await;
        assert_eq!(response.status(), status);
        assert!(page.contains("<h1>"));
    }
    let json = [("content-type", "application/json")];
    let (response, _) = app.send("POST", "/contact", &json, "{}").await;
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let from_afar = [kind, ("sec-fetch-site", "cross-site")];
    let (response, _) = app.send("POST", "/contact", &from_afar, &id).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let (response, _) = app.send("DELETE", "/contact", &[], "").await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(enquiries(&app).await, []);
}

#[tokio::test]
async fn somebody_in_a_hurry_may_send_the_same_form_again() {
    let app = TestApp::start().await;
    let (_, html) = app.get("/contact").await;
    let (response, again) = sends(&app, &fields(&html, &[])).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.contains("quicker than we expect of a person"));
    assert_eq!(field(&again, "submit_id"), field(&html, "submit_id"));
    app.house.clock.advance(2_000);
    location(&sends(&app, &fields(&again, &[])).await.0);
    assert_eq!(enquiries(&app).await.len(), 1);
}

#[tokio::test]
async fn a_form_left_open_for_days_comes_back_with_a_fresh_id() {
    let app = TestApp::start().await;
    let html = opens(&app, "/contact").await;
    app.house.clock.advance(3 * DAY_MS);
    let (response, again) = sends(&app, &fields(&html, &[])).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    app.house.clock.advance(5_000);
    location(&sends(&app, &fields(&again, &[])).await.0);
}

#[tokio::test]
async fn two_clicks_are_one_message_and_a_corrected_form_is_another() {
    let app = TestApp::start().await;
    let html = opens(&app, "/contact").await;
    let first = location(&sends(&app, &fields(&html, &[])).await.0);
    app.house.clock.advance(60_000);
    assert_eq!(location(&sends(&app, &fields(&html, &[])).await.0), first);
    assert_eq!(enquiries(&app).await.len(), 1);
    let corrected = fields(&html, &[("message", "Eight half-days, I mean.")]);
    assert_ne!(location(&sends(&app, &corrected).await.0), first);
    assert_eq!(enquiries(&app).await.len(), 2);
    assert_eq!(mails_to(&app, PROVIDER).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_at_once_are_one_message() {
    let app = Arc::new(TestApp::start().await);
    let html = opens(&app, "/contact").await;
    let form = Arc::new(fields(&html, &[]));
    let mut clicks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (app, form) = (app.clone(), form.clone());
        clicks.spawn(async move { location(&sends(&app, &form).await.0) });
    }
    let led_to: std::collections::BTreeSet<String> = clicks.join_all().await.into_iter().collect();
    assert_eq!(led_to.len(), 1);
    assert_eq!(enquiries(&app).await.len(), 1);
    assert_eq!(app.mails().await.len(), 2, "one to the provider, one receipt");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_different_messages_at_once_are_twenty_with_one_receipt() {
    let app = Arc::new(TestApp::start().await);
    let html = Arc::new(opens(&app, "/contact").await);
    let mut people = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (app, html) = (app.clone(), html.clone());
        people.spawn(async move {
            let message = format!("Number {n}");
            location(&sends(&app, &fields(&html, &[("message", &message)])).await.0)
        });
    }
    let led_to: std::collections::BTreeSet<String> = people.join_all().await.into_iter().collect();
    assert_eq!(led_to.len(), 20);
    assert_eq!(mails_to(&app, PROVIDER).await.len(), 20);
    assert_eq!(mails_to(&app, ADA).await.len(), 1);
}

#[tokio::test]
async fn looking_changes_nothing() {
    let app = TestApp::start().await;
    let sent = location(&writes(&app, &[]).await.0);
    for path in ["/contact", "/contact?report=x", "/contact?programme=first-ninety-days", &sent] {
        for method in ["GET", "HEAD"] {
            let prefetch = [("sec-purpose", "prefetch")];
            let (response, _) = app.send(method, path, &prefetch, "").await;
            assert_eq!(response.status(), StatusCode::OK, "{method} {path}");
            assert!(!response.headers().contains_key("set-cookie"));
        }
    }
    assert_eq!(enquiries(&app).await.len(), 1);
    assert_eq!(app.mails().await.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_acknowledged() {
    let app = TestApp::start().await;
    let html = opens(&app, "/contact").await;
    app.house.db.close().await;
    let (response, page) = sends(&app, &fields(&html, &[])).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.contains("Something failed on our side") && page.contains("Reference"));
    assert!(!page.contains("Ada"), "no cause and no person");
}

#[tokio::test]
async fn a_machine_that_fills_in_the_trap_hears_the_same_and_leaves_nothing() {
    let app = TestApp::start().await;
    let (person, _) = writes(&app, &[]).await;
    let (machine, _) = writes(&app, &[("website", "https://pills.example")]).await;
    let (to_person, to_machine) = (location(&person), location(&machine));
    assert_eq!(to_person.len(), to_machine.len());
    let names = |response: &Response<Body>| {
        response.headers().keys().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(names(&person), names(&machine));
    let (_, page_of_person) = app.get(&to_person).await;
    let (response, page_of_machine) = app.get(&to_machine).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(page_of_person.len(), page_of_machine.len());
    assert_eq!(enquiries(&app).await.len(), 1);
    assert_eq!(mails_to(&app, PROVIDER).await.len(), 1);
}

#[tokio::test]
async fn a_network_over_its_budget_keeps_its_words() {
    let app = TestApp::start().await;
    let html = opens(&app, "/contact").await;
    for n in 0..100 {
        let message = format!("Number {n}");
        location(&sends(&app, &fields(&html, &[("message", &message)])).await.0);
    }
    let (response, page) = sends(&app, &fields(&html, &[("message", "One too many")])).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(response.headers().contains_key("retry-after"));
    assert!(page.contains("One too many") && page.contains("Your words are kept"));
    let again = sends(&app, &fields(&html, &[("message", "Number 7")])).await;
    location(&again.0);
    app.house.clock.advance(HOUR_MS);
    location(&sends(&app, &fields(&html, &[("message", "One too many")])).await.0);
    assert_eq!(enquiries(&app).await.len(), 101);
}

#[tokio::test]
async fn the_person_gets_a_receipt_with_their_words_and_their_rights() {
    let app = TestApp::start().await;
    let message = "Is it enough?\r\nSee https://pills.example/buy or pills.example";
    location(&writes(&app, &[("message", message)]).await.0);
    let mails = mails_to(&app, ADA).await;
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert!(mail.subject.starts_with("We have your message (Q-"), "{}", mail.subject);
    assert!(mail.headers.contains(&format!("Reply-To: {PROVIDER}")), "{}", mail.headers);
    assert!(mail.headers.contains("Auto-Submitted: auto-generated"));
    assert!(mail.body_text.contains("Hello Ada Byron,"));
    assert!(mail.body_text.contains("> Is it enough?\n> See [web address] or [web address]"));
    assert!(!mail.body_html.contains("pills") && !mail.body_html.contains("<img"));
    let links: Vec<&str> = mail.body_text.lines().filter(|l| l.starts_with("http")).collect();
    assert_eq!(links.len(), 2, "{}", mail.body_text);
    for link in links {
        let path = link.strip_prefix("http://127.0.0.1:8080").unwrap();
        assert_eq!(app.get(path).await.0.status(), StatusCode::OK, "{path}");
    }
    let to_provider = mails_to(&app, PROVIDER).await.remove(0);
    assert!(
        to_provider.body_text.contains("https://pills.example/buy"),
        "the provider sees it all"
    );
}

#[tokio::test]
async fn a_complaint_is_acknowledged_on_the_page_and_by_mail() {
    let app = TestApp::start().await;
    let (response, _) = writes(&app, &[("topic", "complaint")]).await;
    let (_, page) = app.get(&location(&response)).await;
    assert!(page.contains("Your complaint is with us") && page.contains("30 days"));
    let receipt = &mails_to(&app, ADA).await[0];
    assert!(receipt.subject.starts_with("We have your complaint (Q-"), "{}", receipt.subject);
    assert!(receipt.body_text.contains("on 24 November 2026, and this email acknowledges it"));
    assert!(receipt.body_text.contains("within 30 days (section 164A"), "{}", receipt.body_text);
    let mail = &mails_to(&app, PROVIDER).await[0];
    assert!(mail.subject.starts_with("Complaint Q-"), "{}", mail.subject);
    assert!(mail.body_text.contains("The receipt that went to them acknowledges it."));
}

#[tokio::test]
async fn an_address_gets_one_receipt_in_ten_minutes_and_three_a_day_and_the_provider_all() {
    let app = TestApp::start().await;
    let mut n_sent = 0;
    let mut check = async |after_ms: i64, n_receipts: usize| {
        app.house.clock.advance(after_ms);
        n_sent += 1;
        let message = format!("Number {n_sent}");
        location(&writes(&app, &[("message", &message), ("topic", "complaint")]).await.0);
        assert_eq!(mails_to(&app, ADA).await.len(), n_receipts, "{message}");
        assert_eq!(mails_to(&app, PROVIDER).await.len(), n_sent);
    };
    check(0, 1).await;
    check(MINUTE_MS, 1).await;
    check(9 * MINUTE_MS, 2).await;
    check(10 * MINUTE_MS, 3).await;
    check(HOUR_MS, 3).await;
    check(DAY_MS, 4).await;
    let mail = &mails_to(&app, PROVIDER).await[1];
    let by = "acknowledge it yourself by 24 December 2026";
    assert!(mail.body_text.contains(by), "{}", mail.body_text);
}

#[tokio::test]
async fn a_blocked_address_hears_the_same_and_gets_no_mail() {
    let app = TestApp::start().await;
    let hash = app.house.keys.address_hash(ADA);
    let mut tx = app.house.db.begin().await.unwrap();
    audience::suppress(&mut tx, &hash, "bounce", 1).await.unwrap();
    tx.commit().await.unwrap();
    let (blocked, _) = writes(&app, &[]).await;
    let (new, _) = writes(&app, &[("email", "bea@example.org")]).await;
    let (known, _) = writes(&app, &[("email", "bea@example.org"), ("message", "More")]).await;
    let paths = [location(&blocked), location(&new), location(&known)];
    assert!(paths.iter().all(|path| path.len() == paths[0].len()));
    let mut pages = std::collections::BTreeSet::new();
    for path in &paths {
        let (_, page) = app.get(path).await;
        let reference = page.split("class=\"reference\">").nth(1).unwrap()[..11].to_owned();
        pages.insert(page.replace(&reference, ""));
    }
    assert_eq!(pages.len(), 1, "the same bytes for everybody");
    assert_eq!(mails_to(&app, ADA).await.len(), 0);
    assert_eq!(mails_to(&app, "bea@example.org").await.len(), 1);
    assert_eq!(mails_to(&app, PROVIDER).await.len(), 3);
}

#[tokio::test]
async fn an_enquiry_is_copied_out_and_erased_with_everything_else() {
    let app = TestApp::start().await;
    location(&writes(&app, &[]).await.0);
    location(&writes(&app, &[("email", "bea@example.org")]).await.0);
    let receipt = mails_to(&app, ADA).await.remove(0);
    let preferences = receipt.body_text.lines().find(|line| line.contains("/p/")).unwrap();
    let preferences = preferences.strip_prefix("http://127.0.0.1:8080").unwrap();
    let export = format!("{preferences}/export");
    let (_, archive) = app.send_for_bytes("POST", &export, &[]).await;
    let archive = String::from_utf8_lossy(&archive);
    assert!(archive.contains("enquiries.csv") && archive.contains("six half-days"));

    // A later mail to the provider still waits while she is erased.
    location(&writes(&app, &[("message", "Still waiting")]).await.0);
    let (_, page) = app.get(&format!("{preferences}/erase")).await;
    let submit_id = field(&page, "submit_id");
    let erase = format!("{preferences}/erase");
    location(&app.post(&erase, &[("submit_id", &submit_id)]).await.0);
    let left = enquiries(&app).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].address, "bea@example.org");
    let mails = app.mails().await;
    let about: Vec<_> = mails.iter().filter(|mail| mail.body_text.contains("Ada")).collect();
    assert_eq!(about.len(), 2, "Bea signed herself Ada, too");
    assert!(mails.iter().all(|mail| !mail.body_text.contains("ada@example.org")));
}

/// Takes the quiz; gives the path of the form as the report links to it, and the path of the report.
async fn opens_report(app: &TestApp) -> (String, String) {
    let link = app.begin(ADA).await;
    app.answer_all(&link, orderly).await;
    let report = app.finish(&link).await;
    let (_, page) = app.get(&report).await;
    let form = page.split("href=\"").find(|rest| rest.starts_with("/contact?report=")).unwrap();
    (form.split('"').next().unwrap().to_owned(), report)
}

#[tokio::test]
async fn a_result_goes_along_only_if_its_box_is_ticked() {
    let app = TestApp::start().await;
    let (form, _) = opens_report(&app).await;
    let (response, _) = app.get(&form).await;
    assert_eq!(response.headers()["referrer-policy"], "no-referrer");
    assert_eq!(response.headers()["x-robots-tag"], "noindex, nofollow");
    let html = opens(&app, &form).await;
    assert!(html.contains("name=\"attach\" value=\"yes\"") && !html.contains(" checked"));
    assert!(html.contains("What would be sent") && html.contains("Managing: about"));
    assert!(html.contains("<option value=\"result\" selected>"));
    assert!(!html.contains("rel=\"canonical\""));

    let report = field(&html, "report");
    let unticked = fields(&html, &[("topic", "result"), ("report", &report)]);
    location(&sends(&app, &unticked).await.0);
    app.house.clock.advance(1_000);
    let ticked = fields(&html, &[("topic", "result"), ("report", &report), ("attach", "yes")]);
    location(&sends(&app, &ticked).await.0);
    let stored = enquiries(&app).await;
    assert_eq!(stored[0].profile, "");
    assert!(stored[1].profile.contains("Managing: about"), "{}", stored[1].profile);
    let mails = mails_to(&app, PROVIDER).await;
    assert!(mails[0].body_text.contains("Quiz result: not attached."));
    assert!(mails[1].body_text.contains("\n> Managing: about"), "{}", mails[1].body_text);
    assert!(mails.iter().all(|mail| !mail.body_text.contains(&report)), "never the link itself");
}

#[tokio::test]
async fn a_result_whose_link_was_replaced_is_not_sent_and_that_is_said() {
    let app = TestApp::start().await;
    let (form, report) = opens_report(&app).await;
    let html = opens(&app, &form).await;
    let token = field(&html, "report");
    let (_, page) = app.get(&report).await;
    let submit_id = field(&page, "submit_id");
    location(&app.post(&report, &[("submit_id", &submit_id), ("do", "rotate")]).await.0);
    let ticked = fields(&html, &[("report", &token), ("attach", "yes")]);
    let (response, again) = sends(&app, &ticked).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.contains("can no longer be attached") && !again.contains("name=\"attach\""));
    location(&sends(&app, &fields(&again, &[])).await.0);
    assert_eq!(enquiries(&app).await[0].profile, "");
}

#[tokio::test]
async fn the_page_after_the_form_opens_for_our_own_addresses_only() {
    let app = TestApp::start().await;
    for token in ["x", &"A".repeat(44), "%FF"] {
        let (response, _) = app.get(&format!("/contact/sent/{token}")).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{token}");
    }
}

#[tokio::test]
async fn the_form_may_be_found_but_not_kept() {
    let app = TestApp::start().await;
    let (response, html) = app.get("/contact").await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(!response.headers().contains_key("x-robots-tag"));
    assert!(html.contains("<link rel=\"canonical\" href=\"http://127.0.0.1:8080/contact\">"));
    let (response, html) = app.get("/contact?report=x").await;
    assert_eq!(response.headers()["x-robots-tag"], "noindex, nofollow");
    assert_eq!(response.headers()["referrer-policy"], "no-referrer");
    assert!(!html.contains("rel=\"canonical\"") || !html.contains("report="));
    for page in ["/", "/privacy", "/nowhere"] {
        assert!(app.get(page).await.1.contains("href=\"/contact\""), "{page}");
    }
    let (_, map) = app.get("/sitemap.xml").await;
    assert!(map.contains("/contact</loc>"));
}
