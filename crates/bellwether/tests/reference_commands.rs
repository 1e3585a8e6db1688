//! The commands on data that stay outside this repository, against R's figures.
//!
//! `cargo xtask golden --reference DIR`, or
//! `BELLWETHER_REFERENCE=DIR cargo test -p bellwether --features reference -- --nocapture`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};

fn reference() -> PathBuf {
    std::env::var_os("BELLWETHER_REFERENCE").expect("BELLWETHER_REFERENCE").into()
}

fn figures_of(name: &str) -> Value {
    let text = std::fs::read_to_string(reference().join(name)).expect(name);
    serde_json::from_str(&text).expect(name)
}

fn run(words: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_bellwether")).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn figures(words: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("figures.json");
    run(&[words, &["--out", out.to_str().unwrap()]].concat());
    serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap()
}

fn data(name: &str) -> String {
    let shared = reference().join("data").join(name);
    let own = reference().join("simulated/data").join(name);
    let path = if shared.exists() { shared } else { own };
    path.to_str().unwrap().to_owned()
}

/// The largest deviation of each kind of figure, and what is allowed.
#[derive(Default)]
struct Seen {
    label: String,
    kinds: BTreeMap<String, (usize, f64, f64)>,
    wrong: Vec<String>,
}

impl Seen {
    fn of(label: &str) -> Self {
        Self { label: label.to_owned(), ..Self::default() }
    }

    fn number(&mut self, kind: &str, place: &str, found: &Value, expected: f64, allowed: f64) {
        let apart = found.as_f64().map_or(f64::INFINITY, |found| (found - expected).abs());
        let entry = self.kinds.entry(kind.to_owned()).or_insert((0, 0.0, allowed));
        *entry = (entry.0 + 1, entry.1.max(apart), allowed);
        if apart > allowed {
            self.wrong.push(format!("{kind} {place}: {found}, expected {expected}"));
        }
    }

    /// Everything that `expected` has, below one name.
    fn all(&mut self, kind: &str, place: &str, found: &Value, expected: &Value, allowed: f64) {
        match expected {
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.all(kind, &format!("{place}.{key}"), &found[key], value, allowed);
                }
            }
            Value::Array(list) => {
                for (at, value) in list.iter().enumerate() {
                    self.all(kind, &format!("{place}[{at}]"), &found[at], value, allowed);
                }
            }
            Value::Number(number) => {
                self.number(kind, place, found, number.as_f64().unwrap(), allowed);
            }
            Value::Null if found.is_null() => {}
            other if found == other => {}
            // R writes names of groups that are numbers as texts.
            Value::String(text) if found.as_f64().is_some_and(|n| n.to_string() == *text) => {}
            other => self.wrong.push(format!("{kind} {place}: {found}, expected {other}")),
        }
    }

    fn close(self) {
        for (kind, (n, worst, allowed)) in &self.kinds {
            println!("{:<28} {kind:<34} {n:>5} figures, {worst:.1e} of {allowed:.0e}", self.label);
        }
        assert!(
            self.wrong.is_empty(),
            "{}: {:#?}",
            self.label,
            &self.wrong[..self.wrong.len().min(20)]
        );
        assert!(!self.kinds.is_empty());
    }
}

fn quality(label: &str, file: &str, ignored: &str) {
    let expected = figures_of(label);
    let found = figures(&["quality", &data(file), "--ignore", ignored, "--threads", "2"]);
    let mut seen = Seen::of(label);
    for key in ["n", "n_complete"] {
        seen.all(key, key, &found[key], &expected[key], 0.0);
    }
    for key in [
        "pearson_pairwise",
        "covariance_pairwise",
        "alpha_pairwise_na_rm",
        "alpha_complete_cases",
        "eigenvalues_pearson_pairwise",
    ] {
        seen.all(key, key, &found[key], &expected[key], 1e-10);
    }
    let (own, cfa) = (&found["cfa_ml_complete_cases"], &expected["cfa_ml_complete_cases"]);
    for key in ["loadings", "residual_var", "std_loadings", "omega"] {
        seen.all("cfa", key, &own[key], &cfa[key], 1e-5);
    }
    for (key, value) in cfa["fit"].as_object().into_iter().flatten() {
        let size = value.as_f64().unwrap_or(1.0).abs().max(1.0);
        seen.all("cfa fit", key, &own["fit"][key], value, 1e-5 * size);
    }
    let own = &found["polychoric_complete_cases"];
    for key in ["psych_correct0_two_step", "lavaan_two_step", "psych_tau"] {
        if let Some(value) = expected["polychoric_complete_cases"].get(key) {
            seen.all("polychoric", key, &own[key], value, 5e-5);
        }
    }
    seen.close();
}

#[test]
fn quality_of_scales() {
    quality("ctt_bfi_agreeableness.json", "bfi_AC.csv", "C1,C2,C3,C4,C5,gender");
    quality("ctt_bfi_conscientiousness.json", "bfi_AC.csv", "A1,A2,A3,A4,A5,gender");
    quality("ctt_bhr2000_leadership.json", "bhr2000.csv", "GRP,HRS,RELIG");
    quality("ctt_verbagg.json", "verbagg.csv", "Gender");
    quality("simulated/ctt_scale.json", "scale.csv", "group");
}

#[test]
fn agreement_of_raters() {
    for (label, file, ignored) in [
        ("icc_rwg_bh1996.json", "bh1996.csv", ""),
        ("icc_rwg_bhr2000.json", "bhr2000.csv", "HRS,RELIG"),
        ("icc_rwg_bhr2000.json", "bhr2000.csv", ""),
    ] {
        let expected = figures_of(label);
        let file = data(file);
        let mut words = vec!["agreement", &file, "--group", "GRP"];
        if !ignored.is_empty() {
            words.extend(["--ignore", ignored]);
        }
        let found = figures(&words);
        let mut seen = Seen::of(label);
        for (name, own) in found["variables"].as_object().unwrap() {
            icc(&mut seen, name, own, &expected["variables"][name]);
        }
        let mut keys = vec![];
        if !ignored.is_empty() {
            icc(&mut seen, "scale_mean", &found["scale_mean"], &expected["scale_mean"]);
            keys = vec!["rwg.j", "rwg.j.lindell", "rwg_first_item", "ad.m", "awg"];
        } else if label.contains("1996") {
            keys = vec!["rwg"];
        }
        for key in keys {
            lists(&mut seen, key, &found[key], &expected[key]);
        }
        seen.close();
    }
}

/// Parallel lists, of which the names of groups and counts may be of another type.
fn lists(seen: &mut Seen, key: &str, found: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        if value.is_object() {
            lists(seen, &format!("{key}.{name}"), &found[name], value);
        } else if name != "grpid" {
            seen.all(key, name, &found[name], value, 1e-10);
        }
    }
}

fn icc(seen: &mut Seen, name: &str, found: &Value, expected: &Value) {
    for (key, value) in expected.as_object().unwrap() {
        let (kind, allowed) = match value {
            Value::Object(_) => {
                for (part, value) in value.as_object().unwrap() {
                    let size = value.as_f64().unwrap_or(0.0).abs();
                    let found = &found[key][part];
                    if !found.is_null() {
                        seen.all("lmer", &format!("{name}.{part}"), found, value, 1e-5 * size);
                    }
                }
                continue;
            }
            _ => ("icc", 1e-10 * value.as_f64().unwrap_or(1.0).abs().max(1.0)),
        };
        seen.all(kind, &format!("{name}.{key}"), &found[key], value, allowed);
    }
}

#[test]
fn fairness_to_women_and_men() {
    for (label, others) in [
        ("dif_gender_bfi_agreeableness.json", "C1,C2,C3,C4,C5"),
        ("dif_gender_bfi_conscientiousness.json", "A1,A2,A3,A4,A5"),
    ] {
        let expected = figures_of(label);
        let file = data("bfi_AC.csv");
        let words = ["fairness", &file, "--group", "gender", "--model", "graded"];
        let found = figures(&[&words[..], &["--reference", "2", "--ignore", others]].concat());
        let mut seen = Seen::of(label);
        seen.all(
            "groups",
            "female",
            &found["n_by_group"]["2"],
            &expected["n_by_group"]["female"],
            0.0,
        );
        let base = &expected["baseline"];
        seen.all("logLik", "baseline", &found["baseline"]["logLik"], &base["logLik"], 1e-4);
        for (item, expected) in expected["free_one_item"].as_object().unwrap() {
            let found = &found["free_one_item"][item];
            seen.all("X2", item, &found["X2"], &expected["X2"], 1e-3);
            seen.all("df", item, &found["df"], &expected["df"], 0.0);
            let (found, expected) =
                (&found["parameters_by_group"], &expected["parameters_by_group"]);
            seen.all("a and b of women", item, &found["2"], &expected["female"], 1e-3);
            seen.all("a and b of men", item, &found["1"], &expected["male"], 1e-3);
        }
        seen.close();
    }
}

/// The items a calibration needs of a file: all others are ignored.
fn others(file: &str, wanted: &Map<String, Value>) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let header = text.lines().next().unwrap().to_owned();
    let others: Vec<&str> = header.split(',').filter(|name| !wanted.contains_key(*name)).collect();
    others.join(",")
}

#[test]
fn calibrations() {
    let exact = figures_of("mle_check.json");
    for (label, file) in [
        ("2pl_lsat7", "lsat7.csv"),
        ("grm_science", "science.csv"),
        ("gpcm_science", "science.csv"),
        ("grm_environment", "environment.csv"),
        ("grm_bfi_agreeableness", "bfi_AC.csv"),
        ("grm_bfi_conscientiousness", "bfi_AC.csv"),
        ("gpcm_bfi_agreeableness", "bfi_AC.csv"),
        ("grm_verbagg", "verbagg.csv"),
        ("grm_bhr2000_leadership", "bhr2000.csv"),
    ] {
        let expected = &exact[label];
        let model = match &label[..3] {
            "grm" => "graded",
            "2pl" => "two-parameter",
            _ => "partial-credit",
        };
        let items = expected["parameters"].as_object().unwrap();
        let file = data(file);
        let ignored = others(&file, items);
        for (tolerance, allowed) in [("1e-6", 1e-5), ("1e-10", 1e-7)] {
            let mut words = vec!["calibrate", &file, "--model", model, "--tolerance", tolerance];
            if !ignored.is_empty() {
                words.extend(["--ignore", &ignored]);
            }
            let found = figures(&words);
            let mut seen = Seen::of(&format!("{label} {tolerance}"));
            assert_eq!(found["converged"], true);
            let log_likelihood = &expected["logLik"];
            seen.all("log-likelihood", "", &found["log_likelihood"], log_likelihood, 1e-5);
            for item in found["items"].as_array().unwrap() {
                let name = item["id"].as_str().unwrap();
                let expected = &items[name];
                let parts = [("a", "se_a"), ("d", "se_d"), ("b", "se_b")];
                for (own, error) in parts {
                    seen.all(own, name, &listed(&item[own]), &listed(&expected[own]), allowed);
                    let se = &item["se"][own];
                    seen.all(error, name, &listed(se), &listed(&expected[error]), allowed);
                }
            }
            seen.close();
        }
    }
}

/// A number alone as a list of one.
fn listed(value: &Value) -> Value {
    if value.is_number() { json!([value]) } else { value.clone() }
}

#[test]
fn rasch_items_against_mirt() {
    let (golden, file) = (figures_of("rasch_lsat7.json"), data("lsat7.csv"));
    let found = figures(&["calibrate", &file, "--model", "rasch"]);
    let mut seen = Seen::of("rasch_lsat7");
    seen.all("log-likelihood", "", &found["log_likelihood"], &golden["logLik"], 1e-5);
    let variance = &golden["parameters"]["latent"]["est"]["COV_11"];
    seen.all("variance", "", &found["latent"]["covariance"][0][0], variance, 5e-5);
    for item in found["items"].as_array().unwrap() {
        let name = item["id"].as_str().unwrap();
        let of = &golden["parameters"]["slope_intercept"][name];
        seen.all("d", name, &item["d"][0], &of["est"]["d"], 5e-5);
        seen.all("se_d", name, &item["se"]["d"][0], &of["se"]["d"], 1e-4);
    }
    seen.close();
}

/// The calibration as another program would write it: no more than the format says.
fn written(golden: &Value, folder: &Path) -> String {
    let model = match golden["model"].as_str().unwrap() {
        "graded" => "graded",
        "gpcm" => "partial-credit",
        "2PL" => "two-parameter",
        _ => "rasch",
    };
    let items: Vec<Value> = golden["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| {
            let of = &golden["parameters"]["slope_intercept"][name.as_str().unwrap()]["est"];
            let mut d: Vec<&Value> = (1..).map_while(|k| of.get(format!("d{k}"))).collect();
            d.extend(of.get("d"));
            json!({ "id": name, "categories": d.len() + 1, "a": of["a1"], "d": d })
        })
        .collect();
    let variance = &golden["parameters"]["latent"]["est"]["COV_11"];
    let calibration = json!({
        "model": model, "nodes": 61, "range": 6, "items": items,
        "latent": { "mean": [0], "covariance": [[variance]] },
    });
    let path = folder.join("calibration.json");
    std::fs::write(&path, calibration.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn scores_of_every_pattern_by_every_method() {
    for label in [
        "2pl_lsat7",
        "rasch_lsat7",
        "grm_science",
        "gpcm_science",
        "grm_environment",
        "grm_bfi_agreeableness",
        "grm_bfi_conscientiousness",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let calibration = written(&figures_of(&format!("{label}.json")), folder.path());
        let patterns = reference().join(format!("{label}_patterns.csv"));
        let text = std::fs::read_to_string(&patterns).unwrap();
        let column = |name: &str| -> Vec<String> {
            let at = text.lines().next().unwrap().split(',').position(|n| n == name).unwrap();
            let cell = |line: &str| line.split(',').nth(at).unwrap_or_default().to_owned();
            text.lines().skip(1).map(cell).collect()
        };
        let mut seen = Seen::of(label);
        for (method, name, allowed, allowed_se) in [
            ("eap", "EAP", 1e-9, 1e-9),
            ("map", "MAP", 1e-4, 1e-3),
            ("ml", "ML", 1e-4, 1e-3),
            ("wle", "WLE", 1e-4, 1e-3),
        ] {
            let out = folder.path().join(format!("{method}.csv"));
            let words = ["score", patterns.to_str().unwrap(), "--calibration", &calibration];
            let rest = "n,EAP,EAP_SE,MAP,MAP_SE,ML,ML_SE,WLE,WLE_SE";
            let out_words = ["--method", method, "--ignore", rest, "--out", out.to_str().unwrap()];
            run(&[&words[..], &out_words].concat());
            let scores = std::fs::read_to_string(&out).unwrap();
            assert_eq!(scores.lines().next(), Some("theta,se"));
            let (theta, se) = (column(name), column(&format!("{name}_SE")));
            assert_eq!(scores.lines().count(), theta.len() + 1);
            for (at, line) in scores.lines().skip(1).enumerate() {
                let (own, own_se) = line.split_once(',').unwrap();
                for (kind, own, expected, allowed) in
                    [(name, own, &theta[at], allowed), ("SE", own_se, &se[at], allowed_se)]
                {
                    // R's search ends at 20: infinite, and here empty.
                    let expected = expected.parse::<f64>().ok().filter(|x| x.abs() < 19.9);
                    if let Some(expected) = expected {
                        let own = json!(own.parse::<f64>().ok());
                        let kind = format!("{method} {kind}");
                        seen.number(&kind, &format!("row {at}"), &own, expected, allowed);
                    }
                }
            }
        }
        seen.close();
    }
}
