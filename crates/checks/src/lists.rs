//! DNS block lists (RFC 5782), for our addresses and the sender's domain.

use std::net::{IpAddr, Ipv4Addr};

use diagnosis::Cause;
use diagnosis::finding::{Bearing, Conclusion, Finding};
use dns::{AskError, Record, RecordData, RecordKind, Resolver, reversed};

use crate::asker::Asker;
use crate::ours::Ours;
use crate::settings::{BlockList, Listed, is_public};

/// Asks every list.
pub(crate) async fn check(
    ours: &Ours,
    domain: Option<&str>,
    lists: &[BlockList],
    resolver: &dyn Resolver,
) -> Vec<Finding> {
    let public = |address: &&IpAddr| is_public(**address);
    let addresses: Vec<IpAddr> = ours.known().iter().filter(public).copied().collect();
    let of_addresses = lists.iter().any(|list| list.of == Listed::Addresses);
    let mut findings = Vec::new();
    if addresses.is_empty() && of_addresses {
        let own = match ours {
            Ours::Private(own) => own.to_string(),
            Ours::Known(own) => own.first().map(ToString::to_string).unwrap_or_default(),
            Ours::Unknown => String::new(),
        };
        findings.push(Finding::new(Conclusion::ListsNotAsked, own));
    }
    for list in lists {
        match list.of {
            Listed::Addresses => {
                for address in &addresses {
                    findings.extend(address_on(*address, &list.zone, resolver).await);
                }
            }
            Listed::Domains => {
                if let Some(domain) = domain.filter(|domain| !domain.starts_with('[')) {
                    findings.push(domain_on(domain, &list.zone, resolver).await);
                }
            }
        }
    }
    findings
}

/// RFC 5782 §5: 127.0.0.2 is on every list, 127.0.0.1 on none; for IPv6 the same, mapped. A list that
/// has no IPv6 has nothing to say about an IPv6 address.
async fn address_on(address: IpAddr, zone: &str, resolver: &dyn Resolver) -> Option<Finding> {
    let mut asker = Asker::new(resolver);
    let test = |last: u8| {
        let v4 = Ipv4Addr::new(127, 0, 0, last);
        let entry = match address {
            IpAddr::V4(_) => IpAddr::V4(v4),
            IpAddr::V6(_) => IpAddr::V6(v4.to_ipv6_mapped()),
        };
        format!("{}.{zone}", reversed(entry))
    };
    let found = |conclusion| Finding::new(conclusion, address.to_string()).object(zone);
    match works(&mut asker, &test(2), &test(1)).await {
        Ok(()) => {}
        Err(Conclusion::ListBroken) if address.is_ipv6() => return None,
        Err(conclusion) => return Some(found(conclusion).facts(asker.take())),
    }
    let name = format!("{}.{zone}", reversed(address));
    let conclusion = match entry(&mut asker, &name).await {
        Entry::Listed => Conclusion::AddressListed,
        Entry::NotListed => Conclusion::NotListed,
        Entry::Failed(conclusion) => conclusion,
    };
    Some(found(conclusion).facts(asker.take()))
}

/// RFC 5782 §5: TEST is on every list of domains, INVALID on none.
async fn domain_on(domain: &str, zone: &str, resolver: &dyn Resolver) -> Finding {
    let mut asker = Asker::new(resolver);
    let (yes, no) = (format!("test.{zone}"), format!("invalid.{zone}"));
    let found = |conclusion| Finding::new(conclusion, domain).object(zone);
    if let Err(conclusion) = works(&mut asker, &yes, &no).await {
        return found(conclusion).facts(asker.take());
    }
    match entry(&mut asker, &format!("{domain}.{zone}")).await {
        Entry::Listed => found(Conclusion::DomainListed).facts(asker.take()),
        Entry::NotListed => {
            let mut finding = found(Conclusion::NotListed).facts(asker.take());
            finding.bearing = Some(Bearing::RulesOut(Cause::ReputationDomainListed));
            finding
        }
        Entry::Failed(conclusion) => found(conclusion).facts(asker.take()),
    }
}

/// Whether the list works at all; a list that lists everything, or nothing, is dead.
async fn works(asker: &mut Asker<'_>, yes: &str, no: &str) -> Result<(), Conclusion> {
    match look_up(asker, yes).await {
        Entry::Listed => {}
        Entry::NotListed => return Err(Conclusion::ListBroken),
        Entry::Failed(conclusion) => return Err(conclusion),
    }
    match look_up(asker, no).await {
        Entry::NotListed => Ok(()),
        Entry::Listed => Err(Conclusion::ListBroken),
        Entry::Failed(conclusion) => Err(conclusion),
    }
}

enum Entry {
    Listed,
    NotListed,
    Failed(Conclusion),
}

/// Looks up an entry, and for one that is there the reason (RFC 5782 §2.1: TXT).
async fn entry(asker: &mut Asker<'_>, name: &str) -> Entry {
    let entry = look_up(asker, name).await;
    if matches!(entry, Entry::Listed) {
        // The reason is for people; its lack changes nothing.
        let _ = asker.ask(name, RecordKind::Txt).await;
    }
    entry
}

async fn look_up(asker: &mut Asker<'_>, name: &str) -> Entry {
    match asker.ask(name, RecordKind::A).await {
        Ok(records) => judge(&records),
        Err(AskError::NoSuchName | AskError::NotAName { .. }) => Entry::NotListed,
        Err(AskError::Unanswered { .. }) => Entry::Failed(Conclusion::ListUnanswered),
    }
}

/// RFC 5782 §2.1: an entry has an address in 127.0.0.0/8. Spamhaus and others answer those whom they
/// do not serve with 127.255.255.x; a zone that was given up and bought often answers with its own
/// web server.
fn judge(records: &[Record]) -> Entry {
    let mut entry = Entry::NotListed;
    for record in records {
        let RecordData::A(address) = record.data else {
            continue;
        };
        match address.octets() {
            [127, 255, 255, _] => return Entry::Failed(Conclusion::ListRefusesUs),
            [127, ..] => entry = Entry::Listed,
            _ => return Entry::Failed(Conclusion::ListBroken),
        }
    }
    entry
}
