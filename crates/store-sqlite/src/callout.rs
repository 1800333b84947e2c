//! What next hops answered about recipients: a database of its own, `callout.db`, beside the queue's.
//!
//! Losing it costs a question and no mail, so that it is written without waiting for the disk.

use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;
use queue::{CalloutMemory, Remembered, StoreError};
use rusqlite::{OptionalExtension, params};

use crate::beside::Beside;
use crate::codec::{from_json, json, nanos};

const TABLE: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS answer (
    address TEXT NOT NULL,
    server  TEXT NOT NULL,
    until   INTEGER NOT NULL,
    answer  TEXT NOT NULL,
    PRIMARY KEY (address, server)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answer_until ON answer (until);
";
/// Answers kept: about 100 MB. Beyond it those go that would go first.
const MOST: u64 = 500_000;

/// The answers in a SQLite database.
#[derive(Clone, Debug)]
pub struct SqliteCallouts(Beside);

impl SqliteCallouts {
    /// Opens `callout.db` in a data directory that is there.
    pub fn open(dir: &Path) -> Result<SqliteCallouts, StoreError> {
        Beside::open(dir, "callout.db", TABLE).map(SqliteCallouts)
    }
}

#[async_trait]
impl CalloutMemory for SqliteCallouts {
    async fn recall(&self, address: &str, server: &str) -> Result<Option<Remembered>, StoreError> {
        let (address, server) = (address.to_owned(), server.to_owned());
        self.0
            .with(move |conn| {
                let select = "SELECT answer FROM answer WHERE address = ?1 AND server = ?2";
                let found: Option<String> = conn
                    .prepare_cached(select)?
                    .query_row([address, server], |row| row.get(0))
                    .optional()?;
                let read = |text: String| from_json("an answer of a next hop", &text);
                found.map(read).transpose()
            })
            .await
    }

    async fn keep(
        &self,
        address: &str,
        server: &str,
        answer: &Remembered,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let (address, server) = (address.to_owned(), server.to_owned());
        let answer = answer.clone();
        self.0
            .with(move |conn| {
                let insert = "INSERT OR REPLACE INTO answer (address, server, until, answer) \
                 VALUES (?1, ?2, ?3, ?4)";
                let row = params![address, server, nanos(until), json(&answer)?];
                conn.prepare_cached(insert)?.execute(row)?;
                Ok(())
            })
            .await
    }

    async fn forget(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.0
            .with(move |conn| {
                let gone = conn.execute("DELETE FROM answer WHERE until <= ?1", [nanos(now)])?;
                let beyond = "DELETE FROM answer WHERE (address, server) IN \
                 (SELECT address, server FROM answer ORDER BY until DESC LIMIT -1 OFFSET ?1)";
                let more = conn.execute(beyond, [MOST.cast_signed()])?;
                Ok((gone + more) as u64)
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smtp::Reply;

    #[tokio::test]
    async fn an_answer_is_known_after_a_restart_and_forgotten_in_its_time() {
        let dir = tempfile::tempdir().unwrap();
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let until = Timestamp::from_second(1_800_000_100).unwrap();
        let reply = Reply::parse("mx[192.0.2.1]:25", b"550 5.1.1 who?\r\n").unwrap();
        let refused = Remembered {
            at,
            refused: Some(reply),
        };
        let taken = Remembered { at, refused: None };
        let memory = SqliteCallouts::open(dir.path()).unwrap();
        memory
            .keep("a@x.example", "mx:x.example", &taken, until)
            .await
            .unwrap();
        memory
            .keep("a@x.example", "mx:x.example", &refused, until)
            .await
            .unwrap();
        drop(memory);
        let memory = SqliteCallouts::open(dir.path()).unwrap();
        let known = memory.recall("a@x.example", "mx:x.example").await.unwrap();
        assert_eq!(known, Some(refused));
        let other = memory.recall("a@x.example", "smtp://x:25").await.unwrap();
        assert_eq!(other, None, "another server may know another");
        assert_eq!(memory.forget(at).await.unwrap(), 0);
        assert_eq!(memory.forget(until).await.unwrap(), 1);
        assert_eq!(
            memory.recall("a@x.example", "mx:x.example").await.unwrap(),
            None
        );
    }
}
