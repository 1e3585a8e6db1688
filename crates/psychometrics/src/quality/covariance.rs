//! Covariances and correlations of items with gaps.

use super::QualityError;
use crate::columns::Columns;
use crate::matrix::Matrix;

/// What to do with persons who left items out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// Each pair of items uses the persons who answered both. Uses every answer, but the matrix
    /// need not be positive definite.
    Pairwise,
    /// Only persons who answered every item.
    Complete,
}

/// Covariance matrix of the items, denominator n − 1.
///
/// Two passes, so that large means cost no digits. O(persons × items²).
/// Accuracy: 1e-10 against R `cov(use = "pairwise")` (`golden_classical`).
///
/// # Errors
/// Fewer than three usable persons, or two items without common persons.
pub fn covariances(items: Columns<'_>, gaps: Gaps) -> Result<Matrix, QualityError> {
    pairs(items, gaps, |n, _, _, xy| xy / (n - 1.0))
}

/// Pearson correlations of the items.
///
/// With [`Gaps::Pairwise`] each is taken over the persons who answered both, means and variances
/// included, as R `cor(use = "pairwise")` does: 1e-10 against it (`golden_classical`).
///
/// # Errors
/// As [`covariances`], and an item without variance.
pub fn correlations(items: Columns<'_>, gaps: Gaps) -> Result<Matrix, QualityError> {
    let matrix = pairs(items, gaps, |_, xx, yy, xy| xy / libm::sqrt(xx * yy))?;
    for item in 0..items.n_columns() {
        if matrix.row(item).iter().any(|r| r.is_nan()) && matrix.at(item, item).is_nan() {
            return Err(QualityError::NoVariance { item });
        }
    }
    match (0..items.n_columns()).find(|&i| matrix.row(i).iter().any(|r| r.is_nan())) {
        // Varies over all, but not over those who answered the other item.
        Some(item) => Err(QualityError::NoVariance { item }),
        None => Ok(matrix),
    }
}

/// The correlations that belong to covariances.
pub(super) fn standardised(covariance: &Matrix) -> Result<Matrix, QualityError> {
    if let Some(item) = covariance.diagonal().position(|variance| variance <= 0.0) {
        return Err(QualityError::NoVariance { item });
    }
    let sd: Vec<f64> = covariance.diagonal().map(libm::sqrt).collect();
    let n = sd.len();
    Ok(Matrix::from_fn(
        n,
        n,
        |i, j| {
            if i == j { 1.0 } else { covariance.at(i, j) / (sd[i] * sd[j]) }
        },
    ))
}

fn pairs(
    items: Columns<'_>,
    gaps: Gaps,
    figure: impl Fn(f64, f64, f64, f64) -> f64,
) -> Result<Matrix, QualityError> {
    let complete = match gaps {
        Gaps::Pairwise => None,
        Gaps::Complete => Some(items.complete_rows()),
    };
    if let Some(rows) = &complete
        && rows.len() < 3
    {
        return Err(QualityError::TooFewPersons { n_persons: rows.len() });
    }
    let p = items.n_columns();
    let mut matrix = Matrix::zeros(p, p);
    for i in 0..p {
        for j in 0..=i {
            let (x, y) = (items.column(i), items.column(j));
            let both: Vec<(f64, f64)> = match &complete {
                Some(rows) => rows.iter().map(|&row| (x[row], y[row])).collect(),
                None => {
                    let both = x.iter().copied().zip(y.iter().copied());
                    both.filter(|(x, y)| !x.is_nan() && !y.is_nan()).collect()
                }
            };
            if both.len() < 2 {
                return Err(QualityError::NoOverlap { first: j, second: i, n_persons: both.len() });
            }
            let [xx, yy, xy] = products(&both);
            let value = figure(both.len() as f64, xx, yy, xy);
            matrix.set(i, j, value);
            matrix.set(j, i, value);
        }
    }
    Ok(matrix)
}

/// Sums of squares and products about the means.
pub(super) fn products(both: &[(f64, f64)]) -> [f64; 3] {
    let n = both.len() as f64;
    let (mean_x, mean_y) = (
        both.iter().map(|pair| pair.0).sum::<f64>() / n,
        both.iter().map(|pair| pair.1).sum::<f64>() / n,
    );
    let mut sums = [0.0; 3];
    for &(x, y) in both {
        let (x, y) = (x - mean_x, y - mean_y);
        sums[0] += x * x;
        sums[1] += y * y;
        sums[2] += x * y;
    }
    sums
}
