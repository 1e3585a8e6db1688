//! Region probabilities against closed forms and a dense rule; pairs and moments against the same.

use std::f64::consts::PI;

use psychometrics::models::{Graded, ItemModel, ItemParameters};
use psychometrics::posterior::{
    Grid, PairItem, Posterior, Prior, Region, RegionError, RegionMap, ScoredItem, ScoringKey, Shape,
};

fn graded(slope: f64, intercepts: &[f64]) -> Graded {
    Graded::new(slope, intercepts).expect("a graded item")
}

fn item(dimension: usize, slope: f64, intercepts: &[f64]) -> ScoredItem {
    ScoredItem { dimension, parameters: ItemParameters::Graded(graded(slope, intercepts)) }
}

/// An item that says nothing, so that the posterior is the prior.
fn blank_key(correlation: f64) -> ScoringKey {
    let prior = Prior::standard(correlation).expect("a prior");
    ScoringKey::new(vec![item(0, 0.0, &[0.0])], Vec::new(), prior, Grid::default()).expect("a key")
}

fn probabilities(posterior: &Posterior<'_>, map: &RegionMap) -> Vec<f64> {
    let found = posterior.region_probabilities(map);
    found.regions.iter().map(|region| region.probability).collect()
}

fn map(shapes: Vec<Shape>) -> Result<RegionMap, RegionError> {
    let named = shapes.into_iter().enumerate();
    RegionMap::new(named.map(|(i, shape)| Region { name: format!("r{i}"), shape }).collect())
}

fn long_key(n_items: usize, slope: f64, correlation: f64, with_pairs: bool) -> ScoringKey {
    let intercepts = [2.2, 0.9, -0.4, -1.9].map(|d| d * slope);
    let items = (0..n_items).map(|at| item(at % 2, slope, &intercepts)).collect();
    let pair = PairItem { parameters: graded(1.1, &[1.5, 0.1, -1.3]) };
    let pairs = if with_pairs { vec![pair; 4] } else { Vec::new() };
    let prior = Prior::standard(correlation).expect("a prior");
    ScoringKey::new(items, pairs, prior, Grid::default()).expect("a key")
}

/// log p(answer | θ) of one graded item, written afresh.
fn log_likelihood(item: &Graded, theta: f64, answer: u8) -> f64 {
    let mut p = vec![0.0; item.n_categories()];
    item.probabilities(theta, &mut p);
    p[usize::from(answer)].ln()
}

/// The unnormalised posterior of `long_key` anywhere on the plane.
struct Dense {
    slope: f64,
    correlation: f64,
    items: Vec<u8>,
    pairs: Vec<u8>,
}

impl Dense {
    fn one_dimension(&self, dimension: usize, theta: f64) -> f64 {
        let item = graded(self.slope, &[2.2, 0.9, -0.4, -1.9].map(|d| d * self.slope));
        let own = self.items.iter().skip(dimension).step_by(2);
        own.map(|answer| log_likelihood(&item, theta, *answer)).sum()
    }

    fn log_pairs(&self, difference: f64) -> f64 {
        let pair = graded(1.1, &[1.5, 0.1, -1.3]);
        self.pairs.iter().map(|answer| log_likelihood(&pair, difference, *answer)).sum()
    }

    /// Masses of the four quadrants in the order of `RegionMap::quadrants`, by Simpson's rule
    /// with the cut on a border of the rule.
    fn quadrants(&self) -> [f64; 4] {
        const N: usize = 600;
        let half = |sign: f64| -> Vec<f64> {
            (0..=N).map(|at| sign * 6.0 * at as f64 / N as f64).collect()
        };
        let simpson = |at: usize| match at {
            0 | N => 1.0,
            _ if at % 2 == 1 => 4.0,
            _ => 2.0,
        };
        let r = self.correlation;
        let differences = (0..=4 * N).map(|at| 6.0 * (at as f64 / N as f64 - 2.0));
        let of_pairs: Vec<f64> = differences.map(|step| self.log_pairs(step)).collect();
        let mut masses = [(1.0, -1.0), (-1.0, 1.0), (1.0, 1.0), (-1.0, -1.0)].map(|(sx, sy)| {
            let of = |dimension, points: Vec<f64>| -> Vec<(f64, f64)> {
                points.into_iter().map(|x| (x, self.one_dimension(dimension, x))).collect()
            };
            let (managing, leading) = (of(0, half(sx)), of(1, half(sy)));
            let mut sum = 0.0;
            for (i, (x, of_x)) in managing.iter().enumerate() {
                for (j, (y, of_y)) in leading.iter().enumerate() {
                    let prior = -0.5 * (x * x - 2.0 * r * x * y + y * y) / (1.0 - r * r);
                    let steps = (y - x) * N as f64 / 6.0;
                    let of_pairs = of_pairs[(steps.round() as isize + 2 * N as isize) as usize];
                    sum += simpson(i) * simpson(j) * (prior + of_x + of_y + of_pairs).exp();
                }
            }
            sum
        });
        let total: f64 = masses.iter().sum();
        masses.iter_mut().for_each(|mass| *mass /= total);
        masses
    }
}

#[test]
fn quadrants_of_a_normal_distribution_have_their_closed_form() {
    for correlation in [-0.9_f64, -0.3, 0.0, 0.5, 0.8, 0.95] {
        let key = blank_key(correlation);
        let posterior = key.posterior(&[Some(1)], &[]).expect("a posterior");
        let same = 0.25 + correlation.asin() / (2.0 * PI);
        let expected = [0.5 - same, 0.5 - same, same, same];
        for (found, expected) in
            probabilities(&posterior, &RegionMap::quadrants()).iter().zip(expected)
        {
            assert!((found - expected).abs() < 1e-8, "r {correlation}: {found} {expected}");
        }
    }
}

#[test]
fn quadrants_agree_with_a_dense_rule_cut_at_zero() {
    type Case<'a> = (usize, f64, f64, &'a [u8], &'a [u8]);
    let cases: [Case<'_>; 5] = [
        (20, 1.5, 0.5, &[2, 3], &[]),
        (20, 1.5, 0.5, &[4, 0], &[]),
        (40, 3.0, 0.8, &[2, 2], &[]),
        (60, 5.0, 0.6, &[2, 3, 2, 2], &[]),
        (10, 1.2, 0.7, &[2, 3, 1, 2], &[2, 1, 3, 2]),
    ];
    for (n_items, slope, correlation, pattern, pairs) in cases {
        let items: Vec<u8> = pattern.iter().copied().cycle().take(n_items).collect();
        let key = long_key(n_items, slope, correlation, !pairs.is_empty());
        let some = |answers: &[u8]| answers.iter().copied().map(Some).collect::<Vec<_>>();
        let posterior = key.posterior(&some(&items), &some(pairs)).expect("a posterior");
        let dense = Dense { slope, correlation, items, pairs: pairs.to_vec() };
        let found = probabilities(&posterior, &RegionMap::quadrants());
        for (found, expected) in found.iter().zip(dense.quadrants()) {
            assert!(
                (found - expected).abs() < 1e-7,
                "{n_items} items of slope {slope}: {found} for {expected}"
            );
        }
    }
}

#[test]
fn slanted_borders_are_integrated_as_exactly() {
    // The wedge between two rays of a circular normal holds its angle's share.
    let key = blank_key(0.0);
    let posterior = key.posterior(&[Some(0)], &[]).expect("a posterior");
    for angle in [0.1_f64, 0.5, 1.0, 1.5] {
        let far = 1e3;
        let wedge = Shape::Polygon(vec![[0.0, 0.0], [far, 0.0], [far, far * angle.tan()]]);
        let found = probabilities(&posterior, &map(vec![wedge]).expect("a map"))[0];
        let expected = angle / (2.0 * PI);
        assert!((found - expected).abs() < 1e-8, "angle {angle}: {found} {expected}");
    }
    // A half-plane across the diagonal is the lean's sign; a steep one is nearly upright.
    let upper = Shape::Polygon(vec![[-1e3, -1e3], [1e3, 1e3], [-1e3, 1e3]]);
    let steep = Shape::Polygon(vec![[-50.0, -1e3], [50.0, 1e3], [-1e3, 1e3], [-1e3, -1e3]]);
    for shape in [upper, steep] {
        let found = probabilities(&posterior, &map(vec![shape]).expect("a map"))[0];
        assert!((found - 0.5).abs() < 1e-8, "{found}");
    }
}

#[test]
fn a_non_convex_region_is_the_sum_of_its_parts() {
    let key = long_key(20, 1.5, 0.5, false);
    let answers: Vec<Option<u8>> = (0..20_u8).map(|at| Some((at * 3 + 1) % 5)).collect();
    let posterior = key.posterior(&answers, &[]).expect("a posterior");
    let corner =
        |a: f64, b: f64, c: f64, d: f64| Shape::Polygon(vec![[a, c], [b, c], [b, d], [a, d]]);
    let angle = vec![[-1.0, -1.0], [1.0, -1.0], [1.0, 0.1], [0.2, 0.1], [0.2, 1.0], [-1.0, 1.0]];
    let whole = probabilities(&posterior, &map(vec![Shape::Polygon(angle)]).expect("a map"));
    let parts = map(vec![corner(-1.0, 0.2, -1.0, 1.0), corner(0.2, 1.0, -1.0, 0.1)]);
    let parts = probabilities(&posterior, &parts.expect("a map"));
    assert!((whole[0] - parts.iter().sum::<f64>()).abs() < 1e-12);
    assert!(whole[0] > 0.01);
}

#[test]
fn what_no_region_covers_is_said() {
    let key = blank_key(0.0);
    let posterior = key.posterior(&[Some(0)], &[]).expect("a posterior");
    let all = [f64::NEG_INFINITY, f64::INFINITY];
    let right = Shape::Rectangle { managing: [0.0, f64::INFINITY], leading: all };
    let found = posterior.region_probabilities(&map(vec![right]).expect("a map"));
    assert!((found.uncovered - 0.5).abs() < 1e-9);
}

#[test]
fn impossible_maps_are_refused() {
    let square = |from: f64| Shape::Rectangle { managing: [from, from + 1.0], leading: [0.0, 1.0] };
    assert!(map(vec![square(0.0), square(1.0)]).is_ok(), "a shared border is no overlap");
    let overlap = map(vec![square(0.0), square(0.9)]);
    assert!(matches!(overlap, Err(RegionError::Overlap { .. })), "{overlap:?}");
    let inside = Shape::Polygon(vec![[0.4, 0.4], [0.6, 0.4], [0.5, 0.6]]);
    assert!(matches!(map(vec![square(0.0), inside]), Err(RegionError::Overlap { .. })));
    assert_eq!(map(Vec::new()), Err(RegionError::Empty));
    let falling = Shape::Rectangle { managing: [1.0, 0.0], leading: [0.0, 1.0] };
    let infinite = Shape::Polygon(vec![[0.0, 0.0], [f64::INFINITY, 0.0], [0.0, 1.0]]);
    let not_a_number = Shape::Rectangle { managing: [f64::NAN, 1.0], leading: [0.0, 1.0] };
    for shape in [falling, infinite, not_a_number, Shape::Polygon(vec![[0.0, 0.0], [1.0, 1.0]])] {
        assert!(matches!(map(vec![shape]), Err(RegionError::Outline { .. })));
    }
    let named = |name: &str, from| Region { name: name.to_owned(), shape: square(from) };
    let twice = RegionMap::new(vec![named("a", 0.0), named("a", 5.0)]);
    assert!(matches!(twice, Err(RegionError::Name { position: 1, .. })));
}

#[test]
fn without_correlation_each_dimension_stands_alone() {
    let key = long_key(20, 1.5, 0.0, false);
    let mut answers: Vec<Option<u8>> = (0..20_u8).map(|at| Some(at % 5)).collect();
    let both = key.posterior(&answers, &[]).expect("a posterior");
    answers.iter_mut().skip(1).step_by(2).for_each(|answer| *answer = None);
    let alone = key.posterior(&answers, &[]).expect("a posterior");
    assert!((both.mean[0] - alone.mean[0]).abs() < 1e-12);
    assert!((both.se[0] - alone.se[0]).abs() < 1e-12);
    assert!(alone.mean[1].abs() < 1e-12 && both.covariance[0][1].abs() < 1e-12);
}

#[test]
fn pairs_move_the_lean_and_sharpen_it() {
    let key = long_key(10, 1.2, 0.7, true);
    let items = [Some(2); 10];
    let none = key.posterior(&items, &[None; 4]).expect("a posterior");
    let leading = key.posterior(&items, &[Some(3); 4]).expect("a posterior");
    let managing = key.posterior(&items, &[Some(0); 4]).expect("a posterior");
    let [of_none, of_leading, of_managing] = [none, leading, managing].map(|p| p.lean());
    assert!(of_managing.0 < of_none.0 && of_none.0 < of_leading.0);
    assert!(of_leading.1 < of_none.1 && of_managing.1 < of_none.1);
}

#[test]
fn the_ellipse_has_the_axes_of_the_covariance() {
    let key = long_key(8, 1.2, 0.8, false);
    let posterior = key.posterior(&[Some(3); 8], &[]).expect("a posterior");
    let ellipse = posterior.ellipse(0.9).expect("an ellipse");
    let [[x, both], [_, y]] = posterior.covariance;
    let determinant = x * y - both * both;
    let quantile = -2.0 * (0.1_f64).ln();
    // Every point of it is at the same distance in the posterior's own metric.
    for step in 0..24 {
        let turn = f64::from(step) * PI / 12.0;
        let (u, v) = (ellipse.half_axes[0] * turn.cos(), ellipse.half_axes[1] * turn.sin());
        let (cos, sin) = (ellipse.angle_rad.cos(), ellipse.angle_rad.sin());
        let (dx, dy) = (u * cos - v * sin, u * sin + v * cos);
        let distance = (y * dx * dx - 2.0 * both * dx * dy + x * dy * dy) / determinant;
        assert!((distance - quantile).abs() < 1e-10, "{distance} for {quantile}");
    }
    assert!(ellipse.half_axes[0] >= ellipse.half_axes[1]);
    assert!(posterior.ellipse(1.0).is_err() && posterior.ellipse(f64::NAN).is_err());
}
