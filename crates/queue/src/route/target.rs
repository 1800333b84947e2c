//! What a route comes to for an address, and its key.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::DestinationKey;

use super::{NextHop, ParseNextHopError};

/// A destination key, taken apart: what `delivery` acts on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The mail exchangers of this domain.
    Domain(String),
    /// A configured next hop.
    Hop(NextHop),
    /// Ourselves: it is a report that comes back, and is read here. No route can say so.
    Bounces,
    /// The address has no domain and no route takes it, or its route is `none`.
    Nowhere,
}

const DOMAIN_PREFIX: &str = "mx:";
const NOWHERE: &str = "nowhere";
const BOUNCES: &str = "bounces";
/// Between what a key leads to and the name of the route. The programs of `pipe:` may have it in their
/// arguments: only a space may not follow.
const NAME_MARK: char = '#';
/// At the end of the key of a lane on which what domains demand of TLS keeps no mail back.
const TLS_OPTIONAL: &str = "!tls-optional";

impl DestinationKey {
    /// The lane beside this one, to the same mail exchangers, on which what their domain demands of TLS
    /// keeps no mail back: for reports on TLS (RFC 8460 §5.3). Where a next hop is configured, no domain
    /// demands anything, and there is no other lane.
    #[must_use]
    pub fn tls_optional(&self) -> DestinationKey {
        let text = self.as_str();
        match text.starts_with(DOMAIN_PREFIX) && !self.is_tls_optional() {
            true => DestinationKey::new(&format!("{text}{TLS_OPTIONAL}")),
            false => self.clone(),
        }
    }

    /// Whether it is such a lane.
    #[must_use]
    pub fn is_tls_optional(&self) -> bool {
        strict(self.as_str()) != self.as_str()
    }
}

/// The key of the lane on which all holds.
fn strict(key: &str) -> &str {
    let optional = key.strip_suffix(TLS_OPTIONAL);
    optional
        .filter(|key| key.starts_with(DOMAIN_PREFIX))
        .unwrap_or(key)
}

impl Target {
    /// The key of this target, by a route without a name.
    #[must_use]
    pub fn key(&self) -> DestinationKey {
        self.key_by(None)
    }

    /// The key of this target by the route of that name: another lane than the same target by another.
    #[must_use]
    pub fn key_by(&self, name: Option<&str>) -> DestinationKey {
        let mut text = match self {
            Target::Domain(domain) => format!("{DOMAIN_PREFIX}{domain}"),
            Target::Hop(hop) => hop.to_string(),
            Target::Bounces => BOUNCES.to_owned(),
            Target::Nowhere => NOWHERE.to_owned(),
        };
        if let Some(name) = name {
            text.push(NAME_MARK);
            text.push_str(name);
        }
        DestinationKey::new(&text)
    }

    /// The target of a key.
    pub fn of(key: &DestinationKey) -> Result<Target, ParseNextHopError> {
        match split(key.as_str()).0 {
            NOWHERE => Ok(Target::Nowhere),
            BOUNCES => Ok(Target::Bounces),
            text => match text.strip_prefix(DOMAIN_PREFIX) {
                Some(domain) => Ok(Target::Domain(domain.to_owned())),
                None => text.parse().map(Target::Hop),
            },
        }
    }

    /// The next hop, as a route says it.
    #[must_use]
    pub fn hop(&self) -> &NextHop {
        match self {
            Target::Domain(_) => &NextHop::Mx,
            Target::Hop(hop) => hop,
            Target::Bounces | Target::Nowhere => &NextHop::Nowhere,
        }
    }
}

/// What a key leads to, and the name of its route.
pub(super) fn split(key: &str) -> (&str, Option<&str>) {
    let key = strict(key);
    match key.rsplit_once(NAME_MARK) {
        Some((to, name)) if super::table::is_name(name) => (to, Some(name)),
        Some(_) | None => (key, None),
    }
}

/// What a route says besides where it leads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ways {
    /// As whom we log in.
    pub login: Option<Login>,
    /// Who we are there.
    pub identity: Identity,
}

/// As whom we log in at a next hop (RFC 4954).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The file whose first line is the password; read at each login.
    pub password_file: PathBuf,
    /// Whether the password may go over a connection without TLS that leaves this machine.
    pub unencrypted: bool,
}

/// Who we are to a next hop: from where we come and by which name. Empty: as everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Our addresses; of each family one is chosen for a destination, and always the same.
    pub source: Vec<IpAddr>,
    /// Our name at EHLO.
    pub helo: Option<String>,
}

impl Identity {
    /// The same, with what is not said taken from another.
    #[must_use]
    pub fn or(&self, other: &Identity) -> Identity {
        Identity {
            source: match self.source.is_empty() {
                true => other.source.clone(),
                false => self.source.clone(),
            },
            helo: self.helo.clone().or_else(|| other.helo.clone()),
        }
    }

    /// The address from which we go to an address of this family on behalf of a destination; `None`
    /// where the system chooses. `Err`: we have none of that family.
    ///
    /// The choice follows from the destination's key and the addresses alone, so that a greylist sees
    /// the same address again.
    pub fn address_for(
        &self,
        key: &DestinationKey,
        to: IpAddr,
    ) -> Result<Option<IpAddr>, NoneOfFamily> {
        if self.source.is_empty() {
            return Ok(None);
        }
        let family: Vec<IpAddr> = self
            .source
            .iter()
            .copied()
            .filter(|own| own.is_ipv4() == to.is_ipv4())
            .collect();
        // Rendezvous hashing: an address that is added or goes away moves only its own share.
        let chosen = family
            .into_iter()
            .max_by_key(|own| fnv(&format!("{key} {own}")));
        chosen.map(Some).ok_or(NoneOfFamily)
    }
}

/// We have no address of that family there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoneOfFamily;

/// FNV-1a with a last mixing: the same for ever, which the standard library's hashes do not promise.
fn fnv(text: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_reads_back_from_its_key_with_and_without_the_name_of_a_route() {
        for text in [
            "smtp://127.0.0.1:2600",
            "smtp://[::1]:25",
            "lmtp+unix:/run/dovecot/lmtp",
            "maildir:/tmp/inbox",
            "pipe:/usr/lib/dovecot/deliver -d {recipient}",
        ] {
            let target = Target::Hop(text.parse().unwrap());
            assert_eq!(Target::of(&target.key()), Ok(target.clone()));
            assert_eq!(Target::of(&target.key_by(Some("bulk"))), Ok(target));
        }
        let target = Target::Domain("example.org".into());
        assert_eq!(Target::of(&target.key_by(Some("bulk"))), Ok(target.clone()));
        for key in [
            Target::Domain("example.org".into()).key(),
            target.key_by(Some("bulk")),
        ] {
            let optional = key.tls_optional();
            assert!(optional.is_tls_optional() && !key.is_tls_optional());
            assert_eq!(Target::of(&optional), Target::of(&key));
            assert_eq!(optional.tls_optional(), optional);
        }
        let smart = DestinationKey::new("smtp://h:25");
        assert_eq!(smart.tls_optional(), smart);
        let program = DestinationKey::new("pipe:/bin/x !tls-optional");
        assert!(!program.is_tls_optional());
        assert_eq!(Target::of(&Target::Nowhere.key()), Ok(Target::Nowhere));
        assert_eq!(Target::of(&Target::Bounces.key()), Ok(Target::Bounces));
    }

    #[test]
    fn a_destination_always_sees_the_same_of_our_addresses_and_all_are_used() {
        let identity = Identity {
            source: ["192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3"]
                .map(|a| a.parse().unwrap())
                .to_vec(),
            helo: None,
        };
        let v4: IpAddr = "198.51.100.1".parse().unwrap();
        let of = |n: u32, identity: &Identity| {
            let key = DestinationKey::new(&format!("mx:d{n}.example"));
            identity.address_for(&key, v4).unwrap().unwrap()
        };
        let mut seen = std::collections::HashMap::new();
        for n in 0..300 {
            *seen.entry(of(n, &identity)).or_insert(0) += 1;
        }
        assert!(
            seen.len() == 3 && seen.values().all(|n| *n > 60),
            "{seen:?}"
        );
        let mut fewer = identity.clone();
        fewer.source.remove(1);
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        for n in (0..300).filter(|n| of(*n, &identity) == one) {
            assert_eq!(of(n, &fewer), one, "an address that stays keeps its own");
        }
        let key = DestinationKey::new("mx:example.org");
        let v6: IpAddr = "2001:db8:1::1".parse().unwrap();
        assert_eq!(identity.address_for(&key, v6), Ok(Some(identity.source[2])));
        assert_eq!(Identity::default().address_for(&key, v6), Ok(None));
        let only_v4 = Identity {
            source: vec![one],
            helo: None,
        };
        assert_eq!(only_v4.address_for(&key, v6), Err(NoneOfFamily));
    }
}
