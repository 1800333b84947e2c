//! Many failures, summed up: which of them are one and the same trouble, since when, how many wait,
//! and whether it is us or them.

mod group;
mod line;

use std::collections::HashMap;

use diagnosis::{Cause, Diagnosis, Responsible, SaidBy, Scope, Stage};
use jiff::Timestamp;

use crate::Case;

use group::{Group, hash};
use line::OwnLine;

/// So many incidents are kept apart at a time.
const MOST: usize = 1024;
/// From so many places on, a refusal for who we are is about us.
const MANY_PLACES: usize = 3;

/// Where something fails.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Mail to this domain.
    Domain(String),
    /// Mail that the servers of this provider take, for whatever domains.
    Provider(String),
    /// Mail to most of the places that were tried.
    Everywhere,
    /// This server itself, which turned others away.
    Here,
    /// The input does not tell.
    Unknown,
}

/// Whose it is to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Whoever runs the server that wrote the log or sent the mail.
    Us,
    /// Whoever runs the other server.
    Them,
    /// Whoever wrote the messages.
    Sender,
    /// The people that the messages are for.
    Recipient,
    /// Whoever runs the network between.
    Network,
}

/// One trouble.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Incident {
    /// What is wrong.
    pub cause: Cause,
    /// Where.
    pub place: Place,
    /// What shares its fate.
    pub scope: Scope,
    /// Whose it is to act.
    pub side: Side,
    /// The first failure, where any has a time.
    pub first: Option<Timestamp>,
    /// The last failure.
    pub last: Option<Timestamp>,
    /// Failures: each attempt for each recipient.
    pub failures: u64,
    /// Distinct recipients; where [`Incident::at_least`] is set there are more.
    pub recipients: u64,
    /// Of them those for whom a message was given up last.
    pub given_up: u64,
    /// Of them those for whom a message was still waiting last.
    pub waiting: u64,
    /// There were more recipients than are told apart.
    pub at_least: bool,
    /// The domains of the recipients, the first few.
    pub domains: Vec<String>,
    /// What was said, the first few different ones.
    pub examples: Vec<String>,
    /// Mail has got through to there since.
    pub over: bool,
}

/// What is known after an input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// The incidents, the largest first.
    pub incidents: Vec<Incident>,
    /// Failures that belong to small incidents, which were not kept apart.
    pub other: u64,
}

/// Sums up failures as they come, in bounded memory.
#[derive(Clone, Debug)]
pub struct Incidents {
    groups: Vec<Group>,
    by_key: HashMap<Key, usize>,
    /// The groups that a domain occurs in.
    by_domain: HashMap<u64, Vec<usize>>,
    line: OwnLine,
    other: u64,
    most: usize,
    last_delivery: Option<Timestamp>,
}

/// What makes failures one incident.
type Key = (Cause, Place, Scope);

impl Default for Incidents {
    fn default() -> Incidents {
        Incidents::new()
    }
}

impl Incidents {
    /// For a new input.
    #[must_use]
    pub fn new() -> Incidents {
        Incidents::keeping(MOST)
    }

    /// Keeps at most this many incidents apart.
    #[must_use]
    pub fn keeping(most: usize) -> Incidents {
        Incidents {
            groups: Vec::new(),
            by_key: HashMap::new(),
            by_domain: HashMap::new(),
            line: OwnLine::default(),
            other: 0,
            most: most.max(2),
            last_delivery: None,
        }
    }

    /// Takes a failure.
    pub fn take(&mut self, case: &Case, diagnosis: &Diagnosis) {
        let domain = domain_of(case);
        let key = (diagnosis.cause, place(case, diagnosis), diagnosis.scope);
        if let (Some(at), false) = (case.at, key.1 == Place::Here) {
            let reached = !is_unreached(diagnosis);
            let there = domain.as_deref().or(case.peer.as_deref());
            if let Some(there) = there {
                let closed = self.line.tried(hash(there), reached, at);
                self.fold(closed);
            }
        }
        let index = self.group(key);
        let Some(group) = self.groups.get_mut(index) else {
            return;
        };
        group.take(case, diagnosis, domain.as_deref());
        let domain = domain.map(|domain| hash(&domain));
        if let Some(domain) = domain.filter(|domain| group.knows(*domain)) {
            let groups = self.by_domain.entry(domain).or_default();
            if !groups.contains(&index) {
                groups.push(index);
            }
        }
    }

    /// Takes a delivery: the destination works.
    pub fn delivered(&mut self, domain: &str, at: Option<Timestamp>) {
        let domain = hash(&domain.to_ascii_lowercase());
        if let Some(at) = at {
            self.last_delivery = self.last_delivery.max(Some(at));
            let closed = self.line.tried(domain, true, at);
            self.fold(closed);
        }
        for index in self.by_domain.get(&domain).into_iter().flatten() {
            if let Some(group) = self.groups.get_mut(*index) {
                group.delivered(at);
            }
        }
    }

    /// What is known so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut whole = self.clone();
        let closed = whole.line.finish();
        whole.fold(closed);
        let places = Places::of(&whole.groups);
        let mut incidents: Vec<Incident> = whole
            .groups
            .iter()
            .map(|group| group.incident(places.side(group)))
            .collect();
        incidents.sort_by(|a, b| {
            let size = |of: &Incident| (of.waiting + of.given_up, of.failures);
            size(b)
                .cmp(&size(a))
                .then_with(|| a.first.cmp(&b.first))
                .then_with(|| (a.cause, &a.place).cmp(&(b.cause, &b.place)))
        });
        Summary {
            incidents,
            other: whole.other,
        }
    }

    /// The group of a key, made where it is not there.
    fn group(&mut self, key: Key) -> usize {
        if let Some(index) = self.by_key.get(&key) {
            return *index;
        }
        if self.groups.len() >= self.most {
            self.drop_small();
        }
        let index = self.groups.len();
        self.groups.push(Group::new(key.clone()));
        self.by_key.insert(key, index);
        index
    }

    /// Makes room: the smaller half is counted only.
    fn drop_small(&mut self) {
        let mut sizes: Vec<(u64, Option<Timestamp>, usize)> = self
            .groups
            .iter()
            .enumerate()
            .map(|(index, group)| (group.failures(), group.last(), index))
            .collect();
        sizes.sort();
        let mut keep = vec![true; self.groups.len()];
        for (failures, _, index) in sizes.iter().take(self.most.div_ceil(2)) {
            self.other += failures;
            keep[*index] = false;
        }
        self.retain(&keep);
    }

    /// Keeps some of the groups, in their order.
    fn retain(&mut self, keep: &[bool]) {
        let mut kept = keep.iter();
        self.groups.retain(|_| kept.next().copied().unwrap_or(true));
        self.by_key.clear();
        self.by_domain.clear();
        for (index, group) in self.groups.iter().enumerate() {
            self.by_key.insert(group.key().clone(), index);
            for domain in group.domain_hashes() {
                self.by_domain.entry(domain).or_default().push(index);
            }
        }
    }

    /// Where most places could not be reached for a while, what failed then is one incident, of our
    /// own line, whatever each failure alone looked like.
    fn fold(&mut self, outage: Option<(Timestamp, Timestamp)>) {
        let Some((from, to)) = outage else {
            return;
        };
        let of_line = |group: &Group| {
            group.unreached() && group.within(from, to) && group.key().1 != Place::Here
        };
        let keep: Vec<bool> = self.groups.iter().map(|group| !of_line(group)).collect();
        let folded: Vec<Group> = self.groups.iter().filter(|g| of_line(g)).cloned().collect();
        self.retain(&keep);
        let index = self.group((Cause::OurLineDown, Place::Everywhere, Scope::Us));
        let last_delivery = self.last_delivery;
        let Some(group) = self.groups.get_mut(index) else {
            return;
        };
        for one in &folded {
            group.merge(one);
        }
        group.over = last_delivery >= group.last() && last_delivery.is_some();
        for domain in group.domain_hashes() {
            let groups = self.by_domain.entry(domain).or_default();
            if !groups.contains(&index) {
                groups.push(index);
            }
        }
    }
}

/// Failures without an answer: the fault may be anywhere on the way.
fn is_unreached(diagnosis: &Diagnosis) -> bool {
    let connecting = diagnosis.said_by == SaidBy::Sender && diagnosis.stage == Some(Stage::Connect);
    connecting
        || matches!(
            diagnosis.cause,
            Cause::OurLineDown
                | Cause::ConnectionTimeout
                | Cause::ConnectionRefused
                | Cause::NetworkUnreachable
                | Cause::NetworkCongested
                | Cause::DnsFailing
        )
}

fn domain_of(case: &Case) -> Option<String> {
    let address = case.recipient.as_deref()?;
    let (_, domain) = address.rsplit_once('@')?;
    let domain = domain.trim_end_matches(['.', '>']).to_ascii_lowercase();
    (!domain.is_empty()).then_some(domain)
}

/// Where it fails. Who is turned away for who they are is turned away by the provider, for all domains
/// that it serves.
fn place(case: &Case, diagnosis: &Diagnosis) -> Place {
    if case.peer.is_some() && case.peer == case.reporter {
        return Place::Here;
    }
    let of_peer = || case.peer.as_deref().map(provider);
    let about_us = diagnosis.sender_blocked
        || diagnosis.scope == Scope::Us
        || diagnosis.responsible == Responsible::Us;
    match (about_us, domain_of(case)) {
        (true, domain) => match of_peer() {
            Some(provider) => Place::Provider(provider),
            None => domain.map_or(Place::Unknown, Place::Domain),
        },
        (false, Some(domain)) => Place::Domain(domain),
        (false, None) => of_peer().map_or(Place::Unknown, Place::Provider),
    }
}

/// The provider whose server this is: the last labels of its name.
fn provider(host: &str) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let labels: Vec<&str> = host.split('.').collect();
    let is_address = host.contains(':') || host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let (Some(top), Some(second)) = (labels.last(), labels.iter().rev().nth(1)) else {
        return host;
    };
    // `example.co.uk`
    let count = if top.len() == 2 && second.len() <= 3 {
        3
    } else {
        2
    };
    if is_address || labels.len() <= count {
        return host;
    }
    labels[labels.len() - count..].join(".")
}

/// How far each trouble has spread.
struct Places {
    of_reputation: usize,
    unreached: usize,
}

impl Places {
    fn of(groups: &[Group]) -> Places {
        let count = |wanted: fn(&Group) -> bool| {
            let mut places: Vec<&Place> = groups
                .iter()
                .filter(|group| wanted(group))
                .map(|group| &group.key().1)
                .collect();
            places.sort();
            places.dedup();
            places.len()
        };
        Places {
            of_reputation: count(|group| is_about_identity(group.key().0)),
            unreached: count(Group::unreached),
        }
    }

    fn side(&self, group: &Group) -> Side {
        let (cause, place, _) = group.key();
        // This server is the receiver of what it turns away; the relay there is not ours.
        if *place == Place::Here {
            return match cause.responsible() {
                Responsible::Receiver => Side::Us,
                Responsible::Us => Side::Them,
                Responsible::Sender => Side::Sender,
                Responsible::Network => Side::Network,
                Responsible::Recipient => Side::Recipient,
            };
        }
        if is_about_identity(*cause) && self.of_reputation >= MANY_PLACES {
            return Side::Us;
        }
        match cause.responsible() {
            Responsible::Receiver => Side::Them,
            Responsible::Us => Side::Us,
            Responsible::Sender => Side::Sender,
            // One place that cannot be reached while the others can.
            Responsible::Network if self.unreached <= 1 => Side::Them,
            Responsible::Network => Side::Network,
            Responsible::Recipient => Side::Recipient,
        }
    }
}

/// Refusals for who sends, not for what is sent.
fn is_about_identity(cause: Cause) -> bool {
    cause.id().starts_with("reputation.") || cause.id().starts_with("identity.")
}

#[cfg(test)]
mod tests;
