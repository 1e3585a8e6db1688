//! Known truth, simulated samples: estimates lie about it as their standard errors say.

use psychometrics::columns::{Columns, Groups};
use psychometrics::factors::{confirmatory, polychoric};
use psychometrics::quality::omega;
use psychometrics::raters::{Likelihood, one_way, one_way_components};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Two independent standard normal numbers by Box and Muller.
fn normals(chance: &mut Pcg64Mcg) -> [f64; 2] {
    let radius = (-2.0 * (1.0 - chance.random::<f64>()).ln()).sqrt();
    let (sin, cos) = (std::f64::consts::TAU * chance.random::<f64>()).sin_cos();
    [radius * cos, radius * sin]
}

fn normal(chance: &mut Pcg64Mcg) -> f64 {
    normals(chance)[0]
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, (square / (n - 1.0)).sqrt())
}

/// The spread of 4,000 estimates is itself known within 1.1 %, so 5 % is more than four errors.
#[test]
fn a_polychoric_correlation_and_its_standard_error() {
    const SAMPLES: usize = 4_000;
    for (rho, n, cuts) in [
        (0.5_f64, 300, [-0.8, 0.1, 1.0]),
        (-0.3, 200, [-0.2, 0.6, 1.3]),
        (0.75, 400, [-1.0, 0.0, 1.0]),
    ] {
        let mut chance = Pcg64Mcg::seed_from_u64(20);
        let category = |z: f64| cuts.iter().filter(|&&cut| z > cut).count() as f64;
        let (mut estimates, mut errors) = (Vec::new(), Vec::new());
        for _ in 0..SAMPLES {
            let (mut first, mut second) = (Vec::new(), Vec::new());
            for _ in 0..n {
                let [x, e] = normals(&mut chance);
                first.push(category(x));
                second.push(category(rho * x + (1.0 - rho * rho).sqrt() * e).min(2.0));
            }
            let seen = polychoric(&first, &second).expect("a correlation");
            estimates.push(seen.rho);
            errors.push(seen.standard_error);
        }
        let ((mean, spread), (error, _)) = (moments(&estimates), moments(&errors));
        assert!((mean - rho).abs() < 0.1 * spread, "{rho}: mean {mean}, spread {spread}");
        assert!((error / spread - 1.0).abs() < 0.05, "{rho}: error {error}, spread {spread}");
    }
}

/// One-factor model and omega: bias below a tenth of the spread, errors within 5 % of it, and 95 %
/// intervals of omega that hold the truth 93 to 97 times in a hundred.
#[test]
fn loadings_and_omega_with_their_errors() {
    const SAMPLES: usize = 2_000;
    const N: usize = 400;
    let loadings = [0.9, 0.7, 0.6, 0.8, 0.5_f64];
    let residuals = [0.5, 0.6, 0.7, 0.4, 0.9_f64];
    let (l, e): (f64, f64) = (loadings.iter().sum(), residuals.iter().sum());
    let truth = l * l / (l * l + e);
    let mut chance = Pcg64Mcg::seed_from_u64(21);
    let (mut first, mut first_errors, mut held) = (Vec::new(), Vec::new(), 0);
    for _ in 0..SAMPLES {
        let factor: Vec<f64> = (0..N).map(|_| normal(&mut chance)).collect();
        let mut values = Vec::with_capacity(N * loadings.len());
        for (loading, residual) in loadings.iter().zip(residuals) {
            values
                .extend(factor.iter().map(|f| loading * f + residual.sqrt() * normal(&mut chance)));
        }
        let items = Columns::new(&values, N, loadings.len()).expect("a table");
        let model = confirmatory(items, &[0; 5]).expect("a model");
        first.push(model.loadings[0]);
        first_errors.push(model.loadings_se[0]);
        let seen = omega(items, 0.95).expect("omega");
        held += usize::from(seen.interval.0 < truth && truth < seen.interval.1);
    }
    let ((mean, spread), (error, _)) = (moments(&first), moments(&first_errors));
    assert!((mean - loadings[0]).abs() < 0.1 * spread, "mean {mean}, spread {spread}");
    assert!((error / spread - 1.0).abs() < 0.07, "error {error}, spread {spread}");
    let share = held as f64 / SAMPLES as f64;
    assert!((0.93..0.97).contains(&share), "omega's interval held the truth in {share}");
}

/// Balanced groups: the F-interval is exact, and the components are right on average.
#[test]
fn agreement_of_raters_and_its_interval() {
    const SAMPLES: usize = 2_000;
    let (between, within) = (0.3_f64, 0.7_f64);
    let codes: Vec<u32> = (0..240).map(|row| row / 6).collect();
    let groups = Groups::new(&codes);
    let mut chance = Pcg64Mcg::seed_from_u64(22);
    let (mut taus, mut sigmas, mut held) = (Vec::new(), Vec::new(), 0);
    for _ in 0..SAMPLES {
        let mut ratings = Vec::with_capacity(240);
        for _ in 0..40 {
            let level = between.sqrt() * normal(&mut chance);
            ratings.extend((0..6).map(|_| level + within.sqrt() * normal(&mut chance)));
        }
        let seen = one_way(&ratings, &groups, 0.95).expect("agreement");
        held += usize::from(seen.icc1_interval.0 < 0.3 && 0.3 < seen.icc1_interval.1);
        let seen =
            one_way_components(&ratings, &groups, Likelihood::Restricted).expect("variances");
        taus.push(seen.between);
        sigmas.push(seen.within);
    }
    let share = held as f64 / SAMPLES as f64;
    assert!((0.935..0.965).contains(&share), "the interval held the truth in {share}");
    for (values, truth) in [(taus, between), (sigmas, within)] {
        let (mean, spread) = moments(&values);
        assert!((mean - truth).abs() < 0.1 * spread, "{truth}: mean {mean}, spread {spread}");
    }
}
