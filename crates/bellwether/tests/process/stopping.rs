//! An orderly end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use rustix::process::Signal;

use crate::program::{QUIZ, Server, begin_request, field, read_answer, request};
use crate::scratch::Scratch;

#[tokio::test]
async fn what_is_under_way_is_finished_and_nothing_new_is_begun() {
    let scratch = Scratch::new().await;
    let metrics = free_address();
    let server = Server::start(&scratch, &["--metrics-listen", &metrics]);
    let submit_id = field(&server.get(QUIZ).body, "submit_id");
    let body = format!("submit_id={submit_id}&name=Ada&email=ada%40example.org");
    let (first, rest) = body.split_at(20);
    let expect = "Expect: 100-continue\r\n";
    let mut under_way = begin_request(&server.url, "POST", QUIZ, body.len(), expect).unwrap();
    // It waits for the form: a connection that nobody has taken up yet is none under way.
    let mut go_on = *b"HTTP/1.1 100 Continue\r\n\r\n";
    under_way.read_exact(&mut go_on).unwrap();
    assert_eq!(go_on, *b"HTTP/1.1 100 Continue\r\n\r\n");
    under_way.write_all(first.as_bytes()).unwrap();

    server.signal(Signal::TERM);
    server.wait_for_log("Stopping");
    while request(&format!("http://{metrics}"), "GET", "/readyz", "").unwrap().status != 503 {}
    let host = server.url.trim_start_matches("http://").to_owned();
    while TcpStream::connect(&host).is_ok() {}

    under_way.write_all(rest.as_bytes()).unwrap();
    let answer = read_answer(&mut under_way).unwrap();
    assert_eq!(answer.status, 303, "{answer:?}");
    assert_eq!(server.wait().code(), Some(0));

    let again = Server::start(&scratch, &[]);
    assert!(again.mailed("/s/").starts_with("/s/"), "what was acknowledged is there");
    again.stop();
}

/// An address on which nobody listens at the moment.
pub fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
