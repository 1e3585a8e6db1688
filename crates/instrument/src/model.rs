//! The instrument and the parts that are not items, forms or the map.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::form::Form;
use crate::item::{Item, Wording};
use crate::map::Map;

/// Longest id, in characters; ids become form-field names and column values.
pub(crate) const ID_CHARS_MAX: usize = 40;

/// Why a text is no id, or nothing if it is one.
pub(crate) fn id_fault(text: &str) -> Option<&'static str> {
    let small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if text.chars().count() > ID_CHARS_MAX {
        return Some("is longer than 40 characters");
    }
    let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase());
    (!starts_well || !text.chars().all(small))
        .then_some("is not made of small letters, digits, `-` and `_`, beginning with a letter")
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The caller has asked `id_fault`.
            pub(crate) fn checked(text: &str) -> Self {
                debug_assert!(id_fault(text).is_none(), "{text:?} is no id");
                $name(text.into())
            }

            /// The id as it stands in the file: small letters, digits, `-` and `_`.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }
    )*};
}

ids! {
    /// Names an instrument, whatever its version.
    InstrumentId
    /// Names a facet within its instrument.
    FacetId
    /// Names an item of any kind within its instrument.
    ItemId
    /// Names one option of a scenario; unique in the instrument.
    OptionId
    /// Names a form within its instrument.
    FormId
    /// Names an answer scale within its instrument.
    ScaleId
    /// Names a region of the map.
    RegionId
}

/// One of the two approaches that are measured: levels, not kinds of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Approach {
    /// Organises, monitors, coordinates, keeps consistent, directs.
    Management,
    /// Gives vision, mentors, empowers, opens up ideas, is followed out of trust.
    Leadership,
}

impl Approach {
    /// Both, in the order in which scores are stored: managing first.
    pub const BOTH: [Approach; 2] = [Approach::Management, Approach::Leadership];

    /// The word used in instrument files and tables: `management` or `leadership`.
    pub fn as_str(self) -> &'static str {
        match self {
            Approach::Management => "management",
            Approach::Leadership => "leadership",
        }
    }

    /// 0 for management, 1 for leadership: its place in [`Approach::BOTH`] and in every pair of
    /// scores.
    pub fn index(self) -> usize {
        match self {
            Approach::Management => 0,
            Approach::Leadership => 1,
        }
    }

    /// The one that this is not.
    pub fn other(self) -> Approach {
        match self {
            Approach::Management => Approach::Leadership,
            Approach::Leadership => Approach::Management,
        }
    }

    /// Reads [`Approach::as_str`]'s word back; nothing for any other text.
    pub fn from_word(word: &str) -> Option<Approach> {
        Approach::BOTH.into_iter().find(|approach| approach.as_str() == word)
    }
}

impl fmt::Display for Approach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How far the evidence for an instrument has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Written, and tried on nobody.
    Draft,
    /// Tried in interviews; on its way to a sample.
    Pilot,
    /// Parameters estimated from a sample.
    Calibrated,
    /// Calibrated, with a reference distribution.
    Normed,
}

impl Status {
    const ALL: [Status; 4] = [Status::Draft, Status::Pilot, Status::Calibrated, Status::Normed];

    /// The word used in instrument files.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Draft => "draft",
            Status::Pilot => "pilot",
            Status::Calibrated => "calibrated",
            Status::Normed => "normed",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An instrument's version: three numbers, compared from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u16,
    minor: u16,
    patch: u16,
}

impl Version {
    pub(crate) fn from_word(word: &str) -> Option<Version> {
        let digits = |part: &str| {
            let plain = part.bytes().all(|b| b.is_ascii_digit());
            (plain && (part == "0" || !part.starts_with('0'))).then(|| part.parse().ok()).flatten()
        };
        let mut parts = word.split('.').map(digits);
        let version =
            Version { major: parts.next()??, minor: parts.next()??, patch: parts.next()?? };
        parts.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// One answer on a scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The value that is sent and stored.
    pub value: i64,
    /// What the person reads.
    pub label: String,
    /// A longer reading of the label, such as "about 1 in 4".
    pub help: Option<String>,
    /// The share of chances it stands for, 0 to 1.
    pub share: Option<f64>,
}

/// An answer scale: at least two points, values and shares rising.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    pub(crate) id: ScaleId,
    pub(crate) points: Vec<Point>,
    pub(crate) rater_extra: Option<String>,
}

impl Scale {
    /// Its name in the file.
    pub fn id(&self) -> &ScaleId {
        &self.id
    }

    /// The answers, lowest value first.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Where a value stands on the scale, from 0; nothing if it is not on it.
    pub fn position(&self, value: i64) -> Option<usize> {
        self.points.iter().position(|point| point.value == value)
    }

    /// The share of chances that each point stands for, lowest first; nothing unless the file
    /// gives them.
    pub fn shares(&self) -> Option<Vec<f64>> {
        self.points.iter().map(|point| point.share).collect()
    }

    /// The further answer that only raters are given, such as "I have not seen this". It counts
    /// as missing, never as a low value.
    pub fn rater_extra(&self) -> Option<&str> {
        self.rater_extra.as_deref()
    }
}

/// One of the behaviours an approach is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Facet {
    /// Its name in the file.
    pub id: FacetId,
    /// The approach it belongs to.
    pub approach: Approach,
    /// What people read.
    pub name: String,
    /// One sentence on the behaviour.
    pub definition: String,
    /// Where it comes from in research; for the manual.
    pub research_link: String,
    /// What is seen when there is too little of it.
    pub too_little: String,
    /// What is seen when there is too much.
    pub too_much: String,
    /// A first development action.
    pub action: String,
}

/// Starting parameters and rules of scoring.
#[derive(Debug, Clone, PartialEq)]
pub struct Scoring {
    /// Mean of each approach in the assumed population, in θ.
    pub prior_mean: f64,
    /// Spread of each approach in the assumed population, in θ; positive.
    pub prior_sd: f64,
    /// Assumed correlation of the two approaches, strictly between −1 and 1.
    pub prior_correlation: f64,
    /// Whether parameters are guesses; pages must then say so.
    pub provisional: bool,
    /// When an adaptive form stops asking.
    pub stop: StopRule,
    /// What reports may say, and from how much.
    pub rules: Rules,
}

/// When an adaptive form stops asking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StopRule {
    /// Standard error of each approach, in θ, that is small enough.
    pub se_approach: f64,
    /// Items of each approach asked at least.
    pub min_items_per_approach: usize,
    /// Items of each approach asked at most.
    pub max_items_per_approach: usize,
    /// Whether every facet must have been asked about.
    pub cover_every_facet: bool,
}

/// What reports may say, and from how much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Share of a facet's items, 0 to 1, that must be answered before the facet is scored.
    pub min_answered_per_facet: f64,
    /// Fewer raters than this in a group are never shown apart.
    pub min_raters_per_group: usize,
    /// Whether self and others' ratings stay apart.
    pub self_never_merged_with_others: bool,
    /// A region is named at this probability or more.
    pub region_named_when_probability_at_least: f64,
    /// A change is called reliable at this absolute reliable-change index or more.
    pub change_called_reliable_when_abs_rci_at_least: f64,
}

/// A questionnaire that keeps every rule of this crate, and cannot be changed.
#[derive(Debug, Clone)]
pub struct Instrument {
    pub(crate) about: About,
    pub(crate) content_hash: String,
    pub(crate) scales: Vec<Arc<Scale>>,
    pub(crate) facets: Vec<Facet>,
    pub(crate) items: Vec<Arc<Item>>,
    pub(crate) item_idx: BTreeMap<ItemId, usize>,
    pub(crate) forms: Vec<Form>,
    pub(crate) map: Map,
    pub(crate) scoring: Scoring,
    pub(crate) translations: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) texts: BTreeMap<String, String>,
}

/// The `[instrument]` section.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) id: InstrumentId,
    pub(crate) version: Version,
    pub(crate) status: Status,
    pub(crate) language: String,
    pub(crate) origin: String,
    pub(crate) licence: String,
    pub(crate) title: String,
    pub(crate) time_frame: String,
    pub(crate) stem: Wording,
}

impl Instrument {
    /// The name that stays the same from version to version.
    pub fn id(&self) -> &InstrumentId {
        &self.about.id
    }

    /// Which version of the instrument this is.
    pub fn version(&self) -> Version {
        self.about.version
    }

    /// How far the evidence has come.
    pub fn status(&self) -> Status {
        self.about.status
    }

    /// Language tag of the file's own words, such as `en-GB`.
    pub fn language(&self) -> &str {
        &self.about.language
    }

    /// Where the words come from.
    pub fn origin(&self) -> &str {
        &self.about.origin
    }

    /// Licence of the words, such as `CC BY 4.0`.
    pub fn licence(&self) -> &str {
        &self.about.licence
    }

    /// What the questionnaire is called.
    pub fn title(&self) -> &str {
        &self.about.title
    }

    /// The stretch of time that answers are about.
    pub fn time_frame(&self) -> &str {
        &self.about.time_frame
    }

    /// The question that stands above the behaviour items.
    pub fn stem(&self, voice: crate::Voice) -> &str {
        self.about.stem.text(voice)
    }

    /// SHA-256, in hexadecimal, of the file's canonical text: without byte-order mark, with line
    /// feeds for line ends. Two files with one hash ask and score alike, on every system.
    pub fn content_hash(&self) -> &str {
        &self.content_hash
    }

    /// The numeric answer scales, in the order of the file.
    pub fn scales(&self) -> impl ExactSizeIterator<Item = &Scale> {
        self.scales.iter().map(Arc::as_ref)
    }

    /// The scale of that id.
    pub fn scale(&self, id: &str) -> Option<&Scale> {
        self.scales().find(|scale| scale.id == id)
    }

    /// All facets, in the order of the file.
    pub fn facets(&self) -> &[Facet] {
        &self.facets
    }

    /// The facet of that id.
    pub fn facet(&self, id: &str) -> Option<&Facet> {
        self.facets.iter().find(|facet| facet.id == id)
    }

    /// All items of all kinds, in the order of the file; for the order of asking see
    /// [`Form::items`].
    pub fn items(&self) -> impl ExactSizeIterator<Item = &Item> {
        self.items.iter().map(Arc::as_ref)
    }

    /// The item of that id, whatever its kind.
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.item_idx.get(id).map(|&at| &*self.items[at])
    }

    /// The forms, shortest first; each holds all of the one before it.
    pub fn forms(&self) -> &[Form] {
        &self.forms
    }

    /// The form of that id.
    pub fn form(&self, id: &str) -> Option<&Form> {
        self.forms.iter().find(|form| form.id == id)
    }

    /// The map and its regions.
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// Starting parameters and rules.
    pub fn scoring(&self) -> &Scoring {
        &self.scoring
    }

    /// Language tags that the file translates into, in alphabetical order; its own is not among
    /// them.
    pub fn translations(&self) -> impl ExactSizeIterator<Item = &str> {
        self.translations.keys().map(String::as_str)
    }

    /// The address of every text that people read and translators translate, with the text in
    /// the file's own language; `items.plan-f1.self` is one.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.texts.iter().map(|(address, text)| (address.as_str(), text.as_str()))
    }

    /// The text at an address (see [`Instrument::texts`]) in a language; nothing where the
    /// address or the language is unknown.
    pub fn text_in(&self, language: &str, address: &str) -> Option<&str> {
        let texts = if language == self.about.language {
            &self.texts
        } else {
            self.translations.get(language)?
        };
        texts.get(address).map(String::as_str)
    }
}
