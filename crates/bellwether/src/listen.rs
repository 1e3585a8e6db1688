//! The front door: connections are taken in, limited in number and time, and let go.
//!
//! A client that sends its request a byte at a time, reads no answer, or opens connections without end holds a place, not the
//! server: heads must come in time, a connection has a longest life, one network has only so many places, and all
//! together fit into the files that the system lets a process open.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use base::http::network;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Files that are not connections: records, log, listeners, the mail server.
const OTHER_FILES: u64 = 128;
/// Bytes of the longest head of a request; what a connection holds of what its client has sent, too.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// How long to wait when the system has no place for one more connection.
const FULL_PAUSE: Duration = Duration::from_millis(500);

/// How many connections there may be, and how long each step of one may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: u32,
    /// Connections at once from one network: an IPv4 address or an IPv6 /64. A classroom is one.
    pub of_network: u32,
    /// From the first byte, or from the answer before, to the whole head of a request.
    pub head: Duration,
    /// From a connection's beginning to the end of its last request but one.
    pub life: Duration,
    /// For the request under way when a connection's life, or the program's, is over.
    pub last_request: Duration,
    /// Networks of which no number is counted, because many people come through them.
    pub shared: Vec<IpNet>,
}

impl Limits {
    /// The limits of a server behind these proxies, if it may open `files` files at once.
    #[must_use]
    pub fn new(files: u64, shared: Vec<IpNet>) -> Self {
        let connections = u32::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(u32::MAX);
        let connections = connections.clamp(64, 10_000);
        Self {
            connections,
            of_network: connections / 2,
            head: Duration::from_secs(30),
            life: Duration::from_secs(600),
            last_request: Duration::from_secs(60),
            shared,
        }
    }
}

/// How many connections each network has open.
#[derive(Clone, Debug, Default)]
struct Places(Arc<Mutex<HashMap<IpAddr, u32>>>);

/// A network's place, given back when it goes.
struct Place {
    places: Places,
    of: IpAddr,
}

impl Places {
    fn take(&self, of: IpAddr, n_max: u32) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let n_open = open.entry(of).or_insert(0);
        if *n_open >= n_max {
            return None;
        }
        *n_open += 1;
        Some(Place { places: self.clone(), of })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n_open) = open.get_mut(&self.of) {
            *n_open -= 1;
            if *n_open == 0 {
                open.remove(&self.of);
            }
        }
    }
}

/// Takes in connections and answers their requests until told to stop; then waits for the requests under way.
pub async fn listen<A, F>(
    listener: TcpListener,
    limits: Limits,
    answer: A,
    mut stopping: watch::Receiver<bool>,
) where
    A: Fn(Request) -> F + Clone + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(limits.connections as usize));
    let places = Places::default();
    loop {
        let next = next(&listener, &slots);
        let (stream, peer, slot) = tokio::select! {
            next = next => next,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let ip = peer.ip().to_canonical();
        let is_shared = ip.is_loopback() || limits.shared.iter().any(|range| range.contains(&ip));
        let n_max = if is_shared { u32::MAX } else { limits.of_network };
        let Some(place) = places.take(network(ip), n_max) else { continue };
        let connection = converse(stream, peer, limits.clone(), answer.clone(), stopping.clone());
        tokio::spawn(async move {
            connection.await;
            drop((place, slot));
        });
    }
    drop(listener);
    let _ = slots.acquire_many(limits.connections).await;
}

/// The next connection, once there is a place for it.
async fn next(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    loop {
        // The semaphore is never closed.
        let Ok(slot) = Arc::clone(slots).acquire_owned().await else { continue };
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, slot),
            Err(e) if is_of_client(&e) => {}
            Err(e) => {
                tracing::warn!("No connection can be taken in for the moment: {e}");
                tokio::time::sleep(FULL_PAUSE).await;
            }
        }
    }
}

/// Whether it was the client who went away before it was taken in.
fn is_of_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// One connection from beginning to end.
async fn converse<A, F>(
    stream: TcpStream,
    peer: SocketAddr,
    limits: Limits,
    answer: A,
    mut stopping: watch::Receiver<bool>,
) where
    A: Fn(Request) -> F + Clone + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answered = answer(request);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let is_over = tokio::select! {
        // What went wrong with it is the client's affair.
        _ = connection.as_mut() => true,
        _ = stopping.wait_for(|stop| *stop) => false,
        () = tokio::time::sleep(limits.life) => false,
    };
    if !is_over {
        connection.as_mut().graceful_shutdown();
        let _ = tokio::time::timeout(limits.last_request, connection).await;
    }
}

#[cfg(test)]
mod tests;
