//! How much may come in a period: token buckets by the clock of the world.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;

use crate::Network;
use crate::limits::Counted;

/// So many in a period. A client that was quiet may send as many at once; after that they come back
/// evenly over the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In which time.
    pub per: Duration,
}

/// The rates of one client, or of one network; `None`: as fast as it likes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Connections.
    pub connections: Option<Rate>,
    /// Messages begun.
    pub messages: Option<Rate>,
    /// Recipients accepted.
    pub recipients: Option<Rate>,
    /// Logins that failed.
    pub failed_logins: Option<Rate>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    Connections,
    Messages,
    Recipients,
    FailedLogins,
}

impl What {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            What::Connections => "connections",
            What::Messages => "messages",
            What::Recipients => "recipients",
            What::FailedLogins => "failed logins",
        }
    }
}

impl Rates {
    fn of(&self, what: What) -> Option<Rate> {
        match what {
            What::Connections => self.connections,
            What::Messages => self.messages,
            What::Recipients => self.recipients,
            What::FailedLogins => self.failed_logins,
        }
    }
}

/// A client or network is too fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooFast {
    pub(crate) what: What,
    pub(crate) rate: Rate,
    pub(crate) whose: Network,
    /// How long until the next one is free.
    pub(crate) wait: Duration,
}

/// Buckets kept: some 10 MB. Beyond it those that are nearest to full are forgotten, which are those of
/// the clients that did least lately.
const MOST: usize = 100_000;

/// Counts what clients do.
#[derive(Debug)]
pub(crate) struct Meter {
    client: Rates,
    network: Rates,
    buckets: Mutex<HashMap<(Network, What), Bucket>>,
    most: usize,
}

/// Tokens that are left, at a time.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Timestamp,
    rate: Rate,
}

impl Bucket {
    fn full(rate: Rate, now: Timestamp) -> Bucket {
        Bucket {
            left: f64::from(rate.count),
            at: now,
            rate,
        }
    }

    /// What has come back since.
    fn refill(&mut self, now: Timestamp) {
        // A clock that was set back gives nothing and takes nothing.
        let passed: Duration = now.duration_since(self.at).try_into().unwrap_or_default();
        let most = f64::from(self.rate.count);
        let per = self.rate.per.as_secs_f64().max(0.001);
        self.left = (self.left + most * passed.as_secs_f64() / per).min(most);
        self.at = now;
    }

    /// Until one is there.
    fn wait(&self) -> Duration {
        let each = self.rate.per.as_secs_f64() / f64::from(self.rate.count.max(1));
        Duration::from_secs_f64(((1.0 - self.left) * each).max(0.0).ceil())
    }
}

impl Meter {
    pub(crate) fn new(client: Rates, network: Rates) -> Meter {
        Meter {
            client,
            network,
            buckets: Mutex::default(),
            most: MOST,
        }
    }

    /// Whether there is a token left; takes none.
    pub(crate) fn look(&self, what: What, of: Counted, now: Timestamp) -> Result<(), TooFast> {
        self.count(what, of, now, 0.0)
    }

    /// Takes one token of the client and one of its network, or none.
    pub(crate) fn take(&self, what: What, of: Counted, now: Timestamp) -> Result<(), TooFast> {
        self.count(what, of, now, 1.0)
    }

    fn count(&self, what: What, of: Counted, now: Timestamp, tokens: f64) -> Result<(), TooFast> {
        let asked = [
            (of.client, self.client.of(what)),
            (of.network, self.network.of(what)),
        ];
        if asked.iter().all(|(_, rate)| rate.is_none()) {
            return Ok(());
        }
        let mut buckets = self.buckets.lock();
        for (whose, rate) in asked {
            let Some(rate) = rate else { continue };
            let bucket = buckets
                .entry((whose, what))
                .or_insert_with(|| Bucket::full(rate, now));
            bucket.refill(now);
            if bucket.left < 1.0 {
                return Err(TooFast {
                    what,
                    rate,
                    whose,
                    wait: bucket.wait().max(Duration::from_secs(1)),
                });
            }
        }
        for (whose, _) in asked {
            if let Some(bucket) = buckets.get_mut(&(whose, what)) {
                bucket.left -= tokens;
            }
        }
        if buckets.len() > self.most {
            forget(&mut buckets, self.most / 2, now);
        }
        Ok(())
    }
}

/// Keeps the `keep` emptiest buckets.
fn forget(buckets: &mut HashMap<(Network, What), Bucket>, keep: usize, now: Timestamp) {
    let empty = |bucket: &mut Bucket| {
        bucket.refill(now);
        let lacks = f64::from(bucket.rate.count) - bucket.left;
        // Time until it is full, which is then as good as forgotten.
        lacks * bucket.rate.per.as_secs_f64() / f64::from(bucket.rate.count.max(1))
    };
    let mut lacking: Vec<f64> = buckets.values_mut().map(empty).collect();
    let at = lacking.len().saturating_sub(keep + 1);
    let (_, limit, _) = lacking.select_nth_unstable_by(at, f64::total_cmp);
    let limit = *limit;
    let emptier = lacking.iter().filter(|lack| **lack > limit).count();
    let mut equals = keep.saturating_sub(emptier);
    buckets.retain(|_, bucket| {
        let lack = empty(bucket);
        if lack == limit && equals > 0 {
            equals -= 1;
            return true;
        }
        lack > limit
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
    }

    fn of(address: &str) -> Counted {
        Counted::of(address.parse().unwrap()).unwrap()
    }

    fn rate(count: u32, seconds: u64) -> Option<Rate> {
        Some(Rate {
            count,
            per: Duration::from_secs(seconds),
        })
    }

    fn messages(rate: Option<Rate>) -> Rates {
        Rates {
            messages: rate,
            ..Rates::default()
        }
    }

    #[test]
    fn a_client_may_send_its_count_at_once_and_then_evenly() {
        let meter = Meter::new(messages(rate(6, 60)), Rates::default());
        let take = |millis| meter.take(What::Messages, of("192.0.2.1"), at(millis));
        for _ in 0..6 {
            take(0).unwrap();
        }
        let refused = take(0).unwrap_err();
        assert_eq!(refused.wait, Duration::from_secs(10));
        assert_eq!(take(8_000).unwrap_err().wait, Duration::from_secs(2));
        take(10_000).unwrap();
        take(10_000).unwrap_err();
        // Others, and what has no limit, go on.
        meter.take(What::Messages, of("192.0.2.2"), at(0)).unwrap();
        meter
            .take(What::Recipients, of("192.0.2.1"), at(0))
            .unwrap();
    }

    #[test]
    fn a_network_has_its_rate_whichever_of_its_clients_come() {
        let meter = Meter::new(messages(rate(10, 60)), messages(rate(2, 60)));
        let take = |client| meter.take(What::Messages, of(client), at(0));
        take("2001:db8:1:1::1").unwrap();
        take("2001:db8:1:2::1").unwrap();
        let refused = take("2001:db8:1:3::1").unwrap_err();
        assert_eq!(refused.whose.to_string(), "2001:db8:1::/48");
        take("2001:db8:2::1").unwrap();
    }

    #[test]
    fn over_a_day_nobody_gets_more_than_the_rate_and_one_burst() {
        let meter = Meter::new(messages(rate(30, 3_600)), Rates::default());
        let taken = (0..86_400)
            .filter(|second| {
                let now = at(second * 1_000);
                meter.take(What::Messages, of("192.0.2.1"), now).is_ok()
            })
            .count();
        assert!((30 * 24..=30 * 25).contains(&taken), "{taken}");
    }

    #[test]
    fn a_clock_set_back_gives_nothing_and_blocks_nobody_for_longer() {
        let meter = Meter::new(messages(rate(1, 60)), Rates::default());
        let take = |millis| meter.take(What::Messages, of("192.0.2.1"), at(millis));
        take(1_000_000).unwrap();
        assert_eq!(take(0).unwrap_err().wait, Duration::from_secs(60));
        take(60_000).unwrap();
    }

    #[test]
    fn a_flood_of_addresses_takes_bounded_memory_and_frees_nobody_who_is_too_fast() {
        let mut meter = Meter::new(messages(rate(3, 60)), Rates::default());
        meter.most = 100;
        let bad = of("192.0.2.1");
        while meter.take(What::Messages, bad, at(0)).is_ok() {}
        for number in 0..10_000_u32 {
            let client = std::net::Ipv4Addr::from_bits(0x0a00_0000 + number);
            let counted = Counted::of(client.into()).unwrap();
            meter.take(What::Messages, counted, at(0)).unwrap();
            assert!(meter.buckets.lock().len() <= 101);
        }
        meter.take(What::Messages, bad, at(0)).unwrap_err();
    }
}
