//! What several lanes pass through: a provider, our own line.

use std::collections::BTreeSet;

/// A machine with the connections that are open through it and the lanes that it keeps waiting.
#[derive(Debug)]
pub(super) struct Gate<M> {
    pub(super) machine: M,
    pub(super) open: usize,
    stalled: BTreeSet<u32>,
}

impl<M> Gate<M> {
    pub(super) fn new(machine: M) -> Gate<M> {
        Gate {
            machine,
            open: 0,
            stalled: BTreeSet::new(),
        }
    }

    /// This lane waits for others to end.
    pub(super) fn stall(&mut self, lane: u32) {
        self.stalled.insert(lane);
    }

    /// Those that wait, to be asked again.
    pub(super) fn stalled(&mut self) -> BTreeSet<u32> {
        std::mem::take(&mut self.stalled)
    }
}
