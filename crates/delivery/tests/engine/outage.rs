//! Destinations that are down, many messages, and the administrator.

use queue::{DestinationKey, RecipientState};
use world::Fault;

use crate::peer::{Answer, Ask, at};
use crate::relay::{Relay, causes, states};

const SENDER: &str = "anna@sender.example";

#[tokio::test(start_paused = true)]
async fn many_messages_arrive_once_each_over_few_connections() {
    let relay = Relay::start().await;
    let peer = relay.willing_peer(1).await;
    for _ in 0..1000 {
        relay.send(SENDER, &["a@example.org"]).await;
    }
    for _ in 0..600 {
        if peer.taken().len() >= 1000 {
            break;
        }
        relay.pass(1).await;
    }
    let mut subjects: Vec<String> = peer.taken().into_iter().map(|t| t.content).collect();
    assert_eq!(subjects.len(), 1000);
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), 1000, "no message twice");
    let (all, most) = peer.connections();
    assert!(
        most <= 20 && all <= 40,
        "{all} connections, {most} at a time"
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_probed_and_everything_arrives_after_it() {
    let relay = Relay::start().await;
    for n in [1, 2] {
        relay.net.set_fault(at(n), Some(Fault::Refused));
    }
    let peer = relay.willing_peer(1).await;
    let mut ids = Vec::new();
    for _ in 0..200 {
        ids.push(relay.send(SENDER, &["a@example.org"]).await);
    }
    relay.pass(6 * 3600).await;
    let attempts: usize = {
        let mut count = 0;
        for id in &ids {
            count += relay.story(*id).await.attempts.len();
        }
        count
    };
    assert!(
        attempts < 60,
        "one probe at a time, not everybody: {attempts} attempts in six hours"
    );
    relay.net.set_fault(at(1), None);
    for _ in 0..200 {
        if peer.taken().len() >= 200 {
            break;
        }
        relay.pass(60).await;
    }
    assert_eq!(peer.taken().len(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_dead_destination_does_not_hold_up_another() {
    let relay = Relay::start().await;
    for n in [1, 2] {
        relay.net.set_fault(at(n), Some(Fault::Silent));
    }
    let other = relay.willing_peer(3).await;
    for _ in 0..50 {
        relay.send(SENDER, &["a@example.org"]).await;
    }
    relay.send(SENDER, &["a@other.example"]).await;
    relay.pass(1).await;
    assert_eq!(other.taken().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_delivered_in_five_days_is_reported_with_its_history() {
    let relay = Relay::start().await;
    for n in [1, 2] {
        relay.net.set_fault(at(n), Some(Fault::Refused));
    }
    let home = relay.willing_peer(9).await;
    let sent = relay.now();
    let ids = [
        relay.send(SENDER, &["a@example.org"]).await,
        relay.send(SENDER, &["b@example.org"]).await,
    ];
    for id in ids {
        let story = relay.settled(id).await;
        assert_eq!(states(&story), [RecipientState::Failed]);
        assert_eq!(causes(&story).last(), Some(&"queue.expired"));
        assert!(relay.now().duration_since(sent).as_secs() >= 5 * 86_400);
    }
    relay.pass(60).await;
    let (delayed, failed): (Vec<_>, Vec<_>) = home
        .taken()
        .into_iter()
        .partition(|taken| taken.content.contains("Action: delayed"));
    assert_eq!((delayed.len(), failed.len()), (2, 2));
    assert!(
        failed[0].content.contains("Status: 4.4.7"),
        "{}",
        failed[0].content
    );
}

#[tokio::test(start_paused = true)]
async fn a_drop_in_mid_content_is_certain_not_to_have_arrived() {
    let relay = Relay::start().await;
    relay.net.set_fault(at(1), Some(Fault::CutAfter(120)));
    let peer = relay.willing_peer(1).await;
    let big = relay.send(SENDER, &["a@example.org"]).await;
    relay.pass(5).await;
    let story = relay.story(big).await;
    // So short a message is cut in its envelope or content, before the final dot.
    assert!(
        matches!(
            causes(&story)[..],
            ["connection.dropped", ..] | ["connection.outcome-unknown", ..]
        ),
        "{story:#?}"
    );
    relay.net.set_fault(at(1), None);
    assert_eq!(
        states(&relay.settled(big).await),
        [RecipientState::Delivered]
    );
    assert!(!peer.taken().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_paused_destination_waits_and_goes_on_when_resumed() {
    let relay = Relay::start().await;
    let peer = relay.willing_peer(1).await;
    let key = DestinationKey::new("mx:example.org");
    relay.store.pause(&key, true, relay.now()).await.unwrap();
    relay.engine.set_paused(&key, true);
    relay.send(SENDER, &["a@example.org"]).await;
    relay.pass(7200).await;
    assert_eq!(peer.taken().len(), 0);
    relay.store.pause(&key, false, relay.now()).await.unwrap();
    relay.engine.set_paused(&key, false);
    relay.pass(5).await;
    assert_eq!(peer.taken().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_held_message_is_left_alone_and_a_released_one_goes_out() {
    let relay = Relay::start().await;
    let mut refuse = true;
    let peer = relay
        .peer(1, move |ask| match ask {
            Ask::Mail if std::mem::take(&mut refuse) => Answer::Say("451 4.3.0 try later"),
            _ => Answer::Say(""),
        })
        .await;
    let id = relay.send(SENDER, &["a@example.org"]).await;
    relay.pass(5).await;
    relay.engine.withdraw(id, None);
    relay
        .store
        .change(id, None, RecipientState::Held, relay.now())
        .await
        .unwrap();
    relay.pass(86_400).await;
    assert_eq!(
        (peer.taken().len(), states(&relay.story(id).await)),
        (0, vec![RecipientState::Held])
    );
    let changed = relay
        .store
        .change(id, None, RecipientState::Queued, relay.now())
        .await
        .unwrap();
    for recipient in changed {
        relay.engine.wake(&recipient.destination, relay.now());
    }
    relay.pass(5).await;
    assert_eq!(states(&relay.story(id).await), [RecipientState::Delivered]);
    assert_eq!(peer.taken().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_the_sessions_and_loses_nothing() {
    let relay = Relay::start().await;
    let peer = relay.willing_peer(1).await;
    for _ in 0..50 {
        relay.send(SENDER, &["a@example.org"]).await;
    }
    let cut_off = relay.engine.stop(std::time::Duration::from_secs(60)).await;
    assert_eq!(cut_off, 0);
    let filter = queue::RowFilter {
        open_only: true,
        limit: 1000,
        ..queue::RowFilter::default()
    };
    let waiting = relay.store.rows(filter).await.unwrap().len();
    assert_eq!(peer.taken().len() + waiting, 50);
}

#[tokio::test(start_paused = true)]
async fn the_administrators_waits_stand_in_place_of_the_tables() {
    use diagnosis::Cause;
    use queue::policy::{OwnWaits, Rhythm};
    let minutes = |n: u64| std::time::Duration::from_secs(60 * n);
    let rhythm = Rhythm {
        first: minutes(5),
        factor: 1.0,
        cap: minutes(5),
    };
    let waits = OwnWaits::new([(Cause::ConnectionRefused, rhythm)].into());
    let change = |settings: &mut delivery::Settings| settings.waits = waits;
    let relay = Relay::start_with(queue::route::Routes::default(), change).await;
    for n in [1, 2] {
        relay.net.set_fault(at(n), Some(Fault::Refused));
    }
    let id = relay.send(SENDER, &["a@example.org"]).await;
    relay.pass(3600).await;
    // By the table it would be three.
    let attempts = relay.story(id).await.attempts.len();
    assert!((10..=15).contains(&attempts), "{attempts}");
}
