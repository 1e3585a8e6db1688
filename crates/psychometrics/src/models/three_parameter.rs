use super::{CategoryAt, ItemModel, ModelError, all_finite, logistic};

/// The three-parameter logistic model: two categories, with guessing.
///
/// P(X = 1 | θ) = c + (1 − c) σ(aθ + d), with 0 ≤ c < 1; the difficulty is b = −d/a.
///
/// # References
/// Birnbaum 1968, in Lord & Novick, *Statistical Theories of Mental Test Scores*, chapter 17.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThreeParameter {
    slope: f64,
    intercept: f64,
    guessing: f64,
}

impl ThreeParameter {
    /// From the slope a, the intercept d and the guessing probability c.
    ///
    /// # Errors
    /// [`ModelError`] if a number is not finite or c is outside [0, 1).
    pub fn new(slope: f64, intercept: f64, guessing: f64) -> Result<Self, ModelError> {
        all_finite("slope", &[slope])?;
        all_finite("intercept", &[intercept])?;
        if !(0.0..1.0).contains(&guessing) {
            return Err(ModelError::Guessing { value: guessing });
        }
        Ok(Self { slope, intercept, guessing })
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

    /// The probability c of a right answer at θ = −∞, in [0, 1).
    #[must_use]
    pub fn guessing(&self) -> f64 {
        self.guessing
    }
}

impl ItemModel for ThreeParameter {
    fn n_categories(&self) -> usize {
        2
    }

    fn for_each_category<F: FnMut(CategoryAt)>(&self, theta: f64, mut visit: F) {
        let (a, c) = (self.slope, self.guessing);
        let (reach, miss) = logistic(a * theta + self.intercept);
        visit(CategoryAt {
            category: 0,
            probability: (1.0 - c) * miss,
            slope: -a * reach,
            curvature: -a * a * reach * (miss - reach),
        });
        let probability = c + (1.0 - c) * reach;
        // Without guessing the ratio is 1 even where both sides underflow.
        let known = if c > 0.0 { (1.0 - c) * reach / probability } else { 1.0 };
        visit(CategoryAt {
            category: 1,
            probability,
            slope: a * known * miss,
            curvature: a * a * known * miss * (miss - reach),
        });
    }
}
