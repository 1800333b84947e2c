//! Clients that speak for others (XCLIENT, the PROXY protocol), and servers next door (LMTP).

use reception::{Door, Neighbours, Role, Settings, Trusted};

use crate::support::{Relay, settings, world};

fn trusting() -> Settings {
    Settings {
        trusted: Trusted {
            xclient: vec!["198.51.100.0/24".parse().unwrap()],
            proxy: vec!["203.0.113.0/24".parse().unwrap()],
        },
        max_connections_per_client: 1,
        ..settings()
    }
}

const FILTER: &str = "198.51.100.9:5000";
const PROXY: &str = "203.0.113.9:5000";

#[tokio::test(start_paused = true)]
async fn a_trusted_client_says_by_xclient_for_whom_it_speaks() {
    let relay = Relay::start(trusting());
    let mut client = relay.session_from(FILTER).await;
    client
        .ask(
            "XCLIENT ADDR=127.0.0.1 PROTO=ESMTP HELO=real.example",
            "220 ",
        )
        .await;
    client.ask("EHLO real.example", "250").await;
    client.up_to_data().await;
    client.send(b"x\r\n.\r\n").await;
    client.expect("250 ").await;
    let (kept, text) = relay.store.only();
    assert_eq!(kept.message.origin.client, "127.0.0.1");
    assert!(
        text.starts_with("Received: from real.example ([127.0.0.1])"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn xclient_takes_rights_away_as_well_as_it_gives_them() {
    let relay = Relay::start(trusting());
    let mut client = relay.session_from(FILTER).await;
    for (told, may) in [
        ("ADDR=127.0.0.1", true),
        ("ADDR=192.0.2.1", false),
        ("LOGIN=anna", true),
        ("LOGIN=[UNAVAILABLE]", false),
        ("ADDR=IPV6:::1", true),
        ("ADDR=[UNAVAILABLE]", false),
    ] {
        client.ask(&format!("XCLIENT {told}"), "220 ").await;
        client.ask("EHLO client.example", "250").await;
        client.ask("MAIL FROM:<anna>", "501").await;
        client.ask("MAIL FROM:<>", "250").await;
        client
            .ask(
                "RCPT TO:<b@example.org>",
                if may { "250" } else { "550 5.7.1" },
            )
            .await;
        client.ask("RSET", "250").await;
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_else_may_say_xclient() {
    let relay = Relay::start(trusting());
    let mut client = relay.connect_from("198.51.101.9:5000").await;
    client.expect("220 ").await;
    let offers = client.ask("EHLO client.example", "250").await;
    assert!(!offers.contains("XCLIENT"), "{offers}");
    client.ask("XCLIENT ADDR=127.0.0.1", "502 5.5.1 ").await;
}

#[tokio::test(start_paused = true)]
async fn a_proxy_says_first_for_whom_it_connects() {
    let relay = Relay::start(trusting());
    let mut client = relay.connect_from(PROXY).await;
    client
        .send(b"PROXY TCP4 127.0.0.1 203.0.113.1 4711 25\r\nEHLO client.example\r\n")
        .await;
    client.expect("220 ").await;
    client.expect("250").await;
    client.up_to_data().await;
    client.send(b"x\r\n.\r\n").await;
    client.expect("250 ").await;
    assert_eq!(relay.store.only().0.message.origin.client, "127.0.0.1");
}

/// A header of version 2 for 192.0.2.7, with a vector after its addresses.
const SECOND: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x10\xc0\0\x02\x07\xcb\0\x71\x01\x10\0\0\x19\x04\0\x01x";

#[tokio::test(start_paused = true)]
async fn limits_count_the_client_behind_a_proxy_and_not_the_proxy() {
    let relay = Relay::start(trusting());
    let mut first = relay.connect_from(PROXY).await;
    first.send(SECOND).await;
    first.expect("220 ").await;
    let mut second = relay.connect_from(PROXY).await;
    second.send(SECOND).await;
    second.expect("421 4.2.1 ").await;
    let mut other = relay.connect_from(PROXY).await;
    other
        .send(b"PROXY TCP4 192.0.2.8 203.0.113.1 4711 25\r\n")
        .await;
    other.expect("220 ").await;
    other.ask("EHLO client.example", "250").await;
    other.ask("MAIL FROM:<>", "250").await;
    other
        .ask(
            "RCPT TO:<b@example.org>",
            "550 5.7.1 relay access denied: [192.0.2.8]",
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_proxy_without_a_header_is_sent_away_without_a_word() {
    let relay = Relay::start(trusting());
    let mut wrong = relay.connect_from(PROXY).await;
    wrong.send(b"EHLO client.example\r\n").await;
    wrong.expect_end().await;
    let start = tokio::time::Instant::now();
    let mut silent = relay.connect_from(PROXY).await;
    silent.expect_end().await;
    assert_eq!(start.elapsed().as_secs(), 5);
    let mut stranger = relay.connect_from("192.0.2.1:5000").await;
    stranger.expect("220 ").await;
    stranger
        .ask("PROXY TCP4 127.0.0.1 203.0.113.1 4711 25", "500 5.5.2 ")
        .await;
}

#[tokio::test(start_paused = true)]
async fn lmtp_answers_for_each_recipient_once_the_message_is_kept() {
    let door = Door {
        role: Role::Lmtp,
        implicit_tls: false,
    };
    let relay = Relay::start_at(world(), settings(), Neighbours::default(), door);
    let mut client = relay.connect_from("127.0.0.1:5000").await;
    let greeting = client.expect("220 ").await;
    assert!(greeting.contains(" LMTP "), "{greeting}");
    client.ask("EHLO client.example", "500 5.5.1 ").await;
    let offers = client.ask("LHLO client.example", "250").await;
    assert!(
        !offers.contains("CHUNKING") && offers.contains("PIPELINING"),
        "{offers}"
    );
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
    for to in ["b@example.org", "c@example.org"] {
        client.ask(&format!("RCPT TO:<{to}>"), "250 ").await;
    }
    client.ask("DATA", "354 ").await;
    client.send(b"x\r\n.\r\n").await;
    let (first, second) = (
        client.expect("250 2.0.0 Ok: queued as ").await,
        client.reply().await,
    );
    assert_eq!(first, second, "it is one message");
    client.ask("QUIT", "221 ").await;
    let (kept, text) = relay.store.only();
    assert_eq!(kept.recipients.len(), 2);
    assert!(text.contains(" with LMTP id "), "{text}");
}
