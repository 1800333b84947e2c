//! Transcripts of a server session, to be read beside the RFC.
//!
//! A transcript is text. `C: ` begins what a client sends with a CRLF after it, and `C> ` the same
//! without (`\r`, `\n`, `\0` and `\\` are escapes); `E: ` is an event, `S: ` a line of the server,
//! and `-- closed` stands at the end where the session is over. What follows a `C` line is what it
//! brings about; with `C+ ` the line is held back and sent together with the next.

#![allow(dead_code)] // Each test file uses a part of it.

pub(crate) mod client;

use smtp::Class::Permanent;
use smtp::OutgoingReply;
use smtp::envelope::BodyKind;
use smtp::server::{Config, Event, MailParams, RcptParams, Session};

/// Small limits, so that transcripts that pass them are short.
pub(crate) fn config() -> Config {
    Config {
        max_size: 1000,
        max_recipients: 3,
        max_errors: 10,
        ..Config::new("mx.test")
    }
}

/// A line for each event.
pub(crate) fn shown(event: &Event) -> String {
    match event {
        Event::Hello {
            name,
            extended: true,
        } => format!("ehlo {name}"),
        Event::Hello {
            name,
            extended: false,
        } => format!("helo {name}"),
        Event::Mail { from, params } => {
            let size = params
                .size
                .map(|size| format!(" size={size}"))
                .unwrap_or_default();
            let body = match params.body {
                BodyKind::SevenBit => "",
                BodyKind::EightBit => " 8bit",
                BodyKind::Binary => " binary",
            };
            let utf8 = if params.smtputf8 { " utf8" } else { "" };
            format!("mail {from}{size}{body}{utf8}{}", wishes(params))
        }
        Event::Rcpt { to, params } => format!("rcpt {to}{}", asked(params)),
        Event::Data { chunked: false } => "data".into(),
        Event::Data { chunked: true } => "chunks".into(),
        Event::Content(piece) => format!("content {}", piece.escape_ascii()),
        Event::EndOfContent { size } => format!("end {size}"),
        Event::ContentAborted(problem) => format!("aborted: {problem}"),
        Event::Reset => "reset".into(),
        Event::StartTls => "starttls".into(),
        Event::Auth { mechanism, initial } => match initial {
            Some(initial) => format!(
                "auth {mechanism} with `{}`",
                initial.expose().escape_ascii()
            ),
            None => format!("auth {mechanism}"),
        },
        Event::AuthResponse(response) => format!("response {}", response.expose().escape_ascii()),
        Event::Xclient(told) => format!("xclient {:?} {:?}", told.address, told.login),
        Event::Vrfy(text) => format!("vrfy {text}"),
        Event::Refused { problem, line } => format!("refused {}: {problem}", line.escape_ascii()),
        Event::TooManyErrors => "too many errors".into(),
        Event::Quit => "quit".into(),
    }
}

/// The parameters of MAIL beyond the oldest.
fn wishes(params: &MailParams) -> String {
    let MailParams {
        ret,
        envelope_id,
        require_tls,
        priority,
        deliver_by,
        hold,
        submitter,
        ..
    } = params;
    let words = [
        ret.map(|ret| format!("ret={}", ret.as_str())),
        envelope_id
            .as_ref()
            .map(|id| format!("envid={}", id.as_str())),
        require_tls.then(|| "requiretls".to_owned()),
        (!priority.is_usual()).then(|| format!("priority={priority}")),
        deliver_by.map(|by| format!("by={by}")),
        hold.map(|hold| format!("hold={hold:?}")),
        submitter.as_ref().map(|from| format!("auth={from}")),
    ];
    words
        .into_iter()
        .flatten()
        .map(|word| format!(" {word}"))
        .collect()
}

fn asked(params: &RcptParams) -> String {
    let words = [
        params.notify.map(|notify| format!("notify={notify}")),
        params
            .original
            .as_ref()
            .map(|to| format!("orcpt={};{}", to.kind, to.address)),
    ];
    words
        .into_iter()
        .flatten()
        .map(|word| format!(" {word}"))
        .collect()
}

/// Takes events and says yes to all; challenges AUTH; answers each recipient of LMTP for content of 38
/// bytes; says no to recipients that begin with `no`, and to the content
/// where a sender begins with `nodata`.
pub(crate) fn drive(session: &mut Session, refuse_data: &mut bool) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(event) = session.poll() {
        match &event {
            Event::Rcpt { to, .. } if to.local().starts_with("no") => {
                session.answer(OutgoingReply::new(550, (Permanent, 1, 1), "nobody"));
            }
            Event::Mail { from, .. } => {
                *refuse_data = from.local().starts_with("nodata");
                session.accept();
            }
            Event::Data { .. } if *refuse_data => {
                session.answer(OutgoingReply::new(554, (Permanent, 7, 1), "no content"));
            }
            Event::Auth { initial: None, .. } => session.challenge(b"who?"),
            Event::AuthResponse(response) if response.expose() == b"more" => {
                session.challenge(b"x")
            }
            Event::AuthResponse(response) if response.expose() == b"wrong" => {
                session.answer(OutgoingReply::new(535, (Permanent, 7, 8), "wrong"));
            }
            Event::EndOfContent { size: 38 } => {
                let replies = [(250, "kept"), (550, "not kept"), (250, "kept too")];
                let replies = replies.map(|(code, text)| OutgoingReply::plain(code, text));
                session.answer_each(replies.to_vec());
                session.accept();
            }
            event if event.needs_answer() => session.accept(),
            _ => {}
        }
        events.push(event);
    }
    events
}

/// A session after its greeting.
pub(crate) fn greeted(config: Config) -> Session {
    let mut session = Session::new(config);
    session.accept();
    assert_eq!(session.take_output(), "220 mx.test ESMTP Postrider\r\n");
    session
}

/// A session after EHLO.
pub(crate) fn introduced(config: Config) -> Session {
    let mut session = greeted(config);
    session.input().extend_from_slice(b"EHLO me\r\n");
    drive(&mut session, &mut false);
    session.take_output();
    session
}

/// Plays the client's part of a transcript and compares all of it.
#[track_caller]
pub(crate) fn check(session: &mut Session, transcript: &str) {
    let expected: Vec<&str> = transcript
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let mut actual = Vec::new();
    let mut refuse_data = false;
    for line in expected.iter().filter(|line| line.starts_with('C')) {
        actual.push((*line).to_owned());
        let (mark, text) = line.split_at(line.len().min(3));
        session.input().extend_from_slice(&unescaped(text));
        if mark != "C> " {
            session.input().extend_from_slice(b"\r\n");
        }
        if mark == "C+ " {
            continue;
        }
        let was_closed = session.is_closed();
        let events = drive(session, &mut refuse_data);
        actual.extend(events.iter().map(|event| format!("E: {}", shown(event))));
        let output = session.take_output();
        let said = String::from_utf8_lossy(&output);
        actual.extend(
            said.split_terminator("\r\n")
                .map(|line| format!("S: {line}")),
        );
        if session.is_closed() && !was_closed {
            actual.push("-- closed".to_owned());
        }
    }
    assert_eq!(
        actual.join("\n"),
        expected.join("\n"),
        "\nactual:\n{}\n",
        actual.join("\n")
    );
}

/// The bytes that a line of a transcript stands for.
pub(crate) fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut chars = text.bytes();
    while let Some(byte) = chars.next() {
        bytes.push(match byte {
            b'\\' => match chars.next() {
                Some(b'r') => b'\r',
                Some(b'n') => b'\n',
                Some(b'0') => 0,
                Some(b'\\') => b'\\',
                other => panic!("no such escape: {other:?}"),
            },
            byte => byte,
        });
    }
    bytes
}
