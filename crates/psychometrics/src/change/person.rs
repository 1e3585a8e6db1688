//! Reliable change of one person.

use super::{ChangeError, check_finite, check_level, check_positive};
use crate::distributions::{normal_cdf, normal_quantile};

/// One person's change against what measurement error alone would do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliableChange {
    /// Standard error of one score, in score units; of the later one where they differ.
    pub standard_error: f64,
    /// Standard error of the difference.
    pub standard_error_of_difference: f64,
    /// The difference in units of its standard error.
    pub index: f64,
    /// Two-sided probability of so large an index without true change.
    pub p: f64,
    /// Whether the change is more than error at the level asked for.
    pub reliable: bool,
    /// The smallest difference that would be.
    pub smallest_reliable: f64,
}

/// A score with its own standard error, such as an ability estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The estimate.
    pub value: f64,
    /// Its standard error, in the same unit.
    pub standard_error: f64,
}

/// Jacobson and Truax's reliable change index.
///
/// RCI = (after − before)/(√2 · SEM), SEM = sd √(1 − reliability); `sd` and `reliability` are
/// those of the norm group at the first occasion; reliable when |RCI| exceeds the two-sided normal
/// quantile of `level`. Regression to the mean is not taken out.
/// Accuracy: 1e-12 against arithmetic done in R (`golden_classical`).
///
/// # Errors
/// A score that is not a number, `sd` not positive, reliability outside [0, 1), level outside
/// (0, 1).
/// # References
/// Jacobson & Truax 1991, *Journal of Consulting and Clinical Psychology* 59, 12–19,
/// doi:10.1037/0022-006X.59.1.12.
pub fn reliable_change(
    before: f64,
    after: f64,
    sd: f64,
    reliability: f64,
    level: f64,
) -> Result<ReliableChange, ChangeError> {
    check_positive("the standard deviation", sd)?;
    if !(0.0..1.0).contains(&reliability) {
        return Err(ChangeError::BadReliability { reliability });
    }
    let standard_error = sd * libm::sqrt(1.0 - reliability);
    let score = |value| Score { value, standard_error };
    reliable_change_of_scores(score(before), score(after), level)
}

/// Reliable change of two scores that carry their own standard errors.
///
/// z = (after − before)/√(se₁² + se₂²). With posterior (shrunken) scores the index is conservative:
/// both are pulled to the mean. Accuracy: 1e-12 (`golden_classical`).
///
/// # Errors
/// A score that is not a number, a standard error that is not positive, level outside (0, 1).
pub fn reliable_change_of_scores(
    before: Score,
    after: Score,
    level: f64,
) -> Result<ReliableChange, ChangeError> {
    check_level(level)?;
    check_finite("the earlier score", before.value)?;
    check_finite("the later score", after.value)?;
    check_positive("the earlier standard error", before.standard_error)?;
    check_positive("the later standard error", after.standard_error)?;
    let spread = libm::hypot(before.standard_error, after.standard_error);
    let index = (after.value - before.value) / spread;
    let quantile = -normal_quantile(0.5 * (1.0 - level));
    Ok(ReliableChange {
        standard_error: after.standard_error,
        standard_error_of_difference: spread,
        index,
        p: 2.0 * normal_cdf(-index.abs()),
        reliable: index.abs() > quantile,
        smallest_reliable: quantile * spread,
    })
}
