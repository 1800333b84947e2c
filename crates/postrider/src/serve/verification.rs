//! The relay looks at the causes of failures itself: one at a time, off the way of mail.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use checks::{Checker, Sender, Subject};
use diagnosis::{Cause, Finding};
use queue::{DestinationKey, Doubt, Store, StoreError, Verified, Verifier};
use tokio::sync::mpsc;
use tokio::time::Instant;
use world::World;

use crate::of_queue;

/// Doubts that may wait; more are left out, and come again with the next failure.
const ROOM: usize = 256;
/// How long a destination and its cause are not looked at again.
const REST: Duration = Duration::from_secs(600);
/// How long a failure is left before it is looked at.
const A_MOMENT: Duration = Duration::from_secs(1);
/// Destinations whose rest is remembered, at most.
const REMEMBERED: usize = 10_000;

/// The way in.
#[derive(Clone, Debug)]
pub(super) struct Verification(mpsc::Sender<Doubt>);

impl Verifier for Verification {
    fn consider(&self, doubt: Doubt) {
        // Where there is no room it is left out: the next failure asks again.
        let _ = self.0.try_send(doubt);
    }
}

/// The way in, and the doubts that come by it.
pub(super) fn channel() -> (Verification, mpsc::Receiver<Doubt>) {
    let (sender, receiver) = mpsc::channel(ROOM);
    (Verification(sender), receiver)
}

/// Whoever looks.
pub(super) struct Looker {
    pub(super) checker: Checker,
    pub(super) store: Arc<dyn Store>,
    pub(super) world: World,
}

impl Looker {
    /// Looks at what comes, until nothing can come any more.
    pub(super) async fn run(self, mut doubts: mpsc::Receiver<Doubt>) {
        let mut seen: HashMap<(DestinationKey, Cause), Instant> = HashMap::new();
        while let Some(doubt) = doubts.recv().await {
            let about = (doubt.destination.clone(), doubt.diagnosis.cause);
            if seen.get(&about).is_some_and(|at| at.elapsed() < REST) {
                continue;
            }
            if seen.len() >= REMEMBERED {
                seen.retain(|_, at| at.elapsed() < REST);
            }
            seen.insert(about, Instant::now());
            // The attempt is being written down meanwhile.
            tokio::time::sleep(A_MOMENT).await;
            if let Err(error) = self.look(&doubt).await {
                tracing::warn!(id = %doubt.message, destination = %doubt.destination, %error,
                    "what was found about a failure cannot be kept");
            }
        }
    }

    async fn look(&self, doubt: &Doubt) -> Result<(), StoreError> {
        let subject = Subject {
            domain: doubt.recipient.domain().map(str::to_lowercase),
            address: Some(doubt.recipient.clone()),
        };
        let sender = Subject::parse(doubt.sender.as_str()).ok();
        let sender = sender.and_then(|from| Sender::of(&from, Vec::new(), true));
        let story = self.store.story(doubt.message).await?;
        let mut findings: Vec<Finding> = Vec::new();
        for check in &doubt.diagnosis.checks {
            let (store, destination) = (&*self.store, &doubt.destination);
            let of_queue = of_queue::look(*check, store, &story, destination).await?;
            let made = self.checker.verify(*check, &subject, sender.as_ref()).await;
            let new = made.iter().flat_map(|made| made.iter());
            for finding in of_queue.iter().chain(new) {
                // Several checks look at the same servers.
                if !findings.contains(finding) {
                    findings.push(finding.clone());
                }
            }
        }
        if findings.is_empty() {
            return Ok(());
        }
        let worst = findings.iter().map(|f| f.verdict).max();
        tracing::info!(id = %doubt.message, destination = %doubt.destination,
            cause = doubt.diagnosis.cause.id(), findings = findings.len(),
            worst = worst.map(diagnosis::Verdict::as_str), "looked at the cause of a failure");
        let verified = Verified {
            destination: doubt.destination.clone(),
            cause: doubt.diagnosis.cause,
            at: self.world.clock.now(),
            findings,
        };
        self.store.note_findings(verified).await
    }
}
