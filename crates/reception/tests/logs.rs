//! What the log tells: each message taken, each refusal with our reason, and no content. In a program
//! of its own, since a log is one for a whole program.
#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a test that cannot set up its stage fails; the stage has more than is used here"
)]

#[path = "it/support.rs"]
mod support;

use std::cell::RefCell;
use std::io::Write;
use std::sync::Once;
use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::support::{Mood, Relay, settings};

thread_local! {
    /// What this thread has logged; the tests' runtimes have one thread.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}
static SUBSCRIBER: Once = Once::new();

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn collect() -> Lines {
        SUBSCRIBER.call_once(|| {
            tracing_subscriber::fmt()
                .json()
                .flatten_event(true)
                .with_writer(|| Lines)
                .init();
        });
        LOGGED.take();
        Lines
    }

    fn events(&self) -> Vec<Value> {
        let bytes = LOGGED.take();
        assert!(
            !String::from_utf8_lossy(&bytes).contains("SECRET"),
            "content is logged"
        );
        let lines = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty());
        lines.map(|l| serde_json::from_slice(l).unwrap()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_taken_is_one_event_with_its_envelope() {
    let lines = Lines::collect();
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client.up_to_data().await;
    client.send(b"Subject: SECRET\r\n\r\nSECRET\r\n.\r\n").await;
    client.expect("250 ").await;
    let (kept, _) = relay.store.only();
    let events = lines.events();
    assert_eq!(events.len(), 1, "{events:?}");
    let event = &events[0];
    assert_eq!(event["message"], "accepted");
    assert_eq!(event["id"], kept.message.id.to_string());
    assert_eq!(event["client"], "127.0.0.1");
    assert_eq!(event["helo"], "client.example");
    assert_eq!(event["sender"], "a@client.example");
    assert_eq!(event["nrcpt"], 1);
    assert_eq!(event["size"], kept.message.size);
}

#[tokio::test(start_paused = true)]
async fn each_refusal_is_an_event_with_reason_and_reply() {
    let lines = Lines::collect();
    let relay = Relay::start(settings());
    let mut stranger = relay.session_from("192.0.2.7:1").await;
    stranger.ask("MAIL FROM:<a@client.example>", "250 ").await;
    stranger.ask("RCPT TO:<b@example.org>", "550 ").await;
    let mut client = relay.session().await;
    client.ask("FLY ME", "500 ").await;
    client.up_to_data().await;
    *relay.store.mood.lock() = Mood::BrokenAtAccept;
    client.send(b"Subject: SECRET\r\n\r\nSECRET\r\n.\r\n").await;
    client.expect("451 ").await;
    client.up_to_data().await;
    client.send(b"SECRET\nSECRET\r\n.\r\n").await;
    client.expect("554 ").await;
    relay.store.free.store(0, Ordering::SeqCst);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    client.ask("MAIL FROM:<a@client.example>", "452 ").await;

    let events = lines.events();
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event["reason"].as_str().unwrap(),
                event["level"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("relay-denied", "INFO"),
        ("command-refused", "INFO"),
        ("store-failed", "WARN"),
        ("content-refused", "INFO"),
        ("low-disk-space", "WARN"),
        ("low-disk-space", "WARN"),
    ];
    assert_eq!(told, expected, "{events:?}");
    assert_eq!(events[0]["client"], "192.0.2.7");
    assert_eq!(events[0]["recipient"], "b@example.org");
    assert_eq!(events[1]["line"], "FLY ME");
    assert_eq!(events[2]["sender"], "a@client.example");
    assert!(events[2]["id"].is_string());
    assert!(events[2]["detail"].as_str().unwrap().contains("malformed"));
    assert!(
        events[2]["reply"]
            .as_str()
            .unwrap()
            .starts_with("451 4.3.0 ")
    );
    assert!(events[3]["detail"].as_str().unwrap().contains("line 1"));
}
