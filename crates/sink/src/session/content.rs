//! Content as it comes, and what becomes of it.

use std::io;
use std::sync::Arc;

use bytes::Buf;

use super::{End, Step, Talk, Transaction};
use crate::kept::{Message, Parameters, Recipient};
use crate::stage::Stage;
use crate::transcript::Who;
use crate::verdict::{Answer, Verdict};

impl Talk<'_> {
    /// Hands content to the protocol: all there is, but of a chunk only what belongs to it.
    pub(super) fn feed_content(&mut self) {
        let have = self.input.len();
        let piece = if self.chunk_left > 0 {
            let part = usize::try_from(self.chunk_left).map_or(have, |left| left.min(have));
            self.chunk_left -= part as u64;
            self.input.split_to(part)
        } else {
            self.input.split()
        };
        self.session.input().extend_from_slice(&piece);
    }

    /// Takes back what the protocol did not need: commands that come behind the content.
    pub(super) fn take_back(&mut self) {
        if self.session.in_content() || self.session.input().is_empty() {
            return;
        }
        let mut rest = self.session.input().split();
        rest.extend_from_slice(&self.input);
        self.input = rest;
    }

    /// A piece of content.
    pub(super) async fn content(&mut self, piece: &[u8]) -> Step {
        self.transaction.content.extend_from_slice(piece);
        let received = self.transaction.content.len() as u64;
        let due = self.transaction.plan.take_if(|plan| received >= plan.bytes);
        let Some(decision) = due else {
            return Ok(());
        };
        let text = format!("after {received} bytes of content");
        self.note(Who::Event, &text);
        self.end_early(&decision).await?;
        if let Verdict::Raw(bytes) = &decision.verdict {
            return self.say(&bytes.clone(), &decision).await;
        }
        match self.refusal(&decision, None) {
            // A reply while content comes is out of order; nothing sensible can follow it.
            Some(answer) => {
                let said = super::line::wire(&answer.outgoing());
                self.say(&said, &decision).await?;
                Err(End::Close)
            }
            None => self.wait(&decision).await,
        }
    }

    /// The content is complete: it is kept before yes is said.
    pub(super) async fn end_of_content(&mut self, size: u64) -> Step {
        self.note(Who::Event, &format!("{size} bytes of content"));
        let asked = std::mem::take(&mut self.transaction.asked);
        if self.plan.script.server.lmtp {
            return self.answer_each(&asked).await;
        }
        let decision = self.decide(Stage::EndOfData, None, &asked);
        let yes = decision.verdict.is_yes();
        if (yes || decision.keep) && !self.kept(yes).await {
            self.session.answer(cannot_write().outgoing());
            let said = self.session.take_output();
            return self.say(&said, &decision).await;
        }
        let recipient = self.transaction.to.first().cloned();
        self.apply(&decision, Stage::EndOfData, recipient.as_ref())
            .await?;
        self.transaction = Transaction::default();
        Ok(())
    }

    /// Keeps the message; whether it could be done.
    pub(super) async fn kept(&mut self, accepted: bool) -> bool {
        match self.keep(accepted).await {
            Ok(id) => {
                self.note(Who::Event, &format!("kept as message {id}"));
                true
            }
            Err(error) => {
                self.note(Who::Event, &format!("could not keep it: {error}"));
                false
            }
        }
    }

    async fn keep(&mut self, accepted: bool) -> io::Result<u64> {
        let open = std::mem::take(&mut self.transaction);
        self.transaction.to.clone_from(&open.to);
        let message = Message {
            id: 0,
            session: self.transcript.id,
            time: self.shared.world.clock.now(),
            client: self.client.ip().to_string(),
            hello: self.hello.clone(),
            tls: self.tls.clone(),
            user: self.user.clone(),
            protocol: self.protocol(),
            from: open.from,
            recipients: wishes(open.wishes, &open.to),
            to: open.to,
            refused: open.refused,
            size: open.content.len() as u64,
            announced: open.params.size,
            parameters: Parameters::of(&open.params),
            eight_bit: open.params.body != smtp::envelope::BodyKind::SevenBit,
            smtputf8: open.params.smtputf8,
            chunked: open.chunked,
            accepted,
            content: open.content.freeze(),
        };
        if accepted {
            self.plan.ledger.taken(&message.to, message.size);
        }
        let kept = Arc::clone(&self.shared.kept);
        let id = tokio::task::spawn_blocking(move || kept.keep(message)).await;
        let id = id.map_err(io::Error::other)??;
        self.transcript.add_message(id);
        Ok(id)
    }
}

/// What is said where a message cannot be kept.
pub(super) fn cannot_write() -> Answer {
    let lines = vec!["4.3.0 the sink cannot write the message".to_owned()];
    Answer { code: 451, lines }
}

/// What was asked for those who are kept.
fn wishes(all: Vec<Recipient>, to: &[String]) -> Vec<Recipient> {
    let mut all = all;
    all.retain(|one| to.contains(&one.address));
    all
}

/// How many `Received` fields there are in the header (RFC 5321 §6.3).
pub(super) fn hops(content: &[u8]) -> usize {
    let mut rest = content;
    let mut hops = 0;
    while !rest.is_empty() && !rest.starts_with(b"\r\n") {
        let name = rest.get(..9).unwrap_or_default();
        hops += usize::from(name.eq_ignore_ascii_case(b"received:"));
        match memchr::memchr(b'\n', rest) {
            Some(end) => rest.advance(end + 1),
            None => break,
        }
    }
    hops
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_received_fields_of_the_header_are_hops() {
        let content =
            b"Received: a\r\n by b\r\nreceived: c\r\nSubject: Received:\r\n\r\nReceived: no\r\n";
        assert_eq!(super::hops(content), 2);
        assert_eq!(super::hops(b""), 0);
    }
}
