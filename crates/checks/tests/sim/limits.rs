//! What keeps checks from being a burden.

use std::time::Duration;

use checks::{Listed, Subject, check_concurrency, check_trail};
use diagnosis::finding::{Conclusion, Finding, Verdict};
use diagnosis::{Cause, Check};
use tls::{Connector, Roots};
use world::World;

use crate::stage::{Stage, find};

#[tokio::test(start_paused = true)]
async fn a_finding_is_good_for_a_while_and_then_looked_for_again() {
    let stage = Stage::new();
    let checker = stage.checker();
    let subject = Subject::parse("new.example").unwrap();
    let look = || checker.verify(Check::DnsOfDomain, &subject, None);
    assert_eq!(
        look().await.unwrap()[0].conclusion,
        Conclusion::DomainUnknown
    );
    stage.a("new.example", "192.0.2.1");
    tokio::time::advance(Duration::from_secs(299)).await;
    assert_eq!(
        look().await.unwrap()[0].conclusion,
        Conclusion::DomainUnknown
    );
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(
        look().await.unwrap()[0].conclusion,
        Conclusion::DomainIsItsServer
    );
}

#[tokio::test(start_paused = true)]
async fn only_so_many_checks_a_minute_touch_the_network() {
    let mut stage = Stage::new();
    stage.settings.per_minute = 3;
    let checker = stage.checker();
    let mut made = 0;
    for n in 0..10 {
        let subject = Subject::parse(&format!("d{n}.example")).unwrap();
        let findings = checker.verify(Check::DnsOfDomain, &subject, None).await;
        made += usize::from(findings.is_some());
    }
    assert_eq!(made, 3);
    tokio::time::advance(Duration::from_secs(20)).await;
    let subject = Subject::parse("d9.example").unwrap();
    assert!(
        checker
            .verify(Check::DnsOfDomain, &subject, None)
            .await
            .is_some()
    );
    assert!(
        checker
            .verify(Check::OurPtr, &subject, None)
            .await
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn a_check_that_takes_too_long_is_broken_off() {
    let mut stage = Stage::new();
    stage.settings.budget = Duration::from_secs(5);
    stage.a("example.org", "192.0.2.1");
    stage.server("192.0.2.1", &[("", "…")]).await;
    let findings = stage.examine("example.org", None).await;
    let late = find(&findings, Conclusion::OutOfTime);
    assert_eq!(
        (late.check, late.verdict),
        (Check::TcpAndBanner, Verdict::CannotTell)
    );
}

/// Those that `check_history`, `check_trail` and `check_concurrency` make from what the queue knows.
const OF_QUEUE: [Check; 3] = [
    Check::AttemptHistory,
    Check::ReceivedTrail,
    Check::OwnConcurrency,
];

/// What is made of a queue of one message; the history's own tests have attempts.
fn of_queue(check: Check) -> Option<Finding> {
    match check {
        Check::ReceivedTrail => Some(check_trail("m", b"Subject: hello\r\n\r\n")),
        Check::OwnConcurrency => Some(check_concurrency("mx:example.org", &[])),
        _ => None,
    }
}

/// Who adds a check to a cause has to make it, too.
#[tokio::test(start_paused = true)]
async fn every_check_that_a_cause_of_the_catalog_names_is_made() {
    let mut stage = Stage::new();
    stage.mx("example.org", &[(10, "mx.example.org")]);
    stage.a("mx.example.org", "192.0.2.1");
    const HELLO: &str = "250-mx\r\n250-STARTTLS\r\n250-SIZE 1000\r\n250 LIMITS RCPTMAX=10";
    let rules = &[("EHLO", HELLO), ("STARTTLS", "454 4.7.0 no key")];
    stage.server("192.0.2.1", rules).await;
    stage.lists(&[("list.example", Listed::Addresses)]);
    stage.settings.connector = Some(Connector::new(&World::real(), Roots::none()));
    let checker = stage.checker();
    let subject = Subject::parse("anna@example.org").unwrap();
    let sender = checks::Sender::of(&subject, Vec::new(), true);
    for cause in Cause::ALL {
        for check in cause.checks() {
            if *check == Check::AttemptHistory {
                continue;
            }
            let made = match of_queue(*check) {
                Some(finding) => vec![finding],
                None => {
                    let made = checker.verify(*check, &subject, sender.as_ref());
                    made.await.unwrap().to_vec()
                }
            };
            let of_it = made.iter().any(|finding| finding.check == *check);
            assert!(of_it, "{}: {check:?} comes to {made:?}", cause.id());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_check_can_be_made_alone() {
    let stage = Stage::new();
    stage.a("example.org", "192.0.2.1");
    stage.server("192.0.2.1", &[]).await;
    let checker = stage.checker();
    let subject = Subject::parse("anna@example.org").unwrap();
    let sender = checks::Sender::of(&subject, Vec::new(), true);
    for check in Check::ALL {
        let findings = checker
            .verify(*check, &subject, sender.as_ref())
            .await
            .unwrap();
        // The stage has no lists.
        let none = OF_QUEUE.contains(check) || *check == Check::BlockLists;
        assert_eq!(findings.is_empty(), none, "{check:?}");
    }
}
