//! Why mail of ours goes without a DKIM signature.

use serde::{Deserialize, Serialize};

/// Why a message was not signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotSigned {
    /// No record of its author's domain has the key.
    NotPublished {
        /// The domain.
        domain: String,
        /// The selectors whose records are missing or differ.
        selectors: Vec<String>,
    },
    /// Its author is not one.
    SeveralAuthors,
    /// Its header is beyond what is signed.
    HeaderTooLarge,
    /// The library could not.
    Failed {
        /// What it reported.
        reported: String,
    },
}
