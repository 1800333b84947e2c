//! The providers behind the destinations: what each bears, and which lanes wait for it.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use queue::DestinationKey;
use queue::policy::{Effect, Pace, PaceLimits, Permit, Provider};

use super::schedule::Pumped;
use super::{Engine, State, lane_of};

/// Connections to a provider at first: it has many domains, each of which begins with a few.
const FIRST_SESSIONS: usize = 20;
/// More than this many are not remembered where nothing is known against them.
const REMEMBERED: usize = 10_000;

#[derive(Default)]
pub(super) struct Providers(HashMap<Provider, Standing>);

struct Standing {
    pace: Pace,
    sessions: usize,
    waiting: VecDeque<DestinationKey>,
}

impl Providers {
    fn of(&mut self, provider: &Provider) -> &mut Standing {
        if self.0.len() >= REMEMBERED && !self.0.contains_key(provider) {
            self.0.retain(|_, standing| {
                standing.sessions > 0
                    || standing.pace.failures() > 0
                    || standing.pace.learnt_rate().is_some()
                    || !standing.waiting.is_empty()
            });
        }
        self.0.entry(provider.clone()).or_insert_with(|| Standing {
            pace: Pace::new(FIRST_SESSIONS),
            sessions: 0,
            waiting: VecDeque::new(),
        })
    }

    pub(super) fn session(
        &self,
        provider: &Provider,
        limits: &PaceLimits,
        now: Timestamp,
    ) -> Permit {
        self.0.get(provider).map_or(Permit::Go, |standing| {
            standing.pace.session(standing.sessions, limits, now)
        })
    }

    /// Whether the connections that are open are more than it bears.
    pub(super) fn is_over(&self, provider: &Provider, limits: &PaceLimits, now: Timestamp) -> bool {
        self.0.get(provider).is_some_and(|standing| {
            standing.pace.is_blocked(now)
                || standing.sessions > standing.pace.allowed_sessions(limits)
        })
    }

    pub(super) fn message(&self, provider: &Provider, now: Timestamp) -> Permit {
        let standing = self.0.get(provider);
        standing.map_or(Permit::Go, |standing| standing.pace.message(now))
    }

    pub(super) fn begin(&mut self, provider: &Provider, limits: &PaceLimits, now: Timestamp) {
        self.of(provider).pace.begin(limits, now);
    }

    pub(super) fn opened(&mut self, provider: &Provider, count: usize) {
        self.of(provider).sessions += count;
    }

    pub(super) fn closed(&mut self, provider: &Provider) {
        let standing = self.of(provider);
        standing.sessions = standing.sessions.saturating_sub(1);
    }

    pub(super) fn failures(&self, provider: &Provider) -> u32 {
        self.0.get(provider).map_or(0, |s| s.pace.failures())
    }

    pub(super) fn went_well(&mut self, provider: &Provider, limits: &PaceLimits) -> bool {
        self.of(provider).pace.went_well(limits)
    }

    pub(super) fn went_badly(&mut self, provider: &Provider, effect: &Effect, now: Timestamp) {
        self.of(provider).pace.went_badly(effect, now);
    }

    pub(super) fn open(&mut self, provider: &Provider) {
        self.of(provider).pace.open();
    }

    pub(super) fn park(&mut self, provider: &Provider, key: DestinationKey) {
        self.of(provider).waiting.push_back(key);
    }

    fn next_waiting(&mut self, provider: &Provider) -> Option<DestinationKey> {
        self.0.get_mut(provider)?.waiting.pop_front()
    }
}

impl Engine {
    /// Lets lanes of a provider go on that wait for it, as far as it bears them. While it is blocked
    /// the first of them gets the time at which it may probe.
    pub(super) fn wake_provider(&self, state: &mut State, provider: &Provider) {
        let settings = &self.shared.settings;
        let limits = settings.limits.of_provider(provider, settings);
        let now = self.now();
        let mut timed = false;
        loop {
            match state.providers.session(provider, &limits, now) {
                Permit::Go => {}
                Permit::At(_) if !timed => {}
                Permit::At(_) | Permit::Full => return,
            }
            let Some(next) = state.providers.next_waiting(provider) else {
                return;
            };
            lane_of(&mut state.lanes, &next).parked = None;
            match self.pump(state, &next) {
                Pumped::Timed => timed = true,
                // It waits for something else by now, or has nothing to wait for.
                Pumped::Parked | Pumped::Served => {}
            }
        }
    }
}
