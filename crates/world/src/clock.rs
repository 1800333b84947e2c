//! The time of day.

use jiff::Timestamp;
use tokio::time::Instant;

/// Tells the time of day.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that follows tokio's timers from a given start, so that in a paused runtime the time of
/// day passes only while everything waits.
#[derive(Clone, Copy, Debug)]
pub struct VirtualClock {
    start: Timestamp,
    since: Instant,
}

impl VirtualClock {
    /// A clock that shows `start` now.
    #[must_use]
    pub fn new(start: Timestamp) -> VirtualClock {
        VirtualClock {
            start,
            since: Instant::now(),
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let elapsed = jiff::SignedDuration::try_from(self.since.elapsed());
        elapsed
            .ok()
            .and_then(|e| self.start.checked_add(e).ok())
            .unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn five_virtual_days_pass_at_once() {
        let clock = VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
        tokio::time::sleep(Duration::from_secs(5 * 86_400)).await;
        assert_eq!(clock.now().to_string(), "2026-01-06T00:00:00Z");
    }
}
