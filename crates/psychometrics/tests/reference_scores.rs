//! The same scores on data that stay outside this repository.
//!
//! `PSYCHOMETRICS_REFERENCE=FOLDER cargo test -p psychometrics --features reference`

#[path = "golden_scores/checks.rs"]
mod checks;

use checks::{Folder, every_method, names_of, person_fit, responses_of, sums};

fn reference() -> Folder {
    let folder = std::env::var_os("PSYCHOMETRICS_REFERENCE").expect("PSYCHOMETRICS_REFERENCE");
    Folder(folder.into())
}

#[test]
fn scores() {
    for label in [
        "grm_science",
        "gpcm_science",
        "grm_environment",
        "grm_bfi_agreeableness",
        "grm_bfi_conscientiousness",
    ] {
        every_method(&reference(), label);
    }
}

#[test]
fn sum_scores() {
    let folder = reference();
    for (label, file) in [
        ("grm_science", "science.csv"),
        ("gpcm_science", "science.csv"),
        ("grm_environment", "environment.csv"),
        ("grm_verbagg", "verbagg.csv"),
        ("grm_bhr2000_leadership", "bhr2000.csv"),
    ] {
        let path = folder.0.join("data").join(file);
        sums(&folder, label, &responses_of(&path, &names_of(&folder, label)));
    }
}

#[test]
fn persons_fit() {
    for (label, file) in [
        ("grm_science", "science.csv"),
        ("gpcm_science", "science.csv"),
        ("grm_environment", "environment.csv"),
        ("grm_bfi_conscientiousness", "bfi_AC.csv"),
        ("grm_bfi_agreeableness", "bfi_AC.csv"),
        ("gpcm_bfi_agreeableness", "bfi_AC.csv"),
        ("grm_verbagg", "verbagg.csv"),
        ("grm_bhr2000_leadership", "bhr2000.csv"),
    ] {
        let folder = reference();
        let path = folder.0.join("data").join(file);
        let responses = responses_of(&path, &names_of(&folder, label));
        person_fit(&folder, label, &responses);
    }
}
