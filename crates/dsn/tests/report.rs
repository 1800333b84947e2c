//! Reports, read back by another parser.
#![allow(clippy::unwrap_used)]

use dsn::{Action, Original, PerRecipient, Report, message_id, original_headers};
use jiff::Timestamp;
use mail_parser::{MessageParser, MimeHeaders, PartType};
use proptest::prelude::*;
use smtp::{Address, Class, EnhancedStatus, Reply};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const HEADER: &[u8] =
    b"From: Anna <anna@sender.example>\r\nTo: bert@example.org\r\nSubject: Hello\r\n\
    Message-ID: <1@sender.example>\r\n";

fn report<'a>(to: &'a Address, recipients: Vec<PerRecipient<'a>>, header: &'a [u8]) -> Report<'a> {
    Report {
        from: "MAILER-DAEMON@relay.example",
        to,
        subject: "Not delivered: Hello",
        date: at("2026-01-02T03:04:05Z"),
        message_id: "r1@relay.example",
        reporting_mta: "relay.example",
        arrival_date: at("2026-01-01T00:00:00Z"),
        envelope_id: None,
        explanation: "Your message to bert@example.org was not delivered.\n\nEr is geen postvak „bert”.\n",
        lang: "en",
        recipients,
        original: Original::Headers(header),
        in_reply_to: Some("1@sender.example"),
        international: false,
    }
}

fn failed<'a>(to: &'a Address, reply: Option<&'a Reply>) -> PerRecipient<'a> {
    PerRecipient {
        original_recipient: None,
        final_recipient: to,
        action: Action::Failed,
        status: EnhancedStatus::new(Class::Permanent, 1, 1),
        remote_mta: reply.map(Reply::peer),
        diagnostic: reply,
        last_attempt: Some(at("2026-01-02T03:04:04Z")),
        will_retry_until: None,
        cause: Some("mailbox.unknown"),
    }
}

/// The three parts as other software sees them.
fn read_back(bytes: &[u8]) -> (String, String, Vec<u8>) {
    let message = MessageParser::default().parse(bytes).unwrap();
    let kind = message.content_type().unwrap();
    assert_eq!(
        (kind.ctype(), kind.subtype()),
        ("multipart", Some("report"))
    );
    assert_eq!(kind.attribute("report-type"), Some("delivery-status"));
    let PartType::Multipart(parts) = &message.parts[0].body else {
        panic!("not a multipart")
    };
    assert_eq!(parts.len(), 3);
    let part = |n: usize| &message.parts[parts[n] as usize];
    let kinds: Vec<String> = (0..3)
        .map(|n| {
            let kind = part(n).content_type().unwrap();
            format!("{}/{}", kind.ctype(), kind.subtype().unwrap())
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "text/plain",
            "message/delivery-status",
            "text/rfc822-headers"
        ]
    );
    let text = |n: usize| String::from_utf8(part(n).contents().to_vec()).unwrap();
    (text(0), text(1), part(2).contents().to_vec())
}

#[test]
fn a_report_has_the_words_the_fields_and_the_header() {
    let (to, recipient): (Address, Address) = (
        "anna@sender.example".parse().unwrap(),
        "bert@example.org".parse().unwrap(),
    );
    let reply = Reply::parse(
        "mx.example.org",
        b"550-5.1.1 <bert@example.org>:\r\n550 5.1.1 no such user here\r\n",
    )
    .unwrap();
    let bytes = report(&to, vec![failed(&recipient, Some(&reply))], HEADER).to_bytes();
    let (words, fields, header) = read_back(&bytes);
    assert!(words.starts_with("Your message to bert@example.org was not delivered."));
    assert!(words.contains("„bert”"));
    for field in [
        "Reporting-MTA: dns; relay.example\r\n",
        "Arrival-Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n",
        "\r\n\r\nFinal-Recipient: rfc822; bert@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        "Remote-MTA: dns; mx.example.org\r\n",
        "Diagnostic-Code: smtp; 550-5.1.1 <bert@example.org>: 550 5.1.1 no such user\r\n here\r\n",
        "X-Postrider-Cause: mailbox.unknown",
    ] {
        assert!(fields.contains(field), "{field} in:\n{fields}");
    }
    assert_eq!(header, HEADER);
    let text = String::from_utf8(bytes).unwrap();
    for field in [
        "Auto-Submitted: auto-replied\r\n",
        "To: <anna@sender.example>\r\n",
        "In-Reply-To: <1@sender.example>\r\n",
        "Message-ID: <r1@relay.example>\r\n",
        "Date: Fri, 2 Jan 2026 03:04:05 +0000\r\n",
        "Content-Language: en\r\n",
    ] {
        assert!(text.contains(field), "{field} in:\n{text}");
    }
}

#[test]
fn without_a_reply_there_is_no_diagnostic_code() {
    let to: Address = "anna@sender.example".parse().unwrap();
    let bytes = report(&to, vec![failed(&to, None)], HEADER).to_bytes();
    let (_, fields, _) = read_back(&bytes);
    assert!(
        !fields.contains("Diagnostic-Code") && !fields.contains("Remote-MTA"),
        "{fields}"
    );
}

#[test]
fn an_international_address_is_written_as_rfc_6533_has_it() {
    let to = Address::parse("jürgen@münchen.example", true).unwrap();
    let bytes = report(&to, vec![failed(&to, None)], HEADER).to_bytes();
    let (_, fields, _) = read_back(&bytes);
    assert!(
        fields.contains("Final-Recipient: utf-8; j\\x{FC}rgen@m\\x{FC}nchen.example\r\n"),
        "{fields}"
    );
}

#[test]
fn a_header_with_8_bit_or_endless_lines_comes_back_as_it_was() {
    let to: Address = "anna@sender.example".parse().unwrap();
    let long = [b"X-Long: ".to_vec(), vec![b'x'; 5000], b"\r\n".to_vec()].concat();
    let latin = report(&to, vec![failed(&to, None)], b"Subject: Gr\xfc\xdfe\r\n").to_bytes();
    assert!(
        String::from_utf8(latin)
            .unwrap()
            .contains("Subject: Gr=FC=DFe")
    );
    for header in ["Subject: Grüße\r\n".as_bytes(), &long] {
        let bytes = report(&to, vec![failed(&to, None)], header).to_bytes();
        assert!(bytes.split(|b| *b == b'\n').all(|line| line.len() <= 999));
        assert_eq!(read_back(&bytes).2, header);
    }
}

#[test]
fn the_header_ends_where_the_body_begins_or_at_the_limit() {
    let message = b"A: 1\r\nB: 2\r\n\r\nbody: no\r\n";
    assert_eq!(original_headers(message, 1000), b"A: 1\r\nB: 2\r\n");
    assert_eq!(original_headers(message, 8), b"A: 1\r\n");
    assert_eq!(original_headers(b"A: 1", 1000), b"A: 1");
    assert_eq!(original_headers(b"", 1000), b"");
    assert_eq!(message_id(HEADER).as_deref(), Some("1@sender.example"));
    assert_eq!(message_id(b"Subject: x\r\n"), None);
}

proptest! {
    #[test]
    fn nothing_that_others_wrote_adds_a_field(
        words in "[ -~\t\u{80}-\u{2FF}]{0,3000}", subject in "\\PC{0,300}", local in "[a-z!#$%&'*+/=?^_`{|}~-]{1,30}",
        header in "([A-Za-z-]{1,10}: [ -~]{0,100}\r\n){0,5}", lines in "[^\r]{0,500}",
    ) {
        let to: Address = "anna@sender.example".parse().unwrap();
        let recipient = Address::parse(&format!("{local}@example.org"), false).unwrap();
        let reply = Reply::parse("mx.example.org", format!("550 {words}").as_bytes());
        let reply = reply.ok();
        let mut report = report(&to, vec![failed(&recipient, reply.as_ref())], header.as_bytes());
        report.subject = &subject;
        report.explanation = &lines;
        let bytes = report.to_bytes();
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            prop_assert!(line.ends_with(b"\r\n") && line.len() <= 1000, "{:?}", String::from_utf8_lossy(line));
            prop_assert!(!line[..line.len() - 2].contains(&b'\r'));
        }
        let (_, fields, returned) = read_back(&bytes);
        let names = fields.split("\r\n").filter(|l| !l.is_empty() && !l.starts_with(' '));
        let names: Vec<&str> = names.map(|l| l.split(':').next().unwrap()).collect();
        let mut expected = vec!["Reporting-MTA", "Arrival-Date", "Final-Recipient", "Action", "Status"];
        if reply.is_some() {
            expected.extend(["Remote-MTA", "Diagnostic-Code"]);
        }
        expected.extend(["Last-Attempt-Date", "X-Postrider-Cause"]);
        prop_assert_eq!(names, expected);
        prop_assert_eq!(returned, header.as_bytes());
    }
}

#[test]
fn the_senders_own_names_for_message_and_recipient_are_told_back() {
    let to: Address = "bert@example.org".parse().unwrap();
    let sender: Address = "anna@sender.example".parse().unwrap();
    let recipient = PerRecipient {
        original_recipient: Some(("rfc822", "info@example.org")),
        action: Action::Delayed,
        ..failed(&to, None)
    };
    let mut report = report(&sender, vec![recipient], HEADER);
    report.envelope_id = Some("QQ 314159");
    let (_, fields, _) = read_back(&report.to_bytes());
    assert!(
        fields.starts_with("Original-Envelope-Id: QQ 314159\r\nReporting-MTA: "),
        "{fields}"
    );
    let of = "\r\n\r\nOriginal-Recipient: rfc822; info@example.org\r\nFinal-Recipient: rfc822; bert@example.org\r\nAction: delayed\r\n";
    assert!(fields.contains(of), "{fields}");
}

#[test]
fn who_knows_smtputf8_gets_addresses_and_header_as_they_are() {
    let to: Address = "j\u{fc}rgen@m\u{fc}nchen.example".parse().unwrap();
    let sender: Address = "anna@sender.example".parse().unwrap();
    let header = "Subject: Gr\u{fc}\u{df}e\r\n".as_bytes();
    let mut report = report(&sender, vec![failed(&to, None)], header);
    report.international = true;
    let bytes = report.to_bytes();
    let text = String::from_utf8(bytes).unwrap();
    for part in [
        "message/global-delivery-status",
        "message/global-headers",
        "Final-Recipient: utf-8; j\u{fc}rgen@m\u{fc}nchen.example\r\n",
        "Subject: Gr\u{fc}\u{df}e\r\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
