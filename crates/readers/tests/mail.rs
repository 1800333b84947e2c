//! Delivery status (RFC 3464) in every state of repair, complaints, forwards, mailboxes.

use diagnosis::{Ended, SaidBy, Stage};
use readers::{Case, Intake, Kind, Note};

fn cases(input: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut intake = Intake::new();
    intake.push(input.as_bytes(), &mut cases);
    intake.finish(&mut cases);
    cases
}

fn recipients(cases: &[Case]) -> Vec<&str> {
    let recipient = |case: &'_ Case| -> Option<String> { case.recipient.clone() };
    assert!(
        cases.iter().all(|case| recipient(case).is_some()),
        "{cases:#?}"
    );
    cases
        .iter()
        .filter_map(|case| case.recipient.as_deref())
        .collect()
}

const FIELDS: &str = "Reporting-MTA: dns; mx.example.net\n\
    Arrival-Date: Mon, 1 Jan 2024 12:00:00 +0000\n\
    \n\
    Final-Recipient: rfc822; a@example.org\n\
    Original-Recipient: rfc822; list@example.com\n\
    Action: Failed\n\
    Status: 5.0.0\n\
    Remote-MTA: dns; mx.example.org\n\
    Diagnostic-Code: smtp; 550-5.1.1 There is no\n \
    550 5.1.1 such user (in reply to RCPT TO command)\n\
    \n\
    Final-Recipient: rfc822; b@example.org\n\
    Action: delayed\n\
    Status: 4.4.1 (no answer from the host)\n";

const RETURNED: &str = "Received: from pc.example.com by mx.example.net; Mon, 1 Jan 2024 12:00:00 +0000\n\
    Message-ID: <1@example.com>\n\
    From: Sender <sender@example.com>\n\
    Subject: =?utf-8?q?Caf=C3=A9?=\n\
    To: list@example.com\n";

/// A report; `status` is the whole part with the fields.
fn dsn(status: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example.net\nTo: sender@example.com\nSubject: Undelivered\n\
         MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;\n boundary=\"B\"\n\n\
         preamble\n--B\nContent-Type: text/plain\n\nIt could not be delivered.\n\n--B\n{status}\n--B\n\
         Content-Type: message/rfc822\n\n{RETURNED}\nFrom me to you: a@example.net\n--B--\n"
    )
}

fn plain() -> String {
    dsn(&format!(
        "Content-Type: message/delivery-status\n\n{FIELDS}"
    ))
}

#[test]
fn a_report_gives_each_recipient_with_all_that_it_says() {
    let mail = plain();
    let cases = cases(&mail);
    assert_eq!(recipients(&cases), ["a@example.org", "b@example.org"]);
    let first = &cases[0];
    assert_eq!(first.kind, Kind::Bounce);
    assert_eq!(first.reply.map(|r| r.value), Some(550));
    let status = first.status.unwrap();
    assert_eq!(status.value.to_string(), "5.1.1");
    assert_eq!(&mail[status.span.0..status.span.1], "5.1.1");
    assert_eq!(
        first.words.text(),
        "550-5.1.1 There is no such user (in reply to RCPT TO command)"
    );
    assert_eq!(first.stage, Some(Stage::Rcpt));
    assert_eq!(first.said_by, SaidBy::Receiver);
    assert_eq!(first.ended, Some(Ended::GivenUp));
    assert_eq!(first.peer.as_deref(), Some("mx.example.org"));
    assert_eq!(first.reporter.as_deref(), Some("mx.example.net"));
    assert_eq!(
        first.at.map(|at| at.to_string()).as_deref(),
        Some("2024-01-01T12:00:00Z")
    );
    assert_eq!(
        first.notes,
        [Note::ForwardedFrom("list@example.com".to_owned())]
    );
    assert_eq!(first.about.message_id.as_deref(), Some("1@example.com"));
    assert_eq!(first.about.subject.as_deref(), Some("Café"));
    assert_eq!(first.about.from.as_deref(), Some("sender@example.com"));
    let second = &cases[1];
    assert_eq!(second.ended, Some(Ended::StillTrying));
    assert_eq!(second.said_by, SaidBy::Sender);
    assert_eq!(second.words.text(), "no answer from the host");
    assert_eq!(second.notes, [Note::DelayNotice]);
}

#[test]
fn evidence_leads_back_to_the_input_through_every_encoding() {
    let quoted = FIELDS.replace("There is no", "There =\nis n=6F");
    let quoted = format!(
        "Content-Type: message/delivery-status\nContent-Transfer-Encoding: quoted-printable\n\n{quoted}"
    );
    // The same fields, in base64.
    let base64 = format!(
        "Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n{}",
        base64(FIELDS)
    );
    for (status, there) in [(quoted, "There =\nis n=6F"), (base64, "")] {
        let mail = dsn(&status);
        let cases = cases(&mail);
        assert_eq!(recipients(&cases), ["a@example.org", "b@example.org"]);
        let words = &cases[0].words;
        let at = words.text().find("There is no").unwrap();
        let (from, to) = words.origin((at, at + "There is no".len())).unwrap();
        assert!(mail[from..to].starts_with(there), "{}", &mail[from..to]);
        assert!(from >= mail.find("--B\nContent-Type: message/delivery").unwrap());
        assert!(to <= mail.rfind("--B\nContent-Type: message/rfc822").unwrap());
    }
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut lines = String::new();
    for line in text.as_bytes().chunks(57) {
        for group in line.chunks(3) {
            let mut bytes = [0; 4];
            bytes[1..=group.len()].copy_from_slice(group);
            let bits = u32::from_be_bytes(bytes);
            for index in 0..4 {
                let letter = LETTERS[(bits >> (18 - 6 * index) & 63) as usize];
                let pad = index > group.len();
                lines.push(if pad { '=' } else { char::from(letter) });
            }
        }
        lines.push('\n');
    }
    lines
}

#[test]
fn a_report_is_read_in_every_wrapping() {
    let report = plain();
    let as_attachment = format!(
        "From: Jan <jan@example.com>\nSubject: what is this\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=\"O\"\n\n--O\n\nLook.\n--O\n\
         Content-Type: message/rfc822\n\n{report}\n--O--\n"
    );
    let encoded = format!(
        "From: Jan <jan@example.com>\nSubject: what is this\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=\"O\"\n\n--O\nContent-Type: message/rfc822\n\
         Content-Transfer-Encoding: base64\n\n{}\n--O--\n",
        base64(&report)
    );
    let twice = format!(
        "From: Piet <piet@example.com>\nSubject: fwd\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=\"P\"\n\n--P\nContent-Type: message/rfc822\n\n\
         {as_attachment}\n--P--\n"
    );
    let mixed = report.replace("multipart/report", "multipart/mixed");
    for (mail, forwards) in [
        (mixed, None),
        (as_attachment, Some(1)),
        (encoded, Some(1)),
        (twice, Some(2)),
    ] {
        let cases = cases(&mail);
        assert_eq!(
            recipients(&cases),
            ["a@example.org", "b@example.org"],
            "{mail}"
        );
        let found = cases[0].notes.iter().find_map(|note| match note {
            Note::Forwarded(times) => Some(*times),
            _ => None,
        });
        assert_eq!(found, forwards, "{mail}");
        assert!(cases.iter().all(|case| case.span == (0, mail.len())));
    }
}

#[test]
fn a_report_that_was_forwarded_within_a_text_is_read() {
    for intro in [
        "---------- Forwarded message ----------\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example.net>\nDate: Mon\nSubject: Undelivered Mail\nTo: <jan@example.com>\n\n",
        "-----Oorspronkelijk bericht-----\nVan: Mail Delivery System <MAILER-DAEMON@mx.example.net>\nVerzonden: maandag\nAan: jan@example.com\nOnderwerp: Undelivered Mail\n\n",
    ] {
        let mail = format!(
            "From: Jan <jan@example.com>\nTo: help@example.com\nSubject: hello?\n\nWhat is wrong?\n\n{intro}\
             This is the mail system at host mx.example.net.\n\n\
             <a@example.org>: host mx.example.org said: 550 5.1.1 unknown\n"
        );
        let cases = cases(&mail);
        assert_eq!(recipients(&cases), ["a@example.org"], "{mail}");
        assert_eq!(cases[0].notes, [Note::Forwarded(1)]);
    }
}

#[test]
fn fields_that_were_pasted_are_read_alone_and_in_a_text() {
    let cases_of_fields = cases(FIELDS);
    assert_eq!(
        recipients(&cases_of_fields),
        ["a@example.org", "b@example.org"]
    );
    let in_text = format!(
        "From: postmaster@example.net\nSubject: Undeliverable\n\nTechnical report:\n\n{FIELDS}"
    );
    assert_eq!(
        recipients(&cases(&in_text)),
        ["a@example.org", "b@example.org"]
    );
}

#[test]
fn success_is_no_failure() {
    let mail = dsn(
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n\
         Final-Recipient: rfc822; a@example.org\nAction: relayed\nStatus: 2.0.0\n",
    );
    assert!(cases(&mail).is_empty());
}

#[test]
fn what_is_broken_is_noted_and_read() {
    let nameless = dsn("Content-Type: message/delivery-status\n\n\
         Original-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.2.2\n");
    let found = cases(&nameless);
    assert_eq!(recipients(&found), ["a@example.org"]);
    assert!(matches!(found[0].notes[..], [Note::BrokenReport(_)]));
    let cut = plain();
    let cut = &cut[..cut.find("Action: delayed").unwrap()];
    let found = cases(cut);
    assert!(found[0].notes.contains(&Note::CutOff), "{found:#?}");
}

#[test]
fn an_address_of_other_scripts_is_read() {
    let mail = dsn("Content-Type: message/global-delivery-status\n\n\
         Final-Recipient: utf-8; jos\\x{e9}@example.org\nAction: failed\nStatus: 5.1.1\n");
    assert_eq!(recipients(&cases(&mail)), ["josé@example.org"]);
}

#[test]
fn a_complaint_is_one() {
    let mail = format!(
        "From: fbl@example.net\nSubject: FW: Hello\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=\"B\"\n\n\
         --B\n\nThis is an abuse report.\n--B\nContent-Type: message/feedback-report\n\n\
         Feedback-Type: abuse\nOriginal-Rcpt-To: <a@example.org>\nReporting-MTA: dns; mx.example.net\n\n\
         --B\nContent-Type: message/rfc822\n\n{RETURNED}\n--B--\n"
    );
    let found = cases(&mail);
    assert_eq!(recipients(&found), ["a@example.org"]);
    assert_eq!(found[0].kind, Kind::Complaint);
    assert_eq!(found[0].words.text(), "Feedback-Type: abuse");
    assert_eq!(found[0].about.message_id.as_deref(), Some("1@example.com"));
}

#[test]
fn an_event_in_json_is_read() {
    let mail = "From: no-reply@sns.example.com\nSubject: Notification\n\n\
        {\"notificationType\":\"Bounce\",\"bounce\":{\"bouncedRecipients\":[{\"emailAddress\":\"a@example.org\",\
        \"action\":\"failed\",\"status\":\"5.1.1\",\"diagnosticCode\":\"smtp; 550 5.1.1 unknown user\"}],\
        \"reportingMTA\":\"dsn; a1.example.net\"}}\n";
    let found = cases(mail);
    assert_eq!(recipients(&found), ["a@example.org"]);
    assert_eq!(found[0].words.text(), "550 5.1.1 unknown user");
    let (from, to) = found[0].words.origin((4, 9)).unwrap();
    assert_eq!(&mail[from..to], "5.1.1");
}

#[test]
fn each_mail_of_a_mailbox_is_read_in_its_place() {
    let one = format!("From MAILER-DAEMON Mon Jan  1 00:00:00 2024\n{}\n", plain());
    let mailbox = format!("{one}{one}{one}");
    for size in [1000, 70_000] {
        let mut cases = Vec::new();
        let mut intake = Intake::new();
        for piece in mailbox.as_bytes().chunks(size) {
            intake.push(piece, &mut cases);
        }
        intake.finish(&mut cases);
        assert_eq!(cases.len(), 6);
        let spans: Vec<_> = cases.iter().step_by(2).map(|case| case.span).collect();
        let length = one.len();
        assert_eq!(
            spans,
            [(0, length), (length, 2 * length), (2 * length, 3 * length)]
        );
        let (from, to) = cases[5].status.unwrap().span;
        assert_eq!(&mailbox[from..to], "4.4.1");
    }
}

#[test]
fn line_ends_of_other_systems_change_nothing() {
    let mail = plain();
    for other in [mail.replace('\n', "\r\n"), mail.replace('\n', "\r")] {
        assert_eq!(
            recipients(&cases(&other)),
            ["a@example.org", "b@example.org"]
        );
    }
}

/// A report of Postfix, whose fields do not tell the step that its words tell.
fn refused_after_the_message(peer: &str) -> String {
    dsn(&format!(
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n\
         Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.0.0\n\
         Remote-MTA: dns; {peer}\nDiagnostic-Code: smtp; 550 Unknown user a@example.org\n"
    ))
    .replace(
        "It could not be delivered.",
        &format!(
            "This is the mail system at host mx.example.net.\n\n\
             <a@example.org>: host {peer}[192.0.2.1] said:\n    \
             550 Unknown user a@example.org (in reply to end of DATA\n    command)"
        ),
    )
}

#[test]
fn a_step_that_only_the_words_for_people_tell_counts() {
    let cases = cases(&refused_after_the_message("mx.example.org"));
    assert_eq!(recipients(&cases), ["a@example.org"]);
    assert_eq!(cases[0].stage, Some(Stage::EndOfData));
    assert_eq!(cases[0].peer.as_deref(), Some("mx.example.org"));
    let diagnosis = cases[0].diagnose();
    assert_eq!(diagnosis.address_dead, diagnosis::AddressDead::Unknown);
}

#[test]
fn the_name_of_the_server_that_refused_tells_what_its_words_mean() {
    let cases = cases(&refused_after_the_message("mx1.docomo.ne.jp"));
    let diagnosis = cases[0].diagnose();
    assert_eq!(diagnosis.cause, diagnosis::Cause::MailboxRestricted);
    assert_eq!(diagnosis.dialect, Some(diagnosis::Dialect::Docomo));
}

#[test]
fn what_is_said_of_one_recipient_again_and_again_is_one_case() {
    let group = "Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1\n\
        Diagnostic-Code: smtp; 550 5.1.1 no such user\n\n";
    let other = "Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.2.2\n\
        Diagnostic-Code: smtp; 552 5.2.2 full\n";
    let fields = format!("Reporting-MTA: dns; mx.example.net\n\n{group}{group}{group}{other}");
    let cases = cases(&dsn(&format!(
        "Content-Type: message/delivery-status\n\n{fields}"
    )));
    assert_eq!(recipients(&cases), ["a@example.org", "a@example.org"]);
}

#[test]
fn that_the_time_ran_out_is_the_status_whatever_the_transcript_tells_of_the_last_attempt() {
    let mail = dsn(
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n\
         Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 4.4.7\n",
    )
    .replace(
        "It could not be delivered.",
        "   ----- The following addresses had permanent fatal errors -----\n<a@example.org>\n\n   \
         ----- Transcript of session follows -----\n421 4.4.2 mx.example.org: it went away\n\
         <a@example.org>... Deferred: Connection timed out with mx.example.org.",
    );
    let cases = cases(&mail);
    let status = cases[0].status.map(|status| status.value.to_string());
    assert_eq!(status.as_deref(), Some("4.4.7"));
    assert!(
        cases[0].words.text().contains("4.4.2"),
        "{:?}",
        cases[0].words
    );
}
