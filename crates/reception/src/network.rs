//! Networks of clients, as in `[relay] networks`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3): `127.0.0.0/8`, `::1/128`,
/// or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

/// The text is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseNetworkError {
    /// The part before the slash is no address.
    #[error("`{0}` is no network; write an address and a prefix length, like `192.0.2.0/24`")]
    Address(String),
    /// The part after the slash is no prefix length for such an address.
    #[error("`{text}` needs a prefix length from 0 to {most}")]
    Prefix {
        /// What was written.
        text: String,
        /// The greatest length for this kind of address.
        most: u8,
    },
    /// Bits beyond the prefix are set: probably a typing error, and it would let in others than meant.
    #[error("`{text}` has bits set beyond its prefix; the network is `{network}`")]
    HostBits {
        /// What was written.
        text: String,
        /// The network that contains it.
        network: Network,
    },
}

impl Network {
    /// The addresses by which a machine reaches itself.
    #[must_use]
    pub fn loopback() -> Vec<Network> {
        let network = |base: IpAddr, prefix| Network { base, prefix };
        vec![
            network(Ipv4Addr::new(127, 0, 0, 0).into(), 8),
            network(Ipv6Addr::LOCALHOST.into(), 128),
        ]
    }

    /// The network of this prefix length that contains the address; `None` if it has not so many bits.
    #[must_use]
    pub fn containing(address: IpAddr, prefix: u8) -> Option<Network> {
        let base = masked(address, prefix)?;
        Some(Network { base, prefix })
    }

    /// Whether the address lies in the network. An IPv4 address mapped into IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        masked(address.to_canonical(), self.prefix) == Some(self.base)
            && self.base.is_ipv4() == address.to_canonical().is_ipv4()
    }
}

/// The address with all bits after the first `prefix` cleared; `None` if it has not so many.
fn masked(address: IpAddr, prefix: u8) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => {
            let drop = 32_u32.checked_sub(u32::from(prefix))?;
            let mask = u32::MAX.checked_shl(drop).unwrap_or(0);
            Some(IpAddr::V4((v4.to_bits() & mask).into()))
        }
        IpAddr::V6(v6) => {
            let drop = 128_u32.checked_sub(u32::from(prefix))?;
            let mask = u128::MAX.checked_shl(drop).unwrap_or(0);
            Some(IpAddr::V6((v6.to_bits() & mask).into()))
        }
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address
            .parse()
            .map_err(|_| ParseNetworkError::Address(text.to_owned()))?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => most,
            Some(digits) => Some(digits)
                .filter(|d| d.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|d| d.parse().ok())
                .filter(|p| *p <= most)
                .ok_or_else(|| ParseNetworkError::Prefix {
                    text: text.to_owned(),
                    most,
                })?,
        };
        let base = masked(address, prefix).unwrap_or(address);
        let network = Network { base, prefix };
        if base == address {
            Ok(network)
        } else {
            Err(ParseNetworkError::HostBits {
                text: text.to_owned(),
                network,
            })
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_own_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("127.0.0.0/8", "127.255.0.1", "128.0.0.1"),
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("::1/128", "::1", "::2"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
            ("127.0.0.0/8", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
        ] {
            let net: Network = network.parse().unwrap();
            assert!(net.contains(inside.parse().unwrap()), "{inside} in {net}");
            assert!(
                !net.contains(outside.parse().unwrap()),
                "{outside} in {net}"
            );
        }
    }

    #[test]
    fn text_that_is_no_network_is_refused_with_what_is_expected() {
        for (text, says) in [
            ("example.org", "like `192.0.2.0/24`"),
            ("", "like `192.0.2.0/24`"),
            ("10.0.0.0/33", "from 0 to 32"),
            ("10.0.0.0/", "from 0 to 32"),
            ("10.0.0.0/+8", "from 0 to 32"),
            ("::/129", "from 0 to 128"),
            ("10.1.2.3/8", "the network is `10.0.0.0/8`"),
        ] {
            let error = text.parse::<Network>().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
