//! Our own reports on TLS, gathered and on their way, in words.

use queue::{KeptTlsReport, TlsPost, TlsPostState};

use crate::layout::safe;
use crate::words::{plain, say};
use crate::{Lang, time};

/// A report: about whom and when, what was counted, and where it stands; a line for each.
#[must_use]
pub fn kept_tls_report(report: &KeptTlsReport, lang: Lang) -> String {
    let sum =
        |of: fn(&tls_report::PolicyReport) -> u64| -> u64 { report.policies.iter().map(of).sum() };
    let (good, failed) = (
        sum(|policy| policy.successes),
        sum(|policy| policy.failures),
    );
    let (domain, from) = (safe(&report.domain), time::moment(report.start));
    let to = match report.end {
        Some(end) => time::moment(end),
        None => plain(lang, "tls-ledger-now"),
    };
    let args = [
        ("domain", (&domain).into()),
        ("from", (&from).into()),
        ("to", (&to).into()),
        ("good", good.into()),
        ("failed", failed.into()),
    ];
    let mut text = say(lang, "tls-ledger-report", &args);
    text.push('\n');
    for line in standing(report, lang) {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

/// Where a report stands.
fn standing(report: &KeptTlsReport, lang: Lang) -> Vec<String> {
    let Some(due) = report.due else {
        return match report.end {
            None => vec![plain(lang, "tls-ledger-gathering")],
            Some(_) => report
                .posts
                .iter()
                .map(|post| of_post(post, lang))
                .collect(),
        };
    };
    let at = time::moment(due);
    vec![match &report.tried.problem {
        None => say(lang, "tls-ledger-due", &[("at", (&at).into())]),
        Some(problem) => {
            let problem = safe(problem);
            let args = [("at", (&at).into()), ("problem", (&problem).into())];
            say(lang, "tls-ledger-asked", &args)
        }
    }]
}

fn of_post(post: &TlsPost, lang: Lang) -> String {
    let (rua, id) = (safe(&post.rua.to_string()), post.message.to_string());
    let problem = safe(post.tried.problem.as_deref().unwrap_or_default());
    let (key, at) = match (post.state, &post.rua) {
        (TlsPostState::Sent, tls_report::Rua::Mail(_)) => ("tls-ledger-mailed", String::new()),
        (TlsPostState::Sent, tls_report::Rua::Https(_)) => ("tls-ledger-taken", String::new()),
        (TlsPostState::Failed, _) => ("tls-ledger-failed", String::new()),
        (TlsPostState::Waits(at), _) if problem.is_empty() => ("tls-ledger-goes", time::moment(at)),
        (TlsPostState::Waits(at), _) => ("tls-ledger-again", time::moment(at)),
    };
    let args = [
        ("rua", (&rua).into()),
        ("id", (&id).into()),
        ("at", (&at).into()),
        ("problem", (&problem).into()),
    ];
    say(lang, key, &args)
}

/// That there is none.
#[must_use]
pub fn no_tls_reports(lang: Lang) -> String {
    plain(lang, "tls-ledger-none")
}

/// How many were sent on their way.
#[must_use]
pub fn tls_reports_hastened(reports: u64, lang: Lang) -> String {
    say(lang, "tls-ledger-hastened", &[("n", reports.into())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use queue::{MessageId, Tried};
    use tls_report::Rua;

    #[test]
    fn each_standing_is_told_in_both_languages() {
        let at = "2026-01-06T02:00:00Z".parse().unwrap();
        let tried = |problem: Option<&str>| Tried {
            since: Some(at),
            times: 1,
            problem: problem.map(str::to_owned),
        };
        let post = |rua: Rua, state, problem| TlsPost {
            rua,
            state,
            message: MessageId::from_bytes([7; 16]),
            tried: tried(problem),
        };
        let mail = || Rua::Mail("r@a.example".into());
        let web = || Rua::Https("https://a.example/".into());
        let gathering = KeptTlsReport {
            key: 1,
            id: None,
            domain: "a.example".into(),
            start: "2026-01-05T00:00:00Z".parse().unwrap(),
            end: None,
            policies: vec![tls_report::PolicyReport {
                successes: 5,
                failures: 2,
                ..tls_report::PolicyReport::default()
            }],
            due: None,
            tried: Tried::default(),
            posts: Vec::new(),
        };
        let closed = KeptTlsReport {
            end: Some("2026-01-05T23:59:59Z".parse().unwrap()),
            ..gathering.clone()
        };
        let due = KeptTlsReport {
            due: Some(at),
            ..closed.clone()
        };
        let asked = KeptTlsReport {
            tried: tried(Some("no answer")),
            ..due.clone()
        };
        let posted = KeptTlsReport {
            posts: vec![
                post(mail(), TlsPostState::Sent, None),
                post(web(), TlsPostState::Sent, None),
                post(mail(), TlsPostState::Waits(at), None),
                post(web(), TlsPostState::Waits(at), Some("503")),
                post(web(), TlsPostState::Failed, Some("404")),
            ],
            ..closed
        };
        for lang in [Lang::En, Lang::Nl] {
            let all = [&gathering, &due, &asked, &posted].map(|one| kept_tls_report(one, lang));
            let all = all.concat();
            assert!(!all.contains("tls-ledger"), "{all}");
            for words in [
                "a.example",
                "5",
                "2026-01-06 02:00:00 UTC",
                "no answer",
                "503",
                "404",
            ] {
                assert!(all.contains(words), "{words}: {all}");
            }
            assert_eq!(all.lines().count(), 4 + 3 + 5, "{all}");
        }
        let said = kept_tls_report(&posted, Lang::En);
        assert!(
            said.contains("mailto:r@a.example: in the queue as "),
            "{said}"
        );
    }
}
