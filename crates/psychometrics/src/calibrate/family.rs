//! Item response functions by their parameters: what the expectation and maximisation steps ask.
//!
//! A family maps raw parameters ξ to log P(X = k | θ) and its derivatives in ξ. Raw parameters
//! are those of the formulae in [`crate::models`], but for the guessing parameter, which is
//! γ = ln(c/(1 − c)) here, so that every parameter may take any real value.

use super::Model;
use crate::matrix::Matrix;
use crate::models::{
    GeneralisedPartialCredit, Graded, ItemModel, ItemParameters, ModelError, Nominal,
    PartialCredit, Rasch, RatingScale, ThreeParameter, TwoParameter,
};

/// A response function with its number of categories.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Family {
    pub(super) model: Model,
    pub(super) n_categories: usize,
    shape: Shape,
}

#[derive(Debug, Clone, PartialEq)]
enum Shape {
    /// ξ = (a, d₁ > d₂ > …).
    Graded,
    /// ξ = (a, d, γ).
    Guessing,
    /// P(X = k) ∝ exp(zₖ).
    Exponential(Exponents),
}

/// zₖ = oₖθ + Σₘ (αₖₘ + βₖₘθ) ξₘ.
#[derive(Debug, Clone, PartialEq)]
struct Exponents {
    offset: Vec<f64>,
    alpha: Matrix,
    beta: Matrix,
}

impl Family {
    pub(super) fn new(model: Model, n_categories: usize) -> Self {
        let k_max = n_categories - 1;
        let shape = match model {
            Model::Graded => Shape::Graded,
            Model::ThreeParameter => Shape::Guessing,
            Model::GeneralisedPartialCredit | Model::TwoParameter => {
                Shape::Exponential(Exponents {
                    offset: vec![0.0; n_categories],
                    alpha: unit_where(n_categories, k_max + 1, |k, m| m > 0 && k == m),
                    beta: Matrix::from_fn(n_categories, k_max + 1, |k, m| {
                        if m == 0 { k as f64 } else { 0.0 }
                    }),
                })
            }
            Model::PartialCredit | Model::Rasch => Shape::Exponential(Exponents {
                offset: (0..n_categories).map(|k| k as f64).collect(),
                alpha: unit_where(n_categories, k_max, |k, m| k == m + 1),
                beta: Matrix::zeros(n_categories, k_max),
            }),
            // The last step is minus the sum of the others, so the highest category has none.
            Model::RatingScale => Shape::Exponential(Exponents {
                offset: (0..n_categories).map(|k| k as f64).collect(),
                alpha: Matrix::from_fn(n_categories, k_max, |k, m| match m {
                    0 => -(k as f64),
                    m if m <= k && k < k_max => -1.0,
                    _ => 0.0,
                }),
                beta: Matrix::zeros(n_categories, k_max),
            }),
            Model::Nominal => Shape::Exponential(Exponents {
                offset: vec![0.0; n_categories],
                alpha: unit_where(n_categories, 2 * k_max, |k, m| m >= k_max && k == m - k_max + 1),
                beta: unit_where(n_categories, 2 * k_max, |k, m| k == m + 1),
            }),
        };
        Self { model, n_categories, shape }
    }

    /// How many raw parameters there are.
    pub(super) fn n_parameters(&self) -> usize {
        match &self.shape {
            Shape::Graded => self.n_categories,
            Shape::Guessing => 3,
            Shape::Exponential(exponents) => exponents.alpha.n_columns(),
        }
    }

    /// Whether ξ is a possible item: finite, and graded intercepts falling.
    pub(super) fn accepts(&self, xi: &[f64]) -> bool {
        // Beyond these the tables would hold nothing but 0 and 1.
        const LARGEST: f64 = 1e3;
        xi.iter().all(|x| x.abs() < LARGEST)
            && (!matches!(self.shape, Shape::Graded) || xi[1..].windows(2).all(|d| d[0] > d[1]))
    }

    /// Raw starting values from the share of answers in each category.
    pub(super) fn start(&self, shares: &[f64]) -> Vec<f64> {
        let logit = |p: f64| libm::log(p / (1.0 - p));
        // P(X ≥ k), stretched because the population's spread flattens the margins.
        const STRETCH: f64 = 1.16;
        let mut above = 1.0;
        let reach = shares[..shares.len() - 1].iter().map(|share| {
            above -= share;
            STRETCH * logit(above.clamp(1e-4, 1.0 - 1e-4))
        });
        let log_ratio = |k: usize| libm::log(shares[k].max(1e-4) / shares[0].max(1e-4));
        let steps = 1..self.n_categories;
        match self.model {
            Model::Graded => {
                let mut xi = vec![1.0];
                for d in reach {
                    let below = xi[1..].last().map_or(f64::INFINITY, |last| last - 1e-3);
                    xi.push(d.min(below));
                }
                xi
            }
            Model::ThreeParameter => {
                let guessing = 0.15;
                let known = ((shares[1] - guessing) / (1.0 - guessing)).clamp(0.05, 0.95);
                vec![1.0, STRETCH * logit(known), logit(guessing)]
            }
            Model::GeneralisedPartialCredit | Model::TwoParameter => {
                let slope = if self.n_categories == 2 { 1.0 } else { 0.6 };
                std::iter::once(slope).chain(steps.map(log_ratio)).collect()
            }
            Model::PartialCredit | Model::Rasch => steps.map(log_ratio).collect(),
            Model::RatingScale => {
                let top = self.n_categories - 1;
                let mut xi = vec![0.0; self.n_parameters()];
                xi[0] = -log_ratio(top) / top as f64;
                xi
            }
            Model::Nominal => {
                let slopes = steps.clone().map(|k| 0.5 * k as f64);
                slopes.chain(steps.map(log_ratio)).collect()
            }
        }
    }

    /// Writes P(X = k | θ): all thetas of category 0 first. Never 0.
    pub(super) fn probabilities(&self, xi: &[f64], thetas: &[f64], out: &mut [f64]) {
        let q = thetas.len();
        for (at, &theta) in thetas.iter().enumerate() {
            let mut visit = |k: usize, p: f64| out[k * q + at] = p.max(f64::MIN_POSITIVE);
            match &self.shape {
                Shape::Graded => Steps::new(xi).for_each(theta, |step| visit(step.k, step.p)),
                Shape::Guessing => {
                    let at = GuessingAt::new(xi, theta);
                    visit(0, at.p[0]);
                    visit(1, at.p[1]);
                }
                Shape::Exponential(exponents) => {
                    let mut p = vec![0.0; self.n_categories];
                    exponents.probabilities(xi, theta, &mut p);
                    p.iter().enumerate().for_each(|(k, &p)| visit(k, p));
                }
            }
        }
    }

    /// Writes ∂ log P(X = k | θ)/∂ξₘ, category-major, then parameter, then theta.
    pub(super) fn scores(&self, xi: &[f64], thetas: &[f64], out: &mut [f64]) {
        let (q, n) = (thetas.len(), self.n_parameters());
        debug_assert_eq!(out.len(), self.n_categories * n * q, "categories × parameters × thetas");
        out.fill(0.0);
        for (at, &theta) in thetas.iter().enumerate() {
            let mut set = |k: usize, m: usize, value: f64| out[(k * n + m) * q + at] = value;
            match &self.shape {
                Shape::Graded => Steps::new(xi).for_each(theta, |step| {
                    set(step.k, 0, theta * (step.first + step.second));
                    if step.k > 0 {
                        set(step.k, step.k, step.first);
                    }
                    if step.k + 1 < n {
                        set(step.k, step.k + 1, step.second);
                    }
                }),
                Shape::Guessing => {
                    let at = GuessingAt::new(xi, theta);
                    for k in 0..2 {
                        set(k, 0, theta * at.in_x[k]);
                        set(k, 1, at.in_x[k]);
                        set(k, 2, at.in_gamma[k]);
                    }
                }
                Shape::Exponential(exponents) => {
                    let mut p = vec![0.0; self.n_categories];
                    exponents.probabilities(xi, theta, &mut p);
                    for m in 0..n {
                        let mean: f64 = (0..p.len()).map(|k| p[k] * exponents.b(k, m, theta)).sum();
                        (0..p.len()).for_each(|k| set(k, m, exponents.b(k, m, theta) - mean));
                    }
                }
            }
        }
    }

    /// Σ over thetas and categories of counts × log P, its gradient and its Hessian in ξ.
    ///
    /// `counts` is category-major over the thetas. The gradient and Hessian are overwritten.
    pub(super) fn complete(
        &self,
        xi: &[f64],
        thetas: &[f64],
        counts: &[f64],
        gradient: &mut [f64],
        hessian: &mut Matrix,
    ) -> f64 {
        gradient.fill(0.0);
        *hessian = Matrix::zeros(self.n_parameters(), self.n_parameters());
        match &self.shape {
            Shape::Graded => Steps::new(xi).complete(thetas, counts, gradient, hessian),
            Shape::Guessing => guessing_complete(xi, thetas, counts, gradient, hessian),
            Shape::Exponential(exponents) => {
                exponents.complete(xi, thetas, counts, gradient, hessian)
            }
        }
    }

    /// The item that ξ describes.
    pub(super) fn item(&self, xi: &[f64]) -> Result<ItemParameters, ModelError> {
        let k_max = self.n_categories - 1;
        Ok(match self.model {
            Model::Graded => ItemParameters::Graded(Graded::new(xi[0], &xi[1..])?),
            Model::GeneralisedPartialCredit => ItemParameters::GeneralisedPartialCredit(
                GeneralisedPartialCredit::new(xi[0], &xi[1..])?,
            ),
            Model::PartialCredit => ItemParameters::PartialCredit(PartialCredit::new(xi)?),
            Model::RatingScale => {
                let last = -xi[1..].iter().sum::<f64>();
                let steps = [&xi[1..], &[last]].concat();
                ItemParameters::RatingScale(RatingScale::new(xi[0], &steps)?)
            }
            Model::TwoParameter => ItemParameters::TwoParameter(TwoParameter::new(xi[0], xi[1])?),
            Model::ThreeParameter => {
                let guessing = 1.0 / (1.0 + libm::exp(-xi[2]));
                ItemParameters::ThreeParameter(ThreeParameter::new(xi[0], xi[1], guessing)?)
            }
            Model::Rasch => ItemParameters::Rasch(Rasch::new(xi[0])?),
            Model::Nominal => {
                let with_zero = |values: &[f64]| [&[0.0], values].concat();
                let (slopes, intercepts) = (with_zero(&xi[..k_max]), with_zero(&xi[k_max..]));
                ItemParameters::Nominal(Nominal::new(&slopes, &intercepts)?)
            }
        })
    }
}

/// The family and raw parameters of a given item.
pub(super) fn raw_of(item: &ItemParameters) -> (Family, Vec<f64>) {
    let of = |model| Family::new(model, item.n_categories());
    let with = |slope: f64, intercepts: &[f64]| [&[slope], intercepts].concat();
    match item {
        ItemParameters::Graded(p) => (of(Model::Graded), with(p.slope(), p.intercepts())),
        ItemParameters::GeneralisedPartialCredit(p) => {
            (of(Model::GeneralisedPartialCredit), with(p.slope(), p.intercepts()))
        }
        ItemParameters::PartialCredit(p) => (of(Model::PartialCredit), p.intercepts().to_vec()),
        ItemParameters::RatingScale(p) => {
            // Raw steps sum to 0; what they sum to moves into the location.
            let steps = p.steps();
            let mean = steps.iter().sum::<f64>() / steps.len() as f64;
            let centred = steps[..steps.len() - 1].iter().map(|step| step - mean);
            let location = p.location() + mean;
            (of(Model::RatingScale), std::iter::once(location).chain(centred).collect())
        }
        ItemParameters::TwoParameter(p) => {
            (of(Model::TwoParameter), vec![p.slope(), p.intercept()])
        }
        ItemParameters::ThreeParameter(p) => {
            let gamma = libm::log(p.guessing() / (1.0 - p.guessing()));
            (of(Model::ThreeParameter), vec![p.slope(), p.intercept(), gamma.max(-50.0)])
        }
        ItemParameters::Rasch(p) => (of(Model::Rasch), vec![p.intercept()]),
        ItemParameters::Nominal(p) => {
            let less_first = |v: &[f64]| -> Vec<f64> { v[1..].iter().map(|x| x - v[0]).collect() };
            let raw = [less_first(p.slopes()), less_first(p.intercepts())].concat();
            (of(Model::Nominal), raw)
        }
    }
}

fn unit_where(n_rows: usize, n_columns: usize, is: impl Fn(usize, usize) -> bool) -> Matrix {
    Matrix::from_fn(n_rows, n_columns, |k, m| f64::from(u8::from(is(k, m))))
}

/// σ(x) and 1 − σ(x), both with full relative accuracy.
fn logistic(x: f64) -> (f64, f64) {
    let small = libm::exp(-x.abs());
    let (larger, smaller) = (1.0 / (1.0 + small), small / (1.0 + small));
    if x >= 0.0 { (larger, smaller) } else { (smaller, larger) }
}

/// Graded categories: with xₖ = aθ + dₖ, log Pₖ = log σ(xₖ) + log σ(−xₖ₊₁) + log(1 − e^(xₖ₊₁ − xₖ)),
/// whose last term does not depend on θ.
struct Steps<'a> {
    a: f64,
    d: &'a [f64],
    /// 1/(e^(dₖ − dₖ₊₁) − 1) and the logarithm's factor 1 − e^(dₖ₊₁ − dₖ), per inner category.
    gaps: Vec<(f64, f64)>,
}

struct StepAt {
    k: usize,
    p: f64,
    /// ∂ log P/∂xₖ, 0 in the lowest category.
    first: f64,
    /// ∂ log P/∂xₖ₊₁, 0 in the highest category.
    second: f64,
    /// σ(1 − σ) at xₖ and at xₖ₊₁.
    spread: [f64; 2],
    /// ∂² log P/∂xₖ∂xₖ₊₁, 0 at the ends; each second derivative is minus it, less its spread.
    cross: f64,
}

impl<'a> Steps<'a> {
    fn new(xi: &'a [f64]) -> Self {
        let d = &xi[1..];
        let gap = |pair: &[f64]| {
            let between = pair[0] - pair[1];
            (1.0 / libm::expm1(between), -libm::expm1(-between))
        };
        Self { a: xi[0], d, gaps: d.windows(2).map(gap).collect() }
    }

    fn for_each(&self, theta: f64, mut visit: impl FnMut(StepAt)) {
        let k_max = self.d.len();
        let (mut reach, mut miss) = (1.0, 0.0);
        for k in 0..=k_max {
            let (reach_next, miss_next) =
                self.d.get(k).map_or((0.0, 1.0), |d| logistic(self.a * theta + d));
            let inner = k > 0 && k < k_max;
            let (odds, factor) = if inner { self.gaps[k - 1] } else { (0.0, 1.0) };
            visit(StepAt {
                k,
                p: reach * miss_next * factor,
                first: miss + odds,
                second: -reach_next - odds,
                spread: [reach * miss, reach_next * miss_next],
                cross: odds * (1.0 + odds),
            });
            (reach, miss) = (reach_next, miss_next);
        }
    }

    fn complete(
        &self,
        thetas: &[f64],
        counts: &[f64],
        gradient: &mut [f64],
        hessian: &mut Matrix,
    ) -> f64 {
        let (q, k_max) = (thetas.len(), self.d.len());
        let mut value = 0.0;
        for (at, &theta) in thetas.iter().enumerate() {
            self.for_each(theta, |step| {
                let r = counts[step.k * q + at];
                if r == 0.0 {
                    return;
                }
                let StepAt { k, p, first, second, spread: [here, next], cross } = step;
                value += r * libm::log(p.max(f64::MIN_POSITIVE));
                gradient[0] += r * theta * (first + second);
                hessian.add(0, 0, -r * theta * theta * (here + next));
                if k > 0 {
                    gradient[k] += r * first;
                    hessian.add(k, k, -r * (here + cross));
                    add_both(hessian, 0, k, -r * theta * here);
                }
                if k < k_max {
                    gradient[k + 1] += r * second;
                    hessian.add(k + 1, k + 1, -r * (next + cross));
                    add_both(hessian, 0, k + 1, -r * theta * next);
                }
                if k > 0 && k < k_max {
                    add_both(hessian, k, k + 1, r * cross);
                }
            });
        }
        value
    }
}

fn add_both(matrix: &mut Matrix, i: usize, j: usize, value: f64) {
    matrix.add(i, j, value);
    matrix.add(j, i, value);
}

/// The guessing model at one θ, with x = aθ + d.
struct GuessingAt {
    p: [f64; 2],
    in_x: [f64; 2],
    in_gamma: [f64; 2],
    /// Second derivatives of log P: in x twice, in γ twice, in both.
    second: [[f64; 3]; 2],
}

impl GuessingAt {
    fn new(xi: &[f64], theta: f64) -> Self {
        let (reach, miss) = logistic(xi[0] * theta + xi[1]);
        let (c, not_c) = logistic(xi[2]);
        let spread = reach * miss;
        let p1 = (c + not_c * reach).max(f64::MIN_POSITIVE);
        let (x, gamma) = (not_c * spread / p1, c * not_c * miss / p1);
        let xx = not_c * spread * (miss - reach) / p1 - x * x;
        let gg = c * not_c * (not_c - c) * miss / p1 - gamma * gamma;
        let xg = -c * not_c * spread / p1 - x * gamma;
        Self {
            p: [not_c * miss, p1],
            in_x: [-reach, x],
            in_gamma: [-c, gamma],
            second: [[-spread, -c * not_c, 0.0], [xx, gg, xg]],
        }
    }
}

fn guessing_complete(
    xi: &[f64],
    thetas: &[f64],
    counts: &[f64],
    gradient: &mut [f64],
    hessian: &mut Matrix,
) -> f64 {
    let q = thetas.len();
    let mut value = 0.0;
    for (at, &theta) in thetas.iter().enumerate() {
        let here = GuessingAt::new(xi, theta);
        for k in 0..2 {
            let r = counts[k * q + at];
            let [xx, gg, xg] = here.second[k];
            value += r * libm::log(here.p[k].max(f64::MIN_POSITIVE));
            gradient[0] += r * theta * here.in_x[k];
            gradient[1] += r * here.in_x[k];
            gradient[2] += r * here.in_gamma[k];
            hessian.add(0, 0, r * theta * theta * xx);
            hessian.add(1, 1, r * xx);
            hessian.add(2, 2, r * gg);
            add_both(hessian, 0, 1, r * theta * xx);
            add_both(hessian, 0, 2, r * theta * xg);
            add_both(hessian, 1, 2, r * xg);
        }
    }
    value
}

impl Exponents {
    fn b(&self, k: usize, m: usize, theta: f64) -> f64 {
        self.alpha.at(k, m) + self.beta.at(k, m) * theta
    }

    fn probabilities(&self, xi: &[f64], theta: f64, out: &mut [f64]) {
        let mut largest = f64::NEG_INFINITY;
        for (k, z) in out.iter_mut().enumerate() {
            *z = self.offset[k] * theta;
            for (m, x) in xi.iter().enumerate() {
                *z += self.b(k, m, theta) * x;
            }
            largest = largest.max(*z);
        }
        let mut total = 0.0;
        for z in out.iter_mut() {
            *z = libm::exp(*z - largest);
            total += *z;
        }
        for z in out.iter_mut() {
            *z /= total;
        }
    }

    fn complete(
        &self,
        xi: &[f64],
        thetas: &[f64],
        counts: &[f64],
        gradient: &mut [f64],
        hessian: &mut Matrix,
    ) -> f64 {
        let (q, n, n_categories) = (thetas.len(), xi.len(), self.offset.len());
        let (mut p, mut mean) = (vec![0.0; n_categories], vec![0.0; n]);
        let mut value = 0.0;
        for (at, &theta) in thetas.iter().enumerate() {
            let r = |k: usize| counts[k * q + at];
            let total: f64 = (0..n_categories).map(r).sum();
            self.probabilities(xi, theta, &mut p);
            for (m, mean) in mean.iter_mut().enumerate() {
                *mean = (0..n_categories).map(|k| p[k] * self.b(k, m, theta)).sum();
            }
            for k in 0..n_categories {
                value += r(k) * libm::log(p[k].max(f64::MIN_POSITIVE));
                for m in 0..n {
                    let centred = self.b(k, m, theta) - mean[m];
                    gradient[m] += r(k) * centred;
                    // The second derivative is minus a covariance, whatever the answer was.
                    let weight = total * p[k] * centred;
                    for l in 0..=m {
                        hessian.add(m, l, -weight * (self.b(k, l, theta) - mean[l]));
                    }
                }
            }
        }
        for m in 0..n {
            for l in 0..m {
                hessian.set(l, m, hessian.at(m, l));
            }
        }
        value
    }
}
