//! The starter file, and what every kind of mistake in it gets.

mod starter;

use crate::Instrument;

/// The file that ships; the other tests break it in one place.
const STARTER: &str = include_str!("../../../content/instruments/two-approaches.toml");

fn starter() -> Instrument {
    Instrument::parse(STARTER, "two-approaches.toml").expect("the starter file has no fault")
}
