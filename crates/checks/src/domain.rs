//! DNS of the recipient's domain: MX, A, AAAA, and what is odd about them.

use std::net::IpAddr;

use diagnosis::finding::{Conclusion, Finding};
use dns::{AskError, Mx, Record, RecordData, RecordKind, Resolver};

use crate::asker::{Asker, of_unanswered};
use crate::settings::is_public;

/// Exchangers of one domain that are looked up, at most.
const MAX_EXCHANGERS: usize = 20;

pub(crate) async fn check(domain: &str, resolver: &dyn Resolver) -> Vec<Finding> {
    if let Some(address) = routing::literal(domain) {
        let finding = Finding::new(Conclusion::DomainIsAddress, domain);
        return vec![finding.object(address.to_string())];
    }
    let mut asker = Asker::new(resolver);
    let answer = asker.ask(domain, RecordKind::Mx).await;
    let records = match answer {
        Ok(records) => records,
        Err(error) => return vec![failed(domain, &error, asker)],
    };
    let mut exchangers: Vec<Mx> = records.into_iter().filter_map(exchanger).collect();
    exchangers.sort();
    let null = exchangers.iter().any(Mx::is_null);
    exchangers.retain(|mx| !mx.is_null());
    match (null, exchangers.is_empty()) {
        // RFC 7505 §3: it stands alone.
        (true, true) => {
            let finding = Finding::new(Conclusion::DomainTakesNoMail, domain);
            vec![finding.facts(asker.take())]
        }
        (false, true) => vec![implicit(domain, asker).await],
        (null, false) => {
            let mut findings = Vec::new();
            if null {
                let finding = Finding::new(Conclusion::NullMxBesideOthers, domain);
                findings.push(finding);
            }
            explicit(domain, &exchangers, asker, &mut findings).await;
            findings
        }
    }
}

fn exchanger(record: Record) -> Option<Mx> {
    match record.data {
        RecordData::Mx(mx) => Some(mx),
        _ => None,
    }
}

fn failed(domain: &str, error: &AskError, mut asker: Asker<'_>) -> Finding {
    let conclusion = match error {
        AskError::NoSuchName | AskError::NotAName { .. } => Conclusion::DomainUnknown,
        AskError::Unanswered { how, .. } => of_unanswered(*how),
    };
    Finding::new(conclusion, domain).facts(asker.take())
}

/// RFC 5321 §5.1: without MX the domain's own addresses count.
async fn implicit(domain: &str, mut asker: Asker<'_>) -> Finding {
    match asker.addresses(domain).await {
        Ok(addresses) if !addresses.is_empty() => {
            Finding::new(Conclusion::DomainIsItsServer, domain).facts(asker.take())
        }
        Ok(_) => Finding::new(Conclusion::DomainHasNoServer, domain).facts(asker.take()),
        Err(error) => failed(domain, &error, asker),
    }
}

/// What one exchanger comes to.
enum Server {
    Reachable,
    NoAddress,
    Unanswered(AskError),
}

async fn explicit(
    domain: &str,
    exchangers: &[Mx],
    mut asker: Asker<'_>,
    findings: &mut Vec<Finding>,
) {
    let mut facts = asker.take();
    let (mut reachable, mut trouble, mut missing) = (0_usize, None, Vec::new());
    for mx in exchangers.iter().take(MAX_EXCHANGERS) {
        let (server, odd) = look_at(domain, &mx.exchange, &mut asker).await;
        match server {
            Server::Reachable => reachable += 1,
            // What is odd about it says more than that it has no address.
            Server::NoAddress if !odd.is_empty() => {}
            Server::NoAddress => missing.push(mx.exchange.as_str()),
            Server::Unanswered(error) => trouble = Some(error),
        }
        let seen = asker.take();
        findings.extend(odd.into_iter().map(|finding| finding.facts(seen.clone())));
        facts.extend(seen);
    }
    let finding = match (reachable, trouble) {
        (0, Some(error)) => failed(domain, &error, asker),
        (0, None) => Finding::new(Conclusion::ServersHaveNoAddress, domain),
        (reachable, _) => {
            for name in &missing {
                let finding = Finding::new(Conclusion::ServerHasNoAddress, domain);
                findings.push(finding.object(*name));
            }
            Finding::new(Conclusion::DomainHasServers, domain).object(reachable.to_string())
        }
    };
    findings.insert(0, finding.facts(facts));
}

/// Looks up a server; and tells what is odd about it.
async fn look_at(domain: &str, host: &str, asker: &mut Asker<'_>) -> (Server, Vec<Finding>) {
    let odd = |conclusion| vec![Finding::new(conclusion, domain).object(host)];
    // RFC 5321 §5.1: the name of an exchanger, never its address.
    if host.parse::<IpAddr>().is_ok() {
        return (Server::NoAddress, odd(Conclusion::MxIsAddress));
    }
    if host == "localhost" || host.ends_with(".localhost") || host.starts_with("localhost.") {
        return (Server::NoAddress, odd(Conclusion::MxIsLocalhost));
    }
    let v4 = asker.ask(host, RecordKind::A).await;
    let v6 = asker.ask(host, RecordKind::Aaaa).await;
    // RFC 2181 §10.3: an exchanger is no alias; most senders follow it all the same.
    let all = || [&v4, &v6].into_iter().flatten().flatten();
    let alias = all().any(|record| record.data.kind() == RecordKind::Cname);
    let addresses: Vec<IpAddr> = all().filter_map(|r| r.data.address()).collect();
    let mut findings = match alias {
        true => odd(Conclusion::MxIsAlias),
        false => Vec::new(),
    };
    if addresses.is_empty() {
        let unanswered = |error: &AskError| matches!(error, AskError::Unanswered { .. });
        let trouble = [v4, v6]
            .into_iter()
            .filter_map(Result::err)
            .find(unanswered);
        let server = trouble.map_or(Server::NoAddress, Server::Unanswered);
        return (server, findings);
    }
    if !addresses.iter().any(|address| is_public(*address)) {
        findings.extend(odd(Conclusion::MxNotPublic));
    }
    (Server::Reachable, findings)
}
