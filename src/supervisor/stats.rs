//! How a pool fares, for those who watch it.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// What a pool has done so far, and what it is doing: see [`Executor::stats`](crate::Executor::stats).
///
/// A snapshot. What workers have not told yet is not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Workers that are up.
    pub workers: usize,
    /// Tasks that were spawned from outside the pool and have no result yet.
    pub pending: usize,
    /// Those of them that are not known to have begun.
    pub queued: usize,
    /// Tasks that have run to their end and whose results have come here; those that a worker made and kept are not
    /// counted.
    pub finished: u64,
    /// Tasks that a worker handed over so that another could run them.
    pub stolen: u64,
    /// Messages that were posted to workers and came from them. Each may speak of many tasks.
    pub messages: u64,
    /// Workers that were lost after they had been up.
    pub lost_workers: u64,
}

/// A task that has run, as a pool tells it to [`on_run`](crate::PoolBuilder::on_run).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskRun {
    pub(super) made_at: Option<&'static Location<'static>>,
    /// The place of the worker that ran it, below the number of threads. A worker that replaces another has its place.
    pub worker: usize,
    /// The place of the worker whose task made it; `None` if it came from outside, or
    /// that worker is gone.
    pub made_by: Option<usize>,
    /// When it began, since the start of the pool.
    pub began: Duration,
    /// When it ended, on the same clock. An asynchronous task may have waited in between, and others run.
    pub ended: Duration,
}

impl TaskRun {
    /// The place of the call that made the task, `file:line:column`.
    #[must_use]
    pub fn name(&self) -> String {
        self.made_at.map_or_else(String::new, ToString::to_string)
    }
}

impl fmt::Display for TaskRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worker, began, ended, .. } = self;
        write!(f, "{} on worker {worker}, {} ms", self.name(), ended.saturating_sub(*began).as_millis())
    }
}
