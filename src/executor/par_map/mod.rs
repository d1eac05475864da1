//! One function over many items: [`ParMap`], the stream of its results.

mod flow;

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures::stream::{FusedStream, Stream};
use pin_project::pin_project;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::flow::{ChunkSource, Flow};
use super::Executor;
use crate::error::Error;
use crate::platform::Packet;
use crate::task::{self, Calls, Job, Outcome, RemoteFn, RemoteHandle, Results};

/// The results of a function for each of many items, in their order: see [`par_map`](crate::ExecutorExt::par_map).
///
/// Dropping it cancels what is in flight, as dropping a [`RemoteHandle`] does.
#[must_use = "a stream does nothing until it is polled"]
#[pin_project]
pub struct ParMap<'a, E: ?Sized, I, R> {
    #[pin]
    chunks: Chunks<'a, E, I>,
    /// Of the first chunk that has ended, what was not given yet.
    outcomes: vec::IntoIter<Outcome>,
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
        Self { chunks, outcomes: Vec::new().into_iter(), result: PhantomData }
    }
}

impl<E, I, R> Stream for ParMap<'_, E, I, R>
where
    E: Executor + ?Sized,
    I: Iterator<Item: Serialize>,
    R: DeserializeOwned,
{
    type Item = Result<R, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let outcome = loop {
            match this.outcomes.next() {
                Some(outcome) => break outcome,
                None => match ready!(this.chunks.as_mut().poll_next(context)) {
                    Some(outcomes) => *this.outcomes = outcomes.into_iter(),
                    None => return Poll::Ready(None),
                },
            }
        };
        let result = outcome.and_then(task::decode);
        Poll::Ready(Some(result.map_err(|error| error.of_task(this.chunks.supply.calls.location()))))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let more = self.outcomes.len() + self.chunks.flow.items();
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
    I: Iterator<Item: Serialize>,
    R: DeserializeOwned,
{
    fn is_terminated(&self) -> bool {
        self.outcomes.len() == 0 && self.chunks.flow.is_drained() && self.chunks.flow.items() == 0
    }
}

impl<E: ?Sized, I, R> fmt::Debug for ParMap<'_, E, I, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParMap({})", self.chunks.supply.calls.location())
    }
}

/// The outcomes, chunk by chunk.
struct Chunks<'a, E: ?Sized, I> {
    supply: Supply<'a, E, I>,
    flow: Flow,
}

/// Nothing in it is ever pinned.
impl<E: ?Sized, I> Unpin for Chunks<'_, E, I> {}

impl<E, I> Stream for Chunks<'_, E, I>
where
    E: Executor + ?Sized,
    I: Iterator<Item: Serialize>,
{
    type Item = Vec<Outcome>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Vec<Outcome>>> {
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
    I: Iterator<Item: Serialize>,
{
    fn next(&mut self) -> Option<Outcome> {
        let item = self.items.next()?;
        Some(self.calls.encode(&item))
    }

    fn left(&self) -> Option<usize> {
        self.items.size_hint().1
    }

    fn share_tasks(&self) -> bool {
        self.calls.share_tasks()
    }

    fn job(&self, items: Vec<Packet>) -> (Option<Job>, RemoteHandle<Results>) {
        self.calls.job(items)
    }

    fn try_submit(&self, job: Job) -> Result<(), Job> {
        self.executor.try_submit(job)
    }

    fn submit(&self, job: Job) {
        self.executor.submit(job);
    }
}
