//! `bellwether score`: persons' scores from a file of answers and a calibration.

use std::ops::Range;
use std::path::PathBuf;

use clap::{ArgMatches, Command};
use psychometrics::responses::Responses;
use psychometrics::score::{Bank, Method, ScoreError, eap, score};
use tabular::scores::{Kind, ScoreFile};
use tabular::{Table, Wanted};

use super::estimation::option;
use super::output::{Output, counting, read};
use super::{common_arguments, document, file_argument, path, roles, text, threads};

/// Persons scored before their scores are written: bounds what stands in memory, and is a row
/// group of Parquet.
const PERSONS_AT_A_TIME: usize = 1 << 18;

/// The command and its arguments.
#[must_use]
pub fn command() -> Command {
    Command::new("score")
        .about("Score persons by a calibration")
        .arg(file_argument("RESPONSES"))
        .args(common_arguments())
        .mut_arg("out", |out| out.value_name("SCORES.{csv,parquet}"))
        .arg(option("calibration", "CALIBRATION.json", "What calibrate wrote").required(true))
        .arg(option("method", "METHOD", "eap, map, ml or wle [default: eap]"))
        .arg(option(
            "group",
            "COLUMN",
            "The column with the calibration's groups: persons are scored with their group's \
             population [default: the first group's for all]",
        ))
}

/// Reads, scores, writes.
///
/// # Errors
/// Every fault, each a sentence with its remedy.
pub fn run(given: &ArgMatches) -> Result<(), Vec<String>> {
    let method = match text(given, "method").as_deref().unwrap_or("eap") {
        "eap" => Method::Eap,
        "map" => Method::Map,
        "ml" => Method::MaximumLikelihood,
        "wle" => Method::WeightedLikelihood,
        other => return Err(vec![format!("--method {other}: choose eap, map, ml or wle")]),
    };
    let threads = threads(given);
    let known = document::read(&PathBuf::from(text(given, "calibration").unwrap_or_default()))?;
    let out = Output::open(given)?;
    let roles = roles(given);
    let file = path(given, "file").unwrap_or_default();
    let wanted = Wanted { roles: &roles, answers: Some(&known.answers), range: None, threads };
    let table = read(&file, &wanted)?;
    let banks = known.banks(&table.responses)?;
    let own = own_banks(&known, &banks, &table)?;
    let scoring = Scoring { banks: own, table: &table, items: &known.answers, method, threads };
    let n_persons = table.responses.n_persons();
    let bar = counting("scoring", n_persons);
    let mut failed = None;
    let written = out.written(|file| {
        let names = figures(known.dimensions.len());
        let id = roles.id.as_deref();
        let mut scores = ScoreFile::new(Kind::of(out.path()), file, id, &names)?;
        for start in (0..n_persons).step_by(PERSONS_AT_A_TIME) {
            let range = start..(start + PERSONS_AT_A_TIME).min(n_persons);
            match scoring.part(range.clone()) {
                Ok(part) => {
                    let ids = table.ids.as_ref().map(|ids| (ids, range.clone()));
                    scores.write(ids, &part)?;
                }
                Err(faults) => {
                    failed = Some(faults);
                    return Err(std::io::Error::other("not scored"));
                }
            }
            bar.set_position(range.end as u64);
        }
        scores.finish()
    });
    bar.finish_and_clear();
    failed.map_or(written, Err)
}

/// theta and se, numbered where there are several dimensions.
fn figures(n_dimensions: usize) -> Vec<String> {
    if n_dimensions == 1 {
        return vec![String::from("theta"), String::from("se")];
    }
    let of = |name: &'static str| (1..=n_dimensions).map(move |d| format!("{name}_{d}"));
    of("theta").chain(of("se")).collect()
}

/// The bank of each group of the file, in its order; the calibration's first where persons have no
/// groups.
fn own_banks<'a>(
    known: &document::Known,
    banks: &'a [Bank],
    table: &Table,
) -> Result<Vec<&'a Bank>, Vec<String>> {
    let Some((names, _)) = &table.groups else { return Ok(banks.iter().take(1).collect()) };
    let bank_of = |name: &String| {
        let place = known.groups.iter().position(|group| group.as_ref() == Some(name));
        let place = place.ok_or_else(|| {
            let has: Vec<&str> = known.groups.iter().flatten().map(String::as_str).collect();
            if has.is_empty() {
                return vec![String::from(
                    "--group: the calibration has no groups; leave the option out and name the \
                     column with --ignore",
                )];
            }
            vec![format!("group {name} is none of the calibration's ({})", has.join(", "))]
        })?;
        Ok(&banks[place])
    };
    names.iter().map(bank_of).collect()
}

struct Scoring<'a> {
    /// One a group of the file, or one for all.
    banks: Vec<&'a Bank>,
    table: &'a Table,
    /// The calibration's, by name.
    items: &'a [(String, Vec<i32>)],
    method: Method,
    threads: usize,
}

impl Scoring<'_> {
    /// Each figure of the persons in `range`; NaN where there is none.
    fn part(&self, range: Range<usize>) -> Result<Vec<Vec<f64>>, Vec<String>> {
        let n_figures = 2 * self.banks[0].n_dimensions();
        let mut figures = vec![vec![f64::NAN; range.len()]; n_figures];
        for (group, bank) in (0_u32..).zip(&self.banks) {
            let persons: Vec<usize> = match &self.table.groups {
                None => range.clone().collect(),
                Some((_, of)) => range.clone().filter(|&person| of[person] == group).collect(),
            };
            if persons.is_empty() {
                continue;
            }
            let responses = self.table.responses.select_persons(&persons);
            let responses = responses.map_err(|e| vec![e.to_string()])?;
            let own = self.scores(bank, &responses)?;
            for (figure, own) in figures.iter_mut().zip(own) {
                for (&person, value) in persons.iter().zip(own) {
                    figure[person - range.start] = value;
                }
            }
        }
        Ok(figures)
    }

    fn scores(&self, bank: &Bank, responses: &Responses) -> Result<Vec<Vec<f64>>, Vec<String>> {
        let n_dimensions = bank.n_dimensions();
        let worded = |e: ScoreError| match e {
            ScoreError::UnknownAnswer { item, value } => {
                let name = &self.items[item].0;
                vec![format!("column {name}: the calibration has no category for answer {value}")]
            }
            other => vec![other.to_string()],
        };
        if self.method == Method::Eap && n_dimensions == 1 {
            let scores = eap(bank, responses, self.threads).map_err(worded)?;
            return Ok(vec![scores.theta, scores.se]);
        }
        let scores = score(bank, responses, self.method, self.threads).map_err(worded)?;
        let mut figures = vec![vec![f64::NAN; scores.len()]; 2 * n_dimensions];
        for (person, score) in scores.iter().enumerate() {
            for (d, (&theta, &se)) in
                score.iter().flat_map(|score| score.theta.iter().zip(&score.se)).enumerate()
            {
                figures[d][person] = theta;
                // The error of an infinite score says nothing.
                figures[n_dimensions + d][person] = if theta.is_finite() { se } else { f64::NAN };
            }
        }
        Ok(figures)
    }
}
