//! What is remembered beside the certificate.

use diagnosis::acme::AcmeFailure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is known of a certificate by ACME, whether or not there is one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The authority's directory.
    pub directory: String,
    /// The names that it is for.
    pub names: Vec<String>,
    /// When the certificate in use came; none: none has come yet.
    pub obtained: Option<Timestamp>,
    /// When it ends.
    pub until: Option<Timestamp>,
    /// When one is asked for next.
    pub next: Option<Timestamp>,
    /// Failures in a row since the last success.
    pub failures: u32,
    /// The last of them.
    pub failed: Option<Failed>,
}

/// A failure with its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// When.
    pub at: Timestamp,
    /// What.
    pub failure: AcmeFailure,
}
