//! Expected counts of pairs of answers, for the patterns of a chunk.

use pulp::{Simd, WithSimd};

use super::super::Short;
use super::fill::Window;
use super::layout::Layout;

/// Patterns that are summed in `f32`.
pub(super) const RUN_MAX: usize = 1024;
/// Tables that are added to in one go: their rows' windows fill the first cache.
const AT_ONCE: usize = 5;

/// The counts of one small block with others (and with itself).
pub(super) struct Group {
    pub(super) one: usize,
    /// The other block, and counts as [`Layout::counts_len`] says.
    pub(super) tables: Vec<(usize, Vec<f64>)>,
}

/// The patterns read together.
pub(super) struct Chunk<'a> {
    posteriors: &'a [f32],
    windows: &'a [Window],
    codes: &'a [u8],
    n_codes: usize,
    /// Patterns by start and length of their windows.
    order: Vec<u16>,
}

impl<'a> Chunk<'a> {
    pub(super) fn new(
        layout: &Layout,
        posteriors: &'a [f32],
        windows: &'a [Window],
        codes: &'a [u8],
    ) -> Self {
        let as_they_came: Vec<u16> = (0..windows.len() as u16).collect();
        let n_keys = layout.width + 1;
        let by_length = sorted(&as_they_came, n_keys, |at| usize::from(windows[usize::from(at)].n));
        let order = sorted(&by_length, n_keys, |at| usize::from(windows[usize::from(at)].start));
        Self { posteriors, windows, codes, n_codes: layout.n_codes(), order }
    }

    fn code(&self, at: u16, block: usize) -> usize {
        usize::from(self.codes[usize::from(at) * self.n_codes + block])
    }

    /// The vectors that count for any of the patterns.
    fn span(&self, patterns: &[u16]) -> (usize, usize) {
        patterns.iter().fold((usize::MAX, 0), |(start, end), &at| {
            let window = self.windows[usize::from(at)];
            let own = usize::from(window.start);
            (start.min(own), end.max(own + usize::from(window.n)))
        })
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
        let Self { chunk, layout, group: Group { one, tables } } = self;
        let own = &layout.small[*one];
        let order = sorted(&chunk.order, own.n_rows, |at| chunk.code(at, *one));
        let rows_max = layout.small.iter().map(|small| small.n_rows).max().unwrap_or(1);
        let mut rows = Short::zeros(AT_ONCE * rows_max * layout.width);
        let mut by_category = Vec::new();
        for run in order.chunk_by(|&a, &b| chunk.code(a, *one) == chunk.code(b, *one)) {
            let code = chunk.code(run[0], *one);
            for run in run.chunks(RUN_MAX) {
                let (start, end) = chunk.span(run);
                let nodes = start * S::F32_LANES..end * S::F32_LANES;
                for some in tables.chunks_mut(AT_ONCE) {
                    let mut columns = [0; AT_ONCE];
                    for (column, (other, _)) in columns.iter_mut().zip(some.iter()) {
                        // With itself the answers are known: all go to one row.
                        *column = if other == one { chunk.n_codes - 1 } else { *other };
                    }
                    let columns = &columns[..some.len()];
                    add_run(simd, chunk, run, columns, rows_max, &mut rows);
                    let of_table = rows.chunks_exact_mut(rows_max * layout.width);
                    for ((other, counts), rows) in some.iter_mut().zip(of_table) {
                        if other == one {
                            layout.add_own(*one, code, nodes.clone(), rows, counts);
                        } else {
                            let pair = (*one, *other);
                            let nodes = nodes.clone();
                            layout.add_rows(pair, code, nodes, rows, &mut by_category, counts);
                        }
                    }
                }
            }
        }
    }
}

/// Adds a run's posteriors to one row of each table: the one that the code in its column names.
#[inline(always)]
fn add_run<S: Simd>(
    simd: S,
    chunk: &Chunk<'_>,
    run: &[u16],
    columns: &[usize],
    rows_max: usize,
    rows: &mut [f32],
) {
    let posteriors = S::as_simd_f32s(chunk.posteriors).0;
    let n_vectors = posteriors.len() / chunk.windows.len();
    let rows = S::as_mut_simd_f32s(rows).0;
    for &at in run {
        let at = usize::from(at);
        let codes = &chunk.codes[at * chunk.n_codes..][..chunk.n_codes];
        let Window { start, n } = chunk.windows[at];
        let (start, n) = (usize::from(start), usize::from(n));
        let source = &posteriors[at * n_vectors + start..][..n];
        let row =
            |table: usize| (table * rows_max + usize::from(codes[columns[table]])) * n_vectors;
        let places: [usize; AT_ONCE] =
            std::array::from_fn(|table| if table < columns.len() { row(table) + start } else { 0 });
        let places = &places[..columns.len()];
        match n {
            1 => add::<S, 1>(simd, source, places, rows),
            2 => add::<S, 2>(simd, source, places, rows),
            3 => add::<S, 3>(simd, source, places, rows),
            4 => add::<S, 4>(simd, source, places, rows),
            5 => add::<S, 5>(simd, source, places, rows),
            6 => add::<S, 6>(simd, source, places, rows),
            7 => add::<S, 7>(simd, source, places, rows),
            8 => add::<S, 8>(simd, source, places, rows),
            _ => {
                for &place in places {
                    for (sum, value) in rows[place..place + n].iter_mut().zip(source) {
                        *sum = simd.add_f32s(*sum, *value);
                    }
                }
            }
        }
    }
}

/// Adds `N` vectors, which stay in registers, to each of the rows that start at `places`.
#[inline(always)]
fn add<S: Simd, const N: usize>(
    simd: S,
    source: &[S::f32s],
    places: &[usize],
    rows: &mut [S::f32s],
) {
    let mut values = [simd.splat_f32s(0.0); N];
    values.copy_from_slice(&source[..N]);
    for &place in places {
        let row = &mut rows[place..place + N];
        for at in 0..N {
            row[at] = simd.add_f32s(row[at], values[at]);
        }
    }
}
