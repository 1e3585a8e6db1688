//! Tests in stages: whole modules instead of single items.

use rand::Rng;

use super::simulate::{SimulatedPerson, SimulationSummary, drawn_answer};
use super::sitting::{Sitting, StopReason};
use super::{AdaptiveError, AdaptiveTest};
use crate::models::ItemModel;
use crate::parallel;

/// Persons a task of a simulation.
const PERSONS_PER_TASK: usize = 256;

/// Which module of a stage follows an estimate.
#[derive(Debug, Clone, PartialEq)]
pub enum Routing {
    /// The module with the most Fisher information at the estimate; the first of equals.
    Information,
    /// Per stage, ascending cuts on θ between its modules, which stand from easy to hard; an
    /// estimate at a cut goes to the harder one.
    Cuts(Vec<Vec<f64>>),
}

/// A test of several stages, each of which asks one of its modules, all of its items.
///
/// Items, prior and estimator are those of an [`AdaptiveTest`]; its rules of choice, exposure and
/// stopping play no part here.
///
/// ```
/// use psychometrics::adaptive::{
///     AdaptiveTest, ItemBank, MultistageTest, NodeGrid, Routing, Settings, StopRules,
/// };
/// use psychometrics::models::{ItemParameters, TwoParameter};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let item = |d| TwoParameter::new(1.4, d).map(ItemParameters::TwoParameter);
/// let items = vec![item(0.3)?, item(-0.3)?, item(1.6)?, item(1.4)?, item(-1.4)?, item(-1.6)?];
/// let stop = StopRules { n_items_max: 6, ..StopRules::default() };
/// let settings = Settings { stop, ..Settings::default() };
/// let test = AdaptiveTest::new(ItemBank::new(items, NodeGrid::default())?, settings)?;
/// // One module for all, then an easy one (large intercepts) or a hard one.
/// let stages = vec![vec![vec![0, 1]], vec![vec![2, 3], vec![4, 5]]];
/// let panel = MultistageTest::new(test, stages, Routing::Information)?;
/// assert_eq!(panel.route(1, -0.8), 0);
/// assert_eq!(panel.route(1, 0.8), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MultistageTest {
    test: AdaptiveTest,
    stages: Vec<Vec<Vec<usize>>>,
    routing: Routing,
}

/// What a multistage test would do to people whose θ is known.
#[derive(Debug, Clone, PartialEq)]
pub struct MultistageSimulation {
    /// In the order of the thetas.
    pub persons: Vec<SimulatedPerson>,
    /// Share of persons who met each module of each stage.
    pub module_shares: Vec<Vec<f64>>,
    /// Share of persons each item was put to.
    pub exposure: Vec<f64>,
    /// Over all persons.
    pub summary: SimulationSummary,
}

impl MultistageTest {
    /// `stages` has the modules of each stage, each a list of positions in the bank.
    ///
    /// # Errors
    /// [`AdaptiveError`] for no stage, an empty stage or module, an item that is not in the bank
    /// or could be asked twice, cuts that are not one fewer than a stage's modules and ascending.
    pub fn new(
        test: AdaptiveTest,
        stages: Vec<Vec<Vec<usize>>>,
        routing: Routing,
    ) -> Result<Self, AdaptiveError> {
        let empty = |what| AdaptiveError::Length { what, given: 0, wanted: 1 };
        if stages.is_empty() {
            return Err(empty("stages"));
        }
        let n_items = test.bank().n_items();
        // Modules of one stage may share items, since a person meets only one of them.
        let mut stage_of = vec![usize::MAX; n_items];
        for (stage, modules) in stages.iter().enumerate() {
            if modules.is_empty() {
                return Err(empty("modules of a stage"));
            }
            for module in modules {
                if module.is_empty() {
                    return Err(empty("items of a module"));
                }
                for (place, &item) in module.iter().enumerate() {
                    let open = item < n_items
                        && (stage_of[item] == usize::MAX || stage_of[item] == stage)
                        && !module[..place].contains(&item);
                    if !open {
                        return Err(AdaptiveError::NotOpen { item, n_items });
                    }
                    stage_of[item] = stage;
                }
            }
        }
        if let Routing::Cuts(cuts) = &routing {
            check_cuts(cuts, &stages)?;
        }
        Ok(Self { test, stages, routing })
    }

    /// The modules of each stage.
    #[must_use]
    pub fn stages(&self) -> &[Vec<Vec<usize>>] {
        &self.stages
    }

    /// The bank, prior and estimator.
    #[must_use]
    pub fn test(&self) -> &AdaptiveTest {
        &self.test
    }

    /// The module of `stage` (from 0) that follows an estimate; the first stage is routed by the
    /// mean of the prior.
    ///
    /// # Panics
    /// If there is no such stage.
    #[must_use]
    pub fn route(&self, stage: usize, theta: f64) -> usize {
        let modules = &self.stages[stage];
        match &self.routing {
            Routing::Cuts(cuts) => cuts[stage].partition_point(|&cut| cut <= theta),
            Routing::Information => {
                let information = |module: &Vec<usize>| -> f64 {
                    module.iter().map(|&item| self.test.bank().item(item).information(theta)).sum()
                };
                let mut best = (0, f64::NEG_INFINITY);
                for (place, module) in modules.iter().enumerate() {
                    let here = information(module);
                    if here > best.1 {
                        best = (place, here);
                    }
                }
                best.0
            }
        }
    }

    /// Gives the test to one person for each of `thetas`, answering by the model.
    ///
    /// `chance_of(person)` is that person's own generator, so that neither the number of `threads`
    /// (at least 1) nor their luck changes the result.
    ///
    /// # Errors
    /// [`AdaptiveError::Setting`] for no persons, no threads, or a θ that is not finite.
    pub fn simulate<R: Rng>(
        &self,
        thetas: &[f64],
        threads: usize,
        chance_of: impl Fn(usize) -> R + Sync,
    ) -> Result<MultistageSimulation, AdaptiveError> {
        super::simulate::check(thetas, threads)?;
        let n_tasks = thetas.len().div_ceil(PERSONS_PER_TASK);
        let parts = parallel::map(threads, n_tasks, |task| {
            let first = task * PERSONS_PER_TASK;
            let last = (first + PERSONS_PER_TASK).min(thetas.len());
            let mut sitting = self.test.sitting();
            let sit =
                |person: usize| self.sit(&mut sitting, thetas[person], &mut chance_of(person));
            (first..last).map(sit).collect::<Result<Vec<_>, _>>()
        });
        let n = thetas.len() as f64;
        let mut module_shares: Vec<Vec<f64>> =
            self.stages.iter().map(|modules| vec![0.0; modules.len()]).collect();
        let mut exposure = vec![0.0; self.test.bank().n_items()];
        let mut persons = Vec::with_capacity(thetas.len());
        for part in parts {
            for (person, path) in part? {
                for (stage, module) in path.into_iter().enumerate() {
                    module_shares[stage][module] += 1.0 / n;
                    for &item in &self.stages[stage][module] {
                        exposure[item] += 1.0 / n;
                    }
                }
                persons.push(person);
            }
        }
        let summary = SimulationSummary::of(&persons, &exposure);
        Ok(MultistageSimulation { persons, module_shares, exposure, summary })
    }

    fn sit(
        &self,
        sitting: &mut Sitting<'_>,
        theta: f64,
        chance: &mut impl Rng,
    ) -> Result<(SimulatedPerson, Vec<usize>), AdaptiveError> {
        sitting.restart();
        let mut path = Vec::with_capacity(self.stages.len());
        for (stage, modules) in self.stages.iter().enumerate() {
            let module = self.route(stage, sitting.estimate().theta);
            path.push(module);
            for &item in &modules[module] {
                let answer = drawn_answer(self.test.bank().item(item), theta, chance);
                sitting.answer(item, answer)?;
            }
        }
        let (estimate, n_items) = (sitting.estimate(), sitting.asked().len());
        let person = SimulatedPerson { theta, estimate, n_items, reason: StopReason::Length };
        Ok((person, path))
    }
}

fn check_cuts(cuts: &[Vec<f64>], stages: &[Vec<Vec<usize>>]) -> Result<(), AdaptiveError> {
    let (given, wanted) = (cuts.len(), stages.len());
    if given != wanted {
        return Err(AdaptiveError::Length { what: "lists of cuts, one a stage", given, wanted });
    }
    for (cuts, modules) in cuts.iter().zip(stages) {
        let (given, wanted) = (cuts.len(), modules.len() - 1);
        if given != wanted {
            let what = "cuts, one fewer than the stage has modules";
            return Err(AdaptiveError::Length { what, given, wanted });
        }
        let wrong = cuts
            .iter()
            .position(|cut| !cut.is_finite())
            .or_else(|| cuts.windows(2).position(|pair| pair[0] >= pair[1]));
        if let Some(place) = wrong {
            let (setting, value) = ("cut between modules", cuts[place]);
            let wanted = "finite and below the next";
            return Err(AdaptiveError::Setting { setting, value, wanted });
        }
    }
    Ok(())
}
