//! Models in which P(X = k | θ) ∝ exp(sₖθ + cₖ): all that differs is where sₖ and cₖ come from.

use super::{CategoryAt, ItemModel, ModelError, all_finite, categories_in_range, slope_positive};

/// Walks the categories of P(X = k) ∝ exp(sₖθ + cₖ), given (sₖ, cₖ).
///
/// Then ∂ log Pₖ/∂θ = sₖ − s̄ and P″ₖ/Pₖ = (sₖ − s̄)² − Var(s), mean and variance under P. Slopes
/// are counted from that of the likeliest category, which keeps the derivative of an answer that is
/// all but certain above 0 to the last: its sign says where a likelihood still rises.
fn walk<F: FnMut(CategoryAt)>(
    n_categories: usize,
    theta: f64,
    terms: impl Fn(usize) -> (f64, f64),
    mut visit: F,
) {
    let exponent = |category| {
        let (s, c) = terms(category);
        s * theta + c
    };
    let (mut largest, mut origin) = (f64::NEG_INFINITY, 0.0);
    for category in 0..n_categories {
        if exponent(category) > largest {
            (largest, origin) = (exponent(category), terms(category).0);
        }
    }
    let (mut total, mut mean) = (0.0, 0.0);
    for category in 0..n_categories {
        let weight = libm::exp(exponent(category) - largest);
        total += weight;
        mean += weight * (terms(category).0 - origin);
    }
    mean /= total;
    let mut variance = 0.0;
    for category in 0..n_categories {
        let deviation = terms(category).0 - origin - mean;
        variance += libm::exp(exponent(category) - largest) * deviation * deviation;
    }
    variance /= total;
    for category in 0..n_categories {
        let slope = terms(category).0 - origin - mean;
        visit(CategoryAt {
            category,
            probability: libm::exp(exponent(category) - largest) / total,
            slope,
            curvature: slope * slope - variance,
        });
    }
}

/// 0, then the running sums of `steps`.
fn running_sums(steps: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut sums = vec![0.0];
    let mut sum = 0.0;
    for step in steps {
        sum += step;
        sums.push(sum);
    }
    sums
}

/// Muraki's generalised partial credit model.
///
/// P(X = k | θ) ∝ exp(k a θ + dₖ), d₀ = 0; the step difficulties are bₖ = −(dₖ − dₖ₋₁)/a, in
/// logits of θ, and need not be in order.
///
/// # References
/// Muraki 1992, *Appl. Psychol. Meas.* 16, 159–176, doi:10.1177/014662169201600206.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneralisedPartialCredit {
    slope: f64,
    /// d₀ = 0, d₁, …
    intercepts: Vec<f64>,
}

impl GeneralisedPartialCredit {
    /// From the slope a and the intercepts d₁, d₂, … (d₀ = 0 is not given).
    ///
    /// # Errors
    /// [`ModelError`] if a number is not finite or there is no intercept.
    pub fn new(slope: f64, intercepts: &[f64]) -> Result<Self, ModelError> {
        all_finite("slope", &[slope])?;
        all_finite("intercept", intercepts)?;
        categories_in_range(intercepts.len() + 1)?;
        let intercepts = [&[0.0], intercepts].concat();
        Ok(Self { slope, intercepts })
    }

    /// From the slope a > 0 and the step difficulties b₁, b₂, … in logits of θ.
    ///
    /// # Errors
    /// [`ModelError`] as for [`GeneralisedPartialCredit::new`], and if the slope is not positive.
    pub fn from_steps(slope: f64, steps: &[f64]) -> Result<Self, ModelError> {
        slope_positive(slope)?;
        all_finite("step", steps)?;
        categories_in_range(steps.len() + 1)?;
        Ok(Self { slope, intercepts: running_sums(steps.iter().map(|b| -slope * b)) })
    }

    /// The slope a, in logits of the answer per logit of θ.
    #[must_use]
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// The intercepts d₁, d₂, …, in logits.
    #[must_use]
    pub fn intercepts(&self) -> &[f64] {
        &self.intercepts[1..]
    }
}

impl ItemModel for GeneralisedPartialCredit {
    fn n_categories(&self) -> usize {
        self.intercepts.len()
    }

    fn for_each_category<F: FnMut(CategoryAt)>(&self, theta: f64, visit: F) {
        let terms = |k: usize| (k as f64 * self.slope, self.intercepts[k]);
        walk(self.intercepts.len(), theta, terms, visit);
    }
}

/// Masters' partial credit model: [`GeneralisedPartialCredit`] with slope 1.
///
/// P(X = k | θ) ∝ exp(kθ + dₖ), d₀ = 0. The latent variance is free when it is estimated.
///
/// # References
/// Masters 1982, *Psychometrika* 47, 149–174, doi:10.1007/BF02296272.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialCredit(GeneralisedPartialCredit);

impl PartialCredit {
    /// From the intercepts d₁, d₂, … (d₀ = 0 is not given).
    ///
    /// # Errors
    /// [`ModelError`] if a number is not finite or there is none.
    pub fn new(intercepts: &[f64]) -> Result<Self, ModelError> {
        GeneralisedPartialCredit::new(1.0, intercepts).map(Self)
    }

    /// From the step difficulties b₁, b₂, … in logits of θ.
    ///
    /// # Errors
    /// [`ModelError`] if a number is not finite or there is none.
    pub fn from_steps(steps: &[f64]) -> Result<Self, ModelError> {
        GeneralisedPartialCredit::from_steps(1.0, steps).map(Self)
    }

    /// The intercepts d₁, d₂, …, in logits.
    #[must_use]
    pub fn intercepts(&self) -> &[f64] {
        self.0.intercepts()
    }
}

impl ItemModel for PartialCredit {
    fn n_categories(&self) -> usize {
        self.0.n_categories()
    }

    fn for_each_category<F: FnMut(CategoryAt)>(&self, theta: f64, visit: F) {
        self.0.for_each_category(theta, visit);
    }
}

/// Andrich's rating scale model: partial credit with the same steps for every item.
///
/// P(X = k | θ) ∝ exp(k(θ − b) − τ₁ − … − τₖ), with the item's location b and steps τⱼ that a
/// whole set of items shares, all in logits of θ.
///
/// # References
/// Andrich 1978, *Psychometrika* 43, 561–573, doi:10.1007/BF02293814.
#[derive(Debug, Clone, PartialEq)]
pub struct RatingScale {
    location: f64,
    steps: Vec<f64>,
    /// −(τ₁ + … + τₖ) − kb.
    intercepts: Vec<f64>,
}

impl RatingScale {
    /// From the item's location b and the shared steps τ₁, τ₂, …
    ///
    /// # Errors
    /// [`ModelError`] if a number is not finite or there is no step.
    pub fn new(location: f64, steps: &[f64]) -> Result<Self, ModelError> {
        all_finite("location", &[location])?;
        all_finite("step", steps)?;
        categories_in_range(steps.len() + 1)?;
        let intercepts = running_sums(steps.iter().map(|step| -(location + step)));
        Ok(Self { location, steps: steps.to_vec(), intercepts })
    }

    /// The item's location b, in logits of θ.
    #[must_use]
    pub fn location(&self) -> f64 {
        self.location
    }

    /// The shared steps τ₁, τ₂, …, in logits of θ.
    #[must_use]
    pub fn steps(&self) -> &[f64] {
        &self.steps
    }
}

impl ItemModel for RatingScale {
    fn n_categories(&self) -> usize {
        self.intercepts.len()
    }

    fn for_each_category<F: FnMut(CategoryAt)>(&self, theta: f64, visit: F) {
        walk(self.intercepts.len(), theta, |k| (k as f64, self.intercepts[k]), visit);
    }
}

/// The two-parameter logistic model: P(X = 1 | θ) = σ(aθ + d), b = −d/a.
///
/// # References
/// Birnbaum 1968, in Lord & Novick, *Statistical Theories of Mental Test Scores*, chapter 17.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoParameter {
    slope: f64,
    intercept: f64,
}

impl TwoParameter {
    /// From the slope a and the intercept d.
    ///
    /// # Errors
    /// [`ModelError::NotFinite`] if either is not a finite number.
    pub fn new(slope: f64, intercept: f64) -> Result<Self, ModelError> {
        all_finite("slope", &[slope])?;
        all_finite("intercept", &[intercept])?;
        Ok(Self { slope, intercept })
    }

    /// The slope a, in logits of the answer per logit of θ.
    #[must_use]
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// The intercept d, in logits.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }
}

impl ItemModel for TwoParameter {
    fn n_categories(&self) -> usize {
        2
    }

    fn for_each_category<F: FnMut(CategoryAt)>(&self, theta: f64, visit: F) {
        walk(2, theta, |k| (k as f64 * self.slope, k as f64 * self.intercept), visit);
    }
}

/// Rasch's model: P(X = 1 | θ) = σ(θ + d), b = −d. The latent variance is free when estimated.
///
/// # References
/// Rasch 1960, *Probabilistic Models for Some Intelligence and Attainment Tests*.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rasch {
    intercept: f64,
}

impl Rasch {
    /// From the intercept d, the negative of the difficulty.
    ///
    /// # Errors
    /// [`ModelError::NotFinite`] if it is not a finite number.
    pub fn new(intercept: f64) -> Result<Self, ModelError> {
        all_finite("intercept", &[intercept])?;
        Ok(Self { intercept })
    }

    /// The intercept d, in logits.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }
}

impl ItemModel for Rasch {
    fn n_categories(&self) -> usize {
        2
    }

    fn for_each_category<F: FnMut(CategoryAt)>(&self, theta: f64, visit: F) {
        walk(2, theta, |k| (k as f64, k as f64 * self.intercept), visit);
    }
}

/// Bock's nominal model: P(X = k | θ) ∝ exp(aₖθ + cₖ), categories in no particular order.
///
/// Only differences between categories matter; estimation fixes a₀ = c₀ = 0.
///
/// # References
/// Bock 1972, *Psychometrika* 37, 29–51, doi:10.1007/BF02291411.
#[derive(Debug, Clone, PartialEq)]
pub struct Nominal {
    slopes: Vec<f64>,
    intercepts: Vec<f64>,
}

impl Nominal {
    /// From one slope aₖ and one intercept cₖ for each category, the first included.
    ///
    /// # Errors
    /// [`ModelError`] if a number is not finite, the lists differ in length, or a category alone.
    pub fn new(slopes: &[f64], intercepts: &[f64]) -> Result<Self, ModelError> {
        all_finite("slope", slopes)?;
        all_finite("intercept", intercepts)?;
        categories_in_range(slopes.len())?;
        let (given, wanted) = (intercepts.len(), slopes.len());
        if given != wanted {
            return Err(ModelError::Length { what: "intercepts, one a category", given, wanted });
        }
        Ok(Self { slopes: slopes.to_vec(), intercepts: intercepts.to_vec() })
    }

    /// The slopes aₖ, one a category.
    #[must_use]
    pub fn slopes(&self) -> &[f64] {
        &self.slopes
    }

    /// The intercepts cₖ, one a category.
    #[must_use]
    pub fn intercepts(&self) -> &[f64] {
        &self.intercepts
    }
}

impl ItemModel for Nominal {
    fn n_categories(&self) -> usize {
        self.slopes.len()
    }

    fn for_each_category<F: FnMut(CategoryAt)>(&self, theta: f64, visit: F) {
        walk(self.slopes.len(), theta, |k| (self.slopes[k], self.intercepts[k]), visit);
    }
}
