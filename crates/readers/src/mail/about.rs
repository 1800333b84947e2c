//! The message that a report is about, as far as the report gives it back.

use super::address;
use super::envelope;
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
    /// Who a server took it for (RFC 5321 §4.4, the `for` of Received).
    pub(super) taken_for: Option<String>,
    /// Who the provider that complains says it was for.
    pub(super) told_recipient: Option<String>,
    /// Whether it came by a mailing list: then it is to the list, not to the one that failed.
    pub(super) by_list: bool,
    /// The domains that signed it (`d=` of DKIM-Signature, RFC 6376 §3.5), with what is around them.
    pub(super) signed_by: String,
    /// The servers that took it on (the `by` of Received).
    pub(super) taken_by: Vec<String>,
    /// Its Received fields, in lower case.
    pub(super) received: String,
}

impl Returned {
    /// Who it was to, where only one can be meant.
    pub(super) fn likely_recipient(&self) -> Option<&str> {
        match (&self.taken_for, self.to.as_slice()) {
            (Some(one), _) => Some(one),
            (None, [one]) if !self.by_list => Some(one),
            (None, _) => None,
        }
    }
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
    let received: Vec<String> = header
        .all(source, "received")
        .map(|value| String::from_utf8_lossy(value).to_lowercase())
        .collect();
    let list = ["list-id", "list-unsubscribe", "list-post", "x-beenthere"];
    let bulk = field("precedence").is_some_and(|p| matches!(p.trim(), "list" | "bulk"));
    Returned {
        by_list: bulk || list.iter().any(|name| header.raw(source, name).is_some()),
        told_recipient: field("x-hmxmroriginalrecipient"),
        taken_for: received.first().and_then(|first| taken_for(first)),
        to: to.map(|address| address.text).collect(),
        about: About {
            message_id: field("message-id").and_then(|id| message_id(&id)),
            subject: field("subject"),
            from: field("from").and_then(|from| address::of_field(&from)),
        },
        signed_by: header
            .all(source, "dkim-signature")
            .map(|value| String::from_utf8_lossy(value).to_lowercase())
            .collect(),
        taken_by: header
            .all(source, "received")
            .filter_map(envelope::taken_by)
            .collect(),
        received: received.concat(),
    }
}

/// `by mx.example.org with ESMTP id 1 for <a@b>; Mon, …`
fn taken_for(received: &str) -> Option<String> {
    let after = received
        .split_once("for <")
        .or_else(|| received.split_once("for "))?
        .1;
    let first = after.split([';', '>']).next()?;
    let found = address::addresses(first);
    found.into_iter().next().map(|address| address.text)
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
