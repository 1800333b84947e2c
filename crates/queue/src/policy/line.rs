//! Is it them, or our own line? Told by how the connections to different destinations end.
//!
//! The line counts as down when [`ENOUGH`] different destinations could not be reached lately and
//! none could. Destinations that have failed for long say nothing: they would fail on any line.
//! While it is down a few connections probe; the first that is made shows that it is back, and then
//! more are opened by and by.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::kinds::Rhythm;
use super::pace::Permit;

/// The state of our own line.
#[derive(Clone, Debug, Default)]
pub struct Line {
    recent: HashMap<u64, Ended>,
    state: State,
}

/// How the latest connection to a destination ended.
#[derive(Clone, Copy, Debug)]
struct Ended {
    at: Timestamp,
    well: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    #[default]
    Up,
    /// Up again since a while: so many connections at one time.
    Opening {
        window: f64,
    },
    Down(Down),
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Down {
    /// The first failure that was counted.
    since: Timestamp,
    /// Probes that failed.
    failures: u32,
    probe_at: Timestamp,
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineChange {
    /// It went down; the first sign of it was at `since`.
    Down {
        /// When it began.
        since: Timestamp,
        /// How many different destinations show it.
        destinations: usize,
    },
    /// It is still down: a probe failed.
    StillDown {
        /// When it began.
        since: Timestamp,
    },
    /// It came back.
    Up {
        /// When it had gone down.
        since: Timestamp,
    },
}

/// So many different destinations must have failed.
pub(super) const ENOUGH: usize = 5;
/// What is longer ago than this says nothing.
pub(super) const LATELY: Duration = Duration::from_secs(600);
/// A destination that has failed so often in a row before says nothing.
pub(super) const CHRONIC: u32 = 3;
/// Connections at one time that probe a line that is down.
pub(super) const PROBES: usize = 3;
/// The pauses between probes.
pub(super) const PROBING: Rhythm = Rhythm {
    first: Duration::from_secs(30),
    factor: 1.5,
    cap: Duration::from_secs(300),
};
/// Destinations that are remembered, at most.
const REMEMBERED: usize = 1000;
/// When so many connections are open, the ramp is over.
const RAMP_ENDS: f64 = 1000.0;

impl Line {
    /// Since when the line is down, if it is.
    #[must_use]
    pub fn down_since(&self) -> Option<Timestamp> {
        match self.state {
            State::Down(down) => Some(down.since),
            State::Up | State::Opening { .. } => None,
        }
    }

    /// Probes that failed since it went down.
    #[must_use]
    pub fn failures(&self) -> u32 {
        match self.state {
            State::Down(down) => down.failures,
            State::Up | State::Opening { .. } => 0,
        }
    }

    /// Whether another connection may be opened while so many are.
    #[must_use]
    pub fn session(&self, open: usize, now: Timestamp) -> Permit {
        match self.state {
            State::Up => Permit::Go,
            State::Opening { window } if (open as f64) < window => Permit::Go,
            State::Opening { .. } => Permit::Full,
            State::Down(down) if down.probe_at > now => Permit::At(down.probe_at),
            State::Down(_) if open >= PROBES => Permit::Full,
            State::Down(_) => Permit::Go,
        }
    }

    /// A server answered: the line works.
    pub fn reached(&mut self, to: u64, now: Timestamp) -> Option<LineChange> {
        let change = match self.state {
            State::Down(Down { since, .. }) => {
                self.recent.clear();
                self.state = State::Opening {
                    window: PROBES as f64,
                };
                Some(LineChange::Up { since })
            }
            State::Opening { window } if window >= RAMP_ENDS => {
                self.state = State::Up;
                None
            }
            State::Opening { window } => {
                self.state = State::Opening {
                    window: window + 1.0,
                };
                None
            }
            State::Up => None,
        };
        self.note(
            to,
            Ended {
                at: now,
                well: true,
            },
        );
        change
    }

    /// No connection came about. `failures`: how often the destination has failed in a row before.
    pub fn not_reached(&mut self, to: u64, failures: u32, now: Timestamp) -> Option<LineChange> {
        if let State::Down(down) = &mut self.state {
            down.failures = down.failures.saturating_add(1);
            down.probe_at = after(now, PROBING.wait(down.failures.div_ceil(PROBES as u32)));
            return Some(LineChange::StillDown { since: down.since });
        }
        if failures >= CHRONIC {
            return None;
        }
        self.note(
            to,
            Ended {
                at: now,
                well: false,
            },
        );
        let oldest = now.checked_sub(LATELY).unwrap_or(Timestamp::MIN);
        let lately = || self.recent.values().filter(|ended| ended.at >= oldest);
        let failed = lately().filter(|ended| !ended.well);
        let destinations = failed.clone().count();
        if destinations < ENOUGH || lately().any(|ended| ended.well) {
            return None;
        }
        let since = failed.map(|ended| ended.at).min().unwrap_or(now);
        self.state = State::Down(Down {
            since,
            failures: 0,
            probe_at: after(now, PROBING.first),
        });
        Some(LineChange::Down {
            since,
            destinations,
        })
    }

    fn note(&mut self, to: u64, ended: Ended) {
        if self.recent.len() >= REMEMBERED && !self.recent.contains_key(&to) {
            let oldest = ended.at.checked_sub(LATELY).unwrap_or(Timestamp::MIN);
            self.recent.retain(|_, ended| ended.at >= oldest);
        }
        // Where that many are in use at a time, one more says nothing new.
        if self.recent.len() < REMEMBERED || self.recent.contains_key(&to) {
            self.recent.insert(to, ended);
        } else if ended.well {
            self.recent.clear();
            self.recent.insert(to, ended);
        }
    }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn down() -> Line {
        let mut line = Line::default();
        for n in 0..4 {
            assert_eq!(line.not_reached(n, 0, at(n as i64)), None);
        }
        let change = LineChange::Down {
            since: at(0),
            destinations: 5,
        };
        assert_eq!(line.not_reached(4, 0, at(10)), Some(change));
        line
    }

    #[test]
    fn five_destinations_that_fail_while_none_answers_are_our_own_line() {
        assert_eq!(down().down_since(), Some(at(0)));
    }

    #[test]
    fn one_that_answered_lately_clears_the_line() {
        let mut line = Line::default();
        line.reached(99, at(0));
        for n in 0..50 {
            assert_eq!(line.not_reached(n, 0, at(n as i64)), None);
        }
    }

    #[test]
    fn the_same_destination_again_and_again_says_nothing_nor_does_one_that_failed_before() {
        let mut line = Line::default();
        for n in 0..50 {
            assert_eq!(line.not_reached(7, 0, at(n)), None);
            assert_eq!(line.not_reached(100 + n as u64, CHRONIC, at(n)), None);
        }
    }

    #[test]
    fn failures_that_lie_far_apart_are_not_counted_together() {
        let mut line = Line::default();
        for n in 0..20 {
            assert_eq!(line.not_reached(n, 0, at(n as i64 * 200)), None);
        }
    }

    #[test]
    fn a_line_that_is_down_is_probed_by_few_and_opens_by_and_by() {
        let mut line = down();
        assert_eq!(line.session(0, at(11)), Permit::At(at(40)));
        assert_eq!(line.session(2, at(40)), Permit::Go);
        assert_eq!(line.session(3, at(40)), Permit::Full);
        let still = Some(LineChange::StillDown { since: at(0) });
        assert_eq!(line.not_reached(9, 0, at(41)), still);
        assert_eq!(line.session(0, at(50)), Permit::At(at(71)));
        let up = Some(LineChange::Up { since: at(0) });
        assert_eq!(line.reached(9, at(75)), up);
        assert_eq!(line.session(3, at(75)), Permit::Full);
        assert_eq!(line.reached(8, at(75)), None);
        assert_eq!(line.session(3, at(75)), Permit::Go);
        assert_eq!(line.not_reached(1, 0, at(76)), None, "it takes five again");
    }

    proptest! {
        #[test]
        fn it_is_down_only_while_nobody_answers_and_a_probe_is_never_due_in_the_past(
            events in proptest::collection::vec((0u64..12, any::<bool>(), 0u32..5, 0i64..60), 0..200),
        ) {
            let mut line = Line::default();
            let mut now = 0;
            for (to, well, failures, passes) in events {
                now += passes;
                if well {
                    line.reached(to, at(now));
                    prop_assert_eq!(line.down_since(), None);
                } else {
                    line.not_reached(to, failures, at(now));
                }
                if let Permit::At(at_) = line.session(0, at(now)) {
                    prop_assert!(at_ > at(now) && line.down_since().is_some());
                }
                prop_assert!(line.down_since().is_none_or(|since| since <= at(now)));
            }
        }
    }
}
