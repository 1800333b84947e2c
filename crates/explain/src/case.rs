//! A case that was read somewhere, in words: what was pasted, what it means, what to do.

use diagnosis::{Cause, Diagnosis, Finality, Hint, Limit, ReadAs, codes};
use readers::{Case, Kind, Note};
use smtp::EnhancedStatus;

use crate::explanation::{advice, headline, meaning};
use crate::words::{plain, say};
use crate::{Explanation, Lang, time};

/// Puts a case into words.
#[must_use]
pub fn explain_case(case: &Case, diagnosis: &Diagnosis, lang: Lang) -> Explanation {
    let (title, what) = match bare(case) {
        Some(read_as) => of_code(read_as, diagnosis, lang),
        None => (
            headline(diagnosis.cause, lang),
            meaning(diagnosis.cause, lang),
        ),
    };
    if case.is_success() {
        return Explanation {
            lang,
            headline: title,
            what,
            who: plain(lang, "who-nobody"),
            next: plain(lang, "class-2.what"),
            do_: Vec::new(),
        };
    }
    Explanation {
        lang,
        headline: title,
        what,
        who: plain(lang, crate::explanation::who(diagnosis.responsible)),
        next: what_next(case, diagnosis, lang),
        do_: advice(diagnosis, diagnosis.finality == Finality::Permanent, lang),
    }
}

/// What a bare code is taken for first.
fn bare(case: &Case) -> Option<ReadAs> {
    case.readings().first().map(|reading| reading.read_as)
}

/// The headline and the meaning of a code by itself: what the registry or the page says, and the
/// likeliest causes.
pub(crate) fn of_code(read_as: ReadAs, diagnosis: &Diagnosis, lang: Lang) -> (String, String) {
    let texts = code_key(read_as);
    let Some(texts) = texts else {
        return (
            headline(diagnosis.cause, lang),
            meaning(diagnosis.cause, lang),
        );
    };
    let title = plain(lang, &texts);
    let mut what = plain(lang, &format!("{texts}.what"));
    let mut likely: Vec<Cause> = vec![diagnosis.cause];
    likely.extend(
        diagnosis
            .alternatives
            .iter()
            .filter(|a| a.confidence >= 0.05)
            .map(|a| a.cause),
    );
    likely.retain(|cause| *cause != Cause::CannotTell);
    likely.truncate(4);
    if likely.len() > 1 || diagnosis.cause == Cause::CannotTell {
        let causes: Vec<String> = likely
            .iter()
            .map(|c| uncapitalised(&headline(*c, lang)))
            .collect();
        if !causes.is_empty() {
            what.push(' ');
            what.push_str(&say(
                lang,
                "case-likely",
                &[("causes", (&causes.join("; ")).into())],
            ));
        }
    }
    (title, what)
}

/// A headline in the middle of a sentence.
fn uncapitalised(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        // `DNS …` stays.
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    }
}

/// The key of a code's texts: those of the page of fifteen, else those of the registry.
pub(crate) fn code_key(read_as: ReadAs) -> Option<String> {
    if let Some(page) = read_as.page() {
        let (class, subject, detail) = page.dotted;
        return Some(format!("page-{class}-{subject}-{detail}"));
    }
    match read_as {
        ReadAs::Both(_, status) | ReadAs::Status(status) => of_registry(status),
        ReadAs::Reply(code) => codes::reply(code).map(|_| format!("reply-{code}")),
    }
}

fn of_registry(status: EnhancedStatus) -> Option<String> {
    match codes::enhanced(status) {
        Some(_) => Some(format!("status-{}-{}", status.subject, status.detail)),
        None if status.subject <= 7 => Some(format!("subject-{}", status.subject)),
        None => None,
    }
}

/// Whether the mail is lost, and what comes next.
fn what_next(case: &Case, diagnosis: &Diagnosis, lang: Lang) -> String {
    if case.kind == Kind::Complaint {
        return plain(lang, "case-next-complaint");
    }
    let known = case.ended.is_some() || diagnosis.cause.ends_the_message();
    let mut next = plain(
        lang,
        match (diagnosis.finality, known) {
            (Finality::Permanent, true) => "case-next-given-up",
            (Finality::Transient, true) => "case-next-trying",
            (Finality::Permanent, false) => "class-5.what",
            (Finality::Transient, false) => "class-4.what",
            (Finality::Unknown, _) => "case-next-unknown",
        },
    );
    match diagnosis.hint {
        Some(Hint::RetryAfter(wait)) if diagnosis.finality != Finality::Permanent => {
            next.push(' ');
            let span = time::span(wait.as_secs(), lang);
            next.push_str(&say(lang, "case-next-asked", &[("wait", (&span).into())]));
        }
        Some(Hint::RetryAfter(_) | Hint::DoNotRetry) | None => {}
    }
    next
}

/// What a limit is of, how many, and in how many seconds where it is a rate.
pub(crate) fn limit_parts(limit: &Limit) -> (&'static str, u64, Option<u64>) {
    match *limit {
        Limit::MessageBytes(count) => ("message-bytes", count, None),
        Limit::Recipients(count) => ("recipients", count, None),
        Limit::Connections(count) => ("connections", count, None),
        Limit::Messages { count, seconds } => ("messages", count, Some(seconds)),
        Limit::RecipientsInTime { count, seconds } => ("recipients-in-time", count, Some(seconds)),
    }
}

/// A limit in words.
pub(crate) fn limit(limit: &Limit, lang: Lang) -> String {
    let (of, count, seconds) = limit_parts(limit);
    let span = time::span(seconds.unwrap_or_default(), lang);
    let values = [("n", count.into()), ("span", (&span).into())];
    say(lang, &format!("case-limit-{of}"), &values)
}

/// A remark in words.
pub(crate) fn note(note: &Note, lang: Lang) -> String {
    match note {
        Note::Backscatter => plain(lang, "case-note-backscatter"),
        Note::Forwarded(n) => say(lang, "case-note-forwarded", &[("n", (*n).into())]),
        Note::ForwardedFrom(address) => {
            let address = crate::layout::safe(address);
            say(
                lang,
                "case-note-forwarded-from",
                &[("address", (&address).into())],
            )
        }
        Note::BrokenReport(_) => plain(lang, "case-note-broken"),
        Note::DelayNotice => plain(lang, "case-note-delay"),
        Note::CutOff => plain(lang, "case-note-cut"),
    }
}

/// The name of a remark in JSON.
pub(crate) fn note_id(note: &Note) -> &'static str {
    match note {
        Note::Backscatter => "backscatter",
        Note::Forwarded(_) => "forwarded",
        Note::ForwardedFrom(_) => "forwarded-from",
        Note::BrokenReport(_) => "broken-report",
        Note::DelayNotice => "delay-notice",
        Note::CutOff => "cut-off",
    }
}

/// What a reading of a bare code is called.
pub(crate) fn reading_name(read_as: ReadAs, lang: Lang) -> String {
    match read_as {
        ReadAs::Reply(code) => say(
            lang,
            "case-read-reply",
            &[("code", (&code.to_string()).into())],
        ),
        ReadAs::Status(status) => say(
            lang,
            "case-read-status",
            &[("code", (&status.to_string()).into())],
        ),
        ReadAs::Both(code, status) => say(
            lang,
            "case-read-both",
            &[
                ("reply", (&code.to_string()).into()),
                ("code", (&status.to_string()).into()),
            ],
        ),
    }
}

/// The title in the standard of what a code is read as, with its source.
pub(crate) fn standard(read_as: ReadAs) -> Option<(&'static str, &'static str)> {
    match read_as {
        ReadAs::Status(status) | ReadAs::Both(_, status) => {
            codes::enhanced(status).map(|row| (row.title, row.standard))
        }
        ReadAs::Reply(code) => codes::reply(code).map(|row| (row.title, row.standard)),
    }
}

/// That an input holds no failure.
#[must_use]
pub fn nothing_found(source: &str, lang: Lang) -> String {
    say(lang, "case-none", &[("source", source.into())])
}
