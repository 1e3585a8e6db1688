//! Scores into a file, part by part.

use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::Texts;

/// What kind of file it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text with commas.
    Csv,
    /// Columns: the name as text, each figure as a 64-bit number that may be missing.
    Parquet,
}

impl Kind {
    /// By the name's ending; everything but `.parquet` is CSV.
    #[must_use]
    pub fn of(path: Option<&Path>) -> Self {
        let ending = path.and_then(Path::extension);
        match ending.is_some_and(|ending| ending.eq_ignore_ascii_case("parquet")) {
            true => Self::Parquet,
            false => Self::Csv,
        }
    }
}

/// A file of scores in the making.
pub struct ScoreFile<W: Write + Send> {
    inner: Inner<W>,
}

enum Inner<W: Write + Send> {
    Csv(W),
    Parquet(Box<SerializedFileWriter<W>>),
}

impl<W: Write + Send> ScoreFile<W> {
    /// Begins a file with a column of names, if `id` gives its heading, and one column for each of
    /// `figures`.
    ///
    /// # Errors
    /// What the writing of `out` says.
    pub fn new(kind: Kind, mut out: W, id: Option<&str>, figures: &[String]) -> io::Result<Self> {
        if kind == Kind::Csv {
            let heads = id.into_iter().chain(figures.iter().map(String::as_str));
            let heads: Vec<String> = heads.map(quoted).collect();
            writeln!(out, "{}", heads.join(","))?;
            return Ok(Self { inner: Inner::Csv(out) });
        }
        let mut columns = Vec::new();
        if let Some(id) = id {
            let column = Type::primitive_type_builder(id, Physical::BYTE_ARRAY)
                .with_repetition(Repetition::REQUIRED)
                .with_logical_type(Some(LogicalType::String));
            columns.push(Arc::new(column.build().map_err(io::Error::other)?));
        }
        for name in figures {
            let column = Type::primitive_type_builder(name, Physical::DOUBLE)
                .with_repetition(Repetition::OPTIONAL);
            columns.push(Arc::new(column.build().map_err(io::Error::other)?));
        }
        let schema = Type::group_type_builder("scores").with_fields(columns).build();
        let schema = Arc::new(schema.map_err(io::Error::other)?);
        // Scores hardly repeat and hardly shrink; trying costs more than it brings.
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_compression(Compression::SNAPPY)
            .build();
        let writer = SerializedFileWriter::new(out, schema, Arc::new(properties));
        Ok(Self { inner: Inner::Parquet(Box::new(writer.map_err(io::Error::other)?)) })
    }

    /// Appends persons: their names, if the file has them, and each figure of all of them. What is
    /// infinite or not a number is left empty.
    ///
    /// # Errors
    /// What the writing says.
    ///
    /// # Panics
    /// If a figure has another number of persons than the first.
    pub fn write(
        &mut self,
        ids: Option<(&Texts, Range<usize>)>,
        figures: &[Vec<f64>],
    ) -> io::Result<()> {
        let n_persons = figures.first().map_or(0, Vec::len);
        assert!(figures.iter().all(|figure| figure.len() == n_persons), "one figure a person");
        match &mut self.inner {
            Inner::Csv(out) => {
                write_lines(out, ids.map(|(texts, range)| (texts, range.start)), figures)
            }
            Inner::Parquet(writer) => write_group(writer, ids, figures).map_err(io::Error::other),
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// What the writing says.
    pub fn finish(self) -> io::Result<()> {
        match self.inner {
            Inner::Csv(mut out) => out.flush(),
            Inner::Parquet(writer) => writer.close().map(drop).map_err(io::Error::other),
        }
    }
}

fn write_lines(
    out: &mut impl Write,
    ids: Option<(&Texts, usize)>,
    figures: &[Vec<f64>],
) -> io::Result<()> {
    for person in 0..figures.first().map_or(0, Vec::len) {
        if let Some((texts, first)) = ids {
            write!(out, "{},", quoted(texts.get(first + person)))?;
        }
        for (at, figure) in figures.iter().enumerate() {
            if at > 0 {
                out.write_all(b",")?;
            }
            if figure[person].is_finite() {
                write!(out, "{}", figure[person])?;
            }
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    ids: Option<(&Texts, Range<usize>)>,
    figures: &[Vec<f64>],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    if let Some((texts, range)) = ids
        && let Some(mut column) = group.next_column()?
    {
        let names: Vec<ByteArray> = range.map(|at| ByteArray::from(texts.get(at))).collect();
        column.typed::<ByteArrayType>().write_batch(&names, None, None)?;
        column.close()?;
    }
    for figure in figures {
        let Some(mut column) = group.next_column()? else { break };
        let levels: Vec<i16> = figure.iter().map(|value| i16::from(value.is_finite())).collect();
        let values: Vec<f64> = figure.iter().copied().filter(|value| value.is_finite()).collect();
        column.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
        column.close()?;
    }
    group.close().map(drop)
}

/// A cell of CSV.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
