//! One diagnosis in words.

use diagnosis::{Cause, Diagnosis, Remedy, Responsible};
use jiff::Timestamp;
use queue::{Basis, Decision, WaitFor};
use serde::Serialize;

use crate::words::{plain, say};
use crate::{Lang, time};

/// What happens next, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct Next<'a> {
    /// What was decided; `None` where nobody decided (a code alone).
    pub decision: Option<&'a Decision>,
    /// The present, for "in 5 minutes".
    pub now: Timestamp,
}

/// A diagnosis in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The language.
    pub lang: Lang,
    /// What it is, in a line.
    pub headline: String,
    /// What it means.
    pub what: String,
    /// Who must act.
    pub who: String,
    /// Whether the mail is lost, and what happens next.
    pub next: String,
    /// What can be done, most useful first.
    #[serde(rename = "do")]
    pub do_: Vec<String>,
}

/// Puts a diagnosis into words.
#[must_use]
pub fn explain(diagnosis: &Diagnosis, next: &Next<'_>, lang: Lang) -> Explanation {
    let gone = matches!(next.decision, Some(Decision::Fail | Decision::Delivered));
    Explanation {
        lang,
        headline: headline(diagnosis.cause, lang),
        what: meaning(diagnosis.cause, lang),
        who: plain(lang, who(diagnosis.responsible)),
        next: what_next(next, lang),
        do_: advice(diagnosis, gone, lang),
    }
}

/// What can be done; after the end, waiting is no advice.
pub(crate) fn advice(diagnosis: &Diagnosis, gone: bool, lang: Lang) -> Vec<String> {
    let remedies = diagnosis.remedies.iter();
    remedies
        .filter(|remedy| !(gone && **remedy == Remedy::Wait))
        .map(|remedy| plain(lang, &format!("do-{}", remedy.id())))
        .collect()
}

/// What a cause means.
pub(crate) fn meaning(cause: Cause, lang: Lang) -> String {
    plain(lang, &format!("{}.what", key(cause)))
}

/// The headline of a cause.
pub(crate) fn headline(cause: Cause, lang: Lang) -> String {
    plain(lang, &key(cause))
}

/// The key of a cause's texts: Fluent allows no dots in names.
pub(crate) fn key(cause: Cause) -> String {
    cause.id().replace('.', "-")
}

fn what_next(next: &Next<'_>, lang: Lang) -> String {
    match next.decision {
        None => plain(lang, "next-waits"),
        Some(Decision::Delivered) => plain(lang, "next-delivered"),
        Some(Decision::Fail) => plain(lang, "next-fail"),
        Some(Decision::Hold) => plain(lang, "next-hold"),
        Some(Decision::RetryWhen(WaitFor::NextTransaction)) => plain(lang, "next-transaction"),
        Some(Decision::RetryWhen(WaitFor::OtherHost)) => plain(lang, "next-other-host"),
        Some(Decision::RetryWhen(WaitFor::Conversion)) => plain(lang, "next-conversion"),
        Some(Decision::RetryWhen(WaitFor::Resume)) => plain(lang, "next-resume"),
        Some(Decision::RetryAt { at, basis }) => {
            let when = time::when(*at, next.now, lang);
            let (key, wait) = match basis {
                Basis::PeerAsked { seconds } => ("next-retry-asked", time::span(*seconds, lang)),
                Basis::Learnt { seconds } => ("next-retry-learnt", time::span(*seconds, lang)),
                Basis::Lifetime => ("next-retry-last", String::new()),
                Basis::Administrator => ("next-retry-admin", String::new()),
                Basis::SenderAsked => ("next-retry-sender", String::new()),
                Basis::Schedule { .. } | Basis::Destination | Basis::Restart => {
                    ("next-retry", String::new())
                }
            };
            say(
                lang,
                key,
                &[("when", (&when).into()), ("wait", (&wait).into())],
            )
        }
    }
}

pub(crate) fn who(responsible: Responsible) -> &'static str {
    match responsible {
        Responsible::Sender => "who-sender",
        Responsible::Us => "who-us",
        Responsible::Network => "who-network",
        Responsible::Receiver => "who-receiver",
        Responsible::Recipient => "who-recipient",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_its_words_in_every_language() {
        for lang in Lang::ALL {
            let mut headlines: Vec<String> =
                Cause::ALL.iter().map(|c| headline(*c, lang)).collect();
            for cause in Cause::ALL {
                let what = plain(lang, &format!("{}.what", key(*cause)));
                assert!(
                    headline(*cause, lang) != key(*cause) && what.ends_with('.'),
                    "{cause} {lang:?}: {what}"
                );
            }
            headlines.sort();
            headlines.dedup();
            assert_eq!(
                headlines.len(),
                Cause::ALL.len(),
                "each cause can be told from the others"
            );
        }
    }
}
