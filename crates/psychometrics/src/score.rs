//! Scores of persons: EAP, MAP, ML and WLE with standard errors, sum-score tables, plausible
//! values and person fit.
//!
//! A [`Bank`] holds items, a population and a grid; usually those of a calibration. Everything
//! here is bulk work on [`Responses`]; what the product stores of one sitting is computed by
//! [`crate::posterior`], whose bits never depend on the machine.
//!
//! ```
//! use psychometrics::models::{Graded, ItemParameters};
//! use psychometrics::responses::Responses;
//! use psychometrics::score::{Bank, BankItem, Method, score};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let item = |slope| -> Result<BankItem, psychometrics::models::ModelError> {
//!     let graded = Graded::from_thresholds(slope, &[-1.0, 0.0, 1.0])?;
//!     Ok(BankItem::new(ItemParameters::Graded(graded), 0, vec![1, 2, 3, 4]))
//! };
//! let bank = Bank::standard(vec![item(1.4)?, item(0.9)?, item(2.0)?])?;
//! let answers: [&[Option<i32>]; 3] = [&[Some(4), Some(1)], &[Some(4), None], &[Some(3), None]];
//! let scores = score(&bank, &Responses::from_columns(&answers)?, Method::Eap, 1)?;
//! let (first, second) = (scores[0].as_ref().unwrap(), scores[1].as_ref().unwrap());
//! assert!(first.theta[0] > second.theta[0] && first.se[0] < second.se[0]);
//! # Ok(())
//! # }
//! ```
//!
//! # References
//! EAP: Bock & Mislevy 1982, *Appl. Psychol. Meas.* 6, 431–444, doi:10.1177/014662168200600405.
//! WLE: Warm 1989, *Psychometrika* 54, 427–450, doi:10.1007/BF02294627.

mod bulk;
mod fit;
mod joint;
mod plausible;
mod point;
mod sums;
#[cfg(test)]
mod tests;

pub use fit::zh;
pub use joint::{PosteriorMoments, posterior_moments};
pub use plausible::plausible_values;
pub(crate) use sums::sums_given_theta;
pub use sums::{SumScore, sum_scores};

use crate::calibrate::{Calibration, N_DIMENSIONS_MAX, N_NODES};
use crate::matrix::Matrix;
use crate::models::{ItemModel, ItemParameters};
use crate::responses::{MISSING, Responses};

/// Why nobody can be scored, with the place and the value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// A bank without items.
    #[error("no items")]
    NoItems,
    /// Responses whose items are not those of the bank.
    #[error("responses to {given} items, the bank has {wanted}")]
    ItemCount {
        /// Items of the responses.
        given: usize,
        /// Items of the bank.
        wanted: usize,
    },
    /// An answer that the item does not have.
    #[error("item {item}: answer {value} is none of its categories")]
    UnknownAnswer {
        /// Position of the item, from 0.
        item: usize,
        /// The answer.
        value: i32,
    },
    /// An item whose values are not one a category.
    #[error("item {item}: {given} values for {wanted} categories")]
    Values {
        /// Position of the item, from 0.
        item: usize,
        /// Values given.
        given: usize,
        /// Categories of its parameters.
        wanted: usize,
    },
    /// A dimension beyond those of the population.
    #[error("item {item} measures dimension {dimension} of {n_dimensions}, counted from 0")]
    Dimension {
        /// Position of the item, from 0.
        item: usize,
        /// Its dimension.
        dimension: usize,
        /// Dimensions of the population.
        n_dimensions: usize,
    },
    /// A population or grid that cannot be.
    #[error("{what}")]
    Population {
        /// What is wrong.
        what: &'static str,
    },
    /// A figure that exists for one dimension only.
    #[error("{what} need one dimension; the bank has {n_dimensions}")]
    OneDimension {
        /// Which figure.
        what: &'static str,
        /// Dimensions of the bank.
        n_dimensions: usize,
    },
    /// Thetas that are not one a person.
    #[error("{given} thetas for {wanted} persons")]
    PersonCount {
        /// Thetas given.
        given: usize,
        /// Persons.
        wanted: usize,
    },
}

/// An item with the answers its categories stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct BankItem {
    parameters: ItemParameters,
    dimension: usize,
    values: Vec<i32>,
}

impl BankItem {
    /// `values` has the answer of each category, lowest category first; `dimension` counts from 0.
    #[must_use]
    pub fn new(parameters: ItemParameters, dimension: usize, values: Vec<i32>) -> Self {
        Self { parameters, dimension, values }
    }

    /// Its response model.
    #[must_use]
    pub fn parameters(&self) -> &ItemParameters {
        &self.parameters
    }

    /// The dimension it measures, from 0.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The answer of each category.
    #[must_use]
    pub fn values(&self) -> &[i32] {
        &self.values
    }
}

/// Items, population and grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Bank {
    items: Vec<BankItem>,
    mean: Vec<f64>,
    covariance: Matrix,
    n_nodes: usize,
    range: f64,
}

impl Bank {
    /// Items of one dimension and a standard normal population, 61 nodes on ±6.
    ///
    /// # Errors
    /// [`ScoreError`] if there are no items or their values do not fit.
    pub fn standard(items: Vec<BankItem>) -> Result<Self, ScoreError> {
        Self::new(items, vec![0.0], &[vec![1.0]], 61, 6.0)
    }

    /// The items of a calibration as `group` has them, with that group's population.
    ///
    /// # Errors
    /// [`ScoreError::Population`] if there is no such group.
    pub fn of(calibration: &Calibration, group: usize) -> Result<Self, ScoreError> {
        let population = calibration
            .groups
            .get(group)
            .ok_or(ScoreError::Population { what: "the calibration has no such group" })?;
        let n_items = calibration.items.last().map_or(0, |last| last.item + 1);
        let items = (0..n_items)
            .filter_map(|item| calibration.item_for(item, Some(group)))
            .map(|found| {
                let (parameters, values) = (found.parameters.clone(), found.values.clone());
                BankItem::new(parameters, found.dimension, values)
            })
            .collect();
        let mean = population.mean.iter().map(|estimate| estimate.value).collect();
        let row = |row: &Vec<crate::calibrate::Estimate>| row.iter().map(|e| e.value).collect();
        let covariance: Vec<Vec<f64>> = population.covariance.iter().map(row).collect();
        Self::new(items, mean, &covariance, calibration.n_nodes, calibration.range)
    }

    /// Items, a normal population of as many dimensions as `mean` has, and a grid of `n_nodes`
    /// equally spaced nodes a dimension on ±`range` logits.
    ///
    /// # Errors
    /// [`ScoreError`] if something does not fit, with its place.
    pub fn new(
        items: Vec<BankItem>,
        mean: Vec<f64>,
        covariance: &[Vec<f64>],
        n_nodes: usize,
        range: f64,
    ) -> Result<Self, ScoreError> {
        if items.is_empty() {
            return Err(ScoreError::NoItems);
        }
        let n_dimensions = mean.len();
        for (item, own) in items.iter().enumerate() {
            let (given, wanted) = (own.values.len(), own.parameters.n_categories());
            if given != wanted {
                return Err(ScoreError::Values { item, given, wanted });
            }
            let dimension = own.dimension;
            if dimension >= n_dimensions {
                return Err(ScoreError::Dimension { item, dimension, n_dimensions });
            }
        }
        let refuse = |what| Err(ScoreError::Population { what });
        if !(0..n_dimensions).all(|d| items.iter().any(|item| item.dimension == d)) {
            return refuse("the population has a dimension that no item measures");
        }
        if !(1..=N_DIMENSIONS_MAX).contains(&n_dimensions) {
            return refuse("a population has 1 to 4 dimensions");
        }
        if !mean.iter().all(|m| m.is_finite()) {
            return refuse("the population's mean is not finite");
        }
        let square = covariance.len() == n_dimensions
            && covariance.iter().all(|row| row.len() == n_dimensions);
        if !square {
            return refuse("the covariance does not have one row and column a dimension");
        }
        let symmetric = (0..n_dimensions)
            .all(|i| (0..i).all(|j| (covariance[i][j] - covariance[j][i]).abs() < 1e-9));
        let covariance = Matrix::from_fn(n_dimensions, n_dimensions, |i, j| covariance[i][j]);
        if !symmetric || covariance.cholesky().is_err() {
            return refuse("the covariance is not symmetric and positive definite");
        }
        if !(N_NODES.contains(&n_nodes) && range > 0.0 && range.is_finite()) {
            return refuse("a grid has 5 to 401 nodes a dimension and a finite range above 0");
        }
        Ok(Self { items, mean, covariance, n_nodes, range })
    }

    /// The items.
    #[must_use]
    pub fn items(&self) -> &[BankItem] {
        &self.items
    }

    /// How many dimensions there are.
    #[must_use]
    pub fn n_dimensions(&self) -> usize {
        self.mean.len()
    }

    /// Nodes and the population's weights on them; of one dimension only.
    pub(crate) fn quadrature(&self) -> (Vec<f64>, Vec<f64>) {
        let grid = bulk::grid(self);
        let weights = bulk::weights(self, &grid);
        (grid.nodes, weights)
    }

    /// The population's variance on the first dimension.
    pub(crate) fn variance(&self) -> f64 {
        self.covariance.at(0, 0)
    }

    /// Category of each packed answer, by item, [`MISSING`] for answers nobody gave.
    pub(crate) fn categories(&self, responses: &Responses) -> Result<Vec<Vec<u8>>, ScoreError> {
        let (given, wanted) = (responses.n_items(), self.items.len());
        if given != wanted {
            return Err(ScoreError::ItemCount { given, wanted });
        }
        let mut maps = Vec::new();
        for (item, own) in self.items.iter().enumerate() {
            let mut map = vec![MISSING; 256];
            for (code, entry) in map.iter_mut().enumerate().take(responses.n_categories(item)) {
                let value = responses.lowest(item) + code as i32;
                match own.values.iter().position(|&v| v == value) {
                    // Fewer than 256 categories by the models' own limit.
                    Some(category) => *entry = category as u8,
                    None if responses.codes(item).contains(&(code as u8)) => {
                        return Err(ScoreError::UnknownAnswer { item, value });
                    }
                    None => {}
                }
            }
            maps.push(map);
        }
        Ok(maps)
    }

    pub(crate) fn one_dimension(&self, what: &'static str) -> Result<(), ScoreError> {
        match self.n_dimensions() {
            1 => Ok(()),
            n_dimensions => Err(ScoreError::OneDimension { what, n_dimensions }),
        }
    }
}

/// How a person's trait is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Expected a posteriori: posterior mean and standard deviation over the grid.
    Eap,
    /// Maximum a posteriori: the posterior's mode; error from its curvature there.
    Map,
    /// Maximum likelihood; infinite where all answers are lowest, or all highest. Error from the
    /// observed information.
    MaximumLikelihood,
    /// Warm's weighted likelihood: without most of the bias of maximum likelihood, and finite.
    /// Error from the curvature of the weighted likelihood.
    WeightedLikelihood,
}

/// One person's estimates.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Each dimension's estimate in logits; may be infinite with maximum likelihood, NaN where a
    /// dimension without answers cannot be estimated.
    pub theta: Vec<f64>,
    /// Standard errors; infinite where the estimate is.
    pub se: Vec<f64>,
}

/// Scores every person; `None` for those without any answer. Results do not depend on `threads`.
///
/// EAP costs about a row of nodes a block of answers and person; the others one or two dozen
/// evaluations of every item answered. Accuracy: EAP and its error within 1e-9 of R `mirt` on its
/// grid, MAP, ML and WLE within 1e-4, `mirt`'s own tolerance (test `golden_scores`).
///
/// # Errors
/// [`ScoreError::ItemCount`] and [`ScoreError::UnknownAnswer`].
pub fn score(
    bank: &Bank,
    responses: &Responses,
    method: Method,
    threads: usize,
) -> Result<Vec<Option<Score>>, ScoreError> {
    match method {
        Method::Eap if bank.n_dimensions() == 1 => {
            let scores = eap(bank, responses, threads)?;
            let one = |(theta, se): (f64, f64)| {
                (!theta.is_nan()).then(|| Score { theta: vec![theta], se: vec![se] })
            };
            Ok(scores.theta.into_iter().zip(scores.se).map(one).collect())
        }
        Method::Eap => bulk::joint(bank, responses, threads),
        _ => point::score(bank, responses, method, threads),
    }
}

/// EAP scores of many persons on one dimension, as plain columns.
#[derive(Debug, Clone, PartialEq)]
pub struct EapScores {
    /// Posterior means, in logits; NaN for persons without any answer.
    pub theta: Vec<f64>,
    /// Posterior standard deviations; NaN for persons without any answer.
    pub se: Vec<f64>,
}

/// EAP of one dimension, for millions of persons: two numbers a person and nothing else.
///
/// # Errors
/// As [`score`], and [`ScoreError::OneDimension`].
pub fn eap(bank: &Bank, responses: &Responses, threads: usize) -> Result<EapScores, ScoreError> {
    bank.one_dimension("plain EAP columns")?;
    bulk::eap(bank, responses, threads)
}
