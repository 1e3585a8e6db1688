//! Confirmatory factor models in which every item belongs to one factor.

use std::f64::consts::PI;

use super::FactorsError;
use crate::columns::Columns;
use crate::distributions::chi_squared_upper;
use crate::matrix::{Cholesky, Matrix};

/// Most scoring steps.
const CYCLES_MAX: u32 = 500;
/// So many are enough for almost any scale.
const CYCLES_USUAL: u32 = 100;
/// Largest change of a parameter, in standard deviations of its item, that counts as settled.
const CHANGE_MAX: f64 = 1e-10;
/// Largest decrement (score times step, per person: twice what the discrepancy can still fall) that
/// counts as settled where rounding keeps the steps themselves from shrinking further.
const DECREMENT_MAX: f64 = 1e-14;

/// A fitted model: Σ = ΛΦΛᵀ + Θ with factor variances 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmatory {
    /// Complete cases.
    pub n: usize,
    /// The factor of each item.
    pub factor_of: Vec<usize>,
    /// Loading of each item on its factor, in answer units.
    pub loadings: Vec<f64>,
    /// Their standard errors, from expected information.
    pub loadings_se: Vec<f64>,
    /// Residual variance of each item.
    pub residuals: Vec<f64>,
    /// Their standard errors.
    pub residuals_se: Vec<f64>,
    /// Loadings in units of each item's model standard deviation.
    pub standardised_loadings: Vec<f64>,
    /// Correlations of the factors.
    pub factor_correlations: Matrix,
    /// Items whose residual variance came out negative (Heywood cases): the model is then not
    /// to be believed as it stands.
    pub improper_items: Vec<usize>,
    /// How well the model reproduces the covariances.
    pub fit: Fit,
    /// Scoring steps taken.
    pub cycles: u32,
    parameter_covariance: Matrix,
}

/// Fit of a factor model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// n times the discrepancy.
    pub chi_squared: f64,
    /// Degrees of freedom.
    pub df: u32,
    /// P(χ² or larger) if the model holds; `None` without degrees of freedom.
    pub p: Option<f64>,
    /// Comparative fit index.
    pub cfi: f64,
    /// Tucker-Lewis index; `None` without degrees of freedom.
    pub tli: Option<f64>,
    /// Root mean square error of approximation; `None` without degrees of freedom.
    pub rmsea: Option<f64>,
    /// Standardised root mean square residual, diagonal included.
    pub srmr: f64,
    /// Normal log-likelihood, means free.
    pub log_likelihood: f64,
}

/// Maximum likelihood factor model of the complete cases; `factor_of` gives each item's factor,
/// 0, 1, 2 … without gaps, one number for a one-factor model.
///
/// Covariances with denominator n, Fisher scoring to 1e-10. Signs: each factor points the way of
/// its first item.
/// Accuracy: loadings, standard errors and fit within 1e-5 of R `lavaan` 0.6-14 with
/// `std.lv = TRUE` (`golden_classical`, `reference_classical`).
///
/// # Errors
/// No more complete persons than items, an item without variance of its own, a factor with too
/// few items, no convergence.
/// # References
/// Jöreskog 1969, *Psychometrika* 34, 183–202, doi:10.1007/BF02289343; Rosseel 2012, *Journal of
/// Statistical Software* 48(2), doi:10.18637/jss.v048.i02.
pub fn confirmatory(items: Columns<'_>, factor_of: &[usize]) -> Result<Confirmatory, FactorsError> {
    let rows = items.complete_rows();
    let (n, n_items) = (rows.len(), items.n_columns());
    if n <= n_items {
        return Err(FactorsError::TooFewPersons { n_persons: n, n_items });
    }
    let mut values = items.rows_copied(&rows);
    for column in values.chunks_exact_mut(n) {
        let mean = column.iter().sum::<f64>() / n as f64;
        column.iter_mut().for_each(|value| *value -= mean);
    }
    let column = |j: usize| &values[j * n..(j + 1) * n];
    let covariance = Matrix::from_fn(n_items, n_items, |i, j| {
        column(i).iter().zip(column(j)).map(|(a, b)| a * b).sum::<f64>() / n as f64
    });
    confirmatory_of(&covariance, n, factor_of)
}

/// The same from a covariance matrix with denominator n (or a correlation matrix) of `n` persons.
///
/// # Errors
/// As [`confirmatory`], and a matrix of the wrong size.
pub fn confirmatory_of(
    covariance: &Matrix,
    n: usize,
    factor_of: &[usize],
) -> Result<Confirmatory, FactorsError> {
    let model = Model::checked(covariance, n, factor_of)?;
    let mut x = model.start();
    let mut cycles = 0;
    let mut discrepancy = model.discrepancy(&x).unwrap_or(f64::INFINITY);
    loop {
        cycles += 1;
        let (information, score) = model.derivatives(&x)?;
        let step = information.solve(&score);
        let last_change = model.largest(&step);
        let (next, reached) = model.stepped(&x, &step, discrepancy);
        x = next;
        discrepancy = reached;
        // Expected information is slow where residuals are large, and rounding hides small gains.
        let decrement: f64 = dot(&score, &step);
        if last_change < CHANGE_MAX || (cycles > CYCLES_USUAL && decrement < DECREMENT_MAX) {
            model.turn_to_the_first(&mut x);
            let (information, _) = model.derivatives(&x)?;
            return Ok(model.result(&x, discrepancy, &information, cycles));
        }
        if cycles == CYCLES_MAX {
            return Err(FactorsError::NoConvergence { cycles, last_change });
        }
    }
}

impl Confirmatory {
    /// Omega of one factor's items, (Σλ)²/((Σλ)² + Σθ), and its standard error by the delta
    /// method.
    #[must_use]
    pub fn omega(&self, factor: usize) -> (f64, f64) {
        let members: Vec<usize> =
            (0..self.loadings.len()).filter(|&item| self.factor_of[item] == factor).collect();
        let l: f64 = members.iter().map(|&item| self.loadings[item]).sum();
        let e: f64 = members.iter().map(|&item| self.residuals[item]).sum();
        let total = l * l + e;
        let p = self.loadings.len();
        let mut gradient = vec![0.0; self.parameter_covariance.n_rows()];
        for &item in &members {
            gradient[item] = 2.0 * l * e / (total * total);
            gradient[p + item] = -l * l / (total * total);
        }
        let mut variance = 0.0;
        for (i, a) in gradient.iter().enumerate() {
            for (b, c) in gradient.iter().zip(self.parameter_covariance.row(i)) {
                variance += a * b * c;
            }
        }
        (l * l / total, libm::sqrt(variance))
    }
}

/// Parameters stand in one vector: loadings, residual variances, factor correlations (by pairs).
struct Model<'a> {
    covariance: &'a Matrix,
    ln_determinant: f64,
    n: usize,
    factor_of: &'a [usize],
    n_factors: usize,
}

impl<'a> Model<'a> {
    fn checked(
        covariance: &'a Matrix,
        n: usize,
        factor_of: &'a [usize],
    ) -> Result<Self, FactorsError> {
        let n_items = factor_of.len();
        let (n_rows, n_columns) = (covariance.n_rows(), covariance.n_columns());
        if n_rows != n_items || n_columns != n_items {
            return Err(FactorsError::WrongSize { n_rows, n_columns, n_items });
        }
        let n_factors = factor_of.iter().max().map_or(0, |last| last + 1);
        // One factor needs three items; several lend each other information if each has two.
        let fewest = if n_factors == 1 { 3 } else { 2 };
        for factor in 0..n_factors {
            let n_items = factor_of.iter().filter(|&&other| other == factor).count();
            if n_items < fewest {
                return Err(FactorsError::ThinFactor { factor, n_items });
            }
        }
        if n_factors == 0 {
            return Err(FactorsError::NotIdentified { n_items, n_factors });
        }
        let chol = covariance.cholesky().map_err(|item| FactorsError::Singular { item })?;
        let ln_determinant = chol.ln_determinant();
        Ok(Self { covariance, ln_determinant, n, factor_of, n_factors })
    }

    fn n_items(&self) -> usize {
        self.factor_of.len()
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let k = self.n_factors;
        (0..k).flat_map(move |a| (a + 1..k).map(move |b| (a, b)))
    }

    /// From each item's covariance with the sum of its factor's items.
    fn start(&self) -> Vec<f64> {
        let s = self.covariance;
        let p = self.n_items();
        let sums = |i: usize, factor: usize| -> f64 {
            let members = (0..p).filter(|&j| self.factor_of[j] == factor);
            members.map(|j| s.at(i, j)).sum()
        };
        let between = |a: usize, b: usize| -> f64 {
            (0..p).filter(|&i| self.factor_of[i] == a).map(|i| sums(i, b)).sum()
        };
        let mut x = vec![0.0; 2 * p];
        for i in 0..p {
            let own = self.factor_of[i];
            let sd = libm::sqrt(s.at(i, i));
            let r = sums(i, own) / (sd * libm::sqrt(between(own, own).max(f64::MIN_POSITIVE)));
            let r = if r.is_finite() { r.clamp(-0.85, 0.85) } else { 0.5 };
            x[i] = r * sd;
            x[p + i] = s.at(i, i) * (1.0 - r * r);
        }
        for (a, b) in self.pairs() {
            let r = between(a, b) / libm::sqrt((between(a, a) * between(b, b)).abs());
            x.push(if r.is_finite() { r.clamp(-0.8, 0.8) } else { 0.0 });
        }
        x
    }

    fn correlations(&self, x: &[f64]) -> Matrix {
        let mut phi = Matrix::identity(self.n_factors);
        for ((a, b), &r) in self.pairs().zip(&x[2 * self.n_items()..]) {
            phi.set(a, b, r);
            phi.set(b, a, r);
        }
        phi
    }

    fn implied(&self, x: &[f64]) -> Matrix {
        let (p, phi) = (self.n_items(), self.correlations(x));
        Matrix::from_fn(p, p, |i, j| {
            let common = x[i] * x[j] * phi.at(self.factor_of[i], self.factor_of[j]);
            if i == j { common + x[p + i] } else { common }
        })
    }

    /// ln|Σ| + tr(SΣ⁻¹) − ln|S| − p; `None` where Σ is not positive definite.
    fn discrepancy(&self, x: &[f64]) -> Option<f64> {
        let chol = self.implied(x).cholesky().ok()?;
        let inverse = chol.inverse();
        let trace: f64 =
            self.covariance.values().iter().zip(inverse.values()).map(|(a, b)| a * b).sum();
        Some(chol.ln_determinant() + trace - self.ln_determinant - self.n_items() as f64)
    }

    /// Expected information (factored) and score, both per person.
    ///
    /// Every derivative of Σ is u wᵀ + w uᵀ for two vectors, so both need only products with Σ⁻¹.
    fn derivatives(&self, x: &[f64]) -> Result<(Cholesky, Vec<f64>), FactorsError> {
        let p = self.n_items();
        let implied = self.implied(x);
        let weight = implied.cholesky().map_err(|item| FactorsError::Singular { item })?.inverse();
        let gap = Matrix::from_fn(p, p, |i, j| self.covariance.at(i, j) - implied.at(i, j));
        let residual = weight.times(&gap).times(&weight);
        let directions = self.directions(x);
        let through = |matrix: &Matrix, v: &[f64]| -> Vec<f64> {
            (0..p).map(|i| dot(matrix.row(i), v)).collect()
        };
        let score: Vec<f64> =
            directions.iter().map(|(u, w)| dot(u, &through(&residual, w))).collect();
        let weighted: Vec<(Vec<f64>, Vec<f64>)> =
            directions.iter().map(|(u, w)| (through(&weight, u), through(&weight, w))).collect();
        let q = directions.len();
        let information = Matrix::from_fn(q, q, |a, b| {
            let ((u, w), (wu, ww)) = (&directions[a], &weighted[b]);
            dot(u, wu) * dot(w, ww) + dot(u, ww) * dot(w, wu)
        });
        let chol = information
            .cholesky()
            .map_err(|_| FactorsError::NotIdentified { n_items: p, n_factors: self.n_factors })?;
        Ok((chol, score))
    }

    fn directions(&self, x: &[f64]) -> Vec<(Vec<f64>, Vec<f64>)> {
        let (p, phi) = (self.n_items(), self.correlations(x));
        let unit = |i: usize, size: f64| {
            let mut v = vec![0.0; p];
            v[i] = size;
            v
        };
        let loadings_on = |factor: usize| -> Vec<f64> {
            (0..p).map(|j| if self.factor_of[j] == factor { x[j] } else { 0.0 }).collect()
        };
        let mut directions = Vec::with_capacity(x.len());
        for i in 0..p {
            let shared = |j: usize| x[j] * phi.at(self.factor_of[j], self.factor_of[i]);
            directions.push((unit(i, 1.0), (0..p).map(shared).collect()));
        }
        directions.extend((0..p).map(|i| (unit(i, 1.0), unit(i, 0.5))));
        directions.extend(self.pairs().map(|(a, b)| (loadings_on(a), loadings_on(b))));
        directions
    }

    /// The step, halved until it lowers the discrepancy (or is too small to matter).
    fn stepped(&self, x: &[f64], step: &[f64], from: f64) -> (Vec<f64>, f64) {
        let mut share = 1.0;
        for _ in 0..40 {
            let next: Vec<f64> = x.iter().zip(step).map(|(x, d)| x + share * d).collect();
            if let Some(reached) = self.discrepancy(&next)
                && reached <= from + 1e-14 * from.abs().max(1.0)
            {
                return (next, reached);
            }
            share *= 0.5;
        }
        (x.to_vec(), from)
    }

    fn largest(&self, step: &[f64]) -> f64 {
        let p = self.n_items();
        let size = |place: usize| match place {
            i if i < p => libm::sqrt(self.covariance.at(i, i)),
            i if i < 2 * p => self.covariance.at(i - p, i - p),
            _ => 1.0,
        };
        step.iter().enumerate().map(|(i, d)| (d / size(i)).abs()).fold(0.0, f64::max)
    }

    fn result(&self, x: &[f64], discrepancy: f64, info: &Cholesky, cycles: u32) -> Confirmatory {
        let p = self.n_items();
        let inverse = info.inverse();
        let q = x.len();
        let parameter_covariance = Matrix::from_fn(q, q, |i, j| inverse.at(i, j) / self.n as f64);
        let se: Vec<f64> = parameter_covariance.diagonal().map(libm::sqrt).collect();
        let sd = |i: usize| libm::sqrt(x[i] * x[i] + x[p + i]);
        Confirmatory {
            n: self.n,
            factor_of: self.factor_of.to_vec(),
            loadings: x[..p].to_vec(),
            loadings_se: se[..p].to_vec(),
            residuals: x[p..2 * p].to_vec(),
            residuals_se: se[p..2 * p].to_vec(),
            standardised_loadings: (0..p).map(|i| x[i] / sd(i)).collect(),
            factor_correlations: self.correlations(x),
            improper_items: (0..p).filter(|&i| x[p + i] < 0.0).collect(),
            fit: self.fit(x, discrepancy),
            cycles,
            parameter_covariance,
        }
    }

    /// A factor and its mirror image fit equally: the one in which its first item loads above 0 is
    /// kept, as R `lavaan` does, whose search starts from there.
    fn turn_to_the_first(&self, x: &mut [f64]) {
        let p = self.n_items();
        for factor in 0..self.n_factors {
            let members = || (0..p).filter(|&i| self.factor_of[i] == factor);
            if members().next().is_none_or(|first| x[first] >= 0.0) {
                continue;
            }
            members().for_each(|i| x[i] = -x[i]);
            for ((a, b), r) in self.pairs().zip(&mut x[2 * p..]) {
                if a == factor || b == factor {
                    *r = -*r;
                }
            }
        }
    }

    fn fit(&self, x: &[f64], discrepancy: f64) -> Fit {
        let p = self.n_items();
        let (s, implied) = (self.covariance, self.implied(x));
        let n = self.n as f64;
        let moments = p * (p + 1) / 2;
        let df = moments - x.len();
        let chi_squared = n * discrepancy.max(0.0);
        let alone: f64 = s.diagonal().map(libm::log).sum::<f64>() - self.ln_determinant;
        let (base, base_df) = (n * alone, (p * (p - 1) / 2) as f64);
        let excess = (chi_squared - df as f64).max(0.0);
        let base_excess = (base - base_df).max(excess);
        let mut squares = 0.0;
        for i in 0..p {
            for j in 0..=i {
                let gap = (s.at(i, j) - implied.at(i, j)) / libm::sqrt(s.at(i, i) * s.at(j, j));
                squares += gap * gap;
            }
        }
        let free = (df > 0).then_some(df as f64);
        let constant = p as f64 * (libm::log(2.0 * PI) + 1.0);
        Fit {
            chi_squared,
            df: df as u32,
            p: free.map(|df| chi_squared_upper(chi_squared, df)),
            cfi: if base_excess > 0.0 { 1.0 - excess / base_excess } else { 1.0 },
            tli: free.map(|df| (base / base_df - chi_squared / df) / (base / base_df - 1.0)),
            rmsea: free.map(|df| libm::sqrt(excess / (n * df))),
            srmr: libm::sqrt(squares / moments as f64),
            log_likelihood: -0.5 * n * (constant + self.ln_determinant + discrepancy),
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
