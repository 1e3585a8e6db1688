//! Classification and equating against enumeration, simulation and finite differences.

use psychometrics::classification::{ClassificationError, Over, lee, rudner};
use psychometrics::equating::{Criterion, EquateError, Link, Weights, link, rescaled};
use psychometrics::models::{
    GeneralisedPartialCredit, Graded, ItemModel, ItemParameters, Nominal, PartialCredit, Rasch,
    RatingScale, ThreeParameter, TwoParameter,
};
use psychometrics::score::{Bank, BankItem};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

fn normal(chance: &mut Pcg64Mcg) -> f64 {
    let (u, v): (f64, f64) = (chance.random(), chance.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}

/// One item of each model.
fn every_model() -> Vec<ItemParameters> {
    vec![
        Graded::from_thresholds(1.3, &[-1.2, 0.1, 1.4]).map(ItemParameters::Graded),
        GeneralisedPartialCredit::from_steps(0.8, &[-0.9, 0.7])
            .map(ItemParameters::GeneralisedPartialCredit),
        PartialCredit::from_steps(&[-0.4, 0.9]).map(ItemParameters::PartialCredit),
        RatingScale::new(0.2, &[-0.8, 0.1, 0.7]).map(ItemParameters::RatingScale),
        TwoParameter::new(1.6, -0.5).map(ItemParameters::TwoParameter),
        ThreeParameter::new(1.1, 0.3, 0.2).map(ItemParameters::ThreeParameter),
        Rasch::new(0.4).map(ItemParameters::Rasch),
        Nominal::new(&[0.0, 0.7, 1.5], &[0.0, 0.4, -0.2]).map(ItemParameters::Nominal),
    ]
    .into_iter()
    .collect::<Result<_, _>>()
    .expect("items")
}

fn probabilities(item: &ItemParameters, theta: f64) -> Vec<f64> {
    let mut p = vec![0.0; item.n_categories()];
    item.probabilities(theta, &mut p);
    p
}

#[test]
fn rescaled_items_answer_as_before() {
    for moved in [Link { slope: 1.4, shift: -0.6 }, Link { slope: 1.0, shift: 0.8 }] {
        for item in every_model() {
            let there = rescaled(&item, moved).expect("an item");
            let back = rescaled(&there, moved.inverse()).expect("an item");
            for theta in [-2.0, -0.3, 0.0, 1.7] {
                let before = probabilities(&item, theta);
                let after = probabilities(&there, moved.theta(theta));
                let again = probabilities(&back, theta);
                for k in 0..before.len() {
                    assert!((before[k] - after[k]).abs() < 1e-14, "{item:?} at {theta}");
                    assert!((before[k] - again[k]).abs() < 1e-14, "{item:?} at {theta}");
                }
            }
        }
    }
}

#[test]
fn a_known_line_is_found() {
    let old = every_model();
    for known in [
        Link { slope: 1.0, shift: 0.0 },
        Link { slope: 1.3, shift: 0.7 },
        Link { slope: 0.6, shift: -1.8 },
        Link { slope: 2.2, shift: 2.4 },
    ] {
        let new: Vec<ItemParameters> =
            old.iter().map(|item| rescaled(item, known.inverse()).expect("an item")).collect();
        for criterion in [Criterion::Haebara, Criterion::StockingLord] {
            let found = link(&old, &new, criterion, &Weights::standard()).expect("a link");
            assert!((found.link.slope - known.slope).abs() < 1e-8, "{criterion:?} {found:?}");
            assert!((found.link.shift - known.shift).abs() < 1e-8, "{criterion:?} {found:?}");
            assert!(found.gap < 1e-8, "{criterion:?} {found:?}");
        }
    }
}

/// The criterion from items moved to the old scale, another way than the crate's.
fn loss(old: &[ItemParameters], new: &[ItemParameters], criterion: Criterion, at: Link) -> f64 {
    let moved: Vec<ItemParameters> =
        new.iter().map(|item| rescaled(item, at).expect("an item")).collect();
    let weights = Weights::standard();
    let total: f64 = weights.weights.iter().sum();
    let mut sum = 0.0;
    for (&theta, weight) in weights.nodes.iter().zip(&weights.weights) {
        let mut squares = 0.0;
        let mut score = 0.0;
        for (a, b) in old.iter().zip(&moved) {
            for (p, q) in probabilities(a, theta).iter().zip(probabilities(b, theta)) {
                squares += (p - q) * (p - q);
            }
            score += a.expected_score(theta) - b.expected_score(theta);
        }
        let own = if criterion == Criterion::Haebara { squares } else { score * score };
        sum += weight * own;
    }
    (sum / total).sqrt()
}

#[test]
fn the_line_is_the_minimum_of_its_criterion() {
    let mut chance = Pcg64Mcg::seed_from_u64(3);
    for case in 0..5 {
        let mut item = |spread: f64| {
            let slope = 1.2 + spread * normal(&mut chance);
            let b = 0.8 * normal(&mut chance);
            (slope, [b - 1.0, b, b + 0.9])
        };
        let true_items: Vec<_> = (0..8).map(|_| item(0.2)).collect();
        let mut noisy = |unit: f64, origin: f64| -> Vec<ItemParameters> {
            let own = |&(slope, b): &(f64, [f64; 3])| {
                let slope: f64 = (slope + 0.1 * normal(&mut chance)) * unit;
                let b = b.map(|b| (b - origin) / unit + 0.05 * normal(&mut chance));
                let b = [b[0], b[1].max(b[0] + 0.1), b[2].max(b[1].max(b[0] + 0.1) + 0.1)];
                Graded::from_thresholds(slope, &b).map(ItemParameters::Graded).expect("an item")
            };
            true_items.iter().map(own).collect()
        };
        let (old, new) = (noisy(1.0, 0.0), noisy(1.3, 0.5));
        for criterion in [Criterion::Haebara, Criterion::StockingLord] {
            let found = link(&old, &new, criterion, &Weights::standard()).expect("a link");
            let at = |slope: f64, shift: f64| {
                let Link { slope: a, shift: b } = found.link;
                loss(&old, &new, criterion, Link { slope: a + slope, shift: b + shift })
            };
            let here = at(0.0, 0.0);
            assert!((here - found.gap).abs() < 1e-10, "{case} {criterion:?}: {here} {found:?}");
            for (slope, shift) in [(1e-4, 0.0), (-1e-4, 0.0), (0.0, 1e-4), (0.0, -1e-4)] {
                assert!(at(slope, shift) > here, "{case} {criterion:?} {found:?}");
            }
            let rise = (at(1e-4, 0.0) - at(-1e-4, 0.0)) / 2e-4;
            assert!(rise.abs() < 1e-5, "{case} {criterion:?}: slope {rise}");
            assert!((found.link.slope - 1.3).abs() < 0.2 && (found.link.shift - 0.5).abs() < 0.2);
        }
    }
}

#[test]
fn what_cannot_be_linked_is_refused() {
    let items = every_model();
    let weights = Weights::standard();
    let refused = |old: &[ItemParameters], new: &[ItemParameters], weights: &Weights| {
        link(old, new, Criterion::Haebara, weights).expect_err("a refusal")
    };
    let none = refused(&items, &items[1..], &weights);
    assert_eq!(none, EquateError::ItemCount { n_old: 8, n_new: 7 });
    let other = refused(&items[..1], &items[4..5], &weights);
    assert_eq!(other, EquateError::Categories { item: 0, n_old: 4, n_new: 2 });
    let bad = Weights { nodes: vec![0.0], weights: vec![-1.0] };
    assert!(matches!(refused(&items, &items, &bad), EquateError::Weights { .. }));
    let flat = [Nominal::new(&[0.0, 0.0], &[0.0, 0.3]).map(ItemParameters::Nominal).expect("one")];
    assert_eq!(refused(&flat, &flat, &weights), EquateError::Undetermined);
}

fn bank() -> Bank {
    let item = |slope, b: &[f64]| {
        let own = Graded::from_thresholds(slope, b).map(ItemParameters::Graded).expect("an item");
        BankItem::new(own, 0, (0..).take(b.len() + 1).collect())
    };
    Bank::standard(vec![
        item(1.4, &[-0.5, 0.6]),
        item(0.9, &[0.2]),
        item(1.8, &[-1.1, -0.2, 0.9]),
        item(1.2, &[0.5]),
    ])
    .expect("a bank")
}

#[test]
fn lees_figures_are_those_of_all_answers_counted_out() {
    let (bank, cuts) = (bank(), [2.0, 4.5]);
    let rows: Vec<usize> =
        bank.items().iter().map(|item| item.parameters().n_categories()).collect();
    for theta in [-1.5, 0.0, 0.4, 2.0] {
        let p: Vec<Vec<f64>> =
            bank.items().iter().map(|item| probabilities(item.parameters(), theta)).collect();
        let mut shares = [0.0; 3];
        for pattern in 0..rows.iter().product::<usize>() {
            let (mut left, mut sum, mut chance) = (pattern, 0, 1.0);
            for (item, n) in rows.iter().enumerate() {
                sum += left % n;
                chance *= p[item][left % n];
                left /= n;
            }
            shares[cuts.partition_point(|&cut| cut <= sum as f64)] += chance;
        }
        let seen = lee(&bank, &cuts, Over::Persons(&[theta])).expect("figures");
        for (seen, counted) in seen.shares.iter().zip(shares) {
            assert!((seen - counted).abs() < 1e-14, "{theta}: {seen} {counted}");
        }
        let expected: f64 =
            p.iter().flat_map(|p| p.iter().enumerate().map(|(k, p)| k as f64 * p)).sum();
        let own = cuts.partition_point(|&cut| cut <= expected);
        assert!((seen.accuracy - shares[own]).abs() < 1e-14);
        let squares: f64 = shares.iter().map(|share| share * share).sum();
        assert!((seen.consistency - squares).abs() < 1e-14);
        assert!((seen.accuracy + seen.too_high + seen.too_low - 1.0).abs() < 1e-14);
    }
}

#[test]
fn lees_figures_are_those_of_simulated_retests() {
    let (bank, cuts) = (bank(), [2.0, 4.5]);
    let mut chance = Pcg64Mcg::seed_from_u64(11);
    let n = 40_000;
    let (mut right, mut same) = (0.0, 0.0);
    for _ in 0..n {
        let theta = normal(&mut chance);
        let mut sum = || -> f64 {
            let answer = |item: &BankItem| {
                let mut left: f64 = chance.random();
                let p = probabilities(item.parameters(), theta);
                let beyond = p[..p.len() - 1].iter().take_while(|p| {
                    left -= **p;
                    left > 0.0
                });
                beyond.count() as f64
            };
            bank.items().iter().map(answer).sum()
        };
        let class = |value: f64| cuts.partition_point(|&cut| cut <= value);
        let (first, second) = (class(sum()), class(sum()));
        let expected: f64 =
            bank.items().iter().map(|item| item.parameters().expected_score(theta)).sum();
        right += f64::from(u8::from(first == class(expected)));
        same += f64::from(u8::from(first == second));
    }
    let seen = lee(&bank, &cuts, Over::Population).expect("figures");
    let within = |seen: f64, counted: f64| {
        let share = counted / f64::from(n);
        let error = (share * (1.0 - share) / f64::from(n)).sqrt();
        // Classes change between nodes: the grid knows their edges to half a step.
        assert!((seen - share).abs() < 4.0 * error + 0.01, "{seen} {share}");
    };
    within(seen.accuracy, right);
    within(seen.consistency, same);
    assert!(seen.kappa > 0.0 && seen.kappa < seen.consistency);
}

#[test]
fn rudners_figures_are_those_of_simulated_retests() {
    let mut chance = Pcg64Mcg::seed_from_u64(12);
    let cuts = [-0.7, 0.1, 1.2];
    let thetas: Vec<f64> = (0..400).map(|_| normal(&mut chance)).collect();
    let errors: Vec<f64> = (0..400).map(|_| 0.2 + 0.3 * chance.random::<f64>()).collect();
    let class = |value: f64| cuts.partition_point(|&cut| cut <= value);
    let (mut right, mut same) = (0.0, 0.0);
    let n_retests = 200;
    for (theta, error) in thetas.iter().zip(&errors) {
        for _ in 0..n_retests {
            let first = class(theta + error * normal(&mut chance));
            let second = class(theta + error * normal(&mut chance));
            right += f64::from(u8::from(first == class(*theta)));
            same += f64::from(u8::from(first == second));
        }
    }
    let seen = rudner(&thetas, &errors, &cuts).expect("figures");
    let n = f64::from(400 * n_retests);
    for (seen, counted) in [(seen.accuracy, right), (seen.consistency, same)] {
        let share: f64 = counted / n;
        let error = (share * (1.0 - share) / n).sqrt();
        assert!((seen - share).abs() < 4.0 * error, "{seen} {share}");
    }
    assert!((seen.shares.iter().sum::<f64>() - 1.0).abs() < 1e-13);
    assert!((seen.accuracy + seen.too_high + seen.too_low - 1.0).abs() < 1e-13);
    assert!(seen.consistency < seen.accuracy);
}

#[test]
fn what_cannot_be_classified_is_refused() {
    let cuts = |cuts: &[f64]| rudner(&[0.0], &[0.3], cuts).expect_err("a refusal");
    assert_eq!(cuts(&[]), ClassificationError::Cuts { given: 0 });
    assert_eq!(cuts(&[0.5, 0.5]), ClassificationError::Cuts { given: 2 });
    assert_eq!(cuts(&[f64::NAN]), ClassificationError::Cuts { given: 1 });
    for (thetas, errors) in
        [(&[][..], &[][..]), (&[0.0], &[]), (&[0.0], &[0.0]), (&[f64::INFINITY], &[0.3])]
    {
        let refused = rudner(thetas, errors, &[0.0]);
        assert!(matches!(refused, Err(ClassificationError::Scores { .. })));
    }
    let refused = lee(&bank(), &[2.0], Over::Persons(&[f64::NAN]));
    assert!(matches!(refused, Err(ClassificationError::Scores { .. })));
}
