//! Whether the administrator has stopped receiving.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::codec::{nanos, stamp};
use crate::db::Db;
use crate::error::Fault;

/// The gate for mail that comes in.
const INTAKE: &str = "intake";

/// Closes or opens it; answers since when it was closed before. Who closes it twice keeps the first time.
pub(crate) fn set(db: &mut Db, closed: bool, at: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let before = closed_at(db.conn())?;
    let sql = if closed {
        "INSERT OR IGNORE INTO gate (name, closed_at) VALUES (?1, ?2)"
    } else {
        "DELETE FROM gate WHERE name = ?1 AND ?2 IS NOT NULL"
    };
    db.statement(sql)?.execute(params![INTAKE, nanos(at)])?;
    Ok(before)
}

/// Since when it is closed.
pub(crate) fn closed_at(conn: &Connection) -> Result<Option<Timestamp>, Fault> {
    let mut statement = conn.prepare_cached("SELECT closed_at FROM gate WHERE name = ?1")?;
    let found: Option<i64> = statement.query_row([INTAKE], |row| row.get(0)).optional()?;
    Ok(found.map(stamp))
}

#[cfg(test)]
mod tests {
    use queue::Store;
    use world::World;

    use crate::SqliteStore;

    #[tokio::test]
    async fn a_stop_of_receiving_outlives_the_process_and_keeps_its_first_time() {
        let dir = tempfile::tempdir().unwrap();
        let world = World::real();
        let at = |second| jiff::Timestamp::from_second(second).unwrap();
        let store = SqliteStore::open(dir.path(), &world).unwrap();
        assert_eq!(store.intake_paused().await.unwrap(), None);
        assert_eq!(store.pause_intake(true, at(5)).await.unwrap(), None);
        assert_eq!(store.pause_intake(true, at(9)).await.unwrap(), Some(at(5)));
        drop(store);
        let store = SqliteStore::open(dir.path(), &world).unwrap();
        assert_eq!(store.intake_paused().await.unwrap(), Some(at(5)));
        assert_eq!(store.pause_intake(false, at(9)).await.unwrap(), Some(at(5)));
        assert_eq!(store.intake_paused().await.unwrap(), None);
    }
}
