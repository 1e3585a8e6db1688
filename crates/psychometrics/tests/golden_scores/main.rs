//! EAP, MAP, ML, WLE, sum scores and person fit of shipped data.

mod checks;

use std::path::Path;

use checks::{Folder, every_method, names_of, number, person_fit, responses_of, sums};
use psychometrics::models::{Graded, ItemParameters};
use psychometrics::score::{Bank, BankItem, posterior_moments};

fn shipped() -> Folder {
    Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"))
}

#[test]
fn graded_scores_are_mirts() {
    every_method(&shipped(), "grm_scale");
}

#[test]
fn right_and_wrong_scores_are_mirts() {
    for label in ["2pl_right_wrong", "2pl_lsat7", "rasch_lsat7"] {
        every_method(&shipped(), label);
    }
}

#[test]
fn sum_scores_are_mirts() {
    let folder = shipped();
    for (label, file) in [
        ("2pl_right_wrong", "right_wrong.csv"),
        ("rasch_right_wrong", "right_wrong.csv"),
        ("2pl_lsat7", "lsat7.csv"),
        ("rasch_lsat7", "lsat7.csv"),
    ] {
        let path = folder.0.join("classical/data").join(file);
        sums(&folder, label, &responses_of(&path, &names_of(&folder, label)));
    }
}

#[test]
fn person_fit_is_mirts() {
    let folder = shipped();
    for (label, file) in [
        ("grm_scale", "scale.csv"),
        ("gpcm_scale", "scale.csv"),
        ("2pl_right_wrong", "right_wrong.csv"),
        ("rasch_right_wrong", "right_wrong.csv"),
        ("2pl_lsat7", "lsat7.csv"),
        ("rasch_lsat7", "lsat7.csv"),
    ] {
        let path = folder.0.join("classical/data").join(file);
        let responses = responses_of(&path, &names_of(&folder, label));
        person_fit(&folder, label, &responses);
    }
}

#[test]
fn covariances_of_two_dimensions_are_mirts() {
    let folder = shipped();
    let text = std::fs::read_to_string(folder.0.join("grm_two_dimensions.json")).expect("figures");
    let golden: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let names: Vec<String> =
        ["m", "l"].iter().flat_map(|d| (1..=6).map(move |at| format!("{d}{at}"))).collect();
    let item = |name: &String| {
        let estimates = &golden["parameters"][name]["est"];
        let dimension = usize::from(name.starts_with('l'));
        let d: Vec<f64> = (1..).map_while(|k| estimates.get(format!("d{k}")).map(number)).collect();
        let own = Graded::new(number(&estimates[["a1", "a2"][dimension]]), &d).expect("an item");
        BankItem::new(ItemParameters::Graded(own), dimension, (1..).take(d.len() + 1).collect())
    };
    let r = number(&golden["latent"]["est"]["COV_21"]);
    let bank = Bank::new(
        names.iter().map(item).collect(),
        vec![0.0; 2],
        &[vec![1.0, r], vec![r, 1.0]],
        31,
        6.0,
    )
    .expect("a bank");
    let responses = responses_of(&folder.0.join("two_dimensions_first50.csv"), &names);
    let found = posterior_moments(&bank, &responses, 2).expect("posteriors");
    assert_eq!(found, posterior_moments(&bank, &responses, 1).expect("posteriors"));
    let expected = &golden["scores_first50"];
    for (person, found) in found.iter().enumerate() {
        let found = found.as_ref().expect("a posterior");
        let close = |seen: f64, key: &str| {
            let expected = number(&expected[key][person]);
            assert!((seen - expected).abs() < 1e-8, "{key} of {person}: {seen} {expected}");
        };
        close(found.mean[0], "EAP_M");
        close(found.mean[1], "EAP_L");
        close(found.covariance.at(0, 0).sqrt(), "SE_M");
        close(found.covariance.at(1, 1).sqrt(), "SE_L");
        close(found.covariance.at(0, 1), "COV_ML");
    }
}
