//! Asking next hops about recipients, where a relayed domain wants it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use callout::{Callouts, Counts, Settings};
use config::Config;
use queue::{CalloutMemory, StoreError};
use store_sqlite::SqliteCallouts;
use world::World;

use super::settings;

/// A client waits meanwhile: so long for a connection, at most.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// And so long for a reply.
const REPLY_PATIENCE: Duration = Duration::from_secs(30);

/// Who asks, and what is remembered.
#[derive(Clone)]
pub(super) struct Asking {
    pub(super) callouts: Callouts,
    pub(super) memory: Arc<dyn CalloutMemory>,
}

/// `None` where no domain wants its recipients asked about.
pub(super) fn of(
    config: &Config,
    world: &World,
    resolver: &Arc<dyn dns::Resolver>,
    data: &Path,
    tls: &delivery::Tls,
) -> Result<Option<Asking>, StoreError> {
    let mut domains = config.local.domains.iter();
    if !domains.any(|(_, domain)| domain.verify.is_some()) {
        return Ok(None);
    }
    let memory: Arc<dyn CalloutMemory> = Arc::new(SqliteCallouts::open(data)?);
    let own = &config.delivery;
    let settings = Settings {
        hostname: settings::hostname(config),
        routes: Arc::new(config.routes.clone()),
        smtp_port: own.smtp_port,
        connect_timeout: own.connect_timeout.min(CONNECT_PATIENCE),
        reply_timeout: own.reply_timeout.min(REPLY_PATIENCE),
        tls: match tls.policy {
            delivery::TlsPolicy::Off => None,
            delivery::TlsPolicy::Opportunistic
            | delivery::TlsPolicy::Required
            | delivery::TlsPolicy::Verify(_)
            | delivery::TlsPolicy::Fingerprint(_) => tls.connector.clone(),
        },
    };
    let callouts = Callouts::new(world.clone(), resolver.clone(), memory.clone(), settings);
    Ok(Some(Asking { callouts, memory }))
}

impl Asking {
    /// Forgets what holds no more, and tells how often what happened.
    pub(super) async fn tidy(&self, world: &World) {
        match self.memory.forget(world.clock.now()).await {
            Ok(gone) => tracing::debug!(gone, "answers of next hops forgotten"),
            Err(error) => tracing::warn!(%error, "the answers of next hops cannot be cleaned up"),
        }
        self.tell();
    }

    pub(super) fn tell(&self) {
        let Counts {
            questions,
            from_memory,
            talks,
            taken,
            refused,
            failed,
        } = self.callouts.counts();
        if questions > 0 {
            tracing::info!(
                questions,
                from_memory,
                talks,
                taken,
                refused,
                failed,
                "next hops asked about recipients since the start"
            );
        }
    }
}
