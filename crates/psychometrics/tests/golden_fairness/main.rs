//! Fairness of items of shipped data.

mod checks;
mod matched;

use std::path::Path;

use psychometrics::calibrate::{CalibrateError, Model, Options, Sample, Specification};
use psychometrics::fairness::likelihood_ratios;
use psychometrics::responses::Responses;

#[test]
fn likelihood_ratios_are_mirts() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let data = golden.join("classical/data/scale.csv");
    checks::check(&golden.join("dif_group_scale.json"), &data, "group", "one");
}

#[test]
fn an_item_that_is_harder_for_one_group_is_found_and_sized() {
    let mut state = 11_u64;
    let mut chance = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let groups: Vec<u32> = (0..2000).map(|person| person % 2).collect();
    let mut columns = vec![Vec::new(); 6];
    for &group in &groups {
        // A sum of uniforms is near enough to a normal here.
        let theta = (0..12).map(|_| chance()).sum::<f64>() - 6.0;
        for (item, column) in columns.iter_mut().enumerate() {
            let shift = if item == 2 && group == 1 { 0.8 } else { 0.0 };
            let p = 1.0 / (1.0 + (-1.3 * (theta - shift)).exp());
            column.push(u8::from(chance() < p));
        }
    }
    let responses = Responses::from_categories(columns).expect("responses");
    let sample = Sample { groups: Some(&groups), ..Sample::of(&responses) };
    let specification = Specification::of(Model::TwoParameter, 6);
    let found = likelihood_ratios(&sample, &specification, &Options::default()).expect("tests");
    let tests: Vec<_> = found.items.iter().map(|item| item.as_ref().expect("a test")).collect();
    assert!(tests[2].p < 1e-6, "{}", tests[2].p);
    assert!(tests[2].differences[0].signed < -0.1, "{:?}", tests[2].differences);
    assert!(tests[2].differences[0].unsigned >= -tests[2].differences[0].signed);
    let fair = [0, 1, 3, 4, 5].map(|item: usize| tests[item].x2);
    assert!(fair.iter().all(|x2| *x2 < 0.5 * tests[2].x2), "{fair:?}");
}

#[test]
fn one_group_cannot_be_compared() {
    let responses = Responses::from_categories(vec![vec![0, 1, 0, 1]]).expect("responses");
    let specification = Specification::of(Model::TwoParameter, 1);
    let refused = likelihood_ratios(&Sample::of(&responses), &specification, &Options::default());
    assert!(matches!(refused, Err(CalibrateError::Setting { option: "number of groups", .. })));
}
