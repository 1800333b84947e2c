//! How many connections there may be.

use reception::Settings;

use crate::support::{LOCAL, Relay, settings};

#[tokio::test(start_paused = true)]
async fn one_client_has_its_limit_and_is_told() {
    let relay = Relay::start(Settings {
        max_connections_per_client: 2,
        ..settings()
    });
    let first = relay.session_from("192.0.2.1:1").await;
    let _second = relay.session_from("192.0.2.1:2").await;
    let mut third = relay.connect_from("192.0.2.1:3").await;
    let reply = third.expect("421 4.2.1 ").await;
    assert!(reply.contains("2 connections at a time"), "{reply}");
    third.expect_end().await;
    let _other = relay.session_from("192.0.2.2:1").await;
    drop(first);
    for _ in 0..1_000 {
        let mut again = relay.connect_from("192.0.2.1:4").await;
        if again.reply().await.starts_with("220 ") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the place was not given back");
}

#[tokio::test(start_paused = true)]
async fn all_clients_together_have_their_limit() {
    let relay = Relay::start(Settings {
        max_connections: 3,
        ..settings()
    });
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(relay.session().await);
    }
    let mut fourth = relay.connect_from(LOCAL).await;
    fourth.expect("421 4.3.2 ").await;
    fourth.expect_end().await;
    for client in &mut open {
        client.ask("NOOP", "250 ").await;
    }
}
