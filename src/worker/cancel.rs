//! What a task can see of its own cancellation.

use super::context::current_worker;
use super::worker::Worker;
use crate::error::Error;
use crate::task;

/// True if the task whose code runs need not go on: its handle was dropped or aborted, its executor has ended, or its time
/// limit has passed.
///
/// For loops in synchronous tasks, which nothing else can interrupt. What such a task can see:
///
/// - Its time limit, everywhere, by the clock: the limit of its [`timeout`](crate::Remote::timeout) or of a task that made it.
/// - Natively, all of it, at once.
/// - In the browser, nothing else as long as it runs: a worker receives no message meanwhile. Make a long task asynchronous, with a
///   [`yield_now`](crate::yield_now) now and then: it is dropped there when it is cancelled. A worker that is
///   [terminated](crate::Pool::terminate), or ended because a task runs for too long, stops where it is.
///
/// In code of no task it is false, except on a worker whose pool has ended.
///
/// To ask is cheap: natively some tens of nanoseconds. The clock is read only if there is a time limit.
///
/// ```
/// # use wasm_mt::{Thread, remote};
/// # wasm_mt::run(async {
/// let thread = Thread::new();
/// let search = remote!(|| (2..100_u32).take_while(|_| !wasm_mt::is_cancelled()).find(|n| 91 % n == 0));
/// assert_eq!(thread.spawn_remote(search).await?, Some(7));
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
#[must_use]
pub fn is_cancelled() -> bool {
    checkpoint().is_err()
}

/// Lets a synchronous task end with `?` as soon as [`is_cancelled`], which says what such a task can see, is true.
///
/// Nobody gets the error: the task's handle is gone, or has an error already. Natively the worker goes on with other
/// tasks then, unless it was given up: after a [`timeout`](crate::Remote::timeout), or when the grace after an
/// [`abort`](crate::RemoteHandle::abort) is over.
///
/// # Errors
///
/// One that [`is_timeout`](Error::is_timeout) if the time limit has passed, else one that
/// [`is_cancelled`](Error::is_cancelled).
///
/// # Examples
///
/// ```
/// # use wasm_mt::{Error, Thread, remote};
/// # wasm_mt::run(async {
/// let thread = Thread::new();
/// let endless = thread.spawn_remote(remote!(|| -> Result<(), Error> {
///     loop {
///         wasm_mt::checkpoint()?;
/// #       if cfg!(target_family = "wasm") { return Ok(()) }
///     }
/// }));
/// drop(endless);
/// assert_eq!(thread.spawn_remote(remote!(|| 6 * 7)).await?, 42); // natively
/// # Ok::<_, Error>(())
/// # });
/// ```
pub fn checkpoint() -> Result<(), Error> {
    let stopped = current_worker()
        .is_some_and(|worker| worker.as_any().downcast_ref().is_some_and(Worker::stops_current_task));
    // Later: the page may have stopped it because its time is over.
    task::check_bounds()?;
    if stopped { Err(Error::cancelled()) } else { Ok(()) }
}
