//! One message: what it is, and the failures that it reports.

use std::collections::HashSet;
use std::ops::Range;

use super::about;
use super::complaint;
use super::envelope::Envelope;
use super::event;
use super::failures::{self, Context};
use super::fields::Header;
use super::forward;
use super::html;
use super::parts::{Form, Part, is_cut_off, parts};
use super::source::Source;
use super::status;
use super::text::Text;
use super::words;
use crate::{Case, Note};

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
        return complaint::cases(&fields, &context);
    }
    if let Some(cases) = complaint::by_subject(&context) {
        return cases;
    }
    let texts = texts(source, &parts);
    let cut_off = is_cut_off(source, &header, range.end, &parts);
    if is_receipt(source, &parts) {
        return Vec::new();
    }
    if let Some(cases) = texts.first().and_then(|text| event::cases(text, &context)) {
        return cases;
    }
    let (mut cases, all_handled) = by_status(source, &parts, &texts, &context);
    if all_handled {
        return Vec::new();
    }
    if cases.is_empty() {
        cases = by_text(&texts, &context, false);
    }
    if cases.is_empty() && depth < DEEPEST {
        cases = forwarded(source, &parts, &texts, depth);
    }
    if cases.is_empty() {
        cases = by_text(&texts, &context, true);
    }
    if cut_off {
        cases
            .iter_mut()
            .for_each(|case| case.notes.push(Note::CutOff));
    }
    cases
}

/// The fields of a delivery status in parts of their own, and whether they report only successes.
fn by_status(
    source: &Source<'_>,
    parts: &[Part],
    texts: &[Text],
    context: &Context<'_>,
) -> (Vec<Case>, bool) {
    let mut cases = Vec::new();
    let mut recipients = 0;
    for part in parts.iter().filter(|part| part.form == Form::Status) {
        let fields = text_of(source, part, LONGEST_STATUS);
        let report = status::read(&fields, 0..fields.len());
        recipients += report.recipients.len();
        cases.extend(failures::of_report(report, texts, context));
    }
    without_repeats(&mut cases);
    let all_handled = cases.is_empty() && recipients > 0;
    (cases, all_handled)
}

/// A loop of aliases reports a recipient once for each round: what is said of one again is dropped.
fn without_repeats(cases: &mut Vec<Case>) {
    let mut said = HashSet::new();
    cases.retain(|case| {
        let address = |address: &Option<String>| address.as_ref().map(|a| a.to_ascii_lowercase());
        let reply = case.reply.map(|reply| reply.value);
        let status = case.status.map(|status| status.value.to_string());
        let words = case.words.text().to_owned();
        let who = (address(&case.recipient), address(&case.original_recipient));
        who.0.is_none() || said.insert((who, reply, status, words))
    });
}

/// Whether it is a receipt (RFC 8098): "read", or deleted unread. Some mailbox servers refuse a message
/// with one; then its text says so.
fn is_receipt(source: &Source<'_>, parts: &[Part]) -> bool {
    let Some(part) = parts.iter().find(|part| part.form == Form::Receipt) else {
        return false;
    };
    let fields = text_of(source, part, LONGEST_TEXT);
    let lower = fields.as_str().to_ascii_lowercase();
    !(lower.contains("automatic-action") && lower.contains("deleted"))
}

/// What the text says: fields that were pasted into it, or words.
fn by_text(texts: &[Text], context: &Context<'_>, vague: bool) -> Vec<Case> {
    for text in texts {
        let cases = words::cases(text, context, vague);
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
        let whole = forward::whole_message(text).map(|words| {
            let inner = Source::of_words(&words);
            read(&inner, 0..inner.bytes().len(), depth + 1)
        });
        if let Some(mut cases) = whole.filter(|cases| !cases.is_empty()) {
            cases.iter_mut().for_each(forward::count);
            return cases;
        }
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
