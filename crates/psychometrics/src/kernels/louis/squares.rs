//! Squares of means: a symmetric rank update of some dozen patterns at a time.

use pulp::Simd;

use super::super::Short;
use super::layout::Layout;

/// Patterns whose means are squared together: they stay in the first cache.
pub(super) const STRIP: usize = 48;
/// Rows of a tile of squares.
pub(super) const TILE: usize = 4;

/// Means times √w: panels of two vectors, a strip's rows in each; behind them one panel for what
/// has no place.
#[derive(Debug, Clone)]
pub(super) struct Strip {
    means: Short,
    n_rows: usize,
    /// What leaves the registers.
    tile: Short,
}

impl Strip {
    pub(super) fn new(layout: &Layout) -> Self {
        Self::of_size(layout.n_padded, layout.panel)
    }

    fn of_size(n_padded: usize, panel: usize) -> Self {
        let (means, tile) = (Short::zeros(STRIP * (n_padded + panel)), Short::zeros(TILE * panel));
        Self { means, n_rows: 0, tile }
    }

    /// Where a parameter's mean stands in the first row; in each further row `panel` behind.
    pub(super) fn offset(place: usize, panel: usize) -> usize {
        place / panel * STRIP * panel + place % panel
    }

    /// Where what has no place goes.
    pub(super) fn nowhere(n_padded: usize) -> usize {
        n_padded * STRIP
    }

    /// Adds means at the `offsets` of the next row.
    #[inline(always)]
    pub(super) fn put(&mut self, offsets: &[u32], means: &[f32], panel: usize) {
        let row = self.n_rows * panel;
        for (&offset, &mean) in offsets.iter().zip(means) {
            self.means[offset as usize + row] = mean;
        }
    }

    /// Ends a row, and squares the strip once it is full.
    #[inline(always)]
    pub(super) fn end_row<S: Simd>(&mut self, simd: S, n_padded: usize, square: &mut [f64]) {
        self.n_rows += 1;
        if self.n_rows == STRIP {
            self.empty(simd, n_padded, square);
        }
    }

    /// Adds the strip's squares, at or right of the diagonal.
    #[inline(always)]
    pub(super) fn empty<S: Simd>(&mut self, simd: S, n_padded: usize, square: &mut [f64]) {
        let panel = 2 * S::F32_LANES;
        if self.n_rows > 0 && panel < TILE {
            self.square_plainly(n_padded, panel, square);
        } else if self.n_rows > 0 {
            self.square_in_tiles(simd, n_padded, square);
        }
        self.means.fill(0.0);
        self.n_rows = 0;
    }

    /// In tiles of four rows and two vectors: eight sums hide the delay of a multiplication.
    #[inline(always)]
    fn square_in_tiles<S: Simd>(&mut self, simd: S, n_padded: usize, square: &mut [f64]) {
        let (panel, n_rows) = (2 * S::F32_LANES, self.n_rows);
        let panels = |at: usize| &self.means[at * STRIP * panel..][..n_rows * panel];
        for i in (0..n_padded).step_by(TILE) {
            let (left, inside) = (panels(i / panel), i % panel);
            for j in i / panel..n_padded / panel {
                let right = S::as_simd_f32s(panels(j)).0;
                let mut sums = [[simd.splat_f32s(0.0); 2]; TILE];
                for (left, right) in left.chunks_exact(panel).zip(right.chunks_exact(2)) {
                    let left = &left[inside..inside + TILE];
                    for row in 0..TILE {
                        let factor = simd.splat_f32s(left[row]);
                        sums[row][0] = simd.mul_add_f32s(factor, right[0], sums[row][0]);
                        sums[row][1] = simd.mul_add_f32s(factor, right[1], sums[row][1]);
                    }
                }
                let tile = S::as_mut_simd_f32s(&mut self.tile).0;
                for (out, sums) in tile.chunks_exact_mut(2).zip(sums) {
                    out.copy_from_slice(&sums);
                }
                for (row, sums) in self.tile.chunks_exact(panel).enumerate() {
                    let target = &mut square[(i + row) * n_padded + j * panel..][..panel];
                    for (square, &sum) in target.iter_mut().zip(sums) {
                        *square += f64::from(sum);
                    }
                }
            }
        }
    }

    /// The same number by number, for processors whose vectors are shorter than a tile.
    fn square_plainly(&self, n_padded: usize, panel: usize, square: &mut [f64]) {
        let mean = |row: usize, place: usize| self.means[Self::offset(place, panel) + row * panel];
        for i in 0..n_padded {
            for j in i..n_padded {
                let products = (0..self.n_rows).map(|row| mean(row, i) * mean(row, j));
                square[i * n_padded + j] += f64::from(products.sum::<f32>());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, WithSimd};

    use super::*;

    /// Squares a strip of `n_rows` in the way `simd` has, and checks them number by number.
    struct Squares {
        n_rows: usize,
    }

    impl WithSimd for Squares {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            let (panel, n_padded) = (2 * S::F32_LANES, 32);
            let mut strip = Strip::of_size(n_padded, panel);
            strip
                .means
                .iter_mut()
                .enumerate()
                .for_each(|(at, x)| *x = ((at * 7) % 11) as f32 - 5.0);
            strip.n_rows = self.n_rows;
            let mut expected = vec![0.0; n_padded * n_padded];
            strip.square_plainly(n_padded, panel, &mut expected);
            let mut square = vec![0.0; n_padded * n_padded];
            strip.empty(simd, n_padded, &mut square);
            for i in 0..n_padded {
                for j in i..n_padded {
                    let at = i * n_padded + j;
                    assert_eq!(square[at], expected[at], "{i} {j} of {} rows", self.n_rows);
                }
            }
            assert!(strip.means.iter().all(|&x| x == 0.0));
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
