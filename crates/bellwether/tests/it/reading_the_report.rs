//! Somebody reads their report, and decides who else may.

use axum::http::StatusCode;
use base::clock::{DAY_MS, MINUTE_MS};
use futures_util::future::join_all;

use crate::app::{TestApp, field, location};
use crate::persons::orderly;

/// Ada's report, and the link to her questions.
async fn report(app: &TestApp, choose: impl Fn(&str) -> Option<i64>) -> (String, String) {
    let link = app.begin("ada@example.org").await;
    app.answer_all(&link, choose).await;
    (app.finish(&link).await, link)
}

/// Presses one of the controls at the foot of the page.
async fn press(app: &TestApp, report: &str, wish: &str) -> String {
    let (_, page) = app.get(report).await;
    let submit_id = field(&page, "submit_id");
    location(&app.post(report, &[("submit_id", &submit_id), ("do", wish)]).await.0)
}

#[tokio::test]
async fn it_says_what_one_is_most_like_and_how_sure_that_is() {
    let app = TestApp::start().await;
    let (report, _) = report(&app, orderly).await;
    let (response, page) = app.get(&report).await;
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert!(header("x-robots-tag").contains("noindex"));
    let said = [
        "As you see yourself: <em>mostly order</em>.</p>\n<p class=\"sure\">People know what to do and by when.",
        "Very likely: more than 99 in 100 if our provisional parameters hold.",
        "<title id=\"map-title\">Your place on the map of managing and leading.</title>",
        "<desc id=\"map-desc\">The dot stands at ",
        "<caption>Share of chances taken</caption>",
        "What it looks like on a Tuesday",
        "You end the team meeting with who does what, and by when.",
        "You answered “Most of the time” to: I give people tasks and leave out the reason for them.",
        "How you see yourself.",
        "Provisional: no calibration sample yet.",
        "Never the sole ground for hiring or promotion",
        "/programmes/room-for-better-ideas",
        "SHA-256",
        "graded-posterior-1",
        "data-print",
    ];
    for words in said {
        assert!(page.contains(words), "{words}\n{page}");
    }
    let token = report.trim_start_matches("/r/");
    assert!(page.contains(&format!("/contact?report={token}")));
    assert!(!page.contains("style=\"") && !page.contains("<script>"), "the policy forbids both");
}

#[tokio::test]
async fn opening_it_changes_nothing_whoever_opens_it() {
    let app = TestApp::start().await;
    let (report, _) = report(&app, orderly).await;
    app.mails().await;
    let before = app.fingerprint().await;
    for path in [report.clone(), format!("{report}/delete")] {
        for method in ["GET", "HEAD"] {
            let (response, _) = app.send(method, &path, &[("purpose", "prefetch")], "").await;
            assert_eq!(response.status(), StatusCode::OK, "{method} {path}");
        }
    }
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn the_level_chooses_among_programmes_and_both_often_needs_none() {
    let app = TestApp::start().await;
    app.sign_up("Eve", "eve@example.org", &[("level", "executive")]).await;
    let link = app.mailed("eve@example.org", "/s/").await;
    app.press(&link).await;
    app.answer_all(&link, orderly).await;
    let report = app.finish(&link).await;
    let (_, page) = app.get(&report).await;
    assert!(!page.contains("/programmes/room-for-better-ideas"), "not for executives");
    assert!(page.contains("/programmes/mentoring-for-senior-leaders"), "{page}");
    let link = app.begin("bo@example.org").await;
    app.answer_all(&link, |id| Some(if id.contains("-f") { 5 } else { 1 })).await;
    let report = app.finish(&link).await;
    let (_, page) = app.get(&report).await;
    assert!(page.contains("<em>both, often</em>") && page.contains("<strong>None needed</strong>"));
}

#[tokio::test]
async fn a_new_link_stops_the_old_one_and_a_double_click_leads_to_it() {
    let app = TestApp::start().await;
    let (old, _) = report(&app, orderly).await;
    let (_, page) = app.get(&old).await;
    let submit_id = field(&page, "submit_id");
    let fields = [("submit_id", submit_id.as_str()), ("do", "rotate")];
    let answers = join_all((0..5).map(|_| app.post(&old, &fields))).await;
    let new = location(&answers[0].0);
    assert_ne!(new, old);
    assert!(answers.iter().all(|(response, _)| location(response) == new));
    assert_eq!(app.get(&old).await.0.status(), StatusCode::NOT_FOUND);
    assert_eq!(app.get(&new).await.0.status(), StatusCode::OK);
    let fields = [("submit_id", submit_id.as_str()), ("do", "hide")];
    let (response, _) = app.post(&old, &fields).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND, "an old page can do nothing more");
    assert_eq!(app.mailed("ada@example.org", "/r/").await, new, "the mail has the link that works");
}

#[tokio::test]
async fn a_hidden_report_opens_again_only_through_its_owner_s_inbox() {
    let app = TestApp::start().await;
    let (hidden, link) = report(&app, orderly).await;
    app.mails().await;
    assert_eq!(press(&app, &hidden, "hide").await, hidden);
    let (response, page) = app.get(&hidden).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(page.contains("This report is hidden") && !page.contains("class=\"map\""));
    assert_eq!(location(&app.post(&format!("{link}/finish"), &[]).await.0), link);
    app.house.clock.advance(11 * MINUTE_MS);
    assert_eq!(press(&app, &hidden, "reveal").await, "/r/hidden");
    assert_eq!(app.get("/r/hidden").await.0.status(), StatusCode::OK);
    assert_eq!(app.get(&hidden).await.0.status(), StatusCode::NOT_FOUND, "whoever held it is out");
    let new = app.mailed("ada@example.org", "/r/").await;
    assert_ne!(new, hidden);
    assert!(app.get(&new).await.1.contains("<em>mostly order</em>"));
}

#[tokio::test]
async fn deleting_asks_once_more_and_takes_the_answers_with_it() {
    let app = TestApp::start().await;
    let (report, link) = report(&app, orderly).await;
    assert_eq!(press(&app, &report, "delete").await, format!("{report}/delete"));
    assert_eq!(app.get(&report).await.0.status(), StatusCode::OK, "asking deletes nothing");
    let (_, page) = app.get(&format!("{report}/delete")).await;
    let submit_id = field(&page, "submit_id");
    let path = format!("{report}/delete");
    let fields = [("submit_id", submit_id.as_str())];
    let answers = join_all((0..5).map(|_| app.post(&path, &fields))).await;
    assert!(answers.iter().all(|(response, _)| location(response) == "/r/deleted"));
    assert_eq!(app.get("/r/deleted").await.0.status(), StatusCode::OK);
    for path in [&report, &link] {
        assert_eq!(app.get(path).await.0.status(), StatusCode::NOT_FOUND);
    }
    for table in ["sitting", "response", "profile"] {
        assert_eq!(app.count(table).await, 0, "{table}");
    }
    assert_eq!(app.count("contact").await, 1);
    assert!(app.mails().await.iter().all(|mail| !mail.body_text.contains("/r/")), "its mail too");
}

#[tokio::test]
async fn a_button_of_a_page_from_somewhere_else_changes_nothing() {
    let app = TestApp::start().await;
    let (report, _) = report(&app, orderly).await;
    let before = app.fingerprint().await;
    for submit_id in ["", "x", &"A".repeat(48)] {
        for wish in ["rotate", "hide"] {
            let (response, page) =
                app.post(&report, &[("submit_id", submit_id), ("do", wish)]).await;
            assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
            assert!(page.contains("nothing was changed"));
        }
        let (response, _) =
            app.post(&format!("{report}/delete"), &[("submit_id", submit_id)]).await;
        assert_eq!(location(&response), format!("{report}/delete"));
    }
    for wish in ["", "explode"] {
        assert_eq!(press(&app, &report, wish).await, report);
    }
    assert_eq!(app.fingerprint().await, before);
    app.house.clock.advance(3 * DAY_MS);
    assert_eq!(app.get(&report).await.0.status(), StatusCode::OK, "a report has no end");
}

#[tokio::test]
async fn the_sample_is_the_same_at_every_visit_and_has_no_controls() {
    let app = TestApp::start().await;
    let (response, first) = app.get("/quiz/leader-type/sample").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(app.get("/quiz/leader-type/sample").await.1, first);
    assert!(first.contains("This is a sample") && !first.contains("Delete this result"));
    assert!(first.contains("class=\"map\""));
}

#[tokio::test]
async fn export_and_erasure_take_in_the_sittings() {
    for (keeps_research, n_left) in [(false, 0), (true, 20)] {
        let app = TestApp::start().await;
        let purposes: &[(&str, &str)] =
            if keeps_research { &[("purpose.research", "yes")] } else { &[] };
        app.sign_up("Ada", "ada@example.org", purposes).await;
        let link = app.mailed("ada@example.org", "/s/").await;
        app.press(&link).await;
        app.answer_all(&link, orderly).await;
        let report = app.finish(&link).await;
        let preferences = app.mailed("ada@example.org", "/p/").await;
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let export = format!("{preferences}/export");
        let (_, archive) = app.send_for_bytes("POST", &export, &headers).await;
        let archive = String::from_utf8_lossy(&archive);
        for expected in ["sittings.csv", "answers.csv", "profiles", "plan-f1", "mostly-order"] {
            assert!(archive.contains(expected), "{expected}");
        }
        let erase = format!("{preferences}/erase");
        let (_, page) = app.get(&erase).await;
        let submit_id = field(&page, "submit_id");
        location(&app.post(&erase, &[("submit_id", &submit_id)]).await.0);
        assert_eq!(app.count("response").await, n_left, "research: {keeps_research}");
        assert_eq!(app.count("contact").await, 0);
        assert_eq!(app.count("signup").await, 0);
        for path in [&link, &report] {
            assert_eq!(app.get(path).await.0.status(), StatusCode::NOT_FOUND, "{path}");
        }
        app.house.clock.advance(60 * DAY_MS);
        bellwether::retain(&app.house).await.unwrap();
        assert_eq!(app.count("response").await, n_left, "what was agreed to stays");
        let seen = app.fingerprint().await.join("\n");
        assert!(!seen.contains("ada") && !seen.contains("Ada"), "{seen}");
    }
}
