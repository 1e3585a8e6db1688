//! M₂ and C₂: fit to the first and second moments of the answers.

use super::{Complete, FitError, Population, rmsea, traces};
use crate::distributions::{chi_squared_noncentrality, chi_squared_upper};
use crate::matrix::{Cholesky, Matrix};
use crate::models::{ItemModel, ItemParameters};
use crate::responses::Responses;
use crate::score::Bank;

/// Which moments are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moments {
    /// Means of the items and of products of two: M₂ of right and wrong answers, M₂* of ordered
    /// ones (Cai & Hansen 2013, doi:10.1111/j.2044-8317.2012.02050.x). Needs few categories or
    /// many items.
    Means,
    /// Frequencies of the categories and means of products of two: C₂ (Cai & Monroe 2014).
    Categories,
}

/// Fit of a whole model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitedFit {
    /// Complete persons.
    pub n: usize,
    /// M₂ or C₂.
    pub statistic: f64,
    /// Moments less free parameters.
    pub df: usize,
    /// P(χ² or larger) if the model holds.
    pub p: f64,
    /// Root mean square error of approximation.
    pub rmsea: f64,
    /// Its 90 % limits.
    pub rmsea_interval: (f64, f64),
    /// Standardised root mean square residual of the items' correlations.
    pub srmsr: f64,
    /// Tucker-Lewis index against independent items; `None` where that model cannot be tested.
    pub tli: Option<f64>,
    /// Comparative fit index, likewise, between 0 and 1.
    pub cfi: Option<f64>,
}

/// Limited-information fit of the persons who answered everything.
///
/// N (p − π)ᵀ C (p − π) with p the observed and π the expected moments,
/// C = Ξ⁻¹ − Ξ⁻¹Δ(ΔᵀΞ⁻¹Δ)⁻¹ΔᵀΞ⁻¹, Ξ their covariance a person under the model and Δ the moments'
/// derivatives in the parameters. It is the same for every way to write the parameters.
/// Cost: O(moments² × nodes + moments³), moments = items²/2.
/// Accuracy: within 1e-3 relative of R `mirt` 1.47, whose estimates it inherits (`golden_fit`), but
/// for two of its figures, which `golden_fit` arrives at by its conventions: C₂ of generalised
/// partial credit items, for which `mirt` derives the slope from numerators where probabilities are
/// due, and TLI and CFI by M₂ of items with more than two categories, for which `mirt` counts more
/// free parameters than the means know of. Derivatives agree with finite differences to 1e-8
/// (`fit::tests`), the mean over simulated samples with that of χ² (`recovery_fit`).
///
/// # Errors
/// More than one dimension, answers that do not fit the bank, too few complete persons, no degrees
/// of freedom, or moments that determine one another (a category nobody chose).
/// # References
/// Maydeu-Olivares & Joe 2006, *Psychometrika* 71, 713–732, doi:10.1007/s11336-005-1295-9.
pub fn limited_information(
    bank: &Bank,
    responses: &Responses,
    moments: Moments,
    population: Population,
) -> Result<LimitedFit, FitError> {
    let data = Complete::of(bank, responses)?;
    let (nodes, weights) = bank.quadrature();
    let items: Vec<&ItemParameters> = bank.items().iter().map(|item| item.parameters()).collect();
    let rows = items.iter().map(|item| traces(item, &nodes)).collect();
    let model = Conditional::of(rows, weights);
    let mut derivatives = item_derivatives(&items, &nodes);
    if population == Population::VarianceFree {
        derivatives.push(Derivative::Weights(model.variance_slopes(&nodes)));
    }
    let n_free = free_of(&items) + population.n_free();
    let all = moments_of(&model, moments);
    let observed = observed(&data, &all);
    let (statistic, df) = model.statistic(&all, &observed, &derivatives, n_free, data.n)?;
    let null = independent(&data, &items, moments, &all, &observed);
    let (n, freedom) = (data.n as f64, df as f64);
    let limit = |probability| {
        libm::sqrt(chi_squared_noncentrality(statistic, freedom, probability) / (n * freedom))
    };
    Ok(LimitedFit {
        n: data.n,
        statistic,
        df,
        p: chi_squared_upper(statistic, freedom),
        rmsea: rmsea(statistic, freedom, n),
        rmsea_interval: (limit(0.95), limit(0.05)),
        srmsr: model.srmsr(&data),
        tli: null.map(|(worst, worst_df)| {
            (worst / worst_df - statistic / freedom) / (worst / worst_df - 1.0)
        }),
        cfi: null.map(|(worst, worst_df)| {
            (1.0 - (statistic - freedom) / (worst - worst_df)).clamp(0.0, 1.0)
        }),
    })
}

/// One answer's function: an indicator of a category, or its number.
#[derive(Clone, Copy, PartialEq)]
enum Function {
    Category(usize),
    Number,
}

/// A moment: the mean of one function, or of the product of two items' numbers.
#[derive(Clone, Copy)]
struct Moment {
    first: (usize, Function),
    second: Option<usize>,
}

impl Moment {
    fn items(&self) -> impl Iterator<Item = (usize, Function)> {
        let second = self.second.map(|item| (item, Function::Number));
        std::iter::once(self.first).chain(second)
    }
}

fn moments_of(model: &Conditional, moments: Moments) -> Vec<Moment> {
    let n_items = model.rows.len();
    let mut all = Vec::new();
    for (item, rows) in model.rows.iter().enumerate() {
        match moments {
            Moments::Means => all.push(Moment { first: (item, Function::Number), second: None }),
            Moments::Categories => all.extend((1..rows.len()).map(|category| Moment {
                first: (item, Function::Category(category)),
                second: None,
            })),
        }
    }
    for i in 0..n_items {
        all.extend(
            (i + 1..n_items).map(|j| Moment { first: (i, Function::Number), second: Some(j) }),
        );
    }
    all
}

fn observed(data: &Complete, all: &[Moment]) -> Vec<f64> {
    let value = |person: usize, (item, function): (usize, Function)| {
        let answer = usize::from(data.categories[item][person]);
        match function {
            Function::Category(category) => f64::from(u8::from(answer == category)),
            Function::Number => answer as f64,
        }
    };
    let mean = |moment: &Moment| {
        let of = |person| moment.items().map(|factor| value(person, factor)).product::<f64>();
        (0..data.n).map(of).sum::<f64>() / data.n as f64
    };
    all.iter().map(mean).collect()
}

/// What a parameter moves.
enum Derivative {
    /// ∂Pₖ/∂ξ of some items, one row a category.
    Items(Vec<(usize, Vec<Vec<f64>>)>),
    /// The weights of the nodes.
    Weights(Vec<f64>),
}

/// Everything at the nodes, given θ.
struct Conditional {
    weights: Vec<f64>,
    /// P(X = k | θ).
    rows: Vec<Vec<Vec<f64>>>,
    /// E(X | θ).
    mean: Vec<Vec<f64>>,
    /// E(X² | θ).
    square: Vec<Vec<f64>>,
}

impl Conditional {
    fn of(rows: Vec<Vec<Vec<f64>>>, weights: Vec<f64>) -> Self {
        let power = |power: i32| -> Vec<Vec<f64>> {
            let value = |categories: &Vec<Vec<f64>>| {
                weighted(categories, |category| (category as f64).powi(power), weights.len())
            };
            rows.iter().map(value).collect()
        };
        Self { mean: power(1), square: power(2), rows, weights }
    }

    fn row(&self, (item, function): (usize, Function)) -> &[f64] {
        match function {
            Function::Category(category) => &self.rows[item][category],
            Function::Number => &self.mean[item],
        }
    }

    /// E of a product of functions of different items.
    fn expected(&self, weights: &[f64], factors: &[&[f64]]) -> f64 {
        let at = |(node, weight): (usize, &f64)| {
            factors.iter().fold(*weight, |value, factor| value * factor[node])
        };
        weights.iter().enumerate().map(at).sum()
    }

    fn mean_of(&self, moment: &Moment) -> f64 {
        let factors: Vec<&[f64]> = moment.items().map(|factor| self.row(factor)).collect();
        self.expected(&self.weights, &factors)
    }

    /// E(m m′): functions of the same item are multiplied before the expectation.
    fn product(&self, a: &Moment, b: &Moment) -> f64 {
        let mut factors: Vec<&[f64]> = Vec::with_capacity(4);
        let mut scale = 1.0;
        for (item, function) in a.items() {
            match b.items().find(|(other, _)| *other == item) {
                None => factors.push(self.row((item, function))),
                Some((_, other)) => match (function, other) {
                    (Function::Number, Function::Number) => factors.push(&self.square[item]),
                    (Function::Category(k), Function::Number)
                    | (Function::Number, Function::Category(k)) => {
                        scale *= k as f64;
                        factors.push(&self.rows[item][k]);
                    }
                    (Function::Category(k), Function::Category(l)) if k == l => {
                        factors.push(&self.rows[item][k]);
                    }
                    (Function::Category(_), Function::Category(_)) => return 0.0,
                },
            }
        }
        let alone = |(item, _): &(usize, Function)| a.items().all(|(other, _)| other != *item);
        factors.extend(b.items().filter(alone).map(|factor| self.row(factor)));
        scale * self.expected(&self.weights, &factors)
    }

    fn derivative(&self, moment: &Moment, derivative: &Derivative) -> f64 {
        let moved = match derivative {
            Derivative::Weights(weights) => {
                let factors: Vec<&[f64]> = moment.items().map(|factor| self.row(factor)).collect();
                return self.expected(weights, &factors);
            }
            Derivative::Items(moved) => moved,
        };
        let mut sum = 0.0;
        for (item, rows) in moved {
            let Some((_, function)) = moment.items().find(|(own, _)| own == item) else { continue };
            let slope = match function {
                Function::Category(category) => rows[category].clone(),
                Function::Number => weighted(rows, |category| category as f64, self.weights.len()),
            };
            let mut factors: Vec<&[f64]> = vec![&slope];
            let others = moment.items().filter(|(own, _)| own != item);
            factors.extend(others.map(|factor| self.row(factor)));
            sum += self.expected(&self.weights, &factors);
        }
        sum
    }

    /// ∂/∂σ² of the normal weights, but for a factor.
    fn variance_slopes(&self, nodes: &[f64]) -> Vec<f64> {
        let mean = self.expected(&self.weights, &[nodes]);
        let squares: Vec<f64> = nodes.iter().map(|node| (node - mean) * (node - mean)).collect();
        let variance = self.expected(&self.weights, &[&squares]);
        self.weights.iter().zip(&squares).map(|(w, square)| w * (square / variance - 1.0)).collect()
    }

    /// The statistic and its degrees of freedom.
    fn statistic(
        &self,
        all: &[Moment],
        observed: &[f64],
        derivatives: &[Derivative],
        n_free: usize,
        n: usize,
    ) -> Result<(f64, usize), FitError> {
        let n_moments = all.len();
        let df = n_moments.checked_sub(n_free).filter(|&df| df > 0);
        let df = df.ok_or(FitError::TooFewDegrees { n_moments, n_free })?;
        let means: Vec<f64> = all.iter().map(|moment| self.mean_of(moment)).collect();
        let mut covariance = Matrix::zeros(n_moments, n_moments);
        for a in 0..n_moments {
            for b in 0..=a {
                let value = self.product(&all[a], &all[b]) - means[a] * means[b];
                covariance.set(a, b, value);
                covariance.set(b, a, value);
            }
        }
        let chol = decomposed(&covariance)?;
        let gap: Vec<f64> = observed.iter().zip(&means).map(|(p, e)| p - e).collect();
        let solved = chol.solve(&gap);
        let slopes: Vec<Vec<f64>> = derivatives
            .iter()
            .map(|derivative| all.iter().map(|m| self.derivative(m, derivative)).collect())
            .collect();
        let solved_slopes: Vec<Vec<f64>> = slopes.iter().map(|slope| chol.solve(slope)).collect();
        let information =
            Matrix::from_fn(slopes.len(), slopes.len(), |a, b| dot(&slopes[a], &solved_slopes[b]));
        let score: Vec<f64> = slopes.iter().map(|slope| dot(slope, &solved)).collect();
        let fitted = dot(&score, &decomposed(&information)?.solve(&score));
        Ok((n as f64 * (dot(&gap, &solved) - fitted), df))
    }

    fn srmsr(&self, data: &Complete) -> f64 {
        let n_items = self.rows.len();
        let n = data.n as f64;
        let number = |item: usize, person: usize| f64::from(data.categories[item][person]);
        let seen = |i: usize, j: usize| {
            (0..data.n).map(|person| number(i, person) * number(j, person)).sum::<f64>() / n
        };
        let seen_mean: Vec<f64> =
            (0..n_items).map(|i| (0..data.n).map(|p| number(i, p)).sum::<f64>() / n).collect();
        let implied = |i: usize, j: usize| {
            if i == j {
                self.expected(&self.weights, &[&self.square[i]])
            } else {
                self.expected(&self.weights, &[&self.mean[i], &self.mean[j]])
            }
        };
        let implied_mean: Vec<f64> =
            (0..n_items).map(|i| self.expected(&self.weights, &[&self.mean[i]])).collect();
        let correlation = |cross: &dyn Fn(usize, usize) -> f64, mean: &[f64], i, j| {
            let covariance = |i: usize, j: usize| cross(i, j) - mean[i] * mean[j];
            covariance(i, j) / libm::sqrt(covariance(i, i) * covariance(j, j))
        };
        let (mut squares, mut n_pairs) = (0.0, 0.0);
        for i in 0..n_items {
            for j in 0..i {
                let gap = correlation(&seen, &seen_mean, i, j)
                    - correlation(&implied, &implied_mean, i, j);
                squares += gap * gap;
                n_pairs += 1.0;
            }
        }
        libm::sqrt(squares / n_pairs)
    }
}

/// Expected moments, and their derivatives in each free parameter of the items.
#[cfg(test)]
pub(super) fn moment_derivatives(
    items: &[ItemParameters],
    nodes: &[f64],
    weights: &[f64],
    moments: Moments,
) -> (Vec<f64>, Vec<Vec<f64>>) {
    let rows = items.iter().map(|item| traces(item, nodes)).collect();
    let model = Conditional::of(rows, weights.to_vec());
    let all = moments_of(&model, moments);
    let slopes = item_derivatives(&items.iter().collect::<Vec<_>>(), nodes)
        .iter()
        .map(|derivative| all.iter().map(|moment| model.derivative(moment, derivative)).collect())
        .collect();
    (all.iter().map(|moment| model.mean_of(moment)).collect(), slopes)
}

/// Statistic and degrees of freedom of items that have nothing in common.
///
/// Means alone know of one free figure an item, its mean, however many categories it has.
fn independent(
    data: &Complete,
    items: &[&ItemParameters],
    moments: Moments,
    all: &[Moment],
    observed: &[f64],
) -> Option<(f64, f64)> {
    let n = data.n as f64;
    let mut rows = Vec::with_capacity(items.len());
    let mut derivatives = Vec::new();
    for (item, parameters) in items.iter().enumerate() {
        let k = parameters.n_categories();
        let mut own = vec![vec![0.0]; k];
        for &answer in &data.categories[item] {
            own[usize::from(answer)][0] += 1.0 / n;
        }
        rows.push(own);
        let n_free = if moments == Moments::Means { 1 } else { k - 1 };
        for category in 1..=n_free {
            let mut moved = vec![vec![0.0]; k];
            moved[category][0] = 1.0;
            moved[0][0] = -1.0;
            derivatives.push(Derivative::Items(vec![(item, moved)]));
        }
    }
    let model = Conditional::of(rows, vec![1.0]);
    let seen = model.statistic(all, observed, &derivatives, derivatives.len(), data.n);
    seen.ok().map(|(statistic, df)| (statistic, df as f64))
}

/// Free parameters of all items; those of rating scales share their steps.
fn free_of(items: &[&ItemParameters]) -> usize {
    let own: usize =
        items.iter().map(|item| if shared_steps(item) > 0 { 1 } else { super::n_free(item) }).sum();
    own + shared_lengths(items).iter().map(|n_steps| n_steps - 1).sum::<usize>()
}

fn shared_steps(item: &ItemParameters) -> usize {
    if let ItemParameters::RatingScale(own) = item { own.steps().len() } else { 0 }
}

/// The different numbers of steps among rating scales: items with as many share them.
fn shared_lengths(items: &[&ItemParameters]) -> Vec<usize> {
    let mut lengths: Vec<usize> =
        items.iter().map(|item| shared_steps(item)).filter(|&n_steps| n_steps > 0).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

fn item_derivatives(items: &[&ItemParameters], nodes: &[f64]) -> Vec<Derivative> {
    let mut all = Vec::new();
    for (item, parameters) in items.iter().enumerate() {
        let own = own_derivatives(parameters, nodes);
        all.extend(own.into_iter().map(|rows| Derivative::Items(vec![(item, rows)])));
    }
    for n_steps in shared_lengths(items) {
        // The first step is left out: raising all steps is lowering all locations.
        for step in 2..=n_steps {
            let with = items.iter().enumerate().filter(|(_, item)| shared_steps(item) == n_steps);
            let moved = with.map(|(at, item)| {
                (at, exponential(item, nodes, |k, _| f64::from(u8::from(k >= step))))
            });
            all.push(Derivative::Items(moved.collect()));
        }
    }
    all
}

/// ∂Pₖ/∂ξ at the nodes for each free parameter of one item.
fn own_derivatives(item: &ItemParameters, nodes: &[f64]) -> Vec<Vec<Vec<f64>>> {
    let k = item.n_categories();
    let intercept = |step: usize| {
        exponential(item, nodes, move |category, _| f64::from(u8::from(category == step)))
    };
    let slope = || exponential(item, nodes, |category, theta| category as f64 * theta);
    match item {
        ItemParameters::Graded(own) => graded(own.slope(), own.intercepts(), nodes),
        ItemParameters::GeneralisedPartialCredit(_) | ItemParameters::TwoParameter(_) => {
            std::iter::once(slope()).chain((1..k).map(intercept)).collect()
        }
        ItemParameters::PartialCredit(_) | ItemParameters::Rasch(_) => {
            (1..k).map(intercept).collect()
        }
        ItemParameters::RatingScale(_) => {
            vec![exponential(item, nodes, |category, _| category as f64)]
        }
        ItemParameters::Nominal(_) => {
            let of_slope = |step: usize| {
                exponential(
                    item,
                    nodes,
                    move |category, theta| {
                        if category == step { theta } else { 0.0 }
                    },
                )
            };
            (1..k).flat_map(|step| [of_slope(step), intercept(step)]).collect()
        }
        ItemParameters::ThreeParameter(own) => {
            three_parameter(own.slope(), own.intercept(), own.guessing(), nodes)
        }
    }
}

/// For P ∝ exp(z): ∂Pₖ = Pₖ (∂zₖ − Σ Pⱼ ∂zⱼ).
fn exponential(
    item: &ItemParameters,
    nodes: &[f64],
    slope: impl Fn(usize, f64) -> f64,
) -> Vec<Vec<f64>> {
    let mut rows = traces(item, nodes);
    for (node, &theta) in nodes.iter().enumerate() {
        let mean: f64 = rows.iter().enumerate().map(|(k, row)| row[node] * slope(k, theta)).sum();
        for (k, row) in rows.iter_mut().enumerate() {
            row[node] *= slope(k, theta) - mean;
        }
    }
    rows
}

fn graded(slope: f64, intercepts: &[f64], nodes: &[f64]) -> Vec<Vec<Vec<f64>>> {
    let k = intercepts.len() + 1;
    let mut all = vec![vec![vec![0.0; nodes.len()]; k]; k];
    for (node, &theta) in nodes.iter().enumerate() {
        for (step, intercept) in intercepts.iter().enumerate() {
            let rise = logistic_slope(slope * theta + intercept);
            // The step moves persons from the category below it to the one above.
            for (parameter, size) in [(0, theta * rise), (step + 1, rise)] {
                all[parameter][step + 1][node] += size;
                all[parameter][step][node] -= size;
            }
        }
    }
    all
}

fn three_parameter(slope: f64, intercept: f64, guess: f64, nodes: &[f64]) -> Vec<Vec<Vec<f64>>> {
    let rows = |size: &dyn Fn(f64) -> f64| {
        let right: Vec<f64> = nodes.iter().map(|&theta| size(theta)).collect();
        vec![right.iter().map(|value| -value).collect(), right]
    };
    let rise = |theta: f64| (1.0 - guess) * logistic_slope(slope * theta + intercept);
    vec![
        rows(&|theta| theta * rise(theta)),
        rows(&rise),
        rows(&|theta| 1.0 / (1.0 + libm::exp(slope * theta + intercept))),
    ]
}

fn logistic_slope(x: f64) -> f64 {
    let small = libm::exp(-x.abs());
    small / ((1.0 + small) * (1.0 + small))
}

/// Σₖ f(k) row(k).
fn weighted(rows: &[Vec<f64>], factor: impl Fn(usize) -> f64, n_nodes: usize) -> Vec<f64> {
    let mut sum = vec![0.0; n_nodes];
    for (category, row) in rows.iter().enumerate() {
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += factor(category) * value;
        }
    }
    sum
}

fn decomposed(matrix: &Matrix) -> Result<Cholesky, FitError> {
    matrix.cholesky().map_err(|position| FitError::Singular { position })
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
