//! What was seen a little while ago: the last so many things, by a key.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Keeps the last `most` things that were put in; older ones are forgotten.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    most: usize,
    next: u64,
    values: HashMap<K, (u64, V)>,
    order: VecDeque<(u64, K)>,
}

impl<K: Hash + Eq + Clone, V> Recent<K, V> {
    pub(crate) fn new(most: usize) -> Recent<K, V> {
        Recent {
            most,
            next: 0,
            values: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Puts a thing in, in place of one with the same key.
    pub(crate) fn put(&mut self, key: K, value: V) {
        if self.order.len() >= self.most
            && let Some((when, old)) = self.order.pop_front()
            && self.values.get(&old).is_some_and(|(at, _)| *at == when)
        {
            self.values.remove(&old);
        }
        self.order.push_back((self.next, key.clone()));
        self.values.insert(key, (self.next, value));
        self.next += 1;
    }

    /// The thing with this key, put in now if it is not there.
    pub(crate) fn entry(&mut self, key: &K, new: impl FnOnce() -> V) -> Option<&mut V> {
        if !self.values.contains_key(key) {
            self.put(key.clone(), new());
        }
        self.values.get_mut(key).map(|(_, value)| value)
    }

    pub(crate) fn take(&mut self, key: &K) -> Option<V> {
        self.values.remove(key).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_things_are_forgotten_and_new_ones_kept() {
        let mut recent = Recent::new(2);
        for n in 0..5 {
            recent.put(n, n * 10);
        }
        assert_eq!((recent.take(&4), recent.take(&3)), (Some(40), Some(30)));
        assert_eq!((recent.take(&2), recent.take(&4)), (None, None));
        for n in 0..1000 {
            recent.put(n % 3, n);
        }
        assert!(recent.values.len() <= 2 && recent.order.len() <= 2);
    }
}
