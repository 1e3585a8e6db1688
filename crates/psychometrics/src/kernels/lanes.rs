//! The kernels in vectors of whatever width the processor has, one generic body each.
//!
//! A row of 61 nodes is 64 numbers: 16 vectors of four. Rows are multiplied up to eight at a
//! time, so that the running product stays in a register and is stored once. A posterior is
//! added to up to six rows of counts at a time: a load, an addition and a store a row and vector,
//! which is what bounds the whole.

use pulp::{Arch, Simd, WithSimd};

use super::{Aligned, Batch, Tables, UNDERFLOW, in_logarithms};

/// Rows multiplied at a time.
const AT_ONCE: usize = 8;

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
pub(super) struct Rows<'a, S: Simd> {
    tables: &'a Tables,
    rows: &'a [S::f64s],
    /// Vectors a row.
    n_vectors: usize,
}

impl<'a, S: Simd> Rows<'a, S> {
    #[inline(always)]
    pub(super) fn new(tables: &'a Tables) -> Self {
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
    pub(super) fn product(
        &self,
        simd: S,
        source: &[S::f64s],
        first_block: usize,
        codes: &[u8],
        target: &mut [S::f64s],
    ) -> f64 {
        let (first, rest) = codes.split_at(codes.len().min(AT_ONCE));
        let at = first_block;
        let mut sum = match first.len() {
            0 => copied(simd, source, target),
            1 => times(simd, source, self.rows::<1>(at, first), target),
            2 => times(simd, source, self.rows::<2>(at, first), target),
            3 => times(simd, source, self.rows::<3>(at, first), target),
            4 => times(simd, source, self.rows::<4>(at, first), target),
            5 => times(simd, source, self.rows::<5>(at, first), target),
            6 => times(simd, source, self.rows::<6>(at, first), target),
            7 => times(simd, source, self.rows::<7>(at, first), target),
            _ => times(simd, source, self.rows::<AT_ONCE>(at, first), target),
        };
        for (code, block) in rest.iter().zip(at + AT_ONCE..) {
            let row = &self.row(block, *code)[..target.len()];
            sum = simd.splat_f64s(0.0);
            for (value, factor) in target.iter_mut().zip(row) {
                *value = simd.mul_f64s(*value, *factor);
                sum = simd.add_f64s(sum, *value);
            }
        }
        simd.reduce_sum_f64s(sum)
    }

    #[inline(always)]
    fn rows<const N: usize>(&self, first_block: usize, codes: &[u8]) -> [&'a [S::f64s]; N] {
        let mut rows = [&self.rows[..0]; N];
        for (at, (row, code)) in rows.iter_mut().zip(codes).enumerate() {
            *row = self.row(first_block + at, *code);
        }
        rows
    }
}

#[inline(always)]
fn copied<S: Simd>(simd: S, source: &[S::f64s], target: &mut [S::f64s]) -> S::f64s {
    let mut sum = simd.splat_f64s(0.0);
    for (out, value) in target.iter_mut().zip(source) {
        *out = *value;
        sum = simd.add_f64s(sum, *value);
    }
    sum
}

// No closures hold vector operations: a closure that is not inlined is compiled without the
// processor's features, and then every operation is a call.

/// Writes the product of all rows and returns the sum of its vectors.
#[inline(always)]
fn times<S: Simd, const N: usize>(
    simd: S,
    source: &[S::f64s],
    rows: [&[S::f64s]; N],
    target: &mut [S::f64s],
) -> S::f64s {
    let n = target.len();
    let (source, mut rows) = (&source[..n], rows);
    for row in &mut rows {
        *row = &row[..n];
    }
    let mut sum = simd.splat_f64s(0.0);
    for at in 0..n {
        let mut value = source[at];
        for row in rows {
            value = simd.mul_f64s(value, row[at]);
        }
        target[at] = value;
        sum = simd.add_f64s(sum, value);
    }
    sum
}

/// Adds `factor` times `source` to each of the rows.
#[inline(always)]
fn spread<S: Simd, const N: usize>(
    simd: S,
    source: &[S::f64s],
    factor: f64,
    mut rows: [&mut [S::f64s]; N],
) {
    let n = source.len();
    for row in &mut rows {
        *row = &mut std::mem::take(row)[..n];
    }
    let factor = simd.splat_f64s(factor);
    for at in 0..n {
        let value = simd.mul_f64s(source[at], factor);
        for row in &mut rows {
            row[at] = simd.add_f64s(row[at], value);
        }
    }
}

#[inline(always)]
pub(super) fn add<S: Simd>(simd: S, target: &mut [S::f64s], source: &[S::f64s]) {
    for (sum, value) in target.iter_mut().zip(source) {
        *sum = simd.add_f64s(*sum, *value);
    }
}

#[inline(always)]
pub(super) fn scale<S: Simd>(simd: S, target: &mut [S::f64s], factor: f64) {
    let factor = simd.splat_f64s(factor);
    for value in target {
        *value = simd.mul_f64s(*value, factor);
    }
}

/// Counts as they are added to: the summed posteriors of a run, and one table a block.
struct Targets<'a, S: Simd> {
    run: &'a mut [S::f64s],
    blocks: Vec<&'a mut [S::f64s]>,
    n_vectors: usize,
}

impl<S: Simd> Targets<'_, S> {
    /// Adds `factor` times `posterior` to the run, if any blocks are shared, and to the rows of
    /// the blocks behind them.
    #[inline(always)]
    fn add(&mut self, simd: S, posterior: &[S::f64s], factor: f64, n_shared: usize, tail: &[u8]) {
        if n_shared > 0 {
            spread(simd, posterior, factor, [&mut *self.run]);
        }
        let mut block = n_shared;
        let mut rest = tail;
        while !rest.is_empty() {
            let n = match rest.len() {
                1 => self.some::<1>(simd, posterior, factor, block, rest),
                2 => self.some::<2>(simd, posterior, factor, block, rest),
                3 => self.some::<3>(simd, posterior, factor, block, rest),
                4 => self.some::<4>(simd, posterior, factor, block, rest),
                5 => self.some::<5>(simd, posterior, factor, block, rest),
                _ => self.some::<6>(simd, posterior, factor, block, rest),
            };
            (rest, block) = (&rest[n..], block + n);
        }
    }

    #[inline(always)]
    fn some<const N: usize>(
        &mut self,
        simd: S,
        posterior: &[S::f64s],
        factor: f64,
        block: usize,
        codes: &[u8],
    ) -> usize {
        let mut rows: [&mut [S::f64s]; N] = std::array::from_fn(|_| Default::default());
        let tables = self.blocks[block..block + N].iter_mut().zip(codes);
        for (row, (table, code)) in rows.iter_mut().zip(tables) {
            *row = &mut table[usize::from(*code) * self.n_vectors..][..self.n_vectors];
        }
        spread(simd, posterior, factor, rows);
        N
    }

    /// Adds a run's summed posteriors to the rows of the blocks that the run shares.
    #[inline(always)]
    fn flush(&mut self, simd: S, shared: &[u8]) {
        for (table, &code) in self.blocks.iter_mut().zip(shared) {
            let start = usize::from(code) * self.n_vectors;
            add(simd, &mut table[start..start + self.n_vectors], self.run);
        }
        self.run.fill(simd.splat_f64s(0.0));
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
        let prior_vectors = S::as_simd_f64s(prior).0;
        let (mut prefix, mut run) = (Aligned::of(prior), Aligned::zeros(tables.width));
        let prefix = S::as_mut_simd_f64s(&mut prefix).0;
        let mut targets = Targets::<S> {
            run: S::as_mut_simd_f64s(&mut run).0,
            blocks: by_block::<S>(tables, counts),
            n_vectors: rows.n_vectors,
        };
        let mut posterior = Aligned::zeros(tables.width);
        let (mut prefix_scale, mut log_likelihood) = (0.0, 0.0);
        let mut shared: &[u8] = &[];
        for (codes, &weight) in batch.codes.chunks_exact(tables.n_blocks()).zip(batch.weights) {
            let (head, tail) = codes.split_at(n_shared);
            if head != shared {
                targets.flush(simd, shared);
                rows.product(simd, prior_vectors, 0, head, prefix);
                prefix_scale = rows.log_scale(0, head);
                shared = head;
            }
            let total = {
                let vectors = S::as_mut_simd_f64s(&mut posterior).0;
                rows.product(simd, prefix, n_shared, tail, vectors)
            };
            let factor = if total < UNDERFLOW {
                log_likelihood += weight * in_logarithms(tables, prior, codes, &mut posterior);
                weight
            } else {
                let scale = prefix_scale + rows.log_scale(n_shared, tail);
                log_likelihood += weight * (total.ln() + scale);
                weight / total
            };
            targets.add(simd, S::as_simd_f64s(&posterior).0, factor, n_shared, tail);
        }
        targets.flush(simd, shared);
        log_likelihood
    }
}

/// Each block's part of the counts.
#[inline(always)]
fn by_block<'a, S: Simd>(tables: &Tables, counts: &'a mut [f64]) -> Vec<&'a mut [S::f64s]> {
    let mut rest = counts;
    let mut blocks = Vec::with_capacity(tables.n_blocks());
    for ends in tables.starts.windows(2) {
        let (own, behind) = rest.split_at_mut((ends[1] - ends[0]) * tables.width);
        blocks.push(S::as_mut_simd_f64s(own).0);
        rest = behind;
    }
    blocks
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
        let mut posterior = Aligned::zeros(tables.width);
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
