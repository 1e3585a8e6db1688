//! Where everything stands: small blocks, their codes, counts of pairs, functions of the score.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::super::{Aligned, Blocks, N_ROWS_MAX};
use super::Scores;
use super::squares::{Strip, TILE};
use crate::matrix::Matrix;

/// Parts a chunk, and the most numbers that their squares may hold.
const PARTS_MAX: usize = 16;
const SQUARES_MAX: usize = 1 << 22;
/// Rows of a small block, unless one item has more.
const SMALL_ROWS_MAX: usize = 36;
/// Numbers that the counts of a sweep over the patterns may hold.
const COUNTS_MAX: usize = 1 << 22;

/// How many numbers a vector has here.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F64_LANES
    }
}

/// Functions of the score that belong to one answer: consecutive rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Functions {
    pub(super) first: usize,
    pub(super) n: usize,
}

/// Consecutive items whose combined answer is a row of a table.
#[derive(Debug, Clone)]
pub(super) struct Small {
    items: Range<usize>,
    radices: Vec<usize>,
    pub(super) n_rows: usize,
}

/// What an answer to a block of the patterns adds to the answer to a small block.
#[derive(Debug, Clone)]
struct Share {
    small: usize,
    block: usize,
    codes: [u8; 256],
}

/// Two small blocks, or one with itself.
pub(super) type Pair = (usize, usize);

pub(super) struct Layout {
    pub(super) width: usize,
    /// Parameters, and the same in whole panels (and tiles).
    pub(super) n: usize,
    pub(super) n_padded: usize,
    /// Numbers of a panel of squares.
    pub(super) panel: usize,
    /// Rows of nodes, a function each: all items' and the common ones.
    pub(super) rows: Aligned,
    /// The parameter of each function, and where its mean goes in the first row of a strip.
    places: Vec<usize>,
    pub(super) offsets: Vec<usize>,
    /// Per item and category; none behind the last category: a gap.
    pub(super) categories: Vec<Vec<Functions>>,
    pub(super) common: Functions,
    n_categories: Vec<usize>,
    /// Per item, its block of the patterns, and its answer for each of that block's bytes.
    pub(super) digits: Vec<(usize, [u8; N_ROWS_MAX])>,
    pub(super) small: Vec<Small>,
    shares: Vec<Share>,
}

impl Layout {
    pub(super) fn new(scores: &Scores, blocks: &Blocks, width: usize, n_patterns: usize) -> Self {
        let (mut rows, mut places) = (Vec::new(), Vec::new());
        let (mut categories, mut n) = (Vec::new(), 0);
        for (item, &n_own) in scores.items.iter().zip(&scores.n_parameters) {
            let mut own = Vec::new();
            for category in item.chunks_exact(n_own * width) {
                let first = places.len();
                let functions = category.chunks_exact(width).enumerate();
                for (m, row) in functions.filter(|(_, row)| row.iter().any(|&g| g != 0.0)) {
                    places.push(n + m);
                    rows.extend_from_slice(row);
                }
                own.push(Functions { first, n: places.len() - first });
            }
            own.push(Functions::default());
            categories.push(own);
            n += n_own;
        }
        let common = Functions { first: places.len(), n: scores.common.len() };
        for row in &scores.common {
            places.push(n);
            rows.extend_from_slice(row);
            n += 1;
        }
        let panel = 2 * Arch::new().dispatch(Lanes);
        let small = small_blocks(&blocks.radices(), n_patterns);
        Self {
            width,
            n,
            n_padded: n.next_multiple_of(panel.max(TILE)),
            panel,
            rows: Aligned::of(&rows),
            offsets: places.iter().map(|&place| Strip::offset(place, panel)).collect(),
            places,
            categories,
            common,
            n_categories: blocks.n_categories.clone(),
            digits: blocks.digit_tables(),
            shares: shares(blocks, &small),
            small,
        }
    }

    pub(super) fn n_parts_max(&self) -> usize {
        (SQUARES_MAX / (self.n_padded * self.n_padded)).clamp(2, PARTS_MAX)
    }

    /// Bytes of a pattern: its answers to the small blocks, and one that is always 0.
    pub(super) fn n_codes(&self) -> usize {
        self.small.len() + 1
    }

    /// A pattern's answers to the small blocks, of its bytes.
    #[inline(always)]
    pub(super) fn encode(&self, bytes: &[u8], codes: &mut [u8]) {
        codes.fill(0);
        for share in &self.shares {
            codes[share.small] += share.codes[usize::from(bytes[share.block])];
        }
    }

    /// All pairs, in groups whose counts fit the memory allowed.
    pub(super) fn sweeps(&self) -> Vec<Vec<Pair>> {
        let (mut sweeps, mut held): (Vec<Vec<Pair>>, usize) = (vec![Vec::new()], 0);
        for one in 0..self.small.len() {
            for other in one..self.small.len() {
                let own = self.counts_len((one, other));
                let last = sweeps.len() - 1;
                if held + own > COUNTS_MAX && !sweeps[last].is_empty() {
                    sweeps.push(Vec::new());
                    held = 0;
                }
                held += own;
                let last = sweeps.len() - 1;
                sweeps[last].push((one, other));
            }
        }
        sweeps
    }

    /// Numbers of a pair's counts: for each item of the one and each of the other, both
    /// categories' (the second's running faster) nodes. Of a block with itself: a row for
    /// everybody, then each item's categories, then each pair of items.
    pub(super) fn counts_len(&self, (one, other): Pair) -> usize {
        let categories = |small: usize| {
            self.small[small].items.clone().map(|item| self.n_categories[item]).sum::<usize>()
        };
        if one != other {
            return categories(one) * categories(other) * self.width;
        }
        let pairs =
            self.pairs_within(one).map(|(i, j)| self.n_categories[i] * self.n_categories[j]);
        (1 + categories(one) + pairs.sum::<usize>()) * self.width
    }

    fn pairs_within(&self, small: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let items = self.small[small].items.clone();
        items.clone().flat_map(move |i| (i + 1..items.end).map(move |j| (i, j)))
    }

    /// Moves what patterns with answer `code` to the block gathered in `all` into the block's own
    /// counts.
    #[inline(always)]
    pub(super) fn add_own(
        &self,
        one: usize,
        code: usize,
        nodes: Range<usize>,
        all: &mut [f64],
        counts: &mut [f64],
    ) {
        let gathered = &mut all[nodes.clone()];
        let mut add =
            |row: usize| add_each(&mut counts[row * self.width..][nodes.clone()], gathered);
        add(0);
        let (items, mut first) = (self.small[one].items.clone(), 1);
        let digit = |item: usize| self.small[one].digit(item - items.start, code);
        for item in items.clone() {
            if digit(item) < self.n_categories[item] {
                add(first + digit(item));
            }
            first += self.n_categories[item];
        }
        for (i, j) in self.pairs_within(one) {
            let (n, m) = (self.n_categories[i], self.n_categories[j]);
            if digit(i) < n && digit(j) < m {
                add(first + digit(i) * m + digit(j));
            }
            first += n * m;
        }
        gathered.fill(0.0);
    }

    /// Moves what patterns with answer `code` to the one block gathered in `rows`, one an answer
    /// to the other, into the pair's counts. `by_category` is working memory.
    #[inline(always)]
    pub(super) fn add_rows(
        &self,
        (one, other): Pair,
        code: usize,
        nodes: Range<usize>,
        rows: &mut [f32],
        by_category: &mut Vec<f64>,
        counts: &mut [f64],
    ) {
        let (one, other) = (&self.small[one], &self.small[other]);
        let n_all: usize = other.items.clone().map(|item| self.n_categories[item]).sum();
        by_category.clear();
        by_category.resize(n_all * nodes.len(), 0.0);
        for (row, gathered) in rows.chunks_exact_mut(nodes.len()).take(other.n_rows).enumerate() {
            let (mut first, mut behind) = (0, other.n_rows);
            for (item, radix) in other.items.clone().zip(&other.radices) {
                behind /= radix;
                let digit = row / behind % radix;
                if digit < self.n_categories[item] {
                    let place = (first + digit) * nodes.len();
                    add_short(&mut by_category[place..place + nodes.len()], gathered);
                }
                first += self.n_categories[item];
            }
            gathered.fill(0.0);
        }
        let mut first = 0;
        for (at, item) in one.items.clone().enumerate() {
            let digit = one.digit(at, code);
            if digit < self.n_categories[item] {
                let target = &mut counts[(first + digit * n_all) * self.width..];
                let target = target.chunks_exact_mut(self.width);
                for (target, row) in target.zip(by_category.chunks_exact(nodes.len())) {
                    add_each(&mut target[nodes.clone()], row);
                }
            }
            first += self.n_categories[item] * n_all;
        }
    }

    /// Adds what one pair's counts say about Σ w E\[G Gᵀ\].
    pub(super) fn spread(&self, (one, other): Pair, counts: &[f64], sum: &mut Matrix) {
        let mut rest = counts;
        let mut take = |n_rows: usize| {
            let (rows, behind) = rest.split_at(n_rows * self.width);
            rest = behind;
            rows
        };
        if one == other {
            let everybody = take(1);
            if one == 0 {
                self.among_common(everybody, sum);
            }
            for item in self.small[one].items.clone() {
                self.within(item, take(self.n_categories[item]), sum);
            }
            for (i, j) in self.pairs_within(one) {
                let counts = take(self.n_categories[i] * self.n_categories[j]);
                let m = self.n_categories[j];
                for (at, counts) in counts.chunks_exact(self.width).enumerate() {
                    self.between((i, at / m), (j, at % m), counts, sum);
                }
            }
            return;
        }
        for item in self.small[one].items.clone() {
            for category in 0..self.n_categories[item] {
                for partner in self.small[other].items.clone() {
                    let counts = take(self.n_categories[partner]);
                    for (at, counts) in counts.chunks_exact(self.width).enumerate() {
                        self.between((item, category), (partner, at), counts, sum);
                    }
                }
            }
        }
    }

    /// Functions with their parameters.
    fn terms(&self, functions: Functions) -> impl Iterator<Item = (usize, &[f64])> {
        let own = functions.first..functions.first + functions.n;
        own.map(|at| (self.places[at], &self.rows[at * self.width..][..self.width]))
    }

    /// An item's category with another item's.
    fn between(
        &self,
        (item, k): (usize, usize),
        (partner, l): (usize, usize),
        counts: &[f64],
        sum: &mut Matrix,
    ) {
        let mut weighted = vec![0.0; self.width];
        for (i, own) in self.terms(self.categories[item][k]) {
            let both = own.iter().zip(counts);
            weighted.iter_mut().zip(both).for_each(|(out, (g, n))| *out = g * n);
            for (j, other) in self.terms(self.categories[partner][l]) {
                let value = dot(&weighted, other);
                sum.add(i, j, value);
                sum.add(j, i, value);
            }
        }
    }

    /// An item with itself, and with what everybody shares.
    fn within(&self, item: usize, counts: &[f64], sum: &mut Matrix) {
        let mut weighted = vec![0.0; self.width];
        for (k, counts) in counts.chunks_exact(self.width).enumerate() {
            for (i, own) in self.terms(self.categories[item][k]) {
                let both = own.iter().zip(counts);
                weighted.iter_mut().zip(both).for_each(|(out, (g, n))| *out = g * n);
                for (j, other) in self.terms(self.categories[item][k]) {
                    sum.add(i, j, dot(&weighted, other));
                }
                for (j, other) in self.terms(self.common) {
                    let value = dot(&weighted, other);
                    sum.add(i, j, value);
                    sum.add(j, i, value);
                }
            }
        }
    }

    fn among_common(&self, counts: &[f64], sum: &mut Matrix) {
        for (i, one) in self.terms(self.common) {
            let weighted: Vec<f64> = one.iter().zip(counts).map(|(g, n)| g * n).collect();
            for (j, other) in self.terms(self.common) {
                sum.add(i, j, dot(&weighted, other));
            }
        }
    }

    /// Takes Σ w E\[G\] E\[G\]ᵀ away; of the parts' squares the upper triangle is right.
    pub(super) fn subtract(&self, squares: &[Aligned], sum: &mut Matrix) {
        for i in 0..self.n {
            for j in i..self.n {
                let at = i * self.n_padded + j;
                let value: f64 = squares.iter().map(|square| square[at]).sum();
                sum.add(i, j, -value);
                if i != j {
                    sum.add(j, i, -value);
                }
            }
        }
    }
}

impl Small {
    /// The answer to the block's `at`-th item in a row, the last item varying fastest.
    fn digit(&self, at: usize, row: usize) -> usize {
        row / self.stride(at) % self.radices[at]
    }

    fn stride(&self, at: usize) -> usize {
        self.radices[at + 1..].iter().product()
    }
}

fn small_blocks(radices: &[usize], n_patterns: usize) -> Vec<Small> {
    // The making and reading of rows must pay.
    let limit = (n_patterns / 16).clamp(1, SMALL_ROWS_MAX);
    let mut small: Vec<Small> = Vec::new();
    for (item, &radix) in radices.iter().enumerate() {
        match small.last_mut() {
            Some(block) if block.n_rows * radix <= limit => {
                block.items.end = item + 1;
                block.radices.push(radix);
                block.n_rows *= radix;
            }
            _ => small.push(Small { items: item..item + 1, radices: vec![radix], n_rows: radix }),
        }
    }
    small
}

fn shares(blocks: &Blocks, small: &[Small]) -> Vec<Share> {
    let (mut shares, tables): (Vec<Share>, _) = (Vec::new(), blocks.digit_tables());
    for (at, own) in small.iter().enumerate() {
        for item in own.items.clone() {
            let (block, digits) = &tables[item];
            if shares.last().is_none_or(|last| (last.small, last.block) != (at, *block)) {
                shares.push(Share { small: at, block: *block, codes: [0; 256] });
            }
            let last = shares.len() - 1;
            let stride = own.stride(item - own.items.start);
            for (code, &digit) in shares[last].codes.iter_mut().zip(digits) {
                // Codes are below the block's rows, at most 256.
                *code += (usize::from(digit) * stride) as u8;
            }
        }
    }
    shares
}

/// In four running sums, so that the compiler may use vectors.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    for (a, b) in a.chunks_exact(4).zip(b.chunks_exact(4)) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

#[inline(always)]
fn add_each(target: &mut [f64], source: &[f64]) {
    target.iter_mut().zip(source).for_each(|(sum, &value)| *sum += value);
}

#[inline(always)]
fn add_short(target: &mut [f64], source: &[f32]) {
    target.iter_mut().zip(source).for_each(|(sum, &value)| *sum += f64::from(value));
}
