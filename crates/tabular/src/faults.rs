//! The first faults in words, the others as a count.

/// Faults that are listed; the rest are counted.
const LISTED_MAX: usize = 10;
/// Characters of a wrong value that are shown.
const SHOWN_MAX: usize = 40;

/// Faults by place: those nearest the top of the file are listed, whatever order they are found in.
#[derive(Debug, Default)]
pub struct Faults {
    listed: Vec<((u64, usize), String)>,
    n: u64,
}

impl Faults {
    /// A fault at a line (or row) and a column, both in the file's order.
    pub fn add(&mut self, place: (u64, usize), fault: impl FnOnce() -> String) {
        self.n += 1;
        let is_full = self.listed.len() == LISTED_MAX;
        if is_full && self.listed.last().is_some_and(|(last, _)| *last <= place) {
            return;
        }
        let at = self.listed.partition_point(|(other, _)| *other <= place);
        self.listed.insert(at, (place, fault()));
        self.listed.truncate(LISTED_MAX);
    }

    /// Whether there is any.
    pub fn any(&self) -> bool {
        self.n > 0
    }

    /// The list, and a count of the rest.
    pub fn into_words(self) -> Vec<String> {
        let rest = self.n - self.listed.len() as u64;
        let mut words: Vec<String> = self.listed.into_iter().map(|(_, fault)| fault).collect();
        if rest > 0 {
            words.push(format!("… and {rest} more"));
        }
        words
    }
}

/// A value as it is shown, on one line: what a terminal would not show is written out (`\n`,
/// `\0`).
pub fn short(value: &str) -> String {
    let shown = |c: char| match c {
        '\0' => String::from("\\0"),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    let mut text: String = value.chars().take(SHOWN_MAX).map(shown).collect();
    if value.chars().nth(SHOWN_MAX).is_some() {
        text.push('…');
    }
    text
}
