//! The route of an address, step by step, as the relay itself would go.

use diagnosis::facts::{NoRoute, RouteStep};
use diagnosis::finding::{Conclusion, Fact, Finding};
use dns::Resolver;
use queue::route::{NextHop, Routes, Target};
use routing::{Candidate, Own, Way};
use world::Random;

/// Where the way leads, for the checks that go on from there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) lmtp: bool,
}

/// Follows the route of `target`, for mail to `domain`. A domain whose DNS is the trouble is left to
/// the check of the DNS, which can say more.
pub(crate) async fn check(
    domain: Option<&str>,
    target: &Target,
    routes: &Routes,
    own: Own<'_>,
    resolver: &dyn Resolver,
    random: &dyn Random,
) -> (Found, Vec<Finding>) {
    let subject = domain.map_or_else(|| target.key().to_string(), str::to_owned);
    let configured = domain.and_then(|domain| routes.matching(domain));
    let mut facts = vec![Fact::Route(RouteStep::Configured {
        pattern: configured.map(|(pattern, _)| pattern.to_owned()),
        next_hop: configured.map_or(NextHop::Mx.to_string(), |(_, hop)| hop.to_string()),
    })];
    let walk = routing::walk(target, own, resolver, random).await;
    facts.extend(walk.steps.into_iter().map(Fact::Route));
    match walk.way {
        Ok(Way::Servers {
            candidates, lmtp, ..
        }) => {
            let finding = Finding::new(Conclusion::RouteFound, subject);
            let finding = finding.object(candidates.len().to_string()).facts(facts);
            (Found { candidates, lmtp }, vec![finding])
        }
        Ok(Way::Maildir { path, .. }) => {
            let finding = Finding::new(Conclusion::RouteToMaildir, subject);
            let finding = finding.object(path.display().to_string()).facts(facts);
            (Found::default(), vec![finding])
        }
        Err(no_route) => {
            let finding = without(&no_route, &subject, target).map(|finding| finding.facts(facts));
            (Found::default(), finding.into_iter().collect())
        }
    }
}

fn without(no_route: &NoRoute, subject: &str, target: &Target) -> Option<Finding> {
    let configured = matches!(target, Target::Hop(_));
    match no_route {
        NoRoute::NoDomain { .. } => Some(Finding::new(Conclusion::RouteMissing, subject)),
        NoRoute::LoopsToUs { exchanger, .. } => {
            let finding = Finding::new(Conclusion::RouteToSelf, subject);
            Some(finding.object(exchanger.as_str()))
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
