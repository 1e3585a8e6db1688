//! Calibrations of data that are shipped: parameters, standard errors and log-likelihoods.

mod checks;

use std::path::Path;

use checks::{Folder, TIGHT, exact_maximum, finer_grid, mirt, names, near, number};
use psychometrics::calibrate::{Estimate, Model, Sample, Specification, calibrate};

fn shipped() -> Folder {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    Folder { data: golden.join("classical/data"), figures: golden }
}

fn column(folder: &Folder, file: &str, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(folder.data.join(file)).expect(file);
    let place = reader.headers().expect("a header").iter().position(|n| n == name).expect(name);
    reader.records().map(|record| record.expect("a record")[place].to_owned()).collect()
}

#[test]
fn the_exact_maximum_is_found() {
    let exact = "mle_check_simulated.json";
    exact_maximum(&shipped(), exact, "grm_scale", "scale.csv");
    exact_maximum(&shipped(), exact, "gpcm_scale", "scale.csv");
    exact_maximum(&shipped(), exact, "2pl_right_wrong", "right_wrong.csv");
    exact_maximum(&shipped(), "mle_check.json", "2pl_lsat7", "lsat7.csv");
}

#[test]
fn graded_items_are_mirts() {
    mirt(&shipped(), "grm_scale", "scale.csv");
}

#[test]
fn partial_credit_items_are_mirts() {
    mirt(&shipped(), "gpcm_scale", "scale.csv");
}

#[test]
fn two_parameter_items_are_mirts() {
    mirt(&shipped(), "2pl_right_wrong", "right_wrong.csv");
    mirt(&shipped(), "2pl_lsat7", "lsat7.csv");
}

#[test]
fn rasch_items_are_mirts() {
    mirt(&shipped(), "rasch_right_wrong", "right_wrong.csv");
    mirt(&shipped(), "rasch_lsat7", "lsat7.csv");
}

#[test]
fn two_correlated_dimensions_are_mirts() {
    let mut folder = shipped();
    folder.data = folder.figures.join("data");
    let golden = folder.json("grm_two_dimensions.json");
    let items: Vec<String> =
        ["m", "l"].iter().flat_map(|d| (1..=6).map(move |i| format!("{d}{i}"))).collect();
    let responses = folder.responses("two_dimensions.csv", &items);
    let dimensions: Vec<usize> = (0..12).map(|item| item / 6).collect();
    let specification = Specification::of(Model::Graded, 12).on_dimensions(&dimensions);
    let found = calibrate(&Sample::of(&responses), &specification, &TIGHT).expect("estimates");
    assert!(found.converged, "{:?}", found.flags);
    near(found.log_likelihood, number(&golden["logLik"]), 1e-5, "log-likelihood");
    for (estimate, item) in found.items.iter().zip(&items) {
        let expected = &golden["parameters"][item];
        let slope = if item.starts_with('m') { "a1" } else { "a2" };
        let all = std::iter::once((slope.to_owned(), &estimate.slopes[0]));
        let steps = (1..).map(|k| format!("d{k}")).zip(&estimate.intercepts);
        for (name, found) in all.chain(steps) {
            near(found.value, number(&expected["est"][&name]), 5e-5, &name);
            near(found.se.expect("an error"), number(&expected["se"][&name]), 1e-4, &name);
        }
    }
    let correlation = &found.groups[0].covariance[0][1];
    near(correlation.value, number(&golden["latent"]["est"]["COV_21"]), 5e-5, "correlation");
    let error = number(&golden["latent"]["se"]["COV_21"]);
    near(correlation.se.expect("an error"), error, 1e-4, "its error");
}

#[test]
fn groups_with_shared_items_are_mirts() {
    let folder = shipped();
    let golden = folder.json("dif_group_scale.json");
    let items: Vec<String> = (1..=8).map(|i| format!("q{i}")).collect();
    let responses = folder.responses("scale.csv", &items);
    let groups: Vec<u32> =
        column(&folder, "scale.csv", "group").iter().map(|g| u32::from(g == "two")).collect();
    let sample = Sample { groups: Some(&groups), ..Sample::of(&responses) };
    let mut specification = Specification::of(Model::Graded, 8);
    let found = calibrate(&sample, &specification, &TIGHT).expect("estimates");
    let baseline = &golden["baseline"];
    near(found.log_likelihood, number(&baseline["logLik"]), 1e-5, "baseline");
    assert_eq!(found.n_parameters as f64, number(&baseline["n_par"]));
    let focal = &baseline["group_parameters"]["two"];
    near(found.groups[1].mean[0].value, number(&focal["MEAN_1"]), 5e-5, "mean");
    near(found.groups[1].covariance[0][0].value, number(&focal["COV_11"]), 5e-5, "variance");
    for (estimate, item) in found.items.iter().zip(&items) {
        let expected = &baseline["parameters"][item];
        near(estimate.slopes[0].value, number(&expected["a"]), 5e-5, item);
        for (k, b) in estimate.thresholds.iter().enumerate() {
            near(b.value, number(&expected[format!("b{}", k + 1)]), 2e-4, item);
        }
    }
    for (at, item) in items.iter().enumerate() {
        let expected = &golden["free_one_item"][item];
        specification.items.iter_mut().for_each(|item| item.by_group = false);
        specification.items[at].by_group = true;
        let free = calibrate(&sample, &specification, &TIGHT).expect("estimates");
        near(free.log_likelihood, number(&expected["logLik"]), 1e-5, item);
        let x2 = 2.0 * (free.log_likelihood - found.log_likelihood);
        near(x2, number(&expected["X2"]), 1e-3, item);
    }
    assert_eq!(names(&golden["mirt_DIF_drop"]["item"]), items);
}

#[test]
fn a_finer_grid_is_mirts_too() {
    for (label, file) in [
        ("grm_scale", "scale.csv"),
        ("gpcm_scale", "scale.csv"),
        ("2pl_right_wrong", "right_wrong.csv"),
        ("rasch_right_wrong", "right_wrong.csv"),
        ("2pl_lsat7", "lsat7.csv"),
        ("rasch_lsat7", "lsat7.csv"),
    ] {
        finer_grid(&shipped(), label, file);
    }
}

#[test]
fn the_exact_maximum_of_other_models_is_found() {
    let golden = shipped().json("mle_check_models.json");
    for (label, model, letter, n_items) in [
        ("partial_credit", Model::PartialCredit, 'q', 8),
        ("rating_scale", Model::RatingScale, 'q', 8),
        ("nominal", Model::Nominal, 'q', 8),
        ("three_parameter", Model::ThreeParameter, 'r', 12),
    ] {
        let items: Vec<String> = (1..=n_items).map(|item| format!("{letter}{item}")).collect();
        let file = golden["data"][label].as_str().expect("a file");
        let responses = shipped().responses(file, &items);
        let specification = Specification::of(model, n_items);
        let found = calibrate(&Sample::of(&responses), &specification, &TIGHT).expect(label);
        let expected = &golden[label];
        near(found.log_likelihood, number(&expected["log_likelihood"]), 1e-7, label);
        let variance = found.groups[0].covariance[0][0];
        if let Some(free) = expected.get("variance") {
            same(variance, free, &expected["variance_se"], label);
        }
        for (seen, expected) in found.items.iter().zip(expected["items"].as_array().expect(label)) {
            let what = format!("{label} item {}", seen.item);
            for (seen, name) in [(&seen.slopes, "a"), (&seen.intercepts, "d")] {
                let Some(values) = expected[name].as_array() else { continue };
                let errors = expected[format!("{name}_se")].as_array().expect("errors");
                // The first category's slope and intercept of a nominal item are 0.
                let seen = &seen[seen.len() - values.len()..];
                for ((seen, value), error) in seen.iter().zip(values).zip(errors) {
                    same(*seen, value, error, &what);
                }
            }
            if let Some(guessing) = seen.guessing {
                same(guessing, &expected["c"], &expected["c_se"], &what);
            }
        }
        assert_eq!(found.items.len(), expected["items"].as_array().map_or(0, Vec::len), "{label}");
    }
}

fn same(seen: Estimate, value: &serde_json::Value, error: &serde_json::Value, what: &str) {
    near(seen.value, number(value), 1e-6, what);
    near(seen.se.expect("an error"), number(error), 1e-6, what);
}
