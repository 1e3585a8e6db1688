//! Item information and expected score against R mirt 1.47 at its own parameters.

use psychometrics::models::{
    GeneralisedPartialCredit, Graded, ItemModel, ItemParameters, Rasch, TwoParameter,
};
use serde_json::Value;

/// What the reference promises: 1e-8 for information and expected score.
const TOLERANCE: f64 = 1e-8;

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn item(model: &str, estimates: &Value) -> ItemParameters {
    let slope = number(&estimates["a1"]);
    let intercepts: Vec<f64> =
        (1..).map_while(|step| estimates.get(format!("d{step}")).map(number)).collect();
    let single = estimates.get("d").map(number);
    match model {
        "graded" => ItemParameters::Graded(Graded::new(slope, &intercepts).expect("graded")),
        "gpcm" => ItemParameters::GeneralisedPartialCredit(
            GeneralisedPartialCredit::new(slope, &intercepts).expect("partial credit"),
        ),
        "2PL" => ItemParameters::TwoParameter(
            TwoParameter::new(slope, single.expect("an intercept")).expect("two-parameter"),
        ),
        "Rasch" => ItemParameters::Rasch(Rasch::new(single.expect("an intercept")).expect("Rasch")),
        other => panic!("no model {other}"),
    }
}

fn check(text: &str, model: &str) {
    let golden: Value = serde_json::from_str(text).expect("JSON");
    let parameters = golden["parameters"]["slope_intercept"].as_object().expect("items");
    let thetas = golden["theta_grid"].as_array().expect("thetas");
    for (position, theta) in thetas.iter().map(number).enumerate() {
        let (mut information, mut score) = (0.0, 0.0);
        for (name, estimates) in parameters {
            let item = item(model, &estimates["est"]);
            let expected = number(&golden["item_information"][name][position]);
            let found = item.information(theta);
            assert!(
                (found - expected).abs() < TOLERANCE,
                "{model} {name} at {theta}: information {found}, mirt {expected}"
            );
            information += found;
            score += item.expected_score(theta);
        }
        let expected = number(&golden["test_information"][position]);
        assert!((information - expected).abs() < TOLERANCE, "{model}: {information} {expected}");
        // mirt counts from the lowest value in the data: 1 for ratings, 0 for right and wrong.
        let lowest = if matches!(model, "graded" | "gpcm") { parameters.len() as f64 } else { 0.0 };
        let expected = number(&golden["expected_test_score"][position]);
        let found = score + lowest;
        assert!((found - expected).abs() < TOLERANCE, "{model}: score {found} {expected}");
    }
}

#[test]
fn graded_items_say_what_mirt_says() {
    check(include_str!("golden/grm_scale.json"), "graded");
}

#[test]
fn partial_credit_items_say_what_mirt_says() {
    check(include_str!("golden/gpcm_scale.json"), "gpcm");
}

#[test]
fn two_parameter_items_say_what_mirt_says() {
    check(include_str!("golden/2pl_right_wrong.json"), "2PL");
}

#[test]
fn rasch_items_say_what_mirt_says() {
    check(include_str!("golden/rasch_right_wrong.json"), "Rasch");
}
