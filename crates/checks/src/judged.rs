//! What becomes of a server under what its domain publishes: by the verifier of the relay, and told with
//! which of it the relay goes by.

use diagnosis::finding::{Answer, Conclusion, Fact, Finding, Verdict};
use diagnosis::tls::{CertificateProblem, TlsSession, Trust};
use dns::RecordKind;
use mta_sts::{Held, Mode};
use routing::Published;
use tls::{Judgement, Verify};
use tls_demands::{Listing, verify_by_policy};

use crate::demanded::{GoesBy, OfHost};

/// What a server's certificate is worth to those who ask.
pub(crate) struct Judged {
    /// To those who want one by an authority for the server's name: MTA-STS does (RFC 8461 §4.2).
    pub(crate) by_name: Judgement,
    /// By the TLSA records; `None`: there are none that can be used.
    by_dane: Option<Judgement>,
}

impl Judged {
    /// What is asked of the certificate, in the order of [`Judged::of`].
    pub(crate) fn questions(host: &str, of: Option<&OfHost>) -> Vec<Verify> {
        let dane = of.and_then(|of| of.said.dane.clone());
        let by_dane = dane.map(Verify::Dane);
        std::iter::once(verify_by_policy(host))
            .chain(by_dane)
            .collect()
    }

    /// From the answers; none came where the server showed nothing.
    pub(crate) fn of(answers: Vec<Judgement>) -> Judged {
        let mut answers = answers.into_iter();
        let nothing = || CertificateProblem::Unusable {
            reported: "the server showed no certificate".to_owned(),
        };
        Judged {
            by_name: answers.next().unwrap_or_else(|| Err(nothing())),
            by_dane: answers.next(),
        }
    }
}

/// A policy on one line.
pub(crate) fn told(held: &Held) -> String {
    let mx = held.policy.mx.join(" ");
    format!("id {}, mode {}, mx {mx}", held.id, held.policy.mode)
}

impl OfHost {
    /// The records as evidence.
    pub(crate) fn asked_fact(&self, servers: Vec<String>) -> Option<Fact> {
        let (name, answer) = match &self.said.records {
            Published::Nothing => return None,
            Published::Records { name, records, .. } => {
                let records = records.iter().map(|record| format!("TLSA {record}"));
                (name, Answer::Records(records.collect()))
            }
            Published::Unanswered { name, reported } => (name, Answer::Unclear(reported.clone())),
        };
        Some(Fact::Asked {
            kind: RecordKind::Tlsa.as_str().to_owned(),
            name: name.clone(),
            answer,
            servers,
            took_ms: 0,
        })
    }

    /// What is said of a server that shows this certificate.
    pub(crate) fn judge(
        &self,
        session: &TlsSession,
        judged: &Judged,
        subject: &str,
    ) -> Vec<Finding> {
        let shown = || vec![Fact::Secured(Box::new(session.clone()))];
        let mut findings = Vec::from_iter(self.which(subject));
        if let Some(by_dane) = &judged.by_dane {
            let found = match by_dane {
                Ok(trust) => Finding::new(Conclusion::DaneMet, subject).object(record_of(trust)),
                Err(problem) => self.dane_not_met(problem, session, subject),
            };
            let facts = self.asked_fact(Vec::new()).into_iter().chain(shown());
            findings.push(found.facts(facts.collect()));
        }
        if let Some(listing) = self.listing().filter(|listing| listing.named) {
            let policy = told(&listing.held);
            let found = match &judged.by_name {
                Ok(_) => Finding::new(Conclusion::MtaStsMet, subject).object(policy),
                Err(problem) => {
                    let found = Finding::new(Conclusion::MtaStsCertificate, subject);
                    self.by_policy(found.object(format!("{problem} ({policy})")))
                }
            };
            findings.push(found.facts(shown()));
        }
        findings
    }

    /// What is said of a server with which encryption does not come about.
    pub(crate) fn unencrypted(&self, subject: &str) -> Vec<Finding> {
        let mut findings = Vec::from_iter(self.which(subject));
        if let Published::Records { name, .. } = &self.said.records {
            let found = Finding::new(Conclusion::DaneUnencrypted, subject).object(name.as_str());
            let facts = self.asked_fact(Vec::new());
            findings.push(self.by_dns(found).facts(facts.into_iter().collect()));
        }
        if let Some(listing) = self.listing().filter(|listing| listing.named) {
            let found = Finding::new(Conclusion::MtaStsUnencrypted, subject);
            findings.push(self.by_policy(found.object(told(&listing.held))));
        }
        findings
    }

    /// What the relay goes by, where anything is published.
    fn which(&self, subject: &str) -> Option<Finding> {
        let (conclusion, object) = match self.goes_by() {
            GoesBy::Nothing | GoesBy::Unanswered => return None,
            GoesBy::Ours => (Conclusion::GoesByOurConfiguration, String::new()),
            GoesBy::Dane { name, .. } => (Conclusion::GoesByDane, name.to_owned()),
            GoesBy::Policy(listing) => (Conclusion::GoesByMtaSts, told(&listing.held)),
            GoesBy::Tested(listing) => (Conclusion::GoesByTesting, told(&listing.held)),
        };
        Some(Finding::new(conclusion, subject).object(object))
    }

    /// The policy, where it demands something.
    fn listing(&self) -> Option<&Listing> {
        let listing = self.said.listing.as_ref()?;
        (listing.held.policy.mode != Mode::None).then_some(listing)
    }

    fn dane_not_met(
        &self,
        problem: &CertificateProblem,
        session: &TlsSession,
        subject: &str,
    ) -> Finding {
        let found = match (problem, &session.certificate, &self.said.records) {
            (
                CertificateProblem::NotAsPublished { .. },
                Some(certificate),
                Published::Records { name, .. },
            ) => {
                // RFC 7671 §5.1: the record that outlives a renewal with the same key.
                let fits = format!("{name}. IN TLSA 3 1 1 {}", certificate.key_sha256);
                Finding::new(Conclusion::DaneNotMet, subject).object(fits)
            }
            _ => Finding::new(Conclusion::DaneChainInvalid, subject).object(problem.to_string()),
        };
        self.by_dns(found)
    }

    /// What is wrong by the signed DNS keeps our mail only where we go by it.
    pub(crate) fn by_dns(&self, finding: Finding) -> Finding {
        match self.goes_by() {
            GoesBy::Dane { .. } | GoesBy::Unanswered => finding,
            _ => finding.verdict(Verdict::Warning),
        }
    }

    /// The same for the policy.
    pub(crate) fn by_policy(&self, finding: Finding) -> Finding {
        match self.goes_by() {
            GoesBy::Policy(_) => finding,
            _ => finding.verdict(Verdict::Warning),
        }
    }
}

fn record_of(trust: &Trust) -> &str {
    match trust {
        Trust::Dane { record } => record,
        Trust::Opportunistic { .. } | Trust::Authority { .. } | Trust::Fingerprint { .. } => "",
    }
}
