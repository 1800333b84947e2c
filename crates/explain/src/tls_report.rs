//! A report on TLS (RFC 8460) in words, for whoever runs the domain that it is about.

use serde::Serialize;
use tls_report::{FailureDetail, PolicyKind, PolicyReport, Problem, Report, ResultType};

use crate::case_text::Style;
use crate::layout::{WIDTH, paragraph, safe};
use crate::words::{plain, say};
use crate::{Lang, time};

/// A report, explained: who saw what with our servers, what each result means, what to do.
#[must_use]
pub fn tls_report_text(report: &Report, lang: Lang, style: Style) -> String {
    let mut out = style.bold(&headline(report, lang));
    out.push('\n');
    let by = by(report, lang);
    let period = match (report.start, report.end) {
        (Some(start), Some(end)) => {
            let (from, to) = (time::moment(start), time::moment(end));
            let args = [
                ("by", (&by).into()),
                ("from", (&from).into()),
                ("to", (&to).into()),
            ];
            say(lang, "tlsrpt-period", &args)
        }
        (_, _) => say(lang, "tlsrpt-no-period", &[("by", (&by).into())]),
    };
    paragraph(&mut out, "  ", &period, WIDTH);
    for policy in &report.policies {
        out.push('\n');
        paragraph(&mut out, "  ", &of_policy(policy, lang), WIDTH);
        let mx = safe(&policy.policy.mx.join(", "));
        if !mx.is_empty() {
            quote(
                &mut out,
                &say(lang, "tlsrpt-mx", &[("mx", (&mx).into())]),
                style,
            );
        }
        for line in &policy.policy.lines {
            quote(&mut out, &safe(line), style);
        }
        for detail in &policy.details {
            of_detail(&mut out, detail, lang, style);
        }
        let told = policy.details.iter().map(|detail| detail.count);
        let told = told.fold(0_u64, u64::saturating_add);
        if let Some(rest) = policy.failures.checked_sub(told).filter(|rest| *rest > 0) {
            let text = say(lang, "tlsrpt-uncounted", &[("n", rest.into())]);
            paragraph(&mut out, "    ", &text, WIDTH);
        }
    }
    if !report.contact.is_empty() {
        let (contact, id) = (safe(&report.contact), safe(&report.id));
        let args = [("contact", (&contact).into()), ("id", (&id).into())];
        out.push('\n');
        paragraph(&mut out, "  ", &say(lang, "tlsrpt-reference", &args), WIDTH);
    }
    out
}

/// What looks like a report and cannot be read as one.
#[must_use]
pub fn tls_report_unreadable(source: &str, problem: &Problem, lang: Lang) -> String {
    let (source, problem) = (safe(source), safe(&problem.to_string()));
    let args = [("source", (&source).into()), ("problem", (&problem).into())];
    say(lang, "tlsrpt-unreadable", &args)
}

fn by(report: &Report, lang: Lang) -> String {
    match report.organization.is_empty() {
        true => plain(lang, "tlsrpt-somebody"),
        false => safe(&report.organization),
    }
}

/// Who, about whom, and how it went on the whole.
fn headline(report: &Report, lang: Lang) -> String {
    let sum = |of: fn(&PolicyReport) -> u64| {
        let counts = report.policies.iter().map(of);
        counts.fold(0_u64, u64::saturating_add)
    };
    let failed = sum(|policy| policy.failures);
    let all = sum(|policy| policy.successes).saturating_add(failed);
    let outcome = match failed {
        0 => say(lang, "tlsrpt-well", &[("n", all.into())]),
        _ => say(
            lang,
            "tlsrpt-not-well",
            &[("failed", failed.into()), ("n", all.into())],
        ),
    };
    let mut domains: Vec<String> = Vec::new();
    for policy in &report.policies {
        let domain = safe(&policy.policy.domain);
        if !domain.is_empty() && !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    let domain = match domains.is_empty() {
        true => "?".to_owned(),
        false => domains.join(", "),
    };
    let by = by(report, lang);
    let args = [
        ("by", (&by).into()),
        ("domain", (&domain).into()),
        ("outcome", (&outcome).into()),
    ];
    say(lang, "tlsrpt-title", &args)
}

fn of_policy(of: &PolicyReport, lang: Lang) -> String {
    let key = match &of.policy.kind {
        PolicyKind::Sts => "tlsrpt-policy-sts",
        PolicyKind::Tlsa => "tlsrpt-policy-tlsa",
        PolicyKind::None => "tlsrpt-policy-none",
        PolicyKind::Other(_) => "tlsrpt-policy-other",
    };
    let (kind, domain) = (safe(of.policy.kind.as_str()), safe(&of.policy.domain));
    let args = [
        ("kind", (&kind).into()),
        ("domain", (&domain).into()),
        ("good", of.successes.into()),
        ("failed", of.failures.into()),
    ];
    say(lang, key, &args)
}

fn quote(out: &mut String, line: &str, style: Style) {
    out.push_str(&style.dim(&format!("    | {line}")));
    out.push('\n');
}

fn of_detail(out: &mut String, detail: &FailureDetail, lang: Lang, style: Style) {
    let result = safe(detail.result.as_str());
    let args = [("n", detail.count.into()), ("result", (&result).into())];
    let mut parts = vec![say(lang, "tlsrpt-detail", &args)];
    let with = |key: &str, name: &str, text: &str| {
        let text = safe(text);
        say(lang, key, &[(name, (&text).into())])
    };
    let where_to = match (&detail.mx, &detail.receiving_ip) {
        (Some(mx), Some(ip)) => Some(format!("{mx} [{ip}]")),
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (None, None) => None,
    };
    parts.extend(where_to.map(|to| with("tlsrpt-at", "where", &to)));
    parts.extend(
        detail
            .sending_ip
            .as_ref()
            .map(|ip| with("tlsrpt-from", "where", ip)),
    );
    paragraph(out, "    ", &style.bold(&parts.join(" ")), WIDTH);
    for (key, text) in [
        ("tlsrpt-reason", &detail.reason),
        ("tlsrpt-more", &detail.more),
    ] {
        if let Some(text) = text {
            quote(out, &with(key, "text", text), style);
        }
    }
    paragraph(out, "    ", &meaning(&detail.result, lang), WIDTH);
    paragraph(out, "    - ", &remedy(&detail.result, lang), WIDTH);
}

fn key(result: &ResultType) -> String {
    match result {
        ResultType::Other(_) => "tlsrpt-unknown-result".to_owned(),
        known => format!("tlsrpt-{}", known.as_str()),
    }
}

fn meaning(result: &ResultType, lang: Lang) -> String {
    plain(lang, &key(result))
}

fn remedy(result: &ResultType, lang: Lang) -> String {
    plain(lang, &format!("{}.do", key(result)))
}

#[derive(Serialize)]
struct JsonReport<'a> {
    input: JsonInput<'a>,
    tls_report: JsonContent<'a>,
    explanation: JsonExplanation,
}

#[derive(Serialize)]
struct JsonInput<'a> {
    kind: &'static str,
    source: &'a str,
}

#[derive(Serialize)]
struct JsonContent<'a> {
    organization: &'a str,
    contact: &'a str,
    id: &'a str,
    start: Option<String>,
    end: Option<String>,
    policies: Vec<JsonPolicy<'a>>,
}

#[derive(Serialize)]
struct JsonPolicy<'a> {
    r#type: &'a str,
    domain: &'a str,
    mx: &'a [String],
    lines: &'a [String],
    successes: u64,
    failures: u64,
    details: Vec<JsonDetail<'a>>,
}

#[derive(Serialize)]
struct JsonDetail<'a> {
    result: &'a str,
    count: u64,
    sending_ip: Option<&'a str>,
    mx: Option<&'a str>,
    helo: Option<&'a str>,
    receiving_ip: Option<&'a str>,
    reason: Option<&'a str>,
    more: Option<&'a str>,
    what: String,
    #[serde(rename = "do")]
    do_: String,
}

#[derive(Serialize)]
struct JsonExplanation {
    lang: Lang,
    headline: String,
}

/// A report for programs: one object.
#[must_use]
pub fn tls_report_json<'a>(
    report: &'a Report,
    source: &'a str,
    lang: Lang,
) -> impl Serialize + use<'a> {
    let detail = |of: &'a FailureDetail| JsonDetail {
        result: of.result.as_str(),
        count: of.count,
        sending_ip: of.sending_ip.as_deref(),
        mx: of.mx.as_deref(),
        helo: of.helo.as_deref(),
        receiving_ip: of.receiving_ip.as_deref(),
        reason: of.reason.as_deref(),
        more: of.more.as_deref(),
        what: meaning(&of.result, lang),
        do_: remedy(&of.result, lang),
    };
    let policy = |of: &'a PolicyReport| JsonPolicy {
        r#type: of.policy.kind.as_str(),
        domain: &of.policy.domain,
        mx: &of.policy.mx,
        lines: &of.policy.lines,
        successes: of.successes,
        failures: of.failures,
        details: of.details.iter().map(detail).collect(),
    };
    JsonReport {
        input: JsonInput {
            kind: "tls-report",
            source,
        },
        tls_report: JsonContent {
            organization: &report.organization,
            contact: &report.contact,
            id: &report.id,
            start: report.start.map(|at| at.to_string()),
            end: report.end.map(|at| at.to_string()),
            policies: report.policies.iter().map(policy).collect(),
        },
        explanation: JsonExplanation {
            lang,
            headline: headline(report, lang),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_has_a_meaning_and_a_remedy_in_every_language() {
        for lang in Lang::ALL {
            let other = ResultType::Other("x".to_owned());
            for result in ResultType::ALL.iter().chain([&other]) {
                for text in [meaning(result, lang), remedy(result, lang)] {
                    assert!(!text.starts_with("tlsrpt-"), "{text}");
                }
            }
        }
    }

    #[test]
    fn words_of_others_cannot_steer_the_terminal() {
        let report = Report {
            organization: "a\u{1b}[2J".to_owned(),
            policies: vec![PolicyReport {
                failures: 3,
                details: vec![FailureDetail {
                    reason: Some("\u{7}x".to_owned()),
                    count: 1,
                    ..FailureDetail::default()
                }],
                ..PolicyReport::default()
            }],
            ..Report::default()
        };
        let text = tls_report_text(&report, Lang::En, Style::Plain);
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
        assert!(text.contains("counts 2 failures"), "{text}");
    }
}
