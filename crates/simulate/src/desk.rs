//! The run: virtual time, the messages, the servers, and what a policy may do.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::answer::{Answer, AnswerId};
use crate::chance::Chance;
use crate::clock::{Millis, NEVER, minutes};
use crate::policy::Policy;
use crate::servers::Servers;
use crate::tally::Tally;
use crate::traffic::{Message, MessageId, messages};
use crate::workload::Workload;

/// What a policy asked to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wake {
    /// A queue run, a scan of the queue.
    Tick,
    /// The time of a destination has come.
    Destination(u32),
    /// The time of a message has come.
    Message(MessageId),
    /// The lifetime of a message has ended.
    Expiry(MessageId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Done(MessageId, Option<AnswerId>),
    Wake(Wake),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not there yet.
    Coming,
    /// In the queue.
    Waiting,
    /// Being sent.
    Sending,
    Delivered,
    GivenUp,
}

/// How long it takes to hand over a message, and to be refused.
const TAKES: Millis = 300;
const REFUSAL_TAKES: Millis = 150;

/// What a policy sees and acts through.
pub(crate) struct Desk {
    now: Millis,
    messages: Vec<Message>,
    states: Vec<State>,
    servers: Servers,
    events: BinaryHeap<Reverse<(Millis, u64, Event)>>,
    order: u64,
    unfinished: usize,
    connect_timeout: Millis,
    chance: Chance,
    tally: Tally,
}

impl Desk {
    fn new(workload: &Workload, connect_timeout: Millis, seed: u64) -> Desk {
        let servers = Servers::new(workload, seed);
        let messages = messages(workload, seed);
        let mut seen = HashMap::new();
        let opens: Vec<Millis> = messages
            .iter()
            .map(|message| servers.opens(message, &mut seen))
            .collect();
        let hit = messages
            .iter()
            .zip(&opens)
            .map(|(message, opens)| *opens > message.arrived || servers.is_limited(message))
            .collect();
        let reopenings = (0..workload.destinations)
            .map(|destination| servers.reopenings(destination))
            .collect();
        Desk {
            now: 0,
            states: vec![State::Coming; messages.len()],
            tally: Tally::new(opens, hit, reopenings),
            unfinished: messages.len(),
            messages,
            servers,
            events: BinaryHeap::new(),
            order: 0,
            connect_timeout,
            chance: Chance::part(seed, 2),
        }
    }

    pub(crate) fn now(&self) -> Millis {
        self.now
    }

    pub(crate) fn message(&self, id: MessageId) -> &Message {
        &self.messages[id as usize]
    }

    /// How long a message has been here.
    pub(crate) fn age(&self, id: MessageId) -> Millis {
        self.now - self.message(id).arrived
    }

    /// Whether a message is in the queue and not being sent.
    pub(crate) fn is_waiting(&self, id: MessageId) -> bool {
        self.states[id as usize] == State::Waiting
    }

    /// Whether there is or will be something in the queue.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.unfinished > 0
    }

    pub(crate) fn chance(&mut self) -> &mut Chance {
        &mut self.chance
    }

    /// Brings a message that waits to its server. The policy is told what came of it.
    pub(crate) fn try_now(&mut self, id: MessageId) {
        if !self.is_waiting(id) {
            self.tally.broken += 1;
            return;
        }
        self.states[id as usize] = State::Sending;
        let message = self.messages[id as usize];
        self.tally.tried(id, message.destination, self.now);
        let answer = self.servers.ask(self.now, &message);
        let takes = match answer {
            None => TAKES,
            Some(answer) if self.servers.answer(answer).silent => self.connect_timeout,
            Some(_) => REFUSAL_TAKES,
        };
        self.push(self.now + takes, Event::Done(id, answer));
    }

    /// Ends a message that waits: a failure notice goes to its sender.
    pub(crate) fn give_up(&mut self, id: MessageId) {
        if !self.is_waiting(id) {
            self.tally.broken += 1;
            return;
        }
        self.states[id as usize] = State::GivenUp;
        self.unfinished -= 1;
        self.tally.given_up(id, self.now);
    }

    /// Asks to be told then.
    pub(crate) fn wake_at(&mut self, at: Millis, wake: Wake) {
        self.push(at.max(self.now), Event::Wake(wake));
    }

    fn push(&mut self, at: Millis, event: Event) {
        self.order += 1;
        self.events.push(Reverse((at, self.order, event)));
    }

    fn done(&mut self, id: MessageId, answer: Option<AnswerId>) {
        let message = self.messages[id as usize];
        self.servers.left(&message);
        if answer.is_none() {
            self.states[id as usize] = State::Delivered;
            self.unfinished -= 1;
            self.tally.delivered(id, self.now);
        } else {
            self.states[id as usize] = State::Waiting;
            self.tally.failed(id);
        }
    }
}

/// How long after the last message a run goes on at most: nobody keeps mail as long as that.
const AFTERMATH: Millis = minutes(60 * 24 * 60);

/// Runs a workload under a policy to the end of its last message.
pub(crate) fn run(workload: &Workload, policy: &mut dyn Policy, seed: u64) -> (Desk, Vec<Message>) {
    let mut desk = Desk::new(workload, policy.connect_timeout(), seed);
    policy.begin(&mut desk);
    let mut coming = 0;
    let last = desk.messages.last().map_or(0, |message| message.arrived);
    while desk.unfinished > 0 {
        let arrives = desk.messages.get(coming).map_or(NEVER, |m| m.arrived);
        let next = desk.events.peek().map_or(NEVER, |Reverse((at, ..))| *at);
        if arrives <= next && arrives != NEVER {
            desk.now = arrives;
            desk.states[coming] = State::Waiting;
            policy.arrived(&mut desk, coming as MessageId);
            coming += 1;
            continue;
        }
        let Some(Reverse((at, _, event))) = desk.events.pop() else {
            break;
        };
        if at > last.saturating_add(AFTERMATH) {
            break;
        }
        desk.now = at;
        match event {
            Event::Wake(wake) => policy.woken(&mut desk, wake),
            Event::Done(id, answer) => {
                desk.done(id, answer);
                policy.concluded(&mut desk, id, answer);
            }
        }
    }
    let messages = std::mem::take(&mut desk.messages);
    (desk, messages)
}

impl Desk {
    /// What was counted, with how each message ended.
    pub(crate) fn into_tally(self) -> (Tally, u64, Vec<State>) {
        (self.tally, self.servers.restarts, self.states)
    }

    /// What an answer means.
    pub(crate) fn answer(&self, id: AnswerId) -> &Answer {
        self.servers.answer(id)
    }
}
