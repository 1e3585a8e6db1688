//! The provider's site: where its files are, and `site.toml`, the one file with its name, look and words.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use serde::Deserialize;

/// Folders in folders that a site may have; also an end to links that go in a circle.
const FOLDERS_DEEP_MAX: u32 = 4;

/// The starter site, inside the binary.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../content"]
struct Starter;

/// Where the site's files are.
#[derive(Clone, Debug)]
pub enum Source {
    /// Inside the binary.
    Embedded,
    /// A folder, as made by `bellwether init`.
    Folder(PathBuf),
}

impl Source {
    /// The file at `path` (with `/` between its parts), or nothing if there is none.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        match self {
            Self::Embedded => Starter::get(path).map(|file| file.data),
            Self::Folder(dir) => std::fs::read(dir.join(path)).ok().map(Cow::Owned),
        }
    }

    /// The text at `path`.
    ///
    /// # Errors
    /// A sentence that names the file, if it is missing or not UTF-8.
    pub fn text(&self, path: &str) -> Result<String, String> {
        let bytes =
            self.file(path).ok_or_else(|| format!("{path}: there is no such file in the site"))?;
        String::from_utf8(bytes.into_owned())
            .map_err(|_| format!("{path}: it is not UTF-8 text. Save it as UTF-8."))
    }

    /// The names of the files directly in `folder` that end in `ending`, sorted.
    #[must_use]
    pub fn names(&self, folder: &str, ending: &str) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Self::Embedded => Starter::iter()
                .filter_map(|path| path.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned))
                .filter(|name| !name.contains('/'))
                .collect(),
            Self::Folder(dir) => std::fs::read_dir(dir.join(folder))
                .into_iter()
                .flatten()
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                .collect(),
        };
        names.retain(|name| name.ends_with(ending) && !name.starts_with('.'));
        names.sort();
        names
    }

    /// A number that changes when a file is added, taken away or written; the same for ever inside the binary.
    #[must_use]
    pub fn stamp(&self) -> u64 {
        let mut seen = std::hash::DefaultHasher::new();
        if let Self::Folder(dir) = self {
            see(dir, FOLDERS_DEEP_MAX, &mut seen);
        }
        seen.finish()
    }

    /// Copies the starter site into `dir`, which must not hold a site yet.
    ///
    /// # Errors
    /// If a file is there already or cannot be written.
    pub fn copy_starter_to(dir: &Path) -> std::io::Result<usize> {
        if dir.join("site.toml").exists() {
            let what = "there is a site.toml already: name an empty folder";
            return Err(std::io::Error::new(std::io::ErrorKind::AlreadyExists, what));
        }
        let mut n_files = 0;
        for path in Starter::iter() {
            let to = dir.join(path.as_ref());
            if let (Some(folder), Some(file)) = (to.parent(), Starter::get(&path)) {
                std::fs::create_dir_all(folder)?;
                std::fs::write(&to, file.data)?;
                n_files += 1;
            }
        }
        Ok(n_files)
    }
}

/// Takes note of name, size and time of everything in a folder, in an order of its own.
fn see(dir: &Path, deep_max: u32, seen: &mut std::hash::DefaultHasher) {
    let mut entries: Vec<_> = std::fs::read_dir(dir).into_iter().flatten().flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries.iter().filter(|e| !e.file_name().as_encoded_bytes().starts_with(b".")) {
        // Through links, as the files are read.
        let Ok(about) = std::fs::metadata(entry.path()) else { continue };
        entry.file_name().hash(seen);
        if about.is_dir() && deep_max > 0 {
            see(&entry.path(), deep_max - 1, seen);
        } else {
            (about.len(), about.modified().ok()).hash(seen);
        }
    }
}

/// `site.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Who runs the site.
    pub provider: Provider,
    /// Its colours and logo.
    pub look: Look,
    /// Who writes, by the key that articles name.
    pub authors: BTreeMap<String, Author>,
    /// What a consent may be for, by id.
    pub purposes: BTreeMap<String, Purpose>,
    /// The quizzes, by the last segment of their address.
    pub quizzes: BTreeMap<String, Quiz>,
    /// The levels that the optional question offers, in order.
    pub levels: Vec<Level>,
    /// The links at the head of every page.
    pub navigation: Vec<Link>,
    /// The home page.
    pub home: Home,
    /// The contact page.
    pub contact: Contact,
}

/// Who runs the site.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The name on every page.
    pub name: String,
    /// One sentence on what it does.
    pub sentence: String,
    /// The name in law, for the privacy notice.
    pub legal_name: String,
    /// Postal address, a line each.
    pub address: Vec<String>,
    /// Telephone number.
    pub phone: String,
    /// The address that people write to; enquiries go there.
    pub email: String,
    /// The sender of mails, unless configured otherwise.
    pub mail_from: String,
    /// Whether this is still the starter site, which then says so.
    #[serde(default)]
    pub starter: bool,
}

/// Colours and logo.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// The accent on paper, `#rrggbb`.
    pub accent: String,
    /// The accent on ink (the dark theme), `#rrggbb`.
    pub accent_dark: String,
    /// An SVG file in the site.
    pub logo: String,
}

/// An author.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Author {
    /// The name on the by-line.
    pub name: String,
    /// A line about them.
    pub about: String,
    /// Whether this is one person, rather than a team.
    #[serde(default)]
    pub person: bool,
}

impl Author {
    /// The name after "By": a team's article goes small.
    #[must_use]
    pub fn by_line(&self) -> String {
        self.name.strip_prefix("The ").map_or_else(|| self.name.clone(), |n| format!("the {n}"))
    }
}

/// What a consent is for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// A short name.
    pub label: String,
    /// The sentence beside the box, as the ledger keeps it.
    pub wording: String,
    /// Its version; raise it whenever the wording changes.
    pub version: String,
    /// What one gets, how often, and how to stop it.
    pub summary: String,
}

/// When a quiz asks for details.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// Before the questions.
    First,
    /// After the last answer.
    Last,
    /// Never, unless the person asks for the report by mail.
    None,
}

impl Gate {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::None => "none",
        }
    }
}

/// A quiz: an instrument's form with its gate and its questions about the person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiz {
    /// The instrument's id.
    pub instrument: String,
    /// The form's id.
    pub form: String,
    /// When details are asked for.
    pub gate: Gate,
    /// The headline.
    pub title: String,
    /// The sentence under it.
    pub standfirst: String,
    /// How long it takes.
    pub minutes: u32,
    /// Whether to ask for the level of leading.
    #[serde(default)]
    pub ask_level: bool,
    /// Whether to ask for the organisation.
    #[serde(default)]
    pub ask_organisation: bool,
    /// Whether to ask for the role.
    #[serde(default)]
    pub ask_role: bool,
    /// Whether to ask for a telephone number.
    #[serde(default)]
    pub ask_phone: bool,
    /// The optional purposes offered, each as its own unticked box.
    #[serde(default)]
    pub purposes: Vec<String>,
}

/// A level of leading.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// As stored and as programmes name it.
    pub id: String,
    /// As people read it.
    pub label: String,
}

/// A link in the navigation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Its words.
    pub label: String,
    /// Where it goes.
    pub href: String,
}

/// The home page.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Home {
    /// The headline.
    pub headline: String,
    /// The paragraph under it.
    pub introduction: String,
    /// The article that leads.
    pub lead_article: String,
}

/// The contact page.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// The headline.
    pub heading: String,
    /// The paragraph under it.
    pub introduction: String,
    /// How soon somebody answers.
    pub reply_promise: String,
}

/// Paper and ink of the two themes, against which the accent must stand out.
const PAPER: [&str; 2] = ["#fbfaf7", "#15171a"];
/// WCAG 2.2, 1.4.3: contrast of text.
const CONTRAST_MIN: f64 = 4.5;

impl Site {
    /// Reads and checks `site.toml`.
    ///
    /// # Errors
    /// Every fault found, each a sentence with its remedy.
    pub fn load(source: &Source) -> Result<Self, Vec<String>> {
        let text = source.text("site.toml").map_err(|e| vec![e])?;
        let site: Self = toml::from_str(&text).map_err(|e| vec![format!("site.toml: {e}")])?;
        let faults = site.faults();
        if faults.is_empty() { Ok(site) } else { Err(faults) }
    }

    /// The bare address that mails come from, unless configured otherwise.
    #[must_use]
    pub fn sender(&self) -> String {
        let written = &self.provider.mail_from;
        let mailbox = written.parse::<lettre::message::Mailbox>();
        mailbox.map_or_else(|_| written.clone(), |mailbox| mailbox.email.to_string())
    }

    /// The label of a level, or nothing if there is no such level.
    #[must_use]
    pub fn level_label(&self, id: &str) -> Option<&str> {
        self.levels.iter().find(|level| level.id == id).map(|level| level.label.as_str())
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let themes = [("accent", &self.look.accent), ("accent_dark", &self.look.accent_dark)];
        for ((key, colour), paper) in themes.into_iter().zip(PAPER) {
            match contrast(colour, paper) {
                None => faults.push(format!(
                    "site.toml: look.{key} = \"{colour}\" is not a colour. Write it as #rrggbb."
                )),
                Some(ratio) if ratio < CONTRAST_MIN => faults.push(format!(
                    "site.toml: look.{key} = \"{colour}\" has a contrast of {ratio:.1} to its background {paper}; \
                     text needs {CONTRAST_MIN}. Choose a {} colour.",
                    if key == "accent" { "darker" } else { "lighter" }
                )),
                Some(_) => {}
            }
        }
        let Provider { email, mail_from, .. } = &self.provider;
        let is_email = email.parse::<lettre::Address>().is_ok();
        let is_mail_from = mail_from.parse::<lettre::message::Mailbox>().is_ok();
        for (key, address, is_right) in
            [("email", email, is_email), ("mail_from", mail_from, is_mail_from)]
        {
            if !is_right {
                faults.push(format!(
                    "site.toml: provider.{key} = \"{address}\" is not an address. Write one such as hello@example.org."
                ));
            }
        }
        for (slug, quiz) in &self.quizzes {
            if quiz.minutes == 0 {
                faults.push(format!(
                    "site.toml: quizzes.{slug}.minutes = 0 cannot be true. Write how long it takes, 1 or more."
                ));
            }
            for purpose in quiz.purposes.iter().filter(|id| !self.purposes.contains_key(*id)) {
                faults.push(format!(
                    "site.toml: quizzes.{slug} offers the purpose \"{purpose}\", which has no [purposes.{purpose}]. \
                     Add that table, or take the purpose out."
                ));
            }
        }
        faults
    }
}

/// Contrast ratio of two `#rrggbb` colours (WCAG 2.2, "contrast ratio"): 1 to 21.
fn contrast(one: &str, other: &str) -> Option<f64> {
    let (one, other) = (luminance(one)?, luminance(other)?);
    let (light, dark) = if one > other { (one, other) } else { (other, one) };
    Some((light + 0.05) / (dark + 0.05))
}

fn luminance(colour: &str) -> Option<f64> {
    let digits = colour.strip_prefix('#').filter(|d| d.len() == 6 && d.is_ascii())?;
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&digits[at..at + 2], 16).ok()?) / 255.0;
        Some(if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) })
    };
    Some(0.2126 * channel(0)? + 0.7152 * channel(2)? + 0.0722 * channel(4)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_as_the_standard_defines_it() {
        assert!((contrast("#000000", "#ffffff").unwrap() - 21.0).abs() < 1e-9);
        assert!((contrast("#777777", "#ffffff").unwrap() - 4.48).abs() < 0.01);
        assert_eq!(contrast("red", "#ffffff"), None);
    }

    #[test]
    fn the_sender_may_be_written_with_a_name() {
        let mut site = Site::load(&Source::Embedded).unwrap();
        site.provider.mail_from = "Your Organisation <letters@example.org>".to_owned();
        assert_eq!(site.sender(), "letters@example.org");
        assert_eq!(site.faults(), Vec::<String>::new());
    }

    #[test]
    fn a_pale_accent_is_refused_with_its_remedy() {
        let mut site = Site::load(&Source::Embedded).unwrap();
        site.look.accent = "#ffcc00".to_owned();
        let faults = site.faults();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].ends_with("Choose a darker colour."), "{}", faults[0]);
    }
}
