//! Addresses to which nothing is sent: a database of its own, `suppression.db`, beside the queue's, so
//! that the command line can change it while the relay runs. Each change is synced.

use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;
use queue::{StoreError, Suppressed, SuppressionReason, Suppressions, suppression_key};
use rusqlite::{OptionalExtension, params};
use smtp::Address;

use crate::beside::Beside;
use crate::codec::{from_json, json, nanos};
use crate::error::Fault;

const TABLE: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS suppression (
    address TEXT PRIMARY KEY NOT NULL,
    by_hand INTEGER NOT NULL,
    until   INTEGER,
    entry   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The list in a SQLite database.
#[derive(Clone, Debug)]
pub struct SqliteSuppressions(Beside);

impl SqliteSuppressions {
    /// Opens `suppression.db` in a data directory that is there.
    pub fn open(dir: &Path) -> Result<SqliteSuppressions, StoreError> {
        Beside::open(dir, "suppression.db", TABLE).map(SqliteSuppressions)
    }
}

fn entry(text: &str) -> Result<Suppressed, Fault> {
    from_json("an address of the suppression list", text)
}

#[async_trait]
impl Suppressions for SqliteSuppressions {
    async fn suppress(&self, entry: Suppressed) -> Result<(), StoreError> {
        self.0
            .with(move |conn| {
                let by_hand = matches!(entry.reason, SuppressionReason::Administrator { .. });
                // What the administrator said outlives what a failure says.
                let insert = "INSERT INTO suppression (address, by_hand, until, entry) \
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT (address) DO UPDATE \
                 SET by_hand = excluded.by_hand, until = excluded.until, entry = excluded.entry \
                 WHERE excluded.by_hand >= by_hand";
                conn.prepare_cached(insert)?.execute(params![
                    entry.address,
                    by_hand,
                    entry.until.map(nanos),
                    json(&entry)?,
                ])?;
                Ok(())
            })
            .await
    }

    async fn release(&self, address: &Address) -> Result<bool, StoreError> {
        let key = suppression_key(address);
        self.0
            .with(move |conn| {
                let delete = "DELETE FROM suppression WHERE address = ?1";
                Ok(conn.prepare_cached(delete)?.execute([key])? > 0)
            })
            .await
    }

    async fn suppressed(
        &self,
        address: &Address,
        now: Timestamp,
    ) -> Result<Option<Suppressed>, StoreError> {
        let key = suppression_key(address);
        self.0
            .with(move |conn| {
                let select = "SELECT entry FROM suppression \
                 WHERE address = ?1 AND (until IS NULL OR until > ?2)";
                let found: Option<String> = conn
                    .prepare_cached(select)?
                    .query_row(params![key, nanos(now)], |row| row.get(0))
                    .optional()?;
                found.as_deref().map(entry).transpose()
            })
            .await
    }

    async fn all(&self, now: Timestamp) -> Result<Vec<Suppressed>, StoreError> {
        self.0
            .with(move |conn| {
                conn.prepare_cached("DELETE FROM suppression WHERE until <= ?1")?
                    .execute([nanos(now)])?;
                let select = "SELECT entry FROM suppression ORDER BY address";
                let mut statement = conn.prepare_cached(select)?;
                let mut rows = statement.query([])?;
                let mut all = Vec::new();
                while let Some(row) = rows.next()? {
                    all.push(entry(&row.get::<_, String>(0)?)?);
                }
                Ok(all)
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use diagnosis::Cause;
    use queue::{MessageId, SuppressionSource};

    fn failed(address: &str, until: Option<Timestamp>) -> Suppressed {
        Suppressed {
            address: address.to_owned(),
            reason: SuppressionReason::Failed {
                cause: Cause::MailboxUnknown,
                message: MessageId::from_bytes([1; 16]),
                source: SuppressionSource::Delivery,
                report: None,
                words: None,
            },
            since: "2026-01-01T00:00:00Z".parse().unwrap(),
            until,
        }
    }

    fn by_hand(address: &str) -> Suppressed {
        let note = "asked us to stop".to_owned();
        Suppressed {
            reason: SuppressionReason::Administrator { note },
            ..failed(address, None)
        }
    }

    #[tokio::test]
    async fn what_is_on_the_list_outlives_a_restart_and_expires() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-01-02T00:00:00Z".parse().unwrap();
        let until = now + Duration::from_secs(3_600);
        let list = SqliteSuppressions::open(dir.path()).unwrap();
        let address: Address = "bert@EXAMPLE.org".parse().unwrap();
        list.suppress(failed("bert@example.org", Some(until)))
            .await
            .unwrap();
        drop(list);
        let list = SqliteSuppressions::open(dir.path()).unwrap();
        assert_eq!(
            list.suppressed(&address, now).await.unwrap(),
            Some(failed("bert@example.org", Some(until)))
        );
        assert_eq!(list.suppressed(&address, until).await.unwrap(), None);
        assert_eq!(list.all(until).await.unwrap(), []);
    }

    #[tokio::test]
    async fn what_the_administrator_says_outweighs_a_failure_and_is_taken_back_by_him() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-01-02T00:00:00Z".parse().unwrap();
        let list = SqliteSuppressions::open(dir.path()).unwrap();
        let beside = SqliteSuppressions::open(dir.path()).unwrap();
        beside
            .suppress(failed("a@example.org", Some(now)))
            .await
            .unwrap();
        beside.suppress(by_hand("a@example.org")).await.unwrap();
        list.suppress(failed("a@example.org", None)).await.unwrap();
        assert_eq!(list.all(now).await.unwrap(), [by_hand("a@example.org")]);
        let address: Address = "a@example.org".parse().unwrap();
        assert!(beside.release(&address).await.unwrap());
        assert!(!beside.release(&address).await.unwrap());
        assert_eq!(list.suppressed(&address, now).await.unwrap(), None);
    }
}
