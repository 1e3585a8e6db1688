//! Reliability of scores that come from a response model.

use super::FitError;
use crate::models::ItemModel;
use crate::score::{Bank, ScoreError};

/// Marginal reliability of a test before anybody has taken it.
///
/// ∫ σ²I(θ)/(σ²I(θ) + 1) dG(θ), I the test information and σ² the population's variance: the mean
/// over the population of what a person's information makes of reliability. Accuracy: 1e-5 of R
/// `mirt` 1.47 (`golden_fit`).
///
/// # Errors
/// [`FitError::Score`] with more than one dimension.
/// # References
/// Green, Bock, Humphreys, Linn & Reckase 1984, *Journal of Educational Measurement* 21, 347–360,
/// doi:10.1111/j.1745-3984.1984.tb01039.x.
pub fn marginal_reliability(bank: &Bank) -> Result<f64, FitError> {
    bank.one_dimension("marginal reliability")?;
    let (nodes, weights) = bank.quadrature();
    let variance = bank.variance();
    let mut sum = 0.0;
    for (&theta, weight) in nodes.iter().zip(&weights) {
        let information = variance * test_information(bank, theta);
        sum += weight * information / (information + 1.0);
    }
    Ok(sum)
}

/// Empirical reliability of EAP scores: s²/(s² + mean of squared standard errors), s² the scores'
/// variance with denominator n − 1.
///
/// Accuracy: 1e-5 of R `mirt` 1.47 (`golden_fit`).
///
/// # Errors
/// [`FitError::Scores`] unless there are as many standard errors as scores, at least two, all
/// finite.
pub fn empirical_reliability(thetas: &[f64], errors: &[f64]) -> Result<f64, FitError> {
    let n = thetas.len();
    let finite = thetas.iter().chain(errors).all(|value| value.is_finite());
    if n != errors.len() || n < 2 || !finite {
        return Err(FitError::Scores { n_thetas: n, n_errors: errors.len() });
    }
    let mean = thetas.iter().sum::<f64>() / n as f64;
    let squares: f64 = thetas.iter().map(|theta| (theta - mean) * (theta - mean)).sum();
    let variance = squares / (n as f64 - 1.0);
    let error = errors.iter().map(|error| error * error).sum::<f64>() / n as f64;
    Ok(variance / (variance + error))
}

/// Standard error of a maximum likelihood score at θ: 1/√I(θ), in logits.
///
/// # Errors
/// [`FitError::Score`] with more than one dimension.
pub fn conditional_standard_error(bank: &Bank, theta: f64) -> Result<f64, ScoreError> {
    bank.one_dimension("conditional standard errors")?;
    Ok(1.0 / libm::sqrt(test_information(bank, theta)))
}

fn test_information(bank: &Bank, theta: f64) -> f64 {
    bank.items().iter().map(|item| item.parameters().information(theta)).sum()
}
