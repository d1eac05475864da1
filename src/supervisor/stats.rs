//! What a pool reports about itself, for timelines and measurements.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a pool has done so far, and what it is doing: see [`Pool::stats`](crate::Pool::stats).
///
/// A snapshot. What workers have not reported yet is not in it.
///
/// ```
/// use wasm_mt::{Pool, remote};
///
/// # wasm_mt::run(async {
/// let pool = Pool::builder().threads(2).build();
/// pool.ready().await?;
/// pool.spawn_remote(remote!(|| 6 * 7)).await?;
/// let stats = pool.stats();
/// assert_eq!((stats.workers, stats.finished, stats.lost_workers), (2, 1, 0));
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Tasks that migrated from a worker so that another could run them.
    pub stolen: u64,
    /// Messages that were posted to workers and came from them. Each may be about many tasks.
    pub messages: u64,
    /// Workers that were lost after they had been up.
    pub lost_workers: u64,
    /// Workers that ended while they had no task, since exceptions of JavaScript had used up 256 KiB of their stack, a
    /// quarter of what it has by default: it is not given back when such an exception unwinds through Rust code. Others have taken their places.
    pub retired_workers: u64,
    /// Workers that were ended while their code ran, and whose threads may run on: natively until that code returns, in WebKit
    /// until it returns or calls JavaScript. Each may take a core for as long.
    pub running_on: u64,
    /// How many encoded bytes of captured values stay on workers, all together: see [`RemoteFn`](crate::RemoteFn). What they
    /// take there when they are decoded may be more.
    pub resident_bytes: u64,
    /// Workers that did not start. One that was to replace a lost one is tried again, after a pause that grows from 100
    /// milliseconds to 30 seconds; one of the first is not.
    pub failed_starts: u64,
}

/// A task that has run, as [`on_run`](crate::PoolBuilder::on_run) receives it.
///
/// ```
/// use std::sync::mpsc;
/// use wasm_mt::{Pool, remote};
///
/// # wasm_mt::run(async {
/// let (sender, receiver) = mpsc::channel();
/// let pool = Pool::builder().threads(2).on_run(move |run| sender.send(run.clone()).unwrap_or(())).build();
/// pool.spawn_remote(remote!(|| 6 * 7)).await?;
///
/// let run = receiver.recv().expect("the hook is called before the result is here");
/// assert!(run.worker < 2 && run.began <= run.ended);
/// assert_eq!(run.location().map(|location| location.file()), Some(file!()));
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The place of the call that made the task, such as its `remote!`. `None` if the worker did not say.
    #[must_use]
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.made_at
    }
}

impl fmt::Display for TaskRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worker, began, ended, .. } = self;
        if let Some(location) = self.made_at {
            write!(f, "{location} ")?;
        }
        write!(f, "on worker {worker}, {} ms", ended.saturating_sub(*began).as_millis())
    }
}
