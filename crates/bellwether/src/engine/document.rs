//! CALIBRATION.json: the calibration as it is written and read.

use std::collections::HashSet;
use std::path::Path;

use psychometrics::calibrate::{Calibration, Estimate, GroupEstimate, ItemEstimate, Options};
use psychometrics::models::{
    GeneralisedPartialCredit, Graded, ItemModel as _, ItemParameters, Nominal, PartialCredit,
    Rasch, ThreeParameter, TwoParameter,
};
use psychometrics::responses::Responses;
use psychometrics::score::{Bank, BankItem};
use serde_json::{Map, Value, json};

/// Changes when a reader of the last one would misread this one.
const FORMAT: u32 = 1;

/// What a document's model may be: of all items, or of those that do not say it themselves.
const MODELS: [&str; 8] = [
    "graded",
    "partial-credit",
    "generalised-partial-credit",
    "rating-scale",
    "two-parameter",
    "three-parameter",
    "rasch",
    "nominal",
];

/// Thresholds and intercepts that were rounded to two decimals may differ by as much, relatively.
const ROUNDED: f64 = 0.02;

/// Nodes a dimension where a document does not say, by the number of dimensions.
const DEFAULT_NODES: [usize; 4] = [61, 31, 15, 11];

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

/// A group's mean, and its covariance as rows.
pub type Population = (Vec<f64>, Vec<Vec<f64>>);

/// What scoring needs of a document.
pub struct Known {
    /// Names of the items with the answers they may have; empty where the document does not say,
    /// which is a document that another program wrote.
    pub answers: Vec<(String, Vec<i32>)>,
    /// Their parameters and dimensions.
    pub items: Vec<(ItemParameters, usize)>,
    /// Names of the groups; one without a name where there are none.
    pub groups: Vec<Option<String>>,
    /// Mean and covariance of each.
    pub populations: Vec<Population>,
    /// Names of the dimensions.
    pub dimensions: Vec<String>,
    n_nodes: usize,
    range: f64,
}

impl Known {
    /// One bank a group. Where the document does not say which answers an item has, the lowest of
    /// `responses` is its lowest category.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn banks(&self, responses: &Responses) -> Result<Vec<Bank>, Vec<String>> {
        let items: Vec<BankItem> = self
            .items
            .iter()
            .zip(&self.answers)
            .enumerate()
            .map(|(at, ((parameters, dimension), (_, values)))| {
                let (lowest, n) = (responses.lowest(at), parameters.n_categories());
                let counted = || (lowest..).take(n).collect();
                let values = if values.is_empty() { counted() } else { values.clone() };
                BankItem::new(parameters.clone(), *dimension, values)
            })
            .collect();
        let bank = |(mean, covariance): &(Vec<f64>, Vec<Vec<f64>>)| {
            let bank = Bank::new(items.clone(), mean.clone(), covariance, self.n_nodes, self.range);
            bank.map_err(|e| vec![format!("the calibration cannot be used: {e}")])
        };
        self.populations.iter().map(bank).collect()
    }
}

/// Reads a document.
///
/// # Errors
/// A sentence that names the file and the place.
pub fn read(path: &Path) -> Result<Known, Vec<String>> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|e| vec![format!("{shown} cannot be read ({e})")])?;
    let text = text.trim_start_matches('\u{feff}');
    let document: Value = serde_json::from_str(text).map_err(|e| {
        vec![format!("{shown} is not JSON ({e}); name a file that calibrate wrote")]
    })?;
    known(&document).map_err(|what| {
        vec![format!("{shown}: {what}; name a file that this program's calibrate wrote")]
    })
}

fn known(document: &Value) -> Result<Known, String> {
    let format = &document["version"]["format"];
    if !format.is_null() && format.as_u64() != Some(u64::from(FORMAT)) {
        return Err(format!("the format is {format}, not {FORMAT}"));
    }
    let model = &document["model"];
    if !model.is_null() && !model.as_str().is_some_and(|name| MODELS.contains(&name)) {
        return Err(format!("there is no model {model}"));
    }
    let list = document["items"].as_array().ok_or("there is no list of items")?;
    if list.is_empty() {
        return Err(String::from("the list of items is empty"));
    }
    let (mut answers, mut items) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for item in list {
        let id = item["id"].as_str().ok_or("an item has no id")?;
        if !seen.insert(id) {
            return Err(format!("item {id} stands there twice"));
        }
        let faulty = |what: &str| format!("item {id}: {what}");
        let values = match &item["values"] {
            Value::Null => Vec::new(),
            values => numbers(values).ok_or_else(|| faulty("values are not numbers"))?,
        };
        let dimension = dimension(item).map_err(|what| faulty(&what))?;
        let parameters = parameters(document, item, dimension).map_err(|what| faulty(&what))?;
        agreeing(item, &parameters, dimension, &values).map_err(|what| faulty(&what))?;
        items.push((parameters, dimension));
        answers.push((id.to_owned(), values.iter().map(|&value| value as i32).collect()));
    }
    let (groups, populations) = groups(document)?;
    let n_dimensions = populations[0].0.len();
    for ((id, _), (_, dimension)) in answers.iter().zip(&items) {
        if *dimension >= n_dimensions {
            return Err(format!(
                "item {id} is on dimension {dimension}, counted from 0, and the population has \
                 {n_dimensions}"
            ));
        }
    }
    let names = document["dimensions"].as_array().map(|names| {
        names.iter().map(|name| name.as_str().unwrap_or_default().to_owned()).collect()
    });
    let numbered = || match n_dimensions {
        1 => vec![String::from("theta")],
        n => (1..=n).map(|d| format!("theta_{d}")).collect(),
    };
    Ok(Known {
        answers,
        items,
        groups,
        populations,
        dimensions: names.unwrap_or_else(numbered),
        n_nodes: match &document["nodes"] {
            Value::Null => DEFAULT_NODES[n_dimensions.clamp(1, 4) - 1],
            nodes => nodes.as_u64().ok_or("the number of nodes is no whole number")? as usize,
        },
        range: match &document["range"] {
            Value::Null => Options::default().range,
            range => range.as_f64().ok_or("the range is no number")?,
        },
    })
}

/// Refuses an item that says one thing in two ways which differ.
fn agreeing(
    item: &Value,
    parameters: &ItemParameters,
    dimension: usize,
    values: &[f64],
) -> Result<(), String> {
    let n = parameters.n_categories();
    if let Some(stated) = item["categories"].as_u64().filter(|&stated| stated != n as u64) {
        return Err(format!("categories is {stated}, and its parameters are those of {n}"));
    }
    if !values.is_empty() && values.len() != n {
        return Err(format!("{} values for {n} categories", values.len()));
    }
    for (at, &value) in values.iter().enumerate() {
        if value.fract() != 0.0 || value.abs() > f64::from(i32::MAX) {
            return Err(format!("the value {value} is not a whole number that answers can be"));
        }
        if values[..at].contains(&value) {
            return Err(format!("the value {value} stands there twice"));
        }
    }
    let (Some(b), Some(d)) = (item["b"].as_array(), item["d"].as_array()) else { return Ok(()) };
    if b.len() != d.len() {
        return Err(format!("{} thresholds b and {} intercepts d", b.len(), d.len()));
    }
    let (a, adds_up) = match parameters {
        ItemParameters::GeneralisedPartialCredit(_) | ItemParameters::PartialCredit(_) => {
            (slope(item, dimension).unwrap_or(1.0), true)
        }
        _ => (slope(item, dimension).unwrap_or(1.0), false),
    };
    let mut sum = 0.0;
    for (b, d) in b.iter().zip(d) {
        let (Some(b), Some(d)) = (b.as_f64(), d.as_f64()) else { return Ok(()) };
        sum = if adds_up { sum - a * b } else { -a * b };
        if (sum - d).abs() > ROUNDED * (1.0 + d.abs() + a.abs() + sum.abs()) {
            return Err(format!(
                "the threshold b {b} and the intercept d {d} contradict each other; leave out the \
                 one that is wrong"
            ));
        }
    }
    Ok(())
}

fn slope(item: &Value, dimension: usize) -> Option<f64> {
    item["a"].as_f64().or_else(|| item["a"][dimension].as_f64())
}

/// Each group's name and population; of none, the only population and no name.
fn groups(document: &Value) -> Result<(Vec<Option<String>>, Vec<Population>), String> {
    match document["groups"].as_array() {
        Some(list) if !list.is_empty() => {
            let named =
                |group: &Value| Ok((group["name"].as_str().map(String::from), population(group)?));
            list.iter()
                .map(named)
                .collect::<Result<Vec<_>, String>>()
                .map(|all| all.into_iter().unzip())
        }
        _ => Ok((vec![None], vec![population(&document["latent"])?])),
    }
}

/// Mean and covariance; those of one standard normal dimension if nothing is said.
fn population(of: &Value) -> Result<Population, String> {
    if of.is_null() {
        return Ok((vec![0.0], vec![vec![1.0]]));
    }
    let mean = numbers(&of["mean"]).ok_or("a population has no mean")?;
    let rows = of["covariance"].as_array().ok_or("a population has no covariance")?;
    let covariance: Option<Vec<Vec<f64>>> = rows.iter().map(numbers).collect();
    let covariance = covariance.ok_or("a covariance is not of numbers")?;
    let n = mean.len();
    if n == 0 || covariance.len() != n || covariance.iter().any(|row| row.len() != n) {
        return Err(String::from("a covariance does not have a row and a column a dimension"));
    }
    if !(0..n).all(|d| covariance[d][d] > 0.0 && covariance[d][d].is_finite()) {
        return Err(String::from("a population has a variance that is not above 0"));
    }
    Ok((mean, covariance))
}

/// Which dimension an item measures: stated, or the place of the slope that is not 0.
fn dimension(item: &Value) -> Result<usize, String> {
    let slopes = item["a"].as_array().map_or(&[][..], Vec::as_slice);
    let mut sloped = slopes.iter().enumerate().filter(|(_, slope)| slope.as_f64() != Some(0.0));
    let first = sloped.next().map(|(at, _)| at);
    if sloped.next().is_some() {
        return Err(String::from("it has slopes on several dimensions; an item measures one here"));
    }
    Ok(item["dimension"].as_u64().map(|at| at as usize).or(first).unwrap_or(0))
}

/// A list of numbers; a number alone is a list of one.
fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value.as_f64() {
        Some(number) => Some(vec![number]),
        None => value.as_array()?.iter().map(Value::as_f64).collect(),
    }
}

/// What the item is, by itself or by the document's model.
fn model_of<'a>(document: &'a Value, item: &'a Value, n_steps: usize) -> &'a str {
    let whole = document["model"].as_str().unwrap_or_default();
    match item["model"].as_str() {
        Some(own) => own,
        None if whole == "partial-credit" || whole == "rating-scale" => {
            "generalised-partial-credit"
        }
        None if whole == "rasch" && n_steps > 1 => "partial-credit",
        None => whole,
    }
}

/// Intercepts: stated, or from the thresholds b.
fn intercepts(item: &Value, a: f64, adds_up: bool) -> Result<Vec<f64>, String> {
    if !item["d"].is_null() {
        return numbers(&item["d"]).ok_or_else(|| String::from("d is not of numbers"));
    }
    let b = numbers(&item["b"]).ok_or("neither d nor b is of numbers")?;
    let mut sum = 0.0;
    let step = |b: &f64| {
        sum = if adds_up { sum - a * b } else { -a * b };
        sum
    };
    Ok(b.iter().map(step).collect())
}

fn parameters(document: &Value, item: &Value, dimension: usize) -> Result<ItemParameters, String> {
    let list = |key: &str| numbers(&item[key]).ok_or_else(|| format!("{key} is not of numbers"));
    let n_steps = item["d"].as_array().or(item["b"].as_array()).map_or(1, Vec::len);
    let model = model_of(document, item, n_steps);
    if model == "nominal" {
        let nominal = Nominal::new(&list("slopes")?, &list("intercepts")?);
        return nominal.map(ItemParameters::Nominal).map_err(|e| e.to_string());
    }
    let own = slope(item, dimension);
    let a = match model {
        "rasch" | "partial-credit" => own.unwrap_or(1.0),
        _ => own.ok_or("a is not a number")?,
    };
    let adds_up = matches!(model, "generalised-partial-credit" | "partial-credit");
    let d = intercepts(item, a, adds_up)?;
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
