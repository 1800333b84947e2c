//! What came back: read, and recorded with the message that it is about.

use queue::{
    Decision, Event, EventKind, JoinedBy, RecipientState, ReturnKind, Returned, Store, StoreError,
};

use crate::stage::{LARGE, SMALL, Stage, destination, id};

fn returned() -> Returned {
    Returned {
        report: id(2),
        kind: ReturnKind::Answer,
        by: JoinedBy::ReturnAddress,
        diagnosis: None,
        names: None,
        reporter: None,
        words: None,
        passed_on: Some(id(3)),
        suppressed: false,
    }
}

fn event(stage: &Stage, message: u8, kind: EventKind) -> Event {
    Event {
        at: stage.now,
        message: Some(id(message)),
        recipient: Some(0),
        destination: None,
        kind,
    }
}

/// A message that is delivered, and a report on it that is being read.
async fn stage() -> (Stage, queue::Lease) {
    let stage = Stage::new();
    stage.accept(id(1), SMALL, &["bert@dest.example"]).await;
    let lease = stage.store.lease(&destination()).await.unwrap();
    let outcome = stage.outcome(id(1), vec![Decision::Delivered]);
    let (store, none) = (&stage.store, (Vec::new(), Vec::new()));
    store
        .record(&lease, outcome, None, none.0, none.1)
        .await
        .unwrap();
    stage.accept(id(2), LARGE, &["b+x@bounces.example"]).await;
    store.begin(&lease, id(2), &[0]).await.unwrap();
    (stage, lease)
}

#[tokio::test]
async fn what_came_back_and_is_not_recorded_yet_is_read_again() {
    let (stage, _) = stage().await;
    let after = stage.crash();
    assert_eq!(after.store.recover(after.now).await, Ok(1));
    assert_eq!(
        after.recipients(id(2)).await[0].state,
        RecipientState::Queued
    );
    assert!(after.has(id(2), LARGE).await);
    assert!(after.store.story(id(1)).await.unwrap().events.is_empty());
    assert_eq!(after.store.returned(None, 10).await, Ok(Vec::new()));
}

#[tokio::test]
async fn what_came_back_is_recorded_whole_with_its_message_and_what_is_passed_on() {
    let (stage, lease) = stage().await;
    let body = stage.content(id(3), LARGE).await.unwrap();
    let copy = stage.message(id(3), body, &["anna@client.example"]);
    let events = vec![
        event(&stage, 1, EventKind::Returned(Box::new(returned()))),
        event(&stage, 2, EventKind::PassedOn { copy: id(3) }),
    ];
    let outcome = stage.outcome(id(2), vec![Decision::Delivered]);
    let recorded = stage
        .store
        .record(&lease, outcome, None, vec![copy], events);
    recorded.await.unwrap();
    let after = stage.crash();
    assert_eq!(after.store.recover(after.now).await, Ok(0));
    assert_eq!(
        after.recipients(id(2)).await[0].state,
        RecipientState::Delivered
    );
    assert_eq!(
        after.recipients(id(3)).await[0].state,
        RecipientState::Queued
    );
    assert!(after.has(id(3), LARGE).await);
    let events = after.store.story(id(1)).await.unwrap().events;
    assert_eq!(events[0].kind, EventKind::Returned(Box::new(returned())));
    let listed = after.store.returned(None, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].message, &listed[0].returned),
        (id(1), &returned())
    );
    let address = listed[0].recipient.as_ref().map(smtp::Address::as_str);
    assert_eq!(address, Some("bert@dest.example"));
    let later = after.now + std::time::Duration::from_secs(1);
    assert_eq!(after.store.returned(Some(later), 10).await, Ok(Vec::new()));
    // It goes with the history of its message.
    assert_eq!(after.store.prune(later, 10).await, Ok(2));
    assert_eq!(after.store.returned(None, 10).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_message_is_found_by_the_name_that_its_sender_gave_it() {
    let stage = Stage::new();
    for (n, name) in [(1, "QQ+314"), (2, "other"), (3, "QQ+314")] {
        let body = stage.content(id(n), SMALL).await.unwrap();
        let mut new = stage.message(id(n), body, &["bert@dest.example"]);
        let xtext = name.replace('+', "+2B");
        new.message.options.envelope_id = smtp::envelope::EnvelopeId::parse(&xtext);
        stage.store.accept(new).await.unwrap();
    }
    stage.accept(id(4), SMALL, &["bert@dest.example"]).await;
    let after = stage.crash();
    let find = |name: &'static str| after.store.find_envelope(name);
    assert_eq!(find("QQ+314").await, Ok(Some(id(3))));
    assert_eq!(find("other").await, Ok(Some(id(2))));
    assert_eq!(find("nobody").await, Ok(None));
    assert!(matches!(
        after.store.find("zzzz").await,
        Err(StoreError::NotFound(_))
    ));
}
