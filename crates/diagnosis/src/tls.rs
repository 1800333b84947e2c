//! Facts of TLS: sessions, certificates, and handshakes that failed.
//!
//! Times are RFC 3339 in UTC, fingerprints are SHA-256 in lower-case hex.

use std::fmt;

use serde::{Deserialize, Serialize};
use smtp::Reply;

use crate::facts::BreakKind;

/// A TLS session as it came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSession {
    /// The protocol, like `TLSv1.3`.
    pub protocol: String,
    /// The cipher suite by its IANA name.
    pub cipher: String,
    /// The peer's certificate, where it showed one that can be read.
    pub certificate: Option<Certificate>,
    /// How the peer's identity was found.
    pub trust: Trust,
}

/// How it is known who the peer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// It was not asked for (RFC 7435); what a check by the authorities would have found wrong.
    Opportunistic {
        /// `None`: nothing.
        problem: Option<CertificateProblem>,
    },
    /// An authority that we trust vouches for the name.
    Authority {
        /// The name.
        name: String,
    },
    /// The domain publishes it in the signed DNS (RFC 7672).
    Dane {
        /// The record that fits, as in a zone file.
        record: String,
    },
    /// It is the one that was configured.
    Fingerprint {
        /// The fingerprint that fits.
        sha256: String,
    },
}

/// What a certificate says (RFC 5280).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// DNS names and addresses that it holds for.
    pub names: Vec<String>,
    /// From when on it is valid.
    pub not_before: String,
    /// Until when.
    pub not_after: String,
    /// Fingerprint of the certificate.
    pub sha256: String,
    /// Fingerprint of its public key (SubjectPublicKeyInfo).
    pub key_sha256: String,
}

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateProblem {
    /// Its time is over.
    Expired {
        /// Since when.
        since: String,
    },
    /// Its time has not come.
    NotYetValid {
        /// When it comes.
        from: String,
    },
    /// It holds for other names.
    NameMismatch {
        /// The names of which one would do.
        wanted: Vec<String>,
        /// The names that it has.
        names: Vec<String>,
    },
    /// It vouches for itself.
    SelfSigned,
    /// Its issuer is none that we trust, and leads to none.
    UnknownIssuer {
        /// The issuer.
        issuer: String,
    },
    /// It is not what the domain publishes in the DNS.
    NotAsPublished {
        /// The TLSA records that could be used, as in a zone file.
        records: Vec<String>,
    },
    /// It is not the one that was configured.
    WrongFingerprint {
        /// The fingerprints of which one would do.
        wanted: Vec<String>,
    },
    /// It is not for servers.
    WrongPurpose,
    /// A signature in it is wrong.
    BadSignature,
    /// It cannot be read, or something else is wrong with it.
    Unusable {
        /// What was reported.
        reported: String,
    },
}

/// A connection that is not as secure as it was wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Insecure {
    /// The server's name, as routed.
    pub host: String,
    /// What was wanted.
    pub wanted: Wanted,
    /// Why it is not so.
    pub why: WhyInsecure,
}

/// How secure a connection is wanted to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Encrypted if it can be (RFC 7435).
    IfPossible,
    /// Encrypted, with whomever.
    Encrypted,
    /// Encrypted, with a certificate by an authority for one of these names.
    Authority {
        /// The names.
        names: Vec<String>,
    },
    /// Encrypted, with one of these certificates or keys.
    Fingerprint {
        /// The fingerprints.
        sha256: Vec<String>,
    },
    /// As the signed DNS of the recipients' side says (RFC 7672).
    Dane {
        /// Where it says so, like `_25._tcp.mx.example.org`.
        name: String,
        /// The TLSA records, as in a zone file; none: they could not be looked up.
        records: Vec<String>,
        /// Whether one of them can be used; none: encrypted, with whomever (§2.2).
        usable: bool,
    },
    /// As the recipients' domain says by MTA-STS (RFC 8461).
    MtaSts {
        /// The domain.
        domain: String,
        /// The policy's id.
        id: String,
        /// Its patterns of exchangers.
        mx: Vec<String>,
    },
}

/// Why a connection is not secure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyInsecure {
    /// The server does not announce STARTTLS.
    NotOffered,
    /// The server announces STARTTLS and refuses it.
    Refused(Reply),
    /// The connection ended at STARTTLS, or at once after the handshake.
    Broke(BreakKind),
    /// The handshake failed.
    Handshake(TlsFailure),
    /// TLS cannot be done here.
    Unavailable,
    /// Whether there are TLSA records for the server could not be found out (RFC 7672 §2.1.2).
    TlsaUnanswered {
        /// The question.
        question: String,
        /// What the resolver reported.
        reported: String,
    },
    /// The policy of MTA-STS does not name this server (RFC 8461 §4.1).
    NotInPolicy,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wanted::IfPossible => f.write_str("encryption if possible"),
            Wanted::Encrypted => f.write_str("encryption is required"),
            Wanted::Authority { names } => write!(
                f,
                "encryption is required, with a certificate for {}",
                names.join(" or ")
            ),
            Wanted::Fingerprint { sha256 } => write!(
                f,
                "encryption is required, with the certificate or key of SHA-256 {}",
                sha256.join(" or ")
            ),
            Wanted::Dane { name, records, .. } if records.is_empty() => {
                write!(f, "DANE, by the signed DNS at {name}")
            }
            Wanted::Dane {
                name,
                records,
                usable,
            } => {
                let records = records.join("; ");
                match usable {
                    true => write!(f, "DANE: {name} TLSA {records}"),
                    false => write!(f, "DANE: {name} TLSA {records} (none can be used)"),
                }
            }
            Wanted::MtaSts { domain, id, mx } => write!(
                f,
                "MTA-STS of {domain}, id {id}, mode enforce, mx {}",
                list(mx, "none")
            ),
        }
    }
}

impl fmt::Display for WhyInsecure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WhyInsecure::NotOffered => f.write_str("the server does not announce STARTTLS"),
            WhyInsecure::Refused(reply) => write!(f, "STARTTLS was refused: {}", reply.text()),
            WhyInsecure::Broke(_) => f.write_str("the connection ended at STARTTLS"),
            WhyInsecure::Handshake(failure) => failure.fmt(f),
            WhyInsecure::Unavailable => f.write_str("this relay has TLS switched off"),
            WhyInsecure::TlsaUnanswered { question, reported } => {
                write!(f, "no valid answer to {question}: {reported}")
            }
            WhyInsecure::NotInPolicy => {
                f.write_str("the domain's policy of MTA-STS does not name this server")
            }
        }
    }
}

impl Certificate {
    /// Whether it holds for this name or address (RFC 9525 §6.3): by itself, or by a `*` in place of
    /// the first label.
    #[must_use]
    pub fn is_for(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        let above = host.split_once('.').map(|(_, above)| above);
        self.names.iter().any(|name| {
            name.eq_ignore_ascii_case(host)
                || match (name.strip_prefix("*."), above) {
                    (Some(name), Some(above)) => name.eq_ignore_ascii_case(above),
                    _ => false,
                }
        })
    }

    /// All of it on one line, as evidence.
    #[must_use]
    pub fn line(&self) -> String {
        format!(
            "certificate: subject {}, issuer {}, for {}, valid from {} until {}, SHA-256 {}",
            self.subject,
            self.issuer,
            list(&self.names, "no name"),
            self.not_before,
            self.not_after,
            self.sha256
        )
    }
}

/// How a handshake failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsFailure {
    /// We did not take the peer's certificate.
    Certificate {
        /// What is wrong with it.
        problem: CertificateProblem,
        /// What it says, where it can be read.
        certificate: Option<Box<Certificate>>,
    },
    /// The peer ended the handshake with an alert (RFC 8446 §6.2), like `handshake_failure`.
    Alert {
        /// Its name.
        alert: String,
    },
    /// The two have no protocol version, cipher or signature in common.
    NothingInCommon {
        /// What is missing.
        reported: String,
    },
    /// What came is not TLS.
    NotTls {
        /// What was seen.
        reported: String,
    },
    /// The connection broke in the handshake.
    Broke(BreakKind),
    /// The peer broke the protocol.
    Protocol {
        /// How.
        reported: String,
    },
}

impl fmt::Display for CertificateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CertificateProblem::Expired { since } => {
                write!(f, "the certificate expired at {since}")
            }
            CertificateProblem::NotYetValid { from } => {
                write!(f, "the certificate is not valid before {from}")
            }
            CertificateProblem::NameMismatch { wanted, names } => write!(
                f,
                "the certificate is for {}, not for {}",
                list(names, "no name"),
                wanted.join(" or ")
            ),
            CertificateProblem::SelfSigned => f.write_str("the certificate is self-signed"),
            CertificateProblem::UnknownIssuer { issuer } => {
                write!(f, "the certificate's issuer is not trusted: {issuer}")
            }
            CertificateProblem::NotAsPublished { records } => write!(
                f,
                "the certificate fits none of the TLSA records: {}",
                list(records, "none can be used")
            ),
            CertificateProblem::WrongFingerprint { wanted } => write!(
                f,
                "the certificate has another fingerprint than {}",
                wanted.join(" or ")
            ),
            CertificateProblem::WrongPurpose => f.write_str("the certificate is not for servers"),
            CertificateProblem::BadSignature => {
                f.write_str("a signature in the certificate is wrong")
            }
            CertificateProblem::Unusable { reported } => {
                write!(f, "the certificate cannot be used: {reported}")
            }
        }
    }
}

fn list(items: &[String], none: &str) -> String {
    match items {
        [] => none.to_owned(),
        items => items.join(", "),
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsFailure::Certificate { problem, .. } => problem.fmt(f),
            TlsFailure::Alert { alert } => write!(f, "the peer ended the handshake: alert {alert}"),
            TlsFailure::NothingInCommon { reported } => {
                write!(f, "no version or cipher in common: {reported}")
            }
            TlsFailure::NotTls { reported } => write!(f, "the peer does not speak TLS: {reported}"),
            TlsFailure::Broke(BreakKind::Closed) => {
                f.write_str("the connection was closed in the handshake")
            }
            TlsFailure::Broke(BreakKind::Reset) => {
                f.write_str("the connection was reset in the handshake")
            }
            TlsFailure::Broke(BreakKind::TimedOut) => {
                f.write_str("the handshake did not end in time")
            }
            TlsFailure::Protocol { reported } => {
                write!(f, "the peer broke the TLS protocol: {reported}")
            }
        }
    }
}

impl TlsFailure {
    /// Its name for the log: `certificate`, `alert`, …
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            TlsFailure::Certificate { .. } => "certificate",
            TlsFailure::Alert { .. } => "alert",
            TlsFailure::NothingInCommon { .. } => "nothing-in-common",
            TlsFailure::NotTls { .. } => "not-tls",
            TlsFailure::Broke(BreakKind::Closed) => "closed",
            TlsFailure::Broke(BreakKind::Reset) => "reset",
            TlsFailure::Broke(BreakKind::TimedOut) => "timed-out",
            TlsFailure::Protocol { .. } => "protocol",
        }
    }
}
