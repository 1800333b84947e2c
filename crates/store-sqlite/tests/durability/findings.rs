//! What was found about the causes of failures.

use std::time::Duration;

use diagnosis::Cause;
use diagnosis::finding::{Conclusion, Finding};
use queue::{Store, Verified};

use crate::stage::{SMALL, Stage, destination, id};

fn verified(stage: &Stage, conclusion: Conclusion) -> Verified {
    Verified {
        destination: destination(),
        cause: Cause::ConnectionRefused,
        at: stage.now,
        findings: vec![Finding::new(conclusion, "mx.dest.example")],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_survives_a_crash_and_the_latest_of_each_cause_counts() {
    let stage = Stage::new();
    stage.accept(id(1), SMALL, &["a@dest.example"]).await;
    for conclusion in [Conclusion::ConnectionSilent, Conclusion::ConnectionRefused] {
        let found = verified(&stage, conclusion);
        stage.store.note_findings(found).await.unwrap();
    }
    let other = Verified {
        cause: Cause::DnsFailing,
        at: stage.now + Duration::from_secs(60),
        ..verified(&stage, Conclusion::DnsFails)
    };
    stage.store.note_findings(other.clone()).await.unwrap();
    let after = stage.crash();
    let story = after.store.story(id(1)).await.unwrap();
    let latest = verified(&stage, Conclusion::ConnectionRefused);
    assert_eq!(story.verified, [latest, other.clone()]);
    after.store.prune(other.at, 100).await.unwrap();
    let story = after.store.story(id(1)).await.unwrap();
    assert_eq!(story.verified, [other]);
}
