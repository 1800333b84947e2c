//! The fifteen codes, in every spelling that people paste and in both languages.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read its input fails"
)]

use std::fmt::Write;

use diagnosis::codes::{self, FIFTEEN, PageCode};
use explain::{Lang, Style, case_json, case_text, explain_case};
use readers::{Case, Intake};

fn read(input: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut intake = Intake::new();
    intake.push(input.as_bytes(), &mut cases);
    intake.finish(&mut cases);
    cases
}

fn one(input: &str) -> Case {
    let mut cases = read(input);
    assert_eq!(cases.len(), 1, "{input}");
    cases.remove(0)
}

fn dotted(row: &PageCode) -> String {
    format!("{}.{}.{}", row.dotted.0, row.dotted.1, row.dotted.2)
}

/// Digits that no server sends (`422`) as well as replies (`450`), where they stand for this row.
fn digits(row: &PageCode) -> String {
    format!("{}{}{}", row.dotted.0, row.dotted.1, row.dotted.2)
}

/// The code alone, in each way that people write it.
fn spellings(row: &PageCode) -> Vec<String> {
    let (dotted, digits) = (dotted(row), digits(row));
    vec![
        dotted.clone(),
        digits.clone(),
        format!("{digits} {dotted}"),
        format!("#{dotted}"),
        format!("(#{dotted})"),
        format!("SMTP Error {dotted}"),
        format!("SMTP error code {digits}"),
        format!("Foutcode: {dotted}."),
        format!("  {dotted}\r\n"),
    ]
}

#[test]
fn each_of_the_fifteen_is_explained_in_both_languages() {
    for row in FIFTEEN {
        let case = one(&dotted(row));
        for lang in Lang::ALL {
            let text = case_text(&case, &case.diagnose(), lang, Style::Plain);
            insta::assert_snapshot!(format!("{}-{}", dotted(row), lang.as_str()), text);
        }
    }
}

#[test]
fn every_spelling_of_the_fifteen_is_told_what_the_page_tells() {
    let mut table = String::new();
    for row in FIFTEEN {
        for spelling in spellings(row) {
            let case = one(&spelling);
            let diagnosis = case.diagnose();
            let words = explain_case(&case, &diagnosis, Lang::En);
            let _ = writeln!(
                table,
                "{:<24} {:<24} {:>3} %  {:?}, {}",
                spelling.trim(),
                diagnosis.cause.id(),
                (diagnosis.confidence * 100.0).round(),
                diagnosis.finality,
                words.headline
            );
            assert_eq!(diagnosis.cause, row.causes[0].0, "{spelling}");
        }
    }
    insta::assert_snapshot!("spellings", table);
}

#[test]
fn a_dotted_code_that_may_be_a_reply_shows_both_readings() {
    for (input, readings) in [
        ("4.2.1", 2),
        ("4.5.0", 2),
        ("4.5.1", 2),
        ("4.5.2", 2),
        ("4.2.0", 2),
        ("4.2.2", 1),
        ("4.4.1", 1),
        ("421 4.2.1", 1),
        ("450", 1),
    ] {
        assert_eq!(one(input).readings().len(), readings, "{input}");
    }
}

#[test]
fn json_never_holds_a_code_that_the_input_does_not() {
    for (input, reply, status) in [
        ("4.2.1", None, Some("4.2.1")),
        ("421", Some(421), None),
        ("422", None, Some("4.2.2")),
        ("421 4.2.1", Some(421), Some("4.2.1")),
        ("mailbox full", None, None),
        ("550 no such user", Some(550), None),
    ] {
        let case = one(input);
        let diagnosis = case.diagnose();
        let json = serde_json::to_value(case_json(&case, &diagnosis, "-", Lang::En)).unwrap();
        assert_eq!(json["reply"].as_u64(), reply, "{input}");
        assert_eq!(json["status"].as_str(), status, "{input}");
    }
}

#[test]
fn every_registered_code_and_every_reply_is_explained() {
    for lang in Lang::ALL {
        for row in codes::ENHANCED {
            for class in row.classes {
                let code = format!("{class}.{}.{}", row.code.1, row.code.2);
                is_explained(&code, lang);
            }
        }
        for row in codes::REPLIES {
            is_explained(&row.code.to_string(), lang);
        }
    }
}

fn is_explained(code: &str, lang: Lang) {
    let case = one(code);
    let words = explain_case(&case, &case.diagnose(), lang);
    for text in [&words.what, &words.who, &words.next] {
        assert!(
            text.contains(' ') && !text.contains('{'),
            "{code} {lang:?}: {text}"
        );
    }
}

#[test]
fn success_is_nobodys_problem() {
    for input in ["250", "2.1.5", "250 2.6.0", "354"] {
        let case = one(input);
        let words = explain_case(&case, &case.diagnose(), Lang::En);
        assert!(
            words.who.starts_with("Nobody") && words.do_.is_empty(),
            "{input}: {words:?}"
        );
    }
}

/// What a server says in each of the fifteen situations, the step at which it does, and what that is.
const SAID: &[(&str, &str, &str, &str)] = &[
    (
        "4.2.0",
        "",
        "lost connection with mx.example.org[192.0.2.1] while receiving the initial server greeting",
        "connection.dropped",
    ),
    (
        "4.2.1",
        "421 4.2.1 ",
        "Service not available, closing transmission channel",
        "server.busy",
    ),
    (
        "4.2.2",
        "452 4.2.2 ",
        "The email account that you tried to reach is over quota",
        "mailbox.full",
    ),
    (
        "4.3.1",
        "452 4.3.1 ",
        "Insufficient system storage",
        "server.storage-full",
    ),
    (
        "4.3.2",
        "421 4.3.2 ",
        "System not accepting network messages",
        "server.not-accepting",
    ),
    (
        "4.4.1",
        "",
        "connect to mx.example.org[192.0.2.1]:25: Connection timed out",
        "server.unreachable",
    ),
    (
        "4.4.2",
        "",
        "lost connection with mx.example.org[192.0.2.1] while sending message body",
        "connection.dropped",
    ),
    (
        "4.4.6",
        "554 5.4.6 ",
        "Hop count exceeded - possible mail loop",
        "route.loop",
    ),
    (
        "4.4.7",
        "550 4.4.7 ",
        "QUEUE.Expired; message expired",
        "queue.expired",
    ),
    (
        "4.4.9",
        "449 4.4.9 ",
        "Routing error: no connector for this domain, bad routing configuration",
        "route.missing",
    ),
    (
        "4.5.0",
        "450 4.2.0 ",
        "<bert@example.org>: Recipient address rejected: Greylisted, try again in 300 seconds",
        "greylisting",
    ),
    (
        "4.5.1",
        "451 4.3.0 ",
        "Requested action aborted: local error in processing",
        "server.local-error",
    ),
    (
        "4.5.2",
        "452 4.5.3 ",
        "Error: too many recipients",
        "recipients.too-many",
    ),
    (
        "4.6.5",
        "465 4.6.5 ",
        "code page unavailable on the receiving server",
        "charset.unsupported",
    ),
    (
        "4.7.1",
        "450 4.7.1 ",
        "Client host rejected: cannot find your reverse hostname, [192.0.2.9]",
        "identity.no-ptr",
    ),
];

#[test]
fn a_reply_a_bounce_and_a_log_line_of_each_of_the_fifteen_are_told_alike() {
    assert_eq!(SAID.len(), FIFTEEN.len());
    let mut table = String::new();
    for (row, (dotted_code, codes, words, cause)) in FIFTEEN.iter().zip(SAID) {
        assert_eq!(dotted(row), *dotted_code);
        let reply = format!("{codes}{words}");
        let bounce = bounce(&reply, dotted_code);
        let log = log(&reply, dotted_code);
        for (kind, input) in [("reply", &reply), ("bounce", &bounce), ("log", &log)] {
            let case = one(input);
            let diagnosis = case.diagnose();
            assert_eq!(case.kind.as_str(), kind, "{input}");
            assert_eq!(
                diagnosis.cause.id(),
                *cause,
                "{kind}: {input}: {:?}",
                diagnosis.evidence
            );
            for lang in Lang::ALL {
                let words = explain_case(&case, &diagnosis, lang);
                let _ = writeln!(
                    table,
                    "{dotted_code} {kind:<6} {}: {} {}",
                    lang.as_str(),
                    words.headline,
                    words.next
                );
            }
        }
    }
    insta::assert_snapshot!("situations", table);
}

/// Whether a server said it; else the sender saw it for itself.
fn is_a_reply(said: &str) -> bool {
    said.as_bytes()[0].is_ascii_digit()
}

/// Postfix's words around a reply, and the status that it gives: the reply's own, where it has one.
fn as_postfix_says<'a>(reply: &'a str, status: &'a str) -> (String, &'a str) {
    if !is_a_reply(reply) {
        return (reply.to_owned(), status);
    }
    let own = reply.split(' ').nth(1).filter(|word| word.contains('.'));
    let said = format!("host mx.example.org[192.0.2.1] said: {reply}");
    (said, own.unwrap_or(status))
}

/// A report as Postfix gives it (RFC 3464).
fn bounce(reply: &str, status: &str) -> String {
    let (said, status) = as_postfix_says(reply, status);
    let kind = if is_a_reply(reply) {
        "smtp"
    } else {
        "X-Postfix"
    };
    format!(
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mail.example.com (Mail Delivery System)\r\nTo: anna@example.com\r\n\
         Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"=b\"\r\n\r\n--=b\r\n\
         Content-Type: text/plain\r\n\r\nThis is the mail system at host mail.example.com.\r\n\r\n\
         <bert@example.org>: {said}\r\n\r\n--=b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; mail.example.com\r\n\r\nFinal-Recipient: rfc822; bert@example.org\r\nAction: failed\r\n\
         Status: {status}\r\nDiagnostic-Code: {kind}; {reply}\r\n\r\n--=b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
         From: anna@example.com\r\nTo: bert@example.org\r\nSubject: Offer\r\nMessage-ID: <1@example.com>\r\n\r\n--=b--\r\n"
    )
}

/// A line of Postfix's log.
fn log(reply: &str, status: &str) -> String {
    let (said, status) = as_postfix_says(reply, status);
    format!(
        "2026-01-05T10:00:00+00:00 mail postfix/smtp[99]: 3F0A2B1C3D: to=<bert@example.org>, \
         relay=mx.example.org[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn={status}, status=deferred ({said})\n"
    )
}

#[test]
fn a_limit_in_the_text_is_told() {
    let case = one("552 5.3.4 Message size exceeds fixed maximum message size (10485760 bytes)");
    let text = case_text(&case, &case.diagnose(), Lang::En, Style::Plain);
    assert!(text.contains("at most 10485760 bytes"), "{text}");
}
