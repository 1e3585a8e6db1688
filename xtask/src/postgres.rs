//! A PostgreSQL server to throw away: its own folder, its own socket, no port, gone at the end.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::needs::is_root;
use crate::run::{cargo, find, output, run, say};

/// Who runs it: the server refuses root.
const USER: &str = "postgres";

/// The server, stopped and deleted when this goes.
#[derive(Debug)]
pub struct Postgres {
    server: Child,
    folder: PathBuf,
    reader: Option<std::thread::JoinHandle<()>>,
}

/// The folder of `initdb` and `postgres`: on the path, or the newest that Debian has put aside.
pub fn programs() -> Option<PathBuf> {
    if let Some(initdb) = find("initdb") {
        return initdb.parent().map(Path::to_path_buf);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let newest = versions
        .filter(|entry| entry.path().join("bin/initdb").is_file())
        .max_by_key(|entry| entry.file_name().to_string_lossy().parse::<u32>().unwrap_or(0))?;
    Some(newest.path().join("bin"))
}

/// Runs a command beside a throw-away server.
///
/// # Errors
/// If the server does not start or the command does not succeed.
pub fn with(program: &str, arguments: &[&str]) -> Result<(), String> {
    let server = Postgres::start()?;
    let mut command = if program == "cargo" { cargo(&[]) } else { Command::new(program) };
    run(command.args(arguments).env("TEST_POSTGRES_URL", server.url()))
}

impl Postgres {
    /// Makes a cluster in a new folder and starts a server on it that nobody can reach over the network.
    ///
    /// # Errors
    /// What could not be done, in words.
    pub fn start() -> Result<Self, String> {
        let programs = programs().ok_or("PostgreSQL is not installed")?;
        let folder = make_folder()?;
        let data = folder.join("data");
        let made = as_user(&programs.join("initdb"))
            .args(["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"])
            .arg(format!("--username={USER}"))
            .arg("--pgdata")
            .arg(&data)
            .current_dir("/")
            .output();
        match made {
            Ok(done) if done.status.success() => {}
            Ok(done) => {
                let said = String::from_utf8_lossy(&done.stderr).into_owned();
                return Err(gone(&folder, &format!("initdb did not succeed: {said}")));
            }
            Err(e) => return Err(gone(&folder, &format!("initdb could not be started: {e}"))),
        }
        // It is thrown away, so it need not survive a power cut; every test still commits.
        let server = as_user(&programs.join("postgres"))
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"])
            // Tests tell commits apart by it.
            .args(["-c", "track_commit_timestamp=on"])
            .arg("-k")
            .arg(&folder)
            .arg("-D")
            .arg(&data)
            .current_dir("/")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| gone(&folder, &format!("postgres could not be started: {e}")))?;
        let mut postgres = Self { server, folder, reader: None };
        postgres.wait_until_ready()?;
        say(&format!("PostgreSQL runs in {} until the end", postgres.folder.display()));
        Ok(postgres)
    }

    /// The URL of its maintenance database, in which tests make schemas of their own.
    pub fn url(&self) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://{USER}@localhost/postgres?host={folder}")
    }

    /// Reads the log until the server says that it is ready, and goes on reading so that it never blocks.
    fn wait_until_ready(&mut self) -> Result<(), String> {
        let log = self.server.stderr.take().ok_or("the log of postgres cannot be read")?;
        let mut lines = BufReader::new(log).lines().map_while(Result::ok);
        let mut said = Vec::new();
        for line in lines.by_ref() {
            let is_ready = line.contains("ready to accept connections");
            said.push(line);
            if is_ready {
                self.reader = Some(std::thread::spawn(move || lines.for_each(drop)));
                return Ok(());
            }
        }
        Err(format!("postgres did not start:\n{}", said.join("\n")))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown: open sessions are ended.
        let _ = kill_process(Pid::from_child(&self.server), Signal::INT);
        let _ = self.server.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The program as the user who may run it, told to stop if this process dies.
fn as_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        let (user, group) = (format!("--reuid={USER}"), format!("--regid={USER}"));
        command.args([&user, &group, "--init-groups"]);
    }
    command.args(["--pdeathsig", "INT", "--"]).arg(program);
    command
}

fn make_folder() -> Result<PathBuf, String> {
    let template = std::env::temp_dir().join("bellwether-postgres-XXXXXX");
    let made = output(Command::new("mktemp").arg("-d").arg(&template));
    let folder = PathBuf::from(made.ok_or("no temporary folder can be made")?.trim());
    if is_root() {
        let done = Command::new("chown").arg(USER).arg(&folder).status();
        if !done.is_ok_and(|status| status.success()) {
            return Err(gone(&folder, &format!("there is no user {USER}")));
        }
    }
    Ok(folder)
}

fn gone(folder: &Path, what: &str) -> String {
    let _ = fs::remove_dir_all(folder);
    what.to_owned()
}
