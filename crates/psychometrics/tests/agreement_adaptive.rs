//! Adaptive tests against the plain way of doing the same, and against what they promise.

use psychometrics::adaptive::{
    AdaptiveError, AdaptiveTest, Certainty, Content, Estimator, ItemBank, Next, NodeGrid,
    Selection, Settings, StopReason, StopRules, sympson_hetter,
};
use psychometrics::models::{
    GeneralisedPartialCredit, Graded, ItemModel, ItemParameters, Nominal, ThreeParameter,
    TwoParameter,
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

fn between(low: f64, high: f64, chance: &mut Pcg64Mcg) -> f64 {
    low + (high - low) * chance.random::<f64>()
}

fn normal(chance: &mut Pcg64Mcg) -> f64 {
    let radius = (-2.0 * (1.0 - chance.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * chance.random::<f64>()).cos()
}

fn thetas(n: usize, seed: u64) -> Vec<f64> {
    let mut chance = Pcg64Mcg::seed_from_u64(seed);
    (0..n).map(|_| normal(&mut chance)).collect()
}

/// Items of five models, some of them extreme.
fn mixed(n: usize, seed: u64) -> Vec<ItemParameters> {
    let mut chance = Pcg64Mcg::seed_from_u64(seed);
    (0..n)
        .map(|at| {
            let a = between(0.2, if at % 7 == 0 { 6.0 } else { 2.5 }, &mut chance);
            let b = normal(&mut chance);
            let steps = [b - 1.1, b - 0.2, b + 0.9];
            match at % 5 {
                0 => Graded::from_thresholds(a, &steps).map(ItemParameters::Graded),
                1 => GeneralisedPartialCredit::from_steps(a, &[b + 0.4, b - 0.6, b])
                    .map(ItemParameters::GeneralisedPartialCredit),
                2 => TwoParameter::new(a, -a * b).map(ItemParameters::TwoParameter),
                3 => ThreeParameter::new(a, -a * b, 0.2).map(ItemParameters::ThreeParameter),
                _ => Nominal::new(&[0.0, a, -a, 0.5], &[0.0, b, -b, 0.3])
                    .map(ItemParameters::Nominal),
            }
            .expect("an item")
        })
        .collect()
}

fn graded(n: usize, seed: u64) -> Vec<ItemParameters> {
    let mut chance = Pcg64Mcg::seed_from_u64(seed);
    let item = |_| {
        let (a, b) = (between(0.8, 2.2, &mut chance), 1.2 * normal(&mut chance));
        let graded = Graded::from_thresholds(a, &[b - 1.2, b - 0.4, b + 0.4, b + 1.2]);
        ItemParameters::Graded(graded.expect("an item"))
    };
    (0..n).map(item).collect()
}

fn bank(items: Vec<ItemParameters>) -> ItemBank {
    ItemBank::new(items, NodeGrid::default()).expect("a bank")
}

#[test]
fn the_ranked_search_finds_what_a_full_pass_finds() {
    for seed in 0..12 {
        let items = mixed(if seed == 0 { 1 } else { 150 }, seed);
        let most = items.len().min(20);
        let stop = StopRules { n_items_max: most, ..StopRules::default() };
        let test = AdaptiveTest::new(bank(items.clone()), Settings { stop, ..Settings::default() })
            .unwrap();
        let mut chance = Pcg64Mcg::seed_from_u64(100 + seed);
        let mut sitting = test.sitting();
        let mut asked = Vec::new();
        let mut theta = 0.0;
        while let Next::Ask(item) = sitting.next(&mut chance) {
            let open = (0..items.len()).filter(|item| !asked.contains(item));
            let plain = open.fold(None, |best: Option<(usize, f64)>, item| {
                let value = items[item].information(theta);
                if best.is_none_or(|(_, most)| value > most) { Some((item, value)) } else { best }
            });
            assert_eq!(Some(item), plain.map(|(item, _)| item), "seed {seed} at {theta}");
            asked.push(item);
            let answer = chance.random_range(0..items[item].n_categories()) as u8;
            theta = sitting.answer(item, answer).unwrap().theta;
        }
        assert_eq!(asked.len(), most);
    }
}

#[test]
fn a_posterior_mode_is_a_root_of_its_derivative() {
    let items = graded(40, 3);
    let settings = Settings {
        estimator: Estimator::PosteriorMode,
        prior_mean: 0.3,
        prior_sd: 1.2,
        stop: StopRules { n_items_max: 15, ..StopRules::default() },
        ..Settings::default()
    };
    let test = AdaptiveTest::new(bank(items.clone()), settings).unwrap();
    let mut chance = Pcg64Mcg::seed_from_u64(4);
    let mut sitting = test.sitting();
    while let Next::Ask(item) = sitting.next(&mut chance) {
        let theta = sitting.answer(item, chance.random_range(0..5)).unwrap().theta;
        let mut slope = -(theta - 0.3) / 1.44;
        let mut information = 1.0 / 1.44;
        for asked in sitting.asked() {
            items[asked.item].for_each_category(theta, |at| {
                if Some(at.category as u8) == asked.answer {
                    slope += at.slope;
                }
            });
            information += items[asked.item].information(theta);
        }
        assert!(slope.abs() < 1e-12, "{slope:e}");
        assert!((sitting.estimate().se - information.powf(-0.5)).abs() < 1e-13);
    }
}

#[test]
fn persons_of_the_population_are_recovered() {
    for (selection, estimator) in [
        (Selection::MaximumInformation, Estimator::PosteriorMean),
        (Selection::MaximumInformation, Estimator::PosteriorMode),
        (Selection::PosteriorWeightedInformation, Estimator::PosteriorMean),
        (Selection::PosteriorKullbackLeibler, Estimator::PosteriorMean),
    ] {
        let stop = StopRules { n_items_max: 12, ..StopRules::default() };
        let settings = Settings { selection, estimator, stop, ..Settings::default() };
        let test = AdaptiveTest::new(bank(graded(120, 5)), settings).unwrap();
        let run = test.simulate(&thetas(2_000, 6), 2, |person| {
            Pcg64Mcg::seed_from_u64(7_000 + person as u64)
        });
        let seen = run.unwrap().summary;
        // Four standard errors of a mean and of a share over 2,000 persons.
        assert!(seen.bias.abs() < 4.0 * seen.rmse / 2_000_f64.sqrt(), "{selection:?} {seen:?}");
        assert!((seen.coverage - 0.95).abs() < 0.02, "{selection:?} {seen:?}");
        assert!((seen.mean_se / seen.rmse - 1.0).abs() < 0.06, "{selection:?} {seen:?}");
        assert!(seen.correlation > 0.93 && seen.length_range == (12, 12), "{selection:?} {seen:?}");
    }
}

#[test]
fn threads_do_not_change_a_simulation() {
    let settings = Settings {
        randomesque: 3,
        stop: StopRules { se: Some(0.35), n_items_max: 20, ..StopRules::default() },
        ..Settings::default()
    };
    let test = AdaptiveTest::new(bank(graded(60, 8)), settings).unwrap();
    let people = thetas(101, 9);
    let run = |threads| {
        test.simulate(&people, threads, |person| Pcg64Mcg::seed_from_u64(person as u64)).unwrap()
    };
    let one = run(1);
    for threads in [2, 3, 7, 200] {
        assert_eq!(run(threads), one, "{threads} threads");
    }
    assert_eq!(one.persons.len(), 101);
    assert!(one.persons.iter().all(|p| p.reason != StopReason::Precision || p.estimate.se <= 0.35));
    assert!(one.persons.iter().any(|p| p.reason == StopReason::Precision));
    let total: f64 = one.exposure.iter().sum();
    assert!((total - one.summary.mean_length).abs() < 1e-12, "rates add up to the mean length");
}

#[test]
fn every_facet_is_met_before_the_end() {
    let facets: Vec<usize> = (0..60).map(|item| item % 10).collect();
    for (stop, fewest) in [
        (StopRules { n_items_max: 10, ..StopRules::default() }, vec![1; 10]),
        (StopRules { se: Some(0.8), n_items_max: 30, ..StopRules::default() }, vec![1; 10]),
        (StopRules { n_items_max: 9, ..StopRules::default() }, vec![0, 3, 0, 0, 0, 0, 0, 0, 0, 2]),
    ] {
        let bank =
            ItemBank::with_facets(graded(60, 10), facets.clone(), NodeGrid::default()).unwrap();
        let content = Content::AtLeast(fewest.clone());
        let settings = Settings { content, stop: stop.clone(), ..Settings::default() };
        let test = AdaptiveTest::new(bank, settings).unwrap();
        let mut chance = Pcg64Mcg::seed_from_u64(11);
        let mut sitting = test.sitting();
        let mut met = [0; 10];
        while let Next::Ask(item) = sitting.next(&mut chance) {
            met[facets[item]] += 1;
            sitting.answer(item, chance.random_range(0..5)).unwrap();
        }
        assert!(met.iter().zip(&fewest).all(|(met, fewest)| met >= fewest), "{met:?} {stop:?}");
        if stop.se.is_some() {
            assert_eq!(met.iter().sum::<usize>(), 10, "no more than the facets asked for");
        }
    }
}

#[test]
fn shares_of_facets_are_kept() {
    let facets: Vec<usize> = (0..80).map(|item| item % 2).collect();
    let bank = ItemBank::with_facets(graded(80, 12), facets.clone(), NodeGrid::default()).unwrap();
    let settings = Settings { content: Content::Shares(vec![3.0, 1.0]), ..Settings::default() };
    let test = AdaptiveTest::new(bank, settings).unwrap();
    let mut chance = Pcg64Mcg::seed_from_u64(13);
    let mut sitting = test.sitting();
    let mut met = [0, 0];
    while let Next::Ask(item) = sitting.next(&mut chance) {
        met[facets[item]] += 1;
        let n: i32 = met.iter().sum();
        assert!((f64::from(met[0]) - 0.75 * f64::from(n)).abs() <= 1.0, "{met:?}");
        sitting.answer(item, 2).unwrap();
    }
    assert_eq!(met.iter().sum::<i32>(), 30);
}

#[test]
fn sympson_and_hetter_keep_the_rate() {
    let stop = StopRules { n_items_max: 15, ..StopRules::default() };
    let settings = Settings { stop, ..Settings::default() };
    let test = AdaptiveTest::new(bank(graded(150, 14)), settings.clone()).unwrap();
    let people = thetas(1_500, 15);
    let chance_of = |cycle: u32, person: usize| {
        Pcg64Mcg::seed_from_u64(u64::from(cycle) * 100_000 + person as u64)
    };
    let plain = test.simulate(&people, 2, |person| chance_of(99, person)).unwrap();
    assert!(plain.summary.exposure_max > 0.6, "{:?}", plain.summary);
    let found = sympson_hetter(&test, &people, 0.3, 12, 2, chance_of).unwrap();
    let exposure = found.parameters;
    assert!(exposure.iter().filter(|&&k| k == 1.0).count() >= 15, "a test can be filled");
    let kept = AdaptiveTest::new(bank(graded(150, 14)), Settings { exposure, ..settings }).unwrap();
    let seen = kept.simulate(&thetas(1_500, 16), 2, |person| chance_of(98, person)).unwrap();
    // Three standard errors of a rate of 0.3 over 1,500 persons, and new ones at that.
    assert!(seen.summary.exposure_max < 0.3 + 0.04, "{:?}", seen.summary);
    assert!(seen.summary.rmse < plain.summary.rmse + 0.05);
    assert_eq!(seen.summary.length_range, (15, 15));
}

#[test]
fn certainty_of_a_class_ends_a_test() {
    let certainty = Certainty { cuts: vec![-0.5, 0.8], probability: 0.95 };
    let stop =
        StopRules { certainty: Some(certainty.clone()), n_items_max: 40, ..StopRules::default() };
    let settings = Settings { stop, ..Settings::default() };
    let test = AdaptiveTest::new(bank(graded(60, 17)), settings).unwrap();
    let mut chance = Pcg64Mcg::seed_from_u64(18);
    let mut sitting = test.sitting();
    while let Next::Ask(item) = sitting.next(&mut chance) {
        sitting.answer(item, 4).unwrap();
    }
    let classes = sitting.class_probabilities(&certainty.cuts);
    assert_eq!(classes.len(), 3);
    assert!((classes.iter().sum::<f64>() - 1.0).abs() < 1e-12 && classes[2] >= 0.95);
    assert_eq!(sitting.next(&mut chance), Next::Stop(StopReason::Certainty));
    // The prior alone, whose normal distribution is known; 61 nodes make straight lines of it.
    sitting.restart();
    let classes = sitting.class_probabilities(&[0.0]);
    assert!((classes[0] - 0.5).abs() < 1e-12);
    let tail = sitting.class_probabilities(&[1.0])[1];
    assert!((tail - 0.158_655_253_931_457).abs() < 1e-3, "{tail}");
}

#[test]
fn what_cannot_be_is_refused() {
    let none = ItemBank::new(Vec::new(), NodeGrid::default());
    assert!(matches!(none, Err(AdaptiveError::NoItems)));
    let grid = NodeGrid { n_nodes: 2, range: 6.0 };
    assert!(matches!(ItemBank::new(graded(2, 1), grid), Err(AdaptiveError::Grid { .. })));
    let facets = ItemBank::with_facets(graded(2, 1), vec![0], NodeGrid::default());
    assert!(matches!(facets, Err(AdaptiveError::Length { .. })));
    let plain = || Settings {
        stop: StopRules { n_items_max: 3, ..StopRules::default() },
        ..Settings::default()
    };
    let wrong = [
        Settings { prior_sd: 0.0, ..plain() },
        Settings { prior_mean: f64::NAN, ..plain() },
        Settings { start: f64::INFINITY, ..plain() },
        Settings { randomesque: 0, ..plain() },
        Settings { exposure: vec![1.0, 1.0], ..plain() },
        Settings { exposure: vec![1.0, 0.0, 1.0], ..plain() },
        Settings { content: Content::AtLeast(vec![4]), ..plain() },
        Settings { content: Content::AtLeast(vec![1, 1]), ..plain() },
        Settings { content: Content::Shares(vec![0.0]), ..plain() },
        Settings { stop: StopRules { n_items_max: 4, ..StopRules::default() }, ..plain() },
        Settings { stop: StopRules { n_items_max: 0, ..StopRules::default() }, ..plain() },
        Settings { stop: StopRules { se: Some(f64::NAN), ..plain().stop }, ..plain() },
        Settings { stop: StopRules { n_items_min: 4, ..plain().stop }, ..plain() },
        Settings {
            stop: StopRules {
                certainty: Some(Certainty { cuts: vec![1.0, 1.0], probability: 0.9 }),
                ..plain().stop
            },
            ..plain()
        },
    ];
    for settings in wrong {
        let seen = AdaptiveTest::new(bank(graded(3, 1)), settings.clone());
        assert!(seen.is_err(), "{settings:?}");
    }
    let test = AdaptiveTest::new(bank(graded(3, 1)), plain()).unwrap();
    let mut sitting = test.sitting();
    assert!(matches!(sitting.answer(0, 5), Err(AdaptiveError::Answer { last: 4, .. })));
    sitting.answer(0, 4).unwrap();
    assert!(matches!(sitting.answer(0, 4), Err(AdaptiveError::NotOpen { item: 0, .. })));
    assert!(matches!(sitting.pass_over(3), Err(AdaptiveError::NotOpen { item: 3, .. })));
    let before = sitting.estimate();
    sitting.pass_over(2).unwrap();
    assert_eq!(sitting.estimate(), before);
    let chance_of = |_| Pcg64Mcg::seed_from_u64(1);
    assert!(test.simulate(&[], 1, chance_of).is_err());
    assert!(test.simulate(&[0.0], 0, chance_of).is_err());
    assert!(test.simulate(&[f64::NAN], 1, chance_of).is_err());
    assert!(sympson_hetter(&test, &[0.0], 0.5, 2, 1, |_, person| chance_of(person)).is_err());
}
