//! Each of the fifteen against swaks, msmtp and Python's smtplib: what they see, and what stays.

use peers::{Client, Mail, Place};

use crate::stage::{Sink, postrider};

const CLIENTS: [Client; 3] = [Client::Swaks, Client::Msmtp, Client::Smtplib];
const CONTENT: &[u8] =
    b"Date: Thu, 01 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@client.example>\r\nFrom: anna@client.example\r\nTo: bert@dest.example\r\nSubject: hi\r\n\r\nThis is longer than a hundred bytes, so that what happens in the content has the time to happen.\r\n";

/// Hands in the message; what the client said, and whether it was content.
fn send(client: Client, sink: &Sink, to: &[String]) -> (bool, String) {
    let place = Place::new("client").unwrap();
    let mail = Mail {
        from: "anna@client.example",
        to,
        content: CONTENT,
    };
    match client.send(sink.port(), &mail, place.path(), postrider()) {
        Ok(said) => (true, said),
        Err(error) => (false, error.to_string()),
    }
}

/// Words of any client for a connection that is gone.
const GONE: &[&str] = &[
    "closed",
    "reset",
    "Broken pipe",
    "unexpectedly",
    "EOF",
    "network read error",
    "lost",
];
const REFUSED: &[&str] = &["refused"];

/// A scenario, and words of which every client says some.
const FIFTEEN: [(&str, &[&str]); 15] = [
    ("dropped", GONE),
    (
        "unavailable",
        &["421 4.2.1", "4.2.1 sink.example Service not available"],
    ),
    (
        "mailbox-full",
        &["4.2.2 <bert@dest.example> Mailbox is full"],
    ),
    ("disk-full", &["4.3.1 Insufficient system storage"]),
    (
        "queue-stopped",
        &["4.3.2 sink.example is not accepting messages"],
    ),
    ("no-answer", REFUSED),
    ("dropped-in-content", GONE),
    ("loop", &["5.4.6 Too many hops"]),
    ("expires", &["4.3.0 Temporary failure"]),
    ("no-route", &["4.4.9 No route to the domain"]),
    ("mailbox-busy", &["4.2.0 Mailbox busy"]),
    ("local-error", &["4.3.0 Requested action aborted"]),
    ("insufficient-storage", &["4.5.3 Too many recipients"]),
    ("charset", &["4.6.5 The character set"]),
    (
        "greylisting",
        &["4.7.1 Greylisting in action, please try again in 30 seconds"],
    ),
];

#[test]
fn each_of_the_fifteen_is_what_real_clients_see() {
    for (name, words) in FIFTEEN {
        for client in CLIENTS {
            let sink = Sink::scenario(name);
            let many = if name == "insufficient-storage" {
                12
            } else {
                1
            };
            let mut to = vec!["bert@dest.example".to_owned()];
            to.extend((1..many).map(|n| format!("bert{n}@dest.example")));
            let (_, said) = send(client, &sink, &to);
            let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                words.iter().any(|word| flat.contains(word)),
                "{name} {client:?}: {said}"
            );
            let kept = sink.messages();
            match (name, client) {
                // swaks goes on with the recipients that were accepted.
                ("insufficient-storage", Client::Swaks) => {
                    assert_eq!(kept[0]["to"].as_array().unwrap().len(), 10, "{said}");
                    assert_eq!(kept[0]["refused"].as_array().unwrap().len(), 2, "{said}");
                }
                _ => assert!(kept.is_empty(), "{name} {client:?}: {kept:?}"),
            }
        }
    }
}

#[test]
fn clients_that_come_back_are_accepted_where_the_scenario_says_so() {
    for (name, refusals) in [
        ("mailbox-busy", 2),
        ("greylisting-attempts", 2),
        ("in-turn", 3),
    ] {
        for client in CLIENTS {
            let sink = Sink::scenario(name);
            let to = ["bert@dest.example".to_owned()];
            for attempt in 0..refusals {
                let (taken, said) = send(client, &sink, &to);
                assert!(!taken, "{name} {client:?} {attempt}: {said}");
            }
            let (taken, said) = send(client, &sink, &to);
            assert!(taken, "{name} {client:?}: {said}");
            let kept = sink.messages();
            assert_eq!(kept.len(), 1);
            assert_eq!(kept[0]["subject"], "hi");
        }
    }
}

#[test]
fn a_message_arrives_as_it_was_handed_in() {
    for client in CLIENTS {
        let sink = Sink::start(&[]);
        let (taken, said) = send(client, &sink, &["bert@dest.example".to_owned()]);
        assert!(taken, "{client:?}: {said}");
        let (status, raw) = sink.ask("GET", "/messages/1/raw", "");
        assert_eq!(status, 200);
        assert_eq!(raw.as_bytes(), CONTENT, "{client:?}");
    }
}
