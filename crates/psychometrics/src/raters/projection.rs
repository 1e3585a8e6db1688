//! Spearman and Brown: reliability of more raters, raters for more reliability.

use super::RatersError;

/// Reliability when a test, or a panel of raters, becomes `factor` times as long.
///
/// kρ/(1 + (k − 1)ρ), of a reliability ρ > −1/(k − 1).
///
/// # References
/// Spearman 1910, *British Journal of Psychology* 3, 271–295,
/// doi:10.1111/j.2044-8295.1910.tb00206.x.
#[must_use]
pub fn projected_reliability(reliability: f64, factor: f64) -> f64 {
    factor * reliability / (1.0 + (factor - 1.0) * reliability)
}

/// The fewest raters whose mean reaches the reliability `wanted`, when one rater has `icc1`.
///
/// k ≥ ρ*(1 − ρ)/(ρ(1 − ρ*)), both in (0, 1).
///
/// # Errors
/// A reliability outside (0, 1): below 0 no number of raters helps.
pub fn raters_needed(icc1: f64, wanted: f64) -> Result<u32, RatersError> {
    for reliability in [icc1, wanted] {
        if !(reliability > 0.0 && reliability < 1.0) {
            return Err(RatersError::BadReliability { reliability });
        }
    }
    let exact = wanted * (1.0 - icc1) / (icc1 * (1.0 - wanted));
    // A whole number reached but for rounding is that number.
    Ok(libm::ceil(exact - 1e-9).clamp(1.0, f64::from(u32::MAX)) as u32)
}
