//! The tasks that wait on the page.

use std::collections::BTreeMap;

use super::task::{TaskId, WorkerId};

/// A place in the line, kept for life: a task that comes back stands where it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Children go before tasks of the page: they end what has begun.
    root: bool,
    number: u64,
}

impl Place {
    /// True for a task of the page, which a bound counts; children are never counted.
    pub(crate) fn is_root(self) -> bool {
        self.root
    }
}

/// The tasks that wait on the page, in order. Every operation takes O(log n).
#[derive(Debug, Default)]
pub(crate) struct Line {
    waiting: BTreeMap<Place, TaskId>,
    roots: usize,
    last: u64,
}

impl Line {
    /// The place of a task that is new: behind all others of its kind.
    pub(crate) fn place(&mut self, task: TaskId) -> Place {
        self.last += 1;
        Place { root: task.owner == WorkerId::PAGE, number: self.last }
    }

    pub(crate) fn insert(&mut self, place: Place, task: TaskId) {
        let before = self.waiting.insert(place, task);
        debug_assert!(before.is_none(), "a place belongs to one task");
        self.roots += usize::from(place.root);
    }

    pub(crate) fn remove(&mut self, place: Place) {
        if self.waiting.remove(&place).is_some() {
            self.roots -= usize::from(place.root);
        }
    }

    pub(crate) fn first(&self) -> Option<TaskId> {
        self.waiting.first_key_value().map(|(_, task)| *task)
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// How many of them are tasks of the page.
    pub(crate) fn roots(&self) -> usize {
        self.roots
    }
}
