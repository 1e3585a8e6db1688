//! `bellwether calibrate`: item parameters and population from a file of answers.

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command};
use psychometrics::calibrate::{CalibrateError, Density, Parameter, Prior, Sample, calibrate};
use serde_json::{Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::estimation::{calibrating, estimation, option, specification, with_reference};
use super::output::{Output, read, remark, working};
use super::sound::{self, enough_items};
use super::{common_arguments, document, every_column, file_argument, path, roles, text, threads};

/// The command and its arguments.
#[must_use]
pub fn command() -> Command {
    Command::new("calibrate")
        .about("Estimate item parameters and population figures from answers")
        .arg(file_argument("RESPONSES"))
        .args(common_arguments())
        .mut_arg("out", |out| out.value_name("CALIBRATION.json"))
        .args(calibrating())
        .arg(option(
            "dimensions",
            "FILE.toml",
            "Which items measure what: NAME = [\"item\", \"item\"], a line a dimension",
        ))
        .arg(option("weight", "COLUMN", "The column with persons' sampling weights"))
}

/// Reads, estimates, writes.
///
/// # Errors
/// Every fault, each a sentence with its remedy.
pub fn run(given: &ArgMatches) -> Result<(), Vec<String>> {
    let options = estimation(given)?;
    let out = Output::open(given)?;
    let file = path(given, "file").unwrap_or_default();
    let mut table = read(&file, &every_column(&roles(given), threads(given)))?;
    let notes = sound::answers(&table, &file)?;
    with_reference(given, &mut table)?;
    let (model, mut asked) = specification(given, &table.responses)?;
    let mut dimensions = vec![String::from("theta")];
    if let Some(file) = text(given, "dimensions").map(PathBuf::from) {
        let (names, of_item) = read_dimensions(&file, &table.items, "dimension")?;
        asked = asked.on_dimensions(&of_item);
        enough_items(table.items.len(), &model, Some((&names, &of_item)))?;
        dimensions = names;
    } else {
        enough_items(table.items.len(), &model, None)?;
    }
    if table.weights.as_ref().is_some_and(|weights| weights.iter().all(|&weight| weight == 0.0)) {
        let column = text(given, "weight").unwrap_or_default();
        let shown = file.display();
        return Err(vec![format!("{shown}: --weight {column}: every weight is 0: nobody counts")]);
    }
    let sample = Sample {
        responses: &table.responses,
        groups: table.groups.as_ref().map(|(_, groups)| &groups[..]),
        weights: table.weights.as_deref(),
    };
    let (n_persons, n_items) = (table.responses.n_persons(), table.items.len());
    let bar = working(format!("calibrating {n_items} items on {n_persons} persons"));
    let found = calibrate(&sample, &asked, &options);
    bar.finish_and_clear();
    let names = table.groups.as_ref().map(|(names, _)| &names[..]);
    let found = found.map_err(|e| vec![worded(&e, &table.items, names)])?;
    let mut document = document::write(&found, &model, &table.items, &dimensions, names);
    let flags = [notes, document::flags(&found, &table.items)].concat();
    document["flags"] = json!(flags);
    let mut has_prior = false;
    for (item, asked) in asked.items.iter().enumerate().filter(|(_, own)| !own.priors.is_empty()) {
        document["items"][item]["prior"] = Value::Object(asked.priors.iter().map(stated).collect());
        has_prior = true;
    }
    // Neither is defined for a posterior, nor for weights that do not count persons.
    if table.weights.is_none() && !has_prior {
        document["AIC"] = json!(found.aic());
        document["BIC"] = json!(found.bic());
    }
    out.figures(&document)?;
    remark(&flags);
    Ok(())
}

/// The parameter a prior is on, and the density with its numbers.
fn stated(prior: &Prior) -> (String, Value) {
    let parameter = match prior.parameter {
        Parameter::Slope => "a",
        Parameter::Intercept => "d",
        Parameter::Guessing => "c",
    };
    let density = match prior.density {
        Density::Normal { mean, sd } => json!({ "normal": [mean, sd] }),
        Density::LogNormal { mean, sd } => json!({ "log-normal": [mean, sd] }),
        Density::Beta { alpha, beta } => json!({ "beta": [alpha, beta] }),
    };
    (parameter.to_owned(), density)
}

/// The error with the file's own names in it.
pub fn worded(error: &CalibrateError, items: &[String], groups: Option<&[String]>) -> String {
    let option = match error {
        CalibrateError::Setting { option: "number of nodes", .. } => Some("--nodes"),
        CalibrateError::Setting { option: "range", .. } => Some("--range"),
        CalibrateError::Setting { option: "tolerance", .. } => Some("--tolerance"),
        _ => None,
    };
    if let (Some(option), CalibrateError::Setting { value, wanted, .. }) = (option, error) {
        return format!("{option} {value}: {wanted}");
    }
    let mut text = error.to_string();
    if let Some((number, rest)) = text.strip_prefix("item ").and_then(|t| t.split_once([':', ' ']))
        && let Some(name) = number.parse::<usize>().ok().and_then(|at| items.get(at))
    {
        text = format!("item {name}: {}", rest.trim_start());
    }
    if let (Some(groups), Some((before, number))) = (groups, text.rsplit_once(" in group "))
        && let Some(name) = number.parse::<usize>().ok().and_then(|at| groups.get(at))
    {
        text = format!("{before} in group {name}");
    }
    let remedy = match error {
        CalibrateError::NoVariance { .. } | CalibrateError::NoAnswers { .. } => {
            ". Leave the item out with --ignore"
        }
        CalibrateError::TooFewPersons { .. } => ". More persons, fewer items or rasch would do",
        CalibrateError::NotTwoCategories { .. } => ". Choose a model for ordered categories",
        _ => "",
    };
    text + remedy
}

/// Names of the dimensions (or facets: `kind`) in the file's order, and each item's place among
/// them.
pub(super) fn read_dimensions(
    path: &Path,
    items: &[String],
    kind: &str,
) -> Result<(Vec<String>, Vec<usize>), Vec<String>> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|e| vec![format!("{shown} cannot be read ({e})")])?;
    let table = DeTable::parse(&text).map_err(|e| vec![format!("{shown}: {e}")])?;
    let whole = table.get_ref();
    let table = match whole.get("dimensions").map(Spanned::get_ref) {
        Some(DeValue::Table(inner)) => inner,
        _ => whole,
    };
    let mut lines: Vec<_> = table.iter().collect();
    lines.sort_by_key(|(name, _)| name.span().start);
    let (mut names, mut of_item, mut faults) = (Vec::new(), vec![None; items.len()], Vec::new());
    for (name, list) in lines {
        let name = name.get_ref();
        let Some(list) = list.get_ref().as_array() else {
            faults.push(format!("{shown}: {name} must be a list of items"));
            continue;
        };
        for entry in list {
            let written = &text[entry.span()];
            let place = entry.get_ref().as_str().and_then(|e| items.iter().position(|i| i == e));
            match place {
                Some(item) if of_item[item].is_none() => of_item[item] = Some(names.len()),
                Some(item) => {
                    let item = &items[item];
                    faults.push(format!("{shown}: {item} is named twice; an item has one {kind}"));
                }
                None => faults.push(format!("{shown}: {name} names {written}, which is no item")),
            }
        }
        names.push(name.to_string());
    }
    for (item, place) in items.iter().zip(&of_item) {
        if place.is_none() {
            faults.push(format!("{shown}: {item} is on no {kind}"));
        }
    }
    if faults.is_empty() {
        Ok((names, of_item.into_iter().flatten().collect()))
    } else {
        Err(faults)
    }
}
