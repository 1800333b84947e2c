//! Mail for domains of ours, from anybody.

use std::sync::Arc;

use async_trait::async_trait;
use queue::{EventKind, Expanded, Expansion, MailboxTrouble, Mailboxes};
use reception::{Neighbours, Settings};
use recipients::{Book, Class, Domain, Entry, Fixed, Table, TableFailed, Template};

use crate::support::{Relay, settings, without_trace, world};

const STRANGER: &str = "198.51.100.7:4000";
const ALIASES: &str = "info: anna, bert\nout: x@elsewhere.example\ncircle: circle-b\ncircle-b: circle\nbad: |/bin/sh\n";

fn fixed(name: &str, text: &str) -> Arc<dyn Table> {
    Arc::new(Fixed::new(name, recipients::entries(text).unwrap()))
}

#[derive(Debug)]
struct Broken;

#[async_trait]
impl Table for Broken {
    fn name(&self) -> &str {
        "broken"
    }
    async fn look_up(&self, _: &str) -> Result<Option<Entry>, TableFailed> {
        Err(TableFailed("locked".into()))
    }
}

/// Full for anna, as the quota of her own says.
#[derive(Debug)]
struct AnnaIsFull;

#[async_trait]
impl Mailboxes for AnnaIsFull {
    async fn look(
        &self,
        target: &queue::route::Target,
        quota: Option<queue::MailboxQuota>,
        _: Option<u64>,
    ) -> Result<(), MailboxTrouble> {
        let full = MailboxTrouble::Full {
            used: 5,
            count: 1,
            quota: "5S".into(),
        };
        let anna = target.key().as_str() == "maildir:/mail/ours.example/anna";
        assert_eq!(anna, quota.is_some_and(|quota| quota.bytes == 5));
        if anna { Err(full) } else { Ok(()) }
    }
}

fn domain(name: &str, class: Class) -> Domain {
    Domain {
        name: name.into(),
        class,
        aliases: Vec::new(),
    }
}

fn local(mailboxes: Arc<dyn Table>) -> Class {
    Class::Local {
        mailbox: Template::parse("maildir:/mail/{domain}/{user}").unwrap(),
        mailboxes: vec![mailboxes],
    }
}

fn neighbours(mailboxes: Option<Arc<dyn Mailboxes>>) -> Neighbours {
    let relay = Class::Relay {
        recipients: Vec::new(),
        verify: None,
    };
    let domains = [
        domain(
            "ours.example",
            local(fixed("users", "anna quota=5\nbert\n")),
        ),
        domain("broken.example", local(Arc::new(Broken))),
        domain("relay.example", relay),
    ];
    let settings = recipients::Settings {
        postmaster: Some("bert@ours.example".parse().unwrap()),
        ..recipients::Settings::default()
    };
    let book = Book::new(
        settings,
        domains,
        vec![fixed("aliases", ALIASES)],
        Arc::new(Fixed::new("lists", [])),
        None,
        Arc::default(),
    );
    Neighbours {
        directory: Some(Arc::new(book)),
        mailboxes,
        ..Neighbours::default()
    }
}

fn start() -> Relay {
    Relay::start_in(world(), settings(), neighbours(None))
}

#[tokio::test(start_paused = true)]
async fn anybody_may_send_to_domains_of_ours_and_to_nobody_else() {
    let relay = start();
    let mut client = relay.session_from(STRANGER).await;
    client.ask("MAIL FROM:<x@far.example>", "250 ").await;
    for denied in [
        "b@example.org",
        "anna@ours.example.org",
        "anna@sub.ours.example",
        "b%example.org@relay.example",
        "example.org!b@relay.example",
        "\"b@example.org\"@relay.example",
    ] {
        client
            .ask(
                &format!("RCPT TO:<{denied}>"),
                "550 5.7.1 relay access denied",
            )
            .await;
    }
    for taken in [
        "Anna@OURS.example",
        "postmaster",
        "abuse@ours.example",
        "any@relay.example",
        "out@ours.example",
    ] {
        client.ask(&format!("RCPT TO:<{taken}>"), "250 ").await;
    }
    client.ask("DATA", "354 ").await;
    client.send(b"Subject: x\r\n\r\ny\r\n.\r\n").await;
    client.expect("250 2.0.0 Ok: queued").await;
    let (kept, text) = relay.store.only();
    let keys: Vec<_> = kept
        .recipients
        .iter()
        .map(|r| r.destination.to_string())
        .collect();
    assert_eq!(
        keys,
        [
            "maildir:/mail/ours.example/anna",
            "maildir:/mail/ours.example/bert",
            "mx:relay.example",
            "mx:elsewhere.example"
        ]
    );
    assert_eq!(without_trace(&text), "Subject: x\r\n\r\ny\r\n");
}

#[tokio::test(start_paused = true)]
async fn an_alias_becomes_its_targets_and_the_message_keeps_how() {
    let relay = start();
    let mut client = relay.session_from(STRANGER).await;
    client.ask("MAIL FROM:<x@far.example>", "250 ").await;
    client.ask("RCPT TO:<Info@ours.example>", "250 ").await;
    // One that is on the list, too, gets one copy.
    client.ask("RCPT TO:<bert@ours.example>", "250 ").await;
    client.ask("DATA", "354 ").await;
    client.send(b"\r\n.\r\n").await;
    client.expect("250 ").await;
    let (kept, text) = relay.store.only();
    let to: Vec<_> = kept
        .recipients
        .iter()
        .map(|r| r.address.to_string())
        .collect();
    assert_eq!(to, ["anna@ours.example", "bert@ours.example"]);
    let original = kept.recipients[0].original().unwrap();
    assert_eq!(original.to_string(), "Info@ours.example");
    let [event] = &kept.events[..] else {
        panic!("{:?}", kept.events)
    };
    let EventKind::Expanded(Expansion::Became { by, .. }) = &event.kind else {
        panic!()
    };
    assert_eq!(by.to_string(), "aliases line 1");
    assert!(!text.contains("for <anna"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn each_reason_against_a_recipient_of_ours_has_its_own_reply() {
    let relay = start();
    let mut client = relay.session_from(STRANGER).await;
    client.ask("MAIL FROM:<x@far.example>", "250 ").await;
    for (to, reply) in [
        (
            "carla@ours.example",
            "550 5.1.1 no such recipient here: carla@ours.example",
        ),
        ("../../etc/passwd@ours.example", "501 "),
        ("\"../../etc/passwd\"@ours.example", "550 5.1.1 "),
        ("circle@ours.example", "554 5.4.6 aliases here lead"),
        ("bad@ours.example", "451 4.3.5 our configuration is wrong"),
        (
            "anna@broken.example",
            "451 4.3.0 our table of recipients cannot be asked; that is our fault; try again in 300 seconds",
        ),
    ] {
        client.ask(&format!("RCPT TO:<{to}>"), reply).await;
    }
    client.ask("RCPT TO:<bert@ours.example>", "250 ").await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_tries_names_in_turn_is_shown_out() {
    let relay = Relay::start_in(
        world(),
        Settings {
            max_errors: 3,
            ..settings()
        },
        neighbours(None),
    );
    let mut client = relay.session_from(STRANGER).await;
    client.ask("MAIL FROM:<x@far.example>", "250 ").await;
    client.ask("RCPT TO:<a@ours.example>", "550 5.1.1").await;
    client.ask("RCPT TO:<anna@broken.example>", "451 ").await;
    client.ask("RCPT TO:<b@ours.example>", "550 5.1.1").await;
    client.ask("RCPT TO:<c@ours.example>", "421 4.7.0").await;
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_at_its_own_quota_is_full_alone_and_not_for_the_others_on_a_list() {
    let relay = Relay::start_in(world(), settings(), neighbours(Some(Arc::new(AnnaIsFull))));
    let mut client = relay.session_from(STRANGER).await;
    client.ask("MAIL FROM:<x@far.example>", "250 ").await;
    client
        .ask("RCPT TO:<anna@ours.example>", "452 4.2.2 ")
        .await;
    client.ask("RCPT TO:<bert@ours.example>", "250 ").await;
    client.ask("RCPT TO:<info@ours.example>", "250 ").await;
}

#[tokio::test(start_paused = true)]
async fn of_an_alias_for_several_the_first_carries_what_the_sender_is_to_hear() {
    let relay = start();
    let mut client = relay.session_from(STRANGER).await;
    client.ask("MAIL FROM:<x@far.example>", "250 ").await;
    let rcpt = "RCPT TO:<info@ours.example> NOTIFY=SUCCESS,FAILURE";
    client.ask(rcpt, "250 ").await;
    client
        .ask("RCPT TO:<out@ours.example> NOTIFY=SUCCESS", "250 ")
        .await;
    client.ask("DATA", "354 ").await;
    client.send(b"\r\n.\r\n").await;
    client.expect("250 ").await;
    let (kept, _) = relay.store.only();
    let asked: Vec<_> = kept
        .recipients
        .iter()
        .map(|r| (r.options.notify().to_string(), r.options.expanded))
        .collect();
    // RFC 3461 §5.2.7.2: an alias for one is passed on as it was asked.
    assert_eq!(
        asked,
        [
            ("FAILURE".to_owned(), Some(Expanded::Alias)),
            ("FAILURE".to_owned(), None),
            ("SUCCESS".to_owned(), None),
        ]
    );
}
