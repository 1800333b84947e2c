//! The data directory: opening the store and cleaning up what a crash left.

use std::path::Path;

use queue::StoreError;
use world::{Disk, World};

use crate::body::Bodies;
use crate::db::Db;
use crate::error::io_error;
use crate::list::names_file;
use crate::lock::Lock;
use crate::readers::Readers;
use crate::room::Room;
use crate::store::{Seat, SqliteStore};
use crate::writer::Writer;

/// The database in a data directory.
const DATABASE: &str = "queue.db";

impl SqliteStore {
    /// Opens the store in a data directory, which is made if there is none, and takes its lock.
    /// Files of bodies that no message names are removed.
    pub fn open(dir: &Path, world: &World) -> Result<SqliteStore, StoreError> {
        let disk = world.disk.clone();
        make_private(dir, &*disk)?;
        let lock = Lock::take(dir)?;
        let path = dir.join(DATABASE);
        let db = Db::open(Some(&path))?;
        let bodies = Bodies::new(disk.clone(), dir.join("bodies"));
        let named = |id| names_file(db.conn(), id).map_err(|fault| fault.into_store(&path));
        let removed = bodies.remove_orphans(named)?;
        if removed > 0 {
            tracing::info!(
                removed,
                "content that was never accepted, or no longer needed, is removed"
            );
        }
        let free_bytes = db.free_bytes.clone();
        let readers = Readers::open(&path)?;
        let room = Room::new(disk, dir, bodies.clone());
        let writer =
            Writer::start(db, room).map_err(|e| io_error("starting the writer of", &path, &e))?;
        let seat = Seat::Threads {
            writer,
            readers,
            free_bytes,
            _lock: lock,
        };
        Ok(SqliteStore::new(seat, world, dir, Some(bodies)))
    }

    /// A store in memory that does everything on the calling task, without threads: under a virtual
    /// clock each run is like the other.
    pub fn open_in_memory(world: &World) -> Result<SqliteStore, StoreError> {
        let seat = Seat::Inline(parking_lot::Mutex::new(Db::open(None)?));
        Ok(SqliteStore::new(seat, world, Path::new(":memory:"), None))
    }

    /// Opens a data directory for reading, also while a server has it: lists, stories and contents.
    /// Everything else answers [`StoreError::ReadOnly`].
    pub fn open_reader(dir: &Path) -> Result<SqliteStore, StoreError> {
        let path = dir.join(DATABASE);
        if let Err(error) = std::fs::metadata(&path) {
            return Err(io_error("opening", &path, &error));
        }
        let seat = Seat::Reader(Readers::open(&path)?);
        let world = World::real();
        let bodies = Bodies::new(world.disk.clone(), dir.join("bodies"));
        Ok(SqliteStore::new(seat, &world, dir, Some(bodies)))
    }
}

/// Makes the directory, for this user only: it holds other people's mail. A new one has its name made
/// durable, so that a loss of power does not take the queue with it.
fn make_private(dir: &Path, disk: &dyn Disk) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt;
    if dir.is_dir() {
        return Ok(());
    }
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir);
    let above = match dir.parent() {
        Some(above) if above != Path::new("") => above,
        Some(_) | None => Path::new("."),
    };
    made.and_then(|()| disk.sync_dir(above))
        .map_err(|e| io_error("making the directory", dir, &e))
}
