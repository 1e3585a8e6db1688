//! Against 30-digit values made once with mpmath 1.3.0 (numerical integration and its own
//! incomplete functions), rounded to `f64`.

use super::continuous::{noncentral_chi_squared_cdf, noncentral_t_cdf};
use super::*;

fn relative(seen: f64, expected: f64) -> f64 {
    if expected == 0.0 { seen.abs() } else { (seen / expected - 1.0).abs() }
}

#[test]
fn normal_tails_hold_their_digits() {
    for (x, expected) in [
        (-35.0, 1.1249107064724062e-268),
        (-8.5, 9.479534822203318e-18),
        (-3.0, 0.0013498980316300946),
        (-1.0, 0.15865525393145705),
        (-0.1, 0.460172162722971),
        (0.0, 0.5),
        (0.7, 0.758036347776927),
        (2.5, 0.9937903346742238),
        (6.0, 0.9999999990134123),
    ] {
        // The argument's own rounding is amplified by x²: 1e-13 at −35.
        let tolerance = if x < -30.0 { 2e-13 } else { 1e-14 };
        assert!(relative(normal_cdf(x), expected) < tolerance, "{x}: {}", normal_cdf(x));
    }
}

#[test]
fn normal_quantile_inverts() {
    for exponent in 1..=300 {
        let p = 10f64.powi(-exponent);
        assert!(relative(normal_cdf(normal_quantile(p)), p) < 1e-12, "{p}");
    }
    for step in 1..1000 {
        let p = f64::from(step) / 1000.0;
        assert!(relative(normal_cdf(normal_quantile(p)), p) < 4e-15, "{p}");
    }
    assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
    assert_eq!(normal_quantile(1.0), f64::INFINITY);
    assert!(normal_quantile(1.5).is_nan() && normal_quantile(f64::NAN).is_nan());
    assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-15);
}

#[test]
fn chi_squared_agrees() {
    for (x, df, expected) in [
        (0.001, 1.0, 0.9747728793699604),
        (3.84, 1.0, 0.050043521248705106),
        (20.0, 3.0, 0.00016974243555282643),
        (27.9175, 20.0, 0.11136674751027964),
        (250.0, 200.0, 0.009379131668826096),
        (900.0, 1000.0, 0.9892827619087102),
        (1100.0, 1000.0, 0.014614408126295194),
        (98000.0, 100000.0, 0.9999966152457719),
        (600.0, 10.0, 1.760917694683184e-122),
    ] {
        let seen = chi_squared_upper(x, df);
        assert!(relative(seen, expected) < 1e-12, "{x} {df}: {seen} {expected}");
    }
    assert_eq!(chi_squared_upper(0.0, 3.0), 1.0);
}

const F_VALUES: [(f64, f64, f64, f64, f64); 8] = [
    (1.79467849223947, 5.0, 18.0, 0.8352311916553607, 0.16476880834463925),
    (11.0272479564033, 5.0, 15.0, 0.9998654334835156, 0.0001345665164843348),
    (4.45354308783157, 98.0, 7283.0, 1.0, 1.4612874089987675e-42),
    (0.2, 3.0, 7.0, 0.10683204433751022, 0.8931679556624897),
    (1.01, 1000.0, 5000.0, 0.584804186699664, 0.41519581330033595),
    (12.4491445255333, 98.0, 7283.0, 1.0, 4.089196109536489e-176),
    (0.9, 0.5, 2.5, 0.6688243580714676, 0.33117564192853244),
    (3.0, 1.0, 1.0, 0.6666666666666666, 0.3333333333333333),
];

#[test]
fn f_agrees() {
    for (f, df1, df2, lower, upper) in F_VALUES {
        let seen = f_tails(f, df1, df2);
        assert!(relative(seen.lower, lower) < 1e-12, "{f}: {seen:?} {lower}");
        assert!(relative(seen.upper, upper) < 1e-12, "{f}: {seen:?} {upper}");
    }
}

#[test]
fn f_quantile_inverts() {
    for (f, df1, df2, _, upper) in F_VALUES {
        let seen = f_quantile_upper(upper, df1, df2);
        assert!(relative(seen, f) < 1e-11, "{f}: {seen}");
    }
    // Fisher's tables: F(0.975; 5, 18) = 3.382.
    assert!((f_quantile_upper(0.025, 5.0, 18.0) - 3.382_0).abs() < 5e-4);
}

#[test]
fn t_agrees_and_inverts() {
    for (t, df, upper) in [
        (2.0, 5.0, 0.05096973941492918),
        (-1.3, 17.0, 0.8945240930562365),
        (0.1, 3.0, 0.4633261744004029),
        (12.0, 40.0, 3.912085652127986e-15),
        (1.96, 10000.0, 0.025011760115916524),
    ] {
        let seen = t_tails(t, df);
        assert!(relative(seen.upper, upper) < 1e-12, "{t}: {seen:?}");
        assert!((seen.lower + seen.upper - 1.0).abs() < 1e-15);
        assert!(relative(t_quantile_upper(upper, df), t) < 1e-11, "{t}");
    }
    assert_eq!(t_tails(f64::INFINITY, 4.0).upper, 0.0);
}

/// These by SciPy 1.17.1's `ncx2.cdf`.
#[test]
fn noncentral_chi_squared_agrees() {
    for (x, df, lambda, expected) in [
        (3.84, 1.0, 2.0, 0.7068826118029944),
        (20.0, 10.0, 5.0, 0.8017020282049135),
        (0.5, 4.0, 3.0, 0.006670494996105771),
        (1200.0, 228.0, 980.0, 0.45758016588345796),
        (7492.0, 44.0, 7448.0, 0.5023056876477385),
        (50.0, 20.0, 90.0, 0.00017483283232346295),
    ] {
        let seen = noncentral_chi_squared_cdf(x, df, lambda);
        assert!((seen - expected).abs() < 1e-12, "{x} {df} {lambda}: {seen} {expected}");
        let back = chi_squared_noncentrality(x, df, seen);
        assert!(relative(back, lambda) < 1e-9, "{x} {df}: {back} {lambda}");
    }
    assert_eq!(chi_squared_noncentrality(3.0, 5.0, 0.95), 0.0);
}

#[test]
fn noncentral_t_agrees() {
    for (t, df, delta, expected) in [
        (1.5, 10.0, 1.0, 0.6695168482153547),
        (-0.5, 10.0, 1.0, 0.06960168369324841),
        (3.0, 28.0, 2.2, 0.7635268828808811),
        (0.3, 4.0, -1.1, 0.9154149835736428),
        (-2.0, 50.0, -2.5, 0.6915379155366175),
        (51.0, 9998.0, 50.0, 0.8262592508790256),
        (62.0, 400.0, 60.0, 0.7917939585009185),
        (2.0, 8.0, 0.0, 0.9597418810213687),
        (-1.0, 20.0, 3.0, 4.061502127026288e-05),
    ] {
        let seen = noncentral_t_cdf(t, df, delta);
        assert!((seen - expected).abs() < 1e-12, "{t} {df} {delta}: {seen} {expected}");
    }
}

#[test]
fn bivariate_normal_agrees_with_quadrature() {
    for (x, y, rho, expected) in BIVARIATE {
        let seen = bivariate_normal_cdf(x, y, rho);
        assert!((seen - expected).abs() < 5e-15, "{x} {y} {rho}: {seen} {expected}");
    }
}

#[test]
fn bivariate_normal_at_its_edges() {
    let (x, y) = (0.4, -0.7);
    assert_eq!(bivariate_normal_cdf(f64::INFINITY, y, 0.3), normal_cdf(y));
    assert_eq!(bivariate_normal_cdf(x, f64::INFINITY, 0.3), normal_cdf(x));
    assert_eq!(bivariate_normal_cdf(f64::NEG_INFINITY, y, 0.3), 0.0);
    assert!((bivariate_normal_cdf(x, y, 1.0) - normal_cdf(y)).abs() < 1e-15);
    let band = (normal_cdf(x) + normal_cdf(y) - 1.0).max(0.0);
    assert!((bivariate_normal_cdf(x, y, -1.0) - band).abs() < 1e-15);
    assert_eq!(bivariate_normal_pdf(f64::INFINITY, y, 0.3), 0.0);
}

#[test]
fn density_is_the_derivative_in_the_correlation() {
    let step = 1e-5;
    for rho in [-0.97, -0.6, 0.0, 0.5, 0.95] {
        let difference = (bivariate_normal_cdf(0.3, -0.8, rho + step)
            - bivariate_normal_cdf(0.3, -0.8, rho - step))
            / (2.0 * step);
        assert!((difference - bivariate_normal_pdf(0.3, -0.8, rho)).abs() < 1e-8, "{rho}");
    }
}

const BIVARIATE: [(f64, f64, f64, f64); 54] = [
    (0.0, 0.0, 0.1, 0.26594214021463),
    (0.5, -1.2, 0.1, 0.08619334938781167),
    (-2.0, -2.1, 0.1, 0.0006978713420543875),
    (1.5, 1.4, 0.1, 0.8599781739521836),
    (-0.3, 3.9, 0.1, 0.3820771858919053),
    (-1.0, 1.01, 0.1, 0.13936851103763545),
    (0.0, 0.0, -0.5, 0.16666666666666666),
    (0.5, -1.2, -0.5, 0.04035187414782026),
    (-2.0, -2.1, -0.5, 2.070630952183698e-06),
    (1.5, 1.4, -0.5, 0.8526797546042469),
    (-0.3, 3.9, -0.5, 0.38204151558493665),
    (-1.0, 1.01, -0.5, 0.09682209295704883),
    (0.0, 0.0, 0.9, 0.42821685343564686),
    (0.5, -1.2, 0.9, 0.11506677125269278),
    (-2.0, -2.1, 0.9, 0.011602447693606218),
    (1.5, 1.4, 0.9, 0.900941753915554),
    (-0.3, 3.9, 0.9, 0.3820885778110474),
    (-1.0, 1.01, 0.9, 0.15865512364972986),
    (0.0, 0.0, 0.924, 0.4375501205073361),
    (0.5, -1.2, 0.924, 0.11506946779050817),
    (-2.0, -2.1, 0.924, 0.01260971387046158),
    (1.5, 1.4, 0.924, 0.9039622339397243),
    (-0.3, 3.9, 0.924, 0.3820885778110474),
    (-1.0, 1.01, 0.924, 0.15865525029544272),
    (0.0, 0.0, 0.926, 0.4383878687862466),
    (0.5, -1.2, 0.926, 0.11506951938447109),
    (-2.0, -2.1, 0.926, 0.012701024466282688),
    (1.5, 1.4, 0.926, 0.9042340633598916),
    (-0.3, 3.9, 0.926, 0.3820885778110474),
    (-1.0, 1.01, 0.926, 0.15865525148745782),
    (0.0, 0.0, -0.95, 0.05054131205212994),
    (0.5, -1.2, -0.95, 0.0004144094455705704),
    (-2.0, -2.1, -0.95, 9.361103154591283e-41),
    (1.5, 1.4, -0.95, 0.8524361394973708),
    (-0.3, 3.9, -0.95, 0.38204048146702974),
    (-1.0, 1.01, -0.95, 0.03159031294116447),
    (0.0, 0.0, 0.99, 0.47747329317779397),
    (0.5, -1.2, 0.99, 0.11506967022170826),
    (-2.0, -2.1, 0.99, 0.016894757689676704),
    (1.5, 1.4, 0.99, 0.9164640991481424),
    (-0.3, 3.9, 0.99, 0.3820885778110474),
    (-1.0, 1.01, 0.99, 0.15865525393145705),
    (0.0, 0.0, -0.999, 0.007118218703119828),
    (0.5, -1.2, -0.999, 1.2586728352575017e-58),
    (-2.0, -2.1, -0.999, 0.0),
    (1.5, 1.4, -0.999, 0.8524361394973708),
    (-0.3, 3.9, -0.999, 0.38204048146702974),
    (-1.0, 1.01, -0.999, 0.005606215631732896),
    (0.0, 0.0, 0.9999, 0.4977491904525953),
    (0.5, -1.2, 0.9999, 0.11506967022170826),
    (-2.0, -2.1, 0.9999, 0.017864420562816483),
    (1.5, 1.4, 0.9999, 0.9192433407662287),
    (-0.3, 3.9, 0.9999, 0.3820885778110474),
    (-1.0, 1.01, 0.9999, 0.15865525393145705),
];
