//! A server under measurement: started, timed to its first answer, watched through `/proc`, ended.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::load::Client;

/// What `/proc` counts processor time in (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// A running server; killed when this goes.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From the start of its process to its first whole answer.
    pub first_answer: Duration,
}

impl Server {
    /// Starts it and waits for its first answer.
    ///
    /// # Errors
    /// If it does not start, or does not answer.
    pub fn start(command: &mut Command) -> Result<Self, String> {
        let shown = command.get_program().to_string_lossy().into_owned();
        let cannot = |e: std::io::Error| format!("{shown}: {e}");
        let from = Instant::now();
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(cannot)?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(cannot)?;
        }
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.and_then(|address| address.parse().ok());
        let address = address.ok_or_else(|| format!("{shown} did not start: {line}"))?;
        let mut server = Self { child, address, first_answer: Duration::ZERO };
        Client::open(address)?.ask(&get(address, "/"), 200)?;
        server.first_answer = from.elapsed();
        Ok(server)
    }

    /// Processor time of the process so far, user and system, every thread.
    ///
    /// # Errors
    /// If `/proc` does not say.
    pub fn cpu(&self) -> Result<Duration, String> {
        let stat = self.proc("stat")?;
        // The name in parentheses may hold spaces; user and system time are the 12th and 13th field after it.
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
        let ticks: u32 = ticks.sum::<Result<u32, _>>().map_err(|e| format!("/proc: {e}"))?;
        Ok(TICK * ticks)
    }

    /// Resident memory in megabytes: now, and the most that it ever was.
    ///
    /// # Errors
    /// If `/proc` does not say.
    pub fn memory_mb(&self) -> Result<(f64, f64), String> {
        let status = self.proc("status")?;
        let read = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kilobytes =
                line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
            kilobytes.map(|kb| kb / 1_024.0).ok_or_else(|| format!("/proc says nothing of {name}"))
        };
        Ok((read("VmRSS:")?, read("VmHWM:")?))
    }

    fn proc(&self, file: &str) -> Result<String, String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).map_err(|e| format!("{path}: {e} (this bench runs on Linux)"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser's GET.
pub fn get(address: SocketAddr, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n")
        .into_bytes()
}

/// A folder below the build's own, so that it is on a disk and not in memory; deleted when this goes.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// An empty folder of that name.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn empty(name: &str) -> Result<Self, String> {
        let path = PathBuf::from("target/bench").join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
