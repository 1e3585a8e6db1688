//! A psychometrician runs the engine's commands on files, good and bad.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../psychometrics/tests/golden/classical").join(name)
}

fn run(arguments: &[&str], file: &Path) -> Output {
    let (command, rest) = arguments.split_first().unwrap();
    Command::new(env!("CARGO_BIN_EXE_bellwether"))
        .arg(command)
        .arg(file)
        .args(rest)
        .output()
        .unwrap()
}

fn figures(arguments: &[&str], file: &Path) -> Value {
    let output = run(arguments, file);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaint.is_empty(), "{complaint}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What is said of a bad file, line by line; the exit code is 2.
#[track_caller]
fn complaints(arguments: &[&str], text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answers.csv");
    std::fs::write(&file, text).unwrap();
    let out = folder.path().join("figures.json");
    let arguments = [arguments, &["--out", out.to_str().unwrap()]].concat();
    let output = run(&arguments, &file);
    assert_eq!(output.status.code(), Some(2));
    assert!(!out.exists() && output.stdout.is_empty(), "nothing is left behind");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no half file");
    let said = String::from_utf8(output.stderr).unwrap();
    let at = format!("{}", file.display());
    said.lines().map(|line| line.replace("bellwether: ", "").replace(&at, "FILE")).collect()
}

#[track_caller]
fn near(seen: &Value, expected: &Value, tolerance: f64) {
    let (seen, expected) = (seen.as_f64().unwrap(), expected.as_f64().unwrap());
    assert!((seen - expected).abs() < tolerance, "{seen}, expected {expected}");
}

#[test]
fn the_quality_of_a_scale_under_the_names_of_r() {
    let text = std::fs::read_to_string(shipped("ctt_scale.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let arguments = ["quality", "--ignore", "group", "--threads", "2"];
    let seen = figures(&arguments, &shipped("data/scale.csv"));
    assert_eq!(seen["n"], expected["n"]);
    assert_eq!(seen["n_complete"], expected["n_complete"]);
    for part in ["alpha_pairwise_na_rm", "alpha_complete_cases"] {
        for (key, value) in expected[part]["total"].as_object().unwrap() {
            near(&seen[part]["total"][key], value, 1e-9);
        }
        for (item, figures) in expected[part]["item_stats"].as_object().unwrap() {
            for (key, value) in figures.as_object().unwrap() {
                near(&seen[part]["item_stats"][item][key], value, 1e-9);
            }
        }
        near(&seen[part]["feldt"]["lower.ci"], &expected[part]["feldt"]["lower.ci"], 1e-9);
    }
    near(
        &seen["cfa_ml_complete_cases"]["omega"],
        &expected["cfa_ml_complete_cases"]["omega"],
        1e-6,
    );
    let polychoric =
        |from: &Value| from["polychoric_complete_cases"]["lavaan_two_step"][0][7].clone();
    near(&polychoric(&seen), &polychoric(&expected), 5e-5);
    assert_eq!(seen["factors_complete_cases"]["nfact"], 1);
}

#[test]
fn agreement_of_raters_under_the_names_of_r() {
    let text = std::fs::read_to_string(shipped("icc_rwg_ratings.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let seen = figures(&["agreement", "--group", "leader"], &shipped("data/ratings.csv"));
    let lists = [
        ("rwg.j", "rwg.j"),
        ("rwg.j.lindell", "rwg.lindell"),
        ("rwg_first_item", "rwg"),
        ("ad.m", "AD.M"),
        ("awg", "a.wg"),
    ];
    for (part, key) in lists {
        assert_eq!(seen[part]["grpid"], expected[part]["grpid"], "{part}");
        for (seen, expected) in
            seen[part][key].as_array().unwrap().iter().zip(expected[part][key].as_array().unwrap())
        {
            if expected.is_null() {
                assert!(seen.is_null());
            } else {
                near(seen, expected, 1e-10);
            }
        }
    }
    for key in ["ICC1", "ICC2", "F", "MSB"] {
        near(&seen["scale_mean"][key], &expected["scale_mean"][key], 1e-10);
        near(&seen["variables"]["b2"][key], &expected["variables"]["b2"][key], 1e-10);
    }
}

#[test]
fn reversed_items_use_the_range_observed_or_stated() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answers.csv");
    std::fs::write(&file, "who,a,b,c\nx,1,2,4\ny,2,3,3\nz,3,2,\nu,4,4,1\n").unwrap();
    let mean = |extra: &[&str]| {
        let arguments = [&["quality", "--id", "who", "--reverse", "c"], extra].concat();
        let seen = figures(&arguments, &file);
        seen["alpha_pairwise_na_rm"]["item_stats"]["c"]["mean"].as_f64().unwrap()
    };
    assert!((mean(&[]) - (5.0 - 8.0 / 3.0)).abs() < 1e-12, "1 + 4 - x");
    assert!((mean(&["--categories", "1..6"]) - (7.0 - 8.0 / 3.0)).abs() < 1e-12, "1 + 6 - x");
}

#[test]
fn figures_go_whole_into_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("figures.json");
    let arguments = ["agreement", "--group", "leader", "--out", out.to_str().unwrap()];
    let output = run(&arguments, &shipped("data/ratings.csv"));
    assert!(output.status.success() && output.stdout.is_empty());
    let written: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    assert_eq!(written["n_groups"], 60);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn every_fault_of_a_file_has_its_place_and_remedy() {
    let quality: &[&str] = &["quality"];
    assert_eq!(
        complaints(quality, "a,b\n1,2\nx,2.5\n3,NA\n"),
        [
            "FILE: line 3, column a: “x”: answers are whole numbers; name the column with --id, \
             --group, --weight or --ignore if it holds no answers",
            "FILE: line 3, column b: “2.5”: answers are whole numbers; name the column with --id, \
             --group, --weight or --ignore if it holds no answers",
            "FILE: line 4, column b: “NA”: leave a missing answer empty",
        ]
    );
    let mut many = String::from("a,b\n");
    many.push_str(&"?,1\n".repeat(30));
    let said = complaints(quality, &many);
    assert_eq!((said.len(), said[10].as_str()), (11, "FILE: … and 20 more"));
    assert_eq!(
        complaints(quality, "a,b\n1,2,3\n1\n"),
        ["FILE: line 2: 3 cells under 2 columns", "FILE: line 3: 1 cells under 2 columns"]
    );
    assert_eq!(
        complaints(quality, ""),
        ["FILE: the file is empty: a header row names the columns"]
    );
    assert_eq!(complaints(quality, "a,b\n"), ["FILE: there is a header and no row: no persons"]);
    assert_eq!(
        complaints(quality, "a;b\n1;2\n"),
        ["FILE: line 1: the columns of “a;b” are separated by semicolons; save the file with \
             commas between the columns"]
    );
    assert_eq!(
        complaints(quality, "a,a,\n1,2,3\n"),
        ["FILE: two columns are named a", "FILE: column 3 has no name in the header"]
    );
    assert_eq!(
        complaints(&["quality", "--ignore", "c", "--id", "who"], "a,b\n1,2\n"),
        [
            "FILE: --id who: there is no column of that name",
            "FILE: --ignore c: there is no column of that name"
        ]
    );
    assert_eq!(
        complaints(&["quality", "--reverse", "c"], "a,b\n1,2\n2,1\n3,3\n"),
        ["--reverse c: the file has no such item"]
    );
    assert_eq!(
        complaints(&["quality", "--categories", "1..5"], "a,b\n1,6\n2,1\n3,3\n"),
        ["FILE: line 2, column b: “6”: answers are between 1 and 5"]
    );
    assert_eq!(
        complaints(quality, "a,b\n1,3\n2,3\n3,3\n"),
        ["FILE: item b was answered alike by everybody: leave it out with --ignore b"]
    );
    assert_eq!(complaints(quality, "a\n1\n2\n3\n"), ["FILE: 1 item(s): at least 2 are needed"]);
}

#[test]
fn ratings_have_their_own_faults() {
    let agreement: &[&str] = &["agreement", "--group", "team"];
    assert_eq!(
        complaints(agreement, "team,a\nx,inf\n,2\n"),
        [
            "FILE: line 2, column a: “inf”: a rating is a number; leave the cell empty where it is missing",
            "FILE: line 3: the group is empty",
        ]
    );
    assert_eq!(
        complaints(agreement, "team,a\nx,1\nx,2\n"),
        ["FILE: a: 1 group(s) with a rating: at least two are needed to compare them"]
    );
    assert_eq!(
        complaints(agreement, "team,a\nx,1\ny,2\n"),
        ["FILE: a: 2 ratings in 2 groups: no group has two"]
    );
    let nowhere = run(agreement, Path::new("no/such/file.csv"));
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("no/such/file.csv cannot be opened"));
}

#[test]
fn ratings_off_the_scale_cost_only_the_figure_that_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ratings.csv");
    std::fs::write(&file, "team,a\n10,1\n10,2.5\n9,7\n9,6\n").unwrap();
    let seen = figures(&["agreement", "--group", "team"], &file);
    assert!(seen["awg"]["error"].as_str().unwrap().contains("item a: 7 is not between 1 and 5"));
    assert!(seen["variables"]["a"]["ICC1"].is_f64());
    assert_eq!(seen["rwg"]["a"]["grpid"], serde_json::json!(["9", "10"]), "in order of number");
}

/// A file long enough that the work is not over before the signal comes.
fn long_file(folder: &Path) -> PathBuf {
    let file = folder.join("answers.csv");
    let mut text = String::from("a,b,c,d,e,f\n");
    for i in 0..300_000_u64 {
        let mix = i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let answer = |shift: u64| (mix >> shift) % 5;
        let cells: Vec<String> = (0..6).map(|item| answer(3 * item).to_string()).collect();
        text += &(cells.join(",") + "\n");
    }
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn an_interruption_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let file = long_file(folder.path());
    let out = folder.path().join("figures.json");
    let mut child = Command::new(env!("CARGO_BIN_EXE_bellwether"))
        .arg("quality")
        .arg(&file)
        .args(["--out", out.to_str().unwrap()])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // The watch for interruptions is set before the file is opened: wait until it is.
    let opened = || {
        let files = std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap();
        files.flatten().any(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to == file))
    };
    while !opened() {
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!out.exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no half file");
}
