//! Questions to the DNS: the resolver trait, the real resolver and a table for simulation.
//!
//! An answer without records and a question without an answer are different values: the first is
//! the domain's doing, the second is trouble on the way, and only the second passes by itself.
//!
//! Whether an answer is authentic is for a validating resolver to say (RFC 4035 §3.2.3): we believe the
//! AD bit of one that is trusted, and validate nothing ourselves.

mod authentic;
mod record;
mod stub;
mod system;
mod table;
mod tlsa;

use std::net::IpAddr;

use async_trait::async_trait;

use authentic::Bases;

pub use authentic::{Answer, Exchangers, HostAnswer};
pub use record::{AskError, Record, RecordData, RecordKind, Unanswered, reverse_name, reversed};
pub use system::{SetupError, SystemResolver};
pub use table::TableResolver;
pub use tlsa::Tlsa;

/// A mail exchanger as published (RFC 5321 §5.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mx {
    /// Preference; the lowest comes first.
    pub preference: u16,
    /// Host name in lower case without the final dot; empty for a null MX (RFC 7505).
    pub exchange: String,
}

impl Mx {
    /// Whether the record says that the domain takes no mail (RFC 7505 §3).
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.exchange.is_empty()
    }
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// The name does not exist (NXDOMAIN, RFC 1035 §4.1.1; RFC 8020).
    #[error("{name} does not exist")]
    NoSuchName {
        /// The name.
        name: String,
    },
    /// No usable answer now: SERVFAIL, REFUSED, a time-out, an unreachable or broken server.
    #[error("no answer to {question}: {reported}")]
    Temporary {
        /// The question, like `MX example.org`.
        question: String,
        /// What the resolver reported.
        reported: String,
    },
    /// The name cannot be asked for: it is no domain name.
    #[error("`{name}` is no domain name: {reported}")]
    NotAName {
        /// The name.
        name: String,
        /// What is wrong with it.
        reported: String,
    },
}

/// Answers questions about names. An empty list means that the name exists without such records.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// The mail exchangers of a domain, in no particular order.
    async fn mx(&self, domain: &str) -> Result<Vec<Mx>, DnsError>;

    /// The addresses of a host, of both families, those of IPv6 first.
    ///
    /// If one family gives addresses and the other trouble, the addresses count.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError>;

    /// The records of one kind, with the aliases that led to them.
    async fn ask(&self, name: &str, kind: RecordKind) -> Result<Vec<Record>, AskError>;

    /// Whether answers can be known to be a domain's own: a resolver that validates and is trusted.
    fn authenticates(&self) -> bool {
        false
    }

    /// The same as [`Resolver::ask`], and whether the answer is known to be the domain's own.
    async fn answer(&self, name: &str, kind: RecordKind) -> Result<Answer, AskError> {
        let records = self.ask(name, kind).await?;
        let authentic = false;
        Ok(Answer { records, authentic })
    }

    /// The mail exchangers of a domain, and whether they are known to be its own.
    async fn exchangers(&self, domain: &str) -> Result<Exchangers, DnsError> {
        let mx = self.mx(domain).await?;
        let authentic = match (self.authenticates(), mx.is_empty()) {
            (true, false) => {
                let answer = self.answer(domain, RecordKind::Mx).await;
                answer.is_ok_and(|answer| answer.authentic)
            }
            (false, _) | (true, true) => false,
        };
        Ok(Exchangers { mx, authentic })
    }

    /// The addresses of a host, and where its TLSA records may be.
    async fn host(&self, host: &str) -> Result<HostAnswer, DnsError> {
        let addresses = self.addresses(host).await?;
        if !self.authenticates() || addresses.is_empty() {
            let tlsa_bases = Vec::new();
            return Ok(HostAnswer {
                addresses,
                tlsa_bases,
            });
        }
        let answers = [
            self.answer(host, RecordKind::Aaaa).await,
            self.answer(host, RecordKind::A).await,
        ];
        let tlsa_bases = match authentic::tlsa_bases(host, &answers) {
            Bases::Known(bases) => bases,
            Bases::IfAliasIsAuthentic(name) => {
                let alias = self.answer(host, RecordKind::Cname).await;
                let signed = alias.is_ok_and(|a| a.authentic && !a.records.is_empty());
                if signed { vec![name] } else { Vec::new() }
            }
        };
        Ok(HostAnswer {
            addresses,
            tlsa_bases,
        })
    }

    /// The servers that are asked, where they are known.
    fn servers(&self) -> Vec<String> {
        Vec::new()
    }
}

impl AskError {
    /// The same for those who only need to know whether to come back.
    #[must_use]
    pub fn of(self, name: &str, kind: RecordKind) -> DnsError {
        let name = name.to_owned();
        match self {
            AskError::NoSuchName => DnsError::NoSuchName { name },
            AskError::NotAName { reported } => DnsError::NotAName { name, reported },
            AskError::Unanswered { reported, .. } => DnsError::Temporary {
                question: format!("{kind} {name}"),
                reported,
            },
        }
    }
}
