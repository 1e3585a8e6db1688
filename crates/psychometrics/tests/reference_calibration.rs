//! The same calibrations on data that stay outside this repository.
//!
//! `PSYCHOMETRICS_REFERENCE=FOLDER cargo test -p psychometrics --features reference`

#[path = "golden_calibration/checks.rs"]
mod checks;

use checks::{Folder, TIGHT, exact_maximum, finer_grid, fit, mirt, near, number};

fn reference() -> Folder {
    let folder = std::env::var_os("PSYCHOMETRICS_REFERENCE").expect("PSYCHOMETRICS_REFERENCE");
    let figures = std::path::PathBuf::from(folder);
    Folder { data: figures.join("data"), figures }
}

fn check(label: &str, file: &str) {
    exact_maximum(&reference(), "mle_check.json", label, file);
    mirt(&reference(), label, file);
    finer_grid(&reference(), label, file);
}

#[test]
fn science_of_the_eurobarometer() {
    check("grm_science", "science.csv");
    check("gpcm_science", "science.csv");
}

#[test]
fn environment() {
    check("grm_environment", "environment.csv");
}

#[test]
fn bfi_agreeableness() {
    check("grm_bfi_agreeableness", "bfi_AC.csv");
    check("gpcm_bfi_agreeableness", "bfi_AC.csv");
}

#[test]
fn bfi_conscientiousness() {
    check("grm_bfi_conscientiousness", "bfi_AC.csv");
}

#[test]
fn verbal_aggression() {
    check("grm_verbagg", "verbagg.csv");
}

#[test]
fn leadership_items() {
    check("grm_bhr2000_leadership", "bhr2000.csv");
}

/// ltm integrates over 61 Gauss-Hermite nodes: another grid, near enough on these four items.
#[test]
fn science_by_ltm() {
    let ltm = reference().json("grm_ltm_environment_science.json");
    let (_, _, found) = fit(&reference(), "grm_science", "science.csv", &TIGHT);
    near(
        found.log_likelihood,
        number(&ltm["science_GHk61"]["logLik"]),
        2e-3,
        "ltm's log-likelihood",
    );
}
