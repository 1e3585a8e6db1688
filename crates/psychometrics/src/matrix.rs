//! A small dense matrix of numbers, as this crate returns loadings and correlations.

/// Numbers in rows and columns, row after row.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    n_rows: usize,
    n_columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// A matrix whose entry in row i and column j is `entry(i, j)`.
    #[must_use]
    pub fn from_fn(
        n_rows: usize,
        n_columns: usize,
        mut entry: impl FnMut(usize, usize) -> f64,
    ) -> Self {
        let mut values = Vec::with_capacity(n_rows * n_columns);
        for row in 0..n_rows {
            values.extend((0..n_columns).map(|column| entry(row, column)));
        }
        Self { n_rows, n_columns, values }
    }

    /// Rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Columns.
    #[must_use]
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// The entry in a row and column, both from 0.
    ///
    /// # Panics
    /// If the place is outside the matrix.
    #[must_use]
    pub fn at(&self, row: usize, column: usize) -> f64 {
        assert!(column < self.n_columns, "column {column} of {}", self.n_columns);
        self.values[row * self.n_columns + column]
    }

    /// One row.
    ///
    /// # Panics
    /// If `row` is not below [`Matrix::n_rows`].
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.n_columns..(row + 1) * self.n_columns]
    }

    /// All numbers, row after row.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    pub(crate) fn zeros(n_rows: usize, n_columns: usize) -> Self {
        Self { n_rows, n_columns, values: vec![0.0; n_rows * n_columns] }
    }

    pub(crate) fn identity(n: usize) -> Self {
        Self::from_fn(n, n, |i, j| f64::from(u8::from(i == j)))
    }

    pub(crate) fn set(&mut self, row: usize, column: usize, value: f64) {
        self.values[row * self.n_columns + column] = value;
    }

    pub(crate) fn add(&mut self, row: usize, column: usize, value: f64) {
        self.values[row * self.n_columns + column] += value;
    }

    pub(crate) fn diagonal(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.n_rows).map(|i| self.at(i, i))
    }

    pub(crate) fn sum(&self) -> f64 {
        self.values.iter().sum()
    }

    pub(crate) fn times(&self, other: &Self) -> Self {
        debug_assert_eq!(self.n_columns, other.n_rows, "inner sizes");
        let mut product = Self::zeros(self.n_rows, other.n_columns);
        for i in 0..self.n_rows {
            for k in 0..self.n_columns {
                let factor = self.at(i, k);
                let target = &mut product.values[i * other.n_columns..(i + 1) * other.n_columns];
                for (sum, value) in target.iter_mut().zip(other.row(k)) {
                    *sum += factor * value;
                }
            }
        }
        product
    }

    /// The lower factor L of a positive definite matrix, A = LLᵀ; or the position of the first
    /// pivot that is not positive beyond rounding.
    pub(crate) fn cholesky(&self) -> Result<Cholesky, usize> {
        let n = self.n_rows;
        let mut lower = Self::zeros(n, n);
        for j in 0..n {
            let dot = |lower: &Self, i: usize| -> f64 {
                (0..j).map(|k| lower.at(i, k) * lower.at(j, k)).sum()
            };
            let pivot = self.at(j, j) - dot(&lower, j);
            if pivot.is_nan() || pivot <= 1e-13 * self.at(j, j).abs() {
                return Err(j);
            }
            let root = libm::sqrt(pivot);
            lower.set(j, j, root);
            for i in j + 1..n {
                let value = (self.at(i, j) - dot(&lower, i)) / root;
                lower.set(i, j, value);
            }
        }
        Ok(Cholesky { lower })
    }
}

/// The lower triangular factor of a positive definite matrix.
pub(crate) struct Cholesky {
    lower: Matrix,
}

impl Cholesky {
    pub(crate) fn ln_determinant(&self) -> f64 {
        2.0 * self.lower.diagonal().map(libm::log).sum::<f64>()
    }

    pub(crate) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let n = self.lower.n_rows;
        let mut x = right.to_vec();
        for i in 0..n {
            let sum: f64 = (0..i).map(|k| self.lower.at(i, k) * x[k]).sum();
            x[i] = (x[i] - sum) / self.lower.at(i, i);
        }
        for i in (0..n).rev() {
            let sum: f64 = (i + 1..n).map(|k| self.lower.at(k, i) * x[k]).sum();
            x[i] = (x[i] - sum) / self.lower.at(i, i);
        }
        x
    }

    pub(crate) fn inverse(&self) -> Matrix {
        let n = self.lower.n_rows;
        let mut inverse = Matrix::zeros(n, n);
        let mut unit = vec![0.0; n];
        for j in 0..n {
            unit[j] = 1.0;
            for (i, value) in self.solve(&unit).into_iter().enumerate() {
                inverse.set(i, j, value);
            }
            unit[j] = 0.0;
        }
        inverse
    }
}
