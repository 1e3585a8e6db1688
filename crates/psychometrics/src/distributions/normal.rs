//! The standard normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Density φ(x) = exp(−x²/2)/√(2π).
pub(crate) fn normal_pdf(x: f64) -> f64 {
    libm::exp(-0.5 * x * x) / libm::sqrt(2.0 * PI)
}

/// Φ(x), by the complementary error function; relative error below 1e-14 for x > −37
/// (test `normal_tails_hold_their_digits`).
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// Φ⁻¹(p) for p in (0, 1); −∞ and ∞ at the ends, NaN outside.
///
/// Acklam's rational start (relative error 1.2e-9) followed by one step of Halley's method on
/// Φ, which squares away the rest: |Φ(Φ⁻¹(p)) − p| ≤ 4e-15 p (test `normal_quantile_inverts`).
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    if p == 1.0 {
        return f64::INFINITY;
    }
    // The upper half is the mirror of the lower: 1 − p is exact for p in [1/2, 1].
    if p > 0.5 { -lower_quantile(1.0 - p) } else { lower_quantile(p) }
}

fn lower_quantile(p: f64) -> f64 {
    let start = if p < 0.024_25 { tail_start(p) } else { centre_start(p - 0.5) };
    let error = (normal_cdf(start) - p) / normal_pdf(start);
    start - error / (1.0 + 0.5 * start * error)
}

fn tail_start(p: f64) -> f64 {
    const NUMERATOR: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const DENOMINATOR: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    let q = libm::sqrt(-2.0 * libm::log(p));
    horner(&NUMERATOR, q) / horner(&DENOMINATOR, q)
}

fn centre_start(q: f64) -> f64 {
    const NUMERATOR: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const DENOMINATOR: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    let r = q * q;
    q * horner(&NUMERATOR, r) / horner(&DENOMINATOR, r)
}

fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}
