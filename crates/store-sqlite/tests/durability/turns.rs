//! What is due comes by turns of the senders.

use std::time::Duration;

use queue::{DestinationKey, MessageId, Store};
use smtp::envelope::Priority;

use crate::stage::Stage;

fn id(n: u32) -> MessageId {
    MessageId::new(1_800_000_000_000 + u64::from(n), &[7; 10])
}

async fn accept(stage: &Stage, n: u32, sender: &str, priority: i8, due_in: u64) {
    let body = stage.content(id(n), 10).await.unwrap();
    let mut new = stage.message(id(n), body, &["b@example.org"]);
    new.message.sender = sender.parse().unwrap();
    new.message.options.priority = Priority::new(priority);
    new.recipients[0].next_attempt = stage.now + Duration::from_secs(due_in);
    stage.store.accept(new).await.unwrap();
}

async fn senders(stage: &Stage, limit: usize, turn: &mut Option<i64>) -> Vec<String> {
    let key: DestinationKey = stage.store.waiting().await.unwrap()[0].key.clone();
    let lease = stage.store.lease(&key).await.unwrap();
    let due = stage.store.due(&lease, stage.now, limit, &[], *turn);
    let due = due.await.unwrap();
    *turn = due.turn;
    let of = |q: &queue::Queued| q.message.sender.as_str().to_owned();
    due.queued.iter().map(of).collect()
}

#[tokio::test]
async fn each_sender_has_an_equal_share_of_a_reading_however_much_it_has_queued() {
    let stage = Stage::new();
    for n in 0..300 {
        accept(&stage, n, "news@client.example", 0, 0).await;
    }
    accept(&stage, 900, "anna@client.example", 0, 0).await;
    accept(&stage, 901, "bert@client.example", 0, 3600).await;
    let found = senders(&stage, 10, &mut None).await;
    let count = |sender| found.iter().filter(|s| *s == sender).count();
    assert_eq!(count("anna@client.example"), 1);
    assert_eq!(count("news@client.example"), 5);
    assert_eq!(count("bert@client.example"), 0, "it is not due");
}

#[tokio::test]
async fn with_more_senders_than_a_reading_takes_all_have_their_turn() {
    let stage = Stage::new();
    for n in 0..50 {
        accept(&stage, n, &format!("s{n}@client.example"), 0, 0).await;
    }
    let (mut turn, mut met) = (None, std::collections::BTreeSet::new());
    for _ in 0..5 {
        met.extend(senders(&stage, 10, &mut turn).await);
    }
    assert_eq!(met.len(), 50);
}

#[tokio::test]
async fn the_urgent_come_first_and_the_others_are_not_without() {
    let stage = Stage::new();
    for n in 0..20 {
        accept(&stage, n, "anna@client.example", 0, 0).await;
        accept(&stage, 100 + n, "anna@client.example", 5, 0).await;
    }
    let key = stage.store.waiting().await.unwrap()[0].key.clone();
    let lease = stage.store.lease(&key).await.unwrap();
    let due = stage
        .store
        .due(&lease, stage.now, 9, &[], None)
        .await
        .unwrap();
    let urgent = due
        .queued
        .iter()
        .filter(|q| q.message.options.priority.number() > 0);
    assert_eq!((urgent.count(), due.queued.len()), (6, 9));
    assert_eq!(due.next, Some(stage.now), "there is more");
}

#[tokio::test]
async fn when_nothing_is_due_the_answer_tells_when_something_will_be() {
    let stage = Stage::new();
    accept(&stage, 1, "anna@client.example", 0, 60).await;
    accept(&stage, 2, "bert@client.example", 0, 30).await;
    let key = stage.store.waiting().await.unwrap()[0].key.clone();
    let lease = stage.store.lease(&key).await.unwrap();
    let due = stage
        .store
        .due(&lease, stage.now, 9, &[], None)
        .await
        .unwrap();
    assert!(due.queued.is_empty());
    assert_eq!(due.next, Some(stage.now + Duration::from_secs(30)));
}
