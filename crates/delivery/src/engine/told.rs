//! What sessions ask and tell.

use std::sync::Arc;
use std::time::Duration;

use diagnosis::Diagnosis;
use jiff::Timestamp;
use queue::policy::{Effect, History, Permit, Provider, Stand, Waits};
use queue::{DestinationKey, Lease, Queued, StoreError};

use super::schedule::Standing;
use super::{
    A_MOMENT, Engine, FENCED_RETRY, Next, READ_AT_ONCE, READ_FOR_A_PROBE, Reading, STORE_RETRY,
    State, lane_of, later,
};
use crate::conclude::Conclusion;
use crate::lane::{Claim, Work};

/// What came of a reading: what is due, when the next one is, and whose turn it was last.
pub(crate) type Answer = Result<queue::Due, StoreError>;

impl Engine {
    /// What a session of this lane does next. `connected` tells whether it has a connection that is
    /// worth keeping a while. After `Next::End` the session counts as ended.
    pub(crate) fn next(&self, key: &DestinationKey, standing: Standing, connected: bool) -> Next {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        let next = self.next_of(state, key, connected);
        if matches!(next, Next::End) {
            self.end_session(state, key, standing);
        }
        next
    }

    fn next_of(&self, state: &mut State, key: &DestinationKey, connected: bool) -> Next {
        let (now, settings) = (self.now(), &self.shared.settings);
        let others_wait = !state.waiting.is_empty();
        let lane = lane_of(&mut state.lanes, key);
        if state.stopping || state.store_fails || lane.paused || others_wait && lane.sessions > 1 {
            return Next::End;
        }
        let ready = lane.ready();
        let (way, _) = self.way_mut(state, key);
        if !way.may_stay(now) {
            return Next::End;
        }
        if let Permit::At(at) = way.message(now) {
            let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
            let may_wait = connected && wait <= settings.idle_keep && ready > 0;
            return match may_wait {
                true => Next::Pause(wait + Duration::from_millis(1)),
                false => Next::End,
            };
        }
        if let Some(work) = lane_of(&mut state.lanes, key).pop() {
            let (mut way, _) = self.way_mut(state, key);
            way.begin(now);
            lane_of(&mut state.lanes, key).hungry -= 1;
            state.ready_bytes = state.ready_bytes.saturating_sub(work.held_bytes());
            self.pump(state, key);
            return Next::Work(work);
        }
        let lane = lane_of(&mut state.lanes, key);
        let fails = lane.pace.failures() > 0;
        if lane.next_due.is_some_and(|due| due <= now)
            && let Some(claimed) = lane.begin_reading()
        {
            return Next::Read(Reading {
                claimed,
                lease: lane.lease.clone(),
                limit: if fails {
                    READ_FOR_A_PROBE
                } else {
                    READ_AT_ONCE
                },
                turn: lane.turn,
            });
        }
        match connected && !others_wait {
            true => Next::Idle(lane.work_came.clone()),
            false => Next::End,
        }
    }

    /// A session has done its work and will ask for more.
    pub(crate) fn hungry_again(&self, key: &DestinationKey) {
        let mut state = self.shared.state.lock();
        lane_of(&mut state.lanes, key).hungry += 1;
    }

    /// An idle session gives up waiting; unless work came meanwhile, it is over.
    pub(crate) fn stop_idling(&self, key: &DestinationKey, standing: Standing) -> bool {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        if lane_of(&mut state.lanes, key).ready() > 0 && !state.stopping {
            return false;
        }
        self.end_session(state, key, standing);
        true
    }

    pub(crate) fn set_lease(&self, key: &DestinationKey, lease: Lease) {
        let mut state = self.shared.state.lock();
        lane_of(&mut state.lanes, key).lease = Some(lease);
    }

    /// The lease, if it is taken, and the lock under which it is to be taken if not.
    pub(crate) fn lease_of(
        &self,
        key: &DestinationKey,
    ) -> (Option<Lease>, Arc<tokio::sync::Mutex<()>>) {
        let mut state = self.shared.state.lock();
        let lane = lane_of(&mut state.lanes, key);
        (lane.lease.clone(), lane.taking_lease.clone())
    }

    /// What a reading of the store found; on failure it is tried again a little later.
    pub(crate) fn end_reading(&self, key: &DestinationKey, answer: Answer) {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        let now = self.now();
        let room = self
            .shared
            .settings
            .max_ready_bytes
            .saturating_sub(state.ready_bytes);
        let lane = lane_of(&mut state.lanes, key);
        match answer {
            Ok(due) => {
                let count: usize = due.queued.iter().map(|q| q.recipients.len()).sum();
                // Without any, what is due may be claimed: it is looked at again in a moment.
                let soonest = if count > 0 { now } else { later(now, A_MOMENT) };
                lane.turn = due.turn;
                let found = within(due.queued, room);
                let held = lane.end_reading(found, due.next.map(|next| next.max(soonest)));
                state.ready_bytes += held;
            }
            Err(error) => {
                tracing::error!(destination = %key, %error, "the queue cannot be read");
                if matches!(error, StoreError::Fenced { .. }) {
                    lane.lease = None;
                }
                lane.end_reading(Vec::new(), Some(later(now, STORE_RETRY)));
            }
        }
        self.pump(state, key);
    }

    /// Work that was not begun goes back to the store's keeping, to be read again at `due`.
    pub(crate) fn give_back(&self, key: &DestinationKey, work: &Work, due: Timestamp) {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        lane_of(&mut state.lanes, key).give_back(work.claims(), due);
        self.pump(state, key);
    }

    /// Another process holds the destination: what is in hand here is no longer ours.
    pub(crate) fn fenced(&self, key: &DestinationKey, work: &Work) {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        let lane = lane_of(&mut state.lanes, key);
        lane.lease = None;
        let due = later(self.now(), FENCED_RETRY);
        lane.give_back(work.claims(), due);
        put_back(state, key, due);
        self.pump(state, key);
    }

    /// The rest of a message goes on at once in a next transaction.
    pub(crate) fn go_on(&self, key: &DestinationKey, work: Work) {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        state.ready_bytes += work.held_bytes();
        lane_of(&mut state.lanes, key).push_front(work);
        self.pump(state, key);
    }

    /// Whose servers these are, found on the way to them. Answers whether a connection may be opened:
    /// the provider may bear no more of them now.
    pub(crate) fn may_connect(&self, key: &DestinationKey, provider: Option<Provider>) -> bool {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        let now = self.now();
        let lane = lane_of(&mut state.lanes, key);
        let (before, sessions) = (lane.provider.clone(), lane.sessions);
        if before != provider {
            lane.provider.clone_from(&provider);
            for _ in 0..sessions {
                if let Some(before) = &before {
                    state.providers.closed(before);
                }
            }
            if let Some(now_of) = &provider {
                state.providers.opened(now_of, sessions);
            }
        }
        let (way, _) = self.way_mut(state, key);
        way.may_connect(now)
    }

    /// Applies at once what an attempt showed about the destination and its provider.
    pub(crate) fn learn(&self, key: &DestinationKey, conclusion: &Conclusion) {
        let now = self.now();
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        let effect = &conclusion.effect;
        let (mut way, _) = self.way_mut(state, key);
        let learnt = way.ended(conclusion.delivered, effect, now);
        let lane = lane_of(&mut state.lanes, key);
        let provider = lane.provider.clone();
        lane.proven = (lane.proven || conclusion.delivered) && !learnt.blocked;
        if learnt.blocked {
            put_back(state, key, now);
        }
        if let Some(provider) = &provider {
            if learnt.provider_recovered {
                tracing::info!(%provider, "the provider takes mail again");
            }
            if effect.who == Waits::Provider {
                let until = effect.block.map(|block| block.until.to_string());
                tracing::warn!(%provider, until, "all destinations of this provider slow down");
            }
        }
        if let Some(provider) = &provider {
            self.wake_provider(state, provider);
        }
        if conclusion.destination.is_some() || *effect != Effect::NONE {
            self.pump(state, key);
        }
    }

    /// How a destination stands for an attempt that ends now.
    pub(crate) fn stand(&self, key: &DestinationKey) -> Stand {
        let now = self.now();
        let mut guard = self.shared.state.lock();
        let (way, _) = self.way_mut(&mut guard, key);
        way.stand(now)
    }

    /// How long what failed so had better wait, if that was learnt.
    pub(crate) fn learnt_wait(
        &self,
        key: &DestinationKey,
        diagnosis: &Diagnosis,
        last: Option<&Diagnosis>,
        history: &History,
    ) -> Option<Duration> {
        let mut guard = self.shared.state.lock();
        let (_, put_off) = self.way_mut(&mut guard, key);
        put_off.wait(diagnosis, last, history)
    }

    /// What had failed so was taken.
    pub(crate) fn learn_wait(&self, key: &DestinationKey, last: &Diagnosis, history: &History) {
        let mut guard = self.shared.state.lock();
        let (_, put_off) = self.way_mut(&mut guard, key);
        put_off.went_well(last, history);
    }

    /// An attempt is recorded: its claims end, and `retries` tells when some are due again.
    pub(crate) fn recorded(
        &self,
        key: &DestinationKey,
        concluded: Vec<Claim>,
        retries: impl IntoIterator<Item = Timestamp>,
    ) {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        let lane = lane_of(&mut state.lanes, key);
        lane.conclude(concluded);
        for at in retries {
            lane.due_at(at);
        }
        self.pump(state, key);
    }

    /// Whether the store takes records. While it does not, no attempt begins.
    pub(crate) fn set_store_fails(&self, fails: bool) {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        if std::mem::replace(&mut state.store_fails, fails) && !fails {
            let keys: Vec<_> = state.lanes.keys().cloned().collect();
            for key in keys {
                self.pump(state, &key);
            }
        }
    }
}

/// What a lane has at hand goes back to the store's keeping.
fn put_back(state: &mut State, key: &DestinationKey, due: Timestamp) {
    let lane = lane_of(&mut state.lanes, key);
    for work in lane.drain_ready() {
        state.ready_bytes = state.ready_bytes.saturating_sub(work.held_bytes());
        lane.give_back(work.claims(), due);
    }
}

/// Leaves content out that is more than there is room for: it is read when its turn comes.
fn within(mut found: Vec<Queued>, mut room: usize) -> Vec<Queued> {
    for queued in &mut found {
        let held = match &queued.body {
            Some(queue::Body::Inline(bytes)) => bytes.len(),
            Some(queue::Body::File(_)) | None => 0,
        };
        if held > room {
            queued.body = None;
        } else {
            room -= held;
        }
    }
    found
}
