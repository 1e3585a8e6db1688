//! A load generator small enough not to be the bottleneck: one thread and one connection a client, kept alive, one request
//! at a time, and no more of HTTP than it takes to find an answer's end.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// A server that does not answer for this long has failed.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
const BUFFER_BYTES: usize = 64 * 1024;

/// What some requests took.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Requests that were answered as they should be.
    pub n_requests: u64,
    /// From the first to the last.
    pub wall: Duration,
    /// Processor time of the server's process meanwhile.
    pub cpu: Duration,
}

impl Measured {
    /// Requests in a second.
    pub fn rate(&self) -> f64 {
        ratio(self.n_requests, self.wall.as_secs_f64())
    }

    /// The server's processor time in milliseconds for each request.
    pub fn cpu_ms(&self) -> f64 {
        1.0 / ratio(self.n_requests, self.cpu.as_secs_f64() * 1_000.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^53 requests")]
fn ratio(n: u64, of: f64) -> f64 {
    n as f64 / of
}

/// A client with its connection.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens.
    pub fn open(address: SocketAddr) -> Result<Self, String> {
        let connect = || {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
            Ok(stream)
        };
        let stream = connect().map_err(|e: std::io::Error| format!("{address}: {e}"))?;
        Ok(Self { stream, buffer: vec![0; BUFFER_BYTES] })
    }

    /// Sends a request and gives the whole answer, head and body.
    ///
    /// # Errors
    /// If the answer does not come whole, or has another status.
    pub fn ask(&mut self, request: &[u8], status: u16) -> Result<&[u8], String> {
        self.stream.write_all(request).map_err(|e| format!("a request was not sent: {e}"))?;
        let (mut n_bytes, mut end) = (0, None);
        while !end.is_some_and(|end: End| end.is_reached(&self.buffer[..n_bytes])) {
            let room = self.buffer.get_mut(n_bytes..).filter(|room| !room.is_empty());
            let room = room.ok_or("an answer is larger than the load generator's buffer")?;
            match self.stream.read(room) {
                Ok(0) => return Err(String::from("the server hung up")),
                Ok(n) => n_bytes += n,
                Err(e) => return Err(format!("no answer: {e}")),
            }
            end = end.or_else(|| End::of(&self.buffer[..n_bytes]));
        }
        let answer = &self.buffer[..n_bytes];
        let is_as_asked = answer.get(9..12) == Some(status.to_string().as_bytes());
        if is_as_asked { Ok(answer) } else { Err(format!("not {status}: {}", excerpt(answer))) }
    }
}

/// How an answer's end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// After so many bytes, head included.
    At(usize),
    /// After the last of its chunks.
    LastChunk,
}

impl End {
    /// Reads the head, if all of it is there.
    fn of(answer: &[u8]) -> Option<Self> {
        let n_head = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&answer[..n_head]);
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = length.and_then(|(_, length)| length.parse::<usize>().ok());
        Some(length.map_or(Self::LastChunk, |length| Self::At(n_head + length)))
    }

    fn is_reached(self, answer: &[u8]) -> bool {
        match self {
            Self::At(n_bytes) => answer.len() >= n_bytes,
            Self::LastChunk => answer.ends_with(b"\r\n0\r\n\r\n"),
        }
    }
}

fn excerpt(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).chars().take(300).collect()
}

/// Lets `n_clients` clients do `work`, which gives how many requests it made, all from the same moment on.
///
/// # Errors
/// Why a client gave up.
pub fn measure(
    address: SocketAddr,
    n_clients: usize,
    cpu: &dyn Fn() -> Result<Duration, String>,
    work: &(dyn Fn(usize, &mut Client) -> Result<u64, String> + Sync),
) -> Result<Measured, String> {
    let barrier = &Barrier::new(n_clients + 1);
    std::thread::scope(|scope| {
        let client = |client_idx| {
            move || {
                let client = Client::open(address);
                barrier.wait();
                work(client_idx, &mut client?)
            }
        };
        let clients: Vec<_> = (0..n_clients).map(|idx| scope.spawn(client(idx))).collect();
        barrier.wait();
        let (cpu_before, from) = (cpu()?, Instant::now());
        let mut n_requests = 0;
        for client in clients {
            n_requests += client.join().map_err(|_| "a client panicked")??;
        }
        let wall = from.elapsed();
        Ok(Measured { n_requests, wall, cpu: cpu()?.saturating_sub(cpu_before) })
    })
}

/// The same request from every client, over and over for a while.
///
/// # Errors
/// Why a client gave up.
pub fn repeat(
    address: SocketAddr,
    n_clients: usize,
    cpu: &dyn Fn() -> Result<Duration, String>,
    request: &[u8],
    length: Duration,
) -> Result<Measured, String> {
    measure(address, n_clients, cpu, &|_, client| {
        let until = Instant::now() + length;
        let mut n_requests = 0;
        while Instant::now() < until {
            client.ask(request, 200)?;
            n_requests += 1;
        }
        Ok(n_requests)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_head_says() {
        let fixed = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(End::of(&fixed[..20]), None);
        let end = End::of(fixed).unwrap();
        assert!(end.is_reached(fixed) && !end.is_reached(&fixed[..fixed.len() - 1]));
        let chunked =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        let end = End::of(chunked).unwrap();
        assert!(end.is_reached(chunked) && !end.is_reached(&chunked[..chunked.len() - 5]));
    }

    #[test]
    fn a_rate_and_a_cost_come_from_the_same_requests() {
        let (wall, cpu) = (Duration::from_secs(2), Duration::from_millis(500));
        let measured = Measured { n_requests: 1_000, wall, cpu };
        assert!((measured.rate() - 500.0).abs() < 1e-9);
        assert!((measured.cpu_ms() - 0.5).abs() < 1e-9);
    }
}
