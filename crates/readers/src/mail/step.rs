//! At which step it failed, and at which server, where words tell.

use diagnosis::Stage;
use memchr::memmem;

/// Whether a text for people tells a step, in the way of Postfix.
pub(super) fn is_told(text: &str) -> bool {
    memmem::find(text.as_bytes(), b"(in reply").is_some()
}

/// At which step, where the words tell: Postfix `(in reply to RCPT TO command)`, Exim `after RCPT
/// TO:`, Yahoo `[RCPT_TO]`.
pub(super) fn stage_of(text: &str) -> Option<Stage> {
    const STEPS: &[(&str, Stage)] = &[
        ("in reply to end of data", Stage::EndOfData),
        ("after end of data", Stage::EndOfData),
        ("after pipelined end of data", Stage::EndOfData),
        ("in reply to rcpt to", Stage::Rcpt),
        ("after rcpt to", Stage::Rcpt),
        ("after pipelined rcpt to", Stage::Rcpt),
        ("in reply to mail from", Stage::Mail),
        ("after mail from", Stage::Mail),
        ("after pipelined mail from", Stage::Mail),
        ("in reply to data", Stage::Data),
        ("after data", Stage::Data),
        ("in reply to ehlo", Stage::Hello),
        ("in reply to helo", Stage::Hello),
        ("after helo", Stage::Hello),
        ("after ehlo", Stage::Hello),
        ("in reply to auth", Stage::Auth),
        ("in reply to starttls", Stage::StartTls),
        ("after starttls", Stage::StartTls),
        ("while sending rcpt to", Stage::Rcpt),
        ("while sending mail from", Stage::Mail),
        ("while sending end of data", Stage::EndOfData),
        ("while sending message body", Stage::Content),
        ("while performing the ehlo handshake", Stage::Hello),
        ("while performing the helo handshake", Stage::Hello),
        (
            "while receiving the initial server greeting",
            Stage::Greeting,
        ),
        ("after initial connection", Stage::Greeting),
        ("[rcpt_to]", Stage::Rcpt),
        ("[mail_from]", Stage::Mail),
        ("[data]", Stage::EndOfData),
        (">>> rcpt to:", Stage::Rcpt),
    ];
    let lower = text.to_ascii_lowercase();
    STEPS
        .iter()
        .find(|(words, _)| lower.contains(words))
        .map(|(_, stage)| *stage)
}

/// The server that refused: Postfix `host mx.example.org[192.0.2.1] said:`, `connect to …`, Exim
/// `host mx.example.org [192.0.2.1]`, Sendmail `while talking to mx.example.org.:`.
pub(super) fn peer_of(text: &str) -> Option<String> {
    const BEFORE: &[&str] = &[
        "host ",
        "while talking to ",
        "connect to ",
        "lost connection with ",
        "conversation with ",
    ];
    BEFORE.iter().find_map(|before| {
        let places = memmem::find_iter(text.as_bytes(), before);
        places
            .filter(|at| !text[..*at].ends_with(|c: char| c.is_alphanumeric()))
            .find_map(|at| host(&text[at + before.len()..]))
    })
}

/// The name that a text begins with, where it is one of a server: with its address, or a mark, behind it.
fn host(text: &str) -> Option<String> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || ".-_".contains(c)));
    let (name, after) = text.split_at(end.unwrap_or(text.len()));
    let named = after.starts_with(['[', ':']) || after.starts_with(" [");
    let name = name.trim_end_matches('.');
    let letters = name.bytes().any(|b| b.is_ascii_alphabetic());
    (named && letters && name.contains('.')).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_that_refused_is_named_before_its_words() {
        for (text, expected) in [
            (
                "host mx1.example.org[192.0.2.1] said: 550 no",
                Some("mx1.example.org"),
            ),
            (
                "host mx.example.org [192.0.2.1]: 550 no",
                Some("mx.example.org"),
            ),
            (
                "... while talking to mx.example.org.: <<< 550",
                Some("mx.example.org"),
            ),
            (
                "connect to mx.example.org[2001:db8::1]:25: timed out",
                Some("mx.example.org"),
            ),
            ("host example.org not found", None),
            ("localhost x.example.org[192.0.2.1]", None),
            ("host 192.0.2.1[192.0.2.1] said: no", None),
            ("host ", None),
        ] {
            assert_eq!(peer_of(text).as_deref(), expected, "{text}");
        }
    }
}
