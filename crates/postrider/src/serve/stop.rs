//! The signals that end the relay.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex;

/// SIGTERM and SIGINT.
pub(crate) struct Signals {
    both: Mutex<(Signal, Signal)>,
}

/// SIGHUP: files are to be read again.
pub(crate) fn hangup() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

impl Signals {
    pub(crate) fn listen() -> io::Result<Signals> {
        let both = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        Ok(Signals {
            both: Mutex::new(both),
        })
    }

    /// Waits for the first: an orderly end.
    pub(crate) async fn first(&self) {
        let mut both = self.both.lock().await;
        let (terminate, interrupt) = &mut *both;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }

    /// Waits for another: an end at once.
    pub(crate) async fn second(&self) {
        self.first().await;
    }
}
