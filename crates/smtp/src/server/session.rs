//! The session's states.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use memchr::memchr;

use super::problem::content_reply;
use super::{Config, Event, MailParams, Needs, Problem};
use crate::command::{self, Command, Parameter, SyntaxError};
use crate::content::{ChunkReader, ContentProblem, DataReader, Received};
use crate::{Address, Class, OutgoingReply};

/// A connection as the server sees it. See the [module](super) for how to drive it.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    input: BytesMut,
    output: BytesMut,
    phase: Phase,
    pending: Option<Pending>,
    /// To be given out before anything else happens.
    next: Option<Event>,
    hello: bool,
    tls: bool,
    transaction: Option<Transaction>,
    errors: u32,
}

#[derive(Debug, Default)]
struct Transaction {
    smtputf8: bool,
    accepted: usize,
    /// RCPT commands that were understood.
    asked: usize,
    /// Set by the first BDAT.
    chunks: Option<ChunkReader>,
}

/// What the input is at this point.
#[derive(Debug)]
enum Phase {
    Command,
    /// The rest of a line that is too long; how it began.
    LongLine {
        start: Bytes,
    },
    Data {
        reader: DataReader,
        problem: Option<ContentProblem>,
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
enum Pending {
    Greeting,
    Hello { extended: bool },
    Mail { smtputf8: bool },
    Rcpt,
    Data,
    Chunk { size: u64, last: bool },
    EndOfContent,
    StartTls,
}

/// The outcome of a step.
enum Step {
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
            Pending::Greeting => {
                OutgoingReply::plain(220, format!("{} ESMTP Postrider", self.config.hostname))
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
        if reply.is_positive() {
            match &pending {
                Pending::Greeting => {}
                Pending::Hello { .. } => self.hello = true,
                Pending::Mail { smtputf8 } => {
                    let smtputf8 = *smtputf8;
                    self.transaction = Some(Transaction {
                        smtputf8,
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
                | Pending::StartTls => {}
            }
        }
        if reply.code() == 421 {
            self.phase = Phase::Closed;
        }
        self.write(&reply);
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

    fn write(&mut self, reply: &OutgoingReply) {
        if self.config.enhanced_status_codes {
            reply.write(&mut self.output);
        } else {
            reply.write_without_status(&mut self.output);
        }
    }

    fn say(
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
        ];
        for (offered, keyword) in offers {
            if offered {
                reply = reply.line(keyword);
            }
        }
        if config.size {
            reply = reply.line(format!("SIZE {}", config.max_size));
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
    }

    fn begin_content(&mut self, pending: &Pending) {
        if let Pending::Chunk { size, last } = pending {
            if let Some(transaction) = &mut self.transaction {
                transaction.chunks = Some(ChunkReader::default());
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
            };
        }
    }

    // Commands.

    fn command(&mut self) -> Step {
        let limit = self.config.max_line;
        let Some(end) = memchr(b'\n', &self.input) else {
            if self.input.len() >= limit {
                // RFC 5321 §4.5.3.1.9: read to its end, without keeping it.
                let start = self.input.split_to(Event::LINE.min(limit)).freeze();
                self.input.clear();
                self.phase = Phase::LongLine { start };
            }
            return Step::NeedInput;
        };
        let line = self.input.split_to(end + 1).freeze();
        if line.len() > limit {
            let start = line.slice(..Event::LINE.min(limit));
            return self.refuse(SyntaxError::TooLong { limit }, start);
        }
        // RFC 5321 §2.3.8: a line ends in CRLF and nothing else.
        let Some(text) = line.strip_suffix(b"\r\n") else {
            let text = line.slice(..end);
            return self.refuse(SyntaxError::BareLf, text);
        };
        let command = match command::parse(text) {
            Ok(command) => command,
            Err(error) => return self.refuse(error, line.slice(..end - 1)),
        };
        let chunk = if let Command::Bdat { size, .. } = &command {
            Some(*size)
        } else {
            None
        };
        self.obey(command)
            .unwrap_or_else(|problem| self.refuse_with(problem, line.slice(..end - 1), chunk))
    }

    fn long_line(&mut self) -> Step {
        let Some(end) = memchr(b'\n', &self.input) else {
            self.input.clear();
            return Step::NeedInput;
        };
        bytes::Buf::advance(&mut self.input, end + 1);
        let Phase::LongLine { start } = std::mem::replace(&mut self.phase, Phase::Command) else {
            return Step::Again;
        };
        self.refuse(
            SyntaxError::TooLong {
                limit: self.config.max_line,
            },
            start,
        )
    }

    fn refuse(&mut self, error: SyntaxError, line: Bytes) -> Step {
        self.refuse_with(Problem::Syntax(error), line, None)
    }

    /// Refuses a command; `chunk` is the size of what comes with it.
    fn refuse_with(&mut self, problem: Problem, line: Bytes, chunk: Option<u64>) -> Step {
        self.errors += u32::from(problem.counts());
        if self.errors > self.config.max_errors {
            // RFC 5321 §3.8: 421 announces that the server closes.
            let text = format!(
                "{} too many errors, closing connection",
                self.config.hostname
            );
            self.close(&OutgoingReply::new(421, (Class::Transient, 7, 0), text));
            self.next = Some(Event::TooManyErrors);
        } else if let Some(left) = chunk {
            self.phase = Phase::DropChunk {
                left,
                reply: problem.reply(),
            };
        } else {
            self.write(&problem.reply());
        }
        if problem == Problem::Syntax(SyntaxError::ChunkSize) {
            // Where the chunk ends is unknown, so what follows cannot be told from commands.
            self.phase = Phase::Closed;
        }
        let line = line.slice(..line.len().min(Event::LINE));
        Step::Event(Event::Refused { problem, line })
    }

    fn obey(&mut self, command: Command) -> Result<Step, Problem> {
        match command {
            Command::Ehlo(name) => Ok(self.hello(name, true)),
            Command::Helo(name) => Ok(self.hello(name, false)),
            Command::Mail { from, parameters } => self.mail(from, &parameters),
            Command::Rcpt { to, parameters } => self.rcpt(to, &parameters),
            Command::Data => self.begin_data(),
            Command::Bdat { size, last } => self.bdat(size, last),
            Command::Rset => {
                self.transaction = None;
                self.say(250, (0, 0), "ok");
                Ok(Step::Event(Event::Reset))
            }
            Command::Noop => {
                self.say(250, (0, 0), "ok");
                Ok(Step::Again)
            }
            // RFC 5321 §3.5.3 and §7.3: 252 tells nothing about who has a mailbox here.
            Command::Vrfy(argument) => {
                self.say(252, (0, 0), "cannot say; send a message and see");
                Ok(Step::Event(Event::Vrfy(argument)))
            }
            Command::Help => {
                let text = "commands: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT";
                self.say(214, (0, 0), text);
                Ok(Step::Again)
            }
            Command::StartTls if !self.config.starttls => Err(Problem::NotAvailable),
            Command::StartTls if self.tls => Err(Problem::OutOfOrder(Needs::NoTls)),
            Command::StartTls => {
                self.pending = Some(Pending::StartTls);
                Ok(Step::Event(Event::StartTls))
            }
            Command::Expn | Command::Auth | Command::Withdrawn => Err(Problem::NotAvailable),
            Command::Quit => {
                let text = format!("{} closing connection", self.config.hostname);
                self.close(&OutgoingReply::new(221, (Class::Success, 0, 0), text));
                Ok(Step::Event(Event::Quit))
            }
        }
    }

    /// RFC 5321 §4.1.4: EHLO and HELO do what RSET does.
    fn hello(&mut self, name: String, extended: bool) -> Step {
        self.transaction = None;
        self.pending = Some(Pending::Hello { extended });
        Step::Event(Event::Hello { name, extended })
    }

    fn mail(&mut self, from: Address, parameters: &[Parameter]) -> Result<Step, Problem> {
        // Deviation: RFC 5321 §4.1.4 lets a server do without EHLO; the trace header needs a name.
        if !self.hello {
            return Err(Problem::OutOfOrder(Needs::Hello));
        }
        if self.transaction.is_some() {
            return Err(Problem::OutOfOrder(Needs::NoTransaction));
        }
        let params = self.mail_params(parameters)?;
        if !params.smtputf8 && !from.is_ascii() {
            return Err(Problem::NeedsSmtpUtf8);
        }
        let limit = self.config.max_size;
        // RFC 1870 §6.1.
        if let Some(size) = params.size.filter(|size| *size > limit) {
            return Err(Problem::TooLarge { size, limit });
        }
        self.pending = Some(Pending::Mail {
            smtputf8: params.smtputf8,
        });
        Ok(Step::Event(Event::Mail { from, params }))
    }

    fn mail_params(&self, parameters: &[Parameter]) -> Result<MailParams, Problem> {
        let config = &self.config;
        let mut params = MailParams::default();
        for Parameter { keyword, value } in parameters {
            let wrong = || Problem::ParameterValue(keyword.clone());
            match (keyword.as_str(), value) {
                // RFC 1870 §5: up to 20 digits, so a number may be beyond what can be counted.
                ("SIZE", Some(digits)) if config.size => {
                    let is_number =
                        digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
                    let size = if is_number {
                        digits.parse().unwrap_or(u64::MAX)
                    } else {
                        return Err(wrong());
                    };
                    params.size = Some(size);
                }
                // RFC 6152 §3.
                ("BODY", Some(body)) if config.eight_bit_mime => {
                    if body.eq_ignore_ascii_case("8BITMIME") {
                        params.eight_bit = true;
                    } else if !body.eq_ignore_ascii_case("7BIT") {
                        return Err(wrong());
                    }
                }
                ("SMTPUTF8", None) if config.smtputf8 => params.smtputf8 = true,
                ("SIZE", None) if config.size => return Err(wrong()),
                ("BODY", None) if config.eight_bit_mime => return Err(wrong()),
                ("SMTPUTF8", Some(_)) if config.smtputf8 => return Err(wrong()),
                _ => return Err(Problem::UnknownParameter(keyword.clone())),
            }
        }
        Ok(params)
    }

    fn rcpt(&mut self, to: Address, parameters: &[Parameter]) -> Result<Step, Problem> {
        let limit = self.config.max_recipients;
        let transaction = self
            .transaction
            .as_mut()
            .ok_or(Problem::OutOfOrder(Needs::Mail))?;
        if transaction.chunks.is_some() {
            return Err(Problem::OutOfOrder(Needs::NoChunks));
        }
        transaction.asked += 1;
        if let Some(Parameter { keyword, .. }) = parameters.first() {
            return Err(Problem::UnknownParameter(keyword.clone()));
        }
        if !to.is_ascii() && !transaction.smtputf8 {
            return Err(Problem::NeedsSmtpUtf8);
        }
        if transaction.accepted >= limit {
            return Err(Problem::TooManyRecipients { limit });
        }
        self.pending = Some(Pending::Rcpt);
        Ok(Step::Event(Event::Rcpt { to }))
    }

    /// What is missing before content can come (RFC 5321 §3.3).
    fn ready_for_content(&self) -> Result<(), Needs> {
        match &self.transaction {
            None => Err(Needs::Mail),
            Some(Transaction { asked: 0, .. }) => Err(Needs::Rcpt),
            Some(Transaction { accepted: 0, .. }) => Err(Needs::AcceptedRcpt),
            Some(_) => Ok(()),
        }
    }

    fn begin_data(&mut self) -> Result<Step, Problem> {
        self.ready_for_content().map_err(Problem::OutOfOrder)?;
        // RFC 3030 §3: DATA and BDAT do not mix.
        if self
            .transaction
            .as_ref()
            .is_some_and(|open| open.chunks.is_some())
        {
            return Err(Problem::OutOfOrder(Needs::NoChunks));
        }
        self.pending = Some(Pending::Data);
        Ok(Step::Event(Event::Data { chunked: false }))
    }

    // Content.

    /// RFC 3030 §2. The chunk follows at once, so that it is read even where it is refused.
    fn bdat(&mut self, size: u64, last: bool) -> Result<Step, Problem> {
        if !self.config.chunking {
            return Err(Problem::NotAvailable);
        }
        self.ready_for_content().map_err(Problem::OutOfOrder)?;
        let limit = self.config.max_size;
        let chunks = self
            .transaction
            .as_ref()
            .and_then(|open| open.chunks.as_ref());
        if chunks.map_or(0, ChunkReader::size).saturating_add(size) > limit {
            return Ok(self.abort_chunks(ContentProblem::TooLarge { limit }, size));
        }
        if chunks.is_some() {
            self.phase = Phase::Chunk { left: size, last };
            return Ok(Step::Again);
        }
        self.pending = Some(Pending::Chunk { size, last });
        Ok(Step::Event(Event::Data { chunked: true }))
    }

    fn abort_chunks(&mut self, problem: ContentProblem, left: u64) -> Step {
        self.transaction = None;
        self.phase = Phase::DropChunk {
            left,
            reply: content_reply(&problem),
        };
        Step::Event(Event::ContentAborted(problem))
    }

    fn chunk(&mut self, left: u64, last: bool) -> Step {
        let Some(chunks) = self
            .transaction
            .as_mut()
            .and_then(|open| open.chunks.as_mut())
        else {
            self.phase = Phase::Command;
            return Step::Again;
        };
        if left == 0 {
            return self.end_chunk(last);
        }
        let have =
            usize::try_from(left).map_or(self.input.len(), |left| left.min(self.input.len()));
        if have == 0 {
            return Step::NeedInput;
        }
        match chunks.receive(&self.input[..have]) {
            Ok(()) => {
                self.phase = Phase::Chunk {
                    left: left - have as u64,
                    last,
                };
                Step::Event(Event::Content(self.input.split_to(have).freeze()))
            }
            Err(problem) => self.abort_chunks(problem, left),
        }
    }

    fn end_chunk(&mut self, last: bool) -> Step {
        self.phase = Phase::Command;
        let chunks = self
            .transaction
            .as_ref()
            .and_then(|open| open.chunks.as_ref());
        let (size, end) = chunks.map_or((0, Ok(())), |chunks| (chunks.size(), chunks.end()));
        if !last {
            self.say(250, (0, 0), format!("{size} bytes received"));
            return Step::Again;
        }
        if let Err(problem) = end {
            return self.abort_chunks(problem, 0);
        }
        self.pending = Some(Pending::EndOfContent);
        Step::Event(Event::EndOfContent { size })
    }

    fn drop_chunk(&mut self, left: u64) -> Step {
        let have =
            usize::try_from(left).map_or(self.input.len(), |left| left.min(self.input.len()));
        bytes::Buf::advance(&mut self.input, have);
        if let Phase::DropChunk { left, .. } = &mut self.phase {
            *left -= have as u64;
            if *left > 0 {
                return Step::NeedInput;
            }
        }
        if let Phase::DropChunk { reply, .. } = std::mem::replace(&mut self.phase, Phase::Command) {
            self.write(&reply);
        }
        Step::Again
    }

    fn data(&mut self) -> Step {
        let Phase::Data { reader, problem } = &mut self.phase else {
            return Step::Again;
        };
        match reader.receive(&mut self.input) {
            Received::Piece(piece) => Step::Event(Event::Content(piece)),
            Received::More => Step::NeedInput,
            Received::Problem(found) => {
                *problem = Some(found);
                self.transaction = None;
                Step::Event(Event::ContentAborted(found))
            }
            Received::End => {
                let (size, problem, false_end) = (reader.size(), *problem, reader.has_false_end());
                self.phase = Phase::Command;
                match problem {
                    None => {
                        self.pending = Some(Pending::EndOfContent);
                        Step::Event(Event::EndOfContent { size })
                    }
                    Some(problem) => {
                        self.write(&content_reply(&problem));
                        // What the client holds for commands after a false end was dropped as
                        // content: whose turn it is can no longer be known.
                        if false_end {
                            self.phase = Phase::Closed;
                        }
                        Step::Again
                    }
                }
            }
        }
    }
}
