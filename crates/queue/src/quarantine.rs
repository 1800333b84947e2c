//! Why a message is kept back for the administrator, as a filter asked.

use serde::{Deserialize, Serialize};

/// Why a filter wants a message kept back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quarantine {
    /// It contains malware.
    Infected {
        /// What the scanner calls it.
        name: String,
    },
    /// It is larger than the scanner takes.
    TooLargeToScan {
        /// Its bytes.
        size: u64,
    },
    /// Its client or its domain is on a block list.
    Listed {
        /// What is listed.
        entry: String,
        /// By which list.
        zone: String,
    },
    /// It looks like spam.
    Spam {
        /// How much.
        score: f64,
        /// How much is too much.
        required: f64,
    },
    /// The domain in `From` asks for that, and nothing shows that the message is from there (DMARC).
    Dmarc {
        /// The domain.
        domain: String,
    },
    /// The domain of the sender does not let the client send for it (SPF).
    Spf {
        /// The domain.
        domain: String,
    },
    /// Whether it is from the domain cannot be told now.
    Unauthenticated {
        /// The domain.
        domain: String,
    },
    /// It is for the filter's own words.
    Said {
        /// The words.
        text: String,
    },
    /// The filter does not say.
    Unsaid,
}
