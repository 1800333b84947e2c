//! `postrider dkim new|list|rotate|remove`: the keys that sign.

mod arguments;
mod list;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use config::Config;
use jiff::Timestamp;
use signing::{
    Algorithm, Key, KeyError, KeyState, KeyStore, StoreFault, StoredKey, is_selector, read_domain,
    zone_lines,
};
use world::World;

use crate::exit;
use crate::place::{ConfigError, Options};
use crate::serve::signing::directory;

use arguments::DkimAlgorithm;
pub(crate) use arguments::DkimCommand;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
enum DkimError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Store(#[from] StoreFault),
    #[error("the key: {0}")]
    Key(#[from] KeyError),
    #[error("{}: {error}", path.display())]
    From { path: PathBuf, error: KeyError },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("`{0}` is no domain: write one like example.org")]
    NotADomain(String),
    #[error("`{0}` is no selector: write letters, digits and hyphens, like s2026")]
    NotASelector(String),
    #[error("there is no key of {domain} in {}: `postrider dkim new {domain}` makes one", directory.display())]
    NoKey { domain: String, directory: PathBuf },
    #[error("{domain} has no key {selector}: `postrider dkim list` shows those there are")]
    NoSuchKey { domain: String, selector: String },
    #[error(
        "the new key {selector} of {domain} is not published yet, so nothing was made: publish its record (`postrider dkim list` shows it), or remove it with `postrider dkim remove {domain} {selector}`"
    )]
    Waiting { domain: String, selector: String },
    #[error(
        "{selector} is the key that signs for {domain}: rotate first (`postrider dkim rotate {domain}`), or say --force"
    )]
    Signs { domain: String, selector: String },
    #[error("the DNS resolver: {0}")]
    Resolver(#[from] dns::SetupError),
    #[error("starting: {0}")]
    Runtime(io::Error),
    #[error("writing the answer: {0}")]
    Json(serde_json::Error),
}

pub(crate) fn main(command: &DkimCommand, options: &Options) -> ExitCode {
    match run(command, options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(exit::PROBLEM),
        Err(error) => exit::problem(&error),
    }
}

/// What the commands work on.
struct Place {
    config: Config,
    store: KeyStore,
    now: Timestamp,
}

/// Answers whether all is well.
fn run(command: &DkimCommand, options: &Options) -> Result<bool, DkimError> {
    let world = World::real();
    let config = options.config()?;
    let place = Place {
        store: KeyStore::at(world.disk.clone(), &directory(&config, &options.data())),
        now: world.clock.now(),
        config,
    };
    match command {
        DkimCommand::New {
            domain,
            selector,
            algorithm,
            from,
        } => {
            let domain = named(domain)?;
            let key = match from {
                Some(path) => import(path)?,
                None => Key::generate(algorithm_of(*algorithm))?,
            };
            place.add(&domain, selector.as_deref(), key)?;
            Ok(true)
        }
        DkimCommand::List { json, domain } => {
            let domain = domain.as_deref().map(named).transpose()?;
            list::list(&place, domain.as_deref(), *json)
        }
        DkimCommand::Rotate { domain } => place.rotate(&named(domain)?).map(|()| true),
        DkimCommand::Remove {
            domain,
            selector,
            force,
        } => {
            let domain = named(domain)?;
            place.remove(&domain, selector, *force).map(|()| true)
        }
    }
}

fn named(text: &str) -> Result<String, DkimError> {
    read_domain(text).ok_or_else(|| DkimError::NotADomain(text.to_owned()))
}

const fn algorithm_of(algorithm: DkimAlgorithm) -> Algorithm {
    match algorithm {
        DkimAlgorithm::Rsa => Algorithm::Rsa,
        DkimAlgorithm::Ed25519 => Algorithm::Ed25519,
    }
}

fn import(path: &Path) -> Result<Key, DkimError> {
    let text = std::fs::read(path).map_err(|source| DkimError::File {
        path: path.to_owned(),
        source,
    })?;
    Key::from_pem(&text).map_err(|error| DkimError::From {
        path: path.to_owned(),
        error,
    })
}

impl Place {
    fn keys(&self) -> Result<Vec<StoredKey>, DkimError> {
        Ok(self.store.read(self.now)?)
    }

    fn of(&self, domain: &str) -> Result<Vec<StoredKey>, DkimError> {
        let keys = self.keys()?.into_iter();
        Ok(keys.filter(|key| key.domain == domain).collect())
    }

    /// Keeps a key, and says what to publish.
    fn add(&self, domain: &str, selector: Option<&str>, key: Key) -> Result<(), DkimError> {
        let selector = match selector {
            Some(text) if is_selector(text) => text.to_owned(),
            Some(text) => return Err(DkimError::NotASelector(text.to_owned())),
            None => self.free_selector(domain, key.algorithm())?,
        };
        let stored = StoredKey {
            domain: domain.to_owned(),
            selector,
            key: Arc::new(key),
            state: KeyState::new(self.now),
        };
        let path = self.store.add(&stored)?;
        give_to_owner(self.store.path(), &path)?;
        println!("; The key is {}; publish this record:", path.display());
        let lines = zone_lines(&stored.selector, domain, &stored.key)?;
        print!("{lines}");
        println!(
            "; Mail is signed with it once the relay sees the record; `postrider dkim list` tells."
        );
        Ok(())
    }

    /// The day, and a letter for the kind of key: `20261128r`.
    fn free_selector(&self, domain: &str, algorithm: Algorithm) -> Result<String, DkimError> {
        let day = self.now.strftime("%Y%m%d");
        let kind = match algorithm {
            Algorithm::Rsa => "r",
            Algorithm::Ed25519 => "e",
        };
        let taken: BTreeSet<String> = self.of(domain)?.into_iter().map(|k| k.selector).collect();
        let names = (1..).map(|n| match n {
            1 => format!("{day}{kind}"),
            n => format!("{day}{kind}{n}"),
        });
        let mut free = names.filter(|name| !taken.contains(name));
        Ok(free.next().unwrap_or_default())
    }

    /// A new key for each kind that the domain has.
    fn rotate(&self, domain: &str) -> Result<(), DkimError> {
        let keys = self.of(domain)?;
        let kinds: BTreeSet<Algorithm> = keys.iter().map(|key| key.key.algorithm()).collect();
        if kinds.is_empty() {
            return Err(DkimError::NoKey {
                domain: domain.to_owned(),
                directory: self.store.path().to_owned(),
            });
        }
        for kind in &kinds {
            let of_kind = keys.iter().filter(|key| key.key.algorithm() == *kind);
            let newest = of_kind.max_by_key(|key| key.state.made);
            if let Some(waiting) = newest.filter(|key| key.state.published.is_none()) {
                return Err(DkimError::Waiting {
                    domain: domain.to_owned(),
                    selector: waiting.selector.clone(),
                });
            }
        }
        for kind in kinds {
            self.add(domain, None, Key::generate(kind)?)?;
        }
        println!(
            "; The old key signs until then. Leave its record published: mail on its way needs it."
        );
        Ok(())
    }

    fn remove(&self, domain: &str, selector: &str, force: bool) -> Result<(), DkimError> {
        let keys = self.of(domain)?;
        let found = keys.iter().find(|key| key.selector == selector);
        let found = found.ok_or_else(|| DkimError::NoSuchKey {
            domain: domain.to_owned(),
            selector: selector.to_owned(),
        })?;
        let signs = found.state.published.is_some() && found.state.replaced.is_none();
        if signs && !force {
            return Err(DkimError::Signs {
                domain: domain.to_owned(),
                selector: selector.to_owned(),
            });
        }
        self.store.remove(domain, selector)?;
        println!(
            "The key is gone. Its record may go too: {}",
            signing::record_name(selector, domain)
        );
        Ok(())
    }
}

/// The relay reads the keys, and may not be who makes them: root makes them for the owner of the directory
/// above.
fn give_to_owner(directory: &Path, key: &Path) -> Result<(), DkimError> {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| DkimError::File { path, source }
    };
    let above = directory.parent().filter(|above| above.is_dir());
    let above = above.unwrap_or(directory);
    let owner = std::fs::metadata(above).map_err(failed(above))?;
    let own = std::fs::metadata(key).map_err(failed(key))?;
    if own.uid() != 0 || owner.uid() == 0 {
        return Ok(());
    }
    let state = key.with_extension("toml");
    let domain = key.parent().unwrap_or(directory);
    for path in [directory, domain, key, &state] {
        chown(path, Some(owner.uid()), Some(owner.gid())).map_err(failed(path))?;
    }
    Ok(())
}
