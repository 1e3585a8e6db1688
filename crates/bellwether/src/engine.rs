//! Commands that run the measurement engine on files: files in, files out.
//!
//! Each command is a module with `command()`, its arguments, and `run()`, which gives every fault
//! as a sentence that says where and what to do. They are thin: figures come from
//! `psychometrics`, under the names that the field's own software gives them.

pub mod agreement;
pub mod calibrate;
mod document;
mod estimation;
pub mod fairness;
mod output;
pub mod quality;
pub mod score;
pub mod simulate;
mod sound;
mod stop;
mod table;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::{Arg, ArgMatches};
use tabular::{Roles, Wanted};

/// The file of answers or ratings.
fn file_argument(name: &'static str) -> Arg {
    Arg::new("file")
        .required(true)
        .value_name(name)
        .value_parser(clap::value_parser!(PathBuf))
        .help(
            "A CSV file (a header row, one column an item, an empty cell for a missing answer) or \
             a Parquet file",
        )
}

/// `--out`, `--id`, `--ignore`, `--threads`: what every command of the engine takes.
fn common_arguments() -> [Arg; 4] {
    [
        Arg::new("out")
            .long("out")
            .value_name("FILE.json")
            .value_parser(clap::value_parser!(PathBuf))
            .help("Where the figures go; without it they are printed"),
        Arg::new("id").long("id").value_name("COLUMN").help("The column that names the person"),
        Arg::new("ignore")
            .long("ignore")
            .value_name("COLUMNS")
            .value_delimiter(',')
            .help("Columns that are not items, separated by commas"),
        Arg::new("threads")
            .long("threads")
            .value_name("N")
            .allow_negative_numbers(true)
            .value_parser(clap::value_parser!(u16).range(1..=1024))
            .default_value("1")
            .help("Threads to use"),
    ]
}

fn path(given: &ArgMatches, name: &str) -> Option<PathBuf> {
    given.get_one::<PathBuf>(name).cloned()
}

fn text(given: &ArgMatches, name: &str) -> Option<String> {
    given.get_one::<String>(name).cloned()
}

fn list(given: &ArgMatches, name: &str) -> Vec<String> {
    given.get_many::<String>(name).into_iter().flatten().cloned().collect()
}

/// The columns of a file that are no items.
fn roles(given: &ArgMatches) -> Roles {
    let column = |name: &str| {
        let known = given.try_contains_id(name).unwrap_or(false);
        if known { text(given, name) } else { None }
    };
    Roles {
        id: column("id"),
        group: column("group"),
        weight: column("weight"),
        ignore: list(given, "ignore"),
    }
}

/// Every column that has no role is an item with any answers.
fn every_column(roles: &Roles, threads: usize) -> Wanted<'_> {
    Wanted { roles, answers: None, range: None, threads }
}

fn threads(given: &ArgMatches) -> usize {
    given.get_one::<u16>("threads").map_or(1, |&threads| usize::from(threads))
}
