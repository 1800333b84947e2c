//! The content of messages: small in the database, large in files `bodies/xx/ID`.
//!
//! A file is written under another name, synced, renamed, and its directory synced, all before the
//! row that names it is committed. A file without a row is removed when the store is opened.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use queue::{BodySource, MessageId, StoreError};
use world::{Disk, DiskRead};

use crate::error::io_error;

/// Content up to this size lies in the database.
pub(crate) const INLINE: usize = 64 << 10;

/// The directory of body files.
pub(crate) struct Bodies {
    pub(crate) disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// Subdirectories known to exist durably.
    made: Mutex<HashSet<PathBuf>>,
    /// Finished files that no row names yet.
    staged: Mutex<HashMap<MessageId, Weak<BodyFile>>>,
}

impl Bodies {
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: PathBuf) -> Arc<Bodies> {
        Arc::new(Bodies {
            disk,
            dir,
            made: Mutex::default(),
            staged: Mutex::default(),
        })
    }

    fn subdirectory(&self, id: MessageId) -> PathBuf {
        let name = id.to_string();
        // The last letters are random; the first ones tell the time.
        self.dir.join(name.get(name.len() - 2..).unwrap_or("00"))
    }

    pub(crate) fn path(&self, id: MessageId) -> PathBuf {
        self.subdirectory(id).join(id.to_string())
    }

    fn incoming(&self) -> PathBuf {
        self.dir.join("incoming")
    }

    /// Where the content of a message is written at first. Blocks.
    pub(crate) fn begin(&self, id: MessageId) -> Result<PathBuf, StoreError> {
        self.make(&self.incoming())?;
        Ok(self.incoming().join(id.to_string()))
    }

    fn make(&self, directory: &Path) -> Result<(), StoreError> {
        if self.made.lock().contains(directory) {
            return Ok(());
        }
        // What is made has its name in `bodies`, and `bodies` has its own in the data directory.
        let above = self.dir.parent().unwrap_or(Path::new("."));
        let made = self
            .disk
            .create_dir_all(directory)
            .and_then(|()| self.disk.sync_dir(&self.dir))
            .and_then(|()| self.disk.sync_dir(above));
        made.map_err(|e| io_error("making the directory", directory, &e))?;
        self.made.lock().insert(directory.to_owned());
        Ok(())
    }

    /// Gives a synced file its final name, durably. Blocks.
    pub(crate) fn settle(
        self: &Arc<Self>,
        id: MessageId,
        from: &Path,
        size: u64,
    ) -> Result<Arc<BodyFile>, StoreError> {
        let (directory, path) = (self.subdirectory(id), self.path(id));
        self.make(&directory)?;
        let fail = |e: io::Error| io_error("naming", &path, &e);
        self.disk.rename(from, &path).map_err(fail)?;
        let file = Arc::new(BodyFile::new(self.clone(), id, size, false));
        self.disk.sync_dir(&directory).map_err(fail)?;
        self.staged.lock().insert(id, Arc::downgrade(&file));
        Ok(file)
    }

    /// The file of a message in the store.
    pub(crate) fn kept(self: &Arc<Self>, id: MessageId, size: u64) -> Arc<BodyFile> {
        Arc::new(BodyFile::new(self.clone(), id, size, true))
    }

    /// The file that waits for a row of this message.
    pub(crate) fn staged(&self, id: MessageId) -> Option<Arc<BodyFile>> {
        self.staged.lock().get(&id).and_then(Weak::upgrade)
    }

    /// Removes a body's file. Blocks.
    pub(crate) fn remove(&self, id: MessageId) {
        let path = self.path(id);
        if let Err(error) = self.disk.remove(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "a body's file cannot be removed");
        }
    }

    /// Removes every file that `is_named` does not know, and what was being written; answers how
    /// many went. Blocks.
    pub(crate) fn remove_orphans(
        &self,
        mut is_named: impl FnMut(MessageId) -> Result<bool, StoreError>,
    ) -> Result<u64, StoreError> {
        let mut removed = 0;
        for directory in self.list(&self.dir)? {
            let incoming = directory == self.incoming();
            for path in self.list(&directory)? {
                let id = path
                    .file_name()
                    .and_then(|n| n.to_str())
                    .and_then(|n| n.parse().ok());
                let named = match id {
                    Some(id) if !incoming => is_named(id)?,
                    Some(_) => false,
                    // Not ours.
                    None => continue,
                };
                if !named {
                    self.disk
                        .remove(&path)
                        .map_err(|e| io_error("removing", &path, &e))?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    fn list(&self, path: &Path) -> Result<Vec<PathBuf>, StoreError> {
        match self.disk.list(path) {
            Ok(found) => Ok(found),
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(Vec::new())
            }
            Err(e) => Err(io_error("listing", path, &e)),
        }
    }
}

/// The file of one body. Removed with the last reference unless a row names it.
pub(crate) struct BodyFile {
    bodies: Arc<Bodies>,
    id: MessageId,
    size: u64,
    kept: AtomicBool,
    open: OnceLock<Box<dyn DiskRead>>,
}

impl BodyFile {
    fn new(bodies: Arc<Bodies>, id: MessageId, size: u64, kept: bool) -> BodyFile {
        BodyFile {
            bodies,
            id,
            size,
            kept: AtomicBool::new(kept),
            open: OnceLock::new(),
        }
    }

    /// Size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// A row names the file, or no longer does.
    pub(crate) fn keep(&self, kept: bool) {
        self.kept.store(kept, Ordering::Release);
        if kept {
            self.bodies.staged.lock().remove(&self.id);
        }
    }

    /// Blocks.
    fn read(&self, offset: u64, length: usize) -> Result<Bytes, StoreError> {
        let path = self.bodies.path(self.id);
        let fail = |e: io::Error| io_error("reading", &path, &e);
        let file = match self.open.get() {
            Some(file) => file,
            None => {
                let opened = self.bodies.disk.open(&path).map_err(fail)?;
                self.open.get_or_init(|| opened)
            }
        };
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut buf = vec![0; length.min(left)];
        let mut filled = 0;
        while filled < buf.len() {
            match file
                .read_at(offset + filled as u64, &mut buf[filled..])
                .map_err(fail)?
            {
                0 => return Err(fail(io::ErrorKind::UnexpectedEof.into())),
                n => filled += n,
            }
        }
        Ok(buf.into())
    }
}

impl Drop for BodyFile {
    fn drop(&mut self) {
        if !*self.kept.get_mut() {
            self.bodies.staged.lock().remove(&self.id);
            self.bodies.remove(self.id);
        }
    }
}

/// A body's file as the roles see it.
#[derive(Clone)]
pub(crate) struct FileBody(pub(crate) Arc<BodyFile>);

impl std::fmt::Debug for FileBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileBody")
            .field("path", &self.path())
            .field("size", &self.0.size)
            .finish()
    }
}

#[async_trait]
impl BodySource for FileBody {
    fn size(&self) -> u64 {
        self.0.size
    }

    fn path(&self) -> PathBuf {
        self.0.bodies.path(self.0.id)
    }

    async fn read(&self, offset: u64, length: usize) -> Result<Bytes, StoreError> {
        let file = self.0.clone();
        blocking(move || file.read(offset, length)).await
    }
}

/// Runs what blocks off the threads that serve sessions.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    // Only a panic, or a runtime that shuts down, keeps the work from ending.
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(StoreError::Uncertain))
}
