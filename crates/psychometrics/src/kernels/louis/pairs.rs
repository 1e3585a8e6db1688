//! Expected counts of pairs of answers, for the patterns of a chunk.

use std::hint::black_box;

use pulp::{Simd, WithSimd};

use super::super::{Aligned, Short};
use super::fill::Window;
use super::layout::Layout;

/// Patterns that are summed in `f32` before they go to `f64`: they are shared among the rows of a
/// table, so that a row's sum has some dozen terms.
pub(super) const RUN_MAX: usize = 512;
/// Patterns whose cache lines are fetched together.
const NEAR: usize = 32;
/// Tables that are added to in one go: their rows' windows fill the first cache.
const AT_ONCE: usize = 5;

/// The counts of one small block with others and with itself, as [`Layout::counts_len`] says.
pub(super) struct Group {
    pub(super) one: usize,
    /// With itself, if they are wanted.
    pub(super) own: Option<Vec<f64>>,
    /// The other block and the counts.
    pub(super) tables: Vec<(usize, Vec<f64>)>,
}

/// The patterns read together.
pub(super) struct Chunk<'a> {
    posteriors: &'a [f32],
    codes: &'a [u8],
    n_codes: usize,
    width: usize,
    /// Patterns by start and length of their windows.
    order: Vec<Own>,
}

/// A pattern's place and its window.
#[derive(Debug, Clone, Copy, Default)]
struct Own {
    at: u16,
    window: Window,
}

impl<'a> Chunk<'a> {
    pub(super) fn new(
        layout: &Layout,
        posteriors: &'a [f32],
        windows: &[Window],
        codes: &'a [u8],
    ) -> Self {
        let as_they_came: Vec<Own> =
            (0..).zip(windows).map(|(at, &window)| Own { at, window }).collect();
        let n_keys = layout.width + 1;
        let by_length = sorted(&as_they_came, n_keys, |own| usize::from(own.window.n));
        let order = sorted(&by_length, n_keys, |own| usize::from(own.window.start));
        Self { posteriors, codes, n_codes: layout.n_codes(), width: layout.width, order }
    }

    #[inline(always)]
    fn codes(&self, own: Own) -> &[u8] {
        &self.codes[usize::from(own.at) * self.n_codes..][..self.n_codes]
    }

    #[inline(always)]
    fn posterior<S: Simd>(&self, own: Own) -> &[f32] {
        let row = &self.posteriors[usize::from(own.at) * self.width..][..self.width];
        &row[own.window.nodes::<S>()]
    }

    /// Reads a pattern's bytes and three numbers of its posterior, which brings their cache lines
    /// near. Patterns lie apart in memory, and the processor waits for as many at once as the
    /// instructions that it looks ahead hold: with nothing but loads in them that is all it can.
    #[inline(always)]
    fn touch<S: Simd>(&self, run: &[Own]) {
        let mut bits = 0;
        for &own in run {
            let p = self.posterior::<S>(own);
            bits ^= p[0].to_bits() ^ p[p.len() / 2].to_bits() ^ p[p.len() - 1].to_bits();
            bits ^= u32::from(self.codes(own)[0]);
        }
        black_box(bits);
    }
}

/// The vectors that count for any of the patterns, as their start and end.
fn span(patterns: &[Own]) -> (usize, usize) {
    patterns.iter().fold((usize::MAX, 0), |(start, end), own| {
        let first = usize::from(own.window.start);
        (start.min(first), end.max(first + usize::from(own.window.n)))
    })
}

/// `order` by a key below `n_keys`, patterns of one key as they stood.
fn sorted(order: &[Own], n_keys: usize, key: impl Fn(Own) -> usize) -> Vec<Own> {
    let mut places = vec![0; n_keys];
    order.iter().for_each(|&own| places[key(own)] += 1);
    let mut before = 0;
    for place in &mut places {
        before += *place;
        *place = before - *place;
    }
    let mut out = vec![Own::default(); order.len()];
    for &own in order {
        let place = &mut places[key(own)];
        out[*place] = own;
        *place += 1;
    }
    out
}

/// Adds the chunk's posteriors to a group's counts.
pub(super) struct AddPairs<'a> {
    pub(super) chunk: &'a Chunk<'a>,
    pub(super) layout: &'a Layout,
    pub(super) group: &'a mut Group,
}

impl WithSimd for AddPairs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { chunk, layout, group: Group { one, own, tables } } = self;
        let order = sorted(&chunk.order, layout.small[*one].n_rows, |own| {
            usize::from(chunk.codes(own)[*one])
        });
        let rows_max = layout.small.iter().map(|small| small.n_rows).max().unwrap_or(1);
        let mut rows = Short::zeros(tables.len() * rows_max * layout.width);
        let mut all = Aligned::zeros(layout.width);
        let mut by_category = Vec::new();
        let same = |&a: &Own, &b: &Own| chunk.codes(a)[*one] == chunk.codes(b)[*one];
        for run in order.chunk_by(same).flat_map(|run| run.chunks(RUN_MAX)) {
            let code = usize::from(chunk.codes(run[0])[*one]);
            let (start, end) = span(run);
            let nodes = start * S::F32_LANES..end * S::F32_LANES;
            let of_table = rows_max * nodes.len();
            for some in run.chunks(NEAR) {
                chunk.touch::<S>(some);
                add_to_all::<S>(chunk, some, &mut all);
                let of_tables = rows.chunks_mut(AT_ONCE * of_table);
                for (tables, rows) in tables.chunks(AT_ONCE).zip(of_tables) {
                    let mut columns = [0; AT_ONCE];
                    let others = tables.iter().map(|(other, _)| *other);
                    columns.iter_mut().zip(others).for_each(|(column, other)| *column = other);
                    let columns = &columns[..tables.len()];
                    add(simd, chunk, some, columns, (start, end - start), rows_max, rows);
                }
            }
            let (one, nodes) = (*one, &nodes);
            if let Some(counts) = own {
                layout.add_own(one, code, nodes.clone(), &mut all, counts);
            }
            for ((other, counts), rows) in tables.iter_mut().zip(rows.chunks_exact_mut(of_table)) {
                layout.add_rows((one, *other), code, nodes.clone(), rows, &mut by_category, counts);
            }
        }
    }
}

/// Adds posteriors to one row, in `f64`: all of them go there.
#[inline(always)]
fn add_to_all<S: Simd>(chunk: &Chunk<'_>, run: &[Own], all: &mut [f64]) {
    for &own in run {
        let sums = all[own.window.nodes::<S>()].chunks_exact_mut(S::F32_LANES);
        for (sums, source) in sums.zip(chunk.posterior::<S>(own).chunks_exact(S::F32_LANES)) {
            for lane in 0..S::F32_LANES {
                sums[lane] += f64::from(source[lane]);
            }
        }
    }
}

/// Adds posteriors to one row of each table: the one that the code in its column names. Rows hold
/// the vectors of `span`, its start and length.
#[inline(always)]
fn add<S: Simd>(
    simd: S,
    chunk: &Chunk<'_>,
    run: &[Own],
    columns: &[usize],
    span: (usize, usize),
    rows_max: usize,
    rows: &mut [f32],
) {
    let rows = S::as_mut_simd_f32s(rows).0;
    for &own in run {
        let (codes, start) = (chunk.codes(own), usize::from(own.window.start) - span.0);
        let source = S::as_simd_f32s(chunk.posterior::<S>(own)).0;
        for (table, &column) in columns.iter().enumerate() {
            let place = (table * rows_max + usize::from(codes[column])) * span.1 + start;
            for (sum, value) in rows[place..place + source.len()].iter_mut().zip(source) {
                *sum = simd.add_f32s(*sum, *value);
            }
        }
    }
}
