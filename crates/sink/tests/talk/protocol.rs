//! The sink's own part of SMTP.

use sink::Script;

use crate::stage::Stage;

#[tokio::test(start_paused = true)]
async fn commands_in_one_piece_are_answered_in_order_and_the_message_is_kept_as_it_came() {
    let stage = Stage::new("").await;
    let mut client = stage.connect().await;
    client
        .send(
            b"EHLO c.example\r\nMAIL FROM:<a@c.example> SIZE=20\r\nRCPT TO:<b@d.example>\r\nRCPT TO:<c@d.example>\r\n\
              DATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nRSET\r\nNOOP\r\nQUIT\r\n",
        )
        .await;
    let (said, _) = client.rest().await;
    let said = String::from_utf8(said).unwrap();
    let codes: Vec<&str> = said
        .lines()
        .filter(|line| line.as_bytes()[3] == b' ')
        .map(|line| &line[..3])
        .collect();
    assert_eq!(
        codes,
        [
            "220", "250", "250", "250", "250", "354", "250", "250", "250", "221"
        ],
        "{said}"
    );
    let message = stage.kept.message(1).unwrap();
    assert_eq!(&message.content[..], b"Subject: x\r\n\r\n.dot\r\n");
    assert_eq!(message.from, "a@c.example");
    assert_eq!(message.to, ["b@d.example", "c@d.example"]);
    assert_eq!(message.announced, Some(20));
    assert!(message.accepted && !message.chunked);
}

#[tokio::test(start_paused = true)]
async fn chunks_are_put_together_and_commands_behind_them_are_heard() {
    let rules = "[[rule]]\nat = \"rset\"\ndo = \"421 4.3.2 as told\"\n";
    let stage = Stage::new(rules).await;
    let mut client = stage.hello().await;
    client
        .send(
            b"MAIL FROM:<a@c.example>\r\nRCPT TO:<b@d.example>\r\nBDAT 14\r\nSubject: x\r\n\r\nBDAT 6 LAST\r\nRSET\r\nRSET\r\n",
        )
        .await;
    let mut replies = Vec::new();
    for _ in 0..5 {
        replies.push(client.reply().await);
    }
    assert!(
        replies[..4].iter().all(|reply| reply.starts_with("250 ")),
        "{replies:?}"
    );
    assert_eq!(replies[4], "421 4.3.2 as told");
    let message = stage.kept.message(1).unwrap();
    assert_eq!(&message.content[..], b"Subject: x\r\n\r\nRSET\r\n");
    assert!(message.chunked);
}

#[tokio::test(start_paused = true)]
async fn a_user_logs_in_and_the_password_is_in_no_transcript() {
    let script = "[server]\nextensions = [\"AUTH\"]\n";
    let stage = Stage::new(script).await;
    let mut client = stage.connect().await;
    client.reply().await;
    assert!(
        client
            .ask("AUTH PLAIN AGFubmEAc2VjcmV0")
            .await
            .starts_with("503")
    );
    assert!(
        client
            .ask("EHLO c.example")
            .await
            .contains("AUTH PLAIN LOGIN")
    );
    assert!(client.ask("AUTH CRAM-MD5").await.starts_with("504"));
    assert_eq!(client.ask("AUTH LOGIN").await, "334 VXNlcm5hbWU6");
    assert_eq!(client.ask("YW5uYQ==").await, "334 UGFzc3dvcmQ6");
    assert!(client.ask("c2VjcmV0").await.starts_with("235 "));
    assert!(
        client
            .ask("AUTH PLAIN AGFubmEAc2VjcmV0")
            .await
            .starts_with("503")
    );
    client.mail("b@d.example", "x\r\n").await;
    assert_eq!(stage.kept.message(1).unwrap().user.as_deref(), Some("anna"));
    let transcript = stage.transcript(1);
    for secret in ["c2VjcmV0", "AGFubmEAc2VjcmV0", "secret"] {
        assert!(!transcript.contains(secret), "{transcript}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_is_announced_is_available() {
    let stage = Stage::new("[server]\nextensions = []\n").await;
    let mut client = stage.connect().await;
    client.reply().await;
    assert_eq!(client.ask("EHLO c.example").await, "250 sink.example");
    for line in ["STARTTLS", "AUTH PLAIN", "BDAT 0 LAST"] {
        let reply = client.ask(line).await;
        assert!(reply.starts_with("50"), "{line}: {reply}");
    }
    let reply = client.ask("MAIL FROM:<a@c.example> SMTPUTF8").await;
    assert!(reply.starts_with("555"), "{reply}");
}

#[tokio::test(start_paused = true)]
async fn nonsense_is_answered_and_ends_nothing_but_its_own_session() {
    let stage = Stage::with(Script::default()).await;
    // A generator of its own, so that the bytes are the same each time.
    let mut state: u32 = 12345;
    for _ in 0..50 {
        let mut bytes = Vec::new();
        for _ in 0..500 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes.push((state >> 24) as u8);
        }
        bytes.extend_from_slice(
            b"\r\nAUTH \xff\r\nRCPT TO:<+++@d.example>\r\nBDAT 99999999999999999999\r\n",
        );
        let mut client = stage.connect().await;
        client.send(&bytes).await;
        client.rest().await;
    }
    let mut client = stage.hello().await;
    let said = client.mail("b@d.example", "x\r\n").await;
    assert!(said[2].starts_with("250 "));
}
