//! The servers of the route, all at once.

use diagnosis::finding::{Conclusion, Finding, Verdict};
use futures_util::future::join_all;
use routing::Candidate;
use world::Net;

use crate::demanded::Demanded;
use crate::route::Found;
use crate::settings::Settings;
use crate::visit::{Visit, Wish};

/// Talks to every address of the route at once.
pub(crate) async fn check(
    subject: &str,
    found: &Found,
    demanded: &Demanded,
    wish: Wish<'_>,
    settings: &Settings,
    net: &dyn Net,
) -> Vec<Finding> {
    let candidates = found.candidates.iter().take(settings.max_addresses);
    let visits = candidates.map(|to| {
        let encrypt = wish
            .encrypt
            .map(|trying| trying.with(demanded.of(&to.host)));
        let wish = Wish { encrypt, ..wish };
        visit(to, found, wish, settings, net).make()
    });
    let servers = join_all(visits).await;
    let reached = servers.iter().filter(|server| server.reached).count();
    let mut findings = Vec::new();
    for mut server in servers {
        if reached > 0 && !server.reached {
            // Another server takes the mail meanwhile.
            for finding in &mut server.findings {
                finding.verdict = finding.verdict.min(Verdict::Warning);
            }
        }
        findings.extend(server.findings);
    }
    if reached == 0 && !found.candidates.is_empty() {
        findings.insert(0, none_reached(subject, &findings));
    }
    findings
}

/// No server takes mail: the cause is what the first finding says, where all say the same.
fn none_reached(subject: &str, findings: &[Finding]) -> Finding {
    let finding = Finding::new(Conclusion::NoServerReached, subject);
    let finding = finding.object(findings.len().to_string());
    let mut bearings = findings.iter().filter_map(|f| f.bearing);
    match bearings.next() {
        Some(first) if bearings.all(|other| other == first) => finding.bearing(first),
        _ => finding,
    }
}

fn visit<'a>(
    to: &'a Candidate,
    found: &Found,
    wish: Wish<'a>,
    settings: &'a Settings,
    net: &'a dyn Net,
) -> Visit<'a> {
    let peer = to.peer.to_string();
    Visit {
        host: &to.host,
        peer: &to.peer,
        subject: match to.host == peer {
            true => peer,
            false => format!("{} [{}]", to.host, to.peer),
        },
        lmtp: found.lmtp,
        implicit: found.implicit,
        wish,
        settings,
        net,
    }
}
