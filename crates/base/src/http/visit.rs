//! The shared facts of one request.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::header::{HOST, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Version};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use ipnet::IpNet;

use super::page::{Cache, Chrome, html};
use super::{Refusal, Submit, SubmitFault, submit};
use crate::config::is_loopback_host;
use crate::house::House;
use crate::keys::Token;

/// Who asks, when, and of which house.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The house.
    pub house: Arc<House>,
    /// UTC milliseconds at the start of the request.
    pub now_ms: i64,
    /// The client's address, through trusted proxies.
    pub ip: IpAddr,
    /// Whether the built-in mailbox is open to this request.
    pub mailbox: bool,
    /// The path asked for.
    pub path: String,
}

impl Visit {
    /// The frame of a page with this title.
    #[must_use]
    pub fn chrome(&self, title: &str) -> Chrome {
        Chrome::new(&self.house, title, &self.path, self.mailbox)
    }

    /// A private page: not stored, not indexed, no referrer.
    ///
    /// # Errors
    /// If the template fails.
    pub fn show(&self, page: &impl askama::Template) -> Result<Response, Refusal> {
        html(StatusCode::OK, Cache::Private, page)
    }

    /// The same form again with its faults: 422.
    ///
    /// # Errors
    /// If the template fails.
    pub fn show_faults(&self, page: &impl askama::Template) -> Result<Response, Refusal> {
        html(StatusCode::UNPROCESSABLE_ENTITY, Cache::Private, page)
    }

    /// The same form again because the network's budget is used up: 429, with the seconds after which it may work.
    ///
    /// # Errors
    /// If the template fails.
    pub fn show_too_many(
        &self,
        page: &impl askama::Template,
        retry_after_s: u32,
    ) -> Result<Response, Refusal> {
        let mut response = html(StatusCode::TOO_MANY_REQUESTS, Cache::Private, page)?;
        response.headers_mut().insert(RETRY_AFTER, retry_after_s.into());
        Ok(response)
    }

    /// A fresh submit id for `form`.
    #[must_use]
    pub fn submit_id(&self, form: &str) -> String {
        submit::issue(&self.house.keys, &self.house.chance, form, self.now_ms)
    }

    /// The submit id for `form` shown again after it was turned down: the one that came with it, so that the person need not
    /// wait again and a second click on the mended form is one record; a fresh one if that is foreign or stale.
    #[must_use]
    pub fn submit_id_again(&self, form: &str, id: &str) -> String {
        match Submit::check(&self.house.keys, form, id, self.now_ms) {
            Ok(submit) => submit.id,
            Err(_) => self.submit_id(form),
        }
    }

    /// Checks the submit id that came with `form`, its time included unless budgets are off.
    ///
    /// # Errors
    /// Why it will not do.
    pub fn check_submit(&self, form: &str, id: &str) -> Result<Submit, SubmitFault> {
        let submit = Submit::check(&self.house.keys, form, id, self.now_ms)?;
        if self.house.budgets.on() {
            submit.check_time(self.now_ms)?;
        }
        Ok(submit)
    }

    /// Takes one from this network's budget.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] if it is used up.
    pub fn take_budget(&self) -> Result<(), Refusal> {
        self.house.budgets.take(self.ip, self.now_ms).map_err(|wait_ms| Refusal::TooMany {
            retry_after_s: u32::try_from(wait_ms / 1_000 + 1).unwrap_or(u32::MAX),
        })
    }

    /// Reads a link's token.
    ///
    /// # Errors
    /// [`Refusal::DeadLink`] if it cannot be one.
    pub fn token(&self, text: &str) -> Result<Token, Refusal> {
        Token::parse(text).ok_or(Refusal::DeadLink)
    }

    /// The client's address as the ledger keeps it: its network only.
    #[must_use]
    pub fn truncated_ip(&self) -> String {
        match self.ip.to_canonical() {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            IpAddr::V6(v6) => {
                format!("{}/48", std::net::Ipv6Addr::from(u128::from(v6) >> 80 << 80))
            }
        }
    }
}

/// A redirect after a successful POST.
#[must_use]
pub fn see_other(location: &str) -> Response {
    (StatusCode::SEE_OTHER, [(http::header::LOCATION, location)]).into_response()
}

impl<S> FromRequestParts<S> for Visit
where
    Arc<House>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let house = <Arc<House>>::from_ref(state);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip());
        let ip = client_ip(peer, &parts.headers, &house.trusted_proxies);
        let mailbox = house.mailbox && is_local(parts.version, &parts.headers);
        let path = parts.uri.path().to_owned();
        Ok(Self { now_ms: house.clock.now_ms(), ip, mailbox, path, house })
    }
}

/// Headers by which proxies, tunnels and content networks give themselves away, besides every `x-forwarded-…`.
const FORWARDED: [&str; 8] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-original-host",
    "x-original-forwarded-for",
    "true-client-ip",
    "cf-connecting-ip",
];

/// Whether the request came straight to this machine's own name: the only kind that may open the built-in mailbox. A proxy that
/// was given nothing but our address says our name and no more; it speaks HTTP/1.0, as no browser does.
#[must_use]
pub fn is_local(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let host = host.to_str().unwrap_or("");
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let is_forwarded = |name: &str| FORWARDED.contains(&name) || name.starts_with("x-forwarded-");
    version > Version::HTTP_10
        && is_loopback_host(name.map_or(host, |(name, _)| name))
        && !headers.keys().any(|name| is_forwarded(name.as_str()))
}

/// The last address in `X-Forwarded-For` that is not a trusted proxy, if the peer is one.
fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|range| range.contains(&ip.to_canonical()));
    if !is_trusted(&peer) {
        return peer;
    }
    let hops = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok());
    let hops: Vec<&str> = hops.flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut client = peer;
    for hop in hops.iter().rev() {
        let Some(ip) = hop_ip(hop) else { break };
        client = ip;
        if !is_trusted(&ip) {
            break;
        }
    }
    client
}

/// The address of a hop; some proxies write the port too.
fn hop_ip(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| hop.parse().ok().map(|socket: SocketAddr| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect()
    }

    #[test]
    fn forwarded_addresses_count_only_through_a_trusted_proxy() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let xff = headers(&[("x-forwarded-for", "203.0.113.9, 198.51.100.7, 10.0.0.2")]);
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let stranger: IpAddr = "198.51.100.1".parse().unwrap();
        assert_eq!(client_ip(proxy, &xff, &trusted).to_string(), "198.51.100.7");
        assert_eq!(client_ip(stranger, &xff, &trusted), stranger);
        assert_eq!(client_ip(proxy, &headers(&[("x-forwarded-for", "nonsense")]), &trusted), proxy);
        for (hop, ip) in [
            ("198.51.100.7:4711", "198.51.100.7"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
        ] {
            let xff = headers(&[("x-forwarded-for", hop)]);
            assert_eq!(client_ip(proxy, &xff, &trusted).to_string(), ip);
        }
    }

    #[test]
    fn only_this_machine_itself_may_open_the_mailbox() {
        let is_local = |pairs: &[(&'static str, &str)]| is_local(Version::HTTP_11, &headers(pairs));
        for host in ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "127.0.0.2"] {
            assert!(is_local(&[("host", host)]), "{host}");
        }
        for host in [
            "www.example.org",
            "",
            "127.0.0.1.evil.example",
            "evil@127.0.0.1",
            "127.1",
            "0.0.0.0",
            "localhost.",
            "127.0.0.1:1:2",
        ] {
            assert!(!is_local(&[("host", host)]), "{host}");
        }
        assert!(!is_local(&[]));
        for name in ["x-forwarded-for", "x-forwarded-proto", "forwarded", "cf-connecting-ip"] {
            assert!(!is_local(&[("host", "127.0.0.1"), (name, "203.0.113.9")]), "{name}");
        }
        let mut two = headers(&[("host", "127.0.0.1")]);
        two.append(HOST, "www.example.org".parse().unwrap());
        assert!(!super::is_local(Version::HTTP_11, &two));
        let proxied = headers(&[("host", "127.0.0.1:8080")]);
        assert!(!super::is_local(Version::HTTP_10, &proxied), "a proxy's default");
    }
}
