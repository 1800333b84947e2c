//! From the parts of a line to a case.

use diagnosis::{Dialect, Ended, SaidBy, Stage};
use jiff::Timestamp;
use smtp::EnhancedStatus;

use crate::{Case, Kind, Spanned, Words, reply, scan};

use super::Sink;
use super::line::{Line, address, domain, text};
use super::stamp::{Clock, Stamp};

/// A line with its beginning taken off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) line: Line<'a>,
    pub(crate) stamp: Stamp<'a>,
    /// The host that wrote it.
    pub(crate) host: Option<&'a [u8]>,
    /// What it says.
    pub(crate) text: &'a [u8],
}

/// What was said about a recipient, before it is a case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reason<'a> {
    /// The words, a part of the line.
    pub(crate) words: &'a [u8],
    pub(crate) said_by: SaidBy,
    pub(crate) stage: Option<Stage>,
    pub(crate) dialect: Option<Dialect>,
    pub(crate) ended: Option<Ended>,
    /// The status, where it stands apart from the words.
    pub(crate) status: Option<&'a [u8]>,
    /// The host that was spoken to.
    pub(crate) peer: Option<&'a [u8]>,
}

impl<'a> Reason<'a> {
    /// What the other side said.
    pub(crate) fn of_peer(words: &'a [u8]) -> Reason<'a> {
        Reason {
            words,
            said_by: SaidBy::Receiver,
            stage: None,
            dialect: None,
            ended: None,
            status: None,
            peer: None,
        }
    }

    /// What the server that wrote the log found itself.
    pub(crate) fn of_server(words: &'a [u8], dialect: Dialect) -> Reason<'a> {
        Reason {
            said_by: SaidBy::Sender,
            dialect: Some(dialect),
            ..Reason::of_peer(words)
        }
    }

    pub(crate) fn at(self, stage: Option<Stage>) -> Reason<'a> {
        Reason { stage, ..self }
    }

    pub(crate) fn ended(self, ended: Option<Ended>) -> Reason<'a> {
        Reason { ended, ..self }
    }

    pub(crate) fn peer(self, peer: Option<&'a [u8]>) -> Reason<'a> {
        Reason { peer, ..self }
    }

    /// A status that the line gives apart from the words.
    pub(crate) fn status(self, status: Option<&'a [u8]>) -> Reason<'a> {
        Reason { status, ..self }
    }
}

/// Where cases go.
pub(crate) struct Out<'o> {
    pub(crate) clock: &'o mut Clock,
    /// Whether deliveries are wanted.
    pub(crate) deliveries: bool,
    pub(crate) sink: &'o mut dyn Sink,
}

impl Out<'_> {
    /// A case of this entry.
    pub(crate) fn case(
        &mut self,
        entry: &Entry<'_>,
        recipient: &[u8],
        reason: &Reason<'_>,
    ) -> Case {
        let words = entry.line.words(reason.words.trim_ascii());
        self.case_of(entry, recipient, reason, &words)
    }

    /// A case of this entry, whose words were read already.
    pub(crate) fn case_of(
        &mut self,
        entry: &Entry<'_>,
        recipient: &[u8],
        reason: &Reason<'_>,
        words: &Words,
    ) -> Case {
        let mut case = Case::new(Kind::Log, entry.line.span());
        case.recipient = address(recipient);
        reply::take(&mut case, words);
        let status = reason.status.and_then(|part| status(entry.line, part));
        if let Some(status) = status {
            // X.0.0 stands for no status where a server had to write one.
            if case.status.is_none_or(|own| is_unspecified(own.value)) {
                case.status = Some(status);
            }
        }
        case.stage = reason.stage;
        case.said_by = reason.said_by;
        case.dialect = reason.dialect;
        case.ended = reason.ended;
        case.reporter = entry.host.map(text);
        case.peer = reason.peer.and_then(super::line::peer);
        case.at = self.clock.read(entry.stamp);
        case
    }

    /// Gives out a case.
    pub(crate) fn give(&mut self, case: Case) {
        self.sink.failed(case);
    }

    /// A recipient failed.
    pub(crate) fn failed(&mut self, entry: &Entry<'_>, recipient: &[u8], reason: &Reason<'_>) {
        let case = self.case(entry, recipient, reason);
        self.give(case);
    }

    /// A recipient got a message.
    pub(crate) fn delivered(&mut self, entry: &Entry<'_>, recipient: &[u8]) {
        if !self.deliveries {
            return;
        }
        let at = self.clock.read(entry.stamp);
        self.delivered_then(recipient, at);
    }

    /// The same, at a time that is known already.
    pub(crate) fn delivered_then(&mut self, recipient: &[u8], at: Option<Timestamp>) {
        if let (true, Some(domain)) = (self.deliveries, domain(recipient)) {
            self.sink.delivered(domain, at);
        }
    }

    /// Somebody at this domain got a message.
    pub(crate) fn delivered_at(&mut self, entry: &Entry<'_>, domain: &[u8]) {
        if let (true, Ok(domain)) = (self.deliveries, std::str::from_utf8(domain)) {
            let at = self.clock.read(entry.stamp);
            self.sink.delivered(domain, at);
        }
    }
}

fn is_unspecified(status: EnhancedStatus) -> bool {
    status.subject == 0 && status.detail == 0
}

/// A status by itself.
pub(crate) fn status(line: Line<'_>, part: &[u8]) -> Option<Spanned<EnhancedStatus>> {
    let written = std::str::from_utf8(part).ok()?;
    let found = scan::statuses(written).into_iter().next()?;
    let (start, _) = line.place(part);
    Some(Spanned {
        value: found.value,
        span: (start + found.span.0, start + found.span.1),
    })
}

/// The step at which a command was answered.
pub(crate) fn stage_of(command: &[u8]) -> Option<Stage> {
    use super::line::begins;
    const COMMANDS: &[(&[u8], Stage)] = &[
        (b"EHLO", Stage::Hello),
        (b"HELO", Stage::Hello),
        (b"LHLO", Stage::Hello),
        (b"STARTTLS", Stage::StartTls),
        (b"AUTH", Stage::Auth),
        (b"MAIL", Stage::Mail),
        (b"RCPT", Stage::Rcpt),
        (b"DATA", Stage::Data),
        (b"BDAT", Stage::EndOfData),
        (b"end of DATA", Stage::EndOfData),
        (b"end of data", Stage::EndOfData),
        (b"END-OF-MESSAGE", Stage::EndOfData),
        (b"initial connection", Stage::Greeting),
        (b"RSET", Stage::Reset),
        (b"QUIT", Stage::Quit),
    ];
    let found = COMMANDS.iter().find(|(name, _)| begins(command, name));
    found.map(|(_, stage)| *stage)
}
