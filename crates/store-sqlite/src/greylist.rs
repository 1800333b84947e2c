//! Who has come before, for greylisting: a database of its own beside the queue's.
//!
//! Losing it costs a delay and no mail, so that it is written without waiting for the disk
//! (`synchronous = NORMAL`: a loss of power takes the last moments, never the database), and the
//! queue's writer is left alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use queue::{Greeting, Greylist, GreylistPolicy, Seen, Standing, StoreError, Triplet};
use rusqlite::{Connection, OptionalExtension, params};

use crate::body::blocking;
use crate::codec::{nanos, stamp};
use crate::error::Fault;

/// Triplets kept: about 100 MB. Beyond it the strangers that were seen first are forgotten.
const MOST: u64 = 500_000;
/// How many are forgotten then at once.
const AT_ONCE: u64 = MOST / 10;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS triplet (
    network   TEXT NOT NULL,
    sender    TEXT NOT NULL,
    recipient TEXT NOT NULL,
    first     INTEGER NOT NULL,
    last      INTEGER NOT NULL,
    passed    INTEGER NOT NULL,
    PRIMARY KEY (network, sender, recipient)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS triplet_age ON triplet (passed, first);
CREATE TABLE IF NOT EXISTS network (
    network TEXT PRIMARY KEY NOT NULL,
    passed  INTEGER NOT NULL,
    last    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The memory of greylisting in a SQLite database.
#[derive(Clone)]
pub struct SqliteGreylist {
    open: Arc<Mutex<Open>>,
    path: PathBuf,
}

struct Open {
    conn: Connection,
    /// Triplets there are, about.
    count: u64,
    most: u64,
}

impl std::fmt::Debug for SqliteGreylist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteGreylist")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl SqliteGreylist {
    /// Opens `greylist.db` in the data directory of a store that is open.
    pub fn open(dir: &Path) -> Result<SqliteGreylist, StoreError> {
        let path = dir.join("greylist.db");
        let open = Open::new(&path, MOST).map_err(|fault| fault.into_store(&path))?;
        Ok(SqliteGreylist {
            open: Arc::new(Mutex::new(open)),
            path,
        })
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Open) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (open, path) = (self.open.clone(), self.path.clone());
        blocking(move || {
            let mut open = open.lock();
            let done = work(&mut open);
            if done.is_err() && !open.conn.is_autocommit() {
                // What failed is told; that undoing it fails too is told by the next attempt.
                let _ = open.conn.execute_batch("ROLLBACK");
            }
            done.map_err(|fault| fault.into_store(&path))
        })
        .await
    }
}

#[async_trait]
impl Greylist for SqliteGreylist {
    async fn meet(
        &self,
        triplet: &Triplet,
        policy: &GreylistPolicy,
        now: Timestamp,
    ) -> Result<Greeting, StoreError> {
        let (triplet, policy) = (triplet.clone(), *policy);
        self.with(move |open| open.meet(&triplet, &policy, now))
            .await
    }

    async fn forget(&self, policy: &GreylistPolicy, now: Timestamp) -> Result<u64, StoreError> {
        let policy = *policy;
        self.with(move |open| open.forget(&policy, now)).await
    }
}

impl Open {
    fn new(path: &Path, most: u64) -> Result<Open, Fault> {
        let conn = Connection::open(path)?;
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        conn.pragma_update(None, "synchronous", "NORMAL")?;
        conn.busy_timeout(std::time::Duration::from_secs(5))?;
        conn.execute_batch(TABLES)?;
        let count: i64 = conn.query_row("SELECT count(*) FROM triplet", [], |r| r.get(0))?;
        Ok(Open {
            conn,
            count: count.cast_unsigned(),
            most,
        })
    }

    fn meet(
        &mut self,
        triplet: &Triplet,
        policy: &GreylistPolicy,
        now: Timestamp,
    ) -> Result<Greeting, Fault> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let known = self.seen(triplet)?;
        let judged = policy.judge(now, known, self.standing(&triplet.network)?);
        if let Some(seen) = judged.seen {
            self.remember(triplet, &seen)?;
            self.count += u64::from(known.is_none());
        }
        if let Some(standing) = judged.standing {
            let sql = "INSERT OR REPLACE INTO network (network, passed, last) VALUES (?1, ?2, ?3)";
            self.conn.prepare_cached(sql)?.execute(params![
                triplet.network,
                standing.passed,
                nanos(standing.last)
            ])?;
        }
        if self.count > self.most {
            self.make_room()?;
        }
        self.conn.execute_batch("COMMIT")?;
        Ok(judged.greeting)
    }

    fn seen(&self, triplet: &Triplet) -> Result<Option<Seen>, Fault> {
        let sql = "SELECT first, last, passed FROM triplet \
                   WHERE network = ?1 AND sender = ?2 AND recipient = ?3";
        let mut statement = self.conn.prepare_cached(sql)?;
        let key = params![triplet.network, triplet.sender, triplet.recipient];
        let row = statement.query_row(key, |row| {
            Ok(Seen {
                first: stamp(row.get(0)?),
                last: stamp(row.get(1)?),
                passed: row.get(2)?,
            })
        });
        Ok(row.optional()?)
    }

    fn standing(&self, network: &str) -> Result<Option<Standing>, Fault> {
        let sql = "SELECT passed, last FROM network WHERE network = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let row = statement.query_row([network], |row| {
            Ok(Standing {
                passed: row.get(0)?,
                last: stamp(row.get(1)?),
            })
        });
        Ok(row.optional()?)
    }

    fn remember(&self, triplet: &Triplet, seen: &Seen) -> Result<(), Fault> {
        let sql = "INSERT OR REPLACE INTO triplet \
                   (network, sender, recipient, first, last, passed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.conn.prepare_cached(sql)?.execute(params![
            triplet.network,
            triplet.sender,
            triplet.recipient,
            nanos(seen.first),
            nanos(seen.last),
            seen.passed,
        ])?;
        Ok(())
    }

    /// Strangers first, and of each kind those that were seen first longest ago.
    fn make_room(&mut self) -> Result<(), Fault> {
        let many = (self.most / 10).clamp(1, AT_ONCE);
        let sql = "DELETE FROM triplet WHERE (network, sender, recipient) IN \
                   (SELECT network, sender, recipient FROM triplet ORDER BY passed, first LIMIT ?1)";
        let gone = self.conn.execute(sql, [many.cast_signed()])?;
        self.count = self.count.saturating_sub(gone as u64);
        Ok(())
    }

    fn forget(&mut self, policy: &GreylistPolicy, now: Timestamp) -> Result<u64, Fault> {
        let before = |age: std::time::Duration| now.checked_sub(age).map_or(i64::MIN, nanos);
        let (strangers, known) = (before(policy.window), before(policy.keep));
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let mut gone = self.conn.execute(
            "DELETE FROM triplet WHERE (passed = 0 AND first < ?1) OR (passed = 1 AND last < ?2)",
            [strangers, known],
        )?;
        self.count = self.count.saturating_sub(gone as u64);
        gone += self
            .conn
            .execute("DELETE FROM network WHERE last < ?1", [known])?;
        self.conn.execute_batch("COMMIT")?;
        Ok(gone as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn triplet(number: u64) -> Triplet {
        Triplet {
            network: "192.0.2.0/24".to_owned(),
            sender: "a@example.com".to_owned(),
            recipient: format!("b{number}@example.org"),
        }
    }

    #[tokio::test]
    async fn who_came_before_is_known_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let policy = GreylistPolicy::default();
        let list = SqliteGreylist::open(dir.path()).unwrap();
        let first = list.meet(&triplet(1), &policy, at(0)).await.unwrap();
        assert_eq!(first, Greeting::Wait(policy.delay));
        drop(list);
        let list = SqliteGreylist::open(dir.path()).unwrap();
        let early = list.meet(&triplet(1), &policy, at(299)).await.unwrap();
        assert_eq!(early, Greeting::Wait(Duration::from_secs(1)));
        let back = list.meet(&triplet(1), &policy, at(300)).await.unwrap();
        assert_eq!(back, Greeting::Pass);
        assert_eq!(list.forget(&policy, at(301)).await.unwrap(), 0);
        let later = at(301 + 36 * 86_400);
        assert_eq!(list.forget(&policy, later).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn five_that_came_back_open_the_way_for_their_network() {
        let dir = tempfile::tempdir().unwrap();
        let policy = GreylistPolicy::default();
        let list = SqliteGreylist::open(dir.path()).unwrap();
        for number in 0..5 {
            list.meet(&triplet(number), &policy, at(0)).await.unwrap();
            let back = list.meet(&triplet(number), &policy, at(300)).await.unwrap();
            assert_eq!(back, Greeting::Pass);
        }
        let sixth = list.meet(&triplet(6), &policy, at(301)).await.unwrap();
        assert_eq!(sixth, Greeting::Pass);
    }

    #[test]
    fn a_flood_of_strangers_pushes_out_strangers_and_nobody_who_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let policy = GreylistPolicy {
            auto_allow: 0,
            ..GreylistPolicy::default()
        };
        let mut open = Open::new(&dir.path().join("g"), 100).unwrap();
        open.meet(&triplet(0), &policy, at(0)).unwrap();
        open.meet(&triplet(0), &policy, at(300)).unwrap();
        for number in 1..1_000 {
            open.meet(&triplet(number), &policy, at(301)).unwrap();
        }
        assert!(open.count <= 101, "{}", open.count);
        let rows: i64 = open
            .conn
            .query_row("SELECT count(*) FROM triplet", [], |r| r.get(0))
            .unwrap();
        assert_eq!(rows.cast_unsigned(), open.count);
        let known = open.meet(&triplet(0), &policy, at(302)).unwrap();
        assert_eq!(known, Greeting::Pass);
    }
}
