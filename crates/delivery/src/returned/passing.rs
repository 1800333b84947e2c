//! What came back goes on to the sender, or to whoever looks after what nobody knows.

use std::sync::Arc;

use bounces::{Failure, Matched};
use diagnosis::Outcome;
use jiff::Timestamp;
use queue::{EventKind, Message, MessageId, NewMessage, ReturnKind, StoreError, Story};
use smtp::Address;

use super::{NotRead, One, Read, index_of, not_here};
use crate::addressees;
use crate::report::{self, ReturnedTo};

impl One<'_> {
    /// Sends on to the sender what came to a return address in place of his: a failure explained, where
    /// that is wanted, anything else as it came. What came to an address of its own for reports has
    /// reached its reader here.
    pub(super) async fn pass_on(
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
    pub(super) async fn not_joined(&self, read: &mut Read) -> Result<(), NotRead> {
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
