//! How well a scale measures, and how honestly it was answered.
//!
//! | question | function |
//! | --- | --- |
//! | Internal consistency, item by item | [`reliability`] |
//! | Reliability without assuming equal loadings | [`omega`] |
//! | Reliability of a sum of several scales | [`stratified_alpha`] |
//! | All the ways to cut the scale in two | [`split_halves`] |
//! | Covariances with gaps | [`covariances`], [`correlations`] |
//! | Answers without reading | [`response_signs`] |
//! | Turn reversed items | [`reverse_keyed`], [`observed_range`] |
//!
//! ```
//! use psychometrics::columns::Columns;
//! use psychometrics::quality::{Gaps, reliability};
//!
//! let answers = [
//!     1.0, 2.0, 3.0, 4.0, 5.0, 3.0, // the first item's answers
//!     2.0, 2.0, 3.0, 5.0, 4.0, 2.0,
//!     1.0, 3.0, 3.0, 4.0, 4.0, 3.0,
//! ];
//! let scale = reliability(Columns::new(&answers, 6, 3)?, Gaps::Pairwise, 0.95)?;
//! assert!(scale.alpha > 0.9 && scale.alpha_interval.0 < scale.alpha);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alpha;
mod covariance;
mod halves;
mod signs;

pub use alpha::{IfDropped, ItemQuality, Omega, Reliability, omega, reliability, stratified_alpha};
pub use covariance::{Gaps, correlations, covariances};
pub use halves::{SPLITS_EXHAUSTIVE_MAX, SplitHalves, split_halves};
pub use signs::{ResponseSigns, ReversePair, observed_range, response_signs, reverse_keyed};

use crate::factors::FactorsError;

/// Answers that do not carry the figure asked for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QualityError {
    /// Fewer items than the figure needs.
    #[error("{n_items} item(s): at least {n_min} are needed")]
    TooFewItems {
        /// Items given.
        n_items: usize,
        /// The fewest that would do.
        n_min: usize,
    },
    /// Fewer than three persons answered.
    #[error("{n_persons} person(s) with usable answers: at least 3 are needed")]
    TooFewPersons {
        /// Persons usable.
        n_persons: usize,
    },
    /// Two items that fewer than two persons answered both.
    #[error("items {first} and {second} were both answered by {n_persons} person(s)")]
    NoOverlap {
        /// First item, from 0.
        first: usize,
        /// Second item, from 0.
        second: usize,
        /// Persons who answered both.
        n_persons: usize,
    },
    /// An item that everybody answered alike.
    #[error("item {item} was answered identically by everybody: it has no variance")]
    NoVariance {
        /// The item, from 0.
        item: usize,
    },
    /// The sum of the items does not vary.
    #[error("the sum of the {n_items} items does not vary")]
    NoTotalVariance {
        /// Items given.
        n_items: usize,
    },
    /// A confidence level outside (0, 1).
    #[error("confidence level {level} is not between 0 and 1")]
    BadLevel {
        /// What was asked for.
        level: f64,
    },
    /// One stratum per item is needed.
    #[error("{n_strata} stratum marks for {n_items} items")]
    StrataLength {
        /// Marks given.
        n_strata: usize,
        /// Items given.
        n_items: usize,
    },
    /// A stratum of one item has no alpha.
    #[error("stratum {stratum} has {n_items} item(s): at least 2 are needed")]
    ThinStratum {
        /// The stratum's mark.
        stratum: usize,
        /// Its items.
        n_items: usize,
    },
    /// An answer outside the stated range.
    #[error("answer {row}: {value} lies outside {low} to {high}")]
    OffScale {
        /// Row, from 0.
        row: usize,
        /// The answer.
        value: f64,
        /// Lowest answer.
        low: f64,
        /// Highest answer.
        high: f64,
    },
    /// A pair that names an item that is not there, or one item twice.
    #[error("reverse pair ({first}, {second}) of {n_items} items")]
    BadPair {
        /// First item of the pair.
        first: usize,
        /// Second item of the pair.
        second: usize,
        /// Items given.
        n_items: usize,
    },
    /// The factor model behind omega failed.
    #[error("omega's one-factor model failed")]
    Factor(#[source] FactorsError),
}

fn check_level(level: f64) -> Result<(), QualityError> {
    if level > 0.0 && level < 1.0 { Ok(()) } else { Err(QualityError::BadLevel { level }) }
}
