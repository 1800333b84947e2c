//! Taking in an input piece by piece: what is a log or a mailbox is read as it comes, anything else
//! when it is complete.

use crate::look::{Looks, look};
use crate::{Case, code, log, mail, reply};

/// So much is looked at to tell what an input is.
const LOOK: usize = 64 * 1024;
/// So much of one mail is read: the rest of a larger one cannot tell more.
const LARGEST_MAIL: usize = 64 * 1024 * 1024;

/// Takes bytes, gives cases.
#[derive(Debug, Default)]
pub struct Intake {
    buffer: Vec<u8>,
    /// Where in the input the buffer begins.
    offset: usize,
    mode: Mode,
}

#[derive(Debug, Default)]
enum Mode {
    #[default]
    Undecided,
    Log(log::LogReader),
    /// How far the buffer has been searched for the end of a mail.
    Mailbox(usize),
    Whole,
}

impl Intake {
    /// For a new input.
    #[must_use]
    pub fn new() -> Intake {
        Intake::default()
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8], cases: &mut Vec<Case>) {
        if matches!(self.mode, Mode::Whole) && self.buffer.len() >= LARGEST_MAIL {
            return;
        }
        self.buffer.extend_from_slice(bytes);
        if matches!(self.mode, Mode::Undecided) && self.buffer.len() >= LOOK {
            self.decide();
        }
        self.advance(cases, false);
    }

    /// There is no more.
    pub fn finish(mut self, cases: &mut Vec<Case>) {
        if matches!(self.mode, Mode::Undecided) {
            self.decide();
        }
        self.advance(cases, true);
    }

    /// Gives out all lines of a log that are complete, where the input is one: for a log that grows.
    pub fn flush(&mut self, cases: &mut Vec<Case>) {
        if matches!(self.mode, Mode::Undecided) {
            self.decide();
        }
        self.advance(cases, false);
    }

    fn decide(&mut self) {
        self.mode = match look(&self.buffer) {
            Looks::Log => Mode::Log(log::LogReader::default()),
            Looks::Mailbox => Mode::Mailbox(0),
            Looks::Mail | Looks::Words => Mode::Whole,
        };
    }

    fn advance(&mut self, cases: &mut Vec<Case>, last: bool) {
        match &mut self.mode {
            Mode::Undecided => {}
            Mode::Log(reader) => {
                let mut done = 0;
                while let Some(end) = memchr::memchr(b'\n', &self.buffer[done..]) {
                    reader.line(&self.buffer[done..done + end], self.offset + done, cases);
                    done += end + 1;
                }
                if last {
                    reader.line(&self.buffer[done..], self.offset + done, cases);
                    reader.finish(cases);
                    done = self.buffer.len();
                }
                self.buffer.drain(..done);
                self.offset += done;
            }
            Mode::Mailbox(seen) => {
                let mut done = 0;
                while let Some(end) = mail::message_end(&self.buffer[done..], seen, last) {
                    mail::read(&self.buffer[done..done + end], self.offset + done, cases);
                    done += end;
                }
                self.buffer.drain(..done);
                self.offset += done;
            }
            Mode::Whole if last => match look(&self.buffer) {
                Looks::Mail => mail::read(&self.buffer, self.offset, cases),
                Looks::Words | Looks::Log | Looks::Mailbox => {
                    if !code::read(&self.buffer, cases) && !mail::read_body(&self.buffer, cases) {
                        reply::read(&self.buffer, cases);
                    }
                }
            },
            Mode::Whole => {}
        }
    }
}
