//! Looking at causes: who is asked to, and what was found.

use std::fmt::Debug;

use diagnosis::{Cause, Diagnosis, Finding};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smtp::Address;

use crate::{DestinationKey, MessageId};

/// A failure whose cause may be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubt {
    /// The message.
    pub message: MessageId,
    /// Its reverse-path.
    pub sender: Address,
    /// A recipient that the failure concerns.
    pub recipient: Address,
    /// Where it was to go.
    pub destination: DestinationKey,
    /// What the failure means so far.
    pub diagnosis: Diagnosis,
}

/// Looks at causes, off the way of mail.
pub trait Verifier: Send + Sync + Debug {
    /// Takes note of a failure. Never waits: what there is no room for is left out.
    fn consider(&self, doubt: Doubt);
}

/// What was found about the cause of a destination's failures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verified {
    /// The destination.
    pub destination: DestinationKey,
    /// The cause that was in question.
    pub cause: Cause,
    /// When it was looked at.
    pub at: Timestamp,
    /// What was found.
    pub findings: Vec<Finding>,
}
