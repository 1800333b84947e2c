//! Sendmail: each message at once, then in each queue run, with what the run learned of hosts.
//!
//! After the Installation and Operation Guide: `-q` says how often the queue is run; a run remembers the
//! hosts that it found down (`ForkEachJob` is off) and passes over the rest of their mail, unless what it
//! knows is older than `Timeout.hoststatus`. A message that is new is tried by a process of its own.

use std::collections::VecDeque;

use super::Policy;
use crate::answer::{AnswerId, Level};
use crate::clock::Millis;
use crate::desk::{Desk, Wake};
use crate::traffic::MessageId;

/// The options, by their names in `sendmail.cf`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Numbers {
    /// `-q`
    pub(crate) queue_interval: Millis,
    /// `MinQueueAge`
    pub(crate) min_queue_age: Millis,
    /// `Timeout.queuereturn`
    pub(crate) queue_return: Millis,
    /// `Timeout.hoststatus`
    pub(crate) host_status: Millis,
    /// `Timeout.connect`
    pub(crate) connect_timeout: Millis,
}

#[derive(Debug, Default)]
struct Site {
    /// What is queued, in order, with when it was tried last.
    queued: VecDeque<(MessageId, Millis)>,
    /// What the run still has to look at.
    run: VecDeque<(MessageId, Millis)>,
    /// The message that the run is sending.
    sending: Option<MessageId>,
    /// When the run found the host down.
    down: Option<Millis>,
}

pub(crate) struct Sendmail {
    numbers: Numbers,
    sites: Vec<Site>,
}

impl Sendmail {
    pub(crate) fn new(numbers: &Numbers, destinations: u32) -> Sendmail {
        Sendmail {
            numbers: numbers.clone(),
            sites: (0..destinations).map(|_| Site::default()).collect(),
        }
    }

    fn queue(&mut self, desk: &mut Desk, id: MessageId) {
        if desk.age(id) >= self.numbers.queue_return {
            desk.give_up(id);
            return;
        }
        let destination = desk.message(id).destination;
        let tried = desk.now();
        self.sites[destination as usize]
            .queued
            .push_back((id, tried));
    }

    /// Goes on with the run until it sends something or is over.
    fn go_on(&mut self, desk: &mut Desk, destination: u32) {
        let numbers = self.numbers.clone();
        let now = desk.now();
        let site = &mut self.sites[destination as usize];
        while let Some((id, tried)) = site.run.pop_front() {
            let too_young = now - tried < numbers.min_queue_age;
            let down = site.down.is_some_and(|at| now - at < numbers.host_status);
            if too_young || down {
                if desk.age(id) >= numbers.queue_return {
                    desk.give_up(id);
                } else {
                    site.queued.push_back((id, tried));
                }
                continue;
            }
            site.sending = Some(id);
            desk.try_now(id);
            return;
        }
        site.down = None;
    }
}

impl Policy for Sendmail {
    fn connect_timeout(&self) -> Millis {
        self.numbers.connect_timeout
    }

    fn begin(&mut self, desk: &mut Desk) {
        desk.wake_at(0, Wake::Tick);
    }

    fn arrived(&mut self, desk: &mut Desk, id: MessageId) {
        desk.try_now(id);
    }

    fn concluded(&mut self, desk: &mut Desk, id: MessageId, answer: Option<AnswerId>) {
        let destination = desk.message(id).destination;
        let now = desk.now();
        let site = &mut self.sites[destination as usize];
        let of_run = site.sending == Some(id);
        if of_run {
            site.sending = None;
        }
        if let Some(answer) = answer {
            let (level, permanent) = {
                let answer = desk.answer(answer);
                (answer.level, answer.permanent)
            };
            if permanent {
                desk.give_up(id);
            } else {
                if of_run && level == Level::Host {
                    site.down = Some(now);
                }
                self.queue(desk, id);
            }
        }
        if of_run {
            self.go_on(desk, destination);
        }
    }

    fn woken(&mut self, desk: &mut Desk, wake: Wake) {
        if wake != Wake::Tick {
            return;
        }
        for destination in 0..self.sites.len() as u32 {
            let site = &mut self.sites[destination as usize];
            // A run that still goes on has the messages; another passes over what is locked.
            if site.sending.is_none() && site.run.is_empty() && !site.queued.is_empty() {
                site.run = std::mem::take(&mut site.queued);
                self.go_on(desk, destination);
            }
        }
        if desk.is_unfinished() {
            desk.wake_at(desk.now() + self.numbers.queue_interval, Wake::Tick);
        }
    }
}
