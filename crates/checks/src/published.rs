//! What the recipients' side demands of TLS: TLSA records of its servers (RFC 7672), and its policy of
//! MTA-STS (RFC 8461).

use diagnosis::finding::{Conclusion, Fact, Finding};
use dns::Resolver;
use mta_sts::{Found, Mode};
use routing::Published;

use crate::demanded::{Demanded, OfHost};
use crate::judged::told;

/// For a domain of whose servers this is demanded.
pub(crate) fn findings(domain: &str, demanded: &Demanded, resolver: &dyn Resolver) -> Vec<Finding> {
    let mut findings = dane(domain, &demanded.hosts, resolver);
    if let Some((found, facts)) = &demanded.policy {
        findings.extend(mta_sts(domain, &demanded.hosts, found, facts));
    }
    findings
}

fn dane(domain: &str, hosts: &[OfHost], resolver: &dyn Resolver) -> Vec<Finding> {
    if !resolver.authenticates() {
        return vec![Finding::new(Conclusion::DaneNotAsked, domain)];
    }
    let mut findings = Vec::new();
    for host in hosts {
        let (conclusion, name) = match &host.said.records {
            Published::Nothing => continue,
            Published::Records { name, .. } => match host.said.dane {
                Some(_) => (Conclusion::DaneFound, name),
                None => (Conclusion::DaneUnusable, name),
            },
            Published::Unanswered { name, .. } => (Conclusion::DaneUnanswered, name),
        };
        let facts = host.asked_fact(resolver.servers()).into_iter().collect();
        let finding = Finding::new(conclusion, host.host.as_str());
        let finding = match conclusion {
            Conclusion::DaneUnanswered => host.by_dns(finding),
            _ => finding,
        };
        findings.push(finding.object(name.as_str()).facts(facts));
    }
    if findings.is_empty() && !hosts.is_empty() {
        findings.push(Finding::new(Conclusion::DaneNone, domain));
    }
    findings
}

fn mta_sts(domain: &str, hosts: &[OfHost], found: &Found, facts: &[Fact]) -> Vec<Finding> {
    let facts = || facts.to_vec();
    let mut findings = Vec::new();
    if let Some(failed) = &found.trouble {
        let finding = Finding::new(Conclusion::MtaStsUnavailable, domain);
        findings.push(finding.object(failed.trouble.to_string()).facts(facts()));
    }
    match &found.held {
        None if found.trouble.is_none() => {
            findings.push(Finding::new(Conclusion::MtaStsNone, domain).facts(facts()));
        }
        None => {}
        Some(held) => {
            let finding = Finding::new(Conclusion::MtaStsFound, domain);
            findings.push(finding.object(told(held)).facts(facts()));
            findings.extend(hosts.iter().filter_map(omitted));
        }
    }
    findings
}

/// A server that the policy does not name (RFC 8461 §4.1).
fn omitted(host: &OfHost) -> Option<Finding> {
    let listing = host.said.listing.as_ref()?;
    let policy = &listing.held.policy;
    if listing.named || policy.mode == Mode::None {
        return None;
    }
    let finding = Finding::new(Conclusion::MtaStsOmits, host.host.as_str());
    Some(host.by_policy(finding.object(policy.mx.join(" "))))
}
