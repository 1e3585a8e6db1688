//! Rotation of loadings to a simpler pattern.

use super::FactorsError;
use crate::matrix::Matrix;

/// Most projected gradient steps.
const CYCLES_MAX: u32 = 5_000;
/// Length of the projected gradient that counts as settled.
const GRADIENT_MAX: f64 = 1e-9;

/// How loadings are turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// Not at all: principal axes.
    Unrotated,
    /// Uncorrelated factors, Kaiser's varimax with his normalisation of rows.
    Varimax,
    /// Correlated factors, direct oblimin with γ = 0 (quartimin), rows as they are.
    Oblimin,
}

/// Loadings and what the factors then correlate.
pub(super) struct Rotated {
    pub loadings: Matrix,
    pub factor_correlations: Matrix,
}

/// Turns the loadings, then orders the factors.
///
/// # References
/// Kaiser 1958, *Psychometrika* 23, 187–200, doi:10.1007/BF02289233; Jennrich 2002,
/// *Psychometrika* 67, 7–19, doi:10.1007/BF02294706.
pub(super) fn rotated(loadings: &Matrix, rotation: Rotation) -> Result<Rotated, FactorsError> {
    let k = loadings.n_columns();
    let plain = Rotated { loadings: loadings.clone(), factor_correlations: Matrix::identity(k) };
    let turned = match rotation {
        Rotation::Varimax if k > 1 => varimax(loadings)?,
        Rotation::Oblimin if k > 1 => {
            // Principal axes can be a saddle of the criterion, by symmetry: varimax is not.
            let (axes, turned) = (oblimin(loadings)?, oblimin(&varimax(loadings)?.loadings)?);
            if turned.1 < axes.1 { turned.0 } else { axes.0 }
        }
        _ => plain,
    };
    Ok(ordered(&turned))
}

/// Planar rotations, pair by pair, each to the exact maximum in its plane.
fn varimax(loadings: &Matrix) -> Result<Rotated, FactorsError> {
    let (p, k) = (loadings.n_rows(), loadings.n_columns());
    let length: Vec<f64> = (0..p)
        .map(|i| libm::sqrt(loadings.row(i).iter().map(|l| l * l).sum::<f64>()))
        .map(|length| if length > 0.0 { length } else { 1.0 })
        .collect();
    let mut b = Matrix::from_fn(p, k, |i, j| loadings.at(i, j) / length[i]);
    let mut largest = f64::INFINITY;
    for _ in 0..CYCLES_MAX {
        largest = 0.0;
        for first in 0..k {
            for second in first + 1..k {
                let angle = varimax_angle(&b, first, second);
                largest = f64::max(largest, angle.abs());
                let (sin, cos) = (libm::sin(angle), libm::cos(angle));
                for i in 0..p {
                    let (x, y) = (b.at(i, first), b.at(i, second));
                    b.set(i, first, cos * x + sin * y);
                    b.set(i, second, cos * y - sin * x);
                }
            }
        }
        if largest < GRADIENT_MAX {
            return Ok(Rotated {
                loadings: Matrix::from_fn(p, k, |i, j| b.at(i, j) * length[i]),
                factor_correlations: Matrix::identity(k),
            });
        }
    }
    Err(FactorsError::NoConvergence { cycles: CYCLES_MAX, last_change: largest })
}

fn varimax_angle(b: &Matrix, first: usize, second: usize) -> f64 {
    let p = b.n_rows() as f64;
    let [mut u_sum, mut v_sum, mut difference, mut product] = [0.0; 4];
    for i in 0..b.n_rows() {
        let (x, y) = (b.at(i, first), b.at(i, second));
        let (u, v) = (x * x - y * y, 2.0 * x * y);
        u_sum += u;
        v_sum += v;
        difference += u * u - v * v;
        product += 2.0 * u * v;
    }
    let numerator = product - 2.0 * u_sum * v_sum / p;
    let denominator = difference - (u_sum * u_sum - v_sum * v_sum) / p;
    0.25 * libm::atan2(numerator, denominator)
}

/// Gradient projection for oblique factors: L = A (T⁻¹)ᵀ, columns of T of length 1, Φ = TᵀT.
/// Starts where the loadings are; gives the criterion reached too.
fn oblimin(loadings: &Matrix) -> Result<(Rotated, f64), FactorsError> {
    let k = loadings.n_columns();
    let mut t = Matrix::identity(k);
    let mut here = Quartimin::at(loadings, &t)?;
    let mut step = 1.0;
    let mut length = f64::INFINITY;
    for _ in 0..CYCLES_MAX {
        let projected = here.projected(&t);
        length = libm::sqrt(projected.values().iter().map(|g| g * g).sum::<f64>());
        if length < GRADIENT_MAX || (step * length < 1e-12 && length < 1e-7) {
            let factor_correlations = transposed(&t).times(&t);
            return Ok((Rotated { loadings: here.loadings, factor_correlations }, here.value));
        }
        step *= 2.0;
        loop {
            let next =
                unit_columns(&Matrix::from_fn(k, k, |i, j| t.at(i, j) - step * projected.at(i, j)));
            match Quartimin::at(loadings, &next) {
                Ok(reached) if reached.value < here.value - 0.5 * length * length * step => {
                    (t, here) = (next, reached);
                    break;
                }
                // The fall that is asked for drowns in rounding: this is the minimum.
                Ok(reached) if step * length < 1e-12 => {
                    (t, here) = (next, reached);
                    break;
                }
                _ => step *= 0.5,
            }
        }
    }
    Err(FactorsError::NoConvergence { cycles: CYCLES_MAX, last_change: length })
}

/// The criterion Σ over pairs of factors of Σ l² l′², a quarter of it counted twice, and its
/// gradient in T.
struct Quartimin {
    loadings: Matrix,
    value: f64,
    gradient: Matrix,
}

impl Quartimin {
    fn at(plain: &Matrix, t: &Matrix) -> Result<Self, FactorsError> {
        let (p, k) = (plain.n_rows(), plain.n_columns());
        let inverse = inverted(t)?;
        let loadings = plain.times(&transposed(&inverse));
        let mut value = 0.0;
        let slope = Matrix::from_fn(p, k, |i, j| {
            let row = loadings.row(i);
            let others: f64 = row.iter().map(|l| l * l).sum::<f64>() - row[j] * row[j];
            value += 0.25 * row[j] * row[j] * others;
            row[j] * others
        });
        // ∂f/∂T = −(Lᵀ ∂f/∂L T⁻¹)ᵀ.
        let gradient = transposed(&transposed(&loadings).times(&slope).times(&inverse));
        let gradient = Matrix::from_fn(k, k, |i, j| -gradient.at(i, j));
        Ok(Self { loadings, value, gradient })
    }

    /// The gradient less its part along the columns of T.
    fn projected(&self, t: &Matrix) -> Matrix {
        let k = t.n_rows();
        let along = |j: usize| -> f64 { (0..k).map(|i| t.at(i, j) * self.gradient.at(i, j)).sum() };
        let along: Vec<f64> = (0..k).map(along).collect();
        Matrix::from_fn(k, k, |i, j| self.gradient.at(i, j) - t.at(i, j) * along[j])
    }
}

/// Factors by falling sum of squares, each summing above 0.
fn ordered(turned: &Rotated) -> Rotated {
    let (l, phi) = (&turned.loadings, &turned.factor_correlations);
    let (p, k) = (l.n_rows(), l.n_columns());
    let column = |j: usize| (0..p).map(move |i| l.at(i, j));
    let squares: Vec<f64> = (0..k).map(|j| column(j).map(|l| l * l).sum()).collect();
    let sign: Vec<f64> =
        (0..k).map(|j| if column(j).sum::<f64>() < 0.0 { -1.0 } else { 1.0 }).collect();
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&a, &b| squares[b].total_cmp(&squares[a]));
    Rotated {
        loadings: Matrix::from_fn(p, k, |i, j| sign[order[j]] * l.at(i, order[j])),
        factor_correlations: Matrix::from_fn(k, k, |a, b| {
            sign[order[a]] * sign[order[b]] * phi.at(order[a], order[b])
        }),
    }
}

fn transposed(matrix: &Matrix) -> Matrix {
    Matrix::from_fn(matrix.n_columns(), matrix.n_rows(), |i, j| matrix.at(j, i))
}

fn unit_columns(matrix: &Matrix) -> Matrix {
    let (n, k) = (matrix.n_rows(), matrix.n_columns());
    let length = |j: usize| libm::sqrt((0..n).map(|i| matrix.at(i, j).powi(2)).sum::<f64>());
    let lengths: Vec<f64> = (0..k).map(length).collect();
    Matrix::from_fn(n, k, |i, j| matrix.at(i, j) / lengths[j])
}

/// T⁻¹ = (TᵀT)⁻¹Tᵀ; the factors' correlations are never nearly singular at a solution.
fn inverted(t: &Matrix) -> Result<Matrix, FactorsError> {
    let turned = transposed(t);
    let chol = turned.times(t).cholesky().map_err(|factor| FactorsError::Collapsed { factor })?;
    Ok(chol.inverse().times(&turned))
}
