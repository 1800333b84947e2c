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
mod tests;
