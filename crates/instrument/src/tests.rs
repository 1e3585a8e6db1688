//! The starter file, a file unlike it, and what every kind of mistake gets.

mod any_text;
mod mistakes;
mod small;
mod starter;
mod translations;

use crate::{Fault, Instrument};

/// The file that ships; other tests break it in one place.
const STARTER: &str = include_str!("../../../content/instruments/two-approaches.toml");
/// A file as unlike it as the rules allow.
const SMALL: &str = include_str!("tests/small.toml");

fn starter() -> Instrument {
    Instrument::parse(STARTER, "two-approaches.toml").expect("the starter file has no fault")
}

fn small() -> Instrument {
    Instrument::parse(SMALL, "small.toml").expect("the small file has no fault")
}

/// Each fault as the text it points at, a bar, and the message: a moved line breaks no
/// expectation, and a wrong position shows.
fn pointed(text: &str, faults: &[Fault]) -> Vec<String> {
    let point = |fault: &Fault| {
        let line = text.lines().nth(fault.line - 1).unwrap_or_default();
        let pointed: String = line.chars().skip(fault.column - 1).take(24).collect();
        format!("{} | {}. {}.", pointed.trim_end(), fault.what, fault.remedy)
    };
    faults.iter().map(point).collect()
}

/// Compares the faults of a text with `expected`; none means that it has to parse.
fn check_text(text: &str, expected: &[&str]) {
    let faults = Instrument::parse(text, "f.toml").err().unwrap_or_default();
    let seen = pointed(text, &faults);
    assert_eq!(seen, expected, "{seen:#?}");
}

/// The same for a text in which the first `old` has become `new`.
fn check_in(whole: &str, old: &str, new: &str, expected: &[&str]) {
    assert!(whole.contains(old), "the file has no {old:?}");
    check_text(&whole.replacen(old, new, 1), expected);
}
