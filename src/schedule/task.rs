//! What a schedule knows of a task: its name, and the options on which it runs.

use std::time::Duration;

/// Names a worker for ever: a worker that takes the place of a lost one has a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct WorkerId(pub(crate) u32);

impl WorkerId {
    /// The owner of the pool, which is none of its workers.
    pub(crate) const PAGE: Self = Self(0);
}

/// Names a task for life, wherever it goes: its maker numbers it, and is part of the id. A name that is not in use any more may
/// be given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TaskId {
    /// Where the task was made, and where its handle is.
    pub(crate) maker: WorkerId,
    pub(crate) number: u32,
}

/// Numbers the tasks of one maker, one after the other. Behind the last number comes the first again: a page that goes on
/// for a day may make more tasks than there are numbers.
#[derive(Debug)]
pub(crate) struct TaskNumbers {
    maker: WorkerId,
    last: u32,
}

impl TaskNumbers {
    /// Few in tests, so that they are used up.
    const LAST: u32 = if cfg!(test) { 255 } else { u32::MAX };

    pub(crate) fn new(maker: WorkerId) -> Self {
        Self { maker, last: 0 }
    }

    /// The next name that is not in use. One MUST be free: memory ends long before 2^32 pending tasks.
    pub(crate) fn next(&mut self, is_used: impl Fn(TaskId) -> bool) -> TaskId {
        loop {
            self.last = self.last % Self::LAST + 1;
            let task = TaskId { maker: self.maker, number: self.last };
            if !is_used(task) {
                return task;
            }
        }
    }
}

/// The place in the program that makes tasks of one kind. Tasks of one site are expected to cost about the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Site(pub(crate) u64);

/// How a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskKind {
    /// In one go: nothing else happens on its worker meanwhile.
    Sync,
    /// From await to await, beside others.
    Async,
}

/// The options on which a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskOptions {
    pub(crate) site: Site,
    pub(crate) kind: TaskKind,
    /// How long it may take from its start.
    pub(crate) timeout: Option<Duration>,
    /// How often it may run again after the loss of its worker.
    pub(crate) retries: u32,
    /// Nobody holds its handle, and it runs all the same.
    pub(crate) detached: bool,
    /// It is for the one worker that it was posted to.
    pub(crate) pinned: bool,
    /// It has an order of its own, that of the object which it calls: under `Serial` it waits for no other task.
    pub(crate) aside: bool,
}

impl TaskOptions {
    /// What most tasks run on.
    pub(crate) const fn new(site: Site, kind: TaskKind) -> Self {
        Self { site, kind, timeout: None, retries: 0, detached: false, pinned: false, aside: false }
    }

    /// True if only the end of its worker ends it in time. Nothing is posted behind such a task.
    pub(crate) fn is_uninterruptible(&self) -> bool {
        self.kind == TaskKind::Sync && self.timeout.is_some()
    }
}
