//! Logs of mail servers, read line by line in bounded memory: each recipient that failed is a case.
//!
//! A line is looked at from its beginning: the time, then who wrote it. Only the lines of programs
//! that report failures are looked at further, and only what failed is taken apart.

mod exim;
mod header;
mod line;
mod out;
mod postfix;
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

pub use stamp::LogTimes;

/// So much of one line is read: no server writes longer ones.
pub(crate) const LONGEST_LINE: usize = 64 * 1024;

/// Something that a log tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A recipient failed.
    Failed(Case),
    /// A recipient at this domain got a message.
    Delivered {
        /// The domain, as it is written there.
        domain: &'a str,
        /// When, where the log tells.
        at: Option<Timestamp>,
    },
}

/// Reads a log line by line.
#[derive(Debug, Default)]
pub struct LogReader {
    clock: Clock,
}

impl LogReader {
    /// For a log whose lines leave this out of their times.
    #[must_use]
    pub fn new(times: LogTimes) -> LogReader {
        LogReader {
            clock: Clock::new(times),
        }
    }

    /// Takes a line, without its line end, which begins at `at` in the input.
    pub fn line(&mut self, line: &[u8], at: usize, cases: &mut Vec<Case>) {
        self.read(line, at, false, &mut |event| {
            if let Event::Failed(case) = event {
                cases.push(case);
            }
        });
    }

    /// The same, and tells of deliveries too.
    pub fn events(&mut self, line: &[u8], at: usize, take: &mut dyn FnMut(Event<'_>)) {
        self.read(line, at, true, take);
    }

    /// There is no more.
    pub fn finish(&mut self, _cases: &mut Vec<Case>) {}

    fn read(&mut self, bytes: &[u8], at: usize, deliveries: bool, take: &mut dyn FnMut(Event<'_>)) {
        let bytes = &bytes[..bytes.len().min(LONGEST_LINE)];
        let line = Line::new(bytes.trim_ascii_end(), at);
        let mut out = Out {
            clock: &mut self.clock,
            deliveries,
            take,
        };
        let (stamp, rest) = stamp::split(line.bytes);
        let (program, entry) = header::split(line, stamp, rest);
        match program {
            Program::Postfix(daemon) => postfix::read(&entry, daemon, &mut out),
            Program::Exim => exim::read(&entry, &mut out),
            Program::Sendmail => sendmail::read(&entry, &mut out),
            Program::OtherDaemon | Program::Unknown => {}
        }
    }
}

/// Whether this is a line of a log that is known here.
pub(crate) fn is_line(line: &[u8]) -> bool {
    let line = Line::new(line.trim_ascii_end(), 0);
    let (stamp, rest) = stamp::split(line.bytes);
    match header::split(line, stamp, rest).0 {
        Program::Postfix(_) | Program::Exim | Program::Sendmail | Program::OtherDaemon => true,
        Program::Unknown => false,
    }
}
