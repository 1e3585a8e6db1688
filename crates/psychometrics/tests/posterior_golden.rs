//! The posterior against R's `mirt`, on the simulated data in `golden/` (see its README).

use psychometrics::graded::GradedItem;
use psychometrics::posterior::{Dimension, PlacedItem, Posterior, Prior};
use serde_json::Value;

const SCALE: &str = include_str!("golden/grm_scale.json");
const SCALE_PATTERNS: &str = include_str!("golden/grm_scale_patterns.csv");
const TWO: &str = include_str!("golden/grm_two_dimensions.json");
const TWO_ANSWERS: &str = include_str!("golden/two_dimensions_first50.csv");

/// The reference prints 10 significant digits and the scores stay below 4.
const PRINTED: f64 = 1e-9;
/// The reference integrates over 31 nodes a dimension, twice our spacing.
const COARSER_GRID: f64 = 1e-6;

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn answers(record: &csv::StringRecord, items: usize) -> Vec<Option<usize>> {
    let category = |cell: &str| cell.parse::<usize>().expect("a category") - 1;
    (0..items).map(|at| Some(&record[at]).filter(|c| !c.is_empty()).map(category)).collect()
}

fn scale_items(dimension: Dimension) -> Vec<PlacedItem> {
    let scale: Value = serde_json::from_str(SCALE).expect("golden file");
    let items = (1..=8).map(|at| {
        let est = &scale["parameters"]["irt"][format!("q{at}")]["est"];
        let thresholds = (1..=4).map(|k| number(&est[format!("b{k}")])).collect();
        let item = GradedItem::new(number(&est["a"]), thresholds).expect("valid estimates");
        PlacedItem { dimension, item }
    });
    items.collect()
}

fn agrees_with_one_dimension(dimension: Dimension) {
    let items = scale_items(dimension);
    let prior = Prior::new(0.0).expect("valid");
    let mut reader = csv::Reader::from_reader(SCALE_PATTERNS.as_bytes());
    assert_eq!(reader.headers().expect("headers").iter().take(11).last(), Some("EAP_SE"));
    let mut patterns = 0;
    for record in reader.records() {
        let record = record.expect("a row");
        let posterior = Posterior::new(&items, &answers(&record, 8), prior).expect("answers");
        let (own, other) = (dimension.place(), 1 - dimension.place());
        let [eap, se] = [9, 10].map(|at| record[at].parse::<f64>().expect("a score"));
        assert!((posterior.mean()[own] - eap).abs() < PRINTED, "EAP of {record:?}");
        assert!((posterior.standard_errors()[own] - se).abs() < PRINTED, "SE of {record:?}");
        // Without correlation nothing is learnt of the other dimension.
        assert!(posterior.mean()[other].abs() < 1e-12);
        assert!((posterior.standard_errors()[other] - 1.0).abs() < 1e-7);
        assert!(posterior.covariance()[0][1].abs() < 1e-12);
        patterns += 1;
    }
    assert_eq!(patterns, 789);
}

#[test]
fn managing_alone_is_the_one_dimensional_eap() {
    agrees_with_one_dimension(Dimension::Managing);
}

#[test]
fn leading_alone_is_the_one_dimensional_eap() {
    agrees_with_one_dimension(Dimension::Leading);
}

#[test]
fn two_correlated_dimensions_agree_with_the_reference() {
    let two: Value = serde_json::from_str(TWO).expect("golden file");
    let mut reader = csv::Reader::from_reader(TWO_ANSWERS.as_bytes());
    let names = reader.headers().expect("headers").clone();
    let items: Vec<PlacedItem> = names
        .iter()
        .map(|name| {
            let (dimension, slope) = match name.as_bytes()[0] {
                b'm' => (Dimension::Managing, "a1"),
                _ => (Dimension::Leading, "a2"),
            };
            let est = &two["parameters"][name]["est"];
            let a = number(&est[slope]);
            let thresholds = (1..=4).map(|k| -number(&est[format!("d{k}")]) / a).collect();
            PlacedItem { dimension, item: GradedItem::new(a, thresholds).expect("estimates") }
        })
        .collect();
    let prior = Prior::new(number(&two["latent"]["est"]["COV_21"])).expect("valid");
    let scores = &two["scores_first50"];
    let mut persons = 0;
    for (at, record) in reader.records().enumerate() {
        let answers = answers(&record.expect("a row"), items.len());
        let posterior = Posterior::new(&items, &answers, prior).expect("answers");
        let ([m, l], [se_m, se_l]) = (posterior.mean(), posterior.standard_errors());
        let ours = [m, l, se_m, se_l, posterior.covariance()[0][1]];
        for (ours, name) in ours.into_iter().zip(["EAP_M", "EAP_L", "SE_M", "SE_L", "COV_ML"]) {
            let theirs = number(&scores[name][at]);
            assert!((ours - theirs).abs() < COARSER_GRID, "{name} {at}: {ours} {theirs}");
        }
        persons += 1;
    }
    assert_eq!(persons, 50);
}
