//! Delivery status (RFC 3464): the fields of a report, in groups, also where they are broken or were
//! pasted into text.

use std::ops::Range;

use diagnosis::Ended;
use jiff::Timestamp;
use smtp::EnhancedStatus;

use super::address;
use super::text::Text;
use crate::{Spanned, Words, reply, scan};

/// A whole report.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    /// Reporting-MTA (RFC 3464 §2.2.2): who wrote the report.
    pub(super) reporter: Option<String>,
    /// Arrival-Date (§2.2.5).
    pub(super) arrival: Option<Timestamp>,
    pub(super) recipients: Vec<Recipient>,
    /// What is wrong with its form.
    pub(super) broken: Option<&'static str>,
}

/// What it says about one recipient (RFC 3464 §2.3).
#[derive(Clone, Debug, Default)]
pub(super) struct Recipient {
    pub(super) address: Option<String>,
    pub(super) original: Option<String>,
    pub(super) action: Option<Action>,
    pub(super) status: Option<Spanned<EnhancedStatus>>,
    /// The comment of Status, as in `5.4.4 (no such host)`.
    pub(super) comment: Words,
    /// The text of Diagnostic-Code, without its type.
    pub(super) diagnostic: Words,
    /// Whether the type of Diagnostic-Code is `smtp`: a reply of another server.
    pub(super) by_smtp: bool,
    /// Remote-MTA (§2.3.5).
    pub(super) remote: Option<String>,
    /// Last-Attempt-Date (§2.3.7).
    pub(super) at: Option<Timestamp>,
}

/// What was done with the message for a recipient (RFC 3464 §2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Failed,
    Delayed,
    /// Delivered, relayed or expanded: no failure.
    Handled,
}

impl Action {
    /// Any case, with comments, and words that others put there.
    fn read(value: &str) -> Option<Action> {
        let word = value
            .trim_start()
            .split(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        match word.as_str() {
            "failed" | "failure" | "fail" | "fatal" | "error" | "expired" | "rejected"
            | "bounced" | "hard" | "soft" => Some(Action::Failed),
            "delayed" | "delay" | "deferred" | "warning" => Some(Action::Delayed),
            "delivered" | "deliverable" | "relayed" | "expanded" | "success" | "sent" => {
                Some(Action::Handled)
            }
            _ => None,
        }
    }

    pub(super) const fn ended(self) -> Option<Ended> {
        match self {
            Action::Failed => Some(Ended::GivenUp),
            Action::Delayed => Some(Ended::StillTrying),
            Action::Handled => None,
        }
    }
}

/// The fields that are read.
const KNOWN: &[&str] = &[
    "final-recipient",
    "original-recipient",
    "x-actual-recipient",
    "action",
    "status",
    "diagnostic-code",
    "remote-mta",
    "reporting-mta",
    "arrival-date",
    "last-attempt-date",
    "will-retry-until",
    "received-from-mta",
    "dsn-gateway",
    "original-envelope-id",
    "x-supplementary-info",
    "x-display-name",
];

/// The line at which fields of a report begin in a text, if there are some.
pub(super) fn begins(text: &Text, lines: Range<usize>) -> Option<usize> {
    // One search tells for most texts that there are none.
    let within = text.start(lines.start)..text.start(lines.end);
    let bytes = text.as_str().as_bytes().get(within)?;
    if !mentions(bytes, b"-recipient") && !mentions(bytes, b"-Recipient") {
        return None;
    }
    let recipient = lines.clone().find(|number| {
        matches!(
            known_field(text.line(*number)),
            Some("final-recipient" | "original-recipient")
        )
    })?;
    // Fields before it belong to the report too.
    let mut first = recipient;
    for number in (lines.start..recipient).rev() {
        let line = text.line(number);
        match known_field(line) {
            Some(_) => first = number,
            None if line.is_empty() || line.starts_with([' ', '\t']) => {}
            None if super::fields::name_length(line.as_bytes()).is_some() => {}
            None => break,
        }
    }
    Some(first)
}

fn mentions(bytes: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(bytes, needle).is_some()
}

fn known_field(line: &str) -> Option<&'static str> {
    let (name, _) = line.split_once(':')?;
    let name = name.trim_end();
    KNOWN
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .copied()
}

/// Reads the fields in these lines.
pub(super) fn read(text: &Text, lines: Range<usize>) -> Report {
    let mut report = Report::default();
    let mut group = Group::default();
    let mut field: Option<(&'static str, Words)> = None;
    for number in lines {
        let line = text.line(number);
        if line.is_empty() {
            group.add(field.take());
            group.blank = true;
            continue;
        }
        if line.starts_with([' ', '\t']) && known_field(line.trim_start()).is_none() {
            if let Some((_, words)) = &mut field {
                let lead = line.len() - line.trim_start().len();
                words.append(&text.words(number, lead..line.len()));
            }
            continue;
        }
        let lead = line.len() - line.trim_start().len();
        if let Some(name) = known_field(&line[lead..]) {
            group.add(field.take());
            if group.is_over(name) {
                group.close(&mut report);
            }
            let colon = line.find(':').map_or(line.len(), |colon| colon + 1);
            let more = line[colon..].len() - line[colon..].trim_start().len();
            field = Some((name, text.words(number, colon + more..line.len())));
        } else if super::fields::name_length(line.as_bytes()).is_some() {
            // A field that is not read; a diagnostic text may look like one when its indent is lost.
            match &mut field {
                Some(("diagnostic-code", words)) if !is_extension(line) => {
                    words.append(&text.words(number, 0..line.len()));
                }
                Some(_) | None => group.add(field.take()),
            }
        } else if let Some(("diagnostic-code", words)) = &mut field {
            // RFC 5322 §2.2.3 wants an indent on what goes on; some writers leave it out.
            words.append(&text.words(number, 0..line.len()));
        } else {
            group.add(field.take());
        }
    }
    group.add(field.take());
    group.close(&mut report);
    report
}

/// `X-…:` and what else is no text.
fn is_extension(line: &str) -> bool {
    line.get(..2).is_some_and(|x| x.eq_ignore_ascii_case("x-"))
        || line
            .split(':')
            .next()
            .is_some_and(|name| name.contains('-'))
}

/// The fields of one group.
#[derive(Default)]
struct Group {
    seen: Vec<&'static str>,
    recipient: Recipient,
    reporter: Option<String>,
    arrival: Option<Timestamp>,
    /// Whether an empty line has come after them.
    blank: bool,
}

/// Fields that occur once for a recipient: the next of that name belongs to the next recipient.
const ONCE: &[&str] = &["final-recipient", "original-recipient", "action", "status"];

impl Group {
    fn about_a_recipient(&self) -> bool {
        self.seen.iter().any(|name| ONCE.contains(name))
    }

    /// Whether a field of this name begins another group: after an empty line (RFC 3464 §2.1), or
    /// where that is missing, when the field has been there already.
    fn is_over(&self, name: &str) -> bool {
        let again = ONCE.contains(&name) && self.seen.contains(&name);
        // An empty line within a group: the group before has no recipient, or this one none.
        let named =
            self.seen.contains(&"final-recipient") || self.seen.contains(&"original-recipient");
        let fresh = self.blank
            && named
            && matches!(
                name,
                "final-recipient" | "original-recipient" | "x-actual-recipient"
            );
        again || fresh
    }

    fn add(&mut self, field: Option<(&'static str, Words)>) {
        let Some((name, words)) = field else { return };
        let value = words.text().trim();
        self.blank = false;
        match name {
            "final-recipient" => {
                self.recipient.address = address::of_field(value).or(self.recipient.address.take());
            }
            "original-recipient" => self.recipient.original = address::of_field(value),
            "x-actual-recipient" if self.recipient.address.is_none() => {
                self.recipient.address = address::of_field(value);
            }
            "action" => self.recipient.action = Action::read(value),
            // RFC 3464 §2.3.4; what follows the code is a comment.
            "status" => {
                self.recipient.status = reply::status_of(&words);
                if let Some(open) = words.text().find('(') {
                    let comment = words.text()[open..].trim_matches(['(', ')', ' ']);
                    self.recipient.comment = words.slice((open + 1, open + 1 + comment.len()));
                }
            }
            "diagnostic-code" => self.diagnostic(&words),
            "remote-mta" => self.recipient.remote = host(value),
            "reporting-mta" => self.reporter = host(value),
            "arrival-date" => self.arrival = date(value),
            "last-attempt-date" => self.recipient.at = date(value),
            _ => {}
        }
        self.seen.push(name);
    }

    /// RFC 3464 §2.3.6: `type; text`. Of two, the one with codes in it counts.
    fn diagnostic(&mut self, words: &Words) {
        let text = words.text();
        let typed = text.split_once(';').filter(|(kind, _)| {
            let kind = kind.trim();
            !kind.is_empty() && kind.len() <= 24 && !kind.contains(char::is_whitespace)
        });
        let (kind, from) = match typed {
            Some((kind, rest)) => (kind.trim(), text.len() - rest.trim_start().len()),
            None => ("smtp", 0),
        };
        if !self.recipient.diagnostic.is_empty() {
            let before = scan::codes(self.recipient.diagnostic.text());
            let now = scan::codes(&text[from..]);
            if before.reply.is_some() || now.reply.is_none() {
                return;
            }
        }
        let kind = kind.rsplit([' ', '/']).next().unwrap_or_default();
        self.recipient.by_smtp = kind.eq_ignore_ascii_case("smtp")
            || kind.eq_ignore_ascii_case("lmtp")
            || kind.eq_ignore_ascii_case("esmtp");
        self.recipient.diagnostic = words.slice((from, text.len()));
    }

    fn close(&mut self, report: &mut Report) {
        let group = std::mem::take(self);
        report.reporter = report.reporter.take().or(group.reporter.clone());
        report.arrival = report.arrival.or(group.arrival);
        if !group.about_a_recipient() {
            return;
        }
        let mut recipient = group.recipient;
        if recipient.address.is_none() {
            recipient.address = recipient.original.clone();
            report.broken = Some("it names no Final-Recipient");
        }
        report.recipients.push(recipient);
    }
}

/// `dns; mx.example.org (192.0.2.1, the server for the domain)`: the name alone.
fn host(value: &str) -> Option<String> {
    let name = match value.split_once(';') {
        Some((_, name)) => name,
        None => value,
    };
    let name = name.trim().trim_start_matches(['[', '<', '(']);
    let end = name.find(|c: char| c.is_whitespace() || "()[]<>,;".contains(c));
    let name = &name[..end.unwrap_or(name.len())];
    (!name.is_empty()).then(|| name.to_owned())
}

/// RFC 5322 §3.3, as mail-parser reads it.
pub(super) fn date(value: &str) -> Option<Timestamp> {
    let parsed = mail_parser::DateTime::parse_rfc822(value.trim())?;
    parsed
        .is_valid()
        .then(|| Timestamp::from_second(parsed.to_timestamp()).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(input: &str) -> Report {
        let mut words = Words::default();
        words.push(input, (0, input.len()));
        let text = Text::new(words);
        let lines = text.len();
        read(&text, 0..lines)
    }

    #[test]
    fn groups_are_told_apart_with_and_without_empty_lines() {
        let fields = "Reporting-MTA: dns; mx.example.net (a relay)\n\n\
            Final-Recipient: rfc822; a@example.org\nAction: FAILED (for good)\nStatus: 5.1.1 (bad)\n\
            Diagnostic-Code: smtp; 550 5.1.1\n\tno such user\n\n\
            Final-Recipient: rfc822; b@example.org\nAction: delayed\nStatus: 4.2.2\n\n\
            Final-Recipient: rfc822; c@example.org\nAction: relayed\n";
        for input in [fields.to_owned(), fields.replace("\n\n", "\n")] {
            let report = report(&input);
            assert_eq!(report.reporter.as_deref(), Some("mx.example.net"));
            let actions: Vec<_> = report.recipients.iter().map(|r| r.action).collect();
            assert_eq!(
                actions,
                [
                    Some(Action::Failed),
                    Some(Action::Delayed),
                    Some(Action::Handled)
                ],
                "{input}"
            );
            let first = &report.recipients[0];
            assert_eq!(first.address.as_deref(), Some("a@example.org"));
            assert_eq!(first.diagnostic.text(), "550 5.1.1 no such user");
            assert_eq!(
                first.status.map(|s| s.value.to_string()).as_deref(),
                Some("5.1.1")
            );
        }
    }

    #[test]
    fn a_group_without_a_final_recipient_is_broken_and_still_read() {
        let report = report("Original-Recipient: rfc822;a@example.org\nAction: failed\n");
        assert_eq!(
            report.recipients[0].address.as_deref(),
            Some("a@example.org")
        );
        assert!(report.broken.is_some());
    }

    #[test]
    fn an_unfolded_diagnostic_text_is_still_one_text() {
        let report = report(
            "Final-Recipient: rfc822;a@example.org\nDiagnostic-Code: X-Postfix; host mx said: 550\n5.1.1 unknown\nX-Other: 5\n",
        );
        assert_eq!(
            report.recipients[0].diagnostic.text(),
            "host mx said: 550 5.1.1 unknown"
        );
        assert!(!report.recipients[0].by_smtp);
    }
}
