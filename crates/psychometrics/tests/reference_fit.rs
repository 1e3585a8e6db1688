//! The same figures of fit on data that stay outside this repository.
//!
//! `PSYCHOMETRICS_REFERENCE=FOLDER cargo test -p psychometrics --features reference`

#[path = "golden_fit/checks.rs"]
mod checks;

use std::path::PathBuf;

use checks::Case;

fn check(label: &str, data: &str) {
    let folder = std::env::var_os("PSYCHOMETRICS_REFERENCE").expect("PSYCHOMETRICS_REFERENCE");
    let folder = PathBuf::from(folder);
    Case::of(&folder, label, &folder.join("data").join(data)).check();
}

#[test]
fn science() {
    check("grm_science", "science.csv");
    check("gpcm_science", "science.csv");
}

#[test]
fn environment() {
    check("grm_environment", "environment.csv");
}

#[test]
fn agreeableness() {
    check("grm_bfi_agreeableness", "bfi_AC.csv");
    check("gpcm_bfi_agreeableness", "bfi_AC.csv");
}

#[test]
fn conscientiousness() {
    check("grm_bfi_conscientiousness", "bfi_AC.csv");
}

#[test]
fn verbal_aggression() {
    check("grm_verbagg", "verbagg.csv");
}

#[test]
fn leadership() {
    check("grm_bhr2000_leadership", "bhr2000.csv");
}
