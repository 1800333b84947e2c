//! Who is there in a domain whose mail goes on: the relay asks a real next hop, or a real database, before it
//! takes mail.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

#[path = "../tls/authority.rs"]
#[allow(dead_code, reason = "more than is used here")]
mod authority;
mod encrypted;
#[path = "../sink/stage.rs"]
#[allow(dead_code, reason = "more than is used here")]
mod sinking;
mod tables;
#[path = "../process/talk.rs"]
#[allow(dead_code, reason = "more than is used here")]
mod talk;

use std::path::Path;
use std::time::Duration;

use peers::{Exim, Postfix, Relay, Sink, free_port, wait_until};
use talk::Talk;

const PATIENCE: Duration = Duration::from_secs(30);

fn relay(next_hop: u16, verify: &str) -> Relay {
    let config = format!(
        "[relay]\nnetworks = []\n[routes]\n\"dest.example\" = \"smtp://127.0.0.1:{next_hop}\"\n\
         [domains.\"dest.example\"]\nclass = \"relay\"\nverify = {verify}\n\
         [log]\nformat = \"json\"\nlevel = \"debug\"\n"
    );
    Relay::start(Path::new(env!("CARGO_BIN_EXE_postrider")), &config).unwrap()
}

/// What RCPT is answered.
fn rcpt(relay: &Relay, to: &str) -> String {
    let mut talk = Talk::begin(relay.port).unwrap();
    talk.ask("MAIL FROM:<anna@client.example>").unwrap();
    let reply = talk.ask(&format!("RCPT TO:<{to}>")).unwrap();
    talk.ask("QUIT").unwrap();
    reply
}

/// The event of our log in which this recipient is refused.
fn refused(relay: &Relay, to: &str) -> serde_json::Value {
    let found = wait_until(PATIENCE, || {
        let log = relay.log();
        let events = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let mut ours = events.filter(|event: &serde_json::Value| {
            event["message"] == "refused" && event["recipient"] == to
        });
        ours.next()
    });
    found.unwrap_or_else(|| panic!("no refusal of {to} in:\n{}", relay.log()))
}

#[test]
fn postfix_is_asked_once_about_whom_it_knows_and_whom_not_and_the_answers_outlive_a_restart() {
    let postfix = Postfix::start("").unwrap();
    let mut relay = relay(postfix.port, "true");
    let known = rcpt(&relay, "bert@dest.example");
    assert!(known.starts_with("250 "), "{known}\n{}", relay.log());
    let unknown = rcpt(&relay, "nobody@dest.example");
    assert!(
        unknown.starts_with(
            "550 5.1.1 no such recipient: the next hop of this server refuses nobody@dest.example: "
        ),
        "{unknown}"
    );
    assert!(unknown.contains("User unknown"), "{unknown}");
    let event = refused(&relay, "nobody@dest.example");
    assert_eq!(event["reason"], "refused-by-next-hop");
    let detail = event["detail"].as_str().unwrap();
    let port = postfix.port;
    assert!(
        detail.contains(&format!("127.0.0.1[127.0.0.1:{port}] said at ")),
        "{detail}"
    );
    assert!(
        detail.contains("550 5.1.1 <nobody@dest.example>"),
        "{detail}"
    );
    // Postfix of the tests takes every name but one.
    let told = wait_until(PATIENCE, || {
        relay
            .log()
            .contains("takes every name of the domain")
            .then_some(())
    });
    assert!(told.is_some(), "{}", relay.log());

    drop(postfix);
    relay.stop().unwrap();
    assert!(
        relay
            .log()
            .contains("next hops asked about recipients since the start")
    );
    relay.run().unwrap();
    assert!(rcpt(&relay, "bert@dest.example").starts_with("250 "));
    assert!(rcpt(&relay, "nobody@dest.example").starts_with("550 5.1.1 "));
    let new = rcpt(&relay, "carla@dest.example");
    assert!(new.starts_with("450 4.1.1 "), "{new}");
}

#[test]
fn exim_is_asked_and_says_whom_it_knows() {
    let exim = Exim::start("").unwrap();
    let relay = relay(exim.port, "true");
    let known = rcpt(&relay, "bert@dest.example");
    assert!(known.starts_with("250 "), "{known}\n{}", relay.log());
    let unknown = rcpt(&relay, "nobody@dest.example");
    assert!(
        unknown.starts_with("550 5.1.1 no such recipient: "),
        "{unknown}\n{}",
        relay.log()
    );
}

#[test]
fn while_the_next_hop_is_down_mail_is_put_off_or_taken_as_configured() {
    let port = free_port().unwrap();
    let strict = relay(port, "true");
    let reply = rcpt(&strict, "bert@dest.example");
    let begins = "450 4.1.1 cannot tell now whether bert@dest.example is at the next hop of this server: it cannot be reached; try again in ";
    assert!(
        reply.starts_with(begins) && reply.ends_with(" seconds"),
        "{reply}"
    );
    let event = refused(&strict, "bert@dest.example");
    assert_eq!(event["reason"], "next-hop-unanswered");
    assert_eq!(event["level"], "WARN");
    let detail = event["detail"].as_str().unwrap();
    assert!(detail.contains("nothing listens"), "{detail}");

    let lax = relay(port, "{ unanswered = \"accept\" }");
    let reply = rcpt(&lax, "bert@dest.example");
    assert!(reply.starts_with("250 "), "{reply}");
}

#[test]
fn a_next_hop_that_greylists_makes_nobody_unknown_and_is_asked_again_after_its_wait() {
    let rule = "at = \"rcpt\"\ntimes = 1\nreply = \"450 4.2.0 greylisted, try again in 3 seconds\"";
    let sink = Sink::start(vec![toml::from_str(rule).unwrap()]).unwrap();
    let relay = relay(sink.port, "true");
    let reply = rcpt(&relay, "bert@dest.example");
    assert!(reply.starts_with("450 4.1.1 "), "{reply}");
    assert!(
        reply.contains("it puts off whoever asks; try again in 15 seconds"),
        "{reply}"
    );
    assert!(rcpt(&relay, "bert@dest.example").starts_with("450 4.1.1 "));
    assert_eq!(
        sink.sessions(),
        1,
        "not asked again before the wait is over"
    );
    let taken = wait_until(PATIENCE, || {
        let reply = rcpt(&relay, "bert@dest.example");
        reply.starts_with("250 ").then_some(())
    });
    assert!(taken.is_some(), "{}", relay.log());
    assert_eq!(sink.count(), 0, "nothing was sent");
}

#[test]
fn another_server_may_be_asked_than_the_mail_goes_to() {
    let (asked, taking) = (
        Sink::start(vec![
            toml::from_str("at = \"rcpt\"\nonly = \"nobody\"\nreply = \"550 5.1.1 unknown user\"")
                .unwrap(),
        ])
        .unwrap(),
        Sink::start(Vec::new()).unwrap(),
    );
    let verify = format!("{{ server = \"smtp://127.0.0.1:{}\" }}", asked.port);
    let relay = relay(taking.port, &verify);
    let mut talk = Talk::begin(relay.port).unwrap();
    let answer = talk.mail(
        "a@client.example",
        "nobody@dest.example",
        b"Subject: x\r\n\r\nx\r\n",
    );
    assert!(answer.unwrap().starts_with("550 5.1.1 "));
    talk.ask("RSET").unwrap();
    let answer = talk.mail(
        "a@client.example",
        "bert@dest.example",
        b"Subject: x\r\n\r\nx\r\n",
    );
    assert!(answer.unwrap().starts_with("250 "));
    assert_eq!(taking.wait_for(1, PATIENCE), 1);
    assert_eq!(asked.count(), 0);
}
