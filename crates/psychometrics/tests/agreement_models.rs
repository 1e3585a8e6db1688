//! Analytic derivatives against finite differences, and every model against the ones it extends.

use psychometrics::models::{
    GeneralisedPartialCredit, Graded, ItemModel, ItemParameters, Nominal, PartialCredit, Rasch,
    RatingScale, ThreeParameter, TwoParameter, expected_share,
};

fn everything() -> Vec<ItemParameters> {
    vec![
        ItemParameters::Graded(Graded::new(1.7, &[2.1, 0.4, -0.3, -2.6]).expect("graded")),
        ItemParameters::Graded(Graded::new(-0.8, &[0.5]).expect("graded")),
        ItemParameters::GeneralisedPartialCredit(
            GeneralisedPartialCredit::from_steps(1.2, &[-1.0, 0.7, 0.2]).expect("gpcm"),
        ),
        ItemParameters::PartialCredit(PartialCredit::from_steps(&[-0.4, 1.1]).expect("pcm")),
        ItemParameters::RatingScale(RatingScale::new(0.3, &[-1.2, 0.1, 1.1]).expect("rsm")),
        ItemParameters::TwoParameter(TwoParameter::new(1.4, -0.6).expect("2pl")),
        ItemParameters::ThreeParameter(ThreeParameter::new(1.4, -0.6, 0.2).expect("3pl")),
        ItemParameters::Rasch(Rasch::new(0.9).expect("rasch")),
        ItemParameters::Nominal(Nominal::new(&[0.0, 1.1, -0.4], &[0.0, 0.3, 0.6]).expect("nrm")),
    ]
}

fn probabilities<M: ItemModel>(item: &M, theta: f64) -> Vec<f64> {
    let mut out = vec![0.0; item.n_categories()];
    item.probabilities(theta, &mut out);
    out
}

fn assert_same<A: ItemModel, B: ItemModel>(a: &A, b: &B) {
    for step in -60..=60 {
        let theta = f64::from(step) / 10.0;
        for (x, y) in probabilities(a, theta).iter().zip(probabilities(b, theta)) {
            assert!((x - y).abs() < 1e-15, "at {theta}: {x} and {y}");
        }
    }
}

#[test]
fn derivatives_are_those_of_the_probabilities() {
    const STEP: f64 = 1e-4;
    for item in everything() {
        let n = item.n_categories();
        let (mut first, mut second) = (vec![0.0; n], vec![0.0; n]);
        for theta in [-4.0, -1.3, 0.0, 0.7, 3.1] {
            item.derivatives(theta, &mut first, &mut second);
            let below = probabilities(&item, theta - STEP);
            let here = probabilities(&item, theta);
            let above = probabilities(&item, theta + STEP);
            for k in 0..n {
                let slope = (above[k] - below[k]) / (2.0 * STEP);
                let curvature = (above[k] - 2.0 * here[k] + below[k]) / (STEP * STEP);
                assert!((first[k] - slope).abs() < 1e-7, "{item:?} {theta} {k}");
                assert!((second[k] - curvature).abs() < 1e-6, "{item:?} {theta} {k}");
            }
        }
    }
}

#[test]
fn probabilities_sum_to_one_and_information_is_their_expected_square() {
    for item in everything() {
        for step in -80..=80 {
            let theta = f64::from(step) / 10.0;
            let p = probabilities(&item, theta);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-14, "{item:?} at {theta}");
            let n = item.n_categories();
            let (mut first, mut second) = (vec![0.0; n], vec![0.0; n]);
            item.derivatives(theta, &mut first, &mut second);
            assert!(first.iter().sum::<f64>().abs() < 1e-14);
            assert!(second.iter().sum::<f64>().abs() < 1e-14);
            let information: f64 = (0..n).map(|k| first[k] * first[k] / p[k]).sum();
            assert!((information - item.information(theta)).abs() < 1e-14);
        }
    }
}

#[test]
fn special_cases_agree_with_general_models() {
    let two = TwoParameter::new(1.3, -0.4).expect("2pl");
    assert_same(&two, &Graded::new(1.3, &[-0.4]).expect("graded"));
    assert_same(&two, &ThreeParameter::new(1.3, -0.4, 0.0).expect("3pl"));
    assert_same(&Rasch::new(0.7).expect("rasch"), &TwoParameter::new(1.0, 0.7).expect("2pl"));
    let partial = GeneralisedPartialCredit::new(1.0, &[0.7, -0.2]).expect("gpcm");
    assert_same(&partial, &PartialCredit::new(&[0.7, -0.2]).expect("pcm"));
    assert_same(&partial, &Nominal::new(&[0.0, 1.0, 2.0], &[0.0, 0.7, -0.2]).expect("nrm"));
    let scale = RatingScale::new(0.5, &[-1.0, 1.0]).expect("rsm");
    assert_same(&scale, &PartialCredit::from_steps(&[-0.5, 1.5]).expect("pcm"));
}

#[test]
fn graded_tails_keep_their_relative_accuracy() {
    // σ(x) ≈ e^x far down, so P(X = 1) ≈ e^(aθ + d₁) (1 − e^(d₂ − d₁)).
    let item = Graded::new(2.0, &[1.0, 0.5]).expect("graded");
    for theta in [-20.0_f64, -100.0, -300.0] {
        let exact = (2.0 * theta + 1.0).exp() * (1.0 - (-0.5_f64).exp());
        let found = probabilities(&item, theta)[1];
        assert!((found / exact - 1.0).abs() < 1e-12, "at {theta}: {found} {exact}");
        // The mirror image, high up: P(X = 1) ≈ e^(−aθ − d₂) (1 − e^(d₂ − d₁)).
        let exact = (2.0 * theta - 0.5).exp() * (1.0 - (-0.5_f64).exp());
        let found = probabilities(&item, -theta)[1];
        assert!((found / exact - 1.0).abs() < 1e-12, "at {}: {found} {exact}", -theta);
    }
}

#[test]
fn expected_share_is_the_mean_value_of_the_answers() {
    let values = [0.05, 0.25, 0.5, 0.75, 0.95];
    let item = Graded::from_thresholds(1.5, &[-1.5, -0.5, 0.5, 1.5]).expect("graded");
    let share = expected_share([&item, &item], 0.0, &values).expect("a share");
    assert!((share - 0.5).abs() < 1e-15, "a symmetric item at its middle: {share}");
    let p = probabilities(&item, 1.0);
    let by_hand: f64 = p.iter().zip(values).map(|(p, v)| p * v).sum();
    assert!((expected_share([&item], 1.0, &values).expect("a share") - by_hand).abs() < 1e-15);
    assert!(expected_share([&item], 0.0, &values[..4]).is_err());
    assert!(expected_share::<Graded>([], 0.0, &values).is_err());
}
