use super::bulk::JointPosteriors;
use super::{Bank, ScoreError};
use crate::matrix::Matrix;
use crate::parallel;
use crate::responses::Responses;

/// Persons a task.
const PERSONS_PER_TASK: usize = 256;

/// Mean and covariance of one person's posterior.
#[derive(Debug, Clone, PartialEq)]
pub struct PosteriorMoments {
    /// Posterior mean of each dimension, in logits: the EAP score.
    pub mean: Vec<f64>,
    /// Posterior covariance; its diagonal has the squared standard errors.
    pub covariance: Matrix,
}

/// Every person's EAP with the full posterior covariance; `None` for persons without any answer.
///
/// θ̂ = Σ w θ and Σ w (θ − θ̂)(θ − θ̂)ᵀ over the bank's grid of one to four dimensions, w the
/// posterior weights. Cost: the whole grid a person. Results do not depend on `threads`.
/// Accuracy: means, errors and covariances of two dimensions within 1e-8 of R `mirt`
/// (`golden_scores`).
///
/// # Errors
/// As [`super::score`].
/// # References
/// Bock & Mislevy 1982, *Applied Psychological Measurement* 6, 431–444,
/// doi:10.1177/014662168200600405.
pub fn posterior_moments(
    bank: &Bank,
    responses: &Responses,
    threads: usize,
) -> Result<Vec<Option<PosteriorMoments>>, ScoreError> {
    let posteriors = JointPosteriors::new(bank, responses)?;
    let points = posteriors.points();
    let n_persons = posteriors.n_persons();
    let parts = parallel::map(threads, n_persons.div_ceil(PERSONS_PER_TASK), |task| {
        let first = task * PERSONS_PER_TASK;
        let mut posterior = posteriors.scratch();
        let mut one = |person: usize| {
            let is_found = posteriors.find(person, &mut posterior);
            is_found.then(|| moments(&posteriors.weights(&posterior), &points))
        };
        let last = (first + PERSONS_PER_TASK).min(n_persons);
        (first..last).map(&mut one).collect::<Vec<_>>()
    });
    Ok(parts.into_iter().flatten().collect())
}

/// Mean and covariance of weights over points.
pub(super) fn moments(weights: &[f64], points: &[Vec<f64>]) -> PosteriorMoments {
    let n = points[0].len();
    let mean: Vec<f64> =
        (0..n).map(|d| weights.iter().zip(points).map(|(w, p)| w * p[d]).sum()).collect();
    let covariance = Matrix::from_fn(n, n, |d, e| {
        let both = |p: &Vec<f64>| (p[d] - mean[d]) * (p[e] - mean[e]);
        weights.iter().zip(points).map(|(w, p)| w * both(p)).sum()
    });
    PosteriorMoments { mean, covariance }
}
