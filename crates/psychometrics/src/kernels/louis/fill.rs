//! A part's posteriors with their windows and codes, and its means.

use pulp::{Simd, WithSimd};

use super::layout::{Layout, Means};
use super::squares::Strip;
use super::{NEGLIGIBLE, Sweep};
use crate::kernels::lanes::Rows;
use crate::kernels::{Aligned, Short, UNDERFLOW, in_logarithms};

/// Sums of means that are kept in registers side by side.
const SUMS_MAX: usize = 10;
/// Posterior probabilities below this are 0: smaller ones would slow every addition down.
const TINY: f64 = 1e-30;

/// Some patterns of a chunk, and what is known of them once filled.
pub(super) struct Part<'a> {
    /// Weighted.
    pub(super) posteriors: &'a mut [f32],
    pub(super) windows: &'a mut [Window],
    /// Each pattern's answers to the small blocks, and a 0.
    pub(super) codes: &'a mut [u8],
    pub(super) strip: &'a mut Strip,
    pub(super) square: Option<&'a mut [f64]>,
}

/// Vectors of a row that count.
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
        let Self { sweep: Sweep { tables, prior, batch, layout, .. }, first, part } = self;
        let (rows, n_blocks) = (Rows::<S>::new(tables), tables.n_blocks());
        let prior_vectors = S::as_simd_f64s(prior).0;
        let mut product = Aligned::zeros(layout.width);
        let mut scratch = Short::zeros(SUMS_MAX * S::F32_LANES);
        let mut columns = Vec::new();
        let batch_codes = &batch.codes[first * n_blocks..];
        let patterns = batch_codes.chunks_exact(n_blocks).zip(&batch.weights[first..]);
        let own = part.posteriors.chunks_exact_mut(layout.width);
        let own = own.zip(part.codes.chunks_exact_mut(layout.n_codes()));
        for ((codes, &weight), ((posterior, own), window)) in
            patterns.zip(own.zip(part.windows.iter_mut()))
        {
            let vectors = S::as_mut_simd_f64s(&mut product).0;
            let total = rows.product(simd, prior_vectors, 0, codes, vectors);
            let mut factor = 1.0 / total;
            if total < UNDERFLOW {
                in_logarithms(tables, prior, codes, &mut product);
                factor = 1.0;
            }
            for (out, p) in posterior.iter_mut().zip(product.iter()) {
                let p = p * factor;
                *out = if p > TINY { p as f32 } else { 0.0 };
            }
            *window = window_of(simd, posterior);
            layout.encode(codes, own);
            if let Some(square) = &mut part.square {
                let root = libm::sqrt(weight) as f32;
                layout.means.choose(own, &mut columns);
                let sums = Sums { layout, posterior, window: *window, root };
                sums.put(simd, &columns, &mut scratch, part.strip);
                part.strip.end_row(simd, layout.n_padded, square);
            }
            if weight != 1.0 {
                let weight = weight as f32;
                posterior.iter_mut().for_each(|p| *p *= weight);
            }
        }
        if let Some(square) = &mut part.square {
            part.strip.empty(simd, layout.n_padded, square);
        }
    }
}

#[inline(always)]
fn window_of<S: Simd>(simd: S, posterior: &[f32]) -> Window {
    let vectors = S::as_simd_f32s(posterior).0;
    let (mut start, mut end) = (0, vectors.len());
    while start + 1 < end && simd.reduce_sum_f32s(vectors[start]) <= NEGLIGIBLE {
        start += 1;
    }
    while end > start + 1 && simd.reduce_sum_f32s(vectors[end - 1]) <= NEGLIGIBLE {
        end -= 1;
    }
    Window { start: start as u16, n: (end - start) as u16 }
}

/// A pattern's √w E\[G\].
struct Sums<'a> {
    layout: &'a Layout,
    posterior: &'a [f32],
    window: Window,
    root: f32,
}

impl Sums<'_> {
    /// Writes the means of the functions in `columns` into the strip's row.
    #[inline(always)]
    fn put<S: Simd>(&self, simd: S, columns: &[u32], scratch: &mut Short, strip: &mut Strip) {
        for some in columns.chunks(SUMS_MAX) {
            match some.len() {
                1 => self.some::<S, 1>(simd, some, scratch),
                2 => self.some::<S, 2>(simd, some, scratch),
                3 => self.some::<S, 3>(simd, some, scratch),
                4 => self.some::<S, 4>(simd, some, scratch),
                5 => self.some::<S, 5>(simd, some, scratch),
                6 => self.some::<S, 6>(simd, some, scratch),
                7 => self.some::<S, 7>(simd, some, scratch),
                8 => self.some::<S, 8>(simd, some, scratch),
                9 => self.some::<S, 9>(simd, some, scratch),
                _ => self.some::<S, SUMS_MAX>(simd, some, scratch),
            }
            let Means { offsets, .. } = &self.layout.means;
            for (&column, means) in some.iter().zip(scratch.chunks_exact(S::F32_LANES)) {
                let offsets = &offsets[column as usize * S::F32_LANES..][..S::F32_LANES];
                strip.put(offsets, means, self.layout.panel);
            }
        }
    }

    #[inline(always)]
    fn some<S: Simd, const N: usize>(&self, simd: S, columns: &[u32], scratch: &mut Short) {
        let all = S::as_simd_f32s(&self.layout.means.table).0;
        let start = usize::from(self.window.start) * S::F32_LANES;
        let n = usize::from(self.window.n) * S::F32_LANES;
        let posterior = &self.posterior[start..start + n];
        let mut functions = [&all[..0]; N];
        for (function, &column) in functions.iter_mut().zip(columns) {
            *function = &all[column as usize * self.layout.width + start..][..n];
        }
        let mut sums = [simd.splat_f32s(0.0); N];
        for at in 0..n {
            let p = simd.splat_f32s(posterior[at]);
            for (sum, function) in sums.iter_mut().zip(functions) {
                *sum = simd.mul_add_f32s(p, function[at], *sum);
            }
        }
        let root = simd.splat_f32s(self.root);
        for (out, sum) in S::as_mut_simd_f32s(scratch).0.iter_mut().zip(sums) {
            *out = simd.mul_f32s(sum, root);
        }
    }
}
