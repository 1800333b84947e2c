//! Exim's main log: `<id> ** address R=… T=… H=…: reason`, `== address … defer (n): reason`, and
//! `rejected RCPT <…>: reason`.

use diagnosis::{Dialect, Ended, Stage};

use super::line::{begins, begins_any, between, cut, holds_any, is_refusal};
use super::out::{Entry, Out, Reason, stage_of};

/// Whether this is what Exim writes after its time: a message id, a client, or what it does itself.
pub(crate) fn is_message(text: &[u8]) -> bool {
    let text = skip_pid(text);
    identified(text).is_some()
        || text.starts_with(b"H=")
        || begins_any(
            text,
            &["Start queue run: pid=", "End queue run: pid=", "exim "],
        )
        || (text.starts_with(b"no host name found for IP address"))
}

/// `[1234] `, with `log_selector = +pid`.
fn skip_pid(text: &[u8]) -> &[u8] {
    let Some(rest) = text.strip_prefix(b"[") else {
        return text;
    };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    rest[digits..].strip_prefix(b"] ").unwrap_or(text)
}

/// A message id and what follows it: `1tABcd-0000xx-1Y`, since 4.97 `1tABcd-00000001xXx-1YzZ`.
fn identified(text: &[u8]) -> Option<&[u8]> {
    let dash = 6;
    let middle = match (text.get(13), text.get(18)) {
        (Some(b'-'), _) => 6,
        (_, Some(b'-')) => 11,
        _ => return None,
    };
    let last = if middle == 6 { 2 } else { 4 };
    let end = dash + 1 + middle + 1 + last;
    let id = text.get(..end)?;
    let shape = id.iter().enumerate().all(|(at, b)| match at {
        at if at == dash || at == dash + 1 + middle => *b == b'-',
        _ => b.is_ascii_alphanumeric(),
    });
    shape.then_some(())?;
    text[end..].strip_prefix(b" ")
}

pub(crate) fn read(entry: &Entry<'_>, out: &mut Out<'_>) {
    let text = skip_pid(entry.text);
    // Through syslog Exim may write its own time too.
    let text = match super::stamp::split(text) {
        (super::stamp::Stamp::Iso(_), rest) => skip_pid(rest.trim_ascii_start()),
        _ => text,
    };
    let Some(rest) = identified(text) else {
        rejection(entry, text, out);
        return;
    };
    match rest {
        [b'*', b'*', b' ', rest @ ..] => failure(entry, rest, Ended::GivenUp, out),
        [b'=', b'=', b' ', rest @ ..] => failure(entry, rest, Ended::StillTrying, out),
        // `=>` the first address of a delivery, `->` the others.
        [b'=' | b'-', b'>', b' ', rest @ ..] if out.deliveries => {
            out.delivered(entry, addressed(rest).0);
        }
        [b'H', b'=', ..] => rejection(entry, rest, out),
        _ => {}
    }
}

/// The address at the start, which failed, and the rest; `final <written to>` gives both.
fn addressed(text: &[u8]) -> (&[u8], &[u8]) {
    let quoted = match text.first() {
        Some(b'"') => 1 + text[1..].iter().position(|b| *b == b'"').unwrap_or(0),
        Some(_) | None => 0,
    };
    let end = text[quoted..]
        .iter()
        .position(|b| *b == b' ')
        .map_or(text.len(), |at| at + quoted);
    let (address, rest) = text.split_at(end);
    match address.strip_suffix(b":") {
        // `** a@example.org: Unrouteable address`
        Some(address) => (address, &text[end - 1..]),
        None => (address, rest),
    }
}

fn failure(entry: &Entry<'_>, text: &[u8], ended: Ended, out: &mut Out<'_>) {
    let (address, rest) = addressed(text);
    let original = rest.strip_prefix(b" <").and_then(|r| cut(r, b">"));
    let rest = original.map_or(rest, |(_, rest)| rest);
    let (fields, words) = match reason_at(rest) {
        Some(at) => (&rest[..at], &rest[at + 2..]),
        None => (&rest[..0], rest),
    };
    let reason = reason(fields, words).ended(Some(ended));
    // Where a pipe or a file fails, the address is the one in the brackets.
    let is_address = memchr::memchr(b'@', address).is_some() || original.is_none();
    let recipient = match original {
        Some((written, _)) if !is_address => written,
        Some(_) | None => address,
    };
    let mut case = out.case(entry, recipient, &reason);
    if let (Some((written, _)), true) = (original, is_address) {
        case.original_recipient = super::line::address(written);
    }
    out.give(case);
}

/// Where the colon stands before the reason: outside quotes and brackets.
fn reason_at(text: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let mut at = 0;
    while at + 1 < text.len() {
        match text[at] {
            b'"' => quoted = !quoted,
            b'\\' => at += 1,
            b':' if !quoted && text[at + 1] == b' ' => return Some(at),
            _ => {}
        }
        at += 1;
    }
    // A quote that does not end.
    memchr::memmem::find(text, b": ")
}

/// Who said it, and at which step.
fn reason<'a>(fields: &'a [u8], words: &'a [u8]) -> Reason<'a> {
    let host = cut(fields, b"H=").map(|(_, host)| host);
    // `SMTP error from remote mail server after RCPT TO:<…>: 550 …`, in old versions with
    // `host mx.example.org [192.0.2.1]: ` before the reply.
    const TOLD: &[&[u8]] = &[
        b"SMTP error from remote mail server after ",
        b"SMTP error from remote mailer after ",
        b"LMTP error after ",
        b"SMTP error after ",
    ];
    let told = TOLD.iter().find(|told| begins(words, told));
    if let Some(after) = told.map(|told| &words[told.len()..]) {
        let (command, said) = reply_after(after);
        let (said, named) = match said.strip_prefix(b"host ").and_then(|s| cut(s, b"]: ")) {
            Some((host, said)) => (said, Some(host)),
            None => (said, None),
        };
        let step = command.strip_prefix(b"pipelined ").unwrap_or(command);
        return Reason::of_peer(said)
            .at(stage_of(step))
            .peer(host.or(named));
    }
    if is_refusal(words) {
        return Reason::of_peer(words).peer(host);
    }
    let transport = between(fields, b"T=", b" ").or_else(|| cut(fields, b"T=").map(|(_, t)| t));
    let local =
        transport.is_some_and(|name| host.is_none() && !holds_any(name, &["smtp", "remote"]));
    if local {
        return Reason {
            dialect: Some(Dialect::Exim),
            ..Reason::of_peer(words)
        };
    }
    Reason::of_server(words, Dialect::Exim)
        .at(own_stage(words, transport.is_some()))
        .peer(host)
}

/// The command and the reply to it: the first colon after which a reply begins.
fn reply_after(after: &[u8]) -> (&[u8], &[u8]) {
    for at in memchr::memmem::find_iter(after, b": ") {
        let said = &after[at + 2..];
        if is_refusal(said) || said.starts_with(b"host ") {
            return (&after[..at], said);
        }
    }
    cut(after, b": ").unwrap_or((after, after))
}

fn own_stage(words: &[u8], has_transport: bool) -> Option<Stage> {
    const SIGNS: &[(&[&str], Stage)] = &[
        (&["TLS"], Stage::StartTls),
        (&["authenticat"], Stage::Auth),
        (&["initial connection", "before initial"], Stage::Greeting),
        (&["after EHLO", "after HELO"], Stage::Hello),
        (&["after MAIL", "after pipelined MAIL"], Stage::Mail),
        (&["after RCPT"], Stage::Rcpt),
        (&["after DATA"], Stage::Data),
        (&["after sending data block"], Stage::Content),
        (&["after end of data"], Stage::EndOfData),
        (
            &[
                "Connection refused",
                "Connection timed out",
                "onnect",
                "No route to host",
                "Network is unreachable",
                "retry time",
                "have been failing",
            ],
            Stage::Connect,
        ),
    ];
    if let Some((_, stage)) = SIGNS.iter().find(|(signs, _)| holds_any(words, signs)) {
        return Some(*stage);
    }
    (!has_transport).then_some(Stage::Route)
}

/// `H=(helo) [192.0.2.9] F=<…> rejected RCPT <…>: reason`: this server turned somebody away.
fn rejection(entry: &Entry<'_>, text: &[u8], out: &mut Out<'_>) {
    let Some((before, rest)) = cut(text, b"rejected RCPT ") else {
        return;
    };
    let Some((recipient, words)) = cut(rest, b": ") else {
        return;
    };
    let ended = if before.ends_with(b"temporarily ") {
        Ended::StillTrying
    } else {
        Ended::GivenUp
    };
    let reason = Reason {
        dialect: Some(Dialect::Exim),
        peer: entry.host,
        ..Reason::of_peer(words)
            .at(Some(Stage::Rcpt))
            .ended(Some(ended))
    };
    let mut case = out.case(entry, recipient, &reason);
    case.about.from = between(before, b"F=<", b">").and_then(super::line::address);
    out.give(case);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{delivered, expect, one};

    #[test]
    fn failures_and_deferrals_hold_the_words_of_whoever_spoke() {
        expect(&[
            (
                "2026-03-04 14:02:11 1tABcd-0000xx-1Y ** anna@example.org R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.1] X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=yes DN=\"/CN=mx: one\": SMTP error from remote mail server after RCPT TO:<anna@example.org>: 550 5.1.1 No such user",
                &[
                    "anna@example.org 550 5.1.1 rcpt Receiver GivenUp mx.example.org | 550 5.1.1 No such user",
                ],
            ),
            (
                "2026-03-04 14:02:11.250 +0100 [77] 1tABcd-00000001xXx-1YzZ == b@example.org <alias@example.com> R=dnslookup T=remote_smtp defer (-44) H=mx.example.org [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<b@example.org>: 451 4.7.1 Greylisted: try again in 300 seconds",
                &[
                    "b@example.org 451 4.7.1 rcpt Receiver StillTrying mx.example.org | 451 4.7.1 Greylisted: try again in 300 seconds",
                ],
            ),
            (
                "2026-03-04 14:02:11 1tABcd-0000xx-1Y ** c@example.org R=dnslookup T=remote_smtp: SMTP error from remote mail server after end of data: host mx.example.org [192.0.2.1]: 552 too big",
                &["c@example.org 552 - end_of_data Receiver GivenUp mx.example.org | 552 too big"],
            ),
            (
                "2026-03-04 14:02:11 1tABcd-0000xx-1Y == d@example.org R=dnslookup T=remote_smtp defer (110): Connection timed out",
                &["d@example.org - - connect Sender StillTrying - | Connection timed out"],
            ),
            (
                "2026-03-04 14:02:11 1tABcd-0000xx-1Y == d@example.org R=dnslookup T=remote_smtp defer (-53): retry time not reached for any host for 'example.org'",
                &[
                    "d@example.org - - connect Sender StillTrying - | retry time not reached for any host for 'example.org'",
                ],
            ),
            (
                "2026-03-04 14:02:11 1tABcd-0000xx-1Y ** e@nowhere.example: Unrouteable address",
                &["e@nowhere.example - - route Sender GivenUp - | Unrouteable address"],
            ),
            (
                "2026-03-04 14:02:11 1tABcd-0000xx-1Y == |/usr/bin/vacation <f@example.com> R=userforward T=address_pipe defer (0): Child process of address_pipe transport returned 75",
                &[
                    "f@example.com - - - Receiver StillTrying - | Child process of address_pipe transport returned 75",
                ],
            ),
        ]);
    }

    #[test]
    fn who_was_turned_away_is_a_case_of_this_server() {
        expect(&[
            (
                "2026-03-04 14:02:11 H=(client) [192.0.2.9] F=<s@example.net> rejected RCPT <x@example.org>: relay not permitted",
                &["x@example.org - - rcpt Receiver GivenUp - | relay not permitted"],
            ),
            (
                "Mar  4 14:02:11 mail exim[12]: 2026-03-04 14:02:11 H=(client) [192.0.2.9] F=<s@example.net> temporarily rejected RCPT <x@example.org>: greylisted",
                &["x@example.org - - rcpt Receiver StillTrying mail | greylisted"],
            ),
        ]);
    }

    #[test]
    fn deliveries_and_the_rest_are_no_failures() {
        let log = "2026-03-04 14:02:11 1tABcd-0000xx-1Y <= me@example.com H=localhost [127.0.0.1] P=esmtp S=512\n\
            2026-03-04 14:02:11 1tABcd-0000xx-1Y => a@example.org R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.1] C=\"250 Ok\"\n\
            2026-03-04 14:02:11 1tABcd-0000xx-1Y -> b@example.org R=dnslookup T=remote_smtp\n\
            2026-03-04 14:02:11 1tABcd-0000xx-1Y *> c@example.org R=dnslookup T=remote_smtp\n\
            2026-03-04 14:02:11 1tABcd-0000xx-1Y Completed\n";
        expect(&[(log, &[])]);
        assert_eq!(delivered(log), ["example.org", "example.org"]);
    }

    #[test]
    fn the_address_written_to_is_kept_beside_the_one_that_failed() {
        let case = one(
            "2026-03-04 14:02:11 1tABcd-0000xx-1Y ** b@example.org <alias@example.com> R=dnslookup T=remote_smtp: all hosts for 'example.org' have been failing for a long time (and retry time not reached)",
        );
        assert_eq!(
            case.original_recipient.as_deref(),
            Some("alias@example.com")
        );
        assert_eq!(case.at.unwrap().to_string(), "2026-03-04T14:02:11Z");
    }
}
