//! Lines of JSON: whose they are, and where their strings stand.

use crate::{Span, Words};

use super::fields::quoted;
use super::line::{Line, holds_any};
use super::out::{Entry, Out};
use super::{kumomta, postrider, secrets};

/// Whether this is a line of JSON that is known here.
pub(crate) fn is_line(line: &[u8]) -> bool {
    kumomta::is_record(line)
        || holds_any(
            line,
            &["\"message\":\"not delivered\"", "\"message\":\"delivered\""],
        )
        || (line.starts_with(b"{\"timestamp\":\"") && holds_any(line, &["\"level\":\""]))
}

pub(crate) fn read(entry: &Entry<'_>, out: &mut Out<'_>) {
    if kumomta::is_record(entry.text) {
        kumomta::read(entry, out);
    } else {
        postrider::read_json(entry, out);
    }
}

/// The place of the value of a key in a line of JSON: of what is between the quotes of a string, else
/// of as much as is one number or opens one object.
pub(crate) fn place(line: Line<'_>, key: &str) -> Option<Span> {
    let mut mark = Vec::with_capacity(key.len() + 3);
    mark.push(b'"');
    mark.extend_from_slice(key.as_bytes());
    mark.extend_from_slice(b"\":");
    let at = memchr::memmem::find(line.bytes, &mark)? + mark.len();
    let rest = line.bytes.get(at..)?;
    let rest = rest.trim_ascii_start();
    let value = match rest.first()? {
        b'"' => {
            let inner = &rest[1..];
            &inner[..quoted(inner).min(inner.len())]
        }
        b'{' => &rest[..memchr::memchr(b'}', rest).map_or(rest.len(), |end| end + 1)],
        _ => {
            let end = rest
                .iter()
                .take_while(|b| b.is_ascii_alphanumeric())
                .count();
            &rest[..end]
        }
    };
    Some(line.place(value))
}

/// The words of a string: byte for byte where it has no escapes, else all of it for all of it.
pub(crate) fn words(line: Line<'_>, key: &str, value: &str) -> Words {
    let range = line.bytes.as_ptr_range();
    // What has no escapes is a part of the line itself.
    if range.contains(&value.as_ptr()) {
        return line.words(value.as_bytes());
    }
    let mut shown = String::new();
    let mut from = 0;
    for (start, end) in secrets::find(value.as_bytes()) {
        shown.push_str(value.get(from..start).unwrap_or_default());
        shown.push_str(secrets::HIDDEN);
        from = end;
    }
    shown.push_str(value.get(from..).unwrap_or_default());
    // The lines of a reply are one text.
    let shown = shown.replace("\r\n", " ").replace(['\n', '\r'], " ");
    let mut words = Words::default();
    words.push(&shown, place(line, key).unwrap_or(line.span()));
    words
}
