//! What of a [`ParMap`](super::ParMap) is in flight, and how much is sent at a time.
//!
//! Items travel in chunks. The first ones hold a single item and show what one costs; then chunks grow until they cost about
//! [`CHUNK_TIME`], and shrink when they cost more. A chunk that takes much longer, because its items are not alike, comes back
//! unfinished: what it has not begun is sent again, in smaller chunks.

use std::collections::VecDeque;
use std::mem;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;

use crate::error::Error;
use crate::platform::Attachment;
use crate::task::{Batch, Job, RemoteHandle, Results, foreign};

/// What a chunk should cost: many times what it takes to send one, and little beside what a user notices.
const CHUNK_TIME: Duration = Duration::from_millis(2);
/// No chunk has more items.
const MOST_ITEMS: usize = 4096;
/// So many chunks per worker are in flight, or have ended and wait for those before them.
const IN_FLIGHT: usize = 4;
/// At least so many chunks per worker are made of what is left, so that all workers end at the same time.
const CHUNKS_LEFT: usize = 4;

/// Items of the next chunks, as far as they were taken.
#[derive(Default)]
pub(super) struct Taken {
    /// If one bears attachments, it is the last.
    pub(super) items: Batch,
    /// Why the one behind them could not be encoded.
    pub(super) refused: Option<Error>,
    /// There are no more.
    pub(super) over: bool,
}

/// Where items come from and tasks go to.
pub(super) trait ChunkSource {
    /// How many tasks can run at the same time, as things are.
    fn workers(&self) -> usize;

    /// Takes items for the next chunk, so many at most, and encodes them.
    fn take(&mut self, most: usize) -> Taken;

    /// How many items are left at most, if it is known.
    fn left(&self) -> Option<usize>;

    /// True if several items may be one task.
    fn share_tasks(&self) -> bool;

    /// The task for these items. If it cannot be made, the handle holds the error.
    fn job(&self, items: Batch) -> (Option<Job>, RemoteHandle<Box<Results>>);

    /// Gives the task to the executor, unless its queue is full.
    fn try_submit(&self, job: Job) -> Result<(), Job>;

    /// Gives the task to the executor.
    fn submit(&self, job: Job);
}

pub(super) struct Flow {
    /// As many as there were when it was polled last.
    workers: usize,
    /// In the order of the items.
    chunks: VecDeque<ChunkStatus>,
    /// The tasks of chunks for which there was no room in the executor's queue.
    waiting: VecDeque<Job>,
    /// How many items a chunk may have, as far as their cost is known.
    size: usize,
    /// Results bear JavaScript values that are cloned: each goes alone, so that one that has no clone harms no other. What is
    /// moved is mostly numbers, which can always be posted.
    singly: bool,
    /// There are no more items.
    over: bool,
    /// Chunks are given in the order of their items.
    ordered: bool,
}

enum ChunkStatus {
    /// -> `Ended`, when it is polled.
    Sent {
        handle: RemoteHandle<Box<Results>>,
        items: usize,
    },
    Ended(Box<Results>),
}

impl ChunkStatus {
    fn items(&self) -> usize {
        match self {
            Self::Sent { items, .. } => *items,
            Self::Ended(results) => results.begun,
        }
    }
}

impl Flow {
    pub(super) fn new(ordered: bool) -> Self {
        Self {
            workers: 1,
            chunks: VecDeque::new(),
            waiting: VecDeque::new(),
            size: 1,
            singly: false,
            over: false,
            ordered,
        }
    }

    /// How many items are on their way.
    pub(super) fn items(&self) -> usize {
        self.chunks.iter().map(ChunkStatus::items).sum()
    }

    /// True if there are no others.
    pub(super) fn is_drained(&self) -> bool {
        self.over
    }

    /// What the next chunk has given.
    pub(super) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        source: &mut dyn ChunkSource,
    ) -> Poll<Option<Box<Results>>> {
        self.workers = source.workers().max(1);
        loop {
            self.send(source);
            if self.chunks.is_empty() {
                return Poll::Ready(None);
            }
            let mut progressed = false;
            let mut place = 0;
            // Those behind the first are only polled while that is waited for.
            while place < self.chunks.len() {
                progressed |= self.poll_chunk(place, context, source);
                if (place == 0 || !self.ordered) && matches!(self.chunks[place], ChunkStatus::Ended(_)) {
                    let Some(ChunkStatus::Ended(results)) = self.chunks.remove(place) else { break };
                    self.send(source);
                    return Poll::Ready(Some(results));
                }
                place += 1;
            }
            // What has ended has made room, and may have left something to be sent again.
            if !progressed {
                return Poll::Pending;
            }
        }
    }

    /// Polls a chunk. True if it has ended now.
    fn poll_chunk(&mut self, place: usize, context: &mut Context<'_>, source: &dyn ChunkSource) -> bool {
        let Some(ChunkStatus::Sent { handle, items }) = self.chunks.get_mut(place) else { return false };
        let Poll::Ready(results) = handle.poll_unpin(context) else { return false };
        let items = *items;
        // A chunk that does not account for its items is of another build.
        let results = results.and_then(|results| {
            if results.begun + results.rest.len() == items { Ok(results) } else { Err(foreign()) }
        });
        let mut results = results.unwrap_or_else(|error| Results::failed(items, &error));
        self.learn(&results);
        let rest = mem::take(&mut results.rest);
        self.chunks[place] = ChunkStatus::Ended(results);
        self.send_again(place + 1, &rest, source);
        true
    }

    /// Sends what was not begun, before all that comes after it.
    fn send_again(&mut self, place: usize, rest: &Batch, source: &dyn ChunkSource) {
        let size = self.size(Some(rest.len()), source);
        for items in rest.split(size).into_iter().rev() {
            let (chunk, job) = make(items, source);
            self.chunks.insert(place, chunk);
            if let Some(job) = job {
                self.waiting.push_front(job);
            }
        }
    }

    /// Sends as much as is to be in flight.
    fn send(&mut self, source: &mut dyn ChunkSource) {
        self.submit(source);
        while !self.over && self.waiting.is_empty() && self.chunks.len() < IN_FLIGHT * self.workers {
            self.fill(source);
            self.submit(source);
        }
    }

    /// Makes the next chunk. An item that bears attachments goes alone; one that could not be encoded has ended.
    fn fill(&mut self, source: &mut dyn ChunkSource) {
        let size = self.size(source.left(), source);
        let Taken { items, refused, over } = source.take(size);
        self.over = over;
        if items.has_attachments() && items.len() > 1 {
            let (others, alone) = items.split_last();
            self.push(others, source);
            self.push(alone, source);
        } else if items.len() > 0 {
            self.push(items, source);
        }
        self.chunks.extend(refused.map(|error| ChunkStatus::Ended(Results::failed(1, &error))));
    }

    fn push(&mut self, items: Batch, source: &dyn ChunkSource) {
        let (chunk, job) = make(items, source);
        self.chunks.push_back(chunk);
        self.waiting.extend(job);
    }

    /// Gives the executor what it takes. If it takes nothing and has nothing of ours, its queue must take one more.
    fn submit(&mut self, source: &dyn ChunkSource) {
        while let Some(job) = self.waiting.pop_front() {
            let Err(job) = source.try_submit(job) else { continue };
            let sent = self.chunks.iter().filter(|chunk| matches!(chunk, ChunkStatus::Sent { .. })).count();
            if sent > self.waiting.len() + 1 {
                self.waiting.push_front(job);
                return;
            }
            source.submit(job);
        }
    }

    /// How many items the next chunk has at most, if so many are left.
    fn size(&self, left: Option<usize>, source: &dyn ChunkSource) -> usize {
        if self.singly || !source.share_tasks() {
            return 1;
        }
        let fair = left.map_or(MOST_ITEMS, |left| left / (CHUNKS_LEFT * self.workers));
        self.size.min(fair).max(1)
    }

    fn learn(&mut self, results: &Results) {
        self.singly |= !results.values.attachments().iter().all(Attachment::moves);
        let Some(ran) = results.ran else { return };
        let done = results.begun;
        if 2 * ran <= CHUNK_TIME {
            self.size = self.size.max(2 * done).min(MOST_ITEMS);
        } else if ran > 2 * CHUNK_TIME {
            let enough = done as f64 * CHUNK_TIME.as_secs_f64() / ran.as_secs_f64();
            self.size = self.size.min(enough as usize).max(1);
        }
    }
}

/// A chunk for these items, and its task. Without one, the chunk ends when it is polled.
fn make(items: Batch, source: &dyn ChunkSource) -> (ChunkStatus, Option<Job>) {
    let count = items.len();
    let (job, handle) = source.job(items);
    (ChunkStatus::Sent { handle, items: count }, job)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(flow: &mut Flow, items: usize, millis: u64) -> usize {
        let ran = Some(Duration::from_millis(millis));
        flow.learn(&Results { ran, ..*Results::failed(items, &Error::closed()) });
        flow.size
    }

    #[test]
    fn chunks_grow_until_they_cost_enough_and_shrink_when_they_cost_more() {
        let mut flow = Flow::new(true);
        assert_eq!(learn(&mut flow, 1, 0), 2);
        // Another that was sent at the same time.
        assert_eq!(learn(&mut flow, 1, 0), 2);
        assert_eq!(learn(&mut flow, 2, 1), 4);
        assert_eq!(learn(&mut flow, 4, 2), 4);
        assert_eq!(learn(&mut flow, 4, 4), 4);
        assert_eq!(learn(&mut flow, 4, 8), 1);
        assert_eq!(learn(&mut flow, 1, 1_000), 1);
        for _ in 0..20 {
            let size = flow.size;
            learn(&mut flow, size, 0);
        }
        assert_eq!(flow.size, MOST_ITEMS);
        assert_eq!(learn(&mut flow, 1_000, 20), 100);
    }
}
