//! The store fails, or the client goes away.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::{Mood, Relay, settings};

#[tokio::test(start_paused = true)]
async fn each_failure_of_the_store_has_its_answer_and_nothing_is_confirmed() {
    for (mood, answer, calls) in [
        (Mood::FullWhileWriting, "452 4.3.1 ", 0),
        (Mood::FullAtAccept, "452 4.3.1 ", 2),
        (Mood::BrokenAtAccept, "451 4.3.0 ", 2),
        (Mood::UncertainAtAccept, "451 4.3.0 ", 2),
    ] {
        let relay = Relay::start(settings());
        *relay.store.mood.lock() = mood;
        let mut client = relay.session().await;
        client.up_to_data().await;
        client
            .send(format!("{}.\r\n", "line\r\n".repeat(5_000)).as_bytes())
            .await;
        client.expect(answer).await;
        relay.nothing_left().await;
        assert_eq!(relay.courier.calls.lock().len(), calls, "{mood:?}");
        // The same session works again as soon as the store does.
        *relay.store.mood.lock() = Mood::Keeps;
        client.up_to_data().await;
        client.send(b"x\r\n.\r\n").await;
        client.expect("250 ").await;
        assert_eq!(relay.store.messages().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn without_room_mail_is_refused_before_its_content_and_room_is_asked_for_once_a_second() {
    let relay = Relay::start(settings());
    relay.store.free.store(33 * 1024 * 1024, Ordering::SeqCst);
    let mut client = relay.session().await;
    // 32 MiB must remain after the message.
    client
        .ask("MAIL FROM:<a@client.example> SIZE=2000000", "452 4.3.1 ")
        .await;
    for _ in 0..100 {
        client
            .ask("MAIL FROM:<a@client.example> SIZE=1000", "250 ")
            .await;
        client.ask("RSET", "250 ").await;
    }
    assert_eq!(relay.store.free_asked.load(Ordering::SeqCst), 1);
    relay.store.free.store(1_000, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let reply = client
        .ask("MAIL FROM:<a@client.example>", "452 4.3.1 ")
        .await;
    assert!(
        reply.contains("0 KiB free") && reply.contains("40 MiB needed"),
        "{reply}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_at_any_byte_leaves_nothing_staged() {
    let transcript = b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n\
        Subject: x\r\n\r\nx\r\n.\r";
    let relay = Relay::start(settings());
    for end in 0..=transcript.len() {
        let mut client = relay.session().await;
        client.send(&transcript[..end]).await;
    }
    relay.nothing_left().await;
    assert!(relay.store.messages().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_after_the_end_of_data_has_sent_its_message() {
    let relay = Relay::start(settings());
    *relay.store.delay.lock() = Duration::from_secs(1);
    let mut client = relay.session().await;
    client.up_to_data().await;
    client.send(b"x\r\n.\r\n").await;
    drop(client);
    tokio::time::sleep(Duration::from_secs(5)).await;
    relay.nothing_left().await;
    assert_eq!(relay.store.messages().len(), 1);
}
