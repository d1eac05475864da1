//! The two collections of the schedule, each compiled once.
//!
//! Every instance of a hash map for types of its own adds some kilobytes to each program for the web, and so does a B-tree.
//! Here all keys are numbers, so that one map and one ring do for all: an [`IdMap`] finds a value by its name, a [`SortedQueue`]
//! holds names in an order.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use super::task::{Site, TaskId, WorkerId};

/// What names a value, as a number.
pub(crate) trait Id: Copy {
    fn number(self) -> u64;
}

impl Id for u64 {
    fn number(self) -> u64 {
        self
    }
}

impl Id for WorkerId {
    fn number(self) -> u64 {
        u64::from(self.0)
    }
}

impl Id for TaskId {
    fn number(self) -> u64 {
        (u64::from(self.maker.0) << 32) | u64::from(self.number)
    }
}

impl Id for Site {
    fn number(self) -> u64 {
        self.0
    }
}

impl TaskId {
    /// The task that this number names.
    pub(crate) fn from_number(number: u64) -> Self {
        Self { maker: WorkerId((number >> 32) as u32), number: number as u32 }
    }
}

impl WorkerId {
    /// The worker that this number names.
    pub(crate) fn from_number(number: u64) -> Self {
        Self(number as u32)
    }
}

/// Puts numbers that are given out one after the other beside one another, so that a loop over them finds the next
/// in the same cache line. Each owner of tasks begins somewhere else. Nobody outside chooses the numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SequentialHasher(u64);

impl Hasher for SequentialHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        /// The map takes the place from the lowest bits, and tells numbers apart by the seven uppermost of a word, which
        /// has 32 bits or 64.
        const TAG: u32 = 7;

        let owner = (number >> 32) as u32;
        let place = (number as u32).wrapping_add(owner.wrapping_mul(0x9E37_79B9));
        let tag = place.wrapping_mul(0x9E37_79B9) >> (u32::BITS - TAG);
        let low = place << TAG >> TAG | tag << (u32::BITS - TAG);
        self.0 = u64::from(low) | u64::from(tag) << (u64::BITS - TAG);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Values by name. Every operation takes O(1).
#[derive(Debug)]
pub(crate) struct IdMap<T> {
    places: HashMap<u64, usize, BuildHasherDefault<SequentialHasher>>,
    values: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for IdMap<T> {
    fn default() -> Self {
        Self { places: HashMap::default(), values: Vec::new(), free: Vec::new() }
    }
}

impl<T> IdMap<T> {
    /// Enters a value under a name that names none yet.
    pub(crate) fn insert(&mut self, name: impl Id, value: T) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.values.push(None);
            self.values.len() - 1
        });
        self.values[place] = Some(value);
        let before = self.places.insert(name.number(), place);
        debug_assert!(before.is_none(), "a name is given once");
    }

    pub(crate) fn get(&self, name: impl Id) -> Option<&T> {
        self.values[*self.places.get(&name.number())?].as_ref()
    }

    pub(crate) fn get_mut(&mut self, name: impl Id) -> Option<&mut T> {
        self.values[*self.places.get(&name.number())?].as_mut()
    }

    pub(crate) fn remove(&mut self, name: impl Id) -> Option<T> {
        let place = self.places.remove(&name.number())?;
        self.free.push(place);
        self.values[place].take()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// All values, in no order that means something.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter().flatten()
    }

    /// All values, in no order that means something.
    pub(crate) fn into_values(self) -> impl Iterator<Item = T> {
        self.values.into_iter().flatten()
    }
}

/// Names by rank, and by number where ranks are equal.
///
/// Sorted, in a ring. Names mostly come in order and mostly go from the front, which takes O(1), and O(log n) to find the
/// place; whatever comes or goes elsewhere moves those on the shorter side.
#[derive(Debug, Default)]
pub(crate) struct SortedQueue(VecDeque<(u64, u64)>);

impl SortedQueue {
    pub(crate) fn insert(&mut self, rank: u64, name: impl Id) {
        let entry = (rank, name.number());
        if self.0.back().is_none_or(|last| *last < entry) {
            self.0.push_back(entry);
        } else if let Err(place) = self.0.binary_search(&entry) {
            self.0.insert(place, entry);
        }
    }

    pub(crate) fn remove(&mut self, rank: u64, name: impl Id) -> bool {
        let entry = (rank, name.number());
        if self.first() == Some(entry) {
            return self.0.pop_front().is_some();
        }
        let found = self.0.binary_search(&entry);
        found.is_ok_and(|place| self.0.remove(place).is_some())
    }

    /// The least rank, and the name that has it.
    pub(crate) fn first(&self) -> Option<(u64, u64)> {
        self.0.front().copied()
    }

    /// The names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|(_, name)| *name)
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, u64)> {
        self.0.pop_front()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const CASES: u32 = if cfg!(miri) { 2 } else { 256 };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(CASES))]

        #[test]
        fn a_sorted_queue_does_what_a_tree_does(steps in prop::collection::vec((0..3_u8, 0..9_u64, 0..9_u64), 0..200)) {
            let (mut order, mut tree) = (SortedQueue::default(), BTreeSet::new());
            for (step, rank, name) in steps {
                match step {
                    0 => {
                        order.insert(rank, name);
                        tree.insert((rank, name));
                    }
                    1 => prop_assert_eq!(order.remove(rank, name), tree.remove(&(rank, name))),
                    _ => prop_assert_eq!(order.pop(), tree.pop_first()),
                }
                prop_assert_eq!(order.first(), tree.first().copied());
                prop_assert_eq!(order.len(), tree.len());
            }
        }
    }
}
