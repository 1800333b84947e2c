//! What the protocol asks, answered by the rules.

use std::sync::Arc;

use smtp::OutgoingReply;
use smtp::server::{AuthOffer, Event, RcptParams};

use super::{End, Step, Talk, Transaction};
use crate::convention;
use crate::kept::Recipient;
use crate::ledger::Decision;
use crate::pattern::Pattern;
use crate::script::{Extension, Rule};
use crate::stage::Stage;
use crate::transcript::Who;
use crate::verdict::{Answer, Verdict};
use crate::words::{Blanks, Words};

impl Talk<'_> {
    /// The greeting, or what stands in its place.
    pub(super) async fn greet(&mut self, at_connect: Decision) -> Step {
        let mut decision = at_connect;
        if decision.is_plain() {
            decision = self.decide(Stage::Greeting, None, &[]);
        }
        self.apply(&decision, Stage::Greeting, None).await
    }

    /// All that the protocol has to tell at this point.
    pub(super) async fn events(&mut self) -> Step {
        while let Some(event) = self.session.poll() {
            // What the protocol said by itself came before.
            let said = self.session.take_output();
            self.say(&said, &Decision::accept()).await?;
            self.event(event).await?;
        }
        let said = self.session.take_output();
        self.say(&said, &Decision::accept()).await
    }

    async fn event(&mut self, event: Event) -> Step {
        match event {
            Event::Hello { name, extended } => self.hello(name, extended).await,
            Event::Mail { from, params } => {
                self.number += 1;
                self.transaction = Transaction {
                    from: from.as_str().to_owned(),
                    params,
                    ..Transaction::default()
                };
                let decision = self.decide(Stage::Mail, None, &[]);
                self.apply(&decision, Stage::Mail, None).await
            }
            Event::Rcpt { to, params } => self.rcpt(to.as_str().to_owned(), &params).await,
            Event::Data { chunked } => self.data(chunked).await,
            Event::Content(piece) => self.content(&piece).await,
            Event::EndOfContent { size } => self.end_of_content(size).await,
            Event::StartTls => self.starttls().await,
            Event::ContentAborted(problem) => {
                self.note(Who::Event, &format!("content refused: {problem}"));
                self.transaction = Transaction::default();
                Ok(())
            }
            Event::Reset => {
                self.transaction = Transaction::default();
                Ok(())
            }
            Event::Refused { .. } | Event::Vrfy(_) | Event::TooManyErrors | Event::Quit => Ok(()),
            // The sink plays AUTH itself, line by line, and offers no XCLIENT.
            Event::Auth { .. } | Event::AuthResponse(_) | Event::Xclient(_) => Ok(()),
        }
    }

    async fn hello(&mut self, name: String, extended: bool) -> Step {
        self.transcript.set_hello(&name);
        self.hello = name;
        self.extended = extended;
        // The sink plays AUTH itself; the protocol must know that MAIL may have AUTH (RFC 4954 §5).
        let offer = self.offers_auth().then(AuthOffer::default);
        self.session.offer_auth(offer.map(Arc::new));
        self.transaction = Transaction::default();
        let stage = if extended { Stage::Ehlo } else { Stage::Helo };
        let decision = self.decide(stage, None, &[]);
        if extended && decision.verdict == Verdict::Accept {
            self.session.answer(self.offers());
            let said = self.session.take_output();
            return self.say(&said, &decision).await;
        }
        self.apply(&decision, stage, None).await
    }

    /// RFC 5321 §4.1.1.1.
    fn offers(&self) -> OutgoingReply {
        let server = &self.plan.script.server;
        let mut reply = OutgoingReply::plain(250, server.name.clone());
        for (keyword, extension) in Extension::ALL {
            // RFC 3207 §4.2: not announced once TLS is on.
            let offered = match extension {
                Extension::Starttls => self.tls.is_none(),
                // RFC 8689 §2: announced under TLS alone.
                Extension::RequireTls => self.tls.is_some(),
                Extension::Auth => self.offers_auth(),
                _ => true,
            };
            if !self.plan.script.offers(*extension) || !offered {
                continue;
            }
            reply = reply.line(match extension {
                Extension::Size => format!("SIZE {}", server.size),
                Extension::Auth => "AUTH PLAIN LOGIN".to_owned(),
                _ => (*keyword).to_owned(),
            });
        }
        reply
    }

    /// Whether AUTH is offered at this moment.
    pub(super) fn offers_auth(&self) -> bool {
        let server = &self.plan.script.server;
        self.plan.script.offers(Extension::Auth) && (self.tls.is_some() || !server.auth_needs_tls)
    }

    async fn rcpt(&mut self, to: String, params: &RcptParams) -> Step {
        let mut asked: Option<Rule> = None;
        if self.plan.script.server.conventions {
            asked = convention::asked(&to, &self.plan.words);
        }
        // With LMTP, each recipient is answered for itself.
        if let Some(rule) = asked.as_mut().filter(|_| self.plan.script.server.lmtp) {
            rule.recipient = Some(Pattern::new(&to));
        }
        let wish = Recipient::new(to.clone(), params);
        self.transaction.wishes.push(wish);
        let decision = self.decide(Stage::Rcpt, Some(&to), asked.as_slice());
        self.transaction
            .asked
            .extend(asked.filter(|rule| rule.at != Stage::Rcpt));
        let list = if decision.verdict.is_yes() {
            &mut self.transaction.to
        } else {
            &mut self.transaction.refused
        };
        list.push(to.clone());
        self.apply(&decision, Stage::Rcpt, Some(&to)).await
    }

    async fn data(&mut self, chunked: bool) -> Step {
        self.transaction.chunked = chunked;
        let asked = self.transaction.asked.clone();
        let decision = self.decide(Stage::Data, None, &asked);
        if decision.verdict.is_yes() {
            let while_it_comes = self.decide(Stage::Content, None, &asked);
            if !while_it_comes.is_plain() {
                self.transaction.plan = Some(while_it_comes);
            }
        }
        self.apply(&decision, Stage::Data, None).await
    }

    /// Ends the session where that was decided.
    pub(super) async fn end_early(&mut self, decision: &Decision) -> Step {
        let end = match decision.verdict {
            Verdict::Close => End::Close,
            Verdict::Reset => End::Reset,
            Verdict::Silence => End::Silence,
            Verdict::Accept
            | Verdict::Reply(_)
            | Verdict::Code(_)
            | Verdict::Raw(_)
            | Verdict::Handshake(_) => return Ok(()),
        };
        self.wait(decision).await?;
        Err(end)
    }

    /// Answers what the protocol asks as was decided.
    pub(super) async fn apply(
        &mut self,
        decision: &Decision,
        stage: Stage,
        recipient: Option<&String>,
    ) -> Step {
        self.end_early(decision).await?;
        if let Verdict::Raw(bytes) = &decision.verdict {
            self.session.accept();
            self.session.take_output();
            return self.say(&bytes.clone(), decision).await;
        }
        match self.refusal(decision, recipient) {
            Some(answer) => self.session.answer(answer.outgoing()),
            None => match self.yes_words(stage) {
                Some(answer) => self.session.answer(answer.outgoing()),
                None => self.session.accept(),
            },
        }
        let said = self.session.take_output();
        self.say(&said, decision).await
    }

    /// The reply that was decided, its blanks filled in.
    pub(super) fn refusal(
        &self,
        decision: &Decision,
        recipient: Option<&String>,
    ) -> Option<Answer> {
        let answer = match &decision.verdict {
            Verdict::Reply(answer) => answer.clone(),
            Verdict::Code(codes) => {
                let (answer, _) = match decision.dialect {
                    Some(dialect) => Words::of(dialect).refusal(*codes),
                    None => self.plan.words.refusal(*codes),
                };
                self.shaped(answer)
            }
            Verdict::Accept
            | Verdict::Close
            | Verdict::Reset
            | Verdict::Silence
            | Verdict::Raw(_)
            | Verdict::Handshake(_) => return None,
        };
        let client = self.client.ip().to_string();
        Some(self.blanks(&client, recipient).answer(&answer))
    }

    /// How the dialect says yes, where it has its own way.
    pub(super) fn yes_words(&self, stage: Stage) -> Option<Answer> {
        let client = self.client.ip().to_string();
        let date = self
            .shared
            .world
            .clock
            .now()
            .strftime("%a, %d %b %Y %H:%M:%S +0000")
            .to_string();
        let blanks = Blanks {
            date: &date,
            ..self.blanks(&client, self.transaction.to.last())
        };
        if stage == Stage::Greeting {
            return self.plan.words.greeting(&blanks);
        }
        let answer = self.plan.words.yes(stage, &blanks)?;
        Some(self.shaped(answer))
    }

    /// RFC 2034 §3: without the announcement, no enhanced status codes.
    fn shaped(&self, answer: Answer) -> Answer {
        if self.plan.script.offers(Extension::EnhancedStatusCodes) {
            answer
        } else {
            answer.without_status()
        }
    }

    fn blanks<'a>(&'a self, client: &'a str, recipient: Option<&'a String>) -> Blanks<'a> {
        Blanks {
            name: &self.plan.script.server.name,
            client,
            sender: &self.transaction.from,
            recipient: recipient.map_or("", String::as_str),
            date: "",
        }
    }
}
