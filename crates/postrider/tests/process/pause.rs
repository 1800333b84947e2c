//! Receiving is stopped and opened again by the administrator.

use peers::Relay;

use crate::postrider;
use crate::talk::{Talk, content};

const ROUTES: &str = "[routes]\n\"*\" = \"smtp://127.0.0.1:9\"\n";

fn at_mail(relay: &Relay) -> String {
    let mut talk = Talk::begin(relay.port).unwrap();
    talk.ask("MAIL FROM:<anna@client.example>").unwrap()
}

#[test]
fn a_pause_of_receiving_holds_over_a_kill_and_a_restart_until_resume() {
    let mut relay = Relay::start(postrider(), ROUTES).unwrap();
    let mut under_way = Talk::begin(relay.port).unwrap();
    under_way.ask("MAIL FROM:<anna@client.example>").unwrap();
    let said = relay.ask(&["pause"]).unwrap();
    assert!(said.contains("postrider resume"), "{said}");
    let reply = at_mail(&relay);
    assert!(reply.starts_with("421 4.3.2 "), "{reply}");
    assert!(reply.ends_with("; try again in 300 seconds"), "{reply}");
    // What was begun before may end.
    under_way.ask("RCPT TO:<bert@dest.example>").unwrap();
    under_way.ask("DATA").unwrap();
    under_way.send(&content("x", 100)).unwrap();
    assert!(under_way.ask(".").unwrap().starts_with("250 "));

    relay.kill();
    relay.run().unwrap();
    assert!(at_mail(&relay).starts_with("421 4.3.2 "));
    assert!(
        relay.log().contains("receiving is paused"),
        "{}",
        relay.log()
    );
    relay.ask(&["resume"]).unwrap();
    assert!(at_mail(&relay).starts_with("250 "));
}

#[test]
fn without_a_server_the_pause_is_written_down_for_the_next_start() {
    let mut relay = Relay::prepare(postrider(), ROUTES).unwrap();
    relay.ask(&["pause"]).unwrap();
    relay.run().unwrap();
    assert!(at_mail(&relay).starts_with("421 4.3.2 "));
    assert!(relay.stop().unwrap());
    relay.ask(&["resume"]).unwrap();
    relay.run().unwrap();
    assert!(at_mail(&relay).starts_with("250 "));
}
