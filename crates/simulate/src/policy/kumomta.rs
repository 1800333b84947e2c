//! KumoMTA: each message has its own exponential back-off, without an upper bound by default.
//!
//! After its reference (`make_queue_config`, `make_egress_path`) and, where that is silent, its sources
//! (`crates/kumod/src/queue`): a message whose next attempt would come after `max_age` expires at once,
//! which by the defaults is after 3.5 of the 7 days.

use super::Policy;
use super::line::Line;
use crate::answer::{AnswerId, Level};
use crate::clock::{Millis, minutes};
use crate::desk::{Desk, Wake};
use crate::traffic::MessageId;

/// The parameters by their names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Numbers {
    /// `retry_interval`
    pub(crate) retry_interval: Millis,
    /// `max_retry_interval`, if any
    pub(crate) max_retry_interval: Option<Millis>,
    /// `max_age`
    pub(crate) max_age: Millis,
    /// `connection_limit`
    pub(crate) connection_limit: u32,
    /// `consecutive_connection_failures_before_delay`
    pub(crate) failures_before_delay: u32,
    /// `connect_timeout`
    pub(crate) connect_timeout: Millis,
}

#[derive(Debug, Default)]
struct Site {
    ready: Line,
    failures: u32,
}

pub(crate) struct Kumomta {
    numbers: Numbers,
    sites: Vec<Site>,
    attempts: Vec<u16>,
}

impl Kumomta {
    pub(crate) fn new(numbers: &Numbers, destinations: u32, messages: u32) -> Kumomta {
        Kumomta {
            numbers: numbers.clone(),
            sites: (0..destinations).map(|_| Site::default()).collect(),
            attempts: vec![0; messages as usize],
        }
    }

    fn delay(&mut self, desk: &mut Desk, id: MessageId) {
        let attempts = &mut self.attempts[id as usize];
        let doubled = self
            .numbers
            .retry_interval
            .saturating_mul(1u64.checked_shl(u32::from(*attempts)).unwrap_or(u64::MAX));
        *attempts = attempts.saturating_add(1);
        let longest = self.numbers.max_retry_interval.unwrap_or(Millis::MAX);
        let magnitude = (self.numbers.retry_interval / 20).min(minutes(1)) as f64;
        let jitter = (desk.chance().unit() - 0.5) * magnitude;
        let delay = (doubled.min(longest) as f64 + jitter) as Millis;
        if desk.age(id).saturating_add(delay) > self.numbers.max_age {
            desk.give_up(id);
        } else {
            desk.wake_at(desk.now() + delay, Wake::Message(id));
        }
    }

    fn ready(&mut self, desk: &mut Desk, id: MessageId) {
        let site = &mut self.sites[desk.message(id).destination as usize];
        site.ready.push(id);
        site.ready.send(desk, self.numbers.connection_limit);
    }
}

impl Policy for Kumomta {
    fn connect_timeout(&self) -> Millis {
        self.numbers.connect_timeout
    }

    fn arrived(&mut self, desk: &mut Desk, id: MessageId) {
        self.ready(desk, id);
    }

    fn concluded(&mut self, desk: &mut Desk, id: MessageId, answer: Option<AnswerId>) {
        let destination = desk.message(id).destination as usize;
        self.sites[destination].ready.ended();
        let failed = answer.map(|answer| {
            let answer = desk.answer(answer);
            (answer.level, answer.permanent)
        });
        match failed {
            Some((Level::Host, _)) => self.sites[destination].failures += 1,
            Some(_) | None => self.sites[destination].failures = 0,
        }
        match failed {
            Some((_, true)) => desk.give_up(id),
            Some((_, false)) => self.delay(desk, id),
            None => {}
        }
        if self.sites[destination].failures > self.numbers.failures_before_delay {
            for waiting in self.sites[destination].ready.take() {
                self.delay(desk, waiting);
            }
        }
        let limit = self.numbers.connection_limit;
        self.sites[destination].ready.send(desk, limit);
    }

    fn woken(&mut self, desk: &mut Desk, wake: Wake) {
        if let Wake::Message(id) = wake {
            self.ready(desk, id);
        }
    }
}
