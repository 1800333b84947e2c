//! What the next hop is told of what the sender asked for, and what it announces as its limits.

use std::time::Duration;

use queue::{Deadline, Options, RecipientOptions, RecipientState};
use smtp::envelope::{ByMode, EnvelopeId, Notify, OriginalRecipient, Priority, Return};

use crate::peer::{Answer, Ask, Peer};
use crate::relay::{Relay, causes, states};
use std::sync::Arc;

const SENDER: &str = "anna@sender.example";

/// A server that announces this.
async fn announcing(relay: &Relay, ehlo: &'static str) -> Arc<Peer> {
    let script = move |ask: &Ask| match ask {
        Ask::Hello => Answer::Say(ehlo),
        _ => Answer::Say(""),
    };
    relay.peer(1, script).await
}

#[tokio::test(start_paused = true)]
async fn what_the_sender_asked_for_is_passed_on_to_who_announces_it() {
    let relay = Relay::start().await;
    let peer = announcing(
        &relay,
        "250-mx\r\n250-DSN\r\n250-DELIVERBY\r\n250 MT-PRIORITY",
    )
    .await;
    let deadline = relay.now() + Duration::from_secs(600);
    let id = relay
        .send_with(SENDER, &["b@example.org"], |new| {
            new.message.options = Options {
                ret: Some(Return::Headers),
                envelope_id: EnvelopeId::parse("QQ314159"),
                priority: Priority::new(3),
                deliver_by: Some(Deadline {
                    at: deadline,
                    mode: ByMode::Notify,
                    trace: false,
                }),
                ..Options::default()
            };
            new.recipients[0].options = RecipientOptions {
                notify: Notify::parse("FAILURE"),
                original: OriginalRecipient::parse("rfc822;bert+2Bx@example.org"),
                expanded: None,
            };
        })
        .await;
    assert_eq!(
        states(&relay.settled(id).await),
        [RecipientState::Delivered]
    );
    let heard = peer.heard();
    let mail = "MAIL FROM:<anna@sender.example> RET=HDRS ENVID=QQ314159 BY=600;N MT-PRIORITY=3";
    let rcpt = "RCPT TO:<b@example.org> NOTIFY=FAILURE ORCPT=rfc822;bert+2Bx@example.org";
    assert!(heard.iter().any(|line| line == mail), "{heard:?}");
    assert!(heard.iter().any(|line| line == rcpt), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn an_alias_is_passed_on_with_the_address_that_the_sender_gave() {
    let relay = Relay::start().await;
    let peer = announcing(&relay, "250-mx\r\n250 DSN").await;
    relay
        .send_with(SENDER, &["b@example.org"], |new| {
            let original = Some("info@here.example".parse().unwrap());
            new.recipients[0].rewritten = queue::Rewritten::of(None, original).map(Arc::new);
        })
        .await;
    relay.pass(5).await;
    let rcpt = "RCPT TO:<b@example.org> ORCPT=rfc822;info@here.example";
    assert!(
        peer.heard().iter().any(|line| line == rcpt),
        "{:?}",
        peer.heard()
    );
}

#[tokio::test(start_paused = true)]
async fn what_requires_tls_fails_where_the_next_hop_does_not_require_it_too() {
    let relay = Relay::start().await;
    let peer = relay.willing_peer(1).await;
    let id = relay
        .send_with(SENDER, &["b@example.org"], |new| {
            new.message.options.require_tls = true;
        })
        .await;
    let story = relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Failed]);
    assert_eq!(causes(&story), ["tls.policy"]);
    assert!(peer.taken().is_empty());
}

#[tokio::test(start_paused = true)]
async fn as_many_recipients_and_messages_are_sent_at_once_as_the_server_announces() {
    let relay = Relay::start().await;
    let peer = announcing(&relay, "250-mx\r\n250 LIMITS RCPTMAX=2 MAILMAX=2").await;
    let to: Vec<String> = (0..7).map(|n| format!("u{n}@example.org")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let id = relay.send(SENDER, &to).await;
    let story = relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered; 7]);
    let counts: Vec<usize> = peer.taken().iter().map(|t| t.recipients.len()).collect();
    assert!(
        counts.iter().all(|n| *n <= 2) && counts.iter().sum::<usize>() == 7,
        "{counts:?}"
    );
    // Four transactions, two at most over one connection.
    assert!(peer.connections().0 >= 2, "{:?}", peer.connections());
}

#[tokio::test(start_paused = true)]
async fn a_held_message_is_not_tried_before_its_time() {
    let relay = Relay::start().await;
    let peer = relay.willing_peer(1).await;
    let until = relay.now() + Duration::from_secs(3_600);
    let id = relay
        .send_with(SENDER, &["b@example.org"], |new| {
            new.message.options.hold_until = Some(until);
            new.recipients[0].next_attempt = until;
        })
        .await;
    relay.pass(3_590).await;
    assert!(peer.taken().is_empty());
    let waiting = relay.recipient(id, 0).await;
    assert_eq!(waiting.basis, Some(queue::Basis::SenderAsked));
    assert_eq!(waiting.next_attempt, Some(until));
    relay.pass(20).await;
    assert_eq!(peer.taken().len(), 1);
}
