//! Messages that stand in line for a destination and are sent so many at a time.

use std::collections::VecDeque;

use crate::desk::Desk;
use crate::traffic::MessageId;

#[derive(Debug, Default)]
pub(crate) struct Line {
    waiting: VecDeque<MessageId>,
    /// How many are being sent.
    pub(crate) sending: u32,
}

impl Line {
    pub(crate) fn push(&mut self, id: MessageId) {
        self.waiting.push_back(id);
    }

    pub(crate) fn push_front(&mut self, id: MessageId) {
        self.waiting.push_front(id);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Sends as many as may be sent at a time.
    pub(crate) fn send(&mut self, desk: &mut Desk, at_a_time: u32) {
        while self.sending < at_a_time && self.send_one(desk).is_some() {}
    }

    /// Sends the first.
    pub(crate) fn send_one(&mut self, desk: &mut Desk) -> Option<MessageId> {
        loop {
            let id = self.waiting.pop_front()?;
            // It may have been given up meanwhile.
            if desk.is_waiting(id) {
                self.sending += 1;
                desk.try_now(id);
                return Some(id);
            }
        }
    }

    /// An attempt ended.
    pub(crate) fn ended(&mut self) {
        self.sending = self.sending.saturating_sub(1);
    }

    /// All that stand in line.
    pub(crate) fn take(&mut self) -> Vec<MessageId> {
        self.waiting.drain(..).collect()
    }
}
