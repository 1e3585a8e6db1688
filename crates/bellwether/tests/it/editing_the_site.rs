//! The provider edits the site's files while it is served.

use std::path::PathBuf;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base::clock::{DAY_MS, SECOND_MS};
use base::site::Source;
use bellwether::live::Live;
use http_body_util::BodyExt as _;

use crate::app::TestApp;

const ARTICLE: &str = "+++\ntitle = \"A new article\"\nstandfirst = \"S\"\ndescription = \"D\"\nauthor = \"editors\"\n\
                       published = 2026-11-20\n+++\n\nText of the provider’s own.\n";

struct Desk {
    app: TestApp,
    live: Live,
    site: PathBuf,
}

impl Desk {
    async fn open() -> Self {
        let app = TestApp::start_with(&[("starter = true", "starter = false")]).await;
        let Source::Folder(site) = app.house.source.clone() else { panic!("no folder") };
        Self { live: Live::new(&app.house, None).unwrap(), app, site }
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::write(self.site.join(path), text).unwrap();
    }

    fn replace(&self, path: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.site.join(path)).unwrap();
        assert!(text.contains(from), "{from}");
        self.write(path, &text.replace(from, to));
    }

    /// A second later, a reader reloads.
    async fn reload(&self, path: &str) -> (StatusCode, String) {
        self.app.house.clock.advance(SECOND_MS);
        self.open_page(path).await
    }

    async fn open_page(&self, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).header("host", "127.0.0.1:8080");
        let response = self.live.answer(request.body(Body::empty()).unwrap()).await;
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

#[tokio::test]
async fn a_new_article_is_there_at_the_first_reload() {
    let desk = Desk::open().await;
    let path = "/articles/a-new-article";
    assert_eq!(desk.open_page(path).await.0, StatusCode::NOT_FOUND);
    desk.write("articles/a-new-article.md", ARTICLE);
    assert_eq!(desk.open_page(path).await.0, StatusCode::NOT_FOUND, "looked at once a second");
    let (status, page) = desk.reload(path).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("Text of the provider’s own."));
    assert!(desk.reload("/articles").await.1.contains("A new article"));
    std::fs::remove_file(desk.site.join("articles/a-new-article.md")).unwrap();
    assert_eq!(desk.reload(path).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn name_and_colour_change_with_their_file() {
    let desk = Desk::open().await;
    desk.replace("site.toml", "name = \"Your Organisation\"", "name = \"Acme Leaders\"");
    desk.replace("site.toml", "accent = \"#1b5a46\"", "accent = \"#5a1b46\"");
    let (_, page) = desk.reload("/").await;
    assert!(page.contains("– Acme Leaders</title>"));
    let stylesheet = page.split("rel=\"stylesheet\" href=\"").nth(1).unwrap();
    let stylesheet = stylesheet.split('"').next().unwrap();
    assert!(desk.open_page(stylesheet).await.1.starts_with(":root{--accent:#5a1b46"));
}

#[tokio::test]
async fn a_fault_leaves_the_last_good_site_until_it_is_mended() {
    let desk = Desk::open().await;
    desk.replace("site.toml", "name = \"Your Organisation\"", "name = Your Organisation");
    desk.write("articles/a-new-article.md", ARTICLE);
    let (status, page) = desk.reload("/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("– Your Organisation</title>"));
    assert_eq!(desk.reload("/articles/a-new-article").await.0, StatusCode::NOT_FOUND);
    desk.replace("site.toml", "name = Your Organisation", "name = \"Acme Leaders\"");
    assert!(desk.reload("/").await.1.contains("– Acme Leaders</title>"));
    assert_eq!(desk.reload("/articles/a-new-article").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_start_that_has_passed_is_no_longer_offered() {
    let desk = Desk::open().await;
    desk.replace(
        "programmes/first-ninety-days.md",
        "dates = []",
        "dates = [2027-01-12, 2026-11-25]",
    );
    let (_, page) = desk.reload("/programmes/first-ninety-days").await;
    let dates =
        "<time datetime=\"2026-11-25\">25 November 2026</time>, <time datetime=\"2027-01-12\">";
    assert!(page.contains(dates), "{page}");
    assert!(page.contains("\"startDate\":\"2027-01-12\""));
    assert!(desk.reload("/").await.1.contains("next starts 25 November 2026"));
    desk.app.house.clock.advance(2 * DAY_MS);
    assert!(desk.reload("/").await.1.contains("next starts 12 January 2027"));
    let (_, page) = desk.open_page("/programmes/first-ninety-days").await;
    assert!(!page.contains("25 November 2026"));
}
