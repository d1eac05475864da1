//! One function over many items: [`ParMap`], the stream of its results.

mod flow;

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::stream::{FusedStream, Stream};
use pin_project::pin_project;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::flow::{ChunkSource, Flow, Taken};
use super::Executor;
use crate::error::Error;
use crate::task::{Batch, Calls, Job, RemoteFn, RemoteHandle, Results, ResultsReader};

/// The results of a function for each of many items, in their order: see [`par_map`](crate::ExecutorExt::par_map).
///
/// Dropping it cancels what is in flight, as dropping a [`RemoteHandle`] does.
///
/// ```
/// use futures::StreamExt;
/// use wasm_mt::{ExecutorExt, Pool, remote};
///
/// # wasm_mt::run(async {
/// let pool = Pool::new();
/// let halves = pool.par_map(0..10_u32, remote!(|n: u32| if n % 2 == 0 { Ok(n / 2) } else { Err(n) }));
/// // The first three results that are even; what else is in flight is cancelled then.
/// let halves = halves.filter_map(async |half| half.ok()?.ok()).take(3).collect::<Vec<_>>().await;
/// assert_eq!(halves, [0, 1, 2]);
/// # });
/// ```
#[must_use = "a stream does nothing until it is polled"]
#[pin_project]
pub struct ParMap<'a, E: ?Sized, I, R> {
    #[pin]
    chunks: Chunks<'a, E, I>,
    /// Of the first chunk that has ended, what was not given yet.
    results: ResultsReader,
    result: PhantomData<fn() -> R>,
}

impl<'a, E, I, R> ParMap<'a, E, I, R>
where
    E: Executor + ?Sized,
    I: Iterator<Item: Serialize + DeserializeOwned + 'static>,
    R: Serialize + DeserializeOwned + 'static,
{
    pub(super) fn new(executor: &'a E, items: I, function: RemoteFn<I::Item, R>, ordered: bool) -> Self {
        Self::of_calls(executor, items, function.into_calls(), ordered)
    }

    /// Of each chunk there is one result, if it has any.
    pub(super) fn reduced(
        executor: &'a E,
        items: I,
        function: RemoteFn<I::Item, R>,
        reduce: RemoteFn<(R, R), R>,
    ) -> Self {
        Self::of_calls(executor, items, function.into_calls().reduced_by(reduce.into_calls()), true)
    }

    fn of_calls(executor: &'a E, items: I, calls: Calls, ordered: bool) -> Self {
        let chunks = Chunks { supply: Supply { executor, items, calls }, flow: Flow::new(ordered) };
        Self { chunks, results: ResultsReader::default(), result: PhantomData }
    }

    /// The same results, as many at once as come at once: for what takes less to compute than to hand over one by one.
    ///
    /// A chunk in which an item fails comes in parts: the results before that item, its error, and the results behind it.
    ///
    /// ```
    /// use futures::TryStreamExt;
    /// use wasm_mt::{ExecutorExt, Pool, remote};
    ///
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let mut squares = pool.par_map(0..100_000_u64, remote!(|n: u64| n * n)).in_chunks();
    /// let mut sum = 0;
    /// while let Some(chunk) = squares.try_next().await? {
    ///     sum += chunk.iter().sum::<u64>();
    /// }
    /// assert_eq!(sum, 333_328_333_350_000);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn in_chunks(self) -> ParChunks<'a, E, I, R> {
        ParChunks { results: self }
    }
}

impl<E, I, R> ParMap<'_, E, I, R>
where
    E: Executor + ?Sized,
    I: Iterator<Item: Serialize + 'static>,
{
    /// What `give` gives of the results that are here, or of those of the next chunk.
    fn poll_with<T>(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        give: impl Fn(&mut ResultsReader) -> Option<Result<T, Error>>,
    ) -> Poll<Option<Result<T, Error>>> {
        let mut this = self.project();
        loop {
            if let Some(given) = give(this.results) {
                let made_at = this.chunks.supply.calls.location();
                return Poll::Ready(Some(given.map_err(|error| error.of_task(made_at))));
            }
            match ready!(this.chunks.as_mut().poll_next(context)) {
                Some(results) => *this.results = ResultsReader::new(*results),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<E, I, R> Stream for ParMap<'_, E, I, R>
where
    E: Executor + ?Sized,
    I: Iterator<Item: Serialize + 'static>,
    R: DeserializeOwned + 'static,
{
    type Item = Result<R, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_with(context, ResultsReader::next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let more = self.results.left() + self.chunks.flow.items();
        if self.chunks.flow.is_drained() {
            return (more, Some(more));
        }
        let (least, most) = self.chunks.supply.items.size_hint();
        (least.saturating_add(more), most.and_then(|most| most.checked_add(more)))
    }
}

impl<E, I, R> FusedStream for ParMap<'_, E, I, R>
where
    E: Executor + ?Sized,
    I: Iterator<Item: Serialize + 'static>,
    R: DeserializeOwned + 'static,
{
    fn is_terminated(&self) -> bool {
        self.results.left() == 0 && self.chunks.flow.is_drained() && self.chunks.flow.items() == 0
    }
}

impl<E: ?Sized, I, R> fmt::Debug for ParMap<'_, E, I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParMap({})", self.chunks.supply.calls.location())
    }
}

/// The results of a [`ParMap`], as many at once as come at once: see [`in_chunks`](ParMap::in_chunks).
#[must_use = "a stream does nothing until it is polled"]
#[pin_project]
pub struct ParChunks<'a, E: ?Sized, I, R> {
    #[pin]
    results: ParMap<'a, E, I, R>,
}

impl<E, I, R> Stream for ParChunks<'_, E, I, R>
where
    E: Executor + ?Sized,
    I: Iterator<Item: Serialize + 'static>,
    R: DeserializeOwned + 'static,
{
    type Item = Result<Vec<R>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.project().results.poll_with(context, ResultsReader::next_values)
    }
}

impl<E, I, R> FusedStream for ParChunks<'_, E, I, R>
where
    E: Executor + ?Sized,
    I: Iterator<Item: Serialize + 'static>,
    R: DeserializeOwned + 'static,
{
    fn is_terminated(&self) -> bool {
        self.results.is_terminated()
    }
}

impl<E: ?Sized, I, R> fmt::Debug for ParChunks<'_, E, I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParChunks({})", self.results.chunks.supply.calls.location())
    }
}

/// The results, chunk by chunk.
struct Chunks<'a, E: ?Sized, I> {
    supply: Supply<'a, E, I>,
    flow: Flow,
}

/// Nothing in it is ever pinned.
impl<E: ?Sized, I> Unpin for Chunks<'_, E, I> {}

impl<E, I> Stream for Chunks<'_, E, I>
where
    E: Executor + ?Sized,
    I: Iterator<Item: Serialize + 'static>,
{
    type Item = Box<Results>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Box<Results>>> {
        let Self { supply, flow } = self.get_mut();
        flow.poll_next(context, supply)
    }
}

/// Items, and the executor that they are for.
struct Supply<'a, E: ?Sized, I> {
    executor: &'a E,
    items: I,
    calls: Calls,
}

impl<E, I> ChunkSource for Supply<'_, E, I>
where
    E: Executor + ?Sized,
    I: Iterator<Item: Serialize + 'static>,
{
    fn workers(&self) -> usize {
        self.executor.concurrency()
    }

    fn take(&mut self, most: usize) -> Taken {
        let mut taken = Taken { items: Batch::of::<I::Item>(), ..Taken::default() };
        while taken.items.len() < most {
            let Some(item) = self.items.next() else {
                taken.over = true;
                break;
            };
            if let Err(error) = self.calls.encode(&item, &mut taken.items) {
                taken.refused = Some(error);
                break;
            }
            if taken.items.has_attachments() {
                break;
            }
        }
        taken
    }

    fn left(&self) -> Option<usize> {
        self.items.size_hint().1
    }

    fn share_tasks(&self) -> bool {
        self.calls.share_tasks()
    }

    fn job(&self, items: Batch) -> (Option<Job>, RemoteHandle<Box<Results>>) {
        self.calls.job(items)
    }

    fn try_submit(&self, job: Job) -> Result<(), Job> {
        self.executor.try_submit(job)
    }

    fn submit(&self, job: Job) {
        self.executor.submit(job);
    }
}
