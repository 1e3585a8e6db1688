//! `bellwether simulate`: what an adaptive test of calibrated items would do to people.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command};
use psychometrics::adaptive::{
    AdaptiveError, AdaptiveTest, Content, Estimator, ItemBank, NodeGrid, Selection, Settings,
    Simulation, StopReason, StopRules, normal_thetas, sympson_hetter,
};
use psychometrics::models::ItemParameters;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use serde_json::{Map, Value, json};

use super::document::Known;
use super::estimation::option;
use super::output::{Output, counting, number, remark};
use super::stop::Stop;
use super::{common_arguments, document, list, text, threads};

/// Simulations that Sympson and Hetter's method takes.
const EXPOSURE_CYCLES: u32 = 10;
/// Persons at most: their outcomes stand in memory.
const N_PERSONS_MAX: u64 = 100_000_000;
/// Nodes of the grid that θ is estimated on.
const N_NODES: usize = 121;
/// Borders of the bands of θ in the report, in standard deviations of the population.
const BORDERS: [f64; 5] = [-2.0, -1.0, 0.0, 1.0, 2.0];
/// An odd constant far from regular, which spreads persons over seeds (2⁶⁴ by the golden ratio).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The command and its arguments.
#[must_use]
pub fn command() -> Command {
    let number = |name: &'static str, value, default, help| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .allow_negative_numbers(true)
            .value_parser(clap::value_parser!(u64))
            .default_value(default)
            .help(help)
    };
    let select = "information, kullback-leibler, posterior-kullback-leibler or \
                  posterior-information [default: information]";
    let exposure = "none, randomesque=N (one of the N best) or sympson-hetter=RATE (nobody's \
                    item is put to a larger share of persons) [default: none]";
    Command::new("simulate")
        .about("Say what an adaptive test of calibrated items would do to people")
        .arg(option("calibration", "CALIBRATION.json", "What calibrate wrote").required(true))
        .arg(number("persons", "N", "10000", "Persons to simulate, drawn from the population"))
        .arg(option(
            "stop",
            "RULES",
            "When a test ends: “se<0.3 max=30 min=5”, or on certainty of a class: \
             “cuts=-0.5,0.5 certainty=0.9” [default: max=30]",
        ))
        .arg(number("seed", "SEED", "1", "Where the random numbers start"))
        .arg(option("method", "METHOD", "How θ is estimated: eap or map [default: eap]"))
        .arg(option("select", "RULE", select))
        .arg(option("exposure", "RULE", exposure))
        .arg(option(
            "content",
            "FILE.toml",
            "Facets, a line each: NAME = [\"item\", \"item\"]; at least one item of each is asked",
        ))
        .arg(option("dimension", "NAME", "Which dimension, where the calibration has several"))
        .args(common_arguments())
        .mut_arg("ignore", |ignore| {
            ignore.value_name("ITEMS").help("Items that are left out, separated by commas")
        })
        .mut_arg("id", |id| {
            id.help("Taken for the sake of scripts: simulated persons have no names")
        })
}

/// Reads, simulates, writes.
///
/// # Errors
/// Every fault, each a sentence with its remedy.
pub fn run(given: &ArgMatches) -> Result<(), Vec<String>> {
    let mut stop = Stop::read(text(given, "stop").as_deref().unwrap_or("max=30"))?;
    let exposure = Exposure::read(text(given, "exposure").as_deref().unwrap_or("none"))?;
    let mut settings = Settings {
        estimator: estimator(text(given, "method").as_deref().unwrap_or("eap"))?,
        selection: selection(text(given, "select").as_deref().unwrap_or("information"))?,
        ..Settings::default()
    };
    let n_persons = match given.get_one::<u64>("persons").copied().unwrap_or(0) {
        n @ 1..=N_PERSONS_MAX => n as usize,
        n => return Err(vec![format!("--persons {n}: simulate 1 to {N_PERSONS_MAX} persons")]),
    };
    let known = document::read(&PathBuf::from(text(given, "calibration").unwrap_or_default()))?;
    let out = Output::open(given)?;
    let pool = Pool::of(&known, given)?;
    if let Some(note) = stop.fit(pool.names.len()) {
        remark(&[note]);
    }
    (settings.prior_mean, settings.prior_sd, settings.start) = (pool.mean, pool.sd, pool.mean);
    settings.stop = stop.rules;
    let (facets, facet_of) = match text(given, "content").map(PathBuf::from) {
        Some(file) => super::calibrate::read_dimensions(&file, &pool.names, "facet")?,
        None => (Vec::new(), vec![0; pool.names.len()]),
    };
    if !facets.is_empty() {
        settings.content = Content::AtLeast(vec![1; facets.len()]);
    }
    if let Exposure::Randomesque(n) = exposure {
        settings.randomesque = n;
    }
    let seed = given.get_one::<u64>("seed").copied().unwrap_or(1);
    let range = 6.0_f64.max(pool.mean.abs() + 6.0 * pool.sd);
    let grid = NodeGrid { n_nodes: N_NODES, range };
    let test = ItemBank::with_facets(pool.items.clone(), facet_of, grid)
        .and_then(|bank| AdaptiveTest::new(bank, settings))
        .and_then(|test| {
            Trial { test, seed, n_persons, threads: threads(given) }.run(&pool, exposure)
        });
    let (seen, settings) = test.map_err(|e| vec![worded(&e)])?;
    let mut document = report(&seen, &pool);
    document["seed"] = json!(seed);
    document["settings"] = said(&settings, exposure, &facets, given);
    out.figures(&document)
}

/// A test and whom it is given to.
struct Trial {
    test: AdaptiveTest,
    seed: u64,
    n_persons: usize,
    threads: usize,
}

impl Trial {
    /// Finds exposure parameters if they are asked for, and simulates.
    fn run(
        mut self,
        pool: &Pool,
        exposure: Exposure,
    ) -> Result<(Simulation, Settings), AdaptiveError> {
        let mut draw = Pcg64Mcg::seed_from_u64(self.seed);
        let thetas = normal_thetas(pool.mean, pool.sd, self.n_persons, &mut draw);
        if let Exposure::SympsonHetter(rate) = exposure {
            let bar = counting("rates", self.n_persons * EXPOSURE_CYCLES as usize);
            let chance = |cycle: u32, person| {
                bar.inc(1);
                self.chance(u64::from(cycle) + 1, person)
            };
            let found =
                sympson_hetter(&self.test, &thetas, rate, EXPOSURE_CYCLES, self.threads, chance);
            bar.finish_and_clear();
            let settings = Settings { exposure: found?.parameters, ..self.test.settings().clone() };
            self.test = AdaptiveTest::new(self.test.bank().clone(), settings)?;
        }
        let bar = counting("simulating", self.n_persons);
        let seen = self.test.simulate(&thetas, self.threads, |person| {
            bar.inc(1);
            self.chance(0, person)
        });
        bar.finish_and_clear();
        Ok((seen?, self.test.settings().clone()))
    }

    /// A person's own generator in one of the runs.
    fn chance(&self, run: u64, person: usize) -> Pcg64Mcg {
        let own = (person as u64 + 1).wrapping_mul(SPREAD) ^ (run << 32);
        Pcg64Mcg::seed_from_u64(self.seed ^ own)
    }
}

fn estimator(word: &str) -> Result<Estimator, Vec<String>> {
    match word {
        "eap" => Ok(Estimator::PosteriorMean),
        "map" => Ok(Estimator::PosteriorMode),
        _ => Err(vec![format!("--method {word}: choose eap or map")]),
    }
}

fn selection(word: &str) -> Result<Selection, Vec<String>> {
    match word {
        "information" => Ok(Selection::MaximumInformation),
        "kullback-leibler" => Ok(Selection::KullbackLeibler),
        "posterior-kullback-leibler" => Ok(Selection::PosteriorKullbackLeibler),
        "posterior-information" => Ok(Selection::PosteriorWeightedInformation),
        _ => Err(vec![format!(
            "--select {word}: choose information, kullback-leibler, posterior-kullback-leibler \
             or posterior-information"
        )]),
    }
}

/// How items are kept from being put to everybody.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Exposure {
    None,
    Randomesque(usize),
    SympsonHetter(f64),
}

impl Exposure {
    fn read(word: &str) -> Result<Self, Vec<String>> {
        let found = match word.split_once('=') {
            None if word == "none" => Some(Self::None),
            Some(("randomesque", n)) => n.parse().ok().filter(|&n| n >= 1).map(Self::Randomesque),
            Some(("sympson-hetter", rate)) => {
                let rate = rate.parse().ok();
                rate.filter(|rate| *rate > 0.0 && *rate <= 1.0).map(Self::SympsonHetter)
            }
            _ => None,
        };
        found.ok_or_else(|| {
            vec![format!(
                "--exposure {word}: write none, randomesque=5 (a number of at least 1) or \
                 sympson-hetter=0.25 (a share above 0, at most 1)"
            )]
        })
    }
}

fn worded(error: &AdaptiveError) -> String {
    match error {
        AdaptiveError::Setting { setting: "exposure rate", value, .. } => format!(
            "--exposure sympson-hetter={value}: so few items cannot keep such a rate; the rate \
             times the number of items must reach the largest number of items of a test"
        ),
        AdaptiveError::Setting { setting: "sum of the fewest items a facet", .. } => {
            String::from("--content names more facets than a test has items: raise max in --stop")
        }
        other => other.to_string(),
    }
}

/// The items that can be asked, and the people.
struct Pool {
    names: Vec<String>,
    items: Vec<ItemParameters>,
    dimension: String,
    mean: f64,
    sd: f64,
}

impl Pool {
    fn of(known: &Known, given: &ArgMatches) -> Result<Self, Vec<String>> {
        let names = &known.dimensions;
        let wanted = text(given, "dimension");
        let dimension = match &wanted {
            None if names.len() == 1 => 0,
            None => {
                let list = names.join(", ");
                return Err(vec![format!(
                    "the calibration has several dimensions: choose one with --dimension ({list})"
                )]);
            }
            Some(wanted) => names.iter().position(|name| name == wanted).ok_or_else(|| {
                let list = names.join(", ");
                vec![format!("--dimension {wanted}: the calibration has {list}")]
            })?,
        };
        let ignored = list(given, "ignore");
        let unknown = |name: &&String| !known.answers.iter().any(|(item, _)| item == *name);
        let unknown: Vec<String> = ignored
            .iter()
            .filter(unknown)
            .map(|name| format!("--ignore {name}: the calibration has no such item"))
            .collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let (mean, covariance) = &known.populations[0];
        let mut pool = Self {
            names: Vec::new(),
            items: Vec::new(),
            dimension: names[dimension].clone(),
            mean: mean[dimension],
            sd: covariance[dimension][dimension].sqrt(),
        };
        for ((name, _), (parameters, own)) in known.answers.iter().zip(&known.items) {
            if *own == dimension && !ignored.contains(name) {
                pool.names.push(name.clone());
                pool.items.push(parameters.clone());
            }
        }
        match pool.names.is_empty() {
            true => Err(vec![String::from("--ignore leaves no item to ask")]),
            false => Ok(pool),
        }
    }
}

fn said(settings: &Settings, exposure: Exposure, facets: &[String], given: &ArgMatches) -> Value {
    let StopRules { se, certainty, n_items_min, n_items_max } = &settings.stop;
    let mut stop = json!({ "se": se, "min": n_items_min, "max": n_items_max });
    if let Some(certainty) = certainty {
        stop["cuts"] = json!(certainty.cuts);
        stop["certainty"] = json!(certainty.probability);
    }
    let exposure = match exposure {
        Exposure::None => json!({ "rule": "none" }),
        Exposure::Randomesque(n) => json!({ "rule": "randomesque", "best": n }),
        Exposure::SympsonHetter(rate) => json!({ "rule": "sympson-hetter", "rate": rate }),
    };
    let word = |name, default: &str| text(given, name).unwrap_or_else(|| default.to_owned());
    json!({
        "method": word("method", "eap"), "select": word("select", "information"),
        "stop": stop, "exposure": exposure, "facets": facets,
        "population": { "mean": settings.prior_mean, "sd": settings.prior_sd },
    })
}

fn report(seen: &Simulation, pool: &Pool) -> Value {
    let all = &seen.summary;
    let stopped = |reason: StopReason| seen.persons.iter().filter(|p| p.reason == reason).count();
    let rates: Map<String, Value> = pool
        .names
        .iter()
        .zip(&seen.exposure)
        .map(|(name, rate)| (name.clone(), json!(rate)))
        .collect();
    let squares: f64 = seen.persons.iter().map(|p| p.estimate.se * p.estimate.se).sum();
    let share = squares / (seen.persons.len() as f64 * pool.sd * pool.sd);
    json!({
        "n_persons": all.n_persons,
        "n_items": pool.names.len(),
        "dimension": pool.dimension,
        "bias": all.bias,
        "rmse": all.rmse,
        "mean_se": all.mean_se,
        "correlation": number(all.correlation),
        "reliability": number(all.correlation * all.correlation),
        "reliability_claimed": 1.0 - share,
        "coverage": all.coverage,
        "mean_length": all.mean_length,
        "length_min": all.length_range.0,
        "length_max": all.length_range.1,
        "stopped": {
            "precision": stopped(StopReason::Precision),
            "certainty": stopped(StopReason::Certainty),
            "length": stopped(StopReason::Length),
            "exhausted": stopped(StopReason::Exhausted),
        },
        "bands": bands(seen, pool),
        "exposure": {
            "max": all.exposure_max,
            "n_never_asked": all.n_never_asked,
            "overlap": all.overlap,
            "items": rates,
        },
        "version": env!("CARGO_PKG_VERSION"),
    })
}

/// The same figures by true θ: a test that is right on average may be wrong at the ends.
fn bands(seen: &Simulation, pool: &Pool) -> Value {
    let border = |at: usize| pool.mean + pool.sd * BORDERS[at];
    let ends = |band: usize| {
        let from = if band == 0 { f64::NEG_INFINITY } else { border(band - 1) };
        let to = if band == BORDERS.len() { f64::INFINITY } else { border(band) };
        (from, to)
    };
    let figures = |band: usize| {
        let (from, to) = ends(band);
        let own: Vec<_> = seen.persons.iter().filter(|p| p.theta >= from && p.theta < to).collect();
        let n = own.len() as f64;
        let mean = |figure: &dyn Fn(f64, f64, usize) -> f64| {
            let of = |p: &&psychometrics::adaptive::SimulatedPerson| {
                figure(p.estimate.theta - p.theta, p.estimate.se, p.n_items)
            };
            number(own.iter().map(of).sum::<f64>() / n)
        };
        let mean_square = own.iter().map(|p| (p.estimate.theta - p.theta).powi(2)).sum::<f64>() / n;
        json!({
            "from": number(from), "to": number(to), "n": own.len(),
            "bias": mean(&|error, _, _| error),
            "rmse": number(mean_square.sqrt()),
            "mean_se": mean(&|_, se, _| se),
            "mean_length": mean(&|_, _, n_items| n_items as f64),
        })
    };
    (0..=BORDERS.len()).map(figures).collect()
}
