//! The message tracking log: an event a row, with all recipients that it is about.

use diagnosis::{Dialect, Ended};

use super::super::fields::columns;
use super::super::line::{begins_any, between, holds_any};
use super::super::out::{Entry, Out, Reason};
use super::named;

#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    server: Option<usize>,
    source: Option<usize>,
    event: usize,
    recipients: usize,
    statuses: usize,
    sender: Option<usize>,
    message_id: Option<usize>,
}

impl Columns {
    pub(super) fn find(names: &[&[u8]]) -> Option<Columns> {
        Some(Columns {
            server: named(names, "server-hostname"),
            source: named(names, "source"),
            event: named(names, "event-id")?,
            recipients: named(names, "recipient-address")?,
            statuses: named(names, "recipient-status")?,
            sender: named(names, "sender-address"),
            message_id: named(names, "message-id"),
        })
    }
}

pub(super) fn row(entry: &Entry<'_>, at: &Columns, out: &mut Out<'_>) {
    let line = entry.line.bytes;
    let wanted = match out.deliveries {
        true => &[",FAIL,", ",DEFER,", ",SEND,", ",DELIVER,"][..],
        false => &[",FAIL,", ",DEFER,"],
    };
    if !holds_any(line, wanted) {
        return;
    }
    let row: Vec<&[u8]> = columns(line).collect();
    let column = |at: usize| row.get(at).copied().unwrap_or_default();
    let ended = match column(at.event) {
        b"FAIL" => Ended::GivenUp,
        b"DEFER" => Ended::StillTrying,
        b"SEND" | b"DELIVER" => {
            for recipient in column(at.recipients).split(|b| *b == b';') {
                out.delivered(entry, recipient);
            }
            return;
        }
        _ => return,
    };
    let recipients: Vec<&[u8]> = column(at.recipients).split(|b| *b == b';').collect();
    let statuses = statuses(column(at.statuses), recipients.len());
    let source = at.source.map(column).unwrap_or_default();
    let entry = Entry {
        host: at.server.map(column).filter(|host| !host.is_empty()),
        ..*entry
    };
    for (recipient, status) in recipients.iter().zip(statuses) {
        let reason = reason(status, source).ended(Some(ended));
        let mut case = out.case(&entry, recipient, &reason);
        case.about.from = at.sender.map(column).and_then(super::super::line::address);
        case.about.message_id = at
            .message_id
            .map(column)
            .and_then(super::super::line::address);
        out.give(case);
    }
}

/// The status of each recipient. A status may hold the mark between them: then each gets all of it.
fn statuses(text: &[u8], recipients: usize) -> Vec<&[u8]> {
    let parts: Vec<&[u8]> = if text.starts_with(b"[{") {
        let ends = memchr::memmem::find_iter(text, b"]").map(|at| at + 1);
        let mut from = 0;
        let mut parts = Vec::new();
        for end in ends.filter(|end| matches!(text.get(*end), None | Some(b';'))) {
            parts.push(&text[from.min(end)..end]);
            from = end + 1;
        }
        parts
    } else {
        text.split(|b| *b == b';').collect()
    };
    if parts.len() == recipients {
        parts
    } else {
        vec![text; recipients]
    }
}

/// `550 5.1.1 …`, or `[{LED=550 5.1.10 …};{MSG=};{FQDN=mx.example.org};{IP=192.0.2.1};{LRT=…}]`.
fn reason<'a>(status: &'a [u8], source: &[u8]) -> Reason<'a> {
    let words = between(status, b"{LED=", b"};").or_else(|| between(status, b"{LED=", b"}"));
    let words = words.unwrap_or(status).trim_ascii();
    let words = words.strip_prefix(b"'").unwrap_or(words);
    let words = words.strip_suffix(b"'").unwrap_or(words);
    let named = |mark: &[u8]| between(status, mark, b"}").filter(|value| !value.is_empty());
    let peer = named(b"{FQDN=").or_else(|| named(b"{IP="));
    let own = matches!(source, b"QUEUE" | b"DNS")
        || (source == b"SMTP" && peer.is_none() && holds_any(words, &[" 4.4.", "#4.4.", " 5.4."]));
    if own || begins_any(words, &["Message expired"]) {
        return Reason::of_server(words, Dialect::Exchange).peer(peer);
    }
    Reason {
        dialect: peer.is_none().then_some(Dialect::Exchange),
        ..Reason::of_peer(words).peer(peer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{delivered, expect, one};

    const HEAD: &str = "#Software: Microsoft Exchange Server\n#Version: 15.02.1118.007\n#Log-type: Message Tracking Log\n#Date: 2026-03-04T13:00:00.000Z\n#Fields: date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path\n";

    #[test]
    fn each_recipient_of_an_event_gets_its_own_status() {
        let log = format!(
            "{HEAD}2026-03-04T13:02:11.123Z,,,198.51.100.1,ex1,;queue,Out,SMTP,FAIL,123,<m1@example.com>,net1,a@example.org;b@example.org,\"[{{LED=550 5.1.1 User unknown}};{{MSG=}};{{FQDN=mx.example.org}};{{IP=192.0.2.1}};{{LRT=}}];[{{LED=552 5.2.2 Mailbox full}};{{MSG=}};{{FQDN=mx.example.org}};{{IP=192.0.2.1}};{{LRT=}}]\",512,2,,,\"Hello, you\",me@example.com,me@example.com\n\
             2026-03-04T13:02:12.123Z,,,198.51.100.1,ex1,,,ROUTING,FAIL,124,<m2@example.com>,net2,c@example.com,550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup,512,1,,,Hi,me@example.com,me@example.com\n"
        );
        expect(&[(
            &log,
            &[
                "a@example.org 550 5.1.1 - Receiver GivenUp mx.example.org | 550 5.1.1 User unknown",
                "b@example.org 552 5.2.2 - Receiver GivenUp mx.example.org | 552 5.2.2 Mailbox full",
                "c@example.com 550 5.1.10 - Receiver GivenUp - | 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
            ],
        )]);
        let case = one(&log
            .lines()
            .take(5)
            .chain(log.lines().skip(6))
            .collect::<Vec<_>>()
            .join("\n"));
        assert_eq!(case.about.message_id.as_deref(), Some("m2@example.com"));
        assert_eq!(case.reporter.as_deref(), Some("ex1"));
    }

    #[test]
    fn deliveries_are_no_failures() {
        let log = format!(
            "{HEAD}2026-03-04T13:02:11.123Z,,,198.51.100.1,ex1,;queue,Out,SMTP,SEND,123,<m1@example.com>,net1,a@example.org,250 2.1.5 Recipient OK,512,1,,,Hello,me@example.com,me@example.com\n"
        );
        expect(&[(&log, &[])]);
        assert_eq!(delivered(&log), ["example.org"]);
    }
}
