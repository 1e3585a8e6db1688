//! Fit and reliability of shipped data against R `mirt` 1.47 (`golden/README.md`).

mod checks;

use std::path::{Path, PathBuf};

use checks::Case;

fn case(label: &str, data: &str) -> Case {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    Case::of(&folder, label, &folder.join("classical/data").join(data))
}

#[test]
fn graded_items() {
    case("grm_scale", "scale.csv").check();
}

#[test]
fn partial_credit_items() {
    case("gpcm_scale", "scale.csv").check();
}

#[test]
fn right_and_wrong_answers() {
    case("2pl_right_wrong", "right_wrong.csv").check();
}

#[test]
fn right_and_wrong_answers_by_rasch() {
    case("rasch_right_wrong", "right_wrong.csv").check();
}

#[test]
fn lsat_section_seven() {
    case("2pl_lsat7", "lsat7.csv").check();
    case("rasch_lsat7", "lsat7.csv").check();
}
