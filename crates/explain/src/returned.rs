//! What came back after it had been handed on: for the sender, for the story, and in a list.

use diagnosis::Diagnosis;
use jiff::Timestamp;
use queue::{CameBack, Decision, Event, EventKind, JoinedBy, ReturnKind, Returned, Story};
use smtp::Address;

use crate::explanation::{Next, explain, headline};
use crate::layout::{WIDTH as STORY_WIDTH, paragraph, safe};
use crate::words::{plain, say};
use crate::{Lang, time};

/// As wide as plain-text mail usually is.
const WIDTH: usize = 76;

/// A recipient whose mail went on and did not arrive.
#[derive(Clone, Debug)]
pub struct ReturnedRecipient<'a> {
    /// The address.
    pub address: &'a Address,
    /// Why.
    pub diagnosis: &'a Diagnosis,
    /// The address that failed, where that is another: the recipient sends on.
    pub names: Option<&'a str>,
    /// Who wrote the report.
    pub reporter: Option<&'a str>,
    /// In which words.
    pub words: Option<&'a str>,
    /// Who took the message from us, and when.
    pub handed: Option<(String, Timestamp)>,
}

/// The subject of the report to the sender.
#[must_use]
pub fn returned_subject(recipients: &[&Address], lang: Lang) -> String {
    match recipients {
        [only] => {
            let address = only.as_str();
            say(lang, "report-subject", &[("address", address.into())])
        }
        several => {
            let n = several.len() as u64;
            say(lang, "report-subject-several", &[("n", n.into())])
        }
    }
}

/// The first part of the report to the sender.
#[must_use]
pub fn returned(
    recipients: &[ReturnedRecipient<'_>],
    hostname: &str,
    now: Timestamp,
    lang: Lang,
) -> String {
    let mut out = String::new();
    let opening = say(lang, "bounce-opening", &[("host", hostname.into())]);
    paragraph(&mut out, "", &opening, WIDTH);
    for recipient in recipients {
        out.push('\n');
        one(&mut out, recipient, now, lang);
    }
    out.push('\n');
    paragraph(&mut out, "", &plain(lang, "bounce-closing"), WIDTH);
    out
}

fn one(out: &mut String, recipient: &ReturnedRecipient<'_>, now: Timestamp, lang: Lang) {
    let next = Next {
        decision: Some(&Decision::Fail),
        now,
    };
    let words = explain(recipient.diagnosis, &next, lang);
    let address = safe(recipient.address.as_str());
    paragraph(out, "  ", &address, WIDTH);
    out.push('\n');
    let returned = time::moment(now);
    let came = match &recipient.handed {
        Some((peer, at)) => {
            let (peer, at) = (safe(peer), time::moment(*at));
            let args = [
                ("peer", (&peer).into()),
                ("time", (&at).into()),
                ("returned", (&returned).into()),
            ];
            say(lang, "bounce-handed", &args)
        }
        None => say(
            lang,
            "bounce-came-back",
            &[("returned", (&returned).into())],
        ),
    };
    paragraph(out, "    ", &came, WIDTH);
    if let Some(names) = recipient.names {
        let names = safe(names);
        let args = [
            ("address", (&names).into()),
            ("recipient", (&address).into()),
        ];
        paragraph(out, "    ", &say(lang, "bounce-names", &args), WIDTH);
    }
    out.push('\n');
    paragraph(out, "    ", &format!("{}.", words.headline), WIDTH);
    paragraph(out, "    ", &words.what, WIDTH);
    if let Some(said) = recipient.words {
        out.push('\n');
        let who = match recipient.reporter {
            Some(reporter) => {
                let reporter = safe(reporter);
                say(lang, "bounce-said", &[("reporter", (&reporter).into())])
            }
            None => plain(lang, "bounce-said-unknown"),
        };
        paragraph(out, "    ", &who, WIDTH);
        paragraph(out, "      ", &safe(said), WIDTH);
    }
    out.push('\n');
    let who = format!("{} {}", plain(lang, "report-who"), words.who);
    paragraph(out, "    ", &who, WIDTH);
    if !words.do_.is_empty() {
        paragraph(out, "    ", &plain(lang, "report-do"), WIDTH);
        for item in &words.do_ {
            paragraph(out, "    - ", item, WIDTH);
        }
    }
}

/// What came back, in a sentence.
#[must_use]
pub fn returned_headline(returned: &Returned, lang: Lang) -> String {
    let key = format!("return-{}", returned.kind.as_str());
    let why = returned.diagnosis.as_ref().map(|d| headline(d.cause, lang));
    let why = why.unwrap_or_default();
    say(lang, &key, &[("headline", (&why).into())])
}

/// What came back, with its message, in a paragraph.
#[must_use]
pub fn came_back(one: &CameBack, lang: Lang) -> String {
    let mut out = String::new();
    let (at, id) = (time::moment(one.at), one.message.to_string());
    let sender = safe(one.sender.as_str());
    let args = [("id", (&id).into()), ("sender", (&sender).into())];
    let about = say(lang, "bounces-about", &args);
    let who = match &one.recipient {
        Some(recipient) => safe(recipient.as_str()),
        None => plain(lang, "bounces-nobody"),
    };
    out.push_str(&format!("{at}  {who}  {about}\n"));
    paragraph(&mut out, "    ", &tell(&one.returned, lang), STORY_WIDTH);
    out.truncate(out.trim_end().len());
    out
}

/// That nothing came back.
#[must_use]
pub fn nothing_returned(lang: Lang) -> String {
    plain(lang, "bounces-none")
}

/// All that is known of what came back, in a line of the story.
pub(crate) fn tell(returned: &Returned, lang: Lang) -> String {
    let mut parts = vec![returned_headline(returned, lang)];
    if let Some(names) = &returned.names {
        let names = safe(names);
        parts.push(say(lang, "return-names", &[("address", (&names).into())]));
    }
    if let Some(reporter) = &returned.reporter {
        let reporter = safe(reporter);
        parts.push(say(
            lang,
            "return-reporter",
            &[("reporter", (&reporter).into())],
        ));
    }
    let (report, by) = (returned.report.to_string(), joined_by(returned.by, lang));
    let args = [("report", (&report).into()), ("by", (&by).into())];
    parts.push(say(lang, "return-by", &args));
    if let Some(copy) = &returned.passed_on {
        let copy = copy.to_string();
        parts.push(say(lang, "return-passed-on", &[("copy", (&copy).into())]));
    }
    if returned.suppressed {
        parts.push(plain(lang, "return-suppressed"));
    }
    if let Some(words) = &returned.words {
        let words = safe(words);
        parts.push(say(lang, "return-words", &[("words", (&words).into())]));
    }
    parts.join("; ")
}

fn joined_by(by: JoinedBy, lang: Lang) -> String {
    plain(lang, &format!("joined-{}", by.as_str()))
}

/// The events of a mail that was read here.
pub(crate) fn joined(about: &str, by: JoinedBy, kind: ReturnKind, lang: Lang) -> String {
    let (by, kind) = (joined_by(by, lang), kind_text(kind, lang));
    let args = [
        ("about", about.into()),
        ("by", (&by).into()),
        ("kind", (&kind).into()),
    ];
    say(lang, "event-joined", &args)
}

pub(crate) fn not_joined(kind: ReturnKind, lang: Lang) -> String {
    let kind = kind_text(kind, lang);
    say(lang, "event-not-joined", &[("kind", (&kind).into())])
}

pub(crate) fn passed_on(copy: &str, lang: Lang) -> String {
    say(lang, "event-passed-on", &[("copy", copy.into())])
}

fn kind_text(kind: ReturnKind, lang: Lang) -> String {
    plain(lang, &format!("kind-{}", kind.as_str()))
}

/// What stands with a recipient in the story, where its mail came back.
pub(crate) fn standing(out: &mut String, story: &Story, index: u32, now: Timestamp, lang: Lang) {
    let of = |event: &&Event| event.recipient == Some(index);
    let last = story
        .events
        .iter()
        .filter(of)
        .rev()
        .find_map(|event| match &event.kind {
            EventKind::Returned(returned) if returned.kind == ReturnKind::Failure => {
                Some((event.at, returned.diagnosis.as_ref()?))
            }
            _ => None,
        });
    let Some((at, diagnosis)) = last else { return };
    let (time, why) = (time::moment(at), headline(diagnosis.cause, lang));
    let args = [("time", (&time).into()), ("headline", (&why).into())];
    let text = say(lang, "story-returned-value", &args);
    let name = plain(lang, "story-returned");
    paragraph(out, &format!("    {name:<15} "), &text, STORY_WIDTH);
    let next = Next {
        decision: Some(&Decision::Fail),
        now,
    };
    let words = explain(diagnosis, &next, lang);
    for (key, value) in [("story-what", &words.what), ("story-who", &words.who)] {
        let name = plain(lang, key);
        paragraph(out, &format!("    {name:<15} "), value, STORY_WIDTH);
    }
}
