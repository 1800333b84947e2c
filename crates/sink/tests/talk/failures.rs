//! What rules do to a session.

use std::time::Duration;

use sink::{Codes, Rule, Script, Verdict};
use tokio::time::{Instant, timeout};

use crate::stage::Stage;

const CONTENT: &str = "Subject: hi\r\n\r\nhello\r\n";

fn rule(at: &str, more: &str) -> String {
    format!("[[rule]]\nat = \"{at}\"\n{more}\n")
}

#[tokio::test(start_paused = true)]
async fn a_local_part_can_ask_for_a_failure_where_there_is_no_script() {
    let stage = Stage::with(Script::default()).await;
    let mut client = stage.hello().await;
    for (to, replies) in [
        ("anna@dest.example", &["250 ", "354 ", "250 "][..]),
        ("anna-4.2.2@dest.example", &["452 4.2.2 "]),
        ("4.2.2@dest.example", &["452 4.2.2 "]),
        ("anna+452@dest.example", &["452 "]),
        ("550@dest.example", &["550 "]),
        ("code+5.1.1@dest.example", &["550 5.1.1 "]),
        ("anna+451+data@dest.example", &["250 ", "451 "]),
        (
            "anna+4.3.0+end-of-data@dest.example",
            &["250 ", "354 ", "451 4.3.0 "],
        ),
        ("anna+450+twice@dest.example", &["450 "]),
        ("anna+450+twice@dest.example", &["450 "]),
        ("anna+450+twice@dest.example", &["250 ", "354 ", "250 "]),
        ("anna+list@dest.example", &["250 ", "354 ", "250 "]),
        ("anna-marie@dest.example", &["250 ", "354 ", "250 "]),
        ("anna-250@dest.example", &["250 ", "354 ", "250 "]),
        ("anna+close+end-of-data@dest.example", &["250 ", "354 ", ""]),
    ] {
        let said = client.mail(to, CONTENT).await;
        let fits = said.len() == replies.len()
            && said
                .iter()
                .zip(replies)
                .all(|(said, wanted)| said.starts_with(wanted));
        assert!(fits, "{to}: {said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_stage_says_the_code_that_it_is_told() {
    for (at, lines) in [
        ("ehlo", &["EHLO a.example"][..]),
        ("helo", &["HELO a.example"]),
        ("mail", &["EHLO a.example", "MAIL FROM:<a@a.example>"]),
        ("rset", &["EHLO a.example", "RSET"]),
        ("quit", &["QUIT"]),
        ("starttls", &["EHLO a.example", "STARTTLS"]),
        ("auth", &["EHLO a.example", "AUTH PLAIN AGEAYg=="]),
        (
            "data",
            &[
                "EHLO a.example",
                "MAIL FROM:<>",
                "RCPT TO:<a@a.example>",
                "DATA",
            ],
        ),
    ] {
        let script = rule(at, "do = \"450 4.9.9 as told\"");
        let server = "[server]\nextensions = [\"ENHANCEDSTATUSCODES\", \"STARTTLS\", \"AUTH\"]\n";
        let stage = Stage::new(&(server.to_owned() + &script)).await;
        let mut client = stage.connect().await;
        let mut last = client.reply().await;
        for line in lines {
            last = client.ask(line).await;
        }
        assert_eq!(last, "450 4.9.9 as told", "{at}");
    }
    let stage = Stage::new(&rule("greeting", "do = \"554 go away\"")).await;
    let (said, _) = stage.connect().await.rest().await;
    assert_eq!(said, b"554 go away\r\n");
}

#[tokio::test(start_paused = true)]
async fn a_drop_is_a_drop_at_every_stage() {
    for verdict in ["close", "reset"] {
        for at in [
            "connect",
            "greeting",
            "ehlo",
            "mail",
            "rcpt",
            "data",
            "end-of-data",
            "quit",
        ] {
            let stage = Stage::new(&rule(at, &format!("do = \"{verdict}\""))).await;
            let mut client = stage.connect().await;
            let mut answered = usize::from(!client.reply().await.is_empty());
            for line in [
                "EHLO a.example",
                "MAIL FROM:<>",
                "RCPT TO:<a@a.example>",
                "DATA",
                ".",
                "QUIT",
            ] {
                answered += usize::from(!client.ask(line).await.is_empty());
            }
            let stages = [
                "connect",
                "ehlo",
                "mail",
                "rcpt",
                "data",
                "end-of-data",
                "quit",
            ];
            let expected = stages.iter().position(|name| *name == at).unwrap_or(0);
            assert_eq!(answered, expected, "{verdict} at {at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn content_is_cut_off_after_so_many_bytes_and_not_before() {
    let stage = Stage::new(&rule("content", "bytes = 1000\ndo = \"reset\"")).await;
    let short = stage.hello().await.mail("a@a.example", CONTENT).await;
    assert!(short[2].starts_with("250 "), "{short:?}");
    let long = format!("{CONTENT}{}", "0123456789\r\n".repeat(200));
    let cut = stage.hello().await.mail("a@a.example", &long).await;
    assert_eq!(cut[2], "");
    assert_eq!(stage.kept.messages().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_the_final_dot_the_message_may_be_kept_or_lost_without_a_word() {
    for (keep, kept) in [("true", 1), ("false", 0)] {
        let more = format!("keep = {keep}\ntimes = 1\ndo = \"close\"");
        let stage = Stage::new(&rule("end-of-data", &more)).await;
        let first = stage.hello().await.mail("a@a.example", CONTENT).await;
        assert_eq!(first[2], "");
        assert_eq!(stage.kept.messages().len(), kept);
        assert!(stage.kept.messages().iter().all(|one| !one.accepted));
        let again = stage.hello().await.mail("a@a.example", CONTENT).await;
        assert!(again[2].starts_with("250 "));
        assert_eq!(stage.kept.messages().len(), kept + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_lasts_until_the_client_leaves() {
    let stage = Stage::new(&rule("connect", "do = \"silence\"")).await;
    let mut client = stage.connect().await;
    let waited = timeout(Duration::from_secs(600), client.reply()).await;
    assert!(waited.is_err());
}

#[tokio::test(start_paused = true)]
async fn replies_can_be_late_or_come_byte_by_byte() {
    let script = rule("mail", "delay = \"7s\"") + &rule("rcpt", "tarpit = \"1s\"\ndo = \"550 no\"");
    let stage = Stage::new(&script).await;
    let mut client = stage.hello().await;
    let began = Instant::now();
    assert!(
        client
            .ask("MAIL FROM:<a@a.example>")
            .await
            .starts_with("250 ")
    );
    assert_eq!(began.elapsed().as_secs(), 7);
    let began = Instant::now();
    assert_eq!(client.ask("RCPT TO:<a@a.example>").await, "550 no");
    // Eight bytes, the last without a wait after it.
    assert_eq!(began.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn raw_bytes_stand_in_place_of_the_reply() {
    let script =
        rule("greeting", "do = \"raw \\u0016\\u0003\\u0001\"") + &rule("ehlo", "do = \"close\"");
    let stage = Stage::new(&script).await;
    let mut client = stage.connect().await;
    client.send(b"EHLO a.example\r\n").await;
    let (said, _) = client.rest().await;
    assert_eq!(said, [0x16, 3, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_answers_the_handshake_is_no_tls() {
    let server = "[server]\nextensions = [\"STARTTLS\"]\n";
    for (more, said) in [("close", &b""[..]), ("raw no TLS", b"no TLS")] {
        let script = server.to_owned() + &rule("handshake", &format!("do = \"{more}\""));
        let stage = Stage::new(&script).await;
        let mut client = stage.hello().await;
        assert!(client.ask("STARTTLS").await.starts_with("220 "));
        client.send(b"\x16\x03\x01").await;
        assert_eq!(client.rest().await.0, said);
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_is_said_in_the_words_of_its_dialect() {
    let mut script = Script::parse("[server]\ndialect = \"exchange\"").unwrap();
    let codes = Codes::read("4.2.2").unwrap().unwrap();
    script
        .rules
        .push(Rule::always(sink::Stage::Rcpt, Verdict::Code(codes)));
    let stage = Stage::with(script.clone()).await;
    let mut client = stage.connect().await;
    assert!(
        client
            .reply()
            .await
            .contains("Microsoft ESMTP MAIL Service ready")
    );
    client.ask("EHLO client.example").await;
    let said = client.mail("a@a.example", CONTENT).await;
    assert!(said[0].starts_with("452 4.2.2 Mailbox full"), "{said:?}");
    // Without the announcement there are no enhanced status codes (RFC 2034 §3).
    script.server.extensions.clear();
    let stage = Stage::with(script).await;
    let said = stage.hello().await.mail("a@a.example", CONTENT).await;
    assert!(said[0].starts_with("452 Mailbox full"), "{said:?}");
}
