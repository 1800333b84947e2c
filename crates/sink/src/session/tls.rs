//! STARTTLS and the handshake, with what the rules make of them.

use std::time::Duration;

use tls::Versions;
use tokio::time::timeout;
use world::Stream;

use super::spoiled::{Budget, Spoiled};
use super::{End, Step, Talk, Transaction};
use crate::handshake::{self, Finding, Play, Shows, TlsFailed, TlsSeen, Version};
use crate::ledger::Decision;
use crate::stage::Stage;
use crate::transcript::Who;
use crate::verdict::Verdict;

/// How a handshake begins (RFC 8446 §5.1): the content type of its records.
const HANDSHAKE: u8 = 22;
/// How long a client may think about an old version.
const ANSWER: Duration = Duration::from_secs(2);

impl Talk<'_> {
    /// RFC 3207.
    pub(super) async fn starttls(&mut self) -> Step {
        let decision = self.decide(Stage::Starttls, None, &[]);
        self.behind_starttls();
        self.apply(&decision, Stage::Starttls, None).await?;
        if !decision.verdict.is_yes() {
            return Ok(());
        }
        self.flush().await?;
        self.handshake(false).await
    }

    /// RFC 3207 §4.2: what came in the clear must not be taken for what comes over TLS.
    fn behind_starttls(&mut self) {
        match self.input.first() {
            None => {}
            Some(&HANDSHAKE) => self.find(Finding::HandshakeBeforeReply),
            Some(_) => {
                let text = Finding::excerpt(&self.input);
                self.find(Finding::CommandsBehindStarttls { text });
                self.input.clear();
            }
        }
    }

    fn find(&mut self, finding: Finding) {
        self.note(Who::Event, &format!("finding: {finding}"));
        self.transcript.add_finding(finding);
    }

    /// The handshake, from the client's first bytes on.
    pub(super) async fn handshake(&mut self, implicit: bool) -> Step {
        if self.input.is_empty() {
            self.read_handshake().await?;
        }
        if self.input.first() != Some(&HANDSHAKE) {
            let text = Finding::excerpt(&self.input);
            self.find(Finding::NoHandshake { text });
        }
        let asked = tls::asked_name(&self.input);
        let name = asked.as_deref().unwrap_or("no name");
        self.note(Who::Event, &format!("a handshake begins, for {name}"));
        let decision = self.decide(Stage::Handshake, None, &[]);
        self.wait(&decision).await?;
        let (shows, versions) = match &decision.verdict {
            Verdict::Accept => (Shows::Good, Versions::Both),
            Verdict::Handshake(Play::Certificate(shows)) => (*shows, Versions::Both),
            Verdict::Handshake(Play::Version(version)) => match version.spoken() {
                Some(versions) => (Shows::Good, versions),
                None => return self.old_version(*version, asked).await,
            },
            Verdict::Handshake(Play::Alert(number)) => return self.refuse(*number, asked).await,
            Verdict::Close | Verdict::Reset | Verdict::Silence if decision.bytes > 0 => {
                (Shows::Good, Versions::Both)
            }
            Verdict::Close | Verdict::Reset | Verdict::Silence => {
                self.played("it was cut off at its beginning", asked);
                return self.ended(&decision);
            }
            Verdict::Raw(bytes) => {
                let bytes = bytes.clone();
                self.played("something else was answered", asked);
                self.say(&bytes, &Decision::accept()).await?;
                return Err(End::Close);
            }
            Verdict::Reply(_) | Verdict::Code(_) => {
                self.played("a reply in the clear was answered", asked);
                if let Some(answer) = self.refusal(&decision, None) {
                    let said = super::line::wire(&answer.outgoing());
                    self.say(&said, &Decision::accept()).await?;
                }
                return Err(End::Close);
            }
        };
        self.secure(shows, versions, &decision, implicit).await
    }

    /// A real handshake, as far as the rule lets it come.
    async fn secure(
        &mut self,
        shows: Shows,
        versions: Versions,
        decision: &Decision,
        implicit: bool,
    ) -> Step {
        let names = self.plan.script.server.certified_names();
        let acceptor = match self.shared.vault.acceptor(shows, versions, &names) {
            Ok(acceptor) => acceptor,
            Err(error) => {
                self.note(Who::Event, &format!("no certificate: {error}"));
                return Err(End::Close);
            }
        };
        let asked = tls::asked_name(&self.input);
        let cut = matches!(
            decision.verdict,
            Verdict::Close | Verdict::Reset | Verdict::Silence
        );
        let budget = Budget::new(cut.then_some(decision.bytes));
        let layer = Spoiled {
            inner: self.stream.detach(),
            before: self.input.split(),
            budget: budget.clone(),
        };
        let stream = Stream::Layered(Box::new(layer));
        let done = timeout(super::wire::IDLE, acceptor.accept_or_return(stream)).await;
        let Ok(done) = done else {
            self.note(Who::Event, "the handshake did not come to an end");
            return Err(End::Gone);
        };
        match done {
            Ok((stream, session)) => {
                budget.lift();
                self.stream = stream;
                self.secured(TlsSeen::new(session, implicit));
                Ok(())
            }
            Err((failure, stream)) => {
                self.stream = match stream {
                    Stream::Layered(layer) => layer.beneath(),
                    stream => stream,
                };
                if budget.is_spent() {
                    let what = format!("it was cut off after {} bytes", decision.bytes);
                    self.played(&what, asked);
                    return self.ended(decision);
                }
                let failed = TlsFailed::of(&failure, asked);
                self.note(Who::Event, &format!("the handshake failed: {failure}"));
                self.transcript.set_tls_failed(failed);
                Err(End::Close)
            }
        }
    }

    /// RFC 3207 §4.2: all that was said before is forgotten.
    fn secured(&mut self, seen: TlsSeen) {
        let text = format!("TLS is on: {} with {}", seen.protocol, seen.cipher);
        self.note(Who::Event, &text);
        if let Some(certificate) = &seen.client_certificate {
            let text = format!("the client's certificate: {}", certificate.subject);
            self.note(Who::Event, &text);
        }
        self.hello.clear();
        self.user = None;
        self.transaction = Transaction::default();
        self.session.set_secure();
        self.transcript.set_tls(seen.clone());
        self.tls = Some(seen);
    }

    /// A handshake that a rule lets fail.
    fn played(&mut self, what: &str, server_name: Option<String>) {
        self.note(Who::Event, &format!("the handshake fails: {what}"));
        let failed = TlsFailed::played(what.to_owned(), server_name);
        self.transcript.set_tls_failed(failed);
    }

    fn ended(&self, decision: &Decision) -> Step {
        Err(match decision.verdict {
            Verdict::Reset => End::Reset,
            Verdict::Silence => End::Silence,
            _ => End::Close,
        })
    }

    async fn refuse(&mut self, number: u8, asked: Option<String>) -> Step {
        self.played(&format!("alert {number} was sent"), asked);
        self.output.extend_from_slice(&handshake::alert(number));
        Err(End::Close)
    }

    /// As a server does that knows no newer version; the client's answer is noted.
    async fn old_version(&mut self, version: Version, asked: Option<String>) -> Step {
        let mut random = [0; 32];
        self.shared.world.random.fill(&mut random);
        self.played("a version was chosen that nobody speaks any more", asked);
        let hello = handshake::old_hello(version, random);
        self.output.extend_from_slice(&hello);
        self.flush().await?;
        self.input.clear();
        // One that speaks this version waits for a certificate, which it does not get.
        if let Ok(read) = timeout(ANSWER, self.read_handshake()).await {
            read?;
        }
        let said = match self.input[..] {
            [21, _, _, 0, 2, _, number, ..] => format!("the client sent alert {number}"),
            _ => "the client did not mind".to_owned(),
        };
        self.note(Who::Event, &said);
        Err(End::Close)
    }
}
