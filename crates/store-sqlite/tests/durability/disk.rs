//! A disk that notes what is done to it, and fails where it is told to.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use world::{Disk, DiskFile, DiskRead, RealDisk, Space};

#[derive(Default)]
pub(crate) struct Noted {
    done: Mutex<Vec<&'static str>>,
    failing: Mutex<Option<(&'static str, ErrorKind)>>,
}

impl Noted {
    /// From now on this call fails so.
    pub(crate) fn fail(&self, call: &'static str, kind: ErrorKind) {
        *self.failing.lock() = Some((call, kind));
    }

    /// What was done since the last question.
    pub(crate) fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.done.lock())
    }

    fn note(&self, call: &'static str) -> io::Result<()> {
        self.done.lock().push(call);
        match *self.failing.lock() {
            Some((failing, kind)) if failing == call => Err(kind.into()),
            _ => Ok(()),
        }
    }
}

pub(crate) struct NotedDisk(pub(crate) Arc<Noted>);

struct NotedFile {
    file: Box<dyn DiskFile>,
    noted: Arc<Noted>,
}

impl Write for NotedFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.noted.note("write")?;
        self.file.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DiskFile for NotedFile {
    fn sync(&mut self) -> io::Result<()> {
        self.noted.note("sync")?;
        self.file.sync()
    }
}

impl Disk for NotedDisk {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_dir_all(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.note("create")?;
        Ok(Box::new(NotedFile {
            file: RealDisk.create(path)?,
            noted: self.0.clone(),
        }))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.append(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealDisk.exists(path)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskRead>> {
        RealDisk.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.note("rename")?;
        RealDisk.rename(from, to)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.0.note("sync_dir")?;
        RealDisk.sync_dir(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.note("remove")?;
        RealDisk.remove(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        RealDisk.list(path)
    }

    fn free(&self, path: &Path) -> io::Result<Space> {
        RealDisk.free(path)
    }
}
