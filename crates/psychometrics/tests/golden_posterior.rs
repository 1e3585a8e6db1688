//! EAP scores of one and two dimensions against R mirt 1.47 at its parameters, on its grid.

use psychometrics::models::{Graded, ItemParameters};
use psychometrics::posterior::{Grid, Prior, ScoredItem, ScoringKey};
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn key(golden: &Value) -> ScoringKey {
    let names = (1..=6).map(|i| format!("m{i}")).chain((1..=6).map(|i| format!("l{i}")));
    let items = names
        .map(|name| {
            let estimates = &golden["parameters"][&name]["est"];
            let dimension = usize::from(name.starts_with('l'));
            let slope = number(&estimates[if dimension == 0 { "a1" } else { "a2" }]);
            let intercepts: Vec<f64> =
                (1..=4).map(|step| number(&estimates[format!("d{step}")])).collect();
            let graded = Graded::new(slope, &intercepts).expect("mirt's parameters");
            ScoredItem { dimension, parameters: ItemParameters::Graded(graded) }
        })
        .collect();
    let correlation = number(&golden["latent"]["est"]["COV_21"]);
    let prior = Prior::standard(correlation).expect("mirt's correlation");
    let grid = Grid::new(31, 6.0).expect("mirt's grid");
    ScoringKey::new(items, Vec::new(), prior, grid).expect("a key")
}

#[test]
fn means_errors_and_covariances_are_mirts() {
    let golden: Value =
        serde_json::from_str(include_str!("golden/grm_two_dimensions.json")).expect("JSON");
    let key = key(&golden);
    let scores = &golden["scores_first50"];
    let mut rows =
        csv::Reader::from_reader(include_bytes!("golden/two_dimensions_first50.csv").as_slice());
    let mut n_checked = 0;
    for (person, row) in rows.records().take(50).enumerate() {
        let answers: Vec<Option<u8>> = row
            .expect("a row")
            .iter()
            .map(|cell| cell.parse::<u8>().ok().map(|value| value - 1))
            .collect();
        let posterior = key.posterior(&answers, &[]).expect("a posterior");
        let found = [
            ("EAP_M", posterior.mean[0]),
            ("EAP_L", posterior.mean[1]),
            ("SE_M", posterior.se[0]),
            ("SE_L", posterior.se[1]),
            ("COV_ML", posterior.covariance[0][1]),
        ];
        for (name, value) in found {
            let expected = number(&scores[name][person]);
            assert!(
                (value - expected).abs() < TOLERANCE,
                "person {person}: {name} {value}, mirt {expected}"
            );
            n_checked += 1;
        }
    }
    assert_eq!(n_checked, 250);
}

#[test]
fn either_dimension_alone_is_the_one_dimensional_score() {
    let golden: Value = serde_json::from_str(include_str!("golden/grm_scale.json")).expect("JSON");
    for own in 0..2 {
        let items = (1..=8).map(|at| {
            let estimates = &golden["parameters"]["irt"][format!("q{at}")]["est"];
            let thresholds: Vec<f64> =
                (1..=4).map(|step| number(&estimates[format!("b{step}")])).collect();
            let graded = Graded::from_thresholds(number(&estimates["a"]), &thresholds);
            let parameters = ItemParameters::Graded(graded.expect("mirt's parameters"));
            ScoredItem { dimension: own, parameters }
        });
        let prior = Prior::standard(0.0).expect("a prior");
        let key = ScoringKey::new(items.collect(), Vec::new(), prior, Grid::default());
        let key = key.expect("a key");
        let patterns = include_bytes!("golden/grm_scale_patterns.csv").as_slice();
        let mut n_checked = 0;
        for row in csv::Reader::from_reader(patterns).records() {
            let row = row.expect("a row");
            let answer = |at: usize| row[at].parse::<u8>().ok().map(|value| value - 1);
            let answers: Vec<Option<u8>> = (0..8).map(answer).collect();
            let posterior = key.posterior(&answers, &[]).expect("a posterior");
            let [eap, se] = [9, 10].map(|at| row[at].parse::<f64>().expect("a score"));
            // The file prints ten significant digits.
            assert!((posterior.mean[own] - eap).abs() < TOLERANCE, "{row:?}");
            assert!((posterior.se[own] - se).abs() < TOLERANCE, "{row:?}");
            n_checked += 1;
        }
        assert_eq!(n_checked, 789);
    }
}
