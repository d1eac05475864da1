//! The public value that stands for a task: [`Remote`].

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec;
use super::encoded::Encoded;
use super::entry::Callee;
use super::handle::RemoteHandle;
use super::job::Job;
use crate::error::Error;
use crate::platform::Packet;
use crate::schedule::TaskKind;

/// A task: a call to be made on a worker, with its arguments.
///
/// Usually made by the macro [`remote!`](crate::remote), which finds the variables that a closure captures. By hand,
/// [`Remote::new`] takes the arguments and a function. The arguments are encoded at once, so a `Remote` is `Send`
/// whatever they are; if they cannot be, the task's handle says so.
///
/// Nothing happens until the task is given to an executor, such as a [`Thread`](crate::Thread).
///
/// ```
/// # use wasm_mt::{Remote, Thread};
/// # wasm_mt::run(async {
/// let thread = Thread::new();
/// let sum = thread.spawn_remote(Remote::new((2, 3), |(a, b): (i32, i32)| a + b)).await?;
/// assert_eq!(sum, 5);
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
#[must_use = "a task does nothing until it is given to an executor"]
pub struct Remote<R> {
    encoded: Encoded,
    result: PhantomData<fn() -> R>,
}

impl<R> Remote<R>
where
    R: Serialize + DeserializeOwned + 'static,
{
    /// A task that calls `f(args)`.
    ///
    /// `f` is a function, or a closure that captures nothing. What it needs travels in `args`: a tuple for several
    /// values, `()` for none. Arguments and result cross as [serde](https://serde.rs) values.
    ///
    /// ```
    /// # use wasm_mt::Remote;
    /// # wasm_mt::run(async {
    /// fn area((width, height): (u32, u32)) -> u32 {
    ///     width * height
    /// }
    ///
    /// assert_eq!(Remote::new((6, 7), area).await?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[track_caller]
    pub fn new<A>(args: A, f: fn(A) -> R) -> Self
    where
        A: Serialize + DeserializeOwned + 'static,
    {
        Self::from_encoded(Encoded::new(TaskKind::Sync, Callee::sync(f), &args))
    }

    /// A task that awaits `f(args)`.
    ///
    /// `f` is an `async fn`, or a closure that captures nothing and returns a future, `|args| async move { .. }`.
    /// The future stays on its worker, so it need not be `Send`.
    ///
    /// ```
    /// # use wasm_mt::Remote;
    /// # wasm_mt::run(async {
    /// async fn repeat((text, count): (String, usize)) -> String {
    ///     wasm_mt::yield_now().await;
    ///     text.repeat(count)
    /// }
    ///
    /// assert_eq!(Remote::new_async((String::from("ab"), 2), repeat).await?, "abab");
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[track_caller]
    pub fn new_async<A, F>(args: A, f: fn(A) -> F) -> Self
    where
        A: Serialize + DeserializeOwned + 'static,
        F: Future<Output = R> + 'static,
    {
        Self::from_encoded(Encoded::new(TaskKind::Async, Callee::future(f), &args))
    }

    /// A task that awaits `f(args)` and fails with its error.
    #[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "only JavaScript fails this way"))]
    #[track_caller]
    pub(crate) fn fallible<A, F>(args: A, f: fn(A) -> F) -> Self
    where
        A: Serialize + DeserializeOwned + 'static,
        F: Future<Output = Result<R, Error>> + 'static,
    {
        Self::from_encoded(Encoded::new(TaskKind::Async, Callee::fallible(f), &args))
    }

    /// Splits the task into the part for an executor and the part that awaits the result.
    ///
    /// A task whose arguments could not be encoded has no job: its handle holds the error.
    pub(crate) fn into_job(self) -> (Option<Job>, RemoteHandle<R>) {
        let (reply, handle) = RemoteHandle::new(self.encoded.made_at, codec::decode::<R>);
        (Job::new(self.encoded, reply), handle)
    }
}

impl<R> Remote<R> {
    pub(super) fn from_encoded(encoded: Encoded) -> Self {
        Self { encoded, result: PhantomData }
    }

    /// Gives the task a time limit, counted from its start on a worker, not from its queueing. When it is over, the handle
    /// resolves with an error that [`is_timeout`](Error::is_timeout), also if the task has given a result since: the worker's
    /// clock decides. In a page whose timers are late, such as a hidden one, the error may come later: after twice the limit and a
    /// second, with the next event of the page.
    ///
    /// An asynchronous task is dropped at its next await. A synchronous one cannot be interrupted: its worker is ended, in
    /// the browser where it is; natively the thread runs on until the task ends, and its result is ignored. So it is in WebKit,
    /// where a thread also ends as soon as its code calls JavaScript: an endless loop there takes a core for as long as the page
    /// is open ([`Stats::running_on`](crate::Stats::running_on) counts them). A pool replaces that worker; a
    /// [`Thread`](crate::Thread) is lost. Tasks that wait on the pool are not harmed by it; those that were on that worker, its
    /// children among them, resolve with an error that [`is_worker_lost`](Error::is_worker_lost).
    ///
    /// What the task makes, by giving tasks to any executor, has no more time than is left to it at that moment, counted from the start
    /// of each; so it is also for what it lets go by [`forget`](RemoteHandle::forget). A shorter limit of their own holds. A
    /// synchronous task sees by [`is_cancelled`](crate::is_cancelled) that its time is over.
    ///
    /// A worker on which such a task waits, and which does not answer though none of its tasks is known to keep it busy, is ended
    /// too: code that a task left behind, a timer's for example, has its thread. If it has other tasks, that is
    /// [`start_timeout`](crate::PoolBuilder::start_timeout) later than if it has none.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wasm_mt::{ExecutorExt, Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let endless = remote!(async { std::future::pending::<()>().await }).timeout(Duration::from_millis(20));
    /// assert!(pool.spawn_remote(endless).await.unwrap_err().is_timeout());
    /// # });
    /// ```
    pub fn timeout(self, limit: Duration) -> Self {
        Self::from_encoded(self.encoded.timeout(limit))
    }

    /// Lets the task run again, up to `times` times, if its worker is lost under it by the fault of another task, or ends for
    /// reasons of its own. Only for tasks that may run twice.
    ///
    /// A task that panics itself, or runs for too long, is not run again. One that surely had not begun on the lost worker
    /// needs no permission, unless it has captured a [`Transfer`](crate::Transfer): that has gone with the worker. With
    /// `retry` it is copied before.
    ///
    /// ```
    /// # use wasm_mt::{Pool, Strategy, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::builder().threads(1).strategy(Strategy::Parallel).build();
    /// let task = remote!(async {
    ///     for _ in 0..1000 {
    ///         wasm_mt::yield_now().await;
    ///     }
    ///     42
    /// });
    /// let task = pool.spawn_remote(task.retry(1));
    /// let faulty = pool.spawn_remote(remote!(|| -> u32 { panic!("a bug") }));
    /// assert!(faulty.await.unwrap_err().is_panic()); // the worker is lost, and the other task with it
    /// assert_eq!(task.await?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn retry(self, times: u32) -> Self {
        Self::from_encoded(self.encoded.retry(times))
    }

    /// The same task, whose result is read as another type. What does not fit is an error of the codec.
    #[cfg_attr(
        not(all(feature = "compat", target_family = "wasm")),
        expect(dead_code, reason = "only closures of 0.1 have two types of result")
    )]
    pub(crate) fn read_as<T>(self) -> Remote<T> {
        Remote::from_encoded(self.encoded)
    }

    /// The call alone, for tasks that are sent more than once.
    pub(crate) fn into_call(self) -> Result<Packet, Error> {
        self.encoded.into_call()
    }
}

/// A copy of the task. What it has captured is copied; if an attachment cannot be, the handle of the clone says so.
impl<R> Clone for Remote<R> {
    fn clone(&self) -> Self {
        Self::from_encoded(self.encoded.clone())
    }
}

impl<R> fmt::Debug for Remote<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({})", self.encoded.made_at)
    }
}
