//! What the operator can see and do, beside a running server.

use crate::program::{Server, refused, run, said, text};
use crate::scratch::Scratch;
use crate::smtp::{MailServer, Mood};

#[tokio::test]
async fn records_are_listed_beside_a_running_server() {
    let scratch = Scratch::new().await;
    let server = Server::start(&scratch, &[]);
    server.sign_up("ada@example.org");
    server.mailed("/s/");
    let contacts = said(&scratch, &["list", "contacts"]);
    let lines: Vec<&str> = contacts.lines().collect();
    assert!(lines[0].starts_with("id ") && lines[0].contains("  state "), "{contacts}");
    assert!(lines[1].contains("  pending  ") && lines[1].contains("ada@example.org"), "{contacts}");
    let csv = said(&scratch, &["list", "messages", "--state", "sent", "--csv"]);
    let head = "id,state,kind,to,attempts,queued,due,sent,last error\r\n";
    assert!(csv.starts_with(head) && csv.matches("\r\n").count() == 2, "{csv}");
    assert_eq!(said(&scratch, &["list", "sittings", "--state", "finished"]).lines().count(), 1);
    assert_eq!(said(&scratch, &["list", "enquiries"]).lines().count(), 1);
    let unknown = run(&scratch, &["list", "messages", "--state", "lost"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("possible values: queued, sending, sent"));
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_failed_is_sent_again_by_hand() {
    let scratch = Scratch::new().await;
    let mail_server = MailServer::start().await;
    mail_server.set(Mood::Refuses);
    let server = Server::start(&scratch, &["--smtp-url", &mail_server.url]);
    assert_eq!(server.get("/mailbox").status, 404, "with a mail server there is no mailbox");
    server.sign_up("ada@example.org");
    let failed = list_until(&scratch, "failed", 1);
    assert!(failed.contains("no such mailbox"), "the server's own words: {failed}");
    let id = failed.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    server.stop();

    mail_server.set(Mood::Takes);
    let answer = said(&scratch, &["messages", "retry", &id]);
    assert!(answer.contains("queued again"), "{answer}");
    let server = Server::start(&scratch, &["--smtp-url", &mail_server.url]);
    list_until(&scratch, "sent", 1);
    let taken = mail_server.taken();
    assert_eq!(taken.len(), 1);
    assert!(taken[0].contains(&id), "the Message-ID is the message's own");
    assert!(refused(&scratch, &["messages", "retry", &id]).contains("has been sent"));
    server.stop();
}

/// The messages in a state as CSV, once there are so many.
pub fn list_until(scratch: &Scratch, state: &str, n_messages: usize) -> String {
    loop {
        let csv = said(scratch, &["list", "messages", "--state", state, "--csv"]);
        if csv.lines().count() > n_messages {
            return csv;
        }
    }
}

#[tokio::test]
async fn an_unknown_mail_and_missing_records_are_told_in_words() {
    let scratch = Scratch::new().await;
    let nothing = refused(&scratch, &["list", "contacts"]);
    assert!(nothing.contains("Start this version of Bellwether once"), "{nothing}");
    Server::start(&scratch, &[]).stop();
    let unknown = refused(&scratch, &["messages", "retry", "nobody"]);
    assert!(unknown.contains("there is no such mail"), "{unknown}");
    assert_eq!(unknown.lines().count(), 3);
}
