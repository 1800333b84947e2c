//! What the client asks for with MAIL and RCPT, kept with the message or refused.

use std::time::Duration;

use queue::{BodyKind, Options};
use reception::{Role, Settings};
use smtp::envelope::{ByMode, EnvelopeId, Notify, Priority, Return};

use crate::support::{Client, Relay, settings};
use crate::users::{Stage, plain};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test(start_paused = true)]
async fn what_the_sender_wants_to_hear_is_kept_with_the_message_and_each_recipient() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    let mail = "MAIL FROM:<a@client.example> RET=HDRS ENVID=QQ314159 MT-PRIORITY=4";
    client.ask(mail, "250 ").await;
    let rcpt = "RCPT TO:<b@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bert+2Bx@example.org";
    client.ask(rcpt, "250 ").await;
    client.ask("RCPT TO:<c@example.org>", "250 ").await;
    client.ask("DATA", "354 ").await;
    client.send(b"x\r\n.\r\n").await;
    client.expect("250 ").await;
    let (kept, _) = relay.store.only();
    let options = Options {
        ret: Some(Return::Headers),
        envelope_id: EnvelopeId::parse("QQ314159"),
        priority: Priority::new(4),
        ..Options::default()
    };
    assert_eq!(kept.message.options, options);
    let [asked, unasked] = &kept.recipients[..] else {
        panic!("two recipients");
    };
    assert_eq!(asked.options.notify, Notify::parse("SUCCESS,DELAY"));
    let original = asked.options.original.as_ref().unwrap();
    assert_eq!(original.address, "bert+x@example.org");
    assert_eq!(unasked.options.notify(), Notify::UNASKED);
}

#[tokio::test(start_paused = true)]
async fn binary_content_is_kept_byte_for_byte() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client
        .ask("MAIL FROM:<a@client.example> BODY=BINARYMIME", "250 ")
        .await;
    client.ask("RCPT TO:<b@example.org>", "250 ").await;
    client.ask("DATA", "503 5.5.1").await;
    client.send(b"BDAT 9 LAST\r\nA: b\r\n\r\n\0").await;
    client.expect("250 ").await;
    let (kept, text) = relay.store.only();
    assert_eq!(kept.message.body_kind, BodyKind::Binary);
    assert!(text.ends_with("A: b\r\n\r\n\0"), "{text:?}");
}

#[tokio::test(start_paused = true)]
async fn a_held_message_waits_and_has_its_lifetime_after_that() {
    let relay = Relay::start(Settings {
        max_hold: HOUR,
        ..settings()
    });
    let mut client = relay.session().await;
    client
        .ask("MAIL FROM:<a@client.example> HOLDFOR=1800", "250 ")
        .await;
    client.ask("RCPT TO:<b@example.org>", "250 ").await;
    client.ask("DATA", "354 ").await;
    client.send(b"x\r\n.\r\n").await;
    client.expect("250 ").await;
    let (kept, _) = relay.store.only();
    let until = kept.message.received_at + HOUR / 2;
    assert_eq!(kept.message.options.hold_until, Some(until));
    assert_eq!(kept.recipients[0].next_attempt, until);
    assert_eq!(kept.message.expires_at, until + settings().lifetime);
    assert_eq!(kept.basis(), Some(queue::Basis::SenderAsked));
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_held_too_long_or_delivered_before_its_release_is_refused() {
    let relay = Relay::start(Settings {
        max_hold: HOUR,
        ..settings()
    });
    let mut client = relay.session().await;
    for (parameters, reason) in [
        ("HOLDFOR=3601", "501 5.5.4 the message is to be held until "),
        (
            "HOLDUNTIL=2999-01-01T00:00:00Z",
            "501 5.5.4 the message is to be held until 2999-01-01T00:00:00Z; ",
        ),
        (
            "HOLDFOR=60 BY=30;R",
            "501 5.5.4 the message is to be delivered by ",
        ),
    ] {
        client
            .ask(
                &format!("MAIL FROM:<a@client.example> {parameters}"),
                reason,
            )
            .await;
    }
    client
        .ask(
            "MAIL FROM:<a@client.example> HOLDUNTIL=1999-01-01T00:00:00Z",
            "250 ",
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn mail_is_held_only_where_that_is_allowed_and_for_those_who_may_relay() {
    for (most, from) in [(Duration::ZERO, "127.0.0.1:9"), (HOUR, "192.0.2.9:9")] {
        let relay = Relay::start(Settings {
            max_hold: most,
            ..settings()
        });
        let mut client = relay.connect_from(from).await;
        client.expect("220 ").await;
        client.ask("EHLO client.example", "250").await;
        client
            .ask("MAIL FROM:<a@client.example> HOLDFOR=60", "555 5.5.4")
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_to_go_back_in_time_expires_then() {
    for (by, mode, expires) in [
        ("BY=600;R", ByMode::Return, Duration::from_secs(600)),
        ("BY=600;NT", ByMode::Notify, settings().lifetime),
    ] {
        let relay = Relay::start(settings());
        let mut client = relay.session().await;
        client
            .ask(&format!("MAIL FROM:<a@client.example> {by}"), "250 ")
            .await;
        client.ask("RCPT TO:<b@example.org>", "250 ").await;
        client.ask("DATA", "354 ").await;
        client.send(b"x\r\n.\r\n").await;
        client.expect("250 ").await;
        let (kept, _) = relay.store.only();
        let now = kept.message.received_at;
        let deadline = kept.message.options.deliver_by.unwrap();
        assert_eq!(
            (deadline.at, deadline.mode),
            (now + Duration::from_secs(600), mode)
        );
        assert_eq!(kept.message.expires_at, now + expires);
    }
}

/// Hands in a message with this AUTH parameter.
async fn hand_in(client: &mut Client, auth: &str) {
    client
        .ask(&format!("MAIL FROM:<bert@client.example>{auth}"), "250 ")
        .await;
    client.ask("RCPT TO:<b@example.org>", "250 ").await;
    client.ask("DATA", "354 ").await;
    client.send(b"Subject: x\r\n\r\nx\r\n.\r\n").await;
    client.expect("250 ").await;
}

/// RFC 4954 §5.
#[tokio::test(start_paused = true)]
async fn who_submitted_it_first_is_believed_to_a_user_who_may_send_as_that_and_to_nobody_else() {
    for (login, auth, expected) in [
        (
            true,
            " AUTH=info@client.example",
            Some("info@client.example"),
        ),
        (true, " AUTH=anna@client.example", Some("")),
        (true, " AUTH=<>", Some("")),
        (true, "", None),
        (false, " AUTH=info@client.example", Some("")),
        (false, "", None),
    ] {
        let stage = Stage::open(Role::Relay);
        let mut client = stage.relay.session().await;
        client.ask("EHLO client.example", "250").await;
        if login {
            client.ask(&plain("bert", "word"), "235 ").await;
        }
        hand_in(&mut client, auth).await;
        let (kept, _) = stage.relay.store.only();
        let submitter = kept.message.options.submitter;
        assert_eq!(submitter.as_ref().map(|a| a.as_str()), expected, "{auth}");
    }
}
