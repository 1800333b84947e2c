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
    },
}

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
