//! Return addresses on the way out, and what comes back to them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bounces::{Per, ReturnPaths, SenderPattern};
use bytes::Bytes;
use delivery::{Bounces, Engine, Settings};
use jiff::Timestamp;
use queue::route::{Routes, Target};
use queue::{
    Body, EventKind, JoinedBy, MessageId, RecipientState, ReturnKind, Returned, StoreError, Story,
    Suppressed, SuppressionReason, SuppressionSource, Suppressions,
};
use smtp::Address;
use store_sqlite::SqliteSuppressions;

use crate::peer::{Answer, Ask};
use crate::relay::{Relay, states};

const SENDER: &str = "anna@sender.example";
const DAY: Duration = Duration::from_secs(86_400);

fn bounces(per: Per) -> Bounces {
    let senders = vec![SenderPattern::read("sender.example").unwrap()];
    let paths = ReturnPaths::new(vec![b"secret".to_vec()])
        .in_domain("bounces.example", "b", (per, senders), 14 * DAY)
        .reading(&["fbl@relay.example".parse().unwrap()]);
    Bounces {
        paths: Arc::new(paths),
        others_to: "postmaster@sender.example".parse().unwrap(),
        explained: true,
        suppress_unsigned: false,
    }
}

/// A relay that gives mail of `sender.example` return addresses, and its list of those who get none.
async fn relay_with(bounces: Bounces) -> (Relay, Arc<SqliteSuppressions>, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let list = Arc::new(SqliteSuppressions::open(dir.path()).unwrap());
    let suppressions = list.clone();
    let relay = Relay::start_with(Routes::default(), |settings| {
        settings.bounces = Some(Arc::new(bounces));
        settings.suppressions = Some(suppressions);
        settings.suppression_keep = 30 * DAY;
    })
    .await;
    (relay, list, dir)
}

/// Lets something come in for an address that is read here.
async fn comes_back(relay: &Relay, sender: &str, to: &str, content: &str) -> MessageId {
    let content = Bytes::from(content.replace('\n', "\r\n"));
    relay
        .send_with(sender, &[to], |new| {
            new.recipients[0].destination = Target::Bounces.key();
            new.message.size = content.len() as u64;
            new.body = Body::Inline(content);
        })
        .await
}

fn report(recipient: &str, action: &str, said: &str, returned: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example.org\nSubject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n\
         --b\nContent-Type: text/plain\n\nThis is the mail system at host mx.example.org.\n\n\
         --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n\
         Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {}\nDiagnostic-Code: smtp; {said}\n\n\
         --b\nContent-Type: text/rfc822-headers\n\n{returned}\n--b--\n",
        said.split(' ').nth(1).unwrap()
    )
}

const UNKNOWN: &str = "550 5.1.1 User unknown in local recipient table";

fn what_came_back(story: &Story) -> Vec<(Option<u32>, Returned)> {
    let back = |event: &queue::Event| match &event.kind {
        EventKind::Returned(back) => Some((event.recipient, (**back).clone())),
        _ => None,
    };
    story.events.iter().filter_map(back).collect()
}

async fn suppressed(list: &dyn Suppressions, now: Timestamp) -> Vec<Suppressed> {
    list.all(now).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_recipient_gets_a_return_address_and_a_transaction_of_its_own() {
    let (relay, ..) = relay_with(bounces(Per::Recipient)).await;
    let peer = relay.willing_peer(1).await;
    let id = relay
        .send(SENDER, &["a@example.org", "b@example.org", "c@example.org"])
        .await;
    relay.settled(id).await;
    let taken = peer.taken();
    assert_eq!(taken.len(), 3);
    let paths = bounces(Per::Recipient).paths;
    for one in &taken {
        let path: Address = one.sender.parse().unwrap();
        let tag = paths.tag(&path, relay.now()).unwrap().unwrap();
        assert_eq!(tag.message, id);
        let index = tag.recipient.unwrap() as usize;
        let address = ["a@example.org", "b@example.org", "c@example.org"][index];
        assert_eq!(one.recipients, [address]);
    }
}

#[tokio::test(start_paused = true)]
async fn per_message_all_recipients_go_in_one_transaction() {
    let (relay, ..) = relay_with(bounces(Per::Message)).await;
    let peer = relay.willing_peer(1).await;
    let id = relay
        .send(SENDER, &["a@example.org", "b@example.org"])
        .await;
    relay.settled(id).await;
    let taken = peer.taken();
    assert_eq!((taken.len(), taken[0].recipients.len()), (1, 2));
    assert!(taken[0].sender.starts_with("b+"), "{}", taken[0].sender);
}

#[tokio::test(start_paused = true)]
async fn null_senders_and_other_senders_keep_their_reverse_path_and_our_own_reports_go_to_the_sender()
 {
    let (relay, ..) = relay_with(bounces(Per::Recipient)).await;
    let peer = relay
        .peer(1, |ask| match ask {
            Ask::Rcpt(to, _) if to.contains("gone") => Answer::Say("550 5.1.1 no such user"),
            _ => Answer::Say(""),
        })
        .await;
    let home = relay.willing_peer(9).await;
    for sender in ["", "x@elsewhere.example"] {
        relay.send(sender, &["a@example.org"]).await;
    }
    relay.send(SENDER, &["gone@example.org"]).await;
    relay.pass(60).await;
    let senders: Vec<String> = peer.taken().into_iter().map(|t| t.sender).collect();
    assert_eq!(senders, ["", "x@elsewhere.example"]);
    let told = home.taken();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].recipients, [SENDER]);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_comes_back_is_joined_explained_to_the_sender_once_and_suppresses() {
    let (relay, list, _dir) = relay_with(bounces(Per::Recipient)).await;
    let peer = relay.willing_peer(1).await;
    let home = relay.willing_peer(9).await;
    let id = relay.send(SENDER, &["bert@example.org"]).await;
    relay.settled(id).await;
    let path = peer.taken()[0].sender.clone();
    relay.pass(3_600).await;
    let text = report(
        "bert@example.org",
        "failed",
        UNKNOWN,
        "Message-ID: <1@sender.example>\nSubject: x\n",
    );
    let back = comes_back(&relay, "", &path, &text).await;
    relay.pass(60).await;

    let story = relay.story(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered]);
    let came = what_came_back(&story);
    assert_eq!(came.len(), 1, "{came:?}");
    let (index, came) = &came[0];
    assert_eq!(
        (*index, came.report, came.by),
        (Some(0), back, JoinedBy::ReturnAddress)
    );
    assert_eq!(
        came.diagnosis.as_ref().unwrap().cause.id(),
        "mailbox.unknown"
    );
    assert!(came.suppressed);

    let told = home.taken();
    assert_eq!(told.len(), 1, "told once");
    assert_eq!(
        (told[0].sender.as_str(), &told[0].recipients[..]),
        ("", &[SENDER.to_owned()][..])
    );
    for words in [
        "Subject: Not delivered: bert@example.org\r\n",
        "In-Reply-To: <1@sender.example>\r\n",
        "Later a report came back",
        "Final-Recipient: rfc822; bert@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.example.org\r\n",
        "Content-Type: message/rfc822",
        "Subject: Undelivered Mail Returned to Sender",
    ] {
        assert!(
            told[0].content.contains(words),
            "{words}: {}",
            told[0].content
        );
    }

    let all = suppressed(&*list, relay.now()).await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].address, "bert@example.org");
    let SuppressionReason::Failed {
        source,
        report,
        words,
        ..
    } = &all[0].reason
    else {
        panic!("{all:?}");
    };
    assert_eq!((*source, *report), (SuppressionSource::Bounce, Some(back)));
    assert!(
        words.as_ref().unwrap().contains("User unknown"),
        "{words:?}"
    );

    for (lang, words) in [
        (explain::Lang::En, "Came back"),
        (explain::Lang::Nl, "Kwam terug"),
    ] {
        let told = explain::story(&story, relay.now(), lang);
        assert!(
            told.contains(words) && told.contains(&back.to_string()),
            "{told}"
        );
    }
    let own = explain::story(&relay.story(back).await, relay.now(), explain::Lang::En);
    assert!(own.contains(&id.to_string()), "{own}");
}

#[tokio::test(start_paused = true)]
async fn what_is_soft_late_or_of_somebody_behind_the_recipient_suppresses_nobody() {
    let (relay, list, _dir) = relay_with(bounces(Per::Recipient)).await;
    let peer = relay.willing_peer(1).await;
    let home = relay.willing_peer(9).await;
    let id = relay.send(SENDER, &["list@example.org"]).await;
    relay.settled(id).await;
    let path = peer.taken()[0].sender.clone();
    let full = report(
        "list@example.org",
        "failed",
        "552 5.2.2 mailbox is full",
        "Subject: x\n",
    );
    let late = report(
        "list@example.org",
        "delayed",
        "450 4.2.0 greylisted, try again",
        "Subject: x\n",
    );
    let member = report("member@example.org", "failed", UNKNOWN, "Subject: x\n");
    for text in [&full, &late, &member] {
        comes_back(&relay, "", &path, text).await;
        relay.pass(60).await;
    }
    let came = what_came_back(&relay.story(id).await);
    let kinds: Vec<ReturnKind> = came.iter().map(|(_, back)| back.kind).collect();
    assert_eq!(
        kinds,
        [ReturnKind::Failure, ReturnKind::Delay, ReturnKind::Failure]
    );
    assert_eq!(came[2].1.names.as_deref(), Some("member@example.org"));
    assert!(suppressed(&*list, relay.now()).await.is_empty());
    let told = home.taken();
    assert_eq!(told.len(), 3);
    // What is late elsewhere is passed on as it came.
    assert!(
        told[1]
            .content
            .starts_with("From: MAILER-DAEMON@mx.example.org\r\n"),
        "{}",
        told[1].content
    );
}

#[tokio::test(start_paused = true)]
async fn an_automatic_answer_is_passed_on_as_it_came_and_counts_as_no_failure() {
    let (relay, list, _dir) = relay_with(bounces(Per::Recipient)).await;
    let peer = relay.willing_peer(1).await;
    let home = relay.willing_peer(9).await;
    let id = relay.send(SENDER, &["bert@example.org"]).await;
    relay.settled(id).await;
    let path = peer.taken()[0].sender.clone();
    let answer = "From: bert@example.org\nAuto-Submitted: auto-replied\nSubject: Afwezig\n\n550 5.1.1 user unknown is what you will not see.\n";
    comes_back(&relay, "", &path, answer).await;
    relay.pass(60).await;
    let came = what_came_back(&relay.story(id).await);
    assert_eq!(came.len(), 1);
    assert_eq!(
        (came[0].1.kind, &came[0].1.diagnosis),
        (ReturnKind::Answer, &None)
    );
    assert!(suppressed(&*list, relay.now()).await.is_empty());
    let told = home.taken();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].content, answer.replace('\n', "\r\n"));
    assert_eq!(told[0].sender, "", "nobody is ever answered for it");
}

#[tokio::test(start_paused = true)]
async fn a_complaint_at_the_address_for_it_is_joined_by_the_return_address_inside() {
    let (relay, list, _dir) = relay_with(bounces(Per::Recipient)).await;
    let peer = relay.willing_peer(1).await;
    let home = relay.willing_peer(9).await;
    let id = relay.send(SENDER, &["bert@example.org"]).await;
    relay.settled(id).await;
    let path = peer.taken()[0].sender.clone();
    let complaint = format!(
        "From: staff@example.org\nTo: fbl@relay.example\nSubject: complaint\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\n\n\
         --b\nContent-Type: text/plain\n\nThis is an email abuse report.\n\n\
         --b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n\
         Original-Mail-From: <{path}>\n\n\
         --b\nContent-Type: message/rfc822\n\nFrom: {SENDER}\nSubject: offers\n\nBuy.\n--b--\n"
    );
    comes_back(&relay, "staff@example.org", "fbl@relay.example", &complaint).await;
    relay.pass(60).await;
    let came = what_came_back(&relay.story(id).await);
    assert_eq!(
        (came[0].1.kind, came[0].1.by),
        (ReturnKind::Complaint, JoinedBy::ReturnAddressInside)
    );
    let all = suppressed(&*list, relay.now()).await;
    assert_eq!(
        (all[0].address.as_str(), all[0].reason.source()),
        ("bert@example.org", "complaint")
    );
    assert!(home.taken().is_empty(), "its reader is the relay");
}

#[tokio::test(start_paused = true)]
async fn what_is_about_no_known_message_goes_to_whoever_looks_after_it_and_an_unsigned_one_suppresses_nobody()
 {
    let (relay, list, _dir) = relay_with(bounces(Per::Recipient)).await;
    let _peer = relay.willing_peer(1).await;
    let home = relay.willing_peer(9).await;
    let person = "From: staff@example.org\nSubject: hello\n\nWho reads this?\n";
    let id = comes_back(&relay, "staff@example.org", "fbl@relay.example", person).await;
    relay.pass(60).await;
    let told = home.taken();
    assert_eq!(told[0].recipients, ["postmaster@sender.example"]);
    assert_eq!(told[0].content, person.replace('\n', "\r\n"));
    let not_joined = |event: &queue::Event| matches!(event.kind, EventKind::NotJoined { .. });
    assert!(relay.story(id).await.events.iter().any(not_joined));

    // Joined by our trace field alone, which everybody who got the message knows.
    let sent = relay
        .send("x@elsewhere.example", &["bert@example.org"])
        .await;
    relay.settled(sent).await;
    let trace = format!(
        "Received: from c\n\tby relay.example (Postrider) with ESMTP id {sent};\n\tx\nSubject: x\n"
    );
    let text = report("bert@example.org", "failed", UNKNOWN, &trace);
    comes_back(&relay, "", "fbl@relay.example", &text).await;
    relay.pass(60).await;
    let came = what_came_back(&relay.story(sent).await);
    assert_eq!((came[0].0, came[0].1.by), (Some(0), JoinedBy::Trace));
    assert!(!came[0].1.suppressed);
    assert!(suppressed(&*list, relay.now()).await.is_empty());
    assert_eq!(home.taken().len(), 1);
}

/// A list at which the relay comes to a stop: what is read is not recorded.
#[derive(Debug)]
struct Stuck(Arc<tokio::sync::Notify>);

#[async_trait]
impl Suppressions for Stuck {
    async fn suppress(&self, _: Suppressed) -> Result<(), StoreError> {
        self.0.notify_one();
        std::future::pending().await
    }
    async fn release(&self, _: &Address) -> Result<bool, StoreError> {
        Ok(false)
    }
    async fn suppressed(
        &self,
        _: &Address,
        _: Timestamp,
    ) -> Result<Option<Suppressed>, StoreError> {
        Ok(None)
    }
    async fn all(&self, _: Timestamp) -> Result<Vec<Suppressed>, StoreError> {
        Ok(Vec::new())
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_between_reading_and_recording_loses_nothing_and_tells_nothing_twice() {
    let reached = Arc::new(tokio::sync::Notify::new());
    let stuck = Arc::new(Stuck(reached.clone()));
    let relay = Relay::start_with(Routes::default(), |settings| {
        settings.bounces = Some(Arc::new(bounces(Per::Recipient)));
        settings.suppressions = Some(stuck);
        settings.suppression_keep = 30 * DAY;
    })
    .await;
    let peer = relay.willing_peer(1).await;
    let home = relay.willing_peer(9).await;
    let id = relay.send(SENDER, &["bert@example.org"]).await;
    relay.settled(id).await;
    let path = peer.taken()[0].sender.clone();
    let back = comes_back(
        &relay,
        "",
        &path,
        &report("bert@example.org", "failed", UNKNOWN, "Subject: x\n"),
    )
    .await;
    reached.notified().await;
    assert!(
        relay.engine.stop(Duration::ZERO).await > 0,
        "it was in the middle"
    );
    assert_eq!(states(&relay.story(back).await), [RecipientState::Sending]);
    assert!(what_came_back(&relay.story(id).await).is_empty());

    // The next start.
    assert_eq!(relay.store.recover(relay.now()).await.unwrap(), 1);
    let dir = tempfile::tempdir().unwrap();
    let list = Arc::new(SqliteSuppressions::open(dir.path()).unwrap());
    let settings = Settings {
        hostname: "relay.example".into(),
        bounces: Some(Arc::new(bounces(Per::Recipient))),
        suppressions: Some(list.clone()),
        suppression_keep: 30 * DAY,
        ..Settings::default()
    };
    let (world, store, dns) = (relay.world.clone(), relay.store.clone(), relay.dns.clone());
    let _engine = Engine::start(world, store, dns, settings).await.unwrap();
    relay.pass(120).await;
    assert_eq!(what_came_back(&relay.story(id).await).len(), 1);
    assert_eq!(
        states(&relay.story(back).await),
        [RecipientState::Delivered]
    );
    assert_eq!(home.taken().len(), 1, "the sender is told once");
    assert_eq!(suppressed(&*list, relay.now()).await.len(), 1);
}
