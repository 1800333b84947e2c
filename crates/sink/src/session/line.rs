//! Command lines: those that the sink answers itself, and those that the protocol does.

use bytes::{Bytes, BytesMut};
use memchr::memchr;
use smtp::OutgoingReply;
use smtp::command::{self, Command};

use super::{Step, Talk};
use crate::auth::{self, Next};
use crate::ledger::Decision;
use crate::script::Extension;
use crate::stage::Stage;
use crate::transcript::Who;
use crate::verdict::Verdict;

/// A line that is longer goes to the protocol as it comes, which refuses it.
const LONGEST: usize = 2048;

impl Talk<'_> {
    /// The next line with its end, or so much of one that is too long.
    pub(super) fn next_line(&mut self) -> Option<Bytes> {
        match memchr(b'\n', &self.input) {
            Some(end) => Some(self.input.split_to(end + 1).freeze()),
            None if self.input.len() >= LONGEST => Some(self.input.split().freeze()),
            None => None,
        }
    }

    pub(super) async fn line(&mut self, line: &Bytes) -> Step {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if let Some(exchange) = self.exchange.take() {
            self.note(Who::Client, "(a response that is not shown)");
            let response = String::from_utf8_lossy(text).into_owned();
            return self.auth(auth::go_on(exchange, response.trim())).await;
        }
        let words = String::from_utf8_lossy(text);
        if let Some(rest) = after_auth(&words) {
            let mechanism = rest.split_ascii_whitespace().next().unwrap_or_default();
            self.note(Who::Client, &format!("AUTH {mechanism} …"));
            if self.offers_auth() {
                return self.begin_auth(rest).await;
            }
            if self.plan.script.offers(Extension::Auth) {
                // RFC 4954 §4: not without TLS.
                let text = "5.7.11 Encryption required for AUTH";
                return self.reply(538, text, &Decision::accept()).await;
            }
        } else {
            self.note(Who::Client, &words);
        }
        match command::parse(text) {
            Ok(Command::Rset) => return self.simple(line, Stage::Rset).await,
            Ok(Command::Quit) => return self.simple(line, Stage::Quit).await,
            Ok(Command::Bdat { size, .. }) => self.chunk_left = size,
            Ok(_) | Err(_) => {}
        }
        self.session.input().extend_from_slice(line);
        self.events().await
    }

    /// A command that the protocol answers without asking.
    async fn simple(&mut self, line: &Bytes, stage: Stage) -> Step {
        let decision = self.decide(stage, None, &[]);
        self.end_early(&decision).await?;
        self.session.input().extend_from_slice(line);
        while self.session.poll().is_some() {}
        self.transaction = super::Transaction::default();
        let usual = self.session.take_output();
        let said = match &decision.verdict {
            Verdict::Raw(bytes) => Bytes::from(bytes.clone()),
            Verdict::Accept => match self.yes_words(stage) {
                Some(answer) => wire(&answer.outgoing()),
                None => usual,
            },
            _ => match self.refusal(&decision, None) {
                Some(answer) => wire(&answer.outgoing()),
                None => usual,
            },
        };
        self.say(&said, &decision).await
    }

    async fn begin_auth(&mut self, rest: &str) -> Step {
        // RFC 4954 §4: not twice, not within a transaction; and not before EHLO, which announces it.
        if self.hello.is_empty() || self.user.is_some() || self.session.in_transaction() {
            return self.reply(503, "5.5.1 not now", &Decision::accept()).await;
        }
        self.auth(auth::begin(rest)).await
    }

    async fn auth(&mut self, next: Next) -> Step {
        let plain = Decision::accept();
        match next {
            Next::Challenge(exchange, challenge) => {
                self.exchange = Some(exchange);
                self.reply(334, challenge, &plain).await
            }
            Next::NoMechanism => {
                let text = "5.5.4 PLAIN and LOGIN are the mechanisms here";
                self.reply(504, text, &plain).await
            }
            Next::Broken => self.reply(501, "5.5.2 cannot read that", &plain).await,
            Next::Done { name, password } => self.judge_user(name, &password).await,
        }
    }

    async fn judge_user(&mut self, name: String, password: &str) -> Step {
        let decision = self.decide(Stage::Auth, None, &[]);
        self.end_early(&decision).await?;
        let known = self.plan.script.server.takes(&name, password);
        if decision.verdict == Verdict::Accept && !known {
            self.note(
                Who::Event,
                &format!("no such user, or another password: {name}"),
            );
            let text = "5.7.8 Authentication credentials invalid";
            return self.reply(535, text, &decision).await;
        }
        if decision.verdict.is_yes() {
            self.user = Some(name);
        }
        if let Verdict::Raw(bytes) = &decision.verdict {
            return self.say(&bytes.clone(), &decision).await;
        }
        match self.refusal(&decision, None) {
            Some(answer) => {
                let closes = answer.code == 421;
                self.say(&wire(&answer.outgoing()), &decision).await?;
                if closes {
                    Err(super::End::Close)
                } else {
                    Ok(())
                }
            }
            None => self.reply(235, "2.7.0 welcome", &decision).await,
        }
    }

    async fn reply(&mut self, code: u16, text: &str, pace: &Decision) -> Step {
        let reply = OutgoingReply::plain(code, text.to_owned());
        self.say(&wire(&reply), pace).await
    }
}

/// The reply as it travels.
pub(super) fn wire(reply: &OutgoingReply) -> Bytes {
    let mut bytes = BytesMut::new();
    reply.write(&mut bytes);
    bytes.freeze()
}

/// What follows AUTH, if that is the command.
fn after_auth(line: &str) -> Option<&str> {
    let (word, rest) = line.split_at_checked(4)?;
    let ends = rest.is_empty() || rest.starts_with([' ', '\t']);
    (word.eq_ignore_ascii_case("AUTH") && ends).then(|| rest.trim())
}
