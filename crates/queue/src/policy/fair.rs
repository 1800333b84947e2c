//! Whose turn it is: by priority, and within a priority by turns of the senders.
//!
//! One sender's backlog never delays another's mail: of two senders that have something ready, each
//! has every second turn, however much either has. A higher priority has more turns, and the lower
//! ones are never without.

use std::collections::{HashMap, VecDeque};

use smtp::Address;

/// The priorities that are told apart, most urgent first (RFC 6710 §4.1 has more of them; within a
/// class they are treated alike).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Above normal.
    Urgent,
    /// Normal. Reports of our own are, too.
    #[default]
    Normal,
    /// Below normal.
    Bulk,
}

impl Class {
    /// All of them, most urgent first.
    pub const ALL: [Class; 3] = [Class::Urgent, Class::Normal, Class::Bulk];

    /// The class of a priority from -9 to 9 (RFC 6710 §3).
    #[must_use]
    pub const fn of(priority: i8) -> Class {
        match priority {
            1.. => Class::Urgent,
            0 => Class::Normal,
            _ => Class::Bulk,
        }
    }

    /// Turns in seven, where all have something ready.
    #[must_use]
    pub const fn weight(self) -> u32 {
        match self {
            Class::Urgent => 4,
            Class::Normal => 2,
            Class::Bulk => 1,
        }
    }

    /// The number by which the store keeps it.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Class::Urgent => 0,
            Class::Normal => 1,
            Class::Bulk => 2,
        }
    }
}

/// The number by which senders take turns; the same over restarts.
///
/// An address for each recipient (`bounce+anna=example.org@news.example`) is one sender: the local
/// part counts up to its first `+`, `-` or `=`.
#[must_use]
pub fn sender_group(sender: &Address) -> u64 {
    let text = sender.as_str();
    let (local, domain) = text.rsplit_once('@').unwrap_or((text, ""));
    let tag = local.find(['+', '-', '=']).filter(|at| *at > 0);
    let local = &local[..tag.unwrap_or(local.len())];
    // FNV-1a: it stands in the store, so it may not change.
    let bytes = local.bytes().chain([b'@']).chain(domain.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Where a message stands among those of its destination: the class first, then the sender's group.
/// The store keeps it with each recipient, so that it finds the next sender without looking at what
/// the others have queued.
#[must_use]
pub fn lineup(priority: i8, sender: &Address) -> i64 {
    let rank = i64::from(Class::of(priority).rank());
    (rank << LINEUP_CLASS) | (sender_group(sender) >> 8).cast_signed()
}

/// Classes are told apart by the bits from here on.
const LINEUP_CLASS: u32 = 56;

/// Where the lineups of a class begin.
#[must_use]
pub const fn lineups_of(class: Class) -> std::ops::Range<i64> {
    let rank = class.rank() as i64;
    rank << LINEUP_CLASS..(rank + 1) << LINEUP_CLASS
}

/// What is ready, in the order of turns. Takes no memory while it is empty.
#[derive(Clone, Debug)]
pub struct FairQueue<T> {
    lines: Vec<Line<T>>,
    length: usize,
}

#[derive(Clone, Debug)]
struct Line<T> {
    class: Class,
    credit: i64,
    turns: VecDeque<u64>,
    groups: HashMap<u64, VecDeque<T>>,
}

impl<T> Default for FairQueue<T> {
    fn default() -> FairQueue<T> {
        FairQueue {
            lines: Vec::new(),
            length: 0,
        }
    }
}

impl<T> FairQueue<T> {
    /// How much is ready.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing is ready.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Puts something at the end of its sender's line.
    pub fn push(&mut self, class: Class, group: u64, item: T) {
        let line = self.line(class);
        let queue = line.groups.entry(group).or_default();
        if queue.is_empty() {
            line.turns.push_back(group);
        }
        queue.push_back(item);
        self.length += 1;
    }

    /// Puts something before all else: it was begun and goes on.
    pub fn push_front(&mut self, class: Class, group: u64, item: T) {
        let line = self.line(class);
        line.turns.retain(|g| *g != group);
        line.turns.push_front(group);
        line.groups.entry(group).or_default().push_front(item);
        self.length += 1;
    }

    fn line(&mut self, class: Class) -> &mut Line<T> {
        let at = match self.lines.binary_search_by_key(&class, |line| line.class) {
            Ok(at) => at,
            Err(at) => {
                let line = Line {
                    class,
                    credit: 0,
                    turns: VecDeque::new(),
                    groups: HashMap::new(),
                };
                self.lines.insert(at, line);
                at
            }
        };
        &mut self.lines[at]
    }

    /// Takes what has its turn.
    pub fn pop(&mut self) -> Option<T> {
        // The class that is owed most; each gains its weight, and the one that is served pays for all.
        let mut total = 0;
        for line in self.lines.iter_mut().filter(|line| !line.turns.is_empty()) {
            let weight = i64::from(line.class.weight());
            line.credit += weight;
            total += weight;
        }
        let waiting = self.lines.iter_mut().filter(|line| !line.turns.is_empty());
        // Of equals the first, most urgent one: `max_by_key` takes the last.
        let line = waiting.rev().max_by_key(|line| line.credit)?;
        line.credit -= total;
        let item = line.pop()?;
        self.length -= 1;
        self.tidy();
        Some(item)
    }

    /// Takes back the last one of whoever has most, to make room.
    pub fn pop_of_longest(&mut self) -> Option<T> {
        let at = self.lines.iter().rposition(|line| !line.turns.is_empty())?;
        let line = &mut self.lines[at];
        let (group, queue) = line
            .groups
            .iter_mut()
            .max_by_key(|(_, queue)| queue.len())?;
        let group = *group;
        let item = queue.pop_back()?;
        if queue.is_empty() {
            line.groups.remove(&group);
            line.turns.retain(|g| *g != group);
        }
        self.length -= 1;
        self.tidy();
        Some(item)
    }

    /// How much of a sender's is ready, and how many senders have something ready, in its class.
    #[must_use]
    pub fn share(&self, class: Class, group: u64) -> (usize, usize) {
        let Some(line) = self.lines.iter().find(|line| line.class == class) else {
            return (0, 0);
        };
        let own = line.groups.get(&group).map_or(0, VecDeque::len);
        (own, line.groups.len())
    }

    /// Changes what is ready; what `keep` says no to is dropped.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        for line in &mut self.lines {
            line.groups.retain(|_, queue| {
                queue.retain_mut(&mut keep);
                !queue.is_empty()
            });
            let groups = &line.groups;
            line.turns.retain(|group| groups.contains_key(group));
        }
        self.length = self.lines.iter().map(Line::len).sum();
        self.tidy();
    }

    /// Takes everything out.
    pub fn drain(&mut self) -> Vec<T> {
        let mut all = Vec::with_capacity(self.length);
        while let Some(item) = self.pop() {
            all.push(item);
        }
        all
    }

    fn tidy(&mut self) {
        if self.length == 0 {
            self.lines = Vec::new();
        }
    }
}

impl<T> Line<T> {
    fn pop(&mut self) -> Option<T> {
        let group = self.turns.pop_front()?;
        let queue = self.groups.get_mut(&group)?;
        let item = queue.pop_front()?;
        if queue.is_empty() {
            self.groups.remove(&group);
        } else {
            self.turns.push_back(group);
        }
        Some(item)
    }

    fn len(&self) -> usize {
        self.groups.values().map(VecDeque::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn group(sender: &str) -> u64 {
        sender_group(&sender.parse().unwrap())
    }

    #[test]
    fn a_second_sender_is_served_next_however_much_the_first_has() {
        let mut queue = FairQueue::default();
        for n in 0..100_000 {
            queue.push(Class::Normal, 1, n);
        }
        queue.pop();
        queue.push(Class::Normal, 2, -1);
        let next: Vec<i32> = (0..2).filter_map(|_| queue.pop()).collect();
        assert!(next.contains(&-1), "{next:?}");
    }

    #[test]
    fn priorities_have_their_shares_and_none_is_without() {
        let mut queue = FairQueue::default();
        for n in 0..70 {
            for class in Class::ALL {
                queue.push(class, n % 3, class);
            }
        }
        let served: Vec<Class> = (0..35).filter_map(|_| queue.pop()).collect();
        let count = |class| served.iter().filter(|c| **c == class).count();
        assert_eq!(Class::ALL.map(count), [20, 10, 5]);
        assert_eq!(served[0], Class::Urgent);
    }

    #[test]
    fn an_address_for_each_recipient_is_one_sender_and_case_makes_no_other() {
        let one = group("bounce+anna=example.org@news.example");
        assert_eq!(one, group("Bounce+bert=example.com@News.Example"));
        assert_eq!(one, group("bounce@news.example"));
        assert_ne!(one, group("bounce@other.example"));
        assert_ne!(group("anna@example.org"), group("bert@example.org"));
        assert_eq!(sender_group(&Address::null()), 12_638_223_484_439_372_959);
    }

    #[test]
    fn the_stores_order_has_the_urgent_first_and_each_sender_in_one_place() {
        let anna: Address = "anna@example.org".parse().unwrap();
        let bert: Address = "bert@example.org".parse().unwrap();
        let places = [9, 0, -9].map(|priority| lineup(priority, &anna));
        assert!(places.is_sorted() && places[0] >= 0);
        for (class, place) in Class::ALL.into_iter().zip(places) {
            assert!(lineups_of(class).contains(&place));
        }
        assert_eq!(places[0], lineup(1, &anna));
        assert_ne!(places[1], lineup(0, &bert));
    }

    #[test]
    fn room_is_made_at_the_cost_of_whoever_has_most() {
        let mut queue = FairQueue::default();
        for n in 0..5 {
            queue.push(Class::Normal, 1, n);
        }
        queue.push(Class::Normal, 2, 10);
        assert_eq!(queue.pop_of_longest(), Some(4));
        assert_eq!(queue.share(Class::Normal, 1), (4, 2));
        queue.retain(|n| *n < 10);
        assert_eq!((queue.len(), queue.share(Class::Normal, 2)), (4, (0, 1)));
        assert_eq!(queue.drain(), [0, 1, 2, 3]);
    }

    proptest! {
        #[test]
        fn between_two_turns_of_a_sender_that_waits_every_other_has_one_at_most(
            items in proptest::collection::vec(0u64..6, 1..200),
        ) {
            let mut queue = FairQueue::default();
            for group in &items {
                queue.push(Class::Normal, *group, *group);
            }
            prop_assert_eq!(queue.len(), items.len());
            let served: Vec<u64> = std::iter::from_fn(|| queue.pop()).collect();
            prop_assert_eq!(served.len(), items.len());
            for sender in 0..6 {
                let turns: Vec<usize> = (0..served.len()).filter(|n| served[*n] == sender).collect();
                for pair in turns.windows(2) {
                    for other in 0..6 {
                        let between = &served[pair[0] + 1..pair[1]];
                        prop_assert!(between.iter().filter(|s| **s == other).count() <= 1);
                    }
                }
            }
        }

        #[test]
        fn nothing_is_lost_and_each_sender_keeps_its_order(
            items in proptest::collection::vec((0usize..3, 0u64..4), 0..100),
        ) {
            let mut queue = FairQueue::default();
            for (n, (class, group)) in items.iter().enumerate() {
                queue.push(Class::ALL[*class], *group, (*class, *group, n));
            }
            let served = queue.drain();
            prop_assert_eq!(served.len(), items.len());
            for (n, one) in served.iter().enumerate() {
                for later in &served[n + 1..] {
                    prop_assert!((one.0, one.1) != (later.0, later.1) || one.2 < later.2);
                }
            }
        }
    }
}
