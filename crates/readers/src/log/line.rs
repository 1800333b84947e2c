//! A line of a log, its parts and their places in the input.

use crate::{Span, Words};

use super::secrets;

/// A line, without its line end, and where it begins in the input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Line<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Line<'a> {
        Line { bytes, at }
    }

    /// The whole of it.
    pub(crate) fn span(&self) -> Span {
        (self.at, self.at + self.bytes.len())
    }

    /// Where a part of this line stands in the input.
    pub(crate) fn place(&self, part: &[u8]) -> Span {
        let from = part
            .as_ptr()
            .addr()
            .saturating_sub(self.bytes.as_ptr().addr())
            .min(self.bytes.len());
        let to = (from + part.len()).min(self.bytes.len());
        (self.at + from, self.at + to)
    }

    /// A part of this line as words, without what is secret in it.
    pub(crate) fn words(&self, part: &[u8]) -> Words {
        self.words_as(part, part)
    }

    /// The same, read as other bytes, one for each of the part.
    pub(crate) fn words_as(&self, part: &[u8], read: &[u8]) -> Words {
        let (at, _) = self.place(part);
        let mut words = Words::default();
        let mut from = 0;
        for (start, end) in secrets::find(read) {
            words.push_bytes(&read[from..start], at + from);
            words.push(secrets::HIDDEN, (at + start, at + end));
            from = end;
        }
        words.push_bytes(&read[from..], at + from);
        words
    }
}

/// What goes before a mark and what comes after it.
pub(crate) fn cut<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::find(text, mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// The same, at the last mark.
pub(crate) fn cut_last<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::rfind(text, mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// What stands between two marks.
pub(crate) fn between<'a>(text: &'a [u8], open: &[u8], close: &[u8]) -> Option<&'a [u8]> {
    let (_, rest) = cut(text, open)?;
    cut(rest, close).map(|(inner, _)| inner)
}

/// Whether a text begins with these words, whatever their case.
pub(crate) fn begins(text: &[u8], words: &[u8]) -> bool {
    text.get(..words.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(words))
}

/// Whether a text begins with one of these.
pub(crate) fn begins_any(text: &[u8], all: &[&str]) -> bool {
    all.iter().any(|words| begins(text, words.as_bytes()))
}

/// Whether a text holds one of these, as they are written.
pub(crate) fn holds_any(text: &[u8], all: &[&str]) -> bool {
    all.iter()
        .any(|words| memchr::memmem::find(text, words.as_bytes()).is_some())
}

/// Bytes as text, with what is none replaced.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An address without angle brackets; `None` where there is none.
pub(crate) fn address(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.trim_ascii();
    let bytes = bytes.strip_prefix(b"<").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b">").unwrap_or(bytes);
    (!bytes.is_empty()).then(|| text(bytes))
}

/// The domain of an address.
pub(crate) fn domain(address: &[u8]) -> Option<&str> {
    let at = memchr::memrchr(b'@', address)?;
    let domain = std::str::from_utf8(&address[at + 1..]).ok()?;
    let domain = domain.trim_end_matches(['>', '"', '.']);
    (!domain.is_empty()).then_some(domain)
}

/// `mx.example.org[192.0.2.1]:25`, `mx.example.org. [192.0.2.1]`: the name, or the address where
/// there is no name; nothing for `none` and `local`.
pub(crate) fn peer(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.trim_ascii();
    let end = memchr::memchr3(b'[', b' ', b'(', bytes).unwrap_or(bytes.len());
    let mut name = &bytes[..end];
    if name.is_empty() || name.eq_ignore_ascii_case(b"unknown") {
        name = between(bytes, b"[", b"]")?;
    }
    let name = name.strip_suffix(b".").unwrap_or(name);
    let none = [&b"none"[..], b"local", b"virtual", b"-", b""];
    (!none.contains(&name)).then(|| text(name))
}

/// Whether the text begins with a reply: three digits, the first of them 4 or 5, and no more.
pub(crate) fn is_refusal(text: &[u8]) -> bool {
    matches!(text, [b'4' | b'5', b'0'..=b'9', b'0'..=b'9', rest @ ..]
        if rest.first().is_none_or(|b| matches!(b, b' ' | b'-' | b':')))
}

/// The digits at the start, as a number.
pub(crate) fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(&text[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_called_by_its_name_or_else_its_address() {
        for (written, name) in [
            ("mx.example.org[192.0.2.1]:25", Some("mx.example.org")),
            ("mx.example.org. [192.0.2.1]", Some("mx.example.org")),
            ("[192.0.2.1]", Some("192.0.2.1")),
            ("unknown[192.0.2.1]:25", Some("192.0.2.1")),
            ("none", None),
            ("local", None),
            ("", None),
        ] {
            assert_eq!(peer(written.as_bytes()).as_deref(), name, "{written}");
        }
    }

    #[test]
    fn a_part_knows_its_place() {
        let line = Line::new(b"a=1 b=2", 100);
        assert_eq!(line.place(&line.bytes[4..]), (104, 107));
        assert_eq!(line.words(&line.bytes[4..]).text(), "b=2");
    }
}
