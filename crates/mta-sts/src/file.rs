//! Policies on disk: one file for each domain.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use world::{Disk, DiskRead};

use crate::{Held, Policy};

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    domain: String,
    id: String,
    fetched: Timestamp,
    lines: Vec<String>,
}

/// Of a file, so much is read: a policy is at most 64 KiB, and JSON escapes some of it.
const LARGEST: u64 = 1 << 20;

/// The file of a domain; `None`: its name cannot be that of a file.
pub(crate) fn path(directory: &Path, domain: &str) -> Option<PathBuf> {
    let label = |label: &str| {
        let plain =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        !label.is_empty() && label.bytes().all(plain)
    };
    // With its ending the name must fit a file system.
    let fits = domain.len() <= 240 && domain.split('.').all(label);
    fits.then(|| directory.join(format!("{domain}.json")))
}

/// What is kept of a domain; `Ok(None)`: nothing.
pub(crate) fn read(disk: &dyn Disk, path: &Path, domain: &str) -> io::Result<Option<Held>> {
    if !disk.exists(path)? {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    Reading(&*disk.open(path)?, 0)
        .take(LARGEST)
        .read_to_end(&mut bytes)?;
    let kept: Kept = serde_json::from_slice(&bytes)?;
    if kept.domain != domain {
        return Err(io::Error::other(format!("it is of {}", kept.domain)));
    }
    let policy = Policy::parse(kept.lines.join("\n").as_bytes()).map_err(io::Error::other)?;
    Ok(Some(Held {
        id: kept.id,
        fetched: kept.fetched,
        policy,
    }))
}

/// Keeps a policy: after this it survives a loss of power.
pub(crate) fn write(disk: &dyn Disk, path: &Path, domain: &str, held: &Held) -> io::Result<()> {
    let kept = Kept {
        domain: domain.to_owned(),
        id: held.id.clone(),
        fetched: held.fetched,
        lines: held.policy.lines.clone(),
    };
    let beside = path.with_extension("new");
    if disk.exists(&beside)? {
        // A crash left it.
        disk.remove(&beside)?;
    }
    let mut file = disk.create_private(&beside)?;
    file.write_all(&serde_json::to_vec(&kept)?)?;
    file.sync()?;
    disk.rename(&beside, path)?;
    match path.parent() {
        Some(directory) => disk.sync_dir(directory),
        None => Ok(()),
    }
}

struct Reading<'a>(&'a dyn DiskRead, u64);

impl Read for Reading<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read_at(self.1, buf)?;
        self.1 += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_domain_leads_out_of_the_directory() {
        let directory = Path::new("/d");
        assert_eq!(
            path(directory, "a-1.example"),
            Some(PathBuf::from("/d/a-1.example.json"))
        );
        for domain in [
            "",
            "..",
            ".",
            "a/b",
            "a..b",
            "/etc",
            "A.example",
            "é.example",
            "[::1]",
        ] {
            assert_eq!(path(directory, domain), None, "{domain}");
        }
        assert_eq!(path(directory, &"a".repeat(241)), None);
    }
}
