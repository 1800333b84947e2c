//! What the administrator changes, and what age removes.

use jiff::Timestamp;
use queue::{
    Basis, DestinationKey, Event, EventKind, MessageId, Recipient, RecipientState, StoreError,
};
use rusqlite::params;

use crate::codec::{RECIPIENT, json, message_id, nanos, place, recipient, state};
use crate::db::Db;
use crate::error::Fault;

/// Changes open recipients that are not being sent; answers them as they are now.
pub(crate) fn change(
    db: &mut Db,
    id: MessageId,
    only: Option<&[u32]>,
    to: RecipientState,
    at: Timestamp,
    now: Timestamp,
) -> Result<Vec<Recipient>, Fault> {
    let all = recipients(db, id)?;
    if all.is_empty() {
        return Err(StoreError::NotFound(id.to_string()).into());
    }
    let mut changed = Vec::new();
    for mut recipient in all {
        let asked = only.is_none_or(|only| only.contains(&recipient.index));
        let Some(kind) = kind_of(recipient.state, to).filter(|_| asked) else {
            continue;
        };
        recipient.state = to;
        recipient.next_attempt = (to == RecipientState::Queued).then_some(at);
        recipient.basis = (to == RecipientState::Queued).then_some(Basis::Administrator);
        set(db, id, &recipient)?;
        db.write_event(&Event {
            at: now,
            message: Some(id),
            recipient: Some(recipient.index),
            destination: None,
            kind,
        })?;
        changed.push(recipient);
    }
    if to.is_final() && !changed.is_empty() {
        db.end_if_final(id, now)?;
    }
    Ok(changed)
}

/// The event of a change; `None` where there is nothing to change. What is being sent stays as it
/// is: its outcome will be recorded.
fn kind_of(from: RecipientState, to: RecipientState) -> Option<EventKind> {
    use RecipientState::{Delivered, Dropped, Failed, Held, Queued, Sending};
    match (from, to) {
        (Queued, Held) => Some(EventKind::Held),
        (Held, Queued) => Some(EventKind::Released),
        (Queued, Queued) => Some(EventKind::RetryAsked),
        (Queued | Held, Dropped) => Some(EventKind::Dropped),
        (Held, Held)
        | (Sending | Delivered | Failed | Dropped, _)
        | (Queued | Held, Sending | Delivered | Failed) => None,
    }
}

fn set(db: &Db, id: MessageId, recipient: &Recipient) -> Result<(), Fault> {
    let state = match recipient.state {
        RecipientState::Held => state::HELD,
        RecipientState::Dropped => state::DROPPED,
        _ => state::QUEUED,
    };
    let update = "UPDATE recipient SET state = ?3, next_attempt = ?4, basis = ?5 \
                  WHERE message = ?1 AND idx = ?2";
    db.statement(update)?.execute(params![
        id.as_bytes(),
        recipient.index,
        state,
        recipient.next_attempt.map(nanos),
        recipient.basis.as_ref().map(json).transpose()?,
    ])?;
    Ok(())
}

fn recipients(db: &Db, id: MessageId) -> Result<Vec<Recipient>, Fault> {
    let select = format!(
        "SELECT {RECIPIENT} FROM recipient r JOIN destination d ON d.id = r.destination \
         WHERE r.message = ?1 ORDER BY r.idx"
    );
    let mut statement = db.statement(&select)?;
    let mut rows = statement.query([id.as_bytes()])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(recipient(row, 0)?);
    }
    Ok(all)
}

/// Stops or lets go on a destination.
pub(crate) fn pause(
    db: &mut Db,
    key: &DestinationKey,
    paused: bool,
    at: Timestamp,
) -> Result<(), Fault> {
    let known = db.destination(key)?;
    let changed = db
        .statement("UPDATE destination SET paused = ?2 WHERE id = ?1 AND paused <> ?2")?
        .execute(params![known.id, paused])?;
    if changed == 0 {
        return Ok(());
    }
    let kind = if paused {
        EventKind::Paused
    } else {
        EventKind::Resumed
    };
    let destination = Some(key.clone());
    db.write_event(&Event {
        at,
        message: None,
        recipient: None,
        destination,
        kind,
    })
}

/// Removes messages that ended before `before`, and events that old which concern no message.
pub(crate) fn prune(db: &mut Db, before: Timestamp, limit: usize) -> Result<u64, Fault> {
    let gone = ended(db, before, limit)?;
    for (id, place) in &gone {
        for table in ["attempt", "event", "recipient"] {
            let delete = format!("DELETE FROM {table} WHERE message = ?1");
            db.statement(&delete)?.execute([id.as_bytes()])?;
        }
        db.statement("DELETE FROM message WHERE id = ?1")?
            .execute([id.as_bytes()])?;
        if *place == place::FILE {
            db.discard_file(*id);
        }
    }
    crate::verified::prune(db, before)?;
    db.statement("DELETE FROM event WHERE message IS NULL AND at < ?1")?
        .execute([nanos(before)])?;
    Ok(gone.len() as u64)
}

fn ended(db: &Db, before: Timestamp, limit: usize) -> Result<Vec<(MessageId, i64)>, Fault> {
    // In order of arrival: what arrived later than `before` has not ended before it.
    let select = "SELECT id, place, ended_at, received_at FROM message ORDER BY id";
    let mut statement = db.statement(select)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if found.len() >= limit || row.get::<_, i64>(3)? >= nanos(before) {
            break;
        }
        let ended_at: Option<i64> = row.get(2)?;
        if ended_at.is_some_and(|ended_at| ended_at < nanos(before)) {
            found.push((message_id(row, 0)?, row.get(1)?));
        }
    }
    Ok(found)
}
