//! What is in the queue before something can be seen outside.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use queue::{DestinationKey, MessageId, RecipientState, Store};

use crate::peer::{Answer, Ask};
use crate::relay::{Relay, states};

const SENDER: &str = "anna@sender.example";

/// The states of a message's recipients, asked for from within a server's script: the store in memory
/// answers at once.
fn states_now(store: &dyn Store, id: MessageId) -> Vec<RecipientState> {
    let story = pin!(store.story(id));
    match story.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(story) => states(&story.unwrap()),
        Poll::Pending => panic!("the store should answer at once"),
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_server_has_the_content_the_queue_knows_of_the_attempt() {
    let relay = Relay::start().await;
    let store = relay.store.clone();
    let (sent, seen) = (
        Arc::new(Mutex::new(None::<MessageId>)),
        Arc::new(Mutex::new(Vec::new())),
    );
    let (asked, noted) = (sent.clone(), seen.clone());
    let peer = relay
        .peer(1, move |ask| {
            if let (Ask::EndOfData, Some(id)) = (ask, *asked.lock()) {
                noted.lock().push(states_now(&*store, id));
            }
            match ask {
                Ask::Rcpt(to, _) if to.contains("full") => Answer::Say("452 4.2.2 over quota"),
                _ => Answer::Say(""),
            }
        })
        .await;
    let id = relay
        .send(SENDER, &["a@example.org", "full@example.org"])
        .await;
    *sent.lock() = Some(id);
    relay.pass(5).await;
    assert_eq!(peer.taken().len(), 1);
    assert_eq!(seen.lock()[..], [[RecipientState::Sending; 2]]);
    assert_eq!(
        states(&relay.story(id).await),
        [RecipientState::Delivered, RecipientState::Queued]
    );
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_the_queue_cannot_note_sends_no_content() {
    let relay = Relay::start().await;
    let peer = relay.willing_peer(1).await;
    relay.send(SENDER, &["a@example.org"]).await;
    // Not so long that the lane and its lease are given up.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(peer.taken().len(), 1);
    // Somebody else takes the destination: what is noted under the old lease is refused.
    let key = DestinationKey::new("mx:example.org");
    relay.store.lease(&key).await.unwrap();
    let id = relay.send(SENDER, &["a@example.org"]).await;
    relay.pass(2).await;
    assert_eq!(peer.taken().len(), 1, "nothing may go out");
    assert_eq!(states(&relay.story(id).await), [RecipientState::Queued]);
    // Nobody sends it, so we come back for it, once.
    assert_eq!(
        states(&relay.settled(id).await),
        [RecipientState::Delivered]
    );
    assert_eq!(peer.taken().len(), 2);
}
