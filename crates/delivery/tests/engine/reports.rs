//! What senders hear of their mail: failures, delays and arrivals, as they asked.

use std::sync::Arc;
use std::time::Duration;

use queue::route::Routes;
use queue::{
    Deadline, EventKind, Expanded, MessageKind, Options, RecipientState, Rewritten, Story,
    Suppressions,
};
use smtp::Address;
use smtp::envelope::{ByMode, EnvelopeId, Notify, OriginalRecipient, Return};

use crate::peer::{Answer, Ask, Peer};
use crate::relay::{Relay, states};

const SENDER: &str = "anna@sender.example";
const HOUR: u64 = 3_600;

/// A server that is there and never takes anything.
async fn busy(relay: &Relay) -> Arc<Peer> {
    relay
        .peer(1, |ask| match ask {
            Ask::Rcpt(..) => Answer::Say("450 4.2.1 mailbox busy"),
            _ => Answer::Say(""),
        })
        .await
}

async fn refusing(relay: &Relay) -> Arc<Peer> {
    relay
        .peer(1, |ask| match ask {
            Ask::Rcpt(..) => Answer::Say("550 5.1.1 no such user"),
            _ => Answer::Say(""),
        })
        .await
}

fn delays(story: &Story) -> usize {
    let is_delay = |event: &&queue::Event| matches!(event.kind, EventKind::Delayed { .. });
    story.events.iter().filter(is_delay).count()
}

#[tokio::test(start_paused = true)]
async fn who_waits_four_hours_is_told_once() {
    let relay = Relay::start().await;
    let _peer = busy(&relay).await;
    let home = relay.willing_peer(9).await;
    let id = relay
        .send(SENDER, &["b@example.org", "c@example.org"])
        .await;
    relay.pass(4 * HOUR - 120).await;
    assert!(home.taken().is_empty(), "not yet");
    relay.pass(300).await;
    let taken = home.taken();
    assert_eq!(taken.len(), 1, "one report for both recipients");
    let report = &taken[0];
    assert_eq!(
        (report.sender.as_str(), &report.recipients[..]),
        ("", &[SENDER.to_owned()][..])
    );
    for words in [
        "Subject: Not delivered yet to 2 recipients\r\n",
        "You need not send it again.",
        "Final-Recipient: rfc822; b@example.org\r\nAction: delayed\r\nStatus: 4.2.1\r\n",
        "Will-Retry-Until: ",
    ] {
        assert!(
            report.content.contains(words),
            "{words}: {}",
            report.content
        );
    }
    assert_eq!(delays(&relay.story(id).await), 2);
    relay.pass(20 * HOUR).await;
    assert_eq!(home.taken().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_was_told_is_not_told_again_after_a_restart() {
    let relay = Relay::start().await;
    let _peer = busy(&relay).await;
    let home = relay.willing_peer(9).await;
    let id = relay.send(SENDER, &["b@example.org"]).await;
    relay.pass(4 * HOUR + 120).await;
    assert_eq!(home.taken().len(), 1);
    let relay = relay.restart().await;
    relay.pass(HOUR).await;
    assert_eq!(home.taken().len(), 1);
    assert_eq!(delays(&relay.story(id).await), 1);
}

#[tokio::test(start_paused = true)]
async fn who_asked_for_failures_alone_hears_of_no_delay() {
    let relay = Relay::start().await;
    let _peer = busy(&relay).await;
    let home = relay.willing_peer(9).await;
    relay
        .send_with(SENDER, &["b@example.org"], |new| {
            new.recipients[0].options.notify = Notify::parse("FAILURE");
        })
        .await;
    relay.pass(8 * HOUR).await;
    assert!(home.taken().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_set_a_time_is_told_then() {
    let relay = Relay::start().await;
    let _peer = busy(&relay).await;
    let home = relay.willing_peer(9).await;
    let at = relay.now() + Duration::from_secs(600);
    relay
        .send_with(SENDER, &["b@example.org"], |new| {
            new.message.options.deliver_by = Some(Deadline {
                at,
                mode: ByMode::Notify,
                trace: false,
            });
        })
        .await;
    relay.pass(590).await;
    assert!(home.taken().is_empty());
    relay.pass(90).await;
    assert_eq!(home.taken().len(), 1);
    relay.pass(8 * HOUR).await;
    assert_eq!(home.taken().len(), 1, "once");
}

#[tokio::test(start_paused = true)]
async fn who_asked_never_to_be_told_is_not_and_the_story_says_so() {
    let relay = Relay::start().await;
    let _peer = refusing(&relay).await;
    let home = relay.willing_peer(9).await;
    let id = relay
        .send_with(SENDER, &["b@example.org", "c@example.org"], |new| {
            new.recipients[0].options.notify = Some(Notify::NEVER);
        })
        .await;
    let story = relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Failed; 2]);
    relay.pass(60).await;
    let taken = home.taken();
    assert_eq!(taken.len(), 1);
    assert!(
        !taken[0].content.contains("b@example.org"),
        "{}",
        taken[0].content
    );
    let silent: Vec<_> = story
        .events
        .iter()
        .filter(|e| e.kind == EventKind::NotAsked)
        .collect();
    assert_eq!(silent.len(), 1);
    assert_eq!(silent[0].recipient, Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_failure_names_what_the_sender_called_it_and_returns_as_much_as_asked() {
    for (ret, whole) in [
        (Some(Return::Full), true),
        (Some(Return::Headers), false),
        (None, false),
    ] {
        let relay = Relay::start().await;
        let _peer = refusing(&relay).await;
        let home = relay.willing_peer(9).await;
        let id = relay
            .send_with(SENDER, &["b@example.org"], |new| {
                new.message.options = Options {
                    ret,
                    envelope_id: EnvelopeId::parse("QQ314159"),
                    ..Options::default()
                };
                new.recipients[0].options.original =
                    OriginalRecipient::parse("rfc822;info@example.org");
            })
            .await;
        relay.settled(id).await;
        relay.pass(60).await;
        let content = home.taken()[0].content.clone();
        assert!(
            content.contains("Original-Envelope-Id: QQ314159\r\n"),
            "{content}"
        );
        assert!(
            content.contains("Original-Recipient: rfc822; info@example.org\r\n"),
            "{content}"
        );
        assert_eq!(content.contains("\r\nHello.\r\n"), whole, "{content}");
        assert_eq!(
            content.contains("Content-Type: message/rfc822"),
            whole,
            "{content}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn arrival_is_told_where_nobody_after_us_will() {
    for (ehlo, told) in [("250-mx\r\n250 SIZE", true), ("250-mx\r\n250 DSN", false)] {
        let relay = Relay::start().await;
        let _peer = relay
            .peer(1, move |ask| match ask {
                Ask::Hello => Answer::Say(ehlo),
                _ => Answer::Say(""),
            })
            .await;
        let home = relay.willing_peer(9).await;
        let id = relay
            .send_with(SENDER, &["b@example.org", "c@example.org"], |new| {
                new.recipients[0].options.notify = Notify::parse("SUCCESS,FAILURE");
            })
            .await;
        let story = relay.settled(id).await;
        relay.pass(60).await;
        assert_eq!(home.taken().len(), usize::from(told), "{ehlo}");
        let is_told =
            |event: &queue::Event| matches!(event.kind, EventKind::ArrivalReported { .. });
        assert_eq!(
            story.events.iter().filter(|e| is_told(e)).count(),
            usize::from(told)
        );
        if told {
            let content = &home.taken()[0].content;
            assert!(content.contains("Action: relayed\r\n"), "{content}");
            assert!(!content.contains("c@example.org"), "{content}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_of_the_delay_of_a_report() {
    let relay = Relay::start().await;
    let _peer = refusing(&relay).await;
    let _home = relay
        .peer(9, |ask| match ask {
            Ask::Rcpt(..) => Answer::Say("450 4.2.1 busy"),
            _ => Answer::Say(""),
        })
        .await;
    let id = relay.send(SENDER, &["b@example.org"]).await;
    let story = relay.settled(id).await;
    let report = story.events.iter().find_map(|event| match event.kind {
        EventKind::Reported { report } => Some(report),
        _ => None,
    });
    relay.pass(8 * HOUR).await;
    let about = relay.story(report.unwrap()).await;
    assert_eq!(about.message.kind, MessageKind::Report);
    assert_eq!(delays(&about), 0);
}

#[tokio::test(start_paused = true)]
async fn only_an_address_that_does_not_exist_is_put_on_the_suppression_list() {
    let dir = tempfile::tempdir().unwrap();
    let list = Arc::new(store_sqlite::SqliteSuppressions::open(dir.path()).unwrap());
    let keep = Duration::from_secs(86_400);
    let relay = Relay::start_with(Routes::default(), |settings| {
        settings.suppressions = Some(list.clone());
        settings.suppression_keep = keep;
    })
    .await;
    let _peer = relay
        .peer(1, |ask| match ask {
            Ask::Rcpt(to, _) if to.starts_with("nobody") => Answer::Say("550 5.1.1 no such user"),
            Ask::Rcpt(to, _) if to.starts_with("spam") => {
                Answer::Say("550 5.7.1 message refused as spam")
            }
            _ => Answer::Say(""),
        })
        .await;
    let _home = relay.willing_peer(9).await;
    let id = relay
        .send(
            SENDER,
            &["nobody@Example.org", "spam@example.org", "b@example.org"],
        )
        .await;
    relay.settled(id).await;
    let now = relay.now();
    let all = list.all(now).await.unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].address, "nobody@example.org");
    let (cause, message) = (diagnosis::Cause::MailboxUnknown, id);
    let reason = queue::SuppressionReason::Failed {
        cause,
        message,
        source: queue::SuppressionSource::Delivery,
        report: None,
        words: Some("550 5.1.1 no such user".to_owned()),
    };
    assert_eq!(all[0].reason, reason);
    assert!(list.all(now + keep).await.unwrap().is_empty(), "it expires");
}

#[tokio::test(start_paused = true)]
async fn an_alias_for_several_is_told_once_as_expanded_and_a_list_as_delivered() {
    for (kind, action) in [(Expanded::Alias, "expanded"), (Expanded::List, "delivered")] {
        let relay = Relay::start().await;
        let _peer = busy(&relay).await;
        let home = relay.willing_peer(9).await;
        let id = relay
            .send_with(SENDER, &["b@example.org", "c@example.org"], |new| {
                let all: Address = "all@ours.example".parse().unwrap();
                let owner = "owner-all@ours.example".parse().unwrap();
                let sender = (kind == Expanded::List).then_some(owner);
                for recipient in &mut new.recipients {
                    let rewritten = Rewritten::of(sender.clone(), Some(all.clone()));
                    recipient.rewritten = rewritten.map(Arc::new);
                    recipient.options.notify = Notify::parse("FAILURE");
                }
                new.recipients[0].options.expanded = Some(kind);
            })
            .await;
        relay.pass(HOUR).await;
        assert!(relay.recipient(id, 0).await.attempts > 1);
        let told = home.taken();
        assert_eq!(told.len(), 1, "once: {told:#?}");
        let fields = format!(
            "Final-Recipient: rfc822; all@ours.example\r\nAction: {action}\r\nStatus: 2.0.0\r\n"
        );
        assert!(told[0].content.contains(&fields), "{}", told[0].content);
        let reported = |e: &queue::Event| matches!(e.kind, EventKind::ExpansionReported { .. });
        let story = relay.story(id).await;
        let events: Vec<_> = story.events.iter().filter(|e| reported(e)).collect();
        assert_eq!((events.len(), events[0].recipient), (1, Some(0)));
    }
}
