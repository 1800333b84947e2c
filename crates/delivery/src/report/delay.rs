//! Notices of delay (RFC 3461 §4.1, §5.2.6): once for each recipient that waits longer than usual, or
//! longer than its sender said (RFC 2852 §4.1.4).
//!
//! Nothing is remembered of this but the event that is stored with the notice, in one transaction: after
//! a crash the queue is looked through again, and who has been told is not told again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use queue::{
    Basis, Decision, EventKind, Message, MessageId, MessageKind, Recipient, RecipientState,
    StoreError,
};
use smtp::envelope::ByMode;

use super::{News, Reports, Told, tell};
use crate::addressees::NotWritten;
use crate::engine::{Engine, later};
use crate::lane::Work;

/// How often it is looked who waits too long.
const EVERY: Duration = Duration::from_secs(60);
/// Messages that are read at once.
const AT_ONCE: usize = 100;

/// Messages that are to be looked at at a time of their own.
pub(crate) type Appointments = BTreeSet<(Timestamp, MessageId)>;

/// When a message has a time of its own: its sender set one.
pub(crate) fn appointment(message: &Message) -> Option<Timestamp> {
    let by = message.options.deliver_by?;
    (by.mode == ByMode::Notify).then_some(by.at)
}

/// Looks who waits too long, until the relay stops.
pub(crate) async fn watch(engine: Engine) {
    match engine.shared.store.deadlines().await {
        Ok(deadlines) => {
            for (id, deadline) in deadlines {
                if deadline.mode == ByMode::Notify {
                    engine.appoint(deadline.at, id);
                }
            }
        }
        Err(error) => tracing::error!(%error, "deadlines of senders cannot be read"),
    }
    let mut after = None;
    loop {
        tokio::time::sleep(EVERY).await;
        if engine.is_stopping() {
            return;
        }
        if let Err(error) = look(&engine, &mut after).await {
            tracing::error!(%error, "notices of delay cannot be written; trying again");
        }
    }
}

async fn look(engine: &Engine, after: &mut Option<MessageId>) -> Result<(), NotWritten> {
    let now = engine.now();
    for id in engine.appointments_due(now) {
        if let Err(error) = one(engine, id, now).await {
            engine.appoint(later(now, EVERY), id);
            return Err(error);
        }
    }
    let delay = engine.shared.settings.delay_notice;
    if delay.is_zero() {
        return Ok(());
    }
    let before = earlier(now, delay);
    loop {
        let late = engine.shared.store.late(*after, before, AT_ONCE).await?;
        let whole = late.len() < AT_ONCE;
        for id in late {
            one(engine, id, now).await?;
            *after = Some(id);
        }
        if whole {
            return Ok(());
        }
    }
}

/// Tells the sender of one message whose recipients still wait.
async fn one(engine: &Engine, id: MessageId, now: Timestamp) -> Result<(), NotWritten> {
    let story = match engine.shared.store.story(id).await {
        Ok(story) => story,
        Err(StoreError::NotFound(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let message = Arc::new(story.message);
    if message.kind == MessageKind::Report {
        return Ok(());
    }
    let delay = engine.shared.settings.delay_notice;
    // What its sender holds back is not late.
    let late = message.options.hold_until.map(|until| later(until, delay));
    if let Some(late) = late.filter(|late| *late > now) {
        engine.appoint(late, message.id);
        return Ok(());
    }
    let was_told = |index: u32| {
        let mut of = story.events.iter().filter(|e| e.recipient == Some(index));
        of.any(|e| matches!(e.kind, EventKind::Delayed { .. }))
    };
    let waits = |r: &&Recipient| {
        let open = matches!(r.state, RecipientState::Queued | RecipientState::Sending);
        open && r.options.notify().delay && !was_told(r.index)
    };
    let told: Vec<Told<'_>> = story
        .recipients
        .iter()
        .filter(waits)
        .map(|r| Told {
            next: r.next_attempt.map(|at| Decision::RetryAt {
                at: at.max(now),
                basis: r.basis.unwrap_or(Basis::Destination),
            }),
            ..Told::of(&message, r, dsn::Action::Delayed)
        })
        .filter(|told| !told.sender.is_null())
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    let work = Work::new(message.clone(), Vec::new(), None);
    let mut reports = Reports::default();
    tell(engine, &work, News::Delayed, told, now, &mut reports).await?;
    let announced = reports.announce(engine);
    let Reports { new, events } = reports;
    match engine.shared.store.tell(new.clone(), events).await {
        Ok(()) => {
            tracing::info!(id = %message.id, sender = %message.sender, "the sender is told of the delay");
            announced.stored(engine, new);
            Ok(())
        }
        Err(error) => {
            announced.not_stored(engine);
            Err(error.into())
        }
    }
}

fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_sub(by).unwrap_or(Timestamp::MIN)
}
