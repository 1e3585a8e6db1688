//! Forms: selections of items, in the order of asking.

use std::sync::Arc;

use crate::item::{Item, ItemKind, Voice};
use crate::model::{Approach, FormId};

/// How many answers an approach needs before it is scored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AnswersNeeded {
    /// This many.
    Count(usize),
    /// This share, above 0 and at most 1, of the rating items asked.
    Share(f64),
}

/// One kind of item in a form, and whether it is asked yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The kind.
    pub kind: ItemKind,
    /// `false`: declared and checked, but not asked.
    pub served: bool,
}

/// A selection of an instrument's items.
#[derive(Debug, Clone)]
pub struct Form {
    pub(crate) id: FormId,
    pub(crate) name: String,
    pub(crate) minutes_max: usize,
    pub(crate) page_size: usize,
    pub(crate) answers_needed: AnswersNeeded,
    pub(crate) reports_facets: bool,
    pub(crate) blocks: Vec<Block>,
    pub(crate) declared: Vec<Arc<Item>>,
    pub(crate) own: Vec<Arc<Item>>,
    pub(crate) rater: Vec<Arc<Item>>,
}

impl Form {
    /// Its name in the file.
    pub fn id(&self) -> &FormId {
        &self.id
    }

    /// What people read.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long it should take at most, in minutes.
    pub fn minutes_max(&self) -> usize {
        self.minutes_max
    }

    /// How many items to a page are recommended where scripts are off; at least 1.
    pub fn page_size(&self) -> usize {
        self.page_size
    }

    /// Whether it carries enough items for facets to be reported.
    pub fn reports_facets(&self) -> bool {
        self.reports_facets
    }

    /// The kinds of item it is made of, in the order of asking.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The items that a person is asked about themself, in the order of asking; empty where no
    /// block is served yet. The order is a rule over the items alone, so it is the same in every
    /// sitting, on every node:
    ///
    /// blocks follow each other as the file lists them. Within one, the approaches take turns: the
    /// one that is further behind goes first, then the one that has waited longest, at the start
    /// the file's first. The approach's facets take turns likewise; its keys alternate, the second
    /// approach beginning with the other key than the first; then comes the facet that has waited
    /// longest, then the file's order. No two ratings or amounts of one facet are neighbours.
    /// Attention checks stand among the ratings at equal distances.
    pub fn items(&self) -> &[Arc<Item>] {
        &self.own
    }

    /// The items that this voice is asked, in the order of [`Form::items`].
    pub fn items_for(&self, voice: Voice) -> &[Arc<Item>] {
        match voice {
            Voice::Own => &self.own,
            Voice::Rater => &self.rater,
        }
    }

    /// Every item of the form, served yet or not, in the order of [`Form::items`].
    pub fn declared(&self) -> &[Arc<Item>] {
        &self.declared
    }

    /// The item of that id, if this form asks it of that voice.
    pub fn item(&self, voice: Voice, id: &str) -> Option<&Item> {
        self.items_for(voice).iter().map(Arc::as_ref).find(|item| *item.id() == id)
    }

    /// How many rating items of an approach it asks.
    pub fn n_ratings(&self, approach: Approach) -> usize {
        count_ratings(&self.own, approach)
    }

    /// How many answers this approach needs before it is scored: between 1 and
    /// [`Form::n_ratings`], or 0 where none is asked.
    pub fn answers_needed(&self, approach: Approach) -> usize {
        let n_ratings = self.n_ratings(approach);
        match self.answers_needed {
            AnswersNeeded::Count(n) => n.min(n_ratings),
            AnswersNeeded::Share(share) => share_of(n_ratings, share),
        }
    }
}

/// The least whole number that is at least that share of `n`.
fn share_of(n: usize, share: f64) -> usize {
    // The slack keeps 0.8 of 10 at 8, although 0.8 has no exact binary form.
    const SLACK: f64 = 1e-9;
    (0..=n).find(|&needed| needed as f64 + SLACK >= share * n as f64).unwrap_or(n)
}

pub(crate) fn count_ratings(items: &[Arc<Item>], approach: Approach) -> usize {
    let of_approach =
        |item: &&Arc<Item>| item.as_rating().is_some_and(|rating| rating.approach() == approach);
    items.iter().filter(of_approach).count()
}

#[cfg(test)]
mod tests {
    use super::share_of;

    #[test]
    fn shares_round_up_to_whole_answers() {
        for (n, share, needed) in
            [(10, 0.8, 8), (20, 0.8, 16), (11, 0.8, 9), (3, 0.67, 3), (0, 0.8, 0)]
        {
            assert_eq!(share_of(n, share), needed, "{share} of {n}");
        }
    }
}
