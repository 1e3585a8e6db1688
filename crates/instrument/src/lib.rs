//! What a questionnaire is.
//!
//! An [`Instrument`] comes from one TOML file and cannot be broken: [`Instrument::parse`] either
//! returns one that keeps every rule, or all the faults of the file at once, each with line, column
//! and remedy. After that it never changes; its [`Instrument::content_hash`] says which text it is.
//!
//! What may be relied on of an instrument that exists:
//!
//! - ids are unique, and every facet, scale and form that is named is there;
//! - in every facet, and in every form, as many items run forward as in reverse;
//! - a shorter form's items are all in the longer ones;
//! - thresholds rise, slopes are positive, the prior correlation lies between −1 and 1;
//! - each point of the map lies in exactly one [`Region`];
//! - no text is empty, over-long, or graded above [`READING_GRADE_MAX`];
//! - every behaviour item has both wordings, and every declared translation is whole.
//!
//! Turning reverse items round happens in one place, [`Item::category`]; callers never look at
//! keys. The order of asking is a rule ([`Form::items`]), so that a sitting resumed elsewhere goes
//! on where it stopped.
//!
//! Nothing here reads a file, a clock or a generator: callers pass text.

mod checks;
mod fault;
mod form;
mod item;
mod lint;
mod map;
mod model;
mod order;
mod parse;
mod read;
mod reading;
mod report;
mod translation;

#[cfg(test)]
mod tests;

pub use fault::Fault;
pub use form::{AnswersNeeded, Block, Form};
pub use item::{
    Amount, AnswerError, Check, Comment, Graded, Item, ItemKind, Key, Outcome, Pair, PairSide,
    Rating, Scenario, ScenarioOption, Voice, Wording,
};
pub use map::{Axis, Band, Interval, Map, MiddleWords, Region, StartFrom};
pub use model::{
    Approach, Facet, FacetId, FormId, Instrument, InstrumentId, ItemId, OptionId, Point, RegionId,
    Rules, Scale, ScaleId, Scoring, Status, StopRule, Version,
};
pub use reading::{READING_GRADE_MAX, reading_grade, syllables};
pub use report::{CheckReport, FormSummary, report_check};
