use rand::Rng;

use super::bulk::JointPosteriors;
use super::joint::{PosteriorMoments, moments};
use super::{Bank, ScoreError};
use crate::chance::uniform;
use crate::matrix::Matrix;
use crate::responses::Responses;

/// `n_draws` draws of every person's θ from its posterior; `None` for persons without any answer.
///
/// For each person, `n_draws` lists of one number a dimension. A draw takes a point of the grid by
/// its posterior weight and a place within that point's cell; a linear map then gives the draws
/// the posterior's mean and covariance exactly in expectation (cells alone would add their own
/// variance, spacing²/12). Cost: one posterior a person and a search a draw.
///
/// # Errors
/// As [`super::score`].
/// # References
/// Mislevy 1991, *Psychometrika* 56, 177–196, doi:10.1007/BF02294457.
pub fn plausible_values(
    bank: &Bank,
    responses: &Responses,
    n_draws: usize,
    chance: &mut impl Rng,
) -> Result<Vec<Option<Vec<Vec<f64>>>>, ScoreError> {
    let posteriors = JointPosteriors::new(bank, responses)?;
    let (points, nodes) = (posteriors.points(), &posteriors.grid.nodes);
    let n = posteriors.grid.n_dimensions;
    let spacing = nodes[1] - nodes[0];
    let mut posterior = posteriors.scratch();
    let mut people = Vec::with_capacity(posteriors.n_persons());
    for person in 0..posteriors.n_persons() {
        if !posteriors.find(person, &mut posterior) {
            people.push(None);
            continue;
        }
        let weights = posteriors.weights(&posterior);
        let (mean, map) = mean_and_map(&weights, &points, spacing);
        let mut total = 0.0;
        let cumulative: Vec<f64> = weights
            .iter()
            .map(|w| {
                total += w;
                total
            })
            .collect();
        let draw = |_| {
            let u = uniform(chance) * total;
            let at = cumulative.partition_point(|&c| c < u).min(points.len() - 1);
            let off: Vec<f64> = (0..n)
                .map(|d| points[at][d] + spacing * (uniform(chance) - 0.5) - mean[d])
                .collect();
            (0..n).map(|d| mean[d] + (0..n).map(|e| map.at(d, e) * off[e]).sum::<f64>()).collect()
        };
        people.push(Some((0..n_draws).map(draw).collect()));
    }
    Ok(people)
}

/// The posterior's mean, and the map A with A (C + s²/12) Aᵀ = C.
fn mean_and_map(weights: &[f64], points: &[Vec<f64>], spacing: f64) -> (Vec<f64>, Matrix) {
    let PosteriorMoments { mean, covariance } = moments(weights, points);
    let n = mean.len();
    let cell = spacing * spacing / 12.0;
    let wider = Matrix::from_fn(n, n, |d, e| covariance.at(d, e) + if d == e { cell } else { 0.0 });
    match (covariance.cholesky(), wider.cholesky()) {
        (Ok(narrow), Ok(wide)) => {
            let map = narrow.lower().times(&wide.lower_inverse());
            (mean, map)
        }
        // All mass on one line of the grid: nothing to correct.
        _ => (mean, Matrix::identity(n)),
    }
}
