//! A visitor reads.

use std::collections::BTreeSet;

use axum::http::StatusCode;

use crate::app::TestApp;

fn links(html: &str) -> BTreeSet<String> {
    let addresses = html.split("href=\"").skip(1).chain(html.split("src=\"").skip(1));
    let addresses = addresses.filter_map(|rest| rest.split('"').next());
    addresses.filter(|a| a.starts_with('/')).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_link_of_the_site_leads_to_a_page() {
    let app = TestApp::start().await;
    let mut to_visit = BTreeSet::from(["/".to_owned()]);
    let mut visited = BTreeSet::new();
    while let Some(path) = to_visit.pop_first() {
        let (response, body) = app.get(&path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        visited.insert(path);
        to_visit.extend(links(&body).into_iter().filter(|link| !visited.contains(link)));
    }
    assert!(visited.len() >= 8, "{visited:?}");
    assert!(visited.contains("/articles/what-is-the-difference-between-leadership-and-management"));
}

#[tokio::test]
async fn reading_sets_no_cookie_and_asks_nothing_of_third_parties() {
    let app = TestApp::start().await;
    for path in ["/", "/articles", "/programmes", "/feed.atom", "/sitemap.xml", "/robots.txt"] {
        let (response, body) = app.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert!(response.headers().get("set-cookie").is_none());
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"));
        assert!(!body.contains("src=\"http"), "{path}");
    }
}

#[tokio::test]
async fn a_page_that_has_not_changed_is_not_sent_again() {
    let app = TestApp::start().await;
    let (first, _) = app.get("/articles").await;
    let etag = first.headers()["etag"].to_str().unwrap().to_owned();
    let host = ("host", "127.0.0.1:8080");
    let (again, body) = app.send("GET", "/articles", &[host, ("if-none-match", &etag)], "").await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert!(body.is_empty());
}

#[tokio::test]
async fn a_wrong_address_method_or_site_gets_a_page_that_says_what_to_do() {
    let app = TestApp::start().await;
    let (response, body) = app.get("/nowhere").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert!(body.contains("There is no page here"));
    let (response, body) = app.post("/articles", &[]).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(response.headers().contains_key("allow"));
    assert!(body.contains("That is not how this page works"));
    let (response, _) =
        app.send("POST", "/articles", &[("sec-fetch-site", "cross-site")], "").await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_mailbox_is_open_to_this_machine_only() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/mailbox").await.0.status(), StatusCode::OK);
    assert!(app.mails().await.is_empty());
    let (from_afar, _) = app.send("GET", "/mailbox", &[("host", "www.example.org")], "").await;
    assert_eq!(from_afar.status(), StatusCode::NOT_FOUND);
    let proxied = [("host", "127.0.0.1:8080"), ("x-forwarded-for", "203.0.113.9")];
    assert_eq!(app.send("GET", "/mailbox", &proxied, "").await.0.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn readiness_means_that_the_records_can_be_written() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/readyz").await.0.status(), StatusCode::OK);
    app.house.db.close().await;
    assert_eq!(app.get("/readyz").await.0.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(app.get("/healthz").await.0.status(), StatusCode::OK);
}

#[tokio::test]
async fn every_sample_in_the_gallery_can_be_shown() {
    let app = TestApp::start().await;
    let (_, list) = app.get("/dev/pages").await;
    for sample in bellwether::samples() {
        let path = format!("/dev/pages/{}/{}", sample.group, sample.name);
        assert!(list.contains(&format!("href=\"{path}\"")), "{path} is listed");
        let (response, page) = app.get(&path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}: {page}");
    }
}
