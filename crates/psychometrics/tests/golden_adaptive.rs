//! Adaptive tests step by step against R `catR` 3.17 (`golden/adaptive/README.md`).

use std::path::Path;

use psychometrics::adaptive::{
    AdaptiveTest, Estimator, ItemBank, Next, NodeGrid, Selection, Settings, StopRules,
};
use psychometrics::models::{Graded, ItemModel, ItemParameters, TwoParameter};
use rand::SeedableRng;
use serde_json::Value;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/adaptive")
}

/// Rows of numbers, the first column (a number or θ) left out.
fn rows(name: &str) -> Vec<Vec<f64>> {
    let mut reader = csv::Reader::from_path(folder().join(name)).expect(name);
    let records = reader.records().map(|record| record.expect("a record"));
    records
        .map(|record| record.iter().skip(1).map(|cell| cell.parse().expect("a number")).collect())
        .collect()
}

fn bank(graded: bool) -> Vec<ItemParameters> {
    let name = if graded { "cat_bank_grm100.csv" } else { "cat_bank_2pl300.csv" };
    let item = |row: &Vec<f64>| {
        if graded {
            let graded = Graded::from_thresholds(row[0], &row[1..]).expect("an item");
            ItemParameters::Graded(graded)
        } else {
            let item = TwoParameter::new(row[0], -row[0] * row[1]).expect("an item");
            ItemParameters::TwoParameter(item)
        }
    };
    rows(name).iter().map(item).collect()
}

fn run(graded: bool, expected: &Value, tolerance: f64) {
    let answers =
        rows(if graded { "cat_responses_grm100.csv" } else { "cat_responses_2pl300.csv" });
    let text = |key: &str| expected[key].as_str().expect(key);
    let list = |key: &str| expected[key].as_array().expect(key);
    let of = |value: &Value| value.as_f64().expect("a number");
    let examinee = expected["examinee"].as_u64().expect("a number") as usize - 1;
    let grid = NodeGrid { n_nodes: 121, range: 6.0 };
    let settings = Settings {
        estimator: match text("method") {
            "EAP" => Estimator::PosteriorMean,
            "BM" => Estimator::PosteriorMode,
            other => panic!("{other}"),
        },
        selection: match text("itemSelect") {
            "MFI" => Selection::MaximumInformation,
            "KL" => Selection::KullbackLeibler,
            "MPWI" => Selection::PosteriorWeightedInformation,
            other => panic!("{other}"),
        },
        stop: StopRules { n_items_max: list("items_1based").len(), ..StopRules::default() },
        ..Settings::default()
    };
    let bank = ItemBank::new(bank(graded), grid).expect("a bank");
    for (item, information) in list("item_information_at_theta0_first10").iter().enumerate() {
        let gap = (bank.item(item).information(0.0) - of(information)).abs();
        assert!(gap < 1e-8, "information of item {item}: {gap:e}");
    }
    let test = AdaptiveTest::new(bank, settings).expect("a test");
    let mut chance = rand_pcg::Pcg64Mcg::seed_from_u64(1);
    let mut sitting = test.sitting();
    for (step, item) in list("items_1based").iter().enumerate() {
        let wanted = item.as_u64().expect("a number") as usize - 1;
        assert_eq!(sitting.next(&mut chance), Next::Ask(wanted), "{examinee}, step {step}");
        assert_eq!(
            answers[examinee][wanted],
            of(&list("responses")[step]),
            "{examinee}, step {step}"
        );
        let seen = sitting.answer(wanted, answers[examinee][wanted] as u8).expect("an estimate");
        for (seen, key) in [(seen.theta, "theta_after"), (seen.se, "se_after")] {
            let gap = (seen - of(&list(key)[step])).abs();
            assert!(gap < tolerance, "{examinee}, step {step}, {key}: {seen}, apart by {gap:e}");
        }
    }
    assert!(matches!(sitting.next(&mut chance), Next::Stop(_)));
    let (last, end) = (sitting.estimate(), &expected["final"]);
    for (seen, key) in [(last.theta, "theta"), (last.se, "se")] {
        let gap = (seen - of(&end[key])).abs();
        assert!(gap < tolerance, "{examinee}, at the end, {key}: {seen}, apart by {gap:e}");
    }
}

fn check(key: &str, tolerance: f64) {
    let text = std::fs::read_to_string(folder().join("cat_catr.json")).expect("a file");
    let golden: Value = serde_json::from_str(&text).expect("JSON");
    for expected in golden[key].as_array().expect(key) {
        run(key.starts_with("grm"), expected, tolerance);
    }
}

#[test]
fn most_informative_graded_items_and_posterior_means() {
    check("grm", 1e-8);
}

#[test]
fn most_informative_two_parameter_items_and_posterior_means() {
    check("two_pl", 1e-8);
}

#[test]
fn most_informative_items_and_posterior_modes() {
    // catR's root finder stops at 1e-4; the root itself is checked in `agreement_adaptive`.
    check("grm_map", 2e-4);
    check("two_pl_map", 2e-4);
}

#[test]
fn kullback_leibler_information() {
    check("grm_kl", 1e-8);
}

#[test]
fn posterior_weighted_information() {
    check("grm_mpwi", 1e-8);
}
