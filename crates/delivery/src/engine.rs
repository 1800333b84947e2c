//! The scheduler: lanes, their timers, and who may open a connection when.
//!
//! All of its state is behind one lock that is never held across a wait. Sessions (`session`) ask
//! it for work and tell it what came of it.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use dns::Resolver;
use jiff::Timestamp;
use parking_lot::Mutex;
use queue::policy::{Effect, PaceLimits};
use queue::{
    Body, Courier, DestinationKey, DueDestination, Intake, Lease, Message, MessageId, Recipient,
    Store, StoreError,
};
use tokio::sync::Notify;
use world::World;

use crate::Settings;
use crate::conclude::Conclusion;
use crate::lane::{Claim, Lane, Work};
use crate::session;

/// The sending role. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) world: World,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) settings: Settings,
    state: Mutex<State>,
    timers_changed: Notify,
    session_ended: Notify,
}

#[derive(Default)]
struct State {
    lanes: HashMap<DestinationKey, Lane>,
    timers: BTreeSet<(Timestamp, DestinationKey)>,
    /// Lanes that have work and wait for one of `max_sessions`.
    waiting: VecDeque<DestinationKey>,
    is_waiting: HashSet<DestinationKey>,
    sessions: usize,
    ready_bytes: usize,
    stopping: bool,
    /// The store fails to take records: nothing new is begun.
    store_fails: bool,
}

/// What a session does next.
pub(crate) enum Next {
    /// Send this.
    Work(Work),
    /// Read the store for more, then ask again.
    Read {
        claimed: Vec<Claim>,
        lease: Option<Lease>,
    },
    /// Wait for work, as long as an idle connection is worth keeping.
    Idle(Arc<Notify>),
    /// Close the connection; the session is over and must not ask again.
    End,
}

/// How many recipients are read from the store at once.
pub(crate) const READ_AT_ONCE: usize = 100;

impl Engine {
    /// Starts sending what the store has and what the courier brings. Within a tokio runtime.
    pub async fn start(
        world: World,
        store: Arc<dyn Store>,
        resolver: Arc<dyn Resolver>,
        settings: Settings,
    ) -> Result<Engine, StoreError> {
        let due = store.due_destinations().await?;
        let shared = Shared {
            world,
            store,
            resolver,
            settings,
            state: Mutex::new(State::default()),
            timers_changed: Notify::new(),
            session_ended: Notify::new(),
        };
        let engine = Engine {
            shared: Arc::new(shared),
        };
        engine.take_over(due);
        tokio::spawn(engine.clone().watch_timers());
        Ok(engine)
    }

    /// Where new messages go in.
    #[must_use]
    pub fn intake(&self) -> Intake {
        Intake::new(self.shared.store.clone(), Arc::new(self.clone()))
    }

    fn take_over(&self, due: Vec<DueDestination>) {
        let mut state = self.shared.state.lock();
        for DueDestination {
            destination,
            earliest,
            ..
        } in due
        {
            let key = destination.key.clone();
            state
                .lanes
                .insert(key.clone(), Lane::of(destination, earliest));
            self.pump(&mut state, &key);
        }
    }

    /// Ends sending: nothing new is begun, and what is under way may take `grace`. Answers how many
    /// sessions were cut off.
    pub async fn stop(&self, grace: Duration) -> usize {
        {
            let mut state = self.shared.state.lock();
            state.stopping = true;
            for lane in state.lanes.values() {
                lane.work_came.notify_waiters();
            }
        }
        self.shared.timers_changed.notify_one();
        let all_ended = async {
            loop {
                let ended = self.shared.session_ended.notified();
                if self.shared.state.lock().sessions == 0 {
                    return;
                }
                ended.await;
            }
        };
        // The time-out only bounds the wait; what is left is counted below.
        let _ = tokio::time::timeout(grace, all_ended).await;
        self.shared.state.lock().sessions
    }

    /// Looks at a destination again: something of it is due at `due` by the administrator's wish.
    pub fn wake(&self, key: &DestinationKey, due: Timestamp) {
        let mut state = self.shared.state.lock();
        let lane = lane_of(&mut state.lanes, key);
        lane.due_at(due);
        lane.pace.open();
        self.pump(&mut state, key);
    }

    /// Notes that the store has something for a destination that is due at `due`.
    pub fn look_again(&self, key: &DestinationKey, due: Timestamp) {
        let mut state = self.shared.state.lock();
        lane_of(&mut state.lanes, key).due_at(due);
        self.pump(&mut state, key);
    }

    /// Stops or lets go on a destination. To be called after the store was told.
    pub fn set_paused(&self, key: &DestinationKey, paused: bool) {
        let mut state = self.shared.state.lock();
        lane_of(&mut state.lanes, key).paused = paused;
        self.pump(&mut state, key);
    }

    /// Lets go of recipients that are not being sent at this moment, because the administrator
    /// changes them. To be called before the store is told, with `wake` after it where they stay
    /// queued. Those that are being sent are not touched: their outcome will be recorded.
    pub fn withdraw(&self, message: MessageId, only: Option<&[u32]>) {
        let mut state = self.shared.state.lock();
        let mut freed = 0;
        for lane in state.lanes.values_mut() {
            for work in lane.withdraw(message, only) {
                let claims: Vec<Claim> = work.claims().collect();
                freed += work.held_bytes();
                lane.conclude(claims);
            }
        }
        state.ready_bytes = state.ready_bytes.saturating_sub(freed);
    }

    /// Takes in hand those of a message's recipients that wait in this lane and that nobody is
    /// sending; answers which.
    pub(crate) fn claim_waiting(
        &self,
        key: &DestinationKey,
        message: MessageId,
        indexes: &[u32],
    ) -> Vec<u32> {
        self.withdraw(message, Some(indexes));
        let mut state = self.shared.state.lock();
        let lane = lane_of(&mut state.lanes, key);
        let mut free = indexes.to_vec();
        free.retain(|index| lane.claim_if_free((message, *index)));
        free
    }

    /// What the destination's last failure meant.
    pub(crate) fn destination_last(&self, key: &DestinationKey) -> Option<diagnosis::Diagnosis> {
        let mut state = self.shared.state.lock();
        lane_of(&mut state.lanes, key).last.clone()
    }

    /// How many connections are open or opening.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.shared.state.lock().sessions
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.world.clock.now()
    }

    // ---- what sessions ask and tell ----

    /// What a session of this lane does next. `connected` tells whether it has a connection that is
    /// worth keeping a while. After `Next::End` the session counts as ended.
    pub(crate) fn next(&self, key: &DestinationKey, connected: bool) -> Next {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        let now = self.now();
        let limits = self.limits();
        let may_go_on = !state.stopping && !state.store_fails;
        let others_wait = !state.waiting.is_empty();
        let lane = lane_of(&mut state.lanes, key);
        if may_go_on && lane.is_open(now) && !(others_wait && lane.sessions > 1) {
            if let Some(work) = lane.pop() {
                lane.hungry -= 1;
                lane.pace.begin(&limits, now);
                state.ready_bytes = state.ready_bytes.saturating_sub(work.held_bytes());
                self.pump(state, key);
                return Next::Work(work);
            }
            if lane.next_due.is_some_and(|due| due <= now)
                && let Some(claimed) = lane.begin_reading()
            {
                return Next::Read {
                    claimed,
                    lease: lane.lease.clone(),
                };
            }
            if connected && !others_wait {
                return Next::Idle(lane.work_came.clone());
            }
        }
        self.end_session(state, key);
        Next::End
    }

    /// A session has done its work and will ask for more.
    pub(crate) fn hungry_again(&self, key: &DestinationKey) {
        let mut state = self.shared.state.lock();
        lane_of(&mut state.lanes, key).hungry += 1;
    }

    /// An idle session gives up waiting; unless work came meanwhile, it is over.
    pub(crate) fn stop_idling(&self, key: &DestinationKey) -> bool {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        if lane_of(&mut state.lanes, key).ready() > 0 && !state.stopping {
            return false;
        }
        self.end_session(state, key);
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
    pub(crate) fn end_reading(
        &self,
        key: &DestinationKey,
        answer: Result<(Vec<queue::Queued>, Option<Timestamp>), StoreError>,
    ) {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        let now = self.now();
        let lane = lane_of(&mut state.lanes, key);
        match answer {
            Ok((found, next)) => {
                let count: usize = found.iter().map(|q| q.recipients.len()).sum();
                // Less than was asked for means that the rest is claimed or not yet due.
                let soonest = if count >= READ_AT_ONCE {
                    now
                } else {
                    later(now, A_MOMENT)
                };
                lane.end_reading(found, next.map(|next| next.max(soonest)));
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
        for other in lane.drain_ready() {
            state.ready_bytes = state.ready_bytes.saturating_sub(other.held_bytes());
            lane.give_back(other.claims(), due);
        }
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

    /// Applies to the lane at once what an attempt showed about its destination.
    pub(crate) fn learn(&self, key: &DestinationKey, conclusion: &Conclusion) {
        let limits = self.limits();
        let now = self.now();
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        let lane = lane_of(&mut state.lanes, key);
        if conclusion.delivered {
            lane.pace.went_well(&limits);
        }
        lane.pace.went_badly(&conclusion.effect, now);
        if let Some(update) = &conclusion.destination {
            lane.last.clone_from(&update.last);
        }
        if conclusion.destination.is_some() || conclusion.effect != Effect::NONE {
            self.pump(state, key);
        }
    }

    /// Failures in a row of a destination, and how many connections are open to it.
    pub(crate) fn destination_standing(&self, key: &DestinationKey) -> (u32, usize) {
        let mut state = self.shared.state.lock();
        let lane = lane_of(&mut state.lanes, key);
        (lane.pace.failures(), lane.sessions)
    }

    fn limits(&self) -> PaceLimits {
        PaceLimits {
            sessions: self.shared.settings.max_sessions_per_destination,
            rate: None,
        }
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

    pub(crate) fn is_stopping(&self) -> bool {
        self.shared.state.lock().stopping
    }

    // ---- scheduling ----

    /// Opens sessions for a lane as far as it has work and may; else sets its timer.
    fn pump(&self, state: &mut State, key: &DestinationKey) {
        let now = self.now();
        let settings = &self.shared.settings;
        let Some(lane) = state.lanes.get_mut(key) else {
            return;
        };
        if state.stopping || state.store_fails {
            return;
        }
        if lane.is_open(now) {
            let allowed = lane.allowed_sessions(&self.limits());
            let unread = lane.next_due.is_some_and(|due| due <= now);
            while lane.sessions < allowed
                && (lane.ready() > lane.hungry || unread && lane.hungry == 0)
            {
                if state.sessions >= settings.max_sessions {
                    if state.is_waiting.insert(key.clone()) {
                        state.waiting.push_back(key.clone());
                    }
                    return;
                }
                lane.sessions += 1;
                lane.hungry += 1;
                state.sessions += 1;
                tokio::spawn(session::run(self.clone(), key.clone()));
            }
            if lane.ready() > 0 || unread {
                return;
            }
        }
        match lane.wakes_at(now) {
            Some(at) if at > now => {
                let soonest = state.timers.first().is_none_or(|(first, _)| at < *first);
                if state.timers.insert((at, key.clone())) && soonest {
                    self.shared.timers_changed.notify_one();
                }
            }
            Some(_) | None => {}
        }
        if lane.is_forgettable() {
            state.lanes.remove(key);
        }
    }

    fn end_session(&self, state: &mut State, key: &DestinationKey) {
        state.sessions -= 1;
        let lane = lane_of(&mut state.lanes, key);
        lane.sessions -= 1;
        lane.hungry -= 1;
        self.pump(state, key);
        while state.sessions < self.shared.settings.max_sessions {
            let Some(next) = state.waiting.pop_front() else {
                break;
            };
            state.is_waiting.remove(&next);
            self.pump(state, &next);
        }
        self.shared.session_ended.notify_waiters();
    }

    /// Wakes lanes when their time has come.
    async fn watch_timers(self) {
        loop {
            let changed = self.shared.timers_changed.notified();
            let wait = {
                let mut guard = self.shared.state.lock();
                let state = &mut *guard;
                if state.stopping {
                    return;
                }
                let now = self.now();
                while state.timers.first().is_some_and(|(at, _)| *at <= now) {
                    if let Some((_, key)) = state.timers.pop_first() {
                        self.pump(state, &key);
                    }
                }
                state.timers.first().map(|(at, _)| wait_between(now, *at))
            };
            match wait {
                Some(wait) => tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = changed => {}
                },
                None => changed.await,
            }
        }
    }
}

/// How soon a lane is looked at again whose due recipients are all in hand.
const A_MOMENT: Duration = Duration::from_secs(1);
/// How soon the store is asked again after it failed.
pub(crate) const STORE_RETRY: Duration = Duration::from_secs(5);

/// How soon a destination is looked at again that another process has taken.
const FENCED_RETRY: Duration = Duration::from_secs(60);

pub(crate) fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

fn wait_between(now: Timestamp, at: Timestamp) -> Duration {
    // A millisecond more: the timer must not fire just before the time it is for.
    Duration::try_from(at.duration_since(now)).unwrap_or_default() + Duration::from_millis(1)
}

fn lane_of<'a>(lanes: &'a mut HashMap<DestinationKey, Lane>, key: &DestinationKey) -> &'a mut Lane {
    lanes.entry(key.clone()).or_insert_with(Lane::new)
}

impl Courier for Engine {
    fn announce(&self, message: MessageId, recipients: &[DestinationKey]) {
        let mut state = self.shared.state.lock();
        for (index, key) in recipients.iter().enumerate() {
            lane_of(&mut state.lanes, key).claim([(message, index as u32)]);
        }
    }

    fn accepted(&self, message: Arc<Message>, body: Body, recipients: Vec<Recipient>) {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        let now = self.now();
        let mut keys: Vec<DestinationKey> = Vec::new();
        for (key, recipients) in by_destination(recipients) {
            let lane = lane_of(&mut state.lanes, &key);
            let due = recipients.iter().filter_map(|r| r.next_attempt).max();
            let mut work = Work {
                message: message.clone(),
                recipients,
                body: Some(body.clone()),
            };
            let at_hand = lane.ready() < self.shared.settings.max_ready
                && due.is_none_or(|due| due <= now)
                && !state.stopping;
            if at_hand {
                if state.ready_bytes + work.held_bytes() > self.shared.settings.max_ready_bytes {
                    work.body = None;
                }
                state.ready_bytes += work.held_bytes();
                lane.push(work);
            } else {
                lane.give_back(work.claims(), due.unwrap_or(now));
            }
            keys.push(key);
        }
        for key in keys {
            self.pump(state, &key);
        }
    }

    fn withdrawn(&self, message: MessageId, recipients: &[DestinationKey]) {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        let due = later(self.now(), STORE_RETRY);
        for (index, key) in recipients.iter().enumerate() {
            lane_of(&mut state.lanes, key).give_back([(message, index as u32)], due);
        }
        for key in recipients {
            self.pump(state, key);
        }
    }
}

/// Groups by destination, in order of first occurrence.
fn by_destination(recipients: Vec<Recipient>) -> Vec<(DestinationKey, Vec<Recipient>)> {
    let mut groups: Vec<(DestinationKey, Vec<Recipient>)> = Vec::new();
    let mut places: HashMap<DestinationKey, usize> = HashMap::new();
    for recipient in recipients {
        let key = recipient.destination.clone();
        let place = *places.entry(key.clone()).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(recipient);
    }
    groups
}
