//! The keys that sign while the relay runs: read again when they change, and only those whose records are
//! published.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::signing::{
    Canonicalization, DomainRule, KeyStore, NotSigning, Published, Ring, Rules, StoreFault,
    StoredKey, choose, look,
};
use config::{Canonical, Config, Signs};
use dns::Resolver;
use jiff::Timestamp;
use queue::Message;
use world::{FileStamp, World};

use super::settings::networks;

/// How often the directory is looked at.
const LOOK: Duration = Duration::from_secs(10);
/// How often the record of a key that waits for it is looked for.
const WAITING: Duration = Duration::from_secs(30);
/// How long an answer about a record is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The directory of keys.
pub(crate) fn directory(config: &Config, data: &Path) -> PathBuf {
    let configured = config.dkim.keys.clone();
    configured.unwrap_or_else(|| data.join("dkim"))
}

pub(crate) fn rules(config: &Config) -> Rules {
    let form = |form| match form {
        Canonical::Simple => Canonicalization::Simple,
        Canonical::Relaxed => Canonicalization::Relaxed,
    };
    let own = &config.dkim;
    let (header, body) = own.canonicalization;
    let domain = |domain: &config::DkimDomain| DomainRule {
        name: domain.name.clone(),
        subdomains: domain.subdomains,
        identity: domain.identity.clone(),
        off: domain.off,
    };
    Rules {
        subdomains: own.subdomains,
        header: form(header),
        body: form(body),
        domains: own.domains.iter().map(domain).collect(),
    }
}

/// Whose mail is signed: what strangers hand in is not ours to vouch for.
fn ours(config: &Config) -> impl Fn(&Message) -> bool + Send + Sync + use<> {
    let signs = |whose| config.dkim.sign.contains(&whose);
    let (users, clients) = (signs(Signs::Users), signs(Signs::Networks));
    let networks = networks(&config.relay.networks);
    move |message| {
        let origin = &message.origin;
        // RFC 3848: the A says that the client has logged in. LMTP brings what others have received.
        let lmtp = origin.protocol.contains("LMTP");
        let logged_in = origin.protocol.ends_with('A');
        let inside = || {
            let client = origin.client.parse();
            client.is_ok_and(|client| networks.iter().any(|n| n.contains(client)))
        };
        !lmtp && (users && logged_in || clients && !logged_in && inside())
    }
}

/// Keeps the keys that sign.
pub(super) struct Keeper {
    store: KeyStore,
    rules: Rules,
    every: Duration,
    signing: Arc<delivery::Signing>,
    resolver: Arc<dyn Resolver>,
    world: World,
    listing: Vec<(String, String, FileStamp)>,
    keys: Vec<StoredKey>,
    /// What was found of each, last.
    seen: Vec<Option<Published>>,
    /// The last trouble with the directory, so that it is told once.
    told: Option<String>,
}

impl Keeper {
    /// Reads the keys and looks for their records.
    pub(super) async fn open(
        config: &Config,
        data: &Path,
        resolver: Arc<dyn Resolver>,
        world: &World,
    ) -> Result<Keeper, StoreFault> {
        let store = KeyStore::at(world.disk.clone(), &directory(config, data));
        let listing = store.listing()?;
        let keys = store.read(world.clock.now())?;
        let mut keeper = Keeper {
            seen: vec![None; keys.len()],
            store,
            rules: rules(config),
            every: config.dkim.check_every,
            signing: Arc::new(delivery::Signing::new(ours(config))),
            resolver,
            world: world.clone(),
            listing,
            keys,
            told: None,
        };
        keeper.look().await;
        Ok(keeper)
    }

    /// What signs with these keys.
    pub(super) fn signing(&self) -> Arc<delivery::Signing> {
        self.signing.clone()
    }

    /// Goes on looking.
    pub(super) async fn run(mut self) {
        let mut since = Duration::ZERO;
        loop {
            let step = LOOK.min(self.every);
            tokio::time::sleep(step).await;
            since += step;
            let changed = self.read_again();
            let waiting = self.keys.iter().any(|key| key.state.published.is_none());
            let wait = match waiting {
                true => WAITING.min(self.every),
                false => self.every,
            };
            if changed || since >= wait {
                since = Duration::ZERO;
                self.look().await;
            }
        }
    }

    /// Reads the keys where their files have changed; what cannot be read leaves the old ones in use.
    fn read_again(&mut self) -> bool {
        let read = self.store.listing().and_then(|listing| {
            let fresh = match listing == self.listing {
                true => None,
                false => Some(self.store.read(self.world.clock.now())?),
            };
            Ok((listing, fresh))
        });
        match read {
            Ok((_, None)) => self.told = None,
            Ok((listing, Some(keys))) => {
                tracing::info!(keys = keys.len(), "DKIM keys have changed and were read");
                self.seen = keys.iter().map(|key| self.seen_of(key)).collect();
                (self.listing, self.keys, self.told) = (listing, keys, None);
                return true;
            }
            Err(error) => {
                let error = error.to_string();
                if self.told.as_ref() != Some(&error) {
                    tracing::error!(
                        error,
                        "DKIM keys cannot be read; those read before go on signing"
                    );
                    self.told = Some(error);
                }
            }
        }
        false
    }

    fn seen_of(&self, key: &StoredKey) -> Option<Published> {
        let same = |old: &StoredKey| old.domain == key.domain && old.selector == key.selector;
        let at = self.keys.iter().position(same)?;
        self.seen.get(at).cloned().flatten()
    }

    /// Looks for the record of each key, writes down what has changed, and has the right ones sign.
    async fn look(&mut self) {
        let looking = self.keys.iter().map(|key| {
            let (resolver, key) = (self.resolver.clone(), key.clone());
            async move {
                let looked = look(&key.selector, &key.domain, &key.key, &*resolver);
                let timed = tokio::time::timeout(PATIENCE, looked).await;
                timed.unwrap_or_else(|_| Published::Unanswered {
                    reported: format!("no answer within {} seconds", PATIENCE.as_secs()),
                })
            }
        });
        let found = futures_util::future::join_all(looking).await;
        let now = self.world.clock.now();
        let before: Vec<_> = self.keys.iter().map(|key| key.state.clone()).collect();
        for ((key, seen), found) in self.keys.iter_mut().zip(&mut self.seen).zip(found) {
            note(key, seen, found, now);
        }
        let published = self.keys.iter().map(|key| key.state.published.is_some());
        let published: Vec<bool> = published.collect();
        let of: Vec<_> = self.keys.iter().zip(published.iter().copied()).collect();
        let standing = choose(&of);
        self.signing.set(Ring::new(&of, &self.rules));
        for ((key, standing), before) in self.keys.iter_mut().zip(standing).zip(before) {
            match standing {
                Ok(()) => key.state.replaced = None,
                Err(NotSigning::Replaced) => {
                    if key.state.replaced.is_none() {
                        tracing::info!(
                            domain = key.domain,
                            selector = key.selector,
                            "a newer DKIM key signs in the place of this one; its record stays published for a while"
                        );
                    }
                    key.state.replaced.get_or_insert(now);
                }
                Err(NotSigning::NotPublished) => {}
            }
            if key.state != before
                && let Err(error) = self.store.note(key)
            {
                tracing::error!(%error, "what was seen of a DKIM key cannot be written down");
            }
        }
    }
}

/// What a look means for a key; told where it changes something.
fn note(key: &mut StoredKey, seen: &mut Option<Published>, found: Published, now: Timestamp) {
    let (domain, selector) = (key.domain.as_str(), key.selector.as_str());
    let new = seen.as_ref() != Some(&found);
    let what = match &found {
        Published::Matches => {
            if key.state.published.is_none() {
                tracing::info!(
                    domain,
                    selector,
                    "the record of this DKIM key is published: it signs"
                );
                key.state.published = Some(now);
            }
            None
        }
        // What was known goes on being so: a name server that is away is no reason to stop signing.
        Published::Unanswered { reported } => {
            if new {
                tracing::warn!(
                    domain,
                    selector,
                    reported,
                    "the record of a DKIM key cannot be looked up"
                );
            }
            None
        }
        Published::Missing => Some("its record is not published".to_owned()),
        Published::Differs(how) => Some(how.to_string()),
    };
    if let Some(what) = what {
        if new {
            tracing::warn!(
                domain,
                selector,
                what,
                "this DKIM key does not sign: `postrider dkim list` says what to publish"
            );
        }
        key.state.published = None;
    }
    *seen = Some(found);
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::{BodyKind, MessageId, MessageKind, Origin};
    use smtp::Address;

    fn message(client: &str, protocol: &str) -> Message {
        let now = "2026-11-28T12:00:00Z".parse().unwrap();
        Message {
            id: MessageId::from_bytes([0; 16]),
            sender: Address::null(),
            received_at: now,
            expires_at: now,
            size: 0,
            body_kind: BodyKind::SevenBit,
            smtputf8: false,
            hops: 0,
            kind: MessageKind::Mail,
            origin: Origin {
                client: client.to_owned(),
                helo: None,
                protocol: protocol.to_owned(),
                about: None,
            },
            options: queue::Options::default(),
        }
    }

    #[test]
    fn the_mail_of_users_and_networks_is_signed_and_never_that_of_strangers() {
        let of = |sign: &str| {
            let text = format!("[relay]\nnetworks = [\"192.0.2.0/24\"]\n[dkim]\nsign = {sign}");
            ours(&Config::parse(&text).unwrap().config)
        };
        let (both, users, networks, none) = (
            of("[\"users\", \"networks\"]"),
            of("[\"users\"]"),
            of("[\"networks\"]"),
            of("[]"),
        );
        for (client, protocol, expected) in [
            ("192.0.2.7", "ESMTP", [true, false, true, false]),
            ("192.0.2.7", "ESMTPS", [true, false, true, false]),
            ("192.0.2.7", "SMTP", [true, false, true, false]),
            ("203.0.113.7", "ESMTPSA", [true, true, false, false]),
            ("192.0.2.7", "UTF8SMTPSA", [true, true, false, false]),
            ("203.0.113.7", "ESMTPS", [false; 4]),
            ("192.0.2.7", "LMTP", [false; 4]),
            ("192.0.2.7", "UTF8LMTPA", [false; 4]),
            ("local", "ESMTP", [false; 4]),
        ] {
            let message = message(client, protocol);
            let found = [
                both(&message),
                users(&message),
                networks(&message),
                none(&message),
            ];
            assert_eq!(found, expected, "{client} {protocol}");
        }
    }
}
