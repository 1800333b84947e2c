//! What the sender of a failed message reads.

use diagnosis::{Cause, Diagnosis};
use jiff::Timestamp;
use queue::Decision;
use smtp::Address;

use crate::explanation::{Next, explain, headline};
use crate::layout::{paragraph, safe};
use crate::words::{plain, say};
use crate::{Lang, time};

/// A recipient that is given up.
#[derive(Clone, Debug)]
pub struct FailedRecipient<'a> {
    /// The address.
    pub address: &'a Address,
    /// Why.
    pub diagnosis: &'a Diagnosis,
    /// What the peer said at the end, where it said anything.
    pub peer_words: Option<String>,
    /// Who said it.
    pub peer: Option<String>,
    /// Attempts made.
    pub attempts: u32,
    /// When the message came.
    pub received_at: Timestamp,
    /// How often each cause was met before.
    pub history: Vec<(Cause, u32)>,
}

/// As wide as plain-text mail usually is.
const WIDTH: usize = 76;
/// Recipients that are told of one by one; of the others only the address.
const TOLD: usize = 20;

/// The subject of a report.
#[must_use]
pub fn report_subject(recipients: &[FailedRecipient<'_>], lang: Lang) -> String {
    match recipients {
        [only] => say(
            lang,
            "report-subject",
            &[("address", only.address.as_str().into())],
        ),
        several => say(
            lang,
            "report-subject-several",
            &[("n", (several.len() as u64).into())],
        ),
    }
}

/// The first part of a report (RFC 3464 §1.2): for people.
#[must_use]
pub fn report(
    recipients: &[FailedRecipient<'_>],
    hostname: &str,
    now: Timestamp,
    lang: Lang,
) -> String {
    let several = if recipients.len() > 1 { "-several" } else { "" };
    let mut out = String::new();
    let opening = say(
        lang,
        &format!("report-opening{several}"),
        &[("host", hostname.into())],
    );
    paragraph(&mut out, "", &opening, WIDTH);
    for recipient in recipients.iter().take(TOLD) {
        out.push('\n');
        one(&mut out, recipient, now, lang);
    }
    if recipients.len() > TOLD {
        out.push('\n');
        for recipient in &recipients[TOLD..] {
            let headline = headline(recipient.diagnosis.cause, lang);
            paragraph(
                &mut out,
                "  ",
                &format!("{}: {headline}", safe(recipient.address.as_str())),
                WIDTH,
            );
        }
    }
    out.push('\n');
    paragraph(
        &mut out,
        "",
        &plain(lang, &format!("report-closing{several}")),
        WIDTH,
    );
    out
}

fn one(out: &mut String, recipient: &FailedRecipient<'_>, now: Timestamp, lang: Lang) {
    let next = Next {
        decision: Some(&Decision::Fail),
        now,
    };
    let words = explain(recipient.diagnosis, &next, lang);
    paragraph(out, "  ", &safe(recipient.address.as_str()), WIDTH);
    out.push('\n');
    paragraph(out, "    ", &format!("{}.", words.headline), WIDTH);
    paragraph(out, "    ", &words.what, WIDTH);
    if let Some(said) = &recipient.peer_words {
        out.push('\n');
        let peer = recipient.peer.as_deref().unwrap_or_default();
        paragraph(
            out,
            "    ",
            &say(lang, "report-said", &[("peer", safe(peer).as_str().into())]),
            WIDTH,
        );
        for line in said.lines() {
            paragraph(out, "      ", &safe(line.trim_end()), 900);
        }
    }
    if recipient.attempts > 1 {
        out.push('\n');
        let since = time::moment(recipient.received_at);
        let tried = say(
            lang,
            "report-tried",
            &[("n", recipient.attempts.into()), ("time", (&since).into())],
        );
        paragraph(out, "    ", &tried, WIDTH);
        let met: Vec<String> = recipient
            .history
            .iter()
            .map(|(cause, n)| times(*cause, *n, lang))
            .collect();
        if !met.is_empty() {
            let met = met.join("; ");
            paragraph(
                out,
                "    ",
                &say(lang, "report-met", &[("causes", (&met).into())]),
                WIDTH,
            );
        }
    }
    out.push('\n');
    paragraph(
        out,
        "    ",
        &format!("{} {}", plain(lang, "report-who"), words.who),
        WIDTH,
    );
    if !words.do_.is_empty() {
        paragraph(out, "    ", &plain(lang, "report-do"), WIDTH);
        for item in &words.do_ {
            paragraph(out, "    - ", item, WIDTH);
        }
    }
}

fn times(cause: Cause, n: u32, lang: Lang) -> String {
    let headline = headline(cause, lang);
    say(
        lang,
        "report-times",
        &[("headline", (&headline).into()), ("n", n.into())],
    )
}
