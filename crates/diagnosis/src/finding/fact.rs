//! The evidence of a finding, as typed facts.

use serde::{Deserialize, Serialize};
use smtp::{Extensions, Reply, Stage};

use crate::Cause;
use crate::facts::{BreakKind, ConnectTry, PathState, RouteStep};
use crate::tls::{TlsFailure, TlsSession};

/// A fact that was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// A question to the DNS.
    Asked {
        /// The kind of record, as in a zone file.
        kind: String,
        /// The name.
        name: String,
        /// What came back.
        answer: Answer,
        /// Who was asked, where it is known.
        servers: Vec<String>,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// A step of the route.
    Route(RouteStep),
    /// A connection came about.
    Connected {
        /// The address of ours that it comes from, where it is known.
        from: Option<String>,
        /// Address and port.
        address: String,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// A connection did not come about.
    NotConnected(ConnectTry),
    /// The server said something.
    Said {
        /// At which step.
        stage: Stage,
        /// The command that it answers, where it answers one.
        command: Option<String>,
        /// Its words.
        reply: Reply,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// The connection ended before its time.
    Broke {
        /// At which step.
        stage: Stage,
        /// How.
        how: BreakKind,
        /// How long it took, in milliseconds.
        after_ms: u64,
    },
    /// What was received is no SMTP: its first bytes, lossily decoded.
    Received {
        /// The bytes.
        text: String,
    },
    /// What the server announced.
    Announced(Extensions),
    /// The connection was encrypted, with this certificate.
    Secured(Box<TlsSession>),
    /// The handshake failed.
    NotSecured(TlsFailure),
    /// What the system knows of the way to the server.
    Path(PathState),
    /// A term of an SPF record was tried (RFC 7208 §4.6).
    SpfTerm {
        /// The domain whose record it stands in.
        domain: String,
        /// The term as written.
        term: String,
        /// What came of it.
        outcome: SpfOutcome,
    },
    /// What is wrong with a record.
    Defect {
        /// What.
        defect: Defect,
        /// The place in the record.
        text: String,
    },
    /// An attempt of the past.
    Attempt {
        /// When it ended (RFC 3339).
        at: String,
        /// The destination.
        destination: String,
        /// Why it failed; `None`: it was taken.
        cause: Option<Cause>,
        /// At which step.
        stage: Option<Stage>,
        /// The peer's words.
        reply: Option<Reply>,
        /// Bytes of content that had been sent when the connection broke.
        sent: Option<u64>,
    },
    /// A destination of the queue and its last failure.
    Destination {
        /// Which.
        key: String,
        /// How many recipients wait for it.
        queued: u64,
        /// Failures in a row.
        failures: u32,
        /// The last cause.
        cause: Option<Cause>,
    },
    /// A server of the trail, newest first.
    Hop {
        /// The host that wrote the `Received` field.
        host: String,
        /// Whether it occurs more than once.
        again: bool,
    },
    /// A number.
    Counted {
        /// Of what.
        what: Counted,
        /// How many.
        count: u64,
    },
}

/// What the DNS came back with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// These records, each as in a zone file with its kind before it, aliases included.
    Records(Vec<String>),
    /// The name exists and has no such record.
    NoRecords,
    /// The name does not exist (NXDOMAIN).
    NoSuchName,
    /// It is no domain name.
    NotAName,
    /// The server says that it failed (SERVFAIL).
    ServerFailure,
    /// The server refuses (REFUSED).
    Refused,
    /// Nothing came in time.
    TimedOut,
    /// The server cannot be reached.
    Unreachable,
    /// Something that is no answer; the resolver's words.
    Unclear(String),
}

/// What came of a term of an SPF record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpfOutcome {
    /// It speaks of our address: the evaluation ends here.
    Matches,
    /// It does not speak of our address.
    Passes,
    /// It leads on to another record.
    LeadsOn,
    /// It cannot be used.
    Broken,
    /// A question of it has no answer.
    Unanswered,
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Defect {
    /// There are several where one must be.
    Several,
    /// A mechanism or tag that nobody knows.
    UnknownTerm,
    /// A value that is malformed.
    BadValue,
    /// A value that must be there is not.
    MissingValue,
    /// A modifier stands twice.
    Twice,
    /// More than ten questions are needed (RFC 7208 §4.6.4).
    TooManyLookups,
    /// More than two questions without an answer (RFC 7208 §4.6.4).
    TooManyVoid,
    /// An include or redirect leads to a domain without a record.
    NoRecordThere,
    /// An include or redirect leads round in a circle.
    Circle,
}

impl Defect {
    /// Every one.
    pub const ALL: &'static [Defect] = &[
        Defect::Several,
        Defect::UnknownTerm,
        Defect::BadValue,
        Defect::MissingValue,
        Defect::Twice,
        Defect::TooManyLookups,
        Defect::TooManyVoid,
        Defect::NoRecordThere,
        Defect::Circle,
    ];

    /// The name, as in JSON.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Defect::Several => "several",
            Defect::UnknownTerm => "unknown-term",
            Defect::BadValue => "bad-value",
            Defect::MissingValue => "missing-value",
            Defect::Twice => "twice",
            Defect::TooManyLookups => "too-many-lookups",
            Defect::TooManyVoid => "too-many-void",
            Defect::NoRecordThere => "no-record-there",
            Defect::Circle => "circle",
        }
    }
}

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// Recipients that are being sent to.
    Sending,
    /// `Received` fields.
    Hops,
    /// Bytes of the message.
    MessageSize,
}
