//! Many domains of one provider, and the servers of one destination.

use std::sync::Arc;

use parking_lot::Mutex;
use queue::RecipientState;

use crate::peer::{Answer, Ask};
use crate::relay::{Relay, causes, states};

const SENDER: &str = "anna@sender.example";
const LISTED: &str =
    "451 4.7.1 192.0.2.9 is listed in zen.spamhaus.org, see https://www.spamhaus.org";

#[tokio::test(start_paused = true)]
async fn a_bad_name_with_a_provider_holds_up_all_its_domains_and_one_probe_serves_them_all() {
    let relay = Relay::start().await;
    let listed = Arc::new(Mutex::new(true));
    let still = listed.clone();
    let peer = relay
        .peer(40, move |ask| match ask {
            Ask::Mail if *still.lock() => Answer::Say(LISTED),
            _ => Answer::Say(""),
        })
        .await;
    let domain = |n: usize| format!("domain{n}.example");
    for n in 0..30 {
        relay.exchanger(&domain(n), &format!("mx{n}.big.example"), 40);
    }
    let first = relay.send(SENDER, &["a@domain0.example"]).await;
    relay.pass(5).await;
    assert_eq!(causes(&relay.story(first).await), ["reputation.ip-listed"]);
    let mut ids = Vec::new();
    for n in 1..30 {
        ids.push(relay.send(SENDER, &[&format!("a@{}", domain(n))]).await);
    }
    relay.pass(400).await;
    let refused = peer.connections().0;
    assert_eq!(refused, 1, "nobody else asks while the provider is blocked");
    relay.pass(3 * 3600).await;
    let probes = peer.connections().0;
    assert!((6..=14).contains(&probes), "one probe at a time: {probes}");
    *listed.lock() = false;
    relay.pass(5 * 3600).await;
    assert_eq!(peer.taken().len(), 30, "one probe opens the way for all");
    for id in ids {
        assert_eq!(states(&relay.story(id).await), [RecipientState::Delivered]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_name_with_one_provider_does_not_hold_up_another() {
    let relay = Relay::start().await;
    relay.peer(40, |_| Answer::Say(LISTED)).await;
    let other = relay.willing_peer(41).await;
    relay.exchanger("one.example", "mx.big.example", 40);
    relay.exchanger("two.example", "mx.small.example", 41);
    relay.send(SENDER, &["a@one.example"]).await;
    relay.pass(5).await;
    relay.send(SENDER, &["a@two.example"]).await;
    relay.pass(1).await;
    assert_eq!(other.taken().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_full_is_passed_over_for_another_of_the_same_destination_at_once() {
    let relay = Relay::start().await;
    let full = relay
        .peer(1, |ask| match ask {
            Ask::Mail => Answer::Say("452 4.3.1 Insufficient system storage"),
            _ => Answer::Say(""),
        })
        .await;
    let other = relay.willing_peer(2).await;
    let id = relay.send(SENDER, &["a@example.org"]).await;
    relay.pass(5).await;
    let story = relay.story(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered], "{story:#?}");
    assert_eq!(causes(&story), ["server.storage-full"]);
    assert_eq!((full.connections().0, other.taken().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn where_all_servers_are_full_the_destination_waits_after_one_round() {
    let relay = Relay::start().await;
    let mut peers = Vec::new();
    for n in [1, 2] {
        let peer = relay.peer(n, |ask| match ask {
            Ask::Mail => Answer::Say("452 4.3.1 Insufficient system storage"),
            _ => Answer::Say(""),
        });
        peers.push(peer.await);
    }
    let id = relay.send(SENDER, &["a@example.org"]).await;
    relay.pass(60).await;
    let story = relay.story(id).await;
    assert_eq!(story.attempts.len(), 2, "{story:#?}");
    assert_eq!(states(&story), [RecipientState::Queued]);
    assert!(peers.iter().all(|peer| peer.connections().0 == 1));
}

#[tokio::test(start_paused = true)]
async fn a_second_server_that_does_not_even_greet_ends_the_round() {
    let relay = Relay::start().await;
    relay
        .peer(1, |ask| match ask {
            Ask::Mail => Answer::Say("421 4.3.2 closing down"),
            _ => Answer::Say(""),
        })
        .await;
    let second = relay
        .peer(2, |_| Answer::Say("421 4.3.2 closing down"))
        .await;
    let id = relay.send(SENDER, &["a@example.org"]).await;
    relay.pass(30).await;
    assert_eq!(relay.story(id).await.attempts.len(), 2);
    assert_eq!(second.connections().0, 1);
}
