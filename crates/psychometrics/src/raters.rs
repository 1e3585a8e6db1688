//! How far raters agree, and how many of them are enough.
//!
//! | question | function |
//! | --- | --- |
//! | Do members of one group resemble each other more than strangers? | [`fn@one_way`] |
//! | The same by likelihood, with variance components | [`one_way_components`] |
//! | Every judge rated every target: the six coefficients | [`shrout_fleiss`] |
//! | The same as variance components of persons × raters | [`crossed_components`] |
//! | Do the raters of *this* group say the same? | [`r_wg`], [`r_wg_j`], [`r_wg_j_lindell`] |
//! | The same without a null distribution | [`a_wg`], [`average_deviation`] |
//! | How far apart they are, and their means | [`mean_variance`], [`variance_of_means`] |
//! | How many raters for a wanted reliability? | [`projected_reliability`], [`raters_needed`] |
//!
//! ```
//! use psychometrics::columns::Groups;
//! use psychometrics::raters::{one_way, raters_needed};
//!
//! // Three people, rated by three, two and three colleagues.
//! let ratings = [4.0, 4.0, 5.0, 2.0, 3.0, 3.0, 4.0, 3.0];
//! let groups = Groups::new(&[1, 1, 1, 2, 2, 3, 3, 3]);
//! let icc = one_way(&ratings, &groups, 0.95)?;
//! assert!((icc.icc1 - 0.637_113).abs() < 1e-6);
//! assert_eq!(raters_needed(icc.icc1, 0.80)?, 3);
//! # Ok::<(), psychometrics::raters::RatersError>(())
//! ```

mod agreement;
mod judges;
mod one_way;
mod projection;

pub use agreement::{
    Agreement, Centre, Null, a_wg, average_deviation, mean_variance, r_wg, r_wg_j, r_wg_j_lindell,
    variance_of_means,
};
pub use judges::{CrossedComponents, IccEstimate, ShroutFleiss, crossed_components, shrout_fleiss};
pub use one_way::{Components, Likelihood, OneWay, one_way, one_way_components};
pub use projection::{projected_reliability, raters_needed};

/// Ratings that do not carry the figure asked for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RatersError {
    /// One group code per rating is needed.
    #[error("{n_values} ratings but {n_codes} group codes")]
    WrongLength {
        /// Ratings given.
        n_values: usize,
        /// Group codes given.
        n_codes: usize,
    },
    /// An infinite rating.
    #[error("rating {row} is {value}, not a number a rater can give")]
    Infinite {
        /// Row, from 0.
        row: usize,
        /// What stood there.
        value: f64,
    },
    /// Fewer than two groups hold a rating.
    #[error("{n_groups} group(s) with a rating: at least two are needed to compare them")]
    TooFewGroups {
        /// Groups with at least one rating.
        n_groups: usize,
    },
    /// No group has a second rating, so nothing is known of disagreement within.
    #[error("{n_values} ratings in {n_groups} groups: no group has two")]
    NothingWithin {
        /// Ratings present.
        n_values: usize,
        /// Groups with at least one rating.
        n_groups: usize,
    },
    /// Every rating is the same number.
    #[error("all {n_values} ratings are {value}: there is no variance to share out")]
    NoVariance {
        /// Ratings present.
        n_values: usize,
        /// The number they all are.
        value: f64,
    },
    /// Raters agree perfectly within each group: the likelihood grows without bound.
    #[error("raters agree exactly within each of {n_groups} groups: the likelihood has no maximum")]
    NoVarianceWithin {
        /// Groups with at least one rating.
        n_groups: usize,
    },
    /// A crossed table must be complete.
    #[error("target {row} has no rating by judge {column}: every judge must rate every target")]
    Missing {
        /// Target, from 0.
        row: usize,
        /// Judge, from 0.
        column: usize,
    },
    /// A crossed table needs two of each.
    #[error("{n_targets} target(s) by {n_judges} judge(s): at least two of each are needed")]
    TooSmall {
        /// Rows.
        n_targets: usize,
        /// Columns.
        n_judges: usize,
    },
    /// A confidence level outside (0, 1).
    #[error("confidence level {level} is not between 0 and 1")]
    BadLevel {
        /// What was asked for.
        level: f64,
    },
    /// A null distribution without a positive, finite variance.
    #[error("the null distribution's variance is {variance}: it must be positive")]
    BadNull {
        /// The variance.
        variance: f64,
    },
    /// Answer scale whose top is not above its bottom.
    #[error("the answer scale runs from {low} to {high}")]
    BadScale {
        /// Lowest answer.
        low: f64,
        /// Highest answer.
        high: f64,
    },
    /// A rating outside the answer scale.
    #[error("row {row}, item {column}: {value} lies outside the scale {low} to {high}")]
    OffScale {
        /// Row, from 0.
        row: usize,
        /// Item, from 0.
        column: usize,
        /// The rating.
        value: f64,
        /// Lowest answer.
        low: f64,
        /// Highest answer.
        high: f64,
    },
    /// A reliability outside (0, 1).
    #[error("reliability {reliability} is not between 0 and 1")]
    BadReliability {
        /// What was given.
        reliability: f64,
    },
}

fn check_level(level: f64) -> Result<(), RatersError> {
    if level > 0.0 && level < 1.0 { Ok(()) } else { Err(RatersError::BadLevel { level }) }
}
