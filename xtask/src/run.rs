//! Running other programs: echoed as they go, counted where they are test runners.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// How many tests passed and failed, as the runners' closing lines say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub n_passed: u64,
    /// Tests that failed.
    pub n_failed: u64,
}

impl Tally {
    /// Adds what one line of a runner says: cargo's `test result:`, or node's `# pass` and `# fail`.
    fn read(&mut self, line: &str) {
        let before = |word: &str| {
            let head = line.split_once(word)?.0;
            head.rsplit([' ', ';']).find(|part| !part.is_empty())?.parse::<u64>().ok()
        };
        if line.starts_with("test result:") {
            self.n_passed += before(" passed").unwrap_or(0);
            self.n_failed += before(" failed").unwrap_or(0);
        }
        let after = |word| line.strip_prefix(word).and_then(|n| n.trim().parse::<u64>().ok());
        self.n_passed += after("# pass ").unwrap_or(0);
        self.n_failed += after("# fail ").unwrap_or(0);
    }
}

/// Makes the workspace's root the working directory, from wherever cargo was called.
pub fn go_to_the_root() -> Result<(), String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    std::env::set_current_dir(&root).map_err(|e| format!("{}: {e}", root.display()))
}

/// A line on standard output.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// `cargo` with these arguments, as if it had been called from the shell: what `cargo xtask` tells its own program about
/// itself would make build scripts that watch it (ring's) run again, and everything above them be built again.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        let shown = name.to_string_lossy();
        let is_about_xtask = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
        if is_about_xtask.iter().any(|prefix| shown.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command.env_remove("CARGO_PRIMARY_PACKAGE").env_remove("OUT_DIR");
    command
}

/// Runs a program to its end.
///
/// # Errors
/// If it cannot be started or does not succeed.
pub fn run(command: &mut Command) -> Result<(), String> {
    let shown = shown(command);
    say(&format!("$ {shown}"));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` did not succeed ({status})")),
        Err(e) => Err(format!("`{shown}` could not be started: {e}")),
    }
}

/// Runs a test runner to its end, echoing what it says and counting its tests.
///
/// # Errors
/// If it cannot be started or does not succeed.
pub fn run_tests(command: &mut Command, tally: &mut Tally) -> Result<(), String> {
    let shown = shown(command);
    say(&format!("$ {shown}"));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("`{shown}` could not be started: {e}"))?;
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines() {
            let line = line.map_err(|e| format!("`{shown}`: {e}"))?;
            tally.read(&line);
            say(&line);
        }
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` did not succeed ({status})")),
        Err(e) => Err(format!("`{shown}`: {e}")),
    }
}

/// What a program writes to standard output; nothing if it does not succeed.
pub fn output(command: &mut Command) -> Option<String> {
    let done = command.stderr(Stdio::null()).stdin(Stdio::null()).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Where a program stands on the path, if it does.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn the_closing_lines_of_both_runners_are_counted() {
        let mut tally = Tally::default();
        tally.read("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        tally.read("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured");
        tally.read("# pass 4");
        tally.read("# fail 1");
        tally.read("a line about 9 passed exams");
        assert_eq!(tally, Tally { n_passed: 19, n_failed: 3 });
    }
}
