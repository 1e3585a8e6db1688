//! What lies behind the items: how many dimensions, and which items belong together.
//!
//! | question | function |
//! | --- | --- |
//! | Correlations behind ordered answers | [`polychoric`], [`polychoric_matrix`] |
//! | Does a model of one or more factors fit? | [`confirmatory`], [`confirmatory_of`] |

mod confirmatory;
mod polychoric;

pub use confirmatory::{Confirmatory, Fit, confirmatory, confirmatory_of};
pub use polychoric::{CATEGORIES_MAX, Polychoric, polychoric, polychoric_matrix};

/// Answers or models from which no factors can be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FactorsError {
    /// Fewer complete persons than the matrix needs.
    #[error("{n_persons} person(s) answered everything: more than {n_items} are needed")]
    TooFewPersons {
        /// Persons without a gap.
        n_persons: usize,
        /// Items.
        n_items: usize,
    },
    /// A matrix that is not square or does not fit what was said of it.
    #[error("a matrix of {n_rows} by {n_columns} where {n_items} by {n_items} is needed")]
    WrongSize {
        /// Rows given.
        n_rows: usize,
        /// Columns given.
        n_columns: usize,
        /// Items expected.
        n_items: usize,
    },
    /// An item without variance, or one that the items before it determine.
    #[error("item {item} has no variance of its own beside the items before it")]
    Singular {
        /// The item, from 0.
        item: usize,
    },
    /// Too few items for the factors asked for.
    #[error("{n_items} item(s) cannot identify {n_factors} factor(s)")]
    NotIdentified {
        /// Items.
        n_items: usize,
        /// Factors.
        n_factors: usize,
    },
    /// A factor with fewer items than it takes to estimate it.
    #[error("factor {factor} has {n_items} item(s): too few to estimate it")]
    ThinFactor {
        /// The factor, from 0.
        factor: usize,
        /// Its items.
        n_items: usize,
    },
    /// An item with one distinct answer, or with too many to be categories.
    #[error("item {item} has {n_categories} distinct answer(s): 2 to {CATEGORIES_MAX} are needed")]
    BadCategories {
        /// The item, from 0.
        item: usize,
        /// Its distinct answers.
        n_categories: usize,
    },
    /// The search for the best parameters did not settle.
    #[error("no convergence after {cycles} cycles (largest change {last_change:.2e})")]
    NoConvergence {
        /// Cycles done.
        cycles: u32,
        /// Largest change of a parameter in the last.
        last_change: f64,
    },
}
