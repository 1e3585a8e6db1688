//! Articles, programmes and legal pages as read from the site's files. A file that will not do is reported with what to mend.

use base::site::{Site, Source};
use serde::Deserialize;

use crate::day::Day;
use crate::load::Reader;
use crate::markdown::Rendered;

/// Pages that every site has, since the foot of each page links them.
const PAGES_REQUIRED: [&str; 3] = ["privacy", "cookies", "accessibility"];

/// Everything there is to read.
#[derive(Clone, Debug, Default)]
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
    /// Its text for feed readers: figures are told and not drawn, since only our pages have their colours.
    pub feed_html: String,
    /// The SVG under its title; empty if it names none.
    pub illustration: String,
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
    pub published: Day,
    /// Last changed.
    #[serde(default)]
    pub updated: Option<Day>,
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
    /// The days on which it starts, in order.
    #[serde(default)]
    pub dates: Vec<Day>,
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
    pub updated: Day,
}

impl Kind {
    /// As pages say it.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Course => "Course",
            Self::Mentoring => "Mentoring",
        }
    }
}

impl Programme {
    /// The days on which it starts from `today` on.
    #[must_use]
    pub fn starts(&self, today: Day) -> Vec<Day> {
        self.front.dates.iter().copied().filter(|day| *day >= today).collect()
    }
}

impl Publication {
    /// Reads every file.
    ///
    /// # Errors
    /// Every fault, each with its file.
    pub fn load(source: &Source, site: &Site) -> Result<Self, Vec<String>> {
        let mut reader = Reader::new(source, site);
        let mut articles: Vec<Article> = reader.folder("articles", Reader::article);
        articles
            .sort_by(|a, b| b.front.published.cmp(&a.front.published).then(a.slug.cmp(&b.slug)));
        let mut programmes: Vec<Programme> =
            reader.folder("programmes", |reader, slug, path, mut front: ProgrammeFront, text| {
                front.dates.sort();
                Some(Programme { slug, front, body: reader.render(path, text)? })
            });
        programmes.sort_by_key(|programme| programme.front.order);
        let pages = reader.folder("pages", |reader, slug, path, front, text| {
            Some(LegalPage { slug, front, body: reader.render(path, text)? })
        });
        let mut faults = reader.into_faults();
        let publication = Self { articles, programmes, pages };
        if faults.is_empty() {
            publication.check(site, &mut faults);
        }
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
        for slug in PAGES_REQUIRED {
            if !self.pages.iter().any(|page| page.slug == slug) {
                faults.push(format!(
                    "pages/{slug}.md: is missing, and every page links it. Copy it from a fresh `bellwether init`."
                ));
            }
        }
        self.articles.iter().for_each(|article| self.check_article(site, article, faults));
        for programme in &self.programmes {
            let file = format!("programmes/{}.md", programme.slug);
            let known = |id: &&String| site.level_label(id).is_none();
            for level in programme.front.levels.iter().filter(known) {
                faults.push(format!(
                    "{file}: levels names \"{level}\", which is not the id of one of the [[levels]] in site.toml."
                ));
            }
        }
    }

    fn check_article(&self, site: &Site, article: &Article, faults: &mut Vec<String>) {
        let (file, front) = (format!("articles/{}.md", article.slug), &article.front);
        let author = &front.author;
        if !site.authors.contains_key(author) {
            faults.push(format!(
                "{file}: there is no author \"{author}\" in site.toml. Add [authors.{author}]."
            ));
        }
        if front.updated.is_some_and(|updated| updated < front.published) {
            faults.push(format!("{file}: updated is before published. Put the later day there."));
        }
        for slug in front.related.iter().filter(|slug| self.article(slug).is_none()) {
            faults.push(format!("{file}: related names \"{slug}\", which is not an article."));
        }
        for slug in front.programmes.iter().filter(|slug| self.programme(slug).is_none()) {
            faults.push(format!("{file}: programmes names \"{slug}\", which is not a programme."));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starter() -> (tempfile::TempDir, Source, Site) {
        let dir = tempfile::tempdir().unwrap();
        Source::copy_starter_to(dir.path()).unwrap();
        let source = Source::Folder(dir.path().to_owned());
        let site = Site::load(&source).unwrap();
        (dir, source, site)
    }

    #[test]
    fn the_starter_site_is_read_whole() {
        let (_dir, source, site) = starter();
        let publication = Publication::load(&source, &site).unwrap();
        assert!(publication.articles.len() >= 3 && publication.programmes.len() >= 6);
        let newest_first =
            publication.articles.windows(2).all(|w| w[0].front.published >= w[1].front.published);
        assert!(newest_first);
        assert!(publication.articles.iter().all(|a| a.illustration.starts_with("<svg")));
        assert!(publication.articles.iter().all(|a| !a.feed_html.contains("<svg")));
    }

    #[test]
    fn every_fault_of_the_files_is_told_at_once_with_its_file() {
        let (dir, source, site) = starter();
        let write = |path: &str, text: &str| std::fs::write(dir.path().join(path), text).unwrap();
        write("articles/no-front.md", "Hello\n");
        write("articles/Bad Name.md", "Hello\n");
        let front = "+++\ntitle = \"T\"\nstandfirst = \"S\"\ndescription = \"D\"\nauthor = \"editors\"\n\
                     published = 2026-11-03\nillustration = \"none.svg\"\n+++\n\nText\n";
        write("articles/no-figure.md", front);
        let faults = Publication::load(&source, &site).unwrap_err().join("\n");
        assert!(
            faults.contains("articles/no-front.md: it must begin with front matter"),
            "{faults}"
        );
        assert!(faults.contains("articles/Bad Name.md: its name becomes part"), "{faults}");
        assert!(faults.contains("articles/no-figure.md: there is no figure \"none\""), "{faults}");
    }

    #[test]
    fn what_a_file_names_must_be_there() {
        let (dir, source, site) = starter();
        let path = dir.path().join("programmes/first-ninety-days.md");
        let text = std::fs::read_to_string(&path).unwrap().replace("first-line", "no-level");
        std::fs::write(&path, text).unwrap();
        std::fs::remove_file(dir.path().join("pages/cookies.md")).unwrap();
        std::fs::remove_file(dir.path().join("programmes/reading-the-situation.md")).unwrap();
        let faults = Publication::load(&source, &site).unwrap_err().join("\n");
        assert!(faults.contains("levels names \"no-level\""), "{faults}");
        assert!(faults.contains("pages/cookies.md: is missing"), "{faults}");
        assert!(faults.contains("which is not a programme"), "{faults}");
    }

    #[test]
    fn days_that_have_passed_are_not_offered() {
        let (_dir, source, site) = starter();
        let publication = Publication::load(&source, &site).unwrap();
        let mut programme = publication.programmes[0].clone();
        programme.front.dates = vec![Day::of(0), Day::of(86_400_000 * 30)];
        assert_eq!(programme.starts(Day::of(86_400_000)), [Day::of(86_400_000 * 30)]);
    }
}
