//! DIF by likelihood ratio against R mirt.

use std::path::Path;

use psychometrics::calibrate::{Model, Options, Sample, Specification};
use psychometrics::fairness::likelihood_ratios;
use psychometrics::responses::ResponsesBuilder;
use serde_json::Value;

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// `first` names the cell of the grouping column that stands for the first group.
pub fn check(figures: &Path, data: &Path, column: &str, first: &str) {
    let text = std::fs::read_to_string(figures).expect("figures");
    let golden: Value = serde_json::from_str(&text).expect("JSON");
    let expected = golden["free_one_item"].as_object().expect("items");
    // JSON objects here are sorted by name, as the items of every file are.
    let items: Vec<&String> = expected.keys().collect();
    let mut reader = csv::Reader::from_path(data).expect("data");
    let header = reader.headers().expect("a header").clone();
    let place = |name: &str| header.iter().position(|n| n == name).expect(name);
    let places: Vec<usize> = items.iter().map(|item| place(item)).collect();
    let group = place(column);
    let mut builder = ResponsesBuilder::new(items.len()).expect("items");
    let mut groups = Vec::new();
    for record in reader.records() {
        let record = record.expect("a record");
        let row: Vec<Option<i32>> = places.iter().map(|&at| record[at].parse().ok()).collect();
        builder.push(&row).expect("a row");
        groups.push(u32::from(&record[group] != first));
    }
    let responses = builder.finish().expect("responses");
    let sample = Sample { groups: Some(&groups), ..Sample::of(&responses) };
    let specification = Specification::of(Model::Graded, items.len());
    let options = Options { tolerance: 1e-8, threads: 2, ..Options::default() };
    let found = likelihood_ratios(&sample, &specification, &options).expect("tests");
    let close = |a: f64, b: f64, tolerance: f64| assert!((a - b).abs() < tolerance, "{a} {b}");
    close(found.baseline.log_likelihood, number(&golden["baseline"]["logLik"]), 1e-5);
    for (found, item) in found.items.iter().zip(items) {
        let (found, expected) = (found.as_ref().expect("a test"), &expected[item]);
        assert!(found.calibration.converged, "{item}");
        close(found.calibration.log_likelihood, number(&expected["logLik"]), 1e-4);
        close(found.x2, number(&expected["X2"]), 1e-3);
        let drop = &golden["mirt_DIF_drop"];
        let names = drop["item"].as_array().expect("items");
        let at = names.iter().position(|name| name == item.as_str()).expect("the item");
        close(found.x2, number(&drop["X2"][at]), 1e-3);
        assert_eq!(found.df as f64, number(&drop["df"][at]), "{item}");
        close(found.p, number(&drop["p"][at]), 1e-3 * found.p + 1e-12);
        let focal = expected["group_parameters"].as_object().expect("groups");
        let own = expected["parameters_by_group"].as_object().expect("groups");
        for (name, population) in focal {
            let group = usize::from(number(&population["MEAN_1"]) != 0.0);
            let seen = &found.calibration.groups[group];
            close(seen.mean[0].value, number(&population["MEAN_1"]), 1e-3);
            close(seen.covariance[0][0].value, number(&population["COV_11"]), 1e-3);
            let place = items_place(&golden, item);
            let seen = found.calibration.item_for(place, Some(group)).expect("an item");
            close(seen.slopes[0].value, number(&own[name]["a"]), 1e-3);
            for (k, b) in seen.thresholds.iter().enumerate() {
                close(b.value, number(&own[name][format!("b{}", k + 1)]), 5e-3);
            }
        }
        assert_eq!(found.df as f64, number(&expected["df"]), "{item}");
        // p falls by half its value for a rise of 2 ln 2 of the statistic.
        close(found.p, number(&expected["p"]), 1e-3 * found.p + 1e-12);
    }
}

/// Position of an item among those of the file.
fn items_place(golden: &Value, item: &str) -> usize {
    let items = golden["free_one_item"].as_object().expect("items");
    items.keys().position(|name| name == item).expect("the item")
}
