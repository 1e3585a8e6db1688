//! Squares of means: a symmetric rank update of some dozen patterns at a time.

use pulp::Simd;

use super::super::Aligned;
use super::layout::Layout;

/// Patterns whose means are squared together: they stay in the first cache.
pub(super) const STRIP: usize = 32;
/// Rows of a tile of squares.
pub(super) const TILE: usize = 4;

/// Means times √w: panels of two vectors, a strip's rows in each.
#[derive(Debug, Clone)]
pub(super) struct Strip {
    means: Aligned,
}

impl Strip {
    pub(super) fn new(layout: &Layout) -> Self {
        Self { means: Aligned::zeros(STRIP * layout.n_padded) }
    }

    /// Where a parameter's mean stands in the first row; in each further row `panel` behind.
    pub(super) fn offset(place: usize, panel: usize) -> usize {
        place / panel * STRIP * panel + place % panel
    }

    /// The means; those that are not written are 0.
    #[inline(always)]
    pub(super) fn means(&mut self) -> &mut [f64] {
        &mut self.means
    }

    /// Adds the squares of the strip's first `n_rows`, at or right of the diagonal, and empties it.
    #[inline(always)]
    pub(super) fn empty<S: Simd>(
        &mut self,
        simd: S,
        n_rows: usize,
        n_padded: usize,
        square: &mut [f64],
    ) {
        if 2 * S::F64_LANES < TILE {
            self.square_plainly(n_rows, n_padded, 2 * S::F64_LANES, square);
        } else {
            self.square_in_tiles(simd, n_rows, n_padded, square);
        }
        self.means.fill(0.0);
    }

    /// In tiles of four rows and two vectors: eight sums hide the delay of a multiplication.
    #[inline(always)]
    fn square_in_tiles<S: Simd>(
        &self,
        simd: S,
        n_rows: usize,
        n_padded: usize,
        square: &mut [f64],
    ) {
        let panel = 2 * S::F64_LANES;
        let panels = |at: usize| &self.means[at * STRIP * panel..][..n_rows * panel];
        let square = S::as_mut_simd_f64s(square).0;
        for i in (0..n_padded).step_by(TILE) {
            let (left, inside) = (panels(i / panel), i % panel);
            for j in i / panel..n_padded / panel {
                let right = S::as_simd_f64s(panels(j)).0;
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
                    let at = (i + row) * (n_padded / S::F64_LANES) + 2 * j;
                    let target = &mut square[at..at + 2];
                    target[0] = simd.add_f64s(target[0], sums[0]);
                    target[1] = simd.add_f64s(target[1], sums[1]);
                }
            }
        }
    }

    /// The same number by number, for processors whose vectors are shorter than a tile.
    fn square_plainly(&self, n_rows: usize, n_padded: usize, panel: usize, square: &mut [f64]) {
        let mean = |row: usize, place: usize| self.means[Self::offset(place, panel) + row * panel];
        for i in 0..n_padded {
            for j in i..n_padded {
                let products = (0..n_rows).map(|row| mean(row, i) * mean(row, j));
                square[i * n_padded + j] += products.sum::<f64>();
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
            let (panel, n_padded, n_rows) = (2 * S::F64_LANES, 32, self.n_rows);
            let mut strip = Strip { means: Aligned::zeros(STRIP * n_padded) };
            let means = strip.means.iter_mut().enumerate();
            means.for_each(|(at, x)| *x = ((at * 7) % 11) as f64 - 5.0);
            let mut expected = vec![0.0; n_padded * n_padded];
            strip.square_plainly(n_rows, n_padded, panel, &mut expected);
            let mut square = vec![0.0; n_padded * n_padded];
            strip.empty(simd, n_rows, n_padded, &mut square);
            for i in 0..n_padded {
                for j in i..n_padded {
                    let at = i * n_padded + j;
                    assert_eq!(square[at], expected[at], "{i} {j} of {n_rows} rows");
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
