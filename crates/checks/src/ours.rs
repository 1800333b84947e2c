//! Ourselves as others see us: the address we come from, its name, and the name we give.

use std::net::{IpAddr, SocketAddr};

use diagnosis::finding::{Conclusion, Finding};
use dns::{AskError, RecordData, RecordKind, Resolver, reverse_name};
use routing::Candidate;
use world::{Net, Peer};

use crate::asker::Asker;
use crate::settings::is_public;

/// The addresses from which the destination sees us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ours {
    /// These.
    Known(Vec<IpAddr>),
    /// This machine has only this private one; something on the way puts another in its place.
    Private(IpAddr),
    /// No address of ours leads there.
    Unknown,
}

impl Ours {
    pub(crate) fn known(&self) -> &[IpAddr] {
        match self {
            Ours::Known(addresses) => addresses,
            Ours::Private(_) | Ours::Unknown => &[],
        }
    }
}

/// Addresses to which nothing is ever sent (RFC 5737, RFC 3849): the way there is the way out.
const ANYWHERE: [&str; 2] = ["192.0.2.1:25", "[2001:db8::1]:25"];

/// Finds our addresses on the way to `candidates`; as configured, where it is.
pub(crate) fn addresses(configured: &[IpAddr], candidates: &[Candidate], net: &dyn Net) -> Ours {
    if !configured.is_empty() {
        return Ours::Known(configured.to_vec());
    }
    let tcp = candidates
        .iter()
        .filter_map(|candidate| match candidate.peer {
            Peer::Tcp(address) => Some(address),
            Peer::Unix(_) => None,
        });
    let mut to: Vec<SocketAddr> = tcp.collect();
    if to.is_empty() {
        to = ANYWHERE
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect();
    }
    let (mut known, mut private) = (Vec::new(), None);
    for address in to {
        let Ok(own) = net.source(address) else {
            continue;
        };
        // A neighbour in a private network sees the private address itself.
        if is_public(own) || !is_public(address.ip()) {
            if !known.contains(&own) {
                known.push(own);
            }
        } else {
            private = Some(own);
        }
    }
    match (known.is_empty(), private) {
        (false, _) => Ours::Known(known),
        (true, Some(own)) => Ours::Private(own),
        (true, None) => Ours::Unknown,
    }
}

/// The reverse name of each address of ours, and whether it leads back (RFC 1912 §2.1, RFC 8601
/// §2.7.3).
pub(crate) async fn check_ptr(ours: &Ours, resolver: &dyn Resolver) -> Vec<Finding> {
    match ours {
        Ours::Private(own) => {
            vec![Finding::new(Conclusion::OurAddressPrivate, own.to_string())]
        }
        Ours::Unknown => vec![Finding::new(Conclusion::OurAddressUnknown, "")],
        Ours::Known(addresses) => {
            let mut findings = Vec::new();
            for address in addresses {
                findings.push(ptr(*address, resolver).await);
            }
            findings
        }
    }
}

/// Names of one address that are looked up, at most (RFC 7208 §4.6.4 has the same bound).
const MAX_NAMES: usize = 10;

async fn ptr(address: IpAddr, resolver: &dyn Resolver) -> Finding {
    let mut asker = Asker::new(resolver);
    let subject = address.to_string();
    let records = match asker.ask(&reverse_name(address), RecordKind::Ptr).await {
        Ok(records) => records,
        Err(AskError::NoSuchName | AskError::NotAName { .. }) => Vec::new(),
        Err(AskError::Unanswered { .. }) => {
            return Finding::new(Conclusion::PtrUnanswered, subject).facts(asker.take());
        }
    };
    let names = records.into_iter().filter_map(|record| match record.data {
        RecordData::Ptr(name) => Some(name),
        _ => None,
    });
    let names: Vec<String> = names.take(MAX_NAMES).collect();
    if names.is_empty() {
        return Finding::new(Conclusion::PtrMissing, subject).facts(asker.take());
    }
    let mut unanswered = false;
    for name in &names {
        match asker.addresses(name).await {
            Ok(addresses) if addresses.contains(&address) => {
                let finding = Finding::new(Conclusion::PtrConfirmed, subject);
                return finding.object(name.as_str()).facts(asker.take());
            }
            Ok(_) | Err(AskError::NoSuchName | AskError::NotAName { .. }) => {}
            Err(AskError::Unanswered { .. }) => unanswered = true,
        }
    }
    let conclusion = match unanswered {
        true => Conclusion::PtrUnanswered,
        false => Conclusion::PtrLeadsElsewhere,
    };
    let finding = Finding::new(conclusion, subject);
    finding.object(names.join(", ")).facts(asker.take())
}

/// Whether the name that we give at EHLO leads to us (RFC 5321 §2.3.5, §4.1.4).
pub(crate) async fn check_helo(
    hostname: &str,
    ours: &Ours,
    resolver: &dyn Resolver,
) -> Vec<Finding> {
    if !hostname.contains('.') || hostname.parse::<IpAddr>().is_ok() {
        return vec![Finding::new(Conclusion::HeloNotAName, hostname)];
    }
    let mut asker = Asker::new(resolver);
    let found = match asker.addresses(hostname).await {
        Ok(found) => found,
        Err(AskError::NoSuchName | AskError::NotAName { .. }) => Vec::new(),
        Err(AskError::Unanswered { .. }) => {
            let finding = Finding::new(Conclusion::HeloUnanswered, hostname);
            return vec![finding.facts(asker.take())];
        }
    };
    let list = |addresses: &[IpAddr]| {
        let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        texts.join(", ")
    };
    let known = ours.known();
    let (conclusion, object) = if found.is_empty() {
        (Conclusion::HeloUnknown, None)
    } else if known.is_empty() {
        (Conclusion::HeloNotCompared, Some(list(&found)))
    } else if known.iter().any(|own| found.contains(own)) {
        (Conclusion::HeloResolves, Some(list(known)))
    } else {
        (Conclusion::HeloLeadsElsewhere, Some(list(&found)))
    };
    let mut finding = Finding::new(conclusion, hostname).facts(asker.take());
    finding.object = object;
    vec![finding]
}
