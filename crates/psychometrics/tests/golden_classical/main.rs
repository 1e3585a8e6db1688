//! R's figures for simulated data and published tables (`golden/classical/README.md`).

mod checks;
mod small;

use std::path::Path;

use checks::{Folder, close, number, numbers, ratings, scale};
use psychometrics::change::{
    Score, adjusted_difference, reliable_change, reliable_change_of_scores,
};
use psychometrics::columns::Columns;
use psychometrics::raters::{crossed_components, shrout_fleiss};

fn shipped() -> Folder {
    Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/classical"))
}

#[test]
fn simulated_ratings() {
    ratings(&shipped(), "icc_rwg_ratings.json", "ratings.csv", "leader");
}

fn shrout_fleiss_table() -> Vec<f64> {
    let json = shipped().json("shrout_fleiss.json");
    let rows: Vec<Vec<f64>> = json["data"].as_array().expect("rows").iter().map(numbers).collect();
    (0..4).flat_map(|judge| rows.iter().map(move |row| row[judge])).collect()
}

#[test]
fn the_six_of_shrout_and_fleiss() {
    let values = shrout_fleiss_table();
    let seen = shrout_fleiss(Columns::new(&values, 6, 4).unwrap(), 0.95).unwrap();
    let expected = &shipped().json("shrout_fleiss.json")["anova"];
    let column = |key: &str| numbers(&expected[key]);
    let six = [seen.icc1, seen.icc2, seen.icc3, seen.icc1k, seen.icc2k, seen.icc3k];
    for (place, icc) in six.iter().enumerate() {
        let what = expected["type"][place].as_str().unwrap();
        close(icc.icc, column("ICC")[place], 1e-10, what);
        close(icc.f, column("F")[place], 1e-10, what);
        close(icc.df1, column("df1")[place], 0.0, what);
        close(icc.df2, column("df2")[place], 0.0, what);
        close(icc.p, column("p")[place], 1e-10, what);
        close(icc.interval.0, column("lower bound")[place], 1e-10, what);
        close(icc.interval.1, column("upper bound")[place], 1e-10, what);
    }
}

#[test]
fn variance_components_give_the_same_coefficients() {
    let values = shrout_fleiss_table();
    let seen = crossed_components(Columns::new(&values, 6, 4).unwrap()).unwrap();
    let expected = numbers(&shipped().json("shrout_fleiss.json")["lmer"]["ICC"]);
    assert!(!seen.truncated);
    // Judges of their own for everybody: what judges differ by is noise too, as in psych's mean squares from components.
    let (persons, judges, rest) = (seen.target, seen.judge, seen.residual);
    let (own, whole) = (4.0 * persons - judges, 4.0 * persons + rest);
    close(own / (whole + 3.0 * (rest + judges)), expected[0], 2e-6, "ICC1");
    close(own / whole, expected[3], 2e-6, "ICC1k");
    close(seen.absolute(1.0), expected[1], 2e-6, "ICC2");
    close(seen.relative(1.0), expected[2], 2e-6, "ICC3");
    close(seen.absolute(4.0), expected[4], 2e-6, "ICC2k");
    close(seen.relative(4.0), expected[5], 2e-6, "ICC3k");
}

#[test]
fn simulated_scale() {
    scale(&shipped(), "ctt_scale.json", "scale.csv");
}

#[test]
fn simulated_right_and_wrong() {
    scale(&shipped(), "ctt_right_wrong.json", "right_wrong.csv");
}

#[test]
fn lsat_section_seven() {
    scale(&shipped(), "ctt_lsat7.json", "lsat7.csv");
}

#[test]
fn a_reliable_change() {
    let expected = &shipped().json("shrout_fleiss.json")["reliable_change"];
    let of = |key: &str| number(&expected[key]);
    let seen = reliable_change(of("pre"), of("post"), of("sd"), of("reliability"), 0.95).unwrap();
    close(seen.standard_error, of("SEM"), 1e-12, "SEM");
    close(seen.standard_error_of_difference, of("S_diff"), 1e-12, "S_diff");
    close(seen.index, of("RCI"), 1e-12, "RCI");
    close(seen.smallest_reliable, of("minimal_change_95"), 1e-12, "minimal change");
    assert_eq!(seen.reliable, expected["reliable_at_95"].as_bool().unwrap());
    let irt = |key: &str| number(&expected["IRT"][key]);
    let score = |value: &str, se: &str| Score { value: irt(value), standard_error: irt(se) };
    let seen = reliable_change_of_scores(score("theta1", "se1"), score("theta2", "se2"), 0.95);
    close(seen.unwrap().index, irt("z"), 1e-12, "z");
}

/// numpy 2 `linalg.lstsq` on a design matrix with a dummy; scipy 1 for t and F.
#[test]
fn an_adjusted_difference() {
    let outcomes = [5.1, 6.3, 4.4, 5.9, 6.8, 5.0, 6.9, 7.7, 6.1, 8.2, 7.0, 7.4, 6.6, f64::NAN];
    let covariates = [
        4.2, 5.0, 3.9, 4.8, 5.9, 4.4, 4.6, 5.3, 4.0, 5.8, 4.9, 5.5, 4.1, 4.0, // before
        1.0, 2.5, 0.5, 3.0, 1.5, 2.0, 1.2, 2.2, 0.7, 2.9, 1.9, 0.4, 2.4, 1.0, // years
    ];
    let marked: Vec<bool> = (0..14).map(|person| person >= 6).collect();
    let covariates = Columns::new(&covariates, 14, 2).unwrap();
    let seen = adjusted_difference(&outcomes, &marked, covariates, 0.95).unwrap();
    assert_eq!((seen.n, seen.df), ((7, 6), 9.0));
    close(seen.difference, 1.3766891442435705, 1e-10, "difference");
    close(seen.standard_error, 0.10728700349007537, 1e-10, "standard error");
    close(seen.t, 12.831835166045266, 1e-10, "t");
    close(seen.p, 4.3419659378690667e-07, 1e-15, "p");
    close(seen.interval.0, 1.1339890808233404, 1e-10, "lower limit");
    close(seen.slopes[0], 0.9948404309966397, 1e-10, "slope");
    close(seen.slopes[1], 0.20627255151630197, 1e-10, "slope");
    close(seen.residual_sd, 0.1899859485521999, 1e-10, "residual");
    close(seen.adjusted_means.0, 7.050779605035494, 1e-10, "mean of the marked");
    close(seen.adjusted_means.1, 5.674090460791924, 1e-10, "mean of the others");
    let slopes = seen.slope_test.unwrap();
    close(slopes.f, 0.8235144618790324, 1e-10, "F of equal slopes");
    close(slopes.p, 0.4773192496319672, 1e-10, "p of equal slopes");
}
