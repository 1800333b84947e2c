//! When our own line was down.

use jiff::Timestamp;
use queue::Outage;
use rusqlite::{Connection, params};

use crate::codec::{nanos, stamp};
use crate::db::Db;
use crate::error::Fault;

/// Writes down that it was down from `began` until `until` at least.
pub(crate) fn note(db: &mut Db, began: Timestamp, until: Timestamp) -> Result<(), Fault> {
    let sql = "INSERT INTO outage (began_at, until) VALUES (?1, ?2) \
         ON CONFLICT (began_at) DO UPDATE SET until = max(until, excluded.until)";
    db.statement(sql)?
        .execute(params![nanos(began), nanos(until)])?;
    Ok(())
}

/// Those that ended after `since`, oldest first.
pub(crate) fn since(conn: &Connection, since: Timestamp) -> Result<Vec<Outage>, Fault> {
    let select = "SELECT began_at, until FROM outage WHERE until > ?1 ORDER BY began_at";
    let mut statement = conn.prepare_cached(select)?;
    let found = statement.query_map([nanos(since)], |row| {
        Ok(Outage {
            began: stamp(row.get(0)?),
            until: stamp(row.get(1)?),
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}
