//! Messages in the queue.

use std::time::Duration;

use diagnosis::{FailureKind, Outcome};
use queue::{
    Basis, Decision, DestinationUpdate, Event, EventKind, RecipientState, RowFilter, Store,
    StoreError,
};

use crate::stage::{LARGE, SMALL, Stage, destination, id};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_there_once_accept_has_returned() {
    let stage = Stage::new();
    for (n, bytes) in [(1, SMALL), (2, LARGE)] {
        stage
            .accept(id(n), bytes, &["a@dest.example", "b@dest.example"])
            .await;
        let after = stage.crash();
        assert!(after.has(id(n), bytes).await);
        let recipients = after.recipients(id(n)).await;
        assert_eq!(recipients.len(), 2);
        assert!(recipients.iter().all(|r| r.state == RecipientState::Queued
            && r.next_attempt == Some(stage.now)
            && r.attempts == 0));
        assert_eq!(after.store.recover(after.now).await, Ok(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_has_begun_is_of_unknown_outcome_and_told_so() {
    let stage = Stage::new();
    let to = ["a@dest.example", "b@dest.example", "c@dest.example"];
    stage.accept(id(1), SMALL, &to).await;
    let lease = stage.store.lease(&destination()).await.unwrap();
    stage.store.begin(&lease, id(1), &[0, 2]).await.unwrap();
    let after = stage.crash();
    assert_eq!(after.store.recover(after.now).await, Ok(2));
    let story = after.store.story(id(1)).await.unwrap();
    for recipient in &story.recipients {
        let interrupted = recipient.index != 1;
        assert_eq!(recipient.state, RecipientState::Queued);
        assert_eq!(recipient.attempts, u32::from(interrupted));
        let expected = interrupted.then_some(Basis::Restart);
        assert_eq!(recipient.basis, expected);
    }
    let [attempt] = &story.attempts[..] else {
        panic!("{:?}", story.attempts)
    };
    for one in &attempt.attempt.recipients {
        assert!(
            matches!(&one.outcome, Outcome::Unknown(f) if f.kind == FailureKind::Interrupted),
            "{one:?}"
        );
    }
    let told: Vec<_> = story
        .events
        .iter()
        .filter(|e| e.kind == EventKind::Interrupted)
        .map(|e| e.recipient)
        .collect();
    assert_eq!(told, [Some(0), Some(2)]);
    // Told once: not again at the next start.
    let later = after.crash();
    assert_eq!(later.store.recover(later.now).await, Ok(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_attempt_came_to_is_there_with_all_that_belongs_to_it() {
    let stage = Stage::new();
    let to = ["a@dest.example", "b@dest.example", "c@dest.example"];
    stage.accept(id(1), SMALL, &to).await;
    let lease = stage.store.lease(&destination()).await.unwrap();
    stage.store.begin(&lease, id(1), &[0, 1, 2]).await.unwrap();
    let at = stage.now + Duration::from_secs(300);
    let basis = Basis::Schedule {
        step: 1,
        seconds: 300,
    };
    let decisions = vec![
        Decision::Delivered,
        Decision::RetryAt { at, basis },
        Decision::Fail,
    ];
    let update = DestinationUpdate {
        blocked_until: Some(at),
        failures: 3,
        last: None,
    };
    let body = stage.content(id(2), LARGE).await.unwrap();
    let report = stage.message(id(2), body, &["anna@client.example"]);
    let event = Event {
        at: stage.now,
        message: Some(id(1)),
        recipient: Some(2),
        destination: None,
        kind: EventKind::Reported { report: id(2) },
    };
    let outcome = stage.outcome(id(1), decisions);
    stage
        .store
        .record(&lease, outcome, Some(update), vec![report], vec![event])
        .await
        .unwrap();
    let after = stage.crash();
    assert_eq!(after.store.recover(after.now).await, Ok(0));
    let story = after.store.story(id(1)).await.unwrap();
    let states: Vec<_> = story.recipients.iter().map(|r| r.state).collect();
    assert_eq!(
        states,
        [
            RecipientState::Delivered,
            RecipientState::Queued,
            RecipientState::Failed
        ]
    );
    assert_eq!(story.recipients[1].next_attempt, Some(at));
    assert_eq!(story.attempts.len(), 1);
    assert_eq!(story.events.len(), 1);
    let known = story.destinations.iter().find(|d| d.key == destination());
    assert_eq!(
        known.map(|d| (d.failures, d.blocked_until)),
        Some((3, Some(at)))
    );
    assert!(
        after.has(id(1), SMALL).await,
        "one recipient still needs it"
    );
    assert!(after.has(id(2), LARGE).await, "the report is queued");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_refused_leaves_nothing_of_it() {
    let stage = Stage::new();
    stage.accept(id(1), SMALL, &["a@dest.example"]).await;
    let old = stage.store.lease(&destination()).await.unwrap();
    stage.store.begin(&old, id(1), &[0]).await.unwrap();
    // Somebody else has the destination now.
    let _new = stage.store.lease(&destination()).await.unwrap();
    let body = stage.content(id(2), LARGE).await.unwrap();
    let report = stage.message(id(2), body, &["anna@client.example"]);
    let outcome = stage.outcome(id(1), vec![Decision::Fail]);
    let error = stage
        .store
        .record(&old, outcome, None, vec![report], Vec::new())
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Fenced { .. }), "{error}");
    for after in [&stage, &stage.crash()] {
        assert_eq!(
            after.recipients(id(1)).await[0].state,
            RecipientState::Sending
        );
        assert!(!after.has(id(2), LARGE).await);
        after.has_no_files_soon();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_from_before_the_crash_fences_nobody_and_is_fenced() {
    let stage = Stage::new();
    stage.accept(id(1), SMALL, &["a@dest.example"]).await;
    let old = stage.store.lease(&destination()).await.unwrap();
    let after = stage.crash();
    let new = after.store.lease(&destination()).await.unwrap();
    assert!(new.token > old.token);
    let refused = after.store.begin(&old, id(1), &[0]).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })));
    after.store.begin(&new, id(1), &[0]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_administrator_did_stays_done() {
    let stage = Stage::new();
    for n in 1..=3 {
        stage.accept(id(n), SMALL, &["a@dest.example"]).await;
    }
    let later = stage.now + Duration::from_secs(60);
    for (n, to) in [
        (1, RecipientState::Held),
        (2, RecipientState::Queued),
        (3, RecipientState::Dropped),
    ] {
        let changed = stage.store.change(id(n), None, to, later).await.unwrap();
        assert_eq!(changed.len(), 1);
    }
    stage
        .store
        .pause(&destination(), true, stage.now)
        .await
        .unwrap();
    let after = stage.crash();
    for (n, state, event) in [
        (1, RecipientState::Held, EventKind::Held),
        (2, RecipientState::Queued, EventKind::RetryAsked),
        (3, RecipientState::Dropped, EventKind::Dropped),
    ] {
        let story = after.store.story(id(n)).await.unwrap();
        assert_eq!(story.recipients[0].state, state);
        assert!(story.events.iter().any(|e| e.kind == event), "{story:?}");
        assert_eq!(story.has_body, state != RecipientState::Dropped);
    }
    let due = after.store.due_destinations().await.unwrap();
    assert!(due[0].destination.paused);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_filter_holds_is_held_from_its_first_moment_and_goes_when_released() {
    let stage = Stage::new();
    let body = stage.content(id(1), SMALL).await.unwrap();
    let mut new = stage.message(id(1), body, &["a@dest.example"]);
    new.held = true;
    stage.store.accept(new).await.unwrap();
    let after = stage.crash();
    let held = after.recipients(id(1)).await;
    assert_eq!(held[0].state, RecipientState::Held);
    assert_eq!(held[0].next_attempt, None);
    assert!(after.store.due_destinations().await.unwrap().is_empty());
    let released = after
        .store
        .change(id(1), None, RecipientState::Queued, after.now);
    assert_eq!(released.await.unwrap().len(), 1);
    assert_eq!(after.store.due_destinations().await.unwrap()[0].queued, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_that_is_removed_is_removed_whole() {
    let stage = Stage::new();
    stage.accept(id(1), LARGE, &["a@dest.example"]).await;
    stage.accept(id(2), LARGE, &["a@dest.example"]).await;
    stage
        .store
        .change(id(1), None, RecipientState::Dropped, stage.now)
        .await
        .unwrap();
    let later = stage.now + Duration::from_secs(3600);
    assert_eq!(stage.store.prune(later, 100).await, Ok(1));
    let after = stage.crash();
    let rows = after.store.rows(RowFilter::default()).await.unwrap();
    assert_eq!(rows.len(), 1, "what is still queued stays");
    assert!(matches!(
        after.store.story(id(1)).await,
        Err(StoreError::NotFound(_))
    ));
    assert_eq!(after.files().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lock_of_a_process_that_died_keeps_nobody_out() {
    let stage = Stage::new();
    stage.accept(id(1), SMALL, &["a@dest.example"]).await;
    let second = store_sqlite::SqliteStore::open(stage.dir.path(), &world::World::real());
    assert!(matches!(second, Err(StoreError::InUse { .. })));
    // The copy has the file `lock` with the number in it, and no process that holds it.
    let after = stage.crash_and(|dir| assert!(dir.join("lock").exists()));
    assert!(after.has(id(1), SMALL).await);
}
