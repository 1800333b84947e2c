//! What the table is made of.

use std::time::Duration;

use diagnosis::{Cause, Diagnosis, Finality, Hint, Scope};

use super::decide::History;

/// A line of the table.
#[derive(Debug, PartialEq)]
pub struct Row {
    /// The causes it is for.
    pub causes: Causes,
    /// Under which circumstances.
    pub when: When,
    /// What is done.
    pub action: Action,
}

/// The causes a line is for.
#[derive(Debug, PartialEq)]
pub enum Causes {
    /// Whichever.
    Any,
    /// These.
    These(&'static [Cause]),
}

/// The circumstances under which a line holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// Always.
    Always,
    /// The reply is final, and the fault is not ours (RFC 5321 §4.2.1: a 5yz reply).
    Final,
    /// The text says not to come back.
    ToldNotToReturn,
    /// Other recipients of the same transaction were taken.
    OthersTaken,
    /// The diagnosis holds for the whole destination: it was met before the message was named.
    WholeDestination,
    /// The message can be converted for the receiver, and was not yet.
    Convertible,
    /// There are servers of the destination that were not asked in this round.
    OtherHosts,
    /// The destination took three messages within the last ten minutes.
    TookLately,
    /// Much was sent just before, and it has not been refused for an hour.
    SentMuch,
    /// The diagnosis is not sure enough to hold more than one destination up.
    Unsure,
}

/// A diagnosis less sure than this does not hold up a provider's other destinations.
pub(crate) const SURE: f32 = 0.6;

/// What is refused more often than this in a row is not refused for its speed. With a probe each two
/// minutes that is more than an hour: the quotas of most servers are for an hour at most.
pub(crate) const ABOUT_SPEED: u32 = 40;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Give up and tell the sender.
    Fail,
    /// The rest goes on at once in a next transaction.
    NextTransaction,
    /// Another server of the same destination is asked at once.
    OtherHost,
    /// The message is converted and goes on at once.
    Convert,
    /// Another attempt later.
    Retry(Retry),
}

/// Another attempt later.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// Who waits.
    pub who: Waits,
    /// How long.
    pub rhythm: Rhythm,
    /// Whether a wait that the reply asks for is obeyed.
    pub hint: bool,
    /// How waits vary.
    pub vary: Vary,
    /// What the failure says about how much is sent.
    pub signal: Signal,
    /// What else.
    pub special: &'static [Special],
}

/// Who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Waits {
    /// This recipient; others of the same message and of the same server go on.
    Recipient,
    /// This message's recipients there; other messages go on.
    Message,
    /// Everything for the destination; one message probes it.
    Destination,
    /// Every destination with the same mail servers; one message probes for all.
    Provider,
    /// Everything.
    Us,
}

/// What a failure says about how much is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Nothing.
    None,
    /// It fails as a whole: after the wait one probe, then more by and by.
    Down,
    /// Too many connections: half as many.
    Connections,
    /// Too many messages in a time: half as fast.
    Rate,
}

/// What is special about a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// The same server is asked again, from the same address.
    SameWay,
    /// How long it lasts is learnt from when the same was taken before.
    Learns,
    /// The administrator must act: the log says so, and the mail is held until it is mended. It is
    /// probed meanwhile, so that a repair is noticed.
    Hold,
    /// The message's lifetime does not run out because of this.
    NeverExpires,
    /// The next attempt may deliver the message a second time, and the log says so.
    MayDuplicate,
    /// The sender is told of the delay early.
    TellSender,
}

/// When to come back: first after `first`, each time `factor` times later, at most after `cap`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rhythm {
    /// The first wait.
    pub first: Duration,
    /// Growth of the wait.
    pub factor: f64,
    /// The longest wait.
    pub cap: Duration,
}

/// How a wait varies, so that many do not come back at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vary {
    /// By a fifth to both sides.
    BothSides,
    /// Hardly, and never to come earlier: the other side counts the seconds.
    JustAfter,
}

/// Waits of the table vary by so much to both sides.
pub const JITTER: f64 = 0.2;
/// By so much a wait is longer at most whose end the other side counts to the second.
pub const JUST_AFTER: f64 = 0.002;

impl Vary {
    /// The wait by chance from 0 to 1.
    pub(super) fn spread(self, wait: Duration, chance: f64) -> Duration {
        let chance = chance.clamp(0.0, 1.0);
        wait.mul_f64(match self {
            Vary::BothSides => 1.0 + JITTER * (2.0 * chance - 1.0),
            Vary::JustAfter => 1.0 + JUST_AFTER * chance,
        })
    }
}

impl Rhythm {
    /// The wait after the `step`th failure, before jitter.
    #[must_use]
    pub fn wait(&self, step: u32) -> Duration {
        let growth = self.factor.powi(step.saturating_sub(1).min(64) as i32);
        let seconds = self.first.as_secs_f64() * growth;
        Duration::from_secs_f64(seconds.min(self.cap.as_secs_f64()))
    }

    /// How much time passes with so many failures, before jitter.
    #[must_use]
    pub fn after(&self, failures: u32) -> Duration {
        // More of them make no difference to anybody who asks.
        (1..=failures.min(64)).map(|step| self.wait(step)).sum()
    }
}

pub(super) const fn retry(who: Waits, first: u64, factor: f64, cap: u64) -> Retry {
    Retry {
        who,
        rhythm: Rhythm {
            first: Duration::from_secs(first * 60),
            factor,
            cap: Duration::from_secs(cap * 60),
        },
        hint: true,
        vary: Vary::BothSides,
        signal: match who {
            Waits::Recipient | Waits::Message => Signal::None,
            Waits::Destination | Waits::Provider | Waits::Us => Signal::Down,
        },
        special: &[],
    }
}

impl Retry {
    pub(super) const fn signal(self, signal: Signal) -> Retry {
        Retry { signal, ..self }
    }

    pub(super) const fn special(self, special: &'static [Special]) -> Retry {
        Retry { special, ..self }
    }

    pub(super) const fn just_after(self) -> Retry {
        Retry {
            vary: Vary::JustAfter,
            ..self
        }
    }

    /// Nobody asks for anything here: no reply is behind this cause.
    pub(super) const fn no_hint(self) -> Retry {
        Retry {
            hint: false,
            ..self
        }
    }
}

pub(super) const fn row(causes: &'static [Cause], when: When, action: Action) -> Row {
    Row {
        causes: Causes::These(causes),
        when,
        action,
    }
}

pub(super) const fn any(when: When, action: Action) -> Row {
    Row {
        causes: Causes::Any,
        when,
        action,
    }
}

impl Row {
    pub(super) fn is_for(&self, cause: Cause) -> bool {
        match self.causes {
            Causes::Any => true,
            Causes::These(causes) => causes.contains(&cause),
        }
    }
}

impl When {
    pub(super) fn holds(self, diagnosis: &Diagnosis, history: &History) -> bool {
        match self {
            When::Always => true,
            When::Final => {
                diagnosis.finality == Finality::Permanent && diagnosis.scope != Scope::Us
            }
            When::ToldNotToReturn => diagnosis.hint == Some(Hint::DoNotRetry),
            When::OthersTaken => history.others_accepted,
            When::WholeDestination => matches!(diagnosis.scope, Scope::Destination | Scope::Us),
            When::Convertible => history.convertible,
            When::OtherHosts => history.other_hosts > 0,
            When::TookLately => history.took_lately,
            When::SentMuch => {
                let failures = history.provider_failures;
                history.sent_much && failures.unwrap_or(history.destination_failures) < ABOUT_SPEED
            }
            When::Unsure => diagnosis.confidence < SURE,
        }
    }
}
