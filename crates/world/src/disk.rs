//! The disk: files that hold large message bodies.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

/// Room on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes that may still be written.
    pub bytes: u64,
    /// Files that may still be made.
    pub inodes: u64,
}

/// Whether a file has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    /// Nanoseconds since 1970.
    pub modified: i128,
    /// Bytes.
    pub size: u64,
}

/// A file being written.
pub trait DiskFile: Write + Send {
    /// Makes everything written so far survive a loss of power.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file being read.
pub trait DiskRead: Send + Sync {
    /// Reads up to `buf.len()` bytes at `offset`; 0 only at the end.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;
    /// Size in bytes.
    fn size(&self) -> io::Result<u64>;
}

/// A file system. Calls block.
pub trait Disk: Send + Sync {
    /// Makes a directory and those above it.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Makes a new file for writing; an existing one is an error.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Makes a directory and those above it, for nobody but us.
    fn create_private_dirs(&self, path: &Path) -> io::Result<()> {
        self.create_dir_all(path)
    }
    /// Makes a new file for writing, for nobody but us; an existing one is an error.
    fn create_private(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.create(path)
    }
    /// What tells whether a file has changed: when it was last written, as the file system counts,
    /// and its size.
    fn stamp(&self, path: &Path) -> io::Result<FileStamp> {
        let size = self.open(path)?.size()?;
        Ok(FileStamp { modified: 0, size })
    }
    /// Whether others than its owner may read a file, or could change it.
    fn others_may_read(&self, path: &Path) -> io::Result<bool> {
        self.open(path).map(|_| false)
    }
    /// Opens an existing file for writing at its end; what one call writes stays together.
    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Whether there is something by this name.
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskRead>>;
    /// Renames a file; an existing target is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes the names in a directory survive a loss of power.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The files and directories in a directory.
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>>;
    /// Room left where `path` is.
    fn free(&self, path: &Path) -> io::Result<Space>;
}

/// The machine's own disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

struct RealFile(std::fs::File);

impl Write for RealFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl DiskFile for RealFile {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

impl DiskRead for RealFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.0, buf, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

impl Disk for RealDisk {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn create_private_dirs(&self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
    }

    fn create_private(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let mut options = std::fs::OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn stamp(&self, path: &Path) -> io::Result<FileStamp> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::metadata(path)?;
        Ok(FileStamp {
            modified: i128::from(metadata.mtime()) * 1_000_000_000
                + i128::from(metadata.mtime_nsec()),
            size: metadata.len(),
        })
    }

    fn others_may_read(&self, path: &Path) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt as _;
        Ok(std::fs::metadata(path)?.mode() & 0o077 != 0)
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = std::fs::OpenOptions::new().append(true).open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        match std::fs::symlink_metadata(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskRead>> {
        Ok(Box::new(RealFile(std::fs::File::open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        std::fs::File::open(path)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        std::fs::read_dir(path)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    }

    fn free(&self, path: &Path) -> io::Result<Space> {
        let stat = statvfs(path)?;
        Ok(Space {
            bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
            // File systems that make inodes as they need them (btrfs) say that they have none at all.
            inodes: match stat.f_files {
                0 => u64::MAX,
                _ => stat.f_favail,
            },
        })
    }
}
