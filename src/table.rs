//! A map for keys that are given out one after the other.
//!
//! A small one: a hash map or a B-tree would be a tenth of the smallest program for the web. Entries lie in the order of
//! their keys. What is removed leaves a gap; when the gaps are more than half, they are closed. So an operation takes the
//! time of a binary search on average. Only a key that comes after larger ones, when numbers have wrapped around, takes
//! longer.

/// See the module's documentation.
pub(crate) struct Table<T> {
    /// In the order of the keys, counted from that of the first. `None` is a gap.
    entries: Vec<(u32, Option<T>)>,
    gaps: usize,
}

impl<T> Table<T> {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new(), gaps: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.gaps
    }

    /// Enters a value, in the place of the one that the key named until now.
    pub(crate) fn insert(&mut self, key: u32, value: T) {
        match self.find(key) {
            Err(place) => self.entries.insert(place, (key, Some(value))),
            Ok(place) => {
                if self.entries[place].1.replace(value).is_none() {
                    self.gaps -= 1;
                }
            }
        }
    }

    pub(crate) fn get(&self, key: u32) -> Option<&T> {
        let place = self.find(key).ok()?;
        self.entries[place].1.as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: u32) -> Option<&mut T> {
        let place = self.find(key).ok()?;
        self.entries[place].1.as_mut()
    }

    pub(crate) fn remove(&mut self, key: u32) -> Option<T> {
        let place = self.find(key).ok()?;
        let value = self.entries[place].1.take()?;
        self.gaps += 1;
        if self.gaps > self.entries.len() / 2 {
            self.entries.retain(|(_, value)| value.is_some());
            self.gaps = 0;
        }
        Some(value)
    }

    /// All that is there, in the order of the keys.
    pub(crate) fn into_values(self) -> impl Iterator<Item = T> {
        self.entries.into_iter().filter_map(|(_, value)| value)
    }

    fn find(&self, key: u32) -> Result<usize, usize> {
        let first = self.entries.first().map_or(key, |(first, _)| *first);
        self.entries.binary_search_by_key(&key.wrapping_sub(first), |(key, _)| key.wrapping_sub(first))
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the order of the keys, and where they wrap around.
        #[test]
        fn it_does_what_a_tree_does(
            start in prop_oneof![Just(0), Just(u32::MAX - 9), any::<u32>()],
            steps in prop::collection::vec((any::<bool>(), 0..40_u32), 0..200),
        ) {
            let (mut table, mut tree) = (Table::new(), BTreeMap::new());
            for (value, (insert, offset)) in steps.into_iter().enumerate() {
                let key = start.wrapping_add(offset);
                if insert {
                    table.insert(key, value);
                    tree.insert(key, value);
                } else {
                    prop_assert_eq!(table.get(key), tree.get(&key));
                    prop_assert_eq!(table.get_mut(key), tree.get_mut(&key));
                    prop_assert_eq!(table.remove(key), tree.remove(&key));
                }
                prop_assert_eq!(table.len(), tree.len());
            }
            let mut values = table.into_values().collect::<Vec<_>>();
            values.sort_unstable();
            let mut expected = tree.into_values().collect::<Vec<_>>();
            expected.sort_unstable();
            prop_assert_eq!(values, expected);
        }
    }

    #[test]
    fn gaps_are_closed() {
        let mut table = Table::new();
        for key in 0..10_000 {
            table.insert(key, key);
            if key > 0 {
                assert_eq!(table.remove(key), Some(key));
            }
        }
        assert!(table.entries.capacity() < 10, "{}", table.entries.capacity());
        assert_eq!(table.get(0), Some(&0));
    }
}
