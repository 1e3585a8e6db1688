//! Fit statistics of samples simulated from the model that is fitted: χ² on average.

use psychometrics::calibrate::{Model, Options, Sample, Specification, calibrate};
use psychometrics::fit::{Moments, Population, item_fit, limited_information};
use psychometrics::models::{GeneralisedPartialCredit, ItemModel, ItemParameters, Rasch};
use psychometrics::responses::Responses;
use psychometrics::score::Bank;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Seeds from 1.
const N_SEEDS: u64 = 30;

fn normal(chance: &mut Pcg64Mcg) -> f64 {
    let (u, v): (f64, f64) = (chance.random(), chance.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}

fn answers(items: &[ItemParameters], n: usize, sd: f64, seed: u64) -> Responses {
    let mut chance = Pcg64Mcg::seed_from_u64(seed);
    let mut columns = vec![Vec::with_capacity(n); items.len()];
    for _ in 0..n {
        let theta = sd * normal(&mut chance);
        for (item, column) in items.iter().zip(&mut columns) {
            let mut left: f64 = chance.random();
            let mut answer = 0_u8;
            item.for_each_category(theta, |at| {
                left -= at.probability;
                answer += u8::from(left > 0.0 && at.category + 1 < item.n_categories());
            });
            column.push(answer);
        }
    }
    Responses::from_categories(columns).expect("responses")
}

/// Mean of a statistic less its degrees of freedom, in standard errors of that mean under χ².
fn z_of_mean(statistics: &[(f64, f64)]) -> f64 {
    let n = statistics.len() as f64;
    let gap = statistics.iter().map(|(x2, df)| x2 - df).sum::<f64>() / n;
    let variance = statistics.iter().map(|(_, df)| 2.0 * df).sum::<f64>() / n;
    gap / (variance / n).sqrt()
}

#[test]
fn c2_of_partial_credit_items_is_chi_squared() {
    let item = |step: i32| {
        let (slope, shift) = (0.7 + 0.15 * f64::from(step), 0.4 * f64::from(step - 2));
        let steps = [-1.2 + shift, shift, 1.1 + shift];
        GeneralisedPartialCredit::from_steps(slope, &steps)
            .map(ItemParameters::GeneralisedPartialCredit)
            .expect("an item")
    };
    let items: Vec<ItemParameters> = (0..6).map(item).collect();
    let specification = Specification::of(Model::GeneralisedPartialCredit, items.len());
    let seen: Vec<(f64, f64)> = (1..=N_SEEDS)
        .map(|seed| {
            let responses = answers(&items, 800, 1.0, seed);
            let options = Options { standard_errors: false, ..Options::default() };
            let fitted = calibrate(&Sample::of(&responses), &specification, &options);
            let bank = Bank::of(&fitted.expect("a calibration"), 0).expect("a bank");
            let seen =
                limited_information(&bank, &responses, Moments::Categories, Population::Fixed);
            let seen = seen.expect("a statistic");
            assert_eq!(seen.df, 9);
            (seen.statistic, seen.df as f64)
        })
        .collect();
    let z = z_of_mean(&seen);
    assert!(z.abs() < 3.0, "C2 is {z} standard errors from its degrees of freedom");
}

#[test]
fn figures_of_rasch_items_are_chi_squared() {
    let items: Vec<ItemParameters> = (0..8)
        .map(|step| Rasch::new(0.5 * f64::from(step) - 1.75).expect("an item"))
        .map(ItemParameters::Rasch)
        .collect();
    let specification = Specification::of(Model::Rasch, items.len());
    let (mut whole, mut by_item) = (Vec::new(), Vec::new());
    for seed in 1..=N_SEEDS {
        let responses = answers(&items, 600, 1.3, seed);
        let options = Options { standard_errors: false, ..Options::default() };
        let fitted = calibrate(&Sample::of(&responses), &specification, &options);
        let bank = Bank::of(&fitted.expect("a calibration"), 0).expect("a bank");
        let free = Population::VarianceFree;
        let seen = limited_information(&bank, &responses, Moments::Means, free).expect("M2");
        assert_eq!(seen.df, 27);
        whole.push((seen.statistic, 27.0));
        // Counting the variance against every item, as mirt does, takes one degree too many.
        let items = item_fit(&bank, &responses, Population::Fixed).expect("S-X2");
        by_item.extend(items.iter().map(|fit| (fit.s_x2, fit.df as f64)));
    }
    let z = z_of_mean(&whole);
    assert!(z.abs() < 3.0, "M2 is {z} standard errors from its degrees of freedom");
    // S-X² is χ² only roughly: cells are joined after the data are seen. A tenth of its degrees of
    // freedom is what Orlando and Thissen found it to be right within.
    let mean = |which: fn(&(f64, f64)) -> f64| by_item.iter().map(which).sum::<f64>();
    let ratio = mean(|pair| pair.0) / mean(|pair| pair.1);
    assert!((0.9..1.1).contains(&ratio), "S-X2 is {ratio} of its degrees of freedom on average");
}
