//! What reception brings.

use std::collections::HashMap;
use std::sync::Arc;

use queue::{Body, Courier, DestinationKey, Message, MessageId, Recipient};

use super::{Engine, STORE_RETRY, State, lane_of, later};
use crate::lane::Work;
use crate::report::delay;

impl Courier for Engine {
    fn announce(&self, message: MessageId, recipients: &[DestinationKey]) {
        let mut state = self.shared.state.lock();
        for (index, key) in recipients.iter().enumerate() {
            lane_of(&mut state.lanes, key).claim([(message, index as u32)]);
        }
    }

    fn accepted(&self, message: Arc<Message>, body: Body, recipients: Vec<Recipient>) {
        if let Some(at) = delay::appointment(&message) {
            self.appoint(at, message.id);
        }
        let mut guard = self.shared.state.lock();
        let state = &mut *guard;
        let mut keys: Vec<DestinationKey> = Vec::new();
        for (key, recipients) in by_destination(recipients) {
            let work = Work::new(message.clone(), recipients, Some(body.clone()));
            self.take_in(state, &key, work);
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

impl Engine {
    /// Keeps a new message at hand, or leaves it to the store's keeping: where it cannot go at once,
    /// and where its sender has a full share of what is at hand.
    fn take_in(&self, state: &mut State, key: &DestinationKey, mut work: Work) {
        let (now, settings) = (self.now(), &self.shared.settings);
        let line_is_up = state.line.down_since().is_none();
        let lane = lane_of(&mut state.lanes, key);
        let due = work.recipients.iter().filter_map(|r| r.next_attempt).max();
        let goes_now = due.is_none_or(|due| due <= now)
            && !state.stopping
            && lane.is_open(now)
            && (line_is_up || lane.on_this_machine);
        if !goes_now || lane.ready() >= settings.max_ready && !lane.has_room_for(&work) {
            lane.give_back(work.claims(), due.unwrap_or(now));
            return;
        }
        if lane.ready() >= settings.max_ready
            && let Some(other) = lane.pop_of_longest()
        {
            state.ready_bytes = state.ready_bytes.saturating_sub(other.held_bytes());
            lane.give_back(other.claims(), now);
        }
        if state.ready_bytes + work.held_bytes() > settings.max_ready_bytes {
            work.body = None;
        }
        state.ready_bytes += work.held_bytes();
        lane.push_fresh(work);
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
