//! Sendmail: `<queue id>: to=<…>, …, relay=…, dsn=…, reply=…, stat=…`, and what its rules and milters
//! turn away.

use diagnosis::{Dialect, Ended, SaidBy, Stage};

use super::line::{begins, begins_any, between, cut, cut_last, holds_any, is_refusal};
use super::out::{Entry, Out, Reason};

pub(crate) fn is_tag(tag: &[u8]) -> bool {
    begins_any(tag, &["sm-", "sendmail"])
}

pub(crate) fn read(entry: &Entry<'_>, out: &mut Out<'_>) {
    let Some((id, text)) = cut(entry.text, b": ") else {
        return;
    };
    if id.is_empty() || !id.iter().all(u8::is_ascii_alphanumeric) {
        return rule(entry, entry.text, out);
    }
    match text {
        [b't', b'o', b'=', rest @ ..] => delivery(entry, rest, out),
        [b'M', b'i', b'l', b't', b'e', b'r', b':', b' ', rest @ ..] => milter(entry, rest, out),
        [b'<', ..] => turned_away(entry, text, out),
        _ => rule(entry, text, out),
    }
}

/// `<…>,<…>, delay=…, xdelay=…, mailer=…, pri=…, relay=…, dsn=…, reply=…, stat=…`.
fn delivery(entry: &Entry<'_>, text: &[u8], out: &mut Out<'_>) {
    let Some((fields, stat)) = cut_last(text, b", stat=") else {
        return;
    };
    // The addresses end where the next field begins.
    let Some((recipients, fields)) = cut(fields, b", ") else {
        return;
    };
    if begins(stat, b"Sent") {
        for recipient in recipients.split(|b| *b == b',') {
            out.delivered(entry, recipient);
        }
        return;
    }
    if begins(stat, b"queued") || stat.is_empty() {
        return;
    }
    let reason = reason(fields, stat);
    for recipient in recipients.split(|b| *b == b',') {
        out.failed(entry, recipient, &reason);
    }
}

fn reason<'a>(fields: &'a [u8], stat: &'a [u8]) -> Reason<'a> {
    let relay =
        between(fields, b"relay=", b", ").or_else(|| cut(fields, b"relay=").map(|(_, r)| r));
    let dsn = cut(fields, b"dsn=").map(|(_, dsn)| dsn);
    let dsn = dsn.map(|dsn| &dsn[..memchr::memchr(b',', dsn).unwrap_or(dsn.len())]);
    let reply = cut(fields, b", reply=").map(|(_, reply)| reply);
    let (deferred, own) = match stat.strip_prefix(b"Deferred") {
        Some(rest) => (true, rest.strip_prefix(b": ").unwrap_or(stat)),
        None => (dsn.is_some_and(|dsn| dsn.starts_with(b"4")), stat),
    };
    let ended = if deferred {
        Ended::StillTrying
    } else {
        Ended::GivenUp
    };
    // `reply=` came with 8.13; before it, `stat=` holds the reply.
    let said = reply.filter(|reply| is_refusal(reply)).unwrap_or(own);
    let base = if is_refusal(said) {
        Reason::of_peer(said)
    } else if is_own(own) {
        Reason::of_server(own, Dialect::Sendmail).at(own_stage(own))
    } else {
        Reason {
            dialect: Some(Dialect::Sendmail),
            ..Reason::of_peer(own)
        }
    };
    let base = match base.said_by {
        // `reply=` may be a relay's word while `stat=` tells what became of it.
        SaidBy::Receiver | SaidBy::Sender | SaidBy::Relay => base.ended(Some(ended)),
    };
    base.status(dsn).peer(relay)
}

/// Whether Sendmail found this itself, rather than being told.
fn is_own(stat: &[u8]) -> bool {
    begins_any(
        stat,
        &[
            "Connection ",
            "Host unknown",
            "Name server",
            "I/O error",
            "Operation timed out",
            "No route to host",
            "Network is unreachable",
            "Host name lookup",
            "Remote protocol error",
            "Local configuration error",
            "Cannot send message for",
            "timed out",
            "Timeout",
            "TLS",
            "Deferred",
            "config error",
            "too many hops",
            "Too many hops",
            "Message could not be delivered",
        ],
    ) || holds_any(stat, &["timed out", "SYSERR"])
}

fn own_stage(words: &[u8]) -> Option<Stage> {
    const SIGNS: &[(&[&str], Stage)] = &[
        (
            &[
                "Host unknown",
                "Name server",
                "Host name lookup",
                "configuration error",
                "config error",
            ],
            Stage::Route,
        ),
        (&["TLS"], Stage::StartTls),
        (
            &[
                "Connection refused",
                "Connection timed out",
                "Operation timed out",
                "No route",
                "unreachable",
            ],
            Stage::Connect,
        ),
    ];
    let found = SIGNS.iter().find(|(signs, _)| holds_any(words, signs));
    found.map(|(_, stage)| *stage)
}

/// `ruleset=check_rcpt, arg1=<…>, relay=…, reject=550 …`.
fn rule(entry: &Entry<'_>, text: &[u8], out: &mut Out<'_>) {
    if !text.starts_with(b"ruleset=check_rcpt,") {
        return;
    }
    rejected(entry, text, b"arg1=", out);
}

/// `to=<…>, reject=451 …` of a milter.
fn milter(entry: &Entry<'_>, text: &[u8], out: &mut Out<'_>) {
    if text.starts_with(b"to=") {
        rejected(entry, text, b"to=", out);
    }
}

fn rejected(entry: &Entry<'_>, text: &[u8], field: &[u8], out: &mut Out<'_>) {
    let recipient = cut(text, field).and_then(|(_, rest)| cut(rest, b", "));
    let (Some((recipient, _)), Some((_, said))) = (recipient, cut(text, b"reject=")) else {
        return;
    };
    give_away(entry, recipient, said, out);
}

/// `<someone@example.org>... User unknown`: this server turned somebody away.
fn turned_away(entry: &Entry<'_>, text: &[u8], out: &mut Out<'_>) {
    if let Some((recipient, said)) = cut(text, b">... ") {
        give_away(entry, &recipient[1..], said, out);
    }
}

fn give_away(entry: &Entry<'_>, recipient: &[u8], said: &[u8], out: &mut Out<'_>) {
    let reason = Reason {
        dialect: Some(Dialect::Sendmail),
        peer: entry.host,
        ..Reason::of_peer(said).at(Some(Stage::Rcpt))
    };
    out.failed(entry, recipient, &reason);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{delivered, expect};

    #[test]
    fn each_recipient_of_a_line_is_a_case() {
        expect(&[(
            "Mar  4 14:02:11 mail sm-mta[1]: 624D2B1c001234: to=<a@example.org>,<b@example.org>, ctladdr=<me@example.com> (1000/1000), delay=00:00:02, xdelay=00:00:02, mailer=esmtp, pri=120345, relay=mx.example.org. [192.0.2.1], dsn=5.1.1, reply=550 5.1.1 <a@example.org>... User unknown, stat=User unknown",
            &[
                "a@example.org 550 5.1.1 - Receiver GivenUp mx.example.org | 550 5.1.1 <a@example.org>... User unknown",
                "b@example.org 550 5.1.1 - Receiver GivenUp mx.example.org | 550 5.1.1 <a@example.org>... User unknown",
            ],
        )]);
    }

    #[test]
    fn what_is_deferred_is_still_tried() {
        expect(&[
            (
                "Mar  4 14:02:11 mail sendmail[1]: 624D2B1c001234: to=<a@example.org>, delay=00:05:02, xdelay=00:05:00, mailer=esmtp, pri=120345, relay=mx.example.org. [192.0.2.1], dsn=4.0.0, stat=Deferred: Connection timed out with mx.example.org.",
                &[
                    "a@example.org - 4.0.0 connect Sender StillTrying mx.example.org | Connection timed out with mx.example.org.",
                ],
            ),
            (
                "Mar  4 14:02:11 mail sm-mta[1]: [ID 801593 mail.info] 624D2B1c001234: to=<a@example.org>, delay=00:00:02, mailer=esmtp, pri=120345, relay=mx.example.org. [192.0.2.1], dsn=4.2.2, stat=Deferred: 452 4.2.2 Mailbox full",
                &[
                    "a@example.org 452 4.2.2 - Receiver StillTrying mx.example.org | 452 4.2.2 Mailbox full",
                ],
            ),
            (
                "Mar  4 14:02:11 mail sm-mta[1]: 624D2B1c001234: to=<a@nowhere.example>, delay=00:00:02, mailer=esmtp, pri=120345, relay=nowhere.example, dsn=5.1.2, stat=Host unknown (Name server: nowhere.example: host not found)",
                &[
                    "a@nowhere.example - 5.1.2 route Sender GivenUp nowhere.example | Host unknown (Name server: nowhere.example: host not found)",
                ],
            ),
        ]);
    }

    #[test]
    fn who_was_turned_away_is_a_case_of_this_server() {
        expect(&[
            (
                "Mar  4 14:02:11 mail sm-mta[1]: 624D2B1c001234: ruleset=check_rcpt, arg1=<x@example.org>, relay=client.example.net [192.0.2.9], reject=550 5.7.1 <x@example.org>... Relaying denied",
                &[
                    "x@example.org 550 5.7.1 rcpt Receiver - mail | 550 5.7.1 <x@example.org>... Relaying denied",
                ],
            ),
            (
                "Mar  4 14:02:11 mail sm-mta[1]: 624D2B1c001234: Milter: to=<x@example.org>, reject=451 4.7.1 Greylisting in action, please come back later",
                &[
                    "x@example.org 451 4.7.1 rcpt Receiver - mail | 451 4.7.1 Greylisting in action, please come back later",
                ],
            ),
            (
                "Mar  4 14:02:11 mail sm-mta[1]: 624D2B1c001234: <nobody@example.org>... User unknown",
                &["nobody@example.org - - rcpt Receiver - mail | User unknown"],
            ),
        ]);
    }

    #[test]
    fn what_was_sent_or_waits_is_no_failure() {
        let log = "Mar  4 14:02:11 mail sm-mta[1]: 624D2B1c001234: to=<a@example.org>, delay=00:00:02, mailer=esmtp, pri=120345, relay=mx.example.org. [192.0.2.1], dsn=2.0.0, stat=Sent (Ok: queued)\n\
            Mar  4 14:02:11 mail sm-mta[1]: 624D2B1c001234: from=<me@example.com>, size=512, class=0, nrcpts=1\n\
            Mar  4 14:02:11 mail sm-mta[1]: 624D2B1c001234: to=<a@example.org>, delay=00:00:00, mailer=esmtp, pri=30000, dsn=2.0.0, stat=queued\n";
        expect(&[(log, &[])]);
        assert_eq!(delivered(log), ["example.org"]);
    }
}
