//! The store trait: what keeps the queue.
//!
//! A call that returns `Ok` has made its change durable: it survives a crash of the process and a
//! loss of power. A call that returns an error has changed nothing, except that after
//! [`StoreError::Uncertain`] one cannot tell.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smtp::Address;

use crate::route::Imprint;
use crate::{
    AttemptRecord, Basis, CameBack, Deadline, Destination, DestinationKey, DestinationUpdate,
    Event, Message, MessageId, Move, Moving, Recipient, RecipientOptions, RecipientState,
    Rewritten, Verified,
};

/// A message that is to be kept, with its recipients.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The message.
    pub message: Message,
    /// Its content, as returned by [`BodyWriter::finish`].
    pub body: Body,
    /// Its recipients, in envelope order.
    pub recipients: Vec<NewRecipient>,
    /// What happened before it was kept: how its recipients came of those that the client named.
    pub events: Vec<Event>,
    /// Whether all of them wait for the administrator, who has to look at it first.
    pub held: bool,
}

impl NewMessage {
    /// Why its first attempt is when it is; nothing for one that goes at once.
    #[must_use]
    pub fn basis(&self) -> Option<Basis> {
        self.message.options.hold_until.map(|_| Basis::SenderAsked)
    }
}

/// A recipient that is to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRecipient {
    /// The address.
    pub address: Address,
    /// Where it goes.
    pub destination: DestinationKey,
    /// When it is tried first.
    pub next_attempt: Timestamp,
    /// What its envelope has in place of what the client gave.
    pub rewritten: Option<Arc<Rewritten>>,
    /// What the sender asked for.
    pub options: RecipientOptions,
}

impl NewRecipient {
    /// The address that the client gave, where another came of it.
    #[must_use]
    pub fn original(&self) -> Option<&Address> {
        self.rewritten.as_ref()?.original.as_ref()
    }
}

/// Content: in memory, or in a file that is read in pieces.
#[derive(Clone, Debug)]
pub enum Body {
    /// Small content, whole.
    Inline(Bytes),
    /// Large content.
    File(Arc<dyn BodySource>),
}

impl Body {
    /// Size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Body::Inline(bytes) => bytes.len() as u64,
            Body::File(source) => source.size(),
        }
    }
}

/// Large content, read in pieces.
#[async_trait]
pub trait BodySource: Send + Sync + std::fmt::Debug {
    /// Size in bytes.
    fn size(&self) -> u64;
    /// Where it lies, for messages to people.
    fn path(&self) -> PathBuf;
    /// Up to `length` bytes from `offset`; empty only at the end.
    async fn read(&self, offset: u64, length: usize) -> Result<Bytes, StoreError>;
}

/// Takes content as it comes in. Small content stays in memory; larger content goes to a file as it
/// comes. Dropped before [`finish`](BodyWriter::finish), it leaves nothing behind.
#[async_trait]
pub trait BodyWriter: Send {
    /// Appends a piece.
    async fn write(&mut self, piece: &[u8]) -> Result<(), StoreError>;
    /// Ends the content; a file is synced. What [`Store::accept`] does not take is removed when the
    /// `Body` is dropped, or at the next start.
    async fn finish(self: Box<Self>) -> Result<Body, StoreError>;
}

/// A destination with work to do.
#[derive(Clone, Debug, PartialEq)]
pub struct DueDestination {
    /// Which.
    pub destination: Destination,
    /// When its first recipient is due.
    pub earliest: Timestamp,
    /// How many recipients are queued for it.
    pub queued: u64,
}

/// A destination with queued recipients, and what decides when it is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub key: DestinationKey,
    /// When its first recipient is due.
    pub earliest: Timestamp,
    /// No attempt before this time.
    pub blocked_until: Option<Timestamp>,
    /// Failures in a row that concerned the whole destination.
    pub failures: u32,
    /// Stopped by the administrator.
    pub paused: bool,
}

/// What is due for a destination.
#[derive(Clone, Debug)]
pub struct Due {
    /// The messages with their due recipients: all senders by turns.
    pub queued: Vec<Queued>,
    /// When the next one after them is due: now, where there are more.
    pub next: Option<Timestamp>,
    /// Whose turn it was last: whence the next reading goes on.
    pub turn: Option<i64>,
}

/// A time in which our own line was down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// The first sign of it.
    pub began: Timestamp,
    /// The last time that it was known to be down.
    pub until: Timestamp,
}

/// The right to attempt deliveries to a destination. The token fences: a record under an older lease
/// of the same destination is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The destination.
    pub destination: DestinationKey,
    /// Grows with every lease of the destination.
    pub token: u64,
}

/// A message with those of its recipients that are due.
#[derive(Clone, Debug)]
pub struct Queued {
    /// The message.
    pub message: Arc<Message>,
    /// The due recipients.
    pub recipients: Vec<Recipient>,
    /// The content where the store has it at hand; else [`Store::body`] reads it.
    pub body: Option<Body>,
}

/// A line of the queue list: one recipient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The message.
    pub message: MessageId,
    /// Its reverse-path.
    pub sender: Address,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// Its size.
    pub size: u64,
    /// The recipient.
    pub recipient: Recipient,
    /// The destination's own state, where it has one.
    pub destination: Option<Destination>,
}

/// Which rows to list.
#[derive(Clone, Debug, Default)]
pub struct RowFilter {
    /// Only recipients that are not yet delivered, failed or dropped.
    pub open_only: bool,
    /// Only this message.
    pub message: Option<MessageId>,
    /// Only this destination.
    pub destination: Option<DestinationKey>,
    /// At most so many rows, by time of arrival, after this row.
    pub after: Option<(MessageId, u32)>,
    /// At most so many.
    pub limit: usize,
}

/// All that is known about one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// The message.
    pub message: Message,
    /// Its recipients.
    pub recipients: Vec<Recipient>,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptRecord>,
    /// What else happened, oldest first.
    pub events: Vec<Event>,
    /// Whether the content is still kept.
    pub has_body: bool,
    /// The destinations of the recipients, where they have a state of their own.
    pub destinations: Vec<Destination>,
    /// When our own line was down since the message came: it lives so much longer.
    pub outages: Vec<Outage>,
    /// What was found about the causes of its recipients' destinations, the latest of each.
    pub verified: Vec<Verified>,
}

/// Room on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes.
    pub bytes: u64,
    /// Files (inodes).
    pub files: u64,
}

/// Why the store did not do it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// No room on the disk.
    #[error("the disk with {} is full: {reported}", path.display())]
    Full {
        /// Where.
        path: PathBuf,
        /// What the system reported.
        reported: String,
    },
    /// The lease is no longer ours.
    #[error("the lease of {destination} has passed to somebody else")]
    Fenced {
        /// Which destination.
        destination: DestinationKey,
    },
    /// An attempt cannot begin for a recipient that is not queued: the administrator was faster.
    #[error("recipient {recipient} of `{message}` is not queued any more: it is {}", state.as_str())]
    NotQueued {
        /// The message.
        message: MessageId,
        /// Position of the recipient in the envelope.
        recipient: u32,
        /// Where it stands.
        state: RecipientState,
    },
    /// This access to the store only reads.
    #[error("the queue in {} is open for reading only", path.display())]
    ReadOnly {
        /// The data directory.
        path: PathBuf,
    },
    /// There is no such message.
    #[error("there is no message `{0}` in the queue")]
    NotFound(String),
    /// Several messages answer to this abbreviation.
    #[error("`{text}` fits {} messages, for example {} and {}", matches.len(), matches.first().map(ToString::to_string).unwrap_or_default(), matches.get(1).map(ToString::to_string).unwrap_or_default())]
    Ambiguous {
        /// What was asked for.
        text: String,
        /// Some that fit.
        matches: Vec<MessageId>,
    },
    /// Another process has the data directory.
    #[error("the data directory {} is in use by another Postrider{}", path.display(), pid.map(|p| format!(" (process {p})")).unwrap_or_default())]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process, where it left its number.
        pid: Option<u32>,
    },
    /// The operating system failed.
    #[error("{doing} {}: {reported}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system reported.
        reported: String,
    },
    /// The database refused or is damaged.
    #[error("the queue's database {}: {reported}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite reported.
        reported: String,
    },
    /// The database was written by a newer version.
    #[error("the queue's database {} has format {found}; this version reads up to {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known.
        known: u32,
    },
    /// The store has stopped; whether the change was made cannot be told.
    #[error("the store stopped before it could confirm the change")]
    Uncertain,
}

/// What keeps the queue.
#[async_trait]
pub trait Store: Send + Sync {
    /// Begins to take the content of a message.
    fn stage(&self, id: MessageId) -> Box<dyn BodyWriter>;

    /// Keeps a message. When this returns `Ok`, the message will not be lost.
    async fn accept(&self, new: NewMessage) -> Result<(), StoreError>;

    /// Every destination with queued recipients.
    async fn due_destinations(&self) -> Result<Vec<DueDestination>, StoreError>;

    /// The same, in what decides when they are tried: there may be very many.
    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError>;

    /// Takes the lease of a destination and fences every earlier one.
    async fn lease(&self, destination: &DestinationKey) -> Result<Lease, StoreError>;

    /// The queued recipients of a destination that are due at `now`, grouped by message, about `limit`
    /// recipients, leaving out those named in `except`; and when the next one after them is due.
    ///
    /// Senders take turns (`policy::lineup`): of each that has something due an equal share comes,
    /// longest-due first, beginning after whose turn it was last. It costs as much however much any
    /// of them has queued.
    async fn due(
        &self,
        lease: &Lease,
        now: Timestamp,
        limit: usize,
        except: &[(MessageId, u32)],
        turn: Option<i64>,
    ) -> Result<Due, StoreError>;

    /// Writes down what was found about the cause of a destination's failures, in place of what was found
    /// about it before.
    async fn note_findings(&self, verified: Verified) -> Result<(), StoreError>;

    /// Writes down that our own line was down from `began` and still is at `until`. The lifetime of
    /// what was queued meanwhile grows by that time.
    async fn note_outage(&self, began: Timestamp, until: Timestamp) -> Result<(), StoreError>;

    /// The queued recipients of a destination whose message's lifetime has ended at `now`, whenever
    /// they are due, grouped by message; at most `limit`, oldest first, without bodies.
    async fn overdue(
        &self,
        destination: &DestinationKey,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Queued>, StoreError>;

    /// The content of a message.
    async fn body(&self, id: MessageId) -> Result<Body, StoreError>;

    /// Writes down that an attempt is about to transmit: the recipients become `Sending`.
    /// After a crash this tells which outcomes are unknown.
    async fn begin(
        &self,
        lease: &Lease,
        message: MessageId,
        recipients: &[u32],
    ) -> Result<(), StoreError>;

    /// Writes down what an attempt came to, all in one transaction: the attempt, the recipients' new
    /// states, the destination's, and the reports that are due. The content of a message whose
    /// recipients are all final is removed.
    async fn record(
        &self,
        lease: &Lease,
        record: AttemptRecord,
        destination: Option<DestinationUpdate>,
        reports: Vec<NewMessage>,
        events: Vec<Event>,
    ) -> Result<(), StoreError>;

    /// Keeps reports that come of no attempt, with the events that tell of them, in one transaction.
    async fn tell(&self, reports: Vec<NewMessage>, events: Vec<Event>) -> Result<(), StoreError>;

    /// Messages with recipients that are queued and that were accepted until `before`, oldest first, after
    /// this one, at most `limit`.
    async fn late(
        &self,
        after: Option<MessageId>,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<MessageId>, StoreError>;

    /// Open messages to be delivered by a time that their senders set (RFC 2852), with the times.
    async fn deadlines(&self) -> Result<Vec<(MessageId, Deadline)>, StoreError>;

    /// The open recipients whose attempt was interrupted by a crash are put back to `Queued`, with an
    /// `Interrupted` event and a recorded attempt of unknown outcome each. Done once at start.
    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Lines of the queue list.
    async fn rows(&self, filter: RowFilter) -> Result<Vec<Row>, StoreError>;

    /// The message with this name or unambiguous part of it (at least 4 characters).
    async fn find(&self, text: &str) -> Result<MessageId, StoreError>;

    /// The latest message that its sender gave this name (RFC 3461 §4.4, decoded).
    async fn find_envelope(&self, envelope_id: &str) -> Result<Option<MessageId>, StoreError>;

    /// What came back of messages whose history is kept, the latest first: since that time, at most
    /// `limit`.
    async fn returned(
        &self,
        since: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<CameBack>, StoreError>;

    /// All that is known about a message.
    async fn story(&self, id: MessageId) -> Result<Story, StoreError>;

    /// Changes open recipients of a message by the administrator's wish: to `Held`, to `Queued` (due
    /// at `at`), or to `Dropped`; writes the event; answers which recipients changed.
    async fn change(
        &self,
        id: MessageId,
        recipients: Option<&[u32]>,
        to: RecipientState,
        at: Timestamp,
    ) -> Result<Vec<Recipient>, StoreError>;

    /// Stops or lets go on a destination.
    async fn pause(
        &self,
        destination: &DestinationKey,
        paused: bool,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// By which routes all that waits was gone through last. `None`: that is not known, or it was
    /// begun and has not ended.
    async fn routed_by(&self) -> Result<Option<Imprint>, StoreError>;

    /// Writes that down: `None` before the first recipient is moved, the routes after the last one.
    async fn note_routed_by(&self, routes: Option<Imprint>) -> Result<(), StoreError>;

    /// Recipients that wait or are held and that nobody is sending, in the order of messages, after
    /// this one, at most `limit`.
    async fn movable(
        &self,
        after: Option<(MessageId, u32)>,
        limit: usize,
    ) -> Result<Vec<Moving>, StoreError>;

    /// Moves recipients, in one transaction, with an event each: what waits is due at once (`at`), what
    /// is held stays so. Who is not where the move says, or is being sent, stays. Answers how many moved.
    async fn reroute(&self, moves: Vec<Move>, at: Timestamp) -> Result<u64, StoreError>;

    /// Removes messages that ended before `before`, with their history; answers how many.
    async fn prune(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError>;

    /// Stops receiving by the administrator's wish, or lets it go on; answers since when it was stopped
    /// before. It stays so over restarts.
    async fn pause_intake(
        &self,
        paused: bool,
        at: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// Since when receiving is stopped, if it is.
    async fn intake_paused(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Room free for the store.
    fn room(&self) -> Result<Room, StoreError>;
}
