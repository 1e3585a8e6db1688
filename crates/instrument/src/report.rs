//! What `bellwether instrument check FILE` says.

use std::collections::BTreeMap;
use std::fmt;

use crate::fault::Fault;
use crate::item::{Item, ItemKind, Key, Voice};
use crate::lint;
use crate::model::{FacetId, Instrument};
use crate::parse::parse_with_texts;
use crate::read::{Role, Text};

/// Reads a file and says either every fault or what is in it. `Display` gives the lines to print;
/// the caller chooses the exit code by [`CheckReport::is_sound`].
pub fn report_check(text: &str, file_name: &str) -> CheckReport {
    match parse_with_texts(text, file_name) {
        Ok((instrument, texts)) => CheckReport::Sound(Box::new(summary(&instrument, &texts))),
        Err(faults) => CheckReport::Faulty(faults),
    }
}

/// The outcome of [`report_check`].
#[derive(Debug, Clone, PartialEq)]
pub enum CheckReport {
    /// All faults, in the order of the file.
    Faulty(Vec<Fault>),
    /// None, and what the file holds.
    Sound(Box<Summary>),
}

impl CheckReport {
    /// Whether the file may be used.
    pub fn is_sound(&self) -> bool {
        matches!(self, CheckReport::Sound(_))
    }

    /// The faults; none for a sound file.
    pub fn faults(&self) -> &[Fault] {
        match self {
            CheckReport::Faulty(faults) => faults,
            CheckReport::Sound(_) => &[],
        }
    }
}

/// What a sound file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Id, version, status and language, in words.
    pub title: String,
    /// SHA-256 of the canonical text, in hexadecimal.
    pub content_hash: String,
    /// How many items of each kind there are.
    pub kinds: Vec<(ItemKind, usize)>,
    /// Forward and reverse rating items of each facet, in the order of the file.
    pub facets: Vec<(FacetId, usize, usize)>,
    /// The forms, shortest first.
    pub forms: Vec<FormSummary>,
    /// Mean reading grade of what respondents read.
    pub mean_grade: f64,
    /// The hardest text of the file: address and grade.
    pub hardest: Option<(String, f64)>,
    /// Languages of the translations.
    pub translations: Vec<String>,
}

/// One form of a sound file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormSummary {
    /// Its id.
    pub id: String,
    /// Items it declares.
    pub n_declared: usize,
    /// Items that a person is asked about themself for now.
    pub n_served: usize,
}

fn summary(instrument: &Instrument, texts: &[Text]) -> Summary {
    let mut by_kind = BTreeMap::new();
    for item in instrument.items() {
        *by_kind.entry(item.kind()).or_insert(0) += 1;
    }
    let asked =
        |text: &Text| matches!(text.role, Role::Own { .. } | Role::Rater { .. } | Role::Asked);
    let grades: Vec<(&Text, f64)> = lint::graded(texts).collect();
    let asked_grades: Vec<f64> =
        grades.iter().filter(|(text, _)| asked(text)).map(|&(_, grade)| grade).collect();
    let hardest = grades.iter().max_by(|one, two| one.1.total_cmp(&two.1));
    Summary {
        title: format!(
            "{} {} ({}, {})",
            instrument.id(),
            instrument.version(),
            instrument.status(),
            instrument.language()
        ),
        content_hash: instrument.content_hash().to_owned(),
        kinds: by_kind.into_iter().collect(),
        facets: instrument.facets().iter().map(|f| keyed(instrument, &f.id)).collect(),
        forms: instrument.forms().iter().map(form_summary).collect(),
        mean_grade: asked_grades.iter().sum::<f64>() / asked_grades.len().max(1) as f64,
        hardest: hardest.map(|(text, grade)| (text.address.clone(), *grade)),
        translations: instrument.translations().map(str::to_owned).collect(),
    }
}

fn keyed(instrument: &Instrument, facet: &FacetId) -> (FacetId, usize, usize) {
    let count = |key| {
        let ratings = instrument.items().filter_map(Item::as_rating);
        ratings.filter(|rating| rating.facet() == facet && rating.key() == key).count()
    };
    (facet.clone(), count(Key::Forward), count(Key::Reverse))
}

fn form_summary(form: &crate::Form) -> FormSummary {
    FormSummary {
        id: form.id().to_string(),
        n_declared: form.declared().len(),
        n_served: form.items_for(Voice::Own).len(),
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CheckReport::Faulty(faults) => {
                for fault in faults {
                    writeln!(f, "{fault}")?;
                }
                let s = if faults.len() == 1 { "" } else { "s" };
                writeln!(f, "{} fault{s}", faults.len())
            }
            CheckReport::Sound(summary) => summary.fmt(f),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: no faults", self.title)?;
        let kinds: Vec<String> = self.kinds.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
        writeln!(f, "items: {}", kinds.join(", "))?;
        writeln!(f, "rating items by facet (forward + reverse):")?;
        for (facet, n_forward, n_reverse) in &self.facets {
            writeln!(f, "  {facet:<14} {n_forward} + {n_reverse}")?;
        }
        writeln!(f, "forms (declared, asked now):")?;
        for form in &self.forms {
            writeln!(f, "  {:<14} {:>3} {:>3}", form.id, form.n_declared, form.n_served)?;
        }
        write!(f, "reading grade of questions: mean {:.1}", self.mean_grade)?;
        if let Some((address, grade)) = &self.hardest {
            write!(f, "; hardest text {grade:.1} ({address})")?;
        }
        writeln!(f)?;
        if !self.translations.is_empty() {
            writeln!(f, "translations: {}", self.translations.join(", "))?;
        }
        writeln!(f, "sha256: {}", self.content_hash)
    }
}
