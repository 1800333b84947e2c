//! What was looked at from here, for a person: each finding a paragraph with its evidence.

use diagnosis::finding::{Answer, Counted, Fact, Finding, SpfOutcome, Verdict};

use crate::Lang;
use crate::case_text::Style;
use crate::explanation::headline;
use crate::layout::{WIDTH, paragraph, reply_lines, safe};
use crate::secure;
use crate::step;
use crate::way;
use crate::words::{Arg, plain, say};

/// Findings in words, as paragraphs, under a line that sums them up.
#[must_use]
pub fn checked_text(subject: &str, findings: &[Finding], lang: Lang, style: Style) -> String {
    let (subject, outcome) = (safe(subject), outcome(findings, lang));
    let args = [
        ("subject", (&subject).into()),
        ("outcome", (&outcome).into()),
    ];
    let mut out = style.bold(&say(lang, "checked-title", &args));
    out.push('\n');
    let verdicts = [
        Verdict::Fine,
        Verdict::CannotTell,
        Verdict::Warning,
        Verdict::Problem,
    ];
    let words = verdicts.map(|verdict| plain(lang, &verdict_key(verdict)));
    let longest = |words: &[String]| words.iter().map(|w| w.chars().count()).max();
    let width = longest(&words).unwrap_or_default();
    for finding in findings {
        one(&mut out, finding, width, lang, style);
    }
    out
}

pub(crate) fn verdict_key(verdict: Verdict) -> String {
    format!("verdict-{}", verdict.as_str())
}

/// How many of each; nothing wrong is said as such.
fn outcome(findings: &[Finding], lang: Lang) -> String {
    let count = |verdict| findings.iter().filter(|f| f.verdict == verdict).count() as u64;
    let parts: Vec<String> = [
        ("checked-problems", count(Verdict::Problem)),
        ("checked-warnings", count(Verdict::Warning)),
        ("checked-unknown", count(Verdict::CannotTell)),
    ]
    .into_iter()
    .filter(|(_, n)| *n > 0)
    .map(|(key, n)| say(lang, key, &[("n", n.into())]))
    .collect();
    match parts.is_empty() {
        true => plain(lang, "checked-fine"),
        false => parts.join(", "),
    }
}

pub(crate) fn one(out: &mut String, finding: &Finding, width: usize, lang: Lang, style: Style) {
    let label = plain(lang, &verdict_key(finding.verdict));
    let text = finding_text(finding, lang);
    let mut first = String::new();
    paragraph(&mut first, &format!("  {label:<width$}  "), &text, WIDTH);
    out.push_str(&match finding.verdict {
        Verdict::Problem => first.replacen(&label, &style.bold(&label), 1),
        Verdict::Fine | Verdict::CannotTell | Verdict::Warning => {
            first.replacen(&label, &style.dim(&label), 1)
        }
    });
    let indent = " ".repeat(width + 4);
    let lines = finding.facts.iter().flat_map(|fact| fact_lines(fact, lang));
    for line in lines.filter(|line| !line.is_empty()) {
        // Evidence keeps its lines: it is quoted.
        out.push_str(&style.dim(&format!("{indent}| {line}")));
        out.push('\n');
    }
    if finding.verdict > Verdict::Fine {
        for text in advice(finding, lang) {
            paragraph(out, &format!("{indent}- "), &text, WIDTH);
        }
    }
}

/// What was found, in one or two sentences.
pub(crate) fn finding_text(finding: &Finding, lang: Lang) -> String {
    let object = safe(finding.object.as_deref().unwrap_or_default());
    let subject = safe(&finding.subject);
    // A number is one to the texts, so that they can tell one from several.
    let number = object.parse::<u64>().ok();
    let number = number.filter(|number| number.to_string() == object);
    let object = number.map_or(Arg::Text(&object), Arg::Number);
    let args = [("subject", (&subject).into()), ("object", object)];
    say(lang, &format!("found-{}", finding.conclusion.id()), &args)
}

/// What can be done.
pub(crate) fn advice(finding: &Finding, lang: Lang) -> Vec<String> {
    let remedies = finding.remedies.iter();
    remedies
        .map(|remedy| plain(lang, &format!("do-{}", remedy.id())))
        .collect()
}

/// A fact as lines of evidence.
fn fact_lines(fact: &Fact, lang: Lang) -> Vec<String> {
    match fact {
        Fact::Route(step) => vec![safe(&way::tell(step, lang))],
        Fact::NotConnected(tried) => vec![safe(&step::not_connected(tried, lang))],
        Fact::Said { command, reply, .. } => {
            let command = command.iter().map(|line| format!("> {}", safe(line)));
            command.chain(reply_lines(reply.raw())).collect()
        }
        Fact::Announced(_) => Vec::new(),
        Fact::Secured(session) => secure::session_lines(session, lang),
        Fact::NotSecured(failure) => secure::failure_lines(failure, lang),
        Fact::Path(path) => vec![secure::path_line(path, lang)],
        Fact::Asked { .. }
        | Fact::Connected { .. }
        | Fact::Broke { .. }
        | Fact::Received { .. }
        | Fact::SpfTerm { .. }
        | Fact::Defect { .. }
        | Fact::Hop { .. }
        | Fact::Counted { .. } => vec![safe(&seen(fact, lang))],
        Fact::Attempt { reply, .. } => {
            let mut lines = vec![safe(&past(fact, lang))];
            if let Some(reply) = reply {
                lines.extend(reply_lines(reply.raw()));
            }
            lines
        }
        Fact::Destination { .. } => vec![safe(&past(fact, lang))],
    }
}

/// What was seen in the network just now.
fn seen(fact: &Fact, lang: Lang) -> String {
    match fact {
        Fact::Asked {
            kind,
            name,
            answer,
            servers,
            took_ms,
        } => asked(kind, name, answer, servers, *took_ms, lang),
        Fact::Connected {
            from,
            address,
            took_ms,
        } => {
            let args = [
                ("address", address.into()),
                ("from", from.as_deref().unwrap_or("?").into()),
                ("ms", (*took_ms).into()),
            ];
            say(lang, "seen-connected", &args)
        }
        Fact::Broke { how, after_ms, .. } => {
            let how = plain(lang, step::how(*how));
            let args = [("how", (&how).into()), ("ms", (*after_ms).into())];
            say(lang, "seen-broke", &args)
        }
        Fact::Received { text } => say(lang, "seen-received", &[("text", text.into())]),
        Fact::SpfTerm {
            domain,
            term,
            outcome,
        } => {
            let key = match outcome {
                SpfOutcome::Matches => "seen-spf-matches",
                SpfOutcome::Passes => "seen-spf-passes",
                SpfOutcome::LeadsOn => "seen-spf-leads-on",
                SpfOutcome::Broken => "seen-spf-broken",
                SpfOutcome::Unanswered => "seen-spf-unanswered",
            };
            say(
                lang,
                key,
                &[("domain", domain.into()), ("term", term.into())],
            )
        }
        Fact::Defect { defect, text } => say(
            lang,
            &format!("defect-{}", defect.id()),
            &[("text", text.into())],
        ),
        Fact::Hop { host, again } => {
            let key = if *again { "seen-hop-again" } else { "seen-hop" };
            say(lang, key, &[("host", host.into())])
        }
        Fact::Counted { what, count } => {
            let key = match what {
                Counted::Sending => "seen-sending",
                Counted::Hops => "seen-hops",
                Counted::MessageSize => "seen-message-size",
            };
            say(lang, key, &[("n", (*count).into())])
        }
        _ => String::new(),
    }
}

/// What the queue remembers.
fn past(fact: &Fact, lang: Lang) -> String {
    let named = |cause: &Option<diagnosis::Cause>| match cause {
        Some(cause) => headline(*cause, lang),
        None => plain(lang, "seen-no-cause"),
    };
    match fact {
        Fact::Attempt {
            at,
            destination,
            cause,
            ..
        } => {
            let (key, cause) = match cause {
                Some(cause) => ("seen-attempt", headline(*cause, lang)),
                None => ("seen-attempt-taken", String::new()),
            };
            let args = [
                ("at", at.into()),
                ("destination", destination.into()),
                ("cause", (&cause).into()),
            ];
            say(lang, key, &args)
        }
        Fact::Destination {
            key,
            queued,
            failures,
            cause,
        } => {
            let cause = named(cause);
            let args = [
                ("key", key.into()),
                ("queued", (*queued).into()),
                ("failures", (*failures).into()),
                ("cause", (&cause).into()),
            ];
            say(lang, "seen-destination", &args)
        }
        _ => String::new(),
    }
}

fn asked(
    kind: &str,
    name: &str,
    answer: &Answer,
    servers: &[String],
    took_ms: u64,
    lang: Lang,
) -> String {
    let answer = match answer {
        Answer::Records(records) => records.join(", "),
        Answer::NoRecords => plain(lang, "seen-no-records"),
        Answer::NoSuchName => plain(lang, "seen-no-such-name"),
        Answer::NotAName => plain(lang, "seen-not-a-name"),
        Answer::ServerFailure => plain(lang, "seen-server-failure"),
        Answer::Refused => plain(lang, "seen-refused"),
        Answer::TimedOut => plain(lang, "seen-timed-out"),
        Answer::Unreachable => plain(lang, "seen-unreachable"),
        Answer::Unclear(text) => text.clone(),
    };
    let question = format!("{kind} {name}");
    let args = [
        ("question", (&question).into()),
        ("answer", (&answer).into()),
    ];
    let line = say(lang, "seen-asked", &args);
    let servers = servers.join(", ");
    let args = [("servers", (&servers).into()), ("ms", took_ms.into())];
    match servers.is_empty() {
        true => line,
        false => format!("{line} {}", say(lang, "seen-asked-of", &args)),
    }
}

#[cfg(test)]
mod tests {
    use diagnosis::finding::Conclusion;

    use super::*;

    #[test]
    fn one_is_told_from_several() {
        let text = |n: &str, lang| {
            let finding = Finding::new(Conclusion::RouteFound, "example.org").object(n);
            finding_text(&finding, lang)
        };
        assert!(text("1", Lang::En).contains("1 address to try"));
        assert!(text("20000", Lang::En).contains("20000 addresses to try"));
        assert!(text("1", Lang::Nl).contains("1 adres om"));
    }

    #[test]
    fn words_of_others_cannot_steer_the_terminal() {
        let finding = Finding::new(Conclusion::GreetingRefused, "mx\u{1b}[2J").object("\u{7}no");
        let findings = [finding.facts(vec![Fact::Received {
            text: "\u{1b}]0;x".into(),
        }])];
        let text = checked_text("a\u{1b}b", &findings, Lang::En, Style::Plain);
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    }
}
