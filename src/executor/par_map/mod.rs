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
    pub(super) fn new(executor: &'a E, items: I, function: RemoteFn<I::Item, R>) -> Self {
        let flow = Flow::new(executor.concurrency());
        let chunks = Chunks { supply: Supply { executor, items, calls: function.into_calls() }, flow };
        Self { chunks, results: ResultsReader::default(), result: PhantomData }
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
        let mut this = self.project();
        loop {
            if let Some(result) = this.results.next() {
                return Poll::Ready(Some(
                    result.map_err(|error| error.of_task(this.chunks.supply.calls.location())),
                ));
            }
            match ready!(this.chunks.as_mut().poll_next(context)) {
                Some(results) => *this.results = ResultsReader::new(results),
                None => return Poll::Ready(None),
            }
        }
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
