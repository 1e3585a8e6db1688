//! Budgets against abuse: how many sign-ups one network, and the whole instance, may make in an hour.
//!
//! Counted in this process; with several nodes each has its own budget. A network is an IPv4 address or an IPv6 /64: a
//! classroom is one address, so the default leaves room for one. Network addresses are forgotten within two hours, and those of
//! inboxes, known by a keyed hash, within two days.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use crate::clock::{DAY_MS, HOUR_MS};

/// Acknowledged forms an hour from one network.
pub const PER_NETWORK_HOURLY_MAX: u32 = 100;
/// Acknowledged forms an hour on this node.
pub const PER_INSTANCE_HOURLY_MAX: u32 = 2_000;
/// Mails a day that anybody can ask for, to one inbox by whatever spelling: as many as every kind together allows one address.
pub const PER_INBOX_DAILY_MAX: u32 = 12;
/// Networks remembered at once; beyond that the oldest hour is forgotten.
const NETWORKS_MAX: usize = 100_000;

/// The counts of the present hour, shared by every copy.
#[derive(Clone, Debug)]
pub struct Budgets {
    on: bool,
    counts: Arc<Mutex<Counts>>,
    letters: Arc<Mutex<Letters>>,
}

/// Mails of the present day, by the keyed hash of the inbox.
#[derive(Debug, Default)]
struct Letters {
    since_ms: i64,
    inboxes: HashMap<String, u32>,
}

#[derive(Debug, Default)]
struct Counts {
    since_ms: i64,
    instance: u32,
    networks: HashMap<IpAddr, u32>,
}

impl Budgets {
    /// Budgets that hold, or (`on` false) never refuse.
    #[must_use]
    pub fn new(on: bool) -> Self {
        Self { on, counts: Arc::default(), letters: Arc::default() }
    }

    /// Whether budgets and the minimum time of a form hold.
    #[must_use]
    pub fn on(&self) -> bool {
        self.on
    }

    /// Takes one from the budgets of `ip` and of the instance.
    ///
    /// # Errors
    /// The milliseconds until the next hour begins, if a budget is used up.
    pub fn take(&self, ip: IpAddr, now_ms: i64) -> Result<(), i64> {
        if !self.on {
            return Ok(());
        }
        let mut counts = self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if now_ms - counts.since_ms >= HOUR_MS || counts.networks.len() >= NETWORKS_MAX {
            *counts = Counts { since_ms: now_ms, ..Counts::default() };
        }
        let wait_ms = counts.since_ms + HOUR_MS - now_ms;
        if counts.instance >= PER_INSTANCE_HOURLY_MAX {
            return Err(wait_ms);
        }
        let of_network = counts.networks.entry(network(ip)).or_insert(0);
        if *of_network >= PER_NETWORK_HOURLY_MAX {
            return Err(wait_ms);
        }
        *of_network += 1;
        counts.instance += 1;
        Ok(())
    }

    /// Takes one of the mails that an inbox, known by the keyed hash of [`crate::address::inbox`], may be sent today because
    /// somebody asked; false if they are used up.
    #[must_use]
    pub fn take_letter(&self, inbox: String, now_ms: i64) -> bool {
        let mut letters = self.letters.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if now_ms - letters.since_ms >= DAY_MS || letters.inboxes.len() >= NETWORKS_MAX {
            *letters = Letters { since_ms: now_ms, ..Letters::default() };
        }
        let n_sent = letters.inboxes.entry(inbox).or_insert(0);
        *n_sent += 1;
        *n_sent <= PER_INBOX_DAILY_MAX
    }

    /// Forgets hours and days that are over. Harmless to run twice.
    pub fn forget_old(&self, now_ms: i64) {
        let mut counts = self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if now_ms - counts.since_ms >= HOUR_MS {
            *counts = Counts::default();
        }
        drop(counts);
        let mut letters = self.letters.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if now_ms - letters.since_ms >= DAY_MS {
            *letters = Letters::default();
        }
    }
}

/// An IPv4 address itself, or the first 64 bits of an IPv6 address.
#[must_use]
pub fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_hourly_budget_and_another_its_own() {
        let budgets = Budgets::new(true);
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let neighbour: IpAddr = "2001:db8::2".parse().unwrap();
        let other: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..PER_NETWORK_HOURLY_MAX {
            budgets.take(one, HOUR_MS).unwrap();
        }
        assert_eq!(
            budgets.take(neighbour, HOUR_MS + 5),
            Err(HOUR_MS - 5),
            "one /64 is one network"
        );
        budgets.take(other, HOUR_MS).unwrap();
        budgets.take(one, 2 * HOUR_MS).unwrap();
        Budgets::new(false).take(one, 0).unwrap();
    }
}
