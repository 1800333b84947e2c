//! What is written down about an attempt, and what was decided.

use diagnosis::{Attempt, Diagnosis};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{DestinationKey, MessageId};

/// One attempt as it is kept: the facts, and for each recipient the verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// The message.
    pub message: MessageId,
    /// The destination.
    pub destination: DestinationKey,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// What happened.
    pub attempt: Attempt,
    /// What was concluded, for each recipient of the attempt.
    pub verdicts: Vec<Verdict>,
}

/// The conclusion for one recipient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Position of the recipient in the envelope.
    pub index: u32,
    /// What the failure means; `None` where it was accepted.
    pub diagnosis: Option<Diagnosis>,
    /// What happens next.
    pub decision: Decision,
}

/// What happens to a recipient next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Nothing: the next hop has it.
    Delivered,
    /// Another attempt at that time, for that reason.
    RetryAt {
        /// When.
        at: Timestamp,
        /// Why then.
        basis: Basis,
    },
    /// Another attempt when something has happened.
    RetryWhen(WaitFor),
    /// Nothing until the administrator acts.
    Hold,
    /// The queue gives up and reports to the sender.
    Fail,
}

/// What a recipient waits for that is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// A next transaction with the same destination: this one had too many recipients.
    NextTransaction,
    /// Another server of the same destination, which is asked at once.
    OtherHost,
    /// The message to be converted for the receiver, which is done at once.
    Conversion,
    /// The administrator to resume the destination.
    Resume,
}

/// Why the next attempt is when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The peer's text asked for this wait.
    PeerAsked {
        /// The wait in seconds.
        seconds: u64,
    },
    /// The schedule for this cause, at this step of it.
    Schedule {
        /// Attempts so far.
        step: u32,
        /// The wait in seconds, before jitter.
        seconds: u64,
    },
    /// As long as such mail had to wait there before.
    Learnt {
        /// The wait in seconds.
        seconds: u64,
    },
    /// The destination as a whole is waiting; this recipient waits with it.
    Destination,
    /// The message's lifetime ends before the schedule's next step: one last attempt then.
    Lifetime,
    /// The sender asked to hold it until then (RFC 4865).
    SenderAsked,
    /// The administrator asked for it.
    Administrator,
    /// A restart: what was queued is tried when it was due.
    Restart,
}

/// A change of what is remembered about a destination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DestinationUpdate {
    /// No attempt before this time; `None` opens it.
    pub blocked_until: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// The last of them.
    pub last: Option<Diagnosis>,
}

/// Something that happened, for the log and the story.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// The message it concerns.
    pub message: Option<MessageId>,
    /// The recipient it concerns.
    pub recipient: Option<u32>,
    /// The destination it concerns.
    pub destination: Option<DestinationKey>,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The administrator held it.
    Held,
    /// It is held, as a filter asked.
    Quarantined {
        /// The filter, by its name in the configuration.
        filter: String,
        /// Why.
        why: crate::Quarantine,
    },
    /// The administrator released it.
    Released,
    /// The administrator asked for an attempt now.
    RetryAsked,
    /// The administrator removed it.
    Dropped,
    /// The administrator stopped the destination.
    Paused,
    /// The administrator let the destination go on.
    Resumed,
    /// The relay stopped after an attempt had begun: the next attempt may duplicate.
    Interrupted,
    /// A report about it was queued under this name.
    Reported {
        /// The report.
        report: MessageId,
    },
    /// A notice of delay was queued under this name (RFC 3461 §5.2.6).
    Delayed {
        /// The report.
        report: MessageId,
    },
    /// A report of arrival was queued under this name (RFC 3461 §5.2.3).
    ArrivalReported {
        /// The report.
        report: MessageId,
    },
    /// A report that its address stands for several was queued under this name (RFC 3461 §5.2.7).
    ExpansionReported {
        /// The report.
        report: MessageId,
    },
    /// No report: the sender asked not to be told (RFC 3461 §4.1).
    NotAsked,
    /// No report was due: the reverse-path is empty (RFC 5321 §4.5.5).
    NotReported,
    /// A recipient in a domain of ours was looked up.
    Expanded(crate::Expansion),
    /// No report: the sender's address is in a domain of ours, and nobody there has it.
    SenderUnknown,
    /// Something about it came back from where it had been handed on.
    Returned(Box<crate::Returned>),
    /// It came back from elsewhere: this is the message that it is about.
    Joined {
        /// That message.
        about: MessageId,
        /// How it was found.
        by: crate::JoinedBy,
        /// What it was taken for.
        kind: crate::ReturnKind,
    },
    /// It came to an address that is for what comes back, and is about no message that is known.
    NotJoined {
        /// What it was taken for.
        kind: crate::ReturnKind,
    },
    /// It was passed on under this name.
    PassedOn {
        /// The copy.
        copy: MessageId,
    },
    /// The configured route changed the destination.
    Rerouted {
        /// Where it was going before.
        from: DestinationKey,
    },
}
