//! Fairness of items: does an item work alike for groups who are alike on the trait?
//!
//! Differential item functioning (DIF) by likelihood ratio ([`likelihood_ratios`]): in the baseline
//! all items are shared by all groups, and every group but the first has a mean and a variance of
//! its own; then each item in turn gets parameters by group, and twice the rise of the
//! log-likelihood is compared with χ².
//!
//! Without a response model, among people with the same score ([`Matched`]): [`mantel_haenszel`]
//! for right or wrong answers, [`mantel`] for ordered ones, [`fn@ordinal_logistic`] for differences
//! that change along the score.
//!
//! ```
//! use psychometrics::fairness::{Matched, mantel_haenszel};
//!
//! # fn main() -> Result<(), psychometrics::fairness::MatchingError> {
//! // At each of two scores, three of four in the reference group and one of four in the focal.
//! let answers = [1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0].repeat(2);
//! let focal = [false, false, false, false, true, true, true, true].repeat(2);
//! let scores: Vec<f64> = (0..16).map(|person| f64::from(person / 8)).collect();
//! let seen = mantel_haenszel(&Matched { answers: &answers, focal: &focal, scores: &scores })?;
//! assert!((seen.odds_ratio - 9.0).abs() < 1e-12);
//! # Ok(())
//! # }
//! ```
//!
//! # References
//! Thissen, Steinberg & Wainer 1993, in Holland & Wainer, *Differential Item Functioning*, 67–113.
//! Effect sizes: Meade 2010, *J. Appl. Psychol.* 95, 728–743, doi:10.1037/a0018966.

mod matched;
mod ordinal;
#[cfg(test)]
mod tests;

pub use matched::{
    Effect, Mantel, MantelHaenszel, Matched, MatchingError, mantel, mantel_haenszel,
};
pub use ordinal::{OrdinalLogistic, RatioTest, ordinal_logistic};

use crate::calibrate::{
    CalibrateError, Calibration, Grid, Options, Population, Sample, Specification, calibrate,
    calibrate_from,
};
use crate::distributions::chi_squared_upper;
use crate::matrix::Matrix;
use crate::models::ItemModel;
use crate::parallel;

/// The baseline and each item's test.
#[derive(Debug, Clone, PartialEq)]
pub struct LikelihoodRatios {
    /// All items shared.
    pub baseline: Calibration,
    /// One an item, in order. An item that a group cannot have parameters of its own for (nobody
    /// answered, or all alike) says so.
    pub items: Vec<Result<FreedItem, CalibrateError>>,
}

/// One item freed.
#[derive(Debug, Clone, PartialEq)]
pub struct FreedItem {
    /// The calibration with this item by group and all others shared; without standard errors.
    pub calibration: Calibration,
    /// Twice the rise of the log-likelihood over the baseline.
    pub x2: f64,
    /// Parameters that came with it.
    pub df: usize,
    /// The probability of a larger `x2` if the item works alike.
    pub p: f64,
    /// Per later group: how much its item differs from the first group's.
    pub differences: Vec<Difference>,
}

/// Expected item scores of a group's own item less those of the first group's item, averaged over
/// the group's population: what the difference does to that group's answers, in categories.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// With its sign; above 0 the item is easier for the group than for the first one.
    pub signed: f64,
    /// Without: large where the item favours each group in part of the range.
    pub unsigned: f64,
}

/// Tests every item of `specification` (whose `by_group` marks are ignored) for DIF.
///
/// Items are tested on up to `options.threads` threads; results do not depend on how many. Cost:
/// one calibration, and one warm start an item. Accuracy: X² within 1e-3 of R `mirt` (test
/// `golden_fairness`).
///
/// The test takes all other items to be fair: many unfair items blame fair ones. Large samples
/// find differences too small to matter; look at [`FreedItem::differences`] too. Where parameters
/// have priors the likelihoods are those at the posterior modes, and χ² is approximate.
///
/// # Errors
/// [`CalibrateError`] as for [`calibrate`]; [`CalibrateError::Setting`] with a single group.
pub fn likelihood_ratios(
    sample: &Sample<'_>,
    specification: &Specification,
    options: &Options,
) -> Result<LikelihoodRatios, CalibrateError> {
    let n_groups = sample.groups.and_then(|groups| groups.iter().max()).map_or(1, |&g| g + 1);
    if n_groups < 2 {
        let (option, wanted) = ("number of groups", "at least 2");
        return Err(CalibrateError::Setting { option, value: f64::from(n_groups), wanted });
    }
    let mut shared = specification.clone();
    shared.items.iter_mut().for_each(|item| item.by_group = false);
    let baseline = calibrate(sample, &shared, options)?;
    let alone = Options { threads: 1, standard_errors: false, ..*options };
    let items = parallel::map(options.threads, shared.items.len(), |item| {
        let mut freed = shared.clone();
        freed.items[item].by_group = true;
        let calibration = calibrate_from(sample, &freed, &alone, Some(&baseline))?;
        // Without the priors: each group's own parameters bring a prior of their own, which is no
        // evidence. Rounding, or a prior, can leave a difference of nothing below 0.
        let x2 = (2.0 * (calibration.log_likelihood - baseline.log_likelihood)).max(0.0);
        let df = calibration.n_parameters.saturating_sub(baseline.n_parameters);
        let p = if df > 0 { chi_squared_upper(x2, df as f64) } else { f64::NAN };
        let differences = differences(&calibration, item);
        Ok(FreedItem { calibration, x2, df, p, differences })
    });
    Ok(LikelihoodRatios { baseline, items })
}

fn differences(calibration: &Calibration, item: usize) -> Vec<Difference> {
    let Some(first) = calibration.item_for(item, Some(0)) else { return Vec::new() };
    let of_group = |group: usize| {
        let own = calibration.item_for(item, Some(group))?;
        let population = &calibration.groups[group];
        let d = own.dimension;
        let grid = Grid::new(calibration.n_nodes, calibration.range, 1);
        let weights = Population {
            mean: vec![population.mean[d].value],
            covariance: Matrix::from_fn(1, 1, |_, _| population.covariance[d][d].value),
        }
        .weights(&grid);
        // Values, not categories: groups may lack different ones.
        let expected = |estimate: &crate::calibrate::ItemEstimate, theta: f64| {
            let mut sum = 0.0;
            estimate.parameters.for_each_category(theta, |c| {
                sum += c.probability * f64::from(estimate.values[c.category]);
            });
            sum
        };
        let mut difference = Difference { signed: 0.0, unsigned: 0.0 };
        for (&theta, weight) in grid.nodes.iter().zip(weights) {
            let gap = expected(own, theta) - expected(first, theta);
            difference.signed += weight * gap;
            difference.unsigned += weight * gap.abs();
        }
        Some(difference)
    };
    (1..calibration.groups.len()).filter_map(of_group).collect()
}
