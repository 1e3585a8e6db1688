//! Reading a file of ratings, CSV or Parquet, with every fault named by line and column.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use tabular::{Ratings, Roles, short};

use super::output::{bytes, parquet};

/// Faults listed before the rest is only counted.
const N_FAULTS_LISTED: usize = 10;

/// What the columns of a file mean and what their cells may hold.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The column that names the person.
    pub id: Option<String>,
    /// The column that says which rows belong together.
    pub group: Option<String>,
    /// Columns that are no items.
    pub ignored: Vec<String>,
}

/// Items column by column, missing = NaN.
#[derive(Debug)]
pub(super) struct Table {
    /// Names of the items.
    pub items: Vec<String>,
    /// One column after the other.
    pub values: Vec<f64>,
    /// Rows.
    pub n_rows: usize,
    /// The group of each row, as its place in `group_names`; empty without a group column.
    pub group_of: Vec<u32>,
    /// Groups in ascending order: by number when all are integers, otherwise by letters.
    pub group_names: Vec<String>,
}

impl Reading {
    /// Reads a whole file.
    ///
    /// # Errors
    /// The first ten faults, each with line, column and value, and how many more there are.
    pub fn read(&self, path: &Path) -> Result<Table, Vec<String>> {
        let shown = path.display();
        let cannot = |e: std::io::Error| vec![format!("{shown} cannot be opened: {e}")];
        let mut first = Vec::new();
        let file = File::open(path).map_err(cannot)?;
        let mut file = BufReader::new(file);
        file.by_ref().take(4).read_to_end(&mut first).map_err(cannot)?;
        if let Some(what) = tabular::foreign(&first) {
            return Err(vec![format!("{shown}: {what}")]);
        }
        if first == b"PAR1" {
            return self.read_parquet(path);
        }
        let length = file.get_ref().metadata().map_or(0, |about| about.len());
        let progress = bytes(length);
        let whole = first.as_slice().chain(file);
        let table = self.read_from(progress.wrap_read(whole), &shown.to_string());
        progress.finish_and_clear();
        let (shown, named) = (shown.to_string(), |fault: &str| fault.starts_with("--"));
        let told = |fault: String| match named(&fault) || fault.starts_with(&shown) {
            true => fault,
            false => format!("{shown}: {fault}"),
        };
        table.map_err(|faults: Vec<String>| faults.into_iter().map(told).collect())
    }

    fn read_parquet(&self, path: &Path) -> Result<Table, Vec<String>> {
        let shown = path.display();
        let roles = Roles {
            id: self.id.clone(),
            group: self.group.clone(),
            weight: None,
            ignore: self.ignored.clone(),
        };
        let read = parquet(path, &roles);
        let read = read.map_err(|faults| -> Vec<String> {
            faults.iter().map(|fault| format!("{shown}: {fault}")).collect()
        })?;
        let (group_of, group_names) = numbered(&read.groups);
        let Ratings { items, values, n_rows, .. } = read;
        Ok(Table { items, values, n_rows, group_of, group_names })
    }

    fn read_from(&self, source: impl Read, shown: &str) -> Result<Table, Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source);
        let header = reader.headers().map_err(|e| vec![worded(&e)])?.clone();
        let layout = self.layout(&header, shown)?;
        let mut columns = vec![Vec::new(); layout.items.len()];
        let mut groups: Vec<String> = Vec::new();
        let mut faults = Faults::default();
        let mut record = csv::StringRecord::new();
        loop {
            match reader.read_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {}
                Err(e) => {
                    faults.add(|| worded(&e));
                    break;
                }
            }
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != header.len() {
                let (found, wanted) = (record.len(), header.len());
                // An open quotation mark takes the rows that follow into its cell.
                let open = record.iter().next_back().is_some_and(|last| last.contains('\n'));
                let hint = if open { "; is a quotation mark never closed?" } else { "" };
                faults.add(|| {
                    format!("line {line}: {found} cell(s), but the header has {wanted}{hint}")
                });
                continue;
            }
            for (column, &(place, ref name)) in columns.iter_mut().zip(&layout.items) {
                let cell = record.get(place).unwrap_or("").trim();
                column.push(rating(cell).unwrap_or_else(|| {
                    faults.add(|| {
                        format!(
                            "line {line}, column {name}: “{}”: a rating is a number; leave the \
                             cell empty where it is missing",
                            short(cell)
                        )
                    });
                    f64::NAN
                }));
            }
            if let Some(place) = layout.group {
                let cell = record.get(place).unwrap_or("").trim();
                if cell.is_empty() {
                    faults.add(|| format!("line {line}: the group is empty"));
                }
                groups.push(cell.to_owned());
            }
        }
        faults.none()?;
        let n_rows = columns.first().map_or(0, Vec::len);
        if n_rows == 0 {
            return Err(vec![format!("{shown} has a header and no rows")]);
        }
        let (group_of, group_names) = numbered(&groups);
        let items = layout.items.into_iter().map(|(_, name)| name).collect();
        Ok(Table { items, values: columns.concat(), n_rows, group_of, group_names })
    }

    fn layout(&self, header: &csv::StringRecord, shown: &str) -> Result<Layout, Vec<String>> {
        let names: Vec<String> = header
            .iter()
            .map(|name| name.trim().trim_start_matches('\u{feff}').to_owned())
            .collect();
        let mut faults = Vec::new();
        if names.iter().all(String::is_empty) {
            return Err(vec![format!("{shown} is empty: it needs a header row")]);
        }
        if let [only] = &names[..]
            && (only.contains(';') || only.contains('\t'))
        {
            return Err(vec![format!(
                "{shown} is not separated by commas: its header is \"{only}\""
            )]);
        }
        for (place, name) in names.iter().enumerate() {
            if name.is_empty() {
                faults.push(format!("{shown}: column {} has no name in the header", place + 1));
            } else if names[..place].contains(name) {
                faults.push(format!("{shown}: the header names {name} twice"));
            }
        }
        let named = [("--id", self.id.as_ref()), ("--group", self.group.as_ref())];
        let ignored = self.ignored.iter().map(|name| ("--ignore", Some(name)));
        for (flag, name) in named.into_iter().chain(ignored) {
            if let Some(name) = name.filter(|name| !names.contains(name)) {
                faults.push(format!("{flag} {name}: {shown} has no such column"));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let spoken_for = |name: &String| {
            Some(name) == self.id.as_ref()
                || Some(name) == self.group.as_ref()
                || self.ignored.contains(name)
        };
        let group = self.group.as_ref().and_then(|group| names.iter().position(|n| n == group));
        let items: Vec<(usize, String)> =
            names.into_iter().enumerate().filter(|(_, name)| !spoken_for(name)).collect();
        if items.is_empty() {
            return Err(vec![format!("{shown} has no column left to be an item")]);
        }
        Ok(Layout { items, group })
    }
}

/// What the CSV library found, with a remedy where there is one.
fn worded(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { pos, .. } => {
            let line = pos.as_ref().map_or(1, csv::Position::line);
            format!("line {line} is not UTF-8 text; save the file as UTF-8 (“CSV UTF-8”)")
        }
        _ => error.to_string(),
    }
}

/// A cell's rating, if it is one; NaN where it is missing.
fn rating(cell: &str) -> Option<f64> {
    if cell.is_empty() {
        return Some(f64::NAN);
    }
    cell.parse::<f64>().ok().filter(|value| value.is_finite())
}

struct Layout {
    items: Vec<(usize, String)>,
    group: Option<usize>,
}

/// The first faults in words, the others as a count.
#[derive(Default)]
struct Faults {
    listed: Vec<String>,
    n_more: u64,
}

impl Faults {
    fn add(&mut self, fault: impl FnOnce() -> String) {
        if self.listed.len() < N_FAULTS_LISTED {
            self.listed.push(fault());
        } else {
            self.n_more += 1;
        }
    }

    fn none(mut self) -> Result<(), Vec<String>> {
        if self.n_more > 0 {
            self.listed.push(format!("… and {} more", self.n_more));
        }
        if self.listed.is_empty() { Ok(()) } else { Err(self.listed) }
    }
}

/// Each row's place among the distinct names in ascending order.
fn numbered(groups: &[String]) -> (Vec<u32>, Vec<String>) {
    let mut names = groups.to_vec();
    names.sort_unstable();
    names.dedup();
    let integers: Option<Vec<i64>> = names.iter().map(|name| name.parse().ok()).collect();
    if integers.is_some() {
        names.sort_by_key(|name| name.parse::<i64>().unwrap_or(i64::MAX));
    }
    let places: std::collections::HashMap<&str, u32> =
        names.iter().zip(0..).map(|(name, place)| (name.as_str(), place)).collect();
    let group_of = groups.iter().map(|group| places[group.as_str()]).collect();
    (group_of, names)
}
