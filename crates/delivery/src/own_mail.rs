//! Mail of our own that is no answer to anything: reports on TLS.

use std::time::Duration;

use queue::{BodyKind, Message, MessageId, MessageKind, NewMessage, Origin, StoreError};
use smtp::Address;

use crate::addressees::{self, NotWritten};
use crate::engine::{Engine, later};

/// A report on TLS as a mail (RFC 8460 §5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnMail {
    /// Its name in the queue.
    pub id: MessageId,
    /// To whom.
    pub to: Address,
    /// The message; lines end in CRLF.
    pub content: Vec<u8>,
    /// How long it is tried.
    pub lifetime: Duration,
}

/// Why it is not in the queue.
#[derive(Debug, thiserror::Error)]
pub enum NotPosted {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whether there is such a mailbox here cannot be told now.
    #[error(transparent)]
    Directory(queue::NotFound),
    /// It is for a domain of ours, and nobody has that address.
    #[error("{0} is in a domain of ours, and nobody has that address")]
    Nobody(Address),
}

impl Engine {
    /// Puts a mail of our own into the queue, with the null reverse-path: whatever becomes of it, nobody
    /// is told but the log and the queue. One of that name which is there already stays the only one.
    ///
    /// What a domain demands of TLS does not hold it back (RFC 8460 §5.3), and its sessions are not
    /// counted for the next report (§3). What the administrator demands does.
    pub async fn post(&self, mail: OwnMail) -> Result<(), NotPosted> {
        let shared = &self.shared;
        match shared.store.story(mail.id).await {
            Ok(_) => return Ok(()),
            Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let now = self.now();
        let addressees = match addressees::of(self, &mail.to, now).await {
            Ok(Some(addressees)) => addressees,
            Ok(None) => return Err(NotPosted::Nobody(mail.to)),
            Err(NotWritten::Store(error)) => return Err(error.into()),
            Err(NotWritten::Directory(error)) => return Err(NotPosted::Directory(error)),
        };
        let mut writer = shared.store.stage(mail.id);
        writer.write(&mail.content).await?;
        let body = writer.finish().await?;
        let message = Message {
            id: mail.id,
            sender: Address::null(),
            received_at: now,
            expires_at: later(now, mail.lifetime),
            size: body.size(),
            body_kind: match mail.content.is_ascii() {
                true => BodyKind::SevenBit,
                false => BodyKind::EightBit,
            },
            smtputf8: !mail.to.is_ascii(),
            hops: 0,
            kind: MessageKind::Report,
            origin: Origin {
                client: "local".to_owned(),
                helo: None,
                protocol: "local".to_owned(),
                about: None,
            },
            options: queue::Options::default(),
        };
        let events = addressees.events(mail.id, now);
        let mut recipients = addressees.recipients;
        for recipient in &mut recipients {
            recipient.destination = recipient.destination.tls_optional();
        }
        let new = NewMessage {
            message,
            body,
            recipients,
            events,
            held: false,
        };
        Ok(self.intake().accept(new).await?)
    }
}
