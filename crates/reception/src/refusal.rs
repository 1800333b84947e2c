//! Why the receiving role says no.
//!
//! The one place for what is decided here: each refusal has a name for the log, a reply code and an
//! enhanced status, a wait where coming back makes sense, and words (`words`). The grammar and order of
//! commands are judged by `smtp`. `docs/receiving.md` has the table for people.

mod screened;

use std::net::IpAddr;
use std::time::Duration;

use auth::Why;
use jiff::Timestamp;
use queue::{MailboxTrouble, StoreError, Suppressed};
use smtp::{Address, Class, OutgoingReply};

use crate::limits::TooMany;
use crate::nobody::Nobody;
use crate::pace::Overdue;
use crate::rates::{TooFast, What};
use crate::submission::HeaderProblem;
use crate::verify::Unverified;
use crate::watermark::Shortage;
use crate::{Network, words};

pub(crate) use screened::{Objection, Screened};

/// A refusal decided here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refusal {
    /// The client may not relay.
    RelayDenied {
        /// Its address.
        client: IpAddr,
        /// To whom it wanted to.
        recipient: Address,
    },
    /// No route takes the address: it has no domain, or its route is `none`.
    NoRoute(Address),
    /// The administrator has stopped receiving.
    Paused,
    /// A watermark is passed.
    Short(Shortage),
    /// The store does not take it.
    Store(StoreError),
    /// It has passed too many hosts.
    Loop {
        /// `Received` fields.
        hops: u32,
        /// The limit.
        limit: u32,
        /// Hosts that occur more than once.
        repeated: Vec<String>,
    },
    /// It has been here too often.
    LoopHere {
        /// `Received` fields of ours.
        times: u32,
        /// The limit.
        limit: u32,
        /// Hosts that occur more than once.
        repeated: Vec<String>,
    },
    /// Too many connections.
    TooMany(TooMany),
    /// Too many connections or messages in a period, or recipients while none is accepted yet.
    TooFast(TooFast),
    /// Too many recipients in a period; those before it are accepted.
    RecipientTooFast {
        /// The first too many.
        recipient: Address,
        /// Which rate.
        too_fast: TooFast,
    },
    /// A stranger is to come back.
    Greylisted {
        /// For whom the mail is.
        recipient: Address,
        /// Where the client is.
        network: Network,
        /// How long it is to stay away.
        wait: Duration,
    },
    /// A mailbox of this machine takes nothing now.
    Mailbox {
        /// Whose.
        recipient: Address,
        /// Why.
        trouble: MailboxTrouble,
    },
    /// A recipient in a domain of ours is not taken.
    Nobody(Box<Nobody>),
    /// The next hop of a recipient does not take it, or cannot be asked.
    Unverified(Box<Unverified>),
    /// A filter objects, or is missing.
    Screened(Box<Screened>),
    /// The header is too long to be one.
    HeaderTooLarge {
        /// Bytes that are taken.
        limit: usize,
    },
    /// The client spoke before it was greeted.
    TalksFirst,
    /// Nothing is sent to the recipient.
    Suppressed {
        /// Who.
        recipient: Address,
        /// Why, and since when.
        entry: Box<Suppressed>,
    },
    /// The sender wants a message held longer than is done (RFC 4865 §4).
    HeldTooLong {
        /// Until when.
        until: Timestamp,
        /// Until when it may be.
        latest: Timestamp,
    },
    /// It is to be delivered before it may be sent (RFC 4865 §4).
    DueBeforeRelease {
        /// By when it is to be delivered.
        by: Timestamp,
        /// Until when it is to be held.
        hold: Timestamp,
    },
    /// The client takes too long.
    Overdue(Overdue),
    /// Too many refused commands.
    TooManyErrors(u32),
    /// The relay stops.
    Stopping,
    /// The listener is for users, and this client is none.
    AuthRequired,
    /// A client did not prove to be who it says.
    LoginFailed {
        /// Who it says it is.
        name: Option<String>,
        /// Why not; the client is not told.
        why: Why,
        /// How often that failed for this name within the hour.
        failures: u32,
    },
    /// Nobody can tell who knows whose password.
    LoginUnavailable {
        /// Why.
        reported: String,
    },
    /// Too many failed logins in one session.
    TooManyFailedLogins(u32),
    /// A user may not send with this reverse-path.
    SenderNotAllowed {
        /// The user.
        login: String,
        /// The reverse-path.
        sender: String,
    },
    /// A user may not send a message of this author.
    FromNotAllowed {
        /// The user.
        login: String,
        /// The author, or the Sender.
        sender: String,
    },
    /// The header of a message that is submitted is wrong.
    Header(HeaderProblem),
    /// A recipient whose domain is no full name, on a listener for users.
    NotQualified(Address),
    /// STARTTLS without a certificate.
    NoTls,
    /// Content without a transaction.
    NoTransaction,
}

const MINUTE: Duration = Duration::from_secs(60);

impl Refusal {
    /// A stable name for logs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Refusal::RelayDenied { .. } => "relay-denied",
            Refusal::NoRoute(_) => "no-route",
            Refusal::Paused => "paused",
            Refusal::Short(shortage) => shortage.what.name(),
            Refusal::Store(StoreError::Full { .. }) => "disk-full",
            Refusal::Store(StoreError::Uncertain) => "store-uncertain",
            Refusal::Store(_) => "store-failed",
            Refusal::Loop { .. } => "loop",
            Refusal::LoopHere { .. } => "loop-here",
            Refusal::TooMany(TooMany::Connections(_)) => "too-many-connections",
            Refusal::TooMany(TooMany::FromClient(..)) => "too-many-connections-from-client",
            Refusal::TooMany(TooMany::FromNetwork(..)) => "too-many-connections-from-network",
            Refusal::TooFast(fast) | Refusal::RecipientTooFast { too_fast: fast, .. } => {
                match fast.what {
                    What::Connections => "connection-rate",
                    What::Messages => "message-rate",
                    What::Recipients => "recipient-rate",
                    What::FailedLogins => "failed-login-rate",
                }
            }
            Refusal::Greylisted { .. } => "greylisted",
            Refusal::Mailbox { trouble, .. } => match trouble {
                MailboxTrouble::Locked { .. } => "mailbox-locked",
                MailboxTrouble::Full { .. } => "mailbox-full",
                MailboxTrouble::TooLarge { .. } => "too-large-for-mailbox",
                MailboxTrouble::Failed { .. } => "mailbox-failed",
            },
            Refusal::Nobody(nobody) => nobody.name(),
            Refusal::Unverified(unverified) => unverified.name(),
            Refusal::Screened(screened) => screened.name(),
            Refusal::HeaderTooLarge { .. } => "header-too-large",
            Refusal::TalksFirst => "talks-first",
            Refusal::Suppressed { .. } => "suppressed",
            Refusal::HeldTooLong { .. } => "held-too-long",
            Refusal::DueBeforeRelease { .. } => "due-before-release",
            Refusal::Overdue(Overdue::Command { .. }) => "idle",
            Refusal::Overdue(Overdue::Silent { .. }) => "silent-in-content",
            Refusal::Overdue(Overdue::TooSlow { .. }) => "too-slow",
            Refusal::Overdue(Overdue::Stopping { .. }) | Refusal::Stopping => "stopping",
            Refusal::TooManyErrors(_) => "too-many-errors",
            Refusal::AuthRequired => "auth-required",
            Refusal::LoginFailed { .. } => "login-failed",
            Refusal::LoginUnavailable { .. } => "login-unavailable",
            Refusal::TooManyFailedLogins(_) => "too-many-failed-logins",
            Refusal::SenderNotAllowed { .. } => "sender-not-allowed",
            Refusal::FromNotAllowed { .. } => "from-not-allowed",
            Refusal::Header(_) => "header",
            Refusal::NotQualified(_) => "not-qualified",
            Refusal::NoTls => "no-tls",
            Refusal::NoTransaction => "no-transaction",
        }
    }

    /// Whether somebody must look after this machine.
    pub(crate) fn is_ours(&self) -> bool {
        let failed = |trouble: &MailboxTrouble| matches!(trouble, MailboxTrouble::Failed { .. });
        match self {
            Refusal::Short(_) | Refusal::Store(_) | Refusal::LoginUnavailable { .. } => true,
            Refusal::Mailbox { trouble, .. } => failed(trouble),
            Refusal::Nobody(nobody) => nobody.is_ours(),
            Refusal::Unverified(unverified) => unverified.is_ours(),
            Refusal::Screened(screened) => screened.is_failure(),
            _ => false,
        }
    }

    /// Whether the client has itself to blame, so that it counts against it.
    pub(crate) fn counts(&self) -> bool {
        match self {
            Refusal::RelayDenied { .. } | Refusal::NotQualified(_) => true,
            Refusal::Nobody(nobody) => nobody.counts(),
            Refusal::Unverified(unverified) => unverified.counts(),
            Refusal::NoRoute(address) => address.domain().is_none(),
            _ => false,
        }
    }

    /// What the log says beside the reply: what the client is not told.
    pub(crate) fn detail(&self) -> Option<String> {
        match self {
            Refusal::Store(error) => Some(error.to_string()),
            Refusal::Mailbox { trouble, .. } => Some(trouble.to_string()),
            Refusal::Nobody(nobody) => nobody.detail(),
            Refusal::Unverified(unverified) => unverified.detail(),
            Refusal::LoginFailed {
                name,
                why,
                failures,
            } => {
                let name = name.as_deref().unwrap_or("nobody yet");
                Some(format!(
                    "{name}: {why}; failures within the hour: {failures}"
                ))
            }
            Refusal::LoginUnavailable { reported } => Some(reported.clone()),
            Refusal::Screened(screened) => screened.detail(),
            Refusal::Short(short) => Some(format!("{} now, {} wanted", short.now, short.mark)),
            _ => None,
        }
    }

    /// The recipient that is refused, where it is about one.
    pub(crate) fn recipient(&self) -> Option<&Address> {
        match self {
            Refusal::RelayDenied { recipient, .. }
            | Refusal::NoRoute(recipient)
            | Refusal::NotQualified(recipient)
            | Refusal::RecipientTooFast { recipient, .. }
            | Refusal::Greylisted { recipient, .. }
            | Refusal::Suppressed { recipient, .. }
            | Refusal::Mailbox { recipient, .. } => Some(recipient),
            Refusal::Nobody(nobody) => Some(&nobody.recipient),
            Refusal::Unverified(unverified) => Some(&unverified.recipient),
            Refusal::Screened(screened) => screened.recipient.as_ref(),
            _ => None,
        }
    }

    /// What the client is told. Where coming back makes sense, the last words are the wait, in the form
    /// that `diagnosis` and other senders read: `try again in 300 seconds`.
    pub(crate) fn reply(&self, hostname: &str) -> OutgoingReply {
        let (code, class, subject, detail) = self.codes();
        let mut text = words::of(self, hostname);
        if let Some(wait) = self.wait() {
            text.push_str("; try again in ");
            text.push_str(&words::seconds(wait));
        }
        OutgoingReply::new(code, (class, subject, detail), text)
    }

    /// Whether the session ends with it (RFC 5321 §3.8: 421 may answer any command).
    pub(crate) fn closes(&self) -> bool {
        self.codes().0 == 421
    }

    /// When coming back makes sense; `None` where it never does, or at once.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match self {
            Refusal::TooFast(fast) | Refusal::RecipientTooFast { too_fast: fast, .. } => {
                Some(fast.wait)
            }
            Refusal::Greylisted { wait, .. } => Some(*wait),
            Refusal::Mailbox { trouble, .. } => match trouble {
                // People make room within hours, not minutes.
                MailboxTrouble::Full { .. } => Some(240 * MINUTE),
                MailboxTrouble::Locked { .. } | MailboxTrouble::Failed { .. } => Some(5 * MINUTE),
                MailboxTrouble::TooLarge { .. } => None,
            },
            Refusal::Paused
            | Refusal::Short(_)
            | Refusal::Store(_)
            | Refusal::LoginUnavailable { .. }
            | Refusal::TooManyFailedLogins(_)
            | Refusal::TooManyErrors(_) => Some(5 * MINUTE),
            Refusal::TooMany(_) | Refusal::Overdue(_) | Refusal::Stopping => Some(MINUTE),
            Refusal::NoRoute(address) if address.domain().is_some() => Some(60 * MINUTE),
            Refusal::Nobody(nobody) => nobody.wait(),
            Refusal::Unverified(unverified) => unverified.wait(),
            Refusal::Screened(screened) => screened.wait(),
            Refusal::HeaderTooLarge { .. }
            | Refusal::TalksFirst
            | Refusal::RelayDenied { .. }
            | Refusal::NoRoute(_)
            | Refusal::Loop { .. }
            | Refusal::LoopHere { .. }
            | Refusal::Suppressed { .. }
            | Refusal::HeldTooLong { .. }
            | Refusal::DueBeforeRelease { .. }
            | Refusal::AuthRequired
            | Refusal::LoginFailed { .. }
            | Refusal::SenderNotAllowed { .. }
            | Refusal::FromNotAllowed { .. }
            | Refusal::Header(_)
            | Refusal::NotQualified(_)
            | Refusal::NoTls
            | Refusal::NoTransaction => None,
        }
    }

    fn codes(&self) -> (u16, Class, u16, u16) {
        use Class::{Permanent, Transient};
        match self {
            Refusal::RelayDenied { .. } => (550, Permanent, 7, 1),
            // RFC 3463 §3.5 X.4.4, unable to route. Not final: what is wrong is our configuration, which
            // can be mended while the mail waits at its sender (RFC 5321 §4.2.3: 451).
            Refusal::NoRoute(address) if address.domain().is_some() => (451, Transient, 4, 4),
            Refusal::NoRoute(_) => (550, Permanent, 1, 2),
            // RFC 3463 §3.4 X.3.2 names maintenance. 421 (RFC 5321 §3.8) and not 450, so that the
            // sender takes all its mail elsewhere or waits with all of it, instead of trying each
            // message (RFC 5321 §4.3.2 does not even list 450 for MAIL); and at MAIL, not in place of
            // the greeting, so that whoever only asks whether we are there gets an answer.
            Refusal::Paused => (421, Transient, 3, 2),
            // RFC 3463 §3.4 X.3.1 is the disk; for want of a code of its own, memory too: what the
            // sender should do is the same.
            Refusal::Short(_) | Refusal::Store(StoreError::Full { .. }) => (452, Transient, 3, 1),
            Refusal::Store(_) => (451, Transient, 3, 0),
            Refusal::Loop { .. } | Refusal::LoopHere { .. } => (554, Permanent, 4, 6),
            Refusal::TooMany(TooMany::Connections(_)) => (421, Transient, 3, 2),
            // Deviation: RFC 3463 §3.3 has X.2.1 for a mailbox that is disabled. People, and the help
            // pages of decades, know "421 4.2.1" as too many connections; 421 decides what happens.
            Refusal::TooMany(TooMany::FromClient(..) | TooMany::FromNetwork(..)) => {
                (421, Transient, 2, 1)
            }
            Refusal::TooFast(_) | Refusal::TooManyErrors(_) => (421, Transient, 7, 0),
            // Not 421, which would end the transaction and with it the recipients that are accepted:
            // a message with more recipients than a period allows would then never come through.
            Refusal::RecipientTooFast { .. } => (450, Transient, 7, 0),
            // RFC 6647 §2.1: a 4yz reply; §5 asks for one that says so.
            Refusal::Greylisted { .. } => (451, Transient, 7, 1),
            Refusal::Mailbox { trouble, .. } => match trouble {
                // RFC 5321 §4.2.3: 450 mailbox busy.
                MailboxTrouble::Locked { .. } => (450, Transient, 2, 0),
                // RFC 5321 §4.2.3: 452 insufficient storage, of this recipient alone: the others of
                // the transaction go on. 552 would be final, and people do make room.
                MailboxTrouble::Full { .. } => (452, Transient, 2, 2),
                // RFC 3463 §3.3 X.2.3: waiting does not make the message smaller.
                MailboxTrouble::TooLarge { .. } => (552, Permanent, 2, 3),
                MailboxTrouble::Failed { .. } => (451, Transient, 3, 0),
            },
            Refusal::Nobody(nobody) => nobody.codes(),
            Refusal::Unverified(unverified) => unverified.codes(),
            Refusal::Screened(screened) => screened.codes(),
            // RFC 3463 §3.4 X.3.4: too big; RFC 5321 §4.2.3: 552.
            Refusal::HeaderTooLarge { .. } => (552, Permanent, 3, 4),
            // RFC 5321 §3.1, §4.3.2: 554 in place of the greeting, to a client that does not wait for it.
            Refusal::TalksFirst => (554, Permanent, 5, 0),
            Refusal::Overdue(Overdue::Stopping { .. }) | Refusal::Stopping => {
                (421, Transient, 3, 2)
            }
            Refusal::Overdue(_) => (421, Transient, 4, 2),
            // RFC 3463 §3.8 X.7.1: our policy; what the mailbox would say, nobody asks.
            Refusal::Suppressed { .. } => (550, Permanent, 7, 1),
            // RFC 4865 §4: as a value that the parameter cannot have.
            Refusal::HeldTooLong { .. } | Refusal::DueBeforeRelease { .. } => {
                (501, Permanent, 5, 4)
            }
            // RFC 4954 §6.
            Refusal::AuthRequired => (530, Permanent, 7, 0),
            Refusal::LoginFailed { .. } => (535, Permanent, 7, 8),
            Refusal::LoginUnavailable { .. } => (454, Transient, 7, 0),
            // RFC 4954 §4 lets a server end the session after some failures.
            Refusal::TooManyFailedLogins(_) => (421, Transient, 7, 0),
            // RFC 6409 §6.1.
            Refusal::SenderNotAllowed { .. } | Refusal::FromNotAllowed { .. } => {
                (550, Permanent, 7, 1)
            }
            // RFC 6409 §5.1 and §6.3.
            Refusal::Header(_) => (554, Permanent, 6, 0),
            Refusal::NotQualified(_) => (554, Permanent, 1, 2),
            // RFC 3207 §4.
            Refusal::NoTls => (454, Transient, 7, 0),
            Refusal::NoTransaction => (503, Permanent, 5, 1),
        }
    }
}
