//! The posterior covariance of the complete-data score, summed over patterns: what Louis'
//! identity subtracts from complete information.
//!
//! A pattern's score is G(θ) = Σᵢ gᵢ(xᵢ, θ), one short vector of parameters an item, beside
//! functions that everybody shares (a population's moments). Wanted is Σ w Cov(G) =
//! Σ w E\[G Gᵀ\] − Σ w E\[G\] E\[G\]ᵀ, for a hundred parameters and a million patterns. Done pattern
//! by pattern the first term costs nodes × parameters². Here it costs additions only:
//!
//! **Pairs** ([`pairs`]). E\[gᵢ gⱼᵀ\] summed over patterns depends on the data only through the
//! expected counts of every pair of answers at every node. Items are grouped into *small blocks*
//! of a few rows (two items of five categories: 25). For the patterns that answer one small block
//! alike, each adds its posterior to one row of every other small block, in tables that stay in
//! the first cache; those are summed into the counts of pairs of items. The scores enter once, at
//! the end. The posteriors of a chunk do not fit the second cache and each small block wants them
//! in another order, so the lines of some dozen are touched first, for the processor waits for
//! many at once where nothing else is in its way.
//!
//! **Windows.** A posterior fills a third of the nodes. Vectors at both ends that hold less than
//! [`NEGLIGIBLE`] of the mass are left out.
//!
//! **Means** ([`fill`]). E\[G\] is a sum over the window's nodes of the functions that the answers
//! name, taken item by item for some dozen patterns, so that an item's functions are in the first
//! cache; its squares ([`squares`]) are a symmetric rank update, in tiles that stay in registers.
//!
//! **Precision.** A posterior is computed in `f64`, then rounded to `f32`, u = 2⁻²⁴ of each value at
//! most, and from there on both terms are of the rounded one: the result is the covariance of
//! posteriors that are off by at most u. Means and their squares are `f64` throughout. Only the
//! adding to rows of pairs is `f32`, for at most [`pairs::RUN_MAX`] patterns that share some dozen
//! rows; those sums are added in `f64`. A sum of k terms is off by about u √k / 3 of itself, either
//! way from node to node, row to row and run to run. With 40 to 20,000 patterns all of it together
//! is 1e-8 of the largest element (test `informations_agree_with_plain_sums` allows 3e-8).
//!
//! Patterns come in chunks, a chunk in parts. Parts are filled side by side, then each small
//! block's tables take the chunk in order: no sum depends on the number of threads.

mod fill;
mod layout;
mod pairs;
mod squares;

use pulp::Arch;

use self::fill::{Fill, Part, Window};
use self::layout::{Layout, Pair};
use self::pairs::{AddPairs, Chunk, Group};
use self::squares::{STRIP, Strip};
use super::{Aligned, Batch, Blocks, Short, Tables};
use crate::matrix::Matrix;
use crate::parallel;

/// Posterior mass of a vector of nodes that may be left out.
const NEGLIGIBLE: f64 = 1e-11;
/// Patterns a part, at most and (unless it is the only one) at least.
const PART_MAX: usize = 1024;
const PART_MIN: usize = 256;

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
/// means and a rank update. Accuracy: about 1e-8 of the largest element, see above.
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
    let mut squares = vec![Aligned::zeros(layout.n_padded * layout.n_padded); sweep.n_parts()];
    for (at, pairs) in layout.sweeps().into_iter().enumerate() {
        let first = (at == 0).then_some(&mut squares[..]);
        let groups = sweep.run(&pairs, first);
        let parts = parallel::map(threads, groups.len(), |at| {
            let mut own = Matrix::zeros(layout.n, layout.n);
            let Group { one, own: alone, tables } = &groups[at];
            if let Some(counts) = alone {
                layout.spread((*one, *one), counts, &mut own);
            }
            for (other, counts) in tables {
                layout.spread((*one, *other), counts, &mut own);
            }
            own
        });
        parts.iter().for_each(|part| sum.add_all(part));
    }
    layout.subtract(&squares, &mut sum);
    sum
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
    fn n_parts(&self) -> usize {
        self.layout.n_parts_max().min(self.batch.n_patterns() / PART_MIN).max(1)
    }

    /// The pairs' counts; with `squares`, one a part of a chunk, means are squared as well.
    fn run(&self, pairs: &[Pair], squares: Option<&mut [Aligned]>) -> Vec<Group> {
        let (layout, n_parts) = (self.layout, self.n_parts());
        let mut groups = groups(layout, pairs);
        let mut squares: Vec<Option<&mut Aligned>> = match squares {
            Some(squares) => squares.iter_mut().map(Some).collect(),
            None => (0..n_parts).map(|_| None).collect(),
        };
        let mut strips = vec![Strip::new(layout); n_parts];
        let n_chunks = self.batch.n_patterns().div_ceil(n_parts * PART_MAX);
        let n_codes = layout.n_codes();
        let start = |chunk: usize| self.batch.n_patterns() * chunk / n_chunks;
        let n_max = self.batch.n_patterns().div_ceil(n_chunks.max(1));
        let mut posteriors = Short::zeros(n_max * layout.width);
        let (mut windows, mut codes) = (vec![Window::default(); n_max], vec![0; n_max * n_codes]);
        for chunk in 0..n_chunks {
            let (first, n) = (start(chunk), start(chunk + 1) - start(chunk));
            let posteriors = &mut posteriors[..n * layout.width];
            let (windows, codes) = (&mut windows[..n], &mut codes[..n * n_codes]);
            // Whole strips but for the last part.
            let of_part = n.div_ceil(n_parts).next_multiple_of(STRIP);
            let mut parts: Vec<Part<'_>> = posteriors
                .chunks_mut(of_part * layout.width)
                .zip(windows.chunks_mut(of_part).zip(codes.chunks_mut(of_part * n_codes)))
                .zip(squares.iter_mut().zip(&mut strips))
                .map(|((posteriors, (windows, codes)), (square, strip))| Part {
                    posteriors,
                    windows,
                    codes,
                    strip,
                    square: square.as_mut().map(|square| &mut square[..]),
                })
                .collect();
            parallel::each(self.threads, &mut parts, |at, part| {
                let first = first + at * of_part;
                Arch::new().dispatch(Fill { sweep: self, first, part });
            });
            let chunk = Chunk::new(layout, posteriors, windows, codes);
            parallel::each(self.threads, &mut groups, |_, group| {
                Arch::new().dispatch(AddPairs { chunk: &chunk, layout, group });
            });
        }
        groups
    }
}

/// Pairs by their first block, all counts 0.
fn groups(layout: &Layout, pairs: &[Pair]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for &(one, other) in pairs {
        let counts = vec![0.0; layout.counts_len((one, other))];
        if groups.last().is_none_or(|group| group.one != one) {
            groups.push(Group { one, own: None, tables: Vec::new() });
        }
        if let Some(group) = groups.last_mut() {
            if other == one {
                group.own = Some(counts);
            } else {
                group.tables.push((other, counts));
            }
        }
    }
    groups
}
