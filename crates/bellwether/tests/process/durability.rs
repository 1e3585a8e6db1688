//! That the disk has a write before anybody is told so, seen in the order of the program's system calls.
//!
//! A kill keeps what the kernel has taken, so killing cannot show this. `strace` stops every thread at every call, so a
//! call that began after another one ended, in its record, did so in truth.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::killing::items;
use crate::program::{PROGRAM, Server, add_flags, field, read, sign_up};
use crate::scratch::Scratch;

/// Reading and answering on sockets; writing and making durable on files.
const CALLS: &str =
    "trace=read,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,fsync,fdatasync";
/// Longer than any write of the program, so that its record is whole.
const STRING_BYTES_MAX: &str = "65536";
/// Sign-ups in each run, over all clients.
const SIGN_UPS: usize = 40;

/// A system call, with the lines of the record on which it began and ended.
#[derive(Debug)]
struct Call {
    began: usize,
    ended: usize,
    text: String,
}

/// A form that was acknowledged: what was sent, and when its answer was begun.
#[derive(Debug)]
struct Acknowledged {
    request: String,
    read: usize,
    answered: usize,
}

#[tokio::test]
async fn nothing_is_acknowledged_to_one_client_before_it_is_on_the_disk() {
    check(1).await;
}

#[tokio::test]
async fn nothing_is_acknowledged_to_eight_clients_before_it_is_on_the_disk() {
    check(8).await;
}

async fn check(n_clients: usize) {
    let scratch = Scratch::new().await;
    if scratch.url().is_some() || !may_trace() {
        // PostgreSQL writes for itself; `cargo xtask test` says so where nothing may be traced.
        return;
    }
    let record = scratch.data().join("calls");
    let server = Server::spawn(&mut traced(&scratch, &record)).unwrap();
    let n_answers = if n_clients == 1 { answer_a_page(&server) } else { 0 };
    std::thread::scope(|scope| {
        for client in 0..n_clients {
            let url = &server.url;
            scope.spawn(move || {
                for n in 0..SIGN_UPS / n_clients {
                    assert_eq!(sign_up(url, &email(client, n)).status, 303);
                }
            });
        }
    });
    stop_traced(server);
    let calls = calls(&read(&record));
    let acknowledged = acknowledged(&calls);
    for client in 0..n_clients {
        for n in 0..SIGN_UPS / n_clients {
            assert_on_disk_first(&calls, &acknowledged, &email(client, n));
        }
    }
    let syncs: Vec<&Call> = calls.iter().filter(|call| call.makes_durable()).collect();
    for one in &acknowledged {
        let within = |sync: &&Call| one.read < sync.began && sync.ended < one.answered;
        assert!(syncs.iter().any(within), "nothing became durable for {one:?}");
    }
    let n_acknowledged = acknowledged.len();
    assert!(n_acknowledged >= SIGN_UPS + n_answers, "{n_acknowledged} forms were seen");
    let n_syncs = syncs.len();
    let _ = writeln!(
        std::io::stderr(),
        "{n_clients} clients: {n_acknowledged} forms acknowledged, {n_syncs} times made durable"
    );
}

/// Signs somebody up and saves the answers of a page one by one; gives how many.
fn answer_a_page(server: &Server) -> usize {
    server.sign_up("answering@example.org");
    let link = server.mailed("/s/");
    let confirms = field(&server.get(&link).body, "confirms");
    server.send("POST", &link, &format!("go=start&confirms={confirms}"));
    let page = format!("{link}/1");
    let items = items(&server.get(&page).body);
    for item in &items {
        assert_eq!(server.send("POST", &page, &format!("save=1&a.{item}=4")).status, 204);
    }
    assert!(!items.is_empty());
    items.len()
}

/// The address's frames were written to the log, the log was made durable after that, and the answer began after that.
fn assert_on_disk_first(calls: &[Call], acknowledged: &[Acknowledged], email: &str) {
    let sent = email.replace('@', "%40");
    let one = acknowledged.iter().find(|one| one.request.contains(&format!("email={sent}")));
    let one = one.unwrap_or_else(|| panic!("{email} was not acknowledged"));
    let frame = calls.iter().find(|call| call.writes_log() && call.text.contains(email));
    let frame = frame.unwrap_or_else(|| panic!("{email} was never written"));
    let sync = calls.iter().find(|call| call.makes_durable() && call.began > frame.ended);
    let sync = sync.unwrap_or_else(|| panic!("{email} was never made durable"));
    assert!(
        sync.ended < one.answered,
        "{email}: written on line {}, durable on {}, answered on {}",
        frame.ended,
        sync.ended,
        one.answered
    );
}

/// An address of which no other is a part.
fn email(client: usize, n: usize) -> String {
    format!("durable-{client}-{n}@example.org")
}

impl Call {
    fn name(&self) -> &str {
        self.text.split('(').next().unwrap_or_default()
    }

    /// The first argument: a number and what it stands for.
    fn file(&self) -> &str {
        let arguments = self.text.split_once('(').map_or("", |(_, arguments)| arguments);
        arguments.split([',', ')']).next().unwrap_or_default().trim()
    }

    /// The bytes that were read, as the record writes them. A form may come in several pieces, cut anywhere.
    fn data(&self) -> &str {
        let from_here = self.text.split_once('"').map_or("", |(_, rest)| rest);
        from_here.rsplit_once('"').map_or("", |(data, _)| data)
    }

    fn is_of_log(&self) -> bool {
        self.file().ends_with("bellwether.sqlite-wal>")
    }

    fn writes_log(&self) -> bool {
        ["pwrite64", "write"].contains(&self.name()) && self.is_of_log()
    }

    fn makes_durable(&self) -> bool {
        ["fsync", "fdatasync"].contains(&self.name())
            && self.is_of_log()
            && self.text.ends_with("= 0")
    }

    fn is_of_socket(&self) -> bool {
        self.file().contains("<socket:") || self.file().contains("<TCP")
    }
}

/// The calls of a record. One that another thread's calls came between stands on two lines.
fn calls(record: &str) -> Vec<Call> {
    let mut open: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    let mut calls = Vec::new();
    for (n, line) in record.lines().enumerate() {
        let Some((thread, text)) = line.split_once(' ') else { continue };
        let text = text.trim();
        if let Some(begin) = text.strip_suffix("<unfinished ...>") {
            open.insert(thread, (n, begin));
        } else if let Some((_, rest)) = text.split_once(" resumed>")
            && text.starts_with("<... ")
        {
            let Some((began, begin)) = open.remove(thread) else { continue };
            calls.push(Call { began, ended: n, text: format!("{begin}{rest}") });
        } else {
            calls.push(Call { began: n, ended: n, text: text.to_owned() });
        }
    }
    calls.sort_by_key(|call| call.began);
    calls
}

/// Every form that was answered with "see other" or "saved", with what was read on its connection before.
fn acknowledged(calls: &[Call]) -> Vec<Acknowledged> {
    let mut requests: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    let mut acknowledged = Vec::new();
    for call in calls.iter().filter(|call| call.is_of_socket()) {
        if ["read", "recvfrom", "recvmsg"].contains(&call.name()) {
            let (_, text) = requests.entry(call.file()).or_insert((call.began, String::new()));
            text.push_str(call.data());
            continue;
        }
        let Some((read, request)) = requests.remove(call.file()) else { continue };
        let is_taken = ["HTTP/1.1 303", "HTTP/1.1 204"].iter().any(|head| call.text.contains(head));
        if is_taken && request.contains("POST ") {
            acknowledged.push(Acknowledged { request, read, answered: call.began });
        }
    }
    acknowledged
}

/// The program under `strace`, which writes every call of every thread to `record`.
fn traced(scratch: &Scratch, record: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-e", CALLS, "-s", STRING_BYTES_MAX, "-o"]);
    command.arg(record).arg(PROGRAM);
    add_flags(&mut command, scratch);
    command
}

/// Tells the traced program to stop, and waits until its record is closed.
fn stop_traced(server: Server) {
    let tracer = server.pid();
    let children = read(Path::new(&format!("/proc/{tracer}/task/{tracer}/children")));
    let program = children.split_whitespace().next().unwrap().parse().unwrap();
    kill_process(Pid::from_raw(program).unwrap(), Signal::TERM).unwrap();
    assert_eq!(server.wait().code(), Some(0));
}

/// Whether `strace` is there and this process may use it.
fn may_trace() -> bool {
    let mut nothing = Command::new("strace");
    nothing.args(["-o", "/dev/null", "true"]).stderr(Stdio::null());
    nothing.status().is_ok_and(|status| status.success())
}

#[test]
fn a_call_that_was_interrupted_in_the_record_is_put_together() {
    let record = "7  fdatasync(5</d/bellwether.sqlite-wal> <unfinished ...>\n\
                  8  sendto(9<socket:[1]>, \"HTTP/1.1 303\", 12, 0, NULL, 0) = 12\n\
                  7  <... fdatasync resumed>)          = 0\n";
    let calls = calls(record);
    assert_eq!((calls[0].began, calls[0].ended, calls[1].began), (0, 2, 1));
    assert!(calls[0].makes_durable() && calls[1].is_of_socket());
}

#[test]
fn a_form_that_came_in_two_pieces_is_one() {
    let record = "8  recvfrom(9<socket:[1]>, \"POST / HTTP/1.1\\r\\nema\", 8192, 0, NULL, NULL) = 21\n\
                  8  recvfrom(9<socket:[1]>, \"il=a%40example.org\", 8192, 0, NULL, NULL) = 18\n\
                  8  writev(9<socket:[1]>, [{iov_base=\"HTTP/1.1 303\", iov_len=12}], 1) = 12\n";
    let acknowledged = acknowledged(&calls(record));
    assert!(acknowledged[0].request.contains("email=a%40example.org"), "{acknowledged:?}");
}
