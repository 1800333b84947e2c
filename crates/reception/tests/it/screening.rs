//! Filters in their five places: what they say is told, what they change is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use diagnosis::Cause;
use parking_lot::Mutex;
use reception::{Neighbours, Settings};
use screening::{
    Answer, Chain, Conversation, Edit, Failure, Field, Filter, Link, Moment, OnFailure, Reason,
    Stage, Verdict,
};

use crate::situations::means;
use crate::support::{Relay, settings, without_trace, world};

type Say = dyn Fn(&Moment<'_>) -> Result<Answer, Failure> + Send + Sync;

/// A filter that says what a function says, and keeps what it was asked.
#[derive(Clone)]
struct Scripted {
    say: Arc<Say>,
    asked: Arc<Mutex<Vec<String>>>,
    changes: bool,
    hangs: Arc<AtomicBool>,
}

impl Scripted {
    fn new(
        say: impl Fn(&Moment<'_>) -> Result<Answer, Failure> + Send + Sync + 'static,
    ) -> Scripted {
        Scripted {
            say: Arc::new(say),
            asked: Arc::default(),
            changes: false,
            hangs: Arc::default(),
        }
    }

    fn link(&self, name: &str, on_failure: OnFailure) -> Link {
        Link {
            name: name.into(),
            filter: Arc::new(self.clone()),
            timeout: Duration::from_secs(10),
            on_failure,
            concerns: Arc::new(|client| client.address.ip().is_loopback()),
        }
    }
}

impl Filter for Scripted {
    fn attends(&self, _: Stage) -> bool {
        true
    }

    fn changes(&self) -> bool {
        self.changes
    }

    fn open(&self) -> Box<dyn Conversation> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Conversation for Scripted {
    async fn ask(&mut self, moment: &Moment<'_>) -> Result<Answer, Failure> {
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let about = match (moment.recipient, moment.envelope) {
            (Some(recipient), _) => recipient.to_string(),
            (None, Some(envelope)) => format!("{}+{}", envelope.sender, envelope.recipients.len()),
            (None, None) => moment.client.helo.clone().unwrap_or_default(),
        };
        let asked = format!("{} {about}", moment.stage.as_str());
        self.asked.lock().push(asked);
        (self.say)(moment)
    }

    fn forget(&mut self) {
        self.asked.lock().push("forget".to_owned());
    }
}

fn relay(links: Vec<Link>) -> Relay {
    relay_with(links, settings())
}

fn relay_with(links: Vec<Link>, settings: Settings) -> Relay {
    let neighbours = Neighbours {
        filters: Chain::new(links),
        ..Neighbours::default()
    };
    Relay::start_in(world(), settings, neighbours)
}

fn at(stage: Stage, verdict: Verdict) -> Scripted {
    Scripted::new(move |moment| {
        Ok(match moment.stage == stage {
            true => Answer::of(verdict.clone()),
            false => Answer::pass(),
        })
    })
}

fn said(text: &str) -> Reason {
    Reason::Said(text.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_filter_is_asked_at_each_stage_and_told_when_a_transaction_is_given_up() {
    let filter = Scripted::new(|_| Ok(Answer::pass()));
    let relay = relay(vec![filter.link("guard", OnFailure::Defer)]);
    let mut client = relay.session().await;
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
    client.ask("RSET", "250 ").await;
    client.up_to_data().await;
    client.send(b"Subject: x\r\n\r\nx\r\n.\r\n").await;
    client.expect("250 ").await;
    let asked: Vec<String> = filter.asked.lock().clone();
    let told: Vec<&str> = asked
        .iter()
        .map(String::as_str)
        .filter(|a| *a != "forget")
        .collect();
    assert_eq!(
        told,
        [
            "connect ",
            "helo client.example",
            "mail a@client.example+0",
            "mail a@client.example+0",
            "rcpt b@example.org",
            "content a@client.example+1",
        ]
    );
    let first = asked.iter().position(|a| a.starts_with("mail")).unwrap();
    assert_eq!(asked[first + 1], "forget", "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_at_each_stage_is_told_there_and_nothing_is_kept() {
    for (stage, refused, deferred) in [
        (Stage::Connect, "554 5.7.1 ", "421 4.7.1 "),
        (Stage::Helo, "550 5.7.1 ", "451 4.7.1 "),
        (Stage::Mail, "550 5.7.1 ", "451 4.7.1 "),
        (Stage::Rcpt, "550 5.7.1 ", "451 4.7.1 "),
        (Stage::Content, "550 5.7.1 ", "451 4.7.1 "),
    ] {
        for (verdict, answer) in [
            (Verdict::Reject(said("").into()), refused),
            (Verdict::Defer(said("").into()), deferred),
        ] {
            let filter = at(stage, verdict);
            let relay = relay(vec![filter.link("guard", OnFailure::Defer)]);
            let mut client = relay.connect_from(crate::support::LOCAL).await;
            let says = [
                (Stage::Connect, ""),
                (Stage::Helo, "EHLO client.example\r\n"),
                (Stage::Mail, "MAIL FROM:<a@client.example>\r\n"),
                (Stage::Rcpt, "RCPT TO:<b@example.org>\r\n"),
                (Stage::Content, "DATA\r\n"),
            ];
            let mut reply = String::new();
            for (step, line) in says.into_iter().filter(|(step, _)| *step <= stage) {
                client.send(line.as_bytes()).await;
                reply = client.reply().await;
                if step == Stage::Content {
                    client.send(b"x\r\n.\r\n").await;
                    reply = client.reply().await;
                }
            }
            assert!(reply.starts_with(answer), "{stage:?}: {reply}");
            assert!(
                reply.contains("by the filter guard of relay.example"),
                "{reply}"
            );
            assert!(relay.store.messages().is_empty());
            if stage == Stage::Connect {
                client.expect_end().await;
            }
            drop(client);
            relay.nothing_left().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_fails_or_hangs_puts_mail_off_or_lets_it_pass_as_configured() {
    for (on_failure, hangs) in [
        (OnFailure::Defer, false),
        (OnFailure::Defer, true),
        (OnFailure::Pass, false),
        (OnFailure::Pass, true),
    ] {
        let filter = Scripted::new(|moment| match moment.stage {
            Stage::Content => Err(Failure::Broken("reset".into())),
            _ => Ok(Answer::pass()),
        });
        let relay = relay(vec![filter.link("scanner", on_failure)]);
        let mut client = relay.session().await;
        client.up_to_data().await;
        filter.hangs.store(hangs, Ordering::SeqCst);
        client.send(b"x\r\n.\r\n").await;
        match on_failure {
            OnFailure::Pass => {
                client.expect("250 ").await;
                assert_eq!(relay.store.messages().len(), 1);
            }
            OnFailure::Defer => {
                let reply = client.expect("451 4.3.0 the filter scanner of ").await;
                means(&reply, Cause::ServerScannerFailed, 300);
                assert!(relay.store.messages().is_empty());
            }
        }
        relay.nothing_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_filters_change_is_kept_and_each_sees_what_those_before_it_left() {
    let mut first = Scripted::new(|moment| {
        let mut answer = Answer::pass();
        if moment.stage == Stage::Content {
            answer.edits = vec![
                Edit::Insert(0, Field::new("X-First", "1\r\n\r\nforged body").unwrap()),
                Edit::Change {
                    name: "Subject".into(),
                    nth: 1,
                    to: None,
                },
                Edit::Sender("bounce@client.example".parse().unwrap()),
                Edit::RemoveRecipient("b@EXAMPLE.org".parse().unwrap()),
                Edit::AddRecipient("c@example.org".parse().unwrap()),
            ];
        }
        Ok(answer)
    });
    first.changes = true;
    let second = Scripted::new(|moment| {
        if let Some(message) = moment.message {
            let fields = message.header().fields();
            assert!(fields[0].is("X-First") && !fields.iter().any(|f| f.is("Subject")));
        }
        Ok(Answer::pass())
    });
    let relay = relay(vec![
        first.link("first", OnFailure::Defer),
        second.link("second", OnFailure::Defer),
    ]);
    let mut client = relay.session().await;
    client.up_to_data().await;
    client
        .send(b"Subject: x\r\nTo: b\r\n\r\nbody\r\n.\r\n")
        .await;
    client.expect("250 ").await;
    let (kept, text) = relay.store.only();
    assert_eq!(
        without_trace(&text),
        "X-First: 1\r\n\tforged body\r\nTo: b\r\n\r\nbody\r\n"
    );
    assert_eq!(kept.message.size, text.len() as u64);
    assert_eq!(kept.message.sender.as_str(), "bounce@client.example");
    let to: Vec<&str> = kept.recipients.iter().map(|r| r.address.as_str()).collect();
    assert_eq!(to, ["c@example.org"]);
    assert_eq!(
        second
            .asked
            .lock()
            .iter()
            .filter(|a| a.starts_with("content"))
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_kept_for_the_administrator_and_what_is_discarded_is_not_kept() {
    for (verdict, kept) in [
        (Verdict::Hold(said("odd")), true),
        (Verdict::Discard(said("junk")), false),
    ] {
        let filter = at(Stage::Content, verdict);
        let relay = relay(vec![filter.link("guard", OnFailure::Defer)]);
        let mut client = relay.session().await;
        client.up_to_data().await;
        client.send(b"x\r\n.\r\n").await;
        client.expect("250 ").await;
        let messages = relay.store.messages();
        assert_eq!(messages.len(), usize::from(kept));
        assert!(messages.iter().all(|message| message.held));
        for message in messages.iter() {
            let why = queue::Quarantine::Said {
                text: "odd".to_owned(),
            };
            let kinds: Vec<&queue::EventKind> = message.events.iter().map(|e| &e.kind).collect();
            let filter = "guard".to_owned();
            assert_eq!(kinds, [&queue::EventKind::Quarantined { filter, why }]);
        }
        // Nobody is told to deliver it.
        assert!(relay.courier.calls.lock().is_empty());
        relay.nothing_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_strongest_objection_counts_and_a_client_that_is_exempt_is_not_asked_about() {
    let hold = at(Stage::Mail, Verdict::Hold(said("early")));
    let defer = at(Stage::Rcpt, Verdict::Defer(Reason::Greylisted.into()));
    let reject = at(Stage::Rcpt, Verdict::Reject(said("never").into()));
    let relay = relay_with(
        vec![
            hold.link("hold", OnFailure::Defer),
            defer.link("defer", OnFailure::Defer),
            reject.link("reject", OnFailure::Defer),
        ],
        Settings {
            relay_networks: vec!["0.0.0.0/0".parse().unwrap()],
            ..settings()
        },
    );
    let mut client = relay.session().await;
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
    client
        .ask("RCPT TO:<b@example.org>", "550 5.7.1 never")
        .await;
    let mut client = relay.session_from("192.0.2.1:1").await;
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
    client.ask("RCPT TO:<b@example.org>", "250 ").await;
}

#[tokio::test(start_paused = true)]
async fn filters_that_only_judge_are_asked_at_the_same_time() {
    let slow = || {
        let filter = Scripted::new(|_| Ok(Answer::pass()));
        filter.hangs.store(true, Ordering::SeqCst);
        filter.link("slow", OnFailure::Pass)
    };
    let began = tokio::time::Instant::now();
    let relay = relay(vec![slow(), slow(), slow()]);
    let mut client = relay.connect_from(crate::support::LOCAL).await;
    client.expect("220 ").await;
    assert_eq!(began.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_header_larger_than_any_is_refused_with_and_without_filters() {
    let filter = Scripted::new(|_| Ok(Answer::pass()));
    for links in [Vec::new(), vec![filter.link("guard", OnFailure::Defer)]] {
        let relay = relay(links);
        let mut client = relay.session().await;
        client.up_to_data().await;
        for _ in 0..1_200 {
            client
                .send(format!("X: {}\r\n", "x".repeat(990)).as_bytes())
                .await;
        }
        client.send(b"\r\nbody\r\n.\r\n").await;
        let reply = client.expect("552 5.3.4 ").await;
        assert!(reply.contains("1024 KiB"), "{reply}");
        assert!(relay.store.messages().is_empty());
        relay.nothing_left().await;
    }
}
