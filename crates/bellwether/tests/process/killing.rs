//! Killed without warning, again and again, in the middle of sign-ups and answers: what was acknowledged is there, each
//! contact has its mail once, and a form sent again after the lost connection is the same form.
//!
//! A kill keeps what the kernel has taken, so this shows that nothing is acknowledged before it is committed; that the
//! commit itself reaches the disk first is what `durability.rs` shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Sender, channel};

use base::chance::Chance;
use base::db::{Conn, Db, Queries as _, Reader};
use rustix::process::Signal;

use crate::program::{QUIZ, Server, field, request};
use crate::scratch::Scratch;

/// How often it is killed, unless `TEST_KILLS` says otherwise, which `cargo xtask test --kills 200` sets.
const KILLS: u32 = 15;
/// Persons signing up side by side, beside the one who answers.
const CLIENTS: usize = 3;
/// At most so many answers to forms are waited for before a kill.
const ANSWERS_MAX: u8 = 9;

/// A sign-up form as sent.
#[derive(Clone, Debug)]
struct Form {
    email: String,
    body: String,
}

/// What the clients know: acknowledged, or sent and lost.
#[derive(Debug, Default)]
struct Journal {
    signed_up: BTreeSet<String>,
    lost: Vec<Form>,
    answers: BTreeMap<String, Given>,
}

/// What is known of one item's answer.
#[derive(Debug)]
struct Given {
    /// The value acknowledged last.
    acknowledged: i64,
    /// Values sent since then, each of which may or may not have been taken before the end.
    lost: Vec<i64>,
}

/// What one client has to tell.
enum News {
    SignedUp(Form),
    Lost(Form),
    Answered(String, i64),
    AnswerLost(String, i64),
}

#[tokio::test]
async fn kills_lose_nothing_that_was_acknowledged() {
    let n_kills = std::env::var("TEST_KILLS").map_or(KILLS, |n| n.parse().unwrap());
    let scratch = Scratch::new().await;
    let server = Server::start(&scratch, &[]);
    server.sign_up("answering@example.org");
    let link = server.mailed("/s/");
    let confirms = field(&server.get(&link).body, "confirms");
    server.send("POST", &link, &format!("go=start&confirms={confirms}"));
    let items = items(&server.get(&format!("{link}/1")).body);
    assert!(!items.is_empty());
    server.stop();

    let chance = Chance::from_seed(6);
    let mut journal = Journal::default();
    for n_kill in 0..n_kills {
        let server = Server::start(&scratch, &[]);
        let [draw] = chance.bytes::<1>();
        let n_answers = draw % (ANSWERS_MAX + 1);
        run_until_killed(server, n_kill, n_answers, (&link, &items), &mut journal);
        if n_kill % 10 == 9 {
            assert_all_there(&scratch, &journal).await;
        }
    }
    let n_signed_up = journal.signed_up.len();
    assert!(n_signed_up > n_kills as usize, "only {n_signed_up} sign-ups in {n_kills} kills");
    assert!(journal.answers.len() == items.len(), "every item was answered at some time");
    send_the_lost_again(&scratch, &mut journal);
    assert!(journal.lost.is_empty());
    assert_all_there(&scratch, &journal).await;
}

/// Lets clients work until so many of them were answered, and kills the server among them.
fn run_until_killed(
    server: Server,
    n_kill: u32,
    n_answers: u8,
    (link, items): (&str, &[String]),
    journal: &mut Journal,
) {
    let (tell, told) = channel();
    let url = server.url.clone();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let again = journal.lost.pop();
            let (tell, url) = (tell.clone(), &url);
            scope.spawn(move || sign_up_until_killed(url, n_kill, client, again, &tell));
        }
        let (tell_too, url) = (tell.clone(), &url);
        scope.spawn(move || answer_until_killed(url, n_kill, link, items, &tell_too));
        drop(tell);
        let mut n_told = 0;
        for news in &told {
            journal.add(news);
            n_told += 1;
            if n_told == u32::from(n_answers) + 1 {
                server.signal(Signal::KILL);
            }
        }
    });
    assert_eq!(server.wait().code(), None, "it ended by the signal and by nothing else");
}

fn sign_up_until_killed(
    url: &str,
    n_kill: u32,
    client: usize,
    mut again: Option<Form>,
    tell: &Sender<News>,
) {
    for n in 0.. {
        let form = match again.take() {
            Some(form) => form,
            None => {
                let Ok(page) = request(url, "GET", QUIZ, "") else { return };
                let submit_id = field(&page.body, "submit_id");
                let name = format!("kill{n_kill}-{client}-{n}");
                let body = format!("submit_id={submit_id}&name=Ada&email={name}%40example.org");
                Form { email: format!("{name}@example.org"), body }
            }
        };
        let news = match request(url, "POST", QUIZ, &form.body) {
            Ok(answer) => {
                assert_eq!(answer.status, 303, "{answer:?}");
                News::SignedUp(form)
            }
            Err(_) => News::Lost(form),
        };
        let is_lost = matches!(news, News::Lost(_));
        let _ = tell.send(news);
        if is_lost {
            return;
        }
    }
}

fn answer_until_killed(url: &str, n_kill: u32, link: &str, items: &[String], tell: &Sender<News>) {
    let n_skip = n_kill as usize % items.len();
    for (n, item) in items.iter().cycle().skip(n_skip).enumerate() {
        let n_round = n_kill as usize + n / items.len();
        let value = i64::try_from(n_round % 5 + 1).unwrap();
        let body = format!("save=1&a.{item}={value}");
        match request(url, "POST", &format!("{link}/1"), &body) {
            Ok(answer) => {
                assert_eq!(answer.status, 204, "{answer:?}");
                let _ = tell.send(News::Answered(item.clone(), value));
            }
            Err(_) => {
                let _ = tell.send(News::AnswerLost(item.clone(), value));
                return;
            }
        }
    }
}

impl Journal {
    fn add(&mut self, news: News) {
        match news {
            News::SignedUp(form) => {
                self.signed_up.insert(form.email);
            }
            News::Lost(form) => self.lost.push(form),
            News::Answered(item, value) => {
                self.answers.insert(item, Given { acknowledged: value, lost: Vec::new() });
            }
            News::AnswerLost(item, value) => {
                if let Some(given) = self.answers.get_mut(&item) {
                    given.lost.push(value);
                }
            }
        }
    }
}

/// A browser that lost the connection sends the form again: the same sign-up, whether or not it had been made.
fn send_the_lost_again(scratch: &Scratch, journal: &mut Journal) {
    let server = Server::start(scratch, &[]);
    for form in std::mem::take(&mut journal.lost) {
        assert_eq!(server.send("POST", QUIZ, &form.body).status, 303);
        journal.signed_up.insert(form.email);
    }
    server.stop();
}

async fn assert_all_there(scratch: &Scratch, journal: &Journal) {
    let db = Db::open_existing(&scratch.target()).await.unwrap();
    let mut reader = db.reader().await.unwrap();
    let contacts = pairs(&mut reader, "SELECT id, address FROM contact").await;
    let addresses: BTreeSet<String> = contacts.values().cloned().collect();
    let missing: Vec<&String> = journal.signed_up.difference(&addresses).collect();
    assert!(missing.is_empty(), "acknowledged and not there: {missing:?}");
    assert_eq!(contacts.len(), addresses.len(), "one contact an address");
    let mails = pairs(&mut reader, "SELECT id, contact_id FROM message").await;
    let mut n_mails: BTreeMap<&String, u32> = BTreeMap::new();
    mails.values().for_each(|contact| *n_mails.entry(contact).or_default() += 1);
    let odd = contacts.iter().filter(|(id, _)| n_mails.get(id) != Some(&1));
    assert_eq!(odd.count(), 0, "each contact has its mail exactly once");
    let answers = "SELECT item_id, CAST(answer AS TEXT) FROM response";
    let answers = pairs(&mut reader, answers).await;
    for (item, given) in &journal.answers {
        let stored: i64 = answers[item].parse().unwrap();
        let may_be = stored == given.acknowledged || given.lost.contains(&stored);
        assert!(may_be, "{item}: {stored} is stored, and {given:?}");
    }
    drop(reader);
    db.close().await;
}

async fn pairs(reader: &mut Reader, sql: &'static str) -> BTreeMap<String, String> {
    let rows: Vec<(String, String)> = match reader.conn() {
        Conn::Sqlite(conn) => sqlx::query_as(sql).fetch_all(conn).await.unwrap(),
        Conn::Postgres(conn) => sqlx::query_as(sql).fetch_all(conn).await.unwrap(),
    };
    rows.into_iter().collect()
}

/// The ids of the items that a page asks.
pub fn items(html: &str) -> Vec<String> {
    let ids = html.split("<fieldset class=\"question\" id=\"q-").skip(1);
    ids.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}
