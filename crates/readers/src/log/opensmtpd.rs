//! OpenSMTPD: `… mta delivery … to=<…> … relay="…" result="TempFail" stat="…"`, in old versions
//! `relay: TempFail for …: …, to=<…>, …, stat=…`.

use diagnosis::{Dialect, Ended, Stage};

use super::fields::value;
use super::line::{begins, between, cut, holds_any, is_refusal};
use super::out::{Entry, Out, Reason};

pub(crate) fn read(entry: &Entry<'_>, out: &mut Out<'_>) {
    let text = entry.text;
    if memchr::memmem::find(text, b"Fail").is_some() {
        delivery(entry, out);
    } else if memchr::memmem::find(text, b"failed-command").is_some() {
        rejection(entry, out);
    } else if out.deliveries
        && holds_any(text, &["result=\"Ok\"", ": Ok for "])
        && let Some(to) = value(text, "to")
    {
        out.delivered(entry, to);
    }
}

fn delivery(entry: &Entry<'_>, out: &mut Out<'_>) {
    let text = entry.text;
    let holds = |new: &str, old: &str| holds_any(text, &[new, old]);
    let ended = if holds("result=\"TempFail\"", "TempFail for ") {
        Ended::StillTrying
    } else if holds("result=\"PermFail\"", "PermFail for ") {
        Ended::GivenUp
    } else {
        return;
    };
    let Some(recipient) = value(text, "to") else {
        return;
    };
    let stat = match cut(text, b"stat=\"") {
        Some(_) => value(text, "stat").unwrap_or_default(),
        // The last field: it holds commas.
        None => cut(text, b"stat=").map_or(&b""[..], |(_, stat)| stat),
    };
    // `relay="192.0.2.1 (mx.example.org)"`
    let relay = value(text, "relay");
    let relay = relay.and_then(|relay| between(relay, b"(", b")").or(Some(relay)));
    let here = holds_any(text, &["mda ", "delivery: "]) && !holds_any(text, &["mta "]);
    let reason = if is_refusal(stat) {
        Reason::of_peer(stat)
    } else if here {
        Reason {
            dialect: Some(Dialect::OpenSmtpd),
            ..Reason::of_peer(stat)
        }
    } else {
        Reason::of_server(stat, Dialect::OpenSmtpd).at(own_stage(stat))
    };
    let mut case = out.case(entry, recipient, &reason.ended(Some(ended)).peer(relay));
    let rcpt = value(text, "rcpt").and_then(super::line::address);
    case.original_recipient =
        rcpt.filter(|rcpt| rcpt != "-" && Some(rcpt) != case.recipient.as_ref());
    out.give(case);
}

fn own_stage(stat: &[u8]) -> Option<Stage> {
    const SIGNS: &[(&[&str], Stage)] = &[
        (
            &["MX", "DNS", "resolve", "Domain does not exist", "route"],
            Stage::Route,
        ),
        (&["TLS", "certificate"], Stage::StartTls),
        (&["Connection", "connect", "Network error"], Stage::Connect),
    ];
    if begins(stat, b"Network error") {
        return Some(Stage::Connect);
    }
    let found = SIGNS.iter().find(|(signs, _)| holds_any(stat, signs));
    found.map(|(_, stage)| *stage)
}

/// `smtp failed-command command="RCPT TO:<…>" result="550 …"`: this server turned somebody away.
fn rejection(entry: &Entry<'_>, out: &mut Out<'_>) {
    let (Some(command), Some(said)) = (value(entry.text, "command"), value(entry.text, "result"))
    else {
        return;
    };
    let Some(recipient) = between(command, b"<", b">").filter(|_| begins(command, b"RCPT TO:"))
    else {
        return;
    };
    let reason = Reason {
        dialect: Some(Dialect::OpenSmtpd),
        peer: entry.host,
        ..Reason::of_peer(said).at(Some(Stage::Rcpt))
    };
    out.failed(entry, recipient, &reason);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{delivered, expect};

    #[test]
    fn failures_of_new_and_old_versions_are_read() {
        expect(&[
            (
                "Mar  4 14:02:11 mail smtpd[123]: 5d1c2b3a4f5e6d7c mta delivery evpid=1234567890abcdef from=<me@example.com> to=<a@example.org> rcpt=<alias@example.com> source=\"198.51.100.1\" relay=\"192.0.2.1 (mx.example.org)\" delay=2s result=\"PermFail\" stat=\"550 5.1.1 <a@example.org>: no such user\"",
                &[
                    "a@example.org 550 5.1.1 - Receiver GivenUp mx.example.org | 550 5.1.1 <a@example.org>: no such user",
                ],
            ),
            (
                "Mar  4 14:02:11 mail smtpd[123]: 5d1c2b3a4f5e6d7c mta event=delivery evpid=1234567890abcdef from=<me@example.com> to=<a@example.org> rcpt=<-> source=\"-\" relay=\"192.0.2.1 (mx.example.org)\" delay=2s result=\"TempFail\" stat=\"Network error on destination MXs\"",
                &[
                    "a@example.org - - connect Sender StillTrying mx.example.org | Network error on destination MXs",
                ],
            ),
            (
                "Mar  4 14:02:11 mail smtpd[123]: relay: TempFail for 1234567890abcdef: session=12ab, from=<me@example.com>, to=<a@example.org>, rcpt=<->, source=198.51.100.1, relay=192.0.2.1 (mx.example.org), delay=4s, stat=451 4.7.1 Greylisted, please wait",
                &[
                    "a@example.org 451 4.7.1 - Receiver StillTrying 192.0.2.1 | 451 4.7.1 Greylisted, please wait",
                ],
            ),
            (
                "Mar  4 14:02:11 mail smtpd[123]: 5d1c2b3a4f5e6d7c smtp failed-command command=\"RCPT TO:<x@example.org>\" result=\"550 Invalid recipient: <x@example.org>\"",
                &[
                    "x@example.org 550 - rcpt Receiver - mail | 550 Invalid recipient: <x@example.org>",
                ],
            ),
        ]);
    }

    #[test]
    fn deliveries_are_no_failures() {
        let log = "Mar  4 14:02:11 mail smtpd[123]: 5d1c mta delivery evpid=12 from=<me@example.com> to=<a@example.org> rcpt=<-> relay=\"192.0.2.1 (mx)\" delay=2s result=\"Ok\" stat=\"250 ok\"\n\
            Mar  4 14:02:11 mail smtpd[123]: 5d1c smtp connected address=192.0.2.9 host=client.example.net\n";
        expect(&[(log, &[])]);
        assert_eq!(delivered(log), ["example.org"]);
    }
}
