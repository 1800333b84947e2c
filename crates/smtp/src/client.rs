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
mod envelope;
mod replies;

use std::collections::VecDeque;
use std::time::Duration;

use envelope::say_rcpt;
pub use envelope::{Envelope, Recipient, Unfit};

use crate::content::DotStuffer;
use crate::envelope::BodyKind;
use crate::{Extensions, ProtocolError, Reply, ReplyParser, Stage};

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

    fn say(&mut self, command: &str, expect: Expect) {
        self.output.extend_from_slice(command.as_bytes());
        self.output.extend_from_slice(b"\r\n");
        self.expected.push_back(expect);
    }
}
