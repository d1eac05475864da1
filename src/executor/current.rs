//! The executor that tasks are given to where none is named.

use std::future::IntoFuture;
use std::sync::{Arc, OnceLock};

use futures::future::{self, BoxFuture};
use futures::task::{FutureObj, Spawn, SpawnError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Executor, ExecutorExt, Pool};
use crate::error::Error;
use crate::platform::ThreadSlot;
use crate::task::{Job, Remote, RemoteHandle};
use crate::worker::{self, WorkerContext};

thread_local! {
    /// What an executor has put in the place of this thread's own while it polls a task.
    static OVERRIDE: ThreadSlot<Option<Arc<dyn Executor>>> = const { ThreadSlot::new(None) };
}

/// The executor of the code that runs: within a task the executor that runs it, elsewhere a [`Pool`] of the program, which
/// is made on first use with the defaults of [`Pool::new`].
///
/// This is where an awaited [`Remote`] runs. Within a task it stands for the worker that runs the task: its `pending` counts
/// what was made there and is still there, and its `close` resolves at once and closes nothing, because the pool belongs to
/// its owner.
///
/// ```
/// use futures::future::try_join;
/// use wasm_mt::{Error, ExecutorExt, executor, remote};
///
/// # wasm_mt::run(async {
/// let sum = remote!(async move {
///     // Within a task: the pool that runs it.
///     let pool = executor::current();
///     let (a, b) = try_join(pool.spawn_remote(remote!(|| 1)), pool.spawn_remote(remote!(|| 2))).await?;
///     Ok::<_, Error>(a + b)
/// });
/// assert_eq!(sum.await??, 3);
/// # Ok::<_, Error>(())
/// # });
/// ```
#[must_use]
pub fn current() -> Arc<dyn Executor> {
    if let Some(overriding) = OVERRIDE.with(ThreadSlot::get) {
        return overriding;
    }
    match worker::context() {
        Some(context) => Arc::new(CurrentPool(context)),
        None => default_pool(),
    }
}

/// The pool of the program.
fn default_pool() -> Arc<dyn Executor> {
    static POOL: OnceLock<Arc<Pool>> = OnceLock::new();
    POOL.get_or_init(|| Arc::new(Pool::new())).clone()
}

/// Makes an executor the current one until the guard is dropped.
pub(super) fn enter(executor: Arc<dyn Executor>) -> Entered {
    Entered(OVERRIDE.with(|overriding| overriding.replace(Some(executor))))
}

/// Puts back what was the current executor.
pub(super) struct Entered(Option<Arc<dyn Executor>>);

impl Drop for Entered {
    fn drop(&mut self) {
        OVERRIDE.with(|overriding| overriding.set(self.0.take()));
    }
}

/// The pool of a worker, as the tasks on it see it.
struct CurrentPool(Arc<WorkerContext>);

/// A future runs on the worker's own thread.
impl Spawn for CurrentPool {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.0.spawn(future)
    }

    fn status(&self) -> Result<(), SpawnError> {
        if self.0.is_closed() { Err(SpawnError::shutdown()) } else { Ok(()) }
    }
}

impl Executor for CurrentPool {
    fn submit(&self, job: Job) {
        self.0.submit(job);
    }

    fn concurrency(&self) -> usize {
        self.0.threads()
    }

    fn pending(&self) -> usize {
        self.0.pending()
    }

    /// The pool is closed by its owner.
    fn close(&self) -> BoxFuture<'static, ()> {
        Box::pin(future::ready(()))
    }
}

/// Awaiting a task gives it to the [`current`] executor.
impl<R> IntoFuture for Remote<R>
where
    R: Serialize + DeserializeOwned + 'static,
{
    type Output = Result<R, Error>;
    type IntoFuture = RemoteHandle<R>;

    fn into_future(self) -> RemoteHandle<R> {
        current().spawn_remote(self)
    }
}
