//! What came back, and how it finds its message.

use jiff::Timestamp;
use queue::{CameBack, EventKind, MessageId};
use rusqlite::Connection;
use smtp::Address;

use crate::codec::{address, from_json, message_id, nanos, stamp};
use crate::error::Fault;

/// The latest message with this name of its sender's. Few senders give one: the index holds those alone.
pub(crate) fn find_envelope(conn: &Connection, text: &str) -> Result<Option<MessageId>, Fault> {
    let select = "SELECT id FROM message WHERE json_extract(options, '$.envelope_id') = ?1 \
         AND json_extract(options, '$.envelope_id') IS NOT NULL ORDER BY id DESC LIMIT 1";
    let mut statement = conn.prepare_cached(select)?;
    let mut rows = statement.query([text])?;
    rows.next()?.map(|row| message_id(row, 0)).transpose()
}

/// Events of what came back, the latest first. The condition is that of the index.
pub(crate) fn all(
    conn: &Connection,
    since: Option<Timestamp>,
    limit: usize,
) -> Result<Vec<CameBack>, Fault> {
    let select = "SELECT e.at, e.message, m.sender, m.received_at, r.address, e.kind FROM event e \
         JOIN message m ON m.id = e.message \
         LEFT JOIN recipient r ON r.message = e.message AND r.idx = e.recipient \
         WHERE substr(e.kind, 1, 11) = '{\"returned\"' AND e.at >= ?1 \
         ORDER BY e.at DESC, e.id DESC LIMIT ?2";
    let mut statement = conn.prepare_cached(select)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let since = since.map_or(i64::MIN, nanos);
    let mut rows = statement.query([since, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let kind: EventKind = from_json("an event", &row.get::<_, String>(5)?)?;
        let EventKind::Returned(returned) = kind else {
            continue;
        };
        let recipient: Option<String> = row.get(4)?;
        let recipient: Option<Address> = recipient.as_deref().map(address).transpose()?;
        found.push(CameBack {
            at: stamp(row.get(0)?),
            message: message_id(row, 1)?,
            sender: address(&row.get::<_, String>(2)?)?,
            received_at: stamp(row.get(3)?),
            recipient,
            returned: *returned,
        });
    }
    Ok(found)
}
