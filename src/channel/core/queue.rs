//! Items that wait, and how many were sent on.

use std::collections::VecDeque;

use crate::platform::Place;

/// Where an item came from that has been taken once, and has come back.
pub(super) const RETURNED: Place = Place::NOWHERE;

/// Items on their way in one direction.
#[derive(Debug)]
pub(super) struct Queue<I> {
    /// What waits, and where it came from.
    pub(super) queue: VecDeque<(Place, I)>,
    /// How many of these are of this memory's own.
    pub(super) own: u64,
    /// How many were posted to the next memory, and how many of them are taken.
    pub(super) posted: u64,
    pub(super) taken: u64,
}

impl<I> Queue<I> {
    pub(super) const fn new() -> Self {
        Self { queue: VecDeque::new(), own: 0, posted: 0, taken: 0 }
    }

    pub(super) fn outstanding(&self) -> u64 {
        self.posted - self.taken
    }

    pub(super) fn credit(&mut self, taken: u64) {
        self.taken = (self.taken + taken).min(self.posted);
    }
}
