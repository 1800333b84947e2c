//! The session between contents: command lines, their order, their parameters.

use bytes::{Buf, Bytes};
use memchr::memchr;

use super::params::{self, Taken};
use super::session::{Pending, Phase, Session, Step, Transaction};
use super::{Event, Needs, Problem};
use crate::command::{self, Command, Parameter, SyntaxError};
use crate::envelope::BodyKind;
use crate::{Address, Class, OutgoingReply};

impl Session {
    pub(super) fn command(&mut self) -> Step {
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
        let command = match command::parse_qualified(text, self.config.qualify.as_deref()) {
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

    pub(super) fn long_line(&mut self) -> Step {
        let Some(end) = memchr(b'\n', &self.input) else {
            self.input.clear();
            return Step::NeedInput;
        };
        self.input.advance(end + 1);
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

    pub(super) fn refuse(&mut self, error: SyntaxError, line: Bytes) -> Step {
        self.refuse_with(Problem::Syntax(error), line, None)
    }

    /// Refuses a command; `chunk` is the size of what comes with it.
    pub(super) fn refuse_with(
        &mut self,
        problem: Problem,
        line: Bytes,
        chunk: Option<u64>,
    ) -> Step {
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
        if matches!(problem, Problem::TooManyMessages { .. }) {
            // RFC 5321 §3.8: 421 announces that the server closes.
            self.phase = Phase::Closed;
        }
        if problem == Problem::Syntax(SyntaxError::ChunkSize) {
            // Where the chunk ends is unknown, so what follows cannot be told from commands.
            self.phase = Phase::Closed;
        }
        let line = line.slice(..told(&line));
        Step::Event(Event::Refused { problem, line })
    }

    fn obey(&mut self, command: Command) -> Result<Step, Problem> {
        match command {
            Command::Ehlo(_) | Command::Helo(_) if self.config.lmtp => {
                Err(Problem::OtherProtocol { lmtp: true })
            }
            Command::Lhlo(_) if !self.config.lmtp => Err(Problem::OtherProtocol { lmtp: false }),
            Command::Ehlo(name) | Command::Lhlo(name) => Ok(self.hello(name, true)),
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
            Command::Auth { mechanism, initial } => self.begin_auth(mechanism, initial),
            Command::Xclient(_) if !self.xclient => Err(Problem::NotAvailable),
            Command::Xclient(_) if self.transaction.is_some() => {
                Err(Problem::OutOfOrder(Needs::NoTransaction))
            }
            Command::Xclient(told) => {
                self.pending = Some(Pending::Xclient);
                Ok(Step::Event(Event::Xclient(told)))
            }
            Command::Expn | Command::Withdrawn => Err(Problem::NotAvailable),
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
        if self.messages >= self.config.max_messages {
            return Err(Problem::TooManyMessages {
                limit: self.config.max_messages,
            });
        }
        let taken = Taken {
            config: &self.config,
            secure: self.tls,
            holding: self.holding.is_some(),
            auth: self.auth.is_some(),
        };
        let params = params::mail(parameters, taken)?;
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
            body: params.body,
        });
        Ok(Step::Event(Event::Mail { from, params }))
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
        let params = params::rcpt(parameters, &self.config)?;
        if !to.is_ascii() && !transaction.smtputf8 {
            return Err(Problem::NeedsSmtpUtf8);
        }
        if transaction.accepted >= limit {
            return Err(Problem::TooManyRecipients { limit });
        }
        self.pending = Some(Pending::Rcpt);
        Ok(Step::Event(Event::Rcpt { to, params }))
    }

    /// What is missing before content can come (RFC 5321 §3.3).
    pub(super) fn ready_for_content(&self) -> Result<(), Needs> {
        match &self.transaction {
            None => Err(Needs::Mail),
            Some(Transaction { asked: 0, .. }) => Err(Needs::Rcpt),
            // RFC 2033 §4.2: 503, and not 554 as in SMTP.
            Some(Transaction { accepted: 0, .. }) if self.config.lmtp => Err(Needs::Rcpt),
            Some(Transaction { accepted: 0, .. }) => Err(Needs::AcceptedRcpt),
            Some(_) => Ok(()),
        }
    }

    fn begin_data(&mut self) -> Result<Step, Problem> {
        self.ready_for_content().map_err(Problem::OutOfOrder)?;
        let is_binary = |open: &Transaction| open.body == BodyKind::Binary;
        if self.transaction.as_ref().is_some_and(is_binary) {
            // RFC 3030 §3: what has no lines has no line with a dot.
            return Err(Problem::OutOfOrder(Needs::Chunks));
        }
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
}

/// How much of a refused line is kept: not what may be a password.
fn told(line: &[u8]) -> usize {
    let most = line.len().min(Event::LINE);
    let is_auth = line.get(..5).is_some_and(|start| {
        start.eq_ignore_ascii_case(b"AUTH ") || start.eq_ignore_ascii_case(b"AUTH\t")
    });
    if !is_auth {
        return most;
    }
    // The name of the mechanism is at most 20 long.
    let mechanism = line[5..].iter().take(21).position(u8::is_ascii_whitespace);
    mechanism.map_or(most.min(25), |at| at + 5)
}
