//! From a destination to the hosts to try, in order.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use diagnosis::facts::{NoRoute, Route, RouteHost};
use dns::{DnsError, Mx, Resolver};
use queue::route::{HostPort, NextHop, Target};
use world::{Peer, Random};

use crate::Settings;

/// A place to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Host name, for people.
    pub(crate) host: String,
    /// Where it is.
    pub(crate) peer: Peer,
}

/// What a destination leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Servers, best first.
    Servers {
        route: Route,
        candidates: Vec<Candidate>,
        lmtp: bool,
    },
    /// A Maildir on this machine.
    Maildir { route: Route, path: PathBuf },
}

/// Exchangers of one domain that are looked up, at most: a bound on what a domain can make us do.
const MAX_EXCHANGERS: usize = 20;

/// Finds the way to a target.
pub(crate) async fn resolve(
    target: &Target,
    settings: &Settings,
    resolver: &dyn Resolver,
    random: &dyn Random,
) -> Result<Way, NoRoute> {
    let destination = target.key().to_string();
    match target {
        Target::Domain(domain) => {
            let hosts = exchangers(domain, settings, resolver, random).await?;
            Ok(servers(destination, hosts, false))
        }
        Target::Hop(NextHop::Smtp(to)) => Ok(servers(
            destination,
            vec![configured(to, resolver).await?],
            false,
        )),
        Target::Hop(NextHop::Lmtp(to)) => Ok(servers(
            destination,
            vec![configured(to, resolver).await?],
            true,
        )),
        Target::Hop(NextHop::LmtpUnix(path)) => {
            let name = path.display().to_string();
            let host = RouteHost {
                name: name.clone(),
                preference: None,
                addresses: vec![name.clone()],
            };
            let candidates = vec![Candidate {
                host: name,
                peer: Peer::Unix(path.clone()),
            }];
            Ok(Way::Servers {
                route: Route {
                    destination,
                    hosts: vec![host],
                },
                candidates,
                lmtp: true,
            })
        }
        Target::Hop(NextHop::Maildir(path)) => Ok(Way::Maildir {
            route: Route {
                destination,
                hosts: Vec::new(),
            },
            path: path.clone(),
        }),
        Target::Hop(NextHop::Mx) | Target::Nowhere => Err(NoRoute::NoDomain {
            address: String::new(),
        }),
    }
}

struct Found {
    name: String,
    preference: Option<u16>,
    addresses: Vec<SocketAddr>,
}

fn servers(destination: String, found: Vec<Found>, lmtp: bool) -> Way {
    let candidates = found.iter().flat_map(|host| {
        host.addresses.iter().map(|address| Candidate {
            host: host.name.clone(),
            peer: Peer::Tcp(*address),
        })
    });
    let candidates = candidates.collect();
    let hosts = found.into_iter().map(|host| RouteHost {
        name: host.name,
        preference: host.preference,
        addresses: host.addresses.iter().map(ToString::to_string).collect(),
    });
    Way::Servers {
        route: Route {
            destination,
            hosts: hosts.collect(),
        },
        candidates,
        lmtp,
    }
}

/// RFC 5321 §5.1: MX records in order of preference, equal ones in random order; without MX the
/// domain's own addresses; a null MX (RFC 7505) ends it; our own name cuts the list.
async fn exchangers(
    domain: &str,
    settings: &Settings,
    resolver: &dyn Resolver,
    random: &dyn Random,
) -> Result<Vec<Found>, NoRoute> {
    if let Some(address) = literal(domain) {
        let addresses = vec![SocketAddr::new(address, settings.smtp_port)];
        return Ok(vec![Found {
            name: domain.to_owned(),
            preference: None,
            addresses,
        }]);
    }
    let mut records = resolver
        .mx(domain)
        .await
        .map_err(|error| no_answer(domain, error))?;
    if records.iter().any(Mx::is_null) {
        // RFC 7505 §3: a null MX stands alone; beside real ones it is a mistake that is passed over.
        records.retain(|mx| !mx.is_null());
        if records.is_empty() {
            return Err(NoRoute::NullMx {
                domain: domain.to_owned(),
            });
        }
    }
    let implicit = records.is_empty();
    if implicit {
        records.push(Mx {
            preference: 0,
            exchange: domain.to_owned(),
        });
    }
    let mut records: Vec<(Mx, f64)> = records.into_iter().map(|mx| (mx, random.unit())).collect();
    records.sort_by(|(a, x), (b, y)| a.preference.cmp(&b.preference).then(x.total_cmp(y)));
    if let Some((us, _)) = records
        .iter()
        .find(|(mx, _)| mx.exchange.eq_ignore_ascii_case(&settings.hostname))
        .cloned()
    {
        // RFC 5321 §5.1: what is not better than ourselves would loop.
        records.retain(|(mx, _)| mx.preference < us.preference);
        if records.is_empty() {
            let exchanger = us.exchange;
            return Err(NoRoute::LoopsToUs {
                domain: domain.to_owned(),
                exchanger,
            });
        }
    }
    let exchangers: Vec<Mx> = records
        .into_iter()
        .map(|(mx, _)| mx)
        .take(MAX_EXCHANGERS)
        .collect();
    addresses_of(domain, &exchangers, implicit, settings.smtp_port, resolver).await
}

async fn addresses_of(
    domain: &str,
    exchangers: &[Mx],
    implicit: bool,
    port: u16,
    resolver: &dyn Resolver,
) -> Result<Vec<Found>, NoRoute> {
    let mut hosts = Vec::new();
    let mut trouble = None;
    for mx in exchangers {
        match resolver.addresses(&mx.exchange).await {
            Ok(addresses) if addresses.is_empty() => {}
            Ok(addresses) => hosts.push(Found {
                name: mx.exchange.clone(),
                preference: (!implicit).then_some(mx.preference),
                addresses: addresses
                    .into_iter()
                    .map(|a| SocketAddr::new(a, port))
                    .collect(),
            }),
            Err(error @ DnsError::Temporary { .. }) => trouble = Some(error),
            Err(DnsError::NoSuchName { .. } | DnsError::NotAName { .. }) => {}
        }
    }
    match (hosts.is_empty(), trouble) {
        (false, _) => Ok(hosts),
        (true, Some(error)) => Err(no_answer(domain, error)),
        (true, None) => {
            let named = if implicit { &[] } else { exchangers };
            let exchangers = named.iter().map(|mx| mx.exchange.clone()).collect();
            Err(NoRoute::NoAddress {
                domain: domain.to_owned(),
                exchangers,
            })
        }
    }
}

async fn configured(to: &HostPort, resolver: &dyn Resolver) -> Result<Found, NoRoute> {
    let addresses = match to.host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => resolver
            .addresses(&to.host)
            .await
            .map_err(|e| no_answer(&to.host, e))?,
    };
    if addresses.is_empty() {
        return Err(NoRoute::NoAddress {
            domain: to.host.clone(),
            exchangers: Vec::new(),
        });
    }
    let addresses = addresses
        .into_iter()
        .map(|a| SocketAddr::new(a, to.port))
        .collect();
    Ok(Found {
        name: to.host.clone(),
        preference: None,
        addresses,
    })
}

/// RFC 5321 §4.1.3: `[192.0.2.1]` and `[IPv6:2001:db8::1]`.
fn literal(domain: &str) -> Option<IpAddr> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use dns::TableResolver;
    use world::SeededRandom;

    fn mx(preference: u16, exchange: &str) -> Mx {
        Mx {
            preference,
            exchange: exchange.to_owned(),
        }
    }

    fn table() -> TableResolver {
        let table = TableResolver::default();
        for (host, address) in [
            ("a.example", "192.0.2.1"),
            ("b.example", "192.0.2.2"),
            ("c.example", "2001:db8::3"),
        ] {
            table.set_addresses(host, Ok(vec![address.parse().unwrap()]));
        }
        table
    }

    async fn hosts(table: &TableResolver, domain: &str) -> Result<Vec<String>, NoRoute> {
        let settings = Settings {
            hostname: "us.example".into(),
            ..Settings::default()
        };
        let target = Target::Domain(domain.to_owned());
        match resolve(&target, &settings, table, &SeededRandom::new(1)).await? {
            Way::Servers { candidates, .. } => Ok(candidates
                .iter()
                .map(|c| format!("{} {}", c.host, c.peer))
                .collect()),
            Way::Maildir { .. } => panic!("a domain leads to servers"),
        }
    }

    #[tokio::test]
    async fn exchangers_come_in_order_of_preference_with_all_their_addresses() {
        let table = table();
        table.set_addresses(
            "b.example",
            Ok(vec![
                "2001:db8::2".parse().unwrap(),
                "192.0.2.2".parse().unwrap(),
            ]),
        );
        table.set_mx(
            "example.org",
            Ok(vec![mx(20, "a.example"), mx(10, "b.example")]),
        );
        assert_eq!(
            hosts(&table, "example.org").await.unwrap(),
            [
                "b.example [2001:db8::2]:25",
                "b.example 192.0.2.2:25",
                "a.example 192.0.2.1:25"
            ]
        );
    }

    #[tokio::test]
    async fn a_domain_without_mx_is_its_own_exchanger_and_a_literal_is_itself() {
        assert_eq!(
            hosts(&table(), "a.example").await.unwrap(),
            ["a.example 192.0.2.1:25"]
        );
        assert_eq!(
            hosts(&table(), "[192.0.2.9]").await.unwrap(),
            ["[192.0.2.9] 192.0.2.9:25"]
        );
        assert_eq!(
            hosts(&table(), "[IPv6:2001:db8::9]").await.unwrap(),
            ["[IPv6:2001:db8::9] [2001:db8::9]:25"]
        );
    }

    #[tokio::test]
    async fn every_way_of_having_no_route_is_told_apart() {
        let table = table();
        let servfail = DnsError::Temporary {
            question: "MX t.example".into(),
            reported: "SERVFAIL".into(),
        };
        table.set_mx("null.example", Ok(vec![mx(0, "")]));
        table.set_mx("gone.example", Ok(vec![mx(10, "nowhere.example")]));
        table.set_mx("t.example", Err(servfail.clone()));
        table.set_mx(
            "loop.example",
            Ok(vec![
                mx(10, "us.example"),
                mx(10, "a.example"),
                mx(20, "b.example"),
            ]),
        );
        table.set_mx(
            "half.example",
            Ok(vec![mx(10, "x.example"), mx(20, "gone2.example")]),
        );
        table.set_addresses("x.example", Err(servfail));
        let (question, reported) = ("MX t.example".to_owned(), "SERVFAIL".to_owned());
        for (domain, expected) in [
            (
                "none.example",
                NoRoute::NoSuchDomain {
                    domain: "none.example".into(),
                },
            ),
            (
                "null.example",
                NoRoute::NullMx {
                    domain: "null.example".into(),
                },
            ),
            (
                "gone.example",
                NoRoute::NoAddress {
                    domain: "gone.example".into(),
                    exchangers: vec!["nowhere.example".into()],
                },
            ),
            (
                "t.example",
                NoRoute::DnsTemporary {
                    question: question.clone(),
                    reported: reported.clone(),
                },
            ),
            ("half.example", NoRoute::DnsTemporary { question, reported }),
            (
                "loop.example",
                NoRoute::LoopsToUs {
                    domain: "loop.example".into(),
                    exchanger: "us.example".into(),
                },
            ),
        ] {
            assert_eq!(hosts(&table, domain).await, Err(expected), "{domain}");
        }
    }

    #[tokio::test]
    async fn we_stand_in_only_for_better_exchangers_than_ourselves() {
        let table = table();
        table.set_mx(
            "backup.example",
            Ok(vec![
                mx(5, "a.example"),
                mx(10, "us.example"),
                mx(20, "b.example"),
            ]),
        );
        assert_eq!(
            hosts(&table, "backup.example").await.unwrap(),
            ["a.example 192.0.2.1:25"]
        );
    }
}
