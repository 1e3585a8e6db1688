//! The stylesheet, the script, the logo and the site's card: made once at start, under addresses that hold a hash of the content.

use std::collections::HashMap;

use crate::card::{Card, Words};
use crate::encode;
use crate::http::{Cache, Stored};
use crate::site::{Site, Source};

const STYLESHEET: &str = include_str!("../assets/site.css");
const SCRIPT: &str = include_str!("../assets/site.js");

/// The files behind `/assets/`.
#[derive(Clone, Debug)]
pub struct Assets {
    /// Address of the stylesheet.
    pub stylesheet: String,
    /// Address of the script.
    pub script: String,
    /// Address of the logo.
    pub logo: String,
    /// What a network shows beside a link to a page that has no card of its own.
    pub card: Card,
    files: HashMap<String, Stored>,
}

impl Assets {
    /// Makes them from the program's own files and the site's colours and logo.
    ///
    /// # Errors
    /// If the logo is missing.
    pub fn new(source: &Source, site: &Site) -> Result<Self, String> {
        let mut files = HashMap::new();
        let mut keep = |stem: &str, ending: &str, kind: &'static str, body: String| {
            let hash = &encode::sha256_hex(body.as_bytes())[..16];
            let address = format!("/assets/{stem}-{hash}.{ending}");
            files.insert(address.clone(), Stored::new(kind, Cache::Immutable, body));
            address
        };
        let accent = format!(
            ":root{{--accent:{};--accent-on-dark:{}}}\n",
            site.look.accent, site.look.accent_dark
        );
        let stylesheet = keep("site", "css", "text/css; charset=utf-8", accent + STYLESHEET);
        let script = keep("site", "js", "text/javascript; charset=utf-8", SCRIPT.to_owned());
        let logo = source.text(&site.look.logo)?;
        let logo = keep("logo", "svg", "image/svg+xml", logo);
        let card = Card::new(
            "site",
            Words {
                provider: site.provider.name.clone(),
                kicker: String::new(),
                title: site.home.headline.clone(),
                accent: site.look.accent.clone(),
            },
        );
        Ok(Self { stylesheet, script, logo, card, files })
    }

    /// The file at an address.
    #[must_use]
    pub fn get(&self, address: &str) -> Option<&Stored> {
        self.files.get(address)
    }
}
