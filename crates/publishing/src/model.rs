//! Articles, programmes and legal pages as read from the site's files. A file that will not do is reported with what to mend.

use base::site::{Site, Source};
use serde::Deserialize;

use crate::markdown::{self, Rendered};

/// Everything there is to read.
#[derive(Clone, Debug)]
pub struct Publication {
    /// Newest first.
    pub articles: Vec<Article>,
    /// In the provider's order.
    pub programmes: Vec<Programme>,
    /// Privacy, cookies, accessibility.
    pub pages: Vec<LegalPage>,
}

/// An article.
#[derive(Clone, Debug)]
pub struct Article {
    /// The last segment of its address.
    pub slug: String,
    /// Its front matter.
    pub front: ArticleFront,
    /// Its text.
    pub body: Rendered,
}

/// The front matter of an article.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArticleFront {
    /// Headline.
    pub title: String,
    /// The sentence under it.
    pub standfirst: String,
    /// For search engines and previews.
    pub description: String,
    /// A key of `[authors]` in `site.toml`.
    pub author: String,
    /// First published.
    pub published: toml::value::Datetime,
    /// Last changed.
    #[serde(default)]
    pub updated: Option<toml::value::Datetime>,
    /// Subjects.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Other articles, by slug.
    #[serde(default)]
    pub related: Vec<String>,
    /// Programmes, by slug.
    #[serde(default)]
    pub programmes: Vec<String>,
    /// A file in `figures`.
    #[serde(default)]
    pub illustration: String,
}

/// A course or a mentoring programme.
#[derive(Clone, Debug)]
pub struct Programme {
    /// The last segment of its address.
    pub slug: String,
    /// Its front matter.
    pub front: ProgrammeFront,
    /// Its text.
    pub body: Rendered,
}

/// What kind of programme.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A course.
    Course,
    /// Mentoring.
    Mentoring,
}

/// The front matter of a programme.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgrammeFront {
    /// Name.
    pub title: String,
    /// Course or mentoring.
    pub kind: Kind,
    /// Levels of leading it is for, as in `site.toml`.
    pub levels: Vec<String>,
    /// `management`, `leadership` or both.
    pub approaches: Vec<String>,
    /// Facets it develops.
    pub facets: Vec<String>,
    /// The sentence under the name.
    pub standfirst: String,
    /// For search engines.
    pub description: String,
    /// Who it is for.
    pub for_whom: String,
    /// What changes.
    pub what_changes: Vec<String>,
    /// How we will know.
    pub how_we_will_know: String,
    /// How long.
    pub duration: String,
    /// In what form.
    pub format: String,
    /// How many people.
    pub group_size: String,
    /// The price, in words.
    pub price: String,
    /// Dates of the next runs.
    #[serde(default)]
    pub dates: Vec<String>,
    /// What to say about dates.
    pub next_dates_note: String,
    /// Whom to ask.
    pub person: String,
    /// Place in the catalogue.
    pub order: i64,
}

/// Privacy, cookies, accessibility.
#[derive(Clone, Debug)]
pub struct LegalPage {
    /// Its address without the slash.
    pub slug: String,
    /// Its front matter.
    pub front: PageFront,
    /// Its text.
    pub body: Rendered,
}

/// The front matter of a legal page.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageFront {
    /// Headline.
    pub title: String,
    /// For search engines.
    pub description: String,
    /// Last changed.
    pub updated: toml::value::Datetime,
}

impl Publication {
    /// Reads every file.
    ///
    /// # Errors
    /// Every fault, each with its file.
    pub fn load(source: &Source, site: &Site) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut articles =
            read_folder(source, site, "articles", &mut faults, |slug, front, body| Article {
                slug,
                front,
                body,
            });
        articles.sort_by_key(|article: &Article| {
            std::cmp::Reverse(article.front.published.to_string())
        });
        let mut programmes =
            read_folder(source, site, "programmes", &mut faults, |slug, front, body| Programme {
                slug,
                front,
                body,
            });
        programmes.sort_by_key(|programme: &Programme| programme.front.order);
        let pages = read_folder(source, site, "pages", &mut faults, |slug, front, body| {
            LegalPage { slug, front, body }
        });
        let publication = Self { articles, programmes, pages };
        publication.check(site, &mut faults);
        if faults.is_empty() { Ok(publication) } else { Err(faults) }
    }

    /// The article of that slug.
    #[must_use]
    pub fn article(&self, slug: &str) -> Option<&Article> {
        self.articles.iter().find(|article| article.slug == slug)
    }

    /// The programme of that slug.
    #[must_use]
    pub fn programme(&self, slug: &str) -> Option<&Programme> {
        self.programmes.iter().find(|programme| programme.slug == slug)
    }

    fn check(&self, site: &Site, faults: &mut Vec<String>) {
        if self.article(&site.home.lead_article).is_none() {
            faults.push(format!(
                "site.toml: home.lead_article = \"{}\" is not an article. Write the name of a file in articles, without .md.",
                site.home.lead_article
            ));
        }
        for article in &self.articles {
            let file = format!("articles/{}.md", article.slug);
            if !site.authors.contains_key(&article.front.author) {
                faults.push(format!(
                    "{file}: there is no author \"{}\" in site.toml. Add [authors.{}].",
                    article.front.author, article.front.author
                ));
            }
            for slug in article.front.related.iter().filter(|slug| self.article(slug).is_none()) {
                faults.push(format!("{file}: related names \"{slug}\", which is not an article."));
            }
            for slug in article.front.programmes.iter().filter(|s| self.programme(s).is_none()) {
                faults.push(format!(
                    "{file}: programmes names \"{slug}\", which is not a programme."
                ));
            }
        }
    }
}

fn read_folder<F: serde::de::DeserializeOwned, T>(
    source: &Source,
    site: &Site,
    folder: &str,
    faults: &mut Vec<String>,
    make: impl Fn(String, F, Rendered) -> T,
) -> Vec<T> {
    let mut read = Vec::new();
    for name in source.names(folder, ".md") {
        let path = format!("{folder}/{name}");
        let slug = name.trim_end_matches(".md").to_owned();
        match source.text(&path).and_then(|text| read_file(source, site, &path, &text)) {
            Ok((front, body)) => read.push(make(slug, front, body)),
            Err(fault) => faults.push(fault),
        }
    }
    read
}

fn read_file<F: serde::de::DeserializeOwned>(
    source: &Source,
    site: &Site,
    path: &str,
    text: &str,
) -> Result<(F, Rendered), String> {
    let parts = text.strip_prefix("+++\n").and_then(|rest| rest.split_once("\n+++\n"));
    let (front, body) = parts
        .ok_or_else(|| format!("{path}: it must begin with front matter between lines of +++"))?;
    let front = toml::from_str(front).map_err(|e| format!("{path}: {e}"))?;
    let body = fill_in(body, site);
    Ok((front, markdown::render(&body, &|name, argument| directive(source, name, argument))))
}

fn fill_in(body: &str, site: &Site) -> String {
    let provider = &site.provider;
    body.replace("{provider}", &provider.name)
        .replace("{legal_name}", &provider.legal_name)
        .replace("{email}", &provider.email)
        .replace("{phone}", &provider.phone)
        .replace("{address}", &provider.address.join(", "))
}

/// `::figure NAME | CAPTION::` puts a figure of the site in the text; an unknown directive leaves nothing.
fn directive(source: &Source, name: &str, argument: &str) -> Option<String> {
    let (file, caption) = argument.split_once('|').unwrap_or((argument, ""));
    let (file, caption) = (file.trim(), caption.trim());
    let is_name = file.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if name != "figure" || !is_name {
        return None;
    }
    let svg = source.text(&format!("figures/{file}.svg")).ok()?;
    let caption = markdown::render(caption, &|_, _| None).html;
    Some(format!("<figure class=\"figure\">{svg}<figcaption>{caption}</figcaption></figure>\n"))
}
