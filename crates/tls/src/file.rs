//! Files as they are read: whole, up to a size.

use std::path::Path;

use world::Disk;

use crate::identity::IdentityError;

/// The longest file that is read: a chain and its key have some KiB.
const MOST: u64 = 1 << 20;

pub(crate) fn read(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>, IdentityError> {
    let unreadable = |error: std::io::Error| IdentityError::Unreadable {
        path: path.to_owned(),
        reported: error.to_string(),
    };
    let file = disk.open(path).map_err(unreadable)?;
    let size = file.size().map_err(unreadable)?.min(MOST);
    let mut text = vec![0; usize::try_from(size).unwrap_or(0)];
    let mut filled = 0;
    while filled < text.len() {
        match file.read_at(filled as u64, &mut text[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) => return Err(unreadable(error)),
        }
    }
    text.truncate(filled);
    Ok(text)
}
