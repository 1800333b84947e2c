//! How many connections there may be.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::Network;

/// Counts the open connections: in all, of each client, and of each network of clients.
#[derive(Debug)]
pub(crate) struct Limits {
    most: usize,
    most_per_client: usize,
    most_per_network: usize,
    uncounted: Vec<Network>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by: HashMap<Network, usize>,
}

/// Why a connection is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooMany {
    /// All together.
    Connections(usize),
    /// Of this client.
    FromClient(Network, usize),
    /// Of the network around this client.
    FromNetwork(Network, usize),
}

/// The right to one connection; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limits: Arc<Limits>,
    counted: Option<Counted>,
}

/// As what a client is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) client: Network,
    pub(crate) network: Network,
}

impl Counted {
    /// One address of IPv4 is a client. A /64 is what one client of IPv6 usually has (RFC 6177 §2), and
    /// /24 and /48 are the smallest networks that are routed, so that one owner has them.
    pub(crate) fn of(address: IpAddr) -> Option<Counted> {
        let address = address.to_canonical();
        let (client, network) = if address.is_ipv4() {
            (32, 24)
        } else {
            (64, 48)
        };
        Some(Counted {
            client: Network::containing(address, client)?,
            network: Network::containing(address, network)?,
        })
    }
}

impl Limits {
    pub(crate) fn new(settings: &crate::Settings) -> Arc<Limits> {
        Arc::new(Limits {
            most: settings.max_connections,
            most_per_client: settings.max_connections_per_client,
            most_per_network: settings.max_connections_per_network,
            uncounted: settings.uncounted.clone(),
            open: Mutex::default(),
        })
    }

    /// As what a client is counted; `None`: not at all, as are the programs of this machine, which
    /// share its address.
    pub(crate) fn counted(&self, client: IpAddr) -> Option<Counted> {
        let free = self.uncounted.iter().any(|n| n.contains(client));
        Counted::of(client).filter(|_| !free)
    }

    /// Asks for a connection.
    pub(crate) fn admit(self: &Arc<Self>, client: IpAddr) -> Result<Permit, TooMany> {
        let counted = self.counted(client);
        let mut open = self.open.lock();
        if open.all >= self.most {
            return Err(TooMany::Connections(self.most));
        }
        if let Some(Counted { client, network }) = counted {
            let count = |of| open.by.get(&of).copied().unwrap_or(0);
            if count(client) >= self.most_per_client {
                return Err(TooMany::FromClient(client, self.most_per_client));
            }
            if count(network) >= self.most_per_network {
                return Err(TooMany::FromNetwork(network, self.most_per_network));
            }
            *open.by.entry(client).or_default() += 1;
            *open.by.entry(network).or_default() += 1;
        }
        open.all += 1;
        Ok(Permit {
            limits: Arc::clone(self),
            counted,
        })
    }
}

impl Open {
    fn give_back(&mut self, of: Network) {
        if let Some(count) = self.by.get_mut(&of) {
            *count -= 1;
            if *count == 0 {
                self.by.remove(&of);
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.limits.open.lock();
        open.all -= 1;
        if let Some(Counted { client, network }) = self.counted {
            open.give_back(client);
            open.give_back(network);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn limits(all: usize, client: usize, network: usize) -> Arc<Limits> {
        Limits::new(&Settings {
            max_connections: all,
            max_connections_per_client: client,
            max_connections_per_network: network,
            ..Settings::default()
        })
    }

    #[test]
    fn a_client_has_its_limit_and_others_are_not_touched_by_it() {
        let limits = limits(5, 2, 5);
        let (a, b) = (ip("192.0.2.1"), ip("192.0.2.2"));
        let first = limits.admit(a).unwrap();
        let _second = limits.admit(a).unwrap();
        assert!(matches!(
            limits.admit(a).unwrap_err(),
            TooMany::FromClient(_, 2)
        ));
        let _other = limits.admit(b).unwrap();
        drop(first);
        let _again = limits.admit(a).unwrap();
    }

    #[test]
    fn a_network_has_its_limit_however_many_its_clients_are() {
        let limits = limits(9, 2, 3);
        let _three: Vec<_> = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
            .map(|client| limits.admit(ip(client)).unwrap())
            .into();
        let refused = limits.admit(ip("192.0.2.4")).unwrap_err();
        let network = "192.0.2.0/24".parse().unwrap();
        assert_eq!(refused, TooMany::FromNetwork(network, 3));
        let _elsewhere = limits.admit(ip("192.0.3.4")).unwrap();
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together_and_loopback_not_at_all() {
        let limits = limits(5, 1, 9);
        let _one = limits.admit(ip("2001:db8:1:2::1")).unwrap();
        assert!(matches!(
            limits.admit(ip("2001:db8:1:2:ffff::9")).unwrap_err(),
            TooMany::FromClient(_, 1)
        ));
        let _next = limits.admit(ip("2001:db8:1:3::1")).unwrap();
        let _local: Vec<_> = (0..3)
            .map(|_| limits.admit(ip("127.0.0.1")).unwrap())
            .collect();
        assert_eq!(
            limits.admit(ip("::1")).unwrap_err(),
            TooMany::Connections(5)
        );
    }

    #[test]
    fn what_is_given_back_leaves_nothing_behind() {
        let limits = limits(5, 5, 5);
        drop([
            limits.admit(ip("192.0.2.1")).unwrap(),
            limits.admit(ip("::1")).unwrap(),
        ]);
        let open = limits.open.lock();
        assert_eq!((open.all, open.by.len()), (0, 0));
    }
}
