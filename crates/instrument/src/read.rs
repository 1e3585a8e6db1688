//! Reads the spanned TOML tree and notes every fault on the way, instead of stopping at the first.
//!
//! A [`Section`] is asked for its keys one by one; what was never asked for is an unknown key
//! ([`Section::end`]). Readers ask for all keys before giving up on a section, so that one missing
//! key hides no other fault.

use std::cell::RefCell;
use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fault::{Fault, Lines};
use crate::model::id_fault;

/// A value and the byte offset at which it stands.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) at: usize,
    pub(crate) value: T,
}

/// What a text is for; decides which rules of wording hold for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A scale label, a name or a heading.
    Label,
    /// A behaviour in the person's own voice.
    Own { reverse: bool },
    /// The same, of somebody else.
    Rater { reverse: bool },
    /// Any other text that has to be read in order to answer.
    Asked,
    /// A text in a report.
    Told,
    /// A report text about a region of the map.
    Region,
    /// A note for staff and the manual.
    Note,
}

/// One text of the file.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    /// Such as `items.plan-f1.self`.
    pub(crate) address: String,
    pub(crate) at: usize,
    pub(crate) text: String,
    pub(crate) role: Role,
}

/// Collects faults and texts while a file is read.
#[derive(Default)]
pub(crate) struct Desk {
    faults: RefCell<Vec<(usize, String, String)>>,
    texts: RefCell<Vec<Text>>,
}

impl Desk {
    /// Notes a fault; both sentences without a full stop.
    pub(crate) fn fault(&self, at: usize, what: impl Into<String>, remedy: impl Into<String>) {
        self.faults.borrow_mut().push((at, what.into(), remedy.into()));
    }

    pub(crate) fn n_faults(&self) -> usize {
        self.faults.borrow().len()
    }

    pub(crate) fn texts(&self) -> Vec<Text> {
        self.texts.borrow().clone()
    }

    /// The faults in the order of the file, each once.
    pub(crate) fn into_faults(self, file: &str, text: &str) -> Vec<Fault> {
        let lines = Lines::of(text);
        let place = |(at, what, remedy): (usize, String, String)| {
            let (line, column) = lines.position(at);
            Fault { file: file.to_owned(), line, column, what, remedy }
        };
        let mut faults: Vec<Fault> = self.faults.into_inner().into_iter().map(place).collect();
        faults.sort_by_key(|fault| (fault.line, fault.column));
        faults.dedup();
        faults
    }
}

/// One table of the file.
pub(crate) struct Section<'t> {
    desk: &'t Desk,
    table: &'t DeTable<'t>,
    /// Byte offset of its header.
    pub(crate) at: usize,
    /// What messages call it, such as `[[items]] number 3`.
    pub(crate) name: String,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'t> Section<'t> {
    pub(crate) fn new(
        desk: &'t Desk,
        table: &'t DeTable<'t>,
        at: usize,
        name: impl Into<String>,
    ) -> Self {
        Section { desk, table, at, name: name.into(), asked: RefCell::default() }
    }

    /// Reports the keys that were never asked for.
    pub(crate) fn end(self) {
        let asked = self.asked.into_inner();
        for key in self.table.keys() {
            let written = key.get_ref().as_ref();
            if !asked.contains(written) {
                self.desk.fault(
                    key.span().start,
                    format!("`{written}` is no key of {}", self.name),
                    suggestion(written, &asked),
                );
            }
        }
    }

    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// All keys, in the order of the file, with the tables under them. Counts as asking for all.
    pub(crate) fn tables_by_name(&self) -> Vec<(At<&'t str>, &'t DeTable<'t>)> {
        let mut named = Vec::new();
        for (key, value) in self.table {
            let name = At { at: key.span().start, value: key.get_ref().as_ref() };
            match value.get_ref() {
                DeValue::Table(table) => named.push((name, table)),
                other => self.desk.fault(
                    value.span().start,
                    format!("`{}` in {} is {}", name.value, self.name, called(other)),
                    format!("Write a table, `[{}.{}]`", self.name_inside(), name.value),
                ),
            }
        }
        named.sort_by_key(|(name, _)| name.at);
        named
    }

    fn name_inside(&self) -> &str {
        self.name.trim_start_matches('[').trim_end_matches(']')
    }

    fn value(&self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.borrow_mut().insert(key);
        self.table.get(key)
    }

    /// Reads a key that may be absent; `kind` says in words what belongs there.
    fn maybe<T>(
        &self,
        key: &'static str,
        kind: &str,
        read: impl FnOnce(&'t DeValue<'t>) -> Option<T>,
    ) -> Option<At<T>> {
        let spanned = self.value(key)?;
        let at = spanned.span().start;
        let value = read(spanned.get_ref());
        if value.is_none() {
            let what = format!("`{key}` in {} is {}", self.name, called(spanned.get_ref()));
            self.desk.fault(at, what, format!("Write {kind}"));
        }
        value.map(|value| At { at, value })
    }

    /// Reads a key that must be there.
    fn need<T>(
        &self,
        key: &'static str,
        kind: &str,
        read: impl FnOnce(&'t DeValue<'t>) -> Option<T>,
    ) -> Option<At<T>> {
        if !self.has(key) {
            self.missing(key, kind);
        }
        self.maybe(key, kind, read)
    }

    fn missing(&self, key: &str, kind: &str) {
        self.desk.fault(
            self.at,
            format!("`{key}` is missing from {}", self.name),
            format!("Add `{key} = …` with {kind}"),
        );
    }

    /// A text that rules of wording do not hold for.
    pub(crate) fn word(&self, key: &'static str) -> Option<At<&'t str>> {
        self.need(key, "a text in quotes", DeValue::as_str)
    }

    pub(crate) fn maybe_word(&self, key: &'static str) -> Option<At<&'t str>> {
        self.maybe(key, "a text in quotes", DeValue::as_str)
    }

    /// A word out of a fixed list.
    pub(crate) fn choice<T>(
        &self,
        key: &'static str,
        words: &[&str],
        from_word: impl FnOnce(&str) -> Option<T>,
    ) -> Option<At<T>> {
        self.parsed(key, &one_of(words), from_word)
    }

    /// A word that is made by a rule; `example` stands after "Write" in the remedy.
    pub(crate) fn parsed<T>(
        &self,
        key: &'static str,
        example: &str,
        from_word: impl FnOnce(&str) -> Option<T>,
    ) -> Option<At<T>> {
        let word = self.word(key)?;
        let value = from_word(word.value);
        if value.is_none() {
            let what = format!("{:?} is no `{key}`", word.value);
            self.desk.fault(word.at, what, format!("Write {example}"));
        }
        value.map(|value| At { at: word.at, value })
    }

    /// An id of good form.
    pub(crate) fn id(&self) -> Option<At<&'t str>> {
        let id = self.word("id")?;
        if let Some(fault) = id_fault(id.value) {
            let what = format!("The id {:?} {fault}", id.value);
            self.desk.fault(id.at, what, "Write a short id such as \"plan-f1\"");
            return None;
        }
        Some(id)
    }

    /// A text that people read, kept under `address.key`.
    pub(crate) fn text(&self, address: &str, key: &'static str, role: Role) -> Option<String> {
        self.text_as(address, key, key, role)
    }

    /// The same, under another last part of the address.
    pub(crate) fn text_as(
        &self,
        address: &str,
        key: &'static str,
        last: &str,
        role: Role,
    ) -> Option<String> {
        let word = self.word(key)?;
        self.keep(format!("{address}.{last}"), &word, role);
        Some(word.value.to_owned())
    }

    pub(crate) fn maybe_text(
        &self,
        address: &str,
        key: &'static str,
        role: Role,
    ) -> Option<String> {
        let word = self.maybe_word(key)?;
        self.keep(format!("{address}.{key}"), &word, role);
        Some(word.value.to_owned())
    }

    fn keep(&self, address: String, word: &At<&str>, role: Role) {
        let text = Text { address, at: word.at, text: word.value.to_owned(), role };
        self.desk.texts.borrow_mut().push(text);
    }

    /// A list of texts that people read, kept under `address.key.1` and so on.
    pub(crate) fn texts(
        &self,
        address: &str,
        key: &'static str,
        role: Role,
    ) -> Option<At<Vec<String>>> {
        let words = self.words(key)?;
        self.keep_all(address, key, &words.value, role);
        Some(At { at: words.at, value: words.value.iter().map(|w| w.value.to_owned()).collect() })
    }

    pub(crate) fn maybe_texts(
        &self,
        address: &str,
        key: &'static str,
        role: Role,
    ) -> Option<At<Vec<String>>> {
        if self.has(key) { self.texts(address, key, role) } else { None }
    }

    fn keep_all(&self, address: &str, key: &str, words: &[At<&str>], role: Role) {
        for (nth, word) in words.iter().enumerate() {
            self.keep(format!("{address}.{key}.{}", nth + 1), word, role);
        }
    }

    pub(crate) fn words(&self, key: &'static str) -> Option<At<Vec<At<&'t str>>>> {
        self.need(key, "a list of texts", |value| list(value, DeValue::as_str))
    }

    pub(crate) fn flag(&self, key: &'static str) -> Option<At<bool>> {
        self.need(key, "`true` or `false`", DeValue::as_bool)
    }

    pub(crate) fn whole(&self, key: &'static str) -> Option<At<i64>> {
        self.need(key, "a whole number", as_whole)
    }

    pub(crate) fn wholes(&self, key: &'static str) -> Option<At<Vec<At<i64>>>> {
        self.need(key, "a list of whole numbers", |value| list(value, as_whole))
    }

    /// A whole number, least and greatest included.
    pub(crate) fn count(&self, key: &'static str, least: i64, most: i64) -> Option<At<usize>> {
        let number = self.whole(key)?;
        let value = usize::try_from(number.value).ok();
        let inside = (least..=most).contains(&number.value);
        if !inside {
            let what = format!("`{key}` is {}", number.value);
            self.desk.fault(number.at, what, format!("Write a number from {least} to {most}"));
        }
        value.filter(|_| inside).map(|value| At { at: number.at, value })
    }

    /// A finite number; `allowed` says in words and by a test which ones may stand there.
    pub(crate) fn number(
        &self,
        key: &'static str,
        allowed: (&str, fn(f64) -> bool),
    ) -> Option<At<f64>> {
        let number = self.need(key, "a number", as_number)?;
        let fits = number.value.is_finite() && allowed.1(number.value);
        if !fits {
            let what = format!("`{key}` is {}", number.value);
            self.desk.fault(number.at, what, format!("Write {}", allowed.0));
        }
        Some(number).filter(|_| fits)
    }

    pub(crate) fn numbers(&self, key: &'static str) -> Option<At<Vec<At<f64>>>> {
        self.need(key, "a list of numbers", |value| list(value, as_number))
    }

    pub(crate) fn maybe_numbers(&self, key: &'static str) -> Option<At<Vec<At<f64>>>> {
        if self.has(key) { self.numbers(key) } else { None }
    }

    /// A list that must hold exactly these words.
    pub(crate) fn choice_list(&self, key: &'static str, expected: &[&str]) {
        let Some(words) = self.words(key) else { return };
        if !words.value.iter().map(|word| word.value).eq(expected.iter().copied()) {
            let quoted: Vec<String> = expected.iter().map(|word| format!("{word:?}")).collect();
            let what = format!("`{key}` of {} holds other words than it may", self.name);
            self.desk.fault(words.at, what, format!("Write [{}]", quoted.join(", ")));
        }
    }

    /// The number under a key, told apart by how it is written.
    pub(crate) fn whole_or_fraction(&self, key: &'static str) -> Option<At<Result<i64, f64>>> {
        self.need(key, "a whole number of answers, or a share such as 0.8", |value| match value {
            DeValue::Integer(_) => as_whole(value).map(Ok),
            _ => as_number(value).map(Err),
        })
    }

    pub(crate) fn table(&self, key: &'static str, name: &str) -> Option<Section<'t>> {
        let table = self.need(key, "a table", DeValue::as_table)?;
        Some(Section::new(self.desk, table.value, table.at, name))
    }

    pub(crate) fn maybe_table(&self, key: &'static str, name: &str) -> Option<Section<'t>> {
        if self.has(key) { self.table(key, name) } else { None }
    }

    /// The tables of a list, each called by its number: in place of `#`, or at the end.
    pub(crate) fn tables(&self, key: &'static str, name: &str) -> Vec<Section<'t>> {
        let Some(found) =
            self.need(key, "one or more tables", |value| list(value, DeValue::as_table))
        else {
            return Vec::new();
        };
        if found.value.is_empty() {
            self.missing(key, "one or more tables");
        }
        let numbered = found.value.into_iter().enumerate();
        let section = |(nth, table): (usize, At<&'t DeTable<'t>>)| {
            let number = (nth + 1).to_string();
            let called = match name.contains('#') {
                true => name.replacen('#', &number, 1),
                false => format!("{name} number {number}"),
            };
            Section::new(self.desk, table.value, table.at, called)
        };
        numbered.map(section).collect()
    }

    pub(crate) fn maybe_tables(&self, key: &'static str, name: &str) -> Vec<Section<'t>> {
        if self.has(key) { self.tables(key, name) } else { Vec::new() }
    }
}

fn list<'t, T>(
    value: &'t DeValue<'t>,
    read: impl Fn(&'t DeValue<'t>) -> Option<T>,
) -> Option<Vec<At<T>>> {
    let one = |entry: &'t Spanned<DeValue<'t>>| {
        read(entry.get_ref()).map(|value| At { at: entry.span().start, value })
    };
    value.as_array()?.iter().map(one).collect()
}

fn as_whole(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn as_number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(float) => float.as_str().parse().ok(),
        // Whole numbers in an instrument are small; 2⁵³ is far off.
        _ => as_whole(value).map(|whole| whole as f64),
    }
}

fn called(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) if as_whole(value).is_none() => "a number too large to read",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list that does not fit",
        DeValue::Table(_) => "a table",
    }
}

/// "`a`, `b` or `c`", each in quotes.
pub(crate) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn suggestion(written: &str, known: &BTreeSet<&'static str>) -> String {
    const EDITS_MAX: usize = 2;
    let near = known.iter().map(|key| (edits(written, key), key)).min();
    match near {
        Some((n_edits, key)) if n_edits <= EDITS_MAX => format!("Did you mean `{key}`"),
        _ => {
            let all: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
            format!("Take it out; the keys here are {}", all.join(", "))
        }
    }
}

/// Levenshtein distance, over characters; keys longer than 64 characters count as far off.
fn edits(one: &str, two: &str) -> usize {
    const CHARS_MAX: usize = 64;
    if one.len() > CHARS_MAX || two.len() > CHARS_MAX {
        return usize::MAX;
    }
    let two: Vec<char> = two.chars().collect();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (i, c) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, d) in two.iter().enumerate() {
            let change = diagonal + usize::from(c != *d);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[two.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_insertions_deletions_and_changes() {
        for (one, two, n) in
            [("facet", "facet", 0), ("facte", "facet", 2), ("", "ab", 2), ("kitten", "sitting", 3)]
        {
            assert_eq!(edits(one, two), n, "{one} to {two}");
        }
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(one_of(&["a"]), "\"a\"");
        assert_eq!(one_of(&["a", "b", "c"]), "\"a\", \"b\" or \"c\"");
    }
}
