//! What comes back of mail that went on from here: read, joined to its message, passed on to the sender.
//!
//! It came in like any mail and lies in the queue; reading it is its delivery. What follows (what the
//! message is told of it, the report to its sender, that it is read) is recorded in one transaction, so
//! that a crash leaves either all of it or a report that is read again. Nothing is ever answered: what is
//! passed on has the null reverse-path (RFC 5321 §4.5.5), and a sender whose own address is read here is
//! sent nothing.

mod passing;
mod suppression;

use bounces::{Clue, Failure, Matched, Reading, match_recipient};
use diagnosis::facts::Local;
use jiff::Timestamp;
use queue::{
    Body, Event, EventKind, JoinedBy, MessageId, NewMessage, ReturnKind, Returned, StoreError,
    Story, Suppressed,
};
use smtp::Address;

use crate::Bounces;
use crate::addressees::NotWritten;
use crate::engine::Engine;
use crate::lane::Work;

pub(crate) use passing::{ToldBack, message_of};

/// So much of what came back is read: reports come first in it, the header of the message after.
const READ: usize = 256 * 1024;

/// What follows from what came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Read {
    pub(crate) new: Vec<NewMessage>,
    pub(crate) events: Vec<Event>,
    pub(crate) suppressed: Vec<Suppressed>,
}

/// Why it is not read yet.
pub(crate) enum NotRead {
    Store(StoreError),
    Local(Local),
}

impl From<StoreError> for NotRead {
    fn from(error: StoreError) -> NotRead {
        NotRead::Store(error)
    }
}

impl From<NotWritten> for NotRead {
    fn from(error: NotWritten) -> NotRead {
        match error {
            NotWritten::Store(error) => NotRead::Store(error),
            NotWritten::Directory(error) => not_here("asking whose address it is", &error),
        }
    }
}

fn not_here(doing: &str, reported: &dyn std::fmt::Display) -> NotRead {
    NotRead::Local(Local {
        doing: doing.to_owned(),
        reported: reported.to_string(),
    })
}

/// The message that something is about.
struct Original {
    story: Story,
    by: JoinedBy,
    /// The recipient that the return address names.
    tagged: Option<u32>,
}

/// Reads what came back for each of the addresses that it came to.
pub(crate) async fn read(engine: &Engine, work: &Work, body: &Body) -> Result<Read, NotRead> {
    let Some(bounces) = &engine.shared.settings.bounces else {
        let reported = "[bounces] is not configured any more; write it again, or drop this message";
        return Err(not_here("reading what came back", &reported));
    };
    let content = head(body).await?;
    let hostname = &engine.shared.settings.hostname;
    let reading = bounces::read(&content, work.message.id, hostname, &bounces.paths);
    let mut read = Read::default();
    for recipient in &work.recipients {
        let one = One {
            engine,
            bounces,
            work,
            body,
            reading: &reading,
            to: &recipient.address,
            now: engine.now(),
        };
        match one.original().await? {
            Some(original) => one.joined(original, &mut read).await?,
            None => one.not_joined(&mut read).await?,
        }
    }
    Ok(read)
}

async fn head(body: &Body) -> Result<Vec<u8>, StoreError> {
    match body {
        Body::Inline(bytes) => Ok(bytes.to_vec()),
        Body::File(source) => {
            let mut head = Vec::new();
            while head.len() < READ {
                let piece = source.read(head.len() as u64, READ - head.len()).await?;
                if piece.is_empty() {
                    break;
                }
                head.extend_from_slice(&piece);
            }
            Ok(head)
        }
    }
}

/// One address that it came to.
struct One<'a> {
    engine: &'a Engine,
    bounces: &'a Bounces,
    work: &'a Work,
    body: &'a Body,
    reading: &'a Reading,
    to: &'a Address,
    now: Timestamp,
}

impl One<'_> {
    /// The message that it is about. The return address that it came to is the surest sign; one that is
    /// too old by now was not when the mail was taken.
    async fn original(&self) -> Result<Option<Original>, StoreError> {
        let came = self.work.message.received_at;
        let tag = self.bounces.paths.tag(self.to, came);
        if let Some(Ok(tag)) = tag {
            let by = JoinedBy::ReturnAddress;
            if let Some(story) = self.story(tag.message).await? {
                let tagged = tag.recipient;
                return Ok(Some(Original { story, by, tagged }));
            }
        }
        for clue in &self.reading.clues {
            let (story, tagged) = match clue {
                Clue::Tag(tag) => (self.story(tag.message).await?, tag.recipient),
                Clue::Trace(id) => (self.story(*id).await?, None),
                Clue::EnvelopeId(text) => {
                    let named = self.engine.shared.store.find_envelope(text).await?;
                    match named {
                        Some(id) => (self.story(id).await?, None),
                        None => (None, None),
                    }
                }
            };
            let Some(story) = story else { continue };
            let by = clue.joined_by();
            // Without a return address a message is meant only if the failure is one of its recipients'.
            if by.is_proof() || self.names_one_of(&story) {
                return Ok(Some(Original { story, by, tagged }));
            }
        }
        Ok(None)
    }

    fn names_one_of(&self, story: &Story) -> bool {
        let failures = self.reading.failures.iter();
        let mut matched = failures.map(|f| match_recipient(f, None, &story.recipients));
        matched.any(|m| matches!(m, Matched::Recipient(_)))
    }

    async fn story(&self, id: MessageId) -> Result<Option<Story>, StoreError> {
        match self.engine.shared.store.story(id).await {
            Ok(story) => Ok(Some(story)),
            Err(StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn joined(&self, original: Original, read: &mut Read) -> Result<(), NotRead> {
        let Original { story, by, tagged } = original;
        let matched: Vec<(Matched, &Failure)> = self
            .reading
            .failures
            .iter()
            .map(|f| (match_recipient(f, tagged, &story.recipients), f))
            .collect();
        let copy = self.pass_on(&story, tagged, &matched, read).await?;
        if matched.is_empty() {
            let back = self.returned(self.reading.kind, by, copy);
            read.events.push(self.event(story.message.id, tagged, back));
        }
        for (matched, failure) in &matched {
            let index = index_of(*matched);
            let mut back = self.returned(failure.kind, by, copy);
            back.diagnosis = Some(failure.diagnosis.clone());
            back.reporter.clone_from(&failure.reporter);
            back.words.clone_from(&failure.words);
            if let Matched::Through(_) | Matched::Nobody = matched {
                back.names.clone_from(&failure.recipient);
            }
            if let Some(entry) = self.suppression(&story, *matched, failure, by) {
                back.suppressed = true;
                read.suppressed.push(entry);
            }
            self.log(&story, index, &back);
            read.events.push(self.event(story.message.id, index, back));
        }
        let kind = EventKind::Joined {
            about: story.message.id,
            by,
            kind: self.reading.kind,
        };
        read.events.push(self.own_event(kind));
        Ok(())
    }

    fn returned(&self, kind: ReturnKind, by: JoinedBy, passed_on: Option<MessageId>) -> Returned {
        Returned {
            report: self.work.message.id,
            kind,
            by,
            diagnosis: None,
            names: None,
            reporter: None,
            words: None,
            passed_on,
            suppressed: false,
        }
    }

    fn event(&self, message: MessageId, recipient: Option<u32>, back: Returned) -> Event {
        Event {
            at: self.now,
            message: Some(message),
            recipient,
            destination: None,
            kind: EventKind::Returned(Box::new(back)),
        }
    }

    fn own_event(&self, kind: EventKind) -> Event {
        Event {
            at: self.now,
            message: Some(self.work.message.id),
            recipient: None,
            destination: None,
            kind,
        }
    }

    fn log(&self, story: &Story, index: Option<u32>, back: &Returned) {
        let recipient = index.and_then(|i| story.recipients.iter().find(|r| r.index == i));
        tracing::info!(
            id = %story.message.id,
            report = %back.report,
            recipient = recipient.map(|r| tracing::field::display(&r.address)),
            kind = back.kind.as_str(),
            by = back.by.as_str(),
            cause = back.diagnosis.as_ref().map(|d| d.cause.id()),
            suppressed = back.suppressed,
            "came back"
        );
    }
}

fn index_of(matched: Matched) -> Option<u32> {
    match matched {
        Matched::Recipient(index) | Matched::Through(index) => Some(index),
        Matched::Nobody => None,
    }
}
