//! Reading the site's Markdown files: front matter, directives, and every fault with its file.

use base::site::{Site, Source};

use crate::markdown::{self, Rendered};
use crate::model::{Article, ArticleFront};

/// Reads files and gathers their faults.
pub struct Reader<'a> {
    source: &'a Source,
    site: &'a Site,
    faults: Vec<String>,
}

impl<'a> Reader<'a> {
    /// A reader that has found no fault yet.
    pub fn new(source: &'a Source, site: &'a Site) -> Self {
        Self { source, site, faults: Vec::new() }
    }

    /// What it found wrong, each a sentence with its file.
    pub fn into_faults(self) -> Vec<String> {
        self.faults
    }

    /// Reads every Markdown file of a folder: `make` gets slug, path, front matter and text.
    pub fn folder<F: serde::de::DeserializeOwned, T>(
        &mut self,
        folder: &str,
        make: impl Fn(&mut Self, String, &str, F, &str) -> Option<T>,
    ) -> Vec<T> {
        let mut read = Vec::new();
        for name in self.source.names(folder, ".md") {
            let path = format!("{folder}/{name}");
            let slug = name.trim_end_matches(".md").to_owned();
            match self.file(&path, &slug) {
                Ok((front, text)) => read.extend(make(self, slug, &path, front, &text)),
                Err(fault) => self.faults.push(format!("{path}: {fault}")),
            }
        }
        read
    }

    fn file<F: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        slug: &str,
    ) -> Result<(F, String), String> {
        let is_slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if slug.is_empty() || !slug.chars().all(is_slug) {
            return Err(
                "its name becomes part of an address. Use small letters, digits and hyphens."
                    .into(),
            );
        }
        let text = self.source.text(path).map_err(|e| e.replace(&format!("{path}: "), ""))?;
        let text = text.replace("\r\n", "\n");
        let parts = text.strip_prefix("+++\n").and_then(|rest| rest.split_once("\n+++\n"));
        let (front, body) = parts.ok_or("it must begin with front matter between lines of +++")?;
        Ok((front_matter(front)?, fill_in(body, self.site)))
    }

    /// Makes an article of its file, or notes why it cannot.
    pub fn article(
        &mut self,
        slug: String,
        path: &str,
        front: ArticleFront,
        text: &str,
    ) -> Option<Article> {
        let illustration = match front.illustration.as_str() {
            "" => String::new(),
            file => self.or_fault(path, figure(self.source, file.trim_end_matches(".svg")))?,
        };
        let told = |name: &str, argument: &str| {
            Ok(match name {
                "figure" => {
                    format!("<p><em>{}</em></p>\n", markdown::render_line(caption(argument).1))
                }
                _ => String::new(),
            })
        };
        let body = self.render(path, text)?;
        let feed_html = markdown::render(text, &told).unwrap_or_default().html;
        Some(Article { slug, front, body, feed_html, illustration })
    }

    /// Renders a text, or notes why it cannot.
    pub fn render(&mut self, path: &str, text: &str) -> Option<Rendered> {
        let directive = |name: &str, argument: &str| self.directive(name, argument);
        match markdown::render(text, &directive) {
            Ok(rendered) => Some(rendered),
            Err(faults) => {
                self.faults.extend(faults.into_iter().map(|fault| format!("{path}: {fault}")));
                None
            }
        }
    }

    fn or_fault<T>(&mut self, path: &str, outcome: Result<T, String>) -> Option<T> {
        outcome.map_err(|fault| self.faults.push(format!("{path}: {fault}"))).ok()
    }

    /// `::figure NAME | CAPTION::` puts a figure of the site in the text, `::quiz SLUG::` the invitation to a quiz.
    fn directive(&self, name: &str, argument: &str) -> Result<String, String> {
        match name {
            "figure" => {
                let (file, caption) = caption(argument);
                let (svg, caption) = (figure(self.source, file)?, markdown::render_line(caption));
                Ok(format!("<figure>\n{svg}\n<figcaption>{caption}</figcaption>\n</figure>\n"))
            }
            "quiz" => crate::pages::invitation(self.site, argument),
            _ => Err(format!(
                "::{name}:: is not known. Write ::figure NAME | CAPTION:: or ::quiz SLUG::."
            )),
        }
    }
}

/// Front matter with its quotation marks and apostrophes as print has them.
fn front_matter<F: serde::de::DeserializeOwned>(text: &str) -> Result<F, String> {
    // Read as it stands first, since only then do faults name their line.
    toml::from_str::<F>(text).map_err(|e| e.to_string())?;
    let mut table: toml::Value = toml::from_str(text).map_err(|e| e.to_string())?;
    set_marks(&mut table);
    table.try_into().map_err(|e| e.to_string())
}

fn set_marks(value: &mut toml::Value) {
    match value {
        toml::Value::String(text) => *text = markdown::with_marks(text),
        toml::Value::Array(values) => values.iter_mut().for_each(set_marks),
        toml::Value::Table(table) => table.iter_mut().for_each(|(_, value)| set_marks(value)),
        _ => {}
    }
}

fn fill_in(body: &str, site: &Site) -> String {
    let provider = &site.provider;
    body.replace("{provider}", &provider.name)
        .replace("{legal_name}", &provider.legal_name)
        .replace("{email}", &provider.email)
        .replace("{phone}", &provider.phone)
        .replace("{address}", &provider.address.join(", "))
}

/// The file and the caption of a figure.
fn caption(argument: &str) -> (&str, &str) {
    let (file, caption) = argument.split_once('|').unwrap_or((argument, ""));
    (file.trim(), caption.trim())
}

/// The SVG of a figure, to stand in a page.
fn figure(source: &Source, name: &str) -> Result<String, String> {
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let svg = if is_name { source.text(&format!("figures/{name}.svg")).ok() } else { None };
    let svg = svg.ok_or_else(|| {
        format!("there is no figure \"{name}\". Put it into the site as figures/{name}.svg.")
    })?;
    let at = svg.find("<svg").ok_or_else(|| format!("figures/{name}.svg: it holds no <svg>."))?;
    Ok(svg[at..].trim_end().to_owned())
}
