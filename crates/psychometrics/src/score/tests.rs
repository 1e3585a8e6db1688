use super::{Bank, BankItem, Method, ScoreError, eap, plausible_values, score, sum_scores, zh};
use crate::models::{
    GeneralisedPartialCredit, Graded, ItemParameters, Nominal, Rasch, ThreeParameter, TwoParameter,
};
use crate::responses::Responses;
use rand_pcg::Pcg64;

fn graded(slope: f64, dimension: usize) -> BankItem {
    let item = Graded::from_thresholds(slope, &[-1.0, 0.2, 1.1]).unwrap();
    BankItem::new(ItemParameters::Graded(item), dimension, vec![1, 2, 3, 4])
}

fn two_dimensions(correlation: f64) -> Bank {
    let items = vec![graded(1.2, 0), graded(1.8, 0), graded(0.9, 1), graded(1.5, 1)];
    let covariance = [vec![1.0, correlation], vec![correlation, 1.0]];
    Bank::new(items, vec![0.0; 2], &covariance, 61, 6.0).unwrap()
}

fn answers() -> Responses {
    let rows: [&[Option<i32>]; 4] = [
        &[Some(1), Some(4), None, Some(3), None],
        &[Some(2), Some(4), Some(1), None, None],
        &[Some(3), Some(4), Some(2), Some(4), None],
        &[Some(1), Some(4), None, Some(1), None],
    ];
    Responses::from_columns(&rows).unwrap()
}

#[test]
fn nothing_answered_is_no_score_in_any_method() {
    for method in [Method::Eap, Method::Map, Method::MaximumLikelihood, Method::WeightedLikelihood]
    {
        let found = score(&two_dimensions(0.5), &answers(), method, 1).unwrap();
        assert!(found[4].is_none() && found[..4].iter().all(Option::is_some), "{method:?}");
    }
}

#[test]
fn all_highest_is_infinite_by_likelihood_alone() {
    let bank = two_dimensions(0.5);
    let by = |method| score(&bank, &answers(), method, 1).unwrap()[1].clone().unwrap();
    let likelihood = by(Method::MaximumLikelihood);
    assert_eq!(likelihood.theta[0], f64::INFINITY);
    assert!(by(Method::WeightedLikelihood).theta[0].is_finite());
    assert!(by(Method::Map).theta[0].is_finite());
}

/// The derivative of an all but certain answer must not be lost to rounding: it says that the
/// likelihood still rises, whatever the model and however far out its largest difficulty is.
#[test]
fn an_end_of_the_scale_is_infinite_in_every_model() {
    let steps = [2.0, 0.5, -3.0];
    let credit = |a: f64| {
        let item = GeneralisedPartialCredit::new(a, &steps).unwrap();
        BankItem::new(ItemParameters::GeneralisedPartialCredit(item), 0, vec![0, 1, 2, 3])
    };
    let two = |a: f64, d: f64| {
        let item = TwoParameter::new(a, d).unwrap();
        BankItem::new(ItemParameters::TwoParameter(item), 0, vec![0, 1])
    };
    let rasch =
        |d: f64| BankItem::new(ItemParameters::Rasch(Rasch::new(d).unwrap()), 0, vec![0, 1]);
    let nominal = Nominal::new(&[0.0, 0.7, 1.9], &[0.0, 1.0, -0.5]).unwrap();
    let nominal = BankItem::new(ItemParameters::Nominal(nominal), 0, vec![0, 1, 2]);
    for bank in [
        vec![credit(1.4), credit(0.6)],
        vec![two(1.8, 0.3), two(0.9, -2.0), two(2.6, 1.0)],
        vec![two(25.0, 0.3), two(30.0, 3.0)],
        vec![rasch(-2.0), rasch(0.4)],
        vec![nominal.clone(), nominal],
    ] {
        let top: Vec<i32> = bank.iter().map(|item| item.values().len() as i32 - 1).collect();
        let ends: Vec<Vec<Option<i32>>> =
            top.iter().map(|&top| vec![Some(0), Some(top), Some(top), Some(0)]).collect();
        let mut ends = ends;
        // The last two persons are at one end but for the first item.
        ends[0][2] = Some(0);
        ends[0][3] = Some(top[0]);
        let columns: Vec<&[Option<i32>]> = ends.iter().map(Vec::as_slice).collect();
        let responses = Responses::from_columns(&columns).unwrap();
        let bank = Bank::standard(bank).unwrap();
        let found = score(&bank, &responses, Method::MaximumLikelihood, 1).unwrap();
        let theta = |person: usize| found[person].as_ref().unwrap().theta[0];
        assert_eq!((theta(0), theta(1)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(theta(2).abs() < 20.0 && theta(3).abs() < 20.0, "{} {}", theta(2), theta(3));
        let weighted = score(&bank, &responses, Method::WeightedLikelihood, 1).unwrap();
        assert!(weighted[0].as_ref().unwrap().theta[0].is_finite());
        assert!(weighted[1].as_ref().unwrap().theta[0].is_finite());
    }
}

#[test]
fn a_dimension_without_items_is_refused() {
    let covariance = [vec![1.0, 0.5], vec![0.5, 1.0]];
    let refused = Bank::new(vec![graded(1.0, 0)], vec![0.0; 2], &covariance, 61, 6.0);
    assert!(matches!(refused, Err(ScoreError::Population { .. })), "{refused:?}");
}

#[test]
fn uncorrelated_dimensions_are_scored_apart_and_correlated_ones_lend_strength() {
    let bank = two_dimensions(0.0);
    let first = Bank::standard(bank.items()[..2].to_vec()).unwrap();
    let own = answers().select_items(&[0, 1]).unwrap();
    for method in [Method::Eap, Method::Map] {
        let both = score(&bank, &answers(), method, 2).unwrap();
        let alone = score(&first, &own, method, 1).unwrap();
        for (both, alone) in both.iter().zip(&alone).take(4) {
            let Some(alone) = alone else { continue };
            let both = both.as_ref().unwrap();
            assert!((both.theta[0] - alone.theta[0]).abs() < 1e-9, "{method:?}");
            assert!((both.se[0] - alone.se[0]).abs() < 1e-9, "{method:?}");
        }
        let together = score(&two_dimensions(0.8), &answers(), method, 1).unwrap();
        let (together, both) = (together[0].as_ref().unwrap(), both[0].as_ref().unwrap());
        assert!(together.se[1] < both.se[1], "{method:?}");
    }
}

#[test]
fn threads_do_not_change_scores() {
    let columns = (0..4).map(|item| (0..40_000).map(|p| ((p * (item + 3)) % 4) as u8).collect());
    let responses = Responses::from_categories(columns.collect()).unwrap();
    let items: Vec<BankItem> = [0.8, 1.1, 1.7, 2.2]
        .map(|slope| {
            let item = graded(slope, 0);
            BankItem::new(item.parameters().clone(), 0, vec![0, 1, 2, 3])
        })
        .to_vec();
    let bank = Bank::standard(items).unwrap();
    let one = eap(&bank, &responses, 1).unwrap();
    assert_eq!(one, eap(&bank, &responses, 3).unwrap());
    let mode = |threads| score(&bank, &responses, Method::Map, threads).unwrap();
    assert_eq!(mode(1), mode(2));
}

#[test]
fn plausible_values_have_the_posteriors_moments() {
    let bank = two_dimensions(0.5);
    let mut chance = Pcg64::new(5, 1);
    let n = 20_000;
    let drawn = plausible_values(&bank, &answers(), n, &mut chance).unwrap();
    assert!(drawn[4].is_none());
    let expected = score(&bank, &answers(), Method::Eap, 1).unwrap();
    for (drawn, expected) in drawn.iter().zip(&expected).take(4) {
        let (drawn, expected) = (drawn.as_ref().unwrap(), expected.as_ref().unwrap());
        for d in 0..2 {
            let mean = drawn.iter().map(|v| v[d]).sum::<f64>() / n as f64;
            let square = |v: &Vec<f64>| (v[d] - mean) * (v[d] - mean);
            let sd = (drawn.iter().map(square).sum::<f64>() / n as f64).sqrt();
            let error = expected.se[d] / (n as f64).sqrt();
            assert!((mean - expected.theta[d]).abs() < 5.0 * error);
            assert!((sd / expected.se[d] - 1.0).abs() < 0.03, "{sd} {}", expected.se[d]);
        }
    }
}

#[test]
fn guessing_gets_the_likelier_of_two_modes() {
    let items: Vec<BankItem> = [-2.0, 0.0, 2.0, 3.0]
        .map(|b| {
            let item = ThreeParameter::new(2.5, -2.5 * b, 0.25).unwrap();
            BankItem::new(ItemParameters::ThreeParameter(item), 0, vec![0, 1])
        })
        .to_vec();
    let bank = Bank::standard(items).unwrap();
    let rows: [&[Option<i32>]; 4] = [&[Some(0)], &[Some(1)], &[Some(1)], &[Some(1)]];
    let responses = Responses::from_columns(&rows).unwrap();
    let found = score(&bank, &responses, Method::Map, 1).unwrap()[0].clone().unwrap();
    let posterior = |theta: f64| {
        let right = |b: f64| 0.25 + 0.75 / (1.0 + (-2.5 * (theta - b)).exp());
        -0.5 * theta * theta
            + (1.0 - right(-2.0)).ln()
            + [0.0, 2.0, 3.0].map(|b| right(b).ln()).iter().sum::<f64>()
    };
    let best = (-400..400).map(|at| posterior(f64::from(at) * 0.01)).fold(f64::MIN, f64::max);
    assert!(posterior(found.theta[0]) >= best - 1e-9, "{found:?}");
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let bank = two_dimensions(0.5);
    let wanted = ScoreError::OneDimension { what: "sum scores", n_dimensions: 2 };
    assert_eq!(sum_scores(&bank).unwrap_err(), wanted);
    let refused = score(&bank, &answers().select_items(&[0]).unwrap(), Method::Eap, 1);
    assert_eq!(refused.unwrap_err(), ScoreError::ItemCount { given: 1, wanted: 4 });
    let rows: [&[Option<i32>]; 2] = [&[Some(1), Some(2)], &[Some(5), Some(1)]];
    let responses = Responses::from_columns(&rows).unwrap();
    let bank = Bank::standard(vec![graded(1.0, 0), graded(1.0, 0)]).unwrap();
    let refused = score(&bank, &responses, Method::MaximumLikelihood, 1);
    assert_eq!(refused.unwrap_err(), ScoreError::UnknownAnswer { item: 1, value: 5 });
    let refused = zh(&bank, &responses.select_persons(&[1]).unwrap(), &[]);
    assert_eq!(refused.unwrap_err(), ScoreError::PersonCount { given: 0, wanted: 1 });
    let steps = GeneralisedPartialCredit::new(1.0, &[0.3]).unwrap();
    let item = BankItem::new(ItemParameters::GeneralisedPartialCredit(steps), 0, vec![1]);
    let expected = ScoreError::Values { item: 0, given: 1, wanted: 2 };
    assert_eq!(Bank::standard(vec![item]).unwrap_err(), expected);
    assert_eq!(Bank::standard(Vec::new()).unwrap_err(), ScoreError::NoItems);
    let singular = [vec![1.0, 1.0], vec![1.0, 1.0]];
    let refused = Bank::new(vec![graded(1.0, 0)], vec![0.0; 2], &singular, 61, 6.0);
    assert!(matches!(refused, Err(ScoreError::Population { .. })));
}
