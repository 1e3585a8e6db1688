//! Agreement of the raters of one group.

use super::RatersError;
use crate::columns::{Columns, Groups};

/// Agreement within one group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// The group's code.
    pub group: u32,
    /// Raters who answered every item asked about.
    pub n_raters: usize,
    /// The coefficient; `None` with fewer than two raters, of whom nothing can be said (for
    /// [`a_wg`] also without an interpretable item).
    pub value: Option<f64>,
}

/// What ratings would look like if raters agreed on nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Null<'a> {
    /// Every one of `categories` answers equally likely: variance (A² − 1)/12.
    Rectangular {
        /// Number of answer categories A.
        categories: u32,
    },
    /// The five-category distribution of James, Demaree and Wolf (1984) for raters who are a
    /// little lenient: 5, 15, 20, 35 and 25 %; variance 1.34.
    SlightlySkewedFive,
    /// Probabilities of consecutive categories; they are divided by their sum.
    Distribution(&'a [f64]),
    /// The variance itself.
    Variance(f64),
}

impl Null<'_> {
    /// The variance that a group's own variance is compared with.
    ///
    /// # Errors
    /// When it is not positive and finite.
    pub fn variance(&self) -> Result<f64, RatersError> {
        let variance = match *self {
            Self::Rectangular { categories } => (f64::from(categories).powi(2) - 1.0) / 12.0,
            Self::SlightlySkewedFive => spread(&[0.05, 0.15, 0.20, 0.35, 0.25]),
            Self::Distribution(probabilities) => spread(probabilities),
            Self::Variance(variance) => variance,
        };
        if variance > 0.0 && variance.is_finite() {
            Ok(variance)
        } else {
            Err(RatersError::BadNull { variance })
        }
    }
}

/// Where a group's deviations are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Centre {
    /// The item's mean in the group.
    Mean,
    /// The item's median in the group (the mean of the middle two when even).
    Median,
}

/// r_wg of each group on one item: 1 − s²/σ²(null), 0 where the observed variance is the larger.
///
/// s² has denominator n − 1. Accuracy: 1e-10 against R `multilevel` 2.7 (`golden_classical`,
/// `reference_classical`).
///
/// # Errors
/// Lengths that differ or a null without a positive variance.
/// # References
/// James, Demaree & Wolf 1984, *Journal of Applied Psychology* 69, 85–98,
/// doi:10.1037/0021-9010.69.1.85.
pub fn r_wg(
    ratings: &[f64],
    groups: &Groups,
    null: Null<'_>,
) -> Result<Vec<Agreement>, RatersError> {
    let null = null.variance()?;
    if ratings.len() != groups.n_rows() {
        let (n_values, n_codes) = (ratings.len(), groups.n_rows());
        return Err(RatersError::WrongLength { n_values, n_codes });
    }
    let rated = |rows: &[usize]| -> Vec<f64> {
        rows.iter().map(|&row| ratings[row]).filter(|rating| !rating.is_nan()).collect()
    };
    Ok((0..groups.n_groups())
        .map(|group| {
            let ratings = rated(groups.rows(group));
            let value = (ratings.len() > 1).then(|| 1.0 - (variance(&ratings) / null).min(1.0));
            Agreement { group: groups.codes()[group], n_raters: ratings.len(), value }
        })
        .collect())
}

/// r_wg(j) of each group over J parallel items: J(1 − q)/(J(1 − q) + q), q = mean s²/σ²(null),
/// 0 where q > 1. Raters with a missing item are left out.
///
/// Accuracy and errors as [`r_wg`].
///
/// # Errors
/// Lengths that differ or a null without a positive variance.
/// # References
/// James, Demaree & Wolf 1984, doi:10.1037/0021-9010.69.1.85.
pub fn r_wg_j(
    items: Columns<'_>,
    groups: &Groups,
    null: Null<'_>,
) -> Result<Vec<Agreement>, RatersError> {
    let null = null.variance()?;
    let j = items.n_columns() as f64;
    by_group(items, groups, |table| {
        let q = (mean_of_columns(table, variance) / null).min(1.0);
        Some(j * (1.0 - q) / (j * (1.0 - q) + q))
    })
}

/// Lindell's r*_wg(j) = 1 − mean s²/σ²(null): does not grow with the number of items, and goes
/// below 0 when raters disagree more than chance. Raters with a missing item are left out.
///
/// # Errors
/// Lengths that differ or a null without a positive variance.
/// # References
/// Lindell, Brandt & Whitney 1999, *Applied Psychological Measurement* 23, 127–135,
/// doi:10.1177/01466219922031257.
pub fn r_wg_j_lindell(
    items: Columns<'_>,
    groups: &Groups,
    null: Null<'_>,
) -> Result<Vec<Agreement>, RatersError> {
    let null = null.variance()?;
    by_group(items, groups, |table| Some(1.0 - mean_of_columns(table, variance) / null))
}

/// a_wg of each group, averaged over items: 1 − 2s²/s²max, where s²max is the largest variance
/// that n raters with this mean can have on a scale from `low` to `high`.
///
/// s²max = ((H + L)M − M² − HL) n/(n − 1). Only items whose mean M lies within
/// [((n − 1)L + H)/n, ((n − 1)H + L)/n] count: nearer to an end of the scale that bound cannot be
/// reached. Raters who all chose the same end of the scale agree perfectly: 1. With no item that
/// counts the group's value is `None`. Raters with a missing item are left out.
/// Accuracy: 1e-10 against R `multilevel` 2.7 (`golden_classical`, `reference_classical`).
///
/// # Errors
/// Lengths that differ, a scale whose top is not above its bottom, a rating off the scale.
/// # References
/// Brown & Hauenstein 2005, *Organizational Research Methods* 8, 165–184,
/// doi:10.1177/1094428105275376.
pub fn a_wg(
    items: Columns<'_>,
    groups: &Groups,
    low: f64,
    high: f64,
) -> Result<Vec<Agreement>, RatersError> {
    if !(low < high && low.is_finite() && high.is_finite()) {
        return Err(RatersError::BadScale { low, high });
    }
    for column in 0..items.n_columns() {
        let values = items.column(column);
        if let Some(row) = values.iter().position(|&value| value < low || value > high) {
            return Err(RatersError::OffScale { row, column, value: values[row], low, high });
        }
    }
    by_group(items, groups, |table| {
        let n = table.n_raters as f64;
        // A mean exactly on a bound counts, whatever its rounding.
        let slack = 1e-9 * (high - low);
        let bounds = ((n - 1.0) * low + high) / n - slack..=((n - 1.0) * high + low) / n + slack;
        let (mut sum, mut n_items) = (0.0, 0.0);
        for ratings in table.values.chunks_exact(table.n_raters) {
            let mean = ratings.iter().sum::<f64>() / n;
            if ratings.iter().all(|&x| x == low) || ratings.iter().all(|&x| x == high) {
                sum += 1.0;
                n_items += 1.0;
            } else if bounds.contains(&mean) {
                let largest = ((high + low) * mean - mean * mean - high * low) * n / (n - 1.0);
                sum += 1.0 - 2.0 * variance(ratings) / largest;
                n_items += 1.0;
            }
        }
        (n_items > 0.0).then_some(sum / n_items)
    })
}

/// Average deviation (AD) of each group from its mean or median, averaged over items, in rating
/// units: 0 is perfect agreement; up to A/6 on A categories is commonly called agreement.
/// Raters with a missing item are left out.
///
/// # Errors
/// Lengths that differ.
/// # References
/// Burke & Dunlap 2002, *Organizational Research Methods* 5, 159–172,
/// doi:10.1177/1094428102005002002.
pub fn average_deviation(
    items: Columns<'_>,
    groups: &Groups,
    centre: Centre,
) -> Result<Vec<Agreement>, RatersError> {
    by_group(items, groups, |table| {
        Some(mean_of_columns(table, |ratings| {
            let from = match centre {
                Centre::Mean => ratings.iter().sum::<f64>() / ratings.len() as f64,
                Centre::Median => median(ratings),
            };
            ratings.iter().map(|x| (x - from).abs()).sum::<f64>() / ratings.len() as f64
        }))
    })
}

/// Variance of the raters' means over the items within each group: the mean of all variances and
/// covariances of its items. Raters with a missing item are left out.
///
/// This, not the mean of the items' variances, is what R `multilevel` 2.7 prints as `avg.grp.var`.
///
/// # Errors
/// Lengths that differ.
pub fn variance_of_means(
    items: Columns<'_>,
    groups: &Groups,
) -> Result<Vec<Agreement>, RatersError> {
    by_group(items, groups, |table| {
        let mut means = vec![0.0; table.n_raters];
        let columns = table.values.chunks_exact(table.n_raters);
        let n_items = columns.len() as f64;
        for ratings in columns {
            means.iter_mut().zip(ratings).for_each(|(mean, rating)| *mean += rating / n_items);
        }
        Some(variance(&means))
    })
}

/// Mean of the items' variances within each group. Raters with a missing item are left out.
///
/// # Errors
/// Lengths that differ.
pub fn mean_variance(items: Columns<'_>, groups: &Groups) -> Result<Vec<Agreement>, RatersError> {
    by_group(items, groups, |table| Some(mean_of_columns(table, variance)))
}

/// A group's complete ratings, column after column.
struct GroupTable {
    values: Vec<f64>,
    n_raters: usize,
}

fn by_group(
    items: Columns<'_>,
    groups: &Groups,
    coefficient: impl Fn(&GroupTable) -> Option<f64>,
) -> Result<Vec<Agreement>, RatersError> {
    if items.n_rows() != groups.n_rows() {
        let (n_values, n_codes) = (items.n_rows(), groups.n_rows());
        return Err(RatersError::WrongLength { n_values, n_codes });
    }
    let complete = |row: &&usize| items.row(**row).all(|value| !value.is_nan());
    Ok((0..groups.n_groups())
        .map(|group| {
            let rows: Vec<usize> = groups.rows(group).iter().filter(complete).copied().collect();
            let n_raters = rows.len();
            let table = GroupTable { values: items.rows_copied(&rows), n_raters };
            let value = if n_raters > 1 { coefficient(&table) } else { None };
            Agreement { group: groups.codes()[group], n_raters, value }
        })
        .collect())
}

fn mean_of_columns(table: &GroupTable, figure: impl Fn(&[f64]) -> f64) -> f64 {
    let columns = table.values.chunks_exact(table.n_raters);
    let n_columns = columns.len() as f64;
    columns.map(figure).sum::<f64>() / n_columns
}

fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { 0.5 * (sorted[half - 1] + sorted[half]) }
}

/// Variance of consecutive categories with these probabilities.
fn spread(probabilities: &[f64]) -> f64 {
    let total: f64 = probabilities.iter().sum();
    let moment = |power: i32| {
        let terms =
            probabilities.iter().enumerate().map(|(k, p)| p / total * (k as f64).powi(power));
        terms.sum::<f64>()
    };
    if probabilities.iter().any(|p| p.is_nan() || *p < 0.0) {
        return f64::NAN;
    }
    moment(2) - moment(1) * moment(1)
}
