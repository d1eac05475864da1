//! The order in which a worker begins its tasks.
//!
//! The three orders answer the same questions. Tasks are removed lazily: the caller that asks for the next one says which are
//! still to be run.

use std::collections::VecDeque;

use crate::schedule::Strategy;
use crate::schedule::task::TaskId;

/// The tasks of a worker that have not begun.
#[derive(Debug)]
pub(crate) enum Deque {
    /// A task's children run before what stands behind it, one at a time.
    Nested(Nested),
    /// First come, first served.
    Fair(VecDeque<TaskId>),
    /// Taken at the back: its own tasks, newest first, then what was posted, oldest first. Given away at the front.
    Stealing(VecDeque<TaskId>),
}

impl Deque {
    pub(crate) fn new(strategy: Strategy) -> Self {
        match strategy {
            Strategy::Serial => Self::Nested(Nested::default()),
            Strategy::Parallel => Self::Fair(VecDeque::new()),
            Strategy::WorkStealing => Self::Stealing(VecDeque::new()),
        }
    }

    /// Adds a task that was posted.
    pub(crate) fn push_posted(&mut self, task: TaskId) {
        match self {
            Self::Nested(nested) => nested.roots.push_back(task),
            Self::Fair(queue) => queue.push_back(task),
            Self::Stealing(deque) => deque.push_front(task),
        }
    }

    /// Adds a task that was made here, by the code of another if that is known.
    pub(crate) fn push_child(&mut self, task: TaskId, parent: Option<TaskId>) {
        match self {
            Self::Nested(nested) => nested.push_child(task, parent),
            Self::Fair(queue) | Self::Stealing(queue) => queue.push_back(task),
        }
    }

    /// Takes the task to be begun next.
    pub(crate) fn pop(&mut self, mut alive: impl FnMut(TaskId) -> bool) -> Option<TaskId> {
        loop {
            let task = match self {
                Self::Nested(nested) => nested.pop(&mut alive),
                Self::Fair(queue) => queue.pop_front(),
                Self::Stealing(deque) => deque.pop_back(),
            }?;
            if alive(task) {
                return Some(task);
            }
        }
    }

    /// Takes the task that would be begun last.
    pub(crate) fn steal(&mut self, mut alive: impl FnMut(TaskId) -> bool) -> Option<TaskId> {
        loop {
            let task = match self {
                Self::Nested(_) => None,
                Self::Fair(queue) => queue.pop_back(),
                Self::Stealing(deque) => deque.pop_front(),
            }?;
            if alive(task) {
                return Some(task);
            }
        }
    }

    /// Puts back the task that was stolen last.
    pub(crate) fn put_back(&mut self, task: TaskId) {
        match self {
            Self::Nested(_) => unreachable!("nothing is stolen there"),
            Self::Fair(queue) => queue.push_back(task),
            Self::Stealing(deque) => deque.push_front(task),
        }
    }

    /// Takes all tasks that were posted.
    pub(crate) fn take_posted(&mut self, mut is_posted: impl FnMut(TaskId) -> bool) -> Vec<TaskId> {
        match self {
            Self::Nested(nested) => std::mem::take(&mut nested.roots).into(),
            Self::Fair(queue) | Self::Stealing(queue) => {
                let (posted, kept): (VecDeque<_>, _) = queue.iter().partition(|task| is_posted(**task));
                *queue = kept;
                posted.into()
            }
        }
    }

    /// A task that was begun has ended.
    pub(crate) fn ended(&mut self, task: TaskId) {
        if let Self::Nested(nested) = self {
            nested.ended(task);
        }
    }
}

/// A stack of turns: a task that has begun, and those it made that have not. Only the uppermost turn goes on, so a task
/// that awaits its children is not in their way.
#[derive(Debug, Default)]
pub(crate) struct Nested {
    roots: VecDeque<TaskId>,
    turns: Vec<Turn>,
}

#[derive(Debug)]
struct Turn {
    task: TaskId,
    children: VecDeque<TaskId>,
    /// It stays until its children have had their turns.
    ended: bool,
}

impl Nested {
    fn push_child(&mut self, task: TaskId, parent: Option<TaskId>) {
        let known = parent.is_some_and(|parent| self.turn(parent).is_some());
        // Made by no task's own code, but by a future that a task has spawned, say, and perhaps awaits: then it must not stand
        // behind that.
        let turn = if known { parent.and_then(|parent| self.turn(parent)) } else { self.turns.last_mut() };
        match turn {
            Some(turn) => turn.children.push_back(task),
            None => self.roots.push_back(task),
        }
    }

    fn pop(&mut self, mut alive: impl FnMut(TaskId) -> bool) -> Option<TaskId> {
        loop {
            let next = match self.turns.last_mut() {
                None => self.roots.pop_front()?,
                Some(turn) => match turn.children.pop_front() {
                    Some(child) => child,
                    None if turn.ended => {
                        self.turns.pop();
                        continue;
                    }
                    // It runs or awaits something, and what stands behind it waits.
                    None => return None,
                },
            };
            if alive(next) {
                self.turns.push(Turn { task: next, children: VecDeque::new(), ended: false });
                return Some(next);
            }
        }
    }

    fn ended(&mut self, task: TaskId) {
        if let Some(turn) = self.turn(task) {
            turn.ended = true;
        }
    }

    /// The turn of a task: mostly the uppermost.
    fn turn(&mut self, task: TaskId) -> Option<&mut Turn> {
        self.turns.iter_mut().rev().find(|turn| turn.task == task)
    }
}
