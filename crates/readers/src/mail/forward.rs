//! Reports in forwards: "look what I got".

use super::about::Returned;
use super::address::addresses;
use super::envelope::Envelope;
use super::failures::Context;
use super::kinds;
use super::text::Text;
use super::words;
use crate::{Case, Note, Words};

/// Counts one more forward around a case.
pub(super) fn count(case: &mut Case) {
    for note in &mut case.notes {
        if let Note::Forwarded(times) = note {
            *times += 1;
            return;
        }
    }
    case.notes.push(Note::Forwarded(1));
}

/// A message that stands in a text with its whole header, to its end.
pub(super) fn whole_message(text: &Text) -> Option<Words> {
    let first = (0..text.len()).find(|number| kinds::is_header(text, *number, text.len()))?;
    Some(text.slice(text.start(first)..text.as_str().len()))
}

/// The names of the fields that mail programs put above a forwarded text, in their languages.
const FROM: &[&str] = &["from", "von", "van", "de", "da", "från", "fra", "от"];
const SUBJECT: &[&str] = &[
    "subject",
    "betreff",
    "onderwerp",
    "objet",
    "asunto",
    "oggetto",
    "assunto",
    "ämne",
    "emne",
    "тема",
];
const TO: &[&str] = &["to", "an", "aan", "à", "para", "a", "till", "til", "кому"];

/// The cases of reports that are forwarded within a text: below a block of From, To and Subject.
pub(super) fn in_text(text: &Text) -> Vec<Case> {
    let text = unquoted(text);
    let mut from = 0;
    let mut times = 0;
    while let Some((envelope, body)) = block(&text, from) {
        from = body;
        times += 1;
        if times > 8 {
            break;
        }
        let context = Context {
            envelope: &envelope,
            about: Returned::default(),
        };
        let rest = Text::new(text.slice(text.start(body)..text.as_str().len()));
        let mut cases = words::cases(&rest, &context, false);
        if !cases.is_empty() {
            for case in &mut cases {
                case.notes.push(Note::Forwarded(times));
            }
            return cases;
        }
    }
    Vec::new()
}

/// The next block of fields at or after a line, and where the text below it begins.
fn block(text: &Text, from: usize) -> Option<(Envelope, usize)> {
    (from..text.len()).find_map(|first| {
        named(text.line(first), FROM)?;
        let mut envelope = Envelope::default();
        let mut number = first;
        let mut fields = 0;
        while number < text.len() && number < first + 12 {
            let line = text.line(number);
            if line.is_empty() {
                break;
            }
            if let Some(value) = named(line, FROM) {
                envelope.from = value.to_owned();
                fields += 1;
            } else if let Some(value) = named(line, SUBJECT) {
                envelope.subject = value.to_owned();
                fields += 1;
            } else if let Some(value) = named(line, TO) {
                envelope.to = addresses(value).into_iter().map(|a| a.text).collect();
                fields += 1;
            }
            number += 1;
        }
        (fields >= 2).then_some((envelope, number))
    })
}

/// The value of a line that is one of these fields; `*From:*` too.
fn named<'t>(line: &'t str, names: &[&str]) -> Option<&'t str> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_matches([' ', '*', '\t']);
    if name.len() > 12 {
        return None;
    }
    let lower = name.to_lowercase();
    names
        .contains(&lower.as_str())
        .then(|| value.trim_matches([' ', '*', '\t']))
}

/// The text without the `> ` that most of its lines begin with.
fn unquoted(text: &Text) -> Text {
    let quoted = (0..text.len())
        .filter(|number| text.line(*number).starts_with('>'))
        .count();
    if quoted * 2 <= text.len() {
        return text.clone();
    }
    let mut words = Words::default();
    for number in 0..text.len() {
        let line = text.line(number);
        let shown = line.trim_start_matches(['>', ' ']);
        words.append_as_is(&text.words(number, line.len() - shown.len()..line.len()));
        words.line_end();
    }
    Text::new(words)
}
