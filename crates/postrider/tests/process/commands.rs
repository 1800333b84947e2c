//! `queue …`, `pause`, `resume`: with a server and without.

use std::time::Duration;

use peers::{ClosedPort, Relay, Sink};
use serde_json::Value;

use crate::postrider;
use crate::talk::{Talk, content};

/// A relay with one message that cannot be delivered yet; its name.
fn stuck(port: u16) -> (Relay, String) {
    let config = format!("[routes]\n\"*\" = \"smtp://127.0.0.1:{port}\"\n");
    let relay = Relay::start(postrider(), &config).unwrap();
    let mut talk = Talk::begin(relay.port).unwrap();
    let reply = talk
        .mail(
            "anna@client.example",
            "bert@dest.example",
            &content("x", 200),
        )
        .unwrap();
    assert!(reply.starts_with("250 "), "{reply}");
    let id = relay.settled().unwrap()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    (relay, id)
}

fn state(relay: &Relay) -> String {
    relay.recipients().unwrap()[0]["state"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn complaint(relay: &Relay, arguments: &[&str]) -> String {
    relay.ask(arguments).unwrap_err().to_string()
}

#[test]
fn a_message_is_held_released_tried_and_dropped() {
    let closed = ClosedPort::take().unwrap();
    let (mut relay, id) = stuck(closed.port);
    for server in ["running", "stopped"] {
        assert!(
            relay.ask(&["queue", "hold", &id]).unwrap().contains("held"),
            "{server}"
        );
        assert_eq!(state(&relay), "held", "{server}");
        assert!(
            complaint(&relay, &["queue", "hold", &id])
                .contains("nothing to do: its recipients are held")
        );
        relay.ask(&["queue", "release", &id]).unwrap();
        relay
            .ask(&["queue", "retry", &id, "--recipient", "bert@dest.example"])
            .unwrap();
        if server == "running" {
            relay
                .wait(Duration::from_secs(30), |all| {
                    all[0]["attempts"].as_u64() > Some(1)
                })
                .unwrap();
        }
        relay.stop().unwrap();
    }
    let part = &id[id.len() - 8..];
    let line = relay.ask(&["queue", "drop", "--json", part]).unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&line["state"], &line["recipients"][0]),
        (&"dropped".into(), &"bert@dest.example".into())
    );
    assert!(
        relay
            .ask(&["queue", "list"])
            .unwrap()
            .contains("The queue is empty")
    );
    let story = relay.ask(&["queue", "show", &id]).unwrap();
    assert!(story.contains("dropped"), "{story}");
}

#[test]
fn a_paused_destination_waits_until_it_is_resumed() {
    let sink = Sink::start(Vec::new()).unwrap();
    let config = format!(
        "[routes]\n\"dest.example\" = \"smtp://127.0.0.1:{}\"\n",
        sink.port
    );
    let relay = Relay::start(postrider(), &config).unwrap();
    relay.ask(&["pause", "dest.example"]).unwrap();
    let mut talk = Talk::begin(relay.port).unwrap();
    talk.mail(
        "anna@client.example",
        "bert@dest.example",
        &content("x", 200),
    )
    .unwrap();
    let list = relay.ask(&["queue", "list"]).unwrap();
    assert!(list.contains("paused"), "{list}");
    assert_eq!(sink.count(), 0);
    relay.ask(&["resume", "dest.example"]).unwrap();
    assert_eq!(sink.wait_for(1, Duration::from_secs(30)), 1);
    let paused = complaint(&relay, &["pause", "not a domain"]);
    assert!(paused.contains("is no destination"), "{paused}");
}

#[test]
fn export_writes_the_message_as_it_was_taken() {
    let closed = ClosedPort::take().unwrap();
    let (relay, id) = stuck(closed.port);
    let out = relay.ask(&["queue", "export", &id]).unwrap();
    assert!(out.starts_with("Received: from client.example"), "{out}");
    let sent = String::from_utf8(content("x", 200)).unwrap();
    assert!(out.ends_with(&sent), "{out}");
    let directory = relay.directory().to_str().unwrap().to_owned();
    relay
        .ask(&["queue", "export", "--to", &directory, &id])
        .unwrap();
    assert_eq!(
        std::fs::read_to_string(relay.directory().join(format!("{id}.eml"))).unwrap(),
        out
    );
}

#[test]
fn stories_come_in_both_languages_and_as_json() {
    let closed = ClosedPort::take().unwrap();
    let (relay, id) = stuck(closed.port);
    let english = relay.ask(&["queue", "show", &id]).unwrap();
    assert!(
        english.contains("Who must act") && english.contains("server.connection-refused"),
        "{english}"
    );
    let dutch = relay.ask(&["queue", "show", "--lang", "nl", &id]).unwrap();
    assert!(dutch.contains("Wie is aan zet"), "{dutch}");
    let by_environment = relay
        .command()
        .env("LANG", "nl_NL.UTF-8")
        .args(["queue", "show", &id])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&by_environment.stdout).contains("Wie is aan zet"));
    let story = relay.show(&id).unwrap();
    let recipient = &story["recipients"][0];
    assert_eq!(recipient["cause"], "server.connection-refused");
    assert_eq!(recipient["diagnosis"]["stage"], "connect");
    assert!(recipient["next_attempt"].is_string());
    assert!(recipient["explanation"]["headline"].is_string());
    assert!(story["attempts"][0]["steps"].as_array().unwrap().len() > 1);
}

#[test]
fn what_is_not_there_is_said() {
    let closed = ClosedPort::take().unwrap();
    let (relay, id) = stuck(closed.port);
    assert!(complaint(&relay, &["queue", "show", "zzzzzzzz"]).contains("zzzzzzzz"));
    let not = complaint(
        &relay,
        &["queue", "hold", &id, "--recipient", "x@y.example"],
    );
    assert!(not.contains("`x@y.example` is no recipient of"), "{not}");
    let empty = Relay::prepare(postrider(), "").unwrap();
    assert!(complaint(&empty, &["queue", "list"]).contains("there is no queue in"));
    let none = complaint(&empty, &["pause", "dest.example"]);
    assert!(none.contains("postrider serve"), "{none}");
}
