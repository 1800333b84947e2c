//! Keys on the disk: `DIRECTORY/example.org/SELECTOR.pem`, and beside it `SELECTOR.toml` with what is known
//! of the key's life. The commands make and remove keys, the relay writes down what it saw of them: each
//! file has one writer, so that none waits for the other.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use world::Disk;

use crate::key::{Key, KeyError};

/// What is known of a key's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyState {
    /// When it was made, or brought here.
    pub made: Timestamp,
    /// Since when its record is known to be published; nothing while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// Since when a newer key signs in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Timestamp>,
}

impl KeyState {
    /// Of a key that was made then.
    #[must_use]
    pub fn new(made: Timestamp) -> KeyState {
        KeyState {
            made,
            published: None,
            replaced: None,
        }
    }
}

/// A key with its place.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// Whose it is, in lower case.
    pub domain: String,
    /// Its selector.
    pub selector: String,
    /// The key.
    pub key: Arc<Key>,
    /// What is known of it.
    pub state: KeyState,
}

/// Why keys cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Others could read the key.
    #[error("{0}: others than its owner may read this private key; make it `chmod 600 {0}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// The file is no key.
    #[error("{}: {error}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: KeyError,
    },
    /// The state cannot be read.
    #[error("{0}: {reported}; if nothing else helps, remove {0}: it is written anew", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reported: String,
    },
    /// There is such a key already.
    #[error("there is a key {selector} of {domain} already, in {}: choose another --selector", path.display())]
    There {
        /// Its selector.
        selector: String,
        /// Its domain.
        domain: String,
        /// Its file.
        path: PathBuf,
    },
}

/// A domain as a key has it: in ASCII and lower case.
#[must_use]
pub fn read_domain(text: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii(text.trim_end_matches('.')).ok()?;
    let lower = ascii.to_ascii_lowercase();
    let label = |label: &str| is_label(label);
    let fits = lower.len() <= 253 && lower.contains('.') && lower.split('.').all(label);
    fits.then_some(lower)
}

/// Whether the text can be a selector (RFC 6376 §3.1): labels of a name.
#[must_use]
pub fn is_selector(text: &str) -> bool {
    text.len() <= 63 && text.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=63).contains(&label.len())
        && label.bytes().all(plain)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A directory of keys.
#[derive(Clone)]
pub struct KeyStore {
    disk: Arc<dyn Disk>,
    path: PathBuf,
}

impl std::fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyStore({})", self.path.display())
    }
}

/// A key or its state is not larger.
const LARGEST: usize = 64 * 1024;

const HEAD: &str =
    "# What is known of the DKIM key beside this file; docs/signing.md. Times are in UTC.\n";

impl KeyStore {
    /// The one in this directory, which need not be there yet.
    #[must_use]
    pub fn at(disk: Arc<dyn Disk>, path: &Path) -> KeyStore {
        KeyStore {
            disk,
            path: path.to_owned(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of a key.
    #[must_use]
    pub fn file(&self, domain: &str, selector: &str) -> PathBuf {
        self.path.join(domain).join(format!("{selector}.pem"))
    }

    /// The files of all keys: domain, selector and what tells whether a file has changed. Cheap.
    pub fn listing(&self) -> Result<Vec<(String, String, world::FileStamp)>, StoreFault> {
        let mut all = Vec::new();
        if !self.disk.exists(&self.path).map_err(at(&self.path))? {
            return Ok(all);
        }
        for directory in self.disk.list(&self.path).map_err(at(&self.path))? {
            let Some(domain) = named(&directory)
                .and_then(|name| read_domain(name).filter(|domain| domain == name))
            else {
                continue;
            };
            for path in self.disk.list(&directory).map_err(at(&directory))? {
                let selector = named(&path).and_then(|name| name.strip_suffix(".pem"));
                let Some(selector) = selector.filter(|selector| is_selector(selector)) else {
                    continue;
                };
                let stamp = self.disk.stamp(&path).map_err(at(&path))?;
                all.push((domain.clone(), selector.to_owned(), stamp));
            }
        }
        all.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        Ok(all)
    }

    /// All keys, by domain and selector. `now` is when a key was made of which nothing is known.
    pub fn read(&self, now: Timestamp) -> Result<Vec<StoredKey>, StoreFault> {
        let listing = self.listing()?;
        let read = |(domain, selector, _): (String, String, _)| {
            let path = self.file(&domain, &selector);
            // What others can read, others can sign with.
            if self.disk.others_may_read(&path).map_err(at(&path))? {
                return Err(StoreFault::Open { path });
            }
            let text = self.text(&path)?;
            let key = Key::from_pem(&text).map_err(|error| StoreFault::Key {
                path: path.clone(),
                error,
            })?;
            let state = self.state(&path.with_extension("toml"))?;
            Ok(StoredKey {
                domain,
                selector,
                key: Arc::new(key),
                state: state.unwrap_or_else(|| KeyState::new(now)),
            })
        };
        listing.into_iter().map(read).collect()
    }

    fn text(&self, path: &Path) -> Result<Vec<u8>, StoreFault> {
        let file = self.disk.open(path).map_err(at(path))?;
        let mut text = vec![0; LARGEST];
        let mut length = 0;
        while let Some(rest) = text.get_mut(length..).filter(|rest| !rest.is_empty()) {
            match file.read_at(length as u64, rest).map_err(at(path))? {
                0 => break,
                read => length += read,
            }
        }
        text.truncate(length);
        Ok(text)
    }

    fn state(&self, path: &Path) -> Result<Option<KeyState>, StoreFault> {
        if !self.disk.exists(path).map_err(at(path))? {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&self.text(path)?).into_owned();
        let read = toml::from_str(&text);
        read.map(Some).map_err(|error| StoreFault::State {
            path: path.to_owned(),
            reported: error.message().to_owned(),
        })
    }

    /// Keeps a new key; its files are for nobody but us.
    pub fn add(&self, stored: &StoredKey) -> Result<PathBuf, StoreFault> {
        let (domain, selector) = (&stored.domain, &stored.selector);
        let path = self.file(domain, selector);
        let directory = self.path.join(domain);
        let made = self.disk.create_private_dirs(&directory);
        made.map_err(at(&directory))?;
        if self.disk.exists(&path).map_err(at(&path))? {
            return Err(StoreFault::There {
                selector: selector.clone(),
                domain: domain.clone(),
                path,
            });
        }
        let pem = stored.key.to_pem().map_err(|error| StoreFault::Key {
            path: path.clone(),
            error,
        })?;
        // The state first: a key without one would be taken for one that was made now.
        self.note(stored)?;
        self.write(&path, pem.as_bytes())?;
        Ok(path)
    }

    /// Writes down what is known of a key.
    pub fn note(&self, stored: &StoredKey) -> Result<(), StoreFault> {
        let path = self.file(&stored.domain, &stored.selector);
        let path = path.with_extension("toml");
        let text = toml::to_string(&stored.state).map_err(|error| StoreFault::State {
            path: path.clone(),
            reported: error.to_string(),
        })?;
        self.write(&path, format!("{HEAD}{text}").as_bytes())
    }

    /// Removes a key and what is known of it.
    pub fn remove(&self, domain: &str, selector: &str) -> Result<(), StoreFault> {
        let path = self.file(domain, selector);
        self.disk.remove(&path).map_err(at(&path))?;
        let state = path.with_extension("toml");
        if self.disk.exists(&state).map_err(at(&state))? {
            self.disk.remove(&state).map_err(at(&state))?;
        }
        let directory = self.path.join(domain);
        self.disk.sync_dir(&directory).map_err(at(&directory))
    }

    /// Whole or not at all.
    fn write(&self, path: &Path, text: &[u8]) -> Result<(), StoreFault> {
        let mut fresh = path.as_os_str().to_owned();
        fresh.push(".new");
        let fresh = PathBuf::from(fresh);
        if self.disk.exists(&fresh).map_err(at(&fresh))? {
            self.disk.remove(&fresh).map_err(at(&fresh))?;
        }
        let mut file = self.disk.create_private(&fresh).map_err(at(&fresh))?;
        file.write_all(text).map_err(at(&fresh))?;
        file.sync().map_err(at(&fresh))?;
        drop(file);
        self.disk.rename(&fresh, path).map_err(at(path))?;
        let directory = path.parent().unwrap_or(&self.path);
        self.disk.sync_dir(directory).map_err(at(directory))
    }
}

fn named(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreFault + use<> {
    let path = path.to_owned();
    move |source| StoreFault::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Algorithm;
    use std::os::unix::fs::PermissionsExt as _;
    use world::RealDisk;

    fn stored(domain: &str, selector: &str) -> StoredKey {
        StoredKey {
            domain: domain.to_owned(),
            selector: selector.to_owned(),
            key: Arc::new(Key::generate(Algorithm::Ed25519).unwrap()),
            state: KeyState::new("2026-11-28T12:00:00Z".parse().unwrap()),
        }
    }

    #[test]
    fn keys_are_for_their_owner_alone_and_are_read_back_with_their_lives() {
        let place = tempfile::tempdir().unwrap();
        let store = KeyStore::at(Arc::new(RealDisk), &place.path().join("dkim"));
        let now = "2026-11-29T12:00:00Z".parse().unwrap();
        assert!(store.read(now).unwrap().is_empty());
        let mut one = stored("example.org", "s1");
        let path = store.add(&one).unwrap();
        assert!(matches!(store.add(&one), Err(StoreFault::There { .. })));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        one.state.published = Some(now);
        store.note(&one).unwrap();
        let all = store.read(now).unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].state, one.state);
        assert_eq!(all[0].key.public().unwrap(), one.key.public().unwrap());

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let told = store.read(now).unwrap_err().to_string();
        assert!(
            told.contains("chmod 600") && told.contains("s1.pem"),
            "{told}"
        );
        store.remove("example.org", "s1").unwrap();
        assert!(store.read(now).unwrap().is_empty());
    }

    #[test]
    fn domains_and_selectors_cannot_leave_the_directory() {
        assert_eq!(read_domain("Example.ORG.").as_deref(), Some("example.org"));
        assert_eq!(
            read_domain("b\u{fc}cher.example").as_deref(),
            Some("xn--bcher-kva.example")
        );
        for text in ["", "org", "../etc", "a/b.example", "a..example", ".example"] {
            assert_eq!(read_domain(text), None, "{text}");
        }
        assert!(is_selector("s1") && is_selector("a.b_c-d"));
        for text in ["", "..", "a/b", "-a", "a b", "a\n"] {
            assert!(!is_selector(text), "{text}");
        }
    }
}
