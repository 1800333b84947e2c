//! A real Postfix sends to the scenarios, and does what such a reply calls for.

use std::fmt::Write;
use std::time::Duration;

use peers::{Client, Mail, Place, Postfix, wait_until};

use crate::stage::{Sink, postrider};

const CONTENT: &[u8] =
    b"Subject: hi\r\n\r\nThis is longer than a hundred bytes, so that what happens in the content has the time to happen.\r\n";

/// A scenario, what becomes of a message to it, and words that Postfix logs with it.
const TABLE: [(&str, &str, &str); 19] = [
    ("dropped", "deferred", "lost connection"),
    (
        "unavailable",
        "deferred",
        "refused to talk to me: 421 4.2.1",
    ),
    ("mailbox-full", "deferred", "said: 452 4.2.2"),
    ("disk-full", "deferred", "said: 452 4.3.1"),
    ("queue-stopped", "deferred", "said: 432 4.3.2"),
    ("no-answer", "deferred", "Connection refused"),
    ("dropped-in-content", "deferred", "lost connection"),
    ("loop", "bounced", "said: 554 5.4.6"),
    ("expires", "deferred", "said: 451 4.3.0"),
    ("no-route", "deferred", "said: 449 4.4.9"),
    ("mailbox-busy", "sent", "250 2.0.0"),
    ("local-error", "deferred", "said: 451 4.3.0"),
    ("insufficient-storage", "sent", "250 2.0.0"),
    ("charset", "deferred", "said: 465 4.6.5"),
    ("greylisting", "deferred", "said: 451 4.7.1"),
    ("unknown-user", "bounced", "said: 550 5.1.1"),
    ("in-turn", "sent", "250 2.0.0"),
    ("no-extensions", "sent", "250 "),
    ("lost-after-dot", "sent", "250 2.0.0"),
];

/// A backoff of a second lets Postfix's queue manager read a deferred message while smtp(8) still
/// holds its lock; it then logs "skipped, still being delivered" and forgets the message until it
/// is started anew. Four seconds keep the two apart on a slow machine.
const RETRIES: &str = "queue_run_delay = 1s
minimal_backoff_time = 4s
maximal_backoff_time = 4s
";

#[test]
fn postfix_defers_bounces_and_delivers_as_the_scenario_calls_for() {
    let sinks: Vec<Sink> = TABLE.iter().map(|row| Sink::scenario(row.0)).collect();
    let mut transport = String::from("{");
    for ((name, _, _), sink) in TABLE.iter().zip(&sinks) {
        let _ = write!(
            transport,
            "{{{name}.example = smtp:[127.0.0.1]:{}}}, ",
            sink.port()
        );
    }
    transport += "}";
    let settings = format!(
        "{RETRIES}transport_maps = inline:{transport}
smtp_destination_concurrency_failed_cohort_limit = 0
smtp_destination_recipient_limit = 50
"
    );
    let postfix = Postfix::start(&settings).unwrap();
    for (name, _, _) in TABLE {
        let place = Place::new("client").unwrap();
        let many = if name == "insufficient-storage" {
            25
        } else {
            1
        };
        let to: Vec<String> = (0..many)
            .map(|n| format!("bert{n}@{name}.example"))
            .collect();
        let mail = Mail {
            from: "anna@client.example",
            to: &to,
            content: CONTENT,
        };
        Client::Smtplib
            .send(postfix.port, &mail, place.path(), postrider())
            .unwrap();
    }
    for ((name, status, words), sink) in TABLE.iter().zip(&sinks) {
        let seen = wait_until(Duration::from_secs(60), || {
            let log = postfix.log();
            let mut lines = log
                .lines()
                .filter(|line| line.contains(&format!("@{name}.example>")));
            let status = format!("status={status}");
            lines
                .any(|line| line.contains(&status) && line.contains(words))
                .then_some(())
        });
        assert!(seen.is_some(), "{name}: {}", log_of(&postfix, name));
        let taken = |sink: &Sink| -> usize {
            let messages = sink.messages();
            messages
                .iter()
                .map(|one| one["to"].as_array().unwrap().len())
                .sum()
        };
        let wanted = match (*name, *status) {
            ("insufficient-storage", _) => 25,
            (_, "sent") => 1,
            _ => 0,
        };
        let all = wait_until(Duration::from_secs(60), || {
            (taken(sink) == wanted).then_some(())
        });
        assert!(
            all.is_some(),
            "{name}: {} recipients, not {wanted}",
            taken(sink)
        );
    }
}

fn log_of(postfix: &Postfix, name: &str) -> String {
    let log = postfix.log();
    let lines = log.lines().filter(|line| line.contains(name));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn postfix_gives_up_on_what_always_defers() {
    let sink = Sink::scenario("expires");
    let settings = format!(
        "{RETRIES}relayhost = [127.0.0.1]:{}
maximal_queue_lifetime = 3s
bounce_queue_lifetime = 3s
",
        sink.port()
    );
    let postfix = Postfix::start(&settings).unwrap();
    let place = Place::new("client").unwrap();
    let mail = Mail {
        from: "anna@client.example",
        to: &["bert@far.example".to_owned()],
        content: CONTENT,
    };
    Client::Smtplib
        .send(postfix.port, &mail, place.path(), postrider())
        .unwrap();
    let expired = wait_until(Duration::from_secs(60), || {
        postfix.log().contains("status=expired").then_some(())
    });
    assert!(expired.is_some(), "{}", postfix.log());
    assert!(sink.get("/sessions")["sessions"].as_array().unwrap().len() >= 2);
}
