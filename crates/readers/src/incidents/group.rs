//! The failures of one incident, counted.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use diagnosis::{Diagnosis, Ended, Finality, Scope};
use jiff::{SignedDuration, Timestamp};

use crate::Case;

use super::{Incident, Key, Side, is_unreached};

/// So many recipients are told apart.
const RECIPIENTS: usize = 2_000;
/// So many domains are known by name, and so many told apart.
const NAMES: usize = 20;
const DOMAINS: usize = 256;
/// So many examples are kept, and so much of each.
const EXAMPLES: usize = 3;
const EXAMPLE: usize = 400;
/// Retries of a message are about so far apart: what began this long before an outage is another.
const BEFORE: SignedDuration = SignedDuration::from_mins(1);

/// What became of the last message to a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Waiting,
    GivenUp,
    Unknown,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    key: Key,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    failures: u64,
    recipients: HashMap<u64, Fate>,
    at_least: bool,
    /// None of it was an answer.
    unreached: bool,
    names: Vec<String>,
    domains: Vec<u64>,
    examples: Vec<String>,
    pub(super) over: bool,
}

/// The same for the same text, whenever and wherever.
pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl Group {
    pub(super) fn new(key: Key) -> Group {
        Group {
            key,
            first: None,
            last: None,
            failures: 0,
            recipients: HashMap::new(),
            at_least: false,
            unreached: true,
            names: Vec::new(),
            domains: Vec::new(),
            examples: Vec::new(),
            over: false,
        }
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    pub(super) fn unreached(&self) -> bool {
        self.unreached
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures
    }

    pub(super) fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// Whether this domain is one of those told apart.
    pub(super) fn knows(&self, domain: u64) -> bool {
        self.domains.contains(&domain)
    }

    pub(super) fn domain_hashes(&self) -> Vec<u64> {
        self.domains.clone()
    }

    pub(super) fn take(&mut self, case: &Case, diagnosis: &Diagnosis, domain: Option<&str>) {
        self.failures += 1;
        self.unreached &= is_unreached(diagnosis);
        self.seen(case.at, case.at);
        let fate = match (case.ended, diagnosis.finality) {
            (Some(Ended::GivenUp), _) | (None, Finality::Permanent) => Fate::GivenUp,
            (Some(Ended::StillTrying), _) | (None, Finality::Transient) => Fate::Waiting,
            (None, Finality::Unknown) => Fate::Unknown,
        };
        if let Some(recipient) = &case.recipient {
            self.fate(hash(&recipient.to_ascii_lowercase()), fate);
        }
        if let Some(domain) = domain {
            self.domain(hash(domain), Some(domain));
        }
        self.example(case.words.text());
        self.over = false;
    }

    fn seen(&mut self, first: Option<Timestamp>, last: Option<Timestamp>) {
        self.first = match (self.first, first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last = self.last.max(last);
    }

    fn fate(&mut self, recipient: u64, fate: Fate) {
        if self.recipients.len() < RECIPIENTS || self.recipients.contains_key(&recipient) {
            self.recipients.insert(recipient, fate);
        } else {
            self.at_least = true;
        }
    }

    fn domain(&mut self, domain: u64, name: Option<&str>) {
        if self.domains.contains(&domain) || self.domains.len() >= DOMAINS {
            return;
        }
        self.domains.push(domain);
        if let Some(name) = name.filter(|_| self.names.len() < NAMES) {
            self.names.push(name.to_owned());
        }
    }

    fn example(&mut self, words: &str) {
        let words = words.trim();
        if self.examples.len() >= EXAMPLES || words.is_empty() {
            return;
        }
        let mut end = words.len().min(EXAMPLE);
        while !words.is_char_boundary(end) {
            end -= 1;
        }
        let words = &words[..end];
        if !self.examples.iter().any(|known| known == words) {
            self.examples.push(words.to_owned());
        }
    }

    /// A message got through to a domain of this incident.
    pub(super) fn delivered(&mut self, at: Option<Timestamp>) {
        let (_, _, scope) = &self.key;
        // That one message or mailbox fails is not over when another does not.
        let of_all = matches!(scope, Scope::Destination | Scope::Us) || self.unreached;
        let after = at.is_none() || self.last.is_none() || at >= self.last;
        if of_all && after {
            self.over = true;
        }
    }

    /// Whether all of it happened in this time.
    pub(super) fn within(&self, from: Timestamp, to: Timestamp) -> bool {
        let start = from.checked_sub(BEFORE).unwrap_or(from);
        self.first.is_some_and(|first| first >= start) && self.last.is_some_and(|last| last <= to)
    }

    /// Takes all of another group in.
    pub(super) fn merge(&mut self, other: &Group) {
        self.failures += other.failures;
        self.seen(other.first, other.last);
        let mut recipients: Vec<(u64, Fate)> =
            other.recipients.iter().map(|(r, f)| (*r, *f)).collect();
        recipients.sort_by_key(|(recipient, _)| *recipient);
        for (recipient, fate) in recipients {
            self.fate(recipient, fate);
        }
        self.at_least |= other.at_least;
        self.unreached &= other.unreached;
        for domain in &other.domains {
            let name = other.names.iter().find(|name| hash(name) == *domain);
            self.domain(*domain, name.map(String::as_str));
        }
        for example in &other.examples {
            self.example(example);
        }
    }

    pub(super) fn incident(&self, side: Side) -> Incident {
        let count = |wanted| {
            self.recipients
                .values()
                .filter(|fate| **fate == wanted)
                .count() as u64
        };
        Incident {
            cause: self.key.0,
            place: self.key.1.clone(),
            scope: self.key.2,
            side,
            first: self.first,
            last: self.last,
            failures: self.failures,
            recipients: self.recipients.len() as u64,
            given_up: count(Fate::GivenUp),
            waiting: count(Fate::Waiting),
            at_least: self.at_least,
            domains: self.names.clone(),
            examples: self.examples.clone(),
            over: self.over,
        }
    }
}
