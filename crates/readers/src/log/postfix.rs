//! Postfix: `<queue id>: to=<…>, relay=…, dsn=…, status=deferred (…)` of its delivery agents, and
//! `reject: RCPT from …` of its servers.

use diagnosis::{Dialect, Ended, Stage};

use crate::Note;

use super::line::{begins_any, between, cut, cut_last, holds_any, is_refusal};
use super::out::{Entry, Out, Reason, stage_of};

/// Daemons whose lines tell of recipients, or of anything.
const DAEMONS: &[&str] = &[
    "smtp",
    "lmtp",
    "local",
    "virtual",
    "pipe",
    "error",
    "retry",
    "bounce",
    "smtpd",
    "cleanup",
    "postscreen",
    "qmgr",
    "nqmgr",
    "discard",
    "verify",
    "pickup",
    "trivial-rewrite",
    "anvil",
    "scache",
    "tlsmgr",
    "master",
    "postfix-script",
    "proxymap",
    "postdrop",
    "sendmail",
    "flush",
    "dnsblog",
    "tlsproxy",
    "policy-spf",
    "showq",
    "oqmgr",
    "postqueue",
    "postsuper",
];

pub(crate) fn is_daemon(name: &[u8]) -> bool {
    DAEMONS.iter().any(|daemon| daemon.as_bytes() == name)
}

/// Whether this is the end of a line of a delivery agent.
pub(crate) fn is_fragment(text: &[u8]) -> bool {
    (text.starts_with(b"to=<") || queued(text).is_some_and(|(_, text)| text.starts_with(b"to=<")))
        && memchr::memmem::find(text, b", status=").is_some()
}

pub(crate) fn read(entry: &Entry<'_>, daemon: &[u8], out: &mut Out<'_>) {
    match daemon {
        b"smtpd" | b"postscreen" | b"cleanup" => rejection(entry, out),
        b"qmgr" | b"nqmgr" | b"oqmgr" => expiry(entry, out),
        b"smtp" | b"lmtp" | b"local" | b"virtual" | b"pipe" | b"error" | b"retry" | b"bounce"
        | b"discard" | b"verify" => delivery(entry, daemon, out),
        _ => {}
    }
}

/// The queue id, short (`3A1B2C3D4E`) or long (`4bK2Vz1Jk3zSrX`), and what follows it.
fn queued(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = text
        .iter()
        .take(24)
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    let rest = text[length..].strip_prefix(b": ")?;
    (length >= 5).then_some((&text[..length], rest))
}

/// `to=<…>, orig_to=<…>, relay=…, …, dsn=…, status=… (…)`.
fn delivery(entry: &Entry<'_>, daemon: &[u8], out: &mut Out<'_>) {
    let text = queued(entry.text).map_or(entry.text, |(_, rest)| rest);
    let Some((recipient, rest)) = text.strip_prefix(b"to=<").and_then(|t| cut(t, b">, ")) else {
        return;
    };
    let Some((fields, status)) = cut(rest, b"status=") else {
        return;
    };
    let word = status.iter().take_while(|b| b.is_ascii_lowercase()).count();
    let ended = match &status[..word] {
        b"sent" => return out.delivered(entry, recipient),
        b"deferred" => Some(Ended::StillTrying),
        b"bounced" | b"expired" => Some(Ended::GivenUp),
        // The answer to a question whether an address works: no message is at stake.
        b"undeliverable" => None,
        _ => return,
    };
    let words = cut(status, b"(").map_or(&b""[..], |(_, words)| words);
    let whole = words.strip_suffix(b")");
    let relay = between(fields, b"relay=", b", ");
    let reason = reason(whole.unwrap_or(words), daemon, relay)
        .ended(ended)
        .status(between(fields, b"dsn=", b","));
    let mut case = out.case(entry, recipient, &reason);
    case.original_recipient = between(fields, b"orig_to=<", b">, ").and_then(super::line::address);
    if whole.is_none() {
        case.notes.push(Note::CutOff);
    }
    out.give(case);
}

/// Who said it, and at which step.
fn reason<'a>(words: &'a [u8], daemon: &[u8], relay: Option<&'a [u8]>) -> Reason<'a> {
    let words = words
        .strip_prefix(b"delivery temporarily suspended: ")
        .unwrap_or(words);
    if let Some((host, rest)) = words
        .strip_prefix(b"host ")
        .and_then(|w| cut(w, b" said: "))
    {
        let (said, command) = match cut_last(rest, b" (in reply to ") {
            Some((said, command)) => (said, Some(command)),
            None => (rest, None),
        };
        return Reason::of_peer(said)
            .at(command.and_then(stage_of))
            .peer(Some(host));
    }
    if let Some((host, said)) = words
        .strip_prefix(b"host ")
        .and_then(|w| cut(w, b" refused to talk to me: "))
    {
        return Reason::of_peer(said)
            .at(Some(Stage::Greeting))
            .peer(Some(host));
    }
    if let Some((host, said)) = cut(words, b"authentication failed; server ")
        .and_then(|(_, server)| cut(server, b" said: "))
    {
        return Reason::of_peer(said).at(Some(Stage::Auth)).peer(Some(host));
    }
    let host = relay.or_else(|| between(words, b"connect to ", b": "));
    let host = host
        .filter(|host| *host != b"none")
        .or_else(|| between(words, b"connect to ", b": "));
    let local = matches!(daemon, b"local" | b"virtual" | b"pipe")
        || is_refusal(words)
        || begins_any(words, &["user unknown", "unknown user", "mailbox"]);
    if local {
        // The last server on the way: nobody else has a say.
        return Reason {
            dialect: Some(Dialect::Postfix),
            ..Reason::of_peer(words).peer(host)
        };
    }
    Reason::of_server(words, Dialect::Postfix)
        .at(own_stage(words))
        .peer(host)
}

/// The step that words of Postfix's own are about.
fn own_stage(words: &[u8]) -> Option<Stage> {
    const SIGNS: &[(&[&str], Stage)] = &[
        (
            &[
                "Host or domain name not found",
                "Name service error",
                "loops back to myself",
                "unable to look up host",
                "mail loop",
                "nullMX",
            ],
            Stage::Route,
        ),
        (
            &["TLS", "certificate", "handshake failure"],
            Stage::StartTls,
        ),
        (&["SASL", "authentication"], Stage::Auth),
        (
            &["initial server greeting", "initial protocol"],
            Stage::Greeting,
        ),
        (&["EHLO", "HELO", "LHLO", "the handshake"], Stage::Hello),
        (&["sending MAIL FROM"], Stage::Mail),
        (&["sending RCPT TO"], Stage::Rcpt),
        (&["sending DATA command"], Stage::Data),
        (&["sending message body"], Stage::Content),
        (&["sending end of data"], Stage::EndOfData),
    ];
    if words.starts_with(b"connect to ") {
        return Some(Stage::Connect);
    }
    let found = SIGNS.iter().find(|(signs, _)| holds_any(words, signs));
    found.map(|(_, stage)| *stage)
}

/// `from=<…>, status=expired, returned to sender` of the queue manager: no recipient is named.
fn expiry(entry: &Entry<'_>, out: &mut Out<'_>) {
    let Some((_, text)) = queued(entry.text) else {
        return;
    };
    let Some((from, rest)) = text
        .strip_prefix(b"from=<")
        .and_then(|t| cut(t, b">, status="))
    else {
        return;
    };
    if begins_any(rest, &["expired", "force-expired"]) {
        let reason = Reason::of_server(rest, Dialect::Postfix).ended(Some(Ended::GivenUp));
        let mut case = out.case(entry, b"", &reason);
        case.about.from = super::line::address(from);
        out.give(case);
    }
}

/// `NOQUEUE: reject: RCPT from client[192.0.2.9]: 554 5.7.1 …; from=<…> to=<…> proto=…`: this server
/// turned somebody away.
fn rejection(entry: &Entry<'_>, out: &mut Out<'_>) {
    let Some((_, text)) = queued(entry.text) else {
        return;
    };
    let Some(rest) = text
        .strip_prefix(b"reject: ")
        .or_else(|| text.strip_prefix(b"milter-reject: "))
    else {
        return;
    };
    let Some((said, envelope)) = cut_last(rest, b"; from=<") else {
        return;
    };
    let recipient = between(envelope, b"to=<", b">").filter(|to| !to.is_empty());
    let Some((command, said)) = cut(said, b"]: ").or_else(|| cut(said, b": ")) else {
        return;
    };
    let Some(recipient) = recipient else {
        return;
    };
    // postscreen: `from [192.0.2.9]:41234: 550 …`
    let said = match cut(said, b": ") {
        Some((port, said)) if port.iter().all(u8::is_ascii_digit) && !is_refusal(port) => said,
        Some(_) | None => said,
    };
    let reason = Reason {
        dialect: Some(Dialect::Postfix),
        peer: entry.host,
        ..Reason::of_peer(said).at(stage_of(command))
    };
    let mut case = out.case(entry, recipient, &reason);
    let from = envelope.iter().position(|b| *b == b'>').unwrap_or(0);
    case.about.from = super::line::address(&envelope[..from]);
    out.give(case);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{delivered, expect, one};

    #[test]
    fn what_the_other_side_said_is_taken_from_its_frame() {
        expect(&[
            (
                "Mar  4 14:02:11 mail postfix/smtp[4711]: 3A1B2C3D4E: to=<anna@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=3.2, delays=0.1/0/2/1.1, dsn=4.2.2, status=deferred (host mx.example.org[192.0.2.1] said: 452 4.2.2 <anna@example.org> Mailbox full (in reply to RCPT TO command))",
                &[
                    "anna@example.org 452 4.2.2 rcpt Receiver StillTrying mx.example.org | 452 4.2.2 <anna@example.org> Mailbox full",
                ],
            ),
            (
                "2026-03-04T14:02:11.123456+01:00 mail postfix-out/smtp[1]: 4bK2Vz1Jk3zSrX: to=<b@example.org>, orig_to=<alias@example.com>, relay=mx.example.org[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=5.0.0, status=bounced (host mx.example.org[192.0.2.1] said: 550 No such user here (in reply to end of DATA command))",
                &[
                    "b@example.org 550 5.0.0 end_of_data Receiver GivenUp mx.example.org | 550 No such user here",
                ],
            ),
            (
                "Mar 14 04:02:11 mail postfix/smtp[4711]: 3A1B2C3D4E: to=<c@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=3, delays=0/0/3/0, dsn=4.3.2, status=deferred (host mx.example.org[192.0.2.1] refused to talk to me: 421 4.3.2 Too busy)",
                &[
                    "c@example.org 421 4.3.2 greeting Receiver StillTrying mx.example.org | 421 4.3.2 Too busy",
                ],
            ),
            (
                "Mar 14 04:02:11 mail postfix/smtp[4711]: 3A1B2C3D4E: to=<c@example.org>, relay=smtp.example.net[192.0.2.7]:587, delay=3, delays=0/0/3/0, dsn=4.7.8, status=deferred (SASL authentication failed; server smtp.example.net[192.0.2.7] said: 535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6)",
                &[
                    "c@example.org 535 5.7.8 auth Receiver StillTrying smtp.example.net | 535 5.7.8 Error: authentication failed: ***",
                ],
            ),
        ]);
    }

    #[test]
    fn what_postfix_found_itself_is_its_own_word() {
        expect(&[
            (
                "Mar  4 14:02:11 mail postfix/smtp[1]: 3A1B2C3D4E: to=<a@example.org>, relay=none, delay=30, delays=0/0/30/0, dsn=4.4.1, status=deferred (connect to mx.example.org[192.0.2.1]:25: Connection timed out)",
                &[
                    "a@example.org - 4.4.1 connect Sender StillTrying mx.example.org | connect to mx.example.org[192.0.2.1]:25: Connection timed out",
                ],
            ),
            (
                "Mar  4 14:02:11 mail postfix/error[1]: 3A1B2C3D4E: to=<a@example.org>, relay=none, delay=30, delays=0/0/30/0, dsn=4.4.1, status=deferred (delivery temporarily suspended: connect to mx.example.org[192.0.2.1]:25: Connection refused)",
                &[
                    "a@example.org - 4.4.1 connect Sender StillTrying mx.example.org | connect to mx.example.org[192.0.2.1]:25: Connection refused",
                ],
            ),
            (
                "Mar  4 14:02:11 mail postfix/smtp[1]: 3A1B2C3D4E: to=<a@nowhere.example>, relay=none, delay=0.1, delays=0.1/0/0/0, dsn=5.4.4, status=bounced (Host or domain name not found. Name service error for name=nowhere.example type=A: Host not found)",
                &[
                    "a@nowhere.example - 5.4.4 route Sender GivenUp - | Host or domain name not found. Name service error for name=nowhere.example type=A: Host not found",
                ],
            ),
            (
                "Mar  4 14:02:11 mail postfix/smtp[1]: 3A1B2C3D4E: to=<a@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=30, delays=0/0/30/0, dsn=4.4.2, status=deferred (lost connection with mx.example.org[192.0.2.1] while sending end of data -- message may be sent more than once)",
                &[
                    "a@example.org - 4.4.2 end_of_data Sender StillTrying mx.example.org | lost connection with mx.example.org[192.0.2.1] while sending end of data -- message may be sent more than once",
                ],
            ),
            (
                "Mar  4 14:02:11 mail postfix/qmgr[1]: 3A1B2C3D4E: from=<me@example.com>, status=expired, returned to sender",
                &["- - - - Sender GivenUp - | expired, returned to sender"],
            ),
        ]);
    }

    #[test]
    fn the_last_server_speaks_for_the_receiver() {
        expect(&[
            (
                "Mar  4 14:02:11 mail postfix/local[1]: 3A1B2C3D4E: to=<bob@example.com>, relay=local, delay=0, delays=0/0/0/0, dsn=5.1.1, status=bounced (unknown user: \"bob\")",
                &["bob@example.com - 5.1.1 - Receiver GivenUp - | unknown user: \"bob\""],
            ),
            (
                "Mar  4 14:02:11 mail postfix/lmtp[1]: 3A1B2C3D4E: to=<bob@example.com>, relay=mail.example.com[private/dovecot-lmtp], delay=0, delays=0/0/0/0, dsn=4.2.2, status=deferred (host mail.example.com[private/dovecot-lmtp] said: 452 4.2.2 <bob@example.com> Quota exceeded (mailbox for user is full) (in reply to end of DATA command))",
                &[
                    "bob@example.com 452 4.2.2 end_of_data Receiver StillTrying mail.example.com | 452 4.2.2 <bob@example.com> Quota exceeded (mailbox for user is full)",
                ],
            ),
        ]);
    }

    #[test]
    fn who_was_turned_away_is_a_case_of_this_server() {
        let log = "Mar  4 14:02:11 mail postfix/smtpd[1]: NOQUEUE: reject: RCPT from client.example.net[192.0.2.9]: 554 5.7.1 <x@example.org>: Relay access denied; from=<s@example.net> to=<x@example.org> proto=ESMTP helo=<client>";
        expect(&[
            (
                log,
                &[
                    "x@example.org 554 5.7.1 rcpt Receiver - mail | 554 5.7.1 <x@example.org>: Relay access denied",
                ],
            ),
            (
                "Mar  4 14:02:11 mail postfix/postscreen[1]: NOQUEUE: reject: RCPT from [2001:db8::9]:4123: 550 5.7.1 Service unavailable; client [2001:db8::9] blocked using zen.example; from=<s@example.net>, to=<x@example.org>, proto=ESMTP, helo=<client>",
                &[
                    "x@example.org 550 5.7.1 rcpt Receiver - mail | 550 5.7.1 Service unavailable; client [2001:db8::9] blocked using zen.example",
                ],
            ),
            (
                "Mar  4 14:02:11 mail postfix/cleanup[1]: 3A1B2C3D4E: milter-reject: END-OF-MESSAGE from client.example.net[192.0.2.9]: 5.7.1 Spam message rejected; from=<s@example.net> to=<x@example.org> proto=ESMTP helo=<client>",
                &[
                    "x@example.org - 5.7.1 end_of_data Receiver - mail | 5.7.1 Spam message rejected",
                ],
            ),
        ]);
        let case = one(log);
        assert_eq!(case.about.from.as_deref(), Some("s@example.net"));
        assert_eq!(case.reporter.as_deref(), Some("mail"));
        assert_eq!(case.at.unwrap().to_string(), "2026-03-04T14:02:11Z");
    }

    #[test]
    fn other_lines_are_no_failures() {
        expect(&[
            (
                "Mar  4 14:02:11 mail postfix/smtp[1]: 3A1B2C3D4E: to=<a@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 2.0.0 Ok)",
                &[],
            ),
            (
                "Mar  4 14:02:11 mail postfix/smtpd[1]: warning: unknown[192.0.2.9]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
                &[],
            ),
            (
                "Mar  4 14:02:11 mail postfix/smtpd[1]: connect from unknown[192.0.2.9]",
                &[],
            ),
            (
                "Mar  4 14:02:11 mail postfix/qmgr[1]: 3A1B2C3D4E: removed",
                &[],
            ),
            (
                "Mar  4 14:02:11 mail sshd[1]: Failed password for root",
                &[],
            ),
        ]);
        assert_eq!(
            delivered(
                "Mar  4 14:02:11 mail postfix/smtp[1]: 3A1B2C3D4E: to=<a@example.org>, relay=mx[192.0.2.1]:25, dsn=2.0.0, status=sent (250 Ok)"
            ),
            ["example.org"]
        );
    }

    #[test]
    fn a_line_without_its_beginning_or_its_end_is_read_as_far_as_it_goes() {
        let case = one(
            "to=<a@example.org>, relay=mx.example.org[192.0.2.1]:25, dsn=4.7.1, status=deferred (host mx.example.org[192.0.2.1] said: 450 4.7.1 Greylisted, see",
        );
        assert_eq!(case.words.text(), "450 4.7.1 Greylisted, see");
        assert_eq!(case.notes, [crate::Note::CutOff]);
    }
}
