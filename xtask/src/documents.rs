//! Documents made from the code, so that they cannot rot.

use std::fs;

/// Where the generated page on configuration stands.
const CONFIGURATION_PAGE: &str = "docs/operating/configuration.md";

/// Each generated document and what must stand in it.
fn generated() -> Vec<(&'static str, String)> {
    vec![(CONFIGURATION_PAGE, base::config::documentation())]
}

/// Writes every generated document.
///
/// # Errors
/// If one cannot be written.
pub fn write() -> Result<(), String> {
    for (path, text) in generated() {
        fs::write(path, text).map_err(|e| format!("{path}: {e}"))?;
    }
    Ok(())
}

/// A fault for each generated document that is not what the code says.
pub fn stale() -> Vec<String> {
    let is_stale = |path: &str, text: &str| fs::read_to_string(path).unwrap_or_default() != text;
    let stale = generated().into_iter().filter(|(path, text)| is_stale(path, text));
    stale.map(|(path, _)| format!("{path}: is out of date. Run `cargo xtask docs`.")).collect()
}
