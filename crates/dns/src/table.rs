//! A resolver that answers from a table.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{Answer, AskError, DnsError, Mx, Record, RecordData, RecordKind, Resolver};

type Answers = HashMap<(String, RecordKind), Result<Vec<RecordData>, AskError>>;

/// Answers from a table that a simulation may change as it goes.
#[derive(Debug, Default)]
pub struct TableResolver {
    mx: Mutex<HashMap<String, Result<Vec<Mx>, DnsError>>>,
    addresses: Mutex<HashMap<String, Result<Vec<IpAddr>, DnsError>>>,
    records: Mutex<Answers>,
    signed: Mutex<HashSet<String>>,
}

/// Aliases that are followed, at most.
const ALIASES: usize = 8;

impl TableResolver {
    /// Sets the answer for the exchangers of a domain.
    pub fn set_mx(&self, domain: &str, answer: Result<Vec<Mx>, DnsError>) {
        self.mx.lock().insert(domain.to_owned(), answer);
    }

    /// Sets the answer for the addresses of a host.
    pub fn set_addresses(&self, host: &str, answer: Result<Vec<IpAddr>, DnsError>) {
        self.addresses.lock().insert(host.to_owned(), answer);
    }

    /// Sets the answer for the records of a name; what is asked by `mx` and `addresses` follows from
    /// these too, where nothing else was set for it.
    pub fn set(&self, name: &str, kind: RecordKind, answer: Result<Vec<RecordData>, AskError>) {
        self.records.lock().insert((name.to_owned(), kind), answer);
    }

    /// Makes what this name says authentic; from then on this is a resolver that validates.
    pub fn sign(&self, name: &str) {
        self.signed.lock().insert(name.to_ascii_lowercase());
    }

    /// Takes that back for this name.
    pub fn unsign(&self, name: &str) {
        self.signed.lock().remove(&name.to_ascii_lowercase());
    }

    fn exists(&self, name: &str) -> bool {
        self.mx.lock().contains_key(name)
            || self.addresses.lock().contains_key(name)
            || self.records.lock().keys().any(|(known, _)| known == name)
    }

    /// What was set for this name and kind itself.
    fn own(&self, name: &str, kind: RecordKind) -> Option<Result<Vec<RecordData>, AskError>> {
        let key = (name.to_owned(), kind);
        if let Some(answer) = self.records.lock().get(&key) {
            return Some(answer.clone());
        }
        match kind {
            RecordKind::Mx => {
                let answer = self.mx.lock().get(name).cloned()?;
                Some(
                    answer
                        .map(|all| all.into_iter().map(RecordData::Mx).collect())
                        .map_err(ask_error),
                )
            }
            RecordKind::A | RecordKind::Aaaa => {
                let answer = self.addresses.lock().get(name).cloned()?;
                let records = |all: Vec<IpAddr>| {
                    let records = all.into_iter().map(of_address);
                    records.filter(|record| record.kind() == kind).collect()
                };
                Some(answer.map(records).map_err(ask_error))
            }
            RecordKind::Cname
            | RecordKind::Ns
            | RecordKind::Ptr
            | RecordKind::Soa
            | RecordKind::Tlsa
            | RecordKind::Txt => None,
        }
    }
}

fn of_address(address: IpAddr) -> RecordData {
    match address {
        IpAddr::V4(v4) => RecordData::A(v4),
        IpAddr::V6(v6) => RecordData::Aaaa(v6),
    }
}

fn ask_error(error: DnsError) -> AskError {
    match error {
        DnsError::NoSuchName { .. } => AskError::NoSuchName,
        DnsError::NotAName { reported, .. } => AskError::NotAName { reported },
        DnsError::Temporary { reported, .. } => AskError::Unanswered {
            how: crate::Unanswered::ServerFailure,
            reported,
        },
    }
}

#[async_trait]
impl Resolver for TableResolver {
    async fn mx(&self, domain: &str) -> Result<Vec<Mx>, DnsError> {
        let records = self.ask(domain, RecordKind::Mx).await;
        let known = self.mx.lock().get(domain).cloned();
        let exchanger = |record: Record| match record.data {
            RecordData::Mx(mx) => Some(mx),
            _ => None,
        };
        match (known, records) {
            (Some(answer), _) => answer,
            (None, Ok(records)) => Ok(records.into_iter().filter_map(exchanger).collect()),
            (None, Err(error)) => Err(error.of(domain, RecordKind::Mx)),
        }
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        let known = self.addresses.lock().get(host).cloned();
        if let Some(answer) = known {
            return answer;
        }
        let mut found = Vec::new();
        let mut trouble = None;
        for kind in [RecordKind::Aaaa, RecordKind::A] {
            match self.ask(host, kind).await {
                Ok(records) => found.extend(records.iter().filter_map(|r| r.data.address())),
                Err(error) => trouble = Some(error.of(host, kind)),
            }
        }
        match trouble {
            Some(error) if found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }

    fn authenticates(&self) -> bool {
        !self.signed.lock().is_empty()
    }

    async fn answer(&self, name: &str, kind: RecordKind) -> Result<Answer, AskError> {
        let records = self.ask(name, kind).await?;
        let signed = self.signed.lock();
        let authentic = records.iter().all(|record| signed.contains(&record.name));
        Ok(Answer { records, authentic })
    }

    async fn ask(&self, name: &str, kind: RecordKind) -> Result<Vec<Record>, AskError> {
        let mut name = name.to_ascii_lowercase();
        let mut records = Vec::new();
        for _ in 0..ALIASES {
            if let Some(answer) = self.own(&name, kind) {
                let own = answer?.into_iter().map(|data| Record {
                    name: name.clone(),
                    data,
                });
                records.extend(own);
                return Ok(records);
            }
            // RFC 1034 §3.6.2: an alias stands for every kind of record.
            let alias = self.own(&name, RecordKind::Cname).transpose()?;
            let Some(RecordData::Cname(target)) = alias.and_then(|all| all.into_iter().next())
            else {
                break;
            };
            let data = RecordData::Cname(target.clone());
            records.push(Record { name, data });
            name = target;
        }
        // RFC 2308 §2.2: a name that has other records exists; it just has none of this kind.
        match self.exists(&name) {
            true => Ok(records),
            false => Err(AskError::NoSuchName),
        }
    }
}
