//! Split-half reliability.

use rand::{Rng, RngExt};

use super::{Gaps, QualityError, covariances};
use crate::columns::Columns;
use crate::matrix::Matrix;

/// Up to this many splits all are tried; beyond it they are drawn.
pub const SPLITS_EXHAUSTIVE_MAX: usize = 20_000;

/// Reliability by cutting the scale into halves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitHalves {
    /// Items 1, 3, 5 … against 2, 4, 6 …, stepped up by Spearman and Brown.
    pub odd_even: f64,
    /// The same split by Guttman's formula (λ₄ of that split), which does not assume halves of
    /// equal variance.
    pub odd_even_guttman: f64,
    /// The best split by Guttman's formula (λ₄); an upper estimate in small samples.
    pub best: f64,
    /// The worst split by Guttman's formula.
    pub worst: f64,
    /// Mean over splits; over all splits of an even number of items this is alpha.
    pub mean: f64,
    /// Splits tried.
    pub n_splits: usize,
    /// Whether those were all there are.
    pub exhaustive: bool,
}

/// Split-half reliabilities: odd-even, and the best, worst and mean over halves of equal size (or
/// sizes that differ by one).
///
/// Guttman's 4 cov(A, B)/σ²(A + B). All splits when there are at most
/// [`SPLITS_EXHAUSTIVE_MAX`] (up to 16 items), otherwise `n_drawn` splits drawn from `chance`.
/// Cost O(splits × items²).
///
/// # Errors
/// Fewer than two items, too few persons, a constant sum, or a half without variance.
/// # References
/// Guttman 1945, *Psychometrika* 10, 255–282, doi:10.1007/BF02288892.
pub fn split_halves(
    items: Columns<'_>,
    gaps: Gaps,
    n_drawn: usize,
    chance: &mut impl Rng,
) -> Result<SplitHalves, QualityError> {
    let p = items.n_columns();
    if p < 2 {
        return Err(QualityError::TooFewItems { n_items: p, n_min: 2 });
    }
    let covariance = covariances(items, gaps)?;
    if covariance.sum() <= 0.0 {
        return Err(QualityError::NoTotalVariance { n_items: p });
    }
    let odd: Vec<bool> = (0..p).map(|item| item % 2 == 0).collect();
    let halves = Halves::of(&covariance, &odd);
    if halves.first <= 0.0 || halves.second <= 0.0 {
        return Err(QualityError::NoVariance { item: usize::from(halves.first > 0.0) });
    }
    let r = halves.between / libm::sqrt(halves.first * halves.second);
    let mut tally = Tally::default();
    let exhaustive = n_even_splits(p) <= SPLITS_EXHAUSTIVE_MAX;
    if exhaustive {
        every_split(p, |split| tally.add(Halves::of(&covariance, split).guttman()));
    } else {
        let mut split = odd;
        for _ in 0..n_drawn.max(1) {
            shuffle(&mut split, chance);
            tally.add(Halves::of(&covariance, &split).guttman());
        }
    }
    Ok(SplitHalves {
        odd_even: 2.0 * r / (1.0 + r),
        odd_even_guttman: halves.guttman(),
        best: tally.best,
        worst: tally.worst,
        mean: tally.sum / tally.n as f64,
        n_splits: tally.n,
        exhaustive,
    })
}

struct Halves {
    first: f64,
    second: f64,
    between: f64,
}

impl Halves {
    fn of(covariance: &Matrix, in_first: &[bool]) -> Self {
        let mut halves = Self { first: 0.0, second: 0.0, between: 0.0 };
        for (i, &left) in in_first.iter().enumerate() {
            for (value, &right) in covariance.row(i).iter().zip(in_first) {
                match (left, right) {
                    (true, true) => halves.first += value,
                    (false, false) => halves.second += value,
                    (true, false) => halves.between += value,
                    (false, true) => {}
                }
            }
        }
        halves
    }

    fn guttman(&self) -> f64 {
        4.0 * self.between / (self.first + self.second + 2.0 * self.between)
    }
}

struct Tally {
    best: f64,
    worst: f64,
    sum: f64,
    n: usize,
}

impl Default for Tally {
    fn default() -> Self {
        Self { best: f64::NEG_INFINITY, worst: f64::INFINITY, sum: 0.0, n: 0 }
    }
}

impl Tally {
    fn add(&mut self, value: f64) {
        self.best = self.best.max(value);
        self.worst = self.worst.min(value);
        self.sum += value;
        self.n += 1;
    }
}

/// Ways to choose ⌊p/2⌋ of p, halved when both halves are alike; saturates.
fn n_even_splits(p: usize) -> usize {
    let mut ways = 1.0;
    for k in 0..p / 2 {
        ways = ways * (p - k) as f64 / (k + 1) as f64;
    }
    let ways = if p.is_multiple_of(2) { ways / 2.0 } else { ways };
    libm::round(ways.min(1e15)) as usize
}

/// Visits every choice of ⌊p/2⌋ items; with p even the first item always stays in, so that no
/// split is seen twice.
fn every_split(p: usize, mut visit: impl FnMut(&[bool])) {
    debug_assert!(p < 32, "more items than bits");
    let half = (p / 2) as u32;
    let mut split = vec![false; p];
    for bits in 0..1_u32 << p {
        if bits.count_ones() != half || (p.is_multiple_of(2) && bits & 1 == 0) {
            continue;
        }
        for (item, member) in split.iter_mut().enumerate() {
            *member = bits >> item & 1 == 1;
        }
        visit(&split);
    }
}

/// Fisher and Yates's shuffle.
fn shuffle(split: &mut [bool], chance: &mut impl Rng) {
    for last in (1..split.len()).rev() {
        split.swap(last, chance.random_range(0..=last));
    }
}
