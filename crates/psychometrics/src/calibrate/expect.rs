//! The expectation step: expected counts of every item's categories at every node.

use super::data::{DimensionData, GroupData};
use super::latent::Grid;
use super::plan::Plan;
use crate::kernels::{Aligned, Batch, Tables, accumulate, joint::Joint};
use crate::parallel;

/// Patterns a task: results do not depend on the number of threads, because tasks are the same.
/// A task's counts are half a megabyte, which must be cleared and merged: a few tasks for few
/// patterns, more only where each is long.
const N_TASKS_MAX: usize = 16;
const N_SHORT_TASKS_MAX: usize = 4;
const PATTERNS_PER_TASK_MIN: usize = 2048;
const PATTERNS_PER_TASK_LONG: usize = 12_288;

/// What the data say at given parameters.
#[derive(Debug, Clone)]
pub(super) struct Expectation {
    pub(super) log_likelihood: f64,
    /// Per instance, category-major over the nodes (not padded).
    pub(super) counts: Vec<Vec<f64>>,
    /// Per group, over the grid's points.
    pub(super) populations: Vec<Vec<f64>>,
}

/// Probabilities of every instance, category-major in rows of padded nodes.
pub(super) fn probability_tables(plan: &Plan, grid: &Grid, phi: &[f64]) -> Vec<Vec<f64>> {
    let of = |instance: &super::plan::Instance| {
        let (n, q) = (instance.family.n_categories, grid.nodes.len());
        let mut table = vec![0.0; n * q];
        instance.family.probabilities(&instance.xi(phi), &grid.nodes, &mut table);
        padded(&table, q, grid.width)
    };
    plan.instances.iter().map(of).collect()
}

/// Rows of `n` numbers as rows of `width`, zeros behind.
pub(super) fn padded(rows: &[f64], n: usize, width: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(rows.len() / n * width);
    for row in rows.chunks_exact(n) {
        out.extend_from_slice(row);
        out.resize(out.len() + width - n, 0.0);
    }
    out
}

/// The likelihood rows of one group's dimension.
pub(super) fn block_tables(
    plan: &Plan,
    group: usize,
    dimension: &DimensionData,
    probabilities: &[Vec<f64>],
    width: usize,
) -> Tables {
    let instance = |&item: &usize| &probabilities[plan.of_group[group][item]][..];
    let items: Vec<&[f64]> = dimension.items.iter().map(instance).collect();
    Tables::new(&dimension.blocks, &items, width)
}

/// Start and end of each task's patterns.
pub(super) fn tasks(n_patterns: usize) -> Vec<std::ops::Range<usize>> {
    let n_short = (n_patterns / PATTERNS_PER_TASK_MIN).clamp(1, N_SHORT_TASKS_MAX);
    let n_tasks = (n_patterns / PATTERNS_PER_TASK_LONG).clamp(n_short, N_TASKS_MAX);
    let start = |task: usize| n_patterns * task / n_tasks;
    (0..n_tasks).map(|task| start(task)..start(task + 1)).collect()
}

pub(super) fn expect(
    plan: &Plan,
    grid: &Grid,
    groups: &[GroupData],
    phi: &[f64],
    threads: usize,
) -> Expectation {
    let probabilities = probability_tables(plan, grid, phi);
    let of_instance =
        |instance: &super::plan::Instance| vec![0.0; instance.family.n_categories * grid.width];
    let mut counts: Vec<Vec<f64>> = plan.instances.iter().map(of_instance).collect();
    let (mut log_likelihood, mut populations) = (0.0, Vec::new());
    for (group, data) in groups.iter().enumerate() {
        let tables: Vec<Tables> = data
            .dimensions
            .iter()
            .map(|dimension| block_tables(plan, group, dimension, &probabilities, grid.width))
            .collect();
        let weights = plan.population(phi, group).weights(grid);
        let found = if grid.n_dimensions == 1 {
            one_dimension(grid, data, &tables[0], &weights, threads)
        } else {
            many_dimensions(grid, data, &tables, &weights, threads)
        };
        log_likelihood += found.log_likelihood;
        populations.push(found.population);
        for (dimension, rows) in data.dimensions.iter().zip(&found.rows) {
            let place = |&item: &usize| plan.of_group[group][item];
            let places: Vec<usize> = dimension.items.iter().map(place).collect();
            let mut own: Vec<Vec<f64>> =
                places.iter().map(|&at| std::mem::take(&mut counts[at])).collect();
            dimension.blocks.sum_into_items(rows, grid.width, &mut own);
            places.into_iter().zip(own).for_each(|(at, summed)| counts[at] = summed);
        }
    }
    let q = grid.nodes.len();
    let trimmed =
        |rows: Vec<f64>| rows.chunks_exact(grid.width).flat_map(|row| row[..q].to_vec()).collect();
    Expectation { log_likelihood, counts: counts.into_iter().map(trimmed).collect(), populations }
}

/// One group's part.
struct GroupExpectation {
    log_likelihood: f64,
    /// Per dimension, shaped as its tables' rows.
    rows: Vec<Vec<f64>>,
    population: Vec<f64>,
}

fn one_dimension(
    grid: &Grid,
    data: &GroupData,
    tables: &Tables,
    weights: &[f64],
    threads: usize,
) -> GroupExpectation {
    let dimension = &data.dimensions[0];
    let n_blocks = dimension.blocks.n_blocks();
    let prior = padded(weights, weights.len(), grid.width);
    let tasks = tasks(data.weights.len());
    let parts = parallel::map(threads, tasks.len(), |task| {
        let range = tasks[task].clone();
        let batch = Batch {
            codes: &dimension.codes[range.start * n_blocks..range.end * n_blocks],
            weights: &data.weights[range],
        };
        let mut rows = Aligned::zeros(dimension.blocks.n_rows() * grid.width);
        let log_likelihood = accumulate(tables, &prior, batch, dimension.n_shared, &mut rows);
        (log_likelihood, rows)
    });
    let none = || (0.0, Aligned::zeros(dimension.blocks.n_rows() * grid.width));
    let (log_likelihood, rows) = parts.into_iter().reduce(merge).unwrap_or_else(none);
    let mut population = dimension.blocks.sum_all(&rows, grid.width);
    population.truncate(grid.nodes.len());
    GroupExpectation { log_likelihood, rows: vec![rows.to_vec()], population }
}

fn merge(mut a: (f64, Aligned), b: (f64, Aligned)) -> (f64, Aligned) {
    a.1.iter_mut().zip(b.1.iter()).for_each(|(sum, value)| *sum += value);
    (a.0 + b.0, a.1)
}

fn many_dimensions(
    grid: &Grid,
    data: &GroupData,
    tables: &[Tables],
    weights: &[f64],
    threads: usize,
) -> GroupExpectation {
    let joint = Joint::new(weights, grid.nodes.len(), grid.width, grid.n_dimensions);
    let tasks = tasks(data.weights.len());
    let parts = parallel::map(threads, tasks.len(), |task| {
        let range = tasks[task].clone();
        let codes: Vec<&[u8]> = data
            .dimensions
            .iter()
            .map(|dimension| {
                let n_blocks = dimension.blocks.n_blocks();
                &dimension.codes[range.start * n_blocks..range.end * n_blocks]
            })
            .collect();
        joint.accumulate(tables, &codes, &data.weights[range])
    });
    let mut parts = parts.into_iter();
    let mut sum = parts.next().unwrap_or_default();
    parts.for_each(|part| sum.add(&part));
    GroupExpectation {
        log_likelihood: sum.log_likelihood,
        population: joint.population(&sum),
        rows: sum.rows,
    }
}
