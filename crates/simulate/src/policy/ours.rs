//! Ours: the table and the machines of `queue::policy`, which the relay runs. What is here keeps messages, timers
//! and the counts of connections, as `delivery::lane` and `delivery::engine` do, on a virtual clock.

mod gate;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use diagnosis::{Cause, Diagnosis, Scope};
use queue::Decision;
use queue::policy::{
    self, Bar, Effect, History, Line, LineChange, OwnWaits, Pace, PaceLimits, Part, PutOff, Way,
};

use super::Policy;
use crate::answer::AnswerId;
use crate::clock::{Millis, days, moment, timestamp};
use crate::desk::{Desk, Wake};
use crate::traffic::MessageId;
use gate::Gate;

/// How long mail is kept, as the relay does by default.
const LIFETIME: Millis = days(5);
/// Connections to a destination at most: the default of `delivery`.
const LIMITS: PaceLimits = PaceLimits {
    sessions: 20,
    rate: None,
};
/// The same for all destinations of a provider together.
const PROVIDER_LIMITS: PaceLimits = PaceLimits {
    sessions: 50,
    rate: None,
};

#[derive(Debug)]
struct Lane {
    pace: Pace,
    put_off: PutOff,
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
            pace: Pace::of_destination(),
            put_off: PutOff::default(),
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
    /// What each message met last.
    last: Vec<Option<AnswerId>>,
    waits: OwnWaits,
}

impl Ours {
    pub(crate) fn new(waits: OwnWaits, [destinations, providers, messages]: [u32; 3]) -> Ours {
        let provider = |_| Gate::new(Pace::of_provider());
        Ours {
            lanes: (0..destinations).map(|_| Lane::new()).collect(),
            providers: (0..providers).map(provider).collect(),
            line: Gate::new(Line::default()),
            attempts: vec![0; messages as usize],
            last: vec![None; messages as usize],
            waits,
        }
    }

    fn provider(&self, destination: u32) -> usize {
        destination as usize % self.providers.len()
    }

    fn way(&mut self, destination: u32) -> Way<&mut Pace> {
        let place = self.provider(destination);
        let lane = &mut self.lanes[destination as usize];
        let provider = &mut self.providers[place];
        Way {
            destination: Part {
                pace: &mut lane.pace,
                limits: LIMITS,
                open: lane.sending,
            },
            provider: Some(Part {
                pace: &mut provider.machine,
                limits: PROVIDER_LIMITS,
                open: provider.open,
            }),
        }
    }

    /// Whether the lane may begin one more; else it is noted who tells it when it may.
    fn may_begin(&mut self, desk: &mut Desk, destination: u32) -> bool {
        let now = timestamp(desk.now());
        let line = self.line.machine.clone();
        let open = self.line.open;
        let bar = self.way(destination).bar(Some((&line, open)), now);
        let place = self.provider(destination);
        match bar {
            None => return true,
            Some(Bar::At(at)) => {
                let at = moment(at).max(desk.now()) + 1;
                // A millisecond more: times of the machines are finer than the clock.
                self.lanes[destination as usize].wake_at(desk, at, destination);
            }
            Some(Bar::Destination) => {}
            Some(Bar::Provider) => self.providers[place].stall(destination),
            Some(Bar::Line) => self.line.stall(destination),
        }
        false
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
        self.way(destination).begin(now);
        let lane = &mut self.lanes[destination as usize];
        lane.due.pop();
        lane.sending += 1;
        self.providers[place].open += 1;
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
    fn decide(&mut self, desk: &mut Desk, id: MessageId, diagnosis: &Diagnosis) -> Decision {
        let jitter = desk.chance().unit();
        let destination = desk.message(id).destination;
        let last = self.last[id as usize].map(|last| &desk.answer(last).diagnosis);
        let mut history = self.history(desk, id);
        let lane = &mut self.lanes[destination as usize];
        history.learnt = lane.put_off.wait(diagnosis, last, &history);
        let decided = policy::decide(diagnosis, &history, jitter);
        let learnt = self
            .way(destination)
            .ended(false, &decided.effect, history.now);
        if learnt.blocked {
            self.give_up_overdue(desk, destination);
        }
        decided.decision
    }

    /// That of an attempt which ends now.
    fn history(&mut self, desk: &Desk, id: MessageId) -> History {
        let message = *desk.message(id);
        let now = timestamp(desk.now());
        let attempts = &mut self.attempts[id as usize];
        *attempts += 1;
        let history = History {
            attempts: *attempts,
            received_at: timestamp(message.arrived),
            expires_at: timestamp(message.arrived + LIFETIME),
            now,
            line_failures: self.line.machine.failures(),
            own: self.waits.clone(),
            ..History::default()
        };
        self.way(message.destination).stand(now).in_history(history)
    }

    fn failed(&mut self, desk: &mut Desk, id: MessageId, answer: AnswerId) {
        let destination = desk.message(id).destination;
        let reached = !desk.answer(answer).unreached;
        let line_is_down = self.watch_line(desk, destination, reached);
        let mut diagnosis = desk.answer(answer).diagnosis.clone();
        if line_is_down {
            (diagnosis.cause, diagnosis.scope) = (Cause::OurLineDown, Scope::Us);
        }
        let decision = self.decide(desk, id, &diagnosis);
        self.last[id as usize] = Some(answer);
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
    }

    fn delivered(&mut self, desk: &mut Desk, id: MessageId) {
        let destination = desk.message(id).destination;
        let place = self.provider(destination);
        let history = self.history(desk, id);
        if let Some(last) = self.last[id as usize] {
            let lane = &mut self.lanes[destination as usize];
            (lane.put_off).went_well(&desk.answer(last).diagnosis, &history);
        }
        let learnt = (self.way(destination)).ended(true, &Effect::NONE, history.now);
        self.watch_line(desk, destination, true);
        if learnt.provider_recovered {
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
            None => self.delivered(desk, id),
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
