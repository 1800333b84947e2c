//! The one connection that writes, and what it remembers between requests.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use jiff::Timestamp;
use queue::{DestinationKey, Event, Lease, MessageId, StoreError};
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::codec::{json, nanos};
use crate::error::Fault;
use crate::schema;

/// A destination as the writer knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) id: i64,
    pub(crate) token: u64,
}

/// The database, for writing.
///
/// Nobody else writes, so what is kept here of the tables is true until a transaction is rolled back;
/// then all of it is forgotten.
pub(crate) struct Db {
    conn: Connection,
    path: PathBuf,
    destinations: HashMap<DestinationKey, Known>,
    /// Files of bodies that are of no more use once the transaction is committed.
    discarded: Vec<MessageId>,
    wal_pages: Arc<AtomicU32>,
    /// Bytes that free pages of the database hold, for whoever asks how much room there is.
    pub(crate) free_bytes: Arc<AtomicU64>,
}

impl Db {
    /// Opens or makes the database at `path`, or one in memory, and brings it to our format.
    pub(crate) fn open(path: Option<&Path>) -> Result<Db, StoreError> {
        let name = path.unwrap_or_else(|| Path::new(":memory:"));
        let conn = match path {
            Some(path) => Connection::open(path),
            None => Connection::open_in_memory(),
        };
        let fail = |fault: Fault| fault.into_store(name);
        let mut db = Db {
            conn: conn.map_err(|e| fail(e.into()))?,
            path: name.to_owned(),
            destinations: HashMap::new(),
            discarded: Vec::new(),
            wal_pages: Arc::default(),
            free_bytes: Arc::default(),
        };
        let found = schema::format_of(&db.conn).map_err(fail)?;
        if found > schema::FORMAT {
            let path = name.to_owned();
            return Err(StoreError::Newer {
                path,
                found,
                known: schema::FORMAT,
            });
        }
        db.prepare_connection().map_err(fail)?;
        schema::migrate(&db.conn).map_err(fail)?;
        Ok(db)
    }

    fn prepare_connection(&mut self) -> Result<(), Fault> {
        self.conn.pragma_update(None, "page_size", schema::PAGE)?;
        self.conn
            .query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        // FULL: each commit syncs the log, so what is confirmed survives a loss of power.
        self.conn.pragma_update(None, "synchronous", "FULL")?;
        self.conn.pragma_update(None, "temp_store", "MEMORY")?;
        self.conn.pragma_update(None, "cache_size", -65_536)?;
        self.conn.busy_timeout(std::time::Duration::from_secs(10))?;
        self.conn.set_prepared_statement_cache_capacity(64);
        // Checkpoints are made between batches, after the answers; this only counts.
        let pages = self.wal_pages.clone();
        let count = move |_: &mut Wal, n| {
            pages.store(u32::try_from(n).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        self.conn.wal_hook(Some(count))?;
        Ok(())
    }

    pub(crate) fn conn(&self) -> &Connection {
        &self.conn
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn statement(&self, sql: &str) -> Result<CachedStatement<'_>, Fault> {
        Ok(self.conn.prepare_cached(sql)?)
    }

    // ---- transactions ----

    pub(crate) fn begin(&self) -> Result<(), Fault> {
        self.statement("BEGIN IMMEDIATE")?.execute([])?;
        Ok(())
    }

    pub(crate) fn commit(&self) -> Result<(), Fault> {
        self.statement("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Undoes what was done since [`begin`](Db::begin), and forgets what was remembered.
    pub(crate) fn rollback(&mut self) {
        self.destinations.clear();
        self.discarded.clear();
        // After some failures SQLite has rolled back by itself.
        if !self.conn.is_autocommit()
            && let Err(error) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, database = %self.path.display(), "a transaction cannot be undone");
        }
    }

    /// Pages in the write-ahead log after the last commit.
    pub(crate) fn wal_pages(&self) -> u32 {
        self.wal_pages.load(Ordering::Relaxed)
    }

    /// Moves the log into the database. With `truncate` the log's room is given back to the disk.
    pub(crate) fn checkpoint(&self, truncate: bool) -> Result<(), Fault> {
        let mode = if truncate {
            CheckpointMode::TRUNCATE
        } else {
            CheckpointMode::PASSIVE
        };
        let (log, done) = self.conn.wal_checkpoint_v2(None::<&str>, mode)?;
        if log == done {
            self.wal_pages.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Counts the free pages anew.
    pub(crate) fn count_free(&self) -> Result<u64, Fault> {
        let pages: i64 = self
            .statement("PRAGMA freelist_count")?
            .query_row([], |r| r.get(0))?;
        let bytes = pages.cast_unsigned() * u64::from(schema::PAGE);
        self.free_bytes.store(bytes, Ordering::Relaxed);
        Ok(bytes)
    }

    /// The files to remove now that the transaction is committed.
    pub(crate) fn take_discarded(&mut self) -> Vec<MessageId> {
        std::mem::take(&mut self.discarded)
    }

    pub(crate) fn discard_file(&mut self, id: MessageId) {
        self.discarded.push(id);
    }

    // ---- destinations and leases ----

    /// The destination's row, made if there is none.
    pub(crate) fn destination(&mut self, key: &DestinationKey) -> Result<Known, Fault> {
        if let Some(known) = self.known(key)? {
            return Ok(known);
        }
        let insert = "INSERT INTO destination (key, token, failures, paused) VALUES (?1, 0, 0, 0)";
        self.statement(insert)?.execute([key.as_str()])?;
        let known = Known {
            id: self.conn.last_insert_rowid(),
            token: 0,
        };
        self.destinations.insert(key.clone(), known);
        Ok(known)
    }

    /// The destination's row, if there is one.
    pub(crate) fn known(&mut self, key: &DestinationKey) -> Result<Option<Known>, Fault> {
        if let Some(known) = self.destinations.get(key) {
            return Ok(Some(*known));
        }
        let found = self
            .statement("SELECT id, token FROM destination WHERE key = ?1")?
            .query_row([key.as_str()], |row| {
                Ok(Known {
                    id: row.get(0)?,
                    token: row.get::<_, i64>(1)?.cast_unsigned(),
                })
            })
            .optional()?;
        if let Some(known) = found {
            self.destinations.insert(key.clone(), known);
        }
        Ok(found)
    }

    /// Takes the lease of a destination.
    pub(crate) fn lease(&mut self, key: &DestinationKey) -> Result<Lease, Fault> {
        let Known { id, token } = self.destination(key)?;
        let token = token + 1;
        self.statement("UPDATE destination SET token = ?2 WHERE id = ?1")?
            .execute(params![id, token.cast_signed()])?;
        self.destinations.insert(key.clone(), Known { id, token });
        Ok(Lease {
            destination: key.clone(),
            token,
        })
    }

    /// Lets only the newest lease of a destination pass; answers the destination's row.
    pub(crate) fn fence(&mut self, lease: &Lease) -> Result<i64, Fault> {
        match self.known(&lease.destination)? {
            Some(Known { id, token }) if token == lease.token => Ok(id),
            Some(_) | None => Err(StoreError::Fenced {
                destination: lease.destination.clone(),
            }
            .into()),
        }
    }

    // ---- events ----

    pub(crate) fn write_event(&mut self, event: &Event) -> Result<(), Fault> {
        let destination = match &event.destination {
            Some(key) => Some(self.destination(key)?.id),
            None => None,
        };
        let insert = "INSERT INTO event (at, message, recipient, destination, kind) \
                      VALUES (?1, ?2, ?3, ?4, ?5)";
        self.statement(insert)?.execute(params![
            nanos(event.at),
            event.message.as_ref().map(MessageId::as_bytes),
            event.recipient,
            destination,
            json(&event.kind)?,
        ])?;
        Ok(())
    }

    /// If all recipients of a message are final, its content goes, and the end is noted.
    pub(crate) fn end_if_final(&mut self, id: MessageId, at: Timestamp) -> Result<(), Fault> {
        let open: bool = self
            .statement("SELECT EXISTS (SELECT 1 FROM recipient WHERE message = ?1 AND state < 3)")?
            .query_row([id.as_bytes()], |row| row.get(0))?;
        if open {
            return Ok(());
        }
        let place: i64 = self
            .statement(
                "UPDATE message SET body = NULL, ended_at = ?2 WHERE id = ?1 RETURNING place",
            )?
            .query_row(params![id.as_bytes(), nanos(at)], |row| row.get(0))?;
        if place == crate::codec::place::FILE {
            self.discard_file(id);
        }
        Ok(())
    }
}
