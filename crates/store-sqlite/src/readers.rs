//! Connections that read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use queue::StoreError;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use crate::body::blocking;
use crate::error::Fault;
use crate::schema;

/// Most readings at the same time.
const MOST: usize = 8;
/// Connections kept open.
const KEPT: usize = 4;

/// A pool of connections that read, each used by one reading at a time off the async threads.
#[derive(Clone)]
pub(crate) struct Readers(Arc<Pool>);

struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    turns: Semaphore,
}

impl Readers {
    /// Reads the database at `path`, which must exist and have our format.
    pub(crate) fn open(path: &Path) -> Result<Readers, StoreError> {
        let conn = connect(path).map_err(|fault| fault.into_store(path))?;
        let found = schema::format_of(&conn).map_err(|fault| fault.into_store(path))?;
        let path = path.to_owned();
        if found > schema::FORMAT {
            return Err(StoreError::Newer {
                path,
                found,
                known: schema::FORMAT,
            });
        }
        if found < schema::FORMAT {
            let reported = format!("has format {found}; start the server to bring it up to date");
            return Err(StoreError::Database { path, reported });
        }
        let (idle, turns) = (Mutex::new(vec![conn]), Semaphore::new(MOST));
        Ok(Readers(Arc::new(Pool { path, idle, turns })))
    }

    pub(crate) async fn call<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        // The semaphore is never closed.
        let _turn = self
            .0
            .turns
            .acquire()
            .await
            .map_err(|_| StoreError::Uncertain)?;
        let pool = self.0.clone();
        blocking(move || pool.read(read)).await
    }
}

impl Pool {
    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        let fail = |fault: Fault| fault.into_store(&self.path);
        let idle = self.idle.lock().pop();
        let conn = match idle {
            Some(conn) => conn,
            None => connect(&self.path).map_err(fail)?,
        };
        let answer = read(&conn).map_err(fail);
        let mut idle = self.idle.lock();
        if idle.len() < KEPT {
            idle.push(conn);
        }
        answer
    }
}

fn connect(path: &Path) -> Result<Connection, Fault> {
    // Reading a log that a crash left behind needs to write its index: hence no READ_ONLY, unless
    // we may not.
    let common = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = match Connection::open_with_flags(path, common | OpenFlags::SQLITE_OPEN_READ_WRITE) {
        Ok(conn) => conn,
        Err(_) => Connection::open_with_flags(path, common | OpenFlags::SQLITE_OPEN_READ_ONLY)?,
    };
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cache_size", -8_192)?;
    conn.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(conn)
}
