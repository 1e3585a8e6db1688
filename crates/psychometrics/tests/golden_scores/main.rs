//! EAP, MAP, ML, WLE, sum scores and person fit of shipped data.

mod checks;

use std::path::Path;

use checks::{Folder, every_method, names_of, person_fit, responses_of, sums};

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
    for label in ["2pl_right_wrong", "rasch_right_wrong", "2pl_lsat7", "rasch_lsat7"] {
        sums(&shipped(), label);
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
    ] {
        let path = folder.0.join("classical/data").join(file);
        let responses = responses_of(&path, &names_of(&folder, label));
        person_fit(&folder, label, &responses);
    }
}
