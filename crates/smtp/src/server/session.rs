//! The session's states.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;

use super::{AuthOffer, Config, Event};
use crate::content::{ChunkReader, ContentProblem, DataReader};
use crate::envelope::BodyKind;
use crate::{Class, OutgoingReply};

/// A connection as the server sees it. See the [module](super) for how to drive it.
#[derive(Debug)]
pub struct Session {
    pub(super) config: Arc<Config>,
    pub(super) input: BytesMut,
    output: BytesMut,
    pub(super) phase: Phase,
    pub(super) pending: Option<Pending>,
    /// To be given out before anything else happens.
    pub(super) next: Option<Event>,
    pub(super) hello: bool,
    pub(super) tls: bool,
    pub(super) transaction: Option<Transaction>,
    pub(super) errors: u32,
    pub(super) auth: Option<Arc<AuthOffer>>,
    pub(super) authenticated: bool,
    pub(super) xclient: bool,
    /// Transactions that were begun.
    pub(super) messages: u32,
    /// How long mail may be held, in seconds, and until when at most.
    pub(super) holding: Option<(u64, Timestamp)>,
}

#[derive(Debug, Default)]
pub(super) struct Transaction {
    pub(super) smtputf8: bool,
    pub(super) body: BodyKind,
    pub(super) accepted: usize,
    /// RCPT commands that were understood.
    pub(super) asked: usize,
    /// Set by the first BDAT.
    pub(super) chunks: Option<ChunkReader>,
}

/// What the input is at this point.
#[derive(Debug)]
pub(super) enum Phase {
    Command,
    /// The rest of a line that is too long; how it began.
    LongLine {
        start: Bytes,
    },
    /// A response to a challenge of AUTH.
    AuthResponse,
    /// The rest of a response that is too long.
    LongResponse,
    Data {
        reader: DataReader,
        problem: Option<ContentProblem>,
        /// How often the end is answered: with LMTP once for each recipient.
        replies: usize,
    },
    Chunk {
        left: u64,
        last: bool,
    },
    /// A chunk that is not taken, and what is said after it.
    DropChunk {
        left: u64,
        reply: OutgoingReply,
    },
    Closed,
}

/// What the driver's answer is about.
#[derive(Debug)]
pub(super) enum Pending {
    Greeting,
    Hello { extended: bool },
    Mail { smtputf8: bool, body: BodyKind },
    Rcpt,
    Data,
    Chunk { size: u64, last: bool },
    EndOfContent,
    StartTls,
    Auth,
    Xclient,
}

/// The outcome of a step.
pub(super) enum Step {
    Event(Event),
    Again,
    NeedInput,
}

impl Session {
    /// A session with a client that has just connected. The first answer is the greeting.
    #[must_use]
    pub fn new(config: impl Into<Arc<Config>>) -> Session {
        Session {
            config: config.into(),
            input: BytesMut::new(),
            output: BytesMut::new(),
            phase: Phase::Command,
            pending: Some(Pending::Greeting),
            next: None,
            hello: false,
            tls: false,
            transaction: None,
            errors: 0,
            auth: None,
            authenticated: false,
            xclient: false,
            messages: 0,
            holding: None,
        }
    }

    /// Where received bytes are appended.
    pub fn input(&mut self) -> &mut BytesMut {
        &mut self.input
    }

    /// What is to be written, in order, replies to pipelined commands together. Empties it.
    pub fn take_output(&mut self) -> Bytes {
        self.output.split().freeze()
    }

    /// Offers to hold mail back (FUTURERELEASE, RFC 4865) for at most so many seconds, which is until
    /// then; to be said before EHLO is answered. Nothing: not offered.
    pub fn offer_holding(&mut self, most: Option<(u64, Timestamp)>) {
        self.holding = most;
    }

    /// Whether anything is to be written.
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// Gives back the memory of buffers that are empty: for a connection that is idle.
    pub fn release_buffers(&mut self) {
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
        if self.output.is_empty() {
            self.output = BytesMut::new();
        }
    }

    /// Whether nothing more will happen; the connection is to be closed once the output is written.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Whether TLS is on, or is to begin once the output is written.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.tls
    }

    /// The connection is under TLS from its first byte on (RFC 8314 §3.3).
    pub fn set_secure(&mut self) {
        self.tls = true;
    }

    /// Whether a transaction is open.
    #[must_use]
    pub fn in_transaction(&self) -> bool {
        self.transaction.is_some() || self.in_content()
    }

    /// Whether the client is to send content now, and not a command.
    #[must_use]
    pub fn in_content(&self) -> bool {
        matches!(
            self.phase,
            Phase::Data { .. } | Phase::Chunk { .. } | Phase::DropChunk { .. }
        )
    }

    /// Whether the session waits for the driver's answer.
    #[must_use]
    pub fn awaits_answer(&self) -> bool {
        self.pending.is_some() && !self.is_closed()
    }

    /// The next event, or nothing: then more input is needed, or an answer, or the session is over.
    pub fn poll(&mut self) -> Option<Event> {
        if let Some(event) = self.next.take() {
            return Some(event);
        }
        loop {
            if self.pending.is_some() {
                return None;
            }
            let step = match &self.phase {
                Phase::Command => self.command(),
                Phase::LongLine { .. } => self.long_line(),
                Phase::Data { .. } => self.data(),
                Phase::Chunk { left, last } => self.chunk(*left, *last),
                Phase::DropChunk { left, .. } => self.drop_chunk(*left),
                Phase::AuthResponse => self.auth_response(),
                Phase::LongResponse => self.long_response(),
                Phase::Closed => Step::NeedInput,
            };
            match step {
                Step::Event(event) => return Some(event),
                Step::Again => {}
                Step::NeedInput => return None,
            }
        }
    }

    /// Says yes, in the usual words, to what is pending.
    pub fn accept(&mut self) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let success = |subject, detail, text: &'static str| {
            OutgoingReply::new(250, (Class::Success, subject, detail), text)
        };
        let reply = match &pending {
            Pending::Greeting | Pending::Xclient => {
                let protocol = if self.config.lmtp { "LMTP" } else { "ESMTP" };
                OutgoingReply::plain(
                    220,
                    format!("{} {protocol} Postrider", self.config.hostname),
                )
            }
            Pending::Hello { extended } => self.hello_reply(*extended),
            Pending::Mail { .. } => success(1, 0, "sender ok"),
            Pending::Rcpt => success(1, 5, "recipient ok"),
            Pending::Data => OutgoingReply::plain(354, "end the message with <CR><LF>.<CR><LF>"),
            Pending::Chunk { .. } => return self.begin_content(&pending),
            Pending::EndOfContent => success(0, 0, "message accepted"),
            Pending::StartTls => {
                OutgoingReply::new(220, (Class::Success, 0, 0), "ready to start TLS")
            }
            // RFC 4954 §4.
            Pending::Auth => OutgoingReply::new(235, (Class::Success, 7, 0), "authenticated"),
        };
        self.pending = Some(pending);
        self.answer(reply);
    }

    /// Answers what is pending; the code says whether it is yes (2yz, 3yz) or no. A 421 closes the
    /// session, and so does a greeting that is not positive.
    ///
    /// Yes to [`Event::Data`] for a chunk is not written: the client goes on without waiting.
    pub fn answer(&mut self, reply: OutgoingReply) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let times = match &pending {
            Pending::EndOfContent if reply.code() != 421 => self.replies(),
            _ => 1,
        };
        if reply.is_positive() {
            match &pending {
                Pending::Greeting => {}
                Pending::Hello { .. } => self.hello = true,
                Pending::Mail { smtputf8, body } => {
                    let (smtputf8, body) = (*smtputf8, *body);
                    self.messages = self.messages.saturating_add(1);
                    self.transaction = Some(Transaction {
                        smtputf8,
                        body,
                        ..Transaction::default()
                    });
                }
                Pending::Rcpt => {
                    if let Some(transaction) = &mut self.transaction {
                        transaction.accepted += 1;
                    }
                }
                Pending::Chunk { .. } => return self.begin_content(&pending),
                Pending::Data => self.begin_content(&pending),
                Pending::EndOfContent => self.transaction = None,
                Pending::StartTls => self.begin_tls(),
                Pending::Auth => self.authenticated = true,
                Pending::Xclient => self.begin_anew(),
            }
        } else {
            match pending {
                Pending::Greeting => self.phase = Phase::Closed,
                Pending::Data | Pending::EndOfContent => self.transaction = None,
                Pending::Chunk { size, .. } if reply.code() != 421 => {
                    // RFC 3030 §2: the chunk comes whatever we say; it is read before we say it.
                    self.transaction = None;
                    self.phase = Phase::DropChunk { left: size, reply };
                    return;
                }
                Pending::Chunk { .. }
                | Pending::Hello { .. }
                | Pending::Mail { .. }
                | Pending::Rcpt
                | Pending::StartTls
                | Pending::Auth
                | Pending::Xclient => {}
            }
        }
        if reply.code() == 421 {
            self.phase = Phase::Closed;
        }
        for _ in 0..times {
            self.write(&reply);
        }
    }

    /// Answers [`Event::EndOfContent`] for each accepted recipient in turn (RFC 2033 §4.2), where LMTP
    /// is spoken; what is missing is answered like the last.
    pub fn answer_each(&mut self, replies: Vec<OutgoingReply>) {
        let wanted = self.replies();
        let is_end = matches!(self.pending, Some(Pending::EndOfContent));
        let Some(last) = replies.last().cloned().filter(|_| is_end) else {
            return;
        };
        self.pending = None;
        self.transaction = None;
        for reply in replies.iter().chain(std::iter::repeat(&last)).take(wanted) {
            self.write(reply);
        }
    }

    /// How often the end of the content is answered.
    pub(super) fn replies(&self) -> usize {
        let accepted = self.transaction.as_ref().map_or(0, |open| open.accepted);
        if self.config.lmtp { accepted.max(1) } else { 1 }
    }

    /// Offers XCLIENT to this client.
    pub fn offer_xclient(&mut self) {
        self.xclient = true;
    }

    /// Tells the session that the client counts as authenticated, or no longer: by XCLIENT, say.
    pub fn set_authenticated(&mut self, authenticated: bool) {
        self.authenticated = authenticated;
    }

    /// Whether the client is authenticated.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// Postfix's XCLIENT_README: the session begins anew.
    fn begin_anew(&mut self) {
        self.hello = false;
        self.transaction = None;
    }

    /// Writes a challenge as it goes over the wire: it may be longer than the line of a reply.
    pub(super) fn write_challenge(&mut self, encoded: &str) {
        self.output.extend_from_slice(b"334 ");
        self.output.extend_from_slice(encoded.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }

    /// Ends the session with a reply of the driver's own: a time-out, a shutdown. Whatever is
    /// pending stays unanswered.
    pub fn close(&mut self, reply: &OutgoingReply) {
        if !self.is_closed() {
            self.pending = None;
            self.transaction = None;
            self.phase = Phase::Closed;
            self.write(reply);
        }
    }

    pub(super) fn write(&mut self, reply: &OutgoingReply) {
        if self.config.enhanced_status_codes {
            reply.write(&mut self.output);
        } else {
            reply.write_without_status(&mut self.output);
        }
    }

    pub(super) fn say(
        &mut self,
        code: u16,
        status: (u16, u16),
        text: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        self.write(&OutgoingReply::new(
            code,
            (Class::Success, status.0, status.1),
            text,
        ));
    }

    /// RFC 5321 §4.1.1.1.
    fn hello_reply(&self, extended: bool) -> OutgoingReply {
        let config = &self.config;
        let mut reply = OutgoingReply::plain(250, config.hostname.clone());
        if !extended {
            return reply;
        }
        let offers = [
            (config.pipelining, "PIPELINING"),
            (config.eight_bit_mime, "8BITMIME"),
            (config.enhanced_status_codes, "ENHANCEDSTATUSCODES"),
            (config.chunking, "CHUNKING"),
            (config.smtputf8, "SMTPUTF8"),
            // RFC 3207 §4.2: not announced once TLS is on.
            (config.starttls && !self.tls, "STARTTLS"),
            (config.dsn, "DSN"),
            (config.takes_binary(), "BINARYMIME"),
            // RFC 8689 §2: only over TLS.
            (config.require_tls && self.tls, "REQUIRETLS"),
            (config.deliver_by, "DELIVERBY"),
            (config.priority, "MT-PRIORITY"),
        ];
        for (offered, keyword) in offers {
            if offered {
                reply = reply.line(keyword);
            }
        }
        if let Some(offer) = self
            .auth
            .as_deref()
            .filter(|offer| !offer.mechanisms.is_empty())
        {
            reply = reply.line(format!("AUTH {}", offer.mechanisms.join(" ")));
        }
        if self.xclient {
            reply = reply.line(crate::xclient::ANNOUNCEMENT);
        }
        if config.size {
            reply = reply.line(format!("SIZE {}", config.max_size));
        }
        if config.limits {
            // RFC 9422 §4.
            let mut line = format!("LIMITS RCPTMAX={}", config.max_recipients);
            if config.max_messages < u32::MAX {
                line.push_str(&format!(" MAILMAX={}", config.max_messages));
            }
            reply = reply.line(line);
        }
        if let Some((seconds, until)) = self.holding {
            // RFC 4865 §3: whole seconds in UTC.
            let until = until.strftime("%Y-%m-%dT%H:%M:%SZ");
            reply = reply.line(format!("FUTURERELEASE {seconds} {until}"));
        }
        reply
    }

    /// RFC 3207 §4.2: all that is known of the client is forgotten, and what it sent in the clear
    /// behind the command is not taken for what comes over TLS.
    fn begin_tls(&mut self) {
        self.input.clear();
        self.tls = true;
        self.hello = false;
        self.transaction = None;
        self.auth = None;
        self.authenticated = false;
    }

    fn begin_content(&mut self, pending: &Pending) {
        if let Pending::Chunk { size, last } = pending {
            if let Some(transaction) = &mut self.transaction {
                transaction.chunks = Some(match transaction.body {
                    BodyKind::Binary => ChunkReader::binary(),
                    BodyKind::SevenBit | BodyKind::EightBit => ChunkReader::default(),
                });
            }
            self.phase = Phase::Chunk {
                left: *size,
                last: *last,
            };
        } else {
            let reader = DataReader::new(self.config.max_size);
            self.phase = Phase::Data {
                reader,
                problem: None,
                replies: self.replies(),
            };
        }
    }
}
