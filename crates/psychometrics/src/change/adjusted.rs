//! Difference of two groups at equal covariates.

use super::{ChangeError, check_level};
use crate::columns::Columns;
use crate::distributions::{f_tails, t_quantile_upper, t_tails};
use crate::matrix::{Cholesky, Matrix};

/// The difference of two groups' outcomes at the same values of the covariates.
#[derive(Debug, Clone, PartialEq)]
pub struct AdjustedDifference {
    /// Persons used: in the group marked true, and in the other.
    pub n: (usize, usize),
    /// Outcome of the marked group minus that of the other, at equal covariates.
    pub difference: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// difference / standard error.
    pub t: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// Two-sided p.
    pub p: f64,
    /// Confidence limits at the level asked for.
    pub interval: (f64, f64),
    /// Means of the two groups at the covariates' overall means (marked group first).
    pub adjusted_means: (f64, f64),
    /// Pooled slope of the outcome on each covariate.
    pub slopes: Vec<f64>,
    /// Standard deviation of what is left.
    pub residual_sd: f64,
    /// Whether the slopes differ between groups, which would make one adjusted difference a
    /// misleading summary; `None` when too few persons remain to test it.
    pub slope_test: Option<SlopeTest>,
}

/// F test of equal slopes in both groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlopeTest {
    /// The F ratio.
    pub f: f64,
    /// Numerator degrees of freedom: covariates.
    pub df1: f64,
    /// Denominator degrees of freedom.
    pub df2: f64,
    /// P(F or larger) if slopes are equal.
    pub p: f64,
}

/// Analysis of covariance of two groups.
///
/// y = μ(group) + Σ β x + e, least squares. `marked` says who is in the group of interest;
/// `covariates` has a row per person (the score before, most often). Persons with a gap anywhere
/// are left out. Cost O(persons × covariates²).
/// Accuracy: every figure within 1e-10 of a general least-squares solution (`golden_classical`).
///
/// # Errors
/// Lengths that differ, a group of fewer than two, no degrees of freedom left, a redundant
/// covariate, an infinite outcome, level outside (0, 1).
/// # References
/// Van Breukelen 2006, *Journal of Clinical Epidemiology* 59, 920–925,
/// doi:10.1016/j.jclinepi.2006.02.007.
pub fn adjusted_difference(
    outcomes: &[f64],
    marked: &[bool],
    covariates: Columns<'_>,
    level: f64,
) -> Result<AdjustedDifference, ChangeError> {
    check_level(level)?;
    let [other, focal] = both_groups(outcomes, marked, covariates)?;
    let pooled = Within::pooled(&other, &focal);
    let (slopes, chol) = pooled.slopes()?;
    let p = slopes.len() as f64;
    let (n1, n0) = (focal.n as f64, other.n as f64);
    let df = n1 + n0 - 2.0 - p;
    if df < 1.0 {
        return Err(ChangeError::NoFreedom { n: focal.n + other.n, n_min: slopes.len() + 3 });
    }
    let rest = pooled.rest(&slopes);
    let gaps: Vec<f64> = focal.x.iter().zip(&other.x).map(|(a, b)| a - b).collect();
    let lever: f64 = chol.solve(&gaps).iter().zip(&gaps).map(|(a, b)| a * b).sum();
    let difference = focal.y - other.y - dot(&slopes, &gaps);
    let standard_error = libm::sqrt(rest / df * (1.0 / n1 + 1.0 / n0 + lever));
    let t = difference / standard_error;
    let reach = t_quantile_upper(0.5 * (1.0 - level), df) * standard_error;
    // From a group's own covariate means to the overall ones.
    let to_centre = |share: f64| share * dot(&slopes, &gaps);
    Ok(AdjustedDifference {
        n: (focal.n, other.n),
        difference,
        standard_error,
        t,
        df,
        p: 2.0 * t_tails(t.abs(), df).upper,
        interval: (difference - reach, difference + reach),
        adjusted_means: (focal.y - to_centre(n0 / (n1 + n0)), other.y + to_centre(n1 / (n1 + n0))),
        residual_sd: libm::sqrt(rest / df),
        slope_test: equal_slopes(&other, &focal, rest),
        slopes,
    })
}

/// Means of one group and sums of squares and products about them.
struct Within {
    n: usize,
    y: f64,
    x: Vec<f64>,
    xx: Matrix,
    xy: Vec<f64>,
    yy: f64,
}

fn both_groups(
    outcomes: &[f64],
    marked: &[bool],
    covariates: Columns<'_>,
) -> Result<[Within; 2], ChangeError> {
    let (n_outcomes, n_groups) = (outcomes.len(), marked.len());
    let n_covariates = covariates.n_rows();
    if n_outcomes != n_groups || n_outcomes != n_covariates {
        return Err(ChangeError::WrongLength { n_outcomes, n_groups, n_covariates });
    }
    if let Some(&value) = outcomes.iter().find(|outcome| outcome.is_infinite()) {
        return Err(ChangeError::NotFinite { what: "an outcome", value });
    }
    let complete = covariates.complete_rows();
    let of = |mark: bool, group: &'static str| {
        let rows: Vec<usize> = complete
            .iter()
            .copied()
            .filter(|&row| marked[row] == mark && !outcomes[row].is_nan())
            .collect();
        if rows.len() < 2 {
            return Err(ChangeError::TooFew { group, n: rows.len(), n_min: 2 });
        }
        Ok(Within::of(outcomes, covariates, &rows))
    };
    Ok([of(false, "other")?, of(true, "marked")?])
}

impl Within {
    fn of(outcomes: &[f64], covariates: Columns<'_>, rows: &[usize]) -> Self {
        let (n, p) = (rows.len(), covariates.n_columns());
        let y = rows.iter().map(|&row| outcomes[row]).sum::<f64>() / n as f64;
        let mean = |j: usize| {
            let column = covariates.column(j);
            rows.iter().map(|&row| column[row]).sum::<f64>() / n as f64
        };
        let x: Vec<f64> = (0..p).map(mean).collect();
        let (mut xx, mut xy, mut yy) = (Matrix::zeros(p, p), vec![0.0; p], 0.0);
        let mut gaps = vec![0.0; p];
        for &row in rows {
            let gap = outcomes[row] - y;
            yy += gap * gap;
            for j in 0..p {
                gaps[j] = covariates.at(row, j) - x[j];
                xy[j] += gaps[j] * gap;
                for k in 0..=j {
                    xx.add(j, k, gaps[j] * gaps[k]);
                }
            }
        }
        for j in 0..p {
            for k in 0..j {
                let value = xx.at(j, k);
                xx.set(k, j, value);
            }
        }
        Self { n, y, x, xx, xy, yy }
    }

    fn pooled(a: &Self, b: &Self) -> Self {
        let p = a.x.len();
        Self {
            n: a.n + b.n,
            y: f64::NAN,
            x: Vec::new(),
            xx: Matrix::from_fn(p, p, |i, j| a.xx.at(i, j) + b.xx.at(i, j)),
            xy: a.xy.iter().zip(&b.xy).map(|(a, b)| a + b).collect(),
            yy: a.yy + b.yy,
        }
    }

    fn slopes(&self) -> Result<(Vec<f64>, Cholesky), ChangeError> {
        let chol = self.xx.cholesky().map_err(|covariate| ChangeError::Redundant { covariate })?;
        Ok((chol.solve(&self.xy), chol))
    }

    /// Residual sum of squares.
    fn rest(&self, slopes: &[f64]) -> f64 {
        (self.yy - dot(slopes, &self.xy)).max(0.0)
    }
}

fn equal_slopes(other: &Within, focal: &Within, rest: f64) -> Option<SlopeTest> {
    let p = other.x.len() as f64;
    let df2 = (other.n + focal.n) as f64 - 2.0 - 2.0 * p;
    if df2 < 1.0 {
        return None;
    }
    let separate = other.rest(&other.slopes().ok()?.0) + focal.rest(&focal.slopes().ok()?.0);
    let f = ((rest - separate) / p) / (separate / df2);
    Some(SlopeTest { f, df1: p, df2, p: f_tails(f, p, df2).upper })
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
