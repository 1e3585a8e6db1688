//! `bellwether fairness`: does each item work alike in every group?

use clap::{ArgMatches, Command};
use psychometrics::calibrate::{Calibration, Estimate, GroupEstimate, ItemEstimate, Sample};
use psychometrics::fairness::{LikelihoodRatios, likelihood_ratios};
use serde_json::{Map, Value, json};

use super::calibrate::worded;
use super::estimation::{calibrating, estimation, specification, with_reference};
use super::output::{Output, read, remark, working};
use super::sound::{self, enough_items};
use super::{common_arguments, document, every_column, file_argument, path, roles, threads};

/// The command and its arguments.
#[must_use]
pub fn command() -> Command {
    let calibrating = calibrating().map(|argument| {
        if argument.get_id() == "group" { argument.required(true) } else { argument }
    });
    Command::new("fairness")
        .about("Test every item for differential functioning between groups")
        .arg(file_argument("RESPONSES"))
        .args(common_arguments())
        .args(calibrating)
}

/// Reads, tests, writes.
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
    let (model, asked) = specification(given, &table.responses)?;
    enough_items(table.items.len(), &model, None)?;
    let Some((names, groups)) = &table.groups else {
        return Err(vec![String::from("--group is missing: name the column of groups")]);
    };
    if let [only] = &names[..] {
        return Err(vec![format!("all persons are in group {only}; fairness compares groups")]);
    }
    let sample = Sample { responses: &table.responses, groups: Some(groups), weights: None };
    let bar = working(format!("testing {} items", table.items.len()));
    let found = likelihood_ratios(&sample, &asked, &options);
    bar.finish_and_clear();
    let found = found.map_err(|e| vec![worded(&e, &table.items, Some(names))])?;
    let mut document = written(&found, &model, &table.items, names, groups);
    let flags = [notes, document::flags(&found.baseline, &table.items)].concat();
    document["flags"] = json!(flags);
    out.figures(&document)?;
    remark(&flags);
    Ok(())
}

fn written(
    found: &LikelihoodRatios,
    model: &str,
    items: &[String],
    names: &[String],
    groups: &[u32],
) -> Value {
    let count = |group: u32| groups.iter().filter(|&&g| g == group).count();
    let n_by_group: Map<String, Value> =
        (0_u32..).zip(names).map(|(group, name)| (name.clone(), json!(count(group)))).collect();
    let baseline = &found.baseline;
    let shared: Map<String, Value> =
        baseline.items.iter().map(|item| (items[item.item].clone(), parameters(item))).collect();
    let freed: Map<String, Value> = items
        .iter()
        .zip(&found.items)
        .enumerate()
        .map(|(at, (name, item))| {
            let entry = match item {
                Ok(item) => json!({
                    "logLik": item.calibration.log_likelihood,
                    "X2": item.x2,
                    "df": item.df,
                    "p": item.p,
                    "converged": item.calibration.converged,
                    "parameters_by_group": by_group(&item.calibration, at, names),
                    "group_parameters": populations(&item.calibration, names),
                    "differences": names[1..]
                        .iter()
                        .zip(&item.differences)
                        .map(|(name, d)| {
                            let size = json!({ "signed": d.signed, "unsigned": d.unsigned });
                            (name.clone(), size)
                        })
                        .collect::<Map<_, _>>(),
                }),
                Err(e) => json!({ "error": worded(e, items, Some(names)) }),
            };
            (name.clone(), entry)
        })
        .collect();
    json!({
        "model": model,
        "n_by_group": n_by_group,
        "reference_group": names[0],
        "baseline": {
            "logLik": baseline.log_likelihood,
            "n_par": baseline.n_parameters,
            "iterations": baseline.cycles,
            "converged": baseline.converged,
            "group_parameters": populations(baseline, names),
            "parameters": shared,
        },
        "free_one_item": freed,
    })
}

fn by_group(calibration: &Calibration, item: usize, names: &[String]) -> Map<String, Value> {
    names
        .iter()
        .enumerate()
        .filter_map(|(group, name)| {
            let own = calibration.item_for(item, Some(group))?;
            Some((name.clone(), parameters(own)))
        })
        .collect()
}

/// a, b or b1 … (slopes and intercepts by category for nominal items).
fn parameters(item: &ItemEstimate) -> Value {
    let mut fields = Map::new();
    let mut list = |name: &str, estimates: &[Estimate], first: usize| {
        for (k, estimate) in estimates.iter().enumerate() {
            let key = if estimates.len() == 1 && first == 1 {
                name.to_owned()
            } else {
                format!("{name}{}", k + first)
            };
            fields.insert(key, json!(estimate.value));
        }
    };
    if item.thresholds.is_empty() {
        list("a", &item.slopes, 0);
        list("c", &item.intercepts, 0);
    } else {
        list("a", &item.slopes, 1);
        list("b", &item.thresholds, 1);
    }
    if let Some(guessing) = item.guessing {
        fields.insert(String::from("c"), json!(guessing.value));
    }
    Value::Object(fields)
}

fn populations(calibration: &Calibration, names: &[String]) -> Map<String, Value> {
    let of = |(name, group): (&String, &GroupEstimate)| {
        let figures = json!({
            "MEAN_1": group.mean[0].value,
            "COV_11": group.covariance[0][0].value,
        });
        (name.clone(), figures)
    };
    names.iter().zip(&calibration.groups).map(of).collect()
}
