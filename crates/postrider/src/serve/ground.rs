//! The first step of a start: the queue, as it must be before anything moves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::Config;
use queue::{Store, StoreError};
use store_sqlite::SqliteStore;
use world::World;

use super::{StartError, rerouting};
use crate::resolver;

/// What all else stands on.
pub(super) struct Ground<'a> {
    pub(super) config: &'a Config,
    /// The data directory, absolute.
    pub(super) data: PathBuf,
    pub(super) world: World,
    pub(super) store: Arc<dyn Store>,
    pub(super) resolver: Arc<dyn dns::Resolver>,
}

impl<'a> Ground<'a> {
    pub(super) async fn open(config: &'a Config, data: &Path) -> Result<Ground<'a>, StartError> {
        let world = World::real();
        let ground = Ground {
            config,
            store: open(data, &world)?,
            data: std::path::absolute(data).unwrap_or_else(|_| data.to_owned()),
            world,
            resolver: Arc::new(resolver::of(config)?),
        };
        ground.put_right().await?;
        Ok(ground)
    }

    /// What is to be done on the queue: attempts that a crash interrupted, and routes that have changed.
    async fn put_right(&self) -> Result<(), StoreError> {
        let now = self.world.clock.now();
        let interrupted = self.store.recover(now).await?;
        if interrupted > 0 {
            tracing::warn!(
                recipients = interrupted,
                "the relay was stopped in mid-delivery: nobody can tell whether these have the message; it is sent again"
            );
        }
        rerouting::reroute(self.config, &*self.store, now).await
    }
}

fn open(data: &Path, world: &World) -> Result<Arc<dyn Store>, StartError> {
    match SqliteStore::open(data, world) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error @ StoreError::InUse { .. }) => Err(StartError::InUse(error)),
        Err(error) => Err(error.into()),
    }
}
