//! A case: one failed recipient, or one code, as it stands in the input.

use diagnosis::{
    Alternative, Cause, Diagnosis, Dialect, Ended, SaidBy, Stage, Statement, interpret,
};
use jiff::Timestamp;
use smtp::{Class, EnhancedStatus};

use crate::Words;

/// A range of bytes in the input, from the first to the one after the last.
pub type Span = (usize, usize);

/// A value and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands in the input.
    pub span: Span,
}

/// What kind of input a case was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A code alone.
    Code,
    /// A reply of a server, or a sentence with one in it.
    Reply,
    /// A bounce: a report by mail, in any form.
    Bounce,
    /// A complaint by a recipient (ARF, RFC 5965).
    Complaint,
    /// A line of a log.
    Log,
}

impl Kind {
    /// The name as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Code => "code",
            Kind::Reply => "reply",
            Kind::Bounce => "bounce",
            Kind::Complaint => "complaint",
            Kind::Log => "log",
        }
    }
}

/// Something worth saying about a case besides its cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The report is about a message that the reader of it most likely never sent: spam with their
    /// address as its sender.
    Backscatter,
    /// The report came wrapped in this many forwards.
    Forwarded(u32),
    /// The recipient that failed is another than the one written to: this one forwards.
    ForwardedFrom(String),
    /// The report breaks its own form; what was done about it.
    BrokenReport(&'static str),
    /// The report is only a delay notice: the message is still being tried.
    DelayNotice,
    /// The input ends in the middle.
    CutOff,
}

/// The message that a report is about, as far as the report tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Its Message-ID, without angle brackets.
    pub message_id: Option<String>,
    /// Its subject, decoded.
    pub subject: Option<String>,
    /// Its sender.
    pub from: Option<String>,
}

/// One failed recipient, or one code.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it was read from.
    pub kind: Kind,
    /// What was read: the code, the reply, the whole mail, the line.
    pub span: Span,
    /// The address that failed, as it is written there, without angle brackets.
    pub recipient: Option<String>,
    /// The address that was written to, where the report gives another (Original-Recipient).
    pub original_recipient: Option<String>,
    /// The reply code, if one stands there.
    pub reply: Option<Spanned<u16>>,
    /// The enhanced status code, if one stands there.
    pub status: Option<Spanned<EnhancedStatus>>,
    /// The words about this failure, without what belongs to other recipients.
    pub words: Words,
    /// At which step, where the input tells.
    pub stage: Option<Stage>,
    /// Who said it.
    pub said_by: SaidBy,
    /// Whose words they are, where the form shows it (the words may show it too).
    pub dialect: Option<Dialect>,
    /// What became of the message.
    pub ended: Option<Ended>,
    /// The server that wrote the report or the log.
    pub reporter: Option<String>,
    /// The server that refused.
    pub peer: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// The message in question.
    pub about: About,
    /// What else there is to say.
    pub notes: Vec<Note>,
}

impl Case {
    /// An empty case of a kind.
    #[must_use]
    pub fn new(kind: Kind, span: Span) -> Case {
        Case {
            kind,
            span,
            recipient: None,
            original_recipient: None,
            reply: None,
            status: None,
            words: Words::default(),
            stage: None,
            said_by: SaidBy::Receiver,
            dialect: None,
            ended: None,
            reporter: None,
            peer: None,
            at: None,
            about: About::default(),
            notes: Vec::new(),
        }
    }

    /// Whether the codes report no failure at all (2yz, 3yz, class 2).
    #[must_use]
    pub fn is_success(&self) -> bool {
        match (self.reply, self.status) {
            (Some(reply), _) => reply.value < 400,
            (None, Some(status)) => status.value.class == Class::Success,
            (None, None) => false,
        }
    }

    /// What it means. The spans of the evidence are places in the input.
    #[must_use]
    pub fn diagnose(&self) -> Diagnosis {
        let mut readings = self.readings().into_iter();
        if let Some(first) = readings.next() {
            let mut diagnosis = first.diagnosis;
            for other in readings {
                let other = other.diagnosis;
                let known = diagnosis.cause == other.cause
                    || diagnosis
                        .alternatives
                        .iter()
                        .any(|a| a.cause == other.cause);
                if !known {
                    let confidence = other.confidence.min(1.0 - diagnosis.confidence) / 2.0;
                    diagnosis.alternatives.push(Alternative {
                        cause: other.cause,
                        confidence,
                    });
                }
            }
            return diagnosis;
        }
        let mut diagnosis = interpret(&Statement {
            reply: self.reply.map(|r| r.value),
            status: self.status.map(|s| s.value),
            stage: self.stage,
            said_by: self.said_by,
            dialect: self.dialect,
            peer: self.peer.as_deref(),
            ended: self.ended,
            ..Statement::new(self.words.text())
        });
        // RFC 5965 §2: that it is sent at all says that somebody complained.
        if self.kind == Kind::Complaint && diagnosis.cause == Cause::CannotTell {
            diagnosis.settle(Cause::Complaint, 0.9);
            diagnosis.alternatives.clear();
        }
        self.place(&mut diagnosis);
        diagnosis
    }

    /// Moves the spans of evidence from places in the words to places in the input.
    pub(crate) fn place(&self, diagnosis: &mut Diagnosis) {
        use diagnosis::EvidenceSource as Source;
        for evidence in &mut diagnosis.evidence {
            evidence.span = match evidence.source {
                Source::ReplyText => evidence.span.and_then(|span| self.words.origin(span)),
                Source::ReplyCode => self.reply.map(|r| r.span),
                Source::EnhancedStatus => self.status.map(|s| s.span),
                Source::Connection
                | Source::Dns
                | Source::Message
                | Source::Queue
                | Source::Program => None,
            };
        }
    }
}
