//! The observed information, exactly: the Hessian of the marginal log-likelihood.
//!
//! Louis' identity: with G the complete-data score of a pattern as a function of θ,
//! H = Σ w (E[∂G] + E[G Gᵀ] − E\[G\] E\[G\]ᵀ), expectations under the pattern's posterior. E[∂G]
//! comes from the expected counts; the rest is the posterior covariance of the score. On one
//! dimension [`louis`] adds it up for all patterns at once; on several it is done pattern by
//! pattern.

use super::data::GroupData;
use super::engine::{Engine, Point};
use super::expect::{block_tables, padded, probability_tables, tasks};
use crate::kernels::joint::{Joint, Moment as Posterior};
use crate::kernels::{Batch, Tables, louis};
use crate::matrix::Matrix;
use crate::parallel;
use crate::responses::MISSING;

/// The Hessian of the log-posterior at `point`.
pub(super) fn hessian(engine: &Engine<'_>, point: &Point) -> Matrix {
    let mut sum = point.complete.clone();
    for group in 0..engine.data.groups.len() {
        let covariance = if engine.grid.n_dimensions == 1 {
            in_one_dimension(engine, point, group)
        } else {
            by_pattern(engine, point, group)
        };
        sum.add_all(&covariance);
    }
    sum
}

/// The score of every item as a function of θ.
struct Scores {
    /// Per item of the group: category-major, then parameter, then node (padded).
    items: Vec<Vec<f64>>,
    /// Per item, the free parameter of each of its own.
    places: Vec<Vec<Option<usize>>>,
    /// Per free moment, over the grid.
    moments: Vec<Vec<f64>>,
    moment_places: Vec<usize>,
}

fn scores(engine: &Engine<'_>, point: &Point, group: usize) -> Scores {
    let (plan, grid) = (engine.plan, &engine.grid);
    let (mut items, mut places) = (Vec::new(), Vec::new());
    for &at in &plan.of_group[group] {
        let instance = &plan.instances[at];
        let (n, q) = (instance.family.n_parameters(), grid.nodes.len());
        let mut table = vec![0.0; instance.family.n_categories * n * q];
        instance.family.scores(&instance.xi(&point.phi), &grid.nodes, &mut table);
        items.push(padded(&table, q, grid.width));
        places.push(instance.slots.iter().map(|slot| slot.free()).collect());
    }
    let population = plan.population(&point.phi, group);
    let (free, moment_places) = plan.free_moments(group);
    let moments = population.scores(grid, &free, &population.weights(grid));
    Scores { items, places, moments, moment_places }
}

/// Σ w Cov(G) of a group on one dimension.
pub(super) fn in_one_dimension(engine: &Engine<'_>, point: &Point, group: usize) -> Matrix {
    let (plan, grid, data) = (engine.plan, &engine.grid, &engine.data.groups[group]);
    let probabilities = probability_tables(plan, grid, &point.phi);
    let dimension = &data.dimensions[0];
    let tables = block_tables(plan, group, dimension, &probabilities, grid.width);
    let weights = plan.population(&point.phi, group).weights(grid);
    let prior = padded(&weights, weights.len(), grid.width);
    let Scores { items, places, moments, moment_places } = scores(engine, point, group);
    let own = louis::Scores {
        items,
        n_parameters: places.iter().map(Vec::len).collect(),
        common: moments.iter().map(|row| padded(row, row.len(), grid.width)).collect(),
    };
    let batch = Batch { codes: &dimension.codes, weights: &data.weights };
    let blocks = &dimension.blocks;
    let covariance = louis::covariance(&tables, blocks, &prior, batch, &own, engine.threads);
    let places: Vec<Option<usize>> =
        places.into_iter().flatten().chain(moment_places.into_iter().map(Some)).collect();
    let mut sum = Matrix::zeros(plan.n_free, plan.n_free);
    for (i, row) in places.iter().enumerate() {
        for (j, column) in places.iter().enumerate() {
            if let (Some(row), Some(column)) = (*row, *column) {
                sum.add(row, column, covariance.at(i, j));
            }
        }
    }
    sum
}

/// Σ w Cov(G), pattern by pattern. Any number of dimensions; O(nodes × parameters²) a pattern.
pub(super) fn by_pattern(engine: &Engine<'_>, point: &Point, group: usize) -> Matrix {
    let (plan, grid, data) = (engine.plan, &engine.grid, &engine.data.groups[group]);
    let probabilities = probability_tables(plan, grid, &point.phi);
    let tables: Vec<Tables> = data
        .dimensions
        .iter()
        .map(|dimension| block_tables(plan, group, dimension, &probabilities, grid.width))
        .collect();
    let weights = plan.population(&point.phi, group).weights(grid);
    let joint = Joint::new(&weights, grid.nodes.len(), grid.width, grid.n_dimensions);
    let scores = scores(engine, point, group);
    let tasks = tasks(data.weights.len());
    let parts = parallel::map(engine.threads, tasks.len(), |task| {
        let mut sum = PatternSum::new(engine, data, &scores, &joint, &tables);
        tasks[task].clone().for_each(|pattern| sum.add(pattern));
        sum.sum
    });
    parts.into_iter().fold(Matrix::zeros(plan.n_free, plan.n_free), |mut sum, part| {
        sum.add_all(&part);
        sum
    })
}

/// Adds up patterns' covariances.
struct PatternSum<'a> {
    data: &'a GroupData,
    scores: &'a Scores,
    joint: &'a Joint,
    tables: &'a [Tables],
    n_nodes: usize,
    width: usize,
    posterior: Posterior,
    answers: Vec<Vec<u8>>,
    sum: Matrix,
}

/// A pattern's score in one dimension: free parameters and functions of the node, centred.
#[derive(Default)]
struct Own {
    places: Vec<usize>,
    /// One row of nodes a parameter.
    rows: Vec<Vec<f64>>,
}

impl<'a> PatternSum<'a> {
    fn new(
        engine: &'a Engine<'_>,
        data: &'a GroupData,
        scores: &'a Scores,
        joint: &'a Joint,
        tables: &'a [Tables],
    ) -> Self {
        let n_free = engine.plan.n_free;
        let answers =
            data.dimensions.iter().map(|dimension| vec![MISSING; dimension.items.len()]).collect();
        Self {
            data,
            scores,
            joint,
            tables,
            n_nodes: engine.grid.nodes.len(),
            width: engine.grid.width,
            posterior: joint.scratch(),
            answers,
            sum: Matrix::zeros(n_free, n_free),
        }
    }

    fn add(&mut self, pattern: usize) {
        let weight = self.data.weights[pattern];
        let mut codes: Vec<&[u8]> = Vec::new();
        for (dimension, answers) in self.data.dimensions.iter().zip(&mut self.answers) {
            let n_blocks = dimension.blocks.n_blocks();
            let own = &dimension.codes[pattern * n_blocks..(pattern + 1) * n_blocks];
            dimension.blocks.decode(own, answers);
            codes.push(own);
        }
        self.joint.posterior(self.tables, &codes, &mut self.posterior);
        let own: Vec<Own> = (0..codes.len()).map(|dimension| self.own(dimension)).collect();
        for (dimension, one) in own.iter().enumerate() {
            self.within(weight, dimension, one);
        }
        if own.len() > 1 || !self.scores.moments.is_empty() {
            self.across(weight, &own);
        }
    }

    fn own(&self, dimension: usize) -> Own {
        let marginal = &self.posterior.marginals[dimension];
        let mut own = Own::default();
        for (&item, &answer) in
            self.data.dimensions[dimension].items.iter().zip(&self.answers[dimension])
        {
            if answer == MISSING {
                continue;
            }
            let places = &self.scores.places[item];
            let start = usize::from(answer) * places.len();
            for (m, place) in places.iter().enumerate() {
                let Some(place) = *place else { continue };
                let row = &self.scores.items[item][(start + m) * self.width..][..self.n_nodes];
                if row.iter().all(|&value| value == 0.0) {
                    continue;
                }
                let mean: f64 = row.iter().zip(marginal).map(|(g, p)| g * p).sum();
                own.places.push(place);
                own.rows.push(row.iter().map(|g| g - mean).collect());
            }
        }
        own
    }

    fn within(&mut self, weight: f64, dimension: usize, own: &Own) {
        let marginal = self.posterior.marginals[dimension][..self.n_nodes].to_vec();
        for (i, row) in own.rows.iter().enumerate() {
            let weighted: Vec<f64> =
                row.iter().zip(&marginal).map(|(g, p)| weight * g * p).collect();
            for (j, other) in own.rows[..=i].iter().enumerate() {
                let value: f64 = weighted.iter().zip(other).map(|(a, b)| a * b).sum();
                self.symmetric(own.places[i], own.places[j], value, i == j);
            }
        }
    }

    /// Adds to both halves; a product of a parameter with itself met twice (shared parameters)
    /// counts twice.
    fn symmetric(&mut self, i: usize, j: usize, value: f64, once: bool) {
        self.sum.add(i, j, value);
        if !once {
            self.sum.add(j, i, value);
        }
    }

    /// Between dimensions, and with the population's moments, over the whole grid.
    fn across(&mut self, weight: f64, own: &[Own]) {
        let full = self.joint.full(&self.posterior);
        let (n, n_dimensions) = (self.n_nodes, own.len());
        let stride = |dimension: usize| n.pow((n_dimensions - 1 - dimension) as u32);
        for d in 0..n_dimensions {
            for e in 0..d {
                let mut pair = vec![0.0; n * n];
                for (point, p) in full.iter().enumerate() {
                    pair[point / stride(d) % n * n + point / stride(e) % n] += p;
                }
                self.pair(weight, &own[d], &own[e], &pair);
            }
        }
        let moments: Vec<Vec<f64>> = self
            .scores
            .moments
            .iter()
            .map(|score| {
                let mean: f64 = score.iter().zip(&full).map(|(g, p)| g * p).sum();
                score.iter().zip(&full).map(|(g, p)| (g - mean) * p).collect()
            })
            .collect();
        for (i, weighted) in moments.iter().enumerate() {
            let place = self.scores.moment_places[i];
            for (j, score) in self.scores.moments[..=i].iter().enumerate() {
                let value: f64 = weighted.iter().zip(score).map(|(a, b)| a * b).sum();
                self.symmetric(place, self.scores.moment_places[j], weight * value, i == j);
            }
            for (d, own) in own.iter().enumerate() {
                let mut by_node = vec![0.0; n];
                for (point, value) in weighted.iter().enumerate() {
                    by_node[point / stride(d) % n] += value;
                }
                for (row, &other) in own.rows.iter().zip(&own.places) {
                    let value: f64 = row.iter().zip(&by_node).map(|(a, b)| a * b).sum();
                    self.symmetric(place, other, weight * value, false);
                }
            }
        }
    }

    fn pair(&mut self, weight: f64, one: &Own, other: &Own, pair: &[f64]) {
        let n = self.n_nodes;
        for (row, &i) in one.rows.iter().zip(&one.places) {
            let mut through = vec![0.0; n];
            for (g, joint) in row.iter().zip(pair.chunks_exact(n)) {
                through.iter_mut().zip(joint).for_each(|(sum, p)| *sum += weight * g * p);
            }
            for (row, &j) in other.rows.iter().zip(&other.places) {
                let value: f64 = row.iter().zip(&through).map(|(a, b)| a * b).sum();
                self.symmetric(i, j, value, false);
            }
        }
    }
}
