//! Findings that are still good, and how often the network may be touched.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use diagnosis::{Check, Finding};
use parking_lot::Mutex;
use tokio::time::Instant;

/// Findings, and when they were made.
type Kept = (Instant, Arc<[Finding]>);

/// Findings by check and subject.
#[derive(Debug)]
pub(crate) struct Cache {
    keep: Duration,
    kept: Mutex<HashMap<(Check, String), Kept>>,
}

/// Entries kept, at most; then what is no longer good goes, and if that is nothing, everything.
const MOST: usize = 10_000;

impl Cache {
    pub(crate) fn new(keep: Duration) -> Cache {
        Cache {
            keep,
            kept: Mutex::default(),
        }
    }

    pub(crate) fn get(&self, check: Check, subject: &str) -> Option<Arc<[Finding]>> {
        let kept = self.kept.lock();
        let (at, findings) = kept.get(&(check, subject.to_owned()))?;
        (at.elapsed() < self.keep).then(|| Arc::clone(findings))
    }

    pub(crate) fn put(&self, check: Check, subject: &str, findings: &Arc<[Finding]>) {
        let mut kept = self.kept.lock();
        if kept.len() >= MOST {
            kept.retain(|_, (at, _)| at.elapsed() < self.keep);
            if kept.len() >= MOST {
                kept.clear();
            }
        }
        let entry = (Instant::now(), Arc::clone(findings));
        kept.insert((check, subject.to_owned()), entry);
    }
}

/// So many a minute, and as many at once.
#[derive(Debug)]
pub(crate) struct Rate {
    per_minute: u32,
    state: Mutex<(f64, Instant)>,
}

impl Rate {
    pub(crate) fn new(per_minute: u32) -> Rate {
        Rate {
            per_minute,
            state: Mutex::new((per_minute.into(), Instant::now())),
        }
    }

    /// Takes one, where there is one.
    pub(crate) fn take(&self) -> bool {
        let most = f64::from(self.per_minute);
        let mut state = self.state.lock();
        let gained = state.1.elapsed().as_secs_f64() * most / 60.0;
        *state = ((state.0 + gained).min(most), Instant::now());
        let there = state.0 >= 1.0;
        if there {
            state.0 -= 1.0;
        }
        there
    }
}
