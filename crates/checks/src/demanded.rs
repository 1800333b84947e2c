//! What the recipients' side demands of TLS with each of its servers, and what of it counts with us.

use diagnosis::finding::Fact;
use dns::{RecordKind, Resolver};
use mta_sts::Found;
use queue::route::{NextHop, Target};
use routing::{Candidate, Published};
use tls_demands::{Listing, Said};

use crate::asker::Asker;
use crate::settings::{Demand, Settings};

/// What is demanded of a route's servers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Demanded {
    /// Each server once.
    pub(crate) hosts: Vec<OfHost>,
    /// The domain's policy of MTA-STS with the question for it; `None`: nobody was asked.
    pub(crate) policy: Option<(Found, Vec<Fact>)>,
}

/// What is demanded of one server.
#[derive(Clone, Debug)]
pub(crate) struct OfHost {
    pub(crate) host: String,
    pub(crate) said: Said,
    /// The administrator says something else, which goes before it.
    ours: bool,
    /// Whether we hold servers to what the signed DNS says.
    dane: bool,
}

/// What the relay goes by with one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GoesBy<'a> {
    /// Nothing is published.
    Nothing,
    /// What the administrator says.
    Ours,
    /// The records in the signed DNS.
    Dane {
        name: &'a str,
        base: &'a str,
        /// Whether one of them can be used.
        usable: bool,
    },
    /// It goes nowhere: what the signed DNS says cannot be known.
    Unanswered,
    /// The domain's policy.
    Policy(&'a Listing),
    /// The domain's policy, which only wants to be told what would fail.
    Tested(&'a Listing),
}

impl Demanded {
    /// Looks up what is demanded of the servers to which `target` leads.
    pub(crate) async fn look(
        target: &Target,
        candidates: &[Candidate],
        settings: &Settings,
        resolver: &dyn Resolver,
    ) -> Demanded {
        let domain = settings.demands.name(target).unwrap_or_default();
        let policy = match (target, &settings.mta_sts) {
            // An address literal publishes nothing.
            (Target::Domain(_), Some(policies)) if !domain.starts_with('[') => {
                let mut asker = Asker::new(resolver);
                // The question is the evidence; what it means is for `policies` to say.
                let name = format!("_mta-sts.{domain}");
                let _ = asker.ask(&name, RecordKind::Txt).await;
                Some((policies.of(&domain).await, asker.take()))
            }
            _ => None,
        };
        let found = policy.as_ref().map(|(found, _)| found.clone());
        let found = found.unwrap_or_default();
        let lmtp = matches!(target, Target::Hop(NextHop::Lmtp(_)));
        let ours = settings.demands.is_ours(target);
        let mut hosts: Vec<OfHost> = Vec::new();
        for candidate in candidates {
            if hosts.iter().any(|known| known.host == candidate.host) {
                continue;
            }
            let said = Said::about(candidate, &domain, &found, !lmtp, resolver).await;
            hosts.push(OfHost {
                host: candidate.host.clone(),
                said,
                ours,
                dane: settings.dane,
            });
        }
        Demanded { hosts, policy }
    }

    /// What is demanded of this one.
    pub(crate) fn of(&self, host: &str) -> Option<&OfHost> {
        self.hosts.iter().find(|known| known.host == host)
    }
}

impl OfHost {
    /// What the relay goes by.
    pub(crate) fn goes_by(&self) -> GoesBy<'_> {
        use tls_demands::Demand as Says;
        let demand = match self.dane {
            true => self.said.demand(),
            false => self.said.by_policy(),
        };
        match demand {
            Says::Nothing => match self.said.records {
                Published::Nothing => GoesBy::Nothing,
                _ => GoesBy::Ours,
            },
            _ if self.ours => GoesBy::Ours,
            Says::Dane {
                name, base, dane, ..
            } => GoesBy::Dane {
                name,
                base,
                usable: dane.is_some(),
            },
            Says::Unanswered { .. } => GoesBy::Unanswered,
            Says::Enforced(listing) => GoesBy::Policy(listing),
            Says::Tested(listing) => GoesBy::Tested(listing),
        }
    }

    /// What is demanded of connections, where our configuration demands `own`.
    pub(crate) fn demand(&self, own: Demand) -> Demand {
        match self.goes_by() {
            GoesBy::Nothing | GoesBy::Ours | GoesBy::Tested(_) => own,
            // As for the relay, records that can be used go before [delivery] tls.
            GoesBy::Dane { usable: true, .. } | GoesBy::Unanswered => Demand::Encryption,
            GoesBy::Dane { usable: false, .. } if own == Demand::Certificate => own,
            GoesBy::Dane { usable: false, .. } => Demand::Encryption,
            GoesBy::Policy(_) => Demand::Certificate,
        }
    }

    /// The name by which the relay would ask for the server (SNI).
    pub(crate) fn asked(&self) -> &str {
        match self.goes_by() {
            GoesBy::Dane { base, .. } => base,
            _ => &self.host,
        }
    }
}
