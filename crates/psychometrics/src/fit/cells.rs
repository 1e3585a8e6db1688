//! S-X²: answers among people with the same sum.

use super::{Complete, FitError, Population, n_free, rmsea, traces};
use crate::distributions::chi_squared_upper;
use crate::responses::Responses;
use crate::score::Bank;

/// A cell expected to hold fewer persons is joined to another.
const EXPECTED_MIN: f64 = 1.0;

/// Fit of one item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ItemFit {
    /// Σ (O − E)²/E over sum scores and categories; NaN without degrees of freedom.
    pub s_x2: f64,
    /// Cells less rows less parameters.
    pub df: usize,
    /// P(χ² or larger) if the item fits; NaN without degrees of freedom.
    pub p: f64,
    /// Root mean square error of approximation.
    pub rmsea: f64,
}

/// Orlando and Thissen's S-X² of every item, from the persons who answered everything.
///
/// Among persons with sum s, category k of item i is expected in the share
/// ∫ Pₖ(θ) f₋ᵢ(s − k | θ) dG(θ) / ∫ f(s | θ) dG(θ), f the distribution of the sum with and without
/// the item (Lord and Wingersky). Sums that leave a category impossible, cells expected below one
/// person and rare categories are joined by the same steps as R `mirt`, so that the degrees of
/// freedom are the same. A free variance in `population` counts against every item, as in `mirt`;
/// simulated samples say that it should not (`recovery_fit`, with [`Population::Fixed`]).
/// Cost: O(items³ × categories² × nodes).
/// Accuracy: within 1e-3 relative of R `mirt` 1.47, whose estimates it inherits (`golden_fit`).
///
/// # Errors
/// More than one dimension, answers that do not fit the bank, too few complete persons.
/// # References
/// Orlando & Thissen 2000, *Applied Psychological Measurement* 24, 50–64,
/// doi:10.1177/01466216000241003; Kang & Chen 2011, *Asia Pacific Education Review* 12, 89–96,
/// doi:10.1007/s12564-010-9082-4.
pub fn item_fit(
    bank: &Bank,
    responses: &Responses,
    population: Population,
) -> Result<Vec<ItemFit>, FitError> {
    let data = Complete::of(bank, responses)?;
    let (nodes, weights) = bank.quadrature();
    let all: Vec<Vec<Vec<f64>>> =
        bank.items().iter().map(|item| traces(item.parameters(), &nodes)).collect();
    let with_all = sums(all.iter(), &weights);
    let totals: Vec<f64> = with_all.iter().map(|row| row.iter().sum()).collect();
    let score: Vec<usize> = (0..data.n)
        .map(|person| data.categories.iter().map(|column| usize::from(column[person])).sum())
        .collect();
    let fit = |(item, own): (usize, &Vec<Vec<f64>>)| {
        let others = all.iter().enumerate().filter(|(other, _)| *other != item);
        let rest = sums(others.map(|(_, rows)| rows), &weights);
        let mut table = Table::new(&data.categories[item], &score, own.len(), totals.len());
        table.expect(own, &rest, &totals);
        table.join_impossible();
        table.join_sparse();
        let free = n_free(bank.items()[item].parameters()) + population.n_free();
        table.statistic(free, data.n as f64)
    };
    Ok(all.iter().enumerate().map(fit).collect())
}

/// The weighted distribution of the sum of items at each node: one row a sum.
fn sums<'a>(items: impl Iterator<Item = &'a Vec<Vec<f64>>>, weights: &[f64]) -> Vec<Vec<f64>> {
    let mut rows = vec![weights.to_vec()];
    for item in items {
        let mut next = vec![vec![0.0; weights.len()]; rows.len() + item.len() - 1];
        for (sum, row) in rows.iter().enumerate() {
            for (category, trace) in item.iter().enumerate() {
                let target = &mut next[sum + category];
                for ((value, mass), p) in target.iter_mut().zip(row).zip(trace) {
                    *value += mass * p;
                }
            }
        }
        rows = next;
    }
    rows
}

/// Observed and expected persons by sum (rows) and category; the lowest and highest sum are out,
/// because everybody with them gave the same answer.
struct Table {
    rows: Vec<Row>,
}

#[derive(Clone)]
struct Row {
    observed: Vec<f64>,
    expected: Vec<f64>,
    possible: bool,
}

impl Row {
    fn add(&mut self, other: &Self) {
        for (sum, value) in self.observed.iter_mut().zip(&other.observed) {
            *sum += value;
        }
        for (sum, value) in self.expected.iter_mut().zip(&other.expected) {
            *sum += value;
        }
    }

    fn n(&self) -> f64 {
        self.observed.iter().sum()
    }

    fn is_sparse(&self) -> bool {
        self.expected.iter().any(|&expected| expected < EXPECTED_MIN)
    }

    /// Adds the last category to the one before it.
    fn fold_last(&mut self) {
        for counts in [&mut self.observed, &mut self.expected] {
            if let Some(last) = counts.pop()
                && let Some(before) = counts.last_mut()
            {
                *before += last;
            }
        }
    }
}

impl Table {
    fn new(answers: &[u8], score: &[usize], n_categories: usize, n_sums: usize) -> Self {
        let empty = Row {
            observed: vec![0.0; n_categories],
            expected: vec![0.0; n_categories],
            possible: true,
        };
        let mut rows = vec![empty; n_sums];
        for (&answer, &sum) in answers.iter().zip(score) {
            rows[sum].observed[usize::from(answer)] += 1.0;
        }
        Self { rows }
    }

    fn expect(&mut self, own: &[Vec<f64>], rest: &[Vec<f64>], totals: &[f64]) {
        for (sum, row) in self.rows.iter_mut().enumerate() {
            let n = row.n();
            for (category, trace) in own.iter().enumerate() {
                let Some(others) = sum.checked_sub(category).and_then(|left| rest.get(left)) else {
                    row.possible = false;
                    continue;
                };
                let joint: f64 = others.iter().zip(trace).map(|(mass, p)| mass * p).sum();
                row.expected[category] = n * joint / totals[sum];
            }
        }
        self.rows.pop();
        self.rows.remove(0);
    }

    /// Sums at which some category cannot occur go to the nearest at which all can.
    fn join_impossible(&mut self) {
        let Some(first) = self.rows.iter().position(|row| row.possible) else { return };
        let last = self.rows.iter().rposition(|row| row.possible).unwrap_or(first);
        for place in (0..first).chain(last + 1..self.rows.len()) {
            let row = self.rows[place].clone();
            self.rows[if place < first { first } else { last }].add(&row);
        }
        self.rows.truncate(last + 1);
        self.rows.drain(..first);
    }

    fn join_sparse(&mut self) {
        self.rows.retain(|row| row.n() > 0.0);
        // Which rows were sparse is noted before single persons are joined and looked up by
        // position after it, as the reference does: the positions then no longer belong together.
        let sparse: Vec<bool> = self.rows.iter().map(Row::is_sparse).collect();
        self.join_single_persons();
        let n_categories = self.rows.first().map_or(0, |row| row.expected.len());
        if n_categories > 2 {
            for (row, _) in self.rows.iter_mut().zip(&sparse).filter(|(_, sparse)| **sparse) {
                join_neighbours(row, n_categories);
            }
        }
        self.join_rare_categories();
        self.join_sparse_rows();
    }

    /// A sum that one person reached goes to the next.
    fn join_single_persons(&mut self) {
        let mut kept: Vec<Row> = Vec::with_capacity(self.rows.len());
        let mut carried: Option<Row> = None;
        let n_rows = self.rows.len();
        for (place, mut row) in std::mem::take(&mut self.rows).into_iter().enumerate() {
            if let Some(carried) = carried.take() {
                row.add(&carried);
            }
            match kept.last_mut() {
                Some(before) if place + 1 == n_rows && row.n() == 1.0 => before.add(&row),
                _ if place + 1 < n_rows && row.n() == 1.0 => carried = Some(row),
                _ => kept.push(row),
            }
        }
        self.rows = kept;
    }

    /// Categories rare over all sums go to the one below.
    fn join_rare_categories(&mut self) {
        let n_rows = self.rows.len() as f64;
        let n_categories = |rows: &[Row]| rows.first().map_or(0, |row| row.expected.len());
        while n_categories(&self.rows) > 2 {
            let last: f64 = self.rows.iter().filter_map(|row| row.expected.last()).sum();
            if last >= EXPECTED_MIN * libm::ceil(0.1 * n_rows) {
                break;
            }
            self.rows.iter_mut().for_each(Row::fold_last);
        }
        for category in (1..n_categories(&self.rows)).rev() {
            let n_used = self.rows.iter().filter(|row| row.expected[category] > 0.0).count();
            if (n_used as f64) < 0.05 * n_rows {
                for row in &mut self.rows {
                    let (observed, expected) =
                        (row.observed.remove(category), row.expected.remove(category));
                    row.observed[category - 1] += observed;
                    row.expected[category - 1] += expected;
                }
            }
        }
    }

    /// Sums with a sparse cell go to the neighbour with fewer persons.
    fn join_sparse_rows(&mut self) {
        let sparse =
            |row: &Row| row.expected.iter().any(|&cell| cell < EXPECTED_MIN && cell != 0.0);
        while self.rows.len() > 1
            && let Some(place) = self.rows.iter().position(sparse)
        {
            let last = self.rows.len() - 1;
            let target = match place {
                0 => 1,
                place if place == last => last - 1,
                place if self.rows[place - 1].n() <= self.rows[place + 1].n() => place - 1,
                place => place + 1,
            };
            let row = self.rows[place].clone();
            self.rows[target].add(&row);
            self.rows.remove(place);
        }
    }

    fn statistic(&self, n_free: usize, n: f64) -> ItemFit {
        let (mut s_x2, mut n_cells) = (0.0, 0);
        for row in &self.rows {
            for (observed, expected) in row.observed.iter().zip(&row.expected) {
                if *expected != 0.0 {
                    s_x2 += (observed - expected) * (observed - expected) / expected;
                    n_cells += 1;
                }
            }
        }
        let df = n_cells.max(self.rows.len() + n_free) - self.rows.len() - n_free;
        if df == 0 {
            return ItemFit { s_x2: f64::NAN, df, p: f64::NAN, rmsea: f64::NAN };
        }
        let p = chi_squared_upper(s_x2, df as f64);
        ItemFit { s_x2, df, p, rmsea: rmsea(s_x2, df as f64, n) }
    }
}

/// Joins the smallest expected cell of a row to its smaller neighbour until none is sparse or two
/// are left; the row is filled up with empty cells.
fn join_neighbours(row: &mut Row, n_categories: usize) {
    while row.expected.len() > 2 {
        let smallest = row.expected.iter().copied().fold(f64::INFINITY, f64::min);
        let place = row.expected.iter().rposition(|&cell| cell == smallest).unwrap_or(0);
        let last = row.expected.len() - 1;
        let target = match place {
            0 => 1,
            place if place == last => last - 1,
            place if row.expected[place - 1] <= row.expected[place + 1] => place - 1,
            place => place + 1,
        };
        for counts in [&mut row.observed, &mut row.expected] {
            counts[target] += counts[place];
            counts.remove(place);
        }
        if !row.is_sparse() {
            break;
        }
    }
    row.observed.resize(n_categories, 0.0);
    row.expected.resize(n_categories, 0.0);
}
