//! A visitor asks for the link to the quiz.

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode};
use base::address::EmailAddress;
use base::clock::{DAY_MS, MINUTE_MS};
use futures_util::future::join_all;

use crate::app::{TestApp, field, location};
use crate::persons::{QUIZ, READING_MS, orderly};

/// The form as a browser sends it after a person has read it.
async fn form(app: &TestApp) -> String {
    let (_, page) = app.get(QUIZ).await;
    app.house.clock.advance(READING_MS);
    field(&page, "submit_id")
}

/// One of the optional boxes, ticked.
const NEWSLETTER: [(&str, &str); 1] = [("purpose.newsletter", "yes")];

/// Headers in order, so that two answers can be compared.
fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    headers.iter().map(text).collect()
}

/// An answer with its random id taken out.
fn anonymous(response: &Response<Body>, body: &str, id: &str) -> String {
    format!("{} {:?} {body}", response.status(), shown(response.headers())).replace(id, "ID")
}

async fn suppress(app: &TestApp, address: &str) {
    let key = EmailAddress::parse(address).unwrap().key;
    let hash = app.house.keys.address_hash(&key);
    let mut tx = app.house.db.begin().await.unwrap();
    audience::suppress(&mut tx, &hash, "complaint", app.house.clock.now_ms()).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn the_answer_is_the_same_for_new_pending_confirmed_and_suppressed_addresses() {
    let app = TestApp::start().await;
    suppress(&app, "suppressed@example.org").await;
    app.sign_up("Pia", "pending@example.org", &[]).await;
    app.begin("confirmed@example.org").await;
    app.house.clock.advance(DAY_MS);
    let mut answers = Vec::new();
    for address in [
        "new@example.org",
        "pending@example.org",
        "confirmed@example.org",
        "suppressed@example.org",
    ] {
        let submit_id = form(&app).await;
        let fields = [("submit_id", submit_id.as_str()), ("name", "Ada"), ("email", address)];
        let before = app.commits().await;
        let (response, body) = app.post(QUIZ, &fields).await;
        assert_eq!(app.commits().await.difference(&before).count(), 1, "{address}");
        let sent = location(&response);
        let id = sent.rsplit('/').next().unwrap();
        let mut answer = vec![anonymous(&response, &body, id)];
        let (response, body) = app.get(&sent).await;
        answer.push(anonymous(&response, &body, id));
        for minutes in [1, 11] {
            app.house.clock.advance(minutes * MINUTE_MS);
            let before = app.commits().await;
            let (response, body) = app.post(&sent, &[]).await;
            assert_eq!(app.commits().await.difference(&before).count(), 1, "again, {address}");
            answer.push(anonymous(&response, &body, id));
        }
        answers.push(answer);
    }
    for answer in &answers[1..] {
        assert_eq!(answer, &answers[0]);
    }
    let mails = app.mails().await;
    assert!(mails.iter().all(|mail| mail.to_address != "suppressed@example.org"));
    assert_eq!(app.count("signup").await, 6, "a suppressed address has a row too");
    assert_eq!(app.count("contact").await, 3, "and nothing else");
    assert_eq!(app.count("sitting").await, 4, "the confirmed one has begun theirs");
}

/// What a request wrote shows in SQLite's log as pages. Whatever the address, a form and "send it again" write as many.
#[tokio::test]
async fn a_form_writes_as_much_whatever_its_address() {
    let app = TestApp::start().await;
    let log = app.data().join("bellwether.sqlite-wal");
    let Ok(_) = std::fs::metadata(&log) else { return };
    let n_bytes = || std::fs::metadata(&log).unwrap().len();
    suppress(&app, "suppressed@example.org").await;
    app.sign_up("Pia", "pending@example.org", &NEWSLETTER).await;
    app.begin("confirmed@example.org").await;
    app.house.clock.advance(DAY_MS);
    app.sign_up("Lea", "lately@example.org", &NEWSLETTER).await;
    let trap = [NEWSLETTER[0], ("website", "https://x.example")];
    let (mut forms, mut agains, mut sent) = (Vec::new(), Vec::new(), String::new());
    for (address, fields) in [
        ("new@example.org", &NEWSLETTER[..]),
        ("pending@example.org", &NEWSLETTER),
        ("lately@example.org", &NEWSLETTER),
        ("confirmed@example.org", &NEWSLETTER),
        ("suppressed@example.org", &NEWSLETTER),
        ("trapped@example.org", &trap),
    ] {
        let before = n_bytes();
        sent = app.sign_up("Ada", address, fields).await;
        forms.push((n_bytes() - before, address));
        for minutes in [1, 11] {
            app.house.clock.advance(minutes * MINUTE_MS);
            let before = n_bytes();
            app.post(&sent, &[]).await;
            agains.push((n_bytes() - before, address));
        }
    }
    let unknown = sent.replace(|c: char| c.is_ascii_digit(), "0");
    let before = n_bytes();
    app.post(&unknown, &[]).await;
    agains.push((n_bytes() - before, "an unknown id"));
    for written in [forms, agains] {
        let (n_first, _) = written[0];
        assert!(written.iter().all(|(n, _)| *n == n_first), "{written:?}");
    }
}

/// The form after the questions, and the page that one comes back to, are no more talkative.
#[tokio::test]
async fn a_result_may_be_asked_for_at_any_address_with_the_same_answer() {
    for gate in ["last", "none"] {
        let edit = format!("gate = \"{gate}\"");
        let app = TestApp::start_with(&[("gate = \"first\"", &edit)]).await;
        suppress(&app, "suppressed@example.org").await;
        let mut answers = Vec::new();
        for address in ["new@example.org", "suppressed@example.org"] {
            let link = app.begin_at_once().await;
            app.answer_all(&link, orderly).await;
            let led_to = app.finish(&link).await;
            let details = if gate == "last" { led_to } else { format!("{led_to}/mail") };
            let sent = app.give_details(&details, address).await;
            let id = sent.rsplit('/').next().unwrap();
            let (response, body) = app.get(&sent).await;
            let mut answer = vec![anonymous(&response, &body, id)];
            let (response, body) = app.get(&details).await;
            assert!(body.contains("A link is on its way"), "{address}: {body}");
            let submit_id = field(&body, "submit_id");
            let body = body.replace(&submit_id, "SUBMIT");
            answer.push(anonymous(&response, &body, &details));
            answers.push(answer);
        }
        assert_eq!(answers[0], answers[1], "{gate}");
        assert_eq!(app.mails().await.len(), 1);
    }
}

#[tokio::test]
async fn fifty_identical_sign_ups_at_once_make_one_contact_one_sitting_one_mail() {
    let app = TestApp::start().await;
    let submit_id = form(&app).await;
    let fields = [("submit_id", submit_id.as_str()), ("name", "Ada"), ("email", "ada@example.org")];
    let answers = join_all((0..50).map(|_| app.post(QUIZ, &fields))).await;
    let first = location(&answers[0].0);
    assert!(answers.iter().all(|(response, _)| location(response) == first));
    // Another rendering of the form, and the address in capitals: the same person, ten minutes not over.
    app.sign_up("Ada", "ADA@example.org", &[]).await;
    for (table, n) in [("contact", 1), ("sitting", 1), ("message", 1), ("signup", 2)] {
        assert_eq!(app.count(table).await, n, "{table}");
    }
}

#[tokio::test]
async fn the_mail_asks_for_one_thing_and_opening_its_links_changes_nothing() {
    let app = TestApp::start().await;
    app.sign_up("Ada", "ada@example.org", &[("purpose.research", "yes")]).await;
    let mails = app.mails().await;
    let mail = &mails[0];
    assert_eq!(mail.body_html.matches("<a href").count(), 2);
    assert!(!mail.body_html.contains("<img"));
    assert!(mail.headers.contains("List-Unsubscribe: <http://127.0.0.1:8080/u/"));
    let before = app.fingerprint().await;
    let start = app.mailed("ada@example.org", "/s/").await;
    let stop = app.mailed("ada@example.org", "/u/").await;
    for link in [&start, &stop] {
        for method in ["GET", "HEAD"] {
            for headers in
                [vec![], vec![("purpose", "prefetch"), ("sec-purpose", "prefetch;prerender")]]
            {
                let (response, _) = app.send(method, link, &headers, "").await;
                assert_eq!(response.status(), StatusCode::OK);
                assert_eq!(response.headers()["cache-control"], "no-store");
                assert_eq!(response.headers()["referrer-policy"], "no-referrer");
                assert!(response.headers()["x-robots-tag"].to_str().unwrap().contains("noindex"));
            }
        }
    }
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn send_it_again_works_after_ten_minutes_and_three_times_a_day() {
    let app = TestApp::start().await;
    let sent = app.sign_up("Ada", "ada@example.org", &[]).await;
    for (minutes, n_mails) in [(1, 1), (9, 2), (5, 2), (6, 3), (60, 3)] {
        app.house.clock.advance(minutes * MINUTE_MS);
        let (response, _) = app.post(&sent, &[]).await;
        assert_eq!(location(&response), sent);
        assert_eq!(app.count("message").await, n_mails, "after {minutes} more minutes");
    }
    let nobody = format!("{QUIZ}/sent/{}", "0".repeat(36));
    assert_eq!(location(&app.post(&nobody, &[]).await.0), nobody);
}

#[tokio::test]
async fn what_is_wrong_with_the_form_is_said_beside_the_field_and_nothing_is_lost() {
    let app = TestApp::start().await;
    let long = "x".repeat(10_000);
    let wrong: [(&str, &str, &str); 10] = [
        ("", "ada@example.org", "#name"),
        ("Ada", "", "#email"),
        ("Ada", "ada", "#email"),
        ("Ada\r\nBcc: x@example.org", "ada@example.org", "#name"),
        ("Ada", "ada@example.org\r\nBcc: x@example.org", "#email"),
        (&long, "ada@example.org", "#name"),
        ("Ada", &long, "#email"),
        ("Ada", "ad\u{e4}@example.org", "#email"),
        ("win at www.example.org", "ada@example.org", "#name"),
        ("Ada", "ada@localhost", "#email"),
    ];
    for (name, email, href) in wrong {
        let submit_id = form(&app).await;
        let fields = [
            ("submit_id", submit_id.as_str()),
            ("name", name),
            ("email", email),
            ("level", "middle"),
            ("purpose.newsletter", "yes"),
        ];
        let (response, page) = app.post(QUIZ, &fields).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{name:.20} {email:.20}");
        assert!(page.contains("<title>Error: ") && page.contains("There is a problem"));
        assert!(page.contains(&format!("<a href=\"{href}\">")), "{name:.20} {email:.20}");
        assert!(
            page.contains("value=\"middle\" selected") && page.contains("value=\"yes\" checked")
        );
        assert_eq!(
            field(&page, "submit_id"),
            submit_id,
            "mended and clicked twice, still one form"
        );
    }
    assert_eq!(app.count("signup").await, 0);
    for (name, email) in
        [("Zo\u{eb} O\u{2019}Neill", "\"ada love\"@example.org"), ("Li", "li@b\u{fc}cher.example")]
    {
        app.sign_up(name, email, &[]).await;
    }
    assert_eq!(app.count("message").await, 2);
}

#[tokio::test]
async fn unknown_fields_foreign_ids_and_haste_are_met_with_the_form() {
    let app = TestApp::start().await;
    let submit_id = form(&app).await;
    let person = [("name", "Ada"), ("email", "ada@example.org")];
    let other_form = {
        let (_, page) = app.get("/preferences").await;
        field(&page, "submit_id")
    };
    let cases = [
        vec![("submit_id", submit_id.as_str()), ("is_admin", "1")],
        vec![("submit_id", submit_id.as_str()), ("phone", "1")],
        vec![("submit_id", submit_id.as_str()), ("purpose.world-peace", "yes")],
        vec![("submit_id", submit_id.as_str()), ("level", "emperor")],
        vec![("submit_id", "AAAA")],
        vec![("submit_id", other_form.as_str())],
        vec![],
    ];
    for mut fields in cases {
        fields.extend(person);
        let (response, page) = app.post(QUIZ, &fields).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(page.contains("value=\"ada@example.org\""), "{fields:?}");
    }
    let (_, page) = app.get(QUIZ).await;
    let hasty = field(&page, "submit_id");
    let mut fields = vec![("submit_id", hasty.as_str())];
    fields.extend(person);
    let (response, _) = app.post(QUIZ, &fields).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "sooner than a person could");
    app.house.clock.advance(READING_MS);
    assert_eq!(app.post(QUIZ, &fields).await.0.status(), StatusCode::SEE_OTHER);
    app.house.clock.advance(3 * DAY_MS);
    let (response, page) = app.post(QUIZ, &fields).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "open too long");
    assert!(page.contains("open too long"));
    assert_ne!(field(&page, "submit_id"), hasty, "a fresh one, which works");
}

#[tokio::test]
async fn a_form_whose_trap_was_filled_in_gets_the_same_answer_and_no_mail() {
    let app = TestApp::start().await;
    let filled_in = [("website", "https://x.example"), ("purpose.newsletter", "yes")];
    let trapped = app.sign_up("Bot", "bot@example.org", &filled_in).await;
    let honest = app.sign_up("Ada", "ada@example.org", &[]).await;
    assert_eq!(trapped.len(), honest.len());
    assert_eq!(
        app.get(&trapped).await.1.replace(&trapped, ""),
        app.get(&honest).await.1.replace(&honest, "")
    );
    assert_eq!(app.count("contact").await, 1);
    assert_eq!(app.count("message").await, 1);
    assert_eq!(app.count("sitting").await, 1);
    assert_eq!(app.count("consent").await, 0);
}

#[tokio::test]
async fn a_form_is_one_record_and_a_corrected_one_is_another() {
    let app = TestApp::start().await;
    let submit_id = form(&app).await;
    let send = async |email: &str| {
        let fields = [("submit_id", submit_id.as_str()), ("name", "Ada"), ("email", email)];
        location(&app.post(QUIZ, &fields).await.0)
    };
    let first = send("ada@exmaple.org").await;
    assert_eq!(send("ada@exmaple.org").await, first, "a second click");
    let corrected = send("ada@example.org").await;
    assert_ne!(corrected, first, "Back, correct, send again");
    assert_eq!(app.mails().await.len(), 2);
}

#[tokio::test]
async fn a_form_in_another_encoding_too_large_or_not_text_is_refused_in_words() {
    let app = TestApp::start().await;
    let url_encoded = "application/x-www-form-urlencoded";
    let large = format!("name={}", "x".repeat(70_000));
    let cases = [
        ("text/plain", "name=Ada", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (url_encoded, large.as_str(), StatusCode::PAYLOAD_TOO_LARGE),
        (url_encoded, "name=%FF", StatusCode::UNPROCESSABLE_ENTITY),
        (url_encoded, "name=a%00b", StatusCode::UNPROCESSABLE_ENTITY),
    ];
    for (kind, body, status) in cases {
        let (response, page) = app.send("POST", QUIZ, &[("content-type", kind)], body).await;
        assert_eq!(response.status(), status);
        assert!(page.contains("<h1>"), "{kind}");
    }
    for (method, path) in [("PUT", QUIZ), ("DELETE", QUIZ), ("POST", "/quiz/leader-type/sample")] {
        let (response, _) = app.send(method, path, &[], "").await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(app.get("/quiz/no-such-quiz").await.0.status(), StatusCode::NOT_FOUND);
}
