//! What was looked at, for programs: one object for each finding. The names are stable.

use diagnosis::finding::{Bearing, Fact, Finding};
use serde::Serialize;

use crate::Lang;
use crate::checked::{advice, finding_text};

/// The schema of what [`checked_json`] gives (JSON Schema, draft 2020-12).
pub const CHECK_SCHEMA: &str = include_str!("../schema/check.json");

#[derive(Serialize)]
pub(crate) struct JsonFinding<'a> {
    asked: &'a str,
    check: &'static str,
    conclusion: &'static str,
    verdict: &'static str,
    subject: &'a str,
    object: Option<&'a str>,
    cause: Option<JsonCause>,
    facts: &'a [Fact],
    remedies: Vec<&'static str>,
    explanation: JsonExplanation,
}

#[derive(Serialize)]
struct JsonCause {
    id: &'static str,
    bearing: &'static str,
}

#[derive(Serialize)]
struct JsonExplanation {
    lang: Lang,
    text: String,
    #[serde(rename = "do")]
    do_: Vec<String>,
}

/// A finding as JSON; `asked` is what was asked for.
#[must_use]
pub fn checked_json<'a>(
    asked: &'a str,
    finding: &'a Finding,
    lang: Lang,
) -> impl Serialize + use<'a> {
    json_finding(asked, finding, lang)
}

/// The same where its type must be named.
pub(crate) fn json_finding<'a>(
    asked: &'a str,
    finding: &'a Finding,
    lang: Lang,
) -> JsonFinding<'a> {
    let cause = finding.bearing.map(|bearing| match bearing {
        Bearing::Supports(cause) => JsonCause {
            id: cause.id(),
            bearing: "supports",
        },
        Bearing::RulesOut(cause) => JsonCause {
            id: cause.id(),
            bearing: "rules_out",
        },
    });
    JsonFinding {
        asked,
        check: finding.check.id(),
        conclusion: finding.conclusion.id(),
        verdict: finding.verdict.as_str(),
        subject: &finding.subject,
        object: finding.object.as_deref(),
        cause,
        facts: &finding.facts,
        remedies: finding.remedies.iter().map(|remedy| remedy.id()).collect(),
        explanation: JsonExplanation {
            lang,
            text: finding_text(finding, lang),
            do_: advice(finding, lang),
        },
    }
}

#[cfg(test)]
mod tests {
    use diagnosis::finding::{Conclusion, Defect};

    use super::*;
    use crate::words::plain;

    #[test]
    fn every_conclusion_and_defect_has_words_in_every_language() {
        for lang in Lang::ALL {
            for conclusion in Conclusion::ALL {
                let finding = Finding::new(*conclusion, "SUBJECT").object("OBJECT");
                let text = finding_text(&finding, lang);
                assert!(!text.starts_with("found-"), "{text}");
                assert!(
                    !advice(&finding, lang).iter().any(|a| a.starts_with("do-")),
                    "{text}"
                );
            }
            for defect in Defect::ALL {
                let key = format!("defect-{}", defect.id());
                assert_ne!(plain(lang, &key), key);
            }
        }
    }
}
