//! How long a destination puts off what it sees for the first time, learnt from when it took such mail.
//!
//! Greylisting does not always say what it is, nor how long it lasts. But what was refused and is taken at a
//! certain age tells: the next message comes back at that age, not before. Between the age that was too early
//! and the one that was enough, one message at a time looks for the least.

use std::time::Duration;

use diagnosis::{Cause, Diagnosis};
use jiff::Timestamp;

use super::decide::History;
use super::kinds::{Action, Retry, Special};
use super::table::row_of;

/// What is known of how long a destination puts mail off.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct PutOff(Option<Known>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Known {
    cause: Cause,
    /// The greatest age at which it was too early.
    too_early: Duration,
    /// The least age that was enough, once there was one.
    enough: Option<Duration>,
    /// Until then a message looks whether less is enough.
    looking: Option<Timestamp>,
}

/// How old a message is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Age {
    /// Since it was accepted.
    age: Duration,
    /// The same if it had been tried at once and then by the table.
    planned: Duration,
    /// Whether this is the first time that it meets this.
    first: bool,
}

/// A message that is older than this times its planned age was kept by something else.
const SLACK: f64 = 1.3;
const A_LITTLE: Duration = Duration::from_secs(60);
/// The bounds are near enough to each other when they differ by this part of the upper one.
const NEAR: f64 = 0.1;
/// What took longer than this is no greylisting.
const LONGEST: Duration = Duration::from_secs(4 * 3600);

impl PutOff {
    /// Whether something is known that is worth keeping.
    #[must_use]
    pub fn has_learnt(&self) -> bool {
        self.0.is_some_and(|known| known.enough.is_some())
    }

    /// An attempt failed so, the one before as `last` says. Answers how long the message had better wait, where
    /// the table says that this can be learnt and it was.
    pub fn wait(
        &mut self,
        diagnosis: &Diagnosis,
        last: Option<&Diagnosis>,
        history: &History,
    ) -> Option<Duration> {
        let retry = learns(diagnosis, history)?;
        let cause = diagnosis.cause;
        let first = history.attempts <= 1 || last.is_none_or(|last| last.cause != cause);
        self.refused(cause, age(history, &retry, first), history.now)
    }

    /// A message was taken that had failed so; `history` is that of the attempt now made.
    pub fn went_well(&mut self, last: &Diagnosis, history: &History) {
        if let Some(retry) = learns(last, history) {
            self.taken(last.cause, age(history, &retry, false));
        }
    }

    /// A message was put off. Answers how long it had better wait, if that was learnt.
    fn refused(&mut self, cause: Cause, of: Age, now: Timestamp) -> Option<Duration> {
        let known = match &mut self.0 {
            Some(known) if known.cause == cause => known,
            other => other.insert(Known {
                cause,
                too_early: Duration::ZERO,
                enough: None,
                looking: None,
            }),
        };
        let age = of.age;
        if !of.first && known.trusts(of) {
            known.too_early = known.too_early.max(age);
        }
        let enough = known.enough?;
        if known.too_early >= enough {
            // What was learnt holds no more.
            self.0 = None;
            return None;
        }
        let mut until = enough;
        let apart = enough.saturating_sub(known.too_early);
        let is_looked_for = known.looking.is_some_and(|until| until > now);
        if of.first && !is_looked_for && !known.too_early.is_zero() && apart > enough.mul_f64(NEAR)
        {
            until = known.too_early + apart / 2;
            known.looking = now.checked_add(until).ok();
        }
        let passed = if of.first { Duration::ZERO } else { age };
        (until > passed).then(|| until - passed)
    }

    /// A message was taken that was put off before.
    fn taken(&mut self, cause: Cause, of: Age) {
        let Some(known) = self.0.as_mut().filter(|known| known.cause == cause) else {
            return;
        };
        if known.trusts(of) && of.age > known.too_early {
            known.enough = Some(known.enough.map_or(of.age, |enough| enough.min(of.age)));
        }
    }
}

/// What the table says of it, if that can be learnt.
fn learns(diagnosis: &Diagnosis, history: &History) -> Option<Retry> {
    match &row_of(diagnosis, history).action {
        Action::Retry(retry) => (retry.special.contains(&Special::Learns))
            .then(|| history.own.retry(diagnosis.cause, retry)),
        Action::Fail | Action::NextTransaction | Action::OtherHost | Action::Convert => None,
    }
}

fn age(history: &History, retry: &Retry, first: bool) -> Age {
    let age = history.now.duration_since(history.received_at);
    Age {
        age: Duration::try_from(age).unwrap_or_default(),
        planned: retry.rhythm.after(history.attempts.saturating_sub(1)),
        first,
    }
}

impl Known {
    /// Whether the age is that since the first refusal: not if something else kept the message before.
    fn trusts(&self, of: Age) -> bool {
        let planned = of.planned.mul_f64(SLACK) + A_LITTLE;
        let most = planned.max(self.enough.map_or(planned, |enough| enough.mul_f64(SLACK)));
        of.age <= most.min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAUSE: Cause = Cause::ServerError;

    fn at(minutes: u64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes as i64).unwrap()
    }

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    /// A server that takes what is so many minutes old. Answers how often a message was refused, and its age
    /// when it was taken; without what was learnt it comes after 5, 15, 35 … minutes.
    fn send(put_off: &mut PutOff, delay: u64, begins: u64) -> (u32, u64) {
        let delay = minutes(delay);
        let (mut age, mut planned) = (Duration::ZERO, Duration::ZERO);
        let (mut refused, mut step) = (0, minutes(5));
        while age < delay {
            let first = refused == 0;
            let age_of = Age {
                age,
                planned,
                first,
            };
            let wait = put_off.refused(CAUSE, age_of, at(begins) + age);
            age += wait.unwrap_or(step);
            planned += step;
            step *= 2;
            refused += 1;
        }
        let first = false;
        let age_of = Age {
            age,
            planned,
            first,
        };
        put_off.taken(CAUSE, age_of);
        (refused, age.as_secs().div_ceil(60))
    }

    fn of(age: u64, planned: u64) -> Age {
        Age {
            age: minutes(age),
            planned: minutes(planned),
            first: planned == 0,
        }
    }

    #[test]
    fn what_let_one_message_through_lets_the_next_come_just_then() {
        for delay in [1, 5, 7, 15, 25, 60] {
            let mut put_off = PutOff::default();
            let first = send(&mut put_off, delay, 0);
            assert!(first.1 >= delay);
            for n in 1..8 {
                send(&mut put_off, delay, 1000 * n);
            }
            let (refused, age) = send(&mut put_off, delay, 10_000);
            assert!(refused == 1 && age <= first.1, "{delay}: {refused} {age}");
            assert!(age <= (delay + delay / 8 + 1).max(5), "{delay}: {age}");
        }
    }

    #[test]
    fn only_one_message_at_a_time_looks_for_less() {
        let mut put_off = PutOff::default();
        send(&mut put_off, 25, 0);
        let mut first = |now| put_off.refused(CAUSE, of(0, 0), at(now));
        assert_eq!(first(100), Some(minutes(25)), "half way between 15 and 35");
        assert_eq!(first(101), Some(minutes(35)));
        assert_eq!(first(126), Some(minutes(25)));
    }

    #[test]
    fn a_server_that_changes_its_mind_is_learnt_anew() {
        let mut put_off = PutOff::default();
        send(&mut put_off, 5, 0);
        assert_eq!(send(&mut put_off, 60, 1000).1, 75);
        assert!(!put_off.has_learnt() || send(&mut put_off, 60, 2000).1 <= 75);
        let other = put_off.refused(Cause::Greylisting, of(0, 0), at(5000));
        assert_eq!(other, None, "another cause is another matter");
    }

    #[test]
    fn what_something_else_kept_and_what_took_hours_teaches_nothing() {
        let mut put_off = PutOff::default();
        put_off.refused(CAUSE, of(0, 0), at(0));
        put_off.taken(CAUSE, of(180, 5));
        put_off.taken(CAUSE, of(600, 600));
        assert!(!put_off.has_learnt());
        put_off.taken(CAUSE, of(6, 5));
        assert!(put_off.has_learnt());
    }
}
