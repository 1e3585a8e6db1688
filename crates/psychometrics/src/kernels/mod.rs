//! The loops that meet every person: posteriors over one dimension's nodes, and expected counts.
//!
//! **Blocks.** The likelihood of a pattern is a product of one row of nodes an answer. Rows of
//! neighbouring items are multiplied beforehand for every combination of their answers: with five
//! categories, three items make a block of 125 rows (216 with gaps), a pattern is one byte a
//! block, and 20 items cost seven row products instead of twenty. Expected counts work the same
//! way backwards: the posterior is added to one row a block, and the rows are summed into the
//! items' categories once at the end.
//!
//! **Prefixes.** Patterns are sorted, so that neighbours share their first blocks. The product of
//! those is made once a run of neighbours, and their posteriors are summed before they are added
//! to the shared blocks' rows. How many blocks are shared is chosen by counting the runs.
//!
//! **Scale.** Each row is divided by its largest value, whose logarithm is kept, so that products
//! stay near 1. Where one still underflows (answers in wild disagreement on a long test) that
//! pattern is done in logarithms.
//!
//! Everything exists as a plain loop ([`scalar`], the one to believe), as a generic vector loop
//! ([`lanes`]), and here as the choice by processor.

mod aligned;
pub(crate) mod joint;
mod lanes;
pub(crate) mod louis;
mod scalar;

#[cfg(test)]
mod tests;

pub(crate) use aligned::{Aligned, Short};

use crate::parallel;
use crate::responses::{MISSING, Patterns};

/// A block's answers are one byte.
const N_ROWS_MAX: usize = 256;

/// Patterns that a thread makes bytes of at a time.
const ENCODED_AT_ONCE: usize = 1 << 14;

/// Products below this are redone in logarithms.
const UNDERFLOW: f64 = 1e-280;

/// Consecutive items whose combined answer is one byte.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    /// Position of the first item.
    first: usize,
    /// Different answers to each item, a gap being the last one if gaps occur.
    radices: Vec<usize>,
    n_rows: usize,
}

impl Block {
    pub(crate) fn n_items(&self) -> usize {
        self.radices.len()
    }

    /// The row of these answers, which `categories` maps to each item's.
    fn row_of(&self, answers: &[u8], categories: &[&[u8]]) -> u8 {
        let mut row = 0;
        for ((&answer, map), radix) in answers.iter().zip(categories).zip(&self.radices) {
            let category = if answer == MISSING { MISSING } else { map[usize::from(answer)] };
            let digit = if category == MISSING { radix - 1 } else { usize::from(category) };
            row = row * radix + digit.min(radix - 1);
        }
        // Below N_ROWS_MAX, hence a byte.
        row as u8
    }

    /// Answers to the block's items in row `row`, the last item varying fastest.
    fn digits(&self, row: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let mut stride = self.n_rows;
        self.radices.iter().enumerate().map(move |(at, radix)| {
            stride /= radix;
            (self.first + at, row / stride % radix)
        })
    }
}

/// How items are grouped into blocks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Blocks {
    pub(crate) blocks: Vec<Block>,
    n_categories: Vec<usize>,
    /// Where each block's rows start, counted in rows; one more entry for the end.
    starts: Vec<usize>,
}

impl Blocks {
    /// Groups items greedily. `n_patterns` limits the rows, whose making must pay.
    pub(crate) fn new(n_categories: &[usize], has_gap: &[bool], n_patterns: usize) -> Self {
        let limit = (n_patterns / 4).clamp(1, N_ROWS_MAX);
        let mut blocks: Vec<Block> = Vec::new();
        for (item, (&n, &gap)) in n_categories.iter().zip(has_gap).enumerate() {
            let radix = n + usize::from(gap);
            match blocks.last_mut() {
                Some(block) if block.n_rows * radix <= limit => {
                    block.n_rows *= radix;
                    block.radices.push(radix);
                }
                _ => blocks.push(Block { first: item, radices: vec![radix], n_rows: radix }),
            }
        }
        let mut starts = vec![0];
        for block in &blocks {
            starts.push(starts[starts.len() - 1] + block.n_rows);
        }
        Self { blocks, n_categories: n_categories.to_vec(), starts }
    }

    pub(crate) fn n_blocks(&self) -> usize {
        self.blocks.len()
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.starts[self.blocks.len()]
    }

    /// Per item, how many different answers there are, a gap included where gaps occur.
    fn radices(&self) -> Vec<usize> {
        self.blocks.iter().flat_map(|block| block.radices.iter().copied()).collect()
    }

    /// Per item, its block, and its answer for each of the block's bytes; a gap is the number
    /// of categories.
    fn digit_tables(&self) -> Vec<(usize, [u8; N_ROWS_MAX])> {
        let mut tables = vec![(0, [0; N_ROWS_MAX]); self.n_categories.len()];
        for (at, block) in self.blocks.iter().enumerate() {
            for row in 0..block.n_rows {
                for (item, digit) in block.digits(row) {
                    tables[item].0 = at;
                    // Below the rows of a block, hence a byte.
                    tables[item].1[row] = digit as u8;
                }
            }
        }
        tables
    }

    /// The categories that a pattern's bytes stand for, [`MISSING`] for gaps.
    pub(crate) fn decode(&self, codes: &[u8], answers: &mut [u8]) {
        for (block, &code) in self.blocks.iter().zip(codes) {
            for (item, digit) in block.digits(usize::from(code)) {
                answers[item] =
                    if digit == self.n_categories[item] { MISSING } else { digit as u8 };
            }
        }
    }

    /// Sums a table of rows of `width` nodes into the items' categories: `counts[item]` is
    /// category-major and is added to. Gaps are left out.
    pub(crate) fn sum_into_items(&self, rows: &[f64], width: usize, counts: &mut [Vec<f64>]) {
        for (block, &start) in self.blocks.iter().zip(&self.starts) {
            for row in 0..block.n_rows {
                let values = &rows[(start + row) * width..][..width];
                if values.iter().all(|&value| value == 0.0) {
                    continue;
                }
                for (item, digit) in block.digits(row) {
                    if digit < self.n_categories[item] {
                        let target = &mut counts[item][digit * width..][..width];
                        target.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                    }
                }
            }
        }
    }

    /// The sum over all rows of the first block: over all patterns, whatever they answered.
    pub(crate) fn sum_all(&self, rows: &[f64], width: usize) -> Vec<f64> {
        let mut total = vec![0.0; width];
        for row in rows[..self.starts[1] * width].chunks_exact(width) {
            total.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        total
    }
}

/// Patterns of some items as blocks.
#[derive(Debug, Clone)]
pub(crate) struct Patterned {
    pub(crate) blocks: Blocks,
    /// A byte a block, pattern after pattern.
    pub(crate) codes: Vec<u8>,
}

impl Patterned {
    /// The named `items` of `patterns`. `categories` maps each item's packed answers to the
    /// categories of its table, [`MISSING`] where there is none.
    pub(crate) fn new(
        patterns: &Patterns,
        items: &[usize],
        categories: &[&[u8]],
        n_categories: &[usize],
        threads: usize,
    ) -> Self {
        let has_gap = patterns.has_gap(items, categories, threads);
        let blocks = Blocks::new(n_categories, &has_gap, patterns.n_patterns());
        let encoder = |block: &Block| {
            let range = block.first..block.first + block.n_items();
            let maps = &categories[range.clone()];
            patterns.encoder(&items[range], |answers| block.row_of(answers, maps))
        };
        let encoders: Vec<_> = blocks.blocks.iter().map(encoder).collect();
        let n_blocks = blocks.n_blocks();
        let mut codes = vec![0; patterns.n_patterns() * n_blocks];
        let mut parts: Vec<&mut [u8]> = codes.chunks_mut(ENCODED_AT_ONCE * n_blocks).collect();
        parallel::each(threads, &mut parts, |part, codes| {
            for (at, (block, encoder)) in blocks.blocks.iter().zip(&encoders).enumerate() {
                let range = block.first..block.first + block.n_items();
                let maps = &categories[range];
                let code = |answers: &[u8]| block.row_of(answers, maps);
                let first = part * ENCODED_AT_ONCE;
                patterns.encode(encoder, first, code, &mut codes[at..], n_blocks);
            }
        });
        Self { blocks, codes }
    }
}

/// Rows of likelihoods, a block's after the one before.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    width: usize,
    starts: Vec<usize>,
    rows: Aligned,
    /// Per row, the logarithm of what it was divided by.
    log_scales: Vec<f64>,
}

impl Tables {
    /// `items[item]` holds the item's probabilities, category-major, in rows of `width` nodes.
    pub(crate) fn new(blocks: &Blocks, items: &[&[f64]], width: usize) -> Self {
        let mut rows = Vec::with_capacity(blocks.n_rows() * width);
        for block in &blocks.blocks {
            let mut product = vec![1.0; width];
            for (at, &radix) in block.radices.iter().enumerate() {
                product = times_item(&product, items[block.first + at], radix, width);
            }
            rows.extend_from_slice(&product);
        }
        let mut log_scales = Vec::with_capacity(blocks.n_rows());
        for row in rows.chunks_exact_mut(width) {
            let largest = row.iter().copied().fold(0.0, f64::max);
            let scale = if largest > 0.0 { largest } else { 1.0 };
            row.iter_mut().for_each(|value| *value /= scale);
            log_scales.push(libm::log(scale));
        }
        Self { width, starts: blocks.starts.clone(), rows: Aligned::of(&rows), log_scales }
    }

    fn n_blocks(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of the row that a block's byte stands for.
    #[inline(always)]
    fn at(&self, block: usize, code: u8) -> usize {
        self.starts[block] + usize::from(code)
    }

    fn row(&self, at: usize) -> &[f64] {
        &self.rows[at * self.width..(at + 1) * self.width]
    }
}

/// Each row of `product` times each of the item's rows; a last radix beyond them is a gap.
fn times_item(product: &[f64], item: &[f64], radix: usize, width: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(product.len() * radix);
    for row in product.chunks_exact(width) {
        for digit in 0..radix {
            match item.get(digit * width..(digit + 1) * width) {
                Some(factor) => out.extend(row.iter().zip(factor).map(|(a, b)| a * b)),
                None => out.extend_from_slice(row),
            }
        }
    }
    out
}

/// Patterns in order, one byte a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) codes: &'a [u8],
    pub(crate) weights: &'a [f64],
}

impl Batch<'_> {
    fn n_patterns(&self) -> usize {
        self.weights.len()
    }
}

/// Adds every pattern's posterior, times its weight, to the rows it answered, and returns the
/// weighted sum of log-likelihoods.
///
/// `prior` has one weight a node, padded with zeros to the tables' width; `n_shared` is of
/// [`shared_blocks`]; `counts` is shaped as the tables' rows. Cost: about two passes over a row of nodes a block and pattern.
pub(crate) fn accumulate(
    tables: &Tables,
    prior: &[f64],
    batch: Batch<'_>,
    n_shared: usize,
    counts: &mut [f64],
) -> f64 {
    assert_eq!(prior.len(), tables.width, "one prior weight a node");
    assert_eq!(batch.codes.len(), batch.n_patterns() * tables.n_blocks(), "a byte a block");
    assert_eq!(counts.len(), tables.rows.len(), "counts are shaped as the tables");
    lanes::accumulate(tables, prior, batch, n_shared, counts)
}

/// Writes every pattern's posterior weights, in rows of nodes, and its log-likelihood.
pub(crate) fn posteriors(
    tables: &Tables,
    prior: &[f64],
    codes: &[u8],
    rows: &mut [f64],
    log_likelihoods: &mut [f64],
) {
    assert_eq!(prior.len(), tables.width, "one prior weight a node");
    assert_eq!(codes.len(), log_likelihoods.len() * tables.n_blocks(), "a byte a block");
    assert_eq!(rows.len(), log_likelihoods.len() * tables.width, "one row a pattern");
    lanes::posteriors(tables, prior, codes, rows, log_likelihoods);
}

/// Writes every pattern's posterior mean and standard deviation over `nodes` (padded).
pub(crate) fn moments(
    tables: &Tables,
    prior: &[f64],
    nodes: &[f64],
    codes: &[u8],
    means: &mut [f64],
    deviations: &mut [f64],
) {
    assert_eq!(prior.len(), tables.width, "one prior weight a node");
    assert_eq!(nodes.len(), tables.width, "nodes are padded as the tables");
    assert_eq!(codes.len(), means.len() * tables.n_blocks(), "a byte a block");
    assert_eq!(means.len(), deviations.len(), "one of each a pattern");
    lanes::moments(tables, prior, nodes, codes, means, deviations);
}

/// How many leading blocks neighbours should share, by what it saves in passes over a row.
pub(crate) fn shared_blocks(codes: &[u8], n_blocks: usize) -> usize {
    const DEPTH_MAX: usize = 4;
    // How many patterns differ from the one before first in each of the leading blocks.
    let mut n_first = [0; DEPTH_MAX];
    for (a, b) in codes.chunks_exact(n_blocks).zip(codes.chunks_exact(n_blocks).skip(1)) {
        let mut differ = a.iter().zip(b).take(DEPTH_MAX);
        if let Some(at) = differ.position(|(a, b)| a != b) {
            n_first[at] += 1;
        }
    }
    let n = codes.len() / n_blocks;
    let cost = |depth: usize| {
        if depth == 0 {
            return 2 * n * n_blocks;
        }
        let n_runs = 1 + n_first[..depth].iter().sum::<usize>();
        n * (2 * (n_blocks - depth) + 1) + n_runs * (2 * depth + 1)
    };
    (0..=DEPTH_MAX.min(n_blocks - 1)).min_by_key(|&depth| cost(depth)).unwrap_or(0)
}

/// One pattern in logarithms: writes its normalised posterior and returns its log-likelihood.
fn in_logarithms(tables: &Tables, prior: &[f64], codes: &[u8], posterior: &mut [f64]) -> f64 {
    let log = |value: f64| if value > 0.0 { libm::log(value) } else { -1e4 };
    let mut scale = 0.0;
    for (out, &weight) in posterior.iter_mut().zip(prior) {
        *out = if weight > 0.0 { libm::log(weight) } else { f64::NEG_INFINITY };
    }
    for (block, &code) in codes.iter().enumerate() {
        let at = tables.at(block, code);
        scale += tables.log_scales[at];
        posterior.iter_mut().zip(tables.row(at)).for_each(|(out, &value)| *out += log(value));
    }
    let largest = posterior.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut total = 0.0;
    for out in posterior.iter_mut() {
        *out = libm::exp(*out - largest);
        total += *out;
    }
    posterior.iter_mut().for_each(|out| *out /= total);
    scale + largest + libm::log(total)
}
