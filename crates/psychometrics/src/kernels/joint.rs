//! Posteriors over the grid of two to four correlated dimensions.
//!
//! Each item measures one dimension, so a pattern's likelihood is an outer product of one row a
//! dimension, and only the population's weights couple them. The row of the last dimension runs
//! fastest; all combinations of the others are the *heads*. Per pattern: the heads' outer
//! product, one pass over the grid for the total, one for the marginals and the joint counts.

use pulp::{Arch, Simd, WithSimd};

use super::{Tables, posteriors};

/// The grid with the population's weights.
pub(crate) struct Joint {
    n_nodes: usize,
    width: usize,
    n_dimensions: usize,
    /// Heads × padded nodes.
    prior: Vec<f64>,
    /// 1 at each node, 0 behind: a flat prior for single dimensions.
    flat: Vec<f64>,
}

/// What a task adds up.
#[derive(Debug, Clone, Default)]
pub(crate) struct JointSums {
    pub(crate) log_likelihood: f64,
    /// Per dimension, shaped as its tables.
    pub(crate) rows: Vec<Vec<f64>>,
    /// Heads × padded nodes, without the prior.
    joint: Vec<f64>,
}

impl JointSums {
    pub(crate) fn add(&mut self, other: &Self) {
        self.log_likelihood += other.log_likelihood;
        let rows = self.rows.iter_mut().flatten().zip(other.rows.iter().flatten());
        let joint = self.joint.iter_mut().zip(&other.joint);
        rows.chain(joint).for_each(|(sum, value)| *sum += value);
    }
}

/// One pattern's posterior.
pub(crate) struct Moment {
    pub(crate) log_likelihood: f64,
    /// Per dimension, the likelihood over the nodes, divided by its sum.
    likelihoods: Vec<Vec<f64>>,
    heads: Vec<f64>,
    /// Per head, the sum over the last dimension of prior × likelihood.
    sums: Vec<f64>,
    /// Per dimension, the posterior over the nodes.
    pub(crate) marginals: Vec<Vec<f64>>,
    total: f64,
}

impl Joint {
    /// `weights` over the grid, the last dimension fastest, not padded.
    pub(crate) fn new(weights: &[f64], n_nodes: usize, width: usize, n_dimensions: usize) -> Self {
        let mut prior = Vec::with_capacity(weights.len() / n_nodes * width);
        for row in weights.chunks_exact(n_nodes) {
            prior.extend_from_slice(row);
            prior.resize(prior.len() + width - n_nodes, 0.0);
        }
        let flat = (0..width).map(|at| f64::from(u8::from(at < n_nodes))).collect();
        Self { n_nodes, width, n_dimensions, prior, flat }
    }

    fn n_heads(&self) -> usize {
        self.prior.len() / self.width
    }

    pub(crate) fn scratch(&self) -> Moment {
        let (n_heads, row) = (self.n_heads(), vec![0.0; self.width]);
        Moment {
            log_likelihood: 0.0,
            likelihoods: vec![row.clone(); self.n_dimensions],
            heads: vec![0.0; n_heads],
            sums: vec![0.0; n_heads],
            marginals: vec![row; self.n_dimensions],
            total: 0.0,
        }
    }

    /// Computes one pattern's marginals; `codes` holds its bytes, one slice a dimension.
    pub(crate) fn posterior(&self, tables: &[Tables], codes: &[&[u8]], out: &mut Moment) {
        out.log_likelihood = 0.0;
        for (dimension, (tables, codes)) in tables.iter().zip(codes).enumerate() {
            let mut log = [0.0];
            posteriors(tables, &self.flat, codes, &mut out.likelihoods[dimension], &mut log);
            out.log_likelihood += log[0];
        }
        self.outer(&out.likelihoods, &mut out.heads);
        Arch::new().dispatch(Marginals { joint: self, out });
        out.log_likelihood += libm::log(out.total);
    }

    /// Marginals, counts and log-likelihood of many patterns.
    pub(crate) fn accumulate(
        &self,
        tables: &[Tables],
        codes: &[&[u8]],
        weights: &[f64],
    ) -> JointSums {
        let mut sums = JointSums {
            log_likelihood: 0.0,
            rows: tables.iter().map(|tables| vec![0.0; tables.rows.len()]).collect(),
            joint: vec![0.0; self.prior.len()],
        };
        let mut moment = self.scratch();
        for (at, &weight) in weights.iter().enumerate() {
            let own: Vec<&[u8]> = codes
                .iter()
                .zip(tables)
                .map(|(codes, tables)| &codes[at * tables.n_blocks()..][..tables.n_blocks()])
                .collect();
            self.posterior(tables, &own, &mut moment);
            sums.log_likelihood += weight * moment.log_likelihood;
            for (dimension, (tables, codes)) in tables.iter().zip(&own).enumerate() {
                for (block, &code) in codes.iter().enumerate() {
                    let start = tables.at(block, code) * self.width;
                    let row = &mut sums.rows[dimension][start..start + self.width];
                    let marginal = &moment.marginals[dimension];
                    row.iter_mut().zip(marginal).for_each(|(sum, p)| *sum += weight * p);
                }
            }
            let factor = weight / moment.total;
            let last = &moment.likelihoods[self.n_dimensions - 1];
            Arch::new().dispatch(AddOuter {
                factor,
                heads: &moment.heads,
                last,
                joint: &mut sums.joint,
            });
        }
        sums
    }

    /// Expected counts over the grid's points, not padded.
    pub(crate) fn population(&self, sums: &JointSums) -> Vec<f64> {
        let rows = sums.joint.chunks_exact(self.width).zip(self.prior.chunks_exact(self.width));
        rows.flat_map(|(joint, prior)| {
            joint[..self.n_nodes].iter().zip(prior).map(|(n, w)| n * w).collect::<Vec<_>>()
        })
        .collect()
    }

    /// The posterior of a pattern over the grid's points, not padded.
    pub(crate) fn full(&self, moment: &Moment) -> Vec<f64> {
        let last = &moment.likelihoods[self.n_dimensions - 1];
        let mut points = Vec::with_capacity(self.n_heads() * self.n_nodes);
        for (head, prior) in moment.heads.iter().zip(self.prior.chunks_exact(self.width)) {
            let both = prior[..self.n_nodes].iter().zip(last);
            points.extend(both.map(|(w, l)| head * w * l / moment.total));
        }
        points
    }

    /// The outer product of all likelihoods but the last.
    fn outer(&self, likelihoods: &[Vec<f64>], heads: &mut [f64]) {
        heads[0] = 1.0;
        let mut n = 1;
        for likelihood in &likelihoods[..self.n_dimensions - 1] {
            // From the back, so that what is read is not yet overwritten.
            for at in (0..n).rev() {
                let value = heads[at];
                for (node, l) in likelihood[..self.n_nodes].iter().enumerate() {
                    heads[at * self.n_nodes + node] = value * l;
                }
            }
            n *= self.n_nodes;
        }
    }
}

struct Marginals<'a> {
    joint: &'a Joint,
    out: &'a mut Moment,
}

impl WithSimd for Marginals<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { joint, out } = self;
        let (n_dimensions, n_nodes) = (joint.n_dimensions, joint.n_nodes);
        let zero = simd.splat_f64s(0.0);
        let last_vectors = S::as_simd_f64s(&out.likelihoods[n_dimensions - 1]).0;
        let n = last_vectors.len();
        let prior = S::as_simd_f64s(&joint.prior).0;
        let mut total = 0.0;
        for (head, (sum, row)) in
            out.heads.iter().zip(out.sums.iter_mut().zip(prior.chunks_exact(n)))
        {
            let mut dot = zero;
            for (w, l) in row.iter().zip(last_vectors) {
                dot = simd.mul_add_f64s(*w, *l, dot);
            }
            *sum = simd.reduce_sum_f64s(dot);
            total += head * *sum;
        }
        out.total = total;
        let (firsts, last_marginal) = out.marginals.split_at_mut(n_dimensions - 1);
        let marginal = S::as_mut_simd_f64s(&mut last_marginal[0]).0;
        marginal.fill(zero);
        for (head, row) in out.heads.iter().zip(prior.chunks_exact(n)) {
            let factor = simd.splat_f64s(*head / total);
            for (m, w) in marginal.iter_mut().zip(row) {
                *m = simd.mul_add_f64s(factor, *w, *m);
            }
        }
        for (m, l) in marginal.iter_mut().zip(last_vectors) {
            *m = simd.mul_f64s(*m, *l);
        }
        firsts.iter_mut().for_each(|marginal| marginal.fill(0.0));
        for (at, (head, sum)) in out.heads.iter().zip(&out.sums).enumerate() {
            let p = head * sum / total;
            let mut rest = at;
            for marginal in firsts.iter_mut().rev() {
                marginal[rest % n_nodes] += p;
                rest /= n_nodes;
            }
        }
    }
}

struct AddOuter<'a> {
    factor: f64,
    heads: &'a [f64],
    last: &'a [f64],
    joint: &'a mut [f64],
}

impl WithSimd for AddOuter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let last = S::as_simd_f64s(self.last).0;
        let joint = S::as_mut_simd_f64s(self.joint).0;
        for (head, row) in self.heads.iter().zip(joint.chunks_exact_mut(last.len())) {
            let factor = simd.splat_f64s(self.factor * head);
            for (sum, l) in row.iter_mut().zip(last) {
                *sum = simd.mul_add_f64s(factor, *l, *sum);
            }
        }
    }
}
