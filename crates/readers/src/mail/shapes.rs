//! How one line of a report shows a recipient, whoever writes the report.

use super::address::{Address, addresses};
use super::text::Text;
use crate::scan;

/// How a line shows a recipient, the plainest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// The line begins with it: `<a@b>: host said`, `a@b` alone, `a@b on 1 May`, `a@b... unknown`.
    Head,
    /// `Recipient: a@b`
    Named,
    /// `550 5.1.1 <a@b>... User unknown`
    Coded,
    /// `>>> RCPT TO:<a@b>`
    Command,
    /// `your message to a@b could not be delivered`
    Sentence,
    /// `To: a@b`
    Addressed,
}

/// A recipient in a line.
pub(super) struct Hit {
    pub(super) shape: Shape,
    pub(super) line: usize,
    pub(super) address: Address,
}

/// How one line shows recipients.
pub(super) fn hits(text: &Text, number: usize) -> Vec<Hit> {
    let line = text.line(number);
    if !line.contains('@') {
        return Vec::new();
    }
    let found = addresses(line);
    let hit = |shape: Shape, address: &Address| Hit {
        shape,
        line: number,
        address: address.clone(),
    };
    let Some(first) = found.first() else {
        return Vec::new();
    };
    // Exim: an address that is not told, and below it the one that it was made from.
    let hidden = number > 0
        && generated(line).is_some()
        && (text.line(number - 1).contains("undisclosed address")
            || text.line(number - 1).trim_start().starts_with("pipe to "));
    if hidden {
        return vec![hit(Shape::Head, first)];
    }
    // Advice goes on in this line: `try sending to⏎a@b`, `to the address⏎⏎    a@b`.
    if line[..first.range.start]
        .trim_matches([' ', '\t', '<'])
        .is_empty()
        && follows_advice(text, number)
    {
        return Vec::new();
    }
    if let Some(shape) = by_start(line, first) {
        let all = match shape {
            // `550 5.1.1 <a@b>: from <c@d>`: the first is meant.
            Shape::Head | Shape::Named | Shape::Addressed if only_addresses(line, &found) => {
                &found[..]
            }
            // `a@b <c@d>: malformed`: a name that looks like an address, and the address.
            Shape::Head if is_name_of(line, &found) => &found[1..2],
            _ => &found[..1],
        };
        return all.iter().map(|address| hit(shape, address)).collect();
    }
    if tells_of_failure(line) {
        return found
            .iter()
            .filter(|address| !follows_from(line, address))
            .map(|address| hit(Shape::Sentence, address))
            .collect();
    }
    Vec::new()
}

fn is_name_of(line: &str, found: &[Address]) -> bool {
    let [name, address, ..] = found else {
        return false;
    };
    let between = &line[name.range.end..address.range.start];
    !name.bracketed && address.bracketed && between.trim().is_empty() && !name.is(&address.text)
}

/// `from a@b`, `by a@b`, `contact a@b`: no recipient.
fn follows_from(line: &str, address: &Address) -> bool {
    let before = line[..address.range.start].trim_end_matches([' ', ':', '"', '\'', '<', '(', '[']);
    let word = before
        .rsplit(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or_default();
    const OTHERS: &[&str] = &[
        "from",
        "by",
        "contact",
        "sender",
        "postmaster",
        "write",
        "email",
        "mailto",
        "helo",
        "ask",
        "if",
        "try",
        "emailing",
    ];
    OTHERS.iter().any(|other| word.eq_ignore_ascii_case(other))
}

/// Whether the text before a line ends with words after which an address comes that is no recipient.
fn follows_advice(text: &Text, number: usize) -> bool {
    const ADVICE: &[&str] = &[
        "if",
        "try",
        "emailing",
        "contact",
        "to the address",
        "send mail to",
        "send e-mail to",
        "write to",
    ];
    let before = (0..number).rev().map(|number| text.line(number));
    let Some(line) = before.take(2).find(|line| !line.is_empty()) else {
        return false;
    };
    let lower = line.to_ascii_lowercase();
    ADVICE.iter().any(|words| {
        lower
            .strip_suffix(words)
            .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric()))
    })
}

/// Whether a line is a list of addresses and nothing more.
fn only_addresses(line: &str, found: &[Address]) -> bool {
    let last = found.last().map_or(0, |address| address.range.end);
    let rest = line.get(last..).unwrap_or_default();
    !rest.chars().any(char::is_alphanumeric)
        && found.windows(2).all(|pair| {
            let between = &line[pair[0].range.end..pair[1].range.start];
            !between.chars().any(char::is_alphanumeric)
        })
}

fn by_start(line: &str, first: &Address) -> Option<Shape> {
    let before = &line[..first.range.start];
    let after = &line[first.range.end..];
    let lead =
        before.trim_start_matches(|c: char| c.is_whitespace() || "*-+=>•·|\"'([".contains(c));
    if lead.is_empty() {
        return heads(before, after).then_some(Shape::Head);
    }
    // `Some Person <a@b>`, and nothing more.
    let alone = !after.chars().any(char::is_alphanumeric);
    if first.bracketed && alone && !lead.contains([':', ';']) && lead.split(' ').count() <= 5 {
        let name = lead.trim_matches([' ', '"', '\'']);
        if name.chars().next().is_some_and(char::is_uppercase) && !tells_of_failure(name) {
            return Some(Shape::Head);
        }
    }
    if let Some(command) = lead.get(..4) {
        if command.eq_ignore_ascii_case("rcpt") {
            return Some(Shape::Command);
        }
        if command.eq_ignore_ascii_case("mail") && lead.len() < 14 && lead.trim_end().ends_with(':')
        {
            return None;
        }
    }
    // An X.400 address that holds one of ours: `c=US;a= ;p=X;dda:SMTP=a@b; on 1 May`.
    if lead.to_ascii_lowercase().ends_with("dda:smtp=") {
        return Some(Shape::Head);
    }
    if begins_with_reply(lead) {
        return Some(Shape::Coded);
    }
    by_name(lead)
}

pub(super) fn begins_with_reply(text: &str) -> bool {
    let reply = text.trim_start_matches(['<', ' ', '.']).as_bytes();
    reply.len() >= 4
        && matches!(reply[0], b'4' | b'5')
        && reply[..3].iter().all(u8::is_ascii_digit)
        && matches!(reply[3], b' ' | b'-' | b':')
}

/// Whether a line that begins with an address tells of it.
fn heads(before: &str, after: &str) -> bool {
    let rest = after.trim_start_matches(['"', '\'', ')', ']', '>']);
    let text = rest.trim_start();
    if !rest.chars().any(char::is_alphanumeric) {
        return true;
    }
    let space = rest.len() > text.len();
    rest.starts_with([':', ';'])
        || rest.starts_with("...")
        || text.starts_with(':')
        || (space && text.starts_with("on ") && text.bytes().any(|b| b.is_ascii_digit()))
        || (space && text.starts_with(['(', '[', '<', '-']))
        || (rest.starts_with(',') && before.trim().is_empty() && tells_of_failure(text))
        || (space && tells_of_failure(text))
}

/// `Recipient: `, `Failed address: `, and so on.
fn by_name(lead: &str) -> Option<Shape> {
    let name = lead.trim_end_matches(|c: char| c.is_whitespace() || "<\"'([".contains(c));
    // `[SMTP:a@b]`
    let inner = ["SMTP:", "smtp:", "mailto:"].iter();
    let inner = inner.filter_map(|kind| name.strip_suffix(kind)).next();
    let name = inner.unwrap_or(name);
    let name = name.trim_end_matches(|c: char| c.is_whitespace() || "<\"'([".contains(c));
    let name = name.strip_suffix(':').or_else(|| name.strip_suffix('='))?;
    let name = name.trim();
    const NAMED: &[&str] = &[
        "recipient",
        "recipients",
        "address",
        "addressee",
        "user",
        "failed",
        "mailbox",
        "rcpt to",
        "rcpt",
        "destinataire",
        "empfänger",
        "ontvanger",
        "destinatario",
        "undeliverable to",
        "delivered to",
        "delivery to",
        "sent to",
        "mail to",
        "message to",
        "failed to",
        "deliver to",
    ];
    let lower = name.to_lowercase();
    if NAMED.iter().any(|known| lower.ends_with(known)) {
        return Some(Shape::Named);
    }
    matches!(lower.as_str(), "to" | "an" | "aan" | "à").then_some(Shape::Addressed)
}

/// Words (of lower case) that tell of a failure.
const FAILURE: &[&str] = &[
    "unknown",
    "not found",
    "fail",
    "invalid",
    "reject",
    "refus",
    "denied",
    "undeliver",
    "not be delivered",
    "n't be delivered",
    "not delivered",
    "n't delivered",
    "unable to",
    "not exist",
    "n't exist",
    "no such",
    "disabled",
    "full",
    "quota",
    "exceed",
    "not listed",
    "error",
    "unavailable",
    "unreachable",
    "not reach",
    "blocked",
    "bounce",
    "timed out",
    "timeout",
    "expired",
    "inactive",
    "suspended",
    "unbekannt",
    "inconnu",
    "desconocid",
    "n't deliver",
    "not deliver",
    "not a valid",
    "n't a valid",
    "no mailbox",
    "not available",
    "not recogni",
    "no longer",
    "cannot",
    "can't",
    "couldn't",
    "returned",
    "denies",
    "not accept",
    "n't accept",
    "not allowed",
    "problem",
    "not known",
    "n't have",
    "too large",
    "not our customer",
    "delayed",
    "not permitted",
    "discarded",
    "not active",
    "could not",
    "unrouteable",
    "no account",
    "addressed to",
    "did not",
    "not a member",
    "duplicated message-id",
];

pub(super) fn tells_of_failure(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let coded = || {
        let codes = scan::codes(text);
        codes.reply.is_some() || codes.status.is_some()
    };
    FAILURE.iter().any(|word| lower.contains(word)) || coded()
}

/// What follows the words that say where an address came from.
pub(super) fn generated(line: &str) -> Option<&str> {
    let words = ["generated from", "generated by", "expanded from"];
    words
        .iter()
        .find_map(|words| line.split_once(words))
        .map(|(_, after)| after)
}
