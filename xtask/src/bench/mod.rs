//! Speed and size, measured against their bars: a table of figures, each with its bar and whether it is met.

mod engine;
mod load;
mod process;
mod server;

use std::fs;
use std::process::Command;

use crate::run::{output, say};

/// One figure of the table.
#[derive(Clone, Debug)]
struct Figure {
    /// What was measured.
    what: String,
    /// What came out, with its unit.
    figure: String,
    /// The bar, in words; empty where there is none.
    bar: &'static str,
    /// Whether the bar is met.
    met: bool,
}

impl Figure {
    /// A figure that has a bar.
    fn against(what: &str, figure: String, bar: &'static str, met: bool) -> Self {
        Self { what: what.to_owned(), figure, bar, met }
    }

    /// A figure that only explains others.
    fn aside(what: &str, figure: String) -> Self {
        Self::against(what, figure, "", true)
    }

    fn verdict(&self) -> &'static str {
        match (self.bar, self.met) {
            ("", _) => "",
            (_, true) => "met",
            (_, false) => "**missed**",
        }
    }
}

/// `cargo xtask bench [server [CLIENTS...] | engine [SIZES...]]`; without words, both.
///
/// # Errors
/// If something could not be measured. A bar that is missed is not an error: the table says so.
pub fn run(words: &[&str]) -> Result<(), String> {
    let figures = match words {
        [] => [server::run(&server::CLIENTS)?, engine::run(&[])?].concat(),
        ["server"] => server::run(&server::CLIENTS)?,
        ["server", clients @ ..] => server::run(&numbers(clients)?)?,
        ["engine", sizes @ ..] => engine::run(sizes)?,
        [other, ..] => {
            return Err(format!("there is no bench \"{other}\": write server or engine"));
        }
    };
    say(&machine());
    say(&table(&figures));
    Ok(())
}

fn numbers(words: &[&str]) -> Result<Vec<usize>, String> {
    let number = |word: &&str| match word.parse() {
        Ok(n @ 1..) => Ok(n),
        _ => Err(format!("\"{word}\" is not a number of clients")),
    };
    words.iter().map(number).collect()
}

/// The machine, the compiler and how busy it is, because a figure means little without.
fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, name)| name);
    let n_cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    let rustc = output(Command::new("rustc").arg("--version")).unwrap_or_default();
    format!("\n{n_cpus} processors ({model}), load average {load}, {}\n", rustc.trim())
}

/// A Markdown table whose columns stand below each other.
fn table(figures: &[Figure]) -> String {
    let head = ["what", "figure", "bar", ""].map(String::from);
    let row =
        |f: &Figure| [f.what.clone(), f.figure.clone(), f.bar.to_owned(), f.verdict().to_owned()];
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(figures.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths = [0, 1, 2, 3].map(|column| width(column).unwrap_or(0));
    let line = |cells: &[String; 4]| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| format!(" {cell:width$} "));
        format!("|{}|", cells.collect::<Vec<_>>().join("|"))
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.insert(1, format!("|{}|", widths.map(|width| "-".repeat(width + 2)).join("|")));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_which_bars_are_missed() {
        let figures = [
            Figure::against("one", String::from("3 ms"), "at most 2 ms", false),
            Figure::against("two", String::from("1 ms"), "at most 2 ms", true),
            Figure::aside("three", String::from("5")),
        ];
        let table = table(&figures);
        let verdicts = table.lines().skip(2).map(|line| line.rsplit('|').nth(1).unwrap().trim());
        assert_eq!(verdicts.collect::<Vec<_>>(), ["**missed**", "met", ""]);
        assert!(table.lines().all(|line| line.len() == table.lines().next().unwrap().len()));
    }

    #[test]
    fn clients_are_counted_from_one() {
        assert_eq!(numbers(&["1", "64"]), Ok(vec![1, 64]));
        assert!(numbers(&["0"]).is_err());
        assert!(numbers(&["many"]).is_err());
    }
}
