//! Calibrations against other programs' figures, over folders of `*.json` and `*.csv`; shared by
//! the figures that are shipped and those whose data are not.

#[path = "../support/answers.rs"]
mod answers;

use std::path::PathBuf;

use answers::responses_of;
use psychometrics::calibrate::{
    Calibration, Estimate, Model, Options, Sample, Specification, calibrate,
};
use psychometrics::responses::Responses;
use serde_json::Value;

/// Tight enough that what is left of the gradient cannot show in the figures compared.
pub const TIGHT: Options = Options {
    n_nodes: None,
    range: 6.0,
    tolerance: 1e-10,
    cycles_max: 500,
    newton_steps_max: 50,
    threads: 1,
    standard_errors: true,
};

/// Where figures and data stand.
pub struct Folder {
    pub figures: PathBuf,
    pub data: PathBuf,
}

impl Folder {
    pub fn json(&self, name: &str) -> Value {
        let text = std::fs::read_to_string(self.figures.join(name)).expect(name);
        serde_json::from_str(&text).expect(name)
    }

    /// The named columns of a CSV file; empty cells are missing.
    pub fn responses(&self, file: &str, items: &[String]) -> Responses {
        responses_of(&self.data.join(file), items)
    }
}

pub fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

pub fn names(value: &Value) -> Vec<String> {
    value
        .as_array()
        .expect("names")
        .iter()
        .map(|name| name.as_str().expect("a name").into())
        .collect()
}

pub fn near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (found - expected).abs() < tolerance,
        "{what}: {found}, expected {expected}, off by {:.2e}",
        (found - expected).abs()
    );
}

fn model(name: &str) -> Model {
    match name {
        "graded" => Model::Graded,
        "gpcm" => Model::GeneralisedPartialCredit,
        "2PL" => Model::TwoParameter,
        "Rasch" => Model::Rasch,
        other => panic!("no model {other}"),
    }
}

pub fn fit(
    folder: &Folder,
    label: &str,
    file: &str,
    options: &Options,
) -> (Value, Vec<String>, Calibration) {
    let golden = folder.json(&format!("{label}.json"));
    let items = names(&golden["items"]);
    let responses = folder.responses(file, &items);
    let name = golden["model"].as_str().expect("a model");
    let found = estimates(&responses, name, options, label);
    (golden, items, found)
}

fn estimates(responses: &Responses, name: &str, options: &Options, label: &str) -> Calibration {
    let specification = Specification::of(model(name), responses.n_items());
    let found = calibrate(&Sample::of(responses), &specification, options).expect("estimates");
    assert!(found.converged, "{label}: {:?}", found.flags);
    found
}

fn se(estimate: &Estimate) -> f64 {
    estimate.se.expect("a standard error")
}

/// Against the exact maximum of the same likelihood by Newton steps in numpy.
pub fn exact_maximum(folder: &Folder, exact: &str, label: &str, file: &str) {
    const TOLERANCE: f64 = 1e-6;
    let (_, items, found) = fit(folder, label, file, &TIGHT);
    let exact = &folder.json(exact)[label];
    near(found.log_likelihood, number(&exact["logLik"]), 1e-7, label);
    for (estimate, item) in found.items.iter().zip(&items) {
        let expected = &exact["parameters"][item];
        let what = |figure: &str| format!("{label} {item} {figure}");
        let slope = &estimate.slopes[0];
        near(slope.value, number(&expected["a"]), TOLERANCE, &what("a"));
        near(se(slope), number(&expected["se_a"]), TOLERANCE, &what("se of a"));
        for (list, d) in [(&estimate.intercepts, "d"), (&estimate.thresholds, "b")] {
            let values = expected[d].as_array().expect("a list");
            assert_eq!(list.len(), values.len(), "{label} {item}");
            for (k, value) in list.iter().enumerate() {
                near(value.value, number(&values[k]), TOLERANCE, &what(d));
                let error = &expected[format!("se_{d}")][k];
                near(se(value), number(error), TOLERANCE, &what(&format!("se of {d}")));
            }
        }
    }
}

/// Against R mirt, which stops a little before the maximum: everybody, and those who answered everything.
pub fn mirt(folder: &Folder, label: &str, file: &str) {
    let (golden, items, found) = fit(folder, label, file, &TIGHT);
    let model = golden["model"].as_str().expect("a model");
    log_likelihood(&found, &golden["logLik"], label);
    assert_eq!(found.n_parameters as f64, number(&golden["n_par"]), "{label}");
    near(found.aic(), number(&golden["AIC"]), 2e-5, &format!("{label} AIC"));
    near(found.bic(), number(&golden["BIC"]), 2e-5, &format!("{label} BIC"));
    parameters(&found, &items, model, &golden["parameters"], label);
    let complete = &golden["complete_case_fit"];
    let Some(expected) = complete.get("parameters") else {
        // Nobody left anything out: the same persons.
        log_likelihood(&found, &complete["logLik"], label);
        return;
    };
    let label = format!("{label}, complete cases");
    let responses = folder.responses(file, &items);
    let responses = responses.select_persons(&responses.complete_persons()).expect("persons");
    let found = estimates(&responses, model, &TIGHT, &label);
    log_likelihood(&found, &complete["logLik"], &label);
    parameters(&found, &items, model, expected, &label);
}

fn log_likelihood(found: &Calibration, expected: &Value, label: &str) {
    near(found.log_likelihood, number(expected), 1e-5, label);
    assert!(found.log_likelihood > number(expected) - 1e-7, "{label}: below mirt");
}

fn parameters(found: &Calibration, items: &[String], model: &str, golden: &Value, label: &str) {
    let tolerance = if model == "gpcm" { 3e-4 } else { 5e-5 };
    for (estimate, item) in found.items.iter().zip(items) {
        let what = |figure: &str| format!("{label} {item} {figure}");
        let slope = &golden["slope_intercept"][item];
        near(estimate.slopes[0].value, number(&slope["est"]["a1"]), tolerance, &what("a"));
        if let Some(error) = slope["se"]["a1"].as_f64() {
            near(se(&estimate.slopes[0]), error, 1e-4, &what("se of a"));
        }
        let single = estimate.intercepts.len() == 1;
        for (k, (d, b)) in estimate.intercepts.iter().zip(&estimate.thresholds).enumerate() {
            let name = if single { String::from("d") } else { format!("d{}", k + 1) };
            near(d.value, number(&slope["est"][&name]), tolerance, &what(&name));
            near(se(d), number(&slope["se"][&name]), 1e-4, &what(&name));
            let irt = &golden["irt"][item];
            let name = if single { String::from("b") } else { format!("b{}", k + 1) };
            // A threshold is an intercept over a slope, and errs as much more.
            let stretch = 1.0 / estimate.slopes[0].value.min(1.0);
            near(b.value, number(&irt["est"][&name]), 3.0 * stretch * tolerance, &what(&name));
            // mirt 1.47 gets the error of a partial credit item's first step wrong.
            if model != "gpcm" || k > 0 {
                near(se(b), number(&irt["se"][&name]), 2e-4 * stretch, &what(&name));
            }
        }
    }
    let latent = &golden["latent"];
    let variance = &found.groups[0].covariance[0][0];
    near(variance.value, number(&latent["est"]["COV_11"]), tolerance, label);
    if let Some(error) = latent["se"]["COV_11"].as_f64() {
        near(se(variance), error, 1e-4, label);
    }
}

/// On 121 nodes to ±8, where mirt has its log-likelihood too.
pub fn finer_grid(folder: &Folder, label: &str, file: &str) {
    let finer = Options { n_nodes: Some(121), range: 8.0, standard_errors: false, ..TIGHT };
    let (golden, _, found) = fit(folder, label, file, &finer);
    let expected = number(&golden["quadrature_check"]["logLik"]);
    near(found.log_likelihood, expected, 1e-5, &format!("{label} on the finer grid"));
}
