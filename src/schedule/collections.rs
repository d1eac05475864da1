//! The two collections of the schedule, each compiled once.
//!
//! Every instance of a hash map for types of its own adds some kilobytes to each program for the web, and so does a B-tree.
//! Here all keys are numbers, so that one map and one ring do for all: an [`IdMap`] finds a value by its name, a [`SortedQueue`]
//! holds names in an order.

use std::collections::VecDeque;

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

/// Where values are, by name: an open table in which names lie at their homes or shortly behind, in the order of these
/// (Robin Hood hashing: P. Celis, "Robin Hood Hashing", 1986).
///
/// Most names are numbers that are given out one after the other. They lie beside one another, so that a loop over them finds the
/// next in the same cache line. Each owner of tasks begins somewhere else. Nobody outside chooses the numbers.
#[derive(Debug, Default)]
struct Places {
    /// A power of two, or none.
    slots: Vec<Option<(u64, u32)>>,
    len: usize,
}

impl Places {
    /// The least number of slots.
    const LEAST: usize = 8;

    fn home(&self, name: u64) -> usize {
        let owner = (name >> 32) as usize;
        let number = name as u32 as usize;
        // Addresses, which are multiples of powers of two, have homes of their own too.
        let spread = number.wrapping_add(number >> 6).wrapping_add(number >> 12);
        spread.wrapping_add(owner.wrapping_mul(0x9E37_79B9)) & (self.slots.len() - 1)
    }

    fn after(&self, slot: usize) -> usize {
        (slot + 1) & (self.slots.len() - 1)
    }

    /// How far behind its home a name lies that is in this slot.
    fn distance(&self, name: u64, slot: usize) -> usize {
        slot.wrapping_sub(self.home(name)) & (self.slots.len() - 1)
    }

    /// The slot of a name, or the one where it should be, and the place if it is there. There MUST be slots.
    fn find(&self, name: u64) -> (usize, Option<usize>) {
        let mut slot = self.home(name);
        let mut distance = 0;
        loop {
            match self.slots[slot] {
                Some((found, place)) if found == name => return (slot, Some(place as usize)),
                Some((other, _)) if self.distance(other, slot) >= distance => {
                    slot = self.after(slot);
                    distance += 1;
                }
                _ => return (slot, None),
            }
        }
    }

    fn get(&self, name: u64) -> Option<usize> {
        if self.len == 0 { None } else { self.find(name).1 }
    }

    /// Enters a name that is not there.
    fn insert(&mut self, name: u64, place: usize) {
        if 2 * self.len >= self.slots.len() {
            let slots = vec![None; (2 * self.slots.len()).max(Self::LEAST)];
            let before = std::mem::replace(&mut self.slots, slots);
            self.len = 0;
            before.into_iter().flatten().for_each(|(name, place)| self.insert(name, place as usize));
        }
        self.len += 1;
        let (mut slot, _) = self.find(name);
        // Those behind move on by one.
        let mut moving = Some((name, place as u32));
        while moving.is_some() {
            std::mem::swap(&mut moving, &mut self.slots[slot]);
            slot = self.after(slot);
        }
    }

    fn remove(&mut self, name: u64) -> Option<usize> {
        if self.len == 0 {
            return None;
        }
        let (mut slot, place) = self.find(name);
        let place = place?;
        self.len -= 1;
        // Those behind move up, but for such as are at home.
        loop {
            let next = self.after(slot);
            let moving = self.slots[next].filter(|(name, _)| self.distance(*name, next) > 0);
            self.slots[slot] = moving;
            if moving.is_none() {
                return Some(place);
            }
            slot = next;
        }
    }
}

/// Values by name. Every operation takes O(1).
#[derive(Debug)]
pub(crate) struct IdMap<T> {
    places: Places,
    values: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for IdMap<T> {
    fn default() -> Self {
        Self { places: Places::default(), values: Vec::new(), free: Vec::new() }
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
        debug_assert!(self.places.get(name.number()).is_none(), "a name is given once");
        self.places.insert(name.number(), place);
    }

    pub(crate) fn get(&self, name: impl Id) -> Option<&T> {
        self.values[self.places.get(name.number())?].as_ref()
    }

    pub(crate) fn get_mut(&mut self, name: impl Id) -> Option<&mut T> {
        self.values[self.places.get(name.number())?].as_mut()
    }

    pub(crate) fn remove(&mut self, name: impl Id) -> Option<T> {
        let place = self.places.remove(name.number())?;
        self.free.push(place);
        self.values[place].take()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.len == 0
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
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    const CASES: u32 = if cfg!(miri) { 2 } else { 256 };

    /// Numbers of a few owners, of which some come again when they have been removed, and addresses.
    fn names() -> impl Strategy<Value = u64> {
        prop_oneof![
            (0..3_u64, 0..40_u64).prop_map(|(owner, number)| owner << 32 | number),
            (0..40_u64).prop_map(|number| 0x0010_0000 + 24 * number),
            (0..40_u64).prop_map(|number| 4096 * number),
            any::<u64>(),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(CASES))]

        #[test]
        fn an_id_map_does_what_a_tree_does(steps in prop::collection::vec((0..5_u8, names()), 0..400)) {
            let (mut map, mut tree) = (IdMap::default(), BTreeMap::new());
            for (value, (step, name)) in steps.into_iter().enumerate() {
                match step {
                    0 => prop_assert_eq!(map.remove(name), tree.remove(&name)),
                    1 => {
                        // The oldest one goes, as tasks mostly do.
                        let oldest = tree.iter().min_by_key(|(_, value)| **value).map(|(name, _)| *name);
                        prop_assert_eq!(oldest.and_then(|name| map.remove(name)), oldest.and_then(|name| tree.remove(&name)));
                    }
                    _ if tree.contains_key(&name) => *map.get_mut(name).unwrap() += 1,
                    _ => map.insert(name, value),
                }
                if step > 1 {
                    tree.entry(name).and_modify(|value| *value += 1).or_insert(value);
                }
                prop_assert_eq!(map.get(name), tree.get(&name));
                prop_assert_eq!(map.is_empty(), tree.is_empty());
            }
            for (name, value) in &tree {
                prop_assert_eq!(map.get(*name), Some(value));
            }
            prop_assert_eq!(map.iter().count(), tree.len());
        }

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
