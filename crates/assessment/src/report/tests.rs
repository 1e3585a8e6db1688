//! What reports say, from profiles of the starter quiz.

use base::site::{Site, Source};

use super::*;
use crate::quiz::Quiz;
use crate::scoring::tests::{answers, quiz, score};

fn publication() -> Publication {
    let site = Site::load(&Source::Embedded).unwrap();
    Publication::load(&Source::Embedded, &site).unwrap()
}

/// A profile with the given odds, in the order of the instrument's regions.
fn with_odds(quiz: &Quiz, odds: [f64; 4]) -> Profile {
    let mut profile = score(quiz, &answers(quiz, |_, _| Some(3)));
    for (region, probability) in profile.scores.as_mut().unwrap().regions.iter_mut().zip(odds) {
        region.probability = probability;
    }
    profile
}

fn said(pieces: &[Piece]) -> String {
    pieces.iter().map(|(words, _)| words.as_str()).collect()
}

fn words<'a>(quiz: &Quiz, publication: &'a Publication, odds: [f64; 4]) -> Words<'a> {
    Words::new(&quiz.instrument, publication, &with_odds(quiz, odds), "").unwrap()
}

#[test]
fn a_region_is_named_at_the_rule_and_not_below_it() {
    let (quiz, publication) = (quiz(), publication());
    let named = words(&quiz, &publication, [0.70, 0.20, 0.06, 0.04]);
    assert!(said(&named.opening) == "As you see yourself: mostly order.");
    assert_eq!(named.meaning.as_deref(), Some("People know what to do and by when."));
    assert_eq!(
        said(&named.sure),
        "Likely: 70 % if our provisional parameters hold. The next likeliest is mostly fresh insight, at 20 %."
    );
    let not_named = words(&quiz, &publication, [0.699, 0.201, 0.06, 0.04]);
    assert_eq!(
        said(&not_named.opening),
        "As you see yourself: between mostly order and mostly fresh insight."
    );
    assert!(
        said(&not_named.sure).contains("each. 69 % for the first and 20 % for the second"),
        "never rounded up"
    );
    assert_eq!(
        words(&quiz, &publication, [0.05, 0.02, 0.03, 0.90]).sure[0].0,
        "Very likely: 90 % if our provisional parameters hold."
    );
}

#[test]
fn below_the_rule_together_nothing_is_named() {
    let (quiz, publication) = (quiz(), publication());
    let middle = words(&quiz, &publication, [0.35, 0.34, 0.20, 0.11]);
    assert!(said(&middle.opening).contains("near the middle: too close to call"));
    assert!(said(&middle.sure).starts_with("Your answers sit close to where the regions meet"));
    assert!(said(&middle.sure).contains("The likeliest, mostly order, has 35 %"));
    assert!(middle.tuesday.is_empty() && middle.fit.is_none());
    assert_eq!(middle.tries.len(), 2);
}

#[test]
fn equal_odds_are_never_told_apart_by_the_order_of_a_file() {
    let (quiz, publication) = (quiz(), publication());
    let tie = words(&quiz, &publication, [0.5, 0.25, 0.25, 0.0]);
    assert!(said(&tie.opening).contains("too close to call"), "second and third are equal");
    let pair = words(&quiz, &publication, [0.45, 0.45, 0.06, 0.04]);
    assert!(said(&pair.opening).contains("between mostly order and mostly fresh insight"));
}

#[test]
fn odds_are_never_certain() {
    for (probability, words) in [
        (0.0, "fewer than 1 in 100"),
        (0.004, "fewer than 1 in 100"),
        (0.996, "more than 99 in 100"),
        (1.0, "more than 99 in 100"),
        (0.699_9, "69 %"),
    ] {
        assert_eq!(odds_in_words(probability, 0.70), words);
    }
}

#[test]
fn suggestions_rest_on_the_answers_that_were_given() {
    let (quiz, publication) = (quiz(), publication());
    let mut given = answers(&quiz, |approach, is_lapse| {
        Some(match (approach, is_lapse) {
            (0, false) => 5,
            (0, true) => 1,
            (_, false) => 3,
            (_, true) => 3,
        })
    });
    given.insert(String::from("innovate-r1"), 5);
    given.remove("vision-f1");
    let profile = score(&quiz, &given);
    let words = Words::new(&quiz.instrument, &publication, &profile, "").unwrap();
    let quoted: Vec<(&str, &str)> =
        words.tries.iter().map(|t| (t.answer.as_str(), t.statement.as_str())).collect();
    assert_eq!(
        quoted,
        [
            ("Almost always", "I look for a better way only once a problem has forced me to."),
            ("About half the time", "I give people tasks and leave out the reason for them."),
        ]
    );
    let innovate = quiz.instrument.facet("innovate").unwrap();
    assert!(innovate.action.starts_with(&words.tries[0].heading));
    for (item, label) in profile.items.iter().map(|item| (item, item.label.as_deref())) {
        assert_eq!(label.is_some(), given.contains_key(&item.id));
    }
}

#[test]
fn both_less_often_begins_where_the_gap_is_smallest() {
    let (quiz, publication) = (quiz(), publication());
    let mut given = answers(&quiz, |_, is_lapse| Some(if is_lapse { 4 } else { 2 }));
    given.insert(String::from("mentor-f1"), 4);
    let words = Words::new(&quiz.instrument, &publication, &score(&quiz, &given), "").unwrap();
    assert!(said(&words.opening).contains("both, less often so far"));
    assert_eq!(words.tries[0].statement, "I make time to help people build new skills.");
    assert!(words.fit.is_some_and(|fit| fit.why.contains("already show most")));
}

#[test]
fn a_programme_fits_by_approach_facets_and_level() {
    let (quiz, publication) = (quiz(), publication());
    let lead_seldom =
        |approach: usize, is_lapse: bool| Some(if (approach == 0) == is_lapse { 1 } else { 5 });
    let profile = score(&quiz, &answers(&quiz, lead_seldom));
    let slug = |level: &str| {
        let words = Words::new(&quiz.instrument, &publication, &profile, level).unwrap();
        words.fit.map(|fit| fit.programme.slug.clone())
    };
    assert_eq!(slug("").as_deref(), Some("room-for-better-ideas"));
    assert_eq!(slug("middle").as_deref(), Some("room-for-better-ideas"));
    assert_eq!(slug("executive").as_deref(), Some("mentoring-for-senior-leaders"));
    assert_eq!(slug("no-such-level"), None);
    let both = words(&quiz, &publication, [0.02, 0.02, 0.95, 0.01]);
    assert!(both.fit.is_none(), "none needed");
}

#[test]
fn a_share_is_never_said_to_be_certain() {
    for (share, words, guess) in [
        (0.0, "fewer than 1", "fewer than 1"),
        (0.0049, "fewer than 1", "fewer than 1"),
        (0.005, "1", "about 1"),
        (0.67, "67", "about 67"),
        (0.9949, "99", "about 99"),
        (0.995, "more than 99", "more than 99"),
        (1.0, "more than 99", "more than 99"),
    ] {
        assert_eq!(hundredths(share), words, "{share}");
        assert_eq!(about(share), guess, "{share}");
    }
}
