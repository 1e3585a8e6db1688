//! Response models: what an item says about a trait θ.
//!
//! Logistic metric with D = 1. Categories count from 0, the lowest. Each model is a struct whose
//! constructor refuses impossible parameters, so that a value which exists gives probabilities
//! that are positive and sum to one. All of them implement [`ItemModel`], whose one required
//! walk over the categories yields the rest. [`ItemParameters`] holds any of them, for banks of
//! mixed models; its methods choose the model once per call, and [`ItemModel::fill_log_table`]
//! once per table.
//!
//! Only `libm` functions are used, so that the results have the same bits on every processor.

mod exponential;
mod graded;
mod three_parameter;

pub use exponential::{
    GeneralisedPartialCredit, Nominal, PartialCredit, Rasch, RatingScale, TwoParameter,
};
pub use graded::Graded;
pub use three_parameter::ThreeParameter;

/// The most categories an item may have: an answer fits in a byte, one value of which is "missing".
pub const N_CATEGORIES_MAX: usize = 255;

/// One category of an item at a given θ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CategoryAt {
    /// Its position, from 0, the lowest.
    pub category: usize,
    /// P(X = k | θ), in (0, 1); 0 only where it underflows, beyond |aθ + d| of about 700.
    pub probability: f64,
    /// ∂ log P / ∂θ, per logit of θ. Finite even where the probability underflows.
    pub slope: f64,
    /// (∂²P / ∂θ²) / P. The second derivative of log P is this less the square of `slope`.
    pub curvature: f64,
}

/// Why a set of numbers is not an item, or does not fit one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A parameter is NaN or infinite.
    #[error("{parameter} number {position} is {value}, not a finite number")]
    NotFinite {
        /// Which parameter, in the words of the constructor's documentation.
        parameter: &'static str,
        /// Its position, from 0.
        position: usize,
        /// The value given.
        value: f64,
    },
    /// Graded intercepts must fall, and thresholds rise, from each category to the next.
    #[error("{parameter} number {position} ({value}) is out of order after {previous}")]
    OutOfOrder {
        /// Which parameter, in the words of the constructor's documentation.
        parameter: &'static str,
        /// Position of the later one, from 0.
        position: usize,
        /// The value before it.
        previous: f64,
        /// The value given.
        value: f64,
    },
    /// An item needs at least two categories and at most [`N_CATEGORIES_MAX`].
    #[error("{n_categories} categories: an item has 2 to 255")]
    CategoryCount {
        /// How many the parameters describe.
        n_categories: usize,
    },
    /// A slope that must be positive, because thresholds are stated in units of θ.
    #[error("slope {value} is not above 0, which thresholds in units of θ need")]
    SlopeNotPositive {
        /// The value given.
        value: f64,
    },
    /// A guessing parameter outside [0, 1).
    #[error("guessing parameter {value} is outside [0, 1)")]
    Guessing {
        /// The value given.
        value: f64,
    },
    /// Two lists that must have one entry a category, or one a step, differ in length.
    #[error("{what}: {given} given, {wanted} wanted")]
    Length {
        /// What is counted.
        what: &'static str,
        /// Entries given.
        given: usize,
        /// Entries wanted.
        wanted: usize,
    },
    /// A mean over items was asked of no items.
    #[error("no items: their mean has no value")]
    NoItems,
}

/// What all response models share.
///
/// Implementors give [`for_each_category`](Self::for_each_category); everything else follows.
pub trait ItemModel {
    /// How many categories the item has, 2 to [`N_CATEGORIES_MAX`].
    fn n_categories(&self) -> usize;

    /// Calls `visit` for each category, lowest first, with its probability at `theta` (in logits)
    /// and the first two derivatives. Cost: one or two exponentials a category.
    fn for_each_category<F: FnMut(CategoryAt)>(&self, theta: f64, visit: F);

    /// Writes P(X = k | θ) for every category.
    ///
    /// # Panics
    /// If `out` does not have one entry a category.
    fn probabilities(&self, theta: f64, out: &mut [f64]) {
        assert_eq!(out.len(), self.n_categories(), "one entry a category");
        self.for_each_category(theta, |at| out[at.category] = at.probability);
    }

    /// Writes ∂P/∂θ and ∂²P/∂θ² for every category.
    ///
    /// # Panics
    /// If either list does not have one entry a category.
    fn derivatives(&self, theta: f64, first: &mut [f64], second: &mut [f64]) {
        assert_eq!(first.len(), self.n_categories(), "one entry a category");
        assert_eq!(second.len(), self.n_categories(), "one entry a category");
        self.for_each_category(theta, |at| {
            first[at.category] = at.probability * at.slope;
            second[at.category] = at.probability * at.curvature;
        });
    }

    /// Fisher information about θ that the item is expected to give: Σₖ (∂Pₖ/∂θ)² / Pₖ.
    ///
    /// Units: per squared logit. Accuracy: 1e-8 against R `mirt` (test `golden_models`).
    fn information(&self, theta: f64) -> f64 {
        let mut sum = 0.0;
        self.for_each_category(theta, |at| sum += at.probability * at.slope * at.slope);
        sum
    }

    /// The expected category, Σₖ k Pₖ, in categories from 0.
    fn expected_score(&self, theta: f64) -> f64 {
        let mut sum = 0.0;
        self.for_each_category(theta, |at| sum += at.category as f64 * at.probability);
        sum
    }

    /// The expected value of an answer when category k is worth `values[k]`: Σₖ vₖ Pₖ.
    ///
    /// With the share of chances each answer stands for (for example 0.05, 0.25, 0.5, 0.75, 0.95)
    /// this is the expected share of chances taken. Units: those of `values`.
    ///
    /// # Errors
    /// [`ModelError::Length`] unless there is one value a category.
    fn expected_value(&self, theta: f64, values: &[f64]) -> Result<f64, ModelError> {
        let (given, wanted) = (values.len(), self.n_categories());
        if given != wanted {
            return Err(ModelError::Length { what: "values, one a category", given, wanted });
        }
        let mut sum = 0.0;
        self.for_each_category(theta, |at| sum += values[at.category] * at.probability);
        Ok(sum)
    }

    /// Writes log P(X = k | θ) at each of `thetas`: all thetas of category 0 first, then of 1, …
    ///
    /// A probability that underflows counts as the smallest normal number (log ≈ −708.4), so that
    /// a sum over items is never infinite.
    ///
    /// # Panics
    /// If `out` is not categories × thetas long.
    fn fill_log_table(&self, thetas: &[f64], out: &mut [f64]) {
        assert_eq!(out.len(), self.n_categories() * thetas.len(), "categories × thetas");
        for (position, &theta) in thetas.iter().enumerate() {
            self.for_each_category(theta, |at| {
                let probability = at.probability.max(f64::MIN_POSITIVE);
                out[at.category * thetas.len() + position] = libm::log(probability);
            });
        }
    }
}

/// The parameters of one item, whatever its model.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ItemParameters {
    /// Samejima's graded response model.
    Graded(Graded),
    /// Muraki's generalised partial credit model.
    GeneralisedPartialCredit(GeneralisedPartialCredit),
    /// Masters' partial credit model.
    PartialCredit(PartialCredit),
    /// Andrich's rating scale model.
    RatingScale(RatingScale),
    /// The two-parameter logistic model.
    TwoParameter(TwoParameter),
    /// The three-parameter logistic model, with guessing.
    ThreeParameter(ThreeParameter),
    /// Rasch's model.
    Rasch(Rasch),
    /// Bock's nominal model.
    Nominal(Nominal),
}

/// Evaluates `$body` with `$model` bound to the concrete model, so that its loop is static.
macro_rules! with_model {
    ($parameters:expr, $model:ident => $body:expr) => {
        match $parameters {
            ItemParameters::Graded($model) => $body,
            ItemParameters::GeneralisedPartialCredit($model) => $body,
            ItemParameters::PartialCredit($model) => $body,
            ItemParameters::RatingScale($model) => $body,
            ItemParameters::TwoParameter($model) => $body,
            ItemParameters::ThreeParameter($model) => $body,
            ItemParameters::Rasch($model) => $body,
            ItemParameters::Nominal($model) => $body,
        }
    };
}

impl ItemModel for ItemParameters {
    fn n_categories(&self) -> usize {
        with_model!(self, model => model.n_categories())
    }

    fn for_each_category<F: FnMut(CategoryAt)>(&self, theta: f64, visit: F) {
        with_model!(self, model => model.for_each_category(theta, visit));
    }

    fn fill_log_table(&self, thetas: &[f64], out: &mut [f64]) {
        with_model!(self, model => model.fill_log_table(thetas, out));
    }
}

/// The mean over `items` of [`ItemModel::expected_value`] at one θ: the expected share of chances
/// that a person at `theta` takes, when `values` holds the share each answer stands for.
///
/// Units: those of `values`. Cost: one walk over the categories an item.
///
/// # Errors
/// [`ModelError::Length`] if an item's categories and `values` differ in number,
/// [`ModelError::NoItems`] if there are none.
pub fn expected_share<'a, M: ItemModel + 'a>(
    items: impl IntoIterator<Item = &'a M>,
    theta: f64,
    values: &[f64],
) -> Result<f64, ModelError> {
    let (mut sum, mut n_items) = (0.0, 0_u32);
    for item in items {
        sum += item.expected_value(theta, values)?;
        n_items += 1;
    }
    if n_items == 0 { Err(ModelError::NoItems) } else { Ok(sum / f64::from(n_items)) }
}

/// σ(x) and 1 − σ(x), both with full relative accuracy, from one exponential.
fn logistic(x: f64) -> (f64, f64) {
    let small = libm::exp(-x.abs());
    let (larger, smaller) = (1.0 / (1.0 + small), small / (1.0 + small));
    if x >= 0.0 { (larger, smaller) } else { (smaller, larger) }
}

fn all_finite(parameter: &'static str, values: &[f64]) -> Result<(), ModelError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(position) => {
            Err(ModelError::NotFinite { parameter, position, value: values[position] })
        }
        None => Ok(()),
    }
}

fn categories_in_range(n_categories: usize) -> Result<(), ModelError> {
    if (2..=N_CATEGORIES_MAX).contains(&n_categories) {
        Ok(())
    } else {
        Err(ModelError::CategoryCount { n_categories })
    }
}

fn slope_positive(value: f64) -> Result<(), ModelError> {
    all_finite("slope", &[value])?;
    if value > 0.0 { Ok(()) } else { Err(ModelError::SlopeNotPositive { value }) }
}
