//! EAP by the kernels.

use super::{Bank, EapScores, Score, ScoreError};
use crate::calibrate::{Grid, Population};
use crate::kernels::joint::{Joint, Moment};
use crate::kernels::{Patterned, Tables, moments};
use crate::models::ItemModel;
use crate::parallel;
use crate::responses::{MISSING, Patterns, Responses};

/// Persons a task.
const PERSONS_PER_TASK: usize = 16_384;

/// One dimension's answers and likelihoods.
struct Prepared {
    patterned: Patterned,
    tables: Tables,
}

/// Rows of everybody, and one dimension after the other as blocks.
fn prepare(bank: &Bank, grid: &Grid, rows: &Patterns, maps: &[Vec<u8>]) -> Vec<Prepared> {
    (0..bank.n_dimensions())
        .map(|dimension| {
            let on = |&item: &usize| bank.items[item].dimension == dimension;
            let items: Vec<usize> = (0..bank.items.len()).filter(on).collect();
            let categories: Vec<&[u8]> = items.iter().map(|&item| &maps[item][..]).collect();
            let n_categories: Vec<usize> =
                items.iter().map(|&item| bank.items[item].parameters.n_categories()).collect();
            let patterned = Patterned::new(rows, &items, &categories, &n_categories, 1);
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
fn answered(responses: &Responses) -> Vec<bool> {
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

/// Everybody's posterior over the grid of all dimensions, one person at a time.
pub(super) struct JointPosteriors {
    pub(super) grid: Grid,
    joint: Joint,
    answers: Vec<Patterned>,
    tables: Vec<Tables>,
    any: Vec<bool>,
}

impl JointPosteriors {
    pub(super) fn new(bank: &Bank, responses: &Responses) -> Result<Self, ScoreError> {
        let maps = bank.categories(responses)?;
        let grid = grid(bank);
        let prepared = prepare(bank, &grid, &responses.rows(), &maps);
        let (answers, tables) = prepared.into_iter().map(|one| (one.patterned, one.tables)).unzip();
        let (n_nodes, n_dimensions) = (grid.nodes.len(), grid.n_dimensions);
        let joint = Joint::new(&weights(bank, &grid), n_nodes, grid.width, n_dimensions);
        Ok(Self { grid, joint, answers, tables, any: answered(responses) })
    }

    pub(super) fn n_persons(&self) -> usize {
        self.any.len()
    }

    pub(super) fn scratch(&self) -> Moment {
        self.joint.scratch()
    }

    /// Puts a person's posterior into `out`; false, and `out` as it was, if there is no answer.
    pub(super) fn find(&self, person: usize, out: &mut Moment) -> bool {
        if !self.any[person] {
            return false;
        }
        let codes: Vec<&[u8]> = self
            .answers
            .iter()
            .map(|one| {
                let n_blocks = one.blocks.n_blocks();
                &one.codes[person * n_blocks..(person + 1) * n_blocks]
            })
            .collect();
        self.joint.posterior(&self.tables, &codes, out);
        true
    }

    /// The posterior over the grid's points.
    pub(super) fn weights(&self, posterior: &Moment) -> Vec<f64> {
        self.joint.full(posterior)
    }

    /// The grid's points, in the order of their weights.
    pub(super) fn points(&self) -> Vec<Vec<f64>> {
        let mut points: Vec<Vec<f64>> = Vec::with_capacity(self.grid.n_points());
        self.grid.for_each(|_, theta| points.push(theta.to_vec()));
        points
    }
}

pub(super) fn joint(
    bank: &Bank,
    responses: &Responses,
    threads: usize,
) -> Result<Vec<Option<Score>>, ScoreError> {
    let posteriors = JointPosteriors::new(bank, responses)?;
    let tasks = tasks(posteriors.n_persons());
    let parts = parallel::map(threads, tasks.len(), |task| {
        let mut posterior = posteriors.scratch();
        let mut one = |person: usize| {
            posteriors.find(person, &mut posterior).then(|| {
                let nodes = &posteriors.grid.nodes;
                let moments = posterior.marginals.iter().map(|p| mean_and_sd(p, nodes));
                let (theta, se) = moments.unzip();
                Score { theta, se }
            })
        };
        tasks[task].clone().map(&mut one).collect::<Vec<_>>()
    });
    Ok(parts.into_iter().flatten().collect())
}

fn mean_and_sd(p: &[f64], nodes: &[f64]) -> (f64, f64) {
    let mean: f64 = p.iter().zip(nodes).map(|(p, theta)| p * theta).sum();
    let square = |theta: f64| (theta - mean) * (theta - mean);
    let variance: f64 = p.iter().zip(nodes).map(|(p, &theta)| p * square(theta)).sum();
    (mean, libm::sqrt(variance))
}
