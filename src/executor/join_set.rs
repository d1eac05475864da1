//! Handles that are awaited together.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::StreamExt;
use futures::stream::{FusedStream, FuturesUnordered, Stream};
use futures::task::noop_waker_ref;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::current::current;
use super::{Executor, ExecutorExt};
use crate::error::Error;
use crate::task::{Remote, RemoteHandle, cannot_wait};

/// Tasks that belong together, on whatever executors: their results come in the order in which they end.
///
/// **Dropping the set cancels its tasks**, as dropping their handles would. [`detach_all`](Self::detach_all) lets them run
/// instead, [`abort_all`](Self::abort_all) stops them even if that ends their workers.
///
/// A set is also a [`Stream`] of the results, for the methods of `StreamExt` and `TryStreamExt`, and is made of handles by `collect`.
///
/// ```
/// use wasm_mt::{Error, JoinSet, Pool, remote};
///
/// # wasm_mt::run(async {
/// let pool = Pool::new();
/// let mut set = JoinSet::new();
/// for n in 0..10_u32 {
///     set.spawn_on(&pool, remote!(move || n * n));
/// }
/// let mut sum = 0;
/// while let Some(square) = set.join_next().await {
///     sum += square?;
/// }
/// assert_eq!(sum, 285);
/// # Ok::<_, Error>(())
/// # });
/// ```
#[must_use = "dropping a set cancels its tasks"]
pub struct JoinSet<T> {
    members: FuturesUnordered<Member<T>>,
}

/// A handle of the set. Whether it may be waited for is asked by the set, since any of the others may be the next.
struct Member<T>(RemoteHandle<T>);

impl<T> Future for Member<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_result(context)
    }
}

impl<T> JoinSet<T> {
    /// An empty set.
    pub fn new() -> Self {
        Self { members: FuturesUnordered::new() }
    }

    /// Runs a task on an executor.
    ///
    /// ```
    /// # use wasm_mt::{Executor, JoinSet, Thread, remote};
    /// # wasm_mt::run(async {
    /// let executor: Box<dyn Executor> = Box::new(Thread::new());
    /// let mut set = JoinSet::new();
    /// set.spawn_on(&executor, remote!(|| 6 * 7));
    /// assert_eq!(set.join_next().await.unwrap()?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn spawn_on<E>(&mut self, executor: &E, task: Remote<T>)
    where
        E: Executor + ?Sized,
        T: Serialize + DeserializeOwned + 'static,
    {
        self.insert(executor.spawn_remote(task));
    }

    /// Runs a task on the [`current`](crate::executor::current) executor.
    ///
    /// ```
    /// # use wasm_mt::{JoinSet, remote};
    /// # wasm_mt::run(async {
    /// let mut set = JoinSet::new();
    /// set.spawn(remote!(|| 6 * 7));
    /// assert_eq!(set.join_next().await.unwrap()?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn spawn(&mut self, task: Remote<T>)
    where
        T: Serialize + DeserializeOwned + 'static,
    {
        self.spawn_on(&current(), task);
    }

    /// Adds the handle of a task that was given to an executor before.
    pub fn insert(&mut self, handle: RemoteHandle<T>) {
        self.members.push(Member(handle));
    }

    /// How many tasks have not been taken out by their results.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// True if there is no task.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The result of the task that ends next. `None` if there is no task.
    ///
    /// Results that were there before the set was first awaited come in the order in which their tasks were added. The future
    /// may be dropped at any time: no result is lost with it.
    ///
    /// # Panics
    ///
    /// If a *synchronous* task waits for tasks that it made: see [`RemoteHandle`].
    pub fn join_next(&mut self) -> impl Future<Output = Option<Result<T, Error>>> {
        self.next()
    }

    /// The next result, if it is there. `None` if there is none, or no task.
    ///
    /// ```
    /// # use wasm_mt::{Executor, JoinSet, Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let mut set = JoinSet::new();
    /// set.spawn_on(&pool, remote!(|| 6 * 7));
    /// pool.close().await; // when all tasks have ended
    /// assert_eq!(set.try_join_next().unwrap()?, 42);
    /// assert!(set.try_join_next().is_none());
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn try_join_next(&mut self) -> Option<Result<T, Error>> {
        match self.poll_next_unpin(&mut Context::from_waker(noop_waker_ref())) {
            Poll::Ready(next) => next,
            Poll::Pending => None,
        }
    }

    /// The results of all tasks, in the order in which they end.
    ///
    /// For the first error instead, which cancels the others, collect the stream by `try_collect`.
    ///
    /// ```
    /// # use futures::TryStreamExt;
    /// # use wasm_mt::{JoinSet, Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let squares = || (0..3_u32).map(|n| pool.spawn_remote(remote!(move || n * n))).collect::<JoinSet<_>>();
    /// assert_eq!(squares().join_all().await.len(), 3);
    /// assert_eq!(squares().try_collect::<Vec<_>>().await?.len(), 3);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn join_all(self) -> impl Future<Output = Vec<Result<T, Error>>> {
        self.collect()
    }

    /// Stops all tasks, with their workers if need be: see [`RemoteHandle::abort`]. They stay in the set, and each that has no
    /// result yet gives an error that [`is_cancelled`](Error::is_cancelled).
    ///
    /// ```
    /// # use wasm_mt::{JoinSet, Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let mut set = JoinSet::new();
    /// set.spawn_on(&pool, remote!(async { std::future::pending::<()>().await }));
    /// set.abort_all();
    /// assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
    /// # });
    /// ```
    pub fn abort_all(&self) {
        self.members.iter().for_each(|member| member.0.abort());
    }

    /// Lets all tasks run without their handles, as [`RemoteHandle::forget`] does, and empties the set.
    pub fn detach_all(&mut self) {
        std::mem::take(&mut self.members).into_iter().for_each(|member| member.0.forget());
    }

    /// Stops all tasks by [`abort_all`](Self::abort_all) and resolves when all have their errors or results, which are thrown away.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }
}

/// The results, in the order in which the tasks end.
impl<T> Stream for JoinSet<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.members.poll_next_unpin(context);
        if next.is_pending() && self.members.iter().all(|member| member.0.is_blocked()) {
            cannot_wait(context);
        }
        next
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

/// It may be polled until it has given `None`, and again when another task was added.
impl<T> FusedStream for JoinSet<T> {
    fn is_terminated(&self) -> bool {
        self.members.is_terminated()
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Extend<RemoteHandle<T>> for JoinSet<T> {
    fn extend<I: IntoIterator<Item = RemoteHandle<T>>>(&mut self, handles: I) {
        handles.into_iter().for_each(|handle| self.insert(handle));
    }
}

impl<T> FromIterator<RemoteHandle<T>> for JoinSet<T> {
    fn from_iter<I: IntoIterator<Item = RemoteHandle<T>>>(handles: I) -> Self {
        let mut set = Self::new();
        set.extend(handles);
        set
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.members.iter().map(|member| &member.0)).finish()
    }
}
