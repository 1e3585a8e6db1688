//! The kernels as one would write them on paper.

#![cfg_attr(not(test), expect(dead_code, reason = "the oracle that the vector loops are held to"))]

use super::{Batch, Tables, UNDERFLOW, in_logarithms};

/// Writes one pattern's normalised posterior and returns its log-likelihood.
fn posterior(tables: &Tables, prior: &[f64], codes: &[u8], out: &mut [f64]) -> f64 {
    let rows: Vec<usize> =
        codes.iter().enumerate().map(|(block, &code)| tables.at(block, code)).collect();
    let mut total = 0.0;
    for node in 0..tables.width {
        let likelihood: f64 = rows.iter().map(|&at| tables.row(at)[node]).product();
        out[node] = prior[node] * likelihood;
        total += out[node];
    }
    if total < UNDERFLOW {
        return in_logarithms(tables, prior, codes, out);
    }
    out.iter_mut().for_each(|value| *value /= total);
    libm::log(total) + rows.iter().map(|&at| tables.log_scales[at]).sum::<f64>()
}

pub(super) fn accumulate(
    tables: &Tables,
    prior: &[f64],
    batch: Batch<'_>,
    counts: &mut [f64],
) -> f64 {
    let mut row = vec![0.0; tables.width];
    let mut log_likelihood = 0.0;
    for (codes, &weight) in batch.codes.chunks_exact(tables.n_blocks()).zip(batch.weights) {
        log_likelihood += weight * posterior(tables, prior, codes, &mut row);
        for (block, &code) in codes.iter().enumerate() {
            let at = tables.at(block, code);
            for node in 0..tables.width {
                counts[at * tables.width + node] += weight * row[node];
            }
        }
    }
    log_likelihood
}

pub(super) fn posteriors(
    tables: &Tables,
    prior: &[f64],
    codes: &[u8],
    rows: &mut [f64],
    log_likelihoods: &mut [f64],
) {
    let patterns = codes.chunks_exact(tables.n_blocks());
    let out = rows.chunks_exact_mut(tables.width).zip(log_likelihoods);
    for (codes, (row, log_likelihood)) in patterns.zip(out) {
        *log_likelihood = posterior(tables, prior, codes, row);
    }
}

pub(super) fn moments(
    tables: &Tables,
    prior: &[f64],
    nodes: &[f64],
    codes: &[u8],
    means: &mut [f64],
    deviations: &mut [f64],
) {
    let mut row = vec![0.0; tables.width];
    let out = means.iter_mut().zip(deviations);
    for (codes, (mean, deviation)) in codes.chunks_exact(tables.n_blocks()).zip(out) {
        posterior(tables, prior, codes, &mut row);
        *mean = row.iter().zip(nodes).map(|(p, theta)| p * theta).sum();
        let square = |theta: f64| (theta - *mean) * (theta - *mean);
        let variance: f64 = row.iter().zip(nodes).map(|(p, &theta)| p * square(theta)).sum();
        *deviation = libm::sqrt(variance);
    }
}
