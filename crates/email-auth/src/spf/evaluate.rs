//! check_host() (RFC 7208 §4) with its bounds (§4.6.4).

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use diagnosis::finding::{Defect, Fact, SpfOutcome};
use dns::{AskError, RecordData, RecordKind, reverse_name};

use super::Witness;
use super::expand::{Values, expand, names_the_client};
use super::record::{Directive, Flaw, Mechanism, Prefixes, Qualifier, is_record, parse};

/// The result (RFC 7208 §2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The domain says nothing.
    None,
    /// The domain does not want to say.
    Neutral,
    /// The client may send for the domain.
    Pass,
    /// It may not.
    Fail,
    /// It may not, perhaps.
    SoftFail,
    /// The DNS gave no answer.
    TempError,
    /// The record is broken.
    PermError,
}

/// §4.6.4: terms that ask the DNS.
const MAX_LOOKUPS: u32 = 10;
/// §4.6.4: questions without an answer.
const MAX_VOID: u32 = 2;
/// RFC 1035 §2.3.4.
const LONGEST_LABEL: usize = 63;
/// §4.6.4: names of one `mx` or `ptr`.
const MAX_NAMES: usize = 10;

struct Evaluation<'a> {
    asker: &'a mut dyn Witness,
    address: IpAddr,
    local: &'a str,
    sender_domain: &'a str,
    helo: &'a str,
    lookups: u32,
    void: u32,
    /// Domains whose records are being evaluated, outermost first.
    under: Vec<String>,
}

/// Why the evaluation ends before its time.
enum Stop {
    Temp,
    Perm,
}

/// Evaluates the record of `domain` for mail of `sender` from `address`.
pub async fn evaluate(
    asker: &mut dyn Witness,
    address: IpAddr,
    domain: &str,
    local: &str,
    helo: &str,
) -> Outcome {
    if !is_domain(domain) {
        return Outcome::None;
    }
    let mut evaluation = Evaluation {
        asker,
        // §5: a client of IPv4 is one, however its address is written.
        address: address.to_canonical(),
        local,
        sender_domain: domain,
        helo,
        lookups: 0,
        void: 0,
        under: Vec::new(),
    };
    match evaluation.check_host(domain.to_owned()).await {
        Ok(outcome) => outcome,
        Err(Stop::Temp) => Outcome::TempError,
        Err(Stop::Perm) => Outcome::PermError,
    }
}

/// §4.3: what is not a domain of several labels, or not one that the DNS can hold, has no record.
fn is_domain(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let fits = |label: &str| (1..=LONGEST_LABEL).contains(&label.len());
    name.contains('.') && !name.starts_with('[') && name.split('.').all(fits)
}

type Checked<'s> = Pin<Box<dyn Future<Output = Result<Outcome, Stop>> + Send + 's>>;

impl Evaluation<'_> {
    fn check_host(&mut self, domain: String) -> Checked<'_> {
        Box::pin(async move {
            if self.under.contains(&domain) {
                return Err(self.broken(Defect::Circle, &domain));
            }
            let Some(text) = self.record_of(&domain).await? else {
                return Ok(Outcome::None);
            };
            let record = match parse(&text) {
                Ok(record) => record,
                Err(Flaw { defect, term }) => return Err(self.broken(defect, &term)),
            };
            self.under.push(domain.clone());
            for directive in &record.directives {
                if self.matches(&domain, directive).await? {
                    self.under.pop();
                    return Ok(match directive.qualifier {
                        Qualifier::Pass => Outcome::Pass,
                        Qualifier::Fail => Outcome::Fail,
                        Qualifier::SoftFail => Outcome::SoftFail,
                        Qualifier::Neutral => Outcome::Neutral,
                    });
                }
            }
            let outcome = match &record.redirect {
                Some(spec) => self.redirect(&domain, spec).await?,
                // §4.7: nothing matched.
                None => Outcome::Neutral,
            };
            self.under.pop();
            Ok(outcome)
        })
    }

    /// §4.4, §4.5: the one record of a domain.
    async fn record_of(&mut self, domain: &str) -> Result<Option<String>, Stop> {
        let texts = match self.asker.ask(domain, RecordKind::Txt).await {
            Ok(records) => records,
            Err(AskError::NoSuchName | AskError::NotAName { .. }) => return Ok(None),
            Err(AskError::Unanswered { .. }) => return Err(Stop::Temp),
        };
        let texts = texts.into_iter().filter_map(|record| match record.data {
            RecordData::Txt(text) => Some(text),
            _ => None,
        });
        let mut records: Vec<String> = texts.filter(|text| is_record(text)).collect();
        match records.len() {
            0 | 1 => Ok(records.pop()),
            _ => Err(self.broken(Defect::Several, domain)),
        }
    }

    /// §6.1.
    async fn redirect(&mut self, domain: &str, spec: &str) -> Result<Outcome, Stop> {
        let text = format!("redirect={spec}");
        self.count(&text)?;
        let target = self.expand(domain, spec, &text).await?;
        self.term(domain, &text, SpfOutcome::LeadsOn);
        match self.check_host(target.clone()).await? {
            Outcome::None => Err(self.broken(Defect::NoRecordThere, &target)),
            outcome => Ok(outcome),
        }
    }

    /// §5: whether a mechanism matches.
    async fn matches(&mut self, domain: &str, directive: &Directive) -> Result<bool, Stop> {
        let text = &directive.text;
        let matched = match &directive.mechanism {
            Mechanism::All => true,
            Mechanism::Ip4(network, prefix) => within(self.address, IpAddr::V4(*network), *prefix),
            Mechanism::Ip6(network, prefix) => within(self.address, IpAddr::V6(*network), *prefix),
            Mechanism::Include(spec) => {
                self.count(text)?;
                let target = self.expand(domain, spec, text).await?;
                self.term(domain, text, SpfOutcome::LeadsOn);
                match self.check_host(target.clone()).await? {
                    Outcome::Pass => true,
                    Outcome::Fail | Outcome::SoftFail | Outcome::Neutral => false,
                    Outcome::TempError => return Err(Stop::Temp),
                    Outcome::PermError => return Err(Stop::Perm),
                    Outcome::None => return Err(self.broken(Defect::NoRecordThere, &target)),
                }
            }
            Mechanism::A(spec, prefixes) => {
                self.count(text)?;
                let host = self.target(domain, spec.as_deref(), text).await?;
                self.host_matches(&host, *prefixes, true).await?
            }
            Mechanism::Mx(spec, prefixes) => {
                self.count(text)?;
                let host = self.target(domain, spec.as_deref(), text).await?;
                self.mx_matches(&host, *prefixes, text).await?
            }
            Mechanism::Exists(spec) => {
                self.count(text)?;
                let host = self.expand(domain, spec, text).await?;
                !self.records(&host, RecordKind::A, true).await?.is_empty()
            }
            Mechanism::Ptr(spec) => {
                self.count(text)?;
                let under = self.target(domain, spec.as_deref(), text).await?;
                self.ptr_matches(&under).await
            }
        };
        let outcome = match matched {
            true => SpfOutcome::Matches,
            false => SpfOutcome::Passes,
        };
        self.term(domain, text, outcome);
        Ok(matched)
    }

    async fn mx_matches(
        &mut self,
        host: &str,
        prefixes: Prefixes,
        text: &str,
    ) -> Result<bool, Stop> {
        let records = self.records(host, RecordKind::Mx, true).await?;
        let names: Vec<String> = records
            .into_iter()
            .filter_map(|data| match data {
                RecordData::Mx(mx) if !mx.is_null() => Some(mx.exchange),
                _ => None,
            })
            .collect();
        if names.len() > MAX_NAMES {
            return Err(self.broken(Defect::TooManyLookups, text));
        }
        for name in names {
            if self.host_matches(&name, prefixes, false).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn host_matches(
        &mut self,
        host: &str,
        prefixes: Prefixes,
        counts: bool,
    ) -> Result<bool, Stop> {
        let (kind, prefix) = match self.address {
            IpAddr::V4(_) => (RecordKind::A, prefixes.v4),
            IpAddr::V6(_) => (RecordKind::Aaaa, prefixes.v6),
        };
        let records = self.records(host, kind, counts).await?;
        let mut addresses = records.iter().filter_map(RecordData::address);
        Ok(addresses.any(|network| within(self.address, network, prefix)))
    }

    /// §5.5: whether a name of the client is that one or below it.
    async fn ptr_matches(&mut self, under: &str) -> bool {
        for name in self.client_names().await {
            if is_within(&name, under) && self.is_confirmed(&name).await {
                return true;
            }
        }
        false
    }

    /// §7.3: the name that `%{p}` stands for; the domain itself rather than one below it, and one below
    /// it rather than any other.
    async fn validated_name(&mut self, domain: &str) -> Option<String> {
        let mut names = self.client_names().await;
        names.sort_by_key(|name| match (name == domain, is_within(name, domain)) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        });
        for name in names {
            if self.is_confirmed(&name).await {
                return Some(name);
            }
        }
        None
    }

    /// The names that the client's address claims (§5.5): trouble with the DNS is no name there, and
    /// those beyond the tenth are passed over (§4.6.4).
    async fn client_names(&mut self) -> Vec<String> {
        let name = reverse_name(self.address);
        let Ok(records) = self.asker.ask(&name, RecordKind::Ptr).await else {
            return Vec::new();
        };
        let names = records.into_iter().filter_map(|record| match record.data {
            RecordData::Ptr(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        });
        names.take(MAX_NAMES).collect()
    }

    /// Whether a name leads back to the client.
    async fn is_confirmed(&mut self, name: &str) -> bool {
        let addresses = self.asker.addresses(name).await;
        addresses.is_ok_and(|all| all.contains(&self.address))
    }

    /// The records of one kind; too many questions without an answer end it (§4.6.4).
    async fn records(
        &mut self,
        name: &str,
        kind: RecordKind,
        counts: bool,
    ) -> Result<Vec<RecordData>, Stop> {
        let records = match self.asker.ask(name, kind).await {
            Ok(records) => records,
            Err(AskError::NoSuchName | AskError::NotAName { .. }) => Vec::new(),
            Err(AskError::Unanswered { .. }) => return Err(Stop::Temp),
        };
        let data = records.into_iter().map(|record| record.data);
        let data: Vec<RecordData> = data.filter(|data| data.kind() == kind).collect();
        if data.is_empty() && counts {
            self.void += 1;
            if self.void > MAX_VOID {
                return Err(self.broken(Defect::TooManyVoid, name));
            }
        }
        Ok(data)
    }

    fn count(&mut self, term: &str) -> Result<(), Stop> {
        self.lookups += 1;
        match self.lookups > MAX_LOOKUPS {
            true => Err(self.broken(Defect::TooManyLookups, term)),
            false => Ok(()),
        }
    }

    async fn target(
        &mut self,
        domain: &str,
        spec: Option<&str>,
        term: &str,
    ) -> Result<String, Stop> {
        match spec {
            Some(spec) => self.expand(domain, spec, term).await,
            None => Ok(domain.to_owned()),
        }
    }

    async fn expand(&mut self, domain: &str, spec: &str, term: &str) -> Result<String, Stop> {
        let validated = match names_the_client(spec) {
            true => self.validated_name(domain).await,
            false => None,
        };
        let values = Values {
            local: self.local,
            sender_domain: self.sender_domain,
            domain,
            address: self.address,
            // §7.3: where there is no such name, this word stands in.
            validated: validated.as_deref().unwrap_or("unknown"),
            helo: self.helo,
            explains: false,
        };
        match expand(spec, values) {
            Some(name) => Ok(name.trim_end_matches('.').to_ascii_lowercase()),
            None => Err(self.broken(Defect::BadValue, term)),
        }
    }

    fn term(&mut self, domain: &str, term: &str, outcome: SpfOutcome) {
        self.asker.note(Fact::SpfTerm {
            domain: domain.to_owned(),
            term: term.to_owned(),
            outcome,
        });
    }

    fn broken(&mut self, defect: Defect, text: &str) -> Stop {
        self.asker.note(Fact::Defect {
            defect,
            text: text.to_owned(),
        });
        Stop::Perm
    }
}

/// Whether a name is that one or below it.
fn is_within(name: &str, under: &str) -> bool {
    name.strip_suffix(under)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// Whether an address is in a network.
fn within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            let shift = 32_u32.saturating_sub(prefix.into());
            let differ = a.to_bits() ^ n.to_bits();
            differ.checked_shr(shift).unwrap_or(0) == 0
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            let shift = 128_u32.saturating_sub(prefix.into());
            let differ = a.to_bits() ^ n.to_bits();
            differ.checked_shr(shift).unwrap_or(0) == 0
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}
