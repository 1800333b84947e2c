//! Our own line.

use queue::RecipientState;
use world::Fault;

use crate::peer::at;
use crate::relay::{Relay, causes, states};

const SENDER: &str = "anna@sender.example";
const DAY: u64 = 86_400;

fn domain(n: u8) -> String {
    format!("domain{n}.example")
}

async fn relay_with(domains: std::ops::Range<u8>) -> Relay {
    let relay = Relay::start().await;
    for n in domains {
        relay.exchanger(&domain(n), &format!("mx.provider{n}.example"), n);
    }
    relay
}

#[tokio::test(start_paused = true)]
async fn when_nothing_can_be_reached_it_is_our_line_and_nothing_expires_while_it_lasts() {
    let relay = relay_with(20..32).await;
    let mut ids = Vec::new();
    for n in 20..32 {
        relay.net.set_fault(at(n), Some(Fault::Silent));
        ids.push(relay.send(SENDER, &[&format!("a@{}", domain(n))]).await);
    }
    relay.pass(120).await;
    let since = relay.engine.line_down_since();
    assert!(since.is_some());
    relay.pass(8 * DAY).await;
    assert_eq!(relay.engine.line_down_since(), since);
    let mut attempts = 0;
    for id in &ids {
        let story = relay.story(*id).await;
        assert_eq!(states(&story), [RecipientState::Queued]);
        attempts += story.attempts.len();
    }
    let probes = 8 * DAY as usize / 300;
    assert!(attempts < 4 * probes, "few probes: {attempts}");
    let story = relay.story(ids[0]).await;
    for (lang, words) in [
        (explain::Lang::En, "Our line"),
        (explain::Lang::Nl, "Onze lijn"),
    ] {
        let told = explain::story(&story, relay.now(), lang);
        assert!(told.contains(words), "{told}");
    }
    let last = causes(&relay.story(ids[0]).await);
    assert!(last.contains(&"us.line-down"), "{last:?}");

    let mut peers = Vec::new();
    for n in 20..32 {
        relay.net.set_fault(at(n), None);
        peers.push(relay.willing_peer(n).await);
    }
    relay.pass(1800).await;
    assert_eq!(relay.engine.line_down_since(), None);
    let taken: usize = peers.iter().map(|peer| peer.taken().len()).sum();
    assert_eq!(taken, 12, "everything goes out soon after the line is back");
    let story = relay.story(ids[0]).await;
    let lived = story
        .message
        .expires_at
        .duration_since(story.message.received_at);
    assert!(
        lived.as_secs() > (12 * DAY) as i64,
        "the outage does not count: {lived}"
    );
    assert_eq!(story.outages.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn while_one_destination_answers_the_line_is_not_to_blame() {
    let relay = relay_with(20..32).await;
    let peer = relay.willing_peer(3).await;
    relay.send(SENDER, &["a@other.example"]).await;
    relay.pass(5).await;
    for n in 20..32 {
        relay.net.set_fault(at(n), Some(Fault::Silent));
        relay.send(SENDER, &[&format!("a@{}", domain(n))]).await;
    }
    relay.pass(300).await;
    assert_eq!(relay.engine.line_down_since(), None);
    relay.send(SENDER, &["b@other.example"]).await;
    relay.pass(5).await;
    assert_eq!(peer.taken().len(), 2);
}
