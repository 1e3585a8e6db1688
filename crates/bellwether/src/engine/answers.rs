//! Answers from a CSV file of any size.
//!
//! The file is read in pieces and packed as it comes. A single digit between two commas, which is
//! nearly every cell there is, takes a dozen instructions; everything else (quotes, spaces, longer
//! numbers) a slower way.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use psychometrics::responses::{Responses, ResponsesBuilder};

use super::table::progress;

/// Faults that are listed; the rest are counted.
const FAULTS_LISTED_MAX: usize = 10;
/// Bytes read at a time.
const PIECE: usize = 1 << 20;
/// The longest row; more means that a quote was never closed.
const ROW_BYTES_MAX: usize = 1 << 24;

/// Which columns are not items.
#[derive(Debug, Clone, Default)]
pub struct Roles {
    pub id: Option<String>,
    pub group: Option<String>,
    pub weight: Option<String>,
    pub ignore: Vec<String>,
}

/// What a file holds.
#[derive(Debug)]
pub struct Table {
    /// Names of the items, in the order of the columns.
    pub items: Vec<String>,
    pub responses: Responses,
    /// One a person, if a column was named.
    pub ids: Option<Vec<String>>,
    /// Names of the groups in order (numbers by size, else by letters), and each person's.
    pub groups: Option<(Vec<String>, Vec<u32>)>,
    pub weights: Option<Vec<f64>>,
}

/// Reads a file. `answers`, if given, names the items wanted, in their order, with the answers
/// each may have.
///
/// # Errors
/// The first ten faults with line, column and value, and how many more there are.
pub fn read(
    path: &Path,
    roles: &Roles,
    answers: Option<&[(String, Vec<i32>)]>,
) -> Result<Table, Vec<String>> {
    let shown = path.display();
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet")) {
        return Err(vec![format!("{shown}: this program reads CSV; write the table out as CSV")]);
    }
    let cannot = |e: std::io::Error| vec![format!("{shown} cannot be read ({e})")];
    let mut file = File::open(path).map_err(cannot)?;
    let bar = progress(file.metadata().map_or(0, |about| about.len()));
    let mut reading = Reading::new(roles, answers);
    let mut buffer: Vec<u8> = Vec::with_capacity(2 * PIECE);
    loop {
        let kept = buffer.len();
        buffer.resize(kept + PIECE, 0);
        let n_read = file.read(&mut buffer[kept..]).map_err(cannot)?;
        buffer.truncate(kept + n_read);
        let at_end = n_read == 0;
        if at_end && buffer.last().is_some_and(|&last| last != b'\n') {
            buffer.push(b'\n');
        }
        let used = reading.take(&buffer, at_end)?;
        buffer.drain(..used);
        bar.inc(n_read as u64);
        if at_end {
            break;
        }
        if buffer.len() > ROW_BYTES_MAX {
            return Err(vec![format!(
                "{shown}: line {} does not end; is a quotation mark missing?",
                reading.line
            )]);
        }
    }
    bar.finish_and_clear();
    reading.finish(&shown.to_string())
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    /// Position among the items.
    Item(usize),
    Id,
    Group,
    Weight,
    Ignored,
}

struct Reading<'a> {
    roles: &'a Roles,
    answers: Option<&'a [(String, Vec<i32>)]>,
    columns: Vec<(String, Role)>,
    items: Vec<String>,
    builder: Option<ResponsesBuilder>,
    row: Vec<Option<i32>>,
    ids: Vec<String>,
    group_codes: HashMap<String, u32>,
    groups: Vec<u32>,
    weights: Vec<f64>,
    /// The line being read, from 1.
    line: usize,
    faults: Vec<String>,
    n_faults: usize,
}

impl<'a> Reading<'a> {
    fn new(roles: &'a Roles, answers: Option<&'a [(String, Vec<i32>)]>) -> Self {
        Self {
            roles,
            answers,
            columns: Vec::new(),
            items: Vec::new(),
            builder: None,
            row: Vec::new(),
            ids: Vec::new(),
            group_codes: HashMap::new(),
            groups: Vec::new(),
            weights: Vec::new(),
            line: 1,
            faults: Vec::new(),
            n_faults: 0,
        }
    }

    /// Reads all whole rows of `bytes` and returns how many bytes they were.
    fn take(&mut self, bytes: &[u8], at_end: bool) -> Result<usize, Vec<String>> {
        // The last line break bounds every cell's search for its end.
        let Some(last) = bytes.iter().rposition(|&byte| byte == b'\n') else { return Ok(0) };
        let bytes = &bytes[..=last];
        let mut start = 0;
        while start < bytes.len() {
            let next = if self.builder.is_none() {
                self.header(bytes, start)?
            } else {
                self.row(bytes, start)?
            };
            match next {
                Some(next) => start = next,
                None if at_end => {
                    let fault = "a quotation mark is opened and never closed";
                    return Err(vec![format!("line {}: {fault}", self.line)]);
                }
                None => break,
            }
        }
        Ok(start)
    }

    fn header(&mut self, bytes: &[u8], start: usize) -> Result<Option<usize>, Vec<String>> {
        let mut at = if start == 0 && bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { start };
        let mut names = Vec::new();
        loop {
            let Some(cell) = cell(bytes, at) else { return Ok(None) };
            names.push(cell.text().trim().to_owned());
            at = cell.next;
            if cell.ends_row {
                break;
            }
        }
        if let [only] = &names[..]
            && only.contains([';', '\t'])
        {
            return Err(vec![format!("the header “{only}” is not separated by commas")]);
        }
        self.assign(names)?;
        self.builder = Some(ResponsesBuilder::new(self.items.len()).map_err(|_| {
            vec![String::from("no column is an item: every one has another use or is ignored")]
        })?);
        self.row = vec![None; self.items.len()];
        self.line += 1;
        Ok(Some(at))
    }

    /// Decides what each column is for.
    fn assign(&mut self, names: Vec<String>) -> Result<(), Vec<String>> {
        let mut faults = Vec::new();
        for (at, name) in names.iter().enumerate() {
            if name.is_empty() {
                faults.push(format!("line 1: column {} has no name", at + 1));
            } else if names[..at].contains(name) {
                faults.push(format!("line 1: two columns are named {name}"));
            }
        }
        let is = |role: &Option<String>, name: &str| role.as_deref() == Some(name);
        let single = [
            ("--id", &self.roles.id),
            ("--group", &self.roles.group),
            ("--weight", &self.roles.weight),
        ];
        let named = single.iter().filter_map(|(flag, name)| Some((*flag, (*name).as_ref()?)));
        let ignored = self.roles.ignore.iter().map(|name| ("--ignore", name));
        for (flag, name) in named.chain(ignored) {
            if !names.contains(name) {
                faults.push(format!("{flag} {name}: there is no column of that name"));
            }
        }
        for name in names {
            let role = if is(&self.roles.id, &name) {
                Role::Id
            } else if is(&self.roles.group, &name) {
                Role::Group
            } else if is(&self.roles.weight, &name) {
                Role::Weight
            } else if self.roles.ignore.contains(&name) {
                Role::Ignored
            } else {
                self.item(&name, &mut faults)
            };
            self.columns.push((name, role));
        }
        let found = |name: &String| self.columns.iter().any(|(column, _)| column == name);
        for (name, _) in self.answers.unwrap_or_default() {
            if !found(name) {
                faults.push(format!("item {name} of the calibration is no column of this file"));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn item(&mut self, name: &str, faults: &mut Vec<String>) -> Role {
        if let Some(answers) = self.answers {
            // The calibration's order, whatever that of the columns.
            if self.items.is_empty() {
                self.items = answers.iter().map(|(item, _)| item.clone()).collect();
            }
            return match answers.iter().position(|(item, _)| item == name) {
                Some(place) => Role::Item(place),
                None => {
                    faults.push(format!(
                        "column {name} is no item of the calibration; name it with --ignore if it \
                         is not meant to be one"
                    ));
                    Role::Ignored
                }
            };
        }
        self.items.push(name.to_owned());
        Role::Item(self.items.len() - 1)
    }

    /// One row from `start`; `None` if it is not whole yet.
    fn row(&mut self, bytes: &[u8], start: usize) -> Result<Option<usize>, Vec<String>> {
        let n_columns = self.columns.len();
        let blank = match bytes[start..] {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => 0,
        };
        if blank > 0 && n_columns > 1 {
            self.line += 1;
            return Ok(Some(start + blank));
        }
        let (mut at, mut column, mut n_lines) = (start, 0, 1);
        loop {
            let role = self.columns.get(column).map(|(_, role)| *role);
            if let (Some(Role::Item(item)), [digit @ b'0'..=b'9', end @ (b',' | b'\n'), ..]) =
                (role, &bytes[at..])
            {
                self.answer(column, item, i32::from(digit - b'0'));
                (at, column) = (at + 2, column + 1);
                if *end == b'\n' {
                    break;
                }
                continue;
            }
            let Some(cell) = cell(bytes, at) else { return Ok(None) };
            self.cell(column, role, &cell);
            n_lines += cell.n_line_breaks;
            (at, column) = (cell.next, column + 1);
            if cell.ends_row {
                break;
            }
        }
        if column != n_columns {
            self.fault(format!("line {}: {column} cells under {n_columns} columns", self.line));
        }
        if self.n_faults == 0
            && let Some(builder) = &mut self.builder
            && let Err(e) = builder.push(&self.row)
        {
            self.fault(format!("line {}: {}", self.line, worded(&e, &self.items)));
        }
        self.line += n_lines;
        Ok(Some(at))
    }

    fn cell(&mut self, column: usize, role: Option<Role>, cell: &Cell<'_>) {
        let text = cell.text();
        let text = text.trim();
        match role {
            Some(Role::Item(item)) if text.is_empty() => self.row[item] = None,
            Some(Role::Item(item)) => match text.parse() {
                Ok(value) => self.answer(column, item, value),
                Err(_) => {
                    let remedy = if ["NA", "NaN", "NULL", ".", "-"].contains(&text) {
                        "leave a missing answer empty"
                    } else {
                        "answers are whole numbers; name the column with --id, --group, --weight \
                         or --ignore if it holds no answers"
                    };
                    self.misfit(column, text, remedy);
                }
            },
            Some(Role::Id) => self.ids.push(text.to_owned()),
            Some(Role::Group) if text.is_empty() => {
                self.misfit(column, text, "every person needs a group");
            }
            Some(Role::Group) => {
                let next = self.group_codes.len() as u32;
                let code = match self.group_codes.get(text) {
                    Some(&code) => code,
                    None => *self.group_codes.entry(text.to_owned()).or_insert(next),
                };
                self.groups.push(code);
            }
            Some(Role::Weight) => match text.parse::<f64>() {
                Ok(weight) if weight.is_finite() && weight >= 0.0 => self.weights.push(weight),
                _ => self.misfit(column, text, "a weight is a number of at least 0"),
            },
            Some(Role::Ignored) | None => {}
        }
    }

    fn answer(&mut self, column: usize, item: usize, value: i32) {
        self.row[item] = Some(value);
        if let Some(answers) = self.answers
            && !answers[item].1.contains(&value)
        {
            let known = answers[item].1.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
            self.misfit(column, &value.to_string(), &format!("the calibration has {known}"));
        }
    }

    fn misfit(&mut self, column: usize, value: &str, remedy: &str) {
        const SHOWN_MAX: usize = 40;
        let shown: String = value.chars().take(SHOWN_MAX).collect();
        let name = &self.columns[column].0;
        self.fault(format!("line {}, column {name}: “{shown}”: {remedy}", self.line));
    }

    fn fault(&mut self, fault: String) {
        self.n_faults += 1;
        if self.faults.len() < FAULTS_LISTED_MAX {
            self.faults.push(fault);
        }
    }

    fn finish(mut self, shown: &str) -> Result<Table, Vec<String>> {
        if self.n_faults > 0 {
            let rest = self.n_faults - self.faults.len();
            if rest > 0 {
                self.faults.push(format!("… and {rest} more"));
            }
            return Err(self.faults.iter().map(|fault| format!("{shown}: {fault}")).collect());
        }
        let Some(builder) = self.builder else {
            return Err(vec![format!("{shown} is empty: a header row names the columns")]);
        };
        let responses = builder.finish().map_err(|e| vec![format!("{shown}: {e}")])?;
        Ok(Table {
            items: self.items,
            responses,
            ids: self.roles.id.is_some().then_some(self.ids),
            groups: self.roles.group.is_some().then(|| ordered(self.group_codes, self.groups)),
            weights: self.roles.weight.is_some().then_some(self.weights),
        })
    }
}

fn worded(error: &psychometrics::responses::ResponsesError, items: &[String]) -> String {
    use psychometrics::responses::ResponsesError::TooWide;
    match *error {
        TooWide { item, value, other, .. } => format!(
            "column {}: answers {value} and {other} are more than 254 apart; is it an item?",
            items[item]
        ),
        ref other => other.to_string(),
    }
}

/// Groups by size of their number where all are numbers, else by letters.
fn ordered(codes: HashMap<String, u32>, groups: Vec<u32>) -> (Vec<String>, Vec<u32>) {
    let mut names: Vec<(String, u32)> = codes.into_iter().collect();
    let numbers: Option<Vec<f64>> = names.iter().map(|(name, _)| name.parse().ok()).collect();
    if numbers.is_some() {
        let number = |name: &str| name.parse::<f64>().unwrap_or(f64::NAN);
        names.sort_by(|a, b| number(&a.0).total_cmp(&number(&b.0)).then(a.0.cmp(&b.0)));
    } else {
        names.sort();
    }
    let mut place = vec![0; names.len()];
    for (at, (_, code)) in (0_u32..).zip(&names) {
        place[*code as usize] = at;
    }
    let groups = groups.into_iter().map(|code| place[code as usize]).collect();
    (names.into_iter().map(|(name, _)| name).collect(), groups)
}

/// One cell.
struct Cell<'a> {
    raw: &'a [u8],
    is_quoted: bool,
    /// Where the next cell starts.
    next: usize,
    ends_row: bool,
    n_line_breaks: usize,
}

impl Cell<'_> {
    fn text(&self) -> String {
        let text = String::from_utf8_lossy(self.raw);
        if self.is_quoted { text.replace("\"\"", "\"") } else { text.into_owned() }
    }
}

/// The cell from `start`; `None` if a quoted one does not end within `bytes`, which end with a
/// line break.
fn cell(bytes: &[u8], start: usize) -> Option<Cell<'_>> {
    let rest = &bytes[start..];
    if rest.first() == Some(&b'"') {
        let mut at = 1;
        let mut n_line_breaks = 0;
        let end = loop {
            match (rest.get(at)?, rest.get(at + 1)) {
                (b'"', Some(b'"')) => at += 2,
                (b'"', _) => break at,
                (byte, _) => {
                    n_line_breaks += usize::from(*byte == b'\n');
                    at += 1;
                }
            }
        };
        // What stands between the closing quote and the separator is dropped: spaces, "\r".
        let stop = end + rest[end..].iter().position(|&b| b == b',' || b == b'\n')?;
        let ends_row = rest[stop] == b'\n';
        let (raw, next) = (&rest[1..end], start + stop + 1);
        return Some(Cell { raw, is_quoted: true, next, ends_row, n_line_breaks });
    }
    let stop = rest.iter().position(|&b| b == b',' || b == b'\n')?;
    let (raw, next, ends_row) = (&rest[..stop], start + stop + 1, rest[stop] == b'\n');
    Some(Cell { raw, is_quoted: false, next, ends_row, n_line_breaks: 0 })
}
