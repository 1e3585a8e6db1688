//! Tests in stages: routing, shares, precision and refusals.

use psychometrics::adaptive::{
    AdaptiveError, AdaptiveTest, ItemBank, MultistageTest, NodeGrid, Routing, Settings,
};
use psychometrics::models::{Graded, ItemModel, ItemParameters};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

/// Items with locations from −2 to 2, in five groups of six from easy to hard.
fn test() -> AdaptiveTest {
    let item = |at: i32| {
        let b = f64::from(at / 6) - 2.0 + 0.1 * f64::from(at % 6 - 3);
        let own = Graded::from_thresholds(1.4 + 0.05 * f64::from(at % 6), &[b - 0.5, b + 0.5]);
        ItemParameters::Graded(own.expect("an item"))
    };
    let bank = ItemBank::new((0..30).map(item).collect(), NodeGrid::default()).expect("a bank");
    AdaptiveTest::new(bank, Settings::default()).expect("a test")
}

/// One module of middling items, then easy, middling or hard ones, then the same again.
fn stages() -> Vec<Vec<Vec<usize>>> {
    let group = |group: usize| (6 * group..6 * group + 6).collect::<Vec<usize>>();
    let half = |group: usize, odd: usize| {
        (6 * group..6 * group + 6).filter(|item| item % 2 == odd).collect::<Vec<usize>>()
    };
    vec![
        vec![group(2)],
        vec![half(1, 0), half(3, 0)],
        vec![[half(1, 1), group(0)].concat(), [half(3, 1), group(4)].concat()],
    ]
}

fn thetas(n: usize) -> Vec<f64> {
    // Normal quantiles would do; a logistic spread is near enough and has no tails to speak of.
    (0..n).map(|at| ((at as f64 + 0.5) / (n as f64 - at as f64 - 0.5)).ln() / 1.7).collect()
}

#[test]
fn routing_is_by_information_or_by_cuts() {
    let panel = MultistageTest::new(test(), stages(), Routing::Information).expect("a panel");
    for step in -30..=30 {
        let theta = f64::from(step) / 10.0;
        let information = |module: usize| -> f64 {
            let items = &stages()[1][module];
            items.iter().map(|&item| test().bank().item(item).information(theta)).sum()
        };
        let best = usize::from(information(1) > information(0));
        assert_eq!(panel.route(1, theta), best, "at {theta}");
    }
    let cuts = Routing::Cuts(vec![vec![], vec![0.2], vec![-0.1]]);
    let panel = MultistageTest::new(test(), stages(), cuts).expect("a panel");
    assert_eq!([0.19, 0.2].map(|theta| panel.route(1, theta)), [0, 1]);
    assert_eq!([-0.11, -0.1].map(|theta| panel.route(2, theta)), [0, 1]);
    assert_eq!(panel.route(0, 5.0), 0);
}

#[test]
fn everybody_meets_one_module_a_stage_and_threads_change_nothing() {
    let panel = MultistageTest::new(test(), stages(), Routing::Information).expect("a panel");
    let thetas = thetas(2000);
    let run = |threads: usize| {
        let chance = |person: usize| Pcg64Mcg::seed_from_u64(person as u64);
        panel.simulate(&thetas, threads, chance).expect("a simulation")
    };
    let seen = run(1);
    for threads in [2, 3, 7] {
        assert_eq!(run(threads), seen, "{threads} threads");
    }
    for shares in &seen.module_shares {
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{shares:?}");
    }
    assert!(seen.module_shares[1].iter().all(|share| (0.4..0.6).contains(share)));
    assert!((seen.exposure[12] - 1.0).abs() < 1e-12, "the first module is for all");
    assert_eq!(seen.summary.length_range, (18, 18));
    // A standard error of 0.3 or so, a little bias towards the prior, intervals that hold.
    assert!(seen.summary.bias.abs() < 0.02, "{:?}", seen.summary);
    assert!((seen.summary.coverage - 0.95).abs() < 0.02, "{:?}", seen.summary);
    assert!((seen.summary.rmse - seen.summary.mean_se).abs() < 0.03, "{:?}", seen.summary);
    // Routing pays: people far out are measured better than by middling items alone.
    let linear = vec![vec![(6..24).collect()]];
    let linear = MultistageTest::new(test(), linear, Routing::Information).expect("a panel");
    let low: Vec<f64> = vec![-2.0; 500];
    let chance = |person: usize| Pcg64Mcg::seed_from_u64(person as u64);
    let routed = panel.simulate(&low, 2, chance).expect("a simulation").summary.mean_se;
    let fixed = linear.simulate(&low, 2, chance).expect("a simulation").summary.mean_se;
    assert!(routed < 0.9 * fixed, "{routed} {fixed}");
}

#[test]
fn panels_that_cannot_be_given_are_refused() {
    let refused =
        |stages, routing| MultistageTest::new(test(), stages, routing).expect_err("a refusal");
    let length = |error| matches!(error, AdaptiveError::Length { .. });
    assert!(length(refused(vec![], Routing::Information)));
    assert!(length(refused(vec![vec![]], Routing::Information)));
    assert!(length(refused(vec![vec![vec![]]], Routing::Information)));
    let twice = refused(vec![vec![vec![0]], vec![vec![1, 0]]], Routing::Information);
    assert_eq!(twice, AdaptiveError::NotOpen { item: 0, n_items: 30 });
    let within = refused(vec![vec![vec![3, 3]]], Routing::Information);
    assert_eq!(within, AdaptiveError::NotOpen { item: 3, n_items: 30 });
    let beyond = refused(vec![vec![vec![30]]], Routing::Information);
    assert_eq!(beyond, AdaptiveError::NotOpen { item: 30, n_items: 30 });
    assert!(length(refused(stages(), Routing::Cuts(vec![vec![], vec![0.0]]))));
    assert!(length(refused(stages(), Routing::Cuts(vec![vec![], vec![], vec![0.0]]))));
    let infinite = refused(stages(), Routing::Cuts(vec![vec![], vec![f64::NAN], vec![0.0]]));
    assert!(matches!(infinite, AdaptiveError::Setting { .. }));
    let panel = MultistageTest::new(test(), stages(), Routing::Information).expect("a panel");
    let chance = |person: usize| Pcg64Mcg::seed_from_u64(person as u64);
    assert!(matches!(panel.simulate(&[], 1, chance), Err(AdaptiveError::Setting { .. })));
    assert!(matches!(panel.simulate(&[f64::NAN], 1, chance), Err(AdaptiveError::Setting { .. })));
    assert!(matches!(panel.simulate(&[0.0], 0, chance), Err(AdaptiveError::Setting { .. })));
}
