//! Ours: the table and the machines of `queue::policy`, which the relay runs. What is here is what lanes do
//! with them (`delivery::lane`, `delivery::engine`), on a virtual clock.

mod gate;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use diagnosis::{Cause, Diagnosis, Scope};
use queue::Decision;
use queue::policy::{self, Effect, History, Line, LineChange, Pace, PaceLimits, Permit, Waits};

use super::Policy;
use crate::answer::AnswerId;
use crate::clock::{Millis, days, moment, timestamp};
use crate::desk::{Desk, Wake};
use crate::traffic::MessageId;
use gate::Gate;

/// How long mail is kept, as the relay does by default.
const LIFETIME: Millis = days(5);
/// Connections to a destination at first, and at most: the defaults of `delivery`.
const FIRST_SESSIONS: usize = 5;
const LIMITS: PaceLimits = PaceLimits {
    sessions: 20,
    rate: None,
};
/// The same for all destinations of a provider together.
const PROVIDER_FIRST: usize = 20;
const PROVIDER_LIMITS: PaceLimits = PaceLimits {
    sessions: 50,
    rate: None,
};

#[derive(Debug)]
struct Lane {
    pace: Pace,
    sending: usize,
    due: BinaryHeap<Reverse<(Millis, MessageId)>>,
    /// In the order in which they came; those that ended are still in it.
    oldest: VecDeque<MessageId>,
    /// When this lane is to be woken, if it is.
    wakes: Option<Millis>,
    /// When no connection to it came about last.
    unreached_at: Option<Millis>,
}

impl Lane {
    fn new() -> Lane {
        Lane {
            pace: Pace::new(FIRST_SESSIONS),
            sending: 0,
            due: BinaryHeap::new(),
            oldest: VecDeque::new(),
            wakes: None,
            unreached_at: None,
        }
    }

    fn wake_at(&mut self, desk: &mut Desk, at: Millis, destination: u32) {
        if self.wakes.is_none_or(|wakes| at < wakes) {
            self.wakes = Some(at);
            desk.wake_at(at, Wake::Destination(destination));
        }
    }
}

pub(crate) struct Ours {
    lanes: Vec<Lane>,
    providers: Vec<Gate<Pace>>,
    line: Gate<Line>,
    attempts: Vec<u32>,
}

impl Ours {
    pub(crate) fn new(destinations: u32, providers: u32, messages: u32) -> Ours {
        let provider = |_| Gate::new(Pace::new(PROVIDER_FIRST));
        Ours {
            lanes: (0..destinations).map(|_| Lane::new()).collect(),
            providers: (0..providers).map(provider).collect(),
            line: Gate::new(Line::default()),
            attempts: vec![0; messages as usize],
        }
    }

    fn provider(&self, destination: u32) -> usize {
        destination as usize % self.providers.len()
    }

    /// Whether the lane may begin one more; else it is noted who tells it when it may.
    fn may_begin(&mut self, desk: &mut Desk, destination: u32) -> bool {
        let now = timestamp(desk.now());
        let place = self.provider(destination);
        let lane = &mut self.lanes[destination as usize];
        let provider = &mut self.providers[place];
        let permits = [
            lane.pace.session(lane.sending, &LIMITS, now),
            provider
                .machine
                .session(provider.open, &PROVIDER_LIMITS, now),
            self.line.machine.session(self.line.open, now),
        ];
        for (stage, permit) in permits.into_iter().enumerate() {
            match permit {
                Permit::Go => {}
                Permit::At(at) => {
                    // A millisecond more: times of the machines are finer than the clock.
                    lane.wake_at(desk, moment(at).max(desk.now()) + 1, destination);
                    return false;
                }
                Permit::Full => {
                    match stage {
                        0 => {}
                        1 => provider.stall(destination),
                        _ => self.line.stall(destination),
                    }
                    return false;
                }
            }
        }
        true
    }

    fn pump(&mut self, desk: &mut Desk, destination: u32) {
        loop {
            let lane = &mut self.lanes[destination as usize];
            let Some(Reverse((at, id))) = lane.due.peek().copied() else {
                return;
            };
            if !desk.is_waiting(id) {
                lane.due.pop();
                continue;
            }
            if at > desk.now() {
                lane.wake_at(desk, at, destination);
                return;
            }
            if !self.may_begin(desk, destination) {
                return;
            }
            self.begin(desk, destination, id);
        }
    }

    fn begin(&mut self, desk: &mut Desk, destination: u32, id: MessageId) {
        let now = timestamp(desk.now());
        let place = self.provider(destination);
        let lane = &mut self.lanes[destination as usize];
        lane.due.pop();
        lane.sending += 1;
        lane.pace.begin(&LIMITS, now);
        let provider = &mut self.providers[place];
        provider.open += 1;
        provider.machine.begin(&PROVIDER_LIMITS, now);
        self.line.open += 1;
        desk.try_now(id);
    }

    /// What the connection says of our line. Answers whether it is down.
    fn watch_line(&mut self, desk: &mut Desk, destination: u32, reached: bool) -> bool {
        let now = timestamp(desk.now());
        // Many domains of one provider count once.
        let to = self.provider(destination) as u64;
        let failures = self.lanes[destination as usize].pace.failures();
        if !reached {
            self.lanes[destination as usize].unreached_at = Some(desk.now());
        }
        let change = if reached {
            self.line.machine.reached(to, now)
        } else {
            self.line.machine.not_reached(to, failures, now)
        };
        if let Some(LineChange::Up { since }) = change {
            // What failed since then was not the destinations' doing.
            let since = moment(since);
            for lane in &mut self.lanes {
                if lane.unreached_at.is_some_and(|at| at >= since) {
                    lane.unreached_at = None;
                    lane.pace.forgive();
                }
            }
            for lane in 0..self.lanes.len() as u32 {
                self.pump(desk, lane);
            }
        }
        self.line.machine.down_since().is_some()
    }

    /// What the policy decides of a failure, and what that does to what is sent.
    fn decide(
        &mut self,
        desk: &mut Desk,
        id: MessageId,
        diagnosis: &Diagnosis,
    ) -> (Decision, Effect) {
        let jitter = desk.chance().unit();
        let message = *desk.message(id);
        let place = self.provider(message.destination);
        let attempts = &mut self.attempts[id as usize];
        *attempts += 1;
        let lane = &mut self.lanes[message.destination as usize];
        let history = History {
            attempts: *attempts,
            received_at: timestamp(message.arrived),
            expires_at: timestamp(message.arrived + LIFETIME),
            now: timestamp(desk.now()),
            destination_failures: lane.pace.failures(),
            provider_failures: Some(self.providers[place].machine.failures()),
            line_failures: self.line.machine.failures(),
            sessions: lane.sending as u32,
            ..History::default()
        };
        let decided = policy::decide(diagnosis, &history, jitter);
        let effect = &decided.effect;
        if matches!(effect.who, Waits::Destination | Waits::Provider) {
            lane.pace.went_badly(effect, history.now);
        }
        if effect.who == Waits::Provider {
            let pace = &mut self.providers[place].machine;
            pace.went_badly(effect, history.now);
        }
        (decided.decision, decided.effect)
    }

    fn failed(&mut self, desk: &mut Desk, id: MessageId, answer: AnswerId) {
        let destination = desk.message(id).destination;
        let reached = !desk.answer(answer).unreached;
        let line_is_down = self.watch_line(desk, destination, reached);
        let mut diagnosis = desk.answer(answer).diagnosis.clone();
        if line_is_down {
            (diagnosis.cause, diagnosis.scope) = (Cause::OurLineDown, Scope::Us);
        }
        let (decision, effect) = self.decide(desk, id, &diagnosis);
        let at = match decision {
            Decision::RetryAt { at, .. } => Some(moment(at)),
            Decision::RetryWhen(_) => Some(desk.now()),
            // Nobody is there to release it: it waits to the end of its lifetime.
            Decision::Hold => Some(desk.message(id).arrived + LIFETIME),
            Decision::Fail | Decision::Delivered => None,
        };
        match at {
            Some(at) => self.lanes[destination as usize].due.push(Reverse((at, id))),
            None => desk.give_up(id),
        }
        if effect.block.is_some() && matches!(effect.who, Waits::Destination | Waits::Provider) {
            self.give_up_overdue(desk, destination);
        }
    }

    fn delivered(&mut self, desk: &mut Desk, destination: u32) {
        let place = self.provider(destination);
        self.lanes[destination as usize].pace.went_well(&LIMITS);
        let opened = self.providers[place].machine.went_well(&PROVIDER_LIMITS);
        self.watch_line(desk, destination, true);
        if opened {
            let step = self.providers.len();
            for lane in (place..self.lanes.len()).step_by(step) {
                self.pump(desk, lane as u32);
            }
        }
    }

    /// `delivery::expire`: the probe spoke for what waits and is past its lifetime.
    fn give_up_overdue(&mut self, desk: &mut Desk, destination: u32) {
        let lane = &mut self.lanes[destination as usize];
        while let Some(id) = lane.oldest.front().copied() {
            if desk.age(id) < LIFETIME {
                return;
            }
            if desk.is_waiting(id) {
                desk.give_up(id);
            }
            lane.oldest.pop_front();
        }
    }
}

impl Policy for Ours {
    fn arrived(&mut self, desk: &mut Desk, id: MessageId) {
        let destination = desk.message(id).destination;
        let lane = &mut self.lanes[destination as usize];
        lane.due.push(Reverse((desk.now(), id)));
        lane.oldest.push_back(id);
        self.pump(desk, destination);
    }

    fn concluded(&mut self, desk: &mut Desk, id: MessageId, answer: Option<AnswerId>) {
        let destination = desk.message(id).destination;
        let place = self.provider(destination);
        match answer {
            None => self.delivered(desk, destination),
            Some(answer) => self.failed(desk, id, answer),
        }
        self.lanes[destination as usize].sending -= 1;
        self.providers[place].open -= 1;
        self.line.open -= 1;
        self.pump(desk, destination);
        for lane in self.providers[place].stalled() {
            self.pump(desk, lane);
        }
        for lane in self.line.stalled() {
            self.pump(desk, lane);
        }
    }

    fn woken(&mut self, desk: &mut Desk, wake: Wake) {
        if let Wake::Destination(destination) = wake {
            let lane = &mut self.lanes[destination as usize];
            if lane.wakes.is_some_and(|wakes| wakes <= desk.now()) {
                lane.wakes = None;
            }
            self.pump(desk, destination);
        }
    }
}
