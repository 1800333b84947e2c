//! Replies that we give.

use std::borrow::Cow;
use std::fmt;

use bytes::{BufMut, BytesMut};
use smallvec::SmallVec;

use crate::{Class, EnhancedStatus, Severity};

/// A reply of ours, to be written to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingReply {
    code: u16,
    status: Option<EnhancedStatus>,
    lines: SmallVec<[Cow<'static, str>; 1]>,
}

/// RFC 5321 §4.5.3.1.5 allows 512 octets in a reply line, with code and CRLF; this leaves room for
/// an enhanced status code.
const MAX_TEXT: usize = 480;

impl OutgoingReply {
    /// A reply of one line with an enhanced status code, which stands before the text (RFC 2034
    /// §4).
    #[must_use]
    pub fn new(
        code: u16,
        (class, subject, detail): (Class, u16, u16),
        text: impl Into<Cow<'static, str>>,
    ) -> OutgoingReply {
        let status = Some(EnhancedStatus::new(class, subject, detail));
        OutgoingReply {
            status,
            ..OutgoingReply::plain(code, text)
        }
    }

    /// A reply of one line without an enhanced status code: the greeting, the answers to EHLO and
    /// HELO, and 3yz have none (RFC 2034 §4).
    #[must_use]
    pub fn plain(code: u16, text: impl Into<Cow<'static, str>>) -> OutgoingReply {
        debug_assert!((200..600).contains(&code), "{code} is no reply code");
        OutgoingReply {
            code,
            status: None,
            lines: SmallVec::from_iter([text.into()]),
        }
    }

    /// Adds a line.
    #[must_use]
    pub fn line(mut self, text: impl Into<Cow<'static, str>>) -> OutgoingReply {
        self.lines.push(text.into());
        self
    }

    /// The reply code.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced status code.
    #[must_use]
    pub fn status(&self) -> Option<EnhancedStatus> {
        self.status
    }

    /// The text of each line.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(AsRef::as_ref)
    }

    /// What the first digit of the code says.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.code / 100 {
            2 => Severity::Completion,
            3 => Severity::Intermediate,
            4 => Severity::Transient,
            _ => Severity::Permanent,
        }
    }

    /// Whether it says yes (2yz or 3yz).
    #[must_use]
    pub fn is_positive(&self) -> bool {
        matches!(
            self.severity(),
            Severity::Completion | Severity::Intermediate
        )
    }

    /// Writes the reply as it goes over the wire. Text that is not printable ASCII is replaced by
    /// `?`, so that nothing in it can end the line; lines that are too long are folded.
    pub fn write(&self, output: &mut BytesMut) {
        self.write_with(self.status, output);
    }

    /// Writes the reply for a client that is not told of ENHANCEDSTATUSCODES.
    pub(crate) fn write_without_status(&self, output: &mut BytesMut) {
        self.write_with(None, output);
    }

    fn write_with(&self, status: Option<EnhancedStatus>, output: &mut BytesMut) {
        let mut pieces = self.lines.iter().flat_map(|line| folded(line)).peekable();
        while let Some(piece) = pieces.next() {
            put_number(output, self.code);
            output.put_u8(if pieces.peek().is_none() { b' ' } else { b'-' });
            if let Some(status) = status {
                put_number(output, u16::from(status.class.digit()));
                output.put_u8(b'.');
                put_number(output, status.subject);
                output.put_u8(b'.');
                put_number(output, status.detail);
                output.put_u8(b' ');
            }
            if piece.iter().all(|byte| matches!(byte, b' '..=b'~')) {
                output.extend_from_slice(piece);
            } else {
                output.extend(piece.iter().map(|byte| match byte {
                    b' '..=b'~' => *byte,
                    _ => b'?',
                }));
            }
            output.extend_from_slice(b"\r\n");
        }
    }
}

fn folded(line: &str) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line.as_bytes());
    std::iter::from_fn(move || {
        let line = rest?;
        if line.len() <= MAX_TEXT {
            rest = None;
            return Some(line);
        }
        let space = line[..MAX_TEXT].iter().rposition(|byte| *byte == b' ');
        let end = space.filter(|at| *at > 0).unwrap_or(MAX_TEXT);
        rest = Some(line[end..].trim_ascii_start());
        Some(&line[..end])
    })
}

fn put_number(output: &mut BytesMut, number: u16) {
    let mut digits = [0; 5];
    let mut at = digits.len();
    let mut left = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    output.extend_from_slice(&digits[at..]);
}

impl fmt::Display for OutgoingReply {
    /// Code, status and text in one line, for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        self.lines.iter().try_for_each(|line| write!(f, " {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(reply: &OutgoingReply) -> Vec<u8> {
        let mut output = BytesMut::new();
        reply.write(&mut output);
        output.to_vec()
    }

    #[test]
    fn every_line_has_code_and_status() {
        let reply = OutgoingReply::new(550, (Class::Permanent, 7, 1), "no").line("really not");
        assert_eq!(written(&reply), b"550-5.7.1 no\r\n550 5.7.1 really not\r\n");
        assert_eq!(reply.to_string(), "550 5.7.1 no really not");
    }

    #[test]
    fn text_cannot_break_out_of_its_line() {
        let reply = OutgoingReply::plain(250, "a\r\n221 b\0\u{e9}");
        assert_eq!(written(&reply), b"250 a??221 b???\r\n");
    }

    #[test]
    fn a_long_text_is_folded_and_reads_back_whole() {
        let text = "word ".repeat(400);
        let reply = OutgoingReply::new(451, (Class::Transient, 3, 0), text.trim_end().to_owned());
        let wire = written(&reply);
        assert!(
            wire.split_inclusive(|byte| *byte == b'\n')
                .all(|line| line.len() <= 512)
        );
        assert_eq!(
            crate::Reply::parse("us", &wire).unwrap().text(),
            text.trim_end()
        );
    }
}
