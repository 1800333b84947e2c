//! The providers behind the destinations: what each bears, and which lanes wait for it.

use std::collections::{HashMap, VecDeque};

use queue::DestinationKey;
use queue::policy::{Pace, PaceLimits, Part, Permit, Provider};

use super::schedule::Pumped;
use super::{Engine, State, lane_of};

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
                    || standing.pace.has_learnt()
                    || !standing.waiting.is_empty()
            });
        }
        self.0.entry(provider.clone()).or_insert_with(|| Standing {
            pace: Pace::of_provider(),
            sessions: 0,
            waiting: VecDeque::new(),
        })
    }

    /// Its part of the way to the servers; `None` where nothing is known of it.
    pub(super) fn part(&self, provider: &Provider, limits: PaceLimits) -> Option<Part<&Pace>> {
        self.0.get(provider).map(|standing| Part {
            pace: &standing.pace,
            limits,
            open: standing.sessions,
        })
    }

    /// The same, to learn.
    pub(super) fn part_mut(&mut self, provider: &Provider, limits: PaceLimits) -> Part<&mut Pace> {
        let standing = self.of(provider);
        Part {
            pace: &mut standing.pace,
            limits,
            open: standing.sessions,
        }
    }

    pub(super) fn opened(&mut self, provider: &Provider, count: usize) {
        self.of(provider).sessions += count;
    }

    pub(super) fn closed(&mut self, provider: &Provider) {
        let standing = self.of(provider);
        standing.sessions = standing.sessions.saturating_sub(1);
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
            let part = state.providers.part(provider, limits);
            match part.map_or(Permit::Go, |part| part.session(now)) {
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
