//! What is checked with, and how much of it.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use queue::route::{NextHop, Routes, Target};
use tls::Connector;

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
    /// Who tells the policies of domains by MTA-STS (RFC 8461); `None`: nobody is asked.
    pub mta_sts: Option<Arc<dyn mta_sts::Policies>>,
    /// Whether the relay holds servers to what the signed DNS says of them (RFC 7672).
    pub dane: bool,
    /// Our addresses as the world sees them; none: as this machine sees them.
    pub our_addresses: Vec<IpAddr>,
    /// The block lists to ask.
    pub block_lists: Vec<BlockList>,
    /// How long findings are good for those who ask again.
    pub keep: Duration,
    /// What encryption is tried with; `None`: it is not tried.
    pub connector: Option<Connector>,
    /// What our configuration demands of connections.
    pub demands: Demands,
    /// The domains that are ours, in lower case.
    pub own_domains: BTreeSet<String>,
    /// The names of our own filters.
    pub own_filters: Vec<String>,
    /// Where we listen.
    pub own_listeners: Vec<OwnListener>,
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
            mta_sts: None,
            dane: true,
            our_addresses: Vec::new(),
            block_lists: Vec::new(),
            keep: Duration::from_secs(300),
            per_minute: 60,
            connector: None,
            demands: Demands::default(),
            own_domains: BTreeSet::new(),
            own_filters: Vec::new(),
            own_listeners: Vec::new(),
        }
    }
}

/// How secure a connection must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Demand {
    /// Encrypted if it can be.
    #[default]
    Nothing,
    /// Encrypted, with whomever.
    Encryption,
    /// Encrypted, and the server shows who it is.
    Certificate,
}

/// What is demanded of connections.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// Where nothing else is said.
    pub usual: Demand,
    /// Nothing is encrypted where nothing else is said.
    pub off: bool,
    /// By the domain of the recipients, or the host of a route, in lower case.
    pub by_domain: HashMap<String, Demand>,
}

impl Demands {
    /// By what name `by_domain` knows it; `None`: it is on this machine.
    pub(crate) fn name(&self, target: &Target) -> Option<String> {
        let name = match target {
            Target::Domain(domain) => domain,
            Target::Hop(NextHop::Smtps(to) | NextHop::Smtp(to) | NextHop::Lmtp(to)) => &to.host,
            Target::Hop(_) | Target::Bounces | Target::Nowhere => return None,
        };
        Some(name.to_lowercase())
    }

    /// Whether our configuration goes before what is published.
    pub(crate) fn is_ours(&self, target: &Target) -> bool {
        let said = |name: String| self.by_domain.contains_key(&name);
        self.name(target).is_some_and(said) || (self.off && !is_implicit(target))
    }

    pub(crate) fn of(&self, target: &Target) -> Demand {
        let Some(name) = self.name(target) else {
            return Demand::Nothing;
        };
        match self.by_domain.get(&name).copied().unwrap_or(self.usual) {
            Demand::Nothing if is_implicit(target) => Demand::Encryption,
            demand => demand,
        }
    }
}

fn is_implicit(target: &Target) -> bool {
    matches!(target, Target::Hop(NextHop::Smtps(_)))
}

/// A place where we listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnListener {
    /// Where.
    pub address: SocketAddr,
    /// TLS begins with the first byte.
    pub implicit: bool,
    /// Other servers come there, by the names of the MX records; else our users, by our own name.
    pub for_servers: bool,
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
