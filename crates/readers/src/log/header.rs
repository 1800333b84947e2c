//! Who wrote a line: what stands between the time and the message.

use super::line::{Line, begins_any, cut};
use super::out::Entry;
use super::stamp::Stamp;
use super::{exchange, exim, haraka, json, postfix, postrider, qmail, sendmail};

/// Who wrote a line, and in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program<'a> {
    /// A daemon of Postfix, by its name without `postfix/`.
    Postfix(&'a [u8]),
    Exim,
    Sendmail,
    OpenSmtpd,
    Qmail,
    Haraka,
    Postrider,
    /// A line of JSON: KumoMTA or Postrider.
    Json,
    /// A line that names the columns of the rows after it.
    ExchangeHeading,
    ExchangeRow,
    /// A syslog line of something else.
    OtherDaemon,
    /// No line of a log that is known here.
    Unknown,
}

/// Finds the program and the message.
pub(crate) fn split<'a>(
    line: Line<'a>,
    stamp: Stamp<'a>,
    rest: &'a [u8],
) -> (Program<'a>, Entry<'a>) {
    let entry = |host, text| Entry {
        line,
        stamp,
        host,
        text,
    };
    let (program, text) = match (stamp, rest.first()) {
        (Stamp::None, _) => bare(rest),
        (Stamp::Iso(_), Some(b',')) => (Program::ExchangeRow, rest),
        (Stamp::Tai(_) | Stamp::Unix(_), Some(b' ')) if qmail::is_message(&rest[1..]) => {
            (Program::Qmail, &rest[1..])
        }
        (Stamp::Iso(_), Some(b' ')) if exim::is_message(&rest[1..]) => (Program::Exim, &rest[1..]),
        (Stamp::Iso(_), Some(b' ')) if haraka::split(&rest[1..]).is_some() => {
            (Program::Haraka, &rest[1..])
        }
        (Stamp::Iso(_), Some(b' ')) if postrider::is_message(&rest[1..]) => {
            (Program::Postrider, &rest[1..])
        }
        (_, Some(b' ')) => match syslog(&rest[1..]) {
            Some((host, tag, text)) => {
                let (program, text) = by_tag(tag, text);
                return (program, entry(Some(host), text));
            }
            None => (Program::Unknown, rest),
        },
        (_, Some(_) | None) => (Program::Unknown, rest),
    };
    (program, entry(None, text))
}

/// A line without a time: those that people paste often lack their beginnings.
fn bare(rest: &[u8]) -> (Program<'_>, &[u8]) {
    match rest.first() {
        Some(b'{') => {
            return (
                if json::is_line(rest) {
                    Program::Json
                } else {
                    Program::Unknown
                },
                rest,
            );
        }
        Some(b'#') if exchange::is_heading(rest) => return (Program::ExchangeHeading, rest),
        Some(b'[') if haraka::split(rest).is_some() => return (Program::Haraka, rest),
        Some(_) | None => {}
    }
    if let Some((tag, text)) = tagged(rest).filter(|(tag, _)| is_bare_tag(tag)) {
        return by_tag(tag, text);
    }
    let program = if postfix::is_fragment(rest) {
        Program::Postfix(b"smtp")
    } else if exim::is_message(rest) {
        Program::Exim
    } else if qmail::is_message(rest) {
        Program::Qmail
    } else {
        Program::Unknown
    };
    (program, rest)
}

/// `host tag[pid]: text` (RFC 3164 §4.1), or `host tag pid msgid - text` (RFC 5424 §6).
fn syslog(rest: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let at = memchr::memchr(b' ', rest)?;
    let (host, rest) = (&rest[..at], &rest[at + 1..]);
    if let Some((tag, text)) = tagged(rest) {
        return Some((host, tag, text));
    }
    let mut fields = rest.splitn(4, |b| *b == b' ');
    let (tag, pid, _id) = (fields.next()?, fields.next()?, fields.next()?);
    let text = fields.next()?;
    let structured = pid == b"-" || pid.iter().all(u8::is_ascii_digit);
    let text = match text.strip_prefix(b"- ") {
        Some(text) => text,
        None => text.strip_prefix(b"[").and_then(|t| cut(t, b"] "))?.1,
    };
    structured.then_some((
        host,
        tag,
        text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text),
    ))
}

/// `tag[pid]: text` or `tag: text`.
fn tagged(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = rest
        .iter()
        .take(64)
        .position(|b| matches!(b, b'[' | b':' | b' ' | b'<' | b'='))?;
    let (tag, rest) = rest.split_at(end);
    let rest = match rest.strip_prefix(b"[") {
        Some(pid) => {
            let digits = pid.iter().take(20).position(|b| *b == b']')?;
            &pid[digits + 1..]
        }
        None => rest,
    };
    let text = rest.strip_prefix(b": ")?;
    // Solaris: `[ID 801593 mail.info] `.
    let text = match text.strip_prefix(b"[ID ") {
        Some(id) => cut(id, b"] ")?.1,
        None => text,
    };
    (!tag.is_empty()).then_some((tag, text))
}

/// Whether a tag is one by itself, without a time and a host before it.
fn is_bare_tag(tag: &[u8]) -> bool {
    tag.starts_with(b"postfix")
        || begins_any(tag, &["sm-mta", "sm-msp", "sendmail"])
        || tag == b"exim"
}

/// Whose tag this is, and its message.
fn by_tag<'a>(tag: &'a [u8], text: &'a [u8]) -> (Program<'a>, &'a [u8]) {
    // `postfix/smtp`, `postfix-out/relay/smtp`: the name before the first slash can be chosen.
    if let Some(slash) = memchr::memrchr(b'/', tag) {
        let daemon = &tag[slash + 1..];
        if postfix::is_daemon(daemon) {
            return (Program::Postfix(daemon), text);
        }
    }
    let program = match tag {
        b"smtpd" => Program::OpenSmtpd,
        _ if tag.starts_with(b"exim") => Program::Exim,
        _ if tag.starts_with(b"qmail") => Program::Qmail,
        _ if sendmail::is_tag(tag) => Program::Sendmail,
        _ if tag.starts_with(b"haraka") => Program::Haraka,
        _ if tag.starts_with(b"postrider") || tag == b"kumod" => match text.first() {
            Some(b'{') => Program::Json,
            Some(_) | None => return (Program::Postrider, super::stamp::split(text).1),
        },
        _ => Program::OtherDaemon,
    };
    (program, text)
}
