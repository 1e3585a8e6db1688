use super::{
    CategoryAt, ItemModel, ModelError, all_finite, categories_in_range, logistic, slope_positive,
};

/// Samejima's graded response model.
///
/// P(X ≥ k | θ) = σ(aθ + dₖ), k = 1 … K−1, with σ(z) = 1/(1 + e⁻ᶻ); in thresholds, σ(a(θ − bₖ))
/// with bₖ = −dₖ/a, in logits of θ. Any finite slope is allowed in the slope-intercept form, 0
/// included (an item that says nothing).
///
/// Accuracy: P(X = k) is computed as σ(xₖ) (1 − σ(xₖ₊₁)) (1 − e^(xₖ₊₁ − xₖ)) with xₖ = aθ + dₖ,
/// which keeps full relative accuracy in both tails, where the difference of two σ would cancel.
///
/// # References
/// Samejima 1969, *Psychometrika Monograph* 17, doi:10.1007/BF03372160.
#[derive(Debug, Clone, PartialEq)]
pub struct Graded {
    slope: f64,
    intercepts: Vec<f64>,
}

impl Graded {
    /// From the slope a and the intercepts d₁ > d₂ > … > d₍K−1₎, lowest step first.
    ///
    /// # Errors
    /// [`ModelError`] if a number is not finite, the intercepts do not fall, or there are none.
    pub fn new(slope: f64, intercepts: &[f64]) -> Result<Self, ModelError> {
        all_finite("slope", &[slope])?;
        all_finite("intercept", intercepts)?;
        categories_in_range(intercepts.len() + 1)?;
        in_order("intercept", intercepts, |previous, value| previous > value)?;
        Ok(Self { slope, intercepts: intercepts.to_vec() })
    }

    /// From the slope a > 0 and the thresholds b₁ < b₂ < … in logits of θ.
    ///
    /// # Errors
    /// [`ModelError`] as for [`Graded::new`], and if the slope is not positive.
    pub fn from_thresholds(slope: f64, thresholds: &[f64]) -> Result<Self, ModelError> {
        slope_positive(slope)?;
        all_finite("threshold", thresholds)?;
        in_order("threshold", thresholds, |previous, value| previous < value)?;
        Self::new(slope, &thresholds.iter().map(|b| -slope * b).collect::<Vec<_>>())
    }

    /// The slope a, in logits of the answer per logit of θ.
    #[must_use]
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// The intercepts d₁ > d₂ > …, in logits.
    #[must_use]
    pub fn intercepts(&self) -> &[f64] {
        &self.intercepts
    }
}

impl ItemModel for Graded {
    fn n_categories(&self) -> usize {
        self.intercepts.len() + 1
    }

    fn for_each_category<F: FnMut(CategoryAt)>(&self, theta: f64, mut visit: F) {
        let a = self.slope;
        // P(X ≥ k) and its complement; at k = 0 they are 1 and 0.
        let (mut reach, mut miss) = (1.0, 0.0);
        let mut previous = None;
        for category in 0..=self.intercepts.len() {
            let next = self.intercepts.get(category).copied();
            let (reach_next, miss_next) = next.map_or((0.0, 1.0), |d| logistic(a * theta + d));
            // d falls, so the gap is negative; it does not depend on θ.
            let gap = match (previous, next) {
                (Some(d), Some(d_next)) => -libm::expm1(d_next - d),
                _ => 1.0,
            };
            let slope = a * (miss - reach_next);
            let spread = reach * miss + reach_next * miss_next;
            visit(CategoryAt {
                category,
                probability: reach * miss_next * gap,
                slope,
                curvature: slope * slope - a * a * spread,
            });
            (reach, miss, previous) = (reach_next, miss_next, next);
        }
    }
}

fn in_order(
    parameter: &'static str,
    values: &[f64],
    holds: impl Fn(f64, f64) -> bool,
) -> Result<(), ModelError> {
    match values.windows(2).position(|pair| !holds(pair[0], pair[1])) {
        Some(at) => Err(ModelError::OutOfOrder {
            parameter,
            position: at + 1,
            previous: values[at],
            value: values[at + 1],
        }),
        None => Ok(()),
    }
}
