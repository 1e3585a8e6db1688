use rand::Rng;

use super::{Bank, ScoreError, bulk};
use crate::chance::uniform;
use crate::kernels::Tables;
use crate::kernels::joint::Joint;
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
    let maps = bank.categories(responses)?;
    let grid = bulk::grid(bank);
    let prepared = bulk::prepare(bank, &grid, &responses.rows(), &maps);
    let tables: Vec<Tables> = prepared.iter().map(|one| one.tables.clone()).collect();
    let n = grid.n_dimensions;
    let joint = Joint::new(&bulk::weights(bank, &grid), grid.nodes.len(), grid.width, n);
    let mut points: Vec<Vec<f64>> = Vec::with_capacity(grid.n_points());
    grid.for_each(|_, theta| points.push(theta.to_vec()));
    let spacing = grid.nodes[1] - grid.nodes[0];
    let mut posterior = joint.scratch();
    let mut people = Vec::with_capacity(responses.n_persons());
    for (person, any) in bulk::answered(responses).into_iter().enumerate() {
        if !any {
            people.push(None);
            continue;
        }
        let codes: Vec<&[u8]> = prepared
            .iter()
            .map(|one| {
                let n_blocks = one.patterned.blocks.n_blocks();
                &one.patterned.codes[person * n_blocks..(person + 1) * n_blocks]
            })
            .collect();
        joint.posterior(&tables, &codes, &mut posterior);
        let weights = joint.full(&posterior);
        let (mean, map) = moments(&weights, &points, spacing);
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
fn moments(weights: &[f64], points: &[Vec<f64>], spacing: f64) -> (Vec<f64>, Matrix) {
    let n = points[0].len();
    let mean: Vec<f64> =
        (0..n).map(|d| weights.iter().zip(points).map(|(w, p)| w * p[d]).sum()).collect();
    let covariance = Matrix::from_fn(n, n, |d, e| {
        let both = |p: &Vec<f64>| (p[d] - mean[d]) * (p[e] - mean[e]);
        weights.iter().zip(points).map(|(w, p)| w * both(p)).sum()
    });
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
