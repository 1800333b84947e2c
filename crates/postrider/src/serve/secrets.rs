//! Files of secrets in the data directory, with which addresses are made that nobody can forge.

use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use data_encoding::BASE64_NOPAD;
use world::World;

/// A file of secrets cannot be read or made.
#[derive(Debug, thiserror::Error)]
#[error("the secrets in {}: {source}", path.display())]
pub(crate) struct SecretsError {
    path: PathBuf,
    source: io::Error,
}

/// The secrets, one a line, the one that is in use first. The first start makes one, which is on the
/// disk before any address is made with it.
pub(crate) fn of(data: &Path, name: &str, world: &World) -> Result<Vec<Vec<u8>>, SecretsError> {
    let path = data.join(name);
    let failed = |source| SecretsError {
        path: path.clone(),
        source,
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut random = [0; 24];
            world.random.fill(&mut random);
            let text = format!("{}\n", BASE64_NOPAD.encode(&random));
            make(data, &path, &text).map_err(failed)?;
            text
        }
        Err(error) => return Err(failed(error)),
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let secrets: Vec<Vec<u8>> = lines.map(|line| line.as_bytes().to_vec()).collect();
    if secrets.is_empty() {
        return Err(failed(io::Error::other(
            "there is none: remove the file, and one is made",
        )));
    }
    Ok(secrets)
}

fn make(data: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::File::open(data)?.sync_all()
}
