//! From a diagnosis and a history to a decision, by the table.

use std::time::Duration;

use diagnosis::{Diagnosis, Hint};
use jiff::Timestamp;

use super::kinds::{Action, Retry, Row, Signal, Special, Waits};
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
    /// Whether the destination took mail within the last ten minutes.
    pub took_lately: bool,
    /// Whether enough was sent lately for a complaint of speed to be meant so.
    pub sent_much: bool,
    /// Servers of the destination that were not asked in this round.
    pub other_hosts: u32,
    /// Whether the message can be converted for the receiver, and was not yet.
    pub convertible: bool,
    /// How long such mail had better wait, learnt from what the destination took before.
    pub learnt: Option<Duration>,
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
        Action::Retry(retry) => again(diagnosis, history, retry, jitter),
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
mod tests {
    use diagnosis::facts::{Circumstances, Outcome};
    use diagnosis::{Cause, Failure, FailureKind, Scope, Stage, diagnose};
    use proptest::prelude::*;
    use smtp::Reply;

    use super::super::table::TABLE;
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn history(attempts: u32) -> History {
        History {
            attempts,
            received_at: at(0),
            expires_at: at(432_000),
            now: at(1000),
            sessions: 1,
            ..History::default()
        }
    }

    fn meaning(text: &str) -> Diagnosis {
        let reply = Reply::parse("mx.example.org", text.as_bytes()).unwrap();
        let kind = FailureKind::Replied(reply);
        let stage = Stage::Rcpt;
        diagnose(
            &Outcome::Failed(Failure { stage, kind }),
            &Circumstances::default(),
        )
        .unwrap()
    }

    fn wait_after(text: &str, history: &History) -> (i64, Basis, Effect) {
        let decided = decide(&meaning(text), history, 0.5);
        match decided.decision {
            Decision::RetryAt { at, basis } => {
                let wait = at.duration_since(history.now).as_secs();
                (wait, basis, decided.effect)
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_greylist_is_waited_out_as_long_as_it_asks_and_a_little_more() {
        let (wait, basis, effect) = wait_after(
            "450 4.7.1 Greylisted, try again in 300 seconds",
            &history(1),
        );
        assert_eq!((wait, basis), (305, Basis::PeerAsked { seconds: 300 }));
        assert_eq!(effect, Effect::NONE, "others may pass");
        let (wait, ..) = wait_after("450 4.7.1 Greylisted", &history(1));
        assert_eq!(wait, 300);
    }

    #[test]
    fn a_full_mailbox_waits_for_hours_and_alone() {
        let waits = [1, 2, 3, 4, 5].map(|n| wait_after("452 4.2.2 over quota", &history(n)));
        assert_eq!(waits.map(|w| w.0 / 3600), [4, 6, 9, 12, 12]);
        assert!(waits.iter().all(|w| w.2 == Effect::NONE));
    }

    #[test]
    fn a_full_server_blocks_the_destination_and_comes_back_later_each_time() {
        let mut history = history(1);
        for (failures, wait) in [(0, 300), (1, 600), (2, 1200), (9, 3600)] {
            history.destination_failures = failures;
            let (waited, _, effect) = wait_after("452 4.3.1 insufficient system storage", &history);
            assert_eq!(waited, wait);
            let until = at(1000 + wait);
            let failures = failures + 1;
            let block = Some(Block { until, failures });
            let who = Waits::Destination;
            let signal = Signal::Down;
            assert_eq!(effect, Effect { who, block, signal });
        }
        history.others_accepted = true;
        let (_, _, effect) = wait_after("452 4.3.1 insufficient system storage", &history);
        assert_eq!(effect, Effect::NONE, "others were taken just now");
    }

    #[test]
    fn too_many_recipients_go_on_at_once_only_after_progress() {
        let meaning = meaning("452 4.5.3 too many recipients");
        let mut history = history(1);
        assert!(matches!(
            decide(&meaning, &history, 0.5).decision,
            Decision::RetryAt { .. }
        ));
        history.others_accepted = true;
        assert_eq!(
            decide(&meaning, &history, 0.5).decision,
            Decision::RetryWhen(WaitFor::NextTransaction)
        );
    }

    #[test]
    fn what_is_final_fails_at_once_and_what_failed_here_never_does() {
        let mut final_one = meaning("550 5.1.1 User unknown");
        assert_eq!(
            decide(&final_one, &history(1), 0.5).decision,
            Decision::Fail
        );
        final_one.scope = Scope::Us;
        assert!(matches!(
            decide(&final_one, &history(1), 0.5).decision,
            Decision::RetryAt { .. }
        ));
    }

    #[test]
    fn the_last_attempt_is_made_when_the_lifetime_ends() {
        let mut history = history(9);
        history.now = at(432_000 - 60);
        let decided = decide(&meaning("452 4.2.2 over quota"), &history, 0.5);
        let Decision::RetryAt { at: next, basis } = decided.decision else {
            panic!("one more attempt is due")
        };
        assert_eq!((next, basis), (history.expires_at, Basis::Lifetime));
        history.now = history.expires_at;
        assert_eq!(
            decide(&meaning("452 4.2.2 over quota"), &history, 0.5).decision,
            Decision::Fail
        );
    }

    proptest! {
        #[test]
        fn an_attempt_is_never_planned_for_the_past_nor_after_the_lifetime(
            code in 400u16..600, words in "[ a-z0-9.:]{0,40}", attempts in 0u32..200, failures in 0u32..200,
            now in 0i64..500_000, jitter in 0.0f64..1.0, others in any::<bool>(),
        ) {
            let history = History {
                attempts, destination_failures: failures, now: at(now), others_accepted: others, ..history(1)
            };
            let diagnosis = meaning(&format!("{code} {words}"));
            let decided = decide(&diagnosis, &history, jitter);
            if let Decision::RetryAt { at, .. } = decided.decision {
                prop_assert!(at > history.now);
                prop_assert!(at <= history.expires_at || decided.is(Special::NeverExpires));
            }
            if let Some(Block { until, failures: counted }) = decided.effect.block {
                prop_assert!(until > history.now && counted == failures + 1);
            }
        }

        #[test]
        fn waits_grow_up_to_the_cap(row in 0..TABLE.len(), step in 1u32..100) {
            if let Action::Retry(Retry { rhythm, .. }) = TABLE[row].action {
                let (now, next) = (rhythm.wait(step), rhythm.wait(step + 1));
                prop_assert!(now <= next && next <= rhythm.cap && now >= rhythm.first);
            }
        }

        #[test]
        fn while_our_line_is_down_nothing_expires(now in 0i64..5_000_000, failures in 0u32..1000, jitter in 0.0f64..1.0) {
            let mut diagnosis = meaning("451 4.4.1 no answer");
            (diagnosis.cause, diagnosis.scope) = (Cause::OurLineDown, Scope::Us);
            let history = History { now: at(now), line_failures: failures, ..history(3) };
            let decided = decide(&diagnosis, &history, jitter);
            let is_later = matches!(decided.decision, Decision::RetryAt { at, .. } if at > history.now);
            prop_assert!(is_later && decided.effect.who == Waits::Us);
        }

        #[test]
        fn jitter_moves_a_wait_by_a_fifth_at_most(jitter in 0.0f64..=1.0, attempts in 1u32..30) {
            let decided = decide(&meaning("452 4.2.2 over quota"), &history(attempts), jitter);
            let Action::Retry(retry) = decided.row.action else { panic!("transient") };
            let planned = retry.rhythm.wait(attempts).as_secs_f64();
            let Decision::RetryAt { at, .. } = decided.decision else { panic!("transient") };
            let waited = at.duration_since(super::tests::at(1000)).as_secs_f64();
            prop_assert!((waited / planned - 1.0).abs() <= super::super::kinds::JITTER + 0.001);
        }
    }
}
