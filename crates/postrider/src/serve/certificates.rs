//! Our certificates while the relay runs: read again when their files change.

use std::sync::Arc;
use std::time::Duration;

use config::Config;
use jiff::Timestamp;
use tls::{Acceptor, Identities, IdentityError, IdentityFiles};
use tokio::signal::unix::Signal;
use tokio::sync::{Mutex, Notify};
use world::World;

use crate::control::Reloaded;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(60);
/// How long before its end a certificate is warned about, and how often.
const SOON: i64 = 14 * 24;
const REMIND: Duration = Duration::from_secs(86_400);

/// Our certificates; none is a matter of course.
#[derive(Clone)]
pub(crate) struct Certificates {
    identities: Option<Identities>,
    /// Of files that stay as they are, each error is told once.
    told: Arc<Mutex<Vec<tls::Reloaded>>>,
    world: World,
    /// Wakes whoever asks for certificates by ACME.
    pub(crate) wake: Arc<Notify>,
}

impl Certificates {
    /// Those of the configuration, and one by ACME.
    pub(crate) fn load(
        config: &Config,
        by_acme: Option<IdentityFiles>,
        world: &World,
    ) -> Result<Certificates, IdentityError> {
        let mut files = files(config);
        files.extend(by_acme);
        let identities = match files.is_empty() {
            true => None,
            false => {
                let (identities, untimely) = Identities::load(world, files)?;
                for error in untimely {
                    tracing::warn!(%error, "a certificate of ours is used out of its time");
                }
                Some(identities)
            }
        };
        Ok(Certificates {
            identities,
            told: Arc::default(),
            world: world.clone(),
            wake: Arc::default(),
        })
    }

    /// What makes connections of clients secure.
    pub(crate) fn acceptor(&self) -> Option<Acceptor> {
        self.identities.as_ref().map(Identities::acceptor)
    }

    /// Reads changed files again, and tells what came of it.
    pub(crate) async fn reload(&self) -> Vec<Reloaded> {
        let all = self.read_again().await;
        all.iter().map(said).collect()
    }

    async fn read_again(&self) -> Vec<tls::Reloaded> {
        let Some(identities) = self.identities.clone() else {
            return Vec::new();
        };
        // One at a time; and files may be slow.
        let mut told = self.told.lock().await;
        let all = tokio::task::spawn_blocking(move || identities.reload()).await;
        let all = all.unwrap_or_default();
        for one in all.iter().filter(|one| !told.contains(one)) {
            match one {
                tls::Reloaded::Changed { path, certificate } => tracing::info!(
                    file = %path.display(),
                    names = certificate.names.join(" "),
                    until = certificate.not_after,
                    "a new certificate is in use"
                ),
                tls::Reloaded::Kept { error } => {
                    tracing::error!(%error, "a new certificate cannot be used; the old one stays in use");
                }
            }
        }
        let kept = |one: &&tls::Reloaded| matches!(one, tls::Reloaded::Kept { .. });
        *told = all.iter().filter(kept).cloned().collect();
        all
    }

    /// Looks at the files again and again, and when a signal comes.
    pub(crate) async fn watch(self, mut hangup: Signal) {
        let mut look = tokio::time::interval(LOOK);
        let mut remind = tokio::time::interval(REMIND);
        loop {
            tokio::select! {
                _ = look.tick() => {}
                _ = remind.tick() => self.warn_of_the_end(),
                Some(()) = hangup.recv() => tracing::info!("SIGHUP: certificates are read again"),
            }
            self.read_again().await;
        }
    }

    fn warn_of_the_end(&self) {
        let now = self.world.clock.now();
        for (path, _, until) in self.identities.iter().flat_map(Identities::in_use) {
            if hours_between(now, until) < SOON {
                tracing::warn!(
                    file = %path.display(),
                    %until,
                    "a certificate of ours ends soon: renew it"
                );
            }
        }
    }
}

fn hours_between(from: Timestamp, until: Timestamp) -> i64 {
    (until.as_second() - from.as_second()) / 3600
}

/// The certificates that the configuration names.
pub(crate) fn files(config: &Config) -> Vec<IdentityFiles> {
    let files = |files: &config::CertificateFiles| IdentityFiles {
        certificate: files.chain.clone(),
        key: files.key.clone(),
    };
    config.tls.certificates.iter().map(files).collect()
}

fn said(one: &tls::Reloaded) -> Reloaded {
    match one {
        tls::Reloaded::Changed { path, certificate } => Reloaded {
            changed: true,
            said: format!(
                "{}: a new certificate for {} is in use, valid until {}",
                path.display(),
                certificate.names.join(", "),
                certificate.not_after
            ),
        },
        tls::Reloaded::Kept { error } => Reloaded {
            changed: false,
            said: format!("{error}; the old certificate stays in use"),
        },
    }
}
