//! The tasks that wait on the page.

use super::collections::SortedQueue;
use super::task::{TaskId, WorkerId};

/// A position among the waiting tasks, kept for life: a task that comes back takes the position that it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position(u64);

/// Children go before tasks of the page: they end what has begun.
const ROOT: u64 = 1 << 63;

impl Position {
    /// True for a task of the page, which a bound counts; children are never counted.
    pub(crate) fn is_root(self) -> bool {
        self.0 & ROOT != 0
    }
}

/// The tasks that wait on the page, in order.
#[derive(Debug, Default)]
pub(crate) struct Injector {
    waiting: SortedQueue,
    roots: usize,
    last: u64,
}

impl Injector {
    /// The place of a task that is new: behind all others of its kind.
    pub(crate) fn place(&mut self, task: TaskId) -> Position {
        self.last += 1;
        Position(if task.maker == WorkerId::PAGE { ROOT | self.last } else { self.last })
    }

    pub(crate) fn insert(&mut self, place: Position, task: TaskId) {
        self.waiting.insert(place.0, task);
        self.roots += usize::from(place.is_root());
    }

    pub(crate) fn remove(&mut self, place: Position, task: TaskId) {
        if self.waiting.remove(place.0, task) {
            self.roots -= usize::from(place.is_root());
        }
    }

    pub(crate) fn first(&self) -> Option<TaskId> {
        self.waiting.first().map(|(_, task)| TaskId::from_number(task))
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// How many of them are tasks of the page.
    pub(crate) fn roots(&self) -> usize {
        self.roots
    }
}
