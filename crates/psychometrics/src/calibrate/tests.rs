//! Derivatives against finite differences, and what is refused or flagged.

use super::data::Data;
use super::engine::Engine;
use super::family::{Family, raw_of};
use super::information::{by_pattern, hessian, in_one_dimension};
use super::latent::{Grid, Moment, Population};
use super::plan::Plan;
use super::{
    Anchor, CalibrateError, Density, Flag, Model, Options, Parameter, Prior, Sample, Specification,
    calibrate,
};
use crate::matrix::Matrix;
use crate::models::ItemModel;
use crate::responses::Responses;

const STEP: f64 = 1e-5;

fn every_family() -> Vec<(Family, Vec<f64>)> {
    let of = |model, n, xi: &[f64]| (Family::new(model, n), xi.to_vec());
    vec![
        of(Model::Graded, 4, &[1.3, 1.9, 0.2, -1.4]),
        of(Model::Graded, 2, &[-0.7, 0.4]),
        of(Model::GeneralisedPartialCredit, 4, &[0.8, 0.5, -0.2, -1.1]),
        of(Model::PartialCredit, 3, &[0.6, -0.4]),
        of(Model::RatingScale, 4, &[0.3, -0.9, 0.1]),
        of(Model::TwoParameter, 2, &[1.7, -0.3]),
        of(Model::ThreeParameter, 2, &[1.2, 0.4, -1.5]),
        of(Model::Rasch, 2, &[0.9]),
        of(Model::Nominal, 4, &[0.4, 1.1, 0.9, -0.3, 0.6, 0.2]),
    ]
}

#[test]
fn families_are_the_models_they_name() {
    let thetas = [-2.5, 0.0, 0.7, 3.1];
    for (family, xi) in every_family() {
        let item = family.item(&xi).unwrap();
        let (mut own, mut theirs) = (vec![0.0; family.n_categories * 4], vec![0.0; 4]);
        family.probabilities(&xi, &thetas, &mut own);
        theirs.truncate(family.n_categories);
        theirs.resize(family.n_categories, 0.0);
        for (at, &theta) in thetas.iter().enumerate() {
            item.probabilities(theta, &mut theirs);
            for (k, p) in theirs.iter().enumerate() {
                assert!((own[k * 4 + at] - p).abs() < 1e-14, "{family:?} at {theta}");
            }
        }
        let (again, raw) = raw_of(&item);
        assert_eq!(again, family);
        assert!(raw.iter().zip(&xi).all(|(a, b)| (a - b).abs() < 1e-12), "{raw:?} {xi:?}");
    }
}

#[test]
fn family_derivatives_are_finite_differences() {
    let thetas = [-1.8, -0.4, 0.3, 2.2];
    for (family, xi) in every_family() {
        let (n, k_all) = (xi.len(), family.n_categories);
        let counts: Vec<f64> = (0..k_all * 4).map(|at| 1.0 + (at * 7 % 5) as f64).collect();
        let complete = |xi: &[f64]| {
            let (mut gradient, mut hessian) = (vec![0.0; n], Matrix::zeros(0, 0));
            let value = family.complete(xi, &thetas, &counts, &mut gradient, &mut hessian);
            (value, gradient, hessian)
        };
        let (_, gradient, hessian) = complete(&xi);
        let mut scores = vec![0.0; k_all * n * 4];
        family.scores(&xi, &thetas, &mut scores);
        for m in 0..n {
            let moved = |by: f64| -> Vec<f64> {
                let mut xi = xi.clone();
                xi[m] += by;
                xi
            };
            let (up, down) = (complete(&moved(STEP)), complete(&moved(-STEP)));
            let slope = (up.0 - down.0) / (2.0 * STEP);
            assert!((slope - gradient[m]).abs() < 1e-6, "{family:?} {m}: {slope} {}", gradient[m]);
            for l in 0..n {
                let bend = (up.1[l] - down.1[l]) / (2.0 * STEP);
                assert!((bend - hessian.at(m, l)).abs() < 1e-6, "{family:?} {m} {l}");
            }
            let from_scores: f64 = (0..k_all)
                .flat_map(|k| (0..4).map(move |at| (k, at)))
                .map(|(k, at)| counts[k * 4 + at] * scores[(k * n + m) * 4 + at])
                .sum();
            assert!((from_scores - gradient[m]).abs() < 1e-10, "{family:?} {m}");
        }
    }
}

#[test]
fn population_derivatives_are_finite_differences() {
    let grid = Grid::new(15, 5.0, 2);
    let moments = Moment::all(2);
    let at = [0.3, -0.2, 1.2, 0.4, 0.8];
    let counts: Vec<f64> = (0..grid.n_points()).map(|i| 0.1 + (i * 13 % 7) as f64 * 0.01).collect();
    let complete =
        |values: &[f64]| Population::from_moments(2, values).complete(&grid, &moments, &counts);
    let (_, gradient, hessian) = complete(&at);
    for m in 0..5 {
        let moved = |by: f64| {
            let mut values = at;
            values[m] += by;
            complete(&values)
        };
        let (up, down) = (moved(STEP), moved(-STEP));
        let slope = (up.0 - down.0) / (2.0 * STEP);
        assert!((slope - gradient[m]).abs() < 1e-6, "{m}: {slope} {}", gradient[m]);
        for l in 0..5 {
            let bend = (up.1[l] - down.1[l]) / (2.0 * STEP);
            assert!((bend - hessian.at(m, l)).abs() < 1e-5, "{m} {l}: {bend}");
        }
    }
}

/// Random answers with a common cause, in two groups.
fn answers(n_persons: usize, n_categories: &[usize]) -> Responses {
    let mut state = 7_u64;
    let mut chance = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let mut columns = vec![Vec::new(); n_categories.len()];
    for _ in 0..n_persons {
        let ability = chance() + chance() + chance();
        for (column, &n) in columns.iter_mut().zip(n_categories) {
            let u = (ability / 3.0 * 0.6 + 0.4 * chance()) * n as f64;
            let gap = chance() < 0.05;
            column.push(if gap { u8::MAX } else { (u as usize).min(n - 1) as u8 });
        }
    }
    Responses::from_categories(columns).unwrap()
}

fn check_derivatives(sample: &Sample<'_>, specification: &Specification, n_nodes: usize) {
    let options = Options { n_nodes: Some(n_nodes), ..Options::default() };
    let plan = Plan::new(sample, specification, &options).unwrap();
    let data = Data::new(sample, &plan, 1).unwrap();
    let engine = Engine::new(&plan, &data, &options);
    let mut phi = plan.start(None);
    for (at, x) in phi.iter_mut().enumerate() {
        *x += 0.02 * (at % 3) as f64;
    }
    let here = engine.evaluate(phi.clone());
    let exact = hessian(&engine, &here);
    for m in 0..plan.n_free {
        let moved = |by: f64| {
            let mut phi = phi.clone();
            phi[m] += by;
            engine.evaluate(phi)
        };
        let (up, down) = (moved(STEP), moved(-STEP));
        let slope = (up.objective() - down.objective()) / (2.0 * STEP);
        assert!((slope - here.gradient[m]).abs() < 1e-4, "{m}: {slope} {}", here.gradient[m]);
        for l in 0..plan.n_free {
            let bend = (up.gradient[l] - down.gradient[l]) / (2.0 * STEP);
            let found = exact.at(m, l);
            assert!((bend - found).abs() < 1e-5 * (1.0 + bend.abs()), "{m} {l}: {bend} {found}");
        }
    }
}

#[test]
fn gradient_and_information_are_finite_differences() {
    let responses = answers(150, &[3, 2, 4, 3]);
    let groups: Vec<u32> = (0..150).map(|i| u32::from(i % 3 == 0)).collect();
    let weights: Vec<f64> = (0..150).map(|i| 0.5 + (i % 4) as f64 * 0.3).collect();
    let mut sample = Sample::of(&responses);
    let mut specification = Specification::of(Model::Graded, 4);
    check_derivatives(&sample, &specification, 21);
    specification.items[1].model = Model::ThreeParameter;
    let density = Density::Normal { mean: -1.4, sd: 0.5 };
    specification.items[1].priors.push(Prior { parameter: Parameter::Guessing, density });
    let density = Density::LogNormal { mean: 0.1, sd: 0.6 };
    specification.items[0].priors.push(Prior { parameter: Parameter::Slope, density });
    specification.items[2].model = Model::Nominal;
    specification.items[3].model = Model::RatingScale;
    specification.items[0].by_group = true;
    sample.groups = Some(&groups);
    sample.weights = Some(&weights);
    check_derivatives(&sample, &specification, 21);
    let rating = Specification::of(Model::RatingScale, 2);
    let alike = responses.select_items(&[0, 3]).unwrap();
    check_derivatives(&Sample { responses: &alike, ..sample }, &rating, 21);
    let apart = Specification::of(Model::GeneralisedPartialCredit, 4).on_dimensions(&[0, 1, 0, 2]);
    check_derivatives(&sample, &apart, 9);
}

/// The sum over pairs of answers, and that over persons, which is written to be believed.
#[test]
fn informations_agree_with_plain_sums() {
    let n_categories = [5, 3, 2, 4, 5, 2, 7, 3, 5];
    for n_persons in [40, 300, 3_000, 20_000] {
        let responses = answers(n_persons, &n_categories);
        let weights: Vec<f64> = (0..n_persons).map(|i| 0.5 + (i % 4) as f64 * 0.3).collect();
        let mut specification = Specification::of(Model::Graded, n_categories.len());
        specification.items[2].model = Model::ThreeParameter;
        specification.items[6].model = Model::Nominal;
        specification.reference = super::Reference::Free;
        let sample = Sample { weights: Some(&weights), ..Sample::of(&responses) };
        let plan = Plan::new(&sample, &specification, &Options::default()).unwrap();
        let data = Data::new(&sample, &plan, 1).unwrap();
        let engine = Engine::new(&plan, &data, &Options::default());
        let here = engine.evaluate(plan.start(None));
        let (quick, plain) = (in_one_dimension(&engine, &here, 0), by_pattern(&engine, &here, 0));
        let largest = plain.diagonal().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        for i in 0..plan.n_free {
            for j in 0..plan.n_free {
                let (found, expected) = (quick.at(i, j), plain.at(i, j));
                let near = (found - expected).abs() < 3e-8 * largest;
                assert!(near, "{n_persons} persons, {i} {j}: {found} {expected}");
            }
        }
    }
}

fn error(responses: &Responses, specification: &Specification) -> CalibrateError {
    calibrate(&Sample::of(responses), specification, &Options::default()).unwrap_err()
}

#[test]
fn what_cannot_be_estimated_is_refused_with_its_place() {
    let responses = answers(60, &[3, 3]);
    let graded = Specification::of(Model::Graded, 2);
    let mut columns: Vec<Vec<u8>> = (0..2).map(|item| responses.codes(item).to_vec()).collect();
    columns[1].fill(2);
    let constant = Responses::from_categories(columns.clone()).unwrap();
    let expected = CalibrateError::NoVariance { item: 1, group: None, value: 2, n_answers: 60 };
    assert_eq!(error(&constant, &graded), expected);
    columns[1].fill(u8::MAX);
    let unanswered = Responses::from_categories(columns).unwrap();
    let expected = CalibrateError::NoAnswers { item: 1, group: None };
    assert_eq!(error(&unanswered, &graded), expected);
    let few = vec![vec![0, 1, 2, 0, 1], vec![2, 1, 0, 0, 2]];
    let few = Responses::from_categories(few).unwrap();
    let refused = error(&few, &graded);
    assert!(matches!(refused, CalibrateError::TooFewPersons { n_persons: 5, .. }), "{refused}");
    let refused = error(&responses, &Specification::of(Model::Rasch, 2));
    assert_eq!(refused, CalibrateError::NotTwoCategories { item: 0, n_categories: 3 });
    let refused = error(&responses, &Specification::of(Model::Graded, 3));
    assert_eq!(refused, CalibrateError::ItemCount { given: 3, wanted: 2 });
    let refused = error(&responses, &graded.clone().on_dimensions(&[0, 2]));
    assert_eq!(refused, CalibrateError::EmptyDimension { dimension: 1 });
    let sample = Sample { groups: Some(&[0; 3]), ..Sample::of(&responses) };
    let refused = calibrate(&sample, &graded, &Options::default()).unwrap_err();
    assert_eq!(refused, CalibrateError::PersonCount { what: "groups", given: 3, wanted: 60 });
    let (mut weights, mut groups) = (vec![1.0; 60], vec![0; 60]);
    (weights[7], groups[0]) = (-1.0, 2);
    let sample = Sample { weights: Some(&weights), ..Sample::of(&responses) };
    let refused = calibrate(&sample, &graded, &Options::default()).unwrap_err();
    assert_eq!(refused, CalibrateError::Weight { person: 7, value: -1.0 });
    let sample = Sample { groups: Some(&groups), ..Sample::of(&responses) };
    let refused = calibrate(&sample, &graded, &Options::default()).unwrap_err();
    assert_eq!(refused, CalibrateError::EmptyGroup { group: 1 });
}

#[test]
fn what_should_be_doubted_is_flagged() {
    let responses = answers(300, &[3, 3, 3]);
    let mut columns: Vec<Vec<u8>> = (0..3).map(|item| responses.codes(item).to_vec()).collect();
    columns[0].iter_mut().filter(|code| **code == 2).for_each(|code| *code = 3);
    columns[1].iter_mut().filter(|code| **code < 3).for_each(|code| *code = 2 - *code);
    let odd = Responses::from_categories(columns).unwrap();
    let specification = Specification::of(Model::Graded, 3);
    let found = calibrate(&Sample::of(&odd), &specification, &Options::default()).unwrap();
    let missing = vec![2];
    assert!(found.flags.contains(&Flag::EmptyCategories { item: 0, group: None, missing }));
    assert_eq!(found.items[0].values, [0, 1, 3]);
    let negative = |flag: &Flag| matches!(flag, Flag::NegativeSlope { item: 1, .. });
    assert!(found.flags.iter().any(negative), "{:?}", found.flags);
    let hurried = Options { cycles_max: 1, newton_steps_max: 0, ..Options::default() };
    let found = calibrate(&Sample::of(&responses), &specification, &hurried).unwrap();
    assert!(!found.converged && found.gradient_max > 1e-6);
    assert!(found.flags.iter().any(|flag| matches!(flag, Flag::NotConverged { .. })));
}

#[test]
fn what_runs_away_is_flagged() {
    // Nobody in between: the last item's categories separate those who have all from the others.
    let person = |i: usize| -> [u8; 4] {
        let high = u8::from(i.is_multiple_of(2));
        let noise = |m: usize| if (i / 2).is_multiple_of(m) { 1 - high } else { high };
        [noise(7), noise(5), 2 * high, 2 * high]
    };
    let column = |item: usize| (0..300).map(|i| person(i)[item]).collect();
    let separated = Responses::from_categories((0..4).map(column).collect()).unwrap();
    let specification = Specification::of(Model::Nominal, 4);
    let found = calibrate(&Sample::of(&separated), &specification, &Options::default()).unwrap();
    let steep = |flag: &Flag| matches!(flag, Flag::SteepSlope { item: 3, .. });
    assert!(found.flags.iter().any(steep), "{:?}", found.flags);
    // Two of four items run against the others, so that they share nothing.
    let mixed = |i: usize| -> [u8; 4] {
        let (a, b) = ((i % 2) as u8, (i / 2 % 2) as u8);
        [a, 1 - a, b, 1 - b]
    };
    let column = |item: usize| (0..300).map(|i| mixed(i)[item]).collect();
    let opposed = Responses::from_categories((0..4).map(column).collect()).unwrap();
    let specification = Specification::of(Model::Rasch, 4);
    let found = calibrate(&Sample::of(&opposed), &specification, &Options::default()).unwrap();
    let narrow =
        |flag: &Flag| matches!(flag, Flag::NarrowPopulation { variance, .. } if *variance < 0.01);
    assert!(found.flags.iter().any(narrow), "{:?} {:?}", found.flags, found.groups);
}

#[test]
fn anchored_items_free_the_population() {
    let responses = answers(400, &[3, 3, 3]);
    let mut specification = Specification::of(Model::Graded, 3);
    let free = calibrate(&Sample::of(&responses), &specification, &Options::default()).unwrap();
    for (item, estimate) in specification.items.iter_mut().zip(&free.items) {
        let (parameters, values) = (estimate.parameters.clone(), estimate.values.clone());
        item.anchor = Some(Anchor { parameters, values });
    }
    let found = calibrate(&Sample::of(&responses), &specification, &Options::default()).unwrap();
    assert_eq!(found.n_parameters, 2);
    assert!(found.groups[0].mean[0].value.abs() < 1e-5, "{:?}", found.groups);
    assert!((found.groups[0].covariance[0][0].value - 1.0).abs() < 1e-5);
    assert!((found.log_likelihood - free.log_likelihood).abs() < 1e-8);
    specification.items[0].anchor.as_mut().unwrap().values = vec![1, 2, 3];
    assert_eq!(
        error(&responses, &specification),
        CalibrateError::UnknownAnswer { item: 0, value: 0 }
    );
}

#[test]
fn threads_do_not_change_a_bit_and_weights_are_persons() {
    let responses = answers(9000, &[4; 10]);
    let specification = Specification::of(Model::Graded, 10);
    let with = |threads| {
        let options = Options { threads, ..Options::default() };
        calibrate(&Sample::of(&responses), &specification, &options).unwrap()
    };
    let one = with(1);
    assert!(one.converged);
    assert_eq!(one, with(2));
    assert_eq!(one, with(3));
    let few = responses.select_persons(&(0..500).collect::<Vec<_>>()).unwrap();
    let twice: Vec<usize> = (0..500).chain(0..500).collect();
    let twice = responses.select_persons(&twice).unwrap();
    let sample = Sample { weights: Some(&[2.0; 500]), ..Sample::of(&few) };
    let weighted = calibrate(&sample, &specification, &Options::default()).unwrap();
    let doubled = calibrate(&Sample::of(&twice), &specification, &Options::default()).unwrap();
    assert!((weighted.log_likelihood - doubled.log_likelihood).abs() < 1e-9);
    let (a, b) = (weighted.items[3].slopes[0], doubled.items[3].slopes[0]);
    assert!((a.value - b.value).abs() < 1e-10 && (a.se.unwrap() - b.se.unwrap()).abs() < 1e-10);
}

#[test]
fn dimensions_without_correlation_are_separate_fits() {
    let responses = answers(400, &[3; 6]);
    let tight = Options { tolerance: 1e-9, n_nodes: Some(31), ..Options::default() };
    let mut both = Specification::of(Model::Graded, 6).on_dimensions(&[0, 0, 0, 1, 1, 1]);
    both.uncorrelated = true;
    let joint = calibrate(&Sample::of(&responses), &both, &tight).unwrap();
    let mut log_likelihood = 0.0;
    for half in 0..2 {
        let own: Vec<usize> = (3 * half..3 * half + 3).collect();
        let own = responses.select_items(&own).unwrap();
        let specification = Specification::of(Model::Graded, 3);
        let alone = calibrate(&Sample::of(&own), &specification, &tight).unwrap();
        log_likelihood += alone.log_likelihood;
        for (a, b) in joint.items[3 * half..].iter().zip(&alone.items) {
            assert!((a.slopes[0].value - b.slopes[0].value).abs() < 1e-6);
            assert!((a.slopes[0].se.unwrap() - b.slopes[0].se.unwrap()).abs() < 1e-6);
        }
    }
    assert!((joint.log_likelihood - log_likelihood).abs() < 1e-6);
}
