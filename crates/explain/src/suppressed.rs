//! Why nothing is sent to an address, in words.

use queue::{Suppressed, SuppressionReason, SuppressionSource};

use crate::explanation::headline;
use crate::layout::safe;
use crate::words::{plain, say};
use crate::{Lang, time};

/// Why an address is on the list, and who told so.
#[must_use]
pub fn suppressed(entry: &Suppressed, lang: Lang) -> String {
    match &entry.reason {
        SuppressionReason::Administrator { note } if note.is_empty() => {
            plain(lang, "suppressed-administrator")
        }
        SuppressionReason::Administrator { note } => {
            let note = safe(note);
            say(
                lang,
                "suppressed-administrator-note",
                &[("note", (&note).into())],
            )
        }
        SuppressionReason::Failed {
            cause,
            message,
            source,
            report,
            words: _,
        } => {
            let key = match source {
                SuppressionSource::Delivery => "suppressed-delivery",
                SuppressionSource::Bounce => "suppressed-bounce",
                SuppressionSource::Complaint => "suppressed-complaint",
            };
            let report = report.map(|id| id.to_string()).unwrap_or_default();
            let (message, why) = (message.to_string(), headline(*cause, lang));
            let args = [
                ("headline", (&why).into()),
                ("message", (&message).into()),
                ("report", (&report).into()),
            ];
            say(lang, key, &args)
        }
    }
}

/// The words that it rests on, and since and until when, each a sentence.
#[must_use]
pub fn suppressed_details(entry: &Suppressed, lang: Lang) -> Vec<String> {
    let mut lines = Vec::new();
    if let SuppressionReason::Failed {
        words: Some(words), ..
    } = &entry.reason
    {
        let words = safe(words);
        lines.push(say(lang, "suppressed-words", &[("words", (&words).into())]));
    }
    lines.push(suppressed_times(entry, lang));
    lines
}

/// Since and until when.
#[must_use]
pub fn suppressed_times(entry: &Suppressed, lang: Lang) -> String {
    let since = time::moment(entry.since);
    let since = say(lang, "suppressed-since", &[("since", (&since).into())]);
    let until = match entry.until {
        Some(until) => {
            let until = time::moment(until);
            say(lang, "suppressed-until", &[("until", (&until).into())])
        }
        None => plain(lang, "suppressed-for-ever"),
    };
    format!("{since}, {until}")
}
