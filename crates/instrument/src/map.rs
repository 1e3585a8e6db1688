//! The map: two axes, and regions that together cover it once.

use crate::model::{Approach, FacetId, RegionId};

/// One axis of the map.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The approach it shows.
    pub approach: Approach,
    /// What people read.
    pub name: String,
    /// What its numbers are, such as "expected share of chances taken".
    pub unit: String,
    /// Where regions meet, in θ, rising.
    pub cuts: Vec<f64>,
}

/// A stretch of θ: `from` belongs to it, `below` does not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end; −∞ if open.
    pub from: f64,
    /// Upper end; ∞ if open.
    pub below: f64,
}

impl Interval {
    /// Whether θ lies in it.
    pub fn contains(self, theta: f64) -> bool {
        self.from <= theta && theta < self.below
    }
}

/// Which of its facets a first step begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartFrom {
    /// The one seen least: the widest gap.
    Lowest,
    /// The one seen most: the smallest gap.
    Highest,
}

/// A region of the map, named by behaviour.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Its name in the file.
    pub id: RegionId,
    /// What people read, such as "Mostly order".
    pub name: String,
    /// Where it lies in managing, in θ.
    pub management: Interval,
    /// Where it lies in leading, in θ.
    pub leadership: Interval,
    /// What it says about behaviour.
    pub says: String,
    /// The risk to check, as a question.
    pub risk: String,
    /// A first step, in words.
    pub first_step: String,
    /// The facets that the first step draws from; at least one.
    pub facets: Vec<FacetId>,
    /// Which of those facets to begin with.
    pub start_from: StartFrom,
    /// What it looks like at work on a Tuesday: short, concrete behaviours.
    pub tuesday: Vec<String>,
}

impl Region {
    /// Where it lies in one approach.
    pub fn interval(&self, approach: Approach) -> Interval {
        match approach {
            Approach::Management => self.management,
            Approach::Leadership => self.leadership,
        }
    }

    /// Whether the point (managing, leading), in θ, lies in it.
    pub fn contains(&self, management: f64, leadership: f64) -> bool {
        self.management.contains(management) && self.leadership.contains(leadership)
    }
}

/// Words for how sure a named region is.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Least probability, 0 to 1.
    pub at_least: f64,
    /// Such as "very likely".
    pub words: String,
}

/// What is said where no region may be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MiddleWords {
    /// The heading; between two regions it holds `{first}` and `{second}`.
    pub name: String,
    /// What it says.
    pub says: String,
    /// A first step, in words.
    pub first_step: String,
}

/// The map of the two approaches.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) cuts_note: String,
    pub(crate) ellipse: f64,
    pub(crate) bands: Vec<Band>,
    pub(crate) regions: Vec<Region>,
    pub(crate) between: MiddleWords,
    pub(crate) too_close: MiddleWords,
}

impl Map {
    /// The axis to the right.
    pub fn x(&self) -> &Axis {
        &self.x
    }

    /// The axis upwards.
    pub fn y(&self) -> &Axis {
        &self.y
    }

    /// What to say about where the cuts come from.
    pub fn cuts_note(&self) -> &str {
        &self.cuts_note
    }

    /// Share of the posterior inside the ellipse that is drawn.
    pub fn ellipse(&self) -> f64 {
        self.ellipse
    }

    /// Words for how sure, surest first. The last one's `at_least` is the naming rule.
    pub fn bands(&self) -> &[Band] {
        &self.bands
    }

    /// Least probability at which a region is named.
    pub fn named_at_least(&self) -> f64 {
        self.bands.last().map_or(1.0, |band| band.at_least)
    }

    /// How to word that probability; nothing where a region may not be named.
    pub fn words_for(&self, probability: f64) -> Option<&str> {
        let band = self.bands.iter().find(|band| probability >= band.at_least)?;
        Some(&band.words)
    }

    /// The regions in the order of the file; together they cover the map once.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The region of that id.
    pub fn region(&self, id: &str) -> Option<&Region> {
        self.regions.iter().find(|region| region.id == id)
    }

    /// The region that holds a point (managing, leading), in θ; nothing only for NaN and ∞.
    pub fn region_at(&self, management: f64, leadership: f64) -> Option<&Region> {
        self.regions.iter().find(|region| region.contains(management, leadership))
    }

    /// What is said where the two likeliest regions together reach the naming rule.
    pub fn between(&self) -> &MiddleWords {
        &self.between
    }

    /// The heading between two regions, the likelier one first.
    pub fn between_name(&self, first: &Region, second: &Region) -> String {
        self.between.name.replace("{first}", &first.name).replace("{second}", &second.name)
    }

    /// What is said where not even the two likeliest together reach the naming rule.
    pub fn too_close(&self) -> &MiddleWords {
        &self.too_close
    }
}
