//! The same tests on data that stay outside this repository.
//!
//! `PSYCHOMETRICS_REFERENCE=FOLDER cargo test -p psychometrics --features reference`

#[path = "golden_fairness/checks.rs"]
mod checks;

use std::path::PathBuf;

fn check(label: &str) {
    let folder = std::env::var_os("PSYCHOMETRICS_REFERENCE").expect("PSYCHOMETRICS_REFERENCE");
    let folder = PathBuf::from(folder);
    checks::check(&folder.join(label), &folder.join("data/bfi_AC.csv"), "gender", "2");
}

#[test]
fn bfi_agreeableness_of_women_and_men() {
    check("dif_gender_bfi_agreeableness.json");
}

#[test]
fn bfi_conscientiousness_of_women_and_men() {
    check("dif_gender_bfi_conscientiousness.json");
}
