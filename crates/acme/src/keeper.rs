//! Keeps an account and a certificate in a directory, and renews the certificate.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use diagnosis::acme::{AcmeFailure, AcmeProblem, AcmeStep};
use instant_acme::AccountCredentials;
use jiff::Timestamp;
use tls::{Connector, Identities, IdentityFiles, Minted, Validity};
use world::World;

use crate::client::{self, Order};
use crate::http::Client;
use crate::pem;
use crate::schedule;
use crate::state::{Failed, State};
use crate::tokens::Tokens;

/// How long the certificate is valid that stands in until the first one comes.
const STAND_IN: Duration = Duration::from_secs(365 * 24 * 3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What came of asking for a certificate.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is there, and kept.
    Obtained {
        /// Until when it is valid.
        until: Timestamp,
        /// When the next one is asked for.
        next: Timestamp,
    },
    /// It could not be had.
    Failed {
        /// Why.
        failure: AcmeFailure,
        /// When it is tried again.
        next: Timestamp,
    },
}

/// An account and a certificate with what is known of them.
pub struct Keeper {
    order: Order,
    directory: PathBuf,
    world: World,
    client: Client,
    tokens: Tokens,
}

impl Keeper {
    /// One that keeps everything below this directory. Without a certificate there, it makes one that
    /// vouches for itself: encryption with somebody is better than none (RFC 7435). Blocks.
    pub fn open(
        order: Order,
        directory: &Path,
        world: &World,
        resolver: Arc<dyn dns::Resolver>,
        connector: Connector,
    ) -> Result<Keeper, AcmeFailure> {
        let keeper = Keeper {
            client: Client {
                world: world.clone(),
                resolver,
                connector,
            },
            directory: directory.to_owned(),
            world: world.clone(),
            tokens: Tokens::default(),
            order,
        };
        let disk = &*world.disk;
        let own = keeper.own_directory();
        let made = disk.create_private_dirs(&own);
        made.map_err(|error| disk_failure(&own, &error))?;
        let path = keeper.files().certificate;
        let there = disk.exists(&path);
        if !there.map_err(|error| disk_failure(&path, &error))? {
            keeper.stand_in(&path)?;
        }
        Ok(keeper)
    }

    /// Where its certificate and key are: in one file, so that they are replaced together.
    #[must_use]
    pub fn files(&self) -> IdentityFiles {
        files(&self.directory, &self.order)
    }

    /// What answers the authority.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        self.tokens.clone()
    }

    /// What is known of the certificate. Blocks.
    pub fn state(&self) -> Result<State, AcmeFailure> {
        state(&self.directory, &self.order, &self.world)
    }

    fn own_directory(&self) -> PathBuf {
        own_directory(&self.directory, &self.order)
    }

    fn stand_in(&self, path: &Path) -> Result<(), AcmeFailure> {
        let now = self.world.clock.now();
        let validity = Validity {
            from: now.checked_sub(DAY).unwrap_or(now),
            until: now.checked_add(STAND_IN).unwrap_or(now),
        };
        let made = Minted::self_signed(&self.order.names, validity);
        let made = made.map_err(|error| keeping(error.to_string()))?;
        let text = made.pem() + &made.key_pem();
        let written = pem::replace(&*self.world.disk, path, text.as_bytes());
        written.map_err(|error| disk_failure(path, &error))
    }

    /// When a certificate is to be asked for. Blocks.
    pub fn due(&self) -> Result<Timestamp, AcmeFailure> {
        let state = self.state()?;
        // Other names, or another authority: at once.
        let same = state.names == self.order.names && state.directory == self.order.directory;
        let now = self.world.clock.now();
        Ok(state.next.filter(|_| same).unwrap_or(now))
    }

    /// Asks for a certificate and keeps it; keeps a failure as well.
    pub async fn renew(&self) -> Result<Outcome, AcmeFailure> {
        let obtained = self.obtain().await;
        self.tokens.clear();
        let now = self.world.clock.now();
        let mut state = self.state()?;
        state.directory.clone_from(&self.order.directory);
        state.names.clone_from(&self.order.names);
        let outcome = match obtained {
            Ok((from, until)) => {
                let next = schedule::renewal(from, until, self.world.random.unit());
                state.obtained = Some(now);
                state.until = Some(until);
                state.next = Some(next);
                state.failures = 0;
                state.failed = None;
                Outcome::Obtained { until, next }
            }
            Err(failure) => {
                state.failures = state.failures.saturating_add(1);
                if failure.why.kind() == "accountDoesNotExist" {
                    self.forget_account();
                }
                let limited = failure.why.kind() == "rateLimited";
                let wait = schedule::backoff(state.failures, limited);
                let next = now.checked_add(wait).unwrap_or(now);
                state.next = Some(next);
                state.failed = Some(Failed {
                    at: now,
                    failure: failure.clone(),
                });
                Outcome::Failed { failure, next }
            }
        };
        self.write_state(&state)?;
        Ok(outcome)
    }

    async fn obtain(&self) -> Result<(Timestamp, Timestamp), AcmeFailure> {
        let path = self.account_path();
        let known = self.read_account(&path)?;
        let (account, new) = client::account(&self.client, &self.order, known).await?;
        if let Some(new) = new {
            // Before anything is ordered: an account that is lost is one more of the few (RFC 8555 §6.6).
            let text = serde_json::to_vec(&new).map_err(|e| keeping(e.to_string()))?;
            self.write(&path, &text)?;
        }
        let issued = client::obtain(&account, &self.order.names, &self.tokens).await?;
        let files = self.files();
        let text = issued.chain + "\n" + &issued.key;
        // What cannot be used must not take the place of what can.
        let candidate = files.certificate.with_extension("candidate");
        self.write(&candidate, text.as_bytes())?;
        let validity = validity(&self.world, &candidate)?;
        let disk = &*self.world.disk;
        let path = &files.certificate;
        let moved = disk.rename(&candidate, path);
        let moved = moved.and_then(|()| disk.sync_dir(&self.own_directory()));
        moved.map_err(|error| disk_failure(path, &error))?;
        Ok(validity)
    }

    /// One account for each authority.
    fn account_path(&self) -> PathBuf {
        let host = self.order.directory.trim_start_matches("https://");
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '_'
            }
        };
        let host: String = host.chars().map(plain).collect();
        self.directory.join(format!("account-{host}.json"))
    }

    /// The next attempt makes another one.
    fn forget_account(&self) {
        let path = self.account_path();
        if let Err(error) = self.world.disk.remove(&path) {
            tracing::warn!(path = %path.display(), %error, "an account that nobody knows any more stays");
        }
    }

    fn read_account(&self, path: &Path) -> Result<Option<AccountCredentials>, AcmeFailure> {
        let content = pem::read(&*self.world.disk, path);
        let content = content.map_err(|error| disk_failure(path, &error))?;
        let read = |content: Vec<u8>| {
            let read = serde_json::from_slice(&content);
            read.map_err(|error| keeping(format!("{}: {error}", path.display())))
        };
        content.map(read).transpose()
    }

    fn write_state(&self, state: &State) -> Result<(), AcmeFailure> {
        let text = serde_json::to_vec_pretty(state).map_err(|e| keeping(e.to_string()))?;
        self.write(&state_path(&self.directory, &self.order), &text)
    }

    fn write(&self, path: &Path, content: &[u8]) -> Result<(), AcmeFailure> {
        let written = pem::replace(&*self.world.disk, path, content);
        written.map_err(|error| disk_failure(path, &error))
    }
}

fn own_directory(directory: &Path, order: &Order) -> PathBuf {
    let first = order.names.first().map_or("unnamed", String::as_str);
    directory.join(first)
}

fn state_path(directory: &Path, order: &Order) -> PathBuf {
    own_directory(directory, order).join("state.json")
}

/// Where the certificate of this order is kept, below the directory.
#[must_use]
pub fn files(directory: &Path, order: &Order) -> IdentityFiles {
    let file = own_directory(directory, order).join("certificate.pem");
    IdentityFiles {
        certificate: file.clone(),
        key: file,
    }
}

/// What is known of the certificate of this order; nothing yet is a state, too. Blocks.
pub fn state(directory: &Path, order: &Order, world: &World) -> Result<State, AcmeFailure> {
    let path = state_path(directory, order);
    let content = pem::read(&*world.disk, &path);
    match content.map_err(|error| disk_failure(&path, &error))? {
        None => Ok(State::default()),
        Some(content) => {
            let read = serde_json::from_slice(&content);
            read.map_err(|error| keeping(format!("{}: {error}", path.display())))
        }
    }
}

fn validity(world: &World, file: &Path) -> Result<(Timestamp, Timestamp), AcmeFailure> {
    let files = IdentityFiles {
        certificate: file.to_owned(),
        key: file.to_owned(),
    };
    let unusable = |reported: String| AcmeFailure {
        step: AcmeStep::Certificate,
        name: None,
        why: AcmeProblem::Unusable { reported },
    };
    let loaded = Identities::load(world, vec![files]);
    let (identities, _) = loaded.map_err(|error| unusable(error.to_string()))?;
    let first = identities.in_use().into_iter().next();
    let (_, certificate, until) = first.ok_or_else(|| unusable(String::new()))?;
    let from = certificate.not_before.parse();
    let from = from.map_err(|error: jiff::Error| unusable(error.to_string()))?;
    Ok((from, until))
}

fn keeping(reported: String) -> AcmeFailure {
    AcmeFailure {
        step: AcmeStep::Keeping,
        name: None,
        why: AcmeProblem::Disk { reported },
    }
}

fn disk_failure(path: &Path, error: &io::Error) -> AcmeFailure {
    keeping(format!("{}: {error}", path.display()))
}
