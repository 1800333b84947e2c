//! How a connection is encrypted: what is wanted of it, and what comes of that.

use std::collections::HashMap;
use std::time::Duration;

use diagnosis::facts::{BreakKind, StepKind};
use diagnosis::tls::{Insecure, TlsFailure, TlsSession, Trust, Wanted, WhyInsecure};
use diagnosis::{Failure, FailureKind, Stage};
use queue::route::{NextHop, Target};
use tls::{Connector, Verify};
use tokio::time::timeout;
use world::Stream;

use crate::trail::Trail;

/// How connections are encrypted.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// What does the handshakes; `None`: nothing is encrypted, and what must be waits.
    pub connector: Option<Connector>,
    /// For everybody of whom nothing else is said.
    pub policy: TlsPolicy,
    /// By the domain of the recipients, or the name of a next hop, in lower case.
    pub by_domain: HashMap<String, TlsPolicy>,
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

/// What is wanted of the connections to one destination.
#[derive(Debug)]
pub(crate) struct Security<'a> {
    connector: Option<&'a Connector>,
    policy: TlsPolicy,
    domain: String,
    /// TLS begins with the first byte.
    pub(crate) implicit: bool,
}

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(60);

impl Tls {
    pub(crate) fn for_target(&self, target: &Target) -> Security<'_> {
        let (domain, remote, implicit) = match target {
            Target::Domain(domain) => (domain.as_str(), true, false),
            Target::Hop(NextHop::Smtp(to)) => (to.host.as_str(), true, false),
            Target::Hop(NextHop::Smtps(to)) => (to.host.as_str(), true, true),
            Target::Hop(NextHop::Lmtp(to)) => (to.host.as_str(), true, false),
            Target::Hop(_) | Target::Nowhere => ("", false, false),
        };
        let domain = domain.to_ascii_lowercase();
        let said = self.by_domain.get(&domain).unwrap_or(&self.policy);
        let policy = match said {
            _ if !remote => TlsPolicy::Off,
            // The route says it.
            TlsPolicy::Off | TlsPolicy::Opportunistic if implicit => TlsPolicy::Required,
            TlsPolicy::Opportunistic if self.connector.is_none() => TlsPolicy::Off,
            policy => policy.clone(),
        };
        Security {
            connector: self.connector.as_ref(),
            policy,
            domain,
            implicit,
        }
    }
}

impl Security<'_> {
    /// Whether nothing is encrypted.
    pub(crate) fn is_off(&self) -> bool {
        self.policy == TlsPolicy::Off
    }

    /// Whether the mail may go in the clear.
    pub(crate) fn may_be_clear(&self) -> bool {
        matches!(self.policy, TlsPolicy::Off | TlsPolicy::Opportunistic)
    }

    /// The same for another try in the clear.
    pub(crate) fn given_up(&self) -> Security<'static> {
        Security {
            connector: None,
            policy: TlsPolicy::Off,
            domain: self.domain.clone(),
            implicit: false,
        }
    }

    fn wanted(&self, host: &str) -> Wanted {
        match &self.policy {
            TlsPolicy::Off | TlsPolicy::Opportunistic => Wanted::IfPossible,
            TlsPolicy::Required => Wanted::Encrypted,
            TlsPolicy::Verify(names) if names.is_empty() => {
                let mut names = vec![host.to_owned()];
                if self.domain != host {
                    names.push(self.domain.clone());
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

    fn verify(&self, host: &str) -> Verify {
        match self.wanted(host) {
            Wanted::IfPossible | Wanted::Encrypted => Verify::Opportunistic,
            Wanted::Authority { names } => Verify::Authority(names),
            Wanted::Fingerprint { sha256 } => Verify::Fingerprint(sha256),
        }
    }

    /// The failure of a connection that is not as wanted; it goes to the trail.
    pub(crate) fn insecure(&self, host: &str, why: WhyInsecure, trail: &mut Trail) -> Failure {
        let kind = FailureKind::Insecure(Box::new(Insecure {
            host: host.to_owned(),
            wanted: self.wanted(host),
            why,
        }));
        let stage = Stage::StartTls;
        trail.add(stage, StepKind::Went(kind.clone()));
        Failure { stage, kind }
    }

    /// Does the handshake.
    pub(crate) async fn shake(
        &self,
        stream: Stream,
        host: &str,
    ) -> Result<(Stream, TlsSession), WhyInsecure> {
        let Some(connector) = self.connector else {
            return Err(WhyInsecure::Unavailable);
        };
        let shaking = connector.connect(stream, host, self.verify(host));
        match timeout(HANDSHAKE, Box::pin(shaking)).await {
            Ok(shaken) => shaken.map_err(WhyInsecure::Handshake),
            Err(_) => Err(WhyInsecure::Handshake(TlsFailure::Broke(
                BreakKind::TimedOut,
            ))),
        }
    }
}

/// Whether it is sure who the server is: something was demanded and shown, or would have been.
pub(crate) fn is_known(session: &TlsSession) -> bool {
    match &session.trust {
        Trust::Opportunistic { problem } => problem.is_none(),
        Trust::Authority { .. } | Trust::Dane { .. } | Trust::Fingerprint { .. } => true,
    }
}
