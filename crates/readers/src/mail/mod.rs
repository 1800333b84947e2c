//! Mail: bounces in every form, complaints, and mailboxes of them.
//!
//! A mail is read from the plainest evidence to the least: the fields of a delivery status in a part
//! ([`status`]), the same fields in its text, and then the words of the text ([`words`]). Only where
//! none of these reports a failure are the messages read that it holds: then it may be a forward of a
//! report ([`forward`]).

mod about;
mod address;
mod backscatter;
mod blocks;
mod complaint;
mod envelope;
mod event;
mod failures;
mod fields;
mod forward;
mod html;
mod kinds;
mod mailbox;
mod message;
mod parts;
mod shapes;
mod source;
mod status;
mod step;
mod text;
mod words;

pub(crate) use mailbox::message_end;
pub(crate) use text::Text;

use crate::{Case, Words};
use source::Source;

/// Reads one mail, which begins at `at` in the input: a case for each recipient that failed.
pub(crate) fn read(message: &[u8], at: usize, cases: &mut Vec<Case>) {
    // Line ends of old Macs: no `\n` anywhere.
    let bare_returns =
        memchr::memchr(b'\r', message).is_some() && memchr::memchr(b'\n', message).is_none();
    let source = if bare_returns {
        let lines = message.iter().map(|b| if *b == b'\r' { b'\n' } else { *b });
        Source::rewritten(lines.collect(), at)
    } else {
        Source::new(message, at)
    };
    let mut found = message::read(&source, 0..message.len(), 0);
    for case in &mut found {
        case.span = (at, at + message.len());
    }
    cases.append(&mut found);
}

/// Reads words that were pasted without the header of the mail that they come from; false where they
/// are no report.
pub(crate) fn read_body(input: &[u8], cases: &mut Vec<Case>) -> bool {
    let mut words = Words::default();
    words.push_bytes(input, 0);
    let text = Text::new(words);
    let mut found = words::pasted(&text);
    for case in &mut found {
        case.span = (0, input.len());
    }
    let any = !found.is_empty();
    cases.append(&mut found);
    any
}
