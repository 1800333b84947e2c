//! What a mail that came back is, and whom of a message it is about.

use diagnosis::Diagnosis;
use queue::{JoinedBy, MessageId, Recipient, ReturnKind};
use readers::{Case, Intake, Kind, Note};

use crate::{ReturnPaths, Tag};

/// So much of a report's words is kept.
const WORDS: usize = 600;
/// Messages that may be meant, by traces of ours: more than a few is a loop's.
const TRACES: usize = 8;

/// A mail that came back, read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What it is.
    pub kind: ReturnKind,
    /// The failures, delays or complaints that it tells, one for each recipient that it names.
    pub failures: Vec<Failure>,
    /// What shows which message it is about, the surest first.
    pub clues: Vec<Clue>,
    /// The Message-ID of that message, as far as it is given back.
    pub message_id: Option<String>,
}

/// A sign of the message that a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clue {
    /// A return address of ours that stands in it.
    Tag(Tag),
    /// A message that our trace field names.
    Trace(MessageId),
    /// The sender's own name for the message (RFC 3461 §4.4).
    EnvelopeId(String),
}

impl Clue {
    /// By what the report is joined that has this clue.
    #[must_use]
    pub const fn joined_by(&self) -> JoinedBy {
        match self {
            Clue::Tag(_) => JoinedBy::ReturnAddressInside,
            Clue::Trace(_) => JoinedBy::Trace,
            Clue::EnvelopeId(_) => JoinedBy::EnvelopeId,
        }
    }
}

/// What is told of one recipient.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Failure, delay or complaint.
    pub kind: ReturnKind,
    /// What it means.
    pub diagnosis: Diagnosis,
    /// The address that failed.
    pub recipient: Option<String>,
    /// The address that was written to, where another is told.
    pub original: Option<String>,
    /// The server that wrote it.
    pub reporter: Option<String>,
    /// Its words about this recipient, the first of them.
    pub words: Option<String>,
}

/// Reads what came to an address of ours for what comes back: the first bytes of a message as it is in
/// the queue, our trace field before it. `own` is its own name there.
#[must_use]
pub fn read(content: &[u8], own: MessageId, hostname: &str, paths: &ReturnPaths) -> Reading {
    let mut cases: Vec<Case> = Vec::new();
    let mut intake = Intake::new();
    intake.push(content, &mut cases);
    intake.finish(&mut cases);
    let text = folded(content);
    let header = header_of(content);
    if is_answer(&header) {
        cases.clear();
    }
    let message_id = cases.iter().find_map(|case| case.about.message_id.clone());
    let failures: Vec<Failure> = cases.into_iter().map(failure).collect();
    let kind = match failures.first() {
        Some(first) => first.kind,
        None if is_answer(&header) => ReturnKind::Answer,
        None => ReturnKind::Other,
    };
    let mut clues: Vec<Clue> = Vec::new();
    clues.extend(paths.find_in(&text).map(Clue::Tag));
    let traces = traces(&text, hostname);
    let others = traces.filter(|id| *id != own).take(TRACES);
    clues.extend(others.map(Clue::Trace));
    clues.extend(envelope_id(content).map(Clue::EnvelopeId));
    Reading {
        kind,
        failures,
        clues,
        message_id,
    }
}

fn failure(case: Case) -> Failure {
    let diagnosis = case.diagnose();
    let kind = match case.kind {
        Kind::Complaint => ReturnKind::Complaint,
        _ if case.notes.contains(&Note::DelayNotice) => ReturnKind::Delay,
        Kind::Bounce | Kind::Reply | Kind::Code | Kind::Log => ReturnKind::Failure,
    };
    let words: String = case.words.text().chars().take(WORDS).collect();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    Failure {
        kind,
        diagnosis,
        recipient: case.recipient,
        original: case.original_recipient,
        reporter: case.reporter,
        words: (!words.is_empty()).then_some(words),
    }
}

/// In lower case, each stretch of white space one space: what is folded elsewhere is found all the same.
fn folded(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content).to_lowercase();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The fields of the header: names in lower case, values unfolded.
fn header_of(content: &[u8]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in content.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push_str(&line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((
                name.trim_end().to_ascii_lowercase(),
                value.trim().to_owned(),
            ));
        }
    }
    fields
}

/// Whether it is an automatic answer that a person's mailbox wrote: it says so (RFC 3834 §5), or has one
/// of the fields or subjects that such answers had before, and is no report.
fn is_answer(header: &[(String, String)]) -> bool {
    let value = |wanted: &str| {
        let found = header.iter().find(|(name, _)| name == wanted);
        found.map_or(String::new(), |(_, value)| value.to_lowercase())
    };
    if value("content-type").starts_with("multipart/report") {
        return false;
    }
    // Exim marks its reports so too; it also names who failed.
    let daemon =
        value("from").contains("mailer-daemon") || !value("x-failed-recipients").is_empty();
    if daemon {
        return false;
    }
    let marked = value("auto-submitted").starts_with("auto-replied")
        || value("precedence") == "auto_reply"
        || ["x-autoreply", "x-autorespond", "x-autoresponder"]
            .iter()
            .any(|name| header.iter().any(|(own, _)| own == name));
    let subject = value("subject");
    const SUBJECTS: &[&str] = &[
        "out of office",
        "automatic reply",
        "autoreply",
        "auto reply",
        "auto:",
        "automatisch antwoord",
        "afwezig",
        "automatische antwort",
        "abwesenheit",
        "réponse automatique",
        "respuesta automática",
    ];
    marked || SUBJECTS.iter().any(|start| subject.starts_with(start))
}

/// The messages that trace fields of ours name, from the latest on: `by HOST (Postrider) with ESMTP id ID`.
fn traces<'a>(text: &'a str, hostname: &str) -> impl Iterator<Item = MessageId> + 'a {
    let begin = format!("by {} (postrider) with ", hostname.to_lowercase());
    let length = begin.len();
    let starts: Vec<usize> = text
        .match_indices(&begin)
        .map(|(at, _)| at + length)
        .collect();
    starts.into_iter().filter_map(move |at| {
        let mut words = text.get(at..)?.split(' ');
        // The protocol, `id`, the name.
        let (_, id) = (words.next()?, words.next()?);
        let name = words.next()?.trim_end_matches(';');
        (id == "id").then(|| name.parse().ok()).flatten()
    })
}

/// RFC 3464 §2.2.1: as it stood in ENVID, decoded.
fn envelope_id(content: &[u8]) -> Option<String> {
    const NAME: &str = "original-envelope-id:";
    let text = String::from_utf8_lossy(content);
    text.lines().find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        let value = value.trim();
        (name.eq_ignore_ascii_case(NAME) && !value.is_empty()).then(|| value.to_owned())
    })
}

/// The recipient of a message that a failure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matched {
    /// This one: the report names it, or names nobody.
    Recipient(u32),
    /// This one, and the report names somebody else: it forwards, and the other failed.
    Through(u32),
    /// None of them can be told.
    Nobody,
}

/// Whom of a message's recipients a failure is about; `tagged` where the return address tells one.
#[must_use]
pub fn match_recipient(
    failure: &Failure,
    tagged: Option<u32>,
    recipients: &[Recipient],
) -> Matched {
    let told = [&failure.original, &failure.recipient];
    let is = |recipient: &Recipient| {
        let mut names = told.iter().filter_map(|name| name.as_deref());
        names.any(|name| is_named(recipient, name))
    };
    let nobody_told = failure.recipient.is_none() && failure.original.is_none();
    let one = match (tagged, recipients) {
        (Some(index), _) => recipients.iter().find(|r| r.index == index),
        (None, [only]) => Some(only),
        (None, several) => {
            return several
                .iter()
                .find(|r| is(r))
                .map_or(Matched::Nobody, |r| Matched::Recipient(r.index));
        }
    };
    match one {
        None => Matched::Nobody,
        // Whoever complains often hides who complained; the return address knows.
        Some(one)
            if nobody_told
                || is(one)
                || failure.kind == ReturnKind::Complaint && tagged.is_some() =>
        {
            Matched::Recipient(one.index)
        }
        Some(one) => Matched::Through(one.index),
    }
}

/// Whether a report means this recipient by an address. Servers write local parts in either case.
fn is_named(recipient: &Recipient, name: &str) -> bool {
    let name = name.trim();
    let name = name
        .split_once(';')
        .map_or(name, |(_, address)| address.trim());
    let given = recipient.options.original.as_ref();
    recipient.address.as_str().to_lowercase() == name.to_lowercase()
        || recipient
            .original()
            .is_some_and(|a| a.as_str().to_lowercase() == name.to_lowercase())
        || given.is_some_and(|g| g.address.to_lowercase() == name.to_lowercase())
}

#[cfg(test)]
mod tests {
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
}
