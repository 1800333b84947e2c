//! Which of the demands goes first (RFC 8461 §2, RFC 7672 §2.2).
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

use std::sync::Arc;

use dns::{AskError, RecordData, RecordKind, TableResolver, Tlsa, Unanswered};
use mta_sts::{Found, Held, Policy};
use routing::{Candidate, Signed};
use tls_demands::{Demand, Said};
use world::Peer;

const HOST: &str = "mx.example.org";
const NAME: &str = "_25._tcp.mx.example.org";

fn policy(mode: Option<&str>) -> Found {
    let held = mode.map(|mode| {
        let text = format!("version: STSv1\nmode: {mode}\nmx: *.example.org\nmax_age: 86400\n");
        Arc::new(Held {
            id: "7".into(),
            fetched: "2026-01-01T00:00:00Z".parse().unwrap(),
            policy: Policy::parse(text.as_bytes()).unwrap(),
        })
    });
    Found {
        held,
        trouble: None,
    }
}

async fn said(tlsa: Option<Result<u8, ()>>, mode: Option<&str>) -> Said {
    let dns = TableResolver::default();
    dns.sign(NAME);
    let record = |usage| {
        RecordData::Tlsa(Tlsa {
            usage,
            selector: 1,
            matching: 1,
            data: vec![0xab; 32],
        })
    };
    match tlsa {
        None => {}
        Some(Ok(usage)) => dns.set(NAME, RecordKind::Tlsa, Ok(vec![record(usage)])),
        Some(Err(())) => {
            let error = AskError::Unanswered {
                how: Unanswered::ServerFailure,
                reported: "bogus".into(),
            };
            dns.set(NAME, RecordKind::Tlsa, Err(error));
        }
    }
    let candidate = Candidate {
        host: HOST.to_owned(),
        peer: Peer::Tcp("192.0.2.1:25".parse().unwrap()),
        tier: 0,
        signed: Signed {
            named: true,
            tlsa_bases: vec![HOST.to_owned()],
        },
    };
    Said::about(&candidate, "example.org", &policy(mode), true, &dns).await
}

fn short(demand: Demand<'_>) -> &'static str {
    match demand {
        Demand::Nothing => "nothing",
        Demand::Dane { dane: Some(_), .. } => "dane",
        Demand::Dane { dane: None, .. } => "encryption",
        Demand::Unanswered { .. } => "unanswered",
        Demand::Enforced(_) => "policy",
        Demand::Tested(_) => "tested",
    }
}

#[tokio::test(start_paused = true)]
async fn dane_goes_first_where_it_can_verify_and_the_enforced_policy_where_it_cannot() {
    let (usable, unusable, bogus) = (Some(Ok(3)), Some(Ok(1)), Some(Err(())));
    for (tlsa, mode, expected) in [
        (None, None, "nothing"),
        (None, Some("enforce"), "policy"),
        (None, Some("testing"), "tested"),
        (None, Some("none"), "nothing"),
        (usable, None, "dane"),
        (usable, Some("enforce"), "dane"),
        (usable, Some("testing"), "dane"),
        (unusable, None, "encryption"),
        (unusable, Some("enforce"), "policy"),
        (unusable, Some("testing"), "encryption"),
        (unusable, Some("none"), "encryption"),
        // Who could suppress records could else choose the weaker of the two.
        (bogus, Some("enforce"), "unanswered"),
    ] {
        let said = said(tlsa, mode).await;
        assert_eq!(short(said.demand()), expected, "{tlsa:?} {mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_signed_dns_is_not_asked_where_dane_is_switched_off() {
    let dns = TableResolver::default();
    let candidate = Candidate {
        host: "mx.elsewhere.example".to_owned(),
        peer: Peer::Tcp("192.0.2.1:25".parse().unwrap()),
        tier: 0,
        signed: Signed {
            named: true,
            tlsa_bases: vec![HOST.to_owned()],
        },
    };
    let error = AskError::Unanswered {
        how: Unanswered::ServerFailure,
        reported: "asked".into(),
    };
    dns.set(NAME, RecordKind::Tlsa, Err(error));
    let found = policy(Some("enforce"));
    let said = Said::about(&candidate, "example.org", &found, false, &dns).await;
    let Demand::Enforced(listing) = said.demand() else {
        panic!("{said:?}");
    };
    assert!(!listing.named);
}
