//! Backup, restore, and the drill of both.

use std::os::unix::fs::PermissionsExt as _;

use crate::program::{QUIZ, Server, field, read, refused, said};
use crate::scratch::Scratch;

#[tokio::test]
async fn a_backup_made_while_serving_brings_everything_back_elsewhere() {
    let Some(scratch) = on_sqlite().await else { return };
    let server = Server::start(&scratch, &[]);
    server.sign_up("ada@example.org");
    let link = server.mailed("/s/");
    let file = scratch.data().join("copy.backup");
    let name = file.display().to_string();
    let answer = said(&scratch, &["backup", &name]);
    assert!(answer.contains("checked"), "{answer}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(refused(&scratch, &["backup", &name]).contains("it is there already"));
    server.sign_up("late@example.org");
    server.stop();

    let elsewhere = Scratch::new().await;
    let answer = said(&elsewhere, &["restore", &name]);
    assert!(answer.contains("are back in"), "{answer}");
    assert_eq!(read(&scratch.data().join("secret")), read(&elsewhere.data().join("secret")));
    let contacts = said(&elsewhere, &["list", "contacts", "--csv"]);
    assert!(contacts.contains("ada@example.org") && !contacts.contains("late@example.org"));
    let server = Server::start(&elsewhere, &[]);
    assert_eq!(server.get(&link).status, 200, "a link mailed before works after");
    server.stop();
}

#[tokio::test]
async fn restore_touches_nothing_that_is_there_unless_told_to() {
    let Some(scratch) = on_sqlite().await else { return };
    let server = Server::start(&scratch, &[]);
    let file = scratch.data().join("copy.backup").display().to_string();
    server.sign_up("ada@example.org");
    said(&scratch, &["backup", &file]);
    server.sign_up("late@example.org");
    let running = refused(&scratch, &["restore", &file, "--replace"]);
    assert!(running.contains("another Bellwether is using"), "{running}");
    server.stop();
    let there = refused(&scratch, &["restore", &file]);
    assert!(there.contains("records are there already") && there.contains("--replace"), "{there}");
    assert!(said(&scratch, &["list", "contacts"]).contains("late@example.org"));
    said(&scratch, &["restore", &file, "--replace"]);
    let contacts = said(&scratch, &["list", "contacts"]);
    assert!(contacts.contains("ada@example.org") && !contacts.contains("late@example.org"));
    let aside = scratch.data().join("bellwether.sqlite.replaced");
    assert!(aside.is_file(), "what was there is kept beside");
}

#[tokio::test]
async fn an_erasure_outlives_a_restore_of_older_records() {
    let Some(scratch) = on_sqlite().await else { return };
    let server = Server::start(&scratch, &[]);
    server.sign_up("ada@example.org");
    let link = server.mailed("/s/");
    let file = scratch.data().join("copy.backup").display().to_string();
    said(&scratch, &["backup", &file]);
    let confirms = field(&server.get(&link).body, "confirms");
    server.send("POST", &link, &format!("go=start&confirms={confirms}"));
    erase(&server, "ada@example.org");
    assert_eq!(said(&scratch, &["list", "contacts"]).lines().count(), 1);
    server.stop();
    said(&scratch, &["restore", &file, "--replace"]);
    assert_eq!(said(&scratch, &["list", "contacts"]).lines().count(), 2, "she is back");
    Server::start(&scratch, &[]).stop();
    assert_eq!(said(&scratch, &["list", "contacts"]).lines().count(), 1, "and gone again");
}

#[tokio::test]
async fn a_consent_taken_back_stays_so_after_a_restore_whatever_forms_came_since() {
    let Some(scratch) = on_sqlite().await else { return };
    let server = Server::start(&scratch, &[]);
    server.sign_up("ada@example.org");
    ask_for_preferences(&server, "ada@example.org");
    let preferences = server.mailed("/p/");
    choose(&server, &preferences, "&purpose.newsletter=yes");
    let file = scratch.data().join("copy.backup").display().to_string();
    said(&scratch, &["backup", &file]);
    choose(&server, &preferences, "");
    let submit_id = field(&server.get(QUIZ).body, "submit_id");
    let form = format!("submit_id={submit_id}&name=Ada&email=ada%40example.org");
    server.send("POST", QUIZ, &format!("{form}&purpose.newsletter=yes"));
    server.stop();
    said(&scratch, &["restore", &file, "--replace"]);
    let server = Server::start(&scratch, &[]);
    let page = server.get(&preferences);
    assert_eq!(page.status, 200);
    assert!(!page.body.contains(" checked"), "{page:?}");
    server.stop();
}

#[tokio::test]
async fn a_file_that_is_not_a_whole_backup_is_refused() {
    let Some(scratch) = on_sqlite().await else { return };
    Server::start(&scratch, &[]).stop();
    let file = scratch.data().join("copy.backup");
    let name = file.display().to_string();
    said(&scratch, &["backup", &name]);
    let elsewhere = Scratch::new().await;
    let refuse = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        refused(&elsewhere, &["restore", &name])
    };
    let whole = std::fs::read(&file).unwrap();
    assert_eq!(refuse(b"not a database at all").lines().count(), 3);
    refuse(&whole[..whole.len() / 2]);
    let mut scribbled = whole.clone();
    let middle = whole.len() / 2;
    scribbled[middle..middle + 8_192].fill(0xA5);
    refuse(&scribbled);
    assert!(!elsewhere.data().join("bellwether.sqlite").exists(), "nothing of it was put in place");
    std::fs::write(&file, &whole).unwrap();
    said(&elsewhere, &["restore", &name]);
}

#[tokio::test]
async fn on_postgresql_the_commands_point_to_its_own_tools() {
    let scratch = Scratch::new().await;
    if scratch.url().is_none() {
        let flag = ["backup", "x", "--database-url", "postgres://nobody@127.0.0.1:1/none"];
        assert!(refused(&scratch, &flag).contains("pg_dump"));
        return;
    }
    assert!(refused(&scratch, &["backup", "x"]).contains("pg_dump"));
    assert!(refused(&scratch, &["restore", "x"]).contains("pg_restore"));
}

/// Erases a contact the way the contact does: by the page behind the mailed link.
fn erase(server: &Server, email: &str) {
    ask_for_preferences(server, email);
    let erase = format!("{}/erase", server.mailed("/p/"));
    let submit_id = field(&server.get(&erase).body, "submit_id");
    let answer = server.send("POST", &erase, &format!("submit_id={submit_id}"));
    assert!([200, 303].contains(&answer.status), "{answer:?}");
}

fn ask_for_preferences(server: &Server, email: &str) {
    let submit_id = field(&server.get("/preferences").body, "submit_id");
    let email = email.replace('@', "%40");
    server.send("POST", "/preferences", &format!("submit_id={submit_id}&email={email}"));
}

/// Saves preferences: `ticked` are the boxes, and what is not ticked is taken back.
fn choose(server: &Server, preferences: &str, ticked: &str) {
    let submit_id = field(&server.get(preferences).body, "submit_id");
    let answer = server.send("POST", preferences, &format!("submit_id={submit_id}{ticked}"));
    assert_eq!(answer.status, 303, "{answer:?}");
}

/// A place for records in a SQLite file; backups of PostgreSQL are its own affair.
async fn on_sqlite() -> Option<Scratch> {
    Some(Scratch::new().await).filter(|scratch| scratch.url().is_none())
}
