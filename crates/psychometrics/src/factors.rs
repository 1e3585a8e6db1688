//! What lies behind the items: how many dimensions, and which items belong together.
//!
//! | question | function |
//! | --- | --- |
//! | Correlations behind ordered answers | [`fn@polychoric`], [`polychoric_matrix`] |
//! | The same of one pair, thresholds included | [`polychoric_joint`] |
//! | How many factors stand out from chance? | [`parallel_analysis`] |
//! | Which items belong together? | [`fn@exploratory`], [`exploratory_of`] |
//! | Does a model of one or more factors fit? | [`fn@confirmatory`], [`confirmatory_of`] |

mod confirmatory;
mod exploratory;
mod joint;
mod parallel;
mod polychoric;
mod rotation;

pub use confirmatory::{Confirmatory, Fit, confirmatory, confirmatory_of};
pub use exploratory::{Exploratory, exploratory, exploratory_of};
pub use joint::{JointPolychoric, polychoric_joint, polychoric_log_likelihood};
pub use parallel::{Parallel, ParallelOptions, Spectrum, parallel_analysis};
pub use polychoric::{CATEGORIES_MAX, Polychoric, Polychorics, polychoric, polychoric_matrix};
pub use rotation::Rotation;

use crate::columns::Columns;
use crate::matrix::{EigenError, Matrix};

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
    /// A correlation of ±1, at which nothing else can be estimated.
    #[error("the correlation lies at its limit: a corner of the table is empty")]
    AtLimit,
    /// A matrix without real eigenvalues.
    #[error("the correlations cannot be taken apart")]
    Eigen(#[source] EigenError),
    /// Two factors ran into one another while they were turned.
    #[error("factor {factor} ran into those before it while the loadings were turned")]
    Collapsed {
        /// The factor, from 0.
        factor: usize,
    },
    /// Nothing to compare with.
    #[error("{n_draws} draws and quantile {quantile}: at least one draw, between 0 and 1")]
    BadDraws {
        /// Draws asked for.
        n_draws: usize,
        /// Quantile asked for.
        quantile: f64,
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

/// Pearson correlations of the complete cases, and how many there are.
fn complete_correlations(items: Columns<'_>) -> Result<(Matrix, usize), FactorsError> {
    let rows = items.complete_rows();
    let (n, n_items) = (rows.len(), items.n_columns());
    if n <= n_items {
        return Err(FactorsError::TooFewPersons { n_persons: n, n_items });
    }
    let mut values = items.rows_copied(&rows);
    Ok((correlations_of(&mut values, n, n_items)?, n))
}

/// Correlations of columns of `n` numbers, which are centred and scaled to length 1 on the way.
fn correlations_of(values: &mut [f64], n: usize, p: usize) -> Result<Matrix, FactorsError> {
    for (item, column) in values.chunks_exact_mut(n).enumerate() {
        let mean = column.iter().sum::<f64>() / n as f64;
        column.iter_mut().for_each(|value| *value -= mean);
        let length = libm::sqrt(column.iter().map(|value| value * value).sum::<f64>());
        if length <= 1e-14 * mean.abs() * libm::sqrt(n as f64) {
            return Err(FactorsError::Singular { item });
        }
        column.iter_mut().for_each(|value| *value /= length);
    }
    let column = |j: usize| &values[j * n..(j + 1) * n];
    let product =
        |i: usize, j: usize| -> f64 { column(i).iter().zip(column(j)).map(|(a, b)| a * b).sum() };
    let mut matrix = Matrix::identity(p);
    for i in 0..p {
        for j in 0..i {
            let r = product(i, j);
            matrix.set(i, j, r);
            matrix.set(j, i, r);
        }
    }
    Ok(matrix)
}
