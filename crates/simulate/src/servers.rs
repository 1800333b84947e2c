//! The other side: destinations that are closed, put off, count and forget, as the workload says.

use std::collections::HashMap;

use crate::answer::{Answer, AnswerId};
use crate::chance::Chance;
use crate::clock::{Millis, NEVER};
use crate::traffic::Message;
use crate::workload::{Failure, Kind, Spells, Workload};

/// A time in which nothing gets through.
#[derive(Clone, Copy, Debug)]
struct Closed {
    from: Millis,
    until: Millis,
    answer: AnswerId,
}

#[derive(Debug)]
struct Greylist {
    answer: AnswerId,
    delay: Millis,
    window: Millis,
}

#[derive(Debug)]
struct Limit {
    answer: AnswerId,
    count: u32,
    per: Millis,
    counts_refused: bool,
    /// The time that is counted now, and how many came in it.
    counted: (Millis, u32),
}

/// The servers of one destination.
#[derive(Debug, Default)]
struct Site {
    closed: Vec<Closed>,
    greylist: Option<Greylist>,
    limit: Option<Limit>,
    connections: Option<(AnswerId, u32)>,
    connected: u32,
}

/// All servers of a run.
#[derive(Debug)]
pub(crate) struct Servers {
    answers: Vec<Answer>,
    sites: Vec<Site>,
    mailboxes: HashMap<u32, Vec<Closed>>,
    /// When each triplet that is greylisted was first seen; `NEVER` once it has passed.
    triplets: HashMap<u64, Millis>,
    /// Greylisting that began anew because the sender came back too late.
    pub(crate) restarts: u64,
}

impl Servers {
    pub(crate) fn new(workload: &Workload, seed: u64) -> Servers {
        let mut servers = Servers {
            answers: Vec::new(),
            sites: (0..workload.destinations)
                .map(|_| Site::default())
                .collect(),
            mailboxes: HashMap::new(),
            triplets: HashMap::new(),
            restarts: 0,
        };
        for (place, failure) in workload.failures.iter().enumerate() {
            let mut chance = Chance::part(seed, 1000 + place as u64);
            servers.add(workload, failure, &mut chance);
        }
        for site in &mut servers.sites {
            site.closed.sort_by_key(|closed| closed.from);
        }
        servers
    }

    fn add(&mut self, workload: &Workload, failure: &Failure, chance: &mut Chance) {
        let Some(answer) = Answer::of(&failure.says) else {
            return;
        };
        self.answers.push(answer);
        let answer = (self.answers.len() - 1) as AnswerId;
        let over = workload.over;
        let spells = |of: &Spells, chance: &mut Chance| closings(of, over, answer, chance);
        match &failure.kind {
            Kind::LineDown(of) => {
                let closed = spells(of, chance);
                for site in &mut self.sites {
                    site.closed.extend(&closed);
                }
            }
            Kind::Listing(of) => {
                for provider in 0..workload.providers {
                    if chance.happens(failure.share) {
                        let closed = spells(of, chance);
                        let places =
                            (provider..workload.destinations).step_by(workload.providers as usize);
                        for place in places {
                            self.sites[place as usize].closed.extend(&closed);
                        }
                    }
                }
            }
            Kind::MailboxFull(of) => self.mailboxes(workload, failure.share, chance, |chance| {
                closings(of, over, answer, chance)
            }),
            Kind::NoMailbox => {
                self.mailboxes(workload, failure.share, chance, |_| vec![forever(answer)])
            }
            Kind::Greylisting { .. }
            | Kind::Outage(_)
            | Kind::Rate { .. }
            | Kind::Connections(_)
            | Kind::Flapping { .. }
            | Kind::Dead => {
                for site in &mut self.sites {
                    if chance.happens(failure.share) {
                        site.add(&failure.kind, answer, over, chance);
                    }
                }
            }
        }
    }

    fn mailboxes(
        &mut self,
        workload: &Workload,
        share: u32,
        chance: &mut Chance,
        mut closed: impl FnMut(&mut Chance) -> Vec<Closed>,
    ) {
        let all = u64::from(workload.destinations) * u64::from(workload.recipients);
        for mailbox in 0..u32::try_from(all).unwrap_or(u32::MAX) {
            if chance.happens(share) {
                let closed = closed(chance);
                self.mailboxes.entry(mailbox).or_default().extend(closed);
            }
        }
    }

    pub(crate) fn answer(&self, id: AnswerId) -> &Answer {
        &self.answers[usize::from(id)]
    }

    /// A message is brought: `None` takes it. The connection counts until [`Servers::left`].
    pub(crate) fn ask(&mut self, now: Millis, message: &Message) -> Option<AnswerId> {
        let site = &mut self.sites[message.destination as usize];
        site.connected += 1;
        if let Some(closed) = closed_at(&site.closed, now) {
            return Some(closed.answer);
        }
        if let Some((answer, most)) = site.connections
            && site.connected > most
        {
            return Some(answer);
        }
        if let Some(limit) = &mut site.limit
            && !limit.takes(now)
        {
            return Some(limit.answer);
        }
        if let Some(mailbox) = self.mailboxes.get(&message.recipient)
            && let Some(closed) = closed_at(mailbox, now)
        {
            return Some(closed.answer);
        }
        let greylist = site.greylist.as_ref()?;
        let first = self.triplets.entry(message.triplet()).or_insert(now);
        if *first == NEVER {
            return None;
        }
        let age = now - *first;
        if age > greylist.window {
            self.restarts += 1;
            *first = now;
            return Some(greylist.answer);
        }
        if age < greylist.delay {
            return Some(greylist.answer);
        }
        *first = NEVER;
        None
    }

    /// The connection of a message ended.
    pub(crate) fn left(&mut self, message: &Message) {
        let site = &mut self.sites[message.destination as usize];
        site.connected = site.connected.saturating_sub(1);
    }

    /// From when on a message could be delivered, if not for what its sender does: `NEVER` if nothing
    /// helps. Messages are to be asked about in the order in which they come.
    pub(crate) fn opens(&self, message: &Message, seen: &mut HashMap<u64, Millis>) -> Millis {
        let opens = self.opens_from(message, message.arrived);
        let site = &self.sites[message.destination as usize];
        let Some(greylist) = &site.greylist else {
            return opens;
        };
        if opens == NEVER {
            return NEVER;
        }
        let first = *seen.entry(message.triplet()).or_insert(opens);
        self.opens_from(message, opens.max(first.saturating_add(greylist.delay)))
    }

    fn opens_from(&self, message: &Message, from: Millis) -> Millis {
        let site = &self.sites[message.destination as usize].closed;
        let mailbox = self.mailboxes.get(&message.recipient);
        let mut at = from;
        loop {
            let closed = closed_at(site, at).or_else(|| closed_at(mailbox?, at));
            match closed {
                Some(closed) if closed.until == NEVER => return NEVER,
                Some(closed) => at = closed.until,
                None => return at,
            }
        }
    }

    /// Whether how much is sent at a time decides about a message.
    pub(crate) fn is_limited(&self, message: &Message) -> bool {
        let site = &self.sites[message.destination as usize];
        site.limit.is_some() || site.connections.is_some()
    }

    /// When a destination opened again, each time, in order.
    pub(crate) fn reopenings(&self, destination: u32) -> Vec<Millis> {
        let site = &self.sites[destination as usize];
        let mut all: Vec<Millis> = site.closed.iter().map(|closed| closed.until).collect();
        all.retain(|at| *at != NEVER);
        all.sort_unstable();
        all
    }
}

impl Site {
    fn add(&mut self, kind: &Kind, answer: AnswerId, over: Millis, chance: &mut Chance) {
        match kind {
            Kind::Greylisting { delay, window } => {
                self.greylist = Some(Greylist {
                    answer,
                    delay: *delay,
                    window: *window,
                });
            }
            Kind::Outage(of) => self.closed.extend(closings(of, over, answer, chance)),
            Kind::Rate {
                count,
                per,
                counts_refused,
            } => {
                self.limit = Some(Limit {
                    answer,
                    count: *count,
                    per: *per,
                    counts_refused: *counts_refused,
                    counted: (0, 0),
                });
            }
            Kind::Connections(most) => self.connections = Some((answer, *most)),
            Kind::Flapping { up, down } => {
                let mut at = chance.below(up.1.max(1));
                while at < over {
                    let until = at + chance.spread(down.0, down.1).max(1);
                    self.closed.push(Closed {
                        from: at,
                        until,
                        answer,
                    });
                    at = until + chance.spread(up.0, up.1).max(1);
                }
            }
            Kind::Dead => self.closed.push(forever(answer)),
            Kind::MailboxFull(_) | Kind::Listing(_) | Kind::LineDown(_) | Kind::NoMailbox => {}
        }
    }
}

impl Limit {
    fn takes(&mut self, now: Millis) -> bool {
        let period = now / self.per;
        if self.counted.0 != period {
            self.counted = (period, 0);
        }
        let takes = self.counted.1 < self.count;
        if takes || self.counts_refused {
            self.counted.1 += 1;
        }
        takes
    }
}

fn forever(answer: AnswerId) -> Closed {
    Closed {
        from: 0,
        until: NEVER,
        answer,
    }
}

fn closings(of: &Spells, over: Millis, answer: AnswerId, chance: &mut Chance) -> Vec<Closed> {
    let one = |chance: &mut Chance| {
        let from = chance.below(over.max(1));
        let until = if chance.happens(of.never) {
            NEVER
        } else {
            from + chance.spread(of.least, of.most)
        };
        Closed {
            from,
            until,
            answer,
        }
    };
    let mut all: Vec<Closed> = (0..of.times).map(|_| one(chance)).collect();
    all.sort_by_key(|closed| closed.from);
    all
}

/// The first of the times, in order of their beginnings, that `at` lies in.
fn closed_at(times: &[Closed], at: Millis) -> Option<Closed> {
    let begun = times.partition_point(|closed| closed.from <= at);
    // They may overlap: look back as far as there are any. There are few but for a server that flaps,
    // and then the last one decides.
    times[..begun]
        .iter()
        .rev()
        .take(MOST_AT_A_TIME)
        .find(|closed| at < closed.until)
        .copied()
}

/// How many times of one place may overlap and still all be seen.
const MOST_AT_A_TIME: usize = 16;
