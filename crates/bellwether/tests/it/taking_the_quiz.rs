//! A participant takes the quiz.

use axum::http::StatusCode;
use base::clock::{DAY_MS, HOUR_MS};
use futures_util::future::join_all;

use crate::app::{TestApp, field, location};
use crate::persons::{QUIZ, READING_MS, items, orderly};

#[tokio::test]
async fn the_whole_walk_from_the_form_to_the_report() {
    let app = TestApp::start().await;
    let newsletter = [("purpose.newsletter", "yes")];
    let sent = app.sign_up("Ada Lovelace", "ada@example.org", &newsletter).await;
    let (response, page) = app.get(&sent).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(page.contains("Check your inbox"));
    let link = app.mailed("ada@example.org", "/s/").await;
    let (_, page) = app.get(&link).await;
    assert!(page.contains("Start the quiz") && page.contains("ada@example.org"));
    assert!(page.contains("Please email me your newsletter"));
    assert_eq!(app.press(&link).await, link);
    assert_eq!(location(&app.get(&link).await.0), format!("{link}/1"));
    app.answer_all(&link, orderly).await;
    let (_, review) = app.get(&format!("{link}/review")).await;
    assert!(review.contains("All 20 answered"), "{review}");
    let report = app.finish(&link).await;
    let (response, page) = app.get(&report).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(page.contains("<em>mostly order</em>"), "{page}");
    let mailed = app.mailed("ada@example.org", "/r/").await;
    assert_eq!(mailed, report);
}

#[tokio::test]
async fn pressing_start_confirms_once_however_often_it_is_pressed() {
    let app = TestApp::start().await;
    app.sign_up("Ada", "ada@example.org", &[("purpose.research", "yes")]).await;
    let link = app.mailed("ada@example.org", "/s/").await;
    let (_, page) = app.get(&link).await;
    let confirms = field(&page, "confirms");
    let fields = [("go", "start"), ("confirms", confirms.as_str())];
    let answers = join_all((0..20).map(|_| app.post(&link, &fields))).await;
    assert!(answers.iter().all(|(response, _)| location(response) == link));
    let mut reader = app.house.db.reader().await.unwrap();
    let contacts = audience::by_state(&mut reader, "confirmed").await.unwrap();
    assert_eq!(contacts.len(), 1);
    assert!(audience::agrees(&mut reader, &contacts[0].id, "research").await.unwrap());
    drop(reader);
    assert_eq!(app.count("consent").await, 2, "requested, then confirmed");
    assert_eq!(app.count("message").await, 1, "no second mail");
}

#[tokio::test]
async fn a_button_confirms_only_what_its_page_showed() {
    let app = TestApp::start().await;
    app.sign_up("Ada", "ada@example.org", &[]).await;
    let link = app.mailed("ada@example.org", "/s/").await;
    let (_, page) = app.get(&link).await;
    let confirms = field(&page, "confirms");
    app.sign_up("Mallory", "ada@example.org", &[("purpose.newsletter", "yes")]).await;
    let (response, page) = app.post(&link, &[("go", "start"), ("confirms", &confirms)]).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("has changed") && page.contains("your newsletter"));
    assert_eq!(
        app.fingerprint().await.iter().filter(|seen| seen.contains("\"started\"")).count(),
        0
    );
    let confirms = field(&page, "confirms");
    let (response, _) = app.post(&link, &[("go", "start"), ("confirms", &confirms)]).await;
    assert_eq!(location(&response), link);
}

#[tokio::test]
async fn the_link_resumes_on_any_device_and_keeps_every_answer() {
    let app = TestApp::start().await;
    let link = app.begin("ada@example.org").await;
    let (_, page) = app.get(&format!("{link}/1")).await;
    let ids = items(&page);
    assert_eq!(ids.len(), 5);
    assert!(page.contains("Questions 1 to 5 of 20") && !page.contains(" checked"));
    // With scripts: one answer at a time.
    let name = format!("a.{}", ids[0]);
    let (response, body) = save(&app, &format!("{link}/1"), &[("save", "1"), (&name, "4")]).await;
    assert_eq!((response, body.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(location(&app.get(&link).await.0), format!("{link}/1"));
    // Without: a page at a time.
    let fields: Vec<(String, &str)> = ids.iter().map(|id| (format!("a.{id}"), "2")).collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), *v)).collect();
    let (response, _) = app.post(&format!("{link}/1"), &fields).await;
    assert_eq!(location(&response), format!("{link}/2"));
    assert_eq!(location(&app.get(&link).await.0), format!("{link}/2"), "another device");
    let (response, _) = app.post(&format!("{link}/2"), &[("go", "back")]).await;
    assert_eq!(location(&response), format!("{link}/1#last"));
    let (_, page) = app.get(&format!("{link}/1")).await;
    assert_eq!(page.matches("value=\"2\" checked").count(), 5, "the later answer stands");
    assert_eq!(app.count("response").await, 5);
}

async fn save(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let headers = [
        ("host", "127.0.0.1:8080"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "same-origin"),
        ("x-requested-with", "fetch"),
    ];
    let (response, body) = app.send("POST", path, &headers, &crate::app::encode(fields)).await;
    (response.status(), body)
}

#[tokio::test]
async fn answers_off_the_scale_and_of_other_forms_are_named_and_the_rest_is_kept() {
    let app = TestApp::start().await;
    let link = app.begin("ada@example.org").await;
    let first = format!("{link}/1");
    let ids = items(&app.get(&first).await.1);
    let (good, bad) = (format!("a.{}", ids[0]), format!("a.{}", ids[1]));
    for value in ["0", "6", "-1", "4.5", "x", "99999999999999999999"] {
        let (response, page) = app.post(&first, &[(&good, "3"), (&bad, value)]).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{value}");
        assert!(page.contains("<title>Error: "));
        assert!(page.contains(&format!("<a href=\"#q-{}\">", ids[1])), "{value}");
        assert!(page.contains("value=\"3\" checked"), "what was right is kept");
    }
    // In the standard form, but not in this one; a scenario; nothing at all.
    for foreign in ["a.plan-f2", "a.s01", "a.", "a.<script>"] {
        let (response, page) = app.post(&first, &[(foreign, "3"), ("go", "next")]).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{foreign}");
        assert!(page.contains("There is a problem"));
        assert!(!page.contains("<script>"));
    }
    let (response, _) = app.post(&first, &[("is_admin", "1")]).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _) = save(&app, &first, &[("save", "1"), (&bad, "9")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "the script hears of it too");
    assert_eq!(app.count("response").await, 1);
    for page in ["0", "5", "99", "x"] {
        let (response, _) = app.get(&format!("{link}/{page}")).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{page}");
    }
}

#[tokio::test]
async fn blank_questions_are_met_kindly_and_may_stay_open() {
    let app = TestApp::start().await;
    let link = app.begin("ada@example.org").await;
    let first = format!("{link}/1");
    let (response, _) = app.post(&first, &[("go", "next")]).await;
    assert_eq!(location(&response), format!("{first}?blank=1"));
    let (_, page) = app.get(&format!("{first}?blank=1")).await;
    assert!(page.contains("Five questions on this page have no answer"));
    assert!(page.contains("At least 8 of 10"));
    let (response, _) = app.post(&first, &[("go", "next"), ("blank", "1")]).await;
    assert_eq!(location(&response), format!("{link}/2"));
    // Three of ten open on one side: the review says so, and the report says that it is not enough.
    let left_open = ["vision-f1", "vision-r1", "mentor-f1"];
    app.answer_all(&link, |id| (!left_open.contains(&id)).then_some(3)).await;
    let (_, review) = app.get(&format!("{link}/review")).await;
    assert!(review.contains("17 of 20 answered"), "{review}");
    assert!(review.contains("at least 8 of the 10 answers on leading; you have given 7"));
    assert!(review.contains("You gave every statement the same answer"));
    let report = app.finish(&link).await;
    let (_, page) = app.get(&report).await;
    assert!(page.contains("There are not enough answers for a result"));
    assert!(page.contains("You gave 10 on managing and 7 on leading"));
    assert!(!page.contains("class=\"map\""));
}

#[tokio::test]
async fn the_last_button_scores_once_and_the_answers_are_fixed_after_it() {
    let app = TestApp::start().await;
    let link = app.begin("ada@example.org").await;
    app.answer_all(&link, orderly).await;
    let finish = format!("{link}/finish");
    let (response, _) = app.post(&finish, &[("go", "back")]).await;
    assert_eq!(location(&response), format!("{link}/4#last"));
    let answers = join_all((0..20).map(|_| app.post(&finish, &[("go", "next")]))).await;
    let report = location(&answers[0].0);
    assert!(report.starts_with("/r/"));
    assert!(answers.iter().all(|(response, _)| location(response) == report));
    assert_eq!(app.count("profile").await, 1);
    assert_eq!(app.count("message").await, 2, "the link and the result");
    let before = app.fingerprint().await;
    let (response, _) = app.post(&format!("{link}/1"), &[("a.plan-f1", "1")]).await;
    assert_eq!(location(&response), link);
    let (status, _) = save(&app, &format!("{link}/1"), &[("save", "1"), ("a.plan-f1", "1")]).await;
    assert_ne!(status, StatusCode::NO_CONTENT, "never acknowledged");
    assert_eq!(app.fingerprint().await, before);
    let (response, page) = app.get(&link).await;
    assert_eq!(response.status(), StatusCode::OK, "never \"invalid\"");
    assert!(page.contains("You have finished this quiz"));
    app.house.clock.advance(2 * HOUR_MS);
    assert_eq!(location(&app.post(&finish, &[]).await.0), link, "only the report's own link now");
    let (response, _) = app.post(&link, &[("go", "report")]).await;
    assert_eq!(location(&response), link);
    assert_eq!(app.count("message").await, 3, "the mail again");
}

#[tokio::test]
async fn a_link_runs_out_after_seven_days_and_offers_a_new_one() {
    let app = TestApp::start().await;
    app.sign_up("Ada", "ada@example.org", &[]).await;
    let link = app.mailed("ada@example.org", "/s/").await;
    app.house.clock.advance(7 * DAY_MS + 1_000);
    let (response, page) = app.get(&link).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(page.contains("This link has run out"));
    let before = app.fingerprint().await;
    app.post(&link, &[("go", "start")]).await;
    assert_eq!(app.fingerprint().await, before, "it starts nothing");
    let (response, _) = app.post(&link, &[("go", "again")]).await;
    assert!(location(&response).starts_with("/quiz/leader-type/sent/"));
    let link = app.mailed("ada@example.org", "/s/").await;
    assert_eq!(app.press(&link).await, link);
    app.house.clock.advance(30 * DAY_MS);
    assert_eq!(location(&app.get(&link).await.0), format!("{link}/1"), "once started, it stays");
}

#[tokio::test]
async fn what_nobody_took_up_is_gone_after_fourteen_days() {
    let app = TestApp::start().await;
    app.sign_up("Ada", "ada@example.org", &[]).await;
    let link = app.mailed("ada@example.org", "/s/").await;
    app.begin("bea@example.org").await;
    app.house.clock.advance(13 * DAY_MS);
    bellwether::retain(&app.house).await.unwrap();
    assert_eq!(app.count("sitting").await, 2);
    app.house.clock.advance(2 * DAY_MS);
    for _ in 0..2 {
        bellwether::retain(&app.house).await.unwrap();
    }
    assert_eq!(app.count("sitting").await, 1, "begun ones stay");
    assert_eq!(app.count("contact").await, 1);
    assert_eq!(app.count("signup").await, 1);
    assert_eq!(app.get(&link).await.0.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn unknown_foreign_and_broken_links_open_nothing() {
    let app = TestApp::start().await;
    let link = app.begin("ada@example.org").await;
    let token = link.trim_start_matches("/s/");
    let report_of_start = format!("/r/{token}");
    let flipped = format!("{}{}", &link[..link.len() - 2], "AA");
    for path in ["/s/x", &format!("/s/{}", "A".repeat(43)), &report_of_start, &flipped] {
        let (response, page) = app.get(path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(page.contains("This link does not open anything"));
        let (response, _) = app.post(path, &[]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_quiz_that_asks_last_starts_at_once_and_mails_the_way_to_the_result() {
    let app = TestApp::start_with(&[("gate = \"first\"", "gate = \"last\"")]).await;
    let link = app.begin_at_once().await;
    assert_eq!(app.count("contact").await, 0);
    app.answer_all(&link, orderly).await;
    assert_eq!(app.finish(&link).await, format!("{link}/details"));
    assert_eq!(app.count("profile").await, 0, "nothing is scored before somebody claims it");
    let details = format!("{link}/details");
    let sent = app.give_details(&details, "ada@exmaple.org").await;
    let (_, page) = app.get(&sent).await;
    assert!(page.contains("See my result") && page.contains("Your link to your result"));
    let wrong = app.mailed("ada@exmaple.org", "/s/").await;
    let (_, page) = app.get(&details).await;
    assert!(page.contains("A link is on its way"));
    app.give_details(&details, "ada@example.org").await;
    assert!(app.get(&wrong).await.1.contains("This result went to another address"));
    let right = app.mailed("ada@example.org", "/s/").await;
    let before = app.fingerprint().await;
    let (_, page) = app.get(&right).await;
    assert!(page.contains("See my result"));
    assert_eq!(app.fingerprint().await, before);
    assert_eq!(app.count("profile").await, 0);
    let report = app.press(&right).await;
    assert!(app.get(&report).await.1.contains("<em>mostly order</em>"));
    assert!(app.get(&right).await.1.contains("You have finished this quiz"));
    assert!(app.get(&wrong).await.1.contains("This result went to another address"));
    assert!(app.get(&link).await.1.contains("You have finished this quiz"));
    assert_eq!(app.mailed("ada@example.org", "/r/").await, report);
    let mut reader = app.house.db.reader().await.unwrap();
    assert_eq!(audience::by_state(&mut reader, "confirmed").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_quiz_that_never_asks_shows_the_report_and_can_mail_it() {
    let app = TestApp::start_with(&[("gate = \"first\"", "gate = \"none\"")]).await;
    let link = app.begin_at_once().await;
    app.answer_all(&link, orderly).await;
    let report = app.finish(&link).await;
    let (_, page) = app.get(&report).await;
    assert!(page.contains("Keep this link") && page.contains(&format!("{report}/mail")));
    assert_eq!(app.count("message").await, 0);
    app.give_details(&format!("{report}/mail"), "ada@example.org").await;
    assert!(app.get(&report).await.1.contains("Keep this link"), "still nobody's");
    let mailed = app.mailed("ada@example.org", "/s/").await;
    assert_eq!(app.press(&mailed).await, report);
    let (_, page) = app.get(&report).await;
    assert!(!page.contains("Keep this link") && page.contains("Hide this page"));
    assert_eq!(app.get(&format!("{report}/mail")).await.0.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn unclaimed_answers_are_gone_after_fourteen_days() {
    let app = TestApp::start_with(&[("gate = \"first\"", "gate = \"none\"")]).await;
    let link = app.begin_at_once().await;
    app.answer_all(&link, orderly).await;
    let report = app.finish(&link).await;
    let other = app.begin_at_once().await;
    app.answer_all(&other, orderly).await;
    let claimed = app.finish(&other).await;
    app.give_details(&format!("{claimed}/mail"), "ada@example.org").await;
    let mailed = app.mailed("ada@example.org", "/s/").await;
    app.press(&mailed).await;
    app.house.clock.advance(15 * DAY_MS);
    bellwether::retain(&app.house).await.unwrap();
    assert_eq!(app.get(&report).await.0.status(), StatusCode::NOT_FOUND);
    assert_eq!(app.get(&claimed).await.0.status(), StatusCode::OK);
    assert_eq!(app.count("response").await, 20);
}

#[tokio::test]
async fn beginning_at_once_is_one_sitting_however_often_it_is_pressed() {
    let app = TestApp::start_with(&[("gate = \"first\"", "gate = \"none\"")]).await;
    let (_, page) = app.get(QUIZ).await;
    app.house.clock.advance(READING_MS);
    let submit_id = field(&page, "submit_id");
    let fields = [("submit_id", submit_id.as_str())];
    let answers = join_all((0..20).map(|_| app.post(QUIZ, &fields))).await;
    let link = location(&answers[0].0);
    assert!(answers.iter().all(|(response, _)| location(response) == link));
    assert_eq!(app.count("sitting").await, 1);
    let (response, page) = app.post(QUIZ, &[("submit_id", "x")]).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("href=\"#begin\""));
}
