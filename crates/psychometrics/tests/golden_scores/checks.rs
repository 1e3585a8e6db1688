//! Scores against R mirt at its own parameters.

#[path = "../support/answers.rs"]
mod answers;

use std::collections::HashMap;
use std::path::PathBuf;

use psychometrics::models::{
    GeneralisedPartialCredit, Graded, ItemParameters, Rasch, TwoParameter,
};
use psychometrics::responses::{Responses, ResponsesBuilder};
use psychometrics::score::{Bank, BankItem, Method, Score, score, sum_scores, zh};
use serde_json::Value;

pub use answers::responses_of;

pub struct Folder(pub PathBuf);

pub fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

impl Folder {
    fn json(&self, label: &str) -> Value {
        let text = std::fs::read_to_string(self.0.join(format!("{label}.json"))).expect(label);
        serde_json::from_str(&text).expect(label)
    }
}

fn items(golden: &Value) -> Vec<String> {
    let list = golden["items"].as_array().expect("items");
    list.iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

fn bank(golden: &Value, parameters: &Value, lowest: &[i32]) -> Bank {
    let model = golden["model"].as_str().expect("a model");
    let bank_item = |(name, &lowest): (String, &i32)| {
        let estimates = &parameters["slope_intercept"][name]["est"];
        let slope = number(&estimates["a1"]);
        let mut d: Vec<f64> =
            (1..).map_while(|k| estimates.get(format!("d{k}")).map(number)).collect();
        d.extend(estimates.get("d").map(number));
        let parameters = match model {
            "graded" => ItemParameters::Graded(Graded::new(slope, &d).expect("graded")),
            "gpcm" => ItemParameters::GeneralisedPartialCredit(
                GeneralisedPartialCredit::new(slope, &d).expect("partial credit"),
            ),
            "2PL" => ItemParameters::TwoParameter(TwoParameter::new(slope, d[0]).expect("2PL")),
            "Rasch" => ItemParameters::Rasch(Rasch::new(d[0]).expect("Rasch")),
            other => panic!("no model {other}"),
        };
        let values = (lowest..).take(d.len() + 1).collect();
        BankItem::new(parameters, 0, values)
    };
    let all = items(golden).into_iter().zip(lowest).map(bank_item).collect();
    let variance = number(&parameters["latent"]["est"]["COV_11"]);
    Bank::new(all, vec![0.0], &[vec![variance]], 61, 6.0).expect("a bank")
}

/// The patterns of a file with their figures, by name; NaN where the file has none.
fn patterns(
    folder: &Folder,
    label: &str,
    n_items: usize,
) -> (Responses, HashMap<String, Vec<f64>>) {
    let path = folder.0.join(format!("{label}_patterns.csv"));
    let mut reader = csv::Reader::from_path(path).expect("patterns");
    let header = reader.headers().expect("a header").clone();
    let mut builder = ResponsesBuilder::new(n_items).expect("items");
    let mut figures: HashMap<String, Vec<f64>> = HashMap::new();
    for record in reader.records() {
        let record = record.expect("a record");
        let row: Vec<Option<i32>> = (0..n_items).map(|item| record[item].parse().ok()).collect();
        builder.push(&row).expect("a row");
        for (name, cell) in header.iter().zip(&record).skip(n_items) {
            figures.entry(name.into()).or_default().push(cell.parse().unwrap_or(f64::NAN));
        }
    }
    (builder.finish().expect("responses"), figures)
}

fn lowest(responses: &Responses) -> Vec<i32> {
    (0..responses.n_items()).map(|item| responses.lowest(item)).collect()
}

pub fn every_method(folder: &Folder, label: &str) {
    let golden = folder.json(label);
    let n_items = items(&golden).len();
    let (responses, figures) = patterns(folder, label, n_items);
    let bank = bank(&golden, &golden["parameters"], &lowest(&responses));
    let methods = [
        (Method::Eap, "EAP", 1e-9, 1e-9),
        (Method::Map, "MAP", 1e-4, 1e-3),
        (Method::MaximumLikelihood, "ML", 1e-4, 1e-3),
        (Method::WeightedLikelihood, "WLE", 1e-4, 1e-3),
    ];
    for (method, name, within, se_within) in methods {
        let found = score(&bank, &responses, method, 2).expect("scores");
        let (expected, errors) = (&figures[name], &figures[&format!("{name}_SE")]);
        let mut n_checked = 0;
        for (person, found) in found.iter().enumerate() {
            let Score { theta, se } = found.as_ref().expect("a score");
            // The file leaves out what is infinite or did not converge, or stops just before 20.
            if expected[person].is_nan() || (theta[0].is_infinite() && expected[person] > 19.9) {
                continue;
            }
            let off = (theta[0] - expected[person]).abs();
            assert!(
                off < within * expected[person].abs().max(1.0),
                "{label} {name} {person}: {theta:?} {}",
                expected[person]
            );
            let off = (se[0] - errors[person]).abs();
            assert!(
                off < se_within * errors[person].max(1.0),
                "{label} {name} {person}: se {se:?} {}",
                errors[person]
            );
            n_checked += 1;
        }
        assert!(10 * n_checked > 8 * found.len(), "{label} {name}: {n_checked}");
    }
}

/// Sum-score tables, with how many persons had each sum.
pub fn sums(folder: &Folder, label: &str, responses: &Responses) {
    let golden = folder.json(label);
    let n_items = items(&golden).len();
    let expected = &golden["EAPsum"];
    let list = |name: &str| expected[name].as_array().expect(name).clone();
    let raw = list("Sum.Scores");
    // All items of these scales have one lowest value: that of the lowest sum, shared out.
    let lowest = number(&raw[0]) / n_items as f64;
    let bank = bank(&golden, &golden["parameters"], &vec![lowest as i32; n_items]);
    let found = sum_scores(&bank).expect("sum scores");
    assert_eq!(found.len(), raw.len());
    let (theta, se) = (list("F1"), list("SE_F1"));
    let share = list("expected");
    let (observed, residuals) = (list("observed"), list("std.res"));
    let n_persons: f64 = number(&golden["n_persons"]);
    assert_eq!(responses.n_persons() as f64, n_persons);
    let sum_of = |person: usize| -> i64 {
        let answer = |item| {
            let category = responses.category(person, item).expect("nothing is missing here");
            i64::from(responses.lowest(item)) + i64::from(category)
        };
        (0..n_items).map(answer).sum()
    };
    let sums: Vec<i64> = (0..responses.n_persons()).map(sum_of).collect();
    for (at, row) in found.iter().enumerate() {
        assert_eq!(row.sum as f64, number(&raw[at]));
        assert!((row.theta - number(&theta[at])).abs() < 1e-9, "{label} {row:?}");
        assert!((row.se - number(&se[at])).abs() < 1e-9, "{label} {row:?}");
        let off = (row.probability * n_persons - number(&share[at])).abs();
        assert!(off < 1e-9 * n_persons, "{label} {row:?} {}", share[at]);
        let n_observed = sums.iter().filter(|&&sum| sum == row.sum).count() as f64;
        assert_eq!(n_observed, number(&observed[at]), "{label} {row:?}");
        let n_expected = row.probability * n_persons;
        let residual = (n_observed - n_expected).abs() / n_expected.sqrt();
        let off = (residual - number(&residuals[at])).abs();
        assert!(off < 1e-6 * residual.max(1.0), "{label} {row:?} {}", residuals[at]);
    }
}

/// Zh of the first twenty complete persons, at EAP scores of the complete-case estimates.
pub fn person_fit(folder: &Folder, label: &str, responses: &Responses) {
    let golden = folder.json(label);
    let complete = &golden["complete_case_fit"];
    let own = complete.get("parameters").unwrap_or(&golden["parameters"]);
    let bank = bank(&golden, own, &lowest(responses));
    let persons = responses.complete_persons();
    let responses = responses.select_persons(&persons[..20]).expect("persons");
    let scores = score(&bank, &responses, Method::Eap, 1).expect("scores");
    let thetas: Vec<f64> =
        scores.into_iter().map(|score| score.expect("a score").theta[0]).collect();
    let found = zh(&bank, &responses, &thetas).expect("Zh");
    let expected = complete["personfit_EAP_first20"]["Zh"].as_array().expect("Zh");
    for (found, expected) in found.iter().zip(expected) {
        let (found, expected) = (found.expect("a figure"), number(expected));
        assert!((found - expected).abs() < 1e-3 * expected.abs().max(1.0), "{found} {expected}");
    }
}

pub fn names_of(folder: &Folder, label: &str) -> Vec<String> {
    items(&folder.json(label))
}
