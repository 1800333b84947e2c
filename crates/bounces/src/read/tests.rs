//! Reports, complaints and answers, read.

use super::*;
use crate::tag::tests::{message, paths, recipient};

const OWN: [u8; 16] = [9; 16];

fn read_text(text: &str) -> Reading {
    let content = text.replace('\n', "\r\n");
    read(
        content.as_bytes(),
        MessageId::from_bytes(OWN),
        "relay.example",
        &paths(),
    )
}

fn bounce(returned: &str) -> String {
    format!(
        "Received: from mx.c.example ([192.0.2.1])\n\tby relay.example (Postrider) with ESMTP id {}\n\tfor <x@y.example>; Tue, 24 Nov 2026 02:29:23 +0000\n\
         From: MAILER-DAEMON@mx.c.example\nSubject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n\
         --b\nContent-Type: text/plain\n\nThis is the mail system at host mx.c.example.\n\n\
         --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.c.example\n\n\
         Final-Recipient: rfc822; bert@c.example\nAction: failed\nStatus: 5.1.1\n\
         Diagnostic-Code: smtp; 550 5.1.1 <bert@c.example>: Recipient address rejected: User unknown\n\n\
         --b\nContent-Type: text/rfc822-headers\n\n{returned}\n--b--\n",
        MessageId::from_bytes(OWN)
    )
}

#[test]
fn a_report_is_read_with_the_message_that_our_trace_in_it_names() {
    let original = message("a@b.example").id;
    let reading = read_text(&bounce(&format!(
        "Received: from client.example\n by relay.example (Postrider)\n with ESMTPSA id {original};\n Tue, 24 Nov 2026 02:29:23 +0000\nMessage-ID: <1@b.example>\nSubject: x\n"
    )));
    assert_eq!(reading.kind, ReturnKind::Failure);
    assert_eq!(
        reading.failures[0].recipient.as_deref(),
        Some("bert@c.example")
    );
    assert_eq!(reading.failures[0].diagnosis.cause.id(), "mailbox.unknown");
    assert!(
        queue::is_for_ever_as_told(&reading.failures[0].diagnosis),
        "{:?}",
        reading.failures[0].diagnosis
    );
    assert_eq!(reading.clues, [Clue::Trace(original)]);
    assert_eq!(reading.message_id.as_deref(), Some("1@b.example"));
}

#[test]
fn a_complaint_is_joined_by_the_return_address_that_it_gives_back() {
    let path = paths()
        .path_for(&message("news@a.example"), &recipient(3, "bert@c.example"))
        .unwrap();
    let reading = read_text(&format!(
        "From: staff@fbl.example\nTo: fbl@ours.example\nSubject: complaint\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\n\n\
         --b\nContent-Type: text/plain\n\nThis is an email abuse report.\n\n\
         --b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n\
         Original-Mail-From: <{}>\n\n\
         --b\nContent-Type: text/rfc822-headers\n\nFrom: news@a.example\nSubject: offers\n\n--b--\n",
        path.as_str().to_uppercase()
    ));
    assert_eq!(reading.kind, ReturnKind::Complaint);
    assert_eq!(
        reading.failures[0].diagnosis.cause.id(),
        "feedback.complaint"
    );
    let tag = Tag {
        message: message("").id,
        recipient: Some(3),
    };
    assert_eq!(reading.clues, [Clue::Tag(tag)]);
}

#[test]
fn answers_are_told_from_reports_whatever_they_quote() {
    for field in [
        "Auto-Submitted: auto-replied (vacation)",
        "X-Autoreply: yes",
        "Precedence: auto_reply",
        "Subject: Automatisch antwoord: prijzen",
    ] {
        let reading = read_text(&format!(
            "From: bert@c.example\n{field}\n\nI am away. Mail to me may bounce: 550 5.1.1 user unknown, mailbox full.\n"
        ));
        assert_eq!(
            (reading.kind, reading.failures.len()),
            (ReturnKind::Answer, 0),
            "{field}"
        );
    }
    let person = read_text("From: bert@c.example\nSubject: Re: x\n\nThank you.\n");
    assert_eq!((person.kind, person.failures.len()), (ReturnKind::Other, 0));
    // Exim's own reports say `auto-replied`.
    let exim = bounce("Subject: x\n")
        .replace("MIME-Version", "Auto-Submitted: auto-replied\nMIME-Version");
    assert_eq!(read_text(&exim).kind, ReturnKind::Failure);
}

#[test]
fn the_senders_own_name_for_the_message_is_found() {
    let text = bounce("Subject: x\n").replace(
        "Reporting-MTA",
        "Original-Envelope-Id: QQ+2B314\nReporting-MTA",
    );
    assert_eq!(
        read_text(&text).clues,
        [Clue::EnvelopeId("QQ+2B314".to_owned())]
    );
}

#[test]
fn a_failure_belongs_to_the_recipient_it_names_or_to_the_one_who_forwards() {
    let reading = read_text(&bounce("Subject: x\n"));
    let failure = &reading.failures[0];
    let all = [
        recipient(0, "anna@c.example"),
        recipient(1, "Bert@C.example"),
    ];
    let of = |tagged, recipients: &[Recipient]| match_recipient(failure, tagged, recipients);
    assert_eq!(of(Some(1), &all), Matched::Recipient(1));
    assert_eq!(of(Some(0), &all), Matched::Through(0));
    assert_eq!(of(None, &all), Matched::Recipient(1));
    assert_eq!(of(None, &all[..1]), Matched::Through(0));
    assert_eq!(
        of(
            None,
            &[recipient(0, "x@c.example"), recipient(1, "y@c.example")]
        ),
        Matched::Nobody
    );
    assert_eq!(of(Some(7), &all), Matched::Nobody);
}
