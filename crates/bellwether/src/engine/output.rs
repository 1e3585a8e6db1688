//! Where figures go.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::{Value, json};

/// Prints the figures, or writes them to `out` whole or not at all: they are written beside it
/// under another name, made durable, and then moved into place.
///
/// # Errors
/// What could not be written, and where.
pub(super) fn deliver(figures: &Value, out: Option<&Path>) -> Result<(), Vec<String>> {
    deliver_text(&format!("{figures:#}\n"), out)
}

/// The same for anything written already.
///
/// # Errors
/// What could not be written, and where.
pub(super) fn deliver_text(text: &str, out: Option<&Path>) -> Result<(), Vec<String>> {
    let Some(out) = out else {
        let printed = std::io::stdout().lock().write_all(text.as_bytes());
        // Whoever closes the pipe early has seen enough.
        return printed.or_else(|e| match e.kind() {
            std::io::ErrorKind::BrokenPipe => Ok(()),
            _ => Err(vec![format!("the figures cannot be printed: {e}")]),
        });
    };
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = out.with_file_name(name);
    let written = std::fs::File::create(&part)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&part, out));
    written.map_err(|e| {
        let _ = std::fs::remove_file(&part);
        vec![format!("{} cannot be written: {e}", out.display())]
    })
}

/// Says on standard error what a reader of the figures should know.
pub(super) fn remark(remarks: &[String]) {
    let mut err = std::io::stderr().lock();
    for remark in remarks {
        // Nothing can be done about a closed standard error.
        let _ = writeln!(err, "note: {remark}");
    }
}

/// A sign of life on a terminal, for work whose end is not known beforehand.
pub(super) fn working(what: String) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    // A ticking thread only where somebody looks.
    if !bar.is_hidden() {
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    bar
}

/// A number, or null where there is none: JSON has no NaN.
pub(super) fn number(value: f64) -> Value {
    json!(value)
}

/// A matrix as a list of rows.
pub(super) fn matrix(matrix: &psychometrics::matrix::Matrix) -> Value {
    (0..matrix.n_rows()).map(|row| json!(matrix.row(row))).collect()
}
