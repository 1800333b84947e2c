//! Incidents in words: what fails where since when, how many wait, and whether it is us or them.

use diagnosis::Remedy;
use jiff::Timestamp;
use readers::{Incident, Place, Side, Summary};
use serde::Serialize;

use crate::case_text::Style;
use crate::explanation::{headline, meaning};
use crate::layout::{WIDTH, paragraph, safe};
use crate::words::{plain, say};
use crate::{Lang, time};

/// An incident for programs. The names are stable.
#[derive(Serialize)]
struct JsonIncident<'a> {
    cause: &'static str,
    /// `domain`, `provider`, `everywhere`, `here` or `unknown`, and which.
    place: &'static str,
    name: Option<&'a str>,
    scope: diagnosis::Scope,
    /// `us`, `them`, `sender`, `recipient` or `network`.
    side: &'static str,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    failures: u64,
    recipients: u64,
    /// Whether there were more recipients than could be told apart.
    at_least: bool,
    given_up: u64,
    waiting: u64,
    over: bool,
    domains: &'a [String],
    examples: &'a [String],
    headline: String,
    summary: String,
}

/// An incident as JSON.
#[must_use]
pub fn incident_json(incident: &Incident, lang: Lang) -> impl Serialize + use<'_> {
    let (place, name) = match &incident.place {
        Place::Domain(name) => ("domain", Some(name.as_str())),
        Place::Provider(name) => ("provider", Some(name.as_str())),
        Place::Everywhere => ("everywhere", None),
        Place::Here => ("here", None),
        Place::Unknown => ("unknown", None),
    };
    JsonIncident {
        cause: incident.cause.id(),
        place,
        name,
        scope: incident.scope,
        side: side(incident.side),
        first: incident.first,
        last: incident.last,
        failures: incident.failures,
        recipients: incident.recipients,
        at_least: incident.at_least,
        given_up: incident.given_up,
        waiting: incident.waiting,
        over: incident.over,
        domains: &incident.domains,
        examples: &incident.examples,
        headline: title(incident, lang),
        summary: in_a_sentence(incident, lang),
    }
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Us => "us",
        Side::Them => "them",
        Side::Sender => "sender",
        Side::Recipient => "recipient",
        Side::Network => "network",
    }
}

/// All incidents, the largest first.
#[must_use]
pub fn incidents_text(summary: &Summary, lang: Lang, style: Style) -> String {
    let mut out = String::new();
    for incident in &summary.incidents {
        out.push_str(&style.bold(&title(incident, lang)));
        out.push('\n');
        paragraph(&mut out, "  ", &in_a_sentence(incident, lang), WIDTH);
        let what = meaning(incident.cause, lang);
        paragraph(&mut out, "  ", &what, WIDTH);
        for remedy in remedies(incident) {
            let text = plain(lang, &format!("do-{}", remedy.id()));
            paragraph(&mut out, "  - ", &text, WIDTH);
        }
        if let Some(example) = incident.examples.first() {
            let quoted = say(
                lang,
                "incident-example",
                &[("words", (&shortened(example)).into())],
            );
            paragraph(&mut out, "  ", &quoted, WIDTH);
        }
        out.push('\n');
    }
    if summary.other > 0 {
        out.push_str(&say(lang, "incident-other", &[("n", summary.other.into())]));
        out.push('\n');
    }
    out
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 300;
    let text = safe(text);
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// What there is to do, for who reads a log: where it is theirs, waiting is all.
fn remedies(incident: &Incident) -> Vec<Remedy> {
    if incident.over || (incident.side == Side::Them && incident.given_up == 0) {
        return Vec::new();
    }
    let all = incident.cause.remedies().iter().copied();
    all.filter(|remedy| *remedy != Remedy::Wait).collect()
}

/// Where, and what: `Mail to example.org: the receiving server has run out of space`.
fn title(incident: &Incident, lang: Lang) -> String {
    let place = match &incident.place {
        Place::Domain(name) => say(lang, "incident-domain", &[("name", (&safe(name)).into())]),
        Place::Provider(name) => say(lang, "incident-provider", &[("name", (&safe(name)).into())]),
        Place::Everywhere => plain(lang, "incident-everywhere"),
        Place::Here => plain(lang, "incident-here"),
        Place::Unknown => plain(lang, "incident-unknown"),
    };
    format!("{place}: {}", headline(incident.cause, lang))
}

/// Since when, how many, whose it is, and whether it is over.
fn in_a_sentence(incident: &Incident, lang: Lang) -> String {
    let mut parts = Vec::new();
    if let (Some(first), Some(last)) = (incident.first, incident.last) {
        let (first, last) = (time::moment(first), time::moment(last));
        let values = [("first", (&first).into()), ("last", (&last).into())];
        parts.push(match first == last {
            true => say(lang, "incident-at", &values),
            false => say(lang, "incident-since", &values),
        });
    }
    parts.push(say(
        lang,
        "incident-failures",
        &[("n", incident.failures.into())],
    ));
    if incident.waiting > 0 {
        parts.push(say(
            lang,
            "incident-waiting",
            &[("n", incident.waiting.into())],
        ));
    }
    if incident.given_up > 0 {
        parts.push(say(
            lang,
            "incident-given-up",
            &[("n", incident.given_up.into())],
        ));
    }
    let whose = format!("incident-side-{}", side(incident.side));
    parts.push(plain(lang, &whose));
    if incident.over {
        parts.push(plain(lang, "incident-over"));
    } else if incident.side == Side::Them && incident.given_up == 0 {
        parts.push(plain(lang, "incident-nothing-to-do"));
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use readers::{Incidents, Intake, LogTimes};

    use super::*;

    fn summed(log: &str) -> Summary {
        let mut cases = Vec::new();
        let times = LogTimes {
            year: Some(2024),
            ..LogTimes::default()
        };
        let mut intake = Intake::new().with_log_times(times);
        intake.push(log.as_bytes(), &mut cases);
        intake.finish(&mut cases);
        let mut incidents = Incidents::new();
        for case in &cases {
            incidents.take(case, &case.diagnose());
        }
        incidents.summary()
    }

    fn full(minute: u32) -> String {
        format!(
            "Jan  5 14:{minute:02}:00 mail postfix/smtp[9]: 3F0A2B1C{minute:02}: to=<b{minute}@example.org>, \
             relay=mx.example.org[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=4.3.1, status=deferred \
             (host mx.example.org[192.0.2.1] said: 452 4.3.1 Insufficient system storage (in reply to MAIL FROM command))\n"
        )
    }

    #[test]
    fn one_trouble_is_one_incident_with_its_time_its_number_and_its_side() {
        let log: String = (2..43).map(full).collect();
        let summary = summed(&log);
        assert_eq!(summary.incidents.len(), 1);
        let text = incidents_text(&summary, Lang::En, Style::Plain);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in [
            "example.org: The receiving server",
            "2024-01-05 14:02:00",
            "41 recipients wait",
            "othing for you to do",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let json = serde_json::to_value(incident_json(&summary.incidents[0], Lang::Nl)).unwrap();
        assert_eq!(
            (&json["cause"], &json["side"], &json["waiting"]),
            (&"server.storage-full".into(), &"them".into(), &41.into())
        );
        assert_eq!(
            (&json["place"], &json["name"]),
            (&"domain".into(), &"example.org".into())
        );
    }

    #[test]
    fn nothing_gives_no_text() {
        assert_eq!(
            incidents_text(&Summary::default(), Lang::En, Style::Plain),
            ""
        );
    }
}
