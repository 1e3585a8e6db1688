//! The project's automation: `cargo xtask check`, `cargo xtask test`, `cargo xtask docs`.

use std::io::Write as _;
use std::process::{Command, ExitCode};

/// Where the generated page on configuration stands.
const CONFIGURATION_PAGE: &str = "docs/operating/configuration.md";

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let outcome = match task.as_str() {
        "check" | "test" => check(),
        "docs" => std::fs::write(CONFIGURATION_PAGE, base::config::documentation())
            .map_err(|e| format!("{CONFIGURATION_PAGE}: {e}")),
        _ => Err(String::from("write one of: check, test, docs")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            let _ = writeln!(std::io::stderr(), "xtask: {what}");
            ExitCode::FAILURE
        }
    }
}

/// Format, lints, generated documents, tests.
fn check() -> Result<(), String> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    let page = std::fs::read_to_string(CONFIGURATION_PAGE).unwrap_or_default();
    if page != base::config::documentation() {
        return Err(format!("{CONFIGURATION_PAGE} is out of date: run `cargo xtask docs`"));
    }
    cargo(&["test", "--workspace", "--locked"])
}

fn cargo(arguments: &[&str]) -> Result<(), String> {
    let shown = arguments.join(" ");
    let status = Command::new("cargo").args(arguments).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("cargo {shown}: {status}")),
        Err(e) => Err(format!("cargo {shown} could not be started: {e}")),
    }
}
