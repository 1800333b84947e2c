//! Routes that change between two starts.

use std::time::Duration;

use peers::{ClosedPort, Relay, Sink};
use serde_json::Value;

use crate::postrider;
use crate::talk::{Talk, content};

const PATIENCE: Duration = Duration::from_secs(30);

fn to(port: u16) -> String {
    format!("[routes]\n\"*\" = \"smtp://127.0.0.1:{port}\"\n")
}

fn hand_in(relay: &Relay, to: &str) {
    let mut talk = Talk::begin(relay.port).unwrap();
    let said = talk.mail("anna@client.example", to, &content("x", 100));
    assert!(said.unwrap().starts_with("250 "));
}

fn state(all: &[Value], recipient: &str) -> String {
    let mut of = all.iter().filter(|row| row["recipient"] == recipient);
    let row = of.next().unwrap();
    row["state"].as_str().unwrap().to_owned()
}

#[test]
fn after_a_kill_mail_goes_where_the_new_routes_say_and_what_is_held_too_when_it_is_released() {
    let closed = ClosedPort::take().unwrap();
    let sink = Sink::start(Vec::new()).unwrap();
    let mut relay = Relay::start(postrider(), &to(closed.port)).unwrap();
    hand_in(&relay, "bert@dest.example");
    relay.settled().unwrap();
    hand_in(&relay, "carl@dest.example");
    let all = relay.recipients().unwrap();
    let mut of = all.iter().filter(|r| r["recipient"] == "carl@dest.example");
    let held = of.next().unwrap()["id"].as_str().unwrap().to_owned();
    relay.ask(&["queue", "hold", &held]).unwrap();
    relay.kill();
    relay.configure(&to(sink.port)).unwrap();
    relay.run().unwrap();
    // Its next attempt was minutes away.
    let all = relay.wait(PATIENCE, |all| {
        state(all, "bert@dest.example") == "delivered"
    });
    assert_eq!(state(&all.unwrap(), "carl@dest.example"), "held");
    relay.ask(&["queue", "release", &held]).unwrap();
    let gone = relay.wait(PATIENCE, |all| {
        state(all, "carl@dest.example") == "delivered"
    });
    gone.unwrap();
    let story = relay.show(&held).unwrap().to_string();
    assert!(
        story.contains(&format!("smtp://127.0.0.1:{}", closed.port)),
        "{story}"
    );
}

#[test]
fn a_start_that_fails_on_a_file_has_opened_no_port_and_leaves_no_trace() {
    let relay = Relay::prepare(postrider(), "[auth]\nusers = \"/nowhere/users\"\n").unwrap();
    let mut command = relay.command();
    let output = command.arg("serve").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("/nowhere/users"), "{text}");
    for left in ["server.json", "control.sock"] {
        assert!(
            !relay.directory().join("data").join(left).exists(),
            "{left}"
        );
    }
    assert!(Talk::connect(relay.port).is_err());
}
