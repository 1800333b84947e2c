//! One message at a time: what each answer leads to.

use queue::{EventKind, RecipientState};

use crate::peer::{Answer, Ask};
use crate::relay::{Relay, causes, states};

const SENDER: &str = "anna@sender.example";

#[tokio::test(start_paused = true)]
async fn a_message_is_handed_over_once_and_its_story_is_kept() {
    let relay = Relay::start().await;
    let peer = relay.willing_peer(1).await;
    let id = relay
        .send(SENDER, &["a@example.org", "b@example.org"])
        .await;
    let story = relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered; 2]);
    let taken = peer.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].sender, SENDER);
    assert_eq!(taken[0].recipients, ["a@example.org", "b@example.org"]);
    assert_eq!(taken[0].content, format!("Subject: {id}\r\n\r\nHello.\r\n"));
    assert_eq!(story.attempts.len(), 1);
    assert!(!story.has_body, "the content goes when nobody needs it");
}

#[tokio::test(start_paused = true)]
async fn many_messages_at_once_to_a_new_destination_are_each_handed_over_once_and_at_once() {
    let relay = Relay::start().await;
    let peer = relay.willing_peer(1).await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        let send = || relay.send(SENDER, &["a@example.org"]);
        let (a, b, c, d, e) = tokio::join!(send(), send(), send(), send(), send());
        ids.extend([a, b, c, d, e]);
    }
    relay.pass(10).await;
    assert_eq!(peer.taken().len(), 50);
    for id in ids {
        let story = relay.story(id).await;
        assert_eq!(states(&story), [RecipientState::Delivered]);
        assert_eq!(story.attempts.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn greylisting_is_waited_out_as_long_as_it_asks() {
    let relay = Relay::start().await;
    let mut asked = 0;
    let peer = relay
        .peer(1, move |ask| match ask {
            Ask::Rcpt(..) if asked == 0 => {
                asked += 1;
                Answer::Say("450 4.7.1 Greylisted, please try again in 300 seconds")
            }
            _ => Answer::Say(""),
        })
        .await;
    let id = relay.send(SENDER, &["a@example.org"]).await;
    relay.pass(290).await;
    assert_eq!(peer.taken().len(), 0);
    relay.pass(120).await;
    assert_eq!(peer.taken().len(), 1);
    let story = relay.story(id).await;
    assert_eq!(
        (causes(&story), states(&story)),
        (vec!["greylisting"], vec![RecipientState::Delivered])
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_mailbox_is_reported_to_the_sender_and_the_other_recipient_has_the_mail() {
    let relay = Relay::start().await;
    let peer = relay
        .peer(1, |ask| match ask {
            Ask::Rcpt(to, _) if to.starts_with("nobody") => {
                Answer::Say("550 5.1.1 <nobody@example.org>: no such user here")
            }
            _ => Answer::Say(""),
        })
        .await;
    let home = relay.willing_peer(9).await;
    let id = relay
        .send(SENDER, &["nobody@example.org", "a@example.org"])
        .await;
    let story = relay.settled(id).await;
    assert_eq!(
        states(&story),
        [RecipientState::Failed, RecipientState::Delivered]
    );
    assert_eq!(causes(&story), ["mailbox.unknown"]);
    assert_eq!(peer.taken().len(), 1);
    relay.pass(5).await;
    let reports = home.taken();
    assert_eq!(reports.len(), 1, "one report for the message");
    assert_eq!(
        (reports[0].sender.as_str(), &reports[0].recipients[..]),
        ("", &[SENDER.to_owned()][..])
    );
    let report = &reports[0].content;
    for part in [
        "multipart/report",
        "Final-Recipient: rfc822;",
        "nobody@example.org",
        "Status: 5.1.1",
        "no such user here",
    ] {
        assert!(report.contains(part), "{part} in:\n{report}");
    }
    assert!(
        story
            .events
            .iter()
            .any(|e| matches!(e.kind, EventKind::Reported { .. }))
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_report_is_never_reported() {
    let relay = Relay::start().await;
    relay
        .peer(1, |_| Answer::Say("550 5.1.1 no such user"))
        .await;
    let home = relay.willing_peer(9).await;
    let id = relay.send("<>", &["a@example.org"]).await;
    let story = relay.settled(id).await;
    relay.pass(86_400).await;
    assert_eq!(states(&story), [RecipientState::Failed]);
    assert_eq!(home.taken(), []);
    assert!(
        story
            .events
            .iter()
            .any(|e| e.kind == EventKind::NotReported)
    );
}

#[tokio::test(start_paused = true)]
async fn too_many_recipients_go_on_at_once_in_further_transactions() {
    let relay = Relay::start().await;
    let peer = relay
        .peer(1, |ask| match ask {
            Ask::Rcpt(_, taken) if *taken >= 2 => Answer::Say("452 4.5.3 Too many recipients"),
            _ => Answer::Say(""),
        })
        .await;
    let to: Vec<String> = (0..7).map(|n| format!("r{n}@example.org")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let id = relay.send(SENDER, &to).await;
    relay.pass(30).await;
    let mut got: Vec<String> = peer
        .taken()
        .into_iter()
        .flat_map(|t| t.recipients)
        .collect();
    got.sort();
    assert_eq!(got, to);
    assert_eq!(
        states(&relay.story(id).await),
        [RecipientState::Delivered; 7]
    );
}

#[tokio::test(start_paused = true)]
async fn a_drop_after_the_final_dot_is_unknown_and_the_retry_may_duplicate() {
    let relay = Relay::start().await;
    let mut first = true;
    let peer = relay
        .peer(1, move |ask| match ask {
            Ask::EndOfData if std::mem::take(&mut first) => Answer::Drop,
            _ => Answer::Say(""),
        })
        .await;
    let id = relay.send(SENDER, &["a@example.org"]).await;
    let story = relay.settled(id).await;
    assert_eq!(causes(&story), ["connection.outcome-unknown"]);
    assert_eq!(states(&story), [RecipientState::Delivered]);
    assert_eq!(
        peer.taken().len(),
        2,
        "the peer had it already: a duplicate, and said so"
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_slows_that_recipient_only() {
    let relay = Relay::start().await;
    let peer = relay
        .peer(1, |ask| match ask {
            Ask::Rcpt(to, _) if to.starts_with("full") => Answer::Say("452 4.2.2 Mailbox full"),
            _ => Answer::Say(""),
        })
        .await;
    let id = relay
        .send(SENDER, &["full@example.org", "a@example.org"])
        .await;
    relay.pass(10).await;
    let full = relay.recipient(id, 0).await;
    assert_eq!(full.state, RecipientState::Queued);
    let wait = full
        .next_attempt
        .unwrap()
        .duration_since(relay.now())
        .as_secs();
    assert!(
        wait > 1800,
        "a full mailbox is tried again after hours, not after {wait} s"
    );
    relay.send(SENDER, &["b@example.org"]).await;
    relay.pass(10).await;
    assert_eq!(
        peer.taken().len(),
        2,
        "the destination is as open as before"
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_exchanger_takes_over_when_the_first_is_dead() {
    let relay = Relay::start().await;
    let backup = relay.willing_peer(2).await;
    let id = relay.send(SENDER, &["a@example.org"]).await;
    let story = relay.settled(id).await;
    assert_eq!(
        (states(&story), causes(&story)),
        (vec![RecipientState::Delivered], vec![])
    );
    assert_eq!(backup.taken().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_domain_that_takes_no_mail_fails_at_once() {
    let relay = Relay::start().await;
    relay.dns.set_mx(
        "null.example",
        Ok(vec![dns::Mx {
            preference: 0,
            exchange: String::new(),
        }]),
    );
    let home = relay.willing_peer(9).await;
    for (address, cause) in [
        ("a@null.example", "route.null-mx"),
        ("a@nowhere.example", "route.no-such-domain"),
    ] {
        let id = relay.send(SENDER, &[address]).await;
        relay.pass(5).await;
        let story = relay.story(id).await;
        assert_eq!(
            (states(&story), causes(&story)),
            (vec![RecipientState::Failed], vec![cause])
        );
    }
    relay.pass(5).await;
    assert_eq!(home.taken().len(), 2);
}
