//! A participant takes the quiz.

use axum::http::StatusCode;

use crate::app::{TestApp, location};
use crate::persons::orderly;

#[tokio::test]
async fn the_whole_walk_from_the_form_to_the_report() {
    let app = TestApp::start().await;
    let sent =
        app.sign_up("Ada Lovelace", "ada@example.org", &[("purpose.newsletter", "yes")]).await;
    let (response, page) = app.get(&sent).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(page.contains("Check your inbox"));
    let link = app.mailed("ada@example.org", "/s/").await;
    let (_, page) = app.get(&link).await;
    assert!(page.contains("Start the quiz") && page.contains("ada@example.org"));
    assert!(page.contains("Please e-mail me your newsletter"));
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
