//! The pages to read, rendered once.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;
use base::house::House;
use base::http::{Cache, Chrome, OpenGraph, Refusal, Stored, Visit};

use crate::feeds;
use crate::model::{Article, Kind, LegalPage, Programme, Publication};

/// Every page that is the same for everybody, by its path; once plain, once with the bar of the built-in mailbox.
#[derive(Debug)]
pub struct Library {
    house: Arc<House>,
    plain: HashMap<String, Stored>,
    with_bar: HashMap<String, Stored>,
}

impl Library {
    /// Renders everything.
    ///
    /// # Errors
    /// If a template fails.
    pub fn new(house: &Arc<House>, publication: &Publication) -> Result<Self, String> {
        let plain = render_all(house, publication, false).map_err(|e| e.to_string())?;
        let with_bar = match house.mailbox {
            true => render_all(house, publication, true).map_err(|e| e.to_string())?,
            false => HashMap::new(),
        };
        Ok(Self { house: Arc::clone(house), plain, with_bar })
    }

    /// The paths of every page.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.plain.keys().map(String::as_str)
    }
}

#[derive(Clone)]
struct Shared(Arc<Library>);

impl axum::extract::FromRef<Shared> for Arc<House> {
    fn from_ref(shared: &Shared) -> Self {
        Arc::clone(&shared.0.house)
    }
}

/// A route for every page.
pub fn routes(library: Arc<Library>) -> Router {
    let paths: Vec<String> = library.paths().map(str::to_owned).collect();
    let router = paths.iter().fold(Router::new(), |router, path| router.route(path, get(page)));
    router.with_state(Shared(library))
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

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    chrome: Chrome,
    house: &'a House,
    lead: &'a Article,
    others: Vec<&'a Article>,
    programmes: &'a [Programme],
}

#[derive(Template)]
#[template(path = "articles.html")]
struct ArticlesPage<'a> {
    chrome: Chrome,
    articles: &'a [Article],
}

#[derive(Template)]
#[template(path = "article.html")]
struct ArticlePage<'a> {
    chrome: Chrome,
    article: &'a Article,
    author_name: &'a str,
    author_about: &'a str,
    related: Vec<&'a Article>,
    programmes: Vec<&'a Programme>,
    shares: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "programmes.html")]
struct ProgrammesPage<'a> {
    chrome: Chrome,
    courses: Vec<&'a Programme>,
    mentoring: Vec<&'a Programme>,
}

#[derive(Template)]
#[template(path = "programme.html")]
struct ProgrammePage<'a> {
    chrome: Chrome,
    programme: &'a Programme,
    levels: Vec<&'a str>,
}

#[derive(Template)]
#[template(path = "legal.html")]
struct LegalPageView<'a> {
    chrome: Chrome,
    page: &'a LegalPage,
}

fn render_all(
    house: &House,
    publication: &Publication,
    bar: bool,
) -> Result<HashMap<String, Stored>, askama::Error> {
    let mut pages = HashMap::new();
    let mut keep = |path: &str, html: String| {
        pages.insert(path.to_owned(), Stored::new("text/html; charset=utf-8", Cache::Public, html));
    };
    keep("/", home(house, publication, bar).render()?);
    let chrome = Chrome::new(house, "Articles", "/articles", bar);
    let chrome = chrome.public(house, "Articles on managing and leading, with their sources.");
    keep("/articles", ArticlesPage { chrome, articles: &publication.articles }.render()?);
    for article in &publication.articles {
        let page = article_page(house, publication, article, bar);
        keep(&format!("/articles/{}", article.slug), page.render()?);
    }
    keep("/programmes", programmes_page(house, publication, bar).render()?);
    for programme in &publication.programmes {
        let path = format!("/programmes/{}", programme.slug);
        keep(&path, programme_page(house, programme, &path, bar).render()?);
    }
    for page in &publication.pages {
        let path = format!("/{}", page.slug);
        let chrome = Chrome::new(house, &page.front.title, &path, bar);
        let chrome = chrome.public(house, &page.front.description);
        keep(&path, LegalPageView { chrome, page }.render()?);
    }
    pages.extend(feeds::all(house, publication));
    Ok(pages)
}

fn home<'a>(house: &'a House, publication: &'a Publication, bar: bool) -> HomePage<'a> {
    let site = &house.site;
    let chrome = Chrome::new(house, &site.home.headline, "/", bar);
    let is_lead = |article: &&Article| article.slug == site.home.lead_article;
    HomePage {
        chrome: chrome.public(house, &site.provider.sentence),
        house,
        lead: publication.articles.iter().find(is_lead).unwrap_or(&publication.articles[0]),
        others: publication.articles.iter().filter(|article| !is_lead(article)).collect(),
        programmes: &publication.programmes,
    }
}

fn article_page<'a>(
    house: &'a House,
    publication: &'a Publication,
    article: &'a Article,
    bar: bool,
) -> ArticlePage<'a> {
    let path = format!("/articles/{}", article.slug);
    let author = house.site.authors.get(&article.front.author);
    let author_name = author.map_or("", |author| author.name.as_str());
    let mut chrome = Chrome::new(house, &article.front.title, &path, bar);
    chrome = chrome.public(house, &article.front.description);
    let image = format!("{}{}", house.public_url, house.assets.logo);
    chrome.json_ld = Some(feeds::article_json_ld(house, article, author_name, &image));
    chrome.open_graph = Some(OpenGraph {
        kind: "article",
        image,
        published: Some(article.front.published.to_string()),
        author: Some(author_name.to_owned()),
    });
    let url = format!("{}{path}", house.public_url);
    ArticlePage {
        chrome,
        article,
        author_name,
        author_about: author.map_or("", |author| author.about.as_str()),
        related: article
            .front
            .related
            .iter()
            .filter_map(|slug| publication.article(slug))
            .collect(),
        programmes: {
            let slugs = article.front.programmes.iter();
            slugs.filter_map(|slug| publication.programme(slug)).collect()
        },
        shares: feeds::shares(&url, &article.front.title),
    }
}

fn programmes_page<'a>(
    house: &'a House,
    publication: &'a Publication,
    bar: bool,
) -> ProgrammesPage<'a> {
    let chrome = Chrome::new(house, "Programmes", "/programmes", bar);
    let of = |kind| publication.programmes.iter().filter(|p| p.front.kind == kind).collect();
    ProgrammesPage {
        chrome: chrome.public(house, "Courses and mentoring for people who lead, at every level."),
        courses: of(Kind::Course),
        mentoring: of(Kind::Mentoring),
    }
}

fn programme_page<'a>(
    house: &'a House,
    programme: &'a Programme,
    path: &str,
    bar: bool,
) -> ProgrammePage<'a> {
    let mut chrome = Chrome::new(house, &programme.front.title, path, bar);
    chrome = chrome.public(house, &programme.front.description);
    chrome.json_ld = Some(feeds::course_json_ld(house, programme));
    let levels = programme.front.levels.iter();
    let levels = levels.filter_map(|id| house.site.level_label(id)).collect();
    ProgrammePage { chrome, programme, levels }
}
