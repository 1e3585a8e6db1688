//! `cargo xtask check` and `cargo xtask test`: the same steps, fewer or all.

use std::process::Command;

use crate::needs::{self, Need};
use crate::postgres::Postgres;
use crate::run::{Tally, cargo, run, run_tests, say};
use crate::{browser, tidy};

/// The test binaries that speak to a database, run again on PostgreSQL. Always the whole workspace: with `-p` cargo would
/// choose other features of the libraries and build them once more.
const ON_POSTGRES: &[&str] = &["--test", "group_commit", "--test", "it", "--test", "process"];

/// How all the tests are to be run.
#[derive(Debug)]
pub struct Wanted {
    may_install: bool,
    n_kills: Option<u32>,
}

impl Wanted {
    /// Reads the words after `cargo xtask test`.
    ///
    /// # Errors
    /// If one is not known.
    pub fn read(words: &[&str]) -> Result<Self, String> {
        let mut wanted = Self { may_install: true, n_kills: None };
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            match word {
                "--no-install" => wanted.may_install = false,
                "--kills" => {
                    let n = words.next().and_then(|n| n.parse().ok()).filter(|&n| n > 0);
                    wanted.n_kills = Some(n.ok_or("write how many: --kills 200")?);
                }
                _ => return Err(format!("{word} is not known: write --no-install or --kills N")),
            }
        }
        Ok(wanted)
    }

    /// The tests of the whole workspace.
    fn tests(&self) -> Command {
        let mut tests = cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
        if let Some(n) = self.n_kills {
            tests.env("TEST_KILLS", n.to_string());
        }
        tests
    }
}

/// One run: what passed, what failed, what was left out.
#[derive(Default)]
struct Report {
    tally: Tally,
    failed: Vec<String>,
    not_run: Vec<String>,
}

impl Report {
    fn step(&mut self, name: &str, outcome: Result<(), String>) {
        if let Err(what) = outcome {
            say(&format!("FAILED {name}: {what}"));
            self.failed.push(format!("{name}: {what}"));
        }
    }

    fn run(&mut self, name: &str, command: &mut Command) {
        say(&format!("\n== {name}"));
        let outcome = run(command);
        self.step(name, outcome);
    }

    fn run_tests(&mut self, name: &str, command: &mut Command) {
        say(&format!("\n== {name}"));
        let outcome = run_tests(command, &mut self.tally);
        self.step(name, outcome);
    }

    /// Says in words what failed and what was not run, and closes with the count of tests.
    fn close(mut self) -> Result<(), String> {
        say("");
        for what in &self.not_run {
            say(&format!("NOT RUN {what}"));
        }
        for what in &self.failed {
            say(&format!("FAILED {what}"));
        }
        let n_bad = (self.failed.len() + self.not_run.len()) as u64;
        // A step that failed without a failing test (lints, a server that did not start) counts as one.
        self.tally.n_failed = self.tally.n_failed.max(n_bad);
        let Tally { n_passed, n_failed } = self.tally;
        say(&format!("{n_passed} passed, {n_failed} failed"));
        if n_bad == 0 { Ok(()) } else { Err(format!("{n_bad} steps did not succeed")) }
    }
}

/// What a commit must pass; under a minute when warm.
///
/// # Errors
/// If a step does not succeed.
pub fn check() -> Result<(), String> {
    let mut report = Report::default();
    lint(&mut report);
    report.run_tests(
        "tests on SQLite",
        &mut cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]),
    );
    report.close()
}

/// What a submission must pass; gets what it lacks if it may.
///
/// # Errors
/// If a step does not succeed, or could not be run.
pub fn all(wanted: &Wanted) -> Result<(), String> {
    let mut report = Report::default();
    say("== what the tests need");
    let lacking = needs::lacking(wanted.may_install);
    lint(&mut report);
    report.run_tests("tests on SQLite", &mut wanted.tests());
    if lacking.contains(&Need::Strace) {
        leave_out(&mut report, "durability by system calls", &[Need::Strace]);
    }
    if lacking.contains(&Need::Postgres) {
        leave_out(&mut report, "tests on PostgreSQL", &[Need::Postgres]);
    } else {
        on_postgres(&mut report, wanted);
    }
    let mut docs =
        cargo(&["doc", "--workspace", "--locked", "--no-deps", "--document-private-items"]);
    report.run("documentation", docs.env("RUSTDOCFLAGS", "-D warnings"));
    let for_browser: Vec<Need> =
        lacking.iter().copied().filter(|need| need.is_for_browser()).collect();
    if for_browser.is_empty() {
        say("\n== browser tests");
        let outcome = browser::run("", &mut report.tally);
        report.step("browser tests", outcome);
    } else {
        leave_out(&mut report, "browser tests", &for_browser);
    }
    report.close()
}

/// Format, lints and the house's own rules.
fn lint(report: &mut Report) {
    report.run("format", &mut cargo(&["fmt", "--all", "--check"]));
    let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    report.run("lints", &mut cargo(&clippy));
    say("\n== tidy");
    report.step("tidy", tidy::tidy());
}

fn on_postgres(report: &mut Report, wanted: &Wanted) {
    say("\n== tests on PostgreSQL");
    let server = match Postgres::start() {
        Ok(server) => server,
        Err(what) => return report.step("tests on PostgreSQL", Err(what)),
    };
    let mut tests = wanted.tests();
    tests.args(ON_POSTGRES).env("TEST_POSTGRES_URL", server.url());
    report.run_tests("tests on PostgreSQL", &mut tests);
}

fn leave_out(report: &mut Report, what: &str, lacking: &[Need]) {
    for need in lacking {
        let (words, remedy) = (need.words(), need.remedy());
        report.not_run.push(format!("{what}: {words} is not there. `{remedy}` gets it."));
    }
}
