//! From what SQLite and the system report to the typed errors of the store.

use std::io;
use std::path::Path;

use queue::StoreError;
use rusqlite::ffi;

/// What can go wrong within a request.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The request cannot be done, by the rules of the queue; the database is fine.
    Refused(StoreError),
    /// SQLite failed.
    Sqlite(rusqlite::Error),
    /// A row does not read as what it should be.
    Damaged(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        Fault::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        Fault::Refused(error)
    }
}

/// What a failure of SQLite means for the change that was being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gravity {
    /// No room: nothing was changed, and it may work later.
    Full,
    /// A write failed: perhaps for want of room, which the disk must tell.
    Write,
    /// A sync failed. What is on the disk cannot be told any more, not even by trying again:
    /// the system may have dropped the pages that it could not write.
    Sync,
    /// Anything else.
    Other,
}

impl Fault {
    pub(crate) fn gravity(&self) -> Gravity {
        let Fault::Sqlite(rusqlite::Error::SqliteFailure(error, _)) = self else {
            return Gravity::Other;
        };
        match error.extended_code {
            ffi::SQLITE_FULL => Gravity::Full,
            ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC => Gravity::Sync,
            ffi::SQLITE_IOERR_WRITE
            | ffi::SQLITE_IOERR_SHMSIZE
            | ffi::SQLITE_IOERR_SHMOPEN
            | ffi::SQLITE_CANTOPEN => Gravity::Write,
            _ => Gravity::Other,
        }
    }

    /// The error for the caller; `path` is the database.
    pub(crate) fn into_store(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        let full = self.gravity() == Gravity::Full;
        match self {
            Fault::Refused(error) => error,
            Fault::Sqlite(error) if full => StoreError::Full {
                path,
                reported: error.to_string(),
            },
            Fault::Sqlite(error) => StoreError::Database {
                path,
                reported: error.to_string(),
            },
            Fault::Damaged(reported) => StoreError::Database { path, reported },
        }
    }
}

/// Whether the system says that there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// The error for a failed call to the system.
pub(crate) fn io_error(doing: &'static str, path: &Path, error: &io::Error) -> StoreError {
    let (path, reported) = (path.to_owned(), error.to_string());
    if is_full(error) {
        StoreError::Full { path, reported }
    } else {
        StoreError::Io {
            doing,
            path,
            reported,
        }
    }
}
