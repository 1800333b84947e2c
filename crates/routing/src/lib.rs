//! From a destination to the hosts to try, in order, with every step of the way written down.
//!
//! This is the one walk: `delivery` follows it, and `checks` shows its steps.

mod signed;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use diagnosis::facts::{NoRoute, Route, RouteHost, RouteStep};
use dns::{DnsError, Exchangers, HostAnswer, Mx, Resolver};
use queue::route::{Command, HostPort, NextHop, Target};
use world::{Peer, Random};

pub use signed::{Published, Signed};

/// A place to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Host name, for people.
    pub host: String,
    /// Where it is.
    pub peer: Peer,
    /// Which are as good as it: those of the same number. The least comes first.
    pub tier: usize,
    /// What the signed DNS says about it.
    pub signed: Signed,
}

/// What a destination leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Servers, best first.
    Servers {
        /// For the record.
        route: Route,
        /// The places to connect to.
        candidates: Vec<Candidate>,
        /// Whether they speak LMTP.
        lmtp: bool,
    },
    /// A Maildir on this machine.
    Maildir {
        /// For the record.
        route: Route,
        /// The Maildir.
        path: PathBuf,
    },
    /// A program on this machine.
    Program {
        /// For the record.
        route: Route,
        /// The program and what it is given.
        command: Command,
    },
}

/// What of ourselves the way depends on.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// The name by which we know ourselves among mail exchangers.
    pub hostname: &'a str,
    /// The port of mail exchangers found in the DNS.
    pub smtp_port: u16,
}

/// The way, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// What was found, in order.
    pub steps: Vec<RouteStep>,
    /// Where it leads.
    pub way: Result<Way, NoRoute>,
}

/// Exchangers of one domain that are looked up, at most: a bound on what a domain can make us do.
const MAX_EXCHANGERS: usize = 20;

/// Finds the way to a target.
pub async fn resolve(
    target: &Target,
    own: Own<'_>,
    resolver: &dyn Resolver,
    random: &dyn Random,
) -> Result<Way, NoRoute> {
    walk(target, own, resolver, random).await.way
}

/// Finds the way to a target and tells each step.
pub async fn walk(
    target: &Target,
    own: Own<'_>,
    resolver: &dyn Resolver,
    random: &dyn Random,
) -> Walk {
    let mut walker = Walker {
        own,
        resolver,
        random,
        steps: Vec::new(),
    };
    let way = walker.way(target).await;
    Walk {
        steps: walker.steps,
        way,
    }
}

struct Walker<'a> {
    own: Own<'a>,
    resolver: &'a dyn Resolver,
    random: &'a dyn Random,
    steps: Vec<RouteStep>,
}

struct Found {
    name: String,
    preference: Option<u16>,
    addresses: Vec<SocketAddr>,
    signed: Signed,
}

impl Found {
    fn route_host(&self) -> RouteHost {
        RouteHost {
            name: self.name.clone(),
            preference: self.preference,
            addresses: self.addresses.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Walker<'_> {
    async fn way(&mut self, target: &Target) -> Result<Way, NoRoute> {
        let destination = target.key().to_string();
        match target {
            Target::Domain(domain) => {
                let hosts = self.exchangers(domain).await?;
                Ok(servers(destination, &hosts, false))
            }
            Target::Hop(NextHop::Smtp(to) | NextHop::Smtps(to)) => {
                let host = self.configured(to).await?;
                Ok(servers(destination, &[host], false))
            }
            Target::Hop(NextHop::Lmtp(to)) => {
                let host = self.configured(to).await?;
                Ok(servers(destination, &[host], true))
            }
            Target::Hop(NextHop::LmtpUnix(path)) => Ok(socket(destination, path.clone())),
            Target::Hop(NextHop::Maildir(path)) => Ok(Way::Maildir {
                route: Route {
                    destination,
                    hosts: Vec::new(),
                },
                path: path.clone(),
            }),
            Target::Hop(NextHop::Pipe(command)) => Ok(Way::Program {
                route: Route {
                    destination,
                    hosts: Vec::new(),
                },
                command: command.clone(),
            }),
            Target::Hop(NextHop::Mx | NextHop::Nowhere) | Target::Bounces | Target::Nowhere => {
                Err(NoRoute::NoDomain {
                    address: String::new(),
                })
            }
        }
    }

    /// RFC 5321 §5.1: MX records in order of preference, equal ones in random order; without MX the
    /// domain's own addresses; a null MX (RFC 7505) ends it; our own name cuts the list.
    async fn exchangers(&mut self, domain: &str) -> Result<Vec<Found>, NoRoute> {
        if let Some(address) = literal(domain) {
            let host = Found {
                name: domain.to_owned(),
                preference: None,
                addresses: vec![SocketAddr::new(address, self.own.smtp_port)],
                signed: Signed::default(),
            };
            self.steps.push(RouteStep::Literal {
                address: address.to_string(),
            });
            self.steps.push(RouteStep::Host(host.route_host()));
            return Ok(vec![host]);
        }
        let answer = self.resolver.exchangers(domain).await;
        let Exchangers {
            mx: mut records,
            authentic,
        } = answer.map_err(|error| no_answer(domain, error))?;
        if records.iter().any(Mx::is_null) {
            // RFC 7505 §3: a null MX stands alone; beside real ones it is a mistake that is passed over.
            records.retain(|mx| !mx.is_null());
            self.steps.push(RouteStep::NullMx {
                domain: domain.to_owned(),
                alone: records.is_empty(),
            });
            if records.is_empty() {
                return Err(NoRoute::NullMx {
                    domain: domain.to_owned(),
                });
            }
        }
        let implicit = records.is_empty();
        if implicit {
            self.steps.push(RouteStep::ImplicitExchanger {
                domain: domain.to_owned(),
            });
            records.push(Mx {
                preference: 0,
                exchange: domain.to_owned(),
            });
        } else {
            let mut records: Vec<(u16, String)> = records
                .iter()
                .map(|mx| (mx.preference, mx.exchange.clone()))
                .collect();
            records.sort();
            self.steps.push(RouteStep::Exchangers {
                domain: domain.to_owned(),
                records,
            });
        }
        let random = self.random;
        let mut records: Vec<(Mx, f64)> =
            records.into_iter().map(|mx| (mx, random.unit())).collect();
        records.sort_by(|(a, x), (b, y)| a.preference.cmp(&b.preference).then(x.total_cmp(y)));
        let mut exchangers: Vec<Mx> = records.into_iter().map(|(mx, _)| mx).collect();
        self.before_us(domain, &mut exchangers)?;
        exchangers.truncate(MAX_EXCHANGERS);
        let by = (!implicit).then_some(authentic);
        self.addresses_of(domain, &exchangers, by).await
    }

    /// RFC 5321 §5.1: what is not better than ourselves would loop.
    fn before_us(&mut self, domain: &str, exchangers: &mut Vec<Mx>) -> Result<(), NoRoute> {
        // RFC 6761 §6.3: `localhost` is whoever asks, and so it is us.
        let ours = |mx: &&Mx| {
            let name = mx.exchange.as_str();
            name.eq_ignore_ascii_case(self.own.hostname) || name.eq_ignore_ascii_case("localhost")
        };
        let Some(us) = exchangers.iter().find(ours).cloned() else {
            return Ok(());
        };
        exchangers.retain(|mx| mx.preference < us.preference);
        self.steps.push(RouteStep::Ourselves {
            exchanger: us.exchange.clone(),
            preference: us.preference,
            left: exchangers.len() as u64,
        });
        if exchangers.is_empty() {
            return Err(NoRoute::LoopsToUs {
                domain: domain.to_owned(),
                exchanger: us.exchange,
            });
        }
        Ok(())
    }

    /// `by`: whether the MX records are authentic; `None`: there are none.
    async fn addresses_of(
        &mut self,
        domain: &str,
        exchangers: &[Mx],
        by: Option<bool>,
    ) -> Result<Vec<Found>, NoRoute> {
        let mut hosts = Vec::new();
        let mut trouble = None;
        for mx in exchangers {
            let name = mx.exchange.clone();
            // RFC 5321 §5.1: the record names a host. An address there is looked up nowhere.
            if name.parse::<IpAddr>().is_ok() {
                self.steps.push(RouteStep::HostUnknown { name });
                continue;
            }
            match self.resolver.host(&mx.exchange).await {
                Ok(answer) if answer.addresses.is_empty() => {
                    self.steps.push(RouteStep::NoAddress { name });
                }
                Ok(answer) => {
                    let host = Found {
                        name,
                        preference: by.map(|_| mx.preference),
                        signed: Signed::of(by, answer.tlsa_bases),
                        addresses: answer
                            .addresses
                            .into_iter()
                            .map(|a| SocketAddr::new(a, self.own.smtp_port))
                            .collect(),
                    };
                    self.steps.push(RouteStep::Host(host.route_host()));
                    hosts.push(host);
                }
                Err(error @ DnsError::Temporary { .. }) => {
                    self.steps.push(RouteStep::HostUnanswered { name });
                    trouble = Some(error);
                }
                Err(DnsError::NoSuchName { .. } | DnsError::NotAName { .. }) => {
                    self.steps.push(RouteStep::HostUnknown { name });
                }
            }
        }
        match (hosts.is_empty(), trouble) {
            (false, _) => Ok(hosts),
            (true, Some(error)) => Err(no_answer(domain, error)),
            (true, None) => {
                let named = if by.is_none() { &[] } else { exchangers };
                let exchangers = named.iter().map(|mx| mx.exchange.clone()).collect();
                Err(NoRoute::NoAddress {
                    domain: domain.to_owned(),
                    exchangers,
                })
            }
        }
    }

    async fn configured(&mut self, to: &HostPort) -> Result<Found, NoRoute> {
        let answer = match to.host.parse::<IpAddr>() {
            Ok(address) => HostAnswer {
                addresses: vec![address],
                tlsa_bases: Vec::new(),
            },
            Err(_) => self.resolver.host(&to.host).await.map_err(|error| {
                match no_answer(&to.host, error) {
                    trouble @ NoRoute::DnsTemporary { .. } => trouble,
                    _ => NoRoute::NoSuchHop {
                        host: to.host.clone(),
                    },
                }
            })?,
        };
        let addresses = answer.addresses;
        if addresses.is_empty() {
            let name = to.host.clone();
            self.steps.push(RouteStep::NoAddress { name });
            return Err(NoRoute::NoSuchHop {
                host: to.host.clone(),
            });
        }
        let host = Found {
            name: to.host.clone(),
            preference: None,
            addresses: addresses
                .into_iter()
                .map(|a| SocketAddr::new(a, to.port))
                .collect(),
            signed: Signed {
                named: true,
                tlsa_bases: answer.tlsa_bases,
            },
        };
        self.steps.push(RouteStep::Host(host.route_host()));
        Ok(host)
    }
}

fn servers(destination: String, found: &[Found], lmtp: bool) -> Way {
    let mut preferences: Vec<Option<u16>> = found.iter().map(|host| host.preference).collect();
    preferences.sort_unstable();
    preferences.dedup();
    let tier = |preference| preferences.binary_search(preference).unwrap_or_default();
    let candidates = found.iter().flat_map(|host| {
        let tier = tier(&host.preference);
        host.addresses.iter().map(move |address| Candidate {
            host: host.name.clone(),
            peer: Peer::Tcp(*address),
            tier,
            signed: host.signed.clone(),
        })
    });
    Way::Servers {
        candidates: candidates.collect(),
        route: Route {
            destination,
            hosts: found.iter().map(Found::route_host).collect(),
        },
        lmtp,
    }
}

fn socket(destination: String, path: PathBuf) -> Way {
    let name = path.display().to_string();
    let host = RouteHost {
        name: name.clone(),
        preference: None,
        addresses: vec![name.clone()],
    };
    Way::Servers {
        route: Route {
            destination,
            hosts: vec![host],
        },
        candidates: vec![Candidate {
            host: name,
            peer: Peer::Unix(path),
            tier: 0,
            signed: Signed::default(),
        }],
        lmtp: true,
    }
}

/// RFC 5321 §4.1.3: `[192.0.2.1]` and `[IPv6:2001:db8::1]`.
#[must_use]
pub fn literal(domain: &str) -> Option<IpAddr> {
    let inner = domain.strip_prefix('[')?.strip_suffix(']')?;
    match inner.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("ipv6:") => inner[5..].parse().ok().map(IpAddr::V6),
        _ => inner.parse().ok().map(IpAddr::V4),
    }
}

fn no_answer(domain: &str, error: DnsError) -> NoRoute {
    match error {
        DnsError::NoSuchName { name } => NoRoute::NoSuchDomain { domain: name },
        DnsError::Temporary { question, reported } => NoRoute::DnsTemporary { question, reported },
        DnsError::NotAName { .. } => NoRoute::NoSuchDomain {
            domain: domain.to_owned(),
        },
    }
}
