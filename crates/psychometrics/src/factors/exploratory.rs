//! Exploratory factors by least squares of the correlations.

use super::rotation::{Rotated, Rotation, rotated};
use super::{FactorsError, complete_correlations};
use crate::columns::Columns;
use crate::distributions::chi_squared_upper;
use crate::matrix::{Matrix, symmetric_eigen};

/// Most Newton steps; ten are usual.
const CYCLES_MAX: u32 = 500;
/// Largest gradient that counts as settled.
const GRADIENT_MAX: f64 = 1e-10;
/// No item is explained beyond this: a uniqueness is never smaller.
const UNIQUENESS_MIN: f64 = 0.005;

/// Factors of a correlation matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Exploratory {
    /// Complete cases.
    pub n: usize,
    /// Pattern loadings after rotation, items by factors. Factors stand in falling order of their
    /// sum of squared loadings, each turned so that its loadings sum above 0.
    pub loadings: Matrix,
    /// Correlations of the factors; the identity unless the rotation is oblique.
    pub factor_correlations: Matrix,
    /// Share of each item's variance that the factors explain.
    pub communalities: Vec<f64>,
    /// Eigenvalues of the correlations with the communalities in the diagonal, descending.
    pub eigenvalues: Vec<f64>,
    /// Root mean square of the residual correlations off the diagonal.
    pub residual: f64,
    /// Maximum likelihood discrepancy ln|Σ| + tr(RΣ⁻¹) − ln|R| − p at this solution.
    pub discrepancy: f64,
    /// Bartlett's corrected statistic n′ × discrepancy.
    pub chi_squared: f64,
    /// Degrees of freedom.
    pub df: u32,
    /// P(χ² or larger) if so many factors suffice; `None` without degrees of freedom.
    pub p: Option<f64>,
    /// Root mean square error of approximation; `None` without degrees of freedom.
    pub rmsea: Option<f64>,
    /// Tucker-Lewis index, without Bartlett's term for the factors as in `psych`; `None` without
    /// degrees of freedom.
    pub tli: Option<f64>,
    /// Items whose uniqueness came to rest on its lower bound of 0.005 (Heywood cases): the
    /// solution is then not to be believed as it stands.
    pub improper_items: Vec<usize>,
    /// Newton steps taken.
    pub cycles: u32,
}

/// Exploratory factors of the complete cases by minimum residuals (unweighted least squares).
///
/// Minimises the squared residual correlations off the diagonal over uniquenesses ψ ≥ 0.005:
/// with R − Ψ = VΛVᵀ that is ½ Σ λ² of the eigenvalues after the first `n_factors`, solved by
/// Newton's method with the exact Hessian to a gradient of 1e-10; then rotated.
/// Cost: O(items³) a step. Accuracy: loadings, factor correlations and communalities within 1e-5
/// of R `psych` 2.2.9 `fa(fm = "minres")` (`golden_classical`, `reference_classical`), whose
/// optimiser stops there.
///
/// # Errors
/// Too few complete persons, an item without variance of its own, more factors than the items
/// can identify, no convergence.
/// # References
/// Harman & Jones 1966, *Psychometrika* 31, 351–368, doi:10.1007/BF02289468; Jöreskog 1977, in
/// Enslein, Ralston & Wilf (eds), *Statistical Methods for Digital Computers*, 125–153.
pub fn exploratory(
    items: Columns<'_>,
    n_factors: usize,
    rotation: Rotation,
) -> Result<Exploratory, FactorsError> {
    let (correlations, n) = complete_correlations(items)?;
    exploratory_of(&correlations, n, n_factors, rotation)
}

/// The same from a correlation matrix of `n` persons.
///
/// # Errors
/// As [`exploratory`], and a matrix that is not square or not symmetric.
pub fn exploratory_of(
    correlations: &Matrix,
    n: usize,
    n_factors: usize,
    rotation: Rotation,
) -> Result<Exploratory, FactorsError> {
    let p = correlations.n_rows();
    let (n_rows, n_columns) = (p, correlations.n_columns());
    if n_rows != n_columns {
        return Err(FactorsError::WrongSize { n_rows, n_columns, n_items: p });
    }
    let df = degrees_of_freedom(p, n_factors)
        .ok_or(FactorsError::NotIdentified { n_items: p, n_factors })?;
    let ln_determinant =
        correlations.cholesky().map_err(|item| FactorsError::Singular { item })?.ln_determinant();
    let minimum = minimum_residuals(correlations, n_factors)?;
    let Rotated { loadings, factor_correlations } = rotated(&minimum.loadings, rotation)?;
    let discrepancy = discrepancy(correlations, &minimum, ln_determinant)?;
    let fit = Fit::of(n as f64, p as f64, n_factors as f64, df, discrepancy, ln_determinant);
    Ok(Exploratory {
        n,
        loadings,
        factor_correlations,
        residual: residual(correlations, &minimum.loadings),
        discrepancy,
        chi_squared: fit.chi_squared,
        df,
        p: fit.p,
        rmsea: fit.rmsea,
        tli: fit.tli,
        improper_items: (0..p).filter(|&i| minimum.uniqueness[i] <= UNIQUENESS_MIN).collect(),
        communalities: minimum.uniqueness.iter().map(|u| 1.0 - u).collect(),
        eigenvalues: minimum.eigenvalues,
        cycles: minimum.cycles,
    })
}

/// Unrotated minimum of the residuals.
pub(super) struct MinimumResiduals {
    pub loadings: Matrix,
    pub uniqueness: Vec<f64>,
    pub eigenvalues: Vec<f64>,
    pub cycles: u32,
}

/// Minimises over the uniquenesses; see [`exploratory`].
pub(super) fn minimum_residuals(
    correlations: &Matrix,
    n_factors: usize,
) -> Result<MinimumResiduals, FactorsError> {
    let p = correlations.n_rows();
    let mut psi = start(correlations, n_factors);
    let mut at = Reduced::at(correlations, &psi, n_factors)?;
    for cycles in 1..=CYCLES_MAX {
        let free: Vec<usize> =
            (0..p).filter(|&i| psi[i] > UNIQUENESS_MIN || at.gradient[i] < 0.0).collect();
        let steepest = free.iter().map(|&i| at.gradient[i].abs()).fold(0.0, f64::max);
        if steepest < GRADIENT_MAX {
            let loadings = Matrix::from_fn(p, n_factors, |i, j| {
                at.vectors.at(i, j) * libm::sqrt(at.values[j].max(0.0))
            });
            return Ok(MinimumResiduals {
                loadings,
                uniqueness: psi,
                eigenvalues: at.values,
                cycles,
            });
        }
        let step = at.newton_step(&free);
        let mut share = 1.0;
        loop {
            let mut next = psi.clone();
            for (&i, change) in free.iter().zip(&step) {
                next[i] = (next[i] - share * change).max(UNIQUENESS_MIN);
            }
            let reached = Reduced::at(correlations, &next, n_factors)?;
            // Near the minimum the loss no longer falls by anything that rounding can show.
            if reached.loss <= at.loss * (1.0 + 1e-13) + f64::MIN_POSITIVE || share < 1e-9 {
                (psi, at) = (next, reached);
                break;
            }
            share *= 0.5;
        }
    }
    let last_change = at.gradient.iter().fold(0.0_f64, |most, g| most.max(g.abs()));
    Err(FactorsError::NoConvergence { cycles: CYCLES_MAX, last_change })
}

/// From the squared multiple correlations, as Jöreskog starts.
fn start(correlations: &Matrix, n_factors: usize) -> Vec<f64> {
    let p = correlations.n_rows();
    let Ok(chol) = correlations.cholesky() else { return vec![0.5; p] };
    let share = 1.0 - 0.5 * n_factors as f64 / p as f64;
    chol.inverse().diagonal().map(|value| (share / value).max(UNIQUENESS_MIN)).collect()
}

/// R − Ψ taken apart, with the loss and its first derivatives in ψ.
struct Reduced {
    values: Vec<f64>,
    vectors: Matrix,
    n_factors: usize,
    loss: f64,
    gradient: Vec<f64>,
}

impl Reduced {
    fn at(correlations: &Matrix, psi: &[f64], n_factors: usize) -> Result<Self, FactorsError> {
        let p = psi.len();
        let reduced =
            Matrix::from_fn(p, p, |i, j| if i == j { 1.0 - psi[i] } else { correlations.at(i, j) });
        let eigen = symmetric_eigen(&reduced).map_err(FactorsError::Eigen)?;
        let rest = |m: usize| m >= n_factors || eigen.values[m] <= 0.0;
        let left_over = || (0..p).filter(|&m| rest(m));
        let loss = left_over().map(|m| 0.5 * eigen.values[m] * eigen.values[m]).sum();
        let gradient = (0..p)
            .map(|i| left_over().map(|m| -eigen.values[m] * eigen.vectors.at(i, m).powi(2)).sum())
            .collect();
        Ok(Self { values: eigen.values, vectors: eigen.vectors, n_factors, loss, gradient })
    }

    /// H⁻¹ times the gradient over the free uniquenesses.
    ///
    /// ∂²/∂ψᵢ∂ψⱼ = (Σ vᵢₘvⱼₘ)² + 2 ΣΣ λₘ/(λₘ − λₙ) vᵢₘvⱼₘvᵢₙvⱼₙ, m over what is left and n over
    /// the factors; the first part alone is positive and serves where the whole is not.
    fn newton_step(&self, free: &[usize]) -> Vec<f64> {
        let right: Vec<f64> = free.iter().map(|&i| self.gradient[i]).collect();
        for (whole, ridge) in [(true, 0.0), (false, 1e-9), (false, 1e-3)] {
            let hessian = Matrix::from_fn(free.len(), free.len(), |a, b| {
                let ridge = if a == b { ridge } else { 0.0 };
                self.curvature(free[a], free[b], whole) + ridge
            });
            if let Ok(chol) = hessian.cholesky() {
                return chol.solve(&right);
            }
        }
        right
    }

    fn curvature(&self, i: usize, j: usize, whole: bool) -> f64 {
        let p = self.values.len();
        let pair = |m: usize| self.vectors.at(i, m) * self.vectors.at(j, m);
        let left: f64 = (self.n_factors..p).map(pair).sum();
        let mut sum = left * left;
        if whole {
            for n in 0..self.n_factors {
                for m in self.n_factors..p {
                    let gap = self.values[m] - self.values[n];
                    sum += 2.0 * self.values[m] / gap * pair(m) * pair(n);
                }
            }
        }
        sum
    }
}

struct Fit {
    chi_squared: f64,
    p: Option<f64>,
    rmsea: Option<f64>,
    tli: Option<f64>,
}

impl Fit {
    /// With Bartlett's correction of n, as `psych` does.
    fn of(n: f64, p: f64, k: f64, df: u32, discrepancy: f64, ln_determinant: f64) -> Self {
        let corrected = n - 1.0 - (2.0 * p + 5.0) / 6.0 - 2.0 * k / 3.0;
        let chi_squared = corrected * discrepancy;
        if df == 0 {
            return Self { chi_squared, p: None, rmsea: None, tli: None };
        }
        let df = f64::from(df);
        let nothing = -ln_determinant * corrected / (0.5 * p * (p - 1.0));
        let squared = chi_squared / (df * n) - 1.0 / (n - 1.0);
        Self {
            chi_squared,
            p: Some(chi_squared_upper(chi_squared, df)),
            rmsea: Some(libm::sqrt(squared.max(0.0))),
            // Both models by the same multiple of their discrepancies.
            tli: Some((nothing - chi_squared / df) / (nothing - 1.0)),
        }
    }
}

/// ((p − k)² − p − k)/2, if there are so many items and factors and it is not negative.
fn degrees_of_freedom(p: usize, k: usize) -> Option<u32> {
    if k == 0 || k >= p {
        return None;
    }
    let df = ((p - k) * (p - k)).checked_sub(p + k)? / 2;
    u32::try_from(df).ok()
}

fn discrepancy(
    correlations: &Matrix,
    minimum: &MinimumResiduals,
    ln_determinant: f64,
) -> Result<f64, FactorsError> {
    let p = correlations.n_rows();
    let l = &minimum.loadings;
    let implied = Matrix::from_fn(p, p, |i, j| {
        let common: f64 = l.row(i).iter().zip(l.row(j)).map(|(a, b)| a * b).sum();
        if i == j { common + minimum.uniqueness[i] } else { common }
    });
    let chol = implied.cholesky().map_err(|item| FactorsError::Singular { item })?;
    let inverse = chol.inverse();
    let trace: f64 = inverse.values().iter().zip(correlations.values()).map(|(a, b)| a * b).sum();
    Ok(chol.ln_determinant() + trace - ln_determinant - p as f64)
}

fn residual(correlations: &Matrix, loadings: &Matrix) -> f64 {
    let p = correlations.n_rows();
    let mut squares = 0.0;
    for i in 0..p {
        for j in 0..i {
            let common: f64 = loadings.row(i).iter().zip(loadings.row(j)).map(|(a, b)| a * b).sum();
            squares += (correlations.at(i, j) - common).powi(2);
        }
    }
    libm::sqrt(squares / (0.5 * (p * (p - 1)) as f64))
}
