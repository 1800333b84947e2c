use checks::Listed;
use diagnosis::Cause;
use diagnosis::finding::{Bearing, Conclusion, Fact};
use dns::{RecordKind, Unanswered};

use crate::stage::{Stage, conclusions, find};

/// A list that passes its own test (RFC 5782 §5).
fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.lists(&[
        ("bl.example", Listed::Addresses),
        ("dbl.example", Listed::Domains),
    ]);
    stage.a("2.0.0.127.bl.example", "127.0.0.2");
    stage.a("test.dbl.example", "127.0.1.2");
    stage
}

const OURS_THERE: &str = "7.113.0.203.bl.example";

#[tokio::test(start_paused = true)]
async fn listed_and_not_listed_are_told_apart() {
    let findings = stage().examine("example.org", Some("sender.example")).await;
    let clean = conclusions(&findings)
        .iter()
        .filter(|c| **c == "not-listed")
        .count();
    assert_eq!(clean, 2, "{:?}", conclusions(&findings));

    let stage1 = stage();
    stage1.a(OURS_THERE, "127.0.0.4");
    stage1.txt(OURS_THERE, &["caught by a trap"]);
    let findings = stage1.examine("example.org", None).await;
    let listed = find(&findings, Conclusion::AddressListed);
    assert_eq!(listed.object.as_deref(), Some("bl.example"));
    assert_eq!(
        listed.bearing,
        Some(Bearing::Supports(Cause::ReputationListed))
    );
    let reason = |fact: &Fact| matches!(fact, Fact::Asked { kind, .. } if kind == "TXT");
    assert!(listed.facts.iter().any(reason));

    let stage2 = stage();
    stage2.a("sender.example.dbl.example", "127.0.1.2");
    let findings = stage2.examine("example.org", Some("sender.example")).await;
    find(&findings, Conclusion::DomainListed);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_refuses_us_is_no_listing() {
    for code in ["127.255.255.252", "127.255.255.254", "127.255.255.255"] {
        let stage = stage();
        stage.a("2.0.0.127.bl.example", code);
        let findings = stage.examine("example.org", None).await;
        find(&findings, Conclusion::ListRefusesUs);
    }
    let stage = stage();
    stage.a(OURS_THERE, "127.255.255.254");
    let findings = stage.examine("example.org", None).await;
    find(&findings, Conclusion::ListRefusesUs);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_the_test_is_not_believed() {
    let mut dead = Stage::new();
    dead.lists(&[("bl.example", Listed::Addresses)]);
    dead.a(OURS_THERE, "127.0.0.2");
    find(
        &dead.examine("example.org", None).await,
        Conclusion::ListBroken,
    );

    let lists_all = stage();
    lists_all.a("1.0.0.127.bl.example", "127.0.0.2");
    find(
        &lists_all.examine("example.org", None).await,
        Conclusion::ListBroken,
    );

    let sold = stage();
    sold.a("2.0.0.127.bl.example", "198.51.100.1");
    find(
        &sold.examine("example.org", None).await,
        Conclusion::ListBroken,
    );

    let slow = stage();
    slow.fails("2.0.0.127.bl.example", RecordKind::A, Unanswered::TimedOut);
    find(
        &slow.examine("example.org", None).await,
        Conclusion::ListUnanswered,
    );
}

#[tokio::test(start_paused = true)]
async fn a_private_address_is_not_asked_for() {
    let mut stage = stage();
    stage.net = std::sync::Arc::default();
    stage.net.add_source("10.1.2.3".parse().unwrap());
    let findings = stage.examine("example.org", None).await;
    find(&findings, Conclusion::ListsNotAsked);
    assert!(!conclusions(&findings).contains(&"not-listed"));
}

#[tokio::test(start_paused = true)]
async fn an_ipv6_address_is_asked_for_where_the_list_has_ipv6() {
    let mut stage = stage();
    stage.settings.our_addresses = vec!["2001:db8::7".parse().unwrap()];
    let findings = stage.examine("example.org", None).await;
    assert!(!conclusions(&findings).contains(&"list-broken"));
    assert!(!conclusions(&findings).contains(&"not-listed"));
    let mapped = dns::reversed("::ffff:127.0.0.2".parse().unwrap());
    stage.a(&format!("{mapped}.bl.example"), "127.0.0.2");
    let findings = stage.examine("example.org", None).await;
    assert_eq!(
        find(&findings, Conclusion::NotListed).subject,
        "2001:db8::7"
    );
}
