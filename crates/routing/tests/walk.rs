//! The way to a domain, in every shape that its records can have.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

use diagnosis::facts::{NoRoute, RouteHost, RouteStep};
use dns::{DnsError, Mx, TableResolver};
use queue::route::Target;
use routing::{Own, Walk, Way};
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

async fn walk(table: &TableResolver, domain: &str) -> Walk {
    let own = Own {
        hostname: "us.example",
        smtp_port: 25,
    };
    let target = Target::Domain(domain.to_owned());
    routing::walk(&target, own, table, &SeededRandom::new(1)).await
}

async fn hosts(table: &TableResolver, domain: &str) -> Result<Vec<String>, NoRoute> {
    match walk(table, domain).await.way? {
        Way::Servers { candidates, .. } => Ok(candidates
            .iter()
            .map(|c| format!("{} {}", c.host, c.peer))
            .collect()),
        Way::Maildir { .. } | Way::Program { .. } => panic!("a domain leads to servers"),
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
async fn an_address_in_place_of_an_exchanger_is_none_and_a_hop_of_ours_that_is_not_there_is_ours_to_mend()
 {
    let table = table();
    table.set_mx("bad.example", Ok(vec![mx(10, "192.0.2.1")]));
    let expected = NoRoute::NoAddress {
        domain: "bad.example".into(),
        exchangers: vec!["192.0.2.1".into()],
    };
    assert_eq!(hosts(&table, "bad.example").await, Err(expected));
    let own = Own {
        hostname: "us.example",
        smtp_port: 25,
    };
    let hop = Target::Hop("smtp://gone.example:25".parse().unwrap());
    let way = routing::walk(&hop, own, &table, &SeededRandom::new(1))
        .await
        .way;
    let host = "gone.example".to_owned();
    assert_eq!(way, Err(NoRoute::NoSuchHop { host }));
}

#[tokio::test]
async fn an_exchanger_called_localhost_is_ourselves() {
    let table = table();
    table.set_mx("lost.example", Ok(vec![mx(10, "localhost")]));
    let expected = NoRoute::LoopsToUs {
        domain: "lost.example".into(),
        exchanger: "localhost".into(),
    };
    assert_eq!(hosts(&table, "lost.example").await, Err(expected));
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

#[tokio::test]
async fn every_step_of_the_way_is_written_down() {
    let table = table();
    let records = vec![
        mx(10, "us.example"),
        mx(5, "a.example"),
        mx(5, "nowhere.example"),
    ];
    table.set_mx("backup.example", Ok(records));
    let steps = walk(&table, "backup.example").await.steps;
    let exchangers = [(5, "a.example"), (5, "nowhere.example"), (10, "us.example")];
    let published = RouteStep::Exchangers {
        domain: "backup.example".into(),
        records: exchangers.map(|(p, n)| (p, n.to_owned())).to_vec(),
    };
    assert_eq!(steps[0], published);
    let cut = RouteStep::Ourselves {
        exchanger: "us.example".into(),
        preference: 10,
        left: 2,
    };
    assert_eq!(steps[1], cut);
    assert!(steps.contains(&RouteStep::Host(RouteHost {
        name: "a.example".into(),
        preference: Some(5),
        addresses: vec!["192.0.2.1:25".into()],
    })));
    assert!(steps.contains(&RouteStep::HostUnknown {
        name: "nowhere.example".into()
    }));

    let steps = walk(&table, "a.example").await.steps;
    let implicit = RouteStep::ImplicitExchanger {
        domain: "a.example".into(),
    };
    assert_eq!(steps[0], implicit);
}
