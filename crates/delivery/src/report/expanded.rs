//! That an address stands for several: told once, with the first attempt at the first of them.

use queue::{Decision, EventKind, Expanded, Recipient, StoreError, Verdict};

use super::Told;
use crate::engine::Engine;
use crate::lane::Work;

/// Those addresses of whom it is to be told now.
pub(super) async fn due<'a>(
    engine: &Engine,
    work: &'a Work,
    verdicts: &[Verdict],
) -> Result<Vec<Told<'a>>, StoreError> {
    let mut told = Vec::new();
    for (recipient, verdict) in work.recipients.iter().zip(verdicts) {
        let Some(expanded) = recipient.options.expanded else {
            continue;
        };
        // What goes on at once is recorded again at once.
        if matches!(verdict.decision, Decision::RetryWhen(_))
            || was_told(engine, work, recipient).await?
        {
            continue;
        }
        let action = match expanded {
            Expanded::Alias => dsn::Action::Expanded,
            Expanded::List => dsn::Action::Delivered,
        };
        let address = recipient.original().unwrap_or(&recipient.address);
        told.push(Told {
            address,
            // Not whoever hears of the copies: whoever wrote to the address.
            sender: &work.message.sender,
            original: recipient.options.original.clone(),
            attempts: 0,
            diagnosis: None,
            ..Told::of(&work.message, recipient, action)
        });
    }
    Ok(told)
}

async fn was_told(engine: &Engine, work: &Work, recipient: &Recipient) -> Result<bool, StoreError> {
    if recipient.attempts == 0 {
        return Ok(false);
    }
    let story = engine.shared.store.story(work.message.id).await?;
    let mut of = story
        .events
        .iter()
        .filter(|e| e.recipient == Some(recipient.index));
    Ok(of.any(|e| match &e.kind {
        EventKind::ExpansionReported { .. } => true,
        // A sender that nobody can tell is not tried again.
        EventKind::NotReported | EventKind::SenderUnknown => true,
        _ => false,
    }))
}
