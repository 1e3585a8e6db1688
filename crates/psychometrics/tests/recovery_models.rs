//! Parameters that answers were simulated from come back within their standard errors.
//!
//! Over a grid of seeds the errors, in standard errors, have mean 0 and mean square 1 as far as the
//! seeds can tell. Errors of one sample hang together, so that seeds, not parameters, count.

use psychometrics::calibrate::{
    Calibration, Estimate, Model, Options, Sample, Specification, calibrate,
};
use psychometrics::equating::{Criterion, Weights, link};
use psychometrics::models::{
    GeneralisedPartialCredit, Graded, ItemModel, ItemParameters, Nominal, PartialCredit, Rasch,
    RatingScale, ThreeParameter, TwoParameter,
};
use psychometrics::responses::Responses;
use psychometrics::score::{Bank, Method, plausible_values, score};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Seeds of the grid, from 1.
const N_SEEDS: u64 = 20;

fn normal(chance: &mut Pcg64Mcg) -> f64 {
    let (u, v): (f64, f64) = (chance.random(), chance.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}

fn answer(item: &ItemParameters, theta: f64, chance: &mut Pcg64Mcg) -> u8 {
    let mut left: f64 = chance.random();
    let mut answer = 0_u8;
    item.for_each_category(theta, |at| {
        left -= at.probability;
        answer += u8::from(left > 0.0 && at.category + 1 < item.n_categories());
    });
    answer
}

/// Answers of people whose thetas are given, one a dimension, with `missing` of them left out.
fn answers(
    items: &[(ItemParameters, usize)],
    thetas: &[Vec<f64>],
    missing: f64,
    chance: &mut Pcg64Mcg,
) -> Responses {
    let columns: Vec<Vec<Option<i32>>> = items
        .iter()
        .map(|(item, dimension)| {
            let one = |theta: &Vec<f64>| {
                let given = answer(item, theta[*dimension], chance);
                (chance.random::<f64>() >= missing).then(|| i32::from(given))
            };
            thetas.iter().map(one).collect()
        })
        .collect();
    let slices: Vec<&[Option<i32>]> = columns.iter().map(Vec::as_slice).collect();
    Responses::from_columns(&slices).expect("responses")
}

fn on_one(items: Vec<ItemParameters>) -> Vec<(ItemParameters, usize)> {
    items.into_iter().map(|item| (item, 0)).collect()
}

/// Slopes, intercepts and guessing of an item as estimates list them.
fn truth(item: &ItemParameters) -> Vec<f64> {
    let of = |slope: f64, d: &[f64]| [&[slope], d].concat();
    match item {
        ItemParameters::Graded(own) => of(own.slope(), own.intercepts()),
        ItemParameters::GeneralisedPartialCredit(own) => of(own.slope(), own.intercepts()),
        ItemParameters::PartialCredit(own) => of(1.0, own.intercepts()),
        ItemParameters::TwoParameter(own) => of(own.slope(), &[own.intercept()]),
        ItemParameters::ThreeParameter(own) => of(own.slope(), &[own.intercept(), own.guessing()]),
        ItemParameters::Rasch(own) => of(1.0, &[own.intercept()]),
        ItemParameters::Nominal(own) => [own.slopes(), own.intercepts()].concat(),
        ItemParameters::RatingScale(own) => {
            let mut d = 0.0;
            let step = |tau: &f64| {
                d -= own.location() + tau;
                d
            };
            std::iter::once(1.0).chain(own.steps().iter().map(step)).collect()
        }
        other => panic!("no truth for {other:?}"),
    }
}

fn z(estimate: &Estimate, truth: f64) -> Option<f64> {
    estimate.se.map(|se| (estimate.value - truth) / se)
}

/// Errors of all item parameters in standard errors.
fn item_errors(found: &Calibration, items: &[(ItemParameters, usize)]) -> Vec<f64> {
    let mut errors = Vec::new();
    for (estimate, (item, _)) in found.items.iter().zip(items) {
        let all = estimate.slopes.iter().chain(&estimate.intercepts).chain(&estimate.guessing);
        let truth = truth(item);
        assert_eq!(all.clone().count(), truth.len(), "{item:?}");
        errors.extend(all.zip(truth).filter_map(|(estimate, truth)| z(estimate, truth)));
    }
    errors
}

/// Mean 0 and mean square 1 within four standard errors over the seeds, and `allowed` of the
/// latter for what large-sample theory leaves out; no error beyond five.
fn check(errors: &[Vec<f64>], allowed: f64, what: &str) {
    let moment = |power: i32| {
        let of = |all: &Vec<f64>| all.iter().map(|z| z.powi(power)).sum::<f64>() / all.len() as f64;
        let by_seed: Vec<f64> = errors.iter().map(of).collect();
        let n = by_seed.len() as f64;
        let mean = by_seed.iter().sum::<f64>() / n;
        let spread = by_seed.iter().map(|m| (m - mean) * (m - mean)).sum::<f64>() / (n - 1.0);
        (mean, (spread / n).sqrt())
    };
    let (mean, error) = moment(1);
    assert!(mean.abs() < 4.0 * error, "{what}: mean {mean}, known to {error}");
    let (square, error) = moment(2);
    let gap = (square - 1.0).abs();
    assert!(gap < 4.0 * error + allowed, "{what}: mean square {square}, known to {error}");
    let worst = errors.iter().flatten().fold(0.0, |worst: f64, z| worst.max(z.abs()));
    assert!(worst < 5.0, "{what}: one error of {worst}");
}

fn options() -> Options {
    Options { threads: 2, ..Options::default() }
}

fn model_recovers(model: Model, items: Vec<ItemParameters>, (n, sd): (usize, f64), allowed: f64) {
    let items = on_one(items);
    let specification = Specification::of(model, items.len());
    let errors: Vec<Vec<f64>> = (1..=N_SEEDS)
        .map(|seed| {
            let mut chance = Pcg64Mcg::seed_from_u64(seed);
            let thetas: Vec<Vec<f64>> = (0..n).map(|_| vec![sd * normal(&mut chance)]).collect();
            let responses = answers(&items, &thetas, 0.05, &mut chance);
            let found = calibrate(&Sample::of(&responses), &specification, &options());
            let found = found.expect("a calibration");
            assert!(found.converged, "{model:?}, seed {seed}: {:?}", found.flags);
            let mut errors = item_errors(&found, &items);
            errors.extend(z(&found.groups[0].covariance[0][0], sd * sd));
            errors
        })
        .collect();
    check(&errors, allowed, &format!("{model:?}"));
}

fn spread(n: i32, make: impl Fn(f64, f64) -> ItemParameters) -> Vec<ItemParameters> {
    // Slopes and locations that do not go together.
    let one = |at: i32| {
        let slope = 0.8 + 0.2 * f64::from((at * 3) % n) * 5.0 / f64::from(n);
        make(slope, 2.0 * f64::from(at) / f64::from(n - 1) - 1.0)
    };
    (0..n).map(one).collect()
}

#[test]
fn graded_items() {
    let items = spread(8, |slope, b| {
        let b = [b - 1.1, b - 0.2, b + 1.0];
        ItemParameters::Graded(Graded::from_thresholds(slope, &b).expect("an item"))
    });
    model_recovers(Model::Graded, items, (1000, 1.0), 0.05);
}

#[test]
fn generalised_partial_credit_items() {
    let items = spread(8, |slope, b| {
        let own = GeneralisedPartialCredit::from_steps(slope, &[b - 0.8, b + 0.1, b + 0.9]);
        ItemParameters::GeneralisedPartialCredit(own.expect("an item"))
    });
    model_recovers(Model::GeneralisedPartialCredit, items, (1000, 1.0), 0.05);
}

#[test]
fn partial_credit_items() {
    let items = spread(8, |_, b| {
        let own = PartialCredit::from_steps(&[b - 0.7, b + 0.6]);
        ItemParameters::PartialCredit(own.expect("an item"))
    });
    model_recovers(Model::PartialCredit, items, (1000, 1.2), 0.05);
}

#[test]
fn rating_scale_items() {
    let items = spread(8, |_, b| {
        let own = RatingScale::new(b, &[-1.0, 0.2, 0.8]);
        ItemParameters::RatingScale(own.expect("an item"))
    });
    model_recovers(Model::RatingScale, items, (1000, 1.2), 0.05);
}

#[test]
fn two_parameter_items() {
    let items = spread(10, |slope, b| {
        ItemParameters::TwoParameter(TwoParameter::new(slope, -slope * b).expect("an item"))
    });
    model_recovers(Model::TwoParameter, items, (1500, 1.0), 0.05);
}

#[test]
fn three_parameter_items() {
    let items = spread(12, |slope, b| {
        let own = ThreeParameter::new(1.3 * slope, -1.3 * slope * b, 0.2);
        ItemParameters::ThreeParameter(own.expect("an item"))
    });
    // The prior, whose mode is the truth, pulls guessing closer than its errors say.
    model_recovers(Model::ThreeParameter, items, (3000, 1.0), 0.4);
}

#[test]
fn rasch_items() {
    let items = spread(10, |_, b| ItemParameters::Rasch(Rasch::new(-1.5 * b).expect("an item")));
    model_recovers(Model::Rasch, items, (1000, 1.3), 0.05);
}

#[test]
fn nominal_items() {
    let items = spread(8, |slope, b| {
        let own = Nominal::new(&[0.0, 0.5 * slope, 1.4 * slope], &[0.0, 0.4 - b, -b]);
        ItemParameters::Nominal(own.expect("an item"))
    });
    model_recovers(Model::Nominal, items, (2000, 1.0), 0.05);
}

fn graded_scale(n: i32) -> Vec<ItemParameters> {
    spread(n, |slope, b| {
        let own = Graded::from_thresholds(slope, &[b - 0.8, b + 0.7]);
        ItemParameters::Graded(own.expect("an item"))
    })
}

#[test]
fn correlated_dimensions() {
    for (n_dimensions, n_seeds, n_nodes) in [(2_usize, 12, 31), (3, 6, 13)] {
        let items: Vec<(ItemParameters, usize)> = (0..n_dimensions)
            .flat_map(|dimension| graded_scale(6).into_iter().map(move |item| (item, dimension)))
            .collect();
        let dimensions: Vec<usize> = items.iter().map(|(_, dimension)| *dimension).collect();
        let specification =
            Specification::of(Model::Graded, items.len()).on_dimensions(&dimensions);
        let options = Options { n_nodes: Some(n_nodes), ..options() };
        let correlation: f64 = 0.5;
        let errors: Vec<Vec<f64>> = (1..=n_seeds)
            .map(|seed| {
                let mut chance = Pcg64Mcg::seed_from_u64(seed);
                let theta = |chance: &mut Pcg64Mcg| -> Vec<f64> {
                    let common = correlation.sqrt() * normal(chance);
                    let own = (1.0 - correlation).sqrt();
                    (0..n_dimensions).map(|_| common + own * normal(chance)).collect()
                };
                let thetas: Vec<Vec<f64>> = (0..800).map(|_| theta(&mut chance)).collect();
                let responses = answers(&items, &thetas, 0.0, &mut chance);
                let found = calibrate(&Sample::of(&responses), &specification, &options);
                let found = found.expect("a calibration");
                assert!(found.converged, "seed {seed}: {:?}", found.flags);
                let mut errors = item_errors(&found, &items);
                for i in 0..n_dimensions {
                    let row = &found.groups[0].covariance[i][..i];
                    errors.extend(row.iter().filter_map(|cell| z(cell, correlation)));
                }
                errors
            })
            .collect();
        check(&errors, 0.05, &format!("{n_dimensions} dimensions"));
    }
}

#[test]
fn groups_with_means_and_variances_of_their_own() {
    let items = on_one(graded_scale(8));
    let specification = Specification::of(Model::Graded, items.len());
    let populations = [(0.0, 1.0), (0.5, 1.3), (-0.4, 0.8)];
    let (mut all, mut of_groups) = (Vec::new(), Vec::new());
    for seed in 1..=N_SEEDS {
        let mut chance = Pcg64Mcg::seed_from_u64(seed);
        let groups: Vec<u32> = (0..1500).map(|person| person % 3).collect();
        let theta = |&group: &u32| {
            let (mean, sd) = populations[group as usize];
            vec![mean + sd * normal(&mut chance)]
        };
        let thetas: Vec<Vec<f64>> = groups.iter().map(theta).collect();
        let responses = answers(&items, &thetas, 0.05, &mut chance);
        let sample = Sample { groups: Some(&groups), ..Sample::of(&responses) };
        let found = calibrate(&sample, &specification, &options()).expect("a calibration");
        assert!(found.converged, "seed {seed}: {:?}", found.flags);
        all.push(item_errors(&found, &items));
        let mut own = Vec::new();
        for (group, (mean, sd)) in found.groups.iter().zip(populations).skip(1) {
            own.extend(z(&group.mean[0], mean));
            own.extend(z(&group.covariance[0][0], sd * sd));
        }
        assert_eq!(own.len(), 4);
        of_groups.push(own);
    }
    check(&all, 0.05, "items shared by three groups");
    check(&of_groups, 0.05, "means and variances of two groups");
}

#[test]
fn a_line_between_two_samples() {
    let items = on_one(graded_scale(10));
    let specification = Specification::of(Model::Graded, items.len());
    let (mean, sd) = (0.6, 1.25);
    let mut lines = Vec::new();
    for seed in 1..=N_SEEDS {
        let mut chance = Pcg64Mcg::seed_from_u64(seed);
        let mut fitted = |mean: f64, sd: f64| -> Vec<ItemParameters> {
            let theta = |_| vec![mean + sd * normal(&mut chance)];
            let thetas: Vec<Vec<f64>> = (0..1500).map(theta).collect();
            let responses = answers(&items, &thetas, 0.0, &mut chance);
            let found = calibrate(&Sample::of(&responses), &specification, &options());
            found.expect("a calibration").items.into_iter().map(|item| item.parameters).collect()
        };
        let (old, new) = (fitted(0.0, 1.0), fitted(mean, sd));
        let haebara = link(&old, &new, Criterion::Haebara, &Weights::standard()).expect("a line");
        let lord = link(&old, &new, Criterion::StockingLord, &Weights::standard()).expect("one");
        assert!((haebara.link.slope - lord.link.slope).abs() < 0.1);
        assert!((haebara.link.shift - lord.link.shift).abs() < 0.1);
        lines.push([haebara.link, lord.link]);
    }
    for criterion in 0..2 {
        let n = lines.len() as f64;
        let near = |values: Vec<f64>, truth: f64| {
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
            assert!((mean - truth).abs() < 4.0 * (variance / n).sqrt(), "{mean} for {truth}");
            assert!(variance.sqrt() < 0.1, "spread {}", variance.sqrt());
        };
        near(lines.iter().map(|line| line[criterion].slope).collect(), sd);
        near(lines.iter().map(|line| line[criterion].shift).collect(), mean);
    }
}

#[test]
fn scores_and_plausible_values() {
    let items = on_one(graded_scale(12));
    let specification = Specification::of(Model::Graded, items.len());
    let (mut coverage, mut variances) = (Vec::new(), Vec::new());
    for seed in 1..=N_SEEDS {
        let mut chance = Pcg64Mcg::seed_from_u64(seed);
        let thetas: Vec<Vec<f64>> = (0..1000).map(|_| vec![normal(&mut chance)]).collect();
        let responses = answers(&items, &thetas, 0.1, &mut chance);
        let found = calibrate(&Sample::of(&responses), &specification, &options());
        let bank = Bank::of(&found.expect("a calibration"), 0).expect("a bank");
        let scores = score(&bank, &responses, Method::Eap, 2).expect("scores");
        let inside = scores.iter().zip(&thetas).filter(|(score, theta)| {
            let score = score.as_ref().expect("a score");
            (score.theta[0] - theta[0]).abs() < 1.959_963_984_540_054 * score.se[0]
        });
        coverage.push(inside.count() as f64 / 1000.0);
        let draws = plausible_values(&bank, &responses, 1, &mut chance).expect("draws");
        let draws: Vec<f64> = draws.into_iter().map(|draw| draw.expect("a draw")[0][0]).collect();
        let mean = draws.iter().sum::<f64>() / 1000.0;
        variances.push(draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / 999.0);
    }
    let n = N_SEEDS as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let error = (0.95 * 0.05 / 1000.0 / n).sqrt();
    assert!((mean(&coverage) - 0.95).abs() < 4.0 * error + 0.005, "{}", mean(&coverage));
    // Of plausible values, unlike EAP scores, the variance is that of the population.
    let error = (2.0 / 1000.0 / n).sqrt();
    assert!((mean(&variances) - 1.0).abs() < 4.0 * error, "{}", mean(&variances));
}
