//! One message: what it is, and the failures that it reports.

use std::ops::Range;

use super::about;
use super::complaint;
use super::envelope::Envelope;
use super::failures::{self, Context};
use super::fields::Header;
use super::forward;
use super::html;
use super::parts::{Form, Part, parts};
use super::source::Source;
use super::status;
use super::text::Text;
use super::words;
use crate::Case;

/// So deep are forwards unwrapped.
const DEEPEST: u32 = 4;
/// So much of a text is read: what comes later is no report.
const LONGEST_TEXT: usize = 1024 * 1024;
/// So much of the fields of a report is read: some ten thousand recipients.
const LONGEST_STATUS: usize = 8 * 1024 * 1024;

/// The cases in a message; `depth` counts the forwards around it.
pub(super) fn read(source: &Source<'_>, range: Range<usize>, depth: u32) -> Vec<Case> {
    let header = Header::read(source, range.clone());
    let envelope = Envelope::of_header(source, &header);
    let parts = parts(source, &header, range.end);
    let context = Context {
        envelope: &envelope,
        about: about::of_parts(source, &parts),
    };
    if let Some(part) = parts.iter().find(|part| part.form == Form::Complaint) {
        let fields = text_of(source, part, LONGEST_STATUS);
        return vec![complaint::case(&fields, &context)];
    }
    if parts.iter().any(|part| part.form == Form::Receipt) {
        return Vec::new();
    }
    let texts = texts(source, &parts);
    let mut cases = by_status(source, &parts, &texts, &context);
    if cases.is_empty() {
        cases = by_text(&texts, &context);
    }
    if cases.is_empty() && depth < DEEPEST {
        cases = forwarded(source, &parts, &texts, depth);
    }
    cases
}

/// The fields of a delivery status in parts of their own.
fn by_status(
    source: &Source<'_>,
    parts: &[Part],
    texts: &[Text],
    context: &Context<'_>,
) -> Vec<Case> {
    let mut cases = Vec::new();
    for part in parts.iter().filter(|part| part.form == Form::Status) {
        let fields = text_of(source, part, LONGEST_STATUS);
        let report = status::read(&fields, 0..fields.len());
        cases.extend(failures::of_report(report, texts, context));
    }
    cases
}

/// What the text says: fields that were pasted into it, or words.
fn by_text(texts: &[Text], context: &Context<'_>) -> Vec<Case> {
    for text in texts {
        let cases = words::cases(text, context);
        if !cases.is_empty() {
            return cases;
        }
    }
    Vec::new()
}

/// What is forwarded: messages in parts, or in the text.
fn forwarded(source: &Source<'_>, parts: &[Part], texts: &[Text], depth: u32) -> Vec<Case> {
    for part in parts.iter().filter(|part| part.form == Form::Message) {
        let inner = source.decode(part.body.clone(), part.encoding);
        let mut cases = read(&inner, 0..inner.bytes().len(), depth + 1);
        if !cases.is_empty() {
            cases.iter_mut().for_each(forward::count);
            return cases;
        }
    }
    for text in texts {
        let cases = forward::in_text(text);
        if !cases.is_empty() {
            return cases;
        }
    }
    Vec::new()
}

/// The texts for people, those in plain text first; HTML counts where there is no other.
fn texts(source: &Source<'_>, parts: &[Part]) -> Vec<Text> {
    let of = |form: Form| parts.iter().filter(move |part| part.form == form);
    let mut texts: Vec<Text> = of(Form::Text)
        .map(|part| text_of(source, part, LONGEST_TEXT))
        .filter(|text| !text.as_str().trim().is_empty())
        .collect();
    texts.extend(of(Form::Html).map(|part| text_of(source, part, LONGEST_TEXT)));
    texts
}

fn text_of(source: &Source<'_>, part: &Part, longest: usize) -> Text {
    let end = part.body.end.min(part.body.start + longest);
    let decoded = source.decode(part.body.start..end, part.encoding);
    let words = decoded.words(0..decoded.bytes().len(), part.charset.as_deref());
    Text::new(match part.form {
        Form::Html => html::text(&words),
        _ => words,
    })
}
