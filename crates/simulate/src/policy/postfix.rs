//! Postfix: a scan of the deferred queue, back-off by the age of the message, and destinations that
//! are dead for a while after failed cohorts.
//!
//! After `qmgr(8)` and its sources (`qmgr_active.c`, `qmgr_queue.c`, `qmgr_deliver.c`): a message that
//! failed waits as long as it is old, but no less than `minimal_backoff_time` and no more than
//! `maximal_backoff_time`, and is looked at in scans each `queue_run_delay`. Failures to get as far as
//! MAIL count against the destination; when a cohort of them fails, it is dead for
//! `minimal_backoff_time`, and what is due meanwhile is put off without an attempt.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Policy;
use super::line::Line;
use crate::answer::{AnswerId, Level};
use crate::clock::{Millis, seconds};
use crate::desk::{Desk, Wake};
use crate::traffic::MessageId;

/// The parameters, by the names they have in `main.cf`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Numbers {
    /// `minimal_backoff_time`
    pub(crate) minimal_backoff_time: Millis,
    /// `maximal_backoff_time`
    pub(crate) maximal_backoff_time: Millis,
    /// `queue_run_delay`
    pub(crate) queue_run_delay: Millis,
    /// `maximal_queue_lifetime`
    pub(crate) maximal_queue_lifetime: Millis,
    /// `initial_destination_concurrency`
    pub(crate) initial_destination_concurrency: u32,
    /// `default_destination_concurrency_limit`
    pub(crate) destination_concurrency_limit: u32,
    /// `default_destination_concurrency_failed_cohort_limit`
    pub(crate) failed_cohort_limit: u32,
    /// `smtp_connect_timeout`
    pub(crate) connect_timeout: Millis,
}

#[derive(Debug)]
struct Site {
    line: Line,
    /// How many may be sent at a time; `None`: dead.
    window: Option<i32>,
    failed_cohorts: f64,
    success: f64,
    failure: f64,
}

impl Site {
    fn new(window: u32) -> Site {
        Site {
            line: Line::default(),
            window: Some(window as i32),
            failed_cohorts: 0.0,
            success: 0.0,
            failure: 0.0,
        }
    }
}

pub(crate) struct Postfix {
    numbers: Numbers,
    sites: Vec<Site>,
    deferred: BinaryHeap<Reverse<(Millis, MessageId)>>,
}

impl Postfix {
    pub(crate) fn new(numbers: &Numbers, destinations: u32) -> Postfix {
        let site = |_| Site::new(numbers.initial_destination_concurrency);
        Postfix {
            numbers: numbers.clone(),
            sites: (0..destinations).map(site).collect(),
            deferred: BinaryHeap::new(),
        }
    }

    fn activate(&mut self, desk: &mut Desk, id: MessageId) {
        let site = &mut self.sites[desk.message(id).destination as usize];
        match site.window {
            Some(window) => {
                site.line.push(id);
                site.line.send(desk, window as u32);
            }
            None => self.defer(desk, id),
        }
    }

    /// `qmgr_active_done_3_generic`, and before it the bounce of what is too old.
    fn defer(&mut self, desk: &mut Desk, id: MessageId) {
        let age = desk.age(id);
        if age >= self.numbers.maximal_queue_lifetime {
            desk.give_up(id);
            return;
        }
        let delay = age
            .min(self.numbers.maximal_backoff_time)
            .max(self.numbers.minimal_backoff_time);
        self.deferred.push(Reverse((desk.now() + delay, id)));
    }

    /// `qmgr_queue_unthrottle`: it answered, whatever it said of the message.
    fn alive(&mut self, destination: u32) {
        let (first, most) = (
            self.numbers.initial_destination_concurrency as i32,
            self.numbers.destination_concurrency_limit as i32,
        );
        let site = &mut self.sites[destination as usize];
        site.failed_cohorts = 0.0;
        // The one that just ended still counts as busy.
        let busy = site.line.sending as i32;
        let Some(window) = &mut site.window else {
            site.window = Some(if busy > 0 { busy } else { first });
            (site.success, site.failure) = (0.0, 0.0);
            return;
        };
        if *window < most && *window < busy + first {
            site.success += 1.0;
            while site.success + 0.5 >= 1.0 {
                *window += 1;
                site.success -= 1.0;
                site.failure = 0.0;
            }
            *window = (*window).min(most);
        }
    }

    /// `qmgr_queue_throttle`. Answers whether it was declared dead just now.
    fn dead(&mut self, destination: u32) -> bool {
        let limit = f64::from(self.numbers.failed_cohort_limit);
        let site = &mut self.sites[destination as usize];
        let Some(window) = &mut site.window else {
            return false;
        };
        site.failed_cohorts += 1.0 / f64::from(*window);
        if limit > 0.0 && site.failed_cohorts >= limit {
            site.window = None;
            return true;
        }
        site.failure -= 1.0;
        while site.failure - 0.5 < 0.0 {
            *window -= 1;
            site.success = 0.0;
            site.failure += 1.0;
        }
        *window = (*window).max(1);
        false
    }

    /// A destination that nothing is queued for is forgotten (`qmgr_queue_done`), unless it is dead.
    fn forget_if_empty(&mut self, destination: u32) {
        let site = &mut self.sites[destination as usize];
        if site.line.is_empty() && site.line.sending == 0 && site.window.is_some() {
            *site = Site::new(self.numbers.initial_destination_concurrency);
        }
    }

    fn send(&mut self, desk: &mut Desk, destination: u32) {
        let site = &mut self.sites[destination as usize];
        if let Some(window) = site.window {
            site.line.send(desk, window as u32);
        }
        self.forget_if_empty(destination);
    }
}

impl Policy for Postfix {
    fn connect_timeout(&self) -> Millis {
        self.numbers.connect_timeout
    }

    fn begin(&mut self, desk: &mut Desk) {
        desk.wake_at(0, Wake::Tick);
    }

    fn arrived(&mut self, desk: &mut Desk, id: MessageId) {
        self.activate(desk, id);
    }

    fn concluded(&mut self, desk: &mut Desk, id: MessageId, answer: Option<AnswerId>) {
        let destination = desk.message(id).destination;
        let failed = answer.map(|answer| {
            let answer = desk.answer(answer);
            (answer.level, answer.permanent)
        });
        let host_failed = matches!(failed, Some((Level::Host, _)));
        if host_failed {
            if self.dead(destination) {
                let wake = desk.now() + self.numbers.minimal_backoff_time;
                desk.wake_at(wake, Wake::Destination(destination));
                for waiting in self.sites[destination as usize].line.take() {
                    self.defer(desk, waiting);
                }
            }
        } else {
            self.alive(destination);
        }
        self.sites[destination as usize].line.ended();
        match failed {
            Some((_, true)) => desk.give_up(id),
            Some((_, false)) => self.defer(desk, id),
            None => {}
        }
        self.send(desk, destination);
    }

    fn woken(&mut self, desk: &mut Desk, wake: Wake) {
        match wake {
            Wake::Tick => {
                while let Some(Reverse((at, id))) = self.deferred.peek().copied()
                    // The time stamps of files, in whole seconds: "st_mtime > time() + 1" is skipped.
                    && at <= desk.now() + seconds(1)
                {
                    self.deferred.pop();
                    self.activate(desk, id);
                }
                if desk.is_unfinished() {
                    desk.wake_at(desk.now() + self.numbers.queue_run_delay, Wake::Tick);
                }
            }
            Wake::Destination(destination) => {
                if self.sites[destination as usize].window.is_none() {
                    self.alive(destination);
                    self.send(desk, destination);
                }
            }
            Wake::Message(_) | Wake::Expiry(_) => {}
        }
    }
}
