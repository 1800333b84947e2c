//! Replies received from a peer (RFC 5321 §4.2), kept byte for byte.

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use memchr::memchr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::EnhancedStatus;

/// What the first digit of a reply code says (RFC 5321 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// 1yz: not used by SMTP, yet some server may say it.
    Preliminary,
    /// 2yz: done.
    Completion,
    /// 3yz: go on.
    Intermediate,
    /// 4yz: not now.
    Transient,
    /// 5yz: not like this.
    Permanent,
}

/// A reply that a peer sent. Only [`ReplyParser`], [`Reply::parse`] and deserialization make one,
/// all from the peer's own bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Reply {
    peer: Arc<str>,
    raw: Bytes,
    code: u16,
}

impl Reply {
    /// Reads exactly one complete reply. The last line may lack its line end.
    pub fn parse(peer: impl Into<Arc<str>>, raw: &[u8]) -> Result<Reply, ProtocolError> {
        let mut parser = ReplyParser::new(peer);
        parser.receive(raw);
        if !raw.ends_with(b"\n") {
            parser.receive(b"\n");
        }
        match parser.next_reply()? {
            Some(mut reply) if parser.is_empty() => {
                reply.raw = Bytes::copy_from_slice(raw);
                Ok(reply)
            }
            _ => Err(ProtocolError::NotAReply { line: excerpt(raw) }),
        }
    }

    /// The three digits of the last line: where lines differ, RFC 5321 §4.2.1 leaves the choice to
    /// us, and the last one is what the peer concluded with.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// What the first digit of the code says.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.code / 100 {
            1 => Severity::Preliminary,
            2 => Severity::Completion,
            3 => Severity::Intermediate,
            4 => Severity::Transient,
            _ => Severity::Permanent,
        }
    }

    /// The enhanced status code at the start of the first line's text, as it stands there: its
    /// class may contradict the reply code.
    #[must_use]
    pub fn status(&self) -> Option<EnhancedStatus> {
        let first = self.lines().next()?;
        EnhancedStatus::at_start(first).map(|(status, _)| status)
    }

    /// The text of each line, after code and separator, without the line end.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest: &[u8] = &self.raw;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (line, after) = rest.split_at(end);
            rest = after;
            let line = without_line_end(line);
            Some(line.get(4..).unwrap_or_default())
        })
    }

    /// The words: all lines joined by a space, decoded lossily, without the enhanced status codes
    /// at their starts.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in self.lines() {
            let words = match EnhancedStatus::at_start(line) {
                Some((_, end)) => &line[end..],
                None => line,
            };
            let words = words.trim_ascii();
            if words.is_empty() {
                continue;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&String::from_utf8_lossy(words));
        }
        text
    }

    /// All bytes as received, line ends included.
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

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({:?} from {:?})", self.raw, self.peer)
    }
}

/// How a reply is written down: as text where it is UTF-8, else as numbers.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Raw {
    Text(String),
    Bytes(Vec<u8>),
}

#[derive(Serialize, Deserialize)]
struct Record {
    peer: Arc<str>,
    raw: Raw,
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = match std::str::from_utf8(&self.raw) {
            Ok(text) => Raw::Text(text.to_owned()),
            Err(_) => Raw::Bytes(self.raw.to_vec()),
        };
        Record {
            peer: self.peer.clone(),
            raw,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Reply, D::Error> {
        let record = Record::deserialize(deserializer)?;
        let raw = match &record.raw {
            Raw::Text(text) => text.as_bytes(),
            Raw::Bytes(bytes) => bytes,
        };
        Reply::parse(record.peer, raw).map_err(serde::de::Error::custom)
    }
}

/// What the peer sent is not SMTP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A line that does not start with a reply code.
    #[error("not an SMTP reply: {}", line.escape_ascii())]
    NotAReply {
        /// The line, cut after 512 bytes.
        line: Bytes,
    },
    /// A reply without an end in sight.
    #[error("a reply longer than {limit} bytes, beginning {}", start.escape_ascii())]
    ReplyTooLong {
        /// The limit that was passed.
        limit: usize,
        /// Its first bytes, at most 512.
        start: Bytes,
    },
    /// A reply that answers no command.
    #[error("a reply to nothing that was asked: {0:?}")]
    Unasked(Reply),
}

impl ProtocolError {
    /// The bytes that are not understood, as received and at most 512 of them.
    #[must_use]
    pub fn received(&self) -> &[u8] {
        match self {
            ProtocolError::NotAReply { line } => line,
            ProtocolError::ReplyTooLong { start, .. } => start,
            ProtocolError::Unasked(reply) => &reply.raw()[..reply.raw().len().min(EXCERPT)],
        }
    }
}

const EXCERPT: usize = 512;

fn excerpt(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(&bytes[..bytes.len().min(EXCERPT)])
}

/// Cuts a stream of bytes into replies.
#[derive(Debug)]
pub struct ReplyParser {
    peer: Arc<str>,
    buffer: BytesMut,
    /// Start of the first line that is not checked yet.
    line: usize,
    /// Up to here there is no line end after `line`.
    scanned: usize,
    failed: Option<ProtocolError>,
}

impl ReplyParser {
    /// A reply that grows beyond this is not waited for: RFC 5321 §4.5.3.1.5 asks for 512 octets a
    /// line, and the longest EHLO replies and refusals in use are a few kilobytes.
    pub const LIMIT: usize = 64 * 1024;

    /// A parser for what `peer` sends; the name is kept in every reply.
    #[must_use]
    pub fn new(peer: impl Into<Arc<str>>) -> ReplyParser {
        ReplyParser {
            peer: peer.into(),
            buffer: BytesMut::new(),
            line: 0,
            scanned: 0,
            failed: None,
        }
    }

    /// Takes bytes from the peer.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Whether everything received has been given out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Forgets what is received and not given out.
    pub fn clear(&mut self) {
        self.buffer.clear();
        (self.line, self.scanned) = (0, 0);
    }

    /// The next complete reply, if there is one. After an error there is nothing but that error.
    pub fn next_reply(&mut self) -> Result<Option<Reply>, ProtocolError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let outcome = self.scan();
        if let Err(error) = &outcome {
            self.failed = Some(error.clone());
            self.clear();
        }
        outcome
    }

    fn scan(&mut self) -> Result<Option<Reply>, ProtocolError> {
        loop {
            let Some(found) = memchr(b'\n', &self.buffer[self.scanned..]) else {
                self.scanned = self.buffer.len();
                self.check_length(self.scanned)?;
                return Ok(None);
            };
            let end = self.scanned + found + 1;
            self.check_length(end)?;
            // Deviation: RFC 5321 §2.3.8 knows only CRLF. A lone LF ends a reply line too: servers
            // that send it exist, and a reply has nothing in it that could be smuggled.
            let (code, last) = parse_line(without_line_end(&self.buffer[self.line..end]))?;
            (self.line, self.scanned) = (end, end);
            if last {
                (self.line, self.scanned) = (0, 0);
                let raw = self.buffer.split_to(end).freeze();
                return Ok(Some(Reply {
                    peer: self.peer.clone(),
                    raw,
                    code,
                }));
            }
        }
    }

    fn check_length(&self, length: usize) -> Result<(), ProtocolError> {
        if length > Self::LIMIT {
            return Err(ProtocolError::ReplyTooLong {
                limit: Self::LIMIT,
                start: excerpt(&self.buffer),
            });
        }
        Ok(())
    }
}

/// RFC 5321 §4.2: three digits, then `-` on all lines but the last, or a space. The code alone is a
/// last line too (§4.2: clients accept it).
fn parse_line(line: &[u8]) -> Result<(u16, bool), ProtocolError> {
    let last = match line.get(3) {
        None | Some(b' ') => Some(true),
        Some(b'-') => Some(false),
        Some(_) => None,
    };
    // RFC 5321 §4.3.2 asks clients to go by the first digit where a code is unknown to them, so any
    // second and third digit will do.
    match (line, last) {
        ([first @ b'1'..=b'5', second, third, ..], Some(last))
            if second.is_ascii_digit() && third.is_ascii_digit() =>
        {
            let digit = |byte: &u8| u16::from(byte - b'0');
            Ok((digit(first) * 100 + digit(second) * 10 + digit(third), last))
        }
        _ => Err(ProtocolError::NotAReply {
            line: excerpt(line),
        }),
    }
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(raw: &[u8]) -> Reply {
        Reply::parse("mx.example.org", raw).unwrap()
    }

    #[test]
    fn a_multi_line_reply_keeps_every_byte_and_gives_its_words() {
        let raw = b"550-5.1.1 The account does not exist.\r\n550 5.1.1  Ask \xff us \r\n";
        let reply = reply(raw);
        assert_eq!(reply.raw(), raw);
        assert_eq!(reply.code(), 550);
        assert_eq!(reply.severity(), Severity::Permanent);
        assert_eq!(reply.status(), "5.1.1".parse().ok());
        assert_eq!(reply.text(), "The account does not exist. Ask \u{fffd} us");
        assert_eq!(reply.lines().count(), 2);
        assert_eq!(reply.peer(), "mx.example.org");
    }

    #[test]
    fn the_code_alone_is_a_reply() {
        let reply = reply(b"250\r\n");
        assert_eq!(
            (reply.code(), reply.text().as_str(), reply.status()),
            (250, "", None)
        );
    }

    #[test]
    fn where_codes_differ_the_last_line_counts() {
        assert_eq!(reply(b"250-fine\r\n451 or not\r\n").code(), 451);
    }

    #[test]
    fn a_status_that_contradicts_the_code_is_still_what_the_peer_said() {
        let reply = reply(b"550 4.2.1 disabled\r\n");
        assert_eq!((reply.code(), reply.status()), (550, "4.2.1".parse().ok()));
    }

    #[test]
    fn what_is_no_reply_is_refused_with_its_bytes() {
        for line in [
            "HTTP/1.1 400 Bad Request",
            "25",
            "2500 ok",
            "650 no",
            "-50 x",
            "",
        ] {
            let mut parser = ReplyParser::new("p");
            parser.receive(line.as_bytes());
            parser.receive(b"\r\n");
            let error = parser.next_reply().unwrap_err();
            assert_eq!(error.received(), line.as_bytes());
            assert_eq!(parser.next_reply(), Err(error));
        }
    }

    #[test]
    fn a_reply_without_an_end_is_refused_at_the_limit() {
        let mut parser = ReplyParser::new("p");
        let line = b"250-more and more\r\n";
        for _ in 0..ReplyParser::LIMIT / line.len() {
            parser.receive(line);
            assert_eq!(parser.next_reply(), Ok(None));
        }
        parser.receive(line);
        assert!(matches!(
            parser.next_reply(),
            Err(ProtocolError::ReplyTooLong { .. })
        ));
    }

    #[test]
    fn two_replies_in_one_piece_are_two() {
        let mut parser = ReplyParser::new("p");
        parser.receive(b"250 a\r\n354 b\n");
        assert_eq!(parser.next_reply().unwrap().unwrap().raw(), b"250 a\r\n");
        assert_eq!(parser.next_reply().unwrap().unwrap().raw(), b"354 b\n");
        assert_eq!(parser.next_reply(), Ok(None));
        assert!(parser.is_empty());
    }
}
