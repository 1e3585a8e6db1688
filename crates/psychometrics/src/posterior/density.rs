//! The posterior density as a polynomial on each panel, for integration over any region.

use super::legendre::{N, Rule};
use super::{Posterior, ScoringKey};
use crate::models::ItemModel;

/// Panels are never wider than this, in logits: items with slopes up to 5 stay resolved.
const PANEL_WIDTH_MAX: f64 = 0.5;
/// A very long test would otherwise ask for endless panels.
const N_PANELS_MAX: usize = 96;
/// A node belongs to the window if its marginal weight is above this share of the largest.
const WINDOW_SHARE: f64 = 1e-15;
/// Width of the panels on which the pairs' log-likelihood is interpolated, in logits.
const PAIR_PANEL_WIDTH: f64 = 0.25;

/// Equal panels on an interval, each with the nodes of a [`Rule`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Panels {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) n_panels: usize,
}

impl Panels {
    pub(super) fn half_width(&self) -> f64 {
        0.5 * (self.high - self.low) / self.n_panels as f64
    }

    /// Border number `position`, 0 to `n_panels`; the last is `high` itself.
    pub(super) fn border(&self, position: usize) -> f64 {
        if position == self.n_panels {
            self.high
        } else {
            self.low + 2.0 * self.half_width() * position as f64
        }
    }

    /// The panel that holds `at`, and where in it, in [−1, 1]. Outside points go to the edge.
    pub(super) fn locate(&self, at: f64) -> (usize, f64) {
        let half = self.half_width();
        let steps = (at.clamp(self.low, self.high) - self.low) / (2.0 * half);
        // The cast truncates towards zero and saturates.
        let panel = (steps as usize).min(self.n_panels - 1);
        (panel, (2.0 * (steps - panel as f64) - 1.0).clamp(-1.0, 1.0))
    }

    fn points(&self, rule: &Rule) -> Vec<f64> {
        let half = self.half_width();
        let centre = |panel| self.low + half * (2.0 * panel as f64 + 1.0);
        (0..self.n_panels)
            .flat_map(|panel| rule.nodes.map(|node| centre(panel) + half * node))
            .collect()
    }
}

/// The density at the tensor product of both dimensions' panel nodes, scaled to integrate to 1.
pub(super) struct Density {
    pub(super) rule: Rule,
    pub(super) panels: [Panels; 2],
    /// Managing-major.
    pub(super) values: Vec<f64>,
}

impl Density {
    pub(super) fn of(posterior: &Posterior<'_>) -> Self {
        let rule = Rule::new();
        let panels = [0, 1].map(|dimension| panels_for(posterior, dimension));
        let key = posterior.key;
        let points = [0, 1].map(|dimension: usize| panels[dimension].points(&rule));
        let managing = log_likelihood(key, 0, &posterior.items, &points[0]);
        let leading = log_likelihood(key, 1, &posterior.items, &points[1]);
        let pairs = PairLikelihood::new(posterior, &rule);
        let mut values = Vec::with_capacity(points[0].len() * points[1].len());
        for (x, of_x) in points[0].iter().zip(&managing) {
            for (y, of_y) in points[1].iter().zip(&leading) {
                let of_items = key.prior.log_density([*x, *y]) + of_x + of_y;
                values.push(of_items + pairs.as_ref().map_or(0.0, |pairs| pairs.at(y - x, &rule)));
            }
        }
        let mut density = Self { rule, panels, values };
        density.normalise();
        density
    }

    fn normalise(&mut self) {
        let largest = self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let n_across = self.panels[1].n_panels * N;
        let cell = self.panels[0].half_width() * self.panels[1].half_width();
        let mut total = 0.0;
        for (i, row) in self.values.chunks_exact_mut(n_across).enumerate() {
            let mut of_row = 0.0;
            for (j, value) in row.iter_mut().enumerate() {
                *value = libm::exp(*value - largest);
                of_row += self.rule.weights[j % N] * *value;
            }
            total += self.rule.weights[i % N] * of_row;
        }
        let scale = 1.0 / (total * cell);
        for value in &mut self.values {
            *value *= scale;
        }
    }
}

/// Panels over the part of the grid that carries mass, as narrow as the posterior asks.
fn panels_for(posterior: &Posterior<'_>, dimension: usize) -> Panels {
    let nodes = posterior.key.grid.nodes();
    let n = nodes.len();
    let mut marginal = vec![0.0; n];
    for (at, weight) in posterior.weights.iter().enumerate() {
        marginal[if dimension == 0 { at / n } else { at % n }] += weight;
    }
    let floor = WINDOW_SHARE * marginal.iter().copied().fold(0.0, f64::max);
    let first = marginal.iter().position(|weight| *weight > floor).unwrap_or(0);
    let last = marginal.iter().rposition(|weight| *weight > floor).unwrap_or(n - 1);
    let (low, high) = (nodes[first.saturating_sub(1)], nodes[(last + 1).min(n - 1)]);
    let [[x, both], [_, y]] = posterior.covariance;
    let (own, other) = if dimension == 0 { (x, y) } else { (y, x) };
    let conditional_sd = (own - both * both / other).max(0.0).sqrt();
    let width = conditional_sd.min(PANEL_WIDTH_MAX);
    // The cast saturates, also where the width is 0 or not a number.
    let wanted = libm::ceil((high - low) / width) as usize;
    Panels { low, high, n_panels: wanted.clamp(1, N_PANELS_MAX) }
}

fn log_likelihood(
    key: &ScoringKey,
    dimension: usize,
    answers: &[Option<u8>],
    points: &[f64],
) -> Vec<f64> {
    let mut sums = vec![0.0; points.len()];
    for (item, answer) in key.items.iter().zip(answers) {
        if item.dimension == dimension {
            add_answer(&mut sums, &item.parameters, *answer, points);
        }
    }
    sums
}

fn add_answer<M: ItemModel>(sums: &mut [f64], model: &M, answer: Option<u8>, points: &[f64]) {
    let Some(answer) = answer else { return };
    let table = super::table(model, points);
    super::add_row(sums, &table, Some(answer));
}

/// The pairs' log-likelihood as a function of the difference, interpolated.
///
/// Worth it because the density asks for it at every one of its points, each another difference.
struct PairLikelihood {
    panels: Panels,
    values: Vec<f64>,
}

impl PairLikelihood {
    /// `None` where no pair was answered.
    fn new(posterior: &Posterior<'_>, rule: &Rule) -> Option<Self> {
        if posterior.pairs.iter().all(Option::is_none) {
            return None;
        }
        let key = posterior.key;
        let widest = 2.0 * key.grid.range;
        let n_panels = libm::ceil(2.0 * widest / PAIR_PANEL_WIDTH) as usize;
        let panels = Panels { low: -widest, high: widest, n_panels };
        let points = panels.points(rule);
        let mut values = vec![0.0; points.len()];
        for (pair, answer) in key.pairs.iter().zip(&posterior.pairs) {
            add_answer(&mut values, &pair.parameters, *answer, &points);
        }
        Some(Self { panels, values })
    }

    fn at(&self, difference: f64, rule: &Rule) -> f64 {
        let (panel, s) = self.panels.locate(difference);
        let values = &self.values[panel * N..][..N];
        rule.interpolate(s).iter().zip(values).map(|(weight, value)| weight * value).sum()
    }
}
