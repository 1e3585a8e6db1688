//! The browser tests: node scripts that start the real program and drive Chromium.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::postgres::{self, Postgres};
use crate::run::{self, Tally, cargo, find, output, run_tests};

/// Where the scripts and their packages are.
pub const FOLDER: &str = "tests/browser";

/// Where npm puts a Node for machines whose own is too old.
pub const NODE_FOLDER: &str = "tests/browser/node";

/// The oldest Node that drives the browser: the packages that work with its present versions ask for it.
const NODE_MAJOR: u32 = 20;

/// The browser's program, by the names that Debian and others give it.
pub fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find)
}

/// The Node to run the tests with: the machine's own if it is new enough, otherwise the project's.
pub fn node() -> Option<PathBuf> {
    let ours = ["x64", "arm64"]
        .map(|cpu| format!("{NODE_FOLDER}/node_modules/node-linux-{cpu}/bin/node"))
        .map(PathBuf::from);
    find("node").into_iter().chain(ours).find(|program| {
        output(Command::new(program).arg("--version")).is_some_and(|v| is_node_enough(&v))
    })
}

/// The browser tests by themselves: builds the program first.
///
/// # Errors
/// If one fails, or what they need is not there.
pub fn alone(name: &str) -> Result<(), String> {
    run::run(&mut cargo(&["build", "--locked", "--workspace", "--bin", "bellwether"]))?;
    run(name, &mut Tally::default())
}

/// Runs the scripts that have `name` in their file's name against the program as it was last built; the HTTP tests build it.
///
/// # Errors
/// If one fails, or none has that name.
pub fn run(name: &str, tally: &mut Tally) -> Result<(), String> {
    let chromium = chromium().ok_or("Chromium is not installed")?;
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| String::from("target"));
    let program = fs::canonicalize(Path::new(&target).join("debug/bellwether"))
        .map_err(|e| format!("the program was not built: {e}"))?;
    let mut scripts: Vec<PathBuf> = fs::read_dir(FOLDER)
        .map_err(|e| format!("{FOLDER}: {e}"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            file.ends_with(".test.js") && file.contains(name)
        })
        .collect();
    scripts.sort();
    if scripts.is_empty() {
        return Err(format!("no script in {FOLDER} has {name} in its name"));
    }
    let mut node = Command::new(node().ok_or("Node 20 or newer is not installed")?);
    // Two at a time: each has a server and a browser of its own, and spends half its time waiting for one of them.
    node.args(["--test", "--test-concurrency=2", "--test-reporter=tap"]).args(&scripts);
    // Where there is no PostgreSQL, the walk on it says that it was skipped.
    let server = postgres::programs().map(|_| Postgres::start()).transpose()?;
    if let Some(server) = &server {
        node.env("TEST_POSTGRES_URL", server.url());
    }
    run_tests(node.env("BELLWETHER", program).env("CHROMIUM", chromium), tally)
}

/// Whether this answer of `node --version` (`v20.19.4`) is new enough.
fn is_node_enough(version: &str) -> bool {
    let major = version.trim().trim_start_matches('v').split('.').next();
    major.and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major >= NODE_MAJOR)
}

#[cfg(test)]
mod tests {
    use super::is_node_enough;

    #[test]
    fn a_node_too_old_for_the_browser_tests_counts_as_none() {
        for version in ["v20.0.1\n", "v24.22.3", "v100.0.0"] {
            assert!(is_node_enough(version), "{version}");
        }
        for version in ["v12.22.12\n", "v18.20.4", "", "node", "v"] {
            assert!(!is_node_enough(version), "{version}");
        }
    }
}
