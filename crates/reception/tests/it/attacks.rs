//! What is tried against a server that listens to all the world: each is answered, nothing of it gets in.
//! `docs/security.md` names these tests, and those of the same kind elsewhere.

use std::time::Duration;

use proptest::prelude::*;
use reception::Settings;

use crate::support::{LOCAL, Relay, content, settings};

/// Every sequence that was ever published as an end of data with some server (SEC Consult 2023, and what
/// came after), with line ends that are not CRLF, NULs, and dots beside them.
const FALSE_ENDS: &[&str] = &[
    "\n.\n",
    "\n.\r\n",
    "\r\n.\n",
    "\r.\r",
    "\r.\n",
    "\n.\r",
    "\r\n.\r",
    "\r.\r\n",
    "\r\r\n.\r\r\n",
    "\r\n.\r\r\n",
    "\r\n\0.\r\n",
    "\r\n.\0\r\n",
    "\r\0\n.\r\n",
    "\n\n.\r\n",
    "\n.\n\r\n",
    "\r\n..\r\n\n.\n",
    "\0\n.\n",
    "\r\n.\r\0\n",
    "\n\r\n.\n\r\n\n.\r\n",
];

#[tokio::test(start_paused = true)]
async fn no_false_end_of_data_makes_two_messages_of_one() {
    let smuggled =
        "MAIL FROM:<evil@client.example>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nevil\r\n.\r\n";
    for end in FALSE_ENDS {
        let relay = Relay::start(settings());
        let mut client = relay.session().await;
        client.up_to_data().await;
        client.send(format!("good{end}{smuggled}").as_bytes()).await;
        client.reply().await;
        drop(client);
        relay.nothing_left().await;
        for kept in relay.store.messages() {
            assert_eq!(kept.message.sender.as_str(), "a@client.example", "{end:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_a_client_sends_what_is_kept_has_no_line_end_but_crlf(
        text in "[a.\r\n\0\u{e9}]{0,40}", chunked: bool
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let relay = Relay::start(settings());
            let mut client = relay.session().await;
            client.ask("MAIL FROM:<a@client.example>", "250 ").await;
            client.ask("RCPT TO:<b@example.org>", "250 ").await;
            if chunked {
                client.send(format!("BDAT {} LAST\r\n{text}", text.len()).as_bytes()).await;
            } else {
                client.ask("DATA", "354 ").await;
                client.send(format!("{text}\r\n.\r\n").as_bytes()).await;
            }
            client.reply().await;
            drop(client);
            relay.nothing_left().await;
            for kept in relay.store.messages() {
                let text = content(&kept);
                let without = String::from_utf8_lossy(&text).replace("\r\n", "");
                assert!(!without.contains(['\r', '\n', '\0']), "{without:?}");
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_speaks_before_it_is_greeted_is_sent_away_where_that_is_wanted() {
    let relay = Relay::start(Settings {
        greeting_delay: Duration::from_secs(2),
        ..settings()
    });
    let mut early = relay.connect_from(LOCAL).await;
    early.say("EHLO client.example").await;
    early.expect("554 5.5.0 wait for the greeting").await;
    early.expect_end().await;
    let began = tokio::time::Instant::now();
    let mut patient = relay.connect_from(LOCAL).await;
    patient.expect("220 ").await;
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    patient.ask("EHLO client.example", "250").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_pipelined_behind_quit_is_not_done() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client
        .send(b"QUIT\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n.\r\n")
        .await;
    client.expect("221 ").await;
    client.expect_end().await;
    relay.nothing_left().await;
    assert!(relay.store.messages().is_empty());
}

#[tokio::test(start_paused = true)]
async fn content_behind_a_data_that_is_refused_is_read_as_commands_and_counted() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client
        .send(b"DATA\r\nSubject: MAIL FROM:<evil@x.example>\r\nRCPT TO:<b@example.org>\r\n.\r\nQUIT\r\n")
        .await;
    client.expect("503 ").await;
    client.expect("500 ").await;
    client.expect("503 ").await;
    client.expect("500 ").await;
    client.expect("221 ").await;
    assert!(relay.store.messages().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nul_bytes_are_refused_in_commands_and_in_content() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client.ask("MAIL FROM:<a\0@client.example>", "50").await;
    client.up_to_data().await;
    client.send(b"a\0b\r\n.\r\n").await;
    let reply = client.reply().await;
    assert!(reply.starts_with('5'), "{reply}");
    assert!(relay.store.messages().is_empty());
}

#[tokio::test(start_paused = true)]
async fn overlong_and_broken_utf8_in_an_address_is_refused() {
    let relay = Relay::start(settings());
    for local in [
        &b"\xc0\xaf"[..],
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xed\xa0\x80",
        b"\xff\xfe",
        b"\x80",
        b"\xc3",
        b"\xf5\x80\x80\x80",
    ] {
        let mut client = relay.session().await;
        let line = [b"MAIL FROM:<", local, b"@client.example> SMTPUTF8\r\n"].concat();
        client.send(&line).await;
        let reply = client.reply().await;
        assert!(reply.starts_with('5'), "{local:x?}: {reply}");
        let line = [b"EHLO ", local, b".example\r\n"].concat();
        client.send(&line).await;
        client.reply().await;
        client.ask("NOOP", "250 ").await;
    }
}

#[tokio::test(start_paused = true)]
async fn mime_that_is_nested_ten_thousand_deep_is_taken_like_any_other_mail() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client.up_to_data().await;
    for depth in 0..10_000 {
        let level =
            format!("Content-Type: multipart/mixed; boundary=\"b{depth}\"\r\n\r\n--b{depth}\r\n");
        client.send(level.as_bytes()).await;
    }
    client.send(b"\r\n.\r\n").await;
    client.expect("250 ").await;
}

#[tokio::test(start_paused = true)]
async fn what_a_client_calls_itself_stays_within_the_trace_header() {
    let relay = Relay::start(settings());
    let mut client = relay.connect_from(LOCAL).await;
    client.expect("220 ").await;
    client.say("HELO x)\u{b}(y;\tBcc:evil@x.example").await;
    let reply = client.reply().await;
    if reply.starts_with("250") {
        client.up_to_data().await;
        client.send(b"Subject: x\r\n\r\nx\r\n.\r\n").await;
        client.expect("250 ").await;
        let (_, text) = relay.store.only();
        let header = text.split("\r\n\r\n").next().unwrap();
        let fields = header.split("\r\n").filter(|line| !line.starts_with('\t'));
        assert_eq!(fields.count(), 2, "{header}");
        assert!(!header.contains("Bcc:evil@"), "{header}");
    }
}
