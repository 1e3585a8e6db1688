//! Draws from a generator that the caller passed in.

use rand::{Rng, RngExt};

use crate::distributions::normal_quantile;

/// A number in (0, 1), never an end: the middle of one of 2⁵² equal parts.
pub(crate) fn uniform(chance: &mut impl Rng) -> f64 {
    const PARTS: f64 = (1_u64 << 52) as f64;
    ((chance.random::<u64>() >> 12) as f64 + 0.5) / PARTS
}

/// A standard normal number, by inversion: one draw of the generator a number.
pub(crate) fn standard_normal(chance: &mut impl Rng) -> f64 {
    normal_quantile(uniform(chance))
}
