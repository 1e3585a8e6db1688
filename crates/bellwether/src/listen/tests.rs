use axum::response::IntoResponse as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(20);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

struct Door {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<()>,
}

async fn open(change: impl FnOnce(&mut Limits)) -> Door {
    let mut limits = Limits::new(1_024, Vec::new());
    change(&mut limits);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let answer = |request: Request| async move {
        if request.uri().path() == "/slow" {
            tokio::time::sleep(SHORT).await;
        }
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().unwrap().0;
        peer.ip().to_string().into_response()
    };
    let server = tokio::spawn(listen(listener, limits, answer, stopped));
    Door { address, stop, server }
}

/// What comes back for `bytes` until the server closes, or nothing if it does not in time.
async fn ask(door: &Door, bytes: &[u8]) -> Option<String> {
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    // The server may have closed before it was all sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(LONG / 2, stream.read_to_end(&mut answer)).await;
    read.ok().map(|_| String::from_utf8(answer).unwrap())
}

#[tokio::test]
async fn whoever_sends_half_a_head_or_nothing_more_is_let_go() {
    let door = open(|limits| limits.head = SHORT).await;
    for bytes in [&b"GET / HTTP/1.1\r\nHost: x\r\nX: "[..], b"G", b""] {
        let answer = ask(&door, bytes).await.expect("the connection is closed");
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    let answer = ask(&door, REQUEST).await.expect("an idle connection is closed too");
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn a_head_without_end_takes_little_memory() {
    let door = open(|limits| limits.head = SHORT).await;
    let head = |n: usize| format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(n));
    assert!(ask(&door, head(8_000).as_bytes()).await.unwrap().contains("200 OK"));
    let answer = ask(&door, head(4 * HEAD_BYTES_MAX).as_bytes()).await.unwrap();
    assert!(!answer.contains("200 OK"), "{answer}");
}

#[tokio::test]
async fn a_connection_has_a_longest_life() {
    let door = open(|limits| {
        limits.life = SHORT;
        limits.last_request = SHORT;
    })
    .await;
    assert!(ask(&door, REQUEST).await.is_some());
    let slow = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    assert!(ask(&door, slow).await.unwrap().contains("200 OK"), "its last request is answered");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let door = open(|limits| {
        limits.connections = 2;
        limits.head = SHORT;
    })
    .await;
    let idle = [TcpStream::connect(door.address).await, TcpStream::connect(door.address).await];
    assert!(ask(&door, REQUEST).await.unwrap().contains("200 OK"));
    drop(idle);
}

#[test]
fn a_network_has_so_many_places_and_gives_them_back() {
    let places = Places::default();
    let of = network("2001:db8::1".parse().unwrap());
    let first = places.take(of, 2).unwrap();
    let _second = places.take(network("2001:db8::2".parse().unwrap()), 2).unwrap();
    assert!(places.take(of, 2).is_none(), "one /64 is one network");
    assert!(places.take("192.0.2.1".parse().unwrap(), 2).is_some());
    drop(first);
    assert!(places.take(of, 2).is_some());
}

#[tokio::test]
async fn the_request_under_way_is_answered_when_the_program_stops() {
    let door = open(|_| {}).await;
    let asked = ask(&door, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    let stopped = async {
        tokio::time::sleep(SHORT / 3).await;
        door.stop.send(true).unwrap();
    };
    let (answer, ()) = tokio::join!(asked, stopped);
    assert!(answer.unwrap().contains("200 OK"));
    tokio::time::timeout(LONG, door.server).await.unwrap().unwrap();
    assert!(TcpStream::connect(door.address).await.is_err(), "nobody listens");
}
