//! A case on a terminal, or in a file.

use diagnosis::{Cause, Diagnosis};
use readers::{Case, Kind};

use crate::case::{code_key, explain_case, limit, note, of_code, reading_name, standard};
use crate::case_json::command;
use crate::explanation::headline;
use crate::layout::{WIDTH, paragraph, safe};
use crate::words::{plain, say};
use crate::{Explanation, Lang};

/// How text may be set off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Not at all: for files and pipes.
    Plain,
    /// By ANSI sequences: for terminals.
    Ansi,
}

impl Style {
    pub(crate) fn bold(self, text: &str) -> String {
        match self {
            Style::Plain => text.to_owned(),
            Style::Ansi => format!("\u{1b}[1m{text}\u{1b}[0m"),
        }
    }

    pub(crate) fn dim(self, text: &str) -> String {
        match self {
            Style::Plain => text.to_owned(),
            Style::Ansi => format!("\u{1b}[2m{text}\u{1b}[0m"),
        }
    }
}

/// A case in words, as paragraphs.
#[must_use]
pub fn case_text(case: &Case, diagnosis: &Diagnosis, lang: Lang, style: Style) -> String {
    let explanation = explain_case(case, diagnosis, lang);
    let mut out = String::new();
    let title = match (&case.recipient, spelled(case)) {
        (Some(address), _) => format!("{}: {}", safe(address), explanation.headline),
        (None, Some(code)) => format!("{code}: {}", explanation.headline),
        (None, None) => explanation.headline.clone(),
    };
    out.push_str(&style.bold(&title));
    out.push('\n');
    let rows = rows(case, diagnosis, &explanation, lang);
    let width = rows
        .iter()
        .map(|row| row.0.chars().count())
        .max()
        .unwrap_or_default();
    for (label, texts) in &rows {
        for (number, text) in texts.iter().enumerate() {
            let label = if number == 0 { label.as_str() } else { "" };
            let first = format!("  {label:<width$}  ");
            let mut one = String::new();
            paragraph(&mut one, &first, text, WIDTH);
            match label.is_empty() {
                true => out.push_str(&one),
                false => out.push_str(&one.replacen(label, &style.dim(label), 1)),
            }
        }
    }
    out
}

/// The code of a case, as it stands in the input.
fn spelled(case: &Case) -> Option<String> {
    match (case.reply, case.status) {
        (Some(reply), Some(status)) => Some(format!("{} {}", reply.value, status.value)),
        (Some(reply), None) => Some(reply.value.to_string()),
        (None, Some(status)) => Some(status.value.to_string()),
        (None, None) => None,
    }
}

type Row = (String, Vec<String>);

fn rows(case: &Case, diagnosis: &Diagnosis, explanation: &Explanation, lang: Lang) -> Vec<Row> {
    let label = |key: &str| plain(lang, key);
    let mut rows: Vec<Row> = vec![
        (label("story-what"), vec![explanation.what.clone()]),
        (label("story-who"), vec![explanation.who.clone()]),
        (label("story-next"), vec![explanation.next.clone()]),
    ];
    rows.push((
        label("story-do"),
        explanation
            .do_
            .iter()
            .map(|text| format!("- {text}"))
            .collect(),
    ));
    if let Some(sender) = for_the_sender(case, lang) {
        rows.push((label("case-sender"), vec![sender]));
    }
    rows.push((label("case-said"), said(case, lang)));
    let limits = diagnosis.limits.iter().map(|one| limit(one, lang));
    rows.push((label("case-limit"), limits.collect()));
    if case.is_success() {
        rows.retain(|(_, texts)| !texts.is_empty());
        return rows;
    }
    rows.push((label("case-sure"), vec![sure(case, diagnosis, lang)]));
    rows.push((label("case-other-reading"), other_readings(case, lang)));
    rows.push((label("case-check"), checks(case, diagnosis, lang)));
    rows.push((
        label("case-note"),
        case.notes.iter().map(|one| note(one, lang)).collect(),
    ));
    rows.retain(|(_, texts)| !texts.is_empty());
    rows
}

/// What a good sending server does, for one of the fifteen.
fn for_the_sender(case: &Case, lang: Lang) -> Option<String> {
    let key = code_key(case.readings().first()?.read_as)?;
    key.starts_with("page-")
        .then(|| plain(lang, &format!("{key}.sender")))
}

/// Who said what, and at which step.
fn said(case: &Case, lang: Lang) -> Vec<String> {
    const LONGEST: usize = 600;
    let mut lines = Vec::new();
    let text = case.words.text().trim();
    if !text.is_empty() && case.recipient.is_some()
        || case.peer.is_some()
        || case.reporter.is_some()
    {
        let mut shown: String = safe(text).chars().take(LONGEST).collect();
        if text.chars().count() > LONGEST {
            shown.push('…');
        }
        if !shown.is_empty() {
            let who = case.peer.as_deref().or(case.reporter.as_deref());
            lines.push(match who {
                Some(who) => format!("{}: {shown}", safe(who)),
                None => shown,
            });
        }
    }
    if let Some(stage) = case.stage {
        let stage = crate::step::stage(stage, lang);
        lines.push(say(lang, "case-stage", &[("stage", (&stage).into())]));
    }
    lines
}

/// How sure this is, on what it rests, and what it could be else.
fn sure(case: &Case, diagnosis: &Diagnosis, lang: Lang) -> String {
    let percent = (diagnosis.confidence * 100.0).round() as u64;
    let mut text = match diagnosis.cause {
        Cause::CannotTell => plain(lang, "case-not-sure"),
        cause => say(
            lang,
            "story-cause",
            &[("cause", cause.id().into()), ("percent", percent.into())],
        ),
    };
    let quoted: Vec<String> = diagnosis
        .evidence
        .iter()
        .filter(|e| !e.text.is_empty())
        .take(3)
        .map(|e| format!("“{}”", safe(&e.text)))
        .collect();
    if !quoted.is_empty() && diagnosis.cause != Cause::CannotTell {
        text.push_str(&say(
            lang,
            "case-because",
            &[("words", (&quoted.join(", ")).into())],
        ));
    }
    text.push('.');
    let others: Vec<String> = diagnosis
        .alternatives
        .iter()
        .filter(|a| a.confidence >= 0.05)
        .take(3)
        .map(|a| headline(a.cause, lang))
        .collect();
    // Of a bare code, they have been told already.
    if !others.is_empty() && case.kind != Kind::Code {
        text.push(' ');
        let others = say(
            lang,
            "story-could-also",
            &[("others", (&others.join("; ")).into())],
        );
        let mut chars = others.chars();
        text.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        text.push_str(chars.as_str());
        text.push('.');
    }
    if let Some(dialect) = diagnosis.dialect {
        text.push(' ');
        text.push_str(&say(
            lang,
            "case-dialect",
            &[("name", dialect.title().into())],
        ));
    }
    text
}

/// The readings of a bare code; nothing where there is but one.
fn other_readings(case: &Case, lang: Lang) -> Vec<String> {
    let readings = case.readings();
    if readings.len() < 2 {
        return Vec::new();
    }
    let one = |reading: &readers::BareReading| {
        let (headline, what) = of_code(reading.read_as, &reading.diagnosis, lang);
        let name = reading_name(reading.read_as, lang);
        let standard = standard(reading.read_as);
        let title = standard.map_or_else(String::new, |(title, of)| format!(" ({title}; {of})"));
        format!("{name}{title}: {headline}. {what}")
    };
    readings.iter().skip(1).map(one).collect()
}

/// What can be looked at to be surer, each once, with its command where there is one.
fn checks(case: &Case, diagnosis: &Diagnosis, lang: Lang) -> Vec<String> {
    let one = |check: &diagnosis::Check| {
        let text = plain(lang, &format!("check-{}", check.id()));
        match command(*check, case) {
            Some(command) => format!("- {text} ({command})"),
            None => format!("- {text}"),
        }
    };
    diagnosis.checks.iter().map(one).collect()
}
