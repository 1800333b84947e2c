//! What comes back of mail that went on from here: read, joined to its message, passed on to the sender.
//!
//! It came in like any mail and lies in the queue; reading it is its delivery. What follows (what the
//! message is told of it, the report to its sender, that it is read) is recorded in one transaction, so
//! that a crash leaves either all of it or a report that is read again. Nothing is ever answered: what is
//! passed on has the null reverse-path (RFC 5321 §4.5.5), and a sender whose own address is read here is
//! sent nothing.

use std::sync::Arc;

use bounces::{Clue, Failure, Matched, Reading, match_recipient};
use diagnosis::Outcome;
use diagnosis::facts::Local;
use jiff::Timestamp;
use queue::{
    Body, Event, EventKind, JoinedBy, Message, MessageId, NewMessage, ReturnKind, Returned,
    StoreError, Story, Suppressed, SuppressionReason, SuppressionSource, is_for_ever_as_told,
    suppression_key,
};
use smtp::Address;

use crate::Bounces;
use crate::addressees::{self, NotWritten};
use crate::engine::{Engine, later};
use crate::lane::Work;
use crate::report::{self, ReturnedTo};

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

    /// Why the recipient gets no more mail, if so. Only what the address itself is to blame for counts,
    /// told with enough certainty, and by somebody who had this message in hand.
    fn suppression(
        &self,
        story: &Story,
        matched: Matched,
        failure: &Failure,
        by: JoinedBy,
    ) -> Option<Suppressed> {
        let settings = &self.engine.shared.settings;
        let keep = settings.suppression_keep;
        if keep.is_zero() || !(by.is_proof() || self.bounces.suppress_unsigned) {
            return None;
        }
        let Matched::Recipient(index) = matched else {
            return None;
        };
        let source = match failure.kind {
            ReturnKind::Failure => SuppressionSource::Bounce,
            ReturnKind::Complaint => SuppressionSource::Complaint,
            ReturnKind::Delay | ReturnKind::Answer | ReturnKind::Other => return None,
        };
        if !is_for_ever_as_told(&failure.diagnosis) {
            return None;
        }
        let recipient = story.recipients.iter().find(|r| r.index == index)?;
        Some(Suppressed {
            address: suppression_key(&recipient.address),
            reason: SuppressionReason::Failed {
                cause: failure.diagnosis.cause,
                message: story.message.id,
                source,
                report: Some(self.work.message.id),
                words: failure.words.clone(),
            },
            since: self.now,
            until: Some(later(self.now, keep)),
        })
    }

    /// Sends on to the sender what came to a return address in place of his: a failure explained, where
    /// that is wanted, anything else as it came. What came to an address of its own for reports has
    /// reached its reader here.
    async fn pass_on(
        &self,
        story: &Story,
        tagged: Option<u32>,
        matched: &[(Matched, &Failure)],
        read: &mut Read,
    ) -> Result<Option<MessageId>, NotRead> {
        if self.bounces.paths.is_read(self.to) {
            return Ok(None);
        }
        let message = &story.message;
        let index = tagged.or_else(|| matched.iter().find_map(|(m, _)| index_of(*m)));
        let recipient = index.and_then(|i| story.recipients.iter().find(|r| r.index == i));
        let sender = recipient
            .and_then(|r| r.sender())
            .unwrap_or(&message.sender);
        if sender.is_null() || self.bounces.paths.is_read(sender) {
            return Ok(None);
        }
        let Some(addressees) = addressees::of(self.engine, sender, self.now).await? else {
            let kind = EventKind::SenderUnknown;
            read.events.push(self.own_event(kind));
            return Ok(None);
        };
        let failed = self.told(story, matched);
        let explained = self.bounces.explained && self.reading.kind == ReturnKind::Failure;
        let new = if explained && !failed.is_empty() {
            let to = ReturnedTo {
                sender,
                addressees,
                failed: &failed,
            };
            let about = Arc::new(message.clone());
            report::returned(self.engine, about, self.body, to, self.now).await?
        } else {
            let about = Some(message.id);
            self.copy(addressees, about).await?
        };
        let copy = new.message.id;
        read.events
            .push(self.own_event(EventKind::PassedOn { copy }));
        read.new.push(new);
        Ok(Some(copy))
    }

    /// Those of the message's recipients that failed, with who had taken the message for them.
    fn told<'s>(
        &'s self,
        story: &'s Story,
        matched: &[(Matched, &'s Failure)],
    ) -> Vec<ToldBack<'s>> {
        let told = |(matched, failure): &(Matched, &'s Failure)| {
            let index = index_of(*matched)?;
            let through = matches!(matched, Matched::Through(_));
            Some(ToldBack {
                recipient: story.recipients.iter().find(|r| r.index == index)?,
                failure,
                names: failure.recipient.as_deref().filter(|_| through),
                handed: handed(story, index),
                message_id: self.reading.message_id.as_deref(),
            })
        };
        let of = matched
            .iter()
            .filter(|(_, f)| f.kind == ReturnKind::Failure);
        of.filter_map(told).collect()
    }

    /// What is about no message that is known goes to whoever looks after that, as it came.
    async fn not_joined(&self, read: &mut Read) -> Result<(), NotRead> {
        let to = &self.bounces.others_to;
        let Some(addressees) = addressees::of(self.engine, to, self.now).await? else {
            let reported = format!("{to} is nobody here: see [bounces] others_to");
            return Err(not_here(
                "passing on what is about no known message",
                &reported,
            ));
        };
        let new = self.copy(addressees, None).await?;
        let copy = new.message.id;
        tracing::info!(id = %self.work.message.id, kind = self.reading.kind.as_str(), %to, "about no message that is known");
        let kind = self.reading.kind;
        read.events
            .push(self.own_event(EventKind::NotJoined { kind }));
        read.events
            .push(self.own_event(EventKind::PassedOn { copy }));
        read.new.push(new);
        Ok(())
    }

    /// What came, byte for byte, with the null reverse-path.
    async fn copy(
        &self,
        addressees: addressees::Addressees,
        about: Option<MessageId>,
    ) -> Result<NewMessage, StoreError> {
        report::copy(
            self.engine,
            &self.work.message,
            self.body,
            (addressees, about),
            self.now,
        )
        .await
    }
}

/// A recipient of whom the sender is told.
pub(crate) struct ToldBack<'a> {
    pub(crate) recipient: &'a queue::Recipient,
    pub(crate) failure: &'a Failure,
    pub(crate) names: Option<&'a str>,
    pub(crate) handed: Option<(String, Timestamp)>,
    /// The Message-ID of the message, as the report gives it back.
    pub(crate) message_id: Option<&'a str>,
}

fn index_of(matched: Matched) -> Option<u32> {
    match matched {
        Matched::Recipient(index) | Matched::Through(index) => Some(index),
        Matched::Nobody => None,
    }
}

/// Who took the message for a recipient, and when.
fn handed(story: &Story, index: u32) -> Option<(String, Timestamp)> {
    story.attempts.iter().rev().find_map(|record| {
        let of = record
            .attempt
            .recipients
            .iter()
            .find(|of| of.index == index)?;
        match &of.outcome {
            Outcome::Accepted(Some(reply)) => Some((reply.peer().to_owned(), record.ended_at)),
            Outcome::Accepted(None) | Outcome::Failed(_) | Outcome::Unknown(_) => None,
        }
    })
}

/// A message of ours that is made of another's content.
pub(crate) fn message_of(
    original: &Message,
    id: MessageId,
    expires_at: Timestamp,
    now: Timestamp,
) -> Message {
    Message {
        id,
        sender: Address::null(),
        received_at: now,
        expires_at,
        kind: queue::MessageKind::Report,
        options: queue::Options::default(),
        ..original.clone()
    }
}
