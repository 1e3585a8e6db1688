//! Fit figures against R mirt, at its complete-case estimates.

#[path = "../support/answers.rs"]
mod answers;
#[path = "moments.rs"]
mod moments;

use std::path::Path;

use answers::responses_of;
use moments::{Slope, independent, partial_credit};
use psychometrics::fit::{
    Moments, Population, empirical_reliability, item_fit, limited_information,
    marginal_reliability, mean_squares, residual_correlations,
};
use psychometrics::models::{
    GeneralisedPartialCredit, Graded, ItemModel, ItemParameters, Rasch, TwoParameter,
};
use psychometrics::responses::Responses;
use psychometrics::score::{Bank, BankItem, Method, eap, score};
use serde_json::Value;

/// What the reference promises of figures that inherit a fit.
const RELATIVE: f64 = 1e-3;

/// C2 of partial credit items at mirt's complete-case estimates, by numpy.
const PARTIAL_CREDIT_C2: [(&str, f64); 3] = [
    ("gpcm_science", 19.039383369364682),
    ("gpcm_bfi_agreeableness", 83.20323503286116),
    ("gpcm_scale", 25.899804077244106),
];

/// A model's figures with the data they were made from.
pub struct Case {
    label: String,
    golden: Value,
    responses: Responses,
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().expect("a list");
    all.iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
}

#[track_caller]
fn close(seen: f64, expected: f64, relative: f64, absolute: f64, what: &str) {
    if expected.is_nan() {
        assert!(seen.is_nan(), "{what}: {seen} where the reference has none");
        return;
    }
    let gap = (seen - expected).abs();
    assert!(gap <= relative * expected.abs() + absolute, "{what}: {seen}, reference {expected}");
}

impl Case {
    pub fn of(folder: &Path, label: &str, data: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join(format!("{label}.json"))).expect(label);
        let golden: Value = serde_json::from_str(&text).expect(label);
        let names: Vec<String> = serde_json::from_value(golden["items"].clone()).expect("names");
        let responses = responses_of(data, &names);
        Self { label: label.to_owned(), golden, responses }
    }

    fn bank(&self, parameters: &Value) -> Bank {
        let model = self.golden["model"].as_str().expect("a model");
        let items = self.golden["items"].as_array().expect("items");
        let one = |(item, name): (usize, &Value)| {
            let estimates = &parameters["slope_intercept"][name.as_str().expect("a name")]["est"];
            let slope = number(&estimates["a1"]);
            let mut d: Vec<f64> =
                (1..).map_while(|k| estimates.get(format!("d{k}")).map(number)).collect();
            d.extend(estimates.get("d").map(number));
            let own = match model {
                "graded" => Graded::new(slope, &d).map(ItemParameters::Graded),
                "gpcm" => GeneralisedPartialCredit::new(slope, &d)
                    .map(ItemParameters::GeneralisedPartialCredit),
                "2PL" => TwoParameter::new(slope, d[0]).map(ItemParameters::TwoParameter),
                "Rasch" => Rasch::new(d[0]).map(ItemParameters::Rasch),
                other => panic!("no model {other}"),
            };
            let values = (self.responses.lowest(item)..).take(d.len() + 1).collect();
            BankItem::new(own.expect("an item"), 0, values)
        };
        let all = items.iter().enumerate().map(one).collect();
        let variance = number(&parameters["latent"]["est"]["COV_11"]);
        Bank::new(all, vec![0.0], &[vec![variance]], 61, 6.0).expect("a bank")
    }

    fn has_many_categories(&self) -> bool {
        (0..self.responses.n_items()).any(|item| self.responses.n_categories(item) > 2)
    }

    fn is_rasch(&self) -> bool {
        self.golden["model"] == "Rasch"
    }

    /// Everything of the complete cases that the file has.
    pub fn check(&self) {
        let expected = &self.golden["complete_case_fit"];
        let bank = self.bank(expected.get("parameters").unwrap_or(&self.golden["parameters"]));
        let persons = self.responses.complete_persons();
        assert_eq!(persons.len() as f64, number(&expected["n_complete"]));
        let responses = self.responses.select_persons(&persons).expect("persons");
        self.items(&bank, &responses, &expected["S_X2"]);
        for (moments, key) in [(Moments::Means, "M2"), (Moments::Categories, "C2")] {
            self.whole(&bank, &responses, moments, &expected[key]);
        }
        self.residuals(&bank, &responses, expected);
        self.reliability();
        self.information();
        self.first_scores();
    }

    fn items(&self, bank: &Bank, responses: &Responses, expected: &Value) {
        let population = if self.is_rasch() { Population::VarianceFree } else { Population::Fixed };
        let seen = item_fit(bank, responses, population).expect("figures");
        let list = |key: &str| numbers(&expected[key]);
        for (item, fit) in seen.iter().enumerate() {
            let what = format!("{} item {item}", self.label);
            close(fit.df as f64, list("df.S_X2")[item], 0.0, 0.0, &what);
            close(fit.s_x2, list("S_X2")[item], RELATIVE, 0.0, &what);
            close(fit.p, list("p.S_X2")[item], RELATIVE, 1e-4, &what);
            close(fit.rmsea, list("RMSEA.S_X2")[item], RELATIVE, 1e-4, &what);
        }
    }

    fn whole(&self, bank: &Bank, responses: &Responses, moments: Moments, expected: &Value) {
        let population =
            if self.is_rasch() { Population::VarianceCounted } else { Population::Fixed };
        let seen = limited_information(bank, responses, moments, population);
        let what = format!("{} {moments:?}", self.label);
        if expected.get("error").is_some() {
            assert!(seen.is_err(), "{what}: {seen:?}");
            return;
        }
        let seen = seen.expect("a statistic");
        let of = |key: &str| number(&expected[key]);
        close(seen.df as f64, of("df"), 0.0, 0.0, &what);
        close(seen.srmsr, of("SRMSR"), RELATIVE, 0.0, &what);
        if moments == Moments::Categories && self.golden["model"] == "gpcm" {
            self.partial_credit(bank, responses, seen.statistic, expected);
            return;
        }
        close(seen.statistic, of("M2"), RELATIVE, 0.0, &what);
        close(seen.p, of("p"), RELATIVE, 1e-4, &what);
        close(seen.rmsea, of("RMSEA"), RELATIVE, 1e-5, &what);
        close(seen.rmsea_interval.0, of("RMSEA_5"), RELATIVE, 1e-5, &what);
        close(seen.rmsea_interval.1, of("RMSEA_95"), RELATIVE, 1e-5, &what);
        if moments == Moments::Means && self.has_many_categories() {
            // Independent items have as many free means as items; mirt counts all categories.
            self.against_mirts_null(seen.statistic, seen.df, responses, moments, expected);
            return;
        }
        close(seen.tli.expect("a null model"), of("TLI"), RELATIVE, 0.0, &what);
        close(seen.cfi.expect("a null model"), of("CFI"), RELATIVE, 0.0, &what);
    }

    /// C₂ of partial credit items, which mirt 1.47 gets wrong: its slope's derivative of the mean
    /// has numerators, scaled so that the largest is 1, where probabilities are due. With that
    /// put in, ours is its figure; without, ours is that of numpy. The mean of this statistic over
    /// simulated samples, which is χ²'s, is in `recovery_fit`.
    fn partial_credit(&self, bank: &Bank, responses: &Responses, seen: f64, expected: &Value) {
        let items: Vec<&ItemParameters> = bank.items().iter().map(BankItem::parameters).collect();
        let of = |slope| partial_credit(&items, responses, Moments::Categories, slope);
        let label = &self.label;
        let own = PARTIAL_CREDIT_C2.iter().find(|(known, _)| known == label).expect("a figure");
        close(seen, own.1, 1e-7, 0.0, label);
        close(of(Slope::Right).0, seen, 1e-9, 0.0, label);
        let (theirs, df) = of(Slope::Numerators);
        close(theirs, number(&expected["M2"]), 1e-8, 0.0, label);
        self.against_mirts_null(theirs, df, responses, Moments::Categories, expected);
        let excess = (theirs / df as f64 - 1.0) / (responses.n_persons() as f64 - 1.0);
        close(excess.max(0.0).sqrt(), number(&expected["RMSEA"]), RELATIVE, 0.0, label);
    }

    /// TLI and CFI against independent items as mirt has them.
    fn against_mirts_null(
        &self,
        statistic: f64,
        df: usize,
        responses: &Responses,
        moments: Moments,
        expected: &Value,
    ) {
        let (worst, worst_df) = independent(responses, moments);
        let (df, worst_df) = (df as f64, worst_df as f64);
        let tli = (worst / worst_df - statistic / df) / (worst / worst_df - 1.0);
        let cfi = 1.0 - (statistic - df) / (worst - worst_df);
        close(tli, number(&expected["TLI"]), RELATIVE, 0.0, &self.label);
        close(cfi, number(&expected["CFI"]), RELATIVE, 0.0, &self.label);
    }

    fn residuals(&self, bank: &Bank, responses: &Responses, expected: &Value) {
        let thetas = eap(bank, responses, 2).expect("scores").theta;
        let seen = mean_squares(bank, responses, &thetas).expect("figures");
        for (all, key) in
            [(&seen.items, "infit_outfit_EAP"), (&seen.persons, "personfit_EAP_first20")]
        {
            let list = |name: &str| numbers(&expected[key][name]);
            for (place, outfit) in list("outfit").into_iter().enumerate() {
                let what = format!("{} {key} {place}", self.label);
                close(all[place].outfit, outfit, RELATIVE, 0.0, &what);
                close(all[place].infit, list("infit")[place], RELATIVE, 0.0, &what);
                close(all[place].z_outfit, list("z.outfit")[place], RELATIVE, 1e-3, &what);
                close(all[place].z_infit, list("z.infit")[place], RELATIVE, 1e-3, &what);
            }
        }
        let seen = residual_correlations(bank, responses, &thetas).expect("correlations");
        for (i, row) in expected["Q3"].as_array().expect("rows").iter().enumerate() {
            for (j, value) in numbers(row).into_iter().enumerate() {
                close(seen.at(i, j), value, RELATIVE, 1e-5, &format!("{} Q3 {i} {j}", self.label));
            }
        }
    }

    /// Information and expected scores at the thetas of the file.
    fn information(&self) {
        let bank = self.bank(&self.golden["parameters"]);
        let lowest: i32 = (0..self.responses.n_items()).map(|at| self.responses.lowest(at)).sum();
        let names = self.golden["items"].as_array().expect("items");
        for (place, theta) in numbers(&self.golden["theta_grid"]).into_iter().enumerate() {
            let (mut whole, mut score) = (0.0, f64::from(lowest));
            for (item, name) in bank.items().iter().zip(names) {
                let seen = item.parameters().information(theta);
                let name = name.as_str().expect("a name");
                let expected = number(&self.golden["item_information"][name][place]);
                close(seen, expected, 0.0, 1e-8, &format!("{} {name} at {theta}", self.label));
                whole += seen;
                score += item.parameters().expected_score(theta);
            }
            let what = format!("{} at {theta}", self.label);
            close(whole, number(&self.golden["test_information"][place]), 0.0, 1e-8, &what);
            close(score, number(&self.golden["expected_test_score"][place]), 0.0, 1e-8, &what);
        }
    }

    /// Scores of the first fifty persons with any answer, by every method.
    fn first_scores(&self) {
        let bank = self.bank(&self.golden["parameters"]);
        let expected = &self.golden["scores_first50"];
        for (method, name, within, se_within) in [
            (Method::Eap, "EAP", 1e-9, 1e-9),
            (Method::Map, "MAP", 1e-4, 1e-3),
            (Method::MaximumLikelihood, "ML", 1e-4, 1e-3),
            (Method::WeightedLikelihood, "WLE", 1e-4, 1e-3),
        ] {
            let seen = score(&bank, &self.responses, method, 1).expect("scores");
            let thetas = numbers(&expected[name]);
            let errors = numbers(&expected[format!("{name}_SE")]);
            let answered = seen.iter().flatten();
            for (person, (seen, theta)) in answered.zip(&thetas).enumerate() {
                // The file leaves out what is infinite or did not converge, or stops before 20.
                if theta.is_nan() || (seen.theta[0].is_infinite() && theta.abs() > 19.9) {
                    continue;
                }
                let what = format!("{} {name} of person {person}", self.label);
                close(seen.theta[0], *theta, within, within, &what);
                close(seen.se[0], errors[person], se_within, se_within, &what);
            }
        }
    }

    /// From everybody's answers and the whole sample's estimates.
    fn reliability(&self) {
        let bank = self.bank(&self.golden["parameters"]);
        let of = |key: &str| number(&self.golden[key]);
        if self.is_rasch() {
            let variance = number(&self.golden["parameters"]["latent"]["est"]["COV_11"]);
            close(mirts_marginal(&bank, variance), of("marginal_rxx"), 0.0, 1e-5, &self.label);
        } else {
            let marginal = marginal_reliability(&bank).expect("a figure");
            close(marginal, of("marginal_rxx"), 0.0, 1e-5, &self.label);
        }
        let seen = eap(&bank, &self.responses, 2).expect("scores");
        let pairs = seen.theta.iter().zip(&seen.se).filter(|(theta, _)| theta.is_finite());
        let (thetas, errors): (Vec<f64>, Vec<f64>) = pairs.map(|(t, e)| (*t, *e)).unzip();
        let empirical = empirical_reliability(&thetas, &errors).expect("a figure");
        close(empirical, of("empirical_rxx"), 0.0, 1e-5, &self.label);
    }
}

/// What mirt calls marginal reliability: I/(I + σ²) over N(0, 1), whatever σ² is. With σ² = 1 it is
/// ours; with a free variance ours is σ²I/(σ²I + 1) over N(0, σ²).
fn mirts_marginal(bank: &Bank, variance: f64) -> f64 {
    let density = |theta: f64| (-0.5 * theta * theta).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let share = |step: i32| {
        let theta = f64::from(step) / 50.0;
        let information: f64 =
            bank.items().iter().map(|item| item.parameters().information(theta)).sum();
        information / (information + variance) * density(theta) / 50.0
    };
    (-400..=400).map(share).sum()
}
