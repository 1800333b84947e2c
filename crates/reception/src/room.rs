//! Room on the disk, asked for at most once a second.

use std::time::Duration;

use parking_lot::Mutex;
use queue::{Store, StoreError};
use tokio::time::Instant;

/// How long an answer about free space holds.
const HOLDS: Duration = Duration::from_secs(1);

/// Remembers how much room the store has.
#[derive(Debug, Default)]
pub(crate) struct Room {
    known: Mutex<Option<(Instant, Result<u64, StoreError>)>>,
}

impl Room {
    /// Bytes free, as known within the last second.
    pub(crate) fn free(&self, store: &dyn Store) -> Result<u64, StoreError> {
        let now = Instant::now();
        let mut known = self.known.lock();
        match &*known {
            Some((at, answer)) if now.duration_since(*at) < HOLDS => answer.clone(),
            _ => {
                let answer = store.free_space();
                *known = Some((now, answer.clone()));
                answer
            }
        }
    }
}
