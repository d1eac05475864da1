//! Where tasks run: the trait that every executor implements, and what it gives to all of them.

mod current;
mod forward;
mod fronts;
mod inline;
mod par_map;
mod pool;

pub use current::current;
pub use fronts::{ParallelExecutor, SerialExecutor, WorkStealingExecutor};
pub use inline::InlineExecutor;
pub use par_map::ParMap;
pub use pool::{Pool, PoolBuilder};

use futures::future::{self, BoxFuture};
use futures::task::Spawn;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::supervisor::Stats;
use crate::task::{Job, Remote, RemoteFn, RemoteHandle};

/// Takes tasks and decides where and when they run.
///
/// Object-safe: a program may hold a `Box<dyn Executor>` and choose another one at run time. What one calls is
/// mostly in [`ExecutorExt`].
///
/// An executor is a [`Spawn`] too. **A future that is spawned that way cannot leave its memory**: in the browser it runs on
/// the event loop of the thread that spawns it; natively it runs on the executor's threads. Only [`Remote`] tasks run on
/// workers in both.
///
/// # Writing one
///
/// [`submit`](Self::submit) is all that must be written beside `Spawn`. It may keep the job, hand it to another executor,
/// [`run`](Job::run) it or [`fail`](Job::fail) it; a job that is dropped resolves its handle with an error, so an executor
/// that loses one leaves nobody waiting. This one takes turns:
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use futures::task::{FutureObj, Spawn, SpawnError};
/// use wasm_mt::{Error, Executor, ExecutorExt, Job, Thread, remote};
///
/// struct RoundRobin {
///     threads: Vec<Thread>,
///     turn: AtomicUsize,
/// }
///
/// impl RoundRobin {
///     fn next(&self) -> &Thread {
///         &self.threads[self.turn.fetch_add(1, Ordering::Relaxed) % self.threads.len()]
///     }
/// }
///
/// impl Spawn for RoundRobin {
///     fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
///         self.next().spawn_obj(future)
///     }
/// }
///
/// impl Executor for RoundRobin {
///     fn submit(&self, job: Job) {
///         self.next().submit(job);
///     }
///     fn concurrency(&self) -> usize {
///         self.threads.len()
///     }
///     fn pending(&self) -> usize {
///         self.threads.iter().map(Executor::pending).sum()
///     }
/// }
///
/// # wasm_mt::run(async {
/// let executor: Box<dyn Executor> =
///     Box::new(RoundRobin { threads: vec![Thread::new(), Thread::new()], turn: AtomicUsize::new(0) });
/// let tasks = (0..10_u64).map(|n| executor.spawn_remote(remote!(move || n * n)));
/// assert_eq!(futures::future::try_join_all(tasks).await?.iter().sum::<u64>(), 285);
/// # Ok::<_, Error>(())
/// # });
/// ```
pub trait Executor: Spawn + Send + Sync {
    /// Takes a task, to be run now or later.
    fn submit(&self, job: Job);

    /// Takes a task unless that would overfill the executor's queue. By default no queue is ever full.
    ///
    /// # Errors
    ///
    /// Gives the task back if there is no room for it.
    fn try_submit(&self, job: Job) -> Result<(), Job> {
        self.submit(job);
        Ok(())
    }

    /// How many tasks can run at the same time. By default one.
    fn concurrency(&self) -> usize {
        1
    }

    /// How many tasks were taken and have not ended, as far as the executor knows. By default none.
    fn pending(&self) -> usize {
        0
    }

    /// What the executor has done so far. By default nothing is counted.
    fn stats(&self) -> Stats {
        Stats::default()
    }

    /// Takes no more tasks, and resolves when those that were taken have ended. By default there is nothing to close,
    /// and tasks are taken as before.
    fn close(&self) -> BoxFuture<'static, ()> {
        Box::pin(future::ready(()))
    }
}

/// What every executor can do with typed tasks.
pub trait ExecutorExt: Executor {
    /// Runs a task.
    ///
    /// The handle is a future of the task's result. Dropping it cancels the task.
    ///
    /// # Errors
    ///
    /// The handle resolves to an error that [`is_panic`](Error::is_panic) if the task panicked,
    /// [`is_worker_lost`](Error::is_worker_lost) if its worker ended under it, [`is_startup`](Error::is_startup) if no worker
    /// could be started, [`is_closed`](Error::is_closed) if the executor was closed or dropped, and
    /// [`is_codec`](Error::is_codec) if arguments or result could not be encoded.
    fn spawn_remote<R>(&self, task: Remote<R>) -> RemoteHandle<R>
    where
        R: Serialize + DeserializeOwned + 'static,
    {
        let (job, handle) = task.into_job();
        if let Some(job) = job {
            self.submit(job);
        }
        handle
    }

    /// Runs a task, unless that would overfill the executor's queue: see [`max_queue`](PoolBuilder::max_queue).
    ///
    /// # Errors
    ///
    /// [`is_queue_full`](Error::is_queue_full) if there is no room for the task.
    fn try_spawn_remote<R>(&self, task: Remote<R>) -> Result<RemoteHandle<R>, Error>
    where
        R: Serialize + DeserializeOwned + 'static,
    {
        let (job, handle) = task.into_job();
        let refused = job.and_then(|job| self.try_submit(job).err());
        refused.map_or(Ok(handle), |job| Err(Error::queue_full().of_task(&job.location().to_string())))
    }

    /// Calls a function for each of many items, and gives the results as a stream, in the order of the items.
    ///
    /// Items are taken as results are: some [chunks](#chunks) per worker are in flight, no more, and under
    /// [`max_queue`](PoolBuilder::max_queue) no more than the queue has room for. Dropping the stream cancels what is in
    /// flight. [`forget`](RemoteHandle::forget) has no match here: collect the stream to the end.
    ///
    /// # Chunks
    ///
    /// Cheap items travel together, in one task of about two milliseconds, as measured where they run; costly ones travel
    /// singly. So do those of an asynchronous function, which overlap at their awaits, those that have a
    /// [`timeout`](RemoteFn::timeout) or may run [again](RemoteFn::retry), which is meant for each, and those whose
    /// arguments or results hold a [`Transfer`](crate::Transfer) or the like. What the function captured is sent with every
    /// chunk and decoded for every item.
    ///
    /// # Errors
    ///
    /// Each item has a result or an error of its own, at its place, and the stream goes on. An item that panics fails with
    /// an error that [`is_panic`](Error::is_panic); items of its chunk that ran before keep their results, and those behind
    /// it run on another worker. If a worker is lost in any other way, all items of the chunk that it ran share that error.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::StreamExt;
    /// use wasm_mt::{Error, ExecutorExt, Pool, Transfer, remote};
    ///
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let width = 640;
    /// let mut rows = pool.par_map(0..480_u32, remote!(move |y| Transfer(vec![y; width])));
    /// let mut y = 0;
    /// while let Some(row) = rows.next().await {
    ///     assert_eq!(row?.0[0], y);
    ///     y += 1;
    /// }
    /// assert_eq!(y, 480);
    /// # Ok::<_, Error>(())
    /// # });
    /// ```
    fn par_map<I, X, R>(&self, items: I, function: RemoteFn<X, R>) -> ParMap<'_, Self, I::IntoIter, R>
    where
        I: IntoIterator<Item = X>,
        X: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        ParMap::new(self, items.into_iter(), function)
    }
}

impl<E: Executor + ?Sized> ExecutorExt for E {}
