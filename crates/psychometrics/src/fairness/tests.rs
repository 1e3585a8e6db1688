//! Derivatives of the ordinal regression against finite differences, refusals, identities.

use super::likelihood_ratios;
use super::matched::{Effect, Matched, MatchingError, mantel, mantel_haenszel};
use super::ordinal::{Regression, ordinal_logistic};
use crate::calibrate::{Model, Options, Sample, Specification};

/// Answers, groups and scores that vary, the same on every run.
fn persons(n: usize, n_categories: usize) -> (Vec<f64>, Vec<bool>, Vec<f64>) {
    let mut state = 7_u64;
    let mut chance = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut all = (Vec::new(), Vec::new(), Vec::new());
    for person in 0..n {
        let score = (chance() * 9.0).floor();
        let answer = (chance() * 0.6 + score / 22.0) * n_categories as f64;
        all.0.push(answer.floor().min(n_categories as f64 - 1.0));
        all.1.push(person.is_multiple_of(3));
        all.2.push(score);
    }
    all
}

#[test]
fn ordinal_derivatives_are_finite_differences() {
    let (answers, focal, scores) = persons(60, 4);
    let answers: Vec<usize> = answers.iter().map(|answer| *answer as usize).collect();
    let rows: Vec<[f64; 3]> = focal
        .iter()
        .zip(&scores)
        .map(|(&focal, score)| {
            let (group, score) = (f64::from(u8::from(focal)), (score - 4.0) / 2.6);
            [score, group, score * group]
        })
        .collect();
    let data = Regression { answers: &answers, rows: &rows, n_categories: 4 };
    let at = [1.4, 0.1, -1.2, 0.8, -0.3, 0.25];
    let here = data.at(&at, 3);
    for a in 0..at.len() {
        let moved = |by: f64| {
            let mut own = at;
            own[a] += by;
            data.at(&own, 3)
        };
        let (above, below) = (moved(1e-5), moved(-1e-5));
        let slope = (above.value - below.value) / 2e-5;
        assert!((slope - here.gradient[a]).abs() < 1e-6, "{a}: {slope} {}", here.gradient[a]);
        for b in 0..at.len() {
            let bend = -(above.gradient[b] - below.gradient[b]) / 2e-5;
            let seen = here.information.at(a, b);
            assert!((bend - seen).abs() < 1e-6, "{a} {b}: {bend} {seen}");
        }
    }
}

#[test]
fn mantel_of_two_answers_is_mantel_haenszel_without_correction() {
    let (answers, focal, scores) = persons(300, 2);
    let item = Matched { answers: &answers, focal: &focal, scores: &scores };
    let (odds, ordered) = (mantel_haenszel(&item).unwrap(), mantel(&item).unwrap());
    assert!(odds.chi_squared < ordered.chi_squared);
    assert_eq!((odds.n, odds.n_strata), (ordered.n, ordered.n_strata));
    // Which group is called focal turns every sign and nothing else.
    let other: Vec<bool> = focal.iter().map(|focal| !focal).collect();
    let turned = Matched { focal: &other, ..item };
    let again = mantel_haenszel(&turned).unwrap();
    assert!((again.odds_ratio * odds.odds_ratio - 1.0).abs() < 1e-12);
    assert!((again.delta + odds.delta).abs() < 1e-12);
    assert!((again.chi_squared - odds.chi_squared).abs() < 1e-10);
    assert!((mantel(&turned).unwrap().chi_squared - ordered.chi_squared).abs() < 1e-10);
}

#[test]
fn a_difference_is_sized() {
    let (mut answers, focal, scores) = persons(2000, 2);
    for (person, (answer, focal)) in answers.iter_mut().zip(&focal).enumerate() {
        // Every second right answer of the focal group becomes wrong.
        if *focal && person.is_multiple_of(2) {
            *answer = 0.0;
        }
    }
    let item = Matched { answers: &answers, focal: &focal, scores: &scores };
    let odds = mantel_haenszel(&item).unwrap();
    assert!(odds.effect == Effect::Large && odds.delta < -1.5, "{odds:?}");
    let ordered = mantel(&item).unwrap();
    assert!(ordered.effect == Effect::Large && ordered.mean_difference < -0.1, "{ordered:?}");
    let regressed = ordinal_logistic(&item).unwrap();
    assert!(regressed.uniform.p < 1e-6 && regressed.ln_odds < -0.5, "{regressed:?}");
    let fair = persons(2000, 5);
    let item = Matched { answers: &fair.0, focal: &fair.1, scores: &fair.2 };
    assert_eq!(mantel(&item).unwrap().effect, Effect::Negligible);
    assert_eq!(ordinal_logistic(&item).unwrap().effect, Effect::Negligible);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let item = |answers, focal, scores| Matched { answers, focal, scores };
    let short = item(&[1.0, 0.0], &[true], &[1.0, 2.0]);
    assert!(matches!(mantel(&short), Err(MatchingError::Lengths { n_groups: 1, .. })));
    let alone = item(&[1.0, 0.0], &[true, true], &[1.0, 2.0]);
    let none = MatchingError::EmptyGroup { n_reference: 0, n_focal: 2 };
    assert_eq!(mantel(&alone), Err(none));
    let ordered = item(&[2.0, 0.0], &[true, false], &[1.0, 1.0]);
    let refused = mantel_haenszel(&ordered);
    assert!(matches!(refused, Err(MatchingError::Answer { person: 0, value: 2.0, .. })));
    let apart = item(&[1.0, 0.0], &[true, false], &[1.0, 2.0]);
    assert!(matches!(mantel(&apart), Err(MatchingError::NothingToCompare { .. })));
    let alike = item(&[1.0, 1.0], &[true, false], &[1.0, 1.0]);
    assert!(matches!(mantel_haenszel(&alike), Err(MatchingError::NothingToCompare { .. })));
    assert!(matches!(ordinal_logistic(&alike), Err(MatchingError::NothingToCompare { .. })));
    let infinite = item(&[1.0, f64::INFINITY], &[true, false], &[1.0, 1.0]);
    assert!(matches!(mantel(&infinite), Err(MatchingError::Answer { person: 1, .. })));
    let (scores, told): (Vec<f64>, Vec<f64>) =
        (0..40).map(|p| (f64::from(p), f64::from(u8::from(p > 20)))).unzip();
    let focal: Vec<bool> = (0..40).map(|p| p % 2 == 0).collect();
    assert_eq!(ordinal_logistic(&item(&told, &focal, &scores)), Err(MatchingError::Separated));
}

/// Each group's own guessing brings a prior of its own, which must not count against the item.
#[test]
fn an_unfair_item_is_found_where_guessing_has_a_prior() {
    let mut state = 11_u64;
    let mut chance = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let n = 800;
    let (mut columns, mut groups) = (vec![Vec::new(); 5], Vec::new());
    for person in 0..n {
        let theta = (0..12).map(|_| chance()).sum::<f64>() - 6.0;
        let group = person % 2;
        groups.push(group);
        for (item, column) in columns.iter_mut().enumerate() {
            let unfair = if item == 2 && group == 1 { 1.5 } else { 0.0 };
            let z = 1.6 * theta + item as f64 * 0.4 - 0.8 - unfair;
            column.push(u8::from(chance() < 0.2 + 0.8 / (1.0 + (-z).exp())));
        }
    }
    let responses = crate::responses::Responses::from_categories(columns).unwrap();
    let sample = Sample { groups: Some(&groups), ..Sample::of(&responses) };
    let specification = Specification::of(Model::ThreeParameter, 5);
    let found = likelihood_ratios(&sample, &specification, &Options::default()).unwrap();
    let p: Vec<f64> = found.items.iter().map(|item| item.as_ref().unwrap().p).collect();
    assert!(p[2] < 1e-3, "{p:?}");
    assert!(p.iter().enumerate().all(|(item, &p)| item == 2 || p > 0.01), "{p:?}");
    for item in found.items.iter().flatten() {
        let rise = 2.0 * (item.calibration.log_likelihood - found.baseline.log_likelihood);
        assert!((item.x2 - rise.max(0.0)).abs() < 1e-9);
    }
}
