//! Addresses to which nothing is sent, and why: because the administrator said so, or because mail to
//! them came back and no more will ever arrive.

use async_trait::async_trait;
use diagnosis::{AddressDead, Cause, Diagnosis};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smtp::Address;

use crate::{MessageId, StoreError};

/// An address on the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suppressed {
    /// The address, its domain in lower case.
    pub address: String,
    /// Why.
    pub reason: SuppressionReason,
    /// Since when.
    pub since: Timestamp,
    /// Until when; `None`: until somebody takes it off.
    pub until: Option<Timestamp>,
}

/// Why an address is on the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// The administrator put it there, with what he noted.
    Administrator {
        /// His note.
        note: String,
    },
    /// Mail to it came to this end.
    Failed {
        /// What was met.
        cause: Cause,
        /// With which message.
        message: MessageId,
        /// Who told so.
        #[serde(default)]
        source: SuppressionSource,
        /// The mail that told so, by its name in the queue, where it came as mail.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        report: Option<MessageId>,
        /// In which words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<String>,
    },
}

/// Who told that an address is of no more use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionSource {
    /// Its server, when we tried to deliver.
    #[default]
    Delivery,
    /// A report that came back after the mail had been handed on.
    Bounce,
    /// Whoever has it, by a complaint.
    Complaint,
}

impl SuppressionReason {
    /// Who told, as it stands in JSON.
    #[must_use]
    pub const fn source(&self) -> &'static str {
        match self {
            SuppressionReason::Administrator { .. } => "administrator",
            SuppressionReason::Failed { source, .. } => match source {
                SuppressionSource::Delivery => "delivery",
                SuppressionSource::Bounce => "bounce",
                SuppressionSource::Complaint => "complaint",
            },
        }
    }

    /// What was met, as it stands in JSON: the id of a cause.
    #[must_use]
    pub const fn cause(&self) -> Option<Cause> {
        match self {
            SuppressionReason::Administrator { .. } => None,
            SuppressionReason::Failed { cause, .. } => Some(*cause),
        }
    }
}

/// How sure a diagnosis of what others report must be before an address is put on the list for it.
const SURE: f32 = 0.75;

/// Keeps the list. What is added survives a crash.
#[async_trait]
pub trait Suppressions: Send + Sync + std::fmt::Debug {
    /// Puts an address on the list; one that the administrator put there stays his.
    async fn suppress(&self, entry: Suppressed) -> Result<(), StoreError>;
    /// Takes it off; answers whether it was there.
    async fn release(&self, address: &Address) -> Result<bool, StoreError>;
    /// Whether it is there now.
    async fn suppressed(
        &self,
        address: &Address,
        now: Timestamp,
    ) -> Result<Option<Suppressed>, StoreError>;
    /// All that are there now, by address.
    async fn all(&self, now: Timestamp) -> Result<Vec<Suppressed>, StoreError>;
}

/// The address as the list has it: RFC 5321 §2.4, the domain has no case.
#[must_use]
pub fn suppression_key(address: &Address) -> String {
    match address.domain() {
        Some(domain) => format!("{}@{}", address.local(), domain.to_lowercase()),
        None => address.local().to_owned(),
    }
}

/// Whether a failure says that nothing will ever arrive at the address: it does not exist, or whoever has
/// it has complained.
#[must_use]
pub fn is_for_ever(diagnosis: &Diagnosis) -> bool {
    diagnosis.address_dead == AddressDead::True || diagnosis.cause == Cause::Complaint
}

/// The same of what somebody else reports, who may have met another failure than he tells.
#[must_use]
pub fn is_for_ever_as_told(diagnosis: &Diagnosis) -> bool {
    is_for_ever(diagnosis) && diagnosis.confidence >= SURE
}
