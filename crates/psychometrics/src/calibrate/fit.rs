//! The way to the maximum: cycles, then Newton steps; a subsample first where persons are many.

use super::Options;
use super::engine::{Engine, Point};
use super::information::hessian;
use super::maximise::{Piece, ascent, maximise, pieces};
use crate::matrix::Matrix;

/// Patterns beyond which a subsample is fitted first.
const SUBSAMPLE_ABOVE: usize = 40_000;
/// Patterns of the subsample, about, and one in so many more of all.
const SUBSAMPLE_SIZE: usize = 4_000;
const SUBSAMPLE_SHARE: usize = 64;
/// Cycles end when the objective per person rises by less than this.
const CYCLES_UNTIL: f64 = 1e-5;
/// A step with an old Hessian is worth repeating if it divides the gradient by this: a Hessian
/// costs as much as dozens of gradients.
const CHORD_PAYS: f64 = 1.5;
/// Newton steps on all persons, where these are few, go on to this share of the tolerance: a
/// gradient at the tolerance itself leaves parameters that the data hardly tell a few units of
/// the fourth decimal away.
const AIM: f64 = 1e-3;
/// Halvings of one Newton step.
const HALVINGS_MAX: u32 = 20;

/// Where the way ended.
#[derive(Debug)]
pub(super) struct Fitted {
    pub(super) point: Point,
    pub(super) cycles: u32,
    pub(super) newton_steps: u32,
    pub(super) converged: bool,
    pub(super) gradient_max: f64,
    /// Hessian of the log-posterior at the end, where standard errors were asked for.
    pub(super) hessian: Option<Matrix>,
}

pub(super) fn fit(engine: &Engine<'_>, start: Vec<f64>, options: &Options) -> Fitted {
    let n_patterns = engine.data.n_patterns();
    let pieces = pieces(engine);
    let (mut cycles, mut newton_steps) = (0, 0);
    let (mut phi, mut chord) = (start, None);
    if n_patterns > SUBSAMPLE_ABOVE {
        let thinned =
            engine.data.thinned(n_patterns / (SUBSAMPLE_SIZE + n_patterns / SUBSAMPLE_SHARE));
        let smaller = engine.on(&thinned);
        let rough = Options { tolerance: options.tolerance.max(1e-4), ..*options };
        let (point, n_cycles) = cycle(&smaller, &pieces, phi, &rough);
        let climbed = climb(&smaller, point, None, &rough);
        (cycles, newton_steps) = (n_cycles, climbed.steps);
        let last = climbed.curvature.unwrap_or_else(|| hessian(&smaller, &climbed.point));
        phi = climbed.point.phi;
        let factor = engine.data.total_weight / thinned.total_weight;
        chord = Some(scaled(&last, factor));
    }
    let point = if chord.is_some() {
        engine.evaluate(phi)
    } else {
        let (point, n_cycles) = cycle(engine, &pieces, phi, options);
        cycles += n_cycles;
        point
    };
    let aim = if n_patterns > SUBSAMPLE_ABOVE { 1.0 } else { AIM };
    let last = Options { tolerance: aim * options.tolerance, ..*options };
    let climbed = climb(engine, point, chord, &last);
    newton_steps += climbed.steps;
    let gradient_max = engine.gradient_max(&climbed.point);
    Fitted {
        hessian: options.standard_errors.then(|| hessian(engine, &climbed.point)),
        point: climbed.point,
        cycles,
        newton_steps,
        converged: gradient_max <= options.tolerance,
        gradient_max,
    }
}

fn scaled(matrix: &Matrix, factor: f64) -> Matrix {
    Matrix::from_fn(matrix.n_rows(), matrix.n_columns(), |i, j| factor * matrix.at(i, j))
}

/// EM with squared extrapolation (Varadhan & Roland's S3): two cycles, then a step along their
/// change; where that step is impossible or goes down, the second cycle's end counts.
fn cycle(
    engine: &Engine<'_>,
    pieces: &[Piece],
    start: Vec<f64>,
    options: &Options,
) -> (Point, u32) {
    let enough = CYCLES_UNTIL * engine.data.total_weight;
    let mut here = engine.evaluate(start);
    let mut cycles = 0;
    while cycles < options.cycles_max {
        let before = here.objective();
        let first = engine.evaluate(maximise(engine, pieces, &here));
        let second = maximise(engine, pieces, &first);
        cycles += 2;
        let leap = extrapolated(&here.phi, &first.phi, &second);
        let leapt = leap.filter(|phi| engine.plan.accepts(phi)).map(|phi| engine.evaluate(phi));
        here = match leapt {
            Some(point) if point.objective() >= first.objective() => point,
            _ => engine.evaluate(second),
        };
        let gain = here.objective() - before;
        if gain < enough || engine.gradient_max(&here) <= options.tolerance {
            break;
        }
    }
    (here, cycles)
}

fn extrapolated(zero: &[f64], one: &[f64], two: &[f64]) -> Option<Vec<f64>> {
    const LONGEST: f64 = 64.0;
    let (mut change, mut bend) = (0.0, 0.0);
    for ((x, y), z) in zero.iter().zip(one).zip(two) {
        let (r, v) = (y - x, (z - y) - (y - x));
        change += r * r;
        bend += v * v;
    }
    let length = libm::sqrt(change / bend);
    if !(length.is_finite() && length > 1.0) {
        return None;
    }
    let a = length.min(LONGEST);
    let point = zero.iter().zip(one).zip(two);
    Some(point.map(|((x, y), z)| x + 2.0 * a * (y - x) + a * a * (z - 2.0 * y + x)).collect())
}

struct Climbed {
    point: Point,
    steps: u32,
    /// The Hessian that served last, of parameters nearby, if it served well.
    curvature: Option<Matrix>,
}

/// Newton steps until the gradient is small. With `chord`, a Hessian of nearby parameters or of
/// other data, steps use it for as long as it pays: its making costs several passes over persons.
fn climb(
    engine: &Engine<'_>,
    start: Point,
    mut chord: Option<Matrix>,
    options: &Options,
) -> Climbed {
    let mut here = start;
    let mut steps = 0;
    while steps < options.newton_steps_max {
        let size = engine.gradient_max(&here);
        if size <= options.tolerance {
            break;
        }
        let (curvature, is_exact) = match chord.take() {
            Some(matrix) => (matrix, false),
            None => (hessian(engine, &here), true),
        };
        let step = ascent(&here.gradient, &curvature);
        let Some(next) = search(engine, &here, &step) else {
            if is_exact {
                break;
            }
            continue;
        };
        steps += 1;
        let better = engine.gradient_max(&next);
        // An exact Hessian of a smooth function serves the next step too when near the end.
        if better * CHORD_PAYS <= size {
            let near = if is_exact { 0.02 } else { f64::INFINITY };
            chord = (better <= near * size).then_some(curvature);
        }
        here = next;
    }
    Climbed { point: here, steps, curvature: chord }
}

/// The first point along `step`, halved as often as needed, that is possible and not lower.
fn search(engine: &Engine<'_>, here: &Point, step: &[f64]) -> Option<Point> {
    let slope: f64 = step.iter().zip(&here.gradient).map(|(s, g)| s * g).sum();
    if slope.is_nan() || slope <= 0.0 {
        return None;
    }
    // Differences below this are rounding of a sum over persons.
    let rounding = 1e-12 * here.objective().abs() + 1e-9;
    let mut length = 1.0;
    for _ in 0..HALVINGS_MAX {
        let phi: Vec<f64> = here.phi.iter().zip(step).map(|(x, s)| x + length * s).collect();
        if engine.plan.accepts(&phi) {
            let next = engine.evaluate(phi);
            let rise = next.objective() - here.objective();
            let shrinks = engine.gradient_max(&next) < engine.gradient_max(here);
            if rise >= 1e-4 * length * slope || (rise >= -rounding && shrinks) {
                return Some(next);
            }
        }
        length *= 0.5;
    }
    None
}
