//! What must hold of items and posteriors whatever the answers.

use proptest::prelude::*;
use psychometrics::graded::{GradedError, GradedItem};
use psychometrics::posterior::{
    Dimension, NODES, PlacedItem, Posterior, PosteriorError, Prior, node,
};

/// Sums over 3,721 masses round in the last few digits.
const ROUNDING: f64 = 1e-12;

type Answered = (PlacedItem, Option<usize>);

fn item() -> impl Strategy<Value = GradedItem> {
    (0.3..3.0, -2.5..0.5, prop::collection::vec(0.1..1.5, 0..5)).prop_map(|(a, first, gaps)| {
        let mut thresholds = vec![first];
        for gap in gaps {
            thresholds.push(thresholds[thresholds.len() - 1] + gap);
        }
        GradedItem::new(a, thresholds).expect("ascending by construction")
    })
}

fn answered() -> impl Strategy<Value = Answered> {
    (item(), any::<bool>(), prop::option::weighted(0.9, any::<prop::sample::Index>())).prop_map(
        |(item, managing, answer)| {
            let dimension = if managing { Dimension::Managing } else { Dimension::Leading };
            let answer = answer.map(|index| index.index(item.categories()));
            (PlacedItem { dimension, item }, answer)
        },
    )
}

fn two_orders() -> impl Strategy<Value = (Vec<Answered>, Vec<Answered>)> {
    sitting().prop_flat_map(|sitting| (Just(sitting.clone()), Just(sitting).prop_shuffle()))
}

fn sitting() -> impl Strategy<Value = Vec<Answered>> {
    prop::collection::vec(answered(), 1..16)
        .prop_filter("something answered", |all| all.iter().any(|(_, answer)| answer.is_some()))
}

fn posterior(sitting: &[Answered], correlation: f64) -> Result<Posterior, PosteriorError> {
    let (items, answers): (Vec<_>, Vec<_>) = sitting.iter().cloned().unzip();
    Posterior::new(&items, &answers, Prior::new(correlation)?)
}

fn figures(posterior: &Posterior) -> Vec<f64> {
    let mut all = posterior.mean().to_vec();
    all.extend(posterior.covariance().as_flattened());
    all.extend(posterior.quadrant_probabilities());
    all
}

fn close(left: &[f64], right: &[f64], tolerance: f64) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(l, r)| (l - r).abs() <= tolerance)
}

/// The same figures, written another way: plain differences, the processor's functions and a grid
/// eight times finer, on which the cut of a quadrant errs 64 times less.
fn finer(sitting: &[Answered], r: f64) -> Vec<f64> {
    const FINE: usize = 481;
    let at = |place: usize| (place as f64 - 240.0) / 40.0;
    let mut likelihood = [[1.0; FINE]; 2];
    for (placed, answer) in sitting {
        let Some(category) = *answer else { continue };
        let (a, b) = (placed.item.discrimination(), placed.item.thresholds());
        for place in 0..FINE {
            let from = |k: usize| 1.0 / (1.0 + (-a * (at(place) - b[k - 1])).exp());
            let lower = if category == 0 { 1.0 } else { from(category) };
            let upper = if category == b.len() { 0.0 } else { from(category + 1) };
            likelihood[placed.dimension.place()][place] *= lower - upper;
        }
    }
    let mut moments = [0.0; 6];
    let mut quadrants = [0.0; 4];
    for i in 0..FINE {
        for j in 0..FINE {
            let (m, l) = (at(i), at(j));
            let prior = (-(m * m - 2.0 * r * m * l + l * l) / (2.0 * (1.0 - r * r))).exp();
            let p = prior * likelihood[0][i] * likelihood[1][j];
            for (sum, term) in moments.iter_mut().zip([1.0, m, l, m * m, m * l, l * l]) {
                *sum += p * term;
            }
            let side = |place: usize| (place.cmp(&240) as i8 as f64 + 1.0) / 2.0;
            let (x, y) = (side(i), side(j));
            let shares = [x * y, (1.0 - x) * y, x * (1.0 - y), (1.0 - x) * (1.0 - y)];
            for (sum, share) in quadrants.iter_mut().zip(shares) {
                *sum += p * share;
            }
        }
    }
    let [total, m, l, mm, ml, ll] = moments;
    let (m, l) = (m / total, l / total);
    let across = ml / total - m * l;
    let mut all = vec![m, l, mm / total - m * m, across, across, ll / total - l * l];
    all.extend(quadrants.map(|sum| sum / total));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_finer_grid_agrees(sitting in sitting(), r in -0.8..0.8) {
        let posterior = posterior(&sitting, r).unwrap();
        let [[m, across], [_, l]] = posterior.covariance();
        // Narrower posteriors are beyond the documented reach of the coarser grid.
        prop_assume!(m.min(l).min(m + l - 2.0 * across.abs()) > 0.0625);
        let (ours, theirs) = (figures(&posterior), finer(&sitting, r));
        prop_assert!(close(&ours[..6], &theirs[..6], 1e-4), "{ours:?} {theirs:?}");
        // The documented bound of both cuts, with room for posteriors that are not normal.
        let bound = 0.001 / m + 0.001 / l;
        prop_assert!(close(&ours[6..], &theirs[6..], bound), "{bound} {ours:?} {theirs:?}");
    }

    #[test]
    fn quadrants_and_marginals_sum_to_one(sitting in sitting(), r in -0.95..0.95) {
        let posterior = posterior(&sitting, r).unwrap();
        let quadrants = posterior.quadrant_probabilities();
        prop_assert!(quadrants.iter().all(|p| (0.0..=1.0).contains(p)));
        prop_assert!((quadrants.iter().sum::<f64>() - 1.0).abs() < ROUNDING);
        for dimension in [Dimension::Managing, Dimension::Leading] {
            let marginal = posterior.marginal(dimension);
            prop_assert!((marginal.iter().sum::<f64>() - 1.0).abs() < ROUNDING);
            let mean: f64 = (0..NODES).map(|place| marginal[place] * node(place)).sum();
            prop_assert!((mean - posterior.mean()[dimension.place()]).abs() < ROUNDING);
        }
    }

    #[test]
    fn exchanged_dimensions_exchange_the_results(sitting in sitting(), r in -0.95..0.95) {
        let mut exchanged = sitting.clone();
        for (placed, _) in &mut exchanged {
            placed.dimension = match placed.dimension {
                Dimension::Managing => Dimension::Leading,
                Dimension::Leading => Dimension::Managing,
            };
        }
        let before = figures(&posterior(&sitting, r).unwrap());
        let after = figures(&posterior(&exchanged, r).unwrap());
        let back: Vec<f64> = [1, 0, 5, 4, 3, 2, 6, 8, 7, 9].map(|at: usize| after[at]).to_vec();
        prop_assert!(close(&before, &back, ROUNDING), "{before:?} {back:?}");
    }

    #[test]
    fn mirrored_answers_mirror_the_results(sitting in sitting(), r in -0.95..0.95) {
        let mirrored: Vec<Answered> = sitting.iter().map(|(placed, answer)| {
            let (a, b) = (placed.item.discrimination(), placed.item.thresholds());
            let item = GradedItem::new(a, b.iter().rev().map(|b| -b).collect()).unwrap();
            let dimension = placed.dimension;
            (PlacedItem { dimension, item }, answer.map(|category| b.len() - category))
        }).collect();
        let before = figures(&posterior(&sitting, r).unwrap());
        let after = figures(&posterior(&mirrored, r).unwrap());
        let mut back: Vec<f64> = [0, 1, 2, 3, 4, 5, 9, 8, 7, 6].map(|at: usize| after[at]).to_vec();
        back[0] = -back[0];
        back[1] = -back[1];
        prop_assert!(close(&before, &back, ROUNDING), "{before:?} {back:?}");
    }

    #[test]
    fn the_order_of_items_does_not_matter(
        (sitting, shuffled) in two_orders(), r in -0.95..0.95,
    ) {
        let before = figures(&posterior(&sitting, r).unwrap());
        let after = figures(&posterior(&shuffled, r).unwrap());
        prop_assert!(close(&before, &after, ROUNDING), "{before:?} {after:?}");
    }

    #[test]
    fn missing_answers_say_nothing(sitting in sitting(), r in -0.95..0.95) {
        let kept: Vec<Answered> =
            sitting.iter().filter(|(_, answer)| answer.is_some()).cloned().collect();
        prop_assert_eq!(posterior(&sitting, r), posterior(&kept, r));
    }

    #[test]
    fn the_outline_lies_at_the_chi_square_distance(
        sitting in sitting(), r in -0.8..0.8, level in 0.05..0.99, turn in 0.0..6.3,
    ) {
        let posterior = posterior(&sitting, r).unwrap();
        let ellipse = posterior.ellipse(level).unwrap();
        prop_assert!(ellipse.half_axes[0] >= ellipse.half_axes[1]);
        let ([m, l], [x, y]) = (posterior.mean(), ellipse.point(turn));
        let [[a, b], [_, d]] = posterior.covariance();
        let (x, y) = (x - m, y - l);
        let distance = (d * x * x - 2.0 * b * x * y + a * y * y) / (a * d - b * b);
        let quantile = -2.0 * (1.0 - level).ln();
        prop_assert!((distance / quantile - 1.0).abs() < 1e-9, "{distance} {quantile}");
    }

    #[test]
    fn categories_share_out_one(item in item(), theta in -8.0..8.0) {
        let all = item.probabilities(theta);
        prop_assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-14);
        let (a, b) = (item.discrimination(), item.thresholds());
        let mut expected = 0.0;
        for k in 1..=b.len() {
            let reached = 1.0 / (1.0 + (-a * (theta - b[k - 1])).exp());
            prop_assert!((all[k..].iter().sum::<f64>() - reached).abs() < 1e-14);
            expected += reached;
        }
        let weights: Vec<f64> = (0..all.len()).map(|k| k as f64).collect();
        prop_assert!((item.expected_weight(theta, &weights).unwrap() - expected).abs() < 1e-13);
    }
}

#[test]
fn even_answers_leave_a_person_on_the_cut() {
    let item = GradedItem::new(1.4, vec![-1.0, -0.3, 0.3, 1.0]).unwrap();
    let place = |dimension| (PlacedItem { dimension, item: item.clone() }, Some(2));
    let sitting = [place(Dimension::Managing), place(Dimension::Leading)];
    let even = posterior(&sitting, 0.0).unwrap();
    assert!(close(&even.mean(), &[0.0, 0.0], ROUNDING));
    assert!(close(&even.quadrant_probabilities(), &[0.25; 4], ROUNDING));
    let along = posterior(&sitting, 0.5).unwrap().ellipse(0.9).unwrap();
    assert!((along.angle - std::f64::consts::FRAC_PI_4).abs() < 1e-9);
}

#[test]
fn far_tails_keep_their_digits() {
    let item = GradedItem::new(2.0, vec![0.0, 1.0]).unwrap();
    // P(X = 1) at -20 is e^-40 (1 - e^-2) to within a factor 1 + 1e-17.
    let expected = (-40.0_f64).exp() * (1.0 - (-2.0_f64).exp());
    assert!((item.probability(-20.0, 1).unwrap() / expected - 1.0).abs() < 1e-13);
    let narrow = GradedItem::new(1.0, vec![0.0, 1e-9]).unwrap();
    assert!((narrow.probability(0.0, 1).unwrap() / 2.5e-10 - 1.0).abs() < 1e-8);
}

#[test]
fn faulty_items_are_refused_by_place_and_value() {
    let refused = |a, b: &[f64]| GradedItem::new(a, b.to_vec()).unwrap_err();
    for value in [0.0, -1.0, f64::INFINITY] {
        assert_eq!(refused(value, &[0.0]), GradedError::Discrimination { value });
    }
    assert!(matches!(refused(f64::NAN, &[0.0]), GradedError::Discrimination { .. }));
    assert_eq!(refused(1.0, &[]), GradedError::NoThresholds);
    let infinite = GradedError::ThresholdNotFinite { place: 1, value: f64::INFINITY };
    assert_eq!(refused(1.0, &[0.0, f64::INFINITY]), infinite);
    assert!(matches!(refused(1.0, &[f64::NAN]), GradedError::ThresholdNotFinite { place: 0, .. }));
    let level = GradedError::NotAscending { place: 2, value: 0.5, previous: 0.5 };
    assert_eq!(refused(1.0, &[0.0, 0.5, 0.5]), level);
    assert_eq!(
        level.to_string(),
        "the threshold at place 2 (from 0) is 0.5, not above 0.5 before it"
    );
    let item = GradedItem::new(1.0, vec![0.0]).unwrap();
    let missing = GradedError::NoSuchCategory { category: 2, categories: 2 };
    assert_eq!(item.probability(0.0, 2), Err(missing));
    let count = GradedError::WeightCount { weights: 1, categories: 2 };
    assert_eq!(item.expected_weight(0.0, &[1.0]), Err(count));
}

#[test]
fn faulty_sittings_are_refused() {
    for value in [-1.0, 1.0, 1.5] {
        assert_eq!(Prior::new(value), Err(PosteriorError::Correlation { value }));
    }
    assert!(Prior::new(f64::NAN).is_err());
    let sharp =
        |a, b| PlacedItem { dimension: Dimension::Leading, item: GradedItem::new(a, b).unwrap() };
    let items = [sharp(1.0, vec![0.0]), sharp(1.0, vec![0.0, 1.0])];
    let prior = Prior::new(0.3).unwrap();
    let refused = |answers: &[Option<usize>]| Posterior::new(&items, answers, prior).unwrap_err();
    assert_eq!(refused(&[Some(0)]), PosteriorError::AnswerCount { items: 2, answers: 1 });
    assert_eq!(refused(&[None, None]), PosteriorError::NoAnswers);
    let outside = PosteriorError::CategoryOutOfRange { item: 1, category: 3, last: 2 };
    assert_eq!(refused(&[None, Some(3)]), outside);
    let unseen = [sharp(f64::MAX, vec![10.0])];
    assert_eq!(Posterior::new(&unseen, &[Some(1)], prior), Err(PosteriorError::NoLikelihood));
    let posterior = Posterior::new(&items, &[Some(1), None], prior).unwrap();
    for value in [0.0, 1.0, -0.5] {
        assert_eq!(posterior.ellipse(value), Err(PosteriorError::Level { value }));
    }
    assert!(posterior.ellipse(f64::NAN).is_err());
}
