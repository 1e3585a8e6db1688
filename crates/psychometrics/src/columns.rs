//! Tables of numbers with gaps, and the grouping of their rows.
//!
//! Everything in this crate that works on raw answers, ratings or measurements takes a
//! [`Columns`]: a borrowed, column-major table in which [`f64::NAN`] means *missing*. Persons are
//! rows, items (or judges, or variables) are columns.

/// A table could not be taken as it was given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnsError {
    /// The slice does not hold `n_rows` × `n_columns` numbers.
    #[error("{n_values} values cannot fill {n_columns} columns of {n_rows} rows")]
    WrongLength {
        /// Numbers given.
        n_values: usize,
        /// Rows asked for.
        n_rows: usize,
        /// Columns asked for.
        n_columns: usize,
    },
    /// A table needs at least one row and one column.
    #[error("a table of {n_rows} rows and {n_columns} columns holds nothing")]
    Empty {
        /// Rows asked for.
        n_rows: usize,
        /// Columns asked for.
        n_columns: usize,
    },
    /// An infinite number: neither an answer nor missing.
    #[error("row {row}, column {column}: {value} is not a number a person can give")]
    Infinite {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// What stood there.
        value: f64,
    },
}

/// A borrowed table, column after column, NaN = missing.
///
/// ```
/// use psychometrics::columns::Columns;
///
/// let answers = [4.0, 5.0, f64::NAN, 3.0, 3.0, 1.0];
/// let table = Columns::new(&answers, 3, 2)?;
/// assert_eq!(table.column(1), [3.0, 3.0, 1.0]);
/// assert!(table.at(2, 0).is_nan());
/// assert_eq!(table.complete_rows(), [0, 1]);
/// # Ok::<(), psychometrics::columns::ColumnsError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    values: &'a [f64],
    n_rows: usize,
    n_columns: usize,
}

impl<'a> Columns<'a> {
    /// Takes `values` as `n_columns` columns of `n_rows` numbers each.
    ///
    /// # Errors
    /// When the length does not fit, nothing is there, or a value is infinite.
    pub fn new(values: &'a [f64], n_rows: usize, n_columns: usize) -> Result<Self, ColumnsError> {
        if n_rows == 0 || n_columns == 0 {
            return Err(ColumnsError::Empty { n_rows, n_columns });
        }
        if n_rows.checked_mul(n_columns) != Some(values.len()) {
            return Err(ColumnsError::WrongLength { n_values: values.len(), n_rows, n_columns });
        }
        if let Some(place) = values.iter().position(|value| value.is_infinite()) {
            let (row, column) = (place % n_rows, place / n_rows);
            return Err(ColumnsError::Infinite { row, column, value: values[place] });
        }
        Ok(Self { values, n_rows, n_columns })
    }

    /// Rows (persons, or ratings).
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Columns (items, judges, variables).
    #[must_use]
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// One column, NaN where missing.
    ///
    /// # Panics
    /// If `column` is not below [`Columns::n_columns`].
    #[must_use]
    pub fn column(&self, column: usize) -> &'a [f64] {
        &self.values[column * self.n_rows..(column + 1) * self.n_rows]
    }

    /// The number at a place, NaN where missing.
    ///
    /// # Panics
    /// If the place is outside the table.
    #[must_use]
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.column(column)[row]
    }

    /// The rows without a gap, ascending.
    #[must_use]
    pub fn complete_rows(&self) -> Vec<usize> {
        (0..self.n_rows).filter(|&row| self.row(row).all(|value| !value.is_nan())).collect()
    }

    /// The first gap, if any, as (row, column).
    #[must_use]
    pub fn first_gap(&self) -> Option<(usize, usize)> {
        let place = self.values.iter().position(|value| value.is_nan())?;
        Some((place % self.n_rows, place / self.n_rows))
    }

    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = f64> + '_ {
        (0..self.n_columns).map(move |column| self.at(row, column))
    }

    /// The named rows, copied column by column.
    pub(crate) fn rows_copied(&self, rows: &[usize]) -> Vec<f64> {
        let mut copy = Vec::with_capacity(rows.len() * self.n_columns);
        for column in 0..self.n_columns {
            let values = self.column(column);
            copy.extend(rows.iter().map(|&row| values[row]));
        }
        copy
    }
}

/// Which rows belong together: raters of one person, members of one team.
///
/// ```
/// use psychometrics::columns::Groups;
///
/// let groups = Groups::new(&[7, 3, 7]);
/// assert_eq!(groups.codes(), [3, 7]);
/// assert_eq!(groups.rows(1), [0, 2]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    codes: Vec<u32>,
    starts: Vec<usize>,
    rows: Vec<usize>,
}

impl Groups {
    /// Groups rows by their code; any codes will do, and groups stand in ascending order of code.
    #[must_use]
    pub fn new(code_of_row: &[u32]) -> Self {
        let mut rows: Vec<usize> = (0..code_of_row.len()).collect();
        rows.sort_by_key(|&row| code_of_row[row]);
        let (mut codes, mut starts) = (Vec::new(), Vec::new());
        for (place, &row) in rows.iter().enumerate() {
            if codes.last() != Some(&code_of_row[row]) {
                codes.push(code_of_row[row]);
                starts.push(place);
            }
        }
        starts.push(rows.len());
        Self { codes, starts, rows }
    }

    /// The codes met, ascending.
    #[must_use]
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// How many groups there are.
    #[must_use]
    pub fn n_groups(&self) -> usize {
        self.codes.len()
    }

    /// Rows over all groups.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// The rows of the group at position `group` of [`Groups::codes`], ascending.
    ///
    /// # Panics
    /// If `group` is not below [`Groups::n_groups`].
    #[must_use]
    pub fn rows(&self, group: usize) -> &[usize] {
        &self.rows[self.starts[group]..self.starts[group + 1]]
    }
}
