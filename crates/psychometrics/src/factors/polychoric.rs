//! Correlations of the normal variables thought to lie behind ordered answers.

use super::FactorsError;
use crate::columns::Columns;
use crate::distributions::{
    bivariate_normal_cdf, bivariate_normal_pdf, normal_cdf, normal_pdf, normal_quantile,
};
use crate::matrix::Matrix;
use crate::search::root_between;

/// More distinct answers than this are measurements, not categories.
pub const CATEGORIES_MAX: usize = 64;

/// A correlation nearer to ±1 than this is reported as lying at the limit.
const LIMIT: f64 = 0.9999;

/// A cell cannot be told from empty below this.
const PROBABILITY_MIN: f64 = 1e-16;

/// One polychoric correlation.
#[derive(Debug, Clone, PartialEq)]
pub struct Polychoric {
    /// The correlation.
    pub rho: f64,
    /// Its standard error, the estimation of the thresholds included; NaN at the limit.
    pub standard_error: f64,
    /// Thresholds between the first item's categories, ascending.
    pub thresholds_first: Vec<f64>,
    /// Thresholds between the second item's categories.
    pub thresholds_second: Vec<f64>,
    /// Persons who answered both.
    pub n: usize,
    /// Whether the likelihood still rises at ±0.9999: an empty corner, not a correlation.
    pub at_limit: bool,
    /// As [`Self::rho`], but of a table of two by two with one empty cell half a person is moved into it, the margins
    /// kept; with two empty cells ±1.
    pub rho_corrected: f64,
}

/// The polychoric correlations of several items, each pair on the persons who answered both.
#[derive(Debug, Clone, PartialEq)]
pub struct Polychorics {
    /// [`Polychoric::rho`], 1 on the diagonal.
    pub rho: Matrix,
    /// [`Polychoric::rho_corrected`], 1 on the diagonal.
    pub rho_corrected: Matrix,
    /// [`Polychoric::standard_error`], 0 on the diagonal.
    pub standard_error: Matrix,
}

/// Polychoric correlation of two items by two steps; with two categories each, the tetrachoric.
///
/// Thresholds are normal quantiles of the margins of those who answered both; given them, rho is
/// where the derivative of the multinomial likelihood is zero, to the last digits; without and with
/// a correction for empty cells of two by two (that of `lavaan`). The standard error is that of the two-step estimator.
/// Cost: about ten evaluations of every cell's bivariate normal probability.
/// Accuracy: thresholds 1e-10, rho 5e-5 against R `psych` 2.2.9 and `lavaan` 0.6-14, whose own
/// optimisers stop there (`golden_classical`); standard error within 5 % of the spread over
/// simulated samples (`recovery_classical`).
///
/// # Errors
/// Lengths that differ, an item everybody answered alike, too many distinct answers.
/// # References
/// Olsson 1979, *Psychometrika* 44, 443–460, doi:10.1007/BF02296207.
pub fn polychoric(first: &[f64], second: &[f64]) -> Result<Polychoric, FactorsError> {
    let cells = Cells::of_answers(first, second)?;
    let (rho, at_limit) = cells.likeliest();
    let standard_error = if at_limit { f64::NAN } else { cells.standard_error(rho) };
    Ok(Polychoric {
        rho,
        standard_error,
        thresholds_first: inner(&cells.rows),
        thresholds_second: inner(&cells.columns),
        n: cells.n as usize,
        at_limit,
        rho_corrected: cells.corrected().unwrap_or(rho),
    })
}

/// All polychoric correlations of the items.
///
/// The pairs are shared out among `threads` (at least 1), which does not change a bit of them.
///
/// # Errors
/// As [`polychoric`], naming the item.
pub fn polychoric_matrix(items: Columns<'_>, threads: usize) -> Result<Polychorics, FactorsError> {
    let p = items.n_columns();
    let pairs: Vec<(usize, usize)> = (0..p).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
    let one = |&(i, j): &(usize, usize)| {
        polychoric(items.column(i), items.column(j)).map_err(|error| match error {
            FactorsError::BadCategories { item, n_categories } => {
                FactorsError::BadCategories { item: [i, j][item.min(1)], n_categories }
            }
            other => other,
        })
    };
    let share = pairs.len().div_ceil(threads.max(1)).max(1);
    let parts: Vec<Vec<_>> = std::thread::scope(|scope| {
        let run = |part: &[(usize, usize)]| part.iter().map(one).collect();
        let running: Vec<_> =
            pairs.chunks(share).map(|part| scope.spawn(move || run(part))).collect();
        let joined = |thread: std::thread::ScopedJoinHandle<'_, Vec<_>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        running.into_iter().map(joined).collect()
    });
    let mut all = Polychorics {
        rho: Matrix::identity(p),
        rho_corrected: Matrix::identity(p),
        standard_error: Matrix::zeros(p, p),
    };
    for (&(i, j), pair) in pairs.iter().zip(parts.into_iter().flatten()) {
        let pair: Polychoric = pair?;
        for (a, b) in [(i, j), (j, i)] {
            all.rho.set(a, b, pair.rho);
            all.rho_corrected.set(a, b, pair.rho_corrected);
            all.standard_error.set(a, b, pair.standard_error);
        }
    }
    Ok(all)
}

/// A two-way table with its thresholds, −∞ and ∞ at the ends.
#[derive(Clone)]
pub(super) struct Cells {
    pub(super) counts: Matrix,
    pub(super) n: f64,
    pub(super) rows: Vec<f64>,
    pub(super) columns: Vec<f64>,
}

impl Cells {
    /// Of those who answered both.
    pub(super) fn of_answers(first: &[f64], second: &[f64]) -> Result<Self, FactorsError> {
        if first.len() != second.len() {
            let (n_rows, n_items) = (first.len(), second.len());
            return Err(FactorsError::WrongSize { n_rows, n_columns: 1, n_items });
        }
        let pairs: Vec<(f64, f64)> = first
            .iter()
            .copied()
            .zip(second.iter().copied())
            .filter(|(x, y)| !x.is_nan() && !y.is_nan())
            .collect();
        Self::of(&pairs)
    }

    fn of(pairs: &[(f64, f64)]) -> Result<Self, FactorsError> {
        let x = distinct(pairs.iter().map(|pair| pair.0), 0)?;
        let y = distinct(pairs.iter().map(|pair| pair.1), 1)?;
        let mut counts = Matrix::zeros(x.len(), y.len());
        let place = |values: &[f64], value: f64| values.partition_point(|&other| other < value);
        for pair in pairs {
            counts.add(place(&x, pair.0), place(&y, pair.1), 1.0);
        }
        let n = pairs.len() as f64;
        let row_sums: Vec<f64> = (0..x.len()).map(|a| counts.row(a).iter().sum()).collect();
        let column_sums: Vec<f64> =
            (0..y.len()).map(|b| (0..x.len()).map(|a| counts.at(a, b)).sum()).collect();
        Ok(Self { n, rows: thresholds(&row_sums, n), columns: thresholds(&column_sums, n), counts })
    }

    /// The correlation of a table of two by two that has an empty cell, half a person moved into it without a change of
    /// the margins; ±1 if two are empty, and nothing if none is.
    fn corrected(&self) -> Option<f64> {
        let &[both_low, low_high, high_low, both_high] = self.counts.values() else { return None };
        let on_diagonal = [both_low, both_high].iter().filter(|&&count| count == 0.0).count();
        let beside = [low_high, high_low].iter().filter(|&&count| count == 0.0).count();
        let moved = match (on_diagonal, beside) {
            (0, 0) => return None,
            (1, 0) => 0.5,
            (0, 1) => -0.5,
            (on_diagonal, _) => return Some(if on_diagonal == 0 { 1.0 } else { -1.0 }),
        };
        let counts = Matrix::from_fn(2, 2, |a, b| {
            self.counts.at(a, b) + if a == b { moved } else { -moved }
        });
        let (rows, columns) = (self.rows.clone(), self.columns.clone());
        Some(Self { counts, n: self.n, rows, columns }.likeliest().0)
    }

    /// The correlation with the largest likelihood, and whether it lies at the limit.
    pub(super) fn likeliest(&self) -> (f64, bool) {
        /// Towards the limit by this share of what is left: the score is only trusted near its
        /// root, far from it cells vanish.
        const STRIDE: f64 = 0.3;
        let start = self.pearson().clamp(-0.95, 0.95);
        let first = self.score(start);
        if first == 0.0 {
            return (start, false);
        }
        let limit = LIMIT.copysign(first);
        let mut inside = start;
        while (limit - inside).abs() > 1e-6 {
            let next = inside + STRIDE * (limit - inside);
            if self.score(next) * first <= 0.0 {
                return (root_between(|rho| self.score(rho), inside, next), false);
            }
            inside = next;
        }
        (limit, true)
    }

    /// Pearson correlation of the category numbers.
    fn pearson(&self) -> f64 {
        let mut sums = [0.0; 5];
        for a in 0..self.counts.n_rows() {
            for (b, count) in self.counts.row(a).iter().enumerate() {
                let (x, y) = (a as f64, b as f64);
                for (sum, term) in sums.iter_mut().zip([x, y, x * x, y * y, x * y]) {
                    *sum += count * term / self.n;
                }
            }
        }
        let [x, y, xx, yy, xy] = sums;
        (xy - x * y) / libm::sqrt((xx - x * x) * (yy - y * y))
    }

    pub(super) fn probabilities(&self, rho: f64) -> Matrix {
        let corner = Matrix::from_fn(self.rows.len(), self.columns.len(), |a, b| {
            bivariate_normal_cdf(self.rows[a], self.columns[b], rho)
        });
        differences(&corner)
    }

    /// Derivative of every cell's probability in rho: differences of the density (Plackett).
    pub(super) fn slopes(&self, rho: f64) -> Matrix {
        let corner = Matrix::from_fn(self.rows.len(), self.columns.len(), |a, b| {
            bivariate_normal_pdf(self.rows[a], self.columns[b], rho)
        });
        differences(&corner)
    }

    fn score(&self, rho: f64) -> f64 {
        let (probabilities, slopes) = (self.probabilities(rho), self.slopes(rho));
        let cells = self.counts.values().iter().zip(probabilities.values()).zip(slopes.values());
        cells
            .filter(|((count, _), _)| **count > 0.0)
            .map(|((count, p), slope)| count * slope / p.max(PROBABILITY_MIN))
            .sum()
    }

    /// From the influence of one person on rho, through the score and through each threshold.
    fn standard_error(&self, rho: f64) -> f64 {
        let (probabilities, slopes) = (self.probabilities(rho), self.slopes(rho));
        let (k, l) = (self.counts.n_rows(), self.counts.n_columns());
        let score = Matrix::from_fn(k, l, |a, b| {
            slopes.at(a, b) / probabilities.at(a, b).max(PROBABILITY_MIN)
        });
        let information: f64 =
            slopes.values().iter().zip(score.values()).map(|(slope, score)| slope * score).sum();
        let by_row = influence(&self.rows, &self.columns, rho, |a, b| score.at(a, b));
        let by_column = influence(&self.columns, &self.rows, rho, |b, a| score.at(a, b));
        let mut variance = 0.0;
        for a in 0..k {
            for b in 0..l {
                let one = (score.at(a, b) - by_row[a] - by_column[b]) / information;
                variance += probabilities.at(a, b) * one * one;
            }
        }
        libm::sqrt(variance / self.n)
    }
}

/// What a person in each category adds to rho's score by moving this item's thresholds.
fn influence(
    own: &[f64],
    other: &[f64],
    rho: f64,
    score: impl Fn(usize, usize) -> f64,
) -> Vec<f64> {
    let n_categories = own.len() - 1;
    let rest = libm::sqrt((1.0 - rho) * (1.0 + rho));
    let mut moved = vec![0.0; n_categories];
    for k in 1..n_categories {
        let cut = own[k];
        let density = normal_pdf(cut);
        // Cross-information of rho and this threshold: the cells on its two sides trade mass.
        let mut cross = 0.0;
        for b in 0..other.len() - 1 {
            let share = |edge: f64| normal_cdf((edge - rho * cut) / rest);
            let mass = density * (share(other[b + 1]) - share(other[b]));
            cross += mass * (score(k - 1, b) - score(k, b));
        }
        for (category, moved) in moved.iter_mut().enumerate() {
            let below = f64::from(u8::from(category < k));
            *moved += cross * (below - normal_cdf(cut)) / density;
        }
    }
    moved
}

fn differences(corner: &Matrix) -> Matrix {
    Matrix::from_fn(corner.n_rows() - 1, corner.n_columns() - 1, |a, b| {
        corner.at(a + 1, b + 1) - corner.at(a, b + 1) - corner.at(a + 1, b) + corner.at(a, b)
    })
}

fn distinct(values: impl Iterator<Item = f64>, item: usize) -> Result<Vec<f64>, FactorsError> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let n_categories = values.len();
    if (2..=CATEGORIES_MAX).contains(&n_categories) {
        Ok(values)
    } else {
        Err(FactorsError::BadCategories { item, n_categories })
    }
}

fn thresholds(sums: &[f64], n: f64) -> Vec<f64> {
    let mut cuts = vec![f64::NEG_INFINITY];
    let mut below = 0.0;
    for sum in &sums[..sums.len() - 1] {
        below += sum;
        cuts.push(normal_quantile(below / n));
    }
    cuts.push(f64::INFINITY);
    cuts
}

pub(super) fn inner(cuts: &[f64]) -> Vec<f64> {
    cuts[1..cuts.len() - 1].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R lavaan 0.6-14, `lavCor(d, ordered = TRUE)`: persons at (0, 0), (0, 1), (1, 0), (1, 1).
    #[test]
    fn empty_cells_of_two_by_two_are_corrected_as_lavaan_does() {
        let tables = [
            ([40, 10, 25, 35], 0.5862375),
            ([40, 0, 25, 35], 0.9097644),
            ([0, 20, 30, 50], -0.7013662),
            ([30, 20, 0, 50], 0.9321436),
            ([40, 20, 30, 0], -0.7483359),
            ([40, 0, 0, 35], 1.0),
            ([0, 40, 35, 0], -1.0),
        ];
        for (persons, expected) in tables {
            let places = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)];
            let (first, second): (Vec<f64>, Vec<f64>) = places
                .into_iter()
                .zip(persons)
                .flat_map(|(place, n)| std::iter::repeat_n(place, n))
                .unzip();
            let seen = polychoric(&first, &second).unwrap();
            assert!((seen.rho_corrected - expected).abs() < 5e-5, "{persons:?}: {seen:?}");
        }
    }
}
