//! The client's side by topic of the RFCs, as transcripts.
//!
//! `S: ` is a line of the server, `E: ` the events that it brings about, `C: ` what the client sends
//! then; `!begin`, `!send TEXT` and `!quit` are what the driver does.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use smtp::client::{Connection, Envelope, Event, Protocol, Recipient, Settings, Unfit};
use smtp::envelope::{BodyKind, MailParams};
use smtp::{Address, ProtocolError, Stage};
use support::client::shown;
use support::unescaped;

fn envelope() -> Envelope {
    Envelope {
        sender: "a@b".parse().unwrap(),
        recipients: recipients(&["c@d", "e@f"]),
        size: 20,
        params: MailParams::default(),
    }
}

fn recipients(addresses: &[&str]) -> Vec<Recipient> {
    let recipient = |to: &&str| Recipient::from(to.parse::<Address>().unwrap());
    addresses.iter().map(recipient).collect()
}

fn eight_bit() -> Envelope {
    let params = MailParams {
        body: BodyKind::EightBit,
        ..MailParams::default()
    };
    Envelope {
        params,
        ..envelope()
    }
}

fn settings(protocol: Protocol) -> Settings {
    Settings::new("me.test", "peer", protocol)
}

/// Plays the server's and the driver's part of a transcript and compares all of it.
#[track_caller]
fn check(connection: &mut Connection, envelope: &Envelope, transcript: &str) {
    let expected: Vec<&str> = transcript
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let mut actual = Vec::new();
    let played = |line: &&&str| line.starts_with("S") || line.starts_with('!');
    for line in expected.iter().filter(played) {
        actual.push((*line).to_owned());
        if let Some(text) = line.strip_prefix("S:") {
            connection.receive(&unescaped(text.trim_start()));
            connection.receive(b"\r\n");
        } else if let Some(text) = line.strip_prefix("!send ") {
            connection.content(&unescaped(text));
        } else {
            match *line {
                "!begin" => connection.begin(envelope.clone()).unwrap(),
                "!end" => connection.content_end(),
                "!quit" => connection.quit(),
                other => panic!("{other}"),
            }
        }
        loop {
            match connection.poll() {
                Ok(Some(event)) => actual.push(format!("E: {}", shown(&event))),
                Ok(None) => break,
                Err(error) => {
                    actual.push(format!("error: {error}"));
                    break;
                }
            }
        }
        let output = String::from_utf8_lossy(connection.output()).into_owned();
        connection.sent();
        for line in output.split_terminator("\r\n") {
            actual.push(format!("C: {line}").trim_end().to_owned());
        }
    }
    assert_eq!(
        actual.join("\n"),
        expected.join("\n"),
        "\nactual:\n{}\n",
        actual.join("\n")
    );
}

/// A connection on which EHLO was answered with these keywords.
fn ready(settings: Settings, keywords: &[&str]) -> Connection {
    let mut connection = Connection::new(settings);
    connection.receive(b"220 hi\r\n");
    assert!(matches!(connection.poll(), Ok(Some(Event::Greeting(_)))));
    connection.receive(b"250-hi\r\n");
    for keyword in keywords {
        connection.receive(format!("250-{keyword}\r\n").as_bytes());
    }
    connection.receive(b"250 HELP\r\n");
    assert!(matches!(connection.poll(), Ok(Some(Event::Ready(_)))));
    connection.sent();
    connection
}

// RFC 5321 §3.1 and §3.2.

#[test]
fn a_server_that_knows_no_ehlo_is_asked_with_helo() {
    check(
        &mut Connection::new(settings(Protocol::Smtp)),
        &envelope(),
        "
        S: 220-mx.test
        S: 220 ready
        E: greeting 220
        C: EHLO me.test
        S: 502 what
        E: hello refused 502
        C: HELO me.test
        S: 250 mx.test
        E: ready 250
        !begin
        C: MAIL FROM:<a@b>
        ",
    );
}

#[test]
fn a_connection_that_is_refused_is_reported_with_the_stage_and_the_words() {
    let table = [
        ("S: 554 no\nE: unusable greeting 554", Protocol::Smtp),
        ("S: 421 busy\nE: unusable greeting 421", Protocol::Smtp),
        (
            "S: 220 hi\nE: greeting 220\nC: EHLO me.test\nS: 450 later\nE: unusable hello 450",
            Protocol::Smtp,
        ),
        (
            "S: 220 hi\nE: greeting 220\nC: EHLO me.test\nS: 500 ?\nE: hello refused 500\n\
             C: HELO me.test\nS: 500 ?\nE: unusable hello 500",
            Protocol::Smtp,
        ),
        (
            "S: 220 hi\nE: greeting 220\nC: LHLO me.test\nS: 500 ?\nE: unusable hello 500",
            Protocol::Lmtp,
        ),
    ];
    for (transcript, protocol) in table {
        check(
            &mut Connection::new(settings(protocol)),
            &envelope(),
            transcript,
        );
    }
}

// One command at a time.

#[test]
fn without_pipelining_each_command_waits_for_its_answer() {
    check(
        &mut ready(settings(Protocol::Smtp), &["SIZE 1000", "8BITMIME"]),
        &eight_bit(),
        r"
        !begin
        C: MAIL FROM:<a@b> SIZE=20 BODY=8BITMIME
        S: 250 ok
        E: mail 250
        C: RCPT TO:<c@d>
        S: 250 ok
        E: rcpt 0 250
        C: RCPT TO:<e@f>
        S: 452 4.5.3 too many
        E: rcpt 1 452
        C: DATA
        S: 354 go
        E: send content
        !send .one\r\ntwo
        C: ..one
        C: two
        !end
        C:
        C: .
        S: 250 queued
        E: done 250
        E: over usable=true
        !begin
        C: MAIL FROM:<a@b> SIZE=20 BODY=8BITMIME
        ",
    );
}

#[test]
fn a_refused_sender_ends_the_transaction_and_not_the_connection() {
    check(
        &mut ready(settings(Protocol::Smtp), &[]),
        &envelope(),
        "
        !begin
        C: MAIL FROM:<a@b>
        S: 451 4.7.1 not now
        E: mail 451
        E: over usable=true
        !quit
        C: QUIT
        S: 221 bye
        E: goodbye 221
        ",
    );
}

#[test]
fn when_every_recipient_is_refused_the_transaction_is_reset() {
    check(
        &mut ready(settings(Protocol::Smtp), &[]),
        &envelope(),
        "
        !begin
        C: MAIL FROM:<a@b>
        S: 250 ok
        E: mail 250
        C: RCPT TO:<c@d>
        S: 550 5.1.1 who
        E: rcpt 0 550
        C: RCPT TO:<e@f>
        S: 450 4.2.0 greylisted
        E: rcpt 1 450
        C: RSET
        S: 250 ok
        E: over usable=true
        ",
    );
}

// RFC 2920.

#[test]
fn with_pipelining_the_envelope_goes_in_one_write_and_answers_are_paired() {
    check(
        &mut ready(settings(Protocol::Smtp), &["PIPELINING"]),
        &envelope(),
        r"
        !begin
        C: MAIL FROM:<a@b>
        C: RCPT TO:<c@d>
        C: RCPT TO:<e@f>
        C: DATA
        S: 250 ok
        E: mail 250
        S: 550-5.1.1 who
        S: 550 5.1.1 is that
        E: rcpt 0 550
        S: 250 ok
        E: rcpt 1 250
        S: 354 go
        E: send content
        !send x\r\n
        C: x
        !end
        C: .
        S: 554 5.7.1 spam
        E: done 554
        E: over usable=true
        ",
    );
}

#[test]
fn a_server_that_says_354_for_nobody_gets_a_lone_dot() {
    check(
        &mut ready(settings(Protocol::Smtp), &["PIPELINING"]),
        &envelope(),
        "
        !begin
        C: MAIL FROM:<a@b>
        C: RCPT TO:<c@d>
        C: RCPT TO:<e@f>
        C: DATA
        S: 250 ok
        E: mail 250
        S: 550 no
        E: rcpt 0 550
        S: 550 no
        E: rcpt 1 550
        S: 354 go
        C: .
        S: 554 no valid recipients
        E: over usable=true
        ",
    );
}

#[test]
fn when_the_sender_is_refused_the_answers_to_the_rest_are_read_too() {
    check(
        &mut ready(settings(Protocol::Smtp), &["PIPELINING"]),
        &envelope(),
        "
        !begin
        C: MAIL FROM:<a@b>
        C: RCPT TO:<c@d>
        C: RCPT TO:<e@f>
        C: DATA
        S: 550 5.7.1 not you
        E: mail 550
        S: 503 need MAIL
        S: 503 need MAIL
        S: 503 need MAIL
        E: over usable=true
        ",
    );
}

#[test]
fn refused_data_is_reported_and_the_transaction_reset() {
    check(
        &mut ready(settings(Protocol::Smtp), &["PIPELINING"]),
        &envelope(),
        "
        !begin
        C: MAIL FROM:<a@b>
        C: RCPT TO:<c@d>
        C: RCPT TO:<e@f>
        C: DATA
        S: 250 ok
        E: mail 250
        S: 250 ok
        E: rcpt 0 250
        S: 250 ok
        E: rcpt 1 250
        S: 451 4.3.0 later
        E: data refused 451
        C: RSET
        S: 250 ok
        E: over usable=true
        ",
    );
}

// RFC 5321 §3.8.

#[test]
fn after_421_the_connection_is_over_and_nothing_more_is_said() {
    let stages: [(&[&str], &str, &[&str]); 4] = [
        (&[], "mail 421", &[]),
        (&["250 ok"], "rcpt 0 421", &["mail 250"]),
        (
            &["250 ok", "250 ok", "250 ok"],
            "data refused 421",
            &["mail 250", "rcpt 0 250", "rcpt 1 250"],
        ),
        (
            &["250 ok", "550 no", "550 no"],
            "",
            &["mail 250", "rcpt 0 550", "rcpt 1 550"],
        ),
    ];
    for pipelining in [true, false] {
        for (before, at_421, events_before) in stages {
            let keywords: &[&str] = if pipelining { &["PIPELINING"] } else { &[] };
            let mut connection = ready(settings(Protocol::Smtp), keywords);
            connection.begin(envelope()).unwrap();
            for line in before {
                connection.receive(format!("{line}\r\n").as_bytes());
                while connection.poll().unwrap().is_some() {}
            }
            connection.sent();
            connection.receive(b"421 4.3.2 closing\r\n");
            let mut events = Vec::new();
            while let Some(event) = connection.poll().unwrap() {
                events.push(shown(&event));
            }
            let mut expected = vec![at_421, "over usable=false"];
            expected.retain(|event| !event.is_empty());
            assert_eq!(events, expected, "{pipelining} after {events_before:?}");
            assert_eq!(
                connection.output(),
                b"",
                "{pipelining} after {events_before:?}"
            );
        }
    }
}

#[test]
fn a_server_that_speaks_unasked_between_transactions_makes_the_connection_unusable() {
    check(
        &mut ready(settings(Protocol::Smtp), &[]),
        &envelope(),
        "
        S: 421 4.4.2 idle too long
        E: unusable reset 421
        ",
    );
}

// RFC 3030.

#[test]
fn chunks_are_framed_by_size_and_nothing_is_added_to_them() {
    let settings = Settings {
        chunking: true,
        ..settings(Protocol::Smtp)
    };
    check(
        &mut ready(settings, &["PIPELINING", "CHUNKING"]),
        &envelope(),
        r"
        !begin
        C: MAIL FROM:<a@b>
        C: RCPT TO:<c@d>
        C: RCPT TO:<e@f>
        S: 250 ok
        E: mail 250
        S: 250 ok
        E: rcpt 0 250
        S: 550 no
        E: rcpt 1 550
        E: send content
        !send .a\r\n
        C: BDAT 4
        C: .a
        !send b\r\n
        C: BDAT 3
        C: b
        !end
        C: BDAT 0 LAST
        S: 250 4
        S: 250 3
        S: 250 queued
        E: done 250
        E: over usable=true
        ",
    );
}

#[test]
fn a_refused_chunk_ends_the_content() {
    let settings = Settings {
        chunking: true,
        ..settings(Protocol::Smtp)
    };
    let mut connection = ready(settings, &["CHUNKING"]);
    let to_content = r"
        !begin
        C: MAIL FROM:<a@b>
        S: 250 ok
        E: mail 250
        C: RCPT TO:<c@d>
        S: 250 ok
        E: rcpt 0 250
        C: RCPT TO:<e@f>
        S: 250 ok
        E: rcpt 1 250
        E: send content
        !send a\r\n
        C: BDAT 3
        C: a
        ";
    let while_sending = r"
        !send b\r\n
        C: BDAT 3
        C: b
        S: 452 4.3.1 full
        E: content refused 452
        C: RSET
        !send c\r\n
        !end
        S: 503 5.5.1 no transaction
        S: 250 ok
        E: over usable=true
        ";
    check(
        &mut connection,
        &envelope(),
        &format!("{to_content}{while_sending}"),
    );
    let after_the_end = "
        !end
        C: BDAT 0 LAST
        S: 452 4.3.1 full
        E: content refused 452
        S: 503 5.5.1 no transaction
        C: RSET
        S: 250 ok
        E: over usable=true
        ";
    check(
        &mut connection,
        &envelope(),
        &format!("{to_content}{after_the_end}"),
    );
}

// RFC 2033 §4.2.

#[test]
fn lmtp_answers_the_content_for_each_accepted_recipient() {
    let mut envelope = envelope();
    envelope.recipients.extend(recipients(&["g@h"]));
    check(
        &mut ready(settings(Protocol::Lmtp), &["PIPELINING"]),
        &envelope,
        r"
        !begin
        C: MAIL FROM:<a@b>
        C: RCPT TO:<c@d>
        C: RCPT TO:<e@f>
        C: RCPT TO:<g@h>
        C: DATA
        S: 250 ok
        E: mail 250
        S: 250 ok
        E: rcpt 0 250
        S: 550 no
        E: rcpt 1 550
        S: 250 ok
        E: rcpt 2 250
        S: 354 go
        E: send content
        !send x\r\n
        C: x
        !end
        C: .
        S: 250 2.0.0 saved
        E: recipient 0 done 250
        S: 452 4.2.2 over quota
        E: recipient 2 done 452
        E: over usable=true
        ",
    );
}

// RFC 1870, RFC 6152, RFC 6531: what does not fit is known before anything is said.

#[test]
fn a_message_that_the_server_cannot_take_is_not_begun() {
    let international = Envelope {
        sender: "é@b".parse().unwrap(),
        ..envelope()
    };
    let table: [(&[&str], Envelope, Unfit); 4] = [
        (
            &["SIZE 19"],
            envelope(),
            Unfit::TooLarge {
                size: 20,
                limit: 19,
            },
        ),
        (&["SIZE"], eight_bit(), Unfit::EightBit),
        (
            &["8BITMIME"],
            Envelope {
                params: MailParams {
                    smtputf8: true,
                    ..MailParams::default()
                },
                ..envelope()
            },
            Unfit::SmtpUtf8,
        ),
        (&[], international.clone(), Unfit::SmtpUtf8),
    ];
    for (keywords, envelope, unfit) in table {
        let mut connection = ready(settings(Protocol::Smtp), keywords);
        assert_eq!(connection.begin(envelope), Err(unfit));
        assert_eq!(connection.output(), b"");
    }
    let mut connection = ready(settings(Protocol::Smtp), &["SMTPUTF8"]);
    connection.begin(international).unwrap();
    assert_eq!(
        connection.output(),
        "MAIL FROM:<é@b> SMTPUTF8\r\n".as_bytes()
    );
}

#[test]
fn the_empty_sender_and_the_bare_postmaster_are_written_as_they_are() {
    let mut connection = ready(settings(Protocol::Smtp), &["PIPELINING"]);
    let recipients = recipients(&["postmaster"]);
    connection
        .begin(Envelope {
            sender: Address::null(),
            recipients,
            ..envelope()
        })
        .unwrap();
    assert_eq!(
        connection.output(),
        b"MAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nDATA\r\n"
    );
}

// What is not SMTP.

#[test]
fn what_is_no_reply_is_an_error_with_the_bytes() {
    let mut connection = Connection::new(settings(Protocol::Smtp));
    connection.receive(b"SSH-2.0-OpenSSH_9.2\r\n");
    let error = connection.poll().unwrap_err();
    assert!(matches!(&error, ProtocolError::NotAReply { .. }));
    assert_eq!(error.received(), b"SSH-2.0-OpenSSH_9.2");
    assert_eq!(connection.stage(), Stage::Greeting);
}

// RFC 5321 §4.5.3.2.

#[test]
fn each_stage_has_its_own_time() {
    let mut connection = Connection::new(settings(Protocol::Smtp));
    let mut times = vec![(connection.stage(), connection.stage_timeout().as_secs())];
    let lines = ["220 hi", "250 hi", "250 ok", "250 ok", "250 ok", "354 go"];
    for line in lines {
        connection.receive(format!("{line}\r\n").as_bytes());
        while let Some(event) = connection.poll().unwrap() {
            if matches!(event, Event::Ready(_)) {
                connection.begin(envelope()).unwrap();
            }
        }
        times.push((connection.stage(), connection.stage_timeout().as_secs()));
    }
    connection.content(b"x\r\n");
    connection.content_end();
    times.push((connection.stage(), connection.stage_timeout().as_secs()));
    let expected = [
        (Stage::Greeting, 300),
        (Stage::Hello, 300),
        (Stage::Mail, 300),
        (Stage::Rcpt, 300),
        (Stage::Rcpt, 300),
        (Stage::Data, 120),
        (Stage::Content, 180),
        (Stage::EndOfData, 600),
    ];
    assert_eq!(times, expected);
}

#[test]
fn what_comes_behind_the_answer_to_starttls_in_the_clear_is_thrown_away() {
    let mut connection = Connection::new(Settings::new("me.example", "mx", Protocol::Smtp));
    connection.receive(b"220 mx ESMTP\r\n250-mx\r\n250-8BITMIME\r\n250 STARTTLS\r\n");
    while connection.poll().unwrap().is_some() {}
    connection.sent();
    connection.start_tls();
    assert_eq!(connection.output(), b"STARTTLS\r\n");
    connection.sent();
    // CVE-2011-0411, from the other side.
    connection.receive(b"220 go\r\n250-mx\r\n250 AUTH PLAIN\r\n");
    let answer = connection.poll().unwrap();
    assert!(matches!(answer, Some(Event::StartTls(reply)) if reply.code() == 220));
    connection.secured();
    assert_eq!(connection.output(), b"EHLO me.example\r\n");
    assert!(connection.poll().unwrap().is_none());
    assert!(!connection.extensions().eight_bit_mime);
    connection.receive(b"250-mx\r\n250 SIZE\r\n");
    assert!(matches!(connection.poll(), Ok(Some(Event::Ready(_)))));
    assert!(connection.extensions().auth.is_empty());
}
