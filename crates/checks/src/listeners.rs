//! Our own listeners, where a domain is ours: whether those who send to us get encryption, and what our
//! certificate is worth to them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use diagnosis::finding::{Conclusion, Finding, Verdict};
use diagnosis::{Check, Remedy};
use dns::Resolver;
use world::{Net, Peer};

use crate::secure::Trying;
use crate::settings::{OwnListener, Settings};
use crate::visit::{Visit, Wish};

/// Names under which our listeners are looked at, at most.
const NAMES: usize = 5;

/// Looks at each listener under each name by which others come to it.
pub(crate) async fn check(
    domain: &str,
    trying: Trying<'_>,
    settings: &Settings,
    resolver: &dyn Resolver,
    net: &dyn Net,
) -> Vec<Finding> {
    let mut names = exchangers(domain, resolver).await;
    if names.is_empty() {
        names.push(settings.hostname.clone());
    }
    let own = [settings.hostname.clone()];
    let mut findings = Vec::new();
    for listener in &settings.own_listeners {
        let names = match listener.for_servers {
            true => &names[..],
            false => &own[..],
        };
        for name in names.iter().take(NAMES) {
            findings.extend(one(listener, name, trying, settings, net).await);
        }
    }
    findings
}

/// The names by which others come to us: those of the MX records.
async fn exchangers(domain: &str, resolver: &dyn Resolver) -> Vec<String> {
    let records = resolver.mx(domain).await.unwrap_or_default();
    let names = records.iter().filter(|mx| !mx.is_null());
    let plain = |name: &str| name.trim_end_matches('.').to_lowercase();
    names.map(|mx| plain(&mx.exchange)).collect()
}

async fn one(
    listener: &OwnListener,
    name: &str,
    trying: Trying<'_>,
    settings: &Settings,
    net: &dyn Net,
) -> Vec<Finding> {
    let peer = Peer::Tcp(reachable(listener.address));
    let visit = Visit {
        host: name,
        peer: &peer,
        subject: format!("{name} [{peer}, ours]"),
        lmtp: false,
        implicit: listener.implicit,
        wish: Wish {
            encrypt: Some(trying),
            ..Wish::default()
        },
        settings,
        net,
    };
    let visited = visit.make().await;
    let ours = visited.findings.into_iter().filter(|finding| {
        !visited.reached
            || finding.check == Check::StartTls
            || finding.conclusion == Conclusion::TlsNotAnnounced
    });
    ours.map(of_ours).collect()
}

/// What is wrong is ours to mend, and speaks for no failure of somebody else's.
fn of_ours(mut finding: Finding) -> Finding {
    finding.bearing = None;
    finding.check = Check::StartTls;
    finding.verdict = finding.verdict.min(Verdict::Warning);
    finding.remedies = match finding.conclusion {
        Conclusion::CertificateExpired
        | Conclusion::CertificateEndsSoon
        | Conclusion::CertificateNotYetValid
        | Conclusion::CertificateOtherName
        | Conclusion::CertificateSelfSigned
        | Conclusion::CertificateUnknownIssuer
        | Conclusion::CertificateUnusable => vec![Remedy::RenewCertificate],
        _ if finding.verdict > Verdict::Fine => vec![Remedy::MendOurConfiguration],
        _ => Vec::new(),
    };
    finding
}

/// Where a listener is reached from this machine.
fn reachable(on: SocketAddr) -> SocketAddr {
    let address = match on.ip() {
        IpAddr::V4(v4) if v4.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(v6) if v6.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    };
    SocketAddr::new(address, on.port())
}
