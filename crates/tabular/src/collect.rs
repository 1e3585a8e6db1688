//! Rows become packed answers, whatever file they come from.
//!
//! Answers are staged some hundred rows at a time, row after row as a reader meets them, and
//! checked and packed in one go.

use std::collections::HashMap;

use psychometrics::responses::{ABSENT, MISSING, ResponsesBuilder};

use super::faults::{Faults, short};
use super::layout::{Layout, Role};
use super::{Table, Texts, Wanted};

/// Answers that are staged; with their packed form they stay in the second-level cache.
const STAGED_MAX: usize = 1 << 15;
/// The largest difference between two answers to one item.
const SPAN_MAX: i64 = 254;

/// What was read so far.
pub struct Collecting<'a> {
    wanted: &'a Wanted<'a>,
    /// Columns and items.
    pub layout: Layout,
    /// “line” or “row”.
    counted_in: &'static str,
    builder: ResponsesBuilder,
    staged: Vec<i32>,
    /// The line of each staged row.
    lines: Vec<u64>,
    n_rows_max: usize,
    /// Column of the file and lowest and highest answer of each item so far.
    ranges: Vec<(usize, Option<(i32, i32)>)>,
    ids: Texts,
    group_codes: HashMap<String, u32>,
    /// The group of the row before: files are often in order of the groups.
    last_group: (String, u32),
    groups: Vec<u32>,
    weights: Vec<f64>,
    /// What is wrong.
    pub faults: Faults,
}

impl<'a> Collecting<'a> {
    /// Nothing yet.
    ///
    /// # Errors
    /// If no column is an item.
    pub fn new(
        layout: Layout,
        wanted: &'a Wanted<'a>,
        counted_in: &'static str,
    ) -> Result<Self, Vec<String>> {
        let n_items = layout.items.len();
        let builder = ResponsesBuilder::new(n_items).map_err(|e| vec![e.to_string()])?;
        let mut ranges = vec![(0, None); n_items];
        for (column, (_, role)) in layout.columns.iter().enumerate() {
            if let Role::Item(item) = role {
                ranges[*item].0 = column;
            }
        }
        Ok(Self {
            wanted,
            layout,
            counted_in,
            builder,
            staged: Vec::with_capacity(STAGED_MAX.max(n_items)),
            lines: Vec::new(),
            n_rows_max: (STAGED_MAX / n_items).max(1),
            ranges,
            ids: Texts::default(),
            group_codes: HashMap::new(),
            last_group: (String::new(), u32::MAX),
            groups: Vec::new(),
            weights: Vec::new(),
            faults: Faults::default(),
        })
    }

    /// A new row with every answer missing, to be filled by a reader.
    pub fn row(&mut self, line: u64) -> &mut [i32] {
        if self.lines.len() == self.n_rows_max {
            self.pack();
        }
        self.lines.push(line);
        let start = self.staged.len();
        self.staged.resize(start + self.layout.items.len(), ABSENT);
        &mut self.staged[start..]
    }

    /// The row last made.
    pub fn last_row(&mut self) -> &mut [i32] {
        let start = self.staged.len().saturating_sub(self.layout.items.len());
        &mut self.staged[start..]
    }

    /// How many rows are staged at a time.
    pub fn n_rows_max(&self) -> usize {
        self.n_rows_max
    }

    /// `n_rows` new rows, of which the first is on `line`, in place of those staged, which are
    /// packed; at most [`n_rows_max`](Self::n_rows_max).
    pub fn rows(&mut self, n_rows: usize, line: u64) {
        self.pack();
        self.lines.extend((line..).take(n_rows));
        self.staged.resize(n_rows * self.layout.items.len(), ABSENT);
    }

    /// The answer in a staged row.
    pub fn set(&mut self, row: usize, item: usize, value: i32) {
        let n_items = self.layout.items.len();
        self.staged[row * n_items + item] = value;
    }

    /// Persons whose answers are single digits, one list an item, [`MISSING`] where there is
    /// none. False, and nothing taken, if any of them may not be.
    pub fn take_digits(&mut self, columns: &[Vec<u8>]) -> bool {
        self.pack();
        if self.faults.any() {
            return false;
        }
        let mut ranges = Vec::with_capacity(columns.len());
        for (item, answers) in columns.iter().enumerate() {
            let (_, mut range) = self.ranges[item];
            let low = answers.iter().copied().fold(MISSING, u8::min);
            if low != MISSING {
                let up = |high: u8, &answer: &u8| high.max(answer.wrapping_add(1));
                let high = answers.iter().fold(0, up) - 1;
                let own = (i32::from(low), i32::from(high));
                let (lowest, highest) = range.unwrap_or(own);
                let wider = (own.0.min(lowest), own.1.max(highest));
                if !self.is_sound(item, own) || too_wide(wider) {
                    return false;
                }
                range = Some(wider);
            }
            ranges.push(range);
        }
        for ((_, range), found) in self.ranges.iter_mut().zip(ranges) {
            *range = found;
        }
        let columns: Vec<&[u8]> = columns.iter().map(Vec::as_slice).collect();
        if let Err(error) = self.builder.push_bytes(&columns) {
            self.faults.add((0, 0), || error.to_string());
        }
        true
    }

    /// An answer in words: the number, or missing, or a fault.
    pub fn answer(&mut self, text: &str, line: u64, column: usize) -> i32 {
        if text.is_empty() {
            return ABSENT;
        }
        match text.parse() {
            Ok(ABSENT) | Err(_) => {
                self.misfit(line, column, text, remedy(text));
                ABSENT
            }
            Ok(value) => value,
        }
    }

    /// A person's name.
    pub fn id(&mut self, text: &str) {
        self.ids.push(text);
    }

    /// A person's group.
    pub fn group(&mut self, text: &str, line: u64, column: usize) {
        if text.is_empty() {
            self.misfit(line, column, text, "every person needs a group");
        }
        if self.groups.is_empty() || self.last_group.0 != text {
            let next = self.group_codes.len() as u32;
            let code = match self.group_codes.get(text) {
                Some(&code) => code,
                None => *self.group_codes.entry(text.to_owned()).or_insert(next),
            };
            self.last_group = (text.to_owned(), code);
        }
        self.groups.push(self.last_group.1);
    }

    /// A person's weight.
    pub fn weight(&mut self, value: Option<f64>, text: &str, line: u64, column: usize) {
        match value {
            Some(weight) if weight.is_finite() && weight >= 0.0 => self.weights.push(weight),
            _ => self.misfit(line, column, text, "a weight is a number of at least 0"),
        }
    }

    /// A value that cannot be.
    pub fn misfit(&mut self, line: u64, column: usize, value: &str, remedy: &str) {
        let (name, counted_in) = (&self.layout.columns[column].0, self.counted_in);
        self.faults.add((line, column), || {
            format!("{counted_in} {line}, column {name}: “{}”: {remedy}", short(value))
        });
    }

    /// Checks and packs what is staged.
    fn pack(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        self.check();
        let staged = std::mem::take(&mut self.staged);
        if !self.faults.any()
            && let Err(error) = self.builder.push_rows(&staged)
        {
            self.faults.add((self.lines[0], 0), || error.to_string());
        }
        self.staged = staged;
        self.staged.clear();
        self.lines.clear();
    }

    /// Looks for answers that cannot be, by each column's ends first.
    fn check(&mut self) {
        let n_items = self.layout.items.len();
        let mut ends = vec![(i32::MAX, i32::MIN); n_items];
        for row in self.staged.chunks_exact(n_items) {
            for ((low, high), &value) in ends.iter_mut().zip(row) {
                *low = (*low).min(if value == ABSENT { i32::MAX } else { value });
                *high = (*high).max(value);
            }
        }
        for (item, (low, high)) in ends.into_iter().enumerate() {
            if high == ABSENT {
                continue;
            }
            let so_far = self.ranges[item].1.unwrap_or((low, high));
            let range = (low.min(so_far.0), high.max(so_far.1));
            if !self.is_sound(item, (low, high)) || too_wide(range) {
                self.check_one_by_one(item);
            } else {
                self.ranges[item].1 = Some(range);
            }
        }
    }

    /// Whether all answers from `low` to `high` may be.
    fn is_sound(&self, item: usize, (low, high): (i32, i32)) -> bool {
        let allowed = |value: i32| self.refusal(item, value).is_none();
        let within = self.wanted.range.is_none_or(|(from, to)| low >= from && high <= to);
        within && !too_wide((low, high)) && (low..=high).all(allowed)
    }

    /// Why an answer may not be.
    fn refusal(&self, item: usize, value: i32) -> Option<String> {
        if let Some((from, to)) = self.wanted.range
            && !(from..=to).contains(&value)
        {
            return Some(format!("answers are between {from} and {to}{}", if_code(value)));
        }
        let (_, known) = &self.wanted.answers?[item];
        if known.is_empty() || known.contains(&value) {
            return None;
        }
        let known = known.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
        Some(format!("the calibration has {known}{}", if_code(value)))
    }

    fn check_one_by_one(&mut self, item: usize) {
        let (column, mut range) = self.ranges[item];
        for row in 0..self.lines.len() {
            let value = self.staged[row * self.layout.items.len() + item];
            if value == ABSENT {
                continue;
            }
            let line = self.lines[row];
            if let Some(remedy) = self.refusal(item, value) {
                self.misfit(line, column, &value.to_string(), &remedy);
                continue;
            }
            let (low, high) = range.unwrap_or((value, value));
            let wider = (low.min(value), high.max(value));
            if too_wide(wider) {
                let other = if value < low { high } else { low };
                let remedy = format!(
                    "{value} and {other} are more than 254 apart; is it an item?{}",
                    if_code(value)
                );
                self.misfit(line, column, &value.to_string(), &remedy);
            } else {
                range = Some(wider);
            }
        }
        self.ranges[item].1 = range;
    }

    /// All of it.
    ///
    /// # Errors
    /// What is wrong.
    pub fn finish(mut self) -> Result<Table, Vec<String>> {
        self.pack();
        if self.faults.any() {
            return Err(self.faults.into_words());
        }
        if self.builder.n_persons() == 0 {
            return Err(vec![String::from("there is a header and no row: no persons")]);
        }
        let responses = self.builder.finish().map_err(|e| vec![e.to_string()])?;
        let roles = self.wanted.roles;
        Ok(Table {
            items: self.layout.items,
            responses,
            ids: roles.id.is_some().then_some(self.ids),
            groups: roles.group.is_some().then(|| ordered(self.group_codes, self.groups)),
            weights: roles.weight.is_some().then_some(self.weights),
        })
    }
}

fn too_wide((low, high): (i32, i32)) -> bool {
    i64::from(high) - i64::from(low) > SPAN_MAX
}

/// What to do about an answer that other programs write for a missing one.
fn if_code(value: i32) -> &'static str {
    match value.unsigned_abs() {
        7..=9 | 77 | 88 | 97..=99 | 777 | 888 | 997..=999 | 9999 => {
            "; if it is a missing-value code, leave the cell empty"
        }
        _ => "",
    }
}

/// What to do about a text that is no answer.
fn remedy(text: &str) -> &'static str {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if ["NA", "N/A", "NaN", "nan", "NULL", "null", "None", ".", "-", "?"].contains(&text) {
        "leave a missing answer empty"
    } else if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        "this is too large to be an answer; name the column with --id, --group, --weight or \
         --ignore if it holds no answers"
    } else if text.parse::<f64>().is_ok_and(|value| value.fract() == 0.0) {
        "write whole numbers without a decimal point"
    } else {
        "answers are whole numbers; name the column with --id, --group, --weight or --ignore if \
         it holds no answers"
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
