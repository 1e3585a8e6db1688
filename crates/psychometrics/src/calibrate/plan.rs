//! What is estimated: which number of the vector of free parameters stands where.

use super::family::{Family, raw_of};
use super::latent::{Moment, Population};
use super::{
    Anchor, CalibrateError, Calibration, Density, Flag, ItemSpecification, Model, N_DIMENSIONS_MAX,
    N_NODES, Options, Parameter, Reference, Sample, Specification,
};
use crate::responses::{MISSING, Responses};

/// A place for a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Slot {
    /// Position among the free parameters.
    Free(usize),
    /// Known.
    Fixed(f64),
}

impl Slot {
    pub(super) fn value(self, phi: &[f64]) -> f64 {
        match self {
            Self::Free(at) => phi[at],
            Self::Fixed(value) => value,
        }
    }

    pub(super) fn free(self) -> Option<usize> {
        match self {
            Self::Free(at) => Some(at),
            Self::Fixed(_) => None,
        }
    }
}

/// An item as one group, or all of them, have it.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) item: usize,
    pub(super) group: Option<usize>,
    pub(super) dimension: usize,
    pub(super) family: Family,
    pub(super) slots: Vec<Slot>,
    /// The answer each category stands for.
    pub(super) values: Vec<i32>,
    /// Share of answers in each category.
    shares: Vec<f64>,
    /// Category of each packed answer; [`MISSING`] where there is none.
    pub(super) category_of_code: Vec<u8>,
}

impl Instance {
    pub(super) fn xi(&self, phi: &[f64]) -> Vec<f64> {
        self.slots.iter().map(|slot| slot.value(phi)).collect()
    }
}

/// A log-density added to the log-likelihood.
#[derive(Debug, Clone, Copy)]
pub(super) struct Penalty {
    pub(super) at: usize,
    density: Density,
}

/// All that the specification asks for, laid out.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) n_dimensions: usize,
    pub(super) n_nodes: usize,
    pub(super) range: f64,
    pub(super) instances: Vec<Instance>,
    /// Per group and item, the instance.
    pub(super) of_group: Vec<Vec<usize>>,
    /// Per group, the slots of [`Moment::all`].
    pub(super) populations: Vec<Vec<Slot>>,
    pub(super) penalties: Vec<Penalty>,
    pub(super) n_free: usize,
    pub(super) flags: Vec<Flag>,
    /// Free parameters of the populations start here.
    pub(super) first_moment: usize,
}

impl Plan {
    pub(super) fn new(
        sample: &Sample<'_>,
        specification: &Specification,
        options: &Options,
    ) -> Result<Self, CalibrateError> {
        check(sample, specification, options)?;
        let n_groups = n_groups(sample);
        let tallies = Tallies::new(sample, n_groups)?;
        let default_nodes = [61, 31, 15, 11][specification.n_dimensions - 1];
        let mut plan = Self {
            n_dimensions: specification.n_dimensions,
            n_nodes: options.n_nodes.unwrap_or(default_nodes),
            range: options.range,
            instances: Vec::new(),
            of_group: vec![Vec::new(); n_groups],
            populations: Vec::new(),
            penalties: Vec::new(),
            n_free: 0,
            flags: Vec::new(),
            first_moment: 0,
        };
        for (item, asked) in specification.items.iter().enumerate() {
            let own = asked.by_group && n_groups > 1 && asked.anchor.is_none();
            for group in 0..n_groups {
                if own || group == 0 {
                    let group = own.then_some(group);
                    plan.add(sample.responses, &tallies, asked, item, group)?;
                }
                plan.of_group[group].push(plan.instances.len() - 1);
            }
        }
        plan.first_moment = plan.n_free;
        for group in 0..n_groups {
            let slots = plan.population_slots(specification, group);
            plan.populations.push(slots);
        }
        if plan.n_free == 0 {
            return Err(CalibrateError::NothingFree);
        }
        Ok(plan)
    }

    fn add(
        &mut self,
        responses: &Responses,
        tallies: &Tallies,
        asked: &ItemSpecification,
        item: usize,
        group: Option<usize>,
    ) -> Result<(), CalibrateError> {
        let counts = tallies.of(item, group);
        let lowest = responses.lowest(item);
        let instance = match &asked.anchor {
            Some(anchor) => anchored(anchor, asked, item, &counts, lowest)?,
            None => self.estimated(asked, item, group, &counts, lowest)?,
        };
        for prior in &asked.priors {
            self.penalise(&instance, *prior)?;
        }
        self.instances.push(instance);
        Ok(())
    }

    fn estimated(
        &mut self,
        asked: &ItemSpecification,
        item: usize,
        group: Option<usize>,
        counts: &[usize],
        lowest: i32,
    ) -> Result<Instance, CalibrateError> {
        let n_answers: usize = counts.iter().sum();
        let used: Vec<usize> = (0..counts.len()).filter(|&code| counts[code] > 0).collect();
        let value = |code: usize| lowest + code as i32;
        match used[..] {
            [] => return Err(CalibrateError::NoAnswers { item, group }),
            [only] => {
                let value = value(only);
                return Err(CalibrateError::NoVariance { item, group, value, n_answers });
            }
            [_, _, _, ..] if asked.model.two_categories_only() => {
                let n_categories = used.len();
                return Err(CalibrateError::NotTwoCategories { item, n_categories });
            }
            _ => {}
        }
        self.flag_counts(item, group, counts, lowest);
        let mut category_of_code = vec![MISSING; 256];
        used.iter().enumerate().for_each(|(k, &code)| category_of_code[code] = k as u8);
        let family = Family::new(asked.model, used.len());
        let slots = self.slots(&family, asked.dimension);
        Ok(Instance {
            item,
            group,
            dimension: asked.dimension,
            slots,
            values: used.iter().map(|&code| value(code)).collect(),
            shares: used.iter().map(|&code| counts[code] as f64 / n_answers as f64).collect(),
            category_of_code,
            family,
        })
    }

    /// New places for an item's parameters; rating scale steps are shared with an earlier item.
    fn slots(&mut self, family: &Family, dimension: usize) -> Vec<Slot> {
        let n = family.n_parameters();
        let fresh = |at: usize| Slot::Free(self.n_free + at);
        let twin = self.instances.iter().find(|other| {
            family.model == Model::RatingScale
                && other.family == *family
                && other.dimension == dimension
                && other.slots[0].free().is_some()
        });
        let slots: Vec<Slot> = match twin {
            Some(twin) => std::iter::once(fresh(0)).chain(twin.slots[1..].to_vec()).collect(),
            None => (0..n).map(fresh).collect(),
        };
        self.n_free += if twin.is_some() { 1 } else { n };
        slots
    }

    fn flag_counts(&mut self, item: usize, group: Option<usize>, counts: &[usize], lowest: i32) {
        const RARE: usize = 5;
        let value = |code: usize| lowest + code as i32;
        let first = counts.iter().position(|&n| n > 0).unwrap_or(0);
        let last = counts.iter().rposition(|&n| n > 0).unwrap_or(0);
        let empty = (first..last).filter(|&code| counts[code] == 0);
        let missing: Vec<i32> = empty.map(value).collect();
        if !missing.is_empty() {
            self.flags.push(Flag::EmptyCategories { item, group, missing });
        }
        for (code, &n_answers) in counts.iter().enumerate() {
            if n_answers > 0 && n_answers < RARE {
                let value = value(code);
                self.flags.push(Flag::RareCategory { item, group, value, n_answers });
            }
        }
    }

    fn penalise(&mut self, instance: &Instance, prior: super::Prior) -> Result<(), CalibrateError> {
        let item = instance.item;
        let refuse = |reason| Err(CalibrateError::Prior { item, reason });
        let (n, k_max) = (instance.slots.len(), instance.family.n_categories - 1);
        let places = match (prior.parameter, instance.family.model) {
            (Parameter::Guessing, Model::ThreeParameter) => 2..3,
            (Parameter::Guessing, _) => return refuse("only three-parameter items guess"),
            (Parameter::Slope, Model::Nominal) => 0..k_max,
            (Parameter::Slope, model) if model.has_slopes() => 0..1,
            (Parameter::Slope, _) => return refuse("the slope of this model is 1, not estimated"),
            (Parameter::Intercept, Model::Nominal) => k_max..n,
            (Parameter::Intercept, Model::ThreeParameter) => 1..2,
            (Parameter::Intercept, Model::RatingScale) => 0..1,
            (Parameter::Intercept, model) if model.has_slopes() => 1..n,
            (Parameter::Intercept, _) => 0..n,
        };
        match (prior.density, prior.parameter) {
            (Density::Beta { alpha, beta }, Parameter::Guessing) => {
                if !(alpha > 1.0 && beta > 1.0 && (alpha + beta).is_finite()) {
                    return refuse("both numbers of a beta prior must be above 1");
                }
            }
            (Density::Beta { .. }, _) => return refuse("a beta prior is for guessing only"),
            (Density::LogNormal { .. }, Parameter::Intercept | Parameter::Guessing) => {
                return refuse("a log-normal prior is for slopes only");
            }
            (Density::Normal { mean, sd } | Density::LogNormal { mean, sd }, _) => {
                if !(mean.is_finite() && sd > 0.0 && sd.is_finite()) {
                    return refuse("a prior's mean must be finite and its deviation above 0");
                }
            }
        }
        let density = prior.density;
        let free = instance.slots[places].iter().filter_map(|slot| slot.free());
        self.penalties.extend(free.map(|at| Penalty { at, density }));
        Ok(())
    }

    fn population_slots(&mut self, asked: &Specification, group: usize) -> Vec<Slot> {
        let items_on =
            |dimension: usize| asked.items.iter().filter(move |item| item.dimension == dimension);
        let anchored = |d: usize| items_on(d).any(|item| item.anchor.is_some());
        let shared = |d: usize| items_on(d).any(|item| !item.by_group);
        let sloped =
            |d: usize| items_on(d).any(|item| item.anchor.is_none() && item.model.has_slopes());
        let mut free = |value: f64, is_free: bool| {
            if is_free {
                self.n_free += 1;
                Slot::Free(self.n_free - 1)
            } else {
                Slot::Fixed(value)
            }
        };
        let by_reference = |automatic: bool| match asked.reference {
            Reference::Automatic => automatic,
            Reference::Standard => false,
            Reference::Free => true,
        };
        let later = group > 0;
        Moment::all(asked.n_dimensions)
            .into_iter()
            .map(|moment| match moment {
                Moment::Mean(d) if later => free(0.0, anchored(d) || shared(d)),
                Moment::Mean(d) => free(0.0, by_reference(anchored(d))),
                Moment::Covariance(i, j) if i != j => free(0.0, !asked.uncorrelated),
                Moment::Covariance(d, _) if later => {
                    free(1.0, anchored(d) || shared(d) || !sloped(d))
                }
                Moment::Covariance(d, _) => free(1.0, by_reference(anchored(d) || !sloped(d))),
            })
            .collect()
    }

    /// Starting values, from another calibration where one is given.
    pub(super) fn start(&self, from: Option<&Calibration>) -> Vec<f64> {
        let mut phi = vec![0.0; self.n_free];
        for instance in &self.instances {
            let xi = from
                .and_then(|calibration| calibration.item_for(instance.item, instance.group))
                .map(|estimate| raw_of(&estimate.parameters))
                .filter(|(family, xi)| *family == instance.family && family.accepts(xi))
                .map_or_else(|| instance.family.start(&instance.shares), |(_, xi)| xi);
            for (slot, value) in instance.slots.iter().zip(xi) {
                if let Slot::Free(at) = *slot {
                    phi[at] = value;
                }
            }
        }
        for (group, slots) in self.populations.iter().enumerate() {
            let known = from.and_then(|calibration| calibration.groups.get(group));
            for (moment, slot) in Moment::all(self.n_dimensions).iter().zip(slots) {
                if let Slot::Free(at) = *slot {
                    phi[at] = match (*moment, known) {
                        (Moment::Mean(d), Some(known)) => known.mean[d].value,
                        (Moment::Covariance(i, j), Some(known)) => known.covariance[i][j].value,
                        (Moment::Covariance(i, j), None) if i == j => 1.0,
                        _ => 0.0,
                    };
                }
            }
        }
        phi
    }

    pub(super) fn population(&self, phi: &[f64], group: usize) -> Population {
        let moments: Vec<f64> =
            self.populations[group].iter().map(|slot| slot.value(phi)).collect();
        Population::from_moments(self.n_dimensions, &moments)
    }

    /// The free moments of a group's population, with their positions.
    pub(super) fn free_moments(&self, group: usize) -> (Vec<Moment>, Vec<usize>) {
        let all = Moment::all(self.n_dimensions);
        let free = |(moment, slot): (&Moment, &Slot)| slot.free().map(|at| (*moment, at));
        all.iter().zip(&self.populations[group]).filter_map(free).unzip()
    }

    /// Whether the vector is possible: items in order, populations positive definite.
    pub(super) fn accepts(&self, phi: &[f64]) -> bool {
        phi.iter().all(|x| x.is_finite())
            && self.instances.iter().all(|instance| instance.family.accepts(&instance.xi(phi)))
            && (0..self.populations.len()).all(|group| self.population(phi, group).is_possible())
            && self.penalties.iter().all(|penalty| penalty.log_density(phi[penalty.at]).is_some())
    }
}

impl Penalty {
    /// Log-density without constants, with first and second derivative; `None` outside.
    pub(super) fn log_density(&self, x: f64) -> Option<[f64; 3]> {
        match self.density {
            Density::Normal { mean, sd } => {
                let z = (x - mean) / sd;
                Some([-0.5 * z * z, -z / sd, -1.0 / (sd * sd)])
            }
            Density::LogNormal { mean, sd } => {
                if x <= 0.0 {
                    return None;
                }
                let log = libm::log(x);
                let z = (log - mean) / (sd * sd);
                let curvature = (z + 1.0 - 1.0 / (sd * sd)) / (x * x);
                Some([-0.5 * z * (log - mean) - log, -(z + 1.0) / x, curvature])
            }
            // x is γ = ln(c/(1 − c)).
            Density::Beta { alpha, beta } => {
                let c = 1.0 / (1.0 + libm::exp(-x));
                let value = -(alpha - 1.0) * libm::log1p(libm::exp(-x))
                    - (beta - 1.0) * libm::log1p(libm::exp(x));
                let slope = (alpha - 1.0) * (1.0 - c) - (beta - 1.0) * c;
                Some([value, slope, -(alpha + beta - 2.0) * c * (1.0 - c)])
            }
        }
    }
}

fn anchored(
    anchor: &Anchor,
    asked: &ItemSpecification,
    item: usize,
    counts: &[usize],
    lowest: i32,
) -> Result<Instance, CalibrateError> {
    let (family, xi) = raw_of(&anchor.parameters);
    let (given, wanted) = (anchor.values.len(), family.n_categories);
    if given != wanted {
        return Err(CalibrateError::AnchorValues { item, given, wanted });
    }
    let mut category_of_code = vec![MISSING; 256];
    for code in (0..counts.len()).filter(|&code| counts[code] > 0) {
        let value = lowest + code as i32;
        match anchor.values.iter().position(|&v| v == value) {
            Some(category) => category_of_code[code] = category as u8,
            None => return Err(CalibrateError::UnknownAnswer { item, value }),
        }
    }
    Ok(Instance {
        item,
        group: None,
        dimension: asked.dimension,
        slots: xi.into_iter().map(Slot::Fixed).collect(),
        shares: vec![1.0 / wanted as f64; wanted],
        values: anchor.values.clone(),
        category_of_code,
        family,
    })
}

/// How many persons gave each answer, by item and group.
struct Tallies(Vec<Vec<Vec<usize>>>);

impl Tallies {
    fn new(sample: &Sample<'_>, n_groups: usize) -> Result<Self, CalibrateError> {
        let responses = sample.responses;
        let mut tallies = Vec::new();
        for item in 0..responses.n_items() {
            let mut of_item = vec![vec![0; 256]; n_groups];
            match sample.groups {
                None => responses.codes(item).iter().for_each(|&c| of_item[0][usize::from(c)] += 1),
                Some(groups) => {
                    for (&code, &group) in responses.codes(item).iter().zip(groups) {
                        of_item[group as usize][usize::from(code)] += 1;
                    }
                }
            }
            for counts in &mut of_item {
                counts.truncate(responses.n_categories(item));
            }
            tallies.push(of_item);
        }
        match (0..n_groups)
            .find(|&group| tallies.iter().all(|of| of[group].iter().all(|&n| n == 0)))
        {
            Some(group) => Err(CalibrateError::EmptyGroup { group }),
            None => Ok(Self(tallies)),
        }
    }

    fn of(&self, item: usize, group: Option<usize>) -> Vec<usize> {
        match group {
            Some(group) => self.0[item][group].clone(),
            None => {
                let n_codes = self.0[item][0].len();
                (0..n_codes).map(|code| self.0[item].iter().map(|of| of[code]).sum()).collect()
            }
        }
    }
}

pub(super) fn n_groups(sample: &Sample<'_>) -> usize {
    sample.groups.and_then(|groups| groups.iter().max()).map_or(1, |&highest| highest as usize + 1)
}

fn check(
    sample: &Sample<'_>,
    specification: &Specification,
    options: &Options,
) -> Result<(), CalibrateError> {
    let (given, wanted) = (specification.items.len(), sample.responses.n_items());
    if given != wanted {
        return Err(CalibrateError::ItemCount { given, wanted });
    }
    let n_dimensions = specification.n_dimensions;
    if !(1..=N_DIMENSIONS_MAX).contains(&n_dimensions) {
        return Err(CalibrateError::DimensionCount { n_dimensions });
    }
    for (item, asked) in specification.items.iter().enumerate() {
        let dimension = asked.dimension;
        if dimension >= n_dimensions {
            return Err(CalibrateError::Dimension { item, dimension, n_dimensions });
        }
    }
    let measured = |dimension| specification.items.iter().any(|item| item.dimension == dimension);
    if let Some(dimension) = (0..n_dimensions).find(|&dimension| !measured(dimension)) {
        return Err(CalibrateError::EmptyDimension { dimension });
    }
    check_settings(options)?;
    let wanted = sample.responses.n_persons();
    let lengths = [
        ("groups", sample.groups.map(<[u32]>::len)),
        ("weights", sample.weights.map(<[f64]>::len)),
    ];
    for (what, given) in lengths {
        if let Some(given) = given.filter(|&given| given != wanted) {
            return Err(CalibrateError::PersonCount { what, given, wanted });
        }
    }
    let weights = sample.weights.unwrap_or_default();
    match weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        Some(person) => Err(CalibrateError::Weight { person, value: weights[person] }),
        None => Ok(()),
    }
}

fn check_settings(options: &Options) -> Result<(), CalibrateError> {
    let refuse = |option, value, wanted| Err(CalibrateError::Setting { option, value, wanted });
    if let Some(n_nodes) = options.n_nodes.filter(|n_nodes| !N_NODES.contains(n_nodes)) {
        return refuse("number of nodes", n_nodes as f64, "5 to 401 a dimension");
    }
    if !(options.range > 0.0 && options.range <= 100.0) {
        return refuse("range", options.range, "above 0, at most 100 logits");
    }
    if !(options.tolerance > 0.0 && options.tolerance < 1.0) {
        return refuse("tolerance", options.tolerance, "above 0 and below 1");
    }
    if options.threads == 0 {
        return refuse("number of threads", 0.0, "at least 1");
    }
    Ok(())
}
