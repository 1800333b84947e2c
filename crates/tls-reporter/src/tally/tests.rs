use super::*;
use diagnosis::tls_policy::{ResultType as Fact, StsFacts};
use world::VirtualClock;

fn tally() -> Tally {
    let start = "2026-01-05T23:59:59Z".parse().unwrap();
    Tally::new(Arc::new(VirtualClock::new(start)))
}

fn applied(policy: AppliedPolicy, failed: Option<&str>) -> Applied {
    Applied {
        domain: "Dest.example".into(),
        policy,
        server: Some(Server {
            host: "mx.dest.example".into(),
            address: "[::ffff:192.0.2.1]:25".into(),
            from: Some("2001:DB8::1".into()),
        }),
        outcome: match failed {
            None => Ok(()),
            Some(reason) => Err(Shortfall {
                result: Fact::CertificateExpired,
                reason: reason.to_owned(),
            }),
        },
    }
}

fn dane() -> AppliedPolicy {
    AppliedPolicy::Dane {
        name: "_25._tcp.mx.dest.example".into(),
        records: vec!["3 1 1 ab".into()],
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_is_counted_together_and_each_day_for_itself() {
    let tally = tally();
    for _ in 0..3 {
        tally.saw(applied(AppliedPolicy::None, None));
    }
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    tally.saw(applied(AppliedPolicy::None, None));
    let mut counted: Vec<_> = tally.take().sessions.into_iter().collect();
    counted.sort_by_key(|(session, _)| session.day);
    let days: Vec<_> = counted
        .iter()
        .map(|(s, n)| (s.day.to_string(), *n))
        .collect();
    assert_eq!(days, [("2026-01-05".into(), 3), ("2026-01-06".into(), 1)]);
    assert_eq!(counted[0].0.policy.domain, "dest.example");
    assert!(tally.take().sessions.is_empty(), "taken is taken");
}

#[tokio::test]
async fn a_failure_is_kept_with_both_ends_and_why() {
    let tally = tally();
    let reason = format!("the certificate\r\n{}", "é".repeat(400));
    tally.saw(applied(dane(), Some(&reason)));
    let sessions = tally.take().sessions;
    let session = sessions.keys().next().unwrap();
    assert_eq!(session.policy.kind, PolicyKind::Tlsa);
    assert_eq!(session.policy.mx, ["mx.dest.example"]);
    let failure = session.failure.as_ref().unwrap();
    assert_eq!(failure.result, ResultType::CertificateExpired);
    assert_eq!(failure.mx.as_deref(), Some("mx.dest.example"));
    assert_eq!(failure.receiving_ip.as_deref(), Some("192.0.2.1"));
    assert_eq!(failure.sending_ip.as_deref(), Some("2001:db8::1"));
    let reason = failure.reason.as_deref().unwrap();
    assert!(reason.starts_with("the certificate  é") && reason.chars().count() == REASON);
}

#[tokio::test]
async fn a_policy_that_could_not_be_had_has_no_server() {
    let tally = tally();
    let facts = StsFacts {
        id: "1".into(),
        lines: Vec::new(),
        mx: Vec::new(),
    };
    let mut failed = applied(AppliedPolicy::Sts(facts), Some("404"));
    failed.server = None;
    failed.domain = "bücher.example".into();
    tally.saw(failed);
    let sessions = tally.take().sessions;
    let session = sessions.keys().next().unwrap();
    assert_eq!(
        session.policy.domain, "xn--bcher-kva.example",
        "RFC 8460 §4.4"
    );
    let failure = session.failure.as_ref().unwrap();
    assert_eq!((&failure.mx, &failure.receiving_ip), (&None, &None));
}

#[tokio::test]
async fn what_finds_no_room_is_counted_as_dropped_and_known_kinds_go_on() {
    let mut tally = tally();
    tally.most = 2;
    for reason in ["1", "2", "3", "1", "3"] {
        tally.saw(applied(dane(), Some(reason)));
    }
    let Batch { sessions, dropped } = tally.take();
    assert_eq!((sessions.len(), dropped), (2, 2));
    assert_eq!(sessions.values().sum::<u64>(), 3);
    tally.give_back(sessions.into_iter().collect());
    tally.saw(applied(dane(), Some("1")));
    assert_eq!(tally.take().sessions.values().sum::<u64>(), 4);
}

#[test]
fn of_a_policy_without_an_end_the_first_lines_are_kept() {
    let line = "mx: a.example".to_owned();
    let kept = bounded(vec![line.clone(); 100_000]);
    assert_eq!(kept.len(), POLICY / line.len());
    assert_eq!(bounded(vec![line.clone()]), [line]);
}

#[test]
fn the_host_of_tlsa_records_is_found_in_their_name() {
    assert_eq!(base("_25._tcp.mx.dest.example"), "mx.dest.example");
    assert_eq!(base("_25._tcp.mx.dest.example."), "mx.dest.example");
    assert_eq!(base("mx.dest.example"), "mx.dest.example");
    assert_eq!(base("_"), "_");
}
