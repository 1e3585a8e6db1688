//! One thing wrong with an instrument file.

/// What is wrong, where, and what to write instead.
///
/// `Display` gives one line: `file:line:column: what is wrong. What to write instead.`
/// Editors and terminals turn such a line into a link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{file}:{line}:{column}: {what}. {remedy}.")]
pub struct Fault {
    /// The name that the caller gave the text.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong, without a full stop.
    pub what: String,
    /// What to write instead, without a full stop.
    pub remedy: String,
}

/// Turns byte offsets into lines and columns.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Lines { text, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// Line and column of a byte offset, both from 1; an offset inside a character is that
    /// character's, one past the end is the end's.
    pub(crate) fn position(&self, at: usize) -> (usize, usize) {
        let at = at.min(self.text.len());
        let line = self.starts.partition_point(|&start| start <= at);
        let start = self.starts[line - 1];
        let before = self.text[start..]
            .char_indices()
            .take_while(|(offset, c)| start + offset + c.len_utf8() <= at);
        (line, before.count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let lines = Lines::of("ab\ncafé d\n");
        let places =
            [(0, (1, 1)), (1, (1, 2)), (2, (1, 3)), (3, (2, 1)), (8, (2, 5)), (99, (3, 1))];
        for (at, expected) in places {
            assert_eq!(lines.position(at), expected, "offset {at}");
        }
        assert_eq!(lines.position(7), (2, 4), "inside é");
        assert_eq!(Lines::of("").position(0), (1, 1));
    }
}
