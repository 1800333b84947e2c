//! A session: the protocol of [`smtp::server`], with what the rules spoil in it.

mod content;
mod line;
mod lmtp;
mod spoiled;
mod steps;
mod tls;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use smtp::server;
use world::Stream;

use crate::auth::Exchange;
use crate::handshake::TlsSeen;
use crate::kept::Recipient;
use crate::ledger::{Decision, Facts};
use crate::script::{Extension, Rule, Script};
use crate::serve::{Plan, Shared};
use crate::stage::Stage;
use crate::transcript::{Transcript, Who};

/// How a session ends.
pub(crate) enum End {
    /// We close it.
    Close,
    /// We reset it.
    Reset,
    /// We say nothing more, and wait for the client to leave.
    Silence,
    /// The client left, or the connection broke.
    Gone,
}

/// A step, unless it ends the session.
pub(crate) type Step = Result<(), End>;

/// A session under way.
pub(crate) struct Talk<'a> {
    shared: &'a Shared,
    plan: Arc<Plan>,
    stream: Stream,
    client: SocketAddr,
    transcript: Arc<Transcript>,
    session: server::Session,
    /// What came and was not looked at yet.
    input: BytesMut,
    /// What is to be written at once.
    output: BytesMut,
    hello: String,
    extended: bool,
    tls: Option<TlsSeen>,
    user: Option<String>,
    exchange: Option<Exchange>,
    /// Bytes of a chunk that are to come.
    chunk_left: u64,
    number: u64,
    transaction: Transaction,
}

/// What is known of a message before it is kept.
#[derive(Default)]
struct Transaction {
    from: String,
    params: server::MailParams,
    to: Vec<String>,
    /// Of all that were asked for.
    wishes: Vec<Recipient>,
    refused: Vec<String>,
    chunked: bool,
    content: BytesMut,
    /// What happens while the content comes.
    plan: Option<Decision>,
    /// What recipients asked for by their local parts.
    asked: Vec<Rule>,
}

/// Talks with a client until one of both has enough. `implicit`: under TLS from the first byte on.
pub(crate) async fn run(shared: &Shared, stream: Stream, client: SocketAddr, implicit: bool) {
    let plan = shared.plan();
    let transcript = shared.kept.begin(client);
    let mut talk = Talk {
        session: server::Session::new(protocol(&plan.script)),
        shared,
        plan,
        stream,
        client,
        transcript: Arc::clone(&transcript),
        input: BytesMut::new(),
        output: BytesMut::new(),
        hello: String::new(),
        extended: false,
        tls: None,
        user: None,
        exchange: None,
        chunk_left: 0,
        number: 0,
        transaction: Transaction::default(),
    };
    talk.note(Who::Event, &format!("connected from {client}"));
    let end = match talk.talk(implicit).await {
        Err(end) => end,
        Ok(()) => End::Close,
    };
    talk.finish(end).await;
    transcript.end();
}

/// The script's server as the protocol knows it.
fn protocol(script: &Script) -> server::Config {
    server::Config {
        max_size: script.server.size,
        // The rules say how many are too many.
        max_recipients: 100_000,
        pipelining: script.offers(Extension::Pipelining),
        eight_bit_mime: script.offers(Extension::EightBitMime),
        size: script.offers(Extension::Size),
        enhanced_status_codes: script.offers(Extension::EnhancedStatusCodes),
        chunking: script.offers(Extension::Chunking),
        smtputf8: script.offers(Extension::SmtpUtf8),
        starttls: script.offers(Extension::Starttls),
        dsn: script.offers(Extension::Dsn),
        binary_mime: script.offers(Extension::BinaryMime),
        require_tls: script.offers(Extension::RequireTls),
        deliver_by: script.offers(Extension::DeliverBy),
        priority: script.offers(Extension::Priority),
        lmtp: script.server.lmtp,
        ..server::Config::new(script.server.name.clone())
    }
}

impl Talk<'_> {
    async fn talk(&mut self, implicit: bool) -> Step {
        let mut at_connect = self.decide(Stage::Connect, None, &[]);
        self.end_early(&at_connect).await?;
        if implicit {
            // RFC 8314 §3.3.
            self.handshake(true).await?;
            at_connect = Decision::accept();
        }
        self.greet(at_connect).await?;
        loop {
            self.look_at_input().await?;
            self.flush().await?;
            if self.session.is_closed() {
                return Err(End::Close);
            }
            self.read().await?;
        }
    }

    /// What is in the input, as far as it goes: content as it comes, commands line by line.
    async fn look_at_input(&mut self) -> Step {
        while !self.session.is_closed() {
            if self.session.in_content() {
                let before = self.input.len();
                self.feed_content();
                self.events().await?;
                self.take_back();
                if self.session.in_content() && (before == 0 || self.input.len() == before) {
                    return Ok(());
                }
                if self.session.in_content() && self.input.is_empty() {
                    return Ok(());
                }
            } else if let Some(line) = self.next_line() {
                self.line(&line).await?;
            } else {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What the rules say at a stage. `recipients`: that of RCPT; otherwise those accepted so far.
    fn decide(&self, stage: Stage, recipient: Option<&String>, more: &[Rule]) -> Decision {
        let open = &self.transaction;
        let recipients = match recipient {
            Some(recipient) => std::slice::from_ref(recipient),
            None => &open.to[..],
        };
        let received = u64::try_from(open.content.len()).unwrap_or(u64::MAX);
        let decision = self.plan.ledger.decide(
            &Facts {
                stage,
                session: self.transcript.id,
                transaction: self.number,
                client: self.client.ip(),
                hello: &self.hello,
                secure: self.tls.is_some(),
                authenticated: self.user.is_some(),
                sender: &open.from,
                recipients,
                size: received.max(open.params.size.unwrap_or(0)),
                hops: content::hops(&open.content),
                open: self.shared.open(self.client.ip()),
            },
            more,
        );
        if let Some(rule) = decision.rule {
            let text = format!("rule {rule} acts at {}", stage.name());
            self.note(Who::Event, &text);
        }
        decision
    }

    /// By which protocol mail comes.
    fn protocol(&self) -> &'static str {
        match (self.plan.script.server.lmtp, self.extended) {
            (true, _) => "LMTP",
            (false, true) => "ESMTP",
            (false, false) => "SMTP",
        }
    }

    fn note(&self, who: Who, text: &str) {
        let line = self.transcript.note(who, text);
        (self.shared.log)(&line);
    }
}
