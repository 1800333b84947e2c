//! Clients that say who they are: AUTH, and what a user may do.

use std::sync::Arc;
use std::time::Duration;

use auth::{Authenticator, UserFile, Users};
use data_encoding::BASE64;
use queue::route::Routes;
use reception::{
    AuthSettings, Door, Neighbours, Rate, Role, Sender, Senders, Settings, Submission,
};
use sasl::{Client as Sasl, Mechanism, Password};
use tempfile::TempDir;

use crate::support::{Client, LOCAL, Relay, settings, without_trace, world};

/// A relay with the users anna@client.example (password `secret`) and bert (`word`).
pub(crate) struct Stage {
    pub(crate) relay: Relay,
    directory: TempDir,
}

const STRANGER: &str = "192.0.2.7:5000";

fn users() -> Users {
    let mut users = Users::default();
    for (name, password) in [("anna@client.example", "secret"), ("bert", "word")] {
        users
            .set(name, &Password::new(password), &|bytes| bytes.fill(9))
            .unwrap();
    }
    users
}

/// The users' file: hashing takes a while in tests, so that it is made once.
fn users_text() -> &'static str {
    static TEXT: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| users().to_text());
    &TEXT
}

impl Stage {
    pub(crate) fn with(role: Role, settings: Settings) -> Stage {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users");
        std::fs::write(&path, users_text()).unwrap();
        let file = UserFile::open(world(), path).unwrap();
        let neighbours = Neighbours {
            authenticator: Some(Arc::new(file) as Arc<dyn Authenticator>),
            ..Neighbours::default()
        };
        let relay = Relay::start_at(
            world(),
            settings,
            neighbours,
            Door {
                role,
                implicit_tls: false,
            },
        );
        Stage { relay, directory }
    }

    pub(crate) fn open(role: Role) -> Stage {
        Stage::with(role, everywhere())
    }
}

/// Passwords may go over any line.
fn everywhere() -> Settings {
    let mut senders = Senders::default();
    let read = |text| Sender::read(text).unwrap();
    senders.allow(
        "bert",
        vec![read("info@client.example"), read("@sales.example")],
    );
    Settings {
        auth: AuthSettings {
            plaintext_networks: vec!["0.0.0.0/0".parse().unwrap()],
            ..AuthSettings::default()
        },
        submission: Submission {
            domain: Some("client.example".to_owned()),
            senders,
            ..Submission::default()
        },
        ..settings()
    }
}

pub(crate) fn plain(name: &str, password: &str) -> String {
    let response = BASE64.encode(format!("\0{name}\0{password}").as_bytes());
    format!("AUTH PLAIN {response}")
}

/// A client at the other end of SCRAM-SHA-256; the last reply.
async fn scram(client: &mut Client, name: &str, password: &str) -> String {
    let password = Password::new(password);
    let mut sasl = Sasl::new(
        Mechanism::ScramSha256,
        name,
        password,
        "rOprNGfwEbeRWgbNEkqO",
    )
    .unwrap();
    let first = BASE64.encode(&sasl.initial().unwrap().unwrap());
    client.say(&format!("AUTH SCRAM-SHA-256 {first}")).await;
    loop {
        let reply = client.reply().await;
        let Some(challenge) = reply.strip_prefix("334 ") else {
            assert!(
                !reply.starts_with('2') || sasl.finish().is_ok(),
                "the relay has proved itself"
            );
            return reply;
        };
        let challenge = BASE64.decode(challenge.trim_end().as_bytes()).unwrap();
        let response = sasl.respond(&challenge).unwrap();
        client.say(&BASE64.encode(&response)).await;
    }
}

async fn ehlo(client: &mut Client) -> String {
    client.ask("EHLO client.example", "250").await
}

#[tokio::test(start_paused = true)]
async fn a_stranger_may_relay_once_it_has_said_who_it_is() {
    let stage = Stage::open(Role::Relay);
    let mut client = stage.relay.session_from(STRANGER).await;
    client.ask("MAIL FROM:<anna@client.example>", "250 ").await;
    client
        .ask("RCPT TO:<b@example.org>", "550 5.7.1 relay access denied")
        .await;
    client.ask("RSET", "250 ").await;
    let yes = client
        .ask(&plain("Anna@client.example", "secret"), "235 ")
        .await;
    assert_eq!(yes, "235 2.7.0 authenticated\r\n");
    client.ask("MAIL FROM:<anna@client.example>", "250 ").await;
    client.ask("RCPT TO:<b@example.org>", "250 ").await;
    client.ask("DATA", "354 ").await;
    client.send(b"Subject: x\r\n\r\nx\r\n.\r\n").await;
    client.expect("250 ").await;
    let (_, text) = stage.relay.store.only();
    assert!(text.contains(" with ESMTPA id "), "RFC 3848: {text}");
    assert_eq!(
        without_trace(&text),
        "Subject: x\r\n\r\nx\r\n",
        "the mail of servers stays as it is"
    );
}

#[tokio::test(start_paused = true)]
async fn every_mechanism_proves_who_a_user_is() {
    let stage = Stage::open(Role::Relay);
    let mut client = stage.relay.connect_from(STRANGER).await;
    client.expect("220 ").await;
    let offers = ehlo(&mut client).await;
    assert!(
        offers.contains("250-AUTH SCRAM-SHA-256 PLAIN LOGIN\r\n"),
        "{offers}"
    );
    let yes = scram(&mut client, "bert", "word").await;
    assert_eq!(yes, "235 2.7.0 authenticated\r\n");
    client.ask("AUTH PLAIN", "503 5.5.1 ").await;

    let mut client = stage.relay.session_from(STRANGER).await;
    client.ask("AUTH LOGIN", "334 VXNlcm5hbWU6").await;
    client
        .ask(&BASE64.encode(b"bert"), "334 UGFzc3dvcmQ6")
        .await;
    client.ask(&BASE64.encode(b"word"), "235 ").await;

    let mut client = stage.relay.session_from(STRANGER).await;
    client.ask("AUTH PLAIN", "334 \r\n").await;
    client.ask(&BASE64.encode(b"\0bert\0word"), "235 ").await;
}

#[tokio::test(start_paused = true)]
async fn who_has_the_wrong_password_and_who_does_not_exist_hear_the_same() {
    let stage = Stage::open(Role::Relay);
    let mut replies = Vec::new();
    for (name, password) in [("bert", "wrong"), ("ghost", "word")] {
        let mut client = stage.relay.session_from(STRANGER).await;
        replies.push(client.ask(&plain(name, password), "535 ").await);
        replies.push(scram(&mut client, name, password).await);
    }
    replies.dedup();
    assert_eq!(
        replies,
        ["535 5.7.8 authentication failed: name or password is wrong\r\n"]
    );
}

#[tokio::test(start_paused = true)]
async fn passwords_go_over_no_line_that_others_can_listen_to() {
    let stage = Stage::with(Role::Relay, settings());
    let mut client = stage.relay.connect_from(STRANGER).await;
    client.expect("220 ").await;
    let offers = ehlo(&mut client).await;
    assert!(offers.contains("250-AUTH SCRAM-SHA-256\r\n"), "{offers}");
    client.ask(&plain("bert", "word"), "538 5.7.11 ").await;
    assert_eq!(
        scram(&mut client, "bert", "word").await,
        "235 2.7.0 authenticated\r\n"
    );
    let mut local = stage.relay.connect_from(LOCAL).await;
    local.expect("220 ").await;
    assert!(
        ehlo(&mut local)
            .await
            .contains("250-AUTH SCRAM-SHA-256 PLAIN LOGIN\r\n")
    );
    let mut old = stage.relay.connect_from(LOCAL).await;
    old.expect("220 ").await;
    old.ask("HELO client.example", "250 ").await;
    old.ask(&plain("bert", "word"), "502 5.5.1 ").await;
}

#[tokio::test(start_paused = true)]
async fn failed_logins_cost_time_then_the_session_and_then_the_client() {
    let stage = Stage::with(
        Role::Relay,
        Settings {
            auth: AuthSettings {
                failures: Some(Rate {
                    count: 6,
                    per: Duration::from_secs(600),
                }),
                ..everywhere().auth
            },
            ..everywhere()
        },
    );
    let mut client = stage.relay.session_from(STRANGER).await;
    let start = tokio::time::Instant::now();
    for _ in 0..4 {
        client.ask(&plain("bert", "wrong"), "535 5.7.8 ").await;
    }
    assert!(start.elapsed() >= Duration::from_secs(1 + 2 + 3 + 4));
    let last = client.ask(&plain("bert", "wrong"), "421 4.7.0 ").await;
    assert!(last.contains("after 5 failed logins"), "{last}");
    client.expect_end().await;
    let mut client = stage.relay.session_from(STRANGER).await;
    client.ask(&plain("ghost", "wrong"), "535 5.7.8 ").await;
    let refused = client.ask(&plain("bert", "word"), "421 4.7.0 ").await;
    assert!(
        refused.contains("takes 6 failed logins in 10 minutes from 192.0.2.7/32"),
        "{refused}"
    );
    assert!(refused.contains("; try again in "), "{refused}");
    client.expect_end().await;
    let mut other = stage.relay.session_from("192.0.2.8:5000").await;
    other.ask(&plain("bert", "word"), "235 ").await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_became_wrong_leaves_the_users_as_they_were() {
    let stage = Stage::open(Role::Relay);
    let path = stage.directory.path().join("users");
    std::fs::write(&path, "bert nonsense\n").unwrap();
    let mut client = stage.relay.session_from(STRANGER).await;
    client.ask(&plain("bert", "word"), "235 ").await;
}

#[tokio::test(start_paused = true)]
async fn who_submits_must_say_who_it_is_wherever_it_is() {
    let stage = Stage::open(Role::Submission);
    let mut client = stage.relay.session().await;
    let refused = client
        .ask("MAIL FROM:<anna@client.example>", "530 5.7.0 ")
        .await;
    assert_eq!(
        refused,
        "530 5.7.0 authentication required: this port is for users\r\n"
    );
    client
        .ask(&plain("anna@client.example", "secret"), "235 ")
        .await;
    client.ask("MAIL FROM:<anna@client.example>", "250 ").await;
}

#[tokio::test(start_paused = true)]
async fn a_user_sends_as_itself_and_as_whom_the_settings_say() {
    let stage = Stage::open(Role::Submission);
    let mut client = stage.relay.session_from(STRANGER).await;
    client.ask(&plain("bert", "word"), "235 ").await;
    for own in [
        "bert@client.example",
        "info@CLIENT.example",
        "x@sales.example",
        "bert",
        "",
    ] {
        client.ask(&format!("MAIL FROM:<{own}>"), "250 ").await;
        client.ask("RSET", "250 ").await;
    }
    let refused = client
        .ask("MAIL FROM:<anna@client.example>", "550 5.7.1 ")
        .await;
    assert_eq!(
        refused,
        "550 5.7.1 user bert may not send as anna@client.example\r\n"
    );
}

async fn submit(client: &mut Client, to: &str, content: &str) -> String {
    client.ask("MAIL FROM:<bert>", "250 ").await;
    client.ask(&format!("RCPT TO:<{to}>"), "250 ").await;
    client.ask("DATA", "354 ").await;
    client.send(content.as_bytes()).await;
    client.send(b".\r\n").await;
    client.reply().await
}

#[tokio::test(start_paused = true)]
async fn a_submitted_message_gets_what_it_lacks() {
    let stage = Stage::open(Role::Submission);
    let mut client = stage.relay.session_from(STRANGER).await;
    client.ask(&plain("bert", "word"), "235 ").await;
    let done = submit(
        &mut client,
        "carla",
        "From: Bert <bert@client.example>\r\nSubject: x\r\n\r\nx\r\n",
    )
    .await;
    assert!(done.starts_with("250 "), "{done}");
    let (kept, text) = stage.relay.store.only();
    assert_eq!(kept.recipients[0].address.as_str(), "carla@client.example");
    assert_eq!(kept.message.sender.as_str(), "bert@client.example");
    let id = kept.message.id;
    assert_eq!(
        without_trace(&text),
        format!(
            "Date: Tue, 24 Nov 2026 02:00:00 +0000\r\nMessage-ID: <{id}@relay.example>\r\n\
             From: Bert <bert@client.example>\r\nSubject: x\r\n\r\nx\r\n"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_submitted_message_of_header_or_body_alone_is_completed_too() {
    for (content, after) in [
        ("Subject: x\r\n", "Subject: x\r\n"),
        ("\r\nbody\r\n", "\r\nbody\r\n"),
    ] {
        let stage = Stage::open(Role::Submission);
        let mut client = stage.relay.session_from(STRANGER).await;
        client.ask(&plain("bert", "word"), "235 ").await;
        assert!(
            submit(&mut client, "carla", content)
                .await
                .starts_with("250 ")
        );
        let (_, text) = stage.relay.store.only();
        let text = without_trace(&text);
        assert!(
            text.starts_with("From: <bert@client.example>\r\nDate: "),
            "{text}"
        );
        assert!(
            text.ends_with(&format!("@relay.example>\r\n{after}")),
            "{text}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_in_the_name_of_another_or_with_two_authors_fields_is_refused() {
    let stage = Stage::open(Role::Submission);
    let mut client = stage.relay.session_from(STRANGER).await;
    client.ask(&plain("bert", "word"), "235 ").await;
    let other = submit(
        &mut client,
        "carla",
        "From: anna@client.example\r\n\r\nx\r\n",
    )
    .await;
    assert_eq!(
        other,
        "550 5.7.1 user bert may not send a message from anna@client.example\r\n"
    );
    let twice = "From: bert@client.example\r\nFrom: anna@client.example\r\n\r\nx\r\n";
    let twice = submit(&mut client, "carla", twice).await;
    assert_eq!(
        twice,
        "554 5.6.0 the message has more than one From field\r\n"
    );
    stage.relay.nothing_left().await;
    assert!(stage.relay.store.messages().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_domain_of_one_word_is_no_address_for_a_user_unless_it_has_a_route() {
    let mut routes = Routes::default();
    routes.insert("intranet", "smtp://127.0.0.1:9".parse().unwrap());
    let stage = Stage::with(
        Role::Submission,
        Settings {
            routes: Arc::new(routes),
            ..everywhere()
        },
    );
    let mut client = stage.relay.session_from(STRANGER).await;
    client.ask(&plain("bert", "word"), "235 ").await;
    client.ask("MAIL FROM:<bert>", "250 ").await;
    let refused = client.ask("RCPT TO:<carla@sales>", "554 5.1.2 ").await;
    assert_eq!(
        refused,
        "554 5.1.2 the domain of carla@sales is not a full name\r\n"
    );
    client.ask("RCPT TO:<carla@intranet>", "250 ").await;
    client.ask("RCPT TO:<carla@[192.0.2.1]>", "250 ").await;
}

#[tokio::test(start_paused = true)]
async fn the_trace_of_a_user_may_hide_where_it_is() {
    let hidden = Submission {
        show_client: false,
        ..everywhere().submission
    };
    let stage = Stage::with(
        Role::Submission,
        Settings {
            submission: hidden,
            ..everywhere()
        },
    );
    let mut client = stage.relay.session_from(STRANGER).await;
    client.ask(&plain("bert", "word"), "235 ").await;
    assert!(
        submit(&mut client, "carla", "Subject: x\r\n\r\n")
            .await
            .starts_with("250 ")
    );
    let (kept, text) = stage.relay.store.only();
    assert!(
        text.starts_with("Received: by relay.example (Postrider) with ESMTPA id "),
        "{text}"
    );
    assert!(!text.contains("192.0.2.7"), "{text}");
    assert_eq!(kept.message.origin.client, "192.0.2.7", "we know");
}
