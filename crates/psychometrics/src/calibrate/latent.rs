//! The population on a grid: normal weights that sum to 1 over the nodes, and their derivatives.
//!
//! With x = θ − μ, y = Σ⁻¹x: log π(θ) = −½ xᵀy − log Z, Z the sum over the grid. Derivatives are
//! those of the normalised weights, so that a gradient of 0 is the maximum of the likelihood that
//! is computed, whatever the grid.

use crate::matrix::Matrix;

/// Kernels read whole lanes: rows of nodes are padded to a multiple of this.
pub(super) const LANES: usize = 8;

/// The nodes, the same for every dimension, and all their combinations.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    pub(crate) nodes: Vec<f64>,
    pub(crate) n_dimensions: usize,
    /// Nodes a dimension, rounded up to whole lanes.
    pub(crate) width: usize,
}

impl Grid {
    pub(crate) fn new(n_nodes: usize, range: f64, n_dimensions: usize) -> Self {
        let last = (n_nodes - 1) as f64;
        let node = |at: usize| range * (2.0 * at as f64 - last) / last;
        let width = n_nodes.next_multiple_of(LANES);
        Self { nodes: (0..n_nodes).map(node).collect(), n_dimensions, width }
    }

    pub(crate) fn n_points(&self) -> usize {
        self.nodes.len().pow(self.n_dimensions as u32)
    }

    /// Calls `visit` with every point, the last dimension fastest.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(usize, &[f64])) {
        let mut theta = vec![0.0; self.n_dimensions];
        for point in 0..self.n_points() {
            let mut rest = point;
            for value in theta.iter_mut().rev() {
                *value = self.nodes[rest % self.nodes.len()];
                rest /= self.nodes.len();
            }
            visit(point, &theta);
        }
    }
}

/// A mean or a covariance of the population; covariances with the first index not smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Mean(usize),
    Covariance(usize, usize),
}

impl Moment {
    /// All means, then all covariances row after row of the lower triangle.
    pub(super) fn all(n_dimensions: usize) -> Vec<Self> {
        let means = (0..n_dimensions).map(Self::Mean);
        let pairs = (0..n_dimensions).flat_map(|i| (0..=i).map(move |j| Self::Covariance(i, j)));
        means.chain(pairs).collect()
    }
}

/// A normal population.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Population {
    pub(crate) mean: Vec<f64>,
    pub(crate) covariance: Matrix,
}

impl Population {
    /// From values in the order of [`Moment::all`].
    pub(super) fn from_moments(n_dimensions: usize, values: &[f64]) -> Self {
        let mut population = Self {
            mean: values[..n_dimensions].to_vec(),
            covariance: Matrix::zeros(n_dimensions, n_dimensions),
        };
        for (moment, &value) in Moment::all(n_dimensions).iter().zip(values) {
            if let Moment::Covariance(i, j) = *moment {
                population.covariance.set(i, j, value);
                population.covariance.set(j, i, value);
            }
        }
        population
    }

    /// Finite, and positive definite.
    pub(super) fn is_possible(&self) -> bool {
        const SMALLEST_VARIANCE: f64 = 1e-6;
        const LARGEST: f64 = 1e4;
        self.mean.iter().all(|m| m.abs() < LARGEST)
            && self.covariance.diagonal().all(|v| v > SMALLEST_VARIANCE && v < LARGEST)
            && self.covariance.cholesky().is_ok()
    }

    /// The weights of the grid's points; they sum to 1.
    pub(crate) fn weights(&self, grid: &Grid) -> Vec<f64> {
        let precision = self.precision();
        let mut log_weights = Vec::with_capacity(grid.n_points());
        let mut x = vec![0.0; self.mean.len()];
        grid.for_each(|_, theta| {
            self.centre(theta, &mut x);
            let mut form = 0.0;
            for i in 0..x.len() {
                form += x[i] * dot(precision.row(i), &x);
            }
            log_weights.push(-0.5 * form);
        });
        let largest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut total = 0.0;
        for weight in &mut log_weights {
            *weight = libm::exp(*weight - largest);
            total += *weight;
        }
        log_weights.iter_mut().for_each(|weight| *weight /= total);
        log_weights
    }

    /// ∂ log π/∂moment over the grid, for each of `moments`.
    pub(super) fn scores(&self, grid: &Grid, moments: &[Moment], weights: &[f64]) -> Vec<Vec<f64>> {
        let (precision, mut scores) =
            (self.precision(), vec![Vec::with_capacity(grid.n_points()); moments.len()]);
        let (mut x, mut y) = (vec![0.0; self.mean.len()], vec![0.0; self.mean.len()]);
        grid.for_each(|_, theta| {
            self.centre(theta, &mut x);
            (0..y.len()).for_each(|i| y[i] = dot(precision.row(i), &x));
            for (score, moment) in scores.iter_mut().zip(moments) {
                score.push(first(*moment, &y));
            }
        });
        for score in &mut scores {
            let mean = dot(score, weights);
            score.iter_mut().for_each(|value| *value -= mean);
        }
        scores
    }

    /// Σ counts × log π, its gradient and Hessian in `moments`.
    pub(super) fn complete(
        &self,
        grid: &Grid,
        moments: &[Moment],
        counts: &[f64],
    ) -> (f64, Vec<f64>, Matrix) {
        let weights = self.weights(grid);
        let scores = self.scores(grid, moments, &weights);
        let total: f64 = counts.iter().sum();
        let log = |w: f64| libm::log(w.max(f64::MIN_POSITIVE));
        let value = counts.iter().zip(&weights).map(|(n, &w)| n * log(w)).sum();
        let gradient = scores.iter().map(|score| dot(score, counts)).collect();
        let n = moments.len();
        let mut hessian = Matrix::zeros(n, n);
        for i in 0..n {
            for j in 0..=i {
                let both = scores[i].iter().zip(&scores[j]).zip(&weights);
                let covariance: f64 = both.map(|((a, b), w)| a * b * w).sum();
                hessian.set(i, j, -total * covariance);
            }
        }
        let (precision, mut x) = (self.precision(), vec![0.0; self.mean.len()]);
        let mut y = x.clone();
        grid.for_each(|point, theta| {
            // Second derivatives enter centred by their mean under the weights.
            let excess = counts[point] - total * weights[point];
            self.centre(theta, &mut x);
            (0..y.len()).for_each(|i| y[i] = dot(precision.row(i), &x));
            for i in 0..n {
                for j in 0..=i {
                    hessian.add(i, j, excess * second(moments[i], moments[j], &y, &precision));
                }
            }
        });
        for i in 0..n {
            for j in 0..i {
                hessian.set(j, i, hessian.at(i, j));
            }
        }
        (value, gradient, hessian)
    }

    fn precision(&self) -> Matrix {
        match self.covariance.cholesky() {
            Ok(factor) => factor.inverse(),
            // Callers ask `is_possible` first; a NaN shows where one did not.
            Err(_) => Matrix::from_fn(self.mean.len(), self.mean.len(), |_, _| f64::NAN),
        }
    }

    fn centre(&self, theta: &[f64], x: &mut [f64]) {
        for ((x, theta), mean) in x.iter_mut().zip(theta).zip(&self.mean) {
            *x = theta - mean;
        }
    }
}

/// ∂(−½ xᵀΣ⁻¹x)/∂moment.
fn first(moment: Moment, y: &[f64]) -> f64 {
    match moment {
        Moment::Mean(i) => y[i],
        Moment::Covariance(i, j) if i == j => 0.5 * y[i] * y[i],
        Moment::Covariance(i, j) => y[i] * y[j],
    }
}

/// ∂yᵢ/∂moment.
fn of_y(i: usize, moment: Moment, y: &[f64], precision: &Matrix) -> f64 {
    match moment {
        Moment::Mean(m) => -precision.at(i, m),
        Moment::Covariance(c, d) if c == d => -precision.at(i, c) * y[c],
        Moment::Covariance(c, d) => -(precision.at(i, c) * y[d] + precision.at(i, d) * y[c]),
    }
}

fn second(one: Moment, other: Moment, y: &[f64], precision: &Matrix) -> f64 {
    let change = |i| of_y(i, other, y, precision);
    match one {
        Moment::Mean(i) => change(i),
        Moment::Covariance(i, j) if i == j => y[i] * change(i),
        Moment::Covariance(i, j) => change(i) * y[j] + y[i] * change(j),
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
