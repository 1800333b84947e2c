//! Exchange: a delivery queue for each destination that goes to *Retry* as a whole when no connection
//! comes about, and messages put off one by one after other transient failures.
//!
//! After "Message retry, resubmit, and expiration intervals in Exchange Server": first
//! `QueueGlitchRetryCount` times after `QueueGlitchRetryInterval`, then `TransientFailureRetryCount`
//! times after `TransientFailureRetryInterval`, then each `OutboundConnectionFailureRetryInterval`.

use super::Policy;
use super::line::Line;
use crate::answer::{AnswerId, Level};
use crate::clock::Millis;
use crate::desk::{Desk, Wake};
use crate::traffic::MessageId;

/// The parameters by their names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Numbers {
    /// `QueueGlitchRetryCount`
    pub(crate) glitch_count: u32,
    /// `QueueGlitchRetryInterval`
    pub(crate) glitch_interval: Millis,
    /// `TransientFailureRetryCount`
    pub(crate) transient_count: u32,
    /// `TransientFailureRetryInterval`
    pub(crate) transient_interval: Millis,
    /// `OutboundConnectionFailureRetryInterval`
    pub(crate) outbound_interval: Millis,
    /// `MessageRetryInterval`
    pub(crate) message_interval: Millis,
    /// `MessageExpirationTimeout`
    pub(crate) expiration: Millis,
    /// `MaxPerDomainOutboundConnections`
    pub(crate) connections: u32,
    /// How long it waits for a connection.
    pub(crate) connect_timeout: Millis,
}

#[derive(Debug, Default)]
struct Site {
    line: Line,
    /// In *Retry*: how many connections failed so far.
    retry: Option<u32>,
    /// The message that the connection is tried with, in *Retry*.
    probe: Option<MessageId>,
}

pub(crate) struct Exchange {
    numbers: Numbers,
    sites: Vec<Site>,
    /// Those whose expiry is watched.
    watched: Vec<bool>,
}

impl Exchange {
    pub(crate) fn new(numbers: &Numbers, destinations: u32, messages: u32) -> Exchange {
        Exchange {
            numbers: numbers.clone(),
            sites: (0..destinations).map(|_| Site::default()).collect(),
            watched: vec![false; messages as usize],
        }
    }

    fn interval(&self, failures: u32) -> Millis {
        let numbers = &self.numbers;
        if failures <= numbers.glitch_count {
            numbers.glitch_interval
        } else if failures <= numbers.glitch_count + numbers.transient_count {
            numbers.transient_interval
        } else {
            numbers.outbound_interval
        }
    }

    fn watch(&mut self, desk: &mut Desk, id: MessageId) {
        if !std::mem::replace(&mut self.watched[id as usize], true) {
            let ends = desk.message(id).arrived + self.numbers.expiration;
            desk.wake_at(ends, Wake::Expiry(id));
        }
    }

    fn send(&mut self, desk: &mut Desk, destination: u32) {
        let site = &mut self.sites[destination as usize];
        if site.retry.is_none() {
            site.line.send(desk, self.numbers.connections);
        }
    }

    /// No connection came about with this message: the first, or the one that was to show whether it
    /// does again. Others were under way before, and decide nothing.
    fn connection_failed(&mut self, desk: &mut Desk, destination: u32, id: MessageId) {
        let site = &mut self.sites[destination as usize];
        let failures = match site.retry {
            None => 1,
            Some(failures) if site.probe == Some(id) => failures + 1,
            Some(_) => return,
        };
        site.retry = Some(failures);
        site.probe = None;
        let at = desk.now() + self.interval(failures);
        desk.wake_at(at, Wake::Destination(destination));
    }

    fn connected(&mut self, destination: u32) {
        let site = &mut self.sites[destination as usize];
        (site.retry, site.probe) = (None, None);
    }
}

impl Policy for Exchange {
    fn connect_timeout(&self) -> Millis {
        self.numbers.connect_timeout
    }

    fn arrived(&mut self, desk: &mut Desk, id: MessageId) {
        let destination = desk.message(id).destination;
        let site = &mut self.sites[destination as usize];
        site.line.push(id);
        if site.retry.is_some() {
            self.watch(desk, id);
        }
        self.send(desk, destination);
    }

    fn concluded(&mut self, desk: &mut Desk, id: MessageId, answer: Option<AnswerId>) {
        let destination = desk.message(id).destination;
        self.sites[destination as usize].line.ended();
        let failed = answer.map(|answer| {
            let answer = desk.answer(answer);
            (answer.level, answer.permanent)
        });
        match failed {
            Some((Level::Host, _)) => self.connection_failed(desk, destination, id),
            Some(_) | None => self.connected(destination),
        }
        if let Some((level, permanent)) = failed {
            if permanent || desk.age(id) >= self.numbers.expiration {
                desk.give_up(id);
            } else {
                self.watch(desk, id);
                if level == Level::Host {
                    self.sites[destination as usize].line.push_front(id);
                } else {
                    let at = desk.now() + self.numbers.message_interval;
                    desk.wake_at(at, Wake::Message(id));
                }
            }
        }
        self.send(desk, destination);
    }

    fn woken(&mut self, desk: &mut Desk, wake: Wake) {
        match wake {
            Wake::Destination(destination) => {
                let site = &mut self.sites[destination as usize];
                if site.retry.is_some() {
                    site.probe = site.line.send_one(desk);
                    // Nothing is left to try it with: the next message is tried at once.
                    if site.probe.is_none() {
                        site.retry = None;
                    }
                }
            }
            Wake::Message(id) => {
                let destination = desk.message(id).destination;
                self.sites[destination as usize].line.push(id);
                self.send(desk, destination);
            }
            Wake::Expiry(id) => {
                if desk.is_waiting(id) {
                    desk.give_up(id);
                }
            }
            Wake::Tick => {}
        }
    }
}
