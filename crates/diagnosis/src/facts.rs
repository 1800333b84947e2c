//! What happened, as facts: the input of diagnosis and the record of an attempt.
//!
//! Nothing here is interpreted. A [`Reply`] occurs only where a peer really sent one; a failure of
//! ours or of the network has its own variant and is never dressed up as a reply.

use std::io;

pub use crate::path_state::PathState;
pub use crate::unsigned::NotSigned;

use crate::tls::{Insecure, TlsSession};
use serde::{Deserialize, Serialize};
use smtp::{Address, EnhancedStatus, Reply, Stage};

/// One try to hand one message to one destination, for some of its recipients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// How the next hop was found.
    pub route: Route,
    /// What was done, in order; times are milliseconds since the attempt began.
    pub steps: Vec<Step>,
    /// What came of it, for each recipient.
    pub recipients: Vec<RecipientAttempt>,
}

/// The outcome for one recipient of the message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecipientAttempt {
    /// Position of the recipient in the message's envelope, from 0.
    pub index: u32,
    /// The address as it was in the envelope.
    pub address: Address,
    /// What came of it.
    pub outcome: Outcome,
}

/// What an attempt came to for one recipient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The peer took responsibility (2yz after the end of data, RFC 5321 §4.2.5). `None` where the
    /// delivery was not by SMTP (a local Maildir) and so nobody replied.
    Accepted(Option<Reply>),
    /// The message was not taken, and that is certain.
    Failed(Failure),
    /// The connection broke between the end of data and the reply: the peer may or may not have the
    /// message (RFC 1047). A retry may duplicate it.
    Unknown(Failure),
}

/// Where an attempt failed, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The step that failed.
    pub stage: Stage,
    /// What failed there.
    pub kind: FailureKind,
}

/// How an attempt failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The peer answered with a negative reply.
    Replied(Reply),
    /// There is no next hop to talk to.
    NoRoute(NoRoute),
    /// No connection came about; every address that was tried, in order.
    Connect(Vec<ConnectTry>),
    /// An established connection broke or fell silent.
    Broken(Break),
    /// The peer announced that it cannot take this message.
    CannotSend(CannotSend),
    /// The peer sent something that is not SMTP; the first bytes of it, lossily decoded.
    NotSmtp {
        /// What was received.
        received: String,
    },
    /// The connection is not as secure as it must be.
    Insecure(Box<Insecure>),
    /// A failure on this machine (a socket path, a Maildir, the spool).
    Local(Local),
    /// We could not log in where the route says that we do.
    CannotLogIn(CannotLogIn),
    /// A program on this machine that was to take the message did not.
    Program(ProgramFailure),
    /// The message's lifetime ended before it could be delivered; what the last attempt met.
    Expired {
        /// How long the message waited, in seconds.
        age_secs: u64,
        /// The cause of the last failed attempt, if there was an attempt at all.
        last: Option<crate::Cause>,
        /// The words of the peer at the last failed attempt, if it said any.
        last_reply: Option<Reply>,
    },
    /// The message has passed too many hosts (RFC 5321 §6.3).
    TooManyHops {
        /// Number of `Received` fields.
        hops: u32,
        /// The limit in force.
        limit: u32,
        /// Hosts that occur more than once in the trail, in order of first occurrence.
        repeated: Vec<String>,
    },
    /// The message has been in this mailbox before: forwarding leads it back.
    DeliveredBefore {
        /// How often.
        times: u32,
        /// The mailbox.
        mailbox: String,
    },
    /// The relay stopped (crash, power) after it had begun to transmit, and never saw the reply.
    Interrupted,
}

/// Why there is no next hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoRoute {
    /// The domain does not exist (NXDOMAIN).
    NoSuchDomain {
        /// The domain asked for.
        domain: String,
    },
    /// The domain says that it takes no mail (RFC 7505).
    NullMx {
        /// The domain.
        domain: String,
    },
    /// The domain has neither MX nor address records (RFC 5321 §5.1).
    NoAddress {
        /// The domain.
        domain: String,
        /// MX hosts that have no address, if there were MX records.
        exchangers: Vec<String>,
    },
    /// The DNS did not give an answer now: SERVFAIL, time-out or a broken server.
    DnsTemporary {
        /// The question, like `MX example.org`.
        question: String,
        /// What the resolver reported.
        reported: String,
    },
    /// The best exchanger for the domain is this relay itself (RFC 5321 §5.1).
    LoopsToUs {
        /// The domain.
        domain: String,
        /// The exchanger that is us.
        exchanger: String,
    },
    /// A route of ours leads to a host that does not exist or has no address: ours to mend.
    NoSuchHop {
        /// The host.
        host: String,
    },
    /// The address has no domain and no route is configured for such addresses.
    NoDomain {
        /// The address.
        address: String,
    },
}

/// One address that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectTry {
    /// Host name as routed.
    pub host: String,
    /// Address and port, or the path of a Unix socket.
    pub address: String,
    /// How it failed.
    pub error: ConnectError,
    /// How long it took to fail, in milliseconds.
    pub waited_ms: u64,
}

/// How a connection failed to come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectError {
    /// The host answered: nothing listens there.
    Refused,
    /// No answer in time.
    TimedOut,
    /// The network reported no way to that host or network.
    Unreachable,
    /// The connection was reset while it was being made.
    Reset,
    /// Another address that is as good answered first (RFC 8305 §5): this one was given up.
    Outrun,
    /// This machine could not make the connection: no local address, permission, descriptors.
    Local {
        /// The operating system's error number, if it gave one.
        os_error: Option<i32>,
    },
}

/// How an established connection ended before its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// How it ended.
    pub how: BreakKind,
    /// Bytes of message content sent before it ended.
    pub content_sent: u64,
    /// Size of the message content.
    pub content_size: u64,
    /// Milliseconds since the peer last sent anything.
    pub silent_ms: u64,
    /// What the system knew of the way, where the connection fell silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathState>,
}

/// The way in which a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakKind {
    /// The peer closed it without a word.
    Closed,
    /// It was reset.
    Reset,
    /// The peer said nothing for as long as RFC 5321 §4.5.3.2 allows.
    TimedOut,
}

/// The message needs something that the peer did not announce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CannotSend {
    /// The message is larger than the announced maximum (RFC 1870).
    TooLarge {
        /// Size of the message in bytes.
        size: u64,
        /// The peer's maximum in bytes.
        limit: u64,
    },
    /// The message has 8-bit content and the peer does not announce 8BITMIME (RFC 6152).
    EightBit,
    /// The message is binary and the peer does not announce BINARYMIME with CHUNKING (RFC 3030).
    Binary,
    /// The message requires TLS all the way and the peer does not announce REQUIRETLS (RFC 8689).
    RequireTls,
    /// The message is to be delivered in this time or go back, and the peer does not promise the time
    /// (RFC 2852).
    DeliverBy {
        /// What is left of it, in seconds.
        seconds: i64,
    },
    /// The peer takes less than the message needs, and it cannot be converted.
    NotConverted(NotConverted),
    /// The message needs SMTPUTF8 (RFC 6531) and the peer does not announce it.
    SmtpUtf8,
}

/// Why a message was not converted for a peer that takes less.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotConverted {
    /// What the peer would have to announce or take.
    pub lacking: String,
    /// The part that would have to be changed.
    pub part: String,
    /// Its character set, where it names one.
    pub charset: Option<String>,
    /// Why it cannot be.
    pub why: String,
}

/// A failure on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Local {
    /// What was being done, and on what.
    pub doing: String,
    /// What the operating system reported.
    pub reported: String,
}

/// Why we could not log in, where the server did not say it (RFC 4954).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CannotLogIn {
    /// The server offers no mechanism that we know.
    NoMechanism {
        /// Those that it offers.
        offered: Vec<String>,
    },
    /// Everybody on the way could read the password.
    NotEncrypted {
        /// The mechanisms that the server offers.
        offered: Vec<String>,
    },
    /// The password cannot be read.
    NoPassword {
        /// Its file.
        file: String,
        /// What the system reported.
        reported: String,
    },
    /// What the server said in the exchange is not as the mechanism has it, or did not prove that it
    /// knows the password.
    Exchange {
        /// What was wrong.
        reported: String,
    },
}

/// A program that did not take a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramFailure {
    /// The program.
    pub program: String,
    /// How it ended.
    pub how: ProgramEnd,
    /// What it said on its standard output and error; the last of it.
    pub output: String,
}

/// How a program ended that did not take a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgramEnd {
    /// By itself, with this status (`sysexits.h`).
    Exited {
        /// The status.
        status: i32,
    },
    /// By a signal.
    Killed {
        /// The signal.
        signal: i32,
    },
    /// It was stopped: it had not ended in time.
    TimedOut {
        /// After so many seconds.
        seconds: u64,
    },
    /// The system could not start it.
    NotStarted {
        /// What the system reported.
        reported: String,
    },
    /// It was not started: the address looks like an option, and no program must take it for one.
    LooksLikeOption,
}

/// How the next hop was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The destination's key, like `mx:example.org` or `smtp://127.0.0.1:2600`.
    pub destination: String,
    /// The hosts to try, best first.
    pub hosts: Vec<RouteHost>,
}

/// One host of a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteHost {
    /// Host name.
    pub name: String,
    /// MX preference, where it came from an MX record.
    pub preference: Option<u16>,
    /// Its addresses with port, both families.
    pub addresses: Vec<String>,
}

/// One step on the way from an address to the servers that take its mail (RFC 5321 §5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteStep {
    /// Which of our routes holds.
    Configured {
        /// Its key in the configuration; `None`: no route is configured for it.
        pattern: Option<String>,
        /// Where it leads, as in the configuration: `mx`, `smtp://…`.
        next_hop: String,
    },
    /// Who we are there, where the route says so.
    As {
        /// As whom we log in.
        user: Option<String>,
        /// Our name at EHLO.
        helo: Option<String>,
        /// Our addresses.
        source: Vec<String>,
    },
    /// The domain is an address (RFC 5321 §4.1.3).
    Literal {
        /// The address.
        address: String,
    },
    /// The mail exchangers as published, best first.
    Exchangers {
        /// The domain.
        domain: String,
        /// Preference and name.
        records: Vec<(u16, String)>,
    },
    /// A null MX (RFC 7505).
    NullMx {
        /// The domain.
        domain: String,
        /// Whether it stands alone, as it must; beside others it is passed over.
        alone: bool,
    },
    /// No MX record: the domain itself is the mail server.
    ImplicitExchanger {
        /// The domain.
        domain: String,
    },
    /// We are one of the exchangers: those that are not better are left out.
    Ourselves {
        /// Our name there.
        exchanger: String,
        /// Its preference.
        preference: u16,
        /// How many better ones remain.
        left: u64,
    },
    /// A server with its addresses.
    Host(RouteHost),
    /// A server that has no address.
    NoAddress {
        /// Its name.
        name: String,
    },
    /// A server whose name does not exist.
    HostUnknown {
        /// Its name.
        name: String,
    },
    /// A server whose address could not be found out now.
    HostUnanswered {
        /// Its name.
        name: String,
    },
}

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Milliseconds since the attempt began.
    pub at_ms: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The stage it belongs to.
    pub stage: Stage,
    /// What was done and what came of it.
    pub what: StepKind,
}

/// What was done in a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// The route was looked up.
    Routed,
    /// A connection was opened.
    Connected {
        /// Host name.
        host: String,
        /// Address and port.
        address: String,
        /// The address of ours that was chosen for it, where one was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
    },
    /// The message is not sent as it was received: the peer takes less.
    Converted {
        /// To what: `7-bit`, `UTF-8`, `ASCII`.
        to: String,
    },
    /// Rules of the administrator changed its header.
    Rewritten {
        /// Their names.
        rules: Vec<String>,
    },
    /// A rule was left out: it would have changed what somebody else has signed.
    NotRewritten {
        /// Its name.
        rule: String,
        /// The field.
        field: String,
    },
    /// The message was signed with DKIM, in the form in which the peer gets it.
    Signed {
        /// By whom: `example.org (selector, rsa-sha256)`.
        by: Vec<String>,
    },
    /// The message would have been signed with DKIM, and was not.
    NotSigned(NotSigned),
    /// An open connection was used again.
    Reused {
        /// Host name.
        host: String,
        /// Address and port.
        address: String,
        /// Messages sent over it before.
        earlier: u32,
    },
    /// A connection could not be opened.
    NotConnected(ConnectTry),
    /// A command was answered.
    Replied {
        /// The command line as sent, where it says more than the stage does.
        command: Option<String>,
        /// The peer's answer.
        reply: Reply,
    },
    /// The connection was encrypted.
    Secured(Box<TlsSession>),
    /// The message's content was sent.
    Sent {
        /// How many bytes of content.
        bytes: u64,
    },
    /// The connection broke.
    Broke(Break),
    /// Something else went wrong at this stage.
    Went(FailureKind),
}

/// What is known besides the failure itself: it lets the same reply mean different things.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Circumstances {
    /// Size of the message in bytes.
    pub message_size: u64,
    /// Recipients of this transaction that were accepted at RCPT.
    pub accepted_recipients: u32,
    /// Recipients of this transaction in all.
    pub all_recipients: u32,
    /// SIZE as announced by the peer, if any.
    pub announced_size: Option<u64>,
    /// Earlier attempts for this recipient.
    pub earlier_attempts: u32,
    /// Connections of ours to the same destination at that time, this one included.
    pub own_connections: Option<u32>,
}

/// A bare status without a reply, as read from reports.
pub type Status = EnhancedStatus;

impl From<&io::Error> for BreakKind {
    fn from(error: &io::Error) -> BreakKind {
        if error.kind() == io::ErrorKind::TimedOut {
            BreakKind::TimedOut
        } else if error.kind() == io::ErrorKind::UnexpectedEof {
            BreakKind::Closed
        } else {
            BreakKind::Reset
        }
    }
}

impl From<&io::Error> for ConnectError {
    fn from(error: &io::Error) -> ConnectError {
        use io::ErrorKind as K;
        let kind = error.kind();
        // A Unix socket that is not there is as good as a port where nobody listens.
        if matches!(kind, K::ConnectionRefused | K::NotFound) {
            ConnectError::Refused
        } else if kind == K::TimedOut {
            ConnectError::TimedOut
        } else if matches!(kind, K::HostUnreachable | K::NetworkUnreachable) {
            ConnectError::Unreachable
        } else if matches!(kind, K::ConnectionReset | K::ConnectionAborted) {
            ConnectError::Reset
        } else {
            ConnectError::Local {
                os_error: error.raw_os_error(),
            }
        }
    }
}
