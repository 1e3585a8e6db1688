//! The order of asking: a fixed rule that mixes approaches, facets and keys.
//!
//! The rule is stated at [`crate::Form::items`]. It is greedy: each next item is the one that comes
//! first by [`Mixer::rank`]. Greedy by *shares asked so far* spreads a facet evenly whatever its
//! number of items, and needs no seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::form::Block;
use crate::item::{Item, ItemKind, Key};
use crate::model::{Approach, FacetId};

/// All items of the blocks, in the order of asking. `items` come in the order of the file.
pub(crate) fn arrange(blocks: &[Block], items: &[Arc<Item>]) -> Vec<Arc<Item>> {
    let of_kind = |kind| items.iter().filter(move |item| item.kind() == kind).cloned().collect();
    let mut arranged = Vec::with_capacity(items.len());
    for block in blocks {
        let of_block: Vec<Arc<Item>> = of_kind(block.kind);
        match block.kind {
            ItemKind::Rating => arranged.extend(mix(of_block)),
            ItemKind::Pair | ItemKind::Amount => arranged.extend(mix(of_block)),
            ItemKind::Check => scatter(&mut arranged, of_block),
            ItemKind::Scenario | ItemKind::Outcome | ItemKind::Comment => arranged.extend(of_block),
        }
    }
    arranged
}

/// Ids of the first two neighbours that tell about one facet, ratings and amounts only.
pub(crate) fn neighbours(items: &[Arc<Item>]) -> Option<(&Item, &Item)> {
    let same =
        |pair: &&[Arc<Item>]| pair[0].facet().is_some() && pair[0].facet() == pair[1].facet();
    let of_one_kind = |pair: &&[Arc<Item>]| pair[0].kind() == pair[1].kind();
    let found = items.windows(2).find(|pair| same(pair) && of_one_kind(pair))?;
    Some((&found[0], &found[1]))
}

/// Puts checks among the ratings that are already there, at equal distances; at the end if there
/// are none.
fn scatter(arranged: &mut Vec<Arc<Item>>, checks: Vec<Arc<Item>>) {
    let is_rating = |item: &Arc<Item>| item.kind() == ItemKind::Rating;
    let start = arranged.iter().position(is_rating).unwrap_or(arranged.len());
    let n_ratings = arranged.iter().filter(|item| is_rating(item)).count();
    let gaps = checks.len() + 1;
    for (nth, check) in checks.into_iter().enumerate() {
        // Each earlier check has moved the rest along by one.
        arranged.insert(start + (nth + 1) * n_ratings / gaps + nth, check);
    }
}

fn mix(items: Vec<Arc<Item>>) -> Vec<Arc<Item>> {
    let mut mixer = Mixer::over(&items);
    let mut left = items;
    let mut mixed = Vec::with_capacity(left.len());
    while let Some(next) = (0..left.len()).min_by_key(|&at| mixer.rank(&left[at], at)) {
        let item = left.remove(next);
        mixer.asked(&item);
        mixed.push(item);
    }
    mixed
}

/// How much of a facet or an approach has been asked.
#[derive(Clone, Copy, Default)]
struct Progress {
    asked: usize,
    total: usize,
    /// Turn at which it was last asked, from 1; 0 for never.
    last_turn: usize,
}

impl Progress {
    /// The share asked, in parts of a million, so that ranks are whole numbers.
    fn share(self) -> usize {
        self.asked * 1_000_000 / self.total.max(1)
    }

    fn ask(&mut self, turn: usize) {
        self.asked += 1;
        self.last_turn = turn;
    }
}

#[derive(Default)]
struct Mixer {
    turn: usize,
    facets: BTreeMap<FacetId, Progress>,
    approaches: [Progress; 2],
    last_facets: Vec<FacetId>,
    last_key: Option<Key>,
    last_key_of: [Option<Key>; 2],
}

impl Mixer {
    fn over(items: &[Arc<Item>]) -> Mixer {
        let mut mixer = Mixer::default();
        for item in items {
            for facet in facets_of(item) {
                mixer.facets.entry(facet.clone()).or_default().total += 1;
            }
            if let Some(approach) = item.approach() {
                mixer.approaches[approach.index()].total += 1;
            }
        }
        mixer
    }

    /// Smaller goes first.
    fn rank(&self, item: &Item, place: usize) -> [usize; 7] {
        let facets = facets_of(item);
        let repeats = facets.iter().any(|facet| self.last_facets.contains(facet));
        let of_facet = |facet: &&FacetId| self.facets.get(*facet).copied().unwrap_or_default();
        let share: usize = facets.iter().map(|facet| of_facet(facet).share()).sum();
        let waited = facets.iter().map(|facet| of_facet(facet).last_turn).max().unwrap_or(0);
        let approach = item.approach().map(Approach::index);
        let turns = approach.map(|at| self.approaches[at]).unwrap_or_default();
        [
            usize::from(repeats),
            turns.share(),
            turns.last_turn,
            share,
            usize::from(self.repeats_key(item)),
            waited,
            place,
        ]
    }

    /// Whether an item runs the same way as the one before it of its approach; of the whole, where
    /// its approach has had none yet.
    fn repeats_key(&self, item: &Item) -> bool {
        item.as_rating().is_some_and(|rating| {
            let before = self.last_key_of[rating.approach().index()].or(self.last_key);
            before == Some(rating.key())
        })
    }

    fn asked(&mut self, item: &Item) {
        self.turn += 1;
        self.last_facets = facets_of(item).into_iter().cloned().collect();
        for facet in &self.last_facets {
            self.facets.entry(facet.clone()).or_default().ask(self.turn);
        }
        if let Some(approach) = item.approach() {
            self.approaches[approach.index()].ask(self.turn);
        }
        if let Some(rating) = item.as_rating() {
            self.last_key = Some(rating.key());
            self.last_key_of[rating.approach().index()] = self.last_key;
        }
    }
}

fn facets_of(item: &Item) -> Vec<&FacetId> {
    match item {
        Item::Pair(pair) => vec![&pair.management.facet, &pair.leadership.facet],
        _ => item.facet().into_iter().collect(),
    }
}
