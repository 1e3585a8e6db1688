//! Adaptive testing: which item to ask next, when to stop, and what that would do to people.
//!
//! An [`ItemBank`] holds calibrated items and their tables; an [`AdaptiveTest`] adds the
//! [`Settings`]: how θ is estimated, how items are chosen, content, exposure and when to stop. Its
//! [`Sitting`]s are one person's test; [`AdaptiveTest::simulate`] runs many and reports bias,
//! error, length and exposure, and [`sympson_hetter`] finds the exposure parameters.
//!
//! Chance is an argument of every function that needs any. A simulation takes one generator a
//! person, so that its result does not depend on the number of threads.
//!
//! ```
//! use psychometrics::adaptive::{AdaptiveTest, ItemBank, Next, NodeGrid, Settings, StopRules};
//! use psychometrics::models::{Graded, ItemParameters};
//! use rand::SeedableRng;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut items = Vec::new();
//! for step in 0..40 {
//!     let b = f64::from(step) / 10.0 - 2.0;
//!     let graded = Graded::from_thresholds(1.5, &[b - 0.8, b, b + 0.8])?;
//!     items.push(ItemParameters::Graded(graded));
//! }
//! let bank = ItemBank::new(items, NodeGrid::default())?;
//! let stop = StopRules { se: Some(0.4), n_items_max: 12, ..StopRules::default() };
//! let test = AdaptiveTest::new(bank, Settings { stop, ..Settings::default() })?;
//!
//! let mut chance = rand_pcg::Pcg64Mcg::seed_from_u64(1);
//! let mut sitting = test.sitting();
//! while let Next::Ask(item) = sitting.next(&mut chance) {
//!     sitting.answer(item, 2)?;
//! }
//! assert!(sitting.estimate().se <= 0.4 && sitting.asked().len() < 12);
//! # Ok(())
//! # }
//! ```
//!
//! Accuracy: items in the order of R `catR` 3.17 and θ and standard errors within 1e-8 of it
//! (`golden_adaptive`).
//!
//! # References
//! van der Linden & Glas (eds) 2010, *Elements of Adaptive Testing*,
//! doi:10.1007/978-0-387-85461-8; Magis & Raîche 2012, *Journal of Statistical Software* 48(8),
//! doi:10.18637/jss.v048.i08.

mod bank;
mod exposure;
mod multistage;
mod select;
mod simulate;
mod sitting;

pub use bank::{ItemBank, NodeGrid};
pub use exposure::{SympsonHetter, sympson_hetter};
pub use multistage::{MultistageSimulation, MultistageTest, Routing};
pub use simulate::{SimulatedPerson, Simulation, SimulationSummary, normal_thetas};
pub use sitting::{Asked, Estimate, Next, Sitting, StopReason};

/// How θ is estimated after each answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Estimator {
    /// Posterior mean and standard deviation over the bank's nodes by the trapezoid rule.
    PosteriorMean,
    /// Posterior mode, solved to the last digits; standard error 1/√(information + 1/σ²).
    PosteriorMode,
}

/// What the next item has to be best at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Fisher information at the estimate.
    MaximumInformation,
    /// ∫ KL(θ̂ ‖ θ) L(θ) dθ over the nodes: Kullback–Leibler information of θ̂ against every θ,
    /// weighted by the likelihood of the answers so far.
    KullbackLeibler,
    /// The same, weighted by the posterior.
    PosteriorKullbackLeibler,
    /// ∫ I(θ) p(θ | x) dθ: information averaged over the posterior (MPWI).
    PosteriorWeightedInformation,
}

/// Which facets the next item may come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Any.
    Free,
    /// At least so many items of each facet before the test may end, otherwise free: the choice
    /// is narrowed to facets still missing once nothing else would leave them room, or once the
    /// test could stop but for them.
    AtLeast(Vec<usize>),
    /// The facet that lies furthest behind its share of the items asked (Kingsbury & Zara 1989,
    /// *Applied Measurement in Education* 2, 359–375, doi:10.1207/s15324818ame0204_6). Shares are
    /// divided by their sum.
    Shares(Vec<f64>),
}

/// Stop once the person's class is nearly certain.
#[derive(Debug, Clone, PartialEq)]
pub struct Certainty {
    /// Ascending cuts between classes, in logits.
    pub cuts: Vec<f64>,
    /// Posterior probability of one class at which the test ends, such as 0.9.
    pub probability: f64,
}

/// When a test ends.
#[derive(Debug, Clone, PartialEq)]
pub struct StopRules {
    /// Standard error, in logits, at or below which it ends.
    pub se: Option<f64>,
    /// Certainty of a class at which it ends.
    pub certainty: Option<Certainty>,
    /// Neither of these ends it before so many items.
    pub n_items_min: usize,
    /// It ends at so many items whatever is known.
    pub n_items_max: usize,
}

impl Default for StopRules {
    fn default() -> Self {
        Self { se: None, certainty: None, n_items_min: 1, n_items_max: 30 }
    }
}

/// Everything about a test but its items.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How θ is estimated.
    pub estimator: Estimator,
    /// How items are chosen; the first is always the most informative at `start`.
    pub selection: Selection,
    /// Mean of the population, in logits.
    pub prior_mean: f64,
    /// Standard deviation of the population, in logits.
    pub prior_sd: f64,
    /// θ at which the first item is chosen.
    pub start: f64,
    /// Facets.
    pub content: Content,
    /// The next item is drawn from so many of the best; 1 is the best itself (Kingsbury & Zara
    /// 1989).
    pub randomesque: usize,
    /// Probability of asking each item once it is chosen (Sympson and Hetter), from
    /// [`sympson_hetter`]; empty = 1 for all.
    pub exposure: Vec<f64>,
    /// When to stop.
    pub stop: StopRules,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            estimator: Estimator::PosteriorMean,
            selection: Selection::MaximumInformation,
            prior_mean: 0.0,
            prior_sd: 1.0,
            start: 0.0,
            content: Content::Free,
            randomesque: 1,
            exposure: Vec::new(),
            stop: StopRules::default(),
        }
    }
}

/// A bank, a setting or an answer that cannot be worked with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AdaptiveError {
    /// A bank needs an item.
    #[error("the bank holds no items")]
    NoItems,
    /// A list that needs one entry an item, or one a facet.
    #[error("{what}: {given} given, {wanted} wanted")]
    Length {
        /// What is counted.
        what: &'static str,
        /// Entries given.
        given: usize,
        /// Entries wanted.
        wanted: usize,
    },
    /// Nodes that cannot be worked with.
    #[error("grid of {n_nodes} nodes on ±{range}: 3 to 2,001 nodes, range finite and above 0")]
    Grid {
        /// Nodes.
        n_nodes: usize,
        /// Half the width, in logits.
        range: f64,
    },
    /// A setting outside what it may be.
    #[error("{setting} is {value}: {wanted}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// The value given.
        value: f64,
        /// What would do.
        wanted: &'static str,
    },
    /// An answer beyond an item's last category.
    #[error("answer {answer} to item {item}, whose categories are 0 to {last}")]
    Answer {
        /// Position of the item in the bank, from 0.
        item: usize,
        /// The answer given.
        answer: u8,
        /// The highest category.
        last: usize,
    },
    /// An item that is not in the bank, or was asked before.
    #[error("item {item} is not in the bank of {n_items} or was asked before")]
    NotOpen {
        /// Position given, from 0.
        item: usize,
        /// Items in the bank.
        n_items: usize,
    },
}

/// A bank with its settings: what every sitting shares.
#[derive(Debug, Clone)]
pub struct AdaptiveTest {
    bank: ItemBank,
    settings: Settings,
    /// Prior density times trapezoid weight at the bank's nodes.
    prior: Vec<f64>,
    /// Trapezoid weight alone.
    weights: Vec<f64>,
}

impl AdaptiveTest {
    /// Checks the settings against the bank.
    ///
    /// # Errors
    /// [`AdaptiveError::Setting`] or [`AdaptiveError::Length`], naming the setting.
    pub fn new(bank: ItemBank, settings: Settings) -> Result<Self, AdaptiveError> {
        settings.check(&bank)?;
        let nodes = bank.nodes();
        let weights: Vec<f64> = (0..nodes.len())
            .map(|node| if node == 0 || node + 1 == nodes.len() { 0.5 } else { 1.0 })
            .collect();
        let prior = nodes
            .iter()
            .zip(&weights)
            .map(|(node, weight)| {
                let z = (node - settings.prior_mean) / settings.prior_sd;
                weight * libm::exp(-0.5 * z * z)
            })
            .collect();
        Ok(Self { bank, settings, prior, weights })
    }

    /// The items and their tables.
    #[must_use]
    pub fn bank(&self) -> &ItemBank {
        &self.bank
    }

    /// The settings, as checked.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A new person's test. Allocates; [`Sitting::restart`] uses its memory again.
    #[must_use]
    pub fn sitting(&self) -> Sitting<'_> {
        Sitting::new(self)
    }
}

impl Settings {
    fn check(&self, bank: &ItemBank) -> Result<(), AdaptiveError> {
        let wrong = |setting, value, wanted| Err(AdaptiveError::Setting { setting, value, wanted });
        let stop = &self.stop;
        if !self.prior_mean.is_finite() {
            return wrong("prior mean", self.prior_mean, "a finite number");
        }
        if !(self.prior_sd > 0.0 && self.prior_sd.is_finite()) {
            return wrong("prior standard deviation", self.prior_sd, "a number above 0");
        }
        if !self.start.is_finite() {
            return wrong("start", self.start, "a finite number");
        }
        if self.randomesque == 0 {
            return wrong("randomesque", 0.0, "1 or more");
        }
        if !(1..=bank.n_items()).contains(&stop.n_items_max) {
            let given = stop.n_items_max as f64;
            return wrong("largest number of items", given, "1 to the size of the bank");
        }
        if stop.n_items_min > stop.n_items_max {
            let given = stop.n_items_min as f64;
            return wrong("smallest number of items", given, "at most the largest");
        }
        if let Some(se) = stop.se.filter(|se| !(*se > 0.0 && se.is_finite())) {
            return wrong("standard error to stop at", se, "a number above 0");
        }
        if let Some(certainty) = &stop.certainty {
            certainty.check()?;
        }
        if !self.exposure.is_empty() && self.exposure.len() != bank.n_items() {
            let (given, wanted) = (self.exposure.len(), bank.n_items());
            return Err(AdaptiveError::Length { what: "exposure parameters", given, wanted });
        }
        if let Some(&bad) = self.exposure.iter().find(|k| !(**k > 0.0 && **k <= 1.0)) {
            return wrong("exposure parameter", bad, "above 0, at most 1");
        }
        self.content.check(bank, stop.n_items_max)
    }
}

impl Certainty {
    fn check(&self) -> Result<(), AdaptiveError> {
        if !(self.probability > 0.0 && self.probability < 1.0) {
            return Err(AdaptiveError::Setting {
                setting: "certainty to stop at",
                value: self.probability,
                wanted: "between 0 and 1",
            });
        }
        let out_of_order = self.cuts.windows(2).find(|pair| pair[0] >= pair[1]).map(|pair| pair[1]);
        match self.cuts.iter().copied().find(|cut| !cut.is_finite()).or(out_of_order) {
            Some(value) => Err(AdaptiveError::Setting {
                setting: "cut",
                value,
                wanted: "finite, above the cut before it",
            }),
            None => Ok(()),
        }
    }
}

impl Content {
    fn check(&self, bank: &ItemBank, n_items_max: usize) -> Result<(), AdaptiveError> {
        let wanted = bank.n_facets();
        let length = |given| {
            if given == wanted {
                Ok(())
            } else {
                Err(AdaptiveError::Length { what: "facets of the content rule", given, wanted })
            }
        };
        match self {
            Self::Free => Ok(()),
            Self::AtLeast(fewest) => {
                length(fewest.len())?;
                let total: usize = fewest.iter().sum();
                if total > n_items_max {
                    return Err(AdaptiveError::Setting {
                        setting: "sum of the fewest items a facet",
                        value: total as f64,
                        wanted: "at most the largest number of items",
                    });
                }
                let short = (0..wanted).find(|&facet| fewest[facet] > bank.n_of_facet(facet));
                short.map_or(Ok(()), |facet| {
                    Err(AdaptiveError::Setting {
                        setting: "fewest items of a facet",
                        value: fewest[facet] as f64,
                        wanted: "at most the items the bank has of it",
                    })
                })
            }
            Self::Shares(shares) => {
                length(shares.len())?;
                let bad =
                    shares.iter().copied().find(|share| !(*share >= 0.0 && share.is_finite()));
                let nothing = shares.iter().all(|&share| share == 0.0).then_some(0.0);
                bad.or(nothing).map_or(Ok(()), |value| {
                    Err(AdaptiveError::Setting {
                        setting: "share of a facet",
                        value,
                        wanted: "0 or more, and not all 0",
                    })
                })
            }
        }
    }
}
