//! Modes: maximum likelihood, maximum a posteriori, weighted likelihood.
//!
//! Each item's answer adds a row of derivatives over a coarse scan of θ; a person's sum shows where
//! the derivative falls through 0, and Brent's method on the items themselves finds the place.
//! Where there is more than one such place (guessing, nominal items, weights) the likelier counts.

use super::{Bank, Method, Score, ScoreError};
use crate::matrix::Matrix;
use crate::models::ItemModel;
use crate::parallel;
use crate::responses::{MISSING, Patterns, Responses};
use crate::search::root_between;

/// Estimates beyond this count as infinite, in logits.
const REACH: f64 = 40.0;
/// Steps of the scan.
const SCAN: usize = 160;
const PATTERNS_PER_TASK: usize = 1024;
const STEPS_MAX: usize = 200;

pub(super) fn score(
    bank: &Bank,
    responses: &Responses,
    method: Method,
    threads: usize,
) -> Result<Vec<Option<Score>>, ScoreError> {
    let maps = bank.categories(responses)?;
    let (patterns, index) = responses.patterns_with_index();
    let finder = Finder::new(bank, method);
    let n = patterns.n_patterns();
    let n_tasks = n.div_ceil(PATTERNS_PER_TASK);
    let parts = parallel::map(threads, n_tasks, |task| {
        let range = task * PATTERNS_PER_TASK..((task + 1) * PATTERNS_PER_TASK).min(n);
        range.map(|at| finder.score(&answers(&patterns, &maps, at))).collect::<Vec<_>>()
    });
    let scores: Vec<Score> = parts.into_iter().flatten().collect();
    Ok(index.into_iter().map(|at| at.map(|at| scores[at as usize].clone())).collect())
}

/// A pattern's categories, [`MISSING`] for gaps.
pub(super) fn answers(patterns: &Patterns, maps: &[Vec<u8>], at: usize) -> Vec<u8> {
    let mut answers = vec![MISSING; maps.len()];
    patterns.answers(at, &mut answers);
    for (answer, map) in answers.iter_mut().zip(maps) {
        if *answer != MISSING {
            *answer = map[usize::from(*answer)];
        }
    }
    answers
}

struct Finder<'a> {
    bank: &'a Bank,
    method: Method,
    thetas: Vec<f64>,
    /// Per item and category, ∂ log P/∂θ over the scan.
    slopes: Vec<Vec<f64>>,
}

/// Sums over a person's items at one θ.
#[derive(Default)]
struct At {
    log_likelihood: f64,
    slope: f64,
    information: f64,
    /// Σ P′P″/P, of Warm's weight.
    skew: f64,
    /// −∂² log P/∂θ² of the answers given.
    observed: f64,
}

impl<'a> Finder<'a> {
    fn new(bank: &'a Bank, method: Method) -> Self {
        let theta = |at: usize| REACH * (2.0 * at as f64 / SCAN as f64 - 1.0);
        let thetas: Vec<f64> = (0..=SCAN).map(theta).collect();
        let of = |item: &super::BankItem| {
            let mut rows = vec![0.0; item.parameters.n_categories() * thetas.len()];
            for (at, &theta) in thetas.iter().enumerate() {
                let n = thetas.len();
                item.parameters.for_each_category(theta, |c| rows[c.category * n + at] = c.slope);
            }
            rows
        };
        Self { bank, method, slopes: bank.items.iter().map(of).collect(), thetas }
    }

    fn score(&self, answers: &[u8]) -> Score {
        if self.method == Method::Map && self.bank.n_dimensions() > 1 {
            return self.joint_mode(answers);
        }
        let each = (0..self.bank.n_dimensions()).map(|dimension| {
            let own: Vec<(usize, u8)> = answers
                .iter()
                .enumerate()
                .filter(|(item, answer)| {
                    **answer != MISSING && self.bank.items[*item].dimension == dimension
                })
                .map(|(item, &answer)| (item, answer))
                .collect();
            if own.is_empty() && self.method != Method::Map {
                return (f64::NAN, f64::NAN);
            }
            self.one(&own)
        });
        let (theta, se) = each.unzip();
        Score { theta, se }
    }

    fn at(&self, own: &[(usize, u8)], theta: f64) -> At {
        let mut sum = At::default();
        for &(item, answer) in own {
            self.bank.items[item].parameters.for_each_category(theta, |c| {
                if c.category == usize::from(answer) {
                    sum.log_likelihood += libm::log(c.probability.max(f64::MIN_POSITIVE));
                    sum.slope += c.slope;
                    sum.observed += c.slope * c.slope - c.curvature;
                }
                sum.information += c.probability * c.slope * c.slope;
                sum.skew += c.probability * c.slope * c.curvature;
            });
        }
        sum
    }

    /// What is to be 0, and what is to be largest.
    fn target(&self, own: &[(usize, u8)], theta: f64) -> (f64, f64) {
        let at = self.at(own, theta);
        match self.method {
            Method::WeightedLikelihood => {
                let information = at.information.max(f64::MIN_POSITIVE);
                let weight = 0.5 * libm::log(information);
                (at.slope + 0.5 * at.skew / information, at.log_likelihood + weight)
            }
            Method::Map => {
                let (mean, variance) = (self.bank.mean[0], self.bank.covariance.at(0, 0));
                let z = theta - mean;
                (at.slope - z / variance, at.log_likelihood - 0.5 * z * z / variance)
            }
            _ => (at.slope, at.log_likelihood),
        }
    }

    /// The derivative over the scan: from the tables where they suffice.
    fn scan(&self, own: &[(usize, u8)]) -> Vec<f64> {
        if self.method == Method::WeightedLikelihood {
            return self.thetas.iter().map(|&theta| self.target(own, theta).0).collect();
        }
        let n = self.thetas.len();
        let mut sum = vec![0.0; n];
        for &(item, answer) in own {
            let row = &self.slopes[item][usize::from(answer) * n..][..n];
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        if self.method == Method::Map {
            let (mean, variance) = (self.bank.mean[0], self.bank.covariance.at(0, 0));
            for (sum, theta) in sum.iter_mut().zip(&self.thetas) {
                *sum -= (theta - mean) / variance;
            }
        }
        sum
    }

    fn one(&self, own: &[(usize, u8)]) -> (f64, f64) {
        let scan = self.scan(own);
        // A derivative that has run out of digits is 0 and has no sign: it is passed over.
        let signed: Vec<usize> = (0..=SCAN).filter(|&at| scan[at] != 0.0).collect();
        let falls = signed.windows(2).filter(|pair| scan[pair[0]] > 0.0 && scan[pair[1]] < 0.0);
        let roots = falls.map(|pair| {
            let (low, high) = (self.thetas[pair[0]], self.thetas[pair[1]]);
            root_between(|theta| self.target(own, theta).0, low, high)
        });
        let likelier = |a: &f64, b: &f64| self.target(own, *a).1.total_cmp(&self.target(own, *b).1);
        let Some(theta) = roots.max_by(likelier) else {
            let rising = scan.iter().sum::<f64>() > 0.0;
            return (if rising { f64::INFINITY } else { f64::NEG_INFINITY }, f64::INFINITY);
        };
        (theta, 1.0 / libm::sqrt(self.curvature(own, theta)))
    }

    /// Minus the second derivative of what is largest at `theta`; where that is not above 0 (a
    /// flat top, with guessing), the expected information.
    fn curvature(&self, own: &[(usize, u8)], theta: f64) -> f64 {
        const STEP: f64 = 1e-4;
        let at = self.at(own, theta);
        let variance = self.bank.covariance.at(0, 0);
        let (observed, expected) = match self.method {
            Method::Map => (at.observed + 1.0 / variance, at.information + 1.0 / variance),
            // Warm's weight has no short second derivative.
            Method::WeightedLikelihood => {
                let [up, down] = [STEP, -STEP].map(|step| self.target(own, theta + step).0);
                ((down - up) / (2.0 * STEP), at.information)
            }
            _ => (at.observed, at.information),
        };
        if observed > 0.0 { observed } else { expected }
    }

    /// The mode of a posterior of several dimensions, by Fisher scoring with halved steps.
    fn joint_mode(&self, answers: &[u8]) -> Score {
        let n = self.bank.n_dimensions();
        let Ok(factor) = self.bank.covariance.cholesky() else {
            return Score { theta: vec![f64::NAN; n], se: vec![f64::NAN; n] };
        };
        let precision = factor.inverse();
        let by_dimension: Vec<Vec<(usize, u8)>> = (0..n)
            .map(|dimension| {
                let given = answers.iter().enumerate().filter(|(_, answer)| **answer != MISSING);
                let own = given.filter(|(item, _)| self.bank.items[*item].dimension == dimension);
                own.map(|(item, &answer)| (item, answer)).collect()
            })
            .collect();
        let evaluate = |theta: &[f64]| {
            let (mut value, mut gradient) = (0.0, vec![0.0; n]);
            let (mut information, mut observed) = (precision.clone(), precision.clone());
            for d in 0..n {
                let at = self.at(&by_dimension[d], theta[d]);
                value += at.log_likelihood;
                gradient[d] += at.slope;
                information.add(d, d, at.information);
                observed.add(d, d, at.observed);
                for e in 0..n {
                    let pull = precision.at(d, e) * (theta[e] - self.bank.mean[e]);
                    gradient[d] -= pull;
                    value -= 0.5 * (theta[d] - self.bank.mean[d]) * pull;
                }
            }
            (value, gradient, information, observed)
        };
        let mut theta = self.bank.mean.clone();
        let mut here = evaluate(&theta);
        for _ in 0..STEPS_MAX {
            let Ok(factor) = here.2.cholesky() else { break };
            let mut step = factor.solve(&here.1);
            let mut next = None;
            while next.is_none() && step.iter().any(|s| s.abs() > 1e-14) {
                let to: Vec<f64> = theta.iter().zip(&step).map(|(x, s)| x + s).collect();
                let there = evaluate(&to);
                if there.0 >= here.0 {
                    next = Some((to, there));
                }
                step.iter_mut().for_each(|s| *s *= 0.5);
            }
            let Some((to, there)) = next else { break };
            let moved = theta.iter().zip(&to).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
            (theta, here) = (to, there);
            if moved < 1e-12 {
                break;
            }
        }
        let se = errors(&here.3).or_else(|| errors(&here.2)).unwrap_or(vec![f64::NAN; n]);
        Score { theta, se }
    }
}

fn errors(information: &Matrix) -> Option<Vec<f64>> {
    let inverse = information.cholesky().ok()?.inverse();
    Some(inverse.diagonal().map(libm::sqrt).collect())
}
