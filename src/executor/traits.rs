//! The trait that every executor implements.

use futures::future::{self, BoxFuture};
use futures::task::Spawn;

use crate::task::Job;

/// Takes tasks and decides where and when they run.
///
/// Object-safe: a program may hold a `Box<dyn Executor>` and choose another one at run time. What one calls is
/// mostly in [`ExecutorExt`](crate::ExecutorExt).
///
/// An executor is a [`Spawn`] too. **A future that is spawned that way cannot leave its memory**: in the browser it runs on
/// the event loop of the thread that spawns it; natively it runs on the executor's threads. Only [`Remote`](crate::Remote) tasks run on
/// workers in both.
///
/// # Writing one
///
/// [`submit`](Self::submit) and [`concurrency`](Self::concurrency) are all that must be written beside `Spawn`. `submit` may
/// keep the job, give it to another executor, [`run`](Job::run) it or [`fail`](Job::fail) it. A job that is dropped resolves
/// its handle with an error, so no handle stays pending. This executor uses its threads in turn:
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
    ///
    /// # Examples
    ///
    /// ```
    /// # use futures::task::{FutureObj, Spawn, SpawnError};
    /// # use wasm_mt::{Executor, ExecutorExt, InlineExecutor, Job, Pool, remote};
    /// /// What the pool has no room for runs here.
    /// struct Overflow(Pool, InlineExecutor);
    ///
    /// # impl Spawn for Overflow {
    /// #     fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
    /// #         self.0.spawn_obj(future)
    /// #     }
    /// # }
    /// impl Executor for Overflow {
    ///     fn submit(&self, job: Job) {
    ///         self.0.try_submit(job).unwrap_or_else(|refused| self.1.submit(refused));
    ///     }
    /// #     fn concurrency(&self) -> usize {
    /// #         self.0.concurrency()
    /// #     }
    /// }
    ///
    /// # wasm_mt::run(async {
    /// let executor = Overflow(Pool::builder().threads(1).max_queue(0).build(), InlineExecutor::new());
    /// let busy = executor.0.spawn_remote(remote!(async { std::future::pending::<()>().await }));
    /// assert_eq!(executor.spawn_remote(remote!(|| 6 * 7)).await?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    fn try_submit(&self, job: Job) -> Result<(), Job> {
        self.submit(job);
        Ok(())
    }

    /// How many tasks can run at the same time. [`par_map`](crate::ExecutorExt::par_map) keeps so many busy, and asks again
    /// whenever results come.
    ///
    /// ```
    /// # use wasm_mt::{Executor, InlineExecutor, Pool};
    /// # wasm_mt::run(async {
    /// let executor: Box<dyn Executor> = Box::new(Pool::builder().threads(4).build());
    /// assert_eq!(executor.concurrency(), 4);
    /// assert_eq!(InlineExecutor::new().concurrency(), 1);
    /// # });
    /// ```
    fn concurrency(&self) -> usize;

    /// How many tasks were taken and have not ended, as far as the executor knows. By default none.
    ///
    /// ```
    /// # use wasm_mt::{Executor, Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let endless = pool.spawn_remote(remote!(async { std::future::pending::<()>().await }));
    /// pool.spawn_remote(remote!(|| 6 * 7)).await?;
    /// assert_eq!(pool.pending(), 1);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    fn pending(&self) -> usize {
        0
    }

    /// Takes no more tasks, and resolves when those that were taken have ended. By default there is nothing to close,
    /// and tasks are taken as before.
    ///
    /// ```
    /// # use wasm_mt::{Executor, Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let handle = pool.spawn_remote(remote!(|| 6 * 7));
    /// pool.close().await;
    /// assert_eq!(handle.await?, 42); // it was there already
    /// assert!(pool.spawn_remote(remote!(|| 6 * 7)).await.unwrap_err().is_closed());
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    fn close(&self) -> BoxFuture<'static, ()> {
        Box::pin(future::ready(()))
    }
}
