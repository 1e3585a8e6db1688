//! The house's own rules, those that a machine can check.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::run::say;
use crate::source::Source;
use crate::{browser, documents};

/// A function is read on one screen.
const FUNCTION_LINES_MAX: usize = 70;
/// Code is no wider; a line with a string or a query macro on it may be, since rustfmt leaves those alone.
const CODE_COLUMNS_MAX: usize = 100;
/// Prose in comments may be a little wider.
const COMMENT_COLUMNS_MAX: usize = 130;

/// Words that must not be in code: they mean unfinished or silenced.
const BANNED_CODE: [&str; 6] =
    ["dbg!", "todo!", "unimplemented!", "#[ignore", "#[allow(", "#[should_panic"];
/// Words that must not be in comments.
const BANNED_COMMENTS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];
/// Libraries that would bring a second TLS or a system library to link with.
const BANNED_PACKAGES: [&str; 5] =
    ["openssl-sys", "native-tls", "aws-lc-sys", "libpq-sys", "chrono-tz"];

/// Which of our own crates a crate may use. Capabilities may use each other; nobody uses `bellwether`.
const LEVELS: [(&str, &[&str]); 10] = [
    ("psychometrics", &[]),
    ("instrument", &["psychometrics"]),
    ("tabular", &["psychometrics"]),
    ("base", &[]),
    ("publishing", CAPABILITY),
    ("audience", CAPABILITY),
    ("assessment", CAPABILITY),
    ("enquiry", CAPABILITY),
    ("bellwether", COMPOSITION),
    ("xtask", &["base"]),
];
const CAPABILITY: &[&str] =
    &["psychometrics", "instrument", "base", "publishing", "audience", "assessment", "enquiry"];
const COMPOSITION: &[&str] = &[
    "psychometrics",
    "tabular",
    "instrument",
    "base",
    "publishing",
    "audience",
    "assessment",
    "enquiry",
];

/// Checks every rule and lists every fault.
///
/// # Errors
/// If there is a fault.
pub fn tidy() -> Result<(), String> {
    let mut faults = documents::stale();
    let files = files(Path::new("."));
    for path in &files {
        let shown = path.display().to_string();
        let shown = shown.trim_start_matches("./");
        let Ok(text) = fs::read_to_string(path) else { continue };
        match path.extension().and_then(|e| e.to_str()) {
            Some("rs") => faults.extend(rust_faults(shown, &Source::new(&text))),
            Some("md") => faults.extend(link_faults(path, &text)),
            _ => {}
        }
    }
    faults.extend(level_faults());
    faults.extend(package_faults());
    faults.extend(migration_faults());
    faults.extend(decision_faults());
    faults.extend(catalogue_faults(&files));
    for fault in &faults {
        say(fault);
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("tidy found {} faults", faults.len())) }
}

/// Every file of the project that people write.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = !["target", "node_modules", "bellwether-data"].contains(&name.as_str());
        if !is_ours || name.starts_with(".git") {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&path)),
            Ok(kind) if kind.is_file() => found.push(path),
            _ => {}
        }
    }
    found.sort();
    found
}

fn rust_faults(shown: &str, source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |line_idx: usize, what: String| {
        faults.push(format!("{shown}:{}: {what}", line_idx + 1));
    };
    for (idx, line) in source.lines.iter().enumerate() {
        let n_columns = line.chars().count();
        let is_comment = line.trim_start().starts_with("//");
        let is_left_alone = source.has_text[idx]
            || source.code[idx].contains("fetch!(")
            || source.code[idx].contains("execute!(")
            || source.code[idx].contains("fetch_");
        if !is_comment && !is_left_alone && n_columns > CODE_COLUMNS_MAX {
            fault(idx, format!("{n_columns} columns; code has at most {CODE_COLUMNS_MAX}"));
        }
        if is_comment && n_columns > COMMENT_COLUMNS_MAX {
            fault(idx, format!("{n_columns} columns; prose has at most {COMMENT_COLUMNS_MAX}"));
        }
        for word in BANNED_CODE.iter().filter(|word| source.code[idx].contains(**word)) {
            fault(idx, format!("{word} must not stay"));
        }
        for word in BANNED_COMMENTS.iter().filter(|word| has_word(&source.comments[idx], word)) {
            fault(idx, format!("{word}: do it, or say in words what is missing"));
        }
    }
    for (start, n_lines) in source.functions() {
        if n_lines > FUNCTION_LINES_MAX {
            fault(start, format!("{n_lines} lines; a function has at most {FUNCTION_LINES_MAX}"));
        }
    }
    faults
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|part| part == word)
}

/// A link to a file that is not there.
fn link_faults(path: &Path, text: &str) -> Vec<String> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let is_content = path.starts_with("./content");
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains(':') && !target.contains(' '))
        // The site's own pages link to paths of the site, which the HTTP tests follow.
        .filter(|target| !is_content && !target.starts_with('/'))
        .filter(|target| !folder.join(target).exists())
        .map(|target| format!("{}: links to {target}, which is not there", path.display()))
        .collect()
}

/// A crate that uses what it must not, or that the map of levels does not know.
fn level_faults() -> Vec<String> {
    let mut faults = Vec::new();
    let manifests = files(Path::new("crates")).into_iter().chain(files(Path::new("xtask")));
    for path in manifests.filter(|path| path.ends_with("Cargo.toml")) {
        let shown = path.display().to_string();
        let text = fs::read_to_string(&path).unwrap_or_default();
        let manifest: toml::Table = text.parse().unwrap_or_default();
        let name = |key: &str| Some(manifest.get("package")?.get(key)?.as_str()?.to_owned());
        let name = name("name").unwrap_or_default();
        let Some((_, allowed)) = LEVELS.iter().find(|(known, _)| *known == name) else {
            faults.push(format!("{shown}: xtask's map of levels does not know {name}"));
            continue;
        };
        let used = manifest.get("dependencies").and_then(toml::Value::as_table);
        let ours = LEVELS.iter().map(|(known, _)| *known);
        for other in ours.filter(|other| used.is_some_and(|used| used.contains_key(*other))) {
            if !allowed.contains(&other) {
                faults.push(format!("{shown}: {name} must not use {other}"));
            }
        }
    }
    faults
}

fn package_faults() -> Vec<String> {
    let lock = fs::read_to_string("Cargo.lock").unwrap_or_default();
    let names: BTreeSet<&str> =
        lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    let banned = BANNED_PACKAGES.iter().filter(|name| names.contains(**name));
    let mut faults: Vec<String> =
        banned.map(|name| format!("Cargo.lock: {name} must not come in")).collect();
    for folder in [browser::FOLDER, browser::NODE_FOLDER] {
        let lock = format!("{folder}/package-lock.json");
        if fs::read_to_string(&lock).unwrap_or_default().contains("\"resolved\"") {
            faults.push(format!("{lock}: names a host to load from"));
        }
    }
    faults
}

/// Both engines have the same migrations.
fn migration_faults() -> Vec<String> {
    let names = |folder: &str| -> BTreeSet<String> {
        let files = files(&Path::new("migrations").join(folder)).into_iter();
        files.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    let odd = sqlite.symmetric_difference(&postgres);
    odd.map(|name| format!("migrations: {name} is there for one engine only")).collect()
}

/// A decision has a status on top and is linked from somewhere.
fn decision_faults() -> Vec<String> {
    let mut faults = Vec::new();
    let linking: String = ["ARCHITECTURE.md", "README.md"]
        .iter()
        .map(|path| fs::read_to_string(path).unwrap_or_default())
        .collect();
    for path in files(Path::new("docs/decisions")) {
        let shown = path.display().to_string();
        let text = fs::read_to_string(&path).unwrap_or_default();
        if !text.lines().take(4).any(|line| line.starts_with("Status: ")) {
            faults.push(format!("{shown}: say \"Status: \" below the title"));
        }
        if !linking.contains(&shown) {
            faults.push(format!("{shown}: is linked from neither ARCHITECTURE.md nor README.md"));
        }
    }
    faults
}

/// Every catalogue of statements is in the list that both engines are asked to parse.
fn catalogue_faults(files: &[PathBuf]) -> Vec<String> {
    const LIST: &str = "crates/bellwether/tests/it/engines.rs";
    let is_source = |path: &Path| path.components().any(|part| part.as_os_str() == "src");
    let sources = files.iter().filter(|path| path.starts_with("./crates") && is_source(path));
    let declared = sources.filter(|path| {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().any(|line| line.ends_with("statements! {") && !line.starts_with("///"))
    });
    let n_declared = declared.count();
    let list = fs::read_to_string(LIST).unwrap_or_default();
    let n_listed = list.matches("STATEMENTS").count();
    if n_declared == n_listed {
        return Vec::new();
    }
    vec![format!(
        "{LIST}: names {n_listed} catalogues of statements, and {n_declared} files declare one"
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_functions_wide_lines_and_unfinished_words_are_found() {
        let long = format!("fn f() {{\n{}}}\n", "    x();\n".repeat(70));
        assert_eq!(rust_faults("a.rs", &Source::new(&long)).len(), 1);
        let wide = format!("let {} = 1;", "x".repeat(100));
        assert_eq!(rust_faults("a.rs", &Source::new(&wide)).len(), 1);
        let text = format!("let s = \"{}\";", "x".repeat(100));
        assert_eq!(rust_faults("a.rs", &Source::new(&text)), Vec::<String>::new());
        let unfinished = "todo!(); // \u{54}ODO later\nlet s = \"todo!\";";
        assert_eq!(rust_faults("a.rs", &Source::new(unfinished)).len(), 2);
    }

    #[test]
    fn a_dead_link_is_found() {
        let page = Path::new("./README.md");
        let text = "[a](nowhere.md) [b](https://example.org) [c](#here)";
        assert_eq!(link_faults(page, text).len(), 1);
    }
}
