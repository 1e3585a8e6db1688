//! The maximisation step: Newton on the expected complete-data log-likelihood.
//!
//! It falls apart into pieces without common parameters: an item, a set of rating scale items, a
//! population. Each piece takes a few Newton steps of its own, halved where they would go down.

use super::engine::{Engine, Point, scatter};
use super::expect::Expectation;
use crate::matrix::Matrix;
use crate::parallel;

/// Newton steps a piece takes in one maximisation.
const STEPS_MAX: usize = 4;
/// Halvings of one step.
const HALVINGS_MAX: usize = 12;

/// Parameters that the complete-data log-likelihood ties together, and what they belong to.
#[derive(Debug, Default)]
pub(super) struct Piece {
    parameters: Vec<usize>,
    instances: Vec<usize>,
    group: Option<usize>,
}

/// The pieces of a plan.
pub(super) fn pieces(engine: &Engine<'_>) -> Vec<Piece> {
    let plan = engine.plan;
    let mut pieces: Vec<Piece> = Vec::new();
    let mut owner: Vec<Option<usize>> = vec![None; plan.n_free];
    for (at, instance) in plan.instances.iter().enumerate() {
        let free: Vec<usize> = instance.slots.iter().filter_map(|slot| slot.free()).collect();
        if free.is_empty() {
            continue;
        }
        let piece = free.iter().find_map(|&place| owner[place]).unwrap_or_else(|| {
            pieces.push(Piece::default());
            pieces.len() - 1
        });
        pieces[piece].instances.push(at);
        for place in free {
            if owner[place].is_none() {
                owner[place] = Some(piece);
                pieces[piece].parameters.push(place);
            }
        }
    }
    for group in 0..plan.populations.len() {
        let (_, parameters) = plan.free_moments(group);
        if !parameters.is_empty() {
            pieces.push(Piece { parameters, instances: Vec::new(), group: Some(group) });
        }
    }
    pieces
}

/// The parameters that maximise (or at least raise) what `point` expects.
pub(super) fn maximise(engine: &Engine<'_>, pieces: &[Piece], point: &Point) -> Vec<f64> {
    let found = parallel::map(engine.threads, pieces.len(), |at| {
        let mut own = point.phi.clone();
        climb(engine, &pieces[at], &point.expectation, &mut own);
        own
    });
    let mut phi = point.phi.clone();
    for (piece, own) in pieces.iter().zip(found) {
        piece.parameters.iter().for_each(|&at| phi[at] = own[at]);
    }
    phi
}

fn climb(engine: &Engine<'_>, piece: &Piece, expectation: &Expectation, phi: &mut [f64]) {
    let Some(mut here) = value(engine, piece, expectation, phi) else { return };
    for _ in 0..STEPS_MAX {
        let step = ascent(&here.1, &here.2);
        let slope: f64 = step.iter().zip(&here.1).map(|(s, g)| s * g).sum();
        if slope.is_nan() || slope <= 1e-9 * (1.0 + here.0.abs()) * f64::EPSILON.sqrt() {
            return;
        }
        let before: Vec<f64> = piece.parameters.iter().map(|&at| phi[at]).collect();
        let mut length = 1.0;
        let mut found = None;
        for _ in 0..HALVINGS_MAX {
            for ((&at, x), s) in piece.parameters.iter().zip(&before).zip(&step) {
                phi[at] = x + length * s;
            }
            found = value(engine, piece, expectation, phi).filter(|next| next.0 >= here.0);
            if found.is_some() {
                break;
            }
            length *= 0.5;
        }
        match found {
            Some(next) => here = next,
            None => {
                piece.parameters.iter().zip(before).for_each(|(&at, x)| phi[at] = x);
                return;
            }
        }
    }
}

/// The piece's expected log-likelihood with priors, gradient and Hessian; `None` outside.
fn value(
    engine: &Engine<'_>,
    piece: &Piece,
    expectation: &Expectation,
    phi: &[f64],
) -> Option<(f64, Vec<f64>, Matrix)> {
    let (plan, n) = (engine.plan, piece.parameters.len());
    let local = |at: usize| piece.parameters.iter().position(|&p| p == at);
    let (mut total, mut gradient, mut hessian) = (0.0, vec![0.0; n], Matrix::zeros(n, n));
    for &at in &piece.instances {
        let instance = &plan.instances[at];
        let xi = instance.xi(phi);
        if !instance.family.accepts(&xi) {
            return None;
        }
        let places: Vec<_> =
            instance.slots.iter().map(|slot| slot.free().and_then(local)).collect();
        let (mut own, mut curvature) = (vec![0.0; xi.len()], Matrix::zeros(0, 0));
        let counts = &expectation.counts[at];
        let nodes = &engine.grid.nodes;
        total += instance.family.complete(&xi, nodes, counts, &mut own, &mut curvature);
        scatter(&places, &own, &curvature, &mut gradient, &mut hessian);
    }
    if let Some(group) = piece.group {
        let population = plan.population(phi, group);
        if !population.is_possible() {
            return None;
        }
        let (moments, _) = plan.free_moments(group);
        let counts = &expectation.populations[group];
        (total, gradient, hessian) = population.complete(&engine.grid, &moments, counts);
    }
    for penalty in &plan.penalties {
        if let Some(at) = local(penalty.at) {
            let [value, first, second] = penalty.log_density(phi[penalty.at])?;
            total += value;
            gradient[at] += first;
            hessian.add(at, at, second);
        }
    }
    Some((total, gradient, hessian))
}

/// The Newton step −H⁻¹g, with a ridge where H is not negative definite.
pub(super) fn ascent(gradient: &[f64], hessian: &Matrix) -> Vec<f64> {
    let n = gradient.len();
    let largest = hessian.diagonal().fold(1e-12, |largest: f64, h| largest.max(h.abs()));
    let mut ridge = 0.0;
    loop {
        let negative =
            Matrix::from_fn(n, n, |i, j| -hessian.at(i, j) + if i == j { ridge } else { 0.0 });
        match negative.cholesky() {
            Ok(factor) => return factor.solve(gradient),
            // Doubling ends: at the largest absolute row sum the matrix is diagonally dominant.
            Err(_) => ridge = if ridge == 0.0 { 1e-4 * largest } else { 4.0 * ridge },
        }
        if ridge > 1e12 * largest {
            return gradient.iter().map(|g| g / largest).collect();
        }
    }
}
