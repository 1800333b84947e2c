//! Facts of TLS policies that the recipients' side publishes (RFC 7672, RFC 8461), and of what came of
//! each session under them, as RFC 8460 counts it.

use std::fmt;

use crate::facts::BreakKind;
use crate::tls::{CertificateProblem, TlsFailure, WhyInsecure};

/// What came of one session with a mail exchanger, or of looking for a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The domain of the recipients.
    pub domain: String,
    /// What it publishes.
    pub policy: AppliedPolicy,
    /// The server; `None`: there was no session, the policy itself could not be had.
    pub server: Option<Server>,
    /// Whether the session was as the policy demands; without a policy, whether it was encrypted.
    pub outcome: Result<(), Shortfall>,
}

/// The policy that applied (RFC 8460 §4.2, `policy-type`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppliedPolicy {
    /// `tlsa`.
    Dane {
        /// Where the records are, like `_25._tcp.mx.example.org`.
        name: String,
        /// The records, as in a zone file.
        records: Vec<String>,
    },
    /// `sts`.
    Sts(StsFacts),
    /// `no-policy-found`.
    None,
}

/// A policy of MTA-STS (RFC 8461 §3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsFacts {
    /// The `id` of the record in the DNS; empty where none is known.
    pub id: String,
    /// The lines of the policy as they came; none: it could not be had.
    pub lines: Vec<String>,
    /// Its patterns of exchangers.
    pub mx: Vec<String>,
}

/// Both ends of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The server's name, as routed (`receiving-mx-hostname`).
    pub host: String,
    /// Its address with the port (`receiving-ip`).
    pub address: String,
    /// Our address (`sending-mta-ip`), where one was chosen.
    pub from: Option<String>,
}

/// What a session fell short of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// In the words of RFC 8460.
    pub result: ResultType,
    /// In ours (`failure-reason-code`).
    pub reason: String,
}

/// The result types of RFC 8460 §4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResultType {
    /// The server does not offer STARTTLS.
    StartTlsNotSupported,
    /// The certificate is for other names.
    CertificateHostMismatch,
    /// The certificate's time is over.
    CertificateExpired,
    /// Nobody whom we trust vouches for the certificate.
    CertificateNotTrusted,
    /// Something else.
    ValidationFailure,
    /// No TLSA record can be used, or none fits.
    TlsaInvalid,
    /// The resolver gave no valid answer for the TLSA records.
    DnssecInvalid,
    /// The policy of MTA-STS could not be fetched.
    StsPolicyFetchError,
    /// The policy of MTA-STS is not one.
    StsPolicyInvalid,
    /// The certificate of the policy's web server is not valid.
    StsWebpkiInvalid,
}

impl ResultType {
    /// As in a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ResultType::StartTlsNotSupported => "starttls-not-supported",
            ResultType::CertificateHostMismatch => "certificate-host-mismatch",
            ResultType::CertificateExpired => "certificate-expired",
            ResultType::CertificateNotTrusted => "certificate-not-trusted",
            ResultType::ValidationFailure => "validation-failure",
            ResultType::TlsaInvalid => "tlsa-invalid",
            ResultType::DnssecInvalid => "dnssec-invalid",
            ResultType::StsPolicyFetchError => "sts-policy-fetch-error",
            ResultType::StsPolicyInvalid => "sts-policy-invalid",
            ResultType::StsWebpkiInvalid => "sts-webpki-invalid",
        }
    }
}

impl fmt::Display for ResultType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Shortfall {
    /// From why a connection is not as it was wanted.
    #[must_use]
    pub fn of(why: &WhyInsecure) -> Shortfall {
        let result = match why {
            WhyInsecure::NotOffered => ResultType::StartTlsNotSupported,
            WhyInsecure::TlsaUnanswered { .. } => ResultType::DnssecInvalid,
            WhyInsecure::Handshake(TlsFailure::Certificate { problem, .. }) => {
                return Shortfall::of_certificate(problem);
            }
            WhyInsecure::Refused(_)
            | WhyInsecure::Broke(_)
            | WhyInsecure::NotInPolicy
            | WhyInsecure::Handshake(_)
            | WhyInsecure::Unavailable => ResultType::ValidationFailure,
        };
        let reason =
            if let WhyInsecure::Broke(how) | WhyInsecure::Handshake(TlsFailure::Broke(how)) = why {
                broke(*how).to_owned()
            } else {
                why.to_string()
            };
        Shortfall { result, reason }
    }

    /// From what is wrong with a certificate.
    #[must_use]
    pub fn of_certificate(problem: &CertificateProblem) -> Shortfall {
        let result = match problem {
            CertificateProblem::Expired { .. } => ResultType::CertificateExpired,
            CertificateProblem::NameMismatch { .. } => ResultType::CertificateHostMismatch,
            CertificateProblem::NotAsPublished { .. } => ResultType::TlsaInvalid,
            CertificateProblem::NotYetValid { .. }
            | CertificateProblem::SelfSigned
            | CertificateProblem::UnknownIssuer { .. }
            | CertificateProblem::WrongFingerprint { .. }
            | CertificateProblem::WrongPurpose
            | CertificateProblem::BadSignature
            | CertificateProblem::Unusable { .. } => ResultType::CertificateNotTrusted,
        };
        Shortfall {
            result,
            reason: problem.to_string(),
        }
    }
}

const fn broke(how: BreakKind) -> &'static str {
    match how {
        BreakKind::Closed => "the connection was closed at STARTTLS",
        BreakKind::Reset => "the connection was reset at STARTTLS",
        BreakKind::TimedOut => "STARTTLS did not end in time",
    }
}
