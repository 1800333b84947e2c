//! What is due, for the roles that deliver.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use queue::{
    Body, DestinationKey, Due, DueDestination, Lease, MessageId, Queued, Recipient, RecipientState,
    StoreError, Waiting,
};
use rusqlite::{Connection, OptionalExtension};

use crate::body::{Bodies, FileBody};
use crate::codec::{
    DESTINATION, MESSAGE, MESSAGE_COLUMNS, RECIPIENT, destination, message, message_id, nanos,
    place, recipient, stamp,
};
use crate::error::Fault;
use crate::turns::{self, Asked};

/// Bytes of content that come along with one answer; the rest is read when its turn comes.
const BODIES_AT_ONCE: usize = 1 << 20;

/// Every destination with queued recipients.
pub(crate) fn due_destinations(conn: &Connection) -> Result<Vec<DueDestination>, Fault> {
    let select = format!(
        "SELECT w.earliest, w.queued, {DESTINATION} FROM \
         (SELECT destination, min(next_attempt) AS earliest, count(*) AS queued \
          FROM recipient WHERE state = 0 GROUP BY destination) w \
         JOIN destination d ON d.id = w.destination ORDER BY w.earliest, d.key"
    );
    let mut statement = conn.prepare_cached(&select)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(DueDestination {
            earliest: stamp(row.get(0)?),
            queued: row.get::<_, i64>(1)?.cast_unsigned(),
            destination: destination(row, 2)?,
        });
    }
    Ok(found)
}

/// The same, without what only people read. The index is stepped through from destination to
/// destination: what is queued for each is passed over.
pub(crate) fn waiting(conn: &Connection) -> Result<Vec<Waiting>, Fault> {
    let select = "WITH RECURSIVE w(destination) AS (          SELECT min(destination) FROM recipient INDEXED BY recipient_due WHERE state = 0          UNION ALL SELECT (SELECT min(destination) FROM recipient INDEXED BY recipient_due          WHERE state = 0 AND destination > w.destination) FROM w WHERE w.destination IS NOT NULL)          SELECT d.key, (SELECT min(next_attempt) FROM recipient INDEXED BY recipient_due          WHERE state = 0 AND destination = w.destination) AS earliest,          d.blocked_until, d.failures, d.paused FROM w JOIN destination d ON d.id = w.destination          ORDER BY earliest, d.key";
    let mut statement = conn.prepare_cached(select)?;
    let found = statement.query_map([], |row| {
        Ok(Waiting {
            key: DestinationKey::new(row.get_ref(0)?.as_str()?),
            earliest: stamp(row.get(1)?),
            blocked_until: row.get::<_, Option<i64>>(2)?.map(stamp),
            failures: row.get(3)?,
            paused: row.get(4)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The recipients of a destination that are due, and when the next one is.
pub(crate) fn due(
    conn: &Connection,
    lease: &Lease,
    asked: &Asked,
    bodies: Option<&Arc<Bodies>>,
) -> Result<Due, Fault> {
    let snapshot = conn.unchecked_transaction()?;
    let id = fence(&snapshot, lease)?;
    let turns::Taken { found, next, turn } = turns::take(&snapshot, id, asked)?;
    let queued = by_message(&snapshot, found, BODIES_AT_ONCE, bodies)?;
    Ok(Due { queued, next, turn })
}

/// Recipients, grouped by message, with as much of the bodies as there is room for.
fn by_message(
    conn: &Connection,
    found: Found,
    mut room: usize,
    bodies: Option<&Arc<Bodies>>,
) -> Result<Vec<Queued>, Fault> {
    let mut queued: Vec<Queued> = Vec::new();
    let mut position: HashMap<MessageId, usize> = HashMap::new();
    for (message, recipient) in found {
        if let Some(&at) = position.get(&message) {
            queued[at].recipients.push(recipient);
            continue;
        }
        position.insert(message, queued.len());
        queued.push(load(conn, message, recipient, &mut room, bodies)?);
    }
    Ok(queued)
}

/// The queued recipients of a destination whose message has outlived its time.
///
/// Reads all that is queued for the destination: it is asked for only after a failure of the
/// destination as a whole, which is minutes or hours after the one before.
pub(crate) fn overdue(
    conn: &Connection,
    key: &DestinationKey,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Queued>, Fault> {
    let snapshot = conn.unchecked_transaction()?;
    let select = format!(
        "SELECT r.message, r.next_attempt, {RECIPIENT} FROM destination d \
         JOIN recipient r ON r.destination = d.id AND r.state = 0 \
         JOIN message m ON m.id = r.message \
         WHERE d.key = ?1 AND m.expires_at <= ?2 AND m.expires_at + (SELECT \
         coalesce(sum(o.until - max(o.began_at, m.received_at)), 0) FROM outage o \
         WHERE o.until > m.received_at) <= ?2 ORDER BY m.expires_at, r.message, r.idx LIMIT ?3"
    );
    let mut found = Vec::new();
    {
        let mut statement = snapshot.prepare_cached(&select)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query((key.as_str(), nanos(now), limit))?;
        while let Some(row) = rows.next()? {
            let mut recipient = recipient(row, 2)?;
            recipient.state = RecipientState::Queued;
            recipient.next_attempt = Some(stamp(row.get(1)?));
            found.push((message_id(row, 0)?, recipient));
        }
    }
    by_message(&snapshot, found, 0, None)
}

fn fence(conn: &Connection, lease: &Lease) -> Result<i64, Fault> {
    let select = "SELECT id, token FROM destination WHERE key = ?1";
    let found = conn
        .prepare_cached(select)?
        .query_row([lease.destination.as_str()], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
        })
        .optional()?;
    match found {
        Some((id, token)) if token == lease.token => Ok(id),
        Some(_) | None => Err(StoreError::Fenced {
            destination: lease.destination.clone(),
        }
        .into()),
    }
}

pub(crate) type Found = Vec<(MessageId, Recipient)>;

fn load(
    conn: &Connection,
    id: MessageId,
    recipient: Recipient,
    room: &mut usize,
    bodies: Option<&Arc<Bodies>>,
) -> Result<Queued, Fault> {
    // The body stands last in the row: it is not read unless asked for.
    let select = format!("SELECT {MESSAGE}, m.place, m.body FROM message m WHERE m.id = ?1");
    let mut statement = conn.prepare_cached(&select)?;
    let mut rows = statement.query([id.as_bytes()])?;
    let Some(row) = rows.next()? else {
        return Err(Fault::Damaged(format!(
            "the message {id} is missing, its recipients are not"
        )));
    };
    let message = message(row)?;
    let size = usize::try_from(message.size).unwrap_or(usize::MAX);
    let body = match row.get::<_, i64>(MESSAGE_COLUMNS)? {
        place::INLINE if size <= *room => {
            let bytes: Vec<u8> = row.get(MESSAGE_COLUMNS + 1)?;
            *room -= bytes.len().min(*room);
            Some(Body::Inline(bytes.into()))
        }
        place::FILE => bodies.map(|b| Body::File(Arc::new(FileBody(b.kept(id, message.size))))),
        _ => None,
    };
    Ok(Queued {
        message: Arc::new(message),
        recipients: vec![recipient],
        body,
    })
}

/// The content of a message.
pub(crate) fn body(
    conn: &Connection,
    id: MessageId,
    bodies: Option<&Arc<Bodies>>,
) -> Result<Body, Fault> {
    let mut statement =
        conn.prepare_cached("SELECT size, ended_at, place, body FROM message WHERE id = ?1")?;
    let mut rows = statement.query([id.as_bytes()])?;
    let gone = || StoreError::NotFound(id.to_string());
    let Some(row) = rows.next()? else {
        return Err(gone().into());
    };
    if row
        .get_ref(1)?
        .as_i64_or_null()
        .map_err(rusqlite::Error::from)?
        .is_some()
    {
        return Err(gone().into());
    }
    let size = row.get::<_, i64>(0)?.cast_unsigned();
    match (row.get::<_, i64>(2)?, bodies) {
        (place::FILE, Some(bodies)) => Ok(Body::File(Arc::new(FileBody(bodies.kept(id, size))))),
        (place::INLINE, _) => Ok(Body::Inline(row.get::<_, Vec<u8>>(3)?.into())),
        (other, _) => Err(Fault::Damaged(format!("{other} is no place for a body"))),
    }
}
