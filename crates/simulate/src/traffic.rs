//! Which messages come, when, for whom.

use crate::chance::Chance;
use crate::clock::Millis;
use crate::workload::Workload;

/// Names a message of a run.
pub(crate) type MessageId = u32;

/// A message for one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) arrived: Millis,
    pub(crate) destination: u32,
    /// Of all destinations together.
    pub(crate) recipient: u32,
    pub(crate) sender: u32,
}

impl Message {
    /// Who writes to whom.
    pub(crate) fn triplet(&self) -> u64 {
        u64::from(self.sender) << 32 | u64::from(self.recipient)
    }
}

/// Between the messages of a burst.
const BURST_GAP: Millis = 50;

/// The messages in the order in which they come. Few destinations get much of it and many a little, as
/// in life; `burst` messages for the same destination come together, twenty a second.
pub(crate) fn messages(workload: &Workload, seed: u64) -> Vec<Message> {
    let mut chance = Chance::part(seed, 1);
    let mut all = Vec::with_capacity(workload.messages as usize);
    while all.len() < workload.messages as usize {
        let begins = chance.below(workload.over.max(1));
        let skewed = chance.unit() * chance.unit();
        let destination = (skewed * f64::from(workload.destinations)) as u32;
        let room = workload.messages as usize - all.len();
        for n in 0..room.min(workload.burst as usize) {
            let of_destination = chance.below(u64::from(workload.recipients)) as u32;
            let recipient = destination
                .saturating_mul(workload.recipients)
                .saturating_add(of_destination);
            all.push(Message {
                arrived: begins + BURST_GAP * n as u64,
                destination,
                recipient,
                sender: chance.below(u64::from(workload.senders)) as u32,
            });
        }
    }
    all.sort_by_key(|message| message.arrived);
    all
}
