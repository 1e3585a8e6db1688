//! Estimates as they are read: thresholds, standard errors, flags.

use super::engine::Engine;
use super::fit::Fitted;
use super::latent::Moment;
use super::plan::{Instance, Slot};
use super::{CalibrateError, Flag, Model, Options};
use crate::matrix::Matrix;
use crate::models::ItemParameters;

/// Slopes beyond this are flagged: one such item alone would be 0.98 reliable.
const STEEP: f64 = 8.0;

/// Slopes nearer to 0 than this are flagged: such an item tells next to nothing.
const FLAT: f64 = 0.05;

/// A number with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate, or the known value.
    pub value: f64,
    /// Its standard error; `None` where it is known or fixed, or where there is none to give.
    pub se: Option<f64>,
}

/// One item's estimates.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemEstimate {
    /// Position of the item, from 0.
    pub item: usize,
    /// The group whose item it is; `None` where all groups share it.
    pub group: Option<usize>,
    /// The dimension it measures, from 0.
    pub dimension: usize,
    /// The answer that each category stands for, lowest category first.
    pub values: Vec<i32>,
    /// The item.
    pub parameters: ItemParameters,
    /// Its slope a; a slope a category in the nominal model, the first one 0.
    pub slopes: Vec<Estimate>,
    /// Intercepts d₁, d₂, …; in the nominal model an intercept a category, the first one 0.
    pub intercepts: Vec<Estimate>,
    /// Thresholds or step difficulties b₁, b₂, … in logits of θ; none in the nominal model.
    pub thresholds: Vec<Estimate>,
    /// The guessing parameter, where there is one.
    pub guessing: Option<Estimate>,
}

/// One group's population.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupEstimate {
    /// Mean of each dimension, in logits.
    pub mean: Vec<Estimate>,
    /// Covariances, row after row; symmetric.
    pub covariance: Vec<Vec<Estimate>>,
    /// The summed weights of its persons; their number where they are not weighted.
    pub total_weight: f64,
}

/// What was estimated, and how well.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Marginal log-likelihood at the estimates, without priors.
    pub log_likelihood: f64,
    /// Logarithm of the priors at the estimates, without their constants; 0 without priors.
    pub log_prior: f64,
    /// Free parameters.
    pub n_parameters: usize,
    /// Persons with at least one answer.
    pub n_persons: usize,
    /// Cycles of expectation and maximisation, those on a subsample included.
    pub cycles: u32,
    /// Newton steps, those on a subsample included.
    pub newton_steps: u32,
    /// Whether the tolerance was met.
    pub converged: bool,
    /// The largest absolute derivative of the log-likelihood (with priors: log-posterior) per
    /// person, at the estimates.
    pub gradient_max: f64,
    /// Nodes a dimension.
    pub n_nodes: usize,
    /// The last node, in logits.
    pub range: f64,
    /// Items in order; an item with parameters by group once a group.
    pub items: Vec<ItemEstimate>,
    /// Populations, by group.
    pub groups: Vec<GroupEstimate>,
    /// What a reader should know.
    pub flags: Vec<Flag>,
}

impl Calibration {
    /// An item as a group has it (`None`: as the first group has it).
    #[must_use]
    pub fn item_for(&self, item: usize, group: Option<usize>) -> Option<&ItemEstimate> {
        let mut of_item = self.items.iter().filter(|estimate| estimate.item == item);
        let mut own = of_item.clone();
        own.find(|estimate| estimate.group.is_none() || estimate.group == group)
            .or_else(|| of_item.next())
    }

    /// Akaike's information criterion, −2ℓ + 2k (Akaike 1974, doi:10.1109/TAC.1974.1100705). It means nothing with priors, nor
    /// with weights that do not count persons.
    #[must_use]
    pub fn aic(&self) -> f64 {
        -2.0 * self.log_likelihood + 2.0 * self.n_parameters as f64
    }

    /// The Bayesian information criterion, −2ℓ + k ln N over the persons with an answer (Schwarz 1978,
    /// doi:10.1214/aos/1176344136). It means nothing where [`Calibration::aic`] does not.
    #[must_use]
    pub fn bic(&self) -> f64 {
        let (n_parameters, n_persons) = (self.n_parameters as f64, self.n_persons as f64);
        -2.0 * self.log_likelihood + n_parameters * n_persons.ln()
    }
}

pub(super) fn report(
    engine: &Engine<'_>,
    fitted: &Fitted,
    _options: &Options,
) -> Result<Calibration, CalibrateError> {
    let (plan, point) = (engine.plan, &fitted.point);
    let mut flags = [&plan.flags[..], &engine.data.flags[..]].concat();
    let covariance = fitted.hessian.as_ref().and_then(|hessian| {
        let n = hessian.n_rows();
        let negative = Matrix::from_fn(n, n, |i, j| -0.5 * (hessian.at(i, j) + hessian.at(j, i)));
        negative.cholesky().ok().map(|factor| factor.inverse())
    });
    if fitted.hessian.is_some() && covariance.is_none() {
        flags.push(Flag::NoInformation);
    }
    if !fitted.converged {
        let (cycles, newton_steps) = (fitted.cycles, fitted.newton_steps);
        let gradient_max = fitted.gradient_max;
        flags.push(Flag::NotConverged { cycles, newton_steps, gradient_max });
    }
    let mut items = Vec::new();
    for instance in &plan.instances {
        let estimate = item_estimate(instance, &point.phi, covariance.as_ref())?;
        flag_slopes(&estimate, &mut flags);
        items.push(estimate);
    }
    let groups: Vec<GroupEstimate> = (0..plan.populations.len())
        .map(|group| group_estimate(engine, &point.phi, group, covariance.as_ref()))
        .collect();
    flag_variances(&groups, plan.range, plan.n_nodes, &mut flags);
    Ok(Calibration {
        log_likelihood: point.expectation.log_likelihood,
        log_prior: point.log_prior,
        n_parameters: plan.n_free,
        n_persons: engine.data.n_persons,
        cycles: fitted.cycles,
        newton_steps: fitted.newton_steps,
        converged: fitted.converged,
        gradient_max: fitted.gradient_max,
        n_nodes: plan.n_nodes,
        range: plan.range,
        items,
        groups,
        flags,
    })
}

fn flag_slopes(estimate: &ItemEstimate, flags: &mut Vec<Flag>) {
    let (item, group) = (estimate.item, estimate.group);
    if matches!(estimate.parameters, ItemParameters::Nominal(_)) {
        // Only differences between categories count, and they may be in any order.
        let slopes = estimate.slopes.iter().map(|slope| slope.value);
        let (low, high) = slopes
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), a| (low.min(a), high.max(a)));
        let slope = (high - low) / (estimate.slopes.len() - 1) as f64;
        if slope > STEEP {
            flags.push(Flag::SteepSlope { item, group, slope });
        }
        return;
    }
    for slope in estimate.slopes.iter().map(|slope| slope.value) {
        if slope.abs() > STEEP {
            flags.push(Flag::SteepSlope { item, group, slope });
        } else if slope.abs() < FLAT {
            flags.push(Flag::FlatSlope { item, group, slope });
        } else if slope < 0.0 {
            flags.push(Flag::NegativeSlope { item, group, slope });
        }
    }
}

/// A normal density narrower than half a step of the grid falls between its nodes: the likelihood
/// no longer knows the variance, and its error says nothing.
fn flag_variances(groups: &[GroupEstimate], range: f64, n_nodes: usize, flags: &mut Vec<Flag>) {
    let step = 2.0 * range / (n_nodes - 1) as f64;
    for group in groups {
        for (d, row) in group.covariance.iter().enumerate() {
            let variance = row[d].value;
            if variance < 0.25 * step * step {
                flags.push(Flag::NarrowPopulation { variance, step });
            }
        }
    }
}

/// A reported number as a function of an item's own parameters.
struct Reading {
    value: f64,
    /// Its derivatives, by parameter.
    gradient: Vec<(usize, f64)>,
}

impl Reading {
    fn own(xi: &[f64], at: usize) -> Self {
        Self { value: xi[at], gradient: vec![(at, 1.0)] }
    }

    fn fixed(value: f64) -> Self {
        Self { value, gradient: Vec::new() }
    }

    /// The delta method.
    fn estimate(&self, slots: &[Slot], covariance: Option<&Matrix>) -> Estimate {
        let free: Vec<(usize, f64)> = self
            .gradient
            .iter()
            .filter_map(|&(at, slope)| slots[at].free().map(|place| (place, slope)))
            .collect();
        let variance = |covariance: &Matrix| -> f64 {
            let row = |&(i, a): &(usize, f64)| -> f64 {
                free.iter().map(|&(j, b)| a * b * covariance.at(i, j)).sum()
            };
            free.iter().map(row).sum()
        };
        let known = free.is_empty();
        let se = covariance.filter(|_| !known).map(|covariance| libm::sqrt(variance(covariance)));
        Estimate { value: self.value, se }
    }
}

fn item_estimate(
    instance: &Instance,
    phi: &[f64],
    covariance: Option<&Matrix>,
) -> Result<ItemEstimate, CalibrateError> {
    let xi = instance.xi(phi);
    let parameters = instance
        .family
        .item(&xi)
        .map_err(|source| CalibrateError::Estimates { item: instance.item, source })?;
    let readings = readings(instance, &xi);
    let all = |readings: &[Reading]| -> Vec<Estimate> {
        readings.iter().map(|reading| reading.estimate(&instance.slots, covariance)).collect()
    };
    Ok(ItemEstimate {
        item: instance.item,
        group: instance.group,
        dimension: instance.dimension,
        values: instance.values.clone(),
        slopes: all(&readings.slopes),
        intercepts: all(&readings.intercepts),
        thresholds: all(&readings.thresholds),
        guessing: readings.guessing.map(|r| r.estimate(&instance.slots, covariance)),
        parameters,
    })
}

#[derive(Default)]
struct Readings {
    slopes: Vec<Reading>,
    intercepts: Vec<Reading>,
    thresholds: Vec<Reading>,
    guessing: Option<Reading>,
}

fn readings(instance: &Instance, xi: &[f64]) -> Readings {
    let k_max = instance.family.n_categories - 1;
    let own = |range: std::ops::Range<usize>| range.map(|at| Reading::own(xi, at)).collect();
    match instance.family.model {
        Model::Graded | Model::ThreeParameter => {
            let a = xi[0];
            let threshold = |k: usize| Reading {
                value: -xi[k] / a,
                gradient: vec![(0, xi[k] / (a * a)), (k, -1.0 / a)],
            };
            let c = 1.0 / (1.0 + libm::exp(-xi[xi.len() - 1]));
            let guessing = Reading { value: c, gradient: vec![(2, c * (1.0 - c))] };
            let guesses = instance.family.model == Model::ThreeParameter;
            Readings {
                slopes: own(0..1),
                intercepts: own(1..k_max + 1),
                thresholds: (1..=k_max).map(threshold).collect(),
                guessing: guesses.then_some(guessing),
            }
        }
        Model::GeneralisedPartialCredit | Model::TwoParameter => {
            let a = xi[0];
            let step = |k: usize| {
                let before = if k > 1 { xi[k - 1] } else { 0.0 };
                let value = -(xi[k] - before) / a;
                let mut gradient = vec![(0, -value / a), (k, -1.0 / a)];
                if k > 1 {
                    gradient.push((k - 1, 1.0 / a));
                }
                Reading { value, gradient }
            };
            Readings {
                slopes: own(0..1),
                intercepts: own(1..k_max + 1),
                thresholds: (1..=k_max).map(step).collect(),
                guessing: None,
            }
        }
        Model::PartialCredit | Model::Rasch => {
            let step = |k: usize| {
                let before = if k > 0 { xi[k - 1] } else { 0.0 };
                let mut gradient = vec![(k, -1.0)];
                if k > 0 {
                    gradient.push((k - 1, 1.0));
                }
                Reading { value: before - xi[k], gradient }
            };
            Readings {
                slopes: vec![Reading::fixed(1.0)],
                intercepts: own(0..k_max),
                thresholds: (0..k_max).map(step).collect(),
                guessing: None,
            }
        }
        Model::RatingScale => rating_scale(xi, k_max),
        Model::Nominal => {
            let with_first = |start: usize| {
                let rest = (start..start + k_max).map(|at| Reading::own(xi, at));
                std::iter::once(Reading::fixed(0.0)).chain(rest).collect()
            };
            Readings { slopes: with_first(0), intercepts: with_first(k_max), ..Readings::default() }
        }
    }
}

/// b + τₖ, the last τ being minus the sum of the others; dₖ = −kb − τ₁ − … − τₖ.
fn rating_scale(xi: &[f64], k_max: usize) -> Readings {
    let n = xi.len();
    let mut thresholds = Vec::new();
    let mut intercepts = Vec::new();
    let mut total = 0.0;
    for k in 1..=k_max {
        let (tau, gradient) = if k < k_max {
            (xi[k], vec![(0, 1.0), (k, 1.0)])
        } else {
            let others = (1..n).map(|m| (m, -1.0));
            (-xi[1..].iter().sum::<f64>(), std::iter::once((0, 1.0)).chain(others).collect())
        };
        total += tau;
        thresholds.push(Reading { value: xi[0] + tau, gradient });
        let inner = if k < k_max { 1..k + 1 } else { 0..0 };
        let own = std::iter::once((0, -(k as f64))).chain(inner.map(|m| (m, -1.0)));
        intercepts.push(Reading { value: -(k as f64) * xi[0] - total, gradient: own.collect() });
    }
    Readings { slopes: vec![Reading::fixed(1.0)], intercepts, thresholds, guessing: None }
}

fn group_estimate(
    engine: &Engine<'_>,
    phi: &[f64],
    group: usize,
    covariance: Option<&Matrix>,
) -> GroupEstimate {
    let n = engine.plan.n_dimensions;
    let estimate = |slot: Slot| {
        let se = slot.free().and_then(|at| covariance.map(|c| libm::sqrt(c.at(at, at))));
        Estimate { value: slot.value(phi), se }
    };
    let nothing = Estimate { value: 0.0, se: None };
    let (mut mean, mut matrix) = (vec![nothing; n], vec![vec![nothing; n]; n]);
    for (moment, slot) in Moment::all(n).iter().zip(&engine.plan.populations[group]) {
        match *moment {
            Moment::Mean(d) => mean[d] = estimate(*slot),
            Moment::Covariance(i, j) => {
                matrix[i][j] = estimate(*slot);
                matrix[j][i] = matrix[i][j];
            }
        }
    }
    let total_weight = engine.data.groups[group].weights.iter().sum();
    GroupEstimate { mean, covariance: matrix, total_weight }
}
