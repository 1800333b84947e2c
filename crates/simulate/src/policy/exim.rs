//! Exim: queue runs, and hints of when to retry a host, a message at a host, or a recipient.
//!
//! After the chapter "Retry configuration" of its specification, the section "Errors in outgoing SMTP",
//! and `retry.c` for how the next time is computed. Retry times belong to the host for failures before
//! MAIL, to the message for those of MAIL and the content, to the pair of sender and recipient for those
//! of RCPT. They are hints: what is due is tried in queue runs, or by a new message. After a delivery,
//! what waits for the same host goes down the same connection. The time for which retrying goes on counts
//! from the first failure of the host or recipient, not from the message.

use std::collections::{HashMap, VecDeque};

use super::Policy;
use crate::answer::{AnswerId, Level};
use crate::clock::{Millis, seconds};
use crate::desk::{Desk, Wake};
use crate::traffic::MessageId;

/// One part of a retry rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    /// Until so long after the first failure.
    pub(crate) cutoff: Millis,
    /// The interval; the first one where it grows.
    pub(crate) interval: Millis,
    /// By which factor it grows (`G`); `None`: not (`F`).
    pub(crate) factor: Option<f64>,
}

/// The settings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Numbers {
    /// The retry rule.
    pub(crate) rule: Vec<Step>,
    /// How often the queue is run (`-q`).
    pub(crate) queue_interval: Millis,
    /// `retry_interval_max`
    pub(crate) interval_max: Millis,
    /// `retry_data_expire`
    pub(crate) data_expire: Millis,
    /// `connection_max_messages`
    pub(crate) messages_per_connection: u32,
    /// `connect_timeout`
    pub(crate) connect_timeout: Millis,
}

/// What is remembered of a host, a message or a recipient that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    first_failed: Millis,
    last_try: Millis,
    next_try: Millis,
    /// The last cutoff is past.
    expired: bool,
}

impl Numbers {
    fn cutoff(&self) -> Millis {
        self.rule.last().map_or(0, |step| step.cutoff)
    }

    /// What is remembered after one more failure (`retry_update`). `age` is that of the message, where
    /// the failure is not the host's: then it counts if it is more than the time of failing. Times are
    /// whole seconds, as in the hints database.
    pub(crate) fn failed(&self, before: Option<Hint>, age: Option<Millis>, now: Millis) -> Hint {
        let now = whole(now);
        let mut hint = before.unwrap_or(Hint {
            first_failed: now,
            last_try: now,
            next_try: now,
            expired: false,
        });
        let failing = (now - hint.first_failed).max(age.map_or(0, whole));
        hint.expired = failing > self.cutoff();
        let step = self.rule.iter().find(|step| failing <= step.cutoff);
        if let Some(step) = step.or(self.rule.last()) {
            let planned = hint.next_try - hint.last_try;
            let last_gap = planned.min(now - hint.last_try);
            let gap = match step.factor {
                Some(factor) if last_gap >= step.interval => (last_gap as f64 * factor) as Millis,
                Some(_) | None => step.interval,
            };
            hint.next_try = now + whole(gap.min(self.interval_max));
        }
        hint.last_try = now;
        hint
    }
}

fn whole(at: Millis) -> Millis {
    at - at % seconds(1)
}

#[derive(Debug, Default)]
struct Site {
    hint: Option<Hint>,
    /// What waits for a queue run; whether it waits for the host.
    queued: Vec<(MessageId, bool)>,
    /// What a queue run still has to look at.
    run: VecDeque<(MessageId, bool)>,
    /// The message that the queue run, or the connection that goes on, is sending.
    sending: Option<MessageId>,
    /// What goes down the connection that is open.
    chain: VecDeque<MessageId>,
    /// How many more may.
    chain_left: u32,
}

pub(crate) struct Exim {
    numbers: Numbers,
    sites: Vec<Site>,
    /// By message.
    messages: HashMap<MessageId, Hint>,
    /// By sender and recipient.
    recipients: HashMap<u64, Hint>,
}

impl Exim {
    pub(crate) fn new(numbers: &Numbers, destinations: u32) -> Exim {
        Exim {
            numbers: numbers.clone(),
            sites: (0..destinations).map(|_| Site::default()).collect(),
            messages: HashMap::new(),
            recipients: HashMap::new(),
        }
    }

    fn host_hint(&self, destination: u32, now: Millis) -> Option<Hint> {
        let hint = self.sites[destination as usize].hint?;
        (now - hint.last_try <= self.numbers.data_expire).then_some(hint)
    }

    /// Notes the failure; answers whether it ends the message.
    fn failed(&mut self, desk: &Desk, id: MessageId, level: Level) -> bool {
        let now = desk.now();
        let message = *desk.message(id);
        let numbers = &self.numbers;
        let too_old = desk.age(id) > numbers.cutoff();
        let before = match level {
            Level::Host => self.host_hint(message.destination, now),
            Level::Message => self.messages.get(&id).copied(),
            Level::Recipient => self.recipients.get(&message.triplet()).copied(),
        };
        let age = (level != Level::Host).then(|| desk.age(id));
        let hint = numbers.failed(before, age, now);
        match level {
            Level::Host => self.sites[message.destination as usize].hint = Some(hint),
            Level::Message => {
                self.messages.insert(id, hint);
            }
            Level::Recipient => {
                self.recipients.insert(message.triplet(), hint);
            }
        }
        hint.expired || too_old
    }

    /// What a queue run may try: `None` is not due yet.
    fn is_due(&self, desk: &Desk, id: MessageId) -> bool {
        let now = desk.now();
        let message = desk.message(id);
        if desk.age(id) > self.numbers.cutoff() {
            return true;
        }
        let due = |hint: Option<Hint>| hint.is_none_or(|hint| hint.next_try <= now);
        due(self.host_hint(message.destination, now))
            && due(self.messages.get(&id).copied())
            && due(self.recipients.get(&message.triplet()).copied())
    }

    fn queue(&mut self, desk: &Desk, id: MessageId, for_host: bool) {
        let destination = desk.message(id).destination as usize;
        self.sites[destination].queued.push((id, for_host));
    }

    /// Goes on with the open connection, else with the queue run.
    fn go_on(&mut self, desk: &mut Desk, destination: u32) {
        let place = destination as usize;
        if self.sites[place].sending.is_some() {
            return;
        }
        while let Some(id) = self.sites[place].chain.pop_front() {
            if self.sites[place].chain_left == 0 {
                self.queue(desk, id, true);
                continue;
            }
            self.sites[place].chain_left -= 1;
            self.sites[place].sending = Some(id);
            desk.try_now(id);
            return;
        }
        while let Some((id, for_host)) = self.sites[place].run.pop_front() {
            if !self.is_due(desk, id) {
                self.queue(desk, id, for_host);
                continue;
            }
            self.sites[place].sending = Some(id);
            desk.try_now(id);
            return;
        }
    }

    /// A delivery succeeded: the host is well, and what waits for it goes down the same connection.
    fn delivered(&mut self, desk: &Desk, id: MessageId) {
        let message = *desk.message(id);
        self.messages.remove(&id);
        self.recipients.remove(&message.triplet());
        let site = &mut self.sites[message.destination as usize];
        site.hint = None;
        if site.chain.is_empty() {
            site.chain_left = self.numbers.messages_per_connection.saturating_sub(1);
        }
        // What waits for other reasons keeps its place, in the queue run too.
        let is_for_host = |(_, for_host): &(MessageId, bool)| *for_host;
        let (mut for_host, others): (Vec<_>, Vec<_>) = site.queued.drain(..).partition(is_for_host);
        site.queued = others;
        let (of_run, others): (Vec<_>, Vec<_>) = site.run.drain(..).partition(is_for_host);
        site.run = others.into();
        for_host.extend(of_run);
        site.chain.extend(for_host.into_iter().map(|(id, _)| id));
    }
}

impl Policy for Exim {
    fn connect_timeout(&self) -> Millis {
        self.numbers.connect_timeout
    }

    fn begin(&mut self, desk: &mut Desk) {
        desk.wake_at(0, Wake::Tick);
    }

    fn arrived(&mut self, desk: &mut Desk, id: MessageId) {
        let now = desk.now();
        let destination = desk.message(id).destination;
        match self.host_hint(destination, now) {
            // `delay_after_cutoff`
            Some(hint) if hint.expired && now < hint.next_try => desk.give_up(id),
            Some(hint) if now < hint.next_try => self.queue(desk, id, true),
            Some(_) | None => desk.try_now(id),
        }
    }

    fn concluded(&mut self, desk: &mut Desk, id: MessageId, answer: Option<AnswerId>) {
        let destination = desk.message(id).destination;
        let site = &mut self.sites[destination as usize];
        if site.sending == Some(id) {
            site.sending = None;
        }
        match answer {
            None => self.delivered(desk, id),
            Some(answer) => {
                let (level, permanent) = {
                    let answer = desk.answer(answer);
                    (answer.level, answer.permanent)
                };
                if level == Level::Host {
                    let waiting = std::mem::take(&mut self.sites[destination as usize].chain);
                    for id in waiting {
                        self.queue(desk, id, true);
                    }
                }
                if permanent || self.failed(desk, id, level) {
                    desk.give_up(id);
                } else {
                    self.queue(desk, id, level == Level::Host);
                }
            }
        }
        self.go_on(desk, destination);
    }

    fn woken(&mut self, desk: &mut Desk, wake: Wake) {
        if wake != Wake::Tick {
            return;
        }
        for destination in 0..self.sites.len() as u32 {
            let site = &mut self.sites[destination as usize];
            // Messages that another run has are locked.
            if site.run.is_empty() && site.sending.is_none() && !site.queued.is_empty() {
                let mut run = std::mem::take(&mut site.queued);
                desk.chance().shuffle(&mut run);
                site.run = run.into();
                self.go_on(desk, destination);
            }
        }
        if desk.is_unfinished() {
            desk.wake_at(desk.now() + self.numbers.queue_interval, Wake::Tick);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{days, hours, minutes};

    fn numbers() -> Numbers {
        let step = |cutoff, interval, factor| Step {
            cutoff,
            interval,
            factor,
        };
        Numbers {
            rule: vec![
                step(hours(2), minutes(15), None),
                step(hours(16), hours(1), Some(1.5)),
                step(days(4), hours(6), None),
            ],
            queue_interval: minutes(30),
            interval_max: hours(24),
            data_expire: days(7),
            messages_per_connection: 500,
            connect_timeout: minutes(5),
        }
    }

    #[test]
    fn retry_times_follow_the_default_rule_when_each_is_kept_to_the_minute() {
        let numbers = numbers();
        let (mut hint, mut now, mut gaps) = (None, 0, Vec::new());
        for _ in 0..17 {
            let next = numbers.failed(hint, None, now);
            gaps.push((next.next_try - now) / minutes(1));
            (hint, now) = (Some(next), next.next_try);
        }
        // Every 15 minutes for 2 hours; then 1 h, by 1.5 each time, until 16 hours; then every 6 hours.
        assert_eq!(gaps[..9], [15; 9]);
        assert_eq!(gaps[9..15], [60, 90, 135, 202, 303, 455]);
        assert_eq!(gaps[15..], [360, 360]);
    }

    #[test]
    fn failing_for_longer_than_the_last_cutoff_is_final() {
        let numbers = numbers();
        let hint = numbers.failed(None, None, 0);
        assert!(!numbers.failed(Some(hint), None, days(4)).expired);
        assert!(
            numbers
                .failed(Some(hint), None, days(4) + seconds(1))
                .expired
        );
    }
}
