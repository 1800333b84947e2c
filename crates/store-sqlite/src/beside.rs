//! A small database beside the queue's own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use queue::StoreError;
use rusqlite::Connection;

use crate::body::blocking;
use crate::error::Fault;

/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection, whose work is done off the runtime's threads.
#[derive(Clone)]
pub(crate) struct Beside {
    conn: Arc<Mutex<Connection>>,
    path: PathBuf,
}

impl std::fmt::Debug for Beside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Beside")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Beside {
    /// Opens a file in a data directory that is there, and makes its tables where they are not.
    pub(crate) fn open(dir: &Path, file: &str, tables: &str) -> Result<Beside, StoreError> {
        let path = dir.join(file);
        let open = || -> Result<Connection, Fault> {
            let conn = Connection::open(&path)?;
            conn.busy_timeout(PATIENCE)?;
            conn.execute_batch(tables)?;
            Ok(conn)
        };
        let conn = open().map_err(|fault| fault.into_store(&path))?;
        Ok(Beside {
            conn: Arc::new(Mutex::new(conn)),
            path,
        })
    }

    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (conn, path) = (self.conn.clone(), self.path.clone());
        blocking(move || work(&conn.lock()).map_err(|fault| fault.into_store(&path))).await
    }
}
