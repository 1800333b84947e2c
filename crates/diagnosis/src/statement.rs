//! What somebody said about a failure, wherever it was read: in a reply, a report, a log.

use smtp::{Class, EnhancedStatus, Stage};

use crate::facts::Circumstances;
use crate::{
    AddressDead, Alternative, Cause, Diagnosis, Dialect, Evidence, EvidenceSource, Finality, Hint,
    SaidBy, codes, hint, limit, reading,
};

/// What was said.
#[derive(Clone, Debug)]
pub struct Statement<'a> {
    /// The words. Spans of evidence are places in here.
    pub text: &'a str,
    /// The reply code, if one was given.
    pub reply: Option<u16>,
    /// The enhanced status code, if one was given.
    pub status: Option<EnhancedStatus>,
    /// At which step, where that is known.
    pub stage: Option<Stage>,
    /// Who said it.
    pub said_by: SaidBy,
    /// Whose words they are, where that is known from something else.
    pub dialect: Option<Dialect>,
    /// The host name of the peer that refused, where it is known: it may tell the dialect.
    pub peer: Option<&'a str>,
    /// What became of the message, where that is told apart from the codes.
    pub ended: Option<Ended>,
    /// What else is known.
    pub circumstances: Circumstances,
}

/// What became of a message after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was given back, or thrown away: nobody tries any more.
    GivenUp,
    /// It is being tried further.
    StillTrying,
}

impl<'a> Statement<'a> {
    /// Words of the receiver, and nothing else.
    #[must_use]
    pub fn new(text: &'a str) -> Statement<'a> {
        Statement {
            text,
            reply: None,
            status: None,
            stage: None,
            said_by: SaidBy::Receiver,
            dialect: None,
            peer: None,
            ended: None,
            circumstances: Circumstances::default(),
        }
    }
}

/// What a statement means.
#[must_use]
pub fn interpret(statement: &Statement<'_>) -> Diagnosis {
    let reading = reading::read(statement);
    let asked = hint::read(statement.text);
    let limits = limit::read(statement.text);
    let mut evidence = reading.evidence;
    let asked_at = asked.iter().map(|(_, span)| *span);
    for (start, end) in asked_at.chain(limits.iter().map(|(_, span)| *span)) {
        evidence.push(Evidence {
            text: statement
                .text
                .get(start..end)
                .unwrap_or_default()
                .to_owned(),
            source: EvidenceSource::ReplyText,
            span: Some((start, end)),
        });
    }
    let cause = reading.cause;
    let finality = finality(statement, cause);
    // Who knows no mailbox after the whole message has come has taken the recipient before: often a filter
    // of the recipient's answers so.
    let after_all = cause == Cause::MailboxUnknown && statement.stage == Some(Stage::EndOfData);
    let dead = cause.address_dead(meant_for_good(statement, asked.map(|(hint, _)| hint)));
    Diagnosis {
        cause,
        confidence: reading.confidence,
        scope: cause.scope(statement.stage),
        responsible: cause.responsible(),
        said_by: statement.said_by,
        stage: statement.stage,
        reply: statement.reply,
        status: statement.status,
        finality,
        // A message given up after a transient refusal says nothing for good about the address.
        address_dead: if after_all {
            AddressDead::Unknown
        } else {
            dead
        },
        sender_blocked: cause.blocks_sender(),
        dialect: reading.dialect,
        evidence,
        alternatives: reading.alternatives,
        checks: cause.checks().to_vec(),
        remedies: cause.remedies().to_vec(),
        hint: asked.map(|(hint, _)| hint),
        limits: limits.into_iter().map(|(limit, _)| limit).collect(),
    }
}

/// What a bare code is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAs {
    /// A reply code (RFC 5321 §4.2).
    Reply(u16),
    /// An enhanced status code (RFC 3463).
    Status(EnhancedStatus),
    /// One of each, as a server sends them.
    Both(u16, EnhancedStatus),
}

/// What a code means where nothing else is known.
#[must_use]
pub fn interpret_code(read_as: ReadAs) -> Diagnosis {
    // Digits that no server sends stand for an enhanced status code: 422 is 4.2.2.
    let (reply, status) = match read_as {
        ReadAs::Reply(code) => match codes::reply(code).and_then(|row| row.reads_as) {
            Some((4, subject, detail)) => (
                None,
                Some(EnhancedStatus::new(Class::Transient, subject, detail)),
            ),
            Some((_, subject, detail)) => (
                None,
                Some(EnhancedStatus::new(Class::Permanent, subject, detail)),
            ),
            None => (Some(code), None),
        },
        ReadAs::Status(status) => (None, Some(status)),
        ReadAs::Both(code, status) => (Some(code), Some(status)),
    };
    let mut diagnosis = interpret(&Statement {
        reply,
        status,
        ..Statement::new("")
    });
    if let Some(page) = read_as.page() {
        let mut causes = page.causes.iter().map(|(cause, percent)| Alternative {
            cause: *cause,
            confidence: f32::from(*percent) / 100.0,
        });
        if let Some(first) = causes.next() {
            diagnosis.settle(first.cause, first.confidence);
            diagnosis.alternatives = causes.collect();
        }
    }
    diagnosis
}

impl ReadAs {
    /// The row of the fifteen that a reading belongs to: that of the dotted code where it is read as a
    /// status, that of the digits where it is read as a reply.
    #[must_use]
    pub fn page(self) -> Option<&'static codes::PageCode> {
        match self {
            ReadAs::Status(status) => codes::page(status).filter(|page| !page.first_is_reply),
            ReadAs::Reply(code @ 400..=499) => {
                let dotted = EnhancedStatus::new(Class::Transient, code / 10 % 10, code % 10);
                codes::page(dotted).filter(|page| page.replies.contains(&code))
            }
            ReadAs::Both(code, status) => {
                codes::page(status).filter(|page| page.replies.contains(&code))
            }
            ReadAs::Reply(_) => None,
        }
    }
}

impl Diagnosis {
    /// Changes the cause, and with it what follows from the cause alone.
    pub fn settle(&mut self, cause: Cause, confidence: f32) {
        if cause.ends_the_message() {
            self.finality = Finality::Permanent;
        }
        let permanent = self.finality == Finality::Permanent;
        self.cause = cause;
        self.confidence = confidence;
        self.scope = cause.scope(self.stage);
        self.responsible = cause.responsible();
        self.address_dead = cause.address_dead(permanent);
        self.sender_blocked = cause.blocks_sender();
        self.checks = cause.checks().to_vec();
        self.remedies = cause.remedies().to_vec();
    }
}

/// RFC 5321 §4.2.1: the first digit decides whether the same may be tried again; what became of the
/// message outranks it.
fn finality(statement: &Statement<'_>, cause: Cause) -> Finality {
    match statement.ended {
        Some(Ended::GivenUp) => return Finality::Permanent,
        Some(Ended::StillTrying) => return Finality::Transient,
        // A loop or the end of the lifetime is final even where the code is of class 4.
        None if cause.ends_the_message() => return Finality::Permanent,
        None => {}
    }
    let recipients_only = cause == Cause::TooManyRecipients && statement.stage == Some(Stage::Rcpt);
    match (statement.reply, statement.status) {
        // RFC 5321 §4.5.3.1.10: 552 for too many recipients is to be treated as 452.
        (Some(552), _) if recipients_only => Finality::Transient,
        (Some(400..=499), _) => Finality::Transient,
        (Some(500..=599), _) => Finality::Permanent,
        // A reply of another class where it does not belong.
        (Some(_), _) => Finality::Unknown,
        (None, Some(status)) => match status.class {
            Class::Transient => Finality::Transient,
            Class::Permanent => Finality::Permanent,
            Class::Success => Finality::Unknown,
        },
        (None, None) => Finality::Unknown,
    }
}

/// Whether what was said is meant for longer than now.
fn meant_for_good(statement: &Statement<'_>, asked: Option<Hint>) -> bool {
    match asked {
        Some(Hint::DoNotRetry) => !said_for_now(statement),
        Some(Hint::RetryAfter(_)) | None => said_for_good(statement),
    }
}

/// Whether the receiver's side spoke of now only: a sender that gives up then says nothing about the
/// address.
fn said_for_now(statement: &Statement<'_>) -> bool {
    match (statement.reply, statement.status) {
        (Some(code), _) => code < 500,
        (None, Some(status)) => status.class == Class::Transient,
        (None, None) => false,
    }
}

/// Whether the receiver's side spoke for good, whatever became of this message.
fn said_for_good(statement: &Statement<'_>) -> bool {
    match (statement.reply, statement.status) {
        (Some(code), _) => code >= 500,
        (None, Some(status)) => status.class == Class::Permanent,
        // A report without codes says what is final by being sent.
        (None, None) => statement.ended == Some(Ended::GivenUp),
    }
}
