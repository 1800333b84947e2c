//! To whom a report of our own goes: the sender, or who that is in a domain of ours.

use std::sync::Arc;

use jiff::Timestamp;
use queue::route::Asked;
use queue::{
    Event, EventKind, Expansion, Found, MessageId, NewRecipient, NotFound, Rewritten, StoreError,
};
use smtp::Address;

use crate::engine::Engine;

/// Why a report is not written yet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotWritten {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be told who the sender is.
    #[error(transparent)]
    Directory(NotFound),
}

/// Who gets a report.
pub(crate) struct Addressees {
    pub(crate) recipients: Vec<NewRecipient>,
    steps: Vec<Expansion>,
}

/// Who gets the reports to this sender; `None` where that is nobody.
pub(crate) async fn of(
    engine: &Engine,
    sender: &Address,
    now: Timestamp,
) -> Result<Option<Addressees>, NotWritten> {
    let settings = &engine.shared.settings;
    let found = match &settings.directory {
        None => Ok(Found::Elsewhere),
        // A report has the null reverse-path: no forwarding needs another.
        Some(directory) => directory.find(sender, &Address::null(), now).await,
    };
    let resolved = match found {
        Ok(Found::Here(resolved)) => resolved,
        Ok(Found::Elsewhere) => {
            let from = Address::null();
            let asked = Asked::to(sender).from(&from);
            let recipient = NewRecipient {
                address: sender.clone(),
                destination: settings.routes.lead(&asked).key(),
                next_attempt: now,
                options: queue::RecipientOptions::default(),
                rewritten: None,
            };
            return Ok(Some(Addressees {
                recipients: vec![recipient],
                steps: Vec::new(),
            }));
        }
        Err(error @ (NotFound::TableFailed { .. } | NotFound::BadEntry { .. })) => {
            return Err(NotWritten::Directory(error));
        }
        Err(nobody) => {
            tracing::warn!(%sender, %nobody, "no report: the sender is nobody here");
            return Ok(None);
        }
    };
    let original = |placed: &Address| (placed != sender).then(|| sender.clone());
    let recipients = resolved.recipients.into_iter().map(|placed| NewRecipient {
        destination: placed.destination,
        next_attempt: now,
        options: queue::RecipientOptions::default(),
        rewritten: Rewritten::of(None, original(&placed.address)).map(Arc::new),
        address: placed.address,
    });
    Ok(Some(Addressees {
        recipients: recipients.collect(),
        steps: resolved.steps,
    }))
}

impl Addressees {
    /// What the story of the report tells about them.
    pub(crate) fn events(&self, report: MessageId, now: Timestamp) -> Vec<Event> {
        let event = |step: &Expansion| Event {
            at: now,
            message: Some(report),
            recipient: None,
            destination: None,
            kind: EventKind::Expanded(step.clone()),
        };
        self.steps.iter().map(event).collect()
    }
}
