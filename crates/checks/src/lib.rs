//! Live verification: what can be looked at from here, each as a [`Finding`] with its evidence.
//!
//! One module for each group of checks. All questions go through `dns`' resolver trait and all
//! connections through `world`, so that a simulation covers every branch. Nothing here decides about
//! mail; nothing is sent but, where a person asks for it, MAIL and RCPT without content.

mod announced;
mod asker;
mod cache;
mod demanded;
mod dkim;
mod dmarc;
mod domain;
mod identity;
mod judged;
mod large;
mod line;
mod listeners;
mod lists;
mod message;
mod ours;
mod published;
mod request;
mod route;
mod secure;
mod server;
mod settings;
mod tags;
mod visit;

use std::future::Future;
use std::sync::Arc;

use diagnosis::Check;
use diagnosis::finding::{Conclusion, Finding};
use dns::Resolver;
use queue::route::{Asked, Lead, Target};
use routing::Own;
use smtp::Address;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use world::World;

pub use line::compare_destinations;
pub use message::{check_concurrency, check_history, check_trail};
pub use request::{Request, Sender, Subject};
pub use settings::{BlockList, Demand, Demands, Listed, OwnListener, Settings};

use cache::{Cache, Rate};
use demanded::Demanded;
use secure::Trying;
use visit::Wish;

/// Looks at things.
pub struct Checker {
    world: World,
    resolver: Arc<dyn Resolver>,
    settings: Settings,
    cache: Cache,
    rate: Rate,
    room: Semaphore,
}

/// Whose mail it would be: what routes may go by.
struct From<'a> {
    sender: Option<&'a Sender>,
    header: &'a [(String, String)],
}

/// Checks that run at one time for [`Checker::verify`].
const AT_ONCE: usize = 4;

impl Checker {
    /// A checker that sees the world through these.
    #[must_use]
    pub fn new(world: World, resolver: Arc<dyn Resolver>, settings: Settings) -> Checker {
        Checker {
            cache: Cache::new(settings.keep),
            rate: Rate::new(settings.per_minute),
            room: Semaphore::new(AT_ONCE),
            world,
            resolver,
            settings,
        }
    }

    /// Looks at everything, for a person who asks: nothing is taken from memory.
    pub async fn examine(&self, request: &Request) -> Vec<Finding> {
        let mut findings = vec![line::check_resolver(&*self.resolver).await];
        if findings
            .iter()
            .any(|f| f.conclusion == Conclusion::LineDown)
        {
            // Every further question would wait for the same silence.
            return findings;
        }
        let from = From {
            sender: request.sender.as_ref(),
            header: &request.header,
        };
        let (found, of_route) = self.route(&request.subject, &from).await;
        findings.extend(of_route);
        let (demanded, late) = self.demanded(&request.subject, &from, &found).await;
        findings.extend(late);
        if let Some(domain) = &request.subject.domain
            && self.by_dns(&request.subject, &from)
        {
            let check = domain::check(domain, &*self.resolver);
            findings.extend(self.bounded(Check::DnsOfDomain, domain, check).await);
            findings.extend(published::findings(domain, &demanded, &*self.resolver));
        }
        findings.extend(self.servers(request, &found, &demanded).await);
        findings.extend(self.listeners(&request.subject).await);
        let ours = ours::addresses(
            &self.settings.our_addresses,
            &found.candidates,
            &*self.world.net,
        );
        findings.extend(self.ourselves(&ours).await);
        findings.extend(self.standing(request.sender.as_ref(), &ours).await);
        findings
    }

    /// Makes one check for the relay: from memory where that is still good, and only as often as
    /// the settings allow; `None`: not now.
    pub async fn verify(
        &self,
        check: Check,
        subject: &Subject,
        sender: Option<&Sender>,
    ) -> Option<Arc<[Finding]>> {
        let about = match (check, sender) {
            (Check::SenderIdentity | Check::BlockLists, Some(sender)) => sender.domain.clone(),
            _ => subject.domain.clone().unwrap_or_default(),
        };
        if let Some(known) = self.cache.get(check, &about) {
            return Some(known);
        }
        let _place = self.room.try_acquire().ok()?;
        if !self.rate.take() {
            return None;
        }
        let made = self.one(check, subject, sender);
        let findings: Arc<[Finding]> = self.bounded(check, &about, made).await.into();
        self.cache.put(check, &about, &findings);
        Some(findings)
    }

    async fn one(&self, check: Check, subject: &Subject, sender: Option<&Sender>) -> Vec<Finding> {
        let resolver = &*self.resolver;
        let net = &*self.world.net;
        let from = From {
            sender,
            header: &[],
        };
        match check {
            Check::DnsOfDomain => match &subject.domain {
                Some(domain) => {
                    let mut findings = domain::check(domain, resolver).await;
                    if self.by_dns(subject, &from) {
                        let (found, _) = self.route(subject, &from).await;
                        let (demanded, late) = self.demanded(subject, &from, &found).await;
                        findings.extend(late);
                        findings.extend(published::findings(domain, &demanded, resolver));
                    }
                    findings
                }
                None => Vec::new(),
            },
            Check::OwnRoutes => {
                let mut findings = vec![line::check_resolver(resolver).await];
                findings.extend(self.route(subject, &from).await.1);
                findings
            }
            Check::TcpAndBanner
            | Check::SizeAnnounced
            | Check::ExtensionsAnnounced
            | Check::LimitsAnnounced
            | Check::StartTls
            | Check::PathMtu => {
                let (found, _) = self.route(subject, &from).await;
                let name = subject.domain.clone().unwrap_or_default();
                let wish = Wish {
                    encrypt: self
                        .trying(subject, &from)
                        .filter(|_| check == Check::StartTls),
                    large: check == Check::PathMtu,
                    ..Wish::default()
                };
                let demanded = match check {
                    Check::StartTls => self.demanded(subject, &from, &found).await.0,
                    _ => Demanded::default(),
                };
                let settings = &self.settings;
                let all = server::check(&name, &found, &demanded, wish, settings, net).await;
                about(check, all)
            }
            Check::OurPtr | Check::OurHelo | Check::BlockLists | Check::SenderIdentity => {
                let (found, _) = self.route(subject, &from).await;
                let own = &self.settings.our_addresses;
                let ours = ours::addresses(own, &found.candidates, net);
                let helo = &self.settings.hostname;
                match (check, sender) {
                    (Check::OurPtr, _) => ours::check_ptr(&ours, resolver).await,
                    (Check::OurHelo, _) => ours::check_helo(helo, &ours, resolver).await,
                    (Check::BlockLists, _) => {
                        let domain = sender.map(|sender| sender.domain.as_str());
                        lists::check(&ours, domain, &self.settings.block_lists, resolver).await
                    }
                    (_, Some(sender)) => identity::check(sender, &ours, helo, resolver).await,
                    (_, None) => Vec::new(),
                }
            }
            Check::OwnFilter => vec![self.own_filter("")],
            // These look into the queue: `check_history`, `check_trail`, `check_concurrency`.
            Check::AttemptHistory | Check::ReceivedTrail | Check::OwnConcurrency => Vec::new(),
        }
    }

    /// Whether a filter of ours may have stopped a message.
    #[must_use]
    pub fn own_filter(&self, subject: &str) -> Finding {
        match &self.settings.own_filters[..] {
            [] => Finding::new(Conclusion::NoOwnFilter, subject),
            filters => Finding::new(Conclusion::OwnFilters, subject).object(filters.join(", ")),
        }
    }

    fn lead(&self, subject: &Subject, from: &From<'_>) -> Lead {
        let domain = subject.domain.as_deref();
        let postmaster = || {
            let text = format!("postmaster@{}", domain.unwrap_or_default());
            Address::parse(&text, true).unwrap_or_else(|_| Address::null())
        };
        let address = subject.address.clone().unwrap_or_else(postmaster);
        let sender = from.sender.filter(|sender| sender.named);
        let sender = sender.and_then(Sender::address);
        self.settings.routes.lead(&Asked {
            recipient: &address,
            sender: sender.as_ref(),
            header: from.header,
        })
    }

    /// Whether the mail goes where the DNS says, and not where we say.
    fn by_dns(&self, subject: &Subject, from: &From<'_>) -> bool {
        matches!(self.lead(subject, from).target, Target::Domain(_))
    }

    async fn route(&self, subject: &Subject, from: &From<'_>) -> (route::Found, Vec<Finding>) {
        let own = Own {
            hostname: &self.settings.hostname,
            smtp_port: self.settings.smtp_port,
        };
        let domain = subject.domain.as_deref();
        let (lead, routes) = (self.lead(subject, from), &self.settings.routes);
        let ways = routes.ways(&lead.key());
        let (resolver, random) = (&*self.resolver, &*self.world.random);
        let walk = route::check(domain, &lead, &ways, own, resolver, random);
        match timeout(self.settings.budget, walk).await {
            Ok(found) => found,
            Err(_) => {
                let name = domain.unwrap_or_default();
                let late = out_of_time(Check::OwnRoutes, name);
                (route::Found::default(), vec![late])
            }
        }
    }

    /// What the recipients' side demands of the servers.
    async fn demanded(
        &self,
        subject: &Subject,
        from: &From<'_>,
        found: &route::Found,
    ) -> (Demanded, Option<Finding>) {
        let (target, resolver) = (self.lead(subject, from).target, &*self.resolver);
        let look = Demanded::look(&target, &found.candidates, &self.settings, resolver);
        match timeout(self.settings.budget, look).await {
            Ok(demanded) => (demanded, None),
            Err(_) => {
                let name = subject.domain.as_deref().unwrap_or_default();
                (
                    Demanded::default(),
                    Some(out_of_time(Check::DnsOfDomain, name)),
                )
            }
        }
    }

    async fn servers(
        &self,
        request: &Request,
        found: &route::Found,
        demanded: &Demanded,
    ) -> Vec<Finding> {
        let from = From {
            sender: request.sender.as_ref(),
            header: &request.header,
        };
        let wish = Wish {
            encrypt: self.trying(&request.subject, &from),
            large: true,
            probe: request.subject.address.as_ref().filter(|_| request.probe),
            message_size: request.message_size,
        };
        let name = request.subject.domain.clone().unwrap_or_default();
        let net = &*self.world.net;
        let check = server::check(&name, found, demanded, wish, &self.settings, net);
        self.bounded(Check::TcpAndBanner, &name, check).await
    }

    /// Our own listeners, where the domain is ours.
    async fn listeners(&self, subject: &Subject) -> Vec<Finding> {
        let domain = subject.domain.as_deref().unwrap_or_default();
        let nobody = From {
            sender: None,
            header: &[],
        };
        let Some(trying) = self.trying(subject, &nobody) else {
            return Vec::new();
        };
        if !self.settings.own_domains.contains(&domain.to_lowercase()) {
            return Vec::new();
        }
        let (resolver, net) = (&*self.resolver, &*self.world.net);
        let check = listeners::check(domain, trying, &self.settings, resolver, net);
        self.bounded(Check::StartTls, domain, check).await
    }

    fn trying(&self, subject: &Subject, from: &From<'_>) -> Option<Trying<'_>> {
        Some(Trying {
            connector: self.settings.connector.as_ref()?,
            now: self.world.clock.now(),
            demand: self.settings.demands.of(&self.lead(subject, from).target),
            of: None,
        })
    }

    async fn ourselves(&self, ours: &ours::Ours) -> Vec<Finding> {
        let (resolver, helo) = (&*self.resolver, self.settings.hostname.as_str());
        let ptr = ours::check_ptr(ours, resolver);
        let mut findings = self.bounded(Check::OurPtr, "", ptr).await;
        let check = ours::check_helo(helo, ours, resolver);
        findings.extend(self.bounded(Check::OurHelo, helo, check).await);
        findings
    }

    async fn standing(&self, sender: Option<&Sender>, ours: &ours::Ours) -> Vec<Finding> {
        let (resolver, helo) = (&*self.resolver, self.settings.hostname.as_str());
        let mut findings = Vec::new();
        if let Some(sender) = sender {
            let check = identity::check(sender, ours, helo, resolver);
            let made = self.bounded(Check::SenderIdentity, &sender.domain, check);
            findings.extend(made.await);
        }
        let domain = sender.map(|sender| sender.domain.as_str());
        let check = lists::check(ours, domain, &self.settings.block_lists, resolver);
        findings.extend(self.bounded(Check::BlockLists, "", check).await);
        findings
    }

    /// A check within its time.
    async fn bounded(
        &self,
        check: Check,
        subject: &str,
        made: impl Future<Output = Vec<Finding>>,
    ) -> Vec<Finding> {
        match timeout(self.settings.budget, made).await {
            Ok(findings) => findings,
            Err(_) => vec![out_of_time(check, subject)],
        }
    }
}

/// What belongs to a check of encryption or sizes alone; all of it where the servers were not reached.
fn about(check: Check, all: Vec<Finding>) -> Vec<Finding> {
    let own = |finding: &Finding| {
        finding.check == check
            || check == Check::StartTls && finding.conclusion == Conclusion::TlsNotAnnounced
    };
    match check {
        Check::StartTls | Check::PathMtu if all.iter().any(own) => {
            all.into_iter().filter(own).collect()
        }
        _ => all,
    }
}

fn out_of_time(check: Check, subject: &str) -> Finding {
    let mut finding = Finding::new(Conclusion::OutOfTime, subject).object(check.id());
    finding.check = check;
    finding
}
