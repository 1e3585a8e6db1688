//! `cargo xtask golden --reference DIR`: the golden tests on data that may not be shipped.

use std::path::Path;

use crate::run::{Tally, cargo, run_tests, say};

/// Runs them: the engine's by its own calls, then the commands through the program itself, which
/// print the largest deviation of each figure beside what is allowed.
///
/// # Errors
/// If the folder is not one of reference values, or a test fails.
pub fn run(dir: &str) -> Result<(), String> {
    let dir = std::fs::canonicalize(dir).map_err(|e| format!("{dir}: {e}"))?;
    if !dir.join("mle_check.json").is_file() {
        return Err(format!("{} has no mle_check.json: it is no reference", dir.display()));
    }
    let mut tally = Tally::default();
    let outcomes = [part("psychometrics", &dir, &mut tally), part("bellwether", &dir, &mut tally)];
    let Tally { n_passed, n_failed } = tally;
    say(&format!("{n_passed} passed, {n_failed} failed"));
    outcomes.into_iter().collect()
}

/// The tests of one crate that its feature `reference` adds.
fn part(package: &str, dir: &Path, tally: &mut Tally) -> Result<(), String> {
    let folder = format!("crates/{package}/tests");
    let files = std::fs::read_dir(&folder).map_err(|e| format!("{folder}: {e}"))?;
    let mut tests: Vec<String> = files
        .flatten()
        .filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".rs")?.to_owned()))
        .filter(|name| name.starts_with("reference_"))
        .collect();
    tests.sort();
    let mut command =
        cargo(&["test", "--locked", "--no-fail-fast", "-p", package, "--features", "reference"]);
    for name in &tests {
        command.args(["--test", name]);
    }
    command.args(["--", "--nocapture", "--test-threads", "1"]);
    command.env("PSYCHOMETRICS_REFERENCE", dir).env("BELLWETHER_REFERENCE", dir);
    run_tests(&mut command, tally)
}
