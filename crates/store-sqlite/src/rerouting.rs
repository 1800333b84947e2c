//! Queued recipients that go elsewhere when the routes have changed.

use jiff::Timestamp;
use queue::route::Imprint;
use queue::{DestinationKey, Event, EventKind, MessageId, Move, Moving};
use rusqlite::{Connection, OptionalExtension, params};

use crate::codec::{address, message_id, nanos, state};
use crate::db::Db;
use crate::error::Fault;

/// By which routes all that waits was gone through.
pub(crate) fn routed_by(conn: &Connection) -> Result<Option<Imprint>, Fault> {
    let mut statement = conn.prepare_cached("SELECT routes FROM routed")?;
    let found: Option<String> = statement.query_row([], |row| row.get(0)).optional()?;
    Ok(found.map(Imprint::kept))
}

/// Writes that down, or that it is not known.
pub(crate) fn note_routed_by(db: &mut Db, routes: Option<&Imprint>) -> Result<(), Fault> {
    db.statement("DELETE FROM routed")?.execute([])?;
    if let Some(routes) = routes {
        db.statement("INSERT INTO routed (only_one, routes) VALUES (1, ?1)")?
            .execute([routes.as_str()])?;
    }
    Ok(())
}

/// Recipients that may move. In the order of the table's key and of the messages': neighbours share
/// their pages, so that a queue of any length is read once from its beginning to its end.
pub(crate) fn movable(
    conn: &Connection,
    after: Option<(MessageId, u32)>,
    limit: usize,
) -> Result<Vec<Moving>, Fault> {
    let select = format!(
        "SELECT r.message, m.sender, r.idx, r.address, d.key FROM recipient r \
         CROSS JOIN message m ON m.id = r.message CROSS JOIN destination d ON d.id = r.destination \
         WHERE (r.message, r.idx) > (?1, ?2) AND r.state IN ({}, {}) AND r.sending IS NULL \
         ORDER BY r.message, r.idx LIMIT ?3",
        state::QUEUED,
        state::HELD
    );
    let (message, index) = match &after {
        Some((message, index)) => (*message, i64::from(*index)),
        None => (MessageId::from_bytes([0; 16]), -1),
    };
    let mut statement = conn.prepare_cached(&select)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![message.as_bytes(), index, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |at| -> Result<&str, Fault> {
            Ok(row.get_ref(at)?.as_str().map_err(rusqlite::Error::from)?)
        };
        found.push(Moving {
            message: message_id(row, 0)?,
            sender: address(text(1)?)?,
            index: row.get(2)?,
            recipient: address(text(3)?)?,
            from: DestinationKey::new(text(4)?),
        });
    }
    Ok(found)
}

/// Moves recipients; answers how many.
pub(crate) fn reroute(db: &mut Db, moves: &[Move], at: Timestamp) -> Result<u64, Fault> {
    let mut count = 0;
    for step in moves {
        let Some(old) = db.known(&step.from)? else {
            continue;
        };
        let new = db.destination(&step.to)?;
        // What was decided about the old destination says nothing about the new one. What is held has
        // no next attempt, and gets none (the minimum of nothing is nothing).
        let update = "UPDATE recipient SET destination = ?4, next_attempt = min(next_attempt, ?5), \
                      basis = NULL WHERE message = ?1 AND idx = ?2 AND destination = ?3 \
                      AND state IN (?6, ?7) AND sending IS NULL";
        let changed = db.statement(update)?.execute(params![
            step.message.as_bytes(),
            step.index,
            old.id,
            new.id,
            nanos(at),
            state::QUEUED,
            state::HELD,
        ])?;
        if changed > 0 {
            count += 1;
            db.write_event(&Event {
                at,
                message: Some(step.message),
                recipient: Some(step.index),
                destination: Some(step.to.clone()),
                kind: EventKind::Rerouted {
                    from: step.from.clone(),
                },
            })?;
        }
    }
    Ok(count)
}
