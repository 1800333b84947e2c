//! What is counted during a run.

use crate::clock::{Millis, minutes};
use crate::traffic::MessageId;

/// What is counted of each message and each destination.
#[derive(Debug)]
pub(crate) struct Tally {
    /// From when on each message could be delivered.
    pub(crate) opens: Vec<Millis>,
    /// Whether a failure met it, whatever the policy.
    pub(crate) hit: Vec<bool>,
    /// When it ended.
    pub(crate) ended: Vec<Millis>,
    /// Attempts that came to nothing.
    pub(crate) failures: Vec<u32>,
    /// Attempts in all.
    pub(crate) attempts: u64,
    /// The most attempts in one minute at one destination in the hour after it opened again.
    pub(crate) peak: u32,
    /// Where a policy did what cannot be done: must stay 0.
    pub(crate) broken: u32,
    /// When each attempt was made, in tests.
    #[cfg(test)]
    pub(crate) trace: Vec<(MessageId, Millis)>,
    sites: Vec<Site>,
}

#[derive(Debug, Default)]
struct Site {
    reopenings: Vec<Millis>,
    /// How many of them are past.
    past: usize,
    minute: (Millis, u32),
}

/// A server counts as just opened for so long.
const AFTER_OPENING: Millis = minutes(60);

impl Tally {
    pub(crate) fn new(opens: Vec<Millis>, hit: Vec<bool>, reopenings: Vec<Vec<Millis>>) -> Tally {
        let site = |reopenings| Site {
            reopenings,
            ..Site::default()
        };
        Tally {
            ended: vec![0; opens.len()],
            failures: vec![0; opens.len()],
            opens,
            hit,
            attempts: 0,
            peak: 0,
            broken: 0,
            #[cfg(test)]
            trace: Vec::new(),
            sites: reopenings.into_iter().map(site).collect(),
        }
    }

    pub(crate) fn tried(&mut self, _id: MessageId, destination: u32, now: Millis) {
        #[cfg(test)]
        self.trace.push((_id, now));
        self.attempts += 1;
        let site = &mut self.sites[destination as usize];
        while site.reopenings.get(site.past).is_some_and(|at| *at <= now) {
            site.past += 1;
        }
        let minute = now / minutes(1);
        if site.minute.0 != minute {
            site.minute = (minute, 0);
        }
        site.minute.1 += 1;
        let opened = site.past.checked_sub(1).map(|last| site.reopenings[last]);
        if opened.is_some_and(|at| now - at < AFTER_OPENING) {
            self.peak = self.peak.max(site.minute.1);
        }
    }

    pub(crate) fn failed(&mut self, id: MessageId) {
        self.failures[id as usize] += 1;
    }

    pub(crate) fn delivered(&mut self, id: MessageId, now: Millis) {
        self.ended[id as usize] = now;
    }

    pub(crate) fn given_up(&mut self, id: MessageId, now: Millis) {
        self.ended[id as usize] = now;
    }
}
