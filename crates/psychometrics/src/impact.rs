//! Adverse impact: do two groups pass a selection at different rates?
//!
//! ```
//! use psychometrics::impact::{Selection, four_fifths};
//!
//! let women = Selection { selected: 12, total: 40 };
//! let men = Selection { selected: 20, total: 44 };
//! let impact = four_fifths(women, men, 0.95)?;
//! assert!(impact.below_four_fifths && impact.ratio < 0.67);
//! assert!(impact.p > 0.05, "so few persons prove nothing: look at the interval");
//! # Ok::<(), psychometrics::impact::ImpactError>(())
//! ```

use crate::distributions::normal_quantile;
use crate::search::root_between;

/// Counts from which no impact can be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ImpactError {
    /// A group without persons, or with more selected than there are.
    #[error("{selected} selected of {total} in the {group} group")]
    BadCounts {
        /// Which group.
        group: &'static str,
        /// Persons selected.
        selected: u32,
        /// Persons in all.
        total: u32,
    },
    /// Nobody was selected anywhere, so rates have no ratio.
    #[error("nobody was selected out of {total}: rates of zero have no ratio")]
    NobodySelected {
        /// Persons in all.
        total: u64,
    },
    /// A confidence level outside (0, 1).
    #[error("confidence level {level} is not between 0 and 1")]
    BadLevel {
        /// What was asked for.
        level: f64,
    },
}

/// How many of a group were selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Persons selected.
    pub selected: u32,
    /// Persons in the group.
    pub total: u32,
}

impl Selection {
    /// Share selected; NaN of an empty group.
    #[must_use]
    pub fn rate(self) -> f64 {
        f64::from(self.selected) / f64::from(self.total)
    }
}

/// Two groups' selection compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Impact {
    /// Rate of the focal group over rate of the reference group; infinite when only the reference
    /// group's is zero.
    pub ratio: f64,
    /// Score limits of the ratio at the level asked for.
    pub ratio_interval: (f64, f64),
    /// Whether the ratio is below 0.8, as the Uniform Guidelines' rule of thumb asks.
    pub below_four_fifths: bool,
    /// Fisher's exact two-sided p of equal rates.
    pub p: f64,
    /// Conditional maximum likelihood odds ratio.
    pub odds_ratio: f64,
    /// Exact limits of the odds ratio at the level asked for.
    pub odds_ratio_interval: (f64, f64),
}

/// Four-fifths ratio of two groups with its uncertainty.
///
/// The ratio's interval is Koopman's score interval, which has limits also when a count is 0 or
/// full. p sums the probabilities of all tables no likelier than this one; the odds ratio
/// maximises the conditional (non-central hypergeometric) likelihood, and its limits are exact.
/// Cost: linear in the number selected.
/// Accuracy: 1e-9 relative against exact rational arithmetic and 50-digit roots
/// (`agreement_classical`).
///
/// # Errors
/// Impossible counts, nobody selected at all, level outside (0, 1).
/// # References
/// 29 CFR 1607.4 D; Fisher 1935, *JRSS* 98, 39–82, doi:10.2307/2342435; Koopman 1984,
/// *Biometrics* 40, 513–517, doi:10.2307/2531405.
pub fn four_fifths(
    focal: Selection,
    reference: Selection,
    level: f64,
) -> Result<Impact, ImpactError> {
    for (group, Selection { selected, total }) in [("focal", focal), ("reference", reference)] {
        if total == 0 || selected > total {
            return Err(ImpactError::BadCounts { group, selected, total });
        }
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(ImpactError::BadLevel { level });
    }
    if focal.selected == 0 && reference.selected == 0 {
        let total = u64::from(focal.total) + u64::from(reference.total);
        return Err(ImpactError::NobodySelected { total });
    }
    let tail = 0.5 * (1.0 - level);
    let ratio = focal.rate() / reference.rate();
    let tables = Tables::of(focal, reference);
    Ok(Impact {
        ratio,
        ratio_interval: score_limits(focal, reference, tail),
        below_four_fifths: ratio < 0.8,
        p: tables.two_sided_p(),
        odds_ratio: tables.conditional_odds_ratio(),
        odds_ratio_interval: tables.exact_limits(tail),
    })
}

/// Every group against the one with the highest rate, in the order given; that one's own entry
/// is its comparison with itself (ratio 1).
///
/// # Errors
/// As [`four_fifths`], and for no group at all.
pub fn against_highest(groups: &[Selection], level: f64) -> Result<Vec<Impact>, ImpactError> {
    let highest = groups.iter().copied().max_by(|a, b| a.rate().total_cmp(&b.rate()));
    let highest = highest.ok_or(ImpactError::NobodySelected { total: 0 })?;
    groups.iter().map(|&group| four_fifths(group, highest, level)).collect()
}

/// All tables with the margins seen, by the focal group's count of selected.
struct Tables {
    observed: usize,
    /// ln of the central hypergeometric weight, up to a constant.
    log_weights: Vec<f64>,
}

impl Tables {
    fn of(focal: Selection, reference: Selection) -> Self {
        let (m, n) = (f64::from(focal.total), f64::from(reference.total));
        let k = f64::from(focal.selected) + f64::from(reference.selected);
        let (low, high) = ((k - n).max(0.0), k.min(m));
        let mut log_weights = vec![0.0];
        let mut sum = 0.0;
        for step in 0..(high - low) as usize {
            let x = low + step as f64;
            sum += libm::log((m - x) * (k - x) / ((x + 1.0) * (n - k + x + 1.0)));
            log_weights.push(sum);
        }
        let observed = (f64::from(focal.selected) - low) as usize;
        Self { observed, log_weights }
    }

    /// Probabilities of the tables when the log odds ratio is `log_odds`.
    fn probabilities(&self, log_odds: f64) -> Vec<f64> {
        let tilted = self.log_weights.iter().enumerate().map(|(x, w)| w + x as f64 * log_odds);
        let mut weights: Vec<f64> = tilted.collect();
        let largest = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for weight in &mut weights {
            *weight = libm::exp(*weight - largest);
        }
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= total);
        weights
    }

    fn two_sided_p(&self) -> f64 {
        /// Ties in exact arithmetic that rounding would separate.
        const SLACK: f64 = 1.0 + 1e-7;
        let probabilities = self.probabilities(0.0);
        let limit = probabilities[self.observed] * SLACK;
        probabilities.iter().filter(|&&p| p <= limit).sum::<f64>().min(1.0)
    }

    fn conditional_odds_ratio(&self) -> f64 {
        let last = self.log_weights.len() - 1;
        if last == 0 {
            return f64::NAN;
        }
        match self.observed {
            0 => 0.0,
            place if place == last => f64::INFINITY,
            place => solved(|log_odds| {
                let p = self.probabilities(log_odds);
                p.iter().enumerate().map(|(x, p)| x as f64 * p).sum::<f64>() - place as f64
            }),
        }
    }

    fn exact_limits(&self, tail: f64) -> (f64, f64) {
        let (place, last) = (self.observed, self.log_weights.len() - 1);
        let low = if place == 0 {
            0.0
        } else {
            solved(|odds| self.probabilities(odds)[place..].iter().sum::<f64>() - tail)
        };
        let high = if place == last {
            f64::INFINITY
        } else {
            solved(|odds| tail - self.probabilities(odds)[..=place].iter().sum::<f64>())
        };
        (low, high)
    }
}

/// exp of the root of a function rising in a logarithm.
fn solved(function: impl Fn(f64) -> f64) -> f64 {
    const REACH: f64 = 200.0;
    libm::exp(root_between(function, -REACH, REACH))
}

/// Koopman's interval: the ratios that the score test does not reject.
fn score_limits(focal: Selection, reference: Selection, tail: f64) -> (f64, f64) {
    const LOWEST: f64 = -40.0;
    const HIGHEST: f64 = 40.0;
    let z = normal_quantile(tail);
    let excess = |log_ratio: f64| score_chi_squared(focal, reference, log_ratio) - z * z;
    let centre = libm::log(focal.rate() / reference.rate());
    let low = if focal.selected == 0 {
        0.0
    } else {
        libm::exp(root_between(excess, LOWEST, centre.min(HIGHEST)))
    };
    let high = if reference.selected == 0 {
        f64::INFINITY
    } else {
        libm::exp(root_between(excess, centre.max(LOWEST), HIGHEST))
    };
    (low, high)
}

fn score_chi_squared(focal: Selection, reference: Selection, log_ratio: f64) -> f64 {
    let ratio = libm::exp(log_ratio);
    let (x1, n1) = (f64::from(focal.selected), f64::from(focal.total));
    let (x2, n2) = (f64::from(reference.selected), f64::from(reference.total));
    // The reference rate that is likeliest under this ratio: the smaller root of a quadratic.
    let b = ratio * (n1 + x2) + x1 + n2;
    let c = x1 + x2;
    let root = libm::sqrt((b * b - 4.0 * ratio * (n1 + n2) * c).max(0.0));
    let rate = 2.0 * c / (b + root);
    let term = |x: f64, n: f64, p: f64| {
        let gap = x - n * p;
        let variance = n * p * (1.0 - p);
        if gap == 0.0 { 0.0 } else { gap * gap / variance.max(f64::MIN_POSITIVE) }
    };
    term(x1, n1, (ratio * rate).min(1.0)) + term(x2, n2, rate.min(1.0))
}
