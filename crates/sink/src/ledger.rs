//! What the rules have counted, and what they decide.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use diagnosis::Dialect;
use parking_lot::Mutex;
use tokio::time::Instant;
use world::{Random, SeededRandom};

use crate::script::{Per, Rule, Script};
use crate::stage::Stage;
use crate::verdict::Verdict;

/// Counts that are kept at most; beyond, all are forgotten.
const MOST_COUNTS: usize = 200_000;

/// What is known when a step is decided.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The step.
    pub stage: Stage,
    /// The session's number.
    pub session: u64,
    /// The transaction's number within the session.
    pub transaction: u64,
    /// The client's address.
    pub client: IpAddr,
    /// What the client calls itself.
    pub hello: &'a str,
    /// Whether TLS is on.
    pub secure: bool,
    /// Whether the client has logged in.
    pub authenticated: bool,
    /// The sender.
    pub sender: &'a str,
    /// The recipient of RCPT; later, all that were accepted.
    pub recipients: &'a [String],
    /// The size of the message, announced or received.
    pub size: u64,
    /// `Received` fields of the message.
    pub hops: usize,
    /// Sessions that are open: all, and of this client.
    pub open: (usize, usize),
}

/// What is to be done at a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What.
    pub verdict: Verdict,
    /// In whose words, where the rule says so.
    pub dialect: Option<Dialect>,
    /// Waits first.
    pub delay: Duration,
    /// Byte by byte, with so much time between.
    pub tarpit: Option<Duration>,
    /// At `content`: after so many bytes.
    pub bytes: u64,
    /// Keeps the message all the same.
    pub keep: bool,
    /// The number of the rule, from 1; `None`: no rule decided.
    pub rule: Option<usize>,
}

impl Decision {
    /// The usual.
    #[must_use]
    pub fn accept() -> Decision {
        Decision {
            verdict: Verdict::Accept,
            dialect: None,
            delay: Duration::ZERO,
            tarpit: None,
            bytes: 0,
            keep: false,
            rule: None,
        }
    }

    /// Whether nothing is out of the ordinary.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.verdict == Verdict::Accept && self.delay.is_zero() && self.tarpit.is_none()
    }
}

#[derive(Debug, Default)]
struct Count {
    seen: u64,
    acted: u64,
    first: Option<Instant>,
    recent: VecDeque<Instant>,
}

#[derive(Debug, Default)]
struct Counts {
    of_rules: HashMap<(usize, String), Count>,
    /// Bytes taken for each recipient.
    used: HashMap<String, u64>,
}

/// The rules of a script with what they have counted.
#[derive(Debug)]
pub struct Ledger {
    rules: Vec<Rule>,
    seed: u64,
    counts: Mutex<Counts>,
}

impl Ledger {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(script: &Script, seed: u64) -> Ledger {
        Ledger {
            rules: script.rules.clone(),
            seed,
            counts: Mutex::default(),
        }
    }

    /// Notes that a message was taken for these recipients.
    pub fn taken(&self, recipients: &[String], size: u64) {
        let mut counts = self.counts.lock();
        if counts.used.len() > MOST_COUNTS {
            counts.used.clear();
        }
        for recipient in recipients {
            *counts.used.entry(recipient.to_lowercase()).or_default() += size;
        }
    }

    /// What the rules say about a step: the first that acts decides, and those before it that only
    /// slow down do so too. `more` come after those of the script.
    #[must_use]
    pub fn decide(&self, facts: &Facts<'_>, more: &[Rule]) -> Decision {
        let mut decision = Decision::accept();
        let mut counts = self.counts.lock();
        if counts.of_rules.len() > MOST_COUNTS {
            counts.of_rules.clear();
        }
        for (number, rule) in self.rules.iter().chain(more).enumerate() {
            if rule.at != facts.stage || !is_for(rule, facts) {
                continue;
            }
            let Some(nth) = acts(rule, number, facts, self.seed, &mut counts) else {
                continue;
            };
            decision.delay += rule.delay.unwrap_or_default();
            decision.tarpit = rule.tarpit.or(decision.tarpit);
            if let Some(verdict) = turn(rule, nth) {
                decision.verdict = verdict.clone();
                decision.dialect = rule.dialect;
                decision.bytes = rule.bytes;
                decision.keep = rule.keep;
                decision.rule = Some(number + 1);
                return decision;
            }
        }
        decision
    }
}

/// What the rule does the `nth` time, from 0.
fn turn(rule: &Rule, nth: u64) -> Option<&Verdict> {
    let length = u64::try_from(rule.verdicts.len()).ok()?;
    let at = match length {
        0 => return None,
        1 => 0,
        _ => nth % length,
    };
    rule.verdicts.get(usize::try_from(at).ok()?)
}

fn is_for(rule: &Rule, facts: &Facts<'_>) -> bool {
    let fits = |pattern: &Option<crate::Pattern>, text: &str| {
        pattern.as_ref().is_none_or(|pattern| pattern.fits(text))
    };
    let recipient = rule.recipient.as_ref().is_none_or(|pattern| {
        let mut recipients = facts.recipients.iter();
        recipients.any(|recipient| pattern.fits(recipient))
    });
    recipient
        && rule.secure.is_none_or(|secure| secure == facts.secure)
        && rule
            .authenticated
            .is_none_or(|wanted| wanted == facts.authenticated)
        && fits(&rule.sender, facts.sender)
        && fits(&rule.hello, facts.hello)
        && (rule.client.is_none() || fits(&rule.client, &facts.client.to_string()))
}

/// Whether the rule acts, and for the how manyeth time, from 0.
fn acts(
    rule: &Rule,
    number: usize,
    facts: &Facts<'_>,
    seed: u64,
    counts: &mut Counts,
) -> Option<u64> {
    let key = key(rule.per, facts);
    let over_quota = rule.quota.is_none_or(|quota| {
        let mut recipients = facts.recipients.iter();
        recipients.any(|recipient| {
            let used = counts.used.get(&recipient.to_lowercase()).copied();
            used.unwrap_or(0).saturating_add(facts.size) > quota
        })
    });
    let open = match rule.per {
        Per::Client => facts.open.1,
        _ => facts.open.0,
    };
    let count = counts.of_rules.entry((number, key.clone())).or_default();
    count.seen += 1;
    let fits = count.seen > rule.after
        && too_fast(rule, count)
        && over_quota
        && rule.open.is_none_or(|most| open > most)
        && rule.hops.is_none_or(|most| facts.hops > most)
        && rule.larger.is_none_or(|most| facts.size > most)
        && rule
            .chance
            .is_none_or(|chance| drawn(seed, number, &key, count.seen) < chance);
    if !fits || is_through(rule, count) {
        return None;
    }
    let now = Instant::now();
    let first = *count.first.get_or_insert(now);
    if rule
        .lasts
        .is_some_and(|lasts| now.duration_since(first) > lasts)
    {
        return None;
    }
    let nth = count.acted;
    count.acted += 1;
    Some(nth)
}

/// A rule with a rate acts on what goes beyond it.
fn too_fast(rule: &Rule, count: &mut Count) -> bool {
    let Some(rate) = rule.rate else {
        return true;
    };
    let now = Instant::now();
    let is_old = |at: &Instant| now.duration_since(*at) >= rate.period;
    while count.recent.front().is_some_and(is_old) {
        count.recent.pop_front();
    }
    if count.recent.len() >= rate.count {
        return true;
    }
    count.recent.push_back(now);
    false
}

fn is_through(rule: &Rule, count: &Count) -> bool {
    let list = u64::try_from(rule.verdicts.len()).unwrap_or(u64::MAX);
    let ends = list > 1 && !rule.repeat && count.acted >= list;
    ends || rule.times.is_some_and(|times| count.acted >= times)
}

fn key(per: Per, facts: &Facts<'_>) -> String {
    let recipient = facts.recipients.first().map(String::as_str);
    let recipient = recipient.unwrap_or_default();
    let key = match per {
        Per::Server => String::new(),
        Per::Session => facts.session.to_string(),
        Per::Transaction => format!("{} {}", facts.session, facts.transaction),
        Per::Client => facts.client.to_string(),
        Per::Sender => facts.sender.to_owned(),
        Per::Recipient => recipient.to_owned(),
        Per::Triplet => format!("{} <{}> <{recipient}>", facts.client, facts.sender),
    };
    key.to_lowercase()
}

/// A number from 0 up to but not 1, that depends on the seed and on what is decided, and not on what
/// other sessions do at the same time (FNV-1a, then the generator).
fn drawn(seed: u64, rule: usize, key: &str, nth: u64) -> f64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let rule = rule as u64;
    let numbers = [seed, rule, nth].into_iter().flat_map(u64::to_le_bytes);
    for byte in numbers.chain(key.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    SeededRandom::new(hash).unit()
}
