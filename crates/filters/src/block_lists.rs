//! DNS block lists (RFC 5782), of clients by address and of domains.
//!
//! Answers are kept for as long as their records say, also that there is no entry: by the resolver, which
//! all that ask share. A list that does not work is passed over, and not asked again for a minute.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dns::{AskError, Record, RecordData, RecordKind, Resolver, reversed};
use futures_util::future::join_all;
use jiff::Timestamp;
use parking_lot::Mutex;
use screening::{Answer, Conversation, Failure, Filter, Listing, Moment, Reason, Stage, Verdict};
use tokio::time::timeout;
use world::Clock;

/// What a list is asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// The client's address.
    #[default]
    Client,
    /// The domain of the reverse-path.
    Sender,
    /// The name given at EHLO.
    Helo,
}

/// One list.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockList {
    /// Its zone.
    pub zone: String,
    /// What it is asked about.
    pub subject: Subject,
    /// What an entry weighs.
    pub score: f64,
    /// The answers that count, with their weight; none: every answer of 127.0.0.0/8, with `score`.
    pub codes: BTreeMap<Ipv4Addr, f64>,
}

/// When clients are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// In place of the greeting.
    #[default]
    Connect,
    /// At each recipient, so that the log says for whom mail was.
    Rcpt,
}

/// Lists, asked together.
#[derive(Clone)]
pub struct BlockLists {
    /// Who answers.
    pub resolver: Arc<dyn Resolver>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The lists.
    pub lists: Vec<BlockList>,
    /// From which sum of weights on mail is refused.
    pub threshold: f64,
    /// When.
    pub when: When,
    /// How long each list may take.
    pub patience: Duration,
    /// Lists that did not work, and until when they are not asked.
    pub resting: Arc<Mutex<HashMap<String, Timestamp>>>,
}

/// How long a list that does not work is not asked.
const REST: Duration = Duration::from_secs(60);

impl Filter for BlockLists {
    fn attends(&self, stage: Stage) -> bool {
        let of_domains = self.lists.iter().any(|l| l.subject != Subject::Client);
        match stage {
            Stage::Connect => self.when == When::Connect,
            Stage::Rcpt => self.when == When::Rcpt || of_domains,
            Stage::Helo | Stage::Mail | Stage::Content => false,
        }
    }

    fn open(&self) -> Box<dyn Conversation> {
        Box::new(Lookups {
            lists: self.clone(),
            client: None,
            domains: HashMap::new(),
        })
    }
}

/// What was found in one session.
struct Lookups {
    lists: BlockLists,
    client: Option<Found>,
    /// By subject and domain.
    domains: HashMap<String, Found>,
}

#[derive(Clone, Debug, Default)]
struct Found {
    listings: Vec<Listing>,
    score: f64,
}

#[async_trait]
impl Conversation for Lookups {
    async fn ask(&mut self, moment: &Moment<'_>) -> Result<Answer, Failure> {
        let client = match &self.client {
            Some(found) => found.clone(),
            None => {
                let address = moment.client.address.ip().to_canonical();
                let found = self
                    .lists
                    .look(Subject::Client, &Entry::of_address(address))
                    .await;
                self.client.insert(found).clone()
            }
        };
        let mut all = client;
        if moment.stage == Stage::Rcpt {
            let sender = moment.envelope.and_then(|e| e.sender.domain_lowercase());
            let helo = moment.client.helo.as_deref().map(str::to_ascii_lowercase);
            for (subject, domain) in [
                (Subject::Sender, sender.map(|d| d.into_owned())),
                (Subject::Helo, helo),
            ] {
                let Some(entry) = domain.and_then(|d| Entry::of_domain(&d)) else {
                    continue;
                };
                all.add(self.domain(subject, entry).await);
            }
        }
        Ok(
            match all.score >= self.lists.threshold && !all.listings.is_empty() {
                true => Answer::of(Verdict::Reject(Reason::Listed(all.listings).into())),
                false => Answer::pass(),
            },
        )
    }
}

impl Lookups {
    async fn domain(&mut self, subject: Subject, entry: Entry) -> Found {
        let key = format!("{subject:?} {}", entry.shown);
        if let Some(found) = self.domains.get(&key) {
            return found.clone();
        }
        let found = self.lists.look(subject, &entry).await;
        // A client may name as many senders as it likes.
        if self.domains.len() < 100 {
            self.domains.insert(key, found.clone());
        }
        found
    }
}

impl Found {
    fn add(&mut self, other: Found) {
        self.listings.extend(other.listings);
        self.score += other.score;
    }
}

/// What is looked up, and as what it is shown.
struct Entry {
    label: String,
    shown: String,
}

impl Entry {
    fn of_address(address: IpAddr) -> Entry {
        Entry {
            label: reversed(address),
            shown: address.to_string(),
        }
    }

    /// `None` where it is no domain with a dot: an address literal, or the name of a machine.
    fn of_domain(domain: &str) -> Option<Entry> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let domain = domain.trim_end_matches('.');
        let is_domain = domain.contains('.')
            && domain.len() <= 200
            && domain.chars().all(plain)
            && domain.parse::<IpAddr>().is_err();
        is_domain.then(|| Entry {
            label: domain.to_owned(),
            shown: domain.to_owned(),
        })
    }
}

/// What one list says.
enum Said {
    Nothing,
    Listed { score: f64, text: Option<String> },
    Broken(String),
}

impl BlockLists {
    async fn look(&self, subject: Subject, entry: &Entry) -> Found {
        let asked = self
            .lists
            .iter()
            .filter(|list| list.subject == subject && !self.rests(&list.zone))
            .map(|list| async move {
                let said = match timeout(self.patience, self.ask(list, entry)).await {
                    Ok(said) => said,
                    Err(_) => Said::Broken("no answer in time".to_owned()),
                };
                (list, said)
            });
        let mut found = Found::default();
        for (list, said) in join_all(asked).await {
            match said {
                Said::Nothing => {}
                Said::Listed { score, text } => {
                    found.score += score;
                    found.listings.push(Listing {
                        zone: list.zone.clone(),
                        entry: entry.shown.clone(),
                        text,
                    });
                }
                Said::Broken(why) => {
                    tracing::warn!(
                        list = list.zone,
                        why,
                        "a block list does not work: it is passed over"
                    );
                    self.rest(&list.zone);
                }
            }
        }
        found
    }

    fn rests(&self, zone: &str) -> bool {
        let now = self.clock.now();
        self.resting
            .lock()
            .get(zone)
            .is_some_and(|until| *until > now)
    }

    fn rest(&self, zone: &str) {
        let until = self.clock.now().checked_add(REST).unwrap_or(Timestamp::MAX);
        self.resting.lock().insert(zone.to_owned(), until);
    }

    async fn ask(&self, list: &BlockList, entry: &Entry) -> Said {
        let name = format!("{}.{}", entry.label, list.zone);
        let score = match self.answer(&name).await {
            Ok(answers) => match list.judge(&answers) {
                Ok(Some(score)) => score,
                Ok(None) => return Said::Nothing,
                Err(why) => return Said::Broken(why),
            },
            Err(why) => return Said::Broken(why),
        };
        // RFC 5782 §5: 127.0.0.1, and INVALID among domains, are on no list. One that has them has all
        // the world: it was given up, or answers everything.
        let nobody = match list.subject {
            Subject::Client => reversed(Ipv4Addr::LOCALHOST.into()),
            Subject::Sender | Subject::Helo => "invalid".to_owned(),
        };
        match self.answer(&format!("{nobody}.{}", list.zone)).await {
            Ok(answers) if answers.is_empty() => {}
            Ok(_) => return Said::Broken("it lists everything".to_owned()),
            Err(why) => return Said::Broken(why),
        }
        // RFC 5782 §2.1: the reason, for people; without it the entry counts all the same.
        let text = self.resolver.ask(&name, RecordKind::Txt).await;
        let text = text.ok().into_iter().flatten().find_map(text_of);
        Said::Listed { score, text }
    }

    /// The addresses that stand for an entry; none where there is no entry.
    async fn answer(&self, name: &str) -> Result<Vec<Ipv4Addr>, String> {
        match self.resolver.ask(name, RecordKind::A).await {
            Ok(records) => Ok(records.iter().filter_map(address_of).collect()),
            Err(AskError::NoSuchName | AskError::NotAName { .. }) => Ok(Vec::new()),
            Err(AskError::Unanswered { reported, .. }) => Err(reported),
        }
    }
}

impl BlockList {
    /// What the answers weigh; the greatest, where there are several.
    fn judge(&self, answers: &[Ipv4Addr]) -> Result<Option<f64>, String> {
        let mut weight: Option<f64> = None;
        for answer in answers {
            let own = match answer.octets() {
                // Spamhaus and others answer so those whom they do not serve.
                [127, 255, 255, _] => {
                    return Err(format!("it answers {answer}: it does not serve us"));
                }
                // RFC 5782 §2.1: entries are in 127.0.0.0/8. Anything else is the web server of whoever
                // bought the domain.
                [127, ..] if self.codes.is_empty() => Some(self.score),
                [127, ..] => self.codes.get(answer).copied(),
                _ => return Err(format!("it answers {answer}, which is no entry")),
            };
            weight = match (weight, own) {
                (Some(a), Some(b)) => Some(a.max(b)),
                (a, b) => a.or(b),
            };
        }
        Ok(weight)
    }
}

fn address_of(record: &Record) -> Option<Ipv4Addr> {
    match record.data {
        RecordData::A(address) => Some(address),
        _ => None,
    }
}

fn text_of(record: Record) -> Option<String> {
    match record.data {
        RecordData::Txt(text) => Some(text.chars().take(200).collect()),
        _ => None,
    }
}
