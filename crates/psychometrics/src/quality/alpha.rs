//! Alpha, omega, and what each item adds.

use super::covariance::{products, standardised};
use super::{Gaps, QualityError, check_level, covariances};
use crate::columns::Columns;
use crate::distributions::{f_quantile_upper, normal_quantile};
use crate::factors::{FactorsError, confirmatory};
use crate::matrix::Matrix;

/// Internal consistency of a scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    /// Persons with at least one answer, or with all of them ([`Gaps::Complete`]).
    pub n_persons: usize,
    /// Cronbach's alpha of the items as they are.
    pub alpha: f64,
    /// Feldt's limits at the level asked for.
    pub alpha_interval: (f64, f64),
    /// Standard error by Duhachek and Iacobucci.
    pub alpha_standard_error: f64,
    /// Alpha of standardised items.
    pub standardised_alpha: f64,
    /// Guttman's λ₆ from squared multiple correlations; `None` when the correlation matrix is
    /// singular.
    pub lambda6: Option<f64>,
    /// Mean correlation between items.
    pub average_correlation: f64,
    /// Median correlation between items.
    pub median_correlation: f64,
    /// Mean over persons of their mean answer.
    pub mean: f64,
    /// Standard deviation over persons of their mean answer.
    pub sd: f64,
    /// Per item, in column order.
    pub items: Vec<ItemQuality>,
}

/// What one item brings to its scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ItemQuality {
    /// Persons who answered it.
    pub n: usize,
    /// Mean answer.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
    /// Correlation with the persons' mean answer, the item included.
    pub item_total: f64,
    /// The same of standardised items.
    pub standardised_item_total: f64,
    /// The same with the item's own error replaced by its squared multiple correlation; `None`
    /// when the correlation matrix is singular.
    pub corrected_item_total: Option<f64>,
    /// Correlation with the sum of the other items.
    pub item_rest: f64,
    /// The scale without it; `None` when fewer than two items remain.
    pub if_dropped: Option<IfDropped>,
}

/// A scale without one of its items, from the same covariances and the same persons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IfDropped {
    /// Cronbach's alpha of the others.
    pub alpha: f64,
    /// Its standard error by Duhachek and Iacobucci.
    pub alpha_standard_error: f64,
    /// Alpha of the others standardised.
    pub standardised_alpha: f64,
    /// Guttman's λ₆ of the others; `None` when their correlation matrix is singular.
    pub lambda6: Option<f64>,
    /// Mean correlation between the others.
    pub average_correlation: f64,
    /// Median correlation between them.
    pub median_correlation: f64,
    /// Variance of these correlations (denominator one less than their number); `None` of a single
    /// one.
    pub correlation_variance: Option<f64>,
}

/// Alpha with its interval, and item statistics.
///
/// α = p/(p − 1) · (1 − Σσᵢ²/σ²(sum)), from pairwise or complete-case covariances. Feldt's limits
/// are 1 − (1 − α) F with n − 1 and (n − 1)(p − 1) degrees of freedom.
/// Accuracy: every figure within 1e-10 of R `psych::alpha` 2.2.9, both ways of treating gaps
/// (`golden_classical`, `reference_classical`).
///
/// # Errors
/// Fewer than two items or three persons, items without variance or common persons, a constant
/// sum, level outside (0, 1).
/// # References
/// Cronbach 1951, *Psychometrika* 16, 297–334, doi:10.1007/BF02310555; Feldt, Woodruff & Salih
/// 1987, *Applied Psychological Measurement* 11, 93–103, doi:10.1177/014662168701100107;
/// Duhachek & Iacobucci 2004, *Journal of Applied Psychology* 89, 792–808,
/// doi:10.1037/0021-9010.89.5.792.
pub fn reliability(
    items: Columns<'_>,
    gaps: Gaps,
    level: f64,
) -> Result<Reliability, QualityError> {
    check_level(level)?;
    let p = items.n_columns();
    if p < 2 {
        return Err(QualityError::TooFewItems { n_items: p, n_min: 2 });
    }
    let rows = usable_rows(items, gaps)?;
    let covariance = covariances(items, gaps)?;
    let correlation = standardised(&covariance)?;
    if covariance.sum() <= 0.0 {
        return Err(QualityError::NoTotalVariance { n_items: p });
    }
    let totals: Vec<f64> = rows.iter().map(|&row| mean_answer(items, row)).collect();
    let between = below_diagonal(&correlation);
    let multiple = squared_multiple(&correlation);
    let (alpha, n) = (alpha_of(&covariance), rows.len() as f64);
    let (df1, df2) = (n - 1.0, (n - 1.0) * (p as f64 - 1.0));
    let tail = 0.5 * (1.0 - level);
    let spread = products(&totals.iter().map(|&total| (total, total)).collect::<Vec<_>>())[0];
    Ok(Reliability {
        n_persons: rows.len(),
        alpha,
        alpha_interval: (
            1.0 - (1.0 - alpha) * f_quantile_upper(tail, df1, df2),
            1.0 - (1.0 - alpha) / f_quantile_upper(tail, df2, df1),
        ),
        alpha_standard_error: standard_error(&covariance, n),
        standardised_alpha: alpha_of(&correlation),
        lambda6: multiple.as_ref().map(|multiple| lambda6(&correlation, multiple)),
        average_correlation: between.iter().sum::<f64>() / between.len() as f64,
        median_correlation: median(between),
        mean: totals.iter().sum::<f64>() / n,
        sd: libm::sqrt(spread / (n - 1.0)),
        items: (0..p)
            .map(|item| ItemQuality {
                corrected_item_total: multiple
                    .as_ref()
                    .map(|multiple| overlap_corrected(&correlation, multiple, item)),
                ..item_quality(items, &rows, &totals, (&covariance, &correlation), item)
            })
            .collect(),
    })
}

/// Omega of a scale by its one-factor model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Omega {
    /// (Σλ)²/((Σλ)² + Σθ).
    pub omega: f64,
    /// Standard error by the delta method.
    pub standard_error: f64,
    /// Normal limits at the level asked for.
    pub interval: (f64, f64),
}

/// McDonald's omega (total) from the maximum likelihood one-factor model of the complete cases.
///
/// Accuracy: within 1e-6 of R `lavaan` 0.6-14 on eight scales, whose optimiser stops there
/// (`golden_classical`, `reference_classical`); its interval holds the truth 93 to 97 times in a
/// hundred at 400 persons (`recovery_classical`).
///
/// # Errors
/// Fewer than three items or persons, or a factor model that fails.
/// # References
/// McDonald 1999, *Test Theory*, doi:10.4324/9781410601087.
pub fn omega(items: Columns<'_>, level: f64) -> Result<Omega, QualityError> {
    check_level(level)?;
    let n_items = items.n_columns();
    if n_items < 3 {
        return Err(QualityError::TooFewItems { n_items, n_min: 3 });
    }
    let model = confirmatory(items, &vec![0; n_items]).map_err(|error| match error {
        FactorsError::TooFewPersons { n_persons, .. } => QualityError::TooFewPersons { n_persons },
        other => QualityError::Factor(other),
    })?;
    let (omega, standard_error) = model.omega(0);
    let reach = -normal_quantile(0.5 * (1.0 - level)) * standard_error;
    Ok(Omega { omega, standard_error, interval: (omega - reach, omega + reach) })
}

/// Reliability of the sum of several scales, from alpha within each.
///
/// 1 − Σ σ²(stratum)(1 − α(stratum))/σ²(sum); `stratum` marks each item's scale.
///
/// # Errors
/// As [`reliability`], and marks that do not fit or a stratum of one item.
/// # References
/// Cronbach, Schönemann & McKie 1965, *Educational and Psychological Measurement* 25, 291–312,
/// doi:10.1177/001316446502500201.
pub fn stratified_alpha(
    items: Columns<'_>,
    stratum: &[usize],
    gaps: Gaps,
) -> Result<f64, QualityError> {
    let n_items = items.n_columns();
    if stratum.len() != n_items {
        return Err(QualityError::StrataLength { n_strata: stratum.len(), n_items });
    }
    usable_rows(items, gaps)?;
    let covariance = covariances(items, gaps)?;
    let total = covariance.sum();
    if total <= 0.0 {
        return Err(QualityError::NoTotalVariance { n_items });
    }
    let mut marks = stratum.to_vec();
    marks.sort_unstable();
    marks.dedup();
    let mut error = 0.0;
    for mark in marks {
        let members: Vec<usize> = (0..n_items).filter(|&item| stratum[item] == mark).collect();
        if members.len() < 2 {
            return Err(QualityError::ThinStratum { stratum: mark, n_items: members.len() });
        }
        let part = submatrix(&covariance, &members);
        error += part.sum() * (1.0 - alpha_of(&part));
    }
    Ok(1.0 - error / total)
}

fn usable_rows(items: Columns<'_>, gaps: Gaps) -> Result<Vec<usize>, QualityError> {
    let rows: Vec<usize> = match gaps {
        Gaps::Complete => items.complete_rows(),
        Gaps::Pairwise => (0..items.n_rows())
            .filter(|&row| items.row(row).any(|answer| !answer.is_nan()))
            .collect(),
    };
    if rows.len() < 3 {
        return Err(QualityError::TooFewPersons { n_persons: rows.len() });
    }
    Ok(rows)
}

fn mean_answer(items: Columns<'_>, row: usize) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for answer in items.row(row).filter(|answer| !answer.is_nan()) {
        sum += answer;
        n += 1.0;
    }
    sum / n
}

fn alpha_of(covariance: &Matrix) -> f64 {
    let p = covariance.n_rows() as f64;
    (1.0 - covariance.diagonal().sum::<f64>() / covariance.sum()) * p / (p - 1.0)
}

fn standard_error(covariance: &Matrix, n: f64) -> f64 {
    let p = covariance.n_rows() as f64;
    let (total, trace) = (covariance.sum(), covariance.diagonal().sum::<f64>());
    let squares: f64 = covariance.values().iter().map(|value| value * value).sum();
    let row_sums = (0..covariance.n_rows()).map(|i| covariance.row(i).iter().sum::<f64>());
    let sum_of_square: f64 = row_sums.map(|sum| sum * sum).sum();
    let q = total * (squares + trace * trace) - 2.0 * trace * sum_of_square;
    libm::sqrt(2.0 * p * p / ((p - 1.0) * (p - 1.0) * total * total * total) * q / n)
}

/// Squared multiple correlation of each item with the others.
fn squared_multiple(correlation: &Matrix) -> Option<Vec<f64>> {
    let inverse = correlation.cholesky().ok()?.inverse();
    Some(inverse.diagonal().map(|value| 1.0 - 1.0 / value).collect())
}

fn lambda6(correlation: &Matrix, multiple: &[f64]) -> f64 {
    1.0 - (multiple.len() as f64 - multiple.iter().sum::<f64>()) / correlation.sum()
}

fn below_diagonal(matrix: &Matrix) -> Vec<f64> {
    (0..matrix.n_rows()).flat_map(|i| matrix.row(i)[..i].iter().copied()).collect()
}

/// The scale that `covariance` and `correlation` describe, whose answers `n` persons gave.
fn if_dropped(covariance: &Matrix, correlation: &Matrix, n: f64) -> IfDropped {
    let between = below_diagonal(correlation);
    let n_pairs = between.len() as f64;
    let mean = between.iter().sum::<f64>() / n_pairs;
    let squares: f64 = between.iter().map(|r| (r - mean) * (r - mean)).sum();
    IfDropped {
        alpha: alpha_of(covariance),
        alpha_standard_error: standard_error(covariance, n),
        standardised_alpha: alpha_of(correlation),
        lambda6: squared_multiple(correlation).map(|multiple| lambda6(correlation, &multiple)),
        average_correlation: mean,
        correlation_variance: (between.len() > 1).then(|| squares / (n_pairs - 1.0)),
        median_correlation: median(between),
    }
}

fn overlap_corrected(correlation: &Matrix, multiple: &[f64], item: usize) -> f64 {
    let column: f64 = correlation.row(item).iter().sum::<f64>() - 1.0 + multiple[item];
    let total = correlation.sum() - multiple.len() as f64 + multiple.iter().sum::<f64>();
    column / libm::sqrt(total)
}

fn item_quality(
    items: Columns<'_>,
    rows: &[usize],
    totals: &[f64],
    (covariance, correlation): (&Matrix, &Matrix),
    item: usize,
) -> ItemQuality {
    let answers = items.column(item);
    let with_total: Vec<(f64, f64)> = rows
        .iter()
        .zip(totals)
        .map(|(&row, &total)| (answers[row], total))
        .filter(|(answer, _)| !answer.is_nan())
        .collect();
    let n = with_total.len();
    let [xx, yy, xy] = products(&with_total);
    let (variance, shared) = (covariance.at(item, item), covariance.row(item).iter().sum::<f64>());
    let rest = covariance.sum() - 2.0 * shared + variance;
    let others: Vec<usize> = (0..items.n_columns()).filter(|&other| other != item).collect();
    ItemQuality {
        n,
        mean: with_total.iter().map(|pair| pair.0).sum::<f64>() / n as f64,
        sd: libm::sqrt(xx / (n as f64 - 1.0)),
        item_total: xy / libm::sqrt(xx * yy),
        standardised_item_total: correlation.row(item).iter().sum::<f64>()
            / libm::sqrt(correlation.sum()),
        corrected_item_total: None,
        item_rest: (shared - variance) / libm::sqrt(variance * rest),
        if_dropped: (others.len() > 1).then(|| {
            let (covariance, correlation) =
                (submatrix(covariance, &others), submatrix(correlation, &others));
            if_dropped(&covariance, &correlation, rows.len() as f64)
        }),
    }
}

fn submatrix(matrix: &Matrix, members: &[usize]) -> Matrix {
    Matrix::from_fn(members.len(), members.len(), |i, j| matrix.at(members[i], members[j]))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { 0.5 * (values[half - 1] + values[half]) }
}
