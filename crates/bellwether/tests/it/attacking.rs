//! Somebody who means harm, a curious employer, a mail scanner: what they try and do not get.

use axum::http::StatusCode;

use crate::app::{TestApp, field, location};
use crate::keeping_control::ada;
use crate::persons::{QUIZ, orderly, path};

impl TestApp {
    /// Every row of every table, but for the built-in mailbox, which holds mails as they were sent.
    async fn everything_stored(&self) -> String {
        let records = self.records().await;
        let tables = records.iter().filter(|(table, _)| *table != "mailbox");
        let rows =
            tables.flat_map(|(table, rows)| rows.iter().map(move |r| format!("{table}: {r}")));
        rows.collect::<Vec<_>>().join("\n")
    }
}

/// The last segment of every private link in a text.
fn tokens(text: &str) -> Vec<String> {
    let parts = ["/s/", "/r/", "/u/", "/p/"].iter().flat_map(|part| text.split(part).skip(1));
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let token = |rest: &str| rest.split(|c| !is_of_token(c)).next().unwrap().to_owned();
    parts.map(token).filter(|token| token.len() == 43).collect()
}

#[tokio::test]
async fn no_table_holds_a_link_that_opens_anything() {
    let app = TestApp::start().await;
    let link = app.begin("ada@example.org").await;
    app.answer_all(&link, orderly).await;
    let report = app.finish(&link).await;
    let (_, page) = app.get(&report).await;
    let fields = [("submit_id", field(&page, "submit_id")), ("do", "rotate".to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let rotated = location(&app.post(&report, &fields).await.0);
    let preferences = app.mailed("ada@example.org", "/p/").await;
    let submit_id = field(&app.get(&preferences).await.1, "submit_id");
    app.post(&preferences, &[("submit_id", &submit_id), ("purpose.newsletter", "yes")]).await;
    let mails = app.mails().await;
    let sent = mails.iter().map(|mail| mail.body_text.as_str()).collect::<String>();
    let mut links = tokens(&format!("{sent} {report} {rotated}"));
    links.sort_unstable();
    links.dedup();
    assert!(links.len() >= 4, "{links:?}");
    let stored = app.everything_stored().await;
    assert!(stored.contains("ada@example.org"));
    for token in links {
        let at = stored.lines().find(|row| row.contains(&token));
        assert_eq!(at, None, "a usable link stands in a table");
    }
}

#[tokio::test]
async fn another_site_cannot_press_the_button_that_stops_mail() {
    let app = TestApp::start().await;
    let contact = ada(&app).await;
    let link = path(&audience::unsubscribe_url(&app.house, &contact));
    let agrees = async || {
        let mut reader = app.house.db.reader().await.unwrap();
        audience::agrees(&mut reader, &contact.id, "newsletter").await.unwrap()
    };
    let kind = ("content-type", "application/x-www-form-urlencoded");
    for from in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let (response, _) = app.send("POST", &link, &[kind, from], "go=yes").await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{from:?}");
    }
    assert!(agrees().await);
    let (response, _) = app.send("POST", &link, &[kind], "").await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER, "a mail client without a body");
    assert!(!agrees().await);
}

#[tokio::test]
async fn whoever_holds_the_link_that_stops_mail_reads_nothing_by_it() {
    let app = TestApp::start().await;
    let contact = ada(&app).await;
    let link = path(&audience::unsubscribe_url(&app.house, &contact));
    for page in [link.clone(), format!("{link}/done")] {
        let (response, html) = app.get(&page).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(!html.contains("/p/"), "a forwarded mail would open the preferences");
        assert!(!html.contains("ada@example.org") && !html.contains("Engines"));
    }
    let token = link.rsplit('/').next().unwrap();
    for prefix in ["/p/", "/s/", "/r/"] {
        let (response, _) = app.get(&format!("{prefix}{token}")).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{prefix}");
    }
    assert_eq!(app.get(QUIZ).await.0.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_form_of_thousands_of_answers_costs_no_more_than_a_page_of_them() {
    let app = TestApp::start().await;
    let link = app.begin("ada@example.org").await;
    let first = location(&app.get(&link).await.0);
    let (_, page) = app.get(&first).await;
    let item = crate::persons::items(&page).remove(0);
    let name = format!("a.{item}");
    let unknown: Vec<String> = (0..4_000).map(|n| format!("a.x{n}")).collect();
    let fields: Vec<(&str, &str)> = unknown.iter().map(|name| (name.as_str(), "1")).collect();
    let (response, faults) = app.post(&first, &fields).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(faults.len() < page.len() + 2_000, "{} bytes of faults", faults.len());
    let mut again: Vec<(&str, &str)> = vec![(&name, "9"); 2_000];
    let (response, faults) = app.post(&first, &again).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(faults.len() < page.len() + 2_000, "{} bytes of faults", faults.len());
    again = vec![(&name, "1"); 2_000];
    again.push((&name, "4"));
    app.post(&first, &again).await;
    let mut reader = app.house.db.reader().await.unwrap();
    let sitting = assessment::by_state(&mut reader, "started").await.unwrap().remove(0);
    assert_eq!(sitting.n_answers, 1);
    let checked = format!("name=\"{name}\" value=\"4\" checked");
    assert!(app.get(&first).await.1.contains(&checked), "the last of them");
}

#[tokio::test]
async fn a_stranger_who_fills_in_my_details_cannot_have_me_confirm_them_unseen() {
    let app = TestApp::start().await;
    app.sign_up("Ada", "ada@example.org", &[]).await;
    let link = app.mailed("ada@example.org", "/s/").await;
    let confirms = field(&app.get(&link).await.1, "confirms");
    app.sign_up("Mallory", "ada@example.org", &[]).await;
    let (response, page) = app.post(&link, &[("go", "start"), ("confirms", &confirms)]).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("<strong>Mallory</strong>") && page.contains("has changed"));
    assert_eq!(app.count("contact").await, 1);
}

#[tokio::test]
async fn a_letter_to_somebody_who_never_asked_carries_no_link_of_a_stranger() {
    let app = TestApp::start().await;
    app.sign_up("Sign in at evil.example/now", "ada@example.org", &[]).await;
    let mails = app.mails().await;
    for body in [&mails[0].body_text, &mails[0].body_html] {
        assert!(!body.contains("evil.example"), "{body}");
    }
    assert!(mails[0].body_text.starts_with("Hello,\n"));
}

#[tokio::test]
async fn two_spellings_of_a_mailbox_are_one_person_and_what_cannot_be_sent_to_is_refused() {
    let app = TestApp::start().await;
    for address in ["ada@example.org", "\"ada\"@example.org", "\"a\\da\"@EXAMPLE.org"] {
        app.sign_up("Ada", address, &[]).await;
    }
    assert_eq!(app.count("contact").await, 1);
    assert_eq!(app.mails().await.len(), 1);
    app.sign_up("Grace", "\"grace <g>\"@example.org", &[]).await;
    assert_eq!(app.mails().await.len(), 2, "one that needs its quotation marks gets its mail");
    for address in ["\"@example.org", "ada@[127.0.0.1]", "ada@10.0.0.1"] {
        let submit_id = field(&app.get(QUIZ).await.1, "submit_id");
        app.house.clock.advance(crate::persons::READING_MS);
        let fields = [("submit_id", submit_id.as_str()), ("name", "Ada"), ("email", address)];
        let (response, page) = app.post(QUIZ, &fields).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{address}");
        assert!(page.contains("id=\"email-error\""), "{address}");
    }
}

#[tokio::test]
async fn answers_left_for_research_lead_back_to_nobody() {
    let app = TestApp::start().await;
    let research = [("purpose.research", "yes")];
    app.sign_up("Ada", "ada@example.org", &research).await;
    let link = app.mailed("ada@example.org", "/s/").await;
    app.press(&link).await;
    app.answer_all(&link, orderly).await;
    app.finish(&link).await;
    let mut reader = app.house.db.reader().await.unwrap();
    let sitting = assessment::by_state(&mut reader, "finished").await.unwrap().remove(0);
    let contact = audience::by_state(&mut reader, "").await.unwrap().remove(0);
    drop(reader);
    let preferences = app.mailed("ada@example.org", "/p/").await;
    let erase = format!("{preferences}/erase");
    let submit_id = field(&app.get(&erase).await.1, "submit_id");
    location(&app.post(&erase, &[("submit_id", &submit_id)]).await.0);

    let mut reader = app.house.db.reader().await.unwrap();
    let left = assessment::by_state(&mut reader, "").await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].n_answers, 20);
    let stored = app.everything_stored().await;
    let version_7_time = &contact.id[..13];
    let rows = |table: &str| {
        stored.lines().filter(|row| row.starts_with(table)).collect::<Vec<_>>().join("\n")
    };
    for known in [&sitting.id, &contact.id] {
        assert!(!stored.contains(known.as_str()), "an id that was in mails, logs or backups");
    }
    for table in ["sitting", "response", "profile"] {
        let rows = rows(table);
        assert!(!rows.is_empty() && !rows.contains(version_7_time), "{table}: {rows}");
        for at_ms in [sitting.created_ms, sitting.started_ms.unwrap(), sitting.finished_ms.unwrap()]
        {
            assert!(!rows.contains(&(at_ms / 86_400_000).to_string()[..]), "{table}: {rows}");
            assert!(!rows.contains(&at_ms.to_string()), "{table}: {rows}");
        }
    }
    assert_eq!(left[0].id.as_bytes()[14], b'4', "no time in the id");
    assert_eq!(left[0].created_ms % (30 * 86_400_000), 0);
    assert_eq!(left[0].finished_ms, Some(left[0].created_ms));
}

#[tokio::test]
async fn what_was_erased_is_not_left_in_the_file() {
    let app = TestApp::start().await;
    let name = "Adalbertine Unmistakable";
    app.sign_up(name, "unmistakable@example.org", &[]).await;
    let link = app.mailed("unmistakable@example.org", "/s/").await;
    app.press(&link).await;
    app.answer_all(&link, orderly).await;
    app.finish(&link).await;
    let preferences = app.mailed("unmistakable@example.org", "/p/").await;
    let erase = format!("{preferences}/erase");
    let submit_id = field(&app.get(&erase).await.1, "submit_id");
    location(&app.post(&erase, &[("submit_id", &submit_id)]).await.0);
    let stored = app.everything_stored().await;
    assert!(!stored.contains("nmistakable"), "{stored}");
    bellwether::retain(&app.house).await.unwrap();
    app.sign_up("Grace", "grace@example.org", &[]).await;
    let files = app.files();
    let has = |file: &std::path::PathBuf, text: &str| {
        String::from_utf8_lossy(&std::fs::read(file).unwrap()).contains(text)
    };
    let still = files.iter().find(|file| has(file, "nmistakable"));
    assert_eq!(still, None, "within the hour");
    app.house.db.close().await;
    let log = |file: &std::path::PathBuf| file.display().to_string().ends_with("-wal");
    assert!(!app.files().iter().any(log), "folded into the file when the program ends");
}

#[tokio::test]
async fn nobody_else_on_the_machine_reads_the_records() {
    use std::os::unix::fs::PermissionsExt as _;
    let app = TestApp::start().await;
    app.sign_up("Ada", "ada@example.org", &[]).await;
    let files = app.files();
    for file in &files {
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", file.display());
    }
    assert!(!files.is_empty());
}

#[tokio::test]
async fn a_suppressed_address_gets_nothing_not_even_what_was_queued() {
    let app = TestApp::start().await;
    let link = app.begin("ada@example.org").await;
    app.answer_all(&link, orderly).await;
    app.sign_up("Grace", "grace@example.org", &[]).await;
    let suppress = async |key: &str| {
        let hash = app.house.keys.address_hash(key);
        let mut tx = app.house.db.begin().await.unwrap();
        audience::suppress(&mut tx, &hash, "complaint", 1).await.unwrap();
        tx.commit().await.unwrap();
    };
    suppress("ada@example.org").await;
    suppress("grace@example.org").await;
    app.finish(&link).await;
    let mails = app.mails().await;
    assert_eq!(mails.len(), 1, "only the first, which went before");
    let mut reader = app.house.db.reader().await.unwrap();
    let cancelled = base::mail::by_state(&mut reader, "cancelled").await.unwrap();
    assert_eq!(cancelled.len(), 2);
}

#[tokio::test]
async fn a_hidden_report_gets_no_new_link_that_nobody_would_be_sent() {
    let app = TestApp::start().await;
    let link = app.begin("ada@example.org").await;
    app.answer_all(&link, orderly).await;
    let report = app.finish(&link).await;
    let press = async |wish: &str| {
        let submit_id = field(&app.get(&report).await.1, "submit_id");
        location(&app.post(&report, &[("submit_id", &submit_id), ("do", wish)]).await.0)
    };
    assert_eq!(press("hide").await, report);
    app.house.clock.advance(3_600_000);
    let hash = app.house.keys.address_hash("ada@example.org");
    let mut tx = app.house.db.begin().await.unwrap();
    audience::suppress(&mut tx, &hash, "bounce", 1).await.unwrap();
    tx.commit().await.unwrap();
    let n_messages = app.count("message").await;
    assert_eq!(press("reveal").await, "/r/hidden");
    assert_eq!(app.count("message").await, n_messages);
    let (response, page) = app.get(&report).await;
    assert_eq!(response.status(), StatusCode::OK, "her link is not made worthless");
    assert!(page.contains("value=\"reveal\""), "{page}");
}

#[tokio::test]
async fn one_inbox_is_not_filled_by_many_spellings_and_forms() {
    let app = TestApp::start().await;
    let inbox = |address: &str| {
        let (local, domain) = address.rsplit_once('@').unwrap();
        local.split('+').next().unwrap().replace('.', "") == "ada" && domain == "example.org"
    };
    for n in 0..40 {
        let dots = ["ada", "a.da", "ad.a", "a.d.a"][n % 4];
        app.sign_up("Ada", &format!("{dots}+{n}@example.org"), &[]).await;
    }
    app.sign_up("Grace", "grace@example.org", &[]).await;
    let mails = app.mails().await;
    let n_mails = mails.iter().filter(|mail| inbox(&mail.to_address)).count();
    assert_eq!(n_mails, 12);
    assert_eq!(mails.len(), 13, "others are not held up");
}

#[tokio::test]
async fn a_fresh_sign_up_of_an_old_unconfirmed_contact_keeps_its_link() {
    let app = TestApp::start().await;
    app.sign_up("Ada", "ada@example.org", &[]).await;
    app.house.clock.advance(audience::UNCONFIRMED_KEPT_MS - 60_000);
    app.sign_up("Ada", "ada@example.org", &[]).await;
    let link = app.mailed("ada@example.org", "/s/").await;
    app.house.clock.advance(120_000);
    bellwether::retain(&app.house).await.unwrap();
    assert_eq!(app.get(&link).await.0.status(), StatusCode::OK);
    app.house.clock.advance(audience::UNCONFIRMED_KEPT_MS);
    bellwether::retain(&app.house).await.unwrap();
    let stored = app.everything_stored().await;
    assert!(!stored.contains("ada@example.org"), "{stored}");
}

#[tokio::test]
async fn a_nul_in_an_address_is_no_page_of_ours() {
    let app = TestApp::start().await;
    for path in ["/quiz/leader-type/sent/%00", "/mailbox/%00", "/s/%00", "/articles/a%00"] {
        assert_eq!(app.get(path).await.0.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(app.post(path, &[]).await.0.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_privacy_signal_is_answered_and_changes_nothing_since_nothing_is_optional() {
    let app = TestApp::start().await;
    let (response, body) = app.get("/.well-known/gpc.json").await;
    assert_eq!(response.headers()["content-type"], "application/json");
    let said: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(said["gpc"], true);
    let day = said["lastUpdate"].as_str().unwrap();
    assert_eq!((day.len(), &day[..3]), (10, "202"));
    let (_, cookies) = app.get("/cookies").await;
    assert!(cookies.contains("Sec-GPC: 1") && cookies.contains("/.well-known/gpc.json"));
    for path in ["/", "/cookies", QUIZ] {
        let host = ("host", "127.0.0.1:8080");
        let (with, _) = app.send("GET", path, &[host, ("sec-gpc", "1")], "").await;
        assert!(with.headers().get("set-cookie").is_none());
        assert_eq!(with.headers(), app.get(path).await.0.headers());
    }
}

#[tokio::test]
async fn forms_that_send_nothing_use_up_nobodys_share_of_mail() {
    let app = TestApp::start().await;
    let trap = ("website", "https://x.example");
    for _ in 0..15 {
        app.sign_up("Bot", "ada@example.org", &[trap]).await;
        let submit_id = field(&app.get("/contact").await.1, "submit_id");
        app.house.clock.advance(crate::persons::READING_MS);
        let person = [("name", "Bot"), ("email", "ada@example.org"), ("message", "Hello")];
        let fields = [&person[..], &[("submit_id", &submit_id), trap]].concat();
        location(&app.post("/contact", &fields).await.0);
    }
    assert_eq!(app.mails().await.len(), 0);
    app.sign_up("Ada", "ada@example.org", &[]).await;
    assert_eq!(app.mails().await.len(), 1, "she is not locked out by forms that nobody sees");
}

#[tokio::test]
async fn what_is_kept_of_a_form_cannot_be_tried_against_guesses() {
    let app = TestApp::start().await;
    let submit_id = field(&app.get(QUIZ).await.1, "submit_id");
    app.house.clock.advance(crate::persons::READING_MS);
    let fields = [("submit_id", submit_id.as_str()), ("name", "Ada"), ("email", "ada@example.org")];
    location(&app.post(QUIZ, &fields).await.0);
    let guessed = base::encode::sha256_hex(crate::app::encode(&fields).as_bytes());
    let stored = app.everything_stored().await;
    assert!(stored.contains(&submit_id) && !stored.contains(&guessed), "{stored}");
}

#[tokio::test]
async fn details_left_beside_a_result_that_nobody_fetched_are_hers_to_copy_and_erase() {
    let edits = [("gate = \"first\"", "gate = \"last\"")];
    let app = TestApp::start_with(&edits).await;
    let link = app.begin_at_once().await;
    app.answer_all(&link, orderly).await;
    let details = app.finish(&link).await;
    app.give_details(&details, "unmistakable@example.org").await;
    let submit_id = field(&app.get("/preferences").await.1, "submit_id");
    app.house.clock.advance(crate::persons::READING_MS);
    let fields = [("submit_id", submit_id.as_str()), ("email", "unmistakable@example.org")];
    app.post("/preferences", &fields).await;
    let preferences = app.mailed("unmistakable@example.org", "/p/").await;
    let mut reader = app.house.db.reader().await.unwrap();
    let contact = audience::by_state(&mut reader, "").await.unwrap().remove(0).id;
    drop(reader);
    let (_, archive) = app.send_for_bytes("POST", &format!("{preferences}/export"), &[]).await;
    let archive = String::from_utf8_lossy(&archive);
    assert!(archive.contains("forms.csv") && archive.contains("\"name\": \"Ada\""), "{archive}");
    assert!(!archive.contains("answers.csv"), "whose they are nobody has proved");
    let erase = format!("{preferences}/erase");
    let submit_id = field(&app.get(&erase).await.1, "submit_id");
    location(&app.post(&erase, &[("submit_id", &submit_id)]).await.0);
    let stored = app.everything_stored().await;
    assert!(!stored.contains(&contact), "{stored}");
    assert_eq!(app.count("response").await, 20, "the answers are the browser's, not hers");
    let (response, page) = app.get(&details).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!page.contains("A link is on its way"), "it may be asked for at another address");
}

#[tokio::test]
async fn the_first_visitor_does_not_choose_what_others_are_told_is_the_address() {
    let app = TestApp::start().await;
    let (response, _) = app.get("/quiz/%6Ceader-type").await;
    assert_eq!(response.status(), StatusCode::OK);
    let (_, page) = app.get(QUIZ).await;
    assert!(!page.contains("%6C"), "{page}");
    assert!(
        page.contains("<link rel=\"canonical\" href=\"http://127.0.0.1:8080/quiz/leader-type\">")
    );
}

#[tokio::test]
async fn an_id_that_can_be_none_is_as_unknown_as_any() {
    let app = TestApp::start().await;
    let before = app.records().await;
    // Not to be compressed, as PostgreSQL would before it finds a key of an index too long.
    let hash = |n: u32| base::encode::sha256_hex(&n.to_be_bytes());
    let long: String = (0..120).map(hash).collect();
    for id in [long.as_str(), "ada%40example.org", "--"] {
        let (response, _) = app.post(&format!("{QUIZ}/sent/{id}"), &[]).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{id:.40}");
    }
    assert_eq!(app.records().await, before);
}

#[tokio::test]
async fn no_answer_about_a_person_is_kept_by_anybody_on_the_way() {
    let app = TestApp::start().await;
    let link = app.begin("ada@example.org").await;
    let (response, _) = app.get(&link).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER, "to the questions");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let item = crate::persons::items(&app.get(&location(&response)).await.1).remove(0);
    let fields = [(format!("a.{item}"), "4"), (String::from("save"), "1")];
    let fields = fields.each_ref().map(|(name, value)| (name.as_str(), *value));
    let (response, _) = app.post(&format!("{link}/1"), &fields).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let (response, _) = app.get("/").await;
    assert_eq!(response.headers()["cache-control"], "public, max-age=0, must-revalidate");
}

#[tokio::test]
async fn whatever_comes_while_a_person_is_erased_is_answered() {
    let app = TestApp::start().await;
    for round in 0..6 {
        let address = format!("r{round}@example.org");
        let sent = app.sign_up("Ada", &address, &[("purpose.research", "yes")]).await;
        let start = app.mailed(&address, "/s/").await;
        let confirms = field(&app.get(&start).await.1, "confirms");
        let mut reader = app.house.db.reader().await.unwrap();
        let contacts = audience::by_state(&mut reader, "pending").await.unwrap();
        drop(reader);
        let contact = contacts.iter().find(|contact| contact.address == address).unwrap();
        let preferences = path(&audience::preferences_url(&app.house, contact));
        let erase = format!("{preferences}/erase");
        let [to_save, to_erase] = [app.get(&preferences).await.1, app.get(&erase).await.1];
        let [to_save, to_erase] = [to_save, to_erase].map(|page| field(&page, "submit_id"));
        let form = field(&app.get(QUIZ).await.1, "submit_id");
        app.house.clock.advance(crate::persons::READING_MS);
        let form = [("submit_id", form.as_str()), ("name", "Ada"), ("email", &address)];
        let save = [("submit_id", to_save.as_str()), ("purpose.newsletter", "yes")];
        let erased = [("submit_id", to_erase.as_str())];
        let press = [("go", "start"), ("confirms", confirms.as_str())];
        let answers = tokio::join!(
            app.post(&erase, &erased),
            app.post(&preferences, &save),
            app.post(&sent, &[]),
            app.post(&start, &press),
            app.post(QUIZ, &form),
        );
        let answers = [answers.0.0, answers.1.0, answers.2.0, answers.3.0, answers.4.0];
        let statuses = answers.map(|response| response.status().as_u16());
        assert_eq!([statuses[0], statuses[2], statuses[4]], [303; 3], "{round}: {statuses:?}");
        assert!([303, 404].contains(&statuses[1]), "{round}: {statuses:?}");
        assert!([303, 404, 422].contains(&statuses[3]), "{round}: {statuses:?}");
    }
}
