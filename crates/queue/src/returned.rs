//! What comes back of mail that was handed on: reports, complaints and answers, as the queue keeps them
//! with the message that they are about.

use diagnosis::Diagnosis;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smtp::Address;

use crate::MessageId;

/// Mail that came back, as the message that it is about remembers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Returned {
    /// Its name in the queue.
    pub report: MessageId,
    /// What it is.
    pub kind: ReturnKind,
    /// How it was found which message it is about.
    pub by: JoinedBy,
    /// What the failure means that it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
    /// The address that it names, where that is not the recipient's: the recipient forwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<String>,
    /// The server that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reporter: Option<String>,
    /// Its words about this recipient, the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// Under which name the sender was sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_on: Option<MessageId>,
    /// Whether the recipient was put on the suppression list for it.
    #[serde(default)]
    pub suppressed: bool,
}

/// What came back, with the message that it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct CameBack {
    /// When.
    pub at: Timestamp,
    /// The message.
    pub message: MessageId,
    /// Its reverse-path.
    pub sender: Address,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// Its recipient, where one is meant.
    pub recipient: Option<Address>,
    /// What came back.
    pub returned: Returned,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnKind {
    /// A report that it could not be delivered (RFC 3464, or one of the forms that are no standard).
    Failure,
    /// A report that it is late: it is still being tried.
    Delay,
    /// A complaint of a recipient (RFC 5965).
    Complaint,
    /// An automatic answer (RFC 3834): nothing failed.
    Answer,
    /// Anything else: a report of arrival, or what a person wrote.
    Other,
}

impl ReturnKind {
    /// The name as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ReturnKind::Failure => "failure",
            ReturnKind::Delay => "delay",
            ReturnKind::Complaint => "complaint",
            ReturnKind::Answer => "answer",
            ReturnKind::Other => "other",
        }
    }
}

/// How it was found which message a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinedBy {
    /// It came to the return address that this message was sent with, which nobody can forge.
    ReturnAddress,
    /// That return address stands in it.
    ReturnAddressInside,
    /// Our trace field stands in the header that it gives back.
    Trace,
    /// It gives the sender's own name for the message (RFC 3461 §4.4).
    EnvelopeId,
}

impl JoinedBy {
    /// Whether it shows that whoever wrote the report had the message in hand. The other signs can be
    /// known to others.
    #[must_use]
    pub const fn is_proof(self) -> bool {
        match self {
            JoinedBy::ReturnAddress | JoinedBy::ReturnAddressInside => true,
            JoinedBy::Trace | JoinedBy::EnvelopeId => false,
        }
    }

    /// The name as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            JoinedBy::ReturnAddress => "return_address",
            JoinedBy::ReturnAddressInside => "return_address_inside",
            JoinedBy::Trace => "trace",
            JoinedBy::EnvelopeId => "envelope_id",
        }
    }
}
