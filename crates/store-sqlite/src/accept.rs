//! Keeping a new message.

use std::sync::Arc;

use bytes::Bytes;
use queue::{
    Basis, Body, BodySource, BodyWriter, Event, Message, MessageId, MessageKind, NewMessage,
    NewRecipient, StoreError,
};
use rusqlite::params;

use crate::body::{Bodies, BodyFile};
use crate::codec::{body_kind_number, json, nanos, options_text, place, state};
use crate::db::Db;
use crate::error::Fault;
use crate::staging::Staging;

/// A message ready to be written.
pub(crate) struct Prepared {
    message: Message,
    recipients: Vec<NewRecipient>,
    events: Vec<Event>,
    basis: Option<Basis>,
    held: bool,
    content: Content,
}

enum Content {
    Inline(Bytes),
    File(Arc<BodyFile>),
}

impl Prepared {
    /// Makes sure that large content lies in the file that belongs to this message.
    pub(crate) async fn new(
        new: NewMessage,
        bodies: Option<&Arc<Bodies>>,
    ) -> Result<Prepared, StoreError> {
        let id = new.message.id;
        let basis = new.basis();
        let content = match new.body {
            Body::Inline(bytes) => Content::Inline(bytes),
            Body::File(source) => {
                let staged = bodies.and_then(|bodies| {
                    bodies
                        .staged(id)
                        .filter(|_| source.path() == bodies.path(id))
                });
                match staged {
                    Some(file) => Content::File(file),
                    None => copy(id, &*source, bodies).await?,
                }
            }
        };
        Ok(Prepared {
            message: new.message,
            recipients: new.recipients,
            events: new.events,
            basis,
            held: new.held,
            content,
        })
    }

    /// Size of the content, which is what the row says: readers rely on it.
    fn size(&self) -> u64 {
        match &self.content {
            Content::Inline(bytes) => bytes.len() as u64,
            Content::File(file) => file.size(),
        }
    }

    /// Bytes that go through the log.
    pub(crate) fn weight(&self) -> usize {
        let content = match &self.content {
            Content::Inline(bytes) => bytes.len(),
            Content::File(_) => 0,
        };
        content + 100 * self.recipients.len()
    }

    /// The file that the row will name.
    pub(crate) fn file(&self) -> Option<&Arc<BodyFile>> {
        match &self.content {
            Content::Inline(_) => None,
            Content::File(file) => Some(file),
        }
    }

    pub(crate) fn write(&self, db: &mut Db) -> Result<(), Fault> {
        let m = &self.message;
        let (place, body) = match &self.content {
            Content::Inline(bytes) => (place::INLINE, Some(&bytes[..])),
            Content::File(_) => (place::FILE, None),
        };
        let insert = "INSERT INTO message (id, sender, received_at, expires_at, size, body_kind, \
             smtputf8, hops, kind, client, helo, protocol, about, options, place, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
        db.statement(insert)?.execute(params![
            m.id.as_bytes(),
            m.sender.as_str(),
            nanos(m.received_at),
            nanos(m.expires_at),
            self.size().cast_signed(),
            body_kind_number(m.body_kind),
            m.smtputf8,
            m.hops,
            m.kind == MessageKind::Report,
            m.origin.client,
            m.origin.helo,
            m.origin.protocol,
            m.origin.about.as_ref().map(MessageId::as_bytes),
            options_text(&m.options)?,
            place,
            body,
        ])?;
        let basis = self.basis.as_ref().map(json::<Basis>).transpose()?;
        let lineup = queue::policy::lineup(m.options.priority.number(), &m.sender);
        for (index, recipient) in (0_u32..).zip(&self.recipients) {
            let destination = db.destination(&recipient.destination)?.id;
            let insert = "INSERT INTO recipient \
                 (message, idx, address, destination, state, next_attempt, attempts, rewritten, basis, \
                  options, lineup) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10)";
            db.statement(insert)?.execute(params![
                m.id.as_bytes(),
                index,
                recipient.address.as_str(),
                destination,
                if self.held {
                    state::HELD
                } else {
                    state::QUEUED
                },
                (!self.held).then(|| nanos(recipient.next_attempt)),
                recipient.rewritten.as_deref().map(json).transpose()?,
                basis,
                options_text(&recipient.options)?,
                lineup,
            ])?;
        }
        for event in &self.events {
            db.write_event(event)?;
        }
        Ok(())
    }
}

/// Writes content that came from elsewhere to this message's own file.
async fn copy(
    id: MessageId,
    source: &dyn BodySource,
    bodies: Option<&Arc<Bodies>>,
) -> Result<Content, StoreError> {
    let mut staging = Box::new(Staging::new(id, bodies.cloned()));
    let mut offset = 0;
    loop {
        let piece = source.read(offset, 256 << 10).await?;
        if piece.is_empty() {
            break;
        }
        offset += piece.len() as u64;
        staging.write(&piece).await?;
    }
    match staging.finish().await? {
        Body::Inline(bytes) => Ok(Content::Inline(bytes)),
        Body::File(_) => {
            let staged = bodies.and_then(|bodies| bodies.staged(id));
            staged.map(Content::File).ok_or(StoreError::Uncertain)
        }
    }
}
