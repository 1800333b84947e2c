//! What the queue knows.

use checks::{check_trail, compare_destinations};
use diagnosis::facts::{Circumstances, ConnectError, ConnectTry, Failure, FailureKind, Outcome};
use diagnosis::finding::{Conclusion, Fact};
use diagnosis::{Diagnosis, Stage, diagnose};
use queue::{Destination, DestinationKey, DueDestination};

fn silent() -> Diagnosis {
    let tried = ConnectTry {
        host: "mx.example".into(),
        address: "192.0.2.1:25".into(),
        error: ConnectError::TimedOut,
        waited_ms: 30_000,
    };
    let failure = Failure {
        stage: Stage::Connect,
        kind: FailureKind::Connect(vec![tried]),
    };
    diagnose(&Outcome::Failed(failure), &Circumstances::default()).unwrap()
}

fn waiting(count: usize, failing: usize) -> Vec<DueDestination> {
    let one = |n: usize| DueDestination {
        destination: Destination {
            key: DestinationKey::new(&format!("mx:d{n}.example")),
            blocked_until: None,
            failures: u32::from(n < failing),
            last: (n < failing).then(silent),
            paused: false,
        },
        earliest: "2026-01-01T00:00:00Z".parse().unwrap(),
        queued: 1,
    };
    (0..count).map(one).collect()
}

#[test]
fn it_is_our_line_where_unrelated_destinations_fail_alike() {
    for (count, failing, expected) in [
        (0, 0, None),
        (2, 2, Some(Conclusion::DestinationsDiffer)),
        (3, 3, Some(Conclusion::DestinationsFailAlike)),
        (5, 4, Some(Conclusion::DestinationsFailAlike)),
        (5, 3, Some(Conclusion::DestinationsDiffer)),
    ] {
        let found = compare_destinations(&waiting(count, failing));
        assert_eq!(
            found.map(|f| f.conclusion),
            expected,
            "{failing} of {count}"
        );
    }
}

#[test]
fn a_host_that_comes_back_in_the_trail_is_a_loop() {
    let straight = b"Received: by b.example; x\r\nReceived: by a.example; x\r\n\r\n";
    let finding = check_trail("m1", straight);
    assert_eq!(finding.conclusion, Conclusion::TrailStraight);
    assert_eq!(finding.object.as_deref(), Some("2"));
    let round = b"Received: by a.example; x\r\nReceived: by b.example; x\r\nReceived: by a.example; x\r\n\r\n";
    let finding = check_trail("m1", round);
    assert_eq!(finding.conclusion, Conclusion::TrailLoops);
    assert_eq!(finding.object.as_deref(), Some("a.example"));
    let again = |fact: &&Fact| matches!(fact, Fact::Hop { again: true, .. });
    assert_eq!(finding.facts.iter().filter(again).count(), 2);
}
