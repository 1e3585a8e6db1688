//! The sample as the cycles read it: distinct patterns by group, a byte a block of items.

use super::plan::{Plan, n_groups};
use super::{CalibrateError, Flag, Sample};
use crate::kernels::{Blocks, Patterned, shared_blocks};
use crate::responses::{MISSING, Patterns};

/// All groups' patterns.
#[derive(Debug)]
pub(super) struct Data {
    pub(super) groups: Vec<GroupData>,
    /// Persons with at least one answer (and a weight above 0).
    pub(super) n_persons: usize,
    /// Their summed weights.
    pub(super) total_weight: f64,
    pub(super) flags: Vec<Flag>,
}

/// One group's patterns.
#[derive(Debug, Clone)]
pub(super) struct GroupData {
    pub(super) weights: Vec<f64>,
    /// One a dimension.
    pub(super) dimensions: Vec<DimensionData>,
}

/// The answers to the items of one dimension.
#[derive(Debug, Clone)]
pub(super) struct DimensionData {
    /// Positions of its items among all items.
    pub(super) items: Vec<usize>,
    pub(super) blocks: Blocks,
    /// A byte a block, pattern after pattern.
    pub(super) codes: Vec<u8>,
    /// How many leading blocks neighbours share.
    pub(super) n_shared: usize,
}

impl Data {
    pub(super) fn new(
        sample: &Sample<'_>,
        plan: &Plan,
        threads: usize,
    ) -> Result<Self, CalibrateError> {
        let responses = sample.responses;
        let n_groups = n_groups(sample);
        let patterns: Vec<Patterns> = match (sample.groups, sample.weights) {
            (None, None) => vec![responses.patterns_by(threads)],
            (None, weights) => vec![responses.patterns_of(None, weights)],
            (Some(groups), weights) => (0..n_groups)
                .map(|group| {
                    let members = (0_u32..).zip(groups).filter(|(_, g)| **g as usize == group);
                    let members: Vec<u32> = members.map(|(person, _)| person).collect();
                    responses.patterns_of(Some(&members), weights)
                })
                .collect(),
        };
        let total_weight: f64 = patterns.iter().flat_map(Patterns::weights).sum();
        let n_persons = match sample.weights {
            None => total_weight as usize,
            Some(weights) => n_weighted(sample, weights),
        };
        let n_parameters = plan.n_free;
        if n_persons < n_parameters {
            return Err(CalibrateError::TooFewPersons { n_persons, n_parameters });
        }
        const ENOUGH: usize = 5;
        let few = n_persons < ENOUGH * n_parameters;
        let flags = few.then_some(Flag::FewPersons { n_persons, n_parameters });
        let mut groups = Vec::new();
        for (group, patterns) in patterns.into_iter().enumerate() {
            if patterns.n_patterns() == 0 {
                return Err(CalibrateError::EmptyGroup { group });
            }
            groups.push(GroupData::new(plan, group, patterns, threads));
        }
        Ok(Self { groups, n_persons, total_weight, flags: flags.into_iter().collect() })
    }

    pub(super) fn n_patterns(&self) -> usize {
        self.groups.iter().map(|group| group.weights.len()).sum()
    }

    /// About one pattern in `every`, chosen by a fixed scramble of their positions.
    pub(super) fn thinned(&self, every: usize) -> Self {
        let groups: Vec<GroupData> = self.groups.iter().map(|group| group.thinned(every)).collect();
        let total_weight = groups.iter().flat_map(|group| &group.weights).sum();
        Self { groups, n_persons: total_weight as usize, total_weight, flags: Vec::new() }
    }
}

impl GroupData {
    fn new(plan: &Plan, group: usize, patterns: Patterns, threads: usize) -> Self {
        let instances: Vec<_> =
            plan.of_group[group].iter().map(|&at| &plan.instances[at]).collect();
        let dimensions = (0..plan.n_dimensions)
            .map(|dimension| {
                let items: Vec<usize> =
                    (0..instances.len()).filter(|&i| instances[i].dimension == dimension).collect();
                let categories: Vec<&[u8]> =
                    items.iter().map(|&i| &instances[i].category_of_code[..]).collect();
                let n_categories: Vec<usize> =
                    items.iter().map(|&i| instances[i].family.n_categories).collect();
                let Patterned { blocks, codes } =
                    Patterned::new(&patterns, &items, &categories, &n_categories, threads);
                let n_shared = shared_blocks(&codes, blocks.n_blocks());
                DimensionData { items, blocks, codes, n_shared }
            })
            .collect();
        Self { weights: patterns.into_weights(), dimensions }
    }

    fn thinned(&self, every: usize) -> Self {
        // Neighbouring patterns are alike: taking every n-th would stratify, which is fine, but
        // rare patterns at the ends must be as likely as any; Fibonacci hashing spreads evenly.
        let keep = |at: &usize| {
            (*at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32 < (1 << 32) / every as u64
        };
        let kept: Vec<usize> = (0..self.weights.len()).filter(keep).collect();
        let dimensions = self
            .dimensions
            .iter()
            .map(|dimension| {
                let n_blocks = dimension.blocks.n_blocks();
                let row = |&at: &usize| &dimension.codes[at * n_blocks..(at + 1) * n_blocks];
                let codes: Vec<u8> = kept.iter().flat_map(row).copied().collect();
                DimensionData {
                    items: dimension.items.clone(),
                    blocks: dimension.blocks.clone(),
                    n_shared: shared_blocks(&codes, n_blocks),
                    codes,
                }
            })
            .collect();
        Self { weights: kept.iter().map(|&at| self.weights[at]).collect(), dimensions }
    }
}

fn n_weighted(sample: &Sample<'_>, weights: &[f64]) -> usize {
    let responses = sample.responses;
    let mut answered = vec![false; responses.n_persons()];
    for item in 0..responses.n_items() {
        for (answered, &code) in answered.iter_mut().zip(responses.codes(item)) {
            *answered |= code != MISSING;
        }
    }
    answered.iter().zip(weights).filter(|(answered, weight)| **answered && **weight > 0.0).count()
}
