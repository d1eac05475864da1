//! Tasks that are run by the code that waits for them.

use std::ptr;
use std::sync::Arc;

use super::context::{context, current_worker};
use super::worker::Worker;
use crate::error::Error;
use crate::task::{OwnedTask, RemoteHandle};

impl<T> RemoteHandle<T> {
    /// The result, without an await: runs the task here and now if it has not begun.
    ///
    /// That is possible for a *synchronous* task that was made on this very worker, by
    /// [`executor::current`](crate::executor::current), and is still here, and for one of an
    /// [`InlineExecutor`](crate::InlineExecutor). It runs on the stack of the code that joins it, through the encoding as anywhere. A
    /// result that is there is given in any case. A handle that gave none can still be awaited.
    ///
    /// So a synchronous task can divide its work. What it makes stays on its worker until it returns, so that it can be joined; what it
    /// lets go by [`forget`](Self::forget) may migrate to a worker that has nothing to do. What an asynchronous task makes may
    /// migrate before it is joined: then await the handle.
    ///
    /// Nothing waits here, since a blocked worker would receive no messages, among them the one that it waits for.
    ///
    /// # Errors
    ///
    /// Those of the task, and one that [`is_would_block`](Error::is_would_block) if there is no result and it cannot be run here: it is
    /// asynchronous, has begun, has migrated, or belongs to another executor than that of this worker, as all tasks of a
    /// page do.
    ///
    /// # Panics
    ///
    /// If the task panics, unless it is one of an `InlineExecutor`: it runs as a part of the code here, so that fails with it. A task that
    /// joins one that panics ends in an error that [`is_panic`](Error::is_panic) itself, and its worker with it. Also if the handle has
    /// given its result already.
    ///
    /// # Examples
    ///
    /// ```
    /// use wasm_mt::{Error, Pool, executor, remote};
    ///
    /// fn fib(n: u64) -> Result<u64, Error> {
    ///     if n < 2 {
    ///         return Ok(n);
    ///     }
    ///     let mut a = executor::current().spawn_remote(remote!(move || fib(n - 1)));
    ///     let b = fib(n - 2)?;
    ///     Ok(a.join()?? + b)
    /// }
    ///
    /// # use wasm_mt::ExecutorExt;
    /// # wasm_mt::run(async {
    /// assert_eq!(Pool::new().spawn_remote(remote!(|| fib(10))).await??, 55);
    /// # Ok::<_, Error>(())
    /// # });
    /// ```
    pub fn join(&mut self) -> Result<T, Error> {
        if let Some(result) = self.take_result() {
            return result;
        }
        let task = if self.run_in_place() { None } else { self.owned_task() };
        if let Some(task) = task {
            run(&task);
        }
        self.take_result().unwrap_or_else(|| Err(self.would_block()))
    }
}

/// Runs a task of this worker, if it may be run.
fn run(task: &OwnedTask) {
    let (Some(worker), Some(context)) = (current_worker(), context()) else { return };
    if !ptr::addr_eq(task.owner.as_ptr(), Arc::as_ptr(&context)) {
        return;
    }
    if let Some(worker) = worker.as_any().downcast_ref::<Worker>() {
        worker.join(task.task);
    }
}
