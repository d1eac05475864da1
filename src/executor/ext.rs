//! What every executor can do with typed tasks.

use std::future::{Future, ready};
use std::iter;

use futures::TryStreamExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::forward::spawn_remote;
use super::par_map::ParMap;
use super::task_stream::TaskStream;
use super::traits::Executor;
use crate::channel::{Sender, channel};
use crate::error::Error;
use crate::task::{Remote, RemoteFn, RemoteHandle};

/// What every executor can do with typed tasks.
///
/// ```
/// use futures::TryStreamExt;
/// use wasm_mt::{Error, Executor, ExecutorExt, InlineExecutor, Pool, remote};
///
/// /// Runs on whatever it is given.
/// async fn squares(executor: &dyn Executor) -> Result<Vec<u32>, Error> {
///     executor.par_map(0..3, remote!(|n: u32| n * n)).try_collect().await
/// }
///
/// # wasm_mt::run(async {
/// assert_eq!(squares(&Pool::new()).await?, [0, 1, 4]);
/// assert_eq!(squares(&InlineExecutor::new()).await?, [0, 1, 4]);
/// # Ok::<_, Error>(())
/// # });
/// ```
pub trait ExecutorExt: Executor {
    spawn_remote!();

    /// Runs a task, unless that would overfill the executor's queue: see [`max_queue`](crate::PoolBuilder::max_queue).
    ///
    /// # Errors
    ///
    /// [`is_queue_full`](Error::is_queue_full) if there is no room for the task.
    ///
    /// # Examples
    ///
    /// ```
    /// # use wasm_mt::{ExecutorExt, Pool, Strategy, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::builder().strategy(Strategy::Serial).max_queue(1).build();
    /// pool.ready().await?;
    /// let running = pool.try_spawn_remote(remote!(async { std::future::pending::<()>().await }))?;
    /// let waiting = pool.try_spawn_remote(remote!(|| 6 * 7))?;
    /// assert!(pool.try_spawn_remote(remote!(|| 6 * 7)).unwrap_err().is_queue_full());
    ///
    /// running.abort(); // makes room
    /// assert_eq!(waiting.await?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    fn try_spawn_remote<R>(&self, task: Remote<R>) -> Result<RemoteHandle<R>, Error>
    where
        R: Serialize + DeserializeOwned + 'static,
    {
        let (job, handle) = task.into_job();
        let refused = job.and_then(|job| self.try_submit(job).err());
        refused.map_or(Ok(handle), |job| Err(Error::queue_full().of_task(job.location())))
    }

    /// Runs a task that sends values as it goes, and gives them as a stream.
    ///
    /// The task is made with a [`Sender`] of a [`channel`](crate::channel()) that holds `capacity` values. Its own result is the stream's
    /// [`result`](TaskStream::result).
    ///
    /// ```
    /// use futures::TryStreamExt;
    /// use wasm_mt::{Error, ExecutorExt, Pool, remote};
    ///
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let rows = pool.spawn_stream(8, |row| {
    ///     remote!(async move {
    ///         for n in 0..100_u64 {
    ///             row.send(vec![n; 10]).await?; // waits for the page if that is slower
    ///         }
    ///         Ok::<_, Error>(())
    ///     })
    /// });
    /// let sum = rows.try_fold(0, |sum, row| async move { Ok(sum + row.iter().sum::<u64>()) });
    /// assert_eq!(sum.await?, 49_500);
    /// # Ok::<_, Error>(())
    /// # });
    /// ```
    fn spawn_stream<T, R>(
        &self,
        capacity: usize,
        task: impl FnOnce(Sender<T>) -> Remote<R>,
    ) -> TaskStream<T, R>
    where
        R: Serialize + DeserializeOwned + 'static,
    {
        let (sender, receiver) = channel(capacity);
        TaskStream::new(receiver, self.spawn_remote(task(sender)))
    }

    /// Calls a function for each of many items, and gives the results as a stream, in the order of the items.
    ///
    /// Items are taken as results are: some [chunks](#chunks) per worker are in flight, no more, and under
    /// [`max_queue`](crate::PoolBuilder::max_queue) no more than the queue has room for. Dropping the stream cancels what is in
    /// flight. [`forget`](RemoteHandle::forget) has no match here: collect the stream to the end.
    ///
    /// # Chunks
    ///
    /// Cheap items travel together, in one task of about two milliseconds, as measured where they run; costly ones travel
    /// singly. So do those of an asynchronous function, which overlap at their awaits, those that have a
    /// [`timeout`](RemoteFn::timeout) or may run [again](RemoteFn::retry), which is meant for each, and those whose
    /// arguments hold a [`Transfer`](crate::Transfer) or a `Js`, or whose results hold a `Js` that is cloned. What the function
    /// captured is sent with every chunk and decoded once for it.
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
        ParMap::new(self, items.into_iter(), function, true)
    }

    /// As [`par_map`](Self::par_map), but results come as they are there, whatever the order of their items: none waits for one
    /// before it.
    ///
    /// ```
    /// use futures::TryStreamExt;
    /// use wasm_mt::{ExecutorExt, Pool, remote};
    ///
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let words = ["one", "two", "three"].map(String::from);
    /// let lengths = pool.par_map_unordered(words, remote!(|word: String| (word.len(), word)));
    /// let longest = lengths.try_fold((0, String::new()), async |longest, next| Ok(next.max(longest))).await?;
    /// assert_eq!(longest, (5, "three".to_owned()));
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    fn par_map_unordered<I, X, R>(
        &self,
        items: I,
        function: RemoteFn<X, R>,
    ) -> ParMap<'_, Self, I::IntoIter, R>
    where
        I: IntoIterator<Item = X>,
        X: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        ParMap::new(self, items.into_iter(), function, false)
    }

    /// Calls a function for each of many items, and reduces the results to one, on the workers.
    ///
    /// `reduce` makes one of two neighbours. It has to be associative: `(a, (b, c))` and `((a, b), c)` give the same. Which of them are reduced
    /// first is not said; their order is kept. Each chunk of items gives one result, and these are reduced by further
    /// tasks. Items travel as those of [`par_map`](Self::par_map) do. `None` if there are no items.
    ///
    /// ```
    /// use wasm_mt::{ExecutorExt, Pool, remote};
    ///
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let sum = pool.par_reduce(1..=10_000_u64, remote!(|n: u64| n * n), remote!(|(a, b): (u64, u64)| a + b));
    /// assert_eq!(sum.await?, Some(333_383_335_000));
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// The first that is found, of an item or of `reduce`; then what has not begun is cancelled.
    fn par_reduce<I, X, R>(
        &self,
        items: I,
        function: RemoteFn<X, R>,
        reduce: RemoteFn<(R, R), R>,
    ) -> impl Future<Output = Result<Option<R>, Error>>
    where
        I: IntoIterator<Item = X>,
        X: Serialize + DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        let partial = ParMap::reduced(self, items.into_iter(), function, reduce.clone());
        async move {
            let mut results: Vec<R> = partial.try_collect().await?;
            while results.len() > 1 {
                let last = if results.len() % 2 == 1 { results.pop() } else { None };
                let mut firsts = results.into_iter();
                let pairs: Vec<_> = iter::from_fn(|| firsts.next().zip(firsts.next())).collect();
                results = self.par_map(pairs, reduce.clone()).try_collect().await?;
                results.extend(last);
            }
            Ok(results.pop())
        }
    }

    /// Calls a function for each of many items, for what it does on the workers.
    ///
    /// Resolves when all have run, or with the first error that is found; then what has not begun is cancelled. Items travel as those
    /// of [`par_map`](Self::par_map) do.
    ///
    /// ```
    /// use wasm_mt::{ExecutorExt, Pool, remote};
    ///
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// pool.par_for_each(["a", "b"].map(String::from), remote!(|name: String| wasm_mt::println!("{name}"))).await?;
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// That of an item, as in [`par_map`](Self::par_map).
    fn par_for_each<I, X>(
        &self,
        items: I,
        function: RemoteFn<X, ()>,
    ) -> impl Future<Output = Result<(), Error>>
    where
        I: IntoIterator<Item = X>,
        X: Serialize + DeserializeOwned + 'static,
    {
        self.par_map_unordered(items, function).in_chunks().try_for_each(|_| ready(Ok(())))
    }
}

impl<E: Executor + ?Sized> ExecutorExt for E {}
