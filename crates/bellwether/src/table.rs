//! Records as a table: aligned for a terminal, RFC 4180 for a spreadsheet.

use base::encode::inert_cell;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// A column of text is cut down to this before a less important one is left out.
const COLUMN_WIDTH_MIN: usize = 16;
/// Between two columns.
const GAP: &str = "  ";

/// Records under named columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The columns' names.
    pub header: &'static [&'static str],
    /// The same names, the most important first: where there is no room for all, the last are left out.
    pub by_importance: &'static [&'static str],
    /// One record a row, as many cells as there are columns.
    pub rows: Vec<Vec<String>>,
}

/// A table for people, and what it leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aligned {
    /// The header and the records, a line each.
    pub text: String,
    /// Columns that hold something and for which there was no room.
    pub left_out: Vec<&'static str>,
}

impl Table {
    /// Every column side by side, one record a line.
    #[must_use]
    pub fn whole(&self) -> String {
        let columns: Vec<usize> = (0..self.header.len()).collect();
        let lines = self.lines(one_line);
        let widths: Vec<usize> = columns.iter().map(|&column| widest(&lines, column)).collect();
        written(&lines, &columns, &widths)
    }

    /// As many columns as fit into `width_max` cells of a terminal: empty ones go first, then the least important. Times
    /// are told to the minute, and long cells are cut with an ellipsis; an id never is, since it is there to be copied.
    #[must_use]
    pub fn fitted(&self, width_max: usize) -> Aligned {
        let lines = self.lines(|cell| one_line(&to_the_minute(cell)));
        let place = |name: &&str| self.header.iter().position(|known| known == name);
        let is_empty = |column: usize| {
            !self.rows.is_empty() && lines.iter().skip(1).all(|line| line[column].is_empty())
        };
        let mut columns: Vec<usize> = self.by_importance.iter().filter_map(place).collect();
        columns.retain(|&column| !is_empty(column));
        let least = |column: usize| {
            let width = widest(&lines, column);
            if self.header[column] == "id" { width } else { width.min(COLUMN_WIDTH_MIN) }
        };
        let mut left_out = Vec::new();
        while columns.len() > 1
            && columns.iter().map(|&column| least(column) + GAP.len()).sum::<usize>()
                > width_max + GAP.len()
        {
            left_out.extend(columns.pop().map(|column| self.header[column]));
        }
        columns.sort_unstable();
        let mut widths: Vec<usize> = columns.iter().map(|&column| least(column)).collect();
        let mut room = width_max.saturating_sub(
            widths.iter().sum::<usize>() + GAP.len() * columns.len().saturating_sub(1),
        );
        for (width, &column) in widths.iter_mut().zip(&columns) {
            let more = room.min(widest(&lines, column) - *width);
            *width += more;
            room -= more;
        }
        Aligned { text: written(&lines, &columns, &widths), left_out }
    }

    /// The header and the records, each cell as `shown` shows it.
    fn lines(&self, shown: impl Fn(&str) -> String) -> Vec<Vec<String>> {
        let header = self.header.iter().map(|&name| name.to_owned()).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(|cell| shown(cell)).collect());
        std::iter::once(header).chain(rows).collect()
    }

    /// RFC 4180 with a header, every cell safe from being taken for a formula.
    ///
    /// # Errors
    /// If a row has not as many cells as there are columns.
    pub fn csv(&self) -> Result<String, csv::Error> {
        let mut csv =
            csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![]);
        csv.write_record(self.header)?;
        for row in &self.rows {
            csv.write_record(row.iter().map(|cell| inert_cell(cell).into_owned()))?;
        }
        let bytes = csv.into_inner().map_err(|e| csv::Error::from(e.into_error()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// How much room the widest cell of a column takes.
fn widest(lines: &[Vec<String>], column: usize) -> usize {
    lines.iter().map(|line| line[column].width()).max().unwrap_or(0)
}

fn written(lines: &[Vec<String>], columns: &[usize], widths: &[usize]) -> String {
    let mut text = String::new();
    for line in lines {
        let cells = columns.iter().zip(widths).map(|(&column, &width)| cut(&line[column], width));
        text.push_str(cells.collect::<Vec<_>>().join(GAP).trim_end());
        text.push('\n');
    }
    text
}

/// A cell on one line, without anything that could steer the terminal or turn the direction of writing.
fn one_line(cell: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    cell.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}

/// `2026-11-24T08:05:12.345Z` as `2026-11-24 08:05`; anything else as it is.
fn to_the_minute(cell: &str) -> String {
    let is_time = cell.len() >= 20 && cell.ends_with('Z') && cell.as_bytes()[10] == b'T';
    match (is_time, cell.get(..10), cell.get(11..16)) {
        (true, Some(day), Some(minute)) => format!("{day} {minute}"),
        _ => cell.to_owned(),
    }
}

/// A cell in exactly that much room.
fn cut(cell: &str, width: usize) -> String {
    let fits = cell.width() <= width;
    let room = if fits { width } else { width.saturating_sub(1) };
    let mut kept = String::new();
    let mut taken = 0;
    for c in cell.chars() {
        let needed = c.width().unwrap_or(0);
        if taken + needed > room {
            break;
        }
        kept.push(c);
        taken += needed;
    }
    if !fits {
        kept.push('\u{2026}');
        taken += 1;
    }
    kept.push_str(&" ".repeat(width.saturating_sub(taken)));
    kept
}

#[cfg(test)]
mod tests {
    use super::Table;

    fn table(cells: [[&str; 4]; 2]) -> Table {
        let rows = cells.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        let by_importance = &["id", "name", "came", "phone"];
        Table { header: &["id", "came", "name", "phone"], by_importance, rows }
    }

    #[test]
    fn everything_is_there_where_there_is_room() {
        let table =
            table([["1", "2026-11-24T08:05:12Z", "Ada, \"A\"", ""], ["22", "", "=1+1", ""]]);
        let whole = "id  came                  name      phone\n\
                     1   2026-11-24T08:05:12Z  Ada, \"A\"\n\
                     22                        =1+1\n";
        assert_eq!(table.whole(), whole);
        let fitted = table.fitted(80);
        let lines = "id  came              name\n\
                     1   2026-11-24 08:05  Ada, \"A\"\n\
                     22                    =1+1\n";
        assert_eq!((fitted.text.as_str(), fitted.left_out.len()), (lines, 0), "empty columns go");
        assert_eq!(super::to_the_minute("2026-11-24T08:05:12.3Z"), "2026-11-24 08:05");
    }

    #[test]
    fn the_least_important_is_left_out_and_said_and_an_id_is_whole() {
        let id = "0199aa00-0000-7000-8000-000000000001";
        let long = "Wolfeschlegelsteinhausenbergerdorff";
        let table =
            table([[id, "2026-11-24T08:05:12Z", long, "1"], [id, "", "\u{5f20}\u{4e09}", ""]]);
        let fitted = table.fitted(60);
        let lines: Vec<&str> = fitted.text.lines().collect();
        assert_eq!(lines[1], format!("{id}  Wolfeschlegelsteinhau\u{2026}"));
        assert_eq!(lines[2], format!("{id}  \u{5f20}\u{4e09}"));
        assert_eq!(fitted.left_out, ["phone", "came"]);
    }

    #[test]
    fn csv_quotes_and_takes_the_sting_out_of_formulas() {
        let csv =
            table([["1", "", "Ada, \"A\"\nB", ""], ["22", "", "=1+1", "+49 30"]]).csv().unwrap();
        let lines = "id,came,name,phone\r\n1,,\"Ada, \"\"A\"\"\nB\",\r\n22,,'=1+1,'+49 30\r\n";
        assert_eq!(csv, lines);
    }

    #[test]
    fn nothing_in_a_cell_steers_the_terminal() {
        let whole = table([["a\n\u{1b}[2J", "", "", ""], ["\u{202e}x", "", "", ""]]).whole();
        assert_eq!(whole, "id      came  name  phone\na  [2J\n x\n");
    }
}
