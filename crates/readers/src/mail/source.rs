//! Bytes that are being read, and where in the input they stand: the input itself, or what a transfer
//! encoding (RFC 2045 §6) made of a stretch of it.

use std::borrow::Cow;
use std::ops::Range;

use mail_parser::decoders::charsets::map::charset_decoder;
use memchr::memmem;

use crate::{Span, Words};

/// A stretch of the bytes, up to the next one, and where it came from: byte for byte where both are of
/// one length, else all of it from all of that.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: usize,
    origin: Span,
}

/// Bytes with their places.
#[derive(Clone, Debug)]
pub(super) struct Source<'a> {
    bytes: Cow<'a, [u8]>,
    runs: Vec<Run>,
}

/// How a part is encoded (RFC 2045 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Encoding {
    /// 7bit, 8bit, binary, or something unknown.
    #[default]
    Plain,
    QuotedPrintable,
    Base64,
}

impl<'a> Source<'a> {
    /// Bytes of the input that begin there.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Source<'a> {
        let origin = (at, at + bytes.len());
        Source {
            bytes: Cow::Borrowed(bytes),
            runs: vec![Run { start: 0, origin }],
        }
    }

    /// Text that was gathered before; what came from nowhere has no length in the input.
    pub(super) fn of_words(words: &Words) -> Source<'_> {
        let mut runs = Vec::new();
        let mut at = 0;
        let mut last = 0;
        for (start, end, origin) in words.pieces() {
            if start > at {
                let origin = (last, last);
                runs.push(Run { start: at, origin });
            }
            runs.push(Run { start, origin });
            (at, last) = (end, origin.1);
        }
        if at < words.text().len() || runs.is_empty() {
            let origin = (last, last);
            runs.push(Run { start: at, origin });
        }
        Source {
            bytes: Cow::Borrowed(words.text().as_bytes()),
            runs,
        }
    }

    /// Bytes that stand for those of the input one by one, changed in value only.
    pub(super) fn rewritten(bytes: Vec<u8>, at: usize) -> Source<'static> {
        let origin = (at, at + bytes.len());
        Source {
            bytes: Cow::Owned(bytes),
            runs: vec![Run { start: 0, origin }],
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn get(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// A stretch, without its transfer encoding.
    pub(super) fn decode(&self, range: Range<usize>, encoding: Encoding) -> Source<'_> {
        match encoding {
            Encoding::Plain => {
                let runs = self.parts(range.clone());
                Source {
                    bytes: Cow::Borrowed(self.get(range.clone())),
                    runs: runs
                        .map(|(part, origin)| Run {
                            start: part.start - range.start,
                            origin,
                        })
                        .collect(),
                }
            }
            Encoding::QuotedPrintable => self.decode_quoted(range),
            Encoding::Base64 => self.decode_base64(range),
        }
    }

    /// RFC 2045 §6.7. What is no proper escape stays as it is.
    fn decode_quoted(&self, range: Range<usize>) -> Source<'static> {
        let mut made = Builder::default();
        let mut at = range.start;
        for line in self.get(range).split_inclusive(|b| *b == b'\n') {
            let end = at + line.len();
            let shown = line.trim_ascii_end();
            let mut from = 0;
            while let Some(next) = memchr::memchr(b'=', &shown[from..]) {
                let equals = from + next;
                made.exact(self, at + from..at + equals);
                let escape = shown.get(equals + 1..equals + 3).and_then(hex);
                from = match escape {
                    Some(byte) => {
                        made.push(self, &[byte], at + equals..at + equals + 3);
                        equals + 3
                    }
                    // A soft line break: the line goes on.
                    None if equals + 1 == shown.len() => line.len(),
                    None => {
                        made.exact(self, at + equals..at + equals + 1);
                        equals + 1
                    }
                };
                if from >= shown.len() {
                    break;
                }
            }
            let soft = shown.last() == Some(&b'=') && from == line.len();
            if !soft {
                if from < shown.len() {
                    made.exact(self, at + from..at + shown.len());
                }
                if line.ends_with(b"\n") {
                    made.exact(self, end - 1..end);
                }
            }
            at = end;
        }
        made.finish()
    }

    /// RFC 2045 §6.8: each line that can be is decoded by itself, so that its text keeps its place.
    fn decode_base64(&self, range: Range<usize>) -> Source<'static> {
        let mut made = Builder::default();
        let mut at = range.start;
        let mut pending: Vec<u8> = Vec::new();
        let mut pending_from = at;
        for line in self.get(range).split_inclusive(|b| *b == b'\n') {
            let end = at + line.len();
            if pending.is_empty() {
                pending_from = at;
            }
            pending.extend(line.iter().filter(|b| is_base64(**b)));
            let whole = pending.len() - pending.len() % 4;
            let decoded = decode_quads(&pending[..whole]);
            made.push(self, &decoded, pending_from..end);
            pending.drain(..whole);
            at = end;
        }
        let decoded = decode_quads(&pending);
        made.push(self, &decoded, pending_from..at);
        made.finish()
    }

    /// The runs that make up a stretch, each with its place in the input.
    fn parts(&self, range: Range<usize>) -> impl Iterator<Item = (Range<usize>, Span)> + '_ {
        let first = self
            .runs
            .partition_point(|run| run.start <= range.start)
            .saturating_sub(1);
        (first..self.runs.len()).map_while(move |index| {
            let run = self.runs[index];
            let run_end = self
                .runs
                .get(index + 1)
                .map_or(self.bytes.len(), |next| next.start);
            let (from, to) = (run.start.max(range.start), run_end.min(range.end));
            if run.start >= range.end && run.start > range.start {
                return None;
            }
            let exact = run_end - run.start == run.origin.1 - run.origin.0;
            let origin = match exact {
                true => (
                    run.origin.0 + from.saturating_sub(run.start),
                    run.origin.0 + to.saturating_sub(run.start),
                ),
                false => run.origin,
            };
            Some((from..to.max(from), origin))
        })
    }

    /// Where a stretch stands in the input.
    pub(super) fn origin(&self, range: Range<usize>) -> Span {
        let mut span: Option<Span> = None;
        for (_, origin) in self.parts(range) {
            let from = span.map_or(origin.0, |s| s.0);
            span = Some((from, origin.1.max(from)));
        }
        span.unwrap_or_default()
    }

    /// A stretch as text.
    pub(super) fn words(&self, range: Range<usize>, charset: Option<&str>) -> Words {
        let mut words = Words::default();
        let mut at = range.start;
        let decoder = charset.and_then(|charset| charset_decoder(charset.as_bytes()));
        for line in self.get(range).split_inclusive(|b| *b == b'\n') {
            let here = at..at + line.len();
            at = here.end;
            // An escape begins a stretch of another charset (RFC 1468).
            let plain = line.is_ascii() && !line.contains(&0x1b);
            // It is told by its escape too, where a part names no charset: `ESC $ B`.
            let escaped =
                || memmem::find(line, b"\x1b$").and_then(|_| charset_decoder(b"iso-2022-jp"));
            let decoder = decoder.or_else(escaped);
            match (plain, std::str::from_utf8(line), decoder) {
                (true, _, _) | (_, Ok(_), None) => self.push_text(&mut words, here),
                (false, Ok(_), Some(_)) if !line.is_ascii() => self.push_text(&mut words, here),
                (false, _, Some(decode)) => words.push(&decode(line), self.origin(here)),
                (false, Err(_), None) => {
                    words.push(&String::from_utf8_lossy(line), self.origin(here));
                }
            }
        }
        words
    }

    /// Adds a line of UTF-8, each run with its own place; runs that end within a character go together.
    fn push_text(&self, words: &mut Words, range: Range<usize>) {
        let mut held: Option<(Range<usize>, Span)> = None;
        for (part, origin) in self.parts(range) {
            let (part, origin) = match held.take() {
                Some((before, first)) => (before.start..part.end, (first.0, origin.1)),
                None => (part, origin),
            };
            match std::str::from_utf8(self.get(part.clone())) {
                Ok(text) => words.push(text, origin),
                Err(_) => held = Some((part, origin)),
            }
        }
        if let Some((part, origin)) = held {
            words.push(&String::from_utf8_lossy(self.get(part)), origin);
        }
    }
}

/// Decoded bytes in the making.
#[derive(Default)]
struct Builder {
    bytes: Vec<u8>,
    runs: Vec<Run>,
    /// Whether the last run is of decoded bytes that more may join.
    escaped: bool,
}

impl Builder {
    /// Bytes as they stand.
    fn exact(&mut self, source: &Source<'_>, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        self.escaped = false;
        for (part, origin) in source.parts(range) {
            let run = Run {
                start: self.bytes.len(),
                origin,
            };
            self.bytes.extend_from_slice(source.get(part));
            self.runs.push(run);
        }
    }

    /// Bytes that a stretch stands for; escapes that follow each other are one run, since together
    /// they may be one character.
    fn push(&mut self, source: &Source<'_>, bytes: &[u8], range: Range<usize>) {
        if bytes.is_empty() {
            return;
        }
        let origin = source.origin(range);
        match self.runs.last_mut() {
            Some(last) if self.escaped && bytes.len() == 1 && last.origin.1 == origin.0 => {
                last.origin.1 = origin.1;
            }
            Some(_) | None => {
                let start = self.bytes.len();
                self.runs.push(Run { start, origin });
            }
        }
        self.escaped = bytes.len() == 1;
        self.bytes.extend_from_slice(bytes);
    }

    fn finish(self) -> Source<'static> {
        Source {
            bytes: Cow::Owned(self.bytes),
            runs: self.runs,
        }
    }
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let value = digit(digits[0])? * 16 + digit(digits[1])?;
    u8::try_from(value).ok()
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Groups of four characters, three bytes each; padding ends a group early.
fn decode_quads(quads: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(quads.len() / 4 * 3);
    for quad in quads.chunks(4) {
        let mut bits = 0_u32;
        let mut count = 0_u32;
        for byte in quad {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => break,
            };
            bits = bits << 6 | u32::from(value);
            count += 1;
        }
        if count < 2 {
            continue;
        }
        let aligned = (bits << (6 * (4 - count))).to_be_bytes();
        let whole = (count * 6 / 8) as usize;
        bytes.extend_from_slice(&aligned[1..=whole]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_printable_keeps_the_place_of_every_stretch() {
        let input = "Final-Recip=\r\nient: caf=C3=A9@b=20  \r\nend = x=";
        let source = Source::new(input.as_bytes(), 100);
        let decoded = source.decode(0..input.len(), Encoding::QuotedPrintable);
        let words = decoded.words(0..decoded.bytes().len(), Some("utf-8"));
        assert_eq!(words.text(), "Final-Recipient: café@b \nend = x");
        let at = words.text().find("ient").unwrap();
        assert_eq!(words.origin((at, at + 4)), Some((114, 118)));
        let at = words.text().find('é').unwrap();
        let (from, to) = words.origin((at, at + 2)).unwrap();
        assert_eq!(&input[from - 100..to - 100], "=C3=A9");
    }

    #[test]
    fn base64_keeps_the_place_of_every_line() {
        // "550 5.1.1 no such user" in two lines that are no multiple of four long.
        let input = "NTUwIDUuMS4x\r\nIG5vIHN1Y2ggd\r\nXNlcg==\r\n";
        let source = Source::new(input.as_bytes(), 10);
        let decoded = source.decode(0..input.len(), Encoding::Base64);
        let words = decoded.words(0..decoded.bytes().len(), None);
        assert_eq!(words.text(), "550 5.1.1 no such user");
        assert_eq!(words.origin((0, 3)), Some((10, 24)));
        let (from, to) = words.origin((10, 22)).unwrap();
        assert!(from >= 24 && to <= 10 + input.len());
    }

    #[test]
    fn other_charsets_are_decoded_line_by_line() {
        let input = b"caf\xe9\r\nfull\r\n";
        let source = Source::new(input, 0);
        let words = source.words(0..input.len(), Some("iso-8859-1"));
        assert_eq!(words.text(), "café\r\nfull\r\n");
        let at = words.text().find("full").unwrap();
        assert_eq!(words.origin((at, at + 4)), Some((6, 10)));
        let japanese = b"\x1b$B%f!<%6!<\x1b(B unknown\n";
        let source = Source::new(japanese, 0);
        let words = source.words(0..japanese.len(), Some("iso-2022-jp"));
        assert_eq!(words.text(), "ユーザー unknown\n");
        assert_eq!(source.words(0..japanese.len(), None), words);
    }
}
