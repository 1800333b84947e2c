//! What the recipients' side demands of TLS with one of its servers: by DANE (RFC 7672) and by MTA-STS
//! (RFC 8461), and which of the two goes first.
//!
//! This is the one place that says so: `delivery` holds servers to it, and `checks` shows what would come
//! of that. What the administrator says goes before all of it, and is not known here.

use std::sync::Arc;

use dns::{Resolver, Tlsa};
use mta_sts::{Found, Held, Mode};
use routing::{Candidate, Published};
use tls::{Dane, Verify};
use world::Peer;

/// What the recipients' side says about one of its servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// In the signed DNS.
    pub records: Published,
    /// Those of the records that can be used.
    pub dane: Option<Dane>,
    /// By its policy of MTA-STS, in whatever mode.
    pub listing: Option<Listing>,
}

/// A policy of MTA-STS, and whether it names the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The policy.
    pub held: Arc<Held>,
    /// Whether it names the server (RFC 8461 §4.1).
    pub named: bool,
}

/// What of it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand<'a> {
    /// Nothing is demanded.
    Nothing,
    /// Encryption, and one of these records (RFC 7672 §2.2).
    Dane {
        /// Where they are, like `_25._tcp.mx.example.org`.
        name: &'a str,
        /// The TLSA base domain, which the server is asked for (§3.1, RFC 7671 §7).
        base: &'a str,
        /// All of them.
        records: &'a [Tlsa],
        /// Those that can be used; `None`: none, and whoever the server is will do.
        dane: Option<&'a Dane>,
    },
    /// What the signed DNS says cannot be known: the server must not be used (RFC 7672 §2.1.2).
    Unanswered {
        /// Where records would be.
        name: &'a str,
        /// What the resolver reported.
        reported: &'a str,
    },
    /// What a policy of MTA-STS in mode `enforce` says (RFC 8461 §5).
    Enforced(&'a Listing),
    /// The same in mode `testing`: mail goes as without it.
    Tested(&'a Listing),
}

impl Said {
    /// Looks up what is said about a server, to which mail for `domain` goes; `found` is the domain's
    /// policy. Without `dane` the signed DNS is not asked.
    pub async fn about(
        candidate: &Candidate,
        domain: &str,
        found: &Found,
        dane: bool,
        resolver: &dyn Resolver,
    ) -> Said {
        let records = match (&candidate.peer, dane) {
            (Peer::Tcp(address), true) => {
                candidate.signed.published(address.port(), resolver).await
            }
            (Peer::Unix(_), _) | (_, false) => Published::Nothing,
        };
        let dane = match &records {
            // RFC 7672 §3.2.2: the base domain, and the domain whose exchanger it is.
            Published::Records { base, records, .. } => {
                Dane::of(records, vec![base.clone(), domain.to_owned()])
            }
            Published::Nothing | Published::Unanswered { .. } => None,
        };
        let listing = found.held.clone().map(|held| Listing {
            named: held.policy.names(&candidate.host),
            held,
        });
        Said {
            records,
            dane,
            listing,
        }
    }

    /// What of it counts.
    #[must_use]
    pub fn demand(&self) -> Demand<'_> {
        match &self.records {
            Published::Nothing => self.by_policy(),
            Published::Unanswered { name, reported } => Demand::Unanswered { name, reported },
            Published::Records {
                name,
                base,
                records,
            } => match self.by_policy() {
                // RFC 8461 §2: DANE goes first. Where it can verify nothing, a policy may, and demands
                // all that RFC 7672 §2.2 does of records that cannot be used: encryption.
                enforced @ Demand::Enforced(_) if self.dane.is_none() => enforced,
                _ => Demand::Dane {
                    name,
                    base,
                    records,
                    dane: self.dane.as_ref(),
                },
            },
        }
    }

    /// What of it counts where the signed DNS does not.
    #[must_use]
    pub fn by_policy(&self) -> Demand<'_> {
        match &self.listing {
            None => Demand::Nothing,
            Some(listing) => match listing.held.policy.mode {
                Mode::Enforce => Demand::Enforced(listing),
                Mode::Testing => Demand::Tested(listing),
                Mode::None => Demand::Nothing,
            },
        }
    }
}

/// How a server's certificate is verified under a policy of MTA-STS: it is for the exchanger's own
/// name (RFC 8461 §4.2).
#[must_use]
pub fn verify_by_policy(host: &str) -> Verify {
    Verify::Authority(vec![host.to_owned()])
}
