//! Logs of mail servers, read line by line in bounded memory: each recipient that failed is a case.
//!
//! A line is looked at from its beginning: the time, then who wrote it. Only the lines of programs
//! that report failures are looked at further, and only what failed is taken apart.

mod exchange;
mod exim;
mod fields;
mod haraka;
mod header;
mod json;
mod kumomta;
mod line;
mod lines;
mod opensmtpd;
mod out;
mod postfix;
mod postrider;
#[cfg(test)]
mod properties;
mod qmail;
mod recent;
mod secrets;
mod sendmail;
mod stamp;
#[cfg(test)]
mod testing;

use jiff::Timestamp;

use crate::Case;
use header::Program;
use line::Line;
use out::Out;
use stamp::Clock;

pub(crate) use lines::Lines;
pub use stamp::LogTimes;

/// So much of one line is read: no server writes longer ones.
pub(crate) const LONGEST_LINE: usize = 64 * 1024;

/// Takes what an input tells. A list of cases is the simplest one.
pub trait Sink {
    /// A recipient failed.
    fn failed(&mut self, case: Case);

    /// A recipient at this domain got a message. Only logs tell so, and only where it is wanted.
    fn delivered(&mut self, _domain: &str, _at: Option<Timestamp>) {}

    /// Whether deliveries are wanted: reading them costs time.
    fn wants_deliveries(&self) -> bool {
        false
    }
}

impl Sink for Vec<Case> {
    fn failed(&mut self, case: Case) {
        self.push(case);
    }
}

/// Reads a log line by line.
#[derive(Debug, Default)]
pub struct LogReader {
    clock: Clock,
    qmail: qmail::Qmail,
    exchange: exchange::Exchange,
}

impl LogReader {
    /// For a log whose lines leave this out of their times.
    #[must_use]
    pub fn new(times: LogTimes) -> LogReader {
        LogReader {
            clock: Clock::new(times),
            ..LogReader::default()
        }
    }

    /// Takes a line, without its line end, which begins at `at` in the input.
    pub fn line(&mut self, bytes: &[u8], at: usize, sink: &mut dyn Sink) {
        let bytes = &bytes[..bytes.len().min(LONGEST_LINE)];
        let line = Line::new(bytes.trim_ascii_end(), at);
        let mut out = Out {
            clock: &mut self.clock,
            deliveries: sink.wants_deliveries(),
            sink,
        };
        let (stamp, rest) = stamp::split(line.bytes);
        let (program, entry) = header::split(line, stamp, rest);
        match program {
            Program::Postfix(daemon) => postfix::read(&entry, daemon, &mut out),
            Program::Exim => exim::read(&entry, &mut out),
            Program::Sendmail => sendmail::read(&entry, &mut out),
            Program::OpenSmtpd => opensmtpd::read(&entry, &mut out),
            Program::Qmail => self.qmail.read(&entry, &mut out),
            Program::Haraka => haraka::read(&entry, &mut out),
            Program::Postrider => postrider::read_text(&entry, &mut out),
            Program::Json => json::read(&entry, &mut out),
            Program::ExchangeHeading => self.exchange.heading(line.bytes),
            Program::ExchangeRow => self.exchange.row(&entry, &mut out),
            Program::OtherDaemon | Program::Unknown => {}
        }
    }
}

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LooksLike {
    /// A line of a mail server that is known here.
    Known,
    /// A line of a log, of something else.
    Other,
    /// No line of a log.
    Nothing,
}

/// What a line looks like.
pub(crate) fn look(line: &[u8]) -> LooksLike {
    let line = Line::new(line.trim_ascii_end(), 0);
    let (stamp, rest) = stamp::split(line.bytes);
    match header::split(line, stamp, rest).0 {
        Program::Unknown => LooksLike::Nothing,
        Program::OtherDaemon => LooksLike::Other,
        // Other tables have times in their first columns too.
        Program::ExchangeRow if rest.iter().filter(|b| **b == b',').count() < 7 => {
            LooksLike::Nothing
        }
        _ => LooksLike::Known,
    }
}
