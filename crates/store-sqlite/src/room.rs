//! Room on the disk: how much is kept back so that what is in hand can still be recorded.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use queue::{MessageId, StoreError};
use world::Disk;

use crate::body::Bodies;
use crate::db::Db;
use crate::error::{Fault, Gravity, io_error, is_full};
use crate::schema::PAGE;

/// Below this much room no new mail is taken: what is in the queue must still be recorded, and the
/// room comes back only through records.
pub(crate) const RESERVE: u64 = 3 << 20;
/// The least the log needs on the disk itself, even where the database has free pages inside.
const FLOOR: u64 = 2 << 20;
/// With more room than this, the log may grow to its full size.
const PLENTY: u64 = 256 << 20;
/// Pages of the log after which they are moved into the database.
const WAL_PAGES: u32 = 16_384;
/// The same while room is short.
const WAL_PAGES_SHORT: u32 = 64;

/// How far the log's file is extended at once, ahead of what is written to it.
const AHEAD: u64 = 4 << 20;
/// Bytes of the log per page: the page and its header.
const FRAME: u64 = PAGE as u64 + 24;

/// Watches the room on the disk for the writer.
pub(crate) struct Room {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    bodies: Arc<Bodies>,
    free: u64,
    log: Option<File>,
}

impl Room {
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: &Path, bodies: Arc<Bodies>) -> Room {
        Room {
            disk,
            dir: dir.to_owned(),
            bodies,
            free: u64::MAX,
            log: None,
        }
    }

    /// Why no new mail is taken now, if there is a reason.
    pub(crate) fn refusal(&mut self, db: &Db) -> Option<StoreError> {
        // A disk that cannot say how much is free will say so when it is written to.
        self.free = self
            .disk
            .free(&self.dir)
            .map_or(u64::MAX, |space| space.bytes);
        if self.free >= RESERVE {
            return None;
        }
        let inside = db.count_free().unwrap_or(0);
        if self.free >= FLOOR && self.free.saturating_add(inside) >= RESERVE {
            return None;
        }
        let reported = format!(
            "{} bytes are free and {inside} in the database; {RESERVE} are kept back to record \
             what is being delivered",
            self.free
        );
        Some(StoreError::Full {
            path: self.dir.clone(),
            reported,
        })
    }

    /// How long the log may get before it is moved into the database.
    pub(crate) fn wal_limit(&self) -> u32 {
        if self.free < 4 * RESERVE {
            return WAL_PAGES_SHORT;
        }
        if self.free >= PLENTY {
            return WAL_PAGES;
        }
        u32::try_from(self.free / 8 / u64::from(PAGE)).unwrap_or(WAL_PAGES)
    }

    /// Extends the log's file with zeros ahead of what the next commits write. A sync after writing
    /// within a file costs a third of one that makes it grow, since the file system's own journal
    /// has nothing to note. SQLite takes what follows the last valid frame for no part of the log.
    pub(crate) fn extend_log(&mut self, database: &Path, pages: u32) {
        if self.free < PLENTY {
            return;
        }
        if let Err(error) = self.try_extend(database, u64::from(pages) * FRAME) {
            tracing::debug!(%error, "the log's file cannot be extended ahead");
        }
    }

    fn try_extend(&mut self, database: &Path, used: u64) -> std::io::Result<()> {
        let log = match &mut self.log {
            Some(log) => log,
            None => {
                let mut path = database.to_owned().into_os_string();
                path.push("-wal");
                self.log.insert(OpenOptions::new().write(true).open(path)?)
            }
        };
        let size = log.metadata()?.len();
        if used == 0 || used + AHEAD / 4 < size || size >= u64::from(WAL_PAGES) * FRAME {
            return Ok(());
        }
        log.write_all_at(&vec![0; AHEAD as usize], size)
    }

    /// The error for a transaction that failed. A write that failed without saying why may have
    /// lacked room or quota: the disk is asked.
    pub(crate) fn name(&self, fault: Fault, database: &Path) -> StoreError {
        if fault.gravity() == Gravity::Write
            && let Err(error) = self.probe()
            && is_full(&error)
        {
            return io_error("writing", database, &error);
        }
        fault.into_store(database)
    }

    fn probe(&self) -> std::io::Result<()> {
        let path = self.dir.join("probe");
        let written = self.disk.create(&path).and_then(|mut file| {
            std::io::Write::write_all(&mut file, &[0; 64 << 10])?;
            file.sync()
        });
        // It may not have come into being.
        let _ = self.disk.remove(&path);
        written
    }

    /// Removes the file of a body that is of no more use.
    pub(crate) fn remove_body(&self, id: MessageId) {
        self.bodies.remove(id);
    }
}
