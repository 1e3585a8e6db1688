//! EAP by the kernels.

use super::{Bank, EapScores, Score, ScoreError};
use crate::calibrate::{Grid, Population};
use crate::kernels::joint::Joint;
use crate::kernels::{Patterned, Tables, moments};
use crate::models::ItemModel;
use crate::parallel;
use crate::responses::{MISSING, Patterns, Responses};

/// Persons a task.
const PERSONS_PER_TASK: usize = 16_384;

/// One dimension's answers and likelihoods.
pub(super) struct Prepared {
    pub(super) patterned: Patterned,
    pub(super) tables: Tables,
}

/// Rows of everybody, and one dimension after the other as blocks.
pub(super) fn prepare(
    bank: &Bank,
    grid: &Grid,
    rows: &Patterns,
    maps: &[Vec<u8>],
) -> Vec<Prepared> {
    (0..bank.n_dimensions())
        .map(|dimension| {
            let on = |&item: &usize| bank.items[item].dimension == dimension;
            let items: Vec<usize> = (0..bank.items.len()).filter(on).collect();
            let categories: Vec<&[u8]> = items.iter().map(|&item| &maps[item][..]).collect();
            let n_categories: Vec<usize> =
                items.iter().map(|&item| bank.items[item].parameters.n_categories()).collect();
            let patterned = Patterned::new(rows, &items, &categories, &n_categories);
            let probabilities: Vec<Vec<f64>> = items
                .iter()
                .map(|&item| probabilities(&bank.items[item].parameters, grid))
                .collect();
            let slices: Vec<&[f64]> = probabilities.iter().map(Vec::as_slice).collect();
            let tables = Tables::new(&patterned.blocks, &slices, grid.width);
            Prepared { patterned, tables }
        })
        .collect()
}

fn probabilities(item: &impl ItemModel, grid: &Grid) -> Vec<f64> {
    let mut table = vec![0.0; item.n_categories() * grid.width];
    for (at, &theta) in grid.nodes.iter().enumerate() {
        item.for_each_category(theta, |category| {
            table[category.category * grid.width + at] =
                category.probability.max(f64::MIN_POSITIVE);
        });
    }
    table
}

pub(super) fn grid(bank: &Bank) -> Grid {
    Grid::new(bank.n_nodes, bank.range, bank.n_dimensions())
}

pub(super) fn weights(bank: &Bank, grid: &Grid) -> Vec<f64> {
    Population { mean: bank.mean.clone(), covariance: bank.covariance.clone() }.weights(grid)
}

/// Which persons gave any answer.
pub(super) fn answered(responses: &Responses) -> Vec<bool> {
    let mut any = vec![false; responses.n_persons()];
    for item in 0..responses.n_items() {
        for (any, &code) in any.iter_mut().zip(responses.codes(item)) {
            *any |= code != MISSING;
        }
    }
    any
}

fn tasks(n_persons: usize) -> Vec<std::ops::Range<usize>> {
    let starts = (0..n_persons).step_by(PERSONS_PER_TASK);
    starts.map(|start| start..(start + PERSONS_PER_TASK).min(n_persons)).collect()
}

pub(super) fn eap(
    bank: &Bank,
    responses: &Responses,
    threads: usize,
) -> Result<EapScores, ScoreError> {
    let maps = bank.categories(responses)?;
    let grid = grid(bank);
    let Prepared { patterned, tables } = &prepare(bank, &grid, &responses.rows(), &maps)[0];
    let pad = |mut values: Vec<f64>| {
        values.resize(grid.width, 0.0);
        values
    };
    let (prior, nodes) = (pad(weights(bank, &grid)), pad(grid.nodes.clone()));
    let n_blocks = patterned.blocks.n_blocks();
    let tasks = tasks(responses.n_persons());
    let parts = parallel::map(threads, tasks.len(), |task| {
        let range = tasks[task].clone();
        let codes = &patterned.codes[range.start * n_blocks..range.end * n_blocks];
        let (mut theta, mut se) = (vec![0.0; range.len()], vec![0.0; range.len()]);
        moments(tables, &prior, &nodes, codes, &mut theta, &mut se);
        (theta, se)
    });
    let (mut theta, mut se) = (Vec::new(), Vec::new());
    for part in parts {
        theta.extend(part.0);
        se.extend(part.1);
    }
    for (person, any) in answered(responses).into_iter().enumerate() {
        if !any {
            (theta[person], se[person]) = (f64::NAN, f64::NAN);
        }
    }
    Ok(EapScores { theta, se })
}

pub(super) fn joint(
    bank: &Bank,
    responses: &Responses,
    threads: usize,
) -> Result<Vec<Option<Score>>, ScoreError> {
    let maps = bank.categories(responses)?;
    let grid = grid(bank);
    let prepared = prepare(bank, &grid, &responses.rows(), &maps);
    let tables: Vec<Tables> = prepared.iter().map(|one| one.tables.clone()).collect();
    let joint = Joint::new(&weights(bank, &grid), grid.nodes.len(), grid.width, grid.n_dimensions);
    let any = answered(responses);
    let tasks = tasks(responses.n_persons());
    let parts = parallel::map(threads, tasks.len(), |task| {
        let mut posterior = joint.scratch();
        tasks[task]
            .clone()
            .map(|person| {
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
                let moments = posterior.marginals.iter().map(|p| mean_and_sd(p, &grid.nodes));
                let (theta, se) = moments.unzip();
                Some(Score { theta, se })
            })
            .collect::<Vec<_>>()
    });
    Ok(parts.into_iter().flatten().collect())
}

fn mean_and_sd(p: &[f64], nodes: &[f64]) -> (f64, f64) {
    let mean: f64 = p.iter().zip(nodes).map(|(p, theta)| p * theta).sum();
    let square = |theta: f64| (theta - mean) * (theta - mean);
    let variance: f64 = p.iter().zip(nodes).map(|(p, &theta)| p * square(theta)).sum();
    (mean, libm::sqrt(variance))
}
