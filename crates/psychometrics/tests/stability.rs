//! The bits of the stored figures. They change only together with a line in the changelog.

use psychometrics::calibrate::{Model, Options, Sample, Specification, calibrate};
use psychometrics::models::{Graded, ItemParameters};
use psychometrics::posterior::{Grid, PairItem, Prior, RegionMap, ScoredItem, ScoringKey};
use psychometrics::responses::Responses;
use psychometrics::score::{
    Bank, BankItem, Method, eap, plausible_values, posterior_moments, score,
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

fn key() -> ScoringKey {
    let item = |at: usize| {
        let shift = at as f64 / 8.0 - 0.5;
        let thresholds = [-1.75, -0.5, 0.625, 1.875].map(|b| b + shift);
        let graded = Graded::from_thresholds(1.0 + at as f64 / 16.0, &thresholds);
        ScoredItem { dimension: at % 2, parameters: ItemParameters::Graded(graded.expect("item")) }
    };
    let pair = PairItem { parameters: Graded::new(1.25, &[1.5, 0.0, -1.5]).expect("a pair") };
    let prior = Prior::standard(0.5).expect("a prior");
    ScoringKey::new((0..10).map(item).collect(), vec![pair; 2], prior, Grid::default())
        .expect("a key")
}

fn bits(items: [Option<u8>; 10], pairs: [Option<u8>; 2]) -> Vec<u64> {
    let key = key();
    let posterior = key.posterior(&items, &pairs).expect("a posterior");
    let odds = posterior.region_probabilities(&RegionMap::quadrants());
    let ellipse = posterior.ellipse(0.9).expect("an ellipse");
    let (managing, leading) = (posterior.mean[0], posterior.mean[1]);
    let covariance = posterior.covariance;
    let mut figures = vec![managing, leading, covariance[0][0], covariance[0][1], covariance[1][1]];
    figures.extend(posterior.se);
    figures.extend(odds.regions.iter().map(|region| region.probability));
    figures.extend(ellipse.half_axes);
    figures.push(ellipse.angle_rad);
    figures.into_iter().map(f64::to_bits).collect()
}

#[test]
fn ratings_alone() {
    let answers = [4, 1, 3, 2, 4, 0, 2, 1, 3, 1].map(Some);
    assert_eq!(bits(answers, [None, None]), RATINGS_ALONE);
}

#[test]
fn ratings_and_pairs_with_missing() {
    let mut answers = [1, 3, 0, 4, 2, 3, 1, 4, 2, 3].map(Some);
    answers[2] = None;
    answers[7] = None;
    assert_eq!(bits(answers, [Some(3), Some(2)]), WITH_PAIRS);
}

/// Means, covariance, standard errors, quadrants, half axes, angle: read off the first run.
const RATINGS_ALONE: [u64; 14] = [
    0x3fef_56e0_51de_fc49,
    0xbfe0_ea50_9007_89ee,
    0x3fd1_6c26_b9c0_1470,
    0x3fa5_b7a3_c9c8_85f7,
    0x3fce_c3cc_631b_64c8,
    0x3fe0_b233_04f7_7193,
    0x3fdf_6057_e8a0_1302,
    0x3fea_9a82_a993_e163,
    0x3f61_d4e2_b870_5c81,
    0x3fc1_8d13_9d53_efe0,
    0x3f9e_0c71_8bd6_49a3,
    0x3ff2_db3c_d822_afce,
    0x3fef_8ac1_2485_ae51,
    0x3fe3_61c8_104d_cf97,
];

/// The same figures.
const WITH_PAIRS: [u64; 14] = [
    0xbfa5_b6dd_f3c8_15e4,
    0x3ff2_e1aa_75aa_7756,
    0x3fcf_829a_5478_cd77,
    0x3fb6_4acb_480b_407f,
    0x3fd0_24f4_e07e_b0dc,
    0x3fdf_c10f_4447_2e95,
    0x3fe0_126f_d0ed_9660,
    0x3f57_907e_9af7_afeb,
    0x3fe0_cef7_55dc_3d7a,
    0x3fdd_b21c_00d4_bc7d,
    0x3f83_0c9a_9afa_1f27,
    0x3ff3_e9b8_b0b9_31a4,
    0x3feb_a584_5f52_3ec5,
    0x3fe9_b0fa_0d80_da60,
];

/// Figures of a sample do not depend on how many threads made them, and are the same every time.
#[test]
fn samples_by_any_number_of_threads() {
    let item = |at: i32| {
        let b = 0.3 * f64::from(at - 3);
        let own = Graded::from_thresholds(1.0 + 0.1 * f64::from(at), &[b - 0.8, b + 0.7]);
        BankItem::new(ItemParameters::Graded(own.expect("an item")), 0, vec![0, 1, 2])
    };
    let bank = Bank::standard((0..6).map(item).collect()).expect("a bank");
    let mut chance = Pcg64Mcg::seed_from_u64(5);
    // More persons than one task holds.
    let columns: Vec<Vec<u8>> = (0..6)
        .map(|_| (0..20_000).map(|_| (chance.random::<f64>() * 3.0) as u8).collect())
        .collect();
    let responses = Responses::from_categories(columns).expect("responses");
    let some = responses.select_persons(&(0..1500).collect::<Vec<_>>()).expect("persons");
    let fitted = |threads| {
        let options = Options { threads, ..Options::default() };
        let specification = Specification::of(Model::GeneralisedPartialCredit, 6);
        calibrate(&Sample::of(&some), &specification, &options).expect("a calibration")
    };
    let draws = |seed| {
        let mut chance = Pcg64Mcg::seed_from_u64(seed);
        plausible_values(&bank, &some, 3, &mut chance).expect("draws")
    };
    let one = fitted(1);
    assert_eq!(draws(1), draws(1));
    assert_ne!(draws(1), draws(2));
    for threads in [2, 3, 8] {
        assert_eq!(fitted(threads), one, "{threads} threads");
        let methods =
            [Method::Eap, Method::Map, Method::MaximumLikelihood, Method::WeightedLikelihood];
        for method in methods {
            let by = |threads| score(&bank, &some, method, threads).expect("scores");
            assert_eq!(by(threads), by(1), "{method:?}, {threads} threads");
        }
        let by = |threads| eap(&bank, &responses, threads).expect("scores");
        assert_eq!(by(threads), by(1), "{threads} threads");
        let by = |threads| posterior_moments(&bank, &some, threads).expect("posteriors");
        assert_eq!(by(threads), by(1), "{threads} threads");
    }
}
