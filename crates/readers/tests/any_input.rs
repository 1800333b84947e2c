//! Whatever the input is, reading ends without a panic, and every place is within the input.

use proptest::prelude::*;
use readers::{Case, Intake};

const MAILS: &[&str] = &[
    "From: MAILER-DAEMON@mx.example.net\r\nTo: s@example.com\r\nSubject: Undelivered\r\nContent-Type: multipart/report; boundary=\"B\"\r\n\r\n--B\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<a@example.org>: caf=E9 said: 550-5.1.1 no=\r\n550 5.1.1 user\r\n\r\n--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: utf-8; \\x{e9}@example.org\r\nAction: failed\r\nStatus: 5.0.0 (none)\r\nDiagnostic-Code: smtp; 550-5.1.1 no\r\n 550 5.1.1 user\r\n\r\n--B\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nTWVzc2FnZS1JRDogPDE+\r\n--B--\r\n",
    "From: MAILER-DAEMON@example.net\nSubject: failure notice\nX-Failed-Recipients: a@example.org\n\nHi. This is the qmail-send program at example.net.\n\n<a@example.org>:\n  \"x y\"@example.org... 554 4.4.7 late <421 4.4.2 timed out>\n(generated from b@example.org)\n--- Below this line is a copy of the message.\n\nReceived: by x for <a@example.org>; y\nMessage-ID: <1>\nFrom: x\nTo: y\n",
    "From: x\nSubject: Returned mail\nContent-Type: text/html\n\n<html><p>&lt;a@example.org&gt;: &#x35;50 <b>full</b><br>>>> AUTH x\n&amp; could not be delivered</p>",
    "From: fbl@x\nContent-Type: multipart/report; boundary=B\n\n--B\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: a@b.c\n--B--",
    "From a@b Mon Jan  1 00:00:00 2024\nFrom: MAILER-DAEMON@x\nSubject: undelivered\n\n> From: postmaster@x\n> Subject: failed\n> To: y\n>\n> <a@example.org>: 550 no\n\nFrom c@d Mon Jan  1 00:00:00 2024\nx: y\n",
    "{\"notificationType\":\"Bounce\",\"bounce\":{\"bouncedRecipients\":[{\"emailAddress\":\"a@b.c\",\"status\":\"5.1.1\"}]}}",
];

fn read(input: &[u8], size: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut intake = Intake::new();
    for piece in input.chunks(size) {
        intake.push(piece, &mut cases);
    }
    intake.finish(&mut cases);
    cases
}

fn check(input: &[u8]) {
    for case in read(input, 4096) {
        let within = |(from, to): (usize, usize)| from <= to && to <= input.len();
        assert!(within(case.span), "{case:?}");
        assert!(case.reply.is_none_or(|reply| within(reply.span)));
        assert!(case.status.is_none_or(|status| within(status.span)));
        let text = case.words.text();
        for (at, c) in text.char_indices() {
            let origin = case.words.origin((at, at + c.len_utf8()));
            assert!(origin.is_none_or(within), "{case:?}");
        }
        for evidence in case.diagnose().evidence {
            assert!(evidence.span.is_none_or(within));
        }
    }
}

/// A change to a mail: bytes put in the place of others.
fn change() -> impl Strategy<Value = (prop::sample::Index, usize, Vec<u8>)> {
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..12),
        prop::sample::select(vec![
            &b"\n"[..],
            b"\r\n\r\n",
            b"--B\r\n",
            b"--B--",
            b"=",
            b"<a@",
            b"\"",
            b"@",
            b"550-",
            b"&#",
            b"\xf0\x9f",
            b"\x1b$B",
            b"From ",
            b"Content-Type: message/rfc822\n\n",
            b"Content-Transfer-Encoding: base64\n",
            b"charset=iso-2022-jp",
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    (any::<prop::sample::Index>(), 0_usize..20, bytes)
}

proptest! {
    #[test]
    fn any_bytes_are_read(input in proptest::collection::vec(any::<u8>(), 0..2000)) {
        check(&input);
    }

    #[test]
    fn any_text_below_a_header_is_read(body in "(\\PC|\n|@|<|>|:|5|0|\\.| ){0,600}") {
        check(format!("From: MAILER-DAEMON@x\nSubject: failed\n\n{body}").as_bytes());
    }

    #[test]
    fn changed_reports_are_read(
        mail in prop::sample::select(MAILS),
        changes in proptest::collection::vec(change(), 1..8),
    ) {
        let mut input = mail.as_bytes().to_vec();
        for (at, length, bytes) in changes {
            let from = at.index(input.len() + 1);
            let to = (from + length).min(input.len());
            input.splice(from..to, bytes);
        }
        check(&input);
    }
}

#[test]
fn reports_as_they_are_have_places_too() {
    for mail in MAILS {
        check(mail.as_bytes());
        assert!(
            !read(mail.as_bytes(), 7).is_empty() || mail.starts_with("From a@b"),
            "{mail}"
        );
    }
}

/// Inputs that cost more than their length would be found by the time that this takes.
#[test]
fn large_inputs_take_time_in_proportion() {
    let header = "From: MAILER-DAEMON@x\nSubject: failed\n";
    let mut inputs = vec![
        format!("{header}\n{}", "<a@example.org>:\n".repeat(100_000)),
        format!("{header}\n{}", "\"@".repeat(1_000_000)),
        format!("{header}\n{}", "550-".repeat(500_000)),
        format!("{header}\n{}", "a@b.c 550 5.1.1 ".repeat(100_000)),
        format!(
            "{header}Content-Type: multipart/mixed; boundary=B\n\n{}",
            "--B\n".repeat(400_000)
        ),
        format!(
            "{header}Content-Type: text/html\n\n{}",
            "<p>&".repeat(400_000)
        ),
        format!("{header}\n{}", "From: x\nSubject: y\n\n".repeat(60_000)),
        format!("{header}\n{}", "Received: x\nFrom: x\n".repeat(60_000)),
        format!("{header}\n{}", ">".repeat(2_000_000)),
        format!(
            "{header}\n{}",
            "Final-Recipient: rfc822;a@b.c\nAction: failed\nStatus: 5.1.1\n\n".repeat(20_000)
        ),
        "From a@b Mon Jan  1 00:00:00 2024\nx: y\n\nFrom \n".repeat(50_000),
    ];
    // Nested containers, each with the boundary of the next.
    let mut nested = String::from(header);
    for depth in 0..2000 {
        nested += &format!("Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n");
    }
    inputs.push(nested);
    for input in inputs {
        let started = std::time::Instant::now();
        read(input.as_bytes(), 65_536);
        let took = started.elapsed();
        assert!(took.as_secs() < 20, "{took:?} for {}", &input[..100]);
    }
}
