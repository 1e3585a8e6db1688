//! Pages: the frame around them and how they are sent.

use askama::Template;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Refusal;
use crate::house::House;

/// Who may keep a copy of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// Anybody, after asking whether it has changed.
    Public,
    /// Nobody; nor may it be indexed or named as a referrer.
    Private,
    /// Nobody, because it holds a form with an id of its own; it may be indexed.
    Fresh,
    /// Anybody, for good: the address holds a hash of the content.
    Immutable,
}

/// What a page tells a network that shows a preview of it.
#[derive(Clone, Debug)]
pub struct OpenGraph {
    /// `website` or `article`.
    pub kind: &'static str,
    /// Absolute URL of the card, a PNG of 1,200 by 630 pixels.
    pub image: String,
    /// RFC 3339, for articles.
    pub published: Option<String>,
    /// The author's name, for articles.
    pub author: Option<String>,
}

/// The frame of a page: everything that `layout.html` needs.
#[derive(Clone, Debug)]
pub struct Chrome {
    /// The page's own title.
    pub title: String,
    /// For search engines; empty on private pages.
    pub description: String,
    /// Absolute URL; nothing on private pages.
    pub canonical: Option<String>,
    /// Preview, on public pages.
    pub open_graph: Option<OpenGraph>,
    /// JSON-LD, escaped so that no title can end the script.
    pub json_ld: Option<String>,
    /// The path asked for, to mark where one is.
    pub path: String,
    /// Whether the form on the page came back with faults.
    pub has_errors: bool,
    /// Whether the bar of the built-in mailbox is shown.
    pub mailbox: bool,
    /// The provider's name.
    pub provider: String,
    /// Whether this is still the starter site.
    pub starter: bool,
    /// Links at the head: label, address.
    pub navigation: Vec<(String, String)>,
    /// The provider's name and postal address, a line each.
    pub address: Vec<String>,
    /// Telephone number.
    pub phone: String,
    /// Email address.
    pub email: String,
    /// Address of the stylesheet.
    pub stylesheet: String,
    /// Address of the script.
    pub script: String,
    /// Address of the logo.
    pub logo: String,
}

impl Chrome {
    /// The frame of a private page at `path`.
    #[must_use]
    pub fn new(house: &House, title: &str, path: &str, mailbox: bool) -> Self {
        let (site, assets) = (&house.site, &house.assets);
        let link = |link: &crate::site::Link| (link.label.clone(), link.href.clone());
        Self {
            title: title.to_owned(),
            description: String::new(),
            canonical: None,
            open_graph: None,
            json_ld: None,
            path: path.to_owned(),
            has_errors: false,
            mailbox,
            provider: site.provider.name.clone(),
            starter: site.provider.starter,
            navigation: site.navigation.iter().map(link).collect(),
            address: address_lines(&site.provider),
            phone: site.provider.phone.clone(),
            email: site.provider.email.clone(),
            stylesheet: assets.stylesheet.clone(),
            script: assets.script.clone(),
            logo: assets.logo.clone(),
        }
    }

    /// The telephone number as a link that a phone can ring.
    #[must_use]
    pub fn phone_link(&self) -> String {
        let digits = self.phone.chars().filter(|c| c.is_ascii_digit() || *c == '+');
        format!("tel:{}", digits.collect::<String>())
    }

    /// The same frame with the description, canonical address and preview of a public page.
    #[must_use]
    pub fn public(mut self, house: &House, description: &str) -> Self {
        self.description = description.to_owned();
        self.canonical = Some(format!("{}{}", house.public_url, self.path));
        self.open_graph = Some(OpenGraph {
            kind: "website",
            image: format!("{}{}", house.public_url, house.assets.card.path()),
            published: None,
            author: None,
        });
        self
    }

    /// The same frame, for a form that came back with faults.
    #[must_use]
    pub fn with_errors(mut self, has_errors: bool) -> Self {
        self.has_errors = has_errors;
        self
    }

    /// Whether a link of the navigation is where one is.
    #[must_use]
    pub fn is_here(&self, href: &str) -> bool {
        self.path == *href || (href.len() > 1 && self.path.starts_with(&format!("{href}/")))
    }
}

/// The name, unless the address begins with it, and the address.
fn address_lines(provider: &crate::site::Provider) -> Vec<String> {
    let name = Some(&provider.name).filter(|name| provider.address.first() != Some(name));
    name.into_iter().chain(&provider.address).cloned().collect()
}

/// Renders a page.
///
/// # Errors
/// If the template fails.
pub fn html(status: StatusCode, cache: Cache, page: &impl Template) -> Result<Response, Refusal> {
    let text = page.render()?;
    let mut response = (status, Body::from(text)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    cache.set(headers);
    Ok(response)
}

impl Cache {
    /// Writes the policy into an answer's headers.
    pub fn set(self, headers: &mut HeaderMap) {
        let policy = match self {
            Self::Public => "public, max-age=0, must-revalidate",
            Self::Private | Self::Fresh => "no-store",
            Self::Immutable => "public, max-age=31536000, immutable",
        };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(policy));
        if self == Self::Private {
            headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
            headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
        }
    }
}
