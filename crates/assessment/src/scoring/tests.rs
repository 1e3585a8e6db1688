//! Scores of the starter quiz.

use base::site::{Site, Source};

use super::*;
use crate::quiz::{Quiz, Quizzes};

/// A profile as it was stored by this layout's first program. It must come out the same, bit for bit, for ever.
const STORED: &str = include_str!("profile_v1.json");

pub(crate) fn quiz() -> std::sync::Arc<Quiz> {
    let site = Site::load(&Source::Embedded).unwrap();
    std::sync::Arc::clone(
        Quizzes::load(&Source::Embedded, &site).unwrap().get("leader-type").unwrap(),
    )
}

/// Answers given by whether an item is about managing and whether it tells of a lapse.
pub(crate) fn answers(quiz: &Quiz, choose: impl Fn(usize, bool) -> Option<i64>) -> Answers {
    let ratings = quiz.form.items().iter().filter_map(|item| item.as_rating());
    let answer = |rating: &Rating| {
        let is_lapse = rating.key() == Key::Reverse;
        Some((rating.id().to_string(), choose(rating.approach().index(), is_lapse)?))
    };
    ratings.filter_map(answer).collect()
}

pub(crate) fn score(quiz: &Quiz, answers: &Answers) -> Profile {
    quiz.scorer.score(&quiz.instrument, &quiz.form, answers)
}

/// Managing often, leading now and then; one question left open.
fn ada(quiz: &Quiz) -> Answers {
    let mut answers = answers(quiz, |approach, is_lapse| {
        Some(match (approach, is_lapse) {
            (0, false) => 4,
            (0, true) => 2,
            (_, false) => 3,
            (_, true) => 4,
        })
    });
    answers.remove("trust-r1");
    answers
}

#[test]
fn a_stored_profile_comes_out_the_same_to_the_last_bit() {
    let quiz = quiz();
    let profile = score(&quiz, &ada(&quiz));
    let scores = serde_json::to_string(&profile.scores).unwrap();
    assert!(
        STORED.contains(&format!("\"scores\":{scores}")),
        "{}",
        serde_json::to_string(&profile).unwrap()
    );
    let read: Profile = serde_json::from_str(STORED).unwrap();
    assert_eq!((read.version, read.engine.as_str()), (PROFILE_VERSION, ENGINE));
    assert_eq!((read.counts, read.items.len()), (profile.counts, profile.items.len()));
}

#[test]
fn the_level_s_band_holds_nine_tenths_of_its_posterior() {
    let quiz = quiz();
    let profile = score(&quiz, &ada(&quiz));
    let scores = profile.scores.unwrap();
    let categories: Vec<Option<u8>> = profile.items.iter().map(|item| item.category).collect();
    // The same posterior on the finest grid there is, and the share of it between the band's ends.
    let scorer = &quiz.scorer;
    let fine = Grid::new(501, RANGE).unwrap();
    let items = scorer.items.iter().map(|item| ScoredItem {
        dimension: item.rating.approach().index(),
        parameters: ItemParameters::Graded(item.model.clone()),
    });
    let prior = Prior::standard(0.5).unwrap();
    let key = ScoringKey::new(items.collect(), Vec::new(), prior, fine).unwrap();
    let posterior = key.posterior(&categories, &[]).unwrap();
    for approach in Approach::BOTH {
        let level = scores.levels[approach.index()];
        let marginal = marginal(&posterior, approach.index());
        let inside = marginal.iter().zip(fine.nodes()).filter(|(_, theta)| {
            let share = scorer.share(approach, *theta);
            level.low <= share && share <= level.high
        });
        let inside: f64 = inside.map(|(weight, _)| weight).sum();
        // A node of this grid holds at most 0.025 of the mass.
        assert!((inside - 0.9).abs() < 0.025, "{approach}: {inside}");
        assert!(level.low < level.share && level.share < level.high);
    }
}

#[test]
fn the_quantile_of_a_known_distribution_is_where_it_should_be() {
    let grid = Grid::new(N_NODES, RANGE).unwrap();
    let density = |theta: f64| libm::exp(-0.5 * (theta / 0.4) * (theta / 0.4));
    let total: f64 = grid.nodes().into_iter().map(density).sum();
    let weights: Vec<f64> = grid.nodes().into_iter().map(|theta| density(theta) / total).collect();
    for (below, normal) in [(0.05, -1.644_854), (0.5, 0.0), (0.95, 1.644_854)] {
        assert!((quantile(&weights, grid, below) - 0.4 * normal).abs() < 0.004, "{below}");
    }
}

#[test]
fn odds_sum_to_one_and_the_outline_goes_round_the_dot() {
    let quiz = quiz();
    for answer in [1, 2, 3, 4, 5] {
        let profile = score(
            &quiz,
            &answers(&quiz, |_, is_lapse| Some(if is_lapse { 6 - answer } else { answer })),
        );
        let scores = profile.scores.unwrap();
        let total: f64 = scores.regions.iter().map(|odds| odds.probability).sum();
        assert!((total - 1.0).abs() < 1e-6, "{answer}: {total}");
        assert_eq!(scores.outline.len(), 72);
        for dimension in [0, 1] {
            let dot = scores.levels[dimension].share;
            let places = || scores.outline.iter().map(|point| point[dimension]);
            assert!(places().any(|place| place < dot) && places().any(|place| place > dot));
            assert!(places().all(|place| (0.0..=1.0).contains(&place)));
        }
    }
}

#[test]
fn more_of_a_behaviour_or_less_of_its_lapse_never_lowers_the_level() {
    let quiz = quiz();
    let mut before = 0.0;
    for answer in 1..=5 {
        let answers = answers(&quiz, |approach, is_lapse| {
            Some(if approach == 1 {
                3
            } else if is_lapse {
                6 - answer
            } else {
                answer
            })
        });
        let share = score(&quiz, &answers).scores.unwrap().levels[0].share;
        assert!(share > before, "{answer}");
        before = share;
    }
}

#[test]
fn eight_of_ten_answers_on_either_side_are_enough_and_seven_are_not() {
    let quiz = quiz();
    let mut answers = answers(&quiz, |_, _| Some(3));
    for (gone, is_scored) in [("vision-f1", true), ("trust-f1", true), ("mentor-f1", false)] {
        answers.remove(gone);
        let profile = score(&quiz, &answers);
        assert_eq!(profile.scores.is_some(), is_scored, "without {gone}");
        assert_eq!(profile.counts[0].answered, 10);
    }
    let nothing = score(&quiz, &Answers::new());
    assert!(nothing.scores.is_none());
    assert_eq!(nothing.counts[1], Count { asked: 10, answered: 0, needed: 8 });
}

#[test]
fn values_off_the_scale_and_unknown_items_count_for_nothing() {
    let quiz = quiz();
    let answers = ada(&quiz);
    let mut with_strangers = answers.clone();
    with_strangers.insert(String::from("plan-f9"), 3);
    with_strangers.insert(String::from("trust-r1"), 17);
    assert_eq!(score(&quiz, &with_strangers), score(&quiz, &answers));
}
