//! Statistics against arithmetic of another kind: multiple precision, exact tables, identities.

use psychometrics::change::{Clusters, Sample, hedges_g, hedges_g_clustered};
use psychometrics::columns::{Columns, Groups};
use psychometrics::impact::{Selection, against_highest, four_fifths};
use psychometrics::quality::{Gaps, reliability, split_halves, stratified_alpha};
use psychometrics::raters::{
    Null, a_wg, mean_variance, projected_reliability, raters_needed, variance_of_means,
};
use rand_pcg::Pcg64Mcg;

#[track_caller]
fn close(seen: f64, expected: f64, relative: f64) {
    if seen == expected {
        return;
    }
    let gap = (seen - expected).abs();
    assert!(gap <= relative * expected.abs(), "{seen}, expected {expected}, apart by {gap:e}");
}

/// mpmath 1.3, 25 digits: the non-central t as an integral over the chi distribution.
#[test]
fn hedges_g_agrees_with_integration() {
    for (n1, n2, d, g, se, low, high) in [
        (
            10,
            12,
            0.6,
            0.5771667202444493,
            0.44482900817549703,
            -0.2664145608053272,
            1.4521871042560073,
        ),
        (
            30,
            30,
            -0.25,
            -0.24675089525699434,
            0.2604046238653103,
            -0.75702552330866,
            0.2591595167987713,
        ),
        (5, 40, 1.7, 1.6701462265720697, 0.5118419804377203, 0.6950490138530002, 2.687692127066641),
    ] {
        let first = Sample { n: n1, mean: 3.0 + 2.0 * d, sd: 2.0 };
        let second = Sample { n: n2, mean: 3.0, sd: 2.0 };
        let seen = hedges_g(first, second, 0.95).unwrap();
        close(seen.g, g, 1e-12);
        close(seen.standard_error, se, 1e-12);
        close(seen.interval.0, low, 1e-9);
        close(seen.interval.1, high, 1e-9);
    }
}

#[test]
fn clusters_without_correlation_change_nothing() {
    let (first, second) =
        (Sample { n: 60, mean: 3.4, sd: 1.1 }, Sample { n: 50, mean: 3.0, sd: 0.9 });
    let alone = hedges_g(first, second, 0.95).unwrap();
    let none = Clusters { icc: 0.0, mean_size: 5.0 };
    let seen = hedges_g_clustered(first, second, none, 0.95).unwrap();
    close(seen.d, alone.d, 1e-14);
    close(seen.g, alone.g, 1e-14);
    close(seen.df, alone.df, 1e-14);
    let some = Clusters { icc: 0.2, mean_size: 5.0 };
    let wider = hedges_g_clustered(first, second, some, 0.95).unwrap();
    // The design effect is 1.8: the standard error grows by nearly its root.
    let growth = wider.standard_error / seen.standard_error;
    assert!((growth - 1.8f64.sqrt()).abs() < 0.03, "{growth}");
    assert!(wider.df < seen.df && wider.g < seen.g);
}

/// p, odds ratio and limits: scipy 1 (`fisher_exact`, `contingency.odds_ratio`); ratio limits:
/// bisection with mpmath, 36/40 and 16/80 also being the worked example of Koopman's paper.
#[test]
fn four_fifths_agrees() {
    const INF: f64 = f64::INFINITY;
    for ((x1, n1), (x2, n2), p, odds, low, high, ratio_low, ratio_high) in [
        (
            (12, 40),
            (20, 44),
            0.17980703257472933,
            0.5184178832932683,
            0.1884487970410059,
            1.3807569701675309,
            0.36749734998641004,
            1.1489888817773286,
        ),
        (
            (36, 40),
            (16, 80),
            7.566803984745181e-14,
            34.504737029473986,
            10.359941019852318,
            152.95908208885987,
            2.939569192214994,
            7.15222343486603,
        ),
        (
            (0, 15),
            (5, 20),
            0.05700916730328495,
            0.0,
            0.0,
            1.325614653312291,
            0.0,
            0.886901508968835,
        ),
        (
            (15, 15),
            (14, 20),
            0.026962837921092192,
            INF,
            1.0180747436059923,
            INF,
            1.0962569894560275,
            2.078884599779092,
        ),
        ((3, 9), (0, 7), 0.21250000000000002, INF, 0.3395238144180015, INF, 0.768069125592841, INF),
        (
            (120, 900),
            (260, 1100),
            4.317437768625136e-09,
            0.49721070787442917,
            0.3885898149928502,
            0.6336770331511052,
            0.4626695894263682,
            0.6863995759273261,
        ),
    ] {
        let focal = Selection { selected: x1, total: n1 };
        let reference = Selection { selected: x2, total: n2 };
        let seen = four_fifths(focal, reference, 0.95).unwrap();
        close(seen.p, p, 1e-9);
        close(seen.odds_ratio, odds, 1e-9);
        close(seen.odds_ratio_interval.0, low, 1e-8);
        close(seen.odds_ratio_interval.1, high, 1e-8);
        close(seen.ratio_interval.0, ratio_low, 1e-9);
        close(seen.ratio_interval.1, ratio_high, 1e-9);
    }
}

#[test]
fn the_highest_rate_is_the_reference() {
    let groups = [(9, 30), (20, 40), (5, 25)];
    let groups = groups.map(|(selected, total)| Selection { selected, total });
    let seen = against_highest(&groups, 0.9).unwrap();
    let ratios: Vec<f64> = seen.iter().map(|impact| impact.ratio).collect();
    assert_eq!(ratios, [0.6, 1.0, 0.4]);
    close(seen[1].p, 1.0, 1e-12);
}

const ANSWERS: [f64; 32] = [
    1.0, 2.0, 3.0, 4.0, 5.0, 3.0, 2.0, 4.0, 2.0, 2.0, 3.0, 5.0, 4.0, 2.0, 1.0, 4.0, 1.0, 3.0, 3.0,
    4.0, 4.0, 3.0, 2.0, 5.0, 2.0, 1.0, 4.0, 4.0, 5.0, 2.0, 2.0, 3.0,
];

#[test]
fn alpha_is_the_mean_of_all_split_halves() {
    let items = Columns::new(&ANSWERS, 8, 4).unwrap();
    let alpha = reliability(items, Gaps::Complete, 0.9).unwrap().alpha;
    let halves = split_halves(items, Gaps::Complete, 1, &mut Pcg64Mcg::new(1)).unwrap();
    assert!(halves.exhaustive && halves.n_splits == 3);
    close(halves.mean, alpha, 1e-14);
    assert!(halves.worst <= halves.odd_even_guttman && halves.odd_even_guttman <= halves.best);
    assert!(halves.odd_even >= halves.odd_even_guttman, "equal only for equal variances");
}

#[test]
fn one_stratum_is_plain_alpha() {
    let items = Columns::new(&ANSWERS, 8, 4).unwrap();
    let alpha = reliability(items, Gaps::Pairwise, 0.9).unwrap().alpha;
    close(stratified_alpha(items, &[7; 4], Gaps::Pairwise).unwrap(), alpha, 1e-14);
    // By hand for two strata: 1 - (s1(1 - a1) + s2(1 - a2)) / s.
    let part = |columns: &[f64]| {
        let items = Columns::new(columns, 8, 2).unwrap();
        let whole = reliability(items, Gaps::Pairwise, 0.9).unwrap();
        (4.0 * whole.sd * whole.sd, whole.alpha)
    };
    let ((s1, a1), (s2, a2)) = (part(&ANSWERS[..16]), part(&ANSWERS[16..]));
    let whole = reliability(items, Gaps::Pairwise, 0.9).unwrap();
    let total = 16.0 * whole.sd * whole.sd;
    let expected = 1.0 - (s1 * (1.0 - a1) + s2 * (1.0 - a2)) / total;
    close(stratified_alpha(items, &[0, 0, 1, 1], Gaps::Pairwise).unwrap(), expected, 1e-13);
}

#[test]
fn spearman_brown_goes_both_ways() {
    for icc in [0.05, 0.2, 0.41, 0.8] {
        for wanted in [0.5, 0.7, 0.8, 0.95] {
            let k = raters_needed(icc, wanted).unwrap();
            assert!(projected_reliability(icc, f64::from(k)) >= wanted - 1e-9);
            assert!(k == 1 || projected_reliability(icc, f64::from(k - 1)) < wanted);
        }
    }
}

#[test]
fn null_variances_are_the_published_ones() {
    close(Null::Rectangular { categories: 5 }.variance().unwrap(), 2.0, 1e-15);
    close(Null::Rectangular { categories: 7 }.variance().unwrap(), 4.0, 1e-15);
    close(Null::SlightlySkewedFive.variance().unwrap(), 1.34, 1e-14);
    close(Null::Distribution(&[1.0; 5]).variance().unwrap(), 2.0, 1e-14);
}

#[test]
fn raters_at_the_end_of_the_scale_agree_and_variances_are_those_of_two_items() {
    // Two items, a row a rater; the first team all gave 5 to the first item.
    let ratings = [5.0, 5.0, 5.0, 1.0, 3.0, 4.0, 2.0, 3.0, 2.0, 5.0];
    let items = Columns::new(&ratings, 5, 2).unwrap();
    let groups = Groups::new(&[1, 1, 1, 2, 2]);
    let value = |seen: Vec<psychometrics::raters::Agreement>, group: usize| seen[group].value;
    // The second item: variance 1, at most ((6 * 3) - 9 - 5) * 3 / 2 = 6.
    let agreed = value(a_wg(items, &groups, 1.0, 5.0).unwrap(), 0).unwrap();
    assert!((agreed - f64::midpoint(1.0, 1.0 - 2.0 / 6.0)).abs() < 1e-12, "{agreed}");
    let mean = value(mean_variance(items, &groups).unwrap(), 1).unwrap();
    assert!((mean - f64::midpoint(2.0, 4.5)).abs() < 1e-12, "{mean}");
    // Means 1.5 and 4.
    let of_means = value(variance_of_means(items, &groups).unwrap(), 1).unwrap();
    assert!((of_means - 3.125).abs() < 1e-12, "{of_means}");
}
