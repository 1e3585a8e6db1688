//! A visitor reads.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use base::samples::Shown;

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

const HERE: (&str, &str) = ("host", "127.0.0.1:8080");
const ARTICLE: &str = "/articles/what-is-the-difference-between-leadership-and-management";

/// What stands between two texts, the first time.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split(before).nth(1).and_then(|rest| rest.split(after).next()).unwrap()
}

#[tokio::test]
async fn a_page_is_sent_compressed_with_a_tag_for_each_coding() {
    let app = TestApp::start().await;
    let (plain, _) = app.get(ARTICLE).await;
    let mut tags = vec![plain.headers()["etag"].clone()];
    for (takes, coding) in [("gzip, deflate", "gzip"), ("gzip, deflate, br, zstd", "br")] {
        let headers = [HERE, ("accept-encoding", takes)];
        let (response, bytes) = app.send_for_bytes("GET", ARTICLE, &headers).await;
        assert_eq!(response.headers()["content-encoding"], coding);
        assert_eq!(response.headers()["vary"], "accept-encoding");
        assert!(bytes.len() < 20_000, "{} bytes of {coding}", bytes.len());
        let tag = response.headers()["etag"].clone();
        let headers = [HERE, ("accept-encoding", takes), ("if-none-match", tag.to_str().unwrap())];
        let (again, body) = app.send_for_bytes("GET", ARTICLE, &headers).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers()["etag"], tag);
        assert!(body.is_empty());
        tags.push(tag);
    }
    assert!(tags[0] != tags[1] && tags[1] != tags[2]);
    let headers = [HERE, ("accept-encoding", "br")];
    let (head, body) = app.send_for_bytes("HEAD", ARTICLE, &headers).await;
    assert_eq!(head.headers()["etag"], tags[2]);
    assert!(body.is_empty());
}

#[tokio::test]
async fn an_article_says_who_wrote_it_when_and_how_to_share_it() {
    let app = TestApp::start().await;
    let (_, page) = app.get(ARTICLE).await;
    assert!(page.contains("<time datetime=\"2026-11-03\">3 November 2026</time>"));
    assert!(page.contains("By the editors</span>") && page.contains("minutes to read"));
    let contents = between(&page, "class=\"contents\"", "</nav>");
    for link in contents.split("href=\"#").skip(1) {
        let id = link.split('"').next().unwrap();
        assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
    }
    let url = "http%3A%2F%2F127.0.0.1%3A8080%2Farticles%2Fwhat-is-the-difference";
    for network in ["mailto:?", "www.linkedin.com", "x.com", "www.facebook.com", "wa.me"] {
        let link = between(&page, network, "\"");
        assert!(link.contains(url), "{network}: {link}");
    }
    assert!(page.contains("data-copy hidden") && page.contains("data-share hidden"));
    assert_eq!(page.matches("class=\"invitation\"").count(), 1);
    assert_eq!(page.matches("<h1").count(), 1);
}

#[tokio::test]
async fn what_machines_read_of_an_article_is_what_people_read() {
    let app = TestApp::start().await;
    let (_, page) = app.get(ARTICLE).await;
    let json = between(&page, "<script type=\"application/ld+json\">", "</script>");
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(json["headline"], between(&page, "<h1>", "</h1>"));
    assert_eq!(json["description"], between(&page, "<p class=\"standfirst\">", "</p>"));
    assert_eq!(json["author"]["name"], "The editors");
    assert_eq!(json["datePublished"], "2026-11-03");
    let canonical = between(&page, "<link rel=\"canonical\" href=\"", "\"");
    assert_eq!(canonical, format!("http://127.0.0.1:8080{ARTICLE}"));
    assert_eq!(json["mainEntityOfPage"], canonical);
    let card = between(&page, "<meta property=\"og:image\" content=\"", "\"");
    assert_eq!(json["image"], card);
}

#[tokio::test]
async fn every_public_page_has_a_card_that_may_be_kept_for_good() {
    let app = TestApp::start().await;
    for path in ["/", "/articles", ARTICLE, "/programmes/first-ninety-days", "/privacy"] {
        let (_, page) = app.get(path).await;
        let card = between(&page, "<meta property=\"og:image\" content=\"", "\"");
        let card = card.strip_prefix("http://127.0.0.1:8080").unwrap();
        assert!(card.starts_with("/cards/"), "{card}");
        let (response, bytes) = app.send_for_bytes("GET", card, &[HERE]).await;
        assert_eq!(response.headers()["content-type"], "image/png");
        assert_eq!(response.headers()["cache-control"], "public, max-age=31536000, immutable");
        assert!(bytes.starts_with(b"\x89PNG") && bytes.len() < 100_000, "{} bytes", bytes.len());
    }
    let (unknown, _) = app.get("/cards/site-0000000000000000.png").await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_feed_names_every_article_by_an_id_that_outlives_its_address() {
    let app = TestApp::start().await;
    let (response, feed) = app.get("/feed.atom").await;
    assert_eq!(response.headers()["content-type"], "application/atom+xml; charset=utf-8");
    assert!(feed.contains("<link rel=\"self\" type=\"application/atom+xml\""));
    let (_, list) = app.get("/articles").await;
    let links = links(&list);
    let slugs: Vec<&str> = links.iter().filter_map(|l| l.strip_prefix("/articles/")).collect();
    assert!(slugs.len() >= 3);
    assert_eq!(feed.matches("<entry>").count(), slugs.len());
    for slug in slugs {
        assert!(feed.contains(&format!("<id>tag:127.0.0.1,2026:articles/{slug}</id>")), "{slug}");
    }
    for moment in feed.split("<updated>").skip(1).chain(feed.split("<published>").skip(1)) {
        let moment = moment.split('<').next().unwrap();
        assert!(moment.len() == 20 && moment.ends_with("T00:00:00Z"), "{moment}");
    }
    assert!(!feed.contains("&lt;svg"), "figures have their colours on our pages only");
}

#[tokio::test]
async fn the_sitemap_holds_every_public_page_and_nothing_private() {
    let app = TestApp::start().await;
    let (_, robots) = app.get("/robots.txt").await;
    assert!(robots.contains("Sitemap: http://127.0.0.1:8080/sitemap.xml"));
    let (_, map) = app.get("/sitemap.xml").await;
    for location in map.split("<loc>http://127.0.0.1:8080").skip(1) {
        let path = location.split('<').next().unwrap();
        let (response, page) = app.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let canonical = between(&page, "<link rel=\"canonical\" href=\"", "\"");
        assert_eq!(canonical, format!("http://127.0.0.1:8080{path}"));
    }
    for private in ["/s/", "/r/", "/u/", "/p/", "/mailbox", "/dev/"] {
        assert!(!map.contains(&format!("8080{private}")), "{private}");
    }
}

#[tokio::test]
async fn every_page_has_one_title_and_headings_in_order() {
    let app = TestApp::start().await;
    for path in ["/", "/articles", ARTICLE, "/programmes", "/programmes/first-ninety-days"] {
        let (_, page) = app.get(path).await;
        headings_in_order(path, &page);
    }
}

/// One first-level heading, and none deeper by more than one than the one before it.
fn headings_in_order(what: &str, page: &str) {
    let tags = page.split("<h").skip(1).map(str::as_bytes);
    let levels = tags.filter(|rest| rest.len() > 1 && matches!(rest[1], b'>' | b' '));
    let levels: Vec<u8> = levels.map(|rest| rest[0]).filter(u8::is_ascii_digit).collect();
    assert_eq!(levels.iter().filter(|level| **level == b'1').count(), 1, "{what}");
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{what}: {levels:?}");
}

#[tokio::test]
async fn every_sample_can_be_shown_and_is_the_same_every_time() {
    let app = TestApp::start().await;
    let samples = bellwether::samples();
    assert!(samples.len() >= 20);
    let names: BTreeSet<_> = samples.iter().map(|sample| (sample.group, sample.name)).collect();
    assert_eq!(names.len(), samples.len(), "two samples have one name");
    for sample in &samples {
        let what = format!("{}/{}", sample.group, sample.name);
        let shown = [(sample.render)(&app.house), (sample.render)(&app.house)];
        let [Ok(shown), Ok(again)] = shown else { panic!("{what} failed") };
        match (shown, again) {
            (Shown::Page(page), Shown::Page(again)) => {
                assert_eq!(page, again, "{what}");
                headings_in_order(&what, &page);
            }
            (Shown::Letter(letter), Shown::Letter(again)) => assert_eq!(letter, again, "{what}"),
            _ => panic!("{what} is now a page, now a letter"),
        }
    }
}

#[tokio::test]
async fn the_gallery_is_open_to_this_machine_only() {
    let app = TestApp::start().await;
    let (_, gallery) = app.get("/dev/pages").await;
    let shown = links(&gallery).into_iter().filter(|link| link.starts_with("/dev/pages/"));
    let shown: Vec<String> = shown.collect();
    assert_eq!(shown.len(), bellwether::samples().len());
    for path in &shown {
        assert_eq!(app.get(path).await.0.status(), StatusCode::OK, "{path}");
        let (from_afar, _) = app.send("GET", path, &[("host", "www.example.org")], "").await;
        assert_eq!(from_afar.status(), StatusCode::NOT_FOUND);
    }
    let (from_afar, _) = app.send("GET", "/dev/pages", &[("host", "www.example.org")], "").await;
    assert_eq!(from_afar.status(), StatusCode::NOT_FOUND);
    let (frame, _) = app.get("/dev/pages/house/letter/frame").await;
    let policy = frame.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("sandbox"));
}
