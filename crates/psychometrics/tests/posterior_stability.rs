//! Stored profiles never change silently: one case, to the bit.

use psychometrics::graded::GradedItem;
use psychometrics::posterior::{Dimension, PlacedItem, Posterior, Prior};

fn fixed_case() -> Posterior {
    let items: Vec<PlacedItem> = [
        (Dimension::Managing, 1.25, vec![-1.5, -0.5, 0.5, 1.5]),
        (Dimension::Leading, 0.8, vec![-2.0, 0.1, 1.3]),
        (Dimension::Managing, 2.1, vec![0.4]),
        (Dimension::Leading, 1.7, vec![-0.9, -0.2, 0.6, 1.9]),
        (Dimension::Leading, 1.1, vec![-1.0, 0.0, 1.0]),
    ]
    .into_iter()
    .map(|(dimension, a, b)| PlacedItem {
        dimension,
        item: GradedItem::new(a, b).expect("a valid case"),
    })
    .collect();
    let answers = [Some(1), Some(3), Some(0), Some(3), None];
    Posterior::new(&items, &answers, Prior::new(0.45).expect("a valid case")).expect("a valid case")
}

fn bits(values: &[f64]) -> Vec<String> {
    values.iter().map(|value| format!("{value:e} {:016x}", value.to_bits())).collect()
}

#[test]
fn a_fixed_case_keeps_its_bits() {
    let posterior = fixed_case();
    assert_eq!(
        bits(&posterior.mean()),
        ["-3.856546866205639e-1 bfd8ae90fea567a4", "6.604726569054734e-1 3fe522978da9f5a7"]
    );
    assert_eq!(
        bits(posterior.covariance().as_flattened()),
        [
            "4.3789815517936237e-1 3fdc0685fbde5790",
            "1.0892530258284051e-1 3fbbe287544cda31",
            "1.0892530258284051e-1 3fbbe287544cda31",
            "4.674009868989509e-1 3fdde9e5d43657f5"
        ]
    );
    assert_eq!(
        bits(&posterior.standard_errors()),
        ["6.617387363449131e-1 3fe52cf6b6e320eb", "6.836673071742942e-1 3fe5e09a42b50e2c"]
    );
    assert_eq!(
        bits(&posterior.quadrant_probabilities()),
        [
            "2.551227430503336e-1 3fd053ee57777cd5",
            "5.787996078446667e-1 3fe28586c1542ccc",
            "2.83813035579853e-2 3f9d0ffd0a65c7e2",
            "1.376963455470163e-1 3fc1a008aa739a6d"
        ]
    );
    let ellipse = posterior.ellipse(0.9).unwrap();
    assert_eq!(
        bits(&ellipse.half_axes),
        ["1.609573523626868e0 3ff9c0d02ac7c213", "1.256315919878051e0 3ff419deb8d5204c"]
    );
    assert_eq!(bits(&[ellipse.angle]), ["8.527021440952886e-1 3feb495601c3c979"]);
    assert_eq!(
        bits(&ellipse.point(1.0)),
        ["-6.09564773288715e-1 bfe3818dfbc232ab", "2.0109317005262177e0 400016635c01ff88"]
    );
}

#[test]
fn category_probabilities_keep_their_bits() {
    let item = GradedItem::new(1.25, vec![-1.5, -0.5, 0.5, 1.5]).unwrap();
    assert_eq!(
        bits(&item.probabilities(0.3)),
        [
            "9.53494648991095e-2 3fb868d2916eca5c",
            "1.7359195647088563e-1 3fc63842dff20fdf",
            "2.9323507951580297e-1 3fd2c45d1123dc80",
            "2.553979753078455e-1 3fd05870bfda5b21",
            "1.8242552380635632e-1 3fc759b8355a1baf"
        ]
    );
}
