//! STARTTLS of one server, and what its certificate is worth to those who demand one.

use callout::{Ended, Talk};
use diagnosis::finding::{Conclusion, Fact, Finding, Verdict};
use diagnosis::tls::{Certificate, CertificateProblem, TlsFailure, TlsSession};
use jiff::{SignedDuration, Timestamp};
use smtp::{Reply, Stage};
use tls::{Connector, Judgement};

use crate::demanded::OfHost;
use crate::judged::Judged;
use crate::settings::Demand;

/// So long before its end a certificate is warned about.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How encryption is tried.
#[derive(Clone, Copy)]
pub(crate) struct Trying<'a> {
    pub(crate) connector: &'a Connector,
    pub(crate) now: Timestamp,
    /// What is demanded there: by our configuration, and where [`Trying::of`] says so by the server's
    /// domain.
    pub(crate) demand: Demand,
    /// What the server's domain publishes.
    pub(crate) of: Option<&'a OfHost>,
}

/// What came of it.
pub(crate) enum Tried {
    /// The connection is secure.
    Secured(Vec<Finding>),
    /// The server refused; the connection goes on in the clear.
    Refused(Finding),
    /// The connection is gone.
    Gone(Finding),
}

impl<'a> Trying<'a> {
    /// The same with a server of which this is published.
    pub(crate) fn with(self, of: Option<&'a OfHost>) -> Trying<'a> {
        let demand = of.map_or(self.demand, |of| of.demand(self.demand));
        Trying { demand, of, ..self }
    }

    /// What follows from what is published where encryption does not come about.
    pub(crate) fn unencrypted(self, subject: &str) -> Vec<Finding> {
        self.of.map_or_else(Vec::new, |of| of.unencrypted(subject))
    }

    /// RFC 3207 §4.
    pub(crate) async fn start_tls(self, talk: &mut Talk, host: &str, subject: &str) -> Tried {
        let answer = talk.say(Stage::StartTls, Some("STARTTLS")).await;
        let facts = std::mem::take(&mut talk.facts);
        match answer {
            Ok(reply) if reply.code() == 220 => {
                let mut tried = self.shake(talk, host, subject).await;
                match &mut tried {
                    Tried::Gone(finding) => {
                        finding.facts.splice(0..0, facts);
                    }
                    Tried::Secured(_) | Tried::Refused(_) => {}
                }
                tried
            }
            Ok(reply) => Tried::Refused(self.refused(&reply, subject).facts(facts)),
            Err(ended) => {
                let failure = match ended {
                    Ended::Broke(how) => TlsFailure::Broke(how),
                    Ended::NotSmtp => TlsFailure::NotTls {
                        reported: "the answer to STARTTLS is no SMTP".to_owned(),
                    },
                };
                Tried::Gone(self.failed(failure, subject).facts(facts))
            }
        }
    }

    /// The handshake alone.
    pub(crate) async fn shake(self, talk: &mut Talk, host: &str, subject: &str) -> Tried {
        let asked = self.of.map_or(host, OfHost::asked);
        let questions = Judged::questions(host, self.of);
        match talk.secure(self.connector, asked, questions).await {
            Ok((session, answers)) => {
                let judged = Judged::of(answers);
                Tried::Secured(self.of_session(session, &judged, host, subject))
            }
            Err(failure) => Tried::Gone(self.failed(failure, subject)),
        }
    }

    /// The server answers nothing sensible under TLS.
    pub(crate) fn broke(self, subject: &str, facts: Vec<Fact>) -> Finding {
        let finding = Finding::new(Conclusion::TlsBreaks, subject);
        self.missing(finding).facts(facts)
    }

    /// Whether encryption is demanded.
    pub(crate) fn demands(self) -> bool {
        self.demand != Demand::Nothing
    }

    /// What keeps mail from going encrypted: a problem where we demand that it does.
    pub(crate) fn missing(self, finding: Finding) -> Finding {
        match self.demand {
            Demand::Nothing => finding,
            Demand::Encryption | Demand::Certificate => finding.verdict(Verdict::Problem),
        }
    }

    fn refused(self, reply: &Reply, subject: &str) -> Finding {
        let finding = Finding::new(Conclusion::TlsRefused, subject);
        self.missing(finding.object(reply.text()))
    }

    fn failed(self, failure: TlsFailure, subject: &str) -> Finding {
        let finding = Finding::new(Conclusion::TlsHandshakeFails, subject);
        let finding = finding.object(failure.to_string());
        self.missing(finding).facts(vec![Fact::NotSecured(failure)])
    }

    fn of_session(
        self,
        session: TlsSession,
        judged: &Judged,
        host: &str,
        subject: &str,
    ) -> Vec<Finding> {
        let works = Finding::new(Conclusion::TlsWorks, subject)
            .object(format!("{}, {}", session.protocol, session.cipher));
        let of_certificate = match &session.certificate {
            Some(certificate) => self.of_certificate(&judged.by_name, certificate, host, subject),
            None => vec![Finding::new(Conclusion::CertificateUnusable, subject).object("?")],
        };
        let published = self.of.map(|of| of.judge(&session, judged, subject));
        let mut findings = vec![works.facts(vec![Fact::Secured(Box::new(session))])];
        let of_certificate = of_certificate.into_iter().map(|finding| {
            match finding.conclusion == Conclusion::CertificateEndsSoon {
                // It is still good.
                false if finding.verdict > Verdict::Fine && self.demand == Demand::Certificate => {
                    finding.verdict(Verdict::Problem)
                }
                _ => finding,
            }
        });
        findings.extend(of_certificate);
        findings.extend(published.into_iter().flatten());
        findings
    }

    fn of_certificate(
        self,
        judgement: &Judgement,
        certificate: &Certificate,
        host: &str,
        subject: &str,
    ) -> Vec<Finding> {
        let problem = judgement.as_ref().err();
        let mut findings = Vec::new();
        let mut add = |conclusion, object: &str| {
            findings.push(Finding::new(conclusion, subject).object(object));
        };
        let until = &certificate.not_after;
        let ends_soon = until
            .parse::<Timestamp>()
            .is_ok_and(|until| until > self.now && until.duration_since(self.now) < SOON);
        match problem {
            None if !ends_soon => add(Conclusion::CertificateGood, until),
            None | Some(CertificateProblem::NameMismatch { .. }) => {}
            Some(problem) => {
                let (conclusion, object) = of_problem(problem);
                add(conclusion, &object);
            }
        }
        if ends_soon {
            add(Conclusion::CertificateEndsSoon, until);
        }
        // The library looks at the name only where all else is well.
        if !certificate.is_for(host) {
            let names = match certificate.names.is_empty() {
                true => "–".to_owned(),
                false => certificate.names.join(", "),
            };
            add(Conclusion::CertificateOtherName, &names);
        }
        findings
    }
}

fn of_problem(problem: &CertificateProblem) -> (Conclusion, String) {
    match problem {
        CertificateProblem::Expired { since } => (Conclusion::CertificateExpired, since.clone()),
        CertificateProblem::NotYetValid { from } => {
            (Conclusion::CertificateNotYetValid, from.clone())
        }
        CertificateProblem::NameMismatch { names, .. } => {
            (Conclusion::CertificateOtherName, names.join(", "))
        }
        CertificateProblem::SelfSigned => (Conclusion::CertificateSelfSigned, String::new()),
        CertificateProblem::UnknownIssuer { issuer } => {
            (Conclusion::CertificateUnknownIssuer, issuer.clone())
        }
        CertificateProblem::NotAsPublished { .. }
        | CertificateProblem::WrongFingerprint { .. }
        | CertificateProblem::WrongPurpose
        | CertificateProblem::BadSignature
        | CertificateProblem::Unusable { .. } => {
            (Conclusion::CertificateUnusable, problem.to_string())
        }
    }
}
