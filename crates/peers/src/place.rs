//! Where things are: temporary directories, programs, ports.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{Doing, PeerError, Result};

/// A temporary directory that other users may enter: mail servers give up root.
pub struct Place {
    directory: TempDir,
}

impl Place {
    /// A fresh one.
    pub fn new(name: &str) -> Result<Place> {
        let directory = tempfile::Builder::new()
            .prefix(&format!("postrider-{name}-"))
            .tempdir();
        let directory = directory.doing("making a temporary directory")?;
        open_to_all(directory.path())?;
        Ok(Place { directory })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A directory in it, made on demand, that everybody may enter.
    pub fn directory(&self, name: &str) -> Result<PathBuf> {
        let path = self.path().join(name);
        fs::create_dir_all(&path).doing(format!("making {}", path.display()))?;
        open_to_all(&path)?;
        Ok(path)
    }

    /// A directory in it that belongs to this user.
    pub fn directory_of(&self, name: &str, user: &str) -> Result<PathBuf> {
        let path = self.directory(name)?;
        let (uid, gid) = user_ids(user)?;
        std::os::unix::fs::chown(&path, Some(uid), Some(gid))
            .doing(format!("giving {} to {user}", path.display()))?;
        Ok(path)
    }

    /// A file in it.
    pub fn file(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.path().join(name);
        fs::write(&path, content).doing(format!("writing {}", path.display()))?;
        Ok(path)
    }
}

fn open_to_all(path: &Path) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .doing(format!("opening {}", path.display()))
}

/// User and group of a system user.
pub(crate) fn user_ids(user: &str) -> Result<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd").doing("reading /etc/passwd")?;
    let ids = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(user) {
            return None;
        }
        Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    ids.ok_or_else(|| PeerError::Missing(format!("the user {user}")))
}

/// A program, where Debian puts it.
pub fn tool(name: &str) -> Result<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let places = path
        .split(':')
        .chain(["/usr/sbin", "/usr/lib/postfix/sbin"]);
    let found = places
        .map(|place| Path::new(place).join(name))
        .find(|file| file.is_file());
    found.ok_or_else(|| PeerError::Missing(name.to_owned()))
}

/// A port on loopback that nobody uses at this time.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").doing("looking for a free port")?;
    Ok(listener
        .local_addr()
        .doing("looking for a free port")?
        .port())
}

/// The directory with the workspace's `Cargo.toml`.
#[must_use]
pub fn root_of_the_workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
