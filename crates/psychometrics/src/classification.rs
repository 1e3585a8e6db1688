//! How surely scores put people into classes, and how often two forms of a test would agree.
//!
//! - [`rudner`]: θ estimates with standard errors, classes cut on θ;
//! - [`lee`]: sum scores under a response model, classes cut on the sum.
//!
//! Accuracy is the share of people who are put where they belong, consistency the share whom a
//! second form of the same test would put into the same class.
//!
//! ```
//! use psychometrics::classification::rudner;
//!
//! # fn main() -> Result<(), psychometrics::classification::ClassificationError> {
//! let sure = rudner(&[-2.0, 2.0], &[0.3, 0.3], &[0.0])?;
//! assert!(sure.accuracy > 0.999 && sure.consistency > 0.999);
//! let tossed = rudner(&[0.0], &[0.3], &[0.0])?;
//! assert!((tossed.accuracy - 0.5).abs() < 1e-12 && (tossed.consistency - 0.5).abs() < 1e-12);
//! # Ok(())
//! # }
//! ```

use crate::distributions::normal_cdf;
use crate::models::ItemModel;
use crate::score::{Bank, ScoreError, sums_given_theta};

/// Why people could not be classified.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClassificationError {
    /// Cuts that are not finite and ascending, or none.
    #[error("cuts must be finite and ascending, at least one; {given} were given")]
    Cuts {
        /// How many were given.
        given: usize,
    },
    /// Scores and errors that are not one a person, or not usable.
    #[error("{n_thetas} scores, {n_errors} errors: one of each a person, finite, errors above 0")]
    Scores {
        /// Scores given.
        n_thetas: usize,
        /// Errors given.
        n_errors: usize,
    },
    /// The bank does not have sum scores.
    #[error("the bank has no sum scores")]
    Bank(#[from] ScoreError),
}

/// How surely a test classifies.
#[derive(Debug, Clone, PartialEq)]
pub struct Classification {
    /// Expected share of people put into the class they belong to.
    pub accuracy: f64,
    /// Expected share of people whom two parallel forms would put into the same class.
    pub consistency: f64,
    /// Consistency beyond what the classes' shares alone would give, over the most there could be;
    /// NaN where everybody is in one class.
    pub kappa: f64,
    /// Expected share of people in each class, lowest first.
    pub shares: Vec<f64>,
    /// Expected share of people put too high.
    pub too_high: f64,
    /// Expected share of people put too low.
    pub too_low: f64,
}

/// Rudner's accuracy and consistency of classes between ascending `cuts` on θ.
///
/// Each estimate is taken as normal about the person's θ with its standard error: with pₖ the
/// normal probability of class k about θ̂, accuracy is the mean of the p of the class of θ̂ itself,
/// consistency the mean of Σ pₖ². A θ̂ at a cut is in the class above it.
/// Cost: classes × persons normal tails. Accuracy: identities and simulated retests
/// (`agreement_scales`).
///
/// # Errors
/// [`ClassificationError::Cuts`], [`ClassificationError::Scores`].
/// # References
/// Rudner 2001, *Practical Assessment, Research & Evaluation* 7 (14), doi:10.7275/an9m-2035;
/// Rudner 2005, the same 10 (13), doi:10.7275/56a5-6b14; Lathrop & Cheng 2013, *Applied
/// Psychological Measurement* 37, 226–241, doi:10.1177/0146621612471888.
pub fn rudner(
    thetas: &[f64],
    errors: &[f64],
    cuts: &[f64],
) -> Result<Classification, ClassificationError> {
    check(cuts)?;
    let (n_thetas, n_errors) = (thetas.len(), errors.len());
    let usable = thetas.iter().all(|theta| theta.is_finite())
        && errors.iter().all(|error| error.is_finite() && *error > 0.0);
    if n_thetas != n_errors || n_thetas == 0 || !usable {
        return Err(ClassificationError::Scores { n_thetas, n_errors });
    }
    let mut sums = Sums::new(cuts.len() + 1);
    for (theta, error) in thetas.iter().zip(errors) {
        let own = class_of(*theta, cuts);
        // Tails from the nearer side, so that none is lost to rounding.
        let above = |cut: &f64| normal_cdf((theta - cut) / error);
        let below = |cut: &f64| normal_cdf((cut - theta) / error);
        let within = |class: usize| {
            let (low, high) = (class.checked_sub(1).map(|at| &cuts[at]), cuts.get(class));
            match (low, high) {
                (None, Some(high)) => below(high),
                (Some(low), None) => above(low),
                (Some(low), Some(high)) if high <= theta => below(high) - below(low),
                (Some(low), Some(high)) => above(low) - above(high),
                (None, None) => 1.0,
            }
        };
        let p: Vec<f64> = (0..=cuts.len()).map(within).collect();
        sums.add(&p, own, 1.0);
    }
    Ok(sums.classification())
}

/// The people that sum scores are classified over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Over<'a> {
    /// The bank's population.
    Population,
    /// People with these thetas.
    Persons(&'a [f64]),
}

/// Lee's accuracy and consistency of classes between ascending `cuts` on the sum score.
///
/// The distribution of the sum at each θ (Lord and Wingersky) is summed within classes to pₖ(θ);
/// consistency is the mean of Σ pₖ², accuracy the mean of the p of the class that the expected sum
/// at θ lies in. Sums are counted as by [`crate::score::sum_scores`]; a sum at a cut is in the
/// class above it. Cost: O(items² × categories² × thetas).
/// Accuracy: enumerated answers to 1e-13, simulated retests (`agreement_scales`).
///
/// # Errors
/// [`ClassificationError`]: cuts, thetas that are not finite, a bank of several dimensions.
/// # References
/// Lee 2010, *Journal of Educational Measurement* 47, 1–17, doi:10.1111/j.1745-3984.2009.00096.x.
pub fn lee(
    bank: &Bank,
    cuts: &[f64],
    over: Over<'_>,
) -> Result<Classification, ClassificationError> {
    check(cuts)?;
    bank.one_dimension("sum scores")?;
    let (thetas, weights) = match over {
        Over::Population => bank.quadrature(),
        Over::Persons(thetas) => (thetas.to_vec(), vec![1.0; thetas.len()]),
    };
    let n_thetas = thetas.len();
    if n_thetas == 0 || thetas.iter().any(|theta| !theta.is_finite()) {
        return Err(ClassificationError::Scores { n_thetas, n_errors: n_thetas });
    }
    let (lowest, rows) = sums_given_theta(bank, &thetas, &vec![1.0; n_thetas]);
    let mut sums = Sums::new(cuts.len() + 1);
    for (at, (&theta, &weight)) in thetas.iter().zip(&weights).enumerate() {
        let mut p = vec![0.0; cuts.len() + 1];
        for (row, sum) in rows.iter().zip(lowest..) {
            p[class_of(sum as f64, cuts)] += row[at];
        }
        let expected: f64 =
            bank.items().iter().map(|item| item.parameters().expected_score(theta)).sum();
        sums.add(&p, class_of(lowest as f64 + expected, cuts), weight);
    }
    Ok(sums.classification())
}

fn check(cuts: &[f64]) -> Result<(), ClassificationError> {
    let ascending = cuts.windows(2).all(|pair| pair[0] < pair[1]);
    if cuts.is_empty() || !ascending || cuts.iter().any(|cut| !cut.is_finite()) {
        return Err(ClassificationError::Cuts { given: cuts.len() });
    }
    Ok(())
}

fn class_of(value: f64, cuts: &[f64]) -> usize {
    cuts.partition_point(|&cut| cut <= value)
}

struct Sums {
    weight: f64,
    accurate: f64,
    consistent: f64,
    high: f64,
    low: f64,
    shares: Vec<f64>,
}

impl Sums {
    fn new(n_classes: usize) -> Self {
        let shares = vec![0.0; n_classes];
        Self { weight: 0.0, accurate: 0.0, consistent: 0.0, high: 0.0, low: 0.0, shares }
    }

    fn add(&mut self, p: &[f64], own: usize, weight: f64) {
        self.weight += weight;
        self.accurate += weight * p[own];
        self.consistent += weight * p.iter().map(|p| p * p).sum::<f64>();
        self.high += weight * p[own + 1..].iter().sum::<f64>();
        self.low += weight * p[..own].iter().sum::<f64>();
        for (share, p) in self.shares.iter_mut().zip(p) {
            *share += weight * p;
        }
    }

    fn classification(self) -> Classification {
        let shares: Vec<f64> = self.shares.iter().map(|share| share / self.weight).collect();
        let consistency = self.consistent / self.weight;
        let by_chance: f64 = shares.iter().map(|share| share * share).sum();
        let room = 1.0 - by_chance;
        Classification {
            accuracy: self.accurate / self.weight,
            consistency,
            kappa: if room > 0.0 { (consistency - by_chance) / room } else { f64::NAN },
            shares,
            too_high: self.high / self.weight,
            too_low: self.low / self.weight,
        }
    }
}
