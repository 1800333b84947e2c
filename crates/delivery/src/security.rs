//! How a connection is encrypted: what is wanted of it, and what comes of that.

use std::time::Duration;

use diagnosis::facts::{BreakKind, StepKind};
use diagnosis::tls::{Insecure, TlsFailure, TlsSession, Trust, Wanted, WhyInsecure};
use diagnosis::tls_policy::{Applied, AppliedPolicy, ResultType, Server, Shortfall};
use diagnosis::{Failure, FailureKind, Stage};
use tls::{Connector, Dane, Verify};
use tokio::time::timeout;
use world::Stream;

use crate::policies::TlsPolicy;
use crate::trail::Trail;
use crate::witness::TlsWitness;

/// What is wanted of the connections to one server.
#[derive(Clone, Debug)]
pub(crate) struct Security<'a> {
    pub(crate) connector: Option<&'a Connector>,
    pub(crate) level: Level,
    /// The domain of the recipients, or the host of a route.
    pub(crate) domain: String,
    /// TLS begins with the first byte.
    pub(crate) implicit: bool,
    /// Whether it is sure that the domain named this server.
    pub(crate) named: bool,
    /// Who hears what comes of it, and as what it is counted; `None`: nobody.
    pub(crate) witness: Option<(&'a dyn TlsWitness, AppliedPolicy)>,
    /// What is amiss though it keeps no mail: told in place of a good session.
    pub(crate) lapse: Option<Shortfall>,
}

/// Whose demands count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// The administrator's.
    Own(TlsPolicy),
    /// The signed DNS of the recipients' side (RFC 7672).
    Dane {
        /// Where the records are.
        name: String,
        /// The TLSA base domain, which the server is asked for (§3.1, RFC 7671 §7).
        base: String,
        /// The records, as in a zone file.
        records: Vec<String>,
        /// What the server must show; `None`: no record can be used.
        dane: Option<Dane>,
    },
    /// The recipients' domain by MTA-STS, in mode `enforce` (RFC 8461 §5).
    MtaSts {
        /// The policy's id.
        id: String,
        /// Its patterns of exchangers.
        mx: Vec<String>,
    },
}

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(60);

impl Security<'_> {
    /// Whether nothing is encrypted.
    pub(crate) fn is_off(&self) -> bool {
        self.level == Level::Own(TlsPolicy::Off)
    }

    /// Whether the mail may go in the clear.
    pub(crate) fn may_be_clear(&self) -> bool {
        match &self.level {
            Level::Own(own) => matches!(own, TlsPolicy::Off | TlsPolicy::Opportunistic),
            Level::Dane { .. } | Level::MtaSts { .. } => false,
        }
    }

    /// The same for another try in the clear.
    pub(crate) fn given_up(&self) -> Security<'static> {
        Security {
            connector: None,
            level: Level::Own(TlsPolicy::Off),
            domain: self.domain.clone(),
            implicit: false,
            named: self.named,
            witness: None,
            lapse: None,
        }
    }

    fn wanted(&self, host: &str) -> Wanted {
        match &self.level {
            Level::Own(own) => own.wanted(host, &self.domain),
            Level::Dane {
                name,
                records,
                dane,
                ..
            } => Wanted::Dane {
                name: name.clone(),
                records: records.clone(),
                usable: dane.is_some(),
            },
            Level::MtaSts { id, mx } => Wanted::MtaSts {
                domain: self.domain.clone(),
                id: id.clone(),
                mx: mx.clone(),
            },
        }
    }

    fn verify(&self, host: &str) -> Verify {
        match &self.level {
            Level::Own(own) => match own.wanted(host, &self.domain) {
                Wanted::Authority { names } => Verify::Authority(names),
                Wanted::Fingerprint { sha256 } => Verify::Fingerprint(sha256),
                Wanted::IfPossible
                | Wanted::Encrypted
                | Wanted::Dane { .. }
                | Wanted::MtaSts { .. } => Verify::Opportunistic,
            },
            Level::Dane {
                dane: Some(dane), ..
            } => Verify::Dane(dane.clone()),
            // RFC 7672 §2.2: mandatory TLS, with whomever.
            Level::Dane { dane: None, .. } => Verify::Opportunistic,
            Level::MtaSts { .. } => tls_demands::verify_by_policy(host),
        }
    }

    /// The failure of a connection that is not as wanted; it goes to the trail, and to the witness.
    pub(crate) fn insecure(&self, server: Server, why: WhyInsecure, trail: &mut Trail) -> Failure {
        let host = server.host.clone();
        self.tell(Some(server), Err(Shortfall::of(&why)));
        let kind = FailureKind::Insecure(Box::new(Insecure {
            wanted: self.wanted(&host),
            host,
            why,
        }));
        let stage = Stage::StartTls;
        trail.add(stage, StepKind::Went(kind.clone()));
        Failure { stage, kind }
    }

    /// Tells that mail goes in the clear, which is as wanted.
    pub(crate) fn clear(&self, server: Server, why: &WhyInsecure) {
        self.tell(Some(server), Err(Shortfall::of(why)));
    }

    /// Does the handshake.
    pub(crate) async fn shake(
        &self,
        stream: Stream,
        server: Server,
    ) -> Result<(Stream, TlsSession), WhyInsecure> {
        let Some(connector) = self.connector else {
            return Err(WhyInsecure::Unavailable);
        };
        let asked = match &self.level {
            Level::Dane { base, .. } => base.clone(),
            Level::Own(_) | Level::MtaSts { .. } => server.host.clone(),
        };
        let shaking = connector.connect(stream, &asked, self.verify(&server.host));
        match timeout(HANDSHAKE, Box::pin(shaking)).await {
            Ok(Ok((stream, session))) => {
                self.tell(Some(server), self.judge(&session.trust));
                Ok((stream, session))
            }
            Ok(Err(failure)) => Err(WhyInsecure::Handshake(failure)),
            Err(_) => Err(WhyInsecure::Handshake(TlsFailure::Broke(
                BreakKind::TimedOut,
            ))),
        }
    }

    /// Whether an encrypted session is all that the policy asks for, though we may not insist.
    fn judge(&self, trust: &Trust) -> Result<(), Shortfall> {
        if let Some(lapse) = &self.lapse {
            return Err(lapse.clone());
        }
        let policy = self.witness.as_ref().map(|(_, policy)| policy);
        match (policy, trust) {
            (Some(AppliedPolicy::Dane { name, .. }), Trust::Opportunistic { .. }) => {
                Err(Shortfall {
                    result: ResultType::TlsaInvalid,
                    reason: format!("no TLSA record at {name} can be used"),
                })
            }
            // RFC 8461 §5: in mode `testing` it is only told.
            (
                Some(AppliedPolicy::Sts(_)),
                Trust::Opportunistic {
                    problem: Some(problem),
                },
            ) => Err(Shortfall::of_certificate(problem)),
            _ => Ok(()),
        }
    }

    /// Tells the witness.
    pub(crate) fn tell(&self, server: Option<Server>, outcome: Result<(), Shortfall>) {
        if let Some((witness, policy)) = &self.witness {
            witness.saw(Applied {
                domain: self.domain.clone(),
                policy: policy.clone(),
                server,
                outcome,
            });
        }
    }

    /// Whether a server that has shown who it is is surely the domain's (RFC 8689 §4.2.1).
    pub(crate) fn is_named(&self) -> bool {
        self.named
            || match &self.level {
                // The administrator says what the certificate must be; no exchanger's name counts.
                Level::Own(TlsPolicy::Verify(names)) => !names.is_empty(),
                Level::Own(TlsPolicy::Fingerprint(_)) | Level::MtaSts { .. } => true,
                Level::Own(_) | Level::Dane { .. } => false,
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
