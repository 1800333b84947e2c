//! From a diagnosis and a history to a decision, by the table.

use std::time::Duration;

use diagnosis::{Diagnosis, Hint};
use jiff::Timestamp;

use super::kinds::{Action, Retry, Row, Signal, Special, Waits};
use super::own::OwnWaits;
use super::table::row_of;
use crate::{Basis, Decision, WaitFor};

/// What counts besides the diagnosis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Attempts for this recipient, the one just made included.
    pub attempts: u32,
    /// When the message was accepted.
    pub received_at: Timestamp,
    /// When the queue gives up.
    pub expires_at: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// Failures in a row that concerned the whole destination, before this one.
    pub destination_failures: u32,
    /// The same for the destination's provider; `None` where it is not known.
    pub provider_failures: Option<u32>,
    /// Probes of our own line that failed.
    pub line_failures: u32,
    /// Whether other recipients of the same transaction were taken.
    pub others_accepted: bool,
    /// Connections that are open to the destination, the one that met this included, or were just now.
    pub sessions: u32,
    /// Whether the destination took three messages within the last ten minutes.
    pub took_lately: bool,
    /// Whether enough was sent lately for a complaint of speed to be meant so.
    pub sent_much: bool,
    /// Servers of the destination that were not asked in this round.
    pub other_hosts: u32,
    /// Whether the message can be converted for the receiver, and was not yet.
    pub convertible: bool,
    /// How long such mail had better wait, learnt from what the destination took before.
    pub learnt: Option<Duration>,
    /// What the administrator set in place of the table's waits.
    pub own: OwnWaits,
}

/// What happens next, and what follows for others.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// For the recipient.
    pub decision: Decision,
    /// For whatever shares its fate.
    pub effect: Effect,
    /// The line of the table that held.
    pub row: &'static Row,
}

impl Decided {
    /// Whether the line has this to say.
    #[must_use]
    pub fn is(&self, special: Special) -> bool {
        match &self.row.action {
            Action::Retry(retry) => retry.special.contains(&special),
            Action::Fail | Action::NextTransaction | Action::OtherHost | Action::Convert => false,
        }
    }
}

/// What a failure means for more than the recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Who waits.
    pub who: Waits,
    /// The wait of all of that, if it waits as a whole.
    pub block: Option<Block>,
    /// What it says about how much is sent.
    pub signal: Signal,
}

impl Effect {
    /// No effect beyond the recipient.
    pub const NONE: Effect = Effect {
        who: Waits::Recipient,
        block: None,
        signal: Signal::None,
    };
}

/// No attempt before a time; then one probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// When the probe may go.
    pub until: Timestamp,
    /// Failures in a row, this one included.
    pub failures: u32,
}

/// A wait that a peer asks for counts between these bounds.
const SHORTEST_ASKED: Duration = Duration::from_secs(10);
const LONGEST_ASKED: Duration = Duration::from_secs(12 * 3600);
/// The first wait of what goes on with the next connection that is free.
const IN_TURN: Duration = Duration::from_secs(5);
/// Come just after the time a peer asked for: its clock may run a little behind.
const JUST_AFTER: Duration = Duration::from_secs(5);

/// What happens next. `jitter` is from 0 to 1; with the same for all recipients of an attempt, those
/// that failed alike stay together.
#[must_use]
pub fn decide(diagnosis: &Diagnosis, history: &History, jitter: f64) -> Decided {
    let row = row_of(diagnosis, history);
    let (decision, effect) = match &row.action {
        Action::Fail => (Decision::Fail, Effect::NONE),
        // RFC 5321 §4.5.4.1: retries go on until the sender gives up; the lifetime says when.
        action if history.now >= history.expires_at && !never_expires(action) => {
            (Decision::Fail, Effect::NONE)
        }
        Action::NextTransaction => at_once(WaitFor::NextTransaction),
        Action::OtherHost => at_once(WaitFor::OtherHost),
        Action::Convert => at_once(WaitFor::Conversion),
        Action::Retry(retry) => {
            let retry = history.own.retry(diagnosis.cause, retry);
            again(diagnosis, history, &retry, jitter)
        }
    };
    Decided {
        decision,
        effect,
        row,
    }
}

fn at_once(wait: WaitFor) -> (Decision, Effect) {
    (Decision::RetryWhen(wait), Effect::NONE)
}

fn never_expires(action: &Action) -> bool {
    match action {
        Action::Retry(retry) => retry.special.contains(&Special::NeverExpires),
        Action::Fail | Action::NextTransaction | Action::OtherHost | Action::Convert => false,
    }
}

fn again(
    diagnosis: &Diagnosis,
    history: &History,
    retry: &Retry,
    jitter: f64,
) -> (Decision, Effect) {
    let who = who_waits(retry.who, history);
    let before = match who {
        Waits::Recipient | Waits::Message => history.attempts.saturating_sub(1),
        Waits::Destination => history.destination_failures,
        Waits::Provider => history
            .provider_failures
            .unwrap_or(history.destination_failures),
        Waits::Us => history.line_failures,
    };
    let failures = before.saturating_add(1);
    // Where other connections work, fewer of them is all that is asked, and its turn comes at once.
    let fewer_will_do = retry.signal == Signal::Connections && history.sessions > 1;
    let (wait, basis) = match (told(diagnosis, retry), history.learnt) {
        (Some(told), _) => told,
        (None, _) if fewer_will_do => in_turn(retry, history.attempts),
        (None, Some(learnt)) if retry.special.contains(&Special::Learns) => {
            let seconds = learnt.as_secs();
            (learnt, Basis::Learnt { seconds })
        }
        (None, _) => planned(retry, failures, jitter),
    };
    let expires = !retry.special.contains(&Special::NeverExpires);
    let (at, basis) = within_lifetime(history, wait, basis, expires);
    let effect = effect(
        who,
        retry,
        history,
        Block {
            until: at,
            failures,
        },
    );
    (Decision::RetryAt { at, basis }, effect)
}

/// Others were taken in the same breath: then it is not the whole destination.
fn who_waits(who: Waits, history: &History) -> Waits {
    match who {
        Waits::Destination | Waits::Provider if history.others_accepted => Waits::Recipient,
        Waits::Provider if history.provider_failures.is_none() => Waits::Destination,
        who => who,
    }
}

fn effect(who: Waits, retry: &Retry, history: &History, block: Block) -> Effect {
    if who < Waits::Destination {
        return Effect::NONE;
    }
    let fewer_will_do = retry.signal == Signal::Connections && history.sessions > 1;
    Effect {
        who,
        block: (!fewer_will_do).then_some(block),
        signal: retry.signal,
    }
}

/// The wait that the reply asks for.
fn told(diagnosis: &Diagnosis, retry: &Retry) -> Option<(Duration, Basis)> {
    let Some(Hint::RetryAfter(asked)) = diagnosis.hint.filter(|_| retry.hint) else {
        return None;
    };
    let seconds = asked.clamp(SHORTEST_ASKED, LONGEST_ASKED).as_secs();
    let wait = Duration::from_secs(seconds) + JUST_AFTER;
    Some((wait, Basis::PeerAsked { seconds }))
}

fn planned(retry: &Retry, step: u32, jitter: f64) -> (Duration, Basis) {
    let planned = retry.rhythm.wait(step);
    let basis = Basis::Schedule {
        step,
        seconds: planned.as_secs(),
    };
    (retry.vary.spread(planned, jitter), basis)
}

/// Behind what is being sent on the connections that the server does bear.
fn in_turn(retry: &Retry, step: u32) -> (Duration, Basis) {
    let growth = 1 << step.saturating_sub(1).min(10);
    let wait = (IN_TURN * growth).min(retry.rhythm.cap);
    let seconds = wait.as_secs();
    (wait, Basis::Schedule { step, seconds })
}

/// Nothing is planned for after the lifetime: the last attempt comes when it ends.
fn within_lifetime(
    history: &History,
    wait: Duration,
    basis: Basis,
    expires: bool,
) -> (Timestamp, Basis) {
    match history.now.checked_add(wait) {
        Ok(at) if at < history.expires_at || !expires => (at, basis),
        Ok(_) | Err(_) => (history.expires_at.max(history.now), Basis::Lifetime),
    }
}

#[cfg(test)]
mod tests;
