//! Records as a table: aligned for a terminal, RFC 4180 for a spreadsheet.

use base::encode::inert_cell;

/// A column is never made narrower than this.
const COLUMN_CHARS_MIN: usize = 6;
/// Between two columns.
const GAP: &str = "  ";

/// Records under named columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The columns' names.
    pub header: &'static [&'static str],
    /// One record a row, as many cells as there are columns.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Columns side by side, one record a line; cells are cut with an ellipsis to fit `width_max` characters.
    #[must_use]
    pub fn aligned(&self, width_max: Option<usize>) -> String {
        let mut lines: Vec<Vec<String>> =
            vec![self.header.iter().map(|&name| name.to_owned()).collect()];
        lines.extend(self.rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()));
        let widths = self.widths(&lines, width_max);
        let mut text = String::new();
        for line in &lines {
            let cells = line.iter().zip(&widths).map(|(cell, &width)| fitted(cell, width));
            text.push_str(cells.collect::<Vec<_>>().join(GAP).trim_end());
            text.push('\n');
        }
        text
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

    /// Each column as wide as its widest cell; while that is too much together, the widest gives.
    fn widths(&self, lines: &[Vec<String>], width_max: Option<usize>) -> Vec<usize> {
        let widest = |column: usize| {
            lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max()
        };
        let mut widths: Vec<usize> =
            (0..self.header.len()).map(|column| widest(column).unwrap_or(0)).collect();
        let gaps = GAP.len() * self.header.len().saturating_sub(1);
        let Some(width_max) = width_max else { return widths };
        while widths.iter().sum::<usize>() + gaps > width_max {
            match widths.iter_mut().max() {
                Some(widest) if *widest > COLUMN_CHARS_MIN => *widest -= 1,
                _ => break,
            }
        }
        widths
    }
}

/// A cell on one line, without anything that could steer the terminal.
fn one_line(cell: &str) -> String {
    cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn fitted(cell: &str, width: usize) -> String {
    let n_chars = cell.chars().count();
    if n_chars <= width {
        return format!("{cell}{}", " ".repeat(width - n_chars));
    }
    let kept: String = cell.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}\u{2026}")
}

#[cfg(test)]
mod tests {
    use super::Table;

    fn table() -> Table {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        Table { header: &["id", "name"], rows: vec![row(["1", "Ada, \"A\""]), row(["22", "=1+1"])] }
    }

    #[test]
    fn columns_are_aligned_and_the_widest_gives_way() {
        assert_eq!(table().aligned(None), "id  name\n1   Ada, \"A\"\n22  =1+1\n");
        assert_eq!(table().aligned(Some(11)), "id  name\n1   Ada, \"\u{2026}\n22  =1+1\n");
    }

    #[test]
    fn csv_quotes_and_takes_the_sting_out_of_formulas() {
        assert_eq!(table().csv().unwrap(), "id,name\r\n1,\"Ada, \"\"A\"\"\"\r\n22,'=1+1\r\n");
    }

    #[test]
    fn nothing_in_a_cell_steers_the_terminal() {
        let table = Table { header: &["x"], rows: vec![vec!["a\n\u{1b}[2J".to_owned()]] };
        assert_eq!(table.aligned(None), "x\na  [2J\n");
    }
}
