//! The scheduler: lanes, their timers, and who may open a connection when.
//!
//! All of its state is behind one lock that is never held across a wait. Sessions (`session`) ask
//! it for work and tell it what came of it (`engine/told`); who may open a connection is
//! `engine/schedule`, from what the pace of the destination and its provider, our own line and the
//! administrator allow.

mod courier;
pub(crate) mod line;
mod providers;
mod schedule;
pub(crate) mod told;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use dns::Resolver;
use jiff::Timestamp;
use parking_lot::Mutex;
use queue::policy::Line;
use queue::{DestinationKey, Intake, Lease, MessageId, Store, StoreError, Waiting};
use tokio::sync::Notify;
use world::World;

use crate::Settings;
use crate::lane::{Claim, Lane, Work};
use crate::report::delay::{self, Appointments};
use providers::Providers;
use schedule::Queues;

pub(crate) use schedule::Standing;

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
    /// Messages at whose delay it is looked at a time of their own.
    appointments: Mutex<Appointments>,
}

#[derive(Default)]
struct State {
    lanes: HashMap<DestinationKey, Lane>,
    timers: BTreeSet<(Timestamp, DestinationKey)>,
    /// Lanes that have work and wait for a connection to be free.
    waiting: Queues,
    providers: Providers,
    line: Line,
    /// Connections, by what they were opened for.
    sessions: [usize; Standing::COUNT],
    ready_bytes: usize,
    stopping: bool,
    /// The store fails to take records: nothing new is begun.
    store_fails: bool,
}

impl State {
    fn all_sessions(&self) -> usize {
        self.sessions.iter().sum()
    }
}

/// What a session does next.
pub(crate) enum Next {
    /// Send this.
    Work(Work),
    /// Read the store for more, then ask again.
    Read(Reading),
    /// Wait for work, as long as an idle connection is worth keeping.
    Idle(Arc<Notify>),
    /// Wait so long, then ask again: the destination bears no more messages in a time.
    Pause(Duration),
    /// Close the connection; the session is over and must not ask again.
    End,
}

/// A reading of the store for a lane.
pub(crate) struct Reading {
    pub(crate) claimed: Vec<Claim>,
    pub(crate) lease: Option<Lease>,
    pub(crate) limit: usize,
    /// Whose turn it was last.
    pub(crate) turn: Option<i64>,
}

/// How many recipients are read from the store at once.
pub(crate) const READ_AT_ONCE: usize = 100;
/// The same for a destination that fails: the probe, and a few that may follow.
const READ_FOR_A_PROBE: usize = 4;
/// How soon a lane is looked at again whose due recipients are all in hand.
const A_MOMENT: Duration = Duration::from_millis(50);
/// How soon the store is asked again after it failed.
pub(crate) const STORE_RETRY: Duration = Duration::from_secs(5);
/// How soon a destination is looked at again that another process has taken.
const FENCED_RETRY: Duration = Duration::from_secs(60);

impl Engine {
    /// Starts sending what the store has and what the courier brings. Within a tokio runtime.
    pub async fn start(
        world: World,
        store: Arc<dyn Store>,
        resolver: Arc<dyn Resolver>,
        settings: Settings,
    ) -> Result<Engine, StoreError> {
        let waiting = store.waiting().await?;
        let shared = Shared {
            world,
            store,
            resolver,
            settings,
            state: Mutex::new(State::default()),
            timers_changed: Notify::new(),
            session_ended: Notify::new(),
            appointments: Mutex::default(),
        };
        let engine = Engine {
            shared: Arc::new(shared),
        };
        engine.take_over(waiting);
        tokio::spawn(engine.clone().watch_timers());
        tokio::spawn(delay::watch(engine.clone()));
        Ok(engine)
    }

    /// Where new messages go in.
    #[must_use]
    pub fn intake(&self) -> Intake {
        Intake::new(self.shared.store.clone(), Arc::new(self.clone()))
    }

    fn take_over(&self, waiting: Vec<Waiting>) {
        let mut state = self.shared.state.lock();
        for one in waiting {
            let lane = Lane::of(&one);
            state.lanes.insert(one.key.clone(), lane);
            self.pump(&mut state, &one.key);
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
                if self.sessions() == 0 {
                    return;
                }
                ended.await;
            }
        };
        // The time-out only bounds the wait; what is left is counted below.
        let _ = tokio::time::timeout(grace, all_ended).await;
        self.sessions()
    }

    /// Looks at a destination again: something of it is due at `due` by the administrator's wish.
    pub fn wake(&self, key: &DestinationKey, due: Timestamp) {
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        let lane = lane_of(&mut state.lanes, key);
        lane.due_at(due);
        lane.pace.open();
        if let Some(provider) = lane.provider.clone() {
            state.providers.open(&provider);
        }
        self.pump(state, key);
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

    /// Looks at a message's delay at that time.
    pub(crate) fn appoint(&self, at: Timestamp, id: MessageId) {
        self.shared.appointments.lock().insert((at, id));
    }

    /// The messages whose delay is to be looked at now.
    pub(crate) fn appointments_due(&self, now: Timestamp) -> Vec<MessageId> {
        let mut all = self.shared.appointments.lock();
        let mut due = Vec::new();
        while all.first().is_some_and(|(at, _)| *at <= now) {
            due.extend(all.pop_first().map(|(_, id)| id));
        }
        due
    }

    /// How many connections are open or opening.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.shared.state.lock().all_sessions()
    }

    /// Since when our own line is down, if it is.
    #[must_use]
    pub fn line_down_since(&self) -> Option<Timestamp> {
        self.shared.state.lock().line.down_since()
    }

    /// How many connections to a destination are open or opening.
    pub(crate) fn sessions_of(&self, key: &DestinationKey) -> u32 {
        let mut state = self.shared.state.lock();
        let sessions = lane_of(&mut state.lanes, key).sessions;
        u32::try_from(sessions).unwrap_or(u32::MAX)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.world.clock.now()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.shared.state.lock().stopping
    }
}

pub(crate) fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

fn lane_of<'a>(lanes: &'a mut HashMap<DestinationKey, Lane>, key: &DestinationKey) -> &'a mut Lane {
    lanes.entry(key.clone()).or_insert_with(|| Lane::new(key))
}
