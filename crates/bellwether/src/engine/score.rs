//! `bellwether score`: persons' scores from a file of answers and a calibration.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{ArgMatches, Command};
use psychometrics::score::{Bank, Method, Score, score};

use super::estimation::option;
use super::output::{deliver_text, working};
use super::{answers, common_arguments, document, file_argument, path, roles, text, threads};

/// The command and its arguments.
#[must_use]
pub fn command() -> Command {
    Command::new("score")
        .about("Score persons by a calibration")
        .arg(file_argument("RESPONSES.csv"))
        .args(common_arguments())
        .mut_arg("out", |out| out.value_name("SCORES.csv"))
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
    let roles = roles(given);
    let file = path(given, "file").unwrap_or_default();
    let table = answers::read(&file, &roles, Some(&known.answers))?;
    let bar = working(format!("scoring {} persons", table.responses.n_persons()));
    let scores = by_group(&known, &table, method, threads);
    bar.finish_and_clear();
    let text = written(&scores?, known.banks[0].n_dimensions(), &roles, &table);
    deliver_text(&text, path(given, "out").as_deref())
}

/// Each person by the population of its group.
fn by_group(
    known: &document::Known,
    table: &answers::Table,
    method: Method,
    threads: usize,
) -> Result<Vec<Option<Score>>, Vec<String>> {
    let all = |bank: &Bank| {
        score(bank, &table.responses, method, threads).map_err(|e| vec![e.to_string()])
    };
    let Some((names, groups)) = &table.groups else { return all(&known.banks[0]) };
    let bank_of = |name: &String| {
        let place = known.groups.iter().position(|group| group.as_ref() == Some(name));
        place.ok_or_else(|| vec![format!("group {name} is none of the calibration's")])
    };
    let mut scores = vec![None; groups.len()];
    for (group, name) in (0_u32..).zip(names) {
        let found = all(&known.banks[bank_of(name)?])?;
        for ((own, found), _) in
            scores.iter_mut().zip(found).zip(groups).filter(|(_, g)| **g == group)
        {
            *own = found;
        }
    }
    Ok(scores)
}

fn written(
    scores: &[Option<Score>],
    n_dimensions: usize,
    roles: &answers::Roles,
    table: &answers::Table,
) -> String {
    let mut text = String::with_capacity(40 * scores.len());
    if let Some(id) = &roles.id {
        text.push_str(&quoted(id));
        text.push(',');
    }
    if n_dimensions == 1 {
        text.push_str("theta,se\n");
    } else {
        for name in ["theta", "se"] {
            for d in 1..=n_dimensions {
                let end = if name == "se" && d == n_dimensions { '\n' } else { ',' };
                let _ = write!(text, "{name}_{d}{end}");
            }
        }
    }
    let cell = |text: &mut String, value: Option<f64>, end: char| {
        // What is infinite or not there is left empty.
        if let Some(value) = value.filter(|value| value.is_finite()) {
            let _ = write!(text, "{value}");
        }
        text.push(end);
    };
    for (person, score) in scores.iter().enumerate() {
        if let Some(ids) = &table.ids {
            text.push_str(&quoted(&ids[person]));
            text.push(',');
        }
        let value = |list: fn(&Score) -> &Vec<f64>, d: usize| score.as_ref().map(|s| list(s)[d]);
        for d in 0..n_dimensions {
            cell(&mut text, value(|s| &s.theta, d), ',');
        }
        for d in 0..n_dimensions {
            let finite = value(|s| &s.theta, d).is_some_and(f64::is_finite);
            let se = value(|s| &s.se, d).filter(|_| finite);
            cell(&mut text, se, if d + 1 == n_dimensions { '\n' } else { ',' });
        }
    }
    text
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
