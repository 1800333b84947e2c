//! What has waited long, for notices of delay.

use jiff::Timestamp;
use queue::{Deadline, MessageId, Options};
use rusqlite::Connection;

use crate::codec::{from_json, message_id};
use crate::error::Fault;

/// Messages with queued recipients. Names of messages grow with the time at which they were accepted
/// (RFC 9562 §5.7), so that the key of the table is all that is read.
pub(crate) fn late(
    conn: &Connection,
    after: Option<MessageId>,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<MessageId>, Fault> {
    let first = after.unwrap_or_else(|| MessageId::from_bytes([0; 16]));
    let millis = u64::try_from(before.as_millisecond()).unwrap_or(0);
    let last = MessageId::new(millis, &[0xff; 10]);
    let select = "SELECT DISTINCT message FROM recipient \
         WHERE message > ?1 AND message <= ?2 AND state = 0 ORDER BY message LIMIT ?3";
    let mut statement = conn.prepare_cached(select)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query((first.as_bytes(), last.as_bytes(), limit))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(message_id(row, 0)?);
    }
    Ok(found)
}

/// Open messages with a deadline.
pub(crate) fn deadlines(conn: &Connection) -> Result<Vec<(MessageId, Deadline)>, Fault> {
    let select = "SELECT id, options FROM message WHERE ended_at IS NULL AND options IS NOT NULL";
    let mut statement = conn.prepare_cached(select)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let options: Options = from_json("the sender's options", &row.get::<_, String>(1)?)?;
        if let Some(deadline) = options.deliver_by {
            found.push((message_id(row, 0)?, deadline));
        }
    }
    Ok(found)
}
