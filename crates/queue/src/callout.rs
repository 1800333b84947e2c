//! Asking the next hop of a relayed domain whether it would take a recipient, before mail is taken for it.
//!
//! What is decided from an answer is here, and is pure; a [`Callout`] asks, a [`CalloutMemory`] keeps what
//! was answered. It may be lost: the next hop is then asked once more.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use diagnosis::Failure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smtp::{Address, Reply};

use crate::StoreError;
use crate::route::{NextHop, Target};

/// How the recipients of a domain are asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalloutPolicy {
    /// Who is asked in place of the next hop of the route.
    pub server: Option<NextHop>,
    /// How long a client waits at RCPT; the question goes on without it.
    pub wait: Duration,
    /// How long one question may take.
    pub timeout: Duration,
    /// How long it holds that a recipient is there.
    pub positive: Duration,
    /// How long it holds that it is not.
    pub negative: Duration,
    /// Questions at one time to one destination.
    pub connections: usize,
    /// What becomes of mail while nobody can tell.
    pub unanswered: Unsure,
}

/// What becomes of mail for a recipient of whom nobody can tell whether it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unsure {
    /// It is to come again.
    #[default]
    Refuse,
    /// It is taken.
    Accept,
}

impl Default for CalloutPolicy {
    fn default() -> CalloutPolicy {
        CalloutPolicy {
            server: None,
            wait: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            positive: Duration::from_secs(7 * 86_400),
            negative: Duration::from_secs(3_600),
            connections: 4,
            unanswered: Unsure::Refuse,
        }
    }
}

/// What is known of a recipient.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It would be taken.
    Taken,
    /// It would not.
    Refused {
        /// The next hop's words.
        reply: Reply,
        /// When it said them.
        at: Timestamp,
    },
    /// It is not known.
    Unanswered {
        /// Why not.
        why: Unanswered,
        /// When asking again may help.
        wait: Duration,
    },
}

/// Why it is not known whether a recipient is there.
#[derive(Clone, Debug, PartialEq)]
pub enum Unanswered {
    /// The next hop has been asked and is yet to answer.
    Asking,
    /// Too many wait to be asked about at this destination.
    Crowded,
    /// The next hop could not be asked, or what it says is not about the recipient.
    Failed(Box<Failure>),
}

/// What is remembered of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// When it was given.
    pub at: Timestamp,
    /// The refusal; none: the recipient would be taken.
    pub refused: Option<Reply>,
}

/// What is to be done with what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It holds.
    Fresh,
    /// It holds, and is to be asked about anew without anybody waiting for it.
    Aging,
    /// It holds no more.
    Stale,
}

/// After this part of its time a good answer is asked for anew.
const AGING: u32 = 4;

impl CalloutPolicy {
    /// How long an answer holds.
    #[must_use]
    pub fn keep(&self, remembered: &Remembered) -> Duration {
        match remembered.refused {
            Some(_) => self.negative,
            None => self.positive,
        }
    }

    /// Whether an answer still holds. One from the future, after the clock was set back, does not.
    #[must_use]
    pub fn judge(&self, remembered: &Remembered, now: Timestamp) -> Freshness {
        let Ok(age) = Duration::try_from(now.duration_since(remembered.at)) else {
            return Freshness::Stale;
        };
        let keep = self.keep(remembered);
        match (age >= keep, remembered.refused.is_none()) {
            (true, _) => Freshness::Stale,
            (false, true) if age >= keep / AGING => Freshness::Aging,
            (false, _) => Freshness::Fresh,
        }
    }
}

/// Asks next hops about recipients.
#[async_trait]
pub trait Callout: Send + Sync + Debug {
    /// Whether the next hop of `target` would take the address. Waits no longer than the policy says.
    async fn ask(&self, address: &Address, target: &Target, policy: &CalloutPolicy) -> Answer;
}

/// Keeps answers over a restart.
#[async_trait]
pub trait CalloutMemory: Send + Sync + Debug {
    /// What was answered about an address at a server.
    async fn recall(&self, address: &str, server: &str) -> Result<Option<Remembered>, StoreError>;
    /// Keeps an answer in place of the one before, until it holds no more.
    async fn keep(
        &self,
        address: &str,
        server: &str,
        answer: &Remembered,
        until: Timestamp,
    ) -> Result<(), StoreError>;
    /// Forgets what holds no more; answers how much.
    async fn forget(&self, now: Timestamp) -> Result<u64, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_good_answer_ages_before_it_ends_and_a_bad_one_only_ends() {
        let policy = CalloutPolicy {
            positive: Duration::from_secs(400),
            negative: Duration::from_secs(100),
            ..CalloutPolicy::default()
        };
        let good = Remembered {
            at: at(0),
            refused: None,
        };
        let reply = Reply::parse("mx", b"550 5.1.1 no\r\n").unwrap();
        let bad = Remembered {
            at: at(0),
            refused: Some(reply),
        };
        for (of, seconds, expected) in [
            (&good, 0, Freshness::Fresh),
            (&good, 99, Freshness::Fresh),
            (&good, 100, Freshness::Aging),
            (&good, 399, Freshness::Aging),
            (&good, 400, Freshness::Stale),
            (&good, -1, Freshness::Stale),
            (&bad, 99, Freshness::Fresh),
            (&bad, 100, Freshness::Stale),
        ] {
            assert_eq!(policy.judge(of, at(seconds)), expected, "{of:?} {seconds}");
        }
    }
}
