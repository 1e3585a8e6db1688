//! The commands as they are typed, on files in a folder of their own.

use std::path::{Path, PathBuf};

use clap::Command;
use serde_json::Value;
use tempfile::TempDir;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../psychometrics/tests/golden")
}

/// Runs a command line, words separated by spaces.
fn run(words: &[&str]) -> Result<(), Vec<String>> {
    let matches = Command::new("bellwether")
        .subcommand(super::calibrate::command())
        .subcommand(super::score::command())
        .subcommand(super::fairness::command())
        .subcommand(super::simulate::command())
        .subcommand(super::quality::command())
        .subcommand(super::agreement::command())
        .try_get_matches_from([&["bellwether"], words].concat())
        .map_err(|e| vec![e.to_string()])?;
    match matches.subcommand().unwrap() {
        ("calibrate", given) => super::calibrate::run(given),
        ("score", given) => super::score::run(given),
        ("simulate", given) => super::simulate::run(given),
        ("quality", given) => super::quality::run(given),
        ("agreement", given) => super::agreement::run(given),
        (_, given) => super::fairness::run(given),
    }
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }
}

fn near(found: &Value, expected: f64, tolerance: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() < tolerance, "{found} {expected}");
}

fn data(name: &str) -> String {
    golden().join(name).to_str().unwrap().to_owned()
}

#[test]
fn a_scale_is_calibrated_and_its_persons_scored() {
    let folder = Folder::new();
    let (scale, out) = (data("classical/data/scale.csv"), folder.path("scale.json"));
    let words =
        ["calibrate", &scale, "--model", "graded", "--ignore", "group", "--tolerance", "1e-9"];
    run(&[&words[..], &["--out", &out]].concat()).unwrap();
    let found = folder.json("scale.json");
    let text = std::fs::read_to_string(data("mle_check_simulated.json")).unwrap();
    let exact = &serde_json::from_str::<Value>(&text).unwrap()["grm_scale"];
    near(&found["log_likelihood"], exact["logLik"].as_f64().unwrap(), 1e-6);
    assert_eq!(found["converged"], true);
    assert_eq!(found["nodes"], 61);
    near(&found["latent"]["covariance"][0][0], 1.0, 1e-15);
    for item in found["items"].as_array().unwrap() {
        let expected = &exact["parameters"][item["id"].as_str().unwrap()];
        near(&item["a"], expected["a"].as_f64().unwrap(), 1e-6);
        near(&item["se"]["a"], expected["se_a"].as_f64().unwrap(), 1e-6);
        for k in 0..4 {
            near(&item["d"][k], expected["d"][k].as_f64().unwrap(), 1e-6);
            near(&item["b"][k], expected["b"][k].as_f64().unwrap(), 1e-6);
            near(&item["se"]["b"][k], expected["se_b"][k].as_f64().unwrap(), 1e-6);
        }
    }
    let scores = folder.path("scores.csv");
    let words = ["score", &scale, "--calibration", &out, "--id", "group", "--out", &scores];
    run(&words).unwrap();
    let text = folder.text("scores.csv");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("group,theta,se"));
    // R mirt's first person, at nearly the same parameters.
    let first: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(first[0], "one");
    assert!((first[1].parse::<f64>().unwrap() - 0.134_858_9).abs() < 1e-6);
    assert!((first[2].parse::<f64>().unwrap() - 0.414_325_1).abs() < 1e-6);
    assert_eq!(lines.count(), 799);
}

#[test]
fn every_model_calibrates_scores_and_says_what_it_is() {
    let folder = Folder::new();
    let (scale, wrong) = (data("classical/data/scale.csv"), data("classical/data/right_wrong.csv"));
    for (model, file) in [
        ("partial-credit", &scale),
        ("rating-scale", &scale),
        ("rasch", &scale),
        ("nominal", &scale),
        ("two-parameter", &wrong),
        ("three-parameter", &wrong),
        ("rasch", &wrong),
    ] {
        let ignored: &[&str] = if file == &scale { &["--ignore", "group"] } else { &[] };
        let (out, scores) = (folder.path("c.json"), folder.path("s.csv"));
        let words = ["calibrate", file, "--model", model, "--out", &out];
        run(&[&words[..], ignored].concat()).unwrap();
        let found = folder.json("c.json");
        assert_eq!(found["model"], model);
        assert_eq!(found["converged"], true, "{model}");
        let first = &found["items"][0];
        assert_eq!(first.get("c").is_some(), model == "three-parameter");
        assert_eq!(first.get("slopes").is_some(), model == "nominal");
        for method in ["eap", "map", "ml", "wle"] {
            let words = ["score", file, "--calibration", &out, "--method", method];
            run(&[&words[..], &["--out", &scores], ignored].concat()).unwrap();
            assert!(folder.text("s.csv").starts_with("theta,se\n"));
        }
    }
}

#[test]
fn what_is_read_is_never_written_over() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(data("classical/data/scale.csv")).unwrap();
    let (file, linked) = (folder.file("answers.csv", &text), folder.path("linked.csv"));
    std::fs::hard_link(&file, &linked).unwrap();
    for out in [&file, &linked] {
        let words = ["calibrate", &file, "--model", "graded", "--ignore", "group", "--out", out];
        let fault = run(&words).unwrap_err();
        assert!(fault[0].ends_with("this file is read; name another one to write"), "{fault:?}");
    }
    assert_eq!(folder.text("answers.csv"), text);
}

#[test]
fn a_column_has_one_use() {
    let folder = Folder::new();
    let file = folder.file("answers.csv", "id,q1,q2\n1,1,2\n2,2,1\n");
    let words = ["calibrate", &file, "--model", "rasch", "--id", "id", "--group", "id"];
    let fault = run(&words).unwrap_err();
    assert!(fault[0].ends_with("--id and --group both name id; a column has one use"), "{fault:?}");
}

#[test]
fn dimensions_come_from_a_file() {
    let folder = Folder::new();
    let (file, out) = (data("data/two_dimensions.csv"), folder.path("two.json"));
    let list = |letter: &str| {
        let names: Vec<String> = (1..=6).map(|i| format!("\"{letter}{i}\"")).collect();
        format!("[{}]", names.join(", "))
    };
    // Their order is the file's, not that of the letters.
    let text = format!("vision = {}\nmanaging = {}\n", list("l"), list("m"));
    let dimensions = folder.file("d.toml", &text);
    let words = ["calibrate", &file, "--model", "graded", "--dimensions", &dimensions];
    run(&[&words[..], &["--out", &out]].concat()).unwrap();
    let found = folder.json("two.json");
    near(&found["log_likelihood"], -12_211.112_564, 1e-4);
    near(&found["latent"]["covariance"][0][1], 0.529_353, 1e-4);
    assert_eq!(found["dimensions"], serde_json::json!(["vision", "managing"]));
    // m1 measures the second dimension.
    near(&found["items"][0]["a"][1], 1.378_182, 1e-4);
    near(&found["items"][0]["a"][0], 0.0, 1e-15);
    let scores = folder.path("two.csv");
    run(&["score", &file, "--calibration", &out, "--out", &scores]).unwrap();
    assert!(folder.text("two.csv").starts_with("theta_1,theta_2,se_1,se_2\n"));
    let wrong = folder.file("w.toml", "one = [\"m1\", \"m1\", \"x\"]");
    let words = ["calibrate", &file, "--model", "graded", "--dimensions", &wrong, "--out", &out];
    let faults = run(&words).unwrap_err().join("\n");
    for part in ["m1 is named twice", "which is no item", "m2 is on no dimension"] {
        assert!(faults.contains(part), "{faults}");
    }
}

#[test]
fn fairness_names_the_groups() {
    let folder = Folder::new();
    let (file, out) = (data("classical/data/scale.csv"), folder.path("dif.json"));
    let words = ["fairness", &file, "--group", "group", "--model", "graded", "--out", &out];
    run(&words).unwrap();
    let found = folder.json("dif.json");
    let text = std::fs::read_to_string(data("dif_group_scale.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["reference_group"], "one");
    assert_eq!(found["n_by_group"], expected["n_by_group"]);
    for (item, expected) in expected["free_one_item"].as_object().unwrap() {
        let found = &found["free_one_item"][item];
        near(&found["X2"], expected["X2"].as_f64().unwrap(), 1e-3);
        assert_eq!(found["df"], expected["df"]);
        let b1 = &expected["parameters_by_group"]["two"]["b1"];
        near(&found["parameters_by_group"]["two"]["b1"], b1.as_f64().unwrap(), 1e-3);
    }
    run(&[&words[..], &["--reference", "two"]].concat()).unwrap();
    let turned = folder.json("dif.json");
    assert_eq!(turned["reference_group"], "two");
    assert_eq!(turned["n_by_group"], found["n_by_group"]);
    for (item, figures) in found["free_one_item"].as_object().unwrap() {
        // The same model, measured from the other group.
        near(&turned["free_one_item"][item]["X2"], figures["X2"].as_f64().unwrap(), 1e-2);
    }
    let faults = run(&[&words[..], &["--reference", "three"]].concat()).unwrap_err();
    assert!(faults[0].contains("there is no such group; there are one, two"), "{faults:?}");
}

#[test]
fn groups_and_weights_are_columns() {
    let folder = Folder::new();
    let mut text = String::from("person,team,w,a,b,c\n");
    for i in 0..240 {
        let (a, b, c) = (i % 3, (i / 3 + i % 2) % 3, (i / 5 + i % 3) % 3);
        let team = ["north", "south"][i % 2];
        text += &format!("\"p {i}, \"\"x\"\"\",{team},{},{a},{b},{c}\r\n", 1 + i % 2);
    }
    let file = folder.file("g.csv", &text);
    let out = folder.path("g.json");
    let columns = ["--id", "person", "--group", "team"];
    let words = ["calibrate", &file, "--model", "graded", "--weight", "w", "--out", &out];
    run(&[&words[..], &columns].concat()).unwrap();
    let found = folder.json("g.json");
    assert_eq!(found["groups"][1]["name"], "south");
    assert_eq!(found["n_persons"], 240);
    let scores = folder.path("g.csv.out");
    let words = ["score", &file, "--calibration", &out, "--ignore", "w", "--out", &scores];
    run(&[&words[..], &columns].concat()).unwrap();
    assert!(folder.text("g.csv.out").starts_with("person,theta,se\n\"p 0, \"\"x\"\"\","));
}

/// Every word of `parts` must be in the faults.
fn refused(text: &str, more: &[&str], parts: &[&str]) {
    let folder = Folder::new();
    let (file, out) = (folder.file("r.csv", text), folder.path("o.json"));
    let words = ["calibrate", &file, "--model", "graded", "--out", &out];
    let faults = run(&[&words[..], more].concat()).unwrap_err().join("\n");
    for part in parts {
        assert!(faults.contains(part), "{part} is not in: {faults}");
    }
    assert!(!Path::new(&out).exists(), "a refused file leaves nothing behind");
}

#[test]
fn wrong_files_are_refused_in_words() {
    refused("", &[], &["is empty"]);
    refused("a,b\n", &[], &["no persons"]);
    refused(
        "a,a,\n1,2,3\n",
        &[],
        &["two columns are named a", "column 3 has no name in the header"],
    );
    refused("a,b\n1,2\n", &["--id", "who"], &["--id who: there is no column of that name"]);
    refused("a,b\n1,2\n", &["--ignore", "a,b"], &["no column is an item"]);
    refused("a,b\n1,2\n3\n", &[], &["line 3: 1 cells under 2 columns"]);
    refused("a,b\n1,NA\n", &[], &["line 2, column b: “NA”", "leave a missing answer empty"]);
    refused("a,b\n1,2.5\n", &[], &["line 2, column b: “2.5”", "whole numbers"]);
    refused("a,g\n1,x\n2,\n", &["--group", "g"], &["line 3, column g: “”: every person"]);
    refused("a,w\n1,1\n2,-1\n", &["--weight", "w"], &["column w: “-1”: a weight"]);
    refused("a,b\n1,2\n900,2\n", &[], &["line 3, column a: “900”", "254 apart"]);
    refused("a;b\n1;2\n", &[], &["line 1", "separated by semicolons", "commas"]);
    refused("a,b\n1,2\n1,99999999999\n", &[], &["line 3, column b", "too large to be an answer"]);
    refused("a,b\n1,2\n\"3,2\n", &[], &["line 3", "never closed"]);
    refused("a,b\n\"x\ny\",2\nz,2\n", &[], &["line 2, column a", "line 4, column a: “z”"]);
    let many: String = (0..25).map(|i| format!("x{i},1\n")).collect();
    refused(&format!("a,b\n{many}"), &[], &["line 11, column a", "… and 15 more"]);
    refused("a,b,c\n1,2,1\n1,3,2\n1,2,2\n", &[], &["item a: all 3 answers are 1", "--ignore"]);
    refused("a,b,c\n1,2,1\n2,3,2\n", &[], &["2 persons with answers cannot tell 6 parameters"]);
    refused("a,b\n1,2\n", &["--threads", "0"], &["invalid value '0'"]);
    refused("a,b\n1,2\n", &["--nodes", "x"], &["--nodes x: this must be a whole number"]);
    refused("a,b,c\n1,2,1\n2,3,2\n", &["--nodes", "3"], &["--nodes 3: 5 to 401"]);
}

#[test]
fn scoring_refuses_what_the_calibration_does_not_know() {
    let folder = Folder::new();
    let rows: String = (0..60).map(|i| format!("{},{}\n", i % 3, (i / 2) % 3)).collect();
    let file = folder.file("r.csv", &format!("a,b\n{rows}"));
    let (calibration, out) = (folder.path("c.json"), folder.path("s.csv"));
    run(&["calibrate", &file, "--model", "rasch", "--out", &calibration]).unwrap();
    let refused = |text: &str, parts: &[&str]| {
        let file = folder.file("x.csv", text);
        let words = ["score", &file, "--calibration", &calibration, "--out", &out];
        let faults = run(&words).unwrap_err().join("\n");
        parts.iter().for_each(|part| assert!(faults.contains(part), "{faults}"));
    };
    refused("a,x\n1,1\n", &["column x is no item", "item b of the calibration is no column"]);
    refused("b,a\n1,7\n", &["line 2, column a: “7”: the calibration has 0, 1, 2"]);
    let turned = folder.file("t.csv", "b,a\n2,\n2,0\n,\n");
    run(&["score", &turned, "--calibration", &calibration, "--out", &out]).unwrap();
    assert_eq!(folder.text("s.csv").lines().nth(3), Some(","));
    let junk = folder.file("junk.json", "{}");
    let faults = run(&["score", &turned, "--calibration", &junk, "--out", &out]).unwrap_err();
    assert!(faults[0].contains("name a file that this program's calibrate wrote"), "{faults:?}");
}

#[test]
fn an_adaptive_test_is_simulated_from_a_calibration() {
    let folder = Folder::new();
    let (scale, calibration) = (data("classical/data/scale.csv"), folder.path("c.json"));
    let words = ["calibrate", &scale, "--model", "graded", "--ignore", "group"];
    run(&[&words[..], &["--out", &calibration]].concat()).unwrap();
    let simulated = |name: &str, more: &[&str]| {
        let out = folder.path(name);
        let words = ["simulate", "--calibration", &calibration, "--persons", "2000"];
        run(&[&words[..], &["--out", &out], more].concat()).unwrap();
        folder.json(name)
    };
    let stop = ["--stop", "se<0.45 max=6"];
    let found = simulated("one.json", &stop);
    assert_eq!(found["n_persons"], 2000);
    // EAP shrinks towards the mean, and so errs little on average and by its own error.
    near(&found["bias"], 0.0, 0.05);
    near(&found["rmse"], found["mean_se"].as_f64().unwrap(), 0.03);
    near(&found["reliability"], found["reliability_claimed"].as_f64().unwrap(), 0.05);
    assert!(found["length_max"].as_u64().unwrap() <= 6);
    let sums = |key: &str| {
        let bands = found["bands"].as_array().unwrap();
        bands.iter().map(|band| band[key].as_f64().unwrap()).sum::<f64>()
    };
    assert!((sums("n") - 2000.0).abs() < 1e-12);
    let rates = found["exposure"]["items"].as_object().unwrap();
    let asked: f64 = rates.values().map(|rate| rate.as_f64().unwrap()).sum();
    near(&found["mean_length"], asked, 1e-9);
    let threads = simulated("two.json", &[&stop[..], &["--threads", "3"]].concat());
    assert_eq!(found, threads, "any number of threads gives the same");
    let other = simulated("seed.json", &[&stop[..], &["--seed", "2"]].concat());
    assert_ne!(found["rmse"], other["rmse"]);
    let words = ["--stop", "max=3", "--exposure", "sympson-hetter=0.7", "--method", "map"];
    let rule = ["--select", "posterior-information"];
    let spared = simulated("rule.json", &[&words[..], &rule].concat());
    let most = |found: &Value| found["exposure"]["max"].as_f64().unwrap();
    assert!((most(&found) - 1.0).abs() < 1e-12, "the first item is the same for all");
    assert!(most(&spared) < 0.75, "{}", most(&spared));
}

#[test]
fn simulations_that_cannot_be_are_refused_with_what_to_write() {
    let folder = Folder::new();
    let rows: String = (0..60).map(|i| format!("{},{}\n", i % 3, (i / 2) % 3)).collect();
    let file = folder.file("r.csv", &format!("a,b\n{rows}"));
    let calibration = folder.path("c.json");
    run(&["calibrate", &file, "--model", "rasch", "--out", &calibration]).unwrap();
    let refused = |more: &[&str], part: &str| {
        let words = ["simulate", "--calibration", &calibration];
        let faults = run(&[&words[..], more].concat()).unwrap_err().join("\n");
        assert!(faults.contains(part), "{part} is not in: {faults}");
    };
    refused(&["--persons", "0"], "--persons 0: simulate 1 to");
    refused(&["--stop", "se=small"], "such as se<0.3");
    refused(&["--select", "best"], "choose information");
    refused(&["--exposure", "randomesque=0"], "randomesque=5");
    refused(&["--exposure", "sympson-hetter=0.2"], "so few items cannot keep such a rate");
    refused(&["--ignore", "x"], "the calibration has no such item");
    refused(&["--ignore", "a,b"], "leaves no item");
    refused(&["--dimension", "x"], "the calibration has theta");
    let facets = folder.file("f.toml", "one = [\"a\"]");
    refused(&["--content", &facets], "b is on no facet");
}

#[test]
fn parquet_goes_in_and_out() {
    let folder = Folder::new();
    let rows: String =
        (0..90).map(|i| format!("p{i},{},{}\n", i % 3, (i / 2 + i / 7) % 3)).collect();
    let file = folder.file("r.csv", &format!("who,a,b\n{rows}"));
    let calibration = folder.path("c.json");
    let words = ["calibrate", &file, "--model", "rasch", "--id", "who", "--out", &calibration];
    run(&words).unwrap();
    let (text, parquet) = (folder.path("s.csv"), folder.path("s.parquet"));
    for out in [&text, &parquet] {
        let words = ["score", &file, "--calibration", &calibration, "--id", "who", "--out", out];
        run(&words).unwrap();
    }
    // A column of scores is no answer: each is refused, and the first is shown as CSV has it.
    let first = folder.text("s.csv").lines().nth(1).unwrap().split(',').nth(1).unwrap().to_owned();
    let words = ["calibrate", &parquet, "--model", "graded", "--id", "who"];
    let faults = run(&words).unwrap_err();
    assert_eq!(faults.len(), 11);
    assert!(faults[0].contains(&format!("row 1, column theta: “{first}”")), "{faults:?}");
}

#[test]
fn a_place_that_cannot_be_written_is_said_before_the_work() {
    let folder = Folder::new();
    // The file of answers is not there either: the place is what is tried first.
    let refused = |out: &str| {
        let words = ["calibrate", "nowhere.csv", "--model", "graded", "--out", out];
        run(&words).unwrap_err().join("\n")
    };
    assert!(refused(&folder.path("")).contains("this is a folder"));
    let said = refused(&folder.path("no/such/folder.json"));
    assert!(said.contains("folder.json cannot be written"), "{said}");
}

#[test]
fn a_calibration_of_another_program_scores_alike() {
    let folder = Folder::new();
    let (scale, own) = (data("classical/data/scale.csv"), folder.path("own.json"));
    let other = folder.path("other.json");
    for model in ["graded", "partial-credit", "rasch"] {
        let words = ["calibrate", &scale, "--model", model, "--ignore", "group", "--out", &own];
        run(&words).unwrap();
        let whole = folder.json("own.json");
        let items =
            whole["items"].as_array().unwrap().iter().map(
                |item| serde_json::json!({ "id": item["id"], "a": item["a"], "b": item["b"] }),
            );
        let items: Vec<Value> = items.collect();
        let bare = serde_json::json!({
            "model": model, "items": items, "latent": whole["latent"],
        });
        folder.file("other.json", &bare.to_string());
        let scores = |calibration: &str, name: &str| {
            let out = folder.path(name);
            let words = ["score", &scale, "--calibration", calibration, "--ignore", "group"];
            run(&[&words[..], &["--out", &out]].concat()).unwrap();
            let text = folder.text(name);
            let cells = text.lines().skip(1).flat_map(|line| line.split(','));
            cells.map(|cell| cell.parse::<f64>().unwrap()).collect::<Vec<f64>>()
        };
        let (first, second) = (scores(&own, "1.csv"), scores(&other, "2.csv"));
        assert_eq!((first.len(), second.len()), (1600, 1600));
        for (first, second) in first.iter().zip(second) {
            assert!((first - second).abs() < 1e-9, "{model}: {first} {second}");
        }
    }
}

/// Rows of three items that vary; `more` are lines after them.
fn rows(more: &str) -> String {
    let row = |i: i32| format!("{},{},{}\n", i % 3, (i / 2) % 3, (i / 3 + i % 2) % 3);
    format!("a,b,c\n{}{more}", (0..60).map(row).collect::<String>())
}

#[test]
fn files_that_carry_no_figures_are_refused_in_words() {
    refused("a\n1\n2\n", &[], &["1 item: at least 2 items are needed, 3 where slopes"]);
    refused("a,b\n1,2\n2,1\n", &[], &["2 items: at least 3", "rasch does with 2"]);
    refused("a,b,c\n1,2,1\n,,\n", &[], &["r.csv: only one person answered anything"]);
    refused("a,b,c\n,,\n,,\n", &[], &["r.csv: nobody answered anything"]);
    refused("a,b,c\n1,,1\n2,,1\n", &[], &["item b: nobody answered it", "--ignore b"]);
    let coded = rows("1,-99,2\n0,1,999\n0,1,\n");
    refused(&coded, &[], &["line 63, column c", "254 apart", "leave the cell empty"]);
    let coded = rows("1,-99,2\n0,1,99\n");
    refused(&coded, &[], &["item b: 1 answer(s) are -99, far from the others (0 to 2)", "item c"]);
    let folder = Folder::new();
    let (file, out) = (folder.file("r.csv", &rows("")), folder.path("o.json"));
    let dimensions = folder.file("d.toml", "x = [\"a\", \"b\"]\ny = [\"c\"]");
    let words = ["calibrate", &file, "--model", "graded", "--dimensions", &dimensions];
    let faults = run(&[&words[..], &["--out", &out]].concat()).unwrap_err();
    assert_eq!(faults, ["dimension y has 1 item(s): at least 2 are needed"]);
}

#[test]
fn a_group_of_one_is_refused_and_a_small_one_noted() {
    let folder = Folder::new();
    let with_groups = |n_south: usize| {
        let groups = |(at, row): (usize, &str)| match at {
            0 => format!("{row},team\n"),
            at if at <= n_south => format!("{row},south\n"),
            _ => format!("{row},north\n"),
        };
        rows("").lines().enumerate().map(groups).collect::<String>()
    };
    let out = folder.path("o.json");
    for command in ["calibrate", "fairness"] {
        let file = folder.file("one.csv", &with_groups(1));
        let words = [command, &file, "--model", "rasch", "--group", "team", "--out", &out];
        let faults = run(&words).unwrap_err();
        assert!(faults[0].contains("group south has one person with answers"), "{faults:?}");
    }
    let file = folder.file("few.csv", &with_groups(20));
    run(&["calibrate", &file, "--model", "rasch", "--group", "team", "--out", &out]).unwrap();
    let flags = folder.json("o.json")["flags"].to_string();
    assert!(flags.contains("group south has only 20 persons"), "{flags}");
}

#[test]
fn agreement_and_quality_name_the_file_and_the_remedy() {
    let folder = Folder::new();
    let out = folder.path("o.json");
    let said = |command: &str, text: &[u8], more: &[&str]| {
        std::fs::write(folder.path("x.csv"), text).unwrap();
        run(&[&[command, &folder.path("x.csv"), "--out", &out], more].concat())
            .err()
            .map(|faults| faults.join("\n"))
    };
    let group = ["--group", "g"];
    for (text, part) in [
        (&b"g,a,b\n1,2,x\n1,2,2\n"[..], "x.csv: line 2, column b: \u{201c}x\u{201d}"),
        (b"g,a,b\n1,2,3\n2,2,2\n", "x.csv: a: 2 ratings in 2 groups: no group has two"),
        (b"g,a,b\n1,,\n1,,\n", "x.csv: nobody rated anything"),
        (b"g,a,b\n1,1,-99\n1,2,2\n2,1,2\n2,1,1\n", "item b: 1 answer(s) are -99"),
        (b"PAR1....PAR1", "x.csv: it cannot be read as Parquet"),
        (b"g,a,b\n1,3,1\n1,3,2\n2,3,2\n2,3,1\n", "leave it out with --ignore a"),
        (b"g,\xE4,b\n1,1,2\n", "x.csv: line 1 is not UTF-8 text; save the file as UTF-8"),
    ] {
        let faults = said("agreement", text, &group).unwrap();
        assert!(faults.contains(part), "{faults}");
    }
    // One rater alone in a group is no fault, but is said.
    let text = b"g,a,b\n1,1,2\n1,2,2\n2,3,4\n2,1,1\n3,4,4\n";
    assert_eq!(said("agreement", text, &group), None);
    let found = folder.json("o.json");
    assert!(found["flags"][0].as_str().unwrap().starts_with("group 3 has one rater"));
    assert!(found["rwg.j"]["rwg.j"][2].is_null());
    for (text, part) in [
        (&b"a,b,c\n1,,2\n2,,1\n3,,3\n"[..], "x.csv: item b: nobody answered it"),
        (b"a,b,c\n1,2,3\n", "only one person answered anything"),
        (b"a,b,c\n,,\n,,\n", "nobody answered anything"),
        (b"a,b,c\n2,2,2\n2,2,2\n", "x.csv: every answer is 2: there is nothing to compare"),
    ] {
        let faults = said("quality", text, &[]).unwrap();
        assert!(faults.contains(part), "{faults}");
    }
    let faults = said("quality", b"a,b\n1,2\n2,99\n", &["--categories", "1..5"]).unwrap();
    assert!(faults.contains("answers are between 1 and 5; if it is a missing-value"), "{faults}");
}

/// R psych 2.2.9: `polychoric(x, correct = 0, global = FALSE, smooth = FALSE)` on the first thirty
/// rows of the simulated right and wrong answers; lavaan 0.6-14 on fit without degrees of freedom;
/// multilevel 2.7 on groups in which nobody answered everything.
#[test]
fn figures_that_hang_on_conventions_are_those_of_r() {
    let folder = Folder::new();
    let out = folder.path("o.json");
    let text = std::fs::read_to_string(golden().join("classical/data/right_wrong.csv")).unwrap();
    let lines: Vec<&str> = text.lines().take(31).collect();
    let file = folder.file("few.csv", &lines.join("\n"));
    run(&["quality", &file, "--out", &out]).unwrap();
    let found = &folder.json("o.json")["polychoric_complete_cases"];
    let raw = [-0.0731811788229, 0.2410495175578, 0.4282575122936];
    for other in 0..3 {
        near(&found["lavaan_two_step"][0][other + 1], raw[other], 5e-5);
    }
    let file = folder.file("three.csv", "a,b,c\n1,2,2\n2,3,4\n3,3,3\n1,2,3\n2,4,4\n3,4,4\n2,2,2\n");
    run(&["quality", &file, "--out", &out]).unwrap();
    let found = folder.json("o.json");
    let fit = &found["cfa_ml_complete_cases"]["fit"];
    near(&fit["tli"], 1.0, 1e-15);
    near(&fit["rmsea"], 0.0, 1e-15);
    // Four answers over all items, of which the first has no 4 and the others no 1.
    let tau = &found["polychoric_complete_cases"]["psych_tau"];
    assert!(tau[0][2].is_null() && tau[0][1].is_number());
    assert!(tau[1][0].is_null() && tau[1][2].is_number());
    let file = folder.file("gaps.csv", "g,a,b\n1,2,3\n1,2,2\n2,,3\n2,4,\n3,1,2\n3,2,2\n");
    run(&["agreement", &file, "--group", "g", "--out", &out]).unwrap();
    let found = folder.json("o.json");
    for key in ["rwg.j", "ad.m", "awg"] {
        assert_eq!(found[key]["grpid"], serde_json::json!(["1", "3"]), "{key}");
    }
    assert_eq!(found["awg"]["nitems"], serde_json::json!([2, 2]));
}

#[test]
fn separated_and_unrelated_items_are_flagged() {
    let folder = Folder::new();
    // c is answered like b by everybody; d has nothing to do with them.
    let row = |i: usize| format!("{0},{1},{1},{2}\n", i % 2, (i / 2) % 2, (i / 4) % 2);
    let text = format!("a,b,c,d\n{}", (0..400).map(row).collect::<String>());
    let (file, out) = (folder.file("r.csv", &text), folder.path("o.json"));
    run(&["calibrate", &file, "--model", "two-parameter", "--out", &out]).unwrap();
    let flags = folder.json("o.json")["flags"].to_string();
    assert!(flags.contains("is Heywood-like, no estimate to be used"), "{flags}");
    assert!(flags.contains("is next to nothing"), "{flags}");
}

#[test]
fn ratings_are_read_from_parquet_as_from_csv() {
    let folder = Folder::new();
    let (scale, calibration) = (data("classical/data/scale.csv"), folder.path("c.json"));
    let words = ["calibrate", &scale, "--model", "graded", "--ignore", "group"];
    run(&[&words[..], &["--out", &calibration]].concat()).unwrap();
    // Scores by group are ratings of two items with decimals and a word for the group.
    let found = ["csv", "parquet"].map(|ending| {
        let (file, out) = (folder.path(&format!("r.{ending}")), folder.path("o.json"));
        let words = ["score", &scale, "--calibration", &calibration, "--id", "group"];
        run(&[&words[..], &["--out", &file]].concat()).unwrap();
        run(&["agreement", &file, "--group", "group", "--out", &out]).unwrap();
        folder.json("o.json")
    });
    assert_eq!(found[0]["n"], 800);
    assert_eq!(found[0]["items"], serde_json::json!(["theta", "se"]));
    assert_eq!(found[0], found[1]);
    let out = folder.path("o.json");
    let faults = run(&["agreement", &folder.path("r.parquet"), "--group", "se", "--out", &out]);
    let faults = faults.unwrap_err();
    assert!(faults[0].contains("row 1, column group: “one”: a rating is a number"), "{faults:?}");
    assert_eq!(faults.len(), 11);
}

#[test]
fn a_calibration_says_what_was_assumed() {
    let folder = Folder::new();
    let (wrong, out) = (data("classical/data/right_wrong.csv"), folder.path("c.json"));
    run(&["calibrate", &wrong, "--model", "three-parameter", "--out", &out]).unwrap();
    let found = folder.json("c.json");
    assert_eq!(found["items"][3]["prior"], serde_json::json!({ "c": { "beta": [5.0, 17.0] } }));
    assert!(found.get("AIC").is_none(), "a posterior has none");
    run(&["calibrate", &wrong, "--model", "two-parameter", "--out", &out]).unwrap();
    let found = folder.json("c.json");
    assert!(found["items"][3].get("prior").is_none());
    let text = std::fs::read_to_string(data("2pl_right_wrong.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    near(&found["AIC"], golden["AIC"].as_f64().unwrap(), 2e-5);
    near(&found["BIC"], golden["BIC"].as_f64().unwrap(), 2e-5);
}

#[test]
fn settings_and_weights_that_cannot_be_are_named_as_they_were_typed() {
    let folder = Folder::new();
    let out = folder.path("o.json");
    let file = folder.file("r.csv", &rows(""));
    for (option, value) in
        [("--nodes", "0"), ("--nodes", "1000000"), ("--range", "-1"), ("--tolerance", "0")]
    {
        let words = ["calibrate", &file, "--model", "graded", option, value, "--out", &out];
        let faults = run(&words).unwrap_err();
        assert!(faults[0].starts_with(&format!("{option} {value}: ")), "{faults:?}");
    }
    // A scale that starts below 0.
    let words = ["quality", &file, "--categories", "-2..2", "--out", &out];
    let said = run(&words).err().unwrap_or_default().join("\n");
    assert!(!said.contains("unexpected argument"), "{said}");
    let weightless: String = rows("")
        .lines()
        .enumerate()
        .map(|(at, row)| match at {
            0 => format!("{row},w\n"),
            _ => format!("{row},0\n"),
        })
        .collect();
    let file = folder.file("w.csv", &weightless);
    let words = ["calibrate", &file, "--model", "graded", "--weight", "w", "--out", &out];
    let faults = run(&words).unwrap_err();
    assert!(faults[0].ends_with("w.csv: --weight w: every weight is 0: nobody counts"));
    let there = folder.path("no/o.json");
    let faults = run(&["calibrate", &file, "--model", "graded", "--out", &there]).unwrap_err();
    assert!(faults[0].contains("there is no folder"), "{faults:?}");
}

#[test]
fn calibrations_that_contradict_themselves_are_refused() {
    let folder = Folder::new();
    let (file, own, out) =
        (folder.file("r.csv", &rows("")), folder.path("c.json"), folder.path("s.csv"));
    run(&["calibrate", &file, "--model", "graded", "--out", &own]).unwrap();
    let refused = |change: &dyn Fn(&mut Value), part: &str| {
        let mut document = folder.json("c.json");
        change(&mut document);
        let changed = folder.file("changed.json", &document.to_string());
        for words in [
            &["score", &file, "--calibration", &changed, "--out", &out][..],
            &["simulate", "--calibration", &changed, "--persons", "5", "--out", &out],
        ] {
            let faults = run(words).unwrap_err();
            assert!(faults.len() == 1 && faults[0].contains(part), "{part}: {faults:?}");
        }
        assert!(!Path::new(&out).exists());
    };
    let list = |numbers: &[f64]| serde_json::json!(numbers);
    refused(&|c| c["model"] = "gradd".into(), "there is no model \"gradd\"");
    refused(&|c| c["items"][0]["categories"] = 9.into(), "item a: categories is 9");
    refused(&|c| c["items"][0]["values"] = list(&[1.0, 2.0]), "item a: 2 values for");
    refused(&|c| c["items"][0]["values"][0] = 1.5.into(), "item a: the value 1.5 is not a whole");
    refused(&|c| c["items"][0]["values"][0] = 1e30.into(), "is not a whole number");
    refused(&|c| c["items"][0]["values"][0] = c["items"][0]["values"][1].clone(), "there twice");
    refused(&|c| c["items"][0]["b"][0] = (-9.0).into(), "the threshold b -9");
    refused(&|c| c["items"][0]["b"] = list(&[0.0]), "1 thresholds b and");
    let square = |a: f64, b: f64| serde_json::json!([[a, b], [b, 1.0]]);
    refused(&|c| c["latent"]["covariance"][0][0] = (-1.0).into(), "variance that is not above 0");
    refused(&|c| c["latent"]["covariance"] = square(1.0, 0.0), "a row and a column a dimension");
    refused(&|c| c["items"][0]["dimension"] = 7.into(), "item a is on dimension 7");
    let both = serde_json::json!([1.0, 0.5]);
    refused(&|c| c["items"][0]["a"] = both.clone(), "slopes on several dimensions");
    // Two dimensions of which one is measured by nothing.
    let mut document = folder.json("c.json");
    document["latent"] = serde_json::json!({ "mean": [0, 0], "covariance": square(1.0, 0.3) });
    let changed = folder.file("changed.json", &document.to_string());
    for method in ["eap", "map", "ml"] {
        let words = ["score", &file, "--calibration", &changed, "--method", method, "--out", &out];
        let faults = run(&words).unwrap_err();
        assert!(faults[0].contains("a dimension that no item measures"), "{faults:?}");
    }
}
