//! One-dimensional roots and quasi-Newton minimisation, shared by the modules of this crate.

/// Most halvings or interpolations; 64-bit numbers need far fewer.
const STEPS_MAX: u32 = 400;

/// Brent's root of `function` between `low` and `high`, to the last bit or so.
///
/// Without a change of sign the end with the smaller absolute value is returned: the caller has
/// either bracketed the root or wants the boundary.
pub(crate) fn root_between(mut function: impl FnMut(f64) -> f64, low: f64, high: f64) -> f64 {
    let (mut a, mut b) = (low, high);
    let (mut fa, mut fb) = (function(a), function(b));
    if fa * fb > 0.0 {
        return if fa.abs() < fb.abs() { a } else { b };
    }
    let (mut c, mut fc) = (a, fa);
    let mut step = b - a;
    let mut before = step;
    for _ in 0..STEPS_MAX {
        if (fb > 0.0) == (fc > 0.0) {
            (c, fc) = (a, fa);
            step = b - a;
            before = step;
        }
        if fc.abs() < fb.abs() {
            (a, b, c) = (b, c, b);
            (fa, fb, fc) = (fb, fc, fb);
        }
        let tolerance = 2.0 * f64::EPSILON * b.abs() + f64::MIN_POSITIVE;
        let half = 0.5 * (c - b);
        if half.abs() <= tolerance || fb == 0.0 {
            return b;
        }
        match interpolated((a, fa), (b, fb), (c, fc), half) {
            Some(jump) if before.abs() >= tolerance && jump.abs() < (0.5 * before).abs() => {
                before = step;
                step = jump;
            }
            _ => {
                step = half;
                before = half;
            }
        }
        (a, fa) = (b, fb);
        b += if step.abs() > tolerance { step } else { tolerance.copysign(half) };
        fb = function(b);
    }
    b
}

/// Secant or inverse quadratic step from b, if it stays well inside [b, c].
fn interpolated(a: (f64, f64), b: (f64, f64), c: (f64, f64), half: f64) -> Option<f64> {
    if a.1.abs() <= b.1.abs() {
        return None;
    }
    let s = b.1 / a.1;
    let (p, q) = if a.0 == c.0 {
        (2.0 * half * s, 1.0 - s)
    } else {
        let (q, r) = (a.1 / c.1, b.1 / c.1);
        let p = s * (2.0 * half * q * (q - r) - (b.0 - a.0) * (r - 1.0));
        (p, (q - 1.0) * (r - 1.0) * (s - 1.0))
    };
    let jump = -p / q;
    (jump.is_finite() && (jump * half > 0.0) && jump.abs() < 1.5 * half.abs()).then_some(jump)
}
