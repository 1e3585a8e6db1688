//! Calibrated items with the tables that make choosing among them quick.

use super::AdaptiveError;
use super::select::Ranking;
use crate::models::{ItemModel, ItemParameters};

/// Equally spaced nodes on [−range, range].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeGrid {
    /// How many, 3 to 2,001.
    pub n_nodes: usize,
    /// Half the width, in logits.
    pub range: f64,
}

impl Default for NodeGrid {
    /// 61 nodes on [−6, 6].
    fn default() -> Self {
        Self { n_nodes: 61, range: 6.0 }
    }
}

/// Items that share one trait, with their probabilities and information at the nodes.
#[derive(Debug, Clone)]
pub struct ItemBank {
    items: Vec<ItemParameters>,
    facet_of: Vec<usize>,
    n_facets: usize,
    nodes: Vec<f64>,
    /// First row of each item in `probabilities`, one row a category; one more at the end.
    rows: Vec<usize>,
    probabilities: Vec<f64>,
    logs: Vec<f64>,
    information: Vec<f64>,
    ranking: Ranking,
}

impl ItemBank {
    /// Tables for all items; every item of one facet.
    ///
    /// Cost: items × (categories × nodes + 1,201) probabilities.
    ///
    /// # Errors
    /// No items, or an impossible grid.
    pub fn new(items: Vec<ItemParameters>, grid: NodeGrid) -> Result<Self, AdaptiveError> {
        let facet_of = vec![0; items.len()];
        Self::with_facets(items, facet_of, grid)
    }

    /// The same with the facet of each item: 0, 1, 2 …
    ///
    /// # Errors
    /// No items, an impossible grid, or not one facet an item.
    pub fn with_facets(
        items: Vec<ItemParameters>,
        facet_of: Vec<usize>,
        grid: NodeGrid,
    ) -> Result<Self, AdaptiveError> {
        let NodeGrid { n_nodes, range } = grid;
        if items.is_empty() {
            return Err(AdaptiveError::NoItems);
        }
        let (given, wanted) = (facet_of.len(), items.len());
        if given != wanted {
            return Err(AdaptiveError::Length { what: "facets, one an item", given, wanted });
        }
        if !((3..=2_001).contains(&n_nodes) && range > 0.0 && range.is_finite()) {
            return Err(AdaptiveError::Grid { n_nodes, range });
        }
        let step = 2.0 * range / (n_nodes - 1) as f64;
        let nodes: Vec<f64> = (0..n_nodes).map(|node| -range + step * node as f64).collect();
        let mut rows = vec![0];
        for item in &items {
            rows.push(rows[rows.len() - 1] + item.n_categories());
        }
        let mut probabilities = vec![0.0; rows[items.len()] * n_nodes];
        let mut logs = vec![0.0; probabilities.len()];
        let mut information = Vec::with_capacity(items.len() * n_nodes);
        for (item, ends) in items.iter().zip(rows.windows(2)) {
            let row = ends[0];
            item.fill_log_table(&nodes, &mut logs[row * n_nodes..ends[1] * n_nodes]);
            for (node, &theta) in nodes.iter().enumerate() {
                item.for_each_category(theta, |at| {
                    probabilities[(row + at.category) * n_nodes + node] = at.probability;
                });
                information.push(item.information(theta));
            }
        }
        let ranking = Ranking::of(&items, range);
        let n_facets = facet_of.iter().max().map_or(1, |last| last + 1);
        Ok(Self {
            items,
            facet_of,
            n_facets,
            nodes,
            rows,
            probabilities,
            logs,
            information,
            ranking,
        })
    }

    /// Items.
    #[must_use]
    pub fn n_items(&self) -> usize {
        self.items.len()
    }

    /// Facets, the highest named plus one.
    #[must_use]
    pub fn n_facets(&self) -> usize {
        self.n_facets
    }

    /// One item's parameters.
    ///
    /// # Panics
    /// If `item` is not below [`ItemBank::n_items`].
    #[must_use]
    pub fn item(&self, item: usize) -> &ItemParameters {
        &self.items[item]
    }

    /// The facet of an item.
    ///
    /// # Panics
    /// If `item` is not below [`ItemBank::n_items`].
    #[must_use]
    pub fn facet_of(&self, item: usize) -> usize {
        self.facet_of[item]
    }

    /// The nodes, in logits, ascending.
    #[must_use]
    pub fn nodes(&self) -> &[f64] {
        &self.nodes
    }

    pub(super) fn n_of_facet(&self, facet: usize) -> usize {
        self.facet_of.iter().filter(|&&other| other == facet).count()
    }

    /// P(X = category | θ) at every node.
    pub(super) fn probabilities(&self, item: usize, category: usize) -> &[f64] {
        let (n, row) = (self.nodes.len(), self.rows[item] + category);
        &self.probabilities[row * n..(row + 1) * n]
    }

    /// log P(X = category | θ) at every node, never below that of the smallest normal number.
    pub(super) fn logs(&self, item: usize, category: usize) -> &[f64] {
        let (n, row) = (self.nodes.len(), self.rows[item] + category);
        &self.logs[row * n..(row + 1) * n]
    }

    pub(super) fn information(&self, item: usize) -> &[f64] {
        let n = self.nodes.len();
        &self.information[item * n..(item + 1) * n]
    }

    pub(super) fn ranking(&self) -> &Ranking {
        &self.ranking
    }
}
