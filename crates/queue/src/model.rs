//! What the queue holds.

use std::fmt;
use std::sync::Arc;

use diagnosis::Diagnosis;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smtp::Address;

use crate::{BodyKind, MessageId, Options, RecipientOptions};

/// A message without its body and recipients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its name in the queue.
    pub id: MessageId,
    /// The reverse-path; `<>` for a report.
    pub sender: Address,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// When the queue gives up.
    pub expires_at: Timestamp,
    /// Size in bytes as stored, our trace header included.
    pub size: u64,
    /// What the content needs from the way.
    pub body_kind: BodyKind,
    /// Whether the envelope or header needs SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// Number of `Received` fields, ours included.
    pub hops: u32,
    /// Mail from outside, or a report of our own.
    pub kind: MessageKind,
    /// Who gave it to us.
    pub origin: Origin,
    /// What the sender asked for.
    #[serde(default)]
    pub options: Options,
}

/// Mail from outside, or a report of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Mail that a client submitted or relayed.
    Mail,
    /// A delivery status notification that this relay wrote, or its report on TLS to a domain.
    Report,
}

/// Who gave a message to the relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The client's address, or `local` for the relay itself.
    pub client: String,
    /// The name it gave at EHLO or HELO.
    pub helo: Option<String>,
    /// The protocol, as in `Received … with` (RFC 3848).
    pub protocol: String,
    /// For a report: the message it is about.
    pub about: Option<MessageId>,
}

/// The next hop and its policy: the unit of lease, concurrency and back-off.
///
/// The text is `mx:example.org` for a domain looked up in the DNS, else the configured next hop as
/// it stands in the routes: `smtp://host:port`, `lmtp://host:port`, `lmtp+unix:/path`, `maildir:/path`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DestinationKey(Arc<str>);

impl DestinationKey {
    /// The destination with this text. `route::Routes` makes them; the store reads them back.
    #[must_use]
    pub fn new(text: &str) -> DestinationKey {
        DestinationKey(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DestinationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for DestinationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}

/// One recipient of a message: the unit of decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipient {
    /// Position in the envelope, from 0.
    pub index: u32,
    /// The forward-path's address.
    pub address: Address,
    /// Where it goes.
    pub destination: DestinationKey,
    /// Where it stands.
    pub state: RecipientState,
    /// When it is tried next; only for `Queued`.
    pub next_attempt: Option<Timestamp>,
    /// Attempts so far.
    pub attempts: u32,
    /// What the last attempt came to, if it failed.
    pub last: Option<Diagnosis>,
    /// Why the next attempt is when it is.
    pub basis: Option<crate::Basis>,
    /// What its envelope has in place of what the client gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewritten: Option<Arc<crate::Rewritten>>,
    /// What the sender asked for.
    #[serde(default)]
    pub options: RecipientOptions,
}

/// Where a recipient stands. Durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientState {
    /// Waits for its next attempt.
    Queued,
    /// An attempt has begun whose outcome is not recorded. Found after a crash, the outcome is unknown.
    Sending,
    /// Waits for the administrator.
    Held,
    /// The next hop took it.
    Delivered,
    /// Given up, and reported to the sender where there is one.
    Failed,
    /// Removed by the administrator.
    Dropped,
}

impl Recipient {
    /// The reverse-path that it is sent with, where that is not the message's.
    #[must_use]
    pub fn sender(&self) -> Option<&Address> {
        self.rewritten.as_ref()?.sender.as_ref()
    }

    /// The address that the client gave, where another came of it.
    #[must_use]
    pub fn original(&self) -> Option<&Address> {
        self.rewritten.as_ref()?.original.as_ref()
    }
}

impl RecipientState {
    /// Whether nothing more will happen to the recipient.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Sending | Self::Held => false,
            Self::Delivered | Self::Failed | Self::Dropped => true,
        }
    }

    /// The name as shown and stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Held => "held",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

/// What the queue remembers of a destination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    /// Its key.
    pub key: DestinationKey,
    /// No attempt before this time.
    pub blocked_until: Option<Timestamp>,
    /// Failures in a row that concerned the whole destination.
    pub failures: u32,
    /// The last of them.
    pub last: Option<Diagnosis>,
    /// Stopped by the administrator.
    pub paused: bool,
}
