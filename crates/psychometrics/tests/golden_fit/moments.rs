//! M₂* and C₂ with every moment written out, so that R mirt's own conventions can be put in.

use psychometrics::fit::Moments;
use psychometrics::models::{ItemModel, ItemParameters};
use psychometrics::responses::Responses;

/// How the slope of a partial credit item moves its expected answer.
#[derive(Clone, Copy, PartialEq)]
pub enum Slope {
    /// θ (E X² − (E X)²).
    Right,
    /// θ (E X² − E X Σ k nₖ) with nₖ = exp(zₖ − max z), which mirt 1.47 has where Pₖ is due.
    Numerators,
}

/// An item's category, or its number.
#[derive(Clone, Copy)]
enum Function {
    Category(usize),
    Number,
}

type Moment = Vec<(usize, Function)>;

/// The statistic and its degrees of freedom, of partial credit items.
pub fn partial_credit(
    items: &[&ItemParameters],
    answers: &Responses,
    moments: Moments,
    slope: Slope,
) -> (f64, usize) {
    let nodes: Vec<f64> = (0..61).map(|node| f64::from(node) * 0.2 - 6.0).collect();
    let density: Vec<f64> = nodes.iter().map(|theta| (-0.5 * theta * theta).exp()).collect();
    let sum: f64 = density.iter().sum();
    let weights: Vec<f64> = density.iter().map(|density| density / sum).collect();
    let rows = items.iter().map(|item| probabilities(item, &nodes)).collect();
    let model = Model { weights, rows };
    let all = all_moments(&model, moments);
    let mut columns = Vec::new();
    for item in 0..items.len() {
        for parameter in 0..model.n_categories(item) {
            let theta = |node: usize| if parameter == 0 { nodes[node] } else { 1.0 };
            let moved = |node: usize, function| {
                theta(node) * model.moved(item, node, parameter, function, slope)
            };
            columns.push(all.iter().map(|moment| model.derivative(moment, item, &moved)).collect());
        }
    }
    let n_free = columns.len();
    (model.statistic(&all, answers, columns, n_free), all.len() - n_free)
}

/// Independent items as mirt tests them. By means its Δ has a column a category, of which those of
/// one item say the same. Its decomposition then takes as many directions as there are columns:
/// one an item, and for the rest the next that Householder's reflections happen to leave.
pub fn independent(answers: &Responses, moments: Moments) -> (f64, usize) {
    let n = answers.n_persons() as f64;
    let share = |item: usize| {
        let counts = answers.counts(item);
        vec![counts.iter().map(|&count| count as f64 / n).collect::<Vec<f64>>()]
    };
    let model = Model { weights: vec![1.0], rows: (0..answers.n_items()).map(share).collect() };
    let all = all_moments(&model, moments);
    let (mut columns, mut n_free) = (Vec::new(), 0);
    for item in 0..answers.n_items() {
        let n_steps = model.n_categories(item) - 1;
        n_free += n_steps;
        for step in 1..=if moments == Moments::Means { 1 } else { n_steps } {
            let moved = |_, function| value(function, step) - value(function, 0);
            columns.push(all.iter().map(|moment| model.derivative(moment, item, &moved)).collect());
        }
    }
    (model.statistic(&all, answers, columns, n_free), all.len() - n_free)
}

fn probabilities(item: &ItemParameters, nodes: &[f64]) -> Vec<Vec<f64>> {
    let at = |&theta: &f64| {
        let mut row = vec![0.0; item.n_categories()];
        item.probabilities(theta, &mut row);
        row
    };
    nodes.iter().map(at).collect()
}

fn value(function: Function, category: usize) -> f64 {
    match function {
        Function::Category(own) => f64::from(u8::from(own == category)),
        Function::Number => category as f64,
    }
}

fn all_moments(model: &Model, moments: Moments) -> Vec<Moment> {
    let n_items = model.rows.len();
    let mut all = Vec::new();
    for item in 0..n_items {
        match moments {
            Moments::Means => all.push(vec![(item, Function::Number)]),
            Moments::Categories => all
                .extend((1..model.n_categories(item)).map(|k| vec![(item, Function::Category(k))])),
        }
    }
    for i in 0..n_items {
        all.extend((i + 1..n_items).map(|j| vec![(i, Function::Number), (j, Function::Number)]));
    }
    all
}

/// P(X = k | θ) of each item, node and category.
struct Model {
    weights: Vec<f64>,
    rows: Vec<Vec<Vec<f64>>>,
}

impl Model {
    fn n_categories(&self, item: usize) -> usize {
        self.rows[item][0].len()
    }

    /// E of the product of some functions of one item.
    fn of_item(&self, item: usize, node: usize, functions: &[Function]) -> f64 {
        let row = self.rows[item][node].iter().enumerate();
        row.map(|(k, p)| functions.iter().fold(*p, |sum, &own| sum * value(own, k))).sum()
    }

    /// E of the product of moments.
    fn expected(&self, moments: &[&Moment]) -> f64 {
        let mut items: Vec<usize> = moments.iter().flat_map(|m| m.iter().map(|f| f.0)).collect();
        items.sort_unstable();
        items.dedup();
        let at = |(node, weight): (usize, &f64)| {
            items.iter().fold(*weight, |product, &item| {
                let own = moments.iter().flat_map(|moment| moment.iter());
                let own: Vec<Function> = own.filter(|f| f.0 == item).map(|f| f.1).collect();
                product * self.of_item(item, node, &own)
            })
        };
        self.weights.iter().enumerate().map(at).sum()
    }

    /// ∂E(function)/∂z: parameter 0 moves category k by k (times θ), others their own category.
    fn moved(
        &self,
        item: usize,
        node: usize,
        parameter: usize,
        function: Function,
        slope: Slope,
    ) -> f64 {
        let by = if parameter == 0 { Function::Number } else { Function::Category(parameter) };
        let of = |functions: &[Function]| self.of_item(item, node, functions);
        let mut mean = of(&[by]);
        if let (0, Function::Number, Slope::Numerators) = (parameter, function, slope) {
            mean /= self.rows[item][node].iter().copied().fold(0.0, f64::max);
        }
        of(&[by, function]) - of(&[function]) * mean
    }

    fn derivative(
        &self,
        moment: &Moment,
        item: usize,
        moved: &impl Fn(usize, Function) -> f64,
    ) -> f64 {
        let Some(&(_, own)) = moment.iter().find(|f| f.0 == item) else { return 0.0 };
        let others = moment.iter().filter(|f| f.0 != item);
        let at = |node: usize| {
            others.clone().fold(self.weights[node] * moved(node, own), |product, f| {
                product * self.of_item(f.0, node, &[f.1])
            })
        };
        (0..self.weights.len()).map(at).sum()
    }

    /// N eᵀQ(QᵀΞQ)⁻¹Qᵀe, Q what `columns` leave after `n_free` directions.
    fn statistic(
        &self,
        all: &[Moment],
        answers: &Responses,
        columns: Vec<Vec<f64>>,
        n_free: usize,
    ) -> f64 {
        let means: Vec<f64> = all.iter().map(|moment| self.expected(&[moment])).collect();
        let covariance =
            |a: usize, b: usize| self.expected(&[&all[a], &all[b]]) - means[a] * means[b];
        let n = answers.n_persons();
        let observed = |moment: &Moment| {
            let of = |person: usize| -> f64 {
                let answer = |item| usize::from(answers.category(person, item).expect("all"));
                moment.iter().map(|f| value(f.1, answer(f.0))).product()
            };
            (0..n).map(of).sum::<f64>() / n as f64
        };
        let gap: Vec<f64> = all.iter().zip(&means).map(|(m, mean)| observed(m) - mean).collect();
        let rows: Vec<Vec<f64>> = (0..all.len())
            .map(|a| (0..all.len()).map(|b| covariance(a.max(b), a.min(b))).collect())
            .collect();
        let left = complement(columns, all.len(), n_free);
        let turned: Vec<Vec<f64>> =
            left.iter().map(|q| rows.iter().map(|row| dot(row, q)).collect()).collect();
        let square = left.iter().map(|q| turned.iter().map(|t| dot(q, t)).collect()).collect();
        n as f64 * quadratic(square, left.iter().map(|q| dot(q, &gap)).collect())
    }
}

/// Householder's Q of independent columns, from its column `from` on.
fn complement(columns: Vec<Vec<f64>>, n: usize, from: usize) -> Vec<Vec<f64>> {
    let mut mirrors: Vec<Vec<f64>> = Vec::new();
    for (place, mut column) in columns.into_iter().enumerate() {
        mirrors.iter().for_each(|mirror| reflect(mirror, &mut column));
        column[..place].fill(0.0);
        let length = dot(&column, &column).sqrt();
        column[place] += length.copysign(column[place]);
        mirrors.push(column);
    }
    let turned = |place: usize| {
        let mut axis = vec![0.0; n];
        axis[place] = 1.0;
        mirrors.iter().rev().for_each(|mirror| reflect(mirror, &mut axis));
        axis
    };
    (from..n).map(turned).collect()
}

fn reflect(mirror: &[f64], vector: &mut [f64]) {
    let scale = 2.0 * dot(mirror, vector) / dot(mirror, mirror);
    vector.iter_mut().zip(mirror).for_each(|(value, own)| *value -= scale * own);
}

/// eᵀ A⁻¹ e by elimination of a positive definite A.
fn quadratic(mut rows: Vec<Vec<f64>>, mut right: Vec<f64>) -> f64 {
    let mut sum = 0.0;
    for pivot in 0..right.len() {
        sum += right[pivot] * right[pivot] / rows[pivot][pivot];
        for row in pivot + 1..right.len() {
            let factor = rows[row][pivot] / rows[pivot][pivot];
            right[row] -= factor * right[pivot];
            let (above, below) = rows.split_at_mut(row);
            let pairs = below[0].iter_mut().zip(&above[pivot]).skip(pivot);
            pairs.for_each(|(value, own)| *value -= factor * own);
        }
    }
    sum
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
