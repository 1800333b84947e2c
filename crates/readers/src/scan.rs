//! Codes in running text: reply codes and enhanced status codes, with their places.

use smtp::EnhancedStatus;

use crate::Spanned;

/// The codes of a text; places are in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Codes {
    pub(crate) reply: Option<Spanned<u16>>,
    pub(crate) status: Option<Spanned<EnhancedStatus>>,
}

/// Finds the codes that belong together: a reply code directly before a status counts before any
/// other, then a reply code where one can begin (at the start, after `said:`, after a colon).
pub(crate) fn codes(text: &str) -> Codes {
    let statuses = statuses(text);
    let replies = replies(text);
    // `550 5.1.1`, `550-5.1.1`, `550 #5.1.1`, `#550 5.1.1`
    for status in &statuses {
        let before =
            text[..status.span.0].trim_end_matches([' ', '-', '#', '(', '[', ':', '\t', '\'', '"']);
        if let Some(reply) = replies.iter().find(|reply| reply.span.1 == before.len()) {
            return Codes {
                reply: Some(*reply),
                status: Some(*status),
            };
        }
    }
    Codes {
        reply: replies.first().copied(),
        status: statuses.first().copied(),
    }
}

/// All enhanced status codes, of classes 2, 4 and 5.
pub(crate) fn statuses(text: &str) -> Vec<Spanned<EnhancedStatus>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], b'2' | b'4' | b'5')
            || !(may_begin(bytes, at) || follows_a_reply(bytes, at))
        {
            at += 1;
            continue;
        }
        let length = bytes[at..]
            .iter()
            .take_while(|b| b.is_ascii_digit() || **b == b'.')
            .count();
        let mut token = &text[at..at + length];
        // A sentence may end with the code.
        if let Some(shorter) = token.strip_suffix('.') {
            token = shorter;
        }
        let ends = bytes
            .get(at + length)
            .is_none_or(|b| !b.is_ascii_alphanumeric() && !b"_/-".contains(b));
        match token.parse::<EnhancedStatus>() {
            Ok(status) if ends => found.push(Spanned {
                value: status,
                span: (at, at + token.len()),
            }),
            Ok(_) | Err(_) => {}
        }
        at += length.max(1);
    }
    found
}

/// All three-digit numbers that are reply codes by their place: 4yz and 5yz that begin the text or
/// follow a mark, or that a word of talking goes before.
pub(crate) fn replies(text: &str) -> Vec<Spanned<u16>> {
    let bytes = text.as_bytes();
    let mut sure = Vec::new();
    let mut perhaps = Vec::new();
    let mut at = 0;
    while at + 3 <= bytes.len() {
        if !matches!(bytes[at], b'4' | b'5')
            || !bytes[at..at + 3].iter().all(u8::is_ascii_digit)
            || !may_begin(bytes, at)
        {
            at += 1;
            continue;
        }
        let after = bytes.get(at + 3).copied();
        let ends = match after {
            None
            | Some(
                b' ' | b'\t' | b'\r' | b'\n' | b')' | b']' | b'>' | b'"' | b'\'' | b';' | b',',
            ) => true,
            Some(b'-') => true,
            // `550: no such user`, `550.` at the end of a sentence
            Some(b':' | b'.') => bytes.get(at + 4).is_none_or(|b| !b.is_ascii_digit()),
            Some(_) => false,
        };
        // RFC 5321 §4.2: the second digit is 0 to 5; others exist (571, 465).
        if ends && bytes[at + 1] <= b'7' {
            let code = bytes[at..at + 3]
                .iter()
                .fold(0, |n, b| n * 10 + u16::from(b - b'0'));
            let reply = Spanned {
                value: code,
                span: (at, at + 3),
            };
            if begins_a_reply(&text[..at]) {
                sure.push(reply);
            } else if !counts_something(&text[at + 3..])
                && (after != Some(b'-') || matches!(bytes.get(at + 4), Some(b'\'' | b'"')))
            {
                perhaps.push(reply);
            }
        }
        at += 3;
    }
    sure.extend(perhaps);
    sure
}

fn may_begin(bytes: &[u8], at: usize) -> bool {
    at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || b".-_/@".contains(&bytes[at - 1]))
}

/// `550-5.1.1`
fn follows_a_reply(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(4).and_then(|from| bytes.get(from..at));
    before.is_some_and(|b| b[..3].iter().all(u8::is_ascii_digit) && b[3] == b'-')
}

/// Whether what goes before ends in a way that a reply follows.
fn begins_a_reply(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '\t', '\r', '#', '"', '\'', '<', '(', '[']);
    if before.is_empty() || before.ends_with([':', '\n', ';', '>', '=']) {
        return true;
    }
    let last = before
        .rsplit(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or_default();
    const TALK: &[&str] = &[
        "said",
        "error",
        "reply",
        "code",
        "smtp",
        "esmtp",
        "response",
        "returned",
        "replied",
        "status",
        "with",
        "was",
        "fout",
        "foutcode",
        "foutmelding",
        "melding",
        "lmtp",
        "dsn",
        "failed",
        "server",
    ];
    TALK.iter().any(|word| last.eq_ignore_ascii_case(word))
}

/// `450 messages`, `500 seconds`: a number of things.
fn counts_something(after: &str) -> bool {
    const THINGS: &[&str] = &[
        "seconds",
        "second",
        "sec",
        "minutes",
        "hours",
        "days",
        "messages",
        "mails",
        "recipients",
        "bytes",
        "kb",
        "mb",
        "kilobytes",
        "characters",
        "connections",
        "times",
        "lines",
        "emails",
        "k",
        "m",
        "px",
    ];
    let word: &str = after.trim_start();
    let word = word
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or_default();
    THINGS.iter().any(|thing| word.eq_ignore_ascii_case(thing))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<u16>, Option<String>) {
        let codes = codes(text);
        (
            codes.reply.map(|r| r.value),
            codes.status.map(|s| s.value.to_string()),
        )
    }

    #[test]
    fn codes_are_found_where_people_and_servers_write_them() {
        for (text, reply, status) in [
            ("421 4.2.1 Service not available", Some(421), Some("4.2.1")),
            ("550-5.1.1 no such user", Some(550), Some("5.1.1")),
            (
                "host mx.example.org said: 452 4.2.2 <a@b> over quota (in reply to RCPT TO)",
                Some(452),
                Some("4.2.2"),
            ),
            ("#4.4.7", None, Some("4.4.7")),
            ("SMTP Error 4.4.6", None, Some("4.4.6")),
            ("SMTP error 550", Some(550), None),
            ("(#5.2.2)", None, Some("5.2.2")),
            (
                "Remote host said: 553 sorry (#5.7.1)",
                Some(553),
                Some("5.7.1"),
            ),
            ("it failed with 5.1.1.", None, Some("5.1.1")),
            (
                "SMTP error from remote mail server after RCPT TO:<x@example.org>: 550 unknown",
                Some(550),
                None,
            ),
        ] {
            assert_eq!(read(text), (reply, status.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_no_codes() {
        for text in [
            "connect to 5.1.1.9 failed",
            "version 4.5.1-rc",
            "192.0.2.550",
            "wait 450 seconds",
            "port 5432",
            "a limit of 500 messages",
            "4.2",
            "id=5.1.1x",
            "call 555-1234",
            "",
        ] {
            assert_eq!(read(text), (None, None), "{text}");
        }
    }
}
