//! What was looked at about a destination, in the story of a message.

use diagnosis::finding::{Finding, Verdict};
use queue::{Story, Verified};

use crate::case_text::Style;
use crate::checked::{one, verdict_key};
use crate::checked_json::{JsonFinding, json_finding};
use crate::words::{plain, say};
use crate::{Lang, time};

/// What says something: what is wrong, could not be found out, or speaks for or against the cause.
fn telling(verified: &Verified) -> impl Iterator<Item = &Finding> {
    let says = |f: &&Finding| f.verdict > Verdict::Fine || f.bearing.is_some();
    verified.findings.iter().filter(says)
}

/// The findings as paragraphs, each destination under a line of its own.
pub(crate) fn tell(story: &Story, lang: Lang) -> String {
    let mut out = String::new();
    for verified in &story.verified {
        let at = time::moment(verified.at);
        let args = [
            ("destination", verified.destination.as_str().into()),
            ("at", (&at).into()),
        ];
        out.push_str(&format!("\n{}\n", say(lang, "story-verified", &args)));
        let verdicts = [
            Verdict::Fine,
            Verdict::CannotTell,
            Verdict::Warning,
            Verdict::Problem,
        ];
        let words = verdicts.map(|verdict| plain(lang, &verdict_key(verdict)).chars().count());
        let width = words.into_iter().max().unwrap_or_default();
        for finding in telling(verified) {
            one(&mut out, finding, width, lang, Style::Plain);
        }
    }
    out
}

/// The findings about a destination's cause, for programs.
pub(crate) fn json<'a>(
    story: &'a Story,
    destination: &str,
    cause: Option<diagnosis::Cause>,
    lang: Lang,
) -> Vec<JsonFinding<'a>> {
    let of = |v: &&Verified| v.destination.as_str() == destination && Some(v.cause) == cause;
    let verified = story.verified.iter().filter(of);
    let findings = verified.flat_map(|v| v.findings.iter().map(|f| (v.destination.as_str(), f)));
    findings
        .map(|(asked, finding)| json_finding(asked, finding, lang))
        .collect()
}
