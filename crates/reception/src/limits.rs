//! How many connections there may be.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// Counts the open connections, in all and of each client.
#[derive(Debug)]
pub(crate) struct Limits {
    most: usize,
    most_per_client: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    clients: HashMap<IpAddr, usize>,
}

/// Why a connection is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooMany {
    /// All together.
    Connections(usize),
    /// Of this client.
    FromClient(usize),
}

/// The right to one connection; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limits: Arc<Limits>,
    client: Option<IpAddr>,
}

impl Limits {
    pub(crate) fn new(most: usize, most_per_client: usize) -> Arc<Limits> {
        Arc::new(Limits {
            most,
            most_per_client,
            open: Mutex::default(),
        })
    }

    /// Asks for a connection.
    pub(crate) fn admit(self: &Arc<Self>, client: IpAddr) -> Result<Permit, TooMany> {
        let client = counted_as(client);
        let mut open = self.open.lock();
        if open.all >= self.most {
            return Err(TooMany::Connections(self.most));
        }
        if let Some(client) = client {
            let of_client = open.clients.entry(client).or_default();
            if *of_client >= self.most_per_client {
                return Err(TooMany::FromClient(self.most_per_client));
            }
            *of_client += 1;
        }
        open.all += 1;
        Ok(Permit {
            limits: Arc::clone(self),
            client,
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.limits.open.lock();
        open.all -= 1;
        if let Some(client) = self.client
            && let Some(of_client) = open.clients.get_mut(&client)
        {
            *of_client -= 1;
            if *of_client == 0 {
                open.clients.remove(&client);
            }
        }
    }
}

/// Programs on this machine share its address and are not counted; a /64 is what one client of IPv6
/// usually has (RFC 6177 §2).
fn counted_as(client: IpAddr) -> Option<IpAddr> {
    match client.to_canonical() {
        local if local.is_loopback() => None,
        IpAddr::V6(v6) => Some(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into()),
        v4 => Some(v4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_has_its_limit_and_others_are_not_touched_by_it() {
        let limits = Limits::new(5, 2);
        let (a, _b) = (ip("192.0.2.1"), ip("192.0.2.2"));
        let first = limits.admit(a).unwrap();
        let _second = limits.admit(a).unwrap();
        assert_eq!(limits.admit(a).unwrap_err(), TooMany::FromClient(2));
        let _other = limits.admit(_b).unwrap();
        drop(first);
        let _again = limits.admit(a).unwrap();
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together_and_loopback_not_at_all() {
        let limits = Limits::new(5, 1);
        let _one = limits.admit(ip("2001:db8:1:2::1")).unwrap();
        assert_eq!(
            limits.admit(ip("2001:db8:1:2:ffff::9")).unwrap_err(),
            TooMany::FromClient(1)
        );
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
        let limits = Limits::new(5, 5);
        drop([
            limits.admit(ip("192.0.2.1")).unwrap(),
            limits.admit(ip("::1")).unwrap(),
        ]);
        let open = limits.open.lock();
        assert_eq!((open.all, open.clients.len()), (0, 0));
    }
}
