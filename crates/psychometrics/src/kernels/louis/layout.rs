//! Where everything stands: small blocks, their codes, counts of pairs, functions for the means.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::super::{Aligned, Blocks, Short};
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
        S::F32_LANES
    }
}

/// Where one function of the score goes.
#[derive(Debug, Clone, Copy)]
struct Term {
    /// Its parameter.
    place: usize,
    /// Its row among all.
    row: usize,
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
    /// Rows of nodes, all items' and the common ones.
    rows: Vec<f64>,
    /// Per item and category; empty behind the last category: a gap.
    terms: Vec<Vec<Vec<Term>>>,
    common: Vec<Term>,
    n_categories: Vec<usize>,
    pub(super) small: Vec<Small>,
    shares: Vec<Share>,
    pub(super) means: Means,
}

impl Layout {
    pub(super) fn new(scores: &Scores, blocks: &Blocks, width: usize, n_patterns: usize) -> Self {
        let mut rows: Vec<f64> = Vec::new();
        let (mut terms, mut n) = (Vec::new(), 0);
        for (item, &n_own) in scores.items.iter().zip(&scores.n_parameters) {
            let mut own: Vec<Vec<Term>> = Vec::new();
            for category in item.chunks_exact(n_own * width) {
                let functions = category.chunks_exact(width).enumerate();
                let mut of_category = Vec::new();
                for (m, row) in functions.filter(|(_, row)| row.iter().any(|&g| g != 0.0)) {
                    of_category.push(Term { place: n + m, row: rows.len() / width });
                    rows.extend_from_slice(row);
                }
                own.push(of_category);
            }
            own.push(Vec::new());
            terms.push(own);
            n += n_own;
        }
        let mut common = Vec::new();
        for row in &scores.common {
            common.push(Term { place: n, row: rows.len() / width });
            rows.extend_from_slice(row);
            n += 1;
        }
        let panel = 2 * Arch::new().dispatch(Lanes);
        let small = small_blocks(&blocks.radices(), n_patterns);
        let mut layout = Self {
            width,
            n,
            n_padded: n.next_multiple_of(panel.max(TILE)),
            panel,
            rows,
            terms,
            common,
            n_categories: blocks.n_categories.clone(),
            shares: shares(blocks, &small),
            small,
            means: Means::default(),
        };
        layout.means = Means::new(&layout);
        layout
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

    /// Moves what patterns with answer `code` to the block gathered in the first of `rows` into
    /// the block's own counts.
    #[inline(always)]
    pub(super) fn add_own(
        &self,
        one: usize,
        code: usize,
        nodes: Range<usize>,
        rows: &mut [f32],
        counts: &mut [f64],
    ) {
        let gathered = &mut rows[nodes.clone()];
        let mut add =
            |row: usize| add_short(&mut counts[row * self.width..][nodes.clone()], gathered);
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
        for (row, gathered) in rows.chunks_exact_mut(self.width).take(other.n_rows).enumerate() {
            let gathered = &mut gathered[nodes.clone()];
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
                    let both = target[nodes.clone()].iter_mut().zip(row);
                    both.for_each(|(sum, value)| *sum += value);
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

    fn row(&self, term: &Term) -> &[f64] {
        &self.rows[term.row * self.width..][..self.width]
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
        for own in &self.terms[item][k] {
            let both = self.row(own).iter().zip(counts);
            weighted.iter_mut().zip(both).for_each(|(out, (g, n))| *out = g * n);
            for other in &self.terms[partner][l] {
                let value = dot(&weighted, self.row(other));
                sum.add(own.place, other.place, value);
                sum.add(other.place, own.place, value);
            }
        }
    }

    /// An item with itself, and with what everybody shares.
    fn within(&self, item: usize, counts: &[f64], sum: &mut Matrix) {
        let mut weighted = vec![0.0; self.width];
        for (k, counts) in counts.chunks_exact(self.width).enumerate() {
            for own in &self.terms[item][k] {
                let both = self.row(own).iter().zip(counts);
                weighted.iter_mut().zip(both).for_each(|(out, (g, n))| *out = g * n);
                for other in &self.terms[item][k] {
                    sum.add(own.place, other.place, dot(&weighted, self.row(other)));
                }
                for other in &self.common {
                    let value = dot(&weighted, self.row(other));
                    sum.add(own.place, other.place, value);
                    sum.add(other.place, own.place, value);
                }
            }
        }
    }

    fn among_common(&self, counts: &[f64], sum: &mut Matrix) {
        for one in &self.common {
            let weighted: Vec<f64> = self.row(one).iter().zip(counts).map(|(g, n)| g * n).collect();
            for other in &self.common {
                sum.add(one.place, other.place, dot(&weighted, self.row(other)));
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

/// The functions whose means are wanted, of each answer to a small block (and at the end the
/// common ones) in columns of one vector: lanes are functions, nodes follow one another.
#[derive(Debug, Default)]
pub(super) struct Means {
    pub(super) table: Short,
    /// Where each lane's mean goes in a strip.
    pub(super) offsets: Vec<u32>,
    /// First column and columns an answer.
    blocks: Vec<(u32, u32)>,
}

impl Means {
    fn new(layout: &Layout) -> Self {
        let lanes = layout.panel / 2;
        let mut columns: Vec<Vec<Term>> = Vec::new();
        let mut blocks = Vec::new();
        for small in &layout.small {
            let of_row = |row: usize| -> Vec<Term> {
                let items = small.items.clone().enumerate();
                items
                    .flat_map(|(at, item)| &layout.terms[item][small.digit(at, row)])
                    .copied()
                    .collect()
            };
            let rows: Vec<Vec<Term>> = (0..small.n_rows).map(of_row).collect();
            let most = rows.iter().map(Vec::len).max().unwrap_or(0);
            let n_columns = most.div_ceil(lanes);
            blocks.push((columns.len() as u32, n_columns as u32));
            for row in rows {
                let column = |at: usize| row.iter().skip(at * lanes).take(lanes).copied().collect();
                columns.extend((0..n_columns).map(column));
            }
        }
        blocks.push((columns.len() as u32, layout.common.len().div_ceil(lanes) as u32));
        columns.extend(layout.common.chunks(lanes).map(<[Term]>::to_vec));
        let mut table = Short::zeros(columns.len() * layout.width * lanes);
        let mut offsets = vec![Strip::nowhere(layout.n_padded) as u32; columns.len() * lanes];
        for (at, column) in columns.iter().enumerate() {
            for (lane, term) in column.iter().enumerate() {
                offsets[at * lanes + lane] = Strip::offset(term.place, layout.panel) as u32;
                let own = table[at * layout.width * lanes + lane..].iter_mut().step_by(lanes);
                own.zip(layout.row(term)).for_each(|(out, &g)| *out = g as f32);
            }
        }
        Self { table, offsets, blocks }
    }

    /// The columns that a pattern's answers name.
    #[inline(always)]
    pub(super) fn choose(&self, codes: &[u8], columns: &mut Vec<u32>) {
        columns.clear();
        for (&(first, n), &code) in self.blocks.iter().zip(codes) {
            let first = first + u32::from(code) * n;
            columns.extend(first..first + n);
        }
    }
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
fn add_short(target: &mut [f64], source: &[f32]) {
    target.iter_mut().zip(source).for_each(|(sum, &value)| *sum += f64::from(value));
}
