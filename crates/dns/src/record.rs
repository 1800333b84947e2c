//! Questions for one kind of record, and what comes back: for those who look, not only deliver.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Mx, Tlsa};

/// A kind of record (RFC 1035 §3.2.2, RFC 3596, RFC 6698).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKind {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Alias.
    Cname,
    /// Mail exchanger.
    Mx,
    /// Name server.
    Ns,
    /// Name of an address.
    Ptr,
    /// Start of a zone.
    Soa,
    /// Certificate of a server (RFC 6698).
    Tlsa,
    /// Text.
    Txt,
}

impl RecordKind {
    /// As in a zone file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            RecordKind::A => "A",
            RecordKind::Aaaa => "AAAA",
            RecordKind::Cname => "CNAME",
            RecordKind::Mx => "MX",
            RecordKind::Ns => "NS",
            RecordKind::Ptr => "PTR",
            RecordKind::Soa => "SOA",
            RecordKind::Tlsa => "TLSA",
            RecordKind::Txt => "TXT",
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A record: aliases on the way to the answer are records of the answer too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its owner, in lower case without the final dot.
    pub name: String,
    /// What it says.
    pub data: RecordData,
}

/// What a record says. Names are in lower case without the final dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordData {
    /// IPv4 address.
    A(Ipv4Addr),
    /// IPv6 address.
    Aaaa(Ipv6Addr),
    /// Alias.
    Cname(String),
    /// Mail exchanger.
    Mx(Mx),
    /// Name server.
    Ns(String),
    /// Name of an address.
    Ptr(String),
    /// Start of a zone: its first server and its keeper.
    Soa {
        /// The first server.
        server: String,
        /// The keeper's mailbox, as a name.
        contact: String,
    },
    /// Certificate of a server.
    Tlsa(Tlsa),
    /// Text: the strings of the record joined without a space (RFC 7208 §3.3), decoded lossily.
    Txt(String),
}

impl RecordData {
    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        match self {
            RecordData::A(_) => RecordKind::A,
            RecordData::Aaaa(_) => RecordKind::Aaaa,
            RecordData::Cname(_) => RecordKind::Cname,
            RecordData::Mx(_) => RecordKind::Mx,
            RecordData::Ns(_) => RecordKind::Ns,
            RecordData::Ptr(_) => RecordKind::Ptr,
            RecordData::Soa { .. } => RecordKind::Soa,
            RecordData::Tlsa(_) => RecordKind::Tlsa,
            RecordData::Txt(_) => RecordKind::Txt,
        }
    }

    /// The address, of either family.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self {
            RecordData::A(address) => Some(IpAddr::V4(*address)),
            RecordData::Aaaa(address) => Some(IpAddr::V6(*address)),
            _ => None,
        }
    }
}

impl fmt::Display for RecordData {
    /// As in a zone file, names without the final dot.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordData::A(address) => address.fmt(f),
            RecordData::Aaaa(address) => address.fmt(f),
            RecordData::Cname(name) | RecordData::Ns(name) | RecordData::Ptr(name) => {
                f.write_str(name)
            }
            RecordData::Mx(mx) if mx.is_null() => write!(f, "{} .", mx.preference),
            RecordData::Mx(mx) => write!(f, "{} {}", mx.preference, mx.exchange),
            RecordData::Soa { server, contact } => write!(f, "{server} {contact}"),
            RecordData::Tlsa(tlsa) => tlsa.fmt(f),
            RecordData::Txt(text) => write!(f, "\"{text}\""),
        }
    }
}

/// How a question stayed without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unanswered {
    /// The server said that it failed (SERVFAIL): mostly the domain's own servers are down or broken.
    ServerFailure,
    /// The server will not answer us (REFUSED).
    Refused,
    /// Nothing came back in time.
    TimedOut,
    /// The server cannot be reached.
    Unreachable,
    /// Something else that is no answer.
    Other,
}

/// Why a question for records has no records for an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The name does not exist (NXDOMAIN).
    #[error("the name does not exist")]
    NoSuchName,
    /// The name cannot be asked for.
    #[error("this is no domain name: {reported}")]
    NotAName {
        /// What is wrong with it.
        reported: String,
    },
    /// There is no answer now.
    #[error("no answer: {reported}")]
    Unanswered {
        /// In which way.
        how: Unanswered,
        /// What the resolver reported.
        reported: String,
    },
}

/// The name under which an address is looked up in reverse (RFC 1035 §3.5, RFC 3596 §2.5), or in a
/// block list with another end than `in-addr.arpa` or `ip6.arpa` (RFC 5782 §2.1, §2.4).
#[must_use]
pub fn reversed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}")
        }
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev();
            let pairs = nibbles.map(|byte| format!("{:x}.{:x}", byte & 15, byte >> 4));
            pairs.collect::<Vec<_>>().join(".")
        }
    }
}

/// The name that has the PTR records of an address.
#[must_use]
pub fn reverse_name(address: IpAddr) -> String {
    let end = match address {
        IpAddr::V4(_) => "in-addr.arpa",
        IpAddr::V6(_) => "ip6.arpa",
    };
    format!("{}.{end}", reversed(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_turned_round_for_the_dns() {
        let name = |text: &str| reverse_name(text.parse().unwrap());
        assert_eq!(name("192.0.2.99"), "99.2.0.192.in-addr.arpa");
        assert_eq!(
            name("2001:db8:1:2:3:4:567:89ab"),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }
}
