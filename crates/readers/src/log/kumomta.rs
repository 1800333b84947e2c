//! KumoMTA: one record of JSON a line, with `type`, `recipient`, `response`, `peer_address`.

use std::borrow::Cow;

use diagnosis::{Dialect, Ended, Stage};
use jiff::Timestamp;
use serde::Deserialize;
use smtp::{Class, EnhancedStatus};

use crate::{Case, Spanned};

use super::json;
use super::line::holds_any;
use super::out::{Entry, Out, Reason, stage_of};

/// Kinds of records of recipients that failed, and what becomes of the message then.
const FAILED: &[(&str, Ended)] = &[
    ("TransientFailure", Ended::StillTrying),
    ("Bounce", Ended::GivenUp),
    ("AdminBounce", Ended::GivenUp),
    ("Expiration", Ended::GivenUp),
    ("OOB", Ended::GivenUp),
    ("Rejection", Ended::GivenUp),
];

pub(crate) fn is_record(line: &[u8]) -> bool {
    line.starts_with(b"{\"type\":\"")
        || (holds_any(line, &["\"type\":"])
            && holds_any(line, &["\"peer_address\":", "\"egress_pool\":"]))
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    sender: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    recipient: Option<Recipients<'a>>,
    #[serde(borrow, default)]
    response: Option<Response<'a>>,
    #[serde(borrow, default)]
    peer_address: Option<Peer<'a>>,
    #[serde(default)]
    timestamp: Option<serde_json::Number>,
}

/// One recipient; where a message has several in one transaction, all of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Recipients<'a> {
    One(#[serde(borrow)] Cow<'a, str>),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(default)]
    code: Option<u16>,
    #[serde(default)]
    enhanced_code: Option<Enhanced>,
    #[serde(borrow, default)]
    content: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    command: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Enhanced {
    class: u16,
    subject: u16,
    detail: u16,
}

#[derive(Deserialize)]
struct Peer<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    addr: Option<Cow<'a, str>>,
}

pub(crate) fn read(entry: &Entry<'_>, out: &mut Out<'_>) {
    if !out.deliveries
        && holds_any(
            entry.text,
            &["\"type\":\"Delivery\"", "\"type\":\"Reception\""],
        )
    {
        return;
    }
    let Ok(record) = serde_json::from_slice::<Record<'_>>(entry.text) else {
        return;
    };
    let recipients: Vec<&str> = match &record.recipient {
        Some(Recipients::One(one)) => vec![one],
        Some(Recipients::Several(all)) => all.iter().map(String::as_str).collect(),
        None => vec![""],
    };
    let at = record.timestamp.as_ref().and_then(time);
    if record.kind == "Delivery" {
        for recipient in recipients {
            out.delivered_then(recipient.as_bytes(), at);
        }
        return;
    }
    let Some((_, ended)) = FAILED.iter().find(|(kind, _)| record.kind == *kind) else {
        return;
    };
    for recipient in recipients {
        let case = case(entry, &record, recipient, *ended, out);
        out.give(Case { at, ..case });
    }
}

fn case(
    entry: &Entry<'_>,
    record: &Record<'_>,
    recipient: &str,
    ended: Ended,
    out: &mut Out<'_>,
) -> Case {
    let response = record.response.as_ref();
    let content = response.and_then(|r| r.content.clone()).unwrap_or_default();
    // Its own failures have a code too, which nobody sent.
    let own = content.starts_with("KumoMTA internal")
        || record.kind == "AdminBounce"
        || record.kind == "Expiration";
    let stage = response
        .and_then(|r| r.command.as_deref())
        .and_then(|command| match command.trim() {
            "." => Some(Stage::EndOfData),
            command => stage_of(command.as_bytes()),
        });
    let base = if own {
        Reason::of_server(b"", Dialect::KumoMta)
    } else {
        Reason::of_peer(b"")
    };
    let words = json::words(entry.line, "content", &content);
    let reason = base.at(stage).ended(Some(ended));
    let mut case = out.case_of(entry, recipient.as_bytes(), &reason, &words);
    let code = response
        .and_then(|r| r.code)
        .filter(|code| (400..600).contains(code) && !own);
    if let (Some(value), Some(span)) = (code, json::place(entry.line, "code")) {
        case.reply = Some(Spanned { value, span });
    }
    let status = response
        .and_then(|r| r.enhanced_code.as_ref())
        .and_then(status);
    if let (Some(value), Some(span)) = (status, json::place(entry.line, "enhanced_code")) {
        case.status = Some(Spanned { value, span });
    }
    case.about.from = record
        .sender
        .as_deref()
        .and_then(|s| super::line::address(s.as_bytes()));
    let peer = record.peer_address.as_ref();
    let name = peer.and_then(|p| {
        p.name
            .as_deref()
            .filter(|n| !n.is_empty())
            .or(p.addr.as_deref())
    });
    case.peer = name.map(|name| name.trim_end_matches('.').to_owned());
    case
}

fn status(code: &Enhanced) -> Option<EnhancedStatus> {
    let class = match code.class {
        4 => Class::Transient,
        5 => Class::Permanent,
        _ => return None,
    };
    Some(EnhancedStatus::new(class, code.subject, code.detail))
}

/// Seconds since 1970, whole or not.
fn time(seconds: &serde_json::Number) -> Option<Timestamp> {
    match seconds.as_i64() {
        Some(whole) => Timestamp::from_second(whole).ok(),
        None => {
            let duration = jiff::SignedDuration::try_from_secs_f64(seconds.as_f64()?).ok()?;
            Timestamp::from_duration(duration).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{delivered, expect, one};

    #[test]
    fn records_of_failures_are_cases() {
        let log = r#"{"type":"TransientFailure","id":"d7ef","sender":"me@example.com","recipient":"a@example.org","queue":"example.org","site":"out->mx.example.org","size":1047,"response":{"code":451,"enhanced_code":{"class":4,"subject":7,"detail":1},"content":"Greylisted, \"please\" wait","command":"RCPT TO:<a@example.org>"},"peer_address":{"name":"mx.example.org.","addr":"192.0.2.1"},"timestamp":1772632931,"num_attempts":1}"#;
        expect(&[
            (
                log,
                &[
                    r#"a@example.org 451 4.7.1 rcpt Receiver StillTrying mx.example.org | Greylisted, "please" wait"#,
                ],
            ),
            (
                r#"{"type":"Bounce","sender":"me@example.com","recipient":["a@example.org","b@example.org"],"response":{"code":550,"enhanced_code":null,"content":"no such user","command":null},"peer_address":{"name":"","addr":"192.0.2.1"},"timestamp":1772632931.5}"#,
                &[
                    "a@example.org 550 - - Receiver GivenUp 192.0.2.1 | no such user",
                    "b@example.org 550 - - Receiver GivenUp 192.0.2.1 | no such user",
                ],
            ),
            (
                r#"{"type":"TransientFailure","recipient":"a@example.org","response":{"code":400,"content":"KumoMTA internal: failed to connect to any candidate hosts: connection refused"},"peer_address":null,"timestamp":1772632931}"#,
                &[
                    "a@example.org - - - Sender StillTrying - | KumoMTA internal: failed to connect to any candidate hosts: connection refused",
                ],
            ),
        ]);
        assert_eq!(one(log).at.unwrap().to_string(), "2026-03-04T14:02:11Z");
    }

    #[test]
    fn deliveries_are_no_failures() {
        let log = "{\"type\":\"Delivery\",\"recipient\":\"a@example.org\",\"response\":{\"code\":250,\"content\":\"ok\"},\"timestamp\":1}\n";
        expect(&[(log, &[])]);
        assert_eq!(delivered(log), ["example.org"]);
        expect(&[("{\"type\":\"Bounce\",\"recipient\":", &[])]);
    }
}
