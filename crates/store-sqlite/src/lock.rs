//! One process has the data directory.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use queue::StoreError;
use rustix::fs::{FlockOperation, flock};

use crate::error::io_error;

/// The lock on a data directory: `DIR/lock`, locked with flock(2) and holding the process's number.
/// The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub(crate) fn take(dir: &Path) -> Result<Lock, StoreError> {
        let path = dir.join("lock");
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = opened.map_err(|e| io_error("opening", &path, &e))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut text = String::new();
                // Without the number the message is poorer, not wrong.
                let _ = file.read_to_string(&mut text);
                let pid = text.trim().parse().ok();
                return Err(StoreError::InUse {
                    path: dir.to_owned(),
                    pid,
                });
            }
            Err(errno) => return Err(io_error("locking", &path, &errno.into())),
        }
        let noted = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}", std::process::id()));
        match noted {
            Err(e) if !crate::error::is_full(&e) => Err(io_error("writing", &path, &e)),
            // On a full disk the lock holds without the number.
            Ok(()) | Err(_) => Ok(Lock { _file: file }),
        }
    }
}
