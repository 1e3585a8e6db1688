//! What a test would do to people whose θ is known.

use rand::Rng;

use super::sitting::{Estimate, Next, Sitting, StopReason};
use super::{AdaptiveError, AdaptiveTest};
use crate::chance::{standard_normal, uniform};
use crate::models::{ItemModel, ItemParameters};

/// One simulated person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedPerson {
    /// The θ that answered.
    pub theta: f64,
    /// What the test made of it.
    pub estimate: Estimate,
    /// Items asked.
    pub n_items: usize,
    /// Why the test ended.
    pub reason: StopReason,
}

/// Figures over all simulated persons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulationSummary {
    /// Persons.
    pub n_persons: usize,
    /// Mean of θ̂ − θ, in logits.
    pub bias: f64,
    /// √ mean of (θ̂ − θ)².
    pub rmse: f64,
    /// Mean standard error that the test claimed.
    pub mean_se: f64,
    /// Correlation of θ̂ and θ; NaN where either does not vary.
    pub correlation: f64,
    /// Share of persons whose θ lies within 1.96 standard errors.
    pub coverage: f64,
    /// Mean number of items asked.
    pub mean_length: f64,
    /// Fewest and most.
    pub length_range: (usize, usize),
    /// Highest share of persons that any item was put to.
    pub exposure_max: f64,
    /// Items that nobody met.
    pub n_never_asked: usize,
    /// Mean share of items that two persons have in common, from the exposure rates: Chen,
    /// Ankenmann & Spray 2003, *Journal of Educational Measurement* 40, 129–145.
    pub overlap: f64,
}

/// A finished simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// In the order of the thetas.
    pub persons: Vec<SimulatedPerson>,
    /// Share of persons each item was put to.
    pub exposure: Vec<f64>,
    /// Share of persons for whom each item was chosen, asked or spared; equals `exposure` without
    /// exposure control.
    pub chosen: Vec<f64>,
    /// Over all persons.
    pub summary: SimulationSummary,
}

/// θ of `n` persons from a normal population, in logits, by inversion: one draw of the generator
/// a person.
#[must_use]
pub fn normal_thetas(mean: f64, sd: f64, n: usize, chance: &mut impl Rng) -> Vec<f64> {
    (0..n).map(|_| mean + sd * standard_normal(chance)).collect()
}

impl AdaptiveTest {
    /// Gives the test to one person for each of `thetas`, answering by the model.
    ///
    /// `chance_of(person)` is that person's own generator, so that neither the number of
    /// `threads` (at least 1) nor their luck changes the result.
    ///
    /// # Errors
    /// [`AdaptiveError::Setting`] for no persons, no threads, or a θ that is not finite.
    pub fn simulate<R: Rng>(
        &self,
        thetas: &[f64],
        threads: usize,
        chance_of: impl Fn(usize) -> R + Sync,
    ) -> Result<Simulation, AdaptiveError> {
        check(thetas, threads)?;
        let share = thetas.len().div_ceil(threads);
        let parts: Vec<Part> = std::thread::scope(|scope| {
            let run = |(part, thetas): (usize, &[f64])| {
                let chance_of = &chance_of;
                let (first, thetas) = (part * share, thetas.to_vec());
                scope.spawn(move || self.part(&thetas, |person| chance_of(first + person)))
            };
            let running: Vec<_> = thetas.chunks(share).enumerate().map(run).collect();
            let joined = |thread: std::thread::ScopedJoinHandle<'_, Part>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            running.into_iter().map(joined).collect()
        });
        let n = thetas.len() as f64;
        let rates = |counts: fn(&Part) -> &Vec<u32>| -> Vec<f64> {
            let total = |item: usize| parts.iter().map(|p| f64::from(counts(p)[item])).sum::<f64>();
            (0..self.bank().n_items()).map(|item| total(item) / n).collect()
        };
        let (exposure, chosen) = (rates(|part| &part.asked), rates(|part| &part.chosen));
        let persons: Vec<SimulatedPerson> =
            parts.iter().flat_map(|part| part.persons.iter().copied()).collect();
        let summary = SimulationSummary::of(&persons, &exposure);
        Ok(Simulation { persons, exposure, chosen, summary })
    }

    fn part<R: Rng>(&self, thetas: &[f64], chance_of: impl Fn(usize) -> R) -> Part {
        let n_items = self.bank().n_items();
        let mut part = Part {
            persons: Vec::with_capacity(thetas.len()),
            asked: vec![0; n_items],
            chosen: vec![0; n_items],
        };
        let mut sitting = self.sitting();
        for (person, &theta) in thetas.iter().enumerate() {
            sitting.restart();
            let reason = sit(&mut sitting, self, theta, &mut chance_of(person));
            let asked = sitting.asked();
            asked.iter().for_each(|asked| part.asked[asked.item] += 1);
            match sitting.chosen() {
                [] => asked.iter().for_each(|asked| part.chosen[asked.item] += 1),
                chosen => chosen.iter().for_each(|&item| part.chosen[item] += 1),
            }
            let (estimate, n_items) = (sitting.estimate(), asked.len());
            part.persons.push(SimulatedPerson { theta, estimate, n_items, reason });
        }
        part
    }
}

/// What one thread did.
struct Part {
    persons: Vec<SimulatedPerson>,
    asked: Vec<u32>,
    chosen: Vec<u32>,
}

/// Whether these people can be simulated.
pub(super) fn check(thetas: &[f64], threads: usize) -> Result<(), AdaptiveError> {
    let wrong = |setting, value, wanted| Err(AdaptiveError::Setting { setting, value, wanted });
    if thetas.is_empty() {
        return wrong("persons to simulate", 0.0, "1 or more");
    }
    if threads == 0 {
        return wrong("threads", 0.0, "1 or more");
    }
    match thetas.iter().find(|theta| !theta.is_finite()) {
        Some(&theta) => wrong("theta of a person", theta, "a finite number"),
        None => Ok(()),
    }
}

/// The category that somebody at `theta` answers, drawn by the model.
pub(super) fn drawn_answer(item: &ItemParameters, theta: f64, chance: &mut impl Rng) -> u8 {
    let luck = uniform(chance);
    let (mut below, mut answer) = (0.0, 0_u8);
    item.for_each_category(theta, |at| {
        below += at.probability;
        // Counts the categories that lie wholly below the draw; the last never does.
        if luck >= below && at.category + 1 < item.n_categories() {
            answer = at.category as u8 + 1;
        }
    });
    answer
}

fn sit(
    sitting: &mut Sitting<'_>,
    test: &AdaptiveTest,
    theta: f64,
    chance: &mut impl Rng,
) -> StopReason {
    loop {
        let item = match sitting.next(chance) {
            Next::Ask(item) => item,
            Next::Stop(reason) => return reason,
        };
        let answer = drawn_answer(test.bank().item(item), theta, chance);
        if sitting.answer(item, answer).is_err() {
            // Cannot be: the item was offered and the category is one of its own.
            return StopReason::Exhausted;
        }
    }
}

impl SimulationSummary {
    pub(super) fn of(persons: &[SimulatedPerson], exposure: &[f64]) -> Self {
        let n = persons.len() as f64;
        let mean = |figure: &dyn Fn(&SimulatedPerson) -> f64| -> f64 {
            persons.iter().map(figure).sum::<f64>() / n
        };
        let error = |person: &SimulatedPerson| person.estimate.theta - person.theta;
        let (true_mean, found_mean) = (mean(&|p| p.theta), mean(&|p| p.estimate.theta));
        let product = mean(&|p| (p.theta - true_mean) * (p.estimate.theta - found_mean));
        let true_square = mean(&|p| (p.theta - true_mean).powi(2));
        let found_square = mean(&|p| (p.estimate.theta - found_mean).powi(2));
        let mean_length = mean(&|p| p.n_items as f64);
        let lengths = || persons.iter().map(|p| p.n_items);
        Self {
            n_persons: persons.len(),
            bias: mean(&error),
            rmse: libm::sqrt(mean(&|p| error(p) * error(p))),
            mean_se: mean(&|p| p.estimate.se),
            correlation: product / libm::sqrt(true_square * found_square),
            coverage: mean(&|p| {
                f64::from(u8::from(error(p).abs() <= 1.959_963_984_540_054 * p.estimate.se))
            }),
            mean_length,
            length_range: (lengths().min().unwrap_or(0), lengths().max().unwrap_or(0)),
            exposure_max: exposure.iter().copied().fold(0.0, f64::max),
            n_never_asked: exposure.iter().filter(|&&rate| rate == 0.0).count(),
            overlap: exposure.iter().map(|rate| rate * rate).sum::<f64>() / mean_length,
        }
    }
}
