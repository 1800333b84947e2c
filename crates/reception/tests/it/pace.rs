//! Clients that take their time, and a relay that stops.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reception::Settings;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::support::{LOCAL, Relay, settings};

#[tokio::test(start_paused = true)]
async fn an_idle_client_is_told_and_let_go_after_five_minutes() {
    let relay = Relay::start(settings());
    let mut client = relay.connect_from(LOCAL).await;
    let start = Instant::now();
    client.expect("220 ").await;
    client.expect("421 4.4.2 ").await;
    client.expect_end().await;
    assert_eq!(start.elapsed().as_secs(), 300);
}

#[tokio::test(start_paused = true)]
async fn each_command_gives_five_minutes_more() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(299)).await;
        client.ask("NOOP", "250 ").await;
    }
    let reply = client.expect("421 4.4.2 ").await;
    assert!(reply.contains("no command for 5 minutes"), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn a_command_at_one_byte_a_second_runs_out_of_time() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    let start = Instant::now();
    while client.stream.write_all(b"x").await.is_ok() && start.elapsed().as_secs() < 1_000 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    client.expect("421 4.4.2 ").await;
    assert!(start.elapsed().as_secs() < 310);
}

#[tokio::test(start_paused = true)]
async fn content_at_one_byte_a_second_runs_out_of_time_with_the_reason() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client.up_to_data().await;
    let start = Instant::now();
    while client.stream.write_all(b"x").await.is_ok() && start.elapsed().as_secs() < 1_000 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let reply = client.expect("421 4.4.2 ").await;
    assert!(reply.contains("fewer than 256 a second"), "{reply}");
    relay.nothing_left().await;
    assert!(relay.store.messages().is_empty() && start.elapsed().as_secs() < 200);
}

#[tokio::test(start_paused = true)]
async fn silence_within_the_content_ends_the_session() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client.up_to_data().await;
    client.send("line\r\n".repeat(30_000).as_bytes()).await;
    let reply = client.expect("421 4.4.2 ").await;
    assert!(reply.contains("nothing more for 3 minutes"), "{reply}");
    client.expect_end().await;
    relay.nothing_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_that_keeps_up_may_take_all_day() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client.up_to_data().await;
    let line = format!("{}\r\n", "x".repeat(598));
    for _ in 0..3_600 {
        tokio::time::sleep(Duration::from_secs(2)).await;
        client.send(line.as_bytes()).await;
    }
    client.send(b".\r\n").await;
    client.expect("250 ").await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_idle_sessions_at_once_and_takes_no_more() {
    let relay = Relay::start(settings());
    let mut greeted = relay.connect_from(LOCAL).await;
    greeted.expect("220 ").await;
    let mut in_transaction = relay.session().await;
    in_transaction
        .ask("MAIL FROM:<a@client.example>", "250 ")
        .await;
    let start = Instant::now();
    relay.stop.send(true).unwrap();
    for client in [&mut greeted, &mut in_transaction] {
        let reply = client.expect("421 4.3.2 ").await;
        assert!(reply.contains("shutting down"), "{reply}");
        client.expect_end().await;
    }
    relay.serving.await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_content_end_and_confirms_it() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client.up_to_data().await;
    client.send(b"half").await;
    relay.stop.send(true).unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    client.send(b" and half\r\n.\r\n").await;
    client.expect("250 2.0.0 ").await;
    client.expect("421 4.3.2 ").await;
    client.expect_end().await;
    relay.serving.await.unwrap();
    assert_eq!(relay.store.messages().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_content_beyond_the_grace_period() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client.up_to_data().await;
    relay.stop.send(true).unwrap();
    let start = Instant::now();
    let reply = client.expect("421 4.3.2 ").await;
    assert!(reply.contains("did not end within 30 seconds"), "{reply}");
    drop(client);
    relay.nothing_left().await;
    let store = relay.store;
    relay.serving.await.unwrap();
    assert!(store.messages().is_empty() && start.elapsed().as_secs() < 35);
}

#[tokio::test(start_paused = true)]
async fn a_commit_under_way_at_a_stop_is_confirmed() {
    let relay = Relay::start(Settings {
        grace: Duration::from_secs(3),
        ..settings()
    });
    *relay.store.delay.lock() = Duration::from_secs(10);
    let mut client = relay.session().await;
    client.up_to_data().await;
    client.send(b"x\r\n.\r\n").await;
    while !relay.store.accepting.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    relay.stop.send(true).unwrap();
    client.expect("250 2.0.0 ").await;
    relay.serving.await.unwrap();
    assert_eq!(relay.store.messages().len(), 1);
}
