//! From answers to a profile: a pure function with the same bits on every processor.
//!
//! Ratings are scored by the graded response model over (managing, leading) with a correlated normal prior
//! ([`psychometrics::posterior`]); other kinds of item do not enter. A level is the expected share of chances taken at the
//! posterior mean; its band holds the middle 90 % of the level's own posterior.

use std::collections::BTreeMap;

use instrument::{Approach, Form, Instrument, Key, Rating, Voice};
use psychometrics::models::{Graded, ItemModel as _, ItemParameters};
use psychometrics::posterior::{
    Grid, Posterior, Prior, Region, RegionMap, ScoredItem, ScoringKey, Shape,
};
use serde::{Deserialize, Serialize};

/// The version of a stored profile's layout; a reader of an older one converts it.
pub const PROFILE_VERSION: u32 = 1;
/// What made a profile: the rule of scoring, not the build. It changes when a figure could.
pub const ENGINE: &str = "graded-posterior-1";
/// Nodes a dimension; 0.1 logits apart, so that a band's ends are right to a twentieth of one chance in a hundred.
const N_NODES: usize = 121;
/// Half the width of the grid, in logits.
const RANGE: f64 = 6.0;
/// Points of the outline that is drawn of the ellipse.
const N_OUTLINE_POINTS: u32 = 72;
/// Posterior probability below a band's lower end, and above its upper end.
const BAND_TAIL: f64 = 0.05;

/// Answers by item id, as values of the item's scale.
pub type Answers = BTreeMap<String, i64>;

/// The scores of a sitting with their uncertainty, and all that made them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The layout, [`PROFILE_VERSION`].
    pub version: u32,
    /// The rule of scoring, [`ENGINE`].
    pub engine: String,
    /// The instrument's id.
    pub instrument: String,
    /// Its version.
    pub instrument_version: String,
    /// SHA-256 of its text.
    pub instrument_hash: String,
    /// The form's id.
    pub form: String,
    /// Whether the parameters are guesses.
    pub provisional: bool,
    /// Mean and spread of each approach in the assumed population, and the correlation of the two.
    pub prior: [f64; 3],
    /// Share of the posterior inside the outline.
    pub ellipse: f64,
    /// What was asked, in order.
    pub items: Vec<ItemScore>,
    /// Managing, then leading.
    pub counts: [Count; 2],
    /// Nothing if too few answers were given.
    pub scores: Option<Scores>,
}

/// One rated item with its answer and parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemScore {
    /// Its id.
    pub id: String,
    /// Its facet's id.
    pub facet: String,
    /// What was asked.
    pub statement: String,
    /// Whether it tells of a lapse.
    pub is_lapse: bool,
    /// The answer's words; nothing if it was left open.
    pub label: Option<String>,
    /// The category from 0, turned so that more is more of the behaviour.
    pub category: Option<u8>,
    /// Slope, per unit of θ.
    pub a: f64,
    /// Thresholds, in θ.
    pub b: Vec<f64>,
}

/// How many items of an approach were asked, answered, and needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Asked.
    pub asked: usize,
    /// Answered.
    pub answered: usize,
    /// Needed for a score.
    pub needed: usize,
}

/// Where a person stands, and how sure that is. Pairs are managing, then leading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Posterior mean, in θ.
    pub mean: [f64; 2],
    /// Posterior covariance, in θ².
    pub covariance: [[f64; 2]; 2],
    /// The two levels as shares of chances taken.
    pub levels: [Level; 2],
    /// Each axis's cuts as shares of chances taken.
    pub cuts: [Vec<f64>; 2],
    /// The credible ellipse as an outline in shares of chances taken.
    pub outline: Vec<[f64; 2]>,
    /// Every region with its probability, in the instrument's order.
    pub regions: Vec<Odds>,
}

/// A level as expected share of chances taken, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// At the posterior mean.
    pub share: f64,
    /// Lower end of the 90 % band.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A region and its probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Odds {
    /// The region's id.
    pub id: String,
    /// Its name when this was scored.
    pub name: String,
    /// 0 to 1.
    pub probability: f64,
}

/// All that scoring needs but the answers; made once per quiz.
#[derive(Debug)]
pub struct Scorer {
    key: ScoringKey,
    map: RegionMap,
    /// The names of the map's regions, in its order.
    names: Vec<String>,
    items: Vec<Scored>,
    cuts: [Vec<f64>; 2],
    ellipse: f64,
}

#[derive(Debug)]
struct Scored {
    rating: Rating,
    model: Graded,
    /// The share of chances that each category stands for.
    shares: Vec<f64>,
}

impl Scorer {
    /// Prepares a form.
    ///
    /// # Errors
    /// What of the instrument cannot be scored.
    pub fn new(instrument: &Instrument, form: &Form) -> Result<Self, String> {
        let ratings = form.items_for(Voice::Own).iter().filter_map(|item| item.as_rating());
        let items = ratings.map(Scored::new).collect::<Result<Vec<_>, String>>()?;
        for approach in Approach::BOTH {
            if form.n_ratings(approach) == 0 {
                return Err(format!("the form \"{}\" asks nothing about {approach}.", form.id()));
            }
        }
        let scoring = instrument.scoring();
        let variance = scoring.prior_sd * scoring.prior_sd;
        let (mean, spread) = ([scoring.prior_mean; 2], [variance; 2]);
        let prior =
            Prior::new(mean, spread, scoring.prior_correlation).map_err(|e| e.to_string())?;
        let grid = Grid::new(N_NODES, RANGE).map_err(|e| e.to_string())?;
        let scored = items.iter().map(|item| ScoredItem {
            dimension: item.rating.approach().index(),
            parameters: ItemParameters::Graded(item.model.clone()),
        });
        let key = ScoringKey::new(scored.collect(), Vec::new(), prior, grid)
            .map_err(|e| e.to_string())?;
        let map = instrument.map();
        let regions = map.regions().iter().map(|region| Region {
            name: region.id.as_str().to_owned(),
            shape: Shape::Rectangle {
                managing: [region.management.from, region.management.below],
                leading: [region.leadership.from, region.leadership.below],
            },
        });
        let cuts = Approach::BOTH.map(|approach| {
            let axis = if map.x().approach == approach { map.x() } else { map.y() };
            axis.cuts.clone()
        });
        let regions = RegionMap::new(regions.collect()).map_err(|e| e.to_string())?;
        let names = map.regions().iter().map(|region| region.name.clone()).collect();
        Ok(Self { key, map: regions, names, items, cuts, ellipse: map.ellipse() })
    }

    /// Scores a sitting. Values that are not on an item's scale count as unanswered.
    #[must_use]
    pub fn score(&self, instrument: &Instrument, form: &Form, answers: &Answers) -> Profile {
        let items: Vec<ItemScore> = self.items.iter().map(|item| item.score(answers)).collect();
        let counts = Approach::BOTH.map(|approach| Count {
            asked: form.n_ratings(approach),
            answered: self
                .items
                .iter()
                .zip(&items)
                .filter(|(item, score)| {
                    item.rating.approach() == approach && score.category.is_some()
                })
                .count(),
            needed: form.answers_needed(approach),
        });
        let is_enough = counts.iter().all(|count| count.answered >= count.needed);
        let categories: Vec<Option<u8>> = items.iter().map(|item| item.category).collect();
        // The key was made of these very items, so the one error left is that nothing was answered.
        let posterior = self.key.posterior(&categories, &[]).ok().filter(|_| is_enough);
        let scoring = instrument.scoring();
        Profile {
            version: PROFILE_VERSION,
            engine: ENGINE.to_owned(),
            instrument: instrument.id().to_string(),
            instrument_version: instrument.version().to_string(),
            instrument_hash: instrument.content_hash().to_owned(),
            form: form.id().to_string(),
            provisional: scoring.provisional,
            prior: [scoring.prior_mean, scoring.prior_sd, scoring.prior_correlation],
            ellipse: self.ellipse,
            items,
            counts,
            scores: posterior.map(|posterior| self.scores(&posterior)),
        }
    }

    fn scores(&self, posterior: &Posterior<'_>) -> Scores {
        let odds = posterior.region_probabilities(&self.map);
        let regions = odds.regions.into_iter().zip(&self.names).map(|(region, name)| Odds {
            id: region.name,
            name: name.clone(),
            probability: region.probability,
        });
        Scores {
            mean: posterior.mean,
            covariance: posterior.covariance,
            levels: Approach::BOTH.map(|approach| self.level(posterior, approach)),
            cuts: Approach::BOTH.map(|approach| {
                let cuts = self.cuts[approach.index()].iter();
                cuts.map(|&theta| self.share(approach, theta)).collect()
            }),
            outline: self.outline(posterior),
            regions: regions.collect(),
        }
    }

    fn level(&self, posterior: &Posterior<'_>, approach: Approach) -> Level {
        let marginal = marginal(posterior, approach.index());
        let at = |share| self.share(approach, quantile(&marginal, posterior.grid(), share));
        Level {
            share: self.share(approach, posterior.mean[approach.index()]),
            low: at(BAND_TAIL),
            high: at(1.0 - BAND_TAIL),
        }
    }

    /// Expected share of chances taken over the form's items of an approach, at `theta`.
    fn share(&self, approach: Approach, theta: f64) -> f64 {
        let (mut sum, mut n_items) = (0.0, 0_u32);
        for item in self.items.iter().filter(|item| item.rating.approach() == approach) {
            // One share a category, by construction.
            sum += item.model.expected_value(theta, &item.shares).unwrap_or(0.0);
            n_items += 1;
        }
        sum / f64::from(n_items.max(1))
    }

    fn outline(&self, posterior: &Posterior<'_>) -> Vec<[f64; 2]> {
        let Ok(ellipse) = posterior.ellipse(self.ellipse) else { return Vec::new() };
        let (sin, cos) = (libm::sin(ellipse.angle_rad), libm::cos(ellipse.angle_rad));
        let step = 2.0 * std::f64::consts::PI / f64::from(N_OUTLINE_POINTS);
        let point = |n: u32| {
            let turn = f64::from(n) * step;
            let (along, across) =
                (ellipse.half_axes[0] * libm::cos(turn), ellipse.half_axes[1] * libm::sin(turn));
            [
                self.share(Approach::Management, ellipse.centre[0] + along * cos - across * sin),
                self.share(Approach::Leadership, ellipse.centre[1] + along * sin + across * cos),
            ]
        };
        (0..N_OUTLINE_POINTS).map(point).collect()
    }
}

impl Scored {
    fn new(rating: &Rating) -> Result<Self, String> {
        let parameters = rating.parameters();
        let model = Graded::from_thresholds(parameters.a, &parameters.b)
            .map_err(|e| format!("item {}: {e}.", rating.id()))?;
        let points = rating.scale().shares().filter(|shares| shares.len() == model.n_categories());
        let points = points.ok_or_else(|| {
            format!("the scale {} gives no share of chances for each point.", rating.scale().id())
        })?;
        let shares = match rating.key() {
            Key::Forward => points,
            // A lapse taken is a chance missed.
            Key::Reverse => points.iter().rev().map(|share| 1.0 - share).collect(),
        };
        Ok(Self { rating: rating.clone(), model, shares })
    }

    fn score(&self, answers: &Answers) -> ItemScore {
        let rating = &self.rating;
        let value = answers.get(rating.id().as_str()).copied();
        let point = value.and_then(|value| {
            let position = rating.scale().position(value)?;
            rating.scale().points().get(position)
        });
        let category = point.and_then(|point| rating.category(point.value).ok());
        ItemScore {
            id: rating.id().to_string(),
            facet: rating.facet().to_string(),
            statement: rating.text(Voice::Own).to_owned(),
            is_lapse: rating.key() == Key::Reverse,
            label: point.map(|point| point.label.clone()),
            category: category.and_then(|category| u8::try_from(category).ok()),
            a: rating.parameters().a,
            b: rating.parameters().b.clone(),
        }
    }
}

/// The posterior of one dimension: a weight a node.
fn marginal(posterior: &Posterior<'_>, dimension: usize) -> Vec<f64> {
    let n = posterior.grid().n_nodes();
    let rows = posterior.weights().chunks_exact(n);
    match dimension {
        0 => rows.map(|row| row.iter().sum()).collect(),
        _ => {
            let mut sums = vec![0.0; n];
            for row in rows {
                for (sum, weight) in sums.iter_mut().zip(row) {
                    *sum += weight;
                }
            }
            sums
        }
    }
}

/// Where the share `below` of the weights is reached, each node's weight spread evenly over its cell.
fn quantile(weights: &[f64], grid: Grid, below: f64) -> f64 {
    let width = 2.0 * grid.range() / (grid.n_nodes() - 1) as f64;
    let mut reached = 0.0;
    for (weight, node) in weights.iter().zip(grid.nodes()) {
        if reached + weight >= below {
            let part = if *weight > 0.0 { (below - reached) / weight } else { 0.5 };
            return node - 0.5 * width + part * width;
        }
        reached += weight;
    }
    grid.range()
}

#[cfg(test)]
pub(crate) mod tests;
