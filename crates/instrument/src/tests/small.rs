//! Nothing takes the starter's numbers, kinds, scales or regions for granted.

use super::{SMALL, STARTER, check_in, small, starter};
use crate::{Approach, Instrument, Voice};

#[test]
fn other_numbers_scales_and_regions_work() {
    let instrument = small();
    assert_eq!(instrument.version().to_string(), "2.10.0");
    assert!(instrument.version() > starter().version());
    let form = instrument.form("only").expect("there");
    let asked: Vec<&str> = form.items().iter().map(|item| item.id().as_str()).collect();
    assert_eq!(asked, ["o1", "h2", "o2", "h1"]);
    assert_eq!((form.page_size(), form.answers_needed(Approach::Management)), (3, 1));
    let categories = |id: &str| {
        let item = instrument.item(id).expect("there");
        [-1, 0, 7].map(|value| item.category(value).expect("on the scale"))
    };
    assert_eq!((categories("o1"), categories("o2")), ([0, 1, 2], [2, 1, 0]));
    assert!(instrument.item("o1").expect("there").category(1).is_err());
    assert_eq!(instrument.scale("three").and_then(crate::Scale::shares), None);
    let named = |m, l| instrument.map().region_at(m, l).map(|region| region.id.as_str());
    assert_eq!(
        [named(9.0, -2.0), named(-9.0, 0.0), named(0.0, 1.0)],
        [Some("low"), Some("middle"), Some("high")]
    );
    assert_eq!(instrument.map().words_for(0.79), None);
}

#[test]
fn both_voices_have_their_words() {
    let instrument = small();
    let rating = instrument.item("o2").and_then(crate::Item::as_rating).expect("there");
    assert_eq!(rating.text(Voice::Own), "I lose my keys.");
    assert_eq!(rating.text(Voice::Rater), "This person loses keys.");
    assert_eq!(instrument.stem(Voice::Rater), "How much did they do this?");
}

#[test]
fn the_hash_is_of_the_words_not_of_the_line_ends() {
    let hash =
        |text: &str| Instrument::parse(text, "any name").expect("sound").content_hash().to_owned();
    let plain = hash(SMALL);
    assert_eq!(plain, hash(&format!("\u{feff}{}", SMALL.replace('\n', "\r\n"))));
    assert_ne!(plain, hash(&SMALL.replace("Rest.", "Rest a bit.")));
    assert_eq!(plain.len(), 64);
    assert!(plain.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
}

#[test]
fn windows_line_ends_leave_positions_alone() {
    let old = SMALL.replacen("facet = \"hope\"", "facet = \"hype\"", 1);
    let faults = |text: &str| Instrument::parse(text, "f").expect_err("broken");
    assert_eq!(faults(&old), faults(&format!("\u{feff}{}", old.replace('\n', "\r\n"))));
}

#[test]
fn facets_that_cannot_be_kept_apart_are_a_fault() {
    let more: String = ["a", "b", "c", "d"]
        .map(|word| {
            let item = |id: &str, key: i32, text: &str| {
                format!(
                    "[[items]]\nid = \"{id}\"\nfacet = \"order\"\nkey = {key}\nform = \"only\"\n\
                 scale = \"three\"\nself = \"I {text}.\"\nrater = \"This person {text}.\"\n"
                )
            };
            item(word, 1, &format!("stack box {word}"))
                + &item(&format!("{word}r"), -1, &format!("drop box {word}"))
        })
        .concat();
    check_in(
        SMALL,
        "[scoring]\n",
        &format!("{more}[scoring]\n"),
        &["[[forms]] | In form \"only\", a and ar of one facet cannot be kept apart. \
         Spread the items over more facets, none with more than half of them."],
    );
}

#[test]
fn each_approach_needs_a_facet() {
    let one_sided = SMALL.replace(
        "approach = \"leadership\"\nname = \"Hope\"\ndef",
        "approach = \"management\"\nname = \"Hope\"\ndef",
    );
    super::check_text(
        &one_sided,
        &["[[facets]] | No facet is of leadership. Add a facet of it, with items: a \
         profile has two levels."],
    );
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let padding = "# padding\n".repeat(110_000);
    let n_bytes = STARTER.len() + padding.len();
    let expected = format!(
        "# Two approaches: the st | The file has {n_bytes} bytes. Keep an instrument below 1048576 \
         bytes."
    );
    super::check_text(&format!("{STARTER}{padding}"), &[&expected]);
}
