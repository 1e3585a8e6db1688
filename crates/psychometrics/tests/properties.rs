//! Whatever is put in, the answer is a typed error or finite numbers that make sense.

use proptest::prelude::*;
use psychometrics::models::{Graded, ItemModel, ItemParameters, Nominal, ThreeParameter};
use psychometrics::posterior::{
    Grid, PairItem, PosteriorError, Prior, RegionMap, ScoredItem, ScoringKey,
};

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -20.0..20.0_f64, 1 => any::<f64>()]
}

fn key() -> ScoringKey {
    let graded = Graded::new(1.4, &[2.0, 0.7, -0.6, -2.0]).expect("an item");
    let item =
        |dimension| ScoredItem { dimension, parameters: ItemParameters::Graded(graded.clone()) };
    let pair = PairItem { parameters: Graded::new(1.0, &[1.0, 0.0, -1.0]).expect("a pair") };
    let items = (0..6).map(|at| item(at % 2)).collect();
    let prior = Prior::standard(0.6).expect("a prior");
    ScoringKey::new(items, vec![pair; 2], prior, Grid::default()).expect("a key")
}

proptest! {
    #[test]
    fn parameters_make_probabilities_or_an_error(
        slope in any_number(),
        others in proptest::collection::vec(any_number(), 0..6),
        guessing in any_number(),
        theta in -50.0..50.0_f64,
    ) {
        let slopes: Vec<f64> = others.iter().rev().copied().collect();
        let items = [
            Graded::new(slope, &others).map(ItemParameters::Graded),
            Nominal::new(&slopes, &others).map(ItemParameters::Nominal),
            ThreeParameter::new(slope, others.first().copied().unwrap_or(0.0), guessing)
                .map(ItemParameters::ThreeParameter),
        ];
        for item in items.into_iter().flatten() {
            // Beyond this a·θ itself overflows; nobody's item is there.
            if slope.abs() > 1e6 || others.iter().any(|other| other.abs() > 1e6) {
                continue;
            }
            let mut p = vec![0.0; item.n_categories()];
            item.probabilities(theta, &mut p);
            prop_assert!(p.iter().all(|p| (0.0..=1.0 + 1e-12).contains(p)), "{item:?} {p:?}");
            prop_assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{item:?} {p:?}");
            prop_assert!(item.information(theta).is_finite());
        }
    }

    #[test]
    fn answers_make_a_posterior_or_an_error(
        items in proptest::collection::vec(proptest::option::of(0..7_u8), 4..8),
        pairs in proptest::collection::vec(proptest::option::of(0..5_u8), 1..4),
    ) {
        let key = key();
        let bad_count = items.len() != 6 || pairs.len() != 2;
        let too_high = items.iter().flatten().any(|a| *a > 4)
            || pairs.iter().flatten().any(|a| *a > 3);
        let nothing = items.iter().chain(&pairs).all(Option::is_none);
        match key.posterior(&items, &pairs) {
            Ok(posterior) => {
                prop_assert!(!bad_count && !too_high && !nothing);
                let total: f64 = posterior.weights().iter().sum();
                prop_assert!((total - 1.0).abs() < 1e-12);
                prop_assert!(posterior.se.iter().all(|se| *se > 0.0 && *se <= 1.0 + 1e-9));
                let odds = posterior.region_probabilities(&RegionMap::quadrants());
                let sum: f64 = odds.regions.iter().map(|region| region.probability).sum();
                prop_assert!((sum - 1.0).abs() < 1e-10 && odds.uncovered < 1e-10);
            }
            Err(PosteriorError::AnswerCount { .. }) => prop_assert!(bad_count),
            Err(PosteriorError::Answer { .. }) => prop_assert!(too_high),
            Err(PosteriorError::NothingAnswered) => prop_assert!(nothing),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
