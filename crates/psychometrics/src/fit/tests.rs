//! Derivatives of the moments against finite differences, and refusals.

use super::limited::moment_derivatives;
use super::*;
use crate::matrix::Matrix;
use crate::models::{
    GeneralisedPartialCredit, Graded, ModelError, Nominal, PartialCredit, Rasch, RatingScale,
    ThreeParameter, TwoParameter,
};
use crate::score::BankItem;

type Make = fn(&[f64]) -> Result<ItemParameters, ModelError>;

/// A maker of each model from its free parameters, in the order of the derivatives.
fn models() -> Vec<(Make, Vec<f64>)> {
    vec![
        (|p| Graded::new(p[0], &p[1..]).map(ItemParameters::Graded), vec![1.3, 1.8, 0.2, -1.4]),
        (
            |p| {
                GeneralisedPartialCredit::new(p[0], &p[1..])
                    .map(ItemParameters::GeneralisedPartialCredit)
            },
            vec![0.8, 0.9, 0.4, -1.0],
        ),
        (|p| PartialCredit::new(p).map(ItemParameters::PartialCredit), vec![0.6, -0.3]),
        (|p| TwoParameter::new(p[0], p[1]).map(ItemParameters::TwoParameter), vec![1.6, -0.4]),
        (
            |p| ThreeParameter::new(p[0], p[1], p[2]).map(ItemParameters::ThreeParameter),
            vec![1.2, 0.5, 0.18],
        ),
        (|p| Rasch::new(p[0]).map(ItemParameters::Rasch), vec![0.7]),
        (
            |p| Nominal::new(&[0.0, p[0], p[2]], &[0.0, p[1], p[3]]).map(ItemParameters::Nominal),
            vec![0.5, 0.2, 1.4, -0.6],
        ),
    ]
}

fn nodes_and_weights() -> (Vec<f64>, Vec<f64>) {
    let nodes: Vec<f64> = (-12..=12).map(|step| 0.5 * f64::from(step)).collect();
    let mass: Vec<f64> = nodes.iter().map(|t| libm::exp(-0.5 * t * t)).collect();
    let total: f64 = mass.iter().sum();
    (nodes, mass.into_iter().map(|m| m / total).collect())
}

#[test]
fn derivatives_of_moments_agree_with_finite_differences() {
    let (nodes, weights) = nodes_and_weights();
    let partner = Graded::new(1.1, &[0.9, -0.7]).map(ItemParameters::Graded).expect("an item");
    for (model, (make, at)) in models().into_iter().enumerate() {
        for moments in [Moments::Means, Moments::Categories] {
            let values = |p: &[f64]| {
                let items = [make(p).expect("an item"), partner.clone()];
                moment_derivatives(&items, &nodes, &weights, moments)
            };
            let (_, slopes) = values(&at);
            for parameter in 0..at.len() {
                let step = 1e-5;
                let moved = |by: f64| {
                    let mut own = at.clone();
                    own[parameter] += by;
                    values(&own).0
                };
                let (above, below) = (moved(step), moved(-step));
                for (moment, slope) in slopes[parameter].iter().enumerate() {
                    let numeric = (above[moment] - below[moment]) / (2.0 * step);
                    assert!(
                        (slope - numeric).abs() < 1e-8,
                        "model {model}, parameter {parameter}, moment {moment}: {slope} {numeric}"
                    );
                }
            }
        }
    }
}

#[test]
fn shared_steps_of_rating_scales_agree_with_finite_differences() {
    let (nodes, weights) = nodes_and_weights();
    let values = |first: f64, second: f64| {
        let item = |location| {
            let steps = [-first - second, first, second];
            RatingScale::new(location, &steps).map(ItemParameters::RatingScale).expect("an item")
        };
        moment_derivatives(&[item(0.4), item(-0.2)], &nodes, &weights, Moments::Categories)
    };
    let (_, slopes) = values(0.1, 0.8);
    assert_eq!(slopes.len(), 4, "two locations and two free steps");
    // The free steps act on intercepts −Σ steps; that they span what moving the steps does is
    // what counts: the numeric slope lies in the span of the four.
    let numeric: Vec<f64> = values(0.1, 0.8 + 1e-5)
        .0
        .iter()
        .zip(&values(0.1, 0.8 - 1e-5).0)
        .map(|(above, below)| (above - below) / 2e-5)
        .collect();
    let gram = Matrix::from_fn(4, 4, |i, j| product(&slopes[i], &slopes[j]));
    let right: Vec<f64> = slopes.iter().map(|slope| product(slope, &numeric)).collect();
    let shares = gram.cholesky().expect("independent").solve(&right);
    let left = |moment: usize| {
        numeric[moment] - (0..4).map(|i| shares[i] * slopes[i][moment]).sum::<f64>()
    };
    assert!((0..numeric.len()).all(|moment| left(moment).abs() < 1e-8));
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn bank() -> Bank {
    let item = |d| {
        let own = TwoParameter::new(1.2, d).map(ItemParameters::TwoParameter).expect("an item");
        BankItem::new(own, 0, vec![0, 1])
    };
    Bank::standard(vec![item(0.5), item(0.0), item(-0.5)]).expect("a bank")
}

#[test]
fn what_cannot_be_tested_is_refused() {
    let few =
        Responses::from_categories(vec![vec![0, 1], vec![1, 0], vec![1, 1]]).expect("answers");
    assert!(matches!(
        item_fit(&bank(), &few, Population::Fixed),
        Err(FitError::TooFewPersons { n_complete: 2, n_items: 3 })
    ));
    let column = |shift: usize| (0..40).map(|p| u8::from((p + shift).is_multiple_of(3))).collect();
    let enough =
        Responses::from_categories(vec![column(0), column(1), column(2)]).expect("answers");
    assert!(matches!(
        limited_information(&bank(), &enough, Moments::Means, Population::Fixed),
        Err(FitError::TooFewDegrees { n_moments: 6, n_free: 6 })
    ));
    assert!(matches!(
        mean_squares(&bank(), &enough, &[0.0; 3]),
        Err(FitError::Score(ScoreError::PersonCount { given: 3, wanted: 40 }))
    ));
    assert!(matches!(
        empirical_reliability(&[0.1, f64::NAN], &[0.3, 0.3]),
        Err(FitError::Scores { .. })
    ));
}

#[test]
fn reliability_of_a_flat_test_is_what_its_information_says() {
    // Σ aᵢ²PQ is nearly constant over the population when items are many and spread out.
    let item = |step: i32| {
        let d = f64::from(step) / 50.0;
        let own = TwoParameter::new(1.0, d).map(ItemParameters::TwoParameter).expect("an item");
        BankItem::new(own, 0, vec![0, 1])
    };
    let bank = Bank::standard((-400..=400).map(item).collect()).expect("a bank");
    // ∫ P(1 − P) dd = 1/a: 50 items a logit.
    let expected = 50.0 / 51.0;
    assert!((marginal_reliability(&bank).expect("a figure") - expected).abs() < 2e-4);
    let se = conditional_standard_error(&bank, 0.3).expect("a figure");
    assert!((se - 1.0 / libm::sqrt(50.0)).abs() < 1e-3);
}
