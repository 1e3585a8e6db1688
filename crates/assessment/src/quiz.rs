//! A quiz as it is served: the provider's settings, the form of the instrument, and the key that scores it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use base::http::Filled;
use base::site::{Site, Source};
use instrument::{Form, Instrument, Item, ItemKind, Point, Voice};

use crate::scoring::Scorer;

/// Every quiz of the site, by the last segment of its address.
#[derive(Debug)]
pub struct Quizzes(BTreeMap<String, Arc<Quiz>>);

/// One quiz.
#[derive(Debug)]
pub struct Quiz {
    /// The last segment of its address.
    pub slug: String,
    /// What `site.toml` says of it.
    pub site: base::site::Quiz,
    /// The questionnaire.
    pub instrument: Instrument,
    /// The selection of items that is asked.
    pub form: Form,
    /// What turns answers into a profile.
    pub scorer: Scorer,
    /// The page at its address once it was rendered: without and with the bar of the built-in mailbox.
    pub(crate) pages: [OnceLock<Filled>; 2],
}

impl Quizzes {
    /// Reads the instrument of every quiz that the site declares.
    ///
    /// # Errors
    /// Every fault, each a sentence with its file and remedy.
    pub fn load(source: &Source, site: &Site) -> Result<Self, Vec<String>> {
        let (mut quizzes, mut faults) = (BTreeMap::new(), Vec::new());
        for (slug, settings) in &site.quizzes {
            match Quiz::load(source, slug, settings) {
                Ok(quiz) => {
                    quizzes.insert(slug.clone(), Arc::new(quiz));
                }
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(Self(quizzes)) } else { Err(faults) }
    }

    /// The quiz of that address.
    #[must_use]
    pub fn get(&self, slug: &str) -> Option<&Arc<Quiz>> {
        self.0.get(slug)
    }
}

impl Quiz {
    fn load(source: &Source, slug: &str, settings: &base::site::Quiz) -> Result<Self, Vec<String>> {
        let file = format!("instruments/{}.toml", settings.instrument);
        let text = source.text(&file).map_err(|fault| vec![fault])?;
        let instrument = Instrument::parse(&text, &file)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let one = |what: String| vec![format!("site.toml: quizzes.{slug}: {what}")];
        let form = instrument.form(&settings.form).cloned().ok_or_else(|| {
            let known: Vec<&str> = instrument.forms().iter().map(|f| f.id().as_str()).collect();
            one(format!(
                "{file} has no form \"{}\". Write one of {}.",
                settings.form,
                known.join(", ")
            ))
        })?;
        if form.items().is_empty() {
            return Err(one(format!(
                "the form \"{}\" asks nothing yet. Choose another form.",
                settings.form
            )));
        }
        if let Some(item) = form.items().iter().find(|item| !is_askable(item)) {
            return Err(one(format!(
                "the form \"{}\" asks {} items, which this version cannot ask yet. Set served = false for them.",
                settings.form,
                item.kind()
            )));
        }
        let scorer = Scorer::new(&instrument, &form).map_err(one)?;
        let (slug, site, pages) = (slug.to_owned(), settings.clone(), Default::default());
        Ok(Self { slug, site, instrument, form, scorer, pages })
    }

    /// How many questions it asks.
    #[must_use]
    pub fn n_items(&self) -> usize {
        self.form.items().len()
    }

    /// How many pages of questions it has.
    #[must_use]
    pub fn n_pages(&self) -> usize {
        self.n_items().div_ceil(self.form.page_size())
    }

    /// The items of a page, counted from 1; empty if there is no such page.
    #[must_use]
    pub fn page(&self, n_page: usize) -> &[Arc<Item>] {
        let items = self.form.items();
        let from = n_page.saturating_sub(1).saturating_mul(self.form.page_size()).min(items.len());
        &items[from..(from + self.form.page_size()).min(items.len())]
    }

    /// The page that holds the item in this place of the order of asking.
    #[must_use]
    pub fn page_of(&self, position: usize) -> usize {
        position / self.form.page_size() + 1
    }
}

/// What the person is asked to judge.
#[must_use]
pub fn statement(item: &Item) -> &str {
    match item {
        Item::Rating(rating) => rating.text(Voice::Own),
        Item::Amount(amount) => amount.text(Voice::Own),
        Item::Check(check) => check.text(),
        _ => "",
    }
}

/// The answers offered.
#[must_use]
pub fn points(item: &Item) -> &[Point] {
    item.scale().map_or(&[], |scale| scale.points())
}

/// Kinds that are one statement with one scale. The others have pages of their own in a later version.
fn is_askable(item: &Item) -> bool {
    matches!(item.kind(), ItemKind::Rating | ItemKind::Amount | ItemKind::Check)
}
