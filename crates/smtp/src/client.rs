//! The client's side of a connection, without any I/O.
//!
//! The driver carries bytes: what it receives goes in with [`Connection::receive`], what stands in
//! [`Connection::output`] goes out, and [`Connection::poll`] tells what has come of it.
//!
//! ```
//! use smtp::client::{Connection, Event, Protocol, Settings};
//! let mut connection = Connection::new(Settings::new("me.example", "mx.example:25", Protocol::Smtp));
//! connection.receive(b"220 mx.example ESMTP\r\n");
//! assert!(matches!(connection.poll(), Ok(Some(Event::Greeting(_)))));
//! assert_eq!(connection.output(), b"EHLO me.example\r\n");
//! ```

mod auth;

use std::collections::VecDeque;
use std::time::Duration;

use crate::content::DotStuffer;
use crate::envelope::{BodyKind, ByMode, MailParams, RcptParams, submitter};
use crate::{Address, Extensions, ProtocolError, Reply, ReplyParser, Severity, Stage};

/// Which protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// RFC 5321.
    Smtp,
    /// RFC 2033: LHLO, and one reply for each recipient after the content.
    Lmtp,
}

/// How to talk.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Our name.
    pub helo: String,
    /// The peer, for the provenance of its replies.
    pub peer: String,
    /// Which protocol.
    pub protocol: Protocol,
    /// Whether to use PIPELINING where it is announced.
    pub pipelining: bool,
    /// Whether to use CHUNKING (BDAT) where it is announced.
    pub chunking: bool,
}

impl Settings {
    /// The usual settings: PIPELINING where announced, content by DATA.
    #[must_use]
    pub fn new(helo: &str, peer: &str, protocol: Protocol) -> Settings {
        Settings {
            helo: helo.to_owned(),
            peer: peer.to_owned(),
            protocol,
            pipelining: true,
            chunking: false,
        }
    }
}

/// The envelope of a transaction and what its content needs.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The reverse-path.
    pub sender: Address,
    /// The forward-paths; at least one.
    pub recipients: Vec<Recipient>,
    /// Size of the content in bytes.
    pub size: u64,
    /// What is said beside the address. What the peer does not announce is left out where the message
    /// can do without, and else is [`Unfit`]. Its size is not looked at, and nothing is held back.
    pub params: MailParams,
}

/// A forward-path and what is said beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The address.
    pub address: Address,
    /// What the sender wants to hear; left out where the peer does not announce DSN.
    pub params: RcptParams,
}

impl From<Address> for Recipient {
    fn from(address: Address) -> Recipient {
        let params = RcptParams::default();
        Recipient { address, params }
    }
}

impl Envelope {
    fn is_ascii(&self) -> bool {
        self.sender.is_ascii() && self.recipients.iter().all(|to| to.address.is_ascii())
    }
}

/// The peer does not announce what the message needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// RFC 1870 §6.1.
    #[error("the message has {size} bytes and the server takes at most {limit}")]
    TooLarge {
        /// Size of the message.
        size: u64,
        /// The announced maximum.
        limit: u64,
    },
    /// RFC 6152 §3.
    #[error("the message is 8-bit and the server does not announce 8BITMIME")]
    EightBit,
    /// RFC 3030 §3.
    #[error("the message is binary and the server does not announce BINARYMIME with CHUNKING")]
    Binary,
    /// RFC 6531 §3.6.
    #[error("the message needs SMTPUTF8 and the server does not announce it")]
    SmtpUtf8,
    /// RFC 8689 §4.2.1.
    #[error("the message requires TLS all the way and the server does not announce REQUIRETLS")]
    RequireTls,
    /// RFC 2852 §4.1.
    #[error(
        "the message is to be delivered in {seconds} seconds or go back, which the server does not promise"
    )]
    DeliverBy {
        /// The time that is left.
        seconds: i64,
    },
}

/// What has come of the talk so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The greeting; EHLO is on its way.
    Greeting(Reply),
    /// The answer to EHLO, LHLO or HELO; a transaction may begin.
    Ready(Reply),
    /// EHLO was refused; HELO is on its way (RFC 5321 §3.2).
    HelloRefused(Reply),
    /// The connection is of no use: the greeting or hello was refused, or the peer says out of turn
    /// that it closes.
    Unusable {
        /// What was waited for.
        stage: Stage,
        /// What the peer said.
        reply: Reply,
    },
    /// The answer to a line of an AUTH exchange.
    Auth(Reply),
    /// The answer to STARTTLS. After 220 the driver does the handshake, and then calls
    /// [`Connection::secured`]; after anything else it goes on in the clear, or leaves.
    StartTls(Reply),
    /// The answer to MAIL.
    Mail(Reply),
    /// The answer to RCPT.
    Rcpt {
        /// Position in the envelope's recipients.
        index: usize,
        /// The answer.
        reply: Reply,
    },
    /// DATA was refused although recipients had been taken.
    DataRefused(Reply),
    /// The peer waits for the content: [`Connection::content`], then [`Connection::content_end`].
    SendContent,
    /// The peer said something while the content was being sent: no reply can follow it in order,
    /// so the message is not taken.
    ContentRefused(Reply),
    /// The answer to the whole content, for all accepted recipients.
    Done(Reply),
    /// LMTP: the answer to the content for one recipient.
    RecipientDone {
        /// Position in the envelope's recipients.
        index: usize,
        /// The answer.
        reply: Reply,
    },
    /// The transaction is over.
    Over {
        /// Whether another may begin on this connection.
        usable: bool,
    },
    /// The answer to QUIT.
    Goodbye(Reply),
}

/// A connection as the client sees it.
#[derive(Debug)]
pub struct Connection {
    settings: Settings,
    parser: ReplyParser,
    output: Vec<u8>,
    extensions: Extensions,
    /// The replies that are due, in order.
    expected: VecDeque<Expect>,
    events: VecDeque<Event>,
    transaction: Option<Transaction>,
    sending: Option<DotStuffer>,
    chunked: bool,
    /// The peer has said 421: it closes, and nothing more is asked of it.
    closing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    Auth,
    Mail,
    Rcpt(usize),
    Data,
    Chunk,
    EndOfData,
    LmtpEndOfData(usize),
    /// The answer to a lone dot after DATA for nobody: of no interest.
    Discard,
    Reset,
    Quit,
}

impl Expect {
    fn stage(self) -> Stage {
        match self {
            Expect::Greeting => Stage::Greeting,
            Expect::Ehlo | Expect::Helo => Stage::Hello,
            Expect::StartTls => Stage::StartTls,
            Expect::Auth => Stage::Auth,
            Expect::Mail => Stage::Mail,
            Expect::Rcpt(_) => Stage::Rcpt,
            Expect::Data => Stage::Data,
            Expect::Chunk => Stage::Content,
            Expect::EndOfData | Expect::LmtpEndOfData(_) | Expect::Discard => Stage::EndOfData,
            Expect::Reset => Stage::Reset,
            Expect::Quit => Stage::Quit,
        }
    }
}

#[derive(Debug)]
struct Transaction {
    envelope: Envelope,
    accepted: Vec<usize>,
    mail_refused: bool,
    pipelined: bool,
    chunk_refused: bool,
}

impl Connection {
    /// A connection that has just been opened.
    #[must_use]
    pub fn new(settings: Settings) -> Connection {
        Connection {
            parser: ReplyParser::new(settings.peer.as_str()),
            settings,
            output: Vec::new(),
            extensions: Extensions::default(),
            expected: VecDeque::from([Expect::Greeting]),
            events: VecDeque::new(),
            transaction: None,
            sending: None,
            chunked: false,
            closing: false,
        }
    }

    /// Takes in bytes from the peer.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.parser.receive(bytes);
    }

    /// The bytes to send. [`Connection::sent`] removes them.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// All of the output has been sent.
    pub fn sent(&mut self) {
        self.output.clear();
        // A burst (a whole pipelined envelope) must not stay with an idle connection.
        if self.output.capacity() > 256 * 1024 {
            self.output = Vec::new();
        }
    }

    /// What the peer announced.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Whether LMTP is spoken.
    #[must_use]
    pub fn is_lmtp(&self) -> bool {
        self.settings.protocol == Protocol::Lmtp
    }

    /// What is being waited for, or done.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.expected.front() {
            // The last chunk is under way behind those that are not answered yet.
            Some(Expect::Chunk) if self.sending.is_none() => Stage::EndOfData,
            Some(expect) => expect.stage(),
            None if self.sending.is_some() => Stage::Content,
            None => Stage::Reset,
        }
    }

    /// How long the peer may take for the present stage (RFC 5321 §4.5.3.2).
    #[must_use]
    pub fn stage_timeout(&self) -> Duration {
        let minutes = match self.stage() {
            Stage::Data => 2,
            Stage::Content => 3,
            Stage::EndOfData => 10,
            Stage::Quit => return Duration::from_secs(10),
            Stage::Route
            | Stage::Connect
            | Stage::Greeting
            | Stage::Hello
            | Stage::StartTls
            | Stage::Auth
            | Stage::Mail
            | Stage::Rcpt
            | Stage::Reset => 5,
        };
        Duration::from_secs(60 * minutes)
    }

    /// What has come of the bytes so far. After an error the connection is of no use.
    pub fn poll(&mut self) -> Result<Option<Event>, ProtocolError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            match self.parser.next_reply()? {
                Some(reply) => self.handle(reply),
                None => return Ok(None),
            }
        }
    }

    /// Begins a transaction. Only after [`Event::Ready`] or [`Event::Over`] with `usable`.
    pub fn begin(&mut self, envelope: Envelope) -> Result<(), Unfit> {
        self.fits(&envelope)?;
        let pipelined = self.settings.pipelining && self.extensions.pipelining;
        // RFC 2033 says nothing of how many replies a refused chunk has, so LMTP goes without.
        let binary = envelope.params.body == BodyKind::Binary;
        self.chunked = (self.settings.chunking || binary)
            && self.extensions.chunking
            && self.settings.protocol == Protocol::Smtp;
        self.say_mail(&envelope);
        self.expected.push_back(Expect::Mail);
        if pipelined {
            for (index, recipient) in envelope.recipients.iter().enumerate() {
                say_rcpt(&mut self.output, recipient, self.extensions.dsn);
                self.expected.push_back(Expect::Rcpt(index));
            }
            // RFC 3030 §4.2: BDAT may follow at once too, but would send the content unasked.
            if !self.chunked {
                self.say("DATA", Expect::Data);
            }
        }
        let (accepted, mail_refused, chunk_refused) = (Vec::new(), false, false);
        self.transaction = Some(Transaction {
            envelope,
            accepted,
            mail_refused,
            pipelined,
            chunk_refused,
        });
        Ok(())
    }

    /// Appends a piece of content: canonical text with CRLF line ends, not dot-stuffed.
    pub fn content(&mut self, piece: &[u8]) {
        let Some(stuffer) = &mut self.sending else {
            return;
        };
        if piece.is_empty() {
            return;
        }
        if self.chunked {
            self.output
                .extend_from_slice(format!("BDAT {}\r\n", piece.len()).as_bytes());
            self.output.extend_from_slice(piece);
            self.expected.push_back(Expect::Chunk);
        } else {
            stuffer.stuff(piece, &mut self.output);
        }
    }

    /// Ends the content.
    pub fn content_end(&mut self) {
        let Some(stuffer) = self.sending.take() else {
            return;
        };
        if self.chunked {
            self.output.extend_from_slice(b"BDAT 0 LAST\r\n");
        } else {
            stuffer.end(&mut self.output);
        }
        match (self.settings.protocol, &self.transaction) {
            (Protocol::Lmtp, Some(transaction)) => {
                let each = transaction
                    .accepted
                    .iter()
                    .map(|index| Expect::LmtpEndOfData(*index));
                self.expected.extend(each);
            }
            (Protocol::Smtp | Protocol::Lmtp, _) => self.expected.push_back(Expect::EndOfData),
        }
    }

    /// Asks for TLS (RFC 3207). Only between [`Event::Ready`] and the first transaction.
    pub fn start_tls(&mut self) {
        self.say("STARTTLS", Expect::StartTls);
    }

    /// The handshake is done: RFC 3207 §4.2: what the server said in the clear is forgotten, what came
    /// behind its answer to STARTTLS thrown away, and EHLO said again.
    pub fn secured(&mut self) {
        self.parser = ReplyParser::new(self.settings.peer.as_str());
        self.extensions = Extensions::default();
        self.events.clear();
        self.say_hello();
    }

    /// Says QUIT.
    pub fn quit(&mut self) {
        self.say("QUIT", Expect::Quit);
    }

    fn fits(&self, envelope: &Envelope) -> Result<(), Unfit> {
        if let Some(Some(limit)) = self.extensions.size
            && envelope.size > limit
        {
            return Err(Unfit::TooLarge {
                size: envelope.size,
                limit,
            });
        }
        let params = &envelope.params;
        let announced = &self.extensions;
        if (params.smtputf8 || !envelope.is_ascii()) && !announced.smtputf8 {
            return Err(Unfit::SmtpUtf8);
        }
        let chunks = announced.chunking && self.settings.protocol == Protocol::Smtp;
        match params.body {
            BodyKind::EightBit if !announced.eight_bit_mime => return Err(Unfit::EightBit),
            BodyKind::Binary if !(announced.binary_mime && chunks) => return Err(Unfit::Binary),
            BodyKind::SevenBit | BodyKind::EightBit | BodyKind::Binary => {}
        }
        if params.require_tls && !announced.require_tls {
            return Err(Unfit::RequireTls);
        }
        // RFC 2852 §4.1.4: with R, who does not promise the time does not get the message. What LMTP
        // takes is delivered.
        if let Some(by) = params.deliver_by
            && by.mode == ByMode::Return
            && self.settings.protocol == Protocol::Smtp
            && !self.promises(by.seconds)
        {
            return Err(Unfit::DeliverBy {
                seconds: by.seconds,
            });
        }
        Ok(())
    }

    /// RFC 2852 §3: the peer announces DELIVERBY, and can do it in this time.
    fn promises(&self, seconds: i64) -> bool {
        match self.extensions.deliver_by {
            None => false,
            Some(None) => true,
            Some(Some(least)) => u64::try_from(seconds).is_ok_and(|seconds| seconds >= least),
        }
    }

    fn say(&mut self, command: &str, expect: Expect) {
        self.output.extend_from_slice(command.as_bytes());
        self.output.extend_from_slice(b"\r\n");
        self.expected.push_back(expect);
    }

    fn say_mail(&mut self, envelope: &Envelope) {
        let mut line = format!("MAIL FROM:<{}>", envelope.sender.as_str());
        if self.extensions.size.is_some() {
            line.push_str(&format!(" SIZE={}", envelope.size));
        }
        let (params, announced) = (&envelope.params, &self.extensions);
        if params.body != BodyKind::SevenBit {
            line.push_str(&format!(" BODY={}", params.body.as_str()));
        }
        if params.smtputf8 || !envelope.is_ascii() {
            line.push_str(" SMTPUTF8");
        }
        let words = [
            // RFC 3461 §5.2.1.
            params
                .ret
                .filter(|_| announced.dsn)
                .map(|ret| format!("RET={}", ret.as_str())),
            params
                .envelope_id
                .as_ref()
                .filter(|_| announced.dsn)
                .map(|id| format!("ENVID={}", id.to_xtext())),
            params.require_tls.then(|| "REQUIRETLS".to_owned()),
            params
                .deliver_by
                .filter(|by| self.promises(by.seconds))
                .map(|by| format!("BY={by}")),
            (announced.priority && !params.priority.is_usual())
                .then(|| format!("MT-PRIORITY={}", params.priority)),
            params
                .submitter
                .as_ref()
                .filter(|_| !announced.auth.is_empty())
                .map(|from| format!("AUTH={}", submitter(from))),
        ];
        for word in words.into_iter().flatten() {
            line.push(' ');
            line.push_str(&word);
        }
        line.push_str("\r\n");
        self.output.extend_from_slice(line.as_bytes());
    }

    fn handle(&mut self, reply: Reply) {
        let Some(expect) = self.expected.pop_front() else {
            return self.out_of_turn(reply);
        };
        // RFC 5321 §3.8: 421 may answer anything; the peer closes after it.
        self.closing |= reply.code() == 421;
        match expect {
            Expect::Greeting => self.greeting(reply),
            Expect::Ehlo | Expect::Helo => self.hello(reply, expect),
            Expect::StartTls => self.events.push_back(Event::StartTls(reply)),
            Expect::Auth => self.events.push_back(Event::Auth(reply)),
            Expect::Mail => self.mail(reply),
            Expect::Rcpt(index) => self.rcpt(index, reply),
            Expect::Data => self.data(reply),
            Expect::Chunk => self.chunk(reply),
            Expect::EndOfData => {
                if self.transaction.as_ref().is_some_and(|t| t.chunk_refused) {
                    // RFC 3030 §2: the state is unclear until a RSET.
                    self.reset();
                } else {
                    self.events.push_back(Event::Done(reply));
                    self.over(true);
                }
            }
            Expect::LmtpEndOfData(index) => {
                self.events.push_back(Event::RecipientDone { index, reply });
                if !matches!(self.expected.front(), Some(Expect::LmtpEndOfData(_))) {
                    self.over(true);
                }
            }
            Expect::Discard => self.over(true),
            Expect::Reset => self.over(reply.severity() == Severity::Completion),
            Expect::Quit => self.events.push_back(Event::Goodbye(reply)),
        }
        if self.closing && self.transaction.is_some() {
            self.over(false);
        }
    }

    fn out_of_turn(&mut self, reply: Reply) {
        if self.sending.take().is_some() {
            self.events.push_back(Event::ContentRefused(reply));
            self.over(false);
        } else {
            self.events.push_back(Event::Unusable {
                stage: Stage::Reset,
                reply,
            });
        }
    }

    fn say_hello(&mut self) {
        let verb = match self.settings.protocol {
            Protocol::Smtp => "EHLO",
            Protocol::Lmtp => "LHLO",
        };
        self.say(&format!("{verb} {}", self.settings.helo), Expect::Ehlo);
    }

    /// RFC 5321 §3.1: 220 opens; 554 or anything else does not.
    fn greeting(&mut self, reply: Reply) {
        if reply.code() == 220 {
            self.events.push_back(Event::Greeting(reply));
            self.say_hello();
        } else {
            self.events.push_back(Event::Unusable {
                stage: Stage::Greeting,
                reply,
            });
        }
    }

    fn hello(&mut self, reply: Reply, expect: Expect) {
        if reply.severity() == Severity::Completion {
            if expect == Expect::Ehlo {
                self.extensions = Extensions::of(&reply);
            }
            self.events.push_back(Event::Ready(reply));
        } else if expect == Expect::Ehlo
            && reply.severity() == Severity::Permanent
            && self.settings.protocol == Protocol::Smtp
        {
            // RFC 5321 §3.2: a server that refuses EHLO may still know HELO.
            self.events.push_back(Event::HelloRefused(reply));
            self.say(&format!("HELO {}", self.settings.helo), Expect::Helo);
        } else {
            self.events.push_back(Event::Unusable {
                stage: Stage::Hello,
                reply,
            });
        }
    }

    fn mail(&mut self, reply: Reply) {
        let taken = reply.severity() == Severity::Completion;
        self.events.push_back(Event::Mail(reply));
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        transaction.mail_refused = !taken;
        if transaction.pipelined {
            if !taken && self.expected.is_empty() {
                self.over(true);
            }
        } else if taken {
            self.next_rcpt(0);
        } else {
            self.over(true);
        }
    }

    fn next_rcpt(&mut self, index: usize) {
        let Some(transaction) = self.transaction.as_ref().filter(|_| !self.closing) else {
            return;
        };
        match transaction.envelope.recipients.get(index) {
            Some(recipient) => {
                say_rcpt(&mut self.output, recipient, self.extensions.dsn);
                self.expected.push_back(Expect::Rcpt(index));
            }
            None if transaction.accepted.is_empty() => self.reset(),
            None if self.chunked => self.start_content(),
            None => self.say("DATA", Expect::Data),
        }
    }

    fn rcpt(&mut self, index: usize, reply: Reply) {
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        if !transaction.mail_refused {
            if reply.severity() == Severity::Completion {
                transaction.accepted.push(index);
            }
            self.events.push_back(Event::Rcpt { index, reply });
        }
        let last = index + 1 == transaction.envelope.recipients.len();
        if !transaction.pipelined {
            self.next_rcpt(index + 1);
        } else if last && self.chunked {
            match (transaction.mail_refused, transaction.accepted.is_empty()) {
                (true, _) => self.over(true),
                (false, true) => self.reset(),
                (false, false) => self.start_content(),
            }
        }
    }

    fn data(&mut self, reply: Reply) {
        let Some(transaction) = &self.transaction else {
            return;
        };
        let nobody = transaction.accepted.is_empty();
        match (reply.severity(), nobody) {
            (Severity::Intermediate, false) => self.start_content(),
            // RFC 2920 §3.1: a server may say 354 although it took no recipient; a lone dot ends it.
            // RFC 2033 §4.2 has no reply to that dot, so that LMTP cannot go on from here.
            (Severity::Intermediate, true) if self.settings.protocol == Protocol::Lmtp => {
                self.over(false);
            }
            (Severity::Intermediate, true) => {
                self.output.extend_from_slice(b".\r\n");
                self.expected.push_back(Expect::Discard);
            }
            (_, true) if transaction.mail_refused => self.over(true),
            (_, true) => self.reset(),
            (_, false) => {
                self.events.push_back(Event::DataRefused(reply));
                self.reset();
            }
        }
    }

    fn chunk(&mut self, reply: Reply) {
        let Some(transaction) = &mut self.transaction else {
            return;
        };
        if reply.severity() == Severity::Completion || transaction.chunk_refused {
            return;
        }
        transaction.chunk_refused = true;
        let sending = self.sending.is_some();
        self.events.push_back(Event::ContentRefused(reply));
        if sending {
            // RFC 3030 §2: after a refused chunk the transaction must be reset; the driver stops.
            self.sending = None;
            self.reset();
        }
    }

    fn reset(&mut self) {
        if self.closing {
            self.over(false);
        } else {
            self.say("RSET", Expect::Reset);
        }
    }

    fn start_content(&mut self) {
        self.sending = Some(DotStuffer::default());
        self.events.push_back(Event::SendContent);
    }

    fn over(&mut self, usable: bool) {
        let usable = usable && !self.closing;
        if !usable {
            self.expected.clear();
            self.sending = None;
        }
        if self.transaction.take().is_some() {
            self.events.push_back(Event::Over { usable });
        }
    }
}

/// With what the sender wants to hear, where the peer will tell it (RFC 3461 §5.2.1).
fn say_rcpt(output: &mut Vec<u8>, recipient: &Recipient, dsn: bool) {
    output.extend_from_slice(b"RCPT TO:<");
    output.extend_from_slice(recipient.address.as_str().as_bytes());
    output.push(b'>');
    let RcptParams { notify, original } = &recipient.params;
    if let Some(notify) = notify.filter(|_| dsn) {
        output.extend_from_slice(format!(" NOTIFY={notify}").as_bytes());
    }
    if let Some(original) = original.as_ref().filter(|_| dsn) {
        output.extend_from_slice(format!(" ORCPT={}", original.to_xtext()).as_bytes());
    }
    output.extend_from_slice(b"\r\n");
}
