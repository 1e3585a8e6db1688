//! Every judge rates every target: two-way analysis of variance.

use super::{RatersError, check_level};
use crate::columns::Columns;
use crate::distributions::{f_quantile_upper, f_tails};

/// One intraclass correlation with its test and interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IccEstimate {
    /// The coefficient; may be negative.
    pub icc: f64,
    /// The F ratio that tests whether targets differ.
    pub f: f64,
    /// Numerator degrees of freedom.
    pub df1: f64,
    /// Denominator degrees of freedom.
    pub df2: f64,
    /// P(F or larger) if targets do not differ.
    pub p: f64,
    /// Limits at the level asked for.
    pub interval: (f64, f64),
}

/// The six coefficients of Shrout and Fleiss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShroutFleiss {
    /// ICC(1,1): each target has other judges; one rating.
    pub icc1: IccEstimate,
    /// ICC(2,1): judges are a sample; one rating, absolute agreement.
    pub icc2: IccEstimate,
    /// ICC(3,1): these judges are all there are; one rating, consistency.
    pub icc3: IccEstimate,
    /// ICC(1,k): mean of k judges, each target its own.
    pub icc1k: IccEstimate,
    /// ICC(2,k): mean of k judges drawn from many.
    pub icc2k: IccEstimate,
    /// ICC(3,k): mean of these k judges (Cronbach's alpha of the judges).
    pub icc3k: IccEstimate,
}

/// Shrout and Fleiss's six intraclass correlations of a complete table, rows = targets,
/// columns = judges, at confidence `level`.
///
/// From the mean squares of targets, judges and rest. The interval of ICC(2,·) uses
/// Satterthwaite's degrees of freedom as in the paper; the others are exact F-limits.
/// Accuracy: within 1e-10 of R `psych::ICC` 2.2.9 on the paper's Table 2 (`golden_classical`).
///
/// # Errors
/// A missing rating, fewer than two targets or judges, no variance, or a level outside (0, 1).
/// # References
/// Shrout & Fleiss 1979, *Psychological Bulletin* 86, 420–428, doi:10.1037/0033-2909.86.2.420.
pub fn shrout_fleiss(ratings: Columns<'_>, level: f64) -> Result<ShroutFleiss, RatersError> {
    check_level(level)?;
    let squares = MeanSquares::of(ratings)?;
    let MeanSquares { n, k, target, judge, rest, within } = squares;
    let tail = 0.5 * (1.0 - level);
    let stepped_up = |one: IccEstimate, icc: f64| {
        let up = |r: f64| r * k / (1.0 + r * (k - 1.0));
        IccEstimate { icc, interval: (up(one.interval.0), up(one.interval.1)), ..one }
    };
    let from_f = |icc: f64, f: f64, df2: f64| {
        let df1 = n - 1.0;
        let limit = |f: f64| (f - 1.0) / (f + k - 1.0);
        let low = limit(f / f_quantile_upper(tail, df1, df2));
        let high = limit(f * f_quantile_upper(tail, df2, df1));
        IccEstimate { icc, f, df1, df2, p: f_tails(f, df1, df2).upper, interval: (low, high) }
    };
    let df_rest = (n - 1.0) * (k - 1.0);
    let icc1 =
        from_f((target - within) / (target + (k - 1.0) * within), target / within, n * (k - 1.0));
    let icc3 = from_f((target - rest) / (target + (k - 1.0) * rest), target / rest, df_rest);
    let single = (target - rest) / (target + (k - 1.0) * rest + k * (judge - rest) / n);
    let icc2 = IccEstimate { icc: single, interval: squares.absolute_limits(single, tail), ..icc3 };
    Ok(ShroutFleiss {
        icc1,
        icc2,
        icc3,
        icc1k: stepped_up(icc1, (target - within) / target),
        icc2k: stepped_up(icc2, (target - rest) / (target + (judge - rest) / n)),
        icc3k: stepped_up(icc3, (target - rest) / target),
    })
}

/// Variance components of persons × raters, each rating given once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrossedComponents {
    /// Variance of the targets' true standing, in squared rating units.
    pub target: f64,
    /// Variance of the judges' leniency.
    pub judge: f64,
    /// Interaction and error, which one rating a cell cannot tell apart.
    pub residual: f64,
    /// Whether an estimate came out negative and was set to 0: then the others are no longer the
    /// restricted maximum likelihood.
    pub truncated: bool,
}

impl CrossedComponents {
    /// Generalisability of the mean of `n_judges` for ranking targets (judges' leniency does not
    /// count as error).
    #[must_use]
    pub fn relative(&self, n_judges: f64) -> f64 {
        self.target / (self.target + self.residual / n_judges)
    }

    /// Dependability of the mean of `n_judges` for its absolute level (leniency counts as error).
    #[must_use]
    pub fn absolute(&self, n_judges: f64) -> f64 {
        self.target / (self.target + (self.judge + self.residual) / n_judges)
    }
}

/// Variance components of a complete table, rows = targets, columns = judges.
///
/// From the mean squares; on a complete table with no negative estimate this *is* the restricted
/// maximum likelihood. Accuracy: the coefficients within 2e-6 of those of R `psych::ICC` with
/// `lme4`, whose optimiser stops there (`golden_classical`).
///
/// # Errors
/// A missing rating, fewer than two targets or judges, or no variance.
/// # References
/// Brennan 2001, *Generalizability Theory*, doi:10.1007/978-1-4757-3456-0.
pub fn crossed_components(ratings: Columns<'_>) -> Result<CrossedComponents, RatersError> {
    let MeanSquares { n, k, target, judge, rest, .. } = MeanSquares::of(ratings)?;
    let (targets, judges) = ((target - rest) / k, (judge - rest) / n);
    Ok(CrossedComponents {
        target: targets.max(0.0),
        judge: judges.max(0.0),
        residual: rest,
        truncated: targets < 0.0 || judges < 0.0,
    })
}

struct MeanSquares {
    n: f64,
    k: f64,
    target: f64,
    judge: f64,
    rest: f64,
    within: f64,
}

impl MeanSquares {
    fn of(ratings: Columns<'_>) -> Result<Self, RatersError> {
        let (n_targets, n_judges) = (ratings.n_rows(), ratings.n_columns());
        if n_targets < 2 || n_judges < 2 {
            return Err(RatersError::TooSmall { n_targets, n_judges });
        }
        if let Some((row, column)) = ratings.first_gap() {
            return Err(RatersError::Missing { row, column });
        }
        let (n, k) = (n_targets as f64, n_judges as f64);
        let target_means: Vec<f64> =
            (0..n_targets).map(|row| ratings.row(row).sum::<f64>() / k).collect();
        let grand = target_means.iter().sum::<f64>() / n;
        let (mut judges, mut rest) = (0.0, 0.0);
        for column in 0..n_judges {
            let values = ratings.column(column);
            let shift = values.iter().sum::<f64>() / n - grand;
            judges += n * shift * shift;
            for (value, mean) in values.iter().zip(&target_means) {
                rest += (value - mean - shift).powi(2);
            }
        }
        let targets: f64 = target_means.iter().map(|mean| k * (mean - grand).powi(2)).sum();
        if targets + judges + rest == 0.0 {
            return Err(RatersError::NoVariance { n_values: n_targets * n_judges, value: grand });
        }
        Ok(Self {
            n,
            k,
            target: targets / (n - 1.0),
            judge: judges / (k - 1.0),
            rest: rest / ((n - 1.0) * (k - 1.0)),
            within: (judges + rest) / (n * (k - 1.0)),
        })
    }

    /// Limits of ICC(2,1), Shrout & Fleiss p. 424.
    fn absolute_limits(&self, icc: f64, tail: f64) -> (f64, f64) {
        let Self { n, k, target, judge, rest, .. } = *self;
        let ratio = judge / rest;
        let (a, b) = (k * icc * ratio, n * (1.0 + (k - 1.0) * icc) - k * icc);
        let df = (k - 1.0) * (n - 1.0) * (a + b) * (a + b) / ((n - 1.0) * a * a + b * b);
        let upper = f_quantile_upper(tail, n - 1.0, df);
        let lower = f_quantile_upper(tail, df, n - 1.0);
        let common = k * judge + (k * n - k - n) * rest;
        (
            n * (target - upper * rest) / (upper * common + n * target),
            n * (lower * target - rest) / (common + n * lower * target),
        )
    }
}
