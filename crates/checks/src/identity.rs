//! Whether we may send for a domain: its mail exchangers, SPF, DMARC, DKIM.

use std::net::IpAddr;

use diagnosis::finding::{Conclusion, Defect, Finding, Verdict};
use dns::{AskError, RecordData, RecordKind, Resolver};
use email_auth::spf;

use crate::asker::Asker;
use crate::ours::Ours;
use crate::request::Sender;
use crate::tags::flaw;
use crate::{dkim, dmarc, domain};

/// Selectors that are looked up, at most.
const MAX_SELECTORS: usize = 10;

pub(crate) async fn check(
    sender: &Sender,
    ours: &Ours,
    helo: &str,
    resolver: &dyn Resolver,
) -> Vec<Finding> {
    let mut findings = vec![reachable(&sender.domain, resolver).await];
    match ours {
        Ours::Known(addresses) => {
            for address in addresses {
                findings.push(spf_for(sender, *address, helo, resolver).await);
            }
        }
        Ours::Private(_) | Ours::Unknown => findings.push(spf_syntax(sender, resolver).await),
    }
    findings.push(dmarc::check(&sender.domain, resolver).await);
    for selector in sender.selectors.iter().take(MAX_SELECTORS) {
        findings.push(dkim::check(selector, &sender.domain, resolver).await);
    }
    if !sender.named {
        // Nobody said that we send for this domain.
        for finding in &mut findings {
            finding.verdict = finding.verdict.min(Verdict::Warning);
        }
    }
    findings
}

/// Whether answers and reports have somewhere to go; many receivers ask the same.
async fn reachable(name: &str, resolver: &dyn Resolver) -> Finding {
    let of_domain = domain::check(name, resolver).await;
    let Some(first) = of_domain.into_iter().next() else {
        return Finding::new(Conclusion::SenderUnanswered, name);
    };
    let conclusion = match first.conclusion {
        Conclusion::DomainTakesNoMail => Conclusion::SenderTakesNoMail,
        Conclusion::DomainUnknown
        | Conclusion::DomainHasNoServer
        | Conclusion::ServersHaveNoAddress => Conclusion::SenderDomainUnknown,
        _ if first.verdict == Verdict::Fine => Conclusion::SenderDomainReachable,
        _ => Conclusion::SenderUnanswered,
    };
    Finding::new(conclusion, name).facts(first.facts)
}

async fn spf_for(sender: &Sender, address: IpAddr, helo: &str, resolver: &dyn Resolver) -> Finding {
    let mut asker = Asker::new(resolver);
    let local = sender.local.as_deref().unwrap_or("postmaster");
    let outcome = spf::evaluate(&mut asker, address, &sender.domain, local, helo).await;
    let conclusion = match outcome {
        spf::Outcome::Pass => Conclusion::SpfPass,
        spf::Outcome::Fail => Conclusion::SpfFail,
        spf::Outcome::SoftFail => Conclusion::SpfSoftFail,
        spf::Outcome::Neutral => Conclusion::SpfNeutral,
        spf::Outcome::None => Conclusion::SpfNone,
        spf::Outcome::PermError => Conclusion::SpfBroken,
        spf::Outcome::TempError => Conclusion::SpfUnanswered,
    };
    let finding = Finding::new(conclusion, sender.domain.as_str());
    finding.object(address.to_string()).facts(asker.take())
}

/// Without an address of ours the record can only be read.
async fn spf_syntax(sender: &Sender, resolver: &dyn Resolver) -> Finding {
    let mut asker = Asker::new(resolver);
    let answer = asker.ask(&sender.domain, RecordKind::Txt).await;
    let found = |conclusion| Finding::new(conclusion, sender.domain.as_str());
    let records = match answer {
        Ok(records) => records,
        Err(AskError::NoSuchName | AskError::NotAName { .. }) => Vec::new(),
        Err(AskError::Unanswered { .. }) => {
            return found(Conclusion::SpfUnanswered).facts(asker.take());
        }
    };
    let texts = records.into_iter().filter_map(|record| match record.data {
        RecordData::Txt(text) => Some(text),
        _ => None,
    });
    let records: Vec<String> = texts.filter(|text| spf::is_record(text)).collect();
    let conclusion = match &records[..] {
        [] => Conclusion::SpfNone,
        [record] => match spf::parse(record) {
            Ok(_) => Conclusion::SpfNotCompared,
            Err(found) => {
                asker.note(flaw(found.defect, &found.term).into());
                Conclusion::SpfBroken
            }
        },
        [_, _, ..] => {
            asker.note(flaw(Defect::Several, &sender.domain).into());
            Conclusion::SpfBroken
        }
    };
    found(conclusion).facts(asker.take())
}
