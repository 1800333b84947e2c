//! Mail for programs of this machine: real processes, in real time.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use queue::RecipientState;
use queue::route::Routes;

use crate::relay::{Relay, causes};

/// A program that keeps what it is given in a file beside it, and ends as the first word of the local
/// part says.
const PROGRAM: &str = "#!/bin/sh
{ echo \"$0 $1 $2 $SENDER $RECIPIENT\"; cat; } > \"${0%/*}/$RECIPIENT\"
echo 'the disk has gone' >&2
exit \"${RECIPIENT%%-*}\"
";

#[tokio::test(flavor = "multi_thread")]
async fn a_program_takes_mail_or_says_by_its_status_why_not() {
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("deliver");
    std::fs::write(&program, PROGRAM).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut routes = Routes::default();
    let hop = format!("pipe:{} -d {{recipient}}", program.display());
    routes.insert("box.example", hop.parse().unwrap());
    let relay = Relay::start_with(routes, |_| {}).await;
    let cases = [
        ("0-anna", RecipientState::Delivered, None),
        ("67-bert", RecipientState::Failed, Some("mailbox.unknown")),
        (
            "75-carla",
            RecipientState::Queued,
            Some("mailbox.delivery-failed"),
        ),
        ("3-dirk", RecipientState::Queued, Some("us.local-failure")),
    ];
    for (local, state, cause) in cases {
        let to = format!("{local}@box.example");
        let id = relay.send("s@sender.example", &[&to]).await;
        let mut story = relay.story(id).await;
        for _ in 0..500 {
            if !story.attempts.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            story = relay.story(id).await;
        }
        assert_eq!(story.recipients[0].state, state, "{story:#?}");
        assert_eq!(causes(&story).first().copied(), cause, "{local}");
        if let Some(diagnosis) = &story.recipients[0].last {
            let words = diagnosis
                .evidence
                .iter()
                .any(|e| e.text == "the disk has gone");
            assert!(words, "its words are evidence: {diagnosis:?}");
        }
        let got = std::fs::read_to_string(place.path().join(&to)).unwrap();
        let program = program.display();
        let expected = format!(
            "{program} -d {to} s@sender.example {to}\n\
             Return-Path: <s@sender.example>\nDelivered-To: {to}\nSubject: {id}\n\nHello.\n"
        );
        assert_eq!(got, expected);
        // A failure of ours blocks the lane; the next case is not to wait for it.
        let key = story.recipients[0].destination.clone();
        relay.engine.wake(&key, relay.now());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_looks_like_an_option_is_given_to_no_program() {
    let mut routes = Routes::default();
    routes.insert(
        "box.example",
        "pipe:/bin/false {recipient}".parse().unwrap(),
    );
    let relay = Relay::start_with(routes, |_| {}).await;
    let id = relay.send("s@sender.example", &["-oX@box.example"]).await;
    for _ in 0..500 {
        if relay.story(id).await.recipients[0].state == RecipientState::Failed {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(causes(&relay.story(id).await), ["address.syntax"]);
}
