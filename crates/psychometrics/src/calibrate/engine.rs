//! Log-posterior, gradient and steps at given parameters.

use super::Options;
use super::data::Data;
use super::expect::{Expectation, expect};
use super::latent::Grid;
use super::plan::Plan;
use crate::matrix::Matrix;
use crate::parallel;

/// Everything that stays the same from cycle to cycle.
#[derive(Debug)]
pub(super) struct Engine<'a> {
    pub(super) plan: &'a Plan,
    pub(super) data: &'a Data,
    pub(super) grid: Grid,
    pub(super) threads: usize,
}

/// The objective at one vector of parameters.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) phi: Vec<f64>,
    pub(super) expectation: Expectation,
    pub(super) log_prior: f64,
    pub(super) gradient: Vec<f64>,
    /// Hessian of the expected complete-data log-likelihood, and of the priors.
    pub(super) complete: Matrix,
}

impl Point {
    /// Log-likelihood plus log-prior: what is maximised.
    pub(super) fn objective(&self) -> f64 {
        self.expectation.log_likelihood + self.log_prior
    }
}

impl<'a> Engine<'a> {
    pub(super) fn new(plan: &'a Plan, data: &'a Data, options: &Options) -> Self {
        let grid = Grid::new(plan.n_nodes, plan.range, plan.n_dimensions);
        Self { plan, data, grid, threads: options.threads }
    }

    /// The same on other data.
    pub(super) fn on<'b>(&'b self, data: &'b Data) -> Engine<'b> {
        Engine { plan: self.plan, data, grid: self.grid.clone(), threads: self.threads }
    }

    /// Everything at `phi`, which the plan must accept.
    pub(super) fn evaluate(&self, phi: Vec<f64>) -> Point {
        let expectation = expect(self.plan, &self.grid, &self.data.groups, &phi, self.threads);
        let (gradient, complete, log_prior) = self.derivatives(&phi, &expectation);
        Point { phi, expectation, log_prior, gradient, complete }
    }

    /// By Fisher's identity the gradient of the log-likelihood is that of the expected
    /// complete-data log-likelihood at the same parameters.
    fn derivatives(&self, phi: &[f64], expectation: &Expectation) -> (Vec<f64>, Matrix, f64) {
        let n = self.plan.n_free;
        let (mut gradient, mut complete) = (vec![0.0; n], Matrix::zeros(n, n));
        let instances = &self.plan.instances;
        let of_instances = parallel::map(self.threads, instances.len(), |at| {
            let (instance, counts) = (&instances[at], &expectation.counts[at]);
            let places: Vec<Option<usize>> =
                instance.slots.iter().map(|slot| slot.free()).collect();
            let (mut own, mut hessian) = (vec![0.0; places.len()], Matrix::zeros(0, 0));
            if places.iter().any(Option::is_some) {
                let xi = instance.xi(phi);
                instance.family.complete(&xi, &self.grid.nodes, counts, &mut own, &mut hessian);
            }
            (places, own, hessian)
        });
        for (places, own, hessian) in &of_instances {
            scatter(places, own, hessian, &mut gradient, &mut complete);
        }
        for (group, counts) in expectation.populations.iter().enumerate() {
            let (moments, places) = self.plan.free_moments(group);
            if moments.is_empty() {
                continue;
            }
            let population = self.plan.population(phi, group);
            let (_, own, hessian) = population.complete(&self.grid, &moments, counts);
            let places: Vec<_> = places.into_iter().map(Some).collect();
            scatter(&places, &own, &hessian, &mut gradient, &mut complete);
        }
        let mut log_prior = 0.0;
        for penalty in &self.plan.penalties {
            if let Some([value, first, second]) = penalty.log_density(phi[penalty.at]) {
                log_prior += value;
                gradient[penalty.at] += first;
                complete.add(penalty.at, penalty.at, second);
            }
        }
        (gradient, complete, log_prior)
    }

    /// The largest absolute derivative, per person.
    pub(super) fn gradient_max(&self, point: &Point) -> f64 {
        let largest = point.gradient.iter().fold(0.0, |largest: f64, g| largest.max(g.abs()));
        largest / self.data.total_weight
    }
}

/// Adds an instance's own derivatives to the places of its free parameters.
pub(super) fn scatter(
    places: &[Option<usize>],
    own: &[f64],
    hessian: &Matrix,
    gradient: &mut [f64],
    complete: &mut Matrix,
) {
    for (i, place) in places.iter().enumerate() {
        let Some(row) = *place else { continue };
        gradient[row] += own[i];
        for (j, place) in places.iter().enumerate() {
            if let Some(column) = *place {
                complete.add(row, column, hessian.at(i, j));
            }
        }
    }
}
