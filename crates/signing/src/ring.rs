//! Which keys sign, and for whom.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::canonical::Canonicalization;
use crate::key::{Algorithm, Key};
use crate::store::StoredKey;

/// What the administrator says about signing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whether the key of a domain signs for authors below it.
    pub subdomains: bool,
    /// The form of the header that is signed.
    pub header: Canonicalization,
    /// The form of the body.
    pub body: Canonicalization,
    /// For single domains.
    pub domains: Vec<DomainRule>,
}

/// What holds for one domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainRule {
    /// The domain, in lower case.
    pub name: String,
    /// Whether its key signs for authors below it.
    pub subdomains: Option<bool>,
    /// `i=` (RFC 6376 §3.5): in this domain or below it.
    pub identity: Option<String>,
    /// Nothing is signed for it.
    pub off: bool,
}

/// Why a key does not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSigning {
    /// Its record is not there, or is not this key's: a signature would be worth nothing, or less.
    NotPublished,
    /// A newer key of the same kind does.
    Replaced,
}

/// Which of the keys sign: of each domain and algorithm the newest that is published. `published` says
/// so for each key.
#[must_use]
pub fn choose(keys: &[(&StoredKey, bool)]) -> Vec<Result<(), NotSigning>> {
    let mut best: BTreeMap<(&str, Algorithm), usize> = BTreeMap::new();
    for (at, (key, published)) in keys.iter().enumerate() {
        if !published {
            continue;
        }
        let place = best.entry((&key.domain, key.key.algorithm())).or_insert(at);
        let age = |at: usize| keys.get(at).map(|(key, _)| (key.state.made, &key.selector));
        if age(at) > age(*place) {
            *place = at;
        }
    }
    let standing = |(at, (key, published)): (usize, &(&StoredKey, bool))| {
        let signs = best.get(&(key.domain.as_str(), key.key.algorithm()));
        match (published, signs == Some(&at)) {
            (false, _) => Err(NotSigning::NotPublished),
            (true, true) => Ok(()),
            (true, false) => Err(NotSigning::Replaced),
        }
    };
    keys.iter().enumerate().map(standing).collect()
}

/// A key that signs.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub(crate) selector: String,
    pub(crate) key: Arc<Key>,
}

/// What there is of a domain.
#[derive(Clone, Debug, Default)]
pub(crate) struct Domain {
    pub(crate) signers: Vec<Signer>,
    /// Selectors of keys that wait for their records.
    pub(crate) waiting: Vec<String>,
    pub(crate) identity: Option<String>,
    subdomains: bool,
}

/// The keys that sign now.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    domains: HashMap<String, Domain>,
    pub(crate) header: Canonicalization,
    pub(crate) body: Canonicalization,
}

impl Ring {
    /// Of these keys, with whether each is published.
    #[must_use]
    pub fn new(keys: &[(&StoredKey, bool)], rules: &Rules) -> Ring {
        let mut domains: HashMap<String, Domain> = HashMap::new();
        for ((key, _), standing) in keys.iter().zip(choose(keys)) {
            let rule = rules.domains.iter().find(|rule| rule.name == key.domain);
            if rule.is_some_and(|rule| rule.off) {
                continue;
            }
            let domain = domains.entry(key.domain.clone()).or_default();
            domain.identity = rule.and_then(|rule| rule.identity.clone());
            let subdomains = rule.and_then(|rule| rule.subdomains);
            domain.subdomains = subdomains.unwrap_or(rules.subdomains);
            match standing {
                Ok(()) => domain.signers.push(Signer {
                    selector: key.selector.clone(),
                    key: key.key.clone(),
                }),
                Err(NotSigning::NotPublished) => domain.waiting.push(key.selector.clone()),
                Err(NotSigning::Replaced) => {}
            }
        }
        for domain in domains.values_mut() {
            domain.signers.sort_by_key(|signer| signer.key.algorithm());
        }
        Ring {
            domains,
            header: rules.header,
            body: rules.body,
        }
    }

    /// Whether nothing is ever signed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// The domain that signs for an author in this one: itself, or the next above that may.
    pub(crate) fn of(&self, author: &str) -> Option<(&str, &Domain)> {
        if let Some((name, domain)) = self.domains.get_key_value(author) {
            return Some((name, domain));
        }
        let mut rest = author;
        while let Some((_, above)) = rest.split_once('.') {
            if let Some((name, domain)) = self.domains.get_key_value(above)
                && domain.subdomains
            {
                return Some((name, domain));
            }
            rest = above;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::KeyState;

    fn key(domain: &str, selector: &str, algorithm: Algorithm, day: u8) -> StoredKey {
        StoredKey {
            domain: domain.to_owned(),
            selector: selector.to_owned(),
            key: Arc::new(Key::generate(algorithm).unwrap()),
            state: KeyState::new(format!("2026-11-{day:02}T00:00:00Z").parse().unwrap()),
        }
    }

    #[test]
    fn of_each_kind_the_newest_that_is_published_signs() {
        use Algorithm::Ed25519;
        let old = key("a.example", "old", Ed25519, 1);
        let new = key("a.example", "new", Ed25519, 2);
        let next = key("a.example", "next", Ed25519, 3);
        let other = key("b.example", "s", Ed25519, 1);
        let standing = choose(&[(&next, false), (&new, true), (&old, true), (&other, false)]);
        let (not, replaced) = (NotSigning::NotPublished, NotSigning::Replaced);
        assert_eq!(standing, [Err(not), Ok(()), Err(replaced), Err(not)]);
    }

    #[test]
    fn a_domain_signs_for_those_below_it_only_where_it_may() {
        let keys = [
            key("example.org", "s", Algorithm::Ed25519, 1),
            key("open.example", "s", Algorithm::Ed25519, 1),
        ];
        let keys: Vec<_> = keys.iter().map(|key| (key, true)).collect();
        let rules = Rules {
            domains: vec![DomainRule {
                name: "open.example".to_owned(),
                subdomains: Some(true),
                ..DomainRule::default()
            }],
            ..Rules::default()
        };
        let ring = Ring::new(&keys, &rules);
        let of = |author: &str| ring.of(author).map(|(name, _)| name.to_owned());
        assert_eq!(of("example.org").as_deref(), Some("example.org"));
        assert_eq!(of("www.example.org"), None);
        assert_eq!(of("a.b.open.example").as_deref(), Some("open.example"));
        assert_eq!(of("notopen.example"), None);
        assert_eq!(of("org"), None);
    }
}
