//! Which TLS policy counts for a server: the administrator's, or what the recipients' side publishes.

use std::collections::HashMap;
use std::sync::Arc;

use diagnosis::Failure;
use diagnosis::tls::{Wanted, WhyInsecure};
use diagnosis::tls_policy::{AppliedPolicy, Server, Shortfall, StsFacts};
use dns::Resolver;
use futures_util::future::join_all;
use mta_sts::Found;
use queue::DestinationKey;
use queue::route::{NextHop, Target};
use routing::Candidate;
use tls::Connector;
use tls_demands::{Demand, Listing, Said};

use crate::security::{Level, Security};
use crate::trail::Trail;
use crate::witness::{NoWitness, TlsWitness};

/// How connections are encrypted.
#[derive(Clone, Debug)]
pub struct Tls {
    /// What does the handshakes; `None`: nothing is encrypted, and what must be waits.
    pub connector: Option<Connector>,
    /// For everybody of whom nothing else is said.
    pub policy: TlsPolicy,
    /// By the domain of the recipients, or the name of a next hop, in lower case.
    pub by_domain: HashMap<String, TlsPolicy>,
    /// Whether servers are held to what the signed DNS says of them (RFC 7672).
    pub dane: bool,
    /// Who tells what domains demand by MTA-STS (RFC 8461); `None`: nobody is asked.
    pub mta_sts: Option<Arc<dyn mta_sts::Policies>>,
    /// Who hears what came of each session.
    pub witness: Arc<dyn TlsWitness>,
}

impl Default for Tls {
    fn default() -> Tls {
        Tls {
            connector: None,
            policy: TlsPolicy::default(),
            by_domain: HashMap::new(),
            dane: true,
            mta_sts: None,
            witness: Arc::new(NoWitness),
        }
    }
}

/// What encryption is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TlsPolicy {
    /// None.
    Off,
    /// Where it can be had; where it fails, the mail goes in the clear (RFC 7435).
    #[default]
    Opportunistic,
    /// Encryption, with whomever.
    Required,
    /// A certificate by an authority. For one of these names; with none, for the domain itself or for
    /// the server as the route names it.
    Verify(Vec<String>),
    /// A certificate, or a key, with one of these SHA-256 fingerprints in hex.
    Fingerprint(Vec<String>),
}

impl TlsPolicy {
    pub(crate) fn wanted(&self, host: &str, domain: &str) -> Wanted {
        match self {
            TlsPolicy::Off | TlsPolicy::Opportunistic => Wanted::IfPossible,
            TlsPolicy::Required => Wanted::Encrypted,
            TlsPolicy::Verify(names) if names.is_empty() => {
                let mut names = vec![host.to_owned()];
                if domain != host {
                    names.push(domain.to_owned());
                }
                Wanted::Authority { names }
            }
            TlsPolicy::Verify(names) => Wanted::Authority {
                names: names.clone(),
            },
            TlsPolicy::Fingerprint(sha256) => Wanted::Fingerprint {
                sha256: sha256.clone(),
            },
        }
    }
}

/// What is wanted of the connections to one destination.
#[derive(Debug)]
pub(crate) struct Policies<'a> {
    connector: Option<&'a Connector>,
    own: TlsPolicy,
    domain: String,
    implicit: bool,
    /// Whether what is published counts beside `own`.
    dane: bool,
    /// Who is asked for the domain's policy of MTA-STS, and what that is.
    asked: Option<&'a dyn mta_sts::Policies>,
    mta_sts: Found,
    /// Who hears of it; `None`: it is not a domain's exchanger, or the administrator's policy rules.
    witness: Option<&'a dyn TlsWitness>,
}

/// Servers that may be connected to, and what is wanted of each.
pub(crate) struct Admitted<'a> {
    pub(crate) candidates: Vec<Candidate>,
    by_host: HashMap<String, Security<'a>>,
    otherwise: Security<'a>,
    /// The first failure of those that may not.
    pub(crate) failure: Option<Failure>,
}

impl Tls {
    /// What is wanted on the lane with this key, which leads there.
    pub(crate) fn for_lane(&self, target: &Target, key: &DestinationKey) -> Policies<'_> {
        let (domain, remote, implicit) = match target {
            Target::Domain(domain) => (domain.as_str(), true, false),
            Target::Hop(NextHop::Smtp(to)) => (to.host.as_str(), true, false),
            Target::Hop(NextHop::Smtps(to)) => (to.host.as_str(), true, true),
            Target::Hop(NextHop::Lmtp(to)) => (to.host.as_str(), true, false),
            Target::Hop(_) | Target::Bounces | Target::Nowhere => ("", false, false),
        };
        let domain = domain.to_ascii_lowercase();
        let by_domain = self.by_domain.get(&domain);
        let own = match by_domain.unwrap_or(&self.policy) {
            _ if !remote => TlsPolicy::Off,
            // The route says it.
            TlsPolicy::Off | TlsPolicy::Opportunistic if implicit => TlsPolicy::Required,
            TlsPolicy::Opportunistic if self.connector.is_none() => TlsPolicy::Off,
            policy => policy.clone(),
        };
        // What the administrator says of this one goes first, and so does that nothing is encrypted.
        // RFC 8460 §5.3: no policy of the domain keeps a report back; §3: nobody counts its sessions.
        let may_publish = by_domain.is_none() && own != TlsPolicy::Off && !key.is_tls_optional();
        let lmtp = matches!(target, Target::Hop(NextHop::Lmtp(_)));
        let exchangers = matches!(target, Target::Domain(_));
        // An address literal publishes nothing.
        let publishes = exchangers && may_publish && !domain.starts_with('[');
        Policies {
            connector: self.connector.as_ref(),
            own,
            domain,
            implicit,
            dane: self.dane && may_publish && !lmtp && self.connector.is_some(),
            asked: self.mta_sts.as_deref().filter(|_| publishes),
            mta_sts: Found::default(),
            witness: publishes.then_some(&*self.witness),
        }
    }
}

impl<'a> Policies<'a> {
    /// Finds out what the domain demands by MTA-STS.
    pub(crate) async fn consult(mut self) -> Policies<'a> {
        let Some(asked) = self.asked else {
            return self;
        };
        self.mta_sts = asked.of(&self.domain).await;
        if let Some(failed) = &self.mta_sts.trouble {
            let facts = StsFacts {
                id: failed.id.clone(),
                lines: Vec::new(),
                mx: Vec::new(),
            };
            let own = Level::Own(self.own.clone());
            let security = self.security(own, false, AppliedPolicy::Sts(facts));
            security.tell(None, Err(failed.trouble.shortfall()));
        }
        self
    }

    fn security(&self, level: Level, named: bool, applied: AppliedPolicy) -> Security<'a> {
        Security {
            connector: self.connector,
            level,
            domain: self.domain.clone(),
            implicit: self.implicit,
            named,
            witness: self.witness.map(|witness| (witness, applied)),
            lapse: None,
        }
    }

    /// What an exchanger is held to by its domain's policy of MTA-STS.
    fn by_mta_sts(
        &self,
        listing: &Listing,
        enforced: bool,
        named: bool,
    ) -> (Security<'a>, Option<WhyInsecure>) {
        let held = &listing.held;
        let (id, mx) = (held.id.clone(), held.policy.mx.clone());
        let applied = AppliedPolicy::Sts(StsFacts {
            id: id.clone(),
            lines: held.policy.lines.clone(),
            mx: mx.clone(),
        });
        if enforced {
            let level = Level::MtaSts { id, mx };
            let refused = (!listing.named).then_some(WhyInsecure::NotInPolicy);
            return (self.security(level, named, applied), refused);
        }
        // RFC 8461 §5: what would fail is told, and mail goes as without a policy.
        let own = Level::Own(self.own.clone());
        let mut security = self.security(own, named, applied);
        let lapse = || Shortfall::of(&WhyInsecure::NotInPolicy);
        security.lapse = (!listing.named).then(lapse);
        (security, None)
    }

    /// What is wanted of these servers, which are equally good. Those of which it cannot be known may
    /// not be connected to.
    pub(crate) async fn admit(
        &self,
        candidates: Vec<Candidate>,
        resolver: &dyn Resolver,
        trail: &mut Trail,
    ) -> Admitted<'a> {
        let mut hosts: Vec<&Candidate> = Vec::new();
        for candidate in &candidates {
            if !hosts.iter().any(|known| known.host == candidate.host) {
                hosts.push(candidate);
            }
        }
        let asked = hosts.iter().map(|host| self.of(host, resolver));
        let found = join_all(asked).await;
        let own = Level::Own(self.own.clone());
        let mut admitted = Admitted {
            candidates: Vec::new(),
            by_host: HashMap::new(),
            otherwise: self.security(own, false, AppliedPolicy::None),
            failure: None,
        };
        for (host, (security, refused)) in hosts.iter().zip(found) {
            match refused {
                None => {
                    admitted.by_host.insert(host.host.clone(), security);
                }
                Some(why) => {
                    let server = Server {
                        host: host.host.clone(),
                        address: host.peer.to_string(),
                        from: None,
                    };
                    let failure = security.insecure(server, why, trail);
                    admitted.failure = admitted.failure.or(Some(failure));
                }
            }
        }
        let known = |candidate: &Candidate| admitted.by_host.contains_key(&candidate.host);
        admitted.candidates = candidates.into_iter().filter(known).collect();
        admitted
    }

    /// What is wanted of one server, and why it may not be connected to.
    async fn of(
        &self,
        candidate: &Candidate,
        resolver: &dyn Resolver,
    ) -> (Security<'a>, Option<WhyInsecure>) {
        let named = candidate.signed.named;
        let said = Said::about(candidate, &self.domain, &self.mta_sts, self.dane, resolver);
        match said.await.demand() {
            Demand::Nothing => {
                let own = Level::Own(self.own.clone());
                (self.security(own, named, AppliedPolicy::None), None)
            }
            Demand::Enforced(listing) => self.by_mta_sts(listing, true, named),
            Demand::Tested(listing) => self.by_mta_sts(listing, false, named),
            Demand::Dane {
                name,
                base,
                records,
                dane,
            } => {
                let records: Vec<String> = records.iter().map(ToString::to_string).collect();
                let applied = AppliedPolicy::Dane {
                    name: name.to_owned(),
                    records: records.clone(),
                };
                let level = match (&self.own, dane) {
                    // The administrator asks for more than encryption with whomever.
                    (own @ TlsPolicy::Verify(_), None) => Level::Own(own.clone()),
                    (_, dane) => Level::Dane {
                        name: name.to_owned(),
                        base: base.to_owned(),
                        records,
                        dane: dane.cloned(),
                    },
                };
                (self.security(level, named, applied), None)
            }
            Demand::Unanswered { name, reported } => {
                let applied = AppliedPolicy::Dane {
                    name: name.to_owned(),
                    records: Vec::new(),
                };
                let level = Level::Dane {
                    name: name.to_owned(),
                    base: candidate.host.clone(),
                    records: Vec::new(),
                    dane: None,
                };
                let security = self.security(level, named, applied);
                let why = WhyInsecure::TlsaUnanswered {
                    question: format!("TLSA {name}"),
                    reported: reported.to_owned(),
                };
                (security, Some(why))
            }
        }
    }
}

impl<'a> Admitted<'a> {
    /// What is wanted of this one.
    pub(crate) fn of(&self, candidate: &Candidate) -> &Security<'a> {
        self.by_host.get(&candidate.host).unwrap_or(&self.otherwise)
    }
}
