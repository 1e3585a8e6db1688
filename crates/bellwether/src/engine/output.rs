//! Where figures go, and what is seen of the work meanwhile.

use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::ArgMatches;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use tabular::Progress;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Exit code of a program that SIGINT ended, and of one that SIGTERM ended.
const EXIT_INTERRUPTED: i32 = 130;
const EXIT_TERMINATED: i32 = 143;

/// Where a command's result goes: a file, whole or not at all, or standard output.
pub(super) struct Output {
    path: Option<PathBuf>,
    /// The file's name while it is being written.
    part: Option<PathBuf>,
    /// Held while the file under that name comes and goes, so that an interruption finds either
    /// nothing or what it has to remove.
    writing: Arc<Mutex<()>>,
    /// Dropping it ends the watch for interruptions.
    _watch: oneshot::Sender<()>,
}

impl Output {
    /// Tries, before there is any work to lose, whether the file that `--out` names can be written,
    /// and from now on leaves nothing behind if the program is interrupted.
    ///
    /// # Errors
    /// Why it cannot be written, and what to do.
    pub fn open(given: &ArgMatches) -> Result<Self, Vec<String>> {
        let path = given.get_one::<PathBuf>("out").cloned();
        if let Some(path) = &path {
            keep_inputs(given, path)?;
        }
        let part = path.as_deref().map(part_of).transpose()?.flatten();
        if let (Some(path), Some(part)) = (&path, &part) {
            let tried = std::fs::File::create(part).and_then(|_| std::fs::remove_file(part));
            tried.map_err(|e| vec![unwritable(path, &e)])?;
        }
        let writing = Arc::new(Mutex::new(()));
        let (watch, ended) = oneshot::channel();
        let (part_seen, lock) = (part.clone(), Arc::clone(&writing));
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            wait_for_interruption(part_seen.as_deref(), &lock, ended, &ready);
        });
        // An error is a watch that could not be set; then an interruption ends the program plainly.
        let _ = is_ready.recv();
        Ok(Self { path, part, writing, _watch: watch })
    }

    /// The file's name, if it is one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Writes figures.
    ///
    /// # Errors
    /// What could not be written, and where.
    pub fn figures(&self, figures: &Value) -> Result<(), Vec<String>> {
        self.written(|out| writeln!(out, "{figures:#}"))
    }

    /// Writes whatever `write` writes: beside the file under another name, made durable, and then
    /// moved into place.
    ///
    /// # Errors
    /// What could not be written, and where.
    pub fn written(
        &self,
        write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
    ) -> Result<(), Vec<String>> {
        let Some(path) = &self.path else {
            let mut out = BufWriter::new(io::stdout());
            let printed = write(&mut out).and_then(|()| out.flush());
            // Whoever closes the pipe early has seen enough.
            return printed.or_else(|e| match e.kind() {
                io::ErrorKind::BrokenPipe => Ok(()),
                _ => Err(vec![format!("the figures cannot be printed: {e}")]),
            });
        };
        let through = |file: io::Result<std::fs::File>| {
            let mut out = BufWriter::with_capacity(1 << 16, file?);
            write(&mut out)?;
            out.into_inner().map_err(io::IntoInnerError::into_error)
        };
        let written = match &self.part {
            None => through(std::fs::File::options().write(true).open(path)).map(drop),
            Some(part) => {
                let file = self.alone(|| std::fs::File::create(part));
                let half = Half(part);
                through(file).and_then(|file| {
                    file.sync_all()?;
                    self.alone(|| std::fs::rename(part, path))?;
                    std::mem::forget(half);
                    Ok(())
                })
            }
        };
        written.map_err(|e| vec![unwritable(path, &e)])
    }

    /// Does something to the file that an interruption must not fall into.
    fn alone<T>(&self, act: impl FnOnce() -> T) -> T {
        let _alone = lock(&self.writing);
        act()
    }
}

/// A file that is not whole yet: dropped, be it by an error or a panic, it is gone.
struct Half<'a>(&'a Path);

impl Drop for Half<'_> {
    fn drop(&mut self) {
        // Where it cannot be removed, it was never made or the folder itself is gone.
        let _ = std::fs::remove_file(self.0);
    }
}

fn lock(writing: &Mutex<()>) -> MutexGuard<'_, ()> {
    writing.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if error.kind() == io::ErrorKind::NotFound && !folder.exists() => {
            let (shown, folder) = (path.display(), folder.display());
            format!("{shown} cannot be written: there is no folder {folder}; make it first")
        }
        _ => format!("{} cannot be written: {error}", path.display()),
    }
}

/// Options whose file is read.
const INPUTS: [&str; 4] = ["file", "calibration", "dimensions", "content"];

/// Refuses to write over what the command reads, under whatever name.
fn keep_inputs(given: &ArgMatches, out: &Path) -> Result<(), Vec<String>> {
    let identity = |path: &Path| {
        let about = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Some((about.dev(), about.ino()))
    };
    let Some(target) = identity(out) else { return Ok(()) };
    for input in INPUTS {
        let Ok(Some(mut named)) = given.try_get_raw(input) else { continue };
        if named.any(|name| identity(Path::new(name)) == Some(target)) {
            let shown = out.display();
            let fault = format!("--out {shown}: this file is read; name another one to write");
            return Err(vec![fault]);
        }
    }
    Ok(())
}

/// The name beside a file under which it is written; none for what is no plain file, such as a
/// pipe.
fn part_of(path: &Path) -> Result<Option<PathBuf>, Vec<String>> {
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(about) if about.is_dir() => {
            return Err(vec![format!("--out {shown}: this is a folder; name a file")]);
        }
        Ok(about) if !about.is_file() => return Ok(None),
        _ => {}
    }
    let Some(name) = path.file_name() else {
        return Err(vec![format!("--out {shown}: name a file")]);
    };
    let mut name = name.to_owned();
    name.push(format!(".{}.part", std::process::id()));
    Ok(Some(path.with_file_name(name)))
}

/// Ends the program when it is interrupted; until `ended`.
fn wait_for_interruption(
    part: Option<&Path>,
    writing: &Mutex<()>,
    ended: oneshot::Receiver<()>,
    ready: &std::sync::mpsc::Sender<()>,
) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else {
        // Without it an interruption ends the program all the same, but may leave a part behind.
        return;
    };
    let code = runtime.block_on(async {
        let (mut int, mut term) =
            (signal(SignalKind::interrupt()).ok()?, signal(SignalKind::terminate()).ok()?);
        ready.send(()).ok()?;
        tokio::select! {
            _ = int.recv() => Some(EXIT_INTERRUPTED),
            _ = term.recv() => Some(EXIT_TERMINATED),
            _ = ended => None,
        }
    });
    if let Some(code) = code {
        let _alone = lock(writing);
        if let Some(part) = part {
            let _ = std::fs::remove_file(part);
        }
        let _ = writeln!(io::stderr().lock(), "\nbellwether: interrupted; nothing was written");
        std::process::exit(code);
    }
}

/// Says on standard error what a reader of the figures should know.
pub(super) fn remark(remarks: &[String]) {
    let mut err = io::stderr().lock();
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
        let bar = bar.with_message(what);
        let bar = styled(bar, "{spinner} {msg} {elapsed}");
        bar.enable_steady_tick(Duration::from_millis(200));
        return bar;
    }
    bar
}

/// A bar with rate and time left, on a terminal only; it is there before the first persons are done.
pub(super) fn counting(what: &'static str, n_persons: usize) -> ProgressBar {
    let bar = styled(ProgressBar::new(n_persons as u64).with_message(what), PERSONS);
    if !bar.is_hidden() {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    bar
}

const PERSONS: &str = "{msg} {bar:16} {human_pos}/{human_len} persons, {per_sec}, {eta} left";
const BYTES: &str = "{msg} {bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";

/// Reads a table of answers behind such a bar.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn read(
    path: &Path,
    wanted: &tabular::Wanted<'_>,
) -> Result<tabular::Table, Vec<String>> {
    behind_a_bar(|tell| tabular::read(path, wanted, tell))
}

/// Reads ratings from Parquet behind such a bar.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn parquet(
    path: &Path,
    roles: &tabular::Roles,
) -> Result<tabular::Ratings, Vec<String>> {
    behind_a_bar(|tell| tabular::parquet_ratings(path, roles, tell))
}

fn behind_a_bar<T>(read: impl FnOnce(&mut dyn FnMut(Progress)) -> T) -> T {
    let bar = ProgressBar::new(0).with_message("reading");
    let mut bar = styled(bar, BYTES);
    let mut is_of_persons = false;
    let found = read(&mut |at| {
        let (done, total) = match at {
            Progress::Bytes(done, total) => (done, total),
            Progress::Persons(done, total) => {
                if !is_of_persons {
                    is_of_persons = true;
                    bar = styled(bar.clone(), PERSONS);
                }
                (done, total)
            }
        };
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    found
}

/// The bar of a file read by its bytes.
pub(super) fn bytes(length: u64) -> ProgressBar {
    styled(ProgressBar::new(length).with_message("reading"), BYTES)
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A number, or null where there is none: JSON has no NaN.
pub(super) fn number(value: f64) -> Value {
    json!(value)
}

/// A matrix as a list of rows.
pub(super) fn matrix(matrix: &psychometrics::matrix::Matrix) -> Value {
    (0..matrix.n_rows()).map(|row| json!(matrix.row(row))).collect()
}
