//! Header fields (RFC 5322 §2.2) and the fields of a report (RFC 3464 §2.1).

use std::ops::Range;

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::source::Source;

/// A header: the fields, and where the body begins.
#[derive(Clone, Debug, Default)]
pub(super) struct Header {
    fields: Vec<Field>,
    /// Where the body begins.
    pub(super) body: usize,
}

/// `Name: value`, with the lines that go on from it.
#[derive(Clone, Debug)]
struct Field {
    name: Range<usize>,
    value: Range<usize>,
}

impl Header {
    /// Reads the header that a stretch begins with. It ends at an empty line, or at a line that is no
    /// field: what is pasted or broken lacks the empty line.
    pub(super) fn read(source: &Source<'_>, range: Range<usize>) -> Header {
        let mut header = Header::default();
        let mut at = range.start;
        for line in source.get(range.clone()).split_inclusive(|b| *b == b'\n') {
            let end = at + line.len();
            let shown = line.trim_ascii_end();
            if shown.is_empty() {
                header.body = end;
                return header;
            }
            match (shown[0], name_length(shown)) {
                (b' ' | b'\t', _) => {
                    if let Some(last) = header.fields.last_mut() {
                        last.value.end = at + shown.len();
                    }
                }
                (_, Some(length)) => header.fields.push(Field {
                    name: at..at + length,
                    value: at + length + 1..at + shown.len(),
                }),
                // The line that a mailbox or a spool puts before the header.
                _ if shown.starts_with(b"From ") || shown.starts_with(b">From ") => {}
                _ => {
                    header.body = at;
                    return header;
                }
            }
            at = end;
        }
        header.body = range.end;
        header
    }

    /// Whether there is any field at all.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The value of the first field of this name, as it stands.
    pub(super) fn raw<'s>(&self, source: &'s Source<'_>, name: &str) -> Option<&'s [u8]> {
        self.all(source, name).next()
    }

    /// The values of all fields of this name.
    pub(super) fn all<'s>(
        &self,
        source: &'s Source<'_>,
        name: &str,
    ) -> impl Iterator<Item = &'s [u8]> {
        let named = move |field: &&Field| {
            source
                .get(field.name.clone())
                .eq_ignore_ascii_case(name.as_bytes())
        };
        self.fields
            .iter()
            .filter(named)
            .map(|field| source.get(field.value.clone()))
    }

    /// The value of the first field of this name, unfolded and decoded (RFC 2047).
    pub(super) fn text(&self, source: &Source<'_>, name: &str) -> Option<String> {
        self.raw(source, name).and_then(decoded)
    }
}

/// The length of the name that a line begins with, where it is a field.
pub(super) fn name_length(line: &[u8]) -> Option<usize> {
    let length = line
        .iter()
        .take_while(|b| b.is_ascii_graphic() && **b != b':')
        .count();
    // RFC 5322 §4.5.8: old mail has space before the colon; we take a field for one only without.
    (length > 0 && length <= 76 && line.get(length) == Some(&b':')).then_some(length)
}

/// The text of a field, unfolded, with its encoded words decoded.
pub(super) fn decoded(value: &[u8]) -> Option<String> {
    let trimmed = value.trim_ascii();
    if trimmed.is_empty() {
        return None;
    }
    let encoded = memchr::memmem::find(trimmed, b"=?").is_some();
    let folded = memchr::memchr(b'\n', trimmed).is_some();
    if !encoded && !folded {
        return Some(String::from_utf8_lossy(trimmed).into_owned());
    }
    let mut line = trimmed.to_vec();
    line.push(b'\n');
    match MessageStream::new(&line).parse_unstructured() {
        HeaderValue::Text(text) => Some(text.trim().to_owned()),
        _ => None,
    }
}
