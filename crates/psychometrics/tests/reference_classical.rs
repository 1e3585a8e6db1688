//! The same checks on data that stay outside this repository.
//!
//! `PSYCHOMETRICS_REFERENCE=FOLDER cargo test -p psychometrics --features reference`

#[path = "golden_classical/checks.rs"]
mod checks;

use checks::{Folder, close, number, numbers, omega_total, ratings, scale};
use psychometrics::columns::Columns;
use psychometrics::factors::{
    ParallelOptions, Rotation, exploratory, exploratory_of, parallel_analysis,
};
use psychometrics::matrix::Matrix;
use rand::SeedableRng;
use serde_json::Value;

fn reference() -> Folder {
    let folder = std::env::var_os("PSYCHOMETRICS_REFERENCE").expect("PSYCHOMETRICS_REFERENCE");
    Folder(folder.into())
}

#[test]
fn army_companies_1996() {
    ratings(&reference(), "icc_rwg_bh1996.json", "bh1996.csv", "GRP");
}

#[test]
fn army_leadership_2000() {
    ratings(&reference(), "icc_rwg_bhr2000.json", "bhr2000.csv", "GRP");
}

#[test]
fn bfi_agreeableness() {
    scale(&reference(), "ctt_bfi_agreeableness.json", "bfi_AC.csv");
}

#[test]
fn bfi_conscientiousness() {
    scale(&reference(), "ctt_bfi_conscientiousness.json", "bfi_AC.csv");
}

#[test]
fn science_of_the_eurobarometer() {
    scale(&reference(), "ctt_science.json", "science.csv");
}

#[test]
fn verbal_aggression() {
    scale(&reference(), "ctt_verbagg.json", "verbagg.csv");
}

#[test]
fn leadership_items() {
    scale(&reference(), "ctt_bhr2000_leadership.json", "bhr2000.csv");
}

/// The reference asks for 1e-3; both sides converge to more.
const TOLERANCE: f64 = 1e-5;

fn with_items<T>(check: impl Fn(Columns<'_>, &Value) -> T) -> T {
    let (expected, table) =
        (reference().json("factors_bfi_AC.json"), reference().table("bfi_AC.csv"));
    let names: Vec<String> = serde_json::from_value(expected["items"].clone()).expect("names");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let values = table.columns(&names);
    let items = Columns::new(&values, table.n_rows(), names.len()).expect("a table");
    check(items, &expected)
}

#[test]
fn two_factors_of_agreeableness_and_conscientiousness() {
    with_items(|items, expected| {
        let seen = exploratory(items, 2, Rotation::Oblimin).expect("factors");
        assert_eq!(seen.n as f64, number(&expected["n"]));
        same_loadings(&seen.loadings, &expected["minres_2f_oblimin_loadings"], TOLERANCE);
        let phi = number(&expected["oblimin_phi"][0][1]);
        close(seen.factor_correlations.at(0, 1), phi, TOLERANCE, "phi");
        for (item, expected) in numbers(&expected["communality"]).into_iter().enumerate() {
            close(seen.communalities[item], expected, TOLERANCE, "communality");
        }
        close(seen.discrepancy, number(&expected["objective"]), 1e-5, "discrepancy");
        close(seen.rmsea.expect("df"), number(&expected["RMSEA"]), 1e-5, "RMSEA");
        close(seen.tli.expect("df"), number(&expected["TLI"]), 1e-5, "TLI");
        // R's varimax stops when its criterion gains less than 1e-5 of itself: 0.004 rad short.
        let seen = exploratory(items, 2, Rotation::Varimax).expect("factors");
        same_loadings(&seen.loadings, &expected["minres_2f_varimax_loadings"], 5e-3);
    });
}

#[test]
fn parallel_analysis_of_both() {
    with_items(|items, expected| {
        let mut chance = rand_pcg::Pcg64Mcg::seed_from_u64(20);
        // The first factor of noise is often one item alone (a Heywood case); over draws it spreads by 0.22, so that the mean of
        // the reference's 200 is known to 0.016. Ours must not add to that.
        let options = ParallelOptions { n_draws: 3_000, ..ParallelOptions::default() };
        let seen = parallel_analysis(items, options, &mut chance);
        let seen = seen.expect("a comparison");
        for (spectrum, kind, tolerance) in
            [(&seen.components, "pc", 1e-10), (&seen.factors, "fa", 1e-4)]
        {
            let observed = numbers(&expected[format!("eigenvalues_{kind}")]);
            let mean = numbers(&expected[format!("simulated_{kind}_mean")]);
            for place in 0..observed.len() {
                close(spectrum.observed[place], observed[place], tolerance, kind);
                close(spectrum.simulated_mean[place], mean[place], 0.02, kind);
            }
        }
        assert_eq!(seen.factors.n_above as f64, number(&expected["nfact"]));
        assert_eq!(seen.components.n_above as f64, number(&expected["ncomp"]));
    });
}

/// R psych 2.2.9, `omega(psych::Thurstone, 3, fm = "minres")`: total omega, whatever the rotation.
#[test]
fn total_omega_of_thurstones_nine_tests() {
    let expected = &reference().json("raters_and_misc.json")["omega_Thurstone_matrix"];
    let rows: Vec<Vec<f64>> =
        expected["R"].as_array().expect("a figure").iter().map(numbers).collect();
    let correlations = Matrix::from_fn(9, 9, |i, j| rows[i][j]);
    let seen = exploratory_of(&correlations, 213, 3, Rotation::Oblimin).expect("a figure");
    close(omega_total(&seen, &correlations), number(&expected["omega_tot"]), 1e-5, "omega");
    for (item, row) in expected["schmid_sl"].as_array().expect("a figure").iter().enumerate() {
        close(seen.communalities[item], number(&row[4]), 1e-4, "communality");
    }
}

/// Loadings whose factors may stand in another order and be turned about.
fn same_loadings(seen: &Matrix, expected: &Value, tolerance: f64) {
    let rows: Vec<Vec<f64>> = expected.as_array().expect("rows").iter().map(numbers).collect();
    let column = |j: usize| rows.iter().map(move |row| row[j]);
    for factor in 0..seen.n_columns() {
        let apart = |j: usize, sign: f64| {
            let gaps = column(j).enumerate().map(|(i, l)| (seen.at(i, factor) - sign * l).abs());
            gaps.fold(0.0, f64::max)
        };
        let nearest = (0..seen.n_columns())
            .flat_map(|j| [apart(j, 1.0), apart(j, -1.0)])
            .fold(f64::INFINITY, f64::min);
        assert!(nearest < tolerance, "factor {factor} is apart by {nearest:e}");
    }
}
