//! Who wrote a line: what stands between the time and the message.

use super::line::{Line, begins_any, cut};
use super::out::Entry;
use super::stamp::Stamp;
use super::{exim, postfix, sendmail};

/// Who wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program<'a> {
    /// A daemon of Postfix, by its name without `postfix/`.
    Postfix(&'a [u8]),
    Exim,
    Sendmail,
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
    if stamp == Stamp::None {
        // The lines that people paste often lack their beginnings.
        return match tagged(rest) {
            Some((tag, text)) if bare_tag(tag) => (by_tag(tag), entry(None, text)),
            Some(_) | None if postfix::is_fragment(rest) => {
                (Program::Postfix(b"smtp"), entry(None, rest))
            }
            Some(_) | None if exim::is_message(rest) => (Program::Exim, entry(None, rest)),
            Some(_) | None => (Program::Unknown, entry(None, rest)),
        };
    }
    let Some(rest) = rest.strip_prefix(b" ") else {
        return (Program::Unknown, entry(None, rest));
    };
    if matches!(stamp, Stamp::Iso(_)) && exim::is_message(rest) {
        return (Program::Exim, entry(None, rest));
    }
    match syslog(rest) {
        Some((host, tag, text)) => (by_tag(tag), entry(Some(host), text)),
        None => (Program::Unknown, entry(None, rest)),
    }
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
fn bare_tag(tag: &[u8]) -> bool {
    tag.starts_with(b"postfix")
        || begins_any(tag, &["sm-mta", "sm-msp", "sendmail"])
        || tag == b"exim"
}

fn by_tag(tag: &[u8]) -> Program<'_> {
    // `postfix/smtp`, `postfix-out/relay/smtp`: the name before the first slash can be chosen.
    if let Some(slash) = memchr::memrchr(b'/', tag) {
        let daemon = &tag[slash + 1..];
        if postfix::is_daemon(daemon) {
            return Program::Postfix(daemon);
        }
    }
    if tag.starts_with(b"exim") {
        return Program::Exim;
    }
    if sendmail::is_tag(tag) {
        return Program::Sendmail;
    }
    Program::OtherDaemon
}
