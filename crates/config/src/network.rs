//! Networks of clients.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// Its first address.
    pub address: IpAddr,
    /// How many leading bits its addresses share.
    pub prefix: u8,
}

/// Why a text is no network.
pub(crate) enum NotANetwork {
    Address,
    Prefix(u8),
    /// Bits are set beyond the prefix; the network that was probably meant.
    HostBits(Network),
}

impl Network {
    /// The addresses by which a machine reaches itself.
    #[must_use]
    pub fn loopback() -> Vec<Network> {
        let network = |address: IpAddr, prefix| Network { address, prefix };
        vec![
            network(Ipv4Addr::new(127, 0, 0, 0).into(), 8),
            network(Ipv6Addr::LOCALHOST.into(), 128),
        ]
    }

    pub(crate) fn read(text: &str) -> Result<Network, NotANetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork::Address)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(text) => text.parse().ok().filter(|p| *p <= most),
            None => Some(most),
        };
        let prefix = prefix.ok_or(NotANetwork::Prefix(most))?;
        let network = Network {
            address: first(address, prefix),
            prefix,
        };
        if network.address == address {
            Ok(network)
        } else {
            Err(NotANetwork::HostBits(network))
        }
    }
}

/// The address with all bits after the first `prefix` cleared.
fn first(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX
                .checked_shl(32 - u32::from(prefix.min(32)))
                .unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX
                .checked_shl(128 - u32::from(prefix.min(128)))
                .unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}
