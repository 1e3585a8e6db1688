//! Incomplete gamma and beta functions, and the distributions built on them.

use std::f64::consts::PI;

use super::normal::normal_cdf;
use crate::search::root_between;

/// Most terms of a series or continued fraction; reached only for parameters beyond 1e9.
const TERMS_MAX: u32 = 200_000;

/// Both tails of a distribution at one point, each with its own digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tails {
    /// P(X ≤ x).
    pub lower: f64,
    /// P(X > x).
    pub upper: f64,
}

impl Tails {
    const ALL_BELOW: Self = Self { lower: 1.0, upper: 0.0 };
    const ALL_ABOVE: Self = Self { lower: 0.0, upper: 1.0 };

    fn swapped(self) -> Self {
        Self { lower: self.upper, upper: self.lower }
    }
}

/// ln Γ(x) for x > 0.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// P(χ² > x) with `df` degrees of freedom; relative error below 1e-12 for df ≤ 1e5
/// (test `chi_squared_agrees`).
pub(crate) fn chi_squared_upper(x: f64, df: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    gamma_tails(0.5 * df, 0.5 * x).upper
}

/// The non-centrality at which an observed χ² lies at the `probability` quantile; 0 where it lies
/// below that even without any. Solved to full precision.
pub(crate) fn chi_squared_noncentrality(x: f64, df: f64, probability: f64) -> f64 {
    if noncentral_chi_squared_cdf(x, df, 0.0) <= probability {
        return 0.0;
    }
    root_from(|lambda| probability - noncentral_chi_squared_cdf(x, df, lambda.max(0.0)), x, x, 1e9)
}

/// P(χ² ≤ x) with `df` degrees of freedom and non-centrality `lambda`: a Poisson mixture, summed
/// about its largest term; absolute error below 1e-12 (test `noncentral_chi_squared_agrees`).
pub(crate) fn noncentral_chi_squared_cdf(x: f64, df: f64, lambda: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let rate = 0.5 * lambda;
    let reach = 9.0 * libm::sqrt(rate) + 40.0;
    let (first, last) = ((rate - reach).max(0.0) as u64, (rate + reach) as u64);
    let term = |j: u64| {
        let j = j as f64;
        poisson(j, rate) * gamma_tails(0.5 * df + j, 0.5 * x).lower
    };
    (first..=last).map(term).sum::<f64>().min(1.0)
}

/// Both tails of Fisher's F at `f`; relative error below 1e-12 (test `f_agrees`).
pub(crate) fn f_tails(f: f64, df1: f64, df2: f64) -> Tails {
    if f <= 0.0 {
        return Tails::ALL_ABOVE;
    }
    if f == f64::INFINITY {
        return Tails::ALL_BELOW;
    }
    let total = df1 * f + df2;
    beta_tails(0.5 * df1, 0.5 * df2, df1 * f / total, df2 / total)
}

/// The f with P(F > f) = `upper`; solved on the logarithm of f to full precision.
pub(crate) fn f_quantile_upper(upper: f64, df1: f64, df2: f64) -> f64 {
    if upper <= 0.0 {
        return f64::INFINITY;
    }
    if upper >= 1.0 {
        return 0.0;
    }
    // The smaller tail carries the digits, and its logarithm is nearly straight.
    let gap = |log_f: f64| {
        let tails = f_tails(libm::exp(log_f), df1, df2);
        if upper < 0.5 {
            libm::log(upper) - libm::log(tails.upper.max(f64::MIN_POSITIVE))
        } else {
            libm::log(tails.lower.max(f64::MIN_POSITIVE)) - libm::log(1.0 - upper)
        }
    };
    libm::exp(root_from(gap, 0.0, 1.0, 700.0))
}

/// Both tails of Student's t at `t`.
pub(crate) fn t_tails(t: f64, df: f64) -> Tails {
    let total = df + t * t;
    let beyond = if t.is_infinite() {
        Tails::ALL_ABOVE
    } else {
        beta_tails(0.5 * df, 0.5, df / total, t * t / total)
    };
    let tails = Tails { lower: 1.0 - 0.5 * beyond.lower, upper: 0.5 * beyond.lower };
    if t < 0.0 { tails.swapped() } else { tails }
}

/// The t with P(T > t) = `upper`.
pub(crate) fn t_quantile_upper(upper: f64, df: f64) -> f64 {
    if upper > 0.5 {
        return -t_quantile_upper(1.0 - upper, df);
    }
    libm::sqrt(f_quantile_upper(2.0 * upper, 1.0, df))
}

/// P(T ≤ t) for Student's t with non-centrality `delta`; absolute error below 1e-12 for
/// |delta| ≤ 60 (test `noncentral_t_agrees`).
///
/// Lenth's series (1989, *Applied Statistics* 38, 185–189, doi:10.2307/2347693), summed about
/// its largest term so that large non-centralities do not underflow.
pub(crate) fn noncentral_t_cdf(t: f64, df: f64, delta: f64) -> f64 {
    if t < 0.0 {
        return 1.0 - noncentral_t_cdf(-t, df, -delta);
    }
    let centre = normal_cdf(-delta);
    if t == 0.0 {
        return centre;
    }
    let total = df + t * t;
    let (x, y) = (t * t / total, df / total);
    let rate = 0.5 * delta * delta;
    let reach = 9.0 * libm::sqrt(rate) + 40.0;
    let first = (rate - reach).max(0.0) as u64;
    let last = (rate + reach) as u64;
    let sign = if delta < 0.0 { -1.0 } else { 1.0 };
    let mut sum = 0.0;
    for j in first..=last {
        let j = j as f64;
        sum += poisson(j, rate) * beta_tails(j + 0.5, 0.5 * df, x, y).lower;
        sum += sign * poisson(j + 0.5, rate) * beta_tails(j + 1.0, 0.5 * df, x, y).lower;
    }
    (centre + 0.5 * sum).clamp(0.0, 1.0)
}

/// The non-centrality at which an observed `t` lies at the `probability` quantile: the confidence
/// limits of a standardised mean difference. Solved to full precision.
pub(crate) fn noncentrality(t: f64, df: f64, probability: f64) -> f64 {
    root_from(|delta| probability - noncentral_t_cdf(t, df, delta), t, 2.0, 1e6)
}

/// Regularised incomplete gamma: (P(a, x), Q(a, x)) for a > 0 and x > 0.
fn gamma_tails(a: f64, x: f64) -> Tails {
    let front = poisson(a, x);
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0, 1.0);
        for n in 1..TERMS_MAX {
            term *= x / (a + f64::from(n));
            sum += term;
            if term < sum * f64::EPSILON * 0.25 {
                break;
            }
        }
        let lower = (front * sum).min(1.0);
        return Tails { lower, upper: 1.0 - lower };
    }
    // Lentz's method on Legendre's continued fraction.
    let mut b = x + 1.0 - a;
    let mut c = f64::INFINITY;
    let mut d = 1.0 / b;
    let mut product = d;
    for n in 1..TERMS_MAX {
        let n = f64::from(n);
        let numerator = -n * (n - a);
        b += 2.0;
        d = 1.0 / nonzero(numerator * d + b);
        c = nonzero(b + numerator / c);
        product *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    let upper = (front * a * product).min(1.0);
    Tails { lower: 1.0 - upper, upper }
}

/// Regularised incomplete beta (I_x(a, b), 1 − I_x(a, b)); `y` is 1 − x, given separately so
/// that neither end loses digits.
fn beta_tails(a: f64, b: f64, x: f64, y: f64) -> Tails {
    if x <= 0.0 {
        return Tails::ALL_ABOVE;
    }
    if y <= 0.0 {
        return Tails::ALL_BELOW;
    }
    if x * (a + b + 2.0) > a + 1.0 {
        return beta_lower(b, a, y, x).swapped();
    }
    beta_lower(a, b, x, y)
}

fn beta_lower(a: f64, b: f64, x: f64, y: f64) -> Tails {
    let front = binomial(a, b, x, y) * b / (a + b);
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0));
    let mut product = d;
    for m in 1..TERMS_MAX {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / nonzero(1.0 + even * d);
        c = nonzero(1.0 + even / c);
        product *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / nonzero(1.0 + odd * d);
        c = nonzero(1.0 + odd / c);
        product *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    let lower = (front * product).clamp(0.0, 1.0);
    Tails { lower, upper: 1.0 - lower }
}

fn nonzero(value: f64) -> f64 {
    const SMALLEST: f64 = 1e-300;
    if value.abs() < SMALLEST { SMALLEST } else { value }
}

/// e^(−m) m^x / Γ(x + 1), for real x, by Loader's saddle-point form: ln Γ alone would lose
/// digits to cancellation once x is in the hundreds.
fn poisson(x: f64, m: f64) -> f64 {
    if m == 0.0 {
        return if x == 0.0 { 1.0 } else { 0.0 };
    }
    if x == 0.0 {
        return libm::exp(-m);
    }
    libm::exp(-stirling_error(x) - deviance(x, m)) / libm::sqrt(2.0 * PI * x)
}

/// Γ(a+b+1) / (Γ(a+1) Γ(b+1)) · x^a y^b, by the same saddle-point form.
fn binomial(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let exponent = stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance(a, n * x)
        - deviance(b, n * y);
    libm::exp(exponent) * libm::sqrt(n / (2.0 * PI * a * b))
}

/// ln Γ(n + 1) minus Stirling's formula, for n > 0: carried upwards to n ≥ 16, where five terms
/// of the series are exact to 1e-16.
fn stirling_error(n: f64) -> f64 {
    let (mut n, mut sum) = (n, 0.0);
    while n < 16.0 {
        sum += (n + 0.5) * libm::log1p(1.0 / n) - 1.0;
        n += 1.0;
    }
    let s = 1.0 / (n * n);
    let series =
        (1.0 / 12.0 - s * (1.0 / 360.0 - s * (1.0 / 1260.0 - s * (1.0 / 1680.0 - s / 1188.0)))) / n;
    sum + series
}

/// x ln(x/m) + m − x without cancellation when x is near m.
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * libm::log(x / m) + m - x;
    }
    let v = (x - m) / (x + m);
    let mut sum = (x - m) * v;
    let mut power = 2.0 * x * v;
    for j in 1..100 {
        power *= v * v;
        let next = sum + power / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// Root of a rising function: widens [`start` − `step`, `start` + `step`] until it holds it, or
/// reaches `limit` from the start.
fn root_from(function: impl Fn(f64) -> f64, start: f64, step: f64, limit: f64) -> f64 {
    let (mut down, mut up) = (step, step);
    while function(start - down) > 0.0 && down < limit {
        down *= 3.0;
    }
    while function(start + up) < 0.0 && up < limit {
        up *= 3.0;
    }
    root_between(function, start - down, start + up)
}
