//! Whether it is our own line: most places cannot be reached at the same time.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

/// So long a period is looked at as one.
const PERIOD: SignedDuration = SignedDuration::from_mins(10);
/// So many places must be out of reach.
const MANY: usize = 8;
/// For each place that is reached, more than so many must not be.
const RATIO: usize = 4;
/// So many places are told apart in a period.
const PLACES: usize = 4096;

/// What could be reached in the period under way.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnLine {
    start: Option<Timestamp>,
    last: Option<Timestamp>,
    reached: HashSet<u64>,
    unreached: HashSet<u64>,
}

impl OwnLine {
    /// A place was tried. Where that begins a new period and the one before was an outage, gives that
    /// one's first and last time.
    pub(super) fn tried(
        &mut self,
        place: u64,
        reached: bool,
        at: Timestamp,
    ) -> Option<(Timestamp, Timestamp)> {
        let over = self
            .start
            .is_some_and(|start| at.duration_since(start) >= PERIOD);
        let outage = if over { self.finish() } else { None };
        self.start.get_or_insert(at);
        self.last = self.last.max(Some(at));
        let places = match reached {
            true => &mut self.reached,
            false => &mut self.unreached,
        };
        if places.len() < PLACES {
            places.insert(place);
        }
        outage
    }

    /// Ends the period.
    pub(super) fn finish(&mut self) -> Option<(Timestamp, Timestamp)> {
        let period = std::mem::take(self);
        // A place that was reached too, sooner or later, does not count.
        let unreached = period.unreached.difference(&period.reached).count();
        let outage = unreached >= MANY && period.reached.len() * RATIO <= unreached;
        Some((period.start?, period.last?)).filter(|_| outage)
    }
}
