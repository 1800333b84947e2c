//! Haraka: `[NOTICE] [<uuid>] [outbound] recipient <…> rejected: …`, what it turned away itself
//! (`recipient <…> code=DENY msg="…"`), and what plugins log of bounces.

use diagnosis::{Dialect, Ended, Stage};

use super::fields::value;
use super::line::{begins_any, cut, holds_any, is_refusal};
use super::out::{Entry, Out, Reason};

/// `[NOTICE] [<uuid>] [<part>] message`; gives the part and the message.
pub(crate) fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    const LEVELS: &[&str] = &[
        "DEBUG", "INFO", "NOTICE", "WARN", "ERROR", "CRIT", "ALERT", "EMERG", "PROTOCOL", "DATA",
    ];
    let inner = text.strip_prefix(b"[")?;
    let (level, rest) = cut(inner, b"] [")?;
    if !LEVELS.iter().any(|name| name.as_bytes() == level) {
        return None;
    }
    let (_, rest) = cut(rest, b"] [")?;
    cut(rest, b"] ")
}

pub(crate) fn read(entry: &Entry<'_>, out: &mut Out<'_>) {
    let Some((part, message)) = split(entry.text) else {
        return;
    };
    tell(entry, part, message, out);
}

/// A message of one part of Haraka.
pub(crate) fn tell(entry: &Entry<'_>, part: &[u8], message: &[u8], out: &mut Out<'_>) {
    if let Some(rest) = message.strip_prefix(b"recipient ") {
        recipient(entry, part, rest, out);
    } else if message.starts_with(b"delivered file=") {
        if let Some(domain) = value(message, "domain") {
            out.delivered_at(entry, domain);
        }
    } else if let Some((_, error)) = message
        .strip_prefix(b"Temp failing ")
        .and_then(|rest| cut(rest, b" seconds: "))
    {
        attempt(entry, error, Ended::StillTrying, out);
    } else if let Some(error) = message.strip_prefix(b"bouncing mail: ") {
        attempt(entry, error, Ended::GivenUp, out);
    } else if begins_any(message, &["bounced ", "deferred "]) {
        keyed(entry, message, out);
    }
}

/// `<a@example.org> rejected: 550 …`, `<a@example.org> code=DENY msg="…" sender="…"`.
fn recipient(entry: &Entry<'_>, _part: &[u8], text: &[u8], out: &mut Out<'_>) {
    let Some((recipient, rest)) = cut(text, b"> ") else {
        return;
    };
    let told = [
        (&b"rejected: "[..], Ended::GivenUp),
        (b"deferred: ", Ended::StillTrying),
    ];
    for (word, ended) in told {
        if let Some(said) = rest.strip_prefix(word) {
            let reason = Reason::of_peer(said)
                .at(Some(Stage::Rcpt))
                .ended(Some(ended));
            return out.failed(entry, recipient, &reason);
        }
    }
    let ended = match value(rest, "code") {
        Some(b"DENY" | b"DENYDISCONNECT") => Ended::GivenUp,
        Some(b"DENYSOFT" | b"DENYSOFTDISCONNECT") => Ended::StillTrying,
        Some(_) | None => return,
    };
    let reason = Reason {
        dialect: Some(Dialect::Haraka),
        peer: entry.host,
        ..Reason::of_peer(value(rest, "msg").unwrap_or_default())
            .at(Some(Stage::Rcpt))
            .ended(Some(ended))
    };
    out.failed(entry, recipient, &reason);
}

/// An attempt that failed for all its recipients, whom the line does not name.
fn attempt(entry: &Entry<'_>, error: &[u8], ended: Ended, out: &mut Out<'_>) {
    // Those were told of one by one.
    if holds_any(error, &["ecipients"]) {
        return;
    }
    let error = error.strip_prefix(b"Error: ").unwrap_or(error);
    let said = error.strip_prefix(b"Upstream error: ").unwrap_or(error);
    let reason = if is_refusal(said) {
        Reason::of_peer(said)
    } else {
        const SIGNS: &[(&[&str], Stage)] = &[
            (
                &[
                    "MX lookup",
                    "No MX",
                    "DNS",
                    "No Such Domain",
                    "Nowhere to deliver",
                    "NULL MX",
                ],
                Stage::Route,
            ),
            (&["Tried all MXs", "connect", "ECONN"], Stage::Connect),
        ];
        let stage = SIGNS.iter().find(|(signs, _)| holds_any(said, signs));
        Reason::of_server(said, Dialect::Haraka).at(stage.map(|(_, stage)| *stage))
    };
    out.failed(entry, b"", &reason.ended(Some(ended)));
}

/// `bounced file="…" domain="…" rcpt="…" host="…" reason="…"`.
fn keyed(entry: &Entry<'_>, message: &[u8], out: &mut Out<'_>) {
    let first = |keys: &[&str]| keys.iter().find_map(|key| value(message, key));
    let Some(words) = first(&["reason", "response", "err", "error", "msg"]) else {
        return;
    };
    let recipient = first(&["rcpt", "rcpts", "recipient", "to"]).unwrap_or_default();
    let ended = match message.starts_with(b"bounced") {
        true => Ended::GivenUp,
        false => Ended::StillTrying,
    };
    let reason = if is_refusal(words) {
        Reason::of_peer(words)
    } else {
        Reason::of_server(words, Dialect::Haraka)
    };
    out.failed(
        entry,
        recipient,
        &reason.ended(Some(ended)).peer(first(&["host", "mx"])),
    );
}

#[cfg(test)]
mod tests {
    use super::super::testing::{delivered, expect};

    #[test]
    fn recipients_that_failed_are_read_from_words_and_keys() {
        expect(&[
            (
                "2026-03-04T13:02:11.123Z [NOTICE] [A1B2C3D4-1.1.1] [outbound] recipient <a@example.org> rejected: 550 5.1.1 No such user",
                &["a@example.org 550 5.1.1 rcpt Receiver GivenUp - | 550 5.1.1 No such user"],
            ),
            (
                "Mar  4 14:02:11 mail haraka[9]: [NOTICE] [A1B2C3D4-1.1.1] [outbound] recipient <a@example.org> deferred: 451 4.7.1 Greylisted",
                &["a@example.org 451 4.7.1 rcpt Receiver StillTrying - | 451 4.7.1 Greylisted"],
            ),
            (
                "[INFO] [A1B2C3D4-1.1.1] [outbound] bounced file=\"1_2\" domain=\"example.org\" rcpt=\"a@example.org\" host=mx.example.org reason=\"550 user unknown\"",
                &["a@example.org 550 - - Receiver GivenUp mx.example.org | 550 user unknown"],
            ),
            (
                "[INFO] [A1B2C3D4-1.1.1] [outbound] Temp failing 1772_0_9_x.mail for 64 seconds: Tried all MXs",
                &["- - - connect Sender StillTrying - | Tried all MXs"],
            ),
            (
                "[NOTICE] [A1B2C3D4-1.1.1] [core] recipient <x@example.org> code=DENY msg=\"I cannot deliver mail for <x@example.org>\" sender=s@example.net",
                &[
                    "x@example.org - - rcpt Receiver GivenUp - | I cannot deliver mail for <x@example.org>",
                ],
            ),
        ]);
    }

    #[test]
    fn deliveries_are_no_failures() {
        let log = "[NOTICE] [A1B2C3D4-1.1.1] [outbound] delivered file=\"17\" domain=example.org host=mx.example.org ip=192.0.2.1 port=25 mode=SMTP tls=Y auth=N response=\"Ok\" delay=1.2 fails=0 rcpts=1/0/0\n\
            [NOTICE] [A1B2C3D4-1] [core] recipient <x@example.org> code=OK msg= sender=s@example.net\n";
        expect(&[(log, &[])]);
        assert_eq!(delivered(log), ["example.org"]);
    }
}
