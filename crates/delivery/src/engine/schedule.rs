//! Who may open a connection, and when.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use queue::DestinationKey;
use queue::policy::{self, Pace, Part, PutOff, Way};

use super::{Engine, State, lane_of};
use crate::lane::Lane;
use crate::session;

/// What a connection is opened for. What is likely to go through is not kept waiting by what is not:
/// each has its share of all connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Mail that has just come, or a destination that has just taken some.
    Fresh,
    /// What was queued before.
    Backlog,
    /// A destination that fails: a probe.
    Failing,
}

impl Standing {
    pub(crate) const COUNT: usize = 3;
    const ALL: [Standing; Standing::COUNT] =
        [Standing::Fresh, Standing::Backlog, Standing::Failing];

    fn of(lane: &Lane) -> Standing {
        if lane.pace.failures() > 0 {
            Standing::Failing
        } else if lane.has_fresh() || lane.proven {
            Standing::Fresh
        } else {
            Standing::Backlog
        }
    }

    /// Its share of the connections. Those for probes may wait for a long time for an answer.
    fn share(self, all: usize) -> usize {
        match self {
            Standing::Fresh => all,
            Standing::Backlog => (all * 3 / 4).max(1),
            Standing::Failing => (all / 2).max(1),
        }
    }
}

/// Lanes that wait for a connection, by what they need it for.
#[derive(Debug, Default)]
pub(super) struct Queues([VecDeque<DestinationKey>; Standing::COUNT]);

impl Queues {
    fn push(&mut self, standing: Standing, key: DestinationKey) {
        self.0[standing as usize].push_back(key);
    }

    fn pop(&mut self, standing: Standing) -> Option<DestinationKey> {
        self.0[standing as usize].pop_front()
    }

    fn len(&self) -> usize {
        self.0.iter().map(VecDeque::len).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a lane cannot open a connection now.
enum Bar {
    /// Not before this time.
    At(Timestamp),
    /// Its own connections are enough.
    Lane,
    /// Its provider's are.
    Provider,
    /// All connections together are.
    All,
}

/// What became of a lane that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pumped {
    /// It has a timer.
    Timed,
    /// It waits for others to end.
    Parked,
    /// It has what it needs.
    Served,
}

impl Engine {
    /// Opens sessions for a lane as far as it has work and may; else sees to it that it is looked at
    /// again.
    pub(super) fn pump(&self, state: &mut State, key: &DestinationKey) -> Pumped {
        if state.stopping || state.store_fails {
            return Pumped::Served;
        }
        let now = self.now();
        loop {
            let Some(lane) = state.lanes.get(key) else {
                return Pumped::Served;
            };
            let unread = lane.next_due.is_some_and(|due| due <= now);
            let has_work = lane.ready() > lane.hungry || unread && lane.hungry == 0;
            if lane.paused || !has_work {
                break;
            }
            match self.bar(state, lane, key, now) {
                None => self.open(state, key),
                Some(Bar::At(at)) => {
                    self.set_timer(state, at, key);
                    return Pumped::Timed;
                }
                Some(Bar::Lane) => return Pumped::Served,
                Some(bar) => return park(state, key, &bar),
            }
        }
        let Some(lane) = state.lanes.get(key) else {
            return Pumped::Served;
        };
        match lane.wakes_at(now) {
            Some(at) if at > now => self.set_timer(state, at, key),
            Some(_) | None => {}
        }
        if let Some(lane) = state.lanes.get(key)
            && lane.is_forgettable()
        {
            // The time of the next message is kept: the operator's rate holds for what comes, too.
            match lane.pace.opens_at(now) {
                Some(at) => self.set_timer(state, at, key),
                None => {
                    state.lanes.remove(key);
                }
            }
        }
        Pumped::Served
    }

    fn set_timer(&self, state: &mut State, at: Timestamp, key: &DestinationKey) {
        let soonest = state.timers.first().is_none_or(|(first, _)| at < *first);
        if state.timers.insert((at, key.clone())) && soonest {
            self.shared.timers_changed.notify_one();
        }
    }

    /// What stands between the lane and another connection.
    fn bar(&self, state: &State, lane: &Lane, key: &DestinationKey, now: Timestamp) -> Option<Bar> {
        let line = (!lane.on_this_machine).then(|| (&state.line, state.all_sessions()));
        match self.way(state, lane, key).bar(line, now) {
            None => {}
            Some(policy::Bar::At(at)) => return Some(Bar::At(at)),
            Some(policy::Bar::Destination) => return Some(Bar::Lane),
            Some(policy::Bar::Provider) => return Some(Bar::Provider),
            Some(policy::Bar::Line) => return Some(Bar::All),
        }
        let standing = Standing::of(lane);
        (!self.has_room(state, standing)).then_some(Bar::All)
    }

    /// The way of a lane to its servers.
    pub(super) fn way<'a>(
        &self,
        state: &'a State,
        lane: &'a Lane,
        key: &DestinationKey,
    ) -> Way<&'a Pace> {
        let settings = &self.shared.settings;
        let provider = lane.provider.as_ref();
        Way {
            destination: Part {
                pace: &lane.pace,
                limits: settings.limits.of_destination(key, settings),
                open: lane.sessions,
            },
            provider: provider.and_then(|provider| {
                let limits = settings.limits.of_provider(provider, settings);
                state.providers.part(provider, limits)
            }),
        }
    }

    /// The same, to learn.
    pub(super) fn way_mut<'a>(
        &self,
        state: &'a mut State,
        key: &DestinationKey,
    ) -> (Way<&'a mut Pace>, &'a mut PutOff) {
        let settings = &self.shared.settings;
        let lane = lane_of(&mut state.lanes, key);
        let providers = &mut state.providers;
        let provider = lane.provider.as_ref().map(|provider| {
            let limits = settings.limits.of_provider(provider, settings);
            providers.part_mut(provider, limits)
        });
        let limits = settings.limits.of_destination(key, settings);
        let way = Way {
            destination: Part {
                pace: &mut lane.pace,
                limits,
                open: lane.sessions,
            },
            provider,
        };
        (way, &mut lane.put_off)
    }

    fn has_room(&self, state: &State, standing: Standing) -> bool {
        let all = self.shared.settings.max_sessions;
        let used = match standing {
            Standing::Fresh => state.all_sessions(),
            Standing::Backlog => {
                state.sessions[Standing::Backlog as usize]
                    + state.sessions[Standing::Failing as usize]
            }
            Standing::Failing => state.sessions[Standing::Failing as usize],
        };
        used < standing.share(all) && state.all_sessions() < all
    }

    fn open(&self, state: &mut State, key: &DestinationKey) {
        let lane = lane_of(&mut state.lanes, key);
        let standing = Standing::of(lane);
        lane.sessions += 1;
        lane.hungry += 1;
        if let Some(provider) = &lane.provider {
            state.providers.opened(provider, 1);
        }
        state.sessions[standing as usize] += 1;
        tokio::spawn(session::run(self.clone(), key.clone(), standing));
    }

    pub(super) fn end_session(&self, state: &mut State, key: &DestinationKey, standing: Standing) {
        state.sessions[standing as usize] -= 1;
        let lane = lane_of(&mut state.lanes, key);
        lane.sessions -= 1;
        lane.hungry -= 1;
        let provider = lane.provider.clone();
        if let Some(provider) = &provider {
            state.providers.closed(provider);
        }
        self.pump(state, key);
        if let Some(provider) = &provider {
            self.wake_provider(state, provider);
        }
        self.wake_waiting(state);
        self.shared.session_ended.notify_waiters();
    }

    /// Gives free connections to the lanes that wait for one, the most promising first.
    pub(super) fn wake_waiting(&self, state: &mut State) {
        for standing in Standing::ALL {
            while self.has_room(state, standing) {
                let Some(next) = state.waiting.pop(standing) else {
                    break;
                };
                lane_of(&mut state.lanes, &next).parked = None;
                let before = state.waiting.len();
                // Parked here again: whatever bars it bars the others, too.
                if self.pump(state, &next) == Pumped::Parked && state.waiting.len() > before {
                    break;
                }
            }
        }
    }

    /// Wakes lanes when their time has come.
    pub(super) async fn watch_timers(self) {
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

/// Puts a lane where it is found again when a connection is free.
fn park(state: &mut State, key: &DestinationKey, bar: &Bar) -> Pumped {
    let lane = lane_of(&mut state.lanes, key);
    let standing = Standing::of(lane);
    // What was queued as less urgent takes a second place as more urgent.
    if lane.parked == Some(standing) || lane.parked == Some(Standing::Fresh) {
        return Pumped::Parked;
    }
    lane.parked = Some(standing);
    match (bar, lane.provider.clone()) {
        (Bar::Provider, Some(provider)) => state.providers.park(&provider, key.clone()),
        _ => state.waiting.push(standing, key.clone()),
    }
    Pumped::Parked
}

fn wait_between(now: Timestamp, at: Timestamp) -> Duration {
    // A millisecond more: the timer must not fire just before the time it is for.
    Duration::try_from(at.duration_since(now)).unwrap_or_default() + Duration::from_millis(1)
}
