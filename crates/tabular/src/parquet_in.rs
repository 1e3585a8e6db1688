//! Answers from Parquet, a part of a row group at a time.
//!
//! Columns are read side by side, each a page at a time: what stands in memory is one page a
//! column and the answers packed so far. Whole numbers of any width, truth values, decimal
//! numbers that happen to be whole (how some programs write columns with gaps; not-a-number is a
//! gap then) and texts are understood.

use std::fs::File;

use parquet::basic::{Compression, ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, RowGroupReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;
use psychometrics::responses::ABSENT;

use super::collect::Collecting;
use super::layout::{Layout, Role};
use super::{Progress, Table, Wanted};

/// Reads a file.
///
/// # Errors
/// What is wrong with it.
pub fn read(
    file: File,
    wanted: &Wanted<'_>,
    tell: &mut dyn FnMut(Progress),
) -> Result<Table, Vec<String>> {
    let (file, layout) = opened(file, wanted)?;
    let about = file.metadata();
    let n_persons = about.file_metadata().num_rows().max(0) as u64;
    let mut out = Collecting::new(layout, wanted, "row")?;
    let mut n_read = 0;
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group).map_err(|e| broken(&e))?;
        read_group(&*group, &mut out, &mut n_read, &mut |n| tell(Progress::Persons(n, n_persons)))?;
    }
    out.finish()
}

/// An open file and what its columns are for.
///
/// # Errors
/// Columns that cannot be read, by name.
pub(super) fn opened(
    file: File,
    wanted: &Wanted<'_>,
) -> Result<(SerializedFileReader<File>, Layout), Vec<String>> {
    let file = SerializedFileReader::new(file).map_err(|e| broken(&e))?;
    let about = file.metadata();
    let columns = about.file_metadata().schema_descr().columns();
    let names = columns.iter().map(|column| column.path().parts().join(".")).collect();
    let layout = Layout::new(names, wanted)?;
    let mut faults = Vec::new();
    for (column, (name, role)) in columns.iter().zip(&layout.columns) {
        if *role != Role::Ignored
            && let Some(what) = unfit(column)
        {
            faults.push(format!("column {name}: {what}"));
        }
    }
    for group in about.row_groups() {
        let foreign = group.columns().iter().find_map(|column| {
            let compression = foreign(column.compression())?;
            Some(format!(
                "column {} is compressed by {compression}, which this build of the program cannot \
                 read; write it with snappy, lz4 or gzip",
                column.column_path()
            ))
        });
        if faults.is_empty() {
            faults.extend(foreign);
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok((file, layout))
}

/// The name of a compression that cannot be undone.
fn foreign(compression: Compression) -> Option<&'static str> {
    match compression {
        Compression::BROTLI(_) => Some("Brotli"),
        Compression::ZSTD(_) if !cfg!(feature = "zstd") => Some("Zstandard"),
        Compression::LZO => Some("LZO"),
        _ => None,
    }
}

pub(super) fn broken(error: &ParquetError) -> Vec<String> {
    vec![format!("it cannot be read as Parquet ({error})")]
}

/// Why a column is neither answers nor names.
fn unfit(column: &ColumnDescriptor) -> Option<&'static str> {
    if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
        return Some("it is nested; write one plain column an item");
    }
    let logical = match column.logical_type_ref() {
        None | Some(LogicalType::String | LogicalType::Enum | LogicalType::Json) => true,
        Some(LogicalType::Integer(_)) => true,
        Some(_) => false,
    };
    let converted = !matches!(
        column.converted_type(),
        ConvertedType::DECIMAL
            | ConvertedType::DATE
            | ConvertedType::TIME_MILLIS
            | ConvertedType::TIME_MICROS
            | ConvertedType::TIMESTAMP_MILLIS
            | ConvertedType::TIMESTAMP_MICROS
            | ConvertedType::INTERVAL
    );
    let physical = !matches!(column.physical_type(), Type::INT96 | Type::FIXED_LEN_BYTE_ARRAY);
    if logical && converted && physical {
        return None;
    }
    Some("it holds dates, times or decimals; write whole numbers, or name the column with --ignore")
}

/// One column of a row group, with what was read of it last.
pub(super) struct Column {
    at: usize,
    role: Role,
    is_optional: bool,
    is_unsigned: bool,
    reader: ColumnReader,
    levels: Vec<i16>,
    values: Values,
}

/// Values that are there, in order.
enum Values {
    Truths(Vec<bool>),
    Short(Vec<i32>),
    Long(Vec<i64>),
    Single(Vec<f32>),
    Double(Vec<f64>),
    Texts(Vec<ByteArray>),
}

fn read_group(
    group: &dyn RowGroupReader,
    out: &mut Collecting<'_>,
    n_read: &mut u64,
    tell: &mut dyn FnMut(u64),
) -> Result<(), Vec<String>> {
    let mut columns = Vec::new();
    for at in 0..out.layout.columns.len() {
        let role = out.layout.columns[at].1;
        if role == Role::Ignored {
            continue;
        }
        columns.push(Column::open(group, at, role)?);
    }
    let mut left = group.metadata().num_rows().max(0) as usize;
    while left > 0 {
        let n_rows = left.min(out.n_rows_max());
        let first = *n_read + 1;
        out.rows(n_rows, first);
        for column in &mut columns {
            column.read(n_rows).map_err(|e| broken(&e))?;
            column.give(n_rows, first, out);
        }
        left -= n_rows;
        *n_read += n_rows as u64;
        tell(*n_read);
    }
    Ok(())
}

fn is_unsigned(column: &ColumnDescriptor) -> bool {
    let logical = column.logical_type_ref();
    matches!(logical, Some(LogicalType::Integer(kind)) if !kind.is_signed)
        || matches!(column.converted_type(), ConvertedType::UINT_32 | ConvertedType::UINT_64)
}

impl Column {
    /// A column of a row group, of which nothing is read yet.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn open(
        group: &dyn RowGroupReader,
        at: usize,
        role: Role,
    ) -> Result<Self, Vec<String>> {
        let about = group.metadata().schema_descr().column(at);
        Ok(Self {
            at,
            role,
            is_optional: about.max_def_level() > 0,
            is_unsigned: is_unsigned(&about),
            reader: group.get_column_reader(at).map_err(|e| broken(&e))?,
            levels: Vec::new(),
            values: match about.physical_type() {
                Type::BOOLEAN => Values::Truths(Vec::new()),
                Type::INT32 => Values::Short(Vec::new()),
                Type::INT64 => Values::Long(Vec::new()),
                Type::FLOAT => Values::Single(Vec::new()),
                Type::DOUBLE => Values::Double(Vec::new()),
                _ => Values::Texts(Vec::new()),
            },
        })
    }

    /// The next `n_rows` rows as they would stand in a CSV file; empty where there is none or it
    /// is not a number.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn cells(&mut self, n_rows: usize) -> Result<Vec<String>, Vec<String>> {
        self.read(n_rows).map_err(|e| broken(&e))?;
        let levels = self.is_optional.then_some(&self.levels[..]);
        let mut cells = Vec::with_capacity(n_rows);
        let mut take = |cell: Option<String>| cells.push(cell.unwrap_or_default());
        let decimal = |value: f64| if value.is_nan() { String::new() } else { value.to_string() };
        let unsigned = self.is_unsigned;
        match &self.values {
            Values::Truths(values) => each(n_rows, levels, values, |_, value| {
                take(value.map(|&value| u8::from(value).to_string()));
            }),
            Values::Short(values) => each(n_rows, levels, values, |_, value| {
                let text = |&v: &i32| if unsigned { (v as u32).to_string() } else { v.to_string() };
                take(value.map(text));
            }),
            Values::Long(values) => each(n_rows, levels, values, |_, value| {
                let text = |&v: &i64| if unsigned { (v as u64).to_string() } else { v.to_string() };
                take(value.map(text));
            }),
            Values::Single(values) => each(n_rows, levels, values, |_, value| {
                take(value.map(|&value| decimal(f64::from(value))));
            }),
            Values::Double(values) => each(n_rows, levels, values, |_, value| {
                take(value.map(|&value| decimal(value)));
            }),
            Values::Texts(values) => each(n_rows, levels, values, |_, value| {
                let text = |v: &ByteArray| String::from_utf8_lossy(v.data()).trim().to_owned();
                take(value.map(text));
            }),
        }
        Ok(cells)
    }

    /// Reads the next `n_rows` rows.
    fn read(&mut self, n_rows: usize) -> Result<(), ParquetError> {
        let levels = &mut self.levels;
        match (&mut self.reader, &mut self.values) {
            (ColumnReader::BoolColumnReader(from), Values::Truths(to)) => {
                next(from, n_rows, levels, to)
            }
            (ColumnReader::Int32ColumnReader(from), Values::Short(to)) => {
                next(from, n_rows, levels, to)
            }
            (ColumnReader::Int64ColumnReader(from), Values::Long(to)) => {
                next(from, n_rows, levels, to)
            }
            (ColumnReader::FloatColumnReader(from), Values::Single(to)) => {
                next(from, n_rows, levels, to)
            }
            (ColumnReader::DoubleColumnReader(from), Values::Double(to)) => {
                next(from, n_rows, levels, to)
            }
            (ColumnReader::ByteArrayColumnReader(from), Values::Texts(to)) => {
                next(from, n_rows, levels, to)
            }
            // Cannot be: the values were made for the reader.
            _ => Err(ParquetError::General(String::from("a column of another type"))),
        }
    }

    /// Hands the rows read last on.
    fn give(&self, n_rows: usize, first: u64, out: &mut Collecting<'_>) {
        let levels = self.is_optional.then_some(&self.levels[..]);
        if let (Role::Item(item), Values::Short(values)) = (self.role, &self.values)
            && !self.is_unsigned
            && !values.contains(&ABSENT)
        {
            // What nearly every column is.
            each(n_rows, levels, values, |row, value| {
                out.set(row, item, value.copied().unwrap_or(ABSENT));
            });
            return;
        }
        match &self.values {
            Values::Truths(values) => each(n_rows, levels, values, |row, value| {
                self.number(row, first, value.map(|&value| i64::from(value)), out);
            }),
            Values::Short(values) => each(n_rows, levels, values, |row, value| {
                let wide = |&value: &i32| match self.is_unsigned {
                    true => i64::from(value as u32),
                    false => i64::from(value),
                };
                self.number(row, first, value.map(wide), out);
            }),
            Values::Long(values) => each(n_rows, levels, values, |row, value| {
                // An unsigned number beyond the signed ones is beyond any answer.
                let wide = |&value: &i64| match self.is_unsigned && value < 0 {
                    true => i64::MAX,
                    false => value,
                };
                self.number(row, first, value.map(wide), out);
            }),
            Values::Single(values) => each(n_rows, levels, values, |row, value| {
                self.decimal(row, first, value.map(|&value| f64::from(value)), out);
            }),
            Values::Double(values) => each(n_rows, levels, values, |row, value| {
                self.decimal(row, first, value.copied(), out);
            }),
            Values::Texts(values) => each(n_rows, levels, values, |row, value| {
                let text = value
                    .map_or_else(Default::default, |value| String::from_utf8_lossy(value.data()));
                self.text(row, first, text.trim(), out);
            }),
        }
    }

    fn number(&self, row: usize, first: u64, value: Option<i64>, out: &mut Collecting<'_>) {
        match (self.role, value, value.and_then(|value| i32::try_from(value).ok())) {
            (Role::Item(item), None, _) => out.set(row, item, ABSENT),
            (Role::Item(item), _, Some(value)) if value != ABSENT => out.set(row, item, value),
            _ => {
                let text = value.map(|value| value.to_string()).unwrap_or_default();
                self.text(row, first, &text, out);
            }
        }
    }

    fn decimal(&self, row: usize, first: u64, value: Option<f64>, out: &mut Collecting<'_>) {
        const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
        let value = value.filter(|value| !value.is_nan());
        match (self.role, value) {
            (Role::Weight, _) => {
                let text = value.map(|value| value.to_string()).unwrap_or_default();
                out.weight(value, &text, first + row as u64, self.at);
            }
            (_, Some(value)) if value.fract() != 0.0 || value.abs() > WHOLE_MAX => {
                self.text(row, first, &value.to_string(), out);
            }
            _ => self.number(row, first, value.map(|value| value as i64), out),
        }
    }

    fn text(&self, row: usize, first: u64, text: &str, out: &mut Collecting<'_>) {
        let line = first + row as u64;
        match self.role {
            Role::Item(item) => {
                let value = out.answer(text, line, self.at);
                out.set(row, item, value);
            }
            Role::Id => out.id(text),
            Role::Group => out.group(text, line, self.at),
            Role::Weight => out.weight(text.parse().ok(), text, line, self.at),
            Role::Ignored => {}
        }
    }
}

/// The next `n_rows` rows of a column.
fn next<T: DataType>(
    from: &mut ColumnReaderImpl<T>,
    n_rows: usize,
    levels: &mut Vec<i16>,
    values: &mut Vec<T::T>,
) -> Result<(), ParquetError> {
    levels.clear();
    values.clear();
    let (n_read, _, _) = from.read_records(n_rows, Some(levels), None, values)?;
    if n_read == n_rows {
        return Ok(());
    }
    let what = format!("a column ends {} rows early", n_rows - n_read);
    Err(ParquetError::General(what))
}

/// Every row's value, or none where there is none.
fn each<T>(
    n_rows: usize,
    levels: Option<&[i16]>,
    values: &[T],
    mut take: impl FnMut(usize, Option<&T>),
) {
    let mut values = values.iter();
    for row in 0..n_rows {
        let is_there = levels.is_none_or(|levels| levels.get(row).is_some_and(|&level| level > 0));
        take(row, if is_there { values.next() } else { None });
    }
}
