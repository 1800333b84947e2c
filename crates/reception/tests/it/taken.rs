//! Mail that is taken.

use queue::BodyKind;

use crate::support::{Relay, content, settings, without_trace};

#[tokio::test(start_paused = true)]
async fn a_message_is_kept_byte_for_byte_under_our_trace_header() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client.up_to_data().await;
    client
        .send(b"Subject: dots\r\n\r\n..one\r\n.. two\r\n\r\n\t\r\nlast \r\n.\r\n")
        .await;
    let reply = client.expect("250 2.0.0 Ok: queued as ").await;
    let (kept, text) = relay.store.only();
    assert!(reply.contains(&kept.message.id.to_string()), "{reply}");
    assert_eq!(
        without_trace(&text),
        "Subject: dots\r\n\r\n.one\r\n. two\r\n\r\n\t\r\nlast \r\n"
    );
    let trace = format!(
        "Received: from client.example ([127.0.0.1])\r\n\
         \tby relay.example (Postrider) with ESMTP id {}\r\n\
         \tfor <b@example.org>;\r\n\
         \tTue, 24 Nov 2026 02:00:00 +0000\r\n",
        kept.message.id
    );
    assert!(text.starts_with(&trace), "{text}");
    client.ask("QUIT", "221 ").await;
    client.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn the_queue_learns_envelope_size_time_and_origin() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client.up_to_data().await;
    client
        .send(b"Received: by a.example; x\r\nSubject: x\r\n\r\nx\r\n.\r\n")
        .await;
    client.expect("250 ").await;
    let (kept, text) = relay.store.only();
    let message = &kept.message;
    assert_eq!(message.sender.as_str(), "a@client.example");
    assert_eq!(message.size, text.len() as u64);
    assert_eq!(message.hops, 2);
    assert_eq!(message.body_kind, BodyKind::SevenBit);
    let lifetime = message.expires_at.duration_since(message.received_at);
    assert_eq!(lifetime.as_hours(), 5 * 24);
    assert_eq!(message.origin.client, "127.0.0.1");
    assert_eq!(message.origin.helo.as_deref(), Some("client.example"));
    assert_eq!(message.origin.protocol, "ESMTP");
    assert_eq!(kept.recipients.len(), 1);
    assert_eq!(kept.recipients[0].address.as_str(), "b@example.org");
    assert_eq!(kept.recipients[0].destination.as_str(), "mx:example.org");
    assert_eq!(kept.recipients[0].next_attempt, message.received_at);
    let calls = relay.courier.calls.lock().clone();
    assert_eq!(
        calls,
        [("announce", message.id, 1), ("accepted", message.id, 1)]
    );
}

#[tokio::test(start_paused = true)]
async fn pipelined_commands_are_answered_in_order_and_two_messages_arrive() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    let envelope =
        "MAIL FROM:<a@client.example>\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<bad\r\nDATA\r\n";
    client.send(envelope.as_bytes()).await;
    for code in ["250 ", "250 ", "501 ", "354 "] {
        client.expect(code).await;
    }
    // RFC 2920 §3.1: after the final dot, the next transaction may follow at once.
    client
        .send(format!("one\r\n.\r\n{envelope}").as_bytes())
        .await;
    for code in ["250 ", "250 ", "250 ", "501 ", "354 "] {
        client.expect(code).await;
    }
    client.send(b"two\r\n.\r\nQUIT\r\n").await;
    client.expect("250 ").await;
    client.expect("221 ").await;
    let kept = relay.store.messages();
    let bodies: Vec<_> = kept
        .iter()
        .map(|m| String::from_utf8(content(m)).unwrap())
        .collect();
    assert_eq!(bodies.len(), 2);
    assert_eq!(without_trace(&bodies[0]), "one\r\n");
    assert_eq!(without_trace(&bodies[1]), "two\r\n");
}

#[tokio::test(start_paused = true)]
async fn chunks_are_put_together_without_stuffing() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client
        .send(
            b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@example.org>\r\n\
              BDAT 14\r\nSubject: x\r\n\r\nBDAT 7\r\n.dot\r\n.BDAT 4 LAST\r\n\r\n\r\n",
        )
        .await;
    for _ in 0..5 {
        client.expect("250 ").await;
    }
    let (_, text) = relay.store.only();
    assert_eq!(without_trace(&text), "Subject: x\r\n\r\n.dot\r\n.\r\n\r\n");
}

#[tokio::test(start_paused = true)]
async fn a_large_message_arrives_whole() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client.up_to_data().await;
    let line = format!("{}\r\n", "x".repeat(998));
    for _ in 0..3_000 {
        client.send(line.as_bytes()).await;
    }
    client.send(b".\r\n").await;
    client.expect("250 ").await;
    let (_, text) = relay.store.only();
    assert!(without_trace(&text) == line.repeat(3_000));
}

#[tokio::test(start_paused = true)]
async fn helo_says_smtp_and_names_several_recipients_to_nobody() {
    let relay = Relay::start(settings());
    let mut client = relay.connect_from("[2001:db8::7]:9").await;
    client.expect("220 relay.example").await;
    client.ask("HELO old", "250 ").await;
    drop(client);
    let mut client = relay.connect_from("[::1]:9").await;
    client.expect("220 ").await;
    client.ask("HELO old", "250 ").await;
    client.ask("MAIL FROM:<>", "250 ").await;
    client.ask("RCPT TO:<b@example.org>", "250 ").await;
    client.ask("RCPT TO:<c@example.org>", "250 ").await;
    client.ask("DATA", "354 ").await;
    client.send(b"x\r\n.\r\n").await;
    client.expect("250 ").await;
    let (kept, text) = relay.store.only();
    assert!(
        text.starts_with("Received: from old ([IPv6:::1])\r\n"),
        "{text}"
    );
    assert!(text.contains(" with SMTP id ") && !text.contains("for <"));
    assert!(kept.message.sender.is_null());
}

#[tokio::test(start_paused = true)]
async fn a_recipient_named_twice_gets_one_copy() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
    for to in [
        "b@example.org",
        "b@EXAMPLE.org",
        "B@example.org",
        "c@example.org",
        "b@example.org",
    ] {
        client.ask(&format!("RCPT TO:<{to}>"), "250 ").await;
    }
    client.ask("DATA", "354 ").await;
    client.send(b"x\r\n.\r\n").await;
    client.expect("250 ").await;
    let (kept, _) = relay.store.only();
    let to: Vec<_> = kept.recipients.iter().map(|r| r.address.as_str()).collect();
    assert_eq!(to, ["b@example.org", "B@example.org", "c@example.org"]);
}

#[tokio::test(start_paused = true)]
async fn eight_bit_content_is_noticed_whether_declared_or_not() {
    for (parameter, body, kind) in [
        ("", "plain", BodyKind::SevenBit),
        ("", "caf\u{e9}", BodyKind::EightBit),
        (" BODY=8BITMIME", "plain", BodyKind::EightBit),
        (" BODY=7BIT", "caf\u{e9}", BodyKind::EightBit),
    ] {
        let relay = Relay::start(settings());
        let mut client = relay.session().await;
        client
            .ask(&format!("MAIL FROM:<a@client.example>{parameter}"), "250 ")
            .await;
        client.ask("RCPT TO:<b@example.org>", "250 ").await;
        client.ask("DATA", "354 ").await;
        client.send(format!("{body}\r\n.\r\n").as_bytes()).await;
        client.expect("250 ").await;
        assert_eq!(
            relay.store.only().0.message.body_kind,
            kind,
            "{parameter} {body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn smtputf8_is_kept_and_named_in_the_trace() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client
        .ask("MAIL FROM:<jos\u{e9}@client.example> SMTPUTF8", "250 ")
        .await;
    client.ask("RCPT TO:<ren\u{e9}@example.org>", "250 ").await;
    client.ask("DATA", "354 ").await;
    client
        .send("Subject: \u{e9}\r\n\r\nx\r\n.\r\n".as_bytes())
        .await;
    client.expect("250 ").await;
    let (kept, text) = relay.store.only();
    assert!(kept.message.smtputf8);
    assert!(text.contains(" with UTF8SMTP id "), "{text}");
    assert!(text.contains("for <ren\u{e9}@example.org>"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_recipients_are_taken() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
    for i in 0..1_000 {
        client
            .ask(&format!("RCPT TO:<u{i}@example.org>"), "250 ")
            .await;
    }
    client.ask("RCPT TO:<more@example.org>", "452 4.5.3").await;
    client.ask("DATA", "354 ").await;
    client.send(b"x\r\n.\r\n").await;
    client.expect("250 ").await;
    assert_eq!(relay.store.only().0.recipients.len(), 1_000);
}
