//! One person's adaptive test.

use rand::{Rng, RngExt};

use super::select::{Candidate, Known, best, product, total};
use super::{AdaptiveError, AdaptiveTest, Certainty, Content, Estimator};
use crate::chance::uniform;
use crate::models::{ItemModel, ItemParameters};
use crate::search::root_between;

/// θ and its uncertainty, in logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate; before any answer, that of the prior.
    pub theta: f64,
    /// Its standard error.
    pub se: f64,
}

/// An item that was put to the person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked {
    /// Its position in the bank.
    pub item: usize,
    /// The category answered; `None` if the person passed it over.
    pub answer: Option<u8>,
    /// The estimate after it.
    pub estimate: Estimate,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Next {
    /// Ask this item of the bank.
    Ask(usize),
    /// Stop.
    Stop(StopReason),
}

/// Why a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The standard error fell to the wanted one.
    Precision,
    /// One class became as probable as wanted.
    Certainty,
    /// The largest number of items was asked.
    Length,
    /// No item is left.
    Exhausted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Open,
    /// Chosen, but exposure control spared it for this person.
    Withheld,
    Asked,
}

/// One person's test in progress.
#[derive(Debug, Clone)]
pub struct Sitting<'a> {
    test: &'a AdaptiveTest,
    asked: Vec<Asked>,
    standing: Vec<Standing>,
    n_of_facet: Vec<usize>,
    likelihood: Vec<f64>,
    posterior: Vec<f64>,
    estimate: Estimate,
    n_answered: usize,
    chosen: Vec<usize>,
    candidates: Vec<Candidate>,
}

impl<'a> Sitting<'a> {
    pub(super) fn new(test: &'a AdaptiveTest) -> Self {
        let bank = test.bank();
        let mut sitting = Self {
            test,
            asked: Vec::with_capacity(test.settings().stop.n_items_max),
            standing: vec![Standing::Open; bank.n_items()],
            n_of_facet: vec![0; bank.n_facets()],
            likelihood: vec![1.0; bank.nodes().len()],
            posterior: test.prior.clone(),
            estimate: Estimate { theta: 0.0, se: 0.0 },
            n_answered: 0,
            chosen: Vec::new(),
            candidates: Vec::new(),
        };
        sitting.estimate = sitting.estimated();
        sitting
    }

    /// Forgets everything, for the next person.
    pub fn restart(&mut self) {
        self.asked.clear();
        self.chosen.clear();
        self.standing.fill(Standing::Open);
        self.n_of_facet.fill(0);
        self.likelihood.fill(1.0);
        self.posterior.copy_from_slice(&self.test.prior);
        self.n_answered = 0;
        self.estimate = self.estimated();
    }

    /// The next item, or that the test is over and why.
    ///
    /// `chance` is drawn from only with randomesque choice or exposure parameters. Cost: with
    /// maximum information a few evaluations of items; otherwise a pass over the bank's tables.
    pub fn next(&mut self, chance: &mut impl Rng) -> Next {
        let settings = self.test.settings();
        let n_asked = self.asked.len();
        let room = settings.stop.n_items_max - n_asked;
        if room == 0 {
            return Next::Stop(StopReason::Length);
        }
        let reached = self.reached();
        let missing = |facet: usize| self.missing_of(facet);
        let n_missing: usize = (0..self.n_of_facet.len()).map(missing).sum();
        if let (Some(reason), 0) = (reached, n_missing) {
            return Next::Stop(reason);
        }
        let only_missing = n_missing > 0 && (reached.is_some() || n_missing >= room);
        let behind = self.facet_behind();
        let needed = |facet: usize| !only_missing || self.missing_of(facet) > 0;
        let may: Vec<bool> = (0..self.n_of_facet.len())
            .map(|facet| needed(facet) && behind.is_none_or(|behind| behind == facet))
            .collect();
        match self.choose(&may, chance) {
            Some(item) => Next::Ask(item),
            None => Next::Stop(StopReason::Exhausted),
        }
    }

    /// Records an answer and gives the new estimate.
    ///
    /// # Errors
    /// An item that was asked before or is not there, or a category it does not have.
    pub fn answer(&mut self, item: usize, answer: u8) -> Result<Estimate, AdaptiveError> {
        self.check_open(item)?;
        let bank = self.test.bank();
        let n_categories = bank.item(item).n_categories();
        if usize::from(answer) >= n_categories {
            return Err(AdaptiveError::Answer { item, answer, last: n_categories - 1 });
        }
        let row = bank.probabilities(item, usize::from(answer));
        for ((l, posterior), p) in self.likelihood.iter_mut().zip(&mut self.posterior).zip(row) {
            *l *= p;
            *posterior *= p;
        }
        self.rescale();
        self.n_answered += 1;
        self.record(item, Some(answer));
        Ok(self.estimate)
    }

    /// Records that the person passed an item over: it counts as asked and says nothing.
    ///
    /// # Errors
    /// An item that was asked before or is not there.
    pub fn pass_over(&mut self, item: usize) -> Result<(), AdaptiveError> {
        self.check_open(item)?;
        self.record(item, None);
        Ok(())
    }

    /// What is known now.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        self.estimate
    }

    /// The items asked, in order.
    #[must_use]
    pub fn asked(&self) -> &[Asked] {
        &self.asked
    }

    /// Items that were chosen, whether or not exposure control let them be asked.
    pub(super) fn chosen(&self) -> &[usize] {
        &self.chosen
    }

    /// Posterior probability of each class between ascending `cuts`.
    ///
    /// The posterior density is taken as a straight line between nodes.
    #[must_use]
    pub fn class_probabilities(&self, cuts: &[f64]) -> Vec<f64> {
        let nodes = self.test.bank().nodes();
        let mut below: Vec<f64> = vec![0.0];
        below.extend(cuts.iter().map(|&cut| mass_below(nodes, &self.posterior, cut)));
        below.push(mass_below(nodes, &self.posterior, f64::INFINITY));
        let total = below[below.len() - 1];
        below.windows(2).map(|pair| (pair[1] - pair[0]) / total).collect()
    }

    fn check_open(&self, item: usize) -> Result<(), AdaptiveError> {
        let n_items = self.standing.len();
        match self.standing.get(item) {
            Some(Standing::Open | Standing::Withheld) => Ok(()),
            _ => Err(AdaptiveError::NotOpen { item, n_items }),
        }
    }

    fn record(&mut self, item: usize, answer: Option<u8>) {
        self.standing[item] = Standing::Asked;
        self.n_of_facet[self.test.bank().facet_of(item)] += 1;
        self.asked.push(Asked { item, answer, estimate: self.estimate });
        if answer.is_some() {
            self.estimate = self.estimated();
            if let Some(newest) = self.asked.last_mut() {
                newest.estimate = self.estimate;
            }
        }
    }

    /// Keeps both densities away from underflow; their scale means nothing.
    fn rescale(&mut self) {
        const SMALL: f64 = 1e-100;
        for density in [&mut self.likelihood, &mut self.posterior] {
            let largest = density.iter().copied().fold(0.0, f64::max);
            if largest < SMALL && largest > 0.0 {
                density.iter_mut().for_each(|value| *value /= largest);
            }
        }
    }

    /// Which rule would end the test now, facets aside.
    fn reached(&self) -> Option<StopReason> {
        let stop = &self.test.settings().stop;
        if self.asked.len() < stop.n_items_min.max(1) {
            return None;
        }
        if stop.se.is_some_and(|se| self.estimate.se <= se) {
            return Some(StopReason::Precision);
        }
        let certain = |certainty: &Certainty| {
            self.class_probabilities(&certainty.cuts).iter().any(|&p| p >= certainty.probability)
        };
        stop.certainty.as_ref().is_some_and(certain).then_some(StopReason::Certainty)
    }

    /// Items that a facet still needs before the test may end.
    fn missing_of(&self, facet: usize) -> usize {
        match &self.test.settings().content {
            Content::AtLeast(fewest) => fewest[facet].saturating_sub(self.n_of_facet[facet]),
            Content::Free | Content::Shares(_) => 0,
        }
    }

    /// The facet furthest behind its share that still has an item.
    fn facet_behind(&self) -> Option<usize> {
        let Content::Shares(shares) = &self.test.settings().content else { return None };
        let total: f64 = shares.iter().sum();
        let n = self.asked.len().max(1) as f64;
        let lag = |facet: usize| shares[facet] / total - self.n_of_facet[facet] as f64 / n;
        let bank = self.test.bank();
        let mut behind: Option<usize> = None;
        for facet in 0..shares.len() {
            let left = (0..bank.n_items())
                .any(|item| bank.facet_of(item) == facet && self.standing[item] != Standing::Asked);
            if left && behind.is_none_or(|other| lag(facet) > lag(other)) {
                behind = Some(facet);
            }
        }
        behind
    }

    /// The best item of the facets allowed, after randomesque choice and exposure control.
    fn choose(&mut self, may: &[bool], chance: &mut impl Rng) -> Option<usize> {
        let test = self.test;
        let settings = test.settings();
        let first = self.n_answered == 0;
        let theta = if first { settings.start } else { self.estimate.theta };
        let mut sparing = !settings.exposure.is_empty();
        let mut candidates = std::mem::take(&mut self.candidates);
        let item = loop {
            let known =
                Known { theta, likelihood: &self.likelihood, posterior: &self.posterior, first };
            let open = |item: usize| {
                let free = match self.standing[item] {
                    Standing::Open => true,
                    Standing::Withheld => !sparing,
                    Standing::Asked => false,
                };
                free && may[test.bank().facet_of(item)]
            };
            best(test, &known, open, settings.randomesque, &mut candidates);
            let Some(last) = candidates.len().checked_sub(1) else {
                if sparing {
                    // All were spared: the best of them is asked after all.
                    sparing = false;
                    continue;
                }
                break None;
            };
            let place = if last == 0 { 0 } else { chance.random_range(0..=last) };
            let item = candidates[place].item;
            if !sparing {
                break Some(item);
            }
            self.chosen.push(item);
            if uniform(chance) < settings.exposure[item] {
                break Some(item);
            }
            self.standing[item] = Standing::Withheld;
        };
        self.candidates = candidates;
        item
    }

    fn estimated(&self) -> Estimate {
        match self.test.settings().estimator {
            Estimator::PosteriorMean => self.posterior_mean(),
            Estimator::PosteriorMode => self.posterior_mode(),
        }
    }

    fn posterior_mean(&self) -> Estimate {
        let nodes = self.test.bank().nodes();
        let total = total(&self.posterior);
        let mean = product(&self.posterior, nodes) / total;
        let mut square = 0.0;
        for (weight, node) in self.posterior.iter().zip(nodes) {
            let gap = node - mean;
            square += weight * gap * gap;
        }
        Estimate { theta: mean, se: libm::sqrt(square / total) }
    }

    /// The root of the derivative of the log posterior, and the information there.
    fn posterior_mode(&self) -> Estimate {
        let settings = self.test.settings();
        let precision = 1.0 / (settings.prior_sd * settings.prior_sd);
        let mean = settings.prior_mean;
        let answered = || self.asked.iter().filter_map(|asked| Some((asked.item, asked.answer?)));
        let slope = |theta: f64| {
            let mut sum = -(theta - mean) * precision;
            for (item, answer) in answered() {
                sum += slope_of(self.test.bank().item(item), usize::from(answer), theta);
            }
            -sum
        };
        let reach = 12.0 * settings.prior_sd;
        let theta = root_between(slope, mean - reach, mean + reach);
        let information: f64 =
            answered().map(|(item, _)| self.test.bank().item(item).information(theta)).sum();
        Estimate { theta, se: 1.0 / libm::sqrt(information + precision) }
    }
}

fn slope_of(item: &ItemParameters, answer: usize, theta: f64) -> f64 {
    let mut slope = 0.0;
    item.for_each_category(theta, |at| {
        if at.category == answer {
            slope = at.slope;
        }
    });
    slope
}

/// Integral of the density up to `cut`, in units of the node spacing; end nodes carry half a
/// weight already.
fn mass_below(nodes: &[f64], posterior: &[f64], cut: f64) -> f64 {
    let last = nodes.len() - 1;
    let density = |node: usize| {
        if node == 0 || node == last { 2.0 * posterior[node] } else { posterior[node] }
    };
    let mut mass = 0.0;
    for node in 0..last {
        let (left, right) = (nodes[node], nodes[node + 1]);
        if cut <= left {
            break;
        }
        let share = ((cut - left) / (right - left)).min(1.0);
        let (from, to) = (density(node), density(node + 1));
        mass += share * (from + 0.5 * share * (to - from));
    }
    mass
}
