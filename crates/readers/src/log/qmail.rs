//! qmail: `delivery 5: deferral: …` with underscores for spaces, which belongs to the line
//! `starting delivery 5: msg 123 to remote a@example.org` before it.

use diagnosis::{Dialect, Ended, Stage};

use super::line::{begins_any, between, cut, holds_any, is_refusal};
use super::out::{Entry, Out, Reason};
use super::recent::Recent;

/// So many deliveries are remembered: more than qmail makes at a time.
const DELIVERIES: usize = 4096;

#[derive(Debug)]
struct Delivery {
    remote: bool,
    recipient: Box<[u8]>,
}

/// The deliveries under way.
#[derive(Debug)]
pub(crate) struct Qmail {
    started: Recent<u64, Delivery>,
}

impl Default for Qmail {
    fn default() -> Qmail {
        Qmail {
            started: Recent::new(DELIVERIES),
        }
    }
}

/// Whether these are words of `qmail-send`.
pub(crate) fn is_message(text: &[u8]) -> bool {
    begins_any(
        text,
        &[
            "starting delivery ",
            "delivery ",
            "new msg ",
            "info msg ",
            "end msg ",
            "bounce msg ",
            "triple bounce",
        ],
    ) || (text.starts_with(b"status: ") && holds_any(text, &[" local ", "exiting"]))
}

impl Qmail {
    pub(crate) fn read(&mut self, entry: &Entry<'_>, out: &mut Out<'_>) {
        let mut entry = *entry;
        // Through splogger the line has qmail's own time too, the more exact one.
        if let (stamp @ super::stamp::Stamp::Unix(_), rest) = super::stamp::split(entry.text) {
            entry.stamp = stamp;
            entry.text = rest.trim_ascii_start();
        }
        if let Some(rest) = entry.text.strip_prefix(b"starting delivery ") {
            self.start(rest);
        } else if let Some(rest) = entry.text.strip_prefix(b"delivery ") {
            self.end(&entry, rest, out);
        }
    }

    /// `5: msg 123 to remote a@example.org`.
    fn start(&mut self, text: &[u8]) {
        let (Some(number), Some((_, to))) = (super::line::number(text), cut(text, b" to ")) else {
            return;
        };
        let Some(space) = memchr::memchr(b' ', to) else {
            return;
        };
        self.started.put(
            number,
            Delivery {
                remote: &to[..space] == b"remote",
                recipient: to[space + 1..].into(),
            },
        );
    }

    /// `5: failure: …`.
    fn end(&mut self, entry: &Entry<'_>, text: &[u8], out: &mut Out<'_>) {
        let Some(number) = super::line::number(text) else {
            return;
        };
        let Some((_, result)) = cut(text, b": ") else {
            return;
        };
        let started = self.started.take(&number);
        let recipient = started.as_ref().map_or(&b""[..], |of| &of.recipient);
        let (ended, words) = if let Some(words) = result.strip_prefix(b"deferral: ") {
            (Ended::StillTrying, words)
        } else if let Some(words) = result.strip_prefix(b"failure: ") {
            (Ended::GivenUp, words)
        } else {
            if result.starts_with(b"success") {
                out.delivered(entry, recipient);
            }
            return;
        };
        let remote = started.as_ref().is_none_or(|of| of.remote);
        let reason = reason(words, remote).ended(Some(ended));
        let plain = spaced(reason.words);
        let words = entry.line.words_as(reason.words, &plain);
        let case = out.case_of(entry, recipient, &reason, &words);
        out.give(case);
    }
}

/// Words with their spaces: qmail writes `_` for a space and `/` for the end of a line.
fn spaced(text: &[u8]) -> Vec<u8> {
    let ends_line = |at: usize| {
        let rest = &text[at + 1..];
        rest.is_empty() || is_refusal(&rest[..3.min(rest.len())])
    };
    let plain = text.iter().enumerate().map(|(at, b)| match b {
        b'_' => b' ',
        b'/' if ends_line(at) => b' ',
        other => *other,
    });
    plain.collect()
}

/// Who said it, and at which step.
fn reason(text: &[u8], remote: bool) -> Reason<'_> {
    let text = text.strip_suffix(b"/").unwrap_or(text);
    const SIGNS: &[(&[&str], Stage)] = &[
        (&["does_not_like_recipient"], Stage::Rcpt),
        (&["sender_was_rejected"], Stage::Mail),
        (&["failed_on_DATA"], Stage::Data),
        (&["failed_after_I_sent"], Stage::EndOfData),
        (&["greeting_failed"], Stage::Greeting),
        (&["my_name_was_rejected"], Stage::Hello),
        (&["establish_an_SMTP_connection"], Stage::Connect),
        (
            &[
                "CNAME_lookup",
                "find_any_host_named",
                "find_a_mail_exchanger",
            ],
            Stage::Route,
        ),
    ];
    let stage = SIGNS.iter().find(|(signs, _)| holds_any(text, signs));
    let stage = stage.map(|(_, stage)| *stage);
    // `192.0.2.1_does_not_like_recipient.`, `Connected_to_192.0.2.1_but_…`
    let start = text.strip_prefix(b"Connected_to_").unwrap_or(text);
    let peer = start.split(|b| *b == b'_').next();
    let peer = peer.filter(|peer| matches!(peer.first(), Some(b'0'..=b'9' | b'[')));
    if let Some((_, said)) = cut(text, b"Remote_host_said:_") {
        let said = cut(said, b"/Giving_up_on_").map_or(said, |(said, _)| said);
        return Reason::of_peer(said).at(stage).peer(peer);
    }
    if remote {
        let named = between(text, b"named_", b"._");
        return Reason::of_server(text, Dialect::Qmail)
            .at(stage)
            .peer(peer.or(named));
    }
    Reason {
        dialect: Some(Dialect::Qmail),
        ..Reason::of_peer(text).at(stage)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{delivered, expect, one};

    #[test]
    fn a_failure_is_joined_with_the_delivery_that_it_ends() {
        expect(&[
            (
                "@4000000065a1b2c30000000a starting delivery 5: msg 123 to remote a@example.org\n\
                 @4000000065a1b2c30000000a starting delivery 6: msg 124 to local bob@example.com\n\
                 @4000000065a1b2c30000000b delivery 5: failure: 192.0.2.1_does_not_like_recipient./Remote_host_said:_550_5.1.1_No_such_user,_see_https://example.org/help/Giving_up_on_192.0.2.1./\n\
                 @4000000065a1b2c30000000b delivery 6: failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/\n",
                &[
                    "a@example.org 550 5.1.1 rcpt Receiver GivenUp 192.0.2.1 | 550 5.1.1 No such user, see https://example.org/help",
                    "bob@example.com - 5.1.1 - Receiver GivenUp - | Sorry, no mailbox here by that name. (#5.1.1)",
                ],
            ),
            (
                "Mar  4 14:02:11 mail qmail: 1772632931.500000 starting delivery 9: msg 3 to remote a@example.org\n\
                 Mar  4 14:02:12 mail qmail: 1772632932.500000 delivery 9: deferral: Sorry,_I_wasn't_able_to_establish_an_SMTP_connection._(#4.4.1)/\n",
                &[
                    "a@example.org - 4.4.1 connect Sender StillTrying - | Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)",
                ],
            ),
            (
                "delivery 7: deferral: Connected_to_192.0.2.1_but_sender_was_rejected./Remote_host_said:_451-4.7.1_first/451_4.7.1_second/\n",
                &[
                    "- 451 4.7.1 mail Receiver StillTrying 192.0.2.1 | 451-4.7.1 first 451 4.7.1 second",
                ],
            ),
        ]);
        let case = one("@4000000065a1b2c30000000b delivery 5: failure: x/");
        assert_eq!(
            case.at.unwrap().to_string(),
            "2024-01-12T21:44:25.000000011Z"
        );
    }

    #[test]
    fn deliveries_are_no_failures() {
        let log = "@4000000065a1b2c30000000a starting delivery 5: msg 123 to remote a@example.org\n\
            @4000000065a1b2c30000000b delivery 5: success: 192.0.2.1_accepted_message./Remote_host_said:_250_ok/\n\
            @4000000065a1b2c30000000b status: local 0/10 remote 0/20\n";
        expect(&[(log, &[])]);
        assert_eq!(delivered(log), ["example.org"]);
    }
}
