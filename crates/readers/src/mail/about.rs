//! The message that a report is about, as far as the report gives it back.

use super::address;
use super::fields::Header;
use super::parts::{Form, Part};
use super::source::Source;
use crate::About;

/// What was returned.
#[derive(Clone, Debug, Default)]
pub(super) struct Returned {
    pub(super) about: About,
    /// Who it was to.
    pub(super) to: Vec<String>,
    /// Who it was sent by, by its return path.
    pub(super) return_path: Option<String>,
    /// The names of servers in its Received fields.
    pub(super) received: String,
}

/// So much of what was returned is looked at: its header.
const HEADER: usize = 64 * 1024;

/// The message in the last part that holds one.
pub(super) fn of_parts(source: &Source<'_>, parts: &[Part]) -> Returned {
    let holds_one = |part: &&Part| matches!(part.form, Form::Message | Form::Headers);
    let Some(part) = parts.iter().rev().find(holds_one) else {
        return Returned::default();
    };
    let end = part.body.end.min(part.body.start + HEADER);
    let inner = source.decode(part.body.start..end, part.encoding);
    of_source(&inner)
}

/// The message in a text, whose header begins after a line that announces it.
pub(super) fn of_text(text: &str) -> Returned {
    let end = (0..=text.len().min(HEADER))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or_default();
    let mut rest = &text[..end];
    for _ in 0..6 {
        let source = Source::new(rest.as_bytes(), 0);
        let returned = of_source(&source);
        if returned.about != About::default() {
            return returned;
        }
        match rest.split_once('\n') {
            Some((_, next)) => rest = next,
            None => break,
        }
    }
    Returned::default()
}

fn of_source(source: &Source<'_>) -> Returned {
    let length = source.bytes().len();
    let lead = length - source.bytes().trim_ascii_start().len();
    let header = Header::read(source, lead..length);
    if header.is_empty() {
        return Returned::default();
    }
    let field = |name: &str| header.text(source, name);
    let to = ["to", "cc", "x-original-to"]
        .iter()
        .filter_map(|name| field(name))
        .flat_map(|value| address::addresses(&value));
    let received = header.all(source, "received");
    Returned {
        to: to.map(|address| address.text).collect(),
        about: About {
            message_id: field("message-id").and_then(|id| message_id(&id)),
            subject: field("subject"),
            from: field("from").and_then(|from| address::of_field(&from)),
        },
        return_path: field("return-path").and_then(|path| address::of_field(&path)),
        received: received
            .map(|value| String::from_utf8_lossy(value).to_lowercase())
            .collect(),
    }
}

/// RFC 5322 §3.6.4, without angle brackets.
fn message_id(value: &str) -> Option<String> {
    let inner = value
        .split_once('<')
        .map_or(value, |(_, rest)| {
            rest.split('>').next().unwrap_or_default()
        })
        .trim();
    (!inner.is_empty()).then(|| inner.to_owned())
}
