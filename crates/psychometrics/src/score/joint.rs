use super::{Bank, ScoreError, bulk};
use crate::kernels::Tables;
use crate::kernels::joint::Joint;
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
    let maps = bank.categories(responses)?;
    let grid = bulk::grid(bank);
    let prepared = bulk::prepare(bank, &grid, &responses.rows(), &maps);
    let tables: Vec<Tables> = prepared.iter().map(|one| one.tables.clone()).collect();
    let n = grid.n_dimensions;
    let joint = Joint::new(&bulk::weights(bank, &grid), grid.nodes.len(), grid.width, n);
    let mut points: Vec<Vec<f64>> = Vec::with_capacity(grid.n_points());
    grid.for_each(|_, theta| points.push(theta.to_vec()));
    let any = bulk::answered(responses);
    let n_tasks = any.len().div_ceil(PERSONS_PER_TASK);
    let parts = parallel::map(threads, n_tasks, |task| {
        let first = task * PERSONS_PER_TASK;
        let mut posterior = joint.scratch();
        let mut one = |person: usize| {
            if !any[person] {
                return None;
            }
            let codes: Vec<&[u8]> = prepared
                .iter()
                .map(|one| {
                    let n_blocks = one.patterned.blocks.n_blocks();
                    &one.patterned.codes[person * n_blocks..(person + 1) * n_blocks]
                })
                .collect();
            joint.posterior(&tables, &codes, &mut posterior);
            Some(moments(&joint.full(&posterior), &points))
        };
        let last = (first + PERSONS_PER_TASK).min(any.len());
        (first..last).map(&mut one).collect::<Vec<_>>()
    });
    Ok(parts.into_iter().flatten().collect())
}

fn moments(weights: &[f64], points: &[Vec<f64>]) -> PosteriorMoments {
    let n = points[0].len();
    let mean: Vec<f64> =
        (0..n).map(|d| weights.iter().zip(points).map(|(w, p)| w * p[d]).sum()).collect();
    let covariance = Matrix::from_fn(n, n, |d, e| {
        let both = |p: &Vec<f64>| (p[d] - mean[d]) * (p[e] - mean[e]);
        weights.iter().zip(points).map(|(w, p)| w * both(p)).sum()
    });
    PosteriorMoments { mean, covariance }
}
