//! Arguments of the commands that estimate.

use std::str::FromStr;

use clap::{Arg, ArgMatches};
use psychometrics::calibrate::{Model, Options, Specification};
use psychometrics::responses::Responses;
use tabular::Table;

use super::{text, threads};

/// What calibrating commands take besides.
pub fn calibrating() -> [Arg; 6] {
    [
        option(
            "model",
            "MODEL",
            "graded, partial-credit (slopes estimated), rating-scale, two-parameter, \
             three-parameter, rasch (on items of more categories: Masters' partial credit), nominal",
        )
        .required(true),
        option("group", "COLUMN", "The column that says which group a person is in"),
        option(
            "reference",
            "NAME",
            "The group whose population is the measure of all [default: the first in order]",
        ),
        option("nodes", "N", "Quadrature nodes a dimension [default: 61, 31, 15, 11]"),
        option("range", "LOGITS", "The last node; the first is its negative [default: 6]"),
        option(
            "tolerance",
            "NUMBER",
            "The largest derivative of the log-likelihood a person, at the end [default: 1e-6]",
        ),
    ]
}

/// A negative number is a value like any other, so that it is refused for what it is.
pub fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).allow_negative_numbers(true).help(help)
}

fn number<T: FromStr>(
    given: &ArgMatches,
    name: &str,
    kind: &str,
) -> Result<Option<T>, Vec<String>> {
    text(given, name)
        .map(|text| text.parse().map_err(|_| vec![format!("--{name} {text}: this must be {kind}")]))
        .transpose()
}

/// How to estimate, from `--nodes`, `--range`, `--tolerance` and `--threads`.
pub fn estimation(given: &ArgMatches) -> Result<Options, Vec<String>> {
    let default = Options::default();
    Ok(Options {
        n_nodes: number(given, "nodes", "a whole number")?,
        range: number(given, "range", "a number of logits")?.unwrap_or(default.range),
        tolerance: number(given, "tolerance", "a number, such as 1e-6")?
            .unwrap_or(default.tolerance),
        threads: threads(given),
        ..default
    })
}

/// The specification that `--model` asks for.
pub fn specification(
    given: &ArgMatches,
    responses: &Responses,
) -> Result<(String, Specification), Vec<String>> {
    let name = text(given, "model").unwrap_or_default();
    let model = match &name[..] {
        "graded" => Model::Graded,
        "partial-credit" => Model::GeneralisedPartialCredit,
        "rating-scale" => Model::RatingScale,
        "two-parameter" => Model::TwoParameter,
        "three-parameter" => Model::ThreeParameter,
        "rasch" => Model::Rasch,
        "nominal" => Model::Nominal,
        _ => {
            return Err(vec![format!(
                "--model {name}: choose graded, partial-credit, rating-scale, two-parameter, \
                 three-parameter, rasch or nominal"
            )]);
        }
    };
    let mut specification = Specification::of(model, responses.n_items());
    if model == Model::Rasch {
        for (item, own) in specification.items.iter_mut().enumerate() {
            if responses.counts(item).iter().filter(|&&n| n > 0).count() > 2 {
                own.model = Model::PartialCredit;
            }
        }
    }
    Ok((name, specification))
}

/// Puts the group that `--reference` names first.
///
/// # Errors
/// If there is no such group.
pub fn with_reference(given: &ArgMatches, table: &mut Table) -> Result<(), Vec<String>> {
    let Some(wanted) = text(given, "reference") else { return Ok(()) };
    let Some((names, groups)) = &mut table.groups else {
        return Err(vec![String::from("--reference needs --group, the column of groups")]);
    };
    let Some(place) = names.iter().position(|name| *name == wanted) else {
        return Err(vec![format!(
            "--reference {wanted}: there is no such group; there are {}",
            names.join(", ")
        )]);
    };
    names[..=place].rotate_right(1);
    let place = place as u32;
    for group in groups {
        *group = match *group {
            group if group == place => 0,
            group if group < place => group + 1,
            group => group,
        };
    }
    Ok(())
}
