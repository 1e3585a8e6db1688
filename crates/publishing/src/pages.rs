//! The pages to read, rendered once.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;
use base::card::{Card, Words};
use base::house::House;
use base::http::{Cache, Chrome, OpenGraph, Refusal, Stored, Visit};
use base::site::{Author, Quiz, Site};

use crate::day::Day;
use crate::feeds;
use crate::model::{Article, Kind, LegalPage, Programme, Publication};

/// A list of contents stands before articles with at least this many headings.
const CONTENTS_MIN: usize = 4;

/// Every page that is the same for everybody, by its path; once plain, once with the bar of the built-in mailbox.
#[derive(Debug)]
pub struct Library {
    house: Arc<House>,
    plain: HashMap<String, Stored>,
    with_bar: HashMap<String, Stored>,
    cards: HashMap<String, Card>,
}

impl Library {
    /// Renders everything as it stands on the day of `now_ms`.
    ///
    /// # Errors
    /// If a template fails.
    pub fn new(house: &Arc<House>, publication: &Publication, now_ms: i64) -> Result<Self, String> {
        let cards = publication.articles.iter().map(|article| article_card(&house.site, article));
        let cards = cards.map(|card| (card.path().to_owned(), card)).collect();
        let set = |bar| {
            let set = Set { house, publication, today: Day::of(now_ms), bar };
            set.render_all().map_err(|e| e.to_string())
        };
        let plain = set(false)?;
        let with_bar = if house.mailbox { set(true)? } else { HashMap::new() };
        Ok(Self { house: Arc::clone(house), plain, with_bar, cards })
    }

    /// The paths of every page.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.plain.keys().map(String::as_str)
    }
}

/// A route for every page and card.
pub fn routes(library: Arc<Library>) -> Router {
    let mut router = Router::new();
    for path in library.paths() {
        router = router.route(path, get(page));
    }
    for path in library.cards.keys() {
        router = router.route(path, get(card));
    }
    router.with_state(Shared(library))
}

/// The invitation to a quiz, to stand in a text once.
///
/// # Errors
/// If the site has no such quiz.
pub fn invitation(site: &Site, slug: &str) -> Result<String, String> {
    let quiz = site.quizzes.get(slug).ok_or_else(|| {
        format!("there is no quiz \"{slug}\" in site.toml. Add [quizzes.{slug}], or name another.")
    })?;
    let invitation = Invitation { slug, quiz, by_mail: quiz.gate != base::site::Gate::None };
    invitation.render().map_err(|e| e.to_string())
}

#[derive(Clone)]
struct Shared(Arc<Library>);

impl axum::extract::FromRef<Shared> for Arc<House> {
    fn from_ref(shared: &Shared) -> Self {
        Arc::clone(&shared.0.house)
    }
}

async fn page(
    State(Shared(library)): State<Shared>,
    visit: Visit,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let pages = if visit.mailbox { &library.with_bar } else { &library.plain };
    pages.get(uri.path()).map(|stored| stored.answer(&headers)).ok_or(Refusal::NotFound)
}

async fn card(
    State(Shared(library)): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    library.cards.get(uri.path()).ok_or(Refusal::NotFound)?.answer(&headers).await
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct Invitation<'a> {
    slug: &'a str,
    quiz: &'a Quiz,
    by_mail: bool,
}

#[derive(Template)]
#[template(path = "home.html")]
pub struct HomePage<'a> {
    chrome: Chrome,
    house: &'a House,
    lead: &'a Article,
    others: Vec<&'a Article>,
    programmes: Vec<Offer<'a>>,
    invitation: String,
    ask_about: &'a str,
    answered: &'a str,
}

#[derive(Template)]
#[template(path = "articles.html")]
pub struct ArticlesPage<'a> {
    chrome: Chrome,
    articles: &'a [Article],
}

#[derive(Template)]
#[template(path = "article.html")]
pub struct ArticlePage<'a> {
    chrome: Chrome,
    article: &'a Article,
    author: Option<&'a Author>,
    has_contents: bool,
    related: Vec<&'a Article>,
    programmes: Vec<Offer<'a>>,
    shares: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "programmes.html")]
pub struct ProgrammesPage<'a> {
    chrome: Chrome,
    courses: Vec<Offer<'a>>,
    mentoring: Vec<Offer<'a>>,
}

#[derive(Template)]
#[template(path = "programme.html")]
pub struct ProgrammePage<'a> {
    chrome: Chrome,
    programme: &'a Programme,
    levels: Vec<&'a str>,
    starts: Vec<Day>,
}

#[derive(Template)]
#[template(path = "legal.html")]
pub struct LegalPageView<'a> {
    chrome: Chrome,
    page: &'a LegalPage,
}

/// A programme in a list.
pub struct Offer<'a> {
    programme: &'a Programme,
    next: Option<Day>,
}

/// What a set of pages is rendered from.
#[derive(Clone, Copy)]
pub struct Set<'a> {
    /// The house.
    pub house: &'a House,
    /// What there is to read.
    pub publication: &'a Publication,
    /// Days before it have passed.
    pub today: Day,
    /// Whether the bar of the built-in mailbox is shown.
    pub bar: bool,
}

impl<'a> Set<'a> {
    fn render_all(&self) -> Result<HashMap<String, Stored>, askama::Error> {
        let mut pages = HashMap::new();
        let mut keep = |path: &str, html: String| {
            let stored = Stored::new("text/html; charset=utf-8", Cache::Public, html);
            pages.insert(path.to_owned(), stored);
        };
        keep("/", self.home().render()?);
        keep("/articles", self.articles().render()?);
        for article in &self.publication.articles {
            keep(&format!("/articles/{}", article.slug), self.article(article).render()?);
        }
        keep("/programmes", self.programmes().render()?);
        for programme in &self.publication.programmes {
            keep(&format!("/programmes/{}", programme.slug), self.programme(programme).render()?);
        }
        for page in &self.publication.pages {
            keep(&format!("/{}", page.slug), self.legal(page).render()?);
        }
        pages.extend(feeds::all(self.house, self.publication));
        Ok(pages)
    }

    fn chrome(&self, title: &str, path: &str, description: &str) -> Chrome {
        Chrome::new(self.house, title, path, self.bar).public(self.house, description)
    }

    fn offer(&self, programme: &'a Programme) -> Offer<'a> {
        Offer { programme, next: programme.starts(self.today).first().copied() }
    }

    /// The home page.
    pub fn home(&self) -> HomePage<'a> {
        let (site, articles) = (&self.house.site, &self.publication.articles);
        let is_lead = |article: &&Article| article.slug == site.home.lead_article;
        let quiz = site.quizzes.keys().next();
        let invitation = quiz.and_then(|slug| invitation(site, slug).ok());
        let title = first_sentence(&site.home.headline).trim_end_matches('.');
        HomePage {
            chrome: self.chrome(title, "/", &site.provider.sentence),
            house: self.house,
            lead: articles.iter().find(is_lead).unwrap_or(&articles[0]),
            others: articles.iter().filter(|article| !is_lead(article)).collect(),
            programmes: self.publication.programmes.iter().map(|p| self.offer(p)).collect(),
            invitation: invitation.unwrap_or_default(),
            ask_about: first_sentence(&site.contact.introduction),
            answered: first_sentence(&site.contact.reply_promise),
        }
    }

    /// The list of articles.
    pub fn articles(&self) -> ArticlesPage<'a> {
        let description = "Articles on managing and leading, with their sources.";
        ArticlesPage {
            chrome: self.chrome("Articles", "/articles", description),
            articles: &self.publication.articles,
        }
    }

    /// An article.
    pub fn article(&self, article: &'a Article) -> ArticlePage<'a> {
        let (house, front, publication) = (self.house, &article.front, self.publication);
        let path = format!("/articles/{}", article.slug);
        let author = house.site.authors.get(&front.author);
        let image = article_card(&house.site, article);
        let image = format!("{}{}", house.public_url, image.path());
        let mut chrome = self.chrome(&front.title, &path, &front.description);
        chrome.json_ld = Some(feeds::article_json_ld(house, article, &image));
        chrome.open_graph = Some(OpenGraph {
            kind: "article",
            image,
            published: Some(front.published.to_string()),
            author: author.map(|author| author.name.clone()),
        });
        let programmes = front.programmes.iter().filter_map(|slug| publication.programme(slug));
        ArticlePage {
            chrome,
            article,
            author,
            has_contents: article.body.contents.len() >= CONTENTS_MIN,
            related: front.related.iter().filter_map(|slug| publication.article(slug)).collect(),
            programmes: programmes.map(|programme| self.offer(programme)).collect(),
            shares: feeds::shares(&format!("{}{path}", house.public_url), &front.title),
        }
    }

    /// The catalogue.
    pub fn programmes(&self) -> ProgrammesPage<'a> {
        let description = "Courses and mentoring for people who lead, at every level.";
        let all = || self.publication.programmes.iter();
        let of = |kind| all().filter(|p| p.front.kind == kind).map(|p| self.offer(p)).collect();
        ProgrammesPage {
            chrome: self.chrome("Programmes", "/programmes", description),
            courses: of(Kind::Course),
            mentoring: of(Kind::Mentoring),
        }
    }

    /// A programme.
    pub fn programme(&self, programme: &'a Programme) -> ProgrammePage<'a> {
        let (site, front) = (&self.house.site, &programme.front);
        let path = format!("/programmes/{}", programme.slug);
        let starts = programme.starts(self.today);
        let mut chrome = self.chrome(&front.title, &path, &front.description);
        chrome.json_ld = Some(feeds::course_json_ld(self.house, programme, &starts));
        let levels = front.levels.iter().filter_map(|id| site.level_label(id)).collect();
        ProgrammePage { chrome, programme, levels, starts }
    }

    /// A legal page.
    pub fn legal(&self, page: &'a LegalPage) -> LegalPageView<'a> {
        let path = format!("/{}", page.slug);
        LegalPageView {
            chrome: self.chrome(&page.front.title, &path, &page.front.description),
            page,
        }
    }
}

fn article_card(site: &Site, article: &Article) -> Card {
    let words = Words {
        provider: site.provider.name.clone(),
        kicker: format!("{} to read", minutes(article.body.minutes)),
        title: article.front.title.clone(),
        accent: site.look.accent.clone(),
    };
    Card::new(&article.slug, words)
}

/// Up to and with the first full stop that a space follows; a title bar or a list has no room for more.
fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |at| &text[..=at])
}

/// "1 minute", "9 minutes".
fn minutes(n: usize) -> String {
    if n == 1 { String::from("1 minute") } else { format!("{n} minutes") }
}

impl Article {
    /// "9 minutes to read".
    fn time_to_read(&self) -> String {
        format!("{} to read", minutes(self.body.minutes))
    }
}
