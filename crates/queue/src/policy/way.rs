//! The way from the queue to a server: through the pace of the destination, that of its provider, and our own
//! line. The relay's lanes and the simulator's go it with the same steps.

use std::ops::{Deref, DerefMut};

use jiff::Timestamp;

use super::decide::{Effect, History};
use super::kinds::Waits;
use super::line::Line;
use super::pace::{Pace, PaceLimits, Permit};

/// A pace, what the operator allows there, and how many connections are open.
#[derive(Clone, Copy, Debug)]
pub struct Part<P> {
    /// What it bears.
    pub pace: P,
    /// What the operator allows.
    pub limits: PaceLimits,
    /// Connections that are open or opening.
    pub open: usize,
}

/// The way to a destination.
#[derive(Clone, Copy, Debug)]
pub struct Way<P> {
    /// The destination.
    pub destination: Part<P>,
    /// Whoever runs its servers, where that is known.
    pub provider: Option<Part<P>>,
}

/// What keeps another connection from being opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// The time has not come.
    At(Timestamp),
    /// The destination's own connections are enough.
    Destination,
    /// Its provider's are.
    Provider,
    /// Our line bears no more.
    Line,
}

/// How a destination stands when an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    /// Failures in a row before.
    pub failures: u32,
    /// The same for its provider, where that is known.
    pub provider_failures: Option<u32>,
    /// Connections to the destination, the one of this attempt included, now or when it complained of them.
    pub sessions: u32,
    /// Whether it took three messages within the last ten minutes.
    pub took_lately: bool,
    /// Whether much was sent, to the destination or to its provider.
    pub sent_much: bool,
}

/// What an attempt changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// The provider takes mail again: all that wait for it may go on.
    pub provider_recovered: bool,
    /// The destination waits as a whole: what is at hand for it is put back.
    pub blocked: bool,
}

impl<P: Deref<Target = Pace>> Part<P> {
    /// Whether it bears another connection.
    #[must_use]
    pub fn session(&self, now: Timestamp) -> Permit {
        self.pace.session(self.open, &self.limits, now)
    }

    /// Whether more connections are open than it bears.
    fn is_over(&self) -> bool {
        self.open > self.pace.allowed_sessions(&self.limits)
    }
}

impl<P: Deref<Target = Pace>> Way<P> {
    /// What stands in the way of another connection; `line` is our own with what is open over it, unless the
    /// destination is on this machine.
    #[must_use]
    pub fn bar(&self, line: Option<(&Line, usize)>, now: Timestamp) -> Option<Bar> {
        let permits = [
            (self.destination.session(now), Bar::Destination),
            (
                self.provider
                    .as_ref()
                    .map_or(Permit::Go, |p| p.session(now)),
                Bar::Provider,
            ),
            (
                line.map_or(Permit::Go, |(line, open)| line.session(open, now)),
                Bar::Line,
            ),
        ];
        permits.into_iter().find_map(|(permit, full)| match permit {
            Permit::Go => None,
            Permit::Full => Some(full),
            Permit::At(at) => Some(Bar::At(at)),
        })
    }

    /// Whether a connection that is counted may stay: no more of them than are borne.
    #[must_use]
    pub fn may_stay(&self, now: Timestamp) -> bool {
        !self.destination.is_over() && self.may_connect(now)
    }

    /// Whether a connection that is counted may go on to its provider, which may have been found only now.
    #[must_use]
    pub fn may_connect(&self, now: Timestamp) -> bool {
        let provider = self.provider.as_ref();
        provider.is_none_or(|p| !p.pace.is_blocked(now) && !p.is_over())
    }

    /// Whether another message may begin on an open connection.
    #[must_use]
    pub fn message(&self, now: Timestamp) -> Permit {
        match (self.destination.pace.message(now), &self.provider) {
            (Permit::Go, Some(provider)) => provider.pace.message(now),
            (permit, _) => permit,
        }
    }

    /// How it stands, for a decision about an attempt that ends now.
    #[must_use]
    pub fn stand(&self, now: Timestamp) -> Stand {
        let (destination, provider) = (&self.destination, self.provider.as_ref());
        let open = destination.open.max(destination.pace.complained_of(now));
        Stand {
            failures: destination.pace.failures_before(now),
            provider_failures: provider.map(|provider| provider.pace.failures_before(now)),
            sessions: u32::try_from(open).unwrap_or(u32::MAX),
            took_lately: destination.pace.took_lately(now),
            sent_much: destination.pace.has_sent_much(now)
                || provider.is_some_and(|provider| provider.pace.has_sent_much(now)),
        }
    }
}

impl<P: DerefMut<Target = Pace>> Way<P> {
    /// A message begins.
    pub fn begin(&mut self, now: Timestamp) {
        let parts = [Some(&mut self.destination), self.provider.as_mut()];
        for part in parts.into_iter().flatten() {
            part.pace.begin(&part.limits, now);
        }
    }

    /// An attempt ended: something of it was taken, or failed with that effect, or both.
    pub fn ended(&mut self, taken: bool, effect: &Effect, now: Timestamp) -> Learnt {
        let mut learnt = Learnt::default();
        if taken {
            let destination = &mut self.destination;
            destination.pace.went_well(&destination.limits, now);
            if let Some(provider) = &mut self.provider {
                learnt.provider_recovered = provider.pace.went_well(&provider.limits, now);
            }
        }
        if matches!(effect.who, Waits::Destination | Waits::Provider) {
            let destination = &mut self.destination;
            destination.pace.went_badly(effect, destination.open, now);
            learnt.blocked = effect.block.is_some();
        }
        if let (Waits::Provider, Some(provider)) = (effect.who, &mut self.provider) {
            provider.pace.went_badly(effect, provider.open, now);
        }
        learnt
    }
}

impl Stand {
    /// The history with this in it.
    #[must_use]
    pub fn in_history(self, history: History) -> History {
        History {
            destination_failures: self.failures,
            provider_failures: self.provider_failures,
            sessions: self.sessions,
            took_lately: self.took_lately,
            sent_much: self.sent_much,
            ..history
        }
    }
}
