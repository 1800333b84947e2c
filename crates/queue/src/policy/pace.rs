//! How many connections and messages a destination, or a provider, bears: learnt from its own
//! signals.
//!
//! The window of connections grows with success. Where a server bears no more of them, it learns how many
//! it does bear, and asks for one more only now and then. After an outage it opens with one probe and doubles
//! up to what it was. Where a server says that we are too fast, it learns how many messages the server took in
//! one go: after the wait one probe goes, then as many again, and what is more than that one by one.

use std::time::Duration;

use jiff::Timestamp;

use super::decide::Effect;
use super::kinds::Signal;

/// What the operator allows at most, whatever the signals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PaceLimits {
    /// Connections at one time; 0 counts as 1.
    pub sessions: usize,
    /// Messages a second.
    pub rate: Option<f64>,
}

/// Whether something may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// It may.
    Go,
    /// Not before something else ends.
    Full,
    /// Not before this time.
    At(Timestamp),
}

/// The pace of a destination or a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    window: f32,
    /// Up to here the window doubles; beyond it grows by one at a time.
    threshold: f32,
    failures: u32,
    blocked_until: Option<Timestamp>,
    bears: Option<Bears>,
    quota: Option<Quota>,
    /// What was taken since it opened last, or since it was last idle.
    taken: Taken,
    /// By the operator's rate.
    next_message: Option<Timestamp>,
}

/// As many connections as a server was seen to bear.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bears {
    sessions: f32,
    /// When it last complained of more, for the first time in a row.
    since: Timestamp,
    /// So many were open then.
    open: usize,
    /// Since when no other number was tried, and how many messages were taken since.
    tried: Timestamp,
    taken: u32,
}

/// As many messages as a server took before it said that we are too fast.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Quota {
    met: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Taken {
    count: u32,
    last: Option<Timestamp>,
    /// When the two before the last were taken, the later first.
    before: [Option<Timestamp>; BUSY - 1],
}

/// Of the connections that were open when a server complained, so many are kept.
const DECREASE: f32 = 0.5;
/// Complaints that follow within this time are of connections that were opened together.
const TOGETHER: Duration = Duration::from_secs(5);
/// One more connection than it is known to bear is tried after so long and so many messages.
const ONE_MORE_AFTER: Duration = Duration::from_secs(600);
const ONE_MORE_AFTER_MESSAGES: u32 = 100;
/// A quota is forgotten when so many times of it were taken in one go.
const FORGOTTEN_AT: u32 = 2;
/// Without a message for so long, what follows is another go.
const IDLE: Duration = Duration::from_secs(120);
/// What took so many messages within this time has not been away for longer than that, and as many will wait for
/// each probe.
const BUSY: usize = 3;
const LATELY: Duration = Duration::from_secs(600);
/// A complaint of speed after less than this is not about speed.
const SENT_MUCH: u32 = 3;
/// Connections at first: to a destination, and to a provider, which has many domains.
const FIRST_TO_DESTINATION: usize = 5;
const FIRST_TO_PROVIDER: usize = 20;

impl Pace {
    /// The pace of a destination that nothing is known of.
    #[must_use]
    pub fn of_destination() -> Pace {
        Pace::new(FIRST_TO_DESTINATION)
    }

    /// The pace of a provider that nothing is known of.
    #[must_use]
    pub fn of_provider() -> Pace {
        Pace::new(FIRST_TO_PROVIDER)
    }

    fn new(first: usize) -> Pace {
        Pace {
            window: first.max(1) as f32,
            threshold: first.max(1) as f32,
            failures: 0,
            blocked_until: None,
            bears: None,
            quota: None,
            taken: Taken::default(),
            next_message: None,
        }
    }

    /// The pace of a destination, with what was remembered over a restart.
    #[must_use]
    pub fn remembered(failures: u32, blocked_until: Option<Timestamp>) -> Pace {
        let mut pace = Pace::of_destination();
        pace.failures = failures;
        pace.blocked_until = blocked_until;
        if failures > 0 {
            pace.window = 1.0;
        }
        pace
    }

    /// Failures in a row of the whole.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Failures in a row before one that ends now. What was under way when it was blocked counts as one
    /// with the failure that blocked it.
    #[must_use]
    pub fn failures_before(&self, now: Timestamp) -> u32 {
        if self.is_blocked(now) {
            self.failures.saturating_sub(1)
        } else {
            self.failures
        }
    }

    /// Connections that were open when it complained of their number just now, if it did.
    #[must_use]
    pub fn complained_of(&self, now: Timestamp) -> usize {
        let lately = |bears: &Bears| !is_past(bears.since, TOGETHER, now);
        self.bears.filter(lately).map_or(0, |bears| bears.open)
    }

    /// Until when nothing is tried.
    #[must_use]
    pub fn blocked_until(&self) -> Option<Timestamp> {
        self.blocked_until
    }

    /// Whether something was learnt of what it bears that a new pace would not know.
    #[must_use]
    pub fn has_learnt(&self) -> bool {
        self.bears.is_some() || self.quota.is_some()
    }

    /// How many messages it took in one go before it complained of our speed, if it did.
    #[must_use]
    pub fn quota(&self) -> Option<u32> {
        self.quota.map(|quota| quota.met)
    }

    /// Whether it took three messages within the last ten minutes.
    #[must_use]
    pub fn took_lately(&self, now: Timestamp) -> bool {
        let [.., first] = self.taken.before;
        first.is_some_and(|at| !is_past(at, LATELY, now))
    }

    /// Whether enough was sent for a complaint of speed to be meant so.
    #[must_use]
    pub fn has_sent_much(&self, now: Timestamp) -> bool {
        let lately = (self.taken.last).is_some_and(|at| !is_past(at, IDLE, now));
        self.quota.is_some() || lately && self.taken.count >= SENT_MUCH
    }

    /// Connections at one time: one probe while it fails, else what its signals allow.
    #[must_use]
    pub fn allowed_sessions(&self, limits: &PaceLimits) -> usize {
        let most = limits.sessions.max(1);
        if self.failures > 0 {
            return 1;
        }
        // What is left of the quota at one time, and then one by one.
        let left = self
            .quota
            .map_or(u32::MAX, |quota| quota.met.saturating_sub(self.taken.count));
        (self.window as usize).min(left as usize).clamp(1, most)
    }

    /// Whether another connection may be opened while so many are open.
    #[must_use]
    pub fn session(&self, open: usize, limits: &PaceLimits, now: Timestamp) -> Permit {
        match self.opens_at(now) {
            Some(at) => Permit::At(at),
            None if open >= self.allowed_sessions(limits) => Permit::Full,
            None => Permit::Go,
        }
    }

    /// Whether another message may begin.
    #[must_use]
    pub fn message(&self, now: Timestamp) -> Permit {
        self.opens_at(now).map_or(Permit::Go, Permit::At)
    }

    /// Whether nothing is tried now because it failed as a whole.
    #[must_use]
    pub fn is_blocked(&self, now: Timestamp) -> bool {
        self.blocked_until.is_some_and(|until| until > now)
    }

    /// When it may be tried again, if it may not now: the end of a block, or the rate's next turn.
    #[must_use]
    pub fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        let at = self.blocked_until.max(self.next_message)?;
        (at > now).then_some(at)
    }

    /// A message begins.
    pub fn begin(&mut self, limits: &PaceLimits, now: Timestamp) {
        let spacing = limits.rate.filter(|r| *r > 0.0).map(|r| 1.0 / r);
        self.next_message = spacing.and_then(|seconds| {
            let from = self.next_message.map_or(now, |at| at.max(now));
            let spacing = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
            from.checked_add(spacing).ok()
        });
    }

    /// A message was taken. Answers whether that ends an outage.
    pub fn went_well(&mut self, limits: &PaceLimits, now: Timestamp) -> bool {
        let recovered = self.failures > 0;
        self.failures = 0;
        self.blocked_until = None;
        self.grow(limits, now);
        self.count(recovered, now);
        recovered
    }

    fn grow(&mut self, limits: &PaceLimits, now: Timestamp) {
        let most = limits.sessions.max(1) as f32;
        let growth = if self.window < self.threshold {
            1.0
        } else {
            1.0 / self.window
        };
        let mut bound = most;
        if let Some(bears) = &mut self.bears {
            bears.taken = bears.taken.saturating_add(1);
            if self.window >= bears.sessions + 1.0 {
                // It bears one more.
                bears.sessions = self.window.floor();
                (bears.tried, bears.taken) = (now, 0);
            }
            let may_ask =
                bears.taken >= ONE_MORE_AFTER_MESSAGES && is_past(bears.tried, ONE_MORE_AFTER, now);
            bound = most.min(bears.sessions + if may_ask { 1.0 } else { 0.0 });
        }
        self.window = (self.window + growth).min(bound).max(1.0);
    }

    fn count(&mut self, recovered: bool, now: Timestamp) {
        let idle = self.taken.last.is_none_or(|at| is_past(at, IDLE, now));
        if recovered || idle {
            self.taken.count = 0;
        }
        self.taken.count = self.taken.count.saturating_add(1);
        let [later, _] = self.taken.before;
        self.taken.before = [self.taken.last, later];
        self.taken.last = Some(now);
        let taken = self.taken.count;
        if (self.quota).is_some_and(|quota| taken >= quota.met.saturating_mul(FORGOTTEN_AT)) {
            self.quota = None;
        }
    }

    /// A failure that concerns it, while so many connections were open, this one included.
    pub fn went_badly(&mut self, effect: &Effect, open: usize, now: Timestamp) {
        // What was under way when it was blocked says nothing that is not known.
        let known = self.is_blocked(now);
        match effect.signal {
            Signal::None => {}
            Signal::Down => {
                // What it bore before is no matter of how much was sent: it comes back to that.
                self.threshold = self.threshold.max(self.window);
            }
            Signal::Connections => self.bears_less(open, now),
            // A probe that fails says only that it is too early.
            Signal::Rate if known || self.failures > 0 => {}
            Signal::Rate => {
                let met = self.taken.count;
                if self.quota.is_none_or(|quota| met < quota.met) {
                    self.window = (self.window * DECREASE).max(1.0);
                }
                self.threshold = self.window;
                if met >= SENT_MUCH {
                    self.quota = Some(Quota { met });
                }
            }
        }
        if let Some(block) = &effect.block {
            self.failures = block.failures;
            self.window = 1.0;
            if block.until > now && !known {
                self.blocked_until = Some(block.until);
            }
        }
    }

    /// Half of them is kept; all but this one may be borne.
    fn bears_less(&mut self, open: usize, now: Timestamp) {
        let others = open.saturating_sub(1).max(1) as f32;
        if let Some(bears) = &mut self.bears
            && !is_past(bears.since, TOGETHER, now)
        {
            bears.sessions = bears.sessions.min(others).max(self.window);
            return;
        }
        let half = (open as f32 * DECREASE).floor().max(1.0);
        self.window = self.window.min(half);
        self.threshold = self.window;
        self.bears = Some(Bears {
            sessions: others,
            since: now,
            tried: now,
            open,
            taken: 0,
        });
    }

    /// Lets the next probe go at once.
    pub fn open(&mut self) {
        self.blocked_until = None;
    }

    /// Forgets the failures: they were not its own.
    pub fn forgive(&mut self) {
        self.blocked_until = None;
        self.failures = 0;
    }
}

fn is_past(since: Timestamp, wait: Duration, now: Timestamp) -> bool {
    since.checked_add(wait).is_ok_and(|until| until <= now)
}

#[cfg(test)]
mod tests;
