//! Replies as received (RFC 5321 §4.2).

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Class, EnhancedStatus};

/// What the first digit of a reply says (RFC 5321 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// 2yz: done.
    Completion,
    /// 3yz: go on.
    Intermediate,
    /// 4yz: not now.
    Transient,
    /// 5yz: no.
    Permanent,
}

/// A reply received from a peer, with every byte of it. Only [`ReplyParser`] makes one; a failure of
/// ours or of the network never becomes a reply.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Reply {
    peer: Arc<str>,
    raw: Arc<[u8]>,
    code: u16,
}

impl Reply {
    /// The three digits.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// What the first digit says.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.code / 100 {
            2 => Severity::Completion,
            3 => Severity::Intermediate,
            4 => Severity::Transient,
            _ => Severity::Permanent,
        }
    }

    /// The enhanced status code at the start of the text (RFC 2034 §4), if there is one. Its class is
    /// as sent, even where it disagrees with the reply's.
    #[must_use]
    pub fn status(&self) -> Option<EnhancedStatus> {
        leading_status(self.lines().last()?).map(|(status, _)| status)
    }

    /// The text of each line, after code and separator.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        lines_of(&self.raw).map(|line| line.get(4..).unwrap_or_default())
    }

    /// The text in one line, for reading: without the codes, bytes that are not UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in self.lines() {
            let line = leading_status(line).map_or(line, |(_, rest)| rest);
            let line = String::from_utf8_lossy(line);
            let line = line.trim();
            if !text.is_empty() && !line.is_empty() {
                text.push(' ');
            }
            text.push_str(line);
        }
        text
    }

    /// Every byte as received, line ends included.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Who said it.
    #[must_use]
    pub fn peer(&self) -> &str {
        &self.peer
    }
}

fn lines_of(raw: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    raw.strip_suffix(b"\n")
        .unwrap_or(raw)
        .split(|b| *b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn leading_status(text: &[u8]) -> Option<(EnhancedStatus, &[u8])> {
    let end = text.iter().position(|b| *b == b' ').unwrap_or(text.len());
    let status = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
    Some((status, text.get(end + 1..).unwrap_or_default()))
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Reply({:?} from {})",
            String::from_utf8_lossy(&self.raw),
            self.peer
        )
    }
}

/// What was received is no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// A line does not begin with three digits and a space, hyphen or end.
    #[error("not an SMTP reply: {:?}", String::from_utf8_lossy(line))]
    Malformed {
        /// The line.
        line: Vec<u8>,
    },
    /// The reply is longer than [`MAX_REPLY`].
    #[error("the reply is longer than {MAX_REPLY} bytes")]
    TooLong {
        /// How it begins.
        start: Vec<u8>,
    },
}

/// The longest reply that is read, all its lines together.
///
/// Deviation: RFC 5321 §4.5.3.1.5 limits a line to 512 octets and the number of lines not at all;
/// longer lines occur, and a peer must not be able to fill our memory.
pub const MAX_REPLY: usize = 64 * 1024;

/// Reads replies from bytes as they come.
#[derive(Debug)]
pub struct ReplyParser {
    peer: Arc<str>,
    buffer: Vec<u8>,
    /// Where the line that is being read starts.
    line: usize,
    /// Where to go on looking for its end.
    scanned: usize,
}

impl ReplyParser {
    /// A parser for what `peer` says.
    #[must_use]
    pub fn new(peer: &str) -> ReplyParser {
        ReplyParser {
            peer: peer.into(),
            buffer: Vec::new(),
            line: 0,
            scanned: 0,
        }
    }

    /// Takes in bytes.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether bytes are held that are no whole reply yet.
    #[must_use]
    pub fn is_in_reply(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next whole reply.
    pub fn parse(&mut self) -> Result<Option<Reply>, ReplyError> {
        while let Some(at) = memchr::memchr(b'\n', &self.buffer[self.scanned..]) {
            let end = self.scanned + at + 1;
            let line = &self.buffer[self.line..end];
            let (code, last) = read_line(line)?;
            self.line = end;
            self.scanned = end;
            if end > MAX_REPLY {
                break;
            }
            if last {
                let raw: Arc<[u8]> = self.buffer[..end].into();
                self.buffer.drain(..end);
                self.line = 0;
                self.scanned = 0;
                return Ok(Some(Reply {
                    peer: self.peer.clone(),
                    raw,
                    code,
                }));
            }
        }
        self.scanned = self.buffer.len();
        if self.buffer.len() > MAX_REPLY {
            return Err(ReplyError::TooLong {
                start: self.buffer[..200].to_vec(),
            });
        }
        Ok(None)
    }
}

/// RFC 5321 §4.2: `code [ SP text ]` ends a reply, `code "-" text` goes on. Where lines differ in
/// their code, the last one counts (§4.2.1 leaves it open; the last line is the one that ends it).
fn read_line(line: &[u8]) -> Result<(u16, bool), ReplyError> {
    let malformed = || ReplyError::Malformed {
        line: line[..line.len().min(512)].to_vec(),
    };
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let (digits, rest) = text.split_at_checked(3).ok_or_else(malformed)?;
    // RFC 5321 §4.2: the first digit is 2 to 5, the second 0 to 5.
    // Deviation: any second digit is taken; the text beside it may still say why.
    if !(b'2'..=b'5').contains(&digits[0]) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(malformed());
    }
    let code = digits
        .iter()
        .fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match rest.first() {
        None | Some(b' ') => Ok((code, true)),
        Some(b'-') => Ok((code, false)),
        Some(_) => Err(malformed()),
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    peer: String,
    raw: Raw,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Raw {
    Text(String),
    Bytes(Vec<u8>),
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = match std::str::from_utf8(&self.raw) {
            Ok(text) => Raw::Text(text.to_owned()),
            Err(_) => Raw::Bytes(self.raw.to_vec()),
        };
        Stored {
            peer: self.peer.to_string(),
            raw,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let Stored { peer, raw } = Stored::deserialize(deserializer)?;
        let bytes = match raw {
            Raw::Text(text) => text.into_bytes(),
            Raw::Bytes(bytes) => bytes,
        };
        let mut parser = ReplyParser::new(&peer);
        parser.receive(&bytes);
        match parser.parse().map_err(D::Error::custom)? {
            Some(reply) if !parser.is_in_reply() => Ok(reply),
            _ => Err(D::Error::custom("not exactly one whole SMTP reply")),
        }
    }
}

/// What *we* say as a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingReply {
    /// The three digits.
    pub code: u16,
    /// The enhanced status code; `None` where RFC 2034 §4 has none (greeting, EHLO, 3yz).
    pub status: Option<EnhancedStatus>,
    /// The lines of text; at least one.
    pub lines: Vec<std::borrow::Cow<'static, str>>,
}

impl OutgoingReply {
    /// A reply of one line with an enhanced status code.
    pub fn new(
        code: u16,
        status: (Class, u16, u16),
        text: impl Into<std::borrow::Cow<'static, str>>,
    ) -> OutgoingReply {
        let status = EnhancedStatus::new(status.0, status.1, status.2);
        OutgoingReply {
            code,
            status: Some(status),
            lines: vec![text.into()],
        }
    }

    /// A reply of one line without one.
    pub fn plain(code: u16, text: impl Into<std::borrow::Cow<'static, str>>) -> OutgoingReply {
        OutgoingReply {
            code,
            status: None,
            lines: vec![text.into()],
        }
    }

    /// Writes it as it goes over the wire.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        for (i, line) in self.lines.iter().enumerate() {
            let separator = if i + 1 == self.lines.len() { ' ' } else { '-' };
            out.extend_from_slice(format!("{}{separator}", self.code).as_bytes());
            if let Some(status) = self.status {
                out.extend_from_slice(format!("{status} ").as_bytes());
            }
            // A line of ours never holds control characters, whatever a peer made us quote.
            out.extend(
                line.bytes()
                    .map(|b| if b.is_ascii_control() { b' ' } else { b }),
            );
            out.extend_from_slice(b"\r\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Option<Reply>, ReplyError> {
        let mut parser = ReplyParser::new("mx.example.org[192.0.2.1]:25");
        parser.receive(bytes);
        parser.parse()
    }

    #[test]
    fn a_reply_keeps_its_bytes_and_gives_code_status_and_text() {
        let raw = b"450-4.2.0 <a@b>: Recipient address rejected:\r\n450 4.2.0 Greylisted\r\n";
        let reply = parse(raw).unwrap().unwrap();
        assert_eq!((reply.code(), reply.raw()), (450, &raw[..]));
        assert_eq!(reply.status().unwrap().to_string(), "4.2.0");
        assert_eq!(
            reply.text(),
            "<a@b>: Recipient address rejected: Greylisted"
        );
        assert_eq!(reply.severity(), Severity::Transient);
        let json = serde_json::to_string(&reply).unwrap();
        assert_eq!(serde_json::from_str::<Reply>(&json).unwrap(), reply);
    }

    #[test]
    fn a_reply_that_is_not_utf8_survives_json() {
        let reply = parse(b"550 caf\xe9\r\n").unwrap().unwrap();
        let json = serde_json::to_string(&reply).unwrap();
        assert_eq!(serde_json::from_str::<Reply>(&json).unwrap(), reply);
    }

    #[test]
    fn what_is_no_reply_is_an_error_with_its_bytes() {
        for bad in ["hello\r\n", "99\r\n", "199 x\r\n", "250x\r\n", "\r\n"] {
            let line = bad.as_bytes().to_vec();
            assert_eq!(parse(bad.as_bytes()), Err(ReplyError::Malformed { line }));
        }
        assert!(matches!(
            parse(&[b'2'; MAX_REPLY + 1]),
            Err(ReplyError::TooLong { .. })
        ));
    }

    #[test]
    fn a_bare_code_and_a_bare_lf_are_taken() {
        assert_eq!(parse(b"250\r\n").unwrap().unwrap().text(), "");
        assert_eq!(parse(b"421 bye\n").unwrap().unwrap().text(), "bye");
    }
}
