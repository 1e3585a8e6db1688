//! Mantel–Haenszel, Mantel and ordinal regression against R, statsmodels and NumPy.

use std::path::Path;

use psychometrics::fairness::{Effect, Matched, mantel, mantel_haenszel, ordinal_logistic};

/// Berkeley admissions of 1973 by department: men admitted and rejected, women likewise (Bickel,
/// Hammel & O'Connell 1975, *Science* 187, 398–404; R's `UCBAdmissions`).
const ADMISSIONS: [[u32; 4]; 6] = [
    [512, 313, 89, 19],
    [353, 207, 17, 8],
    [120, 205, 202, 391],
    [138, 279, 131, 244],
    [53, 138, 94, 299],
    [22, 351, 24, 317],
];

#[track_caller]
fn close(seen: f64, expected: f64, tolerance: f64) {
    assert!((seen - expected).abs() <= tolerance, "{seen}, reference {expected}");
}

/// `mantelhaen.test(UCBAdmissions)` of R 4.2 and statsmodels 0.15.0 `StratifiedTable`.
#[test]
fn admissions_to_berkeley() {
    let (mut answers, mut focal, mut scores) = (Vec::new(), Vec::new(), Vec::new());
    for (department, counts) in (0_u8..).zip(ADMISSIONS) {
        for (cell, count) in counts.into_iter().enumerate() {
            for _ in 0..count {
                answers.push(f64::from(u8::from(cell.is_multiple_of(2))));
                focal.push(cell >= 2);
                scores.push(f64::from(department));
            }
        }
    }
    let item = Matched { answers: &answers, focal: &focal, scores: &scores };
    let seen = mantel_haenszel(&item).expect("a comparison");
    assert_eq!((seen.n, seen.n_strata), (4526, 6));
    close(seen.odds_ratio, 0.904_696_828_258_623_1, 1e-12);
    close(seen.ln_odds_se, 0.080_988_909_656_220_91, 1e-12);
    close(seen.interval.0, 0.771_907_361_759_350_5, 1e-12);
    close(seen.interval.1, 1.060_329_764_436_655_6, 1e-12);
    close(seen.chi_squared, 1.426_946_228_586_688_3, 1e-10);
    close(seen.p, 0.232_263_462_817_048_02, 1e-12);
    close(seen.delta, -2.35 * seen.odds_ratio.ln(), 1e-14);
    assert_eq!(seen.effect, Effect::Negligible);
    close(mantel(&item).expect("a comparison").chi_squared, 1.524_606_660_434_435_6, 1e-10);
}

/// Complete answers to the simulated scale, group and sum of the eight items.
fn scale(item: usize) -> (Vec<f64>, Vec<bool>, Vec<f64>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/classical/data/scale.csv");
    let mut reader = csv::Reader::from_path(path).expect("data");
    let header = reader.headers().expect("a header").clone();
    let place = |name: &str| header.iter().position(|own| own == name).expect("a column");
    let items: Vec<usize> = (1..=8).map(|at| place(&format!("q{at}"))).collect();
    let group = place("group");
    let mut all = (Vec::new(), Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.expect("a record");
        let row: Vec<f64> =
            items.iter().map(|&at| record[at].parse().unwrap_or(f64::NAN)).collect();
        all.0.push(row[item]);
        all.1.push(&record[group] != "one");
        all.2.push(row.iter().sum());
    }
    all
}

/// statsmodels 0.15.0 `OrderedModel(y, [z, g, z g], distr="logit")` with z the standardised sum;
/// Mantel's χ² and the mean difference by their formulae in NumPy.
#[test]
fn items_of_the_simulated_scale() {
    struct Expected {
        item: usize,
        log_likelihoods: [f64; 3],
        nagelkerke: [f64; 3],
        ln_odds: (f64, f64),
        mantel: (f64, f64, f64),
        effect: Effect,
    }
    let all = [
        Expected {
            item: 2,
            log_likelihoods: [
                -824.929_454_350_005_4,
                -814.330_235_165_228_1,
                -814.264_275_151_045_9,
            ],
            nagelkerke: [
                0.430_249_125_849_523_63,
                0.450_891_121_382_093_3,
                0.451_017_374_580_338_8,
            ],
            ln_odds: (-0.714_916_408_933_467_6, 0.155_871_379_271_867_9),
            mantel: (21.662_881_540_255_49, -0.455_699_282_666_034_04, -0.322_342_197_245_232_33),
            effect: Effect::Large,
        },
        Expected {
            item: 4,
            log_likelihoods: [
                -811.528_780_445_032_7,
                -811.407_391_573_411_1,
                -810.987_388_994_308_6,
            ],
            nagelkerke: [0.437_319_606_785_357_7, 0.437_557_844_470_156, 0.438_381_419_394_382_5],
            ln_odds: (-0.075_917_907_898_632_2, 0.154_063_714_014_224_28),
            mantel: (0.840_400_308_345_359_7, -0.046_071_216_805_663_916, -0.035_523_125_126_396_9),
            effect: Effect::Negligible,
        },
    ];
    for expected in all {
        let (answers, focal, scores) = scale(expected.item);
        let item = Matched { answers: &answers, focal: &focal, scores: &scores };
        let seen = ordinal_logistic(&item).expect("a regression");
        assert_eq!(seen.n, 618);
        for model in 0..3 {
            close(seen.log_likelihoods[model], expected.log_likelihoods[model], 1e-7);
            close(seen.r_squared[model], expected.nagelkerke[model], 1e-9);
        }
        let [one, two, three] = expected.log_likelihoods;
        close(seen.uniform.x2, 2.0 * (two - one), 1e-6);
        close(seen.non_uniform.x2, 2.0 * (three - two), 1e-6);
        close(seen.total.x2, 2.0 * (three - one), 1e-6);
        assert_eq!((seen.uniform.df, seen.non_uniform.df, seen.total.df), (1, 1, 2));
        close(seen.ln_odds, expected.ln_odds.0, 1e-5);
        close(seen.ln_odds_se, expected.ln_odds.1, 1e-5);
        // The rise of R² stays below 0.035 for both items: the odds differ, the shares hardly do.
        assert_eq!(seen.effect, Effect::Negligible);
        let seen = mantel(&item).expect("a comparison");
        close(seen.chi_squared, expected.mantel.0, 1e-9);
        close(seen.mean_difference, expected.mantel.1, 1e-12);
        close(seen.standardised, expected.mantel.2, 1e-12);
        assert_eq!(seen.effect, expected.effect);
    }
}
