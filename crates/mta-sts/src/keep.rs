//! Finding policies and keeping them (RFC 8461 §3.3, §5.1).

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use world::World;

use crate::fetch::Fetcher;
use crate::{Failed, Found, Held, Policies, file};

/// How long the DNS is not asked again whether a policy has changed, and a policy that could not be
/// fetched is not tried again (§3.3).
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// A policy is fetched again when it is as old as this, or half as old as it may become.
const REFRESH: SignedDuration = SignedDuration::from_hours(24);
/// Domains without a policy are forgotten after this.
const FORGET: SignedDuration = SignedDuration::from_hours(1);

/// Keeps the policies of domains to which mail goes.
#[derive(Debug)]
pub struct Keeper {
    fetcher: Fetcher,
    world: World,
    directory: PathBuf,
    domains: Mutex<HashMap<String, Arc<Slot>>>,
}

/// The directory for policies cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the directory for policies of MTA-STS {}: {source}", directory.display())]
pub struct OpenError {
    directory: PathBuf,
    source: io::Error,
}

/// One domain. Whoever asks for it waits for whoever looks; other domains do not.
#[derive(Debug, Default)]
struct Slot(tokio::sync::Mutex<Entry>);

#[derive(Debug, Default)]
struct Entry {
    /// Whether the disk was asked.
    read: bool,
    /// When the DNS was asked.
    looked: Option<Timestamp>,
    found: Found,
}

impl Keeper {
    /// Keeps them in this directory.
    pub fn open(fetcher: Fetcher, directory: PathBuf) -> Result<Keeper, OpenError> {
        let world = fetcher.world.clone();
        match world.disk.create_private_dirs(&directory) {
            Ok(()) => Ok(Keeper {
                fetcher,
                world,
                directory,
                domains: Mutex::default(),
            }),
            Err(source) => Err(OpenError { directory, source }),
        }
    }

    /// Looks after all policies that were asked for since the start: fetches them anew before their
    /// time is over (§10.2), and removes what is over from the disk. To be done every hour.
    pub async fn look_after(&self) {
        let domains: Vec<String> = self.domains.lock().keys().cloned().collect();
        for domain in domains {
            let slot = self.slot(&domain);
            let mut entry = slot.0.lock().await;
            if entry.found.held.is_some() {
                self.look(&domain, &mut entry).await;
            } else if entry
                .looked
                .is_none_or(|looked| self.is_over(looked, FORGET))
            {
                drop(entry);
                self.domains.lock().remove(&domain);
            }
        }
        self.sweep().await;
    }

    async fn sweep(&self) {
        let (disk, directory) = (self.world.disk.clone(), self.directory.clone());
        let now = self.world.clock.now();
        let swept = tokio::task::spawn_blocking(move || {
            for path in disk.list(&directory)? {
                let name = path.file_stem().and_then(|name| name.to_str());
                let Some(domain) = name.filter(|_| path.extension().is_some_and(|e| e == "json"))
                else {
                    continue;
                };
                // What cannot be read is of no use to anybody.
                let held = file::read(&*disk, &path, domain).ok().flatten();
                if held.is_none_or(|held| held.until() <= now) {
                    disk.remove(&path)?;
                }
            }
            io::Result::Ok(())
        });
        if let Ok(Err(error)) = swept.await {
            tracing::warn!(%error, "policies of MTA-STS that are over cannot be removed");
        }
    }

    fn slot(&self, domain: &str) -> Arc<Slot> {
        let mut domains = self.domains.lock();
        domains.entry(domain.to_owned()).or_default().clone()
    }

    fn is_over(&self, since: Timestamp, wait: SignedDuration) -> bool {
        self.world.clock.now().duration_since(since) >= wait
    }

    async fn read(&self, domain: &str) -> Option<Arc<Held>> {
        let path = file::path(&self.directory, domain)?;
        let (disk, of) = (self.world.disk.clone(), domain.to_owned());
        let read = tokio::task::spawn_blocking(move || file::read(&*disk, &path, &of));
        match read.await {
            Ok(Ok(held)) => held.map(Arc::new),
            Ok(Err(error)) => {
                tracing::warn!(domain, %error, "a kept policy of MTA-STS cannot be read");
                None
            }
            Err(_) => None,
        }
    }

    async fn keep(&self, domain: &str, held: Arc<Held>) {
        let Some(path) = file::path(&self.directory, domain) else {
            return;
        };
        let (disk, of) = (self.world.disk.clone(), domain.to_owned());
        let kept = tokio::task::spawn_blocking(move || file::write(&*disk, &path, &of, &held));
        if let Ok(Err(error)) = kept.await {
            tracing::warn!(domain, %error, "a policy of MTA-STS cannot be kept: it holds until the next restart");
        }
    }

    /// Asks the DNS whether there is a policy, or another than the kept one, and fetches it.
    async fn look(&self, domain: &str, entry: &mut Entry) {
        let now = self.world.clock.now();
        let before = entry.looked.replace(now);
        if let Some(announced) = self.fetcher.announced(domain).await {
            let held = entry.found.held.as_deref();
            let current = held.is_some_and(|held| held.id == announced.id && !self.is_due(held));
            // A policy that cannot be had is not asked for all the time.
            let failed = entry.found.trouble.as_ref();
            let waits = failed.is_some_and(|failed| failed.id == announced.id)
                && before.is_some_and(|before| !self.is_over(before, LOOK_AGAIN));
            if !current && !waits {
                self.fetch(domain, announced.id, entry).await;
            }
        } else {
            // §3.1: that nothing is announced does not end what is kept.
            entry.found.trouble = None;
        }
        if entry
            .found
            .held
            .as_ref()
            .is_some_and(|held| held.until() <= now)
        {
            entry.found.held = None;
        }
    }

    /// Whether it is time to fetch it again, though it has not changed.
    fn is_due(&self, held: &Held) -> bool {
        let half = SignedDuration::try_from(held.policy.max_age / 2).unwrap_or(REFRESH);
        self.is_over(held.fetched, half.min(REFRESH))
    }

    async fn fetch(&self, domain: &str, id: String, entry: &mut Entry) {
        match self.fetcher.fetch(domain).await {
            Ok(policy) => {
                let held = Arc::new(Held {
                    id,
                    fetched: self.world.clock.now(),
                    policy,
                });
                tracing::debug!(domain, id = held.id, mode = %held.policy.mode, "policy of MTA-STS fetched");
                self.keep(domain, held.clone()).await;
                entry.found = Found {
                    held: Some(held),
                    trouble: None,
                };
            }
            Err(trouble) => {
                let kept = entry.found.held.is_some();
                tracing::info!(domain, %trouble, kept, "the domain's policy of MTA-STS cannot be fetched");
                entry.found.trouble = Some(Failed { id, trouble });
            }
        }
    }
}

#[async_trait]
impl Policies for Keeper {
    async fn of(&self, domain: &str) -> Found {
        let domain = domain.to_ascii_lowercase();
        let slot = self.slot(&domain);
        let mut entry = slot.0.lock().await;
        if !entry.read {
            entry.found.held = self.read(&domain).await;
            entry.read = true;
        }
        let recent = |looked: Timestamp| !self.is_over(looked, LOOK_AGAIN);
        let now = self.world.clock.now();
        let over = entry.found.held.as_ref().is_some_and(|h| h.until() <= now);
        if over || !entry.looked.is_some_and(recent) {
            self.look(&domain, &mut entry).await;
        }
        entry.found.clone()
    }
}
