//! Queued recipients, and where they go when the routes have changed.

use smtp::Address;

use crate::{DestinationKey, MessageId};

/// A recipient that waits or is held, and may have to go elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moving {
    /// The message.
    pub message: MessageId,
    /// Its reverse-path.
    pub sender: Address,
    /// Position of the recipient in the envelope.
    pub index: u32,
    /// The recipient's address.
    pub recipient: Address,
    /// Where it goes as yet.
    pub from: DestinationKey,
}

/// One recipient that goes elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The message.
    pub message: MessageId,
    /// Position of the recipient in the envelope.
    pub index: u32,
    /// Where it went.
    pub from: DestinationKey,
    /// Where it goes.
    pub to: DestinationKey,
}
