//! The server, from outside: what a page and a sign-up cost, how many writes share an fsync, how soon it answers, how much
//! memory it takes. It runs on a throw-away data directory, with a bare axum server beside it in the same run.

mod alike;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Figure;
use super::load::{Measured, measure, repeat};
use super::process::{Folder, Server, get};
use crate::run::{cargo, find, run as run_command};

/// How many clients sign up at once, unless told otherwise. Pages are asked for by the last number of them.
pub const CLIENTS: [usize; 3] = [1, 8, 64];

/// The pages that everybody may see: name, path.
const PAGES: [(&str, &str); 3] = [
    ("home", "/"),
    ("article", "/articles/what-is-the-difference-between-leadership-and-management"),
    ("quiz page", "/quiz/leader-type"),
];
/// Every page, and hello, is asked for in this many rounds; the quietest round counts, because other programs on the
/// machine can only make it slower.
const ROUNDS: usize = 4;
const ROUND: Duration = Duration::from_millis(600);
/// Sign-ups of each measurement, shared among the clients.
const SIGN_UPS: usize = 6_400;
/// But not more than this from one of them: alone, each waits for the disk.
const SIGN_UPS_EACH_MAX: usize = 500;
const STARTS: usize = 5;
/// Idle memory is read after this long without a request.
const IDLE: Duration = Duration::from_secs(1);

const PAGE_CPU_MS_MAX: f64 = 0.1;
const PAGE_RATE_MIN: f64 = 0.5;
const SIGN_UP_CPU_MS_MAX: f64 = 0.4;
/// The bar on shared fsyncs holds from this many clients on.
const SHARING_CLIENTS_MIN: usize = 64;
const FSYNCS_EACH_MAX: f64 = 1.0 / 8.0;
const FIRST_ANSWER_MAX: Duration = Duration::from_millis(300);
const IDLE_MB_MAX: f64 = 40.0;
const LOADED_MB_MAX: f64 = 120.0;

/// Builds, measures, and compares with the bars.
///
/// # Errors
/// If something could not be measured.
pub fn run(clients: &[usize]) -> Result<Vec<Figure>, String> {
    let built = ["build", "--release", "-p", "bellwether", "-p", "xtask", "--bins"];
    run_command(&mut cargo(&built))?;
    // A mail server that takes connections and then says nothing: mails stay queued, so a sign-up's cost is its own.
    let silent = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("127.0.0.1: {e}"))?;
    let smtp = format!("smtp://{}", silent.local_addr().map_err(|e| e.to_string())?);
    let mut figures = Vec::new();
    starts(&smtp, &mut figures)?;
    let folder = Folder::empty("measured")?;
    let server =
        Server::start(&mut ours(Command::new(program("bellwether")), &folder, &smtp, "off"))?;
    pause(IDLE);
    let (idle_mb, _) = server.memory_mb()?;
    pages(&server, clients.last().copied().unwrap_or(1), &mut figures)?;
    for &n_clients in clients {
        let measured = sign_ups(&server, n_clients)?;
        let what = format!("sign-up, {}: CPU", in_words(n_clients));
        let mut best = Best::default();
        best.take(&measured);
        let met = best.cpu_ms <= SIGN_UP_CPU_MS_MAX;
        figures.push(Figure::against(&what, best.to_string(), "at most 0.4 ms", met));
    }
    let (_, loaded_mb) = server.memory_mb()?;
    drop((server, folder));
    fsyncs(clients, &smtp, &mut figures)?;
    alike::run(&smtp, &mut figures)?;
    let mut memory = |what, mb: f64, bar, max: f64| {
        figures.push(Figure::against(what, format!("{mb:.0} MB"), bar, mb <= max));
    };
    memory("memory, idle", idle_mb, "at most 40 MB", IDLE_MB_MAX);
    memory("memory, at most under this load", loaded_mb, "at most 120 MB", LOADED_MB_MAX);
    Ok(figures)
}

/// A program of the release build.
fn program(name: &str) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or(PathBuf::from("target"), PathBuf::from);
    target.join("release").join(name)
}

/// `command` with the arguments that start our server on a folder.
fn ours(mut command: Command, folder: &Folder, smtp: &str, budgets: &str) -> Command {
    command.arg("--data").arg(folder.path());
    command.args(["--listen", "127.0.0.1:0", "--abuse-budgets", budgets, "--smtp-url", smtp]);
    command
}

fn in_words(n_clients: usize) -> String {
    if n_clients == 1 { String::from("1 client") } else { format!("{n_clients} clients") }
}

#[expect(clippy::disallowed_methods, reason = "idle memory is what is left after doing nothing")]
fn pause(length: Duration) {
    std::thread::sleep(length);
}

/// How soon the first answer comes, on an empty folder and on one that is there.
fn starts(smtp: &str, figures: &mut Vec<Figure>) -> Result<(), String> {
    let (mut empty, mut again) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let folder = Folder::empty("started")?;
        for times in [&mut empty, &mut again] {
            let command = &mut ours(Command::new(program("bellwether")), &folder, smtp, "off");
            times.push(Server::start(command)?.first_answer);
        }
    }
    for (what, times) in [("an empty folder", &mut empty), ("a folder with records", &mut again)] {
        times.sort_unstable();
        let (best, median) = (times[0].as_millis(), times[times.len() / 2].as_millis());
        let what = format!("first answer after start on {what}");
        let figure = format!("{best} ms, median {median} ms");
        figures.push(Figure::against(&what, figure, "below 300 ms", times[0] < FIRST_ANSWER_MAX));
    }
    Ok(())
}

/// What a public page costs, beside hello.
fn pages(server: &Server, n_clients: usize, figures: &mut Vec<Figure>) -> Result<(), String> {
    let hello = Server::start(&mut Command::new(program("hello")))?;
    let asked = [(&hello, "/")].into_iter().chain(PAGES.map(|(_, path)| (server, path)));
    let mut best = vec![Best::default(); PAGES.len() + 1];
    for _ in 0..ROUNDS {
        for ((of, path), best) in asked.clone().zip(&mut best) {
            let request = get(of.address, path);
            best.take(&repeat(of.address, n_clients, &|| of.cpu(), &request, ROUND)?);
        }
    }
    let clients = in_words(n_clients);
    figures.push(Figure::aside(&format!("hello, {clients}: CPU"), best[0].to_string()));
    for ((name, _), page) in PAGES.iter().zip(&best[1..]) {
        let (what, met) = (format!("{name}, {clients}: CPU"), page.cpu_ms <= PAGE_CPU_MS_MAX);
        figures.push(Figure::against(&what, page.to_string(), "at most 0.1 ms", met));
        let share = page.rate / best[0].rate;
        let (what, met) = (format!("{name}: rate beside hello's"), share >= PAGE_RATE_MIN);
        let figure = format!("{:.0} %", share * 100.0);
        figures.push(Figure::against(&what, figure, "at least 50 %", met));
    }
    Ok(())
}

/// The best of several rounds.
#[derive(Clone, Copy, Debug)]
struct Best {
    cpu_ms: f64,
    rate: f64,
}

impl Default for Best {
    fn default() -> Self {
        Self { cpu_ms: f64::INFINITY, rate: 0.0 }
    }
}

impl Best {
    fn take(&mut self, measured: &Measured) {
        self.cpu_ms = self.cpu_ms.min(measured.cpu_ms());
        self.rate = self.rate.max(measured.rate());
    }
}

impl std::fmt::Display for Best {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} ms, {:.0}/s", self.cpu_ms, self.rate)
    }
}

/// Lets every client sign up new people, with forms that were fetched before.
fn sign_ups(server: &Server, n_clients: usize) -> Result<Measured, String> {
    let n_each = (SIGN_UPS / n_clients).clamp(1, SIGN_UPS_EACH_MAX);
    let (address, cpu) = (server.address, || server.cpu());
    let forms: Vec<Mutex<Vec<Vec<u8>>>> = (0..n_clients).map(|_| Mutex::default()).collect();
    let of = |client_idx: usize| forms[client_idx].lock().unwrap_or_else(PoisonError::into_inner);
    let page = format!("GET {QUIZ} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    measure(address, n_clients, &cpu, &|client_idx, client| {
        for n in 0..n_each {
            let submit_id = submit_id(client.ask(page.as_bytes(), 200)?)?;
            let email = format!("person-{n_clients}-{client_idx}-{n}@example.org");
            of(client_idx).push(post(address, QUIZ, "", &form(&submit_id, "", &email)));
        }
        Ok(n_each as u64)
    })?;
    measure(address, n_clients, &cpu, &|client_idx, client| {
        for form in of(client_idx).iter() {
            client.ask(form, 303)?;
        }
        Ok(n_each as u64)
    })
}

/// Where people sign up.
const QUIZ: &str = PAGES[2].1;

fn submit_id(page: &[u8]) -> Result<String, String> {
    let page = String::from_utf8_lossy(page);
    let field = page.split_once("name=\"submit_id\" value=\"");
    let value = field.and_then(|(_, rest)| rest.split_once('"'));
    value.map(|(id, _)| id.to_owned()).ok_or_else(|| format!("{QUIZ} has no submit id"))
}

/// The form filled in, with one of the optional boxes ticked; `trap` is what no person sees.
fn form(submit_id: &str, trap: &str, email: &str) -> String {
    format!(
        "submit_id={submit_id}&website={trap}&name=Ada+Example&email={}&level=&purpose.newsletter=yes",
        email.replace('@', "%40")
    )
}

/// A form as a browser sends it; `headers` are further ones, each with its line's end.
fn post(address: std::net::SocketAddr, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n{headers}\
         Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Accept-Encoding: gzip, deflate, br\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (head + body).into_bytes()
}

/// How many acknowledged sign-ups share an fsync: counted as system calls, in a run of its own.
fn fsyncs(clients: &[usize], smtp: &str, figures: &mut Vec<Figure>) -> Result<(), String> {
    if find("strace").is_none() {
        let what = String::from("not counted: strace is not installed");
        figures.push(Figure::aside("fsyncs per acknowledged sign-up", what));
        return Ok(());
    }
    let folder = Folder::empty("traced")?;
    let trace = folder.path().join("fsyncs");
    let mut command = Command::new("strace");
    // `-D`: the process that is started is the server; the tracer is its grandchild and ends with it.
    command.args(["-D", "-f", "--seccomp-bpf", "-e", "trace=fsync,fdatasync,sync_file_range"]);
    command.args(["-o".as_ref(), trace.as_os_str()]).arg(program("bellwether"));
    let server = Server::start(&mut ours(command, &folder, smtp, "off"))?;
    for &n_clients in clients {
        let before = count(&trace)?;
        let measured = sign_ups(&server, n_clients)?;
        let n_fsyncs = count(&trace)? - before;
        let each = f64::from(n_fsyncs) / f64::from(u32::try_from(measured.n_requests).unwrap_or(1));
        let what = format!("fsyncs per acknowledged sign-up, {}", in_words(n_clients));
        let figure = format!("{each:.3} ({n_fsyncs} for {})", measured.n_requests);
        figures.push(match n_clients {
            n if n < SHARING_CLIENTS_MIN => Figure::aside(&what, figure),
            _ => Figure::against(&what, figure, "at most 0.125", each <= FSYNCS_EACH_MAX),
        });
    }
    Ok(())
}

/// The calls of a trace that were begun. A call that another thread's call interrupted has two lines.
fn count(trace: &Path) -> Result<u32, String> {
    let text = fs::read_to_string(trace).map_err(|e| format!("{}: {e}", trace.display()))?;
    Ok(count_calls(&text))
}

fn count_calls(trace: &str) -> u32 {
    let calls = trace.lines().filter(|line| line.contains("sync") && !line.contains("resumed>"));
    u32::try_from(calls.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_counted_once_however_it_is_traced() {
        let trace = "7 fdatasync(9) = 0\n7 fdatasync(9 <unfinished ...>\n8 fsync(4) = 0\n\
                     7 <... fdatasync resumed>) = 0\n8 +++ exited with 0 +++\n";
        assert_eq!(count_calls(trace), 3);
    }

    #[test]
    fn a_form_is_found_and_sent_as_a_browser_would() {
        let page = b"<input type=\"hidden\" name=\"submit_id\" value=\"abc-1\">";
        assert_eq!(submit_id(page).as_deref(), Ok("abc-1"));
        let form = form("abc-1", "", "a@example.org");
        let sent = post("127.0.0.1:80".parse().unwrap(), QUIZ, "", &form);
        let sent = String::from_utf8(sent).unwrap();
        let (head, body) = sent.split_once("\r\n\r\n").unwrap();
        assert!(body.starts_with("submit_id=abc-1&") && body.contains("email=a%40example.org"));
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
    }
}
