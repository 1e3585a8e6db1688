//! Numbers only: item response theory, reliability, rater agreement and change.
//!
//! No input or output, no clock, no chance, no global state: everything a function depends on is
//! an argument. What a sitting says of a person:
//!
//! - [`models`]: category probabilities, their derivatives and the information of an item, for
//!   eight response models behind one trait;
//! - [`posterior`]: what a person's answers say of two correlated traits at once, with region
//!   probabilities and a credible ellipse, computed so that the bits never depend on the machine;
//! - [`adaptive`]: which item to ask next, when to stop, and simulations of it.
//!
//! What a sample says of its items:
//!
//! - [`responses`]: answers packed a byte each, built from slices or from a stream;
//! - [`calibrate`]: item parameters and populations with exact standard errors;
//! - [`score`]: EAP, MAP, ML, WLE, sum-score tables, plausible values, person fit, in bulk;
//! - [`fit`]: whether the model holds, item by item and as a whole; reliability of scores;
//! - [`fairness`]: items that work differently for different groups.
//!
//! What a sample says of a questionnaire and of its use, over plain [`columns`] with gaps:
//!
//! - [`quality`] and [`factors`]: reliability, signs of careless answers, dimensions;
//! - [`raters`]: agreement, variance components, how many raters are enough;
//! - [`change`] and [`impact`]: one person's change, two groups' difference, adverse impact.
//!
//! ```
//! use psychometrics::models::{Graded, ItemParameters};
//! use psychometrics::posterior::{Grid, Prior, RegionMap, ScoredItem, ScoringKey};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let item = |dimension| -> Result<ScoredItem, psychometrics::models::ModelError> {
//!     let parameters = Graded::from_thresholds(1.6, &[-2.0, -0.8, 0.4, 1.7])?;
//!     Ok(ScoredItem { dimension, parameters: ItemParameters::Graded(parameters) })
//! };
//! let items = vec![item(0)?, item(0)?, item(1)?, item(1)?];
//! let key = ScoringKey::new(items, Vec::new(), Prior::standard(0.5)?, Grid::default())?;
//! let posterior = key.posterior(&[Some(4), Some(3), Some(1), None], &[])?;
//! assert!(posterior.mean[0] > 0.5 && posterior.mean[1] < posterior.mean[0]);
//!
//! let odds = posterior.region_probabilities(&RegionMap::quadrants());
//! let total: f64 = odds.regions.iter().map(|region| region.probability).sum();
//! assert!((total - 1.0).abs() < 1e-9);
//! # Ok(())
//! # }
//! ```

pub mod adaptive;
pub mod calibrate;
mod chance;
pub mod change;
pub mod columns;
mod distributions;
pub mod factors;
pub mod fairness;
pub mod fit;
pub mod impact;
mod kernels;
pub mod matrix;
pub mod models;
mod parallel;
pub mod posterior;
pub mod quality;
pub mod raters;
pub mod responses;
pub mod score;
mod search;
