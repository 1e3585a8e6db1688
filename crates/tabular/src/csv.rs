//! Answers from CSV.
//!
//! The file is read in pieces, whose rows several threads may share. A row that is nothing but
//! single digits between commas, which is nearly every row there is, is checked and taken as a
//! whole, many cells an instruction; a row with gaps goes cell by cell. From the first row on that
//! has anything else (quotes, spaces, longer numbers), and where there are other columns, a part
//! is read row by row.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read as _;

use psychometrics::responses::{ABSENT, MISSING};

use super::collect::Collecting;
use super::layout::{Layout, Role};
use super::{Progress, Table, Wanted};

/// Bytes read at a time.
const PIECE: usize = 1 << 20;
/// What to do about letters in another encoding.
const NOT_UTF8: &str = "not UTF-8 text; save the file as UTF-8 (“CSV UTF-8”)";
/// The most threads that share a piece, and the fewest bytes that make one worth its while.
const THREADS_MAX: usize = 16;
const PART_MIN: usize = 1 << 17;
/// The longest row; more means that a quote was never closed.
const ROW_BYTES_MAX: usize = 1 << 26;

/// Reads a file of which `first` was read already.
///
/// # Errors
/// What is wrong with it.
pub fn read(
    mut file: File,
    first: &[u8],
    wanted: &Wanted<'_>,
    tell: &mut dyn FnMut(Progress),
) -> Result<Table, Vec<String>> {
    let length = file.metadata().map_or(0, |about| about.len());
    let mut reading =
        Reading { wanted, collecting: None, all_items: false, has_quotes: false, line: 1 };
    let piece = PIECE * wanted.threads.clamp(1, THREADS_MAX);
    let mut buffer = vec![0; first.len() + piece + 1];
    buffer[..first.len()].copy_from_slice(first);
    let (mut held, mut n_bytes) = (first.len(), first.len() as u64);
    loop {
        let n_read = file.read(&mut buffer[held..held + piece]);
        let n_read = n_read.map_err(|e| vec![format!("it cannot be read ({e})")])?;
        held += n_read;
        let at_end = n_read == 0;
        if at_end && held > 0 && buffer[held - 1] != b'\n' {
            buffer[held] = b'\n';
            held += 1;
        }
        let used = reading.take(&buffer[..held], at_end)?;
        buffer.copy_within(used..held, 0);
        held -= used;
        n_bytes += n_read as u64;
        tell(Progress::Bytes(n_bytes, length));
        if at_end {
            break;
        }
        if held > ROW_BYTES_MAX {
            let line = reading.line;
            return Err(vec![format!("line {line} does not end; is a quotation mark missing?")]);
        }
        if buffer.len() < held + piece + 1 {
            buffer.resize(held + piece + 1, 0);
        }
    }
    match reading.collecting {
        Some(collecting) => collecting.finish(),
        None => Err(vec![String::from("the file is empty: a header row names the columns")]),
    }
}

struct Reading<'a> {
    wanted: &'a Wanted<'a>,
    /// Once the header is read.
    collecting: Option<Collecting<'a>>,
    /// Whether every column is an item, in the order of the items.
    all_items: bool,
    /// Whether there is a quotation mark in this piece: only then can a row be cut in two.
    has_quotes: bool,
    /// The line being read, from 1.
    line: u64,
}

impl<'a> Reading<'a> {
    /// Reads all whole rows of `bytes` and returns how many bytes they were.
    fn take(&mut self, bytes: &[u8], at_end: bool) -> Result<usize, Vec<String>> {
        // The last line break bounds every cell's search for its end.
        let Some(last) = bytes.iter().rposition(|&byte| byte == b'\n') else { return Ok(0) };
        let bytes = &bytes[..=last];
        self.has_quotes = bytes.contains(&b'"');
        let mut start = 0;
        while self.collecting.is_none() && start < bytes.len() {
            match self.header(bytes, start)? {
                Some(next) => start = next,
                None => return self.unfinished(start, at_end),
            }
        }
        let Some(mut collecting) = self.collecting.take() else { return Ok(start) };
        let next = self.rows(&mut collecting, bytes, start);
        self.collecting = Some(collecting);
        match next {
            Ok(()) => Ok(bytes.len()),
            Err(start) => self.unfinished(start, at_end),
        }
    }

    /// A row from `start` that is not whole comes again with more behind it, unless there is none.
    fn unfinished(&self, start: usize, at_end: bool) -> Result<usize, Vec<String>> {
        if !at_end {
            return Ok(start);
        }
        let line = self.line;
        let fault = "a quotation mark is opened and never closed";
        Err(vec![format!("line {line}: {fault}")])
    }

    /// All rows from `start`.
    ///
    /// # Errors
    /// Where the row starts that is not whole.
    fn rows(&mut self, out: &mut Collecting<'a>, bytes: &[u8], start: usize) -> Result<(), usize> {
        // A line break between quotes is none: then the rows cannot be shared out.
        let threads = if self.has_quotes { 1 } else { self.wanted.threads };
        let mut at = start;
        for (end, digits) in digits_of_parts(bytes, start, self.all_items, out, threads) {
            if digits.n_rows > 0 && out.take_digits(&digits.columns) {
                self.line += digits.n_rows as u64;
                at += digits.n_bytes;
            }
            while at < end {
                if self.all_items {
                    at = plain_rows(out, &bytes[..end], at, &mut self.line);
                }
                if at < end {
                    at = self.row(out, bytes, at).ok_or(at)?;
                }
            }
        }
        Ok(())
    }

    fn header(&mut self, bytes: &[u8], start: usize) -> Result<Option<usize>, Vec<String>> {
        let mut at = if start == 0 && bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { start };
        let (mut names, mut n_lines) = (Vec::new(), 1);
        loop {
            let Some(cell) = cell(bytes, at) else { return Ok(None) };
            if !cell.is_utf8() {
                let name = cell.text();
                let (line, name) = (self.line, super::faults::short(name.trim()));
                return Err(vec![format!("line {line}: the name “{name}” is {NOT_UTF8}")]);
            }
            names.push(cell.text().trim().to_owned());
            n_lines += cell.n_line_breaks;
            at = cell.next;
            if cell.ends_row {
                break;
            }
        }
        if names.iter().any(|name| name.contains('\r')) {
            let remedy = "save the file with line feeds";
            return Err(vec![format!("lines end in a lone carriage return; {remedy}")]);
        }
        match &names[..] {
            [only] if only.is_empty() && at < bytes.len() => {
                // A blank line before the header.
                self.line += 1;
                return Ok(Some(at));
            }
            [only] if only.is_empty() => {
                return Err(vec![String::from(
                    "the file is empty: a header row names the columns",
                )]);
            }
            [only] if only.contains([';', '\t']) => {
                let mark = if only.contains(';') { "semicolons" } else { "tabs" };
                return Err(vec![format!(
                    "line 1: the columns of “{}” are separated by {mark}; save the file with \
                     commas between the columns",
                    super::faults::short(only)
                )]);
            }
            _ => {}
        }
        let layout = Layout::new(names, self.wanted)?;
        let in_order = |(at, (_, role)): (usize, &(String, Role))| *role == Role::Item(at);
        self.all_items = layout.columns.iter().enumerate().all(in_order);
        self.collecting = Some(Collecting::new(layout, self.wanted, "line")?);
        self.line += n_lines;
        Ok(Some(at))
    }

    /// One row from `start`; `None` if it is not whole yet.
    fn row(&mut self, out: &mut Collecting<'a>, bytes: &[u8], start: usize) -> Option<usize> {
        let n_columns = out.layout.columns.len();
        let blank = match bytes[start..] {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => 0,
        };
        if blank > 0 && n_columns > 1 {
            self.line += 1;
            return Some(start + blank);
        }
        // A row that is not whole yet comes again.
        if self.has_quotes && !is_whole(bytes, start) {
            return None;
        }
        let line = self.line;
        out.row(line);
        let (mut at, mut column, mut n_lines) = (start, 0, 1);
        loop {
            let role = out.layout.columns.get(column).map(|(_, role)| *role);
            if let Some(Role::Item(item)) = role
                && let Some((value, next, ends_row)) = plain_cell(&bytes[at..])
            {
                out.last_row()[item] = value;
                (at, column) = (at + next, column + 1);
                if ends_row {
                    break;
                }
                continue;
            }
            let cell = cell(bytes, at)?;
            take_cell(out, column, role, &cell, line);
            n_lines += cell.n_line_breaks;
            (at, column) = (cell.next, column + 1);
            if cell.ends_row {
                break;
            }
        }
        if column != n_columns {
            let fault = || format!("line {line}: {column} cells under {n_columns} columns");
            out.faults.add((line, 0), fault);
        }
        self.line += n_lines;
        Some(at)
    }
}

/// Rows that are nothing but single digits and gaps: for each item everybody's digit.
#[derive(Default)]
struct Digits {
    columns: Vec<Vec<u8>>,
    n_rows: usize,
    /// How long they are.
    n_bytes: usize,
}

/// The bytes from `start` in parts of whole rows, at most one a thread: where each ends, and the
/// rows of digits that it starts with.
fn digits_of_parts(
    bytes: &[u8],
    start: usize,
    all_items: bool,
    out: &Collecting<'_>,
    threads: usize,
) -> Vec<(usize, Digits)> {
    if !all_items {
        return vec![(bytes.len(), Digits::default())];
    }
    let n_parts = threads.min((bytes.len() - start) / PART_MIN).clamp(1, THREADS_MAX);
    let mut ends: Vec<usize> = Vec::with_capacity(n_parts);
    for part in 1..n_parts {
        let about = start + (bytes.len() - start) * part / n_parts;
        let rest = bytes[about..].iter().position(|&byte| byte == b'\n');
        ends.extend(rest.map(|rest| about + rest + 1));
    }
    ends.push(bytes.len());
    let n_items = out.layout.items.len();
    let starts = std::iter::once(start).chain(ends.iter().copied());
    let parts: Vec<&[u8]> =
        starts.zip(&ends).map(|(start, &end)| &bytes[start.min(end)..end]).collect();
    let found: Vec<Digits> = std::thread::scope(|scope| {
        let others: Vec<_> =
            parts[1..].iter().map(|part| scope.spawn(|| digits(part, n_items))).collect();
        let mut found = vec![digits(parts[0], n_items)];
        for other in others {
            match other.join() {
                Ok(digits) => found.push(digits),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        found
    });
    ends.into_iter().zip(found).collect()
}

/// The rows of digits and gaps that `bytes`, which end with a line break, start with.
fn digits(bytes: &[u8], n_items: usize) -> Digits {
    /// Rows that are turned into columns together: they stay in the first cache.
    const TILE: usize = 512;
    let about = bytes.len() / (2 * n_items);
    let mut columns: Vec<Vec<u8>> = (0..n_items).map(|_| Vec::with_capacity(about)).collect();
    let mut tile: Vec<u8> = Vec::with_capacity(TILE * n_items);
    let (mut at, mut n_rows) = (0, 0);
    loop {
        let held = tile.len();
        let next = digits_of_row(&bytes[at..], n_items, &mut tile);
        match next {
            Some(length) => (at, n_rows) = (at + length, n_rows + 1),
            None => tile.truncate(held),
        }
        if next.is_none() || tile.len() == TILE * n_items {
            for (item, column) in columns.iter_mut().enumerate() {
                column.extend(tile.iter().skip(item).step_by(n_items));
            }
            tile.clear();
        }
        if next.is_none() {
            return Digits { columns, n_rows, n_bytes: at };
        }
    }
}

/// Appends a row's digits and gaps; its length, or `None` if there is anything else.
fn digits_of_row(bytes: &[u8], n_items: usize, out: &mut Vec<u8>) -> Option<usize> {
    if let Some(length) = plain_row(bytes, 2 * n_items) {
        out.extend(bytes[..2 * n_items].iter().step_by(2).map(|digit| digit - b'0'));
        return Some(length);
    }
    let mut at = 0;
    for item in 1..=n_items {
        let (value, length, ends_row) = plain_cell(&bytes[at..])?;
        if ends_row != (item == n_items) {
            return None;
        }
        // A digit, or absent.
        out.push(u8::try_from(value).unwrap_or(MISSING));
        at += length;
    }
    Some(at)
}

/// The length of the row that `bytes` start with if it is nothing but single digits, which with
/// what follows each are `n_bytes`.
fn plain_row(bytes: &[u8], n_bytes: usize) -> Option<usize> {
    let row = bytes.get(..n_bytes)?;
    // With the line break made a comma, all pairs are alike; “\r\n” is one byte longer.
    let length = match (row[n_bytes - 1], bytes.get(n_bytes)) {
        (b'\n', _) => n_bytes,
        (b'\r', Some(b'\n')) => n_bytes + 1,
        _ => return None,
    };
    let (body, last) = row.split_at(n_bytes - 2);
    let wrong = body
        .chunks_exact(2)
        .fold(0, |wrong, pair| wrong | u8::from(pair[0].wrapping_sub(b'0') > 9) | (pair[1] ^ b','));
    (wrong == 0 && last[0].wrapping_sub(b'0') <= 9).then_some(length)
}

/// All rows from `start` that are nothing but single digits; returns where they end.
fn plain_rows(out: &mut Collecting<'_>, bytes: &[u8], start: usize, line: &mut u64) -> usize {
    let n_bytes = 2 * out.layout.items.len();
    let mut at = start;
    while let Some(length) = plain_row(&bytes[at..], n_bytes) {
        let row = &bytes[at..at + n_bytes];
        for (value, pair) in out.row(*line).iter_mut().zip(row.chunks_exact(2)) {
            *value = i32::from(pair[0] - b'0');
        }
        *line += 1;
        at += length;
    }
    at
}

/// A missing answer or a single digit: its value, its length with the separator, whether it ends
/// the row.
fn plain_cell(bytes: &[u8]) -> Option<(i32, usize, bool)> {
    match *bytes {
        [digit @ b'0'..=b'9', b',', ..] => Some((i32::from(digit - b'0'), 2, false)),
        [digit @ b'0'..=b'9', b'\n', ..] => Some((i32::from(digit - b'0'), 2, true)),
        [b',', ..] => Some((ABSENT, 1, false)),
        [b'\n', ..] => Some((ABSENT, 1, true)),
        [digit @ b'0'..=b'9', b'\r', b'\n', ..] => Some((i32::from(digit - b'0'), 3, true)),
        _ => None,
    }
}

fn take_cell(
    out: &mut Collecting<'_>,
    column: usize,
    role: Option<Role>,
    cell: &Cell<'_>,
    line: u64,
) {
    let Some(role) = role.filter(|role| *role != Role::Ignored) else { return };
    let text = cell.text();
    let text = text.trim();
    if !cell.is_utf8() {
        out.misfit(line, column, text, NOT_UTF8);
        return;
    }
    match role {
        Role::Item(item) => {
            let value = out.answer(text, line, column);
            out.last_row()[item] = value;
        }
        Role::Id => out.id(text),
        Role::Group => out.group(text, line, column),
        Role::Weight => out.weight(text.parse().ok(), text, line, column),
        Role::Ignored => {}
    }
}

/// One cell.
struct Cell<'a> {
    raw: &'a [u8],
    /// What stands between the closing quote and the separator.
    rest: &'a [u8],
    is_quoted: bool,
    /// Where the next cell starts.
    next: usize,
    ends_row: bool,
    n_line_breaks: u64,
}

impl Cell<'_> {
    fn is_utf8(&self) -> bool {
        std::str::from_utf8(self.raw).is_ok() && std::str::from_utf8(self.rest).is_ok()
    }

    fn text(&self) -> Cow<'_, str> {
        let text = String::from_utf8_lossy(self.raw);
        if self.is_quoted && (self.raw.contains(&b'"') || !self.rest.trim_ascii().is_empty()) {
            let rest = String::from_utf8_lossy(self.rest.trim_ascii_end());
            return Cow::Owned(text.replace("\"\"", "\"") + &rest);
        }
        text
    }
}

/// The cell from `start`; `None` if a quoted one does not end within `bytes`, which end with a
/// line break.
fn cell(bytes: &[u8], start: usize) -> Option<Cell<'_>> {
    let rest = &bytes[start..];
    let is_end = |&byte: &u8| byte == b',' || byte == b'\n';
    if rest.first() == Some(&b'"') {
        let mut at = 1;
        let mut n_line_breaks = 0;
        let end = loop {
            match (rest.get(at)?, rest.get(at + 1)) {
                (b'"', Some(b'"')) => at += 2,
                (b'"', _) => break at,
                (byte, _) => {
                    n_line_breaks += u64::from(*byte == b'\n');
                    at += 1;
                }
            }
        };
        let stop = end + rest[end..].iter().position(is_end)?;
        return Some(Cell {
            raw: &rest[1..end],
            rest: &rest[end + 1..stop],
            is_quoted: true,
            next: start + stop + 1,
            ends_row: rest[stop] == b'\n',
            n_line_breaks,
        });
    }
    let stop = rest.iter().position(is_end)?;
    Some(Cell {
        raw: &rest[..stop],
        rest: &[],
        is_quoted: false,
        next: start + stop + 1,
        ends_row: rest[stop] == b'\n',
        n_line_breaks: 0,
    })
}

/// Whether the row from `start` ends within `bytes`: without a quote its line break is there.
fn is_whole(bytes: &[u8], start: usize) -> bool {
    let rest = &bytes[start..];
    let line = rest.iter().position(|&byte| byte == b'\n').map_or(rest, |end| &rest[..end]);
    if !line.contains(&b'"') {
        return true;
    }
    let mut at = start;
    while let Some(cell) = cell(bytes, at) {
        if cell.ends_row {
            return true;
        }
        at = cell.next;
    }
    false
}
