//! The route of an address, step by step, as the relay itself would go.

use diagnosis::facts::{NoRoute, RouteStep};
use diagnosis::finding::{Conclusion, Fact, Finding};
use dns::Resolver;
use queue::route::{Lead, Matched, NextHop, Target, Ways};
use routing::{Candidate, Own, Way};
use world::Random;

/// Where the way leads, for the checks that go on from there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) lmtp: bool,
    /// TLS begins with the first byte.
    pub(crate) implicit: bool,
}

/// Follows the route of `target`, for mail to `domain`. A domain whose DNS is the trouble is left to
/// the check of the DNS, which can say more.
pub(crate) async fn check(
    domain: Option<&str>,
    lead: &Lead,
    ways: &Ways,
    own: Own<'_>,
    resolver: &dyn Resolver,
    random: &dyn Random,
) -> (Found, Vec<Finding>) {
    let target = &lead.target;
    let subject = domain.map_or_else(|| lead.key().to_string(), str::to_owned);
    let mut facts = vec![Fact::Route(RouteStep::Configured {
        pattern: match &lead.matched {
            Matched::Rule { place, names } if names.is_empty() => {
                Some(format!("[[route]] {place}"))
            }
            Matched::Rule { place, names } => Some(format!("[[route]] {place}: {names}")),
            Matched::Domain(domain) => Some(domain.clone()),
            Matched::Default => None,
        },
        next_hop: target.hop().to_string(),
    })];
    facts.extend(who(ways).map(Fact::Route));
    let walk = routing::walk(target, own, resolver, random).await;
    facts.extend(walk.steps.into_iter().map(Fact::Route));
    match walk.way {
        Ok(Way::Servers {
            candidates, lmtp, ..
        }) => {
            let finding = Finding::new(Conclusion::RouteFound, subject);
            let finding = finding.object(candidates.len().to_string()).facts(facts);
            let found = Found {
                candidates,
                lmtp,
                implicit: matches!(target, Target::Hop(NextHop::Smtps(_))),
            };
            (found, vec![finding])
        }
        Ok(Way::Maildir { path, .. }) => {
            let finding = Finding::new(Conclusion::RouteToMaildir, subject);
            let finding = finding.object(path.display().to_string()).facts(facts);
            (Found::default(), vec![finding])
        }
        Ok(Way::Program { command, .. }) => {
            let finding = Finding::new(Conclusion::RouteToProgram, subject);
            let finding = finding.object(command.to_string()).facts(facts);
            (Found::default(), vec![finding])
        }
        Err(no_route) => {
            let finding = without(&no_route, &subject, target).map(|finding| finding.facts(facts));
            (Found::default(), finding.into_iter().collect())
        }
    }
}

/// Who we are there, where the route says so.
fn who(ways: &Ways) -> Option<RouteStep> {
    let addresses = ways.identity.source.iter();
    let step = RouteStep::As {
        user: ways.login.as_ref().map(|login| login.user.clone()),
        helo: ways.identity.helo.clone(),
        source: addresses.map(ToString::to_string).collect(),
    };
    (*ways != Ways::default()).then_some(step)
}

fn without(no_route: &NoRoute, subject: &str, target: &Target) -> Option<Finding> {
    let configured = matches!(target, Target::Hop(_));
    match no_route {
        NoRoute::NoDomain { .. } => Some(Finding::new(Conclusion::RouteMissing, subject)),
        NoRoute::LoopsToUs { exchanger, .. } => {
            let finding = Finding::new(Conclusion::RouteToSelf, subject);
            Some(finding.object(exchanger.as_str()))
        }
        NoRoute::NoSuchHop { .. } => {
            let finding = Finding::new(Conclusion::RouteHostUnknown, subject);
            Some(finding.object(target.key().to_string()))
        }
        NoRoute::NoSuchDomain { .. } | NoRoute::NoAddress { .. } | NoRoute::DnsTemporary { .. }
            if configured =>
        {
            let finding = Finding::new(Conclusion::RouteHostUnknown, subject);
            Some(finding.object(target.key().to_string()))
        }
        NoRoute::NoSuchDomain { .. }
        | NoRoute::NullMx { .. }
        | NoRoute::NoAddress { .. }
        | NoRoute::DnsTemporary { .. } => None,
    }
}
