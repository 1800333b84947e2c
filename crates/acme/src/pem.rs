//! Files that nobody else may read, written as a whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use world::Disk;

/// Writes a file for nobody but us, in place of one that was there, so that a crash leaves the one or
/// the other. Blocks.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new: PathBuf = path.with_file_name(name);
    // A crash may have left one.
    if disk.exists(&new)? {
        disk.remove(&new)?;
    }
    let mut file = disk.create_private(&new)?;
    file.write_all(content)?;
    file.sync()?;
    drop(file);
    disk.rename(&new, path)?;
    match path.parent() {
        Some(directory) => disk.sync_dir(directory),
        None => Ok(()),
    }
}

/// Reads a small file; `None`: there is none. Blocks.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> io::Result<Option<Vec<u8>>> {
    if !disk.exists(path)? {
        return Ok(None);
    }
    let file = disk.open(path)?;
    let size = usize::try_from(file.size()?.min(1 << 20)).unwrap_or(0);
    let mut content = vec![0; size];
    let mut filled = 0;
    while let Some(rest) = content.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(filled as u64, rest)? {
            0 => break,
            length => filled += length,
        }
    }
    content.truncate(filled);
    Ok(Some(content))
}
