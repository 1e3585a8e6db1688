//! The best open items by each criterion.
//!
//! Maximum information needs no pass over the whole bank. The range of θ is cut into narrow bins,
//! and in each the items stand in falling order of a bound on their information there. Items are
//! evaluated at θ itself in that order until the next bound is no better than what was found: the
//! answer is that of a full pass, ties and all, after a handful of evaluations.

use super::bank::ItemBank;
use super::{AdaptiveTest, Selection};
use crate::models::{ItemModel, ItemParameters};

/// Bins of the ranking.
const N_BINS: usize = 240;
/// Points a bin at which information is taken to bound it.
const N_POINTS: usize = 5;

/// Items by bin of θ, each bin in falling order of a bound on information.
#[derive(Debug, Clone)]
pub(super) struct Ranking {
    range: f64,
    n_items: usize,
    order: Vec<u32>,
    bounds: Vec<f32>,
}

/// One chosen item and the value that chose it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub item: usize,
    pub value: f64,
}

impl Ranking {
    pub fn of(items: &[ItemParameters], range: f64) -> Self {
        let n_points = N_BINS * N_POINTS + 1;
        let step = 2.0 * range / (n_points - 1) as f64;
        let bounds_of: Vec<Vec<f32>> = items
            .iter()
            .map(|item| {
                let values: Vec<f64> =
                    (0..n_points).map(|at| item.information(-range + step * at as f64)).collect();
                let bend = values
                    .windows(3)
                    .map(|three| (three[0] - 2.0 * three[1] + three[2]).abs())
                    .fold(0.0, f64::max);
                // Between two points a function exceeds both by at most an eighth of the largest
                // second difference there; sixteen times that leaves room for a peak of the
                // second derivative between the points.
                let margin = 2.0 * bend;
                (0..N_BINS)
                    .map(|bin| {
                        let points = &values[bin * N_POINTS..=(bin + 1) * N_POINTS];
                        let bound = points.iter().copied().fold(0.0, f64::max) + margin;
                        // Towards infinity, whatever the conversion rounded to.
                        (bound as f32).next_up()
                    })
                    .collect()
            })
            .collect();
        let n_items = items.len();
        let mut order = Vec::with_capacity(N_BINS * n_items);
        let mut bounds = Vec::with_capacity(N_BINS * n_items);
        let mut ids: Vec<u32> = (0..n_items as u32).collect();
        for bin in 0..N_BINS {
            let bound = |id: u32| bounds_of[id as usize][bin];
            ids.sort_by(|&a, &b| bound(b).total_cmp(&bound(a)).then(a.cmp(&b)));
            bounds.extend(ids.iter().map(|&id| bound(id)));
            order.extend_from_slice(&ids);
        }
        Self { range, n_items, order, bounds }
    }

    /// Items and bounds of the bin that holds θ; `None` outside the range.
    fn bin(&self, theta: f64) -> Option<(&[u32], &[f32])> {
        let place = (theta + self.range) / (2.0 * self.range) * N_BINS as f64;
        if !(0.0..=N_BINS as f64).contains(&place) {
            return None;
        }
        let bin = (place as usize).min(N_BINS - 1);
        let at = bin * self.n_items..(bin + 1) * self.n_items;
        Some((&self.order[at.clone()], &self.bounds[at]))
    }
}

/// What the criteria look at.
pub(super) struct Known<'a> {
    pub theta: f64,
    /// Likelihood of the answers so far at the nodes.
    pub likelihood: &'a [f64],
    /// Posterior at the nodes, not normalised.
    pub posterior: &'a [f64],
    /// Whether anything was answered yet: the first item is chosen by information.
    pub first: bool,
}

/// The `n_best` open items in falling order of the criterion, ties by position in the bank.
pub(super) fn best(
    test: &AdaptiveTest,
    known: &Known<'_>,
    open: impl Fn(usize) -> bool,
    n_best: usize,
    out: &mut Vec<Candidate>,
) {
    out.clear();
    let bank = &test.bank;
    let selection = test.settings.selection;
    if known.first || selection == Selection::MaximumInformation {
        most_informative(bank, known.theta, open, n_best, out);
        return;
    }
    match selection {
        Selection::MaximumInformation => {}
        Selection::PosteriorWeightedInformation => {
            for item in (0..bank.n_items()).filter(|&item| open(item)) {
                let value = product(bank.information(item), known.posterior);
                insert(out, n_best, Candidate { item, value });
            }
        }
        Selection::KullbackLeibler | Selection::PosteriorKullbackLeibler => {
            let weights: Vec<f64> = if selection == Selection::PosteriorKullbackLeibler {
                known.posterior.to_vec()
            } else {
                known.likelihood.iter().zip(&test.weights).map(|(l, w)| l * w).collect()
            };
            for item in (0..bank.n_items()).filter(|&item| open(item)) {
                let value = kullback_leibler(bank, item, known.theta, &weights);
                insert(out, n_best, Candidate { item, value });
            }
        }
    }
}

fn most_informative(
    bank: &ItemBank,
    theta: f64,
    open: impl Fn(usize) -> bool,
    n_best: usize,
    out: &mut Vec<Candidate>,
) {
    let Some((order, bounds)) = bank.ranking().bin(theta) else {
        for item in (0..bank.n_items()).filter(|&item| open(item)) {
            insert(out, n_best, Candidate { item, value: bank.item(item).information(theta) });
        }
        return;
    };
    for (&id, &bound) in order.iter().zip(bounds) {
        if out.len() == n_best && f64::from(bound) < out[n_best - 1].value {
            break;
        }
        let item = id as usize;
        if open(item) {
            insert(out, n_best, Candidate { item, value: bank.item(item).information(theta) });
        }
    }
}

/// Σ over nodes of w(θ) Σₖ P̂ₖ log(P̂ₖ/Pₖ(θ)), P̂ at the estimate.
fn kullback_leibler(bank: &ItemBank, item: usize, theta: f64, weights: &[f64]) -> f64 {
    let (mut value, all) = (0.0, total(weights));
    bank.item(item).for_each_category(theta, |at| {
        let own = libm::log(at.probability.max(f64::MIN_POSITIVE));
        let against = product(bank.logs(item, at.category), weights);
        value += at.probability * (own * all - against);
    });
    value
}

/// Keeps the list in falling order of value, then by item, and no longer than wanted.
fn insert(out: &mut Vec<Candidate>, n_best: usize, new: Candidate) {
    let before =
        |old: &Candidate| old.value > new.value || (old.value == new.value && old.item < new.item);
    let place = out.iter().position(|old| !before(old)).unwrap_or(out.len());
    if place < n_best {
        if out.len() == n_best {
            out.pop();
        }
        out.insert(place, new);
    }
}

/// Σ aᵢbᵢ in four running sums, so that one addition need not wait for the one before.
pub(super) fn product(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a_fours, a_rest) = a.as_chunks::<4>();
    let (b_fours, b_rest) = b.as_chunks::<4>();
    for (x, y) in a_fours.iter().zip(b_fours) {
        for lane in 0..4 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// Σ aᵢ in the same order.
pub(super) fn total(a: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (fours, rest) = a.as_chunks::<4>();
    for four in fours {
        for lane in 0..4 {
            sums[lane] += four[lane];
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest.iter().sum::<f64>()
}
