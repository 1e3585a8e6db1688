//! The graded response model: one item whose answers are ordered categories.
//!
//! An item with discrimination `a` and thresholds `b_1 < … < b_m` has the categories `0..=m`, and
//! `P(X >= k) = 1 / (1 + exp(-a (θ - b_k)))` for `k` in `1..=m` (Samejima, F. (1969), Estimation
//! of latent ability using a response pattern of graded scores, Psychometrika Monograph 17).
//! The metric is logistic: no factor 1.7 is applied.
//!
//! Every result is bit-identical on every processor: the order of operations is fixed, nothing is
//! fused, and the transcendental functions come from `libm`.

use thiserror::Error;

/// Why an item, or a question put to it, was refused.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum GradedError {
    /// The discrimination is not a finite number above zero.
    #[error("the discrimination must be finite and above 0, not {value}")]
    Discrimination {
        /// The discrimination given.
        value: f64,
    },
    /// Without a threshold an item has a single category and says nothing.
    #[error("an item needs at least one threshold")]
    NoThresholds,
    /// A threshold is infinite or not a number.
    #[error("the threshold at place {place} (from 0) must be finite, not {value}")]
    ThresholdNotFinite {
        /// Its place in the list, from 0.
        place: usize,
        /// The threshold given.
        value: f64,
    },
    /// A threshold does not lie above the one before it.
    #[error("the threshold at place {place} (from 0) is {value}, not above {previous} before it")]
    NotAscending {
        /// Its place in the list, from 0.
        place: usize,
        /// The threshold given.
        value: f64,
        /// The threshold at the place before.
        previous: f64,
    },
    /// The item has no such category.
    #[error("category {category} asked of an item with {categories} categories (from 0)")]
    NoSuchCategory {
        /// The category asked for, from 0.
        category: usize,
        /// How many categories the item has.
        categories: usize,
    },
    /// There must be one weight for each category.
    #[error("{weights} weights given for {categories} categories")]
    WeightCount {
        /// How many weights were given.
        weights: usize,
        /// How many categories the item has.
        categories: usize,
    },
}

/// An item of the graded response model; one that exists has usable parameters.
///
/// ```
/// use psychometrics::graded::GradedItem;
///
/// let item = GradedItem::new(1.2, vec![-1.0, 0.0, 1.0])?;
/// assert_eq!(item.categories(), 4);
/// let half = item.expected_weight(0.0, &[0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0])?;
/// assert!((half - 0.5).abs() < 1e-15);
/// # Ok::<(), psychometrics::graded::GradedError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GradedItem {
    discrimination: f64,
    thresholds: Vec<f64>,
}

impl GradedItem {
    /// An item of this discrimination (`a`, per unit of θ) and these thresholds (`b`, on θ).
    ///
    /// # Errors
    ///
    /// When the discrimination is not finite and above 0, when there is no threshold, or when the
    /// thresholds are not finite and strictly ascending; the first fault found is named.
    pub fn new(discrimination: f64, thresholds: Vec<f64>) -> Result<Self, GradedError> {
        if !(discrimination.is_finite() && discrimination > 0.0) {
            return Err(GradedError::Discrimination { value: discrimination });
        }
        if thresholds.is_empty() {
            return Err(GradedError::NoThresholds);
        }
        for (place, &value) in thresholds.iter().enumerate() {
            if !value.is_finite() {
                return Err(GradedError::ThresholdNotFinite { place, value });
            }
            if place > 0 && value <= thresholds[place - 1] {
                let previous = thresholds[place - 1];
                return Err(GradedError::NotAscending { place, value, previous });
            }
        }
        Ok(Self { discrimination, thresholds })
    }

    /// The discrimination `a`, per unit of θ: finite and above 0.
    pub fn discrimination(&self) -> f64 {
        self.discrimination
    }

    /// The thresholds `b_1 < … < b_m`, on θ: finite, strictly ascending, at least one.
    pub fn thresholds(&self) -> &[f64] {
        &self.thresholds
    }

    /// How many categories the item has: one more than it has thresholds.
    pub fn categories(&self) -> usize {
        self.thresholds.len() + 1
    }

    /// The probability of an answer in this category (from 0) at `theta`.
    ///
    /// The relative error stays below 1e-12 even far in the tails, because the probability is
    /// formed as a product and not as a difference of two nearly equal numbers. A `theta` that is
    /// not a number gives a result that is not a number.
    ///
    /// # Errors
    ///
    /// [`GradedError::NoSuchCategory`] when the item has no such category.
    pub fn probability(&self, theta: f64, category: usize) -> Result<f64, GradedError> {
        self.check_category(category)?;
        Ok(self.probability_of(theta, category))
    }

    /// The probabilities of all categories at `theta`, in order; they sum to 1 within rounding.
    pub fn probabilities(&self, theta: f64) -> Vec<f64> {
        (0..self.categories()).map(|category| self.probability_of(theta, category)).collect()
    }

    /// The expected weight of the answer at `theta`, when category `k` weighs `weights[k]`.
    ///
    /// With the weights 0, 1, …, m it is the expected item score; with weights from 0 to 1 it is
    /// the expected share.
    ///
    /// # Errors
    ///
    /// [`GradedError::WeightCount`] unless there is one weight for each category.
    pub fn expected_weight(&self, theta: f64, weights: &[f64]) -> Result<f64, GradedError> {
        let categories = self.categories();
        if weights.len() != categories {
            return Err(GradedError::WeightCount { weights: weights.len(), categories });
        }
        let mut expected = 0.0;
        for (category, weight) in weights.iter().enumerate() {
            expected += weight * self.probability_of(theta, category);
        }
        Ok(expected)
    }

    pub(crate) fn check_category(&self, category: usize) -> Result<(), GradedError> {
        let categories = self.categories();
        if category < categories {
            Ok(())
        } else {
            Err(GradedError::NoSuchCategory { category, categories })
        }
    }

    /// The part of the log probability of a category that depends on `theta`.
    ///
    /// What is left out, `ln(1 - exp(-a (b_upper - b_lower)))`, is the same at every `theta`, so a
    /// posterior does not need it; leaving it out keeps the sum finite for thresholds that all
    /// but coincide. The category must exist.
    pub(crate) fn log_shape(&self, theta: f64, category: usize) -> f64 {
        let mut log = 0.0;
        if category > 0 {
            log += log_logistic(self.discrimination * (theta - self.thresholds[category - 1]));
        }
        if category < self.thresholds.len() {
            log += log_logistic(self.discrimination * (self.thresholds[category] - theta));
        }
        log
    }

    // With L the logistic function and u > v: L(u) - L(v) = L(u) L(-v) (1 - exp(v - u)).
    fn probability_of(&self, theta: f64, category: usize) -> f64 {
        let a = self.discrimination;
        let lower = category.checked_sub(1).map(|place| self.thresholds[place]);
        let upper = self.thresholds.get(category).copied();
        match (lower, upper) {
            (Some(lower), Some(upper)) => {
                let ends = logistic(a * (theta - lower)) * logistic(a * (upper - theta));
                ends * one_less_exp(a * (upper - lower))
            }
            (Some(lower), None) => logistic(a * (theta - lower)),
            (None, Some(upper)) => logistic(a * (upper - theta)),
            (None, None) => 1.0,
        }
    }
}

/// `1 / (1 + exp(-z))`, without overflow and accurate in both tails.
fn logistic(z: f64) -> f64 {
    if z < 0.0 {
        let e = libm::exp(z);
        e / (1.0 + e)
    } else {
        1.0 / (1.0 + libm::exp(-z))
    }
}

/// `ln(1 / (1 + exp(-z)))`, without overflow.
fn log_logistic(z: f64) -> f64 {
    if z < 0.0 { z - libm::log(1.0 + libm::exp(z)) } else { -libm::log(1.0 + libm::exp(-z)) }
}

/// `1 - exp(-d)` for `d >= 0`, relative error below 1e-12.
///
/// Below 1e-3 the series up to `d^5` is exact to a double (the next term is `d^5 / 720` of the
/// result), where the plain difference would lose the digits that the subtraction cancels.
fn one_less_exp(d: f64) -> f64 {
    if d < 1e-3 {
        d * (1.0 - d / 2.0 * (1.0 - d / 3.0 * (1.0 - d / 4.0 * (1.0 - d / 5.0))))
    } else {
        1.0 - libm::exp(-d)
    }
}
