//! Change of one person, and difference of two groups.
//!
//! | question | function |
//! | --- | --- |
//! | Is a person's change more than error? | [`reliable_change`], [`reliable_change_of_scores`] |
//! | How large is the difference of two groups, in standard deviations? | [`hedges_g`] |
//! | The same when groups consist of teams, classes or units | [`hedges_g_clustered`] |
//! | The difference at equal starting points | [`adjusted_difference`] |
//!
//! ```
//! use psychometrics::change::{Sample, hedges_g, reliable_change};
//!
//! let change = reliable_change(32.0, 40.0, 7.5, 0.88, 0.95)?;
//! assert!(change.reliable && (change.index - 2.177_324).abs() < 1e-6);
//!
//! let trained = Sample::of(&[4.1, 3.9, 4.6, 4.4, 3.8, 4.9])?;
//! let waiting = Sample::of(&[3.6, 4.0, 3.1, 3.9, 3.5, 3.3])?;
//! let effect = hedges_g(trained, waiting, 0.95)?;
//! assert!(effect.g < effect.d && effect.interval.0 > 0.0);
//! # Ok::<(), psychometrics::change::ChangeError>(())
//! ```

mod adjusted;
mod effect;
mod person;

pub use adjusted::{AdjustedDifference, SlopeTest, adjusted_difference};
pub use effect::{Clusters, EffectSize, Sample, hedges_g, hedges_g_clustered};
pub use person::{ReliableChange, Score, reliable_change, reliable_change_of_scores};

/// Figures from which no change or difference can be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// A confidence level outside (0, 1).
    #[error("confidence level {level} is not between 0 and 1")]
    BadLevel {
        /// What was asked for.
        level: f64,
    },
    /// A standard deviation or standard error that is not positive and finite.
    #[error("{what} is {value}: it must be positive")]
    NotPositive {
        /// Which figure.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A number that is missing or infinite where one is needed.
    #[error("{what} is {value}")]
    NotFinite {
        /// Which figure.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A reliability outside [0, 1).
    #[error("reliability {reliability} is not at least 0 and below 1")]
    BadReliability {
        /// What was given.
        reliability: f64,
    },
    /// A cluster correlation outside [0, 1) or clusters smaller than one.
    #[error("clusters of {mean_size} with intraclass correlation {icc} cannot be")]
    BadClusters {
        /// Intraclass correlation given.
        icc: f64,
        /// Mean size given.
        mean_size: f64,
    },
    /// A group too small for the figure.
    #[error("{n} usable value(s) in the {group} group: at least {n_min} are needed")]
    TooFew {
        /// Which group.
        group: &'static str,
        /// Values without a gap.
        n: usize,
        /// The fewest that would do.
        n_min: usize,
    },
    /// Fewer persons than the figure has unknowns.
    #[error("{n} persons in both groups together: at least {n_min} are needed")]
    NoFreedom {
        /// Persons without a gap.
        n: usize,
        /// The fewest that would do.
        n_min: usize,
    },
    /// Outcome, groups and covariates differ in length.
    #[error("{n_outcomes} outcomes, {n_groups} group marks and {n_covariates} rows of covariates")]
    WrongLength {
        /// Outcomes given.
        n_outcomes: usize,
        /// Group marks given.
        n_groups: usize,
        /// Rows of covariates given.
        n_covariates: usize,
    },
    /// A covariate that is constant within groups, or a combination of the others.
    #[error("covariate {covariate} says nothing within groups that the others do not")]
    Redundant {
        /// Column of the covariate, from 0.
        covariate: usize,
    },
}

fn check_level(level: f64) -> Result<(), ChangeError> {
    if level > 0.0 && level < 1.0 { Ok(()) } else { Err(ChangeError::BadLevel { level }) }
}

fn check_positive(what: &'static str, value: f64) -> Result<(), ChangeError> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(ChangeError::NotPositive { what, value })
    }
}

fn check_finite(what: &'static str, value: f64) -> Result<(), ChangeError> {
    if value.is_finite() { Ok(()) } else { Err(ChangeError::NotFinite { what, value }) }
}
