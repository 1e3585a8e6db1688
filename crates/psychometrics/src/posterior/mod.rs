//! The deterministic scoring of two correlated traits: managing (dimension 0) and leading (1).
//!
//! Each rated item measures one dimension; a pair measures leading minus managing; the population
//! enters as a normal prior. The posterior mean, covariance and grid weights are sums over
//! equally spaced nodes of both dimensions. Region probabilities come from the same posterior by
//! a finer rule ([`Posterior::region_probabilities`] says how).
//!
//! **The bits are the same everywhere.** Sums run in one fixed order, no operation is fused, and
//! the only functions used are those of `libm` and the square root, which IEEE 754 defines
//! exactly. Neither processor, vector width nor number of threads can change a result. The test
//! file `stability` holds the bits.
//!
//! ```text
//! p(θ | x) ∝ φ₂(θ; μ, Σ) · Π over ratings P(xᵢ | θ of its dimension) · Π over pairs P(xⱼ | θ₁ − θ₀)
//! ```
//!
//! # References
//! Bock & Mislevy 1982, *Appl. Psychol. Meas.* 6, 431–444, doi:10.1177/014662168200600405.
//! Thurstonian pairs: Brown & Maydeu-Olivares 2011, *Educ. Psychol. Meas.* 71, 460–502,
//! doi:10.1177/0013164410375112; here logistic, graded and on the difference of two traits.

mod density;
mod ellipse;
mod legendre;
mod regions;

pub use ellipse::Ellipse;
pub use regions::{Region, RegionError, RegionMap, RegionProbabilities, RegionProbability, Shape};

use crate::models::{Graded, ItemModel, ItemParameters};

/// The fewest nodes a dimension of a [`Grid`].
pub const N_NODES_MIN: usize = 3;
/// The most nodes a dimension of a [`Grid`]; the grid has the square of it.
pub const N_NODES_MAX: usize = 501;

/// What scoring refuses, with the place and the value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PosteriorError {
    /// A prior mean or variance that is not finite, or a variance that is not above 0.
    #[error("prior {what} {value} of dimension {dimension} is not possible")]
    Prior {
        /// "mean" or "variance".
        what: &'static str,
        /// 0 managing, 1 leading.
        dimension: usize,
        /// The value given.
        value: f64,
    },
    /// A prior correlation that is not strictly between −1 and 1.
    #[error("prior correlation {value} is not between -1 and 1")]
    Correlation {
        /// The value given.
        value: f64,
    },
    /// A grid with an impossible number of nodes or range.
    #[error("grid of {n_nodes} nodes on ±{range}: 3 to 501 nodes, range finite and above 0")]
    Grid {
        /// Nodes a dimension.
        n_nodes: usize,
        /// Half the width, in logits.
        range: f64,
    },
    /// An item says it measures a dimension other than 0 and 1.
    #[error("item {item} measures dimension {dimension}; there are 0 and 1")]
    Dimension {
        /// Position of the item in the key, from 0.
        item: usize,
        /// The dimension given.
        dimension: usize,
    },
    /// The number of answers is not the number of items or pairs in the key.
    #[error("{given} answers for {wanted} {what}")]
    AnswerCount {
        /// "items" or "pairs".
        what: &'static str,
        /// Answers given.
        given: usize,
        /// Answers wanted, missing ones included.
        wanted: usize,
    },
    /// An answer beyond the last category of its item or pair.
    #[error("answer {answer} to {what} {position}, whose categories are 0 to {last}")]
    Answer {
        /// "item" or "pair".
        what: &'static str,
        /// Position in the key, from 0.
        position: usize,
        /// The answer given.
        answer: u8,
        /// The highest category.
        last: usize,
    },
    /// Every answer is missing: the posterior would be the prior, and nobody's score.
    #[error("nothing was answered")]
    NothingAnswered,
    /// A credible level that is not strictly between 0 and 1.
    #[error("level {value} is not between 0 and 1")]
    Level {
        /// The value given.
        value: f64,
    },
}

/// The population's distribution of the two traits: a bivariate normal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    mean: [f64; 2],
    variance: [f64; 2],
    correlation: f64,
}

impl Prior {
    /// Means 0, variances 1 and the given correlation: the scale on which items are calibrated.
    ///
    /// # Errors
    /// [`PosteriorError::Correlation`] unless it is strictly between −1 and 1.
    pub fn standard(correlation: f64) -> Result<Self, PosteriorError> {
        Self::new([0.0; 2], [1.0; 2], correlation)
    }

    /// Means and variances in logits and squared logits, managing first.
    ///
    /// # Errors
    /// [`PosteriorError::Prior`] or [`PosteriorError::Correlation`] for impossible values.
    pub fn new(
        mean: [f64; 2],
        variance: [f64; 2],
        correlation: f64,
    ) -> Result<Self, PosteriorError> {
        for dimension in 0..2 {
            let (m, v) = (mean[dimension], variance[dimension]);
            if !m.is_finite() {
                return Err(PosteriorError::Prior { what: "mean", dimension, value: m });
            }
            if !(v.is_finite() && v > 0.0) {
                return Err(PosteriorError::Prior { what: "variance", dimension, value: v });
            }
        }
        // Written so that NaN is refused too.
        if !(correlation > -1.0 && correlation < 1.0) {
            return Err(PosteriorError::Correlation { value: correlation });
        }
        Ok(Self { mean, variance, correlation })
    }

    /// Logarithm of the density, but for a constant.
    fn log_density(&self, theta: [f64; 2]) -> f64 {
        let x = (theta[0] - self.mean[0]) / self.variance[0].sqrt();
        let y = (theta[1] - self.mean[1]) / self.variance[1].sqrt();
        let r = self.correlation;
        -0.5 * (x * x - 2.0 * r * x * y + y * y) / (1.0 - r * r)
    }
}

/// Equally spaced nodes on [−range, range], the same for both dimensions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    n_nodes: usize,
    range: f64,
}

impl Default for Grid {
    /// 61 nodes a dimension on [−6, 6], 0.2 logits apart.
    fn default() -> Self {
        Self { n_nodes: 61, range: 6.0 }
    }
}

impl Grid {
    /// `n_nodes` a dimension, from −`range` to `range` logits.
    ///
    /// Sums over equally spaced nodes converge exponentially in sd/spacing: at a posterior
    /// standard deviation of 1.25 spacings the relative error is about 1e-13, at 0.75 about 3e-5.
    ///
    /// # Errors
    /// [`PosteriorError::Grid`] outside 3 to 501 nodes or for an impossible range.
    pub fn new(n_nodes: usize, range: f64) -> Result<Self, PosteriorError> {
        let possible = (N_NODES_MIN..=N_NODES_MAX).contains(&n_nodes);
        if possible && range.is_finite() && range > 0.0 {
            Ok(Self { n_nodes, range })
        } else {
            Err(PosteriorError::Grid { n_nodes, range })
        }
    }

    /// Nodes a dimension.
    #[must_use]
    pub fn n_nodes(&self) -> usize {
        self.n_nodes
    }

    /// The last node, in logits; the first is its negative.
    #[must_use]
    pub fn range(&self) -> f64 {
        self.range
    }

    /// The nodes of one dimension, in logits, rising.
    #[must_use]
    pub fn nodes(&self) -> Vec<f64> {
        (0..self.n_nodes).map(|position| self.offset(position, self.n_nodes - 1)).collect()
    }

    /// The differences between any two nodes, rising: 2 × nodes − 1 of them.
    fn differences(&self) -> Vec<f64> {
        let middle = self.n_nodes - 1;
        (0..2 * self.n_nodes - 1).map(|at| 2.0 * self.offset(at, 2 * middle)).collect()
    }

    /// Point `position` of `n_steps` + 1 on the range, symmetric about 0 to the last bit.
    fn offset(&self, position: usize, n_steps: usize) -> f64 {
        let twice = 2.0 * position as f64 - n_steps as f64;
        self.range * twice / n_steps as f64
    }
}

/// A rated item: the trait it measures, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredItem {
    /// 0 managing, 1 leading.
    pub dimension: usize,
    /// Any model; a graded one in the journey.
    pub parameters: ItemParameters,
}

/// A forced choice between a managing and a leading statement, answered in ordered steps.
///
/// P(X ≥ k) = σ(a(θ₁ − θ₀) + dₖ): category 0 is "much more the managing one", the last "much more
/// the leading one". Four steps in the instrument; any number of categories is accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct PairItem {
    /// Slope and intercepts on the difference leading minus managing, in logits.
    pub parameters: Graded,
}

/// All that scoring needs but the answers: items, pairs, population and grid.
///
/// Made once per form: it holds the log-probability of every category at every node.
#[derive(Debug, Clone)]
pub struct ScoringKey {
    items: Vec<ScoredItem>,
    pairs: Vec<PairItem>,
    prior: Prior,
    grid: Grid,
    /// Per item, category-major over the nodes.
    item_tables: Vec<Vec<f64>>,
    /// Per pair, category-major over the differences of nodes.
    pair_tables: Vec<Vec<f64>>,
    /// Log prior, managing-major.
    log_prior: Vec<f64>,
}

impl ScoringKey {
    /// Prepares a form. Cost: O(items × categories × nodes + pairs × categories × 2 nodes).
    ///
    /// # Errors
    /// [`PosteriorError::Dimension`] if an item measures neither dimension 0 nor 1.
    pub fn new(
        items: Vec<ScoredItem>,
        pairs: Vec<PairItem>,
        prior: Prior,
        grid: Grid,
    ) -> Result<Self, PosteriorError> {
        for (item, scored) in items.iter().enumerate() {
            if scored.dimension > 1 {
                return Err(PosteriorError::Dimension { item, dimension: scored.dimension });
            }
        }
        let (nodes, differences) = (grid.nodes(), grid.differences());
        let item_tables = items.iter().map(|item| table(&item.parameters, &nodes)).collect();
        let pair_tables = pairs.iter().map(|pair| table(&pair.parameters, &differences)).collect();
        let mut log_prior = Vec::with_capacity(nodes.len() * nodes.len());
        for &managing in &nodes {
            log_prior.extend(nodes.iter().map(|&leading| prior.log_density([managing, leading])));
        }
        Ok(Self { items, pairs, prior, grid, item_tables, pair_tables, log_prior })
    }

    /// How many item answers [`posterior`](Self::posterior) wants.
    #[must_use]
    pub fn n_items(&self) -> usize {
        self.items.len()
    }

    /// How many pair answers [`posterior`](Self::posterior) wants.
    #[must_use]
    pub fn n_pairs(&self) -> usize {
        self.pairs.len()
    }

    /// What a person's answers say of both traits.
    ///
    /// `items` and `pairs` hold one category each, from 0, in the key's order; `None` is missing
    /// and is skipped (missing at random). Cost: O(answers × nodes + nodes²), one exponential for
    /// each of the nodes² points. Sums run in log space, so 500 items do not underflow.
    /// Accuracy: means, standard errors and covariance within 1e-9 of R `mirt` on its grid (test
    /// `golden_posterior`).
    ///
    /// # Errors
    /// [`PosteriorError::AnswerCount`], [`PosteriorError::Answer`] and, if all are missing,
    /// [`PosteriorError::NothingAnswered`].
    pub fn posterior(
        &self,
        items: &[Option<u8>],
        pairs: &[Option<u8>],
    ) -> Result<Posterior<'_>, PosteriorError> {
        check_answers(["items", "item"], items, self.items.iter().map(|item| &item.parameters))?;
        check_answers(["pairs", "pair"], pairs, self.pairs.iter().map(|pair| &pair.parameters))?;
        if items.iter().chain(pairs).all(Option::is_none) {
            return Err(PosteriorError::NothingAnswered);
        }
        let weights = self.weights(items, pairs);
        Ok(Posterior::from_weights(self, items, pairs, weights))
    }

    /// The normalised posterior weight of every grid point, managing-major.
    fn weights(&self, items: &[Option<u8>], pairs: &[Option<u8>]) -> Vec<f64> {
        let n = self.grid.n_nodes;
        let mut log_likelihood = [vec![0.0; n], vec![0.0; n]];
        for ((item, table), answer) in self.items.iter().zip(&self.item_tables).zip(items) {
            add_row(&mut log_likelihood[item.dimension], table, *answer);
        }
        let mut of_difference = vec![0.0; 2 * n - 1];
        for (table, answer) in self.pair_tables.iter().zip(pairs) {
            add_row(&mut of_difference, table, *answer);
        }
        let [managing, leading] = log_likelihood;
        let mut weights = self.log_prior.clone();
        for (i, row) in weights.chunks_exact_mut(n).enumerate() {
            for (j, weight) in row.iter_mut().enumerate() {
                // Leading minus managing is j − i nodes, counted from −(n − 1).
                *weight += managing[i] + leading[j] + of_difference[n - 1 + j - i];
            }
        }
        exponentiate(&mut weights);
        weights
    }
}

/// The posterior of one sitting.
#[derive(Debug, Clone)]
pub struct Posterior<'key> {
    /// Expected a-posteriori managing and leading, in logits.
    pub mean: [f64; 2],
    /// Posterior covariance, in squared logits; symmetric.
    pub covariance: [[f64; 2]; 2],
    /// Posterior standard deviations: the standard errors of `mean`.
    pub se: [f64; 2],
    key: &'key ScoringKey,
    items: Vec<Option<u8>>,
    pairs: Vec<Option<u8>>,
    weights: Vec<f64>,
}

impl<'key> Posterior<'key> {
    /// The posterior probability of each grid point; they sum to 1. Managing-major: the weight
    /// of node i of managing and node j of leading is number i × nodes + j.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The nodes that the weights stand on.
    #[must_use]
    pub fn grid(&self) -> Grid {
        self.key.grid
    }

    /// The lean, leading minus managing: mean and standard error, in logits.
    #[must_use]
    pub fn lean(&self) -> (f64, f64) {
        let [[managing, both], [_, leading]] = self.covariance;
        (self.mean[1] - self.mean[0], (managing + leading - 2.0 * both).sqrt())
    }

    /// The probability of each region of `map`.
    ///
    /// A grid node may lie on a border, so node weights cannot be shared out. Instead the
    /// posterior density is evaluated afresh at ten Gauss–Legendre nodes a dimension in panels
    /// no wider than a conditional standard deviation or half a logit, over all of the grid that
    /// carries mass (all but about 1e-14). The polynomial through those nodes *is* the density;
    /// its integral over any polygon is then exact but for rounding: panels are cut at every
    /// corner and at every crossing of an edge with a panel border, and between cuts the
    /// integrand is a polynomial that the rule integrates exactly. Where the border lies relative
    /// to the nodes thus does not matter.
    ///
    /// Cost: some 10⁴ to 10⁵ exponentials. Accuracy: quadrants within 1e-8 of the closed form
    /// for a normal distribution, and within 1e-7 of a dense rule split at the cut for 10 to 60
    /// items of slopes up to 5 (test `agreement_posterior`; the largest difference seen was
    /// 1.6e-8).
    #[must_use]
    pub fn region_probabilities(&self, map: &RegionMap) -> RegionProbabilities {
        map.integrate(&density::Density::of(self))
    }

    /// The credible ellipse of a normal distribution with this mean and covariance.
    ///
    /// # Errors
    /// [`PosteriorError::Level`] unless `level` is strictly between 0 and 1; 0.9 is drawn.
    pub fn ellipse(&self, level: f64) -> Result<Ellipse, PosteriorError> {
        Ellipse::new(self.mean, self.covariance, level)
    }

    fn from_weights(
        key: &'key ScoringKey,
        items: &[Option<u8>],
        pairs: &[Option<u8>],
        weights: Vec<f64>,
    ) -> Self {
        let (nodes, n) = (key.grid.nodes(), key.grid.n_nodes);
        let mut mean = [0.0; 2];
        for (row, &managing) in weights.chunks_exact(n).zip(&nodes) {
            for (weight, &leading) in row.iter().zip(&nodes) {
                mean[0] += weight * managing;
                mean[1] += weight * leading;
            }
        }
        // About the mean, not the origin: no cancellation for a person far out.
        let (mut managing_var, mut both, mut leading_var) = (0.0, 0.0, 0.0);
        for (row, &managing) in weights.chunks_exact(n).zip(&nodes) {
            let x = managing - mean[0];
            for (weight, &leading) in row.iter().zip(&nodes) {
                let y = leading - mean[1];
                managing_var += weight * x * x;
                both += weight * x * y;
                leading_var += weight * y * y;
            }
        }
        Self {
            mean,
            covariance: [[managing_var, both], [both, leading_var]],
            se: [managing_var.sqrt(), leading_var.sqrt()],
            key,
            items: items.to_vec(),
            pairs: pairs.to_vec(),
            weights,
        }
    }
}

fn table<M: ItemModel>(model: &M, thetas: &[f64]) -> Vec<f64> {
    let mut table = vec![0.0; model.n_categories() * thetas.len()];
    model.fill_log_table(thetas, &mut table);
    table
}

fn add_row(sums: &mut [f64], table: &[f64], answer: Option<u8>) {
    let Some(answer) = answer else { return };
    let start = usize::from(answer) * sums.len();
    for (sum, value) in sums.iter_mut().zip(&table[start..]) {
        *sum += value;
    }
}

/// Replaces logarithms by what they are the logarithms of, scaled to sum to 1.
fn exponentiate(weights: &mut [f64]) {
    let largest = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut total = 0.0;
    for weight in weights.iter_mut() {
        *weight = libm::exp(*weight - largest);
        total += *weight;
    }
    for weight in weights.iter_mut() {
        *weight /= total;
    }
}

fn check_answers<'a, M: ItemModel + 'a>(
    [many, one]: [&'static str; 2],
    answers: &[Option<u8>],
    models: impl ExactSizeIterator<Item = &'a M>,
) -> Result<(), PosteriorError> {
    let (given, wanted) = (answers.len(), models.len());
    if given != wanted {
        return Err(PosteriorError::AnswerCount { what: many, given, wanted });
    }
    for (position, (answer, model)) in answers.iter().zip(models).enumerate() {
        let last = model.n_categories() - 1;
        match *answer {
            Some(answer) if usize::from(answer) > last => {
                return Err(PosteriorError::Answer { what: one, position, answer, last });
            }
            _ => {}
        }
    }
    Ok(())
}
