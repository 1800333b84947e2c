//! How many connections and messages a destination, or a provider, bears: learnt from its own
//! signals.
//!
//! The window of connections grows with success and shrinks with complaints (additive increase,
//! multiplicative decrease, as TCP does it). After an outage it opens with one probe and doubles up
//! to what it was. A rate is learnt only where a server says that we are too fast.

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
    learnt: Option<LearntRate>,
    next_message: Option<Timestamp>,
    meter: Meter,
}

/// A rate that a server has made us learn, in messages a second.
#[derive(Clone, Copy, Debug, PartialEq)]
struct LearntRate {
    now: f32,
    /// Added for each message that is taken.
    step: f32,
    /// From here on it is no limit any more.
    ceiling: f32,
}

/// Messages begun in this minute and in the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Meter {
    minute: i64,
    this: u32,
    last: u32,
}

/// Of what went through when a server complained, so much is tried on.
const DECREASE: f32 = 0.5;
/// A learnt rate grows by this part of itself with each message that is taken.
const INCREASE: f32 = 0.02;
/// A learnt rate is forgotten when it is so many times what was complained about.
const FORGOTTEN_AT: f32 = 2.0;
/// No rate is learnt below this: a message in ten minutes.
const SLOWEST: f32 = 1.0 / 600.0;

impl Pace {
    /// The pace of something that nothing is known of: so many connections at first.
    #[must_use]
    pub fn new(first: usize) -> Pace {
        Pace {
            window: first.max(1) as f32,
            threshold: first.max(1) as f32,
            failures: 0,
            blocked_until: None,
            learnt: None,
            next_message: None,
            meter: Meter::default(),
        }
    }

    /// The same, with what was remembered over a restart.
    #[must_use]
    pub fn remembered(first: usize, failures: u32, blocked_until: Option<Timestamp>) -> Pace {
        let mut pace = Pace::new(first);
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

    /// Until when nothing is tried.
    #[must_use]
    pub fn blocked_until(&self) -> Option<Timestamp> {
        self.blocked_until
    }

    /// The learnt rate in messages a second, if a server has made us learn one.
    #[must_use]
    pub fn learnt_rate(&self) -> Option<f64> {
        self.learnt.map(|rate| f64::from(rate.now))
    }

    /// Connections at one time: one probe while it fails, else what its signals allow.
    #[must_use]
    pub fn allowed_sessions(&self, limits: &PaceLimits) -> usize {
        let most = limits.sessions.max(1);
        if self.failures > 0 {
            1
        } else {
            (self.window as usize).clamp(1, most)
        }
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
        self.meter.count(now);
        let learnt = self.learnt_rate();
        let rate = match (learnt, limits.rate) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let spacing = rate.filter(|r| *r > 0.0).map(|r| 1.0 / r);
        self.next_message = spacing.and_then(|seconds| {
            let from = self.next_message.map_or(now, |at| at.max(now));
            let spacing = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
            from.checked_add(spacing).ok()
        });
    }

    /// A message was taken. Answers whether that ends an outage.
    pub fn went_well(&mut self, limits: &PaceLimits) -> bool {
        let most = limits.sessions.max(1) as f32;
        let recovered = self.failures > 0;
        self.failures = 0;
        self.blocked_until = None;
        let growth = if self.window < self.threshold {
            1.0
        } else {
            1.0 / self.window
        };
        self.window = (self.window + growth).min(most).max(1.0);
        if let Some(rate) = &mut self.learnt {
            rate.now += rate.step;
            if rate.now >= rate.ceiling {
                self.learnt = None;
                self.next_message = None;
            }
        }
        recovered
    }

    /// A failure that concerns it.
    pub fn went_badly(&mut self, effect: &Effect, now: Timestamp) {
        match effect.signal {
            Signal::None => {}
            Signal::Down => {
                // What it bore before is no matter of how much was sent: it comes back to that.
                self.threshold = self.threshold.max(self.window);
            }
            Signal::Connections => {
                self.window = (self.window * DECREASE).max(1.0);
                self.threshold = self.window;
            }
            Signal::Rate => {
                self.window = (self.window * DECREASE).max(1.0);
                self.threshold = self.window;
                self.learn_rate(now);
            }
        }
        if let Some(block) = &effect.block {
            self.failures = block.failures;
            self.window = 1.0;
            if block.until > now {
                self.blocked_until = Some(block.until);
            }
        }
    }

    fn learn_rate(&mut self, now: Timestamp) {
        let met = match self.learnt {
            Some(rate) => rate.now,
            None => self.meter.per_second(now),
        };
        let rate = (met * DECREASE).max(SLOWEST);
        self.learnt = Some(LearntRate {
            now: rate,
            step: rate * INCREASE,
            ceiling: (met * FORGOTTEN_AT).max(SLOWEST * FORGOTTEN_AT),
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

impl Meter {
    fn turn(&self, now: Timestamp) -> Meter {
        let minute = now.as_second().div_euclid(60);
        match minute - self.minute {
            0 => *self,
            1 => Meter {
                minute,
                this: 0,
                last: self.this,
            },
            _ => Meter {
                minute,
                this: 0,
                last: 0,
            },
        }
    }

    fn count(&mut self, now: Timestamp) {
        *self = self.turn(now);
        self.this = self.this.saturating_add(1);
    }

    fn per_second(&self, now: Timestamp) -> f32 {
        let turned = self.turn(now);
        let seconds = 60 + now.as_second().rem_euclid(60);
        (turned.this as f32 + turned.last as f32) / seconds as f32
    }
}

#[cfg(test)]
mod tests;
