//! The posterior covariance of the complete-data score, summed over patterns: what Louis'
//! identity subtracts from complete information.
//!
//! A pattern's score is G(θ) = Σᵢ gᵢ(xᵢ, θ), one short vector of parameters an item, beside
//! functions that everybody shares (a population's moments). Wanted is Σ w Cov(G) =
//! Σ w E\[G Gᵀ\] − Σ w E\[G\] E\[G\]ᵀ, for a hundred parameters and a million patterns. Done pattern
//! by pattern the first term costs nodes × parameters². Here it costs additions only:
//!
//! **Pairs.** E\[gᵢ gⱼᵀ\] summed over patterns depends on the data only through the expected counts
//! of every pair of answers at every node. Items are grouped into *small blocks* of a few rows
//! (two items of five categories: 25), and each pattern adds its posterior to one row of each
//! pair of small blocks. The scores enter once, at the end.
//!
//! **Windows.** A posterior fills a third of the nodes. Vectors at both ends whose every value is
//! below [`NEGLIGIBLE`] are left out: together they hold less than 1e-12 of the mass. For each small
//! block the patterns of a chunk are taken in the order of their answers to it, so that the rows of
//! its pairs stay in the first cache, and then by their windows' lengths, so that loops have a
//! length to be foreseen.
//!
//! **Means.** E\[G\] is a product of the window with the rows that the answers name; their squares
//! are a symmetric rank update, in tiles that stay in registers.
//!
//! Patterns come in chunks, a chunk in parts. Parts are filled side by side, then each pair's
//! table takes the parts in order: no sum depends on the number of threads.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::lanes::{Rows, add, scale};
use super::{Aligned, Batch, Blocks, Tables, UNDERFLOW, in_logarithms};
use crate::matrix::Matrix;
use crate::parallel;

/// Posterior probability of a node that may be left out.
const NEGLIGIBLE: f64 = 1e-14;
/// Patterns a part.
const PART: usize = 512;
/// Parts a chunk, and the most numbers that their squares may hold.
const PARTS_MAX: usize = 16;
const SQUARES_MAX: usize = 1 << 22;
/// Rows of a small block, unless one item has more.
const SMALL_ROWS_MAX: usize = 36;
/// Numbers that the tables of a sweep over the patterns may hold.
const TABLES_MAX: usize = 1 << 22;
/// Rows of means that are squared together: they stay in the first cache.
const STRIP: usize = 32;
/// Rows of a tile of squares.
const TILE: usize = 4;

/// The scores of all items of a dimension as functions of the node, and those of everybody.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scores {
    /// Per item: category-major, then parameter, then padded nodes.
    pub(crate) items: Vec<Vec<f64>>,
    /// Per item.
    pub(crate) n_parameters: Vec<usize>,
    /// Padded nodes each.
    pub(crate) common: Vec<Vec<f64>>,
}

/// Σ w Cov(G) over the patterns of `batch`, parameters in the order of the items, then `common`.
///
/// Cost: for twenty items of five categories about fifty additions of a window a pattern, its
/// means and a rank update: some thirty times a cycle's. Accuracy: within 1e-11 of the sum pattern
/// by pattern, relative to the largest (test `informations_agree_with_plain_sums`).
pub(crate) fn covariance(
    tables: &Tables,
    blocks: &Blocks,
    prior: &[f64],
    batch: Batch<'_>,
    scores: &Scores,
    threads: usize,
) -> Matrix {
    assert_eq!(prior.len(), tables.width, "one prior weight a node");
    let layout = Layout::new(scores, blocks, tables.width, batch.n_patterns());
    let sweep = Sweep { tables, prior: &Aligned::of(prior), batch, layout: &layout, threads };
    let mut sum = Matrix::zeros(layout.n, layout.n);
    let mut squares = vec![Aligned::zeros(layout.n_padded * layout.n_padded); layout.n_parts()];
    for (at, pairs) in layout.sweeps().into_iter().enumerate() {
        let first = (at == 0).then_some(&mut squares[..]);
        for (pair, table) in pairs.iter().zip(sweep.run(&pairs, first)) {
            layout.spread(*pair, &table, &mut sum);
        }
    }
    layout.subtract(&squares, &mut sum);
    sum
}

/// How many numbers a vector has here.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        // A tile has four rows, so panels are no narrower.
        S::F64_LANES.max(TILE / 2)
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

/// Consecutive items whose combined answer is a row of a pair's table.
#[derive(Debug, Clone)]
struct Small {
    items: Range<usize>,
    radices: Vec<usize>,
    n_rows: usize,
}

/// Two small blocks, or one with itself.
type Pair = (usize, usize);

struct Layout {
    width: usize,
    /// Parameters, and the same in whole tiles.
    n: usize,
    n_padded: usize,
    /// Rows of nodes, all items' and the common ones.
    rows: Aligned,
    /// Per item and category; empty behind the last category: a gap.
    terms: Vec<Vec<Vec<Term>>>,
    common: Vec<Term>,
    n_categories: Vec<usize>,
    small: Vec<Small>,
    /// Per item, its block and the digit of each of the block's codes.
    digits: Vec<(usize, [u8; 256])>,
}

impl Layout {
    fn new(scores: &Scores, blocks: &Blocks, width: usize, n_patterns: usize) -> Self {
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
        let (n_categories, radices, digits) =
            (blocks.n_categories.clone(), blocks.radices(), blocks.digit_tables());
        Self {
            width,
            n,
            n_padded: n.next_multiple_of(2 * Arch::new().dispatch(Lanes)),
            rows: Aligned::of(&rows),
            terms,
            common,
            small: small_blocks(&radices, n_patterns),
            n_categories,
            digits,
        }
    }

    fn n_parts(&self) -> usize {
        (SQUARES_MAX / (self.n_padded * self.n_padded)).clamp(2, PARTS_MAX)
    }

    fn table_rows(&self, (one, other): Pair) -> usize {
        let n = self.small[one].n_rows;
        if one == other { n } else { n * self.small[other].n_rows }
    }

    /// All pairs, in groups whose tables fit the memory allowed.
    fn sweeps(&self) -> Vec<Vec<Pair>> {
        let (mut sweeps, mut held): (Vec<Vec<Pair>>, usize) = (vec![Vec::new()], 0);
        for one in 0..self.small.len() {
            for other in one..self.small.len() {
                let own = self.table_rows((one, other)) * self.width;
                let last = sweeps.len() - 1;
                if held + own > TABLES_MAX && !sweeps[last].is_empty() {
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

    /// Adds what one table of expected counts says about Σ w E\[G Gᵀ\].
    fn spread(&self, pair: Pair, table: &[f64], sum: &mut Matrix) {
        let (one, other) = (&self.small[pair.0], &self.small[pair.1]);
        for (i, item) in one.items.clone().enumerate() {
            for (j, partner) in other.items.clone().enumerate() {
                if item < partner {
                    let counts = self.pair_counts(pair, (i, j), table);
                    self.between(item, partner, &counts, sum);
                }
            }
            if pair.0 == pair.1 {
                self.within(item, &self.item_counts(one, i, table), sum);
            }
        }
        if pair == (0, 0) {
            self.among_common(&sum_of_rows(table, self.width), sum);
        }
    }

    /// Counts of two items' categories, the second item's running faster.
    fn pair_counts(&self, pair: Pair, (i, j): (usize, usize), table: &[f64]) -> Vec<f64> {
        let (one, other) = (&self.small[pair.0], &self.small[pair.1]);
        let (item, partner) = (one.items.start + i, other.items.start + j);
        let (n, m) = (self.n_categories[item], self.n_categories[partner]);
        let mut counts = vec![0.0; n * m * self.width];
        for (row, values) in table.chunks_exact(self.width).enumerate() {
            let (k, l) = if pair.0 == pair.1 {
                (one.digit(i, row), one.digit(j, row))
            } else {
                (one.digit(i, row / other.n_rows), other.digit(j, row % other.n_rows))
            };
            if k < n && l < m {
                let target = &mut counts[(k * m + l) * self.width..][..self.width];
                target.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
        }
        counts
    }

    fn item_counts(&self, small: &Small, i: usize, table: &[f64]) -> Vec<f64> {
        let n = self.n_categories[small.items.start + i];
        let mut counts = vec![0.0; n * self.width];
        for (row, values) in table.chunks_exact(self.width).enumerate() {
            let k = small.digit(i, row);
            if k < n {
                let target = &mut counts[k * self.width..][..self.width];
                target.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
        }
        counts
    }

    fn row(&self, term: &Term) -> &[f64] {
        &self.rows[term.row * self.width..][..self.width]
    }

    fn between(&self, item: usize, partner: usize, counts: &[f64], sum: &mut Matrix) {
        let m = self.n_categories[partner];
        let mut weighted = vec![0.0; self.width];
        for (at, counts) in counts.chunks_exact(self.width).enumerate() {
            for own in &self.terms[item][at / m] {
                let both = self.row(own).iter().zip(counts);
                weighted.iter_mut().zip(both).for_each(|(out, (g, n))| *out = g * n);
                for other in &self.terms[partner][at % m] {
                    let value = dot(&weighted, self.row(other));
                    sum.add(own.place, other.place, value);
                    sum.add(other.place, own.place, value);
                }
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
    fn subtract(&self, squares: &[Aligned], sum: &mut Matrix) {
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
        let behind: usize = self.radices[at + 1..].iter().product();
        row / behind % self.radices[at]
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

fn sum_of_rows(table: &[f64], width: usize) -> Vec<f64> {
    let mut total = vec![0.0; width];
    for row in table.chunks_exact(width) {
        total.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    total
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

/// One reading of all patterns.
struct Sweep<'a> {
    tables: &'a Tables,
    prior: &'a [f64],
    batch: Batch<'a>,
    layout: &'a Layout,
    threads: usize,
}

impl Sweep<'_> {
    /// The pairs' tables; with `squares`, one a part of a chunk, means are squared as well.
    fn run(&self, pairs: &[Pair], squares: Option<&mut [Aligned]>) -> Vec<Aligned> {
        let (layout, n_patterns) = (self.layout, self.batch.n_patterns());
        let mut groups: Vec<Group> = Vec::new();
        for &(one, other) in pairs {
            let table = Aligned::zeros(layout.table_rows((one, other)) * layout.width);
            match groups.last_mut() {
                Some(group) if group.one == one => group.tables.push((other, table)),
                _ => groups.push(Group { one, tables: vec![(other, table)] }),
            }
        }
        let n_parts = layout.n_parts();
        let mut parts: Vec<Part<'_>> = (0..n_parts).map(|_| Part::new(layout)).collect();
        if let Some(squares) = squares {
            let both = parts.iter_mut().zip(squares);
            both.for_each(|(part, square)| part.square = Some(square));
        }
        for start in (0..n_patterns).step_by(n_parts * PART) {
            parallel::each(self.threads, &mut parts, |at, part| {
                let first = (start + at * PART).min(n_patterns);
                let range = first..(first + PART).min(n_patterns);
                Arch::new().dispatch(Fill { sweep: self, range, part });
            });
            let chunk = Chunk::new(&parts, layout);
            parallel::each(self.threads, &mut groups, |_, group| {
                Arch::new().dispatch(AddPairs { chunk: &chunk, layout, group });
            });
        }
        groups.into_iter().flat_map(|group| group.tables).map(|(_, table)| table).collect()
    }
}

/// The tables of one small block with others (and with itself).
struct Group {
    one: usize,
    tables: Vec<(usize, Aligned)>,
}

/// A part's posteriors with their windows, in the order of the patterns.
struct Part<'a> {
    /// Weighted.
    posteriors: Aligned,
    windows: Vec<Window>,
    /// Per small block.
    codes: Vec<Vec<u16>>,
    /// Means times √w: panels of two vectors, a strip's rows in each.
    means: Aligned,
    n_means: usize,
    /// The functions that the current pattern's answers name.
    chosen: Vec<Term>,
    square: Option<&'a mut Aligned>,
}

/// Vectors of a row that count.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    start: u16,
    n: u16,
}

impl Part<'_> {
    fn new(layout: &Layout) -> Self {
        Self {
            posteriors: Aligned::zeros(PART * layout.width),
            windows: Vec::with_capacity(PART),
            codes: vec![Vec::with_capacity(PART); layout.small.len()],
            means: Aligned::zeros(STRIP * layout.n_padded),
            n_means: 0,
            chosen: Vec::new(),
            square: None,
        }
    }
}

/// The parts read together.
struct Chunk<'a, 'b> {
    parts: &'a [Part<'b>],
    windows: Vec<Window>,
    codes: Vec<Vec<u16>>,
    /// Patterns by length of window.
    order: Vec<u16>,
}

impl<'a, 'b> Chunk<'a, 'b> {
    fn new(parts: &'a [Part<'b>], layout: &Layout) -> Self {
        let windows: Vec<Window> = parts.iter().flat_map(|part| part.windows.clone()).collect();
        let of_block = |block: usize| parts.iter().flat_map(move |part| part.codes[block].clone());
        let codes = (0..layout.small.len()).map(|block| of_block(block).collect()).collect();
        let as_they_came: Vec<u16> = (0..windows.len() as u16).collect();
        let length = |at: u16| usize::from(windows[usize::from(at)].n);
        let order = sorted(&as_they_came, layout.width + 1, length);
        Self { parts, windows, codes, order }
    }
}

/// `order` by a key below `n_keys`, patterns of one key as they stood.
fn sorted(order: &[u16], n_keys: usize, key: impl Fn(u16) -> usize) -> Vec<u16> {
    let mut places = vec![0; n_keys];
    order.iter().for_each(|&at| places[key(at)] += 1);
    let mut before = 0;
    for place in &mut places {
        before += *place;
        *place = before - *place;
    }
    let mut out = vec![0; order.len()];
    for &at in order {
        let place = &mut places[key(at)];
        out[*place] = at;
        *place += 1;
    }
    out
}

/// Computes a part.
struct Fill<'a, 'b, 'c> {
    sweep: &'a Sweep<'a>,
    range: Range<usize>,
    part: &'b mut Part<'c>,
}

impl WithSimd for Fill<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sweep: Sweep { tables, prior, batch, layout, .. }, range, part } = self;
        let rows = Rows::<S>::new(tables);
        let n_blocks = tables.n_blocks();
        let prior_vectors = S::as_simd_f64s(prior).0;
        part.windows.clear();
        part.codes.iter_mut().for_each(Vec::clear);
        let mut answers = vec![0_u8; layout.digits.len()];
        let codes = &batch.codes[range.start * n_blocks..range.end * n_blocks];
        let patterns = codes.chunks_exact(n_blocks).zip(&batch.weights[range]);
        for (at, (codes, &weight)) in patterns.enumerate() {
            let row = at * layout.width..(at + 1) * layout.width;
            let vectors = S::as_mut_simd_f64s(&mut part.posteriors[row.clone()]).0;
            let total = rows.product(simd, prior_vectors, 0, codes, vectors);
            if total < UNDERFLOW {
                in_logarithms(tables, prior, codes, &mut part.posteriors[row.clone()]);
            } else {
                scale(simd, vectors, 1.0 / total);
            }
            let window = window(&part.posteriors[row.clone()], S::F64_LANES);
            part.windows.push(window);
            for (answer, (block, digits)) in answers.iter_mut().zip(&layout.digits) {
                *answer = digits[usize::from(codes[*block])];
            }
            for (small, codes) in layout.small.iter().zip(&mut part.codes) {
                let own = answers[small.items.clone()].iter().zip(&small.radices);
                codes.push(
                    own.fold(0, |row, (&digit, &radix)| row * radix as u16 + u16::from(digit)),
                );
            }
            if part.square.is_some() {
                square_mean(simd, layout, &answers, weight, (row.clone(), window), part);
            }
            if weight != 1.0 {
                scale(simd, S::as_mut_simd_f64s(&mut part.posteriors[row]).0, weight);
            }
        }
        update(simd, part, layout.n_padded);
    }
}

fn window(posterior: &[f64], lanes: usize) -> Window {
    let counts = |vector: &[f64]| vector.iter().any(|&p| p > NEGLIGIBLE);
    let n = posterior.len() / lanes;
    let start = posterior.chunks_exact(lanes).position(counts).unwrap_or(0);
    let end = posterior.chunks_exact(lanes).rposition(counts).map_or(n, |last| last + 1);
    Window { start: start as u16, n: (end - start) as u16 }
}

/// Adds a pattern's √w E\[G\] to the strip, and squares the strip once it is full.
#[inline(always)]
fn square_mean<S: Simd>(
    simd: S,
    layout: &Layout,
    answers: &[u8],
    weight: f64,
    (row, window): (Range<usize>, Window),
    part: &mut Part<'_>,
) {
    let root = libm::sqrt(weight);
    let (start, n) = (usize::from(window.start), usize::from(window.n));
    let posterior = &S::as_simd_f64s(&part.posteriors[row]).0[start..start + n];
    let all = S::as_simd_f64s(&layout.rows).0;
    let (panel, n_vectors) = (2 * S::F64_LANES, layout.width / S::F64_LANES);
    let strip = &mut part.means[..];
    for panel in strip.chunks_exact_mut(STRIP * panel) {
        panel[part.n_means * 2 * S::F64_LANES..][..2 * S::F64_LANES].fill(0.0);
    }
    let items = layout.terms.iter().zip(answers);
    part.chosen.clear();
    part.chosen.extend(items.flat_map(|(terms, &answer)| &terms[usize::from(answer)]));
    part.chosen.extend(&layout.common);
    for four in part.chosen.chunks(4) {
        // Where fewer than four are left the last one is done again, in vain.
        let mut functions = [posterior; 4];
        for (at, function) in functions.iter_mut().enumerate() {
            let row = four[at.min(four.len() - 1)].row;
            *function = &all[row * n_vectors + start..][..n];
        }
        let mut sums = [simd.splat_f64s(0.0); 4];
        for at in 0..n {
            for (sum, function) in sums.iter_mut().zip(functions) {
                *sum = simd.mul_add_f64s(posterior[at], function[at], *sum);
            }
        }
        for (term, sum) in four.iter().zip(sums) {
            let at = (term.place / panel * STRIP + part.n_means) * panel + term.place % panel;
            strip[at] = root * simd.reduce_sum_f64s(sum);
        }
    }
    part.n_means += 1;
    if part.n_means == STRIP {
        update(simd, part, layout.n_padded);
    }
}

/// Adds the strip's squares: tiles of four rows and two vectors, those at or right of the
/// diagonal. Eight sums hide the delay of a multiplication.
#[inline(always)]
fn update<S: Simd>(simd: S, part: &mut Part<'_>, n_padded: usize) {
    let n_rows = std::mem::take(&mut part.n_means);
    let Some(square) = part.square.as_mut().filter(|_| n_rows > 0) else { return };
    let panel = 2 * S::F64_LANES;
    if panel < TILE {
        return update_plainly(&part.means, n_rows, n_padded, panel, square);
    }
    let panels: Vec<&[f64]> = part.means.chunks_exact(STRIP * panel).collect();
    for i in (0..n_padded).step_by(TILE) {
        let left = &panels[i / panel][..n_rows * panel];
        let inside = i % panel;
        for (j, right) in panels.iter().enumerate().skip(i / panel) {
            let right = S::as_simd_f64s(&right[..n_rows * panel]).0;
            let mut sums = [[simd.splat_f64s(0.0); 2]; TILE];
            for (left, right) in left.chunks_exact(panel).zip(right.chunks_exact(2)) {
                let left = &left[inside..inside + TILE];
                for row in 0..TILE {
                    let factor = simd.splat_f64s(left[row]);
                    sums[row][0] = simd.mul_add_f64s(factor, right[0], sums[row][0]);
                    sums[row][1] = simd.mul_add_f64s(factor, right[1], sums[row][1]);
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                let start = (i + row) * n_padded + j * panel;
                let target = S::as_mut_simd_f64s(&mut square[start..start + panel]).0;
                add(simd, target, sums);
            }
        }
    }
}

/// The same number by number, for processors whose vectors are shorter than a tile.
fn update_plainly(means: &[f64], n_rows: usize, n_padded: usize, panel: usize, square: &mut [f64]) {
    let mean =
        |row: usize, place: usize| means[(place / panel * STRIP + row) * panel + place % panel];
    for row in 0..n_rows {
        for i in 0..n_padded {
            for j in i..n_padded {
                square[i * n_padded + j] += mean(row, i) * mean(row, j);
            }
        }
    }
}

/// Adds the chunk's posteriors to the rows of a group's tables.
struct AddPairs<'a, 'b> {
    chunk: &'a Chunk<'a, 'b>,
    layout: &'a Layout,
    group: &'a mut Group,
}

impl WithSimd for AddPairs<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { chunk, layout, group } = self;
        let n_vectors = layout.width / S::F64_LANES;
        let n_codes = layout.small[group.one].n_rows;
        let own = &chunk.codes[group.one][..];
        let order = sorted(&chunk.order, n_codes, |at| usize::from(own[usize::from(at)]));
        for run in order.chunk_by(|&a, &b| own[usize::from(a)] == own[usize::from(b)]) {
            let code = usize::from(own[usize::from(run[0])]);
            for (other, table) in &mut group.tables {
                let (first, codes) = if *other == group.one {
                    (0, own)
                } else {
                    (code * layout.small[*other].n_rows, &chunk.codes[*other][..])
                };
                let rows = &mut S::as_mut_simd_f64s(table).0[first * n_vectors..];
                add_run(simd, chunk, run, codes, n_vectors, rows);
            }
        }
    }
}

/// Adds a run's posteriors to the rows that `codes` name.
#[inline(always)]
fn add_run<S: Simd>(
    simd: S,
    chunk: &Chunk<'_, '_>,
    run: &[u16],
    codes: &[u16],
    n_vectors: usize,
    rows: &mut [S::f64s],
) {
    for &at in run {
        let at = usize::from(at);
        let Window { start, n } = chunk.windows[at];
        let (start, n) = (usize::from(start), usize::from(n));
        let posteriors = S::as_simd_f64s(&chunk.parts[at / PART].posteriors).0;
        let source = &posteriors[at % PART * n_vectors + start..][..n];
        add(simd, &mut rows[usize::from(codes[at]) * n_vectors + start..][..n], source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Squares a strip of `n_rows` in the way `simd` has, and checks them number by number.
    struct Squares {
        n_rows: usize,
    }

    impl WithSimd for Squares {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            let (panel, n_padded) = (2 * S::F64_LANES, 16);
            let mut means = Aligned::zeros(STRIP * n_padded);
            means.iter_mut().enumerate().for_each(|(at, x)| *x = ((at * 7) % 11) as f64 - 5.0);
            let mut expected = vec![0.0; n_padded * n_padded];
            update_plainly(&means, self.n_rows, n_padded, panel, &mut expected);
            let mut square = Aligned::zeros(n_padded * n_padded);
            let mut part = Part {
                posteriors: Aligned::zeros(0),
                windows: Vec::new(),
                codes: Vec::new(),
                means,
                n_means: self.n_rows,
                chosen: Vec::new(),
                square: Some(&mut square),
            };
            update(simd, &mut part, n_padded);
            for i in 0..n_padded {
                for j in i..n_padded {
                    let at = i * n_padded + j;
                    assert_eq!(square[at], expected[at], "{i} {j} of {} rows", self.n_rows);
                }
            }
        }
    }

    #[test]
    fn squares_are_the_same_with_and_without_vectors() {
        for n_rows in 0..=STRIP {
            Arch::new().dispatch(Squares { n_rows });
            Arch::Scalar.dispatch(Squares { n_rows });
        }
    }
}
