//! An executor without workers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures::channel::oneshot;
use futures::future::{BoxFuture, LocalBoxFuture};
use futures::task::{FutureObj, Spawn, SpawnError};

use super::{Executor, current, forward, spawn_remote};
use crate::error::Error;
use crate::platform::{self, HAS_EVENT_LOOP};
use crate::task::{InHandle, Job};

/// Runs tasks on the thread that awaits them, for places where workers cannot be had.
///
/// Tasks go through the same encoding as anywhere, so what works here works on a worker. What a task spawns runs here too:
/// this is the [`current`](crate::executor::current) executor of its tasks. There is no parallelism: a synchronous task
/// holds the thread until it has ended, and asynchronous ones overlap at their awaits.
///
/// In the browser a task runs on the event loop. **Natively it runs while its handle is polled**, so it needs no runtime in
/// particular, and:
///
/// - A task whose handle is not polled does not progress. Await several at once by `join_all` and the like.
/// - A task stays on the thread on which its handle was polled first. A handle that is polled on another later resolves with
///   an error that [`is_worker_lost`](Error::is_worker_lost).
/// - Tasks that await one another are on one stack. One that would be within 128 others resolves with an error that
///   [`is_panic`](Error::is_panic).
/// - A task that is detached by [`forget`](crate::RemoteHandle::forget), and a future that is spawned, run beside the other
///   futures of [`run`](crate::run), or of the worker that this is. Where there is neither, a forgotten task runs to its
///   first await that is not ready, and no future can be spawned.
///
/// A panic is the task's error where panics unwind. In the browser it ends the page's program, and nothing stops a
/// synchronous task: its [`timeout`](crate::Remote::timeout) is found to be over when it has ended.
///
/// [`join`](crate::RemoteHandle::join) runs a synchronous task at once, by its handle.
///
/// A clone is the same executor.
///
/// ```
/// use wasm_mt::{InlineExecutor, remote};
///
/// # #[cfg(not(target_family = "wasm"))] {
/// let task = InlineExecutor::new().spawn_remote(remote!(|| 6 * 7));
/// assert_eq!(futures_executor::block_on(task)?, 42); // by any runtime
/// # }
/// # Ok::<_, wasm_mt::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct InlineExecutor {
    shared: Arc<Mutex<InlineState>>,
}

#[derive(Default)]
struct InlineState {
    pending: usize,
    /// Where handles run their tasks: those, and some that are over.
    tasks: Vec<InHandle>,
    closed: bool,
    closing: Vec<oneshot::Sender<()>>,
}

impl InlineState {
    fn keep(&mut self, task: InHandle) {
        if self.tasks.len() > 2 * self.pending + 8 {
            self.tasks.retain(InHandle::is_waiting);
        }
        self.tasks.push(task);
    }
}

impl InlineExecutor {
    /// Costs next to nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    spawn_remote!(pub);

    fn take(&self, job: Job) {
        let counted = PendingGuard::new(self.clone());
        let begin = move |job: Job| -> LocalBoxFuture<'static, ()> {
            Box::pin(WithCurrent { task: Box::pin(job.run()), counted })
        };
        let task = job.run_in_handle(begin);
        if HAS_EVENT_LOOP {
            // Until then it can be joined.
            platform::spawn_local(async move {
                if let Some(task) = task.begin() {
                    task.await;
                }
            });
        } else {
            self.lock().keep(task);
        }
    }

    fn lock(&self) -> MutexGuard<'_, InlineState> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A future runs beside the others of this thread, where there is a pool for them.
impl Spawn for InlineExecutor {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.status()?;
        platform::spawn_local(future);
        Ok(())
    }

    fn status(&self) -> Result<(), SpawnError> {
        if self.lock().closed || !platform::has_local_pool() { Err(SpawnError::shutdown()) } else { Ok(()) }
    }
}

impl Executor for InlineExecutor {
    fn submit(&self, job: Job) {
        if self.lock().closed { job.fail(Error::closed()) } else { self.take(job) }
    }

    /// One: there is one thread.
    fn concurrency(&self) -> usize {
        1
    }

    fn pending(&self) -> usize {
        self.lock().pending
    }

    /// Natively what was taken goes on beside the other futures of [`run`](crate::run), or of the worker that this is. Where
    /// there is neither, it goes on in its handles: poll them meanwhile, or drop them.
    fn close(&self) -> BoxFuture<'static, ()> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        state.closed = true;
        if state.pending > 0 {
            state.closing.push(sender);
        }
        let tasks = std::mem::take(&mut state.tasks);
        drop(state);
        if platform::has_local_pool() {
            tasks.iter().for_each(InHandle::release);
        }
        // A sender that is gone has nothing to wait for.
        Box::pin(async { receiver.await.unwrap_or(()) })
    }
}

impl fmt::Debug for InlineExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InlineExecutor").field("pending", &self.pending()).finish()
    }
}

/// The executor as its tasks see it: it takes their children also when it is closed, and they cannot close it.
struct InlineContext(InlineExecutor);

impl Spawn for InlineContext {
    forward!(Spawn, |context| &context.0);
}

impl Executor for InlineContext {
    fn submit(&self, job: Job) {
        self.0.take(job);
    }

    fn concurrency(&self) -> usize {
        self.0.concurrency()
    }

    fn pending(&self) -> usize {
        self.0.pending()
    }
}

/// A task that was taken and has not ended.
struct PendingGuard(InlineExecutor);

impl PendingGuard {
    fn new(executor: InlineExecutor) -> Self {
        executor.lock().pending += 1;
        Self(executor)
    }
}

impl Drop for PendingGuard {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.pending -= 1;
        let closing = if state.pending == 0 { std::mem::take(&mut state.closing) } else { Vec::new() };
        drop(state);
        // Wakes those that wait for the end.
        drop(closing);
    }
}

/// Polls a task with its executor as the current one.
struct WithCurrent {
    task: LocalBoxFuture<'static, ()>,
    counted: PendingGuard,
}

impl Future for WithCurrent {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let _entered = current::enter(Arc::new(InlineContext(self.counted.0.clone())));
        self.task.as_mut().poll(context)
    }
}
