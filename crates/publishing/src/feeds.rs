//! What machines read of the site: Atom, sitemap, robots, JSON-LD, and the addresses behind the share links.

use base::house::House;
use base::http::{Cache, Stored};
use serde_json::json;

use crate::model::{Article, Programme, Publication};

/// Atom feed (RFC 4287), sitemap and robots, by path.
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
    ]
}

/// JSON-LD of an article, safe inside a script element.
pub fn article_json_ld(house: &House, article: &Article, author: &str, image: &str) -> String {
    let front = &article.front;
    inert(&json!({
        "@context": "https://schema.org",
        "@type": "Article",
        "headline": front.title,
        "description": front.description,
        "author": { "@type": "Organization", "name": author, "url": house.public_url },
        "datePublished": front.published.to_string(),
        "dateModified": updated(article),
        "image": image,
        "mainEntityOfPage": format!("{}/articles/{}", house.public_url, article.slug),
    }))
}

/// JSON-LD of a programme, safe inside a script element.
pub fn course_json_ld(house: &House, programme: &Programme) -> String {
    inert(&json!({
        "@context": "https://schema.org",
        "@type": "Course",
        "name": programme.front.title,
        "description": programme.front.description,
        "provider": { "@type": "Organization", "name": house.site.provider.name, "url": house.public_url },
    }))
}

/// Plain share links: words, address.
pub fn shares(url: &str, title: &str) -> Vec<(&'static str, String)> {
    let (url, title) = (encoded(url), encoded(title));
    vec![
        ("E-mail", format!("mailto:?subject={title}&body={url}")),
        ("LinkedIn", format!("https://www.linkedin.com/sharing/share-offsite/?url={url}")),
        ("X", format!("https://x.com/intent/post?url={url}&text={title}")),
        ("Facebook", format!("https://www.facebook.com/sharer/sharer.php?u={url}")),
        ("WhatsApp", format!("https://wa.me/?text={title}%20{url}")),
    ]
}

fn updated(article: &Article) -> String {
    article.front.updated.as_ref().unwrap_or(&article.front.published).to_string()
}

/// No text in the JSON can end the script element.
fn inert(value: &serde_json::Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
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

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn atom(house: &House, publication: &Publication) -> String {
    let (url, name) = (&house.public_url, xml(&house.site.provider.name));
    let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host);
    let host = host.split(':').next().unwrap_or(host);
    let newest = publication.articles.iter().map(updated).max().unwrap_or_default();
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <id>tag:{host},2026:articles</id>\n<title>{name}</title>\n<updated>{newest}T00:00:00Z</updated>\n\
         <link rel=\"self\" href=\"{url}/feed.atom\"/>\n<link href=\"{url}/\"/>\n<author><name>{name}</name></author>\n"
    );
    for article in &publication.articles {
        let (slug, front) = (&article.slug, &article.front);
        feed.push_str(&format!(
            "<entry>\n<id>tag:{host},2026:articles/{slug}</id>\n<title>{}</title>\n\
             <published>{}T00:00:00Z</published>\n<updated>{}T00:00:00Z</updated>\n\
             <link href=\"{url}/articles/{slug}\"/>\n<summary>{}</summary>\n<content type=\"html\">{}</content>\n</entry>\n",
            xml(&front.title),
            front.published,
            updated(article),
            xml(&front.standfirst),
            xml(&article.body.html),
        ));
    }
    feed.push_str("</feed>\n");
    feed
}

fn sitemap(house: &House, publication: &Publication) -> String {
    let mut urls = vec![("/".to_owned(), None), ("/articles".to_owned(), None)];
    urls.extend(["/programmes", "/contact"].map(|path| (path.to_owned(), None)));
    let articles = publication.articles.iter();
    urls.extend(articles.map(|a| (format!("/articles/{}", a.slug), Some(updated(a)))));
    urls.extend(publication.programmes.iter().map(|p| (format!("/programmes/{}", p.slug), None)));
    urls.extend(
        publication
            .pages
            .iter()
            .map(|p| (format!("/{}", p.slug), Some(p.front.updated.to_string()))),
    );
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
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["headline"], "a </script><script>alert(1)</script> & b");
    }
}
