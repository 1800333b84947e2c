//! What the recipients' side demands of TLS: TLSA records of its servers (RFC 7672), and its policy of
//! MTA-STS (RFC 8461).

use diagnosis::finding::{Answer, Conclusion, Fact, Finding, Verdict};
use dns::{RecordKind, Resolver};
use mta_sts::{Mode, Policies, Policy};
use routing::{Candidate, Published};
use tls::Dane;
use world::Peer;

use crate::asker::Asker;

/// For a domain whose mail goes to these servers.
pub(crate) async fn check(
    domain: &str,
    candidates: &[Candidate],
    resolver: &dyn Resolver,
    policies: Option<&dyn Policies>,
) -> Vec<Finding> {
    let mut hosts: Vec<&Candidate> = Vec::new();
    for candidate in candidates {
        if !hosts.iter().any(|known| known.host == candidate.host) {
            hosts.push(candidate);
        }
    }
    let mut findings = dane(domain, &hosts, resolver).await;
    if let Some(policies) = policies {
        findings.extend(mta_sts(domain, &hosts, resolver, policies).await);
    }
    findings
}

async fn dane(domain: &str, hosts: &[&Candidate], resolver: &dyn Resolver) -> Vec<Finding> {
    if !resolver.authenticates() {
        return vec![Finding::new(Conclusion::DaneNotAsked, domain)];
    }
    let mut findings = Vec::new();
    for host in hosts {
        let port = match &host.peer {
            Peer::Tcp(address) => address.port(),
            Peer::Unix(_) => continue,
        };
        let (conclusion, name, answer) = match host.signed.published(port, resolver).await {
            Published::Nothing => continue,
            Published::Records { name, records, .. } => {
                let conclusion = match Dane::of(&records, Vec::new()) {
                    Some(_) => Conclusion::DaneFound,
                    None => Conclusion::DaneUnusable,
                };
                let records = records.iter().map(|record| format!("TLSA {record}"));
                (conclusion, name, Answer::Records(records.collect()))
            }
            Published::Unanswered { name, reported } => {
                (Conclusion::DaneUnanswered, name, Answer::Unclear(reported))
            }
        };
        let fact = Fact::Asked {
            kind: RecordKind::Tlsa.as_str().to_owned(),
            name: name.clone(),
            answer,
            servers: resolver.servers(),
            took_ms: 0,
        };
        let finding = Finding::new(conclusion, host.host.as_str());
        findings.push(finding.object(name).facts(vec![fact]));
    }
    if findings.is_empty() && !hosts.is_empty() {
        findings.push(Finding::new(Conclusion::DaneNone, domain));
    }
    findings
}

async fn mta_sts(
    domain: &str,
    hosts: &[&Candidate],
    resolver: &dyn Resolver,
    policies: &dyn Policies,
) -> Vec<Finding> {
    let mut asker = Asker::new(resolver);
    // The question is the evidence; what it means is for `policies` to say.
    let _ = asker
        .ask(&format!("_mta-sts.{domain}"), RecordKind::Txt)
        .await;
    let facts = asker.take();
    let found = policies.of(domain).await;
    let mut findings = Vec::new();
    if let Some(failed) = &found.trouble {
        let finding = Finding::new(Conclusion::MtaStsUnavailable, domain);
        findings.push(
            finding
                .object(failed.trouble.to_string())
                .facts(facts.clone()),
        );
    }
    match &found.held {
        None if found.trouble.is_none() => {
            findings.push(Finding::new(Conclusion::MtaStsNone, domain).facts(facts));
        }
        None => {}
        Some(held) => {
            let finding = Finding::new(Conclusion::MtaStsFound, domain);
            findings.push(finding.object(told(&held.id, &held.policy)).facts(facts));
            findings.extend(omitted(&held.policy, hosts));
        }
    }
    findings
}

fn told(id: &str, policy: &Policy) -> String {
    let mx = policy.mx.join(" ");
    format!("id {id}, mode {}, mx {mx}", policy.mode)
}

/// Servers that the policy does not name (RFC 8461 §4.1).
fn omitted(policy: &Policy, hosts: &[&Candidate]) -> Vec<Finding> {
    let omitted = hosts.iter().filter(|host| !policy.names(&host.host));
    let finding = |host: &&Candidate| {
        let finding = Finding::new(Conclusion::MtaStsOmits, host.host.as_str());
        finding.object(policy.mx.join(" "))
    };
    match policy.mode {
        Mode::Enforce => omitted.map(finding).collect(),
        // §5: mail goes there all the same.
        Mode::Testing => omitted
            .map(|host| finding(host).verdict(Verdict::Warning))
            .collect(),
        Mode::None => Vec::new(),
    }
}
