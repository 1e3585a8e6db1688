//! Whether the time of a sign-up tells anything of its address: forms for addresses of every kind, one after another in mixed
//! order, and then "send it again" for each.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use base::chance::Chance;
use base::db::{Db, DbError, Target};
use base::execute;
use base::keys::Keys;

use super::super::Figure;
use super::super::load::Client;
use super::super::process::{Folder, Server};
use super::{QUIZ, form, ours, pause, post, program, submit_id};

/// Kinds of address. The last one is new, in a form whose trap was filled in.
const KINDS: [&str; 5] = ["new", "pending", "confirmed", "suppressed", "trapped"];
/// Those that have signed up before.
const KNOWN: [usize; 2] = [1, 2];
/// Forms of each kind: with those before and "send it again", fewer than an instance takes in an hour.
const FORMS_EACH: usize = 150;
/// Longer than a form must lie open.
const READING: Duration = Duration::from_millis(2_200);

base::statements! {
    SUPPRESS = "INSERT INTO suppression (address_hash, reason, created_ms) VALUES ($1, 'complaint', 0)";
    CONFIRM = "UPDATE contact SET state = 'confirmed', confirmed_ms = created_ms WHERE address LIKE 'confirmed-%'";
    START = "UPDATE sitting SET state = 'started', started_ms = created_ms WHERE contact_id IN (SELECT id FROM contact WHERE state = 'confirmed')";
    AGREE = "UPDATE subscription SET state = 'confirmed' WHERE contact_id IN (SELECT id FROM contact WHERE state = 'confirmed')";
}

/// With budgets, known addresses had their mail a moment ago and get no other; without, everybody but the last two kinds does.
pub(super) fn run(smtp: &str, figures: &mut Vec<Figure>) -> Result<(), String> {
    for (budgets, what) in [("on", "asked again at once"), ("off", "budgets off")] {
        let folder = Folder::empty("alike")?;
        let mut command = ours(Command::new(program("bellwether")), &folder, smtp, budgets);
        let server = Server::start(command.args(["--trusted-proxy", "127.0.0.1/32"]))?;
        let mut asker = Asker::new(&server)?;
        asker.sign_up(people(&KNOWN))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| format!("the records' runtime: {e}"))?;
        runtime.block_on(prepare(folder.path()))?;
        let signed_up = asker.sign_up(people(&[0, 1, 2, 3, 4]))?;
        let again = asker.ask_again(&signed_up)?;
        for (name, timed) in [("sign-up", &signed_up), ("send it again", &again)] {
            for (kind, kind_name) in KINDS.iter().enumerate() {
                let times = timed.iter().filter(|t| t.kind == kind).map(|t| t.time).collect();
                let what = format!("{name}, {kind_name} address, {what}: time");
                figures.push(Figure::aside(&what, quartiles(times)));
            }
        }
    }
    Ok(())
}

/// Confirms, and suppresses, the addresses whose kind says so, in the records of a server that runs.
async fn prepare(data: &Path) -> Result<(), String> {
    let cannot = |e: DbError| format!("the records: {e}");
    let db = Db::open_existing(&Target::Sqlite(data.join("bellwether.sqlite"))).await;
    let db = db.map_err(cannot)?;
    let keys = Keys::load(&data.join("secret"), false, &Chance::from_seed(1));
    let keys = keys.map_err(|e| format!("the instance's key: {e}"))?;
    let mut tx = db.begin().await.map_err(cannot)?;
    for n in 0..FORMS_EACH {
        let hash = keys.address_hash(&address_of(3, n));
        execute!(&mut tx, SUPPRESS, hash).map_err(cannot)?;
    }
    for statement in [CONFIRM, START, AGREE] {
        let n_changed = execute!(&mut tx, statement).map_err(cannot)?;
        if n_changed != FORMS_EACH as u64 {
            return Err(format!("{} changed {n_changed} rows", statement.name));
        }
    }
    tx.commit().await.map_err(cannot)?;
    db.close().await;
    Ok(())
}

/// Everybody of these kinds, each with a number.
fn people(kinds: &[usize]) -> Vec<(usize, usize)> {
    kinds.iter().flat_map(|&kind| (0..FORMS_EACH).map(move |n| (kind, n))).collect()
}

fn address_of(kind: usize, n: usize) -> String {
    format!("{}-{n}@example.org", KINDS[kind])
}

/// An answered form.
struct Timed {
    kind: usize,
    time: Duration,
    /// Where it led.
    location: String,
}

/// One client, who comes from another network with every request, so that no network's budget is used up.
struct Asker {
    client: Client,
    address: SocketAddr,
    chance: Chance,
    n_sent: u16,
}

impl Asker {
    fn new(server: &Server) -> Result<Self, String> {
        let (client, address) = (Client::open(server.address)?, server.address);
        Ok(Self { client, address, chance: Chance::from_seed(1), n_sent: 0 })
    }

    /// Signs up each person, given as kind and number, in mixed order.
    fn sign_up(&mut self, people: Vec<(usize, usize)>) -> Result<Vec<Timed>, String> {
        let page = format!("GET {QUIZ} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        let mut forms = Vec::new();
        for (kind, n) in self.mixed(people) {
            let submit_id = submit_id(self.client.ask(page.as_bytes(), 200)?)?;
            let trap = if KINDS[kind] == "trapped" { "https%3A%2F%2Fx.example" } else { "" };
            forms.push((kind, form(&submit_id, trap, &address_of(kind, n))));
        }
        pause(READING);
        forms.into_iter().map(|(kind, form)| self.time(kind, QUIZ, &form)).collect()
    }

    /// Presses "send it again" on every page that a form led to, in mixed order.
    fn ask_again(&mut self, signed_up: &[Timed]) -> Result<Vec<Timed>, String> {
        let pages = signed_up.iter().map(|t| (t.kind, t.location.as_str())).collect();
        let pages: Vec<(usize, &str)> = self.mixed(pages);
        pages.into_iter().map(|(kind, page)| self.time(kind, page, "")).collect()
    }

    fn mixed<T>(&self, all: Vec<T>) -> Vec<T> {
        let mut keyed: Vec<([u8; 8], T)> =
            all.into_iter().map(|one| (self.chance.bytes(), one)).collect();
        keyed.sort_unstable_by_key(|(key, _)| *key);
        keyed.into_iter().map(|(_, one)| one).collect()
    }

    fn time(&mut self, kind: usize, path: &str, body: &str) -> Result<Timed, String> {
        self.n_sent += 1;
        let [high, low] = self.n_sent.to_be_bytes();
        let network = format!("X-Forwarded-For: 10.0.{high}.{low}\r\n");
        let request = post(self.address, path, &network, body);
        let from = Instant::now();
        let answer = self.client.ask(&request, 303)?;
        let time = from.elapsed();
        Ok(Timed { kind, time, location: location(answer)? })
    }
}

fn location(answer: &[u8]) -> Result<String, String> {
    let text = String::from_utf8_lossy(answer);
    let line = text.lines().find_map(|line| line.strip_prefix("location: "));
    line.map(str::to_owned).ok_or_else(|| String::from("a form led nowhere"))
}

/// The median, and the middle half.
fn quartiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let ms = |quarter: usize| {
        times.get(times.len() * quarter / 4).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
    };
    format!("median {:.2} ms, middle half {:.2} to {:.2} ms", ms(2), ms(1), ms(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_half_leaves_out_a_quarter_on_either_side() {
        let times = [4, 1, 3, 2].map(Duration::from_millis).to_vec();
        assert_eq!(quartiles(times), "median 3.00 ms, middle half 2.00 to 4.00 ms");
    }

    #[test]
    fn a_form_leads_to_its_location() {
        let answer = b"HTTP/1.1 303 See Other\r\nlocation: /quiz/x/sent/1\r\n\r\n";
        assert_eq!(location(answer).as_deref(), Ok("/quiz/x/sent/1"));
        assert!(location(b"HTTP/1.1 303 See Other\r\n\r\n").is_err());
    }
}
