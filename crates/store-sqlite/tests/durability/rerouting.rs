//! Recipients that go elsewhere because the routes have changed.

use std::time::Duration;

use queue::route::{Imprint, Routes};
use queue::{
    Basis, Decision, DestinationKey, EventKind, MessageId, Move, Moving, RecipientState, Store,
};

use crate::stage::{SMALL, Stage, destination, id};

fn new_place() -> DestinationKey {
    DestinationKey::new("smtp://127.0.0.1:2")
}

fn moves(of: &[Moving], only: &str) -> Vec<Move> {
    let moving = of.iter().filter(|m| m.recipient.as_str().ends_with(only));
    let to = |moving: &Moving| Move {
        message: moving.message,
        index: moving.index,
        from: moving.from.clone(),
        to: new_place(),
    };
    moving.map(to).collect()
}

async fn all(stage: &Stage) -> Vec<Moving> {
    stage.store.movable(None, 100).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_that_have_changed_move_what_is_queued_and_it_is_due_at_once() {
    let stage = Stage::new();
    let to = ["a@one.example", "b@two.example"];
    stage.accept(id(1), SMALL, &to).await;
    let lease = stage.store.lease(&destination()).await.unwrap();
    stage.store.begin(&lease, id(1), &[0, 1]).await.unwrap();
    let retry = || Decision::RetryAt {
        at: stage.now + Duration::from_secs(7200),
        basis: Basis::Destination,
    };
    let outcome = stage.outcome(id(1), vec![retry(), retry()]);
    let record = stage
        .store
        .record(&lease, outcome, None, Vec::new(), Vec::new());
    record.await.unwrap();
    // A crash after the first of several steps: the next start does the rest.
    let half = moves(&all(&stage).await, "@one.example");
    assert_eq!(stage.store.reroute(half, stage.now).await, Ok(1));
    let after = stage.crash();
    let waiting = all(&after).await;
    let places: Vec<_> = waiting.iter().map(|m| m.from.clone()).collect();
    assert_eq!(places, [new_place(), destination()]);
    let rest = moves(&waiting[1..], ".example");
    assert_eq!(after.store.reroute(rest.clone(), stage.now).await, Ok(1));
    for recipient in after.recipients(id(1)).await {
        assert_eq!(recipient.destination, new_place());
        assert_eq!(recipient.next_attempt, Some(stage.now));
    }
    // Who is not there any more is not moved.
    assert_eq!(after.store.reroute(rest, stage.now).await, Ok(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn by_which_routes_the_queue_was_gone_through_is_known_only_when_that_has_ended() {
    let mut routes = Routes::default();
    let old = Imprint::of(&routes, []);
    routes.insert("*", new_place().as_str().parse().unwrap());
    let new = Imprint::of(&routes, []);
    let stage = Stage::new();
    assert_eq!(stage.store.routed_by().await, Ok(None));
    stage.accept(id(1), SMALL, &["a@one.example"]).await;
    stage.store.note_routed_by(Some(old.clone())).await.unwrap();
    let before = stage.crash();
    assert_eq!(before.store.routed_by().await, Ok(Some(old)));
    stage.store.note_routed_by(None).await.unwrap();
    let step = moves(&all(&stage).await, ".example");
    assert_eq!(stage.store.reroute(step, stage.now).await, Ok(1));
    // A crash here must not leave the old routes written: who goes back to them would find the moved
    // recipient where it does not belong, and nobody would look.
    let between = stage.crash();
    assert_eq!(between.store.routed_by().await, Ok(None));
    stage.store.note_routed_by(Some(new.clone())).await.unwrap();
    let after = stage.crash();
    assert_eq!(after.store.routed_by().await, Ok(Some(new)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_moves_too_and_stays_held() {
    let stage = Stage::new();
    stage.accept(id(1), SMALL, &["a@one.example"]).await;
    let held = stage
        .store
        .change(id(1), None, RecipientState::Held, stage.now);
    held.await.unwrap();
    let step = moves(&all(&stage).await, ".example");
    assert_eq!(stage.store.reroute(step, stage.now).await, Ok(1));
    let after = stage.crash();
    let recipients = after.recipients(id(1)).await;
    assert_eq!(recipients[0].state, RecipientState::Held);
    assert_eq!(recipients[0].destination, new_place());
    assert_eq!(recipients[0].next_attempt, None);
    let story = after.store.story(id(1)).await.unwrap();
    let told =
        |kind: &EventKind| matches!(kind, EventKind::Rerouted { from } if *from == destination());
    assert!(story.events.iter().any(|event| told(&event.kind)));
}

#[tokio::test(flavor = "multi_thread")]
async fn page_by_page_everybody_who_may_move_comes_once_and_nobody_else() {
    let stage = Stage::new();
    let to = ["a@one.example", "b@two.example", "c@three.example"];
    for n in 1..=4 {
        stage.accept(id(n), SMALL, &to).await;
    }
    let lease = stage.store.lease(&destination()).await.unwrap();
    stage.store.begin(&lease, id(1), &[1]).await.unwrap();
    let dropped = stage
        .store
        .change(id(2), None, RecipientState::Dropped, stage.now);
    dropped.await.unwrap();
    let mut seen: Vec<(MessageId, u32)> = Vec::new();
    loop {
        let page = stage.store.movable(seen.last().copied(), 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        seen.extend(page.iter().map(|m| (m.message, m.index)));
    }
    let expected = [
        (1, 0),
        (1, 2),
        (3, 0),
        (3, 1),
        (3, 2),
        (4, 0),
        (4, 1),
        (4, 2),
    ];
    assert_eq!(seen, expected.map(|(n, index)| (id(n), index)));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_destination_with_something_queued_is_told_once_with_its_first_time() {
    let stage = Stage::new();
    assert_eq!(stage.store.waiting().await, Ok(Vec::new()));
    for n in 1..=3 {
        stage.accept(id(n), SMALL, &["a@one.example"]).await;
    }
    let step = moves(&all(&stage).await[..1], ".example");
    let earlier = stage.now - Duration::from_secs(60);
    stage.store.reroute(step, earlier).await.unwrap();
    let dropped = stage
        .store
        .change(id(3), None, RecipientState::Dropped, stage.now);
    dropped.await.unwrap();
    let waiting = stage.store.waiting().await.unwrap();
    let told: Vec<_> = waiting.into_iter().map(|w| (w.key, w.earliest)).collect();
    assert_eq!(told, [(new_place(), earlier), (destination(), stage.now)]);
    let mut due = stage.store.due_destinations().await.unwrap();
    due.sort_by_key(|one| one.earliest);
    let same: Vec<_> = due
        .into_iter()
        .map(|one| (one.destination.key, one.earliest))
        .collect();
    assert_eq!(told, same);
}
