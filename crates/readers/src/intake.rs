//! Taking in an input piece by piece: what is a log or a mailbox is read as it comes, anything else
//! when it is complete.

use crate::look::{Looks, look};
use crate::{Case, LogTimes, Sink, code, log, mail, reply};

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
    times: LogTimes,
}

#[derive(Debug, Default)]
enum Mode {
    #[default]
    Undecided,
    Log(Box<log::LogReader>, log::Lines),
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

    /// With what a log leaves out of its times.
    #[must_use]
    pub fn with_log_times(self, times: LogTimes) -> Intake {
        Intake { times, ..self }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) {
        if matches!(self.mode, Mode::Whole) && self.buffer.len() >= LARGEST_MAIL {
            return;
        }
        if let Mode::Log(reader, lines) = &mut self.mode {
            return lines.push(bytes, |line, at| reader.line(line, at, sink));
        }
        self.buffer.extend_from_slice(bytes);
        if matches!(self.mode, Mode::Undecided) && self.buffer.len() >= LOOK {
            self.decide();
        }
        self.advance(sink, false);
    }

    /// There is no more.
    pub fn finish(mut self, sink: &mut dyn Sink) {
        if matches!(self.mode, Mode::Undecided) {
            self.decide();
        }
        self.advance(sink, true);
    }

    /// Gives out all lines of a log that are complete, where the input is one: for a log that grows.
    pub fn flush(&mut self, sink: &mut dyn Sink) {
        if matches!(self.mode, Mode::Undecided) {
            self.decide();
        }
        self.advance(sink, false);
    }

    fn decide(&mut self) {
        // The same bytes are looked at in whatever pieces they come.
        let start = &self.buffer[..self.buffer.len().min(LOOK)];
        self.mode = match look(start) {
            Looks::Log => Mode::Log(
                Box::new(log::LogReader::new(self.times.clone())),
                log::Lines::default(),
            ),
            Looks::Mailbox => Mode::Mailbox(0),
            Looks::Mail | Looks::Words => Mode::Whole,
        };
    }

    fn advance(&mut self, sink: &mut dyn Sink, last: bool) {
        match &mut self.mode {
            Mode::Undecided => {}
            Mode::Log(reader, lines) => {
                let mut take = |line: &[u8], at: usize| reader.line(line, at, sink);
                lines.push(&std::mem::take(&mut self.buffer), &mut take);
                if last {
                    lines.finish(take);
                }
            }
            Mode::Mailbox(seen) => {
                let mut cases = Vec::new();
                let mut done = 0;
                while let Some(end) = mail::message_end(&self.buffer[done..], seen, last) {
                    mail::read(&self.buffer[done..done + end], self.offset + done, &mut cases);
                    give(&mut cases, sink);
                    done += end;
                }
                self.buffer.drain(..done);
                self.offset += done;
            }
            Mode::Whole if last => {
                let mut cases = Vec::new();
                match look(&self.buffer) {
                    Looks::Mail => mail::read(&self.buffer, self.offset, &mut cases),
                    Looks::Words | Looks::Log | Looks::Mailbox => {
                        if !code::read(&self.buffer, &mut cases)
                            && !mail::read_body(&self.buffer, &mut cases)
                        {
                            reply::read(&self.buffer, &mut cases);
                        }
                    }
                }
                give(&mut cases, sink);
            }
            Mode::Whole => {}
        }
    }
}

fn give(cases: &mut Vec<Case>, sink: &mut dyn Sink) {
    for case in cases.drain(..) {
        sink.failed(case);
    }
}
