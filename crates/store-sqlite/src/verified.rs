//! What was found about the causes of failures.

use diagnosis::Cause;
use jiff::Timestamp;
use queue::{DestinationKey, MessageId, Verified};
use rusqlite::{Connection, params};

use crate::codec::{json, nanos, stamp};
use crate::db::Db;
use crate::error::Fault;

/// Writes it down in place of what was found about the same before.
pub(crate) fn note(db: &mut Db, verified: &Verified) -> Result<(), Fault> {
    let destination = db.destination(&verified.destination)?;
    let sql = "INSERT INTO finding (destination, cause, at, findings) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (destination, cause) DO UPDATE SET at = excluded.at, findings = excluded.findings";
    db.statement(sql)?.execute(params![
        destination.id,
        verified.cause.id(),
        nanos(verified.at),
        json(&verified.findings)?,
    ])?;
    Ok(())
}

/// What was found about the destinations of a message.
pub(crate) fn of_message(conn: &Connection, id: MessageId) -> Result<Vec<Verified>, Fault> {
    let select = "SELECT d.key, f.cause, f.at, f.findings FROM finding f \
         JOIN destination d ON d.id = f.destination \
         WHERE f.destination IN (SELECT destination FROM recipient WHERE message = ?1) \
         ORDER BY f.at, f.cause";
    let mut statement = conn.prepare_cached(select)?;
    let mut rows = statement.query([id.as_bytes()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (key, cause): (String, String) = (row.get(0)?, row.get(1)?);
        let text: String = row.get(3)?;
        // What an older version found about a cause that is none any more tells nothing now.
        let (Some(cause), Ok(findings)) = (Cause::from_id(&cause), serde_json::from_str(&text))
        else {
            continue;
        };
        found.push(Verified {
            destination: DestinationKey::new(&key),
            cause,
            at: stamp(row.get(2)?),
            findings,
        });
    }
    Ok(found)
}

/// Removes what was found before.
pub(crate) fn prune(db: &mut Db, before: Timestamp) -> Result<(), Fault> {
    db.statement("DELETE FROM finding WHERE at < ?1")?
        .execute([nanos(before)])?;
    Ok(())
}
