//! Items: the seven kinds of question, their wording, and what an answer counts as.

use std::sync::Arc;

use crate::model::{Approach, FacetId, FormId, ItemId, OptionId, Scale};

/// Who is answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Voice {
    /// A person about themself; `self` in the file.
    Own,
    /// A rater about somebody else.
    Rater,
}

/// One text in both voices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    pub(crate) own: String,
    pub(crate) rater: String,
}

impl Wording {
    /// The text for one voice.
    pub fn text(&self, voice: Voice) -> &str {
        match voice {
            Voice::Own => &self.own,
            Voice::Rater => &self.rater,
        }
    }
}

/// Whether agreeing shows the behaviour or a lapse in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// `key = 1`: more of the answer is more of the behaviour.
    Forward,
    /// `key = -1`: more of the answer is less of the behaviour.
    Reverse,
}

/// Parameters of Samejima's graded response model, after reverse items are turned round:
/// P(category ≥ k | θ) = 1 / (1 + exp(−a (θ − bₖ))) for k = 1, 2, …
#[derive(Debug, Clone, PartialEq)]
pub struct Graded {
    /// Slope a, positive, per unit of θ.
    pub a: f64,
    /// Thresholds b₁ < b₂ < …, in θ; one fewer than the scale has points.
    pub b: Vec<f64>,
}

/// The kinds of item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// A behaviour, rated on a scale.
    Rating,
    /// Two behaviours, one of each approach, to choose between.
    Pair,
    /// A situation with options: most and least likely first.
    Scenario,
    /// Too little, right, too much of a facet.
    Amount,
    /// A criterion that only raters judge; in no facet's score.
    Outcome,
    /// An open question to raters.
    Comment,
    /// An attention check.
    Check,
}

impl ItemKind {
    pub(crate) const ALL: [ItemKind; 7] = [
        ItemKind::Rating,
        ItemKind::Pair,
        ItemKind::Scenario,
        ItemKind::Amount,
        ItemKind::Outcome,
        ItemKind::Comment,
        ItemKind::Check,
    ];

    /// The word used in a form's `blocks`.
    pub fn as_str(self) -> &'static str {
        match self {
            ItemKind::Rating => "rating",
            ItemKind::Pair => "pair",
            ItemKind::Scenario => "scenario",
            ItemKind::Amount => "amount",
            ItemKind::Outcome => "outcome",
            ItemKind::Comment => "comment",
            ItemKind::Check => "check",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<ItemKind> {
        ItemKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether that voice is ever asked items of this kind: outcomes and comments are for raters,
    /// scenarios for the person themself.
    pub fn is_asked_of(self, voice: Voice) -> bool {
        match self {
            ItemKind::Outcome | ItemKind::Comment => voice == Voice::Rater,
            ItemKind::Scenario => voice == Voice::Own,
            ItemKind::Rating | ItemKind::Pair | ItemKind::Amount | ItemKind::Check => true,
        }
    }
}

impl std::fmt::Display for ItemKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A behaviour, rated on a scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Rating {
    pub(crate) id: ItemId,
    pub(crate) facet: FacetId,
    pub(crate) approach: Approach,
    pub(crate) key: Key,
    pub(crate) form: FormId,
    pub(crate) wording: Wording,
    pub(crate) scale: Arc<Scale>,
    pub(crate) parameters: Graded,
}

impl Rating {
    /// Its name in the file.
    pub fn id(&self) -> &ItemId {
        &self.id
    }

    /// The facet it tells about.
    pub fn facet(&self) -> &FacetId {
        &self.facet
    }

    /// The facet's approach.
    pub fn approach(&self) -> Approach {
        self.approach
    }

    /// Which way it runs. Scoring has no need of it: [`Item::category`] turns reverse items.
    pub fn key(&self) -> Key {
        self.key
    }

    /// The shortest form that it is in.
    pub fn shortest_form(&self) -> &FormId {
        &self.form
    }

    /// The behaviour, as told to that voice.
    pub fn text(&self, voice: Voice) -> &str {
        self.wording.text(voice)
    }

    /// The scale it is answered on.
    pub fn scale(&self) -> &Scale {
        &self.scale
    }

    /// Slope and thresholds, on the category that [`Rating::category`] gives.
    pub fn parameters(&self) -> &Graded {
        &self.parameters
    }

    /// The category of an answer, from 0; the higher, the more of the behaviour. Reverse items are
    /// turned round here and nowhere else.
    ///
    /// # Errors
    /// [`AnswerError::OffScale`] if the scale has no such value.
    pub fn category(&self, value: i64) -> Result<usize, AnswerError> {
        let position = place(&self.id, &self.scale, value)?;
        Ok(match self.key {
            Key::Forward => position,
            Key::Reverse => self.scale.points.len() - 1 - position,
        })
    }
}

/// One side of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairSide {
    pub(crate) facet: FacetId,
    pub(crate) wording: Wording,
}

impl PairSide {
    /// The facet that this side tells about.
    pub fn facet(&self) -> &FacetId {
        &self.facet
    }

    /// The behaviour, as told to that voice.
    pub fn text(&self, voice: Voice) -> &str {
        self.wording.text(voice)
    }
}

/// A managing and a leading behaviour, to choose between. Informs the lean, never a level.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    pub(crate) id: ItemId,
    pub(crate) form: FormId,
    pub(crate) management: PairSide,
    pub(crate) leadership: PairSide,
    pub(crate) scale: Arc<Scale>,
    pub(crate) slope: f64,
}

impl Pair {
    /// Its name in the file.
    pub fn id(&self) -> &ItemId {
        &self.id
    }

    /// The shortest form that it is in.
    pub fn shortest_form(&self) -> &FormId {
        &self.form
    }

    /// The side of one approach. Stored answers take management as the first side, whichever way
    /// round a page showed them.
    pub fn side(&self, approach: Approach) -> &PairSide {
        match approach {
            Approach::Management => &self.management,
            Approach::Leadership => &self.leadership,
        }
    }

    /// The scale it is answered on.
    pub fn scale(&self) -> &Scale {
        &self.scale
    }

    /// Slope on the difference leadership − management, per unit of θ.
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// The category of an answer, from 0; the higher, the more the leading side was chosen.
    ///
    /// # Errors
    /// [`AnswerError::OffScale`] if the scale has no such value.
    pub fn category(&self, value: i64) -> Result<usize, AnswerError> {
        place(&self.id, &self.scale, value)
    }
}

/// One thing that a person might do first in a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioOption {
    pub(crate) id: OptionId,
    pub(crate) approach: Approach,
    pub(crate) strength: usize,
    pub(crate) fit: usize,
    pub(crate) text: String,
}

impl ScenarioOption {
    /// Its name in the file.
    pub fn id(&self) -> &OptionId {
        &self.id
    }

    /// Which way it leans: `order` in the file is management, `insight` leadership.
    pub fn approach(&self) -> Approach {
        self.approach
    }

    /// How hard it leans: 1 mild, 2 strong.
    pub fn strength(&self) -> usize {
        self.strength
    }

    /// The provisional key, 0 worst, rising by one to the best.
    pub fn fit(&self) -> usize {
        self.fit
    }

    /// What the person reads.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A situation with options: which would you do first, and which last?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    pub(crate) id: ItemId,
    pub(crate) demand: Approach,
    pub(crate) title: String,
    pub(crate) cues: Vec<String>,
    pub(crate) text: String,
    pub(crate) options: Vec<ScenarioOption>,
}

impl Scenario {
    /// Its name in the file.
    pub fn id(&self) -> &ItemId {
        &self.id
    }

    /// What the situation calls for: `order` in the file is management, `insight` leadership.
    pub fn demand(&self) -> Approach {
        self.demand
    }

    /// A few words to call it by.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What in the situation calls for it; for the manual.
    pub fn cues(&self) -> &[String] {
        &self.cues
    }

    /// The situation.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The options in the order of the file. Pages shuffle them: the file has the best one first.
    pub fn options(&self) -> &[ScenarioOption] {
        &self.options
    }

    /// The option of that id.
    pub fn option(&self, id: &str) -> Option<&ScenarioOption> {
        self.options.iter().find(|option| option.id == id)
    }
}

/// Too little, right, or too much of one facet, for the job as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Amount {
    pub(crate) id: ItemId,
    pub(crate) facet: FacetId,
    pub(crate) approach: Approach,
    pub(crate) wording: Wording,
    pub(crate) scale: Arc<Scale>,
}

impl Amount {
    /// Its name in the file.
    pub fn id(&self) -> &ItemId {
        &self.id
    }

    /// The facet it asks about.
    pub fn facet(&self) -> &FacetId {
        &self.facet
    }

    /// The facet's approach.
    pub fn approach(&self) -> Approach {
        self.approach
    }

    /// The question, as put to that voice.
    pub fn text(&self, voice: Voice) -> &str {
        self.wording.text(voice)
    }

    /// The scale it is answered on.
    pub fn scale(&self) -> &Scale {
        &self.scale
    }
}

/// A criterion that only raters judge; in no facet's score.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub(crate) id: ItemId,
    pub(crate) text: String,
    pub(crate) scale: Arc<Scale>,
}

impl Outcome {
    /// Its name in the file.
    pub fn id(&self) -> &ItemId {
        &self.id
    }

    /// What the rater judges.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The scale it is answered on.
    pub fn scale(&self) -> &Scale {
        &self.scale
    }
}

/// An open question to raters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    pub(crate) id: ItemId,
    pub(crate) text: String,
}

impl Comment {
    /// Its name in the file.
    pub fn id(&self) -> &ItemId {
        &self.id
    }

    /// The question.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// An attention check: the line says which answer to give. A miss is a flag, not an exclusion.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    pub(crate) id: ItemId,
    pub(crate) text: String,
    pub(crate) answer: i64,
    pub(crate) scale: Arc<Scale>,
}

impl Check {
    /// Its name in the file.
    pub fn id(&self) -> &ItemId {
        &self.id
    }

    /// The line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value that shows the line was read; on the scale.
    pub fn answer(&self) -> i64 {
        self.answer
    }

    /// The scale it is answered on.
    pub fn scale(&self) -> &Scale {
        &self.scale
    }
}

/// One question of any kind.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Item {
    /// A behaviour, rated on a scale.
    Rating(Rating),
    /// Two behaviours to choose between.
    Pair(Pair),
    /// A situation with options.
    Scenario(Scenario),
    /// Too little, right, too much.
    Amount(Amount),
    /// A criterion for raters.
    Outcome(Outcome),
    /// An open question to raters.
    Comment(Comment),
    /// An attention check.
    Check(Check),
}

impl Item {
    /// Its name in the file.
    pub fn id(&self) -> &ItemId {
        match self {
            Item::Rating(item) => &item.id,
            Item::Pair(item) => &item.id,
            Item::Scenario(item) => &item.id,
            Item::Amount(item) => &item.id,
            Item::Outcome(item) => &item.id,
            Item::Comment(item) => &item.id,
            Item::Check(item) => &item.id,
        }
    }

    /// Its kind, without its content.
    pub fn kind(&self) -> ItemKind {
        match self {
            Item::Rating(_) => ItemKind::Rating,
            Item::Pair(_) => ItemKind::Pair,
            Item::Scenario(_) => ItemKind::Scenario,
            Item::Amount(_) => ItemKind::Amount,
            Item::Outcome(_) => ItemKind::Outcome,
            Item::Comment(_) => ItemKind::Comment,
            Item::Check(_) => ItemKind::Check,
        }
    }

    /// The item as a rating, if it is one.
    pub fn as_rating(&self) -> Option<&Rating> {
        match self {
            Item::Rating(rating) => Some(rating),
            _ => None,
        }
    }

    /// The one facet it tells about; nothing for pairs, which have two, and for kinds without.
    pub fn facet(&self) -> Option<&FacetId> {
        match self {
            Item::Rating(item) => Some(&item.facet),
            Item::Amount(item) => Some(&item.facet),
            _ => None,
        }
    }

    /// The one approach it tells about; nothing for pairs, scenarios and kinds without.
    pub fn approach(&self) -> Option<Approach> {
        match self {
            Item::Rating(item) => Some(item.approach),
            Item::Amount(item) => Some(item.approach),
            _ => None,
        }
    }

    /// The scale it is answered on; nothing for scenarios and comments.
    pub fn scale(&self) -> Option<&Scale> {
        match self {
            Item::Rating(item) => Some(&item.scale),
            Item::Pair(item) => Some(&item.scale),
            Item::Amount(item) => Some(&item.scale),
            Item::Outcome(item) => Some(&item.scale),
            Item::Check(item) => Some(&item.scale),
            Item::Scenario(_) | Item::Comment(_) => None,
        }
    }

    /// Graded-response parameters, on the category that [`Item::category`] gives; ratings only.
    pub fn parameters(&self) -> Option<&Graded> {
        self.as_rating().map(|rating| &rating.parameters)
    }

    /// The category of an answer, from 0. For a rating, the higher the more of the behaviour:
    /// reverse items are turned round. For a pair, the more the leading side was chosen. For
    /// amounts, outcomes and checks, the place on the scale.
    ///
    /// # Errors
    /// [`AnswerError::OffScale`] if the scale has no such value, [`AnswerError::NoScale`] for
    /// scenarios and comments.
    pub fn category(&self, value: i64) -> Result<usize, AnswerError> {
        match self {
            Item::Rating(item) => item.category(value),
            Item::Pair(item) => item.category(value),
            Item::Amount(item) => place(&item.id, &item.scale, value),
            Item::Outcome(item) => place(&item.id, &item.scale, value),
            Item::Check(item) => place(&item.id, &item.scale, value),
            Item::Scenario(_) | Item::Comment(_) => {
                Err(AnswerError::NoScale { item: self.id().clone() })
            }
        }
    }
}

/// Why a value is no answer to an item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The item's scale has no such value.
    #[error("{value} is not on the scale of item {item}")]
    OffScale {
        /// The item that was answered.
        item: ItemId,
        /// The value that was sent.
        value: i64,
    },
    /// The item is not answered on a numeric scale.
    #[error("item {item} is not answered on a scale")]
    NoScale {
        /// The item that was answered.
        item: ItemId,
    },
}

fn place(item: &ItemId, scale: &Scale, value: i64) -> Result<usize, AnswerError> {
    let off_scale = || AnswerError::OffScale { item: item.clone(), value };
    scale.position(value).ok_or_else(off_scale)
}
