//! A part's posteriors with their windows and codes, and its means.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::layout::{Functions, Layout};
use super::squares::{STRIP, Strip};
use super::{NEGLIGIBLE, Sweep};
use crate::kernels::lanes::Rows;
use crate::kernels::{Aligned, UNDERFLOW, in_logarithms};

/// Means that are summed side by side.
const SUMS_MAX: usize = 3;
/// Posterior probabilities below this are 0: an `f32` has no room for much smaller ones.
const TINY: f64 = 1e-30;

/// Some patterns of a chunk, and what is known of them once filled.
pub(super) struct Part<'a> {
    /// Weighted; outside of its window a row is not written.
    pub(super) posteriors: &'a mut [f32],
    pub(super) windows: &'a mut [Window],
    /// Each pattern's answers to the small blocks, and a 0.
    pub(super) codes: &'a mut [u8],
    pub(super) strip: &'a mut Strip,
    pub(super) square: Option<&'a mut [f64]>,
}

/// Vectors of `f32` of a row that count.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    pub(super) start: u16,
    pub(super) n: u16,
}

/// Computes a part.
pub(super) struct Fill<'a, 'b, 'c> {
    pub(super) sweep: &'a Sweep<'a>,
    /// Its first pattern.
    pub(super) first: usize,
    pub(super) part: &'b mut Part<'c>,
}

impl WithSimd for Fill<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sweep: Sweep { tables, batch, layout, .. }, first, part } = self;
        let (n_all, n_blocks) = (part.windows.len(), tables.n_blocks());
        let mut rows = Aligned::zeros(STRIP * layout.width);
        for start in (0..n_all).step_by(STRIP) {
            let n = STRIP.min(n_all - start);
            for (at, row) in (start..start + n).zip(rows.chunks_exact_mut(layout.width)) {
                posterior(simd, self.sweep, first, at, part, row);
            }
            if let Some(square) = &mut part.square {
                let patterns = first + start..first + start + n;
                let means = Means {
                    layout,
                    posteriors: &rows,
                    windows: &part.windows[start..start + n],
                    codes: &batch.codes[patterns.start * n_blocks..patterns.end * n_blocks],
                    weights: &batch.weights[patterns],
                    means: part.strip.means(),
                };
                means.put(simd);
                part.strip.empty(simd, n, layout.n_padded, square);
            }
        }
    }
}

/// Computes the posterior of the part's pattern `at`, of which the part's first is `first`; `row`
/// is left with the rounded one, as far as its window goes.
#[inline(always)]
fn posterior<S: Simd>(
    simd: S,
    sweep: &Sweep<'_>,
    first: usize,
    at: usize,
    part: &mut Part<'_>,
    row: &mut [f64],
) {
    let Sweep { tables, prior, batch, layout, .. } = sweep;
    let (rows, n_blocks) = (Rows::<S>::new(tables), tables.n_blocks());
    let codes = &batch.codes[(first + at) * n_blocks..][..n_blocks];
    let prior_vectors = S::as_simd_f64s(prior).0;
    let mut total = rows.product(simd, prior_vectors, 0, codes, S::as_mut_simd_f64s(row).0);
    if total < UNDERFLOW {
        in_logarithms(tables, prior, codes, row);
        total = 1.0;
    }
    let window = window_of(simd, row, NEGLIGIBLE * total);
    let (factor, weight) = (1.0 / total, batch.weights[first + at]);
    let nodes = window.nodes::<S>();
    let out = &mut part.posteriors[at * layout.width..][..layout.width][nodes.clone()];
    for (out, value) in out.iter_mut().zip(&mut row[nodes]) {
        let p = *value * factor;
        *out = if p > TINY { (p * weight) as f32 } else { 0.0 };
        *value = f64::from(*out);
    }
    part.windows[at] = window;
    layout.encode(codes, &mut part.codes[at * layout.n_codes()..][..layout.n_codes()]);
}

impl Window {
    #[inline(always)]
    pub(super) fn nodes<S: Simd>(self) -> Range<usize> {
        let start = usize::from(self.start) * S::F32_LANES;
        start..start + usize::from(self.n) * S::F32_LANES
    }
}

/// What is left when vectors at both ends that sum to at most `negligible` are not counted.
#[inline(always)]
fn window_of<S: Simd>(simd: S, posterior: &[f64], negligible: f64) -> Window {
    // Vectors of `f32` hold as many nodes as two of `f64`.
    let n_pairs = S::F32_LANES / S::F64_LANES;
    let vectors = S::as_simd_f64s(posterior).0;
    let own = |at: usize| &vectors[at * n_pairs..(at + 1) * n_pairs];
    let (mut start, mut end) = (0, vectors.len() / n_pairs);
    while start + 1 < end && total(simd, own(start)) <= negligible {
        start += 1;
    }
    while end > start + 1 && total(simd, own(end - 1)) <= negligible {
        end -= 1;
    }
    Window { start: start as u16, n: (end - start) as u16 }
}

#[inline(always)]
fn total<S: Simd>(simd: S, vectors: &[S::f64s]) -> f64 {
    let mut sum = 0.0;
    for vector in vectors {
        sum += simd.reduce_sum_f64s(*vector);
    }
    sum
}

/// A strip's √w E\[G\].
struct Means<'a> {
    layout: &'a Layout,
    /// Weighted, a row each.
    posteriors: &'a [f64],
    windows: &'a [Window],
    /// The patterns' bytes.
    codes: &'a [u8],
    weights: &'a [f64],
    means: &'a mut [f64],
}

impl Means<'_> {
    /// Writes all means, item by item.
    #[inline(always)]
    fn put<S: Simd>(mut self, simd: S) {
        let (layout, n) = (self.layout, self.windows.len());
        let n_blocks = self.codes.len() / n;
        let mut factors = [0.0; STRIP];
        for (factor, weight) in factors.iter_mut().zip(self.weights) {
            *factor = libm::sqrt(1.0 / weight);
        }
        for ((block, digits), categories) in layout.digits.iter().zip(&layout.categories) {
            for (at, &factor) in factors[..n].iter().enumerate() {
                let digit = digits[usize::from(self.codes[at * n_blocks + block])];
                self.of_pattern(simd, at, factor, categories[usize::from(digit)]);
            }
        }
        if layout.common.n > 0 {
            for (at, &factor) in factors[..n].iter().enumerate() {
                self.of_pattern(simd, at, factor, layout.common);
            }
        }
    }

    #[inline(always)]
    fn of_pattern<S: Simd>(&mut self, simd: S, at: usize, factor: f64, functions: Functions) {
        let Functions { mut first, n } = functions;
        let end = first + n;
        while first < end {
            first += match end - first {
                1 => self.some::<S, 1>(simd, at, factor, first),
                2 => self.some::<S, 2>(simd, at, factor, first),
                _ => self.some::<S, SUMS_MAX>(simd, at, factor, first),
            };
        }
    }

    /// The means of `N` functions from `first` on for the pattern in row `at` of the strip.
    #[inline(always)]
    fn some<S: Simd, const N: usize>(
        &mut self,
        simd: S,
        at: usize,
        factor: f64,
        first: usize,
    ) -> usize {
        let (layout, width) = (self.layout, self.layout.width);
        let nodes = self.windows[at].nodes::<S>();
        let posterior = S::as_simd_f64s(&self.posteriors[at * width..][nodes.clone()]).0;
        let mut functions = [posterior; N];
        for (m, function) in functions.iter_mut().enumerate() {
            let row = &layout.rows[(first + m) * width..][nodes.clone()];
            *function = &S::as_simd_f64s(row).0[..posterior.len()];
        }
        let mut sums = [simd.splat_f64s(0.0); N];
        for node in 0..posterior.len() {
            for (sum, function) in sums.iter_mut().zip(functions) {
                *sum = simd.mul_add_f64s(posterior[node], function[node], *sum);
            }
        }
        for (sum, &offset) in sums.into_iter().zip(&layout.offsets[first..first + N]) {
            self.means[offset + at * layout.panel] = factor * simd.reduce_sum_f64s(sum);
        }
        N
    }
}
