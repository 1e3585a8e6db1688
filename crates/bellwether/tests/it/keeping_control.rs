//! A contact keeps control of their data: stopping mail, choosing, copying out, erasing.

use audience::{Contact, Person};
use axum::http::StatusCode;
use base::address::EmailAddress;

use crate::app::{TestApp, field, location};

const PURPOSES: [&str; 2] = ["newsletter", "research"];

fn person(name: &str, organisation: &str) -> Person {
    Person {
        name: name.to_owned(),
        address: EmailAddress::parse(&format!("{}@example.org", name.to_lowercase())).unwrap(),
        organisation: organisation.to_owned(),
        role: String::new(),
        phone: String::new(),
    }
}

/// Ada, confirmed, with the newsletter and research agreed to.
pub async fn ada(app: &TestApp) -> Contact {
    let visit = app.visit();
    let person = person("Ada", "=Engines");
    let purposes = PURPOSES.map(String::from);
    let form_url = "http://127.0.0.1:8080/quiz/leader-type";
    let mut tx = app.house.db.begin().await.unwrap();
    let admitted = audience::admit(&mut tx, &visit, &person, "").await.unwrap();
    let contact = &admitted.contact;
    audience::request(&mut tx, &visit, &admitted, &purposes, form_url, None).await.unwrap();
    for _ in 0..2 {
        audience::confirm(&mut tx, &visit, &contact.id, &person, &purposes, form_url, None)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    admitted.contact
}

async fn agrees(app: &TestApp, contact: &Contact, purpose: &str) -> bool {
    let mut reader = app.house.db.reader().await.unwrap();
    audience::agrees(&mut reader, &contact.id, purpose).await.unwrap()
}

fn path(url: &str) -> &str {
    url.strip_prefix("http://127.0.0.1:8080").unwrap()
}

#[tokio::test]
async fn opening_the_link_stops_nothing_and_pressing_the_button_stops_it() {
    let app = TestApp::start().await;
    let contact = ada(&app).await;
    let link = audience::unsubscribe_url(&app.house, &contact);
    for method in ["GET", "HEAD"] {
        let (response, page) = app.send(method, path(&link), &[("purpose", "prefetch")], "").await;
        assert_eq!(response.status(), StatusCode::OK, "{page}");
        assert_eq!(response.headers()["referrer-policy"], "no-referrer");
    }
    assert!(agrees(&app, &contact, "newsletter").await);
    let (response, _) = app.post(path(&link), &[]).await;
    let (done, page) = app.get(&location(&response)).await;
    assert_eq!(done.status(), StatusCode::OK);
    assert!(page.contains("no more optional mail"));
    assert!(!agrees(&app, &contact, "newsletter").await);
    let (again, _) = app.post(path(&link), &[]).await;
    assert_eq!(again.status(), StatusCode::SEE_OTHER, "again shows the right state");
}

#[tokio::test]
async fn a_mail_client_stops_mail_with_one_click_in_either_encoding() {
    let app = TestApp::start().await;
    let contact = ada(&app).await;
    let link = audience::unsubscribe_url(&app.house, &contact);
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    let kinds = [
        ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
        ("multipart/form-data; boundary=x", multipart),
    ];
    for (kind, body) in kinds {
        let headers = [("content-type", kind), ("origin", "https://mail.example")];
        let (response, _) = app.send("POST", path(&link), &headers, body).await;
        assert_eq!(response.status(), StatusCode::OK, "{kind}");
        assert!(response.headers().get("location").is_none());
        assert!(response.headers().get("set-cookie").is_none());
    }
    assert!(!agrees(&app, &contact, "newsletter").await);
    let unknown = format!("/u/{}", "A".repeat(43));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let (response, _) = app.send("POST", &unknown, &headers, "List-Unsubscribe=One-Click").await;
    assert_eq!(response.status(), StatusCode::OK, "says nothing of who is known");
}

#[tokio::test]
async fn preferences_are_saved_once_and_proved_by_the_ledger() {
    let app = TestApp::start().await;
    let contact = ada(&app).await;
    let link = audience::preferences_url(&app.house, &contact);
    let (_, page) = app.get(path(&link)).await;
    assert_eq!(page.matches(" checked").count(), 2);
    let submit_id = field(&page, "submit_id");
    let fields = [("submit_id", submit_id.as_str()), ("purpose.contact-me", "yes")];
    for _ in 0..2 {
        let (response, _) = app.post(path(&link), &fields).await;
        assert!(location(&response).ends_with("/saved"));
    }
    assert!(!agrees(&app, &contact, "newsletter").await);
    assert!(agrees(&app, &contact, "contact-me").await);
    let (response, page) = app.post(path(&link), &[("submit_id", "nonsense")]).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("There is a problem") && page.contains("<title>Error: "));
}

#[tokio::test]
async fn everything_can_be_copied_out_and_then_erased() {
    let app = TestApp::start().await;
    let contact = ada(&app).await;
    let link = audience::preferences_url(&app.house, &contact);
    let export = format!("{}/export", path(&link));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let (response, archive) = app.send_for_bytes("POST", &export, &headers).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/zip");
    let text = String::from_utf8_lossy(&archive);
    for expected in
        ["everything.json", "consents.csv", "ada@example.org", "'=Engines", "newsletter"]
    {
        assert!(text.contains(expected), "{expected}");
    }
    assert!(text.contains("\"chain_is_whole\": true"));

    let erase = format!("{}/erase", path(&link));
    let (_, page) = app.get(&erase).await;
    assert!(page.contains("answers may be used for research"));
    let submit_id = field(&page, "submit_id");
    let (response, _) = app.post(&erase, &[("submit_id", &submit_id)]).await;
    let erased = location(&response);
    assert!(erased.starts_with("/erased/E-"));
    let (response, _) = app.post(&erase, &[("submit_id", &submit_id)]).await;
    assert_eq!(location(&response), erased, "a second click leads to the same place");
    assert_eq!(app.get(&erased).await.0.status(), StatusCode::OK);
    assert_eq!(app.get(path(&link)).await.0.status(), StatusCode::NOT_FOUND);
    let mut reader = app.house.db.reader().await.unwrap();
    assert!(audience::contact(&mut reader, &contact.id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_link_for_one_thing_opens_no_other_and_a_broken_one_opens_nothing() {
    let app = TestApp::start().await;
    let contact = ada(&app).await;
    let token = |url: String| url.rsplit('/').next().unwrap().to_owned();
    let stop = token(audience::unsubscribe_url(&app.house, &contact));
    let choose = token(audience::preferences_url(&app.house, &contact));
    let broken = |token: &str| format!("{}AA", &token[..token.len() - 2]);
    let unknown = "A".repeat(stop.len());
    let mut wrong = vec![String::from("x"), unknown, broken(&choose), stop.clone()];
    let mut paths = Vec::new();
    for token in &wrong {
        paths.extend(["", "/export", "/erase"].map(|rest| format!("/p/{token}{rest}")));
    }
    wrong[2] = broken(&stop);
    wrong[3] = choose;
    for token in &wrong {
        paths.extend(["u", "r", "s"].map(|kind| format!("/{kind}/{token}")));
    }
    let before = app.records().await;
    for path in &paths {
        for (response, page) in [app.get(path).await, app.post(path, &[("submit_id", "x")]).await] {
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            assert!(page.contains("This link does not open anything"), "{path}");
        }
    }
    assert_eq!(app.records().await, before);
}

#[tokio::test]
async fn the_preferences_link_comes_by_mail_and_the_page_says_the_same_to_strangers() {
    let app = TestApp::start().await;
    ada(&app).await;
    let mut answers = Vec::new();
    for address in ["ada@example.org", "stranger@example.org"] {
        let (_, page) = app.get("/preferences").await;
        app.house.clock.advance(3_000);
        let submit_id = field(&page, "submit_id");
        let fields = [("submit_id", submit_id.as_str()), ("email", address)];
        let (response, body) = app.post("/preferences", &fields).await;
        answers.push((location(&response), response.headers().clone(), body));
    }
    assert_eq!(answers[0], answers[1]);
    let mails = app.mails().await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to_address, "ada@example.org");
    let link = mails[0].body_text.lines().find(|line| line.contains("/p/")).unwrap();
    assert_eq!(app.get(path(link)).await.0.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_network_over_its_budget_keeps_the_address_it_typed() {
    let app = TestApp::start().await;
    let (_, page) = app.get("/preferences").await;
    app.house.clock.advance(3_000);
    let first = field(&page, "submit_id");
    for n in 0..100 {
        let (_, page) = app.get("/preferences").await;
        app.house.clock.advance(3_000);
        let (submit_id, address) = (field(&page, "submit_id"), format!("p{n}@example.org"));
        let (submit_id, email) =
            if n == 0 { (&first, "p@example.org") } else { (&submit_id, &*address) };
        let fields = [("submit_id", submit_id.as_str()), ("email", email)];
        location(&app.post("/preferences", &fields).await.0);
    }
    let (_, page) = app.get("/preferences").await;
    app.house.clock.advance(3_000);
    let submit_id = field(&page, "submit_id");
    let fields = [("submit_id", submit_id.as_str()), ("email", "ada@example.org")];
    let (response, page) = app.post("/preferences", &fields).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(page.contains("value=\"ada@example.org\"") && page.contains("Your words are kept"));
    // A second click is free.
    let fields = [("submit_id", first.as_str()), ("email", "p@example.org")];
    location(&app.post("/preferences", &fields).await.0);
}

#[tokio::test]
async fn an_erased_person_whom_a_backup_brings_back_is_erased_again() {
    let app = TestApp::start().await;
    let contact = ada(&app).await;
    app.house.clock.advance(1_000);
    let erase = format!("{}/erase", path(&audience::preferences_url(&app.house, &contact)));
    let submit_id = field(&app.get(&erase).await.1, "submit_id");
    app.post(&erase, &[("submit_id", &submit_id)]).await;
    app.house.clock.advance(1_000);
    let afresh = ada(&app).await;
    bellwether::redo_erasures(&app.house).await.unwrap();
    let mut reader = app.house.db.reader().await.unwrap();
    assert!(
        audience::contact(&mut reader, &afresh.id).await.unwrap().is_some(),
        "signed up afresh"
    );
    drop(reader);
    let grace = brought_back(&app).await;
    bellwether::redo_erasures(&app.house).await.unwrap();
    let mut reader = app.house.db.reader().await.unwrap();
    assert!(audience::contact(&mut reader, &grace.id).await.unwrap().is_none());
}

/// Grace, erased, and then here again as of her first sign-up: the visit is the same one.
async fn brought_back(app: &TestApp) -> Contact {
    let visit = app.visit();
    let person = person("Grace", "");
    let mut tx = app.house.db.begin().await.unwrap();
    let first = audience::admit(&mut tx, &visit, &person, "").await.unwrap().contact;
    tx.commit().await.unwrap();
    app.house.clock.advance(5_000);
    let erase = format!("{}/erase", path(&audience::preferences_url(&app.house, &first)));
    let submit_id = field(&app.get(&erase).await.1, "submit_id");
    app.post(&erase, &[("submit_id", &submit_id)]).await;
    let mut tx = app.house.db.begin().await.unwrap();
    let again = audience::admit(&mut tx, &visit, &person, "").await.unwrap().contact;
    tx.commit().await.unwrap();
    again
}

#[tokio::test]
async fn a_contact_who_never_confirms_is_forgotten_after_fourteen_days() {
    let app = TestApp::start().await;
    let confirmed = ada(&app).await;
    let visit = app.visit();
    let person = person("Grace", "");
    let mut tx = app.house.db.begin().await.unwrap();
    let pending = audience::admit(&mut tx, &visit, &person, "").await.unwrap().contact;
    tx.commit().await.unwrap();
    app.house.clock.advance(audience::UNCONFIRMED_KEPT_MS + 1);
    bellwether::retain(&app.house).await.unwrap();
    let mut reader = app.house.db.reader().await.unwrap();
    assert!(audience::contact(&mut reader, &pending.id).await.unwrap().is_none());
    assert!(audience::contact(&mut reader, &confirmed.id).await.unwrap().is_some());
}
