//! `cargo xtask demo`: the real server on throw-away records, with people who came by real requests.
//!
//! Everybody signs up, opens their mail and answers as a visitor's browser would, so that mailbox, lists and reports hold what
//! they would hold in earnest. Answers follow from one number each, so that two demos look the same.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::run::{cargo, run, say};

/// Where it is served.
const ADDRESS: &str = "127.0.0.1:8080";
/// The starter quiz.
const QUIZ: &str = "/quiz/leader-type";
/// How long a mail may take to the built-in mailbox.
const MAIL_WAIT_MAX: Duration = Duration::from_secs(20);
/// More pages than the longest form has.
const PAGES_MAX: usize = 100;
/// Facets that belong to managing; the others belong to leading.
const MANAGING: [&str; 5] = ["plan", "monitor", "coordinate", "consistency", "authority"];

/// How far somebody goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    /// Signs up and never opens the mail.
    SignsUp,
    /// Confirms and stops after some pages.
    Stops,
    /// Reads the report.
    Finishes,
}

/// Somebody who comes: name, how far they go, and how often (-2 to 2 around "sometimes") they manage and lead.
type Person = (&'static str, Goes, [i64; 2]);

const PEOPLE: [Person; 14] = [
    ("Amina Yusuf", Goes::Finishes, [2, -1]),
    ("Benedikt Krüger", Goes::Finishes, [-1, 2]),
    ("Carys Morgan", Goes::Finishes, [2, 2]),
    ("Dmitri Volkov", Goes::Finishes, [-1, -1]),
    ("Eun-ji Park", Goes::Finishes, [0, 0]),
    ("Fatoumata Diallo", Goes::Finishes, [1, 0]),
    ("Giulia Ferrari", Goes::Finishes, [0, 1]),
    ("Hamish MacLeod", Goes::Finishes, [1, 1]),
    ("Inês Carvalho", Goes::Finishes, [2, 0]),
    ("Jakub Nowak", Goes::Stops, [0, 1]),
    ("Keiko Tanaka", Goes::Stops, [1, -1]),
    ("Liam O’Connor", Goes::Stops, [0, 0]),
    ("Maria Papadopoulou", Goes::SignsUp, [0, 0]),
    ("Noah van der Berg", Goes::SignsUp, [0, 0]),
];

/// What some of them write to the provider: who, topic, message.
const ENQUIRIES: [(&str, &str, &str); 3] = [
    ("Carys Morgan", "programme", "Do you run the first-line course in Cardiff next spring?"),
    ("Giulia Ferrari", "general", "We are twelve team leaders. Could you come to us?"),
    ("Hamish MacLeod", "result", "My two levels came out alike. What would you start with?"),
];

/// Builds the server, fills it, says where to look, and serves until it is stopped.
///
/// # Errors
/// If the server does not start, or answers a person otherwise than with the next page.
pub fn run_demo() -> Result<(), String> {
    run(&mut cargo(&["build", "--locked", "--workspace", "--bin", "bellwether"]))?;
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| String::from("target"));
    let program = Path::new(&target).join("debug/bellwether");
    let data = Path::new(&target).join("demo");
    match std::fs::remove_dir_all(&data) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("{}: {e}", data.display()));
        }
        _ => {}
    }
    // Once without budgets, as fourteen people from one address within a second are what budgets are for; then as ever.
    let mut reports = Vec::new();
    {
        let _server = Server::start(&program, &data)?;
        for (n, person) in PEOPLE.iter().enumerate() {
            reports.extend(come(n, person)?.map(|report| (person.0, report)));
        }
        for (name, topic, message) in ENQUIRIES {
            enquire(name, topic, message)?;
        }
    }
    tell(&program, &data, &reports);
    run(Command::new(&program).args(["--listen", ADDRESS, "--data"]).arg(&data))
}

/// Says where to look.
fn tell(program: &Path, data: &Path, reports: &[(&str, String)]) {
    let n_people = PEOPLE.len();
    say(&format!("\n{n_people} people came, {} finished. Open:", reports.len()));
    say(&format!("  http://{ADDRESS}/           the site"));
    say(&format!("  http://{ADDRESS}/mailbox    every mail that was sent"));
    say(&format!("  http://{ADDRESS}/dev/pages  every page and mail in every state"));
    for (name, report) in reports {
        say(&format!("  http://{ADDRESS}{report}  {name}"));
    }
    say("\nIn another terminal:");
    for words in ["list sittings", "list contacts --state confirmed", "list enquiries"] {
        say(&format!("  {} {words} --data {}", program.display(), data.display()));
    }
    say("\nCtrl-C ends it; the next demo begins afresh.\n");
}

/// Somebody signs up and goes as far as they go; the path of their report if they finish.
fn come(n: usize, &(name, goes, levels): &Person) -> Result<Option<String>, String> {
    let email = address(name);
    let page = get(QUIZ)?;
    let mut form = vec![
        (String::from("submit_id"), field(&page, "submit_id")?),
        (String::from("name"), name.to_owned()),
        (String::from("email"), email.clone()),
    ];
    let offered = page.split("name=\"purpose.").skip(1).filter_map(|rest| rest.split('"').next());
    let ticked = offered.enumerate().filter(|(purpose, _)| (n + purpose).is_multiple_of(2));
    form.extend(ticked.map(|(_, id)| (format!("purpose.{id}"), String::from("yes"))));
    post(QUIZ, &form)?;
    if goes == Goes::SignsUp {
        return Ok(None);
    }
    let link = mailed(&email, "/s/")?;
    let confirms = field(&get(&link)?, "confirms")?;
    let start = [("go", "start"), ("confirms", &confirms)];
    post(&link, &start.map(|(name, value)| (name.to_owned(), value.to_owned())))?;
    // The link leads to wherever this person is.
    let mut page = location("GET", &link, "")?;
    for n_pages in 0..PAGES_MAX {
        if page.ends_with("/review") {
            let go = (String::from("go"), String::from("next"));
            return post(&format!("{link}/finish"), &[go]).map(Some);
        }
        if goes == Goes::Stops && n_pages == 2 {
            return Ok(None);
        }
        page = answer(n, &page, levels)?;
    }
    Err(format!("{link} has more than {PAGES_MAX} pages"))
}

/// Answers a page of questions; gives the next.
fn answer(n: usize, page: &str, levels: [i64; 2]) -> Result<String, String> {
    let path = page.split(['?', '#']).next().unwrap_or(page);
    let html = get(path)?;
    let mut form = vec![(String::from("go"), String::from("next"))];
    let items = html.split("<fieldset class=\"question\" id=\"q-").skip(1);
    for id in items.filter_map(|rest| rest.split('"').next()) {
        form.push((format!("a.{id}"), choice(n, id, levels).to_string()));
    }
    post(path, &form)
}

/// What somebody of these levels answers to an item: their level, give or take one, turned round for a lapse.
fn choice(n: usize, item: &str, [managing, leading]: [i64; 2]) -> i64 {
    let (facet, key) = item.rsplit_once('-').unwrap_or((item, ""));
    let level = if MANAGING.contains(&facet) { managing } else { leading };
    let drawn = item.bytes().fold(n, |sum, byte| sum * 31 % 1_009 + usize::from(byte)) % 6;
    let wavers = [-1, 0, 0, 0, 0, 1][drawn];
    let value = (3 + level + wavers).clamp(1, 5);
    if key.starts_with('f') { value } else { 6 - value }
}

fn enquire(name: &str, topic: &str, message: &str) -> Result<(), String> {
    let submit_id = field(&get("/contact")?, "submit_id")?;
    let email = address(name);
    let form = [
        ("submit_id", submit_id.as_str()),
        ("name", name),
        ("email", &email),
        ("topic", topic),
        ("message", message),
    ];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    post("/contact", &form).map(|_| ())
}

/// An address that nobody has: the first name at a name kept for examples.
fn address(name: &str) -> String {
    let first = name.split(' ').next().unwrap_or(name).to_lowercase();
    let plain: String = first.chars().map(|c| if c == 'ê' { 'e' } else { c }).collect();
    format!("{plain}@example.org")
}

/// The path of the link with that prefix in the newest mail to `email`, once it is there.
fn mailed(email: &str, prefix: &str) -> Result<String, String> {
    let began = Instant::now();
    let start = format!("http://{ADDRESS}{prefix}");
    while began.elapsed() < MAIL_WAIT_MAX {
        let mailbox = get("/mailbox")?;
        let newest = mailbox.split("href=\"/mailbox/").nth(1);
        let Some(id) = newest.and_then(|rest| rest.split('"').next()) else { continue };
        let mail = get(&format!("/mailbox/{id}"))?;
        let mut links = mail.split("href=\"").filter_map(|rest| rest.split('"').next());
        if let Some(link) = links.find(|link| link.starts_with(&start))
            && mail.contains(email)
        {
            return Ok(link[start.len() - prefix.len()..].to_owned());
        }
    }
    Err(format!("no mail to {email} within {} s", MAIL_WAIT_MAX.as_secs()))
}

/// The server while people come, ended in order when this goes.
struct Server(Child);

impl Server {
    fn start(program: &PathBuf, data: &Path) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.args(["--listen", ADDRESS, "--abuse-budgets", "off", "--data"]).arg(data);
        let cannot = |e: std::io::Error| format!("{}: {e}", program.display());
        // Its log would only repeat who came; what keeps it from starting is said by the run that follows.
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = Self(command.spawn().map_err(cannot)?);
        let mut line = String::new();
        let out = server.0.stdout.as_mut().ok_or("the server has no output")?;
        BufReader::new(out).read_line(&mut line).map_err(cannot)?;
        let mut log = server.0.stderr.take().ok_or("the server has no log")?;
        if !line.starts_with("listening on ") {
            let mut said = String::new();
            let _ = log.read_to_string(&mut said);
            return Err(said.trim_end().to_owned());
        }
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

/// Opens a page.
fn get(path: &str) -> Result<String, String> {
    let (head, body) = send("GET", path, "")?;
    if head.starts_with("HTTP/1.1 200") { Ok(body) } else { Err(unexpected("GET", path, &head)) }
}

/// Sends a form; gives the path it leads to.
fn post(path: &str, form: &[(String, String)]) -> Result<String, String> {
    let fields: Vec<String> =
        form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    location("POST", path, &fields.join("&"))
}

/// The path that an answer leads to.
fn location(method: &str, path: &str, body: &str) -> Result<String, String> {
    let (head, _) = send(method, path, body)?;
    let location = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("location").then(|| value.trim().to_owned())
    });
    location.ok_or_else(|| unexpected(method, path, &head))
}

fn unexpected(method: &str, path: &str, head: &str) -> String {
    format!("{method} {path} was answered {}", head.lines().next().unwrap_or("with nothing"))
}

fn send(method: &str, path: &str, body: &str) -> Result<(String, String), String> {
    let cannot = |e: std::io::Error| format!("{method} {path}: {e}");
    let mut stream = TcpStream::connect(ADDRESS).map_err(cannot)?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {ADDRESS}\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).map_err(cannot)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(cannot)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Ok((head.to_owned(), body.to_owned()))
}

/// The value of the first field of that name in a page.
fn field(html: &str, name: &str) -> Result<String, String> {
    let input = html.split("<input").find(|input| input.contains(&format!("name=\"{name}\"")));
    let value = input.and_then(|input| input.split("value=\"").nth(1)?.split('"').next());
    value.map(str::to_owned).ok_or_else(|| format!("a page has no field {name}"))
}

/// A value as a form sends it.
fn encoded(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => text.push(byte.into()),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{PEOPLE, address, choice, encoded};

    #[test]
    fn answers_stay_on_the_scale_and_lapses_are_turned_round() {
        for (n, &(_, _, levels)) in PEOPLE.iter().enumerate() {
            for item in ["plan-f1", "plan-r1", "vision-f2", "vision-r2"] {
                assert!((1..=5).contains(&choice(n, item, levels)));
            }
        }
        assert!(choice(0, "plan-f1", [2, 0]) >= 4 && choice(0, "plan-r1", [2, 0]) <= 2);
    }

    #[test]
    fn addresses_are_plain_and_differ() {
        let addresses: std::collections::BTreeSet<String> =
            PEOPLE.iter().map(|&(name, ..)| address(name)).collect();
        assert_eq!(addresses.len(), PEOPLE.len());
        assert!(addresses.iter().all(|address| address.is_ascii()));
        assert_eq!(encoded("a b@c"), "a%20b%40c");
    }
}
