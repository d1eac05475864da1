//! The public values that stand for a task: [`Remote`] and [`RemoteFn`].

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::chunk::Calls;
use super::codec::{self, Decoder};
use super::entry::{self, Entry};
use super::handle::RemoteHandle;
use super::job::Job;
use crate::error::Error;
use crate::platform::{Packet, Tagged};
use crate::schedule::TaskKind;

/// How a task is to run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) kind: TaskKind,
    pub(super) timeout: Option<Duration>,
    pub(super) retries: u32,
}

impl Options {
    fn new(kind: TaskKind) -> Self {
        Self { kind, timeout: None, retries: 0 }
    }
}

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
    call: Result<Packet, Error>,
    options: Options,
    made_at: &'static Location<'static>,
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
    #[track_caller]
    pub fn new<A>(args: A, f: fn(A) -> R) -> Self
    where
        A: Serialize + DeserializeOwned + 'static,
    {
        Self::encoded(TaskKind::Sync, Entry::sync::<A, R>(), f as *const (), &args)
    }

    /// A task that awaits `f(args)`.
    ///
    /// `f` is an `async fn`, or a closure that captures nothing and returns a future, `|args| async move { .. }`.
    /// The future stays on its worker, so it need not be `Send`.
    #[track_caller]
    pub fn new_async<A, F>(args: A, f: fn(A) -> F) -> Self
    where
        A: Serialize + DeserializeOwned + 'static,
        F: Future<Output = R> + 'static,
    {
        Self::encoded(TaskKind::Async, Entry::future::<A, F, R>(), f as *const (), &args)
    }

    /// A task that awaits `f(args)` and fails with its error.
    #[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "only JavaScript fails this way"))]
    #[track_caller]
    pub(crate) fn fallible<A, F>(args: A, f: fn(A) -> F) -> Self
    where
        A: Serialize + DeserializeOwned + 'static,
        F: Future<Output = Result<R, Error>> + 'static,
    {
        Self::encoded(TaskKind::Async, Entry::fallible::<A, F, R>(), f as *const (), &args)
    }

    #[track_caller]
    fn encoded(
        kind: TaskKind,
        entry: &'static Tagged<Entry>,
        function: *const (),
        args: &impl Serialize,
    ) -> Self {
        let made_at = Location::caller();
        let mut packet = entry::packet(entry, function, made_at);
        let call = codec::encode(args, &mut packet).map(|()| packet);
        Self { call, options: Options::new(kind), made_at, result: PhantomData }
    }

    /// Splits the task into the part for an executor and the part for whoever awaits the result.
    ///
    /// A task whose arguments could not be encoded has no job: its handle holds the error.
    pub(crate) fn into_job(self) -> (Option<Job>, RemoteHandle<R>) {
        let (reply, handle) = RemoteHandle::new(self.made_at, decode::<R>);
        match self.call {
            Ok(call) => (Some(Job::new(call, self.options, self.made_at, reply)), handle),
            Err(error) => {
                reply.send(Err(error));
                (None, handle)
            }
        }
    }
}

impl<R> Remote<R> {
    /// Gives the task a time limit, counted from its start on a worker, not from its queueing. When it is over, the handle
    /// resolves with an error that [`is_timeout`](Error::is_timeout).
    ///
    /// An asynchronous task is dropped at its next await. A synchronous one cannot be interrupted: its worker is ended, in
    /// the browser where it is; natively the thread runs on, unheard, until the task ends. A pool replaces that worker; a
    /// [`Thread`](crate::Thread) is lost. Tasks that wait on the pool are not harmed by it; those that were on that worker, its
    /// children among them, resolve with an error that [`is_worker_lost`](Error::is_worker_lost).
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
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.options.timeout = Some(limit);
        self
    }

    /// Lets the task run again, up to `times` times, if its worker is lost under it by the fault of another task, or ends for
    /// reasons of its own. Only for tasks that may run twice.
    ///
    /// A task that panics itself, or runs for too long, is not run again. One that surely had not begun on the lost worker
    /// needs no permission, unless it has captured a [`Transfer`](crate::Transfer): that has gone with the worker. With
    /// `retry` it is copied before.
    pub fn retry(mut self, times: u32) -> Self {
        self.options.retries = times;
        self
    }

    /// A task to the same effect.
    pub(crate) fn copy(&self) -> Self {
        let call = match &self.call {
            Ok(packet) => packet.try_clone(),
            Err(error) => Err(error.clone()),
        };
        Self { call, options: self.options, made_at: self.made_at, result: PhantomData }
    }

    /// The call alone, for tasks that are sent more than once.
    pub(crate) fn into_call(self) -> Result<Packet, Error> {
        self.call.map_err(|error| error.of_task(self.made_at))
    }
}

/// Reads the result of a task.
pub(crate) fn decode<R: DeserializeOwned>(packet: Packet) -> Result<R, Error> {
    let mut decoder = Decoder::new(packet);
    let result = decoder.next()?;
    decoder.finish()?;
    Ok(result)
}

impl<R> fmt::Debug for Remote<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({})", self.made_at)
    }
}

/// A task with one argument left open, to be called many times.
///
/// Made by [`remote!`](crate::remote) from a closure with a parameter, or by hand. What it captures is encoded once.
/// A `RemoteFn` that is bound by `let` before its first call needs its types named.
///
/// ```
/// # use wasm_mt::{RemoteFn, Thread};
/// # wasm_mt::run(async {
/// let thread = Thread::new();
/// let scale = RemoteFn::new(3, |factor: i32, x: i32| factor * x);
/// assert_eq!(thread.spawn_remote(scale.call(5)).await?, 15);
/// assert_eq!(thread.spawn_remote(scale.call(7)).await?, 21);
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
pub struct RemoteFn<X, R> {
    call: Result<Packet, Error>,
    options: Options,
    made_at: &'static Location<'static>,
    signature: PhantomData<fn(X) -> R>,
}

impl<X, R> RemoteFn<X, R>
where
    X: Serialize + DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    /// A task that calls `f(args, x)`, with `x` given later.
    #[track_caller]
    pub fn new<A>(args: A, f: fn(A, X) -> R) -> Self
    where
        A: Serialize + DeserializeOwned + 'static,
    {
        Self::encoded(TaskKind::Sync, Entry::sync_open::<A, X, R>(), f as *const (), &args)
    }

    /// A task that awaits `f(args, x)`, with `x` given later.
    #[track_caller]
    pub fn new_async<A, F>(args: A, f: fn(A, X) -> F) -> Self
    where
        A: Serialize + DeserializeOwned + 'static,
        F: Future<Output = R> + 'static,
    {
        Self::encoded(TaskKind::Async, Entry::future_open::<A, X, F, R>(), f as *const (), &args)
    }

    #[track_caller]
    fn encoded(
        kind: TaskKind,
        entry: &'static Tagged<Entry>,
        function: *const (),
        args: &impl Serialize,
    ) -> Self {
        let made_at = Location::caller();
        let mut packet = entry::packet(entry, function, made_at);
        let call = codec::encode(args, &mut packet).map(|()| packet);
        Self { call, options: Options::new(kind), made_at, signature: PhantomData }
    }

    /// Gives every task of this function a time limit: see [`Remote::timeout`].
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.options.timeout = Some(limit);
        self
    }

    /// Lets every task of this function run again: see [`Remote::retry`].
    #[must_use]
    pub fn retry(mut self, times: u32) -> Self {
        self.options.retries = times;
        self
    }

    /// Makes ready for many calls.
    pub(crate) fn into_calls(self) -> Calls {
        Calls::new(self.call, self.options, self.made_at)
    }

    /// The task for one argument.
    ///
    /// Captured attachments ([`Transfer`](crate::Transfer) and its kin) are copied, so that the next call has them too.
    pub fn call(&self, x: X) -> Remote<R> {
        let call = match &self.call {
            Ok(packet) => packet.try_clone(),
            Err(error) => Err(error.clone()),
        };
        let call = call.and_then(|mut packet| codec::encode(&x, &mut packet).map(|()| packet));
        Remote { call, options: self.options, made_at: self.made_at, result: PhantomData }
    }
}

impl<X, R> fmt::Debug for RemoteFn<X, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteFn({})", self.made_at)
    }
}
