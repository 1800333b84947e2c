//! Postrider's own log, as text or as JSON: `not delivered`, with `recipient`, `cause`, `said`, `why`.

use std::borrow::Cow;

use diagnosis::{Dialect, Ended, SaidBy, Stage};
use serde::Deserialize;

use crate::Words;

use super::fields::value;
use super::json;
use super::line::{cut, holds_any};
use super::out::{Entry, Out, Reason};
use super::stamp::{self, Stamp};

/// Whether this is a line of text: the level, then what happened.
pub(crate) fn is_message(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    (text.starts_with(b"WARN ") && holds_any(text, &["not delivered id="]))
        || (text.starts_with(b"INFO ") && holds_any(text, &["delivered id="]))
}

/// What a line tells.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told<'a> {
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow)]
    recipient: Option<Cow<'a, str>>,
    #[serde(borrow)]
    destination: Option<Cow<'a, str>>,
    #[serde(borrow)]
    stage: Option<Cow<'a, str>>,
    #[serde(borrow)]
    decision: Option<Cow<'a, str>>,
    #[serde(borrow)]
    said: Option<Cow<'a, str>>,
    #[serde(borrow)]
    why: Option<Cow<'a, str>>,
}

pub(crate) fn read_json(entry: &Entry<'_>, out: &mut Out<'_>) {
    let line = entry.line;
    let wanted = match out.deliveries {
        true => &["\"not delivered\"", "\"delivered\""][..],
        false => &["\"not delivered\""],
    };
    if !holds_any(entry.text, wanted) {
        return;
    }
    let Ok(told) = serde_json::from_slice::<Told<'_>>(line.bytes) else {
        return;
    };
    let stamp = told.timestamp.as_deref().map(str::as_bytes);
    let entry = Entry {
        stamp: stamp.map_or(Stamp::None, |text| stamp::split(text).0),
        ..*entry
    };
    let words = match (&told.said, &told.why) {
        (Some(said), _) => json::words(line, "said", said),
        (None, Some(why)) => json::words(line, "why", why),
        (None, None) => Words::default(),
    };
    tell(&entry, &told, &words, out);
}

pub(crate) fn read_text(entry: &Entry<'_>, out: &mut Out<'_>) {
    let text = entry.text;
    let failed = holds_any(text, &[" not delivered id="]);
    if !failed && !out.deliveries {
        return;
    }
    let Some((_, fields)) = cut(text, b"delivered ") else {
        return;
    };
    let field = |key: &str| value(fields, key).map(String::from_utf8_lossy);
    let message = if failed { "not delivered" } else { "delivered" };
    let told = Told {
        timestamp: None,
        message: Some(Cow::Borrowed(message)),
        recipient: field("recipient"),
        destination: field("destination"),
        stage: field("stage"),
        decision: field("decision"),
        said: field("said"),
        why: field("why"),
    };
    let words = value(fields, "said").or_else(|| value(fields, "why"));
    let words = words.map(|part| entry.line.words(part)).unwrap_or_default();
    tell(entry, &told, &words, out);
}

fn tell(entry: &Entry<'_>, told: &Told<'_>, words: &Words, out: &mut Out<'_>) {
    let recipient = told.recipient.as_deref().unwrap_or_default().as_bytes();
    match told.message.as_deref() {
        Some("not delivered") => {}
        Some("delivered") => return out.delivered(entry, recipient),
        Some(_) | None => return,
    }
    let ended = match told.decision.as_deref() {
        Some("fail") => Some(Ended::GivenUp),
        Some("retry" | "next-transaction" | "hold") => Some(Ended::StillTrying),
        Some(_) | None => None,
    };
    let base = match told.said {
        Some(_) => Reason::of_peer(b""),
        None => Reason::of_server(b"", Dialect::Postrider),
    };
    let reason = base.at(told.stage.as_deref().and_then(stage)).ended(ended);
    let mut case = out.case_of(entry, recipient, &reason, words);
    case.peer = told.destination.as_deref().map(str::to_owned);
    if case.said_by == SaidBy::Sender {
        // Numbers in our own explanation are no codes that anybody sent.
        case.reply = None;
        case.status = None;
    }
    out.give(case);
}

/// The stage with this name.
fn stage(name: &str) -> Option<Stage> {
    const ALL: &[Stage] = &[
        Stage::Route,
        Stage::Connect,
        Stage::Greeting,
        Stage::Hello,
        Stage::StartTls,
        Stage::Auth,
        Stage::Mail,
        Stage::Rcpt,
        Stage::Data,
        Stage::Content,
        Stage::EndOfData,
        Stage::Reset,
        Stage::Quit,
    ];
    ALL.iter().copied().find(|stage| stage.as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{delivered, expect, one};

    #[test]
    fn our_own_log_is_read_in_both_forms() {
        let text = "2026-03-04T13:02:11.123456Z  WARN not delivered id=019f recipient=a@example.org destination=example.org cause=\"mailbox.full\" stage=\"rcpt\" decision=\"retry\" at=\"2026-03-04T13:07:11Z\" said=\"452 4.2.2 Mailbox full\" why=\"The mailbox is full.\"";
        let json = r#"{"timestamp":"2026-03-04T13:02:11.123456Z","level":"WARN","message":"not delivered","id":"019f","recipient":"a@example.org","destination":"example.org","cause":"mailbox.full","stage":"rcpt","decision":"fail","said":"550-5.2.2 Mailbox / 550 5.2.2 full","why":"The mailbox is full.","target":"delivery::log"}"#;
        expect(&[
            (
                text,
                &[
                    "a@example.org 452 4.2.2 rcpt Receiver StillTrying example.org | 452 4.2.2 Mailbox full",
                ],
            ),
            (
                json,
                &[
                    "a@example.org 550 5.2.2 rcpt Receiver GivenUp example.org | 550-5.2.2 Mailbox / 550 5.2.2 full",
                ],
            ),
            (
                r#"{"timestamp":"2026-03-04T13:02:11Z","level":"WARN","message":"not delivered","recipient":"a@example.org","destination":"example.org","cause":"server.unreachable","stage":"connect","decision":"retry","why":"The server could not be reached."}"#,
                &[
                    "a@example.org - - connect Sender StillTrying example.org | The server could not be reached.",
                ],
            ),
        ]);
        assert_eq!(one(text).at, one(json).at);
    }

    #[test]
    fn deliveries_are_no_failures() {
        let log = "2026-03-04T13:02:11.123456Z  INFO delivered id=019f recipient=a@example.org destination=example.org said=\"250 ok\"\n";
        expect(&[(log, &[])]);
        assert_eq!(delivered(log), ["example.org"]);
    }
}
