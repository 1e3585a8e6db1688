//! Answers of many persons from CSV and Parquet files of any size, and their scores into such
//! files.
//!
//! [`read()`] packs answers a byte each as they come, so that millions of persons never stand in
//! memory as text or numbers. A file's kind is told by its first bytes. Every fault is a sentence
//! with line (or row), column and value; ten are listed and the rest counted.
//! [`scores::ScoreFile`] writes scores part by part.
//!
//! A crate of its own because a reader of Parquet is much to compile: nothing but the program
//! itself waits for it.

mod collect;
mod csv;
mod faults;
mod layout;
mod parquet_in;
mod ratings;
pub mod scores;
#[cfg(test)]
mod tests;
mod texts;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use psychometrics::responses::Responses;

pub use faults::short;
pub use layout::Roles;
pub use ratings::{Ratings, parquet_ratings};
pub use texts::Texts;

/// What to read of a file.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Columns that are not items.
    pub roles: &'a Roles,
    /// The items wanted, in their order, with the answers each may have (any, if none is named);
    /// without, every column
    /// that has no other role is an item and may have any answers.
    pub answers: Option<&'a [(String, Vec<i32>)]>,
    /// Lowest and highest answer, where stated.
    pub range: Option<(i32, i32)>,
    /// Threads to use; what is read does not depend on it.
    pub threads: usize,
}

/// What a file holds.
#[derive(Debug)]
pub struct Table {
    /// Names of the items, in the order of the columns (or of [`Wanted::answers`]).
    pub items: Vec<String>,
    /// Everybody's answers.
    pub responses: Responses,
    /// One a person, if a column was named.
    pub ids: Option<Texts>,
    /// Names of the groups in order (numbers by size, else by letters), and each person's.
    pub groups: Option<(Vec<String>, Vec<u32>)>,
    /// One a person, if a column was named.
    pub weights: Option<Vec<f64>>,
}

/// How far a reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Bytes of the file read, and its size.
    Bytes(u64, u64),
    /// Persons read, and how many the file says it has.
    Persons(u64, u64),
}

/// Reads a file, telling now and then how far it is.
///
/// # Errors
/// The first ten faults, each a sentence with the file, line (in Parquet: row) and column, and how
/// many more there are.
pub fn read(
    path: &Path,
    wanted: &Wanted<'_>,
    tell: &mut dyn FnMut(Progress),
) -> Result<Table, Vec<String>> {
    let shown = path.display();
    let cannot = |e: std::io::Error| vec![format!("{shown} cannot be opened: {e}")];
    let mut file = File::open(path).map_err(cannot)?;
    let mut first = [0; 4];
    let mut n_first = 0;
    while n_first < first.len() {
        match file.read(&mut first[n_first..]).map_err(cannot)? {
            0 => break,
            n => n_first += n,
        }
    }
    let named = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"));
    let read = match foreign(&first[..n_first]) {
        Some(what) => Err(vec![what.to_owned()]),
        None if first == *b"PAR1" || (named && n_first > 0) => parquet_in::read(file, wanted, tell),
        None => csv::read(file, &first[..n_first], wanted, tell),
    };
    read.map_err(|faults| faults.iter().map(|fault| format!("{shown}: {fault}")).collect())
}

/// Kinds of file that are mistaken for a table of answers, by their first four bytes: what each is,
/// and what to do.
#[must_use]
pub fn foreign(first: &[u8]) -> Option<&'static str> {
    match first {
        [b'P', b'K', 3, 4, ..] => {
            Some("this is a spreadsheet or a zip archive; save the table as CSV (comma-separated)")
        }
        [0xD0, 0xCF, 0x11, 0xE0] => {
            Some("this is an old spreadsheet; save the table as CSV (comma-separated)")
        }
        [0x1F, 0x8B, ..] => Some("this is compressed by gzip; unpack it first"),
        // With a byte order mark, or plain letters two bytes each.
        [0xFF, 0xFE, ..]
        | [0xFE, 0xFF, ..]
        | [1..=255, 0, 1..=255, 0]
        | [0, 1..=255, 0, 1..=255] => Some("this is UTF-16 text; save it as CSV in UTF-8"),
        [b'$', b'F', b'L', _] => Some("this is an SPSS file; save the table as CSV"),
        _ => None,
    }
}
