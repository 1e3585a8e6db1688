//! Factors against identities: what an optimum and a decomposition must satisfy by themselves.

use psychometrics::columns::Columns;
use psychometrics::factors::{
    FactorsError, ParallelOptions, Rotation, exploratory, exploratory_of, parallel_analysis,
};
use psychometrics::matrix::{EigenError, Matrix, symmetric_eigen};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

fn number(chance: &mut Pcg64Mcg) -> f64 {
    2.0 * chance.random::<f64>() - 1.0
}

fn symmetric(n: usize, chance: &mut Pcg64Mcg) -> Matrix {
    let half = Matrix::from_fn(n, n, |_, _| number(chance));
    Matrix::from_fn(n, n, |i, j| half.at(i, j) + half.at(j, i))
}

fn largest_gap(n: usize, entry: impl Fn(usize, usize) -> f64) -> f64 {
    let all = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
    all.map(|(i, j)| entry(i, j).abs()).fold(0.0, f64::max)
}

#[test]
fn eigenvectors_rebuild_their_matrix() {
    let mut chance = Pcg64Mcg::seed_from_u64(1);
    for n in 0..=64 {
        let matrix = symmetric(n, &mut chance);
        let eigen = symmetric_eigen(&matrix).unwrap();
        assert!(eigen.values.windows(2).all(|pair| pair[0] >= pair[1]), "descending");
        let v = &eigen.vectors;
        let gap = largest_gap(n, |i, j| {
            let rebuilt: f64 = (0..n).map(|k| v.at(i, k) * eigen.values[k] * v.at(j, k)).sum();
            rebuilt - matrix.at(i, j)
        });
        // A random symmetric matrix of this size has eigenvalues up to about 1.2 √n.
        assert!(gap < 1e-13 * (n as f64).max(1.0), "{n}: apart by {gap:e}");
        let gap = largest_gap(n, |i, j| {
            let product: f64 = (0..n).map(|k| v.at(k, i) * v.at(k, j)).sum();
            product - f64::from(u8::from(i == j))
        });
        assert!(gap < 1e-13, "{n}: vectors not orthonormal by {gap:e}");
    }
}

#[test]
fn known_eigenvalues_and_those_that_are_all_alike() {
    // A correlation matrix with the same r everywhere: 1 + (n − 1) r once, 1 − r else.
    for (n, r) in [(2, 0.3), (5, -0.2), (20, 0.999_999), (64, 0.0)] {
        let matrix = Matrix::from_fn(n, n, |i, j| if i == j { 1.0 } else { r });
        let mut expected = vec![1.0 - r; n];
        expected[0] = 1.0 + (n - 1) as f64 * r;
        expected.sort_by(|a, b| b.total_cmp(a));
        for (seen, expected) in symmetric_eigen(&matrix).unwrap().values.iter().zip(expected) {
            assert!((seen - expected).abs() < 1e-13, "{n} {r}: {seen}, expected {expected}");
        }
    }
}

#[test]
fn what_is_not_symmetric_is_refused() {
    let skew = Matrix::from_fn(2, 2, |i, j| (2 * i + j) as f64);
    assert!(matches!(symmetric_eigen(&skew), Err(EigenError::NotSymmetric { row: 1, .. })));
    let holed = Matrix::from_fn(2, 2, |_, _| f64::NAN);
    assert!(matches!(symmetric_eigen(&holed), Err(EigenError::NotSymmetric { .. })));
    let wide = Matrix::from_fn(2, 3, |_, _| 1.0);
    assert!(matches!(symmetric_eigen(&wide), Err(EigenError::NotSquare { .. })));
}

/// Loadings whose model is exact: 8 items, 2 factors correlated 0.4, simple structure.
fn exact() -> (Matrix, Matrix) {
    let loading = |item: usize, factor: usize| {
        let size = [0.8, 0.7, 0.6, 0.5][item % 4];
        if item / 4 == factor { size } else { 0.0 }
    };
    let phi = |a: usize, b: usize| if a == b { 1.0 } else { 0.4 };
    let correlations = Matrix::from_fn(8, 8, |i, j| {
        if i == j {
            return 1.0;
        }
        loading(i, i / 4) * phi(i / 4, j / 4) * loading(j, j / 4)
    });
    (correlations, Matrix::from_fn(8, 2, loading))
}

#[test]
fn an_exact_pattern_is_found_exactly() {
    let (correlations, pattern) = exact();
    let seen = exploratory_of(&correlations, 500, 2, Rotation::Oblimin).unwrap();
    assert!(seen.improper_items.is_empty() && seen.residual < 1e-9 && seen.df == 13);
    let phi = seen.factor_correlations.at(0, 1);
    assert!((phi - 0.4).abs() < 1e-6, "{phi}, {:?}", seen.loadings);
    for item in 0..8 {
        let mut found = [seen.loadings.at(item, 0).abs(), seen.loadings.at(item, 1).abs()];
        found.sort_by(f64::total_cmp);
        let expected = pattern.row(item).iter().copied().fold(0.0, f64::max);
        assert!(found[0] < 1e-6 && (found[1] - expected).abs() < 1e-6, "{item}: {found:?}");
    }
}

#[test]
fn rotation_keeps_what_the_factors_explain() {
    let mut chance = Pcg64Mcg::seed_from_u64(2);
    for seed in 0..20 {
        let (exact, _) = exact();
        let noise = symmetric(8, &mut chance);
        let correlations = Matrix::from_fn(8, 8, |i, j| {
            if i == j { 1.0 } else { exact.at(i, j) + 0.03 * noise.at(i, j) }
        });
        let plain = exploratory_of(&correlations, 300, 2, Rotation::Unrotated).unwrap();
        for rotation in [Rotation::Varimax, Rotation::Oblimin] {
            let turned = exploratory_of(&correlations, 300, 2, rotation).unwrap();
            let common = |l: &Matrix, phi: &Matrix, i: usize, j: usize| -> f64 {
                let pairs = (0..2).flat_map(|a| (0..2).map(move |b| (a, b)));
                pairs.map(|(a, b)| l.at(i, a) * phi.at(a, b) * l.at(j, b)).sum()
            };
            let gap = largest_gap(8, |i, j| {
                common(&turned.loadings, &turned.factor_correlations, i, j)
                    - common(&plain.loadings, &plain.factor_correlations, i, j)
            });
            assert!(gap < 1e-10, "seed {seed}, {rotation:?}: apart by {gap:e}");
        }
    }
}

#[test]
fn residuals_cannot_be_made_smaller() {
    let mut chance = Pcg64Mcg::seed_from_u64(3);
    let (exact, _) = exact();
    let noise = symmetric(8, &mut chance);
    let correlations =
        Matrix::from_fn(
            8,
            8,
            |i, j| {
                if i == j { 1.0 } else { exact.at(i, j) + 0.05 * noise.at(i, j) }
            },
        );
    let seen = exploratory_of(&correlations, 300, 2, Rotation::Unrotated).unwrap();
    let squares = |l: &Matrix| -> f64 {
        let pairs = (0..8).flat_map(|i| (0..i).map(move |j| (i, j)));
        pairs
            .map(|(i, j)| {
                let common = l.at(i, 0) * l.at(j, 0) + l.at(i, 1) * l.at(j, 1);
                (correlations.at(i, j) - common).powi(2)
            })
            .sum()
    };
    let best = squares(&seen.loadings);
    for size in [1e-2, 1e-3, 1e-4] {
        for _ in 0..200 {
            let moved =
                Matrix::from_fn(8, 2, |i, j| seen.loadings.at(i, j) + size * number(&mut chance));
            assert!(squares(&moved) > best - 1e-15, "a move of {size} finds less");
        }
    }
}

#[test]
fn impossible_requests_are_named() {
    let (correlations, _) = exact();
    for n_factors in [0, 5, 8, 9] {
        let seen = exploratory_of(&correlations, 100, n_factors, Rotation::Oblimin);
        assert!(matches!(seen, Err(FactorsError::NotIdentified { .. })), "{n_factors}");
    }
    let twice = Matrix::from_fn(4, 4, |_, _| 1.0);
    let seen = exploratory_of(&twice, 100, 1, Rotation::Oblimin);
    assert!(matches!(seen, Err(FactorsError::Singular { item: 1 })));
    let answers: Vec<f64> = (0..40).map(|at| f64::from(at % 7)).collect();
    let constant: Vec<f64> = answers.iter().copied().chain([3.0; 20]).collect();
    let items = Columns::new(&constant, 20, 3).unwrap();
    let seen = exploratory(items, 1, Rotation::Oblimin);
    assert!(matches!(seen, Err(FactorsError::Singular { item: 2 })), "{seen:?}");
    let mut chance = Pcg64Mcg::seed_from_u64(4);
    let none = ParallelOptions { n_draws: 0, quantile: 0.95 };
    let seen = parallel_analysis(items, none, &mut chance);
    assert!(matches!(seen, Err(FactorsError::BadDraws { n_draws: 0, .. })));
}

#[test]
fn a_seed_gives_the_same_parallel_analysis() {
    let mut chance = Pcg64Mcg::seed_from_u64(5);
    let factor: Vec<f64> = (0..200).map(|_| number(&mut chance)).collect();
    let mut values = Vec::new();
    for _ in 0..6 {
        values.extend(factor.iter().map(|f| f + number(&mut chance)));
    }
    let items = Columns::new(&values, 200, 6).unwrap();
    let run = |seed| {
        let options = ParallelOptions { n_draws: 50, quantile: 0.95 };
        parallel_analysis(items, options, &mut Pcg64Mcg::seed_from_u64(seed)).unwrap()
    };
    let (first, again, other) = (run(1), run(1), run(2));
    assert_eq!(first, again);
    assert_ne!(first.components.simulated_mean, other.components.simulated_mean);
    assert_eq!((first.components.n_above, first.factors.n_above), (1, 1));
    let total: f64 = first.components.simulated_mean.iter().sum();
    assert!((total - 6.0).abs() < 1e-10, "correlations have a trace of 6: {total}");
}
