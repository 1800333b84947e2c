//! What the sink does at a step: the words after `do`.

use smtp::{EnhancedStatus, OutgoingReply};

use crate::handshake::{self, Play};

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What a server that works would do.
    Accept,
    /// This reply, word for word.
    Reply(Answer),
    /// A reply with these codes, in the words of the dialect.
    Code(Codes),
    /// The connection is closed (FIN), without a word.
    Close,
    /// The connection is reset (RST).
    Reset,
    /// Nothing is said any more; the connection stays open until the client leaves.
    Silence,
    /// These bytes in place of the reply; then the sink goes on as if it had said yes.
    Raw(Vec<u8>),
    /// The handshake goes so.
    Handshake(Play),
}

/// Codes without words; at least one is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes {
    /// The reply code.
    pub reply: Option<u16>,
    /// The enhanced status code.
    pub status: Option<EnhancedStatus>,
}

/// A reply: its code, and its lines as they stand after the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The three digits, 200 to 599.
    pub code: u16,
    /// The text of each line, an enhanced status code included.
    pub lines: Vec<String>,
}

/// Why a text after `do` means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAVerdict {
    /// It is neither a word that is known nor a code.
    Unknown,
    /// The reply code is not from 200 to 599.
    ReplyCode,
    /// A reply has a character that cannot stand in one.
    Character,
    /// There is no such alert.
    Alert,
    /// There is no such certificate.
    Certificate,
    /// There is no such version of TLS.
    Version,
}

impl Verdict {
    /// Reads `accept`, `close`, `reset`, `silence`, `raw …`, what becomes of a handshake (`alert …`,
    /// `certificate …`, `tls …`), codes (`4.2.2`, `452`, `452 4.2.2`), or a whole reply (`452 4.2.2 Mailbox full`; further lines after `\n`).
    pub fn read(text: &str) -> Result<Verdict, NotAVerdict> {
        match text.trim() {
            "accept" => return Ok(Verdict::Accept),
            "close" => return Ok(Verdict::Close),
            "reset" => return Ok(Verdict::Reset),
            "silence" => return Ok(Verdict::Silence),
            _ => {}
        }
        if let Some(raw) = text.strip_prefix("raw ") {
            return Ok(Verdict::Raw(raw.as_bytes().to_vec()));
        }
        if let Some(play) = play(text.trim())? {
            return Ok(Verdict::Handshake(play));
        }
        if let Some(codes) = Codes::read(text.trim())? {
            return Ok(Verdict::Code(codes));
        }
        Answer::read(text).map(Verdict::Reply)
    }

    /// Whether the step goes on as if nothing were wrong.
    #[must_use]
    pub fn is_yes(&self) -> bool {
        match self {
            Verdict::Accept | Verdict::Raw(_) | Verdict::Handshake(_) => true,
            Verdict::Reply(answer) => answer.code < 400,
            Verdict::Code(codes) => codes.reply.is_some_and(|code| code < 400),
            Verdict::Close | Verdict::Reset | Verdict::Silence => false,
        }
    }
}

/// What becomes of a handshake; `None`: it is something else.
fn play(text: &str) -> Result<Option<Play>, NotAVerdict> {
    let (word, name) = text.split_once(' ').unwrap_or((text, ""));
    let name = name.trim();
    let play = match word {
        "alert" => handshake::find(handshake::ALERTS, name)
            .map(Play::Alert)
            .ok_or(NotAVerdict::Alert)?,
        "certificate" => handshake::find(handshake::CERTIFICATES, name)
            .map(Play::Certificate)
            .ok_or(NotAVerdict::Certificate)?,
        "tls" => handshake::find(handshake::VERSIONS, name)
            .map(Play::Version)
            .ok_or(NotAVerdict::Version)?,
        _ => return Ok(None),
    };
    Ok(Some(play))
}

impl Codes {
    /// Reads a reply code, an enhanced status code, or both; `None`: it is something else.
    pub fn read(text: &str) -> Result<Option<Codes>, NotAVerdict> {
        let mut words = text.split_ascii_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        if words.next().is_some() {
            return Ok(None);
        }
        let status = |text: &str| text.parse::<EnhancedStatus>().ok();
        let codes = match (three_digits(first), second) {
            (Some(code), None) => (Some(code), None),
            (Some(code), Some(second)) => match status(second) {
                Some(status) => (Some(code), Some(status)),
                None => return Ok(None),
            },
            (None, None) => match status(first) {
                Some(status) => (None, Some(status)),
                None => return Ok(None),
            },
            (None, Some(_)) => return Ok(None),
        };
        if codes.0.is_some_and(|code| !(200..600).contains(&code)) {
            return Err(NotAVerdict::ReplyCode);
        }
        Ok(Some(Codes {
            reply: codes.0,
            status: codes.1,
        }))
    }
}

fn three_digits(text: &str) -> Option<u16> {
    let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl Answer {
    /// Reads a whole reply; the code may be repeated on further lines or left out there.
    pub fn read(text: &str) -> Result<Answer, NotAVerdict> {
        let code = text
            .get(..3)
            .and_then(three_digits)
            .ok_or(NotAVerdict::Unknown)?;
        if !(200..600).contains(&code) {
            return Err(NotAVerdict::ReplyCode);
        }
        let prefix = &text[..3];
        let mut lines = Vec::new();
        for (number, line) in text.trim_end_matches('\n').split('\n').enumerate() {
            let rest = line
                .strip_prefix(prefix)
                .filter(|rest| rest.is_empty() || rest.starts_with(['-', ' ']));
            let words = match (rest, number) {
                (Some(rest), _) => rest.get(1..).unwrap_or_default(),
                (None, 0) => return Err(NotAVerdict::Unknown),
                (None, _) => line,
            };
            if !words.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                return Err(NotAVerdict::Character);
            }
            lines.push(words.to_owned());
        }
        Ok(Answer { code, lines })
    }

    /// The reply as the protocol's state machine takes it.
    #[must_use]
    pub fn outgoing(&self) -> OutgoingReply {
        let mut lines = self.lines.iter().cloned();
        let first = OutgoingReply::plain(self.code, lines.next().unwrap_or_default());
        lines.fold(first, OutgoingReply::line)
    }

    /// Its enhanced status code.
    #[must_use]
    pub fn status(&self) -> Option<EnhancedStatus> {
        let word = self.lines.first()?.split(' ').next()?;
        word.parse().ok()
    }

    /// The same without enhanced status codes: for clients that were not told of
    /// ENHANCEDSTATUSCODES (RFC 2034 §3).
    #[must_use]
    pub fn without_status(&self) -> Answer {
        let bare = |line: &String| {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            if word.parse::<EnhancedStatus>().is_ok() {
                rest.to_owned()
            } else {
                line.clone()
            }
        };
        Answer {
            code: self.code,
            lines: self.lines.iter().map(bare).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_codes_and_replies_are_told_apart() {
        assert_eq!(Verdict::read("reset"), Ok(Verdict::Reset));
        assert_eq!(
            Verdict::read("raw \0hi"),
            Ok(Verdict::Raw(b"\0hi".to_vec()))
        );
        for (text, reply, status) in [
            ("452", Some(452), None),
            ("4.2.2", None, Some("4.2.2")),
            ("452 4.2.2", Some(452), Some("4.2.2")),
        ] {
            let status = status.map(|status| status.parse().unwrap());
            assert_eq!(
                Verdict::read(text),
                Ok(Verdict::Code(Codes { reply, status }))
            );
        }
        let answer = |code, lines: &[&str]| {
            Ok(Verdict::Reply(Answer {
                code,
                lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            }))
        };
        assert_eq!(
            Verdict::read("452 4.2.2 Full"),
            answer(452, &["4.2.2 Full"])
        );
        assert_eq!(Verdict::read("550 no"), answer(550, &["no"]));
        assert_eq!(
            Verdict::read("550-5.7.1 a\n550 5.7.1 b"),
            answer(550, &["5.7.1 a", "5.7.1 b"])
        );
        assert_eq!(Verdict::read("550 a\nb"), answer(550, &["a", "b"]));
    }

    #[test]
    fn what_is_no_verdict_is_told_why() {
        for (text, why) in [
            ("", NotAVerdict::Unknown),
            ("explode", NotAVerdict::Unknown),
            ("99", NotAVerdict::Unknown),
            ("199", NotAVerdict::ReplyCode),
            ("600 no", NotAVerdict::ReplyCode),
            ("7.2.2", NotAVerdict::Unknown),
            ("550 caf\u{e9}", NotAVerdict::Character),
            ("550 a\rb", NotAVerdict::Character),
            ("5500 a", NotAVerdict::Unknown),
            ("alert nothing", NotAVerdict::Alert),
            ("certificate", NotAVerdict::Certificate),
            ("tls 1.4", NotAVerdict::Version),
            ("\u{e9}\u{e9} a", NotAVerdict::Unknown),
        ] {
            assert_eq!(Verdict::read(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn the_status_goes_where_it_was_not_announced() {
        let answer = Answer::read("452-4.2.2 a\n452 4.2.2 b").unwrap();
        assert_eq!(answer.status(), Some("4.2.2".parse().unwrap()));
        assert_eq!(answer.without_status().lines, ["a", "b"]);
    }
}
