//! The same checks on data that stay outside this repository.
//!
//! `PSYCHOMETRICS_REFERENCE=FOLDER cargo test -p psychometrics --features reference`

#[path = "golden_classical/checks.rs"]
mod checks;

use checks::{Folder, ratings, scale};

fn reference() -> Folder {
    let folder = std::env::var_os("PSYCHOMETRICS_REFERENCE").expect("PSYCHOMETRICS_REFERENCE");
    Folder(folder.into())
}

#[test]
fn army_companies_1996() {
    ratings(&reference(), "icc_rwg_bh1996.json", "bh1996.csv", "GRP");
}

#[test]
fn army_leadership_2000() {
    ratings(&reference(), "icc_rwg_bhr2000.json", "bhr2000.csv", "GRP");
}

#[test]
fn bfi_agreeableness() {
    scale(&reference(), "ctt_bfi_agreeableness.json", "bfi_AC.csv");
}

#[test]
fn bfi_conscientiousness() {
    scale(&reference(), "ctt_bfi_conscientiousness.json", "bfi_AC.csv");
}

#[test]
fn science_of_the_eurobarometer() {
    scale(&reference(), "ctt_science.json", "science.csv");
}

#[test]
fn verbal_aggression() {
    scale(&reference(), "ctt_verbagg.json", "verbagg.csv");
}

#[test]
fn leadership_items() {
    scale(&reference(), "ctt_bhr2000_leadership.json", "bhr2000.csv");
}
