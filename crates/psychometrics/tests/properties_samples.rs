//! Malformed answers: every function gives a typed error or figures that make sense.

use proptest::prelude::*;
use psychometrics::calibrate::{Model, Options, Sample, Specification, calibrate};
use psychometrics::classification::rudner;
use psychometrics::equating::{Criterion, Weights, link};
use psychometrics::fairness::{Matched, mantel, mantel_haenszel, ordinal_logistic};
use psychometrics::fit::{
    Moments, Population, item_fit, limited_information, mean_squares, residual_correlations,
};
use psychometrics::models::{Graded, ItemParameters};
use psychometrics::responses::{Responses, ResponsesBuilder};
use psychometrics::score::{Bank, BankItem, Method, posterior_moments, score, sum_scores};

/// Rows of answers, most of them sensible, some far off, some missing.
fn rows() -> impl Strategy<Value = Vec<Vec<Option<i32>>>> {
    let cell = prop_oneof![
        12 => (1..=4_i32).prop_map(Some),
        2 => Just(None),
        1 => prop_oneof![Just(0), Just(300), Just(i32::MIN), Just(i32::MAX)].prop_map(Some),
    ];
    let sensible = prop_oneof![5 => (1..=4_i32).prop_map(Some), 1 => Just(None)];
    prop_oneof![
        1 => prop::collection::vec(prop::collection::vec(cell, 3), 0..40),
        4 => prop::collection::vec(prop::collection::vec(sensible, 3), 0..60),
    ]
}

fn packed(rows: &[Vec<Option<i32>>]) -> Option<Responses> {
    let mut builder = ResponsesBuilder::new(3).ok()?;
    for row in rows {
        builder.push(row).ok()?;
    }
    builder.finish().ok()
}

fn graded(slope: f64, b: [f64; 3]) -> Option<BankItem> {
    let own = Graded::from_thresholds(slope, &b).ok()?;
    Some(BankItem::new(ItemParameters::Graded(own), 0, vec![1, 2, 3, 4]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_answers_are_calibrated_or_refused(rows in rows(), model in 0..4_usize) {
        let Some(responses) = packed(&rows) else { return Ok(()) };
        let model = [Model::Graded, Model::GeneralisedPartialCredit, Model::PartialCredit,
            Model::Nominal][model];
        let sample = Sample::of(&responses);
        let found = calibrate(&sample, &Specification::of(model, 3), &Options::default());
        let Ok(found) = found else { return Ok(()) };
        prop_assert!(found.log_likelihood.is_finite() && found.log_likelihood <= 0.0);
        prop_assert!(found.converged || !found.flags.is_empty(), "neither converged nor flagged");
        for item in &found.items {
            let all = item.slopes.iter().chain(&item.intercepts);
            for estimate in all {
                prop_assert!(estimate.value.is_finite(), "{:?}", item);
                let usable = estimate.se.is_none_or(|se| se.is_finite() && se >= 0.0);
                prop_assert!(usable, "{:?}", item);
            }
        }
    }

    #[test]
    fn any_answers_are_scored_or_refused(rows in rows()) {
        let Some(responses) = packed(&rows) else { return Ok(()) };
        let items: Option<Vec<BankItem>> =
            [0.5, 1.2, 3.0].into_iter().map(|slope| graded(slope, [-1.0, 0.0, 1.0])).collect();
        let bank = Bank::standard(items.expect("items")).expect("a bank");
        let Ok(eap) = score(&bank, &responses, Method::Eap, 1) else { return Ok(()) };
        for (person, found) in eap.iter().enumerate() {
            let any = (0..3).any(|item| responses.category(person, item).is_some());
            prop_assert_eq!(found.is_some(), any);
            if let Some(found) = found {
                prop_assert!(found.theta[0].abs() < 6.0 && found.se[0] > 0.0 && found.se[0] <= 1.0);
            }
        }
        let moments = posterior_moments(&bank, &responses, 1).expect("scored before");
        for (found, moments) in eap.iter().zip(&moments) {
            let (Some(found), Some(moments)) = (found, moments) else { continue };
            prop_assert!((found.theta[0] - moments.mean[0]).abs() < 1e-9);
            prop_assert!((found.se[0] - moments.covariance.at(0, 0).sqrt()).abs() < 1e-9);
        }
        let thetas: Vec<f64> =
            eap.iter().map(|found| found.as_ref().map_or(f64::NAN, |f| f.theta[0])).collect();
        if let Ok(squares) = mean_squares(&bank, &responses, &thetas) {
            let sensible = |m: &f64| m.is_nan() || *m >= 0.0;
            prop_assert!(squares.items.iter().all(|item| sensible(&item.outfit)));
            prop_assert!(squares.persons.iter().all(|person| sensible(&person.infit)));
        }
        if let Ok(q3) = residual_correlations(&bank, &responses, &thetas) {
            prop_assert!(q3.values().iter().all(|r| r.abs() <= 1.0 + 1e-12));
        }
        for fit in item_fit(&bank, &responses, Population::Fixed).into_iter().flatten() {
            prop_assert!(fit.s_x2.is_nan() == (fit.df == 0), "{:?}", fit);
            prop_assert!(fit.p.is_nan() || (0.0..=1.0).contains(&fit.p), "{:?}", fit);
        }
        for moments in [Moments::Means, Moments::Categories] {
            if let Ok(fit) = limited_information(&bank, &responses, moments, Population::Fixed) {
                prop_assert!(fit.statistic > -1e-9 && (0.0..=1.0).contains(&fit.p), "{:?}", fit);
            }
        }
    }

    #[test]
    fn any_bank_has_sum_scores_that_add_up(
        slopes in prop::collection::vec(0.01..8.0_f64, 1..12),
        shift in -5.0..5.0_f64,
    ) {
        let items: Option<Vec<BankItem>> =
            slopes.iter().map(|&slope| graded(slope, [shift - 1.0, shift, shift + 2.0])).collect();
        let bank = Bank::standard(items.expect("items")).expect("a bank");
        let table = sum_scores(&bank).expect("one dimension");
        prop_assert_eq!(table.len(), 3 * slopes.len() + 1);
        let total: f64 = table.iter().map(|row| row.probability).sum();
        prop_assert!((total - 1.0).abs() < 1e-10, "{}", total);
        // θ need not rise with the sum: graded items have no monotone likelihood ratio in it.
        let sensible = |row: &&psychometrics::score::SumScore| row.probability > 1e-12;
        for row in table.iter().filter(sensible) {
            prop_assert!(row.theta.abs() <= 6.0 && row.se > 0.0 && row.se < 2.0, "{:?}", row);
        }
    }

    #[test]
    fn any_groups_are_compared_or_refused(
        persons in prop::collection::vec(
            (prop_oneof![8 => 0..3_i32, 1 => Just(-1)], any::<bool>(), 0..6_i32),
            0..60,
        ),
        infinite in prop::option::of(0..60_usize),
    ) {
        let gap = |answer: i32| if answer < 0 { f64::NAN } else { f64::from(answer) };
        let mut answers: Vec<f64> = persons.iter().map(|person| gap(person.0)).collect();
        if let Some(place) = infinite.filter(|place| *place < answers.len()) {
            answers[place] = f64::INFINITY;
        }
        let focal: Vec<bool> = persons.iter().map(|person| person.1).collect();
        let scores: Vec<f64> = persons.iter().map(|person| f64::from(person.2)).collect();
        let item = Matched { answers: &answers, focal: &focal, scores: &scores };
        if let Ok(found) = mantel(&item) {
            prop_assert!(found.chi_squared >= 0.0 && (0.0..=1.0).contains(&found.p), "{:?}", found);
            prop_assert!(found.mean_difference.abs() <= 2.0, "{:?}", found);
        }
        let halved: Vec<f64> = answers.iter().map(|a| if *a > 1.0 { 1.0 } else { *a }).collect();
        if let Ok(found) = mantel_haenszel(&Matched { answers: &halved, ..item }) {
            prop_assert!(found.chi_squared >= 0.0 && (0.0..=1.0).contains(&found.p), "{:?}", found);
            prop_assert!(found.odds_ratio > 0.0, "{:?}", found);
        }
        if let Ok(found) = ordinal_logistic(&item) {
            let [one, two, three] = found.log_likelihoods;
            prop_assert!(one <= two + 1e-9 && two <= three + 1e-9, "{:?}", found);
            prop_assert!(found.ln_odds_se > 0.0, "{:?}", found);
        }
    }

    #[test]
    fn any_scores_are_classified_or_refused(
        thetas in prop::collection::vec(any::<f64>(), 0..10),
        errors in prop::collection::vec(prop_oneof![3 => 0.01..3.0_f64, 1 => any::<f64>()], 0..10),
        cuts in prop::collection::vec(-3.0..3.0_f64, 0..4),
    ) {
        let Ok(found) = rudner(&thetas, &errors, &cuts) else { return Ok(()) };
        prop_assert!((0.0..=1.0 + 1e-12).contains(&found.accuracy), "{:?}", found);
        prop_assert!(found.consistency <= 1.0 + 1e-12, "{:?}", found);
        prop_assert!((found.shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{:?}", found);
    }

    #[test]
    fn any_items_are_linked_or_refused(
        pairs in prop::collection::vec((0.1..4.0_f64, 0.1..4.0_f64, -4.0..4.0_f64), 1..6),
    ) {
        let item = |slope: f64, b: f64| {
            ItemParameters::Graded(Graded::from_thresholds(slope, &[b, b + 1.0]).expect("an item"))
        };
        let old: Vec<ItemParameters> = pairs.iter().map(|p| item(p.0, p.2)).collect();
        let new: Vec<ItemParameters> = pairs.iter().map(|p| item(p.1, -p.2)).collect();
        for criterion in [Criterion::Haebara, Criterion::StockingLord] {
            if let Ok(found) = link(&old, &new, criterion, &Weights::standard()) {
                prop_assert!(found.link.slope > 0.0 && found.link.shift.is_finite(), "{:?}", found);
                prop_assert!(found.gap >= 0.0 && found.gap.is_finite(), "{:?}", found);
            }
        }
    }
}
