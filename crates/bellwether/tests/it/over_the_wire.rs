//! Real connections: fifty presses at once, and connections that break before the answer is read.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::app::{TestApp, encode, field, location};
use crate::persons::{QUIZ, READING_MS, orderly};

/// Connections that break, each a little later than the one before.
const N_BREAKS: u32 = 24;
/// How much later.
const STEP: Duration = Duration::from_micros(400);

/// Serves the product on a port of its own until the test ends.
async fn serve(app: &TestApp) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = app.router().clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A form on its way.
async fn send(address: SocketAddr, path: &str, fields: &[(&str, &str)]) -> TcpStream {
    let body = encode(fields);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    stream
}

/// Sends a form and reads where the answer leads.
async fn post(address: SocketAddr, path: &str, fields: &[(&str, &str)]) -> String {
    let mut stream = send(address, path, fields).await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    let line = answer.lines().find(|line| line.to_lowercase().starts_with("location: ")).unwrap();
    line[10..].to_owned()
}

/// Sends a form, hangs up after a while without reading, and sends it again as a browser does on "try again".
async fn post_twice(address: SocketAddr, path: &str, form: &[(&str, &str)], n: u32) -> String {
    let stream = send(address, path, form).await;
    tokio::time::sleep(n * STEP).await;
    drop(stream);
    post(address, path, form).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_presses_at_once_are_one_contact_one_sitting_one_mail() {
    let app = TestApp::start().await;
    let address = serve(&app).await;
    let submit_id = field(&app.get(QUIZ).await.1, "submit_id");
    app.house.clock.advance(READING_MS);
    let form = [("submit_id", submit_id.as_str()), ("name", "Ada"), ("email", "ada@example.org")];
    let led_to = join_all((0..50).map(|_| post(address, QUIZ, &form))).await;
    assert!(led_to.iter().all(|one| *one == led_to[0]), "{led_to:?}");
    for table in ["contact", "sitting", "message", "signup"] {
        assert_eq!(app.count(table).await, 1, "{table}");
    }
    assert_eq!(app.mails().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sign_up_sent_again_after_the_connection_broke_is_the_same_sign_up() {
    let app = TestApp::start().await;
    let address = serve(&app).await;
    let mut forms = Vec::new();
    for n in 0..N_BREAKS {
        let (_, page) = app.get(QUIZ).await;
        forms.push((field(&page, "submit_id"), format!("ada{n}@example.org")));
    }
    app.house.clock.advance(READING_MS);
    for (n, (submit_id, email)) in (0..).zip(&forms) {
        let form = [("submit_id", submit_id.as_str()), ("name", "Ada"), ("email", email)];
        let led_to = post_twice(address, QUIZ, &form, n).await;
        assert!(led_to.starts_with("/quiz/leader-type/sent/"), "{led_to}");
    }
    for table in ["contact", "sitting", "message", "signup"] {
        assert_eq!(app.count(table).await, i64::from(N_BREAKS), "{table}");
    }
    assert_eq!(app.mails().await.len(), forms.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn answers_and_the_last_button_may_be_sent_again_after_a_break() {
    let app = TestApp::start().await;
    let address = serve(&app).await;
    for n in 0..4 {
        let link = app.begin(&format!("ada{n}@example.org")).await;
        app.answer_all(&link, orderly).await;
        let page = format!("{link}/1");
        let form = [("a.plan-f1", "4"), ("go", "next")];
        assert_eq!(post_twice(address, &page, &form, n).await, format!("{link}/2"));
        let report = post_twice(address, &format!("{link}/finish"), &[("go", "next")], n * 4).await;
        assert!(report.starts_with("/r/"), "{report}");
    }
    assert_eq!(app.count("response").await, 4 * 20);
    assert_eq!(app.count("profile").await, 4);
    assert_eq!(app.mails().await.len(), 8, "to each one link and one result");
}

#[tokio::test]
async fn a_second_press_is_not_answered_before_the_first_is_kept() {
    let app = TestApp::start().await;
    for n in 1..=8 {
        let link = app.begin(&format!("ada{n}@example.org")).await;
        app.answer_all(&link, orderly).await;
        let path = format!("{link}/finish");
        let press = async || {
            let report = location(&app.post(&path, &[("go", "next")]).await.0);
            assert!(report.starts_with("/r/"), "{report}");
            assert_eq!(app.count("profile").await, n);
        };
        tokio::join!(press(), press());
    }
}
