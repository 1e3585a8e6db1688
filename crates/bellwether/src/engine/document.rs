//! CALIBRATION.json: the calibration as it is written and read.

use std::path::Path;

use psychometrics::calibrate::{Calibration, Estimate, GroupEstimate, ItemEstimate};
use psychometrics::models::{
    GeneralisedPartialCredit, Graded, ItemParameters, Nominal, PartialCredit, Rasch,
    ThreeParameter, TwoParameter,
};
use psychometrics::score::{Bank, BankItem};
use serde_json::{Map, Value, json};

/// Changes when a reader of the last one would misread this one.
const FORMAT: u32 = 1;

/// The document of a calibration.
pub fn write(
    calibration: &Calibration,
    model: &str,
    items: &[String],
    dimensions: &[String],
    groups: Option<&[String]>,
) -> Value {
    let mut document = json!({
        "version": { "format": FORMAT, "engine": env!("CARGO_PKG_VERSION") },
        "model": model,
        "log_likelihood": calibration.log_likelihood,
        "log_prior": calibration.log_prior,
        "n_persons": calibration.n_persons,
        "n_parameters": calibration.n_parameters,
        "cycles": calibration.cycles,
        "newton_steps": calibration.newton_steps,
        "converged": calibration.converged,
        "gradient_max": calibration.gradient_max,
        "nodes": calibration.n_nodes,
        "range": calibration.range,
        "latent": latent(&calibration.groups[0]),
        "items": calibration
            .items
            .iter()
            .map(|item| of_item(item, &items[item.item], dimensions.len()))
            .collect::<Vec<_>>(),
        "flags": flags(calibration, items),
    });
    if dimensions.len() > 1 {
        document["dimensions"] = json!(dimensions);
    }
    if let Some(names) = groups {
        let of = |(name, group): (&String, &GroupEstimate)| {
            let mut group = latent(group);
            group["name"] = json!(name);
            group
        };
        document["groups"] = names.iter().zip(&calibration.groups).map(of).collect();
    }
    document
}

/// Flags in words, with the items' names.
pub fn flags(calibration: &Calibration, items: &[String]) -> Vec<String> {
    let named = |flag: &psychometrics::calibrate::Flag| {
        let text = flag.to_string();
        match text.strip_prefix("item ").and_then(|rest| rest.split_once(':')) {
            Some((number, rest)) => match number.parse::<usize>().ok().and_then(|at| items.get(at))
            {
                Some(name) => format!("item {name}:{rest}"),
                None => text,
            },
            None => text,
        }
    };
    calibration.flags.iter().map(named).collect()
}

fn latent(group: &GroupEstimate) -> Value {
    let values = |list: &[Estimate]| list.iter().map(|e| e.value).collect::<Vec<_>>();
    let errors = |list: &[Estimate]| list.iter().map(|e| e.se).collect::<Vec<_>>();
    let covariance = &group.covariance;
    json!({
        "mean": values(&group.mean),
        "covariance": covariance.iter().map(|row| values(row)).collect::<Vec<_>>(),
        "se": {
            "mean": errors(&group.mean),
            "covariance": covariance.iter().map(|row| errors(row)).collect::<Vec<_>>(),
        },
    })
}

fn of_item(item: &ItemEstimate, name: &str, n_dimensions: usize) -> Value {
    let values = |list: &[Estimate]| list.iter().map(|e| e.value).collect::<Vec<_>>();
    let errors = |list: &[Estimate]| list.iter().map(|e| e.se).collect::<Vec<_>>();
    let mut fields = Map::new();
    let mut set = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    set("id", json!(name));
    set("model", json!(model_name(&item.parameters)));
    set("categories", json!(item.values.len()));
    set("values", json!(item.values));
    if n_dimensions > 1 {
        set("dimension", json!(item.dimension));
    }
    if matches!(item.parameters, ItemParameters::Nominal(_)) {
        set("slopes", json!(values(&item.slopes)));
        set("intercepts", json!(values(&item.intercepts)));
        set(
            "se",
            json!({
                "slopes": errors(&item.slopes),
                "intercepts": errors(&item.intercepts),
            }),
        );
        return Value::Object(fields);
    }
    let slope = |value: Value| {
        if n_dimensions == 1 {
            return value;
        }
        let place = |d| if d == item.dimension { value.clone() } else { json!(0.0) };
        (0..n_dimensions).map(place).collect()
    };
    set("a", slope(json!(item.slopes[0].value)));
    set("d", json!(values(&item.intercepts)));
    set("b", json!(values(&item.thresholds)));
    let mut se = json!({
        "a": slope(json!(item.slopes[0].se)),
        "d": errors(&item.intercepts),
        "b": errors(&item.thresholds),
    });
    if let Some(guessing) = item.guessing {
        set("c", json!(guessing.value));
        se["c"] = json!(guessing.se);
    }
    set("se", se);
    Value::Object(fields)
}

fn model_name(item: &ItemParameters) -> &'static str {
    match item {
        ItemParameters::Graded(_) => "graded",
        ItemParameters::GeneralisedPartialCredit(_) => "generalised-partial-credit",
        ItemParameters::PartialCredit(_) | ItemParameters::RatingScale(_) => "partial-credit",
        ItemParameters::TwoParameter(_) => "two-parameter",
        ItemParameters::ThreeParameter(_) => "three-parameter",
        ItemParameters::Rasch(_) => "rasch",
        _ => "nominal",
    }
}

/// What scoring needs of a document.
pub struct Known {
    /// Names of the items with the answers they may have.
    pub answers: Vec<(String, Vec<i32>)>,
    /// Names of the groups; one without a name where there are none.
    pub groups: Vec<Option<String>>,
    /// One a group.
    pub banks: Vec<Bank>,
}

/// Reads a document.
///
/// # Errors
/// A sentence that names the file and the place.
pub fn read(path: &Path) -> Result<Known, Vec<String>> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|e| vec![format!("{shown} cannot be read ({e})")])?;
    let document: Value = serde_json::from_str(&text).map_err(|e| {
        vec![format!("{shown} is not JSON ({e}); name a file that calibrate wrote")]
    })?;
    known(&document).map_err(|what| {
        vec![format!("{shown}: {what}; name a file that this program's calibrate wrote")]
    })
}

fn known(document: &Value) -> Result<Known, String> {
    let format = document["version"]["format"].as_u64();
    if format != Some(u64::from(FORMAT)) {
        return Err(format!("the format is {format:?}, not {FORMAT}"));
    }
    let items = document["items"].as_array().ok_or("there is no list of items")?;
    let mut answers: Vec<(String, Vec<i32>)> = Vec::new();
    let mut bank_items = Vec::new();
    for item in items {
        let id = item["id"].as_str().ok_or("an item has no id")?;
        if answers.iter().any(|(name, _)| name == id) {
            return Err(format!("item {id} stands there twice"));
        }
        let faulty = |what: &str| format!("item {id}: {what}");
        let values: Vec<i32> = numbers(&item["values"])
            .ok_or_else(|| faulty("values are not numbers"))?
            .iter()
            .map(|&value| value as i32)
            .collect();
        let dimension = item["dimension"].as_u64().unwrap_or(0) as usize;
        let parameters = parameters(item, dimension).map_err(|what| faulty(&what))?;
        bank_items.push(BankItem::new(parameters, dimension, values.clone()));
        answers.push((id.to_owned(), values));
    }
    let n_nodes = document["nodes"].as_u64().ok_or("there is no number of nodes")? as usize;
    let range = document["range"].as_f64().ok_or("there is no range")?;
    let populations: Vec<(Option<String>, &Value)> = match document["groups"].as_array() {
        Some(groups) => groups.iter().map(|g| (g["name"].as_str().map(String::from), g)).collect(),
        None => vec![(None, &document["latent"])],
    };
    let (mut groups, mut banks) = (Vec::new(), Vec::new());
    for (name, population) in populations {
        let mean = numbers(&population["mean"]).ok_or("a population has no mean")?;
        let rows = population["covariance"].as_array().ok_or("a population has no covariance")?;
        let covariance: Option<Vec<Vec<f64>>> = rows.iter().map(numbers).collect();
        let covariance = covariance.ok_or("a covariance is not of numbers")?;
        let bank = Bank::new(bank_items.clone(), mean, &covariance, n_nodes, range);
        banks.push(bank.map_err(|e| e.to_string())?);
        groups.push(name);
    }
    Ok(Known { answers, groups, banks })
}

fn numbers(value: &Value) -> Option<Vec<f64>> {
    value.as_array()?.iter().map(Value::as_f64).collect()
}

fn parameters(item: &Value, dimension: usize) -> Result<ItemParameters, String> {
    let list = |key: &str| numbers(&item[key]).ok_or_else(|| format!("{key} is not of numbers"));
    let model = item["model"].as_str().unwrap_or_default();
    if model == "nominal" {
        let nominal = Nominal::new(&list("slopes")?, &list("intercepts")?);
        return nominal.map(ItemParameters::Nominal).map_err(|e| e.to_string());
    }
    let slope = item["a"].as_f64().or_else(|| item["a"][dimension].as_f64());
    let a = slope.ok_or("a is not a number")?;
    let d = list("d")?;
    let first = d.first().copied().ok_or("d is empty")?;
    let made = match model {
        "graded" => Graded::new(a, &d).map(ItemParameters::Graded),
        "generalised-partial-credit" => {
            GeneralisedPartialCredit::new(a, &d).map(ItemParameters::GeneralisedPartialCredit)
        }
        "partial-credit" => PartialCredit::new(&d).map(ItemParameters::PartialCredit),
        "two-parameter" => TwoParameter::new(a, first).map(ItemParameters::TwoParameter),
        "three-parameter" => {
            let c = item["c"].as_f64().ok_or("c is not a number")?;
            ThreeParameter::new(a, first, c).map(ItemParameters::ThreeParameter)
        }
        "rasch" => Rasch::new(first).map(ItemParameters::Rasch),
        other => return Err(format!("there is no model “{other}”")),
    };
    made.map_err(|e| e.to_string())
}
