//! What machines read of the site: Atom, sitemap, robots, JSON-LD, and the addresses behind the share links.

use base::house::House;
use base::http::{Cache, Stored};
use serde_json::{Value, json};

use crate::day::Day;
use crate::model::{Article, Programme, Publication};

/// The year in the feed's `tag:` ids (RFC 4151): any in which the provider held its host name; ids must never change.
const TAG_YEAR: &str = "2026";

/// Atom feed (RFC 4287), sitemap, robots and the word on Global Privacy Control, by path.
pub fn all(house: &House, publication: &Publication) -> Vec<(String, Stored)> {
    let stored = |kind, body| Stored::new(kind, Cache::Public, body);
    let robots = format!(
        "User-agent: *\nDisallow: /s/\nDisallow: /r/\nDisallow: /u/\nDisallow: /p/\nSitemap: {}/sitemap.xml\n",
        house.public_url
    );
    vec![
        (
            "/feed.atom".into(),
            stored("application/atom+xml; charset=utf-8", atom(house, publication)),
        ),
        (
            "/sitemap.xml".into(),
            stored("application/xml; charset=utf-8", sitemap(house, publication)),
        ),
        ("/robots.txt".into(), stored("text/plain; charset=utf-8", robots)),
        ("/.well-known/gpc.json".into(), stored("application/json", privacy_control(publication))),
    ]
}

/// Says that Global Privacy Control is respected: nothing here could be refused, which the page on cookies tells, so its date
/// is that of this promise.
fn privacy_control(publication: &Publication) -> String {
    let promise = publication.pages.iter().find(|page| page.slug == "cookies");
    let updated = promise.map_or(Day::of(0), |page| page.front.updated);
    json!({ "gpc": true, "lastUpdate": updated.to_string() }).to_string()
}

/// JSON-LD of an article, in the words of the page; safe inside a script element.
pub fn article_json_ld(house: &House, article: &Article, image: &str) -> String {
    let front = &article.front;
    let author = house.site.authors.get(&front.author);
    let author_kind = if author.is_some_and(|a| a.person) { "Person" } else { "Organization" };
    inert(&json!({
        "@context": "https://schema.org",
        "@type": "Article",
        "headline": front.title,
        "description": front.standfirst,
        "author": {
            "@type": author_kind,
            "name": author.map_or("", |author| author.name.as_str()),
            "url": house.public_url,
        },
        "publisher": provider(house),
        "datePublished": front.published.to_string(),
        "dateModified": updated(article).to_string(),
        "image": image,
        "mainEntityOfPage": format!("{}/articles/{}", house.public_url, article.slug),
    }))
}

/// JSON-LD of a programme, in the words of the page; safe inside a script element.
pub fn course_json_ld(house: &House, programme: &Programme, starts: &[Day]) -> String {
    let front = &programme.front;
    let mut course = json!({
        "@context": "https://schema.org",
        "@type": "Course",
        "name": front.title,
        "description": front.standfirst,
        "provider": provider(house),
        "url": format!("{}/programmes/{}", house.public_url, programme.slug),
    });
    if !starts.is_empty() {
        let instance = |day: &Day| {
            json!({
                "@type": "CourseInstance",
                "courseMode": front.format,
                "startDate": day.to_string(),
            })
        };
        course["hasCourseInstance"] = starts.iter().map(instance).collect();
    }
    inert(&course)
}

/// Plain share links: words, address.
pub fn shares(url: &str, title: &str) -> Vec<(&'static str, String)> {
    let (url, title) = (encoded(url), encoded(title));
    vec![
        ("Email", format!("mailto:?subject={title}&body={url}")),
        ("LinkedIn", format!("https://www.linkedin.com/sharing/share-offsite/?url={url}")),
        ("X", format!("https://x.com/intent/post?url={url}&text={title}")),
        ("Facebook", format!("https://www.facebook.com/sharer/sharer.php?u={url}")),
        ("WhatsApp", format!("https://wa.me/?text={title}%20{url}")),
    ]
}

/// Percent-encoding of everything but RFC 3986's unreserved characters.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn provider(house: &House) -> Value {
    let name = &house.site.provider.name;
    json!({ "@type": "Organization", "name": name, "url": house.public_url })
}

fn updated(article: &Article) -> Day {
    article.front.updated.unwrap_or(article.front.published)
}

/// No text in the JSON can end the script element.
fn inert(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Text inside an XML element or attribute: escaped, without the characters that XML 1.0 does not allow.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(c),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => escaped.push(c),
        }
    }
    escaped
}

/// The `tag:` URI of something, which stays the same if the site moves to another port or scheme.
fn tag(public_url: &str, path: &str) -> String {
    let host = public_url.split_once("://").map_or(public_url, |(_, host)| host);
    let host = host.split([':', '/']).next().filter(|host| !host.starts_with('['));
    format!("tag:{},{TAG_YEAR}:{path}", host.unwrap_or("localhost"))
}

fn atom(house: &House, publication: &Publication) -> String {
    let (url, name) = (&house.public_url, xml(&house.site.provider.name));
    let newest = publication.articles.iter().map(updated).max().unwrap_or(Day::of(0)).rfc_3339();
    let (id, subtitle) = (tag(url, "articles"), xml(&house.site.provider.sentence));
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en-GB\">\n\
         <id>{id}</id>\n<title>{name}</title>\n<subtitle>{subtitle}</subtitle>\n<updated>{newest}</updated>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{url}/feed.atom\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{url}/\"/>\n<author><name>{name}</name></author>\n"
    );
    for article in &publication.articles {
        feed.push_str(&entry(house, article));
    }
    feed.push_str("</feed>\n");
    feed
}

fn entry(house: &House, article: &Article) -> String {
    let front = &article.front;
    let address = format!("{}/articles/{}", house.public_url, article.slug);
    let author = house.site.authors.get(&front.author).map_or("", |author| author.name.as_str());
    format!(
        "<entry>\n<id>{}</id>\n<title>{}</title>\n<published>{}</published>\n<updated>{}</updated>\n\
         <author><name>{}</name></author>\n<link rel=\"alternate\" type=\"text/html\" href=\"{address}\"/>\n\
         <summary>{}</summary>\n<content type=\"html\" xml:base=\"{address}\">{}</content>\n</entry>\n",
        tag(&house.public_url, &format!("articles/{}", article.slug)),
        xml(&front.title),
        front.published.rfc_3339(),
        updated(article).rfc_3339(),
        xml(author),
        xml(&front.standfirst),
        xml(&article.feed_html),
    )
}

fn sitemap(house: &House, publication: &Publication) -> String {
    let newest = publication.articles.iter().map(updated).max();
    let mut urls = vec![("/".to_owned(), None), ("/articles".to_owned(), newest)];
    urls.extend(["/programmes", "/contact"].map(|path| (path.to_owned(), None)));
    let articles = publication.articles.iter();
    urls.extend(articles.map(|a| (format!("/articles/{}", a.slug), Some(updated(a)))));
    urls.extend(publication.programmes.iter().map(|p| (format!("/programmes/{}", p.slug), None)));
    let pages = publication.pages.iter();
    urls.extend(pages.map(|p| (format!("/{}", p.slug), Some(p.front.updated))));
    let mut map = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    for (path, modified) in urls {
        let modified = modified.map(|day| format!("<lastmod>{day}</lastmod>")).unwrap_or_default();
        map.push_str(&format!("<url><loc>{}{path}</loc>{modified}</url>\n", house.public_url));
    }
    map.push_str("</urlset>\n");
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_end_the_script_it_stands_in() {
        let text = inert(&json!({ "headline": "a </script><script>alert(1)</script> & b" }));
        assert!(!text.contains('<') && !text.contains('&'));
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["headline"], "a </script><script>alert(1)</script> & b");
    }

    #[test]
    fn ids_outlive_a_change_of_port_and_scheme() {
        let id = "tag:www.example.org,2026:articles/a";
        assert_eq!(tag("https://www.example.org", "articles/a"), id);
        assert_eq!(tag("http://www.example.org:8080", "articles/a"), id);
        assert_eq!(tag("http://[::1]:8080", "x"), "tag:localhost,2026:x");
    }

    #[test]
    fn xml_holds_no_character_that_xml_forbids() {
        assert_eq!(xml("a\u{8}<b>\u{ffff} & \"c\"\n"), "a&lt;b&gt; &amp; &quot;c&quot;\n");
    }
}
