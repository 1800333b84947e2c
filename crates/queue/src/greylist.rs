//! Greylisting (RFC 6647): who is put off once, and for how long.
//!
//! What is decided is here, and is pure; a [`Greylist`] keeps what has been seen. It is a memory that
//! may be lost: strangers are then put off once more.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::StoreError;

/// How strangers are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GreylistPolicy {
    /// How long a triplet is put off from its first attempt on.
    pub delay: Duration,
    /// How long it may take to come back; whoever comes later is a stranger again.
    pub window: Duration,
    /// How long one that has passed is remembered after it was last seen.
    pub keep: Duration,
    /// After so many triplets of a network that have passed, all of the network's mail passes; 0: never.
    pub auto_allow: u32,
}

impl Default for GreylistPolicy {
    fn default() -> GreylistPolicy {
        GreylistPolicy {
            delay: Duration::from_secs(300),
            window: Duration::from_secs(2 * 86_400),
            keep: Duration::from_secs(35 * 86_400),
            auto_allow: 5,
        }
    }
}

/// Who wants to send what to whom. The client stands for its network, since large senders come back
/// from another machine (RFC 6647 §2.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Triplet {
    /// The client's network, as text.
    pub network: String,
    /// The reverse-path.
    pub sender: String,
    /// The forward-path.
    pub recipient: String,
}

/// What is remembered of a triplet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it came first.
    pub first: Timestamp,
    /// When it came last.
    pub last: Timestamp,
    /// Whether it has come back after the delay.
    pub passed: bool,
}

/// What is remembered of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many of its triplets have passed.
    pub passed: u32,
    /// When it was last seen to behave.
    pub last: Timestamp,
}

/// What becomes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// It may go on.
    Pass,
    /// It is to come back after so long.
    Wait(Duration),
}

/// A decision, with what is to be remembered now; `None` where that has not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The decision.
    pub greeting: Greeting,
    /// Of the triplet.
    pub seen: Option<Seen>,
    /// Of the network.
    pub standing: Option<Standing>,
}

/// Time from one to the other; none where the clock was set back.
fn since(from: Timestamp, now: Timestamp) -> Duration {
    now.duration_since(from).try_into().unwrap_or_default()
}

impl GreylistPolicy {
    /// Decides about an attempt from what is remembered.
    #[must_use]
    pub fn judge(
        &self,
        now: Timestamp,
        seen: Option<Seen>,
        standing: Option<Standing>,
    ) -> Judgement {
        let standing = standing.filter(|s| since(s.last, now) <= self.keep);
        if let Some(known) = standing
            && self.auto_allow > 0
            && known.passed >= self.auto_allow
        {
            return Judgement {
                greeting: Greeting::Pass,
                seen: None,
                standing: Some(Standing { last: now, ..known }),
            };
        }
        match seen.filter(|s| !self.forgets(s, now)) {
            Some(known) if known.passed => Judgement {
                greeting: Greeting::Pass,
                seen: Some(Seen { last: now, ..known }),
                standing: None,
            },
            Some(known) if since(known.first, now) >= self.delay => Judgement {
                greeting: Greeting::Pass,
                seen: Some(Seen {
                    last: now,
                    passed: true,
                    ..known
                }),
                standing: Some(Standing {
                    passed: standing.map_or(0, |s| s.passed).saturating_add(1),
                    last: now,
                }),
            },
            Some(known) => Judgement {
                greeting: Greeting::Wait(self.delay - since(known.first, now)),
                seen: Some(Seen { last: now, ..known }),
                standing: None,
            },
            None => Judgement {
                greeting: if self.delay.is_zero() {
                    Greeting::Pass
                } else {
                    Greeting::Wait(self.delay)
                },
                seen: Some(Seen {
                    first: now,
                    last: now,
                    passed: false,
                }),
                standing: None,
            },
        }
    }

    /// Whether what is remembered of a triplet is of no more use.
    #[must_use]
    pub fn forgets(&self, seen: &Seen, now: Timestamp) -> bool {
        if seen.passed {
            since(seen.last, now) > self.keep
        } else {
            since(seen.first, now) > self.window
        }
    }
}

/// Remembers who has come before.
#[async_trait]
pub trait Greylist: Send + Sync + Debug {
    /// Decides about an attempt and remembers it.
    async fn meet(
        &self,
        triplet: &Triplet,
        policy: &GreylistPolicy,
        now: Timestamp,
    ) -> Result<Greeting, StoreError>;

    /// Forgets what the policy has no more use for; answers how much.
    async fn forget(&self, policy: &GreylistPolicy, now: Timestamp) -> Result<u64, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    const POLICY: GreylistPolicy = GreylistPolicy {
        delay: Duration::from_secs(300),
        window: Duration::from_secs(3_600),
        keep: Duration::from_secs(86_400),
        auto_allow: 2,
    };

    #[test]
    fn a_stranger_waits_comes_back_and_is_known() {
        let first = POLICY.judge(at(0), None, None);
        assert_eq!(first.greeting, Greeting::Wait(POLICY.delay));
        let early = POLICY.judge(at(100), first.seen, None);
        assert_eq!(early.greeting, Greeting::Wait(Duration::from_secs(200)));
        let back = POLICY.judge(at(300), early.seen, None);
        assert_eq!(back.greeting, Greeting::Pass);
        assert_eq!(back.standing.unwrap().passed, 1);
        let again = POLICY.judge(at(301), back.seen, back.standing);
        assert_eq!((again.greeting, again.standing), (Greeting::Pass, None));
    }

    #[test]
    fn whoever_comes_back_too_late_or_was_away_too_long_is_a_stranger_again() {
        let first = POLICY.judge(at(0), None, None);
        let late = POLICY.judge(at(3_601), first.seen, None);
        assert_eq!(late.greeting, Greeting::Wait(POLICY.delay));
        let passed = POLICY.judge(at(3_901), late.seen, None);
        let back = POLICY.judge(at(3_901 + 86_401), passed.seen, passed.standing);
        assert_eq!(back.greeting, Greeting::Wait(POLICY.delay));
    }

    #[test]
    fn a_network_that_has_behaved_often_enough_is_let_through() {
        let standing = Standing {
            passed: 2,
            last: at(0),
        };
        let met = POLICY.judge(at(5), None, Some(standing));
        assert_eq!(
            (met.greeting, met.standing.unwrap().last),
            (Greeting::Pass, at(5))
        );
        let stale = POLICY.judge(at(86_401), None, Some(standing));
        assert_eq!(stale.greeting, Greeting::Wait(POLICY.delay));
        let never = GreylistPolicy {
            auto_allow: 0,
            ..POLICY
        };
        let met = never.judge(at(5), None, Some(standing));
        assert_eq!(met.greeting, Greeting::Wait(POLICY.delay));
    }

    #[test]
    fn a_clock_set_back_makes_nobody_wait_longer_than_the_delay() {
        let first = POLICY.judge(at(0), None, None);
        let back = POLICY.judge(at(-9_999), first.seen, None);
        assert_eq!(back.greeting, Greeting::Wait(POLICY.delay));
    }
}
