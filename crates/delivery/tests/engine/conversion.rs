//! Messages for next hops that take less than they need.

use std::sync::Arc;

use queue::{Body, BodyKind, NewMessage, RecipientState};

use crate::peer::{Answer, Ask, Peer};
use crate::relay::{Relay, causes, states};

const SENDER: &str = "anna@sender.example";
const LESS: &str = "250-peer\r\n250-PIPELINING\r\n250 SIZE";

/// A server without 8BITMIME and SMTPUTF8.
async fn simple_peer(relay: &Relay) -> Arc<Peer> {
    let script = |ask: &Ask| match ask {
        Ask::Hello => Answer::Say(LESS),
        _ => Answer::Say(""),
    };
    relay.peer(1, script).await
}

fn content(new: &mut NewMessage, text: &str) {
    new.body = Body::Inline(text.to_owned().into());
    new.message.size = text.len() as u64;
    if !text.is_ascii() {
        new.message.body_kind = BodyKind::EightBit;
    }
}

const TEXT: &str = "Content-Type: text/plain; charset=utf-8\r\n\r\ncaf\u{e9}\r\n";

#[tokio::test(start_paused = true)]
async fn eight_bit_text_is_converted_for_a_server_that_does_not_take_it() {
    let relay = Relay::start().await;
    let peer = simple_peer(&relay).await;
    let id = relay
        .send_with(SENDER, &["b@example.org"], |new| content(new, TEXT))
        .await;
    let story = relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered]);
    let taken = &peer.taken()[0].content;
    assert!(
        taken.is_ascii() && taken.ends_with("\r\n\r\ncaf=C3=A9\r\n"),
        "{taken}"
    );
    assert!(
        !peer.heard().iter().any(|line| line.contains("BODY=")),
        "{:?}",
        peer.heard()
    );
}

#[tokio::test(start_paused = true)]
async fn what_needs_no_change_is_sent_byte_for_byte_though_it_was_declared_8_bit() {
    let relay = Relay::start().await;
    let peer = simple_peer(&relay).await;
    let text = "DKIM-Signature: v=1\r\nX-Odd:   a\r\n\r\nplain \r\n";
    let id = relay
        .send_with(SENDER, &["b@example.org"], |new| {
            content(new, text);
            new.message.body_kind = BodyKind::EightBit;
        })
        .await;
    relay.settled(id).await;
    assert_eq!(peer.taken()[0].content, text);
}

#[tokio::test(start_paused = true)]
async fn signed_text_goes_back_with_the_part_and_its_character_set_named() {
    let relay = Relay::start().await;
    let peer = simple_peer(&relay).await;
    let signed = format!("DKIM-Signature: v=1; d=sender.example\r\n{TEXT}");
    let id = relay
        .send_with(SENDER, &["b@example.org"], |new| content(new, &signed))
        .await;
    let story = relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Failed]);
    assert_eq!(causes(&story), ["charset.unsupported"]);
    let diagnosis = story.recipients[0].last.as_ref().unwrap();
    let evidence = &diagnosis.evidence[0].text;
    for word in ["8BITMIME", "text/plain; charset=utf-8", "DKIM-Signature"] {
        assert!(evidence.contains(word), "{evidence}");
    }
    assert!(peer.taken().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_for_its_character_set_goes_once_more_in_utf8() {
    let relay = Relay::start().await;
    let mut refused = 0;
    let peer = relay
        .peer(1, move |ask| match ask {
            Ask::EndOfData if refused == 0 => {
                refused += 1;
                Answer::Say("451 4.6.5 code page unavailable")
            }
            _ => Answer::Say(""),
        })
        .await;
    let text = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9\r\n";
    let id = relay
        .send_with(SENDER, &["b@example.org"], |new| content(new, text))
        .await;
    let story = relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered]);
    assert_eq!(causes(&story), ["charset.unsupported"]);
    let taken = peer.taken();
    assert_eq!(taken.len(), 1);
    assert!(
        taken[0].content.contains("charset=utf-8\r\n"),
        "{}",
        taken[0].content
    );
    assert!(
        taken[0].content.ends_with("caf=C3=A9\r\n"),
        "{}",
        taken[0].content
    );
    let (first, second) = (&story.attempts[0], &story.attempts[1]);
    assert_eq!(first.ended_at, second.started_at, "at once");
}

#[tokio::test(start_paused = true)]
async fn an_address_beyond_ascii_fails_alone_where_the_server_has_no_smtputf8() {
    let relay = Relay::start().await;
    let peer = simple_peer(&relay).await;
    let to = ["b@example.org", "d\u{f6}rte@example.org", "c@example.org"];
    let id = relay
        .send_with(SENDER, &to, |new| {
            content(new, "Subject: Gr\u{fc}\u{df}e\r\n\r\nx\r\n");
            new.message.smtputf8 = true;
        })
        .await;
    let story = relay.settled(id).await;
    use RecipientState::{Delivered, Failed};
    assert_eq!(states(&story), [Delivered, Failed, Delivered]);
    assert_eq!(causes(&story), ["address.needs-utf8"]);
    let taken = peer.taken();
    assert_eq!(taken[0].recipients, ["b@example.org", "c@example.org"]);
    assert_eq!(
        taken[0].content,
        "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\r\nx\r\n"
    );
    assert!(!peer.heard().iter().any(|line| line.contains("SMTPUTF8")));
}
