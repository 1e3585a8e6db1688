//! The kernels in vectors of whatever width the processor has, one generic body each.
//!
//! A row of 61 nodes is 64 numbers: 16 vectors of four. Rows are multiplied up to four at a time,
//! so that the running product is loaded and stored once for four factors. Sums over a row use
//! two accumulators. Adding to the counts is one load, one addition and one store a vector, which
//! is what bounds the whole.

use pulp::{Arch, Simd, WithSimd};

use super::{Batch, Tables, UNDERFLOW, in_logarithms};

pub(super) fn accumulate(
    tables: &Tables,
    prior: &[f64],
    batch: Batch<'_>,
    n_shared: usize,
    counts: &mut [f64],
) -> f64 {
    Arch::new().dispatch(Accumulate { tables, prior, batch, n_shared, counts })
}

pub(super) fn posteriors(
    tables: &Tables,
    prior: &[f64],
    codes: &[u8],
    rows: &mut [f64],
    log_likelihoods: &mut [f64],
) {
    Arch::new().dispatch(Posteriors { tables, prior, codes, rows, log_likelihoods });
}

pub(super) fn moments(
    tables: &Tables,
    prior: &[f64],
    nodes: &[f64],
    codes: &[u8],
    means: &mut [f64],
    deviations: &mut [f64],
) {
    Arch::new().dispatch(Moments { tables, prior, nodes, codes, means, deviations });
}

/// Tables as vectors.
struct Rows<'a, S: Simd> {
    tables: &'a Tables,
    rows: &'a [S::f64s],
    /// Vectors a row.
    n_vectors: usize,
}

impl<'a, S: Simd> Rows<'a, S> {
    #[inline(always)]
    fn new(tables: &'a Tables) -> Self {
        let rows = S::as_simd_f64s(&tables.rows).0;
        Self { tables, rows, n_vectors: tables.width / S::F64_LANES }
    }

    #[inline(always)]
    fn row(&self, block: usize, code: u8) -> &'a [S::f64s] {
        &self.rows[self.tables.at(block, code) * self.n_vectors..][..self.n_vectors]
    }

    #[inline(always)]
    fn log_scale(&self, first_block: usize, codes: &[u8]) -> f64 {
        let mut sum = 0.0;
        for (at, &code) in codes.iter().enumerate() {
            sum += self.tables.log_scales[self.tables.at(first_block + at, code)];
        }
        sum
    }

    /// `source` times the rows of `codes`, whose first is that of `first_block`, into `target`;
    /// returns the sum over the nodes.
    #[inline(always)]
    fn product(
        &self,
        simd: S,
        source: &[S::f64s],
        first_block: usize,
        codes: &[u8],
        target: &mut [S::f64s],
    ) -> f64 {
        target.copy_from_slice(source);
        let mut sum = simd.splat_f64s(0.0);
        let mut block = first_block;
        let mut rest = codes;
        while let [a, b, c, d, more @ ..] = rest {
            let [a, b] = [self.row(block, *a), self.row(block + 1, *b)];
            let [c, d] = [self.row(block + 2, *c), self.row(block + 3, *d)];
            sum = times_four(simd, target, [a, b, c, d]);
            (rest, block) = (more, block + 4);
        }
        match rest {
            [a, b, c] => {
                let [a, b] = [self.row(block, *a), self.row(block + 1, *b)];
                sum = times_three(simd, target, [a, b, self.row(block + 2, *c)]);
            }
            [a, b] => {
                sum = times_two(simd, target, [self.row(block, *a), self.row(block + 1, *b)]);
            }
            [a] => sum = times_one(simd, target, self.row(block, *a)),
            _ => {}
        }
        simd.reduce_sum_f64s(sum)
    }
}

/// Replaces each vector of `target` by `change` of it and its position, and returns their sum.
#[inline(always)]
fn change_and_sum<S: Simd>(
    simd: S,
    target: &mut [S::f64s],
    change: impl Fn(usize, S::f64s) -> S::f64s,
) -> S::f64s {
    let (mut even, mut odd) = (simd.splat_f64s(0.0), simd.splat_f64s(0.0));
    let mut at = 0;
    let mut pairs = target.chunks_exact_mut(2);
    for pair in &mut pairs {
        pair[0] = change(at, pair[0]);
        even = simd.add_f64s(even, pair[0]);
        pair[1] = change(at + 1, pair[1]);
        odd = simd.add_f64s(odd, pair[1]);
        at += 2;
    }
    for last in pairs.into_remainder() {
        *last = change(at, *last);
        even = simd.add_f64s(even, *last);
        at += 1;
    }
    simd.add_f64s(even, odd)
}

#[inline(always)]
fn times_four<S: Simd>(simd: S, target: &mut [S::f64s], rows: [&[S::f64s]; 4]) -> S::f64s {
    let n = target.len();
    let [a, b, c, d] = rows.map(|row| &row[..n]);
    change_and_sum(simd, target, |at, value| {
        let (ab, cd) = (simd.mul_f64s(a[at], b[at]), simd.mul_f64s(c[at], d[at]));
        simd.mul_f64s(simd.mul_f64s(value, ab), cd)
    })
}

#[inline(always)]
fn times_three<S: Simd>(simd: S, target: &mut [S::f64s], rows: [&[S::f64s]; 3]) -> S::f64s {
    let n = target.len();
    let [a, b, c] = rows.map(|row| &row[..n]);
    change_and_sum(simd, target, |at, value| {
        simd.mul_f64s(simd.mul_f64s(value, c[at]), simd.mul_f64s(a[at], b[at]))
    })
}

#[inline(always)]
fn times_two<S: Simd>(simd: S, target: &mut [S::f64s], rows: [&[S::f64s]; 2]) -> S::f64s {
    let n = target.len();
    let [a, b] = rows.map(|row| &row[..n]);
    change_and_sum(simd, target, |at, value| simd.mul_f64s(value, simd.mul_f64s(a[at], b[at])))
}

#[inline(always)]
fn times_one<S: Simd>(simd: S, target: &mut [S::f64s], row: &[S::f64s]) -> S::f64s {
    let row = &row[..target.len()];
    change_and_sum(simd, target, |at, value| simd.mul_f64s(value, row[at]))
}

#[inline(always)]
fn add<S: Simd>(simd: S, target: &mut [S::f64s], source: &[S::f64s]) {
    for (sum, value) in target.iter_mut().zip(source) {
        *sum = simd.add_f64s(*sum, *value);
    }
}

#[inline(always)]
fn scale<S: Simd>(simd: S, target: &mut [S::f64s], factor: f64) {
    let factor = simd.splat_f64s(factor);
    for value in target {
        *value = simd.mul_f64s(*value, factor);
    }
}

struct Accumulate<'a> {
    tables: &'a Tables,
    prior: &'a [f64],
    batch: Batch<'a>,
    n_shared: usize,
    counts: &'a mut [f64],
}

impl WithSimd for Accumulate<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let Self { tables, prior, batch, n_shared, counts } = self;
        let rows = Rows::<S>::new(tables);
        let n = rows.n_vectors;
        let counts = S::as_mut_simd_f64s(counts).0;
        let zero = simd.splat_f64s(0.0);
        let prior_vectors = S::as_simd_f64s(prior).0;
        let mut prefix = prior_vectors.to_vec();
        let (mut run, mut posterior) = (vec![zero; n], vec![0.0; tables.width]);
        let (mut prefix_scale, mut log_likelihood) = (0.0, 0.0);
        let mut shared: &[u8] = &[];
        for (codes, &weight) in batch.codes.chunks_exact(tables.n_blocks()).zip(batch.weights) {
            let (head, tail) = codes.split_at(n_shared);
            if head != shared {
                flush(simd, &rows, shared, &mut run, counts);
                rows.product(simd, prior_vectors, 0, head, &mut prefix);
                prefix_scale = rows.log_scale(0, head);
                shared = head;
            }
            let total = {
                let vectors = S::as_mut_simd_f64s(&mut posterior).0;
                rows.product(simd, &prefix, n_shared, tail, vectors)
            };
            let factor = if total < UNDERFLOW {
                log_likelihood += weight * in_logarithms(tables, prior, codes, &mut posterior);
                weight
            } else {
                let scale = prefix_scale + rows.log_scale(n_shared, tail);
                log_likelihood += weight * (total.ln() + scale);
                weight / total
            };
            let vectors = S::as_mut_simd_f64s(&mut posterior).0;
            scale(simd, vectors, factor);
            if n_shared > 0 {
                add(simd, &mut run, vectors);
            }
            for (at, &code) in tail.iter().enumerate() {
                let start = tables.at(n_shared + at, code) * n;
                add(simd, &mut counts[start..start + n], vectors);
            }
        }
        flush(simd, &rows, shared, &mut run, counts);
        log_likelihood
    }
}

/// Adds a run's summed posteriors to the rows of the blocks that the run shares.
#[inline(always)]
fn flush<S: Simd>(
    simd: S,
    rows: &Rows<'_, S>,
    shared: &[u8],
    run: &mut [S::f64s],
    counts: &mut [S::f64s],
) {
    for (block, &code) in shared.iter().enumerate() {
        let start = rows.tables.at(block, code) * rows.n_vectors;
        add(simd, &mut counts[start..start + rows.n_vectors], run);
    }
    run.fill(simd.splat_f64s(0.0));
}

struct Posteriors<'a> {
    tables: &'a Tables,
    prior: &'a [f64],
    codes: &'a [u8],
    rows: &'a mut [f64],
    log_likelihoods: &'a mut [f64],
}

impl WithSimd for Posteriors<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let tables = self.tables;
        let rows = Rows::<S>::new(tables);
        let prior = S::as_simd_f64s(self.prior).0;
        let patterns = self.codes.chunks_exact(tables.n_blocks());
        let out = self.rows.chunks_exact_mut(tables.width).zip(self.log_likelihoods);
        for (codes, (out, log_likelihood)) in patterns.zip(out) {
            let vectors = S::as_mut_simd_f64s(out).0;
            let total = rows.product(simd, prior, 0, codes, vectors);
            *log_likelihood = if total < UNDERFLOW {
                in_logarithms(tables, self.prior, codes, out)
            } else {
                scale(simd, vectors, 1.0 / total);
                total.ln() + rows.log_scale(0, codes)
            };
        }
    }
}

struct Moments<'a> {
    tables: &'a Tables,
    prior: &'a [f64],
    nodes: &'a [f64],
    codes: &'a [u8],
    means: &'a mut [f64],
    deviations: &'a mut [f64],
}

impl WithSimd for Moments<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let tables = self.tables;
        let rows = Rows::<S>::new(tables);
        let prior = S::as_simd_f64s(self.prior).0;
        let nodes = S::as_simd_f64s(self.nodes).0;
        let mut posterior = vec![0.0; tables.width];
        let out = self.means.iter_mut().zip(self.deviations);
        for (codes, (mean, deviation)) in self.codes.chunks_exact(tables.n_blocks()).zip(out) {
            let vectors = S::as_mut_simd_f64s(&mut posterior).0;
            let mut total = rows.product(simd, prior, 0, codes, vectors);
            if total < UNDERFLOW {
                in_logarithms(tables, self.prior, codes, &mut posterior);
                total = 1.0;
            }
            let vectors = S::as_simd_f64s(&posterior).0;
            let (first, second) = weighted_sums(simd, vectors, nodes);
            *mean = first / total;
            // About 0, not about the mean: nodes reach 6 and deviations are above 0.05, so the
            // subtraction costs at most four of sixteen digits.
            *deviation = (second / total - *mean * *mean).max(0.0).sqrt();
        }
    }
}

/// Σ p θ and Σ p θ².
#[inline(always)]
fn weighted_sums<S: Simd>(simd: S, p: &[S::f64s], nodes: &[S::f64s]) -> (f64, f64) {
    let zero = simd.splat_f64s(0.0);
    let (mut first, mut second) = (zero, zero);
    for (p, theta) in p.iter().zip(nodes) {
        let weighted = simd.mul_f64s(*p, *theta);
        first = simd.add_f64s(first, weighted);
        second = simd.mul_add_f64s(weighted, *theta, second);
    }
    (simd.reduce_sum_f64s(first), simd.reduce_sum_f64s(second))
}
