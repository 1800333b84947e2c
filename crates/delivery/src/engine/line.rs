//! Our own line: what sessions see of it, and what follows when it goes down or comes back.

use std::hash::{DefaultHasher, Hash, Hasher};

use diagnosis::{AddressDead, Alternative, Cause, Diagnosis, Evidence, EvidenceSource, Finality};
use jiff::Timestamp;
use queue::DestinationKey;
use queue::policy::LineChange;

use super::{Engine, State, lane_of};
use crate::lane::Claim;

/// What an attempt showed of our own line.
pub(crate) struct Seen {
    /// Since when it is down, if it is.
    pub(crate) down_since: Option<Timestamp>,
    /// Probes that failed since.
    pub(crate) failures: u32,
    change: Option<LineChange>,
}

impl Engine {
    /// A server away from this machine answered.
    pub(crate) async fn reached(&self, key: &DestinationKey) {
        let now = self.now();
        let change = {
            let mut guard = self.shared.state.lock();
            let state = &mut *guard;
            let whom = whom(state, key);
            let change = state.line.reached(whom, now);
            if let Some(LineChange::Up { since }) = change {
                self.line_came_back(state, since);
            } else if !state.waiting.is_empty() {
                self.wake_waiting(state);
            }
            change
        };
        self.note_line(change, now).await;
    }

    /// No server of the destination, which is away from this machine, could be reached.
    pub(crate) fn not_reached(&self, key: &DestinationKey) -> Seen {
        let now = self.now();
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        let whom = whom(state, key);
        let lane = lane_of(&mut state.lanes, key);
        lane.unreached_at = Some(now);
        let failures = lane.pace.failures();
        let change = state.line.not_reached(whom, failures, now);
        Seen {
            down_since: state.line.down_since(),
            failures: state.line.failures(),
            change,
        }
    }

    /// The failures since then were not the destinations' own: all lanes may go on, by and by. What
    /// was at hand is read again, since it may live longer now.
    fn line_came_back(&self, state: &mut State, since: Timestamp) {
        let now = self.now();
        let mut keys = Vec::new();
        for (key, lane) in &mut state.lanes {
            if lane.unreached_at.is_some_and(|at| at >= since) {
                lane.unreached_at = None;
                lane.pace.forgive();
            }
            for work in lane.drain_ready() {
                state.ready_bytes = state.ready_bytes.saturating_sub(work.held_bytes());
                let claims: Vec<Claim> = work.claims().collect();
                lane.give_back(claims, now);
            }
            keys.push(key.clone());
        }
        for key in keys {
            self.pump(state, &key);
        }
    }

    /// Writes down and logs what changed.
    pub(crate) async fn note_line(&self, change: Option<LineChange>, now: Timestamp) {
        let Some(change) = change else {
            return;
        };
        let since = match change {
            LineChange::Down {
                since,
                destinations,
            } => {
                tracing::error!(cause = Cause::OurLineDown.id(), %since, destinations,
                    "our own line is down: so many destinations cannot be reached and none can; \
                     nothing is sent but a few probes, and nothing expires meanwhile");
                since
            }
            LineChange::StillDown { since } => since,
            LineChange::Up { since } => {
                let seconds = now.duration_since(since).as_secs();
                tracing::warn!(%since, seconds, "our own line is back: sending goes on, by and by");
                since
            }
        };
        if let Err(error) = self.shared.store.note_outage(since, now).await {
            tracing::error!(%error, "that our own line is down cannot be written down");
        }
    }

    pub(crate) async fn note_seen(&self, seen: Option<&Seen>, now: Timestamp) {
        if let Some(seen) = seen {
            self.note_line(seen.change, now).await;
        }
    }
}

/// Who is meant for the line: the provider where it is known, so that many domains of one count once.
fn whom(state: &State, key: &DestinationKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    match state.lanes.get(key).and_then(|lane| lane.provider.as_ref()) {
        Some(provider) => provider.hash(&mut hasher),
        None => key.hash(&mut hasher),
    }
    hasher.finish()
}

/// The diagnosis while our own line is down: it is not them.
pub(crate) fn ours(of: Diagnosis, since: Timestamp) -> Diagnosis {
    let cause = Cause::OurLineDown;
    let mut evidence = of.evidence;
    evidence.push(Evidence {
        text: format!("no server of any destination could be reached since {since}"),
        source: EvidenceSource::Queue,
        span: None,
    });
    Diagnosis {
        cause,
        confidence: 0.9,
        scope: cause.scope(of.stage),
        responsible: cause.responsible(),
        finality: Finality::Transient,
        address_dead: AddressDead::False,
        sender_blocked: cause.blocks_sender(),
        evidence,
        alternatives: vec![Alternative {
            cause: of.cause,
            confidence: 0.1,
        }],
        checks: cause.checks().to_vec(),
        remedies: cause.remedies().to_vec(),
        hint: None,
        ..of
    }
}
