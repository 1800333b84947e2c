//! What is done every hour: forgetting.

use std::sync::Arc;
use std::time::Duration;

use config::Config;
use queue::{Greylist, GreylistPolicy, Store};
use world::World;

use super::callouts::Asking;

/// Messages whose history is removed at once.
const AT_ONCE: usize = 500;

pub(crate) struct Chores {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) world: World,
    /// How long the history of a message stays.
    pub(crate) retention: Duration,
    pub(crate) greylist: Option<(Arc<dyn Greylist>, GreylistPolicy)>,
    pub(super) asking: Option<Asking>,
}

/// How long the history of a message stays: a report that may still come back must find it.
pub(crate) fn retention(config: &Config) -> Duration {
    let bounces = &config.bounces;
    let needed = bounces.is_on().then_some(bounces.max_age);
    config.queue.retention.max(needed.unwrap_or_default())
}

impl Chores {
    pub(crate) async fn run(self) {
        let mut hourly = tokio::time::interval(Duration::from_secs(3600));
        loop {
            hourly.tick().await;
            self.prune().await;
            self.forget_strangers().await;
            if let Some(asking) = &self.asking {
                asking.tidy(&self.world).await;
            }
        }
    }

    /// Removes the history of messages that ended long ago, and of few at a time.
    async fn prune(&self) {
        let Ok(before) = self.world.clock.now().checked_sub(self.retention) else {
            return;
        };
        loop {
            match self.store.prune(before, AT_ONCE).await {
                Ok(0) => break,
                Ok(pruned) => {
                    tracing::info!(messages = pruned, "history removed after its retention");
                }
                Err(error) => {
                    tracing::error!(%error, "old history cannot be removed");
                    break;
                }
            }
        }
    }

    async fn forget_strangers(&self) {
        let Some((list, policy)) = &self.greylist else {
            return;
        };
        match list.forget(policy, self.world.clock.now()).await {
            Ok(gone) => tracing::debug!(gone, "forgotten by the greylist"),
            Err(error) => tracing::warn!(%error, "the greylist cannot be cleaned up"),
        }
    }
}
