//! Facts of ACME (RFC 8555): why a certificate could not be had.

use serde::{Deserialize, Serialize};

/// Why a certificate could not be had from an authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcmeFailure {
    /// At which step.
    pub step: AcmeStep,
    /// For which of the names, where it is about one.
    pub name: Option<String>,
    /// Why.
    pub why: AcmeProblem,
}

/// A step on the way to a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcmeStep {
    /// The account (§7.3), with the directory (§7.1.1).
    Account,
    /// The order (§7.4).
    Order,
    /// Showing that a name is ours (§7.5), by HTTP (§8.3).
    Challenge,
    /// The request for the certificate, and the certificate (§7.4, §7.4.2).
    Certificate,
    /// Writing it down here.
    Keeping,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcmeProblem {
    /// The authority said so in a problem document (§6.7).
    Said {
        /// The type without its prefix, like `unauthorized`; empty: none was given.
        kind: String,
        /// Its words.
        detail: String,
    },
    /// The authority cannot be reached.
    Unreachable {
        /// What was reported.
        reported: String,
    },
    /// The authority did not come to an end in time.
    TimedOut,
    /// The authority does not offer HTTP-01 for the name.
    NoHttpChallenge,
    /// The authority's answer cannot be understood.
    Unusable {
        /// What was reported.
        reported: String,
    },
    /// A file cannot be read or written here.
    Disk {
        /// Which, and what the system reported.
        reported: String,
    },
}

impl AcmeStep {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            AcmeStep::Account => "account",
            AcmeStep::Order => "order",
            AcmeStep::Challenge => "challenge",
            AcmeStep::Certificate => "certificate",
            AcmeStep::Keeping => "keeping",
        }
    }
}

impl AcmeProblem {
    /// The type of the authority's problem document; for what is not from there, a name of ours.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            AcmeProblem::Said { kind, .. } => kind,
            AcmeProblem::Unreachable { .. } => "unreachable",
            AcmeProblem::TimedOut => "timed-out",
            AcmeProblem::NoHttpChallenge => "no-http-challenge",
            AcmeProblem::Unusable { .. } => "unusable",
            AcmeProblem::Disk { .. } => "disk",
        }
    }

    /// What was said or reported; nothing where there is nothing.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            AcmeProblem::Said { detail, .. } => detail,
            AcmeProblem::Unreachable { reported }
            | AcmeProblem::Unusable { reported }
            | AcmeProblem::Disk { reported } => reported,
            AcmeProblem::TimedOut | AcmeProblem::NoHttpChallenge => "",
        }
    }
}
