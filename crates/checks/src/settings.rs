//! What is checked with, and how much of it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use queue::route::Routes;

/// What a [`Checker`](crate::Checker) goes by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name by which we introduce ourselves.
    pub hostname: String,
    /// Where mail goes.
    pub routes: Arc<Routes>,
    /// The port of mail exchangers found in the DNS.
    pub smtp_port: u16,
    /// How long to wait for a connection to one address.
    pub connect_timeout: Duration,
    /// How long to wait for a reply.
    pub reply_timeout: Duration,
    /// How long one check may take in all.
    pub budget: Duration,
    /// Servers' addresses that are connected to, at most.
    pub max_addresses: usize,
    /// Our addresses as the world sees them; none: as this machine sees them.
    pub our_addresses: Vec<IpAddr>,
    /// The block lists to ask.
    pub block_lists: Vec<BlockList>,
    /// How long findings are good for those who ask again.
    pub keep: Duration,
    /// Checks a minute that touch the network, at most, for callers other than a person.
    pub per_minute: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            hostname: "localhost".to_owned(),
            routes: Arc::new(Routes::default()),
            smtp_port: 25,
            connect_timeout: Duration::from_secs(10),
            reply_timeout: Duration::from_secs(30),
            budget: Duration::from_secs(60),
            max_addresses: 10,
            our_addresses: Vec::new(),
            block_lists: Vec::new(),
            keep: Duration::from_secs(300),
            per_minute: 60,
        }
    }
}

/// A block list in the DNS (RFC 5782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockList {
    /// The name under which it is asked.
    pub zone: String,
    /// What it lists.
    pub of: Listed,
}

/// What a block list lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Addresses.
    Addresses,
    /// Domains.
    Domains,
}

/// Whether an address can be reached from everywhere (RFC 6890). The networks for documentation count:
/// nobody has them, and examples need some.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xC0 == 64;
            let this = v4.octets()[0] == 0 || v4 == Ipv4Addr::BROADCAST;
            !(v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_multicast()
                || shared
                || this)
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public(IpAddr::V4(v4)),
            None => {
                let first = v6.segments()[0];
                let local = first & 0xFE00 == 0xFC00 || first & 0xFFC0 == 0xFE80;
                !(v6.is_loopback() || v6.is_unspecified() || v6.is_multicast() || local)
            }
        },
    }
}
