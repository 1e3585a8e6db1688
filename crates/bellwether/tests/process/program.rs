//! Starting the program, speaking HTTP to it, and seeing it end.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};

use rustix::process::{Pid, Signal, kill_process};

use crate::scratch::Scratch;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_bellwether");
/// The path of the starter quiz.
pub const QUIZ: &str = "/quiz/leader-type";

/// The program with a data directory, the database of this run, and nothing from the environment.
pub fn program(scratch: &Scratch) -> Command {
    let mut command = Command::new(PROGRAM);
    add_flags(&mut command, scratch);
    command
}

/// Adds where the data and the records are.
pub fn add_flags(command: &mut Command, scratch: &Scratch) {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BELLWETHER_")) {
        command.env_remove(name);
    }
    command.arg("--data").arg(scratch.data());
    if let Some(url) = scratch.url() {
        command.arg("--database-url").arg(url);
    }
}

/// Runs a command of the program to its end.
pub fn run(scratch: &Scratch, words: &[&str]) -> Output {
    program(scratch).args(words).stdin(Stdio::null()).output().unwrap()
}

/// Runs a command that must succeed; gives what it says.
pub fn said(scratch: &Scratch, words: &[&str]) -> String {
    let output = run(scratch, words);
    assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Runs a command that must be refused with exit code 2; gives what it says about that.
pub fn refused(scratch: &Scratch, words: &[&str]) -> String {
    let output = run(scratch, words);
    assert_eq!(output.status.code(), Some(2), "{words:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "", "what is refused says nothing on standard output");
    text(&output.stderr)
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running server, killed if the test ends before it does.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub url: String,
    log: Receiver<String>,
    out: BufReader<ChildStdout>,
}

impl Server {
    /// Starts it on a free port without budgets, and waits for its line.
    pub fn start(scratch: &Scratch, flags: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        add_flags(&mut command, scratch);
        Self::spawn(command.args(flags)).unwrap()
    }

    /// Starts a prepared command as a server; what it logged if it ends at once.
    pub fn spawn(command: &mut Command) -> Result<Self, String> {
        command.args(["--listen", "127.0.0.1:0", "--abuse-budgets", "off"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (line, log) = channel();
        let err = BufReader::new(child.stderr.take().unwrap());
        // The log is read to its end, whether or not the test listens, so that the program never waits for its reader.
        std::thread::spawn(move || {
            err.lines().map_while(Result::ok).for_each(|text| {
                let _ = line.send(text);
            });
        });
        let mut first = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut first).unwrap();
        match first.trim_end().strip_prefix("listening on ") {
            Some(url) => Ok(Self { child, url: url.to_owned(), log, out }),
            None => {
                child.wait().unwrap();
                Err(log.iter().collect::<Vec<_>>().join("\n"))
            }
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of its log that holds `what`.
    pub fn wait_for_log(&self, what: &str) {
        assert!(self.log.iter().any(|line| line.contains(what)), "the log ended without {what}");
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end.
    pub fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Tells it to stop, and waits. The line with its address was the only one on standard output.
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        let mut more = String::new();
        self.out.read_to_string(&mut more).unwrap();
        assert_eq!(more, "");
        assert_eq!(self.wait().code(), Some(0), "SIGTERM is an orderly end");
    }

    /// Sends a request; gives status, head and body.
    pub fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        request(&self.url, method, path, body).unwrap()
    }

    /// Opens a page.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "")
    }

    /// Signs up for the quiz; gives the answer to the form.
    pub fn sign_up(&self, email: &str) -> Answer {
        sign_up(&self.url, email)
    }

    /// The path of the link with that prefix in the newest mail of the built-in mailbox, once there is one.
    pub fn mailed(&self, prefix: &str) -> String {
        loop {
            let mailbox = self.get("/mailbox").body;
            let newest = mailbox.split("href=\"/mailbox/").nth(1);
            let Some(id) = newest.and_then(|rest| rest.split('"').next()) else { continue };
            let mail = self.get(&format!("/mailbox/{id}")).body;
            let mut links = mail.split("href=\"").filter_map(|rest| rest.split('"').next());
            let start = format!("{}{prefix}", self.url);
            if let Some(link) = links.find(|link| link.starts_with(&start)) {
                return link[self.url.len()..].to_owned();
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer as it came over the wire.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// Signs up for the quiz of the server at `url`; gives the answer to the form.
pub fn sign_up(url: &str, email: &str) -> Answer {
    let page = request(url, "GET", QUIZ, "").unwrap();
    let submit_id = field(&page.body, "submit_id");
    let email = email.replace('@', "%40");
    let body = format!("submit_id={submit_id}&name=Ada&email={email}");
    request(url, "POST", QUIZ, &body).unwrap()
}

/// One request on a connection of its own.
pub fn request(url: &str, method: &str, path: &str, body: &str) -> std::io::Result<Answer> {
    let mut stream = begin_request(url, method, path, body.len(), "")?;
    stream.write_all(body.as_bytes())?;
    read_answer(&mut stream)
}

/// Sends the head of a request whose body comes later, with the header lines `more`.
pub fn begin_request(
    url: &str,
    method: &str,
    path: &str,
    n_bytes: usize,
    more: &str,
) -> std::io::Result<TcpStream> {
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {n_bytes}\r\n{more}\r\n"
    )?;
    Ok(stream)
}

/// Reads an answer to its end; an answer cut short is an error.
pub fn read_answer(stream: &mut TcpStream) -> std::io::Result<Answer> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = text(&bytes);
    let cut_short = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut_short)?;
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(cut_short)?;
    Ok(Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
}

/// The value of the first field of that name in a page.
pub fn field(html: &str, name: &str) -> String {
    let input = html.split("<input").find(|input| input.contains(&format!("name=\"{name}\"")));
    let value = input.and_then(|input| input.split("value=\"").nth(1));
    value.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}

/// A file of `path` that this process may read.
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
