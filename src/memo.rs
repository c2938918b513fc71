//! A short memory for results of pure functions.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// The last few results by what they were computed from. The lock is never held while something is computed: threads
/// that wait for others may take up other work meanwhile, which may ask here again.
pub(crate) struct Memo<K, V> {
    entries: Mutex<VecDeque<(K, V)>>,
    most: usize,
}

impl<K: PartialEq, V: Clone> Memo<K, V> {
    /// With room for so many.
    pub(crate) const fn of(most: usize) -> Self {
        Self { entries: Mutex::new(VecDeque::new()), most }
    }

    /// What was kept for an equal key.
    pub(crate) fn find(&self, key: &K) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().find(|(kept, _)| kept == key).map(|(_, value)| value.clone())
    }

    /// Keeps a result, in the place of the oldest one where there is no room.
    pub(crate) fn keep(&self, key: K, value: V) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.iter().any(|(kept, _)| *kept == key) {
            return;
        }
        if entries.len() == self.most {
            entries.pop_front();
        }
        entries.push_back((key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let memo = Memo::of(2);
        for (key, value) in [(1, "one"), (2, "two"), (1, "other"), (3, "three")] {
            memo.keep(key, value);
        }
        assert_eq!([1, 2, 3].map(|key| memo.find(&key)), [None, Some("two"), Some("three")]);
    }
}
