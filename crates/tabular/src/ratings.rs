//! Ratings from Parquet: decimal numbers, where answers are whole ones.

use std::fs::File;
use std::path::Path;

use parquet::file::reader::FileReader as _;

use super::faults::{Faults, short};
use super::layout::{Layout, Role, Roles};
use super::parquet_in::{Column, broken, opened};
use super::{Progress, Wanted};

/// Ratings, NaN where there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratings {
    /// Names of the items, in the order of the columns.
    pub items: Vec<String>,
    /// One item after the other.
    pub values: Vec<f64>,
    /// Rows.
    pub n_rows: usize,
    /// The group of each row as it is written; empty without a group column.
    pub groups: Vec<String>,
}

/// Reads a Parquet file of ratings: whole or decimal numbers, truth values or numbers as text.
///
/// # Errors
/// The first ten faults, each a sentence with row and column, and how many more there are.
pub fn parquet_ratings(
    path: &Path,
    roles: &Roles,
    tell: &mut dyn FnMut(Progress),
) -> Result<Ratings, Vec<String>> {
    let file = File::open(path).map_err(|e| vec![format!("it cannot be opened: {e}")])?;
    let wanted = Wanted { roles, answers: None, range: None, threads: 1 };
    let (file, layout) = opened(file, &wanted)?;
    let n_persons = file.metadata().file_metadata().num_rows().max(0) as u64;
    let mut columns = vec![Vec::new(); layout.items.len()];
    let (mut groups, mut faults, mut n_read) = (Vec::new(), Faults::default(), 0_u64);
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group).map_err(|e| broken(&e))?;
        let n_rows = group.metadata().num_rows().max(0) as usize;
        for (at, &(ref name, role)) in layout.columns.iter().enumerate() {
            if !matches!(role, Role::Item(_) | Role::Group) {
                continue;
            }
            let cells = Column::open(&*group, at, role)?.cells(n_rows)?;
            let mut refuse = |row: usize, cell: &str, what: &str| {
                let row = n_read + row as u64 + 1;
                faults.add((row, at), || {
                    format!("row {row}, column {name}: “{}”: {what}", short(cell))
                });
            };
            match role {
                Role::Item(item) => {
                    columns[item].extend(cells.iter().enumerate().map(|(row, cell)| {
                        rating(cell).unwrap_or_else(|| {
                            refuse(row, cell, "a rating is a number; leave a missing one empty");
                            f64::NAN
                        })
                    }));
                }
                _ => {
                    for (row, cell) in cells.iter().enumerate().filter(|(_, cell)| cell.is_empty())
                    {
                        refuse(row, cell, "every rating needs a group");
                    }
                    groups.extend(cells);
                }
            }
        }
        n_read += n_rows as u64;
        tell(Progress::Persons(n_read, n_persons));
    }
    if faults.any() {
        return Err(faults.into_words());
    }
    if n_read == 0 {
        return Err(vec![String::from("there is no row: no ratings")]);
    }
    let Layout { items, .. } = layout;
    Ok(Ratings { items, values: columns.concat(), n_rows: n_read as usize, groups })
}

/// The number of a cell; NaN where it is empty.
fn rating(cell: &str) -> Option<f64> {
    if cell.is_empty() {
        return Some(f64::NAN);
    }
    cell.parse::<f64>().ok().filter(|value| value.is_finite())
}
