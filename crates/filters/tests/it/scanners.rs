//! clamd and rspamd.

use filters::{ClamAv, Rspamd, TooLarge};
use screening::{Answer, Edit, Failure, Reason, Stage, Verdict};
use world::{Peer, World};

use crate::stage::{Mail, http, local, refused, scripted};

fn clamav(peer: Peer, max_size: u64, too_large: TooLarge) -> ClamAv {
    ClamAv {
        world: World::real(),
        peer,
        max_size,
        too_large,
    }
}

#[tokio::test]
async fn clamd_finds_the_test_file_and_nothing_in_plain_mail_over_tcp_and_unix() {
    let clamd = peers::Clamd::start(1 << 20).unwrap();
    let infected = Mail::new(&format!("Subject: x\r\n\r\n{}\r\n", peers::eicar())).await;
    let clean = Mail::new(&format!(
        "Subject: x\r\n\r\n{}",
        "plain text\r\n".repeat(20_000)
    ))
    .await;
    for peer in [local(clamd.port), Peer::Unix(clamd.socket.clone())] {
        let filter = clamav(peer, 1 << 20, TooLarge::Pass);
        let answer = infected.ask(&filter, Stage::Content).await.unwrap();
        let (reason, _) = refused(&answer.verdict);
        assert_eq!(
            reason,
            &Reason::Infected {
                name: "Eicar-Test.UNOFFICIAL".into()
            }
        );
        assert_eq!(clean.ask(&filter, Stage::Content).await, Ok(Answer::pass()));
    }
}

#[tokio::test]
async fn what_is_larger_than_clamd_takes_passes_or_is_refused_whoever_notices() {
    let clamd = peers::Clamd::start(100_000).unwrap();
    let large = Mail::new(&format!(
        "Subject: x\r\n\r\n{}",
        "plain text\r\n".repeat(100_000)
    ))
    .await;
    for max_size in [100_000, 50 << 20] {
        for (too_large, passes) in [(TooLarge::Pass, true), (TooLarge::Reject, false)] {
            let filter = clamav(local(clamd.port), max_size, too_large);
            let answer = large.ask(&filter, Stage::Content).await.unwrap();
            match passes {
                true => assert_eq!(answer, Answer::pass()),
                false => assert_eq!(
                    refused(&answer.verdict).0,
                    &Reason::TooLargeToScan {
                        size: large.message.size()
                    }
                ),
            }
        }
    }
}

#[tokio::test]
async fn a_scanner_that_is_down_or_talks_nonsense_has_failed() {
    let mail = Mail::new("Subject: x\r\n\r\nx\r\n").await;
    let closed = world::ClosedPort::take("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = closed.local_addr().unwrap().port();
    let filter = clamav(local(port), 1 << 20, TooLarge::Pass);
    let failed = mail.ask(&filter, Stage::Content).await.unwrap_err();
    assert!(matches!(failed, Failure::Unreachable { .. }), "{failed}");
    let ended = |heard: &[u8]| heard.ends_with(&[0; 4]);
    for (answer, expected) in [
        (&b"stream: what is this\0"[..], "cannot be understood"),
        (
            b"Can't allocate memory ERROR\0",
            "says that it failed: Can't allocate memory",
        ),
        (b"", "closed without an answer"),
    ] {
        let (port, heard) = scripted(ended, answer).await;
        let filter = clamav(local(port), 1 << 20, TooLarge::Pass);
        let failed = mail.ask(&filter, Stage::Content).await.unwrap_err();
        assert!(failed.to_string().contains(expected), "{failed}");
        assert!(heard.await.unwrap().starts_with(b"zINSTREAM\0\0\0\0"));
    }
}

#[tokio::test]
async fn each_action_of_a_real_rspamd_does_what_it_says() {
    let rspamd = peers::Rspamd::start().unwrap();
    let filter = Rspamd::new(World::real(), local(rspamd.port), 50 << 20);
    let ask = async |subject: &str| {
        let text = format!("From: anna@client.example\r\nSubject: {subject}\r\n\r\nbody\r\n");
        let mut mail = Mail::new(&text).await;
        let answer = mail.ask(&filter, Stage::Content).await.unwrap();
        for edit in &answer.edits {
            mail.message.edit(edit);
        }
        (answer.verdict, mail.text().await)
    };
    let (verdict, text) = ask("hello").await;
    assert_eq!(verdict, Verdict::Pass);
    assert!(
        text.ends_with("Subject: hello\r\n\r\nbody\r\n") && !text.contains("X-Spam"),
        "{text}"
    );
    let (verdict, text) = ask("dubious").await;
    assert_eq!(verdict, Verdict::Pass);
    assert!(text.contains("\r\nX-Spam: Yes\r\n"), "{text}");
    let (verdict, text) = ask("bulky").await;
    assert_eq!(verdict, Verdict::Pass);
    assert!(
        text.contains("\r\nSubject: *** SPAM *** bulky\r\n"),
        "{text}"
    );
    let (verdict, _) = ask("grey").await;
    assert_eq!(refused(&verdict).0, &Reason::Greylisted);
    assert!(matches!(verdict, Verdict::Defer(_)));
    let (verdict, _) = ask("awful").await;
    assert!(matches!(&verdict, Verdict::Reject(_)));
    assert_eq!(
        refused(&verdict).0,
        &Reason::Spam {
            score: 20.0,
            required: 15.0
        }
    );
    // It was told of the envelope and the client.
    let (verdict, _) = ask("later").await;
    let said = Reason::Said("come back to anna@client.example from 192.0.2.1".into());
    assert!(matches!(&verdict, Verdict::Defer(_)));
    assert_eq!(refused(&verdict).0, &said);
}

#[tokio::test]
async fn a_real_rspamd_is_told_how_the_connection_is_encrypted_and_who_the_user_is() {
    let rspamd = peers::Rspamd::start().unwrap();
    let filter = Rspamd::new(World::real(), local(rspamd.port), 50 << 20);
    let text = "From: anna@client.example\r\nSubject: secure\r\n\r\nbody\r\n";
    let mut mail = Mail::new(text).await;
    mail.log_in_under_tls();
    let answer = mail.ask(&filter, Stage::Content).await.unwrap();
    let said = Reason::Said("anna by TLSv1.3 with TLS_AES_256_GCM_SHA384".into());
    assert_eq!(refused(&answer.verdict).0, &said);
    let plain = Mail::new(text).await;
    let answer = plain.ask(&filter, Stage::Content).await.unwrap();
    let said = Reason::Said("nobody by nil with nil".into());
    assert_eq!(refused(&answer.verdict).0, &said);
}

#[tokio::test]
async fn an_answer_of_rspamd_that_cannot_be_understood_is_a_failure() {
    let whole = |heard: &[u8]| heard.ends_with(b"body\r\n");
    let mail = Mail::new("Subject: x\r\n\r\nbody\r\n").await;
    for (answer, expected) in [
        (http("hello"), "cannot be understood"),
        (
            b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n".to_vec(),
            "403",
        ),
        (http("{\"action\":\"fly\"}"), "`fly`"),
        (b"not http at all\r\n\r\n".to_vec(), "broke"),
    ] {
        let (port, _heard) = scripted(whole, answer).await;
        let filter = Rspamd::new(World::real(), local(port), 1 << 20);
        let failed = mail.ask(&filter, Stage::Content).await.unwrap_err();
        assert!(failed.to_string().contains(expected), "{failed}");
    }
}

#[tokio::test]
async fn header_fields_that_rspamd_wants_added_stay_one_field_each() {
    let whole = |heard: &[u8]| heard.ends_with(b"body\r\n");
    let mail = Mail::new("Subject: x\r\n\r\nbody\r\n").await;
    let answer = http(
        "{\"action\":\"no action\",\"milter\":{\"add_headers\":{\"X-A\":{\"value\":\"1\\r\\nBcc: x@y\",\"order\":1},\"X-B\":[\"2\",{\"value\":\"3\"}],\"B ad\":\"4\"},\"remove_headers\":{\"Subject\":1}}}",
    );
    let (port, _heard) = scripted(whole, answer).await;
    let filter = Rspamd::new(World::real(), local(port), 1 << 20);
    let edits = mail.ask(&filter, Stage::Content).await.unwrap().edits;
    let added: Vec<String> = edits
        .iter()
        .filter_map(|edit| match edit {
            Edit::Add(field) => Some(String::from_utf8_lossy(field.raw()).into_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(
        added,
        ["X-A: 1\r\n\tBcc: x@y\r\n", "X-B: 2\r\n", "X-B: 3\r\n"]
    );
    assert!(matches!(&edits[0], Edit::Change { name, to: None, .. } if name == "Subject"));
}

#[tokio::test]
async fn a_compression_bomb_is_handed_to_the_scanner_as_it_came_within_its_time() {
    use std::io::Write;
    let clamd = peers::Clamd::start(20 << 20).unwrap();
    // 100 MB of zeros, twice packed: some hundreds of bytes.
    let pack = |bytes: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    };
    let bomb = pack(&pack(&vec![0; 100_000_000]));
    assert!(bomb.len() < 10_000, "{}", bomb.len());
    let text = format!(
        "Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        data_encoding::BASE64_MIME.encode(&bomb)
    );
    let mut mail = Mail::new(&text).await;
    let filter = clamav(local(clamd.port), 20 << 20, TooLarge::Pass);
    let began = std::time::Instant::now();
    let mut screening = crate::stage::chain(filter).open();
    let conclusion = mail.through(&mut screening).await;
    // It unpacks as far as its own limits go; what it says, it says in its time.
    assert!(began.elapsed() < std::time::Duration::from_secs(31));
    assert!(
        !matches!(
            conclusion.verdict,
            Err(Failure::Broken(_) | Failure::Nonsense(_))
        ),
        "{conclusion:?}"
    );
    assert_eq!(mail.text().await, text);
}
