//! Differences between two groups by regression of the answer on score and group.

use super::matched::{Effect, Matched, MatchingError};
use crate::distributions::chi_squared_upper;
use crate::matrix::Matrix;

/// Newton steps; a dozen are usual.
const STEPS_MAX: u32 = 100;

/// Largest coefficient, a standard deviation of its variable, that is taken for finite.
const COEFFICIENT_MAX: f64 = 40.0;

/// Changes of Nagelkerke's R² from which an effect is moderate, and large.
const R_SQUARED_STEPS: (f64, f64) = (0.035, 0.070);

/// Significance that a moderate or large effect needs.
const P_MAX: f64 = 0.05;

/// A test of one or two coefficients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioTest {
    /// Twice the rise of the log-likelihood.
    pub x2: f64,
    /// Coefficients that came with it.
    pub df: u32,
    /// P(χ² or larger) if they are 0.
    pub p: f64,
    /// Rise of Nagelkerke's R².
    pub r_squared: f64,
}

/// An item compared between two groups by ordinal logistic regression.
#[derive(Debug, Clone, PartialEq)]
pub struct OrdinalLogistic {
    /// Persons.
    pub n: usize,
    /// Log-likelihood with score alone, with group, and with group × score.
    pub log_likelihoods: [f64; 3],
    /// Nagelkerke's R² of the same.
    pub r_squared: [f64; 3],
    /// Group added to score: the item is easier for one group all along.
    pub uniform: RatioTest,
    /// Group × score added to both: the item tells people apart better in one group.
    pub non_uniform: RatioTest,
    /// Both added to score.
    pub total: RatioTest,
    /// Coefficient of the focal group in the second model: ln odds of a higher answer.
    pub ln_odds: f64,
    /// Its standard error.
    pub ln_odds_se: f64,
    /// What the total change of R² amounts to: from 0.035 on moderate, from 0.070 on large, if
    /// significant at 5 %.
    pub effect: Effect,
}

/// Swaminathan and Rogers' logistic regression for differential item functioning, with
/// proportional odds for more than two answers.
///
/// ln odds P(X ≥ k) = τₖ + β₁ score, + β₂ group, + β₃ group × score, by Newton's method; answers
/// count by their order. Cost: a few dozen passes over the persons.
/// Accuracy: log-likelihoods 1e-7, coefficients and errors 1e-5 of statsmodels 0.15.0
/// (`golden_fairness`); derivatives agree with finite differences (`fairness::tests`).
///
/// # Errors
/// [`MatchingError`]: scores that do not vary, a single answer, answers told without error.
/// # References
/// Swaminathan & Rogers 1990, *Journal of Educational Measurement* 27, 361–370,
/// doi:10.1111/j.1745-3984.1990.tb00754.x; Jodoin & Gierl 2001, *Applied Measurement in Education*
/// 14, 329–349, doi:10.1207/S15324818AME1404_2; Nagelkerke 1991, *Biometrika* 78, 691–692,
/// doi:10.1093/biomet/78.3.691.
pub fn ordinal_logistic(item: &Matched<'_>) -> Result<OrdinalLogistic, MatchingError> {
    let persons = item.persons()?;
    let n = persons.len() as f64;
    let mean = persons.iter().map(|person| person.2).sum::<f64>() / n;
    let spread = persons.iter().map(|p| (p.2 - mean) * (p.2 - mean)).sum::<f64>() / n;
    if spread <= 0.0 || !spread.is_finite() {
        return Err(MatchingError::NothingToCompare { what: "everybody has the same score" });
    }
    let mut values: Vec<f64> = persons.iter().map(|person| person.0).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    if values.len() < 2 {
        return Err(MatchingError::NothingToCompare { what: "everybody answered alike" });
    }
    let category = |answer: f64| values.partition_point(|&value| value < answer);
    let answers: Vec<usize> = persons.iter().map(|person| category(person.0)).collect();
    let score = |person: &(f64, bool, f64)| (person.2 - mean) / libm::sqrt(spread);
    let group = |person: &(f64, bool, f64)| f64::from(u8::from(person.1));
    let rows: Vec<[f64; 3]> =
        persons.iter().map(|p| [score(p), group(p), score(p) * group(p)]).collect();
    let data = Regression { answers: &answers, rows: &rows, n_categories: values.len() };
    let fits = [data.fit(1)?, data.fit(2)?, data.fit(3)?];
    let null: f64 = data.null();
    let nagelkerke = |l: f64| -libm::expm1(2.0 * (null - l) / n) / -libm::expm1(2.0 * null / n);
    let log_likelihoods = [0, 1, 2].map(|model: usize| fits[model].value);
    let r_squared = log_likelihoods.map(nagelkerke);
    let test = |from: usize, to: usize| {
        let x2 = (2.0 * (log_likelihoods[to] - log_likelihoods[from])).max(0.0);
        let df = (to - from) as u32;
        let p = chi_squared_upper(x2, f64::from(df));
        RatioTest { x2, df, p, r_squared: r_squared[to] - r_squared[from] }
    };
    let total = test(0, 2);
    let effect = match total.r_squared {
        rise if total.p > P_MAX || rise < R_SQUARED_STEPS.0 => Effect::Negligible,
        rise if rise >= R_SQUARED_STEPS.1 => Effect::Large,
        _ => Effect::Moderate,
    };
    let with_group = &fits[1];
    let place = values.len();
    Ok(OrdinalLogistic {
        n: persons.len(),
        log_likelihoods,
        r_squared,
        uniform: test(0, 1),
        non_uniform: test(1, 2),
        total,
        ln_odds: with_group.parameters[place],
        ln_odds_se: with_group.errors[place],
        effect,
    })
}

/// Ordered answers with up to three variables a person.
pub(super) struct Regression<'a> {
    pub(super) answers: &'a [usize],
    pub(super) rows: &'a [[f64; 3]],
    pub(super) n_categories: usize,
}

struct Fitted {
    value: f64,
    parameters: Vec<f64>,
    errors: Vec<f64>,
}

/// Log-likelihood, its gradient and the negative of its second derivatives.
pub(super) struct At {
    pub(super) value: f64,
    pub(super) gradient: Vec<f64>,
    pub(super) information: Matrix,
}

impl Regression<'_> {
    fn counts(&self) -> Vec<f64> {
        let mut counts = vec![0.0; self.n_categories];
        self.answers.iter().for_each(|&answer| counts[answer] += 1.0);
        counts
    }

    /// Log-likelihood of the categories' shares alone.
    fn null(&self) -> f64 {
        let n = self.answers.len() as f64;
        self.counts().iter().map(|count| count * libm::log(count / n)).sum()
    }

    fn fit(&self, n_slopes: usize) -> Result<Fitted, MatchingError> {
        let (counts, n) = (self.counts(), self.answers.len() as f64);
        let above = |k: usize| counts[k..].iter().sum::<f64>() / n;
        let mut parameters: Vec<f64> =
            (1..self.n_categories).map(|k| libm::log(above(k) / (1.0 - above(k)))).collect();
        parameters.resize(self.n_categories - 1 + n_slopes, 0.0);
        let mut here = self.at(&parameters, n_slopes);
        for _ in 0..STEPS_MAX {
            let factor = here.information.cholesky().map_err(|_| MatchingError::Separated)?;
            let step = factor.solve(&here.gradient);
            let decrement: f64 = step.iter().zip(&here.gradient).map(|(s, g)| s * g).sum();
            if decrement < 1e-18 * n {
                let inverse = factor.inverse();
                let errors = inverse.diagonal().map(libm::sqrt).collect();
                return Ok(Fitted { value: here.value, parameters, errors });
            }
            let mut length = 1.0;
            loop {
                let tried: Vec<f64> =
                    parameters.iter().zip(&step).map(|(p, s)| p + length * s).collect();
                let there = self.at(&tried, n_slopes);
                // The last steps gain less than rounding hides.
                if there.value >= here.value - 1e-12 * here.value.abs() {
                    (parameters, here) = (tried, there);
                    break;
                }
                length *= 0.5;
                if length < 1e-10 {
                    return Err(MatchingError::Separated);
                }
            }
            if parameters.iter().any(|p| p.abs() > COEFFICIENT_MAX) {
                return Err(MatchingError::Separated);
            }
        }
        Err(MatchingError::Separated)
    }

    /// `parameters`: intercepts of categories 1, 2 … and then `n_slopes` slopes.
    pub(super) fn at(&self, parameters: &[f64], n_slopes: usize) -> At {
        let (n, n_steps) = (parameters.len(), self.n_categories - 1);
        let slopes = &parameters[n_steps..];
        let mut at = At { value: 0.0, gradient: vec![0.0; n], information: Matrix::zeros(n, n) };
        for (&answer, row) in self.answers.iter().zip(self.rows) {
            let row = &row[..n_slopes];
            let linear: f64 = row.iter().zip(slopes).map(|(x, b)| x * b).sum();
            // The steps below and above the answer; none beyond the ends.
            let lower = (answer > 0).then(|| (answer - 1, parameters[answer - 1] + linear));
            let upper = (answer < n_steps).then(|| (answer, parameters[answer] + linear));
            let (reach_lower, reach_upper) =
                (lower.map_or(1.0, |l| logistic(l.1)), upper.map_or(0.0, |u| logistic(u.1)));
            let p = (reach_lower - reach_upper).max(f64::MIN_POSITIVE);
            at.value += libm::log(p);
            let bend = |reach: f64| reach * (1.0 - reach);
            let first_lower = bend(reach_lower) / p;
            let first_upper = -bend(reach_upper) / p;
            let second_lower = first_lower * (1.0 - 2.0 * reach_lower) - first_lower * first_lower;
            let second_upper = first_upper * (1.0 - 2.0 * reach_upper) - first_upper * first_upper;
            let cross = -first_lower * first_upper;
            let parts = [
                lower.map(|(step, _)| (step, first_lower, second_lower)),
                upper.map(|(step, _)| (step, first_upper, second_upper)),
            ];
            at.add(&parts, cross, row, n_steps);
        }
        at
    }
}

impl At {
    fn add(
        &mut self,
        parts: &[Option<(usize, f64, f64)>; 2],
        cross: f64,
        row: &[f64],
        n_steps: usize,
    ) {
        let mut both = 0.0;
        for &(step, first, second) in parts.iter().flatten() {
            self.gradient[step] += first;
            self.information.add(step, step, -second);
            both += second;
            let mixed = second + if parts.iter().all(Option::is_some) { cross } else { 0.0 };
            for (slope, x) in row.iter().enumerate() {
                self.gradient[n_steps + slope] += first * x;
                self.information.add(step, n_steps + slope, -mixed * x);
                self.information.add(n_steps + slope, step, -mixed * x);
            }
        }
        if let [Some((lower, ..)), Some((upper, ..))] = *parts {
            self.information.add(lower, upper, -cross);
            self.information.add(upper, lower, -cross);
            both += 2.0 * cross;
        }
        for (a, x) in row.iter().enumerate() {
            for (b, y) in row.iter().enumerate() {
                self.information.add(n_steps + a, n_steps + b, -both * x * y);
            }
        }
    }
}

fn logistic(x: f64) -> f64 {
    let small = libm::exp(-x.abs());
    if x >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}
