//! One sender's backlog and another's mail; what the operator allows.

use std::sync::Arc;

use delivery::{Limit, Limits};
use queue::DestinationKey;
use queue::route::Routes;

use crate::relay::Relay;

#[tokio::test(start_paused = true)]
async fn one_senders_backlog_does_not_delay_anothers_mail() {
    let relay = Relay::start().await;
    let peer = relay.willing_peer(1).await;
    let key = DestinationKey::new("mx:example.org");
    relay.store.pause(&key, true, relay.now()).await.unwrap();
    relay.engine.set_paused(&key, true);
    for _ in 0..1000 {
        relay.send("news@sender.example", &["a@example.org"]).await;
    }
    relay.send("bert@other.example", &["a@example.org"]).await;
    relay.store.pause(&key, false, relay.now()).await.unwrap();
    relay.engine.set_paused(&key, false);
    for _ in 0..300 {
        if peer.taken().len() > 1000 {
            break;
        }
        relay.pass(1).await;
    }
    let taken = peer.taken();
    assert_eq!(taken.len(), 1001);
    let turn = taken.iter().position(|t| t.sender == "bert@other.example");
    assert!(turn.unwrap() <= 20, "its turn was {turn:?}");
}

#[tokio::test(start_paused = true)]
async fn the_operators_limits_hold_whatever_the_destination_would_bear() {
    let limit = Limit {
        sessions: Some(2),
        rate: Some(0.1),
    };
    let limits = Limits {
        destinations: [("example.org".to_owned(), limit)].into(),
        ..Limits::default()
    };
    let relay = Relay::start_with(Routes::default(), |settings| {
        settings.limits = Arc::new(limits);
    })
    .await;
    let peer = relay.willing_peer(1).await;
    for _ in 0..30 {
        relay.send("anna@sender.example", &["a@example.org"]).await;
    }
    relay.pass(100).await;
    let taken = peer.taken().len();
    assert!((8..=12).contains(&taken), "one in ten seconds: {taken}");
    relay.pass(250).await;
    assert_eq!(peer.taken().len(), 30);
    assert!(peer.connections().1 <= 2);
}

#[tokio::test(start_paused = true)]
async fn the_operators_rate_holds_for_mail_that_comes_one_by_one() {
    let limit = Limit {
        sessions: None,
        rate: Some(0.1),
    };
    let limits = Limits {
        destinations: [("example.org".to_owned(), limit)].into(),
        ..Limits::default()
    };
    let relay = Relay::start_with(Routes::default(), |settings| {
        settings.limits = Arc::new(limits);
    })
    .await;
    let peer = relay.willing_peer(1).await;
    for _ in 0..30 {
        relay.send("anna@sender.example", &["a@example.org"]).await;
        relay.pass(3).await;
    }
    let taken = peer.taken().len();
    assert!((8..=11).contains(&taken), "one in ten seconds: {taken}");
}
