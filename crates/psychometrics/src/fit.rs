//! Whether a response model says what the answers say: items, pairs of items, the whole.
//!
//! | question | function |
//! | --- | --- |
//! | Do people with the same sum answer this item as expected? | [`item_fit`] (S-X²) |
//! | Does the model reproduce means and products of the items? | [`limited_information`] (M₂, C₂) |
//! | Are answers too erratic, or too regular? | [`mean_squares`] (infit, outfit) |
//! | Do two items share more than the trait? | [`residual_correlations`] (Q₃) |
//! | How reliable are the scores? | [`marginal_reliability`], [`empirical_reliability`] |
//!
//! All take a one-dimensional [`Bank`], usually that of a calibration.
//!
//! ```
//! use psychometrics::fit::marginal_reliability;
//! use psychometrics::models::{Graded, ItemParameters};
//! use psychometrics::score::{Bank, BankItem};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let item = || -> Result<BankItem, psychometrics::models::ModelError> {
//!     let graded = Graded::from_thresholds(1.7, &[-1.5, -0.5, 0.5, 1.5])?;
//!     Ok(BankItem::new(ItemParameters::Graded(graded), 0, vec![1, 2, 3, 4, 5]))
//! };
//! let bank = Bank::standard(vec![item()?, item()?, item()?, item()?, item()?])?;
//! let reliability = marginal_reliability(&bank)?;
//! assert!(reliability > 0.75 && reliability < 0.85);
//! # Ok(())
//! # }
//! ```

mod cells;
mod limited;
mod reliability;
mod residuals;
#[cfg(test)]
mod tests;

pub use cells::{ItemFit, item_fit};
pub use limited::{LimitedFit, Moments, limited_information};
pub use reliability::{conditional_standard_error, empirical_reliability, marginal_reliability};
pub use residuals::{MeanSquare, MeanSquares, mean_squares, residual_correlations};

use crate::models::{ItemModel, ItemParameters};
use crate::quality::QualityError;
use crate::responses::Responses;
use crate::score::{Bank, ScoreError};

/// What of the population was estimated together with the items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Population {
    /// Nothing: mean and variance are fixed.
    Fixed,
    /// The variance, as in Rasch's model and partial credit.
    VarianceFree,
    /// The variance counts against the degrees of freedom, but is not projected out of the
    /// moments, as R `mirt` does for M₂: the statistic is then too large.
    VarianceCounted,
}

impl Population {
    fn n_free(self) -> usize {
        usize::from(self != Self::Fixed)
    }
}

/// Why there is no figure of fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The bank and the answers do not go together.
    #[error("the bank cannot be used with these answers")]
    Score(#[from] ScoreError),
    /// Too few persons answered every item.
    #[error("{n_complete} person(s) answered every item: more than {n_items} are needed")]
    TooFewPersons {
        /// Persons without a gap.
        n_complete: usize,
        /// Items.
        n_items: usize,
    },
    /// More was estimated than there is to compare.
    #[error("{n_moments} moments cannot test a model with {n_free} free parameters")]
    TooFewDegrees {
        /// Moments compared.
        n_moments: usize,
        /// Parameters estimated.
        n_free: usize,
    },
    /// Moments or parameters that determine one another.
    #[error("moment or parameter {position} is determined by those before it")]
    Singular {
        /// Its position, from 0.
        position: usize,
    },
    /// Residuals that cannot be correlated.
    #[error("the residuals cannot be correlated")]
    Residuals(#[source] QualityError),
    /// Numbers that are not one a person, or too few of them.
    #[error("{n_thetas} scores and {n_errors} standard errors: at least two of each, all finite")]
    Scores {
        /// Scores given.
        n_thetas: usize,
        /// Standard errors given.
        n_errors: usize,
    },
}

/// Category of every person who answered everything, item after item.
struct Complete {
    categories: Vec<Vec<u8>>,
    n: usize,
}

impl Complete {
    fn of(bank: &Bank, responses: &Responses) -> Result<Self, FitError> {
        bank.one_dimension("figures of fit")?;
        let maps = bank.categories(responses)?;
        let persons = responses.complete_persons();
        let (n_complete, n_items) = (persons.len(), responses.n_items());
        if n_complete <= n_items {
            return Err(FitError::TooFewPersons { n_complete, n_items });
        }
        let column = |(item, map): (usize, &Vec<u8>)| {
            let codes = responses.codes(item);
            persons.iter().map(|&person| map[usize::from(codes[person])]).collect()
        };
        let categories = maps.iter().enumerate().map(column).collect();
        Ok(Self { categories, n: n_complete })
    }
}

/// P(X = k | θ) at the nodes: one row a category.
fn traces(item: &ItemParameters, nodes: &[f64]) -> Vec<Vec<f64>> {
    let mut rows = vec![vec![0.0; nodes.len()]; item.n_categories()];
    for (node, &theta) in nodes.iter().enumerate() {
        item.for_each_category(theta, |at| rows[at.category][node] = at.probability);
    }
    rows
}

/// Free parameters of an item by itself.
fn n_free(item: &ItemParameters) -> usize {
    let k = item.n_categories();
    match item {
        ItemParameters::Graded(_) | ItemParameters::GeneralisedPartialCredit(_) => k,
        ItemParameters::PartialCredit(_) | ItemParameters::RatingScale(_) => k - 1,
        ItemParameters::TwoParameter(_) => 2,
        ItemParameters::ThreeParameter(_) => 3,
        ItemParameters::Rasch(_) => 1,
        ItemParameters::Nominal(_) => 2 * (k - 1),
    }
}

/// √ of how much worse than its degrees of freedom a statistic is, a degree and person; 0 where it
/// is no worse.
fn rmsea(statistic: f64, df: f64, n: f64) -> f64 {
    libm::sqrt(((statistic / df - 1.0) / (n - 1.0)).max(0.0))
}
