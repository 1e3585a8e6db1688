//! Numbers only: item response theory, reliability, rater agreement and change.
//!
//! No input or output, no clock, no chance, no global state: everything a function depends on is
//! an argument. What a sitting says of a person:
//!
//! - [`models`]: category probabilities, their derivatives and the information of an item, for
//!   eight response models behind one trait;
//! - [`posterior`]: what a person's answers say of two correlated traits at once, with region
//!   probabilities and a credible ellipse, computed so that the bits never depend on the machine;
//! - [`adaptive`]: which item or module to ask next, when to stop, and simulations of it.
//!
//! What a sample says of its items:
//!
//! - [`responses`]: answers packed a byte each, built from slices or from a stream;
//! - [`mod@calibrate`]: item parameters and populations with exact standard errors;
//! - [`mod@score`]: EAP, MAP, ML, WLE, sum-score tables, plausible values, person fit, in bulk;
//! - [`fit`]: whether the model holds, item by item and as a whole; reliability of scores;
//! - [`classification`]: how surely scores put people into classes;
//! - [`equating`]: two calibrations on one scale;
//! - [`fairness`]: items that work differently for different groups.
//!
//! What a sample says of a questionnaire and of its use, over plain [`columns`] with gaps:
//!
//! - [`quality`] and [`factors`]: reliability, signs of careless answers, dimensions;
//! - [`raters`]: agreement, variance components, how many raters are enough;
//! - [`change`] and [`impact`]: one person's change, two groups' difference, adverse impact.
//!
//! # A tour: section 7 of the LSAT
//!
//! A thousand people, five questions, right or wrong (Bock & Lieberman 1970). The table below has
//! how many people gave each pattern of answers, from all wrong to all right.
//!
//! ```
//! use psychometrics::calibrate::{Model, Options, Sample, Specification, calibrate};
//! use psychometrics::fit::{
//!     Moments, Population, item_fit, limited_information, marginal_reliability,
//! };
//! use psychometrics::responses::Responses;
//! use psychometrics::score::{Bank, Method, score, sum_scores};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! const COUNTS: [usize; 32] = [
//!     12, 19, 1, 7, 3, 19, 3, 17, 10, 5, 3, 7, 7, 23, 8, 28, 7, 39, 11, 34, 14, 51, 15, 90, 6, 25,
//!     7, 35, 18, 136, 32, 308,
//! ];
//! let right = |pattern: usize, item: usize| (pattern >> (4 - item) & 1) as u8;
//! let column = |item| (0..32).flat_map(|p| vec![right(p, item); COUNTS[p]]).collect();
//! let responses = Responses::from_categories((0..5).map(column).collect())?;
//!
//! // Item parameters and their standard errors.
//! let specification = Specification::of(Model::TwoParameter, 5);
//! let found = calibrate(&Sample::of(&responses), &specification, &Options::default())?;
//! assert!((found.log_likelihood - -2658.805).abs() < 1e-3);
//! let first = &found.items[0];
//! assert!((first.slopes[0].value - 0.9875).abs() < 1e-3 && first.slopes[0].se.is_some());
//!
//! // Whether two parameters an item are enough, and how much five questions can tell.
//! let bank = Bank::of(&found, 0)?;
//! let whole = limited_information(&bank, &responses, Moments::Means, Population::Fixed)?;
//! assert!(whole.df == 5 && (whole.statistic - 11.94).abs() < 0.01 && whole.rmsea < 0.04);
//! assert_eq!(item_fit(&bank, &responses, Population::Fixed)?.len(), 5);
//! assert!((marginal_reliability(&bank)? - 0.442).abs() < 1e-3);
//!
//! // People: the one with everything wrong comes first.
//! let scores = score(&bank, &responses, Method::Eap, 1)?;
//! let lowest = scores[0].as_ref().map(|score| (score.theta[0], score.se[0]));
//! assert!(lowest.is_some_and(|(theta, se)| theta < -1.8 && se < 0.8));
//! assert!((sum_scores(&bank)?[5].theta - 0.727).abs() < 1e-3);
//! # Ok(())
//! # }
//! ```
//!
//! # Simulated ratings
//!
//! Answers drawn from a graded model, an item asked adaptively, and two traits of one sitting.
//!
//! ```
//! use psychometrics::adaptive::{AdaptiveTest, ItemBank, NodeGrid, Settings, StopRules};
//! use psychometrics::models::{Graded, ItemParameters};
//! use psychometrics::posterior::{Grid, Prior, RegionMap, ScoredItem, ScoringKey};
//! use rand::SeedableRng;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let item = |at: i32| {
//!     let b = 0.25 * f64::from(at % 9 - 4);
//!     Graded::from_thresholds(1.6, &[b - 1.5, b - 0.5, b + 0.5, b + 1.5])
//!         .map(ItemParameters::Graded)
//! };
//! let items = (0..60).map(item).collect::<Result<Vec<_>, _>>()?;
//!
//! // Until the standard error is 0.3, at most 20 items: what would that do to 200 people?
//! let stop = StopRules { se: Some(0.3), n_items_max: 20, ..StopRules::default() };
//! let settings = Settings { stop, ..Settings::default() };
//! let test = AdaptiveTest::new(ItemBank::new(items.clone(), NodeGrid::default())?, settings)?;
//! let thetas: Vec<f64> = (0..200).map(|person| f64::from(person) / 50.0 - 2.0).collect();
//! let chance = |person: usize| rand_pcg::Pcg64Mcg::seed_from_u64(person as u64);
//! let seen = test.simulate(&thetas, 2, chance)?;
//! assert!((8.0..18.0).contains(&seen.summary.mean_length) && seen.summary.coverage > 0.85);
//!
//! // Two traits with correlation 0.5: the second lends the first some of its answers.
//! let scored = |dimension: usize| ScoredItem { dimension, parameters: items[dimension].clone() };
//! let key = vec![scored(0), scored(0), scored(1), scored(1)];
//! let key = ScoringKey::new(key, Vec::new(), Prior::standard(0.5)?, Grid::default())?;
//! let posterior = key.posterior(&[Some(4), Some(3), Some(1), None], &[])?;
//! assert!(posterior.mean[0] > 0.0 && posterior.mean[1] < posterior.mean[0]);
//! let odds = posterior.region_probabilities(&RegionMap::quadrants());
//! let total: f64 = odds.regions.iter().map(|region| region.probability).sum();
//! assert!((total - 1.0).abs() < 1e-9);
//! # Ok(())
//! # }
//! ```
//!
//! Each module's page has its formulae, references and limits; what was checked against which
//! program, and how closely, stands in `docs/methods/` of the repository.

pub mod adaptive;
pub mod calibrate;
mod chance;
pub mod change;
pub mod classification;
pub mod columns;
mod distributions;
pub mod equating;
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
