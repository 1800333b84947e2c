//! What a sender gets of what came back: our report on it, or the mail itself.

use std::sync::Arc;

use explain::ReturnedRecipient;
use jiff::Timestamp;
use queue::{Body, Message, MessageId, NewMessage, Origin, StoreError};
use smtp::Address;

use super::{News, Told, write};
use crate::addressees::Addressees;
use crate::engine::{Engine, later};
use crate::lane::Work;
use crate::returned::{ToldBack, message_of};

/// Bytes of content that are copied at once.
const PIECE: usize = 256 * 1024;

/// To whom a report on what came back goes, and what it tells.
pub(crate) struct ReturnedTo<'a> {
    pub(crate) sender: &'a Address,
    pub(crate) addressees: Addressees,
    pub(crate) failed: &'a [ToldBack<'a>],
}

/// The report that we write on one that came back. That one is its third part.
pub(crate) async fn returned(
    engine: &Engine,
    about: Arc<Message>,
    body: &Body,
    to: ReturnedTo<'_>,
    now: Timestamp,
) -> Result<NewMessage, StoreError> {
    let told: Vec<Told<'_>> = to
        .failed
        .iter()
        .map(|one| Told {
            diagnosis: Some(&one.failure.diagnosis),
            sender: to.sender,
            // When it was last tried elsewhere is not known.
            attempts: 0,
            back: Some(one),
            ..Told::of(&about, one.recipient, dsn::Action::Failed)
        })
        .collect();
    let work = Work::new(about.clone(), Vec::new(), Some(body.clone()));
    let whom = (to.sender, &told[..]);
    let mut new = write::write(engine, &work, News::Returned, whom, to.addressees, now).await?;
    new.message.origin.about = Some(about.id);
    Ok(new)
}

/// What a report on it says, for people.
pub(super) fn recipients<'a>(told: &'a [Told<'a>]) -> Vec<ReturnedRecipient<'a>> {
    let recipient = |t: &'a Told<'a>| {
        let back = t.back?;
        Some(ReturnedRecipient {
            address: t.address,
            diagnosis: t.diagnosis?,
            names: back.names,
            reporter: back.failure.reporter.as_deref(),
            words: back.failure.words.as_deref(),
            handed: back.handed.clone(),
        })
    };
    told.iter().filter_map(recipient).collect()
}

/// The mail itself, byte for byte, on its way to somebody else.
pub(crate) async fn copy(
    engine: &Engine,
    original: &Message,
    body: &Body,
    (addressees, about): (Addressees, Option<MessageId>),
    now: Timestamp,
) -> Result<NewMessage, StoreError> {
    let shared = &engine.shared;
    let id = write::new_id(engine, now);
    let mut writer = shared.store.stage(id);
    match body {
        Body::Inline(bytes) => writer.write(bytes).await?,
        Body::File(source) => {
            let mut at = 0;
            loop {
                let piece = source.read(at, PIECE).await?;
                if piece.is_empty() {
                    break;
                }
                at += piece.len() as u64;
                writer.write(&piece).await?;
            }
        }
    }
    let body = writer.finish().await?;
    let expires_at = later(now, shared.settings.report_lifetime);
    let message = Message {
        origin: Origin {
            client: "local".to_owned(),
            helo: None,
            protocol: "local".to_owned(),
            about: about.or(Some(original.id)),
        },
        ..message_of(original, id, expires_at, now)
    };
    let events = addressees.events(id, now);
    Ok(NewMessage {
        message,
        body,
        recipients: addressees.recipients,
        events,
        held: false,
    })
}
