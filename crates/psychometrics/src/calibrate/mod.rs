//! Calibration: item parameters and population figures estimated from a sample of answers.
//!
//! Marginal maximum likelihood (Bock & Aitkin 1981). The population is normal, on equally spaced
//! nodes with weights that sum to 1; its parameters enter through those weights, so that what is
//! maximised is exactly what is reported. Cycles of expectation and maximisation (EM), accelerated,
//! bring the estimates near; Newton steps with the observed information bring the gradient down
//! to [`Options::tolerance`]. Standard errors are those of the observed information, exactly: the
//! Hessian of the marginal log-likelihood, computed and not approximated.
//!
//! Answers that are missing are skipped (missing at random); persons without any are left out.
//!
//! ```
//! use psychometrics::calibrate::{Model, Options, Sample, Specification, calibrate};
//! use psychometrics::responses::ResponsesBuilder;
//!
//! // Bock and Lieberman's five LSAT items: (pattern, persons).
//! # let patterns = [("00000", 12), ("00001", 19), ("00010", 1), ("00011", 7), ("00100", 3),
//! #     ("00101", 19), ("00110", 3), ("00111", 17), ("01000", 10), ("01001", 5), ("01010", 3),
//! #     ("01011", 7), ("01100", 7), ("01101", 23), ("01110", 8), ("01111", 28), ("10000", 7),
//! #     ("10001", 39), ("10010", 11), ("10011", 34), ("10100", 14), ("10101", 51),
//! #     ("10110", 15), ("10111", 90), ("11000", 6), ("11001", 25), ("11010", 7), ("11011", 35),
//! #     ("11100", 18), ("11101", 136), ("11110", 32), ("11111", 308)];
//! let mut answers = ResponsesBuilder::new(5)?;
//! for (pattern, n_persons) in patterns {
//!     let row: Vec<_> = pattern.bytes().map(|b| Some(i32::from(b - b'0'))).collect();
//!     (0..n_persons).try_for_each(|_| answers.push(&row))?;
//! }
//! let answers = answers.finish()?;
//! let specification = Specification::of(Model::TwoParameter, answers.n_items());
//! let found = calibrate(&Sample::of(&answers), &specification, &Options::default())?;
//! assert!(found.converged);
//! assert!((found.log_likelihood + 2658.805113).abs() < 1e-5);
//! assert!((found.items[0].slopes[0].value - 0.98755).abs() < 1e-4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//! Bock & Aitkin 1981, *Psychometrika* 46, 443–459, doi:10.1007/BF02293801.
//! Louis 1982, *J. R. Statist. Soc. B* 44, 226–233, doi:10.1111/j.2517-6161.1982.tb01203.x.
//! Varadhan & Roland 2008, *Scand. J. Statist.* 35, 335–353, doi:10.1111/j.1467-9469.2007.00585.x.

mod data;
mod engine;
mod error;
mod expect;
mod family;
mod fit;
mod information;
mod latent;
mod maximise;
mod plan;
mod report;
#[cfg(test)]
mod tests;

pub use error::{CalibrateError, Flag};
pub(crate) use latent::{Grid, Population};
pub use report::{Calibration, Estimate, GroupEstimate, ItemEstimate};

use crate::models::ItemParameters;
use crate::responses::Responses;

/// The most dimensions; the grid has nodes to that power.
pub const N_DIMENSIONS_MAX: usize = 4;

/// The fewest and the most nodes a dimension.
pub const N_NODES: std::ops::RangeInclusive<usize> = 5..=401;

/// The response model of an item; [`crate::models`] has the formulae.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Model {
    /// Samejima's graded response model: slope and falling intercepts.
    Graded,
    /// Muraki's generalised partial credit model: slope and intercepts.
    GeneralisedPartialCredit,
    /// Masters' partial credit model: slope 1, intercepts; the population's variance is free.
    PartialCredit,
    /// Andrich's rating scale model: slope 1, a location an item, steps shared by all items of one
    /// dimension with the same number of categories; the population's variance is free.
    RatingScale,
    /// Two-parameter logistic: slope and intercept; two categories.
    TwoParameter,
    /// Three-parameter logistic: with a guessing parameter, which wants a [`Prior`].
    ThreeParameter,
    /// Rasch's model: slope 1, intercept; the population's variance is free.
    Rasch,
    /// Bock's nominal model: a slope and an intercept a category, the first category's 0.
    Nominal,
}

impl Model {
    /// Whether slopes are estimated, so that the population's variance must be fixed.
    fn has_slopes(self) -> bool {
        !matches!(self, Self::PartialCredit | Self::RatingScale | Self::Rasch)
    }

    fn two_categories_only(self) -> bool {
        matches!(self, Self::TwoParameter | Self::ThreeParameter | Self::Rasch)
    }
}

/// Which of an item's parameters a prior is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// Its slope (all slopes of a nominal item).
    Slope,
    /// All its intercepts (the location of a rating scale item).
    Intercept,
    /// Its guessing parameter c.
    Guessing,
}

/// A prior density. Estimates then maximise likelihood × prior, and standard errors include it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Density {
    /// Normal in the parameter; in ln(c/(1 − c)) for guessing.
    Normal {
        /// Its mean.
        mean: f64,
        /// Its standard deviation, above 0.
        sd: f64,
    },
    /// Log-normal, for slopes: ln a is normal.
    LogNormal {
        /// Mean of ln a.
        mean: f64,
        /// Standard deviation of ln a, above 0.
        sd: f64,
    },
    /// Beta in c, for guessing: ∝ c^(α − 1) (1 − c)^(β − 1).
    Beta {
        /// α, above 1.
        alpha: f64,
        /// β, above 1.
        beta: f64,
    },
}

/// A prior on one kind of parameter of an item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// Which parameter.
    pub parameter: Parameter,
    /// Its density.
    pub density: Density,
}

/// An item whose parameters are known and stay as they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Anchor {
    /// Its parameters.
    pub parameters: ItemParameters,
    /// The answer that each category stands for, lowest category first.
    pub values: Vec<i32>,
}

/// What is to be estimated of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemSpecification {
    /// Its response model; ignored where it is anchored.
    pub model: Model,
    /// The dimension it measures, from 0.
    pub dimension: usize,
    /// Known parameters, `None` where they are estimated.
    pub anchor: Option<Anchor>,
    /// Whether each group has parameters of its own; by default groups share them.
    pub by_group: bool,
    /// Priors.
    pub priors: Vec<Prior>,
}

/// How the first group's population is identified. Other groups' means and variances are free
/// wherever a shared or anchored item ties them to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reference {
    /// Per dimension: mean 0; variance 1 where a slope is estimated, free otherwise; both free
    /// where an item is anchored. Correlations are free.
    #[default]
    Automatic,
    /// Means 0 and variances 1; correlations are free.
    Standard,
    /// Everything free: only for anchored items.
    Free,
}

/// What is to be estimated.
#[derive(Debug, Clone, PartialEq)]
pub struct Specification {
    /// One an item of the responses.
    pub items: Vec<ItemSpecification>,
    /// Dimensions, 1 to [`N_DIMENSIONS_MAX`].
    pub n_dimensions: usize,
    /// The first group's population.
    pub reference: Reference,
    /// Whether correlations are fixed at 0.
    pub uncorrelated: bool,
}

impl Specification {
    /// All items of one model on one dimension, shared by all groups. Three-parameter items get
    /// the guessing prior Beta(5, 17), whose mode is 0.2.
    #[must_use]
    pub fn of(model: Model, n_items: usize) -> Self {
        let guessing = Density::Beta { alpha: 5.0, beta: 17.0 };
        let prior = Prior { parameter: Parameter::Guessing, density: guessing };
        let priors = if model == Model::ThreeParameter { vec![prior] } else { Vec::new() };
        let item = ItemSpecification { model, dimension: 0, anchor: None, by_group: false, priors };
        Self {
            items: vec![item; n_items],
            n_dimensions: 1,
            reference: Reference::Automatic,
            uncorrelated: false,
        }
    }

    /// The same with each item on the dimension given; there are as many as the highest tells.
    ///
    /// # Panics
    /// If there is not one dimension an item.
    #[must_use]
    pub fn on_dimensions(mut self, dimension_of_item: &[usize]) -> Self {
        assert_eq!(dimension_of_item.len(), self.items.len(), "one dimension an item");
        for (item, &dimension) in self.items.iter_mut().zip(dimension_of_item) {
            item.dimension = dimension;
        }
        self.n_dimensions = dimension_of_item.iter().max().map_or(1, |highest| highest + 1);
        self
    }
}

/// Whose answers they are.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// The answers.
    pub responses: &'a Responses,
    /// Each person's group, from 0; `None` where all are one group.
    pub groups: Option<&'a [u32]>,
    /// Each person's sampling weight, taken as it is: a weight of 2 counts as two such persons.
    pub weights: Option<&'a [f64]>,
}

impl<'a> Sample<'a> {
    /// One group, everybody weighing 1.
    #[must_use]
    pub fn of(responses: &'a Responses) -> Self {
        Self { responses, groups: None, weights: None }
    }
}

/// How to estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Nodes a dimension; `None`: 61, 31, 15 or 11 for one to four dimensions.
    pub n_nodes: Option<usize>,
    /// The last node in logits; the first is its negative.
    pub range: f64,
    /// Converged when no derivative of the log-likelihood (with priors: of the log-posterior) per
    /// person exceeds this.
    pub tolerance: f64,
    /// The most cycles of expectation and maximisation.
    pub cycles_max: u32,
    /// The most Newton steps.
    pub newton_steps_max: u32,
    /// Threads to use, at least 1. Results do not depend on it.
    pub threads: usize,
    /// Whether standard errors are wanted; they cost up to half of the whole.
    pub standard_errors: bool,
}

impl Default for Options {
    /// 61 nodes (fewer in more dimensions) on ±6, tolerance 1e-6, one thread, standard errors.
    fn default() -> Self {
        Self {
            n_nodes: None,
            range: 6.0,
            tolerance: 1e-6,
            cycles_max: 500,
            newton_steps_max: 50,
            threads: 1,
            standard_errors: true,
        }
    }
}

/// Estimates what `specification` asks for.
///
/// Cost: per cycle O(patterns × items × nodes), shared among neighbouring patterns; the observed
/// information O(patterns × parameters²) once or a few times. Accuracy: parameters and standard
/// errors within 1e-7 of Newton's method in another language at a tolerance of 1e-10 (test
/// `golden_calibration`).
///
/// # Errors
/// [`CalibrateError`] where nothing sensible can be estimated. What can be estimated but should
/// be doubted is in [`Calibration::flags`]; whether the tolerance was met in
/// [`Calibration::converged`].
pub fn calibrate(
    sample: &Sample<'_>,
    specification: &Specification,
    options: &Options,
) -> Result<Calibration, CalibrateError> {
    calibrate_from(sample, specification, options, None)
}

/// The same, starting where another calibration of the same items ended (same models; items or
/// populations may differ in what is shared). Warm starts save most cycles, and do not change
/// the result.
///
/// # Errors
/// As [`calibrate`].
pub fn calibrate_from(
    sample: &Sample<'_>,
    specification: &Specification,
    options: &Options,
    start: Option<&Calibration>,
) -> Result<Calibration, CalibrateError> {
    let plan = plan::Plan::new(sample, specification, options)?;
    let data = data::Data::new(sample, &plan, options.threads)?;
    let engine = engine::Engine::new(&plan, &data, options);
    let phi = plan.start(start);
    let fitted = fit::fit(&engine, phi, options);
    report::report(&engine, &fitted, options)
}
