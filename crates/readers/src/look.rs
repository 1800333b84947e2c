//! What kind of input this is, by looking at its first bytes.

use crate::log::{self, LooksLike};

/// What an input looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looks {
    /// Lines of a log.
    Log,
    /// Several mails in one file (mbox).
    Mailbox,
    /// One mail, or a part of one.
    Mail,
    /// Anything else: a code, a reply, a sentence.
    Words,
}

/// So many lines are looked at.
const LINES: usize = 40;

pub(crate) fn look(bytes: &[u8]) -> Looks {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines: Vec<&[u8]> = bytes
        // Old Macs end lines with `\r` alone.
        .split(|b| matches!(b, b'\n' | b'\r'))
        .map(<[u8]>::trim_ascii_end)
        .filter(|line| !line.is_empty())
        .take(LINES)
        .collect();
    let Some(first) = lines.first() else {
        return Looks::Words;
    };
    // RFC 4155: a mailbox begins with a `From ` line.
    if first.starts_with(b"From ") && lines.get(1).is_some_and(|line| is_field(line)) {
        return Looks::Mailbox;
    }
    let count = |like| lines.iter().filter(|line| log::look(line) == like).count();
    let (known, other) = (count(LooksLike::Known), count(LooksLike::Other));
    // A log of many daemons may begin with lines of others; a few such lines may be of a mail server
    // that is not known here: their words count.
    if (known + other) * 2 > lines.len() && (known > 0 || other > 4) {
        return Looks::Log;
    }
    // A mail begins with header fields; some are pasted without their first lines.
    let fields = lines
        .iter()
        .take_while(|line| is_field(line) || line.starts_with(b" ") || line.starts_with(b"\t"));
    let known = fields.filter(|line| is_known_field(line)).count();
    if known >= 2 {
        Looks::Mail
    } else {
        Looks::Words
    }
}

/// `Name: value`.
fn is_field(line: &[u8]) -> bool {
    let name = line
        .iter()
        .take_while(|b| b.is_ascii_graphic() && **b != b':')
        .count();
    name > 0 && line.get(name) == Some(&b':')
}

fn is_known_field(line: &[u8]) -> bool {
    const KNOWN: &[&str] = &[
        "received",
        "return-path",
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "content-type",
        "delivered-to",
        "x-failed-recipients",
        "auto-submitted",
        "content-transfer-encoding",
        "x-original-to",
        "final-recipient",
        "original-recipient",
        "action",
        "status",
        "diagnostic-code",
        "remote-mta",
        "reporting-mta",
        "arrival-date",
        "last-attempt-date",
        "envelope-to",
        "delivery-date",
        "precedence",
        "in-reply-to",
        "references",
        "sender",
        "reply-to",
        "feedback-type",
        "dkim-signature",
    ];
    let name = line.split(|b| *b == b':').next().unwrap_or_default();
    KNOWN
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_told_apart() {
        for (text, looks) in [
            ("", Looks::Words),
            ("4.2.1", Looks::Words),
            ("550 5.1.1 no such user", Looks::Words),
            ("From: a@b\nsaid 550", Looks::Words),
            (
                "Mar  4 14:02:11 mail postfix/qmgr[1]: 3A1B2C3D4E: removed\n",
                Looks::Log,
            ),
            (
                "Mar  4 14:02:11 mail othermta[1]: failed: 550 5.1.1 no such user\n",
                Looks::Words,
            ),
            (
                "Return-Path: <>\r\nSubject: Undelivered\r\n\r\nHello",
                Looks::Mail,
            ),
            (
                "Final-Recipient: rfc822; a@b\nAction: failed\nStatus: 5.1.1\n",
                Looks::Mail,
            ),
            (
                "From MAILER-DAEMON Mon Jan  1 00:00:00 2024\nReturn-Path: <>\n",
                Looks::Mailbox,
            ),
        ] {
            assert_eq!(look(text.as_bytes()), looks, "{text}");
        }
    }
}
