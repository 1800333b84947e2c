//! What a report says.

use jiff::Timestamp;

/// A report of one sender's sessions with the servers of a domain (RFC 8460 §4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Who reports.
    pub organization: String,
    /// The first moment that it covers.
    pub start: Option<Timestamp>,
    /// The last.
    pub end: Option<Timestamp>,
    /// Whom to ask.
    pub contact: String,
    /// Its name.
    pub id: String,
    /// What came of the sessions under each policy.
    pub policies: Vec<PolicyReport>,
}

impl Report {
    /// The domain of whoever reports: that of `contact` (RFC 8460 §5.1, §5.3).
    #[must_use]
    pub fn submitter(&self) -> &str {
        let domain = self.contact.rsplit_once('@').map(|(_, domain)| domain);
        domain.unwrap_or(&self.contact)
    }
}

/// What came of the sessions under one policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyReport {
    /// The policy.
    pub policy: Policy,
    /// Sessions that were as it demands.
    pub successes: u64,
    /// Sessions that were not.
    pub failures: u64,
    /// The failures, by kind and place.
    pub details: Vec<FailureDetail>,
}

/// A policy of the domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Which kind.
    pub kind: PolicyKind,
    /// Its lines, or its TLSA records.
    pub lines: Vec<String>,
    /// The domain.
    pub domain: String,
    /// The patterns of its exchangers (MTA-STS), or the host whose TLSA records these are.
    pub mx: Vec<String>,
}

/// A kind of policy (RFC 8460 §4.4, `policy-type`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PolicyKind {
    /// `tlsa`: DANE (RFC 7672).
    Tlsa,
    /// `sts`: MTA-STS (RFC 8461).
    Sts,
    /// `no-policy-found`.
    #[default]
    None,
    /// Something else.
    Other(String),
}

impl PolicyKind {
    /// As in a report.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            PolicyKind::Tlsa => "tlsa",
            PolicyKind::Sts => "sts",
            PolicyKind::None => "no-policy-found",
            PolicyKind::Other(name) => name,
        }
    }

    /// From a report.
    #[must_use]
    pub fn parse(text: &str) -> PolicyKind {
        match text.to_ascii_lowercase().as_str() {
            "tlsa" => PolicyKind::Tlsa,
            "sts" => PolicyKind::Sts,
            "no-policy-found" => PolicyKind::None,
            _ => PolicyKind::Other(text.to_owned()),
        }
    }
}

/// Failures of one kind at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FailureDetail {
    /// Which kind.
    pub result: ResultType,
    /// The sender's address.
    pub sending_ip: Option<String>,
    /// The server of the domain.
    pub mx: Option<String>,
    /// The name that it gave at EHLO.
    pub helo: Option<String>,
    /// Its address.
    pub receiving_ip: Option<String>,
    /// How many sessions.
    pub count: u64,
    /// Where there is more to read.
    pub more: Option<String>,
    /// Why, in the words of the sender's software.
    pub reason: Option<String>,
}

macro_rules! results {
    ($($(#[$doc:meta])+ $name:ident = $id:literal,)+) => {
        /// Why a session failed (RFC 8460 §4.3, `result-type`).
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ResultType {
            $($(#[$doc])+ $name,)+
            /// Something that the standard does not know.
            Other(String),
        }

        impl ResultType {
            /// All that the standard knows.
            pub const ALL: &'static [ResultType] = &[$(ResultType::$name,)+];

            /// As in a report.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self { $(ResultType::$name => $id,)+ ResultType::Other(name) => name }
            }

            /// From a report.
            #[must_use]
            pub fn parse(text: &str) -> ResultType {
                match text.to_ascii_lowercase().as_str() {
                    $($id => ResultType::$name,)+
                    _ => ResultType::Other(text.to_owned()),
                }
            }
        }
    };
}

results! {
    /// The server does not offer STARTTLS.
    StartTlsNotSupported = "starttls-not-supported",
    /// The certificate is for other names.
    CertificateHostMismatch = "certificate-host-mismatch",
    /// The certificate's time is over.
    CertificateExpired = "certificate-expired",
    /// Nobody whom the sender trusts vouches for the certificate.
    CertificateNotTrusted = "certificate-not-trusted",
    /// Something else.
    #[default]
    ValidationFailure = "validation-failure",
    /// No TLSA record can be used, or none fits.
    TlsaInvalid = "tlsa-invalid",
    /// No valid answer for the TLSA records.
    DnssecInvalid = "dnssec-invalid",
    /// The sender wants DANE, and the domain has none.
    DaneRequired = "dane-required",
    /// The policy of MTA-STS could not be fetched.
    StsPolicyFetchError = "sts-policy-fetch-error",
    /// The policy of MTA-STS is not one.
    StsPolicyInvalid = "sts-policy-invalid",
    /// The certificate of the policy's web server is not valid.
    StsWebpkiInvalid = "sts-webpki-invalid",
}
