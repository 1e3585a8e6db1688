//! The measurement engine beside its peers: the same answers, one thread, processor seconds.
//!
//! Our calibration is the whole process, reading the CSV and writing standard errors included; a
//! peer's is its own call, with the data in memory and without standard errors. Everyone's
//! estimates are then judged by one log-likelihood, on 61 nodes. Peers that are not installed are
//! left out: PyPI `mirt` is looked for with the Python that `BENCH_PYTHON` names (else `python3`).

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Figure;
use crate::run::{cargo, find, output, run as run_command, say};

/// Sizes that can be measured.
const ALL_SIZES: [&str; 3] = ["10k", "100k", "1m"];
/// Sizes measured unless others are named.
const SIZES: [&str; 2] = ["10k", "100k"];
/// Runs of our calibration; the median counts.
const ROUNDS: usize = 5;
/// What `/proc` counts processor time in (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);
/// Not `mirt.py`: Python would import the script itself as `mirt`.
const PYTHON_PEER: &str = include_str!("peers/pypi_mirt.py");
const R_PEER: &str = include_str!("peers/mirt.R");
/// Nodes of PyPI `mirt`: its default, and ours.
const PYTHON_NODES: [&str; 2] = ["21", "61"];

/// Bars: how many times less processor time than the best peer.
const CALIBRATION_MIN: f64 = 20.0;
const EAP_MIN: f64 = 2.0;
const ADAPTIVE_MIN: f64 = 10.0;
const TWO_THREADS_MIN: f64 = 1.8;
/// Below the best peer's log-likelihood by no more.
const LOG_LIKELIHOOD_SLACK: f64 = 0.01;

/// One peer as it is started.
struct Peer {
    name: String,
    program: PathBuf,
    script: PathBuf,
    /// What follows the estimates' file, for `calibrate`.
    last: Option<&'static str>,
}

/// Builds, measures, and compares with the bars.
///
/// # Errors
/// If a size is not one of [`ALL_SIZES`], or something of ours could not be measured. A peer that fails is left out with a word.
pub fn run(sizes: &[&str]) -> Result<Vec<Figure>, String> {
    let sizes = if sizes.is_empty() { &SIZES[..] } else { sizes };
    if let Some(other) = sizes.iter().find(|size| !ALL_SIZES.contains(size)) {
        return Err(format!("there is no size \"{other}\": write {}", ALL_SIZES.join(", ")));
    }
    let folder = PathBuf::from("target/bench/engine");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    run_command(&mut cargo(&["build", "--release", "-p", "bellwether"]))?;
    // Whole, because cargo runs the crate's bench in the crate's folder.
    let folder = folder.canonicalize().map_err(|e| format!("{}: {e}", folder.display()))?;
    bench(&[&["--write", &*folder.to_string_lossy()], sizes].concat())?;
    let peers = peers(&folder)?;
    let mut figures = Vec::new();
    for &size in sizes {
        calibration(&folder, size, &peers, &mut figures)?;
    }
    in_memory(sizes, &mut figures)?;
    adaptive(&folder, &peers, &mut figures)?;
    Ok(figures)
}

/// Peers that are installed.
fn peers(folder: &std::path::Path) -> Result<Vec<Peer>, String> {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).map(|()| path).map_err(|e| format!("{name}: {e}"))
    };
    let mut peers = Vec::new();
    let python = std::env::var_os("BENCH_PYTHON").map(PathBuf::from).or_else(|| find("python3"));
    if let Some(python) = python {
        let ask = "import importlib.metadata as m; print(m.version('mirt'))";
        if let Some(version) = output(Command::new(&python).args(["-c", ask])) {
            let script = write("pypi_mirt.py", PYTHON_PEER)?;
            peers.extend(PYTHON_NODES.map(|nodes| Peer {
                name: format!("PyPI mirt {} ({nodes} nodes)", version.trim()),
                program: python.clone(),
                script: script.clone(),
                last: Some(nodes),
            }));
        }
    }
    if let Some(r) = find("Rscript") {
        let ask = "cat(as.character(packageVersion('mirt')))";
        if let Some(version) = output(Command::new(&r).args(["-e", ask])) {
            let script = write("mirt.R", R_PEER)?;
            peers.push(Peer { name: format!("R mirt {version}"), program: r, script, last: None });
        }
    }
    if peers.is_empty() {
        say("no peer is installed (pip install mirt==1.2.0, or R mirt): only our own figures");
    }
    Ok(peers)
}

impl Peer {
    /// Its lines `WHAT SECONDS`; `None` if it fails.
    fn measure(&self, arguments: &[&str]) -> Option<Vec<(String, f64)>> {
        let mut command = Command::new(&self.program);
        let last = self.last.filter(|_| arguments[0] == "calibrate");
        command.arg(&self.script).args(arguments).args(last);
        for threads in ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"] {
            command.env(threads, "1");
        }
        let Some(said) = output(&mut command) else {
            say(&format!("{} could not do {}", self.name, arguments[0]));
            return None;
        };
        let read = |line: &str| {
            let (what, seconds) = line.split_once(' ')?;
            Some((what.to_owned(), seconds.trim().parse().ok()?))
        };
        Some(said.lines().filter_map(read).collect())
    }
}

fn calibration(
    folder: &std::path::Path,
    size: &str,
    peers: &[Peer],
    figures: &mut Vec<Figure>,
) -> Result<(), String> {
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (data, ours) = (file(&format!("graded_{size}.csv")), file("ours.json"));
    let (mut own, mut theirs, mut estimates) = (Vec::new(), Vec::new(), vec![ours.clone()]);
    for round in 0..ROUNDS {
        own.push(calibrated(&data, &ours, "1")?.0.as_secs_f64());
        // Peers are slow: each is measured once, between two of our runs.
        if let Some(peer) = peers.get(round) {
            let found = file(&format!("peer{round}.csv"));
            let Some(lines) = peer.measure(&["calibrate", &data, &found]) else { continue };
            theirs.push((peer, lines));
            estimates.push(found);
        }
    }
    own.sort_by(f64::total_cmp);
    let cpu = own[own.len() / 2];
    let names: Vec<&str> = estimates.iter().map(String::as_str).collect();
    let likelihoods = numbers(&bench(&[&["--common", data.as_str()], &names[..]].concat())?);
    figures.push(Figure::aside(
        &format!("calibrate {size}, whole process"),
        format!("{cpu:.3} s, log-likelihood {:.4}", likelihoods.first().unwrap_or(&f64::NAN)),
    ));
    for ((peer, lines), theirs) in theirs.iter().zip(&likelihoods[1..]) {
        let seconds = least(lines, "calibrate");
        figures.push(Figure::against(
            &format!("calibrate {size} beside {}", peer.name),
            format!("{seconds:.2} s, {:.0} × ours", seconds / cpu),
            "at least 20 ×",
            seconds >= CALIBRATION_MIN * cpu,
        ));
        let above = likelihoods[0] - theirs;
        figures.push(Figure::against(
            "… our log-likelihood less theirs",
            format!("{above:+.4}"),
            "at least -0.01",
            above >= -LOG_LIKELIHOOD_SLACK,
        ));
    }
    let wall = |threads| calibrated(&data, &ours, threads).map(|(_, wall)| wall.as_secs_f64());
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        ratios.push(wall("1")? / wall("2")?);
    }
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios[ROUNDS / 2];
    let what = format!("calibrate {size}, two threads, elapsed");
    let met = ratio >= TWO_THREADS_MIN;
    figures.push(Figure::against(&what, format!("{ratio:.2} ×"), "at least 1.8 ×", met));
    let eap = theirs.iter().map(|(_, lines)| least(lines, "eap")).fold(f64::INFINITY, f64::min);
    if eap.is_finite() {
        let own = in_bench(size, "EAP")?;
        figures.push(Figure::against(
            &format!("EAP {size} in memory beside the quickest peer"),
            format!("{own:.4} s, {:.1} × less", eap / own),
            "at least 2 ×",
            eap >= EAP_MIN * own,
        ));
    }
    Ok(())
}

/// Processor and elapsed time of one whole calibration.
fn calibrated(data: &str, out: &str, threads: &str) -> Result<(Duration, Duration), String> {
    let mut command = Command::new("target/release/bellwether");
    command.args(["calibrate", data, "--model", "graded", "--threads", threads, "--out", out]);
    let (before, start) = (children_cpu()?, Instant::now());
    let done = command.stdin(Stdio::null()).stderr(Stdio::null()).status();
    let wall = start.elapsed();
    match done {
        Ok(status) if status.success() => Ok((children_cpu()?.saturating_sub(before), wall)),
        Ok(status) => Err(format!("bellwether calibrate did not succeed ({status})")),
        Err(e) => Err(format!("bellwether calibrate could not be started: {e}")),
    }
}

/// Processor time of all programs that this one started and that ended.
fn children_cpu() -> Result<Duration, String> {
    let path = "/proc/self/stat";
    let stat = fs::read_to_string(path).map_err(|e| format!("{path}: {e} (needs Linux)"))?;
    // The name in parentheses may hold spaces; waited-for children's user and system time are the
    // 14th and 15th field after it.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(13).take(2).map(str::parse::<u32>);
    let ticks: u32 = ticks.sum::<Result<u32, _>>().map_err(|e| format!("{path}: {e}"))?;
    Ok(TICK * ticks)
}

/// What the crate's own bench prints.
fn bench(arguments: &[&str]) -> Result<String, String> {
    let all = [&["bench", "--quiet", "-p", "psychometrics", "--bench", "engine", "--"], arguments];
    output(&mut cargo(&all.concat())).ok_or_else(|| String::from("the crate's bench failed"))
}

/// One figure in seconds of the crate's own bench.
fn in_bench(size: &str, what: &str) -> Result<f64, String> {
    let said = bench(&[size])?;
    let line = said.lines().find(|line| line.contains(&format!(" {what} ")));
    let seconds = line.and_then(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words[words.iter().position(|word| *word == "s")?.checked_sub(1)?].parse().ok()
    });
    seconds.ok_or_else(|| format!("the crate's bench does not say {what}"))
}

fn in_memory(sizes: &[&str], figures: &mut Vec<Figure>) -> Result<(), String> {
    for line in bench(sizes)?.lines() {
        if let Some((what, figure)) = line.trim().split_once("  ") {
            figures.push(Figure::aside(what.trim(), figure.trim().to_owned()));
        }
    }
    Ok(())
}

fn adaptive(
    folder: &std::path::Path,
    peers: &[Peer],
    figures: &mut Vec<Figure>,
) -> Result<(), String> {
    let bank = folder.join("bank.csv").to_string_lossy().into_owned();
    let own = in_bench("adaptive", "adaptive")?;
    let Some(peer) = peers.iter().find(|peer| peer.last.is_some()) else { return Ok(()) };
    let Some(lines) = peer.measure(&["adaptive", &bank]) else { return Ok(()) };
    let theirs = least(&lines, "adaptive");
    figures.push(Figure::against(
        &format!("adaptive test beside {}", peer.name),
        format!("{own:.3} s against {theirs:.2} s, {:.0} ×", theirs / own),
        "at least 10 ×",
        theirs >= ADAPTIVE_MIN * own,
    ));
    Ok(())
}

/// The least seconds among the lines of that name.
fn least(lines: &[(String, f64)], what: &str) -> f64 {
    let own = lines.iter().filter(|(name, _)| name == what).map(|(_, seconds)| *seconds);
    own.fold(f64::INFINITY, f64::min)
}

fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}
