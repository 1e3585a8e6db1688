//! Samples in which conventions show: few persons, items that run the other way.

use psychometrics::columns::Columns;
use psychometrics::factors::{Rotation, confirmatory, confirmatory_of, exploratory};
use psychometrics::matrix::Matrix;

use crate::checks::close;
use crate::shipped;

/// R lavaan 0.6-14, `cfa("f =~ q1 + … + q8", std.lv = TRUE)` on the complete cases of scale.csv
/// with −q1: the first item's loading is positive, all others are not.
#[test]
fn a_factor_points_the_way_of_its_first_item() {
    let table = shipped().table("scale.csv");
    let names = ["q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8"];
    let mut values = table.columns(&names);
    let n_rows = values.len() / 8;
    values[..n_rows].iter_mut().for_each(|answer| *answer = -*answer);
    let items = Columns::new(&values, n_rows, 8).unwrap();
    let seen = confirmatory(items, &[0; 8]).unwrap();
    let expected = [
        0.691953240276,
        -0.578168025139,
        -0.765063779791,
        -0.80513806723,
        -0.762788684467,
        -0.823205904807,
        -0.835660715461,
        -0.848627884888,
    ];
    for (found, expected) in seen.loadings.iter().zip(expected) {
        close(*found, expected, 1e-5, "loading");
    }
}

/// R lavaan 0.6-14, `cfa(std.lv = TRUE)` on the ten complete cases of multilevel 2.7's `cohesion`
/// (COH01 to COH05), of which only the covariances stand here. Expected information is far from
/// the observed one there, and steps shrink slowly.
#[test]
fn ten_persons_still_converge() {
    let covariance = [
        0.76, 0.78, 0.68, 0.36, 0.44, 0.78, 1.49, 0.69, 0.63, 0.52, 0.68, 0.69, 1.09, 0.53, 0.82,
        0.36, 0.63, 0.53, 0.61, 0.74, 0.44, 0.52, 0.82, 0.74, 1.16,
    ];
    let covariance = Matrix::from_fn(5, 5, |i, j| covariance[5 * i + j]);
    let seen = confirmatory_of(&covariance, 10, &[0; 5]).unwrap();
    let loadings = [0.528366112351, 0.784375718453, 0.780669700032, 0.74287094805, 0.974513166747];
    let residuals =
        [0.480828958115, 0.874754495492, 0.480554901479, 0.0581426841978, 0.210324074653];
    for item in 0..5 {
        close(seen.loadings[item], loadings[item], 1e-5, "loading");
        close(seen.residuals[item], residuals[item], 1e-5, "residual");
    }
    close(seen.fit.chi_squared, 18.2743554227474, 1e-5, "χ²");
}

/// R psych 2.2.9, `fa(x, 1, fm = "minres")` on the first sixty rows of right_wrong.csv: with so few persons
/// it shows that n − 1 and Bartlett's n are meant.
#[test]
fn fit_of_exploratory_factors_in_sixty_persons() {
    let table = shipped().table("right_wrong.csv");
    let names = ["r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12"];
    let all = table.columns(&names);
    let n_rows = all.len() / 12;
    let first = |column: &[f64]| column[..60].to_vec();
    let values: Vec<f64> = all.chunks_exact(n_rows).flat_map(first).collect();
    let items = Columns::new(&values, 60, 12).unwrap();
    let seen = exploratory(items, 1, Rotation::Varimax).unwrap();
    close(seen.discrepancy, 1.131883144093, 1e-5, "discrepancy");
    close(seen.rmsea.unwrap(), 0.04172401228478, 1e-5, "RMSEA");
    close(seen.tli.unwrap(), 0.8512255932728, 1e-5, "TLI");
}
